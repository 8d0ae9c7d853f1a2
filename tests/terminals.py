"""Run the command line on a terminal, and see what a person sees: pexpect gives it a pty, pyte shows its screen.

The rule guarded here: what the program sends is obeyed as a terminal obeys it, and what no terminal should be sent (a
control character, a title, a mode that we never ask for) fails the test. The program leads a session of its own, so
that Ctrl-C and a hang-up reach it as they reach a user's.
"""

from __future__ import annotations

import re
import shlex
import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pexpect
import pyte
from pyte import modes

from tests.processes import environment

TIMEOUT = 60  # seconds; on a busy machine much is slow
_KEPT_ROWS = 100_000  # of those that scrolled out at the top
_OTHER_SCREEN = 1049
_PRIVATE_MODES = frozenset({1, 7, 12, 25, 2004, _OTHER_SCREEN})
"""Cursor keys, wrapping, blinking, the cursor, pasting in brackets, and the other screen: what we and prompt-toolkit
ask for."""


class Screen(pyte.HistoryScreen):
    """What a terminal shows, and what has scrolled out of it; `overlong` is text that it broke where it happened to."""

    def __init__(self, columns: int, rows: int, answer: Callable[[str], None]) -> None:
        self.is_other = False
        self.colored = 0
        self.frames = 0
        self.last_frame: list[str] = []
        self.overlong: list[str] = []
        self._answer = answer
        self._left: tuple[Any, Any] | None = None
        super().__init__(columns, rows, history=_KEPT_ROWS)

    @property
    def has_cursor(self) -> bool:
        """Say whether the cursor is shown."""
        return modes.DECTCEM in self.mode

    @property
    def wraps(self) -> bool:
        """Say whether a row that is too long goes on in the next one."""
        return modes.DECAWM in self.mode

    def rows(self) -> list[str]:
        """Give the rows without trailing blanks, with those that scrolled out at the top."""
        above = [] if self.is_other else list(self.history.top)
        rows = ["".join(row[at].data for at in range(self.columns)).rstrip() for row in above] + self.shown()
        while rows and not rows[-1]:
            rows.pop()
        return rows

    def shown(self) -> list[str]:
        """Give the rows that are on the screen now."""
        return [row.rstrip() for row in self.display]

    def become(self, columns: int, rows: int) -> None:
        """Change the size: rows for which there is no room scroll out at the top, as far as the cursor must stay seen.

        What was drawn for the other screen may still come, so that one does not become smaller here.
        """
        if self.is_other:
            columns, rows = max(columns, self.columns), max(rows, self.lines)
        while self.cursor.y >= rows:
            self.history.top.append(self.buffer.pop(0))
            for at in sorted(self.buffer):
                self.buffer[at - 1] = self.buffer.pop(at)
            self.cursor.y -= 1
        for at, row in list(self.buffer.items()):
            for column in range(columns, self.columns):
                row.pop(column, None)
            if at >= rows:
                del self.buffer[at]
        self.lines, self.columns = rows, columns
        self.cursor.x = min(self.cursor.x, columns - 1)

    def draw(self, data: str) -> None:
        """Show text; a character that is none is not for a terminal."""
        assert data.isprintable(), f"{data!r} was sent to the terminal"
        if self.cursor.x + len(data) > self.columns:
            assert not self.is_other, "drawn beyond the screen"
            self.overlong.append(data)
        super().draw(data)

    def set_mode(self, *numbers: int, **how: Any) -> None:
        """Enter a mode; the other screen begins empty."""
        self._check(numbers, **how)
        if _OTHER_SCREEN in numbers and not self.is_other:
            self._left = self.buffer.copy(), self.cursor
            self.is_other = True
            self.buffer.clear()
            self.cursor = pyte.screens.Cursor(0, 0)
        super().set_mode(*numbers, **how)

    def reset_mode(self, *numbers: int, **how: Any) -> None:
        """Leave a mode; what stood on the first screen is there again."""
        self._check(numbers, **how)
        if _OTHER_SCREEN in numbers and self._left is not None:
            self.buffer.clear()
            self.buffer.update(self._left[0])
            self.cursor, self._left, self.is_other = self._left[1], None, False
        super().reset_mode(*numbers, **how)

    def _check(self, numbers: Sequence[int], *, private: bool = False) -> None:
        assert private, f"no mode that we ask for: {numbers}"
        assert set(numbers) <= _PRIVATE_MODES, f"no mode that we ask for: ?{numbers}"

    def cursor_position(self, line: int | None = None, column: int | None = None) -> None:
        """Move the cursor; the live view ends each of its frames at the top."""
        if self.is_other and not line and column is None:
            self.frames += 1
            self.last_frame = self.rows()
        super().cursor_position(line, column)

    def select_graphic_rendition(self, *attributes: int) -> None:
        """Change how text looks."""
        self.colored += attributes not in ((), (0,))
        super().select_graphic_rendition(*attributes)

    def write_process_input(self, data: str) -> None:
        """Answer what the program asked the terminal."""
        self._answer(data)

    def debug(self, *_words: Any, **_how: Any) -> None:
        """Refuse a sequence that the terminal does not know."""
        raise AssertionError("no sequence that we send")

    def set_title(self, param: str) -> None:
        """Refuse to rename a user's window."""
        raise AssertionError(f"a title was sent: {param!r}")


