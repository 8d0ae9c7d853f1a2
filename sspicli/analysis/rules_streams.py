"""The rules of the bytes between two ends (C005 to C008, C013, and NULL for a security context, D016), from records.

Two ledgers. Of each end: the tokens its legs made, and what it sent of them. Of each end and connection: the bytes that
were delivered to it as one stream, and how far its calls have consumed it; each call must be fed from there on.

The rule guarded here: nothing is said of bytes that cannot be told from the records. A stream of which something is not
known (a parcel nobody sent, bytes of a program's own making, two security contexts on one connection) is left alone
from there on.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, NamedTuple

from sspicli.analysis.calls import LEG_FUNCTIONS
from sspicli.analysis.finding import FINISHED, Finding, found
from sspicli.journal import events as ev
from sspicli.journal.events import Images
from sspicli.journal.journal import Record
from sspicli.sspi.buffers import ATTRIBUTE_MASK, BufferType
from sspicli.sspi.handles import Handle
from sspicli.sspi.status import SecurityStatus

_S = SecurityStatus
_FIRST_ERROR = 0x80000000
_REPEATED = frozenset({_S.SEC_I_INCOMPLETE_CREDENTIALS, _S.SEC_E_INSUFFICIENT_MEMORY, _S.SEC_E_BUFFER_TOO_SMALL})
"""The statuses after which the same input is passed again."""

_KIND = ~ATTRIBUTE_MASK
_TOKEN, _DATA = int(BufferType.TOKEN), int(BufferType.DATA)
_TELLING = 4  # fewer bytes than these may stand anywhere by chance
_EXTRA, _MISSING = int(BufferType.EXTRA), int(BufferType.MISSING)


class _Owed(NamedTuple):
    """What is left to send of a token that a leg made."""

    call: Handle
    security_context: Handle | None
    left: bytes
    token: bytes
    sequence: int


class _End:
    """One end: its connection, the tokens it owes its peer, and those it sent in this connection."""

    __slots__ = ("connection", "owed", "sent")

    def __init__(self) -> None:
        self.connection = 0
        self.owed: list[_Owed] = []
        self.sent: dict[bytes, int] = {}


class _Stream:
    """The bytes delivered to one end in one connection, and how far they were consumed.

    `ends` are the places where a parcel ends. `at` is where the next input must begin, `fed_to` where the last one
    ended. `status`, `extra` and `missing` are what the last call said of its input, `sequence` the record that says so.
    """

    __slots__ = (
        "at", "data", "ends", "extra", "fed_to", "is_known", "is_leg", "is_pending", "missing",
        "security_context", "sequence", "status",
    )  # fmt: skip

    def __init__(self) -> None:
        self.data = bytearray()
        self.ends = {0}
        self.at = self.fed_to = self.extra = self.missing = self.sequence = 0
        self.is_known = True
        self.is_pending = self.is_leg = False
        self.status: SecurityStatus | None = None
        self.security_context: Handle | None = None


class StreamMonitor:
    """Report tokens that were not sent, or wrongly, and input that was not what came next."""

    def __init__(self) -> None:
        self.findings: list[Finding] = []
        self._ends: dict[str, _End] = {}
        self._streams: dict[tuple[str, int], _Stream] = {}
        self._parcels: dict[int, tuple[int, bytes]] = {}
        self._legs: dict[Handle, tuple[_Stream, int]] = {}
        self._sent_in: dict[int, int] = {}  # by record: the connection

    def see(self, record: Record) -> None:
        """Take the next record."""
        self.WATCH[type(record.event)](self, record)

    def end(self, last: int, reason: str) -> None:
        """Report what was never sent and never fed, where the programs had all the time there is."""
        if reason not in (FINISHED, "stuck"):
            return
        for end in self._ends.values():
            for owed in end.owed:
                words = f"{len(owed.left)} B of its token were never sent"
                self._report("C005", owed.call, words, owed.sequence, last)
        for (name, _), stream in self._streams.items():
            if stream.is_known and stream.is_leg and not stream.is_pending:
                self._left_over(name, stream, last, is_finished=reason == FINISHED)

    def _left_over(self, name: str, stream: _Stream, last: int, *, is_finished: bool) -> None:
        """Report input that a leg asked for and no later call brought."""
        if stream.status == _S.SEC_I_CONTINUE_NEEDED and stream.extra:
            words = f"{stream.extra} B of SECBUFFER_EXTRA were never passed on"
            self._report("C006", name, words, stream.sequence, last)
        elif stream.status == _S.SEC_E_INCOMPLETE_MESSAGE and is_finished and stream.fed_to < len(stream.data):
            words = f"{len(stream.data) - stream.fed_to} B more arrived, and no further call was made"
            self._report("C007", name, words, stream.sequence, last)

    # -- the wire ------------------------------------------------------------------------------------------------------

    def _end(self, record: Record) -> tuple[str, _End]:
        name = record.actor.partition(".")[0]
        end = self._ends.get(name)
        if end is None:
            end = self._ends[name] = _End()
        return name, end

    def _stream(self, name: str, connection: int) -> _Stream:
        stream = self._streams.get((name, connection))
        if stream is None:
            stream = self._streams[name, connection] = _Stream()
        return stream

    def _began(self, record: Record) -> None:
        event = record.event
        assert isinstance(event, ev.HandshakeBegan), "dispatched by type"
        _, end = self._end(record)
        end.connection, end.sent = event.number, {}

    def _sent(self, record: Record) -> None:
        event = record.event
        assert isinstance(event, ev.TokenSent), "dispatched by type"
        name, end = self._end(record)
        self._parcels[event.number] = end.connection, event.data
        self._sent_in[record.sequence] = end.connection
        if end.owed:
            self._pay(name, end, event.data, record.sequence)
        elif event.data in end.sent:
            words = "it was sent once more"
            self._report("C013", name, words, end.sent[event.data], record.sequence)
        else:
            self._echo(name, end, event.data, record.sequence)

    def _pay(self, name: str, end: _End, data: bytes, sequence: int) -> None:
        """Take what was sent off what is owed: a whole token, a piece of one, or several with what else goes along."""
        for place, owed in enumerate(end.owed):
            if owed.left == data:
                self._paid(end, place, sequence)
                return
        for place, owed in enumerate(end.owed):
            if owed.left.startswith(data):
                end.owed[place] = owed._replace(left=owed.left[len(data) :])
                return
            if data.startswith(owed.left):
                self._paid(end, place, sequence)
                if end.owed:
                    self._pay(name, end, data[len(owed.left) :], sequence)
                return
        if data in end.sent:
            self._report("C013", name, "it was sent once more", end.sent[data], sequence)
        else:
            self._echo(name, end, data, sequence)

    def _paid(self, end: _End, place: int, sequence: int) -> None:
        """Strike out a token that was sent; the tokens of one security context keep their order."""
        paid = end.owed.pop(place)
        end.sent[paid.token] = sequence
        for other in end.owed[:place]:
            is_its_own = other.security_context is not None and other.security_context == paid.security_context
            if is_its_own and other.token not in end.sent:  # equal tokens cannot be told apart
                self._report("C013", paid.call, f"its token overtook that of {other.call}", sequence)
                return

    def _echo(self, name: str, end: _End, data: bytes, sequence: int) -> None:
        """Report a token that is sent back to where it came from."""
        for peer_name, peer in self._ends.items():
            if peer_name != name and peer.connection == end.connection and data in peer.sent:
                words = f"a token of the {peer_name}'s own was sent back to it"
                self._report("C013", name, words, peer.sent[data], sequence)

    def _forwarded(self, record: Record) -> None:
        event = record.event
        assert isinstance(event, ev.TokenForwarded), "dispatched by type"
        self._parcels[event.number] = self._sent_in.get(record.cause, 0), event.data

    def _delivered(self, record: Record) -> None:
        event = record.event
        assert isinstance(event, ev.TokenDelivered), "dispatched by type"
        parcel = self._parcels.get(event.number)
        if parcel is None:  # somebody made it on the way
            end = self._ends.get(event.receiver)
            self._stream(event.receiver, 0 if end is None else end.connection).is_known = False
            return
        connection, data = parcel
        stream = self._stream(event.receiver, connection)
        stream.data += data
        stream.ends.add(len(stream.data))

    # -- what is fed ---------------------------------------------------------------------------------------------------

    def _queued(self, record: Record) -> None:
        event = record.event
        assert isinstance(event, ev.CallQueued), "dispatched by type"
        if event.function not in LEG_FUNCTIONS:
            return
        name, end = self._end(record)
        stream = self._stream(name, end.connection)
        data = _bytes_of(event.input, _TOKEN)
        self._legs[event.call] = stream, len(data)
        if stream.is_pending:
            stream.is_known = False
        stream.is_pending = True
        if not data or not stream.is_known:
            return
        if event.security_context != stream.security_context and stream.security_context is not None:
            self._other_context(event, stream, data, record.sequence)
        else:
            self._feed(name, end, stream, data, record.sequence)

    def _other_context(self, event: ev.CallQueued, stream: _Stream, data: bytes, sequence: int) -> None:
        """Report the next bytes of a connection's handshake passed with another security context than it has."""
        if data and stream.data.startswith(data, stream.at) and stream.status == _S.SEC_I_CONTINUE_NEEDED:
            given = event.security_context or "NULL"
            words = f"it was given {given}, and a leg had returned {stream.security_context}"
            self._report("D016", event.call, words, stream.sequence, sequence)
        stream.is_known = False

    def _feed(self, name: str, end: _End, stream: _Stream, data: bytes, sequence: int) -> None:
        """Judge an input: it must begin with what was not consumed yet."""
        if not stream.data.startswith(data, stream.at):
            stream.is_known = False
            code, words = self._what_went_wrong(end, stream, data)
            if code:
                self._report(code, name, words, *([stream.sequence] if stream.sequence else []), sequence)
            return
        before, stream.fed_to = stream.fed_to, stream.at + len(data)
        exact = before + stream.missing if stream.missing else 0
        if exact == stream.fed_to < len(stream.data) and exact not in stream.ends:
            words = f"just the {stream.missing} B of SECBUFFER_MISSING were read, and more was there"
            self._report("C008", name, words, stream.sequence, sequence)

    @staticmethod
    def _what_went_wrong(end: _End, stream: _Stream, data: bytes) -> tuple[str, str]:
        """Say by which rule an input is wrong that is not what comes next; "" where nothing explains it."""
        same = 0 if stream.data.find(data) >= 0 else _common(stream.data, stream.at, data)
        rest = data[same:]
        if len(rest) >= _TELLING and stream.data.find(rest, stream.at + same) < 0:
            if stream.data.find(data) >= 0 or 0 <= stream.data.find(rest) < stream.at + same:
                code = "C006" if stream.extra else "C013"
                return code, "bytes that had been consumed were fed once more"
            if data in end.sent or any(one.token == data for one in end.owed):
                return "C013", "it was given its own token"
        place = stream.data.find(rest, stream.at + same) if len(rest) >= _TELLING else -1
        if place < 0:
            return "", ""
        count = place - stream.at - same
        if stream.status == _S.SEC_E_INCOMPLETE_MESSAGE and not same:
            return "C007", f"{count} B that a call had found incomplete were thrown away"
        if stream.extra and not same:
            return "C006", f"{count} B of SECBUFFER_EXTRA were dropped"
        if stream.status in _REPEATED:
            return "", ""
        return "C013", f"{count} B that came before were left out"

    def _completed(self, record: Record) -> None:
        event = record.event
        assert isinstance(event, ev.CallCompleted), "dispatched by type"
        leg = self._legs.pop(event.call, None)
        if leg is None:
            return
        token = _bytes_of(event.output, _TOKEN)
        if token:
            _, end = self._end(record)
            end.owed.append(_Owed(event.call, event.handle, token, token, record.sequence))
        stream, count = leg
        stream.is_pending, stream.is_leg = False, True
        if event.handle is not None and event.status < _FIRST_ERROR:
            stream.security_context = event.handle
        has_place = len(event.input or ()) > 1
        self._consumed(stream, event.status, count, event.input, record.sequence)
        if count and not has_place:
            stream.is_known = False  # there was no buffer to say what was left over

    @staticmethod
    def _consumed(stream: _Stream, status: SecurityStatus, count: int, after: Images | None, sequence: int) -> None:
        """Note how far a call has consumed its input."""
        stream.status, stream.sequence = status, sequence
        stream.extra, stream.missing = 0, 0
        if status == _S.SEC_E_INCOMPLETE_MESSAGE:
            stream.missing = _size_of(after, _MISSING)
        elif status < _FIRST_ERROR and status not in _REPEATED:
            stream.extra = _size_of(after, _EXTRA)
            is_all_left = status == _S.SEC_I_RENEGOTIATE and not stream.extra
            stream.at += 0 if is_all_left else count - stream.extra
        elif status not in _REPEATED:
            stream.is_known = False

    def _decrypted(self, record: Record) -> None:
        event = record.event
        assert isinstance(event, ev.MessageDecrypted), "dispatched by type"
        name, end = self._end(record)
        stream = self._streams.get((name, end.connection))
        if stream is None or not stream.is_known:
            return
        data = _bytes_of(event.before, _DATA)
        if event.security_context != stream.security_context:
            stream.is_known = False
            return
        self._feed(name, end, stream, data, record.sequence)
        stream.is_leg = False
        if event.status == _S.SEC_I_CONTEXT_EXPIRED:
            stream.is_known = False
        self._consumed(stream, event.status, len(data), event.after, record.sequence)

    def _refused(self, record: Record) -> None:
        """Leave an end alone whose call was refused: it may give up."""
        name, end = self._end(record)
        self._stream(name, end.connection).is_known = False

    def _report(self, code: str, subject: object, detail: str, *records: int) -> None:
        self.findings.append(found(code, subject, detail, *records))

    # A table of the class: a monitor that held its own methods would be a cycle, and live until the next collection.
    WATCH: ClassVar[dict[type, Callable[[StreamMonitor, Record], None]]] = {
        ev.HandshakeBegan: _began,
        ev.TokenSent: _sent,
        ev.TokenForwarded: _forwarded,
        ev.TokenDelivered: _delivered,
        ev.CallQueued: _queued,
        ev.CallCompleted: _completed,
        ev.CallRefused: _refused,
        ev.MessageDecrypted: _decrypted,
    }
    WATCHED: ClassVar[frozenset[type]] = frozenset(WATCH)


def _bytes_of(images: Images | None, kind: int) -> bytes:
    """Give the bytes of the first buffer of a type."""
    for buffer_type, size, data in images or ():
        if buffer_type & _KIND == kind:
            return (data or b"")[:size]
    return b""


def _size_of(images: Images | None, kind: int) -> int:
    """Give cbBuffer of the first buffer of a type, 0 for none."""
    for buffer_type, size, _ in images or ():
        if buffer_type & _KIND == kind:
            return size
    return 0


def _common(stream: bytearray, at: int, data: bytes) -> int:
    """Count the bytes at the front of an input that are what comes next."""
    count = 0
    for mine, its in zip(memoryview(stream)[at:], data, strict=False):
        if mine != its:
            break
        count += 1
    return count
