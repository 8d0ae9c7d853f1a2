"""A terminal's other screen: drawn on by changed rows, and given back whatever happens.

The rule guarded here: who enters also leaves. Screen, cursor and line wrapping are restored at the end, on an
exception, and before Ctrl-Z stops the process; what others print on standard error meanwhile is held back and printed
afterwards. Writes go straight to the descriptor, because a signal handler may interrupt one and write too.
A terminal that went away is drawn on no more, and the run does not hear of it.
"""

from __future__ import annotations

import io
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, suppress
from types import FrameType

from sspicli.views.text import Line, plain, width_of

# The other screen, without cursor and without wrapping, cleared; and all of that taken back.
_ENTER = "\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[2J"
_LEAVE = "\x1b[0m\x1b[?7h\x1b[?25h\x1b[?1049l"
_SGR = {"good": "32", "bad": "1;31", "warn": "33", "head": "1", "leg": "36", "call": "1", "muted": "2"}

Size = tuple[int, int]


class Terminal:
    """The other screen of the terminal at a descriptor."""

    def __init__(self, descriptor: int, *, encoding: str, has_color: bool) -> None:
        self._descriptor = descriptor
        self._encoding = encoding
        self._has_color = has_color
        self._rows: list[str] = []
        self._drawn_for: Size = (0, 0)
        self._is_entered = False

    def size(self) -> Size:
        """Ask for columns and rows; a terminal that knows neither is taken for one of 80 by 24."""
        try:
            columns, rows = os.get_terminal_size(self._descriptor)
        except OSError:
            columns, rows = 0, 0
        return columns or 80, rows or 24

    def enter(self) -> None:
        """Turn to the other screen, and draw all of the next frame."""
        self._is_entered = True
        self._rows = []
        self._write(_ENTER)

    def leave(self) -> None:
        """Give the screen back, once."""
        if self._is_entered:
            self._is_entered = False
            self._write(_LEAVE)

    def show(self, lines: Sequence[Line], size: Size) -> None:
        """Draw a frame made for that size: the rows that differ from what stands there."""
        if not self._is_entered:
            return
        parts = []
        if size != self._drawn_for:
            self._drawn_for, self._rows = size, []
            parts.append("\x1b[2J")
        rows = [self._styled(one, size[0]) for one in lines]
        before = self._rows + [""] * (len(rows) - len(self._rows))
        parts += [f"\x1b[{at};1H{row}" for at, row in enumerate(rows, 1) if row != before[at - 1]]
        self._rows = rows
        if parts:
            self._write("".join(parts) + "\x1b[H")

    def _styled(self, one: Line, columns: int) -> str:
        """Write a row; behind one that is not full the rest of the row is cleared, not on its last cell."""
        end = "\x1b[K" if width_of(one) < columns else ""
        if not self._has_color:
            return plain(one) + end
        styled = [(_SGR.get(part.style, ""), part.text) for part in one if part.text]
        return "".join(f"\x1b[{code}m{text}\x1b[0m" if code else text for code, text in styled) + end

    def _write(self, text: str) -> None:
        data = text.encode(self._encoding, "backslashreplace")
        try:
            while data:
                data = data[os.write(self._descriptor, data) :]
        except OSError:
            self._is_entered = False


@contextmanager
def other_screen(terminal: Terminal) -> Iterator[Terminal]:
    """Draw on the other screen, and give it back."""
    held = io.StringIO()
    try:
        with redirect_stderr(held), _stoppable(terminal):
            terminal.enter()
            yield terminal
    finally:
        terminal.leave()
        with suppress(OSError):
            sys.stderr.write(held.getvalue())
            sys.stderr.flush()


@contextmanager
def _stoppable(terminal: Terminal) -> Iterator[None]:
    """Give the screen back before Ctrl-Z stops the process, and take it again when it goes on."""
    number = getattr(signal, "SIGTSTP", None)
    if number is None or signal.getsignal(number) is not signal.SIG_DFL:
        yield
        return

    def on_stop(_number: int, _frame: FrameType | None) -> None:
        terminal.leave()
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)  # comes back when the process is let go on
        signal.signal(number, on_stop)
        terminal.enter()

    signal.signal(number, on_stop)
    try:
        yield
    finally:
        signal.signal(number, signal.SIG_DFL)
