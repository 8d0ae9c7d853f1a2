"""The steps about bytes: on the wire, in variables and buffers, protected and opened."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from sspicli.scenario.shapes import (
    AC,
    CTXT,
    RECEIVED,
    BytesFrom,
    QueryExpected,
    SecurityContextName,
)
from sspicli.scenario.step import Step
from sspicli.scenario.words import Flag, Int, Name, Part, Text


class Connect(Step):
    """Begin connection N on the wire, or go back to it."""

    connect: Annotated[Int, Field(ge=1, le=1000)]


class Send(Step):
    """Put bytes on the wire, as a token."""

    send: BytesFrom
    protected: Flag = False
    """They are protected data and make no leg."""


class Receive(Step):
    """Wait for bytes from the peer and keep them in a variable."""

    class Arguments(Part):
        """The arguments."""

        into: Name = RECEIVED
        append: Flag = False
        """Add them to what the variable holds."""

    receive: Name | Arguments


class KeepExtra(Step):
    """Keep of a variable's bytes what the last call's SECBUFFER_EXTRA says is left over."""

    keep_extra: Name


class Keep(Step):
    """Keep bytes in a variable."""

    class Arguments(Part):
        """The arguments."""

        name: Name
        bytes: BytesFrom

    keep: Arguments


class Close(Step):
    """Close the sending side of the wire."""

    close: Literal["wire"]


class FreeBuffers(Step):
    """FreeContextBuffer: release what the package allocated for the last call's output on this async context."""

    class Arguments(Part):
        """The arguments."""

        async_context: Name = AC
        with_: Text = "FreeContextBuffer"
        """The function that releases it; another one, such as ExFreePool, is a mistake to be shown."""

    free_buffers: Name | Arguments


class Touch(Step):
    """Read, write or free the memory of a buffer that was passed to the last call on an async context."""

    class Arguments(Part):
        """The arguments."""

        async_context: Name = AC
        what: Literal["input", "output"]
        buffer: Annotated[Int, Field(ge=0, le=100)] | None = None
        """Its position; all of the descriptor's buffers when left out."""
        act: Literal["read", "write", "free"]
        bytes: BytesFrom | None = None
        """What is written; every byte is inverted when left out."""

    touch: Arguments


class Assign(Step):
    """Overwrite a variable: a credential's or a security context's, with another's value or with no handle."""

    class Arguments(Part):
        """The arguments."""

        variable: Name
        to: Name | None = None

    assign: Arguments


class Read(Step):
    """Read a variable that a pending call may own: credential, security context, `attributes` or `expiry`."""

    read: Name


class Query(Step):
    """QueryContextAttributes."""

    class Arguments(Part):
        """The arguments."""

        security_context: SecurityContextName = CTXT
        attribute: Text
        """SECPKG_ATTR_*, with or without its prefix."""

    query: Arguments
    expect: QueryExpected | None = None


class Encrypt(Step):
    """EncryptMessage: protect bytes; `output` holds them afterwards."""

    class Arguments(Part):
        """The arguments."""

        security_context: SecurityContextName = CTXT
        bytes: BytesFrom

    encrypt: Arguments
    expect: QueryExpected | None = None


class Decrypt(Step):
    """DecryptMessage: open what a variable holds; `plaintext` holds it afterwards, `received` what was left over."""

    class Arguments(Part):
        """The arguments."""

        security_context: SecurityContextName = CTXT
        bytes: BytesFrom = RECEIVED

    decrypt: Arguments
    expect: QueryExpected | None = None
