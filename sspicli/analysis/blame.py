"""Who failed, at which leg, and why: the earliest failure of a run, with the evidence of both ends.

A run that fails shows several bad statuses, and the last one is rarely the reason: the side that noticed sends an
alert, and the other reports the alert. So the first failing call is blamed, and the other end's view stands beside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sspicli.analysis.calls import LEG_FUNCTIONS, Call, Culprit, Leg, MessageFailure, Refusal, failing
from sspicli.analysis.offers import Offers, Row, compare, offers
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
    field: str
    cause: str
    help: str
    was_injected: bool
    other: Culprit | None
    place: Whereabouts | None
    offers: Offers | None

    @property
    def sequence(self) -> int:
        """The record that shows it."""
        return _moment(self.culprit)

    @property
    def side(self) -> str:
        """Whose failure it is."""
        return self.culprit.endpoint

    @property
    def status(self) -> SecurityStatus | None:
        """What it failed with; None for a NULL, which is no status."""
        return self.culprit.status

    @property
    def evidence(self) -> Evidence | None:
        """What shows why."""
        return self.culprit.evidence


def blame(
    calls: tuple[Call, ...],
    others: tuple[MessageFailure | Refusal, ...],
    legs: tuple[Leg, ...],
    run: ev.RunStarted | None,
    faults: Mapping[str, str],
) -> Failure | None:
    """Find the earliest failure and say why; None when nothing failed.

    `faults` maps what an injected fault befell to how that fault was written.
    """
    failed: list[Culprit] = [*(call for call in calls if failing(call)), *others]
    if not failed:
        return None
    failed.sort(key=_moment)
    first = failed[0]
    evidence = first.evidence
    made = first.leg if isinstance(first, Call) else 0
    settings = Settings(run)
    injected = faults.get(_subject(first)) or _altered_before(first, legs, settings)
    compared = offers(calls, legs) if first.status == SecurityStatus.SEC_E_ALGORITHM_MISMATCH else None
    lacking = next((row for row in compare(calls, legs) if compared is not None and row.is_lacking), None)
    field, place = _deciding_field(first, compared, legs)
    return Failure(
        culprit=first,
        leg=made or _leg_not_made(first, legs),
        alert=evidence.alert_sent or evidence.alert_received if evidence else None,
        alert_data=next((leg.data for leg in legs if made and leg.number == made), b""),
        field=field,
        cause=_cause(first, settings, lacking) if injected is None else f"--fault {injected} (you asked for it)",
        help=_help(first, settings, lacking) if injected is None else f"leave out --fault {injected}",
        was_injected=injected is not None,
        other=next((one for one in failed if one.endpoint != first.endpoint), None),
        place=place,
        offers=compared,
    )


def _moment(culprit: Culprit) -> int:
    return culprit.completed_sequence if isinstance(culprit, Call) else culprit.sequence


def _subject(culprit: Culprit) -> str:
    """Name a culprit as the fault plan names what it befell."""
    if isinstance(culprit, Call):
        return str(culprit.handle)
    return f"{culprit.endpoint} {culprit.function.documented_name}" if isinstance(culprit, Refusal) else ""


_ALTERING = frozenset({"tamper", "truncate", "extend", "duplicate", "drop", "swap"})


def _altered_before(culprit: Culprit, legs: tuple[Leg, ...], settings: Settings) -> str | None:
    """Name the fault that changed what was on the wire before this, unless a bad certificate accounts for it."""
    if _was_asked_for(culprit, settings):
        return None
    before = (leg for leg in legs if leg.sequence < _moment(culprit))
    return next((one.text for leg in before for one in leg.faults if one.kind in _ALTERING), None)


def _leg_not_made(culprit: Culprit, legs: tuple[Leg, ...]) -> int:
    """Number the leg that the culprit would have made; 0 for what makes none."""
    if isinstance(culprit, MessageFailure) or culprit.function not in LEG_FUNCTIONS:
        return 0
    return 1 + sum(one.sequence < _moment(culprit) for one in legs)


_LACKING_FIELDS = {
    "versions": "ClientHello.extensions.supported_versions",
    "suites": "ClientHello.cipher_suites",
    "groups": "ClientHello.extensions.supported_groups",
    "signature algorithms": "ClientHello.extensions.signature_algorithms",
}


def _deciding_field(culprit: Culprit, compared: Offers | None, legs: tuple[Leg, ...]) -> tuple[str, Whereabouts | None]:
    """Name the field that decided, what is lacking in the offer or what the package says, and find its bytes."""
    field = culprit.evidence.field if culprit.evidence else ""
    if compared is not None and compared.lacks:
        field = _LACKING_FIELDS[compared.lacks[0]]
    place = whereabouts(field, culprit.endpoint, legs)
    if place is None and field == _LACKING_FIELDS["versions"]:  # a client of TLS 1.2 has no such extension
        older = whereabouts("ClientHello.legacy_version", culprit.endpoint, legs)
        return ("ClientHello.legacy_version", older) if older else (field, None)
    return field, place


class Settings:
    """What the command line said of both sides, as far as it explains a failure."""

    def __init__(self, run: ev.RunStarted | None) -> None:
        self._options = {} if run is None else run.options

    def bad_preset(self, side: str) -> str:
        """Name the deliberately bad certificate of a side, "" for none; as `server=cert preset "expired"`."""
        note = self._options.get(f"{side}.note")
        return note if isinstance(note, str) else ""

    def has(self, side: str, pair: str) -> bool:
        """Say whether a setting was given that begins like this."""
        given = self._options.get(side)
        return isinstance(given, tuple) and any(str(one).strip().lower().startswith(pair) for one in given)


# The status each deliberately bad certificate brings at the end that refuses it.
_PRESET_STATUSES = {
    "expired": SecurityStatus.SEC_E_CERT_EXPIRED,
    "not-yet-valid": SecurityStatus.SEC_E_CERT_EXPIRED,
    "wrong-name": SecurityStatus.SEC_E_WRONG_PRINCIPAL,
    "untrusted": SecurityStatus.SEC_E_UNTRUSTED_ROOT,
    "self-signed": SecurityStatus.SEC_E_UNTRUSTED_ROOT,
    "wrong-usage": SecurityStatus.SEC_E_CERT_WRONG_USAGE,
    "weak-key": SecurityStatus.SEC_E_CERT_UNKNOWN,
    "revoked": SecurityStatus.CRYPT_E_REVOKED,
}


def _was_asked_for(culprit: Culprit, settings: Settings) -> str:
    """Give the note of the peer's bad certificate when it is what this status comes from, else ""."""
    note = settings.bad_preset(_peer(culprit))
    preset = note.rpartition(" ")[2].strip('"')
    own_trust = settings.has(culprit.endpoint, "trust=") and preset not in ("untrusted", "self-signed")
    is_it = _PRESET_STATUSES.get(preset) == culprit.status and not own_trust
    return note if is_it else ""


