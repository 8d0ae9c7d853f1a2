"""The JSON document of a replay (`sspi-async/replay/1`).

Non-ASCII is written as escapes, so no name can reach a terminal as a control sequence; lone surrogates are shown as
text, which every reader takes. Absent values are null. Members may be added in later versions and are never taken
away. Without timing the same cases give the same bytes.
"""

from __future__ import annotations

import json

from sspicli.analysis.cases import CaseResult, Outcome, Place, Problem, SuiteResult, Unmet
from sspicli.analysis.complaints import again
from sspicli.reports.document import finding_of
from sspicli.reports.escapes import whole
from sspicli.sspi.errors import ExitCode

SCHEMA = "sspi-async/replay/1"
VERDICTS = {
    ExitCode.OK: "ok",
    ExitCode.FAILED: "failed",
    ExitCode.STUCK: "stuck",
    ExitCode.INPUT: "no scenario",
    ExitCode.NOTHING_TO_RUN: "nothing to run",
    ExitCode.INTERRUPTED: "interrupted",
    ExitCode.TERMINATED: "terminated",
}

Member = dict[str, object]


def document_text(suite: SuiteResult, *, timing: bool) -> str:
    """Write the document, with a newline at its end."""
    return json.dumps(whole(document(suite, timing=timing)), indent=2, ensure_ascii=True) + "\n"


def document(suite: SuiteResult, *, timing: bool) -> Member:
    """Build the document as plain data."""
    out: Member = {
        "schema": SCHEMA,
        "verdict": VERDICTS[suite.exit_code],
        "exit_code": int(suite.exit_code),
        "strict": suite.is_strict,
        "counts": counts_of(suite),
        "cases": [case_of(case, timing=timing) for case in suite.cases],
        "problems": [problem_of(problem) for problem in suite.problems],
        "not_run": list(suite.left),
        "interrupted": suite.is_interrupted,
    }
    if timing:
        out |= {"jobs": suite.jobs, "milliseconds": _milliseconds(suite.nanoseconds)}
    return out


def counts_of(suite: SuiteResult) -> Member:
    """Count the cases by their outcome, all outcomes present."""
    return {"total": len(suite.cases), **{outcome.value: suite.count(outcome) for outcome in Outcome}}


def case_of(case: CaseResult, *, timing: bool) -> Member:
    """Say what a case came to."""
    out: Member = {
        "id": case.id,
        "file": case.file,
        "line": case.place.line,
        "column": case.place.column,
        "scenario": case.scenario,
        "parameters": dict(case.parameters),
        "tags": list(case.tags),
        "outcome": case.outcome.value,
        "reason": case.reason or None,
        "verdict": case.verdict or None,
        "expectations": case.expectations,
        "unmet": [_unmet(one) for one in case.unmet],
        "findings": [finding_of(one) for one in case.findings],
        "warnings": [finding_of(one) for one in case.warnings],
        "waits": list(case.waits),
        "steps": [one._asdict() for one in case.steps],
        "seed": case.seed,
        "schedule": case.schedule,
        "attempt": case.attempt,
        "recording": case.recording or None,
        "record": case.at or None,
        "output": list(case.output),
        "again": again(case) or None,
    }
    if timing:
        out["milliseconds"] = _milliseconds(case.nanoseconds)
    return out


def problem_of(problem: Problem) -> Member:
    """Say why a file is no scenario."""
    return {
        "code": problem.code,
        "message": problem.message,
        "help": problem.help or None,
        **_place(problem.place),
        "excerpt": problem.place.excerpt,
    }


def _unmet(one: Unmet) -> Member:
    return {
        "step": one.step,
        "key": one.key,
        **_place(one.place),
        "excerpt": one.place.excerpt,
        "expected": one.expected,
        "got": one.got,
        "evidence": list(one.evidence),
        "seen": list(one.seen),
        "cause": one.cause or None,
        "records": list(one.records),
    }


def _place(place: Place) -> Member:
    return {"file": place.file, "line": place.line, "column": place.column, "end_column": place.end_column}


def _milliseconds(nanoseconds: int) -> float:
    return round(nanoseconds / 1e6, 3)
