"""What a scenario expects, held against the records of its run; each thing that does not hold, with its evidence.

The rule guarded here: nothing is looked at but records and what is folded from them. So an expectation means the same
for a run that has just ended and for its recording. A path leads from every expected value to where the file has it.
Here is what holds one value against another; `expect_*.py` say which values of a run those are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from sspicli.analysis.calls import Call, Refusal
from sspicli.analysis.cases import Unmet
from sspicli.analysis.report import Report
from sspicli.analysis.report import report as report_of
from sspicli.journal.journal import Record
from sspicli.scenario import yaml
from sspicli.scenario.edit import written
from sspicli.scenario.load import Case
from sspicli.scenario.problems import Loc, node_at
from sspicli.scenario.story import Story
from sspicli.scenario.values import NOTHING, said
from sspicli.scenario.words import Range
from sspicli.sspi.alerts import alert_name
from sspicli.sspi.status import NtStatus, SecurityStatus


class Checker:
    """Holds what is expected against what was got, and keeps what does not agree."""

    def __init__(self, case: Case, report: Report, records: Sequence[Record]) -> None:
        self.case = case
        self.report = report
        self.records = records
        self.count = 0
        self.tested: Counter[str] = Counter()
        self.unmet: list[Unmet] = []
        self._story: Story | None = None
        self._others: dict[int, Report] = {}

    @property
    def story(self) -> Story:
        """What each step led to."""
        if self._story is None:
            self._story = Story(self.records)
        return self._story

    def hold(
        self,
        step: str,
        path: Loc,
        expected: object,
        got: object,
        *,
        holds: bool | None = None,
        records: Iterable[int] = (),
        seen: Iterable[str] = (),
    ) -> None:
        """Count one expectation; where it does not hold, keep it with what explains it."""
        self.count += 1
        self.tested[step] += 1
        if expected == got if holds is None else holds:
            return
        self.unmet.append(
            Unmet(
                step=step,
                key=_key(path),
                place=self.case.place_of(path),
                expected=said(expected),
                got=said(got),
                evidence=_wire(self.report),
                seen=tuple(seen),
                cause=_cause(self.report),
                records=tuple(records),
                rewrite=self._rewrite(path, expected, got),
                path=path,
            )
        )

    def _rewrite(self, path: Loc, expected: object, got: object) -> str | None:
        """Give what the file would have to say; None where what was got is no value of that key."""
        node = node_at(self.case.root, path)
        span = node.span
        was = self.case.source.text[span.start : span.end]
        is_own = was and "$" not in was and span.line == span.end_line
        if not is_own or not _is_value(path, expected, got):
            return None
        if isinstance(node, yaml.Scalar):
            plain = got if isinstance(got, bool) or type(got) is int else said(got)
            return written(plain, like=node)
        if isinstance(node, yaml.Sequence) and node.is_flow and isinstance(got, list):
            return f"[{', '.join(written(one) for one in got)}]"
        return None

    def report_of_connection(self, connection: int) -> Report:
        """Give the report of a connection; there is nothing in that of one which was never begun."""
        if connection == self.report.handshake:
            return self.report
        if connection not in self._others:
            is_begun = connection <= self.report.handshakes
            records, shown = (self.records, connection) if is_begun else ((), 0)
            self._others[connection] = report_of(records, handshake=shown)
        return self._others[connection]

    def calls(self) -> list[Call | Refusal]:
        """List the calls of the whole run; a report is of one connection, and of what came before the first."""
        shown = [self.report_of_connection(number) for number in range(1, self.report.handshakes + 1)] or [self.report]
        found: dict[int, Call | Refusal] = {}
        for each in shown:
            found |= {one.sequence: one for one in each.calls} | {one.sequence: one for one in each.refusals}
        return list(found.values())


_WORDS = frozenset(
    {"sender", "handle", "alert", "protocol", "cipher-suite", "group", "alpn", "failed", "field", "verdict", "type"}
)
_LISTS = frozenset({"findings", "messages"})


def _is_value(path: Loc, expected: object, got: object) -> bool:
    """Say whether what was got could stand where something else was expected: a value of the same kind."""
    key = path[-1]
    if got == NOTHING or isinstance(key, int):
        return False
    if isinstance(got, list):
        return key in _LISTS
    if isinstance(got, SecurityStatus | NtStatus):
        return isinstance(expected, SecurityStatus | NtStatus)
    if isinstance(got, bool) or isinstance(expected, bool):
        return isinstance(got, bool) and isinstance(expected, bool)
    if isinstance(got, int):
        return key != "leg" and isinstance(expected, int | Range)
    return key in _WORDS and isinstance(got, str)


def _key(path: Loc) -> str:
    """Say which expectation of a step a path leads to."""
    words = list(map(str, path))
    return ".".join(words[words.index("expect") + 1 :] if "expect" in words else words[-1:]) or "expect"


def _wire(report: Report) -> tuple[str, ...]:
    """Say what the wire showed of a failure: the alert, and the leg that carried it."""
    failure = report.failure
    if failure is None or failure.alert is None:
        return ()
    return (f"alert {failure.alert.number} {alert_name(failure.alert.number)}, leg {failure.leg}",)


def _cause(report: Report) -> str:
    failure = report.failure
    if failure is None:
        return ""
    detail = failure.evidence.detail if failure.evidence else ""
    status = NOTHING if failure.status is None else failure.status.name
    first = f"the {failure.side} failed first, with {status}"
    return "; ".join(one for one in (first, failure.cause or detail) if one)
