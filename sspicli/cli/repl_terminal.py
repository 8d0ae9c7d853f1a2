"""Where commands come from: a terminal that can edit lines, one that cannot, or no terminal at all.

The rule guarded here: what is asked of a terminal is only what it can do. On one that is dumb, or of which only the
input is a terminal, a prompt is a text on standard error and a line is what the system's own line editing gives.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from sspicli.cli.interrupts import TerminatedError
from sspicli.cli.repl_lines import LONGEST, Source, lines_of_bytes
from sspicli.sspi.errors import InputError


def is_typed() -> bool:
    """Say whether somebody sits at standard input."""
    return sys.stdin is not None and sys.stdin.isatty()


def can_edit() -> bool:
    """Say whether the terminal can move its cursor, which editing a line with completion needs."""
    return sys.stderr.isatty() and os.environ.get("TERM", "dumb") not in ("dumb", "")


class PlainReader:
    """Lines from a terminal that cannot edit them."""

    def __init__(self, prompt: Callable[[], str]) -> None:
        self._prompt = prompt

    def read(self) -> str:
        """Wait for a line; KeyboardInterrupt when it was cancelled, EOFError at the end."""
        try:
            sys.stderr.write(self._prompt())
            sys.stderr.flush()
            text = sys.stdin.readline(LONGEST + 2)
        except KeyboardInterrupt:
            sys.stderr.write("\n")
            raise
        except UnicodeDecodeError:
            return "\x00"  # which is no verb, and shown as what it is
        if not text:
            sys.stderr.write("\n")
            raise EOFError
        return text.rstrip("\r\n")


def lines_of_stdin() -> Iterator[Source]:
    """Give the lines of standard input as they come."""
    if sys.stdin is None:
        raise InputError("standard input is closed", help="give commands with -c or -x")
    try:
        yield from lines_of_bytes(_rows(), "standard input")
    except OSError as error:
        raise InputError("standard input cannot be read", cause=error.strerror or "") from None


def _rows() -> Iterator[bytes]:
    while row := sys.stdin.buffer.readline(4 * LONGEST + 2):
        yield row


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """Let SIGTERM and SIGHUP leave in good order: the terminal is given back, and the files are closed."""
    before = [(number, signal.signal(number, _end)) for number in _numbers()]
    try:
        yield
    finally:
        for number, handler in before:
            signal.signal(number, handler)


def _numbers() -> list[signal.Signals]:
    named = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    return [number for number in named if signal.getsignal(number) is not signal.SIG_IGN]


def _end(_number: int, _frame: FrameType | None) -> None:
    raise TerminatedError
