"""Files that only their owner may read: created 0600, never over another file, never through a link.

A disk that takes no more ends such a file with one line to `warn`, and the run goes on; what was written stays whole.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from io import BufferedWriter, FileIO, TextIOWrapper
from pathlib import Path
from typing import TextIO

from sspicli.sspi.errors import WriteError


class SecretFile:
    """A file that is written piece by piece, without a buffer of its own; `what` names it in the warning."""

    def __init__(self, path: Path, what: str, warn: Callable[[str], None]) -> None:
        self._what = what
        self._warn = warn
        self._file: FileIO | None = FileIO(_create(path), "w")

    @property
    def is_open(self) -> bool:
        """Say whether it still takes what it is given."""
        return self._file is not None

    def write(self, text: str) -> None:
        """Write all of it, or stop for good and say so; nothing is written after that."""
        if self._file is None:
            return
        data = memoryview(text.encode())
        try:
            while data:
                data = data[self._file.write(data) :]
        except OSError as error:
            self._warn(f"{self._what} stops here: {error.strerror}")
            self.close()

    def close(self) -> None:
        """Close the file, once."""
        if self._file is not None:
            self._file.close()
            self._file = None


def create_secret_file(path: Path) -> TextIO:
    """Create a text file that only its owner may read; refuse to overwrite one.

    An error while writing to it names it, as an error of `open` does.
    """
    buffered = BufferedWriter(_NamedFile(path))  # type: ignore[type-var]  # as `write` below
    return TextIOWrapper(buffered, encoding="utf-8", newline="\n")


class _NamedFile(FileIO):
    """A new file whose errors say which file it is."""

    def __init__(self, path: Path) -> None:
        super().__init__(_create(path), "w")
        self._path = path

    def write(self, data: memoryview, /) -> int:  # type: ignore[override]  # what a BufferedWriter hands over
        """Write some of the data."""
        try:
            return super().write(data)
        except OSError as error:
            error.filename = str(self._path)
            raise


def _create(path: Path) -> int:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    for name in ("O_NOFOLLOW", "O_CLOEXEC", "O_BINARY"):  # POSIX has the first two, Windows the last
        flags |= getattr(os, name, 0)
    try:
        return os.open(path, flags, 0o600)
    except FileExistsError:
        raise WriteError(
            "the file exists, and is not overwritten", where=str(path), help="choose another name, or remove it first"
        ) from None
    except OSError as error:
        reason = error.strerror or errno.errorcode.get(error.errno or 0, "unknown reason")
        raise WriteError(f"the file cannot be created: {reason}", where=str(path)) from None
