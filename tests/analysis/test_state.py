"""The present state: at every record the same as the report and the law would say, and nothing from elsewhere."""

from __future__ import annotations

from typing import Any

import pytest

from sspicli.analysis.report import report
from sspicli.analysis.state import State
from sspicli.journal import events as ev
from sspicli.journal.journal import Record
from sspicli.sspi.handles import Handle
from sspicli.sspi.lifecycle import Phase
from sspicli.sspi.status import SecurityStatus
from tests.handshakes import records_of

KINDS: dict[str, dict[str, Any]] = {
    "plain": {},
    "tls12": {"tls": "1.2"},
    "mutual": {"server": ("request-cert=require",), "client": ("cert=valid",)},
    "expired": {"server": ("cert=expired",)},
    "resumed": {"client": ("resume=ticket",)},
    "messages": {"messages": 3},
    "polled": {"mode": "poll"},
    "any order": {"completion": "random", "order": "seed", "seed": 3},
    "failing": {"fault": ("client.init#2=fail",)},
    "threads": {"workers": 2},
}


def state_of(records: list[Record]) -> State:
    state = State()
    for record in records:
        state.see(record)
    return state


def until(records: list[Record], kind: type, nth: int = 1) -> list[Record]:
    """Give the records up to and with the n-th of a kind."""
    found = [record.sequence for record in records if isinstance(record.event, kind)]
    return records[: found[nth - 1]]


@pytest.mark.parametrize("kind", KINDS)
def test_at_the_end_calls_and_legs_are_those_of_the_report(kind: str):
    records = records_of(**KINDS[kind])
    state, result = State(), report(records)
    for record in records:
        state.see(record)
        assert state.legs is not None  # tokens are read as they come, with the secrets that are known by then
    if result.handshake == state.handshake:
        assert state.calls == result.calls
        assert state.legs == result.legs
    assert state.reason == result.reason
    assert state.pending == {}
    assert state.under_way == {} or kind in ("expired", "failing")


def test_a_pending_call_is_there_from_its_queueing_to_its_completion():
    records = records_of()
    queued = state_of(until(records, ev.CallQueued, 3))
    (call,) = [one for one in queued.pending.values() if one.endpoint == "client"]
    assert call.function.documented_name == "SspiInitializeSecurityContextAsync"
    assert queued.leg_call is call
    completed = state_of(until(records, ev.CallCompleted, 3))
    assert call.handle not in completed.pending


@pytest.mark.parametrize(
    ("kind", "phase", "is_due"),
    [
        (ev.AsyncContextCreated, Phase.IDLE, False),
        (ev.CallQueued, Phase.PENDING, True),
        (ev.CallCompleted, Phase.COMPLETE, True),
        (ev.CallbackEntered, Phase.NOTIFYING, False),
        (ev.AsyncContextReinitialized, Phase.IDLE, False),
    ],
)
def test_an_async_context_is_in_the_phase_that_the_law_says(kind: type, phase: Phase, is_due: bool):
    side = state_of(until(records_of(), kind)).sides["client"]
    assert side.shown is not None
    assert (side.shown.phase, side.shown.is_notification_due) == (phase, is_due)
    assert side.living == 1


def test_at_the_end_every_handle_is_gone():
    for side in state_of(records_of()).sides.values():
        assert side.shown is not None
        assert (side.shown.phase, side.living) == (Phase.FREED, 0)
        assert (side.credential, side.security_context) == (None, None)


def test_what_a_side_waits_for_follows_from_whose_leg_comes_next():
    records = records_of()
    assert state_of(until(records, ev.HandshakeBegan, 2)).awaited("server") == "waits for leg 1"
    sent = state_of(until(records, ev.TokenSent))
    assert (sent.awaited("server"), sent.awaited("client")) == ("leg 1 is on its way", "waits for leg 2")
    assert state_of(until(records, ev.CallQueued, 4)).awaited("server") == ""
    assert state_of(records).awaited("client") == ""


def test_a_hanging_call_is_still_pending_at_the_end_with_the_fault_that_made_it_so():
    state = state_of(records_of(fault=("server.accept=hang",)))
    (call,) = state.pending.values()
    assert state.call_faults[str(call.handle)].kind == "hang"
    assert call.status == SecurityStatus.SEC_I_ASYNC_CALL_PENDING
    assert state.reason == "stuck"
    assert state.awaited("client") == "waits for bytes from its peer"


def test_a_broken_rule_is_there_as_soon_as_it_is_broken():
    records = records_of()
    async_context = Handle("client", "ac", 1)
    broken = [*until(records, ev.CallQueued), Record(5, 0, 0, "client", 0, ev.AsyncContextFreed(async_context))]
    assert [finding.rule.code for finding in state_of(broken).findings] == ["A004"]


def test_time_is_virtual_when_stepped_and_measured_on_worker_threads():
    stepped, threads = records_of(), records_of(workers=1)
    assert state_of(stepped).seconds_at(stepped[-1]) == stepped[-1].ticks / 1e6
    assert state_of(threads).seconds_at(threads[-1]) == threads[-1].nanoseconds / 1e9
