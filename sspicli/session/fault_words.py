"""How a fault is written: on a command line as one word, in a file as a mapping. One grammar for both.

`server.accept#2=fail:SEC_E_INTERNAL_ERROR` and `{call: server.accept#2, fail: SEC_E_INTERNAL_ERROR}` are the same
fault, as are `leg2=tamper:40:01` and `{leg: 2, tamper: {at: 40, xor: "01"}}`. The word is taken apart into the mapping,
and only mappings become faults. A fault out of a mapping has the word as its text, so that records read alike.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from itertools import pairwise
from typing import Final

from sspicli.session.faults import FUNCTIONS, Fault, FaultKind
from sspicli.session.wire_faults import WireFault, WireFaultKind
from sspicli.sspi.errors import UsageError
from sspicli.sspi.status import SecurityStatus

Value = str | int | bool | list["Value"] | Mapping[str, "Value"]
AnyFault = Fault | WireFault

FORM: Final = (
    "SIDE.FUNCTION[#N]=KIND[:ARGUMENT] or legN=KIND[:ARGUMENT], such as server.accept#2=hang or leg2=truncate:100"
)
MOST_BYTES = 1 << 16
_LARGEST = 10**12

_CALL = re.compile(r"(client|server)\.([a-z-]{1,32})(?:#(\d{1,6}))?")
_LEG = re.compile(r"(?:handshake(\d{1,6})\.)?leg(\d{1,6})")
_FLAGS = frozenset({"null", "hang", "drop", "duplicate", "join", "swap"})
_EXAMPLES = {
    "refuse": "client.init=refuse:SEC_E_INSUFFICIENT_MEMORY",
    "fail": "client.init=fail:SEC_E_INTERNAL_ERROR",
    "delay": "client.init=delay:500, leg3=delay:500",
    "tamper": "leg2=tamper:40:01, leg2=tamper:ServerHello.random:00ff; with = before the bytes they are written over",
    "truncate": "leg1=truncate:100",
    "extend": "leg2=extend:00ff",
    "split": "leg1=split:5:100",
}


# -- a word of the command line ----------------------------------------------------------------------------------------
def parse_fault(text: str) -> AnyFault:
    """Read a fault as the command line writes it; raise UsageError for anything else."""
    try:
        return replace(fault_from(taken_apart(text)), text=text)
    except UsageError as error:
        raise UsageError(error.message, where="--fault", help=error.help or f"write {FORM}") from None


def taken_apart(text: str) -> Mapping[str, Value]:
    """Make the mapping that a word stands for; whether it is a fault is not looked at."""
    subject, equals, rest = text.partition("=")
    kind, colon, argument = rest.partition(":")
    leg = _LEG.fullmatch(subject)
    if not equals or (leg is None and _CALL.fullmatch(subject) is None):
        raise UsageError(f"{text!r} is not a fault", where="--fault", help=f"write {FORM}")
    if kind in _FLAGS and colon:
        raise UsageError(f"{kind} takes no argument", where=kind, help=f"write {FORM}")
    value = _argument(kind, argument) if colon else kind in _FLAGS or kind in ("refuse", "fail") or ""
    if leg is None:
        return {"call": subject, kind: value}
    return {"leg": int(leg[2]), "handshake": int(leg[1] or 1), kind: value}


def _argument(kind: str, argument: str) -> Value:
    match kind:
        case "tamper":
            where, _, data = argument.rpartition(":")
            place: Value = int(where) if re.fullmatch(r"-?\d{1,9}", where) else where
            verb = "bytes" if data.startswith("=") else "xor"
            return {"at" if isinstance(place, int) else "field": place, verb: data.removeprefix("=")}
        case "split":
            return [_number_in(one) for one in argument.split(":")]
        case "truncate" | "delay":
            return _number_in(argument)
        case _:
            return argument


def _number_in(text: str) -> Value:
    return int(text) if re.fullmatch(r"[0-9]{1,12}", text) else text


# -- a mapping ---------------------------------------------------------------------------------------------------------
def fault_from(mapping: Mapping[str, Value]) -> AnyFault:
    """Make the fault that a mapping describes; UsageError's `where` is the key that is wrong."""
    if "leg" in mapping:
        fault: AnyFault = _wire_fault(mapping)
    elif "call" in mapping:
        fault = _call_fault(mapping)
    else:
        raise UsageError("a fault befalls a call or a leg", where="call", help="call: server.accept#2, or leg: 2")
    return replace(fault, text=fault_text(fault))


