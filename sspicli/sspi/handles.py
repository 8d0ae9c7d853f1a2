"""Names for what the API hands out: async contexts, credentials, security contexts and calls.

A handle is minted per actor, never from a global counter, so that two runs that do the same things
name them the same whatever the order in which the actors moved.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class HandleKind(StrEnum):
    """What a handle names; the value is the word it prints with."""

    ASYNC_CONTEXT = "ac"
    CREDENTIAL = "cred"
    SECURITY_CONTEXT = "ctxt"
    CALL = "call"


class Handle(NamedTuple):
    """One minted name, such as `server.call2`.

    `actor` is the endpoint that minted it ("client", "server"), `number` counts from 1 per actor and kind.
    """

    actor: str
    kind: str
    number: int

    def __str__(self) -> str:
        return f"{self.actor}.{self.kind}{self.number}"


def parse_handle(text: str) -> Handle:
    """Read back what `str(handle)` printed; raise ValueError when it is not that."""
    actor, dot, rest = text.rpartition(".")
    kind = rest.rstrip("0123456789")
    digits = rest[len(kind) :]
    if not dot or not actor or not digits or kind not in set(HandleKind):
        raise ValueError(f"{text!r} is not a handle such as client.call1")
    return Handle(actor, kind, int(digits))
