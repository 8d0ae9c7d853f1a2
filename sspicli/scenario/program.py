"""From the steps of a program to a driver: the same kind of thing as the shipped drivers, an act at a time.

Each step is first put on record, in its own words, so that what it led to can be found from the records alone. A
program's memory is what a driver's own variables would be: it does what the steps say with them, right or wrong.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Any

from sspicli.runtime.call_names import CallPattern
from sspicli.runtime.calls import HandleVariable, OutputSlot
from sspicli.runtime.oddities import Words
from sspicli.scenario import steps as st
from sspicli.scenario.checks import attribute_number, flag_word
from sspicli.scenario.shapes import AC, FOREIGN, OUTPUT, RECEIVED, Buffer, Bytes
from sspicli.scenario.words import Part
from sspicli.session.actions import (
    AcceptSecurityContext,
    AcquireCredentialsHandle,
    Action,
    AsyncContextRequiresNotify,
    Close,
    Complete,
    Connect,
    CreateAsyncContext,
    DecryptMessage,
    DeleteSecurityContext,
    Doing,
    Driver,
    EncryptMessage,
    EndCallbackData,
    FreeAsyncContext,
    FreeContextBuffer,
    FreeCredentialsHandle,
    FreeMemory,
    GetAsyncCallStatus,
    Hold,
    InitializeSecurityContext,
    Note,
    QueryContextAttributes,
    Raise,
    ReinitAsyncContext,
    Release,
    ReleaseLock,
    Send,
    SetAsyncNotifyCallback,
    Signal,
    Sleep,
    StandBy,
    TakeLock,
    TakeStep,
    TouchBuffer,
    do,
    receive,
    wait,
)
from sspicli.session.drivers import (
    CONTINUE,
    FIRST_POLL_TICKS,
    INCOMPLETE,
    LONGEST_POLL_TICKS,
    OK,
    PENDING,
    STREAM_SIZES,
    Plan,
    leg_output,
)
from sspicli.sspi.buffers import READONLY, BufferImage, BufferType, SecBuffer, SecBufferDesc, empty, given, room
from sspicli.sspi.flags import AscReq, CredentialUse, IscReq
from sspicli.sspi.handles import Handle
from sspicli.sspi.package import Role
from sspicli.sspi.schannel import alpn_buffer
from sspicli.sspi.status import SecurityStatus

_MADE = re.compile(r"driver-(ac|cred|ctxt)(\d{1,6})")  # what the endpoint made, whichever of its programs did
_FOREIGN_NUMBER = 999_999  # no run makes so many async contexts


@dataclass(slots=True)
class Memory:
    """One endpoint's variables, shared by its programs and callbacks; `legs` gives what leg N carried so far."""

    side: str
    plan: Plan
    legs: Callable[[int], bytes]
    async_contexts: dict[str, Handle | None] = field(default_factory=dict)
    handles: dict[str, HandleVariable] = field(default_factory=dict)
    data: dict[str, bytes] = field(default_factory=dict)
    results: dict[str, OutputSlot[int]] = field(default_factory=dict)
    buffers: dict[str, tuple[SecBufferDesc | None, SecBufferDesc | None]] = field(default_factory=dict)
    signals: dict[str, Signal] = field(default_factory=dict)
    own_signals: dict[str, Signal] = field(default_factory=dict)
    last: str = AC

    def async_context(self, name: str | None) -> Handle | None:
        """Find an async context; NULL for null and for a variable that nothing was written to."""
        if name == FOREIGN:
            return Handle(self.side, "ac", _FOREIGN_NUMBER)
        made = _MADE.fullmatch(name or "")
        if made is not None and made[1] == "ac":
            return Handle(self.side, "ac", int(made[2]))
        return None if name is None else self.async_contexts.get(name)

    def handle(self, name: str, parameter: str = "phCredential") -> HandleVariable:
        """Find the variable of a credential or security context."""
        if name not in self.handles:
            made = _MADE.fullmatch(name)
            value = None if made is None else Handle(self.side, made[1], int(made[2]))
            self.handles[name] = OutputSlot(parameter, value)
        return self.handles[name]

    def signal(self, name: str) -> Signal:
        """Find the signal that a callback of an async context raises."""
        if name not in self.signals:
            self.signals[name] = Signal(name)
        return self.signals[name]

    def own_signal(self, name: str) -> Signal:
        """Find the signal that a step raises, and no callback; async contexts have names of their own."""
        return self.own_signals.setdefault(name, Signal(name, of_callback=False))

    def output(self) -> bytes:
        """Give the last call's output token; nothing where there is none."""
        _, output = self.buffers.get(self.last, (None, None))
        token = None if output is None else output.first(BufferType.TOKEN)
        return b"" if token is None else token.data or b""

    def read(self, source: str | Bytes) -> bytes:
        """Get bytes from a variable or another source."""
        if isinstance(source, str):
            return self.output() if source == OUTPUT else self.data.get(source, b"")
        if source.from_ is not None:
            data = self.read(source.from_)
        elif source.leg is not None:
            data = self.legs(source.leg)
        elif source.hex is not None:
            data = source.hex
        else:
            data = bytes(source.zeros) if source.zeros is not None else (source.text or "").encode()
        return data if source.slice is None else data[source.slice.start : source.slice.end]


