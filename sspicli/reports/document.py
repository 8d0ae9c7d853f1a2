"""The JSON document of a run (`sspi-async/handshake/1`) and its journal as JSON lines.

Non-ASCII is written as escapes, so no name in a certificate can reach a terminal as a control sequence. Absent values
are null. Members may be added in later versions and are never taken away.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from sspicli.analysis.blame import Failure
from sspicli.analysis.calls import Call, Leg, Refusal
from sspicli.analysis.report import EndpointReport, Report
from sspicli.analysis.rules import Finding
from sspicli.journal.codec import Encoder
from sspicli.journal.journal import Record
from sspicli.journal.redact import redacted
from sspicli.sspi.alerts import alert_name
from sspicli.sspi.attributes import attribute_name
from sspicli.sspi.package import AlertSeen
from sspicli.sspi.status import SecurityStatus

SCHEMA = "sspi-async/handshake/1"

Member = dict[str, object]


def document_text(report: Report, *, timing: bool, schedule: str, attributes: bool = False) -> str:
    """Write the document, with a newline at its end."""
    said = document(report, timing=timing, schedule=schedule)
    if attributes:
        said["context_attributes"] = {name: attributes_of(end) for name, end in report.endpoints.items()}
    return json.dumps(said, indent=2, ensure_ascii=True) + "\n"


def lines_text(records: Iterable[Record], *, include_secrets: bool, timing: bool) -> Iterable[str]:
    """Write the journal as a recording does, a line for each record."""
    encoder = Encoder()
    yield encoder.header(has_secrets=include_secrets)
    for record in records:
        kept = record if include_secrets else record._replace(event=redacted(record.event))
        yield encoder.line(kept if timing else kept._replace(nanoseconds=0))


def document(report: Report, *, timing: bool, schedule: str) -> Member:
    """Build the document as plain data."""
    run = report.run
    out: Member = {
        "schema": SCHEMA,
        "verdict": report.verdict.value,
        "reason": report.reason or None,
        "package": run.package if run else None,
        "engine": run.engine if run else None,
        "emulated": True,
        "protocol": report.protocol,
        "cipher_suite": report.cipher_suite,
        "group": report.group,
        "resumed": report.is_resumed,
        "handshake": report.handshake,
        "client": _endpoint(report.endpoints.get("client")),
        "server": _endpoint(report.endpoints.get("server")),
        "failure": None if report.failure is None else failure_of(report.failure),
        "legs": [_leg(leg) for leg in report.legs],
        "calls": [_call(call, timing=timing) for call in report.calls],
        "refusals": [
            {
                "endpoint": one.endpoint,
                "function": one.function.documented_name,
                "queue_status": _status(one.queue_status),
            }
            for one in report.refusals
        ],
        "callbacks": {name: end.callbacks for name, end in report.endpoints.items()},
        "findings": [finding_of(finding) for finding in report.findings],
        "waits": list(report.waits),
        "engine_differences": list(report.differences),
        "seed": run.seed if run else None,
        "schedule": schedule,
    }
    if timing:
        out["milliseconds"] = round(report.nanoseconds / 1e6, 3)
    return out


def _status(status: SecurityStatus | None) -> str | None:
    return None if status is None else status.name


def _endpoint(end: EndpointReport | None) -> Member | None:
    if end is None:
        return None
    return {
        "status": _status(end.status),
        "status_hex": None if end.status is None else end.status.hex,
        "post_handshake_status": _status(end.post_handshake_status),
        "attributes_hex": None if end.attributes is None else f"0x{end.attributes:08X}",
        "alert_sent": _alert(end.alert_sent, b""),
        "alert_received": _alert(end.alert_received, b""),
        "messages_sent": end.messages_sent,
        "messages_opened": end.messages_opened,
        "notes": end.notes,
    }


def attributes_of(end: EndpointReport) -> Member:
    """Say what QueryContextAttributes answered; some of it is random, so it stands only where asked for."""
    return {
        attribute_name(attribute): {"status": status.name, **{name: _plain(value) for name, value in fields.items()}}
        for attribute, (status, fields) in end.queries.items()
    }


def _plain(value: object) -> object:
    """Make a structure's member fit for JSON: bytes as hex."""
    if isinstance(value, bytes):
        return value.hex()
    return [_plain(one) for one in value] if isinstance(value, tuple) else value


def _alert(alert: AlertSeen | None, data: bytes) -> Member | None:
    if alert is None:
        return None
    out: Member = {
        "level": {1: "warning", 2: "fatal"}.get(alert.level, str(alert.level)),
        "number": alert.number,
        "name": alert_name(alert.number),
        "encrypted": alert.encrypted,
        "bytes": alert.size,
    }
    return out | {"hex": data.hex()} if data else out


def failure_of(failure: Failure) -> Member:
    """Say who failed first, and why."""
    culprit, evidence = failure.culprit, failure.evidence
    return {
        "side": failure.side,
        "leg": failure.leg,
        "call": str(culprit.handle) if isinstance(culprit, Call) else None,
        "function": culprit.function if isinstance(culprit.function, str) else culprit.function.documented_name,
        "was_refused": isinstance(culprit, Refusal),
        "status": _status(failure.status),
        "status_hex": None if failure.status is None else failure.status.hex,
        "alert": _alert(failure.alert, failure.alert_data),
        "field": failure.field or None,
        "field_leg": failure.place.leg if failure.place else None,
        "field_span": [failure.place.start, failure.place.end] if failure.place else None,
        "detail": evidence.detail or None if evidence else None,
        "engine_words": evidence.words or None if evidence else None,
        "verify_code": evidence.verify_code if evidence else None,
        "source": evidence.source.value if evidence else None,
        "offers": failure.offers._asdict() if failure.offers else None,
        "also": list(evidence.others) if evidence else [],
        "cause": failure.cause or None,
        "help": failure.help or None,
    }


def _leg(leg: Leg) -> Member:
    out: Member = {
        "number": leg.number,
        "from": leg.sender,
        "bytes": len(leg.data),
        "messages": [message.name for message in leg.messages],
        "encrypted": [message.encrypted for message in leg.messages],
        "message_spans": [list(message.span) for message in leg.messages],
        "message_bytes": [len(message.body) for message in leg.messages],
        "message_notes": [message.note or None for message in leg.messages],
        "call": None if leg.call is None else str(leg.call),
    }
    if leg.is_closed_to_receiver:
        out["closed_to_receiver"] = True
    if leg.faults:
        out["faults"] = [{"fault": one.text, "kind": one.kind, "detail": one.detail} for one in leg.faults]
        out["forwarded_bytes"] = [len(one.data) for one in leg.forwarded]
    return out


def _call(call: Call, *, timing: bool) -> Member:
    out: Member = {
        "id": str(call.handle),
        "endpoint": call.endpoint,
        "function": call.function.documented_name,
        "queue_status": call.queue_status.name,
        "call_status": call.status.name,
        "was_pending": call.was_pending,
        "pending_answers": call.pending_answers,
        "leg": call.leg or None,
    }
    if not timing:
        return out
    waited = None if call.completed is None else round(call.pending_nanoseconds / 1e3, 1)  # null: it still is
    return out | {"pending_microseconds": waited}


def finding_of(finding: Finding) -> Member:
    """Say what a rule found."""
    return {
        "code": finding.rule.code,
        "severity": finding.rule.severity,
        "title": finding.rule.title,
        "subject": finding.subject,
        "detail": finding.detail,
        "records": list(finding.records),
        "fix": finding.rule.fix,
        "source": finding.rule.source.value,
    }
