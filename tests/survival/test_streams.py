"""Streams that are closed, full or narrow, and disks that take no more: a clean end, or full service without them."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from sspicli.journal.recording import read_recording
from tests.processes import environment
from tests.survival.command_lines import PROGRAM, CommandLine, assert_clean, every_line, folder, line, posix, run

__all__ = ["folder"]
pytestmark = posix
ROOT = os.name == "posix" and os.geteuid() == 0


def in_shell(redirection: str, line: CommandLine, folder: Path) -> subprocess.CompletedProcess[bytes]:
    """Run a line with a shell's redirection."""
    words = ["sh", "-c", f'"$0" "$@" {redirection}', str(PROGRAM), *line.words]
    return subprocess.run(words, capture_output=True, cwd=folder, env=environment(), timeout=60, check=False)


# -- stdout and stderr -------------------------------------------------------------------------------------------------


@every_line
def test_a_reader_that_takes_one_line_gets_it_and_hears_nothing_else(line: CommandLine, folder: Path):
    ended = in_shell("| head -n 1", line, folder)
    assert ended.stdout.count(b"\n") == 1
    assert ended.stderr == b""


@every_line
def test_a_reader_that_is_gone_ends_it_silently(line: CommandLine, folder: Path):
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as pipe:
        ended = run(line, folder, stdout=pipe)
    assert (ended.returncode, ended.stderr) == (141, b"")


@every_line
def test_a_stdout_that_is_closed_is_an_error_that_says_so(line: CommandLine, folder: Path):
    assert_clean(in_shell(">&-", line, folder), 74)


@every_line
def test_a_stderr_that_is_closed_is_not_needed(line: CommandLine, folder: Path):
    assert_clean(in_shell("2>&-", line, folder), line.code)


