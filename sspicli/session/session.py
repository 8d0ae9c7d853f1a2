"""Two endpoints and what may happen next between them.

The loop: gather what is enabled, let the chooser pick (`agenda.py`), fire it to its end (`actors.py`, `traffic.py`).
State changes on one thread at a time. Nothing here knows whether a person, a file or a search is choosing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, cast

from sspicli.journal import events as ev
from sspicli.journal.journal import Journal
from sspicli.runtime.calls import PendingCall
from sspicli.runtime.chooser import Chooser, First, Kind, Policy, Transition
from sspicli.runtime.dispatch import Dispatcher
from sspicli.session.actions import Driver, Signal
from sspicli.session.activity import Activity
from sspicli.session.actors import Actors
from sspicli.session.agenda import Agenda
from sspicli.session.endpoint import Endpoint, check_program_name
from sspicli.session.traffic import Traffic
from sspicli.session.wire import MemoryWire, Wire
from sspicli.sspi.status import SecurityStatus

if TYPE_CHECKING:
    from sspicli.runtime.call_names import CallPattern
    from sspicli.runtime.holds import HoldingDispatcher


class Session:
    """Run the programs of endpoints over a wire, one transition at a time.

    `timeout` is in seconds of virtual time; `limit` in transitions. After `run`, `choices` are the choices made where
    there was one, and the journal ends with `RunEnded`. A wire with faults (see `wire_faults.py`) sets
    `wire_waits`, which says what does not arrive. `holds` is the dispatcher, or one that it wraps, that keeps what
    programs hold.
    """

    def __init__(
        self,
        endpoints: Sequence[Endpoint],
        *,
        journal: Journal,
        dispatcher: Dispatcher,
        chooser: Chooser | None = None,
        wire: Wire | None = None,
        holds: HoldingDispatcher | None = None,
        timeout: float = 30.0,
        limit: int = 1_000_000,
    ) -> None:
        self.wire_waits: Callable[[], tuple[str, ...]] = tuple
        self._journal = journal
        self._chooser = chooser or First()
        self._agenda = Agenda(
            journal=journal,
            dispatcher=dispatcher,
            chooser=self._chooser,
            timeout=timeout,
            limit=limit,
        )
        self.choices = self._agenda.choices
        wire = wire or MemoryWire(tuple(one.api.name for one in endpoints))
        self.traffic = Traffic(wire, journal=journal, agenda=self._agenda)
        self._completions = dispatcher.completions
        self._holds = holds
        self._halted = ""
        self._apis = {endpoint.api.name: endpoint.api for endpoint in endpoints}
        self._actors = Actors(self._apis, journal=journal, agenda=self._agenda, traffic=self.traffic, holds=holds)
        for endpoint in endpoints:
            self._actors.begin(Activity(endpoint.api.name, endpoint.api, endpoint.program, 0))
        for endpoint in endpoints:
            for name, program in endpoint.others.items():
                self._actors.begin(Activity(f"{endpoint.api.name}.{name}", endpoint.api, program, 0))

    def run(self) -> str:
        """Fire transitions until nothing is left; record and return why it ended."""
        self.advance()
        return self.end()

    def advance(self) -> None:
        """Fire transitions until nothing is enabled."""
        if self._agenda.is_default:
            self._agenda.advance_in_order(self._actors.complete)
            return
        while self.step():
            pass

    def step(self) -> bool:
        """Fire the next transition; say whether there was one.

        With the default chooser an actor's actions go on until it must wait; any other lets it take one at a time.
        """
        transition = self._agenda.take(self._actors.complete)
        if transition is None:
            return False
        transition.fire(transition.subject)
        return True

    def enabled(self) -> list[Transition]:
        """List what may happen next, in canonical order; a timer only when nothing else may.

        Last come the programs that stand by: they keep no timer from being next.
        """
        return self._agenda.enabled(self._actors.complete)

    def ending(self, *, resting: Sequence[str] = ()) -> ev.RunEnded:
        """Say why the run ends if it ends now: finished, broken, stuck or limit; who is `resting` waits for nothing."""
        left = [one for one in self._actors.activities if not one.is_done and one.name not in resting]
        waiting = [f"{one.name} waits for {one.waits_for}" for one in left]
        pending = [call for api in self._apis.values() for call in api.pending]
        reason = (
            self._halted
            or self._agenda.reason
            or ("broken" if self._actors.is_broken else "stuck" if waiting or pending else "finished")
        )
        fate = "never completes" if reason == "stuck" else "is still pending"
        held = {} if self._holds is None else self._holds.held
        fates = [f"{call} is held by {held[call][1].text}" if call in held else f"{call} {fate}" for call in pending]
        waits = (*self._agenda.limits(reason), *waiting, *fates)
        if reason in ("stuck", "limit"):
            waits += self.wire_waits()
        return ev.RunEnded(reason, waits)

    def end(self) -> str:
        """Record that the run ended, and why: finished, broken, stuck or limit."""
        ended = self.ending()
        if ended.reason in ev.FROM_OUTSIDE:
            self._delete_what_is_left()
        if ended.reason == "stuck":
            self._actors.record_waits()
        self._journal.append("session", ended, 0)
        return ended.reason

    def _delete_what_is_left(self) -> None:
        """Delete the security contexts of each endpoint that has no call under way, which might be using them."""
        for api in self._apis.values():
            if not api.pending:
                api.actor, api.cause = api.name, 0
                api.delete_what_is_left()

    def halt(self, reason: str) -> None:
        """Fire nothing after the transition under way; may be called from any thread, and from a signal handler."""
        self._halted = reason
        self._agenda.limit = 0

    def abandon(self, reason: str) -> None:
        """Record that the run was ended from outside: by a signal, or `limit` for a time-out."""
        self.halt(reason)  # a worker that comes back later finds nothing to do
        self.end()

    def unmet_choices(self) -> tuple[str, ...]:
        """Say what of a wanted order of completions did not come about; to be asked when the run has ended."""
        if not isinstance(self._chooser, Policy):
            return ()
        records = self._journal.records
        return self._chooser.unmet([one.event.call for one in records if isinstance(one.event, ev.CallCompleted)])

    def join(self, endpoint: str, name: str, program: Driver) -> None:
        """Let one more program of an endpoint begin, beside those that run; a NAME as in `Endpoint`."""
        check_program_name(name)
        self._actors.begin(Activity(f"{endpoint}.{name}", self._apis[endpoint], program, 0))

    def rouse(self, signal: Signal) -> None:
        """Raise a signal from outside: who waits for it may go on, or who next waits for it."""
        if signal.waiters:
            self._actors.resume(cast("Activity", signal.waiters.pop(0)), SecurityStatus.SEC_E_OK, 0)
        else:
            signal.raised.append((SecurityStatus.SEC_E_OK, 0))

    def completable(self) -> list[PendingCall]:
        """List the calls that could complete now, first those that only a hold keeps from it."""
        held = [] if self._holds is None else [call for call, _ in self._holds.held.values()]
        return [*held, *self._completions]

    def come_up(self, transition: Transition) -> object | None:
        """Let an actor go on up to its next action, to be performed when its step fires; give it, None for none."""
        return self._actors.come_up(transition)

    def holds_by(self, pattern: CallPattern) -> bool:
        """Say whether calls are being held by this very pattern."""
        return self._holds is not None and self._holds.is_known(pattern)

    @property
    def is_forced(self) -> bool:
        """Say whether only one thing may happen next, because a program said so."""
        return self._agenda.is_forced

    def waiting(self) -> list[tuple[str, str]]:
        """List the programs and callbacks that cannot go on now, each with what it waits for."""
        return [(one.name, one.waits_for) for one in self._actors.activities if one.waits_for and not one.is_done]

    def is_settled(self) -> bool:
        """Say whether every program has come to its end."""
        return all(one.is_done for one in self._actors.activities)

    def later(self, ticks: int, act: Callable[[], None]) -> None:
        """Let something happen `ticks` microseconds of virtual time from now."""
        self._agenda.after(ticks, Transition(Kind.TIMER, "session", lambda _: act(), None))
