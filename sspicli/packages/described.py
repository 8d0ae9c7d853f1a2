"""Issue what a description asks for: the leaf, its chain, its key, and the revocation lists of its issuers.

The rule guarded here: the bytes are a function of (seed, clock, description, name, usage) and of nothing else, RSA
keys excepted, and each member of a description changes its own part of a certificate only. So a description that
differs from a good one in one member shows what that member does.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from sspicli.packages.certificates import Authority
from sspicli.packages.descriptions import (
    DAY,
    CertificateDescription,
    Described,
    IssuerDescription,
    KeyUsage,
    Usage,
    check_serial,
    read_name,
    read_subject,
)
from sspicli.packages.material import PrivateKey, der_of, general_name, leaf_key, pkcs8, serial_number
from sspicli.sspi.errors import UsageError
from sspicli.sspi.schannel import CertContext

_LONGEST_COMMON_NAME = 64  # ub-common-name, RFC 5280 appendix A.1
_UNKNOWN = x509.ObjectIdentifier("2.999.1")  # the arc for examples: nobody knows an extension there
_PADDING = x509.ObjectIdentifier("2.999.2")
_USAGES = {
    "server": ExtendedKeyUsageOID.SERVER_AUTH,
    "client": ExtendedKeyUsageOID.CLIENT_AUTH,
    "code-signing": ExtendedKeyUsageOID.CODE_SIGNING,
    "any": ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,
}
_ATTRIBUTES = {
    "CN": NameOID.COMMON_NAME,
    "O": NameOID.ORGANIZATION_NAME,
    "OU": NameOID.ORGANIZATIONAL_UNIT_NAME,
    "L": NameOID.LOCALITY_NAME,
    "ST": NameOID.STATE_OR_PROVINCE_NAME,
    "C": NameOID.COUNTRY_NAME,
}


@dataclass(frozen=True, slots=True)
class Issued:
    """What an endpoint shows, and the revocation lists (DER) that its peer is given."""

    certificate: CertContext
    lists: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class _Signer:
    """Who signs, and what of his is revoked."""

    name: x509.Name
    key: PrivateKey
    revoked: tuple[int, ...] = ()


def issue(authority: Authority, description: CertificateDescription, *, name: str, usage: str) -> Issued:
    """Issue a described certificate with its chain and its private key.

    Args:
        authority: Whose root, seed and clock count.
        description: What is asked for.
        name: The host (or client) that it names where the description says no other.
        usage: `server` or `client`, for the extended key usage where the description says no other.

    Raises:
        UsageError: There can be no such certificate.
    """
    try:
        return _issue(authority, description, name, usage)
    except (ValueError, TypeError, OverflowError) as error:  # which it is depends on the library's version
        raise UsageError(f"there can be no such certificate: {str(error)[:200]}", where="cert") from None


def _issue(authority: Authority, description: CertificateDescription, name: str, usage: str) -> Issued:
    """Sign from the root downwards, and list every issuer's revocations on the way."""
    key = leaf_key(description.key, authority.seed, f"described {usage} {description.key}")
    root = authority.untrusted if description.issuer == "other" else authority.root
    signer = _Signer(root.name, root.key)
    signers: list[_Signer] = []
    above: list[bytes] = []
    for number, one in zip(range(len(description.chain), 0, -1), reversed(description.chain), strict=True):
        role = f"described {usage} issuer {number}"
        subject = _name(one.subject, f"sspicli throw-away described intermediate {number}")
        own = _Signer(subject, leaf_key(one.key, authority.seed, f"{role} {one.key}"))
        builder = _builder(authority, one, own, signer, role)
        above.insert(0, _signed(_with_constraints(builder, one), signer.key, one))
        signers.append(_revoking(signer, authority, one, role))
        signer = own
    leaf = _Signer(_leaf_name(description, name), key)
    signer = leaf if description.issuer == "self" else signer
    role = f"described {usage}"
    builder = _with_names(_builder(authority, description, leaf, signer, role, usage), description, name)
    der = _signed(builder, signer.key, description)
    signers.append(_revoking(signer, authority, description, role))
    chain = _sent(description, der, tuple(above), authority)
    lists = tuple([_revocations(authority, one, description) for one in signers])
    has_lists = description.checks_revocation and description.lists != "none"
    return Issued(CertContext(chain, pkcs8(key), f"described, {description.key}"), lists if has_lists else ())


def _sent(
    description: CertificateDescription, leaf: bytes, above: tuple[bytes, ...], authority: Authority
) -> tuple[bytes, ...]:
    match description.sent:
        case "leaf":
            return (leaf,)
        case "reversed":
            return (leaf, *reversed(above))
        case "with-root":
            is_other = description.issuer == "other"
            return (leaf, *above, authority.untrusted_der if is_other else authority.root_der)
    return (leaf, *above)


