"""What the two hellos offered and chose: the facts behind a negotiation, cheaper than the tree of all fields.

The rule guarded here: facts are read as far as the bytes go. A message that was cut or tampered with gives what stands
before the damage, and a note; it never raises, and nothing is read beyond the vector that should hold it.

All functions take a handshake message with its four-byte header, as `TlsMessage.body` holds it.

Source: RFC 8446 section 4.1, RFC 5246 section 7.4, RFC 6066 (server_name), RFC 7301 (ALPN).
"""

from __future__ import annotations

from typing import NamedTuple

CLIENT_HELLO = 1
SERVER_HELLO = 2
TLS12 = 0x0303
TLS13 = 0x0304

# SHA-256 of "HelloRetryRequest": the random by which such a ServerHello is known (RFC 8446, 4.1.3).
RETRY_RANDOM = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")

_SERVER_NAME = 0
_SUPPORTED_GROUPS = 10
_SIGNATURE_ALGORITHMS = 13
_ALPN = 16
_ENCRYPT_THEN_MAC = 22
_SUPPORTED_VERSIONS = 43
_KEY_SHARE = 51


class HelloFacts(NamedTuple):
    """What a ClientHello offers, or what a ServerHello or HelloRetryRequest chose (tuples of at most one, then).

    Numbers are as registered; `tls_names` has their names. `versions` is the legacy version alone when no
    supported_versions extension stands. `key_shares` are the groups of the shares; a HelloRetryRequest's is the group
    it asks for. `server_name` and `alpn` are the peer's bytes, decoded, and not fit for a screen as they are. `note`
    says that reading stopped early.
    """

    name: str
    legacy_version: int
    versions: tuple[int, ...] = ()
    random: bytes = b""
    session_id: bytes = b""
    suites: tuple[int, ...] = ()
    groups: tuple[int, ...] = ()
    key_shares: tuple[int, ...] = ()
    signature_algorithms: tuple[int, ...] = ()
    server_name: str | None = None
    alpn: tuple[str, ...] = ()
    extensions: tuple[int, ...] = ()
    note: str = ""

    @property
    def encrypts_then_macs(self) -> bool:
        """Say whether encrypt_then_mac (RFC 7366) stands among the extensions."""
        return _ENCRYPT_THEN_MAC in self.extensions


def hello_facts(body: bytes) -> HelloFacts | None:
    """Read a ClientHello, ServerHello or HelloRetryRequest; None for any other message."""
    kind = body[0] if body else -1
    if kind not in (CLIENT_HELLO, SERVER_HELLO):
        return None
    cursor = Cursor(body, 4)
    legacy_version, random = cursor.number(2), cursor.take(32)
    session_id = cursor.vector(1).rest()
    if kind == CLIENT_HELLO:
        name, suites = "ClientHello", cursor.vector(2).numbers()
        cursor.vector(1)  # compression methods
    else:
        name = "HelloRetryRequest" if random == RETRY_RANDOM else "ServerHello"
        suites = (cursor.number(2),)
        cursor.number(1)
    said, seen, is_short = _extensions(cursor)
    is_client = kind == CLIENT_HELLO
    if is_short:
        note = "the message ends too early"
    else:
        note = "the message is cut" if int.from_bytes(body[1:4], "big") > len(body) - 4 else ""
    return HelloFacts(
        name,
        legacy_version,
        _versions(said.get(_SUPPORTED_VERSIONS), is_client=is_client) or (legacy_version,),
        random,
        session_id,
        suites,
        _list_of_numbers(said.get(_SUPPORTED_GROUPS)),
        _key_shares(said.get(_KEY_SHARE), is_client=is_client),
        _list_of_numbers(said.get(_SIGNATURE_ALGORITHMS)),
        _server_name(said.get(_SERVER_NAME)) if is_client else None,
        _alpn(said.get(_ALPN)),
        tuple(seen),
        note,
    )


class Cursor:
    """Reads numbers and vectors in order, never beyond its end; what falls short is empty or 0, and sets `is_short`."""

    __slots__ = ("data", "end", "is_short", "position")

    def __init__(self, data: bytes, start: int = 0, *, end: int = -1) -> None:
        self.data = data
        self.end = len(data) if end < 0 else end
        self.position = min(start, self.end)
        self.is_short = False

    @property
    def remains(self) -> int:
        """Count the bytes not read yet."""
        return self.end - self.position

    def take(self, size: int) -> bytes:
        """Read `size` bytes; none when they are not all there, and then the cursor is at its end."""
        start = self.position
        if size > self.end - start:
            self.position, self.is_short = self.end, True
            return b""
        self.position = start + size
        return self.data[start : self.position]

    def number(self, size: int) -> int:
        """Read a number of `size` bytes."""
        start = self.position
        if size > self.end - start:
            self.position, self.is_short = self.end, True
            return 0
        self.position = start + size
        return int.from_bytes(self.data[start : start + size], "big")

    def vector(self, size: int) -> Cursor:
        """Enter a vector whose length stands in `size` bytes, and step behind it; one that falls short is cut."""
        length = self.number(size)
        start = self.position
        if length > self.end - start:
            length, self.is_short = self.end - start, True
        self.position = start + length
        return Cursor(self.data, start, end=self.position)

    def numbers(self) -> tuple[int, ...]:
        """Read all that remains as 16-bit numbers; an odd last byte is dropped."""
        data, end = self.data, self.end - self.remains % 2
        return tuple([data[at] << 8 | data[at + 1] for at in range(self.position, end, 2)])

    def rest(self) -> bytes:
        """Read all that remains."""
        return self.take(self.remains)


def _extensions(cursor: Cursor) -> tuple[dict[int, Cursor], list[int], bool]:
    """Find the extensions, of one that comes twice the first, and say whether bytes were missing.

    A hello may end before them.
    """
    block = cursor.vector(2) if cursor.remains else Cursor(b"")
    seen: list[int] = []
    said: dict[int, Cursor] = {}
    while block.remains:
        number = block.number(2)
        seen.append(number)
        said.setdefault(number, block.vector(2))
    return said, seen, cursor.is_short or block.is_short


def _versions(said: Cursor | None, *, is_client: bool) -> tuple[int, ...]:
    if said is None:
        return ()
    return said.vector(1).numbers() if is_client else said.numbers()


def _list_of_numbers(said: Cursor | None) -> tuple[int, ...]:
    return () if said is None else said.vector(2).numbers()


def _key_shares(said: Cursor | None, *, is_client: bool) -> tuple[int, ...]:
    if said is None:
        return ()
    shares, groups = said.vector(2) if is_client else said, []
    while shares.remains:
        groups.append(shares.number(2))
        shares.vector(2)
    return tuple(groups)


def _server_name(said: Cursor | None) -> str | None:
    """Read the first host_name."""
    if said is None:
        return None
    names = said.vector(2)
    names.number(1)  # name_type host_name
    return _text(names.vector(2).rest())


def _alpn(said: Cursor | None) -> tuple[str, ...]:
    if said is None:
        return ()
    names, protocols = said.vector(2), []
    while names.remains:
        protocols.append(_text(names.vector(1).rest()))
    return tuple(protocols)


def _text(data: bytes) -> str:
    return data.decode("utf-8", "backslashreplace")
