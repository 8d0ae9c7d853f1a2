"""Who is where: threads and their stacks, from the records.

Each program of an endpoint is a thread; the endpoint itself always is one. On its stack lie the notify callbacks that
run for its calls, the step or the call it is at, and, as labels, its calls that are pending: they have no stack of
their own, and are what it waits for. The stack of a recording is the chain of causes of the record we look at.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from sspicli.adapter.lines import Lines, RecordingText, ScenarioText, of_record
from sspicli.analysis.calls import Call
from sspicli.debugger import backtrace
from sspicli.debugger.bench import Bench
from sspicli.debugger.panes import SIDES, call_name
from sspicli.debugger.view import View
from sspicli.journal import events as ev
from sspicli.journal.journal import Record
from sspicli.views.events import Words
from sspicli.views.text import visible

_MOST = 100  # causes


class Frame(NamedTuple):
    """One frame; `hint` is "label" for what is no place in a text."""

    name: str
    lines: Lines
    hint: str = ""


def threads(bench: Bench) -> tuple[str, ...]:
    """Name the threads: both endpoints, and the further programs of each, also those that a user types."""
    case = None if bench.live is None else bench.live.beginning.case
    names = [*SIDES, *(() if case is None else case.scenario.programs)]
    names += [record.actor for record in bench.view.records if isinstance(record.event, ev.ActionTaken)]
    return tuple(dict.fromkeys(name for name in names if not _is_callback(name)))


def _is_callback(actor: str) -> bool:
    return actor.endswith(".callback")


def thread_of(bench: Bench, record: Record | None) -> str:
    """Say whose record it is."""
    known = threads(bench)
    if record is None:
        return known[0]
    return record.actor if record.actor in known else side_of(record.actor) or known[0]


def side_of(actor: str) -> str:
    """Say which endpoint an actor belongs to; "" for none."""
    side = actor.partition(".")[0]
    return side if side in SIDES else ""


def frames(bench: Bench, text: ScenarioText | RecordingText, thread: str) -> list[Frame]:
    """Give the stack of a thread, the innermost first."""
    if isinstance(text, RecordingText):
        return list(_causes(bench, thread))
    inner = [_callback(bench.view, text, one) for one in callbacks(bench.view, thread)]
    return [*inner, _own(bench, text, thread), *_pending(bench, text, thread)]


def _causes(bench: Bench, thread: str) -> Iterator[Frame]:
    """Follow the causes of the last record of a thread."""
    records = bench.view.records
    found = next((one for one in reversed(records) if thread_of(bench, one) == thread), None)
    at = 0 if found is None else found.sequence
    words = Words(bench.view.state, bench.look.glyphs, is_short=False)
    count = 0
    while at and count < _MOST:
        one = records[at - 1]
        yield Frame(f"{visible(one.actor)}: {visible(words.text(one.event), 400)}", of_record(at))
        at, count = one.cause, count + 1


def callbacks(view: View, thread: str) -> list[backtrace.Frame]:
    """List the callbacks that an endpoint is in, the last entered first; its own thread shows them."""
    return [one for one in backtrace.frames(view) if one.is_callback and one.side == thread]


def _callback(view: View, text: ScenarioText, one: backtrace.Frame) -> Frame:
    name = call_name(view, view.state.call(one.call))
    return Frame(f"notify callback of {name}", text.of_actor(one.actor, view))


def _own(bench: Bench, text: ScenarioText, thread: str) -> Frame:
    """Say what a thread is at: its step, or the last call of the shipped driver."""
    view = bench.view
    for record in reversed(view.records):
        if record.actor == thread and isinstance(record.event, ev.ActionTaken):
            return Frame(visible(record.event.words), text.of_actor(thread, view))
    last = view.queued.get(thread)
    phase = view.state.sides[thread].shown if thread in SIDES else None
    words = "no async context yet" if phase is None else f"{phase.phase.value}"
    name = f"{thread}: {words}" if last is None else f"{call_name(view, last)} {last.status.name}"
    return Frame(visible(name), text.of_actor(thread, view))


def _pending(bench: Bench, text: ScenarioText, thread: str) -> Iterator[Frame]:
    for call in bench.view.state.pending.values():
        if call.endpoint == thread:
            yield Frame(_waiting(bench, call), text.of_actor(thread, bench.view), "label")


def _waiting(bench: Bench, call: Call) -> str:
    held = ", held" if call.handle in bench.view.state.held else ""
    return f"pending: {call_name(bench.view, call)}{held}"
