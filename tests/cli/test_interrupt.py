"""Ctrl-C ends a run early: exit 130, no traceback, and what was recorded can be read."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sspicli.journal.events import RunEnded
from sspicli.journal.recording import read_recording
from tests.processes import begin

pytestmark = pytest.mark.skipif(os.name != "posix", reason="a process is interrupted by SIGINT on POSIX only")


def begun(path: Path, *words: str) -> subprocess.Popen[str]:
    """Begin a run that lasts, and wait until it has made records."""
    command = [sys.executable, "-m", "sspicli", "handshake", "--messages", "10000", "--record", str(path), *words]
    process: subprocess.Popen[str] = begin(command, text=True, cwd=path.parent)
    deadline = time.monotonic() + 30
    while not (path.exists() and path.stat().st_size > 50_000):
        assert process.poll() is None, process.stderr.read() if process.stderr else ""
        assert time.monotonic() < deadline, "the run makes no records"
        time.sleep(0.02)
    return process


@pytest.mark.parametrize("words", [[], ["--workers", "2"]], ids=["stepped", "threads"])
def test_an_interrupted_run_ends_soon_and_leaves_a_whole_recording(tmp_path: Path, words: list[str]):
    path = tmp_path / "run"
    process = begun(path, *words)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    recording = read_recording(path)
    assert process.returncode == 130
    assert "Traceback" not in err
    assert "interrupted" in out
    assert recording.note == ""
    assert isinstance(recording.records[-1].event, RunEnded)
    assert recording.records[-1].event.reason == "interrupted"
