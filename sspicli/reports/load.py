"""The JSON document of many sessions (`sspi-async/load/1`); members may be added and are never taken away.

Percentiles are to within 1.6 %, least and most are exact. What is measured stands in `measured`, which `--no-timing`
leaves out. The first session of each way to fail stands there whole, as `sspi-async/handshake/1`.
"""

from __future__ import annotations

import json
from collections.abc import Callable

from sspicli.analysis.load import Broken, Group, Histogram, LoadReport, Way
from sspicli.analysis.report import Report
from sspicli.reports.document import Member, document
from sspicli.sspi.alerts import alert_name

SCHEMA = "sspi-async/load/1"
_PERCENTS = (50, 90, 99, 99.9)

Schedule = Callable[[tuple[int, ...]], str]
"""How a run's choices are written."""


def load_text(load: LoadReport, *, timing: bool, schedule: Schedule) -> str:
    """Write the document, with a newline at its end."""
    return json.dumps(load_document(load, timing=timing, schedule=schedule), indent=2, ensure_ascii=True) + "\n"


def load_document(load: LoadReport, *, timing: bool, schedule: Schedule) -> Member:
    """Build the document as plain data."""
    summary, run = load.summary, load.credentials.run
    seed = run.seed if run else 0

    def whole(report: Report) -> Member:
        return document(report, timing=timing, schedule=schedule(report.schedule))

    out: Member = {
        "schema": SCHEMA,
        "verdict": load.verdict.value,
        "package": run.package if run else None,
        "engine": run.engine if run else None,
        "emulated": True,
        "sessions": load.total,
        "ended": summary.sessions,
        "verdicts": {one.value: number for one, number in summary.verdicts.items()},
        "interrupted": load.is_interrupted,
        "cut_off": load.under_way,
        "in_flight": load.in_flight,
        "workers": load.workers,
        "seed": seed,
        "judged": summary.judged,
        "resumed": summary.resumed,
        "failures": [_way(way, group, load, whole(group.report)) for way, group in load.ways()],
        "findings": [_broken(code, broken) for code, broken in sorted(summary.findings.items())],
        "credentials_failure": whole(load.credentials)["failure"],
        "recordings": {str(number): path for number, path in sorted(load.recordings.items())},
    }
    return out | {"measured": _measured(load)} if timing else out


def _way(way: Way, group: Group, load: LoadReport, first: Member) -> Member:
    run = load.credentials.run
    return {
        "count": group.count,
        "verdict": way.verdict.value,
        "side": way.side or None,
        "status": None if way.status is None else way.status.name,
        "status_hex": None if way.status is None else way.status.hex,
        "rules": list(way.rules),
        "alert": None if way.alert is None else {"number": way.alert, "name": alert_name(way.alert)},
        "first_session": group.first,
        "first_seed": (run.seed if run else 0) + group.first - 1,
        "recording": load.recordings.get(group.first),
        "first": first,
    }


def _broken(code: str, broken: Broken) -> Member:
    return {
        "code": code,
        "severity": broken.finding.rule.severity,
        "title": broken.finding.rule.title,
        "count": broken.count,
        "first_session": broken.first,
        "first_subject": broken.finding.subject,
        "first_detail": broken.finding.detail,
        "fix": broken.finding.rule.fix,
    }


def _measured(load: LoadReport) -> Member:
    measures = load.measures
    return {
        "seconds": round(measures.seconds, 3),
        "sessions_per_second": round(load.rate, 1),
        "latency_microseconds": _percentiles(load.summary.latency),
        "pending_microseconds": _percentiles(load.summary.pending),
        "resident_bytes_before": measures.before or None,
        "resident_bytes_most": measures.most or None,
        "resident_bytes_peak": measures.peak or None,
        "bytes_per_session_in_flight": load.bytes_in_flight or None,
    }


def _percentiles(histogram: Histogram) -> Member:
    out: Member = {"count": histogram.count, "least": _microseconds(histogram.least)}
    out |= {f"p{percent}": _microseconds(histogram.percentile(percent)) for percent in _PERCENTS}
    return out | {"most": _microseconds(histogram.most)}


def _microseconds(nanoseconds: int) -> float:
    return round(nanoseconds / 1e3, 1)
