"""The law: what may be done with an async context in each phase of its life, and how we know.

Every rule of an async context's life stands in this table and nowhere else. It is data, so the runtime enforces it and
the analysis derives it again from records: two independent checks of one law. A cell is (phase, verb, inside), where
`inside` says that the caller is running in the notify callback of that very async context. Three verdicts, because
Windows has three answers: it works, it refuses with a status, or nothing is promised.

Where Windows names no code for a refusal, ours is an assumption: SEC_E_INVALID_HANDLE at queueing,
STATUS_INVALID_HANDLE and STATUS_INVALID_DEVICE_STATE for reinit.

Sources: the sspi.h reference pages of the twelve names, and "Asynchronous SSPI contexts" (overview); "sample" is the
code on the overview page; "msquic" is that project's Schannel back end.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final, NamedTuple

from sspicli.sspi.package import Source
from sspicli.sspi.status import NtStatus, SecurityStatus


class Phase(StrEnum):
    """Where an async context is in its life; NULL and FOREIGN are handles that name none."""

    NULL = "null"
    FOREIGN = "foreign"
    IDLE = "idle"
    PENDING = "pending"
    PENDING_SILENT = "pending, silent"
    COMPLETE = "complete, notification owed"
    NOTIFYING = "in its callback"
    SETTLED = "settled"
    FREED = "freed"

    __hash__ = str.__hash__  # the enum's own is Python code, and the law is looked up at every call


class Verb(StrEnum):
    """What a caller does with an async context; queueing has three faces, by function and registered callback."""

    SET_CALLBACK = "set the notify callback"
    REQUIRES_NOTIFY = "ask whether it requires notification"
    GET_STATUS = "get the call status"
    QUEUE = "queue a call"
    QUEUE_SILENT_DELETE = "queue a silent delete"
    QUEUE_SILENT_OTHER = "queue another call with no callback"
    REINIT = "reinitialise"
    FREE = "free"

    __hash__ = str.__hash__


class Allowed(NamedTuple):
    """It works, and the async context is in `next` afterwards."""

    next: Phase


class Refused(NamedTuple):
    """It is refused with `status`, and nothing changes."""

    status: SecurityStatus | NtStatus


class Undefined(NamedTuple):
    """Nothing is promised: on Windows this corrupts memory, hangs or stops the machine. `why` says it in a sentence."""

    why: str


Verdict = Allowed | Refused | Undefined


class Row(NamedTuple):
    """A cell's verdict, how we know it, where it is written, and the code of its misuse rule ("" for none).

    `assumed` names what of a documented verdict is ours all the same, such as the code of a refusal; "" for nothing.
    """

    verdict: Verdict
    source: Source
    reference: str
    rule: str = ""
    assumed: str = ""


Cell = tuple[Phase, Verb, bool]

_D, _O, _I = Source.DOCUMENTED, Source.OBSERVED, Source.INFERRED
_BAD = Refused(SecurityStatus.SEC_E_INVALID_HANDLE)
_IN_USE = Refused(NtStatus.STATUS_INVALID_DEVICE_STATE)
_NO_SUCH = Refused(NtStatus.STATUS_INVALID_HANDLE)
_QUEUEING = (Verb.QUEUE, Verb.QUEUE_SILENT_DELETE, Verb.QUEUE_SILENT_OTHER)
_ASKING = (Verb.REQUIRES_NOTIFY, Verb.GET_STATUS)
_BOTH, _INSIDE, _ELSEWHERE = (False, True), (True,), (False,)

LAW: Final[dict[Cell, Row]] = {}


def _law(phases: tuple[Phase, ...], verbs: tuple[Verb, ...], where: tuple[bool, ...], row: Row) -> None:
    for phase in phases:
        for verb in verbs:
            for inside in where:
                cell = (phase, verb, inside)
                assert cell not in LAW, f"two rows for {cell}"
                LAW[cell] = row


def _stays(
    phases: tuple[Phase, ...], verbs: tuple[Verb, ...], where: tuple[bool, ...], source: Source, reference: str
) -> None:
    for phase in phases:
        _law((phase,), verbs, where, Row(Allowed(phase), source, reference))


# -- A handle that names no async context ------------------------------------------------------------------------------
_law(
    (Phase.NULL, Phase.FOREIGN),
    (Verb.SET_CALLBACK, Verb.GET_STATUS, *_QUEUEING),
    _BOTH,
    Row(_BAD, _I, "the pages name no status for a bad async context", "A009"),
)
_law((Phase.NULL, Phase.FOREIGN), (Verb.REQUIRES_NOTIFY,), _BOTH, Row(_BAD, _I, "answered FALSE here", "A009"))
_law(
    (Phase.NULL, Phase.FOREIGN),
    (Verb.REINIT,),
    _BOTH,
    Row(_NO_SUCH, _D, "SspiReinitAsyncContext: fails when invalid", "A009", "the NTSTATUS code"),
)
_law((Phase.NULL,), (Verb.FREE,), _BOTH, Row(Allowed(Phase.NULL), _I, "sspi.h: Handle is _In_opt_; no effect"))
_law(
    (Phase.FOREIGN,),
    (Verb.FREE,),
    _BOTH,
    Row(Undefined("it frees memory that no SspiCreateAsyncContext gave"), _I, "SspiFreeAsyncContext", "A009"),
)

# -- SspiSetAsyncNotifyCallback ----------------------------------------------------------------------------------------
_stays((Phase.IDLE,), (Verb.SET_CALLBACK,), _BOTH, _D, "SspiSetAsyncNotifyCallback")
_stays(
    (Phase.COMPLETE, Phase.NOTIFYING, Phase.SETTLED),
    (Verb.SET_CALLBACK,),
    _BOTH,
    _I,
    "it counts for the next call; the one under way keeps what was registered when it was queued",
)
_law(
    (Phase.PENDING, Phase.PENDING_SILENT),
    (Verb.SET_CALLBACK,),
    _BOTH,
    Row(
        Undefined("its call is running, and which callback the notification reaches is not promised"),
        _I,
        "SspiSetAsyncNotifyCallback: to be called before the call is queued",
        "B002",
    ),
)

# -- SspiAsyncContextRequiresNotify and SspiGetAsyncCallStatus ---------------------------------------------------------
_stays((Phase.IDLE,), (Verb.REQUIRES_NOTIFY,), _BOTH, _D, "SspiAsyncContextRequiresNotify")
_law(
    (Phase.IDLE,),
    (Verb.GET_STATUS,),
    _BOTH,
    Row(
        _BAD,
        _I,
        "no page says what the status of no call is; ours never says pending, or a poller would wait for ever",
        "A011",
    ),
)
_stays((Phase.PENDING, Phase.PENDING_SILENT, Phase.COMPLETE), _ASKING, _BOTH, _D, "SspiGetAsyncCallStatus")
_stays((Phase.NOTIFYING,), _ASKING, _BOTH, _D, "SspiGetAsyncCallStatus; the sample asks inside the callback")
_stays((Phase.SETTLED,), _ASKING, _BOTH, _I, "the status stays until reinit or free")

# -- The five queueing functions ---------------------------------------------------------------------------------------
_law((Phase.IDLE,), (Verb.QUEUE,), _BOTH, Row(Allowed(Phase.PENDING), _D, "Asynchronous SSPI contexts (overview)"))
_law(
    (Phase.IDLE,),
    (Verb.QUEUE_SILENT_DELETE,),
    _BOTH,
    Row(Allowed(Phase.PENDING_SILENT), _D, "SspiDeleteSecurityContextAsync: no callback is an opt-out"),
)
_law(
    (Phase.IDLE,),
    (Verb.QUEUE_SILENT_OTHER,),
    _BOTH,
    Row(
        Allowed(Phase.PENDING_SILENT),
        _I,
        "SspiSetAsyncNotifyCallback: a null callback is supported for SspiDeleteSecurityContextAsync only",
        "B001",
    ),
)
_law(
    (Phase.PENDING, Phase.PENDING_SILENT),
    _QUEUEING,
    _BOTH,
    Row(_BAD, _I, "an async context tracks one call at a time (documented); the refusal is assumed", "A003"),
)
_law(
    (Phase.COMPLETE, Phase.NOTIFYING, Phase.SETTLED),
    _QUEUEING,
    _BOTH,
    Row(_BAD, _I, "its lifetime is one call; reinit makes it reusable (documented); the refusal is assumed", "A002"),
)

# -- SspiReinitAsyncContext --------------------------------------------------------------------------------------------
_law((Phase.IDLE,), (Verb.REINIT,), _BOTH, Row(Allowed(Phase.IDLE), _I, "nothing to reset"))
_law(
    (Phase.PENDING, Phase.PENDING_SILENT),
    (Verb.REINIT,),
    _BOTH,
    Row(_IN_USE, _D, "SspiReinitAsyncContext: fails while in use", "A001", "the NTSTATUS code"),
)
_law(
    (Phase.COMPLETE,),
    (Verb.REINIT,),
    _BOTH,
    Row(
        Undefined("its notification is still owed and would fire into the next call"),
        _I,
        "SspiReinitAsyncContext",
        "A001",
    ),
)
_law((Phase.NOTIFYING,), (Verb.REINIT,), _INSIDE, Row(Allowed(Phase.IDLE), _I, "the call is complete and was notified"))
_law(
    (Phase.NOTIFYING,),
    (Verb.REINIT,),
    _ELSEWHERE,
    Row(Undefined("its callback is running and may use it"), _I, "SspiReinitAsyncContext", "A001"),
)
_law(
    (Phase.SETTLED,),
    (Verb.REINIT,),
    _BOTH,
    Row(Allowed(Phase.IDLE), _D, "SspiReinitAsyncContext: the callback is kept"),
)

# -- SspiFreeAsyncContext ----------------------------------------------------------------------------------------------
_law((Phase.IDLE,), (Verb.FREE,), _BOTH, Row(Allowed(Phase.FREED), _I, "no call was queued, so none can be lost"))
_law(
    (Phase.PENDING,),
    (Verb.FREE,),
    _BOTH,
    Row(
        Undefined("its call is still running and will write to it"),
        _D,
        "SspiFreeAsyncContext: not before completion",
        "A004",
    ),
)
_law(
    (Phase.PENDING_SILENT,),
    (Verb.FREE,),
    _BOTH,
    Row(
        Allowed(Phase.FREED),
        _D,
        "SspiDeleteSecurityContextAsync: freed at once when no callback is wanted; msquic does",
    ),
)
_law(
    (Phase.COMPLETE,),
    (Verb.FREE,),
    _BOTH,
    Row(
        Undefined("its notification is owed and would be called with freed memory"),
        _D,
        "SspiFreeAsyncContext: not before the callback was invoked",
        "A005",
    ),
)
_law(
    (Phase.NOTIFYING,),
    (Verb.FREE,),
    _INSIDE,
    Row(Allowed(Phase.FREED), _D, "the sample frees in the callback; msquic does"),
)
_law(
    (Phase.NOTIFYING,),
    (Verb.FREE,),
    _ELSEWHERE,
    Row(Undefined("its callback is running and may use it"), _I, "SspiFreeAsyncContext", "A005"),
)
_law((Phase.SETTLED,), (Verb.FREE,), _BOTH, Row(Allowed(Phase.FREED), _D, "SspiFreeAsyncContext"))

# -- After the end -----------------------------------------------------------------------------------------------------
_law(
    (Phase.FREED,),
    (Verb.SET_CALLBACK, *_ASKING, *_QUEUEING, Verb.REINIT),
    _BOTH,
    Row(Undefined("it was freed; this uses freed memory"), _I, "SspiFreeAsyncContext ends its life", "A006"),
)
_law(
    (Phase.FREED,),
    (Verb.FREE,),
    _BOTH,
    Row(Undefined("it was freed already; freeing twice corrupts the pool"), _I, "SspiFreeAsyncContext: once", "A007"),
)


class Progress(StrEnum):
    """What happens to an async context without its caller: the runtime's own moves."""

    COMPLETES = "the call completes"
    ENTERS = "the callback is entered"
    RETURNS = "the callback returns"

    __hash__ = str.__hash__


# An invariant of this runtime, not a promise of Windows: a move that is not here is our own bug. A callback's return
# moves the async context only while that callback's call is still the one tracked (it may have been reinitialised or
# freed inside).
PROGRESS: Final[dict[tuple[Phase, Progress], Phase]] = {
    (Phase.PENDING, Progress.COMPLETES): Phase.COMPLETE,
    (Phase.PENDING_SILENT, Progress.COMPLETES): Phase.SETTLED,
    (Phase.FREED, Progress.COMPLETES): Phase.FREED,
    (Phase.COMPLETE, Progress.ENTERS): Phase.NOTIFYING,
    (Phase.NOTIFYING, Progress.RETURNS): Phase.SETTLED,
}
