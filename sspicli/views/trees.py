"""A field tree on the screen: spans at the left, then guides, names, values and what they mean.

The rule guarded here: a span always stands in the first column, first byte and last byte, so that it can be compared
down the page and found in a hex dump. Nothing is left out silently: a vector in one line says how many it holds, what
is below the depth asked for is counted, and why reading stopped stands where it stopped. Values are data and pass
`visible`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from sspicli.tokens.tree import Node, walk
from sspicli.views.text import Glyphs, Line, Segment, visible, width_of, wrapped

EVERYTHING = 1 << 16
_SHORTEST_VECTOR = 2  # elements from which on a vector of plain values is one line
_BYTES_SHOWN = 16
_LONGEST_TEXT = 256
_LEAST_ROOM = 16
_MOST_NOTES = 8
_VECTOR_LINES = 4
_MOST_ITEMS = 64


class _Look(NamedTuple):
    """How a tree is shown; `last` is the highest offset in it."""

    glyphs: Glyphs
    width: int
    depth: int
    is_folded: bool
    last: int


def tree_lines(node: Node, glyphs: Glyphs, *, width: int, depth: int = EVERYTHING, folded: bool = False) -> list[Line]:
    """Show a tree down to `depth` below its root; `folded` puts vectors of plain values on one line each."""
    return list(_lines(node, _Look(glyphs, width, depth, folded, _last(node)), guides="", branch="", level=0))


def span_text(span: tuple[int, int], last: int) -> str:
    """Write a span, `0x0f3-0x0ff`, first and last byte, as wide as `last` needs; an empty one as `0x0f3 empty`."""
    digits = max(3, len(f"{max(last, 0):x}"))
    start = f"0x{span[0]:0{digits}x}"
    return f"{start}-0x{span[1] - 1:0{digits}x}" if span[1] > span[0] else f"{start} empty".ljust(2 * digits + 5)


def value_text(node: Node, room: int = 80) -> str:
    """Write a field's value on one line: numbers that have a meaning in hex, others as they are counted."""
    value = node.value
    if value is None:
        return ""
    if isinstance(value, bytes):
        return bytes_text(value, room)
    if isinstance(value, str):
        return f'"{visible(value, max(room, _LONGEST_TEXT))}"'
    if node.meaning:
        return f"0x{value:0{2 * min(max(node.span[1] - node.span[0], 1), 8)}x}"
    return str(value) if abs(value) < 1 << 64 else f"0x{value:x}"


def bytes_text(data: bytes, room: int = 80) -> str:
    """Write bytes in hex, as many as there is room for, with their count when some are left out."""
    if not data:
        return "empty"
    if 2 * len(data) <= (room if room > _LONGEST_TEXT else min(room, 2 * _BYTES_SHOWN)):
        return data.hex()
    return f"{data[: max(4, min(_BYTES_SHOWN, room // 2 - 8))].hex()}… {len(data)} B"


def _last(node: Node) -> int:
    """Find the highest offset in a tree."""
    return max([node.span[1] - 1, *(_last(child) for child in node.children)])


