"""Make a file of the user's that anyone may read who may read the folder: never over another.

The rule guarded here: what exists stays as it is, and a file that could not be filled is not left behind.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from sspicli.sspi.errors import WriteError


def create_file(path: Path, text: str) -> None:
    """Write a text to a new file; a WriteError with the path when there is one, or when it cannot be."""
    try:
        with path.open("x", encoding="utf-8", newline="\n") as file:
            try:
                file.write(text)
                file.flush()
            except BaseException:
                with suppress(OSError):
                    path.unlink()
                raise
    except FileExistsError:
        raise WriteError(
            "the file exists, and is not overwritten", where=str(path), help="choose another name"
        ) from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "not a possible file name"
        raise WriteError(f"the file cannot be written: {reason}", where=str(path)) from None
