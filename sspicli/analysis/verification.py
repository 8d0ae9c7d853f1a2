"""What the misuse verifier came to over several files, as pure data, and what its user set aside or judged otherwise.

The rule guarded here: nothing disappears. A suppression needs a reason, and what it set aside is still listed with it;
one that set nothing aside is reported, because it hides what comes later. A severity that was overridden is the user's,
and everything else of the rule stays.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from sspicli.analysis.cases import Problem
from sspicli.analysis.finding import Finding
from sspicli.sspi.errors import ExitCode


class Suppressed(NamedTuple):
    """A finding that was set aside, and why."""

    finding: Finding
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One file: its findings, those set aside, how many records were judged, and what its reader noted.

    `is_whole` says that the records end where their run did: else nothing is known of what was left over.
    """

    name: str
    findings: tuple[Finding, ...]
    suppressed: tuple[Suppressed, ...]
    records: int
    note: str
    is_whole: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """How findings are to be taken: the codes to set aside with their reasons, and severities by code."""

    ignored: Mapping[str, str]
    severities: Mapping[str, str]

    def of(self, findings: Iterable[Finding]) -> tuple[tuple[Finding, ...], tuple[Suppressed, ...]]:
        """Divide findings into those that count, with their severities, and those set aside."""
        kept, aside = [], []
        for finding in findings:
            code = finding.rule.code
            own = finding._replace(
                rule=finding.rule._replace(severity=self.severities.get(code, finding.rule.severity))
            )
            if code in self.ignored:
                aside.append(Suppressed(own, self.ignored[code]))
            else:
                kept.append(own)
        return tuple(kept), tuple(aside)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """All files, those that could not be read, and the suppressions that set nothing aside."""

    files: tuple[Judged, ...]
    problems: tuple[Problem, ...]
    unused: Mapping[str, str]
    is_strict: bool

    @property
    def findings(self) -> tuple[Finding, ...]:
        """List the findings of all files that count."""
        return tuple(finding for one in self.files for finding in one.findings)

    def count(self, severity: str) -> int:
        """Count the findings of a severity."""
        return sum(finding.rule.severity == severity for finding in self.findings)

    @property
    def exit_code(self) -> ExitCode:
        """Say what the process ends with: a file that nobody could read outweighs what others held."""
        if self.problems:
            return ExitCode.INPUT
        if self.count("error") or (self.is_strict and (self.findings or self.unused)):
            return ExitCode.FAILED
        return ExitCode.OK
