"""The journal: numbered, append-only, with causes that point backwards."""

from __future__ import annotations

import pytest

from sspicli.journal.events import AsyncContextCreated, CallCompleted, CallQueued, NoteMade, TokenDelivered, TokenSent
from sspicli.journal.journal import Journal, Record
from sspicli.runtime.chooser import Seeded
from sspicli.session.drivers import Style
from tests.pairs import Bench, finished_pair, scripted_pair


def test_records_are_numbered_from_one_and_returned_by_number():
    journal = Journal()
    assert [journal.append("user", NoteMade(str(number)), 0) for number in range(3)] == [1, 2, 3]
    assert [record.sequence for record in journal.records] == [1, 2, 3]


def test_a_record_carries_who_when_and_why():
    journal = Journal()
    journal.ticks = 7
    journal.append("user", NoteMade("first"), 0)
    journal.append("client", NoteMade("second"), 1)
    record = journal.records[1]
    assert (record.ticks, record.actor, record.cause, record.event) == (7, "client", 1, NoteMade("second"))


def test_measured_time_never_goes_backwards():
    times = [record.nanoseconds for record in finished_pair()]
    assert times == sorted(times)
    assert times[0] >= 0


@pytest.mark.parametrize("style", [Style.CALLBACK, Style.POLL])
@pytest.mark.parametrize("seed", range(20))
def test_causes_point_backwards_and_ticks_forwards(seed, style):
    records = finished_pair(chooser=Seeded(seed), styles=(style, style), handshakes=2)
    assert all(0 <= record.cause < record.sequence for record in records)
    ticks = [record.ticks for record in records]
    assert ticks == sorted(ticks)


def test_a_completion_is_caused_by_its_queueing_and_a_delivery_by_its_sending():
    records = finished_pair(chooser=Seeded(4))
    for record in records:
        cause = records[record.cause - 1].event if record.cause else None
        if isinstance(record.event, CallCompleted):
            assert isinstance(cause, CallQueued)
            assert cause.call == record.event.call
        elif isinstance(record.event, TokenDelivered):
            assert isinstance(cause, TokenSent)
            assert cause.number == record.event.number


def test_every_token_leads_back_to_a_first_act_of_a_program():
    records = finished_pair(chooser=Seeded(2))
    for record in records:
        if not isinstance(record.event, TokenSent):
            continue
        one, length = record, 0
        while one.cause:
            one, length = records[one.cause - 1], length + 1
        assert length > 4
        assert isinstance(one.event, AsyncContextCreated)


def test_subscribers_see_every_record_from_then_on_in_order():
    journal, session = scripted_pair()
    journal.append("user", NoteMade("before"), 0)
    first: list[Record] = []
    second: list[Record] = []
    journal.subscribe(first.append)
    journal.subscribe(second.append)
    session.run()
    assert first == second == journal.records[1:]


def test_a_subscriber_finds_the_record_in_the_journal_already():
    journal = Journal()
    found = []
    journal.subscribe(lambda record: found.append(journal.records[-1] == record))
    journal.append("user", NoteMade("one"), 0)
    assert found == [True]


def test_the_records_of_a_moment_are_those_so_far():
    journal = Journal()
    journal.append("user", NoteMade("one"), 0)
    first = list(journal.records)
    journal.append("user", NoteMade("two"), 1)
    assert journal.records[:1] == first
    assert [record.event for record in journal.records] == [NoteMade("one"), NoteMade("two")]
    assert len(journal) == 2


def test_two_journals_know_nothing_of_each_other():
    one, other = Bench(), Bench()
    one.context()
    assert other.journal.records == []


def test_what_came_after_a_record_can_be_asked_for_again_and_again():
    journal = Journal()
    for text in "abc":
        journal.append("user", NoteMade(text), 0)
    assert [record.sequence for record in journal.since(0)] == [1, 2, 3]
    assert [record.sequence for record in journal.since(2)] == [3]
    assert journal.since(3) == []
    assert journal.since(1) == journal.records[1:]


def test_the_journals_clock_is_that_of_its_records():
    journal = Journal()
    journal.append("user", NoteMade("a"), 0)
    assert journal.records[0].nanoseconds <= journal.nanoseconds
