"""Correct programs over async SSPI: an endpoint's whole life, in callback style and in polling style.

The documented flow: make an async context, register a callback, queue a call, read its status, make the async context
ready again, and at the end delete the security context, free the credential and free the async context. In callback
style the callback reads the status, reinitialises and raises a signal; in polling style it only marks, and the program
polls. A result is read only when the status is final *and* the call was notified.

The same leg serves client and server; no driver knows what completes its calls. What each status asks for:
CONTINUE_NEEDED send, then feed EXTRA at once or read; OK send any token, keep EXTRA for DecryptMessage;
INCOMPLETE_MESSAGE read more and pass all of it again; INCOMPLETE_CREDENTIALS pass the same input again with
ISC_REQ_USE_SUPPLIED_CREDS or another credential; an error: send any token (the alert), then delete what there is.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from sspicli.runtime.calls import HandleVariable, OutputSlot
from sspicli.runtime.work import TO_COMPARE
from sspicli.session.actions import (
    AcceptSecurityContext,
    AcquireCredentialsHandle,
    ApiAction,
    Close,
    Connect,
    CreateAsyncContext,
    DecryptMessage,
    DeleteSecurityContext,
    Doing,
    Driver,
    EncryptMessage,
    FreeAsyncContext,
    FreeContextBuffer,
    FreeCredentialsHandle,
    GetAsyncCallStatus,
    InitializeSecurityContext,
    Note,
    QueryContextAttributes,
    Raise,
    ReinitAsyncContext,
    Send,
    SetAsyncNotifyCallback,
    Signal,
    Sleep,
    do,
    receive,
    wait,
)
from sspicli.sspi.buffers import BufferType, SecBufferDesc, empty, given, room, to_allocate
from sspicli.sspi.flags import AscReq, IscReq
from sspicli.sspi.handles import Handle
from sspicli.sspi.package import Role
from sspicli.sspi.schannel import alpn_buffer
from sspicli.sspi.status import SecurityStatus

OK = SecurityStatus.SEC_E_OK
CONTINUE = SecurityStatus.SEC_I_CONTINUE_NEEDED
PENDING = SecurityStatus.SEC_I_ASYNC_CALL_PENDING
INCOMPLETE = SecurityStatus.SEC_E_INCOMPLETE_MESSAGE
INCOMPLETE_CREDENTIALS = SecurityStatus.SEC_I_INCOMPLETE_CREDENTIALS
RENEGOTIATE = SecurityStatus.SEC_I_RENEGOTIATE

ALLOCATE_MEMORY = int(IscReq.ALLOCATE_MEMORY)  # the same bit in ASC_REQ
USE_SUPPLIED_CREDS = int(IscReq.USE_SUPPLIED_CREDS)

TOKEN_ROOM = 1 << 17  # above the longest flight the engine makes
ALERT_ROOM = 2  # level and description
FIRST_POLL_TICKS = 1
LONGEST_POLL_TICKS = 1 << 20


class Style(StrEnum):
    """How an endpoint learns that a call has completed; SAMPLE is the documentation's own server (see `sample.py`)."""

    CALLBACK = "callback"
    POLL = "poll"
    SAMPLE = "sample"


@dataclass(frozen=True, slots=True)
class Plan:
    """What one endpoint is to do, from its credential to its last message.

    `auth_data` is the package's credential structure. `later_auth_data`, where given, is acquired when the server asks
    for a certificate that the first credential has not; else the client goes on anonymously. `handshakes` follow each
    other with the same credential (a resumption needs two). `queries` are the attributes asked for after each handshake
    that held. `credential`, where given, was lent to the endpoint: nothing is acquired, and its owner frees it.
    """

    role: Role
    package: str
    auth_data: object
    credential_use: int
    requirements: int
    target_name: str | None = None
    application_protocols: tuple[str, ...] = ()
    style: Style = Style.CALLBACK
    handshakes: int = 1
    messages: int = 0
    queries: tuple[int, ...] = ()
    later_auth_data: object | None = None
    credential: Handle | None = None


