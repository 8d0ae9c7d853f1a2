"""Write a report to the file named for it, over what stands there: for files that every run makes anew.

The rule guarded here: a reader finds the old report or the new one, never half of either. What is no regular file (a
FIFO, /dev/stderr) cannot be replaced and is written to.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from sspicli.files.atomic import overwrite
from sspicli.sspi.errors import WriteError


def check_place(path: Path) -> None:
    """Refuse a place where no file can be written, before any work is done for it."""
    if path.is_dir():
        raise WriteError("this is a directory; a file's name is needed", where=str(path))
    if not path.parent.is_dir():
        raise WriteError("the file cannot be written: there is no such folder", where=str(path))


def replace_file(path: Path, text: str) -> None:
    """Write a text to a file, new or over what stands there."""
    data = text.encode("utf-8", "backslashreplace")
    if path.is_file():
        overwrite(path, data)
        return
    try:
        if path.exists():
            path.write_bytes(data)
        else:
            _create(path, data)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "not a possible file name"
        raise WriteError(f"the file cannot be written: {reason}", where=str(path)) from None


def _create(path: Path, data: bytes) -> None:
    """Make the file, and fill it at once; an empty one is not left behind."""
    path.touch()
    try:
        overwrite(path, data)
    except BaseException:
        with suppress(OSError):
            path.unlink()
        raise
