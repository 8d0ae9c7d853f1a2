"""Compare two ways of doing the same: short slices in turn, lower quartiles, a ratio.

Absolute times say little on a shared machine; a ratio from one run says more, and differences under 8 % say nothing.
"""

from __future__ import annotations

import gc
import os
import resource
import statistics
import subprocess
import time
from collections.abc import Callable
from typing import NamedTuple


class Ratio(NamedTuple):
    """Seconds per unit of each contestant (lower quartile of its slices), and ours by the anchor's."""

    ours: float
    anchor: float

    @property
    def ratio(self) -> float:
        """Say how many times the anchor's time ours takes."""
        return self.ours / self.anchor


def contest(ours: Callable[[], int], anchor: Callable[[], int], *, slices: int = 40) -> Ratio:
    """Let both work in turn; each call does some units and returns how many. Counts processor time of this process."""
    for one in (ours, anchor):
        one()
    return _alternate(lambda: _slice(ours), lambda: _slice(anchor), slices)


def contest_of_processes(ours: list[str], anchor: list[str], *, slices: int = 20) -> Ratio:
    """Run both commands in turn, with compiled modules kept; counts processor time of the whole process."""
    return _alternate(lambda: _process(ours), lambda: _process(anchor), slices)


def _alternate(ours: Callable[[], float], anchor: Callable[[], float], slices: int) -> Ratio:
    times: dict[Callable[[], float], list[float]] = {ours: [], anchor: []}
    for number in range(slices):
        for one in (ours, anchor) if number % 2 else (anchor, ours):
            times[one].append(one())
    return Ratio(*(statistics.quantiles(times[one], n=4)[0] for one in (ours, anchor)))


def _slice(work: Callable[[], int]) -> float:
    gc.collect()
    began = time.process_time()
    units = work()
    return (time.process_time() - began) / units


def _process(command: list[str]) -> float:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, capture_output=True, env=environment)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def show(name: str, result: Ratio, goal: float) -> None:
    """Print a result on one line."""
    met = "met" if result.ratio <= goal else "missed"
    print(f"{name:<50} {result.ratio:5.2f}   goal {goal:.2f} {met:<6}  ({_time(result.ours)} / {_time(result.anchor)})")


def show_cost(name: str, seconds: float, goal: float) -> None:
    """Print a cost that has no anchor, in microseconds, with its goal."""
    met = "met" if seconds * 1e6 <= goal else "missed"
    print(f"{name:<50} {seconds * 1e6:5.1f} us goal {goal:.1f} {met}")


def _time(seconds: float) -> str:
    return f"{seconds * 1e3:,.1f} ms" if seconds >= 0.01 else f"{seconds * 1e6:,.0f} us"
