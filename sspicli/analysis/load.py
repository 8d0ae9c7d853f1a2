"""What many sessions came to: each session's records to an outcome, and outcomes to a summary of bounded size.

The rule guarded here: a session counts as ok only if `report` would say so. A session whose records show nothing but
what a good one's do is known by a glance; every other one is reported as a single run is, with who failed, at which
leg and why. The summary keeps counts, one report for each way to fail, and histograms: nothing in it grows with the
number of sessions.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from sspicli.analysis.calls import LEG_FUNCTIONS
from sspicli.analysis.coherence import SIDES
from sspicli.analysis.report import Report, Verdict, report
from sspicli.analysis.rules import FINISHED, Finding, watch
from sspicli.journal import events as ev
from sspicli.journal.journal import Record
from sspicli.sspi.attributes import ContextAttribute
from sspicli.sspi.functions import Function
from sspicli.sspi.handles import Handle
from sspicli.sspi.status import SecurityStatus

OK = SecurityStatus.SEC_E_OK
_GOOD_CALLS = frozenset({OK, SecurityStatus.SEC_I_CONTINUE_NEEDED, SecurityStatus.SEC_E_INCOMPLETE_MESSAGE})
_GOOD_READS = frozenset({SecurityStatus.SEC_I_RENEGOTIATE, SecurityStatus.SEC_E_INCOMPLETE_MESSAGE})


# -- one session -------------------------------------------------------------------------------------------------------


class Outcome(NamedTuple):
    """What is kept of one session.

    `latency` is from the queueing of its first call to the end of its last program, `pending` from queueing to
    completion of each call; both in nanoseconds. `report` stands for a session that is not plainly ok, and where it
    was asked for. `is_judged` says that the misuse rules were run over it.
    """

    number: int
    verdict: Verdict
    latency: int
    pending: tuple[int, ...]
    is_resumed: bool
    is_judged: bool
    report: Report | None


def outcome(number: int, records: Sequence[Record], *, judges: bool, in_full: bool = False) -> Outcome:
    """Say what a session came to; one that is not plainly ok is judged by the rules whatever `judges` says."""
    glance = _Glance()
    glance.see(records)
    result = None
    if in_full or not glance.is_plainly_ok or (judges and watch(records)):
        result = report(records)
    return Outcome(
        number,
        Verdict.OK if result is None else result.verdict,
        glance.ended - glance.began,
        tuple(glance.pending),
        glance.is_resumed,
        judges or result is not None,
        result,
    )


class _Glance:
    """The little that tells a good session from one to look at closely, and its times."""

    def __init__(self) -> None:
        self.began = self.ended = 0
        self.pending: list[int] = []
        self.is_resumed = False
        self._queued: dict[Handle, tuple[Function, int]] = {}
        self._statuses: dict[str, SecurityStatus] = {}
        self._sent: Counter[str] = Counter()
        self._opened: Counter[str] = Counter()
        self._is_doubtful = False
        self._has_finished = False

    @property
    def is_plainly_ok(self) -> bool:
        """Say that both ends hold, all messages were opened, and nothing else is to be seen."""
        hold = all(self._statuses.get(side) == OK for side in SIDES)
        client, server = SIDES
        arrived = self._sent[client] == self._opened[server] and self._sent[server] == self._opened[client]
        return hold and arrived and self._has_finished and not self._is_doubtful

    def see(self, records: Sequence[Record]) -> None:
        """Take all records of a session."""
        for record in records:
            kind = type(record.event)
            if kind is ev.CallQueued:
                self._call_queued(record)
            elif kind is ev.CallCompleted:
                self._call_completed(record)
            elif kind not in _HARMLESS:
                self._look_at(record)
        self.ended = records[-1].nanoseconds if records else 0

    def _call_queued(self, record: Record) -> None:
        event = record.event
        assert isinstance(event, ev.CallQueued), "told by its type"
        self.began = self.began or record.nanoseconds
        self._queued[event.call] = event.function, record.nanoseconds

    def _call_completed(self, record: Record) -> None:
        event = record.event
        assert isinstance(event, ev.CallCompleted), "told by its type"
        function, queued = self._queued[event.call]
        self.pending.append(record.nanoseconds - queued)
        status = event.status
        if status not in _GOOD_CALLS:
            self._is_doubtful = True
        if function in LEG_FUNCTIONS:
            if self._statuses.get(event.call.actor) == OK:
                self._is_doubtful |= status != OK  # after the handshake
            self._statuses[event.call.actor] = status

    def _look_at(self, record: Record) -> None:
        event, side = record.event, record.actor.partition(".")[0]
        match event:
            case ev.AttributeQueried():
                is_asked = event.attribute == ContextAttribute.SESSION_INFO
                self.is_resumed |= is_asked and event.fields.get("dwFlags", 0) == 1
            case ev.MessageEncrypted(status=SecurityStatus.SEC_E_OK):
                self._sent[side] += 1
            case ev.MessageDecrypted(status=SecurityStatus.SEC_E_OK):
                self._opened[side] += 1
            case ev.MessageDecrypted() if event.status in _GOOD_READS:
                pass
            case ev.AsyncContextCreated() if event.async_context is not None:
                pass
            case ev.HandshakeBegan(number=1):
                pass
            case ev.RunEnded() if event.reason == FINISHED:
                self._has_finished = True
            case _:
                self._is_doubtful = True


# What a good session records, and what says nothing of how it went.
_HARMLESS = frozenset(
    {
        ev.RunStarted,
        ev.NotifyCallbackSet,
        ev.NotifyRequirementQueried,
        ev.CallStatusQueried,
        ev.AsyncContextReinitialized,
        ev.AsyncContextFreed,
        ev.QueueingReturned,
        ev.CallbackEntered,
        ev.CallbackReturned,
        ev.CredentialAcquired,
        ev.CredentialFreed,
        ev.SecurityContextOpened,
        ev.SecurityContextDeleted,
        ev.ContextBuffersFreed,
        ev.TokenSent,
        ev.TokenDelivered,
        ev.KeyLogged,
        ev.ChoiceMade,
    }
)


# -- all of them -------------------------------------------------------------------------------------------------------

_EXACT_BITS = 7


class Histogram:
    """Counts of durations in buckets whose width is at most 1/64 of what they hold: percentiles within 1.6 %.

    Below 128 each value has a bucket of its own. The least and the most are exact. A few hundred buckets hold any run.
    """

    def __init__(self) -> None:
        self.count = self.least = self.most = self.total = 0
        self._buckets: Counter[int] = Counter()

    @property
    def buckets(self) -> int:
        """Count the buckets in use."""
        return len(self._buckets)

    def add(self, value: int) -> None:
        """Count a value; none is negative."""
        shift = max(0, value.bit_length() - _EXACT_BITS)
        self._buckets[(shift << _EXACT_BITS) + (value >> shift)] += 1
        self.least = value if not self.count else min(self.least, value)
        self.most = max(self.most, value)
        self.total += value
        self.count += 1

    def percentile(self, percent: float) -> int:
        """Give a value that `percent` of all are not above, to a bucket's width; 0 when there is none."""
        if not self.count:
            return 0
        wanted, passed = percent / 100 * self.count, 0
        for bucket in sorted(self._buckets):
            passed += self._buckets[bucket]
            if passed >= wanted:
                return max(self.least, min(self.most, _top(bucket)))
        return self.most