# What the command line calls each thing that client and server must have in common.
_KEYS = {"versions": "tls", "suites": "suites", "groups": "groups", "signature algorithms": "sigalgs"}


def _cause(culprit: Culprit, settings: Settings, lacking: Row | None) -> str:
    """Say what brought it about: the certificate that was asked to be bad, else what usually does."""
    if lacking is not None:
        return _cause_of_mismatch(settings, lacking)
    asked = _was_asked_for(culprit, settings)
    if asked:
        return f"{asked} (you asked for it)"
    if _lacks_client_certificate(culprit):
        return "the server's settings demand a client certificate, and the client has none"
    if _row(culprit) == "no-server-certificate":
        return "the server's credential holds no certificate"
    if culprit.status == _S.SEC_E_UNTRUSTED_ROOT and settings.has(culprit.endpoint, "trust="):
        return f"the {_peer(culprit)}'s root is not among the anchors that --{culprit.endpoint} trust= names"
    facts = None if culprit.status is None else STATUS_FACTS.get(culprit.status)
    return "" if facts is None else facts.cause


def _cause_of_mismatch(settings: Settings, lacking: Row) -> str:
    """Name the settings that leave nothing in common, as far as they were given."""
    key = _KEYS[lacking.what]
    given = [f"--{side} {key}=..." for side in ("client", "server") if settings.has(side, f"{key}=")]
    if not given:
        return f"the client's offer of {lacking.what} holds none that the server takes"
    return f"{' and '.join(given)} leave{'' if len(given) > 1 else 's'} no {lacking.what} in common (you asked for it)"


def _row(culprit: Culprit) -> str:
    return culprit.evidence.row if culprit.evidence else ""


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


def _help(culprit: Culprit, settings: Settings, lacking: Row | None) -> str:
    """Say the smallest change that would make it pass."""
    if lacking is not None:
        key, names = _KEYS[lacking.what], ",".join(lacking.server)
        taken = "1.2-1.3" if key == "tls" else names
        return f"--client {key}={taken}, or let the server take what the client offers: --server {key}=..."
    side, peer = culprit.endpoint, _peer(culprit)
    if isinstance(culprit, Call) and culprit.function in LEG_FUNCTIONS and culprit.status in _CERTIFICATE_STATUSES:
        is_trust = culprit.status == _S.SEC_E_UNTRUSTED_ROOT and settings.has(side, "trust=")
        change = f"--{side} trust=throw-away, or a file with the right root" if is_trust else f"--{peer} cert=valid"
        return change + (", or let the client accept it: --client validate=manual" if side == "client" else "")
    if _lacks_client_certificate(culprit):
        return "--client cert=valid, or let the server only ask: --server request-cert=yes"
    if _row(culprit) == "no-server-certificate":
        return "--server cert=valid"
    if culprit.status == _S.SEC_E_APPLICATION_PROTOCOL_MISMATCH:
        return "give both sides a protocol in common: --client alpn=... --server alpn=..."
    if culprit.status == _S.SEC_E_ALGORITHM_MISMATCH:
        return "give both sides something in common: compare tls, suites, groups and sigalgs of --client and --server"
    facts = None if culprit.status is None else STATUS_FACTS.get(culprit.status)
    return "" if facts is None else facts.remedy
