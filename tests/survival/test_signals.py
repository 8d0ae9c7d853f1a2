"""Killed, terminated or interrupted, at any instant: what was recorded can be read, and no traceback is shown."""

from __future__ import annotations

import random
import signal
import subprocess
import time
from pathlib import Path

import pytest

from sspicli.journal.codec import Decoder
from sspicli.journal.events import RunEnded
from sspicli.journal.recording import Recording, read_recording
from sspicli.sspi.errors import InputError
from tests.pairs import IS_DEEP
from tests.processes import begin, environment
from tests.survival.command_lines import LINES, PROGRAM, CommandLine, assert_clean, folder, line, posix, run

__all__ = ["folder"]
pytestmark = posix
KILLS = 1000 if IS_DEEP else 25
SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"]
STATUSES = {"SIGINT": 130, "SIGTERM": 143, "SIGHUP": 143}
REASONS = {"SIGINT": "interrupted", "SIGTERM": "terminated", "SIGHUP": "terminated"}

LASTING = {
    "stepped": "handshake --messages 10000",
    "delayed": "handshake --messages 10000 --fault client.init#2=delay:1000",
    "threads": "handshake --messages 10000 --workers 2",
    "polling threads": "handshake --messages 10000 --workers 2 --mode poll",
}


def begun(kind: str, path: Path) -> subprocess.Popen[bytes]:
    """Begin a run that lasts, and wait until its recording shows that it got there."""
    command = [str(PROGRAM), *LASTING[kind].split(), "--record", str(path)]
    process: subprocess.Popen[bytes] = begin(command, cwd=path.parent, env=environment())
    until(process, lambda: path.exists() and b"MessageEncrypted" in path.read_bytes())
    return process


def until(process: subprocess.Popen[bytes], is_so) -> None:
    """Wait for something that another process does; it has no way to tell us."""
    deadline = time.monotonic() + 30
    while not is_so():
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.002)


def ended(process: subprocess.Popen[bytes]) -> tuple[int, str, str, float]:
    """Wait for the end: exit code, both streams, and how long it took."""
    began = time.monotonic()
    out, err = process.communicate(timeout=60)
    return process.returncode, out.decode(), err.decode(), time.monotonic() - began


def assert_readable(path: Path) -> Recording | None:
    """Make sure that a recording is readable to its last whole line; None for one that is not begun."""
    if not path.exists() or not path.stat().st_size:
        return None
    recording = read_recording(path)
    lines = path.read_bytes().count(b"\n") - 1
    assert len(recording.records) == lines
    return recording


@pytest.mark.parametrize("name", SIGNALS)
@pytest.mark.parametrize("kind", LASTING)
def test_a_signal_ends_the_run_within_a_second_and_the_recording_says_which(kind: str, name: str, tmp_path: Path):
    path = tmp_path / "run"
    process = begun(kind, path)
    process.send_signal(getattr(signal, name))
    code, out, err, seconds = ended(process)
    assert code == STATUSES[name], err
    assert err == ""
    assert REASONS[name] in out
    recording = read_recording(path)
    assert recording.note == ""
    last = recording.records[-1].event
    assert isinstance(last, RunEnded)
    assert last.reason == REASONS[name]
    assert seconds < 3, "one second is promised; a busy machine gets three"


@pytest.mark.parametrize("name", SIGNALS)
@pytest.mark.parametrize("kind", LASTING)
def test_two_signals_end_it_at_once_and_what_was_recorded_is_readable(kind: str, name: str, tmp_path: Path):
    path = tmp_path / "run"
    process = begun(kind, path)
    process.send_signal(getattr(signal, name))
    process.send_signal(getattr(signal, name))
    code, _, err, seconds = ended(process)
    assert code in (STATUSES[name], -getattr(signal, name))
    assert err in ("", f"{REASONS[name]}\n")
    assert assert_readable(path)
    assert seconds < 3


@pytest.mark.parametrize("name", ["SIGINT", "SIGHUP"])
def test_a_signal_that_is_to_be_ignored_is_ignored(name: str, tmp_path: Path):
    number = getattr(signal, name)
    command = [str(PROGRAM), "handshake", "--messages", "300", "--record", "run", "-q"]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=tmp_path,
        env=environment(),
        preexec_fn=lambda: signal.signal(number, signal.SIG_IGN),
    ) as process:
        until(process, lambda: (tmp_path / "run").exists())
        process.send_signal(number)
        code, out, err, _ = ended(process)
    assert (code, err) == (0, "")
    assert out.startswith("ok")


