"""`verify`: files and folders judged, what is set aside, what cannot be read, and what the process ends with."""

from __future__ import annotations

import json
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from sspicli.analysis.rules import RULES
from tests.handshakes import records_of
from tests.processes import sspi


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Record a run that breaks no rule, and the documentation's sample, which breaks one."""
    folder = tmp_path_factory.mktemp("recordings")
    (folder / "deep" / "deeper").mkdir(parents=True)
    records_of(record=folder / "good.sspirec")
    records_of(record=folder / "deep" / "deeper" / "bad.sspirec", mode="sample", completion="inline")
    (folder / "deep" / "notes.txt").write_text("no recording, and not looked at")
    return folder


def verify(folder: Path, *arguments: str) -> CompletedProcess[str]:
    ended: CompletedProcess[str] = sspi("verify", *arguments, cwd=folder)
    return ended


def documented(folder: Path, *arguments: str) -> dict[str, Any]:
    told = json.loads(verify(folder, *arguments, "-f", "json").stdout)
    assert isinstance(told, dict)
    return told


def test_a_run_that_breaks_no_rule_is_ok(recordings):
    ended = verify(recordings, "good.sspirec")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.startswith("ok  1 recording, ")
    assert ended.stdout.count("\n") == 1


def test_a_folder_is_searched_and_a_finding_names_file_rule_record_and_remedy(recordings):
    ended = verify(recordings, ".")
    assert (ended.returncode, ended.stderr) == (1, "")
    verdict, _, file, head, seen, remedy = ended.stdout.splitlines()
    assert verdict.startswith("FAILED  2 recordings, ")
    assert file == str(Path("deep", "deeper", "bad.sspirec"))
    assert head == "A006 error: server.ac2 used after it was freed"
    assert "records #" in seen
    assert RULES["A006"].fix in remedy
    assert "inferred" in remedy


def test_a_file_named_twice_is_judged_once(recordings):
    assert "1 recording," in verify(recordings, "good.sspirec", "good.sspirec").stdout


def test_standard_input_is_verified_too(recordings):
    ended = sspi("verify", "-", cwd=recordings, stdin=(recordings / "good.sspirec").read_text())
    assert (ended.returncode, ended.stdout.split()[0]) == (0, "ok")


def test_a_folder_without_recordings_leaves_nothing_to_verify(recordings, tmp_path):
    ended = verify(tmp_path, ".")
    assert (ended.returncode, ended.stdout) == (5, "")
    assert "no *.sspirec in ." in ended.stderr


def test_no_path_is_a_wrong_command_line(tmp_path):
    assert verify(tmp_path).returncode == 2


def test_every_file_that_cannot_be_read_is_named_and_the_others_are_judged(recordings):
    ended = verify(recordings, "nowhere", "deep/notes.txt", "good.sspirec")
    assert ended.returncode == 3
    assert ended.stdout.startswith("UNREADABLE  1 recording, ")
    assert "error: nowhere: there is no such file" in ended.stderr
    assert "error: deep/notes.txt" in ended.stderr


def test_a_recording_that_breaks_off_says_what_is_not_known(recordings, tmp_path):
    whole = (recordings / "good.sspirec").read_text().splitlines(keepends=True)
    (tmp_path / "cut.sspirec").write_text("".join(whole[:40]))
    ended = verify(tmp_path, "cut.sspirec")
    assert ended.returncode == 0
    assert "it breaks off before its run ended" in ended.stdout
    assert documented(tmp_path, "cut.sspirec")["files"][0]["whole"] is False


# -- set aside, and judged otherwise -----------------------------------------------------------------------------------
def test_a_rule_that_is_set_aside_for_a_reason_fails_nothing_and_is_still_listed(recordings):
    ended = verify(recordings, "deep", "--ignore", "a006=the sample is known")
    assert ended.returncode == 0
    assert "1 set aside" in ended.stdout
    assert "the sample is known" in ended.stdout
    (file,) = documented(recordings, "deep", "--ignore", "A006=why")["files"]
    assert file["findings"] == []
    assert [(one["code"], one["reason"]) for one in file["ignored"]] == [("A006", "why")]


