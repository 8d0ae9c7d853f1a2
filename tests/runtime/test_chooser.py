"""Choosers and schedules: each policy's promise, and a run made again from its choices."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sspicli.journal.events import CallbackEntered, CallCompleted, CallQueued, CallStatusQueried, QueueingReturned
from sspicli.journal.journal import Record
from sspicli.runtime.chooser import (
    Chooser,
    Completion,
    First,
    Kind,
    Order,
    Policy,
    Replay,
    Seeded,
    Transition,
    schedule_choices,
    schedule_text,
)
from sspicli.session.actions import CreateAsyncContext, Driver, FreeAsyncContext, SetAsyncNotifyCallback, Sleep, do
from sspicli.session.drivers import Style
from sspicli.sspi.errors import UsageError
from sspicli.sspi.handles import Handle
from sspicli.sspi.status import SecurityStatus
from tests.pairs import assert_clean, events, finished_pair, placed, play, scripted_pair, timeless
from tests.runtime.test_api import acquiring

STYLES = [(Style.CALLBACK, Style.CALLBACK), (Style.POLL, Style.POLL), (Style.CALLBACK, Style.POLL)]


OfCall = type[QueueingReturned] | type[CallCompleted] | type[CallbackEntered]


def positions(records: list[Record], kind: OfCall) -> dict[Handle, int]:
    """Say at which record each call met an event of a type."""
    return {event.call: record.sequence for record, event in placed(records, kind)}


@pytest.mark.parametrize("styles", STYLES, ids=str)
@pytest.mark.parametrize("order", Order)
def test_inline_lets_every_call_complete_and_notify_before_its_function_returns(order, styles):
    records = finished_pair(chooser=Policy(Completion.INLINE, order, 1), styles=styles)
    returned, completed = positions(records, QueueingReturned), positions(records, CallCompleted)
    assert completed
    assert all(completed[call] < returned[call] for call in completed)
    assert all(at < returned[call] for call, at in positions(records, CallbackEntered).items())
    assert SecurityStatus.SEC_I_ASYNC_CALL_PENDING not in [one.status for one in events(records, CallStatusQueried)]
    assert_clean(records)


@pytest.mark.parametrize("styles", STYLES, ids=str)
@pytest.mark.parametrize("order", Order)
def test_pending_lets_no_call_complete_before_its_function_returns(order, styles):
    records = finished_pair(chooser=Policy(Completion.PENDING, order, 1), styles=styles)
    returned, completed = positions(records, QueueingReturned), positions(records, CallCompleted)
    assert completed
    assert all(returned[call] < completed[call] for call in completed)
    assert_clean(records)


@pytest.mark.parametrize("styles", STYLES, ids=str)
def test_the_default_order_lets_no_call_complete_before_its_function_returns(styles):
    records = finished_pair(styles=styles)
    returned, completed = positions(records, QueueingReturned), positions(records, CallCompleted)
    assert all(returned[call] < completed[call] for call in completed)
    assert_clean(records)


def three_calls() -> Driver:
    """Queue three calls, each on an async context of its own, and wait without asking."""
    handles = []
    for _ in range(3):
        handle = yield from do(CreateAsyncContext())
        yield SetAsyncNotifyCallback(handle, freeing)
        handles.append(handle)
    for handle in handles:
        yield acquiring(handle)
    yield Sleep(1)


def freeing(handle: Handle, data: object) -> Driver:
    yield FreeAsyncContext(handle)


def completion_order(chooser: Chooser) -> list[int]:
    records = play(three_calls(), chooser=chooser).journal.records
    return [event.call.number for event in events(records, CallCompleted)]


def test_fifo_and_lifo_say_which_pending_call_completes_first():
    assert completion_order(Policy(Completion.PENDING, Order.FIFO, 0)) == [1, 2, 3]
    assert completion_order(Policy(Completion.PENDING, Order.LIFO, 0)) == [3, 2, 1]
    assert completion_order(First()) == [1, 2, 3]


def test_a_seed_gives_the_same_order_again_and_seeds_together_give_every_order():
    orders = [tuple(completion_order(Policy(Completion.PENDING, Order.SEED, seed))) for seed in range(40)]
    assert orders == [tuple(completion_order(Policy(Completion.PENDING, Order.SEED, seed))) for seed in range(40)]
    assert len(set(orders)) == 6


def test_random_completion_has_calls_of_both_kinds():
    records = finished_pair(chooser=Policy(Completion.RANDOM, Order.FIFO, 5))
    returned, completed = positions(records, QueueingReturned), positions(records, CallCompleted)
    assert {completed[call] < returned[call] for call in completed} == {True, False}
    assert timeless(records) == timeless(finished_pair(chooser=Policy(Completion.RANDOM, Order.FIFO, 5)))


def test_every_interleaving_of_a_call_comes_up_under_seeds():
    shapes = set()
    for seed in range(60):
        records = finished_pair(chooser=Seeded(seed))
        call = events(records, CallQueued)[0].call
        marks = [
            (positions(records, kind)[call], kind.__name__)
            for kind in (QueueingReturned, CallCompleted, CallbackEntered)
        ]
        shapes.add(tuple(name for _, name in sorted(marks)))
    assert shapes == {
        ("QueueingReturned", "CallCompleted", "CallbackEntered"),
        ("CallCompleted", "QueueingReturned", "CallbackEntered"),
        ("CallCompleted", "CallbackEntered", "QueueingReturned"),
    }


@pytest.mark.parametrize("seed", range(5))
def test_the_same_seed_makes_the_same_journal(seed):
    assert timeless(finished_pair(chooser=Seeded(seed))) == timeless(finished_pair(chooser=Seeded(seed)))


def test_different_seeds_make_different_journals():
    assert len({tuple(map(str, timeless(finished_pair(chooser=Seeded(seed))))) for seed in range(10)}) > 5


# -- replay ------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("styles", STYLES, ids=str)
@pytest.mark.parametrize("seed", range(10))
def test_a_schedule_replayed_makes_the_same_journal(seed, styles):
    journal, session = scripted_pair(chooser=Seeded(seed), styles=styles)
    session.run()
    text = schedule_text(session.choices)
    again, second = scripted_pair(chooser=Replay(schedule_choices(text)), styles=styles)
    second.run()
    assert timeless(again.records) == timeless(journal.records)
    assert schedule_text(second.choices) == text


def test_the_empty_schedule_is_the_default_run():
    assert timeless(finished_pair(chooser=Replay([]))) == timeless(finished_pair())


def test_a_schedule_that_does_not_fit_says_where_it_left_the_run():
    with pytest.raises(UsageError, match=r"diverged at choice 1: it takes option 35"):
        finished_pair(chooser=Replay(schedule_choices("v1:z")))


def options(count: int) -> list[Transition]:
    return [Transition(Kind.STEP, f"actor{number}", print, None) for number in range(count)]


def test_replay_goes_by_the_default_after_its_end():
    chooser = Replay([1])
    assert [chooser.choose(options(2)) for _ in range(3)] == [1, 0, 0]


# -- schedules as text -------------------------------------------------------------------------------------------------
def without_trailing_defaults(choices: list[int]) -> list[int]:
    kept = list(choices)
    while kept and not kept[-1]:
        kept.pop()
    return kept


RUNS = st.lists(st.tuples(st.integers(0, 40), st.integers(1, 9)), max_size=20)


@settings(deadline=None)
@given(RUNS)
def test_a_schedule_reads_back_from_its_text(runs):
    choices = [index for index, length in runs for _ in range(length)]
    assert schedule_choices(schedule_text(choices)) == without_trailing_defaults(choices)


@settings(deadline=None)
@given(RUNS)
def test_text_of_a_schedule_is_canonical(runs):
    text = schedule_text([index for index, length in runs for _ in range(length)])
    assert schedule_text(schedule_choices(text)) == text
    assert text.isascii()
    assert text.isprintable()


def test_schedules_are_short():
    assert schedule_text([]) == schedule_text([0, 0, 0]) == "v1:"
    assert schedule_text([1, 0, 2]) == "v1:102"
    assert schedule_text([0] * 300 + [1]) == "v1:0*300.1"
    assert schedule_text([36, 35]) == "v1:[36]z"


@pytest.mark.parametrize(
    "text",
    [
        "", "v1", "v2:", "v2:1", ":1", "V1:1", " v1:1", "v1:A", "v1:-1", "v1:1 2", "v1:\n", "v1:[", "v1:[]", "v1:[1",
        "v1:]",
        "v1:[1]]", "v1:[a]", "v1:[-1]", "v1:*", "v1:*3.", "v1:1*", "v1:1*3", "v1:1*.", "v1:1*x.", "v1:1*-1.",
        "v1:1*3.*4.",
        "v1:0*9999999.", "v1:0*99999999999999999999.", "v1:[99999999999999999999]", "v1:" + "0*999999." * 3, "v1:é",
        "v1:\x00",
        "v1:.", "v1:[[1]]", "v1:1**2.",
    ],
)  # fmt: skip
def test_what_is_no_schedule_is_a_usage_error(text):
    with pytest.raises(UsageError):
        schedule_choices(text)


@settings(deadline=None)
@given(st.text(max_size=60) | st.text(alphabet="v1:[]*.0az９٣²", max_size=60).map(lambda text: "v1:" + text))
def test_a_hostile_schedule_is_read_or_is_a_usage_error_and_nothing_else(text):
    try:
        choices = schedule_choices(text)
    except UsageError:
        return
    assert all(type(index) is int and index >= 0 for index in choices)
    assert len(choices) <= 1_000_000
    assert schedule_choices(schedule_text(choices)) == without_trailing_defaults(choices)