def _top(bucket: int) -> int:
    """Give the greatest value that a bucket counts."""
    shift, value = bucket >> _EXACT_BITS, bucket & ((1 << _EXACT_BITS) - 1)
    return ((value + 1) << shift) - 1


class Way(NamedTuple):
    """A way not to be ok: who failed first, with what status and alert, and the misuse rules of severity error broken.

    `side` is "" and `status` None where no call failed.
    """

    verdict: Verdict
    side: str
    status: SecurityStatus | None
    alert: int | None
    rules: tuple[str, ...]


@dataclass(slots=True)
class Group:
    """The sessions that ended in one way: how many, the first of them, and its report."""

    count: int
    first: int
    report: Report


@dataclass(slots=True)
class Broken:
    """A misuse rule that was broken: how often, the first session that broke it, and where."""

    count: int
    first: int
    finding: Finding


@dataclass(slots=True)
class Summary:
    """What all sessions came to; `first` is the report of session 1."""

    verdicts: dict[Verdict, int] = field(default_factory=lambda: dict.fromkeys(Verdict, 0))
    groups: dict[Way, Group] = field(default_factory=dict)
    findings: dict[str, Broken] = field(default_factory=dict)
    faults: set[str] = field(default_factory=set)
    latency: Histogram = field(default_factory=Histogram)
    pending: Histogram = field(default_factory=Histogram)
    resumed: int = 0
    judged: int = 0
    first: Report | None = None

    @property
    def sessions(self) -> int:
        """Count the sessions that came to their end."""
        return sum(self.verdicts.values())

    @property
    def ok(self) -> int:
        """Count the good ones."""
        return self.verdicts[Verdict.OK]

    @property
    def breaks_rules(self) -> bool:
        """Say whether a rule of severity error was broken by any."""
        return any(one.finding.rule.severity == "error" for one in self.findings.values())

    def add(self, one: Outcome) -> None:
        """Take one more session."""
        self.verdicts[one.verdict] += 1
        self.resumed += one.is_resumed
        self.judged += one.is_judged
        self.latency.add(one.latency)
        for duration in one.pending:
            self.pending.add(duration)
        if one.report is not None:
            self._add_report(one.number, one.report)

    def _add_report(self, number: int, result: Report) -> None:
        if number == 1:
            self.first = result
        self.faults.update(result.faults)
        for finding in result.findings:
            broken = self.findings.setdefault(finding.rule.code, Broken(0, number, finding))
            broken.count += 1
            if number < broken.first:
                broken.first, broken.finding = number, finding
        if result.verdict is not Verdict.OK:
            group = self.groups.setdefault(way(result), Group(0, number, result))
            group.count += 1
            if number < group.first:
                group.first, group.report = number, result


