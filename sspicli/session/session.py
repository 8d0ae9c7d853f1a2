"""Two endpoints and what may happen next between them.

The loop: gather what is enabled, let the chooser pick, fire it to its end. Queueing, the queueing function's return, a
call's completion, its callback's entry and return, each action of an actor and each delivery are transitions of their
own, so a callback that runs before the queueing function has returned is an order like any other. State changes on one
thread at a time. Nothing here knows whether a person, a file or a search is choosing.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from heapq import heappop, heappush
from types import GeneratorType
from typing import TYPE_CHECKING, Any, cast

from sspicli.journal import events as ev
from sspicli.journal.journal import Journal
from sspicli.runtime.api import AsyncSspi, ContractError
from sspicli.runtime.calls import PendingCall
from sspicli.runtime.chooser import Chooser, Fire, First, Kind, Policy, Transition
from sspicli.runtime.dispatch import Dispatcher
from sspicli.session.actions import (
    Action,
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
from sspicli.session.wire import MemoryWire, Parcel, Wire
from sspicli.sspi.errors import UsageError
from sspicli.sspi.handles import Handle
from sspicli.sspi.status import SecurityStatus

if TYPE_CHECKING:
    from sspicli.runtime.call_names import CallPattern
    from sspicli.runtime.holds import HoldingDispatcher

MICROSECONDS = 1_000_000
LONGEST_ERROR = 200  # characters of an exception's words

_SIGNAL = "the signal "
_BY_CALLBACK = "which its notify callback raises"  # what the words of a wait for a callback end with

_Entry = tuple[Kind, str, Fire, object, "PendingCall | None"]
"""A transition while it waits: a plain tuple with a `Transition`'s members, made into one when it is looked at."""


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


class Endpoint:
    """One side: its async SSPI, its program, and other programs that run beside it, as threads of one process do.

    All of them share the async SSPI and the end of the wire: who waits for bytes first gets what arrives first. On
    record the others are called `client.NAME`; a NAME is in small letters, and none that a handle or its callback has.
    """

    __slots__ = ("api", "others", "program")

    def __init__(self, api: AsyncSspi, program: Driver, others: Mapping[str, Driver] | None = None) -> None:
        self.api = api
        self.program = program
        self.others = others or {}
        for name in self.others:
            check_program_name(name)


_PROGRAM_NAME = r"(?!(?:ac|call|cred|ctxt)[0-9]+$|(?:callback|package)$)[a-z][a-z0-9-]{0,29}"


def check_program_name(name: str) -> None:
    """Refuse a name that a record could not be told from others by."""
    if re.fullmatch(_PROGRAM_NAME, name) is None:
        help = "small letters, digits and -, beginning with a letter; not ac1, callback or package"
        raise UsageError(f"{name[:40]!r} cannot be the name of a program", where="programs", help=help)


