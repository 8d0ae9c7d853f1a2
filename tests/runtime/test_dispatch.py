"""The stepped dispatcher: completions become possible at queueing, in order, and happen when they are chosen."""

from __future__ import annotations

from collections.abc import Sequence

from sspicli.journal.events import CallbackEntered, CallCompleted, CallQueued, QueueingReturned
from sspicli.packages.scripted import ScriptedPackage
from sspicli.runtime.chooser import Completion, Kind, Order, Policy, Transition
from sspicli.runtime.dispatch import SteppedDispatcher
from sspicli.sspi.functions import Function
from sspicli.sspi.package import AcquireRequest, AcquireResult
from tests.pairs import PACKAGE, Bench, events, finished_pair


class CountingPackage(ScriptedPackage):
    """Counts how often it had to work."""

    worked = 0

    def acquire(self, request: AcquireRequest) -> AcquireResult:
        self.worked += 1
        return super().acquire(request)


def test_everything_is_admitted():
    dispatcher = SteppedDispatcher()
    assert {dispatcher.admit(function, "client") for function in Function} == {None}


def test_completions_are_offered_in_the_order_of_queueing():
    bench = Bench()
    for _ in range(3):
        bench.acquire(bench.context())
    assert [call.handle.number for call in bench.dispatcher.completions] == [1, 2, 3]


def test_the_work_is_done_at_the_completion_and_once():
    package = CountingPackage(name=PACKAGE)
    bench = Bench(package=package)
    bench.acquire(bench.context())
    assert package.worked == 0
    bench.settle()
    assert package.worked == 1


def test_work_that_was_done_before_is_not_done_again():
    package = CountingPackage(name=PACKAGE)
    bench = Bench(package=package)
    bench.acquire(bench.context())
    bench.dispatcher.completions[0].compute()
    bench.settle()
    assert package.worked == 1


def test_a_callback_may_run_before_the_queueing_function_has_returned():
    records = finished_pair(chooser=Policy(Completion.INLINE, Order.FIFO, 0))
    call = events(records, CallbackEntered)[0].call
    order = [type(record.event) for record in records if getattr(record.event, "call", None) == call]
    assert order.index(CallCompleted) < order.index(CallbackEntered) < order.index(QueueingReturned)


class Watching:
    """Take the last option, and keep what was offered."""

    def __init__(self) -> None:
        self.offered: list[list[Transition]] = []

    def choose(self, options: Sequence[Transition]) -> int:
        self.offered.append(list(options))
        return len(options) - 1


def test_a_session_offers_what_is_ready_before_what_may_complete_in_the_order_of_queueing():
    chooser = Watching()
    records = finished_pair(chooser=chooser)
    queued = [event.call for event in events(records, CallQueued)]
    assert any(option.kind is Kind.COMPLETE for options in chooser.offered for option in options)
    for options in chooser.offered:
        kinds = [option.kind for option in options]
        pending = [option.call.handle for option in options if option.kind is Kind.COMPLETE and option.call is not None]
        assert kinds[len(kinds) - len(pending) :] == [Kind.COMPLETE] * len(pending)
        assert pending == sorted(pending, key=queued.index)


def test_a_chooser_is_asked_only_where_there_is_a_choice():
    chooser = Watching()
    finished_pair(chooser=chooser)
    assert min(len(options) for options in chooser.offered) > 1
