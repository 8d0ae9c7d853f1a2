"""What is known of each of the twelve names beyond its declaration: how long memory is used, what comes back, traps.

The rule guarded here: every sentence says how we know it. Windows documents little of this; what is observed names the
project in which, and what is inferred is ours and may be wrong. Every pointer that outlives its function's return has
its lifetime.

Source: sspi.h, its reference pages and the overview "Asynchronous SSPI contexts" (documented; "sample" is the code
there); msquic's Schannel back end, Wine's tests as they pass on Windows, MinGW's import library for ksecdd.sys
(observed).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from sspicli.sspi.functions import Function
from sspicli.sspi.package import Source
from sspicli.sspi.status import SecurityStatus


class Fact(NamedTuple):
    """A sentence, how we know it, and where it is written or was seen."""

    text: str
    source: Source
    reference: str


class FurtherStatus(NamedTuple):
    """A call status that the function's page does not list."""

    status: SecurityStatus
    source: Source
    reference: str


class FunctionFacts(NamedTuple):
    """The facts of one function.

    `returned` reads the value that the function itself returns. `lifetimes` says of each parameter until when what it
    points to must stay as it is; parameters without one are used up when the function returns. `irql` is empty where
    nobody says or shows anything. `further` are call statuses beyond `Function.final_statuses`.
    """

    notes: tuple[Fact, ...]
    returned: tuple[Fact, ...] = ()
    lifetimes: Mapping[str, Fact] = MappingProxyType({})
    irql: tuple[Fact, ...] = ()
    further: tuple[FurtherStatus, ...] = ()


_F, _S = Function, SecurityStatus
_D, _O, _I = Source.DOCUMENTED, Source.OBSERVED, Source.INFERRED
_HEADER, _OVERVIEW, _MSQUIC, _MINGW = "sspi.h", "overview", "msquic", "MinGW, ksecdd import library"


def _documented(text: str, reference: str) -> Fact:
    return Fact(text, _D, reference)


def _observed(text: str, reference: str) -> Fact:
    return Fact(text, _O, reference)


def _inferred(text: str, reference: str = "no page says") -> Fact:
    return Fact(text, _I, reference)


AVAILABILITY: Final = (
    _documented("Kernel mode only, and only for TLS clients and servers (Schannel).", _OVERVIEW),
    _documented("Windows 10 1607 and Windows Server 2016, and later.", "reference pages"),
    _documented("Declared when ISSP_MODE is 0, which is kernel mode.", _HEADER),
)
"""Where all of them exist."""

NOT_EXPORTED: Final[Mapping[str, Fact]] = MappingProxyType(
    {
        name: _observed(f"{name} is declared, yet absent from the kernel's import library.", _MINGW)
        for name in (
            "SspiAsyncContextRequiresNotify",
            "SspiAcquireCredentialsHandleAsyncA",
            "SspiInitializeSecurityContextAsyncA",
        )
    }
)
"""Names that are declared and that a kernel driver may not be able to link."""

_QUEUED = (
    _documented("SEC_E_OK says that the call was queued, and nothing more.", "page of each queueing function"),
    _documented("Any other value says that nothing was queued: nothing will complete later.", "as above"),
    _observed("After such a value no callback comes, and everything still belongs to the caller.", _MSQUIC),
    _documented("The call may have completed before the function returns.", f"{_OVERVIEW}, sample"),
    _inferred("SEC_I_ASYNC_CALL_PENDING is a call status and never this value.", "the pages name it for the former"),
)

_COMPLETION = "until the call has completed"
_TRACKED = _documented(
    "until the call has completed and its notify callback was entered; it may be freed inside the callback",
    "SspiFreeAsyncContext; msquic does",
)
_WRITTEN_LATE = _inferred(f"{_COMPLETION}: it is written just before", "marked _In_: only its address is taken")
_VARIABLE = _inferred(_COMPLETION)
_DESCRIPTOR = _inferred(
    f"{_COMPLETION}: the descriptor, its array and every buffer; virtual memory, not pool (documented)", _OVERVIEW
)
_LEG_LIFETIMES = {
    "AsyncContext": _TRACKED,
    "phCredential": _VARIABLE,
    "phContext": _VARIABLE,
    "pInput": _DESCRIPTOR,
    "phNewContext": _WRITTEN_LATE,
    "pOutput": _DESCRIPTOR,
    "pfContextAttr": _WRITTEN_LATE,
    "ptsExpiry": _WRITTEN_LATE,
}
_ONE_AT_A_TIME = _documented(
    "A security context is not safe for two legs at once, so at most one of its calls may be pending (inferred).",
    "InitializeSecurityContext",
)
_DELETE_PARTIAL = _documented(
    "A security context that came into being must be deleted, even if a later leg fails.",
    "SspiDeleteSecurityContextAsync",
)
_NO_CANCEL = _inferred("There is no cancelling and no time limit: to give up, wait for the call, then delete.")

