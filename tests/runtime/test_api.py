"""The eleven functions and the callback: what each sentence of their pages says, and what nobody promises."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from sspicli.analysis.rules import judge
from sspicli.journal.events import (
    AsyncContextCreated,
    AsyncContextFreed,
    AsyncContextReinitialized,
    CallbackEntered,
    CallbackReturned,
    CallCompleted,
    CallQueued,
    CallRefused,
    CallStatusQueried,
    ContextBuffersFreed,
    ContractBroken,
    CredentialAcquired,
    CredentialFreed,
    NotifyCallbackSet,
    OutputReadEarly,
    QueueingReturned,
    SecurityContextDeleted,
    SecurityContextOpened,
)
from sspicli.packages.scripted import ScriptedLeg
from sspicli.runtime.api import AsyncSspi, ContractError
from sspicli.session.actions import (
    AcquireCredentialsHandle,
    CreateAsyncContext,
    DeleteSecurityContext,
    Driver,
    FreeAsyncContext,
    GetAsyncCallStatus,
    InitializeSecurityContext,
    ReinitAsyncContext,
    SetAsyncNotifyCallback,
    Sleep,
    do,
)
from sspicli.sspi.buffers import BufferType, SecBufferDesc, given, room, to_allocate
from sspicli.sspi.functions import Function
from sspicli.sspi.handles import Handle
from sspicli.sspi.lifecycle import LAW, Cell, Phase, Undefined, Verb
from sspicli.sspi.package import Role
from sspicli.sspi.status import NtStatus, SecurityStatus
from tests.pairs import (
    OUTBOUND,
    PACKAGE,
    UNWRITTEN,
    Bench,
    FailingPackage,
    Outputs,
    RefusingDispatcher,
    assert_notified_once,
    codes,
    events,
    judged,
    kinds,
    monitored,
    only,
    outputs,
    play,
    quiet,
    variable,
)
from tests.sspi.test_lifecycle import CELLS, EXPECTED, Expected

OK = SecurityStatus.SEC_E_OK
PENDING = SecurityStatus.SEC_I_ASYNC_CALL_PENDING
CONTINUE = SecurityStatus.SEC_I_CONTINUE_NEEDED
BAD = SecurityStatus.SEC_E_INVALID_HANDLE
QUEUEING = [function for function in Function if function.queues]


def queue(bench: Bench, handle: Handle | None, function: Function) -> SecurityStatus:
    """Queue any of the five, on handles that are none: what it comes to is the completion's business."""
    match function:
        case Function.SspiAcquireCredentialsHandleAsync:
            return bench.acquire(handle)
        case Function.SspiInitializeSecurityContextAsync:
            return bench.initialize(handle, variable(None))
        case Function.SspiAcceptSecurityContextAsync:
            return bench.accept(handle, variable(None))
        case Function.SspiDeleteSecurityContextAsync:
            return bench.delete(handle, None)
        case _:
            return bench.free_credential(handle, None)


# -- every cell of the law, in force -----------------------------------------------------------------------------------
FOREIGN = Handle("client", "ac", 99)
_SILENT = (Verb.QUEUE_SILENT_DELETE, Verb.QUEUE_SILENT_OTHER)


def is_reachable(cell: Cell) -> bool:
    """Say whether a caller can do this at all; a registration cannot change while a notification is under way."""
    phase, verb, inside = cell
    if phase is Phase.NULL and inside:
        return False
    if verb in _SILENT:
        return phase not in (Phase.NULL, Phase.FOREIGN, Phase.PENDING, Phase.COMPLETE)
    return not (phase is Phase.PENDING_SILENT and verb is Verb.QUEUE)


def brought_to(phase: Phase, *, silent: bool) -> tuple[Bench, Handle | None]:
    """Bring an async context to a phase; with no callback registered where `silent`."""
    bench = Bench()
    if phase in (Phase.NULL, Phase.FOREIGN):
        return bench, None if phase is Phase.NULL else FOREIGN
    handle = bench.context(
        None if phase is Phase.PENDING_SILENT or (silent and phase in (Phase.IDLE, Phase.FREED)) else quiet
    )
    if phase is Phase.FREED:
        bench.api.free_async_context(handle)
    elif phase is not Phase.IDLE:
        bench.acquire(handle, package="Nonesuch")
    if phase is Phase.SETTLED:
        bench.settle()
    elif phase in (Phase.COMPLETE, Phase.NOTIFYING):
        call = bench.complete()
        if phase is Phase.NOTIFYING:
            bench.api.enter_callback(call)
    if silent and phase in (Phase.NOTIFYING, Phase.SETTLED):
        bench.api.set_async_notify_callback(handle, None, None)
    return bench, handle


