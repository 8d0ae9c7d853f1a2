"""A run that is ended from outside leaves no security context behind, except where a call may still be using it."""

from __future__ import annotations

import pytest

from sspicli.analysis.rules import judge
from sspicli.journal import events as ev
from sspicli.journal.journal import Journal, Record
from sspicli.session.session import Session
from sspicli.sspi.handles import Handle
from tests.pairs import SwallowingDispatcher, scripted_pair


def halted_at(count: int, reason: str, journal: Journal, session: Session) -> list[ev.Event]:
    """Run, and end it after so many records."""

    def watch(record: Record) -> None:
        if record.sequence == count:
            session.halt(reason)

    journal.subscribe(watch)
    assert session.run() == reason
    return [record.event for record in journal.records]


def alive(events: list[ev.Event]) -> set[Handle]:
    opened = {one.security_context for one in events if isinstance(one, ev.SecurityContextOpened)}
    return opened - {one.security_context for one in events if isinstance(one, ev.SecurityContextDeleted)}


@pytest.mark.parametrize("reason", ["interrupted", "terminated"])
@pytest.mark.parametrize("count", range(1, 90, 4))
def test_no_security_context_is_left_that_no_call_uses(count: int, reason: str):
    journal, session = scripted_pair()
    events = halted_at(count, reason, journal, session)
    pending = {name for name in ("client", "server") if is_pending(events, name)}
    assert {handle.actor for handle in alive(events)} <= pending
    assert isinstance(events[-1], ev.RunEnded)
    assert judge(journal.records) == ()


def is_pending(events: list[ev.Event], name: str) -> bool:
    queued = {one.call for one in events if isinstance(one, ev.CallQueued) and one.call.actor == name}
    return bool(queued - {one.call for one in events if isinstance(one, ev.CallCompleted)})


def test_a_security_context_that_a_pending_call_uses_is_left_alone():
    journal, session = scripted_pair()

    def watch(record: Record) -> None:
        event = record.event
        if isinstance(event, ev.CallQueued) and event.call.actor == "client" and event.security_context is not None:
            session.halt("interrupted")

    journal.subscribe(watch)
    assert session.run() == "interrupted"
    left = alive([record.event for record in journal.records])
    assert {str(handle) for handle in left} == {"client.ctxt1"}


def test_a_run_that_is_stuck_hides_no_leak():
    journal, session = scripted_pair(dispatcher=SwallowingDispatcher(lambda call: str(call.handle) == "client.call2"))
    assert session.run() == "stuck"
    deletes = [one for one in journal.records if isinstance(one.event, ev.SecurityContextDeleted)]
    assert deletes == []
