"""Compare two ways of doing the same: short slices in turn, lower quartiles, a ratio.

Absolute times say little on a shared machine; a ratio from one run says more, and differences under 8 % say nothing.
"""

from __future__ import annotations

import gc
import statistics
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
    """Let both work in turn; each call does some units and returns how many."""
    for one in (ours, anchor):
        one()
    times: dict[Callable[[], int], list[float]] = {ours: [], anchor: []}
    for number in range(slices):
        for one in (ours, anchor) if number % 2 else (anchor, ours):
            gc.collect()
            began = time.process_time()
            units = one()
            times[one].append((time.process_time() - began) / units)
    return Ratio(*(statistics.quantiles(times[one], n=4)[0] for one in (ours, anchor)))


def show(name: str, result: Ratio, goal: float) -> None:
    """Print a result on one line."""
    met = "met" if result.ratio <= goal else "missed"
    print(
        f"{name:<46} {result.ratio:5.2f}   goal {goal:.2f} {met}   "
        f"({result.ours * 1e6:,.0f} us against {result.anchor * 1e6:,.0f} us)"
    )
