"""The steps about time and order: holds, signals, sleep, locks, what ends early, and what is checked on the way."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from sspicli.scenario.shapes import (
    AC,
    AsyncContextName,
)
from sspicli.scenario.step import Step
from sspicli.scenario.words import Calls, Int, Name, Part, Text, Ticks


class EndData(Step):
    """End the life of what was registered as callback data under this name."""

    class Arguments(Part):
        """The arguments."""

        async_context: AsyncContextName = AC
        name: Name

    end_data: Arguments


class Lock(Step):
    """Take a lock of the program; two holders at once are what the verifier looks for, nobody waits here."""

    lock: Name


class Unlock(Step):
    """Release a lock of the program."""

    unlock: Name


class Hold(Step):
    """From now on let calls stay pending, whoever queues them, until `release` or `complete`."""

    hold: Calls


class Release(Step):
    """Let held calls complete when their turn comes."""

    release: Calls


class Complete(Step):
    """Let the first such call complete now, held or not, before anything else happens."""

    complete: Calls


class Sleep(Step):
    """Let virtual time pass."""

    sleep: Ticks


class Signal(Step):
    """Raise a signal of this endpoint, which `await` waits for."""

    signal: Name


class Await(Step):
    """Wait for a signal of this endpoint."""

    await_: Name


class Throw(Step):
    """Let an exception leave the notify callback; the callback ends there, and tells nobody that it ran."""

    throw: Text
    """What the exception says."""


class Note(Step):
    """Put a sentence on record."""

    note: Text


class Check(Step):
    """Hold what the records say so far against what is expected; nothing is called."""

    class Arguments(Part):
        """What is expected."""

        phase: dict[Name, Text] = {}
        """The phase of each async context: idle, pending, complete, in its callback, settled, freed."""
        callbacks: Annotated[Int, Field(ge=0)] | None = None
        """How many notify callbacks of this endpoint have been entered."""
        pending: Annotated[Int, Field(ge=0)] | None = None
        """How many calls of this endpoint are pending."""

    check: Arguments
