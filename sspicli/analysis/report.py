"""What a run came to, as pure data: a fold over its records, and the only thing screens and documents are made from.

Calls, legs, endpoints, and the verdict. A resumption has two handshakes in one run; the report is of the last one, with
the acquiring and freeing of credentials around it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from sspicli.analysis.blame import Failure, blame
from sspicli.analysis.calls import LEG_FUNCTIONS, Call, Leg, MessageFailure, Refusal, failing
from sspicli.analysis.coherence import SIDES
from sspicli.analysis.rules import Finding, judge
from sspicli.journal import events as ev
from sspicli.journal.events import Images
from sspicli.journal.journal import Record
from sspicli.sspi.attributes import ContextAttribute
from sspicli.sspi.buffers import BufferType
from sspicli.sspi.functions import Function
from sspicli.sspi.handles import Handle
from sspicli.sspi.package import AlertSeen, Evidence
from sspicli.sspi.status import SecurityStatus
from sspicli.tokens.tls import TlsReader, TlsToken
from sspicli.tokens.tls_hello import HelloFacts, hello_facts
from sspicli.tokens.tls_names import group_name, suite_name, version_name

_REFUSING_FAULTS = frozenset({"null", "refuse", "fail"})  # a call that came late failed for reasons of its own


class Verdict(StrEnum):
    """What a person wants to know first."""

    OK = "ok"
    FAILED = "failed"
    STUCK = "stuck"
    UNFINISHED = "unfinished"  # the records end before the run did, and nothing had failed so far


@dataclass(slots=True)
class EndpointReport:
    """One side: how its handshake ended, what came after it, and what it was told."""

    name: str
    status: SecurityStatus | None = None
    post_handshake_status: SecurityStatus | None = None
    attributes: int | None = None
    alert_sent: AlertSeen | None = None
    alert_received: AlertSeen | None = None
    callbacks: int = 0
    messages_opened: int = 0
    messages_sent: int = 0
    lost_messages: int = 0
    queries: dict[int, tuple[SecurityStatus, dict[str, object]]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Report:
    """A whole run."""

    run: ev.RunStarted | None
    verdict: Verdict
    reason: str
    waits: tuple[str, ...]
    calls: tuple[Call, ...]
    refusals: tuple[Refusal, ...]
    legs: tuple[Leg, ...]
    endpoints: dict[str, EndpointReport]
    failure: Failure | None
    findings: tuple[Finding, ...]
    handshake: int
    handshakes: int
    faults: tuple[str, ...]
    missed_faults: tuple[ev.FaultMissed, ...]
    protocol: str | None
    cipher_suite: str | None
    group: str | None
    is_resumed: bool
    nanoseconds: int
    schedule: tuple[int, ...]
    differences: tuple[str, ...]

    @property
    def has_closed(self) -> bool:
        """Say whether an encrypted message could not be opened."""
        return any(message.name == "Encrypted" for leg in self.legs for message in leg.messages)

    @property
    def is_stepped(self) -> bool:
        """Say whether the run was in virtual time and a schedule can repeat it: worker threads make no choices."""
        return self.run is None or not self.run.options.get("workers")


class Round:
    """What one handshake of a run has shown so far; number 0 is what comes before the first."""

    def __init__(self) -> None:
        self.legs: list[Leg] = []
        self.endpoints: dict[str, EndpointReport] = {}
        self.reader = TlsReader()
        self.last_call: dict[str, Call] = {}
        self.sent: list[tuple[str, bytes, Leg | None]] = []
        self.readings: dict[int, TlsToken] = {}  # by the record that sent the leg
        self.decoded = 0
        self.to_decode = 0
        self.failures: list[MessageFailure] = []

    def decode(self) -> None:
        """Name the messages of every token since the last time; protected data between tokens moves the keys on too.

        A token's secrets are on record before it is, so that this may be done at any moment.
        """
        for sender, data, leg in self.sent[self.decoded : self.to_decode]:
            reading = self.reader.read_token(sender, data)
            if leg is not None:
                leg.messages = reading.messages
                self.readings[leg.sequence] = reading
        self.decoded = max(self.decoded, self.to_decode)
        for leg in self.legs:
            is_opened = any(one.encrypted and one.name != "Encrypted" for one in leg.messages)
            leg.is_closed_to_receiver = is_opened and self.reader.differs(leg.sender)

    def read_ahead(self) -> None:
        """Read all that was sent, so that little is left to do when the next leg is asked for."""
        self.to_decode = len(self.sent)
        self.decode()

    def is_last(self, leg: Leg) -> bool:
        """Say whether a leg's sender has sent nothing after it."""
        return next((one is leg for sender, _, one in reversed(self.sent) if sender == leg.sender), True)

    def endpoint(self, name: str) -> EndpointReport:
        """Give what an endpoint has shown in this handshake."""
        found = self.endpoints.get(name)
        if found is None:
            found = self.endpoints[name] = EndpointReport(name)
        return found


