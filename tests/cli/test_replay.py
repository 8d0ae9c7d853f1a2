"""`sspi-async replay` as a user meets it: what it prints, what it writes, what it ends with."""

import json
import os
import shlex
import signal
import stat
import sys
import xml.etree.ElementTree as ET

import pytest

from tests.cli.test_rerun import changed, plain_lines
from tests.edited import sealed
from tests.handshakes import records_of
from tests.processes import begin, environment, sspi


@pytest.fixture(scope="module")
def recordings(tmp_path_factory):
    """Record two runs, and one that will not come out so again."""
    folder = tmp_path_factory.mktemp("recordings")
    records_of(record=folder / "a.sspirec")
    records_of(record=folder / "b.sspirec", server=("cert=expired",))
    changed(folder / "c.sspirec", CallCompleted={"status": "SEC_E_INTERNAL_ERROR"})
    return folder


class Replay:
    """Runs `replay` in a folder, with a state of its own."""

    def __init__(self, folder):
        self.folder = folder

    def __call__(self, *words, **variables):
        return sspi("replay", *words, cwd=self.folder, XDG_STATE_HOME=str(self.folder / "state"), **variables)


@pytest.fixture
def replay(recordings, tmp_path):
    """Give a folder of its own with the recordings in it."""
    for one in recordings.iterdir():
        (tmp_path / one.name).write_bytes(one.read_bytes())

    return Replay(tmp_path)


A, B, C = "a.sspirec", "b.sspirec", "c.sspirec"


def ids(document):
    return [one["id"] for one in document["cases"]]


def test_recordings_that_come_out_the_same_pass_even_where_the_run_failed(replay):
    ended = replay(A, B, "--no-timing")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "TOTAL 2  PASS 2" in ended.stdout


def test_a_recording_that_does_not_is_nondeterminism_with_the_record_and_both_sides(replay):
    ended = replay(A, C, "--no-timing")
    assert ended.returncode == 1
    assert "nondeterminism" in ended.stdout
    number = next(
        n for n, text in enumerate((replay.folder / C).read_text().splitlines(), 1) if "INTERNAL_ERROR" in text
    )
    assert f"{C}:{number}:1" in ended.stdout
    assert "status=SEC_E_INTERNAL_ERROR" in ended.stdout
    assert "status=SEC_E_OK" in ended.stdout


@pytest.mark.parametrize("jobs", ["1", "2", "4"])
def test_what_is_printed_does_not_depend_on_how_many_processes_ran(replay, jobs):
    words = [A, B, C, "--no-timing", "-v"]
    assert replay(*words, "--jobs", jobs).stdout == replay(*words).stdout


def test_a_file_that_is_no_recording_is_a_problem_and_the_others_are_run(replay):
    (replay.folder / "bad.sspirec").write_text('{"schema":"sspi-async/recording/1","broken')
    ended = replay("bad.sspirec", A, "-f", "json")
    document = json.loads(ended.stdout)
    assert ended.returncode == 3
    assert ids(document) == [f"{A}::recording"]
    assert document["problems"][0]["message"].startswith("this is not a recording")


def test_a_recording_of_workers_says_why_it_cannot_be_run_again(replay):
    sspi("handshake", "--workers", "1", "--record", "w.sspirec", cwd=replay.folder)
    ended = replay("w.sspirec")
    assert ended.returncode == 3
    assert "worker threads" in ended.stdout


def test_a_recording_whose_certificate_is_gone_names_the_file(replay):
    lines = plain_lines(records_of())
    lines[0]["options"]["server"] = ["cert=gone.pem", "key=gone.pem"]
    (replay.folder / "g.sspirec").write_bytes(sealed(lines))
    ended = replay("g.sspirec")
    assert ended.returncode == 1
    assert "gone.pem" in ended.stdout


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["nowhere"], 3),
        ([], 2),
        ([A, "-k", "nothing"], 5),
        (["."], 5),
        ([A, "-k", "and"], 2),
        ([A, "--shard", "3/2"], 2),
        ([A, "--shard", "2/2"], 5),
        ([A, B, "--schedule", "v1:"], 2),
        ([A, "--schedule", "nonsense"], 2),
        ([A, "--from", "nobody"], 2),
        ([f"{A}::nobody"], 2),
        ([A, "-f", "nonsense"], 2),
        ([A, "--junit", "no/such/x.xml"], 74),
        ([A, "--junit", "x", "--tap", "x"], 2),
        ([A, "--junit", "-"], 2),
        ([A, "-o", B], 74),
        ([A, "--artifacts", f"{B}/x"], 74),
        ([A, "--events", "-", "-f", "json"], 2),
        ([A, "--list", "-f", "junit"], 2),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else str(value),
)
def test_what_cannot_be_run_ends_with_its_code_and_a_sentence(replay, words, code):
    ended = replay(*words)
    assert ended.returncode == code, ended.stderr
    assert ended.stderr.startswith("error: ") or "Usage" in ended.stderr


