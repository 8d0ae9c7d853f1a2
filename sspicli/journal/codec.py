"""Records to JSON lines and back: strict, versioned, each line with its checksum.

A line is one JSON object whose last member is `crc`, the CRC-32 of all before it. Bytes are hex under `{"hex": …}`;
bytes that an earlier line carried are a reference to them, so a token stands once. The reader refuses unknown event
types and fields, and a changed line does not pass its checksum. Never eval, never pickle.

A checksum says that a line is as somebody wrote it, not who: so every value is checked too, for its type, its size and
its depth, and no refusal quotes more than a name.
"""

from __future__ import annotations

import json
import types
from collections.abc import Callable, Mapping
from enum import Enum
from functools import cache, partial
from json.encoder import encode_basestring_ascii as _string
from math import isfinite
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

_DEEPEST = 16
_LARGEST_NUMBER = 1 << 256
_LONGEST_HANDLE = 128
_LONGEST_SHOWN = 40
_MOST_NAMED = 5
_KINDS = {
    type(None): "null",
    bool: "true or false",
    int: "a whole number",
    float: "a fraction",
    str: "a text",
    list: "a list",
    dict: "an object",
}

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]
Reader = Callable[["Decoder", Json], object]


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

    def header(self, text: str) -> bool:
        """Read the first line; say whether the recording holds secrets."""
        body = _opened(text)
        if body.get("schema") != SCHEMA:
            raise CodecError(f"the schema is {_shown(body.get('schema'))}, and this version reads {SCHEMA!r}")
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
            raise CodecError(f"{_shown(name)} is no event of this schema")
        return Record(number, ticks, nanoseconds, actor, cause, self._event(EVENT_TYPES[name], body))

    def _event(self, kind: type, body: dict[str, Json]) -> Event:
        members = _members(kind)
        if body.keys() != members.keys():
            wrong = [_shown(name) for name in sorted(body.keys() ^ members.keys())[:_MOST_NAMED]]
            raise CodecError(f"{kind.__name__} has not just its own members: {', '.join(wrong)}")
        return kind(**{name: read(self, body[name]) for name, read in members.items()})  # type: ignore[no-any-return]

    def bytes_of(self, value: Json) -> bytes:
        """Read bytes: their hex, or the number of those that an earlier line carried."""
        if isinstance(value, dict) and len(value) == 1:
            if isinstance(digits := value.get("hex"), str):
                return self._keep(digits)
            if type(number := value.get("same")) is int:
                if 0 <= number < len(self._seen):
                    return self._seen[number]
                raise CodecError("it refers to bytes that no line before has")
        raise CodecError(f"{_kind(value)} stands where bytes should")

    def _keep(self, text: str) -> bytes:
        try:
            data = bytes.fromhex(text)
        except ValueError:
            raise CodecError("bytes are not in hex") from None
        if len(data) >= SHORTEST_REFERENCE:
            self._seen.append(data)
        return data

    def free(self, value: Json, depth: int = 0) -> object:
        """Read a value whose type the schema leaves open: lists become tuples, bytes are known by their form."""
        if depth > _DEEPEST:
            raise CodecError(f"a value is nested more than {_DEEPEST} deep")
        if isinstance(value, list):
            return tuple([self.free(one, depth + 1) for one in value])
        if isinstance(value, dict):
            if value.keys() in ({"hex"}, {"same"}):
                return self.bytes_of(value)
            return {key: self.free(one, depth + 1) for key, one in value.items()}
        if isinstance(value, float) and not isfinite(value):
            raise CodecError("a number is not finite")
        return _bounded(value) if type(value) is int else value


# -- one reader for each annotation, chosen once -----------------------------------------------------------------------


@cache
def _members(kind: type) -> dict[str, Reader]:
    """Give what reads each member of an event or another named tuple, in order."""
    return {name: _reader(hint) for name, hint in get_type_hints(kind).items()}


