"""`info`: what there is of handles, calls, buffers, flags, timers, breakpoints and the rest."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from sspicli.analysis.calls import LEG_FUNCTIONS
from sspicli.analysis.lives import lives
from sspicli.analysis.rule_table import RULES
from sspicli.debugger.bench import Bench
from sspicli.debugger.inputs import Added, Timed
from sspicli.debugger.looking import finding_lines
from sspicli.debugger.panes import SIDES, call_name, call_table, display_lines
from sspicli.debugger.reply import Do, Reply, lines_of, noted
from sspicli.journal import events as ev
from sspicli.journal.redact import redacted
from sspicli.runtime.chooser import schedule_text
from sspicli.scenario.words import near
from sspicli.sspi.errors import UsageError
from sspicli.sspi.flags import AscReq, AscRet, IscReq, IscRet, flag_names
from sspicli.views.lives import handle_lines
from sspicli.views.tables import one_call_buffers
from sspicli.views.text import Line, Segment, line, visible, wrapped

Tell = Callable[[Bench], list[Line]]


def info(bench: Bench, text: str) -> Reply:
    """Show what there is of something."""
    word = text.strip()
    if not word:
        return Reply(tuple(line(Segment(f"info {name:<13}", "head"), said) for name, said in ABOUT.items()))
    found = [name for name in TOPICS if name == word] or [name for name in TOPICS if name.startswith(word)]
    if len(found) != 1:
        help = f"{', '.join(found)}" if found else near(word, TOPICS) or ", ".join(TOPICS)
        raise UsageError(f"{word[:40]!r} {'is ambiguous' if found else 'is nothing that info knows'}", help=help)
    return lines_of(TOPICS[found[0]](bench) or [noted(f"no {found[0]} so far")])


def _handles(bench: Bench, kind: str = "") -> list[Line]:
    every = lives(bench.view.records, bench.view.findings)
    return handle_lines([one for one in every if kind in ("", one.handle.kind)], bench.look)


def _contexts(bench: Bench) -> list[Line]:
    """List every async context with its phase, and the security contexts."""
    lines = [
        line(
            f"  {one.handle!s:<14}",
            Segment(f"{one.phase.value:<26}", "call"),
            "callback set  " if one.has_callback else "no callback   ",
            "" if one.call is None else f"tracks {call_name(bench.view, one.call)}",
        )
        for side in SIDES
        for one in bench.view.state.sides[side].async_contexts.values()
    ]
    return [*lines, *_handles(bench, "ctxt")]


def _buffers(bench: Bench) -> list[Line]:
    look = bench.look
    calls = [one for one in bench.view.state.every_call() if one.function in LEG_FUNCTIONS]
    return [part for one in calls for part in one_call_buffers(one, look.glyphs, width=look.width, fields=None)]


def _flags(bench: Bench) -> list[Line]:
    """Compare what was asked for with what was granted, for each end's last leg."""
    lines: list[Line] = []
    for side in SIDES:
        asked, granted = bench.view.value(f"{side}.asked"), bench.view.value(f"{side}.granted")
        requested, given = (IscReq, IscRet) if side == "client" else (AscReq, AscRet)
        for word, name, kind in ((asked, "asked", requested), (granted, "granted", given)):
            if isinstance(word, int):
                lines += _flag_lines(f"  {side} {name:<8} 0x{word:08X}  ", flag_names(kind(word)), bench)
    return lines


def _flag_lines(head: str, names: list[str] | tuple[str, ...], bench: Bench) -> list[Line]:
    first, *more = wrapped([one.split("_", 2)[-1] for one in names], bench.look.width - len(head))
    return [line(head, first), *(line(" " * len(head), part) for part in more)]


def _timers(bench: Bench) -> list[Line]:
    """Show virtual time, and what waits for a time."""
    state = bench.view.state
    waits = [] if bench.live is None or bench.is_past else bench.live.waiting()
    due = [line(f"  {visible(name)} sleeps") for name, what in waits if what == "a timer"]
    return [line(f"  {state.ticks} ticks, microseconds of virtual time"), *due]