class OnTerminal:
    """A run of the command line on a terminal of that size; only standard error is one where `out` is a file."""

    def __init__(
        self,
        *arguments: str,
        size: tuple[int, int] = (80, 24),
        out: Path | None = None,
        before: Callable[[], None] | None = None,
        heeds_hang_up: bool = True,
        in_shell: bool = False,
        **variables: str,
    ) -> None:
        self.raw = ""
        self.screen = Screen(*size, self.type)
        self._stream = pyte.Stream(self.screen)
        command = [sys.executable, "-m", "sspicli", *arguments]
        if out is not None:
            command = ["/bin/sh", "-c", 'exec "$@" >"$0"', str(out), *command]
        elif in_shell:  # one that has a prompt, with which a job can be stopped and go on
            command = ["/bin/sh", "-i"]
        usual = {"TERM": "xterm-256color", "LC_ALL": "C.UTF-8", "PS1": "$ "}
        self.child: pexpect.spawn[str] = pexpect.spawn(
            command[0],
            command[1:],
            env=environment(**{**usual, **variables}),
            dimensions=(size[1], size[0]),
            encoding="utf-8",
            timeout=TIMEOUT,
            preexec_fn=before,
            ignore_sighup=not heeds_hang_up,
        )
        self.child.delaybeforesend = None
        self._pty: Any = vars(self.child)["ptyproc"]  # of which pexpect's types say nothing
        self._pty.delayafterclose = self._pty.delayafterterminate = 0.02
        self.child.logfile_read = self
        if in_shell:
            self.until("$")
            self.type(shlex.join([sys.executable, "-m", "sspicli", *arguments]) + "\r")

    def write(self, text: str) -> None:
        """Take what the program wrote; pexpect hands it over whatever it was read for."""
        self.raw += text
        self._stream.feed(text)

    def flush(self) -> None:
        """Do nothing: all is shown at once."""

    def resize(self, size: tuple[int, int]) -> None:
        """Change the terminal's size."""
        self.screen.become(*size)
        self.child.setwinsize(size[1], size[0])

    def until(self, word: str) -> None:
        """Read until the screen shows this."""
        self.reads(lambda: any(word in row for row in self.screen.rows()), f"it did not show {word!r}")

    def reads(self, is_there: Callable[[], bool], what: str = "it did not come") -> None:
        """Read until this holds."""
        deadline = time.monotonic() + TIMEOUT
        while not is_there():
            is_over = time.monotonic() > deadline or not self.read()
            assert not is_over, "\n".join([what, *self.screen.rows()[-60:]])

    def read(self) -> bool:
        """Take what was written; False at the end, and when nothing comes."""
        try:
            self.child.read_nonblocking(1 << 16, TIMEOUT)
        except (pexpect.EOF, pexpect.TIMEOUT):
            return False
        return True

    def type(self, text: str) -> None:
        """Press keys."""
        self.child.send(text)

    def send(self, number: signal.Signals) -> None:
        """Send a signal."""
        self.child.kill(number)

    def ended(self, number: signal.Signals | None = None) -> int:
        """Send a signal, if one is given, and read to the end; the exit code."""
        if number is not None:
            self.send(number)
        while self.read():
            pass
        return self.waited()

    def waited(self) -> int:
        """Wait for the end, whether there still is a terminal or not; the exit code, negative for a signal."""
        deadline = time.monotonic() + TIMEOUT
        while self.child.isalive():
            assert time.monotonic() < deadline, "it does not end"
            time.sleep(0.005)
        code = self.child.exitstatus
        return -(self.child.signalstatus or 0) if code is None else code

    def is_running(self) -> bool:
        """Say whether it has not ended."""
        return self.child.isalive()

    def hang_up(self) -> None:
        """Take the terminal away; the program is told so, and may do what it wants."""
        self._pty.fileobj.close()

    def close(self) -> None:
        """End what a failed test has left, and close the terminal."""
        self.child.close(force=True)


def parameters(raw: str) -> set[str]:
    """List how text was made to look: the numbers of every sequence that does so."""
    return {one for found in re.findall(r"\x1b\[([0-9;]*)m", raw) for one in found.split(";") if one}