def test_nothing_is_run_where_a_report_could_not_be_written(replay):
    ended = replay(A, "--events", "e.jsonl", "--junit", "no/such/x.xml")
    assert ended.returncode == 74
    assert not (replay.folder / "e.jsonl").exists()


def test_selections_narrow_each_other(replay):
    every = [f"{one}::recording" for one in (A, B, C)]

    def listed(*words):
        return replay(A, B, C, "--list", *words).stdout.splitlines()

    assert listed() == every
    assert listed("-k", "not b.sspi") == [every[0], every[2]]
    assert listed("--from", every[1]) == every[1:]
    assert listed("--to", B) == every[:2]
    assert listed("--shard", "1/2") == [every[0], every[2]]
    assert listed("--shard", "2/2") == [every[1]]
    assert replay(f"{B}::recording", "--list").stdout.splitlines() == [every[1]]


def test_a_list_is_a_document_too(replay):
    document = json.loads(replay(A, "--list", "-f", "json").stdout)
    assert document == {
        "schema": "sspi-async/replay-list/1",
        "cases": [{"id": f"{A}::recording", "file": A, "line": 2, "scenario": "recording", "tags": []}],
    }


def test_the_last_failures_are_run_again_and_all_when_there_are_none(replay):
    words = (A, B, C, "--last-failed", "--list")
    assert len(replay(*words).stdout.splitlines()) == 3
    replay(A, B, C)
    assert replay(*words).stdout.splitlines() == [f"{C}::recording"]
    (replay.folder / C).write_bytes((replay.folder / A).read_bytes())
    replay(C, "--last-failed")
    assert len(replay(*words).stdout.splitlines()) == 3


@pytest.mark.parametrize("state", ["", "nonsense", "[]", '{"schema":"sspi-async/last-failed/1","failed":7}', "\0"])
def test_a_state_that_is_damaged_is_none(replay, state):
    replay(A, C)
    for one in (replay.folder / "state").rglob("*.json"):
        one.write_text(state)
    assert replay(A, "--last-failed").returncode == 0


def test_a_state_that_cannot_be_written_is_passed_over(replay):
    (replay.folder / "state").write_text("a file")
    assert replay(C).returncode == 1
    assert replay(A, "--last-failed").returncode == 0


def test_failing_fast_says_what_was_not_run(replay):
    ended = replay(C, A, B, "--fail-fast", "-f", "json", "--jobs", "2")
    document = json.loads(ended.stdout)
    assert ended.returncode == 1
    assert (ids(document), document["not_run"]) == ([f"{C}::recording"], [f"{A}::recording", f"{B}::recording"])


def test_a_case_that_fails_is_tried_again(replay):
    document = json.loads(replay(C, "--retry", "2", "-f", "json").stdout)
    assert document["cases"][0]["attempt"] == 3


def test_reports_are_written_beside_the_text_and_over_those_of_the_last_run(replay):
    (replay.folder / "r.xml").write_text("old")
    (replay.folder / "r.xml").chmod(0o640)
    words = ["--junit", "r.xml", "--json", "r.json", "--sarif", "r.sarif", "--tap", "r.tap", "--markdown", "r.md"]
    ended = replay(A, C, *words)
    assert (ended.returncode, "TOTAL 2" in ended.stdout) == (1, True)
    assert ET.parse(replay.folder / "r.xml").getroot().get("failures") == "1"
    assert stat.S_IMODE((replay.folder / "r.xml").stat().st_mode) == 0o640
    assert json.loads((replay.folder / "r.json").read_text())["exit_code"] == 1
    assert json.loads((replay.folder / "r.sarif").read_text())["runs"]
    assert (replay.folder / "r.tap").read_text().startswith("TAP version 14")
    assert "recording" in (replay.folder / "r.md").read_text()
    assert not [one for one in replay.folder.iterdir() if one.name.startswith(".")]


@pytest.mark.parametrize("format", ["json", "junit", "tap", "sarif", "github", "markdown"])
def test_a_file_holds_what_stdout_would_carry(replay, format):
    words = [A, C, "--no-timing", "-f", format]
    printed = replay(*words)
    assert replay(*words, "-o", "out").stdout == ""
    assert (replay.folder / "out").read_text() == printed.stdout
    assert printed.stderr == ""


