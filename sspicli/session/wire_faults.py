"""Make the wire misbehave, on the record: tokens tampered with, cut, split, joined, lost, doubled, swapped and late.

Leg N of a handshake is the N-th token that a driver *sent* in that connection, counted as the drivers send them: no
fault changes the count, and whatever a fault makes of leg N (pieces, a copy, a join) still is leg N. Protected data is
no leg. The record of what was sent stays as it is; what goes on in its place is `TokenForwarded`, so both are visible.

A stream keeps its order, as TCP does: what waits on the wire holds up all that was sent behind it. Only `swap` and
`duplicate` break that, because they say so. Lengths inside a token stay as they are. Several faults of one leg act in
the order of `WireFaultKind`; those of one kind in the order in which they were given.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple, Protocol

from sspicli.journal import events as ev
from sspicli.journal.journal import Journal
from sspicli.session.wire import MemoryWire, Parcel
from sspicli.sspi.errors import UsageError

if TYPE_CHECKING:
    from sspicli.session.session import Session


class WireFaultKind(StrEnum):
    """What happens to a leg, in the order in which several of them act."""

    TAMPER = "tamper"
    TRUNCATE = "truncate"
    EXTEND = "extend"
    SPLIT = "split"
    DUPLICATE = "duplicate"
    DROP = "drop"
    JOIN = "join"
    SWAP = "swap"
    DELAY = "delay"


ALTERING = frozenset(
    {WireFaultKind.TAMPER, WireFaultKind.TRUNCATE, WireFaultKind.EXTEND, WireFaultKind.DUPLICATE, WireFaultKind.SWAP}
)
"""The faults after which the peer reads other bytes than were sent, or in another order."""

_FATES = (WireFaultKind.DROP, WireFaultKind.JOIN, WireFaultKind.SWAP, WireFaultKind.DELAY)


@dataclass(frozen=True, slots=True)
class WireFault:
    """One fault: what befalls leg `leg` (from 1) of connection `handshake` (from 1).

    Of a tampering, `at` is an offset (a negative one counts from the end) or `field` the path of a field, and `data`
    is written there, or where `is_xor` joined to what stands there by exclusive or. `data` is also what an extension
    adds. `size` is what a truncation leaves, `offsets` where a split cuts, `ticks` a delay in microseconds of virtual
    time; `text` how the fault was written.
    """

    kind: WireFaultKind
    leg: int
    handshake: int = 1
    at: int = 0
    field: str = ""
    data: bytes = b""
    is_xor: bool = True
    size: int = 0
    offsets: tuple[int, ...] = ()
    ticks: int = 0
    text: str = ""

    @property
    def subject(self) -> str:
        """Name the leg."""
        return f"leg {self.leg}" if self.handshake == 1 else f"handshake {self.handshake} leg {self.leg}"


class Locate(Protocol):
    """Find a field in the last of the tokens of a connection, each with who sent it."""

    def __call__(self, tokens: Sequence[tuple[str, bytes]], path: str) -> tuple[int, int] | str:
        """Give the field's first byte and the one behind its last, or say why there is no such place."""


def check_plan(faults: Sequence[WireFault]) -> None:
    """Refuse a plan that wants more than one of drop, join, swap and delay for one leg."""
    fates: dict[tuple[int, int], WireFault] = {}
    for fault in faults:
        if fault.kind in _FATES:
            other = fates.setdefault((fault.handshake, fault.leg), fault)
            if other is not fault:
                raise UsageError(
                    f"{other.text} and {fault.text} exclude each other",
                    where="--fault",
                    help="a leg is dropped, joined, swapped or delayed, and once",
                )


def _place_in_order(fault: WireFault) -> int:
    return list(WireFaultKind).index(fault.kind)


class _Waiting(NamedTuple):
    """Parcels of one leg on their way; `fate` is the fault that holds them up, None for nothing."""

    parcels: list[Parcel]
    fate: WireFault | None


class _MissedError(Exception):
    """A fault could not happen; the reason."""


