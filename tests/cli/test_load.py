"""`sspi-async handshake --count N`: its document, its screens, its recordings, its options and its exit codes."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from sspicli.analysis.report import Verdict, report
from sspicli.cli.handshake import command
from sspicli.journal.events import KeyLogged, RunStarted
from sspicli.journal.recording import read_recording
from sspicli.sspi.errors import SspiCliError
from sspicli.sspi.status import SecurityStatus
from tests.handshakes import CLOCK
from tests.pairs import events, only
from tests.processes import begin, environment

FIXED = ["--clock", CLOCK, "--seed", "7"]
EXPIRED = ["--server", "cert=expired"]


def run(*words: str) -> Result:
    return CliRunner().invoke(command, [*FIXED, *words], standalone_mode=False)


def document(*words: str) -> dict[str, Any]:
    return dict(json.loads(run("-f", "json", *words).stdout))


# -- the document ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "in_flight", "workers"),
    [
        ([], 1, 0),
        (["--in-flight", "8"], 8, 0),
        (["--workers", "2"], 4, 2),
        (["--workers", "2", "--in-flight", "9"], 9, 2),
    ],
    ids=str,
)
def test_the_document_counts_what_was_asked_for(words: list[str], in_flight: int, workers: int):
    said = document("--count", "20", *words)
    assert said["schema"] == "sspi-async/load/1"
    assert (said["verdict"], said["verdicts"], said["emulated"]) == (
        "ok",
        {"ok": 20, "failed": 0, "stuck": 0, "unfinished": 0},
        True,
    )
    assert (said["sessions"], said["ended"], said["judged"]) == (20, 20, 20)
    assert (said["in_flight"], said["workers"], said["seed"]) == (in_flight, workers, 7)
    assert (said["failures"], said["findings"], said["credentials_failure"]) == ([], [], None)
    assert said["measured"]["latency_microseconds"]["count"] == 20
    assert said["measured"]["pending_microseconds"]["count"] == 140
    assert said["measured"]["resident_bytes_peak"] > 1 << 20


def test_percentiles_rise_and_stand_between_the_least_and_the_most():
    latency = document("--count", "50", "--in-flight", "5")["measured"]["latency_microseconds"]
    values = [latency[name] for name in ("least", "p50", "p90", "p99", "p99.9", "most")]
    assert values == sorted(values)
    assert values[0] > 0


def test_the_document_groups_failures_and_holds_the_first_of_each_as_a_single_run_has_it():
    said = document("--count", "6", "--workers", "2", *EXPIRED)
    (failure,) = said["failures"]
    assert (said["verdict"], said["verdicts"]) == ("failed", {"ok": 0, "failed": 6, "stuck": 0, "unfinished": 0})
    assert (failure["count"], failure["side"], failure["status"]) == (6, "client", "SEC_E_CERT_EXPIRED")
    assert failure["alert"] == {"number": 45, "name": "certificate_expired"}
    assert (failure["first_session"], failure["first_seed"]) == (1, 7)
    assert failure["first"]["schema"] == "sspi-async/handshake/1"
    assert failure["first"]["failure"]["field"] == "Certificate[0].validity.notAfter"


def test_the_document_without_timing_is_the_same_bytes_again():
    words = ["-f", "json", "--no-timing", "--count", "6", "--in-flight", "3", *EXPIRED]
    first, second = run(*words).stdout, run(*words).stdout
    assert first == second
    assert "measured" not in json.loads(first)


def test_a_race_that_some_seeds_lose_is_counted_with_its_rule_and_the_first_seed_shows_it_alone():
    words = ["--mode", "sample", "--completion", "random", "--order", "seed"]
    said = document("--count", "30", *words)
    (failure,) = said["failures"]
    (finding,) = said["findings"]
    assert said["verdicts"]["ok"] + failure["count"] == 30
    assert said["verdicts"]["ok"] > 0
    assert (finding["code"], finding["count"], failure["rules"]) == ("A006", failure["count"], ["A006"])
    seed = ["--seed", str(failure["first_seed"])]
    alone = json.loads(run("-f", "json", *words, *seed, "--expect", "server=SEC_E_OK").stdout)
    assert [one["code"] for one in alone["findings"]] == ["A006"]


def test_sessions_resume_each_other_where_both_sides_would():
    words = ["--client", "resume=ticket", "--server", "resume=ticket"]
    assert document("--count", "10", *words)["resumed"] == 9
    assert document("--count", "10")["resumed"] == 0


# -- what a person reads -----------------------------------------------------------------------------------------------


def test_the_screen_begins_with_the_verdict_and_quiet_is_the_verdict_alone():
    full, quiet = run("--count", "5"), run("--count", "5", "-q")
    assert full.stdout.startswith("ok  Schannel TLS 1.3  5 sessions  ")
    assert len(quiet.stdout.splitlines()) == 1
    assert (full.stderr, quiet.stderr) == ("", "")


def test_verbose_shows_the_calls_and_buffers_of_one_session():
    text = run("--count", "3", "-v").stdout
    assert "client.call1  init #1" in text
    assert "TOKEN" in text
    failed = run("--count", "3", "-vv", *EXPIRED).stdout
    assert failed.count("leg 3  7 B") == 1
    assert "0000 │16│03 01│" in failed


def test_a_result_goes_to_a_new_file_and_never_over_another(tmp_path: Path):
    path = tmp_path / "result"
    assert run("--count", "2", "-o", str(path)).stdout == ""
    assert path.read_text().startswith("ok  Schannel TLS 1.3  2 sessions")
    assert isinstance(run("--count", "2", "-o", str(path)).exception, SspiCliError)


# -- exit codes and expectations ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ([], 0),
        (EXPIRED, 1),
        (["--fault", "server.accept#2=hang"], 6),
        (["--mode", "sample", "--completion", "inline"], 1),
        ([*EXPIRED, "--expect", "client=SEC_E_CERT_EXPIRED"], 0),
        ([*EXPIRED, "--expect", "client=SEC_E_OK"], 1),
        (["--expect", "SEC_E_OK"], 0),
        (["--expect", "server=SEC_E_CERT_EXPIRED"], 1),
        (["--fault", "client.init#9=hang"], 1),
        (["--fault", "client.init#2=delay:10"], 0),
        (["--fault", "client.acquire=fail:SEC_E_NO_CREDENTIALS"], 1),
        (["--fault", "client.acquire=fail:SEC_E_NO_CREDENTIALS", "--expect", "client=SEC_E_NO_CREDENTIALS"], 0),
        (["--fault", "server.free=fail:SEC_E_INTERNAL_ERROR"], 1),
        (["--fault", "server.free=fail:SEC_E_INTERNAL_ERROR", "--expect", "SEC_E_OK"], 1),
        (["--fault", "server.acquire=hang"], 6),
    ],
    ids=str,
)
@pytest.mark.parametrize("workers", ["0", "2"])
def test_the_exit_code_is_that_of_the_worst_session(words: list[str], code: int, workers: str):
    if workers != "0" and "--completion" in words:
        words = ["--mode", "sample", "--fault", "client.init=fail:SEC_E_INTERNAL_ERROR"]
    ended = run("--count", "4", "--workers", workers, *words)
    assert ended.return_value == code, ended.stdout + ended.stderr


def test_a_missed_expectation_is_said_once_with_the_first_session_that_missed_it():
    ended = run("--count", "9", "--workers", "2", "--expect", "server=SEC_E_CERT_EXPIRED")
    assert ended.stderr == (
        "expectation not met: expected SEC_E_CERT_EXPIRED of the server, got SEC_E_OK; first in session 1\n"
    )


@pytest.mark.parametrize(
    "words",
    [
        ["--in-flight", "3"],
        ["--judge", "all"],
        ["--keep", "3"],
        ["--count", "3", "-f", "jsonl"],
        ["--count", "3", "--schedule", "v1:"],
        ["--count", "3", "--in-flight", "2", "--order", "lifo"],
        ["--count", "3", "--workers", "2", "--completion", "inline"],
        ["--count", "3", "--keep", "2"],
        ["--count", "3", "--record", "-"],
        ["--count", "3", "--pace", "0.01"],
        ["--count", "3", "--keylog", "keys"],
    ],
    ids=" ".join,
)
def test_what_makes_no_sense_is_refused(words: list[str]):
    error = run(*words).exception
    assert isinstance(error, SspiCliError)
    assert (error.exit_code, bool(error.where), bool(error.help)) == (2, True, True)


def test_judging_only_what_fails_is_said():
    assert document("--count", "5", "--judge", "failed")["judged"] == 1  # session 1 is reported in full
    assert document("--count", "5", "--judge", "failed", *EXPIRED)["judged"] == 5


# -- recordings --------------------------------------------------------------------------------------------------------


def test_the_first_session_that_fails_is_recorded_and_says_what_the_screen_says(tmp_path: Path):
    path, keys = tmp_path / "failed", tmp_path / "keys"
    said = document("--count", "5", *EXPIRED, "--record", str(path), "--keylog", str(keys))
    recording = read_recording(path)
    again = report(recording.records)
    assert said["recordings"] == {"1": str(path)}
    assert (recording.note, again.verdict) == ("", Verdict.FAILED)
    assert again.failure is not None
    assert (again.failure.side, again.failure.status) == ("client", SecurityStatus.SEC_E_CERT_EXPIRED)
    assert "you asked for it" in again.failure.cause
    assert only(recording.records, RunStarted).options["session"] == 1
    assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE(keys.stat().st_mode) == 0o600
    assert len(keys.read_text().splitlines()) == len(events(recording.records, KeyLogged))
    assert sorted(one.name for one in tmp_path.iterdir()) == ["failed", "keys"]


def test_more_sessions_that_fail_are_kept_by_their_number(tmp_path: Path):
    said = document("--count", "6", "--workers", "2", *EXPIRED, "--record", str(tmp_path / "f"), "--keep", "3")
    assert len(said["recordings"]) == 3
    for number, path in said["recordings"].items():
        assert path in (str(tmp_path / "f"), str(tmp_path / f"f-{number}"))
        assert only(read_recording(Path(path)).records, RunStarted).options["session"] == int(number)


def test_sessions_that_meet_what_was_expected_are_not_recorded(tmp_path: Path):
    path = tmp_path / "failed"
    ended = run("--count", "3", *EXPIRED, "--expect", "client=SEC_E_CERT_EXPIRED", "--record", str(path))
    assert (ended.return_value, path.exists()) == (0, False)
    assert ended.stderr == f"no session failed: {path} was not written\n"


def test_a_recording_is_never_written_over_a_file_and_its_folder_must_be_there(tmp_path: Path):
    there = tmp_path / "there"
    there.write_text("mine")
    for path in (there, tmp_path / "nowhere" / "file"):
        error = run("--count", "2", "--record", str(path)).exception
        assert isinstance(error, SspiCliError)
        assert error.exit_code == 74
    assert there.read_text() == "mine"


def test_a_recording_that_cannot_be_written_ends_with_74_after_the_result(tmp_path: Path):
    (tmp_path / "f-2").write_text("mine")
    ended = run("--count", "3", *EXPIRED, "--record", str(tmp_path / "f"), "--keep", "3")
    assert isinstance(ended.exception, SspiCliError)
    assert (ended.exception.exit_code, ended.exception.where) == (74, str(tmp_path / "f-2"))
    assert ended.stdout.startswith("FAILED  ")


# -- while it runs -----------------------------------------------------------------------------------------------------


def test_nothing_is_left_running():
    before = threading.active_count()
    run("--count", "5", "--workers", "3")
    assert threading.active_count() == before


@pytest.mark.skipif(os.name != "posix", reason="a process is interrupted by SIGINT on POSIX only")
@pytest.mark.parametrize("words", [[], ["--in-flight", "8"], ["--workers", "2"]], ids=str)
def test_ctrl_c_prints_what_was_done(words: list[str]):
    process = begun("--count", "1000000", "-f", "json", *words)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    said = json.loads(out)
    assert process.returncode == 130
    assert "Traceback" not in err
    assert (said["interrupted"], said["verdict"]) == (True, "unfinished")
    assert 0 < said["ended"] == said["verdicts"]["ok"] < 1_000_000
    assert said["cut_off"] == said["in_flight"]
    assert said["credentials_failure"] is None


@pytest.mark.skipif(os.name != "posix", reason="a process is interrupted by SIGINT on POSIX only")
def test_a_second_ctrl_c_ends_at_once():
    process = begun("--count", "1000000", "--workers", "2")
    for _ in range(2):
        process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Traceback" not in err
    assert "interrupted" in out + err


def begun(*words: str) -> subprocess.Popen[str]:
    """Begin a run that lasts, and wait until sessions have ended: a failing one leaves its recording."""
    process: subprocess.Popen[str] = begin(
        [sys.executable, "-m", "sspicli", "handshake", *words], text=True, env=environment()
    )
    assert process.stderr is not None
    deadline = time.monotonic() + 60
    while "sessions" not in process.stderr.readline():  # the first line of progress, after some seconds
        assert process.poll() is None
        assert time.monotonic() < deadline
    return process


@pytest.mark.skipif(os.name != "posix", reason="pseudo-terminals")
@pytest.mark.parametrize(("term", "redraws"), [("xterm", True), ("dumb", False)])
def test_on_a_terminal_one_line_is_redrawn_and_wiped_and_on_a_dumb_one_there_is_none(term: str, *, redraws: bool):
    ours, theirs = os.openpty()
    command = [sys.executable, "-m", "sspicli", "handshake", "--count", "300", "--in-flight", "4"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=theirs, env=environment(TERM=term)) as process:
        os.close(theirs)
        assert process.stdout is not None
        out, shown = process.stdout.read().decode(), _read_all(ours)
    assert process.returncode == 0
    assert out.startswith("ok  Schannel TLS 1.3  300 sessions")
    assert "\x1b" not in out
    assert (b"of 300 sessions" in shown and shown.endswith(b"\r\x1b[K")) == redraws
    assert (b"\x1b" in shown) == redraws


def _read_all(descriptor: int) -> bytes:
    parts = []
    while True:
        try:
            part = os.read(descriptor, 65536)
        except OSError:  # the other end is gone
            break
        if not part:
            break
        parts.append(part)
    os.close(descriptor)
    return b"".join(parts)
