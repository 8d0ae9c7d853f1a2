"""One line for each event: the log of the live view, and what stands in for it where no screen can be drawn.

The rule guarded here: every event has its sentence (the union is closed, and mypy says which one is missing), nothing
secret is in it (of a key-log line its label alone, of protected messages their sizes), and data passes `visible`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

from sspicli.analysis.state import State
from sspicli.analysis.timeline import ACTS
from sspicli.journal import events as ev
from sspicli.journal.events import Images
from sspicli.journal.journal import Record
from sspicli.sspi.attributes import attribute_name
from sspicli.sspi.buffers import BufferImage, BufferType, buffer_type_name
from sspicli.sspi.handles import Handle
from sspicli.sspi.status import NtStatus, SecurityStatus
from sspicli.views.ladder import SHORT_FUNCTIONS
from sspicli.views.text import Glyphs, Line, Segment, line, visible

_WHO = {"callback": "cb", "package": "pkg"}
_BAD = (
    ev.ContractBroken,
    ev.OutputReadEarly,
    ev.BufferTouched,
    ev.BufferShared,
    ev.HandleUsedEarly,
    ev.AllocationMisfreed,
    ev.FaultInjected,
    ev.FaultMissed,
    ev.CallbackRaised,
    ev.WaitUnanswered,
)
_AWAITED = {"signal": "a signal", "bytes": "bytes", "timer": "a timer"}
_NO_FAILURES = (SecurityStatus.SEC_E_INCOMPLETE_MESSAGE,)
_BURSTS = (ev.KeyLogged, ev.AttributeQueried)
_MUTED = (ev.KeyLogged, ev.ChoiceMade, ev.ContextBuffersFreed, ev.AttributeQueried)


class Words:
    """Writes events in words: with the documented names in full, or by the short names of a narrow screen."""

    def __init__(self, state: State, glyphs: Glyphs, *, is_short: bool) -> None:
        self._state = state
        self._to, self._times = glyphs.to, glyphs.times
        self._is_short = is_short

    def line(self, record: Record) -> Line:
        """Write a record: when, who, what; `cb` is an endpoint's callback, `pkg` its package at work."""
        event = record.event
        style = "muted" if isinstance(event, _MUTED) else "bad" if _is_bad(event) else ""
        when = f"{self._state.seconds_at(record):.6f}"
        return line(
            Segment(f"{when} ", "muted"),
            Segment(f"{_who(record.actor):<10} ", "call"),
            Segment(self.text(event), style),
        )

    def lines(self, records: Sequence[Record], rows: int) -> list[Line]:
        """Write the last records in so many rows, a burst of the same minor event as one with its count."""
        lines: list[Line] = []
        at = len(records)
        while at > 0 and len(lines) < rows:
            at -= 1
            last, count = records[at], 1
            while at > 0 and isinstance(last.event, _BURSTS) and type(records[at - 1].event) is type(last.event):
                at, count = at - 1, count + 1
            times = (Segment(f" {self._times}{count}", "muted"),) if count > 1 else ()
            lines.insert(0, (*self.line(last), *times))
        return lines

    def _function(self, name: str) -> str:
        return SHORT_FUNCTIONS.get(name, name.removeprefix("Sspi")) if self._is_short else name

    def _call(self, handle: Handle) -> str:
        call = self._state.call(handle)
        return f"{self._function(call.function.documented_name)} #{call.number}"

    def text(self, event: ev.Event) -> str:  # one case for each event: a table, not a computation
        """Write what happened, without when and who."""
        to = self._to
        match event:
            case ev.CallQueued():
                silent = ", with no callback" if event.is_silent else ""
                target = f" for {visible(event.target_name)}" if event.target_name else ""
                given = f", in {_tokens(event.input)}" if _tokens(event.input) else ""
                return f"{self._call(event.call)} queued on {_own(event.async_context)}{silent}{target}{given}"
            case ev.QueueingReturned():
                return f"{self._call(event.call)} {to} queue status {event.queue_status.name}"
            case ev.CallRefused():
                return f"{self._function(event.function.documented_name)} {to} refused, {event.queue_status.name}"
            case ev.CallCompleted():
                made = f", out {_tokens(event.output)}" if _tokens(event.output) else ""
                return f"{self._call(event.call)} completed: {event.status.name}{made}"
            case ev.CallStatusQueried():
                return (
                    f"{self._function('SspiGetAsyncCallStatus')} {_own(event.async_context)} {to} {event.status.name}"
                )
            case ev.CallbackEntered():
                return f"notify callback of {self._call(event.call)} entered"
            case ev.CallbackReturned():
                return f"notify callback of {self._call(event.call)} returned"
            case ev.CallbackRaised():
                return visible(f"exception leaves the notify callback of {self._call(event.call)}: {event.error}")
            case ev.CallbackWaited():
                awaited = _AWAITED.get(event.awaited, event.awaited)
                return visible(f"notify callback of {self._call(event.call)} waits for {awaited}")
            case ev.WaitUnanswered():
                return visible(f"waits for ever for {event.awaited}")
            case ev.CallbackDataDied():
                return f"callback data {visible(event.name)} of {_own(event.async_context)} dies"
            case ev.LockTaken():
                return f"lock {visible(event.name)} taken"
            case ev.LockReleased():
                return f"lock {visible(event.name)} released"
            case ev.OutputReadEarly():
                verb = "written" if event.is_write else "read"
                return f"{event.parameter} {verb} while {self._call(event.call)} is pending"
            case ev.BufferTouched():
                verb = ACTS.get(event.act, event.act)
                what = f"buffer {event.place} of {event.parameter}"
                return visible(f"{what} {verb} while {self._call(event.call)} is pending")
            case ev.BufferShared():
                owner = self._call(event.other)
                return visible(f"{event.parameter} of {self._call(event.call)} belongs to {owner}, which is pending")
            case ev.HandleUsedEarly():
                owner = self._call(event.owner)
                return visible(f"{event.parameter} of {self._call(event.call)} is still to be written by {owner}")
            case ev.ArgumentsDeviate():
                given = ", ".join(f"{name} {value}" for name, value in event.arguments.items())
                return visible(f"{self._call(event.call)} was given {given}")
            case ev.AttributesRead():
                return f"pfContextAttr of {self._call(event.call)} read: less was granted than requested"
            case ev.AsyncContextCreated():
                return f"{self._function('SspiCreateAsyncContext')} {to} {_own(event.async_context)}"
            case ev.NotifyCallbackSet():
                what = " to NULL" if event.is_null else ""
                name = self._function("SspiSetAsyncNotifyCallback")
                return f"{name} {_own(event.async_context)}{what} {to} {event.status.name}"
            case ev.NotifyRequirementQueried():
                name = self._function("SspiAsyncContextRequiresNotify")
                return f"{name} {_own(event.async_context)} {to} {str(event.requires_notify).upper()}"
            case ev.AsyncContextReinitialized():
                return (
                    f"{self._function('SspiReinitAsyncContext')} {_own(event.async_context)} {to} {event.status.name}"
                )
            case ev.AsyncContextFreed():
                return f"{self._function('SspiFreeAsyncContext')} {_own(event.async_context)}"
            case ev.ContractBroken():
                return f"{event.rule} {_own(event.async_context)}: {event.verb}, while {event.phase}: {event.why}"
            case ev.CredentialAcquired():
                return f"credential {_own(event.credential)} acquired"
            case ev.CredentialFreed():
                return f"credential {_own(event.credential)} freed"
            case ev.SecurityContextOpened():
                return f"security context {_own(event.security_context)} opened"
            case ev.SecurityContextDeleted():
                return f"security context {_own(event.security_context)} deleted"
            case ev.MessageEncrypted():
                plain = sum(one.size for one in event.before if one.buffer_type == BufferType.DATA)
                return f"EncryptMessage {to} {event.status.name}, DATA {plain} B, protected {_size(event.after)} B"
            case ev.MessageDecrypted():
                left = " ".join(_buffer(one) for one in event.after if one.buffer_type != BufferType.EMPTY)
                return f"DecryptMessage {to} {event.status.name}, {left}"
            case ev.AttributeQueried():
                return f"QueryContextAttributes {attribute_name(event.attribute)} {to} {event.status.name}"
            case ev.AttributeSet():
                return f"SetContextAttributes {attribute_name(event.attribute)} {to} {event.status.name}"
            case ev.ControlTokenApplied():
                return f"ApplyControlToken {to} {event.status.name}"
            case ev.ContextBuffersFreed():
                return f"FreeContextBuffer, {event.released} released"
            case ev.AllocationMisfreed():
                return visible(f"{event.function}, {event.released} released that only FreeContextBuffer may")
            case ev.RunStarted():
                return f"run started: {visible(event.package)}, {visible(event.engine)}"
            case ev.HandshakeBegan():
                return f"handshake {event.number} begins"
            case ev.RunEnded():
                return visible(f"run ended: {event.reason}" + "".join(f"; {one}" for one in event.waits))
            case ev.NoteMade():
                return visible(event.text)
            case ev.ActionTaken():
                return visible(event.words)
            case ev.TokenSent():
                what = f"leg {event.leg}" if event.leg else "protected data"
                return f"{what}, {len(event.data)} B, sent to the {visible(event.receiver)}"
            case ev.TokenDelivered():
                leg = self._state.leg_of(event.number)
                return f"{f'leg {leg}' if leg else 'protected data'} reached the {visible(event.receiver)}"
            case ev.FaultInjected():
                return visible(f"fault {event.text}: {event.detail}")
            case ev.TokenForwarded():
                what = f"leg {event.leg}" if event.leg else "protected data"
                return f"{what} goes on to the {visible(event.receiver)} as {len(event.data)} B"
            case ev.FaultMissed():
                return visible(f"fault {event.text} missed {event.subject}: {event.why}")
            case ev.CallHeld():
                return visible(f"{event.call} is held ({event.pattern})")
            case ev.CallReleased():
                return visible(f"{event.call} is released ({event.pattern})")
            case ev.ChoiceMade():
                return f"choice {event.step}: option {event.taken + 1} of {event.options}"
            case ev.KeyLogged():
                return f"key log: {visible(event.line.partition(' ')[0], 40)}"
            case _:
                assert_never(event)


