"""Steps do what they say, right or wrong, and what they expect is found again in the records."""

from __future__ import annotations

import pytest

from sspicli.analysis.cases import Outcome
from sspicli.journal import events as ev
from sspicli.scenario import program
from sspicli.scenario.steps import STEPS
from tests.play import BEGIN, CREDENTIAL, END, FIRST_LEG, HEAD, REST, play, problems, ran, said, server


def test_every_step_is_performed_somewhere():
    assert set(program._PERFORM) == set(STEPS)


def test_a_server_written_out_step_by_step_makes_a_handshake_and_breaks_no_rule():
    result = play(server(BEGIN, CREDENTIAL, FIRST_LEG, REST, END, more="expect: { client: SEC_E_OK, findings: [] }\n"))

    assert result.outcome is Outcome.PASSED, (result.unmet, result.findings)


def test_each_step_stands_on_record_in_its_own_words():
    records = ran(server(BEGIN, CREDENTIAL, FIRST_LEG, REST, END)).records

    taken = [one.event for one in records if isinstance(one.event, ev.ActionTaken)]
    assert (taken[0].step, taken[0].words) == ("server.1", "create ac")
    assert taken[2].words == "acquire"


STEPS_THAT_HOLD = [
    "- create: two\n  expect: handle\n- free-async-context: two",
    "- requires-notify: ac\n  expect: true",
    "- get-status: ac\n  expect: SEC_E_INVALID_HANDLE",
    "- reinit: ac\n  expect: STATUS_SUCCESS",
    "- reinit: null\n  expect: STATUS_INVALID_HANDLE",
    "- get-status: foreign\n  expect: SEC_E_INVALID_HANDLE",
    "- check: { phase: { ac: idle }, callbacks: 0, pending: 0 }",
    "- acquire: { async-context: null }\n  expect: { queue: SEC_E_INVALID_HANDLE }",
    "- note: a word",
    "- sleep: 500",
]


@pytest.mark.parametrize("step", STEPS_THAT_HOLD)
def test_what_a_step_expects_is_what_its_function_returned(step):
    result = play(server(BEGIN, step, "- free-async-context: ac", more="verify: { off: true }\n"))

    assert not [one for one in result.unmet if one.step.startswith("server")], result.unmet


def test_a_call_that_is_held_stays_pending_until_it_is_completed():
    text = server(
        BEGIN,
        """
        - hold: server.acquire
        - acquire: {}
          expect: { pending: true, status: SEC_E_OK, callbacks: 1 }
        - sleep: 500
        - check: { phase: { ac: pending }, callbacks: 0, pending: 1 }
        - complete: server.acquire#1
        - wait: ac
        - check: { phase: { ac: settled }, callbacks: 1, pending: 0 }
        - get-status: ac
        - reinit: ac
        """,
        FIRST_LEG,
        REST,
        END,
    )

    assert play(text).outcome is Outcome.PASSED


def test_a_callback_takes_its_steps_and_its_async_context_is_called_this():
    body = BEGIN.replace(
        "set-callback: ac",
        "set-callback: { async-context: ac, do: [ { get-status: this, expect: SEC_E_OK }, { reinit: this } ] }",
    )
    credential = "- acquire: {}\n- wait: ac\n- free-credential: {}\n- wait: ac\n- free-async-context: ac\n"

    records = ran(server(body, credential)).records

    taken = [(one.actor, one.event) for one in records if isinstance(one.event, ev.ActionTaken)]
    inside = [(actor, event.words) for actor, event in taken if ".do." in event.step]
    assert [words for _, words in inside] == ["get-status this", "reinit this"] * 2
    assert {actor for actor, _ in inside} == {"server.ac1.callback"}


def test_a_reinit_while_pending_is_refused_and_found():
    text = server(
        BEGIN,
        """
        - hold: server.acquire
        - acquire: {}
        - reinit: ac
          expect: STATUS_INVALID_DEVICE_STATE
        - complete: server.acquire
        - wait: ac
        - get-status: ac
        - reinit: ac
        """,
        FIRST_LEG,
        REST,
        END,
        more="expect: { findings: [A001] }\n",
    )

    result = play(text)

    assert result.outcome is Outcome.PASSED, (result.unmet, result.findings)


def test_what_a_step_does_not_do_is_said_of_the_step():
    text = server(BEGIN, CREDENTIAL.replace("- get-status: ac", "- get-status: ac\n  expect: SEC_E_NO_CREDENTIALS"),
                  FIRST_LEG, REST, END)  # fmt: skip

    (unmet,) = play(text).unmet

    assert (unmet.step, unmet.expected, unmet.got) == ("server.5", "SEC_E_NO_CREDENTIALS", "SEC_E_OK")
    assert unmet.place.line == 10


