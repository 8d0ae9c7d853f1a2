"""A journal in a file: JSON Lines, append-only, readable up to the last whole line whatever stopped the writer.

The writer flushes at every settled call, after so many lines without one, and at the end; when the disk is full it
stops with one line to its `warn`, and the run goes on. A new file is created 0600 and never overwrites another. The
reader tolerates a torn tail and says where it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from sspicli.files.regular import cannot_read, open_regular_file
from sspicli.journal import events as ev
from sspicli.journal.codec import CodecError, Decoder, Encoder
from sspicli.journal.journal import Record
from sspicli.journal.redact import redacted
from sspicli.journal.secret_file import SecretFile
from sspicli.sspi.errors import InputError

LARGEST = 1 << 30  # bytes a recording may have to be read
LONGEST_LINE = 32 << 20  # bytes; the largest record has some tokens of 1 MiB, in hex
_MOST_UNWRITTEN = 100  # lines; messages are protected by no call that could settle
_SETTLING = (ev.CallCompleted, ev.CallbackReturned, ev.RunEnded, ev.ContractBroken, ev.RunStarted)


class RecordingWriter:
    """Write every record of a journal to a file; subscribe it to the journal."""

    def __init__(self, path: Path, *, include_secrets: bool, warn: Callable[[str], None]) -> None:
        self._encoder = Encoder()
        self._includes_secrets = include_secrets
        self._file = SecretFile(path, f"the recording {path}", warn)
        self._unwritten: list[str] = [self._encoder.header(has_secrets=include_secrets)]
        self._flush()  # whatever ends us before the first record: the file says what it is

    def __call__(self, record: Record) -> None:
        """Take the next record."""
        if not self._file.is_open:
            return
        if not self._includes_secrets:
            record = record._replace(event=redacted(record.event))
        self._unwritten.append(self._encoder.line(record))
        if isinstance(record.event, _SETTLING) or len(self._unwritten) >= _MOST_UNWRITTEN:
            self._flush()

    def close(self) -> None:
        """Write what is left and close the file."""
        self._flush()
        self._file.close()

    @property
    def is_whole(self) -> bool:
        """Say whether everything so far was written."""
        return self._file.is_open

    def _flush(self) -> None:
        text = "".join(self._unwritten)
        self._unwritten.clear()
        self._file.write(text)


class KeyLogWriter:
    """Write every key-log line of a journal to a file, in NSS format; subscribe it to the journal."""

    def __init__(self, path: Path, *, warn: Callable[[str], None]) -> None:
        self._file = SecretFile(path, f"the key log {path}", warn)

    def __call__(self, record: Record) -> None:
        """Take the next record."""
        if isinstance(record.event, ev.KeyLogged):
            self._file.write(f"{record.event.line}\n")

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class GapError(CodecError):
    """A record that is whole, and not the one that follows."""


class Recording(NamedTuple):
    """What a file held: its records, whether secrets are in it, and a note when it is not whole.

    `has_gap` says that a record is not the one that follows: some before it were taken out, doubled or moved.
    """

    records: list[Record]
    has_secrets: bool
    note: str
    has_gap: bool = False


def read_recording(path: Path, *, largest: int = LARGEST) -> Recording:
    """Read a recording up to its last whole record; an unreadable header, or no regular file, is an InputError.

    What is read takes about three times the file's size in memory; a file of more than `largest` bytes is refused.
    """
    with open_regular_file(path) as file:
        return recording_of(_lines(file, path, largest), where=str(path))


def recording_of(lines: Iterable[bytes], *, where: str) -> Recording:
    """Read the lines of a recording; `where` names what they come from."""
    numbered = enumerate(lines, start=1)
    decoder = Decoder()
    try:
        has_secrets = decoder.header(_text(_first(numbered)))
    except CodecError as error:
        raise InputError(f"this is not a recording: {error}", where=f"{where}:1") from None
    records: list[Record] = []
    for number, line in numbered:
        try:
            records.append(_following(decoder.record(_text(line)), len(records)))
        except CodecError as error:
            note = f"{where}:{number}: {error}; the {len(records)} records before it are used"
            return Recording(records, has_secrets, note, isinstance(error, GapError))
    is_whole = bool(records) and isinstance(records[-1].event, ev.RunEnded)
    note = "" if is_whole else f"{where}: the recording ends before the run did, after {_last_call(records)}"
    return Recording(records, has_secrets, note)


def _first(numbered: Iterator[tuple[int, bytes]]) -> bytes:
    for _, line in numbered:
        return line
    raise CodecError("the file is empty")


def _following(record: Record, count: int) -> Record:
    """Make sure that no line before this one is lost, doubled or moved."""
    if record.sequence != count + 1:
        raise GapError(f"record {record.sequence} stands where {count + 1} should")
    return record


def _last_call(records: list[Record]) -> str:
    for record in reversed(records):
        if isinstance(record.event, ev.CallCompleted):
            return str(record.event.call)
    return "no call"


def _lines(file: BinaryIO, path: Path, largest: int) -> Iterator[bytes]:
    """Give line after line, without ever holding more than one; a line that is too long comes cut."""
    taken = 0
    try:
        while line := file.readline(LONGEST_LINE):
            taken += len(line)
            if taken > largest:
                raise InputError(f"the recording is larger than {largest:,} bytes", where=str(path))
            yield line
    except OSError as reason:
        raise cannot_read(path, reason) from None


def _text(line: bytes) -> str:
    """Decode a line; what is no text is damage."""
    try:
        return line.decode("ascii")
    except UnicodeDecodeError:
        raise CodecError("the line is damaged: it is not all ASCII") from None