class FaultyWire:
    """A wire that lets the faults of a plan happen to the legs that are put on it.

    `attach` joins it to its session, which puts what is forwarded under way.
    """

    def __init__(
        self, inner: MemoryWire, faults: Sequence[WireFault], journal: Journal, locate: Locate | None = None
    ) -> None:
        check_plan(faults)
        self.sent_records = inner.sent_records
        self.connect, self.send = inner.connect, inner.send
        self.arrive, self.receive = inner.arrive, inner.receive
        self._inner = inner
        self._faults = sorted(faults, key=_place_in_order)
        self._journal = journal
        self._locate = locate
        self._launch: Callable[[Parcel], None]
        self._later: Callable[[int, Callable[[], None]], None]
        self._lanes: dict[tuple[str, int], deque[_Waiting]] = {}
        self._tokens: dict[int, list[tuple[str, bytes]]] = {}
        self._lost: list[str] = []

    def add(self, fault: WireFault) -> None:
        """Put one more fault into the plan, for what is still to be sent; UsageError where it excludes another."""
        check_plan([*self._faults, fault])
        self._faults = sorted([*self._faults, fault], key=_place_in_order)

    def attach(self, session: Session) -> None:
        """Let a session put on this wire what it sends, and put under way what this wire lets go on."""
        self._launch, self._later = session.traffic.launch, session.later
        session.traffic.forward, session.wire_waits = self.forward, self.waits

    def forward(self, parcel: Parcel, cause: int) -> None:
        """Take what was sent, with the record of it; let go on what the plan makes of it."""
        sender = self._inner.peer_of(parcel.receiver)
        connection = self._inner.connection_of(sender)
        lane = self._lanes.setdefault((parcel.receiver, connection), deque())
        faults = [one for one in self._faults if (one.leg, one.handshake) == (parcel.leg, connection)]
        self._tokens.setdefault(connection, []).append((sender, parcel.data))
        parcels = self._altered(parcel, faults, connection, cause)
        fate = next((one for one in faults if one.kind in _FATES), None)
        if fate is not None:
            self._injected(fate, self._fate_in_words(fate, sender), cause)
        if fate is not None and fate.kind is WireFaultKind.DROP:
            self._lose(parcels, fate)
            return
        self._take_place(lane, _Waiting(parcels, fate), connection, cause)
        if fate is not None and fate.kind is WireFaultKind.DELAY:
            self._later(fate.ticks, lambda: self._is_due(lane, fate))
        self._let_go(lane)

    def close(self, sender: str) -> None:
        """Close an endpoint's sending side; what waited for more of it goes on as it is."""
        lane = self._lanes.get((self._inner.peer_of(sender), self._inner.connection_of(sender)), deque())
        if lane and self._waits_for_next(lane[-1]):
            lane[-1] = lane[-1]._replace(fate=None)
            self._let_go(lane)
        self._inner.close(sender)

    def waits(self) -> tuple[str, ...]:
        """Say what does not arrive, and why."""
        held = (
            f"{one.fate.subject} waits on the wire ({one.fate.text})"
            for lane in self._lanes.values()
            for one in lane
            if one.fate is not None
        )
        return (*self._lost, *held)

    # -- what becomes of the bytes -------------------------------------------------------------------------------------

    def _altered(self, parcel: Parcel, faults: Sequence[WireFault], connection: int, cause: int) -> list[Parcel]:
        """Make of a parcel what the plan says, on record; the parcel itself where its bytes stay."""
        pieces = [parcel.data]
        for fault in faults:
            if fault.kind in _FATES:
                continue
            try:
                pieces, detail = self._act(fault, pieces, connection)
            except _MissedError as missed:
                self._journal.append("fault plan", ev.FaultMissed(fault.subject, str(missed), fault.text), cause)
            else:
                self._injected(fault, detail, cause)
        first = parcel
        if pieces[0] != parcel.data:
            self._inner.lose(parcel)
            first = self._put(parcel._replace(data=pieces[0]), (parcel.number,), connection, cause)
        return [first, *(self._put(parcel._replace(data=piece), (), connection, cause) for piece in pieces[1:])]

    def _act(self, fault: WireFault, pieces: list[bytes], connection: int) -> tuple[list[bytes], str]:
        """Do one fault to the pieces; until a split there is one."""
        data = pieces[0]
        match fault.kind:
            case WireFaultKind.TAMPER:
                start, end = self._place(fault, data, connection)
                return tampered(fault, data, start, end=end)
            case WireFaultKind.TRUNCATE:
                if fault.size >= len(data):
                    raise _MissedError(f"it has {len(data)} bytes, so there is nothing to cut off")
                return [data[: fault.size]], f"{fault.size} of {len(data)} bytes are left"
            case WireFaultKind.EXTEND:
                return [data + fault.data], f"{len(data)} bytes became {len(data) + len(fault.data)}"
            case WireFaultKind.SPLIT:
                return _split(data, fault.offsets)
            case _:
                return pieces * 2, "it arrives twice"

    def _place(self, fault: WireFault, data: bytes, connection: int) -> tuple[int, int]:
        """Find the bytes to tamper with."""
        if not fault.field:
            start = fault.at + (len(data) if fault.at < 0 else 0)
            if not 0 <= start <= len(data) - len(fault.data):
                raise _MissedError(f"it has {len(data)} bytes, and {len(fault.data)} at {fault.at} are not among them")
            return start, len(data)
        if self._locate is None:
            raise _MissedError("nothing here reads tokens, so fields cannot be found")
        found = self._locate(self._tokens[connection], fault.field)
        if isinstance(found, str):
            raise _MissedError(found)
        if found[1] - found[0] < len(fault.data):
            size = found[1] - found[0]
            raise _MissedError(f"{fault.field} has {size} bytes, and {len(fault.data)} were to be written")
        return found

    def _put(self, parcel: Parcel, replaces: tuple[int, ...], connection: int, cause: int) -> Parcel:
        """Put other bytes on the wire, on record."""
        put = self._inner.add(connection, *parcel[1:])
        event = ev.TokenForwarded(*put, replaces)
        self.sent_records[put.number] = self._journal.append("fault plan", event, cause)
        return put

    def _injected(self, fault: WireFault, detail: str, cause: int) -> None:
        self._journal.append("fault plan", ev.FaultInjected(fault.kind.value, fault.subject, detail, fault.text), cause)

    # -- when it goes on -----------------------------------------------------------------------------------------------

    @staticmethod
    def _fate_in_words(fate: WireFault, sender: str) -> str:
        match fate.kind:
            case WireFaultKind.DROP:
                return "it never arrives"
            case WireFaultKind.DELAY:
                return f"{fate.ticks} ticks"
            case WireFaultKind.JOIN:
                return f"it waits for what the {sender} sends next, to go on together with it"
            case _:
                return f"it waits for what the {sender} sends next, to go on behind it"

    def _lose(self, parcels: Sequence[Parcel], fate: WireFault) -> None:
        for parcel in parcels:
            self._inner.lose(parcel)
        self._lost.append(f"{fate.subject} never arrives ({fate.text})")

    @staticmethod
    def _waits_for_next(one: _Waiting) -> bool:
        return one.fate is not None and one.fate.kind in (WireFaultKind.JOIN, WireFaultKind.SWAP)

    def _take_place(self, lane: deque[_Waiting], new: _Waiting, connection: int, cause: int) -> None:
        """Stand behind what was sent before; who waited for this is joined to it, or stands behind it."""
        if not lane or not self._waits_for_next(lane[-1]):
            lane.append(new)
            return
        before = lane.pop()
        assert before.fate is not None, "what waits for the next has a fault that says so"
        if before.fate.kind is WireFaultKind.SWAP:
            lane.append(new)
            lane.append(before._replace(fate=None))
            return
        *ahead, last = before.parcels
        first, *behind = new.parcels
        joined = self._put(last._replace(data=last.data + first.data), (last.number, first.number), connection, cause)
        self._inner.lose(last)
        self._inner.lose(first)
        lane.append(_Waiting([*ahead, joined, *behind], new.fate))

    def _is_due(self, lane: deque[_Waiting], fate: WireFault) -> None:
        """Let what was delayed go on, and what stands behind it."""
        for index, one in enumerate(lane):
            if one.fate is fate:
                lane[index] = one._replace(fate=None)
        self._let_go(lane)

    def _let_go(self, lane: deque[_Waiting]) -> None:
        """Put under way all that nothing holds up."""
        while lane and lane[0].fate is None:
            for parcel in lane.popleft().parcels:
                self._launch(parcel)


