"""What a scenario expects is held against the records; what does not hold is said with place, got and evidence."""

from __future__ import annotations

import pytest

from sspicli.analysis.cases import Outcome
from tests.play import BEGIN, CREDENTIAL, END, FIRST_LEG, REST, play, scenario, server

HOLDS = [
    "steps: [ { leg: 1, expect: { client: SEC_I_CONTINUE_NEEDED, sender: client } } ]",
    "steps: [ { leg: 1, expect: { server: SEC_I_CONTINUE_NEEDED } } ]",
    "steps: [ { leg: 2, expect: { client: SEC_E_OK, server: SEC_I_CONTINUE_NEEDED, sender: server } } ]",
    "steps: [ { leg: 1, expect: { token: { size: 100..2000, contains: [ClientHello], lacks: [ServerHello] } } } ]",
    "steps: [ { leg: 1, expect: { token: { messages: [ClientHello] } } } ]",
    "steps: [ { leg: 1, expect: { alert: none } } ]",
    "steps: [ { leg: 2, expect: { token: { fields: { ServerHello.legacy_version: 0x0303 } } } } ]",
    "steps: [ { call: client.init#1, expect: { queue: SEC_E_OK, pending: true, completes: true, callbacks: 1 } } ]",
    "steps: [ { call: client.init#1, expect: { handle: new, alert: none } } ]",
    "steps: [ { call: client.init#2, expect: { handle: untouched, granted: [CONFIDENTIALITY], denied: [DELEGATE] } } ]",
    "steps: [ { call: server.accept, expect: { input: [ { type: TOKEN }, { type: EMPTY, size: 0 } ] } } ]",
    "steps: [ { attribute: STREAM_SIZES, side: client, expect: { status: SEC_E_OK, cBuffers: 4 } } ]",
    "expect: { client: SEC_E_OK, server: SEC_E_OK, protocol: TLS 1.3, legs: 4, resumed: false, findings: [] }",
    "expect: { document: { legs.0.from: client, verdict: ok, resumed: false, failure: null } }",
    "session: { client: { alpn: [h2] }, server: { alpn: [h2] } }\nexpect: { alpn: h2 }",
    "expect: { granted: { client: [CONFIDENTIALITY, STREAM] }, calls: 1..99, callbacks: 1..99 }",
    "session: { server: { cert: expired } }\nexpect: { failed: client, alert: certificate_expired, at-leg: 3 }",
    "session: { server: { cert: expired } }\nexpect: { client: SEC_E_CERT_EXPIRED, server: SEC_E_CERT_EXPIRED }",
    "faults: [ { call: server.accept, hang: true } ]\nexpect: { verdict: stuck, waits: [server.call2] }",
]  # fmt: skip


@pytest.mark.parametrize("body", HOLDS)
def test_what_is_so_holds(body):
    result = play(scenario(f"{body}\n"))

    assert result.outcome is Outcome.PASSED, result.unmet