@pytest.mark.parametrize("name", SIGNALS)
@pytest.mark.parametrize("workers", ["0", "2"])
def test_a_signal_ends_many_sessions_with_what_was_done(workers: str, name: str, tmp_path: Path):
    command = [str(PROGRAM), "handshake", "--count", "1000000", "--workers", workers]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=tmp_path, env=environment()
    ) as process:
        assert process.stderr is not None
        assert process.stderr.readline(), "a line says how far it is"
        process.send_signal(getattr(signal, name))
        code, out, err, seconds = ended(process)
    assert code == STATUSES[name], err
    assert REASONS[name] in out
    assert "Traceback" not in err
    assert seconds < 3


# -- at any instant ----------------------------------------------------------------------------------------------------


def seconds_of(words: str, folder: Path) -> float:
    """Measure how long a command takes here and now."""
    began = time.monotonic()
    run(line(words), folder)
    return time.monotonic() - began


@pytest.mark.parametrize("workers", ["0", "2"])
def test_a_kill_at_any_instant_leaves_whole_events_and_a_clean_next_start(workers: str, tmp_path: Path):
    words = f"handshake --messages 40 --workers {workers} --include-secrets"
    whole = seconds_of(f"{words} --record whole", tmp_path)
    places = random.Random(int(workers))
    counts = []
    for number in range(KILLS):
        path = tmp_path / f"run{number}"
        command = [str(PROGRAM), *words.split(), "--record", str(path), "--keylog", str(tmp_path / f"keys{number}")]
        with subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd=tmp_path, env=environment()
        ) as process:
            try:
                process.wait(whole * places.uniform(0.3, 1.0))
            except subprocess.TimeoutExpired:
                process.kill()
            err = process.stderr.read() if process.stderr else b""
        assert process.returncode in (0, -signal.SIGKILL), err
        recording = assert_readable(path)
        counts.append(len(recording.records) if recording else 0)
        if recording and process.returncode:
            assert recording.note or isinstance(recording.records[-1].event, RunEnded)
    assert max(counts) > 0, "no kill came late enough to find a record"
    assert run(line("handshake"), tmp_path).returncode == 0


@pytest.mark.parametrize("words", [one for one in LINES if one.words[0] != "--version"], ids=str)
def test_an_interrupt_at_any_instant_shows_no_traceback(words: CommandLine, folder: Path):
    """Python's own start is not ours to guard: what it says before our first line runs is left out."""
    whole = seconds_of(" ".join(words.words), folder)
    places = random.Random(str(words))
    for _ in range(40 if IS_DEEP else 3):
        with subprocess.Popen(
            [str(PROGRAM), *words.words],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            cwd=folder,
            env=environment(),
        ) as process:
            try:
                process.wait(whole * places.uniform(0.1, 1.0))
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=60)
        if b"/sspicli/" in err or b"Traceback" not in err:
            assert process.returncode in (words.code, 130, -signal.SIGINT), err
            assert b"Traceback" not in err, err.decode()
            assert b"Exception ignored" not in err, err.decode()


# -- what a kill can leave ---------------------------------------------------------------------------------------------


def test_a_recording_without_a_single_byte_is_called_empty(tmp_path: Path):
    (tmp_path / "run").write_bytes(b"")
    with pytest.raises(InputError, match="the file is empty"):
        read_recording(tmp_path / "run")


def test_the_first_line_stands_in_the_file_before_anything_else_is_done(tmp_path: Path):
    ended = run(line("handshake --record run --client cert=/nonexistent"), tmp_path)
    assert_clean(ended, 3)
    assert not (tmp_path / "run").exists(), "what fails before the start leaves no file"
    assert run(line("handshake --record run"), tmp_path).returncode == 0
    first = (tmp_path / "run").read_text().splitlines()[0]
    assert Decoder().header(first) is False
    assert (tmp_path / "run").stat().st_mode & 0o777 == 0o600
