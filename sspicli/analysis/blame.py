"""Who failed, at which leg, and why: the earliest failure of a run, with the evidence of both ends.

A run that fails shows several bad statuses, and the last one is rarely the reason: the side that noticed sends an
alert, and the other reports the alert. So the first failing call is blamed, and the other end's view stands beside it.
"""

from __future__ import annotations

from dataclasses import dataclass

from sspicli.analysis.calls import LEG_FUNCTIONS, Call, Leg, failing
from sspicli.journal import events as ev
from sspicli.sspi.package import AlertSeen, Evidence
from sspicli.sspi.status import SecurityStatus
from sspicli.sspi.status_facts import STATUS_FACTS


@dataclass(frozen=True, slots=True)
class Failure:
    """The failing call and what explains it; `other` is the first failing call of the other end, if any."""

    call: Call
    side: str
    leg: int
    status: SecurityStatus
    alert: AlertSeen | None
    alert_data: bytes
    evidence: Evidence | None
    cause: str
    help: str
    other: Call | None


def blame(calls: tuple[Call, ...], legs: tuple[Leg, ...], run: ev.RunStarted | None) -> Failure | None:
    """Find the earliest failing call and say why; None when no call failed."""
    failed = sorted((call for call in calls if failing(call)), key=lambda call: call.completed_sequence)
    if not failed:
        return None
    first = failed[0]
    evidence = first.evidence
    other = next((call for call in failed if call.endpoint != first.endpoint), None)
    leg = first.leg or 1 + sum(one.sequence < first.completed_sequence for one in legs)
    alert = evidence.alert_sent or evidence.alert_received if evidence else None
    return Failure(
        call=first,
        side=first.endpoint,
        leg=leg if first.function in LEG_FUNCTIONS else 0,
        status=first.status,
        alert=alert,
        alert_data=_alert_data(first, legs),
        evidence=evidence,
        cause=_cause(first, run),
        help=_help(first),
        other=other,
    )


def _alert_data(call: Call, legs: tuple[Leg, ...]) -> bytes:
    return next((leg.data for leg in legs if call.leg and leg.number == call.leg), b"")


def _cause(call: Call, run: ev.RunStarted | None) -> str:
    """Say what brought it about: what was asked for on the command line, else what usually does."""
    peer = "server" if call.endpoint == "client" else "client"
    for side in (peer, call.endpoint):
        asked = None if run is None else run.options.get(f"{side}.note")
        if isinstance(asked, str) and asked:
            return f"{asked} (you asked for it)"
    facts = STATUS_FACTS.get(call.status)
    return "" if facts is None else facts.cause


_S = SecurityStatus
_CERTIFICATE_STATUSES = frozenset(
    {
        _S.SEC_E_CERT_EXPIRED,
        _S.SEC_E_WRONG_PRINCIPAL,
        _S.SEC_E_UNTRUSTED_ROOT,
        _S.SEC_E_CERT_UNKNOWN,
        _S.SEC_E_CERT_WRONG_USAGE,
        _S.CRYPT_E_REVOKED,
    }
)


def _help(call: Call) -> str:
    """Say the smallest change that would make it pass."""
    peer = "server" if call.endpoint == "client" else "client"
    if call.status in _CERTIFICATE_STATUSES and call.function in LEG_FUNCTIONS:
        change = f"--{peer} cert=valid"
        if call.endpoint == "client":
            change += ", or let the client accept it: --client validate=manual"
        return change
    if call.status == _S.SEC_E_APPLICATION_PROTOCOL_MISMATCH:
        return "give both sides a protocol in common: --client alpn=... --server alpn=..."
    if call.status == _S.SEC_E_ALGORITHM_MISMATCH:
        return "give both sides something in common: compare tls, suites, groups and sigalgs of --client and --server"
    facts = STATUS_FACTS.get(call.status)
    return "" if facts is None else facts.remedy
