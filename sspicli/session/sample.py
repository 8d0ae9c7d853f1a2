"""The documentation's own sample of an async accept, in its order of calls: it has a use-after-free race.

The overview page of asynchronous SSPI contexts shows a server: it makes an async context, sets a callback, queues the
accept, and then asks for the call status. Its callback asks for the status too, and frees the async context. When the
call completes before the queueing thread asks, that thread asks a freed async context. The page also passes one
variable as phContext and phNewContext on the first leg, whose value no call has written yet; here it holds NULL, as a
first leg must.

It is played to be convicted: with `--completion inline` the finding A006 comes every time.
"""

from __future__ import annotations

from sspicli.runtime.calls import HandleVariable, OutputSlot
from sspicli.session.actions import (
    AcceptSecurityContext,
    AcquireCredentialsHandle,
    Close,
    Connect,
    CreateAsyncContext,
    DeleteSecurityContext,
    Doing,
    Driver,
    FreeAsyncContext,
    FreeContextBuffer,
    FreeCredentialsHandle,
    GetAsyncCallStatus,
    Raise,
    Send,
    SetAsyncNotifyCallback,
    Signal,
    do,
    receive,
    wait,
)
from sspicli.session.drivers import CONTINUE, OK, Caller, Plan, Style, hang_up, leg_output
from sspicli.sspi.buffers import BufferType, SecBufferDesc, empty, given
from sspicli.sspi.handles import Handle
from sspicli.sspi.status import SecurityStatus


def documented_sample(plan: Plan, name: str) -> Driver:
    """Be a server whose accepts are the sample's; what the page does not show is done correctly."""
    caller = Caller(Style.CALLBACK, name)
    if not (yield from caller.open()):
        yield from hang_up()
        return
    credential: HandleVariable = OutputSlot("phCredential", plan.credential)
    acquire = AcquireCredentialsHandle(
        caller.async_context,
        None,
        plan.package,
        plan.credential_use,
        plan.auth_data,
        credential,
        OutputSlot("ptsExpiry", 0),
    )
    status = OK if plan.credential is not None else (yield from caller.call(acquire))
    if status != OK:
        yield from hang_up()
    else:
        yield Connect(1)
        security_context: HandleVariable = OutputSlot("phContext", None)
        yield from _handshake_as_shown(plan, credential, security_context, Signal(f"{name} sample"))
        yield Close()
        if security_context.value is not None:
            yield from caller.call(DeleteSecurityContext(caller.async_context, security_context))
        if plan.credential is None:
            yield from caller.call(FreeCredentialsHandle(caller.async_context, credential))
    yield from caller.close()


def _handshake_as_shown(
    plan: Plan, credential: HandleVariable, security_context: HandleVariable, done: Signal
) -> Driver:
    status = CONTINUE
    while status == CONTINUE:
        token = yield from receive()
        if not token:
            return
        status = yield from _accept_as_shown(plan, credential, security_context, token, done)


def _accept_as_shown(
    plan: Plan, credential: HandleVariable, security_context: HandleVariable, token: bytes, done: Signal
) -> Doing[SecurityStatus]:
    async_context = yield from do(CreateAsyncContext())
    if async_context is None:
        return SecurityStatus.SEC_E_INSUFFICIENT_MEMORY
    status = yield from do(SetAsyncNotifyCallback(async_context, _callback_as_shown, done))
    if status != OK:
        yield FreeAsyncContext(async_context)
        return status
    output = leg_output(plan.requirements)
    status = yield from do(
        AcceptSecurityContext(
            async_context,
            credential,
            None if security_context.value is None else security_context,
            SecBufferDesc(given(BufferType.TOKEN, token), empty()),
            plan.requirements,
            security_context,
            output,
            OutputSlot("pfContextAttr", 0),
            OutputSlot("ptsExpiry", 0),
        )
    )
    if status != OK:
        return status
    yield from do(GetAsyncCallStatus(async_context))  # the race: the callback may have freed it
    status = yield from wait(done)
    made = output.first(BufferType.TOKEN)
    if made is not None and made.data:
        yield Send(made.data, is_token=True)
    if output.has_allocated():
        yield FreeContextBuffer(output)
    return status


def _callback_as_shown(handle: Handle, data: object) -> Driver:
    """Ask for the status and free the async context, as the sample's callback does."""
    status: SecurityStatus = yield from do(GetAsyncCallStatus(handle))
    yield FreeAsyncContext(handle)
    assert isinstance(data, Signal), "the sample hands its callback the signal"
    yield Raise(data, status)
