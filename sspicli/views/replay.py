"""What a replay came to, as a person reads it: a line for each file, then what is wrong, then the counts.

The rule guarded here: every state has a word beside its glyph, every datum passes `visible`, and what is left out for
length is counted. Commands to copy are written whole, whatever the width, and only those that exist.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from sspicli.analysis.cases import CaseResult, Outcome, Problem, StepSeen, SuiteResult
from sspicli.analysis.complaints import (
    Complaint,
    again,
    complaints,
    counts,
    debug,
    of_problem,
    shortfalls,
    warnings,
)
from sspicli.sspi.errors import ExitCode
from sspicli.views.excerpt import excerpt_lines, first_cells, folded_words, where_line
from sspicli.views.look import Look
from sspicli.views.text import Glyphs, Line, Segment, line, visible, width_of

_LONGEST = 1000
_LONGEST_COMMAND = 1_000_000
_MOST_EXPLAINED = 50  # cases and files; the others are counted, and -v explains them too
_STYLES = {
    Outcome.PASSED: "good",
    Outcome.FAILED: "bad",
    Outcome.STUCK: "warn",
    Outcome.ERROR: "bad",
    Outcome.XFAIL: "muted",
    Outcome.XPASS: "warn",
    Outcome.SKIP: "muted",
}
_GRAVEST = (
    Outcome.ERROR,
    Outcome.FAILED,
    Outcome.STUCK,
    Outcome.XPASS,
    Outcome.PASSED,
    Outcome.XFAIL,
    Outcome.SKIP,
)
_SEVERITIES = {"error": "bad", "warning": "warn"}
_NARROWEST_FILE = 24
_WHOLE = frozenset({"page", "see"})  # to be copied, so never folded


def replay_lines(suite: SuiteResult, look: Look) -> list[Line]:
    """Compose the whole: files, complaints, summary; the summary alone where only the verdict is wanted."""
    if look.verbosity < 0:
        return summary_lines(suite, look)
    lines = file_lines(suite, look)
    blocks = explained(suite, look)
    return [*lines, *([()] if lines else []), *blocks, *summary_lines(suite, look)]


def file_lines(suite: SuiteResult, look: Look) -> list[Line]:
    """Draw a line for each file, and from -v on one for each case and step."""
    unread = Counter(problem.place.file for problem in suite.problems)
    room = name_room((*suite.files(), *unread), look)
    out: list[Line] = []
    for file, cases in suite.files().items():
        out.append(file_line(file, cases, look, room=room))
        if look.verbosity > 0:
            out += [one for case in cases for one in _case_lines(case, look)]
    return _tamed([*out, *(_unread_line(file, number, look, room=room) for file, number in unread.items())])


def name_room(files: Iterable[str], look: Look) -> int:
    """Count the cells of the column of file names: as wide as the longest, and as the screen allows."""
    longest = max((_cells(visible(file, _LONGEST)) for file in files), default=0)
    return min(longest, max(_NARROWEST_FILE, look.width - 44))


def file_line(file: str, cases: Sequence[CaseResult], look: Look, *, room: int) -> Line:
    """Say what the cases of a file came to: the gravest outcome, how many held, how long they took."""
    outcome = min((case.outcome for case in cases), key=_GRAVEST.index)
    tail = "  ".join(filter(None, (_held(cases), _time(sum(case.nanoseconds for case in cases), look))))
    parts = (*_state(outcome, look.glyphs), "  ", _file_cell(file, look, room=room), "  ")
    used = width_of(line(*parts)) + len(tail) + 2
    why = visible(next((case.reason for case in cases if case.outcome is outcome), ""), _LONGEST)
    more = first_cells(why, look.width - used) if look.width - used > 10 else ""
    more = more[:-1] + look.glyphs.more if more and more != why else more
    return _clipped(line(*parts, tail, Segment(f"  {more}" if more else "", "muted")), look)


def _unread_line(file: str, problems: int, look: Look, *, room: int) -> Line:
    """Say that a file is no scenario."""
    word = "1 problem" if problems == 1 else f"{problems} problems"
    return _clipped(
        line(*_state(Outcome.ERROR, look.glyphs), "  ", _file_cell(file, look, room=room), f"  {word}"), look
    )


def _file_cell(file: str, look: Look, *, room: int) -> str:
    """Fill the column of file names with one, cut where it is too long."""
    shown = visible(file, _LONGEST)
    if _cells(shown) > room:
        shown = first_cells(shown, room - 1) + look.glyphs.more
    return f"{shown}{' ' * (room - _cells(shown))}"


def explained(suite: SuiteResult, look: Look) -> list[Line]:
    """Explain the files that are no scenarios and the cases that are bad; past 50 of them only count."""
    files: dict[str, list[Problem]] = {}
    for problem in suite.problems:
        files.setdefault(problem.place.file, []).append(problem)
    is_verbose = look.verbosity > 0
    bad = [case for case in suite.cases if is_verbose or suite.is_bad(case)]
    most = len(files) + len(bad) if is_verbose else _MOST_EXPLAINED
    out: list[Line] = []
    for problems in list(files.values())[:most]:
        out += problem_lines(problems, look)
    for case in bad[: max(0, most - len(files))]:
        out += case_lines(case, look, is_strict=suite.is_strict)
    left = len(files) + len(bad) - most
    return [*out, line(f"and {left} more, which -v explains as well"), ()] if left > 0 else out


_LINE_COMMAND = re.compile(r"^(\s*):(?=:)")
_BRACKET_COMMAND = re.compile(r"##(?=\w*\[)")


def _tamed(lines: Iterable[Line]) -> list[Line]:
    r"""Break what a CI's runner takes for a command when it stands in a log: `::x` that begins a line, `##[x]`."""
    return [_tame(one) for one in lines]


