"""The progress of a replay as JSON lines, for tools that follow it (`--events jsonl`).

A line for the suite's start and end and for each case's start and end, each with `event`; the first names the schema.
The members of a case are those of the JSON document. Members and events may be added and are never taken away.
"""

from __future__ import annotations

import json

from sspicli.analysis.cases import CaseResult, SuiteResult
from sspicli.reports.escapes import whole
from sspicli.reports.replay import VERDICTS, case_of, counts_of, problem_of

SCHEMA = "sspi-async/replay-events/1"


def suite_started(suite: SuiteResult, *, cases: int, tool: str) -> str:
    """Say that a suite begins: how many cases it has, and which of its files are no scenarios."""
    problems = [problem_of(problem) for problem in suite.problems]
    return _line("suite-started", {"schema": SCHEMA, "tool": tool, "cases": cases, "problems": problems})


def case_started(identity: str, *, number: int) -> str:
    """Say that a case begins; `number` counts from 1 in the suite's order."""
    return _line("case-started", {"id": identity, "number": number})


def case_ended(case: CaseResult, *, number: int, timing: bool) -> str:
    """Say what a case came to."""
    return _line("case-ended", {"number": number, **case_of(case, timing=timing)})


def suite_ended(suite: SuiteResult, *, timing: bool) -> str:
    """Say what the suite came to."""
    code = suite.exit_code
    said: dict[str, object] = {
        "verdict": VERDICTS[code],
        "exit_code": int(code),
        "counts": counts_of(suite),
        "not_run": list(suite.left),
    }
    return _line("suite-ended", {**said, "milliseconds": round(suite.nanoseconds / 1e6, 3)} if timing else said)


def _line(event: str, members: dict[str, object]) -> str:
    return json.dumps(whole({"event": event, **members}), ensure_ascii=True) + "\n"
