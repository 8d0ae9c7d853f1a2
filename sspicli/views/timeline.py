"""The timeline: every record in a line, with when it was, who acted, and which record led to it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from sspicli.analysis.timeline import Entry
from sspicli.views.look import Look
from sspicli.views.text import Line, Segment, folded, line, visible, wrapped

_LONGEST = 1000  # characters of one record's text
_NARROWEST = 24  # columns for the text, whatever the width
_STYLES = {
    "CallQueued": "call",
    "CallCompleted": "call",
    "TokenSent": "leg",
    "TokenDelivered": "leg",
    "HandshakeBegan": "head",
    "RunEnded": "head",
    "FaultInjected": "warn",
    "FaultMissed": "warn",
    "TokenForwarded": "leg",
    "CallHeld": "warn",
    "CallReleased": "warn",
    "NoteMade": "warn",
    "KeyLogged": "muted",
    "ChoiceMade": "muted",
}


_TICKS = "tick: virtual µs   "
_LEGEND = "of: the record that led to it   cb: in its notify callback   pkg: by the package"


class _Columns(NamedTuple):
    """How wide each column is, for all records alike."""

    number: int
    ticks: int
    actor: int


def timeline_lines(entries: Iterable[Entry], look: Look, *, is_stepped: bool) -> list[Line]:
    """List records: number, virtual ticks, measured milliseconds, the record that led to it, actor, and what it was."""
    listed = list(entries)
    columns = _Columns(
        number=max((len(str(entry.record.sequence)) for entry in listed), default=2),
        ticks=max((len(str(entry.record.ticks)) for entry in listed), default=4),
        actor=max((len(_actor(entry)) for entry in listed), default=5),
    )
    columns = columns._replace(number=max(columns.number, 2), ticks=max(columns.ticks, 4))
    lines = [line(Segment(_head(columns, look, "#", "tick", "ms", "of", "actor") + "what", "head"))]
    for entry in listed:
        lines += _entry_lines(entry, look, columns)
    ticks = _TICKS if is_stepped else ""
    legend = f"{ticks}{_LEGEND}" if look.glyphs.dot == "·" else f"{ticks}{_LEGEND}".replace("µ", "u")
    return [*lines, *folded(Segment("  ", "muted"), legend, width=look.width, indent=2)]


def _head(columns: _Columns, look: Look, *cells: object) -> str:
    number, ticks, clock, cause, actor = cells
    measured = f"{clock:>9}  " if look.timing else ""
    moment = f"  {number:>{columns.number}}  {ticks:>{columns.ticks}}  {measured}"
    return f"{moment}{cause:>{columns.number}}  {actor:<{columns.actor}}  "


def _actor(entry: Entry) -> str:
    """Name an actor shortly; the text names its async context."""
    name, _, rest = entry.record.actor.partition(".")
    short = {"": "", "package": " pkg"}.get(rest, " cb" if rest.endswith(".callback") else f".{rest}")
    return visible(f"{name}{short}")


def _entry_lines(entry: Entry, look: Look, columns: _Columns) -> list[Line]:
    number, ticks, nanoseconds, _, cause, _ = entry.record
    head = _head(columns, look, number, ticks, f"{nanoseconds / 1e6:.3f}", cause or "", _actor(entry))
    mark = f"{look.glyphs.bad} " if entry.is_bad else ""
    style = "bad" if entry.is_bad else _STYLES.get(entry.kind, "")
    room = max(look.width - len(head), _NARROWEST)
    first, *more = wrapped(f"{mark}{visible(entry.text, _LONGEST)}".split(" "), room)
    lines = [line(Segment(head, "muted"), Segment(first, style))]
    lines += [line(" " * len(head), Segment(part, style)) for part in more]
    if entry.findings:
        lines.append(line(" " * len(head), Segment(f"shows {', '.join(entry.findings)}", "warn")))
    return lines
