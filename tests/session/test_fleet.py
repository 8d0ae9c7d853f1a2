"""Many sessions over one pair of credentials: by turns or one after another, on one thread or on workers."""

from __future__ import annotations

import gc
import threading
from collections import Counter
from dataclasses import replace

import pytest

from sspicli.analysis.rules import judge
from sspicli.cli.collector import Collector
from sspicli.journal import events as ev
from sspicli.journal.journal import Journal, Record
from sspicli.packages.scripted import THREE_LEGS, ScriptedContext, ScriptedCredential, ScriptedLeg, ScriptedPackage
from sspicli.runtime.api import no_description, packages_by_name
from sspicli.runtime.chooser import Completion, Order
from sspicli.session.drivers import Style
from sspicli.session.fault_words import parse_fault
from sspicli.session.fleet import Credentials, Fleet
from sspicli.session.pair import Blueprint, Choices
from sspicli.sspi.functions import Function
from sspicli.sspi.package import AcquireRequest, AcquireResult, Role
from sspicli.sspi.status import SecurityStatus
from tests.benchmarks.load import Flown, by_rules, held, leak
from tests.pairs import assert_clean, codes, events, only, scripted_plan, timeless

STARTED = ev.RunStarted("test", "Scripted", "scripted", "here", "2026-11-22T12:00:00Z", 0, 7, False, {"seed": 7})
WAYS = [(1, 0), (5, 0), (1, 1), (5, 2)]  # in flight, workers


def blueprint(**changes: object) -> Blueprint:
    plan = Blueprint(
        client=scripted_plan(Role.CLIENT),
        server=scripted_plan(Role.SERVER),
        find=packages_by_name({"scripted": ScriptedPackage()}),
        describe=no_description,
        started=STARTED,
        choices=Choices(seed=7),
    )
    return replace(plan, **changes)  # type: ignore[arg-type]


class Ended:
    """A fleet that has ended: each session's records, in the order of the ends, and what became of the credentials."""

    def __init__(self, plan: Blueprint, total: int, in_flight: int = 1, workers: int = 0) -> None:
        self.owner = Journal()
        credentials = Credentials(plan, self.owner)
        self.has_credentials = credentials.acquire()
        self.sessions: list[tuple[int, list[Record]]] = []
        if self.has_credentials:
            fleet = Fleet(plan, credentials.loans, taken, total=total, in_flight=in_flight, workers=workers)
            self.sessions = list(fleet.run())
        self.reason = credentials.free()

    def records(self, number: int) -> list[Record]:
        return dict(self.sessions)[number]


def taken(number: int, journal: Journal) -> tuple[int, list[Record]]:
    return number, journal.records


@pytest.mark.parametrize(("in_flight", "workers"), WAYS)
def test_every_session_comes_to_its_end_once_and_clean(in_flight: int, workers: int):
    ended = Ended(blueprint(), 20, in_flight, workers)
    assert sorted(number for number, _ in ended.sessions) == list(range(1, 21))
    for _, records in ended.sessions:
        assert_clean(records)


@pytest.mark.parametrize(("in_flight", "workers"), WAYS)
@pytest.mark.parametrize("style", [Style.CALLBACK, Style.POLL])
def test_turns_and_workers_change_nothing_within_a_session(in_flight: int, workers: int, style: Style):
    plan = blueprint(client=scripted_plan(Role.CLIENT, style=style), server=scripted_plan(Role.SERVER, style=style))
    alone = Ended(plan, 6)
    together = Ended(plan, 6, in_flight, workers)
    for number in range(1, 7):
        assert timeless(together.records(number)) == timeless(alone.records(number))


@pytest.mark.parametrize(("in_flight", "workers"), WAYS)
def test_real_handshakes_go_the_same_way_whatever_is_in_flight_beside_them(in_flight: int, workers: int):
    flown = Flown()
    sessions = list(flown.fleet(12, in_flight=in_flight, workers=workers, judge=shape).run())
    assert sessions == [shape(1, alone(flown))] * 12


def alone(flown: Flown) -> Journal:
    (journal,) = flown.fleet(1, judge=lambda _, journal: journal).run()
    assert isinstance(journal, Journal)
    return journal


def shape(number: int, journal: Journal) -> list[tuple[int, int, str, int, str]]:
    """Leave of the records what does not depend on what was drawn at random."""
    return [(one.sequence, one.ticks, one.actor, one.cause, type(one.event).__name__) for one in journal.records]