def _who(actor: str) -> str:
    """Shorten an actor: `client.ac1.callback` is `client cb`."""
    endpoint, _, rest = actor.partition(".")
    role = rest.rpartition(".")[2]
    return visible(f"{endpoint} {_WHO.get(role, role)}".rstrip(), 20)


def _own(handle: Handle | None) -> str:
    """Name a handle without its owner, who stands at the head of the line."""
    return "NULL" if handle is None else f"{handle.kind}{handle.number}"


def _buffer(image: BufferImage) -> str:
    return f"{buffer_type_name(image.buffer_type)} {image.size} B"


def _tokens(images: Images | None) -> str:
    """Name the buffers that hold something."""
    return " ".join(_buffer(one) for one in images or () if one.data)


def _size(images: Images) -> int:
    return sum(one.size for one in images if one.buffer_type != BufferType.EMPTY)


def _is_bad(event: ev.Event) -> bool:
    """Say whether an event is a failure, or something that should not have been done."""
    if isinstance(event, _BAD):
        return True
    status = getattr(event, "status", None) or getattr(event, "queue_status", None)
    is_error = isinstance(status, SecurityStatus) and status >= 0x80000000 and status not in _NO_FAILURES
    return is_error or (isinstance(status, NtStatus) and status != NtStatus.STATUS_SUCCESS)
