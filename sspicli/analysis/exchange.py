"""Tokens opened one after the other: what each is, who sent it, which messages are in it, and where reading stopped.

The rule guarded here: every span says what it is an offset into. A message that stands in the token in one clear piece
has the token's offsets; one that was protected, or is spread over records, has offsets into the message, because no
others are true. And what was not read is part of the answer: a field cut short, a record that stays closed, bytes that
begin nothing known.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from sspicli.analysis.calls import Leg
from sspicli.journal import events as ev
from sspicli.journal.journal import Record
from sspicli.sspi.records import HANDSHAKE, HEADER_SIZE, frame
from sspicli.tokens.sniff import Kind, Told, tell
from sspicli.tokens.tls import TlsMessage, TlsReader, TlsRecord, TlsToken
from sspicli.tokens.tls_fields import message_trees, token_tree
from sspicli.tokens.tree import Node, walk
from sspicli.tokens.x509 import certificate_tree

OPENED = frozenset({Kind.TLS, Kind.HANDSHAKE, Kind.CERTIFICATE})
NOT_OPENED = "this version opens TLS tokens and certificates only"

RECORDED = Told(Kind.TLS, "TLS records", "the recording says so")
CARRIED_ON = Told(Kind.TLS, "TLS records", "the token before ended within one")

_SENDERS = {1: "client", 16: "client", **dict.fromkeys((0, 2, 4, 6, 8, 12, 13, 14), "server")}
_CHUNK = 0x4000


OwnedLine = tuple[str, str]
"""A side, and a key-log line of its own."""


class Token(NamedTuple):
    """A token to be opened: its bytes, what it is called, and what is known of it from elsewhere.

    `note` says why there are no bytes, "" when there are. `told` is what it is to be taken as, None to tell by its
    bytes. `handshake` and `leg` are a recording's, 0 without one and for protected data after the handshake.
    """

    data: bytes
    title: str
    sender: str = ""
    told: Told | None = None
    note: str = ""
    handshake: int = 0
    leg: int = 0


class Part(NamedTuple):
    """A message, or a certificate, with its tree; `is_in_token` says which bytes the tree's spans are offsets into.

    `records` is where in the token the records stand that carry it, None for what has none.
    """

    tree: Node
    body: bytes
    is_in_token: bool
    message: TlsMessage | None = None
    records: tuple[int, int] | None = None

    @property
    def is_encrypted(self) -> bool:
        """Say whether it was protected on the wire."""
        return self.message is not None and self.message.encrypted


class Stop(NamedTuple):
    """Where reading stopped, and why: a field's path, its span, and the bytes that the span is in."""

    path: str
    span: tuple[int, int]
    is_in_token: bool
    why: str


@dataclass(frozen=True, slots=True)
class Opened:
    """A token and what came out of it; `layout` is its records, None for what has none.

    It is opened with its sender's secrets; `is_closed_to_receiver` says that its receiver is known to have others.
    """

    token: Token
    told: Told
    sender: str
    is_sender_assumed: bool
    layout: Node | None
    parts: tuple[Part, ...]
    stops: tuple[Stop, ...]
    is_closed_to_receiver: bool = False

    @property
    def tree(self) -> Node | None:
        """The whole token as one tree, its offsets those of the token: records, and in them what stands in clear."""
        clear = [part.tree for part in self.parts if part.is_in_token]
        if self.layout is None:
            size = len(self.token.data)
            return Node(self.told.kind.value, (0, size), children=tuple(clear)) if clear else None
        return self.layout._replace(children=tuple(_filled(record, clear) for record in self.layout.children))


