"""The report: the verdict, how each call went, and who is to blame."""

from __future__ import annotations

from typing import Any

import pytest

from sspicli.analysis.calls import Call
from sspicli.analysis.report import Report, Verdict, report
from sspicli.journal import events as ev
from sspicli.journal.events import RunStarted
from sspicli.journal.journal import Journal, Record
from sspicli.packages.scripted import (
    THREE_LEGS,
    Script,
    ScriptedContext,
    ScriptedCredential,
    ScriptedLeg,
    ScriptedPackage,
)
from sspicli.runtime.chooser import Completion, Order, Policy, Seeded
from sspicli.session.actions import CreateAsyncContext, DeleteSecurityContext, Driver, FreeAsyncContext, do
from sspicli.session.drivers import Style
from sspicli.sspi.functions import Function
from sspicli.sspi.handles import Handle
from sspicli.sspi.package import AcquireRequest, AcquireResult, Role
from sspicli.sspi.status import SecurityStatus
from tests.pairs import (
    FailingPackage,
    RefusingDispatcher,
    SwallowingDispatcher,
    finished_pair,
    placed,
    play,
    scripted_pair,
    variable,
)

OK, CONTINUE = SecurityStatus.SEC_E_OK, SecurityStatus.SEC_I_CONTINUE_NEEDED
ILLEGAL, EXPIRED = SecurityStatus.SEC_E_ILLEGAL_MESSAGE, SecurityStatus.SEC_E_CERT_EXPIRED
MISMATCH = SecurityStatus.SEC_E_ALGORITHM_MISMATCH
INCOMPLETE = SecurityStatus.SEC_E_INCOMPLETE_MESSAGE
HELLO = ScriptedLeg(CONTINUE, b"hello", wants_input=False)
FLIGHT = ScriptedLeg(CONTINUE, b"flight")


def reported(script: Script = THREE_LEGS, **options: Any) -> Report:
    """Run a pair and report it."""
    return report(finished_pair(script, **options))


def legs(client: list[ScriptedLeg], server: list[ScriptedLeg]) -> Script:
    return {Role.CLIENT: client, Role.SERVER: server}


# -- the verdict -------------------------------------------------------------------------------------------------------
def test_ok_needs_both_ends_to_hold():
    result = reported()
    assert result.verdict is Verdict.OK
    assert {name: end.status for name, end in result.endpoints.items()} == {"client": OK, "server": OK}
    assert result.failure is None
    assert result.reason == "finished"


@pytest.mark.parametrize(
    ("script", "statuses"),
    [
        (legs([HELLO, ScriptedLeg(ILLEGAL)], [ScriptedLeg(MISMATCH, b"alert")]), (ILLEGAL, MISMATCH)),
        (legs([HELLO, ScriptedLeg(EXPIRED, b"alert")], [FLIGHT, ScriptedLeg(EXPIRED)]), (EXPIRED, EXPIRED)),
        (legs([HELLO, ScriptedLeg(OK, b"finished")], [FLIGHT, ScriptedLeg(ILLEGAL)]), (OK, ILLEGAL)),
        (legs([HELLO], [ScriptedLeg(OK)]), (CONTINUE, OK)),
        (legs([ScriptedLeg(ILLEGAL, wants_input=False)], []), (ILLEGAL, None)),
    ],
    ids=["server refuses", "client refuses", "server refuses last", "client goes on alone", "client fails at once"],
)
def test_one_end_that_does_not_hold_is_failed(script, statuses):
    result = reported(script)
    assert result.verdict is Verdict.FAILED
    got = tuple(
        None if name not in result.endpoints else result.endpoints[name].status for name in ("client", "server")
    )
    assert got == statuses


def test_a_run_that_hangs_is_stuck_and_says_who_waits():
    result = reported(dispatcher=SwallowingDispatcher(lambda call: call.handle == Handle("client", "call", 2)))
    assert result.verdict is Verdict.STUCK
    assert result.reason == "stuck"
    assert "client.call2 never completes" in result.waits


def test_a_run_at_its_time_limit_is_stuck():
    result = reported(dispatcher=SwallowingDispatcher(lambda _call: True), styles=(Style.POLL, Style.POLL), timeout=1.0)
    assert (result.verdict, result.reason) == (Verdict.STUCK, "limit")


def test_a_finding_of_severity_error_fails_a_handshake_that_holds():
    records = finished_pair()
    acting, queued = placed(records, ev.CallQueued)[0]
    early = ev.OutputReadEarly(queued.call, "phCredential", is_write=False)
    result = report(spliced(records, acting.sequence, early))
    assert result.endpoints["client"].status == OK
    assert [finding.rule.code for finding in result.findings] == ["C001"]
    assert result.verdict is Verdict.FAILED


def spliced(records: list[Record], after: int, event: ev.Event) -> list[Record]:
    """Tell the same run with one more event in it."""
    journal = Journal()
    for record in records[:after]:
        journal.append(record.actor, record.event, record.cause)
    journal.append("client", event, after)
    for record in records[after:]:
        journal.append(record.actor, record.event, 0)
    return journal.records


