"""The field tree: every part of a message with its name, its bytes' place, and what they mean.

The rule guarded here: a tree is data and nothing else. A decoder makes it whole, once; whoever shows, searches or
colours bytes only walks it. Spans are offsets into one run of bytes, which the maker of the tree names: the decrypted
message, or the token.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple, cast

Span = tuple[int, int]


class Node(NamedTuple):
    """One field.

    `name` is the specification's own (`cipher_suites`, `notAfter`); an element of a vector is called by its own kind,
    and told from its siblings by its place. `span` is the first byte and the one behind the last. `value` is what the
    bytes say: a number, text or bytes; None when only the children say anything. A field with a value has the value's
    own bytes as its span; a list has its length too, and a compound element of DER its tag and length. `meaning`
    is the value's registered name or a reading of it, "" when there is none. `note` says why reading stopped here, ""
    when all of it was read.
    """

    name: str
    span: Span
    value: int | str | bytes | None = None
    meaning: str = ""
    children: tuple[Node, ...] = ()
    note: str = ""


node_of = cast(
    "Callable[[tuple[str, Span, int | str | bytes | None, str, tuple[Node, ...], str]], Node]",
    partial(tuple.__new__, Node),
)
"""Make a node of its six parts, for half of what the constructor costs: a token has hundreds."""


def walk(node: Node, path: str = "") -> Iterator[tuple[str, Node]]:
    """Give a node and all below it, in order, each with its path: `ClientHello.cipher_suites.cipher_suite[2]`.

    A name that stands more than once among its siblings is numbered from 0.
    """
    here = path or node.name
    yield here, node
    counts = Counter(child.name for child in node.children)
    seen: Counter[str] = Counter()
    for child in node.children:
        step = child.name if counts[child.name] == 1 else f"{child.name}[{seen[child.name]}]"
        seen[child.name] += 1
        yield from walk(child, f"{here}.{step}")
