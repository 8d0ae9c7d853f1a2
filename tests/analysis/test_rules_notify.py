"""The rules of notification, each on records that the real runtime made: what breaks it, and what only looks so."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from sspicli.analysis.rules import Finding, judge
from sspicli.analysis.rules_notify import DEEPEST_CALLBACK, LONGEST_CALLBACK_TICKS
from sspicli.journal import events as ev
from sspicli.journal.codec import Decoder, Encoder
from sspicli.journal.journal import Journal, Record
from sspicli.runtime.calls import PendingCall
from sspicli.runtime.chooser import Chooser, Completion, Order, Policy
from sspicli.session.actions import (
    CreateAsyncContext,
    DeleteSecurityContext,
    Doing,
    Driver,
    EndCallbackData,
    FreeAsyncContext,
    FreeCredentialsHandle,
    GetAsyncCallStatus,
    Raise,
    ReinitAsyncContext,
    ReleaseLock,
    SetAsyncNotifyCallback,
    Signal,
    Sleep,
    TakeLock,
    do,
    wait,
)
from sspicli.sspi.handles import Handle
from sspicli.sspi.status import SecurityStatus
from tests.pairs import Bench, codes, events, judged, only, play, variable

OK = SecurityStatus.SEC_E_OK
Body = Callable[[Handle, object], Driver]


def inline() -> Chooser:
    return Policy(Completion.INLINE, Order.FIFO, 0)


def pending() -> Chooser:
    return Policy(Completion.PENDING, Order.FIFO, 0)


def raising(signal: Signal) -> Body:
    def body(handle: Handle, data: object) -> Driver:
        yield Raise(signal, OK)

    return body


def opened(body: Body | None) -> Doing[Handle]:
    handle = yield from do(CreateAsyncContext())
    assert handle is not None, "the dispatcher of these tests makes async contexts"
    if body is not None:
        yield SetAsyncNotifyCallback(handle, body)
    return handle


def call(handle: Handle) -> FreeCredentialsHandle:
    """Be a call that needs nothing and makes nothing."""
    return FreeCredentialsHandle(handle, variable(None))


def found(program: Driver, chooser: Chooser | None = None) -> tuple[Finding, ...]:
    return judge(play(program, chooser=chooser).journal.records)


def one_call(body: Callable[[Signal], Body], *acts: object) -> Driver:
    """Make one call with a callback, do these acts while it is pending, wait for it, and free."""
    done = Signal("done")
    handle = yield from opened(body(done))
    yield call(handle)
    for act in acts:
        yield act(handle) if callable(act) else act  # type: ignore[misc]
    yield from wait(done)
    yield FreeAsyncContext(handle)


@pytest.mark.parametrize("code", ["B004", "B007", "B009", "B010"])
def test_what_a_program_put_on_record_is_found_in_its_recording_too(code):
    runs = {
        "B004": lambda: play(data_that_dies(early=True)).journal.records,
        "B007": lambda: with_workers(play(waiting_in_a_callback()).journal.records, 1),
        "B009": lambda: play(one_call(failing)).journal.records,
        "B010": lambda: play(queued_under("list", released=False)).journal.records,
    }
    records = runs[code]()
    encoder, decoder = Encoder(), Decoder()
    read = [decoder.record(encoder.line(record)) for record in records]
    assert judge(read) == judge(records)
    assert codes(judge(read)) == [code]


# -- B003 --------------------------------------------------------------------------------------------------------------
def silent_delete(*between: Callable[[Handle], Doing[object]]) -> Driver:
    handle = yield from opened(None)
    yield DeleteSecurityContext(handle, variable(None))
    for act in between:
        yield from act(handle)
    yield FreeAsyncContext(handle)


def something_else(_: Handle) -> Doing[None]:
    other = yield from do(CreateAsyncContext())
    yield FreeAsyncContext(other)


def polling(handle: Handle) -> Doing[None]:
    while (yield from do(GetAsyncCallStatus(handle))) != SecurityStatus.SEC_E_INVALID_HANDLE:
        yield Sleep(1)


def reusing(handle: Handle) -> Doing[None]:
    yield from polling(handle)
    yield ReinitAsyncContext(handle)
    yield from something_else(handle)


def test_an_async_context_kept_after_a_silent_delete_is_found_with_both_acts():
    records = play(silent_delete(something_else)).journal.records
    (finding,) = judge(records)
    assert (finding.rule.code, finding.rule.severity) == ("B003", "warning")
    assert [type(records[number - 1].event) for number in finding.records] == [ev.CallQueued, ev.AsyncContextFreed]


@pytest.mark.parametrize("between", [(), (polling,), (reusing,)], ids=["at once", "polled", "reused"])
def test_an_async_context_freed_at_once_polled_or_reused_is_none(between):
    assert codes(found(silent_delete(*between), pending())) == []


# -- B004 --------------------------------------------------------------------------------------------------------------
def data_that_dies(*, early: bool) -> Driver:
    done = Signal("done")
    handle = yield from opened(raising(done))
    if early:
        yield EndCallbackData(handle, "block")
    yield call(handle)
    yield from wait(done)
    if not early:
        yield EndCallbackData(handle, "block")
    yield FreeAsyncContext(handle)


def test_callback_data_that_is_dead_when_the_callback_runs_is_found():
    records = play(data_that_dies(early=True)).journal.records
    (finding,) = judge(records)
    assert finding.rule.code == "B004"
    assert "block" in finding.detail
    assert [type(records[number - 1].event) for number in finding.records] == [ev.CallbackDataDied, ev.CallbackEntered]


def test_callback_data_that_dies_after_its_callback_is_none():
    assert codes(found(data_that_dies(early=False))) == []


def test_callback_data_that_its_own_callback_ends_is_none_until_the_next_call():
    def ending(done: Signal) -> Body:
        def body(handle: Handle, data: object) -> Driver:
            yield EndCallbackData(handle, "block")
            yield Raise(done, OK)

        return body

    def twice() -> Driver:
        done = Signal("done")
        handle = yield from opened(ending(done))
        for _ in range(2):
            yield call(handle)
            yield from wait(done)
            yield ReinitAsyncContext(handle)
        yield FreeAsyncContext(handle)

    assert codes(found(one_call(ending))) == []
    assert codes(found(twice(), pending())) == ["B004"]


def test_callback_data_that_another_ends_while_the_callback_runs_is_found():
    def lingering(done: Signal) -> Body:
        def body(handle: Handle, data: object) -> Driver:
            yield Raise(done, OK)
            yield Sleep(10)

        return body

    def program() -> Driver:
        done = Signal("done")
        handle = yield from opened(lingering(done))
        yield call(handle)
        yield from wait(done)
        yield EndCallbackData(handle, "block")
        yield Sleep(100)
        yield FreeAsyncContext(handle)

    assert codes(found(program())) == ["B004"]


def test_data_registered_anew_is_alive():
    def program() -> Driver:
        done = Signal("done")
        handle = yield from opened(raising(done))
        yield EndCallbackData(handle, "old")
        yield SetAsyncNotifyCallback(handle, raising(done), "new")
        yield call(handle)
        yield from wait(done)
        yield FreeAsyncContext(handle)

    assert codes(found(program())) == []


# -- B005 and B006: a runtime that does what ours does not -------------------------------------------------------------
class BrokenBench(Bench):
    """A runtime that calls a callback as often as it is told."""

    def settle_with(self, callbacks: int) -> PendingCall:
        settled = self.complete()
        for _ in range(callbacks):
            event = ev.CallbackEntered(settled.handle, settled.async_context.handle)
            self.journal.append(settled.async_context.callback_actor, event, 0)
        return settled


@pytest.mark.parametrize(("callbacks", "expected"), [(0, ["B006"]), (2, ["B006"])])
def test_a_runtime_that_notifies_twice_or_never_is_found(callbacks, expected):
    bench = BrokenBench()
    bench.free_credential(bench.context(), None)
    bench.settle_with(callbacks)
    assert codes(judged(bench.journal.records, "stuck")) == expected


def test_a_runtime_that_notifies_once_is_none():
    bench = BrokenBench()
    bench.free_credential(bench.context(), None)
    bench.settle_with(1)
    assert codes(judged(bench.journal.records, "stuck")) == []


def test_a_runtime_that_notifies_a_freed_async_context_is_found():
    bench = BrokenBench()
    handle = bench.context(None)
    bench.delete(handle, None)
    bench.api.free_async_context(handle)
    bench.settle_with(1)
    assert codes(judged(bench.journal.records)) == ["B005"]


# -- B007 --------------------------------------------------------------------------------------------------------------
def waiting_in_a_callback() -> Driver:
    """Queue two calls; the callback of the first waits for that of the second."""
    first, second = Signal("first"), Signal("second")

    def waits(handle: Handle, data: object) -> Driver:
        yield from wait(second)
        yield Raise(first, OK)

    one = yield from opened(waits)
    two = yield from opened(raising(second))
    yield call(one)
    yield call(two)
    yield from wait(first)
    yield FreeAsyncContext(one)
    yield FreeAsyncContext(two)


def with_workers(records: Sequence[Record], workers: int) -> list[Record]:
    """Say at the head of records that so many workers complete the calls."""
    journal = Journal()
    started = ev.RunStarted("test", "Scripted", "none", "here", "", 0, 0, False, {"workers": workers})
    journal.append("user", started, 0)
    for record in records:
        journal.append(record.actor, record.event, record.cause and record.cause + 1)
    return journal.records


@pytest.mark.parametrize(("workers", "expected"), [(0, []), (1, ["B007"]), (2, [])])
def test_a_callback_that_waits_on_the_last_worker_for_a_pending_call_is_found(workers, expected):
    records = play(waiting_in_a_callback()).journal.records
    assert codes(judge(with_workers(records, workers))) == expected


def test_a_callback_that_waits_for_nothing_pending_holds_nobody_up():
    def program() -> Driver:
        later = Signal("later")

        def waits(handle: Handle, data: object) -> Driver:
            yield from wait(later)
            yield FreeAsyncContext(handle)

        handle = yield from opened(waits)
        yield call(handle)
        yield Sleep(10)
        yield Raise(later, OK)

    records = play(program()).journal.records
    assert len(events(records, ev.CallbackWaited)) == 1
    assert codes(judge(with_workers(records, 1))) == []


# -- B008 --------------------------------------------------------------------------------------------------------------
def chain(length: int) -> Driver:
    """Make each next call from inside the callback of the one before."""
    done, left = Signal("done"), iter(range(length - 1))

    def again(handle: Handle, data: object) -> Driver:
        if next(left, None) is None:
            yield Raise(done, OK)
        else:
            yield ReinitAsyncContext(handle)
            yield call(handle)

    handle = yield from opened(again)
    yield call(handle)
    yield from wait(done)
    yield Sleep(1)
    yield FreeAsyncContext(handle)


def test_callbacks_nested_by_calls_that_complete_inline_are_found_once():
    assert codes(found(chain(DEEPEST_CALLBACK + 3), inline())) == ["B008"]


def test_callbacks_nested_as_deep_as_may_be_are_none():
    assert codes(found(chain(DEEPEST_CALLBACK), inline())) == []


def test_a_chain_of_calls_that_complete_later_nests_nothing():
    assert codes(found(chain(50), pending())) == []


# -- B009 --------------------------------------------------------------------------------------------------------------
def failing(done: Signal) -> Body:
    def body(handle: Handle, data: object) -> Driver:
        yield Raise(done, OK)
        raise ValueError("no such thing")

    return body


def failing_at_once(done: Signal) -> Body:
    def function(handle: Handle, data: object) -> Driver:
        raise KeyError("nothing")

    return function


def test_an_exception_that_leaves_a_callback_is_put_on_record_and_the_run_goes_on():
    played = play(one_call(failing))
    assert played.reason == "finished"
    raised = only(played.journal.records, ev.CallbackRaised)
    assert raised.error == "ValueError: no such thing"
    assert len(events(played.journal.records, ev.CallbackReturned)) == 1
    assert codes(judge(played.journal.records)) == ["B009"]


def test_an_exception_of_a_plain_function_is_put_on_record_too():
    played = play(one_call(failing_at_once))
    assert played.reason == "stuck"  # nobody raises its signal now: that is the exception's doing, and no A015
    assert codes(judge(played.journal.records)) == ["B009"]


def test_an_exception_that_the_callback_catches_is_none():
    def careful(done: Signal) -> Body:
        def body(handle: Handle, data: object) -> Driver:
            try:
                raise ValueError("no such thing")
            except ValueError:
                yield Raise(done, OK)

        return body

    assert codes(found(one_call(careful))) == []


def test_an_exception_of_a_program_is_no_callbacks_and_ends_the_run():
    def program() -> Driver:
        yield from opened(None)
        raise ValueError("a bug of the program")

    with pytest.raises(ValueError, match="a bug of the program"):
        play(program())


def test_a_bug_in_what_performs_a_callbacks_action_is_not_taken_for_the_callbacks():
    class Bug(FreeCredentialsHandle):
        def perform(self, api: object) -> SecurityStatus:
            raise LookupError("a bug of ours")

    def buggy(done: Signal) -> Body:
        def body(handle: Handle, data: object) -> Driver:
            yield Bug(handle, variable(None))

        return body

    with pytest.raises(LookupError, match="a bug of ours"):
        play(one_call(buggy))


# -- B010 --------------------------------------------------------------------------------------------------------------
def locking(lock: str) -> Callable[[Signal], Body]:
    def of(done: Signal) -> Body:
        def body(handle: Handle, data: object) -> Driver:
            yield TakeLock(lock)
            yield ReleaseLock(lock)
            yield Raise(done, OK)

        return body

    return of


def queued_under(lock: str, *, released: bool) -> Driver:
    done = Signal("done")
    handle = yield from opened(locking("list")(done))
    yield TakeLock(lock)
    if released:
        yield ReleaseLock(lock)
    yield call(handle)
    if not released:
        yield ReleaseLock(lock)
    yield from wait(done)
    yield FreeAsyncContext(handle)


@pytest.mark.parametrize("chooser", [inline, pending], ids=["inline", "pending"])
def test_a_lock_held_while_queueing_that_the_callback_takes_is_found_whenever_it_runs(chooser):
    records = play(queued_under("list", released=False), chooser=chooser()).journal.records
    (finding,) = judge(records)
    assert finding.rule.code == "B010"
    assert [records[number - 1].event for number in finding.records] == [ev.LockTaken("list"), ev.LockTaken("list")]


@pytest.mark.parametrize(("lock", "released"), [("list", True), ("other", False)])
def test_a_lock_released_before_queueing_or_another_is_none(lock, released):
    assert codes(found(queued_under(lock, released=released), inline())) == []


# -- B012 --------------------------------------------------------------------------------------------------------------
def two_calls(*, reads: str) -> Driver:
    """Make two calls; the second's callback reads its own status, the first's, or both."""
    done = Signal("done")
    handles: list[Handle] = []

    def body(handle: Handle, data: object) -> Driver:
        if reads in ("first", "both"):
            yield GetAsyncCallStatus(handles[0])
        if reads in ("own", "both"):
            yield GetAsyncCallStatus(handle)
        yield Raise(done, OK)

    first = yield from opened(body)
    second = yield from opened(body)
    handles += [first, second]
    for handle in handles:
        yield call(handle)
    for _ in handles:
        yield from wait(done)
    for handle in handles:
        yield FreeAsyncContext(handle)


def test_a_callback_that_reads_another_status_and_not_its_own_is_found():
    (finding,) = found(two_calls(reads="first"), pending())
    assert (finding.rule.code, finding.subject) == ("B012", "client.ac2")
    assert "client.ac1" in finding.detail


@pytest.mark.parametrize("reads", ["own", "both", "none"])
def test_a_callback_that_reads_its_own_status_whatever_else_is_none(reads):
    assert codes(found(two_calls(reads=reads), pending())) == []


# -- B013 --------------------------------------------------------------------------------------------------------------
def sleeping(ticks: int) -> Callable[[Signal], Body]:
    def of(done: Signal) -> Body:
        def body(handle: Handle, data: object) -> Driver:
            yield Sleep(ticks)
            yield Raise(done, OK)

        return body

    return of


def test_a_callback_that_takes_long_is_found():
    (finding,) = found(one_call(sleeping(LONGEST_CALLBACK_TICKS + 1)))
    assert (finding.rule.code, finding.rule.severity) == ("B013", "warning")


def test_a_callback_that_takes_less_is_none():
    assert codes(found(one_call(sleeping(LONGEST_CALLBACK_TICKS - 10)))) == []
