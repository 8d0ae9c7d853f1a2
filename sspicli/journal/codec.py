"""Records to JSON lines and back: strict, versioned, each line with its checksum.

A line is one JSON object whose last member is `crc`, the CRC-32 of all before it. Bytes are hex under `{"hex": …}`;
bytes that an earlier line carried are a reference to them, so a token stands once. The reader refuses unknown event
types and fields, and a changed line does not pass its checksum. Never eval, never pickle.
"""

from __future__ import annotations

import json
import types
from collections.abc import Callable
from enum import Enum
from json.encoder import encode_basestring_ascii as _string
from typing import Any, Union, get_args, get_origin, get_type_hints
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
        return _sealed(f'{{"schema":"{SCHEMA}","secrets":{"true" if has_secrets else "false"}')

    def line(self, record: Record) -> str:
        """Write one record."""
        sequence, ticks, nanoseconds, actor, cause, event = record
        kind = type(event)
        heads = _HEADS.get(kind)
        if heads is None:
            heads = _HEADS[kind] = tuple(f',"{name}":' for name in event._fields)
        text = self.text
        members = "".join([head + text(value) for head, value in zip(heads, event, strict=True)])
        by = _string(actor)
        return _sealed(
            f'{{"n":{sequence},"t":{ticks},"ns":{nanoseconds},"by":{by},"of":{cause},"is":"{kind.__name__}"{members}'
        )

    def text(self, value: object) -> str:
        """Write a value as JSON, in one pass; bytes that were written before as a reference to them."""
        kind = type(value)
        if kind is bytes:
            return self._bytes(value)  # type: ignore[arg-type]
        if kind is tuple or kind is list:
            return "[" + ",".join([self.text(one) for one in value]) + "]"  # type: ignore[attr-defined]
        form = _FORMS.get(kind)
        if form is None:
            form = _FORMS[kind] = _form_of(kind)
        return form(self, value)

    def _bytes(self, value: bytes) -> str:
        if len(value) < SHORTEST_REFERENCE:
            return f'{{"hex":"{value.hex()}"}}'
        number = self._seen.get(value)
        if number is not None:
            return f'{{"same":{number}}}'
        self._seen[value] = len(self._seen)
        return f'{{"hex":"{value.hex()}"}}'


Form = Callable[[Encoder, Any], str]
_HEADS: dict[type, tuple[str, ...]] = {}
_FORMS: dict[type, Form] = {
    type(None): lambda *_: "null",
    bool: lambda _, value: "true" if value else "false",
    int: lambda _, value: str(value),
    float: lambda _, value: json.dumps(value),
    str: lambda _, value: _string(value),
    Handle: lambda _, value: f'"{value}"',
}


def _form_of(kind: type) -> Form:
    """Choose how values of a type are written, the first time one is met."""
    if issubclass(kind, int) and not issubclass(kind, _NAMED_NUMBERS):
        return lambda _, value: str(int(value))  # a flag word or a buffer type is a number, whoever wrote it
    if issubclass(kind, Enum):
        return lambda _, value: f'"{value.name}"'
    if issubclass(kind, str):
        return lambda _, value: _string(str(value))
    if issubclass(kind, (tuple, list)):
        return lambda encoder, value: "[" + ",".join([encoder.text(one) for one in value]) + "]"
    if issubclass(kind, dict):
        return lambda encoder, value: (
            "{" + ",".join([f"{_string(str(key))}:{encoder.text(one)}" for key, one in value.items()]) + "}"
        )
    raise TypeError(f"{kind.__name__} has no place in a record")


def _sealed(text: str) -> str:
    """Close an object that lacks its last brace with its checksum."""
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
