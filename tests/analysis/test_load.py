"""Many sessions: a glance agrees with the report, and the summary counts what there was."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sspicli.analysis.load import Histogram, LoadReport, Measures, Outcome, Summary, Way, outcome
from sspicli.analysis.report import Verdict, report
from sspicli.analysis.rules import judge, watch
from sspicli.journal import events as ev
from sspicli.journal.journal import Record
from sspicli.sspi.status import SecurityStatus
from tests.handshakes import records_of
from tests.pairs import events, only

PLAIN: list[dict[str, Any]] = [
    {},
    {"tls": "1.2"},
    {"mode": "poll"},
    {"messages": 3},
    {"completion": "inline"},
    {"completion": "random", "order": "seed"},
    {"server": ("request-cert=yes",), "client": ("cert=valid",)},
    {"workers": 2},
]
OTHER: list[dict[str, Any]] = [
    {"server": ("cert=expired",)},
    {"server": ("cert=untrusted",), "tls": "1.2"},
    {"server": ("request-cert=require",)},
    {"server": ("request-cert=require",), "tls": "1.2"},
    {"server": ("request-cert=yes",)},
    {"client": ("tls=1.2",), "server": ("tls=1.3",)},
    {"client": ("alpn=h2",), "server": ("alpn=http/1.1",)},
    {"mode": "sample", "completion": "inline"},
    {"fault": ("server.accept#2=hang",)},
    {"fault": ("client.create=null",)},
    {"fault": ("client.init#2=refuse:SEC_E_INSUFFICIENT_MEMORY",)},
    {"fault": ("client.init#3=fail:SEC_E_INTERNAL_ERROR",)},
    {"fault": ("server.delete=fail:SEC_E_INTERNAL_ERROR",)},
    {"fault": ("client.init=delay:50",)},
    {"client": ("resume=ticket",), "server": ("resume=ticket",)},
]


# -- one session -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("changes", PLAIN, ids=str)
def test_a_good_session_is_told_by_a_glance(changes: dict[str, Any]):
    records = records_of(**changes)
    one = outcome(2, records, judges=True)
    assert (one.verdict, one.report) == (Verdict.OK, None)
    assert report(records).verdict is Verdict.OK


@pytest.mark.parametrize("changes", OTHER, ids=str)
def test_whatever_is_not_plainly_ok_is_reported_as_a_single_run_is(changes: dict[str, Any]):
    records = records_of(**changes)
    one = outcome(2, records, judges=False)
    assert one.report is not None
    assert (one.verdict, one.is_judged) == (report(records).verdict, True)


@pytest.mark.parametrize("changes", [*PLAIN, *OTHER], ids=str)
def test_the_rules_say_the_same_of_a_journal_of_this_process_with_and_without_the_check_of_a_recording(
    changes: dict[str, Any],
):
    records = records_of(**changes)
    assert watch(records) == judge(records)


@pytest.mark.parametrize("kind", [ev.CallCompleted, ev.RunEnded, ev.TokenSent, ev.HandshakeBegan])
def test_no_glance_is_better_than_the_report_of_what_a_cut_recording_holds(kind: type[object]):
    records = records_of(messages=1)
    for at in [at for at, record in enumerate(records) if isinstance(record.event, kind)]:
        cut = records[:at]
        one = outcome(2, cut, judges=False)
        assert one.report is not None
        assert one.verdict is not Verdict.OK


@pytest.mark.parametrize("status", [SecurityStatus.SEC_E_INTERNAL_ERROR, SecurityStatus.SEC_E_CONTEXT_EXPIRED])
def test_no_status_of_an_error_passes_a_glance(status: SecurityStatus):
    records = records_of(messages=1)
    for at, record in enumerate(records):
        if isinstance(record.event, ev.CallCompleted | ev.MessageDecrypted | ev.MessageEncrypted):
            spoilt = [*records[:at], record._replace(event=record.event._replace(status=status)), *records[at + 1 :]]
            assert outcome(2, spoilt, judges=False).report is not None, record


def test_a_message_that_was_not_opened_does_not_pass():
    records = records_of(messages=2)
    opened = next(at for at, one in enumerate(records) if _is_opened(one))
    without = [*records[:opened], *records[opened + 1 :]]
    assert outcome(2, without, judges=False).verdict is Verdict.FAILED


def _is_opened(record: Record) -> bool:
    return isinstance(record.event, ev.MessageDecrypted) and record.event.status == SecurityStatus.SEC_E_OK


def test_a_broken_rule_is_seen_where_all_are_judged():
    records = [one for one in records_of() if not isinstance(one.event, ev.CredentialFreed)]
    assert outcome(2, records, judges=True).verdict is Verdict.FAILED
    unjudged = outcome(2, records, judges=False)
    assert (unjudged.verdict, unjudged.is_judged) == (Verdict.OK, False)


def test_latency_is_from_the_first_queueing_to_the_end_and_pending_is_of_each_call():
    records = records_of()
    one = outcome(2, records, judges=False)
    queued = [record for record in records if isinstance(record.event, ev.CallQueued)]
    assert one.latency == records[-1].nanoseconds - queued[0].nanoseconds
    assert len(one.pending) == len(queued) == len(events(records, ev.CallCompleted))
    assert sorted(one.pending) == sorted(call.pending_nanoseconds for call in report(records).calls)


def test_a_resumed_session_is_told_by_its_own_answer():
    resumed = records_of(client=("resume=ticket",), server=("resume=ticket",))
    assert outcome(2, resumed, judges=False).is_resumed
    assert not outcome(2, records_of(), judges=False).is_resumed


# -- the histogram -----------------------------------------------------------------------------------------------------

durations = st.integers(0, 10**15)


@given(st.lists(durations, min_size=1, max_size=200), st.floats(0.1, 100))
def test_a_percentile_is_within_a_64th_above_the_true_one(values: list[int], percent: float):
    histogram = Histogram()
    for value in values:
        histogram.add(value)
    rank = next(at for at in range(1, len(values) + 1) if at >= percent / 100 * len(values))
    exact = sorted(values)[rank - 1]
    assert exact <= histogram.percentile(percent) <= exact + exact // 64
    assert (histogram.least, histogram.most, histogram.count) == (min(values), max(values), len(values))


def test_an_empty_histogram_has_no_percentile():
    assert (Histogram().percentile(50), Histogram().most) == (0, 0)


@given(st.lists(durations, max_size=2000, unique=True))
def test_a_histogram_does_not_grow_with_what_it_counts(values: list[int]):
    histogram = Histogram()
    for value in values:
        histogram.add(value)
    assert histogram.buckets <= 64 * 51


# -- the summary -------------------------------------------------------------------------------------------------------


def summary_of(*runs: dict[str, Any]) -> Summary:
    summary = Summary()
    for number, changes in enumerate(runs, start=1):
        summary.add(outcome(number, records_of(**changes), judges=True, in_full=number == 1))
    return summary


def test_failures_are_counted_by_who_failed_with_what_and_the_first_of_each_is_kept():
    expired, untrusted = {"server": ("cert=expired",)}, {"server": ("cert=untrusted",)}
    summary = summary_of({}, expired, untrusted, expired, {})
    assert (summary.sessions, summary.ok, summary.verdicts[Verdict.FAILED]) == (5, 2, 3)
    ways = {(way.side, way.status, way.alert): (group.count, group.first) for way, group in summary.groups.items()}
    assert ways == {
        ("client", SecurityStatus.SEC_E_CERT_EXPIRED, 45): (2, 2),
        ("client", SecurityStatus.SEC_E_UNTRUSTED_ROOT, 48): (1, 3),
    }
    assert summary.first is not None
    assert summary.first.protocol == "TLS 1.3"


def test_the_first_of_a_kind_is_the_one_with_the_least_number_whatever_ended_first():
    records = records_of(server=("cert=expired",))
    summary = Summary()
    for number in (9, 4, 7):
        summary.add(outcome(number, records, judges=False))
    (group,) = summary.groups.values()
    assert (group.count, group.first) == (3, 4)


def test_broken_rules_are_counted_and_are_a_way_to_fail():
    summary = summary_of({}, {"mode": "sample", "completion": "inline"})
    assert {code: (one.count, one.first) for code, one in summary.findings.items()} == {"A006": (1, 2)}
    assert summary.breaks_rules
    assert list(summary.groups) == [Way(Verdict.FAILED, "", None, None, ("A006",))]


def test_a_stuck_session_makes_the_whole_stuck():
    good = load_of(summary_of({}))
    assert good.verdict is Verdict.OK
    assert load_of(summary_of({}, {"server": ("cert=expired",)})).verdict is Verdict.FAILED
    assert load_of(summary_of({"fault": ("server.accept=hang",)}, {"server": ("cert=expired",)})).verdict is (
        Verdict.STUCK
    )


def test_sessions_that_did_not_come_to_their_end_are_no_success():
    cut = replace(load_of(summary_of({})), total=10, in_flight=4, ended_by="interrupted")
    assert (cut.verdict, cut.under_way) == (Verdict.UNFINISHED, 4)
    assert replace(cut, total=3).under_way == 2


def test_memory_a_session_is_said_only_where_enough_were_in_flight_to_tell():
    few = replace(load_of(summary_of({})), measures=Measures(1.0, 1000, 51_000, 60_000))
    assert (few.grown, few.bytes_in_flight) == (50_000, 0)
    assert replace(few, in_flight=100).bytes_in_flight == 500
    untold = replace(few, measures=Measures(1.0, 0, 0, 0), in_flight=100)
    assert (untold.grown, untold.bytes_in_flight) == (0, 0)


def load_of(summary: Summary) -> LoadReport:
    credentials = [one for one in records_of() if not isinstance(one.event, ev.HandshakeBegan)]
    assert only(credentials, ev.RunEnded).reason == "finished"
    return LoadReport(
        summary=summary,
        credentials=report(credentials),
        total=summary.sessions,
        in_flight=1,
        workers=0,
        measures=Measures(2.0, 0, 0, 0),
        ended_by="",
        recordings={},
    )


def test_the_summary_of_many_holds_no_more_than_the_summary_of_few():
    summary = Summary()
    for number in range(1, 400):
        summary.add(Outcome(number, Verdict.OK, number * 1000, (number,), False, True, None))
    assert (summary.sessions, summary.judged, summary.latency.count) == (399, 399, 399)
    assert (summary.groups, summary.findings, summary.first) == ({}, {}, None)
