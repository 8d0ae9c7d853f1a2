"""What a verb answers with, and how its errors are said."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from sspicli.debugger.bench import Bench
from sspicli.views.text import Line, Segment, line, visible


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
