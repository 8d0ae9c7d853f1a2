"""From the steps of a program to a driver: the same kind of thing as the shipped drivers, an act at a time.

Each step is first put on record, in its own words, so that what it led to can be found from the records alone. The
steps of async contexts are performed here, for a callback is a program again; `perform_*.py` have the others.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sspicli.runtime.call_names import CallPattern
from sspicli.scenario import steps as st
from sspicli.scenario.memory import Memory, Perform, Scope
from sspicli.scenario.perform_calls import PERFORM_CALLS
from sspicli.scenario.perform_data import PERFORM_DATA
from sspicli.scenario.perform_order import PERFORM_ORDER
from sspicli.scenario.step import Step, verb_field
from sspicli.scenario.words import Part
from sspicli.session.actions import (
    AsyncContextRequiresNotify,
    CreateAsyncContext,
    Driver,
    FreeAsyncContext,
    GetAsyncCallStatus,
    Raise,
    ReinitAsyncContext,
    SetAsyncNotifyCallback,
    StandBy,
    TakeStep,
    do,
)
from sspicli.session.drivers import OK
from sspicli.sspi.handles import Handle


def program(steps: list[Step], memory: Memory, ident: str, this: Handle | None = None) -> Driver:
    """Perform steps in their order; the id of each is `ident` and its number, from 1."""
    scope = Scope(memory, this)
    for number, step in enumerate(steps, 1):
        yield from take(step, scope, f"{ident}.{number}")


def take(step: Step, scope: Scope, ident: str) -> Driver:
    """Put a step on record, and perform it; one that yields is not begun before its turn."""
    if step.yields:
        yield StandBy()
    yield TakeStep(ident, words(step))
    perform: Callable[[Scope, Any, str], Driver] = _PERFORM[type(step)]
    yield from perform(scope, step, ident)


def words(step: Step) -> str:
    """Write a step as a line: its verb, and its arguments as they were given."""
    name, _ = verb_field(type(step))
    value = getattr(step, name)
    if isinstance(value, Part):
        given = value.model_dump(exclude_unset=True, by_alias=True, mode="python", exclude={"do"})
        arguments = " ".join(f"{key}={_word(one)}" for key, one in given.items())
    else:
        arguments = _word(value)
    return f"{step.verb} {arguments}".rstrip()


def _word(value: object) -> str:
    if isinstance(value, bytes):
        return value.hex() or '""'
    if isinstance(value, CallPattern):
        return value.text
    if isinstance(value, dict):
        return "{" + " ".join(f"{key}={_word(one)}" for key, one in value.items() if one is not None) + "}"
    if isinstance(value, list):
        return ",".join(map(_word, value)) or "[]"
    if value is None:
        return "null"
    return getattr(value, "name", str(value).lower() if isinstance(value, bool) else str(value))


# -- async contexts ----------------------------------------------------------------------------------------------------
def _create(scope: Scope, step: st.Create, ident: str) -> Driver:
    scope.memory.signals.pop(step.create, None)
    scope.memory.async_contexts[step.create] = yield from do(CreateAsyncContext())


def _set_callback(scope: Scope, step: st.SetCallback, ident: str) -> Driver:
    given = step.set_callback
    arguments = st.SetCallback.Arguments.model_validate({"async-context": given}) if isinstance(given, str) else given
    handle = scope.async_context(arguments.async_context)
    body = None if arguments.do is None else _callback(scope, arguments.do, arguments.async_context or "", ident)
    yield SetAsyncNotifyCallback(handle, body, arguments.data)


def _callback(scope: Scope, steps: list[Step], name: str, ident: str) -> Callable[[Handle, object], Driver]:
    """Make a notify callback of steps; when they are done it tells whoever waits for the async context."""
    memory = scope.memory
    waited = (
        name if name != "this" else next((key for key, one in memory.async_contexts.items() if one == scope.this), "")
    )

    def body(handle: Handle, data: object) -> Driver:
        yield from program(steps, memory, f"{ident}.do", handle)
        yield Raise(memory.signal(waited), OK)

    return body


def _requires_notify(scope: Scope, step: st.RequiresNotify, ident: str) -> Driver:
    yield AsyncContextRequiresNotify(scope.async_context(step.requires_notify))


def _get_status(scope: Scope, step: st.GetStatus, ident: str) -> Driver:
    yield GetAsyncCallStatus(scope.async_context(step.get_status))


def _reinit(scope: Scope, step: st.Reinit, ident: str) -> Driver:
    yield ReinitAsyncContext(scope.async_context(step.reinit))


def _free_async(scope: Scope, step: st.FreeAsync, ident: str) -> Driver:
    yield FreeAsyncContext(scope.async_context(step.free_async_context))


_PERFORM: dict[type[Step], Perform] = {
    st.Create: _create,
    st.SetCallback: _set_callback,
    st.RequiresNotify: _requires_notify,
    st.GetStatus: _get_status,
    st.Reinit: _reinit,
    st.FreeAsync: _free_async,
    **PERFORM_CALLS,
    **PERFORM_DATA,
    **PERFORM_ORDER,
}
"""How each step is performed; a test holds this table against the list of steps."""
