"""Whatever the process has too little of or stands in, every command gives its full service or a clean error."""

from __future__ import annotations

import ast
import os
import random
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from sspicli.cli.main import COMMANDS
from tests.pairs import IS_DEEP
from tests.processes import environment
from tests.survival.command_lines import (
    LINES,
    PROGRAM,
    CommandLine,
    assert_clean,
    every_line,
    folder,
    line,
    posix,
    run,
)

resource = pytest.importorskip("resource", reason="limits of a POSIX system")

__all__ = ["folder"]
MIB = 1 << 20


def test_every_command_has_a_line_here():
    assert {one.words[0] for one in LINES} >= set(COMMANDS) - {
        "dap"
    }  # its streams are a client's: tests/cli/test_dap.py


def limited(name: str, most: int):
    """Set a limit of the process to come."""
    return lambda: resource.setrlimit(getattr(resource, name), (most, most))


def assert_full_service(ended: subprocess.CompletedProcess[bytes], line: CommandLine, folder: Path) -> None:
    """Make sure that it did what it does when nothing is wrong."""
    assert_clean(ended, line.code)
    assert ended.stdout
    if line.is_fixed:
        assert ended.stdout == usual(line, folder)


@cache
def usual(line: CommandLine, folder: Path) -> bytes:
    """Give what a line prints when nothing is wrong."""
    return run(line, folder).stdout


@every_line
def test_24_file_descriptors_are_enough(line: CommandLine, folder: Path):
    assert_full_service(run(line, folder, before=limited("RLIMIT_NOFILE", 24)), line, folder)


@every_line
def test_400_mib_of_address_space_are_enough(line: CommandLine, folder: Path):
    assert_full_service(run(line, folder, before=limited("RLIMIT_AS", 400 * MIB)), line, folder)


@pytest.mark.parametrize("home", [None, "/nonexistent"])
@every_line
def test_no_home_is_needed(line: CommandLine, folder: Path, home: str | None):
    env = {name: value for name, value in environment().items() if not name.startswith(("HOME", "XDG_"))}
    if home is not None:
        env["HOME"] = home
    assert_full_service(run(line, folder, env=env), line, folder)


@every_line
def test_no_environment_at_all_is_needed(line: CommandLine, folder: Path):
    assert_clean(run(line, folder, env={}), line.code)


@every_line
def test_the_c_locale_gets_ascii(line: CommandLine, folder: Path):
    env = environment(LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")
    ended = run(line, folder, env=env)
    assert_clean(ended, line.code)
    assert ended.stdout.isascii()
    assert ended.stderr.isascii()


@every_line
def test_a_folder_that_is_gone_is_survived(line: CommandLine, tmp_path: Path):
    gone = tmp_path / "gone"
    gone.mkdir()
    shell = 'rmdir "$0"; exec "$@"'
    words = ["sh", "-c", shell, str(gone), str(PROGRAM), *line.words]
    ended = subprocess.run(words, capture_output=True, cwd=gone, env=environment(), timeout=60, check=False)
    assert_clean(ended, line.code, 3)


def some(line: CommandLine, choices: list[int]) -> list[int]:
    """Give one of the choices, another for each line; all of them in a deep run."""
    return choices if IS_DEEP else [random.Random(str(line)).choice(choices)]


@every_line
def test_memory_that_is_used_up_is_a_clean_error(line: CommandLine, folder: Path):
    """Python and its imports start with some 30 MiB; a handshake that the engine has no room for fails as one."""
    # With 48 MiB these run out while libraries of others are loaded, and not all of those say so cleanly.
    sizes = [64, 96, 128] if line.words[0] in ("replay", "repl") else [48, 64, 96, 128]
    for mib in some(line, sizes):
        ended = run(line, folder, before=limited("RLIMIT_AS", mib * MIB))
        assert_clean(ended, line.code, 1, 4, 6)
        assert ended.returncode != 1 or ended.stdout.startswith((b"FAILED", b"{", b"\x1b"))


@every_line
def test_descriptors_that_are_used_up_are_a_clean_error(line: CommandLine, folder: Path):
    """Python needs some to start and to import at all; what it says itself then is not ours."""
    for most in some(line, [6, 7, 8, 10]):
        ended = run(line, folder, before=limited("RLIMIT_NOFILE", most))
        assert_clean(ended, line.code, 4, 6, 74)


@posix
def test_more_worker_threads_than_there_is_room_for_are_a_clean_error(folder: Path):
    words = line("handshake --workers 64 --record threads.rec")
    ended = run(words, folder, before=limited("RLIMIT_AS", 400 * MIB))
    assert_clean(ended, 6)
    assert b"threads" in ended.stderr
    assert not (folder / "threads.rec").exists()


# -- forks and clocks --------------------------------------------------------------------------------------------------

FORKED = """
import os, sys
from tests.handshakes import handshake
from sspicli.analysis.report import Verdict

workers = int(sys.argv[1])
handshake()
reading, writing = os.pipe()
child = os.fork()
result = handshake(workers=workers)
mine = result.legs[0].data[11:43].hex()
if not child:
    os.write(writing, mine.encode())
    os._exit(result.verdict is not Verdict.OK)
theirs = os.read(reading, 100).decode()
code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
print([code, result.verdict is Verdict.OK, len(mine), mine == theirs])
"""


@posix
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("workers", [0, 2])
def test_both_sides_of_a_fork_shake_hands_with_randoms_of_their_own(workers: int):
    ended = subprocess.run(
        [sys.executable, "-c", FORKED, str(workers)],
        capture_output=True,
        encoding="utf-8",
        cwd=Path(__file__).parents[2],
        env=environment(),
        timeout=60,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert ast.literal_eval(ended.stdout) == [0, True, 64, False]


JUMPING = """
import itertools, time

jumps = itertools.cycle([0, 7200, -7200, 86_400 * 400, -86_400 * 400])
real = time.time
time.time = lambda: real() + next(jumps)
time.time_ns = lambda: int(time.time() * 1e9)
from tests.handshakes import records_of
from sspicli.analysis.report import report

for workers in (0, 2):
    records = records_of(workers=workers, messages=5)
    result = report(records)
    assert all(a.nanoseconds <= b.nanoseconds for a, b in zip(records, records[1:]))
    assert all(call.pending_nanoseconds >= 0 for call in result.calls)
    print(result.verdict.value)
"""


def test_a_clock_that_jumps_makes_no_time_negative():
    ended = subprocess.run(
        [sys.executable, "-c", JUMPING],
        capture_output=True,
        encoding="utf-8",
        cwd=Path(__file__).parents[2],
        env=environment(),
        timeout=60,
        check=False,
    )
    assert (ended.returncode, ended.stdout.split()) == (0, ["ok", "ok"]), ended.stderr


@posix
def test_a_process_that_was_stopped_goes_on(folder: Path):
    import signal

    words = [str(PROGRAM), "handshake", "--messages", "2000", "--workers", "2", "-q"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=folder, env=environment()) as one:
        try:
            one.wait(0.4)
        except subprocess.TimeoutExpired:
            os.kill(one.pid, signal.SIGSTOP)
            os.waitid(os.P_PID, one.pid, os.WSTOPPED | os.WNOWAIT)
            os.kill(one.pid, signal.SIGCONT)
        out, err = one.communicate(timeout=60)
    assert (one.returncode, err) == (0, b"")
    assert out.startswith(b"ok")