FAILS = [
    ("steps: [ { leg: 1, expect: { client: SEC_E_OK } } ]", "SEC_E_OK", "SEC_I_CONTINUE_NEEDED"),
    ("steps: [ { leg: 1, expect: { sender: server } } ]", "server", "client"),
    ("steps: [ { leg: 9, expect: {} } ]", "leg 9", "4 legs"),
    ("steps: [ { leg: 1, expect: { token: { size: 1 } } } ]", "1", ""),
    ("steps: [ { leg: 1, expect: { token: { contains: [ServerHello] } } } ]", "ServerHello", "[ClientHello]"),
    ("steps: [ { leg: 1, expect: { token: { lacks: [ClientHello] } } } ]", "ClientHello", "[ClientHello]"),
    ("steps: [ { leg: 2, expect: { token: { fields: { ServerHello.legacy_version: 1 } } } } ]", "1", ""),
    ("steps: [ { leg: 2, expect: { token: { fields: { ServerHello.nonsense: 1 } } } } ]", "1", "nothing"),
    ("steps: [ { leg: 1, expect: { alert: bad_record_mac } } ]", "bad_record_mac", "none"),
    ("steps: [ { call: client.init#7, expect: {} } ]", "client.init#7", "such calls"),
    ("steps: [ { call: client.init, expect: { callbacks: 2 } } ]", "2", "1"),
    ("steps: [ { call: client.init, expect: { handle: untouched } } ]", "untouched", "new"),
    ("steps: [ { call: client.init, expect: { pending: false } } ]", "false", "true"),
    ("steps: [ { call: client.init#2, expect: { granted: [DELEGATE] } } ]", "DELEGATE", "not granted"),
    ("steps: [ { call: client.init, expect: { output: [ { type: DATA } ] } } ]", "DATA", "TOKEN"),
    ("steps: [ { attribute: STREAM_SIZES, side: client, expect: { cBuffers: 5 } } ]", "5", "4"),
    ("steps: [ { attribute: ISSUER_LIST_EX, side: client, expect: {} } ]", "a query", "never asked"),
    ("expect: { legs: 5 }", "5", "4"),
    ("expect: { protocol: TLS 1.2 }", "TLS 1.2", "TLS 1.3"),
    ("expect: { alpn: h2 }", "h2", "nothing"),
    ("expect: { resumed: true }", "true", "false"),
    ("expect: { failed: client, verdict: ok }", "client", "nothing"),
    ("expect: { findings: [A001] }", "[A001]", "[]"),
    ("expect: { document: { legs.0.from: server } }", "server", "client"),
    ("expect: { document: { no.such: 1 } }", "1", "nothing"),
    ("expect: { verdict: failed }", "failed", "ok"),
    ("expect: { waits: [server] }", "server", "nothing"),
    ("verify: { ignore: { A001: there is none } }", "a finding A001", "none"),
]


@pytest.mark.parametrize(("body", "expected", "got"), FAILS)
def test_what_is_not_so_is_said_with_what_was_got(body, expected, got):
    result = play(scenario(f"{body}\n"))

    assert result.outcome is Outcome.FAILED
    assert [one.expected for one in result.unmet] == [expected]
    assert got in result.unmet[0].got


def test_a_failure_that_nobody_expects_fails_the_case_with_its_reason():
    result = play(scenario("session: { server: { cert: expired } }\n"))

    assert result.outcome is Outcome.FAILED
    assert result.unmet[0].place.line == 2
    assert "SEC_E_CERT_EXPIRED" in result.unmet[0].cause


def test_a_stuck_run_is_an_outcome_of_its_own_with_its_wait_chain():
    result = play(scenario("faults: [ { call: server.accept, hang: true } ]\n"))

    assert result.outcome is Outcome.STUCK
    assert any("server.call2" in one for one in result.waits)


def test_a_rule_that_is_broken_fails_the_case():
    result = play(server(BEGIN, CREDENTIAL, FIRST_LEG, REST, END.replace("- free-async-context: ac", "")))

    assert [one.rule.code for one in result.findings] == ["A008"]
    assert result.outcome is Outcome.FAILED


def test_a_rule_may_be_let_pass_with_a_reason():
    body = END.replace("- free-async-context: ac", "")

    result = play(server(BEGIN, CREDENTIAL, FIRST_LEG, REST, body, more="verify: { ignore: { A008: on purpose } }\n"))

    assert result.outcome is Outcome.PASSED


@pytest.mark.parametrize(
    ("marks", "outcome"),
    [
        ("skip: not today", Outcome.SKIP),
        ("xfail: a known bug\nexpect: { legs: 9 }", Outcome.XFAIL),
        ("xfail: a known bug", Outcome.XPASS),
    ],
)
def test_a_case_may_be_skipped_or_expected_to_fail_with_a_reason(marks, outcome):
    result = play(scenario(f"{marks}\n"))

    assert result.outcome is outcome
    assert result.reason in ("not today", "a known bug")


