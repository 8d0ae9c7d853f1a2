"""Reads TLS tokens: which messages they carry, where, and, with the session's secrets, what the protected ones say.

The rule guarded here: any bytes have a reading. What cannot be opened is a message called Encrypted, what is no record
is called Malformed, what has only begun is called Partial, each with a note; nothing raises, nothing is read beyond its
span, and what is kept between tokens is bounded. A sender's tokens are one stream, as its peer sees them: records and
messages may be split over tokens anywhere.

Only the standard library is imported here; decryption comes in when the first protected record does.

Source: RFC 8446 sections 4, 5 and 6, RFC 5246 sections 6 and 7.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from sspicli.sspi.alerts import alert_name
from sspicli.sspi.records import (
    ALERT,
    APPLICATION_DATA,
    CHANGE_CIPHER_SPEC,
    HANDSHAKE,
    HEADER_SIZE,
    HEARTBEAT,
    Framing,
    Record,
    frame,
)
from sspicli.tokens.tls_hello import CLIENT_HELLO, SERVER_HELLO
from sspicli.tokens.tls_keys import Direction, KeyRing
from sspicli.tokens.tls_names import content_type_name, handshake_name

MAX_TOKEN = 1 << 20
MAX_MESSAGES = 4096
MAX_HANDSHAKE = 128 << 10

Span = tuple[int, int]
Piece = tuple[int, int, int]

_END_OF_EARLY_DATA = 5
_FINISHED = 20
_KEY_UPDATE = 24
_SHORT_NAMES = {"ChangeCipherSpec": "CCS", "CertificateVerify": "CertVerify"}
_ALERT_LEVELS = {1: "warning", 2: "fatal"}
_CONTENT_NAMES = {CHANGE_CIPHER_SPEC: "ChangeCipherSpec", APPLICATION_DATA: "ApplicationData", HEARTBEAT: "Heartbeat"}


class TlsMessage(NamedTuple):
    """One message in a token, such as `ClientHello` or `Alert fatal certificate_expired`.

    `encrypted` says that it was protected on the wire. `span` is where in the token the records stand that carry it; of
    a message begun in an earlier token, those in this one. `body` is what was said, a handshake message with its
    four-byte header; of an Encrypted one it is the ciphertext. `note` says why something could not be read, "" when all
    could. `pieces` is what of `body` stands in clear in this token: offset in body, offset in token, size. `version`
    and `suite` are what the hellos had settled when it was read, 0 before: some messages are laid out by them.
    """

    name: str
    encrypted: bool
    span: Span
    body: bytes
    content_type: int
    note: str = ""
    pieces: tuple[Piece, ...] = ()
    version: int = 0
    suite: int = 0


class TlsRecord(NamedTuple):
    """One whole record: what its header says, where in the token it stands, and what was in it when it was protected.

    `span` has the header; of a record begun in an earlier token it is what stands in this one, and `size` counts all of
    its bytes. `inner_type` is 0, and `inner` empty, when nothing was opened; `padding` counts the zeros behind the
    inner type of TLS 1.3. `note` says why a protected record stayed closed.
    """

    content_type: int
    version: int
    span: Span
    encrypted: bool = False
    inner_type: int = 0
    inner: bytes = b""
    padding: int = 0
    note: str = ""
    size: int = 0


class TlsToken(NamedTuple):
    """One token: its whole records, and the messages that end, or have begun, in it."""

    records: tuple[TlsRecord, ...]
    messages: tuple[TlsMessage, ...]


class TlsReader:
    """Reads the tokens of one session, in the order in which each side sent them."""

    __slots__ = ("_ring", "_streams")

    def __init__(self) -> None:
        self._ring = KeyRing()
        self._streams = {sender: _Stream(self._ring, sender) for sender in ("client", "server")}

    @property
    def junk_lines(self) -> int:
        """Count the lines given to `add_secret` that were no key-log lines."""
        return self._ring.junk_lines

    def add_secret(self, line: str, owner: str = "") -> None:
        """Take a line of an NSS key log; it must come before the records it opens, and may come after the hellos.

        `owner` is the side whose secret it is, "" where nobody knows: what a side sent opens with its own.
        """
        self._ring.add(line, owner)

    def differs(self, sender: str) -> bool:
        """Say whether what a side sent opens with other secrets than its receiver's, as far as they are known."""
        return self._ring.differs(sender)

    def read(self, sender: str, token: bytes) -> tuple[TlsMessage, ...]:
        """Read the next token of "client" or "server" for its messages.

        A message that ends in this token is reported here. One that has begun and not ended is reported as Partial, and
        again when it is whole.
        """
        return self._streams[sender].read(token).messages

    def read_token(self, sender: str, token: bytes) -> TlsToken:
        """Read the next token as `read` does, and give its records too."""
        return self._streams[sender].read(token)


def short_names(messages: Iterable[TlsMessage]) -> list[str]:
    """Name messages as a ladder has room for."""
    return [_SHORT_NAMES.get(message.name, message.name) for message in messages]


