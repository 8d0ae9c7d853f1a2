"""One case, run as often as was asked for: again to see whether it holds, again after it failed.

The rule guarded here: a case always comes to a result. What a case raises is told as its ERROR, so that the others are
run; a case that holds only when tried again says so, with what its earlier attempts came to.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

from sspicli.analysis.cases import CaseResult, Outcome, Place
from sspicli.sspi.errors import SspiCliError, UnavailableError, UsageError

_LAST_LINES = 12  # of a traceback; they name the place


class Runnable(Protocol):
    """What a case tells of itself, whoever runs it."""

    @property
    def file(self) -> str:
        """The file it is from."""

    @property
    def name(self) -> str:
        """The scenario's name."""

    @property
    def parameters(self) -> tuple[tuple[str, str], ...]:
        """Its choice of the matrix."""

    @property
    def tags(self) -> tuple[str, ...]:
        """Its tags."""

    @property
    def place(self) -> Place:
        """Where it stands."""

    @property
    def id(self) -> str:
        """Its stable id."""


C = TypeVar("C", bound=Runnable)
Run = Callable[[C, int], CaseResult]
"""Runs a case; the number is that of the attempt, from 1."""


class HaltedError(Exception):
    """The suite was halted before a case had come to anything."""


def _never() -> bool:
    """Go on."""
    return False


@dataclass(frozen=True, slots=True)
class Attempts:
    """How often a case is run: `repeat` times while it holds, and `retry` times more while it does not."""

    repeat: int = 1
    retry: int = 0

    def run(self, case: C, run: Run[C], is_halted: Callable[[], bool] = _never) -> CaseResult:
        """Run a case as often as it takes, and give what it came to; HaltedError when it was not to be run so often."""
        result = self._repeated(case, run, 1, is_halted)
        earlier: list[CaseResult] = []
        while result.is_bad and len(earlier) < self.retry:
            earlier.append(result)
            result = self._repeated(case, run, len(earlier) + 1, is_halted)
        return _after(earlier, result) if earlier else result

    def _repeated(self, case: C, run: Run[C], attempt: int, is_halted: Callable[[], bool]) -> CaseResult:
        nanoseconds = 0
        for number in range(1, self.repeat + 1):
            if is_halted():
                raise HaltedError
            result = guarded(case, run, attempt)
            nanoseconds += result.nanoseconds
            if result.is_bad and self.repeat > 1:
                said = f"run {number} of {self.repeat}"
                return replace(result, nanoseconds=nanoseconds, output=(*result.output, said))
        return replace(result, nanoseconds=nanoseconds)


def _after(earlier: list[CaseResult], result: CaseResult) -> CaseResult:
    """Say of the last attempt what the ones before it came to."""
    said = [f"attempt {number}: {_told(one)}" for number, one in enumerate(earlier, start=1)]
    reason = result.reason
    if not result.is_bad:
        flaky = f"flaky: it held at attempt {len(earlier) + 1}"
        reason = f"{reason}; {flaky}" if reason else flaky
    nanoseconds = result.nanoseconds + sum(one.nanoseconds for one in earlier)
    return replace(
        result, attempt=len(earlier) + 1, reason=reason, nanoseconds=nanoseconds, output=(*said, *result.output)
    )


def _told(result: CaseResult) -> str:
    """Tell in a line what an attempt came to."""
    if result.unmet:
        first = result.unmet[0]
        why = f"{first.step}: {first.key}: expected {first.expected}, got {first.got}"
    elif result.findings:
        why = f"finding {result.findings[0].rule.code}"
    else:
        why = result.reason or next(iter(result.waits), "")
    return f"{result.outcome.name}  {why}".rstrip() + (f"  {result.schedule}" if result.schedule else "")


def guarded(case: C, run: Run[C], attempt: int = 1) -> CaseResult:
    """Run a case once; what it raises becomes its result, but for a command line that is wrong."""
    try:
        return run(case, attempt)
    except UsageError:
        raise
    except UnavailableError as error:
        return ended(case, Outcome.SKIP, _sentence(error))
    except SspiCliError as error:
        return ended(case, Outcome.ERROR, _sentence(error))
    except Exception as error:
        lines = "".join(traceback.format_exception(error)).splitlines()[-_LAST_LINES:]
        reason = f"this is a bug in sspi-async: {type(error).__name__}: {error}"
        return ended(case, Outcome.ERROR, reason, output=tuple(lines))


def _sentence(error: SspiCliError) -> str:
    parts = [error.message, f"({error.where})" if error.where else "", f"- {error.help}" if error.help else ""]
    return " ".join(part for part in parts if part)


def ended(case: Runnable, outcome: Outcome, reason: str, *, output: tuple[str, ...] = ()) -> CaseResult:
    """Give the result of a case that no run has told anything of."""
    return CaseResult(
        file=case.file,
        scenario=case.name,
        parameters=case.parameters,
        tags=case.tags,
        place=case.place,
        outcome=outcome,
        reason=reason,
        output=output,
    )