class Fold:
    """What the records say so far; each endpoint goes from handshake to handshake in its own time."""

    def __init__(self) -> None:
        self.run: ev.RunStarted | None = None
        self.reason = ""
        self.waits: tuple[str, ...] = ()
        self.calls: dict[Handle, Call] = {}
        self.refusals: list[Refusal] = []
        self.rounds: dict[int, Round] = {0: Round()}
        self.at: dict[str, int] = {}
        self.counts: dict[tuple[str, Function, int], int] = {}
        self.choices: list[int] = []
        self.faults: list[ev.FaultInjected] = []
        self.missed: list[ev.FaultMissed] = []

    def round_of(self, actor: str) -> Round:
        """Give the handshake that an actor's endpoint is in."""
        return self.rounds[self.at.get(actor.partition(".")[0], 0)]

    def endpoint(self, actor: str) -> EndpointReport:
        """Give what an actor's endpoint has shown in the handshake that it is in."""
        name = actor.partition(".")[0]
        return self.rounds[self.at.get(name, 0)].endpoint(name)

    def see(self, record: Record) -> None:
        """Take the next record."""
        event = record.event
        match event:
            case ev.CallQueued():
                self._queued(record, event)
            case ev.QueueingReturned():
                call = self.calls[event.call]
                call.was_pending = call.completed is None
            case ev.CallCompleted():
                self._completed(record, event)
            case ev.CallbackEntered():
                self.calls[event.call].notifications += 1
            case ev.CallStatusQueried():
                if event.call is not None and event.status == SecurityStatus.SEC_I_ASYNC_CALL_PENDING:
                    self.calls[event.call].pending_answers += 1
            case ev.TokenSent():
                self._sent(record, event)
            case ev.MessageDecrypted():
                self._decrypted(record, event)
            case ev.MessageEncrypted():
                self._encrypted(record, event)
            case ev.AttributeQueried():
                self.endpoint(record.actor).queries[event.attribute] = event.status, event.fields
            case _:
                self._see_rarer(record)

    def _see_rarer(self, record: Record) -> None:
        event = record.event
        match event:
            case ev.RunStarted():
                self.run = event
            case ev.RunEnded():
                self.reason, self.waits = event.reason, event.waits
            case ev.HandshakeBegan():
                side = record.actor.partition(".")[0]
                self.at[side] = event.number
                self.rounds.setdefault(event.number, Round()).endpoint(side)
            case ev.CallRefused():
                self._refused(record, event.function, event.queue_status)
            case ev.AsyncContextCreated(async_context=None):
                self._refused(record, Function.SspiCreateAsyncContext, None)
            case ev.FaultInjected():
                self.faults.append(event)
                self._befell(record.cause, lambda leg: leg.faults.append(event))
            case ev.TokenForwarded():
                self._befell(record.cause, lambda leg: leg.forwarded.append(event))
            case ev.FaultMissed():
                self.missed.append(event)
            case ev.KeyLogged():
                self.round_of(record.actor).reader.add_secret(event.line, record.actor.partition(".")[0])
            case ev.NoteMade():
                self.endpoint(record.actor).notes.append(event.text)
            case ev.ChoiceMade():
                self.choices.extend([0] * (event.step - 1 - len(self.choices)))
                self.choices.append(event.taken)
            case _:
                pass

    def _befell(self, sequence: int, tell: Callable[[Leg], None]) -> None:
        """Tell the leg that was sent with record `sequence`; a fault of a call has none."""
        for one in self.rounds.values():
            for leg in one.legs:
                if leg.sequence == sequence:
                    tell(leg)

    def _refused(self, record: Record, function: Function, status: SecurityStatus | None) -> None:
        name = self.endpoint(record.actor).name
        self.refusals.append(Refusal(name, function, status, record.sequence, self.at.get(name, 0)))

    def _queued(self, record: Record, event: ev.CallQueued) -> None:
        endpoint, at = self.endpoint(record.actor).name, self.at.get(event.call.actor, 0)
        key = endpoint, event.function, at
        number = self.counts[key] = self.counts.get(key, 0) + 1
        self.calls[event.call] = Call(
            event.call, event.function, number, at, event, record.sequence, record.nanoseconds, record.ticks
        )

    def _completed(self, record: Record, event: ev.CallCompleted) -> None:
        call = self.calls[event.call]
        call.completed, call.completed_sequence = event, record.sequence
        call.pending_nanoseconds = record.nanoseconds - call.queued_nanoseconds
        call.pending_ticks = record.ticks - call.queued_ticks
        endpoint = self.endpoint(record.actor)
        if call.function in LEG_FUNCTIONS:
            self.round_of(record.actor).last_call[endpoint.name] = call
            self._leg_completed(endpoint, event)
        elif call.function is Function.SspiAcquireCredentialsHandleAsync and event.status != SecurityStatus.SEC_E_OK:
            endpoint.status = event.status
        if event.evidence is not None:
            endpoint.alert_sent = event.evidence.alert_sent or endpoint.alert_sent
            endpoint.alert_received = event.evidence.alert_received or endpoint.alert_received

    @staticmethod
    def _leg_completed(endpoint: EndpointReport, event: ev.CallCompleted) -> None:
        if endpoint.status == SecurityStatus.SEC_E_OK:
            endpoint.post_handshake_status = event.status
            return
        endpoint.status = event.status
        if event.status < 0x80000000:
            endpoint.attributes = event.attributes

    def _sent(self, record: Record, event: ev.TokenSent) -> None:
        sender, at = record.actor.partition(".")[0], self.round_of(record.actor)
        leg = None
        if event.leg:
            call = at.last_call.get(sender)
            if call is not None and not call.leg and call.completed is not None and _token(call.completed.output):
                call.leg = event.leg
            handle = None if call is None else call.handle
            leg = Leg(event.leg, sender, event.data, record.sequence, handle)
            at.legs.append(leg)
        at.sent.append((sender, event.data, leg))
        if leg is not None:
            at.to_decode = len(at.sent)

    def _encrypted(self, record: Record, event: ev.MessageEncrypted) -> None:
        endpoint = self.endpoint(record.actor)
        if event.status == SecurityStatus.SEC_E_OK:
            endpoint.messages_sent += 1
        else:
            self._message_failed(record, "EncryptMessage", event.status, None)

    def _message_failed(self, record: Record, function: str, status: SecurityStatus, evidence: Evidence | None) -> None:
        endpoint = self.endpoint(record.actor)
        endpoint.post_handshake_status = status
        failure = MessageFailure(endpoint.name, function, status, record.sequence, evidence)
        self.round_of(record.actor).failures.append(failure)

    def _decrypted(self, record: Record, event: ev.MessageDecrypted) -> None:
        endpoint = self.endpoint(record.actor)
        if event.status == SecurityStatus.SEC_E_OK:
            endpoint.messages_opened += 1
        elif event.status >= 0x80000000 and event.status != SecurityStatus.SEC_E_INCOMPLETE_MESSAGE:
            self._message_failed(record, "DecryptMessage", event.status, event.evidence)
        if event.evidence is not None:
            endpoint.alert_sent = event.evidence.alert_sent or endpoint.alert_sent
            endpoint.alert_received = event.evidence.alert_received or endpoint.alert_received