def tampered(fault: WireFault, data: bytes, start: int, *, end: int) -> tuple[list[bytes], str]:
    """Write over bytes, or join them by exclusive or; nothing beyond `end` is touched, and the length stays."""
    stop = start + len(fault.data)
    assert stop <= end, "what is written was measured"
    old = data[start:stop]
    new = bytes(a ^ b for a, b in zip(old, fault.data, strict=True)) if fault.is_xor else fault.data
    where = f"{fault.field} at byte {start}" if fault.field else f"byte {start}"
    shown = f"{_shown(old)} became {_shown(new)}" if old != new else f"{_shown(old)} stood there already"
    return [data[:start] + new + data[stop:]], f"{where}: {shown}"


_SHOWN = 8


def _shown(data: bytes) -> str:
    return data[:_SHOWN].hex(" ") + (" ..." if len(data) > _SHOWN else "")


def _split(data: bytes, offsets: tuple[int, ...]) -> tuple[list[bytes], str]:
    cuts = [0, *(one for one in offsets if one < len(data)), len(data)]
    if len(cuts) == 2:
        raise _MissedError(f"it has {len(data)} bytes, so there is nothing to cut there")
    pieces = [data[start:end] for start, end in pairwise(cuts)]
    return pieces, f"it goes on as {' + '.join(str(len(one)) for one in pieces)} bytes"
