"""What is shown at a stop, pane by pane: state, what may happen next, which calls are legal, what changed.

The rule guarded here: each pane is a fold of the records up to where we look. What may happen next is the session's own
list, and is known only at its end.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sspicli.analysis.blame import Failure
from sspicli.analysis.calls import Call
from sspicli.analysis.cases import Unmet
from sspicli.debugger.bench import Bench
from sspicli.debugger.coming import of_step
from sspicli.debugger.course import CallSeen, Next
from sspicli.debugger.expression import Value
from sspicli.debugger.judging import judged
from sspicli.debugger.legal import Legal, legal
from sspicli.debugger.stops import quiet, shown
from sspicli.debugger.view import WATCHED, WORD_OF, View
from sspicli.journal.journal import Record
from sspicli.runtime.chooser import Kind
from sspicli.sspi.lifecycle import Phase
from sspicli.views.events import Words
from sspicli.views.failure import failure_lines
from sspicli.views.ladder import counted, ladder
from sspicli.views.text import Line, Segment, line, visible, width_of

_MOST_LOG = 12
_PHASES = {Phase.PENDING: "PENDING", Phase.PENDING_SILENT: "PENDING, silent", Phase.COMPLETE: "COMPLETE"}
SIDES = ("client", "server")


def title(text: str, bench: Bench) -> Line:
    """Rule a pane off."""
    head = f"{bench.look.glyphs.dash * 2} {text} "
    return line(Segment(head + bench.look.glyphs.dash * max(0, min(bench.look.width, 79) - len(head)), "muted"))


def panes(bench: Bench, names: Sequence[str]) -> list[Line]:
    """Show panes, in the order asked for; one that has nothing to say is left out."""
    lines: list[Line] = []
    for name in names:
        body = PANES[name](bench)
        if body:
            lines += [title(_TITLES.get(name, name), bench), *body]
    return lines


# -- state -------------------------------------------------------------------------------------------------------------
def state_lines(bench: Bench) -> list[Line]:
    """Say of each end where it is."""
    return [_side_line(bench, side) for side in SIDES]


def _side_line(bench: Bench, name: str) -> Line:
    view = bench.view
    side = view.state.sides[name]
    one = side.shown
    glyphs = bench.look.glyphs
    if one is None:
        return line(Segment(f" {name:<8}"), Segment("no async context yet", "muted"))
    phase = _PHASES.get(one.phase, one.phase.value.partition(",")[0])
    parts: list[str | Segment] = [f" {name:<8}", Segment(f"{phase:<16}", "warn" if "PENDING" in phase else "call")]
    parts.append(f"{one.handle}  ")
    call = one.call or view.queued.get(name)
    if call is not None:
        held = " (held)" if call.handle in view.state.held else ""
        status = f"PENDING{held}" if call.completed is None else call.status.name
        parts.append(Segment(f"{call_name(view, call)} {status}", "" if call.completed is None else "leg"))
    due = "  notification due" if one.is_notification_due else "" if one.has_callback else "  no callback set"
    waits = view.state.awaited(name)
    parts.append(Segment(due + (f"  {glyphs.dot} {visible(waits)}" if waits else ""), "muted"))
    return line(*parts)


def call_name(view: View, call: Call) -> str:
    """Name a call as a user would: `client.init#2`, counted in the whole run."""
    alike = [one for one in view.state.every_call() if (one.endpoint, one.function) == (call.endpoint, call.function)]
    return f"{call.endpoint}.{WORD_OF[call.function]}#{alike.index(call) + 1}"


# -- what may happen next ----------------------------------------------------------------------------------------------
def transition_text(one: Next, bench: Bench) -> str:
    """Say what a transition is."""
    match one.kind:
        case Kind.STEP if (coming := of_step(one, bench.view)) is not None:
            return f"{one.actor} calls {coming.name}"
        case Kind.STEP:
            return f"{one.actor} goes on with its program" if "." not in one.actor else f"{one.actor} goes on"
        case Kind.RETURN:
            return f"the queueing function of {pending_name(one.call)} returns"
        case Kind.COMPLETE:
            return f"{pending_name(one.call)} completes"
        case Kind.NOTIFY:
            return f"the notify callback for {pending_name(one.call)} is entered"
        case Kind.DELIVER:
            return f"what is under way to the {one.receiver} arrives"
        case Kind.TURN:
            return f"{one.actor}, which stands by, goes on"
        case _:
            return "a timer is due" if one.actor == "session" else f"{one.actor} wakes up"


def pending_name(call: CallSeen | None) -> str:
    """Name a pending call, counted in the whole run."""
    assert call is not None, "this kind of transition is about a call"
    return f"{call.handle.actor}.{WORD_OF[call.function]}#{call.number}"


def enabled_texts(bench: Bench) -> tuple[str, ...]:
    """Say what may happen next, one sentence each, in the order of `choose`."""
    return tuple(transition_text(one, bench) for one in bench.enabled())


def enabled_lines(bench: Bench) -> list[Line]:
    """Number what may happen next; the default is marked."""
    if bench.live is None:
        return []
    if bench.is_past:
        left = len(bench.branch.records) - bench.place.records
        return [
            line(
                Segment(
                    f" {counted(left, 'record')} of this branch to come; stepping on makes the session again", "muted"
                )
            )
        ]
    texts = enabled_texts(bench)
    if not texts:
        return over_lines(bench)
    preferred = bench.live.preferred()
    return [
        line(f" {'*' if at == preferred else ' '}", Segment(f"{at + 1}", "head"), f"  {visible(text)}")
        for at, text in enumerate(texts)
    ]


def over_lines(bench: Bench) -> list[Line]:
    """Say that nothing can happen, why, and what may be done."""
    ended = bench.ended()
    if ended is None:
        return []
    hands = {} if bench.live is None else bench.live.hand_waits()
    verdict = bench.view.report(ended).verdict.value
    came_to = ended.reason if verdict == ended.reason else f"{ended.reason}, {verdict}"
    said = [f"nothing can happen by itself: {came_to}", *(visible(wait) for wait in ended.waits)]
    said += [f"{name}: your step waits for {visible(waits)}" for name, waits in hands.items()]
    return [line(" ", Segment(one, "warn" if ended.reason != "finished" else "muted")) for one in said]


# -- what is legal -----------------------------------------------------------------------------------------------------
def legal_now(bench: Bench) -> tuple[Legal, ...]:
    """Say what each end may do with its async context."""
    return tuple(legal(bench.view.state.sides[side]) for side in SIDES)


def legal_lines(bench: Bench, only: str = "") -> list[Line]:
    """Say which calls work now, and why the others do not."""
    lines: list[Line] = []
    for side, one in zip(SIDES, legal_now(bench), strict=True):
        if only in ("", side):
            lines.append(line(f" {side:<8}", Segment(f"{one.subject} is {one.phase}", "call")))
            lines.append(line("   works  ", Segment(", ".join(one.works), "good")))
            for word, verdict, why in one.refused:
                style = "bad" if verdict == "undefined" else "warn"
                lines.append(line(f"   {word}: ", Segment(verdict, style), f", {why}"))
    return lines


# -- what happened -----------------------------------------------------------------------------------------------------
def log_lines(bench: Bench) -> list[Line]:
    """Write what happened since the last stop."""
    new = bench.view.records[bench.before.records :] if is_later(bench) else []
    words = Words(bench.view.state, bench.look.glyphs, is_short=False)
    left: list[Line] = []
    if len(new) > _MOST_LOG:
        said = f" {counted(len(new) - _MOST_LOG, 'record')} before these: timeline lists all"
        left = [line(Segment(said, "muted"))]
    return [*left, *(line(f" {one.sequence:>4} ", *words.line(one)) for one in new[-_MOST_LOG:])]


def is_later(bench: Bench) -> bool:
    """Say whether the last stop lies in what led here; a branch that was made again has its records anew."""
    before, now = bench.before, bench.view.records
    if before.records > len(now):
        return False
    return before.last is None or _alike(before.last, now[before.records - 1])


def _alike(one: Record, other: Record) -> bool:
    return (one.actor, type(one.event)) == (other.actor, type(other.event))


def changed(bench: Bench) -> list[tuple[str, str, str]]:
    """List what changed since the last stop: name, old, new."""
    found: list[tuple[str, str, str]] = []
    for path in WATCHED:
        old, new = bench.before.values[path], bench.view.value(path)
        if old != new:
            found.append((path, _written(path, old), _written(path, new)))
    return found


def _written(path: str, value: Value) -> str:
    """Write a value; a word of flags in hex."""
    is_flags = path.endswith((".asked", ".granted"))
    return f"0x{value:08X}" if is_flags and isinstance(value, int) else shown(value)


def changed_lines(bench: Bench) -> list[Line]:
    """Show changed values, old and new."""
    to = bench.look.glyphs.to
    return [
        line(f" {name:<24} ", Segment(visible(old), "muted"), f" {to} ", Segment(visible(new), "head"))
        for name, old, new in changed(bench)
    ]


def token_lines(bench: Bench) -> list[Line]:
    """Show the last token: who sent it to whom, how long it is, its messages."""
    legs = bench.view.state.legs
    if not legs:
        return []
    leg = legs[-1]
    to = "server" if leg.sender == "client" else "client"
    under_way = any(one.leg == leg.number for one in bench.view.state.under_way.values())
    where = "under way" if under_way else "delivered"
    head = f" leg {leg.number}  {len(leg.data)} B  {leg.sender} {bench.look.glyphs.to} {to}  {where}"
    names = f" {bench.look.glyphs.dot} ".join(visible(one.name) for one in leg.messages)
    joined = line(head, Segment(f"  {names}", "leg"))
    return [joined] if width_of(joined) <= bench.look.width else [line(head), line("   ", Segment(names, "leg"))]


def findings_lines(bench: Bench) -> list[Line]:
    """Show the findings that are new since the last stop."""
    seen = bench.before.findings if is_later(bench) else frozenset()
    return [
        line(
            " ", Segment(f"{one.rule.code} {one.rule.title}", "bad"), f"  {visible(one.subject)}: {visible(one.detail)}"
        )
        for one in bench.view.findings
        if (one.rule.code, one.records) not in seen
    ]


def cause_lines(bench: Bench) -> list[Line]:
    """Say why something failed, when it has happened since the last stop."""
    failed = failure(bench)
    if failed is None or (is_later(bench) and failed.sequence <= bench.before.records):
        return []
    report = bench.view.report(bench.ended())
    return failure_lines(report, width=bench.look.width, timing=bench.look.timing)


def failure(bench: Bench) -> Failure | None:
    """Give what failed first so far; None for nothing."""
    state, ended = bench.view.state, bench.ended()
    if ended is None and state.failure is None and not state.refusals:
        return None
    return bench.view.report(ended).failure


def expected_lines(bench: Bench) -> list[Line]:
    """Say which of a scenario's expectations hold; only the end of its run shows it."""
    result = judged(bench)
    if result is None or not result.expectations:
        return []
    held = result.expectations - len(result.unmet)
    style = "bad" if result.unmet else "good"
    head = line(" ", Segment(f"{held} of {counted(result.expectations, 'expectation')} hold", style))
    places = [(f"{one.place.file}:{one.place.line}", unmet_words(one)) for one in result.unmet]
    return [head, *(line(" ", Segment(visible(where), "head"), f"  {words}") for where, words in places)]


