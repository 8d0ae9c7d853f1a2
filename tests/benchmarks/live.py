"""The live view's cost: speed goal 13, `python -m tests.benchmarks.live`.

16 sessions in flight on 2 workers with the view on, at 120 by 40, against the same with nobody looking. Processor time
of the whole process is compared, so the frames count wherever they are made. What is drawn goes nowhere: a terminal's
own time is not ours.
"""

from __future__ import annotations

import os
import time

from sspicli.analysis.state import State
from sspicli.cli.collector import Collector
from sspicli.cli.live import Reader, on_screen
from sspicli.cli.terminal import Size, Terminal
from sspicli.cli.watching import Job
from sspicli.journal.journal import Journal
from sspicli.session.fleet import Fleet
from sspicli.views.live import Look, frame
from sspicli.views.text import UNICODE
from tests.benchmarks.contest import Ratio, contest, show
from tests.benchmarks.load import Flown

IN_FLIGHT, WORKERS, UNITS = 16, 2, 600
SIZE = (120, 40)


class Nowhere(Terminal):
    """A terminal of one size whose writes go nowhere."""

    def __init__(self) -> None:
        super().__init__(os.open(os.devnull, os.O_WRONLY), encoding="utf-8", has_color=True)

    def size(self) -> Size:
        """Give the size that is measured."""
        return SIZE


def view_on_and_off(*, slices: int = 16) -> Ratio:
    """Compare 16 sessions in flight with the view on and off."""
    flown, terminal = Flown(), Nowhere()

    def fleet() -> Fleet[object]:
        return flown.fleet(UNITS, in_flight=IN_FLIGHT, workers=WORKERS)

    def run(one: Fleet[object]) -> int:
        with Collector():
            return sum(1 for _ in one.run())

    def watched() -> int:
        flying = fleet()
        job = Job(lambda: run(flying))
        terminal.enter()
        on_screen(job.wait, Reader(lambda: flying.latest), terminal, UNICODE, str)
        terminal.leave()
        job.finish()
        return UNITS

    def alone() -> int:
        job = Job(lambda: run(fleet()))
        while not job.wait(1):
            pass
        job.finish()
        return UNITS

    return contest(watched, alone, slices=slices)


def frame_seconds() -> float:
    """Measure one frame of a handshake that has ended."""
    flown, kept = Flown(), []

    def keep(_: int, journal: Journal) -> None:
        kept.append(journal)

    flown.fly(1, judge=keep)
    state = State()
    for record in kept[0].records:
        state.see(record)
    times = []
    for number in range(200):
        began = time.perf_counter()
        frame(state, Look(*SIZE, UNICODE, number * 1_000_000))
        times.append(time.perf_counter() - began)
    return sorted(times)[len(times) // 4]


def live_view() -> None:
    """Print both (goal 13)."""
    show(f"live view on / off, {IN_FLIGHT} sessions in flight", view_on_and_off(), 1.05)
    print(f"{'one frame at 120 by 40':<50} {frame_seconds() * 1e6:5.0f} us")