def _lines(node: Node, look: _Look, *, guides: str, branch: str, level: int) -> Iterator[Line]:
    """Show a node and all below it; folded, a line of only children is one line with their path."""
    node, name = _folded(node, (look.width - len(guides)) // 2 - 8) if look.is_folded and branch else (node, node.name)
    if look.is_folded:
        node = node._replace(children=() if _is_told(node) else _telling(node))
    span = span_text(node.span, look.last)
    head = (Segment(f"{span}  {guides}{branch}", "muted"), Segment(visible(name), "call" if node.children else ""))
    room = max(look.width - width_of(head) - 2, _LEAST_ROOM)
    is_vector = look.is_folded and _is_vector(node)
    is_whole = is_vector or level < look.depth or not node.children
    deeper = guides + _under(branch, look.glyphs)
    below = f"{'':{len(span)}}  {deeper}"
    if is_vector:
        yield from _vector(node, head, look, below)
    else:
        yield (*head, *(_said(node, room) if is_whole else _hidden(node)))
    yield from _notes(node, look, below, with_all=not is_whole)
    if is_whole and not is_vector:
        for index, child in enumerate(node.children):
            turn = look.glyphs.corner if index == len(node.children) - 1 else look.glyphs.stem_left
            twig = f"{turn}{look.glyphs.dash} "
            yield from _lines(child, look, guides=deeper, branch=twig, level=level + 1)


def _notes(node: Node, look: _Look, guides: str, *, with_all: bool) -> Iterator[Line]:
    """Say why reading stopped here, and, when what is below is not shown, there."""
    notes = [one.note for _, one in walk(node) if one.note] if with_all else [node.note] if node.note else []
    for note in notes[:_MOST_NOTES]:
        for text in wrapped(f"stopped: {visible(note)}".split(" "), max(look.width - len(guides), _LEAST_ROOM)):
            yield (Segment(guides, "muted"), Segment(text, "warn"))


def _folded(node: Node, room: int) -> tuple[Node, str]:
    """Go down while there is one child to look at and room for its name; give where that ends, and the path."""
    name = node.name
    while node.value is None and not node.meaning and not node.note and len(below := _telling(node)) == 1:
        if len(name) + len(below[0].name) >= room:
            break
        node = below[0]
        name += f".{node.name}"
    return node, name


def _is_told(node: Node) -> bool:
    """Say whether a meaning stands for all that is below, and nothing below stopped early."""
    return bool(node.meaning) and not any(one.note for _, one in walk(node))


def _telling(node: Node) -> tuple[Node, ...]:
    """Leave out the children that say what the name of their parent says, and plain lengths."""
    return tuple(
        child
        for child in node.children
        if child.children or child.note or (child.meaning != node.name and child.name != "length")
    )


def _under(branch: str, glyphs: Glyphs) -> str:
    """Give what stands below a branch: the guide goes on, unless this was the last one."""
    if not branch:
        return ""
    return "   " if branch.startswith(glyphs.corner) else f"{glyphs.pipe}  "


def _is_vector(node: Node) -> bool:
    """Say whether all elements are alike and plain, none with a note."""
    names = {child.name for child in node.children}
    return (
        len(node.children) >= _SHORTEST_VECTOR
        and len(names) == 1
        and not any(child.children or child.note for child in node.children)
    )


def _said(node: Node, room: int) -> Line:
    """Write value and meaning, cut to the room there is."""
    value = value_text(node, room)
    parts = [Segment(f"  {_cut(value, room)}")] if value else []
    left = room - width_of(parts)
    if node.meaning and left > _LEAST_ROOM // 2:
        parts.append(Segment(f"  {_cut(visible(node.meaning), left)}", "leg"))
    return tuple(parts)


def _hidden(node: Node) -> Line:
    count = sum(1 for _ in walk(node)) - 1
    return (Segment(f"  … {count} {'field' if count == 1 else 'fields'} below", "muted"),)


def _cut(text: str, room: int) -> str:
    return text if len(text) <= room else f"{text[: max(room - 1, 1)]}…"


def _vector(node: Node, head: Line, look: _Look, below: str) -> Iterator[Line]:
    """Write a vector of plain values: how many, and behind or below it as many as a few lines have room for."""
    count, children = f"  {len(node.children)}: ", node.children
    room = max(look.width - len(below) - 2, _LEAST_ROOM)
    texts = [_cut(visible(one.meaning) if one.meaning else value_text(one, 24), room) for one in children[:_MOST_ITEMS]]
    line = ", ".join(texts)
    if len(texts) == len(children) and width_of(head) + len(count) + len(line) <= look.width:
        yield (*head, Segment(count), Segment(line, "leg"))
        return
    lines = wrapped([f"{text}," for text in texts[:-1]] + texts[-1:], room)
    if len(lines) > _VECTOR_LINES or len(texts) < len(children):
        lines[_VECTOR_LINES - 1 :] = [_cut(f"{lines[_VECTOR_LINES - 1]} …", room)]
    yield (*head, Segment(count))
    for text in lines:
        yield (Segment(f"{below}  ", "muted"), Segment(text, "leg"))
