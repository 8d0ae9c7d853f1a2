"""The misuse verifier: every monitor over the records of a run, and its findings.

The rules are data (`rule_table.py`); the monitors that watch for them stand in `rules_async.py`, `rules_notify.py`,
`rules_buffers.py`, `rules_streams.py`, `rules_handles.py` and `rules_legs.py`. Each is shown only the records whose
events it watches: one look-up for each record.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from sspicli.analysis.coherence import IncoherentError, check
from sspicli.analysis.finding import FINISHED, RAN_OUT, Disagreement, Finding, Monitor, found
from sspicli.analysis.rule_table import RULES, Page, Reach, Rule
from sspicli.analysis.rules_async import LifecycleMonitor, ResultMonitor
from sspicli.analysis.rules_buffers import BufferMonitor
from sspicli.analysis.rules_handles import HandleMonitor
from sspicli.analysis.rules_legs import LegMonitor
from sspicli.analysis.rules_notify import NotifyMonitor
from sspicli.analysis.rules_streams import StreamMonitor
from sspicli.journal import events as ev
from sspicli.journal.journal import Record

__all__ = [
    "FINISHED",
    "MONITORS",
    "RAN_OUT",
    "RULES",
    "Disagreement",
    "Finding",
    "HandleMonitor",
    "IncoherentError",
    "LifecycleMonitor",
    "Monitor",
    "Page",
    "Reach",
    "Rule",
    "findings_at_end",
    "found",
    "judge",
    "watch",
]

MONITORS: tuple[type[Monitor], ...] = (
    LifecycleMonitor,
    ResultMonitor,
    NotifyMonitor,
    HandleMonitor,
    BufferMonitor,
    LegMonitor,
    StreamMonitor,
)

_Watcher = tuple[int, Callable[[object, Record], object]]


def _watchers(monitors: tuple[type[Monitor], ...]) -> dict[type, list[_Watcher]]:
    """For each type of event, which monitors watch it, by their places, and the function of each that takes it.

    A monitor that has a table `WATCH` of its functions by type is called by it, and otherwise by `see`.
    """
    watchers: dict[type, list[_Watcher]] = {}
    for place, monitor in enumerate(monitors):
        table = getattr(monitor, "WATCH", {})
        for kind in monitor.WATCHED:
            watchers.setdefault(kind, []).append((place, table.get(kind, monitor.see)))
    return watchers


_WATCHERS = _watchers(MONITORS)


def judge(records: Iterable[Record]) -> tuple[Finding, ...]:
    """Run every monitor over a finished run; the findings, by the first record that shows each.

    What is alive at the end is a leak only where every program came to its end: a run that was stuck, interrupted or
    broken off could not clean up. Records that contradict each other, or the law, are an IncoherentError.
    """
    records = tuple(records)
    check(records)
    return watch(records)


def watch(records: Sequence[Record]) -> tuple[Finding, ...]:
    """Do as `judge` does with records that need no check of their coherence: those of a journal of this process."""
    monitors: list[Monitor] = [make() for make in MONITORS]
    watchers, nobody = _WATCHERS.get, ()
    for record in records:
        for place, take in watchers(type(record.event), nobody):
            take(monitors[place], record)
    last = records[-1] if records else None
    reason = last.event.reason if last is not None and isinstance(last.event, ev.RunEnded) else ""
    return findings_at_end(monitors, 0 if last is None else last.sequence, reason=reason)


def findings_at_end(monitors: Iterable[Monitor], last: int, *, reason: str) -> tuple[Finding, ...]:
    """List what monitors find were record `last` the end, for this reason; they may go on afterwards."""
    findings: list[Finding] = []
    for monitor in monitors:
        count = len(monitor.findings)
        monitor.end(last, reason)
        findings += monitor.findings
        del monitor.findings[count:]
        if isinstance(monitor, LifecycleMonitor):
            for number, text in monitor.disagreements[:1]:
                raise IncoherentError(number, text)
    return tuple(sorted(findings, key=lambda finding: finding.records))
