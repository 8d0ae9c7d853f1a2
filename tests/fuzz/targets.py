"""What is fuzzed: one function for each reader of foreign bytes, which raises when the reader breaks a promise.

The promises: any bytes have a reading or an error of the kind that is announced; the same bytes have the same reading;
a span lies inside what it is a span of; and the time taken is bounded.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from zlib import crc32

from sspicli.journal.codec import Encoder
from sspicli.journal.recording import Recording, recording_of
from sspicli.sspi.errors import InputError
from sspicli.tokens.keylog import parse_keylog
from sspicli.tokens.tls import TlsReader

SECONDS = 1.0  # of this thread's own work, for inputs of a few KiB
RAW = b"\x00"  # in front of a recording: its lines are read as they are, checksums and all
HEADER = Encoder().header(has_secrets=True).encode()


@contextmanager
def bounded(seconds: float = SECONDS) -> Iterator[None]:
    """Make sure that the work takes no more than its time."""
    began = time.thread_time()
    yield
    taken = time.thread_time() - began
    assert taken < seconds, f"it took {taken:.1f} s"


def keylog(data: bytes) -> None:
    """Read a key log, and take its lines for what they are."""
    with bounded():
        found = parse_keylog(data)
    assert found == parse_keylog(data)
    assert found.junk_lines <= data.count(b"\n") + data.count(b"\r") + 1
    reader = TlsReader()
    for line in found.lines:
        assert line.isascii()
        assert line.isprintable()
        reader.add_secret(line)
    assert reader.junk_lines <= len(found.lines)


def recording(data: bytes) -> None:
    """Read a recording; with a good first line and the right checksums, so that what is in the lines is looked at."""
    lines = data[1:].splitlines(keepends=True) or [b""]
    if data[:1] != RAW:
        lines = [HEADER, *(sealed(one) for one in data.split(b"\n"))]
    with bounded():
        found = read(lines)
    assert found == read(lines)
    if isinstance(found, Recording):
        assert [one.sequence for one in found.records] == list(range(1, len(found.records) + 1))
        assert len(found.records) < len(lines)
        assert found.note or len(found.records) == len(lines) - 1
        assert len(found.note) < 1000


def read(lines: list[bytes]) -> Recording | str:
    """Read lines; an error is its message."""
    try:
        return recording_of(lines, where="fuzz")
    except InputError as error:
        return error.message


def sealed(line: bytes) -> bytes:
    """Give a line its right checksum."""
    head = line.rpartition(b',"crc":"')[0] or line.rstrip(b"}\r")
    return b'%b,"crc":"%08x"}\n' % (head, crc32(head))


TARGETS: dict[str, Callable[[bytes], None]] = {"keylog": keylog, "recording": recording}
