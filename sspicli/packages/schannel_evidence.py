"""What decided a failure, in sentences: the row applied, the values that decided, further defects.

The rule guarded here: the status comes from `schannel_failures` alone; this file adds the reasons. A second, offline
look at the peer's certificate, by another library than the one that refused it, names the date or name that decided and
lists further defects, because the engine stops at the first. Nothing here raises for a certificate it cannot read.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import NamedTuple

from cryptography import x509
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESCCM, AESGCM, ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
from cryptography.x509.oid import ExtendedKeyUsageOID

from sspicli.packages.openssl_bindings import Outcome
from sspicli.packages.openssl_names import CipherSuite, find_suite
from sspicli.packages.schannel_engine import Engine
from sspicli.packages.schannel_failures import CLEAR_ALERT, Clues, FailureRow, Knowledge, find_row
from sspicli.sspi.alerts import FATAL, alert_name
from sspicli.sspi.package import AlertSeen, Evidence, Role
from sspicli.sspi.records import ALERT, HEADER_SIZE, frame
from sspicli.sspi.schannel import SchCredentials
from sspicli.sspi.status import SecurityStatus

_ALERT_BODY = 2
_CERTIFICATE_MISSED = (40, 116)  # the alerts of TLS 1.2 and 1.3 for a required certificate that did not come
_NOTHING_TO_SERVE = (40, 70)  # and for having no suite, or no version, to serve a client with
_USER_CANCELED = 90  # a warning in TLS 1.3, and still the end
_WEAK_RSA_BITS, _WEAK_CURVE_BITS = 2048, 224  # what OpenSSL's security level 2 asks for
_LONGEST_LIST = 5


_SENTENCES = {
    Knowledge.CLIENT_CERTIFICATE_ABSENT: "the client's Certificate message is empty",
    Knowledge.NO_OWN_CERTIFICATE: "no suite can be served without a certificate",
    Knowledge.CLOSE_NOTIFY: "the peer sent close_notify before the handshake was done",
}


class Situation(NamedTuple):
    """What a failure is judged against: the side, the name it wanted, its credential, a server's protocols.

    `flights` counts the tokens this side has sent.
    """

    role: Role
    target: str | None
    auth: SchCredentials
    protocols: tuple[bytes, ...] | None = None
    flights: int = 0


class Failure(NamedTuple):
    """A failed call: its status, the alert made for the peer (level, number), and why."""

    status: SecurityStatus
    alert: tuple[int, int] | None
    evidence: Evidence


class _Defect(NamedTuple):
    """One thing wrong with a certificate: the verify codes that mean it, the field, the values."""

    codes: tuple[int, ...]
    field: str
    sentence: str


def known_failure(knowledge: Knowledge, situation: Situation, *, detail: str = "") -> Failure:
    """Explain a failure the engine was not asked about."""
    row = find_row(Clues(situation.role, knowledge=knowledge))
    evidence = Evidence(row.id, row.source, field=row.field, detail=detail, difference=row.difference)
    return Failure(row.status, None, evidence)


def engine_failed(engine: Engine, situation: Situation, *, outcome: Outcome, fed: bytes, token: bytes) -> Failure:
    """Explain why the engine stopped, given the records it was fed and the token it made."""
    sent = alert_sent(token, engine)
    received = alert_received(fed, engine.alert_received)
    if received is None and sent is None:
        received = _clear_alert(fed)
    refusal = engine.refusal if engine.verifies else None
    knowledge = Knowledge.CLOSE_NOTIFY if outcome is Outcome.CLOSED else _known(engine, situation, sent)
    if knowledge is None and sent is None and received is None and engine.was_ended_by_peer():
        knowledge = Knowledge.UNREADABLE_ALERT
    clues = Clues(
        situation.role, None if refusal is None else refusal.code, knowledge,
        None if received is None else received.number, None if sent is None else sent.number,
    )  # fmt: skip
    row = find_row(clues)
    evidence = Evidence(row.id, row.source, engine.words, alert_sent=sent, alert_received=received, field=row.field)
    evidence = evidence._replace(
        detail=_detail(row, engine, situation, received),
        difference=_difference(row, sent, engine if fed and situation.role is Role.CLIENT else None),
    )
    if refusal is not None:
        evidence = _with_certificate(evidence, engine, situation)
    return Failure(row.status, None if sent is None else (sent.level, sent.number), evidence)


def _known(engine: Engine, situation: Situation, sent: AlertSeen | None) -> Knowledge | None:
    """Say what a server knows without asking: about protocols, a client's missing certificate, its own."""
    if engine.has_no_common_protocol:
        return Knowledge.NO_COMMON_PROTOCOL
    if situation.role is Role.CLIENT or engine.refusal is not None or sent is None:
        return None
    auth = situation.auth
    if situation.flights:
        is_absent = auth.requires_client_certificate and sent.number in _CERTIFICATE_MISSED and not engine.peer_leaf()
        return Knowledge.CLIENT_CERTIFICATE_ABSENT if is_absent else None
    has_none = not any(one.chain for one in auth.certificates)
    return Knowledge.NO_OWN_CERTIFICATE if has_none and sent.number in _NOTHING_TO_SERVE else None


