"""One running driver: where it is, what its next action is given, and what it waits for.

The rule guarded here: of an action that was looked at before its step fires, the driver notices nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from types import GeneratorType
from typing import Any, cast

from sspicli.journal import events as ev
from sspicli.journal.journal import Journal
from sspicli.runtime.api import AsyncSspi
from sspicli.runtime.calls import PendingCall
from sspicli.session.actions import Action, Driver
from sspicli.sspi.handles import Handle


class Activity:
    """One running driver: an endpoint's program, or the body of a callback."""

    __slots__ = ("ahead", "api", "cause", "driver", "inside", "is_done", "name", "notified", "outcome", "waits_for")

    def __init__(self, name: str, api: AsyncSspi, driver: Driver, cause: int) -> None:
        self.name = name
        self.api = api
        self.driver = driver
        self.cause = cause
        self.inside: Handle | None = None
        self.notified: PendingCall | None = None
        self.outcome: object = None
        self.is_done = False
        self.waits_for = ""
        self.ahead: tuple[object, Exception | None] | None = None

    @property
    def is_over(self) -> bool:
        """Say whether the driver has come to its end, by an exception too."""
        return isinstance(self.driver, GeneratorType) and self.driver.gi_frame is None

    def arrived(self) -> Callable[[Any], Action]:
        """Give an actor's next action, to which it has come up before."""
        assert self.ahead is not None, "it was looked at above"
        (action, error), self.ahead = self.ahead, None

        def give(_: object) -> Action:
            if error is not None:
                raise error
            return cast("Action", action)

        return give

    def resume(self, outcome: object, cause: int) -> None:
        """Take the outcome of what it waited for, and what brought it about."""
        self.outcome, self.cause, self.waits_for = outcome, cause, ""

    def block(self, journal: Journal, awaited: str, waits_for: str) -> None:
        """Begin to wait; that a callback does is worth a record, as it may hold a worker."""
        self.waits_for = waits_for
        if self.notified is not None:
            call = self.notified
            event = ev.CallbackWaited(call.handle, call.async_context.handle, awaited)
            self.cause = journal.append(self.name, event, self.cause)
