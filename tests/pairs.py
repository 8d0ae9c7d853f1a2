"""Async SSPI on scripted packages: a pair of endpoints on a wire, one program alone, and one API worked by hand.

No cryptography: every leg comes from a table, so these tests are about the runtime, the session and what reads their
journal.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, TypeVar

from sspicli.analysis.rules import Finding, LifecycleMonitor, judge
from sspicli.journal.events import CallbackEntered, CallCompleted, CallQueued, Event, RunEnded
from sspicli.journal.journal import Journal, Record
from sspicli.packages.scripted import THREE_LEGS, Script, ScriptedPackage
from sspicli.runtime.api import AsyncSspi, no_description, packages_by_name
from sspicli.runtime.calls import HandleVariable, NotifyCallback, OutputSlot, PendingCall
from sspicli.runtime.chooser import Chooser
from sspicli.runtime.dispatch import Dispatcher, SteppedDispatcher
from sspicli.session.actions import Driver
from sspicli.session.drivers import Plan, Style, endpoint_program
from sspicli.session.endpoint import Endpoint
from sspicli.session.session import Session
from sspicli.session.wire import Wire
from sspicli.sspi.buffers import SecBufferDesc
from sspicli.sspi.functions import Function
from sspicli.sspi.handles import Handle
from sspicli.sspi.package import AcquireRequest, AcquireResult, Role, SecurityPackage
from sspicli.sspi.status import SecurityStatus

IS_DEEP = os.environ.get("SSPICLI_DEEP") == "1"
OUTBOUND, INBOUND = 2, 1  # SECPKG_CRED_OUTBOUND, SECPKG_CRED_INBOUND
OK = SecurityStatus.SEC_E_OK
PACKAGE = "Scripted"

E = TypeVar("E")


# -- dispatchers told to misbehave -------------------------------------------------------------------------------------
class RefusingDispatcher(SteppedDispatcher):
    """Refuses what `refuses(function, actor, count)` says; `count` is how often it was asked, this time included."""

    def __init__(self, refuses: Callable[[Function, str, int], bool]) -> None:
        super().__init__()
        self.asked = 0
        self.refused: list[tuple[Function, str]] = []
        self._refuses = refuses

    def admit(self, function: Function, actor: str) -> SecurityStatus | None:
        self.asked += 1
        if not self._refuses(function, actor, self.asked):
            return None
        self.refused.append((function, actor))
        return SecurityStatus.SEC_E_INSUFFICIENT_MEMORY


class SwallowingDispatcher(SteppedDispatcher):
    """Takes every call, and never makes possible the completion of those that `swallows(call)` names."""

    def __init__(self, swallows: Callable[[PendingCall], bool]) -> None:
        super().__init__()
        self._swallows = swallows

    def submit(self, call: PendingCall) -> None:
        if not self._swallows(call):
            super().submit(call)


class FailingPackage(ScriptedPackage):
    """Refuses every credential with one status."""

    def __init__(self, status: SecurityStatus) -> None:
        super().__init__(name=PACKAGE)
        self._status = status

    def acquire(self, request: AcquireRequest) -> AcquireResult:
        return AcquireResult(self._status)


# -- two endpoints, one program, one API -------------------------------------------------------------------------------
def scripted_plan(role: Role, *, style: Style = Style.CALLBACK, handshakes: int = 1) -> Plan:
    """Plan one endpoint on the scripted package."""
    use = OUTBOUND if role is Role.CLIENT else INBOUND
    return Plan(role, PACKAGE, None, use, 0, target_name="peer.test", style=style, handshakes=handshakes)


def scripted_pair(
    script: Script = THREE_LEGS,
    *,
    styles: tuple[Style, Style] = (Style.CALLBACK, Style.CALLBACK),
    chooser: Chooser | None = None,
    dispatcher: Dispatcher | None = None,
    packages: Mapping[str, SecurityPackage] | None = None,
    handshakes: int = 1,
    timeout: float = 30.0,
    journal: Journal | None = None,
    wire: Wire | None = None,
) -> tuple[Journal, Session]:
    """Put a client and a server with correct drivers on a wire; `packages` gives an endpoint another package."""
    journal, dispatcher = journal or Journal(), dispatcher or SteppedDispatcher()
    programs = {
        role.value: endpoint_program(scripted_plan(role, style=style, handshakes=handshakes), role.value)
        for role, style in zip(Role, styles, strict=True)
    }
    endpoints = []
    for name, program in programs.items():
        package = (packages or {}).get(name) or ScriptedPackage(script)
        endpoints.append(Endpoint(_api(name, package, journal, dispatcher), program))
    return journal, Session(
        endpoints, journal=journal, dispatcher=dispatcher, chooser=chooser, wire=wire, timeout=timeout
    )


def finished_pair(script: Script = THREE_LEGS, **options: object) -> list[Record]:
    """Run a pair to its end; its records."""
    journal, session = scripted_pair(script, **options)  # type: ignore[arg-type]
    session.run()
    return journal.records


class Played(NamedTuple):
    """What came of one program."""

    reason: str
    journal: Journal
    session: Session


def play(
    program: Driver,
    *,
    script: Script = THREE_LEGS,
    chooser: Chooser | None = None,
    dispatcher: Dispatcher | None = None,
    timeout: float = 30.0,
    limit: int = 100_000,
) -> Played:
    """Run one program as the client, against a server that does nothing."""
    dispatcher = dispatcher or SteppedDispatcher()
    journal, session = lone_session(program, dispatcher, script=script, chooser=chooser, timeout=timeout, limit=limit)
    return Played(session.run(), journal, session)


def lone_session(
    program: Driver,
    dispatcher: Dispatcher,
    *,
    script: Script = THREE_LEGS,
    chooser: Chooser | None = None,
    timeout: float = 30.0,
    limit: int = 100_000,
    peer: Driver | None = None,
) -> tuple[Journal, Session]:
    """Make a session of one program, as the client, and a server that does nothing, or what `peer` says."""
    journal = Journal()
    endpoints = [
        Endpoint(_api(name, ScriptedPackage(script), journal, dispatcher), body)
        for name, body in (("client", program), ("server", peer or nothing()))
    ]
    session = Session(endpoints, journal=journal, dispatcher=dispatcher, chooser=chooser, timeout=timeout, limit=limit)
    return journal, session


def nothing() -> Driver:
    """Do nothing."""
    yield from ()


def _api(name: str, package: SecurityPackage, journal: Journal, dispatcher: Dispatcher) -> AsyncSspi:
    find = packages_by_name({PACKAGE.lower(): package})
    return AsyncSspi(name, find=find, describe=no_description, journal=journal, dispatcher=dispatcher)


def quiet(handle: Handle, data: object) -> None:
    """Be a notify callback that does nothing."""


class Outputs(NamedTuple):
    """The out-parameter variables of one call."""

    handle: HandleVariable
    attributes: OutputSlot[int]
    expiry: OutputSlot[int]


def outputs() -> Outputs:
    """Make variables that hold what no call ever writes."""
    return Outputs(OutputSlot("phNew", UNWRITTEN), OutputSlot("pfContextAttr", -1), OutputSlot("ptsExpiry", -1))


UNWRITTEN = Handle("nobody", "ctxt", 99)


class Bench:
    """One endpoint's async SSPI, worked by hand: the test is caller, completer and notifier."""

    def __init__(
        self,
        script: Script = THREE_LEGS,
        *,
        package: SecurityPackage | None = None,
        dispatcher: Dispatcher | None = None,
    ) -> None:
        self.journal = Journal()
        self.dispatcher = dispatcher or SteppedDispatcher()
        self.api = _api("client", package or ScriptedPackage(script), self.journal, self.dispatcher)

    def context(self, callback: NotifyCallback | None = quiet) -> Handle:
        """Make an async context and register `callback`, or register nothing at all for None."""
        handle = self.api.create_async_context()
        assert handle is not None, "the dispatcher of this bench makes async contexts"
        if callback is not None:
            self.api.set_async_notify_callback(handle, callback, None)
        return handle

    # -- as the caller
    def act_as(self, callback_of: Handle | None) -> None:
        """Let what follows be done by that async context's callback, or by the endpoint's own program."""
        self.api.inside = callback_of
        self.api.actor = self.api.name if callback_of is None else f"{callback_of}.callback"

    def acquire(self, handle: Handle | None, into: Outputs | None = None, package: str = PACKAGE) -> SecurityStatus:
        """Queue the acquiring of a credential."""
        into = into or outputs()
        return self.api.acquire_credentials_handle_async(
            handle, principal=None, package=package, credential_use=OUTBOUND, auth_data=None,
            credential=into.handle, expiry=into.expiry,
        )  # fmt: skip

    def initialize(
        self,
        handle: Handle | None,
        credential: HandleVariable,
        into: Outputs | None = None,
        *,
        security_context: HandleVariable | None = None,
        input: SecBufferDesc | None = None,
        output: SecBufferDesc | None = None,
    ) -> SecurityStatus:
        """Queue a client leg."""
        into = into or outputs()
        return self.api.initialize_security_context_async(
            handle, credential=credential, security_context=security_context, target_name="peer.test",
            context_requirements=0, input=input, new_security_context=into.handle, output=output,
            attributes=into.attributes, expiry=into.expiry,
        )  # fmt: skip

    def accept(
        self,
        handle: Handle | None,
        credential: HandleVariable,
        into: Outputs | None = None,
        *,
        security_context: HandleVariable | None = None,
        input: SecBufferDesc | None = None,
        output: SecBufferDesc | None = None,
    ) -> SecurityStatus:
        """Queue a server leg."""
        into = into or outputs()
        return self.api.accept_security_context_async(
            handle, credential=credential, security_context=security_context, input=input,
            context_requirements=0, new_security_context=into.handle, output=output,
            attributes=into.attributes, expiry=into.expiry,
        )  # fmt: skip

    def delete(self, handle: Handle | None, security_context: Handle | None) -> SecurityStatus:
        """Queue the deletion of a security context."""
        return self.api.delete_security_context_async(handle, security_context=variable(security_context))

    def free_credential(self, handle: Handle | None, credential: Handle | None) -> SecurityStatus:
        """Queue the freeing of a credential."""
        return self.api.free_credentials_handle_async(handle, credential=variable(credential))

    # -- as what completes and notifies
    def complete(self, at: int = 0) -> PendingCall:
        """Complete the pending call at that place in the order of queueing, and enter no callback."""
        call = self.dispatcher.completions.pop(at)
        self.api.complete(call)
        return call

    def settle(self, at: int = 0) -> PendingCall:
        """Complete a call, and let its callback run to its end if one is owed."""
        call = self.dispatcher.completions.pop(at)
        if self.api.complete(call):
            self.api.return_from_callback(call, self.api.enter_callback(call))
        return call

    # -- what a test needs to begin with
    def credential(self) -> HandleVariable:
        """Have a credential, on an async context that is gone again."""
        into, handle = outputs(), self.context()
        self.acquire(handle, into)
        self.settle()
        self.api.get_async_call_status(handle)
        self.api.free_async_context(handle)
        return into.handle

    def security_context(self) -> tuple[HandleVariable, HandleVariable]:
        """Have a credential and a security context made with it, on an async context that is gone again."""
        credential, into, handle = self.credential(), outputs(), self.context()
        self.initialize(handle, credential, into)
        self.settle()
        self.api.get_async_call_status(handle)
        self.api.free_async_context(handle)
        return credential, into.handle


