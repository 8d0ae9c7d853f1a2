"""The rules of what a leg is given and of what its status asks for (D007, D009 to D011, D013, D014, D018, D019).

A call may be made again after a status that leaves the security context as it was: bytes or room are wanting, or the
buffers had the wrong shape (then no evidence of the engine is there). Any other error is the end of the handshake.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from sspicli.analysis.calls import LEG_FUNCTIONS
from sspicli.analysis.finding import Finding, found
from sspicli.journal import events as ev
from sspicli.journal.events import Images
from sspicli.journal.journal import Record
from sspicli.sspi.buffers import ATTRIBUTE_MASK, BufferType
from sspicli.sspi.flags import AscReq, CredentialUse, IscReq
from sspicli.sspi.functions import Function
from sspicli.sspi.handles import Handle
from sspicli.sspi.status import SecurityStatus

_S = SecurityStatus
_INITIALIZE, _ACCEPT = Function.SspiInitializeSecurityContextAsync, Function.SspiAcceptSecurityContextAsync
_BOTH = int(CredentialUse.INBOUND | CredentialUse.OUTBOUND)
_WRONG_USE = {_INITIALIZE: int(CredentialUse.INBOUND), _ACCEPT: int(CredentialUse.OUTBOUND)}
_USE_SUPPLIED_CREDS = int(IscReq.USE_SUPPLIED_CREDS)
_UNSUPPORTED = {int(IscReq.DELEGATE): "ISC_REQ_DELEGATE", int(IscReq.PROMPT_FOR_CREDS): "ISC_REQ_PROMPT_FOR_CREDS"}
_UNSUPPORTED_MASK = int(IscReq.DELEGATE | IscReq.PROMPT_FOR_CREDS)
_TO_COMPARE = {_INITIALIZE: int(IscReq.STREAM) | 0x1E, _ACCEPT: int(AscReq.STREAM) | 0x1E}
"""STREAM, and by the same bits at both sides MUTUAL_AUTH, REPLAY_DETECT, SEQUENCE_DETECT and CONFIDENTIALITY."""

_TELLING = frozenset({0x0E, 0x53})  # SECPKG_ATTR_FLAGS, SECPKG_ATTR_REMOTE_CERT_CONTEXT
_FIRST_ERROR = 0x80000000
_HARMLESS = frozenset({_S.SEC_E_INCOMPLETE_MESSAGE, _S.SEC_E_INSUFFICIENT_MEMORY, _S.SEC_E_BUFFER_TOO_SMALL})
_OF_SHAPE = frozenset({_S.SEC_E_INVALID_TOKEN, _S.SEC_E_INVALID_HANDLE, _S.SEC_E_UNSUPPORTED_FUNCTION})
_OF_SHAPE |= {_S.SEC_E_INVALID_PARAMETER}

OTHER_PACKAGES = frozenset(
    {"ntlm", "negotiate", "kerberos", "wdigest", "digest", "credssp", "tsssp", "pku2u", "negoextender", "cloudap"}
)
"""SSPI packages of Windows that are not TLS, in lower case."""


class _Talk:
    """How far one security context has come."""

    __slots__ = ("call", "credential", "is_open", "lacking", "may_go_on", "requirements", "sequence", "status")

    def __init__(self) -> None:
        self.status = _S.SEC_I_CONTINUE_NEEDED
        self.sequence = 0
        self.requirements = 0
        self.credential: Handle | None = None
        self.is_open = self.may_go_on = False
        self.lacking = 0
        self.call: Handle | None = None


class LegMonitor:
    """Report legs that cannot be right after what came before, or with what they are given."""

    def __init__(self) -> None:
        self.findings: list[Finding] = []
        self._acquiring: dict[Handle, int] = {}
        self._uses: dict[Handle, int] = {}
        self._queued: dict[Handle, ev.CallQueued] = {}
        self._talks: dict[Handle, _Talk] = {}
        self._fatal: dict[Handle, int] = {}
        self._asked: dict[Handle, _Talk] = {}

    def see(self, record: Record) -> None:
        """Take the next record."""
        self.WATCH[type(record.event)](self, record)

    def end(self, last: int, reason: str) -> None:
        """Report a request for a certificate that a client did not answer and waited on."""
        if reason != "stuck":
            return
        for handle, talk in self._asked.items():
            if not any(call.actor == handle.actor for call in self._queued):
                self._report("D014", handle, "the status was ignored", talk.sequence, last)

    # -- credentials ---------------------------------------------------------------------------------------------------

    def _acquired(self, record: Record) -> None:
        event = record.event
        assert isinstance(event, ev.CredentialAcquired), "dispatched by type"
        self._uses[event.credential] = self._acquiring.pop(event.call, 0)

    def _deviates(self, record: Record) -> None:
        event = record.event
        assert isinstance(event, ev.ArgumentsDeviate), "dispatched by type"
        package = event.arguments.get("pszPackage")
        if isinstance(package, str) and package.lower() in OTHER_PACKAGES:
            self._report("D009", event.call, f"it acquires a credential of {package}", record.sequence)

    # -- legs ----------------------------------------------------------------------------------------------------------

    def _call_queued(self, record: Record) -> None:
        event = record.event
        assert isinstance(event, ev.CallQueued), "dispatched by type"
        if event.function is Function.SspiAcquireCredentialsHandleAsync:
            self._acquiring[event.call] = event.requirements
        elif event.function is Function.SspiDeleteSecurityContextAsync and event.security_context is not None:
            self._asked.pop(event.security_context, None)  # giving up is an answer
        self._queued[event.call] = event
        if event.function not in LEG_FUNCTIONS:
            return
        talk = None if event.security_context is None else self._talks.get(event.security_context)
        self._given(event, talk, record.sequence)
        if talk is not None and event.security_context is not None:
            self._goes_on(event, event.security_context, talk, record.sequence)

    def _given(self, event: ev.CallQueued, talk: _Talk | None, sequence: int) -> None:
        """Judge what a leg is given."""
        use = 0 if event.credential is None else self._uses.get(event.credential, 0) & _BOTH
        if use and use == _WRONG_USE[event.function]:
            side = "INBOUND" if event.function is _INITIALIZE else "OUTBOUND"
            self._report("D007", event.call, f"{event.credential} was acquired {side} only", sequence)
        if event.function is not _INITIALIZE:
            return
        new = event.requirements & _UNSUPPORTED_MASK & ~(0 if talk is None else talk.requirements)
        for bit, name in _UNSUPPORTED.items():
            if new & bit:
                self._report("D010", event.call, f"{name} was requested", sequence)
        if event.security_context is None and not event.target_name:
            self._report("D011", event.call, "it names no server: no SNI is sent, and no name is checked", sequence)

    def _goes_on(self, event: ev.CallQueued, handle: Handle, talk: _Talk, sequence: int) -> None:
        """Judge a later leg by what the one before came to."""
        if handle in self._fatal:
            words = f"{event.call} goes on after {talk.status.name}"
            self._report("D019", handle, words, self._fatal[handle], sequence)
        elif handle in self._asked:
            has_other = event.credential not in (None, talk.credential)
            if not has_other and not event.requirements & ~talk.requirements & _USE_SUPPLIED_CREDS:
                self._report("D014", handle, f"{event.call} tries again unchanged", talk.sequence, sequence)
        elif talk.is_open and not talk.may_go_on:
            if _has_token(event.input):
                self._report("D018", handle, f"{event.call} goes on after SEC_E_OK", talk.sequence, sequence)
            talk.may_go_on = True  # it asked for a renegotiation, and the peer's answer comes in further legs

    def _completed(self, record: Record) -> None:
        event = record.event
        assert isinstance(event, ev.CallCompleted), "dispatched by type"
        queued = self._queued.pop(event.call)
        handle = event.handle
        if handle is None or queued.function not in LEG_FUNCTIONS:
            return
        talk = self._talks.get(handle)
        if talk is None:
            talk = self._talks[handle] = _Talk()
        self._asked.pop(handle, None)
        talk.status, talk.sequence = event.status, record.sequence
        talk.requirements, talk.credential = queued.requirements, queued.credential or talk.credential
        if event.status == _S.SEC_E_OK:
            talk.lacking = queued.requirements & ~event.attributes & _TO_COMPARE[queued.function]
            talk.call = event.call
            talk.is_open, talk.may_go_on = True, talk.may_go_on and not _has_token(queued.input)
        elif event.status == _S.SEC_I_INCOMPLETE_CREDENTIALS and queued.function is _INITIALIZE:
            self._asked[handle] = talk
        elif _is_fatal(event):
            self._fatal[handle] = record.sequence

    # -- after the handshake -------------------------------------------------------------------------------------------

    def _message(self, record: Record) -> None:
        event = record.event
        assert isinstance(event, ev.MessageEncrypted | ev.MessageDecrypted), "dispatched by type"
        handle = event.security_context
        if handle is None or handle not in self._talks:
            return
        talk = self._talks[handle]
        if handle in self._fatal:
            words = f"a message was passed on after {talk.status.name}"
            self._report("D019", handle, words, self._fatal[handle], record.sequence)
        elif handle in self._asked:
            self._report("D014", handle, "a message was passed on instead", talk.sequence, record.sequence)
        if event.status == _S.SEC_I_RENEGOTIATE:
            talk.may_go_on = True
        if talk.lacking:
            words = f"data passed, and nobody had looked at what was not granted: 0x{talk.lacking:08X}"
            self._report("D013", handle, words, talk.sequence, record.sequence)
            talk.lacking = 0

    def _looked(self, record: Record) -> None:
        """Take reading pfContextAttr for comparing it."""
        event = record.event
        assert isinstance(event, ev.AttributesRead), "dispatched by type"
        for talk in self._talks.values():
            if talk.call == event.call:
                talk.lacking = 0

    def _queried(self, record: Record) -> None:
        """Take asking for the peer's certificate, or for the flags, for looking at what was granted."""
        event = record.event
        assert isinstance(event, ev.AttributeQueried), "dispatched by type"
        if event.attribute in _TELLING and event.security_context in self._talks:
            self._talks[event.security_context].lacking = 0

    def _controlled(self, record: Record) -> None:
        """Let a leg follow a control token: it makes the alert."""
        event = record.event
        assert isinstance(event, ev.ControlTokenApplied), "dispatched by type"
        if event.security_context in self._talks:
            self._talks[event.security_context].may_go_on = True
            self._fatal.pop(event.security_context, None)

    def _report(self, code: str, subject: Handle, detail: str, *records: int) -> None:
        self.findings.append(found(code, subject, detail, *records))

    # A table of the class: a monitor that held its own methods would be a cycle, and live until the next collection.
    WATCH: ClassVar[dict[type, Callable[[LegMonitor, Record], None]]] = {
        ev.CredentialAcquired: _acquired,
        ev.ArgumentsDeviate: _deviates,
        ev.CallQueued: _call_queued,
        ev.CallCompleted: _completed,
        ev.MessageEncrypted: _message,
        ev.MessageDecrypted: _message,
        ev.ControlTokenApplied: _controlled,
        ev.AttributesRead: _looked,
        ev.AttributeQueried: _queried,
    }
    WATCHED: ClassVar[frozenset[type]] = frozenset(WATCH)


def _has_token(images: Images | None) -> bool:
    """Say whether an input brings bytes of a token; an empty one asks for a renegotiation."""
    return any(one.size and one.buffer_type & ~ATTRIBUTE_MASK == BufferType.TOKEN for one in images or ())


def _is_fatal(event: ev.CallCompleted) -> bool:
    """Say whether a leg's status is the end of its security context."""
    status = event.status
    if status == _S.SEC_I_INCOMPLETE_CREDENTIALS:
        return True  # at a server: the client has not the certificate it must have (observed: msquic)
    if status < _FIRST_ERROR or status in _HARMLESS:
        return False
    return event.evidence is not None or status not in _OF_SHAPE
