"""Records to JSON lines and back: strict, versioned, each line with its checksum.

A line is one JSON object whose last member is `crc`, the CRC-32 of all before it. Bytes are hex under `{"hex": …}`;
bytes that an earlier line carried are a reference to them, so a token stands once. The reader refuses unknown event
types and fields, and a changed line does not pass its checksum. Never eval, never pickle.
"""

from __future__ import annotations

import json
import types
from enum import Enum
from typing import Union, get_args, get_origin, get_type_hints
from zlib import crc32

from sspicli.journal import events as ev
from sspicli.journal.events import Event
from sspicli.journal.journal import Record
from sspicli.sspi.handles import Handle, parse_handle
from sspicli.sspi.status import NtStatus, SecurityStatus

SCHEMA = "sspi-async/recording/1"
_NAMED_NUMBERS = (SecurityStatus, NtStatus)
SHORTEST_REFERENCE = 32  # bytes; shorter ones are written out again

EVENT_TYPES: dict[str, type] = {one.__name__: one for one in get_args(ev.Event)}

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]


class CodecError(ValueError):
    """A line that is not a record of this schema: what is wrong with it."""


class Encoder:
    """Write records as lines; one encoder per file, since later lines refer to earlier ones."""

    def __init__(self) -> None:
        self._seen: dict[bytes, int] = {}

    def header(self, *, has_secrets: bool) -> str:
        """Write the first line of a recording."""
        return _sealed({"schema": SCHEMA, "secrets": has_secrets})

    def line(self, record: Record) -> str:
        """Write one record."""
        body: dict[str, Json] = {
            "n": record.sequence,
            "t": record.ticks,
            "ns": record.nanoseconds,
            "by": record.actor,
            "of": record.cause,
            "is": type(record.event).__name__,
        }
        for name, value in zip(record.event._fields, record.event, strict=True):
            body[name] = self._plain(value)
        return _sealed(body)

    def _plain(self, value: object) -> Json:
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, Handle):
            return str(value)
        if isinstance(value, int) and not isinstance(value, _NAMED_NUMBERS):
            return int(value)  # a flag word, an attribute or a buffer type is a number, whatever a caller wrote it with
        if isinstance(value, Enum):
            return value.name
        if isinstance(value, bytes):
            return self._bytes(value)
        if isinstance(value, (float, str)):
            return value
        if isinstance(value, (tuple, list)):
            return [self._plain(one) for one in value]
        if isinstance(value, dict):
            return {str(key): self._plain(one) for key, one in value.items()}
        raise TypeError(f"{type(value).__name__} has no place in a record")

    def _bytes(self, value: bytes) -> Json:
        if len(value) < SHORTEST_REFERENCE:
            return {"hex": value.hex()}
        number = self._seen.get(value)
        if number is not None:
            return {"same": number}
        self._seen[value] = len(self._seen)
        return {"hex": value.hex()}


def _sealed(body: dict[str, Json]) -> str:
    text = json.dumps(body, ensure_ascii=True, separators=(",", ":"))[:-1]
    return f'{text},"crc":"{crc32(text.encode()):08x}"}}\n'


