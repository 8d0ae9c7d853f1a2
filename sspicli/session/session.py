"""Two endpoints and what may happen next between them.

The loop: gather what is enabled, let the chooser pick, fire it to its end. Queueing, the queueing function's return, a
call's completion, its callback's entry and return, each action of an actor and each delivery are transitions of their
own, so a callback that runs before the queueing function has returned is an order like any other. State changes on one
thread at a time. Nothing here knows whether a person, a file or a search is choosing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, cast

from sspicli.journal import events as ev
from sspicli.journal.journal import Journal
from sspicli.runtime.api import AsyncSspi, ContractError
from sspicli.runtime.calls import PendingCall
from sspicli.runtime.chooser import Chooser, First, Kind, Policy, Transition
from sspicli.runtime.dispatch import Dispatcher
from sspicli.session.actions import (
    Close,
    Complete,
    Connect,
    Driver,
    EndCallbackData,
    Hold,
    Note,
    Raise,
    Receive,
    Release,
    ReleaseLock,
    Send,
    Signal,
    Sleep,
    StandBy,
    TakeLock,
    TakeStep,
    Wait,
)
from sspicli.session.activity import Activity
from sspicli.session.agenda import Agenda, Entry
from sspicli.session.endpoint import Endpoint, check_program_name
from sspicli.session.traffic import Traffic
from sspicli.session.wire import MemoryWire, Wire
from sspicli.sspi.status import SecurityStatus

if TYPE_CHECKING:
    from sspicli.runtime.call_names import CallPattern
    from sspicli.runtime.holds import HoldingDispatcher

LONGEST_ERROR = 200  # characters of an exception's words

_SIGNAL = "the signal "
_BY_CALLBACK = "which its notify callback raises"  # what the words of a wait for a callback end with


class Session:
    """Run the programs of endpoints over a wire, one transition at a time.

    `timeout` is in seconds of virtual time; `limit` in transitions. After `run`, `choices` are the choices made where
    there was one, and the journal ends with `RunEnded`. A wire with faults (see `wire_faults.py`) sets
    `wire_waits`, which says what does not arrive. `holds` is the dispatcher, or one that it
    wraps, that keeps what programs hold.
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
        self._activities: list[Activity] = []
        self._is_broken = False
        self._holds = holds
        self._halted = ""
        self._apis = {endpoint.api.name: endpoint.api for endpoint in endpoints}
        for endpoint in endpoints:
            self._begin(Activity(endpoint.api.name, endpoint.api, endpoint.program, 0))
        for endpoint in endpoints:
            for name, program in endpoint.others.items():
                self._begin(Activity(f"{endpoint.api.name}.{name}", endpoint.api, program, 0))

    # -- running -------------------------------------------------------------------------------------------------------

    def run(self) -> str:
        """Fire transitions until nothing is left; record and return why it ended."""
        self.advance()
        return self.end()

    def advance(self) -> None:
        """Fire transitions until nothing is enabled."""
        if self._agenda.is_default:
            self._agenda.advance_in_order(self._complete)
            return
        while self.step():
            pass

    def step(self) -> bool:
        """Fire the next transition; say whether there was one.

        With the default chooser an actor's actions go on until it must wait; any other lets it take one at a time.
        """
        transition = self._agenda.take(self._complete)
        if transition is None:
            return False
        transition.fire(transition.subject)
        return True

    def enabled(self) -> list[Transition]:
        """List what may happen next, in canonical order; a timer only when nothing else may.

        Last come the programs that stand by: they keep no timer from being next.
        """
        return self._agenda.enabled(self._complete)

    def ending(self, *, resting: Sequence[str] = ()) -> ev.RunEnded:
        """Say why the run ends if it ends now: finished, broken, stuck or limit; who is `resting` waits for nothing."""
        left = [one for one in self._activities if not one.is_done and one.name not in resting]
        waiting = [f"{one.name} waits for {one.waits_for}" for one in left]
        pending = [call for api in self._apis.values() for call in api.pending]
        reason = (
            self._halted
            or self._agenda.reason
            or ("broken" if self._is_broken else "stuck" if waiting or pending else "finished")
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
            self._record_waits()
        self._journal.append("session", ended, 0)
        return ended.reason

    def _record_waits(self) -> None:
        """Record who waits for a callback that is not to come; a signal of a program's own steps is no async call's."""
        for one in self._activities:
            if not one.is_done and one.waits_for.endswith(_BY_CALLBACK):
                self._journal.append(one.name, ev.WaitUnanswered(one.waits_for), one.cause)

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
        self._begin(Activity(f"{endpoint}.{name}", self._apis[endpoint], program, 0))

    def rouse(self, signal: Signal) -> None:
        """Raise a signal from outside: who waits for it may go on, or who next waits for it."""
        if signal.waiters:
            self._resume(cast("Activity", signal.waiters.pop(0)), SecurityStatus.SEC_E_OK, 0)
        else:
            signal.raised.append((SecurityStatus.SEC_E_OK, 0))

    def completable(self) -> list[PendingCall]:
        """List the calls that could complete now, first those that only a hold keeps from it."""
        held = [] if self._holds is None else [call for call, _ in self._holds.held.values()]
        return [*held, *self._completions]

    def come_up(self, transition: Transition) -> object | None:
        """Let an actor go on up to its next action, to be performed when its step fires; give it, None for none.

        As at the entry of a function, what the action takes has been read by then. None too for an actor that has come
        up already. Only for a session whose chooser lets actors take one action at a time.
        """
        assert not self._agenda.is_default, "in the default order an actor's actions go on until it must wait"
        if transition.kind is not Kind.STEP:
            return None
        activity = cast("Activity", transition.subject)
        if activity.ahead is not None:
            return None
        api = activity.api
        api.actor, api.inside, api.cause = activity.name, activity.inside, activity.cause
        self._journal.ticks += 1  # what is read too early is on record as of the step
        action, error = None, None
        try:
            action = activity.driver.send(activity.outcome)
        except Exception as raised:
            error = raised  # its end, too: it comes when the step fires
        self._journal.ticks -= 1
        if type(action) not in _PERFORM:
            activity.cause = api.cause
        activity.ahead = action, error
        return action

    def holds_by(self, pattern: CallPattern) -> bool:
        """Say whether calls are being held by this very pattern."""
        return self._holds is not None and self._holds.is_known(pattern)

    @property
    def is_forced(self) -> bool:
        """Say whether only one thing may happen next, because a program said so."""
        return self._agenda.is_forced

    def waiting(self) -> list[tuple[str, str]]:
        """List the programs and callbacks that cannot go on now, each with what it waits for."""
        return [(one.name, one.waits_for) for one in self._activities if one.waits_for and not one.is_done]

    def is_settled(self) -> bool:
        """Say whether every program has come to its end."""
        return all(one.is_done for one in self._activities)

    def later(self, ticks: int, act: Callable[[], None]) -> None:
        """Let something happen `ticks` microseconds of virtual time from now."""
        self._agenda.after(ticks, Transition(Kind.TIMER, "session", lambda _: act(), None))

    # -- transitions ---------------------------------------------------------------------------------------------------

    def _begin(self, activity: Activity) -> None:
        self._activities.append(activity)
        if activity.notified is not None and self._agenda.is_next():
            self._step(activity)
        else:
            self._agenda.ready.append(self._entry(activity))

    def _entry(self, activity: Activity) -> Entry:
        return Kind.STEP, activity.name, self._step, activity, activity.notified

    def _resume(self, activity: Activity, outcome: object, cause: int) -> None:
        activity.resume(outcome, cause)
        self._agenda.ready.append(self._entry(activity))

    def _step(self, activity: Activity) -> None:
        """Let an actor perform its next action; in the default order, all its actions until it must wait."""
        api, journal, agenda = activity.api, self._journal, self._agenda
        send = activity.driver.send if activity.ahead is None else activity.arrived()
        api.actor, api.inside = activity.name, activity.inside
        while True:
            api.cause = activity.cause
            try:
                action = send(activity.outcome)
                perform = _PERFORM.get(type(action))
                if perform is not None:
                    activity.outcome = None
                    if not perform(self, activity, action):
                        return
                else:
                    activity.outcome = action.perform(api)  # type: ignore[union-attr]  # the others are in the table
                    activity.cause = api.cause
                    if api.queued is not None and not self._return_at_once(activity, api, api.queued):
                        return
            except StopIteration:
                self._finish(activity)
                return
            except ContractError:
                self._break(activity)
                return
            except Exception as error:
                if activity.notified is None or not activity.is_over:
                    raise  # not out of a callback's own body: a bug of ours
                self._let_out(activity.notified, error, activity.cause)
                self._finish(activity)
                return
            if not agenda.is_default or agenda.fired >= agenda.limit:
                agenda.ready.appendleft(self._entry(activity))
                return
            journal.ticks += 1
            agenda.fired += 1

    def _return_at_once(self, activity: Activity, api: AsyncSspi, call: PendingCall) -> bool:
        """Let the queueing function return now where that is what happens next; else as a transition of its own."""
        api.queued = None
        if self._agenda.is_default and self._agenda.fired < self._agenda.limit:
            self._agenda.fired += 1
            self._journal.ticks += 1
            activity.cause = api.return_from_queueing(call, activity.name)
            return True
        activity.waits_for = "the return of a queueing function"
        self._agenda.ready.appendleft((Kind.RETURN, activity.name, self._return, (activity, call), call))
        return False

    def _return(self, subject: tuple[Activity, PendingCall]) -> None:
        """Let a queueing function return: its outcome has been there since it was queued."""
        activity, call = subject
        activity.cause = activity.api.return_from_queueing(call, activity.name)
        self._agenda.ready.appendleft(self._entry(activity))

    def _complete(self, call: PendingCall) -> None:
        api = self._apis[call.handle.actor]
        if api.complete(call):
            subject = call, api.cause
            if self._agenda.is_next():
                self._notify(subject)
            else:
                self._agenda.ready.append((Kind.NOTIFY, call.handle.actor, self._notify, subject, call))

    def _notify(self, subject: tuple[PendingCall, int]) -> None:
        """Enter the notify callback of a completed call; its body is an activity of its own."""
        call, cause = subject
        api = self._apis[call.handle.actor]
        api.cause = cause
        entered = api.enter_callback(call)
        assert call.callback is not None, "a notification is owed only where a callback is registered"
        api.actor, api.inside, api.cause = call.async_context.callback_actor, call.async_context.handle, entered
        try:
            body = call.callback(call.async_context.handle, call.callback_data)
        except ContractError:
            self._is_broken = True
            return
        except Exception as error:
            self._let_out(call, error, api.cause)
            body = None
        if body is None:
            api.return_from_callback(call, api.cause)
            return
        activity = Activity(call.async_context.callback_actor, api, cast("Driver", body), entered)
        activity.inside, activity.notified = call.async_context.handle, call
        self._begin(activity)

    def _finish(self, activity: Activity) -> None:
        activity.is_done = True
        if activity.notified is not None:
            activity.api.return_from_callback(activity.notified, activity.cause)
            self._activities.remove(activity)

    def _let_out(self, call: PendingCall, error: Exception, cause: int) -> None:
        """Record that an exception left a callback; the run goes on, as on Windows it would not."""
        words = f"{type(error).__name__}: {error}"[:LONGEST_ERROR]
        event = ev.CallbackRaised(call.handle, call.async_context.handle, words)
        self._journal.append(call.async_context.callback_actor, event, cause)

    def _break(self, activity: Activity) -> None:
        """Stop an actor that did what the law leaves undefined; the law's row is on record."""
        self._is_broken = True
        activity.is_done = True
        activity.driver.close()

    # -- what only a session can do ------------------------------------------------------------------------------------

    # Each says whether its actor goes on at once; else a transition lets it go on.

    def _sleep(self, activity: Activity, action: Sleep) -> bool:
        activity.block(self._journal, "timer", "a timer")
        self._agenda.after(action.ticks, Transition(Kind.TIMER, activity.name, self._wake, activity))
        return False

    def _wake(self, activity: Activity) -> None:
        self._resume(activity, None, activity.cause)

    def _stand_by(self, activity: Activity, action: StandBy) -> bool:
        """Let a program stand back; the tick of this transition is given back, so that nobody's timers notice."""
        activity.waits_for = "its turn"
        self._journal.ticks -= 1
        self._agenda.standing_by.append((Kind.TURN, activity.name, self._take_turn, activity, activity.notified))
        return False

    def _take_turn(self, activity: Activity) -> None:
        activity.waits_for = ""
        self._step(activity)

    def _wait(self, activity: Activity, action: Wait) -> bool:
        signal = action.signal
        if signal.raised:
            activity.outcome, activity.cause = signal.raised.pop(0)
            return True
        words = f"{_SIGNAL}{signal.name}, {_BY_CALLBACK if signal.of_callback else 'which no step raised yet'}"
        activity.block(self._journal, "signal", words)
        signal.waiters.append(activity)
        return False

    def _raise(self, activity: Activity, action: Raise) -> bool:
        signal, status = action
        if signal.waiters:
            self._resume(cast("Activity", signal.waiters.pop(0)), status, activity.cause)
        else:
            signal.raised.append((status, activity.cause))
        return True

    def _put_on_record(
        self, activity: Activity, action: Note | TakeStep | EndCallbackData | TakeLock | ReleaseLock
    ) -> bool:
        activity.cause = self._journal.append(activity.name, action.event(), activity.cause)
        return True

    def _hold(self, activity: Activity, action: Hold) -> bool:
        activity.outcome = self._holder.hold(action.pattern)
        return True

    def _release(self, activity: Activity, action: Release) -> bool:
        activity.outcome = released = self._holder.release(action.pattern)
        if released is None:
            self._put_on_record(
                activity, Note(f"release {action.pattern.text}: no such call is held, and there is no such hold")
            )
        return True

    def _complete_next(self, activity: Activity, action: Complete) -> bool:
        call = self._holder.take(action.pattern)
        activity.outcome = call is not None
        if call is None:
            return self._put_on_record(activity, Note(f"complete {action.pattern.text}: no such call could complete"))
        self._agenda.ready.appendleft(self._entry(activity))
        self._agenda.ready.appendleft((Kind.COMPLETE, call.handle.actor, self._complete, call, call))
        self._agenda.is_forced = not self._agenda.is_default
        return False

    @property
    def _holder(self) -> HoldingDispatcher:
        assert self._holds is not None, "a session whose programs hold calls is given what holds them"
        return self._holds


_PERFORM: dict[type, Callable[[Session, Activity, Any], bool]] = {
    Connect: lambda session, activity, action: session.traffic.connect(activity, action),
    Send: lambda session, activity, action: session.traffic.send(activity, action),
    Receive: lambda session, activity, _: session.traffic.receive(activity, session._entry(activity)),
    Close: lambda session, activity, _: session.traffic.close(activity),
    Wait: Session._wait,
    Raise: Session._raise,
    Sleep: Session._sleep,
    StandBy: Session._stand_by,
    TakeStep: Session._put_on_record,
    Note: Session._put_on_record,
    EndCallbackData: Session._put_on_record,
    TakeLock: Session._put_on_record,
    ReleaseLock: Session._put_on_record,
    Hold: Session._hold,
    Release: Session._release,
    Complete: Session._complete_next,
}
"""What only a session performs; every other action performs itself on the API."""
