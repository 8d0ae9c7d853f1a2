"""A second look at the certificates that were refused: the values that decided, and further defects.

The rule guarded here: the verifier that refused decides the status; this look, by another library and offline, only
finds the date, name or extension behind its code, and lists further defects, because the verifier stops at the first.
Nothing here raises for a certificate it cannot read.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import NamedTuple, TypeVar

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from sspicli.packages.schannel_engine import Refusal
from sspicli.sspi.package import Role
from sspicli.sspi.schannel import SchCredentials

_WEAK_RSA_BITS, _WEAK_CURVE_BITS = 2048, 224  # what OpenSSL's security level 2 asks for
_LONGEST_LIST = 5
_USAGE_NAMES = {
    ExtendedKeyUsageOID.SERVER_AUTH: "serverAuth",
    ExtendedKeyUsageOID.CLIENT_AUTH: "clientAuth",
    ExtendedKeyUsageOID.CODE_SIGNING: "codeSigning",
    ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE: "anyExtendedKeyUsage",
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


class _Defect(NamedTuple):
    """One thing wrong with a certificate: the verify codes that mean it, the field, the values."""

    codes: tuple[int, ...]
    field: str
    sentence: str


class Look(NamedTuple):
    """What a second look found: where among the certificates that came, the field and the values, further defects."""

    position: int
    field: str
    sentence: str
    others: tuple[str, ...]


def second_look(refusal: Refusal, chain: tuple[bytes, ...], situation: Situation) -> Look:
    """Look at the certificate that was refused; `chain` is what came, in its order, which need not be the path's."""
    at = refusal.certificate or next(iter(chain[refusal.depth : refusal.depth + 1]), b"")
    position = chain.index(at) if at in chain else refusal.depth
    decided = [one for one in _defects_of(at, situation, position) if refusal.code in one.codes]
    leaf = chain[0] if chain else at
    others = [one for one in _defects_of(leaf, situation, 0) if refusal.code not in one.codes]
    return Look(
        position,
        decided[0].field if decided else "",
        decided[0].sentence if decided else _chain_sentence(refusal.code, at, situation),
        tuple(one.sentence for one in others),
    )


def _chain_sentence(code: int, der: bytes, situation: Situation) -> str:
    """Say what the verifier found where no single value of a certificate decided."""
    certificate = _read(der)
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
        case 11 | 12:
            return _list_sentence(certificate, situation)
        case 7:
            return f"the signature of {subject} does not check with the key of {issuer}"
        case 47:
            return f"a name of {subject} is not among those that its issuers may sign for"
    return ""


def _list_sentence(certificate: x509.Certificate, situation: Situation) -> str:
    """Say from when to when the issuer's revocation list counts."""
    lists = [x509.load_der_x509_crl(der) for der in situation.auth.crls]
    found = next((one for one in lists if one.issuer == certificate.issuer), None)
    if found is None or found.next_update_utc is None:
        return ""
    span = f"{_instant(found.last_update_utc)} to {_instant(found.next_update_utc)}"
    return (
        f"the revocation list of {certificate.issuer.rfc4514_string()} counts from {span}, clock says {_now(situation)}"
    )


def _read(der: bytes) -> x509.Certificate | None:
    """Read a certificate with its names; None for one that cannot be read."""
    try:
        certificate = x509.load_der_x509_certificate(der)
        return certificate if certificate.subject is not None and certificate.issuer is not None else None
    except Exception:  # hostile certificates make the library raise all sorts of things
        return None


def _defects_of(der: bytes, situation: Situation, depth: int) -> list[_Defect]:
    """List what is wrong with one certificate; a part that cannot be read says nothing."""
    certificate = _read(der)
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
    now = _seconds(situation)
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


