"""Run a session on workers: whoever finishes its work takes it over, and at any time only one thread owns it."""

from __future__ import annotations

import threading

from sspicli.runtime.pool import PoolDispatcher, Workers
from sspicli.session.session import Session


class PooledRun:
    """A session under way on a pool. Many of them may share the workers."""

    def __init__(self, session: Session, dispatcher: PoolDispatcher, workers: Workers) -> None:
        self._session = session
        self._dispatcher = dispatcher
        self._owned = threading.Lock()
        self._is_over = threading.Event()
        self._error: Exception | None = None
        dispatcher.wake = self._wake
        workers.submit(self._begin)

    def result(self, timeout: float) -> str:
        """Wait for the end, at most `timeout` seconds, and record it; a run that is not over by then is stuck."""
        is_over = self._is_over.wait(timeout)
        if self._error is not None:
            raise self._error
        if not is_over:
            self.abandon("limit")
            return "limit"
        with self._owned:
            return self._session.end()

    def abandon(self, reason: str) -> None:
        """End the run from outside, between two transitions."""
        self._session.halt(reason)
        with self._owned:
            self._session.abandon(reason)

    def halt(self, reason: str) -> None:
        """Let `result` return soon; may be called from a signal handler."""
        self._session.halt(reason)
        self._is_over.set()

    def _begin(self) -> None:
        with self._owned:
            self._advance()
        self._wake()

    def _wake(self) -> None:
        """Take the session over while there is news for it; another owner will see news that comes meanwhile."""
        while self._dispatcher.has_news and self._owned.acquire(blocking=False):
            try:
                self._dispatcher.collect()
                self._advance()
            finally:
                self._owned.release()

    def _advance(self) -> None:
        try:
            self._session.advance()
        except Exception as error:
            self._error = error
            self._is_over.set()
        if not self._dispatcher.outstanding:
            self._is_over.set()
