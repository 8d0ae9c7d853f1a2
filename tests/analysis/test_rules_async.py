"""The rules of async contexts, each on records that the real runtime made: what breaks it, and what only looks so."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from sspicli.analysis.rules import Finding, judge
from sspicli.analysis.rules_async import MOST_POLLS
from sspicli.journal import events as ev
from sspicli.journal.journal import Record
from sspicli.runtime.calls import OutputSlot
from sspicli.runtime.chooser import Completion, Order, Policy
from sspicli.session.actions import (
    AcquireCredentialsHandle,
    CreateAsyncContext,
    DeleteSecurityContext,
    Driver,
    FreeAsyncContext,
    FreeCredentialsHandle,
    GetAsyncCallStatus,
    QueryContextAttributes,
    Raise,
    ReinitAsyncContext,
    SetAsyncNotifyCallback,
    Signal,
    Sleep,
    do,
    wait,
)
from sspicli.session.drivers import Caller, Conversation, Plan, Style, _acquire, _free, _leg
from sspicli.sspi.handles import Handle
from sspicli.sspi.package import Role
from sspicli.sspi.status import SecurityStatus
from tests.pairs import (
    PACKAGE,
    RefusingDispatcher,
    SwallowingDispatcher,
    codes,
    lone_session,
    play,
    scripted_plan,
    variable,
)

PENDING = SecurityStatus.SEC_I_ASYNC_CALL_PENDING
NO_SUCH_PACKAGE = replace(scripted_plan(Role.CLIENT), package="Nonesuch")


def plan() -> Plan:
    return scripted_plan(Role.CLIENT)


def acquiring(handle: Handle | None, package: str = PACKAGE) -> AcquireCredentialsHandle:
    """Be an acquire with variables of its own."""
    return AcquireCredentialsHandle(handle, None, package, 2, None, variable(None), OutputSlot("ptsExpiry", 0))


class Careless(Caller):
    """Leaves out of the correct caller's callback what `reads` and `reinits` say."""

    def __init__(self, name: str, *, reads: bool = True, reinits: bool = True) -> None:
        super().__init__(Style.CALLBACK, name)
        self._reads = reads
        self._reinits = reinits

    def _finish_call(self, handle: Handle, data: object) -> Driver:
        status = SecurityStatus.SEC_E_OK
        if self._reads:
            status = yield from do(GetAsyncCallStatus(handle))
        if self._reinits:
            yield ReinitAsyncContext(handle)
        yield Raise(self._signal, status)


def conversation(caller: Caller, plan: Plan) -> Conversation:
    talk = Conversation(plan, "client")
    talk.caller = caller
    return talk


def whole_life(caller: Caller) -> Driver:
    """Acquire, make one leg, ask an attribute, delete and free."""
    talk = conversation(caller, plan())
    yield from caller.open()
    yield from _acquire(talk, None)
    yield from _leg(talk)
    yield QueryContextAttributes(talk.security_context.value, 4)
    yield from caller.call(DeleteSecurityContext(caller.async_context, talk.security_context))
    yield from _free(talk, talk.credential)
    yield from caller.close()


def failed_acquire(caller: Caller) -> Driver:
    yield from caller.open()
    yield from caller.call(acquiring(caller.async_context, "Nonesuch"))
    yield from caller.close()


def delete_unread(caller: Caller) -> Driver:
    """Make a call whose result says only whether a handle was one."""
    yield from caller.open()
    yield from caller.call(FreeCredentialsHandle(caller.async_context, variable(None)))
    yield from caller.close()


def used_unread(*, reads: bool) -> Driver:
    """Acquire on one async context, and use the credential on another."""
    first, second = Careless("client", reads=reads, reinits=False), Careless("client 2")
    talk = conversation(first, plan())
    yield from first.open()
    yield from second.open()
    yield from _acquire(talk, None)
    talk.caller = second
    yield from _leg(talk)
    yield from second.call(DeleteSecurityContext(second.async_context, talk.security_context))
    yield from _free(talk, talk.credential)
    yield from first.close()
    yield from second.close()


def polled(pause: int) -> Driver:
    """Ask again after as many ticks until the call has completed; 0 for at once."""
    handle = yield from do(CreateAsyncContext())
    done = Signal("done")
    yield SetAsyncNotifyCallback(handle, raising(done))
    yield FreeCredentialsHandle(handle, variable(None))
    while (yield from do(GetAsyncCallStatus(handle))) == PENDING:
        if pause:
            yield Sleep(pause)
    yield from wait(done)
    yield FreeAsyncContext(handle)


def raising(signal: Signal) -> Callable[[Handle, object], Driver]:
    def body(handle: Handle, data: object) -> Driver:
        yield Raise(signal, SecurityStatus.SEC_E_OK)

    return body


def waits_in_vain(*, has_callback: bool) -> Driver:
    """Delete, with a callback or without one, and wait for it."""
    handle = yield from do(CreateAsyncContext())
    done = Signal("done")
    if has_callback:
        yield SetAsyncNotifyCallback(handle, raising(done))
    yield DeleteSecurityContext(handle, variable(None))
    yield from wait(done)
    yield FreeAsyncContext(handle)


def unchecked(*, checks: bool) -> Driver:
    """Make an async context, and use it whatever it is; or stop at NULL."""
    handle = yield from do(CreateAsyncContext())
    if checks and handle is None:
        return
    yield SetAsyncNotifyCallback(handle, None)
    yield DeleteSecurityContext(handle, variable(None))
    yield FreeAsyncContext(handle)


