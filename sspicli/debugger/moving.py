"""Verbs that let the session go on: by a transition, a call, a leg, or until something stops it."""

from __future__ import annotations

from collections.abc import Callable

from sspicli.analysis.report import Verdict
from sspicli.debugger.bench import Bench, Position
from sspicli.debugger.coming import of_action, of_record
from sspicli.debugger.reply import Do, Reply, noted
from sspicli.debugger.stops import Breakpoint, expression_of, hit, hit_before
from sspicli.debugger.view import View
from sspicli.journal import events as ev
from sspicli.journal.journal import Record
from sspicli.sspi.errors import UsageError
from sspicli.views.text import Line

MOST = 1_000_000
Done = Callable[[View, Record], bool]
"""Whether a record is where a movement ends."""


def number(text: str, usual: int, *, what: str, least: int = 1) -> int:
    """Read a count."""
    word = text.strip()
    if not word:
        return usual
    if not word.isdecimal() or not least <= int(word[:12]) <= MOST:
        raise UsageError(f"{word[:40]!r} is no {what}", help=f"a number from {least} to {MOST:,}")
    return int(word)


def nothing(text: str, verb: str) -> None:
    """Refuse arguments where there are none."""
    if text.strip():
        raise UsageError(f"{verb} takes no argument", help=f"write {verb} alone")


def step(bench: Bench, text: str) -> Reply:
    """Let so many transitions happen."""
    count = number(text, 1, what="count")
    return _go(bench, lambda view, record: False, most=count, done="stepped")


def next_call(bench: Bench, text: str) -> Reply:
    """Go on until so many calls have settled."""
    left = number(text, 1, what="count")
    settled = 0

    def is_done(view: View, record: Record) -> bool:
        nonlocal settled
        settled += _is_settled(view, record)
        return settled >= left

    return _go(bench, is_done, done="a call has settled")


def _is_settled(view: View, record: Record) -> bool:
    event = record.event
    if isinstance(event, ev.CallbackReturned):
        return True
    if not isinstance(event, ev.CallCompleted):
        return False
    return view.state.call(event.call).queued.is_silent


def finish(bench: Bench, text: str) -> Reply:
    """Go on until a token has arrived."""
    nothing(text, "finish")
    return _go(bench, lambda view, record: isinstance(record.event, ev.TokenDelivered), done="a token has arrived")


def until(bench: Bench, text: str) -> Reply:
    """Go on until an expression holds."""
    expression = expression_of(text)
    return _go(bench, lambda view, record: expression.holds(view.value), done=f"{expression.text} holds")


def go_on(bench: Bench, text: str) -> Reply:
    """Go on until something stops it."""
    count = number(text, 1, what="count")
    last = [one for one in bench.stops.values() if one.is_enabled]
    for one in last:
        one.ignore += count - 1
    return _go(bench, lambda view, record: False)


def run(bench: Bench, text: str) -> Reply:
    """Begin again from the start."""
    nothing(text, "run")
    if bench.live is None:
        bench.present()
    bench.remember()
    if bench.place.inputs or len(bench.branch.inputs):
        bench.again(Position(bench.branch.name, 0, 1), f"run, from the start of {bench.branch.name}")
    return _go(bench, lambda view, record: False, remembers=False)


def choose(bench: Bench, text: str) -> Reply:
    """Let one of the enabled transitions happen."""
    if not text.strip():
        raise UsageError("choose which?", help="enabled lists them")
    if bench.is_past:
        raise UsageError("what may happen next is known at the end of a branch only", help="step, or goto end")
    wanted = number(text, 1, what="transition")
    count = len(bench.enabled())
    if wanted > count:
        raise UsageError(f"there is no transition {wanted}", help=f"there are {count}: enabled lists them")
    return _go(bench, lambda view, record: False, most=1, first=wanted - 1, done="stepped")


def take(bench: Bench, index: int, *, done: str, remembers: bool) -> Reply:
    """Let one of the enabled transitions happen, by its place among them."""
    return _go(bench, lambda view, record: False, most=1, first=index, done=done, remembers=remembers)


def _go(
    bench: Bench, is_done: Done, *, most: int = 0, first: int | None = None, done: str = "", remembers: bool = True
) -> Reply:
    """Fire transitions until one of the records they make ends it, a stop is hit, or nothing can happen."""
    if bench.live is None:
        return _look_on(bench, is_done, most=most, done=done)
    if not bench.is_past and not bench.enabled():
        if not remembers:
            return Reply((), over(bench))
        raise UsageError("nothing can happen by itself any more", help="undo, rs or restart; or call something by hand")
    if remembers:
        bench.remember()
    notes = present_notes(bench)
    bench.is_interrupted = False
    count = 0
    while True:
        if first is None and (left := bench.live.diverged()):
            return Reply(tuple(notes), f"{left}; from here on the first choice is taken")
        reason, commands = fire(bench, first, is_done, done)
        first = None
        count += 1
        if reason:
            return Reply(tuple(notes), reason, commands=commands)
        if most and count >= most:
            return Reply(tuple(notes), done)
        if bench.is_interrupted:
            return Reply(tuple(notes), "interrupted")
        if count >= bench.settings.limit:
            return Reply(tuple(notes), f"the limit of {count} transitions was reached (set limit)")
        if not bench.enabled():
            return Reply(tuple(notes), over(bench))


