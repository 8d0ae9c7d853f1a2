"""Every record told in a line: when, who, what, and which record led to it.

The rule guarded here: nothing is left out and nothing secret is told. Key-log lines give their label, messages their
sizes. What a record says of an async SSPI function is written as that function's call, by its documented name.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sspicli.analysis.rules import Finding
from sspicli.journal import events as ev
from sspicli.journal.events import Images
from sspicli.journal.journal import Record
from sspicli.sspi.attributes import attribute_name
from sspicli.sspi.buffers import buffer_type_name
from sspicli.sspi.handles import Handle
from sspicli.sspi.status import NtStatus, SecurityStatus

_BAD = (
    ev.ContractBroken,
    ev.CallRefused,
    ev.OutputReadEarly,
    ev.BufferTouched,
    ev.BufferShared,
    ev.HandleUsedEarly,
    ev.AllocationMisfreed,
    ev.CallbackRaised,
    ev.WaitUnanswered,
)
_NO_FAILURES = frozenset({SecurityStatus.SEC_E_OK, SecurityStatus.SEC_E_INCOMPLETE_MESSAGE})

_AWAITED = {"signal": "for a signal", "bytes": "for bytes from its peer", "timer": "for a time"}


class Entry(NamedTuple):
    """One record, told.

    `is_bad` says that it is a failure or a broken contract; `findings` are the codes of the findings that it shows.
    """

    record: Record
    text: str
    is_bad: bool
    findings: tuple[str, ...]

    @property
    def kind(self) -> str:
        """Name the event's type, as the recording does."""
        return type(self.record.event).__name__


def timeline(records: Sequence[Record], findings: Iterable[Finding] = ()) -> tuple[Entry, ...]:
    """Tell records in their order."""
    shown: dict[int, list[str]] = {}
    for finding in findings:
        for number in finding.records:
            shown.setdefault(number, []).append(finding.rule.code)
    return tuple(
        Entry(record, told(record.event), _is_bad(record.event), tuple(shown.get(record.sequence, ())))
        for record in records
    )


def _is_bad(event: ev.Event) -> bool:
    if isinstance(event, _BAD):
        return True
    if isinstance(event, ev.AsyncContextCreated):
        return event.async_context is None
    status = getattr(event, "status", None)
    return isinstance(status, (SecurityStatus, NtStatus)) and status >= 0x80000000 and status not in _NO_FAILURES


def told(event: ev.Event) -> str:
    """Tell one event in a sentence."""
    match event:
        case ev.CallQueued():
            return _queued(event)
        case ev.QueueingReturned():
            return f"queueing {event.call} returns {event.queue_status.name}"
        case ev.CallCompleted():
            return _completed(event)
        case ev.CallRefused():
            name = event.function.documented_name
            return f"{name} ({_named(event.async_context)}) refuses with {event.queue_status.name}: nothing is queued"
        case ev.OutputReadEarly():
            return f"{event.parameter} of {event.call} is {'written' if event.is_write else 'read'} while it is pending"
        case ev.BufferTouched() | ev.BufferShared() | ev.HandleUsedEarly() | ev.ArgumentsDeviate():
            return _told_of_arguments(event)
        case ev.AttributesRead():
            return f"pfContextAttr of {event.call}, which was granted less than it requested, is read"
        case ev.CallbackEntered():
            return f"callback of {event.async_context} entered for {event.call}"
        case ev.CallbackReturned():
            return f"callback of {event.async_context} returns"
        case ev.TokenSent():
            what = f"leg {event.leg}" if event.leg else "protected data"
            return f"{what}, {len(event.data)} B, sent to the {event.receiver} as parcel {event.number}"
        case ev.TokenDelivered():
            return f"parcel {event.number} reaches the {event.receiver}"
        case _:
            return _told_of_async_context(event)


ACTS = {"read": "read", "write": "written", "free": "freed"}


def _told_of_arguments(
    event: ev.BufferTouched | ev.BufferShared | ev.HandleUsedEarly | ev.ArgumentsDeviate,
) -> str:
    match event:
        case ev.BufferTouched():
            act = ACTS.get(event.act, event.act)
            return f"buffer {event.place} of {event.parameter} of {event.call} is {act} while it is pending"
        case ev.BufferShared():
            return f"{event.parameter} of {event.call} has what belongs to {event.other}, which is pending"
        case ev.HandleUsedEarly():
            return f"{event.parameter} of {event.call} is a variable that {event.owner} is still to write"
        case ev.ArgumentsDeviate():
            given = ", ".join(f"{name} {value}" for name, value in event.arguments.items())
            return f"{event.call} was given {given}"


def _told_of_async_context(event: ev.Event) -> str:
    match event:
        case ev.AsyncContextCreated():
            return f"SspiCreateAsyncContext gives {_named(event.async_context)}"
        case ev.NotifyCallbackSet():
            callback = "NULL" if event.is_null else "callback"
            name = _named(event.async_context)
            return f"SspiSetAsyncNotifyCallback ({name}, {callback}) gives {event.status.name}"
        case ev.NotifyRequirementQueried():
            answer = "TRUE" if event.requires_notify else "FALSE"
            return f"SspiAsyncContextRequiresNotify ({_named(event.async_context)}) gives {answer}"
        case ev.CallStatusQueried():
            call = f", of {event.call}" if event.call else ""
            return f"SspiGetAsyncCallStatus ({_named(event.async_context)}) gives {event.status.name}{call}"
        case ev.AsyncContextReinitialized():
            return f"SspiReinitAsyncContext ({_named(event.async_context)}) gives {event.status.name}"
        case ev.AsyncContextFreed():
            return f"SspiFreeAsyncContext ({_named(event.async_context)})"
        case ev.ContractBroken():
            where = "inside its callback" if event.inside else "outside its callback"
            what = f"{event.rule or 'contract'} broken: {event.verb} {_named(event.async_context)}"
            return f"{what}, {event.phase}, {where}: {event.why} ({event.source})"
        case _:
            return _told_of_program(event)


