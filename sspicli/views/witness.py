"""What a recording says of a code: the one alert it was, the field that decided, and both ends side by side.

The rule guarded here: only what the records show is told as a fact. Which status Windows would give is marked with how
that is known, and the run is said to be emulated.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest

from sspicli.analysis.blame import Failure
from sspicli.analysis.offers import Row
from sspicli.analysis.witness import AlertStory, Sighting, Testimony
from sspicli.sspi.alerts import ALERTS, alert_name, alerts_for_status
from sspicli.sspi.status import SecurityStatus
from sspicli.views.failure import field_words, reason_of, row
from sspicli.views.look import Look
from sspicli.views.text import Line, Segment, folded, line, visible, wrapped

_MOST_SIGHTINGS = 12
_MOST_NAMES = 6  # of an offer that is not the point
_LABEL = 26
_GLUE = "\N{NO-BREAK SPACE}"


def witness_lines(title: str, testimony: Testimony, look: Look, *, name: str) -> list[Line]:
    """Tell what the recording `name` says of the code that `title` names; it must be seen there."""
    lines: list[Line] = [line(Segment(title, "head"), f"   in {visible(name)}")]
    if testimony.story is not None:
        lines += folded(Segment(""), _which_alert(testimony.story), width=look.width, indent=0)
        lines += _story_lines(testimony.story, look)
    lines += _sighting_lines(testimony, look)
    for finding in testimony.findings:
        shown = " ".join(f"#{number}" for number in finding.records)
        lines += row("seen", f"{finding.subject}: {visible(finding.detail)}   records {shown}", width=look.width)
        lines += row("help", f"{finding.rule.fix} ({finding.rule.source})", width=look.width)
    if testimony.failure is not None and (testimony.story or testimony.sightings):
        lines += _failure_lines(testimony.failure, look, is_closed=testimony.is_closed)
    if testimony.rows:
        lines += [(), *offer_lines(testimony.rows, look)]
    emulated = "emulated: kernel mode only on Windows; this run was not on Windows"
    return [*lines, (), line(Segment(f"  {emulated}", "muted"))]


def absence_lines(title: str, given: Sequence[SecurityStatus], failure: Failure | None, look: Look) -> list[Line]:
    """Say that a code is not in the recording, and what was there instead."""
    lines = folded(Segment(title, "head"), " is not in this recording", width=look.width, indent=2)
    names = ", ".join(status.name for status in given) or "SEC_E_OK alone"
    lines += row("instead", names, width=look.width)
    if failure is not None and failure.status is not None:
        text = f"{failure.side}, {failure.status.name}: {visible(reason_of(failure))}"
        lines += row("failed", text, width=look.width)
        lines += row("see", "sspi-async explain --in RECORDING, without a code", width=look.width)
    return lines


def _which_alert(story: AlertStory) -> str:
    """Say which alert a status stood for, or what an alert arrived as."""
    number = story.alert.number
    known = ALERTS.get(number)
    meaning = f", which means in general: {known.meaning}" if known else ""
    status = story.arrived_as[0] if story.arrived_as else story.sent_as[0] if story.sent_as else None
    return f"{_many(status)}Here it was {number} {alert_name(number)}{meaning}."


def _many(status: SecurityStatus | None) -> str:
    """Say how many alerts arrive as a status, where it is more than one; those that the table does not list apart."""
    alerts = () if status is None else alerts_for_status(status)
    if status is None or len(alerts) < 2:
        return ""
    listed = sum(alert.is_listed for alert in alerts)
    others = f", and {len(alerts) - listed} that its table does not list," if len(alerts) > listed else ""
    return f"{listed} alerts{others} arrive as {status.name}. "


def _story_lines(story: AlertStory, look: Look) -> list[Line]:
    alert = story.alert
    level = {1: "warning", 2: "fatal"}.get(alert.level, f"level {alert.level}")
    shown = f": {story.data.hex(' ')}" if story.data else ""
    cover = "encrypted" if alert.encrypted else f"in clear{shown}"
    leg = f" in leg {story.leg}, record #{story.record}" if story.leg else ", in no leg on record"
    text = f"{level} {alert.number} {alert_name(alert.number)}, {alert.size} B {cover}; from the {story.sender}{leg}"
    lines = row("alert", text, width=look.width)
    for name, side in (("sent by", story.sent_as), ("arrived", story.arrived_as)):
        if side is not None:
            lines += row(name, f"{_sighting(side[1])}: {side[0].name}", width=look.width)
    return lines


def _sighting(seen: Sighting) -> str:
    return f"{seen.endpoint} {seen.where}, record #{seen.record}"


def _sighting_lines(testimony: Testimony, look: Look) -> list[Line]:
    """List where else the code stands; what the alert's story tells is not told twice."""
    story = testimony.story
    sides = () if story is None else (story.sent_as, story.arrived_as)
    told = {side[1].record for side in sides if side is not None}
    rest = [seen for seen in testimony.sightings if seen.record not in told]
    label = "also" if told else "seen"
    lines = [part for seen in rest[:_MOST_SIGHTINGS] for part in row(label, _sighting(seen), width=look.width)]
    if len(rest) > _MOST_SIGHTINGS:
        lines += row("", f"and {len(rest) - _MOST_SIGHTINGS} times more", width=look.width)
    return lines


