"""The JSON document of a replay, and the events that lead to it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given

from sspicli.analysis.cases import Outcome, SuiteResult
from sspicli.reports.replay import VERDICTS, document_text
from sspicli.reports.replay_events import case_ended, case_started, suite_ended, suite_started
from sspicli.sspi.errors import ExitCode
from tests.suites import FAILED, PROBLEM, STUCK, case, hostile_suites, one_of_each


def read(suite: SuiteResult, *, timing: bool = True) -> dict[str, Any]:
    return json.loads(document_text(suite, timing=timing))  # type: ignore[no-any-return]


def test_the_document_holds_the_verdict_the_counts_and_every_case_with_what_did_not_hold():
    said = read(one_of_each())
    assert (said["schema"], said["verdict"], said["exit_code"]) == ("sspi-async/replay/1", "failed", 1)
    counted = {"total": 7, "pass": 1, "fail": 1, "stuck": 1, "xfail": 1, "xpass": 1, "skip": 1, "error": 1}
    assert said["counts"] == counted
    second = said["cases"][1]
    assert second["parameters"] == {"completion": "pending", "order": "lifo"}
    assert second["again"].endswith("--schedule v1:abc")
    (unmet,) = second["unmet"]
    assert (unmet["line"], unmet["column"], unmet["end_column"]) == (17, 23, 41)
    assert (unmet["expected"], unmet["got"]) == ("SEC_E_CERT_EXPIRED", "SEC_E_UNTRUSTED_ROOT (0x80090325)")
    assert [one["code"] for one in second["findings"]] == ["A008"]


def test_the_same_cases_give_the_same_bytes_without_timing():
    slow = [replace(one, nanoseconds=one.nanoseconds * 3) for one in one_of_each().cases]
    other = SuiteResult(cases=slow, nanoseconds=5, jobs=8)
    assert document_text(other, timing=False) == document_text(one_of_each(), timing=False)


@pytest.mark.parametrize(
    ("suite", "verdict"),
    [
        (SuiteResult(cases=[case()]), "ok"),
        (SuiteResult(cases=[FAILED, STUCK]), "failed"),
        (SuiteResult(cases=[STUCK]), "stuck"),
        (SuiteResult(cases=[FAILED], problems=[PROBLEM]), "no scenario"),
        (SuiteResult(), "nothing to run"),
        (SuiteResult(cases=[FAILED], is_interrupted=True), "interrupted"),
        (SuiteResult(cases=[FAILED], is_interrupted=True, is_terminated=True), "terminated"),
        (SuiteResult(cases=[case(Outcome.XPASS)]), "ok"),
        (SuiteResult(cases=[case(Outcome.XPASS)], is_strict=True), "failed"),
        (SuiteResult(cases=[case(Outcome.XFAIL), case(Outcome.SKIP)]), "ok"),
        (SuiteResult(cases=[case(Outcome.ERROR)]), "failed"),
    ],
)
def test_the_verdict_is_the_gravest_of_what_happened(suite, verdict):
    assert read(suite)["verdict"] == verdict


@given(hostile_suites())
def test_whatever_the_names_are_the_document_is_ascii_and_any_reader_takes_it(suite):
    text = document_text(suite, timing=True)
    assert text.isascii()
    said = json.loads(text)
    json.dumps(said, ensure_ascii=False).encode()  # no lone surrogate is left
    assert len(said["cases"]) == len(suite.cases)


@given(hostile_suites())
def test_every_event_is_one_line_that_names_itself(suite):
    lines = [suite_started(suite, cases=len(suite.cases), tool="sspi-async")]
    for number, one in enumerate(suite.cases, start=1):
        lines += [case_started(one.id, number=number), case_ended(one, number=number, timing=True)]
    lines.append(suite_ended(suite, timing=True))
    for one in lines:
        assert one.isascii()
        assert one.endswith("}\n")
        assert one.count("\n") == 1
    names = [json.loads(one)["event"] for one in lines]
    assert names == ["suite-started", *["case-started", "case-ended"] * len(suite.cases), "suite-ended"]


def test_the_last_event_says_what_the_document_says():
    suite = one_of_each()
    last, said = json.loads(suite_ended(suite, timing=True)), read(suite)
    for name in ("verdict", "exit_code", "counts", "not_run", "milliseconds"):
        assert last[name] == said[name]


def test_every_exit_code_of_a_suite_has_its_word():
    ran = {ExitCode.OK, ExitCode.FAILED, ExitCode.STUCK, ExitCode.INPUT, ExitCode.NOTHING_TO_RUN}
    assert set(VERDICTS) == ran | {ExitCode.INTERRUPTED, ExitCode.TERMINATED}
