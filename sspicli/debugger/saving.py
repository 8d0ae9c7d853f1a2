"""A session as a scenario: what was typed as programs, faults, and every choice as a schedule.

The rule guarded here: what is written was run. The scenario is made and run along the session's own transitions; where
it ends the default order goes on, as a replay would. It is written only when a replay of it comes to the verdict that
the session itself comes to.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sspicli.analysis.cases import Outcome
from sspicli.analysis.report import report
from sspicli.debugger.beginning import FILE, fault_line, flow, of_case
from sspicli.debugger.bench import Bench
from sspicli.debugger.course import Course, Key
from sspicli.debugger.hand import Typed
from sspicli.debugger.live import Added, Fired, Input, Live, Timed, redo
from sspicli.journal import events as ev
from sspicli.runtime.chooser import Kind, schedule_text
from sspicli.scenario import yaml
from sspicli.scenario.load import Case, loads
from sspicli.scenario.run import RunOptions, came_to, run_case
from sspicli.scenario.source import ScenarioError
from sspicli.session.fault_words import fault_from, fault_text
from sspicli.sspi.errors import UsageError

MOST = 100_000
_BASE = ("session", "timeout", "clock")  # what is taken over as it stands
_HINT = "export keeps the records; record keeps the journal"


class Written(NamedTuple):
    """A scenario as text, and what it holds."""

    text: str
    verdict: str
    findings: tuple[str, ...]
    steps: int
    faults: int
    schedule: str


def save(bench: Bench) -> Written:
    """Write the branch, as far as we look, as a scenario; UsageError where that cannot be done."""
    live = bench.live
    if live is None or live.beginning.case is None:
        raise UsageError("a recording that is only looked at cannot be kept as a scenario", help="start with --again")
    inputs = live.inputs[: bench.place.inputs]
    verdict, findings, happened = _played_out(live, inputs)
    faults = _faults(live, inputs, happened)
    draft = _text(live, inputs, faults=faults)
    keys = [one.key for one in inputs if isinstance(one, Fired) and not one.is_idle]
    guided = _guided(_load(draft), keys, [one for one in inputs if isinstance(one, Timed)])
    schedule = schedule_text(guided.choices())
    guided.close()
    also = f", findings: {flow(list(findings))}" if findings else ""
    text = _text(live, inputs, faults=faults, schedule=schedule, expected=f"{{verdict: {verdict}{also}}}")
    result = run_case(_load(text), RunOptions())
    if result.outcome is not Outcome.PASSED and _has_timer_before_hand(inputs):
        raise UsageError(
            "a timer had passed before something was typed: a scenario's program cannot wait so", help=_HINT
        )
    if result.outcome is not Outcome.PASSED:
        said = "; ".join(f"{one.step} {one.key}: {one.got}" for one in result.unmet) or result.reason
        raise UsageError(f"a replay of it comes to something else ({said[:300] or result.verdict})", help=_HINT)
    typed = [one for one in inputs if isinstance(one, Typed)]
    return Written(text, verdict, findings, len(typed), len(faults), schedule)


def _has_timer_before_hand(inputs: Sequence[Input]) -> bool:
    """Say whether a timer fired before something was typed: in a scenario its program would be ready, and go first."""
    timers = [at for at, one in enumerate(inputs) if isinstance(one, Fired) and one.key[0] == Kind.TIMER]
    typed = [at for at, one in enumerate(inputs) if isinstance(one, Typed)]
    return bool(timers and typed) and timers[0] < typed[-1]


def _played_out(live: Course, inputs: Sequence[Input]) -> tuple[str, tuple[str, ...], frozenset[str]]:
    """Make the session again, let it go on to its end: its verdict, its findings, and the faults that happened."""
    twin = Live(live.beginning)
    redo(twin, inputs)
    _run_out(twin)
    twin.close()
    case = live.beginning.case
    assert case is not None, "a session has a case"
    told = report(twin.records)
    findings = tuple(sorted({one.rule.code for one in told.findings}))
    has_programs = any(isinstance(one, Typed) for one in inputs) or bool(case.scenario.programs)
    happened = frozenset(one.event.text for one in twin.records if isinstance(one.event, ev.FaultInjected))
    return _came_to(case, twin, has_programs=has_programs), findings, happened


def _came_to(case: Case, twin: Live, *, has_programs: bool) -> str:
    """Say the verdict as a scenario's runner does: it asks less of a handshake where programs act."""
    told = report(twin.records)
    if has_programs and not case.scenario.programs:
        acting = case.scenario.model_copy(update={"programs": {"client": []}})
        case = Case(case.source, case.number, acting, case.root, case.parameters)
    return came_to(case, told, ())


