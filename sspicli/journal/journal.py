"""The one append-only stream of records: what happened, in order, with what led to it.

Laws: readers never write and writers never read; one writer per journal, so no locks; everything shown, exported or
judged is a fold of these records and of nothing else.
"""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter_ns
from typing import NamedTuple

from sspicli.journal.events import Event


class Record(NamedTuple):
    """One line of the journal.

    `sequence` counts from 1. `ticks` is virtual time (microseconds of the stepped clock). `nanoseconds` is measured
    since the journal began. `actor` is who acted: an endpoint, its callback, the package, the wire, the user. `cause`
    is the sequence of the record that led to this one, 0 for none.
    """

    sequence: int
    ticks: int
    nanoseconds: int
    actor: str
    cause: int
    event: Event


_WIDTH = 5


class Journal:
    """Append records; let readers subscribe to them.

    An append keeps five values in one flat list (about 0.1 µs, and nothing for the garbage collector to visit); they
    become a `Record` when they are looked at.
    """

    __slots__ = ("_origin", "_records", "_subscribers", "_values", "ticks")

    def __init__(self) -> None:
        self.ticks = 0
        self._values: list[object] = []  # ticks, nanoseconds, actor, cause and event of each record in turn
        self._records: list[Record] = []
        self._origin = perf_counter_ns()
        self._subscribers: tuple[Callable[[Record], None], ...] = ()

    def __len__(self) -> int:
        return len(self._values) // _WIDTH

    def append(self, actor: str, event: Event, cause: int) -> int:
        """Add a record and return its sequence number."""
        values = self._values
        values += (self.ticks, perf_counter_ns() - self._origin, actor, cause, event)
        sequence = len(values) // _WIDTH
        if self._subscribers:
            record = Record(sequence, *values[-_WIDTH:])  # type: ignore[arg-type]
            for subscriber in self._subscribers:
                subscriber(record)
        return sequence

    @property
    def records(self) -> list[Record]:
        """All records so far, in order."""
        done = len(self._records)
        if done < len(self):
            self._records.extend(self.since(done))
        return self._records

    def since(self, sequence: int) -> list[Record]:
        """Copy the records after number `sequence`; any thread may ask, as one writer appends and nothing changes."""
        values = iter(self._values[sequence * _WIDTH : len(self) * _WIDTH])
        rows = zip(*[values] * _WIDTH, strict=True)
        return [Record(number, *row) for number, row in enumerate(rows, sequence + 1)]

    @property
    def nanoseconds(self) -> int:
        """Say how long ago this journal began, on the clock that its records are stamped with."""
        return perf_counter_ns() - self._origin

    def subscribe(self, subscriber: Callable[[Record], None]) -> None:
        """Call `subscriber` with every record from now on, right after it was added."""
        self._subscribers = (*self._subscribers, subscriber)

    def unsubscribe(self, subscriber: Callable[[Record], None]) -> None:
        """Call it no more."""
        self._subscribers = tuple(one for one in self._subscribers if one is not subscriber)
