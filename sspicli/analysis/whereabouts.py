"""Where in the peer's messages a field stands: from a path such as `Certificate[0].validity.notAfter` to bytes.

A path is that of the message's field tree, with one shortening: `Certificate[n]` is the nth certificate of a chain, and
its fields need no `tbsCertificate`. The span of an extension of a certificate is that of its value.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from sspicli.analysis.calls import Leg
from sspicli.tokens.tree import Node

_FIELD = re.compile(r"([A-Za-z]+)(?:\[(\d{1,3})\])?\.([A-Za-z_.]+)")


class Whereabouts(NamedTuple):
    """A field's place: the leg, and the bytes `start` to `end` (exclusive) of its message, after decryption."""

    leg: int
    start: int
    end: int
    is_decrypted: bool


def whereabouts(field: str, reader: str, legs: tuple[Leg, ...]) -> Whereabouts | None:
    """Find a field in the first message of its kind that the peer of `reader` sent; None when it is not there."""
    named = _FIELD.fullmatch(field)
    if named is None:
        return None
    from sspicli.tokens.tls_fields import message_tree  # a run that goes well never needs it

    name, number, path = named.groups()
    for leg in legs:
        for message in leg.messages:
            if leg.sender != reader and message.name == name:
                node = _find(message_tree(message), number, path.split("."))
                return None if node is None else Whereabouts(leg.number, *node.span, message.encrypted)
    return None


def _find(tree: Node, number: str | None, steps: list[str]) -> Node | None:
    if number is None:
        return _below(tree, steps)
    chain = _below(tree, ["certificate_list"])
    if chain is None or int(number) >= len(chain.children):
        return None
    entry = chain.children[int(number)]
    certificate = _below(entry, ["cert_data"]) or entry
    found = _below(certificate, ["tbsCertificate", *steps]) or _below(certificate, steps)
    return None if found is None else _below(found, ["extnValue"]) or found


def _below(node: Node, steps: list[str]) -> Node | None:
    """Follow names down a tree, of several children of one name the first."""
    for step in steps:
        below = next((child for child in node.children if child.name == step), None)
        if below is None:
            return None
        node = below
    return node
