"""DER, element by element: tags, lengths and places, so that a screen can point at the bytes that decided.

The rule guarded here: nothing in the bytes is believed. Every length is checked against what remains, nesting stops at
16, nothing recurses, and bytes that are no DER end a walk instead of raising. Nothing is decoded: what a value means is
the business of `asn1`.

Source: X.690 (DER).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

MAX_DEPTH = 16
_CONSTRUCTED = 0x20
_MULTIBYTE_TAG = 0x1F


class Element(NamedTuple):
    """One tag-length-value: `start` is the tag's position, the value is `value_start` to `end`, in the bytes read."""

    tag: int
    start: int
    value_start: int
    end: int

    @property
    def is_constructed(self) -> bool:
        """Say whether the value consists of elements."""
        return bool(self.tag & _CONSTRUCTED)


def read_element(data: bytes, offset: int = 0, *, end: int | None = None) -> Element | None:
    """Read the tag and length at `offset`; None when they are not there, not DER, or reach beyond `end`."""
    end = len(data) if end is None else min(end, len(data))
    if offset < 0 or end - offset < 2 or data[offset] & _MULTIBYTE_TAG == _MULTIBYTE_TAG:
        return None
    length, value_start = data[offset + 1], offset + 2
    if length >= 0x80:
        size = length & 0x7F
        if not 1 <= size <= 4 or value_start + size > end:  # 0x80 is BER's indefinite length
            return None
        length = int.from_bytes(data[value_start : value_start + size], "big")
        value_start += size
    if length > end - value_start:
        return None
    return Element(data[offset], offset, value_start, value_start + length)


def children(data: bytes, parent: Element) -> Iterator[Element]:
    """Read the elements of a constructed value in order, up to the first bytes that are none."""
    position = parent.value_start
    while position < parent.end:
        element = read_element(data, position, end=parent.end)
        if element is None:
            return
        yield element
        position = element.end


def walk(data: bytes) -> Iterator[tuple[int, Element]]:
    """Go through all elements with their depth, parents first; what is nested deeper than 16 is not entered."""
    levels = [children(data, Element(_CONSTRUCTED, 0, 0, len(data)))]
    while levels:
        element = next(levels[-1], None)
        if element is None:
            levels.pop()
            continue
        yield len(levels) - 1, element
        if element.is_constructed and len(levels) < MAX_DEPTH:
            levels.append(children(data, element))
