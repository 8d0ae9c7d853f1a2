"""What is meant by a name, or by none, where the shipped driver has made the handles."""

import pytest

from sspicli.journal import events as ev
from sspicli.sspi.status import NtStatus
from tests.debugger.consoles import debugger, do, of_text, shown

PROGRAM = """\
schema: sspi-async/scenario/1
name: a program that names its own
programs:
  server:
    - create: ac1
    - set-callback: ac1
"""


def pending():
    one = debugger()
    do(one, "hold server.accept#1", "continue")
    return one


@pytest.mark.parametrize("text", ["reinit server", "reinit server ac1", "reinit server.ac1"])
def test_the_async_context_in_use_is_meant_however_it_is_named(text):
    one = pending()
    do(one, text)
    assert one.bench.view.value("status") == NtStatus.STATUS_INVALID_DEVICE_STATE
    assert one.bench.view.value("findings") == ("A001",)


def test_what_a_user_made_under_a_name_is_meant_by_it():
    one = debugger(by_hand=["server"])
    do(one, "create server ac", "create server ac1", "reinit server ac1", "free-async-context server")
    freed = [record.event for record in one.bench.view.records if isinstance(record.event, ev.AsyncContextFreed)]
    assert [str(event.async_context) for event in freed] == ["server.ac1"]


def test_a_program_keeps_its_names():
    one = of_text(PROGRAM)
    do(one, "step 8")
    do(one, "requires-notify server ac1")
    (asked,) = [one.event for one in one.bench.view.records if isinstance(one.event, ev.NotifyRequirementQueried)]
    assert str(asked.async_context) == "server.ac1"


def test_deleting_names_the_async_context_and_the_security_context():
    one = debugger()
    do(one, "until server.security_context != none and server.pending == 0")
    said = shown(do(one, "delete server"))
    assert "delete async-context=driver-ac1 security-context=driver-ctxt1" in said


def test_what_is_not_there_stays_null():
    one = debugger(by_hand=["server"])
    do(one, "reinit server")
    assert one.bench.view.value("findings") == ("A009",)
