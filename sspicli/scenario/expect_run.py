"""What is expected of the whole run, but for its verdict and findings, held against the report of it."""

from __future__ import annotations

from collections.abc import Callable

from sspicli.analysis.report import Report
from sspicli.runtime.chooser import schedule_text
from sspicli.scenario.checks import granted
from sspicli.scenario.expect import Checker
from sspicli.scenario.model import RunExpected
from sspicli.scenario.values import NOTHING, alert_word, same, spelled
from sspicli.scenario.words import kebab
from sspicli.sspi.attributes import ContextAttribute


def hold_run(checker: Checker) -> None:
    """Hold what is expected of the whole run, but for its verdict and findings."""
    expected = checker.case.scenario.expect
    for key, give in seen_of(checker.report).items():
        wanted = getattr(expected, key)
        if wanted is not None:
            value = give()
            holds = value in wanted if key in ("legs", "calls", "callbacks") else None
            checker.hold("expect", ("expect", kebab(key)), wanted, value, holds=holds)
    _granted(checker, expected)
    _waits(checker, expected)
    _document(checker, expected)


def _granted(checker: Checker, expected: RunExpected) -> None:
    for side, flags in (expected.granted or {}).items():
        end = checker.report.endpoints.get(side)
        word = 0 if end is None else end.attributes or 0
        for number, flag in enumerate(flags):
            has = granted(word, flag, side)
            got = f"{'' if has else 'not '}granted (0x{word:08X})"
            checker.hold("expect", ("expect", "granted", side, number), flag, got, holds=has is True)


def _waits(checker: Checker, expected: RunExpected) -> None:
    for number, part in enumerate(expected.waits or ()):
        holds = any(part in one for one in checker.report.waits)
        checker.hold(
            "expect", ("expect", "waits", number), part, "; ".join(checker.report.waits) or NOTHING, holds=holds
        )


def _document(checker: Checker, expected: RunExpected) -> None:
    if not expected.document:
        return
    from sspicli.reports.document import document  # few scenarios look at it

    whole = document(checker.report, timing=False, schedule=schedule_text(checker.report.schedule))
    for path, value in expected.document.items():
        got = _member(whole, path)
        checker.hold("expect", ("expect", "document", path), value, spelled(got), holds=same(value, got))


def _member(whole: object, path: str) -> object:
    """Find a member of a document by its path; `nothing` where it leads nowhere."""
    for step in path.split("."):
        if isinstance(whole, dict) and step in whole:
            whole = whole[step]
        elif isinstance(whole, list) and step.isdecimal() and int(step) < len(whole):
            whole = whole[int(step)]
        else:
            return NOTHING
    return whole


def seen_of(report: Report) -> dict[str, Callable[[], object]]:
    """Give what there is to be expected of a whole run, each worked out when it is asked for."""
    failure = report.failure
    return {
        "client": lambda: _end_status(report, "client"),
        "server": lambda: _end_status(report, "server"),
        "failed": lambda: NOTHING if failure is None else failure.side,
        "at_leg": lambda: NOTHING if failure is None else failure.leg,
        "alert": lambda: alert_word(None if failure is None else failure.alert),
        "field": lambda: NOTHING if failure is None else failure.field or NOTHING,
        "protocol": lambda: report.protocol or NOTHING,
        "cipher_suite": lambda: report.cipher_suite or NOTHING,
        "group": lambda: report.group or NOTHING,
        "alpn": lambda: _alpn(report),
        "resumed": lambda: report.is_resumed,
        "legs": lambda: len(report.legs),
        "calls": lambda: len(report.calls),
        "callbacks": lambda: sum(end.callbacks for end in report.endpoints.values()),
    }


def _end_status(report: Report, side: str) -> object:
    end = report.endpoints.get(side)
    return NOTHING if end is None or end.status is None else end.status


def _alpn(report: Report) -> str:
    end = report.endpoints.get("client")
    _, fields = (None, {}) if end is None else end.queries.get(ContextAttribute.APPLICATION_PROTOCOL, (None, {}))
    name = fields.get("ProtocolId", b"")
    return name.decode("latin-1") if isinstance(name, bytes) and name else NOTHING