def test_the_credentials_are_acquired_once_lent_to_every_session_and_freed_at_the_end():
    ended = Ended(blueprint(), 4, 2)
    assert ended.reason == "finished"
    assert_clean(ended.owner.records)
    acquired = [event.credential for event in events(ended.owner.records, ev.CredentialAcquired)]
    assert acquired == [event.credential for event in events(ended.owner.records, ev.CredentialFreed)]
    assert sorted(map(str, acquired)) == ["client.cred1", "server.cred1"]
    for _, records in ended.sessions:
        functions = {event.function for event in events(records, ev.CallQueued)}
        assert not functions & {
            Function.SspiAcquireCredentialsHandleAsync,
            Function.SspiFreeCredentialsHandleAsync,
        }
        legs = [event.credential for event in events(records, ev.CallQueued) if event.output is not None]
        assert set(legs) == set(acquired)


def test_a_session_frees_the_credential_it_acquired_itself_and_not_the_one_it_was_lent():
    asking = {
        Role.CLIENT: (
            ScriptedLeg(SecurityStatus.SEC_I_INCOMPLETE_CREDENTIALS, wants_input=False),
            *THREE_LEGS[Role.CLIENT],
        ),
        Role.SERVER: THREE_LEGS[Role.SERVER],
    }
    client = replace(scripted_plan(Role.CLIENT), later_auth_data="another")
    ended = Ended(blueprint(client=client, find=packages_by_name({"scripted": ScriptedPackage(asking)})), 2)
    for _, records in ended.sessions:
        assert_clean(records)
        assert str(only(records, ev.CredentialAcquired).credential) == "client.cred2"
        assert str(only(records, ev.CredentialFreed).credential) == "client.cred2"
    assert ended.reason == "finished"


class CountingPackage(ScriptedPackage):
    """Counts the security contexts that are open at once."""

    def __init__(self) -> None:
        super().__init__()
        self.open = self.most = 0

    def acquire(self, request: AcquireRequest) -> AcquireResult:
        return AcquireResult(SecurityStatus.SEC_E_OK, CountingCredential(self))


class CountingCredential(ScriptedCredential):
    def __init__(self, package: CountingPackage) -> None:
        super().__init__(THREE_LEGS)
        self._package = package

    def open(self, role: Role) -> ScriptedContext:
        self._package.open += 1
        self._package.most = max(self._package.most, self._package.open)
        return CountedContext(self._package, role)


class CountedContext(ScriptedContext):
    def __init__(self, package: CountingPackage, role: Role) -> None:
        super().__init__(THREE_LEGS[role])
        self._package = package

    def delete(self) -> None:
        self._package.open -= 1


@pytest.mark.parametrize(("in_flight", "expected"), [(1, 2), (3, 6), (50, 20)])
def test_as_many_sessions_are_in_flight_as_was_asked_for_and_never_more(in_flight: int, expected: int):
    package = CountingPackage()
    Ended(blueprint(find=packages_by_name({"scripted": package})), 10, in_flight)
    assert (package.most, package.open) == (expected, 0)


def test_session_n_makes_the_choices_that_session_1_makes_with_the_seed_plus_n_less_one():
    plan = blueprint(choices=Choices(Completion.RANDOM, Order.SEED, 7))
    ended = Ended(plan, 5)
    for number, records in ended.sessions:
        seed = 7 + number - 1
        assert only(records, ev.RunStarted).seed == seed
        assert only(records, ev.RunStarted).options == {"seed": 7, "session": number}
        first = Ended(replace(plan, choices=replace(plan.choices, seed=seed)), 1).records(1)
        assert choices(records) == choices(first)
    assert len({tuple(choices(records)) for _, records in ended.sessions}) > 1


def choices(records: list[Record]) -> list[ev.ChoiceMade]:
    return events(records, ev.ChoiceMade)


def test_a_fault_of_acquiring_befalls_the_owner_and_any_other_befalls_every_session():
    refused = Ended(blueprint(faults=(parse_fault("server.acquire=fail:SEC_E_NO_CREDENTIALS"),)), 3)
    assert (refused.has_credentials, refused.sessions) == (False, [])
    assert only(refused.owner.records, ev.FaultInjected).text == "server.acquire=fail:SEC_E_NO_CREDENTIALS"
    assert len(events(refused.owner.records, ev.CredentialFreed)) == 1  # the client's was there
    delayed = Ended(blueprint(faults=(parse_fault("client.init#2=delay:40"),)), 3, 3)
    assert [len(events(records, ev.FaultInjected)) for _, records in delayed.sessions] == [1, 1, 1]
    assert events(delayed.owner.records, ev.FaultInjected) == []


