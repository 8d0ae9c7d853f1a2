"""The mutants of the correct drivers (see `mutants.py`), each with the rules of which one must catch it."""

from __future__ import annotations

from typing import Any

from sspicli.runtime.calls import OutputSlot
from sspicli.runtime.oddities import Words
from sspicli.session.actions import (
    AcquireCredentialsHandle,
    DeleteSecurityContext,
    FreeAsyncContext,
    FreeContextBuffer,
    FreeCredentialsHandle,
    FreeMemory,
    GetAsyncCallStatus,
    QueryContextAttributes,
    Raise,
    Receive,
    ReinitAsyncContext,
    Send,
    SetAsyncNotifyCallback,
    Sleep,
    TouchBuffer,
    Wait,
)
from sspicli.session.drivers import Style
from sspicli.sspi.buffers import BufferType, SecBufferDesc, empty, given
from sspicli.sspi.handles import Handle
from sspicli.sspi.status import SecurityStatus
from tests.mutants import (
    CLIENT,
    FIRST_ERROR,
    INCOMPLETE,
    LEGS,
    OK,
    SERVER,
    Mutant,
    after,
    again_when,
    and_wait,
    before,
    beside,
    copy_of,
    drop,
    early_leg,
    echo,
    extra_as,
    fresh,
    instead,
    only_the_new,
    read_attributes,
    skip_call,
    status_from,
    twice,
    with_layout,
    with_token,
    with_version,
)
from tests.tls_runs import RoughWire

GARBAGE = OutputSlot[Handle | None]("phContext", Handle("client", "ctxt", 99))
ROUGH: dict[str, Any] = {"wire": lambda: RoughWire(3, 6)}
REFUSING = {"server": ("cert=expired",)}
ASKING = {"server": ("request-cert=yes",)}
TLS12 = {"client": ("tls=1.2",)}
POLLED = {"styles": (Style.POLL, Style.POLL), "limit": 5000}

