"""Make the system under a driver misbehave, on the record: refusals, failures, delays, calls that never complete.

A fault befalls the n-th use of a function by an endpoint. Each act is a `FaultInjected` record, so a finding about
what follows can be told from a bug. Faults wrap the dispatcher; no engine knows of them. What befalls tokens is in
`wire_faults.py`, and how faults are written in `fault_words.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from sspicli.journal import events as ev
from sspicli.journal.journal import Journal
from sspicli.runtime.call_names import QUEUEING_WORDS
from sspicli.runtime.calls import CallResult, PendingCall
from sspicli.runtime.dispatch import Dispatcher
from sspicli.sspi.functions import Function
from sspicli.sspi.package import Evidence, Source
from sspicli.sspi.status import SecurityStatus

FUNCTIONS = {"create": Function.SspiCreateAsyncContext, **QUEUEING_WORDS}
"""What a fault calls the functions whose uses it counts."""


class FaultKind(StrEnum):
    """What a fault does: create returns NULL, queueing fails, the call fails, completes late, or never."""

    NULL = "null"
    REFUSE = "refuse"
    FAIL = "fail"
    DELAY = "delay"
    HANG = "hang"


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: what befalls use number `nth` (from 1) of `function` by `actor`.

    `status` is that of a refusal or failure; `ticks` the delay in microseconds of virtual time; `text` how it was
    written.
    """

    kind: FaultKind
    actor: str
    function: Function
    nth: int = 1
    status: SecurityStatus = SecurityStatus.SEC_E_INSUFFICIENT_MEMORY
    ticks: int = 0
    text: str = ""


def _at_once(ticks: int, act: Callable[[], None]) -> None:
    """Stand in for a session's `later` until there is a session."""
    assert ticks >= 0, "time does not run backwards"
    act()


class FaultyDispatcher:
    """A dispatcher that lets the faults of a plan happen to what passes through it.

    `later` is given by who builds the session: it enables an act after so many ticks.
    """

    def __init__(self, inner: Dispatcher, faults: Sequence[Fault], journal: Journal) -> None:
        self.completions = inner.completions
        self.later: Callable[[int, Callable[[], None]], None] = _at_once
        self._inner = inner
        self._faults = list(faults)
        self._journal = journal
        self._counts: dict[tuple[str, Function], int] = {}

    @property
    def outstanding(self) -> int:
        """Count what the wrapped dispatcher is working on."""
        return self._inner.outstanding

    def add(self, fault: Fault) -> None:
        """Put one more fault into the plan; a use that was made already it cannot befall."""
        self._faults.append(fault)

    def uses(self, fault: Fault) -> int:
        """Count how often the function that a fault names has been used so far."""
        return self._counts.get((fault.actor, fault.function), 0)

    def admit(self, function: Function, actor: str) -> SecurityStatus | None:
        """Refuse what the plan refuses."""
        key = actor, function
        self._counts[key] = self._counts.get(key, 0) + 1
        fault = self._find(actor, function)
        if fault is not None and fault.kind in (FaultKind.NULL, FaultKind.REFUSE):
            self._record(fault, f"{actor} {function.documented_name}", fault.status.name)
            return fault.status
        return self._inner.admit(function, actor)

    def submit(self, call: PendingCall) -> None:
        """Take a call, with what the plan does to it."""
        fault = self._find(call.handle.actor, call.function)
        if fault is None:
            self._inner.submit(call)
            return
        match fault.kind:
            case FaultKind.HANG:
                self._record(fault, str(call.handle), "its completion never comes")
            case FaultKind.DELAY:
                self._record(fault, str(call.handle), f"{fault.ticks} ticks")
                self.later(fault.ticks, lambda: self._inner.submit(call))
            case _:
                self._record(fault, str(call.handle), fault.status.name)
                evidence = Evidence("", Source.INFERRED, detail="the fault plan made this call fail")
                call.result = CallResult(fault.status, evidence=evidence)
                self._inner.submit(call)

    def _find(self, actor: str, function: Function) -> Fault | None:
        nth = self._counts.get((actor, function), 0)
        for fault in self._faults:
            if (fault.actor, fault.function, fault.nth) == (actor, function, nth):
                return fault
        return None

    def _record(self, fault: Fault, subject: str, detail: str) -> None:
        self._journal.append("fault plan", ev.FaultInjected(fault.kind.value, subject, detail, fault.text), 0)