def _call_fault(mapping: Mapping[str, Value]) -> Fault:
    kind, value = _kind(mapping, [one.value for one in FaultKind], besides=("call",))
    named = _CALL.fullmatch(mapping["call"]) if isinstance(mapping["call"], str) else None
    if named is None:
        raise UsageError(f"{_brief(mapping['call'])} is no call", where="call", help="such as server.accept#2")
    actor, function, nth = named.groups()
    _known(function, FUNCTIONS, "function", where="call")
    if (kind == FaultKind.NULL) != (function == "create"):
        raise UsageError("null is the fault of create, and its only one", where=kind, help="client.create=null")
    fault = Fault(FaultKind(kind), actor, FUNCTIONS[function], int(nth or 1))
    if fault.nth < 1:
        raise UsageError("calls count from 1", where="call", help=f"{actor}.{function}#1")
    if kind in (FaultKind.REFUSE, FaultKind.FAIL):
        return fault if value is True else replace(fault, status=_error_status(kind, value))
    if kind == FaultKind.DELAY:
        return replace(fault, ticks=_number(kind, value, "delay wants microseconds of virtual time", least=0))
    _flag(kind, value)
    return fault


def _wire_fault(mapping: Mapping[str, Value]) -> WireFault:
    kind, value = _kind(mapping, [one.value for one in WireFaultKind], besides=("leg", "handshake"))
    leg = _number("leg", mapping["leg"], "legs count from 1", least=1)
    handshake = _number("handshake", mapping.get("handshake", 1), "handshakes count from 1", least=1)
    fault = WireFault(WireFaultKind(kind), leg, handshake)
    match fault.kind:
        case WireFaultKind.TAMPER:
            return _tampering(fault, value)
        case WireFaultKind.TRUNCATE:
            return replace(fault, size=_number(kind, value, "truncate wants how many bytes to leave, from 1", least=1))
        case WireFaultKind.EXTEND:
            return replace(fault, data=_bytes(kind, value))
        case WireFaultKind.SPLIT:
            return replace(fault, offsets=_offsets(value))
        case WireFaultKind.DELAY:
            return replace(fault, ticks=_number(kind, value, "delay wants microseconds of virtual time", least=0))
        case _:
            _flag(kind, value)
            return fault


def _tampering(fault: WireFault, value: Value) -> WireFault:
    if not isinstance(value, Mapping):
        raise UsageError("tamper wants a place and bytes", where="tamper", help=_EXAMPLES["tamper"])
    for key in value:
        _known(key, ("at", "field", "xor", "bytes"), "part of tamper", where=str(key))
    if ("at" in value) == ("field" in value):
        raise UsageError("tamper wants one place: at, or field", where="tamper", help=_EXAMPLES["tamper"])
    if ("xor" in value) == ("bytes" in value):
        raise UsageError("tamper wants one of xor and bytes", where="tamper", help=_EXAMPLES["tamper"])
    verb = "xor" if "xor" in value else "bytes"
    data = _bytes(verb, value[verb])
    if verb == "xor" and not any(data):
        raise UsageError("exclusive or with nothing but zeros changes nothing", where="xor", help="such as 01")
    fault = replace(fault, data=data, is_xor=verb == "xor")
    if "at" in value:
        return replace(fault, at=_number("at", value["at"], "at wants an offset", least=-_LARGEST))
    field = value["field"]
    if not isinstance(field, str) or not re.fullmatch(r"[^\s:=]{1,200}", field):
        raise UsageError(f"{_brief(field)} is no field", where="field", help="such as ServerHello.random")
    return replace(fault, field=field)


