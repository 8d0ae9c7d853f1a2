"""What the steps of programs expect, held against what each of them led to, every time that it was taken.

The rule guarded here: a step that expects something must have been reached, and one that acts on something must have
found it; what it led to is told by the records alone (`story.py`).
"""

from __future__ import annotations

from sspicli.analysis.calls import Call, Refusal
from sspicli.journal import events as ev
from sspicli.journal.journal import Record
from sspicli.scenario import call_steps, data_steps, order_steps
from sspicli.scenario import steps as st
from sspicli.scenario.checks import walk
from sspicli.scenario.expect import Checker
from sspicli.scenario.expect_calls import hold_buffers, hold_call
from sspicli.scenario.problems import Loc
from sspicli.scenario.shapes import CallExpected, QueryExpected
from sspicli.scenario.step import Step
from sspicli.scenario.story import Execution, step_id
from sspicli.scenario.values import NOTHING, same, spelled
from sspicli.sspi.handles import Handle

_SYNCHRONOUS: dict[type[Step], type] = {  # encrypt asks for the stream sizes first
    data_steps.Query: ev.AttributeQueried,
    data_steps.Encrypt: ev.MessageEncrypted,
    data_steps.Decrypt: ev.MessageDecrypted,
}


def hold_programs(checker: Checker) -> None:
    """Hold what the steps of programs expect, each time that they were taken."""
    calls = {call.handle: call for call in checker.calls() if isinstance(call, Call)}
    for program, steps in checker.case.scenario.programs.items():
        for path, step in walk(steps, ("programs", program)):
            name = step_id(path)
            taken = checker.story.executions.get(name, [])
            if not taken and _expects(step):
                checker.hold(name, path, "this step", "it was never reached", holds=False)
                break
            for execution in taken:
                _step(checker, step, path, name, execution, calls)


def _step(checker: Checker, step: Step, path: Loc, name: str, execution: Execution, calls: dict[Handle, Call]) -> None:
    if isinstance(step, order_steps.Check):
        _check(checker, step, path, name, execution)
        return
    _found_its_object(checker, step, path, name, execution)
    expected = getattr(step, "expect", None)
    if expected is None:
        return
    here = (*path, "expect")
    if isinstance(expected, CallExpected):
        _queued(checker, name, here, expected, execution, calls)
    elif isinstance(expected, QueryExpected):
        _synchronous(checker, name, here, expected, execution.find(_SYNCHRONOUS[type(step)]))
    else:
        got, at = _result(step, execution)
        checker.hold(name, here, expected, got, records=at)


def _expects(step: Step) -> bool:
    return isinstance(step, order_steps.Check) or getattr(step, "expect", None) is not None


def _found_its_object(checker: Checker, step: Step, path: Loc, name: str, execution: Execution) -> None:
    """Hold that a step which acts on calls, buffers or legs found what it names: it is there to do something."""
    missed = _missed(checker, step, execution)
    missed = "" if missed and _is_meant(checker, path) else missed
    if missed or isinstance(step, order_steps.Hold | order_steps.Release | order_steps.Complete | data_steps.Touch):
        at = (execution.sequence,)
        checker.hold(name, (*path, step.verb), "something to do", missed, holds=not missed, records=at)


def _is_meant(checker: Checker, path: Loc) -> bool:
    """Say whether a step, or the one whose callback it stands in, is deliberate."""
    steps = checker.case.scenario.programs[str(path[1])]
    return any(step.deliberate for at, step in walk(steps, path[:2]) if path[: len(at)] == at)


def _missed(checker: Checker, step: Step, execution: Execution) -> str:
    """Say what a step looked for in vain; its note begins with its verb, and no other step's does."""
    if isinstance(step, order_steps.Hold):
        pattern = step.hold.text
        events = [one.event for one in checker.records if one.sequence > execution.sequence]
        came = any(isinstance(one, ev.CallHeld) and one.pattern == pattern for one in events)
        is_one = step.hold.nth > 0  # all there may be can also be none
        return f"hold {pattern}: no such call came" if is_one and not came else ""
    if isinstance(step, order_steps.Release | order_steps.Complete) and not getattr(step, step.verb).nth:
        return ""  # all there are can also be none
    texts = [one.event.text for one in execution.led_to if isinstance(one.event, ev.NoteMade)]
    return next((one for one in texts if one.startswith((f"{step.verb} ", f"{step.verb}: "))), "")


