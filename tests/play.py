"""Scenarios in tests: write one as text, run it, and look at what it came to."""

from __future__ import annotations

from textwrap import dedent, indent

import pytest

from sspicli.analysis.cases import CaseResult, Problem
from sspicli.scenario.load import Case, loads
from sspicli.scenario.run import Ran, RunOptions, run, run_case
from sspicli.scenario.yaml import ScenarioError

HEAD = "schema: sspi-async/scenario/1\nname: a scenario\n"

# An endpoint's own program, in parts: what comes before the calls that a test is about, and what comes after.
BEGIN = """
- create: ac
- set-callback: ac
"""
CREDENTIAL = """
- acquire: {}
- wait: ac
- get-status: ac
- reinit: ac
"""
FIRST_LEG = """
- connect: 1
- receive: received
- accept: {}
- wait: ac
- get-status: ac
- send: output
- free-buffers: ac
- keep-extra: received
- reinit: ac
"""
REST = """
- handshake: {}
- receive: received
- close: wire
"""
END = """
- delete: {}
- wait: ac
- get-status: ac
- reinit: ac
- free-credential: {}
- wait: ac
- get-status: ac
- free-async-context: ac
"""


def scenario(body: str) -> str:
    """Write a scenario of these keys."""
    return HEAD + dedent(body)


def server(*parts: str, more: str = "") -> str:
    """Write a scenario whose server takes these steps, against the shipped client."""
    steps = indent("".join(part.strip("\n") + "\n" for part in map(dedent, parts)), "    ")
    return f"{HEAD}programs:\n  server:\n{steps}{dedent(more)}"


def cases(text: str) -> tuple[Case, ...]:
    """Read a scenario's cases."""
    return loads(text, "test.sspi.yaml").cases


def play(text: str, **options: object) -> CaseResult:
    """Run a scenario of one case and judge it."""
    (case,) = cases(text)
    return run_case(case, RunOptions(**options))  # type: ignore[arg-type]


def ran(text: str) -> Ran:
    """Run a scenario of one case."""
    (case,) = cases(text)
    return run(case)


def problems(text: str) -> tuple[Problem, ...]:
    """Read what is no scenario, and say why."""
    with pytest.raises(ScenarioError) as caught:
        loads(text, "test.sspi.yaml")
    return caught.value.problems


def said(text: str) -> list[tuple[int, int, str]]:
    """Read what is no scenario: line, column and message of each problem."""
    return [(one.place.line, one.place.column, one.message) for one in problems(text)]
