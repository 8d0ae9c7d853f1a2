"""After the handshake: EncryptMessage, DecryptMessage, and the ISC or ASC call that SEC_I_RENEGOTIATE demands.

The rule guarded here: one DecryptMessage looks at one record. The engine eats a record to learn what is in it, and the
caller may still hold that record as unconsumed; such a record is remembered and recognised when it is passed again.

Sources: EncryptMessage and DecryptMessage (Schannel) reference pages (documented); buffer counts, both buffers turning
into MISSING, 13/0/20 for a HelloRequest (observed: Wine's tests); SEC_E_ENCRYPT_FAILURE for too long a message and
SEC_E_DECRYPT_FAILURE for a bad TLS 1.3 record (observed: other Schannel users and sspi-rs); the rest is inferred.
"""

from __future__ import annotations

from typing import NamedTuple

from sspicli.packages.openssl_bindings import Outcome
from sspicli.packages.openssl_names import CipherSuite, find_suite
from sspicli.packages.schannel_chains import Situation
from sspicli.packages.schannel_engine import Engine
from sspicli.packages.schannel_evidence import Failure, engine_failed
from sspicli.packages.schannel_rules import Leg
from sspicli.sspi.buffers import ATTRIBUTE_MASK, BufferImage, BufferType, BufferWrite
from sspicli.sspi.package import Evidence, MessageResult, Source
from sspicli.sspi.records import ALERT, HEADER_SIZE, MAX_PROTECTED, MAX_PROTECTED_TLS13, frame, record_end
from sspicli.sspi.status import SecurityStatus

TLS_1_0, TLS_1_3 = 0x0301, 0x0304
MAXIMUM_MESSAGE = 0x4000  # cbMaximumMessage; RFC 8446, 5.1
SECQOP_WRAP_OOB_DATA = 0x40000000
_CLOSE_NOTIFY = b"\x01\x00"
_NO_RENEGOTIATION = 100
_MAC_SIZES = {"SHA1": 20, "SHA256": 32, "SHA384": 48}
_AES_BLOCK = 16
_KEY_UPDATE_BODY = 22  # handshake header, one byte, inner content type, tag
_TLS13_EMPTY_BODY = 17  # tag and inner content type of a record without data and padding

_S = SecurityStatus


class StreamSizes(NamedTuple):
    """SecPkgContext_StreamSizes, in bytes; cbTrailer is a maximum."""

    header: int
    trailer: int
    maximum_message: int = MAXIMUM_MESSAGE
    buffers: int = 4
    block_size: int = _AES_BLOCK


def stream_sizes(version: int, suite: CipherSuite | None) -> StreamSizes:
    """Count what a record adds to its data, by version and suite.

    TLS 1.2 AES-GCM 13/16 and TLS 1.0 CBC 5/36 are observed, the others follow from the RFCs (inferred).
    """
    mode = "GCM" if suite is None else suite.mode
    tag = 8 if mode == "CCM_8" else 16
    if version >= TLS_1_3:
        return StreamSizes(HEADER_SIZE, tag + 1)
    if mode == "CBC" and suite is not None:
        vector = _AES_BLOCK if version > TLS_1_0 else 0
        return StreamSizes(HEADER_SIZE + vector, _AES_BLOCK + _MAC_SIZES[suite.hash])
    if not mode:
        return StreamSizes(HEADER_SIZE, tag, block_size=1)
    return StreamSizes(HEADER_SIZE + 8, tag)


