"""Which files a command line means: files by name, directories with everything below them, in a fixed order.

The rule guarded here: nothing is run twice, and nothing is passed over in silence. Directories give their `*.sspi.yaml`
files sorted by name, whatever order the system lists them in; a recording is replayed only when it is named. Links are
followed, and a directory that leads back to itself is entered once. Folders whose name begins with a dot are not
entered.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from sspicli.analysis.cases import Place, Problem
from sspicli.files.regular import open_regular_file
from sspicli.sspi.errors import InputError

SUFFIX = ".sspi.yaml"
_RECORDING = b'{"schema":"sspi-async/recording/'
UNREADABLE = "E0302"


class Found(NamedTuple):
    """A file to run: `name` is as the user named it, and `case` the id that is wanted of it, None for all of it."""

    path: Path
    name: str
    is_recording: bool = False
    case: str | None = None


class Collected(NamedTuple):
    """The files in their order, and the folders that could not be looked into."""

    files: tuple[Found, ...]
    problems: tuple[Problem, ...]


def collect(paths: Sequence[str]) -> Collected:
    """Find the files that these paths name; a path that leads nowhere is an InputError.

    A path may be a case's id too: `file::scenario[parameters]`.
    """
    search = _Search()
    for path in paths:
        search.add(path)
    return Collected(tuple(search.files), tuple(search.problems))


class _Search:
    """What was found so far; a file that is named twice counts once, unless other cases of it are named."""

    def __init__(self) -> None:
        self.files: list[Found] = []
        self.problems: list[Problem] = []
        self._seen: set[tuple[str, str | None]] = set()

    def add(self, given: str) -> None:
        path, case = _parted(given)
        if path.is_dir():
            for one in self._below(path):
                self._take(Found(one, one.as_posix()))
            return
        self._take(Found(path, path.as_posix(), _is_recording(path), case))

    def _take(self, found: Found) -> None:
        key = (os.path.realpath(found.path), found.case)
        if key not in self._seen and (key[0], None) not in self._seen:
            self._seen.add(key)
            self.files.append(found)

    def _below(self, root: Path) -> Iterator[Path]:
        """Give the scenarios of a folder and of those in it; the folders still to enter are kept in a list."""
        folders, entered = [root], set[tuple[int, int]]()
        while folders:
            folder = folders.pop()
            try:
                state = folder.stat()
                if (state.st_dev, state.st_ino) in entered:
                    continue
                entered.add((state.st_dev, state.st_ino))
                inside = sorted(folder.iterdir())
                files = [one for one in inside if one.name.endswith(SUFFIX) and not one.is_dir()]
                below = [one for one in inside if not one.name.startswith(".") and one.is_dir()]
            except OSError as error:
                self.problems.append(_not_entered(folder, error))
                continue
            yield from files
            folders += reversed(below)


def _parted(given: str) -> tuple[Path, str | None]:
    """Part a path from the case that is wanted of it; a file whose own name looks like an id is a file."""
    file, mark, _ = given.partition("::")
    is_id = bool(mark) and not os.path.lexists(given)
    path = Path(file if is_id else given)
    if not os.path.lexists(path):
        way_out = "a scenario's file ends in .sspi.yaml; a folder is searched for them"
        raise InputError("there is no such file or folder", where=given, help=way_out)
    return path, f"{path.as_posix()}::{given.partition('::')[2]}" if is_id else None


def _is_recording(path: Path) -> bool:
    """Say whether a file is a recording, by its name or first bytes; what cannot be read is left to who loads it."""
    if path.suffix == ".sspirec":
        return True
    try:
        with open_regular_file(path) as file:
            return file.read(len(_RECORDING)) == _RECORDING
    except (InputError, OSError):
        return False


def _not_entered(folder: Path, error: OSError) -> Problem:
    place = Place(folder.as_posix(), 1, 1, 1, "")
    return Problem(place, f"the folder cannot be searched: {error.strerror}", "let it be read", UNREADABLE)
