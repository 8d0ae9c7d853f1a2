"""What moves a session under the debugger: its inputs, and how another session is given them again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sspicli.debugger.course import Course, Key
from sspicli.debugger.hand import Typed
from sspicli.runtime.call_names import CallPattern
from sspicli.runtime.calls import PendingCall
from sspicli.runtime.chooser import Completion
from sspicli.session.fault_words import AnyFault
from sspicli.sspi.errors import UsageError


class Fired(NamedTuple):
    """A transition was fired: its place among those enabled, and its key; `is_idle` when only a hand came to rest."""

    place: int
    key: Key
    is_idle: bool = False


class Added(NamedTuple):
    """A fault was added to the plan."""

    fault: AnyFault


class Timed(NamedTuple):
    """Calls complete within their queueing function, or after it; without a pattern every call. The last one holds."""

    pattern: CallPattern | None
    completion: Completion

    @property
    def text(self) -> str:
        """How it is typed."""
        return self.completion.value if self.pattern is None else f"{self.completion.value} {self.pattern.text}"

    def is_about(self, call: PendingCall) -> bool:
        """Say whether a call is one of these."""
        return self.pattern is None or self.pattern.matches(call)


class Reached(NamedTuple):
    """An actor came up to its next action, and others went on before it was performed."""

    place: int
    key: Key


Input = Fired | Typed | Added | Timed | Reached


def redo(live: Course, inputs: Sequence[Input]) -> None:
    """Give a fresh session the inputs of another; UsageError where it cannot take one."""
    for one in inputs:
        give_again(live, one)


def give_again(live: Course, one: Input) -> None:
    """Give a session an input of another; UsageError where it cannot take it."""
    if isinstance(one, Fired | Reached):
        options = live.enabled()
        if one.place >= len(options) or options[one.place].key != one.key:
            raise UsageError(f"the session made again has no {' '.join(one.key).strip()} here")
        if isinstance(one, Fired):
            live.fire(one.place)
        else:
            live.reach(one.place)
    elif isinstance(one, Typed):
        live.give(one)
    elif isinstance(one, Timed):
        live.time(one)
    else:
        live.add(one.fault.text)
