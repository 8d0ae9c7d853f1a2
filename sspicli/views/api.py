"""Reference cards as plain text: the list of the twelve names, and one card in full.

The rule guarded here: every statement stands beside how it is known, in the words documented, observed and inferred;
what is not known has no line. The text is plain ASCII, so it looks the same everywhere.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator

from sspicli.analysis.api_card import IN_ORDER_OF_USE, Card, Judged
from sspicli.analysis.rules import Rule
from sspicli.sspi.function_facts import AVAILABILITY, FUNCTION_FACTS, NOT_EXPORTED, Fact, page_address
from sspicli.sspi.functions import Argument, Direction, Function
from sspicli.sspi.status import SecurityStatus
from sspicli.sspi.status_facts import STATUS_FACTS
from sspicli.views.text import Line, Segment, line

_NARROWEST = 48
_STATUS_WIDTH = 35
_WORDS = {Direction.IN: "in", Direction.IN_OPTIONAL: "in, optional", Direction.IN_OUT: "in and out"}
_SUBJECTS = {"null": "NULL", "foreign": "a handle of no async context"}
_STYLES = {"allowed": "good", "refused": "warn", "undefined": "bad"}


def listing(width: int) -> list[Line]:
    """List the twelve names in the order in which a session uses them, a sentence each."""
    names = max(len(function.documented_name) for function in Function)
    lines: list[Line] = []
    for function in IN_ORDER_OF_USE:
        head = f"{function.documented_name:<{names}}  "
        if width - len(head) < _NARROWEST:
            head = "    "
            lines.append(line(Segment(function.documented_name, "head")))
        first, *more = _wrapped(function.summary, width - len(head))
        lines.append(line(Segment(head, "head"), first))
        lines += [line(" " * len(head), text) for text in more]
    return lines


def card_lines(card: Card, width: int) -> list[Line]:
    """Lay out a card."""
    function, facts = card.function, FUNCTION_FACTS[card.function]
    width = max(width, _NARROWEST)
    lines = [line(Segment(function.documented_name, "head"))]
    lines += _plain(_wrapped(function.summary, width))
    lines += [(), *_plain(signature(function))]
    lines += _section("Parameters", _parameters(function, width))
    lines += _section("What it returns", _facts(facts.returned, width))
    lines += _section("What the call completes with", _statuses(card, width))
    title = "What may be called inside it" if function is Function.SspiAsyncNotifyCallback else "When it may be called"
    lines += _section(title, _judged(card.judged, width))
    lines += _section("What may be called after it", _following(card, width))
    lines += _section("Rules that watch it", _rules(card.rules, width))
    lines += _section("To know", _facts((*facts.notes, *facts.irql), width))
    lines += _section("Where it exists", _facts((*_missing(function), *AVAILABILITY), width))
    lines += _section("Sources", _sources(function, width))
    return lines


def signature(function: Function) -> list[str]:
    """Write the declaration in C as the header has it, parameter by parameter."""
    name, returns = function.forms[0], function.returns
    if function is Function.SspiAsyncNotifyCallback:
        returns = f"typedef {returns}"
    if not function.arguments:
        return [f"{returns} {name}(void);"]
    marks = max(len(one.direction) for one in function.arguments)
    types = max(len(one.type) for one in function.arguments)
    rows = [f"    {one.direction:<{marks}}  {one.type:<{types}}  {one.name}" for one in function.arguments]
    return [f"{returns} {name}(", *(f"{row}," for row in rows[:-1]), rows[-1], ");"]


def _section(title: str, lines: Iterable[Line]) -> list[Line]:
    """Put a title over lines; without lines there is no section."""
    found = list(lines)
    return [(), line(Segment(title, "head")), *found] if found else []


def _plain(texts: Iterable[str]) -> list[Line]:
    return [line(text) for text in texts]


def _wrapped(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False) or [""]


def _hanging(head: str, text: str, width: int, *, style: str = "") -> Iterator[Line]:
    """Put a text behind its head, further lines below its first word."""
    first, *more = _wrapped(text, max(width - len(head), _NARROWEST // 2))
    yield line(Segment(head, style), first)
    for one in more:
        yield line(" " * len(head), one)


def _known(fact: Fact) -> str:
    return f"({fact.source}: {fact.reference})"


def _facts(facts: Iterable[Fact], width: int) -> Iterator[Line]:
    for fact in facts:
        yield from _hanging("  - ", f"{fact.text} {_known(fact)}", width)


def _parameters(function: Function, width: int) -> Iterator[Line]:
    lifetimes = FUNCTION_FACTS[function].lifetimes
    for one in function.arguments:
        yield line("  ", Segment(one.name, "call"), f"  {_WORDS[one.direction]}")
        yield from _parameter(one, lifetimes.get(one.name), width)


def _parameter(one: Argument, lifetime: Fact | None, width: int) -> Iterator[Line]:
    if one.note:
        yield from _hanging("      ", one.note, width)
    if lifetime is not None:
        yield from _hanging("      needed ", f"{lifetime.text} {_known(lifetime)}", width, style="muted")


def _statuses(card: Card, width: int) -> Iterator[Line]:
    """List the call statuses: those of the page, further ones, and where those of an alert are explained."""
    function = card.function
    if not function.queues:
        return
    for status in function.final_statuses:
        yield from _status(status, "", width)
    for further in FUNCTION_FACTS[function].further:
        yield from _status(further.status, f" ({further.source}: {further.reference})", width)
    if function in (Function.SspiInitializeSecurityContextAsync, Function.SspiAcceptSecurityContextAsync):
        yield from _hanging(
            "  - ", "An alert from the peer arrives as its own status: sspi-async explain alert 40", width
        )
    yield from _hanging("  - ", "Each is SspiGetAsyncCallStatus's answer, and none is returned by the function.", width)


def _status(status: SecurityStatus, known: str, width: int) -> Iterator[Line]:
    text = f"{status.hex}  {STATUS_FACTS[status].meaning}{known}"
    if width < 2 * _STATUS_WIDTH:
        yield line("  ", Segment(status.name, "call"))
        yield from _hanging("      ", text, width)
    else:
        yield from _hanging(f"  {status.name:<{_STATUS_WIDTH}}", text, width)


def _judged(judged: Iterable[Judged], width: int) -> Iterator[Line]:
    for one in judged:
        where = ", ".join(filter(None, (one.where, one.face)))
        subjects = "; ".join(_SUBJECTS.get(subject, subject) for subject in one.subjects) + (
            f" ({where})" if where else ""
        )
        for text in _wrapped(subjects, width - 2):
            yield line("  ", Segment(text, "call"))
        rule = f" {one.rule}" if one.rule else ""
        head = f"      {one.verdict}{rule}  "
        yield from _hanging(head, f"{_outcome(one)} {_source(one)}".strip(), width, style=_STYLES[one.verdict])


def _outcome(one: Judged) -> str:
    if one.verdict == "allowed":
        return f"then {one.outcome}" if one.outcome else "the phase stays"
    return f"with {one.outcome}" if one.verdict == "refused" else one.outcome


def _source(one: Judged) -> str:
    assumed = f"; assumed: {one.assumed}" if one.assumed else ""
    return f"({one.source}: {one.reference}{assumed})"


def _following(card: Card, width: int) -> Iterator[Line]:
    if not card.following:
        yield from _hanging("  ", "It changes no phase: what was allowed before still is.", width)
    for one in card.following:
        yield line("  ", Segment(one.phase, "call"))
        yield from _hanging("      ", ", ".join(one.functions) or "nothing", width)


def _rules(rules: Iterable[Rule], width: int) -> Iterator[Line]:
    for rule in rules:
        text = f"{rule.severity}: {rule.title}; {rule.fix} ({rule.source})"
        yield from _hanging(f"  {rule.code}  ", text, width, style="call")


def _missing(function: Function) -> Iterator[Fact]:
    for form in function.forms:
        if form in NOT_EXPORTED:
            yield NOT_EXPORTED[form]


def _sources(function: Function, width: int) -> Iterator[Line]:
    yield line(f"  {page_address(function)}")
    if len(function.forms) > 1:
        yield from _hanging("  ", f"Declared in two forms: {', '.join(function.forms)}.", width)
    if function.counterpart:
        yield from _hanging("  ", f"The synchronous form is {function.counterpart}.", width)
    text = "Here it is emulated: whatever is inferred may be otherwise on Windows (sspi-async doctor --fidelity)."
    yield from _hanging("  ", text, width)