def _schedule(bench: Bench) -> list[Line]:
    """Show the choices that were made, and what else moved the session."""
    live = bench.live
    choices = list(bench.view.report().schedule) if live is None or bench.is_past else live.choices()
    lines = [line(f"  {schedule_text(choices)}", Segment("  choices so far", "muted"))]
    said = [one for one in bench.branch.inputs[: bench.place.inputs] if isinstance(one, Timed)]
    lines += [
        line(f"  {one.text}", Segment("  where nobody chooses; the last that is about a call holds", "muted"))
        for one in said
    ]
    case = None if live is None else live.beginning.case
    if case is not None:
        lines.append(noted(f"  {bench.fired()} transitions, seed {case.scenario.schedule.seed}"))
    return lines


def _breakpoints(bench: Bench) -> list[Line]:
    lines: list[Line] = []
    for number, one in bench.stops.items():
        words = [f"  {number:<3} {visible(one.described())}"]
        words += ["once"] if one.is_temporary else []
        words += [] if one.is_enabled else ["disabled"]
        words += [f"ignored {one.ignore} times more"] if one.ignore else []
        words += [f"hit {one.hits} times"] if one.hits else []
        lines += [line(", ".join(words)), *(noted(f"        {command}") for command in one.commands)]
    return lines


def _rules(bench: Bench) -> list[Line]:
    broken = {one.rule.code for one in bench.view.findings}
    return [
        line(f"  {code}  ", Segment("broken  " if code in broken else "        ", "bad"), rule.title)
        for code, rule in RULES.items()
    ]


def _findings(bench: Bench) -> list[Line]:
    return [
        part
        for one in bench.view.findings
        for part in finding_lines(
            one.rule.code, one.rule.title, one.subject, one.detail, one.records, one.rule.severity
        )
    ]


def _keylog(bench: Bench) -> list[Line]:
    """List what is in the key log; a screen is copied and logged, so the secrets themselves are masked on it."""
    masked = [redacted(one.event) for one in bench.view.records if isinstance(one.event, ev.KeyLogged)]
    return [line(f"  {visible(one.line, 1024)}") for one in masked if isinstance(one, ev.KeyLogged)]


def _faults(bench: Bench) -> list[Line]:
    return list(_fault_lines(bench))


def _fault_lines(bench: Bench) -> Iterator[Line]:
    happened = {one.event.text: one.sequence for one in bench.view.records if isinstance(one.event, ev.FaultInjected)}
    missed = {one.event.text: one.event.why for one in bench.view.records if isinstance(one.event, ev.FaultMissed)}
    added = [one.fault.text for one in bench.branch.inputs[: bench.place.inputs] if isinstance(one, Added)]
    for text in dict.fromkeys([*added, *happened, *missed]):
        said = f"happened at record {happened[text]}" if text in happened else missed.get(text, "still to come")
        yield line(f"  {visible(text)}  ", Segment(said, "muted"))


def _wire(bench: Bench) -> list[Line]:
    return [
        line(f"  {'leg ' + str(one.leg) if one.leg else 'data'}  {len(one.data)} B to the {one.receiver}, under way")
        for one in bench.view.state.under_way.values()
    ]


TOPICS: dict[str, Tell] = {
    "handles": _handles,
    "contexts": _contexts,
    "credentials": lambda bench: _handles(bench, "cred"),
    "buffers": _buffers,
    "flags": _flags,
    "timers": _timers,
    "schedule": _schedule,
    "breakpoints": _breakpoints,
    "rules": _rules,
    "calls": call_table,
    "keylog": _keylog,
    "faults": _faults,
    "wire": _wire,
    "findings": _findings,
    "display": display_lines,
}

ABOUT = {
    "handles": "every handle: who made it, who used it, how it ended",
    "contexts": "async contexts with their phases, and security contexts",
    "credentials": "credentials: who made them, who used them",
    "buffers": "the buffers of each call that makes a leg",
    "flags": "requirements asked and attributes granted",
    "timers": "virtual time, and who sleeps",
    "schedule": "the choices so far, as --schedule takes them",
    "breakpoints": "breakpoints, with their conditions and counts",
    "rules": "the misuse rules, and which were broken",
    "calls": "the call table",
    "keylog": "the secrets on record",
    "faults": "what is still to be changed, and what was",
    "wire": "what is under way",
    "findings": "the rules that were broken so far",
    "display": "what is shown at every stop",
}
"""What each topic is about."""

DO: dict[str, Do] = {"info": info}