def _tame(one: Line) -> Line:
    text = "".join(part.text for part in one)
    if "##" not in text and "::" not in text[:_LONGEST]:
        return one
    blank = True
    out: list[Segment] = []
    for part in one:
        shown = _LINE_COMMAND.sub(r"\1\\x3a", part.text) if blank else part.text
        out.append(Segment(_BRACKET_COMMAND.sub(r"#\\x23", shown), part.style))
        blank = blank and not part.text.strip()
    return tuple(out)


def problem_lines(problems: Iterable[Problem], look: Look) -> list[Line]:
    """Explain why files are no scenarios, by position."""
    ordered = sorted(problems, key=lambda one: (one.place.file, one.place.line, one.place.column))
    return _tamed(one for problem in ordered for one in (*complaint_lines(of_problem(problem), "", look), ()))


def case_lines(case: CaseResult, look: Look, *, is_strict: bool) -> list[Line]:
    """Explain a case: all that is wrong with it, then how to run it again and how to look into it."""
    wrong = complaints(case, is_strict=is_strict)
    more = (*shortfalls(case), *warnings(case)) if look.verbosity > 0 else ()
    out: list[Line] = []
    for number, complaint in enumerate((*wrong, *more), start=1):
        out += complaint_lines(complaint, case.name, look)
        if number == len(wrong):
            out += _ways_on(case, complaint.place.line)
        out.append(())
    return _tamed(out)


def complaint_lines(complaint: Complaint, name: str, look: Look) -> list[Line]:
    """Draw one complaint: what, where, the excerpt with its carets, then the facts."""
    style = _SEVERITIES.get(complaint.severity, "muted")
    lines = _headline(complaint, name, look, style=style)
    lines.append(where_line(complaint.place))
    said = complaint.said if complaint.step else ""
    if complaint.place.excerpt:
        lines += excerpt_lines(complaint.place, said, look.glyphs, width=look.width)
    elif said:
        lines += row("got", said, complaint.place.line, look)
    for label, fact in complaint.rows:
        lines += row(label, fact, complaint.place.line, look)
    return lines


def row(label: str, fact: str, number: int, look: Look) -> list[Line]:
    """Draw a labelled fact under an excerpt whose line has this number."""
    head = f"{' ' * len(str(number))} = {label + ':':<7}"
    if label in _WHOLE:
        return [line(Segment(head, "head"), visible(fact, _LONGEST))]
    first, *rest = folded_words(visible(fact, _LONGEST), max(8, look.width - len(head)))
    return [line(Segment(head, "head"), first), *(line(" " * len(head), part) for part in rest)]


def summary_lines(suite: SuiteResult, look: Look) -> list[Line]:
    """Count the cases by what they came to, with the time and what the command ends with: one line if it has room."""
    parts = [
        Segment(f"{word} {number}", _SUMMARY_STYLES.get(word, "") if number else "muted")
        for word, number in counts(suite).items()
    ]
    code = suite.exit_code
    time = _time(suite.nanoseconds, look)
    why = ("terminated, " if suite.is_terminated else "interrupted, ") if suite.is_interrupted else ""
    ended = Segment(f" {why}exit {int(code)}", "good" if code is ExitCode.OK else "bad")
    return _filled([*parts, *([Segment(f" {time}")] if time else []), ended], look.width)


def _filled(parts: Iterable[Segment], width: int) -> list[Line]:
    """Put segments side by side, as many on each line as there is room for."""
    lines: list[list[Segment]] = [[]]
    for part in parts:
        if lines[-1] and width_of(lines[-1]) + 2 + len(part.text) > width:
            lines.append([])
        lines[-1] += [Segment("  "), part] if lines[-1] else [part._replace(text=part.text.lstrip())]
    return [tuple(one) for one in lines]


def list_lines(cases: Iterable[tuple[str, Sequence[str]]]) -> list[Line]:
    """List cases by their ids, each with its tags."""
    return _tamed(
        line(visible(name, _LONGEST), *(Segment(f"  {visible(tag)}", "muted") for tag in tags)) for name, tags in cases
    )