def _reader(hint: object) -> Reader:
    """Choose what reads a value of an annotated type."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        inner = _reader(next(one for one in arguments if one is not type(None)))
        return lambda decoder, value: None if value is None else inner(decoder, value)
    if hint is Handle:
        return lambda _, value: _handle(value)
    if hint is bytes:
        return Decoder.bytes_of
    if origin is tuple:
        return _tuple_of(_reader(arguments[0]))
    if origin is dict:
        return _free_dict
    if isinstance(hint, type) and issubclass(hint, Enum):
        return partial(_member, hint.__members__)
    if isinstance(hint, type) and hasattr(hint, "_fields"):
        return _named(hint)
    assert isinstance(hint, type), f"nothing reads {hint}"
    return partial(_exactly, hint)


def _tuple_of(inner: Reader) -> Reader:
    def read(decoder: Decoder, value: Json) -> object:
        if not isinstance(value, list):
            raise CodecError(f"{_kind(value)} stands where a list should")
        return tuple([inner(decoder, one) for one in value])

    return read


def _named(kind: type) -> Reader:
    readers = tuple(_members(kind).values())

    def read(decoder: Decoder, value: Json) -> object:
        if not isinstance(value, list) or len(value) != len(readers):
            raise CodecError(f"{_kind(value)} stands where a {kind.__name__} should")
        return kind(*[read_one(decoder, one) for read_one, one in zip(readers, value, strict=True)])

    return read


def _member(members: Mapping[str, Enum], _: Decoder, value: Json) -> Enum:
    if isinstance(value, str) and (found := members.get(value)) is not None:
        return found
    raise CodecError(f"{_shown(value)} is no name of this schema")


def _exactly(kind: type, _: Decoder, value: Json) -> Json:
    if type(value) is kind:
        return _bounded(value) if kind is int else value
    raise CodecError(f"{_kind(value)} stands where {_KINDS.get(kind, kind.__name__)} should")


def _free_dict(decoder: Decoder, value: Json) -> dict[str, object]:
    if not isinstance(value, dict):
        raise CodecError(f"{_kind(value)} stands where an object should")
    return {key: decoder.free(one) for key, one in value.items()}


def _handle(value: Json) -> Handle:
    if not isinstance(value, str) or len(value) > _LONGEST_HANDLE:
        raise CodecError(f"{_kind(value)} stands where a handle should")
    try:
        return parse_handle(value)
    except ValueError as error:
        raise CodecError(str(error)) from None


def _whole(value: Json) -> int:
    """Read a count or a time: no run has more of them than 64 bits count, or fewer than none."""
    if type(value) is not int or not 0 <= value < 1 << 64:
        raise CodecError(f"{_kind(value)} stands where a count should")
    return value


def _bounded(value: Json) -> Json:
    """Take no number that could not be shown, or made a float of."""
    if isinstance(value, int) and not -_LARGEST_NUMBER < value < _LARGEST_NUMBER:
        raise CodecError("a number is too large")
    return value


# -- a line and its checksum -------------------------------------------------------------------------------------------


def _opened(text: str) -> dict[str, Json]:
    """Check a line's checksum and take it apart."""
    head, mark, tail = text.rstrip("\r\n").rpartition(',"crc":"')
    if not mark or not tail.endswith('"}'):
        raise CodecError("the line is cut short: it does not end with its checksum")
    if tail != f'{crc32(head.encode("utf-8", "surrogatepass")):08x}"}}':
        raise CodecError("the line does not match its checksum: it was edited, or damaged")
    try:
        body = json.loads(head + "}", object_pairs_hook=_unique, parse_constant=_refuse_constant)
    except CodecError:
        raise
    except (ValueError, RecursionError):
        raise CodecError("the line is not JSON") from None
    if not isinstance(body, dict):
        raise CodecError("the line is not an object")
    return body


def _unique(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    """Refuse an object that says a member twice: other readers may take the other one."""
    members = dict(pairs)
    if len(members) != len(pairs):
        raise CodecError("an object has a member twice")
    return members


def _refuse_constant(name: str) -> Json:
    raise CodecError(f"{name} is not JSON")


def _kind(value: Json) -> str:
    """Name what a value is, and not what it says: it may be long, and it may be secret."""
    return _KINDS.get(type(value), "something else")


def _shown(value: Json) -> str:
    """Show a name that is not known, shortened; anything else by its kind."""
    if not isinstance(value, str):
        return _kind(value)
    return repr(value) if len(value) <= _LONGEST_SHOWN else f"{value[:_LONGEST_SHOWN]!r}…"