class Caller:
    """One async context used for one call after another, in one of the two styles."""

    def __init__(self, style: Style, name: str) -> None:
        self._style = style
        self._signal = Signal(f"{name} completion")
        self._async_context: Handle | None = None
        self._was_notified = False

    def open(self) -> Doing[bool]:
        """Make the async context and register the callback; False when memory is out."""
        self._async_context = yield from do(CreateAsyncContext())
        if self._async_context is None:
            yield Note("SspiCreateAsyncContext returned NULL: out of memory")
            return False
        body = self._mark if self._style is Style.POLL else self._finish_call
        return (yield from do(SetAsyncNotifyCallback(self._async_context, body))) == OK

    @property
    def async_context(self) -> Handle | None:
        """The async context to queue the next call on."""
        return self._async_context

    def call(self, action: ApiAction[SecurityStatus]) -> Doing[SecurityStatus]:
        """Queue a call and wait for its final status; a refused queueing is the status."""
        self._was_notified = False
        queue_status = yield from do(action)
        if queue_status != OK:
            return queue_status
        if self._style is Style.POLL:
            return (yield from self._poll())
        return (yield from wait(self._signal))

    def close(self) -> Driver:
        """Free the async context; no call is under way."""
        yield FreeAsyncContext(self._async_context)

    def _finish_call(self, handle: Handle, data: object) -> Driver:
        """Be the callback of callback style: read the status, make ready for the next call, tell the program."""
        status = yield from do(GetAsyncCallStatus(handle))
        yield ReinitAsyncContext(handle)
        yield Raise(self._signal, status)

    def _mark(self, handle: Handle, data: object) -> Driver:
        """Be the callback of polling style: mark that the notification came, and nothing else."""
        self._was_notified = True
        yield from ()

    def _poll(self) -> Doing[SecurityStatus]:
        """Ask for the status, less and less often, until it is final and the notification came."""
        pause = FIRST_POLL_TICKS
        status = yield from do(GetAsyncCallStatus(self._async_context))
        while status == PENDING or not self._was_notified:
            yield Sleep(pause)
            pause = min(pause * 2, LONGEST_POLL_TICKS)
            status = yield from do(GetAsyncCallStatus(self._async_context))
        yield ReinitAsyncContext(self._async_context)
        return status


class Conversation:
    """One endpoint's variables during its program: what a driver keeps in its own memory."""

    def __init__(self, plan: Plan, name: str) -> None:
        self.plan = plan
        self.caller = Caller(plan.style, name)
        self.credential: HandleVariable = OutputSlot("phCredential", plan.credential)
        self.security_context: HandleVariable = OutputSlot("phNewContext", None)
        self.attributes: OutputSlot[int] = OutputSlot("pfContextAttr", 0)
        self.expiry: OutputSlot[int] = OutputSlot("ptsExpiry", 0)
        self.requirements = plan.requirements
        self.held = b""  # received and not yet consumed


def endpoint_program(plan: Plan, name: str) -> Driver:
    """Be one endpoint, from acquiring its credential to freeing it."""
    talk = Conversation(plan, name)
    if not (yield from talk.caller.open()):
        yield from hang_up()
        return
    status = OK if plan.credential is not None else (yield from _acquire(talk, plan.auth_data))
    if status == OK:
        for number in range(1, plan.handshakes + 1):
            yield Connect(number)
            yield from _connection(talk)
        yield from _free(talk, talk.credential)
    else:
        yield from hang_up()
    yield from talk.caller.close()


def hang_up() -> Driver:
    """Close the first connection unused, so that the peer does not wait for ever."""
    yield Connect(1)
    yield Close()


def _acquire(talk: Conversation, auth_data: object) -> Doing[SecurityStatus]:
    plan = talk.plan
    return (
        yield from talk.caller.call(
            AcquireCredentialsHandle(
                talk.caller.async_context,
                None,
                plan.package,
                plan.credential_use,
                auth_data,
                talk.credential,
                talk.expiry,
            )
        )
    )


