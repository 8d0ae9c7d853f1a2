"""The types of a scenario's values: how each is written, what it is read as, and what its schema says.

The rule guarded here: a value is read completely at the door. What is not understood is one error that says what would
be, with the nearest thing that exists; nothing is read later, and nothing is guessed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Annotated, NamedTuple

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    ValidationInfo,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema
from typing_extensions import TypeAliasType

from sspicli.runtime.call_names import QUEUEING_WORDS, call_pattern
from sspicli.runtime.call_names import CallPattern as Pattern
from sspicli.session.faults import FUNCTIONS
from sspicli.sspi.alerts import ALERTS
from sspicli.sspi.buffers import BufferType
from sspicli.sspi.errors import UsageError
from sspicli.sspi.flags import IscReq
from sspicli.sspi.status import STATUS_ALIASES, NtStatus, SecurityStatus


def kebab(name: str) -> str:
    """Write a member's name as a scenario has it: `set_callback` is `set-callback`."""
    return name.rstrip("_").replace("_", "-")


class Part(BaseModel):
    """A mapping of a scenario: its keys are the members' names with hyphens, and there are no others."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        alias_generator=kebab,
        validate_by_name=False,
        defer_build=True,
    )

    @model_validator(mode="before")
    @classmethod
    def _tell_which(cls, data: object, info: ValidationInfo) -> object:
        """Let whoever explains the errors know which part a mapping was taken for."""
        if info.context is not None:
            info.context[id(data)] = cls
        return data

    @classmethod
    def keys(cls) -> list[str]:
        """List the keys as they are written."""
        return [kebab(name) for name in cls.model_fields]


def wrong(message: str, help: str = "") -> PydanticCustomError:
    """Refuse a value: what is wrong, and how to put it right."""
    return PydanticCustomError("scenario", "{message}", {"message": message, "help": help})


def near(word: str, known: Iterable[str]) -> str:
    """Suggest the nearest known word."""
    spellings = {one.lower(): one for one in known}
    found = get_close_matches(word.lower()[:64], spellings, n=1)
    return f'did you mean "{spellings[found[0]]}"?' if found else ""


def as_text(value: object) -> object:
    """Take a plain number for the text that it was written as: `tls: 1.3` means what `tls: "1.3"` means."""
    return getattr(value, "text", value)


AsText = BeforeValidator(as_text)
Text = Annotated[str, AsText]
Int = Annotated[int, Field(strict=True)]
Flag = Annotated[bool, Field(strict=True)]
Ticks = Annotated[int, Field(strict=True, ge=0, le=10**12, description="Microseconds of virtual time.")]

_NAME = r"[A-Za-z_][A-Za-z0-9_-]{0,63}"
Name = Annotated[Text, Field(pattern=rf"^{_NAME}$", description="The name of a variable.")]


class _Spelled:
    """A value that is written as one of many words, and kept in the schema once."""

    def __init__(self, words: Iterable[str], pattern: str = "", *, has_numbers: bool = False) -> None:
        self._words = list(words)
        self._pattern = pattern
        self._has_numbers = has_numbers

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Offer every word, and where numbers count too, their form."""
        words: JsonSchemaValue = {"type": "string", "enum": self._words}
        forms: list[JsonSchemaValue] = [{"type": "string", "pattern": self._pattern}] if self._pattern else []
        forms += [{"type": "integer"}] if self._has_numbers else []
        return {"anyOf": [words, *forms]} if forms else words


def _status(value: object) -> object:
    word = as_text(value)
    if isinstance(word, str):
        if word in SecurityStatus.__members__:
            return SecurityStatus[word]
        if word in STATUS_ALIASES:
            return STATUS_ALIASES[word]
        if re.fullmatch(r"0[xX][0-9a-fA-F]{1,8}|-?\d{1,10}", word):
            number = int(word, 0) & 0xFFFFFFFF
            if number in SecurityStatus._value2member_map_:
                return SecurityStatus(number)
    raise wrong(
        f"{str(word)[:80]!r} is no status", near(str(word), SecurityStatus.__members__) or "its winerror.h name"
    )


def _nt_status(value: object) -> object:
    word = str(as_text(value))
    if word in NtStatus.__members__:
        return NtStatus[word]
    raise wrong(f"{word[:80]!r} is no NTSTATUS", near(word, NtStatus.__members__) or "its ntstatus.h name")