def _queued(
    checker: Checker, name: str, path: Loc, expected: CallExpected, execution: Execution, calls: dict[Handle, Call]
) -> None:
    record = execution.find(ev.CallQueued, ev.CallRefused)
    event = None if record is None else record.event
    if isinstance(event, ev.CallQueued) and event.call in calls:
        hold_call(checker, name, path, expected, calls[event.call])
    elif isinstance(event, ev.CallRefused) and record is not None:
        side = record.actor.partition(".")[0]
        hold_call(checker, name, path, expected, Refusal(side, event.function, event.queue_status, record.sequence, 0))
    else:
        broken = execution.find(ev.ContractBroken)
        got = "it broke the contract" if broken else NOTHING
        checker.hold(name, path, "a call", got, holds=False, records=() if broken is None else (broken.sequence,))


def _synchronous(checker: Checker, name: str, path: Loc, expected: QueryExpected, record: Record | None) -> None:
    if record is None:
        checker.hold(name, path, "a call", NOTHING, holds=False)
        return
    event, at = record.event, (record.sequence,)
    if expected.status is not None:
        checker.hold(name, (*path, "status"), expected.status, event.status, records=at)  # type: ignore[union-attr]
    fields = event.fields if isinstance(event, ev.AttributeQueried) else {}
    for key, value in (expected.fields or {}).items():
        got = fields.get(key, NOTHING)
        checker.hold(name, (*path, "fields", key), value, spelled(got), holds=same(value, got), records=at)
    after = () if isinstance(event, ev.AttributeQueried) else event.after  # type: ignore[union-attr]
    hold_buffers(checker, name, (*path, "buffers"), expected.buffers, after, at)


def _result(step: Step, execution: Execution) -> tuple[object, tuple[int, ...]]:
    """Give what a step's one function returned, and the records that show it."""
    kinds: dict[type, tuple[type, str]] = {
        st.GetStatus: (ev.CallStatusQueried, "status"),
        st.Reinit: (ev.AsyncContextReinitialized, "status"),
        st.SetCallback: (ev.NotifyCallbackSet, "status"),
        st.RequiresNotify: (ev.NotifyRequirementQueried, "requires_notify"),
        st.Create: (ev.AsyncContextCreated, "async_context"),
        call_steps.Poll: (ev.CallStatusQueried, "status"),
        call_steps.Handshake: (ev.CallCompleted, "status"),
    }
    kind, member = kinds[type(step)]
    found = [record for record in execution.led_to if isinstance(record.event, kind)]
    if not found:
        broken = execution.find(ev.ContractBroken)
        return ("it broke the contract", (broken.sequence,)) if broken else (NOTHING, ())
    last = found[-1]
    got = getattr(last.event, member)
    if isinstance(step, st.Create):
        got = "null" if got is None else "handle"
    return got, (last.sequence,)


def _check(checker: Checker, step: order_steps.Check, path: Loc, name: str, execution: Execution) -> None:
    here, side, at = (*path, "check"), execution.actor.partition(".")[0], (execution.sequence,)
    for variable, phase in step.check.phase.items():
        handle = _handle_of(checker, side, variable, execution.sequence)
        got = NOTHING if handle is None else checker.story.phase(handle, execution.sequence)
        holds = got.partition(",")[0] == phase.partition(",")[0]
        checker.hold(name, (*here, "phase", variable), phase, got, holds=holds, records=at)
    before = [one for one in checker.story.before(execution.sequence) if one.actor.partition(".")[0] == side]
    entered = sum(isinstance(one.event, ev.CallbackEntered) for one in before)
    queued = sum(isinstance(one.event, ev.CallQueued) for one in before)
    done = sum(isinstance(one.event, ev.CallCompleted) for one in before)
    for key, got_count in (("callbacks", entered), ("pending", queued - done)):
        wanted = getattr(step.check, key)
        if wanted is not None:
            checker.hold(name, (*here, key), wanted, got_count, records=at)


def _handle_of(checker: Checker, side: str, variable: str, sequence: int) -> Handle | None:
    """Find the async context that a variable held: the last that a step had made into it."""
    found = None
    for program, steps in checker.case.scenario.programs.items():
        if program.partition(".")[0] != side:
            continue
        for path, step in walk(steps, ("programs", program)):
            if isinstance(step, st.Create) and step.create == variable:
                for execution in checker.story.executions.get(step_id(path), []):
                    record = execution.find(ev.AsyncContextCreated)
                    if record is not None and record.sequence < sequence:
                        found = record.event.async_context  # type: ignore[union-attr]
    return found
