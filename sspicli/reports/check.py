"""What `scenario check` and `scenario list` say, as JSON: ASCII, and only ever more members."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from sspicli.analysis.cases import Problem
from sspicli.reports.escapes import whole
from sspicli.reports.replay import problem_of
from sspicli.sspi.errors import ExitCode


def document_text(counts: Mapping[str, tuple[int, int]], problems: Sequence[Problem]) -> str:
    """Write what a check came to; `counts` are each file's scenarios and cases."""
    code = ExitCode.INPUT if problems else ExitCode.OK
    return _text(
        {
            "schema": "sspi-async/check/1",
            "verdict": "no scenario" if problems else "ok",
            "exit_code": int(code),
            "scenarios": sum(scenarios for scenarios, _ in counts.values()),
            "cases": sum(cases for _, cases in counts.values()),
            "files": [
                {"file": file, "scenarios": scenarios, "cases": cases} for file, (scenarios, cases) in counts.items()
            ],
            "problems": [problem_of(one) for one in problems],
        }
    )


def list_text(scenarios: Sequence[Mapping[str, object]]) -> str:
    """Write a list of scenarios."""
    return _text({"schema": "sspi-async/scenario-list/1", "scenarios": list(scenarios)})


def _text(document: dict[str, object]) -> str:
    return json.dumps(whole(document), indent=2, ensure_ascii=True) + "\n"
