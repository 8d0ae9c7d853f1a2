"""How the steps about time and order are performed: holds, signals, sleep, locks, and what ends a callback early."""

from __future__ import annotations

from sspicli.scenario import order_steps as st
from sspicli.scenario.memory import Perform, Scope
from sspicli.scenario.step import Step
from sspicli.session.actions import (
    Complete,
    Driver,
    EndCallbackData,
    Hold,
    Note,
    Raise,
    Release,
    ReleaseLock,
    Sleep,
    TakeLock,
    wait,
)
from sspicli.session.drivers import OK


def _hold(scope: Scope, step: st.Hold, ident: str) -> Driver:
    yield Hold(step.hold)


def _release(scope: Scope, step: st.Release, ident: str) -> Driver:
    yield Release(step.release)


def _complete(scope: Scope, step: st.Complete, ident: str) -> Driver:
    yield Complete(step.complete)


def _sleep(scope: Scope, step: st.Sleep, ident: str) -> Driver:
    yield Sleep(step.sleep)


def _signal(scope: Scope, step: st.Signal, ident: str) -> Driver:
    yield Raise(scope.memory.own_signal(step.signal), OK)


def _await(scope: Scope, step: st.Await, ident: str) -> Driver:
    yield from wait(scope.memory.own_signal(step.await_))


def _end_data(scope: Scope, step: st.EndData, ident: str) -> Driver:
    yield EndCallbackData(scope.async_context(step.end_data.async_context), step.end_data.name)


def _lock(scope: Scope, step: st.Lock, ident: str) -> Driver:
    yield TakeLock(step.lock)


def _unlock(scope: Scope, step: st.Unlock, ident: str) -> Driver:
    yield ReleaseLock(step.unlock)


class CallbackError(Exception):
    """What `throw` lets out of a notify callback."""


def _throw(scope: Scope, step: st.Throw, ident: str) -> Driver:
    yield from ()
    raise CallbackError(step.throw)


def _note(scope: Scope, step: st.Note, ident: str) -> Driver:
    yield Note(step.note)


def _nothing(scope: Scope, step: Step, ident: str) -> Driver:
    yield from ()


PERFORM_ORDER: dict[type[Step], Perform] = {
    st.EndData: _end_data,
    st.Lock: _lock,
    st.Unlock: _unlock,
    st.Hold: _hold,
    st.Release: _release,
    st.Complete: _complete,
    st.Sleep: _sleep,
    st.Signal: _signal,
    st.Await: _await,
    st.Throw: _throw,
    st.Note: _note,
    st.Check: _nothing,
}
"""How each step about time and order is performed; a check is only held against the records, afterwards."""
