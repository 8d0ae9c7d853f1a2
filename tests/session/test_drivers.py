"""The correct programs: whatever the order, style and fault, they finish, end what they made and break no rule."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pytest

from sspicli.analysis.report import Verdict, report
from sspicli.analysis.rules import judge
from sspicli.journal.events import (
    AsyncContextCreated,
    CallQueued,
    CallRefused,
    CallStatusQueried,
    CredentialAcquired,
    CredentialFreed,
    HandshakeBegan,
    NoteMade,
    RunEnded,
    SecurityContextDeleted,
    SecurityContextOpened,
    TokenSent,
)
from sspicli.packages.scripted import (
    THREE_LEGS,
    Script,
    ScriptedContext,
    ScriptedCredential,
    ScriptedLeg,
    ScriptedPackage,
)
from sspicli.runtime.chooser import Completion, Order, Policy, Seeded
from sspicli.session.drivers import Style
from sspicli.session.wire import MemoryWire, Parcel
from sspicli.sspi.functions import Function
from sspicli.sspi.package import AcquireRequest, AcquireResult, LegRequest, LegResult, Role
from sspicli.sspi.status import SecurityStatus
from tests.pairs import (
    IS_DEEP,
    FailingPackage,
    RefusingDispatcher,
    assert_clean,
    events,
    finished_pair,
    monitored,
    only,
    placed,
)

OK, CONTINUE = SecurityStatus.SEC_E_OK, SecurityStatus.SEC_I_CONTINUE_NEEDED
ILLEGAL = SecurityStatus.SEC_E_ILLEGAL_MESSAGE
INCOMPLETE = SecurityStatus.SEC_E_INCOMPLETE_MESSAGE
SEEDS = range(20_000 if IS_DEEP else 300)
BOTH = [(Style.CALLBACK, Style.CALLBACK), (Style.POLL, Style.POLL)]
MIXED = [*BOTH, (Style.CALLBACK, Style.POLL), (Style.POLL, Style.CALLBACK)]

HELLO = ScriptedLeg(CONTINUE, b"hello", wants_input=False)
SERVER_REFUSES: Script = {Role.CLIENT: (HELLO, ScriptedLeg(ILLEGAL)), Role.SERVER: (ScriptedLeg(ILLEGAL, b"alert"),)}
CLIENT_REFUSES: Script = {
    Role.CLIENT: (HELLO, ScriptedLeg(SecurityStatus.SEC_E_CERT_EXPIRED, b"alert")),
    Role.SERVER: (ScriptedLeg(CONTINUE, b"flight"), ScriptedLeg(SecurityStatus.SEC_E_CERT_EXPIRED)),
}
FIRST_LEG_FAILS: Script = {Role.CLIENT: (ScriptedLeg(ILLEGAL, wants_input=False),), Role.SERVER: ()}
SERVER_SAYS_NOTHING: Script = {Role.CLIENT: (HELLO,), Role.SERVER: (ScriptedLeg(OK),)}
MORE_LEGS: Script = {
    Role.CLIENT: (HELLO, ScriptedLeg(CONTINUE, b"two"), ScriptedLeg(CONTINUE, b"three"), ScriptedLeg(OK)),
    Role.SERVER: (ScriptedLeg(CONTINUE, b"a"), ScriptedLeg(CONTINUE, b"b"), ScriptedLeg(OK, b"c")),
}
SCRIPTS = {
    "agreed": THREE_LEGS,
    "more legs": MORE_LEGS,
    "server refuses": SERVER_REFUSES,
    "client refuses": CLIENT_REFUSES,
    "first leg fails": FIRST_LEG_FAILS,
    "server says nothing": SERVER_SAYS_NOTHING,
}


@pytest.mark.parametrize("styles", BOTH, ids=str)
def test_no_order_of_events_makes_a_correct_program_break_a_rule(styles):
    for seed in SEEDS:
        records = finished_pair(chooser=Seeded(seed), styles=styles)
        assert_clean(records)
        assert report(records).verdict is Verdict.OK, f"seed {seed}"


@pytest.mark.parametrize("styles", MIXED, ids=str)
@pytest.mark.parametrize("script", SCRIPTS.values(), ids=SCRIPTS)
def test_nor_does_a_handshake_that_fails(script, styles):
    for seed in range(40):
        assert_clean(finished_pair(script, chooser=Seeded(seed), styles=styles))


@pytest.mark.parametrize("styles", BOTH, ids=str)
def test_two_handshakes_after_each_other_are_as_good_as_one_in_every_order(styles):
    for seed in SEEDS[:150]:
        records = finished_pair(chooser=Seeded(seed), styles=styles, handshakes=2)
        assert_clean(records)
        begun = [(record.actor, event.number) for record, event in placed(records, HandshakeBegan)]
        assert sorted(begun) == [("client", 1), ("client", 2), ("server", 1), ("server", 2)]
        assert report(records).verdict is Verdict.OK, f"seed {seed}"


@pytest.mark.parametrize("styles", MIXED, ids=str)
@pytest.mark.parametrize("order", Order)
@pytest.mark.parametrize("completion", Completion)
@pytest.mark.parametrize("script", SCRIPTS.values(), ids=SCRIPTS)
def test_every_policy_is_as_good(script, completion, order, styles):
    assert_clean(finished_pair(script, chooser=Policy(completion, order, 7), styles=styles))


# -- what a correct program does ---------------------------------------------------------------------------------------
def functions(records, actor):
    return [event.function for event in events(records, CallQueued) if event.call.actor == actor]


def test_the_documented_flow_is_acquire_legs_delete_free():
    records = finished_pair()
    assert functions(records, "client") == [
        Function.SspiAcquireCredentialsHandleAsync,
        Function.SspiInitializeSecurityContextAsync,
        Function.SspiInitializeSecurityContextAsync,
        Function.SspiDeleteSecurityContextAsync,
        Function.SspiFreeCredentialsHandleAsync,
    ]
    assert functions(records, "server") == [
        Function.SspiAcquireCredentialsHandleAsync,
        Function.SspiAcceptSecurityContextAsync,
        Function.SspiAcceptSecurityContextAsync,
        Function.SspiDeleteSecurityContextAsync,
        Function.SspiFreeCredentialsHandleAsync,
    ]


def test_one_async_context_serves_a_whole_endpoint():
    assert len(events(finished_pair(), AsyncContextCreated)) == 2


@pytest.mark.parametrize("style", [Style.CALLBACK, Style.POLL])
def test_a_callback_program_never_sees_pending_and_a_polling_one_does(style):
    statuses = {one.status for one in events(finished_pair(styles=(style, style)), CallStatusQueried)}
    assert (SecurityStatus.SEC_I_ASYNC_CALL_PENDING in statuses) is (style is Style.POLL)


def test_a_token_is_sent_with_ok_too_and_with_an_error():
    assert [event.data for event in events(finished_pair(MORE_LEGS), TokenSent)][-1] == b"c"
    assert [event.data for event in events(finished_pair(CLIENT_REFUSES), TokenSent)][-1] == b"alert"


@pytest.mark.parametrize("script", SCRIPTS.values(), ids=SCRIPTS)
def test_everything_that_was_made_is_ended_once(script):
    records = finished_pair(script)
    made = Counter(event.credential for event in events(records, CredentialAcquired))
    assert made == Counter(event.credential for event in events(records, CredentialFreed))
    opened = Counter(event.security_context for event in events(records, SecurityContextOpened))
    assert opened == Counter(event.security_context for event in events(records, SecurityContextDeleted))
    assert set((made + opened).values()) == {1}


def test_a_partial_security_context_is_deleted_when_a_later_leg_fails():
    records = finished_pair(CLIENT_REFUSES)
    assert {event.security_context.actor for event in events(records, SecurityContextDeleted)} == {"client", "server"}


class ByteByByte(MemoryWire):
    """Delivers every token in pieces of one byte."""

    def send(self, sender: str, data: bytes, *, is_token: bool) -> Sequence[Parcel]:
        return [
            parcel for byte in data for parcel in super(ByteByByte, self).send(sender, bytes([byte]), is_token=is_token)
        ]


class WholeTokens(ScriptedPackage):
    """Steps only on a whole token of the script, as TLS does; keeps the inputs it was given."""

    def __init__(self) -> None:
        super().__init__()
        self.inputs: list[bytes] = []

    def acquire(self, request: AcquireRequest) -> AcquireResult:
        return AcquireResult(OK, WholeTokensCredential(self.inputs))


class WholeTokensCredential(ScriptedCredential):
    def __init__(self, inputs: list[bytes]) -> None:
        super().__init__(THREE_LEGS)
        self._inputs = inputs

    def open(self, role: Role) -> ScriptedContext:
        return WholeTokensContext(THREE_LEGS[role], self._inputs)


class WholeTokensContext(ScriptedContext):
    def __init__(self, legs: Sequence[ScriptedLeg], inputs: list[bytes]) -> None:
        super().__init__(legs)
        self._inputs = inputs

    def step(self, request: LegRequest) -> LegResult:
        token = b"" if request.input is None else request.input[0].data or b""
        self._inputs.append(token)
        return super().step(request) if token in (b"", b"hello", b"flight", b"finished") else LegResult(INCOMPLETE)


@pytest.mark.parametrize("styles", MIXED, ids=str)
def test_an_incomplete_message_is_passed_again_whole_with_what_came_after(styles):
    server = WholeTokens()
    packages = {"client": WholeTokens(), "server": server}
    order = Policy(Completion.RANDOM, Order.SEED, 3)
    records = finished_pair(packages=packages, styles=styles, wire=ByteByByte(("client", "server")), chooser=order)
    assert_clean(records)
    assert report(records).verdict is Verdict.OK
    assert [one for one in server.inputs if b"hello".startswith(one)] == [b"h", b"he", b"hel", b"hell", b"hello"]


def test_a_stream_in_pieces_arrives_in_order_whatever_happens_next():
    for seed in range(40):
        packages = {"client": WholeTokens(), "server": WholeTokens()}
        wire = ByteByByte(("client", "server"))
        records = finished_pair(packages=packages, wire=wire, chooser=Seeded(seed))
        assert report(records).verdict is Verdict.OK, f"seed {seed}"


def test_a_message_cut_off_by_the_peer_is_noted_and_no_success():
    packages = {"client": FailingAfterHello(), "server": WholeTokens()}
    records = finished_pair(packages=packages)
    assert_clean(records)
    assert "the peer closed the connection in the middle of a message" in [
        one.text for one in events(records, NoteMade)
    ]
    assert report(records).verdict is Verdict.FAILED


class FailingAfterHello(ScriptedPackage):
    """Sends half a hello, and has done."""

    def __init__(self) -> None:
        super().__init__({Role.CLIENT: (ScriptedLeg(OK, b"hel", wants_input=False),)})


# -- faults ------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("style", [Style.CALLBACK, Style.POLL])
@pytest.mark.parametrize("victim", ["client", "server"])
def test_a_credential_that_is_refused_ends_both_sides(victim, style):
    packages = {victim: FailingPackage(SecurityStatus.SEC_E_NO_CREDENTIALS)}
    records = finished_pair(packages=packages, styles=(style, style))
    assert_clean(records)
    result = report(records)
    assert result.verdict is Verdict.FAILED
    assert result.failure is not None
    assert (result.failure.side, result.failure.status) == (victim, SecurityStatus.SEC_E_NO_CREDENTIALS)


def test_a_peer_that_closes_early_is_noted_and_the_context_is_deleted():
    records = finished_pair(packages={"server": FailingPackage(SecurityStatus.SEC_E_NO_CREDENTIALS)})
    assert "the peer closed the connection before the handshake was done" in [
        one.text for one in events(records, NoteMade)
    ]
    assert len(events(records, SecurityContextDeleted)) == 1


@pytest.mark.parametrize("victim", ["client", "server"])
def test_a_program_without_memory_for_its_async_context_says_so_and_ends(victim):
    dispatcher = RefusingDispatcher(
        lambda function, actor, _count: actor == victim and function is Function.SspiCreateAsyncContext
    )
    records = finished_pair(dispatcher=dispatcher)
    assert only(records, RunEnded) == RunEnded("finished", ())
    assert "SspiCreateAsyncContext returned NULL: out of memory" in [event.text for event in events(records, NoteMade)]
    assert judge(records) == ()
    assert functions(records, victim) == []
    assert report(records).verdict is Verdict.FAILED


@pytest.mark.parametrize("site", range(1, 14))
@pytest.mark.parametrize("styles", BOTH, ids=str)
def test_whatever_queueing_is_refused_the_run_ends_and_the_driver_is_not_blamed(site, styles):
    dispatcher = RefusingDispatcher(lambda _function, _actor, count: count == site)
    records = finished_pair(dispatcher=dispatcher, styles=styles)
    assert only(records, RunEnded) == RunEnded("finished", ())
    assert monitored(records).disagreements == []
    assert judge(records) == ()  # what could not be ended is lost, and it is the system's doing


def test_the_sites_above_are_all_there_are():
    dispatcher = RefusingDispatcher(lambda _function, _actor, _count: False)
    finished_pair(dispatcher=dispatcher)
    assert dispatcher.asked == 12


@pytest.mark.parametrize("victim", ["client", "server"])
def test_a_refused_leg_is_a_failure_for_both_sides_and_no_callback_is_awaited(victim):
    leg = (Function.SspiInitializeSecurityContextAsync, Function.SspiAcceptSecurityContextAsync)
    dispatcher = RefusingDispatcher(lambda function, actor, _count: actor == victim and function in leg)
    records = finished_pair(dispatcher=dispatcher)
    assert_clean(records)
    assert only(records, CallRefused).queue_status == SecurityStatus.SEC_E_INSUFFICIENT_MEMORY
    assert report(records).verdict is Verdict.FAILED