def test_an_interrupted_run_is_not_ok():
    journal, session = scripted_pair()
    session.abandon("interrupted")
    result = report(journal.records)
    assert (result.verdict, result.reason) == (Verdict.UNFINISHED, "interrupted")


def test_a_run_cut_off_before_its_end_is_not_ok():
    assert report(finished_pair()[:-1]).verdict is Verdict.UNFINISHED


def test_no_records_are_no_handshake():
    result = report([])
    assert result.verdict is Verdict.UNFINISHED
    assert (result.calls, result.legs, result.nanoseconds) == ((), (), 0)


def test_every_prefix_of_a_run_can_be_reported():
    records = finished_pair(chooser=Seeded(5), handshakes=1)
    verdicts = [report(records[:length]).verdict for length in range(len(records) + 1)]
    assert verdicts == [Verdict.UNFINISHED] * len(records) + [Verdict.OK]


# -- the calls ---------------------------------------------------------------------------------------------------------
def test_the_calls_are_in_the_order_of_queueing_and_counted_per_function():
    calls = [call for call in reported().calls if call.endpoint == "client"]
    assert [call.handle.number for call in calls] == [1, 2, 3, 4, 5]
    assert [call.number for call in calls] == [1, 1, 2, 1, 1]
    assert [call.status for call in calls] == [OK, CONTINUE, OK, OK, OK]


def test_a_call_was_pending_when_its_function_returned_before_it_completed():
    assert {call.was_pending for call in reported(chooser=Policy(Completion.PENDING, Order.FIFO, 0)).calls} == {True}
    assert {call.was_pending for call in reported(chooser=Policy(Completion.INLINE, Order.FIFO, 0)).calls} == {False}


def test_each_pending_answer_to_a_poller_is_counted():
    records = finished_pair(styles=(Style.POLL, Style.CALLBACK), chooser=Seeded(2))
    pending = [
        record.event.call
        for record in records
        if isinstance(record.event, ev.CallStatusQueried) and record.event.status.is_pending
    ]
    counts = {call.handle: call.pending_answers for call in report(records).calls}
    assert pending
    assert counts == {handle: pending.count(handle) for handle in counts}


def test_a_silent_call_was_not_notified():
    def program() -> Driver:
        handle = yield from do(CreateAsyncContext())
        yield DeleteSecurityContext(handle, variable(None))
        yield FreeAsyncContext(handle)

    (call,) = report(play(program()).journal.records).calls
    assert (call.was_notified, call.queued.is_silent) == (False, True)


def test_callbacks_are_counted_for_their_endpoint():
    result = reported()
    assert {name: end.callbacks for name, end in result.endpoints.items()} == {"client": 5, "server": 5}
    assert all(call.was_notified for call in result.calls)


def test_a_call_was_pending_for_the_ticks_between_queueing_and_completion():
    records = finished_pair(chooser=Seeded(1))
    queued = {record.event.call: record for record in records if isinstance(record.event, ev.CallQueued)}
    completed = {record.event.call: record for record in records if isinstance(record.event, ev.CallCompleted)}
    for call in report(records).calls:
        assert call.pending_ticks == completed[call.handle].ticks - queued[call.handle].ticks
        assert call.pending_nanoseconds == completed[call.handle].nanoseconds - queued[call.handle].nanoseconds


def test_a_leg_knows_its_sender_and_the_call_that_made_it():
    result = reported()
    assert [(leg.number, leg.sender, leg.data) for leg in result.legs] == [
        (1, "client", b"hello"), (2, "server", b"flight"), (3, "client", b"finished"),
    ]  # fmt: skip
    by_handle = {call.handle: call for call in result.calls}
    assert [by_handle[leg.call].leg for leg in result.legs if leg.call] == [1, 2, 3]


def test_a_call_without_a_token_makes_no_leg():
    result = reported()
    silent = [call.leg for call in result.calls if call.handle == Handle("server", "call", 3)]
    assert silent == [0]


def test_the_schedule_of_a_report_is_the_choices_of_its_run():
    journal, session = scripted_pair(chooser=Seeded(6))
    session.run()
    choices = list(session.choices)
    while choices and not choices[-1]:
        choices.pop()
    assert list(report(journal.records).schedule) == choices


# -- blame -------------------------------------------------------------------------------------------------------------
def test_nobody_is_to_blame_for_a_handshake_that_holds():
    assert reported().failure is None


def test_the_side_that_noticed_is_to_blame_and_the_other_stands_beside_it():
    failure = reported(legs([HELLO, ScriptedLeg(ILLEGAL)], [ScriptedLeg(MISMATCH, b"alert")])).failure
    assert failure is not None
    assert (failure.side, failure.status, failure.leg, failure.alert_data) == ("server", MISMATCH, 2, b"alert")
    assert failure.other is not None
    assert (failure.other.endpoint, failure.other.status) == ("client", ILLEGAL)


