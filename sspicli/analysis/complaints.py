"""What is wrong with a case or a file, one complaint at a time: the words that every format of a report shares.

The rule guarded here: a complaint says nothing that is not in the result it is made of, and its members are still
data: whoever writes it out escapes it as the format asks. A case that did as it was to do has no complaint.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import NamedTuple

from sspicli.analysis.cases import CaseResult, Outcome, Place, Problem, SuiteResult, Unmet
from sspicli.analysis.rules import Finding
from sspicli.sspi.error_codes import NOT_FAILED, NOT_RUN, RULE_BROKEN, STUCK, UNMET, title_of
from sspicli.sspi.status import SecurityStatus

PROGRAM = "sspi-async"


class Complaint(NamedTuple):
    """One thing that is wrong: `code` and `title` of the error table, and what is special about this one.

    `severity` is error, warning or info; `rule` is the code of the misuse rule for a finding, "" for others; `step` is
    the step's id; `subject` is what it is about, the same in every run; `said` belongs beside the place
    (`got SEC_E_OK`); `rows` are labelled facts in the order in which they are to be read; `records` are the sequence
    numbers that show it.
    """

    code: str
    title: str
    severity: str
    place: Place
    said: str = ""
    step: str = ""
    subject: str = ""
    rule: str = ""
    rows: tuple[tuple[str, str], ...] = ()
    records: tuple[int, ...] = ()

    @property
    def sentence(self) -> str:
        """Say it in one line."""
        return f"{self.title}: {self.said}" if self.said else self.title

    @property
    def text(self) -> str:
        """Say it in full, a line for each fact, the place first."""
        place = self.place
        head = f"{place.file}:{place.line}:{place.column}: {self.severity}[{self.code}]: {self.sentence}"
        step = [("step", self.step)] if self.step else []
        return "\n".join([head, *(f"{name}: {fact}" for name, fact in (*step, *self.rows))])


def complaints(case: CaseResult, *, is_strict: bool = False) -> tuple[Complaint, ...]:
    """List what is wrong with a case, the gravest first; warnings are not among them."""
    if not (case.is_bad or (is_strict and case.outcome is Outcome.XPASS)):
        return ()
    found = tuple(_complaints(case))
    return found or (_complaint(case, UNMET, case.reason or f"the run came to {case.verdict or case.outcome.value}"),)


def shortfalls(case: CaseResult) -> tuple[Complaint, ...]:
    """List what did not hold in a case, though it was expected to fail."""
    found = _complaints(case) if case.outcome is Outcome.XFAIL else ()
    return tuple(one._replace(severity="info") for one in found)


def warnings(case: CaseResult) -> tuple[Complaint, ...]:
    """List the findings that do not count against a case."""
    return tuple(of_finding(one, case.place) for one in case.warnings)


def of_problem(problem: Problem) -> Complaint:
    """Make the complaint about a file that is no scenario."""
    rows = (("help", problem.help),) if problem.help else ()
    return Complaint(problem.code, problem.message, "error", problem.place, rows=rows)


def of_finding(finding: Finding, place: Place) -> Complaint:
    """Make the complaint about a broken rule, at the place of the scenario or file it was found in."""
    rule = finding.rule
    seen = " ".join(f"#{number}" for number in finding.records)
    rows = (
        ("rule", rule.documented),
        ("seen", f"{finding.subject}: {finding.detail}" + (f", records {seen}" if seen else "")),
        ("help", rule.fix),
        ("page", rule.reference.url),
        ("see", f"{PROGRAM} explain {rule.code}"),
    )
    return Complaint(
        RULE_BROKEN,
        f"misuse rule {rule.code} broken",
        rule.severity,
        place,
        said=f"{finding.subject} {rule.title}",
        subject=finding.subject,
        rule=rule.code,
        rows=rows,
        records=finding.records,
    )


def again(case: CaseResult) -> str:
    """Give the command that runs just this case with the same choices, "" where its name cannot be typed."""
    if not (case.file + case.name).isprintable():
        return ""
    words = [PROGRAM, "replay", _argument(case.id)]
    has_choices = case.schedule not in ("", "v1:")  # which is what happens anyway
    return shlex.join([*words, "--schedule", case.schedule] if has_choices else words)


def debug(case: CaseResult) -> str:
    """Give the command that opens the case's recording in the debugger, where it went wrong; "" when there is none."""
    if not case.recording or not case.recording.isprintable():
        return ""
    at = ["--at", str(case.at)] if case.at else []
    return shlex.join([PROGRAM, "repl", _argument(case.recording), *at])


def _argument(file: str) -> str:
    """Write a file's name so that it is not taken for an option."""
    return f"./{file}" if file.startswith("-") else file


def counts(suite: SuiteResult) -> dict[str, int]:
    """Count the cases by what they came to, by the words of the summary; what is rare only when there is any."""
    named = ("TOTAL", len(suite.cases)), *((word, suite.count(outcome)) for word, outcome in _COUNTED)
    rare = ("ERROR", suite.count(Outcome.ERROR)), ("NO SCENARIO", len(suite.problems)), ("NOT RUN", len(suite.left))
    return {**dict(named), **{word: number for word, number in rare if number}}


_COUNTED = (
    ("PASS", Outcome.PASSED),
    ("FAIL", Outcome.FAILED),
    ("XFAIL", Outcome.XFAIL),
    ("XPASS", Outcome.XPASS),
    ("SKIP", Outcome.SKIP),
    ("STUCK", Outcome.STUCK),
)


def _complaints(case: CaseResult) -> Iterator[Complaint]:
    if case.outcome is Outcome.ERROR:
        yield _complaint(case, NOT_RUN, case.reason)
    if case.outcome is Outcome.XPASS:
        yield _complaint(case, NOT_FAILED, case.reason)
    if case.outcome is Outcome.STUCK:
        waits = tuple(("waits", wait) for wait in case.waits)
        yield _complaint(case, STUCK, case.reason)._replace(rows=waits)
    yield from map(_unmet, case.unmet)
    for finding in case.findings:
        yield of_finding(finding, case.place)


def _complaint(case: CaseResult, code: str, said: str) -> Complaint:
    return Complaint(code, title_of(code), "error", case.place, said=said)


def _unmet(one: Unmet) -> Complaint:
    place = one.place
    written = place.excerpt[place.column - 1 : place.end_column - 1].strip("\"' ")
    expected = "" if written == one.expected else f"expected {one.expected}, "
    causes = (("cause", one.cause),) if one.cause else ()
    return Complaint(
        UNMET,
        title_of(UNMET),
        "error",
        place,
        said=f"{expected}got {one.got}",
        step=one.step,
        subject=one.key,
        rows=(
            *(("wire", fact) for fact in one.evidence),
            *(("seen", fact) for fact in one.seen),
            *causes,
            *_explanation(one.got),
        ),
        records=one.records,
    )


def _explanation(got: str) -> Iterator[tuple[str, str]]:
    """Name the command that explains the status that was got, where it is one."""
    name = got.split(" ", 1)[0]
    if name in SecurityStatus.__members__ and name != SecurityStatus.SEC_E_OK.name:
        yield "see", f"{PROGRAM} explain {name}"
