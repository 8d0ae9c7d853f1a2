"""Whether records can have happened at all: what every other fold takes for granted, checked once and before them.

The rule guarded here: a recording is a file, and a file can be edited with every checksum right. After `check` no call
completes that was never queued, no async context is used for a call before it was made, and no count is without bounds;
so the folds need no second thoughts, and who shows them a wrong recording hears the record and the reason. What a bad
*driver* can do, such as passing a handle that names nothing, is no contradiction: that is for the rules to judge.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from sspicli.journal import events as ev
from sspicli.journal.events import Images
from sspicli.journal.journal import Record
from sspicli.sspi.functions import Function
from sspicli.sspi.handles import Handle, HandleKind
from sspicli.sspi.status import NtStatus, SecurityStatus

SIDES = ("client", "server")
MOST_CHOICES = 1_000_000  # transitions a session makes at most
MOST_HANDSHAKES = 1_000_000

_NAME = re.compile(r"[A-Za-z][\w. -]{0,99}", re.ASCII)
_HARMLESS = frozenset({str, bytes, type(None), bool, float, SecurityStatus, NtStatus, Function})
_LOWEST, _HIGHEST = -(1 << 63), (1 << 64) - 1

# Whoever acts in these is no endpoint: the user, the session, the wire, the fault plan.
_NOT_AN_ENDPOINTS = (
    ev.RunStarted,
    ev.RunEnded,
    ev.ActionTaken,
    ev.TokenDelivered,
    ev.ChoiceMade,
    ev.FaultInjected,
    ev.FaultMissed,
    ev.TokenForwarded,
    ev.CallHeld,
    ev.CallReleased,
)


class IncoherentError(Exception):
    """Records that contradict each other: of a recording, that it was edited; of a live run, a bug of ours.

    `record` is the sequence number of the one that cannot follow those before it.
    """

    def __init__(self, record: int, reason: str) -> None:
        super().__init__(f"record {record}: {reason}")
        self.record = record
        self.reason = reason


def check(records: Iterable[Record]) -> None:
    """Raise IncoherentError at the first record that cannot follow those before it."""
    story = _Story()
    for record in records:
        reason = story.see(record)
        if reason:
            raise IncoherentError(record.sequence, reason)


def check_values(records: Iterable[Record]) -> None:
    """Raise IncoherentError at the first record with a number or a name that no run of ours can have written.

    This is for records out of a file; it costs as much as a whole report, and live records cannot need it.
    """
    for record in records:
        if not _is_sound(record):
            reason = "a number in it is beyond 64 bits, or a name in it is not made of letters and digits"
            raise IncoherentError(record.sequence, reason)


class _Story:
    """What is known so far: the async contexts, the calls, and the last choice."""

    def __init__(self) -> None:
        self._async_contexts: set[Handle] = set()
        self._queued: dict[Handle, ev.CallQueued] = {}
        self._completed: set[Handle] = set()
        self._last_choice = 0

    def see(self, record: Record) -> str:
        """Take the next record; say what is wrong with it, "" for nothing."""
        event = record.event
        if not isinstance(event, _NOT_AN_ENDPOINTS) and record.actor.partition(".")[0] not in SIDES:
            return f"{record.actor} is neither the client nor the server, and cannot have done this"
        match event:
            case ev.AsyncContextCreated():
                if event.async_context is not None:
                    self._async_contexts.add(event.async_context)
                return ""
            case ev.CallQueued():
                return self._see_queued(record, event)
            case ev.CallCompleted():
                return self._someone_elses(record, event.call) or self._see_completed(event)
            case (
                ev.QueueingReturned(call=call)
                | ev.CallbackEntered(call=call)
                | ev.CallbackReturned(call=call)
                | ev.CallbackRaised(call=call)
                | ev.CallbackWaited(call=call)
                | ev.OutputReadEarly(call=call)
                | ev.BufferTouched(call=call)
                | ev.ArgumentsDeviate(call=call)
                | ev.AttributesRead(call=call)
                | ev.CredentialAcquired(call=call)
                | ev.SecurityContextOpened(call=call)
            ):
                return self._someone_elses(record, call) or self._unknown(call)
            case ev.BufferShared(call=call, other=other) | ev.HandleUsedEarly(call=call, owner=other):
                return self._someone_elses(record, call) or self._unknown(call) or self._unknown(other)
            case ev.CallStatusQueried():
                return "" if event.call is None else self._unknown(event.call)
            case _:
                return self._see_rarer(event)

    @staticmethod
    def _someone_elses(record: Record, call: Handle) -> str:
        """An end and its package tell of their own calls alone."""
        return "" if call.actor == record.actor.partition(".")[0] else f"{call} is no call of {record.actor}"

    def _unknown(self, call: Handle) -> str:
        return "" if call in self._queued else f"{call} was never queued"

    def _see_queued(self, record: Record, event: ev.CallQueued) -> str:
        if event.call in self._queued:
            return f"{event.call} was queued before"
        if event.call.kind != HandleKind.CALL or event.call.actor != record.actor.partition(".")[0]:
            return f"{event.call} is not the name of a call of {record.actor}"
        if not event.function.queues:
            return f"{event.function.documented_name} queues no call"
        if event.async_context not in self._async_contexts:
            return f"{event.async_context} was never created"
        self._queued[event.call] = event
        return ""

    def _see_completed(self, event: ev.CallCompleted) -> str:
        queued = self._queued.get(event.call)
        if queued is None:
            return self._unknown(event.call)
        if event.call in self._completed:
            return f"{event.call} completed before"
        if not (_same_shape(queued.input, event.input) and _same_shape(queued.output, event.output)):
            return f"{event.call} completed with other descriptors than it was queued with"
        self._completed.add(event.call)
        return ""

    def _see_rarer(self, event: ev.Event) -> str:
        if isinstance(event, ev.HandshakeBegan) and not 1 <= event.number <= MOST_HANDSHAKES:
            return f"{event.number} is not the number of a handshake"
        if isinstance(event, ev.CallHeld | ev.CallReleased):
            return f"{event.call} completed before" if event.call in self._completed else self._unknown(event.call)
        if isinstance(event, ev.TokenSent | ev.TokenForwarded) and event.leg < 0:
            return f"{event.leg} is not the number of a leg"
        if isinstance(event, ev.ChoiceMade):
            if not self._last_choice < event.step <= MOST_CHOICES or not 0 < event.taken < event.options:
                return f"choice {event.step}, {event.taken} of {event.options}, cannot have been made here"
            self._last_choice = event.step
        return ""


def _is_sound(value: object) -> bool:
    """Say whether every number is one of 64 bits, and every name of an actor one that can be printed."""
    kind = type(value)
    if kind in _HARMLESS:
        return True
    if kind is Handle or kind is Record:
        assert isinstance(value, (Handle, Record)), "told by their types"
        if not _is_name(value.actor):
            return False
    if isinstance(value, tuple):
        return all(map(_is_sound, value))
    if isinstance(value, dict):
        return all(map(_is_sound, value.values()))
    return not isinstance(value, int) or _LOWEST <= value <= _HIGHEST


@lru_cache(maxsize=1024)
def _is_name(text: str) -> bool:
    return _NAME.fullmatch(text) is not None


def _same_shape(before: Images | None, after: Images | None) -> bool:
    """Say whether a descriptor can have become this one: no buffer comes to it or goes away."""
    return (before is None) is (after is None) and len(before or ()) == len(after or ())
