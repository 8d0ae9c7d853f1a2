"""ASN.1 structures as data, read from DER and made into nodes: the counterpart of `grammar` for certificates.

The rule guarded here: `der` checks every length, this file checks every shape. An element of another tag than its
place asks for is shown as what it is, with a note, and its siblings are read; nothing nests deeper than 16, and the
number of nodes is bounded by what the source has left. A primitive's span is its value, a constructed element's has tag
and length.

Source: X.690 (DER), X.680 (types and tags).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import islice
from typing import NamedTuple, Protocol

from sspicli.tokens.der import MAX_DEPTH, Element, children, read_element
from sspicli.tokens.grammar import Source
from sspicli.tokens.tree import Node
from sspicli.tokens.x509_names import OIDS, oid_text

BOOLEAN, INTEGER, BIT_STRING, OCTET_STRING, NULL, OID = 0x01, 0x02, 0x03, 0x04, 0x05, 0x06
UTF8_STRING, IA5_STRING, UTC_TIME, GENERALIZED_TIME = 0x0C, 0x16, 0x17, 0x18
SEQUENCE, SET = 0x30, 0x31
_TEXTS = {0x0C: "utf-8", 0x12: "ascii", 0x13: "ascii", 0x14: "latin-1", 0x16: "ascii", 0x1A: "ascii"}
_WIDE_TEXTS = {0x1C: "utf-32-be", 0x1E: "utf-16-be"}
_UNIVERSAL = {
    0x01: "BOOLEAN",
    0x02: "INTEGER",
    0x03: "BIT STRING",
    0x04: "OCTET STRING",
    0x05: "NULL",
    0x06: "OBJECT IDENTIFIER",
    0x0A: "ENUMERATED",
    0x0C: "UTF8String",
    0x12: "NumericString",
    0x13: "PrintableString",
    0x14: "TeletexString",
    0x16: "IA5String",
    0x17: "UTCTime",
    0x18: "GeneralizedTime",
    0x1A: "VisibleString",
    0x1C: "UniversalString",
    0x1E: "BMPString",
    0x30: "SEQUENCE",
    0x31: "SET",
}
_MOST_NUMBER_BYTES = 8


class Shape(Protocol):
    """What an element is expected to be."""

    def read(self, source: Source, name: str, element: Element) -> Node:
        """Make a node of the element."""


class Field(NamedTuple):
    """One component of a sequence: its tag, 0 for any, and whether it may be absent."""

    name: str
    shape: Shape
    tag: int = 0
    is_optional: bool = False


class Primitive(NamedTuple):
    """An element whose content is a value: how it is decoded, and what it means."""

    decode: Callable[[bytes], int | str | bytes]
    meaning: Callable[[bytes], str] | None = None

    def read(self, source: Source, name: str, element: Element) -> Node:
        """Decode the content."""
        _, _, start, end = element
        source.left -= 1
        content = source.data[start:end]
        return Node(name, (start, end), self.decode(content), self.meaning(content) if self.meaning else "")


class Bits(NamedTuple):
    """A BIT STRING: its bits without the count of unused ones, and what they mean."""

    meaning: Callable[[bytes], str] | None = None

    def read(self, source: Source, name: str, element: Element) -> Node:
        """Take the bits."""
        source.left -= 1
        start, end = min(element.value_start + 1, element.end), element.end
        content = source.data[start:end]
        note = "a BIT STRING begins with the number of its unused bits" if start == element.value_start else ""
        return Node(name, (start, end), content, self.meaning(content) if self.meaning else "", (), note)


class Anything(NamedTuple):
    """An element whose shape is not known: read by the universal types, as deep as they go."""

    depth: int = 0

    def read(self, source: Source, name: str, element: Element) -> Node:
        """Read it by its own tag."""
        tag, start, value_start, end = element
        primitive = _PRIMITIVES.get(tag)
        if primitive is not None:
            return primitive.read(source, name, element)
        source.left -= 1
        if not element.is_constructed:
            return Node(name, (value_start, end), source.data[value_start:end])
        if self.depth >= MAX_DEPTH:
            return Node(name, (start, end), note=f"nested deeper than {MAX_DEPTH}, not entered")
        inner: list[Node] = []
        shape, at = Anything(self.depth + 1), value_start
        for one in children(source.data, element):
            if source.left <= 0:
                return Node(name, (start, end), None, "", tuple(inner), "no more fields of this token are shown")
            inner.append(shape.read(source, _tag_name(one.tag), one))
            at = one.end
        return Node(name, (start, end), None, "", tuple(inner), _unread(at, end))


class Sequence(NamedTuple):
    """Components in order, each known by its tag."""

    fields: tuple[Field, ...]
    summary: Callable[[tuple[Node, ...]], str] | None = None

    def read(self, source: Source, name: str, element: Element) -> Node:
        """Read the components that are there; one of a tag that no place asks for ends the reading."""
        if not element.is_constructed:
            return _misfit(source, name, element)
        source.left -= 1
        found: list[Node] = []
        note, at, data, end = "", element.value_start, source.data, element.end
        one = read_element(data, at, end=end)
        for field, shape, tag, is_optional in self.fields:
            if one is not None and (not tag or one.tag == tag):
                found.append(shape.read(source, field, one))
                at = one.end
                one = read_element(data, at, end=end)
            elif not is_optional:
                note = f"{field} is missing at {at}"
                break
        if at < end:
            found.append(Node("left_over", (at, end), data[at:end]))
            note = note or _unread(at, end)
        children = tuple(found)
        return Node(name, (element.start, end), None, self.summary(children) if self.summary else "", children, note)


class Many(NamedTuple):
    """A SEQUENCE OF or SET OF; of more than `most` elements the rest is counted and left out."""

    item: str
    shape: Shape
    most: int = 4096
    summary: Callable[[tuple[Node, ...]], str] | None = None

    def read(self, source: Source, name: str, element: Element) -> Node:
        """Read the elements."""
        if not element.is_constructed:
            return _misfit(source, name, element)
        source.left -= 1
        found: list[Node] = []
        at, note, rest = element.value_start, "", children(source.data, element)
        for one in islice(rest, self.most):
            if source.left <= 0:
                note = "no more fields of this token are shown"
                break
            found.append(self.shape.read(source, self.item, one))
            at = one.end
        if not note:
            more = 0
            for one in rest:
                more, at = more + 1, one.end
            note = f"{more} more are not shown" if more else _unread(at, element.end)
        inner = tuple(found)
        meaning = self.summary(inner) if self.summary else ""
        return Node(name, (element.start, element.end), None, meaning, inner, note)


class Explicit(NamedTuple):
    """An element in an element: an explicit tag, or DER inside an OCTET STRING."""

    shape: Shape

    def read(self, source: Source, name: str, element: Element) -> Node:
        """Read the inner element under the outer one's name."""
        inner = read_element(source.data, element.value_start, end=element.end)
        if inner is None:
            span = element.value_start, element.end
            return Node(name, span, source.data[slice(*span)], note=why_none(source.data, *span))
        node = self.shape.read(source, name, inner)
        unread = _unread(inner.end, element.end)
        return node._replace(note=node.note or unread) if unread else node