class _Instance:
    """Let a validated value of a class of ours through as it is."""

    def __init__(self, kind: type) -> None:
        self._kind = kind

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Take instances only: a validator before this one makes them."""
        return core_schema.is_instance_schema(self._kind)


Status = TypeAliasType(
    "Status",
    Annotated[
        SecurityStatus,
        _Instance(SecurityStatus),
        BeforeValidator(_status),
        _Spelled(
            [*SecurityStatus.__members__, *STATUS_ALIASES], r"^(0[xX][0-9a-fA-F]{1,8}|-?\d{1,10})$", has_numbers=True
        ),
        Field(description="A SECURITY_STATUS by its winerror.h name, or a number that has one."),
    ],
)

NtStatusWord = TypeAliasType(
    "NtStatusWord",
    Annotated[
        NtStatus,
        _Instance(NtStatus),
        BeforeValidator(_nt_status),
        _Spelled(NtStatus.__members__),
        Field(description="An NTSTATUS by its name: what SspiReinitAsyncContext returns."),
    ],
)

_ALERT_NAMES = {alert.name: number for number, alert in ALERTS.items()}


def _alert(value: object) -> object:
    word = str(as_text(value))
    if word.isdecimal() and len(word) < 4:
        return ALERTS[int(word)].name if int(word) in ALERTS else word
    if word in _ALERT_NAMES:
        return word
    raise wrong(f"{word[:80]!r} is no TLS alert", near(word, _ALERT_NAMES) or "its IANA name, or its number")


AlertName = TypeAliasType(
    "AlertName",
    Annotated[
        str,
        BeforeValidator(_alert),
        _Spelled(_ALERT_NAMES, r"^[0-9]{1,3}$", has_numbers=True),
        Field(description="A TLS alert by its IANA name or number."),
    ],
)


def _buffer_type(value: object) -> object:
    word = str(as_text(value)).removeprefix("SECBUFFER_")
    if word in BufferType.__members__:
        return BufferType[word]
    raise wrong(
        f"{str(value)[:80]!r} is no buffer type", near(word.upper().removeprefix("SECBUFFER_"), BufferType.__members__)
    )


BufferTypeWord = TypeAliasType(
    "BufferTypeWord",
    Annotated[
        BufferType,
        _Instance(BufferType),
        BeforeValidator(_buffer_type),
        _Spelled(BufferType.__members__, rf"^SECBUFFER_({'|'.join(BufferType.__members__)})$"),
        Field(description="A SECBUFFER_* type, with or without its prefix."),
    ],
)

FlagName = Annotated[Text, Field(description="A flag of fContextReq, with or without its prefix.")]
FLAG_NAMES = tuple(IscReq.__members__)


class Range(NamedTuple):
    """A number, or the numbers from one to another, both included."""

    lowest: int
    highest: int

    def __contains__(self, number: object) -> bool:
        return isinstance(number, int) and self.lowest <= number <= self.highest

    def __str__(self) -> str:
        return str(self.lowest) if self.lowest == self.highest else f"{self.lowest}..{self.highest}"


_RANGE = r"^\d{1,12}(\.\.\d{1,12})?$"


def _range(value: object) -> object:
    word = str(as_text(value))
    if re.fullmatch(_RANGE, word):
        low, _, high = word.partition("..")
        if int(low) <= int(high or low):
            return Range(int(low), int(high or low))
    raise wrong(f"{word[:80]!r} is no number and no range", "write 517 or 200..1500")


class _RangeSchema:
    """How a size is written, for the schema."""

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Say how a size is written."""
        return {"anyOf": [{"type": "integer", "minimum": 0}, {"type": "string", "pattern": _RANGE}]}


Size = TypeAliasType(
    "Size",
    Annotated[
        Range,
        _Instance(Range),
        BeforeValidator(_range),
        _RangeSchema(),
        Field(description="A number, or a range such as 200..1500."),
    ],
)


def _bytes(value: object) -> object:
    word = re.sub(r"[\s:]", "", str(as_text(value)))
    if re.fullmatch(r"([0-9a-fA-F]{2})*", word) and len(word) < 1 << 20:
        return bytes.fromhex(word)
    raise wrong(f"{str(value)[:80]!r} is not in hex", 'two digits for each byte, such as "16 03 01"')


class _HexSchema:
    """How bytes are written, for the schema."""

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Say how bytes are written."""
        return {"anyOf": [{"type": "string", "pattern": r"^[0-9a-fA-F\s:]*$"}, {"type": "number"}]}


Hex = Annotated[bytes, BeforeValidator(_bytes), _HexSchema()]


class CallPattern(NamedTuple):
    """Which call is meant: `client.init#2` is the client's second SspiInitializeSecurityContextAsync (from 1)."""

    side: str
    word: str
    nth: int

    def __str__(self) -> str:
        return f"{self.side}.{self.word}#{self.nth}"


_CALL = re.compile(r"(client|server)\.([a-z-]{1,32})(?:#([1-9]\d{0,5}))?")


def _call(value: object) -> object:
    word = str(as_text(value))
    found = _CALL.fullmatch(word)
    if found is None:
        raise wrong(f"{word[:80]!r} names no call", "write SIDE.FUNCTION#N, such as client.init#2")
    if found[2] not in FUNCTIONS:
        raise wrong(f"{found[2]!r} is no function", near(found[2], FUNCTIONS) or ", ".join(FUNCTIONS))
    return CallPattern(found[1], found[2], int(found[3] or 1))


class _CallSchema:
    """How a call is named, for the schema."""

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Say how a call is named."""
        words = "|".join(FUNCTIONS)
        return {"type": "string", "pattern": rf"^(client|server)\.({words})(#[1-9][0-9]*)?$"}


CallName = TypeAliasType(
    "CallName",
    Annotated[
        CallPattern,
        _Instance(CallPattern),
        BeforeValidator(_call),
        _CallSchema(),
        Field(description="A call by side, function and number (from 1): client.init#2."),
    ],
)


def _calls(value: object) -> object:
    try:
        return call_pattern(str(as_text(value)))
    except UsageError as error:
        raise wrong(error.message, error.help) from None


class _CallsSchema:
    """How calls are named, for the schema."""

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Say how calls are named."""
        words = "|".join(QUEUEING_WORDS)
        return {"type": "string", "pattern": rf"^(client|server)\.(({words})(#[1-9][0-9]*)?|\*)$"}


Calls = TypeAliasType(
    "Calls",
    Annotated[
        Pattern,
        _Instance(Pattern),
        BeforeValidator(_calls),
        _CallsSchema(),
        Field(
            description="Calls of one side: client.init#2 is one, client.init all of that function, client.* all there "
            "are."
        ),
    ],
)