def _done(bench: Bench, handle: Handle | None, phase: Phase, verb: Verb) -> str:
    """Do it; say what came of it in the words of the facts' table."""
    api = bench.api
    match verb:
        case Verb.SET_CALLBACK:
            return "=" if api.set_async_notify_callback(handle, quiet, None) == OK else "bad"
        case Verb.REQUIRES_NOTIFY:
            answer = api.async_context_requires_notify(handle)
            if phase in (Phase.NULL, Phase.FOREIGN):
                return "?" if answer else "bad"
            return "=" if answer is (phase is not Phase.PENDING_SILENT) else "bad"
        case Verb.GET_STATUS:
            is_running = phase in (Phase.PENDING, Phase.PENDING_SILENT)
            right = PENDING if is_running else SecurityStatus.SEC_E_SECPKG_NOT_FOUND
            status = api.get_async_call_status(handle)
            tracked = events(bench.journal.records, CallStatusQueried)[-1].call
            return "=" if tracked is not None and status == right else "bad" if status == BAD else str(status)
        case Verb.REINIT:
            status_word = api.reinit_async_context(handle)
            worked = "=" if phase is Phase.IDLE else "> IDLE"
            names = {NtStatus.STATUS_INVALID_HANDLE: "no such", NtStatus.STATUS_INVALID_DEVICE_STATE: "in use"}
            return names.get(status_word, worked if status_word == NtStatus.STATUS_SUCCESS else str(status_word))
        case Verb.FREE:
            api.free_async_context(handle)
            return "=" if phase is Phase.NULL else "> FREED" if is_freed(bench, handle) else "?"
        case _:
            function = Function.SspiAcquireCredentialsHandleAsync
            if verb is Verb.QUEUE_SILENT_DELETE:
                function = Function.SspiDeleteSecurityContextAsync
            status = queue(bench, handle, function)
            if status != OK:
                return "bad" if status == BAD else str(status)
            is_silent = events(bench.journal.records, CallQueued)[-1].is_silent
            return "> SILENT" if is_silent else "> PENDING"


def is_freed(bench: Bench, handle: Handle | None) -> bool:
    try:
        bench.api.async_context_requires_notify(handle)
    except ContractError:
        return events(bench.journal.records, ContractBroken)[-1].rule == "A006"
    return False


RULES_OF_THE_LAW = {row.rule for row in LAW.values() if row.rule}


def in_force(cell: Cell) -> Expected:
    """Do what a cell is about on a fresh API; say what came of it. Mutation checks use it too."""
    phase, verb, inside = cell
    bench, handle = brought_to(phase, silent=verb in _SILENT)
    bench.act_as(handle if inside else None)
    begun = len(bench.journal.records)
    try:
        word = _done(bench, handle, phase, verb)
    except ContractError:
        return "?", events(bench.journal.records, ContractBroken)[-1].rule
    done = {record.sequence for record in bench.journal.records[begun : begun + 1]}
    found = [one.rule.code for one in judged(bench.journal.records) if done & set(one.records)]
    return word, next((code for code in found if code in RULES_OF_THE_LAW), "")


REACHABLE = [cell for cell in CELLS if is_reachable(cell)]


def cell_id(cell: Cell) -> str:
    return f"{cell[0].name}-{cell[1].name}-{'in' if cell[2] else 'out'}"


@pytest.mark.parametrize("cell", REACHABLE, ids=cell_id)
def test_the_runtime_does_what_the_facts_say(cell):
    assert in_force(cell) == EXPECTED[cell]


@pytest.mark.parametrize("handle", [None, FOREIGN], ids=["null", "foreign"])
@pytest.mark.parametrize("verb", [Verb.SET_CALLBACK, Verb.REQUIRES_NOTIFY], ids=lambda verb: verb.name)
def test_a_handle_that_names_no_async_context_is_found_out_whatever_it_is_used_for(handle, verb):
    bench = Bench()
    _done(bench, handle, Phase.NULL if handle is None else Phase.FOREIGN, verb)
    assert codes(judged(bench.journal.records)) == ["A009"]


@pytest.mark.parametrize("cell", [cell for cell in REACHABLE if EXPECTED[cell][0] == "?"], ids=cell_id)
def test_what_nobody_promises_is_recorded_with_its_row_and_changes_nothing(cell):
    phase, verb, inside = cell
    bench, handle = brought_to(phase, silent=verb in _SILENT)
    bench.act_as(handle if inside else None)
    before = len(bench.journal.records)
    with pytest.raises(ContractError, match=r"\w{2}"):
        _done(bench, handle, phase, verb)
    (record,) = bench.journal.records[before:]
    row = LAW[cell]
    assert isinstance(row.verdict, Undefined)
    assert record.event == ContractBroken(handle, phase, verb, inside, row.verdict.why, row.source, row.rule)
    assert record.actor == bench.api.actor
    assert monitored(bench.journal.records).disagreements == []
    assert in_force(cell) == EXPECTED[cell]


