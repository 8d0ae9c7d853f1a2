"""The rules: what each finding needs to be found, what is a near miss, and a law derived from records alone."""

from __future__ import annotations

import pytest

from sspicli.analysis.coherence import IncoherentError
from sspicli.analysis.rules import RULES, HandleMonitor, LifecycleMonitor, judge
from sspicli.journal.events import (
    AsyncContextFreed,
    AsyncContextReinitialized,
    CallbackEntered,
    CallbackReturned,
    CallCompleted,
    CallQueued,
    Event,
    NotifyCallbackSet,
    OutputReadEarly,
)
from sspicli.journal.journal import Journal, Record
from sspicli.runtime.api import ContractError
from sspicli.sspi.functions import Function
from sspicli.sspi.handles import Handle
from sspicli.sspi.lifecycle import LAW
from sspicli.sspi.status import NtStatus, SecurityStatus
from tests.pairs import Bench, codes, finished_pair, judged, monitored, outputs, quiet

OK = SecurityStatus.SEC_E_OK
CONTEXT, CALL = Handle("client", "ac", 1), Handle("client", "call", 1)


def attempt(act, *given):
    """Do what may break the contract."""
    try:
        return act(*given)
    except ContractError:
        return None


# -- one run for each rule, and a near miss ----------------------------------------------------------------------------
def reinit_while_pending(bench, handle):
    bench.delete(handle, None)
    bench.api.reinit_async_context(handle)
    bench.settle()


def reinit_when_settled(bench, handle):
    bench.delete(handle, None)
    bench.settle()
    bench.api.reinit_async_context(handle)


def call_twice(bench, handle):
    bench.delete(handle, None)
    bench.settle()
    bench.delete(handle, None)


def call_reinit_call(bench, handle):
    reinit_when_settled(bench, handle)
    bench.delete(handle, None)
    bench.settle()


def call_while_pending(bench, handle):
    bench.delete(handle, None)
    bench.delete(handle, None)
    bench.settle()


def call_on_another(bench, handle):
    other = bench.context()
    bench.delete(handle, None)
    bench.delete(other, None)
    bench.settle()
    bench.settle()
    bench.api.free_async_context(other)


def free_while_pending(bench, handle):
    bench.delete(handle, None)
    attempt(bench.api.free_async_context, handle)
    bench.settle()


def free_silent_while_pending(bench, handle):
    other = bench.context(None)
    bench.delete(other, None)
    bench.api.free_async_context(other)
    bench.settle()


def free_while_owed(bench, handle):
    bench.delete(handle, None)
    call = bench.complete()
    attempt(bench.api.free_async_context, handle)
    bench.api.return_from_callback(call, bench.api.enter_callback(call))


def free_inside(bench, handle):
    other = bench.context()
    bench.delete(other, None)
    call = bench.complete()
    entered = bench.api.enter_callback(call)
    bench.act_as(other)
    bench.api.free_async_context(other)
    bench.act_as(None)
    bench.api.return_from_callback(call, entered)


def use_after_free(bench, handle):
    other = bench.context()
    bench.api.free_async_context(other)
    attempt(bench.api.get_async_call_status, other)


def use_before_free(bench, handle):
    bench.api.async_context_requires_notify(handle)


def free_twice(bench, handle):
    other = bench.context()
    bench.api.free_async_context(other)
    attempt(bench.api.free_async_context, other)


def free_null_twice(bench, handle):
    bench.api.free_async_context(None)
    bench.api.free_async_context(None)


def forget_to_free(bench, handle):
    bench.context()


def ask_about_nothing(bench, handle):
    bench.api.get_async_call_status(None)


def ask_too_soon(bench, handle):
    bench.api.get_async_call_status(handle)


def ask_in_time(bench, handle):
    bench.delete(handle, None)
    bench.api.get_async_call_status(handle)
    bench.settle()
    bench.api.get_async_call_status(handle)


def leave_pending(bench, handle):
    other = bench.context(None)
    bench.delete(other, None)


def call_silently(bench, handle):
    other = bench.context(None)
    bench.free_credential(other, None)
    bench.settle()
    bench.api.free_async_context(other)


def change_callback_while_pending(bench, handle):
    bench.delete(handle, None)
    attempt(bench.api.set_async_notify_callback, handle, quiet, None)
    bench.settle()


def change_callback_when_settled(bench, handle):
    bench.delete(handle, None)
    bench.settle()
    bench.api.set_async_notify_callback(handle, None, None)


def read_early(bench, handle):
    into = outputs()
    bench.acquire(handle, into, package="Nonesuch")
    assert into.handle.value
    bench.settle()