MUTANTS = (
    # async contexts and notification
    Mutant("never reinitialises", "A002", (ReinitAsyncContext,), drop),
    Mutant("forgets one reinit", "A002", (ReinitAsyncContext,), drop, SERVER, (2,)),
    Mutant("reinitialises at once", "A001", LEGS, after(lambda one: ReinitAsyncContext(one.async_context))),
    Mutant("frees while pending", "A004", LEGS, after(lambda one: FreeAsyncContext(one.async_context)), SERVER),
    Mutant("frees the async context twice", "A007", (FreeAsyncContext,), twice),
    Mutant("never frees the async context", "A008", (FreeAsyncContext,), drop),
    Mutant(
        "frees it in the callback, then goes on",
        "A006",
        (ReinitAsyncContext,),
        before(lambda one: FreeAsyncContext(one.handle)),
    ),
    Mutant("never reads a status", "A012 A013", (GetAsyncCallStatus,), drop),
    Mutant("does not wait for a leg", "A012 A002 A003 C001", (Wait,), drop, nth=(2,)),
    Mutant("never raises the signal", "A015", (Raise,), drop),
    Mutant("registers no callback", "B001", (SetAsyncNotifyCallback,), drop),
    Mutant(
        "registers the callback late", "B002", LEGS, after(lambda one: SetAsyncNotifyCallback(one.async_context, None))
    ),
    Mutant("queues twice on one async context", "A003", LEGS, twice, SERVER),
    Mutant("passes a NULL async context", "A009", LEGS, instead(lambda one: one._replace(async_context=None))),
    Mutant("polls without a pause", "A014", (Sleep,), drop, settings=POLLED),
    Mutant("polls and forgets the reinit", "A002", (ReinitAsyncContext,), drop, SERVER, (1,), POLLED),
    # memory of pending calls
    Mutant("reads the attributes early", "C001", LEGS, read_attributes),
    Mutant("reads the output early", "C001", LEGS, after(lambda one: TouchBuffer(one.output, "read"))),
    Mutant("overwrites the input", "C002", LEGS, after(lambda one: TouchBuffer(one.input, "write")), SERVER),
    Mutant("frees the input", "C002", LEGS, after(lambda one: TouchBuffer(one.input, "free")), CLIENT, (2,)),
    Mutant("frees the output", "C003", LEGS, after(lambda one: TouchBuffer(one.output, "free"))),
    Mutant("reuses the output", "C003", LEGS, after(lambda one: TouchBuffer(one.output, "write")), SERVER),
    Mutant(
        "gives two calls one output",
        "C004",
        LEGS,
        beside(lambda own, one: fresh(one, own)._replace(output=one.output, security_context=None)),
        nth=(1,),
    ),
    # tokens and streams
    Mutant("does not send its first token", "C005", (Send,), drop, nth=(1,)),
    Mutant("does not send the server's flight", "C005", (Send,), drop, SERVER, (1,)),
    Mutant("does not send the token that comes with SEC_E_OK", "C005", (Send,), drop, CLIENT, (2,)),
    Mutant("does not send the server's last token", "C005", (Send,), drop, SERVER, (2,), TLS12),
    Mutant("does not send the alert of a failure", "C005", (Send,), drop, CLIENT, (2,), REFUSING),
    Mutant("sends a token twice", "C013", (Send,), twice, CLIENT, (2,)),
    Mutant("sends the server's flight twice", "C013", (Send,), twice, SERVER, (1,)),
    Mutant("sends back what it received", "C013", (Send,), echo, SERVER, (1,)),
    Mutant("feeds itself its own token", "C013", LEGS, with_token(lambda scene, _: scene.sent), CLIENT, (2,)),
    Mutant("feeds the input twice over", "C013", LEGS, with_token(lambda _, data: data + data), SERVER, (2,), TLS12),
    Mutant(
        "throws a piece of the stream away", "C013 C007", (Receive,), after(lambda _: Receive()), CLIENT, (1,), **ROUGH
    ),
    Mutant("drops SECBUFFER_EXTRA", "C006", (Wait,), extra_as(lambda _, __: 0), **ROUGH),
    Mutant(
        "takes all of the input for SECBUFFER_EXTRA", "C006", (Wait,), extra_as(lambda whole, _: whole), SERVER, **ROUGH
    ),
    Mutant("drops a byte of SECBUFFER_EXTRA", "C006", (Wait,), extra_as(lambda _, size: size - 1), **ROUGH),
    Mutant(
        "takes SEC_E_INCOMPLETE_MESSAGE for a failure",
        "C007",
        (Wait,),
        status_from(lambda one: one == INCOMPLETE, SecurityStatus.SEC_E_INTERNAL_ERROR),
        **ROUGH,
    ),
    Mutant("throws incomplete input away", "C007", LEGS, with_token(only_the_new), **ROUGH),
    Mutant("throws incomplete input away at the server", "C007", LEGS, with_token(only_the_new), SERVER, **ROUGH),
    # arguments and allocations
    Mutant(
        "passes a lone TOKEN",
        "C009",
        LEGS,
        with_layout(lambda data: SecBufferDesc(given(BufferType.TOKEN, data))),
        SERVER,
    ),
    Mutant(
        "passes EMPTY before TOKEN",
        "C009",
        LEGS,
        with_layout(lambda data: SecBufferDesc(empty(), given(BufferType.TOKEN, data))),
        SERVER,
    ),
    Mutant("never releases a token", "C010", (FreeContextBuffer,), drop),
    Mutant("forgets to release one token", "C010", (FreeContextBuffer,), drop, SERVER, (1,)),
    Mutant(
        "releases by ExFreePool",
        "C010",
        (FreeContextBuffer,),
        instead(lambda one: FreeMemory(one.buffers, "ExFreePool")),
    ),
    Mutant("passes Reserved1", "C012", LEGS, instead(lambda one: one._replace(words=Words(reserved1=1)))),
    Mutant("passes a bad TargetDataRep", "C012", LEGS, instead(lambda one: one._replace(words=Words(0, 0x20))), SERVER),
    Mutant("passes ulVersion 1", "C012", LEGS, with_version),
    # security contexts and credentials
    Mutant(
        "deletes under a pending leg",
        "D001",
        LEGS,
        beside(lambda own, one: DeleteSecurityContext(own, copy_of(one.security_context))),
        nth=(2,),
    ),
    Mutant(
        "deletes twice",
        "D002",
        (DeleteSecurityContext,),
        and_wait(beside(lambda own, one: DeleteSecurityContext(own, one.security_context))),
    ),
    Mutant(
        "uses it after its delete",
        "D003",
        (DeleteSecurityContext,),
        after(lambda one: QueryContextAttributes(one.security_context.held, 4)),
    ),
    Mutant("never deletes", "D004", (DeleteSecurityContext,), skip_call),
    Mutant("never deletes what failed", "D004", (DeleteSecurityContext,), skip_call, SERVER, (), REFUSING),
    Mutant(
        "frees the credential under a pending leg",
        "D005",
        LEGS,
        beside(lambda own, one: FreeCredentialsHandle(own, copy_of(one.credential))),
        nth=(1,),
    ),
    Mutant("uses a credential before it is there", "D006", (AcquireCredentialsHandle,), and_wait(beside(early_leg))),
    Mutant(
        "acquires INBOUND for a client",
        "D007",
        (AcquireCredentialsHandle,),
        instead(lambda one: one._replace(credential_use=1)),
    ),
    Mutant("never frees the credential", "D008", (FreeCredentialsHandle,), skip_call),
    Mutant(
        "frees the credential twice",
        "D008",
        (FreeCredentialsHandle,),
        and_wait(beside(lambda own, one: FreeCredentialsHandle(own, one.credential))),
        SERVER,
    ),
    Mutant(
        "asks for delegation",
        "D010",
        LEGS,
        instead(lambda one: one._replace(context_requirements=one.context_requirements | 1)),
    ),
    Mutant("makes two legs at once", "D012", LEGS, beside(lambda own, one: fresh(one, own)), nth=(2,)),
    Mutant(
        "passes a handle to the first leg",
        "D016",
        LEGS,
        instead(lambda one: one._replace(security_context=GARBAGE)),
        nth=(1,),
    ),
    Mutant(
        "passes NULL to a later leg",
        "D016",
        LEGS,
        instead(lambda one: one._replace(security_context=None)),
        SERVER,
        (2,),
    ),
    Mutant(
        "asks for attributes under a pending leg",
        "D017",
        LEGS,
        after(lambda one: QueryContextAttributes(one.security_context.held, 4)),
        nth=(2,),
    ),
    Mutant(
        "ignores a fatal status", "D019", (Wait,), again_when(lambda one: one >= FIRST_ERROR), SERVER, settings=REFUSING
    ),
    Mutant("makes another leg after SEC_E_OK", "D018", (Wait,), again_when(lambda one: one == OK), SERVER),
    Mutant(
        "retries INCOMPLETE_CREDENTIALS unchanged",
        "D014",
        LEGS,
        instead(lambda one: one._replace(context_requirements=one.context_requirements & ~0x80)),
        CLIENT,
        (3,),
        ASKING,
    ),
)
