"""Correct programs by seeds: async contexts of every style, mixed; credentials and security contexts, many at once.

Whatever a program does here is allowed by the law of async contexts and by every rule: it keeps count of what is
pending, reads every result after its notification, sends every token, and ends what it began. What differs by seed is
all else: which calls are in flight together, who frees or reinitialises what and where, who polls and who waits.
"""

from __future__ import annotations

import random
from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any

from sspicli.packages.scripted import Script, ScriptedLeg
from sspicli.runtime.calls import HandleVariable, OutputSlot
from sspicli.session.actions import (
    AcceptSecurityContext,
    AcquireCredentialsHandle,
    AsyncContextRequiresNotify,
    CreateAsyncContext,
    DeleteSecurityContext,
    Driver,
    EncryptMessage,
    FreeAsyncContext,
    FreeContextBuffer,
    FreeCredentialsHandle,
    GetAsyncCallStatus,
    InitializeSecurityContext,
    QueryContextAttributes,
    Raise,
    ReinitAsyncContext,
    Send,
    SetAsyncNotifyCallback,
    Signal,
    Sleep,
    Wait,
)
from sspicli.sspi.buffers import BufferType, SecBufferDesc, empty, given, room, to_allocate
from sspicli.sspi.handles import Handle
from sspicli.sspi.package import Role
from sspicli.sspi.status import SecurityStatus
from tests.pairs import PACKAGE

S = SecurityStatus
OK, CONTINUE, PENDING = S.SEC_E_OK, S.SEC_I_CONTINUE_NEEDED, S.SEC_I_ASYNC_CALL_PENDING
FIRST_ERROR = 0x80000000
BOTH, ALLOCATE_MEMORY = 3, 0x100
LAST = (OK, OK, OK, S.SEC_E_ILLEGAL_MESSAGE, S.SEC_E_CERT_EXPIRED)
MARKING = ("mark, then reinit", "mark, then free")
STYLES = ("reinit inside", "free inside", *MARKING)

Doing = Generator[Any, Any, Any]


@dataclass
class Talk:
    """A security context: its variable, its role, its credential, and what its last leg came to."""

    role: Role
    credential: HandleVariable
    variable: HandleVariable = field(default_factory=lambda: OutputSlot("phNewContext", None))
    status: SecurityStatus = CONTINUE
    is_busy: bool = False


@dataclass
class Call:
    """A call in flight: how its end is learnt, and what then becomes of what it was about."""

    async_context: Handle
    style: str
    about: Talk | HandleVariable
    what: str
    signal: Signal
    output: SecBufferDesc | None = None
    is_marked: bool = False


def script(seed: int) -> Script:
    """Make the legs of every security context of a run: some tokens, and a good or a bad end."""
    chance = random.Random(seed)
    return {role: tuple(_legs(chance, role.value)) for role in Role}


def _legs(chance: random.Random, name: str) -> list[ScriptedLeg]:
    count = chance.randint(1, 4)
    statuses = [CONTINUE] * (count - 1) + [chance.choice(LAST)]
    return [
        ScriptedLeg(status, f"{name} token {at}".encode() if chance.random() < 0.8 else b"", wants_input=False)
        for at, status in enumerate(statuses)
    ]


