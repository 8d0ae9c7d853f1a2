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
from sspicli.sspi.status import NtStatus, SecurityStatus

# Members by names of this module: looking one up on its enum is Python code, and the monitors meet every record.
_IDLE, _PENDING, _NOTIFYING, _FREED = Phase.IDLE, Phase.PENDING, Phase.NOTIFYING, Phase.FREED
_QUEUE, _GET_STATUS, _REINIT = Verb.QUEUE, Verb.GET_STATUS, Verb.REINIT
_COMPLETES, _ENTERS = Progress.COMPLETES, Progress.ENTERS
_AFTER_ITS_CALLBACK = PROGRESS[Phase.NOTIFYING, Progress.RETURNS]
_ALLOWED = {phase: Allowed(phase) for phase in Phase}
_SUCCESS = NtStatus.STATUS_SUCCESS
_STILL_PENDING = SecurityStatus.SEC_I_ASYNC_CALL_PENDING


class _Life:
    """What the records say so far about the life of one async context."""

    __slots__ = ("call", "callback", "handle", "has_callback", "phase")

    def __init__(self, handle: Handle) -> None:
        self.handle = handle
        self.callback = f"{handle}.callback"  # the actor in its callback; written once, and compared at every act
        self.phase = _IDLE
        self.has_callback = False
        self.call: Handle | None = None  # the one it tracks, or the last that it did


class _Null:
    """A NULL that SspiCreateAsyncContext returned, and whether its use was reported."""

    __slots__ = ("created", "is_reported")

    def __init__(self, created: int) -> None:
        self.created = created
        self.is_reported = False


_SETTLED = frozenset({FINISHED, "stuck"})  # at these ends every notification that was owed has been made


def _owes(life: _Life, actor: str) -> bool:
    """Say whether an async context of the actor's endpoint is yet to be notified, or runs a callback not the actor."""
    is_under_way = life.phase in (Phase.PENDING, Phase.COMPLETE, Phase.NOTIFYING)
    return is_under_way and life.handle.actor == actor.partition(".")[0] and actor != life.callback


def _endpoint(record: Record) -> str:
    return record.actor.partition(".")[0]


