"""The rules of buffers, handles and legs: each fires alone on its run, and not on what only looks like it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sspicli.journal.events import SecurityContextOpened
from sspicli.packages.scripted import ScriptedContext, ScriptedLeg
from sspicli.runtime.oddities import Words
from sspicli.sspi.buffers import BufferType, SecBuffer, SecBufferDesc, empty, given, room
from sspicli.sspi.flags import IscReq
from sspicli.sspi.handles import Handle
from sspicli.sspi.lifecycle import Phase
from sspicli.sspi.package import Role
from sspicli.sspi.status import SecurityStatus
from tests.pairs import INBOUND, OUTBOUND, PACKAGE, Bench, codes, events, judged, outputs, variable

S = SecurityStatus
OK, CONTINUE = S.SEC_E_OK, S.SEC_I_CONTINUE_NEEDED
LEG = ScriptedLeg(CONTINUE, wants_input=False)
SILENT = {Role.CLIENT: (LEG, LEG, LEG, LEG), Role.SERVER: (LEG, LEG, LEG)}
QUERY = 4


class Desk:
    """A bench with what a handshake needs: an async context of its own for each call, and a tidy end."""

    def __init__(self, *legs: SecurityStatus, use: int = INBOUND | OUTBOUND) -> None:
        script = SILENT
        if legs:
            made = tuple(ScriptedLeg(status, wants_input=False) for status in legs)
            script = {Role.CLIENT: made, Role.SERVER: made}
        self.bench = Bench(script)
        self.api = self.bench.api
        self.credential = outputs()
        self.api.acquire_credentials_handle_async(
            self.on(), principal=None, package=PACKAGE, credential_use=use, auth_data=None,
            credential=self.credential.handle, expiry=self.credential.expiry,
        )  # fmt: skip
        self.context: Handle | None = None
        self.settle()

    def on(self) -> Handle:
        """Give an async context for one call."""
        return self.bench.context()

    def leg(self, **changes: object) -> None:
        """Queue a client leg on variables of its own; the first, or on the security context there is."""
        into = outputs()
        given_: dict[str, object] = {
            "credential": variable(self.credential.handle.held),
            "security_context": None if self.context is None else variable(self.context),
            "target_name": "peer.test",
            "context_requirements": 0,
            "input": None,
            "new_security_context": into.handle,
            "output": None,
            "attributes": into.attributes,
            "expiry": into.expiry,
        }
        self.api.initialize_security_context_async(self.on(), **{**given_, **changes})  # type: ignore[arg-type]

    def accept(self, input: SecBufferDesc | None, **changes: object) -> None:
        """Queue a server leg."""
        into = outputs()
        given_: dict[str, object] = {
            "credential": variable(self.credential.handle.held),
            "security_context": None if self.context is None else variable(self.context),
            "input": input,
            "context_requirements": 0,
            "new_security_context": into.handle,
            "output": None,
            "attributes": into.attributes,
            "expiry": into.expiry,
        }
        self.api.accept_security_context_async(self.on(), **{**given_, **changes})  # type: ignore[arg-type]

    def settle(self, at: int = 0) -> None:
        """Complete a call; keep the security context it made."""
        call = self.bench.settle(at)
        self.api.get_async_call_status(call.async_context.handle)
        self.api.free_async_context(call.async_context.handle)
        for opened in events(self.bench.journal.records, SecurityContextOpened):
            self.context = opened.security_context

    def open(self) -> None:
        """Have a security context."""
        self.leg()
        self.settle()

    def delete(self) -> None:
        self.api.delete_security_context_async(self.on(), security_context=variable(self.context))

    def free(self) -> None:
        self.api.free_credentials_handle_async(self.on(), credential=variable(self.credential.handle.held))

    def end(self) -> list[str]:
        """End what is alive, and judge."""
        while self.bench.dispatcher.completions:
            self.settle()
        if self.context in self.api._tables.security_contexts:
            self.delete()
            self.settle()
        if self.credential.handle.held in self.api._tables.credentials:
            self.free()
            self.settle()
        for handle, one in self.api._async_contexts.items():
            if one.phase is not Phase.FREED:
                self.api.free_async_context(handle)
        return codes(judged(self.bench.journal.records))


def token(data: bytes = b"token") -> SecBufferDesc:
    return SecBufferDesc(given(BufferType.TOKEN, data), empty())


# -- memory ------------------------------------------------------------------------------------------------------------
def touch(parameter: str, act: str, *, is_pending: bool = True) -> Callable[[Desk], None]:
    """Touch a buffer of a leg while it is pending, or after it."""

    def program(desk: Desk) -> None:
        descriptors = {"input": token(), "output": SecBufferDesc(room(BufferType.TOKEN, 99))}
        desk.leg(**descriptors)
        if not is_pending:
            desk.settle()
        desk.api.touch_buffer(descriptors[parameter].buffers[0], act=act, data=None)

    return program


def share(desk: Desk, *, in_turn: bool) -> None:
    """Give one output to legs of two security contexts."""
    output = SecBufferDesc(room(BufferType.TOKEN, 99))
    desk.leg(output=output)
    if in_turn:
        desk.settle()
        desk.delete()
        desk.settle()
        desk.context = None
    desk.leg(output=output)
    if not in_turn:
        desk.settle()
        desk.delete()
        desk.settle(1)


def share_at_once(desk: Desk) -> None:
    share(desk, in_turn=False)


def share_in_turn(desk: Desk) -> None:
    share(desk, in_turn=True)


def layout(*buffers: Callable[[], SecBuffer]) -> Callable[[Desk], None]:
    return lambda desk: desk.accept(SecBufferDesc(*(one() for one in buffers)))


def words(*given_: int) -> Callable[[Desk], None]:
    return lambda desk: desk.leg(words=Words(*given_))


def version(number: int) -> Callable[[Desk], None]:
    def program(desk: Desk) -> None:
        input = token()
        input.version = number
        desk.leg(input=input)

    return program


def acquire(**changes: str) -> Callable[[Desk], None]:
    """Acquire another credential, and free it."""

    def program(desk: Desk) -> None:
        into = outputs()
        given_: dict[str, object] = {
            "principal": None, "package": PACKAGE, "credential_use": OUTBOUND, "auth_data": None,
            "credential": into.handle, "expiry": into.expiry,
        }  # fmt: skip
        desk.api.acquire_credentials_handle_async(desk.on(), **{**given_, **changes})  # type: ignore[arg-type]
        desk.settle()
        desk.api.free_credentials_handle_async(desk.on(), credential=variable(into.handle.held))

    return program


# -- lives -------------------------------------------------------------------------------------------------------------
def delete_under_a_leg(desk: Desk) -> None:
    desk.open()
    desk.leg()
    desk.delete()


def delete_after_a_leg(desk: Desk) -> None:
    desk.open()
    desk.leg()
    desk.settle()
    desk.delete()


def delete_twice(desk: Desk) -> None:
    desk.open()
    desk.delete()
    desk.settle()
    desk.delete()


def delete_once_more_after_a_failure(desk: Desk) -> None:
    desk.open()
    desk.delete()
    (call,) = desk.bench.dispatcher.completions
    failed = call.compute()._replace(status=S.SEC_E_INTERNAL_ERROR)
    call.result = failed
    desk.api._tables.security_contexts[desk.context] = ScriptedContext(())  # type: ignore[index]
    desk.settle()
    desk.delete()


def query_after_delete(desk: Desk) -> None:
    desk.open()
    desk.delete()
    desk.settle()
    desk.api.query_context_attributes(desk.context, attribute=QUERY)


def query_then_delete(desk: Desk) -> None:
    desk.open()
    desk.api.query_context_attributes(desk.context, attribute=QUERY)
    desk.delete()


def leg_after_delete(desk: Desk) -> None:
    desk.open()
    desk.delete()
    desk.settle()
    desk.leg()


def free_under_a_leg(desk: Desk) -> None:
    desk.open()
    desk.leg()
    desk.free()


def free_between_legs(desk: Desk) -> None:
    desk.open()
    desk.free()
    desk.settle()
    desk.leg(credential=None)


def free_twice(desk: Desk) -> None:
    desk.free()
    desk.settle()
    desk.free()


def use_too_early(desk: Desk) -> None:
    into = outputs()
    into.handle.held = None
    desk.bench.acquire(desk.on(), into)
    desk.leg(credential=into.handle)
    desk.settle()
    desk.settle()
    desk.api.free_credentials_handle_async(desk.on(), credential=variable(into.handle.held))


def use_in_time(desk: Desk) -> None:
    into = outputs()
    desk.bench.acquire(desk.on(), into)
    desk.settle()
    desk.leg(credential=into.handle)
    desk.settle()
    desk.api.free_credentials_handle_async(desk.on(), credential=variable(into.handle.held))


def two_legs(desk: Desk) -> None:
    desk.open()
    desk.leg()
    desk.leg()


def two_legs_in_turn(desk: Desk) -> None:
    desk.open()
    desk.leg()
    desk.settle()
    desk.leg()


def foreign_context(desk: Desk) -> None:
    desk.leg(security_context=variable(Handle("client", "ctxt", 77)))


def null_variable(desk: Desk) -> None:
    desk.leg(security_context=variable(None))


def query_under_a_leg(desk: Desk) -> None:
    desk.open()
    desk.leg()
    desk.api.query_context_attributes(desk.context, attribute=QUERY)


def query_after_a_leg(desk: Desk) -> None:
    desk.open()
    desk.leg()
    desk.settle()
    desk.api.query_context_attributes(desk.context, attribute=QUERY)


def two_more_legs(desk: Desk) -> None:
    desk.open()
    desk.leg(input=token())
    desk.settle()
    desk.leg(input=token())


def renegotiation(desk: Desk) -> None:
    """Pass no bytes after SEC_E_OK: that asks for a renegotiation."""
    desk.open()
    desk.leg(input=token())
    desk.settle()
    desk.leg()


def requested(flags: int) -> Callable[[Desk], None]:
    return lambda desk: desk.leg(context_requirements=flags)


def named(target: str | None) -> Callable[[Desk], None]:
    return lambda desk: desk.leg(target_name=target)


def answered(flags: int) -> Callable[[Desk], None]:
    """Go on after SEC_I_INCOMPLETE_CREDENTIALS."""

    def program(desk: Desk) -> None:
        desk.open()
        desk.leg()
        desk.settle()
        desk.leg(context_requirements=flags)

    return program


def empty_of(size: int) -> Callable[[], SecBuffer]:
    def make() -> SecBuffer:
        one = empty()
        one.image = one.image._replace(size=size)
        return one

    return make


def a_token() -> SecBuffer:
    return given(BufferType.TOKEN, b"token")


WANTS = S.SEC_I_INCOMPLETE_CREDENTIALS
FATAL = S.SEC_E_ILLEGAL_MESSAGE
INCOMPLETE = S.SEC_E_INCOMPLETE_MESSAGE

Program = Callable[[Desk], None]
CASES: list[tuple[str, Program, Program, tuple[SecurityStatus, ...]]] = [
    ("C001", touch("output", "read"), touch("input", "read"), ()),
    ("C002", touch("input", "write"), touch("input", "write", is_pending=False), ()),
    ("C002", touch("input", "free"), touch("input", "free", is_pending=False), ()),
    ("C003", touch("output", "write"), touch("output", "write", is_pending=False), ()),
    ("C003", touch("output", "free"), touch("output", "free", is_pending=False), ()),
    ("C004", share_at_once, share_in_turn, ()),
    ("C009", layout(a_token), layout(a_token, empty), ()),
    ("C009", layout(empty, a_token), layout(a_token, empty, empty), ()),
    ("C009", layout(a_token, empty_of(3)), layout(a_token, empty), ()),
    ("C011", acquire(strings="narrow"), acquire(strings="unicode"), ()),
    ("C011", acquire(memory="pool"), acquire(memory="process"), ()),
    ("C012", words(1), words(0), ()),
    ("C012", words(0, 0x20), words(0, 0x10), ()),
    ("C012", words(0, 0, 9), words(0, 0, 0), ()),
    ("C012", version(1), version(0), ()),
    ("D001", delete_under_a_leg, delete_after_a_leg, ()),
    ("D002", delete_twice, delete_once_more_after_a_failure, ()),
    ("D003", query_after_delete, query_then_delete, ()),
    ("D003", leg_after_delete, query_then_delete, ()),
    ("D005", free_under_a_leg, free_between_legs, ()),
    ("D006", use_too_early, use_in_time, ()),
    ("D008", free_twice, use_in_time, ()),
    ("D009", acquire(package="NTLM"), acquire(package="Schannel"), ()),
    ("D010", requested(int(IscReq.DELEGATE)), requested(int(IscReq.CONFIDENTIALITY)), ()),
    ("D010", requested(int(IscReq.PROMPT_FOR_CREDS)), requested(int(IscReq.USE_SUPPLIED_CREDS)), ()),
    ("D011", named(None), named("peer.test"), ()),
    ("D012", two_legs, two_legs_in_turn, ()),
    ("D014", answered(0), answered(int(IscReq.USE_SUPPLIED_CREDS)), (CONTINUE, WANTS, OK, OK)),
    ("D016", foreign_context, null_variable, ()),
    ("D017", query_under_a_leg, query_after_a_leg, ()),
    ("D018", two_more_legs, renegotiation, (CONTINUE, OK, OK)),
]


def found(program: Program, legs: tuple[SecurityStatus, ...]) -> list[str]:
    desk = Desk(*legs)
    program(desk)
    return desk.end()


@pytest.mark.parametrize(
    ("code", "wrong", "right", "legs"), CASES, ids=[f"{one[0]}-{at}" for at, one in enumerate(CASES)]
)
def test_a_rule_fires_alone_where_it_is_broken_and_not_where_it_is_kept(code, wrong, right, legs):
    assert found(wrong, legs) == [code]
    assert found(right, legs) == []


def test_a_leg_after_a_fatal_status_is_found_and_one_after_missing_bytes_is_not():
    assert found(two_legs_in_turn, (CONTINUE, FATAL, OK)) == ["D019"]
    assert found(two_legs_in_turn, (CONTINUE, INCOMPLETE, OK)) == []


@pytest.mark.parametrize(("use", "expected"), [(INBOUND, ["D007"]), (OUTBOUND, []), (INBOUND | OUTBOUND, [])])
def test_a_client_needs_an_outbound_credential(use: int, expected: list[str]):
    desk = Desk(use=use)
    desk.leg()
    assert desk.end() == expected


@pytest.mark.parametrize(("use", "expected"), [(OUTBOUND, ["D007"]), (INBOUND, []), (INBOUND | OUTBOUND, [])])
def test_a_server_needs_an_inbound_credential(use: int, expected: list[str]):
    desk = Desk(use=use)
    desk.accept(token())
    assert desk.end() == expected


def test_a_spoilt_input_is_what_the_call_computes_with():
    desk = Desk()
    input = token(b"\x00\x01")
    desk.leg(input=input)
    desk.api.touch_buffer(input, act="write", data=None)
    assert input.buffers[0].data == b"\xff\xfe"
    desk.api.touch_buffer(input.buffers[0], act="write", data=b"abc")
    assert (input.buffers[0].data, input.buffers[0].size) == (b"abc", 3)
    desk.api.touch_buffer(input, act="free", data=None)
    assert input.buffers[0].data == b"\xdd\xdd\xdd"
