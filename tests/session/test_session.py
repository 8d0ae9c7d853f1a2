"""The session: why a run ends, who waits for what, and what an actor that misbehaves does to the rest."""

from __future__ import annotations

import pytest

from sspicli.analysis.report import Verdict, report
from sspicli.journal.events import (
    CallbackEntered,
    CallCompleted,
    CallQueued,
    ChoiceMade,
    ContractBroken,
    NoteMade,
    RunEnded,
    TokenDelivered,
    TokenSent,
)
from sspicli.packages.scripted import ScriptedLeg
from sspicli.runtime.chooser import Seeded
from sspicli.runtime.dispatch import SteppedDispatcher
from sspicli.session.actions import (
    Close,
    Connect,
    CreateAsyncContext,
    Driver,
    FreeAsyncContext,
    Note,
    Raise,
    Receive,
    Send,
    SetAsyncNotifyCallback,
    Signal,
    Sleep,
    Wait,
    do,
    receive,
    wait,
)
from sspicli.session.drivers import Style
from sspicli.sspi.functions import Function
from sspicli.sspi.handles import Handle
from sspicli.sspi.package import Role
from sspicli.sspi.status import SecurityStatus
from tests.pairs import (
    SwallowingDispatcher,
    assert_clean,
    codes,
    events,
    finished_pair,
    judged,
    lone_session,
    monitored,
    only,
    outputs,
    placed,
    play,
    scripted_pair,
)
from tests.runtime.test_api import acquiring

OK = SecurityStatus.SEC_E_OK
LEGS = (Function.SspiInitializeSecurityContextAsync, Function.SspiAcceptSecurityContextAsync)


# -- why a run ends ----------------------------------------------------------------------------------------------------
def test_a_handshake_runs_to_its_end():
    journal, session = scripted_pair()
    assert session.run() == "finished"
    assert session.is_settled()
    assert session.enabled() == []
    assert only(journal.records, RunEnded) == RunEnded("finished", ())
    assert journal.records[-1].event == RunEnded("finished", ())


def test_a_call_that_never_completes_leaves_the_run_stuck_and_says_who_waits_for_what():
    dispatcher = SwallowingDispatcher(lambda call: call.handle == Handle("server", "call", 2))
    records = finished_pair(dispatcher=dispatcher)
    ended = only(records, RunEnded)
    assert ended.reason == "stuck"
    assert set(ended.waits) == {
        "client waits for bytes from its peer",
        "server waits for the signal server completion, which its notify callback raises",
        "server.call2 never completes",
    }
    assert report(records).verdict is Verdict.STUCK
    assert codes(judged(records, "stuck")) == ["A016"]


