"""What a scenario expects, said at the end of its run in the debugger."""

import pytest

from sspicli.debugger.judging import judged
from tests.debugger.consoles import debugger, do, of_text, shown, stop_of

EXPIRED = """\
schema: sspi-async/scenario/1
name: a refused certificate
session: {{ server: {{ cert: expired }} }}
expect: {{ client: {status}, server: SEC_E_CERT_EXPIRED }}
"""


def test_an_expected_failure_holds_and_the_exit_code_is_0():
    one = of_text(EXPIRED.format(status="SEC_E_CERT_EXPIRED"))
    assert "2 of 2 expectations hold" in shown(do(one, "continue"))
    assert (stop_of(do(one, "goto end")).verdict, one.exit_code()) == ("failed", 0)


def test_what_did_not_come_about_is_said_with_its_line():
    one = of_text(EXPIRED.format(status="SEC_E_OK"))
    said = shown(do(one, "continue"))
    assert "1 of 2 expectations hold" in said
    assert "case.sspi.yaml:4  expect, client: expected SEC_E_OK, got SEC_E_CERT_EXPIRED" in said
    assert one.exit_code() == 1


@pytest.mark.parametrize("begin", [debugger, lambda: of_text(EXPIRED.format(status="SEC_E_OK"))])
def test_nothing_is_judged_before_the_end_nor_where_nothing_is_expected(begin):
    one = begin()
    do(one, "step")
    assert judged(one.bench) is None
    assert "expectations" not in shown(do(one, "step"))


def test_a_session_of_options_expects_nothing():
    one = debugger(server=["cert=expired"])
    do(one, "continue")
    assert judged(one.bench) is None
    assert one.exit_code() == 1


def test_a_failure_is_explained_at_the_stop_that_shows_it_and_not_again():
    one = debugger(server=["cert=expired"])
    said = shown(do(one, "catch fail", "continue"))
    assert "error[SEC_E_CERT_EXPIRED" in said
    assert "cause   server=cert preset" in said
    assert "error[" not in shown(do(one, "continue"))


def test_why_at_the_end_of_a_failed_run_begins_with_the_failure():
    one = debugger(server=["cert=expired"])
    do(one, "continue")
    assert "completed: SEC_E_CERT_EXPIRED" in shown(do(one, "why")).splitlines()[0]


def test_an_alert_that_waits_to_be_sent_is_not_said_to_be_on_the_wire():
    one = debugger(server=["cert=expired"])
    assert "in clear; not sent)" in shown(do(one, "catch fail", "continue"))
    assert "in clear)" in shown(do(debugger(server=["cert=expired"]), "continue"))


def test_a_refused_call_is_a_failure_too():
    one = debugger(fault=["client.init#2=refuse"])
    said = shown(do(one, "continue"))
    assert "error[SEC_E_INSUFFICIENT_MEMORY" in said
    assert "refused" in shown(do(one, "why")).splitlines()[0]


def test_what_is_driven_by_hand_is_not_said_to_be_over():
    one = debugger(by_hand=["client", "server"])
    assert "nothing more happens by itself" in shown(
        do(one, "create client ac", "set-callback client", "acquire client", "continue")
    )
