"""What actors do: each takes its next action, calls complete, and callbacks run.

Queueing, the queueing function's return, a call's completion, its callback's entry and return, and each action of an
actor are transitions of their own, so a callback that runs before the queueing function has returned is an order like
any other. With the default chooser an actor's actions go on until it must wait.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, cast

from sspicli.journal import events as ev
from sspicli.journal.journal import Journal
from sspicli.runtime.api import AsyncSspi, ContractError
from sspicli.runtime.calls import PendingCall
from sspicli.runtime.chooser import Kind, Transition
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
    Sleep,
    StandBy,
    TakeLock,
    TakeStep,
    Wait,
)
from sspicli.session.activity import Activity
from sspicli.session.agenda import Agenda, Entry
from sspicli.session.traffic import Traffic

if TYPE_CHECKING:
    from sspicli.runtime.holds import HoldingDispatcher

LONGEST_ERROR = 200  # characters of an exception's words

_SIGNAL = "the signal "
_BY_CALLBACK = "which its notify callback raises"  # what the words of a wait for a callback end with


class Actors:
    """The programs and callbacks of a session, `activities` in the order in which they began.

    `is_broken` says that one of them did what the law leaves undefined.
    """

    def __init__(
        self,
        apis: Mapping[str, AsyncSspi],
        *,
        journal: Journal,
        agenda: Agenda,
        traffic: Traffic,
        holds: HoldingDispatcher | None,
    ) -> None:
        self.activities: list[Activity] = []
        self.is_broken = False
        self._apis = apis
        self._journal = journal
        self._agenda = agenda
        self._traffic = traffic
        self._holds = holds

    def begin(self, activity: Activity) -> None:
        """Let a driver begin: a callback's body at once where that is what happens next."""
        self.activities.append(activity)
        if activity.notified is not None and self._agenda.is_next():
            self._step(activity)
        else:
            self._agenda.ready.append(self._entry(activity))

    def _entry(self, activity: Activity) -> Entry:
        return Kind.STEP, activity.name, self._step, activity, activity.notified

    def resume(self, activity: Activity, outcome: object, cause: int) -> None:
        """Let a driver go on with the outcome of what it waited for."""
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

    def complete(self, call: PendingCall) -> None:
        """Let a pending call complete, and its notify callback be entered where one is owed."""
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
            self.is_broken = True
            return
        except Exception as error:
            self._let_out(call, error, api.cause)
            body = None
        if body is None:
            api.return_from_callback(call, api.cause)
            return
        activity = Activity(call.async_context.callback_actor, api, cast("Driver", body), entered)
        activity.inside, activity.notified = call.async_context.handle, call
        self.begin(activity)

    def _finish(self, activity: Activity) -> None:
        activity.is_done = True
        if activity.notified is not None:
            activity.api.return_from_callback(activity.notified, activity.cause)
            self.activities.remove(activity)

    def _let_out(self, call: PendingCall, error: Exception, cause: int) -> None:
        """Record that an exception left a callback; the run goes on, as on Windows it would not."""
        words = f"{type(error).__name__}: {error}"[:LONGEST_ERROR]
        event = ev.CallbackRaised(call.handle, call.async_context.handle, words)
        self._journal.append(call.async_context.callback_actor, event, cause)

    def _break(self, activity: Activity) -> None:
        """Stop an actor that did what the law leaves undefined; the law's row is on record."""
        self.is_broken = True
        activity.is_done = True
        activity.driver.close()

    def record_waits(self) -> None:
        """Record who waits for a callback that is not to come; a signal of a program's own steps is no async call's."""
        for one in self.activities:
            if not one.is_done and one.waits_for.endswith(_BY_CALLBACK):
                self._journal.append(one.name, ev.WaitUnanswered(one.waits_for), one.cause)

    # -- what only a session can do ------------------------------------------------------------------------------------

    # Each says whether its actor goes on at once; else a transition lets it go on.

    def _sleep(self, activity: Activity, action: Sleep) -> bool:
        activity.block(self._journal, "timer", "a timer")
        self._agenda.after(action.ticks, Transition(Kind.TIMER, activity.name, self._wake, activity))
        return False

    def _wake(self, activity: Activity) -> None:
        self.resume(activity, None, activity.cause)

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
            self.resume(cast("Activity", signal.waiters.pop(0)), status, activity.cause)
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
        self._agenda.ready.appendleft((Kind.COMPLETE, call.handle.actor, self.complete, call, call))
        self._agenda.is_forced = not self._agenda.is_default
        return False

    @property
    def _holder(self) -> HoldingDispatcher:
        assert self._holds is not None, "a session whose programs hold calls is given what holds them"
        return self._holds


_PERFORM: dict[type, Callable[[Actors, Activity, Any], bool]] = {
    Connect: lambda actors, activity, action: actors._traffic.connect(activity, action),
    Send: lambda actors, activity, action: actors._traffic.send(activity, action),
    Receive: lambda actors, activity, _: actors._traffic.receive(activity, actors._entry(activity)),
    Close: lambda actors, activity, _: actors._traffic.close(activity),
    Wait: Actors._wait,
    Raise: Actors._raise,
    Sleep: Actors._sleep,
    StandBy: Actors._stand_by,
    TakeStep: Actors._put_on_record,
    Note: Actors._put_on_record,
    EndCallbackData: Actors._put_on_record,
    TakeLock: Actors._put_on_record,
    ReleaseLock: Actors._put_on_record,
    Hold: Actors._hold,
    Release: Actors._release,
    Complete: Actors._complete_next,
}
"""What only a session performs; every other action performs itself on the API."""