def test_the_value_got_is_offered_for_the_file_where_it_is_one():
    result = play(scenario("expect: { client: SEC_E_CERT_EXPIRED, legs: 9, verdict: ok }\n"))

    assert [one.rewrite for one in result.unmet] == ["SEC_E_OK", "4"]


def test_a_list_of_codes_is_offered_as_the_file_would_write_it():
    result = play(server(BEGIN, CREDENTIAL, FIRST_LEG, REST, more="expect: { findings: [A001], verdict: ok }\n"))

    offered = {one.key: one.rewrite for one in result.unmet}
    assert offered["findings"] == "[A008, D004, D008]"


RESUMED = "session: { tls: '1.3', client: { resume: ticket } }\n"


@pytest.mark.parametrize(
    "step",
    [
        "{ leg: 2, connection: 1, expect: { token: { contains: [Certificate] }, client: SEC_E_OK } }",
        "{ leg: 2, expect: { token: { lacks: [Certificate] }, client: SEC_E_OK } }",
        "{ call: client.init#1, connection: 2, expect: { handle: new } }",
        "{ call: client.init#4, expect: { handle: new } }",
        "{ call: client.acquire#1, expect: { handle: new } }",
    ],
)
def test_a_step_looks_at_its_connection_and_a_call_is_counted_over_the_whole_run(step):
    result = play(scenario(f"{RESUMED}steps:\n- {step}\n"))

    assert result.outcome is Outcome.PASSED, result.unmet


@pytest.mark.parametrize(
    ("step", "got"),
    [
        ("{ leg: 2, connection: 3, expect: { sender: server } }", "0 legs"),
        ("{ call: client.init#4, connection: 1, expect: { handle: new } }", "3 such calls"),
    ],
)
def test_what_a_connection_has_not_is_said(step, got):
    (unmet,) = play(scenario(f"{RESUMED}steps:\n- {step}\n")).unmet

    assert unmet.got == got


def test_a_step_of_a_program_is_judged_on_any_of_its_connections():
    leg = FIRST_LEG.replace("- accept: {}", "- accept: {}\n  expect: { status: SEC_I_CONTINUE_NEEDED, handle: new }")
    again = "- connect: 2\n- receive: received\n- handshake: { security-context: b, new-security-context: b }\n"
    text = server(BEGIN, CREDENTIAL, leg, REST, again, more=f"{RESUMED}verify: {{ off: true }}\n")

    assert not [one for one in play(text).unmet if one.step.startswith("server")]


def test_an_expected_null_is_an_expectation():
    text = server("- create: ac\n  expect: null\n- free-async-context: ac\n", more="verify: { off: true }\n")

    (unmet,) = [one for one in play(text).unmet if one.step == "server.1"]

    assert (unmet.expected, unmet.got) == ("null", "handle")


NEVER_OFFERED = [
    "session: { server: { cert: expired } }",  # the verdict that nobody named stands at the name
    "steps: [{ leg: 99, expect: {} }]",
    "steps: [{ call: client.init#9, expect: {} }]",
    "steps: [{ call: client.init#2, expect: { granted: [DELEGATE] } }]",
    "steps: [{ leg: 1, expect: { token: { contains: [Finished] } } }]",
    "steps: [{ leg: 1, expect: { token: { lacks: [ClientHello] } } }]",
    "steps: [{ leg: 2, expect: { token: { fields: { ServerHello.nonsense: 1 } } } }]",
    "variables: { wanted: SEC_E_CERT_EXPIRED }\nexpect: { verdict: ok, client: $wanted }",
    "expect: { waits: [somebody] }",
    "expect: { document: { legs.0.from: server } }",
    "expect:\n  verdict: ok\n  server: >-\n    SEC_E_CERT_EXPIRED",
]


@pytest.mark.parametrize("body", NEVER_OFFERED)
def test_nothing_is_offered_that_is_no_value_of_the_key_or_stands_on_several_lines(body):
    result = play(scenario(f"{body}\n"))

    assert [one.rewrite for one in result.unmet] == [None] * len(result.unmet)
    assert result.unmet
