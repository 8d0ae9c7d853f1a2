"""The steps on the way, held: what is expected of a leg, of a call and of an attribute, whoever drove them."""

from __future__ import annotations

from collections.abc import Sequence

from sspicli.analysis.calls import Call, Leg
from sspicli.analysis.report import Report
from sspicli.journal import events as ev
from sspicli.journal.journal import Record
from sspicli.scenario.checks import attribute_number
from sspicli.scenario.expect import Checker
from sspicli.scenario.expect_calls import hold_call, records_of
from sspicli.scenario.model import AttributeCheck, CallCheck, LegCheck, LegExpected, TokenExpected
from sspicli.scenario.problems import Loc
from sspicli.scenario.values import NOTHING, same, spelled
from sspicli.scenario.words import near
from sspicli.session.faults import FUNCTIONS
from sspicli.sspi.status import SecurityStatus
from sspicli.tokens.paths import matching, names, parse_path
from sspicli.tokens.tls_fields import message_trees

_LEGS = (FUNCTIONS["init"], FUNCTIONS["accept"])


def hold_steps(checker: Checker) -> None:
    """Hold the steps on the way."""
    for number, step in enumerate(checker.case.scenario.steps):
        path: Loc = ("steps", number)
        if isinstance(step, LegCheck):
            _leg(checker, step, path)
        elif isinstance(step, CallCheck):
            _call_check(checker, step, path)
        else:
            _attribute(checker, step, path)


def _leg(checker: Checker, step: LegCheck, path: Loc) -> None:
    name = f"leg {step.leg}"
    shown = checker.report_of_connection(step.connection or checker.report.handshake)
    leg = next((one for one in shown.legs if one.number == step.leg), None)
    if leg is None:
        checker.hold(name, (*path, "leg"), name, f"{len(shown.legs)} legs", holds=False)
        return
    expected, path = step.expect, (*path, "expect")
    _sides(checker, name, path, expected, leg, shown)
    if expected.sender is not None:
        checker.hold(name, (*path, "sender"), expected.sender, leg.sender, records=(leg.sequence,))
    if expected.alert is not None:
        alerts = _alerts(leg)
        got = alerts[0] if alerts else "none"
        checker.hold(name, (*path, "alert"), expected.alert, got, records=(leg.sequence,))
    if expected.token is not None:
        _token(checker, name, (*path, "token"), expected.token, leg)


def _sides(checker: Checker, name: str, path: Loc, expected: LegExpected, leg: Leg, shown: Report) -> None:
    for side in ("client", "server"):
        status = getattr(expected, side)
        if status is not None:
            call = call_around(shown, checker.records, leg, side)
            got: object = NOTHING if call is None else call.status
            checker.hold(name, (*path, side), status, got, records=records_of(call))


def call_around(report: Report, records: Sequence[Record], leg: Leg, side: str) -> Call | None:
    """Find a side's call around a leg: the one that made it, or the first after it that did not merely want bytes."""
    if side == leg.sender:
        return next((call for call in report.calls if call.handle == leg.call), None)
    arrived = next(
        (one.sequence for one in records if isinstance(one.event, ev.TokenDelivered) and one.sequence > leg.sequence),
        None,
    )
    calls = [call for call in report.calls if call.endpoint == side and call.function in _LEGS]
    after = [call for call in calls if arrived is not None and call.sequence > arrived]
    return next((call for call in after if call.status != SecurityStatus.SEC_E_INCOMPLETE_MESSAGE), None)


def _token(checker: Checker, name: str, path: Loc, expected: TokenExpected, leg: Leg) -> None:
    messages = [message.name for message in leg.messages]
    at = (leg.sequence,)
    if expected.size is not None:
        size = len(leg.data)
        checker.hold(name, (*path, "size"), expected.size, size, holds=size in expected.size, records=at)
    if expected.messages is not None:
        checker.hold(name, (*path, "messages"), expected.messages, messages, records=at)
    for key, wanted in (("contains", True), ("lacks", False)):
        for number, one in enumerate(getattr(expected, key) or []):
            checker.hold(name, (*path, key, number), one, messages, holds=(one in messages) is wanted, records=at)
    for field, value in (expected.fields or {}).items():
        _field(checker, name, (*path, "fields", field), field, value, leg)


def _field(checker: Checker, name: str, path: Loc, field: str, value: object, leg: Leg) -> None:
    pattern = parse_path(field)
    trees = list(message_trees(leg.messages))
    found = [node for tree in trees for _, node in (matching(tree, pattern) if pattern else ())]
    got = [spelled(node.value) for node in found]
    holds = any(same(value, node.value) or same(value, node.meaning) for node in found)
    suggestion = "" if found else near(field.rpartition(".")[2], names(trees))
    hint = [f"there is no such field; {suggestion}"] if suggestion else []
    checker.hold(name, path, value, got[0] if got else NOTHING, holds=holds, records=(leg.sequence,), seen=hint)


def _call_check(checker: Checker, step: CallCheck, path: Loc) -> None:
    pattern = step.call
    function = FUNCTIONS[pattern.word]
    calls = [one for one in checker.calls() if one.function is function and one.endpoint == pattern.side]
    if step.connection is not None:
        calls = [one for one in calls if one.handshake == step.connection]
    calls.sort(key=lambda one: one.sequence)
    if len(calls) < pattern.nth:
        checker.hold(str(pattern), (*path, "call"), str(pattern), f"{len(calls)} such calls", holds=False)
        return
    hold_call(checker, str(pattern), (*path, "expect"), step.expect, calls[pattern.nth - 1])


def _attribute(checker: Checker, step: AttributeCheck, path: Loc) -> None:
    end = checker.report.endpoints.get(step.side)
    number = attribute_number(step.attribute)
    status, fields = (None, {}) if end is None or number is None else end.queries.get(number, (None, {}))
    if status is None and not step.expect:
        name = f"{step.side} {step.attribute}"
        checker.hold(name, (*path, "attribute"), "a query", "the side never asked for it", holds=False)
    for key, value in step.expect.items():
        got = (NOTHING if status is None else status.name) if key == "status" else fields.get(key, NOTHING)
        holds = same(value, got)
        checker.hold(f"{step.side} {step.attribute}", (*path, "expect", key), value, spelled(got), holds=holds)


def _alerts(leg: Leg) -> list[str]:
    """Name the alerts that a leg carries."""
    return [one.name.rpartition(" ")[2] for one in leg.messages if one.name.startswith("Alert ")]