@dataclass(frozen=True, slots=True)
class Scope:
    """Where steps are performed: the endpoint's memory, and inside a callback the async context it was given."""

    memory: Memory
    this: Handle | None = None

    def async_context(self, name: str | None) -> Handle | None:
        """Find an async context; `this` is the one that the callback was given."""
        return self.this if name == "this" and self.this is not None else self.memory.async_context(name)


def program(steps: list[st.Step], memory: Memory, ident: str, this: Handle | None = None) -> Driver:
    """Perform steps in their order; the id of each is `ident` and its number, from 1."""
    scope = Scope(memory, this)
    for number, step in enumerate(steps, 1):
        yield from take(step, scope, f"{ident}.{number}")


def take(step: st.Step, scope: Scope, ident: str) -> Driver:
    """Put a step on record, and perform it; one that yields is not begun before its turn."""
    if step.yields:
        yield StandBy()
    yield TakeStep(ident, words(step))
    perform: Callable[[Scope, Any, str], Driver] = _PERFORM[type(step)]
    yield from perform(scope, step, ident)


def words(step: st.Step) -> str:
    """Write a step as a line: its verb, and its arguments as they were given."""
    name, _ = st.verb_field(type(step))
    value = getattr(step, name)
    if isinstance(value, Part):
        given = value.model_dump(exclude_unset=True, by_alias=True, mode="python", exclude={"do"})
        arguments = " ".join(f"{key}={_word(one)}" for key, one in given.items())
    else:
        arguments = _word(value)
    return f"{step.verb} {arguments}".rstrip()


def _word(value: object) -> str:
    if isinstance(value, bytes):
        return value.hex() or '""'
    if isinstance(value, CallPattern):
        return value.text
    if isinstance(value, dict):
        return "{" + " ".join(f"{key}={_word(one)}" for key, one in value.items() if one is not None) + "}"
    if isinstance(value, list):
        return ",".join(map(_word, value)) or "[]"
    if value is None:
        return "null"
    return getattr(value, "name", str(value).lower() if isinstance(value, bool) else str(value))


# -- async contexts ----------------------------------------------------------------------------------------------------
def _create(scope: Scope, step: st.Create, ident: str) -> Driver:
    scope.memory.signals.pop(step.create, None)
    scope.memory.async_contexts[step.create] = yield from do(CreateAsyncContext())


def _set_callback(scope: Scope, step: st.SetCallback, ident: str) -> Driver:
    given = step.set_callback
    arguments = st.SetCallback.Arguments.model_validate({"async-context": given}) if isinstance(given, str) else given
    handle = scope.async_context(arguments.async_context)
    body = None if arguments.do is None else _callback(scope, arguments.do, arguments.async_context or "", ident)
    yield SetAsyncNotifyCallback(handle, body, arguments.data)


def _callback(scope: Scope, steps: list[st.Step], name: str, ident: str) -> Callable[[Handle, object], Driver]:
    """Make a notify callback of steps; when they are done it tells whoever waits for the async context."""
    memory = scope.memory
    waited = (
        name if name != "this" else next((key for key, one in memory.async_contexts.items() if one == scope.this), "")
    )

    def body(handle: Handle, data: object) -> Driver:
        yield from program(steps, memory, f"{ident}.do", handle)
        yield Raise(memory.signal(waited), OK)

    return body


def _requires_notify(scope: Scope, step: st.RequiresNotify, ident: str) -> Driver:
    yield AsyncContextRequiresNotify(scope.async_context(step.requires_notify))


def _get_status(scope: Scope, step: st.GetStatus, ident: str) -> Driver:
    yield GetAsyncCallStatus(scope.async_context(step.get_status))


def _reinit(scope: Scope, step: st.Reinit, ident: str) -> Driver:
    yield ReinitAsyncContext(scope.async_context(step.reinit))


def _free_async(scope: Scope, step: st.FreeAsync, ident: str) -> Driver:
    yield FreeAsyncContext(scope.async_context(step.free_async_context))


# -- queued calls ------------------------------------------------------------------------------------------------------
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