def _failure_lines(failure: Failure, look: Look, *, is_closed: bool) -> list[Line]:
    evidence = failure.evidence
    status = "NULL" if failure.status is None else failure.status.name
    rows = [
        ("first", f"the {failure.side} failed first, with {status}: {visible(reason_of(failure))}"),
        ("field", field_words(failure, is_closed=is_closed)),
    ]
    if evidence is not None:
        rows += [
            ("engine", visible(evidence.words)),
            *(("also", visible(other)) for other in evidence.others),
            ("differs", visible(evidence.difference, 1000)),
            ("known", "" if failure.was_injected else f"{status} is {evidence.source} for Windows"),
        ]
    see = "" if failure.status is None else f"sspi-async explain {status}"
    rows += [("cause", visible(failure.cause, 1000)), ("help", visible(failure.help, 1000)), ("see", see)]
    return [part for name, text in rows if text for part in row(name, text, width=look.width)]


def offer_lines(rows: Sequence[Row], look: Look) -> list[Line]:
    """Lay both ends' offers side by side, or one below the other where they are too wide.

    A row in which nothing is common is marked and told in full; of the others the first names are told.
    """
    told = [
        (one, _told(one.client, one, "not offered"), _told(one.server, one, "what the engine takes")) for one in rows
    ]
    column = (look.width - _LABEL - 2) // 2
    longest = max((len(word) for _, *sides in told for side in sides for word in side), default=0)
    lines = [line(Segment(f"{'  offers':<{_LABEL}}{'of the client':<{column}}  taken by the server", "head"))]
    if longest > column:
        lines = [line(Segment("  offers of the client, and what the server takes", "head"))]
    for one, client, server in told:
        mark = f"{look.glyphs.bad} " if one.is_lacking else "  "
        label = Segment(f"{f'  {mark}{one.what}':<{_LABEL}}", "bad" if one.is_lacking else "call")
        lines += _below(label, client, server, look) if longest > column else _beside(label, client, server, column)
        if one.is_lacking:
            lines.append(line(" " * _LABEL, Segment("nothing in common", "bad")))
    return lines


def _beside(label: Segment, client: list[str], server: list[str], column: int) -> list[Line]:
    left, right = _filled(client, column), _filled(server, column)
    lines: list[Line] = []
    for first, second in zip_longest(left, right, fillvalue=""):
        lines.append(line(" " * _LABEL if lines else label, f"{first:<{column}}  {second}"))
    return lines


def _below(label: Segment, client: list[str], server: list[str], look: Look) -> list[Line]:
    lines: list[Line] = []
    for name, words in (("client", client), ("server", server)):
        for number, part in enumerate(_filled(words, look.width - _LABEL - 8)):
            head = " " * _LABEL if lines else label
            lines.append(line(head, f"{'' if number else name:<8}{part}"))
    return lines


def _told(names: tuple[str, ...], one: Row, otherwise: str) -> list[str]:
    """Write names as words that are not divided, with commas; the tail counted where the row is not the point."""
    if not names:
        return otherwise.split(" ")
    most = len(names) if one.is_lacking else _MOST_NAMES
    shown = [visible(name) for name in names[:most]]
    words = [f"{name}," for name in shown[:-1]] + shown[-1:]
    return words if len(names) <= most else [*words, f"and {len(names) - most} more"]


def _filled(words: list[str], width: int) -> list[str]:
    """Fill lines with words that may hold blanks."""
    return [part.replace(_GLUE, " ") for part in wrapped([word.replace(" ", _GLUE) for word in words], width)]
