"""A program's memory: what a driver's own variables would be, and where its steps take bytes from.

The rule guarded here: a memory does what the steps say with it, right or wrong. A variable that nothing was written to
is NULL or empty, and what a step looked for in vain goes on record.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Any

from sspicli.runtime.calls import HandleVariable, OutputSlot
from sspicli.scenario.shapes import AC, FOREIGN, OUTPUT, Bytes
from sspicli.scenario.step import Step
from sspicli.session.actions import Action, Doing, Note, Signal
from sspicli.session.drivers import Plan
from sspicli.sspi.buffers import BufferType, SecBufferDesc
from sspicli.sspi.handles import Handle

_MADE = re.compile(r"driver-(ac|cred|ctxt)(\d{1,6})")  # what the endpoint made, whichever of its programs did
_FOREIGN_NUMBER = 999_999  # no run makes so many async contexts


@dataclass(slots=True)
class Memory:
    """One endpoint's variables, shared by its programs and callbacks; `legs` gives what leg N carried so far."""

    side: str
    plan: Plan
    legs: Callable[[int], bytes]
    async_contexts: dict[str, Handle | None] = field(default_factory=dict)
    handles: dict[str, HandleVariable] = field(default_factory=dict)
    data: dict[str, bytes] = field(default_factory=dict)
    results: dict[str, OutputSlot[int]] = field(default_factory=dict)
    buffers: dict[str, tuple[SecBufferDesc | None, SecBufferDesc | None]] = field(default_factory=dict)
    signals: dict[str, Signal] = field(default_factory=dict)
    own_signals: dict[str, Signal] = field(default_factory=dict)
    last: str = AC

    def async_context(self, name: str | None) -> Handle | None:
        """Find an async context; NULL for null and for a variable that nothing was written to."""
        if name == FOREIGN:
            return Handle(self.side, "ac", _FOREIGN_NUMBER)
        made = _MADE.fullmatch(name or "")
        if made is not None and made[1] == "ac":
            return Handle(self.side, "ac", int(made[2]))
        return None if name is None else self.async_contexts.get(name)

    def handle(self, name: str, parameter: str = "phCredential") -> HandleVariable:
        """Find the variable of a credential or security context."""
        if name not in self.handles:
            made = _MADE.fullmatch(name)
            value = None if made is None else Handle(self.side, made[1], int(made[2]))
            self.handles[name] = OutputSlot(parameter, value)
        return self.handles[name]

    def signal(self, name: str) -> Signal:
        """Find the signal that a callback of an async context raises."""
        if name not in self.signals:
            self.signals[name] = Signal(name)
        return self.signals[name]

    def own_signal(self, name: str) -> Signal:
        """Find the signal that a step raises, and no callback; async contexts have names of their own."""
        return self.own_signals.setdefault(name, Signal(name, of_callback=False))

    def output(self) -> bytes:
        """Give the last call's output token; nothing where there is none."""
        _, output = self.buffers.get(self.last, (None, None))
        token = None if output is None else output.first(BufferType.TOKEN)
        return b"" if token is None else token.data or b""

    def read(self, source: str | Bytes) -> bytes:
        """Get bytes from a variable or another source."""
        if isinstance(source, str):
            return self.output() if source == OUTPUT else self.data.get(source, b"")
        if source.from_ is not None:
            data = self.read(source.from_)
        elif source.leg is not None:
            data = self.legs(source.leg)
        elif source.hex is not None:
            data = source.hex
        else:
            data = bytes(source.zeros) if source.zeros is not None else (source.text or "").encode()
        return data if source.slice is None else data[source.slice.start : source.slice.end]


@dataclass(frozen=True, slots=True)
class Scope:
    """Where steps are performed: the endpoint's memory, and inside a callback the async context it was given."""

    memory: Memory
    this: Handle | None = None

    def async_context(self, name: str | None) -> Handle | None:
        """Find an async context; `this` is the one that the callback was given."""
        return self.this if name == "this" and self.this is not None else self.memory.async_context(name)


Perform = Callable[[Scope, Any, str], Generator[Action, object, None]]
"""How a step is performed: where, the step itself, and its id."""


def source_bytes(scope: Scope, step: Step, source: str | Bytes) -> Doing[bytes]:
    """Get bytes for a step; that a leg was not there to take them from goes on record."""
    leg = source.leg if isinstance(source, Bytes) else None
    if leg is not None and not scope.memory.legs(leg):
        yield Note(f"{step.verb}: leg {leg} has not been sent")
    return scope.memory.read(source)


def keep_left_over(memory: Memory, name: str) -> None:
    """Keep of a variable's bytes what the last call's SECBUFFER_EXTRA says is left over."""
    input, _ = memory.buffers.get(memory.last, (None, None))
    extra = None if input is None else input.first(BufferType.EXTRA)
    data = memory.data.get(name, b"")
    memory.data[name] = b"" if extra is None else data[len(data) - extra.size :]
