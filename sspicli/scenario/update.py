"""`replay --update`: put what was got where another thing was expected, in the text of the scenarios.

The rule guarded here: only what all cases agree on is written. A value of a scenario with a matrix is expected by
several cases; where one of them got something else, or was content, the value stays and the reason is told. Nothing but
the values changes, and a file that is no longer what was read is left alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from sspicli.analysis.cases import CaseResult, Outcome, Place, Unmet
from sspicli.files.atomic import overwrite
from sspicli.scenario.edit import diff, replaced
from sspicli.scenario.load import loads
from sspicli.scenario.source import BOM, ScenarioError, Source, Span
from sspicli.scenario.yaml import read


class Rewritten(NamedTuple):
    """A file that was rewritten: how many values, and what changed in it."""

    file: str
    values: int
    diff: str


class Update(NamedTuple):
    """What was rewritten, and a sentence for each value that was not."""

    files: tuple[Rewritten, ...]
    left: tuple[str, ...]


def update(results: Sequence[CaseResult]) -> Update:
    """Rewrite the expectations of failed cases that did not hold; recordings and schedules are not expectations."""
    wanted, left = _agreed(results)
    files = []
    for file in dict.fromkeys(place.file for place in wanted):
        edits = {place: text for place, text in wanted.items() if place.file == file}
        rewritten, why = _rewrite(file, edits)
        files += [] if rewritten is None else [rewritten]
        left += why
    return Update(tuple(files), tuple(left))


def _agreed(results: Sequence[CaseResult]) -> tuple[dict[Place, str], list[str]]:
    """Find the values that all cases of a scenario want to have rewritten alike."""
    ran = [one for one in results if one.outcome not in (Outcome.SKIP, Outcome.ERROR)]
    told: dict[Place, list[Unmet]] = {}
    owners: dict[Place, CaseResult] = {}
    for result in ran:
        for unmet in result.unmet if result.outcome in (Outcome.FAILED, Outcome.STUCK) else ():
            told.setdefault(unmet.place, []).append(unmet)
            owners[unmet.place] = result
    wanted: dict[Place, str] = {}
    left: list[str] = []
    for place, found in told.items():
        texts = {one.rewrite for one in found}
        sharing = sum((one.file, one.scenario) == (owners[place].file, owners[place].scenario) for one in ran)
        text = texts.pop() if len(texts) == 1 else None
        if text is None and len(texts) < 2:
            left.append(_left(place, found[0], "it is not a plain value"))
        elif text is None:
            left.append(_left(place, found[0], "cases of the matrix got different things"))
        elif len(found) < sharing:
            left.append(_left(place, found[0], f"it holds in {sharing - len(found)} of {sharing} cases of the matrix"))
        else:
            wanted[place] = text
    return wanted, left


def _left(place: Place, unmet: Unmet, why: str) -> str:
    return f"{place.file}:{place.line}:{place.column}: {unmet.step}: {unmet.key} is left as it is: {why}"


def _rewrite(file: str, edits: dict[Place, str]) -> tuple[Rewritten | None, list[str]]:
    """Put new values into a file; what is read back must be a scenario's text still."""
    source, _ = read(Path(file), file)
    left, spans = [], list[tuple[Span, str]]()
    for place, text in edits.items():
        span = _span(source, place)
        if span is None:
            left.append(f"{file}:{place.line}:{place.column}: left as it is: the file has changed")
        else:
            spans.append((span, text))
    if not spans:
        return None, left
    new = replaced(source.text, _apart(spans))
    try:
        loads(new, file)
    except ScenarioError as error:
        return None, [*left, f"{file} is left as it is: it would be no scenario any more ({error.message})"]
    changes = diff(source.text, new, file)
    overwrite(Path(file), new.encode())
    return Rewritten(file, len(spans), changes), left


def _apart(spans: Iterable[tuple[Span, str]]) -> list[tuple[Span, str]]:
    """Keep what does not overlap what stands before it."""
    kept: list[tuple[Span, str]] = []
    for one in sorted(spans, key=lambda edit: edit[0].start):
        if not kept or kept[-1][0].end <= one[0].start:
            kept.append(one)
    return kept


def _span(source: Source, place: Place) -> Span | None:
    """Find a place in the text, if it stands there still."""
    start = 1 if source.text.startswith(BOM) else 0
    for _ in range(place.line - 1):
        start = source.text.find("\n", start) + 1
        if start == 0:
            return None
    begin, end = start + place.column - 1, start + place.end_column - 1
    if not place.excerpt or not source.text.startswith(place.excerpt, start) or end <= begin:
        return None
    return Span(place.line, place.column, place.line, place.end_column, begin, end)
