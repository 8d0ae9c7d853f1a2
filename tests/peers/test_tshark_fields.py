"""tshark as the judge of our field trees: every extension and every field of every handshake message.

Each field that tshark shows must be a node of ours: at the same place, under the name that the specification gives it,
saying the same. Each node of ours must be a field of tshark's, but for those that stand in a table with the reason.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime

import pytest

from sspicli.tokens.tls import TlsMessage
from sspicli.tokens.tls_fields import message_tree
from sspicli.tokens.tree import Node, Span, walk
from tests.peers import tshark
from tests.peers.captures import Captures, read
from tests.peers.field_names import (
    BY_CONTENT,
    DER,
    GROUPS,
    LENGTH,
    NAMES,
    NOT_OURS,
    NOT_THEIRS,
    SYNONYMS,
    UNKNOWN_TO_TSHARK,
)
from tests.peers.fields import der_places, holds_one, is_length, places, wholes
from tests.peers.kinds import FOREIGN, KINDS
from tests.peers.tshark import Field, plain

pytestmark = pytest.mark.peer

EVERY = [*KINDS, *FOREIGN]
Pair = tuple[TlsMessage, Field]


# -- one field ---------------------------------------------------------------------------------------------------------
class Comparison:
    """The comparison of one message: what is wrong, which entries of the tables it needed, how many fields it had."""

    def __init__(self, message: TlsMessage, theirs: Field) -> None:
        self.wrong: list[str] = []
        self.used: set[str | tuple[str, str]] = set()
        self.fields = 0
        self._root = message_tree(message)
        self._body = message.body
        self._places = places(self._root, message.body)
        self._der_places = der_places(self._root, message.body)
        self._noted = [one for _, one in walk(self._root) if one.note]
        self._theirs: set[Span] = set()
        for field in tshark.walk(theirs):
            if field.start < field.end or field.data:
                self._theirs.add((field.start, field.end))
                self._judge(field)
                self.fields += 1

    def only_ours(self) -> Iterator[str]:
        """Give the paths of nodes with a value of which tshark shows nothing."""
        for path, node in walk(self._root):
            has_bytes = not node.children and node.span[0] < node.span[1]
            if has_bytes and not self._theirs & {node.span, *wholes(node, self._body)}:
                yield re.sub(r"\[\d+\]", "", path)

    def _judge(self, field: Field) -> None:
        """Look for the node that a field is, by place, name and value."""
        is_tls = field.name.startswith("tls.") and field.name not in DER
        span = (field.start, field.end)
        nodes = [] if is_tls else self._der_places.get(span, [])
        if is_tls or not field.name:  # a group without a name may be either's
            nodes = nodes + self._places.get(span, [])
        if not nodes and self._is_left_out(field):
            self.used.add("left out")
        elif field.name in NOT_OURS or (not field.name and field.label in GROUPS):
            self.used.add(field.name or field.label)
        elif not field.name:
            is_one = bool(nodes) or holds_one(self._places, span, self._body)
            self._expect(field, is_one, "no node of ours has its place")
        elif LENGTH.search(field.name) and field.name not in NAMES:
            self._expect(field, is_length(self._places, span, int(field.show), self._body), "no length of ours")
        elif field.name in BY_CONTENT:
            self.used.add(field.name)
            self._expect(field, bool(nodes), "no node of ours has its place")
        else:
            self._judge_named(field, [one for one in nodes if one.name in NAMES.get(field.name, "").split("|")])

    def _is_left_out(self, field: Field) -> bool:
        """Say whether our tree says itself that there is more, and this is some of it."""
        return any(
            node.note.endswith("more are not shown")
            and node.children[-1].span[1] <= field.start <= field.end <= node.span[1]
            for node in self._noted
        )

    def _judge_named(self, field: Field, nodes: list[Node]) -> None:
        self.used.add(field.name)
        self._expect(field, bool(nodes), f"no node of ours called {NAMES.get(field.name)} has its place")
        for node in nodes:
            if not node.children and node.span == (field.start, field.end):
                self._expect(field, says_the_same(field, node), f"ours says {node.value!r}, {node.meaning!r}")
                self.used.add((named(field), node.meaning))

    def _expect(self, field: Field, is_so: bool, otherwise: str) -> None:
        if not is_so:
            self.wrong.append(f"{field.name} at {field.start}-{field.end} ({field.label[:60]}): {otherwise}")


def says_the_same(field: Field, node: Node) -> bool:
    """Say whether a value, and the name of what it stands for, are the same in both."""
    if "Time" in field.name:
        return moment(field.show) == moment(node.meaning)
    if field.name == "tls.sct.sct_timestamp":
        return isinstance(node.value, int) and moment(field.show) == datetime.fromtimestamp(node.value // 1000, UTC)
    if field.name.startswith("x509ce.KeyUsage."):
        return (field.name.rpartition(".")[2] in node.meaning.split(", ")) is (field.show == "1")
    if field.label.endswith((": True", ": False")):
        return bool(node.value) is (field.show == "1") and node.meaning.title() == field.meaning
    if isinstance(node.value, int):
        is_same = int(field.show, 0) == node.value
    elif isinstance(node.value, str):
        is_same = field.show == node.value
    else:
        is_same = node.value == field.data or not field.data
    return is_same and (not node.meaning or same_name(field, node))


def same_name(field: Field, node: Node) -> bool:
    """Compare names without regard to spelling; tshark has an object identifier's name behind the number."""
    theirs, ours = named(field), node.meaning
    if not isinstance(node.value, int | str) or not theirs:
        return True  # what is no code has a description, if anything
    is_unknown = theirs.startswith("Unknown") and ours in UNKNOWN_TO_TSHARK
    return plain(theirs) == plain(ours.removeprefix("id-")) or (theirs, ours) in SYNONYMS or is_unknown


