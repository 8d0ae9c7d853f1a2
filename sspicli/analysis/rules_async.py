"""The rules of async contexts (A): each one's life against the law, and what becomes of a call's status.

The law of an async context's life is derived here again, from records alone, against the same table that the runtime
enforces: two independent checks of one law.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from sspicli.analysis.finding import FINISHED, RAN_OUT, Disagreement, Finding, found
from sspicli.journal import events as ev
from sspicli.journal.journal import Record
from sspicli.sspi.functions import Function
from sspicli.sspi.handles import Handle
from sspicli.sspi.lifecycle import LAW, PROGRESS, Allowed, Phase, Progress, Refused, Row, Undefined, Verb, Verdict
from sspicli.sspi.status import NtStatus


class _Life:
    """What the records say so far about the life of one async context."""

    __slots__ = ("call", "has_callback", "phase")

    def __init__(self) -> None:
        self.phase = Phase.IDLE
        self.has_callback = False
        self.call: Handle | None = None


class LifecycleMonitor:
    """Derive every async context's phase from the records, and judge each act against the law."""

    def __init__(self) -> None:
        self.findings: list[Finding] = []
        self.disagreements: list[Disagreement] = []
        self._lives: dict[Handle, _Life] = {}
        self._owner: dict[Handle, Handle] = {}

    def see(self, record: Record) -> None:
        """Take the next record."""
        watch = self._WATCH.get(type(record.event))
        if watch is not None:
            watch(self, record)

    def phase_of(self, handle: Handle) -> Phase:
        """Say in which phase an async context is, by the records so far."""
        life = self._lives.get(handle)
        return Phase.FOREIGN if life is None else life.phase

    def end(self, last: int, reason: str) -> None:
        """Report what is left over when the records end for this reason."""
        for handle, life in self._lives.items():
            if life.phase in (Phase.PENDING, Phase.PENDING_SILENT) and reason in RAN_OUT:
                self._report("A016", str(handle), f"{life.call} had not completed", (last,))
            if life.phase is not Phase.FREED and reason == FINISHED:
                self._report("A008", str(handle), f"it was {life.phase} at the end", (last,))

    def _act(self, record: Record, verb: Verb) -> Row:
        handle: Handle | None = record.event.async_context  # type: ignore[union-attr]
        life = None if handle is None else self._lives.get(handle)
        phase = life.phase if life else Phase.NULL if handle is None else Phase.FOREIGN
        actor = record.actor
        row = LAW[phase, verb, actor.endswith(".callback") and actor == f"{handle}.callback"]
        if row.rule:
            self._report(row.rule, str(handle or "NULL"), f"{record.actor}: {verb}, while {phase}", (record.sequence,))
        return row

    def _created(self, record: Record) -> None:
        handle = record.event.async_context  # type: ignore[union-attr]
        if handle is not None:
            self._lives[handle] = _Life()

    def _status_queried(self, record: Record) -> None:
        row = self._act(record, Verb.GET_STATUS)
        event = record.event
        assert isinstance(event, ev.CallStatusQueried), "dispatched by type"
        if isinstance(row.verdict, Refused):
            self._agree(record, row, Refused(event.status))

    def _callback_set(self, record: Record) -> None:
        self._act(record, Verb.SET_CALLBACK)
        event = record.event
        assert isinstance(event, ev.NotifyCallbackSet), "dispatched by type"
        if event.async_context in self._lives:
            self._lives[event.async_context].has_callback = not event.is_null

    def _reinitialized(self, record: Record) -> None:
        event = record.event
        assert isinstance(event, ev.AsyncContextReinitialized), "dispatched by type"
        row = self._act(record, Verb.REINIT)
        said = Refused(event.status) if event.status != NtStatus.STATUS_SUCCESS else Allowed(Phase.IDLE)
        self._agree(record, row, said)
        if isinstance(said, Allowed) and event.async_context in self._lives:
            self._lives[event.async_context].phase = Phase.IDLE

    def _freed(self, record: Record) -> None:
        event = record.event
        assert isinstance(event, ev.AsyncContextFreed), "dispatched by type"
        row = self._act(record, Verb.FREE)
        if event.async_context in self._lives:
            self._agree(record, row, Allowed(Phase.FREED))
            self._lives[event.async_context].phase = Phase.FREED

    def _queued(self, record: Record) -> None:
        event = record.event
        assert isinstance(event, ev.CallQueued), "dispatched by type"
        row = self._act(record, _queueing_verb(event.function, has_callback=not event.is_silent))
        life = self._lives[event.async_context]
        phase = Phase.PENDING_SILENT if event.is_silent else Phase.PENDING
        self._agree(record, row, Allowed(phase))
        life.phase, life.call = phase, event.call
        self._owner[event.call] = event.async_context

    def _refused(self, record: Record) -> None:
        event = record.event
        assert isinstance(event, ev.CallRefused), "dispatched by type"
        life = None if event.async_context is None else self._lives.get(event.async_context)
        row = self._act(record, _queueing_verb(event.function, has_callback=life is None or life.has_callback))
        if isinstance(row.verdict, Refused):
            self._agree(record, row, Refused(event.queue_status))

    def _progress(self, record: Record, progress: Progress) -> None:
        event = record.event
        assert isinstance(event, ev.CallCompleted | ev.CallbackEntered | ev.CallbackReturned), "dispatched by type"
        call = event.call
        life = self._lives[self._owner[call]]
        if progress is Progress.RETURNS and not (life.phase is Phase.NOTIFYING and life.call == call):
            return
        after = PROGRESS.get((life.phase, progress))
        if after is None:
            self._disagree(record, f"{progress}, while {self._owner[call]} is {life.phase}")
        else:
            life.phase = after

    def _broken(self, record: Record) -> None:
        event = record.event
        assert isinstance(event, ev.ContractBroken), "dispatched by type"
        row = self._act(record, event.verb)
        if row.rule != event.rule:
            self._disagree(record, f"it breaks {event.rule or 'nothing'} there, {row.rule or 'nothing'} by the law")

    def _agree(self, record: Record, row: Row, said: Allowed | Refused) -> None:
        if row.verdict != said:
            self._disagree(record, f"it is {_said(said)} there, {_said(row.verdict)} by the law")

    def _disagree(self, record: Record, text: str) -> None:
        self.disagreements.append(Disagreement(record.sequence, text))

    def _report(self, code: str, subject: str, detail: str, records: tuple[int, ...]) -> None:
        self.findings.append(found(code, subject, detail, *records))

    # A table of the class: a monitor that held its own methods would be a cycle, and live until the next collection.
    _WATCH: ClassVar[dict[type, Callable[[LifecycleMonitor, Record], object]]] = {
        ev.AsyncContextCreated: _created,
        ev.NotifyCallbackSet: _callback_set,
        ev.NotifyRequirementQueried: lambda self, record: self._act(record, Verb.REQUIRES_NOTIFY),
        ev.CallStatusQueried: _status_queried,
        ev.AsyncContextReinitialized: _reinitialized,
        ev.AsyncContextFreed: _freed,
        ev.CallQueued: _queued,
        ev.CallRefused: _refused,
        ev.CallCompleted: lambda self, record: self._progress(record, Progress.COMPLETES),
        ev.CallbackEntered: lambda self, record: self._progress(record, Progress.ENTERS),
        ev.CallbackReturned: lambda self, record: self._progress(record, Progress.RETURNS),
        ev.ContractBroken: _broken,
    }
    WATCHED: ClassVar[frozenset[type]] = frozenset(_WATCH)


def _said(verdict: Verdict) -> str:
    """Say a verdict in words."""
    match verdict:
        case Allowed():
            return f"allowed, and {verdict.next} afterwards"
        case Refused():
            return f"refused with {verdict.status.name}"
        case Undefined():
            return "undefined"


def _queueing_verb(function: Function, *, has_callback: bool) -> Verb:
    if has_callback:
        return Verb.QUEUE
    is_delete = function is Function.SspiDeleteSecurityContextAsync
    return Verb.QUEUE_SILENT_DELETE if is_delete else Verb.QUEUE_SILENT_OTHER
