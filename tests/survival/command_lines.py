"""The command lines that go through everything, at least one for each command, and how they are run.

A line that says the same every time is marked so: it must say the same under any condition in which it succeeds.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.handshakes import CLOCK
from tests.processes import environment

PROGRAM = Path(sys.executable).parent / ("sspi-async.exe" if os.name == "nt" else "sspi-async")
FIXED = ["--no-timing", "--seed", "3", "--clock", CLOCK]
posix = pytest.mark.skipif(os.name != "posix", reason="signals, limits and streams of a POSIX system")


class CommandLine(NamedTuple):
    """Words, what they end with when nothing is wrong, and whether they print the same every time."""

    words: tuple[str, ...]
    code: int = 0
    is_fixed: bool = True

    def __str__(self) -> str:
        return " ".join(self.words)


def line(text: str, code: int = 0, *, is_fixed: bool = True) -> CommandLine:
    return CommandLine(tuple(text.split()), code, is_fixed)


_FIXED = " ".join(FIXED)
LINES = [
    line("--version"),
    line("--help"),
    line(f"handshake {_FIXED}"),
    line(f"handshake {_FIXED} -vv --color always", is_fixed=False),
    line(f"handshake {_FIXED} -f json --tls 1.2 --mode poll"),
    line(f"handshake {_FIXED} -f jsonl", is_fixed=False),
    line(f"handshake {_FIXED} --server cert=expired", 1),
    line(f"handshake {_FIXED} --fault client.init#1=hang", 6),
    line("handshake --workers 2 --messages 3", is_fixed=False),
    line("handshake --count 30 --workers 2", is_fixed=False),
    line("scenario new --template server"),
    line("scenario new --from run.rec"),
    line("scenario schema"),
    line(f"repl {_FIXED} -c continue -c why"),
    line(f"repl {_FIXED} -c step -f json", is_fixed=False),
    line("repl run.rec --at 20 -c where --color always"),
    line("replay run.rec --no-timing"),
    line("replay run.rec --no-timing -f json"),
    line("replay run.rec --no-timing --jobs 2 --repeat 2 -v --color always", is_fixed=False),
    line("explain SEC_E_ILLEGAL_MESSAGE"),
    line("explain SEC_E_ILLEGAL_MESSAGE -f json"),
    line("explain 47 --color always"),
    line("show run.rec"),
    line("show run.rec --view all -vv --color always"),
    line("show run.rec --view timeline -f json"),
    line("show run.rec --as c"),
    line("decode run.rec --keylog keys.log"),
    line("decode run.rec --keylog keys.log --hex -v --color always", is_fixed=False),
    line("decode 15030300020228 -f json"),
    line("explain --in run.rec"),
    line("verify run.rec"),
    line("verify run.rec --strict -f json"),
    line("verify run.rec -f sarif"),
    line("verify --list-rules --color always"),
    line("api"),
    line("api free_async_context --color always"),
    line("packages"),
    line("packages -f json"),
    line("doctor", is_fixed=False),
    line("doctor --fidelity"),
    line("completion bash"),
    line("man"),
    line("man handshake"),
]
"""Commands that read a recording find a good one in `run.rec`, and its key log in `keys.log`."""

every_line = pytest.mark.parametrize("line", LINES, ids=str)


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a folder with what the lines read."""
    path = tmp_path_factory.mktemp("survival")
    made = run(line("handshake --server cert=expired --record run.rec --keylog keys.log --include-secrets"), path)
    assert made.returncode == 1, made.stderr
    return path


def run(
    line: CommandLine,
    folder: Path,
    *,
    before: Callable[[], object] | None = None,
    env: Mapping[str, str] | None = None,
    **streams: Any,
) -> subprocess.CompletedProcess[bytes]:
    """Run a line in a folder; `before` happens in its process before the program starts."""
    streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **streams}
    return subprocess.run(
        [PROGRAM, *line.words],
        cwd=folder,
        env=environment() if env is None else env,
        preexec_fn=before,
        timeout=60,
        check=False,
        **streams,
    )


def assert_clean(ended: subprocess.CompletedProcess[bytes], *codes: int) -> None:
    """Make sure that it ended with one of these codes and said, if anything, an error in our layout."""
    said = (ended.stderr or b"").decode("utf-8", "replace")
    assert ended.returncode in codes, f"{ended.returncode}: {said}"
    for word in ("Traceback", "Exception ignored", "this is a bug", "Fatal Python", "Segmentation"):
        assert word not in said
    if ended.returncode in (2, 3, 4, 70, 74):
        assert said.startswith("error: ")
