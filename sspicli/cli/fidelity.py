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
    """One row: what is done here, what is known besides ("" for nothing), and how.

    `kind` is difference (the engine is known or expected to behave otherwise) or assumption. `note_is` says what the
    note is: what Windows does, when it happens, what is known, or where to look it up.
    """

    kind: str
    table: str
    id: str
    here: str
    source: Source
    note: str = ""
    note_is: str = "known"


DIFFERENCE, ASSUMPTION = "difference", "assumption"
_QUEUEING = {Verb.QUEUE, Verb.QUEUE_SILENT_DELETE, Verb.QUEUE_SILENT_OTHER}


def claims() -> tuple[Claim, ...]:
    """Collect every claim; needs the engine's tables, so the engine has to be here."""
    return (*_engine_differences(), *_package_assumptions(), *_failures(), *_acquire(), *words_claims())


def words_claims() -> tuple[Claim, ...]:
    """Collect the claims that need no engine: those of the words and of the law."""
    return (*_alerts(), *_lifecycle(), *_rules(), *_meanings())


def _engine_differences() -> Iterator[Claim]:
    """Collect the differences; those that come from rows of the map say when, the others what Windows does."""
    from sspicli.packages.schannel_failures import ENGINE_DIFFERENCES, ROWS

    rows = {row.id for row in ROWS}
    for one in ENGINE_DIFFERENCES:
        note_is = "when" if one.id in rows else "Windows"
        yield Claim(DIFFERENCE, "engine differences", one.id, one.here, one.source, one.windows, note_is)


def _package_assumptions() -> Iterator[Claim]:
    from sspicli.packages.schannel_failures import ASSUMPTIONS

    for one in ASSUMPTIONS:
        yield Claim(ASSUMPTION, "Schannel", one.id, one.here, one.source, one.windows, "Windows")


def _failures() -> Iterator[Claim]:
    """Collect the inferred rows of the map of failed legs; alerts that arrive have a table of their own."""
    from sspicli.packages.schannel_failures import ROWS

    for row in ROWS:
        if row.source is Source.INFERRED and not row.is_received:
            who = "" if row.side == "either" else f"at the {row.side}, "
            here = f"{who}{row.when}: {row.status.name}"
            yield Claim(ASSUMPTION, "statuses of failed legs", row.id, here, row.source, row.note)


def _acquire() -> Iterator[Claim]:
    from sspicli.packages.schannel import ACQUIRE_ROWS

    for row in ACQUIRE_ROWS:
        if row.source is Source.INFERRED:
            here = f"{row.when}: {row.status.name}"
            yield Claim(ASSUMPTION, "statuses of refused credentials", row.id, here, row.source)


def _alerts() -> Iterator[Claim]:
    for alert in ALERTS.values():
        if alert.source is Source.INFERRED:
            here = f"received during a handshake it gives {alert.status.name}"
            yield Claim(ASSUMPTION, "statuses of alerts", alert.name, here, alert.source, alert.note)


def _lifecycle() -> Iterator[Claim]:
    """Collect the law's inferred rows, and those of which a part is assumed; phases that are alike together."""
    for (row, acts), phases in _phases_by_row().items():
        name = f"{' | '.join(phases)}: {acts}"
        known = f"{row.reference} ({row.source}); {row.assumed} is assumed" if row.assumed else row.reference
        yield Claim(ASSUMPTION, "the life of an async context", name, _verdict(row), Source.INFERRED, known)


def _phases_by_row() -> dict[tuple[Row, str], list[Phase]]:
    """Gather cells by row: first what is done in one phase, then the phases in which the same is done."""
    cells: dict[tuple[Phase, Row], list[tuple[Verb, bool]]] = {}
    for (phase, verb, inside), row in LAW.items():
        if row.source is Source.INFERRED or row.assumed:
            cells.setdefault((phase, row), []).append((verb, inside))
    found: dict[tuple[Row, str], list[Phase]] = {}
    for (phase, row), acts in cells.items():
        found.setdefault((row, _acts(acts)), []).append(phase)
    return found


def _acts(acts: list[tuple[Verb, bool]]) -> str:
    """Name what is done, and where when that matters."""
    verbs = dict.fromkeys(verb for verb, _ in acts)
    names = [verb.value for verb in verbs if not verbs.keys() >= _QUEUEING or verb not in _QUEUEING]
    if verbs.keys() >= _QUEUEING:
        names.append("queue any call")
    insides = {inside for _, inside in acts}
    where = "" if len(insides) > 1 else ", inside its callback" if insides == {True} else ", outside its callback"
    return f"{', '.join(names)}{where}"


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
            yield Claim(ASSUMPTION, "misuse rules", rule.code, f"{rule.severity}: {rule.title}", rule.source)


def _meanings() -> Iterator[Claim]:
    yield from _inferred((status.name, STATUS_FACTS[status]) for status in SecurityStatus)
    yield from _inferred((status.name, NT_STATUS_FACTS[status]) for status in NtStatus)


def _inferred(facts: Iterable[tuple[str, StatusFacts]]) -> Iterator[Claim]:
    for name, one in facts:
        if one.source is Source.INFERRED:
            yield Claim(ASSUMPTION, "meanings of statuses", name, one.meaning, one.source, one.reference)