def _usage_defects(certificate: x509.Certificate, situation: Situation, depth: int) -> Iterator[_Defect]:
    """Find an extended key usage that lacks what is needed; the engine does not take anyExtendedKeyUsage for it."""
    needed = ExtendedKeyUsageOID.SERVER_AUTH if situation.role is Role.CLIENT else ExtendedKeyUsageOID.CLIENT_AUTH
    usages = _extension(certificate, x509.ExtendedKeyUsage)
    if usages is None or needed in usages:
        return
    names = ", ".join(_usage_name(one) for one in usages) or "nothing"
    path = f"Certificate[{depth}].extensions.extendedKeyUsage"
    yield _Defect((26,), path, f"extendedKeyUsage says {names}, {_usage_name(needed)} is needed")


def _key_usage_defects(certificate: x509.Certificate, situation: Situation, depth: int) -> Iterator[_Defect]:
    """Find a key usage that permits nothing a handshake needs."""
    usage = _extension(certificate, x509.KeyUsage)
    if usage is None:
        return
    is_good = usage.digital_signature or usage.key_agreement
    if situation.role is Role.CLIENT:
        is_good = is_good or usage.key_encipherment
    if not is_good:
        path = f"Certificate[{depth}].extensions.keyUsage"
        yield _Defect((26,), path, "keyUsage permits no digitalSignature")


def _authority_defects(certificate: x509.Certificate, _: Situation, depth: int) -> Iterator[_Defect]:
    """Find what keeps an issuer from being one."""
    path = f"Certificate[{depth}].extensions."
    subject = certificate.subject.rfc4514_string()
    constraints, usage = _extension(certificate, x509.BasicConstraints), _extension(certificate, x509.KeyUsage)
    if constraints is None or not constraints.ca:
        how = "has no basicConstraints" if constraints is None else "is no authority by its basicConstraints"
        yield _Defect((24, 79), path + "basicConstraints", f"{subject} signed a certificate and {how}")
    elif usage is not None and not usage.key_cert_sign:
        yield _Defect((24, 32, 79), path + "keyUsage", f"{subject} signed a certificate; keyUsage lacks keyCertSign")
    if constraints is not None and constraints.path_length is not None:
        most = f"{subject} allows {constraints.path_length} authorities below it, and there are more"
        yield _Defect((25,), path + "basicConstraints.pathLenConstraint", most)


def _critical_defects(certificate: x509.Certificate, _: Situation, depth: int) -> Iterator[_Defect]:
    """Find critical extensions that this library does not know either."""
    for one in certificate.extensions:
        if one.critical and isinstance(one.value, x509.UnrecognizedExtension):
            path = f"Certificate[{depth}].extensions.{one.oid.dotted_string}"
            yield _Defect((34,), path, f"extension {one.oid.dotted_string} is critical and nobody knows it")


_Kind = TypeVar("_Kind", bound=x509.ExtensionType)


def _extension(certificate: x509.Certificate, kind: type[_Kind]) -> _Kind | None:
    """Find an extension; None when it is not there."""
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


_Check = Callable[[x509.Certificate, Situation, int], Iterator[_Defect]]

_CHECKS_ANYWHERE: tuple[_Check, ...] = (_date_defects, _key_defects, _usage_defects, _critical_defects)
_CHECKS_ABOVE: tuple[_Check, ...] = (*_CHECKS_ANYWHERE, _authority_defects)
_CHECKS: tuple[_Check, ...] = (
    _date_defects, _key_defects, _name_defects, _usage_defects, _key_usage_defects, _issuer_defects, _critical_defects,
)  # fmt: skip


def _usage_name(usage: x509.ObjectIdentifier) -> str:
    return _USAGE_NAMES.get(usage, usage.dotted_string)


def _instant(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}Z"


def _clock(seconds: int) -> str:
    return _instant(datetime.fromtimestamp(seconds, tz=UTC))


def _seconds(situation: Situation) -> int:
    return situation.auth.clock if situation.auth.clock is not None else int(time.time())


def _now(situation: Situation) -> str:
    return _clock(_seconds(situation))