# -- 1 SspiCreateAsyncContext ------------------------------------------------------------------------------------------
def test_create_makes_an_async_context_that_tracks_nothing_yet():
    bench = Bench()
    handle = bench.api.create_async_context()
    assert only(bench.journal.records, AsyncContextCreated) == AsyncContextCreated(handle)
    assert not bench.api.async_context_requires_notify(handle)


def test_create_gives_null_when_memory_is_out():
    bench = Bench(dispatcher=RefusingDispatcher(lambda _function, _actor, count: count == 1))
    assert bench.api.create_async_context() is None
    assert only(bench.journal.records, AsyncContextCreated) == AsyncContextCreated(None)
    assert str(bench.api.create_async_context()) == "client.ac1"


def test_one_async_context_serves_any_of_the_five_calls_in_turn():
    bench = Bench()
    handle = bench.context()
    for function in QUEUEING * 2:
        assert queue(bench, handle, function) == OK
        bench.settle()
        assert bench.api.reinit_async_context(handle) == NtStatus.STATUS_SUCCESS
    assert [event.function for event in events(bench.journal.records, CallQueued)] == QUEUEING * 2


# -- 2 SspiFreeAsyncContext --------------------------------------------------------------------------------------------
def test_freeing_null_is_recorded_and_does_nothing():
    bench = Bench()
    bench.api.free_async_context(None)
    assert only(bench.journal.records, AsyncContextFreed) == AsyncContextFreed(None)
    assert judged(bench.journal.records) == ()


def test_free_is_legal_inside_the_callback():
    def program() -> Driver:
        handle = yield from do(CreateAsyncContext())
        yield SetAsyncNotifyCallback(handle, finish)
        yield acquiring(handle)

    def finish(handle: Handle, data: object) -> Driver:
        yield GetAsyncCallStatus(handle)
        yield FreeAsyncContext(handle)

    played = play(program())
    assert played.reason == "finished"
    assert events(played.journal.records, ContractBroken) == []
    assert codes(judge(played.journal.records)) == ["D008"]  # the credential is the caller's, not the async context's


def test_a_silent_delete_may_lose_its_async_context_while_it_is_pending():
    bench = Bench()
    _, context = bench.security_context()
    handle, target = bench.context(None), context.value
    assert target is not None
    bench.delete(handle, target)
    bench.api.free_async_context(handle)
    assert events(bench.journal.records, SecurityContextDeleted) == []
    bench.settle()
    assert events(bench.journal.records, SecurityContextDeleted) == [SecurityContextDeleted(target)]
    assert monitored(bench.journal.records).disagreements == []


def test_freeing_an_async_context_frees_neither_credential_nor_security_context():
    bench = Bench()
    credential, context = bench.security_context()
    assert len(events(bench.journal.records, AsyncContextFreed)) == 2
    assert not {CredentialFreed, SecurityContextDeleted} & set(kinds(bench.journal.records))
    assert codes(judged(bench.journal.records)) == ["D008", "D004"]
    assert None not in (credential.value, context.value)


# -- 3 SspiReinitAsyncContext ------------------------------------------------------------------------------------------
def test_reinit_keeps_the_callback_and_forgets_the_call():
    bench = Bench()
    handle = bench.context()
    bench.acquire(handle)
    bench.settle()
    assert bench.api.reinit_async_context(handle) is NtStatus.STATUS_SUCCESS
    assert bench.api.async_context_requires_notify(handle)
    assert bench.api.get_async_call_status(handle) == BAD
    bench.acquire(handle)
    bench.settle()
    assert len(events(bench.journal.records, CallbackEntered)) == 2


@pytest.mark.parametrize("callback", [quiet, None], ids=["with callback", "silent"])
def test_reinit_fails_with_an_nt_status_while_in_use_and_changes_nothing(callback):
    bench = Bench()
    handle = bench.context(callback)
    bench.acquire(handle)
    status = bench.api.reinit_async_context(handle)
    assert isinstance(status, NtStatus)
    assert not status.succeeded
    assert only(bench.journal.records, AsyncContextReinitialized) == AsyncContextReinitialized(handle, status)
    assert bench.api.get_async_call_status(handle) == PENDING
    bench.settle()
    assert bench.api.get_async_call_status(handle) == OK


def test_reinit_and_the_next_call_may_be_made_inside_the_callback():
    def program() -> Driver:
        handle = yield from do(CreateAsyncContext())
        yield SetAsyncNotifyCallback(handle, again)
        yield acquiring(handle)

    rounds = iter(range(3))

    def again(handle: Handle, data: object) -> Driver:
        yield GetAsyncCallStatus(handle)
        if next(rounds) < 2:
            yield ReinitAsyncContext(handle)
            yield acquiring(handle)
        else:
            yield FreeAsyncContext(handle)

    played = play(program())
    assert played.reason == "finished"
    assert len(events(played.journal.records, CallCompleted)) == 3
    assert_notified_once(played.journal.records)
    assert set(codes(judge(played.journal.records))) == {"D008"}