@every_line
def test_without_either_stream_it_ends_all_the_same(line: CommandLine, folder: Path):
    ended = in_shell("<&- >&- 2>&-", line, folder)
    assert (ended.returncode, ended.stdout, ended.stderr) == (74, b"", b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@every_line
def test_a_full_disk_behind_stdout_is_an_error_that_says_so(line: CommandLine, folder: Path):
    with Path("/dev/full").open("wb") as full:
        ended = run(line, folder, stdout=full)
    assert_clean(ended, 74)
    assert b"No space left on device" in ended.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@every_line
def test_a_full_disk_behind_stderr_loses_what_is_said_there_and_nothing_else(line: CommandLine, folder: Path):
    with Path("/dev/full").open("wb") as full:
        ended = run(line, folder, stderr=full)
    assert ended.returncode == line.code
    assert ended.stdout


# -- a terminal of one column ------------------------------------------------------------------------------------------


def on_terminal(line: CommandLine, folder: Path, *, columns: int, rows: int, **variables: str) -> tuple[int, bytes]:
    """Run a line on a terminal of its own; exit code and everything that was sent to it."""
    import fcntl
    import pty
    import struct
    import termios

    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    words = [str(PROGRAM), *line.words]
    env = environment(**variables)
    with subprocess.Popen(words, stdin=its, stdout=its, stderr=its, cwd=folder, env=env) as process:
        os.close(its)
        said = b""
        with contextlib.suppress(OSError):  # how Linux says that the other end is closed
            while chunk := os.read(ours, 1 << 16):
                said += chunk
        process.wait(60)
    os.close(ours)
    return process.returncode, said


@every_line
@pytest.mark.parametrize("size", [(1, 1), (0, 0), (7, 3)])
def test_a_tiny_terminal_gets_it_all(line: CommandLine, folder: Path, size: tuple[int, int]):
    code, said = on_terminal(line, folder, columns=size[0], rows=size[1], PAGER="cat", MANPAGER="cat")
    assert code == line.code
    assert said.strip()
    assert b"Traceback" not in said


@every_line
def test_a_terminal_of_no_known_kind_gets_it_too(line: CommandLine, folder: Path):
    for term in ({}, {"TERM": "dumb"}, {"TERM": "no-such-terminal"}, {"TERM": "xterm", "COLUMNS": "1"}):
        code, said = on_terminal(line, folder, columns=80, rows=24, PAGER="cat", MANPAGER="cat", **term)
        assert code == line.code
        assert b"Traceback" not in said
        if term.get("TERM") == "dumb" and "always" not in line.words:
            assert b"\x1b" not in said


# -- disks that take no more, folders that are read-only ---------------------------------------------------------------


def limited_to(size: int):
    """Let no file grow beyond a size."""
    import resource

    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


@pytest.mark.parametrize("size", [0, 1, 90, 700, 5000])
@pytest.mark.parametrize("workers", ["0", "2"])
def test_a_recording_that_the_disk_does_not_take_stops_with_one_warning(tmp_path: Path, size: int, workers: str):
    ended = run(line(f"handshake --record run -q --workers {workers}"), tmp_path, before=limited_to(size))
    assert ended.returncode == 0
    assert ended.stdout.startswith(b"ok")
    assert ended.stderr == b"warning: the recording run stops here: File too large\n"
    assert (tmp_path / "run").stat().st_size <= size
    if size > 500:
        recording = read_recording(tmp_path / "run")
        assert recording.note
        assert recording.records


@pytest.mark.parametrize("size", [0, 100])
def test_a_key_log_that_the_disk_does_not_take_stops_with_one_warning(tmp_path: Path, size: int):
    ended = run(line("handshake --keylog keys -q"), tmp_path, before=limited_to(size))
    assert (ended.returncode, ended.stderr) == (0, b"warning: the key log keys stops here: File too large\n")


@pytest.mark.parametrize("size", [0, 100])
@pytest.mark.parametrize("extra", ["", "-f json", "-f jsonl", "-vv"])
def test_a_result_that_the_disk_does_not_take_is_an_error_that_names_the_file(tmp_path: Path, size: int, extra: str):
    ended = run(line(f"handshake -o result {extra}"), tmp_path, before=limited_to(size))
    assert_clean(ended, 74)
    assert b"File too large" in ended.stderr
    assert b"--> result" in ended.stderr


@contextlib.contextmanager
def mounted(folder: Path, options: str) -> Iterator[Path]:
    """Mount a small file system of its own there, where we may."""
    if not ROOT:
        pytest.skip("only root mounts")
    folder.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], capture_output=True, check=False)
    if done.returncode:
        pytest.skip("mounting is not allowed here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


WRITING = ["--record run", "--keylog keys", "-o result", "--record run --keylog keys -o result"]


@pytest.mark.parametrize("words", WRITING)
def test_a_disk_that_is_really_full_is_said_to_be(tmp_path: Path, words: str):
    with mounted(tmp_path / "disk", "size=16k") as disk:
        (disk / "ballast").write_bytes(b"x" * (16 << 10))
        ended = run(line(f"handshake {words}"), disk)
        assert b"Traceback" not in ended.stderr
        assert b"No space left on device" in ended.stderr
        assert ended.returncode == (74 if "-o" in words else 0)


@pytest.mark.parametrize("words", WRITING)
def test_a_read_only_folder_is_said_to_be(tmp_path: Path, words: str):
    with mounted(tmp_path / "disk", "size=64k") as disk:
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        ended = run(line(f"handshake {words}"), disk)
    assert_clean(ended, 74)
    assert b"Read-only file system" in ended.stderr


@every_line
def test_a_read_only_folder_is_enough_for_what_writes_nothing(line: CommandLine, folder: Path, tmp_path: Path):
    with mounted(tmp_path / "disk", "size=1m") as disk:
        for name in ("run.rec", "keys.log"):
            (disk / name).write_bytes((folder / name).read_bytes())
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        assert_clean(run(line, disk), line.code)


@pytest.mark.parametrize("words", WRITING)
def test_a_folder_that_may_not_be_written_to_is_said_to_be(tmp_path: Path, words: str):
    """No permission stops root, so root runs it without its powers."""
    powerless = shutil.which("setpriv") if ROOT else ""
    if powerless is None:
        pytest.skip("root needs setpriv to give up its powers")
    tmp_path.chmod(0o555)
    prefix = [powerless, "--bounding-set=-all", "--inh-caps=-all"] if powerless else []
    ended = subprocess.run(
        [*prefix, str(PROGRAM), "handshake", *words.split()],
        capture_output=True,
        cwd=tmp_path,
        env=environment(),
        timeout=60,
        check=False,
    )
    assert_clean(ended, 74)
    assert b"Permission denied" in ended.stderr
    assert not list(tmp_path.iterdir())
