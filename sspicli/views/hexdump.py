"""A hex dump that shows which field each byte belongs to.

The rule guarded here: colour never carries meaning alone. A field begins at a bar, with colour and without, and its
name stands at the end of the row in which it begins, in the style of its bytes; so the names are the legend. What a row
shows as text is printable ASCII and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import NamedTuple

from sspicli.tokens.tree import Node
from sspicli.views.text import Glyphs, Line, Segment, line, visible, width_of

FIELD_STYLES = ("field0", "field1", "field2", "field3", "field4")
_NAMES_ROOM = 24  # cells that names need to be of use; without them a row is halved
_FOLDED_FROM = 6  # rows of one field, from which on only the first is shown
_LONGEST_NAME = 40


class Piece(NamedTuple):
    """A run of bytes that belong to one field and to none of its parts.

    `number` counts names, for their style; `field` tells fields of one name from one another.
    """

    start: int
    end: int
    name: str
    number: int
    field: int


class _Layout(NamedTuple):
    per_row: int
    digits: int
    room: int
    glyphs: Glyphs


def hex_lines(
    data: bytes, tree: Node | None, glyphs: Glyphs, *, width: int, folded: bool = False, indent: str = ""
) -> list[Line]:
    """Dump bytes with the fields of a tree whose spans are offsets in them; `folded` leaves out rows inside a field."""
    pieces = [] if tree is None else list(field_pieces(tree, len(data)))
    layout = _layout(len(data), width - len(indent), glyphs, has_names=bool(pieces))
    lines: list[Line] = []
    for offset, skipped in _rows(len(data), pieces, layout.per_row, folded=folded):
        if skipped:
            name = _at(pieces, offset).name
            text = f"{'':{layout.digits}}  … {skipped} B more of {visible(name, _LONGEST_NAME)}"
            lines.append(line(indent, Segment(text, "muted")))
        else:
            shown = _row(data[offset : offset + layout.per_row], offset, pieces, layout)
            lines += [(Segment(indent), *one) for one in shown]
    return lines


def field_pieces(tree: Node, size: int) -> Iterator[Piece]:
    """Divide bytes among the innermost fields; neighbours of one name count as one field for their style."""
    runs = groupby(_innermost(tree, 0, size), key=lambda run: run[2].name)
    for number, (name, parts) in enumerate(runs):
        for start, end, node in parts:
            yield Piece(start, end, name, number, id(node))


def _innermost(node: Node, low: int, high: int) -> Iterator[tuple[int, int, Node]]:
    """Give a node's bytes in order, each run to the deepest field that holds it; a span outside is cut.

    What stands between two fields, such as the second one's length, counts as the second's when it has a value; what
    stands before the first is its parent's.
    """
    position, end = max(node.span[0], low), min(node.span[1], high)
    for index, child in enumerate(node.children):
        start, stop = max(child.span[0], position), min(child.span[1], end)
        if start >= stop:
            continue
        if position < start:
            yield position, start, child if index and child.value is not None and not child.children else node
        yield from _innermost(child, start, stop)
        position = stop
    if position < end:
        yield position, end, node


def _layout(size: int, width: int, glyphs: Glyphs, *, has_names: bool) -> _Layout:
    digits = max(4, len(f"{max(size - 1, 0):x}"))
    for per_row in (16, 8):
        room = width - digits - 2 - 3 * per_row - 2 - per_row - 2
        if room >= (_NAMES_ROOM if has_names else -2):
            break
    return _Layout(per_row, digits, max(room, 12), glyphs)


def _rows(size: int, pieces: list[Piece], per_row: int, *, folded: bool) -> Iterator[tuple[int, int]]:
    """Give the offset of each row, and how many bytes are left out there, 0 for a row that is shown."""
    starts = {piece.start // per_row for piece in pieces} if folded else set()
    count = -(-size // per_row)
    row = 0
    while row < count:
        yield row * per_row, 0
        row += 1
        if not folded or row in starts:
            continue
        following = _next_start(row, count, starts)
        if following - row >= _FOLDED_FROM and pieces:
            yield row * per_row, min(following * per_row, size) - row * per_row
            row = following


def _next_start(row: int, count: int, starts: set[int]) -> int:
    while row < count and row not in starts:
        row += 1
    return row


def _row(part: bytes, offset: int, pieces: list[Piece], layout: _Layout) -> Iterator[Line]:
    """Show one row, and below it the names there was no room for."""
    runs = list(_runs(pieces, offset, offset + len(part)))
    cells: list[Segment] = [Segment(f"{offset:0{layout.digits}x} ", "muted")]
    text: list[Segment] = []
    for start, end, piece in runs:
        held = part[start - offset : end - offset]
        style = "" if piece is None else FIELD_STYLES[piece.number % len(FIELD_STYLES)]
        begins = piece is not None and piece.start == start
        cells += (Segment(layout.glyphs.pipe if begins else " ", "muted"), Segment(held.hex(" "), style))
        text.append(Segment("".join(chr(one) if 0x20 <= one < 0x7F else "." for one in held), style))
    beginning = [piece for start, _, piece in runs if piece is not None and piece.start == start]
    first, *more = _names(beginning, layout)
    missing = layout.per_row - len(part)
    gap = Segment(" " * (missing + 2 if first else 0))
    head = (*cells, Segment(" " * (3 * missing + 2)), *text)
    yield (*head, gap, *first)
    for names in more:
        yield (Segment(" " * (width_of(head) + missing + 2)), *names)


def _runs(pieces: list[Piece], start: int, end: int) -> Iterator[tuple[int, int, Piece | None]]:
    """Divide a row among the fields that hold its bytes, None for bytes of none."""
    for index in range(_index(pieces, start), len(pieces)):
        piece = pieces[index]
        if piece.start >= end:
            break
        if start < piece.start:
            yield start, piece.start, None
        yield max(piece.start, start), min(piece.end, end), piece
        start = min(piece.end, end)
    if start < end:
        yield start, end, None


def _index(pieces: list[Piece], offset: int) -> int:
    """Find the first piece that ends behind an offset."""
    low, high = 0, len(pieces)
    while low < high:
        middle = (low + high) // 2
        if pieces[middle].end <= offset:
            low = middle + 1
        else:
            high = middle
    return low


def _at(pieces: list[Piece], offset: int) -> Piece:
    return pieces[_index(pieces, offset)]


def _names(beginning: list[Piece], layout: _Layout) -> list[tuple[Segment, ...]]:
    """Lay out the names of the fields that begin in a row, those of one name together, in as many lines as needed."""
    lines: list[tuple[Segment, ...]] = [()]
    for number, group in groupby(beginning, key=lambda piece: piece.number):
        members = list(group)
        fields = len({piece.field for piece in members})
        count = f" {layout.glyphs.times}{fields}" if fields > 1 else ""
        text = visible(members[0].name, _LONGEST_NAME)
        room = layout.room - len(count)
        shown = text if len(text) <= room else f"{text[: room - 2]}.."
        name = Segment(shown + count, FIELD_STYLES[number % len(FIELD_STYLES)])
        if lines[-1] and width_of(lines[-1]) + 2 + len(name.text) > layout.room:
            lines.append((name,))
        else:
            lines[-1] = (*lines[-1], Segment("  "), name) if lines[-1] else (name,)
    return lines
