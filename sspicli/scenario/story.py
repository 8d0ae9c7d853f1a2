"""What each step led to, found again in the records: the reading side of a program.

A step stands on record with its id. What its actor does until its next step belongs to it, and so does what came of
that at the same endpoint: a completion, a callback without steps of its own; not what the peer does with a token. So
the records alone say what step 3 of the server queued, what status it got, and which callback ran for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from sspicli.analysis.rules_async import LifecycleMonitor
from sspicli.journal import events as ev
from sspicli.journal.journal import Record
from sspicli.scenario.problems import Loc
from sspicli.sspi.handles import Handle


def step_id(path: Loc) -> str:
    """Write a step's id from its path: `server.3`, and `server.2.do.1` in a callback; as it stands on record."""
    words = [str(one + 1) if isinstance(one, int) else one for one in path[1:] if one != "set-callback"]
    return ".".join(words)


@dataclass(slots=True)
class Execution:
    """One time that a step was taken: its record, and what it led to before any further step."""

    step: str
    actor: str
    sequence: int
    led_to: list[Record] = field(default_factory=list)

    def find(self, *kinds: type) -> Record | None:
        """Find the first record of these kinds that the step led to."""
        return next((record for record in self.led_to if isinstance(record.event, kinds)), None)


class Story:
    """The executions of a run's steps, in their order."""

    def __init__(self, records: Sequence[Record]) -> None:
        self.records = records
        self.executions: dict[str, list[Execution]] = {}
        roots: dict[int, Execution] = {}
        current: dict[str, Execution] = {}
        for record in records:
            event, actor = record.event, record.actor
            if isinstance(event, ev.ActionTaken):
                made = current[actor] = roots[record.sequence] = Execution(event.step, actor, record.sequence)
                self.executions.setdefault(event.step, []).append(made)
                continue
            if isinstance(event, ev.CallbackEntered):
                current.pop(actor, None)
            root = current.get(actor) or roots.get(record.cause)
            if root is not None and actor.partition(".")[0] == root.actor.partition(".")[0]:
                roots[record.sequence] = root
                root.led_to.append(record)

    def before(self, sequence: int) -> Iterator[Record]:
        """List the records before one."""
        return (record for record in self.records if record.sequence < sequence)

    def phase(self, handle: Handle, sequence: int) -> str:
        """Say in which phase an async context was just before a record."""
        monitor = LifecycleMonitor()
        for record in self.before(sequence):
            monitor.see(record)
        return str(monitor.phase_of(handle))
