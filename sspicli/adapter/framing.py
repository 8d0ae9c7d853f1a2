"""The wire of the Debug Adapter Protocol: messages of JSON behind a Content-Length, bytes in and messages out.

The rule guarded here: nothing is read without end. A header or a message that is too long, and a header that says no
length, end the connection with one sentence: behind them nobody knows where the next message begins. No input or
output is done here.

Source: Debug Adapter Protocol, "Base Protocol".
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping

from sspicli.sspi.errors import InputError

LONGEST_HEADER = 4096  # bytes, the blank line behind it included
LARGEST_MESSAGE = 16 << 20  # bytes; a message that sets breakpoints has some hundreds
_END = b"\r\n\r\n"
_LENGTH = re.compile(rb"[ \t]*(\d{1,12})[ \t]*")


class Framing:
    """Cuts a stream of bytes into the bodies of its messages, wherever it was cut on its way."""

    def __init__(self) -> None:
        self._data = bytearray()
        self._length: int | None = None

    @property
    def is_within(self) -> bool:
        """Say whether a message has begun and is not whole."""
        return bool(self._data) or self._length is not None

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Take bytes, and give the bodies that are whole; then InputError where no message can be found any more."""
        self._data += data
        while self._has_header() and self._length is not None and len(self._data) >= self._length:
            body = bytes(self._data[: self._length])
            del self._data[: self._length]
            self._length = None
            yield body

    def _has_header(self) -> bool:
        if self._length is not None:
            return True
        end = self._data.find(_END, 0, LONGEST_HEADER)
        if end < 0 and len(self._data) >= LONGEST_HEADER:
            raise InputError(f"a message has no header within {LONGEST_HEADER} bytes", help="this is no debug client")
        if end < 0:
            return False
        self._length = _length(bytes(self._data[:end]))
        del self._data[: end + len(_END)]
        return True


def _length(header: bytes) -> int:
    """Read the length out of a header; fields of other names are left alone."""
    for field in header.split(b"\r\n"):
        name, _, value = field.partition(b":")
        found = _LENGTH.fullmatch(value) if name.strip().lower() == b"content-length" else None
        if found is not None and int(found[1]) <= LARGEST_MESSAGE:
            return int(found[1])
        if found is not None:
            raise InputError(f"a message has at most {LARGEST_MESSAGE:,} bytes, this one {int(found[1]):,}")
    raise InputError("a message's header says no Content-Length", help="this is no debug client")


def framed(message: Mapping[str, object]) -> bytes:
    """Write a message with its header."""
    body = json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "backslashreplace")
    return b"Content-Length: %d\r\n\r\n%s" % (len(body), body)
