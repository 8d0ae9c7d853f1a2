"""`--expect [client=|server=]STATUS`: what a run is expected to come to, and whether it did."""

from __future__ import annotations

from typing import NamedTuple

from sspicli.analysis.report import Report
from sspicli.sspi.errors import UsageError
from sspicli.sspi.status import SecurityStatus


class Expectation(NamedTuple):
    """A status expected of one side, or ("") of the run: of the failing call, else of both sides."""

    side: str
    status: SecurityStatus


def parse_expectation(text: str) -> Expectation:
    """Read `SEC_E_CERT_EXPIRED`, `server=SEC_E_OK` or `client=0x80090328`; raise UsageError for anything else."""
    side, equals, word = text.rpartition("=")
    if equals and side not in ("client", "server"):
        raise UsageError(f"{side!r} is no side", where="--expect", help="write client=STATUS, server=STATUS or STATUS")
    return Expectation(side, _status(word))


def _status(word: str) -> SecurityStatus:
    if word.upper() in SecurityStatus.__members__:
        return SecurityStatus[word.upper()]
    try:
        return SecurityStatus(int(word, 0) & 0xFFFFFFFF)
    except ValueError:
        from difflib import get_close_matches

        near = get_close_matches(word.upper(), SecurityStatus.__members__, n=1)
        help = f"did you mean {near[0]}?" if near else "sspi-async explain lists them"
        raise UsageError(f"{word!r} is no status", where="--expect", help=help) from None


def unmet(expectation: Expectation, report: Report) -> str | None:
    """Say how the run differs from what was expected; None when it does not."""
    return _missed(expectation, _statuses(expectation.side, report))


def unmet_by_success(expectation: Expectation) -> str | None:
    """Say how a run whose every status is SEC_E_OK differs from what was expected; None when it does not."""
    return _missed(expectation, [SecurityStatus.SEC_E_OK])


def _missed(expectation: Expectation, got: list[SecurityStatus]) -> str | None:
    if expectation.status in got:
        return None
    who = f"of the {expectation.side}" if expectation.side else "of the run"
    names = " or ".join(dict.fromkeys(status.name for status in got)) or "nothing"
    return f"expected {expectation.status.name} {who}, got {names}"


def _statuses(side: str, report: Report) -> list[SecurityStatus]:
    """List what counts as the status of a side (its handshake's, and what came after) or of the run."""
    if side:
        end = report.endpoints.get(side)
        said = [] if end is None else [end.status, end.post_handshake_status]
        return [status for status in said if status is not None]
    if report.failure is not None:
        return [] if report.failure.status is None else [report.failure.status]
    ends = {end.status for end in report.endpoints.values() if end.status is not None}
    return list(ends) if len(ends) == 1 else []
