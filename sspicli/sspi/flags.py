"""Context request and return flags, the credential use and the data representation.

The rule guarded here: ISC_REQ, ISC_RET, ASC_REQ and ASC_RET are four sets with four numberings. They agree up to
0x1000 and part there: 0x8000 is STREAM to one side and EXTENDED_ERROR to the other. So each is a type of its own,
without a common word type a value could pass through, and no function here takes "some flags".

Flags above 32 bits travel in a SECBUFFER_FLAGS buffer and never in fContextReq.

Source: sspi.h, ISC_REQ_*, ISC_RET_*, ASC_REQ_*, ASC_RET_*, SECPKG_CRED_*, SECURITY_*_DREP (header).
"""

from __future__ import annotations

from enum import KEEP, IntFlag
from typing import TYPE_CHECKING, Self, TypeVar

SECURITY_NATIVE_DREP = 0x00000010
SECURITY_NETWORK_DREP = 0x00000000


class _FlagWord(IntFlag, boundary=KEEP):
    """A word of flags that keeps unknown bits and, for the type checker, mixes with its own kind only."""

    if TYPE_CHECKING:

        def __or__(self, other: Self) -> Self: ...  # type: ignore[override]  # narrower than int, that is the point
        def __and__(self, other: Self) -> Self: ...  # type: ignore[override]
        def __xor__(self, other: Self) -> Self: ...  # type: ignore[override]
        def __ror__(self, other: Self) -> Self: ...  # type: ignore[override]
        def __rand__(self, other: Self) -> Self: ...  # type: ignore[override]
        def __rxor__(self, other: Self) -> Self: ...  # type: ignore[override]


class IscReq(_FlagWord):
    """ISC_REQ_*: what a client asks for, in fContextReq of the initialize functions."""

    DELEGATE = 0x00000001
    MUTUAL_AUTH = 0x00000002
    REPLAY_DETECT = 0x00000004
    SEQUENCE_DETECT = 0x00000008
    CONFIDENTIALITY = 0x00000010
    USE_SESSION_KEY = 0x00000020
    PROMPT_FOR_CREDS = 0x00000040
    USE_SUPPLIED_CREDS = 0x00000080
    ALLOCATE_MEMORY = 0x00000100
    USE_DCE_STYLE = 0x00000200
    DATAGRAM = 0x00000400
    CONNECTION = 0x00000800
    CALL_LEVEL = 0x00001000
    FRAGMENT_SUPPLIED = 0x00002000
    EXTENDED_ERROR = 0x00004000
    STREAM = 0x00008000
    INTEGRITY = 0x00010000
    IDENTIFY = 0x00020000
    NULL_SESSION = 0x00040000
    MANUAL_CRED_VALIDATION = 0x00080000
    RESERVED1 = 0x00100000
    FRAGMENT_TO_FIT = 0x00200000
    FORWARD_CREDENTIALS = 0x00400000
    NO_INTEGRITY = 0x00800000
    USE_HTTP_STYLE = 0x01000000
    UNVERIFIED_TARGET_NAME = 0x20000000
    CONFIDENTIALITY_ONLY = 0x40000000
    MESSAGES = 0x0000000100000000
    DEFERRED_CRED_VALIDATION = 0x0000000200000000
    NO_POST_HANDSHAKE_AUTH = 0x0000000400000000
    REUSE_SESSION_TICKETS = 0x0000000800000000
    EXPLICIT_SESSION = 0x0000001000000000


class IscRet(_FlagWord):
    """ISC_RET_*: what a client is granted, in the word pfContextAttr points at."""

    DELEGATE = 0x00000001
    MUTUAL_AUTH = 0x00000002
    REPLAY_DETECT = 0x00000004
    SEQUENCE_DETECT = 0x00000008
    CONFIDENTIALITY = 0x00000010
    USE_SESSION_KEY = 0x00000020
    USED_COLLECTED_CREDS = 0x00000040
    USED_SUPPLIED_CREDS = 0x00000080
    ALLOCATED_MEMORY = 0x00000100
    USED_DCE_STYLE = 0x00000200
    DATAGRAM = 0x00000400
    CONNECTION = 0x00000800
    INTERMEDIATE_RETURN = 0x00001000
    CALL_LEVEL = 0x00002000
    EXTENDED_ERROR = 0x00004000
    STREAM = 0x00008000
    INTEGRITY = 0x00010000
    IDENTIFY = 0x00020000
    NULL_SESSION = 0x00040000
    MANUAL_CRED_VALIDATION = 0x00080000
    RESERVED1 = 0x00100000
    FRAGMENT_ONLY = 0x00200000
    FORWARD_CREDENTIALS = 0x00400000
    USED_HTTP_STYLE = 0x01000000
    NO_ADDITIONAL_TOKEN = 0x02000000
    REAUTHENTICATION = 0x08000000
    CONFIDENTIALITY_ONLY = 0x40000000
    MESSAGES = 0x0000000100000000
    DEFERRED_CRED_VALIDATION = 0x0000000200000000
    NO_POST_HANDSHAKE_AUTH = 0x0000000400000000
    REUSE_SESSION_TICKETS = 0x0000000800000000
    EXPLICIT_SESSION = 0x0000001000000000