_SUMMARY_STYLES = {
    "TOTAL": "head",
    "PASS": "good",
    "FAIL": "bad",
    "XPASS": "warn",
    "STUCK": "warn",
    "ERROR": "bad",
    "NO SCENARIO": "bad",
    "NOT RUN": "warn",
}


def _headline(complaint: Complaint, name: str, look: Look, *, style: str) -> list[Line]:
    """Say what is wrong, and on the right, or below where there is no room, of which case and step."""
    head = Segment(f"{complaint.severity}[{complaint.code}]", style)
    sentence = complaint.title if complaint.step else complaint.sentence
    first, *rest = folded_words(visible(f": {sentence}", _LONGEST), look.width - len(head.text))
    whose = " ".join(visible(part, _LONGEST) for part in (name, _step(complaint.step)) if part)
    used = len(head.text) + _cells(first)
    if whose and not rest and used + 3 + _cells(whose) <= look.width:
        gap = max(3, min(58, look.width - _cells(whose)) - used)
        return [line(head, first, " " * gap, Segment(whose, "head"))]
    lines = [line(head, first), *(line("  ", part) for part in rest)]
    return lines + [line(Segment(f"  {part}", "head")) for part in folded_words(whose, look.width - 2) if part]


def _step(step: str) -> str:
    return step if not step or step[0].isalpha() else f"step {step}"


def _ways_on(case: CaseResult, number: int) -> list[Line]:
    """Give the commands to copy; they are not folded."""
    indent = " " * len(str(number))
    return [
        line(Segment(f"{indent} = {label + ':':<7}", "head"), visible(command, _LONGEST_COMMAND))
        for label, command in (("debug", debug(case)), ("again", again(case)))
        if command
    ]


def _case_lines(case: CaseResult, look: Look) -> list[Line]:
    """Draw a case under its file, and its steps under it."""
    time = _time(case.nanoseconds, look)
    tries = f"  try {case.attempt}" if case.attempt > 1 else ""
    label = visible(case.name, _LONGEST)
    reason = f"  {visible(case.reason, _LONGEST)}" if case.reason else ""
    head = line("  ", *_state(case.outcome, look.glyphs), f"  {label}  {_expectations(case)}{tries}")
    own = line(*head, f"  {time}" if time else "", Segment(reason, "muted"))
    return [_clipped(one, look) for one in (own, *(_step_line(step, look.glyphs) for step in case.steps))]


def _clipped(one: Line, look: Look) -> Line:
    """Cut a line where the screen ends, with a sign that there is more."""
    if width_of(one) <= look.width:
        return one
    out: list[Segment] = []
    left = look.width - 1
    for part in one:
        text = first_cells(part.text, left)
        left -= _cells(text)
        out.append(Segment(text, part.style))
        if text != part.text:
            break
    return (*out, Segment(look.glyphs.more))


def _step_line(step: StepSeen, glyphs: Glyphs) -> Line:
    if not step.is_reached:
        state = Segment(f"{glyphs.skip} not reached", "muted")
    elif step.unmet:
        state = Segment(f"{glyphs.bad} {step.unmet} of {step.expectations} not met", "bad")
    else:
        state = Segment(f"{glyphs.good} ok", "good")
    seen = f"  {visible(step.seen, _LONGEST)}" if step.seen else ""
    return line("      ", state, f"  {visible(step.id)}{seen}")


def _state(outcome: Outcome, glyphs: Glyphs) -> tuple[str | Segment, ...]:
    glyph = {
        Outcome.PASSED: glyphs.good,
        Outcome.XFAIL: glyphs.good,
        Outcome.SKIP: glyphs.skip,
        Outcome.STUCK: glyphs.clock,
    }.get(outcome, glyphs.bad)
    return " ", Segment(f"{glyph} {outcome.value:<5}", _STYLES[outcome])


def _held(cases: Sequence[CaseResult]) -> str:
    """Say how many cases of a file did as they were to do, or for a single case how many expectations held."""
    if all(case.outcome is Outcome.SKIP for case in cases):
        return ""
    if len(cases) == 1:
        return _expectations(cases[0])
    good = sum(case.outcome in (Outcome.PASSED, Outcome.XFAIL) for case in cases)
    return f"{good}/{len(cases)} cases"


def _expectations(case: CaseResult) -> str:
    if not case.expectations:
        return ""
    return f"{case.expectations - len(case.unmet)}/{case.expectations} expectations"


def _time(nanoseconds: int, look: Look) -> str:
    if not look.timing or not nanoseconds:
        return ""
    return f"{nanoseconds / 1e6:.0f} ms" if nanoseconds < 10_000_000_000 else f"{nanoseconds / 1e9:.1f} s"


def _cells(text: str) -> int:
    return width_of((Segment(text),))