class Traffic:
    """What crosses an established connection.

    `owes_call` is set by SEC_I_RENEGOTIATE and taken back by the ISC or ASC call it demands; `is_over` ends everything.
    `_ahead` is a data record the engine has eaten and the caller still holds; `_skippable` is one of another kind.
    """

    __slots__ = (
        "_ahead",
        "_engine",
        "_late_failure",
        "_limit",
        "_may_owe_update",
        "_opened_header",
        "_situation",
        "_sizes",
        "_skippable",
        "is_over",
        "owes_call",
        "version",
    )

    def __init__(self, engine: Engine, situation: Situation) -> None:
        self._engine = engine
        self._situation = situation
        self.version = version = engine.connection.get_protocol_version()
        self._sizes: StreamSizes | None = None
        self._limit = MAX_PROTECTED_TLS13 if version >= TLS_1_3 else MAX_PROTECTED
        self._opened_header = HEADER_SIZE if version >= TLS_1_3 else self.sizes.header
        self.owes_call = False
        self.is_over = False
        self._ahead = b""
        self._skippable = b""
        self._may_owe_update = False
        self._late_failure: Failure | None = None
        engine.watch_alerts()

    @property
    def sizes(self) -> StreamSizes:
        """Say what a record adds to its data; looked up when first asked for."""
        if self._sizes is None:
            self._sizes = stream_sizes(self.version, find_suite(self._engine.connection.get_cipher_name() or ""))
        return self._sizes

    # -- EncryptMessage ------------------------------------------------------

    def encrypt(self, buffers: tuple[BufferImage, ...], qop: int) -> MessageResult:
        """Protect the DATA buffer in place; search by type, as the documentation tells callers to."""
        header, data, trailer = (_find(buffers, kind) for kind in _ENCRYPT_TYPES)
        if header is None or data is None or trailer is None:
            return MessageResult(_S.SEC_E_INVALID_TOKEN)
        if self.is_over or self.owes_call:
            return MessageResult(_S.SEC_E_CONTEXT_EXPIRED)
        plain = _bytes_of(buffers[data])
        if qop == SECQOP_WRAP_OOB_DATA:
            return self._wrap_alert(plain, (header, data, trailer))
        if qop:
            return MessageResult(_S.SEC_E_QOP_NOT_SUPPORTED)
        if len(plain) > MAXIMUM_MESSAGE:
            return MessageResult(_S.SEC_E_ENCRYPT_FAILURE)
        if buffers[header].size < self.sizes.header or buffers[trailer].size < self.sizes.trailer:
            return MessageResult(_S.SEC_E_BUFFER_TOO_SMALL)
        return self._protect(plain, (header, data, trailer))

    def _protect(self, plain: bytes, places: tuple[int, int, int]) -> MessageResult:
        if not plain:
            return MessageResult(_S.SEC_E_OK, _spread(b"", places, 0, 0))
        if self._engine.write(plain) is not Outcome.DONE:
            evidence = Evidence("not-in-the-table", Source.INFERRED, self._engine.words)
            return MessageResult(_S.SEC_E_ENCRYPT_FAILURE, evidence=evidence)
        return MessageResult(_S.SEC_E_OK, _spread(self._engine.drain(), places, self.sizes.header, len(plain)))

    def _wrap_alert(self, alert: bytes, places: tuple[int, int, int]) -> MessageResult:
        """Make the record of an alert given in DATA: close_notify is the one that this engine can be told to send."""
        if alert != _CLOSE_NOTIFY:
            return MessageResult(_S.SEC_E_QOP_NOT_SUPPORTED)
        record = self.close()
        return MessageResult(_S.SEC_E_OK, _spread(record, places, min(self.sizes.header, len(record)), len(alert)))

    def close(self) -> bytes:
        """Make this side's close_notify record; nothing is sent after it."""
        self._engine.send_close_notify()
        self.is_over = True
        return self._engine.drain()

    # -- DecryptMessage ------------------------------------------------------

    def decrypt(self, buffers: tuple[BufferImage, ...]) -> MessageResult:
        """Open the first record of the DATA buffer."""
        places, data = _read_decrypt(buffers)
        if places is None:
            return MessageResult(_S.SEC_E_INVALID_TOKEN)
        if self.is_over or self.owes_call:
            return MessageResult(_S.SEC_E_CONTEXT_EXPIRED)
        end = record_end(data, limit=self._limit)
        if not end:
            return self._not_whole(data, places)
        record = data[:end]
        if self._ahead and self._ahead != record:
            return MessageResult(_S.SEC_E_INVALID_TOKEN)
        if not self._ahead:
            self._engine.feed(record)
        self._ahead = b""
        outcome, plain = self._engine.read(MAXIMUM_MESSAGE)
        return self._opened(outcome, plain, record, places, len(data) - end)

    def _not_whole(self, data: bytes, places: tuple[int, ...]) -> MessageResult:
        """Answer for data without one whole record: wait for the rest, or refuse what begins no record."""
        framing = frame(data, limit=self._limit, most=1)
        if framing.malformed_at is None:
            return MessageResult(_S.SEC_E_INCOMPLETE_MESSAGE, _missing(places, framing.missing or HEADER_SIZE))
        self.is_over = True
        return MessageResult(_S.SEC_E_DECRYPT_FAILURE, evidence=Evidence("garbage-header", Source.OBSERVED))

    def _opened(
        self, outcome: Outcome, plain: bytes, record: bytes, places: tuple[int, ...], behind: int
    ) -> MessageResult:
        """Say what a record was: data, something for ISC or ASC, the end, or a failure."""
        if outcome is Outcome.DONE or (outcome is Outcome.WANTS_INPUT and self._is_empty_data(record)):
            return MessageResult(_S.SEC_E_OK, _opened_writes(record, plain, places, self._opened_header, behind))
        if outcome is Outcome.CLOSED:
            self.is_over = True
            return MessageResult(_S.SEC_I_CONTEXT_EXPIRED)
        if outcome is Outcome.WANTS_INPUT:
            return self._demand_call(record, places, behind)
        failure = self._failure(record)
        is_peers = failure.evidence.alert_received is not None
        if self.version >= TLS_1_3 and is_peers:
            self._late_failure = failure
            return self._demand_call(record, places, behind)
        self.is_over = True
        status = _S.SEC_E_DECRYPT_FAILURE if self.version >= TLS_1_3 and not is_peers else failure.status
        return MessageResult(status, evidence=failure.evidence)

    def _demand_call(self, record: bytes, places: tuple[int, ...], behind: int) -> MessageResult:
        """Answer SEC_I_RENEGOTIATE; EXTRA counts what is behind the record, or is not there at all."""
        if self.version < TLS_1_3 and record[0] == ALERT:
            noted = self._engine.alert_received
            refused = noted is not None and noted[1] == _NO_RENEGOTIATION
            status = _S.SEC_I_NO_RENEGOTIATION if refused else _S.SEC_E_OK
            return MessageResult(status, _opened_writes(record, b"", places, self._opened_header, behind))
        self.owes_call = True
        self._skippable = record
        self._note_update(record)
        return MessageResult(_S.SEC_I_RENEGOTIATE, _opened_writes(record, b"", places, self._opened_header, behind))

    def _is_empty_data(self, record: bytes) -> bool:
        """Tell a record of no data, which TLS allows, from one of another kind."""
        is_data = record[0] == 23
        return is_data and (self.version < TLS_1_3 or len(record) == HEADER_SIZE + _TLS13_EMPTY_BODY)

    def _failure(self, record: bytes) -> Failure:
        return engine_failed(
            self._engine,
            self._situation,
            outcome=Outcome.FAILED,
            fed=record,
            token=self._engine.drain(),
        )

    # -- ISC and ASC on an established context ------------------------------------------------------

    def reauthenticate(self, data: bytes) -> Leg:
        """Process post-handshake records, until application data or the end of the whole records.

        The call that SEC_I_RENEGOTIATE demands may pass what was behind that record, or the same buffer again, or
        nothing; tickets may also be passed here directly.
        """
        if self.is_over:
            return Leg(_S.SEC_I_CONTEXT_EXPIRED)
        is_owed, self.owes_call = self.owes_call, False
        late, self._late_failure = self._late_failure, None
        begin = len(self._skippable) if self._skippable and data.startswith(self._skippable) else 0
        self._skippable = b""
        if late is not None:
            self.is_over = True
            return Leg(late.status, b"", begin, late.alert, late.evidence)
        if self._ahead:
            return Leg(_S.SEC_E_OK, self._answers(), begin)
        start, end = begin, record_end(data, begin, limit=self._limit)
        if not end and not is_owed and not begin:
            return self._unframed(data)
        while end:
            stop = self._process(data[start:end], start)
            if stop is not None:
                return stop
            start, end = end, record_end(data, end, limit=self._limit)
        return Leg(_S.SEC_E_OK, self._answers(), start)

    def _answers(self) -> bytes:
        """Take what the engine answers to the records processed: a KeyUpdate, if one asked for it."""
        if self._may_owe_update:
            self._may_owe_update = False
            self._engine.answer_key_update()
        return self._engine.drain()

    def _note_update(self, record: bytes) -> None:
        self._may_owe_update |= self.version >= TLS_1_3 and len(record) == HEADER_SIZE + _KEY_UPDATE_BODY

    def _process(self, record: bytes, start: int) -> Leg | None:
        """Process one record; None to go on with the next."""
        self._engine.feed(record)
        outcome = self._engine.peek()
        if outcome is Outcome.WANTS_INPUT:
            self._note_update(record)
            return None
        if outcome is Outcome.DONE:
            self._ahead = record
            return Leg(_S.SEC_E_OK, self._answers(), start)
        self.is_over = True
        if outcome is Outcome.CLOSED:
            return Leg(_S.SEC_I_CONTEXT_EXPIRED, consumed=start + len(record))
        failure = engine_failed(
            self._engine,
            self._situation,
            outcome=outcome,
            fed=record,
            token=(token := self._engine.drain()),
        )
        return Leg(failure.status, token, start + len(record), failure.alert, failure.evidence)

    def _unframed(self, data: bytes) -> Leg:
        framing = frame(data, limit=self._limit, most=1)
        if framing.malformed_at is None:
            return Leg(_S.SEC_E_INCOMPLETE_MESSAGE, missing=framing.missing or HEADER_SIZE)
        self.is_over = True
        return Leg(_S.SEC_E_INVALID_TOKEN, evidence=Evidence("garbage-header", Source.OBSERVED))