class LifecycleMonitor:
    """Derive every async context's phase from the records, and judge each act against the law."""

    def __init__(self) -> None:
        self.findings: list[Finding] = []
        self.disagreements: list[Disagreement] = []
        self._lives: dict[Handle, _Life] = {}
        self._owner: dict[Handle, _Life] = {}
        self._notified: set[Handle] = set()
        self._nulls: dict[str, _Null] = {}
        self._silent: dict[str, int] = {}  # by endpoint, the record of its last call with no callback
        self._raised: set[str] = set()  # the endpoints that an exception left a callback of

    def see(self, record: Record) -> None:
        """Take the next record."""
        watch = self.WATCH.get(type(record.event))
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
            if life.phase is Phase.COMPLETE and reason in _SETTLED:
                self._report("B006", str(life.call), "it completed, and its callback was never entered", (last,))
            if life.phase is not Phase.FREED and reason == FINISHED:
                self._report("A008", str(handle), f"it was {life.phase} at the end", (last,))

    def _act(self, record: Record, verb: Verb) -> Row:
        handle: Handle | None = record.event.async_context  # type: ignore[union-attr]
        life = None if handle is None else self._lives.get(handle)
        phase = life.phase if life else Phase.NULL if handle is None else Phase.FOREIGN
        actor = record.actor
        row = LAW[phase, verb, life is not None and actor == life.callback]
        if row.rule and not (handle is None and self._is_unchecked(record, verb)):
            self._report(row.rule, str(handle or "NULL"), f"{actor}: {verb}, while {phase}", (record.sequence,))
        return row

    def _is_unchecked(self, record: Record, verb: Verb) -> bool:
        """Say whether a NULL is what SspiCreateAsyncContext gave this endpoint; its first use is A010, not A009."""
        null = self._nulls.get(_endpoint(record))
        if null is None:
            return False
        if not null.is_reported:
            null.is_reported = True
            detail = f"{record.actor}: {verb}, with the NULL that it was given"
            self._report("A010", "NULL", detail, (null.created, record.sequence))
        return True

    def _created(self, record: Record) -> None:
        handle = record.event.async_context  # type: ignore[union-attr]
        if handle is None:
            self._nulls[_endpoint(record)] = _Null(record.sequence)
        else:
            self._lives[handle] = _Life(handle)

    def _status_queried(self, record: Record) -> None:
        row = self._act(record, _GET_STATUS)
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
        row = self._act(record, _REINIT)
        if event.status != _SUCCESS:
            self._agree(record, row, Refused(event.status))
            return
        self._agree(record, row, _ALLOWED[_IDLE])
        life = None if event.async_context is None else self._lives.get(event.async_context)
        if life is not None:
            life.phase = _IDLE

    def _freed(self, record: Record) -> None:
        event = record.event
        assert isinstance(event, ev.AsyncContextFreed), "dispatched by type"
        row = self._act(record, Verb.FREE)
        if event.async_context in self._lives:
            self._agree(record, row, _ALLOWED[Phase.FREED])
            self._lives[event.async_context].phase = Phase.FREED

    def _queued(self, record: Record) -> None:
        event = record.event
        assert isinstance(event, ev.CallQueued), "dispatched by type"
        verb, phase = _QUEUE, _PENDING
        if event.is_silent:
            verb, phase = _queueing_verb(event.function, has_callback=False), Phase.PENDING_SILENT
            self._silent[_endpoint(record)] = record.sequence
        self._agree(record, self._act(record, verb), _ALLOWED[phase])
        life = self._lives[event.async_context]
        life.phase, life.call = phase, event.call
        self._owner[event.call] = life

    def _refused(self, record: Record) -> None:
        event = record.event
        assert isinstance(event, ev.CallRefused), "dispatched by type"
        life = None if event.async_context is None else self._lives.get(event.async_context)
        row = self._act(record, _queueing_verb(event.function, has_callback=life is None or life.has_callback))
        if isinstance(row.verdict, Refused):
            self._agree(record, row, Refused(event.queue_status))

    def _completed(self, record: Record) -> None:
        event = record.event
        assert isinstance(event, ev.CallCompleted), "dispatched by type"
        self._move(record, self._owner[event.call], _COMPLETES)

    def _callback_entered(self, record: Record) -> None:
        event = record.event
        assert isinstance(event, ev.CallbackEntered), "dispatched by type"
        call = event.call
        life = self._owner[call]
        if call in self._notified:
            self._report("B006", str(call), "its callback was entered a second time", (record.sequence,))
        elif life.phase is _FREED:
            self._report("B005", str(life.handle), f"its callback was entered for {call}", (record.sequence,))
        else:
            self._move(record, life, _ENTERS)
        self._notified.add(call)

    def _callback_returned(self, record: Record) -> None:
        event = record.event
        assert isinstance(event, ev.CallbackReturned), "dispatched by type"
        life = self._owner[event.call]
        if life.phase is _NOTIFYING and life.call == event.call:
            life.phase = _AFTER_ITS_CALLBACK

    def _move(self, record: Record, life: _Life, progress: Progress) -> None:
        after = PROGRESS.get((life.phase, progress))
        if after is None:
            self._disagree(record, f"{progress}, while {life.handle} is {life.phase}")
        else:
            life.phase = after

    def _callback_raised(self, record: Record) -> None:
        self._raised.add(_endpoint(record))

    def _unanswered(self, record: Record) -> None:
        """Report a wait for a callback that nobody owes; an exception that left one is reported as such alone."""
        endpoint = _endpoint(record)
        if endpoint in self._raised or any(_owes(life, record.actor) for life in self._lives.values()):
            return
        silent = (self._silent[endpoint],) if endpoint in self._silent else ()
        event = record.event
        assert isinstance(event, ev.WaitUnanswered), "dispatched by type"
        detail = f"it waits for {event.awaited}, and no call with a callback is under way"
        self._report("A015", record.actor, detail, (*silent, record.sequence))

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
    WATCH: ClassVar[dict[type, Callable[[LifecycleMonitor, Record], object]]] = {
        ev.AsyncContextCreated: _created,
        ev.NotifyCallbackSet: _callback_set,
        ev.NotifyRequirementQueried: lambda self, record: self._act(record, Verb.REQUIRES_NOTIFY),
        ev.CallStatusQueried: _status_queried,
        ev.AsyncContextReinitialized: _reinitialized,
        ev.AsyncContextFreed: _freed,
        ev.CallQueued: _queued,
        ev.CallRefused: _refused,
        ev.CallCompleted: _completed,
        ev.CallbackEntered: _callback_entered,
        ev.CallbackReturned: _callback_returned,
        ev.CallbackRaised: _callback_raised,
        ev.WaitUnanswered: _unanswered,
        ev.ContractBroken: _broken,
    }
    WATCHED: ClassVar[frozenset[type]] = frozenset(WATCH)


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


# -- what becomes of a call's status -----------------------------------------------------------------------------------

POLL_WINDOW_TICKS = 1_000  # a millisecond of virtual time
MOST_POLLS = 50  # in a window; a poller that pauses twice as long each time asks some ten times in its first one