def named(field: Field) -> str:
    """Give what tshark calls a code; nothing where it has only the number."""
    if not re.fullmatch(r"\d+(\.\d+)+", field.show):
        return field.meaning
    known = re.search(r" \((?:id-)?((?:ce-|at-|ad-|kp-|pe-|qt-|ms-)?)([\w-]+)\)$", field.label)
    return known[2] if known else ""


def moment(text: str) -> datetime | None:
    """Read a time, UTC as all of them are, as either writes it; None for anything else."""
    for form in ("%Y-%m-%d %H:%M:%S (UTC)", "%b %d, %Y %H:%M:%S.000000000 UTC", "%Y-%m-%d %H:%M:%SZ"):
        with suppress(ValueError):
            return datetime.strptime(text, form).replace(tzinfo=UTC)
    return None


# -- the comparison ----------------------------------------------------------------------------------------------------
def pairs(captures: Captures, name: str) -> list[Pair]:
    """Put each handshake message of ours beside tshark's; those that one of both cannot open have no pair."""
    found = []
    for side in ("client", "server"):
        theirs = iter([one for sender, one in captures.dissected[name].messages if sender == side])
        for sender, mine in read(captures.made[name]).handshake:
            if sender == side:
                other = next(one for one in theirs if (one.kind, one.end) == (mine.body[0], len(mine.body)))
                found.append((mine, other))
    return found


def our_extensions(message: TlsMessage) -> list[tuple[int, Span]]:
    nodes = [one for _, one in walk(message_tree(message)) if one.children and one.children[0].name == "extension_type"]
    return [(int(one.children[0].value or 0), one.span) for one in nodes]


@pytest.mark.parametrize("name", EVERY)
def test_tshark_reads_the_extensions_that_we_read(captures: Captures, name: str):
    for mine, theirs in pairs(captures, name):
        assert our_extensions(mine) == [(one.number, one.span) for one in tshark.extensions(theirs)]


@pytest.mark.parametrize("name", EVERY)
def test_every_field_of_tshark_is_a_node_of_ours(captures: Captures, name: str):
    wrong = [(mine.name, one) for mine, theirs in pairs(captures, name) for one in Comparison(mine, theirs).wrong]
    assert wrong == []


@pytest.mark.parametrize("name", EVERY)
def test_every_node_of_ours_is_a_field_of_tshark(captures: Captures, name: str):
    alone = {one for mine, theirs in pairs(captures, name) for one in Comparison(mine, theirs).only_ours()}
    assert alone - NOT_THEIRS.keys() == set()


