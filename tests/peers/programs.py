"""Outside programs as oracles: found or skipped, listened to, and ended by their own handle; every wait is bounded."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

import pytest

PATIENCE = 15.0  # seconds until an outside program counts as hung
ENVIRONMENT = {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "TZ": "UTC", "OPENSSL_CONF": os.devnull}


def required(name: str) -> str:
    """Find a program; where it is missing the test is skipped, and in CI it fails."""
    path = shutil.which(name)
    if path is None:
        reason = f"{name} is not on this machine"
        if os.environ.get("CI") == "true":
            pytest.fail(f"{reason}, and CI must have it")
        pytest.skip(reason)
    return path


class Ended(NamedTuple):
    """What became of a program: its exit code, and everything it printed."""

    code: int
    text: str


def run(name: str, *arguments: str | Path, home: Path | None = None) -> Ended:
    """Run a program to its end."""
    environment = ENVIRONMENT if home is None else {**ENVIRONMENT, "HOME": str(home)}
    command = [required(name), *map(str, arguments)]
    ended = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, timeout=4 * PATIENCE, check=False, env=environment
    )
    return Ended(ended.returncode, (ended.stdout + ended.stderr).decode("utf-8", "replace"))


class Program:
    """An outside program under way: what it prints is collected by a thread, and it ends with its `with` block."""

    def __init__(self, name: str, *arguments: str | Path, secrets: Path | None = None) -> None:
        """Prepare a program; where a key log is wanted, `secrets` tells those that ask their environment for it."""
        self.command = [required(name), *map(str, arguments)]
        self._environment = ENVIRONMENT if secrets is None else {**ENVIRONMENT, "SSLKEYLOGFILE": str(secrets)}
        self._said = bytearray()
        self._news = threading.Condition()
        self._quits_after: Sequence[bytes] = ()
        self._is_over = False
        self._listener = threading.Thread(target=self._listen, daemon=True)

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            self.command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=self._environment,
        )
        self._listener.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait(PATIENCE)
        self._listener.join(PATIENCE)
        self.hang_up()
        assert self._process.stdout is not None, "its output is a pipe"
        self._process.stdout.close()

    @property
    def text(self) -> str:
        """Everything it has printed so far."""
        with self._news:
            return self._said.decode("utf-8", "replace")

    def wait_for(self, pattern: str) -> re.Match[str]:
        """Wait until it has printed what `pattern` describes."""
        deadline = time.monotonic() + PATIENCE
        with self._news:
            while not (found := re.search(pattern, self._said.decode("utf-8", "replace"), re.MULTILINE)):
                left = deadline - time.monotonic()
                assert not self._is_over, f"{self.command} ended without {pattern!r}:\n{self._said!r}"
                assert left > 0, f"{self.command} has not printed {pattern!r}:\n{self._said!r}"
                self._news.wait(left)
            return found

    def say(self, text: str) -> None:
        """Type something; it is read when the program comes to it."""
        assert self._process.stdin is not None, "its input is a pipe"
        self._process.stdin.write(text.encode())
        self._process.stdin.flush()

    def quit_after(self, *texts: str) -> None:
        """Let its input end once it has printed all of `texts`."""
        with self._news:
            self._quits_after = [one.encode() for one in texts]
            self._consider_quitting()

    def hang_up(self) -> None:
        """End its input."""
        assert self._process.stdin is not None, "its input is a pipe"
        with suppress(BrokenPipeError):  # it ended first
            self._process.stdin.close()

    def finish(self) -> Ended:
        """Wait for its end."""
        code = self._process.wait(PATIENCE)
        self._listener.join(PATIENCE)
        return Ended(code, self.text)

    def _listen(self) -> None:
        assert self._process.stdout is not None, "its output is a pipe"
        while data := os.read(self._process.stdout.fileno(), 1 << 16):
            with self._news:
                self._said += data
                self._consider_quitting()
                self._news.notify_all()
        with self._news:
            self._is_over = True
            self._news.notify_all()

    def _consider_quitting(self) -> None:
        if self._quits_after and all(one in self._said for one in self._quits_after):
            self._quits_after = ()
            self.hang_up()