_LEGS = frozenset({Function.SspiInitializeSecurityContextAsync, Function.SspiAcceptSecurityContextAsync})
_MAKERS = _LEGS | {Function.SspiAcquireCredentialsHandleAsync}  # the others' status says only that a handle was none


class _Result:
    """One call's status: whether it is there, and whether its caller has read it."""

    __slots__ = ("call", "completed", "is_busy", "is_maker", "is_read", "polls", "reinit", "window")

    def __init__(self, call: Handle, function: Function) -> None:
        self.call = call
        self.is_maker = function in _MAKERS
        self.completed = 0
        self.is_read = False
        self.reinit = 0
        self.is_busy = False
        self.polls = 0
        self.window = 0


class ResultMonitor:
    """Report results that were used, or forgotten, without being read; and loops that do nothing but ask."""

    def __init__(self) -> None:
        self.findings: list[Finding] = []
        self._results: dict[Handle, _Result] = {}
        self._tracked: dict[Handle, _Result] = {}  # by async context
        self._makers: dict[Handle, _Result] = {}  # by the credential, or the security context it last worked on
        self._lost: dict[Handle, _Result] = {}

    def see(self, record: Record) -> None:
        """Take the next record."""
        self.WATCH[type(record.event)](self, record)

    def end(self, last: int, reason: str) -> None:
        """Report the results that were forgotten, and not used either."""
        for lost in self._lost.values():
            detail = "its status was never read, and reinit forgot it"
            self.findings.append(found("A013", lost.call, detail, lost.completed, lost.reinit))

    def _queued(self, record: Record) -> None:
        event = record.event
        assert isinstance(event, ev.CallQueued), "dispatched by type"
        if event.function in _LEGS:
            if event.credential is not None:
                self._use(event.credential, record)
            if event.security_context is not None:
                self._use(event.security_context, record)
        result = _Result(event.call, event.function)
        self._results[event.call] = self._tracked[event.async_context] = result

    def _used(self, record: Record) -> None:
        handle: Handle | None = record.event.security_context  # type: ignore[union-attr]  # dispatched by type
        if handle is not None:
            self._use(handle, record)

    def _use(self, handle: Handle, record: Record) -> None:
        """Report the use of what a call made, where its caller cannot know whether it did."""
        maker = self._makers.get(handle)
        if maker is None or maker.is_read:
            return
        maker.is_read = True
        self._lost.pop(maker.call, None)
        detail = f"{handle} is used, and the status of {maker.call} was never read"
        self.findings.append(found("A012", maker.call, detail, maker.completed, record.sequence))

    def _completed(self, record: Record) -> None:
        event = record.event
        assert isinstance(event, ev.CallCompleted), "dispatched by type"
        result = self._results[event.call]
        result.completed = record.sequence
        if event.handle is not None and result.is_maker:
            self._makers[event.handle] = result

    def _asked(self, record: Record) -> None:
        event = record.event
        assert isinstance(event, ev.CallStatusQueried), "dispatched by type"
        if event.call is None:
            return
        result = self._results[event.call]
        if event.status is not _STILL_PENDING:
            result.is_read = True
        else:
            self._polled(result, record)

    def _polled(self, result: _Result, record: Record) -> None:
        if record.ticks - result.window > POLL_WINDOW_TICKS:
            result.window, result.polls = record.ticks, 0
        result.polls += 1
        if result.polls == MOST_POLLS and not result.is_busy:
            result.is_busy = True
            detail = f"its status was asked for {MOST_POLLS} times within {POLL_WINDOW_TICKS / 1000:g} ms"
            self.findings.append(found("A014", result.call, detail, record.sequence))

    def _reinitialized(self, record: Record) -> None:
        event = record.event
        assert isinstance(event, ev.AsyncContextReinitialized), "dispatched by type"
        if event.async_context is None or event.status != _SUCCESS:
            return
        result = self._tracked.pop(event.async_context, None)
        if result is not None and result.is_maker and result.completed and not result.is_read:
            result.reinit = record.sequence
            self._lost[result.call] = result

    WATCH: ClassVar[dict[type, Callable[[ResultMonitor, Record], object]]] = {
        ev.CallQueued: _queued,
        ev.CallCompleted: _completed,
        ev.CallStatusQueried: _asked,
        ev.AsyncContextReinitialized: _reinitialized,
        ev.MessageEncrypted: _used,
        ev.MessageDecrypted: _used,
        ev.AttributeQueried: _used,
    }
    WATCHED: ClassVar[frozenset[type]] = frozenset(WATCH)