def read_in_time(bench, handle):
    into = outputs()
    bench.acquire(handle, into, package="Nonesuch")
    bench.settle()
    assert into.handle.value


def forget_credential(bench, handle):
    bench.credential()


def end_everything(bench, handle):
    credential, context = bench.security_context()
    bench.delete(handle, context.value)
    bench.settle()
    bench.api.reinit_async_context(handle)
    bench.free_credential(handle, credential.value)
    bench.settle()


def forget_security_context(bench, handle):
    credential, _ = bench.security_context()
    bench.free_credential(handle, credential.value)
    bench.settle()


CASES = {
    "A001": (reinit_while_pending, reinit_when_settled),
    "A002": (call_twice, call_reinit_call),
    "A003": (call_while_pending, call_on_another),
    "A004": (free_while_pending, free_silent_while_pending),
    "A005": (free_while_owed, free_inside),
    "A006": (use_after_free, use_before_free),
    "A007": (free_twice, free_null_twice),
    "A008": (forget_to_free, use_before_free),
    "A009": (ask_about_nothing, free_null_twice),
    "A011": (ask_too_soon, ask_in_time),
    "A016": (leave_pending, free_silent_while_pending),
    "B001": (call_silently, free_silent_while_pending),
    "B002": (change_callback_while_pending, change_callback_when_settled),
    "C001": (read_early, read_in_time),
    "D004": (forget_security_context, end_everything),
    "D008": (forget_credential, end_everything),
}


def found(program) -> list[str]:
    """Let a program use a bench and one async context, which is freed after it; the findings' codes."""
    bench = Bench()
    handle = bench.context()
    program(bench, handle)
    bench.api.free_async_context(handle)
    return codes(judged(bench.journal.records))


@pytest.mark.parametrize("code", CASES)
def test_a_rule_is_found_where_it_is_broken(code):
    extra = ["A008"] if code == "A016" else []  # what is pending cannot be freed either
    assert found(CASES[code][0]) == [code, *extra]


@pytest.mark.parametrize("code", CASES)
def test_a_near_miss_breaks_no_rule(code):
    assert found(CASES[code][1]) == []


def test_every_rule_that_the_law_names_has_its_run():
    assert {row.rule for row in LAW.values() if row.rule} <= set(RULES)
    assert set(CASES) <= set(RULES)
    assert {row.rule for row in LAW.values() if row.rule} <= set(CASES)


def test_a_rule_says_what_how_bad_and_what_to_do():
    for code, rule in RULES.items():
        assert rule.code == code
        assert rule.severity in ("error", "warning", "info")
        assert rule.title
        assert rule.fix


# -- the findings themselves -------------------------------------------------------------------------------------------
def test_a_finding_names_its_subject_and_the_record_that_shows_it():
    bench = Bench()
    handle = bench.context()
    bench.api.get_async_call_status(handle)
    (finding, _) = judged(bench.journal.records)
    assert finding.subject == "client.ac1"
    assert finding.records == (3,)
    assert "client" in finding.detail


def test_findings_come_in_the_order_of_the_records_that_show_them():
    bench = Bench()
    handle = bench.context()
    into = outputs()
    bench.acquire(handle, into)
    assert into.handle.value
    bench.acquire(handle)
    bench.settle()
    bench.api.get_async_call_status(None)
    findings = judged(bench.journal.records)
    assert [finding.records for finding in findings] == sorted(finding.records for finding in findings)
    assert codes(findings)[:2] == ["C001", "A003"]


@pytest.mark.parametrize("reason", ["stuck", "broken", "limit", "interrupted"])
def test_what_is_alive_is_no_leak_where_the_run_was_cut_short(reason):
    bench = Bench()
    bench.security_context()
    bench.context()
    assert codes(judged(bench.journal.records, reason)) == []


def test_what_is_alive_at_the_end_of_a_finished_run_is_a_leak():
    bench = Bench()
    bench.security_context()
    bench.context()
    assert sorted(codes(judged(bench.journal.records))) == ["A008", "D004", "D008"]


def test_judging_is_a_fold_of_records_and_of_nothing_else():
    records = finished_pair()
    assert judge(iter(records)) == judge(tuple(records)) == judge(records) == ()


def test_an_unused_journal_has_no_findings():
    assert judge([]) == ()


# -- a runtime that left the law would be found out --------------------------------------------------------------------
def story(*events: Event, actor: str = "client") -> list[Record]:
    """Tell what no runtime of ours would do."""
    journal = Journal()
    for event in events:
        journal.append(actor, event, 0)
    return journal.records