def slow_completion() -> Policy:
    """Complete nothing while anything else can move."""
    return Policy(Completion.PENDING, Order.FIFO, 0)


def out_of_memory() -> RefusingDispatcher:
    return RefusingDispatcher(lambda _function, _actor, count: count == 1)


def found(program: Driver, **options: object) -> tuple[Finding, ...]:
    return judge(play(program, **options).journal.records)  # type: ignore[arg-type]


# -- A010 --------------------------------------------------------------------------------------------------------------
def test_null_from_create_that_is_used_is_one_finding_with_both_acts():
    records = play(unchecked(checks=False), dispatcher=out_of_memory()).journal.records
    (finding,) = judge(records)
    assert finding.rule.code == "A010"
    created, used = (records[number - 1].event for number in finding.records)
    assert created == ev.AsyncContextCreated(None)
    assert isinstance(used, ev.NotifyCallbackSet)


def test_null_from_create_that_is_checked_is_none():
    assert codes(found(unchecked(checks=True), dispatcher=out_of_memory())) == []


def test_a_null_that_create_never_gave_is_another_rules():
    def program() -> Driver:
        yield GetAsyncCallStatus(None)

    assert codes(found(program())) == ["A009"]


# -- A012 and A013 -----------------------------------------------------------------------------------------------------
def test_a_credential_used_although_nobody_read_whether_it_was_made_is_found():
    records = play(used_unread(reads=False)).journal.records
    (finding,) = judge(records)
    assert finding.rule.code == "A012"
    completed, used = (records[number - 1].event for number in finding.records)
    assert isinstance(completed, ev.CallCompleted)
    assert isinstance(used, ev.CallQueued)
    assert used.credential == completed.handle


def test_a_credential_used_after_its_result_was_read_is_none():
    assert codes(found(used_unread(reads=True))) == []


def test_a_result_that_reinit_forgot_and_nobody_used_is_a_warning():
    (finding,) = found(failed_acquire(Careless("client", reads=False)))
    assert (finding.rule.code, finding.rule.severity) == ("A013", "warning")


def test_a_result_read_before_reinit_is_none():
    assert codes(found(failed_acquire(Careless("client")))) == []


def test_a_result_forgotten_and_then_used_is_reported_for_its_use_alone():
    findings = found(whole_life(Careless("client", reads=False)))
    assert codes(findings) == ["A012", "A012"]  # the acquire, and the leg that an attribute is asked after
    assert codes(found(whole_life(Careless("client")))) == []


def test_what_a_delete_or_free_came_to_need_not_be_read():
    assert codes(found(delete_unread(Careless("client", reads=False)))) == []


# -- A014 --------------------------------------------------------------------------------------------------------------
def test_a_loop_that_only_asks_is_found_once():
    findings = found(polled(0), limit=MOST_POLLS * 4)
    assert codes(findings) == ["A014", "A016"]  # it never lets its call complete


@pytest.mark.parametrize("pause", [1, 15])
def test_a_loop_with_short_pauses_is_found(pause):
    delayed = SlowDispatcher(ticks=5_000)
    session = play_delayed(polled(pause), delayed)
    assert codes(judge(session)) == ["A014"]


def test_a_loop_with_longer_pauses_is_none():
    assert codes(judge(play_delayed(polled(25), SlowDispatcher(ticks=5_000)))) == []


def test_a_poller_that_pauses_longer_each_time_is_none_however_long_it_takes():
    def program() -> Driver:
        yield from failed_acquire(Caller(Style.POLL, "client"))

    assert codes(judge(play_delayed(program(), SlowDispatcher(ticks=1_000_000)))) == []


class SlowDispatcher(SwallowingDispatcher):
    """Makes a completion possible a while after the queueing."""

    def __init__(self, *, ticks: int) -> None:
        super().__init__(lambda _: True)
        self.ticks = ticks
        self.later: Callable[[int, Callable[[], None]], None] = lambda ticks, act: None

    def submit(self, call: object) -> None:
        self.later(self.ticks, lambda: self.completions.append(call))  # type: ignore[arg-type]


def play_delayed(program: Driver, dispatcher: SlowDispatcher) -> Sequence[Record]:
    """Run a program whose calls take their time."""
    journal, session = lone_session(program, dispatcher, timeout=60.0)
    dispatcher.later = session.later
    session.run()
    return journal.records


# -- A015 --------------------------------------------------------------------------------------------------------------
def test_a_wait_for_a_callback_that_nobody_registered_is_found_with_the_silent_call():
    records = play(waits_in_vain(has_callback=False)).journal.records
    (finding,) = judge(records)
    assert (finding.rule.code, finding.subject) == ("A015", "client")
    queued, waited = (records[number - 1].event for number in finding.records)
    assert isinstance(queued, ev.CallQueued)
    assert queued.is_silent
    assert isinstance(waited, ev.WaitUnanswered)


def test_a_wait_for_a_callback_that_comes_is_none():
    assert codes(found(waits_in_vain(has_callback=True))) == []


def test_a_wait_for_a_callback_whose_call_never_completes_is_the_calls_affair():
    swallowing = SwallowingDispatcher(lambda _: True)
    assert codes(found(waits_in_vain(has_callback=True), dispatcher=swallowing)) == ["A016"]
