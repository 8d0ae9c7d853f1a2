"""Whose secrets open what: after a tampered hello both ends derive secrets, and not the same ones."""

from __future__ import annotations

import pytest

from sspicli.analysis.calls import CLOSED_TO_RECEIVER
from sspicli.analysis.exchange import Token, open_recording, open_tokens
from sspicli.analysis.report import report
from sspicli.analysis.state import State
from sspicli.journal import events as ev
from tests.debugger.consoles import debugger, do, shown
from tests.handshakes import records_of
from tests.processes import sspi

OPENED = ["EncryptedExtensions", "Certificate", "CertificateVerify", "Finished"]
SERVER_HELLO = "leg2=tamper:ServerHello.random:01"
CLIENT_HELLO = "leg1=tamper:ClientHello.random:01"
SCENARIO = """
schema: sspi-async/scenario/1
name: tampered, and still opened
faults: [{leg: 2, tamper: {field: ServerHello.random, xor: "01"}}]
steps:
  - leg: 2
    expect: {sender: server, token: {contains: [ServerHello, EncryptedExtensions, Certificate]}}
expect: {verdict: failed}
"""


def lines_of(records):
    return [one.event.line for one in records if isinstance(one.event, ev.KeyLogged)]


def encrypted_of(records):
    """List what was protected in leg 2, by the report and by the exchange."""
    leg = report(records).legs[1]
    opened = next(one for one in open_recording(records) if one.token.leg == 2)
    told = [message.name for message in leg.messages if message.encrypted]
    return told, [part.tree.name for part in opened.parts if part.is_encrypted], leg, opened


@pytest.mark.parametrize("fault", [SERVER_HELLO, CLIENT_HELLO])
def test_a_leg_opens_with_its_senders_secrets_when_its_receiver_has_others(fault):
    told, opened_names, leg, opened = encrypted_of(records_of(tls="1.3", fault=(fault,)))

    assert told == opened_names == OPENED
    assert leg.is_closed_to_receiver
    assert opened.is_closed_to_receiver


@pytest.mark.parametrize("tls", ["1.2", "1.3"])
def test_nothing_is_said_of_a_receiver_that_has_the_same_secrets(tls):
    records = records_of(tls=tls, messages=2)

    assert not any(leg.is_closed_to_receiver for leg in report(records).legs)
    assert not any(one.is_closed_to_receiver for one in open_recording(records))


def test_the_secrets_of_one_end_open_what_the_other_sent_where_there_are_no_others():
    every = records_of(tls="1.3")
    records = [one for one in every if not (isinstance(one.event, ev.KeyLogged) and one.actor.startswith("server"))]

    told, opened_names, leg, _ = encrypted_of(records)

    assert told == opened_names == OPENED
    assert not leg.is_closed_to_receiver


def test_a_receiver_is_told_to_have_other_secrets_once_it_has_derived_them():
    records = records_of(tls="1.3", fault=(SERVER_HELLO,))
    state, told = State(), []

    for record in records:
        state.see(record)
        if len(state.legs) > 1:
            told.append(state.legs[1].is_closed_to_receiver)

    assert told[0] is False
    assert told[-1] is True


@pytest.mark.parametrize("order", [1, -1])
def test_of_a_key_log_from_outside_the_secret_that_opens_is_the_senders(order):
    records = records_of(tls="1.3", fault=(SERVER_HELLO,))
    legs = report(records).legs
    tokens = [Token(leg.data, f"leg {leg.number}", leg.sender) for leg in legs]

    opened = open_tokens(tokens, lines_of(records)[::order])

    assert [part.tree.name for part in opened[1].parts if part.is_encrypted] == OPENED
    assert [one.is_closed_to_receiver for one in opened] == [False, True, False]


def test_every_command_says_that_the_receiver_has_other_secrets(tmp_path):
    path, keys, scenario = tmp_path / "run.sspirec", tmp_path / "keys", tmp_path / "tampered.sspi.yaml"
    scenario.write_text(SCENARIO)

    ran = sspi("handshake", "--fault", SERVER_HELLO, "--record", path, "--keylog", keys)
    told = [
        ran.stdout,
        sspi("show", path, "--keylog", keys).stdout,
        sspi("show", path, "--keylog", keys, "--leg", "2").stdout,
        sspi("decode", path, "--keylog", keys, "--leg", "2").stdout,
        sspi("repl", "-c", "tamper leg2 ServerHello.random", "-c", "continue", "-c", "ladder").stdout,
    ]

    assert [CLOSED_TO_RECEIVER in text for text in told] == [True] * len(told)
    assert sspi("replay", scenario).returncode == 0


def test_the_debugger_says_so_of_the_leg_and_its_fields():
    one = debugger()
    do(one, "tamper leg2 ServerHello.random", "continue")

    for text in ("p leg2", "decode leg2", "ladder"):
        assert CLOSED_TO_RECEIVER in shown(do(one, text)), text
    assert shown(do(one, "p leg2.messages")).endswith("Finished")