def test_a_session_that_hangs_is_stuck_and_the_others_go_on():
    ended = Ended(blueprint(faults=(parse_fault("server.accept#2=hang"),)), 4, 2)
    assert [only(records, ev.RunEnded).reason for _, records in ended.sessions] == ["stuck"] * 4
    assert codes(judge(ended.records(1))) == ["A016"]
    assert ended.reason == "finished"


@pytest.mark.parametrize(("in_flight", "workers"), WAYS)
def test_after_a_halt_no_turn_begins_and_the_credentials_are_freed_all_the_same(in_flight: int, workers: int):
    threads = threading.active_count()
    plan = blueprint()
    credentials = Credentials(plan, Journal())
    assert credentials.acquire()
    fleet: Fleet[int] = Fleet(
        plan, credentials.loans, lambda number, _: number, total=5000, in_flight=in_flight, workers=workers
    )
    seen = 0
    for _ in fleet.run():
        seen += 1
        if seen == 3:
            fleet.halt()
    assert 3 <= seen < 5000
    assert credentials.free() == "finished"
    assert threading.active_count() == threads


@pytest.mark.parametrize("workers", [0, 2])
def test_a_mistake_of_ours_ends_the_run_and_leaves_no_thread(workers: int):
    threads = threading.active_count()
    plan = blueprint()
    credentials = Credentials(plan, Journal())
    credentials.acquire()

    def wrong(number: int, journal: Journal) -> int:
        raise ZeroDivisionError(f"session {number}")

    fleet = Fleet(plan, credentials.loans, wrong, total=10, in_flight=4, workers=workers)
    with pytest.raises(ZeroDivisionError):
        list(fleet.run())
    assert threading.active_count() == threads


def test_a_reader_that_goes_away_in_the_middle_leaves_no_thread():
    threads = threading.active_count()
    plan = blueprint()
    credentials = Credentials(plan, Journal())
    credentials.acquire()
    run = Fleet(plan, credentials.loans, taken, total=10_000, in_flight=4, workers=2).run()
    next(run)
    del run
    assert threading.active_count() == threads


# -- nothing is left ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("in_flight", "workers"), WAYS)
def test_a_session_that_ends_plainly_is_freed_by_its_last_reference(in_flight: int, workers: int):
    flown = Flown()
    flown.fly(5, in_flight=in_flight, workers=workers, judge=by_rules)
    gc.collect()
    gc.disable()
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        flown.fly(10, in_flight=in_flight, workers=workers, judge=by_rules)
        gc.collect()
        left = Counter(type(one).__name__ for one in gc.garbage)
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()
    assert left == {}


# On one thread memory is flat to the page; with more it comes and goes with each thread's own heap. What a session
# takes is some 200 KiB: losing one of its parts shows in 700 sessions, and a twentieth of them whole.
@pytest.mark.parametrize(("in_flight", "workers", "slack"), [(1, 0, 1 << 19), (8, 2, 1 << 23)])
def test_a_thousand_handshakes_leave_no_memory_thread_or_descriptor(in_flight: int, workers: int, slack: int):
    before = held()
    seen = list(leak(1000, in_flight=in_flight, workers=workers))
    warm, last = seen[3], seen[-1]
    assert last.resident - warm.resident < slack, [one.resident for one in seen]
    assert (last.threads, last.descriptors) == (before.threads, before.descriptors)


def test_the_tables_of_the_owner_are_empty_after_the_credentials_were_freed():
    flown = Flown()
    flown.fly(20, in_flight=4)
    assert flown.free() == "finished"
    assert flown.journal.records[-1].event == ev.RunEnded("finished", ())
    born = {event.credential for event in events(flown.journal.records, ev.CredentialAcquired)}
    assert born == {event.credential for event in events(flown.journal.records, ev.CredentialFreed)}


def test_the_collector_is_off_while_sessions_run_and_sweeps_after_many_that_did_not_end_plainly():
    swept: list[str] = []
    gc.callbacks.append(lambda phase, info: swept.append(phase))
    try:
        with Collector() as collector:
            assert not gc.isenabled()
            for _ in range(1000):
                collector.ended_otherwise()
        assert gc.isenabled()
    finally:
        gc.callbacks.pop()
    assert swept.count("stop") == 2
