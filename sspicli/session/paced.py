"""Run a session slowly enough to be watched: a wait of real time after each transition that left a record.

Virtual time does not notice: what is recorded is what an unpaced run records.
"""

from __future__ import annotations

import time

from sspicli.journal.journal import Journal
from sspicli.session.session import Session

SLICE_SECONDS = 0.05


class PacedRun:
    """A session that waits `seconds` between its transitions; its chooser must not be the default one."""

    def __init__(self, session: Session, journal: Journal, seconds: float) -> None:
        self._session = session
        self._journal = journal
        self._seconds = seconds
        self._is_halted = False

    def run(self) -> str:
        """Fire transitions until nothing is left; record and return why it ended."""
        seen = len(self._journal)
        while self._session.step():
            if len(self._journal) > seen:
                self._wait()
            seen = len(self._journal)
        return self._session.end()

    def halt(self, reason: str) -> None:
        """End the run after the transition under way, or at once while it waits; a signal handler may call this."""
        self._session.halt(reason)
        self._is_halted = True

    def _wait(self) -> None:
        """Wait in slices: a lock that the signal handler needs as well could be held when it comes."""
        until = time.monotonic() + self._seconds
        while not self._is_halted and (left := until - time.monotonic()) > 0:
            time.sleep(min(left, SLICE_SECONDS))
