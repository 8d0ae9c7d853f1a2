"""Several programs of one endpoint, as threads of one process: who gets what, and who did what on record."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sspicli.analysis.report import Verdict
from sspicli.analysis.rules import judge
from sspicli.cli.start import blueprint
from sspicli.journal import events as ev
from sspicli.journal.journal import Journal, Record
from sspicli.packages.scripted import ScriptedPackage
from sspicli.runtime.api import AsyncSspi, no_description, packages_by_name
from sspicli.runtime.chooser import Completion, Order
from sspicli.runtime.dispatch import SteppedDispatcher
from sspicli.session.actions import (
    Close,
    Connect,
    CreateAsyncContext,
    Driver,
    FreeAsyncContext,
    GetAsyncCallStatus,
    Note,
    Raise,
    Receive,
    Send,
    SetAsyncNotifyCallback,
    Signal,
    Sleep,
    StandBy,
    Wait,
    do,
    receive,
)
from sspicli.session.endpoint import Endpoint
from sspicli.session.pair import Choices, pair
from sspicli.session.session import Session
from sspicli.sspi.errors import UsageError
from sspicli.sspi.handles import Handle
from sspicli.sspi.status import SecurityStatus
from tests.everything_shown import shown
from tests.handshakes import DEFAULTS
from tests.pairs import PACKAGE, Bench, codes, events, judged, monitored, nothing, placed
from tests.runtime.test_api import acquiring

OK = SecurityStatus.SEC_E_OK
PLAN = blueprint(DEFAULTS)
PENDING = Choices()


def beside(choices: Choices = PENDING, **others: Driver) -> tuple[str, list[Record]]:
    """Run a handshake with other programs beside the client's."""
    journal = Journal()
    session = pair(
        PLAN.client, PLAN.server, find=PLAN.find, describe=PLAN.describe, journal=journal, choices=choices,
        others={"client": others}, timeout=1.0,
    )  # fmt: skip
    return session.run(), journal.records


def threads(server: Driver, **clients: Driver) -> tuple[str, list[Record]]:
    """Run programs on the scripted package: any number of the client, one of the server."""
    journal, dispatcher, find = Journal(), SteppedDispatcher(), packages_by_name({PACKAGE.lower(): ScriptedPackage()})
    main = clients.pop("main", nothing())
    endpoints = []
    for name, program, others in (("client", main, clients), ("server", server, {})):
        api = AsyncSspi(name, find=find, describe=no_description, journal=journal, dispatcher=dispatcher)
        endpoints.append(Endpoint(api, program, others))
    session = Session(endpoints, journal=journal, dispatcher=dispatcher, timeout=1.0)
    return session.run(), journal.records


def noting(*actions: object) -> Driver:
    """Do some actions, and put on record what bytes came of them."""
    for action in actions:
        outcome = yield action  # type: ignore[misc]
        if isinstance(outcome, bytes):
            yield Note(outcome.decode() or "nothing more")


def notes(records: list[Record]) -> list[tuple[str, str]]:
    return [(record.actor, event.text) for record, event in placed(records, ev.NoteMade)]


def test_a_program_beside_a_handshake_is_on_record_by_its_name_and_changes_nothing():
    reason, records = beside(watcher=noting(Sleep(10), Note("looked")))
    assert (reason, notes(records)) == ("finished", [("client.watcher", "looked")])
    assert shown(records).verdict is Verdict.OK


def test_what_arrives_first_goes_to_who_waited_first_and_the_end_to_all():
    server = noting(Connect(1), Sleep(50), Send(b"one", is_token=False), Send(b"two", is_token=False), Close())
    first = noting(Sleep(1), Receive(), Receive())
    second = noting(Sleep(2), Receive(), Receive())
    reason, records = threads(server, main=noting(Connect(1)), first=first, second=second)
    assert reason == "finished"
    assert sorted(notes(records)) == [
        ("client.first", "nothing more"),
        ("client.first", "one"),
        ("client.second", "nothing more"),
        ("client.second", "two"),
    ]


def test_programs_that_wait_for_one_signal_take_turns():
    signal = Signal("ready")
    main = noting(Sleep(10), Raise(signal, OK), Raise(signal, OK))
    reason, records = threads(
        nothing(), main=main, first=noting(Wait(signal), Note("first")), second=noting(Wait(signal), Note("second"))
    )
    assert (reason, [text for _, text in notes(records)]) == ("finished", ["first", "second"])


def test_a_program_that_waits_for_ever_is_named_in_the_wait_chain():
    reason, records = threads(nothing(), helper=noting(Wait(Signal("never"))))
    (ended,) = events(records, ev.RunEnded)
    assert (reason, ended.waits[0].partition(" ")[0]) == ("stuck", "client.helper")


def test_an_endpoint_goes_back_to_an_earlier_connection_and_its_legs_count_on():
    sends = [Connect(1), Send(b"a", is_token=True), Connect(2), Send(b"b", is_token=True)]
    main = noting(*sends, Connect(1), Send(b"c", is_token=True), Close())
    server = noting(Connect(2), Receive(), Connect(1), Receive(), Receive(), Receive())
    reason, records = threads(server, main=main)
    assert [event.leg for event in events(records, ev.TokenSent)] == [1, 1, 2]
    assert reason == "finished"
    assert [text for _, text in notes(records)] == ["b", "a", "c", "nothing more"]