@pytest.mark.parametrize(("strict", "code"), [((), 0), (("--strict",), 1)])
def test_a_suppression_that_set_nothing_aside_is_reported_and_strictly_fails(recordings, strict, code):
    ended = verify(recordings, "good.sspirec", "--ignore", "A014=it spins", *strict)
    assert ended.returncode == code
    assert "nothing broke A014" in ended.stdout


@pytest.mark.parametrize("level", ["warning", "info"])
def test_a_severity_can_be_lowered_and_strictly_fails_all_the_same(recordings, level):
    lowered = ("deep", "--severity", f"A006={level}")
    ended = verify(recordings, *lowered)
    assert ended.returncode == 0
    assert f"A006 {level}:" in ended.stdout
    assert verify(recordings, *lowered, "--strict").returncode == 1


@pytest.mark.parametrize(
    ("option", "said", "hint"),
    [
        ("--ignore", "A006", "A006 lacks its REASON"),
        ("--ignore", "A006= ", "A006 lacks its REASON"),
        ("--ignore", "A06=why", "did you mean A0"),
        ("--severity", "A006=eror", "did you mean error?"),
        ("--severity", "A006", "A006 lacks its LEVEL"),
        ("--severity", "Q=error", "--list-rules"),
    ],
)
def test_what_is_said_of_a_rule_is_understood_or_refused(recordings, option, said, hint):
    ended = verify(recordings, "deep", option, said)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert hint in ended.stderr


def test_a_rule_is_given_once(recordings):
    ended = verify(recordings, "deep", "--ignore", "A006=x", "--ignore", "a006=y")
    assert ended.returncode == 2
    assert "given twice" in ended.stderr


# -- documents ---------------------------------------------------------------------------------------------------------
def test_the_document_says_what_the_text_says(recordings):
    told = documented(recordings, ".")
    assert (told["schema"], told["verdict"], told["exit_code"]) == ("sspi-async/verify/1", "failed", 1)
    assert told["counts"] == {"error": 1, "warning": 0, "info": 0}


def test_a_problem_stands_in_the_document_too(recordings):
    told = documented(recordings, "nowhere", "good.sspirec")
    (problem,) = told["problems"]
    assert (problem["code"], problem["file"]) == ("E0401", "nowhere")


def test_the_sarif_log_has_each_finding_at_its_record_and_goes_to_a_new_file(recordings, tmp_path):
    target = tmp_path / "verify.sarif"
    ended = verify(recordings, ".", "-f", "sarif", "-o", str(target))
    assert (ended.returncode, ended.stdout) == (1, "")
    (run,) = json.loads(target.read_text())["runs"]
    (result,) = run["results"]
    (place,) = result["locations"]
    assert result["ruleId"] == "A006"
    assert place["physicalLocation"]["artifactLocation"]["uri"] == "deep/deeper/bad.sspirec"
    assert verify(recordings, ".", "-o", str(target)).returncode == 74


# -- the table of the rules --------------------------------------------------------------------------------------------
def test_all_rules_are_listed_with_how_bad_how_known_and_how_shown(tmp_path):
    ended = verify(tmp_path, "--list-rules")
    assert (ended.returncode, ended.stderr) == (0, "")
    rows = {row.split()[0]: row.split()[1:4] for row in ended.stdout.splitlines() if row[:4] in RULES}
    assert rows == {code: [rule.severity, rule.evidence, rule.reach.value] for code, rule in RULES.items()}
    assert len(rows) == 66


def test_the_rules_as_a_document_hold_all_that_is_known_of_them(tmp_path):
    told = json.loads(verify(tmp_path, "--list-rules", "-f", "json").stdout)
    assert told["schema"] == "sspi-async/rules/1"
    for one in told["rules"]:
        rule = RULES[one["code"]]
        assert (one["title"], one["evidence"], one["reach"]) == (rule.title, rule.evidence, rule.reach)
        assert one["documented"] == rule.documented
        assert one["reference"]["url"].startswith("https://")


def test_listing_rules_judges_nothing(recordings):
    assert verify(recordings, "--list-rules", "good.sspirec").returncode == 2
    assert verify(recordings, "--list-rules", "-f", "sarif").returncode == 2