class Exchange:
    """Opens the tokens of one handshake in order, with its key-log lines; of `owned` it is known whose they are."""

    def __init__(self, secrets: Iterable[str] = (), *, first_sender: str = "", owned: Iterable[OwnedLine] = ()) -> None:
        self._reader = TlsReader()
        self._last = ""
        self._first = first_sender
        self._is_within = {"client": False, "server": False}
        for secret in secrets:
            self._reader.add_secret(secret)
        for owner, secret in owned:
            self._reader.add_secret(secret, owner)

    def told_of_receivers(self, opened: list[Opened]) -> list[Opened]:
        """Say of each token whether its receiver has other secrets than those that opened it."""
        differing = [sender for sender in ("client", "server") if self._reader.differs(sender)]
        return [
            replace(one, is_closed_to_receiver=True) if one.sender in differing and _has_opened(one) else one
            for one in opened
        ]

    def open(self, token: Token) -> Opened:
        """Open the next token."""
        sender, is_assumed = self._sender(token)
        told = token.told or tell(token.data)
        if told.kind is Kind.UNKNOWN and self._is_within[sender]:
            told = CARRIED_ON
        if token.note or told.kind not in OPENED:
            why = token.note or f"{told.words}; {NOT_OPENED}"
            stops = (Stop("", (0, len(token.data)), True, why),)
            return Opened(token, told, sender, is_assumed, None, (), stops)
        if told.kind is Kind.CERTIFICATE:
            parts: tuple[Part, ...] = (Part(certificate_tree(token.data), token.data, True),)
            return Opened(token, told, sender, False, None, parts, _stops(parts))
        self._last = sender
        is_framed = told.kind is Kind.TLS
        reading = self._reader.read_token(sender, token.data if is_framed else _framed(token.data))
        parts = tuple(_parts(reading, is_framed=is_framed))
        self._is_within[sender] = any(part.message and part.message.name == "Partial" for part in parts)
        layout = token_tree(reading) if is_framed else None
        return Opened(token, told, sender, is_assumed, layout, parts, _stops(parts))

    def _sender(self, token: Token) -> tuple[str, bool]:
        """Say who sent it: as told, or by its first message, or whose turn it is; and whether that is assumed."""
        if token.sender:
            return token.sender, False
        if not self._last and self._first:
            return self._first, False
        shown = _SENDERS.get(_first_type(token.data), "")
        if shown:
            return shown, False
        if self._last and self._is_within[self._last] and tell(token.data).kind is Kind.UNKNOWN:
            return self._last, True
        return "server" if self._last == "client" else "client", True


def _has_opened(one: Opened) -> bool:
    return any(part.is_encrypted and part.message and part.message.name != "Encrypted" for part in one.parts)


def open_tokens(
    tokens: Sequence[Token],
    secrets: Iterable[str] = (),
    *,
    first_sender: str = "",
    owned: Iterable[OwnedLine] = (),
) -> list[Opened]:
    """Open the tokens of one exchange, with its key-log lines; of `owned` it is known whose they are."""
    exchange = Exchange(secrets, first_sender=first_sender, owned=owned)
    return exchange.told_of_receivers(_settled([exchange.open(token) for token in tokens]))


def opened_leg(token: Token, reading: TlsToken, *, is_last: bool) -> Opened:
    """Lay out a recorded token that was read; `is_last` says that its sender has sent nothing after it."""
    parts = tuple(_parts(reading, is_framed=True))
    opened = Opened(token, RECORDED, token.sender, False, token_tree(reading), parts, _stops(parts))
    return opened if is_last or not parts else _without_begun(opened)


def open_recording(records: Iterable[Record], secrets: Sequence[str] = ()) -> list[Opened]:
    """Open every token that a recording holds, each handshake with its own secrets and those given.

    What a side sent opens with that side's secrets: after a tampered hello the other side has others.
    """
    sent: dict[int, list[Token]] = {}
    logged: dict[int, list[OwnedLine]] = {}
    at: dict[str, int] = {}
    for record in records:
        side = record.actor.partition(".")[0]
        number, event = at.get(side, 0), record.event
        if isinstance(event, ev.HandshakeBegan):
            at[side] = event.number
        elif isinstance(event, ev.KeyLogged):
            logged.setdefault(number, []).append((side, event.line))
        elif isinstance(event, ev.TokenSent):
            title = f"leg {event.leg}" if event.leg else f"data {event.number}"
            sent.setdefault(number, []).append(Token(event.data, title, side, RECORDED, "", number, event.leg))
    opened: list[Opened] = []
    for number, tokens in sorted(sent.items()):
        before = f"handshake {number} " if len(sent) > 1 else ""
        titled = [token._replace(title=f"{before}{token.title}") for token in tokens]
        opened += open_tokens(titled, secrets, owned=logged.get(number, ()))
    return opened


