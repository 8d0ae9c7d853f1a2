"""What is wrong with a case, as data that every report lays out."""

from __future__ import annotations

import shlex
from dataclasses import replace

import pytest

from sspicli.analysis.cases import Outcome, Place, SuiteResult
from sspicli.analysis.complaints import again, complaints, counts, debug, shortfalls, warnings
from sspicli.sspi.error_codes import ERROR_CODES
from sspicli.sspi.errors import ExitCode
from tests.suites import FAILED, LEAK, ODD, PROBLEM, STUCK, UNMET, case, one_of_each


def codes(one, **options):
    return [complaint.code for complaint in complaints(one, **options)]


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (case(), []),
        (case(Outcome.SKIP), []),
        (case(Outcome.XFAIL, unmet=(UNMET,)), []),
        (case(Outcome.XPASS), []),
        (FAILED, ["E0201", "E0202"]),
        (replace(STUCK, unmet=(UNMET,)), ["E0203", "E0201"]),
        (case(Outcome.ERROR, reason="no engine"), ["E0205"]),
        (case(Outcome.FAILED, verdict="failed"), ["E0201"]),
    ],
)
def test_a_case_that_is_bad_has_complaints_the_gravest_first_and_another_has_none(one, expected):
    assert codes(one) == expected
    assert set(expected) <= set(ERROR_CODES)


def test_a_case_that_passes_unexpectedly_is_wrong_only_under_strict():
    assert codes(case(Outcome.XPASS, reason="issue 13"), is_strict=True) == ["E0204"]


def test_what_an_expected_failure_fell_short_of_and_warnings_are_listed_apart():
    assert [one.severity for one in shortfalls(case(Outcome.XFAIL, unmet=(UNMET,)))] == ["info"]
    assert shortfalls(FAILED) == ()
    assert [(one.rule, one.severity) for one in warnings(case(warnings=(ODD,)))] == [("A011", "warning")]


@pytest.mark.parametrize(
    ("excerpt", "said"),
    [
        ("status: SEC_E_OK", "got 5"),
        ('status: "SEC_E_OK"', "expected SEC_E_OK, got 5"),
        ("status: $status", "expected SEC_E_OK, got 5"),
    ],
)
def test_what_was_expected_is_said_where_the_file_does_not_show_it(excerpt, said):
    unmet = replace(UNMET, expected="SEC_E_OK", got="5", place=Place("f", 1, 9, 17, excerpt))
    (one,) = complaints(replace(FAILED, unmet=(unmet,), findings=()))
    assert one.said == said


def test_the_command_to_run_a_case_again_is_read_back_by_a_shell_as_it_was_meant():
    one = replace(FAILED, file="a b.sspi.yaml", scenario="it's; $(x)")
    words = ["sspi-async", "replay", "a b.sspi.yaml::it's; $(x)[pending-lifo]", "--schedule", "v1:abc"]
    assert shlex.split(again(one)) == words


def test_a_file_whose_name_begins_with_a_dash_is_no_option_of_the_command():
    one = replace(FAILED, file="-k.sspi.yaml", recording="-r.sspirec")
    assert shlex.split(again(one))[2].startswith("./-k.sspi.yaml::")
    assert shlex.split(debug(one))[2] == "./-r.sspirec"


@pytest.mark.parametrize("name", ["a\x1bb", "a\nb", "\u202e"])
def test_what_cannot_be_typed_gives_no_command(name):
    assert again(replace(FAILED, scenario=name)) == ""
    assert debug(replace(FAILED, recording=name)) == ""


def test_counts_name_what_is_rare_only_when_there_is_any():
    assert list(counts(SuiteResult())) == ["TOTAL", "PASS", "FAIL", "XFAIL", "XPASS", "SKIP", "STUCK"]
    said = counts(SuiteResult(cases=one_of_each().cases, problems=[PROBLEM], left=["a"]))
    assert [said[word] for word in ("TOTAL", "ERROR", "NO SCENARIO", "NOT RUN")] == [7, 1, 1, 1]


@pytest.mark.parametrize(
    ("suite", "code"),
    [
        (SuiteResult(), ExitCode.NOTHING_TO_RUN),
        (SuiteResult(cases=[case()]), ExitCode.OK),
        (SuiteResult(cases=[STUCK, case()]), ExitCode.STUCK),
        (SuiteResult(cases=[STUCK, FAILED]), ExitCode.FAILED),
        (SuiteResult(cases=[FAILED], problems=[PROBLEM]), ExitCode.INPUT),
        (SuiteResult(problems=[PROBLEM], is_interrupted=True), ExitCode.INTERRUPTED),
    ],
)
def test_a_suite_ends_with_the_gravest_of_its_codes(suite, code):
    assert suite.exit_code is code


def test_a_finding_names_its_rule_its_subject_its_records_and_the_way_out():
    (one,) = complaints(replace(FAILED, unmet=()))
    assert (one.rule, one.records) == ("A008", LEAK.records)
    assert dict(one.rows) == {
        "rule": LEAK.rule.documented,
        "seen": "server.ac1: it was settled at the end, records #41 #47",
        "help": LEAK.rule.fix,
        "page": LEAK.rule.reference.url,
        "see": "sspi-async explain A008",
    }