class Decoder:
    """Read lines back; refuse what the schema does not know."""

    def __init__(self) -> None:
        self._seen: list[bytes] = []
        self._hints: dict[type, dict[str, object]] = {}

    def header(self, text: str) -> bool:
        """Read the first line; say whether the recording holds secrets."""
        body = _opened(text)
        if body.get("schema") != SCHEMA:
            raise CodecError(f"the schema is {body.get('schema')!r}, and this version reads {SCHEMA!r}")
        if body.keys() != {"schema", "secrets"} or not isinstance(body["secrets"], bool):
            raise CodecError("the first line has not just its own members: schema, secrets")
        return body["secrets"]

    def record(self, text: str) -> Record:
        """Read one record."""
        body = _opened(text)
        try:
            number, ticks, nanoseconds = (_whole(body.pop(key)) for key in ("n", "t", "ns"))
            actor, cause, name = body.pop("by"), _whole(body.pop("of")), body.pop("is")
        except KeyError as missing:
            raise CodecError(f"the member {missing} is missing") from None
        if not isinstance(actor, str) or not isinstance(name, str) or name not in EVENT_TYPES:
            raise CodecError(f"{name!r} is no event of this schema")
        return Record(number, ticks, nanoseconds, actor, cause, self._event(EVENT_TYPES[name], body))

    def _event(self, kind: type, body: dict[str, Json]) -> Event:
        hints = self._hints.get(kind)
        if hints is None:
            hints = self._hints[kind] = get_type_hints(kind)
        if body.keys() != hints.keys():
            wrong = sorted(body.keys() ^ hints.keys())
            raise CodecError(f"{kind.__name__} has not just its own members: {', '.join(wrong)}")
        return kind(**{name: self._typed(body[name], hint) for name, hint in hints.items()})  # type: ignore[no-any-return]

    def _typed(self, value: Json, hint: object) -> object:
        origin = get_origin(hint)
        if origin in (Union, types.UnionType):
            options = [one for one in get_args(hint) if one is not type(None)]
            return None if value is None else self._typed(value, options[0])
        if hint is Handle:
            return _handle(value)
        if hint is bytes:
            return self._bytes(value)
        if origin is tuple:
            return self._tuple(value, get_args(hint))
        if origin is dict:
            return _free_dict(self, value)
        if isinstance(hint, type) and issubclass(hint, Enum):
            return _member(hint, value)
        if isinstance(hint, type) and hasattr(hint, "_fields"):
            return self._named(value, hint)
        if isinstance(hint, type) and type(value) is hint:
            return value
        raise CodecError(f"{value!r} is not {hint}")

    def _tuple(self, value: Json, hints: tuple[object, ...]) -> tuple[object, ...]:
        if not isinstance(value, list):
            raise CodecError(f"{value!r} is not a list")
        return tuple(self._typed(one, hints[0]) for one in value)

    def _named(self, value: Json, kind: type) -> object:
        hints = get_type_hints(kind)
        if not isinstance(value, list) or len(value) != len(hints):
            raise CodecError(f"{value!r} is not a {kind.__name__}")
        return kind(*[self._typed(one, hint) for one, hint in zip(value, hints.values(), strict=True)])

    def _bytes(self, value: Json) -> bytes:
        if isinstance(value, dict) and isinstance(value.get("hex"), str) and len(value) == 1:
            return self._keep(str(value["hex"]))
        if isinstance(value, dict) and len(value) == 1 and type(number := value.get("same")) is int:
            if 0 <= number < len(self._seen):
                return self._seen[number]
            raise CodecError(f"it refers to bytes number {number}, which no line before has")
        raise CodecError(f"{value!r} are no bytes")

    def _keep(self, text: str) -> bytes:
        try:
            data = bytes.fromhex(text)
        except ValueError:
            raise CodecError("bytes are not in hex") from None
        if len(data) >= SHORTEST_REFERENCE:
            self._seen.append(data)
        return data

    def free(self, value: Json) -> object:
        """Read a value whose type the schema leaves open: lists become tuples, bytes are known by their form."""
        if isinstance(value, list):
            return tuple(self.free(one) for one in value)
        if isinstance(value, dict):
            return (
                self._bytes(value) if set(value) in ({"hex"}, {"same"}) else {k: self.free(v) for k, v in value.items()}
            )
        return value


def _free_dict(decoder: Decoder, value: Json) -> dict[str, object]:
    if not isinstance(value, dict):
        raise CodecError(f"{value!r} is not an object")
    return {key: decoder.free(one) for key, one in value.items()}


def _opened(text: str) -> dict[str, Json]:
    """Check a line's checksum and take it apart."""
    head, mark, tail = text.rstrip("\r\n").rpartition(',"crc":"')
    if not mark or tail != f'{crc32(head.encode("utf-8", "surrogatepass")):08x}"}}':
        raise CodecError("the line is cut short, or does not match its checksum")
    try:
        body = json.loads(head + "}")
    except (ValueError, RecursionError):
        raise CodecError("the line is not JSON") from None
    if not isinstance(body, dict):
        raise CodecError("the line is not an object")
    return body


def _whole(value: Json) -> int:
    if type(value) is not int:
        raise CodecError(f"{value!r} is not a whole number")
    return value


def _handle(value: Json) -> Handle:
    try:
        return parse_handle(str(value))
    except ValueError as error:
        raise CodecError(str(error)) from None


def _member(kind: type[Enum], value: Json) -> Enum:
    try:
        return kind[str(value)]
    except KeyError:
        raise CodecError(f"{value!r} is no {kind.__name__}") from None
