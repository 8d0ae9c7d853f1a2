"""From the arguments of an `init` or `accept` step to the call itself: its handles, flags and buffers.

The rule guarded here: what a step leaves out is as the documentation lays it out, and what it says is passed as it
stands, however wrong. The descriptors are remembered, for a later call may pass the very same ones.
"""

from __future__ import annotations

from collections.abc import Callable

from sspicli.runtime.calls import OutputSlot
from sspicli.runtime.oddities import Words
from sspicli.scenario import call_steps as st
from sspicli.scenario.checks import flag_word
from sspicli.scenario.memory import Memory, Scope, source_bytes
from sspicli.scenario.shapes import RECEIVED, Buffer
from sspicli.scenario.step import Step
from sspicli.session.actions import AcceptSecurityContext, Driver, InitializeSecurityContext
from sspicli.session.drivers import Plan, leg_output
from sspicli.sspi.buffers import READONLY, BufferImage, BufferType, SecBuffer, SecBufferDesc, empty, given, room
from sspicli.sspi.flags import AscReq, IscReq
from sspicli.sspi.package import Role
from sspicli.sspi.schannel import alpn_buffer


def leg_action(scope: Scope, arguments: st.LegArguments) -> InitializeSecurityContext | AcceptSecurityContext:
    """Make the action of one ISC or ASC call, and remember its buffers."""
    memory, plan = scope.memory, scope.memory.plan
    variable = None if arguments.security_context is None else memory.handle(arguments.security_context, "phNewContext")
    is_first = variable is None or variable.held is None
    requirements = _requirements(plan, arguments)
    input, output = _descriptors(memory, arguments, requirements, is_first=is_first)
    memory.last = arguments.async_context or ""
    memory.buffers[memory.last] = input, output
    credential = None if arguments.credential is None else memory.handle(arguments.credential)
    new = None
    if arguments.new_security_context is not None:
        new = memory.handle(arguments.new_security_context, "phNewContext")
    attributes = memory.results["attributes"] = OutputSlot("pfContextAttr", 0)
    expiry = memory.results["expiry"] = OutputSlot("ptsExpiry", 0)
    handle = scope.async_context(arguments.async_context)
    passed = None if is_first else variable
    special = Words(arguments.reserved1, arguments.data_representation, arguments.reserved2)
    if plan.role is Role.SERVER:
        return AcceptSecurityContext(
            handle, credential, passed, input, requirements, new, output, attributes, expiry, special
        )
    target = getattr(arguments, "target", None)
    return InitializeSecurityContext(
        handle, credential, passed, plan.target_name if target == "default" else target, requirements, input, new,
        output, attributes, expiry, special,
    )  # fmt: skip


def legs_are_there(scope: Scope, step: Step, arguments: st.LegArguments) -> Driver:
    """Put on record which legs that the buffers of a call are to hold have not been sent."""
    for buffers in (arguments.input, arguments.output):
        for one in buffers if isinstance(buffers, list) else ():
            if one.bytes is not None:
                yield from source_bytes(scope, step, one.bytes)


def _descriptors(
    memory: Memory, arguments: st.LegArguments, requirements: int, *, is_first: bool
) -> tuple[SecBufferDesc | None, SecBufferDesc | None]:
    """Lay out pInput and pOutput, or take those of an earlier call."""
    if arguments.same_input is not None:
        input, _ = memory.buffers.get(arguments.same_input, (None, None))
    else:
        input = _input(memory, arguments.input, is_first=is_first)
    if arguments.same_output is not None:
        _, output = memory.buffers.get(arguments.same_output, (None, None))
    else:
        output = leg_output(requirements) if arguments.output == "default" else _descriptor(memory, arguments.output)
    for one in (input, output):
        if one is not None:
            one.version = arguments.version
    return input, output


def _requirements(plan: Plan, arguments: st.LegArguments) -> int:
    flags = IscReq if plan.role is Role.CLIENT else AscReq
    bits: Callable[[list[str]], int] = lambda names: sum({int(flags[flag_word(name)]) for name in names})  # noqa: E731
    word = plan.requirements if arguments.flags is None else bits(arguments.flags)
    return (word | bits(arguments.add_flags)) & ~bits(arguments.drop_flags)


def _input(memory: Memory, buffers: str | list[Buffer] | None, *, is_first: bool) -> SecBufferDesc | None:
    """Lay out pInput as the documentation does, or as the step says."""
    if buffers != "default":
        return _descriptor(memory, buffers)
    protocols = memory.plan.application_protocols if is_first else ()
    alpn = [given(BufferType.APPLICATION_PROTOCOLS, alpn_buffer(protocols))] if protocols else []
    data = memory.data.get(RECEIVED, b"")
    if data:
        return SecBufferDesc(given(BufferType.TOKEN, data), empty(), *alpn)
    return SecBufferDesc(*alpn) if alpn else None


def _descriptor(memory: Memory, buffers: str | list[Buffer] | None) -> SecBufferDesc | None:
    if buffers is None:
        return None
    return SecBufferDesc(*[_buffer(memory, one) for one in buffers if isinstance(one, Buffer)])


def _buffer(memory: Memory, buffer: Buffer) -> SecBuffer:
    kind = int(buffer.type) | (READONLY if buffer.readonly else 0)
    if buffer.alpn is not None:
        made = given(kind, alpn_buffer(tuple(buffer.alpn)))
    elif buffer.bytes is not None:
        made = given(kind, memory.read(buffer.bytes))
    else:
        made = room(kind, buffer.room) if buffer.room is not None else SecBuffer(BufferImage(kind, 0, None))
    if buffer.size is not None:
        made.image = made.image._replace(size=buffer.size)
    return made
