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


class Journal:
    """Append records; let readers subscribe to them.

    An append keeps a plain tuple (about 0.1 µs); it becomes a `Record` when it is looked at.
    """

    __slots__ = ("_entries", "_origin", "_records", "_subscribers", "ticks")

    def __init__(self) -> None:
        self.ticks = 0
        self._entries: list[tuple[int, int, str, int, Event]] = []
        self._records: list[Record] = []
        self._origin = perf_counter_ns()
        self._subscribers: tuple[Callable[[Record], None], ...] = ()

    def __len__(self) -> int:
        return len(self._entries)

    def append(self, actor: str, event: Event, cause: int) -> int:
        """Add a record and return its sequence number."""
        entries = self._entries
        entries.append((self.ticks, perf_counter_ns() - self._origin, actor, cause, event))
        sequence = len(entries)
        if self._subscribers:
            record = Record(sequence, *entries[-1])
            for subscriber in self._subscribers:
                subscriber(record)
        return sequence

    @property
    def records(self) -> list[Record]:
        """All records so far, in order."""
        done = len(self._records)
        if done < len(self._entries):
            self._records.extend(self.since(done))
        return self._records

    def since(self, sequence: int) -> list[Record]:
        """Copy the records after number `sequence`; any thread may ask, as one writer appends and nothing changes."""
        return [Record(number, *one) for number, one in enumerate(self._entries[sequence:], sequence + 1)]

    @property
    def nanoseconds(self) -> int:
        """Say how long ago this journal began, on the clock that its records are stamped with."""
        return perf_counter_ns() - self._origin

    def subscribe(self, subscriber: Callable[[Record], None]) -> None:
        """Call `subscriber` with every record from now on, right after it was added."""
        self._subscribers = (*self._subscribers, subscriber)
