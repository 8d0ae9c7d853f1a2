"""Opening a recording for a command: from a file or standard input, with what is wrong with it said in its place.

The rule guarded here: a recording is a file from outside. What cannot be read or contradicts itself is an InputError
that names the record; what was cut short is read as far as it goes, with a note on stderr, and counts as read.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from sspicli.sspi.errors import InputError, UsageError

if TYPE_CHECKING:
    from sspicli.analysis.report import Report
    from sspicli.journal.journal import Record
    from sspicli.journal.recording import Recording

STDIN = "-"

RECORDING = click.Path(dir_okay=False, allow_dash=True, path_type=Path)
"""The type of a recording's argument: a file, which shells complete, or `-` for standard input."""


class Opened(NamedTuple):
    """A recording that was read: its name, its records, and the key-log lines given besides."""

    name: str
    records: list[Record]
    has_secrets: bool
    note: str
    secrets: tuple[str, ...]

    @property
    def handshakes(self) -> tuple[int, ...]:
        """List the numbers of the handshakes it holds."""
        from sspicli.journal.events import HandshakeBegan

        found = {one.event.number for one in self.records if isinstance(one.event, HandshakeBegan)}
        return tuple(sorted(found))

    def report(self, handshake: int | None = None) -> Report:
        """Fold the records into what the run came to."""
        from sspicli.analysis.report import report

        return report(self.records, secrets=self.secrets, handshake=handshake)


def open_recording(path: Path, keylog: Path | None = None) -> Opened:
    """Read a recording and, where one is given, a key log for it; notes on what is not whole go to stderr."""
    from sspicli.analysis.soundness import check_recording
    from sspicli.views.text import visible

    name = "standard input" if str(path) == STDIN else str(path)
    recording = _read(path)
    check_recording(recording.records, name)
    secrets = () if keylog is None else _secrets(keylog, recording.records)
    if recording.note:
        click.echo(f"note: {visible(recording.note, 1000)}", err=True)
    return Opened(name, recording.records, recording.has_secrets, recording.note, secrets)


def _read(path: Path) -> Recording:
    from sspicli.journal.recording import read_recording, recording_of

    if str(path) != STDIN:
        return read_recording(path)
    if sys.stdin is None or sys.stdin.isatty():
        raise UsageError("standard input is a terminal", where=STDIN, help="name a recording, or pipe one in")
    return recording_of(_lines_of_stdin(), where="standard input")


def _lines_of_stdin() -> Iterator[bytes]:
    """Give line after line, within the bounds that a file has too."""
    from sspicli.journal.recording import LARGEST, LONGEST_LINE

    taken = 0
    while line := sys.stdin.buffer.readline(LONGEST_LINE):
        taken += len(line)
        if taken > LARGEST:
            raise InputError(f"the recording is larger than {LARGEST:,} bytes", where="standard input")
        yield line


def _secrets(path: Path, records: list[Record]) -> tuple[str, ...]:
    """Read the key-log lines that belong to this recording: those whose client random was on the wire."""
    from sspicli.journal.events import TokenSent
    from sspicli.tokens.keylog import read_keylog

    sent = b"".join(one.event.data for one in records if isinstance(one.event, TokenSent) and one.event.leg)
    keylog = read_keylog(path)
    lines = tuple(line for line in keylog.lines if bytes.fromhex(line.split()[1]) in sent)
    if not lines:
        click.echo("note: the key log has no secrets of this recording", err=True)
    return lines