def test_a_step_that_was_never_reached_is_said_once():
    text = server(BEGIN, CREDENTIAL, "- await: never", "- get-status: ac\n  expect: SEC_E_OK\n" * 3, "- signal: never")

    result = play(text)

    assert [one.got for one in result.unmet if one.step == "server.8"] == ["it was never reached"]
    assert result.outcome is Outcome.STUCK


def test_an_earlier_token_may_be_cut_and_passed_again():
    text = server(
        BEGIN, CREDENTIAL,
        """
        - connect: 1
        - receive: received
        - accept: { input: [ { type: TOKEN, bytes: { leg: 1, slice: { end: 40 } } }, { type: EMPTY } ] }
          expect: { status: SEC_E_INCOMPLETE_MESSAGE, handle: untouched, input: [ { size: 40 }, { type: MISSING } ] }
        - wait: ac
        - get-status: ac
        - reinit: ac
        - accept: {}
          expect: { status: SEC_I_CONTINUE_NEEDED }
        - wait: ac
        - get-status: ac
        - send: output
        - free-buffers: ac
        - reinit: ac
        - keep-extra: received
        """, REST, END,
    )  # fmt: skip

    assert not play(text).unmet


def test_buffers_can_be_passed_in_the_shapes_of_a_careless_driver():
    text = server(
        BEGIN, CREDENTIAL,
        """
        - connect: 1
        - receive: received
        - accept: { drop-flags: [ALLOCATE_MEMORY], output: [ { type: TOKEN, room: 5 } ] }
          expect: { status: SEC_E_INSUFFICIENT_MEMORY }
        - wait: ac
        - get-status: ac
        - close: wire
        - reinit: ac
        - free-credential: {}
        - wait: ac
        - get-status: ac
        - free-async-context: ac
        """, more="verify: { off: true }\n",
    )  # fmt: skip

    result = play(text)

    assert not [one for one in result.unmet if one.step == "server.9"], result.unmet


def test_what_the_peer_does_with_a_token_is_not_what_the_step_that_sent_it_did():
    legs = "- connect: 1\n- handshake: {}\n  expect: SEC_E_OK\n- receive: received\n- close: wire\n"
    text = server(BEGIN, CREDENTIAL, legs, END, more="session: { tls: '1.3', client: { resume: ticket } }\n")

    assert not [one for one in play(text).unmet if one.step == "server.8"]


def test_a_message_that_is_protected_shows_its_buffers_and_not_the_stream_sizes():
    text = server(
        BEGIN, CREDENTIAL,
        """
        - connect: 1
        - handshake: {}
        - encrypt: { bytes: { text: hello } }
          expect: { status: SEC_E_OK, buffers: [ { type: STREAM_HEADER }, { type: DATA, size: 5 } ] }
        - send: protected
          protected: true
        - receive: received
        - close: wire
        """, END,
    )  # fmt: skip

    assert not play(text).unmet


def test_an_exception_that_a_step_throws_leaves_its_callback_and_the_run_goes_on():
    text = server(
        """
        - create: ac
        - set-callback: { async-context: ac, do: [ { throw: out of paper }, { note: never reached } ] }
        - acquire: {}
        - poll: ac
          expect: SEC_E_OK
        - note: the program goes on
        """
    )

    records = ran(text).records

    raised = [one.event.error for one in records if isinstance(one.event, ev.CallbackRaised)]
    notes = [one.event.text for one in records if isinstance(one.event, ev.NoteMade)]
    assert raised == ["CallbackError: out of paper"]
    assert notes == ["the program goes on"]


def test_an_exception_is_thrown_in_a_callback_only():
    text = server(BEGIN, "- throw: nobody would catch it")

    assert said(text) == [(7, 14, "an exception leaves a notify callback, and this is none")]


@pytest.mark.parametrize(("pause", "fewest", "most"), [("10", 400, 500), ("1000", 6, 6)])
def test_a_poller_may_pause_as_long_each_time_and_so_asks_too_often(pause, fewest, most):
    text = server(
        BEGIN,
        f"- acquire: {{}}\n- poll: {{ pause: {pause} }}\n  expect: SEC_E_OK\n- free-async-context: ac\n",
        more="faults: [ { call: server.acquire, delay: 5000 } ]\n",
    )

    records = [one for one in ran(text).records if one.actor == "server"]
    asked = [one for one in records if isinstance(one.event, ev.CallStatusQueried)]

    assert fewest <= len(asked) <= most


@pytest.mark.parametrize(
    ("package", "status"),
    [
        ("schannel", "SEC_E_OK"),
        ("Microsoft Unified Security Protocol Provider", "SEC_E_OK"),
        ("tls", "SEC_E_SECPKG_NOT_FOUND"),
    ],
)
def test_an_acquire_may_name_the_package_as_windows_does(package, status):
    text = server(BEGIN, f"- acquire: {{ package: {package} }}\n  expect: {{ status: {status} }}\n")

    assert not [one for one in play(text).unmet if one.step == "server.3"]