def _free(talk: Conversation, credential: HandleVariable) -> Driver:
    """Free a credential, unless it was lent to this endpoint."""
    if talk.plan.credential is None or credential.value != talk.plan.credential:
        yield from talk.caller.call(FreeCredentialsHandle(talk.caller.async_context, credential))


def _connection(talk: Conversation) -> Driver:
    """Make one security context, use it, and delete it whatever came of it."""
    talk.security_context, talk.held = OutputSlot("phNewContext", None), b""
    talk.requirements = talk.plan.requirements
    if talk.plan.role is Role.SERVER:
        talk.held = yield from receive()
    if talk.plan.role is Role.CLIENT or talk.held:
        status = yield from _handshake(talk)
        if status == OK:
            yield from _use(talk)
    yield Close()
    if talk.security_context.value is not None:
        yield from talk.caller.call(DeleteSecurityContext(talk.caller.async_context, talk.security_context))


def _handshake(talk: Conversation) -> Doing[SecurityStatus]:
    """Call ISC or ASC until the status says that no further leg of ours is to come."""
    while True:
        status, extra = yield from _leg(talk)
        if status == INCOMPLETE:
            more = yield from receive()
            if not more:
                yield Note("the peer closed the connection in the middle of a message")
                return status
            talk.held += more
        elif status == CONTINUE:
            talk.held = talk.held[len(talk.held) - extra :]
            if not talk.held:
                talk.held = yield from receive()
                if not talk.held:
                    yield Note("the peer closed the connection before the handshake was done")
                    return status
        elif status == INCOMPLETE_CREDENTIALS and talk.plan.role is Role.CLIENT:
            status = yield from _answer_certificate_request(talk)
            if status != OK:
                return status
        else:
            talk.held = talk.held[len(talk.held) - extra :]
            return status


def _leg(talk: Conversation) -> Doing[tuple[SecurityStatus, int]]:
    """Make one ISC or ASC call and send its token; its status, and how many input bytes were left over."""
    input = _leg_input(talk)
    output = leg_output(talk.requirements)
    is_first = talk.security_context.value is None
    status = yield from talk.caller.call(_leg_action(talk, None if is_first else talk.security_context, input, output))
    token = output.first(BufferType.TOKEN)
    if token is not None and token.data:
        yield Send(token.data, is_token=True)
    if output.has_allocated():
        yield FreeContextBuffer(output)
    extra = None if input is None else input.first(BufferType.EXTRA)
    return status, 0 if extra is None else extra.size


def leg_output(requirements: int) -> SecBufferDesc:
    """Lay out the output, TOKEN and ALERT: for the package to allocate where that was asked for, else with room."""
    if requirements & ALLOCATE_MEMORY:
        return SecBufferDesc(to_allocate(BufferType.TOKEN), to_allocate(BufferType.ALERT))
    return SecBufferDesc(room(BufferType.TOKEN, TOKEN_ROOM), room(BufferType.ALERT, ALERT_ROOM))


def _leg_input(talk: Conversation) -> SecBufferDesc | None:
    """Lay out the input: TOKEN and EMPTY when there are bytes, the ALPN list on the first leg."""
    protocols = talk.plan.application_protocols if talk.security_context.value is None else ()
    alpn = [given(BufferType.APPLICATION_PROTOCOLS, alpn_buffer(protocols))] if protocols else []
    if talk.held:
        return SecBufferDesc(given(BufferType.TOKEN, talk.held), empty(), *alpn)
    return SecBufferDesc(*alpn) if alpn else None


