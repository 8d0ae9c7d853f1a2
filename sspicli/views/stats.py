"""The numbers of a run: calls by function, how long they were pending, and what each end sent, opened and asked."""

from __future__ import annotations

from sspicli.analysis.stats import EndStats, FunctionStats, Stats
from sspicli.views.ladder import SHORT_FUNCTIONS, counted
from sspicli.views.look import Look
from sspicli.views.text import Line, Segment, folded, line, wrapped

_LABEL = 10
_LONGEST = 37  # columns of a status with its count, so that none is cut


def stats_lines(stats: Stats, look: Look) -> list[Line]:
    """Tabulate the calls by function, then say what each end did besides."""
    times = f"{'pending ms: least':>19}{'median':>9}{'95 %':>9}{'most':>9}" if look.timing else ""
    head = f"  {'function':<10}{'calls':>6}{'inline':>8}{times}  "
    beside = "call statuses" if len(head) + _LONGEST <= look.width else ""
    lines = [line(Segment(head + beside, "head"))]
    for one in stats.functions:
        lines += _function_lines(one, look)
    lines.append(())
    for end in stats.ends:
        lines += _end_lines(end, look)
    lines += folded(Segment(f"  {'run':<{_LABEL}}", "head"), _run_words(stats, look), width=look.width, indent=12)
    return lines


def _function_lines(one: FunctionStats, look: Look) -> list[Line]:
    name = SHORT_FUNCTIONS.get(one.function.documented_name, one.function.documented_name)
    times = ""
    if look.timing:
        found = one.pending
        cells = ["-"] * 4 if found is None else [f"{nanoseconds / 1e6:.3f}" for nanoseconds in found]
        times = f"{cells[0]:>19}" + "".join(f"{cell:>9}" for cell in cells[1:])
    head = f"  {name:<10}{one.queued:>6}{one.inline:>8}{times}  "
    words = [f"{status.name} {look.glyphs.times}{count}" for status, count in sorted(one.statuses.items())]
    words += [f"refused with {status.name} {look.glyphs.times}{count}" for status, count in sorted(one.refused.items())]
    if one.never_completed:
        words.append(f"never completed {look.glyphs.times}{one.never_completed}")
    if len(head) + _LONGEST <= look.width:
        first, *more = wrapped(_separated(words), look.width - len(head))
        return [line(head, first), *(line(" " * len(head), part) for part in more)]
    return [line(head), *(line("      ", part) for part in wrapped(_separated(words), look.width - 6))]


def _separated(words: list[str]) -> list[str]:
    return [f"{word}," for word in words[:-1]] + words[-1:]


def _end_lines(end: EndStats, look: Look) -> list[Line]:
    words = [f"{counted(end.tokens, 'token')} sent, {end.token_bytes} B"]
    if end.data:
        words.append(f"{counted(end.data, 'parcel')} of protected data sent, {end.data_bytes} B")
    words += [f"{name} {look.glyphs.times}{count}" for name, count in sorted(end.messages.items())]
    words.append(counted(end.callbacks, "callback"))
    words.append(f"call status asked {look.glyphs.times}{end.status_queries}, {end.pending_answers} times pending")
    if end.attributes:
        words.append(f"{counted(end.attributes, 'attribute')} queried")
    head = Segment(f"  {end.name:<{_LABEL}}", "head")
    return folded(head, "; ".join(words), width=look.width, indent=_LABEL + 2)


def _run_words(stats: Stats, look: Look) -> str:
    words = [counted(stats.handshakes, "handshake"), counted(stats.records, "record"), f"{stats.ticks} ticks"]
    if stats.choices:
        words.append(f"{counted(stats.choices, 'choice')} made otherwise than by default")
    if look.timing:
        words.append(f"{stats.nanoseconds / 1e6:.1f} ms")
    return "; ".join(words)
