"""From paths to cases, and from a case to what it came to: scenarios and recordings alike.

The rule guarded here: every problem of every file is told, and a file that is none keeps no other from being run. What
only scenarios need is imported for scenarios, what only recordings need for recordings.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from sspicli.analysis.cases import CaseResult, Place, Problem
from sspicli.scenario.attempts import Runnable
from sspicli.scenario.collect import UNREADABLE, Found, collect
from sspicli.sspi.errors import InputError, UsageError


class Cases(NamedTuple):
    """What the paths hold: cases in their order, and what is wrong with files that hold none.

    `left` are the ids of cases that are good, in files that are not, and are therefore not run.
    """

    cases: list[Runnable]
    problems: list[Problem]
    left: list[str]


def cases_of(paths: Sequence[str], allowed: Sequence[Path] = ()) -> Cases:
    """Collect the files that the paths name, and read each; a path that leads nowhere is an InputError.

    `allowed` are folders in which scenarios may name files, beside their own.
    """
    collected = collect(paths)
    cases: list[Runnable] = []
    problems = list(collected.problems)
    left: list[str] = []
    for found in collected.files:
        try:
            cases += _recorded(found, allowed) if found.is_recording else _scenarios(found, allowed)
        except InputError as error:
            problems += problems_of(error, found)
            left += [one for one in getattr(error, "left", ()) if found.case in (None, one)]
    return Cases(cases, problems, left)


def _recorded(found: Found, allowed: Sequence[Path]) -> Sequence[Runnable]:
    from sspicli.cli.rerun import read_recorded

    return _wanted_of([read_recorded(found.path, found.name, allowed=allowed)], found)


def _scenarios(found: Found, allowed: Sequence[Path]) -> Sequence[Runnable]:
    from sspicli.scenario.load import load

    return _wanted_of(load(found.path, found.name, allowed=allowed).cases, found)


def _wanted_of(cases: Sequence[Runnable], found: Found) -> Sequence[Runnable]:
    """Keep the case that was named by its id, if one was."""
    if found.case is None:
        return cases
    kept = [one for one in cases if one.id == found.case]
    if not kept:
        from difflib import get_close_matches

        near = get_close_matches(found.case, [one.id for one in cases], n=1)
        way_out = f"did you mean {near[0]!r}?" if near else "--list shows the ids"
        raise UsageError(f"the file has no case {found.case.partition('::')[2]!r}", where=found.name, help=way_out)
    return kept


def problems_of(error: InputError, found: Found) -> Sequence[Problem]:
    """Take the problems of a scenario as they are, and make one of a file that cannot be read at all."""
    known = getattr(error, "problems", None)
    if known is not None:
        return tuple(known)
    line = error.where.rpartition(":")[2]
    place = Place(found.name, int(line) if line.isdecimal() and len(line) < 9 else 1, 1, 1, "")
    message = f"{error.message}: {error.cause}" if error.cause else error.message
    return [Problem(place, message, error.help, UNREADABLE)]


@dataclass(frozen=True, slots=True)
class Runner:
    """Runs a case of either kind, in whatever process."""

    schedule: str | None = None
    seed: int | None = None
    artifacts: Path | None = None
    strict: bool = False

    def __call__(self, case: Runnable, attempt: int) -> CaseResult:
        """Run a case; `attempt` counts from 1."""
        from sspicli.cli.rerun import Recorded, rerun  # imported by then, if there is any

        if isinstance(case, Recorded):
            return rerun(case)
        from sspicli.scenario.load import Case
        from sspicli.scenario.run import RunOptions, run_case

        assert isinstance(case, Case), "a case is a scenario's or a recording"
        options = RunOptions(
            schedule=self.schedule, seed=self.seed, artifacts=self.artifacts, strict=self.strict, attempt=attempt
        )
        return run_case(case, options)
