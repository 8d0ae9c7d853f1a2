"""The eleven asynchronous functions and the callback type, as they are documented: one card each.

The rule guarded here: names, order and directions are those of the header, errors of the prose left out. In the
asynchronous forms every out-parameter is marked as an input: its *address* is taken when the call is queued, and the
value is written there before the call completes. So nothing may be read from it when the function returns.

Source: sspi.h (header); the page of each function in the sspi.h reference (documented).
"""

from __future__ import annotations

from enum import Enum, StrEnum
from typing import NamedTuple

from sspicli.sspi.status import SecurityStatus


class Direction(StrEnum):
    """How the header marks a parameter."""

    IN = "_In_"
    IN_OPTIONAL = "_In_opt_"
    IN_OUT = "_Inout_"


class Argument(NamedTuple):
    """One parameter: its name and C type as declared, how it is marked, and what to know about it ("" for nothing)."""

    name: str
    type: str
    direction: Direction
    note: str = ""

    @property
    def is_optional(self) -> bool:
        """Say whether NULL may be passed."""
        return self.direction is Direction.IN_OPTIONAL


class Function(Enum):
    """The eleven functions, and SspiAsyncNotifyCallback, which is a type the caller implements."""

    SspiCreateAsyncContext = "SspiCreateAsyncContext"
    SspiFreeAsyncContext = "SspiFreeAsyncContext"
    SspiReinitAsyncContext = "SspiReinitAsyncContext"
    SspiSetAsyncNotifyCallback = "SspiSetAsyncNotifyCallback"
    SspiAsyncContextRequiresNotify = "SspiAsyncContextRequiresNotify"
    SspiGetAsyncCallStatus = "SspiGetAsyncCallStatus"
    SspiAcquireCredentialsHandleAsync = "SspiAcquireCredentialsHandleAsync"
    SspiInitializeSecurityContextAsync = "SspiInitializeSecurityContextAsync"
    SspiAcceptSecurityContextAsync = "SspiAcceptSecurityContextAsync"
    SspiDeleteSecurityContextAsync = "SspiDeleteSecurityContextAsync"
    SspiFreeCredentialsHandleAsync = "SspiFreeCredentialsHandleAsync"
    SspiAsyncNotifyCallback = "SspiAsyncNotifyCallback"

    @property
    def documented_name(self) -> str:
        """The name without the W or A of its forms; see `forms`."""
        return self._value_

    @property
    def forms(self) -> tuple[str, ...]:
        """The names the header declares: one, or the Unicode form and the ANSI form."""
        return tuple(f"{self._value_}{suffix}" for suffix in _CARDS[self].suffixes)

    @property
    def returns(self) -> str:
        """The C type returned."""
        return _CARDS[self].returns

    @property
    def arguments(self) -> tuple[Argument, ...]:
        """The parameters in documented order."""
        return _CARDS[self].arguments

    @property
    def queues(self) -> bool:
        """Say whether it queues a call; its return value is then a queue status and not the call's result."""
        return bool(_CARDS[self].counterpart)

    @property
    def counterpart(self) -> str:
        """The synchronous function with the same parameters, "" for those that queue nothing."""
        return _CARDS[self].counterpart

    @property
    def summary(self) -> str:
        """What it does, in a sentence."""
        return _CARDS[self].summary

    @property
    def final_statuses(self) -> tuple[SecurityStatus, ...]:
        """The call statuses its page lists for a completed call; packages give others too."""
        return _CARDS[self].final_statuses


class _Card(NamedTuple):
    returns: str
    arguments: tuple[Argument, ...]
    summary: str
    counterpart: str = ""
    suffixes: tuple[str, ...] = ("",)
    final_statuses: tuple[SecurityStatus, ...] = ()


_IN, _OPTIONAL, _IN_OUT = Direction.IN, Direction.IN_OPTIONAL, Direction.IN_OUT
_F, _S = Function, SecurityStatus

_SECURITY_STATUS = "SECURITY_STATUS"
_ULONG = "unsigned long"
_POINTER = "SspiAsyncContext*"
_LATE = "the address is taken now, the value written before the call completes"

