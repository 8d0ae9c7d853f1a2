"""A line of a file with carets under a stretch of it, as wide as the screen leaves room for.

The rule guarded here: the carets stand under the cells of that stretch and under no others, whatever the line holds:
tabs, letters of two cells or of none, characters shown as escapes. A line that is too long is cut on both sides, with
a sign that there is more, and its stretch stays in sight.
"""

from __future__ import annotations

from typing import NamedTuple

from sspicli.analysis.cases import Place
from sspicli.views.text import Glyphs, Line, Segment, line, visible, width_of, wrapped

_TAB = "    "
_NEAR = 4_000  # characters of each part that are looked at; more than any screen has cells for
_LONGEST_SAID = 1000
_CONTEXT = 12  # cells of the line kept in sight on either side, where there is room


class _Cut(NamedTuple):
    """The line's three parts, as they are shown."""

    before: str
    marked: str
    after: str


def excerpt_lines(place: Place, said: str, glyphs: Glyphs, *, width: int) -> list[Line]:
    """Show a place's line with carets under it, and what is said about it behind them, or below where it is long."""
    number = str(place.line)
    gutter = Segment(f"{'':<{len(number)}} |", "muted")
    room = max(8, width - len(number) - 3)
    cut = _cut(place, glyphs, room)
    carets = Segment("^" * min(max(1, _cells(cut.marked)), max(1, room - _cells(cut.before))), "bad")
    lead = " " * _cells(cut.before)
    shown = visible(said, _LONGEST_SAID)
    lines = [
        line(gutter),
        line(Segment(f"{number} | ", "muted"), cut.before, cut.marked, cut.after),
    ]
    if not shown or len(lead) + len(carets.text) + 1 + _cells(shown) <= room:
        lines.append(line(gutter, " ", lead, carets, f" {shown}" if shown else ""))
    else:
        lines.append(line(gutter, " ", lead, carets))
        lines += [line(gutter, " ", part) for part in folded_words(shown, room)]
    return [*lines, line(gutter)]


def where_line(place: Place) -> Line:
    """Name the place as editors and terminals make links of."""
    indent = " " * len(str(place.line))
    return line(Segment(f"{indent}--> ", "muted"), f"{visible(place.file, 1000)}:{place.line}:{place.column}")


def folded_words(text: str, width: int) -> list[str]:
    """Wrap words to a width, and break those that are longer than it."""
    pieces: list[str] = []
    for word in text.split():
        rest = word
        while _cells(rest) > width > 0:
            first = first_cells(rest, width) or rest[0]
            pieces.append(first)
            rest = rest[len(first) :]
        pieces += [rest] if rest else []
    if text.isascii():
        return wrapped(pieces, width)
    return _wrapped_by_cells(pieces, width)


def _wrapped_by_cells(words: list[str], width: int) -> list[str]:
    lines: list[str] = []
    for word in words:
        if lines and _cells(lines[-1]) + 1 + _cells(word) <= width:
            lines[-1] += " " + word
        else:
            lines.append(word)
    return lines or [""]


def first_cells(text: str, most: int) -> str:
    """Keep as much of a text's beginning as fits in that many cells."""
    if text.isascii():
        return text[: max(0, most)]
    taken, end = 0, 0
    for end, one in enumerate(text):
        taken += _cells(one)
        if taken > most:
            return text[:end]
    return text


def _cells(text: str) -> int:
    return width_of((Segment(text),))


def _cut(place: Place, glyphs: Glyphs, room: int) -> _Cut:
    """Show the three parts of the line, and cut what is too long, the farthest first."""
    start = min(max(0, place.column - 1), len(place.excerpt))
    end = min(max(start, place.end_column - 1), len(place.excerpt))
    near = (
        place.excerpt[max(0, start - _NEAR) : start],
        place.excerpt[start : min(end, start + _NEAR)],
        place.excerpt[end : end + _NEAR],
    )
    before, marked, after = map(_shown, near)
    most = max(1, room - min(_CONTEXT, _cells(before)) - min(_CONTEXT, _cells(after)))
    if _cells(marked) > most:
        marked = first_cells(marked, most - 1) + glyphs.more
    left = room - _cells(marked)
    keep_after = min(_cells(after), max(_CONTEXT, left - _cells(before)))
    before = _last(before, left - keep_after, glyphs)
    return _Cut(before, marked, _first(after, room - _cells(before) - _cells(marked), glyphs))


def _shown(part: str) -> str:
    return _TAB.join(visible(one, 10 * _NEAR) for one in part.split("\t"))


def _first(text: str, most: int, glyphs: Glyphs) -> str:
    if _cells(text) <= most:
        return text
    return first_cells(text, most - 1) + glyphs.more if most > 0 else ""


def _last(text: str, most: int, glyphs: Glyphs) -> str:
    if _cells(text) <= most:
        return text
    if most <= 0:
        return ""
    kept = first_cells(text[::-1], most - 1)[::-1]
    while kept and not _cells(kept[0]):  # a mark whose letter was cut off
        kept = kept[1:]
    return glyphs.more + kept
