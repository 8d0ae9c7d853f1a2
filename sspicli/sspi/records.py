"""The five-byte TLS record framer: one for the whole program, used where legs are computed and where tokens are read.

The rule guarded here: *incomplete* and *malformed* are two answers. A partial record is counted in the bytes that still
miss, as Schannel estimates them for SECBUFFER_MISSING; a header that no TLS peer could have sent is pointed at, so that
garbage is refused at its first header instead of being waited for. A header is judged once all five bytes are held, not
earlier, because until then Schannel only asks for the rest of it.

Source: RFC 8446 section 5.1 and RFC 5246 section 6.2 (layout, limits); the estimate was observed on Windows.
"""

from __future__ import annotations

import sys
from typing import NamedTuple

HEADER_SIZE = 5

CHANGE_CIPHER_SPEC = 20
ALERT = 21
HANDSHAKE = 22
APPLICATION_DATA = 23
HEARTBEAT = 24

MAX_PLAINTEXT = 0x4000  # 2^14
MAX_PROTECTED_TLS13 = MAX_PLAINTEXT + 0x100  # RFC 8446, 5.2
MAX_PROTECTED = MAX_PLAINTEXT + 0x800  # RFC 5246, 6.2.3


class RecordHeader(NamedTuple):
    """What five bytes say: ContentType, ProtocolVersion (0x0303 also in TLS 1.3) and the bytes that follow."""

    content_type: int
    version: int
    length: int


class Record(NamedTuple):
    """One whole record in the framed bytes: `start` is its header's first byte, `end` is one past its last."""

    content_type: int
    version: int
    start: int
    end: int

    @property
    def body_start(self) -> int:
        """Say where the body begins, after the header."""
        return self.start + HEADER_SIZE


class Framing(NamedTuple):
    """How bytes divide into records.

    `complete` counts the bytes of whole records from the offset on. `missing` is what the last, partial record still
    needs: 5 when nothing at all was given, 0 when nothing is partial. `malformed_at` is where a header stands that is
    none; whole records before it are kept, and nothing after it is looked at. Positions are in the bytes given.
    """

    records: tuple[Record, ...]
    complete: int
    missing: int
    malformed_at: int | None


def frame(data: bytes, offset: int = 0, *, limit: int = MAX_PROTECTED, most: int = sys.maxsize) -> Framing:
    """Divide `data`, from `offset` on, into whole records, and say how it ends.

    The version in a header does not tell TLS 1.2 from 1.3, so a caller that knows gives `limit` MAX_PROTECTED_TLS13.
    What follows `most` records is not looked at.
    """
    records: list[Record] = []
    start, size = offset, len(data)
    while size - start >= HEADER_SIZE and len(records) < most:
        content_type = data[start]
        length = data[start + 3] << 8 | data[start + 4]
        if not 20 <= content_type <= 24 or data[start + 1] != 3 or length > limit:
            return Framing(tuple(records), start - offset, 0, start)
        end = start + HEADER_SIZE + length
        if end > size:
            return Framing(tuple(records), start - offset, end - size, None)
        records.append(Record(content_type, 0x300 | data[start + 2], start, end))
        start = end
    held = max(size - start, 0)
    missing = HEADER_SIZE - held if held < HEADER_SIZE and (held or not records) else 0
    return Framing(tuple(records), start - offset, missing, None)


def record_end(data: bytes, start: int = 0, *, limit: int = MAX_PROTECTED) -> int:
    """Say where the record at `start` ends; 0 when it is not whole, or begins with a header that is none."""
    if len(data) - start < HEADER_SIZE or not 20 <= data[start] <= 24 or data[start + 1] != 3:
        return 0
    length = data[start + 3] << 8 | data[start + 4]
    end = start + HEADER_SIZE + length
    return end if length <= limit and end <= len(data) else 0


def read_header(data: bytes, offset: int = 0) -> RecordHeader | None:
    """Read the header at `offset` whatever it says; None while fewer than five bytes are held."""
    if offset < 0 or len(data) - offset < HEADER_SIZE:
        return None
    kind, major, minor, high, low = data[offset : offset + HEADER_SIZE]
    return RecordHeader(kind, major << 8 | minor, high << 8 | low)


def is_malformed(header: RecordHeader, *, limit: int = MAX_PROTECTED) -> bool:
    """Tell a header that no TLS peer sends: by content type (SSLv2 hellos have 0x80 there), major version or length."""
    return not 20 <= header.content_type <= 24 or header.version >> 8 != 3 or header.length > limit
