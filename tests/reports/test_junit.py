"""A replay as JUnit XML: valid, read back as it was, and with nothing that its readers would misread."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import xmlschema
from hypothesis import given

from sspicli.analysis.cases import Outcome, SuiteResult
from sspicli.reports.junit import junit_text
from tests.suites import FAILED, FILE, PROBLEM, case, hostile_suites, one_of_each

SCHEMA = xmlschema.XMLSchema(Path(__file__).parent / "schemas" / "junit.xsd")


def read(suite: SuiteResult, *, timing: bool = True, places: bool = False) -> ET.Element:
    return ET.fromstring(junit_text(suite, timing=timing, places=places))


def cases_in(suite: SuiteResult) -> dict[str, ET.Element]:
    return {one.attrib["name"]: one for one in read(suite).iter("testcase")}


@pytest.mark.parametrize("timing", [False, True])
@pytest.mark.parametrize("suite", [one_of_each(), SuiteResult(), SuiteResult(problems=[PROBLEM], left=["a::b", "c"])])
def test_the_document_is_valid(suite, timing):
    SCHEMA.validate(junit_text(suite, timing=timing))


def test_the_schema_refuses_what_a_strict_reader_would():
    text = junit_text(one_of_each(), timing=True, places=True)
    assert not SCHEMA.is_valid(text)


@given(hostile_suites())
def test_whatever_the_names_are_it_is_valid_and_printable_and_has_as_many_tests(suite):
    text = junit_text(suite, timing=True)
    SCHEMA.validate(text)
    assert all(one == "\n" or one.isprintable() for one in text)
    assert text.isascii()
    assert len(list(read(suite).iter("testcase"))) == len(suite.cases) + len(suite.problems) + len(suite.left)


def test_each_outcome_is_counted_and_written_as_readers_know_it():
    root = read(one_of_each())
    first, second = root.findall("testsuite")
    assert [root.attrib[name] for name in ("tests", "failures", "errors")] == ["7", "2", "1"]
    assert [first.attrib[name] for name in ("tests", "failures", "errors", "skipped")] == ["5", "2", "0", "1"]
    assert [second.attrib[name] for name in ("tests", "failures", "errors", "skipped")] == ["2", "0", "1", "1"]
    inside = [[part.tag for part in one if part.tag != "system-out"] for one in root.iter("testcase")]
    assert inside == [[], ["failure"], ["failure"], ["skipped"], [], ["skipped"], ["error"]]


def test_a_failure_says_in_its_message_what_and_in_its_text_where_why_and_how_to_run_it_again():
    failure = cases_in(SuiteResult(cases=[FAILED]))["tls-expired[pending-lifo]"].find("failure")
    assert failure is not None
    assert failure.attrib == {
        "type": "E0201",
        "message": "expectation not met: got SEC_E_UNTRUSTED_ROOT (0x80090325) (and 1 more)",
    }
    text = failure.text or ""
    assert text.startswith(f"{FILE}:17:23: error[E0201]: expectation not met: got SEC_E_UNTRUSTED_ROOT")
    assert "\ncause: the trust check ran before the date check\n" in text
    assert text.endswith("--schedule v1:abc")


def test_an_expected_failure_is_skipped_with_its_reason_and_a_strict_suite_fails_what_passed_instead():
    tests = cases_in(one_of_each())
    skipped = tests["known[pending-lifo]"].find("skipped")
    assert skipped is not None
    assert skipped.attrib["message"] == "expected to fail: issue 12"
    strict = replace_strict(one_of_each())
    assert cases_in(strict)["mended[pending-lifo]"].find("failure") is not None


def replace_strict(suite: SuiteResult) -> SuiteResult:
    suite.is_strict = True
    return suite


def test_the_seed_the_schedule_and_the_findings_of_a_case_are_properties_of_its_suite():
    properties = {one.attrib["name"]: one.attrib["value"] for one in read(SuiteResult(cases=[FAILED])).iter("property")}
    assert properties == {
        "tls-expired[pending-lifo].seed": "7",
        "tls-expired[pending-lifo].schedule": "v1:abc",
        "tls-expired[pending-lifo].findings": "A008",
    }


def test_equal_names_are_told_apart_for_readers_keep_only_the_first():
    root = read(SuiteResult(cases=[case(), case(attempt=2)]))
    assert [one.attrib["name"] for one in root.iter("testcase")] == [
        "tls-expired[pending-lifo]",
        "tls-expired[pending-lifo] #2",
    ]


def test_with_places_every_case_names_its_file_and_line():
    (one,) = read(SuiteResult(cases=[case()]), places=True).iter("testcase")
    assert (one.attrib["file"], one.attrib["line"]) == (FILE, "3")


def test_without_timing_no_time_is_written():
    assert " time=" not in junit_text(one_of_each(), timing=False)


def test_a_line_feed_in_a_name_survives_the_reader():
    (one,) = read(SuiteResult(cases=[replace(case(Outcome.PASSED), scenario="a\nb", parameters=())])).iter("testcase")
    assert one.attrib["name"] == "a\nb"


def test_letters_of_every_script_come_back_as_they_were():
    (one,) = read(SuiteResult(cases=[replace(case(), scenario="名前 é 🎉", parameters=())])).iter("testcase")
    assert one.attrib["name"] == "名前 é 🎉"
