"""What a run amounts to in numbers: calls by function and status, how long they were pending, bytes, messages, polls.

Percentiles are nearest-rank: each is a time that was measured, never one between two.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from sspicli.journal import events as ev
from sspicli.journal.journal import Record
from sspicli.sspi.functions import Function
from sspicli.sspi.handles import Handle
from sspicli.sspi.status import SecurityStatus


class Spread(NamedTuple):
    """How times spread, in nanoseconds measured: the least, the median, the 95th percentile and the most."""

    least: int
    median: int
    p95: int
    most: int


@dataclass(slots=True)
class FunctionStats:
    """The calls of one function: how they were answered at queueing, what they completed with, how long that took."""

    function: Function
    queued: int = 0
    refused: Counter[SecurityStatus] = field(default_factory=Counter)
    statuses: Counter[SecurityStatus] = field(default_factory=Counter)
    never_completed: int = 0
    inline: int = 0
    pending_nanoseconds: list[int] = field(default_factory=list)
    engine_nanoseconds: list[int] = field(default_factory=list)

    @property
    def pending(self) -> Spread | None:
        """Say how long its calls were pending; None when none completed."""
        return spread(self.pending_nanoseconds)


@dataclass(slots=True)
class EndStats:
    """What one end did besides its calls. `tokens` and `data` count what it put on the wire, and their bytes."""

    name: str
    callbacks: int = 0
    status_queries: int = 0
    pending_answers: int = 0
    tokens: int = 0
    token_bytes: int = 0
    data: int = 0
    data_bytes: int = 0
    messages: Counter[str] = field(default_factory=Counter)
    attributes: int = 0


@dataclass(slots=True)
class Stats:
    """A whole run in numbers."""

    records: int
    ticks: int
    nanoseconds: int
    handshakes: int
    choices: int
    functions: tuple[FunctionStats, ...]
    ends: tuple[EndStats, ...]


def spread(times: Sequence[int]) -> Spread | None:
    """Say how times spread; None for no times."""
    if not times:
        return None
    ordered = sorted(times)
    return Spread(ordered[0], _rank(ordered, 50), _rank(ordered, 95), ordered[-1])


def _rank(ordered: Sequence[int], percent: int) -> int:
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]


def stats(records: Sequence[Record]) -> Stats:
    """Count a run."""
    fold = _Fold()
    for record in records:
        fold.see(record)
    for call, (queued, _) in fold.under_way.items():
        fold.function(queued.function).never_completed += call not in fold.completed
    return Stats(
        records=len(records),
        ticks=records[-1].ticks if records else 0,
        nanoseconds=records[-1].nanoseconds if records else 0,
        handshakes=fold.handshakes,
        choices=fold.choices,
        functions=tuple(fold.functions[function] for function in Function if function in fold.functions),
        ends=tuple(fold.ends[name] for name in sorted(fold.ends)),
    )


class _Fold:
    def __init__(self) -> None:
        self.functions: dict[Function, FunctionStats] = {}
        self.ends: dict[str, EndStats] = {}
        self.under_way: dict[Handle, tuple[ev.CallQueued, int]] = {}
        self.completed: set[Handle] = set()
        self.handshakes = 0
        self.choices = 0

    def function(self, function: Function) -> FunctionStats:
        return self.functions.setdefault(function, FunctionStats(function))

    def _end(self, actor: str) -> EndStats:
        name = actor.partition(".")[0]
        return self.ends.setdefault(name, EndStats(name))

    def see(self, record: Record) -> None:
        event = record.event
        match event:
            case ev.CallQueued():
                self.under_way[event.call] = event, record.nanoseconds
                self.function(event.function).queued += 1
            case ev.CallRefused():
                self.function(event.function).refused[event.queue_status] += 1
            case ev.QueueingReturned():
                queued, _ = self.under_way[event.call]
                self.function(queued.function).inline += event.call in self.completed
            case ev.CallCompleted():
                self._completed(record, event)
            case ev.HandshakeBegan():
                self.handshakes = max(self.handshakes, event.number)
            case ev.ChoiceMade():
                self.choices += 1
            case _:
                self._see_end(record)

    def _completed(self, record: Record, event: ev.CallCompleted) -> None:
        queued, since = self.under_way[event.call]
        self.completed.add(event.call)
        counted = self.function(queued.function)
        counted.statuses[event.status] += 1
        counted.pending_nanoseconds.append(record.nanoseconds - since)
        counted.engine_nanoseconds.append(event.engine_nanoseconds)

    def _see_end(self, record: Record) -> None:
        event = record.event
        match event:
            case ev.CallbackEntered():
                self._end(record.actor).callbacks += 1
            case ev.CallStatusQueried():
                end = self._end(record.actor)
                end.status_queries += 1
                end.pending_answers += event.status == SecurityStatus.SEC_I_ASYNC_CALL_PENDING
            case ev.TokenSent():
                self._sent(self._end(record.actor), event)
            case ev.MessageEncrypted():
                self._end(record.actor).messages[f"EncryptMessage {event.status.name}"] += 1
            case ev.MessageDecrypted():
                self._end(record.actor).messages[f"DecryptMessage {event.status.name}"] += 1
            case ev.AttributeQueried():
                self._end(record.actor).attributes += 1
            case _:
                pass

    @staticmethod
    def _sent(end: EndStats, event: ev.TokenSent) -> None:
        if event.leg:
            end.tokens += 1
            end.token_bytes += len(event.data)
        else:
            end.data += 1
            end.data_bytes += len(event.data)