def test_a_program_that_waits_for_bytes_goes_with_its_endpoint_to_the_connection():
    server = noting(Connect(2), Send(b"second", is_token=False), Close())
    main = noting(Connect(1), Sleep(50), Connect(2))
    reason, records = threads(server, main=main, reader=noting(Sleep(1), Receive()))
    assert (reason, notes(records)) == ("finished", [("client.reader", "second")])


# -- standing by -------------------------------------------------------------------------------------------------------
EVERY_RULE = [PENDING, Choices(order=Order.LIFO), Choices(schedule=())]


@pytest.mark.parametrize("choices", EVERY_RULE)
def test_who_stands_by_goes_on_when_nothing_else_may_happen_not_even_a_timer(choices):
    reason, records = beside(choices, late=noting(StandBy(), Note("late")), slow=noting(Sleep(5000), Note("slow")))

    assert (reason, notes(records)) == ("finished", [("client.slow", "slow"), ("client.late", "late")])


def test_a_schedule_may_let_who_stands_by_go_on_at_any_time():
    _, records = beside(Choices(schedule=(2, 2)), late=noting(StandBy(), Note("late")))

    assert records.index(placed(records, ev.NoteMade)[0][0]) < records.index(placed(records, ev.HandshakeBegan)[0][0])


def test_those_who_stand_by_go_on_in_their_order():
    programs = {name: noting(StandBy(), Note(name), StandBy(), Note(name)) for name in ("one", "two")}

    _, records = threads(nothing(), **programs)

    assert [text for _, text in notes(records)] == ["one", "two", "one", "two"]


@pytest.mark.parametrize("choices", EVERY_RULE)
def test_standing_by_takes_no_time(choices):
    _, alone = beside(choices, slow=noting(Sleep(5000), Note("slow")))
    _, both = beside(choices, slow=noting(Sleep(5000), Note("slow")), late=noting(StandBy(), Note("late")))

    assert placed(both, ev.NoteMade)[0][0].ticks == placed(alone, ev.NoteMade)[0][0].ticks


def test_who_stands_by_beside_one_that_never_rests_is_named_in_the_wait_chain():
    def restless() -> Driver:
        while True:
            yield Sleep(1000)

    reason, records = threads(nothing(), restless=restless(), late=noting(StandBy()))

    (ended,) = events(records, ev.RunEnded)
    assert reason == "limit"
    assert "client.late waits for its turn" in ended.waits


class Registered:
    """A program whose async context another program gets hold of."""

    def __init__(self) -> None:
        self.handle: Handle | None = None
        self.is_inside = Signal("inside")
        self.go_on = Signal("go on")

    def main(self) -> Driver:
        self.handle = yield from do(CreateAsyncContext())
        yield SetAsyncNotifyCallback(self.handle, self.callback)
        yield acquiring(self.handle)

    def callback(self, handle: Handle, data: object) -> Driver:
        yield Raise(self.is_inside, OK)
        yield Wait(self.go_on)
        yield GetAsyncCallStatus(handle)

    def other(self) -> Driver:
        yield Wait(self.is_inside)
        yield FreeAsyncContext(self.handle)


def test_freeing_from_another_program_while_the_callback_runs_is_not_freeing_inside_it():
    shared = Registered()
    _, records = threads(nothing(), main=shared.main(), freer=shared.other())
    broken = [(record.actor, event.inside) for record, event in placed(records, ev.ContractBroken)]
    assert (broken, codes(judge(records))) == ([("client.freer", False)], ["A005"])
    assert monitored(records).disagreements == []


def test_a_call_queued_by_another_program_returns_to_it():
    def queues() -> Driver:
        handle = yield from do(CreateAsyncContext())
        yield SetAsyncNotifyCallback(handle, lambda *_: nothing())
        yield acquiring(handle)
        yield Sleep(100)
        yield FreeAsyncContext(handle)

    reason, records = threads(nothing(), worker=queues())
    assert reason == "finished"
    assert {record.actor for record, _ in placed(records, ev.CallQueued)} == {"client.worker"}
    assert {record.actor for record, _ in placed(records, ev.QueueingReturned)} == {"client.worker"}
    assert codes(judged(records[:-1])) == ["D008"]  # the credential, and nothing else


@pytest.mark.parametrize("name", ["", "Client", "ac1", "call12", "callback", "package", "a.b", "a b", "x" * 40, "1"])
def test_a_name_that_records_could_not_tell_from_others_is_refused(name: str):
    with pytest.raises(UsageError) as caught:
        Endpoint(Bench().api, nothing(), {name: nothing()})
    assert caught.value.help


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000))
def test_whatever_comes_next_the_records_of_many_programs_are_coherent(seed: int):
    def reader() -> Driver:
        data = yield from receive()
        yield Note(f"took {len(data)} B")

    others = {"one": noting(Sleep(3), Note("one")), "two": reader()}
    _, records = beside(Choices(Completion.RANDOM, Order.SEED, seed), **others)
    shown(records)
