"""Findings and failures as SARIF 2.1.0: valid by models made from the standard's schema, with places that exist."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given
from pydantic_sarif.model import StaticAnalysisResultsFormatSarifVersion210JsonSchema as Log

from sspicli.analysis.cases import Outcome, SuiteResult
from sspicli.analysis.rules import RULES, Finding
from sspicli.journal.codec import Encoder
from sspicli.reports.sarif import findings_sarif_text, line_of, sarif_text
from tests.handshakes import records_of
from tests.suites import FAILED, FILE, LEAK, ODD, PROBLEM, case, hostile_suites, one_of_each


def run_of(text: str) -> dict[str, Any]:
    (run,) = json.loads(text)["runs"]
    return run  # type: ignore[no-any-return]


def results_of(suite: SuiteResult) -> list[dict[str, Any]]:
    return run_of(sarif_text(suite))["results"]  # type: ignore[no-any-return]


@pytest.mark.parametrize("suite", [one_of_each(), SuiteResult(), SuiteResult(problems=[PROBLEM])])
def test_the_log_is_valid(suite):
    assert Log.model_validate_json(sarif_text(suite)).version.value == "2.1.0"


def test_the_models_refuse_a_member_that_the_standard_has_not():
    said = json.loads(sarif_text(one_of_each()))
    said["runs"][0]["results"][0]["colour"] = "red"
    with pytest.raises(ValueError, match="colour"):
        Log.model_validate(said)


@given(hostile_suites())
def test_whatever_the_names_are_it_is_valid_and_ascii_and_each_result_points_at_its_rule(suite):
    text = sarif_text(suite)
    assert text.isascii()
    Log.model_validate_json(text)
    run = run_of(text)
    for one in run["results"]:
        assert run["tool"]["driver"]["rules"][one["ruleIndex"]]["id"] == one["ruleId"]
        (location,) = one["locations"]
        uri = location["physicalLocation"]["artifactLocation"]["uri"]
        assert uri.isprintable()
        assert " " not in uri


def test_a_result_stands_where_the_expected_value_stands_and_names_its_case_and_step():
    first, second = results_of(SuiteResult(cases=[FAILED]))
    (location,) = first["locations"]
    assert location["physicalLocation"]["artifactLocation"] == {"uri": FILE, "uriBaseId": "%SRCROOT%"}
    region = location["physicalLocation"]["region"]
    assert [region[name] for name in ("startLine", "startColumn", "endColumn")] == [17, 23, 41]
    assert location["logicalLocations"][0]["fullyQualifiedName"] == f"{FAILED.id}::leg 3"
    assert (first["ruleId"], second["ruleId"]) == ("E0201", "A008")
    assert [one["physicalLocation"]["region"]["startLine"] for one in second["relatedLocations"]] == [42, 48]


def test_levels_follow_the_severity_of_the_rule_and_every_misuse_rule_has_its_page():
    run = run_of(sarif_text(SuiteResult(cases=[case(warnings=(ODD,), findings=(LEAK,), outcome=Outcome.FAILED)])))
    rules = {one["id"]: one for one in run["tool"]["driver"]["rules"]}
    assert {one["ruleId"]: one["level"] for one in run["results"]} == {"A008": "error", "A011": "warning"}
    assert rules["A011"]["defaultConfiguration"]["level"] == "warning"
    assert rules["A008"]["helpUri"].startswith("https://learn.microsoft.com/")
    assert RULES["A008"].documented in rules["A008"]["fullDescription"]["text"]
    assert "sspi-async explain A008" in rules["A008"]["help"]["text"]


def test_what_is_expected_to_fail_is_there_and_suppressed_with_its_reason():
    suppressed = [one for one in results_of(one_of_each()) if "suppressions" in one]
    assert [one["suppressions"] for one in suppressed] == [[{"kind": "inSource", "justification": "issue 12"}]]
    assert suppressed[0]["level"] == "note"


def test_a_fingerprint_outlives_lines_that_move_and_tells_steps_and_keys_apart():
    (unmet,) = FAILED.unmet
    moved = replace(unmet, place=unmet.place._replace(line=40))
    other = replace(unmet, step="leg 4")
    key = replace(unmet, key="alert")
    first, second, *others = (
        results_of(SuiteResult(cases=[replace(FAILED, findings=(), unmet=(one,))]))[0]["partialFingerprints"]
        for one in (unmet, moved, other, key)
    )
    assert first == second
    assert len({str(one) for one in (first, *others)}) == 3


@pytest.mark.parametrize(("suite", "is_whole"), [(one_of_each(), True), (SuiteResult(problems=[PROBLEM]), False)])
def test_a_run_is_successful_when_all_was_run_whatever_was_found(suite, is_whole):
    (said,) = run_of(sarif_text(suite))["invocations"]
    assert said["executionSuccessful"] is is_whole
    assert said["exitCode"] == int(suite.exit_code)


def test_findings_of_recordings_stand_at_the_lines_of_their_records():
    text = findings_sarif_text({"runs/a b.sspirec": [LEAK], "/x/b.sspirec": [ODD]}, exit_code=1)
    Log.model_validate_json(text)
    first, second = run_of(text)["results"]
    physical = first["locations"][0]["physicalLocation"]
    assert physical == {
        "artifactLocation": {"uri": "runs/a%20b.sspirec", "uriBaseId": "%SRCROOT%"},
        "region": {"startLine": 42},
    }
    assert [one["message"]["text"] for one in first["relatedLocations"]] == ["record #47"]
    assert second["locations"][0]["physicalLocation"]["artifactLocation"] == {"uri": "file:///x/b.sspirec"}


def test_the_line_of_a_record_is_where_a_recording_has_it():
    encoder = Encoder()
    records = records_of()
    lines = [encoder.header(has_secrets=False), *(encoder.line(one) for one in records)]
    at = line_of(records[5].sequence)
    assert json.loads(lines[at - 1])["n"] == records[5].sequence


@pytest.mark.parametrize("name", ["a:b/c.yaml", "ä ö.yaml", "%41.yaml", "x?y#z", "\udcff.yaml"])
def test_a_file_is_named_by_a_reference_that_leads_back_to_it(name):
    finding = Finding(RULES["A008"], "server.ac1", "it leaked", (1,))
    uri = run_of(findings_sarif_text({name: [finding]}, exit_code=1))["results"][0]["locations"][0]["physicalLocation"][
        "artifactLocation"
    ]["uri"]
    assert unquote(uri, errors="surrogateescape") == name
    assert ":" not in uri
