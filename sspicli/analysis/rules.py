"""The misuse verifier: every monitor over the records of a run, and its findings.

The rules are data (`rule_table.py`); the monitors that watch for them stand in `rules_async.py`, `rules_notify.py`,
`rules_buffers.py`, `rules_streams.py`, `rules_handles.py` and `rules_legs.py`. Each is shown only the records whose
events it watches: one look-up for each record.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

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

_WATCHERS: dict[type, list[int]] = {}
"""For each type of event, the places in `MONITORS` of those that watch it."""

for _index, _monitor in enumerate(MONITORS):
    for _kind in _monitor.WATCHED:
        _WATCHERS.setdefault(_kind, []).append(_index)


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
    show = {kind: [monitors[index].see for index in indices] for kind, indices in _WATCHERS.items()}
    for record in records:
        for see in show.get(type(record.event), ()):
            see(record)
    last = records[-1] if records else None
    reason = last.event.reason if last is not None and isinstance(last.event, ev.RunEnded) else ""
    findings: list[Finding] = []
    for monitor in monitors:
        monitor.end(0 if last is None else last.sequence, reason)
        findings += monitor.findings
        if isinstance(monitor, LifecycleMonitor):
            for number, text in monitor.disagreements[:1]:
                raise IncoherentError(number, text)
    return tuple(sorted(findings, key=lambda finding: finding.records))