def test_events_come_as_lines_and_stdout_carries_them_alone(replay):
    ended = replay(A, C, "--events", "-", "--jobs", "2")
    events = [json.loads(line) for line in ended.stdout.splitlines()]
    assert [one["event"] for one in events] == ["suite-started", "case-ended", "case-ended", "suite-ended"]
    assert {one["id"] for one in events[1:3]} == {f"{A}::recording", f"{C}::recording"}
    assert events[-1]["exit_code"] == ended.returncode == 1
    replay(A, C, "--events", "e.jsonl", "--no-timing")
    replay(A, C, "--events", "e.jsonl", "--no-timing")
    assert len((replay.folder / "e.jsonl").read_text().splitlines()) == 4


def test_github_gets_annotations_and_a_summary_and_stdout_stays_pure(replay):
    (replay.folder / "summary.md").write_text("before\n")
    variables = {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(replay.folder / "summary.md")}
    ended = replay(A, C, "-f", "json", **variables)
    json.loads(ended.stdout)
    assert f"::error file={C},line=" in ended.stderr
    assert (replay.folder / "summary.md").read_text().startswith("before\n")
    assert "recording" in (replay.folder / "summary.md").read_text()
    assert replay(A, C, "-f", "github", **variables).stderr == ""


def test_a_summary_that_cannot_be_written_is_told_and_no_failure(replay):
    ended = replay(A, GITHUB_ACTIONS="true", GITHUB_STEP_SUMMARY=str(replay.folder / "no" / "such"))
    assert ended.returncode == 0
    assert "step summary" in ended.stderr


@pytest.mark.skipif(os.name != "posix", reason="signals of a POSIX system")
@pytest.mark.parametrize(("name", "code"), [("SIGINT", 130), ("SIGTERM", 143)])
@pytest.mark.parametrize("jobs", ["1", "2"])
def test_an_ended_suite_prints_what_was_done_and_leaves_no_process(replay, name, code, jobs):
    running = begin(
        [sys.executable, "-m", "sspicli", "replay", A, B, "--repeat", "100000", "--jobs", jobs, "--events", "e.jsonl"],
        text=True,
        cwd=replay.folder,
        env=environment(),
        start_new_session=True,
    )
    while not (replay.folder / "e.jsonl").exists():
        assert running.poll() is None
    os.killpg(running.pid, getattr(signal, name))
    out, _ = running.communicate(timeout=30)
    assert running.returncode == code
    assert "NOT RUN 2" in out
    assert f"{'interrupted' if code == 130 else 'terminated'}, exit {code}" in " ".join(out.split())
    with pytest.raises(ProcessLookupError):
        os.killpg(running.pid, 0)


# -- scenarios ---------------------------------------------------------------------------------------------------------

GOOD = """schema: sspi-async/scenario/1
name: a handshake
tags: [tls]
matrix: {tls: ["1.2", "1.3"]}
session: {package: schannel, tls: $tls}
expect: {verdict: ok}
"""
WRONG = """schema: sspi-async/scenario/1
name: not so  # kept
session: {package: schannel, server: {cert: expired}}
expect: {client: SEC_E_UNTRUSTED_ROOT}  # kept
"""


@pytest.fixture
def scenarios(replay):
    (replay.folder / "in").mkdir()
    (replay.folder / "in" / "good.sspi.yaml").write_text(GOOD)
    (replay.folder / "in" / "wrong.sspi.yaml").write_text(WRONG)
    return replay


def test_a_folder_of_scenarios_is_run_in_its_order(scenarios):
    document = json.loads(scenarios("in", A, "-f", "json").stdout)
    assert ids(document) == [
        "in/good.sspi.yaml::a handshake[1.2]",
        "in/good.sspi.yaml::a handshake[1.3]",
        "in/wrong.sspi.yaml::not so",
        f"{A}::recording",
    ]
    assert [one["outcome"] for one in document["cases"]] == ["pass", "pass", "fail", "pass"]


def test_the_line_that_runs_a_failed_case_again_does(scenarios):
    printed = scenarios("in").stdout
    command = next(line.partition("again: ")[2] for line in printed.splitlines() if "again: " in line)
    assert "in/wrong.sspi.yaml::not so" in command
    ended = scenarios(*shlex.split(command)[2:])
    assert ended.returncode == 1
    assert "TOTAL 1 " in ended.stdout


def test_a_failed_case_leaves_a_recording_that_comes_out_the_same(scenarios):
    scenarios("in", "--artifacts", "kept/here", "--jobs", "2")
    scenarios("in", "--artifacts", "kept/here")
    names = sorted(one.name for one in (scenarios.folder / "kept" / "here").iterdir())
    assert names == ["wrong-not-so-2.sspirec", "wrong-not-so.sspirec"]
    assert scenarios(*(f"kept/here/{name}" for name in names)).returncode == 0


