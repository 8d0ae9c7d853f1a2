"""The seam that decides when a queued call's completion becomes possible.

Stepped: at once, and the chooser decides when it happens. Pool: when a worker thread has done the work. The runtime
hands every admitted call to its dispatcher and otherwise does not know which one it has.
"""

from __future__ import annotations

from typing import Protocol

from sspicli.runtime.calls import PendingCall
from sspicli.sspi.functions import Function
from sspicli.sspi.status import SecurityStatus


class Dispatcher(Protocol):
    """Takes queued calls and makes their completions possible.

    `completions` are the calls that may complete now, in order; the session takes them from there. `outstanding` counts
    the calls that are being worked on elsewhere and are not among them yet.
    """

    completions: list[PendingCall]

    @property
    def outstanding(self) -> int:
        """Count the calls that are being worked on."""

    def admit(self, function: Function, actor: str) -> SecurityStatus | None:
        """Say whether a call may be queued (or an async context made): None, or the status of the refusal."""

    def submit(self, call: PendingCall) -> None:
        """Take an admitted call."""


class SteppedDispatcher:
    """Makes each completion possible at once, in the order of queueing; its work is done when it is chosen."""

    __slots__ = ("completions", "outstanding")

    def __init__(self) -> None:
        self.completions: list[PendingCall] = []
        self.outstanding = 0

    def admit(self, function: Function, actor: str) -> SecurityStatus | None:
        """Admit everything."""
        return None

    def submit(self, call: PendingCall) -> None:
        """Offer the call's completion to the chooser."""
        self.completions.append(call)
