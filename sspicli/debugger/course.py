"""What the debugger asks of a session under way, wherever it lives: in this process, or in one that was forked from it.

The rule guarded here: what is given is plain data. A transition is named, not handed out, so that whoever shows it can
do nothing to the engine behind it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

from sspicli.journal import events as ev
from sspicli.journal.journal import Record
from sspicli.runtime.call_names import CallPattern
from sspicli.runtime.chooser import Kind
from sspicli.session.fault_words import AnyFault
from sspicli.sspi.functions import Function
from sspicli.sspi.handles import Handle

if TYPE_CHECKING:
    from sspicli.debugger.beginning import Beginning
    from sspicli.debugger.hand import Typed
    from sspicli.debugger.inputs import Input, Timed

type_ = type  # the class below has a method of that name
Key = tuple[str, str, str]
"""What a transition is called in every run of one session: its kind, its actor, and its call or receiver."""


class CallSeen(NamedTuple):
    """A pending call: whose it is, what it is, and which of its kind in the whole run."""

    handle: Handle
    function: Function
    number: int
    has_returned: bool


class Next(NamedTuple):
    """Something that may happen next.

    `receiver` is who gets what arrives, "" for no delivery. `coming` is the kind of action that the actor has come up
    to and not made yet, None while that is not known.
    """

    kind: Kind
    actor: str
    key: Key
    receiver: str = ""
    call: CallSeen | None = None
    coming: type_ | None = None


class Course(Protocol):
    """A session under way; `inputs` made it what it is, `marks` say where in the journal each began."""

    beginning: Beginning
    inputs: list[Input]
    marks: list[int]

    @property
    def is_gone(self) -> bool:
        """Say whether the process it lived in is there no more."""

    @property
    def has_diverged(self) -> bool:
        """Say whether it left the schedule that it was given, and this was said."""

    @property
    def reason(self) -> str:
        """Why nothing more happens though something could; "" for no reason."""

    @property
    def records(self) -> Sequence[Record]:
        """All records so far."""

    def subscribe(self, subscriber: Callable[[Record], None]) -> None:
        """Let somebody see every record from now on."""

    # -- what may happen -----------------------------------------------------------------------------------------------

    def enabled(self) -> Sequence[Next]:
        """List what may happen next, in canonical order."""

    def preferred(self) -> int:
        """Say which of them happens when nobody chooses."""

    def fire(self, index: int | None = None) -> bool:
        """Fire a transition, by its place or by default; False when there is none, or a limit was hit."""

    def reach(self, index: int) -> type_ | None:
        """Let the actor whose step this is come up to its next action; None for another transition, or if it did."""

    # -- what a user does ----------------------------------------------------------------------------------------------

    def type(self, typed: Typed) -> bool:
        """Perform a step by hand; False where it, or one before it, waits for something else to happen."""

    def give(self, typed: Typed) -> None:
        """Let a step be the next that a hand performs, when its turn comes."""

    def add(self, text: str) -> AnyFault:
        """Add a fault to what is still to come; UsageError where it comes too late."""

    def time(self, one: Timed) -> None:
        """Say when calls complete from now on, where nobody chooses."""

    # -- what is known of it -------------------------------------------------------------------------------------------

    def uses(self, fault: AnyFault) -> int:
        """Count how often the function that a fault names has been used so far."""

    def choices(self) -> Sequence[int]:
        """List the choices that were made."""

    def diverged(self) -> str:
        """Say, once, that the session left its schedule, or ended before it; "" where its user led it elsewhere."""

    def unmet_choices(self) -> tuple[str, ...]:
        """Say what of a wanted order of completions did not come about."""

    def completable(self) -> Sequence[CallSeen]:
        """List the pending calls that could complete."""

    def holds_by(self, pattern: CallPattern) -> bool:
        """Say whether calls are held by this name."""

    def waiting(self) -> Sequence[tuple[str, str]]:
        """List the programs that cannot go on, each with what it waits for."""

    def wire_waits(self) -> Sequence[str]:
        """Say why what is under way does not arrive."""

    def hand_waits(self) -> dict[str, str]:
        """Say of each hand that is not done what it waits for."""

    def memory(self, side: str) -> dict[str, bytes]:
        """Give the bytes that a side's steps have kept."""

    def ending(self) -> ev.RunEnded:
        """Say what the run comes to if nothing more happens."""

    def close(self) -> None:
        """End the session."""