def _leg_action(
    talk: Conversation, security_context: HandleVariable | None, input: SecBufferDesc | None, output: SecBufferDesc
) -> InitializeSecurityContext | AcceptSecurityContext:
    async_context = talk.caller.async_context
    if talk.plan.role is Role.CLIENT:
        return InitializeSecurityContext(
            async_context, talk.credential, security_context, talk.plan.target_name, talk.requirements, input,
            talk.security_context, output, talk.attributes, talk.expiry,
        )  # fmt: skip
    return AcceptSecurityContext(
        async_context, talk.credential, security_context, input, talk.requirements,
        talk.security_context, output, talk.attributes, talk.expiry,
    )  # fmt: skip


def _answer_certificate_request(talk: Conversation) -> Doing[SecurityStatus]:
    """Go on after SEC_I_INCOMPLETE_CREDENTIALS: with another credential where the plan has one, else anonymously."""
    later = talk.plan.later_auth_data
    if later is None or talk.requirements & USE_SUPPLIED_CREDS:
        if talk.requirements & USE_SUPPLIED_CREDS:
            yield Note("the package asks for a certificate again although none was to be looked for")
            return INCOMPLETE_CREDENTIALS
        talk.requirements |= USE_SUPPLIED_CREDS
        return OK
    previous, talk.credential = talk.credential, OutputSlot("phCredential", None)
    status = yield from _acquire(talk, later)
    yield from _free(talk, previous)
    talk.plan = replace(talk.plan, later_auth_data=None)
    return status


def _use(talk: Conversation) -> Driver:
    """Ask for the attributes, send the messages, then read until the peer has closed."""
    yield from _compare(talk)
    for attribute in talk.plan.queries:
        yield QueryContextAttributes(talk.security_context.value, attribute)
    for number in range(1, talk.plan.messages + 1):
        yield from _send_message(talk, f"message {number} from the {talk.plan.role}".encode())
    yield Close()
    yield from _read_messages(talk)


def _compare(talk: Conversation) -> Driver:
    """Compare what was granted with what was requested, as every caller must; go on, and say what is lacking."""
    lacking = talk.requirements & ~talk.attributes.value & TO_COMPARE[talk.plan.role]
    if lacking:
        words = IscReq(lacking) if talk.plan.role is Role.CLIENT else AscReq(lacking)
        yield Note(f"requested and not granted: {', '.join(one.name or hex(one) for one in words)}")


STREAM_SIZES = 4


def _send_message(talk: Conversation, data: bytes) -> Driver:
    """Protect data and send it: header, data and trailer, as long as EncryptMessage made them."""
    sizes = yield from do(QueryContextAttributes(talk.security_context.value, STREAM_SIZES))
    if sizes.status != OK:
        return
    header, trailer = sizes.fields["cbHeader"], sizes.fields["cbTrailer"]
    assert isinstance(header, int), "SecPkgContext_StreamSizes counts in bytes"
    assert isinstance(trailer, int), "SecPkgContext_StreamSizes counts in bytes"
    message = SecBufferDesc(
        room(BufferType.STREAM_HEADER, header),
        given(BufferType.DATA, data),
        room(BufferType.STREAM_TRAILER, trailer),
        empty(),
    )
    status = yield from do(EncryptMessage(talk.security_context.value, message))
    if status == OK:
        yield Send(b"".join(one.data or b"" for one in message.buffers), is_token=False)


def _read_messages(talk: Conversation) -> Driver:
    """Open what arrives until the peer has closed; what is not application data goes back through ISC or ASC."""
    while True:
        if not talk.held:
            talk.held = yield from receive()
            if not talk.held:
                return
        message = SecBufferDesc(given(BufferType.DATA, talk.held), empty(), empty(), empty())
        status = yield from do(DecryptMessage(talk.security_context.value, message))
        extra = message.first(BufferType.EXTRA)
        tail = b"" if extra is None else talk.held[len(talk.held) - extra.size :]
        if status == OK:
            talk.held = tail
        elif status == INCOMPLETE:
            more = yield from receive()
            if not more:
                yield Note("the peer closed the connection in the middle of a message")
                return
            talk.held += more
        elif status == RENEGOTIATE:
            talk.held = tail or talk.held
            if (yield from _handshake(talk)) != OK:
                return
        else:
            return