class Program:
    """One program; `steps` is how many things it begins before it ends what it began."""

    def __init__(self, seed: int, steps: int = 24) -> None:
        self._chance = random.Random(seed)
        self._steps = steps
        self._idle: list[Handle] = []
        self._calls: list[Call] = []
        self._credentials: list[HandleVariable] = []
        self._talks: list[Talk] = []
        self._count = 0

    def run(self) -> Driver:
        """Do things, and end them."""
        for _ in range(self._steps):
            yield from self._chance.choice((self._begin, self._begin, self._finish_one, self._look))()
        while self._calls:
            yield from self._finish_one()
        while self._talks:
            yield from self._delete(self._talks[0])
            yield from self._finish_all()
        while self._credentials:
            yield from self._free(self._credentials[0])
            yield from self._finish_all()
        for handle in self._idle:
            yield FreeAsyncContext(handle)

    def _finish_all(self) -> Doing:
        while self._calls:
            yield from self._finish_one()

    # -- beginning -----------------------------------------------------------------------------------------------------

    def _begin(self) -> Doing:
        """Queue a call on something that no other call uses."""
        free = [one for one in self._talks if not one.is_busy]
        unused = [one for one in self._credentials if not any(talk.credential is one for talk in self._talks)]
        choices = [self._acquire]
        if self._credentials:
            choices += [self._open, self._open]
        if free:
            talk = self._chance.choice(free)
            choices += [lambda: self._delete(talk)]
            choices += [lambda: self._leg(talk)] * 4 if talk.status == CONTINUE else []
        if unused and not any(one.what in ("acquire", "free") for one in self._calls):
            choices += [lambda: self._free(unused[0])]
        yield from self._chance.choice(choices)()

    def _async_context(self, style: str, call: Call) -> Doing:
        """Take an idle async context, or make one, and register the callback of this call."""
        if self._idle and self._chance.random() < 0.7:
            handle = self._idle.pop(self._chance.randrange(len(self._idle)))
        else:
            handle = yield CreateAsyncContext()
        if self._chance.random() < 0.2:
            yield AsyncContextRequiresNotify(handle)
        yield SetAsyncNotifyCallback(handle, _callback(style), call)
        call.async_context = handle
        return handle

    def _call(self, what: str, about: Talk | HandleVariable) -> Doing:
        self._count += 1
        style = self._chance.choice(STYLES)
        call = Call(Handle("client", "ac", 0), style, about, what, Signal(f"call {self._count}"))
        yield from self._async_context(style, call)
        self._calls.append(call)
        return call

    def _acquire(self) -> Doing:
        variable: HandleVariable = OutputSlot("phCredential", None)
        call = yield from self._call("acquire", variable)
        expiry = OutputSlot("ptsExpiry", 0)
        yield AcquireCredentialsHandle(call.async_context, None, PACKAGE, BOTH, None, variable, expiry)

    def _open(self) -> Doing:
        talk = Talk(self._chance.choice(list(Role)), self._chance.choice(self._credentials))
        self._talks.append(talk)
        yield from self._leg(talk)

    def _leg(self, talk: Talk) -> Doing:
        talk.is_busy = True
        call = yield from self._call("leg", talk)
        is_allocated = self._chance.random() < 0.5
        call.output = SecBufferDesc(to_allocate(BufferType.TOKEN) if is_allocated else room(BufferType.TOKEN, 4096))
        flags = ALLOCATE_MEMORY if is_allocated else 0
        is_first = talk.variable.value is None
        context = None if is_first else talk.variable
        numbers = OutputSlot("pfContextAttr", 0), OutputSlot("ptsExpiry", 0)
        data = SecBufferDesc(given(BufferType.TOKEN, f"what came for call {self._count}".encode()), empty())
        if talk.role is Role.CLIENT:
            yield InitializeSecurityContext(
                call.async_context, talk.credential, context, "peer.test", flags, None if is_first else data,
                talk.variable, call.output, *numbers,
            )  # fmt: skip
        else:
            yield AcceptSecurityContext(
                call.async_context, talk.credential, context, data, flags, talk.variable, call.output, *numbers
            )

    def _delete(self, talk: Talk) -> Doing:
        """Delete a security context: with a callback, or silently on an async context that is freed or polled."""
        if talk.variable.value is None:
            self._talks.remove(talk)
            return
        if self._chance.random() < 0.5:
            talk.is_busy = True
            call = yield from self._call("delete", talk)
            yield DeleteSecurityContext(call.async_context, talk.variable)
            return
        handle = yield CreateAsyncContext()
        yield DeleteSecurityContext(handle, talk.variable)
        self._talks.remove(talk)
        if self._chance.random() < 0.5:
            yield FreeAsyncContext(handle)
            return
        while (yield GetAsyncCallStatus(handle)) == PENDING:
            yield Sleep(500)
        yield ReinitAsyncContext(handle)
        self._idle.append(handle)

    def _free(self, credential: HandleVariable) -> Doing:
        call = yield from self._call("free", credential)
        self._credentials.remove(credential)
        yield FreeCredentialsHandle(call.async_context, credential)

    # -- looking and ending --------------------------------------------------------------------------------------------

    def _look(self) -> Doing:
        """Do something harmless."""
        free = [one for one in self._talks if not one.is_busy and one.variable.value is not None]
        if free and free[0].status < FIRST_ERROR:
            yield QueryContextAttributes(free[0].variable.value, 4)
        if free and free[0].status == OK:
            yield EncryptMessage(free[0].variable.value, SecBufferDesc(given(BufferType.DATA, b"data")))
        if self._idle and self._chance.random() < 0.5:
            yield ReinitAsyncContext(self._idle[0])
        if self._chance.random() < 0.2:
            yield FreeAsyncContext(None)

    def _finish_one(self) -> Doing:
        """Wait for a call, whichever, and take its result."""
        if not self._calls:
            return
        call = self._calls.pop(self._chance.randrange(len(self._calls)))
        status = yield from self._result(call)
        if call.output is not None:
            token = call.output.first(BufferType.TOKEN)
            if token is not None and token.data:
                yield Send(token.data, is_token=True)
            if call.output.has_allocated():
                yield FreeContextBuffer(call.output)
        if isinstance(call.about, Talk):
            call.about.status, call.about.is_busy = status, False
            if call.what == "delete" or call.about.variable.value is None:
                self._talks.remove(call.about)
        elif call.what == "acquire":
            self._credentials.append(call.about)

    def _result(self, call: Call) -> Doing:
        """Learn what a call came to, in its style, and give its async context back or free it."""
        handle = call.async_context
        if call.style not in MARKING:
            status = yield Wait(call.signal)
            if call.style == "reinit inside":
                self._idle.append(handle)
            return status
        status = yield GetAsyncCallStatus(handle)
        while status == PENDING or not call.is_marked:
            yield Sleep(500)
            status = yield GetAsyncCallStatus(handle)
        if call.style == "mark, then free":
            yield FreeAsyncContext(handle)
        else:
            yield ReinitAsyncContext(handle)
            self._idle.append(handle)
        return status


def _callback(style: str) -> Any:
    """Give the callback of a style; its callback data is the call."""

    def body(handle: Handle, data: object) -> Driver:
        assert isinstance(data, Call), "the call is its callback's data"
        if style in MARKING:
            data.is_marked = True
            return
        status = yield GetAsyncCallStatus(handle)
        yield ReinitAsyncContext(handle) if style == "reinit inside" else FreeAsyncContext(handle)
        yield Raise(data.signal, status)  # type: ignore[arg-type]

    return body
