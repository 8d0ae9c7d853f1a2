"""What is looked at: the records up to a point, folded, and every value in them that has a name.

The rule guarded here: nothing but records comes in, so what is said about the present, the past and a recording is said
by the same code. A name that nothing can have is an error with the nearest one; a name whose value is not there yet is
`none`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from sspicli.analysis.calls import LEG_FUNCTIONS, Call, Leg
from sspicli.analysis.exchange import RECORDED, Opened, Token, opened_leg
from sspicli.analysis.finding import Finding
from sspicli.analysis.report import Report
from sspicli.analysis.rules import MONITORS, findings_at_end
from sspicli.analysis.state import State
from sspicli.debugger.expression import Value
from sspicli.journal import events as ev
from sspicli.journal.journal import Record
from sspicli.runtime.call_names import QUEUEING_WORDS
from sspicli.scenario.words import near
from sspicli.sspi import alerts
from sspicli.sspi.alerts import ALERTS
from sspicli.sspi.errors import UsageError
from sspicli.sspi.functions import Function
from sspicli.sspi.package import AlertSeen
from sspicli.sspi.status import STATUS_ALIASES, NtStatus, SecurityStatus
from sspicli.tokens.paths import matching, names, parse_path
from sspicli.tokens.tree import Node

WORD_OF = {function: word for word, function in reversed(QUEUEING_WORDS.items())}
"""What the five queueing functions are called in short."""

RUN_NAMES = {
    "record": "the number of the last record",
    "ticks": "virtual time, microseconds",
    "leg": "the last leg that was sent; 0 before the first",
    "legs": "the legs of the handshake",
    "calls": "the calls queued so far",
    "pending": "the calls that are pending",
    "held": "the calls that are held",
    "callbacks": "the notify callbacks entered so far",
    "findings": "the codes of the misuse rules broken so far",
    "handshake": "the handshake under way",
    "reason": "why the run ended",
}
EVENT_NAMES = {
    "event": "what kind of record the last one is",
    "side": "whose it is",
    "actor": "who acted",
    "function": "the function it is about, in short",
    "number": "which call of that function",
    "status": "the status in it",
    "alert": "the alert in it",
    "messages": "the messages of the token in it",
    "step": "the step of a program that begins with it, such as client.3",
    "fault": "the fault that happens in it, as it is written",
}
SIDE_NAMES = {
    "status": "the status of the last call that completed",
    "leg_status": "the status of the last leg's call",
    "queue_status": "what the last queueing function returned",
    "phase": "the phase of the async context in use",
    "pending": "the calls that are pending",
    "calls": "the calls queued so far",
    "callbacks": "the callbacks entered",
    "credential": "the credential's handle",
    "security_context": "the security context's handle",
    "async_context": "the async context in use",
    "asked": "the context requirements of the last leg's call",
    "granted": "the context attributes of the last leg's call",
    "alert": "the alert that decided its last call",
    "waits": "what it waits for",
}
CALL_NAMES = {
    "status": "the call status",
    "queue_status": "what the queueing function returned",
    "pending": "whether it is pending",
    "async_context": "the async context that tracks it",
    "requirements": "fContextReq",
    "attributes": "pfContextAttr",
    "ticks": "how long it was pending, microseconds",
    "callbacks": "how often its callback was entered",
    "leg": "the leg that its token made",
    "alert": "the alert that decided it",
}
LEG_NAMES = {
    "size": "its bytes",
    "sender": "who sent it",
    "messages": "the names of its messages",
    "record": "the record that sent it",
    "data": "the bytes themselves",
}
_READ_AT_ONCE = 64  # tokens
_LEG = re.compile(r"leg(\d{1,6})")
_CALL = re.compile(r"call(\d{1,6})|([a-z-]{1,32})#(\d{1,6})")


WATCHED = (
    *("legs", "pending", "held", "findings"),
    *(f"{side}.{name}" for side in ("client", "server") for name in SIDE_NAMES if name not in ("pending", "calls")),
)
"""The values whose change from stop to stop is shown."""


class Snapshot(NamedTuple):
    """What a stop keeps for the next one to be compared with."""

    records: int
    last: Record | None
    values: dict[str, Value]
    findings: frozenset[tuple[str, tuple[int, ...]]]


class View:
    """Records up to a point, and what they come to."""

    def __init__(self, records: Sequence[Record] = ()) -> None:
        self.records: list[Record] = []
        self.state = State()
        self.callbacks = {"client": 0, "server": 0}
        self.completed: dict[str, Call] = {}
        self.queued: dict[str, Call] = {}
        self.counts: dict[str, int] = {}
        self._monitors = [make() for make in MONITORS]
        self._opened: dict[tuple[int, int, bool], Opened] = {}
        self._unread = 0
        self._report: tuple[int, ev.RunEnded | None, Report] | None = None
        for record in records:
            self.see(record)

    def see(self, record: Record) -> None:
        """Take the next record."""
        self.records.append(record)
        self.state.see(record)
        for monitor in self._monitors:
            if type(record.event) in monitor.WATCHED:
                monitor.see(record)
        event, side = record.event, record.actor.partition(".")[0]
        match event:
            case ev.CallQueued():
                self.queued[event.call.actor] = self.state.call(event.call)
                self.counts[event.call.actor] = self.counts.get(event.call.actor, 0) + 1
            case ev.CallCompleted():
                self.completed[event.call.actor] = self.state.call(event.call)
            case ev.TokenSent():
                self._sent()
            case ev.CallbackEntered():
                self.callbacks[side] = self.callbacks.get(side, 0) + 1
            case _:
                pass

    def _sent(self) -> None:
        """Read what was sent from time to time, so that a stop has little to read however long the session is."""
        self._unread += 1
        if self._unread >= _READ_AT_ONCE:
            self._unread = 0
            self.state.read_ahead()

    @property
    def last(self) -> Record | None:
        """Give the last record."""
        return self.records[-1] if self.records else None

    @property
    def findings(self) -> tuple[Finding, ...]:
        """List what the misuse rules have found so far, what only the end of a run shows left out."""
        found = [finding for monitor in self._monitors for finding in monitor.findings]
        return tuple(sorted(found, key=lambda one: one.records))

    def snapshot(self) -> Snapshot:
        """Keep what the next stop is compared with."""
        values = {path: self.value(path) for path in WATCHED}
        findings = frozenset((one.rule.code, one.records) for one in self.findings)
        return Snapshot(len(self.records), self.last, values, findings)

    def final_findings(self) -> tuple[Finding, ...]:
        """List what the misuse rules find were this the end."""
        return self._found_at_end(None)

    def _found_at_end(self, ended: ev.RunEnded | None) -> tuple[Finding, ...]:
        last = 0 if self.last is None else self.last.sequence
        if self.last is not None and isinstance(self.last.event, ev.RunEnded):
            return findings_at_end(self._monitors, last, reason=self.last.event.reason)
        if ended is None:
            return findings_at_end(self._monitors, last, reason="")
        return findings_at_end(self._monitors, last + 1, reason=ended.reason)

    def report(self, ended: ev.RunEnded | None = None) -> Report:
        """Say what the records come to, were this the end."""
        known = self._report
        if known is not None and known[:2] == (len(self.records), ended):
            return known[2]
        to_come = None if self.state.reason else ended
        told = self.state.report(self._found_at_end(to_come), to_come)
        self._report = len(self.records), ended, told
        return told

    def opened_leg(self, number: int) -> Opened | None:
        """Give a leg's token, opened with its sender's own secrets; None where there is no such leg yet."""
        leg, at = self.leg(number), self.state.handshake
        if leg is None:
            return None
        reading, is_last = self.state.reading(leg)
        found = self._opened.get((at, number, is_last))
        if found is None:
            title = f"handshake {at} leg {number}" if at > 1 else f"leg {number}"
            token = Token(leg.data, title, leg.sender, RECORDED, "", at, number)
            found = self._opened[at, number, is_last] = opened_leg(token, reading, is_last=is_last)
        return replace(found, is_closed_to_receiver=leg.is_closed_to_receiver)  # its receiver may have logged it since

    def leg(self, number: int) -> Leg | None:
        """Give a leg of the handshake under way."""
        return next((leg for leg in self.state.legs if leg.number == number), None)

    def call_named(self, side: str, text: str) -> Call | None:
        """Find a call by `call2` or `init#2`, counted in the whole run; None where there is none."""
        found = _CALL.fullmatch(text)
        if found is None:
            return None
        every = [one for one in self.state.every_call() if one.endpoint == side]
        if found[1]:
            return next((one for one in every if one.handle.number == int(found[1])), None)
        function = QUEUEING_WORDS.get(found[2])
        of_function = [one for one in every if one.function is function]
        at = int(found[3]) - 1
        return of_function[at] if 0 <= at < len(of_function) else None

    # -- values by name ------------------------------------------------------------------------------------------------

    def value(self, path: str) -> Value:
        """Look a name up; UsageError for one that nothing can have."""
        root, _, rest = path.partition(".")
        if root in ("client", "server"):
            return self._of_side(root, rest)
        leg = _LEG.fullmatch(root)
        if leg is not None:
            return self._of_leg(int(leg[1]), rest)
        if not rest and root in RUN_NAMES:
            return self._of_run(root)
        if not rest and root in EVENT_NAMES:
            return self._of_event(root)
        if not rest:
            found = constant(root)
            if found is not None:
                return found
        known = [*RUN_NAMES, *EVENT_NAMES, "client", "server", "leg1"]
        help = near(root, [*known, *SecurityStatus.__members__]) or f"there are {', '.join(known)}, and statuses"
        raise UsageError(f"there is nothing called {path[:80]!r}", help=help)

    def _of_run(self, name: str) -> Value:
        state = self.state
        match name:
            case "record":
                return state.sequence
            case "ticks":
                return state.ticks
            case "leg" | "legs":
                return len(state.legs)
            case "calls":
                return sum(self.counts.values())
            case "pending":
                return len(state.pending)
            case "held":
                return len(state.held)
            case "callbacks":
                return sum(self.callbacks.values())
            case "findings":
                return tuple(dict.fromkeys(one.rule.code for one in self.findings))
            case "handshake":
                return state.handshake
            case _:
                return state.reason

    def _of_event(self, name: str) -> Value:
        return None if self.last is None else Facts(self, self.last).value(name)

    def _of_side(self, side: str, rest: str) -> Value:
        name, _, more = rest.partition(".")
        if _CALL.fullmatch(name):
            call = self.call_named(side, name)
            if more and more not in CALL_NAMES:
                raise UsageError(f"a call has no {more!r}", help=near(more, CALL_NAMES) or ", ".join(CALL_NAMES))
            return None if call is None else call_value(call, more or "status")
        if rest not in SIDE_NAMES:
            said = f"the {side} has no {rest!r}" if rest else f"what of the {side}?"
            raise UsageError(said, help=near(rest, SIDE_NAMES) or ", ".join([*SIDE_NAMES, "call1", "init#1"]))
        return self._side_value(side, rest)

    def _side_value(self, side: str, name: str) -> Value:
        state, shown = self.state.sides[side], self.state.sides[side].shown
        completed, queued = self.completed.get(side), self.queued.get(side)
        match name:
            case "status":
                return None if completed is None else completed.status
            case "queue_status":
                return None if queued is None else queued.queue_status
            case "phase":
                return None if shown is None else shown.phase.value
            case "async_context":
                return None if shown is None else str(shown.handle)
            case "pending":
                return sum(call.endpoint == side for call in self.state.pending.values())
            case "calls":
                return self.counts.get(side, 0)
            case "callbacks":
                return self.callbacks.get(side, 0)
            case "credential" | "security_context":
                handle = getattr(state, name)
                return None if handle is None else str(handle)
            case "alert":
                return None if completed is None else call_value(completed, "alert")
            case "waits":
                return self.state.awaited(side) or None
            case _:
                return self._of_leg_call(side, name)

    def _of_leg_call(self, side: str, name: str) -> Value:
        of_legs = [one for one in self.state.every_call() if one.endpoint == side and one.function in LEG_FUNCTIONS]
        if not of_legs:
            return None
        named = {"asked": "requirements", "granted": "attributes", "leg_status": "status"}
        return call_value(of_legs[-1], named[name])

    def _of_leg(self, number: int, rest: str) -> Value:
        leg = self.leg(number)
        if leg is None:
            return None
        match rest:
            case "" | "size":
                return len(leg.data)
            case "sender":
                return leg.sender
            case "record":
                return leg.sequence
            case "data":
                return leg.data
            case "messages":
                return tuple(message.name for message in leg.messages)
            case _:
                _, node = self.fields(number, rest)[0]
                return node_value(node)

    def fields(self, number: int, path: str) -> list[tuple[str, Node]]:
        """Find the fields of a leg that a path names; UsageError where there is none."""
        opened = self.opened_leg(number)
        if opened is None:
            raise UsageError(f"leg {number} was not sent yet", help=f"there are {len(self.state.legs)} legs so far")
        pattern = parse_path(path)
        if pattern is None:
            raise UsageError(f"{path[:80]!r} is no path of a field", help="names with dots between them")
        trees = [part.tree for part in opened.parts] or ([opened.tree] if opened.tree is not None else [])
        found = [one for tree in trees for one in matching(tree, pattern)]
        if not found:
            known = names(trees)
            last = path.rpartition(".")[2].partition("[")[0]
            help = near(last, known) or f"its messages: {', '.join(tree.name for tree in trees) or 'none is readable'}"
            raise UsageError(f"leg {number} has no field {path[:80]}", help=help)
        return found


class Facts:
    """What one record is about, in the words of conditions and breakpoints."""

    def __init__(self, view: View, record: Record) -> None:
        self._view = view
        self.record = record

    def value(self, name: str) -> Value:
        """Give one of `EVENT_NAMES`."""
        match name:
            case "event":
                return type(self.record.event).__name__
            case "side":
                return self.side
            case "actor":
                return self.record.actor
            case "function":
                return self.function
            case "number":
                return self.number
            case "status":
                return self.status
            case "alert":
                return self.alert
            case "step":
                return self.record.event.step if isinstance(self.record.event, ev.ActionTaken) else None
            case "fault":
                return self.record.event.text if isinstance(self.record.event, ev.FaultInjected) else None
            case _:
                return self.messages

    @property
    def side(self) -> str:
        """Whose record it is."""
        call = getattr(self.record.event, "call", None)
        return self.record.actor.partition(".")[0] if call is None else str(call.actor)

    @property
    def call(self) -> Call | None:
        """Give the call it is about."""
        handle = getattr(self.record.event, "call", None)
        return None if handle is None else self._view.state.call(handle)

    @property
    def function(self) -> str | None:
        """Give the function it is about, in short."""
        event, call = self.record.event, self.call
        if call is not None and not isinstance(event, ev.CallStatusQueried):
            return WORD_OF[call.function]
        given = getattr(event, "function", None)
        if isinstance(given, Function):
            return WORD_OF.get(given)
        return FUNCTION_EVENTS.get(type(event))

    @property
    def number(self) -> int | None:
        """Say which call of its function it is, counted in the whole run."""
        call = self.call
        if call is None:
            return None
        alike = [
            one
            for one in self._view.state.every_call()
            if (one.endpoint, one.function) == (call.endpoint, call.function)
        ]
        return alike.index(call) + 1

    @property
    def status(self) -> int | None:
        """Give the status in it."""
        event = self.record.event
        given = getattr(event, "status", None)
        if given is None:
            given = getattr(event, "queue_status", None)
        return given if isinstance(given, int) else None

    @property
    def alert(self) -> str | None:
        """Name the alert in it, made or told."""
        evidence = getattr(self.record.event, "evidence", None)
        return None if evidence is None else alert_name(evidence.alert_sent or evidence.alert_received)

    @property
    def leg(self) -> int:
        """Give the leg that is sent or delivered in it; 0 for none."""
        event = self.record.event
        if isinstance(event, ev.TokenSent | ev.TokenForwarded):
            return event.leg
        return self._view.state.leg_of(event.number) if isinstance(event, ev.TokenDelivered) else 0

    @property
    def messages(self) -> tuple[str, ...]:
        """Name the messages of the token that is sent in it."""
        if not isinstance(self.record.event, ev.TokenSent) or not self.record.event.leg:
            return ()
        leg = self._view.leg(self.record.event.leg)
        return () if leg is None else tuple(message.name for message in leg.messages)


FUNCTION_EVENTS: dict[type, str] = {
    ev.AsyncContextCreated: "create",
    ev.NotifyCallbackSet: "set-callback",
    ev.NotifyRequirementQueried: "requires-notify",
    ev.CallStatusQueried: "get-status",
    ev.AsyncContextReinitialized: "reinit",
    ev.AsyncContextFreed: "free-async-context",
    ev.AttributeQueried: "query",
    ev.MessageEncrypted: "encrypt",
    ev.MessageDecrypted: "decrypt",
}


def alert_name(seen: AlertSeen | None) -> str | None:
    """Name an alert as IANA does."""
    return None if seen is None else alerts.alert_name(seen.number)


def call_value(call: Call, name: str) -> Value:
    """Give one of `CALL_NAMES`."""
    match name:
        case "status":
            return call.status
        case "queue_status":
            return call.queue_status
        case "pending":
            return call.completed is None
        case "async_context":
            return str(call.queued.async_context)
        case "requirements":
            return call.queued.requirements
        case "attributes":
            return None if call.completed is None else call.completed.attributes
        case "ticks":
            return call.pending_ticks
        case "callbacks":
            return call.notifications
        case "leg":
            return call.leg
        case _:
            evidence = call.evidence
            return None if evidence is None else alert_name(evidence.alert_sent or evidence.alert_received)


def node_value(node: Node) -> Value:
    """Give a field's value; of one that has only parts, its meaning or name."""
    return node.value if node.value is not None else node.meaning or node.name


def constant(word: str) -> Value:
    """Give the number of a status by its name; the name of an alert or a side stands for itself; None for others."""
    if word in SecurityStatus.__members__:
        return SecurityStatus[word]
    if word in STATUS_ALIASES:
        return STATUS_ALIASES[word]
    if word in NtStatus.__members__:
        return NtStatus[word]
    return word if any(alert.name == word for alert in ALERTS.values()) else None


def check_names(paths: Sequence[str]) -> None:
    """Refuse names that nothing can have, before anything happens; fields of legs to come are believed."""
    empty = View()
    for path in paths:
        empty.value(path)
