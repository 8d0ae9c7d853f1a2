"""The explanation of a failure: the inner reason first, then what each end saw, the cause and the way out."""

from __future__ import annotations

from collections.abc import Iterable

from sspicli.analysis.blame import Failure
from sspicli.analysis.calls import Call, Culprit, Refusal
from sspicli.analysis.finding import Finding
from sspicli.analysis.report import Report, Verdict
from sspicli.journal.events import FROM_OUTSIDE
from sspicli.sspi.alerts import alert_name
from sspicli.sspi.package import AlertSeen
from sspicli.sspi.status import SecurityStatus
from sspicli.sspi.status_facts import STATUS_FACTS
from sspicli.views.text import Line, Segment, folded, line, visible


def failure_lines(report: Report, *, width: int, timing: bool) -> list[Line]:
    """Explain why a run is not ok: a failing call, a stuck run, or broken rules."""
    lines: list[Line] = []
    if report.failure is not None:
        lines += _failing_call(report, report.failure, width=width, timing=timing)
    elif report.verdict is Verdict.FAILED:
        lines += _ended_early(report, width=width)
    if report.verdict is Verdict.UNFINISHED:
        lines += _unfinished(report, width=width)
    if report.verdict is Verdict.STUCK:
        for wait in report.waits or (report.reason,):
            lines += folded(Segment("stuck", "warn"), f": {visible(wait)}", width=width, indent=2)
    return lines


def _failing_call(report: Report, failure: Failure, *, width: int, timing: bool) -> list[Line]:
    evidence = failure.evidence
    lines = folded(*_headline(failure), width=width, indent=2)
    rows = [(failure.side, _told(failure.culprit, timing=timing))]
    if failure.alert is not None:
        rows.append(("wire", _wire(report, failure, failure.alert)))
    rows += _other_end(report, failure, timing=timing)
    if failure.offers is not None:
        rows.append(("offers", f"client {visible(failure.offers.client, 1000)}"))
        rows.append(("takes", f"server {visible(failure.offers.server, 1000)}"))
    if evidence is not None:
        rows += [
            ("field", field_words(failure, is_closed=report.has_closed)),
            ("engine", visible(evidence.words)),
            *(("also", visible(other)) for other in evidence.others),
            ("differs", visible(evidence.difference, 1000)),
            ("known", "" if failure.was_injected else f"this status is {evidence.source} for Windows"),
        ]
    rows += [
        ("cause", visible(failure.cause, 1000)),
        ("help", visible(failure.help, 1000)),
        ("see", f"sspi-async explain {failure.status.name}" if failure.status else ""),
    ]
    return lines + [part for name, text in rows if text for part in row(name, text, width=width)]


def _headline(failure: Failure) -> tuple[Segment, str]:
    """Say what it failed with, and the inner reason."""
    if failure.status is None:
        return Segment("error", "bad"), ": SspiCreateAsyncContext returned NULL: memory is out"
    return Segment(f"error[{failure.status.name} {failure.status.hex}]", "bad"), f": {visible(reason_of(failure))}"


def reason_of(failure: Failure) -> str:
    """Give the inner reason: what is lacking, else the values that decided, else what the status means."""
    if failure.offers is not None and failure.offers.lacks:
        return f"client and server have no {' and no '.join(failure.offers.lacks)} in common"
    facts = None if failure.status is None else STATUS_FACTS.get(failure.status)
    meaning = facts.meaning if facts else ""
    return failure.evidence.detail or meaning if failure.evidence else meaning


def row(name: str, text: str, *, width: int) -> list[Line]:
    """Lay out a labelled row of an explanation."""
    return folded(Segment(f"  {name:<8}", "head"), text, width=width, indent=10)


def _told(culprit: Culprit, *, timing: bool) -> str:
    if isinstance(culprit, Refusal):
        how = "refused at queueing, so no callback comes" if culprit.function.queues else "returned NULL"
        return f"{culprit.function.documented_name}   {how}"
    if not isinstance(culprit, Call):
        return f"{culprit.function}   {culprit.status.name}, after the handshake"
    was_pending = culprit.was_pending and timing
    pending = f"pending {culprit.pending_nanoseconds / 1e6:.1f} ms, then " if was_pending else ""
    return f"{culprit.function.documented_name} #{culprit.number}   {pending}{culprit.status.name}"