@pytest.mark.parametrize("number", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("actor", ["client", "server"])
@pytest.mark.parametrize("style", [Style.CALLBACK, Style.POLL])
def test_whichever_call_hangs_the_run_ends_and_names_it(style, actor, number):
    hanging = Handle(actor, "call", number)
    records = finished_pair(styles=(style, style), dispatcher=SwallowingDispatcher(lambda call: call.handle == hanging))
    if hanging not in [event.call for event in events(records, CallQueued)]:
        assert_clean(records)  # that side makes fewer calls
        return
    ended = only(records, RunEnded)
    assert ended.reason in ("stuck", "limit")
    fate = "never completes" if ended.reason == "stuck" else "is still pending"  # a poller waits to its time limit
    assert f"{hanging} {fate}" in ended.waits
    assert report(records).verdict is Verdict.STUCK
    assert monitored(records).disagreements == []


def test_a_poller_of_a_call_that_never_completes_ends_at_the_time_limit():
    records = finished_pair(
        styles=(Style.POLL, Style.POLL), dispatcher=SwallowingDispatcher(lambda _call: True), timeout=2.0
    )
    assert only(records, RunEnded).reason == "limit"
    assert records[-1].ticks >= 2_000_000 > records[-2].ticks
    assert len(records) < 200  # it asks less and less often


def test_a_program_that_never_stops_ends_at_the_limit():
    def program() -> Driver:
        while True:
            yield Note("again")

    played = play(program(), limit=50)
    assert played.reason == "limit"
    assert len(events(played.journal.records, NoteMade)) < 55


def test_a_broken_contract_stops_its_actor_alone():
    def program() -> Driver:
        handle = yield from do(CreateAsyncContext())
        yield SetAsyncNotifyCallback(handle, careless)
        yield acquiring(handle)
        yield FreeAsyncContext(handle)  # while it is pending
        yield Note("not reached")

    def careless(handle: Handle, data: object) -> Driver:
        yield Note("the callback still comes")

    played = play(program())
    assert played.reason == "broken"
    assert only(played.journal.records, ContractBroken).rule == "A004"
    assert [event.text for event in events(played.journal.records, NoteMade)] == ["the callback still comes"]
    assert len(events(played.journal.records, CallCompleted)) == 1


def test_a_contract_broken_in_a_callback_stops_the_callback():
    def program() -> Driver:
        handle = yield from do(CreateAsyncContext())
        yield SetAsyncNotifyCallback(handle, careless)
        yield acquiring(handle)

    def careless(handle: Handle, data: object) -> Driver:
        yield FreeAsyncContext(handle)
        yield FreeAsyncContext(handle)
        yield Note("not reached")

    played = play(program())
    assert played.reason == "broken"
    assert codes(judged(played.journal.records, "broken")) == ["A007"]
    assert events(played.journal.records, NoteMade) == []


# -- signals, time and the wire ----------------------------------------------------------------------------------------
@pytest.mark.parametrize("waits_first", [True, False], ids=["waited for first", "raised first"])
def test_a_signal_carries_its_status_whichever_side_comes_first(waits_first):
    signal, seen = Signal("done"), []

    def program() -> Driver:
        handle = yield from do(CreateAsyncContext())
        yield SetAsyncNotifyCallback(handle, body)
        yield acquiring(handle)
        if not waits_first:
            yield Sleep(10)
        seen.append((yield from wait(signal)))

    def body(handle: Handle, data: object) -> Driver:
        yield FreeAsyncContext(handle)
        yield Raise(signal, SecurityStatus.SEC_E_NO_CREDENTIALS)

    assert play(program()).reason == "finished"
    assert seen == [SecurityStatus.SEC_E_NO_CREDENTIALS]


def test_waiting_for_a_signal_nobody_raises_is_stuck():
    def program() -> Driver:
        yield Wait(Signal("never"))

    played = play(program())
    assert played.reason == "stuck"
    assert only(played.journal.records, RunEnded).waits == (
        "client waits for the signal never, which its notify callback raises",
    )


def test_sleeping_costs_virtual_time_only():
    def program() -> Driver:
        yield Sleep(20_000_000)
        yield Note("awake")

    played = play(program())
    note = next(record for record in played.journal.records if isinstance(record.event, NoteMade))
    assert played.reason == "finished"
    assert 20_000_000 <= note.ticks < 20_000_100
    assert note.nanoseconds < 5_000_000_000


def test_sleeping_past_the_time_limit_ends_the_run():
    def program() -> Driver:
        yield Sleep(2_000_000)

    assert play(program(), timeout=1.0).reason == "limit"


def test_what_was_sent_before_closing_arrives_and_then_no_bytes():
    got: list[bytes] = []

    def talker() -> Driver:
        yield Connect(1)
        yield Send(b"first", is_token=True)
        yield Send(b"second", is_token=False)
        yield Close()

    def listener() -> Driver:
        yield Connect(1)
        for _ in range(4):
            data = yield from receive()
            got.append(data)

    for seed in range(20):
        got.clear()
        _, session = lone_session(talker(), SteppedDispatcher(), peer=listener(), chooser=Seeded(seed))
        assert session.run() == "finished"
        assert (b"".join(got), got[-1]) == (b"firstsecond", b"")


def test_waiting_for_a_peer_that_never_closes_is_stuck():
    def program() -> Driver:
        yield Connect(1)
        yield Receive()

    played = play(program())
    assert played.reason == "stuck"
    assert only(played.journal.records, RunEnded).waits == ("client waits for bytes from its peer",)


def test_tokens_are_delivered_in_order_and_caused_by_their_sending():
    records = finished_pair(chooser=Seeded(3))
    sent = {event.number: (record.sequence, event) for record, event in placed(records, TokenSent)}
    delivered = placed(records, TokenDelivered)
    assert [event.leg for _, event in sent.values()] == [1, 2, 3]
    assert [event.data for _, event in sent.values()] == [b"hello", b"flight", b"finished"]
    for record, event in delivered:
        sequence, sending = sent[event.number]
        assert (record.actor, record.cause, event.receiver) == ("wire", sequence, sending.receiver)
    assert len(delivered) == len(sent) == 3


def test_a_choice_is_recorded_where_another_than_the_default_was_taken():
    journal, session = scripted_pair(chooser=Seeded(1))
    session.run()
    recorded = {event.step - 1: event for event in events(journal.records, ChoiceMade)}
    assert {step: event.taken for step, event in recorded.items()} == {
        step: index for step, index in enumerate(session.choices) if index
    }
    assert all(event.taken < event.options for event in recorded.values())
    assert len(recorded) > 5


def test_a_run_abandoned_from_outside_says_why_and_does_nothing_more():
    journal, session = scripted_pair()
    session.abandon("interrupted")
    assert only(journal.records, RunEnded).reason == "interrupted"
    before = len(journal.records)
    session.advance()
    assert len(journal.records) == before


def test_a_session_with_no_program_finishes_at_once():
    def program() -> Driver:
        yield from ()

    assert [type(record.event) for record in play(program()).journal.records] == [RunEnded]


def test_a_callback_that_does_not_end_keeps_the_run_from_finishing():
    def program() -> Driver:
        handle = yield from do(CreateAsyncContext())
        yield SetAsyncNotifyCallback(handle, endless)
        yield acquiring(handle, outputs())

    def endless(handle: Handle, data: object) -> Driver:
        yield Wait(Signal("never"))

    played = play(program())
    assert played.reason == "stuck"
    assert "client.ac1.callback waits for the signal never" in only(played.journal.records, RunEnded).waits[0]
    assert len(events(played.journal.records, CallbackEntered)) == 1


def test_one_bad_leg_fails_the_handshake_as_a_value():
    script = {
        Role.CLIENT: (ScriptedLeg(SecurityStatus.SEC_I_CONTINUE_NEEDED, b"hello", wants_input=False),),
        Role.SERVER: (ScriptedLeg(SecurityStatus.SEC_E_INTERNAL_ERROR),),
    }
    records = finished_pair(script)
    assert_clean(records)
    assert SecurityStatus.SEC_E_INTERNAL_ERROR in [event.status for event in events(records, CallCompleted)]
    assert {event.function for event in events(records, CallQueued)} >= set(LEGS)
    assert report(records).verdict is Verdict.FAILED
