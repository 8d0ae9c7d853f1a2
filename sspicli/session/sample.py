"""The documentation's own sample of an async accept, in its order of calls: it has a use-after-free race.

The overview page of asynchronous SSPI contexts shows a server: it makes an async context, sets a callback, queues the accept,
and then asks for the call status. Its callback asks for the status too, and frees the async context. When the call completes before
the queueing thread asks, that thread asks a freed async context. The page also passes one variable as phContext and phNewContext on
the first leg, whose value no call has written yet; here it holds NULL, as a first leg must.

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
    Driver,
    FreeAsyncContext,
    GetAsyncCallStatus,
    Raise,
    Send,
    SetAsyncNotifyCallback,
    Signal,
    do,
    receive,
    wait,
)
from sspicli.session.drivers import ALERT_ROOM, OK, PENDING, Caller, Plan, Style
from sspicli.sspi.buffers import BufferType, SecBufferDesc, empty, given, room, to_allocate
from sspicli.sspi.handles import Handle
from sspicli.sspi.status import SecurityStatus


def documented_sample(plan: Plan, name: str) -> Driver:
    """Be a server as the sample shows it, for its one accept; the rest (credential, deletion) is not on the page."""
    caller = Caller(Style.CALLBACK, name)
    if not (yield from caller.open()):
        return
    credential: HandleVariable = OutputSlot("phCredential", None)
    expiry: OutputSlot[int] = OutputSlot("ptsExpiry", 0)
    acquire = AcquireCredentialsHandle(
        caller.async_context, None, plan.package, plan.credential_use, plan.auth_data, credential, expiry
    )
    yield from caller.call(acquire)
    yield Connect(1)
    token = yield from receive()
    yield from _accept_as_shown(plan, credential, token, Signal(f"{name} sample"))
    yield Close()


def _accept_as_shown(plan: Plan, credential: HandleVariable, token: bytes, done: Signal) -> Driver:
    async_context = yield from do(CreateAsyncContext())
    if async_context is None:
        return
    status = yield from do(SetAsyncNotifyCallback(async_context, _callback_as_shown, done))
    if status != OK:
        yield FreeAsyncContext(async_context)
        return
    security_context: HandleVariable = OutputSlot("phContext", None)
    output = SecBufferDesc(to_allocate(BufferType.TOKEN), room(BufferType.ALERT, ALERT_ROOM))
    queued = yield from do(
        AcceptSecurityContext(
            async_context, credential, None, SecBufferDesc(given(BufferType.TOKEN, token), empty()), plan.requirements,
            security_context, output, OutputSlot("pfContextAttr", 0), OutputSlot("ptsExpiry", 0),
        )
    )  # fmt: skip
    if queued != OK:
        return
    status = yield from do(GetAsyncCallStatus(async_context))  # the race: the callback may have freed it
    if status == PENDING:
        yield from wait(done)
    made = output.first(BufferType.TOKEN)
    if made is not None and made.data:
        yield Send(made.data, is_token=True)


def _callback_as_shown(handle: Handle, data: object) -> Driver:
    """Ask for the status and free the async context, as the sample's callback does."""
    status: SecurityStatus = yield from do(GetAsyncCallStatus(handle))
    yield FreeAsyncContext(handle)
    assert isinstance(data, Signal), "the sample hands its callback the signal"
    yield Raise(data, status)