# -- 4 SspiSetAsyncNotifyCallback, 5 SspiAsyncContextRequiresNotify ----------------------------------------------------
def test_the_last_callback_registered_wins_and_gets_its_data():
    seen = []
    bench = Bench()
    handle = bench.context(lambda _handle, data: seen.append(("first", data)))
    bench.api.set_async_notify_callback(handle, lambda _handle, data: seen.append(("second", data)), "its data")
    bench.acquire(handle)
    call = bench.complete()
    assert call.callback is not None
    call.callback(handle, call.callback_data)
    assert seen == [("second", "its data")]


def test_a_callback_set_in_the_callback_counts_for_the_next_call():
    def program() -> Driver:
        handle = yield from do(CreateAsyncContext())
        yield SetAsyncNotifyCallback(handle, first, "one")
        yield acquiring(handle)

    seen = []

    def first(handle: Handle, data: object) -> Driver:
        seen.append(data)
        yield SetAsyncNotifyCallback(handle, second, "two")
        yield ReinitAsyncContext(handle)
        yield acquiring(handle)

    def second(handle: Handle, data: object) -> Driver:
        seen.append(data)
        yield FreeAsyncContext(handle)

    play(program())
    assert seen == ["one", "two"]


def test_a_null_callback_is_accepted_when_it_is_set():
    bench = Bench()
    handle = bench.context()
    assert bench.api.set_async_notify_callback(handle, None, None) == OK
    assert events(bench.journal.records, NotifyCallbackSet)[-1] == NotifyCallbackSet(handle, is_null=True, status=OK)
    assert not bench.api.async_context_requires_notify(handle)
    assert codes(judged(bench.journal.records)) == ["A008"]


@pytest.mark.parametrize("function", QUEUEING, ids=lambda function: function.name)
def test_queueing_without_a_callback_is_a_finding_for_everything_but_delete(function):
    bench = Bench()
    handle = bench.context(None)
    queue(bench, handle, function)
    bench.settle()
    bench.api.free_async_context(handle)
    findings = set(codes(judged(bench.journal.records))) - {"D008", "C009"}
    assert findings == (set() if function is Function.SspiDeleteSecurityContextAsync else {"B001"})


@pytest.mark.parametrize("callback", [quiet, None], ids=["with callback", "silent"])
def test_requires_notify_says_whether_a_callback_is_registered(callback):
    bench = Bench()
    handle = bench.context(callback)
    assert bench.api.async_context_requires_notify(handle) is (callback is not None)
    bench.acquire(handle)
    assert bench.api.async_context_requires_notify(handle) is (callback is not None)


# -- 6 SspiGetAsyncCallStatus ------------------------------------------------------------------------------------------
def test_the_queue_status_is_not_the_call_status():
    bench = Bench(package=FailingPackage(SecurityStatus.SEC_E_NO_CREDENTIALS))
    handle = bench.context()
    assert bench.acquire(handle) == OK
    assert bench.api.get_async_call_status(handle) == PENDING
    bench.complete()
    assert bench.api.get_async_call_status(handle) == SecurityStatus.SEC_E_NO_CREDENTIALS


def test_the_final_status_is_visible_before_the_callback_and_stays():
    bench = Bench()
    handle = bench.context()
    credential = bench.credential()
    bench.initialize(handle, credential)
    call = bench.complete()
    answers = [bench.api.get_async_call_status(handle) for _ in range(3)]
    entered = bench.api.enter_callback(call)
    answers += [bench.api.get_async_call_status(handle) for _ in range(3)]
    bench.api.return_from_callback(call, entered)
    answers += [bench.api.get_async_call_status(handle) for _ in range(3)]
    assert answers == [CONTINUE] * 9


def test_a_positive_status_is_not_pending():
    bench = Bench()
    handle = bench.context()
    bench.initialize(handle, bench.credential())
    assert bench.api.get_async_call_status(handle).is_pending
    bench.complete()
    status = bench.api.get_async_call_status(handle)
    assert status.succeeded
    assert not status.is_pending


def test_the_status_of_no_call_is_refused_and_never_pending():
    bench = Bench()
    handle = bench.context()
    assert bench.api.get_async_call_status(handle) == BAD
    assert only(bench.journal.records, CallStatusQueried) == CallStatusQueried(handle, None, BAD)
    assert codes(judged(bench.journal.records)) == ["A011", "A008"]


# -- 7 to 11, what they have in common ---------------------------------------------------------------------------------
@pytest.mark.parametrize("function", QUEUEING, ids=lambda function: function.name)
def test_queueing_answers_ok_and_never_pending_and_nothing_is_done_yet(function):
    bench = Bench()
    handle = bench.context()
    assert queue(bench, handle, function) == OK
    assert events(bench.journal.records, CallCompleted) == []
    assert bench.api.get_async_call_status(handle) == PENDING
    queued = only(bench.journal.records, CallQueued)
    assert (queued.function, queued.async_context, queued.is_silent) == (function, handle, False)


