"""Many cases: run here or on processes, given back in their order, ended early when that is wanted.

The rule guarded here: what is reported does not depend on how many processes there are, nor on which of them is first.
Starting processes costs some handshakes' time, so the first cases are run here, which also warms the engine that the
processes inherit; what is left goes to processes when they gain more than they cost.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from time import perf_counter
from typing import Generic

from sspicli.analysis.cases import CaseResult, SuiteResult
from sspicli.scenario.attempts import Attempts, C, HaltedError, Run

START_SECONDS = 0.03
"""What processes must save to be started: about twice what importing, forking and ending them takes."""
_WARM = 3  # cases


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """How a suite is run; `jobs` None lets the suite choose, up to the number of cores."""

    attempts: Attempts = field(default_factory=Attempts)
    jobs: int | None = None
    fail_fast: bool = False


def _nothing() -> None:
    """Do nothing."""


def _unheard(_number: int, _result: CaseResult) -> None:
    """Tell nobody."""


class Suite(Generic[C]):
    """Cases to run; `heard` is told of each result as it comes, `idle` is called now and then in between.

    `halt` may be called from a signal handler: no case begins after it. `result` is what it came to so far.
    """

    def __init__(
        self,
        cases: Sequence[C],
        run: Run[C],
        policy: Policy = Policy(),
        *,
        heard: Callable[[int, CaseResult], None] = _unheard,
        idle: Callable[[], None] = _nothing,
    ) -> None:
        self.result = SuiteResult()
        self.halted = ""
        self._cases = cases
        self._run = run
        self._policy = policy
        self._heard = heard
        self._idle = idle

    def halt(self, reason: str) -> None:
        """Begin no further case, for this reason."""
        self.halted = reason

    def run(self) -> SuiteResult:
        """Run the cases; the results stand in the order of the cases, up to where it was ended."""
        began = perf_counter()
        try:
            with closing(self._answers()) as answers:
                self._collect(answers)
        finally:
            result = self.result
            result.nanoseconds = int((perf_counter() - began) * 1e9)
            result.is_interrupted = bool(self.halted)
            result.is_terminated = self.halted == "terminated"
            done = {case.id for case in result.cases}
            result.left = [case.id for case in self._cases if case.id not in done]
        return result

    def _collect(self, answers: Iterator[tuple[int, CaseResult]]) -> None:
        """Put results in their order; with `fail_fast` what stands after the first bad one is dropped."""
        early: dict[int, CaseResult] = {}
        bad = len(self._cases)
        try:
            for number, result in answers:
                early[number] = result
                self._heard(number, result)
                if self.result.is_bad(result) and self._policy.fail_fast:
                    bad = min(bad, number)
                self._take(early, up_to=bad)
                if len(self.result.cases) > bad or self.halted:
                    break
        finally:
            self.result.cases += [early[number] for number in sorted(early) if number <= bad]

    def _take(self, early: dict[int, CaseResult], *, up_to: int) -> None:
        while len(self.result.cases) in early and len(self.result.cases) <= up_to:
            self.result.cases.append(early.pop(len(self.result.cases)))

    def _answers(self) -> Generator[tuple[int, CaseResult], None, None]:
        """Run cases here while that is quicker, and the rest on processes."""
        most = min(self._policy.jobs or cores(), len(self._cases))
        began = perf_counter()
        for number, case in enumerate(self._cases):
            if number == 1:
                began = perf_counter()  # the first case loads the engine, which is no measure for the others
            if self.halted:
                return
            if most > 1 and self._pays(number, perf_counter() - began, most):
                yield from self._on_processes(number, most)
                return
            try:
                result = self._policy.attempts.run(case, self._run, self._is_halted)
            except HaltedError:
                return
            yield number, result

    def _pays(self, done: int, seconds: float, jobs: int) -> bool:
        """Say whether processes would save more time than they cost; who names a number of them wants them."""
        if self._policy.jobs is not None:
            return True
        left = len(self._cases) - done
        if done < _WARM or left < 2 * jobs:
            return False
        return seconds / (done - 1) * left * (1 - 1 / jobs) > START_SECONDS

    def _on_processes(self, first: int, jobs: int) -> Iterator[tuple[int, CaseResult]]:
        from sspicli.scenario.parallel import Processes  # which a few cases do not pay for

        numbers = range(first, len(self._cases))
        jobs = min(jobs, len(numbers))
        self.result.jobs = jobs
        with Processes(self._cases, self._run, self._policy.attempts, jobs=jobs) as processes:
            yield from processes.results(numbers, self._is_halted)

    def _is_halted(self) -> bool:
        self._idle()
        return bool(self.halted)


def cores() -> int:
    """Count the cores that this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity is not None else os.cpu_count() or 1