def fire(bench: Bench, index: int | None, is_done: Done, done: str) -> tuple[str, tuple[str, ...]]:
    """Fire one transition and look at its records; why to stop, "" for no reason, and what to do then."""
    live = bench.live
    assert live is not None, "a recording is looked at"
    found = _before(bench, live.preferred() if index is None else index)
    if found:
        seen(bench, is_done)  # what an actor read too early on its way to the call
        return "; ".join(words for _, words in found), _passed(bench, found)
    live.fire(index)
    return seen(bench, is_done, done)


def _before(bench: Bench, index: int) -> list[tuple[Breakpoint, str]]:
    """Let the actor that is next come up to its call, where a breakpoint may stand before it; give those that do."""
    stops = [one for one in bench.stops.values() if one.kind == "before"]
    options = bench.enabled()
    if not stops or bench.live is None or index >= len(options):
        return []
    action = bench.live.reach(index)
    return hit_before(stops, bench.view, of_action(action, options[index].actor, bench.view))


def _passed(bench: Bench, found: list[tuple[Breakpoint, str]]) -> tuple[str, ...]:
    """Take the temporary ones of what was hit away; give the commands of all."""
    for one, _ in found:
        if one.is_temporary:
            bench.stops.pop(one.number, None)
    return tuple(command for one, _ in found for command in one.commands)


def seen(bench: Bench, is_done: Done, done: str = "") -> tuple[str, tuple[str, ...]]:
    """Look at the records that were made since; why to stop, "" for no reason, and the commands of what was hit."""
    reasons: list[str] = []
    commands: list[str] = []
    is_at_end = False
    for record in bench.branch.records[len(bench.view.records) :]:
        bench.view.see(record)
        for one, words in hit(list(bench.stops.values()), bench.view):
            reasons.append(words)
            commands += one.commands
            if one.is_temporary:
                del bench.stops[one.number]
        is_at_end |= is_done(bench.view, record)
    bench.place = Position(bench.branch.name, len(bench.branch.inputs), len(bench.view.records))
    if is_at_end:
        reasons.append(done)
    return "; ".join(reasons), tuple(commands)


def over(bench: Bench) -> str:
    """Say how the run ends if nothing more happens."""
    ended = bench.ended()
    assert ended is not None, "nothing can happen"
    verdict = bench.view.report(ended).verdict
    finished = "nothing more happens by itself" if _is_by_hand(bench) else "the run is over"
    words = {"finished": finished}.get(ended.reason, f"nothing can happen any more ({ended.reason})")
    left = "" if bench.live is None else bench.live.diverged()
    said = verdict.value if verdict is not Verdict.UNFINISHED else "unfinished"
    return f"{words}: {said}; {left}" if left else f"{words}: {said}"


def _is_by_hand(bench: Bench) -> bool:
    return bench.live is not None and bool(bench.live.beginning.by_hand)


def present_notes(bench: Bench) -> list[Line]:
    """Make the session again where we look at the past, and say what came of it."""
    if not bench.is_past:
        return []
    place = bench.place
    difference = bench.present()
    short = place.records - bench.place.records
    notes = [noted(f"{bench.branch.name}: {bench.branch.note}")]
    if short > 0:
        notes.append(noted(f"it begins {short} records earlier, where a transition had ended"))
    if difference is not None:
        notes.append(
            noted(f"it differs at record {difference.sequence}: {difference.expected} became {difference.got}")
        )
    return notes


def _look_on(bench: Bench, is_done: Done, *, most: int, done: str) -> Reply:
    """Move the view through a recording."""
    records = bench.branch.records
    if bench.place.records >= len(records):
        raise UsageError("the recording ends here", help="rs goes back")
    bench.remember()
    count = 0
    while bench.place.records < len(records):
        record = records[bench.place.records]
        bench.view.see(record)
        bench.place = bench.place._replace(records=bench.place.records + 1)
        stops = list(bench.stops.values())
        coming = of_record(records[bench.place.records], bench.view) if bench.place.records < len(records) else None
        found = hit(stops, bench.view) + hit_before(stops, bench.view, coming)
        if found:
            return Reply((), "; ".join(words for _, words in found), commands=_passed(bench, found))
        if is_done(bench.view, record):
            return Reply((), done)
        count += 1
        if most and count >= most:
            return Reply((), done)
    return Reply((), "the recording ends here")


DO: dict[str, Do] = {
    "step": step,
    "next": next_call,
    "finish": finish,
    "until": until,
    "continue": go_on,
    "run": run,
    "choose": choose,
}