class ControlToken(NamedTuple):
    """What ApplyControlToken was given: an alert to make (level, number), or whether the session may be resumed."""

    alert: tuple[int, int] | None = None
    keeps_session: bool | None = None


def read_control(buffers: tuple[BufferImage, ...] | None) -> ControlToken | SecurityStatus:
    """Read the descriptor of ApplyControlToken, whose shapes and statuses Wine's tests assert (observed)."""
    if buffers is None:
        return _S.SEC_E_INTERNAL_ERROR
    if len(buffers) != 1 or buffers[0].buffer_type & ~ATTRIBUTE_MASK != BufferType.TOKEN:
        return _S.SEC_E_INVALID_TOKEN
    data = _bytes_of(buffers[0])
    words = [int.from_bytes(data[at : at + 4], "little") for at in range(0, len(data) - 3, 4)]
    match words:
        case [1, *_]:  # SCHANNEL_SHUTDOWN
            return ControlToken((1, 0))
        case [2, (1 | 2) as level, number, *_] if number <= 0xFF:  # SCHANNEL_ALERT
            return ControlToken((level, number))
        case [3, (1 | 2) as reconnects, *_]:  # SCHANNEL_SESSION
            return ControlToken(keeps_session=reconnects == 1)
    return _S.SEC_E_UNSUPPORTED_FUNCTION


