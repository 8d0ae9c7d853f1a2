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
    could.
    """

    name: str
    encrypted: bool
    span: Span
    body: bytes
    content_type: int
    note: str = ""


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

    def add_secret(self, line: str) -> None:
        """Take a line of an NSS key log; it must come before the records it opens, and may come after the hellos."""
        self._ring.add(line)

    def read(self, sender: str, token: bytes) -> tuple[TlsMessage, ...]:
        """Read the next token of "client" or "server".

        A message that ends in this token is reported here. One that has begun and not ended is reported as Partial, and
        again when it is whole.
        """
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
        "_reach",
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
        self._needed = 0  # bytes of what has begun before it is worth another look
        self._skip = 0  # bytes to come of a handshake message too long to keep
        self._was_encrypted = False
        self._found: list[TlsMessage] = []
        self._base = 0  # where the token begins in the bytes read, behind the tail

    def read(self, token: bytes) -> tuple[TlsMessage, ...]:
        """Read one token."""
        data = self._tail + token[:MAX_TOKEN]
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
        found, self._found = tuple(self._found), []
        return found

    def _read_record(self, data: bytes, record: Record) -> None:
        content_type, _, start, end = record
        body = data[start + HEADER_SIZE : end]
        span = (max(start - self._base, 0), end - self._base)
        if not self._direction.protects(content_type, len(body)):
            self._read_content(content_type, body, encrypted=False, span=span)
            return
        opened = self._direction.open(data[start : start + HEADER_SIZE], body)
        if isinstance(opened, str):
            self._found.append(TlsMessage("Encrypted", True, span, body, content_type, opened))
        else:
            self._read_content(opened[0], opened[1], encrypted=True, span=span)

    def _read_content(self, content_type: int, content: bytes, *, encrypted: bool, span: Span) -> None:
        """Read what a record carries, in clear or opened."""
        if content_type == HANDSHAKE:
            self._read_fragment(content, encrypted=encrypted, span=span)
            return
        name, note = _CONTENT_NAMES.get(content_type, ""), ""
        if content_type == ALERT:
            name, note = _alert(content)
        elif not name:
            name, note = content_type_name(content_type), "no record should carry this"
        self._found.append(TlsMessage(name, encrypted, span, content, content_type, note))
        if content_type == CHANGE_CIPHER_SPEC:
            self._direction.change_cipher()

    def _read_fragment(self, fragment: bytes, *, encrypted: bool, span: Span) -> None:
        """Join a handshake record's content to what has begun, and read what is whole."""
        if encrypted is not self._was_encrypted:
            self._cut_short()
            self._was_encrypted = encrypted
        if self._skip:
            skipped = min(self._skip, len(fragment))
            self._skip -= skipped
            fragment = fragment[skipped:]
        if not self._begun:
            self._read_messages(fragment, first=span, last=span)
            return
        self._begun += fragment
        self._reach = (self._reach[0] if self._reach else span[0], span[1])
        if len(self._begun) >= self._needed:
            joined = bytes(self._begun)
            self._begun.clear()
            self._read_messages(joined, first=self._reach, last=span)

    def _read_messages(self, data: bytes, *, first: Span, last: Span) -> None:
        """Read the whole messages at the front and keep the rest.

        The records at `first` carry the first message; all others stand in the one at `last`.
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
                self._read_message(data[position:end], span)
            position, span, needed = min(end, size), last, 4
        if position < size:
            self._begun += data[position:]
            self._needed, self._reach = needed, span

    def _read_message(self, body: bytes, span: Span) -> None:
        """Report a whole handshake message, and let it change the keys."""
        kind, encrypted = body[0], self._was_encrypted
        name = handshake_name(kind)
        if kind == CLIENT_HELLO:
            self._ring.client_random = body[6:38]
        elif kind == SERVER_HELLO:
            name = self._ring.settle(body)
        self._found.append(TlsMessage(name, encrypted, span, body, HANDSHAKE))
        if encrypted and kind == _FINISHED:
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
            self._report("Malformed", span, content_type=rest[0], body=rest, note=note)
        elif token_size > MAX_TOKEN or (rest and not framing.missing):
            self._report_unread(span[0], token_size)
        elif rest:
            self._tail = rest
            note = f"the record is {framing.missing} bytes short"
            self._report("Partial", span, content_type=rest[0], body=rest, note=note)

    def _cut_short(self) -> None:
        """Drop what has begun: protection has changed, so its end cannot come any more."""
        if self._begun:
            self._report_begun(self._reach or (0, 0), ", then protection changed")
        self._begun.clear()
        self._skip = 0

    def _report_begun(self, span: Span, ending: str) -> None:
        whole = f" of {self._needed}" if len(self._begun) >= 4 else ""
        note = f"{handshake_name(self._begun[0])}: {len(self._begun)}{whole} bytes{ending}"
        self._report("Partial", span, content_type=HANDSHAKE, body=bytes(self._begun), note=note)

    def _report_long(self, header: bytes, span: Span) -> None:
        length = int.from_bytes(header[1:], "big")
        note = f"{length} bytes are more than are kept of a handshake message"
        message = TlsMessage(handshake_name(header[0]), self._was_encrypted, span, header, HANDSHAKE, note)
        self._found.append(message)

    def _report_unread(self, start: int, end: int) -> None:
        note = f"of a token only {MAX_TOKEN} bytes and {MAX_MESSAGES} messages are read"
        self._report("Unread", (start, end), note=note)

    def _report(self, name: str, span: Span, *, note: str, content_type: int = 0, body: bytes = b"") -> None:
        encrypted = name == "Partial" and content_type == HANDSHAKE and self._was_encrypted
        self._found.append(TlsMessage(name, encrypted, span, body, content_type, note))


def _alert(content: bytes) -> tuple[str, str]:
    """Name an alert, with a note when it is not just level and description."""
    if len(content) < 2:
        return "Alert", "an alert has a level and a description"
    level = _ALERT_LEVELS.get(content[0], f"level {content[0]}")
    note = "" if len(content) == 2 else f"the record goes on behind the alert, {len(content)} bytes in all"
    return f"Alert {level} {alert_name(content[1])}", note