def _token(images: Images | None) -> bytes:
    for image in images or ():
        if image.buffer_type == BufferType.TOKEN and image.data:
            return image.data
    return b""


def report(records: Sequence[Record], *, secrets: Iterable[str] = (), handshake: int | None = None) -> Report:
    """Fold a run's records into what it came to; records that contradict each other are an IncoherentError.

    `secrets` are key-log lines besides those on record, for records without their secrets. `handshake` chooses the one
    to report of a run that has several.
    """
    findings = judge(records)
    fold = Fold()
    for record in records:
        fold.see(record)
    nanoseconds = records[-1].nanoseconds if records else 0
    return report_of(fold, findings, nanoseconds=nanoseconds, secrets=secrets, handshake=handshake)


def report_of(
    fold: Fold,
    findings: tuple[Finding, ...],
    *,
    nanoseconds: int,
    secrets: Iterable[str] = (),
    handshake: int | None = None,
    ended: ev.RunEnded | None = None,
) -> Report:
    """Say what a fold has come to; it can go on afterwards. `ended` stands for the record of an end that is to come."""
    reason, waits = (fold.reason, fold.waits) if ended is None else (ended.reason, ended.waits)
    shown = _handshake_to_show(fold) if handshake is None else handshake
    fold.rounds.setdefault(shown, Round())  # a connection may begin at a number above others that never began
    for line in secrets:
        fold.rounds[shown].reader.add_secret(line)
    fold.rounds[shown].decode()
    legs, endpoints = tuple(fold.rounds[shown].legs), _endpoints(fold, shown)
    calls = tuple(call for call in fold.calls.values() if call.handshake in (0, shown))
    refusals = tuple(one for one in fold.refusals if one.handshake in (0, shown))
    for call in calls:
        endpoints[call.endpoint].callbacks += call.notifications
    if reason == "finished":
        _compare_messages(endpoints)
    others: tuple[MessageFailure | Refusal, ...] = (*fold.rounds[shown].failures, *refusals)
    refused = {one.subject: one.text for one in fold.faults if one.kind in _REFUSING_FAULTS}
    failure = blame(calls, others, legs, fold.run, refused)
    hello = _server_hello(legs)
    return Report(
        run=fold.run,
        verdict=verdict_of(reason, endpoints, failure, findings),
        reason=reason,
        waits=waits,
        calls=calls,
        refusals=refusals,
        legs=legs,
        endpoints=endpoints,
        failure=failure,
        findings=findings,
        handshake=shown,
        handshakes=max(fold.rounds),
        faults=tuple(one.text for one in fold.faults),
        missed_faults=tuple(fold.missed),
        protocol=version_name(hello.versions[0]) if hello and hello.versions else None,
        cipher_suite=suite_name(hello.suites[0]) if hello and hello.suites else None,
        group=_group(hello, legs),
        is_resumed=any(
            query.get("dwFlags", 0) == 1 for query in _queries(endpoints.values(), ContextAttribute.SESSION_INFO)
        ),
        nanoseconds=nanoseconds,
        schedule=tuple(fold.choices),
        differences=tuple(
            dict.fromkeys(one.evidence.difference for one in calls if one.evidence and one.evidence.difference)
        ),
    )


