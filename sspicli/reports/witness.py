"""What a recording says of a code, as plain data for `sspi-async/explain/1`."""

from __future__ import annotations

from sspicli.analysis.offers import Row
from sspicli.analysis.witness import AlertStory, Sighting, Testimony
from sspicli.reports.document import Member, failure_of, finding_of
from sspicli.sspi.alerts import alert_name
from sspicli.sspi.status import SecurityStatus


def testimony(said: Testimony) -> Member:
    """Write a testimony; what it does not hold is null or empty."""
    return {
        "sightings": [_sighting(seen) for seen in said.sightings],
        "findings": [finding_of(finding) for finding in said.findings],
        "alert": None if said.story is None else _story(said.story),
        "failure": None if said.failure is None else failure_of(said.failure),
        "offers": [_row(row) for row in said.rows],
    }


def _sighting(seen: Sighting) -> Member:
    return {"record": seen.record, "endpoint": seen.endpoint, "where": seen.where}


def _story(story: AlertStory) -> Member:
    return {
        "number": story.alert.number,
        "name": alert_name(story.alert.number),
        "level": {1: "warning", 2: "fatal"}.get(story.alert.level, str(story.alert.level)),
        "encrypted": story.alert.encrypted,
        "bytes": story.alert.size,
        "hex": story.data.hex() or None,
        "sender": story.sender,
        "leg": story.leg or None,
        "record": story.record or None,
        "sent_by": _side(story.sent_as),
        "arrived_at": _side(story.arrived_as),
    }


def _side(side: tuple[SecurityStatus, Sighting] | None) -> Member | None:
    return None if side is None else {"status": side[0].name, **_sighting(side[1])}


def _row(row: Row) -> Member:
    """Write what was offered and taken; null where the server is not restricted, so that nothing is compared."""
    return {
        "what": row.what,
        "client": list(row.client),
        "server": list(row.server) or None,
        "common": list(row.common) if row.server else None,
        "is_lacking": row.is_lacking,
    }