def _leg(scope: Scope, arguments: st.LegArguments) -> InitializeSecurityContext | AcceptSecurityContext:
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


def _legs_are_there(scope: Scope, step: st.Step, arguments: st.LegArguments) -> Driver:
    """Put on record which legs that the buffers of a call are to hold have not been sent."""
    for buffers in (arguments.input, arguments.output):
        for one in buffers if isinstance(buffers, list) else ():
            if one.bytes is not None:
                yield from _source(scope, step, one.bytes)


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


def _initialize(scope: Scope, step: st.Initialize, ident: str) -> Driver:
    yield from _legs_are_there(scope, step, step.init)
    yield _leg(scope, step.init)


def _accept(scope: Scope, step: st.Accept, ident: str) -> Driver:
    yield from _legs_are_there(scope, step, step.accept)
    yield _leg(scope, step.accept)


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
            _keep_left_over(memory, RECEIVED)
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
    queue_status: object = yield _leg(scope, arguments)
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


# -- the wire ----------------------------------------------------------------------------------------------------------
def _connect(scope: Scope, step: st.Connect, ident: str) -> Driver:
    yield Connect(step.connect)


def _send(scope: Scope, step: st.Send, ident: str) -> Driver:
    data = yield from _source(scope, step, step.send)
    yield Send(data, is_token=not step.protected)


def _receive(scope: Scope, step: st.Receive, ident: str) -> Driver:
    given = step.receive
    name, append = (given, False) if isinstance(given, str) else (given.into, given.append)
    data = yield from receive()
    scope.memory.data[name] = scope.memory.data.get(name, b"") + data if append else data


def _keep_extra(scope: Scope, step: st.KeepExtra, ident: str) -> Driver:
    _keep_left_over(scope.memory, step.keep_extra)
    yield from ()


def _keep_left_over(memory: Memory, name: str) -> None:
    input, _ = memory.buffers.get(memory.last, (None, None))
    extra = None if input is None else input.first(BufferType.EXTRA)
    data = memory.data.get(name, b"")
    memory.data[name] = b"" if extra is None else data[len(data) - extra.size :]


def _keep(scope: Scope, step: st.Keep, ident: str) -> Driver:
    scope.memory.data[step.keep.name] = yield from _source(scope, step, step.keep.bytes)


def _source(scope: Scope, step: st.Step, source: str | Bytes) -> Doing[bytes]:
    """Get bytes for a step; that a leg was not there to take them from goes on record."""
    leg = source.leg if isinstance(source, Bytes) else None
    if leg is not None and not scope.memory.legs(leg):
        yield Note(f"{step.verb}: leg {leg} has not been sent")
    return scope.memory.read(source)


def _close(scope: Scope, step: st.Close, ident: str) -> Driver:
    yield Close()


# -- variables and buffers ---------------------------------------------------------------------------------------------
def _free_buffers(scope: Scope, step: st.FreeBuffers, ident: str) -> Driver:
    given = step.free_buffers
    name, function = (given, "FreeContextBuffer") if isinstance(given, str) else (given.async_context, given.with_)
    _, output = scope.memory.buffers.get(name, (None, None))
    if output is None:
        yield Note(f"{step.verb}: no call on {name} has had an output descriptor")
    else:
        yield FreeContextBuffer(output) if function == "FreeContextBuffer" else FreeMemory(output, function)


def _touch(scope: Scope, step: st.Touch, ident: str) -> Driver:
    given = step.touch
    input, output = scope.memory.buffers.get(given.async_context, (None, None))
    descriptor = input if given.what == "input" else output
    data = None if given.bytes is None else (yield from _source(scope, step, given.bytes))
    if descriptor is None or (given.buffer is not None and given.buffer >= len(descriptor.buffers)):
        yield Note(f"touch: there is no such {given.what} buffer")
    else:
        yield TouchBuffer(descriptor if given.buffer is None else descriptor.buffers[given.buffer], given.act, data)


def _end_data(scope: Scope, step: st.EndData, ident: str) -> Driver:
    yield EndCallbackData(scope.async_context(step.end_data.async_context), step.end_data.name)


def _lock(scope: Scope, step: st.Lock, ident: str) -> Driver:
    yield TakeLock(step.lock)


def _unlock(scope: Scope, step: st.Unlock, ident: str) -> Driver:
    yield ReleaseLock(step.unlock)


def _assign(scope: Scope, step: st.Assign, ident: str) -> Driver:
    memory, given = scope.memory, step.assign
    memory.handle(given.variable).value = None if given.to is None else memory.handle(given.to).value
    yield from ()


def _read(scope: Scope, step: st.Read, ident: str) -> Driver:
    memory = scope.memory
    slot: OutputSlot[Any] | None = memory.results.get(step.read) or memory.handles.get(step.read)
    if slot is not None:
        _ = slot.value
    yield from ()


