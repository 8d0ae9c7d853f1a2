"""The files that a scenario's settings name: where they are looked for, and which are refused.

The rule guarded here: a scenario names files beside itself. A path counts from the scenario's own folder, wherever the
command was started; one that leads out of it, whether absolute, by `..`, by ~ or through a link, is refused, unless the
user names the folder it leads to (--allow-path). What cannot be read or is no certificate is found when the scenario is
read, and told at the value.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from sspicli.packages.option_values import CERT_PRESETS, KEY_KINDS, TRUST, suggestion
from sspicli.scenario.problems import Loc
from sspicli.sspi.errors import InputError

WORDS: Mapping[str, Mapping[str, str]] = {
    "cert": CERT_PRESETS,
    "key": KEY_KINDS,
    "trust": TRUST,
    "key-password-file": {},
}
"""The settings that take a file, each with the words that mean none."""

Wrong = tuple[Loc, str, str]


class Files:
    """Finds the files of one scenario file's settings, in its folder and in those the user allows."""

    def __init__(self, folder: Path, allowed: Sequence[Path] = ()) -> None:
        self._folder = folder
        self._allowed = allowed
        self._read: dict[tuple[object, ...], tuple[str, str, str] | None] = {}

    @cached_property
    def _roots(self) -> list[Path]:
        """Give the folders that files may be in; only who names a file asks, for the present one may be gone."""
        return [Path(os.path.realpath(one)) for one in (self._folder, *self._allowed)]

    def placed(self, side: str, settings: Mapping[str, Any]) -> tuple[dict[str, Any], list[Wrong]]:
        """Give settings whose paths count from the scenario's folder; what is refused is left out, and told."""
        kept, wrong = dict(settings), list[Wrong]()
        for key in named_files(settings):
            why = self._refusal(key, settings[key])
            if why is None:
                kept[key] = self._joined(settings[key])
            else:
                del kept[key]
                wrong.append((("session", side, key), *why))
        return kept, wrong

    def unread(self, side: str, settings: Mapping[str, Any]) -> Iterator[Wrong]:
        """Read the files of placed settings as a run would, and tell what is wrong with them."""
        names = named_files(settings)
        if not names:
            return
        asked = tuple(settings[key] if key in names else None for key in WORDS)
        if asked not in self._read:
            self._read[asked] = _read(*asked)
        found = self._read[asked]
        if found is not None:
            key, message, help = found
            yield ("session", side, key), message, help

    def _joined(self, value: str) -> str:
        """Give the path from here; never a text that is a word of the setting, or that begins with ~."""
        path = str(self._folder / value)
        return path if os.path.dirname(path) and not path.startswith("~") else os.path.join(os.curdir, path)  # noqa: PTH118, PTH120

    def _refusal(self, key: str, value: str) -> tuple[str, str] | None:
        """Say why a file is not taken; None for one that is there and may be."""
        if value == "-":
            return "a scenario takes no password from standard input", "name a file beside the scenario"
        try:
            real = Path(os.path.realpath(self._folder / value))
            exists = real.exists()
        except (OSError, ValueError, RuntimeError):
            return "this is not a possible file name", "name a file beside the scenario"
        if value.startswith("~") or not any(real.is_relative_to(root) for root in self._roots):
            return "the file is outside the scenario's folder", "put it beside the scenario, or allow --allow-path DIR"
        if exists:
            return None
        if "/" in value or "\\" in value or "." in value or not WORDS[key]:
            return "there is no such file", "its path counts from the scenario's folder"
        takes = f"it takes a file or one of {', '.join(WORDS[key])}"
        return f"{value[:80]!r} is none of {key}'s words, and no file", suggestion(value, WORDS[key]) or takes


def named_files(settings: Mapping[str, Any]) -> list[str]:
    """List the settings whose value names a file; beside a described certificate no other file of it has a meaning."""
    is_described = settings.get("cert") is not None and not isinstance(settings["cert"], str)
    keys = ["trust"] if is_described else list(WORDS)
    values = {key: settings.get(key) for key in keys}
    return [key for key, one in values.items() if isinstance(one, str) and one and one.lower() not in WORDS[key]]


def leaves_folder(path: str) -> bool:
    """Say whether a path as it is written leads out of the folder it counts from."""
    return path.startswith("~") or Path(path).is_absolute() or ".." in Path(path).parts


def _read(cert: str | None, key: str | None, trust: str | None, password: str | None) -> tuple[str, str, str] | None:
    """Read the files; what is wrong with the first that is: its setting, what, and what to do."""
    from sspicli.packages import keyfiles  # which scenarios that name no file do not pay for

    named = {"key-password-file": password, "key": key, "trust": trust, "cert": cert}
    setting = "key-password-file"
    try:
        secret = None if password is None else keyfiles.read_password(password)
        setting = "cert"
        if cert is not None:
            keyfiles.load_certificate(cert, key_path=key, password=secret)
        setting = "trust"
        if trust is not None:
            keyfiles.load_trust(trust)
    except InputError as error:
        setting = next((one for one, path in named.items() if path is not None and path == error.where), setting)
        return setting, f"{error.message}: {error.cause}" if error.cause else error.message, error.help
    return None
