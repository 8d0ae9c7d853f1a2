"""The text that an editor shows, and where in it the debugger can stop and stands.

The rule guarded here: a line is stopped at through the debugger's own words, a condition over the records, so an
editor's breakpoint is one that could have been typed. A line at which nothing can be stopped says so. In a scenario a
step, a look at a leg or a call, and a fault have lines; in a recording each line is a record.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from sspicli.debugger.beginning import FILE, Beginning
from sspicli.debugger.view import WORD_OF, View
from sspicli.journal import events as ev
from sspicli.journal.journal import Record
from sspicli.runtime.call_names import QUEUEING_WORDS
from sspicli.scenario.checks import walk
from sspicli.scenario.load import Case
from sspicli.scenario.model import AttributeCheck, CallCheck, LegCheck
from sspicli.scenario.problems import Loc, span_at
from sspicli.scenario.story import step_id
from sspicli.scenario.words import CallPattern
from sspicli.session.fault_words import fault_from


class Lines(NamedTuple):
    """A stretch of the text, as an editor counts it: from 1, `end` the last line, `end_column` behind the last."""

    line: int
    column: int = 1
    end: int = 0
    end_column: int = 0


class Stoppable(NamedTuple):
    """Something with lines that can be stopped at: `break` words, and a condition, "" for none."""

    lines: Lines
    words: str
    condition: str = ""

    def command(self, condition: str) -> str:
        """Write what is typed behind `break`, with a condition of the user's."""
        both = " and ".join(f"({one})" for one in (self.condition, condition) if one.strip())
        return f"{self.words} if {both}" if both else self.words


@dataclass(frozen=True, slots=True)
class ScenarioText:
    """A scenario's text, for one of its cases; what can be stopped at stands in the order of its lines."""

    name: str
    path: str
    text: str
    case: Case
    stoppable: tuple[Stoppable, ...]

    def at(self, line: int) -> Stoppable | None:
        """Give what is stopped at on a line: what encloses it most narrowly, else what begins next."""
        if self.is_elsewhere(line):
            return None
        inside = [one for one in self.stoppable if one.lines.line <= line <= one.lines.end]
        if inside:
            return max(inside, key=lambda one: one.lines.line)
        at = bisect_left(self.stoppable, line, key=lambda one: one.lines.line)
        return self.stoppable[at] if at < len(self.stoppable) else None

    def is_elsewhere(self, line: int) -> bool:
        """Say whether a line belongs to another document of the file, and so to another case."""
        marks = [at for at, one in enumerate(self.text.split("\n"), 1) if one.startswith("---")]
        return bisect_left(marks, line) != bisect_left(marks, self.case.root.span.line)

    def between(self, first: int, last: int) -> list[Stoppable]:
        """List what begins on these lines."""
        return [one for one in self.stoppable if first <= one.lines.line <= last]

    def of_actor(self, actor: str, view: View) -> Lines:
        """Say where somebody stands: at a step of its program, else at what is looked at on the way."""
        done = _last_step(actor, view)
        found = next((one for one in self.stoppable if done is not None and one.condition == _is_step(done)), None)
        if found is not None:
            return found.lines
        if actor in self.case.scenario.programs:
            return _lines(self.case, ("programs", actor))
        return _lines(self.case, _reached(self.case, view) or ("session", actor.partition(".")[0]))


@dataclass(frozen=True, slots=True)
class RecordingText:
    """A recording of so many records: behind its header each line is one."""

    name: str
    path: str
    count: int
    text: str = ""

    def at(self, line: int) -> Stoppable | None:
        """Stop at the record of a line."""
        number = max(line - 1, 1)
        return _record(number) if number <= self.count else None

    def is_elsewhere(self, line: int) -> bool:
        """No line of a recording is of another."""
        return False

    def between(self, first: int, last: int) -> list[Stoppable]:
        """List the records of these lines."""
        return [_record(number) for number in range(max(first - 1, 1), min(last - 1, self.count) + 1)]

    def of_actor(self, actor: str, view: View) -> Lines:
        """Say where somebody stands: at the last record of it or of its endpoint."""
        found = next((one for one in reversed(view.records) if _is_of(one, actor)), None)
        return of_record(found.sequence if found is not None else 1)


