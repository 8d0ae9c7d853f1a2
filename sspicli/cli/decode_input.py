"""What `decode` is given: arguments, files and stdin, read into tokens; recordings and key logs.

The rule guarded here: an argument that could be two things is refused or said. A file of that name comes first; a word
that is merely base64, and whose bytes begin nothing known, is more likely a file that is not there.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

import click

from sspicli.analysis.exchange import Opened, Token, open_recording, open_tokens
from sspicli.journal.recording import LARGEST, Recording, recording_of
from sspicli.sspi.errors import InputError, UsageError
from sspicli.tokens.notation import (
    MAX_BYTES,
    Block,
    Notation,
    NotationError,
    Written,
    WrongFileError,
    begins_recording,
    read_notation,
)
from sspicli.tokens.sniff import Kind, Told, tell
from sspicli.tokens.tls import TlsReader
from sspicli.views.text import visible

_AS_TOLD = {
    Kind.TLS: "TLS records",
    Kind.HANDSHAKE: "TLS handshake messages without record headers",
    Kind.CERTIFICATE: "an X.509 certificate in DER",
}


class Forced(NamedTuple):
    """What `--as` says about notation and kind, None for nothing."""

    notation: Notation | None
    kind: Kind | None


class Given(NamedTuple):
    """One argument: what it is called, its bytes, and whether they are the argument's own text."""

    name: str
    data: bytes
    is_text: bool


def forced_by(words: Sequence[str]) -> Forced:
    """Divide the words of `--as`: one may say how the input is written, and one what it is."""
    notations = {Notation(word) for word in words if word in set(Notation)}
    kinds = {Kind(word) for word in words if word in set(Kind)}
    if len(notations) > 1 or len(kinds) > 1:
        raise UsageError("input is written in one way, and is one thing", where="--as", help="leave all but one out")
    return Forced(next(iter(notations), None), next(iter(kinds), None))


def open_all(
    arguments: Sequence[str], forced: Forced, *, sender: str, leg: int | None, secrets: Sequence[str]
) -> list[Opened]:
    """Open everything: each recording for itself, all else as one exchange."""
    opened: list[Opened] = []
    exchange: list[Token] = []
    for argument in arguments:
        given = _given(argument)
        written = _written(given, forced)
        if written.notation is Notation.RECORDING:
            opened += open_recording(_recording(given).records, secrets)
        else:
            exchange += _tokens(given, written, forced, number=len(exchange))
    if leg is not None:
        opened = _of_leg(opened, leg, has_others=bool(exchange))
    return opened + open_tokens(exchange, secrets, first_sender=sender)


def secrets_in(path: Path) -> list[str]:
    """Read a key log; lines that are none are counted and said, and never shown."""
    data = _file(path)
    if len(data) > MAX_BYTES:
        raise InputError(f"the key log is larger than {MAX_BYTES:,} bytes", where=str(path))
    lines = data.decode("ascii", "replace").splitlines()
    reader = TlsReader()
    for one in lines:
        reader.add_secret(one)
    if reader.junk_lines:
        _note(f"{path}: {reader.junk_lines} of {len(lines)} lines are no key-log lines, and were skipped")
    return lines


# -- reading -----------------------------------------------------------------------------------------------------------


def _given(argument: str) -> Given:
    """Read what an argument names: stdin, a file, or itself."""
    if argument == "-":
        return Given("stdin", _bounded(sys.stdin.buffer.read, "stdin"), False)
    path = Path(argument)
    try:
        is_there = path.exists()
    except (OSError, ValueError):  # too long for a path, as tokens are
        is_there = False
    if is_there and argument:
        return Given(argument, _file(path), False)
    return Given("argument", argument.encode("utf-8", "surrogateescape"), True)


def _file(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return _bounded(file.read, str(path))
    except OSError as error:
        raise InputError(f"the file cannot be read: {error.strerror}", where=str(path)) from None


def _bounded(read: Callable[[int], bytes], where: str) -> bytes:
    """Read all there is, up to what a token, or a recording, may have."""
    data = read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES and begins_recording(data):
        data += read(LARGEST + 1 - len(data))
        if len(data) > LARGEST:
            raise InputError(f"the recording is larger than {LARGEST:,} bytes", where=where)
    return data


def _recording(given: Given) -> Recording:
    """Read a recording; that it is not whole is said on stderr."""
    recording = recording_of(BytesIO(given.data), where=given.name)
    if recording.note:
        _note(recording.note)
    return recording


def _note(text: str) -> None:
    click.echo(f"note: {visible(text, 2000)}", err=True)


# -- what it is --------------------------------------------------------------------------------------------------------


def _written(given: Given, forced: Forced) -> Written:
    """Tell how the input is written; what is neither that nor a file is refused."""
    try:
        written = read_notation(given.data, forced.notation)
    except WrongFileError as error:
        raise InputError(f"{error}", where=given.name, help=error.way_out) from None
    except NotationError as error:
        if given.is_text and forced.notation is None and given.data.strip():
            raise _no_token(given, str(error)) from None
        way_out = "--as says how it is written, and --as raw takes the bytes as they are"
        raise InputError(f"{error}", where=given.name, help=way_out) from None
    if given.is_text and forced.notation is None:
        if written.notation is Notation.RAW:
            raise _no_token(given, "it has control characters, which no notation has")
        is_base64 = written.notation is Notation.BASE64 and forced.kind is None
        if is_base64 and tell(written.blocks[0].data).kind is Kind.UNKNOWN:
            cause = "it could be base64, but begins no token"
            raise InputError(f"there is no file {_shown(given)}", cause=cause, help="--as base64 takes it so")
    return written


def _no_token(given: Given, cause: str) -> InputError:
    way_out = "sspi-async decode, without a token, lists what it takes"
    return InputError(f"{_shown(given)} is neither a file nor a token", cause=cause, help=way_out)


def _shown(given: Given) -> str:
    return visible(given.data.decode("utf-8", "backslashreplace"), 60)


def _tokens(given: Given, written: Written, forced: Forced, *, number: int) -> Iterator[Token]:
    """Make the tokens of one input, with what each was taken as in its title."""
    for index, block in enumerate(written.blocks, start=1):
        count = f" {index}" if len(written.blocks) > 1 else ""
        name = f"{given.name} {number + 1}" if given.is_text and number else given.name
        label = f" {block.label}" if block.label else ""
        title = f"{name}{count}: {_SAID[written.notation]}{label}"
        yield Token(block.data, title, block.sender, _told(block, forced), block.note)


def _told(block: Block, forced: Forced) -> Told | None:
    if forced.kind is None or block.note:
        return None
    return Told(forced.kind, _AS_TOLD[forced.kind], "--as says so")


def _of_leg(opened: list[Opened], leg: int, *, has_others: bool) -> list[Opened]:
    legs = [one for one in opened if one.token.leg == leg]
    if has_others or not opened:
        raise UsageError("only a recording has legs", where="--leg", help="leave it out")
    if not legs:
        last = max(one.token.leg for one in opened)
        raise UsageError(f"there is no leg {leg}", where="--leg", help=f"the recording has legs 1 to {last}")
    return legs


_SAID = {
    Notation.HEX: "hex",
    Notation.DUMP: "a hex dump",
    Notation.BASE64: "base64",
    Notation.PEM: "PEM",
    Notation.HEADER: "an HTTP header,",
    Notation.RAW: "bytes",
}