def way(result: Report) -> Way:
    """Say in which way a session that is not ok ended."""
    failure = result.failure
    rules = tuple(sorted({one.rule.code for one in result.findings if one.rule.severity == "error"}))
    if failure is None:
        return Way(result.verdict, "", None, None, rules)
    alert = None if failure.alert is None else failure.alert.number
    return Way(result.verdict, failure.side, failure.status, alert, rules)


# -- the whole run -----------------------------------------------------------------------------------------------------


_ENOUGH_IN_FLIGHT = 100  # below, what a session holds is lost in what a running program adds anyhow


class Measures(NamedTuple):
    """What was measured around the sessions: wall-clock seconds, and resident memory in bytes (0 where it is not told).

    `before` stands when the credentials were there and no session was; `most` is the largest amount seen while sessions
    ran; `peak` is the process's own peak, everything before them included.
    """

    seconds: float
    before: int
    most: int
    peak: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadReport:
    """Many sessions over one pair of credentials.

    `credentials` is the report of the run that acquired and freed them: it has no handshake of its own, so only its
    failure and findings count. `ended_by` is what ended the run early, `interrupted` or `terminated`, "" when nothing
    did. `recordings` names the file of each session that was recorded.
    """

    summary: Summary
    credentials: Report
    total: int
    in_flight: int
    workers: int
    measures: Measures
    ended_by: str
    recordings: dict[int, str]

    @property
    def verdict(self) -> Verdict:
        """The worst of all sessions and of the credentials; unfinished where sessions are missing and none is bad."""
        own, summary = self.credentials, self.summary
        if summary.verdicts[Verdict.STUCK] or own.reason in ("stuck", "limit"):
            return Verdict.STUCK
        if summary.ok < summary.sessions or own.failure is not None or self.breaks_rules:
            return Verdict.FAILED
        return Verdict.OK if summary.sessions == self.total else Verdict.UNFINISHED

    @property
    def breaks_rules(self) -> bool:
        """Say whether a rule of severity error was broken, by a session or around the credentials."""
        own = any(finding.rule.severity == "error" for finding in self.credentials.findings)
        return own or self.summary.breaks_rules

    @property
    def is_interrupted(self) -> bool:
        """Say whether it was ended early, by whichever signal."""
        return bool(self.ended_by)

    @property
    def under_way(self) -> int:
        """Count the sessions that were cut off in flight."""
        return min(self.in_flight, self.total - self.summary.sessions) if self.is_interrupted else 0

    @property
    def rate(self) -> float:
        """Count the sessions that came to their end in a second."""
        return self.summary.sessions / self.measures.seconds if self.measures.seconds else 0.0

    @property
    def grown(self) -> int:
        """Say how many bytes were added at the most while the sessions ran; 0 where none were told."""
        return max(0, self.measures.most - self.measures.before) if self.measures.before else 0

    @property
    def bytes_in_flight(self) -> int:
        """Say how much memory each session in flight took, by what was added at the most; 0 for too few to tell."""
        return self.grown // self.in_flight if self.in_flight >= _ENOUGH_IN_FLIGHT else 0

    def ways(self) -> list[tuple[Way, Group]]:
        """List the ways not to be ok, the commonest first."""
        return sorted(self.summary.groups.items(), key=lambda one: (-one[1].count, one[1].first))