def test_updating_rewrites_the_expectation_and_says_what_changed(scenarios):
    ended = scenarios("in", "--update")
    assert ended.returncode == 0
    assert "+expect: {client: SEC_E_CERT_EXPIRED}  # kept" in ended.stderr
    assert "1 expectation rewritten, the cases are run again" in ended.stderr
    text = (scenarios.folder / "in" / "wrong.sspi.yaml").read_text()
    assert text == WRONG.replace("SEC_E_UNTRUSTED_ROOT", "SEC_E_CERT_EXPIRED")
    assert scenarios("in").returncode == 0


def test_updating_what_holds_changes_nothing(scenarios):
    before = (scenarios.folder / "in" / "good.sspi.yaml").stat()
    ended = scenarios("in/good.sspi.yaml", "--update")
    assert (ended.returncode, ended.stderr) == (0, "0 expectations rewritten\n")
    after = (scenarios.folder / "in" / "good.sspi.yaml").stat()
    assert (after.st_mtime_ns, after.st_ino) == (before.st_mtime_ns, before.st_ino)


def test_a_file_that_is_no_scenario_tells_all_its_problems_and_the_others_are_run(scenarios):
    (scenarios.folder / "in" / "bad.sspi.yaml").write_text("schema: sspi-async/scenario/1\nnme: x\nexpct: {}\n")
    (scenarios.folder / "in" / "worse.sspi.yaml").write_bytes(b"\xff\xfe\x00")
    ended = scenarios("in", "-f", "json")
    document = json.loads(ended.stdout)
    assert ended.returncode == 3
    assert len(document["cases"]) == 3
    places = [(one["file"], one["line"]) for one in document["problems"]]
    assert [one for one in places if one[0] == "in/bad.sspi.yaml"][-2:] == [
        ("in/bad.sspi.yaml", 2),
        ("in/bad.sspi.yaml", 3),
    ]
    assert any(file == "in/worse.sspi.yaml" for file, _ in places)


def test_tags_choose_cases_and_an_unknown_one_is_named(scenarios):
    assert len(scenarios("in", "--tag", "tls", "--list").stdout.splitlines()) == 2
    assert scenarios("in", "--tag", "!tls", "--list").stdout.splitlines() == ["in/wrong.sspi.yaml::not so"]
    ended = scenarios("in", "--tag", "tsl")
    assert ended.returncode == 5
    assert "did you mean 'tls'?" in ended.stderr


def test_a_schedule_is_for_one_case(scenarios):
    good = "in/good.sspi.yaml::a handshake[1.3]"
    assert scenarios(good, "--schedule", "v1:01").returncode == 0
    ended = scenarios(good, "--schedule", "v1:zzz")
    assert ended.returncode == 1
    assert "diverged" in ended.stdout


def test_a_recorded_scenario_is_run_from_the_text_in_the_recording(scenarios):
    scenarios("in/wrong.sspi.yaml", "--artifacts", "kept", "--schedule", "v1:01")
    (scenarios.folder / "in" / "wrong.sspi.yaml").unlink()
    assert scenarios("kept/wrong-not-so.sspirec").returncode == 0


# -- recordings that are not whole -------------------------------------------------------------------------------------


def edited(replay, change):
    """Give a recording other lines."""
    path = replay.folder / A
    path.write_bytes(b"".join(change(path.read_bytes().splitlines(keepends=True))))


def test_a_recording_that_was_cut_is_said_to_be_so_in_full_on_stderr(replay):
    edited(replay, lambda lines: lines[:8])
    ended = replay(A)
    assert ended.returncode == 0
    assert ended.stderr == "note: a.sspirec: the recording ends before the run did, after no call\n"


def test_a_recording_with_records_taken_out_is_refused(replay):
    edited(replay, lambda lines: lines[:4] + lines[5:])
    ended = replay(A)
    assert ended.returncode == 3
    assert "records are missing: record 4 is not in its place" in ended.stdout
    assert "a.sspirec:5" in ended.stdout


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda lines: [lines[0].replace(b"false", b"true"), *lines[1:]], "does not match its checksum"),
        (lambda lines: [], "the file is empty"),
        (lambda lines: [b"junk\n"], "the line is cut short"),
    ],
)
def test_a_recording_whose_first_line_cannot_be_read_is_told_as_a_recording(replay, change, said):
    edited(replay, change)
    ended = replay(A)
    assert ended.returncode == 3
    assert "this is not a recording: " in ended.stdout
    assert said in " ".join(ended.stdout.split())


def test_one_bad_document_leaves_the_others_of_its_file_and_the_summary_counts_them(replay):
    (replay.folder / "a.sspi.yaml").write_text(f"{GOOD}---\n{GOOD.replace('a handshake', 'b')}oops: 1\n")
    ended = replay("a.sspi.yaml")
    assert ended.returncode == 3
    assert "NOT RUN 2" in " ".join(ended.stdout.split())
