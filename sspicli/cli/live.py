"""Follows a run while it goes on: frames on a terminal's other screen, or a line for each event.

The rule guarded here: the view reads the journal and nothing else, at its own pace and on its own thread: a timer makes
the frames, so the run pays nothing for a record. What is left on the screen afterwards is the run's ladder.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial

from sspicli.analysis.state import State
from sspicli.cli.console import Console, make_console
from sspicli.cli.interrupts import ENDED_BY
from sspicli.cli.terminal import Terminal, other_screen
from sspicli.cli.watching import Watching, is_screen
from sspicli.journal.journal import Journal, Record
from sspicli.views.events import Words
from sspicli.views.ladder import ladder
from sspicli.views.live import SMALLEST, Look, frame
from sspicli.views.text import Glyphs

FRAMES = 12  # a second, at most
SPARING = 30  # times as long as a frame took is waited for the next, on a machine that is busy or slow
SLOWEST = 1.0  # second between frames
HOLD = 1.0  # seconds that a session which has ended is shown while others go on
LINGER = 1.0  # seconds that the last frame of a view that was asked for stays

Wait = Callable[[float], bool]
"""Waits for the end of the run, at most so many seconds; says whether it has come."""


class Reader:
    """The state of the run that is looked at; a while after its end, of the one that `source` gives then."""

    def __init__(self, source: Callable[[], Journal]) -> None:
        self._source = source
        self._until = 0.0
        self.journal = source()
        self.state = State()

    def read(self) -> list[Record]:
        """Take what was recorded since the last time."""
        if self._is_over():
            self.journal, self.state, self._until = self._source(), State(), 0.0
        records = self.journal.since(self.state.sequence)
        for record in records:
            self.state.see(record)
        return records

    def _is_over(self) -> bool:
        """Say whether it is time to look at another run: nothing has begun here, or all has been seen for a while."""
        if self.state.reason and not self._until:
            self._until = time.monotonic() + HOLD
        is_seen = self.state.reason and time.monotonic() > self._until
        return (not self.state.sequence or bool(is_seen)) and self._source() is not self.journal


def follow(wait: Wait, source: Callable[[], Journal], note: Callable[[], str], watching: Watching) -> None:
    """Show the run that `source` gives until `wait` says that its end has come; `note` stands beside its state."""
    console = make_console(color=watching.color, ascii=watching.is_ascii, stream=sys.stderr)
    reader = Reader(source)
    if is_screen():
        terminal = Terminal(sys.stderr.fileno(), encoding=sys.stderr.encoding, has_color=console.has_color)
        columns, rows = terminal.size()
        if columns >= SMALLEST[0] and rows >= SMALLEST[1]:
            draw = partial(on_screen, wait, reader, terminal, console.glyphs, note)
            _on_screen(terminal, draw, reader, console, watching)
            return
    if watching.live:
        in_lines(wait, reader, console)
    while not wait(1):
        pass


def _on_screen(
    terminal: Terminal, draw: Callable[[], None], reader: Reader, console: Console, watching: Watching
) -> None:
    """Draw on the other screen; afterwards leave the ladder, where no result will show it."""
    is_whole = False
    try:
        with other_screen(terminal):
            draw()
            if watching.is_asked_for and reader.state.reason not in ENDED_BY:
                time.sleep(LINGER)
        is_whole = True
    finally:
        if watching.leaves_ladder or not is_whole:
            with suppress(OSError):  # of a terminal that is gone
                console.show(ladder(reader.state, console.glyphs, width=console.width, timing=True))
                console.stream.flush()


def on_screen(wait: Wait, reader: Reader, terminal: Terminal, glyphs: Glyphs, note: Callable[[], str]) -> None:
    """Draw frames on a terminal that was entered, the last one when the run is over."""
    is_over, took = False, 0.0
    while not is_over:
        is_over = wait(min(max(1 / FRAMES, took * SPARING), SLOWEST))
        began = time.perf_counter()
        reader.read()
        columns, rows = size = terminal.size()
        look = Look(columns, rows, glyphs, reader.journal.nanoseconds, note())
        terminal.show(frame(reader.state, look), size)
        took = time.perf_counter() - began


def in_lines(wait: Wait, reader: Reader, console: Console) -> None:
    """Write a line for each event; when nobody can read them any more, none."""
    is_over = False
    while not is_over:
        is_over = wait(1 / FRAMES)
        records = reader.read()
        words = Words(reader.state, console.glyphs, is_short=False)
        try:
            console.show(words.line(record) for record in records)
            console.stream.flush()
        except OSError:
            return