def _queries(endpoints: Iterable[EndpointReport], attribute: int) -> list[dict[str, object]]:
    return [one.queries[attribute][1] for one in endpoints if attribute in one.queries]


def _handshake_to_show(fold: Fold) -> int:
    """Choose the handshake that the report is of: the first that failed, else the last."""
    for number in sorted(fold.rounds):
        ends = fold.rounds[number].endpoints.values()
        is_bad = any(failing(call) for call in fold.calls.values() if call.handshake == number)
        is_bad |= bool(fold.rounds[number].failures) or any(one.handshake == number for one in fold.refusals)
        if number and (is_bad or any(one.status not in (None, SecurityStatus.SEC_E_OK) for one in ends)):
            return number
    return max(fold.rounds)


def _compare_messages(endpoints: dict[str, EndpointReport]) -> None:
    """Note at each end the messages that its peer sent and that it did not open."""
    ends = [end for end in endpoints.values() if end.status == SecurityStatus.SEC_E_OK]
    if len(ends) != len(endpoints) or len(ends) != len(SIDES):
        return  # what one end alone has on record says nothing of the other
    for end, peer in (ends, reversed(ends)):
        end.lost_messages = peer.messages_sent - end.messages_opened
        if end.lost_messages:
            end.notes.append(f"{end.messages_opened} of {peer.messages_sent} messages were opened")


def _endpoints(fold: Fold, last: int) -> dict[str, EndpointReport]:
    """Give each end's report of the last handshake; an end that never got there keeps what it showed before.

    They are copies: what is added to a report is no part of the fold.
    """
    before, reached = fold.rounds[0].endpoints, fold.rounds[last].endpoints
    ends = {name: _copied(reached.get(name) or before[name]) for name in sorted({*before, *reached})}
    for name, end in before.items():
        if last and name in reached:
            ends[name].notes[:0] = end.notes
            if ends[name].status is None:
                ends[name].status = end.status
    return ends


def _copied(end: EndpointReport) -> EndpointReport:
    return replace(end, queries=dict(end.queries), notes=list(end.notes))


def verdict_of(
    reason: str, endpoints: dict[str, EndpointReport], failure: Failure | None, findings: tuple[Finding, ...]
) -> Verdict:
    """Say ok only when both ends hold, nothing failed later, and no rule of severity error was broken."""
    if reason in ("stuck", "limit"):
        return Verdict.STUCK
    ends = list(endpoints.values())
    holds = len(ends) == len(SIDES) and all(
        one.status == SecurityStatus.SEC_E_OK
        and (one.post_handshake_status or 0) < 0x80000000
        and not one.lost_messages
        for one in ends
    )
    is_clean = not any(finding.rule.severity == "error" for finding in findings)
    if (not reason or reason in ev.FROM_OUTSIDE) and is_clean and failure is None:
        return Verdict.UNFINISHED
    return Verdict.OK if holds and is_clean and failure is None and reason == "finished" else Verdict.FAILED


def _server_hello(legs: Iterable[Leg]) -> HelloFacts | None:
    for leg in legs:
        for message in leg.messages:
            if message.name == "ServerHello":
                return hello_facts(message.body)
    return None


_NAMED_CURVE = 3  # ECCurveType in a TLS 1.2 ServerKeyExchange (RFC 8422, 5.4)


def _group(hello: HelloFacts | None, legs: Iterable[Leg]) -> str | None:
    """Name the group of the key exchange: from the key share, or in TLS 1.2 from the ServerKeyExchange."""
    if hello is not None and hello.key_shares:
        return group_name(hello.key_shares[0])
    for leg in legs:
        for message in leg.messages:
            if message.name == "ServerKeyExchange" and len(message.body) > 7 and message.body[4] == _NAMED_CURVE:
                return group_name(int.from_bytes(message.body[5:7], "big"))
    return None