@pytest.mark.parametrize("function", QUEUEING, ids=lambda function: function.name)
def test_a_refused_call_completes_never_and_leaves_everything_to_its_caller(function):
    dispatcher = RefusingDispatcher(lambda asked, _actor, _count: asked is function)
    bench = Bench(dispatcher=dispatcher)
    handle = bench.context()
    assert queue(bench, handle, function) == SecurityStatus.SEC_E_INSUFFICIENT_MEMORY
    assert dispatcher.completions == []
    assert only(bench.journal.records, CallRefused) == CallRefused(
        function, handle, SecurityStatus.SEC_E_INSUFFICIENT_MEMORY
    )
    assert not {CallQueued, CallbackEntered, CallCompleted} & set(kinds(bench.journal.records))
    bench.api.free_async_context(handle)
    assert judged(bench.journal.records) == ()


def test_a_refused_call_neither_lends_nor_writes_its_out_parameters():
    bench = Bench(dispatcher=RefusingDispatcher(lambda function, _actor, _count: function.queues))
    into = outputs()
    bench.acquire(bench.context(), into)
    assert (into.handle.value, into.expiry.value) == (UNWRITTEN, -1)
    assert events(bench.journal.records, OutputReadEarly) == []


def test_after_a_refusal_the_async_context_can_be_used_for_another_call():
    bench = Bench(dispatcher=RefusingDispatcher(lambda _function, _actor, count: count == 2))
    handle = bench.context()
    assert bench.acquire(handle) != OK
    assert bench.acquire(handle) == OK
    bench.settle()
    assert bench.api.get_async_call_status(handle) == OK


@pytest.mark.parametrize("function", QUEUEING, ids=lambda function: function.name)
def test_a_second_call_needs_a_reinit_first(function):
    bench = Bench()
    handle = bench.context()
    bench.acquire(handle)
    bench.settle()
    assert queue(bench, handle, function) == BAD
    assert only(bench.journal.records, CallRefused).queue_status == BAD
    assert bench.dispatcher.completions == []
    assert bench.api.get_async_call_status(handle) == OK
    bench.api.reinit_async_context(handle)
    assert queue(bench, handle, function) == OK


def test_a_second_call_while_one_is_pending_leaves_the_first_alone():
    bench = Bench()
    handle, into = bench.context(), outputs()
    bench.acquire(handle, into)
    assert bench.acquire(handle) == BAD
    bench.settle()
    assert bench.api.get_async_call_status(handle) == OK
    assert into.handle.value == only(bench.journal.records, CredentialAcquired).credential


def test_calls_on_different_async_contexts_complete_in_any_order():
    bench = Bench()
    handles = [bench.context() for _ in range(3)]
    slots = [outputs() for _ in handles]
    for handle, into in zip(handles, slots, strict=True):
        bench.acquire(handle, into)
    for at in (2, 0, 0):
        bench.settle(at)
    assert [str(into.handle.value) for into in slots] == ["client.cred2", "client.cred3", "client.cred1"]
    assert monitored(bench.journal.records).disagreements == []


# -- out-parameters ----------------------------------------------------------------------------------------------------
def leg_under_way(status: SecurityStatus = CONTINUE) -> tuple[Bench, Handle, Outputs, SecBufferDesc]:
    """Queue a first client leg that will come to `status` and a token."""
    bench = Bench({Role.CLIENT: (ScriptedLeg(status, b"token", wants_input=False),)})
    credential, handle, into = bench.credential(), bench.context(), outputs()
    output = SecBufferDesc(to_allocate(BufferType.TOKEN), room(BufferType.ALERT, 2))
    assert bench.initialize(handle, credential, into, output=output) == OK
    return bench, handle, into, output


def test_out_parameters_are_untouched_until_the_completion():
    _, _, into, output = leg_under_way()
    assert [slot.held for slot in into] == [UNWRITTEN, -1, -1]
    assert output.images() == ((BufferType.TOKEN, 0, None), (BufferType.ALERT, 2, b""))


def test_out_parameters_are_written_before_the_callback_is_entered():
    bench, _, into, output = leg_under_way()
    bench.complete()
    assert events(bench.journal.records, CallbackEntered)[1:] == []
    opened = only(bench.journal.records, SecurityContextOpened).security_context
    assert [slot.value for slot in into] == [opened, 0, 0]
    assert output.images() == ((BufferType.TOKEN, 5, b"token"), (BufferType.ALERT, 2, b""))
    assert events(bench.journal.records, OutputReadEarly) == []


