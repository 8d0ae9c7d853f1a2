"""`scenario check` and `scenario list`: what stands in files, without running any of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from sspicli.analysis.cases import Place, Problem, SuiteResult
from sspicli.cli.console import Console
from sspicli.cli.replay_cases import problems_of
from sspicli.cli.screen_options import Screen
from sspicli.scenario.collect import Found, collect
from sspicli.scenario.load import Case, load
from sspicli.scenario.select import Selection, why_nothing
from sspicli.sspi.errors import ExitCode, InputError, NothingToRunError
from sspicli.views.look import Look
from sspicli.views.replay import problem_lines
from sspicli.views.text import Line, Segment, line, visible

_LONGEST = 1000


class Read(NamedTuple):
    """What the paths hold: the files' names, cases in their order, and what is wrong."""

    files: tuple[str, ...]
    cases: list[Case]
    problems: list[Problem]

    @property
    def scenarios(self) -> dict[tuple[str, int], list[Case]]:
        """Put the cases by their scenarios."""
        out: dict[tuple[str, int], list[Case]] = {}
        for case in self.cases:
            out.setdefault((case.file, case.number), []).append(case)
        return out


def read_scenarios(paths: Sequence[str], allowed: Sequence[Path] = ()) -> Read:
    """Read every scenario that the paths name; a recording is none, which is a problem like others."""
    collected = collect(paths)
    cases: list[Case] = []
    problems = list(collected.problems)
    for found in collected.files:
        try:
            cases += _cases(found, allowed)
        except InputError as error:
            problems += problems_of(error, found)
    return Read(tuple(found.name for found in collected.files), cases, problems)


def _cases(found: Found, allowed: Sequence[Path]) -> list[Case]:
    if found.is_recording:
        raise InputError(
            "this is a recording, and no scenario",
            where=f"{found.name}:1",
            help=f"sspi-async scenario new --from {found.name}",
        )
    return [one for one in load(found.path, found.name, allowed=allowed).cases if found.case in (None, one.id)]


# -- check -------------------------------------------------------------------------------------------------------------
def check_files(paths: Sequence[str], screen: Screen, *, is_quiet: bool, allowed: Sequence[Path] = ()) -> int:
    """Say what is wrong with files, in the format that is asked for."""
    screen.check_file()
    read = read_scenarios(paths, allowed)
    if not read.files and not read.problems:
        raise NothingToRunError("there are no scenarios here", help="a scenario's file ends in .sspi.yaml")
    _show(read, screen.destination(screen.console()), screen.format, is_quiet=is_quiet)
    return ExitCode.INPUT if read.problems else ExitCode.OK


def _show(read: Read, console: Console, format: str, *, is_quiet: bool) -> None:
    if format == "text":
        look = Look(console.glyphs, console.width, timing=False, verbosity=0)
        details = [] if is_quiet else problem_lines(read.problems, look)
        console.show([_verdict(read), *([()] if details else []), *details])
    else:
        console.stream.write(_document(read, format))
        console.stream.flush()


def _verdict(read: Read) -> Line:
    if not read.problems:
        scenarios, cases = _many(len(read.scenarios), "scenario"), _many(len(read.cases), "case")
        return line(Segment("ok", "good"), f"  {scenarios}, {cases} in {_many(len(read.files), 'file')}")
    bad = len({one.place.file for one in read.problems})
    said = f"  {_many(len(read.problems), 'problem')} in {bad} of {_many(max(len(read.files), bad), 'file')}"
    return line(Segment("FAILED", "bad"), said)


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}" + ("" if count == 1 else "s")


def _document(read: Read, format: str) -> str:
    suite = SuiteResult(problems=list(read.problems))
    if format == "sarif":
        from sspicli.reports.sarif import sarif_text

        return sarif_text(suite)
    if format == "github":
        from sspicli.reports.github import annotations_text

        return annotations_text(suite)
    from sspicli.reports.check import document_text

    counts = dict.fromkeys(read.files, (0, 0))
    for (file, _), cases in read.scenarios.items():
        scenarios, so_far = counts[file]
        counts[file] = scenarios + 1, so_far + len(cases)
    return document_text(counts, read.problems)


# -- list --------------------------------------------------------------------------------------------------------------
def list_scenarios(paths: Sequence[str], words: str, tags: tuple[str, ...], *, screen: Screen, has_cases: bool) -> int:
    """List the scenarios that have selected cases; what is wrong with files is told on stderr."""
    from sspicli.cli.main import show_error

    screen.check_file()
    read = read_scenarios(paths)
    chosen = Selection(words=words, tags=tags).of(read.cases)
    scenarios = read._replace(cases=chosen).scenarios
    console = screen.destination(screen.console())
    if screen.format == "json":
        from sspicli.reports.check import list_text

        console.stream.write(list_text([_member(cases) for cases in scenarios.values()]))
        console.stream.flush()
    else:
        console.show([one for cases in scenarios.values() for one in _lines(cases, has_cases=has_cases)])
    for problem in read.problems:
        show_error(InputError(problem.message, where=_where(problem.place), help=problem.help))
    if read.problems:
        return ExitCode.INPUT
    if not chosen:
        raise NothingToRunError(
            "there are no such scenarios", help=why_nothing(Selection(tags=tags), read.cases) if tags else ""
        )
    return ExitCode.OK


def _lines(cases: Sequence[Case], *, has_cases: bool) -> list[Line]:
    first = cases[0]
    count = f"  {_many(len(cases), 'case')}" if first.parameters else ""
    tags = "".join(f"  {visible(tag, _LONGEST)}" for tag in first.tags)
    mark = "".join(f"  {word}" for word in ("skip", "xfail") if getattr(first.scenario, word) is not None)
    head = line(visible(f"{first.file}::{first.name}", _LONGEST), count, Segment(tags, "muted"), Segment(mark, "warn"))
    below = [line("  ", visible(one.id, _LONGEST)) for one in cases] if has_cases and first.parameters else []
    return [head, *below]


def _member(cases: Sequence[Case]) -> dict[str, object]:
    first = cases[0]
    return {
        "file": first.file,
        "line": first.place.line,
        "name": first.name,
        "description": first.scenario.description,
        "tags": list(first.tags),
        "skip": first.scenario.skip,
        "xfail": first.scenario.xfail,
        "matrix": {
            name: list(dict.fromkeys(dict(one.parameters)[name] for one in cases)) for name, _ in first.parameters
        },
        "cases": [one.id for one in cases],
    }


def _where(place: Place) -> str:
    return f"{place.file}:{place.line}:{place.column}"