def test_a_client_that_refuses_the_flight_is_to_blame():
    failure = reported(legs([HELLO, ScriptedLeg(EXPIRED, b"alert")], [FLIGHT, ScriptedLeg(EXPIRED)])).failure
    assert failure is not None
    assert (failure.side, failure.leg, failure.status) == ("client", 3, EXPIRED)


@pytest.mark.parametrize("seed", range(30))
def test_whoever_failed_first_is_to_blame_in_every_order(seed):
    script = legs([HELLO, ScriptedLeg(EXPIRED, b"alert")], [FLIGHT, ScriptedLeg(ILLEGAL)])
    records = finished_pair(script, chooser=Seeded(seed))
    first = next(
        record.event
        for record in records
        if isinstance(record.event, ev.CallCompleted) and not record.event.status.succeeded
    )
    failure = report(records).failure
    assert failure is not None
    assert isinstance(failure.culprit, Call)
    assert (failure.culprit.handle, failure.status) == (first.call, first.status)


def test_a_failure_that_makes_no_token_is_blamed_at_the_leg_it_would_have_made():
    failure = reported(legs([HELLO, ScriptedLeg(OK, b"finished")], [FLIGHT, ScriptedLeg(ILLEGAL)])).failure
    assert failure is not None
    assert (failure.side, failure.leg, failure.alert_data) == ("server", 4, b"")


def test_wanting_more_bytes_is_no_failure():
    records = finished_pair(legs([HELLO, ScriptedLeg(ILLEGAL)], [ScriptedLeg(INCOMPLETE)]))
    result = report(records)
    assert result.failure is None or result.failure.status != INCOMPLETE


def test_a_failure_outside_the_legs_has_no_leg():
    failure = reported(packages={"client": FailingPackage(SecurityStatus.SEC_E_NO_CREDENTIALS)}).failure
    assert failure is not None
    assert (failure.side, failure.leg) == ("client", 0)
    assert failure.culprit.function is Function.SspiAcquireCredentialsHandleAsync


def test_what_was_asked_for_on_the_command_line_is_named_as_the_cause():
    records = finished_pair(legs([HELLO, ScriptedLeg(EXPIRED)], [FLIGHT]))
    started = RunStarted(
        "0", "Scripted", "scripted", "any", "", 0, 0, False, {"server.note": 'server=cert preset "expired"'}
    )
    journal = Journal()
    journal.append("session", started, 0)
    for record in records:
        journal.append(record.actor, record.event, 0)
    failure = report(journal.records).failure
    assert failure is not None
    assert failure.cause == 'server=cert preset "expired" (you asked for it)'


def test_a_refused_call_fails_the_run():
    dispatcher = RefusingDispatcher(
        lambda function, _actor, _count: function is Function.SspiAcceptSecurityContextAsync
    )
    result = reported(dispatcher=dispatcher)
    assert result.verdict is Verdict.FAILED
    assert result.endpoints["server"].callbacks == 2


# -- two handshakes ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("styles", [(Style.CALLBACK, Style.CALLBACK), (Style.POLL, Style.POLL)], ids=str)
def test_the_last_of_two_handshakes_is_reported_whatever_of_the_first_was_still_under_way(styles):
    for seed in range(60):
        result = reported(chooser=Seeded(seed), handshakes=2, styles=styles)
        assert result.verdict is Verdict.OK
        assert result.handshakes == 2
        assert [leg.number for leg in result.legs] == [1, 2, 3]


class GoodThenBad(ScriptedPackage):
    """Has good legs for the first security context, and for the next those of a server that refuses."""

    def acquire(self, request: AcquireRequest) -> AcquireResult:
        return AcquireResult(OK, GoodThenBadCredential())


class GoodThenBadCredential(ScriptedCredential):
    def __init__(self) -> None:
        super().__init__(THREE_LEGS)
        self._opened = 0

    def open(self, role: Role) -> ScriptedContext:
        self._opened += 1
        refused = legs([HELLO, ScriptedLeg(ILLEGAL)], [ScriptedLeg(MISMATCH, b"alert")])
        return ScriptedContext((THREE_LEGS if self._opened == 1 else refused)[role])


@pytest.mark.parametrize("seed", range(40))
def test_a_second_handshake_that_fails_is_failed_though_the_first_held(seed):
    packages = {"client": GoodThenBad(), "server": GoodThenBad()}
    result = reported(packages=packages, handshakes=2, chooser=Seeded(seed))
    assert result.verdict is Verdict.FAILED
    assert result.failure is not None
    assert (result.failure.side, result.failure.status) == ("server", MISMATCH)
    assert (result.endpoints["client"].status, result.endpoints["server"].status) == (ILLEGAL, MISMATCH)
    assert [leg.data for leg in result.legs] == [b"hello", b"alert"]
