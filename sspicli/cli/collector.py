"""Python's cycle collector, off while many sessions run: it would look at every session in flight, over and over.

A session that ends plainly is freed by its last reference (a test holds it to that). One that does not, such as one
stuck with a call that never completes, can be a cycle; so the collector sweeps after some hundred of those.
"""

from __future__ import annotations

import gc
from types import TracebackType
from typing import Self

SWEEP_EVERY = 500


class Collector:
    """The collector, off from entry to exit; `ended_otherwise` is to be told of each session that may be a cycle."""

    def __init__(self) -> None:
        self._was_on = False
        self._suspects = 0

    def __enter__(self) -> Self:
        self._was_on = gc.isenabled()
        gc.disable()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._was_on:
            gc.enable()

    def ended_otherwise(self) -> None:
        """Count a session that may be a cycle; sweep when there are many."""
        self._suspects += 1
        if self._suspects % SWEEP_EVERY == 0:
            gc.collect(0)  # what survived an earlier sweep is not looked at again
