"""What a verb answers with, and how its errors are said."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from sspicli.debugger.bench import Bench
from sspicli.views.text import Line, Segment, line, visible, width_of


class Reply(NamedTuple):
    """Lines, and whether the session stands at a new stop: `reason` then says why, "" for no stop."""

    lines: tuple[Line, ...] = ()
    reason: str = ""
    is_over: bool = False
    commands: tuple[str, ...] = ()


Do = Callable[[Bench, str], Reply]


def said(*texts: str) -> Reply:
    """Answer with plain sentences."""
    return Reply(tuple(line(visible(text, 4096)) for text in texts))


def lines_of(lines: Sequence[Line]) -> Reply:
    """Answer with lines."""
    return Reply(tuple(lines))


def noted(text: str) -> Line:
    """Write a remark."""
    return line(Segment(visible(text, 4096), "muted"))


_INDENT = "        "


def fitted(one: Line, width: int) -> list[Line]:
    """Fold a line that is too wide at its blanks; a word that is too long is cut."""
    if width_of(one) <= width:
        return [one]
    room = max(width, 2 * len(_INDENT))
    lines: list[list[Segment]] = [[]]
    used = 0
    for segment in one:
        for word in re.findall(r"\s+|\S+", segment.text):
            if used and used + width_of([Segment(word)]) > room:
                lines.append([Segment(_INDENT)])
                used = len(_INDENT)
                word = word.lstrip()
            while used + width_of([Segment(word)]) > room:
                lines[-1].append(Segment(word[: room - used], segment.style))
                word = word[room - used :]
                lines.append([Segment(_INDENT)])
                used = len(_INDENT)
            lines[-1].append(Segment(word, segment.style))
            used += width_of([Segment(word)])
    return [tuple(parts) for parts in lines]
