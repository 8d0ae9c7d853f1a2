"""What a line says before the debugger sees it: comments, and files of lines.

The rule guarded here: the same words mean the same at the prompt, in a file, on standard input and behind -c. A `#` is
a comment where it begins a line or stands behind a blank and outside quotes; in `client.init#2` it is none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from sspicli.files.regular import read_regular_file
from sspicli.sspi.errors import InputError

LONGEST = 10_000  # characters of a line
_LARGEST = 1 << 20  # bytes of a file of commands


class Source(NamedTuple):
    """A line, and where it stands: `file:line`, "" for what was typed."""

    text: str
    where: str


def without_comment(text: str) -> str:
    """Take out a comment and the blanks around what is left."""
    quote = ""
    for at, one in enumerate(text):
        if quote:
            quote = "" if one == quote else quote
        elif one in "\"'":
            quote = one
        elif one == "#" and (at == 0 or text[at - 1].isspace()):
            return text[:at].strip()
    return text.strip()


def lines_of_file(path: Path, name: str) -> list[Source]:
    """Read a file of commands; what is no UTF-8 text of bounded size is an InputError."""
    data = read_regular_file(path, largest=_LARGEST, too_large=f"a file of commands has at most {_LARGEST:,} bytes")
    return list(lines_of_bytes(data.split(b"\n"), name))


def lines_of_bytes(rows: Iterable[bytes], name: str) -> Iterator[Source]:
    """Decode lines one by one, so that what comes before a bad one is carried out."""
    for number, row in enumerate(rows, 1):
        try:
            text = row.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r\n")
        except UnicodeDecodeError:
            raise InputError("this line is no UTF-8 text", where=f"{name}:{number}") from None
        if len(text) > LONGEST:
            raise InputError(f"a command has at most {LONGEST:,} characters", where=f"{name}:{number}")
        yield Source(text, f"{name}:{number}")
