"""The presentation language of TLS as data: numbers, opaque bytes, vectors, structures and choices, made into nodes.

The rule guarded here: this is the only place where bounds are checked. A layout reads from `start` and never beyond
`end`, and nothing in the bytes is believed: what is too short becomes a field with a note, what stands before it is
kept, and what follows a vector that merely holds nonsense is read, because the vector says where it ends. The number of
nodes is bounded by what the source has left.

A new message or extension is a row of layouts in a table, not code.

Source: RFC 8446 section 3 (presentation language), RFC 9000 section 16 (variable-length integers).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import NamedTuple, Protocol

from sspicli.tokens.tree import Node, node_of

MAX_NODES = 1 << 14  # of one token's messages; the dearest take 3 us each
_MOST_REMEMBERED = 128  # bytes of a list or an extension that is kept
_MOST_KNOWN = 256  # of which so many


class Source:
    """The bytes being read, how many nodes may still be made, and whether the field just read fell short."""

    __slots__ = ("data", "is_short", "left")

    def __init__(self, data: bytes, left: int = MAX_NODES) -> None:
        self.data = data
        self.left = left
        self.is_short = False

    def cut(self, name: str, start: int, *, end: int, needed: int) -> Node:
        """Give a field that falls short: what there is of it, and a note."""
        self.is_short = True
        note = f"the bytes end at {end}, {needed - (end - start)} of {needed} are missing"
        return Node(name, (start, end), self.data[start:end], note=note)

    def bounds(self, start: int, end: int, length: Layout | int) -> tuple[int, int]:
        """Read a length and say where what it measures begins and should end; with none (0), all that remains.

        Both may lie beyond `end`: the first when the length itself falls short, the second when it says too much.
        """
        if isinstance(length, int):
            first = start + length
            return first, first + int.from_bytes(self.data[start:first], "big") if length else end
        size, first = varint(self.data, start, end=end)
        return first, first + size


class Layout(Protocol):
    """How a field lies in the bytes."""

    def read(self, source: Source, name: str, start: int, end: int) -> Node:
        """Read the field at `start`; its span ends where the next one begins."""


class Number(NamedTuple):
    """An unsigned number of `size` bytes, and who names its values."""

    size: int
    meaning: Callable[[int], str] | None = None

    def read(self, source: Source, name: str, start: int, end: int) -> Node:
        """Read the number."""
        stop = start + self.size
        if stop > end:
            return source.cut(name, start, end=end, needed=self.size)
        value = int.from_bytes(source.data[start:stop], "big")
        return node_of((name, (start, stop), value, self.meaning(value) if self.meaning else "", (), ""))


class Varint(NamedTuple):
    """QUIC's number, whose first two bits say whether it has 1, 2, 4 or 8 bytes."""

    meaning: Callable[[int], str] | None = None

    def read(self, source: Source, name: str, start: int, end: int) -> Node:
        """Read the number."""
        value, stop = varint(source.data, start, end=end)
        if stop > end:
            return source.cut(name, start, end=end, needed=stop - start)
        return Node(name, (start, stop), value, self.meaning(value) if self.meaning else "")


class Opaque(NamedTuple):
    """Bytes of a fixed size, or all that remain; `meaning` reads something in them."""

    size: int | None = None
    meaning: Callable[[bytes], str] | None = None

    def read(self, source: Source, name: str, start: int, end: int) -> Node:
        """Take the bytes."""
        stop = end if self.size is None else start + self.size
        if stop > end:
            return source.cut(name, start, end=end, needed=stop - start)
        value = source.data[start:stop]
        return node_of((name, (start, stop), value, self.meaning(value) if self.meaning else "", (), ""))


class Text(NamedTuple):
    """All bytes that remain, as text; what is no UTF-8 is escaped."""

    def read(self, source: Source, name: str, start: int, end: int) -> Node:
        """Decode the bytes."""
        return Node(name, (start, end), source.data[start:end].decode("utf-8", "backslashreplace"))


