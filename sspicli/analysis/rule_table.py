"""Every misuse rule as data: what is wrong, how bad, what Windows documents of it, how to put it right.

The rule guarded here: nothing is claimed that is not known. A rule says whether Windows documents it, in what words of
ours, and on which public page; what nobody documents says so. `reach` says how the rule can be shown here, so that a
rule without a monitor is listed with the reason, and not silently missing.

66 rules: A async contexts, B notification, C buffers and tokens, D security contexts and credentials, P packages.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from sspicli.sspi.package import Source

SEVERITIES = ("error", "warning", "info")  # worst first


class Reach(StrEnum):
    """How a rule can be shown."""

    SCHANNEL = "schannel"
    NTLM = "ntlm"
    ANNOTATION = "annotation"
    EXPLORATION = "exploration"
    INVARIANT = "invariant"


HOW_SHOWN = {
    Reach.SCHANNEL: "by a monitor, on the records of any run",
    Reach.NTLM: "not yet: it needs NTLM or Negotiate, which this version does not have",
    Reach.ANNOTATION: "by a monitor, where the program puts on record what no call shows, or a fault provokes it",
    Reach.EXPLORATION: "not by one run: it needs a search over completion orders, which this version does not have",
    Reach.INVARIANT: "by a monitor; this runtime never does it, so a finding is a bug in sspi-async",
}


class Page(NamedTuple):
    """A public page or thread: its title and where it is."""

    title: str
    url: str


class Rule(NamedTuple):
    """A misuse rule: its code, severity (error, warning, info), title, what to do, and how we know.

    `documented` is one sentence: what Windows documents, or plainly that it documents nothing. `reference` is a public
    page to read.
    """

    code: str
    severity: str
    title: str
    fix: str
    source: Source
    reach: Reach
    documented: str
    reference: Page

    @property
    def has_monitor(self) -> bool:
        """Say whether a monitor watches for it in this version."""
        return self.reach not in (Reach.NTLM, Reach.EXPLORATION)

    @property
    def evidence(self) -> str:
        """Say how we know in a letter: D documented, I inferred, E an invariant of this runtime."""
        if self.reach is Reach.INVARIANT:
            return "E"
        return "I" if self.source is Source.INFERRED else "D"


_D, _I = Source.DOCUMENTED, Source.INFERRED
_SCHANNEL, _NTLM, _ANNOTATION = Reach.SCHANNEL, Reach.NTLM, Reach.ANNOTATION
_WIN32 = "https://learn.microsoft.com/windows/win32/"
_DEVTEST = "https://learn.microsoft.com/windows-hardware/drivers/devtest/"


def _function(name: str, page: str = "") -> Page:
    return Page(f"{name} (sspi.h)", f"{_WIN32}api/sspi/nf-sspi-{(page or name).lower()}")


_OVERVIEW = Page("Asynchronous SSPI contexts", f"{_WIN32}secauthn/sspi-asynchronous-contexts")
_CREATE = _function("SspiCreateAsyncContext")
_FREE = _function("SspiFreeAsyncContext")
_REINIT = _function("SspiReinitAsyncContext")
_SET = _function("SspiSetAsyncNotifyCallback")
_STATUS = _function("SspiGetAsyncCallStatus")
_REQUIRES = _function("SspiAsyncContextRequiresNotify")
_ACQUIRE = _function("SspiAcquireCredentialsHandleAsyncW")
_ACCEPT = _function("SspiAcceptSecurityContextAsync")
_INITIALIZE = _function("SspiInitializeSecurityContextAsyncW")
_DELETE = _function("SspiDeleteSecurityContextAsync")
_FREE_CREDENTIAL = _function("SspiFreeCredentialsHandleAsync")
_ISC = Page("InitializeSecurityContext (Schannel)", f"{_WIN32}secauthn/initializesecuritycontext--schannel")
_ASC = Page("AcceptSecurityContext (Schannel)", f"{_WIN32}secauthn/acceptsecuritycontext--schannel")
_ACH = Page("AcquireCredentialsHandle (Schannel)", f"{_WIN32}secauthn/acquirecredentialshandle--schannel")
_EXTRA = Page("Extra buffers returned by Schannel", f"{_WIN32}secauthn/extra-buffers-returned-by-schannel")
_STREAM = Page("Stream contexts", f"{_WIN32}secauthn/stream-contexts")
_COMPLETE = _function("CompleteAuthToken")
_MSQUIC = Page("msquic, tls_schannel.c", "https://github.com/microsoft/msquic/blob/main/src/platform/tls_schannel.c")
_DEADLOCK = Page("Driver Verifier, Deadlock Detection", f"{_DEVTEST}deadlock-detection")
_VERIFIER = Page("Driver Verifier, Automatic Checks", f"{_DEVTEST}automatic-checks")
_APP_VERIFIER = Page("Application Verifier, NTLM stops", f"{_DEVTEST}application-verifier-stop-codes-ntlm")

_NOT = "Nothing is documented; inferred"

_ASYNC_CONTEXTS = (
    Rule(
        "A001", "error", "reinitialised while its call is not settled",
        "reinit after completion and notification", _D, _SCHANNEL,
        "SspiReinitAsyncContext returns an error when the async context is invalid or in use.", _REINIT,
    ),
    Rule(
        "A002", "error", "second call without reinit",
        "call SspiReinitAsyncContext between two calls", _D, _SCHANNEL,
        "An async context lives for one call, and SspiReinitAsyncContext makes it ready for another.", _CREATE,
    ),
    Rule(
        "A003", "error", "second call while the first is pending",
        "use one async context per call in flight", _I, _SCHANNEL,
        f"{_NOT}: an async context tracks one call at a time, so it is in use while that call is pending.", _CREATE,
    ),
    Rule(
        "A004", "error", "freed while its call is pending",
        "free it in the notify callback, or after it", _D, _SCHANNEL,
        "It must not be freed until the call has completed.", _FREE,
    ),
    Rule(
        "A005", "error", "freed while a notification is owed",
        "free it in the notify callback, or after it", _D, _SCHANNEL,
        "Where notification is required it must not be freed before the callback was invoked.", _FREE,
    ),
    Rule(
        "A006", "error", "used after it was freed",
        "let one side own it: the callback, or the caller", _I, _SCHANNEL,
        f"{_NOT}: freed memory is used, which can stop the machine. The overview's own sample can do it.", _OVERVIEW,
    ),
    Rule(
        "A007", "error", "freed twice",
        "free it once", _I, _SCHANNEL,
        f"{_NOT}: the same memory is freed twice, which Driver Verifier stops the machine for.", _VERIFIER,
    ),
    Rule(
        "A008", "error", "async context never freed",
        "call SspiFreeAsyncContext once for each one created", _D, _SCHANNEL,
        "When done, the caller must free the async context.", _CREATE,
    ),
    Rule(
        "A009", "error", "a handle that names no async context",
        "check what SspiCreateAsyncContext returned", _D, _SCHANNEL,
        "SspiReinitAsyncContext returns an error for an invalid one; of the other functions nothing is said.", _REINIT,
    ),
    Rule(
        "A010", "error", "NULL from SspiCreateAsyncContext not checked",
        "stop there when SspiCreateAsyncContext returned NULL", _D, _ANNOTATION,
        "The overview's sample checks what was returned for the out of memory condition.", _OVERVIEW,
    ),
    Rule(
        "A011", "warning", "status asked before any call",
        "queue a call first", _I, _SCHANNEL,
        f"{_NOT}: no page says what the status of no call is.", _STATUS,
    ),
    Rule(
        "A012", "error", "the queue status taken as the result",
        "read SspiGetAsyncCallStatus before what the call made is used", _D, _SCHANNEL,
        "The functions return the status of queueing alone; the result comes from SspiGetAsyncCallStatus.", _OVERVIEW,
    ),
    Rule(
        "A013", "warning", "reinitialised before the result was read",
        "read SspiGetAsyncCallStatus, then reinit", _I, _SCHANNEL,
        f"{_NOT}: reinit forgets the call and its status with it.", _REINIT,
    ),
    Rule(
        "A014", "warning", "status polled without a pause",
        "wait for the callback, or pause longer between two polls", _I, _SCHANNEL,
        f"{_NOT}: a loop without a pause takes the processor from the call it waits for.", _STATUS,
    ),
    Rule(
        "A015", "error", "waits for a callback that cannot come",
        "set a callback before queueing, or poll the status", _I, _SCHANNEL,
        f"{_NOT}: where SspiAsyncContextRequiresNotify is FALSE nobody is notified, and the wait never ends.",
        _REQUIRES,
    ),
    Rule(
        "A016", "error", "call still pending at the end",
        "wait for every call before the end", _I, _SCHANNEL,
        f"{_NOT}: there is no cancel function, and a pending call writes to its caller's memory.", _STATUS,
    ),
)  # fmt: skip

_NOTIFICATION = (
    Rule(
        "B001", "error", "no callback for a call other than delete",
        "set a callback before queueing", _D, _SCHANNEL,
        "A null callback is supported for SspiDeleteSecurityContextAsync only.", _SET,
    ),
    Rule(
        "B002", "error", "callback changed while a call is pending",
        "set it before queueing", _I, _SCHANNEL,
        f"{_NOT}: which callback, with which data, the completion then finds is a race.", _SET,
    ),
    Rule(
        "B003", "warning", "async context of a silent delete kept for nothing",
        "free it at once after the delete, or poll and reinit it for reuse", _D, _SCHANNEL,
        "Who opts out of notification should free the async context right after the delete, unless it is reused.",
        _DELETE,
    ),
    Rule(
        "B004", "error", "callback data dead when the callback runs",
        "keep what CallbackData points to until the callback has returned", _I, _ANNOTATION,
        f"{_NOT}: the pointer is handed to the callback as it was registered.", _SET,
    ),
    Rule(
        "B005", "error", "callback after the async context was freed",
        "report it: this runtime must not do that", _I, Reach.INVARIANT,
        f"{_NOT}: the callback is handed the async context, so it must be alive.", _SET,
    ),
    Rule(
        "B006", "error", "callback twice or never for one call",
        "report it: this runtime must not do that", _I, Reach.INVARIANT,
        f"{_NOT}: the callback is called when the call completes, which is read as exactly once.", _SET,
    ),
    Rule(
        "B007", "error", "callback waits for a call that needs its worker",
        "return from the callback, and let the next one go on", _I, _ANNOTATION,
        f"{_NOT}: the thread of the callback is not documented, and it may be the one that completes calls.", _OVERVIEW,
    ),
    Rule(
        "B008", "warning", "callbacks nested too deep by calls that complete inline",
        "queue the next call outside the callback", _I, _SCHANNEL,
        f"{_NOT}: a call may complete before its queueing returns, and a kernel stack is small.", _OVERVIEW,
    ),
    Rule(
        "B009", "error", "exception leaves a callback",
        "catch it in the callback", _I, _SCHANNEL,
        f"{_NOT}: nobody above the callback handles it, and in a driver that stops the machine.", _OVERVIEW,
    ),
    Rule(
        "B010", "error", "lock held while queueing that the callback takes too",
        "release the lock before queueing", _I, _ANNOTATION,
        f"{_NOT}: the callback may run on the queueing thread, and Driver Verifier stops on such a lock.", _DEADLOCK,
    ),
    Rule(
        "B011", "error", "relies on callbacks in the order of queueing",
        "tell calls apart by their async context or callback data", _I, Reach.EXPLORATION,
        f"{_NOT}: no order is promised between calls on different async contexts.", _OVERVIEW,
    ),
    Rule(
        "B012", "error", "callback reads the status of another async context",
        "read the status of the async context that the callback was given", _I, _SCHANNEL,
        f"{_NOT}: the callback is given its async context, and another's status is another call's result.", _OVERVIEW,
    ),
    Rule(
        "B013", "warning", "slow callback",
        "do the work elsewhere, and return from the callback soon", _I, _SCHANNEL,
        f"{_NOT}: the callback may hold a thread that completes other calls.", _OVERVIEW,
    ),
)  # fmt: skip

_BUFFERS = (
    Rule(
        "C001", "error", "out-parameter used while its call is pending",
        "read it in or after the callback", _I, _SCHANNEL,
        f"{_NOT}: it is written at completion, and until then it says nothing.", _OVERVIEW,
    ),
    Rule(
        "C002", "error", "input buffer changed or freed while its call is pending",
        "leave it alone until the call has completed", _I, _SCHANNEL,
        f"{_NOT}: the call reads it at any time until it completes.", _OVERVIEW,
    ),
    Rule(
        "C003", "error", "output buffer reused or freed while its call is pending",
        "leave it alone until the call has completed", _I, _SCHANNEL,
        f"{_NOT}: the call writes to it at any time until it completes.", _OVERVIEW,
    ),
    Rule(
        "C004", "error", "one buffer in two pending calls",
        "give each call buffers of its own", _I, _SCHANNEL,
        f"{_NOT}: two calls read and write the same memory.", _OVERVIEW,
    ),
    Rule(
        "C005", "error", "token not sent to the peer",
        "send every token, also one that comes with SEC_E_OK or with an error", _D, _SCHANNEL,
        "Whatever token a leg made must be sent to the peer, with SEC_E_OK too.", _ISC,
    ),
    Rule(
        "C006", "error", "SECBUFFER_EXTRA dropped or fed twice",
        "keep that many bytes from the end of the input, and pass them first in the next call", _D, _SCHANNEL,
        "A call may leave input over and say how much in a buffer of type SECBUFFER_EXTRA.", _EXTRA,
    ),
    Rule(
        "C007", "error", "SEC_E_INCOMPLETE_MESSAGE taken for a failure, or its input thrown away",
        "keep the bytes, read more, and pass all of it again", _D, _SCHANNEL,
        "More data is to be read from the peer, and the function called again.", _ISC,
    ),
    Rule(
        "C008", "info", "SECBUFFER_MISSING taken for exact",
        "read what there is, and take the count as a hint", _D, _SCHANNEL,
        "The count is not always accurate.", _EXTRA,
    ),
    Rule(
        "C009", "error", "input of a leg not laid out as TOKEN and EMPTY",
        "pass SECBUFFER_TOKEN first and SECBUFFER_EMPTY second", _D, _SCHANNEL,
        "The first buffer must be of type SECBUFFER_TOKEN, the second of type SECBUFFER_EMPTY.", _ASC,
    ),
    Rule(
        "C010", "error", "allocated token not released, or by the wrong function",
        "call FreeContextBuffer once for each buffer that the package allocated", _D, _SCHANNEL,
        "With ALLOCATE_MEMORY the package allocates the token, and FreeContextBuffer releases it.",
        _function("FreeContextBuffer"),
    ),
    Rule(
        "C011", "warning", "narrow strings or pool memory passed by a kernel caller",
        "pass counted Unicode strings in process memory", _D, _ANNOTATION,
        "In kernel mode the strings are Unicode and lie in process virtual memory, not in pool.", _ACQUIRE,
    ),
    Rule(
        "C012", "error", "reserved parameter not zero, or a bad TargetDataRep",
        "pass 0 for Reserved1, Reserved2 and TargetDataRep", _D, _SCHANNEL,
        "Reserved1 and Reserved2 must be zero, and Schannel does not use TargetDataRep: it must be zero.", _ISC,
    ),
    Rule(
        "C013", "error", "token given to the wrong side, twice, or out of order",
        "pass each token once, to the other side, in the order in which it was made", _D, _SCHANNEL,
        "A defective token is answered with SEC_E_INVALID_TOKEN, among others.", _ASC,
    ),
)  # fmt: skip

_HANDLES = (
    Rule(
        "D001", "error", "security context deleted while a call uses it",
        "wait for the call, then delete", _I, _SCHANNEL,
        f"{_NOT}: no page says what becomes of the call.", _DELETE,
    ),
    Rule(
        "D002", "error", "security context deleted twice",
        "delete it once", _D, _SCHANNEL,
        "After it was deleted the handle is no longer valid: SEC_E_INVALID_HANDLE.", _DELETE,
    ),
    Rule(
        "D003", "error", "security context used after it was deleted",
        "delete it after its last use", _D, _SCHANNEL,
        "After it was deleted further use is not permitted, and the handle is no longer valid.", _DELETE,
    ),
    Rule(
        "D004", "error", "security context never deleted",
        "delete it, whatever the handshake came to", _D, _SCHANNEL,
        "It must be deleted, also when it is partial, incomplete, rejected or failed.", _DELETE,
    ),
    Rule(
        "D005", "error", "credential freed while a call uses it",
        "wait for the call, then free the credential", _I, _SCHANNEL,
        f"{_NOT}: credentials are to be freed when no longer needed, and the call needs it.", _FREE_CREDENTIAL,
    ),
    Rule(
        "D006", "error", "credential used before its acquire completed",
        "wait for the acquire, and read its status", _I, _SCHANNEL,
        f"{_NOT}: the handle is written when the call completes.", _ACQUIRE,
    ),
    Rule(
        "D007", "error", "credential used for the side it was not acquired for",
        "acquire it OUTBOUND for a client, INBOUND for a server", _D, _SCHANNEL,
        "A server's credential is acquired with SECPKG_CRED_INBOUND or SECPKG_CRED_BOTH.", _ACCEPT,
    ),
    Rule(
        "D008", "error", "credential never freed, or freed twice",
        "free each credential once, after its last use", _D, _SCHANNEL,
        "A credential handle is to be freed when it is no longer needed.", _FREE_CREDENTIAL,
    ),
    Rule(
        "D009", "warning", "a package other than TLS under async contexts",
        "use Schannel: it works here, and not on Windows", _D, _SCHANNEL,
        "Async contexts are supported for TLS clients and servers in kernel mode only.", _OVERVIEW,
    ),
    Rule(
        "D010", "error", "ISC_REQ_DELEGATE or ISC_REQ_PROMPT_FOR_CREDS requested",
        "leave the flag out: Schannel does not support it", _D, _SCHANNEL,
        "The answer is SEC_E_UNSUPPORTED_FUNCTION.", _ISC,
    ),
    Rule(
        "D011", "warning", "TLS client without a target name",
        "pass the name of the server, which goes into SNI and is checked", _D, _SCHANNEL,
        "Schannel checks the server's certificate against the target name.", _ISC,
    ),
    Rule(
        "D012", "error", "two calls at once on one security context",
        "wait for the first, then queue the second", _I, _SCHANNEL,
        f"{_NOT}: a security context is documented not to be thread-safe, so its calls go one after another.",
        _INITIALIZE,
    ),
    Rule(
        "D013", "warning", "granted attributes not looked at",
        "compare them with those requested before data is sent", _D, _SCHANNEL,
        "The caller is to check that the attributes it needs were granted.", _ISC,
    ),
    Rule(
        "D014", "warning", "SEC_I_INCOMPLETE_CREDENTIALS ignored, or retried unchanged",
        "pass the same input again with ISC_REQ_USE_SUPPLIED_CREDS or another credential", _D, _SCHANNEL,
        "The server asks for a certificate: the client goes on with another credential, or without one.", _ISC,
    ),
    Rule(
        "D015", "error", "SEC_I_COMPLETE_NEEDED without CompleteAuthToken",
        "call CompleteAuthToken on the token before it is sent", _D, _NTLM,
        "The caller completes the token by CompleteAuthToken.", _COMPLETE,
    ),
    Rule(
        "D016", "error", "wrong security context passed to a leg",
        "pass NULL to the first leg, and what it returned to each later one", _D, _SCHANNEL,
        "phContext is NULL on the first call, and what the first call returned on later ones.", _ACCEPT,
    ),
    Rule(
        "D017", "error", "synchronous call on a security context whose call is pending",
        "wait for the call", _I, _SCHANNEL,
        f"{_NOT}: the pending call changes the security context at any time.", _OVERVIEW,
    ),
    Rule(
        "D018", "warning", "further leg after SEC_E_OK for no reason",
        "call again only for bytes that DecryptMessage left over with SEC_I_RENEGOTIATE", _I, _SCHANNEL,
        f"{_NOT}: a further call asks for a renegotiation.", _ISC,
    ),
    Rule(
        "D019", "error", "fatal status ignored",
        "delete the security context", _I, _SCHANNEL,
        f"{_NOT}: a handshake that failed is deleted, and a further leg cannot succeed.", _ISC,
    ),
)  # fmt: skip

_PACKAGES = (
    Rule(
        "P001", "warning", "NTLM acquired by its name",
        "acquire Negotiate", _D, _NTLM,
        "Application Verifier stops on it (5000000).", _APP_VERIFIER,
    ),
    Rule(
        "P002", "warning", "NTLM preferred in Negotiate",
        "leave the package list out, or put NTLM last", _D, _NTLM,
        "Application Verifier stops on it (5000001).", _APP_VERIFIER,
    ),
    Rule(
        "P003", "warning", "'-NTLM' where '!NTLM' is meant",
        "write '!NTLM'", _D, _NTLM,
        "Application Verifier stops on it (5000002).", _APP_VERIFIER,
    ),
    Rule(
        "P004", "warning", "target name missing or malformed",
        "pass a service principal name", _D, _NTLM,
        "Application Verifier stops on it (5000003).", _APP_VERIFIER,
    ),
    Rule(
        "P005", "warning", "fell back to NTLM",
        "make Kerberos work: register the service principal name", _D, _NTLM,
        "Application Verifier stops on it (5010000).", _APP_VERIFIER,
    ),
)  # fmt: skip

RULES: dict[str, Rule] = {
    rule.code: rule for rule in (*_ASYNC_CONTEXTS, *_NOTIFICATION, *_BUFFERS, *_HANDLES, *_PACKAGES)
}