def of_record(number: int) -> Lines:
    """Give the line of a record in a recording."""
    return Lines(number + 1, 1, number + 1)


def _record(number: int) -> Stoppable:
    return Stoppable(of_record(number), "any", f"record == {number}")


def _is_of(record: Record, actor: str) -> bool:
    return record.actor == actor or record.actor.startswith(f"{actor}.")


def text_of(beginning: Beginning, path: Path | None) -> ScenarioText | RecordingText:
    """Make the text of what a session begins with."""
    if beginning.case is None or (path is not None and beginning.records):
        assert path is not None, "records come from a file"
        return RecordingText(path.name, str(path.resolve()), len(beginning.records))
    case = beginning.case
    is_file = path is not None and case.file != FILE
    found = sorted(_stoppable(case))
    where = str(path.resolve()) if path is not None and is_file else ""
    return ScenarioText(
        path.name if path is not None else "session.sspi.yaml", where, case.source.text, case, (*found,)
    )


# -- what can be stopped at --------------------------------------------------------------------------------------------
def _stoppable(case: Case) -> Iterator[Stoppable]:
    scenario = case.scenario
    for name, steps in scenario.programs.items():
        for path, _ in walk(steps, ("programs", name)):
            yield Stoppable(_lines(case, path), "any", _is_step(step_id(path)))
    for number, check in enumerate(scenario.steps):
        path = ("steps", number)
        match check:
            case LegCheck():
                condition = f"handshake == {check.connection}" if check.connection is not None else ""
                yield Stoppable(_lines(case, path), f"leg {check.leg}", condition)
            case CallCheck():
                yield Stoppable(_lines(case, path), *_call(check))
            case AttributeCheck():
                yield Stoppable(_lines(case, path), "any", f'event == "AttributeQueried" and side == "{check.side}"')
    for number, fault in enumerate(scenario.faults):
        text = fault_from(fault.mapping()).text
        if '"' not in text:
            yield Stoppable(_lines(case, ("faults", number)), "fault", f'fault == "{text}"')


def _is_step(ident: str) -> str:
    return f'step == "{ident}"'


def _call(check: CallCheck) -> tuple[str, str]:
    """Stop when a call has completed, or was refused: what is looked at came of it."""
    side, word, nth = check.call
    if word not in QUEUEING_WORDS:
        return f"{side}.{word}", ""
    word = WORD_OF[QUEUEING_WORDS[word]]
    done = f'(event == "CallCompleted" and number == {nth} or event == "CallRefused")'
    return "any", f'side == "{side}" and function == "{word}" and {done}'


def _lines(case: Case, path: Loc) -> Lines:
    span = span_at(case.root, path)
    end = span.end_line if span.end_column > 1 or span.end_line == span.line else span.end_line - 1
    return Lines(span.line, span.column, max(end, span.line), span.end_column)


# -- where somebody stands ---------------------------------------------------------------------------------------------
def _last_step(actor: str, view: View) -> str | None:
    """Give the step that somebody began last; for a callback, since it was entered."""
    for record in reversed(view.records):
        if record.actor != actor:
            continue
        if isinstance(record.event, ev.ActionTaken):
            return record.event.step
        if isinstance(record.event, ev.CallbackEntered):
            return None
    return None


def _reached(case: Case, view: View) -> Loc | None:
    """Find what is looked at on the way and was reached last."""
    found: list[tuple[int, Loc]] = []
    for number, check in enumerate(case.scenario.steps):
        at = 0
        if isinstance(check, LegCheck):
            leg = view.leg(check.leg)
            at = 0 if leg is None else leg.sequence
        elif isinstance(check, CallCheck):
            at = _completed(check.call, view)
        if at:
            found.append((at, ("steps", number)))
    return max(found)[1] if found else None


def _completed(pattern: CallPattern, view: View) -> int:
    """Find the record that completed the call of a name; 0 while there is none."""
    call = view.call_named(pattern.side, f"{pattern.word}#{pattern.nth}")
    return 0 if call is None else call.completed_sequence