class Struct:
    """Fields one after the other; those from `needed` on may be absent at the end of the bytes."""

    __slots__ = ("_needed", "_steps", "fields")

    def __init__(self, fields: tuple[tuple[str, Layout | Choice], ...], needed: int = 99) -> None:
        self.fields = fields
        self._needed = needed
        self._steps = tuple((name, one.read if not isinstance(one, Choice) else None, one) for name, one in fields)

    def read(self, source: Source, name: str, start: int, end: int) -> Node:
        """Read the fields up to the first that falls short."""
        children, stop = self.read_fields(source, start, end)
        return node_of((name, (start, stop), None, "", children, ""))

    def read_fields(self, source: Source, start: int, end: int) -> tuple[tuple[Node, ...], int]:
        """Read the fields alone, and say where the last one ends."""
        children: list[Node] = []
        at = start
        for field, read, layout in self._steps:
            if at >= end and len(children) >= self._needed:
                break
            if read is None:
                assert isinstance(layout, Choice), "whatever is no choice reads by itself"
                read = layout.of(children).read
            child = read(source, field, at, end)
            children.append(child)
            at = child[1][1]
            if source.is_short:
                break
        source.left -= len(children)
        return tuple(children), at


class Choice(NamedTuple):
    """A field whose layout depends on the value of an earlier one, `by` places before it."""

    cases: Mapping[int, Layout]
    otherwise: Layout
    by: int = 1

    def of(self, before: list[Node]) -> Layout:
        """Choose the layout, given the fields before this one."""
        value = before[-self.by].value
        return self.cases.get(value, self.otherwise) if isinstance(value, int) else self.otherwise


class Vector(NamedTuple):
    """A length in `length_size` bytes, then items called `item`; without a length, all that remains."""

    length_size: int
    item: str
    layout: Layout

    def read(self, source: Source, name: str, start: int, end: int) -> Node:
        """Read the items up to the first that falls short."""
        first, stop = source.bounds(start, end, self.length_size)
        if first > end:
            return source.cut(name, start, end=end, needed=self.length_size)
        note, reach = "", min(stop, end)
        if type(self.layout) is Number and reach - first <= min(_MOST_REMEMBERED, source.left):
            children = self._numbers(self.layout, source, first, reach)
        else:
            children = self._items(source, first, reach)
        if source.left <= 0:
            note = "no more fields of this token are shown"
        if stop > end:
            note = _overrun(first, stop, end=end)
        source.is_short = stop > end
        return node_of((name, (start, reach), None, "", children, note))

    def _items(self, source: Source, first: int, stop: int) -> tuple[Node, ...]:
        children: list[Node] = []
        at, layout, item = first, self.layout, self.item
        while at < stop and source.left > 0:
            child = layout.read(source, item, at, stop)
            children.append(child)
            source.left -= 1
            if source.is_short or child[1][1] <= at:
                break
            at = child[1][1]
        return tuple(children)

    def _numbers(self, number: Number, source: Source, first: int, stop: int) -> tuple[Node, ...]:
        """Read whole numbers by one look-up: a peer offers the same lists in every handshake."""
        whole_end = stop - (stop - first) % number.size
        children = _read_numbers(source.data[first:whole_end], first, number, self.item)
        source.left -= len(children)
        return children if whole_end == stop else (*children, number.read(source, self.item, whole_end, stop))


@lru_cache(maxsize=256)
def _read_numbers(data: bytes, first: int, number: Number, item: str) -> tuple[Node, ...]:
    size, meaning = number
    values = [int.from_bytes(data[at : at + size], "big") for at in range(0, len(data), size)]
    return tuple(
        [
            node_of((item, (at, at + size), value, meaning(value) if meaning else "", (), ""))
            for at, value in zip(range(first, first + len(data), size), values, strict=True)
        ]
    )


