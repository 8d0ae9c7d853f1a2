"""The rules of a call's memory and arguments (C001 to C004, C009 to C012), from records alone.

Whatever a pending call was given belongs to it until it completes. Which buffers the package allocated is told by what
they were queued as: those of a caller's own memory have an address, and no ALLOCATE_MEMORY was asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from sspicli.analysis.calls import LEG_FUNCTIONS
from sspicli.analysis.finding import FINISHED, Finding, found
from sspicli.journal import events as ev
from sspicli.journal.events import Images
from sspicli.journal.journal import Record
from sspicli.sspi.buffers import ATTRIBUTE_MASK, BufferType
from sspicli.sspi.flags import IscReq
from sspicli.sspi.functions import Function
from sspicli.sspi.handles import Handle

ALLOCATE_MEMORY = int(IscReq.ALLOCATE_MEMORY)  # the same bit in ASC_REQ
NATIVE_DREP = 0x10  # SECURITY_NATIVE_DREP: the documentation's own sample passes it
_KIND = ~ATTRIBUTE_MASK
_TOKEN, _EMPTY = int(BufferType.TOKEN), int(BufferType.EMPTY)
_ACTS = {"read": "read", "write": "changed", "free": "freed"}


class BufferMonitor:
    """Report what was done to the buffers and variables of pending calls, and arguments that cannot be right."""

    def __init__(self) -> None:
        self.findings: list[Finding] = []
        self._queued: dict[Handle, ev.CallQueued] = {}
        self._allocated: dict[str, list[tuple[Handle, int]]] = {}

    def see(self, record: Record) -> None:
        """Take the next record."""
        self.WATCH[type(record.event)](self, record)

    def end(self, last: int, reason: str) -> None:
        """Report the allocated buffers that nobody released, where the run came to its end."""
        if reason != FINISHED:
            return
        for kept in self._allocated.values():
            for call, sequence in dict(kept).items():
                self.findings.append(found("C010", call, "what it allocated was never released", sequence, last))

    def _read_early(self, record: Record) -> None:
        event = record.event
        assert isinstance(event, ev.OutputReadEarly), "dispatched by type"
        verb = "written" if event.is_write else "read"
        detail = f"{event.parameter} was {verb} while {event.call} was pending"
        self.findings.append(found("C001", event.call, detail, record.sequence))

    def _touched(self, record: Record) -> None:
        event = record.event
        assert isinstance(event, ev.BufferTouched), "dispatched by type"
        code = "C001" if event.act == "read" else "C002" if event.parameter == "pInput" else "C003"
        what = f"buffer {event.place} of {event.parameter}"
        detail = f"{what} was {_ACTS.get(event.act, event.act)} while {event.call} was pending"
        self.findings.append(found(code, event.call, detail, record.sequence))

    def _shared(self, record: Record) -> None:
        event = record.event
        assert isinstance(event, ev.BufferShared), "dispatched by type"
        detail = f"its {event.parameter} belongs to {event.other}, which was pending"
        self.findings.append(found("C004", event.call, detail, record.sequence))

    def _deviates(self, record: Record) -> None:
        event = record.event
        assert isinstance(event, ev.ArgumentsDeviate), "dispatched by type"
        for name, value in event.arguments.items():
            if name in ("strings", "memory"):
                detail = f"{value} {name} passed"
                self.findings.append(found("C011", event.call, detail, record.sequence))
            elif name != "pszPackage" and not (name == "TargetDataRep" and value == NATIVE_DREP):
                self.findings.append(found("C012", event.call, f"{name} was {value}, and not 0", record.sequence))

    def _leg_queued(self, record: Record) -> None:
        event = record.event
        assert isinstance(event, ev.CallQueued), "dispatched by type"
        if event.function not in LEG_FUNCTIONS:
            return
        self._queued[event.call] = event
        if event.function is Function.SspiAcceptSecurityContextAsync:
            wrong = _wrong_layout(event.input, is_first=event.security_context is None)
            if wrong:
                self.findings.append(found("C009", event.call, wrong, record.sequence))

    def _completed(self, record: Record) -> None:
        event = record.event
        assert isinstance(event, ev.CallCompleted), "dispatched by type"
        queued = self._queued.pop(event.call, None)
        if queued is None or queued.output is None or event.output is None:
            return
        is_allocating = queued.requirements & ALLOCATE_MEMORY
        for before, after in zip(queued.output, event.output, strict=True):
            if after.data and (is_allocating or before.data is None):
                self._allocated.setdefault(event.call.actor, []).append((event.call, record.sequence))

    def _released(self, record: Record) -> None:
        """Take off the ledger what was allocated last: that is what a caller has in hand."""
        event = record.event
        assert isinstance(event, ev.ContextBuffersFreed | ev.AllocationMisfreed), "dispatched by type"
        endpoint = record.actor.partition(".")[0]
        kept = self._allocated.get(endpoint, [])
        del kept[max(len(kept) - event.released, 0) :]
        if isinstance(event, ev.AllocationMisfreed):
            detail = f"{event.function} released what the package had allocated"
            self.findings.append(found("C010", endpoint, detail, record.sequence))

    # A table of the class: a monitor that held its own methods would be a cycle, and live until the next collection.
    WATCH: ClassVar[dict[type, Callable[[BufferMonitor, Record], None]]] = {
        ev.OutputReadEarly: _read_early,
        ev.BufferTouched: _touched,
        ev.BufferShared: _shared,
        ev.ArgumentsDeviate: _deviates,
        ev.CallQueued: _leg_queued,
        ev.CallCompleted: _completed,
        ev.ContextBuffersFreed: _released,
        ev.AllocationMisfreed: _released,
    }
    WATCHED: ClassVar[frozenset[type]] = frozenset(WATCH)


def _wrong_layout(images: Images | None, *, is_first: bool) -> str:
    """Say what is wrong with the layout of an accept's input, "" for nothing; a later leg may have none."""
    if images is None:
        return "its first leg has no input" if is_first else ""
    if not images or images[0].buffer_type & _KIND != _TOKEN:
        return "its first input buffer is no SECBUFFER_TOKEN"
    if len(images) < 2 or images[1].buffer_type & _KIND != _EMPTY:
        return "its second input buffer is no SECBUFFER_EMPTY"
    return f"its SECBUFFER_EMPTY has {images[1].size} B" if images[1].size else ""
