"""The passage of one leg: the call that made its token, and the calls and messages of the peer that took it.

A token may be taken by several calls (SEC_E_INCOMPLETE_MESSAGE, or EXTRA bytes passed again), and after the handshake
by DecryptMessage; who took it shows in the buffers: those after its delivery that hold its bytes or an end of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from sspicli.analysis.calls import Call, Leg
from sspicli.analysis.report import Report
from sspicli.journal import events as ev
from sspicli.journal.events import Images
from sspicli.journal.journal import Record
from sspicli.sspi.status import SecurityStatus


class Opening(NamedTuple):
    """A DecryptMessage that took a token, by its record."""

    sequence: int
    endpoint: str
    event: ev.MessageDecrypted

    @property
    def status(self) -> SecurityStatus:
        """What it returned."""
        return self.event.status


class Passage(NamedTuple):
    """A leg from end to end; `delivered` is the record of its arrival, 0 when it never arrived."""

    leg: Leg
    maker: Call | None
    delivered: int
    takers: tuple[Call | Opening, ...]


def passage(report: Report, records: Sequence[Record], number: int) -> Passage | None:
    """Follow leg `number` of the handshake that is reported; None when there is no such leg."""
    leg = next((one for one in report.legs if one.number == number), None)
    if leg is None:
        return None
    delivered = _delivery(records, leg)
    takers = tuple(_takers(report, records, leg, delivered)) if delivered else ()
    maker = next((call for call in report.calls if call.handle == leg.call and call.leg == number), None)
    return Passage(leg, maker, delivered, takers)


def _delivery(records: Sequence[Record], leg: Leg) -> int:
    """Find the record of a leg's arrival, or of the first of what a fault plan made of it; 0 for none."""
    parcels: set[int] = set()
    for record in records:
        event = record.event
        if (record.sequence == leg.sequence and isinstance(event, ev.TokenSent)) or (
            isinstance(event, ev.TokenForwarded) and not parcels.isdisjoint(event.replaces)
        ):
            parcels.add(event.number)
        elif isinstance(event, ev.TokenDelivered) and event.number in parcels:
            return record.sequence
    return 0


def _takers(report: Report, records: Sequence[Record], leg: Leg, delivered: int) -> Iterator[Call | Opening]:
    calls = {call.sequence: call for call in report.calls}
    tokens = [leg.data, *(one.data for one in leg.forwarded)]
    for record in records:
        event, actor = record.event, record.actor.partition(".")[0]
        if record.sequence <= delivered or actor == leg.sender:
            continue
        if isinstance(event, ev.HandshakeBegan):
            return
        if isinstance(event, ev.CallQueued) and _holds(event.input, tokens) and record.sequence in calls:
            yield calls[record.sequence]
        elif isinstance(event, ev.MessageDecrypted) and _holds(event.before, tokens):
            yield Opening(record.sequence, actor, event)


def _holds(images: Images | None, tokens: Iterable[bytes]) -> bool:
    """Say whether a descriptor holds a token, or what was left of it; an end of a record is at least its header."""
    for one in images or ():
        data = one.data or b""
        for token in tokens:
            if token and (token in data or (len(data) >= _HEADER and token.endswith(data))):
                return True
    return False


_HEADER = 5
