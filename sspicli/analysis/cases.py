"""What the cases of scenarios came to, as pure data: what `replay` reports, whatever the format.

A scenario is a file; a case is the scenario with one choice of its matrix. Every member here is computed from a case's
records and from its file's text; the reporters only lay it out.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from sspicli.analysis.rules import Finding
from sspicli.sspi.errors import ExitCode


class Outcome(StrEnum):
    """What a case came to.

    FAILED: an expectation or a rule did not hold. STUCK: a call stayed pending or a limit was hit, and that was not
    expected. XFAIL and XPASS: it was marked as expected to fail, and did or did not. ERROR: it could not be run.
    """

    PASSED = "pass"
    FAILED = "fail"
    STUCK = "stuck"
    XFAIL = "xfail"
    XPASS = "xpass"
    SKIP = "skip"
    ERROR = "error"


class Place(NamedTuple):
    """A stretch of a file's text: line and columns count from 1, in characters; `excerpt` is the line's text.

    `end_column` is the column after the last character on that line. `file` is as the user named it, relative to where
    the command was run.
    """

    file: str
    line: int
    column: int
    end_column: int
    excerpt: str


class Problem(NamedTuple):
    """Why a file is no scenario: where, what, how to put it right; `code` is that of the tool's error table."""

    place: Place
    message: str
    help: str = ""
    code: str = "E0301"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unmet:
    """An expectation that did not hold.

    `step` is the step's id (`server.3`, `leg 2`, `expect`), `key` what was expected something of (`status`,
    `token.size`). `expected` and `got` are as the file writes such values. `evidence` are lines of what the wire
    showed, `seen` of what else the run and its records show, `cause` the likely cause, `records` the sequence numbers
    that show it. `place` is where the expected value stands, and `path` leads to it; `rewrite` is the text that
    `--update` would put there, None when it cannot.
    """

    step: str
    key: str
    place: Place
    expected: str
    got: str
    evidence: tuple[str, ...] = ()
    seen: tuple[str, ...] = ()
    cause: str = ""
    records: tuple[int, ...] = ()
    rewrite: str | None = None
    path: tuple[int | str, ...] = ()


class StepSeen(NamedTuple):
    """A step of a case and what came of it: its id, what was seen in a few words, and how many expectations failed.

    One that the run did not come to has `is_reached` false.
    """

    id: str
    seen: str = ""
    expectations: int = 0
    unmet: int = 0
    is_reached: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseResult:
    """What one case came to.

    `scenario` is the scenario's name, `parameters` its choice of the matrix, in the file's order. `reason` says why it
    was skipped, is expected to fail, or could not be run. `expectations` were put to the test, `unmet` of them did not
    hold, in the file's order; `findings` are those that count against it and `warnings` the others. `waits` is the
    wait chain of a stuck run. `schedule` is the `v1:...` string that makes the same choices again, `seed` the seed.
    `recording` is the file that holds the case's journal, "" for none; `verdict` is the run's
    own (`ok`, `failed`, ...), "" when nothing was run. `at` is the record to look at first, 0 for none. `steps` are
    the legs and steps of a case that is bad, each with what was seen of it.
    """

    file: str
    scenario: str
    parameters: tuple[tuple[str, str], ...] = ()
    tags: tuple[str, ...] = ()
    place: Place
    outcome: Outcome
    reason: str = ""
    verdict: str = ""
    expectations: int = 0
    unmet: tuple[Unmet, ...] = ()
    findings: tuple[Finding, ...] = ()
    warnings: tuple[Finding, ...] = ()
    waits: tuple[str, ...] = ()
    seed: int = 0
    schedule: str = ""
    nanoseconds: int = 0
    attempt: int = 1
    recording: str = ""
    at: int = 0
    output: tuple[str, ...] = ()
    steps: tuple[StepSeen, ...] = ()

    @property
    def name(self) -> str:
        """The scenario's name and the choice of its matrix: `scenario[parameters]`."""
        return f"{self.scenario}[{self.label}]" if self.parameters else self.scenario

    @property
    def label(self) -> str:
        """The parameters' values, as an id holds them: `pending-lifo`, "" for none."""
        return "-".join(value for _, value in self.parameters)

    @property
    def id(self) -> str:
        """The case's stable id: `file::scenario[parameters]`."""
        return f"{self.file}::{self.name}"

    @property
    def is_bad(self) -> bool:
        """Say whether it makes the whole run fail."""
        return self.outcome in (Outcome.FAILED, Outcome.STUCK, Outcome.ERROR)


@dataclass(slots=True, kw_only=True)
class SuiteResult:
    """What a whole `replay` came to: its cases in their order, and the files that are no scenarios.

    `nanoseconds` is the time of the whole; `jobs` how many processes it ran on; `is_interrupted` says that it was ended
    from outside, `is_terminated` that this was SIGTERM and no Ctrl-C; `left` are the ids of the cases that were not run
    because of that or of `--fail-fast`. `is_strict` says that an XPASS counts as a failure.
    """

    cases: list[CaseResult] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    nanoseconds: int = 0
    jobs: int = 1
    is_interrupted: bool = False
    is_terminated: bool = False
    left: list[str] = field(default_factory=list)
    is_strict: bool = False

    def count(self, outcome: Outcome) -> int:
        """Count the cases that came to this."""
        return sum(case.outcome is outcome for case in self.cases)

    def is_bad(self, case: CaseResult) -> bool:
        """Say whether this case makes the whole run fail."""
        return case.is_bad or (self.is_strict and case.outcome is Outcome.XPASS)

    @property
    def exit_code(self) -> ExitCode:
        """What the command ends with: a file that is none beats a failure, a failure beats a run that is stuck."""
        if self.is_interrupted:
            return ExitCode.TERMINATED if self.is_terminated else ExitCode.INTERRUPTED
        if self.problems:
            return ExitCode.INPUT
        bad = {case.outcome for case in self.cases if self.is_bad(case)}
        if bad:
            return ExitCode.STUCK if bad == {Outcome.STUCK} else ExitCode.FAILED
        return ExitCode.OK if self.cases else ExitCode.NOTHING_TO_RUN

    def files(self) -> dict[str, list[CaseResult]]:
        """Put the cases by their files, in their order."""
        out: dict[str, list[CaseResult]] = {}
        for case in self.cases:
            out.setdefault(case.file, []).append(case)
        return out
