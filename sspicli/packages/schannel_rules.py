"""What a call asks for and is granted, side by side, and the phases a security context goes through.

The rule guarded here: the two sides number their flags differently above 0x1000, so each has its own row and no flag is
ever tested without knowing the side. Plain numbers, because they are tested on every leg.

Sources: sspi.h, ISC_REQ_* and ASC_REQ_* (header); the returned words and their echoes (observed: Wine's tests); that
Schannel refuses DELEGATE and PROMPT_FOR_CREDS (documented).
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

from sspicli.sspi.flags import AscReq, IscReq
from sspicli.sspi.package import Evidence, Role
from sspicli.sspi.status import SecurityStatus

WORD_WITHOUT_MEMORY = 0x1C  # what a call failing with SEC_E_INSUFFICIENT_MEMORY returned (observed)
MUTUAL_AUTH = 0x2
ALLOCATE_MEMORY = int(IscReq.ALLOCATE_MEMORY)
USE_SUPPLIED_CREDS = int(IscReq.USE_SUPPLIED_CREDS)
REFUSED_64 = int(IscReq.MESSAGES | IscReq.REUSE_SESSION_TICKETS | IscReq.EXPLICIT_SESSION)
DEFERRED = int(IscReq.MANUAL_CRED_VALIDATION | IscReq.DEFERRED_CRED_VALIDATION)


class Rules(NamedTuple):
    """What differs by side, in plain numbers.

    The returned word is `base` (REPLAY_DETECT, SEQUENCE_DETECT, CONFIDENTIALITY and STREAM, whatever was asked for)
    with `echoes` of the request (observed). `refused` requirements are not met. After `flights_in_clear` flights an
    alert of one's own may go out encrypted; in TLS 1.3 it can be opened again (see schannel_evidence), before that it
    is watched for, which costs a call per state change.
    """

    base: int
    echoes: int
    refused: int
    extended_error: int
    flights_in_clear: int


RULES = {
    Role.CLIENT: Rules(
        base=0x0000801C,
        echoes=int(
            IscReq.EXTENDED_ERROR
            | IscReq.DATAGRAM
            | IscReq.ALLOCATE_MEMORY
            | IscReq.USE_SUPPLIED_CREDS
            | IscReq.MANUAL_CRED_VALIDATION
        ),
        refused=int(IscReq.DELEGATE | IscReq.PROMPT_FOR_CREDS | IscReq.DATAGRAM),
        extended_error=int(IscReq.EXTENDED_ERROR),
        flights_in_clear=1,
    ),
    Role.SERVER: Rules(
        base=0x0001001C,
        echoes=int(AscReq.EXTENDED_ERROR | AscReq.DATAGRAM | AscReq.ALLOCATE_MEMORY),
        refused=int(AscReq.DATAGRAM),
        extended_error=int(AscReq.EXTENDED_ERROR),
        flights_in_clear=1,
    ),
}


class Phase(Enum):
    """Where a security context is in its life."""

    FRESH = "no leg yet"
    SHAKING = "handshake under way"
    OPEN = "handshake done"
    FAILED = "failed"
    DELETED = "deleted"


class Leg(NamedTuple):
    """What a call came to, before it is written to its caller; `consumed` counts bytes at the front of the TOKEN."""

    status: SecurityStatus
    token: bytes = b""
    consumed: int = 0
    alert: tuple[int, int] | None = None
    evidence: Evidence | None = None
    missing: int = 0


class Repeat(NamedTuple):
    """What the engine has eaten of a call that must be repeated, and its result if that was computed already."""

    eaten: bytes
    leg: Leg | None
