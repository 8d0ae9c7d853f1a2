"""How the steps that queue calls are performed, and those that wait for them: one call, or a whole handshake of them.

The rule guarded here: a step does what it says, right or wrong, and looks at no status unless that is what it is for.
"""

from __future__ import annotations

from sspicli.runtime.calls import OutputSlot
from sspicli.scenario import call_steps as st
from sspicli.scenario.leg_action import leg_action, legs_are_there
from sspicli.scenario.memory import Perform, Scope, keep_left_over
from sspicli.scenario.shapes import RECEIVED
from sspicli.scenario.step import Step
from sspicli.session.actions import (
    AcquireCredentialsHandle,
    DeleteSecurityContext,
    Doing,
    Driver,
    FreeContextBuffer,
    FreeCredentialsHandle,
    GetAsyncCallStatus,
    ReinitAsyncContext,
    Send,
    Sleep,
    do,
    receive,
    wait,
)
from sspicli.session.drivers import CONTINUE, FIRST_POLL_TICKS, INCOMPLETE, LONGEST_POLL_TICKS, OK, PENDING
from sspicli.sspi.flags import CredentialUse
from sspicli.sspi.package import Role
from sspicli.sspi.status import SecurityStatus


def _acquire(scope: Scope, step: st.Acquire, ident: str) -> Driver:
    arguments, plan = step.acquire, scope.memory.plan
    use = plan.credential_use if arguments.use is None else int(CredentialUse[arguments.use.upper()])
    yield AcquireCredentialsHandle(
        scope.async_context(arguments.async_context),
        arguments.principal,
        arguments.package or plan.package,
        use,
        plan.auth_data if arguments.auth_data == "settings" else None,
        scope.memory.handle(arguments.credential),
        scope.memory.results.setdefault("expiry", OutputSlot("ptsExpiry", 0)),
        arguments.strings,
        arguments.memory,
    )


def _initialize(scope: Scope, step: st.Initialize, ident: str) -> Driver:
    yield from legs_are_there(scope, step, step.init)
    yield leg_action(scope, step.init)


def _accept(scope: Scope, step: st.Accept, ident: str) -> Driver:
    yield from legs_are_there(scope, step, step.accept)
    yield leg_action(scope, step.accept)


def _delete(scope: Scope, step: st.Delete, ident: str) -> Driver:
    variable = scope.memory.handle(step.delete.security_context, "phNewContext")
    yield DeleteSecurityContext(scope.async_context(step.delete.async_context), variable)


def _free_credential(scope: Scope, step: st.FreeCredential, ident: str) -> Driver:
    arguments = step.free_credential
    yield FreeCredentialsHandle(scope.async_context(arguments.async_context), scope.memory.handle(arguments.credential))


def _wait(scope: Scope, step: st.Wait, ident: str) -> Driver:
    yield from wait(scope.memory.signal(step.wait))


def _poll(scope: Scope, step: st.Poll, ident: str) -> Driver:
    given = step.poll
    name, fixed = (given, None) if isinstance(given, str) else (given.async_context, given.pause)
    pause = FIRST_POLL_TICKS if fixed is None else fixed
    while (yield from do(GetAsyncCallStatus(scope.async_context(name)))) == PENDING:
        yield Sleep(pause)
        pause = min(pause * 2, LONGEST_POLL_TICKS) if fixed is None else fixed


def _handshake(scope: Scope, step: st.Handshake, ident: str) -> Driver:
    """Make legs until the status says that none of ours is to come, as the shipped drivers do."""
    arguments, memory = step.handshake, scope.memory
    left = arguments.legs or -1
    if memory.plan.role is Role.SERVER and not memory.data.get(RECEIVED):
        memory.data[RECEIVED] = yield from receive()
    while left:
        left -= 1
        status = yield from _one_leg(scope, arguments)
        if status == INCOMPLETE:
            more = yield from receive()
            memory.data[RECEIVED] += more
        elif status in (CONTINUE, OK):
            keep_left_over(memory, RECEIVED)
            if status == OK:
                return
            more = b"" if memory.data[RECEIVED] else (yield from receive())
            memory.data[RECEIVED] += more
        else:
            return
        if (status == INCOMPLETE and not more) or not memory.data[RECEIVED]:
            return


def _one_leg(scope: Scope, arguments: st.LegArguments) -> Doing[SecurityStatus]:
    """Queue one leg, wait, read its status, send its token, release its buffers, and make ready for the next."""
    name = arguments.async_context or ""
    handle = scope.async_context(name)
    queue_status: object = yield leg_action(scope, arguments)
    if queue_status != OK:
        return SecurityStatus.SEC_E_INTERNAL_ERROR
    yield from wait(scope.memory.signal(name))
    status = yield from do(GetAsyncCallStatus(handle))
    yield ReinitAsyncContext(handle)
    if scope.memory.output():
        yield Send(scope.memory.output(), is_token=True)
    _, output = scope.memory.buffers[name]
    if output is not None and output.has_allocated():
        yield FreeContextBuffer(output)
    return status


PERFORM_CALLS: dict[type[Step], Perform] = {
    st.Acquire: _acquire,
    st.Initialize: _initialize,
    st.Accept: _accept,
    st.Delete: _delete,
    st.FreeCredential: _free_credential,
    st.Wait: _wait,
    st.Poll: _poll,
    st.Handshake: _handshake,
}
"""How each step that queues calls or waits for them is performed."""