def _run_out(live: Live) -> None:
    """Let the default order go on to the end."""
    for _ in range(MOST):
        if not live.fire():
            return
    raise UsageError(f"the session goes on after {MOST:,} transitions", help=_HINT)


def _guided(case: Case, keys: Sequence[Key], timed: Sequence[Timed]) -> Live:
    """Run a scenario along the transitions of a session; then the default order goes on, with what was timed."""
    live = Live(of_case(case))
    for key in keys:
        index = next((at for at, one in enumerate(live.enabled()) if one.key == key), None)
        if index is None or not live.fire(index):
            break
    for one in timed:
        live.time(one)
    _run_out(live)
    return live


def _load(text: str) -> Case:
    try:
        return loads(text, FILE).cases[0]
    except ScenarioError as error:
        raise UsageError(f"it cannot be written as a scenario: {error.message}", help=error.help or _HINT) from None


# -- text --------------------------------------------------------------------------------------------------------------
def _text(
    live: Course, inputs: Sequence[Input], *, faults: Sequence[str], schedule: str = "", expected: str = ""
) -> str:
    """Write the scenario; without a schedule and what is expected it is a draft."""
    case = live.beginning.case
    assert case is not None, "a session has a case"
    lines = [
        "# Kept by the debugger: replay makes the same choices, the same calls by hand and the same faults.",
        "schema: sspi-async/scenario/1",
        f"name: {flow(_name(case))}",
    ]
    root = case.root
    assert isinstance(root, yaml.Mapping), "a scenario is a mapping"
    lines += [f"{key}: {emit(value)}" for key in _BASE if (value := root.get(key)) is not None]
    seed = case.scenario.schedule.seed
    choices = f", choices: {flow(schedule)}" if schedule else ""
    lines.append(f"schedule: {{seed: {seed}{choices}}}")
    lines += _listed("faults:", faults, "  ")
    programs = _programs(live, inputs)
    if programs:
        lines.append("programs:")
        for name, steps in programs.items():
            lines += _listed(f"  {name}:", steps, "    ") or [f"  {name}: []"]
    if expected:
        lines.append(f"expect: {expected}")
    return "\n".join(lines) + "\n"


def _listed(head: str, items: Sequence[str], indent: str) -> list[str]:
    return [head, *(f"{indent}- {one}" for one in items)] if items else []


def _name(case: Case) -> str:
    return "a session of the debugger" if case.file == FILE else f"{case.name[:150]}, changed in the debugger"


def _faults(live: Course, inputs: Sequence[Input], happened: frozenset[str]) -> list[str]:
    """Write the faults that the session began with, and those added; one that nothing befell is left out."""
    case = live.beginning.case
    root = None if case is None else case.root
    given = root.get("faults") if isinstance(root, yaml.Mapping) else None
    first: list[str] = []
    if case is not None and isinstance(given, yaml.Sequence):
        parts = zip(case.scenario.faults, given.items, strict=True)
        first = [emit(node) for part, node in parts if fault_from(part.mapping()).text in happened]
    added = [one.fault for one in inputs if isinstance(one, Added) and one.fault.text in happened]
    return [*first, *(fault_line(fault_text(one)) for one in added)]


def _programs(live: Course, inputs: Sequence[Input]) -> dict[str, list[str]]:
    """Write the programs that the session began with, and what was typed."""
    case = live.beginning.case
    root = None if case is None else case.root
    given = root.get("programs") if isinstance(root, yaml.Mapping) else None
    programs: dict[str, list[str]] = {}
    if isinstance(given, yaml.Mapping):
        for entry in given.entries:
            items = entry.value.items if isinstance(entry.value, yaml.Sequence) else ()
            programs[str(entry.key.value)] = [emit(one, leaving="expect") for one in items]
    for side in live.beginning.by_hand:
        programs[side] = []
    for one in inputs:
        if isinstance(one, Typed):
            name = one.side if one.side in live.beginning.by_hand else f"{one.side}.user"
            programs.setdefault(name, []).append(one.yaml)
    return programs


def emit(node: yaml.Node, *, leaving: str = "") -> str:
    """Write a node on one line; `leaving` is a key that is left out wherever it stands."""
    if isinstance(node, yaml.Scalar):
        if node.is_plain:
            return node.text or "null"
        value = str(node.value)
        return flow(f"${value}" if value.startswith("$") else value)
    if isinstance(node, yaml.Sequence):
        return f"[{', '.join(emit(one, leaving=leaving) for one in node.items)}]"
    entries = [
        f"{flow(str(entry.key.value))}: {emit(entry.value, leaving=leaving)}"
        for entry in node.entries
        if entry.key.value != leaving
    ]
    return f"{{{', '.join(entries)}}}"
