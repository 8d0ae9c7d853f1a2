"""DER with byte spans: where in a certificate a field stands, so that a screen can point at the bytes that decided.

The rule guarded here: nothing in the bytes is believed. Every length is checked against what remains, nesting stops at
16, nothing recurses, and bytes that are no DER end a walk instead of raising. Nothing is decoded: these are spans, and
what a value means is its reader's business.

Source: X.690 (DER), RFC 5280 section 4.1 (Certificate).
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

MAX_DEPTH = 16
MAX_EXTENSIONS = 256
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


def certificate_field_span(der: bytes, path: str) -> tuple[int, int] | None:
    """Find a certificate's field, such as `validity.notAfter` or `extensions.subjectAltName`; None when it lacks it.

    The span of a primitive field is its value's bytes; that of a constructed one is the whole element, so that it can
    be parsed again. An extension's is what its extnValue holds. `signature` is the signature's bits (the field of that
    name inside the signed part, an algorithm, is `tbsCertificate.signature`).
    """
    field = certificate_fields(der).get(path)
    if field is None:
        return None
    return (field.start if field.is_constructed else field.value_start, field.end)


def certificate_fields(der: bytes) -> dict[str, Element]:
    """Find every field that has a path, as far as the bytes are a certificate."""
    outer = list(islice(_inside(der, read_element(der)), 3))
    fields = dict(zip(("tbsCertificate", "signatureAlgorithm", "signature"), outer, strict=False))
    fields.update(_signed_fields(der, fields.get("tbsCertificate")))
    fields.update(_children_named(der, fields.get("validity"), names=("validity.notBefore", "validity.notAfter")))
    fields.update(_extensions(der, fields.get("extensions")))
    return fields


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


def _inside(data: bytes, parent: Element | None) -> Iterator[Element]:
    return iter(()) if parent is None or not parent.is_constructed else children(data, parent)


def _children_named(data: bytes, parent: Element | None, *, names: tuple[str, ...]) -> dict[str, Element]:
    return dict(zip(names, _inside(data, parent), strict=False))


def _signed_fields(data: bytes, signed: Element | None) -> dict[str, Element]:
    elements = list(islice(_inside(data, signed), len(_SIGNED_FIELDS) + 4))
    fields = {"version": elements.pop(0)} if elements and elements[0].tag == 0xA0 else {}
    fields.update(zip(_SIGNED_FIELDS, elements, strict=False))
    for element in elements[len(_SIGNED_FIELDS) :]:
        if element.tag == 0xA3:
            fields.update(_children_named(data, element, names=("extensions",)))
    return fields


def _extensions(data: bytes, extensions: Element | None) -> dict[str, Element]:
    """Name the known extensions; of one that stands twice, the first."""
    found: dict[str, Element] = {}
    for extension in islice(_inside(data, extensions), MAX_EXTENSIONS):
        parts = list(islice(_inside(data, extension), 3))
        if not parts or parts[-1].tag != 0x04:
            continue
        name = _EXTENSIONS.get(data[parts[0].value_start : parts[0].end])
        if name is not None:
            value = parts[-1]
            found.setdefault(f"extensions.{name}", read_element(data, value.value_start, end=value.end) or value)
    return found


_SIGNED_FIELDS = (
    "serialNumber",
    "tbsCertificate.signature",
    "issuer",
    "validity",
    "subject",
    "subjectPublicKeyInfo",
)

_EXTENSIONS = {
    b"\x55\x1d\x0e": "subjectKeyIdentifier",
    b"\x55\x1d\x0f": "keyUsage",
    b"\x55\x1d\x11": "subjectAltName",
    b"\x55\x1d\x13": "basicConstraints",
    b"\x55\x1d\x1e": "nameConstraints",
    b"\x55\x1d\x1f": "cRLDistributionPoints",
    b"\x55\x1d\x20": "certificatePolicies",
    b"\x55\x1d\x23": "authorityKeyIdentifier",
    b"\x55\x1d\x25": "extendedKeyUsage",
    b"\x2b\x06\x01\x05\x05\x07\x01\x01": "authorityInfoAccess",
}