class Session:
    """Run the programs of endpoints over a wire, one transition at a time.

    `timeout` is in seconds of virtual time; `limit` in transitions. After `run`, `choices` are the choices made where
    there was one, and the journal ends with `RunEnded`. A wire with faults (see `wire_faults.py`) sets `forward`, which
    takes what is sent, and `wire_waits`, which says what does not arrive. `holds` is the dispatcher, or one that it
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
        self.choices: list[int] = []
        self.forward: Callable[[Parcel, int], None] | None = None
        self.wire_waits: Callable[[], tuple[str, ...]] = tuple
        self._journal = journal
        self._dispatcher = dispatcher
        self._completions = dispatcher.completions
        self._chooser = chooser or First()
        self._is_default = type(self._chooser) is First
        self._wire = wire or MemoryWire(tuple(one.api.name for one in endpoints))
        self._ready: deque[_Entry] = deque()
        self._timers: list[tuple[int, int, Transition]] = []
        self._activities: list[Activity] = []
        self._standing_by: list[_Entry] = []
        self._receivers: dict[str, deque[Activity]] = {}
        self._under_way: dict[str, deque[int]] = {}
        self._is_broken = False
        self._deadline = int(timeout * MICROSECONDS)
        self._limit = self._most = limit
        self._fired = 0
        self._timer_count = 0
        self._is_forced = False
        self._holds = holds
        self._reason = ""
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
        if self._is_default:
            self._advance_in_order()
            return
        while self.step():
            pass

    def step(self) -> bool:
        """Fire the next transition; say whether there was one.

        With the default chooser an actor's actions go on until it must wait; any other lets it take one at a time.
        """
        transition = self._take()
        if transition is None:
            return False
        transition.fire(transition.subject)
        return True

    def enabled(self) -> list[Transition]:
        """List what may happen next, in canonical order; a timer only when nothing else may.

        Last come the programs that stand by: they keep no timer from being next.
        """
        if self._is_forced:
            return [Transition._make(self._ready[0])]
        options = [Transition._make(entry) for entry in self._ready]
        options.extend([self._completion(call) for call in self._completions])
        if not options and self._timers:
            options.append(self._timers[0][2])
        options.extend([Transition._make(entry) for entry in self._standing_by])
        return options

    def ending(self, *, resting: Sequence[str] = ()) -> ev.RunEnded:
        """Say why the run ends if it ends now: finished, broken, stuck or limit; who is `resting` waits for nothing."""
        left = [one for one in self._activities if not one.is_done and one.name not in resting]
        waiting = [f"{one.name} waits for {one.waits_for}" for one in left]
        pending = [call for api in self._apis.values() for call in api.pending]
        reason = (
            self._halted
            or self._reason
            or ("broken" if self._is_broken else "stuck" if waiting or pending else "finished")
        )
        fate = "never completes" if reason == "stuck" else "is still pending"
        held = {} if self._holds is None else self._holds.held
        fates = [f"{call} is held by {held[call][1].text}" if call in held else f"{call} {fate}" for call in pending]
        waits = (*self._limits(reason), *waiting, *fates)
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

    def _limits(self, reason: str) -> tuple[str, ...]:
        """Say which limit was reached: what is pending then might have completed later."""
        if reason != "limit":
            return ()
        if self._fired >= self._most:
            return (f"the limit of {self._most:,} transitions was reached",)
        return (f"the time limit of {self._deadline / MICROSECONDS:g} s was reached",)

    def _delete_what_is_left(self) -> None:
        """Delete the security contexts of each endpoint that has no call under way, which might be using them."""
        for api in self._apis.values():
            if not api.pending:
                api.actor, api.cause = api.name, 0
                api.delete_what_is_left()

    def halt(self, reason: str) -> None:
        """Fire nothing after the transition under way; may be called from any thread, and from a signal handler."""
        self._halted = reason
        self._limit = 0

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
        assert not self._is_default, "in the default order an actor's actions go on until it must wait"
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

    @staticmethod
    def _arrived(activity: Activity) -> Callable[[Any], Action]:
        """Give an actor's next action, to which it has come up before."""
        assert activity.ahead is not None, "it was looked at above"
        (action, error), activity.ahead = activity.ahead, None

        def give(_: object) -> Action:
            if error is not None:
                raise error
            return cast("Action", action)

        return give

    def holds_by(self, pattern: CallPattern) -> bool:
        """Say whether calls are being held by this very pattern."""
        return self._holds is not None and self._holds.is_known(pattern)

    @property
    def is_forced(self) -> bool:
        """Say whether only one thing may happen next, because a program said so."""
        return self._is_forced

    def waiting(self) -> list[tuple[str, str]]:
        """List the programs and callbacks that cannot go on now, each with what it waits for."""
        return [(one.name, one.waits_for) for one in self._activities if one.waits_for and not one.is_done]

    def is_settled(self) -> bool:
        """Say whether every program has come to its end."""
        return all(one.is_done for one in self._activities)

    def later(self, ticks: int, act: Callable[[], None]) -> None:
        """Let something happen `ticks` microseconds of virtual time from now."""
        self._after(ticks, Transition(Kind.TIMER, "session", lambda _: act(), None))

    def _after(self, ticks: int, transition: Transition) -> None:
        self._timer_count += 1  # of those due at one time the first set comes first
        heappush(self._timers, (self._journal.ticks + ticks, self._timer_count, transition))

    def _advance_in_order(self) -> None:
        """Do as `advance` does with index 0 at every choice, without gathering the options."""
        ready, completions, journal = self._ready, self._completions, self._journal
        while self._fired < self._limit:
            if ready:
                _, _, fire, subject, _ = ready.popleft()
            elif completions:
                fire, subject = self._complete, completions.pop(0)
            else:
                timer = self._take_timer()
                if timer is not None:
                    timer.fire(timer.subject)
                    continue
                if not self._is_turn_of_who_stands_by():
                    return
                _, _, fire, subject, _ = self._standing_by.pop(0)
            self._fired += 1
            journal.ticks += 1
            fire(subject)
        self._reason = "limit"

    def _take(self) -> Transition | None:
        """Let the chooser pick, and take the pick off the lists; None when nothing is enabled or a limit was hit."""
        ready, completions = self._ready, self._completions
        self._fired += 1
        if self._fired > self._limit:
            self._reason = "limit"
            return None
        if self._is_forced:
            self._is_forced = False
            self._journal.ticks += 1
            return Transition._make(ready.popleft())
        if self._standing_by:
            return self._take_beside_who_stands_by()
        count = len(ready) + len(completions)
        if not count:
            return self._take_timer()
        self._journal.ticks += 1
        index = self._choose(count) if count > 1 else 0
        if index < len(ready):
            entry = ready[index]
            del ready[index]
            return Transition._make(entry)
        return self._completion(completions.pop(index - len(ready)))

    def _take_beside_who_stands_by(self) -> Transition | None:
        """Take as `_take` does where programs stand by: then a timer too is one of several options."""
        ready, completions = self._ready, self._completions
        count = len(ready) + len(completions)
        if not count and self._dispatcher.outstanding:
            return None
        is_timer_due = not count and bool(self._timers)
        index = self._choose(len(self.enabled())) if count + is_timer_due + len(self._standing_by) > 1 else 0
        if is_timer_due and index == 0:
            return self._take_timer()
        self._journal.ticks += 1
        if index < len(ready):
            entry = ready[index]
            del ready[index]
            return Transition._make(entry)
        if index < count:
            return self._completion(completions.pop(index - len(ready)))
        return Transition._make(self._standing_by.pop(index - count - is_timer_due))

    def _is_turn_of_who_stands_by(self) -> bool:
        """Say whether somebody stands by and nothing else will happen: no limit was hit, and nobody works."""
        return bool(self._standing_by) and not self._reason and not self._dispatcher.outstanding

    def _is_next(self) -> bool:
        """Say whether what becomes possible now also happens next: then it happens at once, and is counted here."""
        if not self._is_default or self._ready or self._fired >= self._limit:
            return False
        self._fired += 1
        self._journal.ticks += 1
        return True

    def _choose(self, count: int) -> int:
        index = self._chooser.choose(self.enabled())
        self.choices.append(index)
        if index:
            self._journal.append("session", ev.ChoiceMade(len(self.choices), index, count), 0)
        return index

    def _take_timer(self) -> Transition | None:
        if not self._timers or self._dispatcher.outstanding:
            return None
        due, _, transition = heappop(self._timers)
        self._journal.ticks = max(due, self._journal.ticks)
        if self._journal.ticks > self._deadline:
            self._reason = "limit"
            return None
        return transition

    # -- transitions ---------------------------------------------------------------------------------------------------

    def _begin(self, activity: Activity) -> None:
        self._activities.append(activity)
        if activity.notified is not None and self._is_next():
            self._step(activity)
        else:
            self._ready.append(self._entry(activity))

    def _entry(self, activity: Activity) -> _Entry:
        return Kind.STEP, activity.name, self._step, activity, activity.notified

    def _resume(self, activity: Activity, outcome: object, cause: int) -> None:
        activity.outcome, activity.cause, activity.waits_for = outcome, cause, ""
        self._ready.append(self._entry(activity))

    def _step(self, activity: Activity) -> None:
        """Let an actor perform its next action; in the default order, all its actions until it must wait."""
        api, journal = activity.api, self._journal
        send = activity.driver.send if activity.ahead is None else self._arrived(activity)
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
                if activity.notified is None or not _is_over(activity.driver):
                    raise  # not out of a callback's own body: a bug of ours
                self._let_out(activity.notified, error, activity.cause)
                self._finish(activity)
                return
            if not self._is_default or self._fired >= self._limit:
                self._ready.appendleft(self._entry(activity))
                return
            journal.ticks += 1
            self._fired += 1

    def _return_at_once(self, activity: Activity, api: AsyncSspi, call: PendingCall) -> bool:
        """Let the queueing function return now where that is what happens next; else as a transition of its own."""
        api.queued = None
        if self._is_default and self._fired < self._limit:
            self._fired += 1
            self._journal.ticks += 1
            activity.cause = api.return_from_queueing(call, activity.name)
            return True
        activity.waits_for = "the return of a queueing function"
        self._ready.appendleft((Kind.RETURN, activity.name, self._return, (activity, call), call))
        return False

    def _return(self, subject: tuple[Activity, PendingCall]) -> None:
        """Let a queueing function return: its outcome has been there since it was queued."""
        activity, call = subject
        activity.cause = activity.api.return_from_queueing(call, activity.name)
        self._ready.appendleft(self._entry(activity))

    def _completion(self, call: PendingCall) -> Transition:
        return Transition(Kind.COMPLETE, call.handle.actor, self._complete, call, call)

    def _complete(self, call: PendingCall) -> None:
        api = self._apis[call.handle.actor]
        if api.complete(call):
            subject = call, api.cause
            if self._is_next():
                self._notify(subject)
            else:
                self._ready.append((Kind.NOTIFY, call.handle.actor, self._notify, subject, call))

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

    def launch(self, parcel: Parcel) -> None:
        """Put under way what is on the wire: it arrives behind what is under way already."""
        receiver = parcel.receiver
        under_way = self._under_way.setdefault(receiver, deque())
        under_way.append(parcel.number)
        if len(under_way) == 1:
            self._enable_delivery(receiver)

    def _enable_delivery(self, receiver: str) -> None:
        """Let what was sent first arrive next: a stream keeps its order, whatever is chosen."""
        self._ready.append((Kind.DELIVER, "wire", self._deliver, receiver, None))

    def _deliver(self, receiver: str) -> None:
        under_way = self._under_way[receiver]
        number = under_way.popleft()
        if under_way:
            self._enable_delivery(receiver)
        cause = self._journal.append("wire", ev.TokenDelivered(number, receiver), self._wire.sent_records.pop(number))
        self._wire.arrive(number, receiver, cause)
        self._offer(receiver)

    # -- what only a session can do ------------------------------------------------------------------------------------

    # Each says whether its actor goes on at once; else a transition lets it go on.

    def _block(self, activity: Activity, awaited: str, waits_for: str) -> None:
        """Let an actor wait; that a callback does is worth a record, as it may hold a worker."""
        activity.waits_for = waits_for
        if activity.notified is not None:
            call = activity.notified
            event = ev.CallbackWaited(call.handle, call.async_context.handle, awaited)
            activity.cause = self._journal.append(activity.name, event, activity.cause)

    def _sleep(self, activity: Activity, action: Sleep) -> bool:
        self._block(activity, "timer", "a timer")
        self._after(action.ticks, Transition(Kind.TIMER, activity.name, self._wake, activity))
        return False

    def _wake(self, activity: Activity) -> None:
        self._resume(activity, None, activity.cause)

    def _stand_by(self, activity: Activity, action: StandBy) -> bool:
        """Let a program stand back; the tick of this transition is given back, so that nobody's timers notice."""
        activity.waits_for = "its turn"
        self._journal.ticks -= 1
        self._standing_by.append((Kind.TURN, activity.name, self._take_turn, activity, activity.notified))
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
        self._block(activity, "signal", words)
        signal.waiters.append(activity)
        return False

    def _raise(self, activity: Activity, action: Raise) -> bool:
        signal, status = action
        if signal.waiters:
            self._resume(cast("Activity", signal.waiters.pop(0)), status, activity.cause)
        else:
            signal.raised.append((status, activity.cause))
        return True

    def _receive(self, activity: Activity, action: Receive) -> bool:
        endpoint = activity.api.name
        arrived = self._wire.receive(endpoint)
        if arrived is None:
            self._block(activity, "bytes", "bytes from its peer")
            self._receivers.setdefault(endpoint, deque()).append(activity)
            return False
        activity.outcome, activity.cause = arrived[0], arrived[1] or activity.cause
        return True

    def _connect(self, activity: Activity, action: Connect) -> bool:
        activity.cause = self._journal.append(activity.name, ev.HandshakeBegan(action.number), activity.cause)
        self._wire.connect(activity.api.name, action.number)
        self._offer(activity.api.name)
        return True

    def _close(self, activity: Activity, action: Close) -> bool:
        self._wire.close(activity.api.name)
        for name in list(self._receivers):
            self._offer(name)
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
        self._ready.appendleft(self._entry(activity))
        self._ready.appendleft((Kind.COMPLETE, call.handle.actor, self._complete, call, call))
        self._is_forced = not self._is_default
        return False

    @property
    def _holder(self) -> HoldingDispatcher:
        assert self._holds is not None, "a session whose programs hold calls is given what holds them"
        return self._holds

    def _send(self, activity: Activity, action: Send) -> bool:
        for parcel in self._wire.send(activity.api.name, action.data, is_token=action.is_token):
            cause = self._journal.append(activity.name, ev.TokenSent(*parcel), activity.cause)
            self._wire.sent_records[parcel.number] = cause
            if self.forward is None:
                self.launch(parcel)
            else:
                self.forward(parcel, cause)
        return True

    def _offer(self, receiver: str) -> None:
        """Give those who wait for bytes what has arrived for them, who waited first first."""
        waiting = self._receivers.get(receiver)
        while waiting:
            arrived = self._wire.receive(receiver)
            if arrived is None:
                return
            data, cause = arrived
            first = waiting.popleft()
            self._resume(first, data, cause or first.cause)


def _is_over(driver: Driver) -> bool:
    """Say whether a driver has come to its end, by an exception too."""
    return isinstance(driver, GeneratorType) and driver.gi_frame is None


_PERFORM: dict[type, Callable[[Session, Activity, Any], bool]] = {
    Connect: Session._connect,
    Send: Session._send,
    Receive: Session._receive,
    Close: Session._close,
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
