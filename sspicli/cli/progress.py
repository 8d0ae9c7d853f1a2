"""How far a long run is, on stderr: one line redrawn on a terminal, else a new line every few seconds.

A thread of its own draws, so that a run that is silent for a while is seen to live. It is gone, and its line wiped,
when the block ends, whatever ended it.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import NamedTuple

from sspicli.cli.console import make_console

REDRAW_SECONDS = 0.1
FIRST_LINE_SECONDS, LINE_SECONDS = 2.0, 5.0
_WIPE = "\r\x1b[K"  # to the line's begin, and erase it


class Progress(NamedTuple):
    """What says how far it is: `bar(width)` for a line that is redrawn, `text()` for one that stays."""

    bar: Callable[[int], str]
    text: Callable[[], str]


@contextmanager
def watched(sample: Callable[[], None], progress: Progress | None) -> Iterator[None]:
    """Call `sample` ten times a second while the block runs, and show the progress unless there is none to show."""
    is_over = threading.Event()
    draw = _nothing if progress is None else _drawer(progress)
    thread = threading.Thread(target=_watch, args=(is_over, sample, draw), name="sspi-async progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()
        if progress is not None and can_redraw():
            _write(_WIPE)


class Drawn:
    """Progress that the run draws itself, in between: a run that forks must have no thread, not even one that draws.

    On no terminal, and for who wants quiet, nothing is drawn. `wipe` is to be called before anything else is written.
    """

    def __init__(self, bar: Callable[[int], str], *, is_quiet: bool) -> None:
        self._bar = bar
        self._due = monotonic() + REDRAW_SECONDS
        self._width = make_console(stream=sys.stderr).width - 1 if can_redraw() and not is_quiet else 0
        self._is_drawn = False

    def tick(self) -> None:
        """Draw, unless that was done just now."""
        if self._width and monotonic() >= self._due:
            self._due = monotonic() + REDRAW_SECONDS
            self._is_drawn = True
            _write(f"{_WIPE}{self._bar(self._width)}")

    def wipe(self) -> None:
        """Take the line away."""
        if self._is_drawn:
            _write(_WIPE)
            self._is_drawn = False


def _watch(is_over: threading.Event, sample: Callable[[], None], draw: Callable[[], None]) -> None:
    while not is_over.wait(REDRAW_SECONDS):
        sample()
        draw()


def _nothing() -> None:
    """Draw nothing."""


def _drawer(progress: Progress) -> Callable[[], None]:
    if can_redraw():
        width = make_console(stream=sys.stderr).width - 1  # the last column wraps on some terminals
        return lambda: _write(f"{_WIPE}{progress.bar(width)}")
    due = monotonic() + FIRST_LINE_SECONDS

    def line() -> None:
        nonlocal due
        if monotonic() >= due:
            due = monotonic() + LINE_SECONDS
            _write(f"{progress.text()}\n")

    return line


def can_redraw() -> bool:
    """Say whether standard error is a terminal whose line can be drawn anew."""
    return sys.stderr is not None and sys.stderr.isatty() and os.environ.get("TERM") != "dumb"


def _write(text: str) -> None:
    """Write to stderr; one that is gone hears nothing, and the run goes on."""
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except (OSError, ValueError):
        return
