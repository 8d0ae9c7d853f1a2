"""Cases on several processes, each of them a copy of this one with its engine warm.

The rule guarded here: whatever happens to a process, every case comes to one result, and no process is left behind.
Processes are forked where the system can, before any thread exists; else they are started anew and sent the cases. A
process takes a few cases at a time and answers after each; one that dies makes the case it was at an ERROR, what it
had yet to do goes to another. When the one that started them is gone, they find their pipe closed, and end.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import sys
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Generic

from sspicli.analysis.cases import CaseResult, Outcome
from sspicli.scenario.attempts import Attempts, C, Run, ended
from sspicli.sspi.errors import UsageError

WAKE_SECONDS = 0.1
_MOST_AT_ONCE = 16  # cases
_PATIENCE_SECONDS = 2.0
_SHARES = 4  # for each process: the last ones to end have little left
_IGNORED = ("SIGINT", "SIGBREAK")  # a terminal sends them to everyone; who started us decides what they mean

Answer = tuple[int, CaseResult | UsageError]


class Processes(Generic[C]):
    """Runs cases on `jobs` processes; a context manager, at whose exit all of them are gone."""

    def __init__(
        self, cases: Sequence[C], run: Run[C], attempts: Attempts, *, jobs: int, start_method: str | None = None
    ) -> None:
        self._cases = cases
        self._work = (cases, run, attempts)
        self._jobs = jobs
        self._waiting: deque[int] = deque()
        self._workers: dict[Connection, _Worker] = {}
        self._start_method = start_method or _start_method()

    def __enter__(self) -> Processes[C]:
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self._workers.values():
            worker.end()
        self._workers.clear()

    def results(self, numbers: Sequence[int], is_halted: Callable[[], bool]) -> Iterator[tuple[int, CaseResult]]:
        """Give the results of these cases as they come, until `is_halted`, which is asked now and then."""
        self._waiting.extend(numbers)
        for _ in range(min(self._jobs, len(numbers))):
            self._start()
        while self._workers and not is_halted():
            for connection in wait(list(self._workers), WAKE_SECONDS):
                assert isinstance(connection, Connection), "only these are waited for"
                yield from self._answers(self._workers[connection])

    def _answers(self, worker: _Worker) -> Iterator[tuple[int, CaseResult]]:
        """Take what a process says; silence is its death."""
        try:
            answer: Answer = worker.connection.recv()
        except (EOFError, OSError):
            yield from self._buried(worker)
            return
        number, result = answer
        assert number == worker.under_way.popleft(), "a process answers in the order in which it was asked"
        if isinstance(result, UsageError):
            raise result
        self._supply(worker)
        yield number, result

    def _buried(self, worker: _Worker) -> Iterator[tuple[int, CaseResult]]:
        """Tell what a dead process was at, and let another do the rest."""
        del self._workers[worker.connection]
        worker.is_silent = True
        how = worker.end()
        if worker.under_way:
            number = worker.under_way.popleft()
            self._waiting.extendleft(reversed(worker.under_way))
            yield number, ended(self._cases[number], Outcome.ERROR, f"the process that ran it was ended {how}")
        if self._waiting and len(self._workers) < self._jobs:
            self._start()

    def _start(self) -> None:
        starter = multiprocessing.get_context(self._start_method)
        ours, theirs = starter.Pipe()
        inherited = [*self._workers, ours] if self._start_method == "fork" else []
        process = starter.Process(  # type: ignore[attr-defined]  # the union of both kinds has none
            target=_serve, args=(theirs, inherited, *self._work), name="sspi-async replay", daemon=True
        )
        process.start()
        theirs.close()
        worker = _Worker(process, ours)
        self._workers[ours] = worker
        self._supply(worker)

    def _supply(self, worker: _Worker) -> None:
        """Give a process its next cases when it has none left; without any, let it go."""
        if worker.under_way:
            return
        share = len(self._waiting) // (self._jobs * _SHARES)
        chunk = [self._waiting.popleft() for _ in range(min(len(self._waiting), max(1, min(share, _MOST_AT_ONCE))))]
        if not chunk:
            del self._workers[worker.connection]
            worker.end()
        elif worker.send(chunk):
            worker.under_way.extend(chunk)
        else:
            self._waiting.extendleft(reversed(chunk))  # it is dead, which its silence will tell


def _start_method() -> str:
    """Fork where that is safe: the system libraries of macOS do not like it."""
    can_fork = "fork" in multiprocessing.get_all_start_methods() and sys.platform != "darwin"
    return "fork" if can_fork else "spawn"


class _Worker:
    """A process, the pipe to it, and what it was asked to do."""

    def __init__(self, process: BaseProcess, connection: Connection) -> None:
        self.connection = connection
        self.under_way: deque[int] = deque()
        self.is_silent = False
        self._process = process

    def send(self, chunk: list[int]) -> bool:
        """Ask for cases; say whether the process could be asked."""
        try:
            self.connection.send(chunk)
        except OSError:
            return False
        return True

    def end(self) -> str:
        """End the process and wait for it; say how it had ended before.

        One with nothing to do goes when its pipe is closed. One with something to do is killed: it holds nothing that
        is not written.
        """
        self.connection.close()
        if self.under_way and self._process.exitcode is None and not self.is_silent:
            self._process.kill()
        self._process.join(_PATIENCE_SECONDS)
        if self._process.exitcode is None:
            self._process.kill()
            self._process.join()
        how = _ending(self._process.exitcode or 0)
        self._process.close()
        return how


def _ending(code: int) -> str:
    """Tell how a process ended."""
    if code >= 0:
        return f"with exit code {code}"
    try:
        return f"by {signal.Signals(-code).name}"
    except ValueError:
        return f"by signal {-code}"


def _serve(
    connection: Connection, inherited: list[Connection], cases: Sequence[C], run: Run[C], attempts: Attempts
) -> None:
    """Run what is asked for, one case after another, until nobody asks any more: the life of a process."""
    for other in inherited:
        other.close()  # or the end of who started us would go unnoticed
    for name in _IGNORED:
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    for name in ("SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_DFL)
    gc.freeze()  # what was there before is shared with who started us, as long as nobody touches it
    try:
        while True:
            for number in connection.recv():
                connection.send((number, _answer(cases[number], run, attempts)))
    except (EOFError, OSError):
        os._exit(0)


def _answer(case: C, run: Run[C], attempts: Attempts) -> CaseResult | UsageError:
    try:
        return attempts.run(case, run)
    except UsageError as error:
        return error
