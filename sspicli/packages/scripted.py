"""A security package whose legs come from a table: no cryptography, for where the engine is not the subject.

Each role has its list of `ScriptedLeg`s; a security context takes them in order. A leg that wants input and gets none
answers SEC_E_INCOMPLETE_MESSAGE and consumes nothing; past the end of its list it answers SEC_E_OUT_OF_SEQUENCE.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from sspicli.sspi.buffers import BufferImage, BufferType, BufferWrite
from sspicli.sspi.package import (
    AcquireRequest,
    AcquireResult,
    LegRequest,
    LegResult,
    MessageResult,
    QueryResult,
    Role,
)
from sspicli.sspi.status import SecurityStatus


class ScriptedLeg(NamedTuple):
    """What one ISC or ASC call gives: its status and its token."""

    status: SecurityStatus
    token: bytes = b""
    wants_input: bool = True


Script = Mapping[Role, Sequence[ScriptedLeg]]

_OK, _CONTINUE = SecurityStatus.SEC_E_OK, SecurityStatus.SEC_I_CONTINUE_NEEDED

# The shape of a TLS 1.3 handshake without its bytes: three legs, and no tickets afterwards.
THREE_LEGS: Script = {
    Role.CLIENT: (ScriptedLeg(_CONTINUE, b"hello", wants_input=False), ScriptedLeg(_OK, b"finished")),
    Role.SERVER: (ScriptedLeg(_CONTINUE, b"flight"), ScriptedLeg(_OK)),
}


class ScriptedPackage:
    """Answers from a table, under any name."""

    engine = "scripted"

    def __init__(self, script: Script = THREE_LEGS, *, name: str = "Scripted") -> None:
        self.name = name
        self._script = script

    def acquire(self, request: AcquireRequest) -> AcquireResult:
        """Give a credential for anything."""
        return AcquireResult(_OK, ScriptedCredential(self._script))


class ScriptedCredential:
    """Opens security contexts that take their legs from the table."""

    def __init__(self, script: Script) -> None:
        self._script = script

    def open(self, role: Role) -> ScriptedContext:
        """Begin at the first leg of the role."""
        return ScriptedContext(self._script.get(role, ()))

    def free(self) -> None:
        """Hold nothing, release nothing."""


class ScriptedContext:
    """Takes its legs in order."""

    def __init__(self, legs: Sequence[ScriptedLeg]) -> None:
        self._legs = legs
        self._at = 0

    def step(self, request: LegRequest) -> LegResult:
        """Answer with the next leg of the table."""
        if self._at >= len(self._legs):
            return LegResult(SecurityStatus.SEC_E_OUT_OF_SEQUENCE)
        leg = self._legs[self._at]
        if leg.wants_input and not _holds_token(request.input):
            return LegResult(SecurityStatus.SEC_E_INCOMPLETE_MESSAGE)
        self._at += 1
        return LegResult(leg.status, output_writes=_writes(request.output, leg.token))

    def encrypt(self, buffers: tuple[BufferImage, ...], qop: int) -> MessageResult:
        """Leave data as it is."""
        return MessageResult(_OK)

    def decrypt(self, buffers: tuple[BufferImage, ...]) -> MessageResult:
        """Leave data as it is."""
        return MessageResult(_OK)

    def control(self, buffers: tuple[BufferImage, ...] | None) -> MessageResult:
        """Support no control token."""
        return MessageResult(SecurityStatus.SEC_E_UNSUPPORTED_FUNCTION)

    def query(self, attribute: int) -> QueryResult:
        """Support no attribute."""
        return QueryResult(SecurityStatus.SEC_E_UNSUPPORTED_FUNCTION)

    def set_attribute(self, attribute: int, fields: Mapping[str, object]) -> SecurityStatus:
        """Support no attribute."""
        return SecurityStatus.SEC_E_UNSUPPORTED_FUNCTION

    def delete(self) -> None:
        """Hold nothing, release nothing."""


def _holds_token(images: tuple[BufferImage, ...] | None) -> bool:
    return any(one.buffer_type == BufferType.TOKEN and one.size for one in images or ())


def _writes(images: tuple[BufferImage, ...] | None, token: bytes) -> tuple[BufferWrite, ...]:
    for index, one in enumerate(images or ()):
        if one.buffer_type == BufferType.TOKEN:
            return (BufferWrite(index, BufferType.TOKEN, len(token), token or None, allocated=bool(token)),)
    return ()