def alert_sent(token: bytes, engine: Engine) -> AlertSeen | None:
    """Find the alert a token ends with: by its bytes if clear, else as the engine noted it, else by opening it."""
    records = frame(token).records
    if not records:
        return None
    last = records[-1]
    size = last.end - last.start
    if last.content_type == ALERT and size == HEADER_SIZE + _ALERT_BODY:
        return AlertSeen(token[last.body_start], token[last.body_start + 1], False, size)
    noted = engine.alert_sent or _opened(token[last.start : last.end], engine)
    return None if noted is None else AlertSeen(*noted, True, size)


def _opened(record: bytes, engine: Engine) -> tuple[int, int] | None:
    """Open a TLS 1.3 server's first record under its traffic secret (RFC 8446, 5.2 and 7.3), which an alert is here."""
    suite = find_suite(engine.connection.get_cipher_name() or "")
    secret = engine.secret("SERVER_TRAFFIC_SECRET_0")
    if suite is None or not secret or not engine.is_tls13():
        return None
    digest = hashes.SHA384() if suite.hash == "SHA384" else hashes.SHA256()
    key, nonce = (_expand(secret, label, size, digest) for label, size in ((b"key", suite.key_bits // 8), (b"iv", 12)))
    try:
        plain = _aead(suite, key).decrypt(nonce, record[HEADER_SIZE:], record[:HEADER_SIZE])
    except (InvalidTag, ValueError):
        return None
    return (plain[0], plain[1]) if len(plain) == _ALERT_BODY + 1 and plain[2] == ALERT else None


def _expand(secret: bytes, label: bytes, size: int, digest: hashes.HashAlgorithm) -> bytes:
    """Compute HKDF-Expand-Label with an empty context."""
    name = b"tls13 " + label
    return HKDFExpand(digest, size, size.to_bytes(2, "big") + bytes([len(name)]) + name + b"\x00").derive(secret)


def _aead(suite: CipherSuite, key: bytes) -> AESGCM | AESCCM | ChaCha20Poly1305:
    if suite.cipher != "AES":
        return ChaCha20Poly1305(key)
    return AESGCM(key) if suite.mode == "GCM" else AESCCM(key, tag_length=8 if suite.mode == "CCM_8" else 16)


def alert_received(fed: bytes, noted: tuple[int, int] | None) -> AlertSeen | None:
    """Find the alert that ended the handshake among the records the engine was fed."""
    if noted is None or (noted[0] != FATAL and noted[1] != _USER_CANCELED):
        return None
    records = frame(fed).records
    for record in records:
        size = record.end - record.start
        if record.content_type == ALERT:
            return AlertSeen(*noted, size > HEADER_SIZE + _ALERT_BODY, size)
    return AlertSeen(*noted, True, records[-1].end - records[-1].start if records else 0)


def _clear_alert(fed: bytes) -> AlertSeen | None:
    """Read a fatal alert that the engine would not: a client that knows no version yet marks its record as TLS 1.0."""
    for record in frame(fed).records:
        size = record.end - record.start
        if record.content_type == ALERT and size == HEADER_SIZE + _ALERT_BODY and fed[record.body_start] == FATAL:
            return AlertSeen(FATAL, fed[record.body_start + 1], False, size)
    return None


def _detail(row: FailureRow, engine: Engine, situation: Situation, received: AlertSeen | None) -> str:
    """Say which values decided, where no certificate did."""
    if received is not None:
        return f"the peer sent alert {received.number} ({alert_name(received.number)})"
    if row.knowledge is Knowledge.NO_COMMON_PROTOCOL:
        offered, taken = _names(engine.protocols_offered()), _names(situation.protocols or ())
        return f"the client offers {offered}; the server takes {taken}"
    if row.knowledge in _SENTENCES:
        return _SENTENCES[row.knowledge]
    return _allowed(situation.auth) if row.id == "no-common-algorithm" else ""


def _allowed(auth: SchCredentials) -> str:
    """Say what a server's credential leaves to choose from."""
    lists = {"suites": auth.cipher_suites, "groups": auth.groups, "signatures": auth.signature_algorithms}
    said = [f"{kind} {', '.join(names)}" for kind, names in lists.items() if names]
    return f"the server allows {'; '.join(said) or 'what the engine does by default'}"


def _names(protocols: tuple[bytes, ...]) -> str:
    return ", ".join(one.decode("ascii", "backslashreplace") for one in protocols) or "nothing"


def _difference(row: FailureRow, sent: AlertSeen | None, client: Engine | None) -> str:
    """Join what differs by the row with what differs by the way a client's alert went."""
    is_clear = client is not None and sent is not None and not sent.encrypted and client.is_tls13()
    return "; ".join(part for part in (row.difference, CLEAR_ALERT if is_clear else "") if part)


def _with_certificate(evidence: Evidence, engine: Engine, situation: Situation) -> Evidence:
    """Add the values that decided and the further defects, from a second look at the certificates that came."""
    refusal = engine.refusal
    assert refusal is not None, "asked to explain a refusal that is not there"
    chain = engine.peer_chain() or ((refusal.certificate,) if refusal.certificate else ())
    at_depth = chain[refusal.depth : refusal.depth + 1] or ((refusal.certificate,) if refusal.certificate else ())
    decided = [one for one in _defects_of(at_depth, situation, refusal.depth) if refusal.code in one.codes]
    others = [one for one in _defects_of(chain[:1], situation, 0) if refusal.code not in one.codes]
    return evidence._replace(
        verify_code=refusal.code,
        verify_depth=refusal.depth,
        field=decided[0].field if decided else evidence.field.format(depth=refusal.depth),
        detail=decided[0].sentence if decided else _chain_sentence(refusal.code, at_depth, situation),
        others=tuple(one.sentence for one in others),
    )


def _chain_sentence(code: int, certificates: tuple[bytes, ...], situation: Situation) -> str:
    """Say what the verifier found where no single value of a certificate decided."""
    certificate = _read(certificates)
    if certificate is None:
        return ""
    subject, issuer = certificate.subject.rfc4514_string(), certificate.issuer.rfc4514_string()
    store = situation.auth.root_store
    trusted = "the system's trust anchors" if store is None else f"the {len(store)} trust anchors given"
    match code:
        case 18:
            return f"{subject} is its own issuer and is not among {trusted}"
        case 2 | 19 | 20 | 21:
            return f"the chain of {subject} ends in issuer {issuer}, which is not among {trusted}"
        case 23:
            return f"serial number {certificate.serial_number:x} stands in its issuer's revocation list"
        case 3:
            return f"no revocation list of {issuer} is there"
    return ""


def _read(certificates: tuple[bytes, ...]) -> x509.Certificate | None:
    """Read the first certificate with its names; None for one that cannot be read."""
    try:
        certificate = x509.load_der_x509_certificate(certificates[0])
        return certificate if certificate.subject is not None and certificate.issuer is not None else None
    except Exception:  # hostile certificates make the library raise all sorts of things
        return None


def _defects_of(certificates: tuple[bytes, ...], situation: Situation, depth: int) -> list[_Defect]:
    """List what is wrong with the one certificate given; a part that cannot be read says nothing."""
    certificate = _read(certificates)
    if certificate is None:
        return []
    defects: list[_Defect] = []
    for check in _CHECKS if not depth else _CHECKS_ABOVE:
        try:
            defects += check(certificate, situation, depth)
        except Exception:  # noqa: S112 - as above
            continue
    return defects


def _issuer_defects(certificate: x509.Certificate, situation: Situation, _: int) -> Iterator[_Defect]:
    der = certificate.public_bytes(serialization.Encoding.DER)
    if certificate.subject == certificate.issuer and der not in (situation.auth.root_store or ()):
        path = "Certificate[0].issuer"
        yield _Defect((18, 19, 20, 21), path, "the certificate is its own issuer and is not trusted")


def _date_defects(certificate: x509.Certificate, situation: Situation, depth: int) -> Iterator[_Defect]:
    now = situation.auth.clock if situation.auth.clock is not None else int(time.time())
    begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    path = f"Certificate[{depth}].validity."
    if ends.timestamp() < now:
        yield _Defect((10,), path + "notAfter", f"certificate ended {_instant(ends)}, clock says {_clock(now)}")
    if begins.timestamp() > now:
        yield _Defect((9,), path + "notBefore", f"certificate begins {_instant(begins)}, clock says {_clock(now)}")


def _key_defects(certificate: x509.Certificate, _: Situation, depth: int) -> Iterator[_Defect]:
    key = certificate.public_key()
    bits = key.key_size if isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey) else None
    least = _WEAK_RSA_BITS if isinstance(key, rsa.RSAPublicKey) else _WEAK_CURVE_BITS
    if bits is not None and bits < least:
        path = f"Certificate[{depth}].subjectPublicKeyInfo"
        kind = "RSA" if isinstance(key, rsa.RSAPublicKey) else "elliptic-curve"
        yield _Defect((66, 67), path, f"its {kind} key has {bits} bits, fewer than {least}")


def _name_defects(certificate: x509.Certificate, situation: Situation, _: int) -> Iterator[_Defect]:
    target = situation.target
    if situation.role is not Role.CLIENT or not target:
        return
    names = _names_in(certificate)
    if not any(_matches(name, target) for name in names):
        shown = ", ".join(names[:_LONGEST_LIST]) + (
            f" and {len(names) - _LONGEST_LIST} more" * (len(names) > _LONGEST_LIST)
        )
        path = "Certificate[0].extensions.subjectAltName"
        yield _Defect((62, 64), path, f"certificate names {shown or 'nobody'}, the target is {target}")


def _names_in(certificate: x509.Certificate) -> list[str]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        common = certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
        return [str(one.value) for one in common]
    return [*names.get_values_for_type(x509.DNSName), *map(str, names.get_values_for_type(x509.IPAddress))]


def _matches(pattern: str, target: str) -> bool:
    """Match a name as the engine does: a lone `*` stands for one label, the leftmost, with two or more behind it."""
    wanted, given = target.rstrip(".").lower(), pattern.lower()
    try:
        return str(ip_address(wanted)) == given
    except ValueError:
        pass
    _, dot, parent = wanted.partition(".")
    return given == wanted or (given.startswith("*.") and bool(dot) and "." in parent and given[2:] == parent)


def _usage_defects(certificate: x509.Certificate, situation: Situation, _: int) -> Iterator[_Defect]:
    needed = ExtendedKeyUsageOID.SERVER_AUTH if situation.role is Role.CLIENT else ExtendedKeyUsageOID.CLIENT_AUTH
    try:
        usages = list(certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)
    except x509.ExtensionNotFound:
        return
    if needed not in usages and ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE not in usages:
        names = ", ".join(_usage_name(one) for one in usages) or "nothing"
        path = "Certificate[0].extensions.extendedKeyUsage"
        yield _Defect((26,), path, f"extendedKeyUsage says {names}, {_usage_name(needed)} is needed")


_Check = Callable[[x509.Certificate, Situation, int], Iterator[_Defect]]

_CHECKS_ABOVE: tuple[_Check, ...] = (_date_defects, _key_defects)
_CHECKS: tuple[_Check, ...] = (*_CHECKS_ABOVE, _name_defects, _usage_defects, _issuer_defects)


def _usage_name(usage: x509.ObjectIdentifier) -> str:
    known = {ExtendedKeyUsageOID.SERVER_AUTH: "serverAuth", ExtendedKeyUsageOID.CLIENT_AUTH: "clientAuth"}
    return known.get(usage, usage.dotted_string)


def _instant(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}Z"


def _clock(seconds: int) -> str:
    return _instant(datetime.fromtimestamp(seconds, tz=UTC))
