"""One side of a session: its async SSPI, and the programs that drive it under names of their own."""

from __future__ import annotations

import re
from collections.abc import Mapping

from sspicli.runtime.api import AsyncSspi
from sspicli.session.actions import Driver
from sspicli.sspi.errors import UsageError


class Endpoint:
    """One side: its async SSPI, its program, and other programs that run beside it, as threads of one process do.

    All of them share the async SSPI and the end of the wire: who waits for bytes first gets what arrives first. On
    record the others are called `client.NAME`; a NAME is in small letters, and none that a handle or its callback has.
    """

    __slots__ = ("api", "others", "program")

    def __init__(self, api: AsyncSspi, program: Driver, others: Mapping[str, Driver] | None = None) -> None:
        self.api = api
        self.program = program
        self.others = others or {}
        for name in self.others:
            check_program_name(name)


_PROGRAM_NAME = r"(?!(?:ac|call|cred|ctxt)[0-9]+$|(?:callback|package)$)[a-z][a-z0-9-]{0,29}"


def check_program_name(name: str) -> None:
    """Refuse a name that a record could not be told from others by."""
    if re.fullmatch(_PROGRAM_NAME, name) is None:
        help = "small letters, digits and -, beginning with a letter; not ac1, callback or package"
        raise UsageError(f"{name[:40]!r} cannot be the name of a program", where="programs", help=help)
