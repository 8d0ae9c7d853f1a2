"""What one async call costs with a package that computes nothing, the journal on (goal 6)."""

from __future__ import annotations

import statistics
import time

from sspicli.journal.journal import Journal
from sspicli.packages.scripted import ScriptedPackage
from sspicli.runtime.api import AsyncSspi, no_description, packages_by_name
from sspicli.runtime.calls import HandleVariable, OutputSlot
from sspicli.runtime.dispatch import SteppedDispatcher
from sspicli.session.drivers import Plan
from sspicli.session.pair import pair
from sspicli.sspi.buffers import BufferType, SecBufferDesc, empty, given, room
from sspicli.sspi.handles import Handle
from sspicli.sspi.package import AcquireRequest, AcquireResult, LegRequest, LegResult, Role
from sspicli.sspi.status import SecurityStatus
from tests.benchmarks.contest import show_cost

CALLS = 1000
HANDSHAKES = 100


class NullPackage:
    """A package whose every leg wants another."""

    name = "Null"
    engine = "none"

    def acquire(self, request: AcquireRequest) -> AcquireResult:
        """Be one's own credential."""
        return AcquireResult(SecurityStatus.SEC_E_OK, self, 0)  # type: ignore[arg-type]

    def open(self, role: Role) -> NullPackage:
        """Be one's own security context."""
        return self

    def step(self, request: LegRequest) -> LegResult:
        """Compute nothing."""
        return LegResult(SecurityStatus.SEC_I_CONTINUE_NEEDED)


def one_call() -> None:
    """Measure one accept call: queued, returned, completed, notified, its status read, its async context made ready."""
    seconds = statistics.quantiles([_calls() for _ in range(40)], n=4)[0]
    show_cost("one async call, null package, seven records", seconds, 5)
    calls = HANDSHAKES * 6 + 4  # two legs and a delete at each end, and the credentials once
    seconds = statistics.quantiles([_conversation() for _ in range(20)], n=4)[0] / calls
    print(f"{'the same with driver, wire and deliveries':<50} {seconds * 1e6:5.1f} us")


def _calls() -> float:
    dispatcher = SteppedDispatcher()
    find = packages_by_name({"null": NullPackage()})
    api = AsyncSspi("server", find=find, describe=no_description, journal=Journal(), dispatcher=dispatcher)
    async_context = api.create_async_context()
    assert async_context is not None, "memory is there"
    api.set_async_notify_callback(async_context, lambda handle, data: None, None)
    credential: HandleVariable = OutputSlot("phCredential", None)
    context: HandleVariable = OutputSlot("phNewContext", None)
    attributes, expiry = OutputSlot("pfContextAttr", 0), OutputSlot("ptsExpiry", 0)
    api.acquire_credentials_handle_async(
        async_context, principal=None, package="null", credential_use=1, auth_data=None, credential=credential,
        expiry=expiry,
    )  # fmt: skip
    _settle(api, dispatcher, async_context)
    input = SecBufferDesc(given(BufferType.TOKEN, bytes(300)), empty())
    output = SecBufferDesc(room(BufferType.TOKEN, 4096), room(BufferType.ALERT, 2))
    began = time.process_time()
    for _ in range(CALLS):
        api.accept_security_context_async(
            async_context, credential=credential, security_context=context if context.value else None, input=input,
            context_requirements=0, new_security_context=context, output=output, attributes=attributes, expiry=expiry,
        )  # fmt: skip
        _settle(api, dispatcher, async_context)
    return (time.process_time() - began) / CALLS


def _settle(api: AsyncSspi, dispatcher: SteppedDispatcher, async_context: Handle) -> None:
    """Take a call from its queueing function's return to the end of its callback."""
    call = dispatcher.completions.pop()
    api.return_from_queueing(call, api.name)
    api.complete(call)
    entered = api.enter_callback(call)
    api.inside = async_context
    api.get_async_call_status(async_context)
    api.reinit_async_context(async_context)
    api.inside = None
    api.return_from_callback(call, entered)


def _conversation() -> float:
    find = packages_by_name({"scripted": ScriptedPackage()})
    client, server = (Plan(role, "Scripted", None, 1, 0, handshakes=HANDSHAKES) for role in (Role.CLIENT, Role.SERVER))
    session = pair(client, server, find=find, describe=no_description, journal=Journal())
    began = time.process_time()
    session.run()
    return time.process_time() - began
