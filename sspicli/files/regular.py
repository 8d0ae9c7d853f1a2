"""Read a file that somebody else wrote: a regular file, of bounded size, or a clear refusal.

The rule guarded here: opening a path never waits and never takes without end. A FIFO would wait for its writer, a
device may do anything, a terminal would take the keyboard: none of them is read. The size is counted while reading,
because a file may grow and files of /proc say that they are empty. No refusal quotes what is in the file.
"""

from __future__ import annotations

import os
import stat
from typing import BinaryIO

from sspicli.sspi.errors import InputError


def read_regular_file(path: str | os.PathLike[str], *, largest: int, too_large: str) -> bytes:
    """Read a regular file of at most `largest` bytes; else an InputError with the path, and `too_large` for more."""
    with open_regular_file(path) as file:
        try:
            data = file.read(largest + 1)
        except OSError as reason:
            raise cannot_read(path, reason) from None
    if len(data) > largest:
        raise InputError(too_large, where=os.fspath(path))
    return data


def open_regular_file(path: str | os.PathLike[str]) -> BinaryIO:
    """Open a regular file to be read; anything else is an InputError with the path."""
    flags = os.O_RDONLY
    for name in ("O_NONBLOCK", "O_NOCTTY", "O_CLOEXEC", "O_BINARY"):  # not all of them exist everywhere
        flags |= getattr(os, name, 0)
    try:
        descriptor = os.open(path, flags)
    except (OSError, ValueError) as reason:
        raise cannot_read(path, reason) from None
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISREG(mode):
        return os.fdopen(descriptor, "rb")
    os.close(descriptor)
    what = "a directory" if stat.S_ISDIR(mode) else "a FIFO, a device or a socket"
    raise InputError(f"this is {what}; a regular file is needed", where=os.fspath(path))


def cannot_read(path: str | os.PathLike[str], reason: OSError | ValueError) -> InputError:
    """Say why the system does not let a file be opened or read."""
    if isinstance(reason, FileNotFoundError):
        return InputError("there is no such file", where=os.fspath(path))
    words = reason.strerror if isinstance(reason, OSError) and reason.strerror else "not a possible file name"
    return InputError("the file cannot be read", where=os.fspath(path), cause=words)
