"""`sspi-async explain [CODE] --in RECORDING`: the recording is the witness of what a code was in that run.

A code that the recording does not hold is an answer too, with exit code 1; what was there instead stands beside it.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from sspicli.analysis.explain import Explanation, Kind
from sspicli.analysis.report import Report
from sspicli.analysis.witness import Code, Testimony, ask, ask_about_failure, statuses_given
from sspicli.cli.recordings import Opened, open_recording
from sspicli.cli.screen_options import Screen
from sspicli.reports import witness as document
from sspicli.sspi.errors import ExitCode
from sspicli.sspi.status import NtStatus, SecurityStatus
from sspicli.views.look import Look
from sspicli.views.screen import head_lines
from sspicli.views.text import Line
from sspicli.views.witness import absence_lines, witness_lines

if TYPE_CHECKING:
    from sspicli.cli.explain import Answer

SCHEMA = "sspi-async/explain/1"


def explain_in(path: Path, keylog: Path | None, asked: list[Answer], screen: Screen) -> int:
    """Ask a recording for each query, or, without one, for what the run failed with."""
    opened = open_recording(path, keylog)
    report = opened.report()
    if screen.format == "json":
        screen.write_document(_document(opened, report, asked))
    else:
        console = screen.console()
        console.show(_lines(opened, report, asked, Look(console.glyphs, console.width, timing=False)))
    is_found = all(_found(opened, report, one) for one in asked)
    return ExitCode.OK if is_found else ExitCode.FAILED


def _lines(opened: Opened, report: Report, asked: list[Answer], look: Look) -> list[Line]:
    if not asked:
        return _failure(opened, report, look)
    lines: list[Line] = []
    for answer in asked:
        found = _found(opened, report, answer)
        if not found:
            title = answer.explanations[0].name if len(answer.explanations) == 1 else f'"{answer.query}"'
            blocks = [absence_lines(title, statuses_given(opened.records), report.failure, look)]
        else:
            blocks = [witness_lines(_title(one), said, look, name=opened.name) for one, said in found]
        for block in blocks:
            lines += [*([()] if lines else []), *block]
    return lines


def _failure(opened: Opened, report: Report, look: Look) -> list[Line]:
    """Tell what the run failed with; when no call failed, the verdict and what stands behind it."""
    said = ask_about_failure(report, opened.records)
    status = None if report.failure is None else report.failure.status
    if status is None or not said.is_seen:
        return head_lines(report, look)
    return witness_lines(f"{status.name}   {status.hex}", said, look, name=opened.name)


def _found(opened: Opened, report: Report, answer: Answer) -> list[tuple[Explanation, Testimony]]:
    """Ask for every code that a query names; those that the recording holds."""
    said = [(one, ask(report, opened.records, code_of(one))) for one in answer.explanations]
    return [(one, testimony) for one, testimony in said if testimony.is_seen]


def _title(one: Explanation) -> str:
    return f"{one.name}   {one.values[0]}"


def code_of(one: Explanation) -> Code:
    """Turn an explanation back into the code it explains."""
    match one.kind:
        case Kind.STATUS:
            return SecurityStatus[one.name]
        case Kind.NT_STATUS:
            return NtStatus[one.name]
        case Kind.ALERT:
            return int(one.values[0])
        case Kind.RULE | Kind.ERROR:
            return one.name


def _document(opened: Opened, report: Report, asked: Iterable[Answer]) -> dict[str, object]:
    told: dict[str, object] = {
        "schema": SCHEMA,
        "recording": {"records": len(opened.records), "note": opened.note or None},
        "verdict": report.verdict.value,
        "statuses_given": [status.name for status in statuses_given(opened.records)],
    }
    if asked:
        return told | {"answers": [_answer_document(opened, report, one) for one in asked]}
    said = ask_about_failure(report, opened.records)
    return told | {"answers": [], "testimony": document.testimony(said)}


def _answer_document(opened: Opened, report: Report, answer: Answer) -> dict[str, object]:
    found = _found(opened, report, answer)
    return {
        "query": answer.query,
        "is_in_recording": bool(found),
        "testimonies": [{"name": one.name, **document.testimony(said)} for one, said in found],
    }
