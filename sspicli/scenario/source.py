"""Where something stands in a scenario's text, and the error that says so.

The rule guarded here: every problem with a file has a place, and no place carries a text without end. Lines and columns
count from 1 and in characters, as editors count them; offsets count in Python's `str`. A byte order mark in front of
the text has an offset, and no column.
"""

from __future__ import annotations

from typing import NamedTuple

from sspicli.analysis.cases import Place, Problem
from sspicli.sspi.errors import InputError

BOM = "\ufeff"
LONGEST_EXCERPT = 1000  # characters of a line that are quoted


class Span(NamedTuple):
    """A stretch of text: from (line, column) up to, and without, (end_line, end_column); the same as offsets."""

    line: int
    column: int
    end_line: int
    end_column: int
    start: int
    end: int


class Source(NamedTuple):
    """A file's text, and the file's name as the user gave it."""

    file: str
    text: str

    def place(self, span: Span) -> Place:
        """Say where a span stands: its first line, of which no more than the beginning is quoted.

        The excerpt is "" when the span begins beyond what is quoted; the columns then still say where it is.
        """
        start = max(span.start - span.column + 1, 0)
        end = self.text.find("\n", start, start + LONGEST_EXCERPT)
        whole = self.text[start : start + LONGEST_EXCERPT if end < 0 else end]
        line = whole.rstrip("\r")
        if span.column > len(whole) + 1:
            return Place(self.file, span.line, span.column, span.column, "")
        last = len(line) + 1
        end_column = min(span.end_column, last) if span.end_line == span.line else last
        return Place(self.file, span.line, span.column, max(end_column, span.column), line)

    def spot(self, start: int, length: int = 1) -> Span:
        """Find line and column of an offset: for errors; nodes know theirs."""
        before = self.text.rfind("\n", 0, start) + 1
        bom = before == 0 and self.text.startswith(BOM)
        column = max(start - before + 1 - bom, 1)
        line = self.text.count("\n", 0, start) + 1
        return Span(line, column, line, column + length, start, min(start + length, len(self.text)))


class ScenarioError(InputError):
    """A file that is no scenario: every problem found in it, in the order of the text.

    `left` are the ids of those of its cases that have none, and are not run because of the others.
    """

    def __init__(self, problems: tuple[Problem, ...], left: tuple[str, ...] = ()) -> None:
        first = problems[0]
        where = f"{first.place.file}:{first.place.line}:{first.place.column}"
        super().__init__(first.message, help=first.help, where=where)
        self.problems = problems
        self.left = left

    def __reduce__(self) -> tuple[type[ScenarioError], tuple[tuple[Problem, ...], tuple[str, ...]]]:
        """Let it come back whole from another process."""
        return ScenarioError, (self.problems, self.left)
