"""Make the system under a driver misbehave, on the record: refusals, failures, delays, calls that never complete.

A fault befalls the n-th use of a function by an endpoint. Each act is a `FaultInjected` record, so a finding about
what follows can be told from a bug. Faults wrap the dispatcher; no engine knows of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from sspicli.journal import events as ev
from sspicli.journal.journal import Journal
from sspicli.runtime.calls import CallResult, PendingCall
from sspicli.runtime.dispatch import Dispatcher
from sspicli.sspi.errors import UsageError
from sspicli.sspi.functions import Function
from sspicli.sspi.package import Evidence, Source
from sspicli.sspi.status import SecurityStatus

FUNCTIONS = {
    "create": Function.SspiCreateAsyncContext,
    "acquire": Function.SspiAcquireCredentialsHandleAsync,
    "init": Function.SspiInitializeSecurityContextAsync,
    "accept": Function.SspiAcceptSecurityContextAsync,
    "delete": Function.SspiDeleteSecurityContextAsync,
    "free": Function.SspiFreeCredentialsHandleAsync,
}


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


_FAULT = re.compile(r"(client|server)\.([a-z]+)(?:#(\d{1,6}))?=([a-z]+)(?::(\w{1,64}))?")
FORM = "SIDE.FUNCTION[#N]=KIND[:ARGUMENT], such as server.accept#2=hang or client.init=fail:SEC_E_INTERNAL_ERROR"


def parse_fault(text: str) -> Fault:
    """Read a fault as the command line writes it; raise UsageError for anything else."""
    found = _FAULT.fullmatch(text)
    if found is None:
        raise UsageError(f"{text!r} is not a fault", where="--fault", help=f"write {FORM}")
    actor, function, nth, kind, argument = found.groups()
    _known(function, FUNCTIONS, "function")
    _known(kind, [one.value for one in FaultKind], "kind of fault")
    if (kind == FaultKind.NULL) != (function == "create"):
        raise UsageError("null is the fault of create, and its only one", where="--fault", help="client.create=null")
    fault = Fault(FaultKind(kind), actor, FUNCTIONS[function], int(nth or 1), text=text)
    return _with_argument(fault, argument)


def _known(word: str, known: Sequence[str] | dict[str, Function], what: str) -> None:
    if word not in known:
        from difflib import get_close_matches  # only ever needed for an error

        near = get_close_matches(word, list(known), n=1)
        help = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
        raise UsageError(f"{word!r} is no {what}", where="--fault", help=help)


def _with_argument(fault: Fault, argument: str | None) -> Fault:
    match fault.kind:
        case FaultKind.DELAY:
            if argument is None or not argument.isdecimal() or len(argument) > 12:
                raise UsageError(
                    "delay wants microseconds of virtual time", where="--fault", help="client.init=delay:500"
                )
            return replace(fault, ticks=int(argument))
        case FaultKind.REFUSE | FaultKind.FAIL if argument is not None:
            if argument not in SecurityStatus.__members__:
                raise UsageError(f"{argument!r} is no status", where="--fault", help="write its winerror.h name")
            if SecurityStatus[argument].succeeded:
                raise UsageError(
                    f"{argument} is no error: a call that is refused or fails needs one",
                    where="--fault",
                    help="such as SEC_E_INTERNAL_ERROR",
                )
            return replace(fault, status=SecurityStatus[argument])
        case _ if argument is not None:
            raise UsageError(f"{fault.kind} takes no argument", where="--fault", help=f"write {FORM}")
        case _:
            return fault


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
        self._faults = faults
        self._journal = journal
        self._counts: dict[tuple[str, Function], int] = {}

    @property
    def outstanding(self) -> int:
        """Count what the wrapped dispatcher is working on."""
        return self._inner.outstanding

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
