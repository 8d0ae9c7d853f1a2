"""Which lines are remembered: those of this session, and what earlier ones left.

The rule guarded here: no line that speaks of a password or a secret is kept or listed, nor one that could act on a
terminal. One that was typed with a blank in front is not kept for the next session, as shells have it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from sspicli.views.text import Line, Segment, line, visible

_LONGEST = 2_000  # characters of a line
_MOST_EARLIER = 20  # lines of earlier sessions that are listed when nobody says how many
_SECRET = re.compile(r"passw|passphrase|secret", re.IGNORECASE)


def is_kept(text: str) -> bool:
    """Say whether a line goes into the history."""
    is_plain = 0 < len(text) <= _LONGEST and text.isprintable() and not text.startswith(" ")
    return is_plain and not text.startswith("#") and _SECRET.search(text) is None


def history_lines(earlier: Sequence[str], now: Sequence[str], count: int | None) -> list[Line]:
    """List the last `count` lines, those of earlier sessions apart; None for all of this one and some before it."""
    left = _MOST_EARLIER if count is None else max(0, count - len(now))
    before = earlier[len(earlier) - min(left, len(earlier)) :]
    first = 0 if count is None else max(0, len(now) - count)
    lines = [line(f"{at:>4}  {visible(one)}") for at, one in enumerate(now[first:], first + 1)]
    if not before:
        return lines
    head, here = (line(Segment(text, "muted")) for text in ("earlier sessions", "this session"))
    return [head, *(line(f"      {visible(one)}") for one in before), *([here, *lines] if lines else [])]