class AscReq(_FlagWord):
    """ASC_REQ_*: what a server asks for, in fContextReq of the accept functions."""

    DELEGATE = 0x00000001
    MUTUAL_AUTH = 0x00000002
    REPLAY_DETECT = 0x00000004
    SEQUENCE_DETECT = 0x00000008
    CONFIDENTIALITY = 0x00000010
    USE_SESSION_KEY = 0x00000020
    SESSION_TICKET = 0x00000040
    ALLOCATE_MEMORY = 0x00000100
    USE_DCE_STYLE = 0x00000200
    DATAGRAM = 0x00000400
    CONNECTION = 0x00000800
    CALL_LEVEL = 0x00001000
    FRAGMENT_SUPPLIED = 0x00002000
    EXTENDED_ERROR = 0x00008000
    STREAM = 0x00010000
    INTEGRITY = 0x00020000
    LICENSING = 0x00040000
    IDENTIFY = 0x00080000
    ALLOW_NULL_SESSION = 0x00100000
    ALLOW_NON_USER_LOGONS = 0x00200000
    ALLOW_CONTEXT_REPLAY = 0x00400000
    FRAGMENT_TO_FIT = 0x00800000
    NO_TOKEN = 0x01000000
    PROXY_BINDINGS = 0x04000000
    ALLOW_MISSING_BINDINGS = 0x10000000
    MESSAGES = 0x0000000100000000
    EXPLICIT_SESSION = 0x0000001000000000


class AscRet(_FlagWord):
    """ASC_RET_*: what a server is granted, in the word pfContextAttr points at."""

    DELEGATE = 0x00000001
    MUTUAL_AUTH = 0x00000002
    REPLAY_DETECT = 0x00000004
    SEQUENCE_DETECT = 0x00000008
    CONFIDENTIALITY = 0x00000010
    USE_SESSION_KEY = 0x00000020
    SESSION_TICKET = 0x00000040
    ALLOCATED_MEMORY = 0x00000100
    USED_DCE_STYLE = 0x00000200
    DATAGRAM = 0x00000400
    CONNECTION = 0x00000800
    CALL_LEVEL = 0x00002000
    THIRD_LEG_FAILED = 0x00004000
    EXTENDED_ERROR = 0x00008000
    STREAM = 0x00010000
    INTEGRITY = 0x00020000
    LICENSING = 0x00040000
    IDENTIFY = 0x00080000
    NULL_SESSION = 0x00100000
    ALLOW_NON_USER_LOGONS = 0x00200000
    ALLOW_CONTEXT_REPLAY = 0x00400000
    FRAGMENT_ONLY = 0x00800000
    NO_TOKEN = 0x01000000
    NO_ADDITIONAL_TOKEN = 0x02000000
    MESSAGES = 0x0000000100000000
    REUSE_SESSION_TICKETS = 0x0000000800000000
    EXPLICIT_SESSION = 0x0000001000000000


class CredentialUse(_FlagWord):
    """SECPKG_CRED_*: fCredentialUse. The asynchronous function documents INBOUND and OUTBOUND only."""

    INBOUND = 0x00000001
    OUTBOUND = 0x00000002
    BOTH = 0x00000003
    DEFAULT = 0x00000004
    AUTOLOGON_RESTRICTED = 0x00000010
    PROCESS_POLICY_ONLY = 0x00000020


FlagSet = TypeVar("FlagSet", IscReq, IscRet, AscReq, AscRet, CredentialUse)

_PREFIXES: dict[type[IntFlag], str] = {
    IscReq: "ISC_REQ_",
    IscRet: "ISC_RET_",
    AscReq: "ASC_REQ_",
    AscRet: "ASC_RET_",
    CredentialUse: "SECPKG_CRED_",
}


def flag_names(word: IscReq | IscRet | AscReq | AscRet | CredentialUse) -> tuple[str, ...]:
    """List a word's flags by their documented names, lowest bit first, then bits without a name as one hex number."""
    flag_set = type(word)
    known = [flag for flag in flag_set if int(flag) & int(word)]
    unknown = int(word) & ~sum(int(flag) for flag in known)
    names = [f"{_PREFIXES[flag_set]}{flag.name}" for flag in known]
    return (*names, f"0x{unknown:08X}") if unknown else tuple(names)


def flag_text(word: IscReq | IscRet | AscReq | AscRet | CredentialUse) -> str:
    """Print a word as `ISC_RET_CONFIDENTIALITY | ISC_RET_STREAM`; a word without flags as `0`."""
    return " | ".join(flag_names(word)) or "0"


def parse_flags(flag_set: type[FlagSet], text: str) -> FlagSet:
    """Read names of one set, parted by commas (or bars, as printed), with or without its prefix, in any case.

    Raises:
        ValueError: A name is not in this set; a number is no name, and another set's prefix belongs to another set.
    """
    word = flag_set(0)
    for part in text.replace("|", ",").split(","):
        name = part.strip()
        if name:
            word |= _parse_flag(flag_set, name)
    return word


def _parse_flag(flag_set: type[FlagSet], name: str) -> FlagSet:
    prefix = _PREFIXES[flag_set]
    flag = flag_set.__members__.get(name.upper().removeprefix(prefix))
    if flag is None:
        raise ValueError(f"{name!r} is not one of {prefix}*: {', '.join(flag_set.__members__)}")
    return flag
