"""Calls and legs as a run's records show them: what the other judges build on."""

from __future__ import annotations

from dataclasses import dataclass, field

from sspicli.journal import events as ev
from sspicli.sspi.functions import Function
from sspicli.sspi.handles import Handle
from sspicli.sspi.package import Evidence
from sspicli.sspi.status import SecurityStatus
from sspicli.tokens.tls import TlsMessage

_NOT_FAILURES = frozenset({SecurityStatus.SEC_E_INCOMPLETE_MESSAGE})
LEG_FUNCTIONS = frozenset({Function.SspiInitializeSecurityContextAsync, Function.SspiAcceptSecurityContextAsync})

CLOSED_TO_RECEIVER = "opened with the sender's secrets; the receiver's differ"
"""What is said of a leg after a hello was tampered with on its way: both ends derive secrets, and not the same ones."""


@dataclass(slots=True)
class Call:
    """One queued call, from queueing to callback; times are nanoseconds measured, ticks virtual microseconds.

    `number` counts this endpoint's calls of the same function in this handshake, from 1; `handshake` is 0 before the
    first. `leg` is the leg its token made, 0 for none.
    """

    handle: Handle
    function: Function
    number: int
    handshake: int
    queued: ev.CallQueued
    sequence: int
    queued_nanoseconds: int
    queued_ticks: int
    queue_status: SecurityStatus = SecurityStatus.SEC_E_OK
    completed: ev.CallCompleted | None = None
    completed_sequence: int = 0
    pending_nanoseconds: int = 0
    pending_ticks: int = 0
    was_pending: bool = False
    pending_answers: int = 0
    notifications: int = 0
    leg: int = 0

    @property
    def endpoint(self) -> str:
        """Whose call it is."""
        return self.handle.actor

    @property
    def was_notified(self) -> bool:
        """Say whether its callback was called."""
        return self.notifications > 0

    @property
    def status(self) -> SecurityStatus:
        """The call status as far as the records go."""
        return SecurityStatus.SEC_I_ASYNC_CALL_PENDING if self.completed is None else self.completed.status

    @property
    def evidence(self) -> Evidence | None:
        """Why it ended as it did."""
        return None if self.completed is None else self.completed.evidence


@dataclass(frozen=True, slots=True)
class Refusal:
    """A call that its queueing function refused: nothing was queued, and no callback came.

    SspiCreateAsyncContext counts too when it returns NULL; that is no status, so `queue_status` is None.
    """

    endpoint: str
    function: Function
    queue_status: SecurityStatus | None
    sequence: int
    handshake: int

    @property
    def status(self) -> SecurityStatus | None:
        """The queue status."""
        return self.queue_status

    @property
    def evidence(self) -> Evidence | None:
        """Nothing: no package was asked."""
        return None


@dataclass(frozen=True, slots=True)
class MessageFailure:
    """A DecryptMessage or EncryptMessage that failed: after the handshake, and no queued call."""

    endpoint: str
    function: str
    status: SecurityStatus
    sequence: int
    evidence: Evidence | None


Culprit = Call | MessageFailure | Refusal
"""What a run can fail with: a queued call, a refused one, or a synchronous message call after the handshake."""


@dataclass(slots=True)
class Leg:
    """One token on the wire, as it was sent, and what it carries.

    `faults` are what a fault plan did to it on its way, and `forwarded` what that plan put on the wire for this token.
    `messages` are opened with its sender's secrets; `is_closed_to_receiver` says that its receiver has others.
    """

    number: int
    sender: str
    data: bytes
    sequence: int
    call: Handle | None
    messages: tuple[TlsMessage, ...] = ()
    faults: list[ev.FaultInjected] = field(default_factory=list)
    forwarded: list[ev.TokenForwarded] = field(default_factory=list)
    is_closed_to_receiver: bool = False


def failing(call: Call) -> bool:
    """Say whether a call completed with an error that is not a mere want of bytes.

    At a server SEC_I_INCOMPLETE_CREDENTIALS is the end too: the client has not the certificate it must have (observed:
    msquic).
    """
    if call.completed is None:
        return False
    is_server = call.function is Function.SspiAcceptSecurityContextAsync
    if is_server and call.status == SecurityStatus.SEC_I_INCOMPLETE_CREDENTIALS:
        return True
    return call.status >= 0x80000000 and call.status not in _NOT_FAILURES