def variable(handle: Handle | None) -> HandleVariable:
    """Make a variable that holds a handle."""
    return OutputSlot("variable", handle)


# -- reading the journal -----------------------------------------------------------------------------------------------
def events(records: Sequence[Record], kind: type[E]) -> list[E]:
    """Pick the events of one type."""
    return [record.event for record in records if isinstance(record.event, kind)]


def placed(records: Sequence[Record], kind: type[E]) -> list[tuple[Record, E]]:
    """Pick the events of one type, with their records."""
    return [(record, record.event) for record in records if isinstance(record.event, kind)]


def only(records: Sequence[Record], kind: type[E]) -> E:
    """Give the one event of a type."""
    (event,) = events(records, kind)
    return event


def kinds(records: Sequence[Record]) -> list[type[Event]]:
    """List the events' types in order."""
    return [type(record.event) for record in records]


def judged(records: Sequence[Record], reason: str = "finished") -> tuple[Finding, ...]:
    """Judge the records of a bench, as of a run that ended here."""
    end = Record(len(records) + 1, 0, 0, "session", 0, RunEnded(reason, ()))
    return judge([*records, end])


def codes(findings: Sequence[Finding]) -> list[str]:
    """List the findings' codes in order."""
    return [finding.rule.code for finding in findings]


def timeless(records: Sequence[Record]) -> list[Record]:
    """Leave out what is measured: two runs with the same choices are then equal."""
    out = []
    for record in records:
        event = record.event
        if isinstance(event, CallCompleted):
            event = event._replace(engine_nanoseconds=0)
        out.append(record._replace(nanoseconds=0, event=event))
    return out


def monitored(records: Sequence[Record]) -> LifecycleMonitor:
    """Let the analysis derive every async context's life from records alone."""
    monitor = LifecycleMonitor()
    for record in records:
        monitor.see(record)
    return monitor


def assert_notified_once(records: Sequence[Record]) -> None:
    """Every call with a callback was notified exactly once, every silent one never, and nothing else was."""
    owed = {event.call: 1 for event in events(records, CallQueued) if not event.is_silent}
    assert Counter(event.call for event in events(records, CallbackEntered)) == owed


def assert_clean(records: Sequence[Record]) -> None:
    """The run finished, the law and the runtime agree, and no rule was broken."""
    assert only(records, RunEnded) == RunEnded("finished", ())
    assert monitored(records).disagreements == []
    assert judge(records) == ()
    assert_notified_once(records)