class Sized(NamedTuple):
    """A length in `length_size` bytes, then one field that takes it all; what it leaves over is said.

    The span is that of the field, without the length: there is one value, not a list of them.
    """

    length_size: int
    layout: Layout

    def read(self, source: Source, name: str, start: int, end: int) -> Node:
        """Read the field within its length."""
        first, stop = source.bounds(start, end, self.length_size)
        if first > end:
            return source.cut(name, start, end=end, needed=self.length_size)
        reach = min(stop, end)
        node = self.layout.read(source, name, first, reach)
        if stop <= end and node[1] == (first, stop) and not source.is_short:
            return node
        node = whole(source, node, reach)
        source.is_short = stop > end
        return node._replace(span=(first, reach), note=_overrun(first, stop, end=end) if stop > end else node.note)


class Tagged:
    """A kind, a length in `length_size` bytes and a body laid out by the kind, as extensions are.

    The node is called by its kind; its first child is the kind's number, the others are the body's fields. Short ones
    are remembered by their bytes and place: a peer says the same in every handshake.
    """

    __slots__ = ("_bodies", "_kind", "_known", "_length", "_name_of", "_number", "_otherwise")

    def __init__(
        self,
        kind: str,
        number: Layout,
        length: Layout | int,
        *,
        name_of: Callable[[int], str],
        bodies: Mapping[int, Struct],
        otherwise: Struct,
    ) -> None:
        self._kind = kind
        self._number = number
        self._length = length
        self._name_of = name_of
        self._bodies = bodies
        self._otherwise = otherwise
        self._known: dict[tuple[bytes, int], tuple[Node, int]] = {}

    def read(self, source: Source, name: str, start: int, end: int) -> Node:
        """Read kind, length and body."""
        key = None
        if self._length == 2 and start + 4 <= end:
            stop = start + 4 + (source.data[start + 2] << 8 | source.data[start + 3])
            if stop <= min(end, start + _MOST_REMEMBERED) and source.left > _MOST_REMEMBERED:
                key = source.data[start:stop], start
                known = self._known.get(key)
                if known is not None:
                    source.left -= known[1]
                    return known[0]
        left = source.left
        node = self._read(source, name, start, end)
        if key is not None:
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            self._known[key] = node, left - source.left
        return node

    def _read(self, source: Source, name: str, start: int, end: int) -> Node:
        kind = self._number.read(source, self._kind, start, end)
        if source.is_short or not isinstance(kind.value, int):
            return Node(name, (start, end), None, "", (kind,))
        number = kind.value
        first, stop = source.bounds(kind.span[1], end, self._length)
        name = self._name_of(number)
        if first > end:
            source.is_short = True
            return Node(name, (start, end), None, "", (kind,), f"the bytes end at {end}, within its length")
        note, reach = "", min(stop, end)
        fields, at = self._bodies.get(number, self._otherwise).read_fields(source, first, reach)
        if at < reach:
            note = _left_over(at, reach)
            fields += (Node("left_over", (at, reach), source.data[at:reach]),)
        if stop > end:
            note = _overrun(first, stop, end=end)
        source.is_short = stop > end
        source.left -= 1
        return node_of((name, (start, reach), None, "", (kind, *fields), note))


def whole(source: Source, node: Node, end: int) -> Node:
    """Note what a field leaves over before `end`, and keep the bytes."""
    at = node.span[1]
    if at >= end or source.is_short:
        return node
    rest = Node("left_over", (at, end), source.data[at:end])
    return node._replace(span=(node.span[0], end), children=(*node.children, rest), note=_left_over(at, end))


def varint(data: bytes, start: int, *, end: int) -> tuple[int, int]:
    """Read QUIC's number; its end is beyond `end` when it falls short."""
    if start >= end:
        return 0, start + 1
    size = 1 << (data[start] >> 6)
    if start + size > end:
        return 0, start + size
    return int.from_bytes(data[start : start + size], "big") & ((1 << (8 * size - 2)) - 1), start + size


def _overrun(first: int, stop: int, *, end: int) -> str:
    return f"its length says {stop - first} bytes, {end - first} remain"


def _left_over(at: int, end: int) -> str:
    return f"{end - at} bytes from {at} on are left over"
