"""What is looked at: folded record by record, it says what a fold of all the records at once says."""

from __future__ import annotations

import pytest

from sspicli.analysis.exchange import open_recording
from sspicli.analysis.report import report
from sspicli.analysis.rules import judge
from sspicli.debugger.beginning import Options, of_options
from sspicli.debugger.live import Live
from sspicli.debugger.view import View
from sspicli.journal import events as ev
from sspicli.journal.journal import Record
from tests.handshakes import CLOCK

SESSIONS = {
    "ok": Options(clock=CLOCK, messages=3),
    "failed": Options(clock=CLOCK, server=("cert=expired",)),
    "refused": Options(clock=CLOCK, fault=("server.accept#1=refuse:SEC_E_INSUFFICIENT_MEMORY",)),
    "stuck": Options(clock=CLOCK, fault=("server.accept#1=hang",)),
    "tampered": Options(clock=CLOCK, fault=("leg1=tamper:ClientHello.random:01",)),
    "long": Options(clock=CLOCK, messages=100),
    "1.2": Options(clock=CLOCK, tls="1.2", messages=2),
}


@pytest.fixture(params=list(SESSIONS.values()), ids=list(SESSIONS))
def session(request: pytest.FixtureRequest) -> Live:
    """Give a session that nothing can happen in any more."""
    live = Live(of_options(request.param))
    while live.enabled():
        live.fire()
    return live


def with_end(records: list[Record], ended: ev.RunEnded) -> list[Record]:
    last = records[-1]
    return [*records, Record(last.sequence + 1, last.ticks, last.nanoseconds, "session", 0, ended)]


def test_what_a_session_comes_to_is_what_its_records_come_to(session: Live):
    view, ended = View(session.records), session.ending()
    assert view.report(ended) == report(with_end(session.records, ended))


def test_asking_what_it_comes_to_at_every_record_changes_no_answer(session: Live):
    asked, asked_once = View(), View(session.records)
    for record in session.records:
        asked.see(record)
        asked.report(session.ending())
    assert asked.report(session.ending()) == asked_once.report(session.ending())
    assert asked.findings == asked_once.findings
    assert asked.final_findings() == judge(session.records)


def test_a_leg_is_opened_as_a_recording_opens_it(session: Live):
    view = View(session.records)
    opened = {one.token.leg: one for one in open_recording(session.records) if one.token.leg}
    assert opened.keys() == {leg.number for leg in view.state.legs}
    assert {number: view.opened_leg(number) for number in opened} == opened


def test_a_leg_is_opened_when_it_comes_as_it_is_later(session: Live):
    view, early = View(), {}
    for record in session.records:
        view.see(record)
        if isinstance(record.event, ev.TokenSent) and record.event.leg:
            early[record.event.leg] = view.opened_leg(record.event.leg)
    parts = {number: one.parts for number, one in early.items() if one is not None}
    late = [view.opened_leg(number) for number in early]
    assert parts == {one.token.leg: one.parts for one in late if one is not None}
