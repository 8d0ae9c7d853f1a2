"""Records that cannot have happened are refused, each with its number and the reason; a bad driver's are not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sspicli.analysis.coherence import IncoherentError, check, check_values
from sspicli.analysis.report import report
from sspicli.analysis.rules import judge
from sspicli.journal import events as ev
from sspicli.journal.journal import Record
from sspicli.sspi.functions import Function
from sspicli.sspi.handles import Handle
from sspicli.sspi.package import Role
from sspicli.sspi.status import SecurityStatus
from tests.handshakes import records_of
from tests.pairs import finished_pair, placed

OK = SecurityStatus.SEC_E_OK
STRANGER = Handle("client", "call", 99)


def with_last(event: ev.Event, actor: str = "client") -> list[Record]:
    """Tell a good run in which one thing more happened."""
    records = finished_pair()
    return [*records, Record(len(records) + 1, 0, 0, actor, 0, event)]


def reason(records: list[Record]) -> IncoherentError:
    with pytest.raises(IncoherentError) as caught:
        check(records)
    return caught.value


def test_what_really_happened_is_coherent():
    for records in (finished_pair(), finished_pair(handshakes=2), records_of(messages=1, mode="poll")):
        check(records)
        check_values(records)


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (ev.QueueingReturned(STRANGER, OK), "client.call99 was never queued"),
        (ev.CallCompleted(STRANGER, OK, None, None, None, 0, 0, None, 0), "client.call99 was never queued"),
        (ev.CallbackEntered(STRANGER, Handle("client", "ac", 1)), "client.call99 was never queued"),
        (ev.CallbackReturned(STRANGER, Handle("client", "ac", 1)), "client.call99 was never queued"),
        (ev.OutputReadEarly(STRANGER, "phCredential", is_write=False), "client.call99 was never queued"),
        (ev.CallStatusQueried(Handle("client", "ac", 1), STRANGER, OK), "client.call99 was never queued"),
        (ev.CredentialAcquired(Handle("client", "cred", 9), STRANGER), "client.call99 was never queued"),
        (
            ev.SecurityContextOpened(Handle("client", "ctxt", 9), Role.CLIENT, STRANGER),
            "client.call99 was never queued",
        ),
        (ev.HandshakeBegan(0), "0 is not the number of a handshake"),
        (ev.TokenSent(1, -1, "server", b""), "-1 is not the number of a leg"),
        (ev.ChoiceMade(1 << 40, 1, 2), "cannot have been made here"),
        (ev.ChoiceMade(1, 2, 2), "cannot have been made here"),
    ],
)
def test_what_cannot_follow_is_named(event: ev.Event, words: str):
    records = with_last(event)
    error = reason(records)
    assert error.record == len(records)
    assert words in error.reason
    for fold in (judge, report):
        with pytest.raises(IncoherentError):
            fold(records)


def test_nobody_tells_of_the_peers_calls():
    records = finished_pair()
    place = next(one for one, event in placed(records, ev.CallCompleted) if event.call == Handle("client", "call", 1))
    told = [one._replace(actor="server.package") if one is place else one for one in records]
    assert reason(told).reason == "client.call1 is no call of server.package"


def queued(**changes: Any) -> Callable[[], list[Record]]:
    """Tell a run in which a call is queued that differs from a real one."""
    _, real = placed(finished_pair(), ev.CallQueued)[0]
    return lambda: with_last(real._replace(**{"call": STRANGER, **changes}))


@pytest.mark.parametrize(
    ("records", "words"),
    [
        (queued(call=Handle("client", "call", 1)), "client.call1 was queued before"),
        (queued(call=Handle("client", "cred", 7)), "is not the name of a call of client"),
        (queued(call=Handle("server", "call", 77)), "is not the name of a call of client"),
        (queued(function=Function.SspiCreateAsyncContext), "SspiCreateAsyncContext queues no call"),
        (queued(async_context=Handle("client", "ac", 9)), "client.ac9 was never created"),
    ],
)
def test_a_call_that_cannot_have_been_queued_is_named(records: Callable[[], list[Record]], words: str):
    assert words in reason(records()).reason


def test_a_call_completes_once_and_with_the_descriptors_it_was_queued_with():
    records = finished_pair()
    place, done = next((r, e) for r, e in placed(records, ev.CallCompleted) if e.output)
    again = with_last(done, "client.package")
    assert reason(again).reason == f"{done.call} completed before"
    fewer = [one._replace(event=done._replace(output=())) if one is place else one for one in records]
    assert "other descriptors" in reason(fewer).reason


def test_only_an_endpoint_does_what_endpoints_do():
    assert "neither the client nor the server" in reason(with_last(ev.NoteMade("x"), "wire")).reason


def test_a_handle_that_names_nothing_is_for_the_rules_to_judge():
    nobody = Handle("nobody", "ac", 9)
    records = with_last(ev.CallRefused(Function.SspiAcquireCredentialsHandleAsync, nobody, OK))
    check(records)


@pytest.mark.parametrize(
    "record",
    [
        Record(1, 1 << 64, 0, "client", 0, ev.NoteMade("x")),
        Record(1, 0, -(1 << 70), "client", 0, ev.NoteMade("x")),
        Record(1, 0, 0, "cli\x1bent", 0, ev.NoteMade("x")),
        Record(1, 0, 0, "client", 0, ev.AsyncContextFreed(Handle("\x1b[31m", "ac", 1))),
        Record(1, 0, 0, "client", 0, ev.AttributeQueried(None, 1, OK, {"a": ((1 << 80),)})),
    ],
)
def test_numbers_beyond_64_bits_and_unprintable_names_are_refused(record: Record):
    with pytest.raises(IncoherentError) as caught:
        check_values([record])
    assert caught.value.record == 1