_HEADER, _DATA, _TRAILER = (
    int(BufferType.STREAM_HEADER),
    int(BufferType.DATA),
    int(BufferType.STREAM_TRAILER),
)
_EXTRA = int(BufferType.EXTRA)
_ENCRYPT_TYPES = (_HEADER, _DATA, _TRAILER)
_STANDING_PLACES = (0, 1, 2, 3)  # DATA, and three EMPTY behind it


def _find(buffers: tuple[BufferImage, ...], kind: int) -> int | None:
    for index, one in enumerate(buffers):
        if one.buffer_type & ~ATTRIBUTE_MASK == kind:
            return index
    return None


def _bytes_of(buffer: BufferImage) -> bytes:
    return (buffer.data or b"")[: buffer.size]


def _spread(record: bytes, places: tuple[int, int, int], header_size: int, data_size: int) -> tuple[BufferWrite, ...]:
    """Part a record among header, data and trailer; their sizes add up to the record's."""
    middle = header_size + data_size
    parts = (record[:header_size], record[header_size:middle], record[middle:])
    return tuple(
        BufferWrite(place, kind, len(part), part)
        for place, kind, part in zip(places, _ENCRYPT_TYPES, parts, strict=True)
    )


def _read_decrypt(buffers: tuple[BufferImage, ...]) -> tuple[tuple[int, ...] | None, bytes]:
    """Take the one DATA and the first three EMPTY buffers, in their order, and DATA's bytes; None for another shape."""
    if len(buffers) == 4 and buffers[0][0] == _DATA and not (buffers[1][0] or buffers[2][0] or buffers[3][0]):
        _, size, data = buffers[0]
        return _STANDING_PLACES, data if data is not None and len(data) == size else (data or b"")[:size]
    kinds = [one.buffer_type & ~ATTRIBUTE_MASK for one in buffers]
    empty = [index for index, kind in enumerate(kinds) if kind == BufferType.EMPTY]
    if kinds.count(BufferType.DATA) != 1 or len(empty) < 3:
        return None, b""
    at = kinds.index(BufferType.DATA)
    return tuple(sorted([at, *empty[:3]])), _bytes_of(buffers[at])


def _missing(places: tuple[int, ...], count: int) -> tuple[BufferWrite, ...]:
    """Turn the first two buffers into MISSING: the DATA description is lost, as it is on Windows."""
    return tuple(BufferWrite(place, BufferType.MISSING, count, None) for place in places[:2])


def _opened_writes(
    record: bytes, plain: bytes, places: tuple[int, ...], header_size: int, behind: int
) -> tuple[BufferWrite, ...]:
    """Describe an opened record: header, data, trailer, and EXTRA for what is behind it."""
    header_size = min(header_size, len(record) - len(plain))
    trailer = record[header_size + len(plain) :]
    return (
        BufferWrite(places[0], _HEADER, header_size, record[:header_size]),
        BufferWrite(places[1], _DATA, len(plain), plain),
        BufferWrite(places[2], _TRAILER, len(trailer), trailer),
        BufferWrite(places[3], _EXTRA if behind else 0, behind, None),
    )
