"""Where fields of two trees are the same: tshark's field at a place, and our node whose bytes these are.

tshark gives every length a field of its own, and gives a list or a DER element sometimes with its header and sometimes
without. Our tree has no nodes for lengths: a node with a value has the value's bytes, and one with children has its
header too. So a place is a node's own, or that of a node's content behind its header, or that of a value with its DER
header; and every header must say the length of what follows it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable

from sspicli.tokens.tree import Node, Span, walk

_EXTENSION_HEADER = 4
_LONGEST_LENGTH = 3


def places(root: Node, body: bytes) -> dict[Span, list[Node]]:
    """Find the nodes at every place of a message, as TLS writes lengths."""
    return _by_place(root, lambda node: _contents(node, body))


def der_places(root: Node, body: bytes) -> dict[Span, list[Node]]:
    """Find the nodes at every place of a message, as DER writes lengths."""
    return _by_place(root, lambda node: _der_contents(node, body) | wholes(node, body))


def _by_place(root: Node, more: Callable[[Node], set[Span]]) -> dict[Span, list[Node]]:
    found: dict[Span, list[Node]] = defaultdict(list)
    for _, node in walk(root):
        for span in {node.span} | more(node):
            found[span].append(node)
    return found


def is_length(places_of: dict[Span, list[Node]], span: Span, value: int, body: bytes) -> bool:
    """Say whether a number is the length of what follows it, or of the vector that begins with it."""
    start, end = span
    if (end, end + value) in places_of or (start, end + value) in places_of:
        return True
    first = [
        one for one in places_of if end < one[0] <= end + _LONGEST_LENGTH and holds_one(places_of, (end, one[1]), body)
    ]
    return bool(first) and any(one[1] == end + value for one in places_of)


def holds_one(places_of: dict[Span, list[Node]], span: Span, body: bytes) -> bool:
    """Say whether a place is that of one node with its length in front."""
    start, end = span
    sizes = [size for size in range(1, _LONGEST_LENGTH + 1) if (start + size, end) in places_of]
    return any(_number(body, start, size) == end - start - size for size in sizes)


def _contents(node: Node, body: bytes) -> set[Span]:
    """Give the places of what stands behind a node's header."""
    if not node.children:
        return set()
    start, end = node.span
    starts = {
        start + size for size in range(1, _LONGEST_LENGTH + 1) if _number(body, start, size) == end - start - size
    }
    if node.children[0].name == "extension_type":
        starts.add(start + _EXTENSION_HEADER)
    return {(one, end) for one in starts} | {(node.children[0].span[0], node.children[-1].span[1])}


def _der_contents(node: Node, body: bytes) -> set[Span]:
    """Give the place of what stands behind a DER element's header."""
    start, end = node.span
    header = _der_header(body, start)
    is_element = bool(node.children) and start + header <= end and _der_end(body, start) == end
    return {(start + header, end)} if is_element else set()


def wholes(node: Node, body: bytes) -> set[Span]:
    """Give the places of a value with the DER header in front of it."""
    start, end = node.span
    if node.children:
        return set()
    return {
        (start - size, end)
        for size in range(2, 2 + _LONGEST_LENGTH)
        if start >= size and _der_header(body, start - size) == size and _der_end(body, start - size) == end
    }


def _number(body: bytes, start: int, size: int) -> int:
    return int.from_bytes(body[start : start + size], "big")


def _der_header(body: bytes, start: int) -> int:
    """Give the size of a tag of one byte with its length."""
    first = _number(body, start + 1, 1)
    return 2 if first < 0x80 else 2 + (first & 0x7F)


def _der_end(body: bytes, start: int) -> int:
    header = _der_header(body, start)
    length = _number(body, start + 1, 1) if header == 2 else _number(body, start + 2, header - 2)
    return start + header + length
