"""Verbs that go back: the view through the journal, and branches made again from a checkpoint."""

from __future__ import annotations

import re
from itertools import pairwise

from sspicli.analysis.report import report
from sspicli.debugger.bench import Bench, Branch, Position
from sspicli.debugger.coming import of_record
from sspicli.debugger.moving import nothing, number
from sspicli.debugger.reply import Do, Reply, lines_of, noted, said
from sspicli.debugger.stops import hit, hit_before
from sspicli.debugger.view import View
from sspicli.journal import events as ev
from sspicli.scenario.words import near
from sspicli.sspi.errors import UsageError
from sspicli.views.text import Line, Segment, line, visible

_NAME = re.compile(r"[A-Za-z][\w.-]{0,63}")
_RESERVED = frozenset({"start", "end", "main"})


def back_step(bench: Bench, text: str) -> Reply:
    """Look at the state so many transitions earlier."""
    count = number(text, 1, what="count")
    bounds = [one for one in bench.boundaries() if one < bench.place.records]
    return _back_to(bench, bounds[-count] if count <= len(bounds) else min(bounds, default=-1), "looking back")


def back_call(bench: Bench, text: str) -> Reply:
    """Look at the state so many calls earlier."""
    count = number(text, 1, what="count")
    settled = [
        record.sequence
        for record in bench.view.records[:-1]
        if isinstance(record.event, ev.CallbackReturned)
        or (isinstance(record.event, ev.CallCompleted) and bench.view.state.call(record.event.call).queued.is_silent)
    ]
    bounds = bench.boundaries()
    ends = sorted({next((one for one in bounds if one >= at), at) for at in settled})
    ends = [one for one in ends if one < bench.place.records]
    return _back_to(bench, ends[-count] if count <= len(ends) else _start(bench), "looking back")


def back_on(bench: Bench, text: str) -> Reply:
    """Look back to where a breakpoint would have stopped, else to the start."""
    nothing(text, "rc")
    _refuse_at_start(bench)
    stops = [one for one in bench.stops.values() if one.is_enabled]
    saved = [(one, one.hits, one.ignore, one.value) for one in stops]
    view, found, words = View(), _start(bench), "the start"
    for one in stops:
        one.ignore = 0
    for record, following in pairwise(bench.view.records):
        view.see(record)
        hits = hit(stops, view) + hit_before(stops, view, of_record(following, view))
        if hits:
            end = next((one for one in bench.boundaries() if one >= record.sequence), record.sequence)
            if end < bench.place.records:
                found, words = end, "; ".join(text for _, text in hits)
    for one, hits_, ignore, value in saved:
        one.hits, one.ignore, one.value = hits_, ignore, value
    return _back_to(bench, found, words)


def _start(bench: Bench) -> int:
    return min((one for one in bench.boundaries() if one or bench.live is None), default=0)


def _refuse_at_start(bench: Bench) -> None:
    if bench.place.records <= _start(bench):
        raise UsageError("this is the start: nothing was before it", help="step goes on")


def _back_to(bench: Bench, count: int, reason: str) -> Reply:
    _refuse_at_start(bench)
    bench.remember()
    count = max(count, _start(bench))
    inputs = None
    if bench.live is not None:
        inputs = min(bench.inputs_at(count), bench.place.inputs)
    bench.show(count, inputs)
    _settle_watches(bench)
    return Reply((), f"{reason}: record {count} of {len(bench.branch.records)}")


def _settle_watches(bench: Bench) -> None:
    """Let watched values begin again from where we look."""
    for one in bench.stops.values():
        if one.kind == "watch":
            one.changed(bench.view)


def undo(bench: Bench, text: str) -> Reply:
    """Go back to where the last command began that moved or changed something."""
    nothing(text, "undo")
    if not bench.past:
        raise UsageError("nothing was done that could be taken back", help="step goes on")
    bench.go(bench.past.pop())
    _settle_watches(bench)
    return Reply((), f"undone: {bench.branch.name}, record {bench.place.records} of {len(bench.branch.records)}")


def goto(bench: Bench, text: str) -> Reply:
    """Look at the state after a record, or at a checkpoint."""
    word = text.strip()
    last = len(bench.branch.records)
    if word in bench.checkpoints:
        bench.remember()
        bench.go(bench.checkpoints[word])
    elif word in ("start", "end"):
        bench.remember()
        bench.show(_start(bench) if word == "start" else None)
    elif word.isdecimal() and _start(bench) <= int(word[:9]) <= last:
        bench.remember()
        bench.show(int(word))
    else:
        known = ", ".join(["start", "end", *bench.checkpoints])
        said_ = (
            f"there is no record {word}"
            if word.isdecimal()
            else f"{word[:40]!r} is no place"
            if word
            else "goto where?"
        )
        raise UsageError(said_, help=f"a record from {_start(bench)} to {last}, {known}")
    _settle_watches(bench)
    return Reply((), f"{bench.branch.name}, record {bench.place.records} of {len(bench.branch.records)}")


