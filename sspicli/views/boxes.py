"""Boxes of text that fit: panels above and beside each other, with titles in their lines.

The rule guarded here: every cell is counted. What would take none or two of them is shown as an escape, what is too
long ends in a sign that there is more, and a box is as wide as it was asked to be.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sspicli.views.text import ASCII, UNICODE, Glyphs, Line, Segment, visible, width_of

_NOT_ASCII = re.compile(r"[^ -~]")
_UNUSUAL = re.compile(f"[^ -~{re.escape(''.join(UNICODE))}]")


class Box(NamedTuple):
    """How wide a box is, and what it is drawn with."""

    width: int
    glyphs: Glyphs


class Panel(NamedTuple):
    """A part of a box: its title, and its rows."""

    title: Line
    rows: Sequence[Line]


class Band(NamedTuple):
    """Panels of one height; two of them stand left and right of a bar in column `bar`, or share one column for 0."""

    panels: tuple[Panel, ...]
    height: int
    bar: int = 0


def bands_of(bands: Sequence[Band], box: Box) -> list[Line]:
    """Draw bands below each other, each under a line with its titles."""
    lines: list[Line] = []
    before = 0
    for band in bands:
        lines.append(_rule(band, box, before=before))
        lines += _rows(band, box)
        before = band.bar
    return lines


def edge(sides: tuple[Line, Line], box: Box, *, top: bool) -> Line:
    """Draw the top or the bottom, with words on its left and on its right; the left ones give way."""
    glyphs = box.glyphs
    upper_left, upper_right, lower_left, lower_right = list(glyphs.corners)
    begin, end = (upper_left, upper_right) if top else (lower_left, lower_right)
    right = _around(fit(sides[1], max(0, box.width - 6), glyphs, pad=False))
    inner = box.width - 3 - width_of(right)  # two corners, and a dash before the second
    left = _around(fit(sides[0], inner - 3, glyphs, pad=False) if inner > 10 else ())
    dashes = glyphs.dash * max(1, inner - width_of(left))
    return (
        Segment(begin, "muted"),
        *left,
        Segment(dashes, "muted"),
        *right,
        Segment(f"{glyphs.dash}{end}", "muted"),
    )


def _around(words: Line) -> Line:
    """Put blanks around words, if there are any."""
    return (Segment(" "), *words, Segment(" ")) if words else ()


def _rule(band: Band, box: Box, *, before: int) -> Line:
    """Draw the line above a band, with its titles, and where bars end (that of the band `before`) and begin."""
    glyphs = box.glyphs
    cells = [Segment(glyphs.dash, "muted")] * max(0, box.width - 2)
    for at, mark in ((before, glyphs.tees[1]), (band.bar, glyphs.tees[0])):
        if 0 < at <= len(cells):
            cells[at - 1] = Segment(mark, "muted")
    shown = band.panels if band.bar else band.panels[:1]
    ends = (band.bar - 1, len(cells)) if band.bar else (len(cells),)
    for panel, begin, end in zip(shown, (0, band.bar), ends, strict=False):
        room = end - begin - 3
        if room > 2:
            words = [
                Segment(one, part.style) for part in fit(panel.title, room, glyphs, pad=False) for one in part.text
            ]
            cells[begin : begin + len(words) + 2] = [Segment(" "), *words, Segment(" ")]
    return (Segment(glyphs.stem_left, "muted"), *_joined(cells), Segment(glyphs.stem_right, "muted"))


def _joined(cells: Iterable[Segment]) -> Line:
    """Join neighbours of one style."""
    out: list[Segment] = []
    for cell in cells:
        if out and out[-1].style == cell.style:
            out[-1] = Segment(out[-1].text + cell.text, cell.style)
        else:
            out.append(cell)
    return tuple(out)


def _rows(band: Band, box: Box) -> list[Line]:
    """Draw panels side by side, or the rows of one after the other's where they have one column."""
    if not band.bar:
        lines = [row for panel in band.panels for row in panel.rows]
        return [boxed(lines[at] if at < len(lines) else (), box) for at in range(band.height)]
    bar = Segment(f" {box.glyphs.pipe} ", "muted")
    out = []
    for at in range(band.height):
        left, right = (panel.rows[at] if at < len(panel.rows) else () for panel in band.panels)
        out.append(boxed((*fit(left, band.bar - 3, box.glyphs), bar, *right), box))
    return out


def boxed(one: Line, box: Box) -> Line:
    """Put bars around a line, as wide as the screen."""
    glyphs = box.glyphs
    inside = fit(one, max(0, box.width - 4), glyphs)
    return (Segment(f"{glyphs.pipe} ", "muted"), *inside, Segment(f" {glyphs.pipe}", "muted"))


def fit(one: Line, width: int, glyphs: Glyphs, *, pad: bool = True) -> Line:
    """Make a line that wide: cut with a sign that there is more, or filled with blanks."""
    parts = _safe(one, glyphs)
    size = width_of(parts)
    if size <= width:
        return (*parts, Segment(" " * (width - size))) if pad and size < width else parts
    out: list[Segment] = []
    left = width - 1
    for part in parts:
        if left <= 0:
            break
        out.append(Segment(part.text[:left], part.style))
        left -= len(part.text)
    return (*out, Segment(glyphs.more)) if width > 0 else ()


def _safe(one: Line, glyphs: Glyphs) -> Line:
    """Show as an escape what would not take exactly one cell, and in ASCII what that has not."""
    odd = _NOT_ASCII if glyphs is ASCII else _UNUSUAL
    if not any(odd.search(part.text) for part in one):
        return one
    return tuple(Segment(odd.sub(lambda found: _cell(found[0], glyphs), part.text), part.style) for part in one)


def _cell(char: str, glyphs: Glyphs) -> str:
    if glyphs is ASCII and char == UNICODE.more:
        return glyphs.more
    is_one = unicodedata.east_asian_width(char) not in "WF" and unicodedata.category(char)[0] != "M"
    if glyphs is ASCII or not is_one:
        return visible(char.encode("ascii", "backslashreplace").decode("ascii"))
    return visible(char)