def unmet_words(one: Unmet) -> str:
    """Say what was expected and what came, with the likely cause."""
    seen = "".join(f"; {visible(text, 400)}" for text in (*one.seen, one.cause) if text)
    return (
        f"{visible(one.step)}, {visible(one.key)}: expected {visible(one.expected, 400)}, got {visible(one.got, 400)}"
    ) + seen


def call_table(bench: Bench) -> list[Line]:
    """List the calls."""
    from sspicli.views.tables import call_lines

    look = bench.look
    report = bench.view.report()
    return call_lines(report, look.glyphs, width=look.width, timing=look.timing) if report.calls else []


def ladder_lines(bench: Bench) -> list[Line]:
    """Draw the ladder so far."""
    look = bench.look
    return ladder(bench.view.state, look.glyphs, width=look.width, timing=look.timing)


def display_lines(bench: Bench) -> list[Line]:
    """Show what is to be shown at every stop."""
    return [
        line(f" {number}: {visible(one.text)} = ", Segment(visible(shown(quiet(one, bench.view))), "head"))
        for number, one in bench.displays.items()
    ]


_TITLES = {"log": "what happened", "enabled": "may happen next", "legal": "legal now", "changed": "changed"}
PANES: dict[str, Callable[[Bench], list[Line]]] = {
    "log": log_lines,
    "state": state_lines,
    "token": token_lines,
    "enabled": enabled_lines,
    "legal": legal_lines,
    "changed": changed_lines,
    "calls": call_table,
    "ladder": ladder_lines,
    "findings": findings_lines,
    "cause": cause_lines,
    "expected": expected_lines,
}


def where_text(bench: Bench) -> str:
    """Say in a line where we are."""
    state = bench.view.state
    at = f"record {bench.place.records}"
    if bench.is_past:
        at += f" of {len(bench.branch.records)}, in the past"
    leg = len(state.legs)
    coming = [f"leg {one.leg} under way" for one in state.under_way.values() if one.leg]
    data = len(state.under_way) - len(coming)
    coming += [f"data under way ({data} times)" if data > 1 else "data under way"] if data else []
    words = [at, f"leg {leg}" if leg else "before the first leg", *coming]
    words += [f"{call_name(bench.view, call)} pending" for call in state.pending.values()]
    return ", ".join(words)