def begun(*events: Event) -> list[Record]:
    """Tell a story that begins with an async context, a callback and a pending call."""
    return story(
        *[record.event for record in _first_call()],
        *events,
    )


def _first_call() -> list[Record]:
    bench = Bench()
    bench.delete(bench.context(), None)
    return bench.journal.records


COMPLETED = CallCompleted(CALL, OK, None, None, None, 0, 0, None, 0)
QUEUED_AGAIN = CallQueued(
    Handle("client", "call", 2), Function.SspiDeleteSecurityContextAsync, CONTEXT, None, None, None, 0, None, None,
    False, None
)  # fmt: skip


@pytest.mark.parametrize(
    "events",
    [
        (AsyncContextReinitialized(CONTEXT, NtStatus.STATUS_SUCCESS),),
        (AsyncContextFreed(CONTEXT),),
        (QUEUED_AGAIN,),
        (CallbackEntered(CALL, CONTEXT),),
        (COMPLETED, COMPLETED),
        (COMPLETED, QUEUED_AGAIN),
        (COMPLETED, CallbackEntered(CALL, CONTEXT), CallbackReturned(CALL, CONTEXT), QUEUED_AGAIN),
    ],
    ids=[
        "reinit while pending", "free while pending", "two calls at once", "notified before completion",
        "completed twice",
        "next call before the notification", "next call without reinit",
    ],
)  # fmt: skip
def test_a_runtime_that_leaves_the_law_is_found_out(events):
    records = begun(*events)
    assert monitored(records).disagreements
    with pytest.raises(IncoherentError):
        judge(records)


def test_a_runtime_that_notifies_twice_breaks_a_rule_of_its_own():
    twice = (COMPLETED, CallbackEntered(CALL, CONTEXT), CallbackEntered(CALL, CONTEXT))
    assert codes(judge(begun(*twice))) == ["B006"]


def test_a_runtime_that_never_notifies_breaks_a_rule_of_its_own():
    assert codes(judged(begun(COMPLETED), "stuck")) == ["B006"]
    assert codes(judged(begun(COMPLETED), "limit")) == []


def test_a_runtime_that_notifies_what_was_freed_breaks_a_rule_of_its_own():
    bench = Bench()
    handle = bench.context(None)
    bench.delete(handle, None)
    bench.api.free_async_context(handle)
    call = bench.complete()
    bench.journal.append("client", CallbackEntered(call.handle, handle), 0)
    assert codes(judged(bench.journal.records)) == ["B005"]


def test_a_refusal_where_the_law_allows_is_found_out():
    records = begun(COMPLETED, CallbackEntered(CALL, CONTEXT), CallbackReturned(CALL, CONTEXT))
    assert monitored(records).disagreements == []
    refused = begun(
        COMPLETED,
        CallbackEntered(CALL, CONTEXT),
        CallbackReturned(CALL, CONTEXT),
        AsyncContextReinitialized(CONTEXT, NtStatus.STATUS_INVALID_DEVICE_STATE),
    )
    assert monitored(refused).disagreements


def test_the_monitors_see_and_never_change_what_they_see():
    records = finished_pair()
    kept = list(records)
    lifecycle, handles = LifecycleMonitor(), HandleMonitor()
    for record in records:
        lifecycle.see(record)
        if type(record.event) in HandleMonitor.WATCHED:
            handles.see(record)
    assert records == kept
    assert lifecycle.findings == handles.findings == []


def test_who_acts_decides_whether_it_was_inside():
    first = _first_call()
    outside = story(*[record.event for record in first], COMPLETED, CallbackEntered(CALL, CONTEXT))
    freed = Record(len(outside) + 1, 0, 0, f"{CONTEXT}.callback", 0, AsyncContextFreed(CONTEXT))
    assert monitored([*outside, freed]).disagreements == []
    assert monitored([*outside, freed._replace(actor="client")]).disagreements


def test_reading_early_is_found_for_the_call_that_owns_the_variable():
    (finding,) = judge(begun(OutputReadEarly(CALL, "phCredential", is_write=True)))
    assert (finding.rule.code, finding.subject) == ("C001", "client.call1")
    assert "phCredential was written" in finding.detail


def test_a_callback_that_was_taken_away_makes_the_next_call_silent():
    bench = Bench()
    handle = bench.context()
    bench.api.set_async_notify_callback(handle, None, None)
    bench.free_credential(handle, None)
    bench.settle()
    bench.api.free_async_context(handle)
    assert codes(judged(bench.journal.records)) == ["B001"]
    assert NotifyCallbackSet(handle, is_null=True, status=OK) in [record.event for record in bench.journal.records]