_ASYNC_CONTEXT = Argument("AsyncContext", _POINTER, _IN_OUT, "tracks this one call until it is reinitialized or freed")
_EXPIRY = Argument("ptsExpiry", "PTimeStamp", _OPTIONAL, _LATE)
_ATTRIBUTES = Argument("pfContextAttr", "unsigned long*", _IN, f"{_LATE}; meaningful at the end of the handshake")
_INPUT = Argument("pInput", "PSecBufferDesc", _OPTIONAL, "first a TOKEN with the peer's bytes, then an EMPTY")
_OUTPUT = Argument("pOutput", "PSecBufferDesc", _OPTIONAL, f"a TOKEN, best with an ALERT; {_LATE}")
_NEW_CONTEXT = Argument("phNewContext", "PCtxtHandle", _OPTIONAL, f"{_LATE}; later legs may pass NULL")
_REPRESENTATION = Argument(
    "TargetDataRep", _ULONG, _IN, "SECURITY_NATIVE_DREP or SECURITY_NETWORK_DREP; not read by Schannel"
)
_ONE_CONTEXT = Argument("Handle", _POINTER, _IN)

_FATAL = (
    _S.SEC_E_INSUFFICIENT_MEMORY,
    _S.SEC_E_INTERNAL_ERROR,
    _S.SEC_E_INVALID_HANDLE,
    _S.SEC_E_INVALID_TOKEN,
    _S.SEC_E_LOGON_DENIED,
    _S.SEC_E_NO_AUTHENTICATING_AUTHORITY,
    _S.SEC_E_NO_CREDENTIALS,
    _S.SEC_E_UNSUPPORTED_FUNCTION,
)
_PROGRESS = (
    _S.SEC_E_OK,
    _S.SEC_I_CONTINUE_NEEDED,
    _S.SEC_I_COMPLETE_NEEDED,
    _S.SEC_I_COMPLETE_AND_CONTINUE,
    _S.SEC_E_INCOMPLETE_MESSAGE,
)

