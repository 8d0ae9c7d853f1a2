"""A session as a scenario: what was typed as programs, faults, and every choice as a schedule.

The rule guarded here: what is written was run. The session is made again and goes on to its end in its own order; the
scenario is then led along the same transitions, one by one, which gives its schedule. It is written only when a replay
of it comes to the same verdict and findings. What the scenario itself expected stays where it still holds; what does
not is left out, and said.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import NamedTuple, Never

from sspicli.analysis.cases import CaseResult, Outcome, Unmet
from sspicli.analysis.report import report
from sspicli.debugger.beginning import FILE, fault_line, of_case
from sspicli.debugger.bench import Bench
from sspicli.debugger.course import Course
from sspicli.debugger.draft import OWN, Draft, emit, part
from sspicli.debugger.hand import Typed, hand_name
from sspicli.debugger.inputs import Added, Input
from sspicli.debugger.live import Live
from sspicli.debugger.tale import Move, Tale, run_out
from sspicli.journal import events as ev
from sspicli.journal.journal import Record
from sspicli.runtime.chooser import schedule_text
from sspicli.scenario import yaml
from sspicli.scenario.checks import slips
from sspicli.scenario.load import Case, loads
from sspicli.scenario.problems import Loc
from sspicli.scenario.run import RunOptions, came_to, run_case
from sspicli.scenario.source import ScenarioError
from sspicli.session.fault_words import fault_from, fault_text
from sspicli.sspi.errors import UsageError

_HINT = "export keeps the records; record keeps the journal"
_KEPT = "Kept by the debugger: replay makes the same choices, the same calls by hand and the same faults."
_REST = yaml.parse("{ note: nothing more was typed, yields: true }", FILE)[1][0]


class Written(NamedTuple):
    """A scenario as text, and what it holds; `notes` say what of the scenario's own was left out, and why."""

    text: str
    verdict: str
    findings: tuple[str, ...]
    steps: int
    faults: int
    schedule: str
    notes: tuple[str, ...] = ()


def save(bench: Bench, folder: Path) -> Written:
    """Write the branch, as far as we look, as a scenario of a folder; UsageError where that cannot be done."""
    live = bench.live
    if live is None or live.beginning.case is None:
        raise UsageError("a recording that is only looked at cannot be kept as a scenario", help="start with --again")
    inputs = live.inputs[: bench.place.inputs]
    tale = Tale(Live(live.beginning))
    tale.follow(inputs)
    faults, left = _faults(live.beginning.case, inputs, tale.live.records)
    comments = [_KEPT, *_origin_of(bench), *(f"Left out, as it never happened: {one}." for one in left)]
    draft = Draft(live.beginning.case, folder, _programs(live, inputs, tale.yields), faults, comments)
    draft = draft._replace(deliberate=_slips_in(draft))
    draft = _scheduled(draft, tale)
    draft, notes = _expecting(_come_to(draft, tale.live))
    notes = (*_replaced(draft, live.beginning.by_hand), *notes)
    typed = sum(isinstance(one, Typed) for one in inputs)
    return Written(draft.text(), draft.verdict, tuple(draft.findings), typed, len(faults), draft.schedule, notes)


def _origin_of(bench: Bench) -> list[str]:
    """Say of a branch how it came about."""
    return [] if bench.branch.name == "main" else [f"It is {bench.branch.name}: {bench.branch.note}."]


def _load(draft: Draft, *, is_whole: bool = True) -> Case:
    try:
        return loads(draft.text(), FILE, folder=draft.folder, is_whole=is_whole).cases[0]
    except ScenarioError as error:
        raise UsageError(f"it cannot be written as a scenario: {error.message}", help=error.help or _HINT) from None


def _scheduled(draft: Draft, tale: Tale) -> Draft:
    """Give a draft the choices by which it goes the session's way.

    The end of a program takes a tick, which a hand that rests does not; that can swap two timers that are due together.
    Then the programs do not end before all else has.
    """
    schedule = _schedule_along(_load(draft), tale.moves)
    if schedule is None:
        programs = {
            name: [*steps, *([_REST] if name in tale.resting else [])] for name, steps in draft.programs.items()
        }
        draft = draft._replace(programs=programs)
        schedule = _schedule_along(_load(draft), tale.moves)
    if schedule is None:
        raise UsageError("no scenario goes the way of this session: two of its timers are due together", help=_HINT)
    return draft._replace(schedule=schedule)


def _schedule_along(case: Case, moves: Sequence[Move]) -> str | None:
    """Lead a scenario along the moves of a session, and give the choices that this takes; None where it cannot go."""
    live = Live(of_case(case))
    for move in moves:
        index = move.find(live.enabled())
        if index is None:
            live.close()
            return None
        live.fire(index)
    run_out(live)
    live.close()
    return schedule_text(live.choices())


# -- its parts ---------------------------------------------------------------------------------------------------------
def _faults(case: Case, inputs: Sequence[Input], records: Sequence[Record]) -> tuple[list[str], list[str]]:
    """Write the faults that the session began with, and those added; list those that nothing befell, left out."""
    happened = {one.event.text for one in records if isinstance(one.event, ev.FaultInjected)}
    given = part(case, "faults")
    first: list[tuple[str, str]] = []
    if isinstance(given, yaml.Sequence):
        pairs = zip(case.scenario.faults, given.items, strict=True)
        first = [(fault_from(one.mapping()).text, emit(node)) for one, node in pairs]
    added = [(one.fault.text, fault_line(fault_text(one.fault))) for one in inputs if isinstance(one, Added)]
    every = [*first, *added]
    return [line for text, line in every if text in happened], [text for text, _ in every if text not in happened]