def _told_of_program(event: ev.Event) -> str:
    """Tell what a program's callbacks came to, and what the program itself put on record."""
    match event:
        case ev.CallbackRaised():
            return f"an exception leaves the callback of {event.async_context}: {event.error}"
        case ev.CallbackWaited():
            return f"callback of {event.async_context} waits: {_AWAITED.get(event.awaited, event.awaited)}"
        case ev.WaitUnanswered():
            return f"nothing answers the wait for {event.awaited}"
        case ev.CallbackDataDied():
            return f"callback data {event.name} of {_named(event.async_context)} dies"
        case ev.LockTaken():
            return f"lock {event.name} is taken"
        case ev.LockReleased():
            return f"lock {event.name} is released"
        case _:
            return _told_of_context(event)


def _told_of_context(event: ev.Event) -> str:
    """Tell what befell credentials and security contexts."""
    match event:
        case ev.CredentialAcquired():
            return f"{event.credential} is acquired by {event.call}"
        case ev.CredentialFreed():
            return f"{event.credential} is freed"
        case ev.SecurityContextOpened():
            return f"{event.security_context} is opened by {event.call}, as {event.role}"
        case ev.SecurityContextDeleted():
            return f"{event.security_context} is deleted"
        case ev.MessageEncrypted():
            return _message("EncryptMessage", event.security_context, event.status, images=(event.before, event.after))
        case ev.MessageDecrypted():
            return _message("DecryptMessage", event.security_context, event.status, images=(event.before, event.after))
        case ev.AttributeQueried():
            return _attribute("QueryContextAttributes", event)
        case ev.AttributeSet():
            return _attribute("SetContextAttributes", event)
        case ev.ControlTokenApplied():
            return f"ApplyControlToken ({_named(event.security_context)}) gives {event.status.name}"
        case ev.ContextBuffersFreed():
            return f"FreeContextBuffer, {_counted(event.released, 'buffer')}"
        case ev.AllocationMisfreed():
            return f"{event.function}, {_counted(event.released, 'buffer')} of the package's"
        case _:
            return _told_of_run(event)


def _told_of_run(event: ev.Event) -> str:
    match event:
        case ev.RunStarted():
            return f"{event.tool} starts: {event.package} by {event.engine}; {event.platform}; {event.started}"
        case ev.RunEnded():
            waits = f": {'; '.join(event.waits)}" if event.waits else ""
            return f"the run ends, {event.reason}{waits}"
        case ev.HandshakeBegan():
            return f"handshake {event.number} begins"
        case ev.NoteMade():
            return f"note: {event.text}"
        case ev.ActionTaken():
            return f"action: {event.words}"
        case ev.FaultInjected():
            return f"fault {event.text} befalls {event.subject}: {event.kind}, {event.detail}"
        case ev.TokenForwarded():
            instead = f" in place of parcel {' and '.join(map(str, event.replaces))}" if event.replaces else " besides"
            what = f"leg {event.leg}" if event.leg else "protected data"
            return f"{what}, {len(event.data)} B, goes on to the {event.receiver} as parcel {event.number}{instead}"
        case ev.FaultMissed():
            return f"fault {event.text} misses {event.subject}: {event.why}"
        case ev.CallHeld():
            return f"{event.call} is held until it is released: {event.pattern}"
        case ev.CallReleased():
            return f"{event.call} may complete from here on: {event.pattern}"
        case ev.ChoiceMade():
            return f"choice {event.step}: option {event.taken + 1} of {event.options}"
        case ev.KeyLogged():
            return f"key log of {_named(event.security_context)}: {event.line.partition(' ')[0]}"
        case _:
            raise AssertionError(f"{type(event).__name__} has a sentence of its own")


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _named(handle: Handle | None) -> str:
    return "NULL" if handle is None else str(handle)


def _queued(event: ev.CallQueued) -> str:
    name = event.function.documented_name
    about = [f"{one}" for one in (event.async_context, event.credential, event.security_context) if one is not None]
    silent = ", with no callback" if event.is_silent else ""
    text = f"{name} ({', '.join(about)}) queues {event.call}{silent}"
    return text + _descriptors(event.input, event.output)


def _completed(event: ev.CallCompleted) -> str:
    about = f", {event.handle}" if event.handle else ""
    return f"{event.call} completes with {event.status.name}{about}" + _descriptors(event.input, event.output)


def _descriptors(input: Images | None, output: Images | None) -> str:
    """Say what the descriptors hold, each only where there is one."""
    taken = "" if input is None else f"; in {_images(input)}"
    return taken + ("" if output is None else f"; out {_images(output)}")


def _images(images: Images) -> str:
    return " + ".join(f"{buffer_type_name(one.buffer_type)} {one.size}" for one in images) or "no buffers"


def _message(
    function: str, security_context: Handle | None, status: SecurityStatus, *, images: tuple[Images, Images]
) -> str:
    before, after = map(_images, images)
    became = "" if before == after else f"; became {after}"
    return f"{function} ({_named(security_context)}) gives {status.name}; {before}{became}"


def _attribute(function: str, event: ev.AttributeQueried | ev.AttributeSet) -> str:
    name = attribute_name(event.attribute)
    return f"{function} ({_named(event.security_context)}, {name}) gives {event.status.name}"
