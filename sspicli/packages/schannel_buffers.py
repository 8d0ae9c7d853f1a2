"""The shape of what a caller passes to ISC and ASC, and where results go in it: pure functions over buffer images.

The rule guarded here: a shape mistake does not kill the security context. Whoever reads shapes does so before a byte is
fed to the engine, gets a status instead of a shape, and the same call made properly goes on as if nothing had happened.

Sources: InitializeSecurityContext and AcceptSecurityContext (Schannel) reference pages (documented); sizes, MISSING and
the statuses of wrong shapes as Wine's tests assert them on current Windows (observed). What is neither says *inferred*.
"""

from __future__ import annotations

from typing import NamedTuple

from sspicli.packages.schannel_rules import ALLOCATE_MEMORY
from sspicli.sspi.buffers import ATTRIBUTE_MASK, BufferImage, BufferType, BufferWrite
from sspicli.sspi.package import LegRequest
from sspicli.sspi.records import ALERT as RECORD_ALERT
from sspicli.sspi.records import APPLICATION_DATA, HEADER_SIZE, MAX_PROTECTED, Record
from sspicli.sspi.status import SecurityStatus

_ALPN_KIND = 2  # SecApplicationProtocolNegotiationExt_ALPN, schannel.h
_TYPE_MASK = ~ATTRIBUTE_MASK

EMPTY, TOKEN, ALERT = int(BufferType.EMPTY), int(BufferType.TOKEN), int(BufferType.ALERT)
MISSING, EXTRA = int(BufferType.MISSING), int(BufferType.EXTRA)


class InputShape(NamedTuple):
    """What a caller gave to a leg.

    `token` is None when no TOKEN buffer is there at all. `report_at` is the index of the EMPTY buffer that may turn
    into MISSING or EXTRA, None for a lone TOKEN. `protocols` is None without an APPLICATION_PROTOCOLS buffer. `flags`
    are the 64-bit ones of a FLAGS buffer.
    """

    token: bytes | None
    report_at: int | None = None
    protocols: tuple[bytes, ...] | None = None
    flags: int = 0


class OutputShape(NamedTuple):
    """Where a leg's results go; `token_room` and `alert_room` are None where the package allocates."""

    token_at: int
    token_room: int | None
    alert_at: int | None = None
    alert_room: int | None = None


NO_INPUT = InputShape(None)
_NO_ALERT = BufferWrite(1, ALERT, 0, None)
_NO_TOKEN = (BufferWrite(0, TOKEN, 0, None), _NO_ALERT)
STANDING_OUTPUT = OutputShape(0, None, 1, None)
"""TOKEN and ALERT, both to be allocated."""


def standing_token(request: LegRequest) -> bytes | None:
    """Give the token of a leg as most callers pass it, at less cost than reading shapes; None for any other leg.

    In: TOKEN and EMPTY, whole records of which none can be an alert; or NULL, which gives b"". Out: `STANDING_OUTPUT`.
    """
    given, wanted, requirements, _, _ = request
    if wanted is None or len(wanted) != 2 or not requirements & ALLOCATE_MEMORY:
        return None
    if wanted[0][0] != TOKEN or wanted[1][0] != ALERT or (given is not None and len(given) != 2):
        return None
    if given is None:
        return b""
    (kind, size, data), (second_kind, second_size, _) = given
    if kind != TOKEN or second_kind != EMPTY or second_size or data is None or len(data) != size:
        return None
    return data if is_whole_and_no_alert(data) else None


def read_input(buffers: tuple[BufferImage, ...] | None, *, is_first_client_leg: bool) -> InputShape | SecurityStatus:
    """Read an input descriptor, or say with which status it is refused.

    Nothing given means "no bytes held" on every leg but a client's first. That a first client leg refuses a TOKEN with
    bytes, and that an unreadable protocol list or a TOKEN whose pvBuffer is NULL is SEC_E_INVALID_TOKEN, is inferred.
    """
    if buffers is None:
        return NO_INPUT
    token_at = report_at = None
    protocols: tuple[bytes, ...] | None = None
    flags = 0
    for index, (masked_type, size, data) in enumerate(buffers):
        kind = masked_type & _TYPE_MASK
        if kind == EMPTY:
            if size:
                return SecurityStatus.SEC_E_INVALID_TOKEN
            if token_at is not None and index == token_at + 1:
                report_at = index
        elif kind == TOKEN:
            if token_at is None:
                token_at = index
        elif kind == BufferType.APPLICATION_PROTOCOLS:
            protocols = read_protocols((data or b"")[:size])
            if protocols is None:
                return SecurityStatus.SEC_E_INVALID_TOKEN
        elif kind == BufferType.FLAGS:
            flags = int.from_bytes((data or b"")[:8], "little")
    if token_at is None:
        return InputShape(None, None, protocols, flags) if is_first_client_leg else SecurityStatus.SEC_E_INVALID_TOKEN
    return _with_token(buffers[token_at], InputShape(b"", report_at, protocols, flags), is_first_client_leg)


def _with_token(token: BufferImage, shape: InputShape, is_first_client_leg: bool) -> InputShape | SecurityStatus:
    _, size, data = token
    if not size:
        return shape
    if data is None or len(data) < size or is_first_client_leg:
        return SecurityStatus.SEC_E_INVALID_TOKEN
    return shape._replace(token=data if len(data) == size else data[:size])


