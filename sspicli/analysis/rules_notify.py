"""The rules of notification (B): what callbacks may do, and what must hold while one is owed or runs.

B001, B002, B005 and B006 are the async context's own law and stand with it (`rules_async.py`); B011 needs a search over
completion orders. The rule guarded here: what is inferred is derived from order alone, never from a guess at threads. A
callback counts as nested in another when its call was queued in there and it was entered before that queueing returned.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from sspicli.analysis.finding import Finding, found
from sspicli.journal import events as ev
from sspicli.journal.journal import Record
from sspicli.sspi.functions import Function
from sspicli.sspi.handles import Handle

DEEPEST_CALLBACK = 4
LONGEST_CALLBACK_TICKS = 10_000  # ten milliseconds of virtual time

_DELETE = Function.SspiDeleteSecurityContextAsync


class _Callback:
    """One run of a callback."""

    __slots__ = ("async_context", "began", "call", "depth", "entered", "is_blocked", "other", "outer", "read_own")

    def __init__(self, record: Record, event: ev.CallbackEntered, outer: _Callback | None) -> None:
        self.call = event.call
        self.async_context = event.async_context
        self.entered, self.began = record.sequence, record.ticks
        self.outer = outer  # the callback of the same actor that it interrupts, if any
        self.depth = 1
        self.is_blocked = False
        self.read_own = False
        self.other: tuple[int, Handle | None] | None = None  # the record that read another's status, and whose


class _SilentDelete:
    """A delete that nobody is told of: who queued it, and whether they have done anything else since."""

    __slots__ = ("actor", "has_gone_on", "queued")

    def __init__(self, record: Record) -> None:
        self.actor = record.actor
        self.queued = record.sequence
        self.has_gone_on = False


class NotifyMonitor:
    """Watch callbacks, and what programs keep for them."""

    def __init__(self) -> None:
        self.findings: list[Finding] = []
        self._workers = 0
        self._running: dict[str, _Callback] = {}  # the innermost, by actor
        self._under_way: dict[str, int] = {}  # calls queued and not completed, by endpoint
        self._nested: dict[Handle, _Callback] = {}  # calls queued in a callback whose queueing has not returned
        self._silent: dict[Handle, _SilentDelete] = {}
        self._dead: dict[Handle, tuple[int, str]] = {}
        self._held: dict[str, dict[str, int]] = {}  # by actor, each lock it holds and the record that took it
        self._queued_under: dict[Handle, dict[str, int]] = {}

    def see(self, record: Record) -> None:
        """Take the next record."""
        self.WATCH[type(record.event)](self, record)

    def end(self, last: int, reason: str) -> None:
        """Report nothing: each of these rules is broken at a moment."""

    def _report(self, code: str, subject: object, detail: str, *records: int) -> None:
        self.findings.append(found(code, subject, detail, *records))

    # -- the run and its calls -----------------------------------------------------------------------------------------

    def _started(self, record: Record) -> None:
        event = record.event
        assert isinstance(event, ev.RunStarted), "dispatched by type"
        workers = event.options.get("workers", 0)
        self._workers = workers if isinstance(workers, int) else 0

    def _queued(self, record: Record) -> None:
        event = record.event
        assert isinstance(event, ev.CallQueued), "dispatched by type"
        call, actor = event.call, record.actor
        self._under_way[call.actor] = self._under_way.get(call.actor, 0) + 1
        if self._silent:
            self._go_on(actor)
        if actor in self._running:
            self._nested[call] = self._running[actor]
            self._running[actor].is_blocked = False
        if self._held.get(actor):
            self._queued_under[call] = dict(self._held[actor])
        if event.is_silent and event.function is _DELETE:
            self._silent[event.async_context] = _SilentDelete(record)

    def _queueing_returned(self, record: Record) -> None:
        event = record.event
        assert isinstance(event, ev.QueueingReturned), "dispatched by type"
        if self._nested:
            self._nested.pop(event.call, None)

    def _completed(self, record: Record) -> None:
        event = record.event
        assert isinstance(event, ev.CallCompleted), "dispatched by type"
        self._under_way[event.call.actor] -= 1

    # -- silent deletes ------------------------------------------------------------------------------------------------

    def _go_on(self, actor: str) -> None:
        for one in self._silent.values():
            one.has_gone_on |= one.actor == actor

    def _other_act(self, record: Record) -> None:
        if self._silent:
            self._go_on(record.actor)

    def _asked_or_reinitialized(self, handle: Handle | None, actor: str) -> None:
        """Take polling and reinit for what they are: the async context is meant for reuse."""
        if handle is None or self._silent.pop(handle, None) is None:
            self._go_on(actor)

    def _reinitialized(self, record: Record) -> None:
        event = record.event
        assert isinstance(event, ev.AsyncContextReinitialized), "dispatched by type"
        if self._silent:
            self._asked_or_reinitialized(event.async_context, record.actor)

    def _freed(self, record: Record) -> None:
        event = record.event
        assert isinstance(event, ev.AsyncContextFreed), "dispatched by type"
        if not self._silent:
            return
        deleted = None if event.async_context is None else self._silent.pop(event.async_context, None)
        if deleted is not None and deleted.has_gone_on:
            detail = "it was freed later, and neither polled nor reused in between"
            self._report("B003", event.async_context, detail, deleted.queued, record.sequence)
        self._go_on(record.actor)

    # -- callbacks -----------------------------------------------------------------------------------------------------

    def _entered(self, record: Record) -> None:
        event = record.event
        assert isinstance(event, ev.CallbackEntered), "dispatched by type"
        callback = _Callback(record, event, self._running.get(record.actor))
        self._running[record.actor] = callback
        if self._nested:
            self._nest(callback, self._nested.get(event.call))
        if event.async_context in self._dead:
            died, name = self._dead[event.async_context]
            self._report("B004", event.async_context, f"{name}, its callback data, had died", died, record.sequence)

    def _nest(self, callback: _Callback, outer: _Callback | None) -> None:
        if outer is None:
            return
        callback.depth = outer.depth + 1
        if callback.depth == DEEPEST_CALLBACK + 1:
            detail = f"{callback.depth} callbacks run inside one another: each queued a call that completed inline"
            self._report("B008", callback.async_context, detail, callback.entered)

    def _returned(self, record: Record) -> None:
        event = record.event
        assert isinstance(event, ev.CallbackReturned), "dispatched by type"
        callback = self._running.get(record.actor)
        if callback is None:
            return
        if callback.outer is None:
            del self._running[record.actor]
        else:
            self._running[record.actor] = callback.outer
        ticks = record.ticks - callback.began
        if ticks > LONGEST_CALLBACK_TICKS:
            detail = f"it took {ticks / 1000:g} ms of virtual time"
            self._report("B013", callback.async_context, detail, callback.entered, record.sequence)
        if callback.other is not None and not callback.read_own:
            read, whose = callback.other
            detail = f"its callback read the status of {whose or 'NULL'}, and not its own"
            self._report("B012", callback.async_context, detail, callback.entered, read)

    def _asked(self, record: Record) -> None:
        event = record.event
        assert isinstance(event, ev.CallStatusQueried), "dispatched by type"
        if self._silent:
            self._asked_or_reinitialized(event.async_context, record.actor)
        callback = self._running.get(record.actor)
        if callback is None:
            return
        callback.is_blocked = False
        if event.async_context == callback.async_context:
            callback.read_own = True
        else:
            callback.other = callback.other or (record.sequence, event.async_context)

    def _raised(self, record: Record) -> None:
        event = record.event
        assert isinstance(event, ev.CallbackRaised), "dispatched by type"
        self._report("B009", event.async_context, event.error, record.sequence)

    def _waited(self, record: Record) -> None:
        """Report a callback that takes the last worker, and waits there for a call that a worker must complete."""
        event = record.event
        assert isinstance(event, ev.CallbackWaited), "dispatched by type"
        callback = self._running.get(record.actor)
        if callback is None or event.awaited != "signal":
            return
        callback.is_blocked = True
        blocked = sum(one.is_blocked for one in self._running.values())
        pending = self._under_way.get(event.call.actor, 0)
        if self._workers and blocked >= self._workers and pending:
            detail = f"{blocked} of {self._workers} workers wait in callbacks, and {pending} pending would need one"
            self._report("B007", event.async_context, detail, callback.entered, record.sequence)

    # -- what a program says of itself ---------------------------------------------------------------------------------

    def _callback_set(self, record: Record) -> None:
        event = record.event
        assert isinstance(event, ev.NotifyCallbackSet), "dispatched by type"
        self._other_act(record)
        if self._dead and event.async_context is not None:
            self._dead.pop(event.async_context, None)

    def _data_died(self, record: Record) -> None:
        event = record.event
        assert isinstance(event, ev.CallbackDataDied), "dispatched by type"
        handle = event.async_context
        if handle is None:
            return
        running = self._running.get(f"{handle}.callback")
        if running is not None and record.actor != f"{handle}.callback":
            detail = f"{event.name}, its callback data, died while it ran"
            self._report("B004", handle, detail, running.entered, record.sequence)
        self._dead[handle] = record.sequence, event.name

    def _lock_taken(self, record: Record) -> None:
        event = record.event
        assert isinstance(event, ev.LockTaken), "dispatched by type"
        callback = self._running.get(record.actor)
        taken = None if callback is None else self._queued_under.get(callback.call, {}).get(event.name)
        if callback is not None and taken is not None:
            detail = f"its callback takes the lock {event.name}, which was held while {callback.call} was queued"
            self._report("B010", callback.async_context, detail, taken, record.sequence)
        self._held.setdefault(record.actor, {})[event.name] = record.sequence

    def _lock_released(self, record: Record) -> None:
        event = record.event
        assert isinstance(event, ev.LockReleased), "dispatched by type"
        self._held.get(record.actor, {}).pop(event.name, None)

    WATCH: ClassVar[dict[type, Callable[[NotifyMonitor, Record], object]]] = {
        ev.RunStarted: _started,
        ev.AsyncContextCreated: _other_act,
        ev.NotifyCallbackSet: _callback_set,
        ev.CallStatusQueried: _asked,
        ev.AsyncContextReinitialized: _reinitialized,
        ev.AsyncContextFreed: _freed,
        ev.CallQueued: _queued,
        ev.QueueingReturned: _queueing_returned,
        ev.CallCompleted: _completed,
        ev.CallbackEntered: _entered,
        ev.CallbackReturned: _returned,
        ev.CallbackRaised: _raised,
        ev.CallbackWaited: _waited,
        ev.CallbackDataDied: _data_died,
        ev.LockTaken: _lock_taken,
        ev.LockReleased: _lock_released,
    }
    WATCHED: ClassVar[frozenset[type]] = frozenset(WATCH)
