"""Certificates of every make for the captures: all kinds of keys, and one that carries every extension we read.

The product's presets have few kinds of keys and plain extensions; outside programs, and `cert=FILE`, take any.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID as Access
from cryptography.x509.oid import ExtendedKeyUsageOID as Usage
from cryptography.x509.oid import ExtensionOID, NameOID

from tests.peers.programs import run
from tests.peers.socket_session import CLOCK, Files

Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey

_NOW = datetime.fromtimestamp(CLOCK, UTC).replace(microsecond=0)
KEYS: dict[str, Callable[[], Key]] = {
    "p256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "p384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "p521": lambda: ec.generate_private_key(ec.SECP521R1()),
    "ed25519": ed25519.Ed25519PrivateKey.generate,
    "ed448": ed448.Ed448PrivateKey.generate,
    "rsa": lambda: rsa.generate_private_key(65537, 2048),
}


def self_signed(folder: Path, kind: str, *, name: str = "", is_rich: bool = False, years: int = 1) -> Files:
    """Write a certificate of its own; `is_rich` gives it every extension that we read, and every kind of name."""
    path = folder / (name or kind)
    if kind == "rsa-pss":
        return _rsa_pss(path)
    key = KEYS[kind]()
    subject = _rich_name() if is_rich else x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    builder = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(_NOW - timedelta(days=2))
        .not_valid_after(_NOW + timedelta(days=366 * years))
        .add_extension(x509.BasicConstraints(ca=True, path_length=3), critical=True)
        .add_extension(_rich_names() if is_rich else _PLAIN_NAMES, critical=False)
    )
    for extension, critical in _rich_extensions(key) if is_rich else ():
        builder = builder.add_extension(extension, critical)
    has_own_hash = isinstance(key, ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey)
    rsa_padding = padding.PSS(padding.MGF1(hashes.SHA384()), 48) if is_rich and kind == "rsa" else None
    certificate = builder.sign(key, None if has_own_hash else hashes.SHA384(), rsa_padding=rsa_padding)
    files = Files(path.with_suffix(".pem"), None, path.with_suffix(".pem"), path.with_suffix(".key"))
    files.leaf.write_bytes(certificate.public_bytes(Encoding.PEM))
    files.key.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return files


def _rsa_pss(path: Path) -> Files:
    """Let openssl make a key that is for RSASSA-PSS only; cryptography makes none."""
    files = Files(path.with_suffix(".pem"), None, path.with_suffix(".pem"), path.with_suffix(".key"))
    key = ("-newkey", "rsa-pss", "-pkeyopt", "rsa_keygen_bits:2048", "-nodes", "-keyout", files.key)
    names = ("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-days", "30")
    config = path.with_suffix(".cnf")
    config.write_text("[req]\ndistinguished_name=name\n[name]\n")
    ended = run("openssl", "req", "-x509", "-config", config, *key, *names, "-out", files.leaf)
    assert ended.code == 0, ended.text
    return files


_PLAIN_NAMES = x509.SubjectAlternativeName([x509.DNSName("localhost")])


def _rich_name() -> x509.Name:
    """Name someone with every attribute that has its own keyword, two of them in one part."""
    single = {
        NameOID.COUNTRY_NAME: "NL",
        NameOID.STATE_OR_PROVINCE_NAME: "Noord-Holland",
        NameOID.LOCALITY_NAME: "’s-Graveland",
        NameOID.STREET_ADDRESS: "Kerkstraat 1",
        NameOID.POSTAL_CODE: "1243",
        NameOID.ORGANIZATION_NAME: "Müller & Söhne",
        NameOID.ORGANIZATION_IDENTIFIER: "VATNL-1",
        NameOID.SERIAL_NUMBER: "42",
        NameOID.TITLE: "Dr",
        NameOID.DOMAIN_COMPONENT: "example",
        NameOID.USER_ID: "me",
        NameOID.EMAIL_ADDRESS: "me@example.org",
    }
    parts = [x509.RelativeDistinguishedName([x509.NameAttribute(oid, text)]) for oid, text in single.items()]
    both = [(NameOID.COMMON_NAME, "localhost"), (NameOID.ORGANIZATIONAL_UNIT_NAME, "Tests")]
    return x509.Name([*parts, x509.RelativeDistinguishedName([x509.NameAttribute(*one) for one in both])])


def _rich_names() -> x509.SubjectAlternativeName:
    """Give every kind of GeneralName that anyone writes."""
    return x509.SubjectAlternativeName(
        [
            x509.DNSName("localhost"),
            x509.DNSName("*.example.org"),
            x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
            x509.IPAddress(ipaddress.ip_address("::1")),
            x509.RFC822Name("me@example.org"),
            x509.UniformResourceIdentifier("https://example.org/me"),
            x509.DirectoryName(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "someone")])),
            x509.RegisteredID(x509.ObjectIdentifier("1.2.3.4")),
            x509.OtherName(x509.ObjectIdentifier("1.3.6.1.4.1.311.20.2.3"), b"\x0c\x02me"),
        ]
    )


def _rich_extensions(key: Key) -> list[tuple[x509.ExtensionType, bool]]:
    """Give every extension that RFC 5280 has for a certificate, and the TLS feature."""
    public = key.public_key()
    example = x509.UniformResourceIdentifier("http://example.org/x")
    usage = dict.fromkeys(("key_encipherment", "data_encipherment", "encipher_only", "decipher_only"), False)
    usage |= dict.fromkeys(("content_commitment", "key_agreement"), False)
    notice = x509.UserNotice(x509.NoticeReference("Example", [1, 2]), "Read this")
    policies = [
        x509.PolicyInformation(x509.ObjectIdentifier("2.5.29.32.0"), None),
        x509.PolicyInformation(x509.ObjectIdentifier("1.2.3.4.5"), ["http://example.org/cps", notice]),
    ]
    constraints = x509.NameConstraints([x509.DNSName("localhost"), x509.DNSName("example.org")], None)
    point = x509.DistributionPoint([example], None, None, None)
    return [
        (x509.KeyUsage(digital_signature=True, key_cert_sign=True, crl_sign=True, **usage), True),
        (x509.ExtendedKeyUsage([Usage.SERVER_AUTH, Usage.CLIENT_AUTH, Usage.OCSP_SIGNING]), False),
        (x509.SubjectKeyIdentifier.from_public_key(public), False),
        (x509.AuthorityKeyIdentifier.from_issuer_public_key(public), False),
        (x509.CertificatePolicies(policies), False),
        (x509.CRLDistributionPoints([point]), False),
        (x509.FreshestCRL([point]), False),
        (
            x509.AuthorityInformationAccess(
                [x509.AccessDescription(Access.OCSP, example), x509.AccessDescription(Access.CA_ISSUERS, example)]
            ),
            False,
        ),
        (constraints, False),
        (x509.PolicyConstraints(2, 3), False),
        (x509.InhibitAnyPolicy(4), False),
        (x509.IssuerAlternativeName([x509.DNSName("issuer.example.org")]), False),
        (x509.TLSFeature([x509.TLSFeatureType.status_request]), False),
        (x509.UnrecognizedExtension(ExtensionOID.PRECERT_SIGNED_CERTIFICATE_TIMESTAMPS, _octets(sct_list())), False),
        (x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.99999.1"), b"\x04\x03abc"), False),
    ]


def _octets(data: bytes) -> bytes:
    """Put at most 255 bytes into an OCTET STRING."""
    return b"\x04" + (b"\x81" if len(data) > 127 else b"") + bytes([len(data)]) + data


def sct_list() -> bytes:
    """Write two signed certificate timestamps as RFC 6962, 3.3 has them; their signatures are nobody's."""
    timestamp = (CLOCK * 1000).to_bytes(8, "big")
    sct = b"\x00" + bytes(range(32)) + timestamp + b"\x00\x00" + b"\x04\x03" + b"\x00\x08" + bytes(8)
    scts = 2 * (len(sct).to_bytes(2, "big") + sct)
    return len(scts).to_bytes(2, "big") + scts


def ocsp_response(files: Files) -> bytes:
    """Say that a self-signed certificate is good, in its own name."""
    certificate = x509.load_pem_x509_certificate(files.leaf.read_bytes())
    key = load_pem_private_key(files.key.read_bytes(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey), "an OCSP response is signed with SHA-256"
    builder = ocsp.OCSPResponseBuilder().add_response(
        cert=certificate,
        issuer=certificate,
        algorithm=hashes.SHA1(),
        cert_status=ocsp.OCSPCertStatus.GOOD,
        this_update=_NOW,
        next_update=_NOW + timedelta(days=1),
        revocation_time=None,
        revocation_reason=None,
    )
    response = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, certificate).sign(key, hashes.SHA256())
    return response.public_bytes(Encoding.DER)