# -- synchronous functions ---------------------------------------------------------------------------------------------
def _query(scope: Scope, step: st.Query, ident: str) -> Driver:
    number = attribute_number(step.query.attribute)
    assert number is not None, "a scenario's attributes were checked"
    yield QueryContextAttributes(_security_context(scope, step.query.security_context), number)


def _security_context(scope: Scope, name: str | None) -> Handle | None:
    return None if name is None else scope.memory.handle(name, "phNewContext").value


def _encrypt(scope: Scope, step: st.Encrypt, ident: str) -> Driver:
    handle = _security_context(scope, step.encrypt.security_context)
    data = yield from _source(scope, step, step.encrypt.bytes)
    sizes = yield from do(QueryContextAttributes(handle, STREAM_SIZES))
    header, trailer = (int(str(sizes.fields.get(key, 0))) for key in ("cbHeader", "cbTrailer"))
    message = SecBufferDesc(
        room(BufferType.STREAM_HEADER, header),
        given(BufferType.DATA, data),
        room(BufferType.STREAM_TRAILER, trailer),
        empty(),
    )
    yield EncryptMessage(handle, message)
    scope.memory.data["protected"] = b"".join(one.data or b"" for one in message.buffers)


def _decrypt(scope: Scope, step: st.Decrypt, ident: str) -> Driver:
    handle = _security_context(scope, step.decrypt.security_context)
    data = yield from _source(scope, step, step.decrypt.bytes)
    message = SecBufferDesc(given(BufferType.DATA, data), empty(), empty(), empty())
    yield DecryptMessage(handle, message)
    opened, extra = message.first(BufferType.DATA), message.first(BufferType.EXTRA)
    scope.memory.data["plaintext"] = b"" if opened is None else opened.data or b""
    scope.memory.data[RECEIVED] = b"" if extra is None else data[len(data) - extra.size :]


# -- time and order ----------------------------------------------------------------------------------------------------
def _hold(scope: Scope, step: st.Hold, ident: str) -> Driver:
    yield Hold(step.hold)


def _release(scope: Scope, step: st.Release, ident: str) -> Driver:
    yield Release(step.release)


def _complete(scope: Scope, step: st.Complete, ident: str) -> Driver:
    yield Complete(step.complete)


def _sleep(scope: Scope, step: st.Sleep, ident: str) -> Driver:
    yield Sleep(step.sleep)


def _signal(scope: Scope, step: st.Signal, ident: str) -> Driver:
    yield Raise(scope.memory.own_signal(step.signal), OK)


def _await(scope: Scope, step: st.Await, ident: str) -> Driver:
    yield from wait(scope.memory.own_signal(step.await_))


class CallbackError(Exception):
    """What `throw` lets out of a notify callback."""


def _throw(scope: Scope, step: st.Throw, ident: str) -> Driver:
    yield from ()
    raise CallbackError(step.throw)


def _note(scope: Scope, step: st.Note, ident: str) -> Driver:
    yield Note(step.note)


def _nothing(scope: Scope, step: st.Step, ident: str) -> Driver:
    yield from ()


Perform = Callable[[Scope, Any, str], Generator[Action, object, None]]

_PERFORM: dict[type[st.Step], Perform] = {
    st.Create: _create,
    st.SetCallback: _set_callback,
    st.RequiresNotify: _requires_notify,
    st.GetStatus: _get_status,
    st.Reinit: _reinit,
    st.FreeAsync: _free_async,
    st.Acquire: _acquire,
    st.Initialize: _initialize,
    st.Accept: _accept,
    st.Delete: _delete,
    st.FreeCredential: _free_credential,
    st.Wait: _wait,
    st.Poll: _poll,
    st.Handshake: _handshake,
    st.Connect: _connect,
    st.Send: _send,
    st.Receive: _receive,
    st.KeepExtra: _keep_extra,
    st.Keep: _keep,
    st.Close: _close,
    st.FreeBuffers: _free_buffers,
    st.Assign: _assign,
    st.Read: _read,
    st.Query: _query,
    st.Encrypt: _encrypt,
    st.Decrypt: _decrypt,
    st.Touch: _touch,
    st.EndData: _end_data,
    st.Lock: _lock,
    st.Unlock: _unlock,
    st.Hold: _hold,
    st.Release: _release,
    st.Complete: _complete,
    st.Sleep: _sleep,
    st.Signal: _signal,
    st.Await: _await,
    st.Throw: _throw,
    st.Note: _note,
    st.Check: _nothing,
}
"""How each step is performed; a test holds this table against the list of steps."""
