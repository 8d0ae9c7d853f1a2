"""What steps are made of: where bytes come from, how buffers are passed, and what is expected of calls and buffers.

A buffer can be passed in every shape that a careless driver would pass it in: NULL, too small, of the wrong type, with
a size that is not true. Nothing here is performed; `program.py` and `perform_*.py` do that.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from sspicli.scenario.words import (
    AlertName,
    BufferTypeWord,
    Flag,
    FlagName,
    Hex,
    Int,
    Name,
    Part,
    Size,
    Status,
    Text,
    wrong,
)

AC, CRED, CTXT, RECEIVED, OUTPUT = "ac", "cred", "ctxt", "received", "output"
FOREIGN = "foreign"

AsyncContextName = Annotated[
    Name | None, Field(description="The async context's variable; null for NULL, `foreign` for one that never was.")
]
CredentialName = Annotated[Name | None, Field(description="The credential's variable; null for NULL.")]
SecurityContextName = Annotated[Name | None, Field(description="The security context's variable; null for NULL.")]


# -- bytes and buffers -------------------------------------------------------------------------------------------------
class Slice(Part):
    """A stretch of bytes; negative numbers count from the end."""

    start: Int = 0
    """The first byte."""
    end: Int | None = None
    """The byte after the last; the end of all, when left out."""


class Bytes(Part):
    """Bytes from one source, or a stretch of them."""

    from_: Name | None = None
    """A variable: `received`, `output` (the last call's output token), or one that `keep` made."""
    leg: Annotated[Int, Field(ge=1)] | None = None
    """What leg N of this connection carried."""
    hex: Hex | None = None
    """These bytes."""
    text: Text | None = None
    """This text, in UTF-8."""
    zeros: Annotated[Int, Field(ge=0, le=1 << 24)] | None = None
    """So many zero bytes."""
    slice: Slice | None = None
    """Only this stretch."""

    @model_validator(mode="after")
    def _one_source(self) -> Bytes:
        given = [one for one in (self.from_, self.leg, self.hex, self.text, self.zeros) if one is not None]
        if len(given) != 1:
            raise wrong("bytes come from one of from, leg, hex, text and zeros", "name one of them")
        return self


BytesFrom = Annotated[Name | Bytes, Field(description="A variable's name, or a source of bytes.")]


class Buffer(Part):
    """One SecBuffer as it is passed: its type, and what pvBuffer points at (NULL when nothing is said)."""

    type: BufferTypeWord
    """SECBUFFER_*."""
    bytes: BytesFrom | None = None
    """What it holds."""
    room: Annotated[Int, Field(ge=0, le=1 << 24)] | None = None
    """Memory of the caller's own, for output."""
    size: Annotated[Int, Field(ge=0, le=0xFFFFFFFF)] | None = None
    """cbBuffer, where it is to say something else than what the buffer holds."""
    readonly: Flag = False
    """Set SECBUFFER_READONLY."""
    alpn: list[Text] | None = None
    """These application protocols, as SEC_APPLICATION_PROTOCOLS (for APPLICATION_PROTOCOLS)."""


Buffers = Annotated[
    Literal["default"] | list[Buffer] | None,
    Field(description="The buffers in their order; null for a NULL descriptor; default for the documented layout."),
]


# -- what is expected of a step ----------------------------------------------------------------------------------------
class BufferExpected(Part):
    """What a buffer is expected to be after the call."""

    type: BufferTypeWord | None = None
    """SECBUFFER_*."""
    size: Size | None = None
    """cbBuffer."""
    hex: Hex | None = None
    """What it holds."""


class CallExpected(Part):
    """What is expected of a queued call: at queueing, and once it has completed."""

    queue: Status | None = None
    """The queue status: what the function itself returned."""
    status: Status | None = None
    """The call status, once it has completed."""
    pending: Flag | None = None
    """Whether it was still pending when the queueing function returned."""
    completes: Flag | None = None
    """Whether it completed at all."""
    callbacks: Annotated[Int, Field(ge=0)] | None = None
    """How many times its notify callback was called."""
    handle: Literal["new", "untouched"] | None = None
    """Whether it wrote a new handle to its variable."""
    input: list[BufferExpected] | None = None
    """The input buffers after the call, by position."""
    output: list[BufferExpected] | None = None
    """The output buffers after the call, by position."""
    granted: list[FlagName] | None = None
    """Context attributes that are among those granted (ISC_RET_*, ASC_RET_*)."""
    denied: list[FlagName] | None = None
    """Context attributes that are not."""
    alert: AlertName | Literal["none"] | None = None
    """The TLS alert that it made or was told of."""


class QueryExpected(Part):
    """What is expected of a synchronous function."""

    status: Status | None = None
    """Its SECURITY_STATUS."""
    fields: dict[Text, Any] | None = None
    """Members of the structure, by their documented names."""
    buffers: list[BufferExpected] | None = None
    """The buffers afterwards, by position."""
