"""Where this program and Windows part, or might: every engine difference and every assumption, out of the tables.

The rule guarded here: nothing is listed by hand. Each claim is a row of a table that the program runs by, so that a row
added there is shown here, and a row whose source becomes known disappears.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from sspicli.analysis.rules import RULES
from sspicli.sspi.alerts import ALERTS
from sspicli.sspi.lifecycle import LAW, Allowed, Phase, Refused, Row, Undefined, Verb
from sspicli.sspi.package import Source
from sspicli.sspi.status import NtStatus, SecurityStatus
from sspicli.sspi.status_facts import NT_STATUS_FACTS, STATUS_FACTS, StatusFacts


class Claim(NamedTuple):
    """One row: what is done here, what is known of Windows ("" for nothing), and how.

    `kind` is difference (the engine is known or expected to behave otherwise) or assumption.
    """

    kind: str
    table: str
    id: str
    here: str
    windows: str
    source: Source


DIFFERENCE, ASSUMPTION = "difference", "assumption"


def claims() -> tuple[Claim, ...]:
    """Collect every claim; needs the engine's tables, so the engine has to be here."""
    return (*_engine_differences(), *_package_assumptions(), *_failures(), *_acquire(), *words_claims())


def words_claims() -> tuple[Claim, ...]:
    """Collect the claims that need no engine: those of the words and of the law."""
    return (*_alerts(), *_lifecycle(), *_rules(), *_meanings())


def _engine_differences() -> Iterator[Claim]:
    from sspicli.packages.schannel_failures import ENGINE_DIFFERENCES

    for one in ENGINE_DIFFERENCES:
        yield Claim(DIFFERENCE, "engine differences", one.id, one.here, one.windows, one.source)


def _package_assumptions() -> Iterator[Claim]:
    from sspicli.packages.schannel_failures import ASSUMPTIONS

    for one in ASSUMPTIONS:
        yield Claim(ASSUMPTION, "Schannel", one.id, one.here, one.windows, one.source)


def _failures() -> Iterator[Claim]:
    """Collect the inferred rows of the map of failed legs; alerts that arrive have a table of their own."""
    from sspicli.packages.schannel_failures import ROWS

    for row in ROWS:
        if row.source is Source.INFERRED and not row.is_received:
            here = f"{_side(row.side)} {row.when}: {row.status.name}"
            yield Claim(ASSUMPTION, "statuses of failed legs", row.id, here, row.note, row.source)


def _side(side: str) -> str:
    return "either side," if side == "either" else f"{side},"


def _acquire() -> Iterator[Claim]:
    from sspicli.packages.schannel import ACQUIRE_ROWS

    for row in ACQUIRE_ROWS:
        if row.source is Source.INFERRED:
            here = f"{row.when}: {row.status.name}"
            yield Claim(ASSUMPTION, "statuses of refused credentials", row.id, here, "", row.source)


def _alerts() -> Iterator[Claim]:
    for alert in ALERTS.values():
        if alert.source is Source.INFERRED:
            here = f"received during a handshake it gives {alert.status.name}"
            yield Claim(ASSUMPTION, "statuses of alerts", alert.name, here, alert.note, alert.source)


def _lifecycle() -> Iterator[Claim]:
    """Collect the law's inferred rows; cells that say the same of the same phase stand together."""
    for (phase, row), cells in _cells_by_row().items():
        verbs = list(dict.fromkeys(verb for verb, _ in cells))
        insides = {inside for _, inside in cells}
        where = "" if len(insides) > 1 else " (inside its callback)" if insides == {True} else " (outside its callback)"
        name = f"{phase}: {', '.join(verbs)}{where}"
        yield Claim(ASSUMPTION, "the life of an async context", name, _verdict(row), row.reference, row.source)


def _cells_by_row() -> dict[tuple[Phase, Row], list[tuple[Verb, bool]]]:
    found: dict[tuple[Phase, Row], list[tuple[Verb, bool]]] = {}
    for (phase, verb, inside), row in LAW.items():
        if row.source is Source.INFERRED:
            found.setdefault((phase, row), []).append((verb, inside))
    return found


def _verdict(row: Row) -> str:
    match row.verdict:
        case Allowed(next=phase):
            return f"works; afterwards it is {phase}"
        case Refused(status=status):
            return f"refused with {status.name}"
        case Undefined(why=why):
            return f"breaks the contract: {why}"


def _rules() -> Iterator[Claim]:
    for rule in RULES.values():
        if rule.source is Source.INFERRED:
            yield Claim(ASSUMPTION, "misuse rules", rule.code, f"{rule.severity}: {rule.title}", "", rule.source)


def _meanings() -> Iterator[Claim]:
    yield from _inferred((status.name, STATUS_FACTS[status]) for status in SecurityStatus)
    yield from _inferred((status.name, NT_STATUS_FACTS[status]) for status in NtStatus)


def _inferred(facts: Iterable[tuple[str, StatusFacts]]) -> Iterator[Claim]:
    for name, one in facts:
        if one.source is Source.INFERRED:
            yield Claim(ASSUMPTION, "meanings of statuses", name, one.meaning, one.reference, one.source)
