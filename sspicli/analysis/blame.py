"""Who failed, at which leg, and why: the earliest failure of a run, with the evidence of both ends.

A run that fails shows several bad statuses, and the last one is rarely the reason: the side that noticed sends an
alert, and the other reports the alert. So the first failing call is blamed, and the other end's view stands beside it.
"""

from __future__ import annotations

from dataclasses import dataclass

from sspicli.analysis.calls import LEG_FUNCTIONS, Call, Culprit, Leg, MessageFailure, failing
from sspicli.analysis.offers import Offers, offers
from sspicli.analysis.whereabouts import Whereabouts, whereabouts
from sspicli.journal import events as ev
from sspicli.sspi.package import AlertSeen, Evidence
from sspicli.sspi.status import SecurityStatus
from sspicli.sspi.status_facts import STATUS_FACTS


@dataclass(frozen=True, slots=True)
class Failure:
    """What failed first and what explains it; `other` is the first failure of the other end, if any.

    `leg` is the leg that the failing call made or would have made; 0 for one that makes none.
    """

    culprit: Culprit
    leg: int
    alert: AlertSeen | None
    alert_data: bytes
    cause: str
    help: str
    other: Culprit | None
    place: Whereabouts | None
    offers: Offers | None

    @property
    def side(self) -> str:
        """Whose failure it is."""
        return self.culprit.endpoint

    @property
    def status(self) -> SecurityStatus:
        """What it failed with."""
        return self.culprit.status

    @property
    def evidence(self) -> Evidence | None:
        """What shows why."""
        return self.culprit.evidence


def blame(
    calls: tuple[Call, ...], messages: tuple[MessageFailure, ...], legs: tuple[Leg, ...], run: ev.RunStarted | None
) -> Failure | None:
    """Find the earliest failure and say why; None when nothing failed."""
    failed: list[Culprit] = [*(call for call in calls if failing(call)), *messages]
    if not failed:
        return None
    failed.sort(key=_moment)
    first = failed[0]
    evidence = first.evidence
    made = first.leg if isinstance(first, Call) else 0
    makes_legs = isinstance(first, Call) and first.function in LEG_FUNCTIONS
    return Failure(
        culprit=first,
        leg=made or (1 + sum(one.sequence < _moment(first) for one in legs) if makes_legs else 0),
        alert=evidence.alert_sent or evidence.alert_received if evidence else None,
        alert_data=next((leg.data for leg in legs if made and leg.number == made), b""),
        cause=_cause(first, run),
        help=_help(first),
        other=next((one for one in failed if one.endpoint != first.endpoint), None),
        place=whereabouts(evidence.field, first.endpoint, legs) if evidence else None,
        offers=offers(calls, legs) if first.status == SecurityStatus.SEC_E_ALGORITHM_MISMATCH else None,
    )


def _moment(culprit: Culprit) -> int:
    return culprit.completed_sequence if isinstance(culprit, Call) else culprit.sequence


def _cause(culprit: Culprit, run: ev.RunStarted | None) -> str:
    """Say what brought it about: the certificate that was asked to be bad, else what usually does."""
    asked = None if run is None else run.options.get(f"{_peer(culprit)}.note")
    if culprit.status in _CERTIFICATE_STATUSES and isinstance(asked, str) and asked:
        return f"{asked} (you asked for it)"
    if _lacks_client_certificate(culprit):
        return "the server's settings demand a client certificate, and the client has none"
    facts = STATUS_FACTS.get(culprit.status)
    return "" if facts is None else facts.cause


def _lacks_client_certificate(culprit: Culprit) -> bool:
    """Tell a server's SEC_I_INCOMPLETE_CREDENTIALS, which is an end, from a client's, which asks for an answer."""
    return culprit.endpoint == "server" and culprit.status == _S.SEC_I_INCOMPLETE_CREDENTIALS


def _peer(culprit: Culprit) -> str:
    return "server" if culprit.endpoint == "client" else "client"


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


def _help(culprit: Culprit) -> str:
    """Say the smallest change that would make it pass."""
    if culprit.status in _CERTIFICATE_STATUSES and isinstance(culprit, Call) and culprit.function in LEG_FUNCTIONS:
        change = f"--{_peer(culprit)} cert=valid"
        if culprit.endpoint == "client":
            change += ", or let the client accept it: --client validate=manual"
        return change
    if _lacks_client_certificate(culprit):
        return "--client cert=valid, or let the server only ask: --server request-cert=yes"
    if culprit.status == _S.SEC_E_APPLICATION_PROTOCOL_MISMATCH:
        return "give both sides a protocol in common: --client alpn=... --server alpn=..."
    if culprit.status == _S.SEC_E_ALGORITHM_MISMATCH:
        return "give both sides something in common: compare tls, suites, groups and sigalgs of --client and --server"
    facts = STATUS_FACTS.get(culprit.status)
    return "" if facts is None else facts.remedy
