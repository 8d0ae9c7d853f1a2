"""Overwrite a file of the user's: all of it or nothing, whatever happens in between.

The rule guarded here: whoever reads the file sees the old text or the new one. The new one is written beside it and
renamed into its place. The file keeps its mode; a link keeps pointing to it. A file that has several names (hard links)
gets the new text under this one only. What was made read-only stays as it is.
"""

from __future__ import annotations

import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

from sspicli.sspi.errors import WriteError


def overwrite(path: Path, data: bytes) -> None:
    """Give a regular file that exists other bytes; else, and if that cannot be done, a WriteError with the path."""
    try:
        _replace(Path(os.path.realpath(path)), data, str(path))
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "not a possible file name"
        raise WriteError(f"the file cannot be written: {reason}", where=str(path)) from None


def _replace(path: Path, data: bytes, name: str) -> None:
    before = path.stat()
    if not stat.S_ISREG(before.st_mode):
        raise WriteError("this is no regular file, and is not overwritten", where=name)
    if not os.access(path, os.W_OK):
        raise WriteError("the file is read-only, and is not overwritten", where=name, help=f"chmod u+w {name}")
    descriptor, beside = tempfile.mkstemp(prefix=f".{path.name[:100]}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        _keep_owner(beside, before)
        Path(beside).chmod(stat.S_IMODE(before.st_mode))
        Path(beside).replace(path)
    except BaseException:
        with suppress(OSError):
            Path(beside).unlink()
        raise


def _keep_owner(beside: str, before: os.stat_result) -> None:
    """Give the new file the old one's owner and group, as far as the system lets us."""
    now = Path(beside).stat()
    if hasattr(os, "chown") and (now.st_uid, now.st_gid) != (before.st_uid, before.st_gid):
        with suppress(PermissionError):
            os.chown(beside, before.st_uid, before.st_gid)
