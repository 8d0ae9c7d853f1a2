"""A replay as TAP 14, read back by another's reader and line by line."""

from __future__ import annotations

import json
import re

import pytest
import yaml
from hypothesis import given
from tap.parser import Parser

from sspicli.analysis.cases import SuiteResult
from sspicli.reports.tap import tap_text
from tests.suites import FAILED, PROBLEM, STUCK, case, hostile_suites, one_of_each

POINT = re.compile(r"(ok|not ok) (\d+) - ((?:[^#\\\n]|\\[#\\])*?)(?: # (SKIP|TODO)((?: .*)?))?")


def points(text: str) -> list[re.Match[str]]:
    """Read the lines of a document as the specification divides them; whatever is none of them is a failure."""
    version, plan, *rest = text.removesuffix("\n").split("\n")
    assert version == "TAP version 14"
    assert plan.startswith("1..")
    found = []
    for one in rest:
        if one.startswith("  ") or one == "Bail out! interrupted":
            continue
        match = POINT.fullmatch(one)
        assert match, one
        found.append(match)
    return found


def blocks(text: str) -> list[dict[str, object]]:
    """Read the YAML beside test points."""
    raw = re.findall(r"^  ---\n((?:  .*\n)*?)  \.\.\.$", text, re.MULTILINE)
    return [yaml.safe_load("\n".join(line[2:] for line in one.split("\n"))) for one in raw]


def test_another_reader_finds_the_plan_and_every_outcome():
    lines = list(Parser().parse_text(tap_text(one_of_each(), timing=True)))
    tests = [one for one in lines if one.category == "test"]
    assert next(one for one in lines if one.category == "plan").expected_tests == 7
    assert [one.ok for one in tests] == [True, False, False, False, True, True, False]
    assert [bool(one.todo) for one in tests] == [False, False, False, True, True, False, False]
    assert [bool(one.skip) for one in tests] == [False, False, False, False, False, True, False]


def test_a_bad_case_has_its_message_place_and_complaints_beside_it():
    (said,) = blocks(tap_text(SuiteResult(cases=[FAILED]), timing=False))
    assert said["message"] == "expectation not met: got SEC_E_UNTRUSTED_ROOT (0x80090325)"
    assert said["code"] == "E0201"
    assert said["at"] == {"file": "scenarios/tls-expired.sspi.yaml", "line": 17, "column": 23}
    complaints = said["complaints"]
    assert isinstance(complaints, list)
    assert len(complaints) == 2
    assert str(said["again"]).startswith("sspi-async replay ")


@given(hostile_suites())
def test_whatever_the_names_are_there_are_as_many_points_as_planned_and_no_other_lines(suite):
    text = tap_text(suite, timing=True)
    text.encode()
    found = points(text)
    assert all(one == "\n" or one.isprintable() for one in text)
    assert [int(one[2]) for one in found] == list(range(1, len(found) + 1))
    planned = len(suite.cases) + len(suite.problems) + len(suite.left)
    assert text.split("\n")[1].startswith(f"1..{planned}")
    assert len(found) == planned - (len(suite.left) if suite.is_interrupted else 0)
    for said in blocks(text):
        json.dumps(said)


def test_an_interrupted_run_bails_out_after_what_was_run():
    text = tap_text(SuiteResult(cases=[case()], left=["x"], is_interrupted=True), timing=False)
    assert text.endswith("Bail out! interrupted\n")
    assert "1..2" in text


def test_what_fail_fast_left_is_skipped_and_a_file_that_is_no_scenario_fails():
    text = tap_text(SuiteResult(cases=[STUCK], problems=[PROBLEM], left=["x"]), timing=False)
    first, second, third = points(text)
    assert (first[1], first[3]) == ("not ok", "scenarios/tls-expired.sspi.yaml:14 is a scenario")
    assert second[1] == "not ok"
    assert (third[1], third[4], third[5]) == ("ok", "SKIP", " not run")


@pytest.mark.parametrize(("is_strict", "state"), [(False, "ok"), (True, "not ok")])
def test_a_case_that_passes_unexpectedly_is_bad_in_a_strict_suite(is_strict, state):
    suite = one_of_each()
    suite.is_strict = is_strict
    assert points(tap_text(suite, timing=False))[4][1] == state


def test_a_suite_without_cases_says_so_in_its_plan():
    assert tap_text(SuiteResult(), timing=True) == "TAP version 14\n1..0 # SKIP there was nothing to run\n"
