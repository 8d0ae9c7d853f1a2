"""`bt`: who is inside what at this moment: callbacks that were entered, calls that have not returned, what is pending.

The rule guarded here: a frame is opened by one record and closed by another, so a chain of frames can be told of the
present, the past and a recording alike. Which thread a callback runs on is not promised, and none is claimed: frames
stand in the order in which they were entered, the youngest first.
"""

from __future__ import annotations

from typing import NamedTuple

from sspicli.debugger.bench import Bench
from sspicli.debugger.moving import nothing
from sspicli.debugger.panes import SIDES, call_name
from sspicli.debugger.reply import Do, Reply, lines_of
from sspicli.debugger.view import View
from sspicli.journal import events as ev
from sspicli.journal.journal import Record
from sspicli.sspi.handles import Handle
from sspicli.views.text import Line, Segment, line, visible

_WAITS = {"signal": "waits for a signal", "bytes": "waits for bytes from its peer", "timer": "waits for a timer"}


class Frame(NamedTuple):
    """Something that was begun and has not ended: who is in it, the call it is about, its record, what it waits for."""

    actor: str
    call: Handle
    is_callback: bool
    sequence: int
    waits: str = ""

    @property
    def side(self) -> str:
        """Whose it is."""
        return self.actor.partition(".")[0]


def frames(view: View) -> list[Frame]:
    """List what is open after the last record, the youngest first."""
    opened: dict[tuple[bool, Handle], Frame] = {}
    for record in view.records:
        _see(opened, record)
    return sorted(opened.values(), key=lambda one: -one.sequence)


def _see(opened: dict[tuple[bool, Handle], Frame], record: Record) -> None:
    event = record.event
    for key, frame in opened.items():
        if frame.waits and frame.actor == record.actor:
            opened[key] = frame._replace(waits="")
    match event:
        case ev.CallQueued():
            opened[False, event.call] = Frame(record.actor, event.call, False, record.sequence)
        case ev.QueueingReturned():
            opened.pop((False, event.call), None)
        case ev.CallbackEntered():
            opened[True, event.call] = Frame(record.actor, event.call, True, record.sequence)
        case ev.CallbackReturned():
            opened.pop((True, event.call), None)
        case ev.CallbackWaited() if (True, event.call) in opened:
            opened[True, event.call] = opened[True, event.call]._replace(waits=_WAITS.get(event.awaited, event.awaited))
        case _:
            pass


def backtrace(bench: Bench, text: str) -> Reply:
    """Show the chain of frames of each end, its pending calls, and what is on the wire."""
    nothing(text, "bt")
    every = frames(bench.view)
    lines = [part for side in SIDES for part in _side_lines(bench, side, [one for one in every if one.side == side])]
    return lines_of([*lines, *_wire_lines(bench)])


def _side_lines(bench: Bench, side: str, of_side: list[Frame]) -> list[Line]:
    view = bench.view
    lines = [line(Segment(side, "head"))]
    lines += [_frame_line(view, number, one) for number, one in enumerate(of_side)]
    awaited = view.state.awaited(side)
    said = f"{side} is in no call" if not of_side else ""
    words = ", ".join(one for one in (said, awaited) if one)
    if words:
        lines.append(line(f"  #{len(of_side)}  ", visible(words)))
    pending = [one for one in view.state.pending.values() if one.endpoint == side]
    for call in pending:
        held = view.state.held.get(call.handle)
        by = f", held by {visible(held)}" if held else ""
        lines.append(line("  pending ", Segment(call_name(view, call), "warn"), f" since record {call.sequence}{by}"))
    return lines


def _frame_line(view: View, number: int, one: Frame) -> Line:
    call = view.state.call(one.call)
    name = call_name(view, call)
    what = f"the notify callback for {name}" if one.is_callback else f"{call.function.documented_name}, {name}"
    verb = "entered at" if one.is_callback else "not returned; queued at"
    waits = f"; {visible(one.waits)}" if one.waits else ""
    where = Segment(f"  {visible(one.actor)}, {verb} record {one.sequence}{waits}", "muted")
    return line(f"  #{number}  in ", Segment(what, "call"), where)


def _wire_lines(bench: Bench) -> list[Line]:
    under_way = [
        line(f"  {'leg ' + str(one.leg) if one.leg else 'data'} to the {one.receiver}, under way")
        for one in bench.view.state.under_way.values()
    ]
    return [line(Segment("wire", "head")), *under_way] if under_way else []


DO: dict[str, Do] = {"bt": backtrace}
