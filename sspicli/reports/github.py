"""A replay as workflow commands of GitHub Actions, which its runner turns into annotations on the files.

The rule guarded here: the escapes are those of the runner's toolkit, so that no text can end its command or begin
another: `%` and line feed in every value, `:` and `,` in properties as well.
"""

from __future__ import annotations

from collections.abc import Iterator

from sspicli.analysis.cases import SuiteResult
from sspicli.analysis.complaints import Complaint, again, complaints, of_problem, warnings
from sspicli.reports.escapes import one_line, printable

_COMMANDS = {"error": "error", "warning": "warning", "info": "notice"}


def annotations_text(suite: SuiteResult) -> str:
    """Write a command for each complaint and warning, and nothing for a run that has none."""
    return "".join(f"{one}\n" for one in _commands(suite))


def _commands(suite: SuiteResult) -> Iterator[str]:
    for problem in suite.problems:
        yield command(of_problem(problem), "")
    for case in suite.cases:
        for one in complaints(case, is_strict=suite.is_strict):
            yield command(one, case.name, again(case))
        for one in warnings(case):
            yield command(one, case.name)


def command(one: Complaint, name: str, rerun: str = "") -> str:
    """Write one annotation: where it is shown, its title, and all there is to say."""
    place = one.place
    whose = " ".join(filter(None, (name, one.step)))
    properties = {
        "file": place.file,
        "line": str(place.line),
        "col": str(place.column),
        "endColumn": str(max(place.column, place.end_column - 1)),
        "title": f"{one.code} {one.title}" + (f": {whose}" if whose else ""),
    }
    facts = [("", one.sentence), *((f"{label}: ", fact) for label, fact in one.rows)]
    facts += [("again: ", rerun)] if rerun else []
    message = "\n".join(label + printable(fact) for label, fact in facts)
    listed = ",".join(f"{key}={escaped_property(value)}" for key, value in properties.items())
    return f"::{_COMMANDS[one.severity]} {listed}::{escaped_data(message)}"


def escaped_data(text: str) -> str:
    r"""Escape a command's message; a carriage return is shown as `\x0d` before it could need its escape."""
    return printable(text).replace("%", "%25").replace("\n", "%0A")


def escaped_property(text: str) -> str:
    """Escape the value of a command's property."""
    return one_line(text).replace("%", "%25").replace(":", "%3A").replace(",", "%2C")