NOTHING_TO_DO = [
    "- hold: client.init#9",
    "- free-buffers: ac",
    "- keep: { name: old, bytes: { leg: 9 } }",
    "- send: { leg: 9 }",
    "- release: server.delete#5",
    "- complete: server.accept#4",
    "- touch: { what: input, act: read, buffer: 7 }",
]


@pytest.mark.parametrize("step", NOTHING_TO_DO)
def test_a_step_that_finds_nothing_to_act_on_fails_the_case(step):
    result = play(server(BEGIN, step, CREDENTIAL, FIRST_LEG, REST, END))

    assert [one.expected for one in result.unmet] == ["something to do"]


def test_a_hold_of_one_call_is_not_met_by_that_of_another():
    steps = "- hold: client.init#9\n- hold: server.acquire\n- complete: server.acquire\n"
    waiting = CREDENTIAL.replace("- wait: ac", "- complete: server.acquire\n- wait: ac", 1)

    result = play(server(BEGIN, steps.replace("- complete: server.acquire\n", ""), waiting, FIRST_LEG, REST, END))

    assert [one.got for one in result.unmet] == ["hold client.init#9: no such call came"]


def test_an_accept_of_a_leg_that_was_not_sent_says_so():
    leg = FIRST_LEG.replace("accept: {}", "accept: { input: [{ type: TOKEN, bytes: { leg: 9 } }] }")

    assert "accept: leg 9 has not been sent" in [one.got for one in play(server(BEGIN, CREDENTIAL, leg, END)).unmet]


def test_a_schedule_that_speaks_of_a_call_nobody_queues_fails_the_case():
    text = server(BEGIN, CREDENTIAL, FIRST_LEG, REST, END, more="schedule: { calls: { client.init#99: inline } }\n")

    assert [one.got for one in play(text).unmet] == ["no such call was queued"]


def test_calls_stand_on_record_by_the_name_they_were_given():
    records = ran(
        HEAD + "programs:\n  client.helper:\n    - hold: server.accept\n    - release: server.accept\n"
    ).records

    said = [one.event.words for one in records if isinstance(one.event, ev.ActionTaken)]

    assert said == ["hold server.accept", "release server.accept"]


def test_a_program_can_name_what_the_shipped_driver_made():
    records = ran(
        HEAD + "programs:\n  client.helper:\n    - await: never\n    - reinit: driver-ac1\n  client.other:\n"
        "    - get-status: driver-ac1\n    - signal: never\n"
    ).records

    asked = [one.event.async_context for one in records if isinstance(one.event, ev.AsyncContextReinitialized)]

    assert "client.ac1" in [str(one) for one in asked]


# -- what any step may say ---------------------------------------------------------------------------------------------
LATE = """
programs:
  client.late:
  - note: late
    yields: true
  client.slow:
  - sleep: 5000
  - note: slow
"""


@pytest.mark.parametrize("schedule", ["{ seed: 1 }", "{ order: lifo }", "{ workers: 2 }"])
def test_a_step_that_yields_is_taken_when_all_else_has_happened(schedule):
    records = ran(f"{HEAD}schedule: {schedule}\n{LATE.strip()}\n").records

    taken = [one.event.words for one in records if isinstance(one.event, ev.ActionTaken)]
    assert taken == ["sleep 5000", "note slow", "note late"]


DELIBERATE = [
    "get-status: typo",
    "unlock: m",
    "delete: { security-context: typo }",
    "receive: mine",
    "complete: server.accept#7",
    "free-buffers: ac",
    'set-callback: { async-context: ac, do: [{ get-status: typo }, { send: { text: "a" } }] }',
]


@pytest.mark.parametrize("step", DELIBERATE)
def test_what_would_be_a_slip_is_none_where_it_is_deliberate(step):
    result = play(
        f"{HEAD}programs:\n  server:\n  - create: ac\n  - {step}\n    deliberate: true\nverify: {{ off: true }}\n"
    )

    assert not [one for one in result.unmet if one.step.startswith("server")], result.unmet


def test_a_slip_beside_a_step_that_is_deliberate_is_one_still():
    programs = "programs:\n  server:\n  - { receive: a, deliberate: true }\n  - receive: b\n  - get-status: typo\n"

    found = [(one.place.line, one.message) for one in problems(HEAD + programs)]

    assert found == [
        (6, "the server uses the wire and has begun no connection"),
        (7, "nothing here makes the async context 'typo'"),
    ]


def test_a_run_whose_only_connection_is_not_the_first_can_be_judged():
    result = play(f"{HEAD}programs:\n  server:\n  - connect: 2\n  client:\n  - connect: 2\n")

    assert result.outcome is Outcome.PASSED