def _kind(mapping: Mapping[str, Value], kinds: list[str], *, besides: tuple[str, ...]) -> tuple[str, Value]:
    """Find the one key that says what happens."""
    named = [key for key in mapping if key not in besides]
    for key in named:
        _known(key, kinds, "kind of fault", where=str(key))
    if len(named) != 1:
        raise UsageError("a fault does one thing", where=besides[0], help=f"one of {', '.join(kinds)}")
    return named[0], mapping[named[0]]


def _known(word: str, known: Iterable[str], what: str, *, where: str) -> None:
    if word not in known:
        from difflib import get_close_matches  # only ever needed for an error

        near = get_close_matches(str(word), list(known), n=1)
        help = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
        raise UsageError(f"{_brief(word)} is no {what}", where=where, help=help)


def _flag(kind: str, value: Value) -> None:
    if value is not True:
        raise UsageError(f"{kind} takes no argument", where=kind, help=f"{kind}: true, or leave it out")


def _number(key: str, value: Value, why: str, *, least: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value < _LARGEST:
        raise UsageError(f"{why}, not {_brief(value)}", where=key, help=_EXAMPLES.get(key, f"{key}: 1"))
    return value


def _offsets(value: Value) -> tuple[int, ...]:
    given = value if isinstance(value, list) else [value]
    offsets = tuple(_number("split", one, "split wants offsets from 1 on", least=1) for one in given)
    if not offsets or any(a >= b for a, b in pairwise(offsets)):
        raise UsageError("split wants rising offsets", where="split", help=_EXAMPLES["split"])
    return offsets


def _bytes(key: str, value: Value) -> bytes:
    text = "".join(value.split()) if isinstance(value, str) else ""
    if not re.fullmatch(r"(?:[0-9a-fA-F]{2})+", text) or len(text) > 2 * MOST_BYTES:
        help = 'such as 00ff; in a file, in quotes: "00 ff"'
        raise UsageError(f"{_brief(value)} is no bytes in hex, up to {MOST_BYTES:,}", where=key, help=help)
    return bytes.fromhex(text)


def _error_status(kind: str, value: Value) -> SecurityStatus:
    if not isinstance(value, str) or value not in SecurityStatus.__members__:
        raise UsageError(f"{_brief(value)} is no status", where=kind, help="write its winerror.h name")
    if SecurityStatus[value].succeeded:
        raise UsageError(
            f"{value} is no error: a call that is refused or fails needs one",
            where=kind,
            help="such as SEC_E_INTERNAL_ERROR",
        )
    return SecurityStatus[value]


_LONGEST_SHOWN = 60


def _brief(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _LONGEST_SHOWN else text[:_LONGEST_SHOWN] + "..."


# -- back to a word ----------------------------------------------------------------------------------------------------
_WORDS = {function: word for word, function in reversed(FUNCTIONS.items())}


def fault_text(fault: AnyFault) -> str:
    """Write a fault as the command line does."""
    if isinstance(fault, Fault):
        argument = {
            FaultKind.REFUSE: f":{fault.status.name}",
            FaultKind.FAIL: f":{fault.status.name}",
            FaultKind.DELAY: f":{fault.ticks}",
        }.get(fault.kind, "")
        return f"{fault.actor}.{_WORDS[fault.function]}#{fault.nth}={fault.kind}{argument}"
    before = f"handshake{fault.handshake}." if fault.handshake != 1 else ""
    write = _ARGUMENTS.get(fault.kind)
    return f"{before}leg{fault.leg}={fault.kind}{'' if write is None else ':' + write(fault)}"


_ARGUMENTS: dict[WireFaultKind, Callable[[WireFault], str]] = {
    WireFaultKind.TAMPER: lambda one: f"{one.field or one.at}:{'' if one.is_xor else '='}{one.data.hex()}",
    WireFaultKind.TRUNCATE: lambda one: str(one.size),
    WireFaultKind.EXTEND: lambda one: one.data.hex(),
    WireFaultKind.SPLIT: lambda one: ":".join(map(str, one.offsets)),
    WireFaultKind.DELAY: lambda one: str(one.ticks),
}
