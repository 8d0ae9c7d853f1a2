"""What every dispatcher must keep, whenever it makes completions possible; a new one is a line in `DISPATCHERS`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import pytest

from sspicli.journal.events import (
    CallbackEntered,
    CallbackReturned,
    CallCompleted,
    CallQueued,
    QueueingReturned,
    SecurityContextDeleted,
)
from sspicli.journal.journal import Record
from sspicli.packages.scripted import THREE_LEGS, Script, ScriptedLeg
from sspicli.runtime.chooser import Seeded
from sspicli.runtime.dispatch import Dispatcher, SteppedDispatcher
from sspicli.runtime.pool import PoolDispatcher, Workers
from sspicli.session.actions import (
    CreateAsyncContext,
    DeleteSecurityContext,
    Driver,
    GetAsyncCallStatus,
    InitializeSecurityContext,
    Raise,
    ReinitAsyncContext,
    SetAsyncNotifyCallback,
    Signal,
    do,
    wait,
)
from sspicli.session.drivers import Style
from sspicli.session.pooled import PooledRun
from sspicli.session.session import Session
from sspicli.sspi.functions import Function
from sspicli.sspi.handles import Handle
from sspicli.sspi.package import Role
from sspicli.sspi.status import SecurityStatus
from tests.pairs import (
    PACKAGE,
    Bench,
    assert_clean,
    assert_notified_once,
    events,
    finished_pair,
    lone_session,
    outputs,
    scripted_pair,
    timeless,
)
from tests.runtime.test_api import acquiring
from tests.runtime.test_dispatch import CountingPackage


class Case:
    """One dispatcher, and how a session on it is run; subclasses are the implementations."""

    dispatcher: Dispatcher

    def run(self, session: Session) -> str:
        """Run a session on the dispatcher to its end."""
        return session.run()

    def close(self) -> None:
        """Stop what the dispatcher runs on."""


class Stepped(Case):
    """Completions are possible at once."""

    def __init__(self) -> None:
        self.dispatcher = SteppedDispatcher()


class Pooled(Case):
    """Completions are possible once a worker has done the work."""

    def __init__(self) -> None:
        self.workers = Workers(3)
        self.pool = self.dispatcher = PoolDispatcher(self.workers)

    def run(self, session: Session) -> str:
        return PooledRun(session, self.pool, self.workers).result(30)

    def close(self) -> None:
        self.workers.close()


DISPATCHERS: dict[str, type[Case]] = {
    "stepped": Stepped,
    "pool": Pooled,
}
STYLES = [(one, other) for one in (Style.CALLBACK, Style.POLL) for other in (Style.CALLBACK, Style.POLL)]
REFUSED = {
    Role.CLIENT: (
        ScriptedLeg(SecurityStatus.SEC_I_CONTINUE_NEEDED, b"hello", wants_input=False),
        ScriptedLeg(SecurityStatus.SEC_E_ILLEGAL_MESSAGE),
    ),
    Role.SERVER: (ScriptedLeg(SecurityStatus.SEC_E_ALGORITHM_MISMATCH, b"alert"),),
}


@pytest.fixture(params=list(DISPATCHERS.values()), ids=list(DISPATCHERS))
def case(request: pytest.FixtureRequest) -> Iterator[Case]:
    made = request.param()
    yield made
    made.close()


def run_on(case: Case, script: Script = THREE_LEGS, **options: Any) -> list[Record]:
    """Run a correct pair on a dispatcher; its records."""
    journal, session = scripted_pair(script, dispatcher=case.dispatcher, **options)
    case.run(session)
    return journal.records


def histories(records: list[Record]) -> dict[str, list[object]]:
    """Tell each call's own story, whatever went on around it."""
    told: dict[str, list[object]] = defaultdict(list)
    for record in timeless(records):
        event = record.event
        if isinstance(event, (CallQueued, CallCompleted, CallbackEntered, CallbackReturned)):
            told[str(event.call)].append(event)
    return dict(told)


@pytest.mark.parametrize("styles", STYLES, ids=str)
def test_a_correct_pair_finishes_with_no_finding(case, styles):
    assert_clean(run_on(case, styles=styles))


@pytest.mark.parametrize("script", [THREE_LEGS, REFUSED], ids=["agreed", "refused"])
@pytest.mark.parametrize("styles", STYLES, ids=str)
def test_every_call_has_the_same_history_as_under_the_stepped_dispatcher(case, styles, script):
    expected = histories(finished_pair(script, styles=styles))
    assert len(expected) > 5
    assert histories(run_on(case, script, styles=styles)) == expected


@pytest.mark.parametrize("seed", range(10))
def test_every_order_keeps_the_histories(case, seed):
    records = run_on(case, chooser=Seeded(seed))
    assert histories(records) == histories(finished_pair())
    assert_clean(records)


def test_every_queued_call_completes_and_returns_once(case):
    records = run_on(case)
    queued = sorted(event.call for event in events(records, CallQueued))
    assert sorted(event.call for event in events(records, CallCompleted)) == queued
    assert sorted(event.call for event in events(records, QueueingReturned)) == queued
    assert_notified_once(records)


def test_everything_is_admitted(case):
    assert [case.dispatcher.admit(function, "client") for function in Function] == [None] * len(Function)


def test_nothing_is_outstanding_and_nothing_is_left_when_a_run_is_over(case):
    run_on(case)
    assert (case.dispatcher.completions, case.dispatcher.outstanding) == ([], 0)


def test_the_results_belong_to_the_call_until_its_completion_is_chosen(case):
    bench, into = Bench(dispatcher=case.dispatcher), outputs()
    handle = bench.context()
    bench.acquire(handle, into)
    case.close()  # whatever works elsewhere has done its work
    assert into.handle.held == outputs().handle.held
    assert bench.api.get_async_call_status(handle) == SecurityStatus.SEC_I_ASYNC_CALL_PENDING
    assert events(bench.journal.records, CallCompleted) == []


def test_the_work_of_a_call_is_done_once(case):
    package = CountingPackage(name=PACKAGE)
    run_on(case, packages={"client": package})
    assert package.worked == 1


def test_two_deletions_of_one_security_context_delete_it_once(case):
    def program() -> Driver:
        into, handle = outputs(), (yield from do(CreateAsyncContext()))
        yield SetAsyncNotifyCallback(handle, go_on)
        yield acquiring(handle, into)
        yield from wait(signal)
        yield InitializeSecurityContext(
            handle, into.handle, None, None, 0, None, context, None, into.attributes, into.expiry
        )
        yield from wait(signal)
        second = yield from do(CreateAsyncContext())
        yield SetAsyncNotifyCallback(second, go_on)
        yield DeleteSecurityContext(handle, context)
        yield DeleteSecurityContext(second, context)
        statuses.append((yield from wait(signal)))
        statuses.append((yield from wait(signal)))

    def go_on(handle: Handle, data: object) -> Driver:
        status = yield from do(GetAsyncCallStatus(handle))
        yield ReinitAsyncContext(handle)
        yield Raise(signal, status)

    signal, context = Signal("done"), outputs().handle
    statuses: list[SecurityStatus] = []
    journal, session = lone_session(program(), case.dispatcher)
    assert case.run(session) == "finished"
    assert sorted(statuses) == [SecurityStatus.SEC_E_OK, SecurityStatus.SEC_E_INVALID_HANDLE]
    assert len(events(journal.records, SecurityContextDeleted)) == 1
