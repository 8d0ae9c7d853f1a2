"""The moves of a session, told so that a scenario can be led along them.

The rule guarded here: a program does not wait for its user, as a hand does. A step of it that is next is ready, it can
be chosen at any time, and no timer fires while anything is ready. So a typed step has to yield in a scenario where a
timer fired while the hand was at rest; it has to, too, where the hand came to rest in a transition that did more.
Everywhere else the schedule alone says when the step is taken.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sspicli.debugger.beginning import SIDES
from sspicli.debugger.course import Key, Next
from sspicli.debugger.hand import Typed, hand_name
from sspicli.debugger.inputs import Fired, Input, give_again
from sspicli.debugger.live import Live
from sspicli.runtime.chooser import Kind
from sspicli.sspi.errors import UsageError

MOST = 100_000


class Move(NamedTuple):
    """A transition to be fired: its key, and how many with that key stand before it."""

    key: Key
    number: int = 0

    def find(self, options: Sequence[Next]) -> int | None:
        """Find it among what may happen; None where it is not."""
        found = [index for index, one in enumerate(options) if _key(one) == self.key]
        return found[self.number] if self.number < len(found) else None


def _key(one: Next) -> Key:
    """Name a transition; to go on after standing by is a step."""
    kind, actor, subject = one.key
    return Kind.STEP.value if one.kind is Kind.TURN else kind, actor, subject


class _Rest(NamedTuple):
    """How a hand came to rest: its place in the moves, None within another move; and how many timers had fired."""

    place: int | None
    timers: int


class Tale:
    """A session that is made again, and goes on to its end.

    `yields` are the typed steps, from 0, that have to; `resting` the hands that came to rest before the end.
    """

    def __init__(self, live: Live) -> None:
        self.live = live
        self.yields: set[int] = set()
        self.resting: set[str] = set()
        self._moves: list[Move | None] = []
        self._timers = 0
        self._typed = 0
        self._acting = set(live.beginning.by_hand)
        self._rests: dict[str, _Rest | None] = {hand_name(live.beginning, side): self._rest() for side in SIDES}

    @property
    def moves(self) -> list[Move]:
        """The moves that a scenario takes, in their order."""
        return [one for one in self._moves if one is not None]

    def follow(self, inputs: Sequence[Input]) -> None:
        """Give the session the inputs of another, and let it go on to its end."""
        for one in inputs:
            if isinstance(one, Typed):
                self._type(one)
            elif isinstance(one, Fired):
                self._fire(one)
            else:
                give_again(self.live, one)
        for _ in range(MOST):
            if not self._fire():
                break
        else:
            raise UsageError(
                f"the session goes on after {MOST:,} transitions", help="export keeps the records as they are"
            )
        for name in sorted(self._acting):
            self._end(name)

    def _type(self, one: Typed) -> None:
        """Let a step be typed: see whether it has to yield."""
        name = hand_name(self.live.beginning, one.side)
        self._acting.add(name)
        rest = self._rests[name]
        if rest is not None and (rest.place is None or rest.timers < self._timers):
            self.yields.add(self._typed)
            self._end(name)
        self.resting.discard(name)
        self._rests[name] = None
        self._typed += 1
        self.live.give(one)

    def _fire(self, wanted: Fired | None = None) -> bool:
        """Fire a transition, by default the preferred one; note it as a move unless a hand came to rest by it."""
        options = self.live.enabled()
        if wanted is None and not options:
            return False
        place = self.live.preferred() if wanted is None else wanted.place
        key = _key(options[place]) if place < len(options) else ("", "", "")
        move = Move(key, sum(_key(one) == key for one in options[:place]))
        if wanted is not None:
            give_again(self.live, wanted)
        elif not self.live.fire(place):
            return False
        self._note(move)
        return True

    def _note(self, move: Move) -> None:
        kind, actor, _ = move.key
        fired = self.live.inputs[-1]
        if isinstance(fired, Fired) and fired.is_idle:
            self._rests[actor] = self._rest()
            return
        self._moves.append(move)
        self._timers += kind == Kind.TIMER
        is_own = actor in self._acting and kind in (Kind.STEP, Kind.RETURN)
        if is_own and self._rests[actor] is None and self.live.is_at_rest(actor.partition(".")[0]):
            self._rests[actor] = _Rest(None, self._timers)

    def _rest(self) -> _Rest:
        """Keep a place among the moves for the transition by which a hand comes to rest."""
        self._moves.append(None)
        return _Rest(len(self._moves) - 1, self._timers)

    def _end(self, name: str) -> None:
        """Let what brought a hand to rest be a move: the program stands by there, or has come to its end."""
        rest = self._rests[name]
        if rest is not None and rest.place is not None:
            self._moves[rest.place] = Move((Kind.STEP.value, name, ""))
            self.resting.add(name)


def run_out(live: Live) -> None:
    """Let the default order go on to the end."""
    for _ in range(MOST):
        if not live.fire():
            return
