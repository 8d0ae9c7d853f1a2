"""Read a file that somebody else wrote: a regular file, of bounded size, or a clear refusal.

The rule guarded here: opening a path never waits and never takes without end. A FIFO would wait for its writer, a
device may do anything, a terminal would take the keyboard: none of them is read. The size is counted while reading,
because a file may grow and files of /proc say that they are empty. No refusal quotes what is in the file.
"""

from __future__ import annotations

import os
import stat

from sspicli.sspi.errors import InputError

_CHUNK = 1 << 20


def read_regular_file(path: str | os.PathLike[str], *, largest: int, too_large: str) -> bytes:
    """Read a regular file of at most `largest` bytes; else an InputError with the path, and `too_large` for more."""
    shown = os.fspath(path)
    flags = os.O_RDONLY
    for name in ("O_NONBLOCK", "O_NOCTTY", "O_CLOEXEC", "O_BINARY"):  # not all of them exist everywhere
        flags |= getattr(os, name, 0)
    try:
        descriptor = os.open(path, flags)
    except (OSError, ValueError) as reason:
        raise _cannot_read(shown, reason) from None
    try:
        _check_regular(shown, os.fstat(descriptor).st_mode)
        return _read_all(shown, descriptor, largest=largest, too_large=too_large)
    except OSError as reason:
        raise _cannot_read(shown, reason) from None
    finally:
        os.close(descriptor)


def _check_regular(path: str, mode: int) -> None:
    if not stat.S_ISREG(mode):
        what = "a directory" if stat.S_ISDIR(mode) else "a FIFO, a device or a socket"
        raise InputError(f"this is {what}; a regular file is needed", where=path)


def _read_all(path: str, descriptor: int, *, largest: int, too_large: str) -> bytes:
    """Read to the end, whatever size the file says it has, and stop when it is too much."""
    data = bytearray()
    while chunk := os.read(descriptor, _CHUNK):
        data += chunk
        if len(data) > largest:
            raise InputError(too_large, where=path)
    return bytes(data)


def _cannot_read(path: str, reason: OSError | ValueError) -> InputError:
    if isinstance(reason, FileNotFoundError):
        return InputError("there is no such file", where=path)
    words = reason.strerror if isinstance(reason, OSError) and reason.strerror else "not a possible file name"
    return InputError("the file cannot be read", where=path, cause=words)