@pytest.mark.parametrize("name", EVERY)
def test_every_node_lies_in_its_parent_behind_its_sibling_and_says_its_bytes(captures: Captures, name: str):
    for _, mine in read(captures.made[name]).handshake:
        root = message_tree(mine)
        assert root.span == (0, len(mine.body))
        for path, node in walk(root):
            ends = [node.span[0], *[child.span[1] for child in node.children]]
            assert all(end <= child.span[0] for end, child in zip(ends, node.children, strict=False)), path
            assert ends[-1] <= node.span[1], path
            assert is_what_the_bytes_say(node, mine.body[slice(*node.span)]), path


def is_what_the_bytes_say(node: Node, data: bytes) -> bool:
    match node.value:
        case int():
            return node.value == int.from_bytes(data, "big")
        case str() if re.fullmatch(r"\d+(\.\d+)+", node.value):
            return data in (oid_bytes(node.value), node.value.encode())
        case str():
            return node.value == data.decode("utf-8", "backslashreplace")
    return node.value is None or node.value == data


def oid_bytes(dotted: str) -> bytes:
    """Write an object identifier as DER does, X.690 8.19, independently of the reader."""
    first, second, *others = map(int, dotted.split("."))
    out = b""
    for arc in (first * 40 + second, *others):
        digits = [arc & 0x7F]
        while arc := arc >> 7:
            digits.insert(0, 0x80 | arc & 0x7F)
        out += bytes(digits)
    return out


@pytest.mark.parametrize("name", EVERY)
def test_every_message_is_read_to_its_end(captures: Captures, name: str):
    """What programs send is well formed, so the only thing that our tree leaves out is more names than it shows."""
    nodes = [node for _, mine in read(captures.made[name]).handshake for _, node in walk(message_tree(mine))]
    assert [one.note for one in nodes if one.note and not one.note.endswith("more are not shown")] == []


# -- the comparison itself ---------------------------------------------------------------------------------------------
@pytest.mark.parametrize("number", [1, 2, 8, 11, 13])
def test_the_comparison_notices_each_field_that_is_moved_or_changed(captures: Captures, number: int):
    mine, theirs = next(one for one in pairs(captures, "retried mutual") if one[1].kind == number)
    places_of_leaves = [at for at, one in enumerate(tshark.walk(theirs)) if is_compared(one)]
    assert len(places_of_leaves) > 3
    for at in places_of_leaves:
        for change in (moved, renamed, changed):
            assert Comparison(mine, altered(theirs, at, change)).wrong, (at, change)


def is_compared(field: Field) -> bool:
    return not field.children and field.start < field.end and field.name not in NOT_OURS


def moved(field: Field) -> Field:
    return field._replace(start=field.start + 1, end=field.end + 1)


def renamed(field: Field) -> Field:
    return field._replace(name="tls.handshake.random_number")


def changed(field: Field) -> Field:
    number = re.fullmatch(r"\d+|0x[0-9a-f]+", field.show)
    show = str(int(field.show, 0) + 1) if number else f"1{field.show}"
    return field._replace(show=show, data=b"other" + field.data)


def altered(root: Field, at: int, change: Callable[[Field], Field]) -> Field:
    """Change the field that comes at a place in the order of `walk`."""
    if at == 0:
        return change(root)
    at -= 1
    children = []
    for child in root.children:
        size = sum(1 for _ in tshark.walk(child))
        children.append(altered(child, at, change) if 0 <= at < size else child)
        at -= size
    return root._replace(children=tuple(children))


# -- the tables --------------------------------------------------------------------------------------------------------
def test_every_entry_of_the_tables_is_needed(captures: Captures):
    """An entry that nothing needs hides the next difference; other versions of tshark may need fewer."""
    if not tshark.version().startswith("4.0."):
        pytest.skip("the tables are about tshark 4.0")
    compared = [Comparison(*one) for name in EVERY for one in pairs(captures, name)]
    used = set().union(*[one.used for one in compared])
    assert sum(one.fields for one in compared) > 40_000
    needed = {*NAMES, *NOT_OURS, *GROUPS, *BY_CONTENT, *SYNONYMS, "left out"}
    assert needed - used == set()
    assert {one[1] for one in used if isinstance(one, tuple) and one[0].startswith("Unknown")} == UNKNOWN_TO_TSHARK
    assert NOT_THEIRS.keys() == {path for one in compared for path in one.only_ours()}