# -- branches ----------------------------------------------------------------------------------------------------------
def checkpoint(bench: Bench, text: str) -> Reply:
    """Name this state."""
    name = text.strip() or f"checkpoint{len(bench.checkpoints) + 1}"
    if not _NAME.fullmatch(name) or name in _RESERVED or name in bench.branches:
        raise UsageError(
            f"{name[:40]!r} is no name for a checkpoint", help="a word that is no branch, such as before-tamper"
        )
    if name in bench.checkpoints:
        raise UsageError(f"there is a checkpoint {name} already", help=f"restart {name} begins again from it")
    why = bench.hold(name)
    kept = "the engine is kept as it is" if not why else f"restart makes the session again ({why})"
    return said(f"checkpoint {name}: {bench.place.branch}, record {bench.place.records}; {kept}")


def restart(bench: Bench, text: str) -> Reply:
    """Make the session again up to a checkpoint, as a branch of its own."""
    name = text.strip()
    if name not in bench.checkpoints:
        help = (
            near(name, bench.checkpoints)
            or f"there are: {', '.join(bench.checkpoints) or 'none; checkpoint makes one'}"
        )
        raise UsageError(f"there is no checkpoint {name[:40]!r}" if name else "restart from what?", help=help)
    if bench.live is None:
        bench.present()
    bench.remember()
    difference = bench.again(bench.checkpoints[name], f"from checkpoint {name}")
    _settle_watches(bench)
    lines = [noted(f"{bench.branch.name}: {bench.branch.note}")]
    if difference is not None:
        lines.append(
            noted(f"it differs at record {difference.sequence}: {difference.expected} became {difference.got}")
        )
    return Reply(tuple(lines), f"{bench.branch.name}, from checkpoint {name}")


def branches(bench: Bench, text: str) -> Reply:
    """List branches and checkpoints."""
    nothing(text, "branches")
    lines = [_branch_line(bench, one) for one in bench.branches.values()]
    for name, place in bench.checkpoints.items():
        kept = ", with its engine" if name in bench.held else ""
        lines.append(line(f"  checkpoint {visible(name)}: {place.branch}, record {place.records}{kept}"))
    return lines_of(lines)


def _branch_line(bench: Bench, branch: Branch) -> Line:
    mark = "*" if branch is bench.branch else " "
    verdict = report(list(branch.records)).verdict.value
    live = branch.live
    ended = None if live is None or live.is_gone or live.enabled() else live.ending()
    if ended is not None and live is not None and not live.is_gone:
        verdict = View(branch.records).report(ended).verdict.value
    head = f"{mark} {branch.name:<10} {len(branch.records):>5} records  {verdict:<10}"
    note = branch.note + ("; its process is gone" if live is not None and live.is_gone else "")
    return line(Segment(head, "head" if branch is bench.branch else ""), Segment(f"  {visible(note)}", "muted"))


def switch(bench: Bench, text: str) -> Reply:
    """Go to the end of another branch."""
    name = text.strip()
    if name not in bench.branches:
        raise UsageError(f"there is no branch {name[:40]!r}", help=f"there are: {', '.join(bench.branches)}")
    bench.remember()
    bench.branch = bench.branches[name]
    bench.show()
    _settle_watches(bench)
    return Reply((), f"{name}, record {bench.place.records}")


def place_named(bench: Bench, name: str) -> Position:
    """Find the end of a branch, or of the branch that a checkpoint is in."""
    if name in bench.branches:
        return Position(name, len(bench.branches[name].inputs), len(bench.branches[name].records))
    if name in bench.checkpoints:
        branch = bench.checkpoints[name].branch
        return Position(branch, len(bench.branches[branch].inputs), len(bench.branches[branch].records))
    known = [*bench.branches, *bench.checkpoints]
    raise UsageError(f"there is no branch or checkpoint {name[:40]!r}", help=near(name, known) or ", ".join(known))


DO: dict[str, Do] = {
    "rs": back_step,
    "rn": back_call,
    "rc": back_on,
    "undo": undo,
    "goto": goto,
    "checkpoint": checkpoint,
    "restart": restart,
    "branches": branches,
    "switch": switch,
}
