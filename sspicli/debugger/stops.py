"""Breakpoints, catches and watches: what a run stops at.

The rule guarded here: a stop is decided by records and by the state they come to, so that a breakpoint stops alike in a
session that runs, in its past and in a recording. What can never match is refused when it is set.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from sspicli.analysis.calls import failing
from sspicli.analysis.rule_table import RULES
from sspicli.debugger.coming import Coming
from sspicli.debugger.expression import Expression, Value, parse
from sspicli.debugger.view import FUNCTION_EVENTS, Facts, View, check_names
from sspicli.journal import events as ev
from sspicli.runtime.call_names import QUEUEING_WORDS
from sspicli.scenario.words import near
from sspicli.sspi.alerts import ALERTS
from sspicli.sspi.errors import UsageError
from sspicli.sspi.functions import Function
from sspicli.sspi.status import STATUS_ALIASES, NtStatus, SecurityStatus
from sspicli.tokens.tls_names import HANDSHAKE_TYPES

SIDES = ("client", "server")
KINDS = ("pending", "completion", "callback", "finding", "alert", "fail", "fault", "leg", "delivery", "held")
"""What can be stopped at besides functions, sides, statuses and messages."""
FUNCTION_WORDS = (*dict.fromkeys([*QUEUEING_WORDS, *FUNCTION_EVENTS.values()]),)
ALERT_NAMES = tuple(alert.name for alert in ALERTS.values())
MESSAGE_NAMES = (*dict.fromkeys([*HANDSHAKE_TYPES.values(), "Alert", "ChangeCipherSpec", "ApplicationData"]),)
_WORDS = {
    **{word: function for word, function in QUEUEING_WORDS.items() if word != "free-credential"},
    "create": Function.SspiCreateAsyncContext,
    "set-callback": Function.SspiSetAsyncNotifyCallback,
    "requires-notify": Function.SspiAsyncContextRequiresNotify,
    "get-status": Function.SspiGetAsyncCallStatus,
    "reinit": Function.SspiReinitAsyncContext,
    "free-async-context": Function.SspiFreeAsyncContext,
}
_DOCUMENTED = {function.documented_name.lower(): word for word, function in _WORDS.items()}
_CALL = re.compile(r"(?:(client|server)\.)?([A-Za-z-]{1,48})(?:#(\d{1,6}))?")
_LEG = re.compile(r"leg(?:\s*(\d{1,6}))?")


@dataclass(slots=True)
class Breakpoint:
    """One place to stop at; `kind` says what is compared, and the members beside it with what ("" and 0 for any)."""

    number: int
    text: str
    kind: str
    side: str = ""
    word: str = ""
    nth: int = 0
    condition: Expression | None = None
    watched: Expression | None = None
    is_temporary: bool = False
    is_enabled: bool = True
    ignore: int = 0
    hits: int = 0
    commands: list[str] = field(default_factory=list)
    value: Value = None

    def matches(self, view: View) -> bool:
        """Say whether the last record of a view is one to stop at."""
        record = view.last
        if record is None:
            return False
        facts = Facts(view, record)
        if self.side and facts.side != self.side:
            return False
        if not _MATCH[self.kind](self, facts, view):
            return False
        return self.condition is None or self.condition.holds(view.value)

    def is_before(self, coming: Coming, view: View) -> bool:
        """Say whether a call that is about to be made is one to stop before."""
        if self.kind != "before" or self.side not in ("", coming.side):
            return False
        if self.word not in ("", coming.word) or self.nth not in (0, coming.number):
            return False
        return self.condition is None or self.condition.holds(lambda path: coming.value(path, view))

    def changed(self, view: View) -> tuple[Value, Value] | None:
        """Say from what to what a watched value went; None where it stayed."""
        assert self.watched is not None, "a watch has an expression"
        now = quiet(self.watched, view)
        before, self.value = self.value, now
        return None if now == before else (before, now)

    def described(self) -> str:
        """Say what it stops at, and when."""
        condition = f" if {self.condition.text}" if self.condition is not None else ""
        return f"{self.text}{condition}"


def quiet(expression: Expression, view: View) -> Value:
    """Evaluate an expression; what cannot be told yet is nothing."""
    try:
        return expression.value(view.value)
    except UsageError:
        return None


Match = Callable[[Breakpoint, Facts, View], bool]


# -- what is compared --------------------------------------------------------------------------------------------------
def _function(one: Breakpoint, facts: Facts, view: View) -> bool:
    event = facts.record.event
    if isinstance(event, ev.QueueingReturned | ev.CallCompleted | ev.CallbackEntered | ev.CallbackReturned):
        return False
    if not isinstance(event, ev.CallQueued | ev.CallRefused) and type(event) not in FUNCTION_EVENTS:
        return False
    word = "free" if facts.function == "free-credential" else facts.function
    return (not one.word or word == one.word) and one.nth in (0, facts.number)


def _leg(one: Breakpoint, facts: Facts, view: View) -> bool:
    event = facts.record.event
    return isinstance(event, ev.TokenSent) and event.leg > 0 and one.nth in (0, event.leg)


def _delivery(one: Breakpoint, facts: Facts, view: View) -> bool:
    return isinstance(facts.record.event, ev.TokenDelivered) and one.nth in (0, facts.leg)


def _status(one: Breakpoint, facts: Facts, view: View) -> bool:
    return facts.status is not None and facts.status == one.nth


def _alert(one: Breakpoint, facts: Facts, view: View) -> bool:
    return facts.alert is not None and one.word in ("", facts.alert)


def _message(one: Breakpoint, facts: Facts, view: View) -> bool:
    return one.word in facts.messages


def _finding(one: Breakpoint, facts: Facts, view: View) -> bool:
    codes = [found.rule.code for found in view.findings if found.records and found.records[-1] == view.state.sequence]
    return bool(codes) and (not one.word or one.word in codes)


def _fail(one: Breakpoint, facts: Facts, view: View) -> bool:
    event = facts.record.event
    if isinstance(event, ev.CallRefused | ev.ContractBroken | ev.CallbackRaised):
        return True
    if isinstance(event, ev.CallCompleted):
        return facts.call is not None and failing(facts.call)
    if not isinstance(event, ev.MessageDecrypted | ev.MessageEncrypted):
        return False
    return event.status >= 0x80000000 and event.status != SecurityStatus.SEC_E_INCOMPLETE_MESSAGE


def _is(*kinds: type) -> Match:
    return lambda one, facts, view: isinstance(facts.record.event, kinds)


def _never(one: Breakpoint, facts: Facts, view: View) -> bool:
    return False


_MATCH: dict[str, Match] = {
    "function": _function,
    "leg": _leg,
    "delivery": _delivery,
    "status": _status,
    "alert": _alert,
    "message": _message,
    "finding": _finding,
    "fail": _fail,
    "pending": _is(ev.CallQueued),
    "completion": _is(ev.CallCompleted),
    "callback": _is(ev.CallbackEntered),
    "fault": _is(ev.FaultInjected, ev.FaultMissed),
    "held": _is(ev.CallHeld),
    "any": lambda one, facts, view: True,
    "watch": _never,
    "before": _never,
}


# -- words to a breakpoint ---------------------------------------------------------------------------------------------
def read_stop(number: int, text: str, *, is_temporary: bool = False) -> Breakpoint:
    """Read what to stop at, with its condition; UsageError for what can never come."""
    what, condition = _parted(text)
    one = _read(number, what)
    one.condition = condition
    one.is_temporary = is_temporary
    return one


def read_watch(number: int, text: str, view: View) -> Breakpoint:
    """Read a value to watch."""
    watched = expression_of(text)
    one = Breakpoint(number, f"watch {watched.text}", "watch", watched=watched)
    one.value = quiet(watched, view)
    return one


def expression_of(text: str) -> Expression:
    """Read an expression whose names can all have a value."""
    expression = parse(text)
    check_names(expression.names())
    return expression


def _parted(text: str) -> tuple[str, Expression | None]:
    what, _, condition = f" {text} ".partition(" if ")
    if " if " in f" {text} ":
        return what.strip(), expression_of(condition)
    return what.strip(), None


def _read(number: int, what: str) -> Breakpoint:
    words = what.split()
    if not words or words == ["any"]:
        return Breakpoint(number, "any record", "any")
    if words[0] == "before":
        return _before(number, " ".join(words[1:]))
    side = words.pop(0) if words[0] in SIDES and len(words) > 1 else ""
    rest = " ".join(words)
    made = _kind_of(number, rest) or _leg_of(number, rest) or _word_of(number, rest) or _call_of(number, rest)
    if made is None:
        raise UsageError(f"there is nothing called {what[:80]!r} to stop at", help=_help(words[0]))
    made.side = side or made.side
    made.text = what
    return made


def _before(number: int, text: str) -> Breakpoint:
    """Read a call to stop before."""
    if not text:
        raise UsageError("before which call?", help="break before client.init#2, break before reinit")
    side, _, word = text.partition(" ") if text.split()[0] in SIDES else ("", "", text)
    made = _call_of(number, word.strip() or side)
    if made is None:
        raise UsageError(
            f"{text[:80]!r} is no call to stop before", help=near(word, FUNCTION_WORDS) or ", ".join(FUNCTION_WORDS)
        )
    made.side = side or made.side
    made.kind, made.text = "before", f"before {text}"
    return made


def _kind_of(number: int, text: str) -> Breakpoint | None:
    kind, _, word = text.partition(" ")
    if kind not in KINDS or kind in ("leg", "delivery"):
        return None
    if kind == "alert" and word and word not in ALERT_NAMES:
        raise UsageError(f"{word[:80]!r} is no alert", help=near(word, ALERT_NAMES))
    if kind == "finding" and word and word.upper() not in RULES:
        raise UsageError(f"{word[:80]!r} is no misuse rule", help=near(word.upper(), RULES) or "such as A001")
    if word and kind not in ("alert", "finding"):
        raise UsageError(f"{kind} takes no {word[:40]!r}", help=f"break {kind}, or break client {kind}")
    return Breakpoint(number, text, kind, word=word.upper() if kind == "finding" else word)


def _leg_of(number: int, text: str) -> Breakpoint | None:
    kind = "delivery" if text.startswith("delivery") else "leg"
    found = _LEG.fullmatch(text.replace("delivery", "leg", 1) if kind == "delivery" else text)
    return None if found is None else Breakpoint(number, text, kind, nth=int(found[1] or 0))


def _word_of(number: int, text: str) -> Breakpoint | None:
    """Read a status or the name of a message."""
    known = (STATUS_ALIASES, SecurityStatus.__members__, NtStatus.__members__)
    status = next((one[text] for one in known if text in one), None)  # SEC_E_OK is 0
    if status is not None:
        return Breakpoint(number, text, "status", nth=int(status))
    message = next((one for one in MESSAGE_NAMES if one.lower() == text.lower()), None)
    return None if message is None else Breakpoint(number, text, "message", word=message)


def _call_of(number: int, text: str) -> Breakpoint | None:
    if text in SIDES:
        return Breakpoint(number, text, "any", side=text)
    found = _CALL.fullmatch(text)
    if found is None:
        return None
    side, word, nth = found[1] or "", found[2], int(found[3] or 0)
    word = _DOCUMENTED.get(word.lower(), word)
    word = "free" if word == "free-credential" else word
    if nth and word in FUNCTION_EVENTS.values():
        raise UsageError(f"calls of {word} have no numbers", help=f"break {word}; only what is queued is counted")
    return Breakpoint(number, text, "function", side, word, nth) if word in FUNCTION_WORDS else None


def _help(word: str) -> str:
    known = [*FUNCTION_WORDS, *KINDS, *SIDES, *MESSAGE_NAMES, *SecurityStatus.__members__]
    return near(word, known) or f"a function ({', '.join(FUNCTION_WORDS)}), {', '.join(KINDS)}, a status, a message"


def hit(stops: Sequence[Breakpoint], view: View) -> list[tuple[Breakpoint, str]]:
    """Give the breakpoints that the last record of a view hits, each with words; those ignored only count."""
    found: list[tuple[Breakpoint, str]] = []
    for one in stops:
        if not one.is_enabled:
            continue
        words = f"breakpoint {one.number}, {one.described()}"
        if one.kind == "watch":
            change = one.changed(view)
            if change is None:
                continue
            words = f"watch {one.number}, {one.text[6:]}: {shown(change[0])} -> {shown(change[1])}"
        elif not _safely(one.matches, view):
            continue
        if _counts(one):
            found.append((one, words))
    return found


def hit_before(stops: Sequence[Breakpoint], view: View, coming: Coming | None) -> list[tuple[Breakpoint, str]]:
    """Give the breakpoints before which a call stands that is about to be made, each with words."""
    if coming is None:
        return []
    return [
        (one, f"breakpoint {one.number}, {coming.name} is about to be called")
        for one in stops
        if one.is_enabled and _safely(partial(one.is_before, coming), view) and _counts(one)
    ]


def _counts(one: Breakpoint) -> bool:
    """Count a hit; say whether it stops."""
    one.hits += 1
    if not one.ignore:
        return True
    one.ignore -= 1
    return False


def _safely(holds: Callable[[View], bool], view: View) -> bool:
    """Hold a breakpoint against a view; a condition that cannot be told yet does not hold."""
    try:
        return holds(view)
    except UsageError:
        return False


def shown(value: Value) -> str:
    """Write a value on one line."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, SecurityStatus | NtStatus):
        return value.name
    if isinstance(value, bytes):
        return f"{value[:32].hex(' ')}{' ...' if len(value) > 32 else ''}  {len(value)} B"
    if isinstance(value, tuple):
        return " ".join(value) or "nothing"
    return "none" if value is None else str(value)
