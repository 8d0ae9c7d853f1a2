"""A case that is run again gives the same calls and statuses, and every run begins with who made it."""

from __future__ import annotations

import pytest

from sspicli.analysis.cases import Outcome
from sspicli.journal import events as ev
from sspicli.scenario.run import RunOptions, run, run_case
from tests.play import BEGIN, CREDENTIAL, END, FIRST_LEG, REST, cases, play, ran, scenario, server


def shape(records):
    return [(one.actor, type(one.event).__name__) for one in records]


@pytest.mark.parametrize("order", ["fifo", "lifo", "seed"])
def test_the_same_seed_gives_the_same_run(order):
    text = scenario(f"schedule: {{ completion: random, order: {order}, seed: 7 }}\nsession: {{ messages: 2 }}\n")

    assert shape(ran(text).records) == shape(ran(text).records)


def test_the_schedule_of_a_run_makes_it_again():
    text = scenario("schedule: { completion: random, order: seed, seed: 11 }\n")
    first = ran(text)

    again = run(cases(text)[0], RunOptions(schedule=first.schedule))

    assert shape(again.records) == shape(first.records)


def test_a_schedule_of_another_run_is_an_error_of_the_case():
    result = play(scenario(""), schedule="v1:zzzz")

    assert result.outcome is Outcome.ERROR
    assert "diverged" in result.reason


DIVERGING = [  # where the schedule stands in the file; else the scenario's name
    ("schedule: { choices: 'v1:zzzz' }\n", None, (3, 22)),
    ("schedule: { completion: random }\n", "v1:zzzz", (2, 7)),
    ("schedule: { workers: 2 }\n", "v1:0", (3, 22)),
]


@pytest.mark.parametrize(("body", "schedule", "place"), DIVERGING)
def test_a_schedule_that_cannot_be_followed_is_told_where_it_stands(body, schedule, place):
    result = play(scenario(body), schedule=schedule)

    assert result.outcome is Outcome.ERROR
    assert (result.place.line, result.place.column) == place


def test_the_scenario_itself_stands_on_record():
    text = scenario("tags: [x]\n")

    started = ran(text).records[0].event

    assert isinstance(started, ev.RunStarted)
    assert started.options["scenario"] == text


def test_calls_complete_in_the_order_that_the_scenario_names():
    text = server(
        "- create: one\n- create: two\n- set-callback: one\n- set-callback: two\n",
        """
        - acquire: { async-context: one, credential: first }
        - acquire: { async-context: two, credential: second }
        - wait: one
        - wait: two
        """,
        more="schedule: { order: [server.acquire#2, server.acquire#1, client.acquire#1] }\nverify: { off: true }\n",
    )

    done = [str(one.event.call) for one in ran(text).records if isinstance(one.event, ev.CallCompleted)]

    assert done.index("server.call2") < done.index("server.call1")


def test_a_call_completes_inline_where_the_scenario_says_so():
    text = scenario(
        "schedule: { calls: { client.init#1: inline } }\n"
        "steps:\n"
        "- { call: client.init#1, expect: { pending: false } }\n"
        "- { call: client.init#2, expect: { pending: true } }\n"
    )

    assert play(text).outcome is Outcome.PASSED


def test_worker_threads_make_the_same_handshake():
    result = play(scenario("schedule: { workers: 2 }\nexpect: { client: SEC_E_OK, server: SEC_E_OK, findings: [] }\n"))

    assert result.outcome is Outcome.PASSED, result.unmet


def test_a_wire_that_loses_a_leg_leaves_both_ends_waiting():
    result = play(scenario("faults: [ { leg: 1, drop: true } ]\nexpect: { verdict: stuck }\n"))

    assert result.outcome is Outcome.PASSED, result.unmet


def test_a_byte_of_a_field_that_is_changed_is_noticed():
    text = "session: { tls: '1.2' }\nfaults: [ { leg: 2, tamper: { field: ServerHello.random, xor: '01' } } ]\n"

    result = play(scenario(text + "expect: { verdict: failed }\n"))

    assert result.outcome is Outcome.PASSED, result.unmet


def test_a_case_says_how_it_is_made_again():
    (case,) = cases(server(BEGIN, CREDENTIAL, FIRST_LEG, REST, END, more="schedule: { order: lifo, seed: 3 }\n"))

    result = run_case(case, RunOptions())

    assert result.schedule.startswith("v1:")
    assert result.seed == 3


def test_a_fault_that_never_happens_fails_the_case_and_says_why():
    result = play(scenario("faults: [ { leg: 9, drop: true } ]\n"))

    assert result.outcome is Outcome.FAILED
    assert "never happened" in result.unmet[0].got


def test_an_order_that_did_not_come_about_fails_the_case():
    result = play(scenario("schedule: { order: [client.init#9] }\n"))

    assert "client.init#9" in result.unmet[0].got


def test_two_programs_of_one_endpoint_share_its_variables():
    text = server(BEGIN, CREDENTIAL, "- signal: ready", FIRST_LEG, REST, "- await: told", END)
    watcher = "  server.watcher:\n    - await: ready\n    - check: { phase: { ac: idle } }\n    - signal: told\n"

    result = play(text + watcher)

    assert result.outcome is Outcome.PASSED, (result.unmet, result.findings)


def test_null_for_a_target_is_no_name_and_null_for_a_certificate_is_none():
    text = scenario("session: { client: { target: null, cert: null } }\nexpect: { findings: [D011] }\n")

    assert play(text).outcome is Outcome.PASSED


def test_a_signal_that_no_step_raises_is_told_as_such_and_breaks_no_rule():
    result = play(scenario("programs:\n  client:\n    - await: go\n    - signal: go\n  server:\n    - sleep: 1\n"))
    assert result.outcome is Outcome.STUCK
    assert "client waits for the signal go, which no step raised yet" in " ".join(result.waits)
    assert (result.findings, result.warnings) == ((), ())


def test_what_is_not_on_the_wire_is_not_told_as_being_on_it():
    programs = "programs:\n  client:\n    - await: go\n    - signal: go\n  server:\n    - sleep: 1\n"
    result = play(scenario(f"{programs}expect: {{ verdict: ok }}\n"))
    assert [one.evidence for one in result.unmet] == [()]
    assert result.unmet[0].seen


def test_a_bad_case_shows_its_legs_and_steps_with_what_was_seen_of_each():
    result = play(
        scenario("session: { server: { cert: expired } }\nsteps:\n- { leg: 9, expect: { sender: client } }\n")
    )
    seen = {one.id: one for one in result.steps}
    assert seen["leg 1"].seen.startswith("client, ")
    assert "ClientHello" in seen["leg 1"].seen
    assert (seen["leg 9"].is_reached, seen["leg 9"].expectations, seen["leg 9"].unmet) == (False, 1, 1)


def test_steps_of_a_program_are_shown_with_the_statuses_that_came_of_them():
    result = play(
        scenario("programs:\n  client:\n    - await: go\n    - sleep: 2\n    - signal: go\n  server:\n    - sleep: 1\n")
    )
    assert [(one.id, one.is_reached) for one in result.steps] == [
        ("client.1", True),
        ("client.2", False),
        ("client.3", False),
        ("server.1", True),
    ]
    assert play(scenario("")).steps == ()
