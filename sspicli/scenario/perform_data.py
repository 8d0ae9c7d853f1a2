"""How the steps about bytes are performed: on the wire, in variables and buffers, protected and opened.

The rule guarded here: bytes are passed on as they are; a buffer that is not there is put on record, and no more.
"""

from __future__ import annotations

from typing import Any

from sspicli.runtime.calls import OutputSlot
from sspicli.scenario import data_steps as st
from sspicli.scenario.checks import attribute_number
from sspicli.scenario.memory import Perform, Scope, keep_left_over, source_bytes
from sspicli.scenario.shapes import RECEIVED
from sspicli.scenario.step import Step
from sspicli.session.actions import (
    Close,
    Connect,
    DecryptMessage,
    Driver,
    EncryptMessage,
    FreeContextBuffer,
    FreeMemory,
    Note,
    QueryContextAttributes,
    Send,
    TouchBuffer,
    do,
    receive,
)
from sspicli.session.drivers import STREAM_SIZES
from sspicli.sspi.buffers import BufferType, SecBufferDesc, empty, given, room
from sspicli.sspi.handles import Handle


# -- the wire ----------------------------------------------------------------------------------------------------------
def _connect(scope: Scope, step: st.Connect, ident: str) -> Driver:
    yield Connect(step.connect)


def _send(scope: Scope, step: st.Send, ident: str) -> Driver:
    data = yield from source_bytes(scope, step, step.send)
    yield Send(data, is_token=not step.protected)


def _receive(scope: Scope, step: st.Receive, ident: str) -> Driver:
    given = step.receive
    name, append = (given, False) if isinstance(given, str) else (given.into, given.append)
    data = yield from receive()
    scope.memory.data[name] = scope.memory.data.get(name, b"") + data if append else data


def _keep_extra(scope: Scope, step: st.KeepExtra, ident: str) -> Driver:
    keep_left_over(scope.memory, step.keep_extra)
    yield from ()


def _keep(scope: Scope, step: st.Keep, ident: str) -> Driver:
    scope.memory.data[step.keep.name] = yield from source_bytes(scope, step, step.keep.bytes)


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
    data = None if given.bytes is None else (yield from source_bytes(scope, step, given.bytes))
    if descriptor is None or (given.buffer is not None and given.buffer >= len(descriptor.buffers)):
        yield Note(f"touch: there is no such {given.what} buffer")
    else:
        yield TouchBuffer(descriptor if given.buffer is None else descriptor.buffers[given.buffer], given.act, data)


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
    data = yield from source_bytes(scope, step, step.encrypt.bytes)
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
    data = yield from source_bytes(scope, step, step.decrypt.bytes)
    message = SecBufferDesc(given(BufferType.DATA, data), empty(), empty(), empty())
    yield DecryptMessage(handle, message)
    opened, extra = message.first(BufferType.DATA), message.first(BufferType.EXTRA)
    scope.memory.data["plaintext"] = b"" if opened is None else opened.data or b""
    scope.memory.data[RECEIVED] = b"" if extra is None else data[len(data) - extra.size :]


PERFORM_DATA: dict[type[Step], Perform] = {
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
}
"""How each step about bytes is performed."""
