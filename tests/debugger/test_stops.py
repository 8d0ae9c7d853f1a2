"""break before: a stop where a call is about to be made, in a session, in its past and in a recording."""

from __future__ import annotations

import pytest

from sspicli.debugger.beginning import of_recording
from sspicli.debugger.coming import WORDS
from sspicli.debugger.debugger import Debugger
from sspicli.debugger.inputs import Reached
from sspicli.debugger.stops import FUNCTION_WORDS
from sspicli.journal import events as ev
from tests.debugger.consoles import LOOK, debugger, do, of_text, refused, shown, stop_of

EARLY = """
schema: sspi-async/scenario/1
name: a program that reads the handle of a pending call
programs:
  client:
    - create: ac
    - set-callback: ac
    - acquire: {credential: cred}
    - read: cred
    - wait: ac
    - get-status: ac
"""


def functions_queued(one):
    return [str(record.event.call) for record in one.bench.view.records if isinstance(record.event, ev.CallQueued)]


def happened(one):
    return [(record.actor, record.ticks, record.event) for record in one.bench.branch.records]


def test_every_function_that_can_be_stopped_at_can_be_stopped_before():
    assert {*WORDS.values(), "free-credential"} == set(FUNCTION_WORDS)


def test_a_call_that_is_about_to_be_made_has_left_no_record_yet():
    one = debugger()
    do(one, "break before client.init#2")

    stop = stop_of(do(one, "continue"))

    assert stop.reason == "breakpoint 1, client.init#2 is about to be called"
    assert "client calls client.init#2" in stop.enabled
    assert one.bench.view.call_named("client", "init#1") is not None
    assert one.bench.view.call_named("client", "init#2") is None


def test_the_next_step_makes_the_call_and_does_not_stop_before_it_again():
    one = debugger()
    do(one, "break before client.init#2", "continue")

    stop = stop_of(do(one, "step"))

    assert stop.reason == "stepped"
    assert one.bench.view.value("event") == "CallQueued"
    assert stop_of(do(one, "continue")).reason == "the run is over: ok"


@pytest.mark.parametrize(
    ("what", "name"),
    [
        ("before server accept", "server.accept#1"),
        ("before SspiReinitAsyncContext", "client.reinit"),
        ("before init if leg == 2", "client.init#2"),
        ('before get-status if side == "server"', "server.get-status"),
        ("before init if number == 2", "client.init#2"),
        ("before client.free", "client.free#1"),
        ("before create", "client.create"),
    ],
)
def test_a_condition_may_ask_for_the_call_that_is_to_come(what, name):
    one = debugger()
    do(one, f"break {what}")

    assert stop_of(do(one, "continue")).reason == f"breakpoint 1, {name} is about to be called"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("break before", "before which call?"),
        ("break before leg 2", "is no call to stop before"),
        ("break before client.inti", "init"),
        ("break before client.create#2", "have no numbers"),
        ("break client.reinit#2", "have no numbers"),
    ],
)
def test_what_is_no_call_is_refused(text, says):
    response = refused(debugger(), text)

    assert says in response.error + response.help


def test_a_stop_before_a_call_can_still_have_it_refused():
    one = debugger()
    do(one, "break before client.init#2", "continue", "refuse client.init SEC_E_INSUFFICIENT_MEMORY")

    do(one, "step")

    assert one.bench.view.value("event") == "CallRefused"


def test_stopping_before_calls_changes_nothing_that_happens():
    one, other = debugger(), debugger()
    for word in FUNCTION_WORDS:
        do(one, f"break before {word}")
    stops = 0
    while stop_of(do(one, "continue")).reason.startswith("breakpoint"):
        stops += 1

    do(other, "continue")

    kinds = [[(actor, ticks, type(event)) for actor, ticks, event in happened(it)] for it in (one, other)]
    assert stops > 20
    assert kinds[0] == kinds[1]


def test_what_an_actor_reads_too_early_on_its_way_to_a_call_is_on_record_at_the_same_time():
    one, other = of_text(EARLY), of_text(EARLY)
    do(one, "break before client.delete", "continue")

    do(other, "continue")

    kinds = [[(actor, ticks, type(event)) for actor, ticks, event in happened(it)] for it in (one, other)]
    assert ev.OutputReadEarly in [kind for _, _, kind in kinds[0]]
    assert kinds[0] == kinds[1]


def test_where_others_go_on_first_the_session_is_made_again_in_the_same_way():
    one = debugger()
    do(one, "break before client.create", "continue", "choose 2", "continue")
    assert isinstance(one.bench.branch.inputs[0], Reached)

    do(one, "delete 1", "rs 3", "step 3")

    assert one.bench.branch.name == "branch2"
    assert stop_of(do(one, "continue")).verdict == "ok"


def test_a_temporary_stop_before_a_call_is_gone_and_an_ignored_one_is_passed():
    one = debugger()
    do(one, "tbreak before init", "break before init", "ignore 2 1")

    do(one, "continue")

    assert list(one.bench.stops) == [2]
    assert stop_of(do(one, "continue")).reason == "breakpoint 2, client.init#2 is about to be called"


def test_going_back_stops_before_the_call_too():
    one = debugger()
    do(one, "continue", "break before client.init#2")

    stop = stop_of(do(one, "rc"))

    assert "client.init#2 is about to be called" in stop.reason
    assert functions_queued(one) == ["client.call1", "server.call1", "client.call2", "server.call2"]


def test_a_recording_stops_at_the_same_record_as_the_session(tmp_path):
    path = tmp_path / "run.sspirec"
    one = debugger()
    do(one, f"record {path}", "break before client.init#2", "continue")
    at = one.bench.place.records
    do(one, "continue", "record off")
    other = Debugger(of_recording(path), LOOK)

    do(other, "break before client.init#2", "continue")

    assert other.bench.place.records == at
    assert "client.init#2 is about to be called" not in shown(do(other, "continue"))


def test_a_session_that_stopped_before_calls_is_kept_and_replays(tmp_path):
    one = debugger()
    do(one, "break before client.create", "continue", "choose 2", "break before client.init#2", "continue")

    assert "ok" in shown(do(one, f"save {tmp_path / 'kept.sspi.yaml'}"))
