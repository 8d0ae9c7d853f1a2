"""Run the command line on a terminal, and see what a person sees: a pty, and the few sequences that we send."""

from __future__ import annotations

import codecs
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable
from pathlib import Path

from tests.processes import environment

_SEQUENCE = re.compile(r"\x1b\[([?]?)([0-9;]*)([A-Za-z])")
TIMEOUT = 30


class Screen:
    """What a terminal shows; a sequence it does not know fails the test."""

    def __init__(self, columns: int, rows: int) -> None:
        self.columns, self.rows = columns, rows
        self.has_cursor = self.wraps = True
        self.is_other = False
        self.colored = 0
        self.frames = 0
        self.last_frame: list[str] = []
        self._cells: dict[bool, dict[tuple[int, int], str]] = {False: {}, True: {}}
        self._at = {False: (0, 0), True: (0, 0)}
        self._rest = ""

    def feed(self, text: str) -> None:
        """Obey what a program wrote."""
        text = self._rest + text
        at = 0
        while at < len(text):
            if text[at] == "\x1b":
                found = _SEQUENCE.match(text, at)
                if found is None:
                    break
                self._obey(*found.groups())
                at = found.end()
            else:
                self._put(text[at])
                at += 1
        self._rest = text[at:]
        assert len(self._rest) < 20, f"no sequence that we send: {self._rest!r}"

    def lines(self) -> list[str]:
        """Give the rows that are shown now, without trailing blanks."""
        cells = self._cells[self.is_other]
        last = max((row for row, _ in cells), default=-1)
        return ["".join(cells.get((row, col), " ") for col in range(self.columns)).rstrip() for row in range(last + 1)]

    def _put(self, character: str) -> None:
        row, column = self._at[self.is_other]
        if character == "\n":
            self._at[self.is_other] = row + 1, column
        elif character == "\r":
            self._at[self.is_other] = row, 0
        else:
            assert character.isprintable(), f"{character!r} was sent to the terminal"
            assert not self.is_other or (column < self.columns and row < self.rows), "drawn beyond the screen"
            self._cells[self.is_other][row, column] = character
            self._at[self.is_other] = row, column + 1

    def _obey(self, private: str, numbers: str, letter: str) -> None:
        match private + numbers + letter if private else letter:
            case "?1049h" | "?1049l" as word:
                self.is_other = word.endswith("h")
                self._cells[True] = {}
            case "?25h" | "?25l" as word:
                self.has_cursor = word.endswith("h")
            case "?7h" | "?7l" as word:
                self.wraps = word.endswith("h")
            case "J":
                self._cells[self.is_other] = {}
            case "K":
                row, column = self._at[self.is_other]
                for place in [one for one in self._cells[self.is_other] if one[0] == row and one[1] >= column]:
                    del self._cells[self.is_other][place]
            case "H":
                row, column = map(int, (numbers or "1;1").split(";"))
                self._at[self.is_other] = row - 1, column - 1
                if not numbers:
                    self.frames += 1
                    self.last_frame = self.lines()
            case "m":
                self.colored += numbers not in ("", "0")
            case other:
                raise AssertionError(f"no sequence that we send: {private}{numbers}{other}")


class EditedScreen(Screen):
    """A screen on which lines are edited: the cursor moves by steps, and the terminal says where it stands."""

    def __init__(self, columns: int, rows: int, answer: Callable[[str], None]) -> None:
        super().__init__(columns, rows)
        self._answer = answer
        self._lowest = 0

    def shown(self) -> list[str]:
        """Give the rows that have not scrolled out at the top."""
        return self.lines()[max(0, self._lowest - self.rows + 1) :]

    def _put(self, character: str) -> None:
        row, column = self._at[False]
        if character == "\b":
            self._at[False] = row, column - 1
        elif character == "\n":
            self._at[False] = row + 1, column
        elif character == "\r" or character.isprintable():
            super()._put(character)
        else:
            raise AssertionError(f"{character!r} was sent to the terminal")
        self._lowest = max(self._lowest, self._at[False][0])

    def _obey(self, private: str, numbers: str, letter: str) -> None:
        row, column = self._at[False]
        count = int(numbers) if numbers.isdecimal() else 1
        match private + numbers + letter if private else letter:
            case "?12l" | "?2004h" | "?2004l" | "?1l":
                return
            case "A":
                self._at[False] = row - count, column
            case "B":
                self._at[False] = row + count, column
            case "C":
                self._at[False] = row, min(column + count, self.columns)
            case "D":
                self._at[False] = row, max(0, column - count)
            case "J" if numbers in ("", "0"):
                cells = self._cells[False]
                self._cells[False] = {at: one for at, one in cells.items() if at < (row, column)}
            case "n":
                top = max(0, self._lowest - self.rows + 1)
                self._answer(f"\x1b[{row - top + 1};{column + 1}R")
            case _:
                super()._obey(private, numbers, letter)


class OnTerminal:
    """A run of the command line on a terminal of that size; only standard error is one where `out` is a file."""

    def __init__(
        self,
        *arguments: str,
        size: tuple[int, int] = (80, 24),
        out: Path | None = None,
        before: Callable[[], None] | None = None,
        is_edited: bool = False,
        **variables: str,
    ) -> None:
        self.screen = EditedScreen(*size, self.type) if is_edited else Screen(*size)
        self.raw = ""
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._ours, theirs = pty.openpty()
        self.resize(size)
        command = [sys.executable, "-m", "sspicli", *arguments]
        with Path(out or os.devnull).open("w") as file:
            self.process = subprocess.Popen(
                command,
                stdin=theirs,
                stdout=theirs if out is None else file,
                stderr=theirs,
                env=environment(**{"TERM": "xterm-256color", **variables}),
                process_group=0,
                preexec_fn=before,
            )
        os.close(theirs)

    def resize(self, size: tuple[int, int]) -> None:
        """Change the terminal's size; what was drawn for the one before may still come."""
        self.screen.columns, self.screen.rows = map(max, size, (self.screen.columns, self.screen.rows))
        fcntl.ioctl(self._ours, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))

    def until(self, word: str) -> None:
        """Read until the screen shows this."""
        deadline = time.monotonic() + TIMEOUT
        while not any(word in row for row in self.screen.lines()):
            assert time.monotonic() < deadline, "\n".join(self.screen.lines())
            assert self.read(), f"it ended before it showed {word!r}: {self.screen.lines()}"

    def type(self, text: str) -> None:
        """Press keys."""
        os.write(self._ours, text.encode())

    def ended(self, number: int | None = None) -> int:
        """Send a signal, if one is given, and read to the end; the exit code."""
        if number is not None:
            self.process.send_signal(number)
        deadline = time.monotonic() + TIMEOUT
        while self.read():
            assert time.monotonic() < deadline, "it does not end"
        return self.process.wait(TIMEOUT)

    def send(self, number: signal.Signals) -> None:
        """Send a signal."""
        self.process.send_signal(number)

    def hang_up(self) -> None:
        """Take the terminal away."""
        if self._ours >= 0:
            os.close(self._ours)
            self._ours = -1

    def close(self) -> None:
        """End what a failed test has left, and close the terminal."""
        self.process.kill()
        self.process.wait(TIMEOUT)
        self.hang_up()

    def read(self) -> bool:
        """Take what was written; False at the end."""
        ready, _, _ = select.select([self._ours], [], [], TIMEOUT)
        assert ready, "it shows nothing and does not end"
        try:
            data = os.read(self._ours, 1 << 16)
        except OSError:  # the other side is closed
            return False
        text = self._decoder.decode(data)
        self.raw += text
        self.screen.feed(text)
        return bool(data)
