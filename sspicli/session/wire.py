"""What carries bytes between two endpoints: in memory here, in order, and nothing is lost.

A wire numbers what is put on it and keeps, for each connection, what has arrived and not been read. Each token is a
leg: legs count from 1 in each connection. Faults wrap a wire (see `wire_faults.py`).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import NamedTuple, Protocol


class Parcel(NamedTuple):
    """Something put on the wire: its number, the leg it makes (0 for protected data), for whom, and its bytes."""

    number: int
    leg: int
    receiver: str
    data: bytes


class Wire(Protocol):
    """Carries parcels; the session decides when each arrives."""

    sent_records: dict[int, int]

    def connect(self, endpoint: str, number: int) -> None:
        """Move an endpoint to connection `number`."""

    def send(self, sender: str, data: bytes, *, is_token: bool) -> Sequence[Parcel]:
        """Put bytes on the wire; what comes of them (none when lost, several when split or duplicated)."""

    def arrive(self, number: int, receiver: str, cause: int) -> None:
        """Let a parcel arrive; `cause` is the record of its delivery."""

    def receive(self, receiver: str) -> tuple[bytes, int] | None:
        """Take what has arrived next: its bytes and cause; b"" once the peer has closed; None for nothing yet."""

    def close(self, sender: str) -> None:
        """Close an endpoint's sending side."""


class MemoryWire:
    """Two endpoints in one process; connections follow each other."""

    def __init__(self, endpoints: tuple[str, ...]) -> None:
        assert len(endpoints) == 2, "a wire has two ends"
        first, second = endpoints
        self.sent_records: dict[int, int] = {}
        self._peer = {first: second, second: first}
        self._connection = dict.fromkeys(endpoints, 0)
        self._legs: dict[int, int] = {}
        self._under_way: dict[int, tuple[int, bytes]] = {}
        self._in_flight: dict[tuple[str, int], int] = {}
        self._inbox: dict[tuple[str, int], deque[tuple[bytes, int]]] = {}
        self._closed: set[tuple[str, int]] = set()
        self._number = 0

    def connect(self, endpoint: str, number: int) -> None:
        """Move an endpoint to connection `number`."""
        self._connection[endpoint] = number

    def send(self, sender: str, data: bytes, *, is_token: bool) -> Sequence[Parcel]:
        """Put bytes on the wire, whole."""
        connection, receiver = self._connection[sender], self._peer[sender]
        leg = 0
        if is_token:
            leg = self._legs[connection] = self._legs.get(connection, 0) + 1
        return (self.add(connection, leg, receiver, data),)

    def add(self, connection: int, leg: int, receiver: str, data: bytes) -> Parcel:
        """Put one more parcel on the wire of a connection; it makes no leg of its own."""
        self._number += 1
        self._under_way[self._number] = (connection, data)
        key = receiver, connection
        self._in_flight[key] = self._in_flight.get(key, 0) + 1
        return Parcel(self._number, leg, receiver, data)

    def lose(self, parcel: Parcel) -> None:
        """Take a parcel off the wire: it never arrives."""
        connection, _ = self._under_way.pop(parcel.number)
        self._in_flight[parcel.receiver, connection] -= 1

    def connection_of(self, sender: str) -> int:
        """Say which connection an endpoint is in."""
        return self._connection[sender]

    def peer_of(self, endpoint: str) -> str:
        """Name who is at the other end."""
        return self._peer[endpoint]

    def arrive(self, number: int, receiver: str, cause: int) -> None:
        """Let a parcel arrive."""
        connection, data = self._under_way.pop(number)
        key = receiver, connection
        self._in_flight[key] -= 1
        self._inbox.setdefault(key, deque()).append((data, cause))

    def receive(self, receiver: str) -> tuple[bytes, int] | None:
        """Take what has arrived next."""
        connection = self._connection[receiver]
        inbox = self._inbox.get((receiver, connection))
        if inbox:
            return inbox.popleft()
        has_ended = (self._peer[receiver], connection) in self._closed
        return (b"", 0) if has_ended and not self._in_flight.get((receiver, connection)) else None

    def close(self, sender: str) -> None:
        """Close an endpoint's sending side."""
        self._closed.add((sender, self._connection[sender]))