def read_protocols(data: bytes) -> tuple[bytes, ...] | None:
    """Read SEC_APPLICATION_PROTOCOLS: u32 bytes that follow, u32 kind, u16 list size, length-prefixed ids.

    None if unreadable. A list of another kind than ALPN (there is NPN, and none) counts as no protocols.
    """
    if len(data) < 10:
        return None
    size = int.from_bytes(data[8:10], "little")
    if int.from_bytes(data[:4], "little") != size + 6 or len(data) < size + 10:
        return None
    protocols: list[bytes] = []
    start, end = 10, 10 + size
    while start < end:
        stop = start + 1 + data[start]
        if stop > end or stop == start + 1:
            return None
        protocols.append(data[start + 1 : stop])
        start = stop
    return tuple(protocols) if int.from_bytes(data[4:8], "little") == _ALPN_KIND else ()


def read_output(buffers: tuple[BufferImage, ...] | None, *, allocates: bool) -> OutputShape | SecurityStatus:
    """Read an output descriptor, or say with which status it is refused.

    With ISC_REQ_ALLOCATE_MEMORY pvBuffer is ignored, and an EMPTY buffer serves as TOKEN (as curl passes it). A
    pvBuffer that is NULL with a size is allocated all the same. A NULL descriptor is SEC_E_INVALID_TOKEN: observed for
    a first leg, inferred for later ones.
    """
    if buffers is None:
        return SecurityStatus.SEC_E_INVALID_TOKEN
    if allocates and len(buffers) == 2 and buffers[0][0] == TOKEN and buffers[1][0] == ALERT:
        return STANDING_OUTPUT
    token_at = empty_at = alert_at = None
    for index, (masked_type, _, _) in enumerate(buffers):
        kind = masked_type & _TYPE_MASK
        if kind == TOKEN and token_at is None:
            token_at = index
        elif kind == ALERT and alert_at is None:
            alert_at = index
        elif kind == EMPTY and empty_at is None:
            empty_at = index
    if token_at is None and allocates:
        token_at = empty_at
    if token_at is None:
        return SecurityStatus.SEC_E_INVALID_TOKEN
    if allocates:
        return OutputShape(token_at, None, alert_at, None)
    return _within_rooms(buffers, token_at, alert_at)


def _within_rooms(
    buffers: tuple[BufferImage, ...], token_at: int, alert_at: int | None
) -> OutputShape | SecurityStatus:
    """Refuse rooms of no size: an ALERT of 0 bytes spoils a call even if its TOKEN is fine."""
    _, token_size, token_memory = buffers[token_at]
    if not token_size:
        return SecurityStatus.SEC_E_INSUFFICIENT_MEMORY
    token_room = None if token_memory is None else token_size
    if alert_at is None:
        return OutputShape(token_at, token_room)
    _, alert_size, alert_memory = buffers[alert_at]
    if not alert_size:
        return SecurityStatus.SEC_E_INSUFFICIENT_MEMORY
    return OutputShape(token_at, token_room, alert_at, None if alert_memory is None else alert_size)


def write_output(token: bytes, alert: tuple[int, int] | None, shape: OutputShape) -> tuple[BufferWrite, ...]:
    """Write a token that fits, and the alert that was made: two bytes on failure, size 0 otherwise."""
    if shape is STANDING_OUTPUT and alert is None:
        return (BufferWrite(0, TOKEN, len(token), token, True), _NO_ALERT) if token else _NO_TOKEN
    writes = (_write(shape.token_at, TOKEN, token, shape.token_room),)
    if shape.alert_at is None:
        return writes
    info = b"" if alert is None else bytes(alert)
    room = shape.alert_room
    return (*writes, _write(shape.alert_at, ALERT, info if room is None else info[:room], room))


def _write(index: int, buffer_type: int, data: bytes, room: int | None) -> BufferWrite:
    if room is not None:
        return BufferWrite(index, buffer_type, len(data), data)
    return BufferWrite(index, buffer_type, len(data), data or None, bool(data))


def write_missing(place: int | None, count: int) -> tuple[BufferWrite, ...]:
    """Turn the EMPTY buffer, if there is one, into MISSING: the bytes still needed, an estimate."""
    return () if place is None else (BufferWrite(place, MISSING, count, None),)


def write_extra(place: int | None, count: int) -> tuple[BufferWrite, ...]:
    """Turn the EMPTY buffer, if any, into EXTRA: how many bytes at the TOKEN's end were not consumed, no copy."""
    return () if place is None else (BufferWrite(place, EXTRA, count, None),)


_TLS13_ALERT_BODY = 19  # level and description, content type, tag


def is_whole_and_no_alert(data: bytes) -> bool:
    """Tell whole records none of which can be an alert, as most legs bring them, at less cost than framing them."""
    start, size = 0, len(data)
    while size - start >= HEADER_SIZE:
        kind = data[start]
        length = data[start + 3] << 8 | data[start + 4]
        if kind == RECORD_ALERT or not 20 <= kind <= APPLICATION_DATA or data[start + 1] != 3 or length > MAX_PROTECTED:
            return False
        if length == _TLS13_ALERT_BODY and kind == APPLICATION_DATA:
            return False
        start += HEADER_SIZE + length
    return start == size and size > 0


def may_hold_alert(records: tuple[Record, ...]) -> bool:
    """Tell whether one of these records is an alert, or is protected and has just its size."""
    for kind, _, start, end in records:
        if kind == RECORD_ALERT or (kind == APPLICATION_DATA and end - start == HEADER_SIZE + _TLS13_ALERT_BODY):
            return True
    return False
