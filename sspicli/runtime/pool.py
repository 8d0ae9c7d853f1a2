"""Completion on worker threads that share one queue: real parallel work, with the same session code.

A queued call's work goes to the queue; the worker that has done it hands the call back and wakes the call's session,
whose completion and callback then run on that worker, as on Windows, where the callback's thread is not promised. A
session's state changes on one thread at a time (see `session/pooled.py`), so its journal needs no lock.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from functools import partial
from queue import SimpleQueue

from sspicli.runtime.calls import PendingCall
from sspicli.sspi.errors import LimitError
from sspicli.sspi.functions import Function
from sspicli.sspi.status import SecurityStatus

Job = Callable[[], None]


class Workers:
    """Threads that take jobs from one queue until they are closed."""

    def __init__(self, count: int) -> None:
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._threads = [
            threading.Thread(target=self._work, name=f"sspi-async worker {number}", daemon=True)
            for number in range(1, count + 1)
        ]
        try:
            for thread in self._threads:
                thread.start()
        except RuntimeError:  # all that Python says of a thread that the system does not start
            raise LimitError(f"the system does not start {count} threads", help="ask for fewer --workers") from None

    def submit(self, job: Job) -> None:
        """Let some worker do a job."""
        self._jobs.put(job)

    def close(self) -> None:
        """Let the workers finish what is queued, and end."""
        for _ in self._threads:
            self._jobs.put(None)
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            job()


class PoolDispatcher:
    """One session's side of the pool."""

    def __init__(self, workers: Workers) -> None:
        self.completions: list[PendingCall] = []
        self.outstanding = 0
        self.wake: Job = lambda: None
        self._workers = workers
        self._finished: deque[PendingCall] = deque()

    def admit(self, function: Function, actor: str) -> SecurityStatus | None:
        """Admit everything."""
        return None

    def submit(self, call: PendingCall) -> None:
        """Put the call's work on the queue."""
        self.outstanding += 1
        self._workers.submit(partial(self._compute, call))

    @property
    def has_news(self) -> bool:
        """Say whether work was finished that the session has not been told of."""
        return bool(self._finished)

    def collect(self) -> None:
        """Offer the finished calls for completion; called by the session's owner."""
        while self._finished:
            self.completions.append(self._finished.popleft())
            self.outstanding -= 1

    def _compute(self, call: PendingCall) -> None:
        if call.result is None:
            call.compute()
        self._finished.append(call)
        self.wake()