def test_the_callback_of_a_session_finds_everything_written():
    found = []

    def program() -> Driver:
        into, handle = outputs(), (yield from do(CreateAsyncContext()))
        yield SetAsyncNotifyCallback(handle, look, into)
        yield acquiring(handle, into)

    def look(handle: Handle, data: object) -> Driver:
        assert isinstance(data, Outputs)
        found.append((data.handle.value, (yield from do(GetAsyncCallStatus(handle)))))
        yield FreeAsyncContext(handle)

    play(program())
    assert found == [(Handle("client", "cred", 1), OK)]


@pytest.mark.parametrize("slot", range(3), ids=["phNewContext", "pfContextAttr", "ptsExpiry"])
def test_reading_an_out_parameter_early_gives_what_it_held_and_is_found_out(slot):
    bench, _, into, _ = leg_under_way()
    held = into[slot].value
    assert held == (UNWRITTEN, -1, -1)[slot]
    call = events(bench.journal.records, CallQueued)[-1].call
    assert only(bench.journal.records, OutputReadEarly) == OutputReadEarly(call, into[slot].name, is_write=False)
    bench.settle()
    assert [one.subject for one in judged(bench.journal.records) if one.rule.code == "C001"] == [str(call)]


def test_writing_an_out_parameter_early_is_found_out_and_overwritten():
    bench, _, into, _ = leg_under_way()
    into.attributes.value = 7
    assert only(bench.journal.records, OutputReadEarly).is_write
    bench.settle()
    assert into.attributes.value == 0


def test_after_the_completion_the_variables_are_the_callers_again():
    bench, _, into, _ = leg_under_way()
    bench.settle()
    into.attributes.value = 7
    assert into.attributes.value == 7
    assert events(bench.journal.records, OutputReadEarly) == []


@pytest.mark.parametrize(
    "status",
    [SecurityStatus.SEC_E_ILLEGAL_MESSAGE, SecurityStatus.SEC_E_INCOMPLETE_MESSAGE],
    ids=lambda status: status.name,
)
def test_a_leg_that_fails_leaves_ph_new_context_untouched_and_opens_nothing(status):
    bench, handle, into, output = leg_under_way(status)
    bench.settle()
    assert bench.api.get_async_call_status(handle) == status
    assert into.handle.value == UNWRITTEN
    assert events(bench.journal.records, SecurityContextOpened) == []
    assert output.images()[0] == (BufferType.TOKEN, 5, b"token")  # the alert is written all the same


def test_a_later_leg_that_fails_keeps_the_security_context_to_be_deleted():
    legs = (
        ScriptedLeg(CONTINUE, b"a", wants_input=False),
        ScriptedLeg(SecurityStatus.SEC_E_ILLEGAL_MESSAGE, wants_input=False),
    )
    bench = Bench({Role.CLIENT: legs})
    credential, context = bench.security_context()
    handle, into = bench.context(), outputs()
    bench.initialize(handle, credential, into, security_context=context)
    bench.settle()
    assert into.handle.value == UNWRITTEN
    bench.api.reinit_async_context(handle)
    bench.delete(handle, context.value)
    bench.settle()
    assert bench.api.get_async_call_status(handle) == OK


def test_what_is_passed_by_address_is_read_when_the_leg_is_computed():
    bench = Bench()
    credential, handle = bench.credential(), bench.context()
    bench.initialize(handle, credential)
    credential.value = None
    bench.settle()
    assert bench.api.get_async_call_status(handle) == BAD


# -- 7 acquire ---------------------------------------------------------------------------------------------------------
def test_acquire_fills_the_credential_at_its_completion():
    bench = Bench()
    into = outputs()
    bench.acquire(bench.context(), into)
    bench.complete()
    assert into.handle.value == Handle("client", "cred", 1)
    assert only(bench.journal.records, CredentialAcquired).call == only(bench.journal.records, CallCompleted).call


def test_an_unknown_package_is_a_completion_error():
    bench = Bench()
    handle, into = bench.context(), outputs()
    assert bench.acquire(handle, into, package="Nonesuch") == OK
    bench.settle()
    assert bench.api.get_async_call_status(handle) == SecurityStatus.SEC_E_SECPKG_NOT_FOUND
    assert into.handle.value == UNWRITTEN
    assert events(bench.journal.records, CredentialAcquired) == []


def test_a_package_that_refuses_gives_no_credential():
    bench = Bench(package=FailingPackage(SecurityStatus.SEC_E_UNKNOWN_CREDENTIALS))
    handle, into = bench.context(), outputs()
    bench.acquire(handle, into)
    bench.settle()
    assert bench.api.get_async_call_status(handle) == SecurityStatus.SEC_E_UNKNOWN_CREDENTIALS
    assert into.handle.value == UNWRITTEN