FUNCTION_FACTS: Final[Mapping[Function, FunctionFacts]] = MappingProxyType(
    {
        _F.SspiCreateAsyncContext: FunctionFacts(
            (
                _documented(
                    "An async context tracks one call at a time: then it is reinitialised or freed.", _OVERVIEW
                ),
                _inferred("It belongs to no package and to no security context; any of the five calls may use it."),
            ),
            (
                _documented("NULL says that memory ran out.", f"{_OVERVIEW}, sample"),
                _observed("NULL is taken for want of memory.", _MSQUIC),
            ),
        ),
        _F.SspiFreeAsyncContext: FunctionFacts(
            (
                _documented(
                    "Not before its call has completed and its notify callback has been entered; inside it is fine.",
                    "SspiFreeAsyncContext",
                ),
                _documented(
                    "After a delete without a callback it is called at once, even while the delete is pending.",
                    "SspiDeleteSecurityContextAsync; msquic does",
                ),
                _documented("It frees neither the security context nor the credential.", "SspiFreeAsyncContext"),
                _inferred(
                    "The page says that a status other than pending means not completed: that sentence is the wrong "
                    "way round.",
                    "SspiGetAsyncCallStatus says the opposite",
                ),
            ),
        ),
        _F.SspiReinitAsyncContext: FunctionFacts(
            (
                _documented("The notify callback and its data stay registered.", "SspiReinitAsyncContext"),
                _inferred("Inside the notify callback it is taken to be allowed: the call is complete and notified."),
            ),
            (
                _documented("It answers with an NTSTATUS, not a SECURITY_STATUS: 0 is success.", _HEADER),
                _documented("It fails when the async context is invalid or in use.", "SspiReinitAsyncContext"),
                _inferred("No page names the code of a failure, so test for failure and not for a code."),
            ),
        ),
        _F.SspiSetAsyncNotifyCallback: FunctionFacts(
            (
                _documented("It must be called before the call is queued.", "SspiSetAsyncNotifyCallback"),
                _inferred("The last registration counts."),
                _documented(
                    "NULL for callback and data declines the notification, for SspiDeleteSecurityContextAsync alone; "
                    "the header says that the callback is not optional.",
                    "SspiSetAsyncNotifyCallback",
                ),
            ),
            (
                _documented("SEC_E_OK is success; the page lists nothing else.", f"{_OVERVIEW}, sample"),
                _observed("Anything else is taken for a failure.", _MSQUIC),
            ),
            {
                "Callback": _inferred("until it has returned: its code must stay loaded"),
                "CallbackData": _inferred("until the notify callback has returned; it is never looked into"),
            },
        ),
        _F.SspiAsyncContextRequiresNotify: FunctionFacts(
            (_inferred("A caller does well not to depend on it, because it may not be linkable.", _MINGW),),
            (
                _documented("One byte: TRUE when a notification is due as the call completes.", _HEADER),
                _inferred("TRUE exactly when a callback that is not NULL is registered."),
            ),
        ),
        _F.SspiGetAsyncCallStatus: FunctionFacts(
            (
                _documented("It may be called inside the notify callback.", f"{_OVERVIEW}, sample"),
                _documented(
                    "A notify callback that frees the async context makes a later look at it a use after free; the "
                    "documentation's own sample has that race.",
                    f"{_OVERVIEW}, sample",
                ),
            ),
            (
                _documented(
                    "SEC_I_ASYNC_CALL_PENDING alone says that the call has not completed; every other value is final.",
                    "SspiGetAsyncCallStatus",
                ),
                _documented(
                    "A final value is what the synchronous function would have returned, SEC_I_CONTINUE_NEEDED too.",
                    _OVERVIEW,
                ),
                _inferred("A final value stays until the async context is reinitialised or freed."),
                _inferred("Before any call was queued no value is documented."),
            ),
        ),
        _F.SspiAcquireCredentialsHandleAsync: FunctionFacts(
            (
                _documented(
                    "Strings are counted Unicode strings whose buffers lie in process virtual memory, not in pool.",
                    "its page",
                ),
                _observed("Authentication data in pool works all the same.", _MSQUIC),
                _documented("Of the credential uses only INBOUND and OUTBOUND are listed.", "its page"),
                _inferred(
                    "The page's text on pAuthData was copied from CREDSSP; Schannel takes SCH_CREDENTIALS.", _MSQUIC
                ),
                _observed("A server passes its certificate's host name as principal, a client NULL.", _MSQUIC),
            ),
            _QUEUED,
            {
                "AsyncContext": _TRACKED,
                "pszPrincipal": _observed(f"{_COMPLETION}, with its buffer", _MSQUIC),
                "pszPackage": _observed(f"{_COMPLETION}, with its buffer", _MSQUIC),
                "pvLogonId": _VARIABLE,
                "pAuthData": _observed(
                    f"{_COMPLETION}, with all it points to; not after, the credential keeps its own",
                    f"{_MSQUIC} frees it then",
                ),
                "pGetKeyFn": _VARIABLE,
                "pvGetKeyArgument": _VARIABLE,
                "phCredential": _observed(f"{_COMPLETION}: it is written just before", _MSQUIC),
                "ptsExpiry": _WRITTEN_LATE,
            },
            further=(
                FurtherStatus(
                    _S.SEC_E_ALGORITHM_MISMATCH,
                    _O,
                    "Wine's tests: protocol bits of the other side only, or DTLS with TLS",
                ),
            ),
        ),
        _F.SspiInitializeSecurityContextAsync: FunctionFacts(
            (
                _documented(
                    "The first leg has no phContext, later ones have the partial security context.", "its page"
                ),
                _DELETE_PARTIAL,
                _ONE_AT_A_TIME,
                _NO_CANCEL,
                _observed("No public program is known to call it: msquic uses the synchronous form.", _MSQUIC),
            ),
            _QUEUED,
            {**_LEG_LIFETIMES, "pszTargetName": _VARIABLE},
        ),
        _F.SspiAcceptSecurityContextAsync: FunctionFacts(
            (
                _documented("Called again, with a reinit between, until SEC_E_OK.", "its page"),
                _documented("The first input buffer is a TOKEN, the second an EMPTY.", "its page"),
                _observed(
                    "Even SEC_E_OK may come with a token that must be sent: TLS 1.3 tickets.", "a trace of Windows"
                ),
                _observed(
                    "Where a client certificate is required and none comes, the handshake ends with "
                    "SEC_I_INCOMPLETE_CREDENTIALS, which is positive.",
                    _MSQUIC,
                ),
                _inferred(
                    "The sample passes one variable as phContext and phNewContext, on the first leg too, where the "
                    "former must be NULL.",
                    "AcceptSecurityContext",
                ),
                _DELETE_PARTIAL,
                _ONE_AT_A_TIME,
                _NO_CANCEL,
            ),
            _QUEUED,
            _LEG_LIFETIMES,
        ),
        _F.SspiDeleteSecurityContextAsync: FunctionFacts(
            (
                _documented("The one function that may be queued without a notify callback.", "its page"),
                _documented("For every security context, partial, rejected or failed ones too.", "its page"),
                _documented("A bad handle shows at completion, as SEC_E_INVALID_HANDLE.", "its page"),
                _observed("It may delete what a synchronous call made.", _MSQUIC),
                _inferred("While a leg of the same security context is pending nothing is promised."),
            ),
            _QUEUED,
            {
                "AsyncContext": _documented(
                    "as for any call; without a callback it is not needed once the function has returned", "its page"
                ),
                "phContext": _observed("only while the function runs", f"{_MSQUIC} overwrites it at once"),
            },
        ),
        _F.SspiFreeCredentialsHandleAsync: FunctionFacts(
            (
                _documented("After the security contexts made with it were deleted.", "FreeCredentialsHandle"),
                _observed("They keep the credential alive all the same.", "Wine's tests; .NET"),
            ),
            _QUEUED,
            {
                "AsyncContext": _TRACKED,
                "phCredential": _inferred("only while the function runs", "as for SspiDeleteSecurityContextAsync"),
            },
            further=(FurtherStatus(_S.SEC_E_INVALID_HANDLE, _I, "as for SspiDeleteSecurityContextAsync"),),
        ),
        _F.SspiAsyncNotifyCallback: FunctionFacts(
            (
                _documented("It is called whether the call succeeded or failed.", "SspiAsyncNotifyCallback"),
                _inferred("Once per queued call, and never for a call that could not be queued.", _MSQUIC),
                _observed("It may run before the queueing function has returned, and on another thread.", _MSQUIC),
                _inferred(
                    "So hold no lock across a queueing call that it takes, and depend on no thread's identity or "
                    "impersonation.",
                ),
                _inferred("All results are written, and the final status can be read, before it is entered."),
            ),
            irql=(
                _observed("One that frees pool and sets credential attributes relies on PASSIVE_LEVEL.", _MSQUIC),
                _inferred("No page promises an IRQL."),
            ),
        ),
    }
)


def page_address(function: Function) -> str:
    """Give the address of a function's reference page."""
    kind = "nc" if function is Function.SspiAsyncNotifyCallback else "nf"
    return f"https://learn.microsoft.com/windows/win32/api/sspi/{kind}-sspi-{function.forms[0].lower()}"