_CARDS: dict[Function, _Card] = {
    _F.SspiCreateAsyncContext: _Card(
        _POINTER,
        (),
        "Create an async context, which tracks one asynchronous call at a time.",
    ),
    _F.SspiFreeAsyncContext: _Card(
        "void",
        (Argument("Handle", _POINTER, _OPTIONAL, "once per async context that was created"),),
        "Free an async context once nothing will use it any more.",
    ),
    _F.SspiReinitAsyncContext: _Card(
        "NTSTATUS",
        (Argument("Handle", _POINTER, _IN_OUT),),
        "Make an async context whose call has completed ready to track another one.",
    ),
    _F.SspiSetAsyncNotifyCallback: _Card(
        _SECURITY_STATUS,
        (
            Argument("Context", _POINTER, _IN),
            Argument(
                "Callback",
                "SspiAsyncNotifyCallback*",
                _IN,
                "the header says not NULL, the page allows it for a delete whose result nobody wants",
            ),
            Argument("CallbackData", "void*", _OPTIONAL, "handed back as it is, never looked into"),
        ),
        "Register the function to be called when the next call of this async context completes.",
    ),
    _F.SspiAsyncContextRequiresNotify: _Card(
        "BOOLEAN",
        (Argument("AsyncContext", _POINTER, _IN),),
        "Say whether this async context expects a notification when its call completes.",
    ),
    _F.SspiGetAsyncCallStatus: _Card(
        _SECURITY_STATUS,
        (_ONE_CONTEXT,),
        "Give the status of the call an async context tracks.",
    ),
    _F.SspiAcquireCredentialsHandleAsync: _Card(
        _SECURITY_STATUS,
        (
            _ASYNC_CONTEXT,
            Argument("pszPrincipal", "PSECURITY_STRING", _OPTIONAL, "NULL for the caller's own identity"),
            Argument("pszPackage", "PSECURITY_STRING", _IN, "a security package's name, such as Schannel"),
            Argument("fCredentialUse", _ULONG, _IN, "SECPKG_CRED_INBOUND or SECPKG_CRED_OUTBOUND"),
            Argument("pvLogonId", "void*", _OPTIONAL),
            Argument("pAuthData", "void*", _OPTIONAL, "SCH_CREDENTIALS for Schannel; the page names another structure"),
            Argument("pGetKeyFn", "SEC_GET_KEY_FN", _OPTIONAL),
            Argument("pvGetKeyArgument", "void*", _OPTIONAL),
            Argument("phCredential", "PCredHandle", _IN, _LATE),
            _EXPIRY,
        ),
        "Queue a call that acquires a credential.",
        "AcquireCredentialsHandle",
        ("W", "A"),
        (
            _S.SEC_E_OK,
            _S.SEC_E_INSUFFICIENT_MEMORY,
            _S.SEC_E_INTERNAL_ERROR,
            _S.SEC_E_NO_CREDENTIALS,
            _S.SEC_E_NOT_OWNER,
            _S.SEC_E_SECPKG_NOT_FOUND,
            _S.SEC_E_UNKNOWN_CREDENTIALS,
        ),
    ),
    _F.SspiInitializeSecurityContextAsync: _Card(
        _SECURITY_STATUS,
        (
            _ASYNC_CONTEXT,
            Argument("phCredential", "PCredHandle", _OPTIONAL, "later legs may pass NULL"),
            Argument("phContext", "PCtxtHandle", _OPTIONAL, "NULL at the first leg, then the partial security context"),
            Argument(
                "pszTargetName", "PSECURITY_STRING", _OPTIONAL, "what the server's certificate is checked against"
            ),
            Argument("fContextReq", _ULONG, _IN, "ISC_REQ_* flags"),
            Argument("Reserved1", _ULONG, _IN, "0"),
            _REPRESENTATION,
            Argument(
                "pInput", "PSecBufferDesc", _OPTIONAL, "at the first leg only what the package asks for, such as ALPN"
            ),
            Argument("Reserved2", _ULONG, _IN, "0"),
            _NEW_CONTEXT,
            _OUTPUT,
            _ATTRIBUTES,
            _EXPIRY,
        ),
        "Queue a call that makes the client's next leg.",
        "InitializeSecurityContext",
        ("W", "A"),
        (*_PROGRESS, _S.SEC_I_INCOMPLETE_CREDENTIALS, *_FATAL, _S.SEC_E_TARGET_UNKNOWN, _S.SEC_E_WRONG_PRINCIPAL),
    ),
    _F.SspiAcceptSecurityContextAsync: _Card(
        _SECURITY_STATUS,
        (
            _ASYNC_CONTEXT,
            Argument("phCredential", "PCredHandle", _OPTIONAL, "needed at every leg in practice"),
            Argument("phContext", "PCtxtHandle", _OPTIONAL, "NULL at the first leg, then the partial security context"),
            _INPUT,
            Argument("fContextReq", _ULONG, _IN, "ASC_REQ_* flags, numbered otherwise than ISC_REQ_*"),
            _REPRESENTATION,
            _NEW_CONTEXT,
            _OUTPUT,
            _ATTRIBUTES,
            _EXPIRY,
        ),
        "Queue a call that makes the server's next leg.",
        "AcceptSecurityContext",
        final_statuses=(*_PROGRESS, *_FATAL),
    ),
    _F.SspiDeleteSecurityContextAsync: _Card(
        _SECURITY_STATUS,
        (_ASYNC_CONTEXT, Argument("phContext", "PCtxtHandle", _IN, "read while the function runs, not later")),
        "Queue a call that deletes a security context, finished or not.",
        "DeleteSecurityContext",
        final_statuses=(_S.SEC_E_OK, _S.SEC_E_INVALID_HANDLE),
    ),
    _F.SspiFreeCredentialsHandleAsync: _Card(
        _SECURITY_STATUS,
        (
            _ASYNC_CONTEXT,
            Argument("phCredential", "PCredHandle", _IN, "read while the function runs, not later (inferred)"),
        ),
        "Queue a call that frees a credential.",
        "FreeCredentialsHandle",
        final_statuses=(_S.SEC_E_OK,),
    ),
    _F.SspiAsyncNotifyCallback: _Card(
        "void",
        (_ONE_CONTEXT, Argument("CallbackData", "void*", _OPTIONAL, "as given when the callback was registered")),
        "Be told that a call has completed, whether it succeeded or failed.",
    ),
}
