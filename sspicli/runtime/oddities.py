"""What a careless caller does with the memory of a call, put into events: rare, so kept out of the common way.

The rule guarded here: nothing is judged, only told. A buffer, a descriptor or a variable is the same one when it is the
same object, as on Windows it would be the same address.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from sspicli.journal import events as ev
from sspicli.runtime.calls import PendingCall
from sspicli.runtime.work import LegWork
from sspicli.sspi.buffers import DESCRIPTOR_VERSION, SecBuffer, SecBufferDesc

UNICODE = "unicode"
PROCESS_MEMORY = "process"
SCHANNEL_NAMES = frozenset({"schannel", "microsoft unified security protocol provider"})
FREED_BYTE = b"\xdd"


class Words(NamedTuple):
    """The arguments of a leg that are nearly always 0; an accept has no Reserved1 and Reserved2."""

    reserved1: int = 0
    target_data_representation: int = 0
    reserved2: int = 0


NO_WORDS = Words()


def deviations(call: PendingCall, work: LegWork, words: Words) -> list[ev.Event]:
    """Tell which of a leg's words and versions are not 0."""
    given = {
        "Reserved1": words.reserved1,
        "TargetDataRep": words.target_data_representation,
        "Reserved2": words.reserved2,
        "pInput.ulVersion": DESCRIPTOR_VERSION if work.input is None else work.input.version,
        "pOutput.ulVersion": DESCRIPTOR_VERSION if work.output is None else work.output.version,
    }
    others: dict[str, object] = {name: value for name, value in given.items() if value}
    return [ev.ArgumentsDeviate(call.handle, others)] if others else []


def shared(call: PendingCall, work: LegWork, pending: Iterable[PendingCall]) -> list[ev.Event]:
    """Tell what of a leg belongs to calls that are pending."""
    events: list[ev.Event] = []
    for other in pending:
        events += _shared_buffers(call, other)
        events += _shared_variables(call, work, other)
    return events


def _shared_buffers(call: PendingCall, other: PendingCall) -> Iterator[ev.Event]:
    """Tell of each descriptor of a call that has something of another's: its first such buffer."""
    taken = {id(one) for descriptor in (other.input, other.output) for one in _parts(descriptor)}
    for name, descriptor in (("pInput", call.input), ("pOutput", call.output)):
        places = [at for at, one in enumerate(_parts(descriptor)) if id(one) in taken]
        if places:
            yield ev.BufferShared(call.handle, other.handle, name, max(places[0] - 1, 0))


def _parts(descriptor: SecBufferDesc | None) -> list[object]:
    return [] if descriptor is None else [descriptor, *descriptor.buffers]


def _shared_variables(call: PendingCall, work: LegWork, other: PendingCall) -> Iterator[ev.Event]:
    for name, variable in (("phCredential", work.credential), ("phContext", work.security_context)):
        if variable is not None and variable.owner is other:
            yield ev.HandleUsedEarly(call.handle, other.handle, name)
    for slot in call.slots:
        if slot.owner is other and slot is not work.security_context:
            yield ev.BufferShared(call.handle, other.handle, slot.name, 0)


def touched(call: PendingCall, buffers: Iterable[SecBuffer], act: str) -> list[ev.Event]:
    """Tell which of the touched buffers belong to a pending call; an input may be read by anyone."""
    events: list[ev.Event] = []
    for name, descriptor in (("pInput", call.input), ("pOutput", call.output)):
        if descriptor is None or (act == "read" and name == "pInput"):
            continue
        places = {id(one): at for at, one in enumerate(descriptor.buffers)}
        events += [ev.BufferTouched(call.handle, name, places[id(one)], act) for one in buffers if id(one) in places]
    return events


def spoil(buffer: SecBuffer, act: str, data: bytes | None) -> None:
    """Leave a buffer as a write or a free leaves it; reading changes nothing."""
    image = buffer.image
    if act == "read" or image.data is None:
        return
    if act == "free":
        written = FREED_BYTE * len(image.data)
    else:
        written = bytes(byte ^ 0xFF for byte in image.data) if data is None else data
    size = image.size if data is None else len(written)
    buffer.image = image._replace(data=written, size=size)