# -- 8 initialize, 9 accept --------------------------------------------------------------------------------------------
def test_the_first_leg_opens_and_later_legs_go_on_with_the_same_handle():
    bench = Bench()
    credential, context = bench.security_context()
    first = context.value
    handle, flight = bench.context(), SecBufferDesc(given(BufferType.TOKEN, b"flight"))
    bench.initialize(handle, credential, Outputs(context, *outputs()[1:]), security_context=context, input=flight)
    bench.settle()
    assert bench.api.get_async_call_status(handle) == OK
    assert context.value == first
    assert len(events(bench.journal.records, SecurityContextOpened)) == 1


def test_accept_opens_a_server_and_initialize_a_client():
    bench = Bench()
    credential = bench.credential()
    bench.initialize(bench.context(), credential)
    bench.accept(bench.context(), credential, input=SecBufferDesc(given(BufferType.TOKEN, b"hello")))
    bench.settle()
    bench.settle()
    assert [event.role for event in events(bench.journal.records, SecurityContextOpened)] == [Role.CLIENT, Role.SERVER]


@pytest.mark.parametrize("value", [None, Handle("client", "cred", 99), Handle("server", "cred", 1)], ids=str)
def test_a_leg_with_a_bad_credential_fails_at_its_completion(value):
    bench = Bench()
    handle = bench.context()
    assert bench.initialize(handle, variable(value)) == OK
    bench.settle()
    assert bench.api.get_async_call_status(handle) == BAD


# -- 10 delete, 11 free ------------------------------------------------------------------------------------------------
def test_delete_captures_its_handle_when_it_is_queued():
    bench = Bench()
    _, context = bench.security_context()
    target, handle = context.value, bench.context()
    bench.api.delete_security_context_async(handle, security_context=context)
    context.value = UNWRITTEN
    bench.settle()
    assert bench.api.get_async_call_status(handle) == OK
    assert only(bench.journal.records, SecurityContextDeleted).security_context == target
    assert events(bench.journal.records, OutputReadEarly) == []


def test_free_captures_its_handle_when_it_is_queued():
    bench = Bench()
    credential, handle = bench.credential(), bench.context()
    target = credential.value
    bench.api.free_credentials_handle_async(handle, credential=credential)
    credential.value = UNWRITTEN
    bench.settle()
    assert bench.api.get_async_call_status(handle) == OK
    assert only(bench.journal.records, CredentialFreed).credential == target
    assert events(bench.journal.records, OutputReadEarly) == []


@pytest.mark.parametrize("value", [None, UNWRITTEN], ids=str)
@pytest.mark.parametrize("ending", [Bench.delete, Bench.free_credential], ids=["delete", "free"])
def test_ending_a_bad_handle_is_a_completion_error(ending, value):
    bench = Bench()
    handle = bench.context()
    assert ending(bench, handle, value) == OK
    assert bench.api.get_async_call_status(handle) == PENDING
    bench.settle()
    assert bench.api.get_async_call_status(handle) == BAD
    assert not {SecurityContextDeleted, CredentialFreed} & set(kinds(bench.journal.records))


def test_deleting_twice_fails_the_second_time():
    bench = Bench()
    _, context = bench.security_context()
    handles = [bench.context(), bench.context()]
    for handle in handles:
        bench.delete(handle, context.value)
    bench.settle()
    bench.settle()
    assert [bench.api.get_async_call_status(handle) for handle in handles] == [OK, BAD]
    assert len(events(bench.journal.records, SecurityContextDeleted)) == 1


def test_two_deletions_worked_out_at_the_same_time_still_delete_once():
    bench = Bench()
    _, context = bench.security_context()
    handles = [bench.context(), bench.context()]
    for handle in handles:
        bench.delete(handle, context.value)
    for call in bench.dispatcher.completions:
        call.compute()  # as two workers do, before either completion
    bench.settle()
    bench.settle()
    assert [bench.api.get_async_call_status(handle) for handle in handles] == [OK, BAD]
    assert len(events(bench.journal.records, SecurityContextDeleted)) == 1


def test_a_security_context_lives_on_without_its_credential():
    bench = Bench({Role.CLIENT: [ScriptedLeg(CONTINUE, b"a", wants_input=False)] * 2})
    credential, context = bench.security_context()
    handle = bench.context()
    bench.free_credential(handle, credential.value)
    bench.settle()
    bench.api.reinit_async_context(handle)
    bench.api.initialize_security_context_async(
        handle, credential=None, security_context=context, target_name=None, context_requirements=0, input=None,
        new_security_context=None, output=None, attributes=outputs().attributes, expiry=outputs().expiry,
    )  # fmt: skip
    bench.settle()
    assert bench.api.get_async_call_status(handle) == CONTINUE


# -- 12 SspiAsyncNotifyCallback ----------------------------------------------------------------------------------------
def acquiring(handle: Handle | None, into: Outputs | None = None, package: str = PACKAGE) -> AcquireCredentialsHandle:
    into = into or outputs()
    return AcquireCredentialsHandle(handle, None, package, OUTBOUND, None, into.handle, into.expiry)


