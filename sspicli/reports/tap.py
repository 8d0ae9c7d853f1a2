"""A replay as the Test Anything Protocol, version 14: a test point for each case, YAML beside those that are bad.

The rule guarded here: a description holds no line feed and no `#` of its own, and the YAML's texts are quoted, so that
nothing out of a file can be read as a directive or as another test point. A case that is expected to fail is TODO, one
that was not run is SKIP; an interrupted run bails out after the points it has.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from sspicli.analysis.cases import CaseResult, Outcome, Problem, SuiteResult
from sspicli.analysis.complaints import Complaint, again, complaints, debug, of_problem
from sspicli.reports.escapes import one_line, yaml_scalar

_SPECIAL = re.compile(r"([\\#])")


def tap_text(suite: SuiteResult, *, timing: bool) -> str:
    """Write the document."""
    points = [_problem(one) for one in suite.problems]
    points += [_case(case, suite, timing=timing) for case in suite.cases]
    if not suite.is_interrupted:
        points += [("ok", identity, "SKIP not run", ()) for identity in suite.left]
    planned = len(points) + (len(suite.left) if suite.is_interrupted else 0)
    lines = ["TAP version 14", f"1..{planned}" + ("" if planned else " # SKIP there was nothing to run")]
    for number, (state, description, directive, diagnostics) in enumerate(points, start=1):
        lines.append(f"{state} {number} - {_escaped(description)}" + (f" # {directive}" if directive else ""))
        lines += [f"  {one}" for one in diagnostics]
    how = "terminated" if suite.is_terminated else "interrupted"
    return "\n".join([*lines, *([f"Bail out! {how}"] if suite.is_interrupted else [])]) + "\n"


_Point = tuple[str, str, str, Sequence[str]]


def _problem(problem: Problem) -> _Point:
    found = of_problem(problem)
    return "not ok", f"{problem.place.file}:{problem.place.line} is a scenario", "", _diagnostics((found,), [])


def _case(case: CaseResult, suite: SuiteResult, *, timing: bool) -> _Point:
    reason = _escaped(case.reason)
    match case.outcome:
        case Outcome.SKIP:
            return "ok", case.id, f"SKIP {reason}".rstrip(), ()
        case Outcome.XFAIL:
            return "not ok", case.id, f"TODO {reason}".rstrip(), ()
        case Outcome.XPASS if not suite.is_strict:
            return "ok", case.id, f"TODO {reason}".rstrip(), ()
    found = complaints(case, is_strict=suite.is_strict)
    extra = [("duration_ms", f"{case.nanoseconds / 1e6:.3f}")] if timing else []
    if not found:
        return "ok", case.id, "", _block(extra) if extra else ()
    ways = [("debug", debug(case)), ("again", again(case))]
    extra += [(key, yaml_scalar(value)) for key, value in ways if value]
    return "not ok", case.id, "", _diagnostics(found, extra)


def _diagnostics(found: Sequence[Complaint], extra: Sequence[tuple[str, str]]) -> list[str]:
    """Write what is wrong: the first complaint as the members that harnesses show, then all of them."""
    first = found[0]
    members = [
        ("message", yaml_scalar(first.sentence)),
        ("severity", "fail"),
        ("code", yaml_scalar(first.code)),
        ("at", f"{{file: {yaml_scalar(first.place.file)}, line: {first.place.line}, column: {first.place.column}}}"),
        *extra,
    ]
    block = _block(members)
    return [*block[:-1], "complaints:", *(f"  - {part}" for one in found for part in _complaint(one)), block[-1]]


def _complaint(one: Complaint) -> Iterator[str]:
    yield yaml_scalar(one.text)


def _block(members: Sequence[tuple[str, str]]) -> list[str]:
    return ["---", *(f"{key}: {value}" for key, value in members), "..."]


def _escaped(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", one_line(text))
