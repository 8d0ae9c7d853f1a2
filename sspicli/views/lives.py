"""The handles of a run: where each came from, which calls used it, where it ended, and what was left over."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby

from sspicli.analysis.lives import KIND_NAMES, Life
from sspicli.sspi.handles import HandleKind
from sspicli.views.ladder import SHORT_FUNCTIONS
from sspicli.views.look import Look
from sspicli.views.text import Line, Segment, line, wrapped

_NARROWEST = 24  # columns for the words, whatever the width


def handle_lines(lives: Sequence[Life], look: Look) -> list[Line]:
    """List all handles by kind, each with its life in words; numbers are those of records."""
    lines: list[Line] = []
    width = max((len(str(life.handle)) for life in lives), default=0)
    for kind in HandleKind:
        of_kind = [life for life in lives if life.handle.kind == kind]
        if of_kind:
            plural = f"{KIND_NAMES[kind]}s"
            lines += [*([()] if lines else []), line(Segment(f"  {plural}", "head"))]
            lines += [part for life in of_kind for part in _life_lines(life, look, width)]
    return lines


def _life_lines(life: Life, look: Look, width: int) -> list[Line]:
    head = f"    {life.handle!s:<{width}}  "
    room = max(look.width - len(head), _NARROWEST)
    words = [part for part in (_call_words(life) if life.function else _object_words(life)) if part]
    first, *more = wrapped("; ".join(words).split(" "), room)
    lines = [line(Segment(head, "call"), first), *(line(" " * len(head), part) for part in more)]
    if life.finding:
        mark = Segment(f"{look.glyphs.bad} left over: {life.finding}", "bad")
        lines.append(line(" " * len(head), mark))
    return lines


def _object_words(life: Life) -> list[str]:
    made = "created" if life.handle.kind == HandleKind.ASYNC_CONTEXT else "made"
    generations = f"{life.generation} generations" if life.generation > 1 else ""
    used = f"used by {_numbers(life.users)}" if life.users else "used by no call"
    ended = f"ended #{life.ended} by {life.ender}" if life.ended else "never ended"
    return [f"{made} #{life.born} by {life.maker}", used, generations, ended]


def _call_words(life: Life) -> list[str]:
    assert life.function is not None, "only a call has a function"
    name = SHORT_FUNCTIONS[life.function.documented_name]
    owner = f"{name} on {life.async_context}"
    generation = f"generation {life.generation}" if life.generation else ""
    done = f"completed #{life.completed}" if life.completed else "never completed"
    status = life.status.name if life.status is not None else ""
    notified = f"notified #{life.notified}" if life.notified else "no callback"
    return [owner, generation, f"queued #{life.born}", f"{done} {status}".rstrip(), notified]


def _numbers(handles: Iterable[object]) -> str:
    """Name calls shortly, runs of numbers as one: `client.call1-3, 5`."""
    parsed = [(name, int(number)) for name, _, number in (str(one).rpartition("call") for one in handles)]
    parts: list[str] = []
    for name, group in groupby(parsed, key=lambda one: one[0]):
        parts.append(f"{name}call{_runs([number for _, number in group])}")
    return ", ".join(parts)


def _runs(numbers: list[int]) -> str:
    """Write numbers in order, those that follow each other as `first-last`."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)
