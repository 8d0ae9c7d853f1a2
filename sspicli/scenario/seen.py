"""The legs and steps of a case with what was seen of each: what `replay -v` shows of a case that is bad.

The rule guarded here: everything is read from the records of the run; what it did not come to says so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from sspicli.analysis.cases import StepSeen
from sspicli.journal import events as ev
from sspicli.scenario.checks import walk
from sspicli.scenario.expect import Checker
from sspicli.scenario.model import LegCheck
from sspicli.scenario.story import Execution, step_id


def steps_seen(checker: Checker) -> tuple[StepSeen, ...]:
    """List the legs of a run, then the steps of its programs."""
    unmet = Counter(one.step for one in checker.unmet)
    found = (*_legs(checker), *_steps(checker))
    return tuple(one._replace(expectations=checker.tested[one.id], unmet=unmet[one.id]) for one in found)


def _legs(checker: Checker) -> Iterator[StepSeen]:
    legs = {f"leg {leg.number}": leg for leg in checker.report.legs}
    for name, leg in legs.items():
        messages = ", ".join(one.name for one in leg.messages)
        yield StepSeen(name, f"{leg.sender}, {len(leg.data):,} B" + (f": {messages}" if messages else ""))
    named = [f"leg {one.leg}" for one in checker.case.scenario.steps if isinstance(one, LegCheck)]
    for name in dict.fromkeys(named):
        if name not in legs:
            yield StepSeen(name, is_reached=False)


def _steps(checker: Checker) -> Iterator[StepSeen]:
    for program, steps in checker.case.scenario.programs.items():
        for path, _ in walk(steps, ("programs", program)):
            name = step_id(path)
            taken = checker.story.executions.get(name, [])
            yield StepSeen(name, _told(checker, taken[-1], len(taken)) if taken else "", is_reached=bool(taken))


def _told(checker: Checker, execution: Execution, times: int) -> str:
    """Write a step as it stands on record, with the statuses that came of it; of several times the last."""
    event = checker.records[execution.sequence - 1].event
    words = event.words if isinstance(event, ev.ActionTaken) else ""
    statuses = [_status(record.event) for record in execution.led_to]
    came = ", ".join(one for one in statuses if one)
    return words + (f": {came}" if came else "") + (f" ({times} times)" if times > 1 else "")


def _status(event: ev.Event) -> str:
    if isinstance(event, ev.CallCompleted):
        return event.status.name
    return f"refused, {event.queue_status.name}" if isinstance(event, ev.CallRefused) else ""