class OneOf(NamedTuple):
    """A CHOICE: the tag decides name and shape."""

    cases: Mapping[int, tuple[str, Shape]]

    def read(self, source: Source, name: str, element: Element) -> Node:
        """Read what was chosen, under its own name."""
        named, shape = self.cases.get(element.tag, (name, ANYTHING))
        return shape.read(source, named, element)


def why_none(data: bytes, start: int, end: int) -> str:
    """Say why no element was read at `start`: one that is cut short is told from what is no DER."""
    bare = f"no DER element stands at {start}"
    head = data[start : min(end, start + 6)]
    if len(head) < 2 or head[0] & 0x1F == 0x1F or head[1] == 0x80:
        return bare
    size = head[1] & 0x7F if head[1] > 0x80 else 0
    if len(head) < 2 + size:
        return bare
    length = int.from_bytes(head[2 : 2 + size], "big") if size else head[1]
    remain = end - start - 2 - size
    return f"its length says {length} bytes, {remain} remain" if length > remain else bare


def integer(content: bytes) -> int | bytes:
    """Decode an INTEGER; one of more than 64 bits stays bytes."""
    return int.from_bytes(content, "big", signed=True) if len(content) <= _MOST_NUMBER_BYTES else content


def flag(content: bytes) -> int | bytes:
    """Decode a BOOLEAN: 255 is TRUE; one that is not a single byte stays bytes."""
    return content[0] if len(content) == 1 else content


def oid(content: bytes) -> str | bytes:
    """Decode an OBJECT IDENTIFIER."""
    return oid_text(content) or content


def oid_meaning(content: bytes) -> str:
    """Name an OBJECT IDENTIFIER."""
    return OIDS.get(content, "")


def raw(content: bytes) -> bytes:
    """Take the content as it is."""
    return content


def text(encoding: str) -> Callable[[bytes], str]:
    """Make a decoder for text; what is none is escaped."""
    return lambda content: content.decode(encoding, "backslashreplace")


def wide_text(encoding: str) -> Callable[[bytes], str]:
    """Make a decoder for text in units of several bytes; what is none is replaced."""
    return lambda content: content.decode(encoding, "replace")


def time_meaning(digits: int) -> Callable[[bytes], str]:
    """Make a reader of UTCTime (a year of 2 digits) or GeneralizedTime (4)."""

    def read(content: bytes) -> str:
        said = content.decode("latin-1")
        if len(said) != digits + 11 or not said[:-1].isdecimal() or said[-1] != "Z":
            return ""
        year, rest = said[:digits], said[digits:]
        if digits == 2:
            year = ("19" if year >= "50" else "20") + year
        return f"{year}-{rest[:2]}-{rest[2:4]} {rest[4:6]}:{rest[6:8]}:{rest[8:10]}Z"

    return read


ANYTHING = Anything()
NUMBER = Primitive(integer)
IDENTIFIER = Primitive(oid, oid_meaning)
OCTETS = Primitive(raw)
FLAG = Primitive(flag, lambda content: {b"\0": "FALSE", b"\xff": "TRUE"}.get(content, ""))
IA5 = Primitive(text("ascii"))
_PRIMITIVES: dict[int, Shape] = {
    BOOLEAN: FLAG,
    INTEGER: NUMBER,
    BIT_STRING: Bits(),
    OID: IDENTIFIER,
    UTC_TIME: Primitive(text("ascii"), time_meaning(2)),
    GENERALIZED_TIME: Primitive(text("ascii"), time_meaning(4)),
    **{tag: Primitive(text(encoding)) for tag, encoding in _TEXTS.items()},
    **{tag: Primitive(wide_text(encoding)) for tag, encoding in _WIDE_TEXTS.items()},
}


def _misfit(source: Source, name: str, element: Element) -> Node:
    """Show an element that should have consisted of others."""
    return ANYTHING.read(source, name, element)._replace(note=f"{_tag_name(element.tag)} is not what belongs here")


def _tag_name(tag: int) -> str:
    return _UNIVERSAL.get(tag) or f"[{tag & 0x1F}]"


def _unread(at: int, end: int) -> str:
    return f"{end - at} bytes from {at} on are left over" if at < end else ""