def _programs(live: Course, inputs: Sequence[Input], yields: Collection[int]) -> dict[str, list[yaml.Node]]:
    """Give the programs that the session began with, and what was typed."""
    case = live.beginning.case
    assert case is not None, "a session has a case"
    programs = {name: list(steps) for name, steps in _given(case).items()}
    programs |= {side: [] for side in live.beginning.by_hand}
    typed = [one for one in inputs if isinstance(one, Typed)]
    for number, one in enumerate(typed):
        programs.setdefault(hand_name(live.beginning, one.side), []).append(_typed(one, number in yields))
    return programs


def _given(case: Case) -> dict[str, tuple[yaml.Node, ...]]:
    """Give the steps of the programs that a scenario itself has."""
    given = part(case, "programs")
    entries = given.entries if isinstance(given, yaml.Mapping) else ()
    return {str(one.key.value): one.value.items for one in entries if isinstance(one.value, yaml.Sequence)}


def _typed(one: Typed, yields: bool) -> yaml.Node:
    text = f"{one.yaml.removesuffix('}')}, yields: true}}" if yields else one.yaml
    return yaml.parse(text, FILE)[1][0]


def _slips_in(draft: Draft) -> frozenset[Loc]:
    """List the steps that a checker would take for slips."""
    programs = _load(draft, is_whole=False).scenario.programs
    return frozenset(path[:3] for path in slips(programs))


# -- what is expected --------------------------------------------------------------------------------------------------
def _come_to(draft: Draft, live: Course) -> Draft:
    """Say what a session came to, as a scenario's runner does: it asks less of a handshake where programs act."""
    live.close()
    told = report(live.records)
    case = draft.case
    if draft.programs and not case.scenario.programs:
        acting = case.scenario.model_copy(update={"programs": {"client": []}})
        case = Case(case.source, case.number, acting, case.root, case.parameters)
    findings = sorted({one.rule.code for one in told.findings})
    return draft._replace(verdict=came_to(case, told, ()), found=tuple(findings))


def _expecting(draft: Draft) -> tuple[Draft, tuple[str, ...]]:
    """Leave out what does not hold, until all that is expected does; say what was left out."""
    notes: list[str] = []
    while (result := run_case(_load(draft), RunOptions())).outcome is not Outcome.PASSED:
        before = draft
        for unmet in result.unmet:
            path = before.origin(unmet.path)
            draft = _without(draft, path) or _refuse(result)
            notes += _note(draft, path, unmet)
        if draft == before:
            _refuse(result)
    return draft, tuple(notes)


def _refuse(result: CaseResult) -> Never:
    said = "; ".join(f"{one.step} {one.key}: {one.got}" for one in result.unmet) or result.reason
    raise UsageError(f"a replay of it comes to something else ({said[:300] or result.verdict})", help=_HINT)


def _without(draft: Draft, path: Loc) -> Draft | None:
    """Leave out one thing that does not hold; None where it is nothing that was expected."""
    is_expected = "expect" in path[1:] or "check" in path
    if path[0] == "programs" and not is_expected and not isinstance(path[-1], int):
        return draft._replace(deliberate=draft.deliberate | {path[:3]})  # it found nothing to do
    if path[0] == "programs" and not is_expected:  # it was never reached
        if isinstance(node := draft.node_at(path), yaml.Mapping) and node.get("check") is not None:
            return draft._replace(unreached=draft.unreached | {path})
        return draft._replace(dropped=draft.dropped | {(*path, "expect")})
    if path[0] == "steps" and not is_expected:
        return draft._replace(dropped=draft.dropped | {path[:2]})  # there is no such leg or call
    is_own = path[0] in ("programs", "steps", "verify") or (path[0] == "expect" and path[1] not in OWN)
    at = path.index("buffers") + 1 if "buffers" in path else len(path)  # one of them has its place among them
    return draft._replace(dropped=draft.dropped | {path[:at]}) if is_own else None


def _note(draft: Draft, path: Loc, unmet: Unmet) -> list[str]:
    """Say what of the scenario's own was left out, and where it stands; of what was typed nothing was expected."""
    given = _given(draft.case)
    if path[0] == "programs" and (path[1] not in given or given[path[1]] != tuple(draft.programs[path[1]])):
        return []
    act = "marked deliberate" if path[:3] in draft.deliberate else "left out"
    expected = f"expected {unmet.expected}, got {unmet.got}"
    return [f"{draft.case.file}:{draft.case.place_of(path).line}: {unmet.step} {unmet.key}: {expected}: {act}"]


def _replaced(draft: Draft, by_hand: Sequence[str]) -> tuple[str, ...]:
    """Say which parts of the scenario another stands in for."""
    case, expected = draft.case, draft.case.scenario.expect
    where: Callable[[Loc], str] = lambda path: f"{case.file}:{case.place_of(path).line}"  # noqa: E731
    notes = [
        f"{where(('programs', side))}: the program of the {side}: it was driven by hand: left out"
        for side in by_hand
        if side in _given(case)
    ]
    pairs = (("verdict", expected.verdict, draft.verdict), ("findings", expected.findings, draft.findings))
    notes += [
        f"{where(('expect', key))}: expect {key}: expected {_said(was)}, got {_said(now)}: written anew"
        for key, was, now in pairs
        if was is not None and was != now
    ]
    return tuple(notes)


def _said(value: str | list[str]) -> str:
    return value if isinstance(value, str) else ", ".join(value) or "none"
