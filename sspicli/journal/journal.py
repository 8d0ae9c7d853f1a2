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

    `sequence` counts from 1. `ticks` is virtual time (microseconds of the stepped clock). `nanoseconds` is measured since the
    journal began. `actor` is who acted: an endpoint, its callback, the package, the wire, the user. `cause` is the
    sequence of the record that led to this one, 0 for none.
    """

    sequence: int
    ticks: int
    nanoseconds: int
    actor: str
    cause: int
    event: Event


class Journal:
    """Append records; let readers subscribe to them."""

    __slots__ = ("_origin", "_subscribers", "records", "ticks")

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.ticks = 0
        self._origin = perf_counter_ns()
        self._subscribers: tuple[Callable[[Record], None], ...] = ()

    def append(self, actor: str, event: Event, cause: int) -> int:
        """Add a record and return its sequence number."""
        records = self.records
        sequence = len(records) + 1
        record = Record(sequence, self.ticks, perf_counter_ns() - self._origin, actor, cause, event)
        records.append(record)
        for subscriber in self._subscribers:
            subscriber(record)
        return sequence

    def subscribe(self, subscriber: Callable[[Record], None]) -> None:
        """Call `subscriber` with every record from now on, right after it was added."""
        self._subscribers = (*self._subscribers, subscriber)

    def since(self, sequence: int) -> list[Record]:
        """Return the records after `sequence`."""
        return self.records[sequence:]
