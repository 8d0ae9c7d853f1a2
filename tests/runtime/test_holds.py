"""Held calls and named orders: what waits, for whom, and what a schedule makes of it again."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sspicli.analysis.report import Verdict, report
from sspicli.cli.start import blueprint
from sspicli.journal import events as ev
from sspicli.journal.journal import Journal, Record
from sspicli.runtime.call_names import CallPattern, call_pattern
from sspicli.runtime.chooser import Completion, Order
from sspicli.session.actions import Complete, Driver, Hold, Note, Release, Sleep
from sspicli.session.drivers import Plan, endpoint_program
from sspicli.session.fault_words import AnyFault, parse_fault
from sspicli.session.pair import Choices, pair
from sspicli.session.session import Session
from sspicli.sspi.errors import UsageError
from tests.everything_shown import shown
from tests.handshakes import DEFAULTS
from tests.pairs import events, placed, timeless

PLAN = blueprint(DEFAULTS)
PENDING_ORDERS = [Choices(), Choices(Completion.RANDOM, Order.SEED, 5), Choices(order=Order.LIFO, seed=1)]


def session_of(
    choices: Choices = PENDING_ORDERS[0],
    *,
    before: tuple[object, ...] = (),
    faults: tuple[AnyFault, ...] = (),
    timeout: float = 1.0,
    is_holding: bool = True,
) -> tuple[Journal, Session, list[object]]:
    """Make a handshake whose client first does some actions; what they came to is noted in the list."""
    outcomes: list[object] = []

    def program(plan: Plan, name: str) -> Driver:
        if name == "client":
            for action in before:
                outcome = yield action  # type: ignore[misc]
                outcomes.append(outcome)
        yield from endpoint_program(plan, name)

    journal = Journal()
    session = pair(
        PLAN.client, PLAN.server, find=PLAN.find, describe=PLAN.describe, journal=journal, choices=choices,
        program=program, faults=faults, holds=is_holding, timeout=timeout,
    )  # fmt: skip
    return journal, session, outcomes


def completions(records: list[Record]) -> list[str]:
    """Name the calls in the order of their completion, as patterns do."""
    short = {}
    words = {"Acquire": "acquire", "Initialize": "init", "Accept": "accept", "Delete": "delete", "Free": "free"}
    counts: dict[str, int] = {}
    for queued in events(records, ev.CallQueued):
        word = next(word for start, word in words.items() if queued.function.name.startswith(f"Sspi{start}"))
        key = f"{queued.call.actor}.{word}"
        counts[key] = counts.get(key, 0) + 1
        short[queued.call] = f"{key}#{counts[key]}"
    return [short[one.call] for one in events(records, ev.CallCompleted)]


# -- names -------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("text", ["", "client", "client.create", "client.init#0", "client.*#2", "peer.init", "a" * 500])
def test_what_names_no_call_is_refused_where_it_stands(text: str):
    with pytest.raises(UsageError) as caught:
        call_pattern(text, where="hold")
    assert caught.value.where == "hold"
    assert caught.value.help


# -- holding -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("choices", PENDING_ORDERS, ids=str)
def test_a_held_call_that_nobody_releases_leaves_a_stuck_run_that_says_what_holds_it(choices: Choices):
    journal, session, outcomes = session_of(choices, before=(Hold(call_pattern("client.init#2")),))
    assert session.run() == "stuck"
    result = shown(journal.records)
    assert result.verdict is Verdict.STUCK
    assert any(wait.endswith("is held by client.init#2") for wait in result.waits)
    assert outcomes == [0]


def test_a_hold_without_a_number_holds_every_such_call():
    journal, session, _ = session_of(before=(Hold(call_pattern("server.*")),))
    session.run()
    assert {event.call.actor for event in events(journal.records, ev.CallHeld)} == {"server"}
    assert not any(name.startswith("server") for name in completions(journal.records))


class Helper:
    """A server program beside which another releases what the client holds."""

    def __init__(self, *actions: object) -> None:
        self.outcomes: list[object] = []
        self._actions = actions

    def __call__(self, plan: Plan, name: str) -> Driver:
        if name == "client":
            yield Hold(call_pattern("client.acquire#1"))
            yield from endpoint_program(plan, name)
            return
        yield Sleep(100)
        for action in self._actions:
            self.outcomes.append((yield action))  # type: ignore[misc]
        yield from endpoint_program(plan, name)


def helped(
    *actions: object, choices: Choices = PENDING_ORDERS[0], faults: tuple[AnyFault, ...] = ()
) -> tuple[str, list[Record], list[object]]:
    """Run a handshake whose server helps: why it ended, its records, and what the helping came to."""
    helper, journal = Helper(*actions), Journal()
    session = pair(
        PLAN.client, PLAN.server, find=PLAN.find, describe=PLAN.describe, journal=journal, choices=choices,
        program=helper, faults=faults, holds=True, timeout=1.0,
    )  # fmt: skip
    return session.run(), journal.records, helper.outcomes


@pytest.mark.parametrize("choices", PENDING_ORDERS, ids=str)
def test_a_released_call_completes_and_the_run_finishes(choices: Choices):
    reason, records, outcomes = helped(Release(call_pattern("client.acquire#1")), choices=choices)
    ((held, _),) = placed(records, ev.CallHeld)
    ((released, _),) = placed(records, ev.CallReleased)
    assert (reason, outcomes) == ("finished", [1])
    assert released.ticks >= held.ticks + 50
    assert shown(records).verdict is Verdict.OK


@pytest.mark.parametrize("choices", PENDING_ORDERS, ids=str)
def test_complete_makes_the_completion_the_very_next_transition(choices: Choices):
    reason, records, outcomes = helped(Complete(call_pattern("client.acquire#1")), Note("behind"), choices=choices)
    kinds = [type(one.event) for one in records if not isinstance(one.event, ev.ChoiceMade)]
    at = kinds.index(ev.CallReleased)
    assert (reason, outcomes[0], kinds[at + 1]) == ("finished", True, ev.CallCompleted)
    assert shown(records).verdict is Verdict.OK


def test_what_is_not_held_is_released_and_completed_in_vain_with_a_note():
    pattern = call_pattern("client.delete#1")
    journal, session, outcomes = session_of(before=(Release(pattern), Complete(pattern)))
    assert session.run() == "finished"
    assert outcomes == [None, False]
    notes = [one.text for one in events(journal.records, ev.NoteMade)]
    assert [note.partition(":")[0] for note in notes[:2]] == ["release client.delete#1", "complete client.delete#1"]


def test_a_hold_takes_back_a_call_that_could_complete_already():
    completed: list[object] = []

    def program(plan: Plan, name: str) -> Driver:
        if name == "server":
            yield from endpoint_program(plan, name)
            return
        inner = endpoint_program(plan, name)
        action = next(inner)
        while type(action).__name__ != "AcquireCredentialsHandle":
            action = inner.send((yield action))
        outcome = yield action
        completed.append((yield Hold(call_pattern("client.acquire"))))
        completed.append((yield Release(call_pattern("client.acquire"))))
        while True:
            try:
                outcome = yield inner.send(outcome)
            except StopIteration:
                return

    journal = Journal()
    session = pair(
        PLAN.client, PLAN.server, find=PLAN.find, describe=PLAN.describe, journal=journal, program=program, holds=True
    )
    assert (session.run(), completed) == ("finished", [1, 1])


def test_a_call_that_fails_by_the_plan_fails_when_it_is_released():
    fault = parse_fault("client.acquire=fail:SEC_E_NO_CREDENTIALS")
    _, records, _ = helped(Release(call_pattern("client.acquire#1")), faults=(fault,))
    result = shown(records)
    assert (result.verdict, result.faults) == (Verdict.FAILED, (fault.text,))


# -- order -------------------------------------------------------------------------------------------------------------
def names(*texts: str) -> tuple[CallPattern, ...]:
    return tuple(call_pattern(one) for one in texts)


def test_calls_complete_in_the_order_that_names_them():
    wanted = ("server.acquire#1", "client.acquire#1")
    journal, session, _ = session_of(Choices(sequence=names(*wanted)), is_holding=False)
    assert session.run() == "finished"
    assert completions(journal.records)[:2] == list(wanted)
    assert session.unmet_choices() == ()


def test_a_call_named_later_waits_while_another_can_complete():
    journal, session, _ = session_of(Choices(sequence=names("server.delete#1", "client.delete#1")), is_holding=False)
    assert session.run() == "finished"
    order = completions(journal.records)
    assert order.index("server.delete#1") < order.index("client.delete#1")


def test_an_order_that_cannot_be_is_told_afterwards():
    choices = Choices(sequence=names("server.accept#1", "client.init#1", "client.init#9"))
    _, session, _ = session_of(choices, is_holding=False)
    assert session.run() == "finished"
    assert session.unmet_choices() == (
        "client.init#9 never completed",
        "server.accept#1 completed after client.init#1",
    )


def test_one_call_completes_inline_where_all_others_stay_pending():
    choices = Choices(calls=((call_pattern("client.init#1"), Completion.INLINE),))
    journal, session, _ = session_of(choices, is_holding=False)
    session.run()
    inline = [call for call in report(journal.records).calls if not call.was_pending]
    assert [(call.endpoint, call.number) for call in inline] == [("client", 1)]


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.sampled_from(["server.acquire#1", "client.acquire#1", "client.init#1", "server.accept#2"]), unique=True
    ),
    st.sampled_from([Completion.INLINE, Completion.PENDING, Completion.RANDOM]),
    st.integers(0, 50),
    st.booleans(),
)
def test_a_schedule_makes_a_run_of_named_orders_again(order: list[str], completion: Completion, seed: int, held: bool):
    before = (Hold(call_pattern("client.acquire#1")), Complete(call_pattern("client.acquire#1"))) if held else ()
    choices = Choices(
        Completion.PENDING, Order.SEED, seed, calls=((call_pattern("server.accept#1"), completion),),
        sequence=names(*order),
    )  # fmt: skip
    first, session, _ = session_of(choices, before=before)
    session.run()
    again, replayed, _ = session_of(Choices(schedule=tuple(session.choices)), before=before)
    replayed.run()
    assert shapes(timeless(again.records)) == shapes(timeless(first.records))


def shapes(records: list[Record]) -> list[tuple[str, int, str]]:
    """Leave out what differs by the engine's randomness: the bytes of tokens."""
    return [(one.actor, one.cause, type(one.event).__name__) for one in records]


@pytest.mark.parametrize("seed", range(20))
def test_holds_and_releases_keep_every_journal_coherent_whatever_comes_next(seed: int):
    releases = Release(call_pattern("client.*")), Release(call_pattern("client.acquire#1"))
    reason, records, _ = helped(*releases, choices=Choices(Completion.RANDOM, Order.SEED, seed))
    assert reason == "finished"
    assert shown(records).verdict is Verdict.OK
