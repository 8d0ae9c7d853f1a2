"""What may happen next, and which of it does: all that is enabled, and the pick of the chooser.

The rule guarded here: the options stand in canonical order, so that a choice is a number that means the same again. A
timer is an option only when nothing else is; last come the programs that stand by. With the default chooser nothing is
gathered, for index 0 is always next.
"""

from __future__ import annotations

from collections import deque
from heapq import heappop, heappush

from sspicli.journal import events as ev
from sspicli.journal.journal import Journal
from sspicli.runtime.calls import PendingCall
from sspicli.runtime.chooser import Chooser, Fire, First, Kind, Transition
from sspicli.runtime.dispatch import Dispatcher

MICROSECONDS = 1_000_000

Entry = tuple[Kind, str, Fire, object, "PendingCall | None"]
"""A transition while it waits: a plain tuple with a `Transition`'s members, made into one when it is looked at."""


class Agenda:
    """Keeps what may happen next, and lets the chooser pick; counts what happened, and ends it at a limit.

    `choices` are the choices made where there was one. In the default order (`is_default`) nothing is asked: what
    became possible first happens first. `complete`, where it is asked for, lets a pending call complete; it is not
    kept, so that a session is gone as soon as nobody holds it.
    """

    def __init__(
        self,
        *,
        journal: Journal,
        dispatcher: Dispatcher,
        chooser: Chooser,
        timeout: float,
        limit: int,
    ) -> None:
        self.ready: deque[Entry] = deque()
        self.standing_by: list[Entry] = []
        self.choices: list[int] = []
        self.is_default = type(chooser) is First
        self.is_forced = False
        self.fired = 0
        self.limit = self._most = limit
        self.reason = ""
        self._journal = journal
        self._dispatcher = dispatcher
        self._completions = dispatcher.completions
        self._chooser = chooser
        self._timers: list[tuple[int, int, Transition]] = []
        self._timer_count = 0
        self._deadline = int(timeout * MICROSECONDS)

    def enabled(self, complete: Fire) -> list[Transition]:
        """List what may happen next, in canonical order; a timer only when nothing else may.

        Last come the programs that stand by: they keep no timer from being next.
        """
        if self.is_forced:
            return [Transition._make(self.ready[0])]
        options = [Transition._make(entry) for entry in self.ready]
        options.extend([_completion(call, complete) for call in self._completions])
        if not options and self._timers:
            options.append(self._timers[0][2])
        options.extend([Transition._make(entry) for entry in self.standing_by])
        return options

    def advance_in_order(self, complete: Fire) -> None:
        """Fire what `take` would with index 0 at every choice, until nothing is left, without gathering the options."""
        ready, completions, journal = self.ready, self._completions, self._journal
        while self.fired < self.limit:
            if ready:
                _, _, fire, subject, _ = ready.popleft()
            elif completions:
                fire, subject = complete, completions.pop(0)
            else:
                timer = self._take_timer()
                if timer is not None:
                    timer.fire(timer.subject)
                    continue
                if not self._is_turn_of_who_stands_by():
                    return
                _, _, fire, subject, _ = self.standing_by.pop(0)
            self.fired += 1
            journal.ticks += 1
            fire(subject)
        self.reason = "limit"

    def take(self, complete: Fire) -> Transition | None:
        """Let the chooser pick, and take the pick off the lists; None when nothing is enabled or a limit was hit."""
        ready, completions = self.ready, self._completions
        self.fired += 1
        if self.fired > self.limit:
            self.reason = "limit"
            return None
        if self.is_forced:
            self.is_forced = False
            self._journal.ticks += 1
            return Transition._make(ready.popleft())
        if self.standing_by:
            return self._take_beside_who_stands_by(complete)
        count = len(ready) + len(completions)
        if not count:
            return self._take_timer()
        self._journal.ticks += 1
        index = self._choose(count, complete) if count > 1 else 0
        if index < len(ready):
            entry = ready[index]
            del ready[index]
            return Transition._make(entry)
        return _completion(completions.pop(index - len(ready)), complete)

    def _take_beside_who_stands_by(self, complete: Fire) -> Transition | None:
        """Take as `take` does where programs stand by: then a timer too is one of several options."""
        ready, completions = self.ready, self._completions
        count = len(ready) + len(completions)
        if not count and self._dispatcher.outstanding:
            return None
        is_timer_due = not count and bool(self._timers)
        options = count + is_timer_due + len(self.standing_by)
        index = self._choose(options, complete) if options > 1 else 0
        if is_timer_due and index == 0:
            return self._take_timer()
        self._journal.ticks += 1
        if index < len(ready):
            entry = ready[index]
            del ready[index]
            return Transition._make(entry)
        if index < count:
            return _completion(completions.pop(index - len(ready)), complete)
        return Transition._make(self.standing_by.pop(index - count - is_timer_due))

    def _is_turn_of_who_stands_by(self) -> bool:
        """Say whether somebody stands by and nothing else will happen: no limit was hit, and nobody works."""
        return bool(self.standing_by) and not self.reason and not self._dispatcher.outstanding

    def is_next(self) -> bool:
        """Say whether what becomes possible now also happens next: then it happens at once, and is counted here."""
        if not self.is_default or self.ready or self.fired >= self.limit:
            return False
        self.fired += 1
        self._journal.ticks += 1
        return True

    def _choose(self, count: int, complete: Fire) -> int:
        index = self._chooser.choose(self.enabled(complete))
        self.choices.append(index)
        if index:
            self._journal.append("session", ev.ChoiceMade(len(self.choices), index, count), 0)
        return index

    def after(self, ticks: int, transition: Transition) -> None:
        """Let a transition come about `ticks` microseconds of virtual time from now."""
        self._timer_count += 1  # of those due at one time the first set comes first
        heappush(self._timers, (self._journal.ticks + ticks, self._timer_count, transition))

    def _take_timer(self) -> Transition | None:
        if not self._timers or self._dispatcher.outstanding:
            return None
        due, _, transition = heappop(self._timers)
        self._journal.ticks = max(due, self._journal.ticks)
        if self._journal.ticks > self._deadline:
            self.reason = "limit"
            return None
        return transition

    def limits(self, reason: str) -> tuple[str, ...]:
        """Say which limit was reached: what is pending then might have completed later."""
        if reason != "limit":
            return ()
        if self.fired >= self._most:
            return (f"the limit of {self._most:,} transitions was reached",)
        return (f"the time limit of {self._deadline / MICROSECONDS:g} s was reached",)


def _completion(call: PendingCall, complete: Fire) -> Transition:
    return Transition(Kind.COMPLETE, call.handle.actor, complete, call, call)