@pytest.mark.parametrize("package", [PACKAGE, "Nonesuch"], ids=["succeeds", "fails"])
def test_the_callback_comes_once_whether_the_call_succeeds_or_fails(package):
    entered = []

    def program() -> Driver:
        handle = yield from do(CreateAsyncContext())
        yield SetAsyncNotifyCallback(handle, note)
        yield acquiring(handle, package=package)

    def note(handle: Handle, data: object) -> Driver:
        entered.append(handle)
        yield FreeAsyncContext(handle)

    played = play(program())
    assert len(entered) == 1
    assert_notified_once(played.journal.records)
    assert len(events(played.journal.records, CallbackReturned)) == 1


def test_a_refused_call_has_no_callback():
    entered = []

    def program() -> Driver:
        handle = yield from do(CreateAsyncContext())
        yield SetAsyncNotifyCallback(handle, note)
        assert (yield from do(acquiring(handle))) != OK
        yield Sleep(1000)
        yield FreeAsyncContext(handle)

    def note(handle: Handle, data: object) -> Driver:
        entered.append(handle)
        yield from ()

    played = play(program(), dispatcher=RefusingDispatcher(lambda function, _actor, _count: function.queues))
    assert entered == []
    assert played.reason == "finished"
    assert not {CallbackEntered, QueueingReturned} & set(kinds(played.journal.records))


def test_a_silent_call_has_no_callback():
    def program() -> Driver:
        handle = yield from do(CreateAsyncContext())
        yield DeleteSecurityContext(handle, variable(None))
        yield FreeAsyncContext(handle)

    played = play(program())
    assert played.reason == "finished"
    assert CallbackEntered not in kinds(played.journal.records)
    assert judge(played.journal.records) == ()


def test_a_callback_reads_status_reinitialises_and_frees_as_its_own():
    def program() -> Driver:
        handle = yield from do(CreateAsyncContext())
        yield SetAsyncNotifyCallback(handle, body)
        yield acquiring(handle)

    def body(handle: Handle, data: object) -> Driver:
        yield GetAsyncCallStatus(handle)
        yield ReinitAsyncContext(handle)
        yield FreeAsyncContext(handle)

    records = play(program()).journal.records
    acts = [record for record in records if record.actor == "client.ac1.callback"]
    assert [type(record.event) for record in acts] == [
        CallbackEntered, CallStatusQueried, AsyncContextReinitialized, AsyncContextFreed, CallbackReturned,
    ]  # fmt: skip


def test_a_callback_that_is_a_plain_function_acts_as_a_callback_too():
    apis: list[AsyncSspi] = []

    def program() -> Driver:
        apis.append((yield from do(Reach())))
        handle = yield from do(CreateAsyncContext())
        yield SetAsyncNotifyCallback(handle, body)  # type: ignore[arg-type]
        yield acquiring(handle)

    def body(handle: Handle, data: object) -> None:
        apis[0].free_async_context(handle)

    records = play(program()).journal.records
    freed = next(record for record in records if isinstance(record.event, AsyncContextFreed))
    assert freed.actor == "client.ac1.callback"


class Reach(NamedTuple):
    """An action that gives the API it is performed on."""

    def perform(self, api: AsyncSspi) -> AsyncSspi:
        return api


def test_an_actor_that_breaks_the_contract_stops_there_and_the_run_says_so():
    def program() -> Driver:
        handle = yield from do(CreateAsyncContext())
        yield FreeAsyncContext(handle)
        yield FreeAsyncContext(handle)
        yield CreateAsyncContext()

    played = play(program())
    assert played.reason == "broken"
    assert only(played.journal.records, ContractBroken).rule == "A007"
    assert len(events(played.journal.records, AsyncContextCreated)) == 1


# -- buffers the package allocated -------------------------------------------------------------------------------------
def test_what_the_package_allocated_is_released_once():
    bench, _, _, output = leg_under_way()
    bench.settle()
    assert bench.api.free_context_buffers(output) == 1
    assert output.images()[0].data is None
    assert bench.api.free_context_buffers(output) == 0
    assert [event.released for event in events(bench.journal.records, ContextBuffersFreed)] == [1, 0]


def test_causes_lead_from_the_callback_back_to_the_queueing():
    def program() -> Driver:
        credential, handle = outputs(), (yield from do(CreateAsyncContext()))
        yield SetAsyncNotifyCallback(handle, look)
        yield acquiring(handle, credential)
        yield InitializeSecurityContext(
            handle, credential.handle, None, None, 0, None, None, None, credential.attributes, outputs().expiry
        )

    def look(handle: Handle, data: object) -> Driver:
        yield GetAsyncCallStatus(handle)

    records = play(program()).journal.records
    entered = next(record for record in records if isinstance(record.event, CallbackEntered))
    completed = records[entered.cause - 1]
    assert isinstance(completed.event, CallCompleted)
    assert isinstance(records[completed.cause - 1].event, CallQueued)
