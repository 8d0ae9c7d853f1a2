"""What a recording knows of a code: where it stands in it, and which one alert it really was.

The rule guarded here: a recording is asked for facts, never for the general meaning of a code. Nine alerts arrive as
SEC_E_ILLEGAL_MESSAGE; the records hold the number, who sent it and whether it was encrypted. A code that is not in the
recording is said not to be.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from sspicli.analysis.blame import Failure
from sspicli.analysis.calls import Call
from sspicli.analysis.offers import Row, compare, protocols
from sspicli.analysis.report import Report
from sspicli.analysis.rules import Finding
from sspicli.journal import events as ev
from sspicli.journal.journal import Record
from sspicli.sspi.handles import Handle
from sspicli.sspi.package import AlertSeen, Evidence
from sspicli.sspi.status import NtStatus, SecurityStatus
from sspicli.tokens.tls import TlsMessage

# These have no status of their own that a caller was given: they repeat one, or belong to no call.
_ECHOES = (ev.CallStatusQueried, ev.QueueingReturned)


class Sighting(NamedTuple):
    """Where a status was given: the record, whose it was, and the call or function, in words."""

    record: int
    endpoint: str
    where: str


class AlertStory(NamedTuple):
    """One alert: who sent it, in which leg, and what came of it at each end.

    `leg` is 0 when no leg carried it as far as the records show; `data` its bytes where it was in clear. `sent_as` and
    `arrived_as` are the statuses of the calls that sent and received it, with their records, None where not on record.
    """

    alert: AlertSeen
    sender: str
    leg: int
    record: int
    data: bytes
    sent_as: tuple[SecurityStatus, Sighting] | None
    arrived_as: tuple[SecurityStatus, Sighting] | None


class Testimony(NamedTuple):
    """What a recording says of one code, or, without one, of what it failed with.

    `sightings` are where the code itself stands; empty when it is not in the recording. `story` is the alert behind it;
    `failure` the failure of the run when the code belongs to it. `is_closed` says that some messages stayed closed.
    """

    sightings: tuple[Sighting, ...]
    findings: tuple[Finding, ...]
    story: AlertStory | None
    failure: Failure | None
    rows: tuple[Row, ...]
    is_closed: bool = False

    @property
    def is_seen(self) -> bool:
        """Say whether the code is in the recording."""
        return bool(self.sightings or self.findings or self.story)


Code = SecurityStatus | NtStatus | int | str
"""A status, an NTSTATUS, an alert by its number, or a rule by its code."""


def ask(report: Report, records: Sequence[Record], code: Code) -> Testimony:
    """Ask a recording for one code."""
    stories = tuple(alert_stories(report, records))
    if isinstance(code, str):
        found = tuple(one for one in report.findings if one.rule.code == code)
        return Testimony((), found, None, None, ())
    if not isinstance(code, (SecurityStatus, NtStatus)):
        story = next((one for one in stories if one.alert.number == code), None)
        return _about((), story, report)
    seen = tuple(_sightings(records, report, code))
    story = next((one for one in stories if code in _statuses(one)), None)
    belongs = _belongs(report.failure, code)
    return _about(seen, story, report) if story or belongs else Testimony(seen, (), None, None, ())


def ask_about_failure(report: Report, records: Sequence[Record]) -> Testimony:
    """Ask a recording what it failed with; nothing is seen when nothing failed."""
    failure = report.failure
    if failure is None or failure.status is None:
        return Testimony((), report.findings, None, failure, ())
    return ask(report, records, failure.status)


def _about(seen: tuple[Sighting, ...], story: AlertStory | None, report: Report) -> Testimony:
    """Compose what is told of a failure's code: with it go the failure and both ends' offers."""
    return Testimony(seen, (), story, report.failure, _rows(report) if seen or story else (), report.has_closed)


def _belongs(failure: Failure | None, code: SecurityStatus | NtStatus) -> bool:
    return failure is not None and (
        failure.status is code or (failure.other is not None and failure.other.status is code)
    )


def _statuses(story: AlertStory) -> tuple[SecurityStatus, ...]:
    return tuple(side[0] for side in (story.sent_as, story.arrived_as) if side is not None)


def _rows(report: Report) -> tuple[Row, ...]:
    rows = compare(report.calls, report.legs)
    named = protocols(report.calls, report.legs)
    return rows if named is None else (*rows, named)


# -- where a status was given ------------------------------------------------------------------------------------------
def _sightings(records: Sequence[Record], report: Report, code: SecurityStatus | NtStatus) -> Iterator[Sighting]:
    calls = {call.handle: call for call in report.calls}
    is_pending = code == SecurityStatus.SEC_I_ASYNC_CALL_PENDING
    for record in records:
        event = record.event
        call = _call_of(event, calls)
        if is_pending and isinstance(event, ev.CallQueued) and call is not None and call.completed is None:
            yield Sighting(record.sequence, call.endpoint, f"{_call_words(call)}, still pending where the records end")
            continue
        if isinstance(event, _ECHOES) and not is_pending:
            continue
        status = getattr(event, "status", getattr(event, "queue_status", None))
        if type(status) is type(code) and status == code:
            endpoint = record.actor.partition(".")[0]
            yield Sighting(record.sequence, endpoint, _where(event, call))


def _call_of(event: ev.Event, calls: Mapping[Handle, Call]) -> Call | None:
    handle = getattr(event, "call", None)
    return calls.get(handle) if isinstance(handle, Handle) else None


def _where(event: ev.Event, call: Call | None) -> str:
    match event:
        case ev.CallCompleted():
            return str(event.call) if call is None else _call_words(call)
        case ev.CallRefused():
            return f"{event.function.documented_name}, refused at queueing"
        case ev.NotifyCallbackSet():
            return "SspiSetAsyncNotifyCallback"
        case ev.AsyncContextReinitialized():
            return f"SspiReinitAsyncContext of {event.async_context}"
        case ev.CallStatusQueried():
            return f"SspiGetAsyncCallStatus of {event.async_context}"
        case ev.MessageEncrypted():
            return "EncryptMessage"
        case ev.MessageDecrypted():
            return "DecryptMessage"
        case ev.AttributeQueried():
            return "QueryContextAttributes"
        case ev.AttributeSet():
            return "SetContextAttributes"
        case _:
            return type(event).__name__


def _call_words(call: Call) -> str:
    return f"{call.function.documented_name} #{call.number} ({call.handle})"


def statuses_given(records: Sequence[Record]) -> tuple[SecurityStatus, ...]:
    """List the statuses that calls completed with or were refused with, SEC_E_OK left out, in order."""
    found: dict[SecurityStatus, None] = {}
    for record in records:
        event = record.event
        if isinstance(event, (ev.CallCompleted, ev.MessageDecrypted, ev.MessageEncrypted)):
            found[event.status] = None
        elif isinstance(event, ev.CallRefused):
            found[event.queue_status] = None
    found.pop(SecurityStatus.SEC_E_OK, None)
    return tuple(found)


# -- alerts ------------------------------------------------------------------------------------------------------------
def alert_stories(report: Report, records: Sequence[Record]) -> Iterator[AlertStory]:
    """Tell every alert that the evidence of a call or message names, each once, in the order of the records."""
    calls = {call.handle: call for call in report.calls}
    told: list[AlertStory] = []
    for record in records:
        evidence: Evidence | None = getattr(record.event, "evidence", None)
        if evidence is None:
            continue
        endpoint = record.actor.partition(".")[0]
        given = getattr(record.event, "status", None)
        if not isinstance(given, SecurityStatus):
            continue
        where = _where(record.event, _call_of(record.event, calls))
        side = given, Sighting(record.sequence, endpoint, where)
        for alert, is_sent in ((evidence.alert_sent, True), (evidence.alert_received, False)):
            if alert is not None:
                _tell(told, report, alert, side, is_sent=is_sent)
    yield from told


def _tell(
    told: list[AlertStory], report: Report, alert: AlertSeen, side: tuple[SecurityStatus, Sighting], *, is_sent: bool
) -> None:
    """Add one end's part to the story of its alert, or begin the story."""
    endpoint = side[1].endpoint
    sender = endpoint if is_sent else ("server" if endpoint == "client" else "client")
    for index, story in enumerate(told):
        if (story.sender, story.alert.number) == (sender, alert.number):
            if not is_sent and story.arrived_as is None:
                told[index] = story._replace(arrived_as=side)
            return
    leg, record, data = _carrier(report, sender, alert)
    sent, arrived = (side, None) if is_sent else (None, side)
    told.append(AlertStory(alert, sender, leg, record, data, sent, arrived))


def _carrier(report: Report, sender: str, alert: AlertSeen) -> tuple[int, int, bytes]:
    """Find the leg that carried an alert: its sender's last that ends in one, or in a closed record of its size."""
    for leg in reversed(report.legs):
        if leg.sender == sender and leg.messages and _can_be(leg.messages[-1], alert):
            start, end = leg.messages[-1].span
            return leg.number, leg.sequence, b"" if alert.encrypted else leg.data[start:end]
    return 0, 0, b""


def _can_be(message: TlsMessage, alert: AlertSeen) -> bool:
    size = message.span[1] - message.span[0]
    is_closed = message.name == "Encrypted" and alert.encrypted and size == alert.size
    return is_closed or message.name.startswith("Alert")
