"""A recording of a case that failed, in the folder named for them.

The rule guarded here: no recording is ever overwritten. A name says which case it is of, in letters that any system
takes; where it is taken, be it by another process at this moment, a number makes it new. Secrets are left out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path

from sspicli.journal.journal import Record
from sspicli.journal.recording import RecordingWriter
from sspicli.sspi.errors import WriteError

_LONGEST = 100  # characters of a name; file systems take 255 bytes
_MOST = 10_000


def keep(id: str, records: Iterable[Record], folder: Path) -> str:
    """Write a case's records to a new file in the folder, and give its path.

    Raises:
        WriteError: The folder takes no more, or cannot be written to.
    """
    cut: list[str] = []
    path, recording = _opened(folder, slug(id), cut.append)
    for record in records:
        recording(record)
    recording.close()
    if cut:
        raise WriteError(cut[0], where=str(path))
    return path.as_posix()


def slug(id: str) -> str:
    """Make a file's name of a case's id: its folders, its suffix and its signs left out."""
    file, _, name = id.partition("::")
    stem = Path(file).name.removesuffix(".sspi.yaml")
    words = re.findall(r"[A-Za-z0-9.]+", f"{stem} {name}")
    return "-".join(words).strip(".-")[:_LONGEST] or "case"


def _opened(folder: Path, name: str, warn: Callable[[str], None]) -> tuple[Path, RecordingWriter]:
    """Open a file under a name that nobody has taken; another process may take one in between."""
    for number in range(1, _MOST):
        path = folder / (f"{name}-{number}.sspirec" if number > 1 else f"{name}.sspirec")
        if path.exists():
            continue
        try:
            return path, RecordingWriter(path, include_secrets=False, warn=warn)
        except WriteError:
            if not path.exists():
                raise
    raise WriteError(f"the folder holds {_MOST:,} recordings of this case", where=str(folder), help="empty it")