def _first_type(data: bytes) -> int:
    """Give the type of the handshake message that a token begins with, -1 for none."""
    if data[:1] == b"\x16" and data[1:2] == b"\x03":
        return data[HEADER_SIZE] if len(data) > HEADER_SIZE else -1
    return data[0] if tell(data).kind is Kind.HANDSHAKE else -1


def _settled(opened: list[Opened]) -> list[Opened]:
    """Drop what has only begun from the stops of every token but a sender's last: the next one carried it on."""
    last = {one.sender: index for index, one in enumerate(opened) if one.parts}
    return [
        one if last.get(one.sender) == index or not one.parts else _without_begun(one)
        for index, one in enumerate(opened)
    ]


def _without_begun(one: Opened) -> Opened:
    whole = (part for part in one.parts if part.message is None or part.message.name != "Partial")
    return replace(one, stops=_stops(whole))


def _framed(data: bytes) -> bytes:
    """Put handshake messages into records, as their reader wants them."""
    chunks = (data[at : at + _CHUNK] for at in range(0, len(data), _CHUNK))
    return b"".join(bytes((HANDSHAKE, 3, 3)) + len(chunk).to_bytes(2, "big") + chunk for chunk in chunks)


def _parts(reading: TlsToken, *, is_framed: bool) -> Iterator[Part]:
    for message, tree in zip(reading.messages, message_trees(reading.messages), strict=True):
        at = _place(message, is_framed=is_framed)
        records = message.span if is_framed else None
        yield Part(tree if at is None else shifted(tree, at), message.body, at is not None, message, records)


def _place(message: TlsMessage, *, is_framed: bool) -> int | None:
    """Say where in the token a message's bytes stand one after the other; None when they do not."""
    if not message.pieces or (is_framed and message.pieces[0][2] != len(message.body)):
        return None
    offset, at, _ = message.pieces[0]
    return at - offset if is_framed else at - offset - HEADER_SIZE * (1 + at // (HEADER_SIZE + _CHUNK))


def shifted(node: Node, by: int) -> Node:
    """Move a tree's spans."""
    span = (node.span[0] + by, node.span[1] + by)
    return node._replace(span=span, children=tuple(shifted(child, by) for child in node.children))


def _filled(record: Node, clear: list[Node]) -> Node:
    """Put the messages that stand in a record's fragment into it."""
    if not record.children:
        return record
    *header, fragment = record.children
    inside = tuple(one for one in clear if fragment.span[0] <= one.span[0] and one.span[1] <= fragment.span[1])
    return record._replace(children=(*header, fragment._replace(children=(*fragment.children, *inside))))


def _stops(parts: Iterable[Part]) -> tuple[Stop, ...]:
    return tuple(
        Stop(path, node.span, part.is_in_token, node.note)
        for part in parts
        for path, node in walk(part.tree)
        if node.note
    )


def leg_tree(leg: Leg) -> Node:
    """Lay out a leg of a report: its records, and in them the messages that stand in clear; offsets are the token's."""
    closed = [message.span for message in leg.messages if message.encrypted]
    records = tuple(
        TlsRecord(kind, version, (start, end), any(a <= start and end <= b for a, b in closed), size=end - start)
        for kind, version, start, end in frame(leg.data).records
    )
    reading = TlsToken(records, leg.messages)
    layout = token_tree(reading)
    clear = [part.tree for part in _parts(reading, is_framed=True) if part.is_in_token]
    return layout._replace(children=tuple(_filled(record, clear) for record in layout.children))
