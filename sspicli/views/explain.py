"""Explanations as plain text, for `explain` and for anybody who shows one: lines of at most a given width.

The rule guarded here: no field is printed that has no value, and nothing is said by colour or layout alone. The text
is plain ASCII, so it looks the same in a pipe, in a file and on any terminal.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from sspicli.analysis.explain import AlertLine, Explanation, Kind, Return

_LABEL_WIDTH = 17
_NARROWEST = 40
_GLUE = "\N{NO-BREAK SPACE}"
"""Keeps a number and its name on one line; printed as a plain space."""

_TITLES = {
    Kind.STATUS: "SECURITY_STATUS",
    Kind.NT_STATUS: "NTSTATUS",
    Kind.ALERT: "TLS alert",
    Kind.RULE: "misuse rule",
    Kind.ERROR: "error code of sspi-async",
}


def lines(explanation: Explanation, width: int) -> list[str]:
    """Lay out one explanation; a width below 40 is taken as 40."""
    room = max(width, _NARROWEST)
    text = [*_wrap(_heading(explanation), room), *_wrap(explanation.meaning, room)]
    if explanation.kind is Kind.STATUS:
        text += _alerts(explanation.alerts, room)
    text += _fields(explanation, room)
    return text


def listing(explanations: list[Explanation], width: int) -> list[str]:
    """Lay out several explanations in one line each: name, number and as much of the meaning as there is room for."""
    names = max((len(one.name) for one in explanations), default=0)
    values = max((len(one.values[0]) for one in explanations), default=0)
    heads = [f"{one.name:<{names}}  {one.values[0]:<{values}}  " for one in explanations]
    return [_cut(head + one.meaning, max(width, _NARROWEST)) for head, one in zip(heads, explanations, strict=True)]


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 3].rstrip()}..."


def _heading(one: Explanation) -> str:
    return "   ".join((one.name, *one.values, _TITLES[one.kind]))


def _alerts(alerts: tuple[AlertLine, ...], width: int) -> Iterator[str]:
    """List the alerts that arrive as a status, those of the default row together."""
    if not alerts:
        return
    own = [alert for alert in alerts if alert.is_listed]
    rest = [f"{alert.number}{_GLUE}{alert.name}" for alert in alerts if not alert.is_listed]
    yield ""
    yield from _wrap(_alerts_sentence(len(alerts)), width)
    name_width = max((len(alert.name) for alert in own), default=0)
    for alert in own:
        doubt = "" if alert.source == "documented" else f" ({alert.source})"
        head = f"  {alert.number:>3} {alert.name:<{name_width}}  "
        yield from _wrap(f"{alert.meaning}{doubt}", width, head=head)
    if rest:
        yield from _wrap(f"all others: {', '.join(rest)}", width, head="      ")
    yield ""


def _alerts_sentence(count: int) -> str:
    if count == 1:
        return "One alert arrives as this status:"
    return f"{count} alerts arrive as this status. Which one came decides what to do:"


def _fields(one: Explanation, width: int) -> Iterator[str]:
    yield from _field("Also called", ", ".join(one.aliases), width)
    yield from _field("Arrives as", f"{one.status} ({one.status_hex})" if one.status else "", width)
    if one.kind is Kind.ALERT:
        yield from _field("As do", ", ".join(f"{alert.number}{_GLUE}{alert.name}" for alert in one.alerts), width)
    for index, cause in enumerate(one.causes):
        yield from _field("" if index else "Usual cause", cause, width)
    yield from _field("Windows", one.documented, width)
    yield from _field("What to do", one.remedy, width)
    for index, row in enumerate(one.returned_by):
        yield from _field("" if index else "Returned by", _return_text(row), width)
    for index, trap in enumerate(one.traps):
        yield from _field("" if index else "Beware", trap, width)
    yield from _field("Known from", _source_text(one), width)
    yield from _field("Shown here", one.shown, width)


def _return_text(row: Return) -> str:
    doubt = "" if row.source == "documented" else f" ({row.source})"
    return f"{', '.join(row.functions)}: {row.moment}{doubt}"


def _source_text(one: Explanation) -> str:
    return f"{one.source}: {one.reference}" if one.reference else one.source


def _field(label: str, text: str, width: int) -> list[str]:
    return _wrap(text, width, head=f"{label:<{_LABEL_WIDTH}}") if text else []


def _wrap(text: str, width: int, *, head: str = "") -> list[str]:
    """Wrap a text behind a head, later lines below its first word; names of functions and codes stay whole."""
    wrapped = textwrap.wrap(
        text, width - len(head), break_long_words=False, break_on_hyphens=False, drop_whitespace=True
    ) or [""]
    indent = " " * len(head)
    return [f"{indent if index else head}{line}".replace(_GLUE, " ").rstrip() for index, line in enumerate(wrapped)]