def field_words(failure: Failure, *, is_closed: bool) -> str:
    """Name the field that decided, and where its bytes stand; `is_closed` tells why they may not be found."""
    path, place = failure.field, failure.place
    if place is None:
        return f"{path} (its message may be one that stayed closed)" if path and is_closed else path
    message = "the decrypted message" if place.is_decrypted else "the message"
    return f"leg {place.leg}, {path}, bytes 0x{place.start:03x}-0x{place.end - 1:03x} of {message}"


def _wire(report: Report, failure: Failure, alert: AlertSeen) -> str:
    sent = failure.evidence is not None and failure.evidence.alert_sent is not None
    other = "server" if failure.side == "client" else "client"
    way = f"{failure.side} to {other}" if sent else f"{other} to {failure.side}"
    level = {1: "warning", 2: "fatal"}.get(alert.level, f"level {alert.level}")
    cover = "encrypted" if alert.encrypted else "in clear"
    leg = f"leg {failure.leg}, " if sent else ""
    if sent and failure.leg > len(report.legs):
        cover = f"{cover}; not sent"
    return f"{leg}{way}, alert {level} {alert.number} {alert_name(alert.number)} ({alert.size} B, {cover})"


def _other_end(report: Report, failure: Failure, *, timing: bool) -> list[tuple[str, str]]:
    if failure.other is not None:
        evidence = failure.other.evidence
        whence = ", from that alert" if evidence and evidence.alert_received else ""
        return [(failure.other.endpoint, f"{_told(failure.other, timing=timing)}{whence}")]
    return [
        (end.name, f"{SecurityStatus(end.status).name}, and no call of its own failed")
        for end in report.endpoints.values()
        if end.name != failure.side and end.status is not None
    ]


def _unfinished(report: Report, *, width: int) -> list[Line]:
    """Say how far the records go, and which calls they leave pending."""
    done = [call for call in report.calls if call.completed is not None]
    pending = [
        f"{call.handle} {call.function.documented_name} #{call.number}"
        for call in report.calls
        if call.completed is None
    ]
    last = max(done, key=lambda call: call.completed_sequence, default=None)
    text = (
        "nothing had completed" if last is None else f"the last call to complete was {last.handle}, {last.status.name}"
    )
    how = f"{report.reason} before the run was over" if report.reason else "the records end before the run did"
    lines = folded(Segment("unfinished", "warn"), f": {how}; {text}", width=width, indent=2)
    return lines + [part for one in pending for part in row("pending", one, width=width)]


def _ended_early(report: Report, *, width: int) -> list[Line]:
    """Explain a failed run in which nothing failed by itself: broken rules, lost messages, a peer that went away."""
    notes = [report.reason] if report.reason in FROM_OUTSIDE else []
    notes += [f"{one.name}: {note}" for one in report.endpoints.values() for note in one.notes]
    if any(finding.rule.severity == "error" for finding in report.findings):
        notes.append("a misuse rule was broken")
    if not notes:
        notes = ["the run did not come to its end"]
    head = Segment("error", "bad")
    return [part for note in notes for part in folded(head, f": {visible(note)}", width=width, indent=2)]


def finding_lines(report: Report, *, width: int) -> list[Line]:
    """List the findings of a run, each with its records and the way out."""
    return lines_of_findings(report.findings, width=width)


def lines_of_findings(findings: Iterable[Finding], *, width: int) -> list[Line]:
    """List findings, each with its records and the way out."""
    lines: list[Line] = []
    for finding in findings:
        style = {"error": "bad", "warning": "warn"}.get(finding.rule.severity, "muted")
        head = f"{finding.rule.code} {finding.rule.severity}"
        lines.append(line(Segment(head, style), f": {finding.subject} {finding.rule.title}"))
        shown = " ".join(f"#{number}" for number in finding.records)
        lines += row("seen", f"{visible(finding.detail)}   records {shown}", width=width)
        lines += row("help", f"{finding.rule.fix} ({finding.rule.source})", width=width)
    return lines
