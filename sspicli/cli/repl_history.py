"""What was typed before: a file in the state directory that only its owner may read.

The rule guarded here: history is a convenience and never in the way. A file that cannot be read is an empty one; one
that cannot be written is passed over. Which lines are kept the debugger says. What is read back is data: a line that
could act on a terminal is dropped.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from sspicli.debugger.history import is_kept
from sspicli.files.regular import read_regular_file
from sspicli.files.replace import replace_file
from sspicli.sspi.errors import InputError, WriteError

MOST = 5_000  # lines
_LARGEST = 64 << 20  # bytes


def history_path() -> Path:
    """Name the file in the user's state directory."""
    from platformdirs import user_state_path

    return user_state_path("sspi-async", appauthor=False) / "repl-history"


def rc_path() -> Path:
    """Name the file of commands that every debugger session begins with."""
    from platformdirs import user_config_path

    return user_config_path("sspi-async", appauthor=False) / "replrc"


class HistoryFile:
    """The lines of earlier sessions, and those of this one as they come."""

    def __init__(self, path: Path | None) -> None:
        self._path = path

    def load(self) -> list[str]:
        """Read the lines, oldest first; a file that has grown too long is cut."""
        if self._path is None:
            return []
        try:
            data = read_regular_file(self._path, largest=_LARGEST, too_large="")
        except InputError:
            return []
        lines = [one for one in data.decode("utf-8", "replace").split("\n") if is_kept(one)]
        if len(lines) > 2 * MOST:
            with suppress(OSError, WriteError):
                replace_file(self._path, "\n".join(lines[-MOST:]) + "\n")
        return lines[-MOST:]

    def append(self, line: str) -> None:
        """Write one line behind the others, in one piece, so that two sessions do not mix."""
        if self._path is None or not is_kept(line):
            return
        with suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self._path, _flags(), 0o600)
            try:
                if hasattr(os, "fchmod"):
                    os.fchmod(descriptor, 0o600)  # one that was there may have had another mode
                os.write(descriptor, f"{line}\n".encode("utf-8", "replace"))
            finally:
                os.close(descriptor)


def _flags() -> int:
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
    for name in ("O_NOFOLLOW", "O_CLOEXEC", "O_NONBLOCK", "O_BINARY"):  # not all of them exist everywhere
        flags |= getattr(os, name, 0)
    return flags
