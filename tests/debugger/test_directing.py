"""deliver, notify, inline and pending: what happens next, and why it cannot."""

from __future__ import annotations

import pytest

from sspicli.analysis.cases import Outcome
from sspicli.debugger.inputs import Timed
from sspicli.journal import events as ev
from sspicli.runtime.chooser import Completion
from sspicli.scenario.load import loads
from sspicli.scenario.run import RunOptions, run_case
from tests.debugger.consoles import CLOCK, debugger, do, of_text, refused, shown, stop_of

SCENARIO = "schema: sspi-async/scenario/1\nname: timed\nclock: {clock}\nschedule: {schedule}\n"


def happened(one):
    """List what a session's records are about, its choices and their numbers left out."""
    return [
        (record.actor, type(record.event).__name__) for record in one if not isinstance(record.event, ev.ChoiceMade)
    ]


def last_event(one):
    return one.bench.view.value("event")


# -- deliver -----------------------------------------------------------------------------------------------------------
def test_what_is_under_way_arrives_before_anything_else_happens():
    one = debugger()
    do(one, "break leg 1", "continue")

    stop = stop_of(do(one, "deliver server"))

    assert stop.reason == "delivered"
    assert last_event(one) == "TokenDelivered"


@pytest.mark.parametrize("text", ["deliver", "deliver server", "deliver client"])
def test_a_delivery_of_nothing_is_refused(text):
    response = refused(debugger(), text)

    assert "nothing is under way" in response.error


def test_a_delivery_to_the_wrong_side_is_refused():
    one = debugger()
    do(one, "break leg 1", "continue")

    assert refused(one, "deliver client").error == "nothing is under way to the client"
    assert "is no side" in refused(one, "deliver me").error


def test_a_leg_that_is_delayed_cannot_be_delivered_and_the_reason_names_the_fault():
    one = debugger()
    do(one, "delay leg1 500", "break leg 1", "continue")

    response = refused(one, "deliver server")

    assert "leg 1 cannot arrive yet" in response.error
    assert "leg1=delay:500" in response.error


def test_a_delivery_in_the_past_makes_the_session_again_as_a_branch():
    one = debugger()
    do(one, "break leg 1", "continue", "continue", "rc")

    do(one, "deliver server")

    assert one.bench.branch.name == "branch2"
    assert last_event(one) == "TokenDelivered"


# -- notify ------------------------------------------------------------------------------------------------------------
def test_a_callback_that_is_due_is_entered_at_once():
    one = debugger()
    do(one, "break completion", "continue")

    do(one, "notify client.acquire#1")

    assert last_event(one) == "CallbackEntered"


@pytest.mark.parametrize(
    ("before", "text", "says"),
    [
        ([], "notify", "no notify callback is due"),
        ([], "notify client.init", "no client.init has been queued yet"),
        (["break pending", "continue"], "notify client.acquire#1", "client.acquire#1 is pending"),
        (["next"], "notify client.acquire#1", "was entered already"),
        ([], "notify client.foo", "is no function that queues a call"),
        ([], "notify everybody", "names no call"),
    ],
)
def test_a_callback_that_is_not_due_is_refused_with_the_reason(before, text, says):
    one = debugger()
    do(one, *before)

    assert says in refused(one, text).error


# -- inline and pending ------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("text", "schedule"),
    [
        ("inline client.init#1", "{calls: {client.init#1: inline}}"),
        ("inline server.accept", "{calls: {server.accept: inline}}"),
        ("inline", "{completion: inline}"),
    ],
)
def test_calls_complete_inline_as_a_schedule_that_says_so_lets_them(text, schedule):
    one = debugger()
    do(one, text, "continue")
    other = of_text(SCENARIO.format(clock=CLOCK, schedule=schedule))

    do(other, "continue")

    assert happened(one.bench.branch.records) == happened(other.bench.branch.records)


def test_a_call_completes_before_its_queueing_function_returns_and_others_do_not():
    one = debugger()

    do(one, "inline client.init#2", "continue")

    early = set()
    returned = set()
    for record in one.bench.branch.records:
        if isinstance(record.event, ev.QueueingReturned):
            returned.add(record.event.call)
        elif isinstance(record.event, ev.CallCompleted) and record.event.call not in returned:
            early.add(record.event.call)
    second = one.bench.view.call_named("client", "init#2")
    assert second is not None
    assert early == {second.handle}


def test_pending_takes_single_calls_out_of_what_is_inline():
    one = of_text(SCENARIO.format(clock=CLOCK, schedule="{completion: inline}"))

    do(one, "pending server", "continue")

    returned = set()
    for record in one.bench.branch.records:
        if isinstance(record.event, ev.QueueingReturned):
            returned.add(record.event.call)
        elif isinstance(record.event, ev.CallCompleted):
            assert (record.event.call in returned) == (record.event.call.actor == "server")


def test_a_call_made_by_hand_completes_inline_too():
    one = debugger(by_hand=["client"])
    do(one, "create client", "set-callback client", "inline client.acquire")

    do(one, "acquire client")

    kinds = [type(record.event).__name__ for record in one.bench.view.records]
    assert kinds.index("CallCompleted") < kinds.index("QueueingReturned")


@pytest.mark.parametrize(
    ("before", "text", "says"),
    [
        (["next"], "inline client.acquire#1", "it can no longer be inline"),
        (["next"], "pending client.acquire#1", "it can no longer be pending"),
        (["inline", "break completion", "continue"], "pending client.acquire#1", "has completed before"),
        (["inline client"], "inline client", "was said already"),
        ([], "inline nobody", "names no call"),
        ([], "inline client.reinit", "is no function that queues a call"),
    ],
)
def test_what_cannot_matter_any_more_is_refused(before, text, says):
    one = debugger()
    do(one, *before)

    assert says in refused(one, text).error


def test_what_was_said_last_of_a_call_holds_and_undo_takes_it_back():
    one = debugger()
    do(one, "inline", "pending client.acquire")
    assert "inline" in shown(do(one, "info schedule"))

    do(one, "undo", "step 2")

    assert [said for said in one.bench.branch.inputs if isinstance(said, Timed)] == [Timed(None, Completion.INLINE)]


@pytest.mark.parametrize("lines", [["inline"], ["next", "inline server.accept#1", "finish", "pending"]])
def test_a_session_with_timed_calls_is_saved_and_replays_to_the_same_verdict(tmp_path, lines):
    path = tmp_path / "kept.sspi.yaml"
    one = debugger()
    do(one, *lines)

    do(one, f"save {path}")

    case = loads(path.read_text(), str(path)).cases[0]
    assert run_case(case, RunOptions()).outcome is Outcome.PASSED
    assert "choices" in path.read_text()


STANDING_BY = """
schema: sspi-async/scenario/1
name: a program that stands by
clock: {clock}
schedule: {schedule}
programs:
  client.late:
    - note: late
      yields: true
"""


def test_who_stands_by_goes_on_behind_the_return_of_a_call_that_is_inline():
    one = of_text(STANDING_BY.format(clock=CLOCK, schedule="{seed: 1}"))
    other = of_text(STANDING_BY.format(clock=CLOCK, schedule="{completion: inline, seed: 1}"))

    do(one, "inline", "continue")
    do(other, "continue")

    assert happened(one.bench.branch.records) == happened(other.bench.branch.records)
    assert any(isinstance(record.event, ev.NoteMade) for record in one.bench.branch.records)