def _builder(
    authority: Authority, one: Described, subject: _Signer, issuer: _Signer, role: str, usage: str = ""
) -> x509.CertificateBuilder:
    """Lay out what every certificate has; `usage` is the side that a leaf is for, empty for what signs others."""
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject.name)
        .issuer_name(issuer.name)
        .public_key(subject.key.public_key())
        .serial_number(_serial(one, authority, role))
        .not_valid_before(_moment(authority, one.not_before))
        .not_valid_after(_moment(authority, one.not_after))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(subject.key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key()), critical=False)
    )
    if one.ca is not None:
        builder = builder.add_extension(x509.BasicConstraints(one.ca, one.path_length), critical=True)
    for extension, is_critical in _usages(one, subject.key, usage):
        builder = builder.add_extension(extension, critical=is_critical)
    if one.has_unknown_critical:
        builder = builder.add_extension(x509.UnrecognizedExtension(_UNKNOWN, b"\x05\x00"), critical=True)
    if one.padding:
        builder = builder.add_extension(x509.UnrecognizedExtension(_PADDING, bytes(one.padding)), critical=False)
    return builder


def _usages(one: Described, key: PrivateKey, usage: str) -> list[tuple[x509.ExtensionType, bool]]:
    """Give the extensions that say what a key is for; those of its place where the description says none."""
    own: tuple[KeyUsage, ...] = ("digital-signature",) if usage else ("cert-sign", "crl-sign")
    if usage and isinstance(key, RSAPrivateKey):
        own = (*own, "key-encipherment")
    key_usages = own if one.key_usage is None else one.key_usage
    default: tuple[Usage, ...] = ("client" if usage == "client" else "server",) if usage else ()
    usages = default if one.usage is None else one.usage
    found: list[tuple[x509.ExtensionType, bool]] = [(_key_usage(key_usages), True)] if key_usages else []
    if usages:
        found.append((x509.ExtendedKeyUsage([_USAGES[word] for word in dict.fromkeys(usages)]), False))
    return found


def _key_usage(words: tuple[KeyUsage, ...]) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature="digital-signature" in words,
        content_commitment=False,
        key_encipherment="key-encipherment" in words,
        data_encipherment=False,
        key_agreement="key-agreement" in words,
        key_cert_sign="cert-sign" in words,
        crl_sign="crl-sign" in words,
        encipher_only=False,
        decipher_only=False,
    )


def _with_constraints(builder: x509.CertificateBuilder, one: IssuerDescription) -> x509.CertificateBuilder:
    if not one.permitted_names:
        return builder
    permitted = [x509.DNSName(read_name(name)) for name in one.permitted_names]
    return builder.add_extension(x509.NameConstraints(permitted, None), critical=True)


def _with_names(
    builder: x509.CertificateBuilder, description: CertificateDescription, name: str
) -> x509.CertificateBuilder:
    names = [name] if description.names is None else description.names
    if not names:
        return builder
    alternatives = x509.SubjectAlternativeName([general_name(read_name(one)) for one in names])
    return builder.add_extension(alternatives, critical=False)


def _leaf_name(description: CertificateDescription, name: str) -> x509.Name:
    first = description.names[0] if description.names else name
    return _name(description.subject, read_name(first)[:_LONGEST_COMMON_NAME])


def _name(subject: str, common_name: str) -> x509.Name:
    """Write a subject, whose first part is the most special one and comes last; a common name where it is empty."""
    if not subject.strip():
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    parts = reversed(read_subject(subject))
    return x509.Name([x509.NameAttribute(_ATTRIBUTES[key], value) for key, value in parts])


def _serial(one: Described, authority: Authority, role: str) -> int:
    if one.serial is None:
        return serial_number(authority.seed, role)
    check_serial(one.serial)
    return one.serial


def _moment(authority: Authority, seconds: int) -> datetime:
    return datetime.fromtimestamp(authority.clock + seconds, tz=UTC)


def _signed(builder: x509.CertificateBuilder, key: PrivateKey, one: Described) -> bytes:
    """Sign, ECDSA deterministically; a bad signature differs in its last bit."""
    der = der_of(builder.sign(key, _digest(key), ecdsa_deterministic=_is_deterministic(key)))
    return der[:-1] + bytes([der[-1] ^ 1]) if one.has_bad_signature else der


def _digest(key: PrivateKey) -> hashes.SHA256 | None:
    return None if isinstance(key, Ed25519PrivateKey) else hashes.SHA256()


def _is_deterministic(key: PrivateKey) -> bool | None:
    return True if isinstance(key, ec.EllipticCurvePrivateKey) else None


def _revoking(signer: _Signer, authority: Authority, one: Described, role: str) -> _Signer:
    """Note with its issuer that a certificate is revoked."""
    return _Signer(signer.name, signer.key, (_serial(one, authority, role),) if one.is_revoked else ())


def _revocations(authority: Authority, signer: _Signer, description: CertificateDescription) -> bytes:
    """Write an issuer's revocation list, of now or long past its end."""
    begins, ends = (-30, -3) if description.lists == "stale" else (-1, 30)
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(signer.name)
        .last_update(_moment(authority, begins * DAY))
        .next_update(_moment(authority, ends * DAY))
    )
    for number in signer.revoked:
        entry = x509.RevokedCertificateBuilder().serial_number(number).revocation_date(_moment(authority, begins * DAY))
        builder = builder.add_revoked_certificate(entry.build())
    signed = builder.sign(signer.key, _digest(signer.key), ecdsa_deterministic=_is_deterministic(signer.key))
    return signed.public_bytes(serialization.Encoding.DER)