class _Stream:
    """One sender's bytes: the record and the handshake message that have begun, and what this token holds."""

    __slots__ = (
        "_base",
        "_begun",
        "_direction",
        "_found",
        "_needed",
        "_pieces",
        "_reach",
        "_records",
        "_ring",
        "_skip",
        "_tail",
        "_was_encrypted",
    )

    def __init__(self, ring: KeyRing, sender: str) -> None:
        self._ring = ring
        self._direction = Direction(ring, sender)
        self._tail = b""  # of a record whose end has not come
        self._begun = bytearray()  # of a handshake message whose end has not come
        self._reach: Span | None = None  # of the records in this token that carry what has begun
        self._pieces: list[Piece] = []  # of what has begun, in clear in this token
        self._needed = 0  # bytes of what has begun before it is worth another look
        self._skip = 0  # bytes to come of a handshake message too long to keep
        self._was_encrypted = False
        self._found: list[TlsMessage] = []
        self._records: list[TlsRecord] = []
        self._base = 0  # where the token begins in the bytes read, behind the tail

    def read(self, token: bytes) -> TlsToken:
        """Read one token."""
        data = self._tail + token[:MAX_TOKEN]
        self._pieces = []
        self._base, self._reach, self._tail = len(self._tail), None, b""
        self._direction.start_token()
        framing = frame(data, most=MAX_MESSAGES)
        for record in framing.records:
            if len(self._found) >= MAX_MESSAGES:
                self._report_unread(record.start - self._base, len(token))
                break
            self._read_record(data, record)
        else:
            self._read_end(data, framing, token_size=len(token))
        found = TlsToken(tuple(self._records), tuple(self._found))
        self._records, self._found = [], []
        return found

    def _read_record(self, data: bytes, record: Record) -> None:
        content_type, version, start, end = record
        body = data[start + HEADER_SIZE : end]
        span, size = (max(start - self._base, 0), end - self._base), end - start
        if not self._direction.protects(content_type, len(body)):
            self._records.append(TlsRecord(content_type, version, span, size=size))
            self._read_content(content_type, body, span=span, at=start + HEADER_SIZE - self._base)
            return
        opened = self._direction.open(data[start : start + HEADER_SIZE], body)
        if isinstance(opened, str):
            self._records.append(TlsRecord(content_type, version, span, encrypted=True, note=opened, size=size))
            self._found.append(TlsMessage("Encrypted", True, span, body, content_type, opened))
        else:
            self._records.append(TlsRecord(content_type, version, span, True, *opened, size=size))
            self._read_content(opened[0], opened[1], span=span, at=None)

    def _read_content(self, content_type: int, content: bytes, *, span: Span, at: int | None) -> None:
        """Read what a record carries: in clear from `at` in the token on, or, with None, opened."""
        if content_type == HANDSHAKE:
            self._read_fragment(content, span=span, at=at)
            return
        name, note = _CONTENT_NAMES.get(content_type, ""), ""
        if content_type == ALERT:
            name, note = _alert(content)
        elif not name:
            name, note = content_type_name(content_type), "no record should carry this"
        pieces, ring = tuple(_piece(0, at, len(content))), self._ring
        message = TlsMessage(name, at is None, span, content, content_type, note, pieces, ring.version, ring.suite)
        self._found.append(message)
        if content_type == CHANGE_CIPHER_SPEC:
            self._direction.change_cipher()

    def _read_fragment(self, fragment: bytes, *, span: Span, at: int | None) -> None:
        """Join a handshake record's content to what has begun, and read what is whole."""
        encrypted = at is None
        if encrypted is not self._was_encrypted:
            self._cut_short()
            self._was_encrypted = encrypted
        if self._skip:
            skipped = min(self._skip, len(fragment))
            self._skip -= skipped
            fragment, at = fragment[skipped:], None if at is None else at + skipped
        if not self._begun:
            self._read_messages(fragment, first=span, last=span, pieces=_piece(0, at, len(fragment)))
            return
        self._pieces += _piece(len(self._begun), at, len(fragment))
        self._begun += fragment
        self._reach = (self._reach[0] if self._reach else span[0], span[1])
        if len(self._begun) >= self._needed:
            joined, pieces = bytes(self._begun), self._pieces
            self._begun.clear()
            self._pieces = []
            self._read_messages(joined, first=self._reach, last=span, pieces=pieces)

    def _read_messages(self, data: bytes, *, first: Span, last: Span, pieces: list[Piece]) -> None:
        """Read the whole messages at the front and keep the rest.

        The records at `first` carry the first message; all others stand in the one at `last`, and in the last piece.
        """
        position, size, span, needed = 0, len(data), first, 4
        while size - position >= 4:
            needed = 4 + int.from_bytes(data[position + 1 : position + 4], "big")
            end = position + needed
            if needed > MAX_HANDSHAKE:
                self._skip = max(end - size, 0)
                self._report_long(data[position : position + 4], span)
            elif end > size:
                break
            else:
                self._read_message(data[position:end], span, pieces=_within(pieces, position, end=end))
            position, span, pieces, needed = min(end, size), last, pieces[-1:], 4
        if position < size:
            self._begun += data[position:]
            self._pieces += _within(pieces, position, end=size)
            self._needed, self._reach = needed, span

    def _read_message(self, body: bytes, span: Span, *, pieces: tuple[Piece, ...]) -> None:
        """Report a whole handshake message, and let it change the keys."""
        kind, encrypted, ring = body[0], self._was_encrypted, self._ring
        name = handshake_name(kind)
        if kind == CLIENT_HELLO:
            ring.client_random = body[6:38]
        elif kind == SERVER_HELLO:
            name = ring.settle(body)
        message = TlsMessage(name, encrypted, span, body, HANDSHAKE, "", pieces, ring.version, ring.suite)
        self._found.append(message)
        if encrypted and kind == _END_OF_EARLY_DATA:
            self._direction.end_early_data()
        elif encrypted and kind == _FINISHED:
            self._direction.finish()
        elif encrypted and kind == _KEY_UPDATE:
            self._direction.update()

    def _read_end(self, data: bytes, framing: Framing, *, token_size: int) -> None:
        """Report what has begun in this token and not ended, what is no record and what is too much; keep the first."""
        if self._begun and self._reach:
            self._report_begun(self._reach, " so far")
        span = (max(framing.complete - self._base, 0), len(data) - self._base)
        rest = data[framing.complete :]
        if framing.malformed_at is not None:
            note = f"no TLS record begins with {rest[:HEADER_SIZE].hex(' ')}"
            self._report(
                "Malformed", span, content_type=rest[0], body=rest, note=note, at=framing.complete - self._base
            )
        elif token_size > MAX_TOKEN or (rest and not framing.missing):
            self._report_unread(span[0], token_size)
        elif rest:
            self._tail = rest
            note = f"the record is {framing.missing} bytes short"
            self._report("Partial", span, content_type=rest[0], body=rest, note=note, at=framing.complete - self._base)

    def _cut_short(self) -> None:
        """Drop what has begun: protection has changed, so its end cannot come any more."""
        if self._begun:
            self._report_begun(self._reach or (0, 0), ", then protection changed")
        self._begun.clear()
        self._skip = 0

    def _report_begun(self, span: Span, ending: str) -> None:
        whole = f" of {self._needed}" if len(self._begun) >= 4 else ""
        note = f"{handshake_name(self._begun[0])}: {len(self._begun)}{whole} bytes{ending}"
        ring, pieces = self._ring, () if self._was_encrypted else tuple(self._pieces)
        message = TlsMessage(
            "Partial",
            self._was_encrypted,
            span,
            bytes(self._begun),
            HANDSHAKE,
            note,
            pieces,
            ring.version,
            ring.suite,
        )
        self._found.append(message)

    def _report_long(self, header: bytes, span: Span) -> None:
        length = int.from_bytes(header[1:], "big")
        note = f"{length} bytes are more than are kept of a handshake message"
        message = TlsMessage(handshake_name(header[0]), self._was_encrypted, span, header, HANDSHAKE, note)
        self._found.append(message)

    def _report_unread(self, start: int, end: int) -> None:
        note = f"of a token only {MAX_TOKEN} bytes and {MAX_MESSAGES} messages are read"
        self._found.append(TlsMessage("Unread", False, (start, end), b"", 0, note))

    def _report(self, name: str, span: Span, *, content_type: int, body: bytes, note: str, at: int) -> None:
        """Report bytes that are no whole record, from `at` in the token on."""
        self._found.append(TlsMessage(name, False, span, body, content_type, note, tuple(_piece(0, at, len(body)))))


def _piece(offset: int, at: int | None, size: int) -> list[Piece]:
    """Lay out one clear run of bytes, without what stands in an earlier token (`at` below 0); none for opened bytes."""
    if at is None:
        return []
    if at < 0:
        offset, at, size = offset - at, 0, size + at
    return [(offset, at, size)] if size > 0 else []


def _within(pieces: list[Piece], start: int, *, end: int) -> tuple[Piece, ...]:
    """Cut pieces of some bytes to those of a message among them, which begins at `start` and ends before `end`."""
    if not pieces:
        return ()
    cut = ((max(offset, start), min(offset + size, end), at - offset) for offset, at, size in pieces)
    return tuple((first - start, first + shift, last - first) for first, last, shift in cut if first < last)


def _alert(content: bytes) -> tuple[str, str]:
    """Name an alert, with a note when it is not just level and description."""
    if len(content) < 2:
        return "Alert", "an alert has a level and a description"
    level = _ALERT_LEVELS.get(content[0], f"level {content[0]}")
    note = "" if len(content) == 2 else f"the record goes on behind the alert, {len(content)} bytes in all"
    return f"Alert {level} {alert_name(content[1])}", note
