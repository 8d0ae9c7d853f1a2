"""The life of every handle of a run: who made it, who used it, who ended it, and what was left over.

An async context has generations: each successful reinit begins the next, and a call belongs to the one it was queued
in. What is alive at the end is called a leak only where the rules say so: a run that was stuck could not clean up.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from sspicli.analysis.rules import Finding
from sspicli.journal import events as ev
from sspicli.journal.journal import Record
from sspicli.sspi.functions import Function
from sspicli.sspi.handles import Handle, HandleKind
from sspicli.sspi.status import NtStatus, SecurityStatus

KIND_NAMES = {
    HandleKind.ASYNC_CONTEXT: "async context",
    HandleKind.CREDENTIAL: "credential",
    HandleKind.SECURITY_CONTEXT: "security context",
    HandleKind.CALL: "call",
}
_LEAKS = frozenset({"A008", "D004", "D008", "A016"})


@dataclass(slots=True)
class Life:
    """One handle from its making to its end; record numbers, 0 for what the records do not show.

    `maker` is who made it: a call, or the actor that created an async context. `users` are the calls that used it, in
    order. `ender` is the call or actor that ended it. `generation` is an async context's last one, and for a call the
    one of its async context in which it was queued. `finding` is the code of the rule that calls it left over.
    """

    handle: Handle
    maker: str
    born: int
    users: list[Handle] = field(default_factory=list)
    ended: int = 0
    ender: str = ""
    generation: int = 0
    finding: str = ""
    # of calls alone
    function: Function | None = None
    async_context: Handle | None = None
    status: SecurityStatus | None = None
    completed: int = 0
    notified: int = 0

    @property
    def kind(self) -> str:
        """Say in words what it is."""
        return KIND_NAMES[HandleKind(self.handle.kind)]


def lives(records: Sequence[Record], findings: Iterable[Finding] = ()) -> tuple[Life, ...]:
    """Tell the life of every handle that the records make, in the order in which they were made."""
    fold = _Fold()
    for record in records:
        fold.see(record)
    for finding in findings:
        life = fold.by_name.get(finding.subject)
        if life is not None and finding.rule.code in _LEAKS:
            life.finding = finding.rule.code
    return tuple(fold.lives.values())


class _Fold:
    def __init__(self) -> None:
        self.lives: dict[Handle, Life] = {}
        self.by_name: dict[str, Life] = {}
        self._ending: dict[Handle, Handle] = {}

    def _make(self, handle: Handle, maker: str, born: int) -> Life:
        life = Life(handle, maker, born)
        self.by_name[str(handle)] = self.lives[handle] = life
        return life

    def _end(self, handle: Handle, record: Record) -> None:
        life = self.lives.get(handle)
        if life is not None:
            ender = self._ending.get(handle)
            life.ended, life.ender = record.sequence, str(ender) if ender else record.actor

    def see(self, record: Record) -> None:
        event = record.event
        match event:
            case ev.AsyncContextCreated():
                if event.async_context is not None:
                    self._make(event.async_context, record.actor, record.sequence).generation = 1
            case ev.AsyncContextReinitialized():
                life = self._life(event.async_context)
                if life is not None and event.status == NtStatus.STATUS_SUCCESS:
                    life.generation += 1
            case ev.AsyncContextFreed():
                if event.async_context is not None:
                    self._end(event.async_context, record)
            case ev.CallQueued():
                self._queued(record, event)
            case ev.CallCompleted():
                call = self.lives[event.call]
                call.completed, call.status = record.sequence, event.status
                call.ended, call.ender = record.sequence, record.actor
            case ev.CallbackEntered():
                self.lives[event.call].notified = record.sequence
            case (
                ev.CredentialAcquired(credential=made, call=call)
                | ev.SecurityContextOpened(security_context=made, call=call)
            ):
                self._make(made, str(call), record.sequence)
            case ev.CredentialFreed(credential=gone) | ev.SecurityContextDeleted(security_context=gone):
                self._end(gone, record)
            case _:
                pass

    def _life(self, handle: Handle | None) -> Life | None:
        return None if handle is None else self.lives.get(handle)

    def _queued(self, record: Record, event: ev.CallQueued) -> None:
        call = self._make(event.call, record.actor, record.sequence)
        call.function, call.async_context = event.function, event.async_context
        owner = self._life(event.async_context)
        call.generation = 0 if owner is None else owner.generation
        for used in (event.async_context, event.credential, event.security_context):
            life = self._life(used)
            if life is not None:
                life.users.append(event.call)
        if event.function is Function.SspiFreeCredentialsHandleAsync and event.credential is not None:
            self._ending[event.credential] = event.call
        if event.function is Function.SspiDeleteSecurityContextAsync and event.security_context is not None:
            self._ending[event.security_context] = event.call
