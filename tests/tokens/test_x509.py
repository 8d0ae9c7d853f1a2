"""Certificates: every field stands where it is said to and means what was put in; hostile ones have a tree."""

from __future__ import annotations

import datetime as dt
import functools
import ipaddress
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import AuthorityInformationAccessOID as Access
from cryptography.x509.oid import ExtendedKeyUsageOID as Usage
from cryptography.x509.oid import NameOID, ObjectIdentifier
from hypothesis import given
from hypothesis import strategies as st

from sspicli.tokens.tree import Node, walk
from sspicli.tokens.x509 import MAX_NAMES, certificate_tree
from sspicli.tokens.x509_names import OIDS, oid_text
from tests.tls_pairs import identity
from tests.tokens.test_tls_fields import assert_sound

PLAIN = identity().certificate
DER = identity().der
SERIAL = 0x7A1122334455667788990011223344556677889A
KEY = b"\1" * 20


def name(*pairs: tuple[ObjectIdentifier, str]) -> x509.Name:
    return x509.Name([x509.NameAttribute(oid, text) for oid, text in pairs])


@functools.cache
def rich() -> x509.Certificate:
    """Make a certificate with every extension that has a shape of its own."""
    key = ec.generate_private_key(ec.SECP256R1())
    uri = x509.UniformResourceIdentifier
    builder = (
        x509.CertificateBuilder()
        .subject_name(
            name(
                (NameOID.COUNTRY_NAME, "NL"), (NameOID.ORGANIZATION_NAME, "Ex\u00e4mple"), (NameOID.COMMON_NAME, "leaf")
            )
        )
        .issuer_name(name((NameOID.COMMON_NAME, "root")))
        .public_key(key.public_key())
        .serial_number(SERIAL)
        .not_valid_before(dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.UTC))
        .not_valid_after(dt.datetime(2055, 6, 7, 8, 9, 10, tzinfo=dt.UTC))
    )
    san = [
        x509.DNSName("a.example"),
        x509.IPAddress(ipaddress.ip_address("192.0.2.1")),
        x509.IPAddress(ipaddress.ip_address("2001:db8::1")),
        x509.RFC822Name("me@a.example"),
        uri("https://a.example/"),
        x509.DirectoryName(name((NameOID.COMMON_NAME, "inner"))),
        x509.RegisteredID(ObjectIdentifier("1.2.3.4")),
        x509.OtherName(ObjectIdentifier("1.3.6.1.4.1.311.20.2.3"), b"\x0c\x02me"),
    ]
    policy = x509.PolicyInformation(
        ObjectIdentifier("2.23.140.1.2.1"),
        ["https://cps.example", x509.UserNotice(x509.NoticeReference("org", [1]), "read this")],
    )
    subtrees = x509.NameConstraints([x509.DNSName("a.example")], [x509.IPAddress(ipaddress.ip_network("10.0.0.0/8"))])
    extensions: list[tuple[x509.ExtensionType, bool]] = [
        (x509.SubjectAlternativeName(san), False),
        (x509.KeyUsage(True, False, False, False, True, False, False, False, True), True),
        (x509.ExtendedKeyUsage([Usage.SERVER_AUTH, ObjectIdentifier("1.2.3.4.5")]), False),
        (x509.BasicConstraints(ca=True, path_length=2), True),
        (x509.SubjectKeyIdentifier(KEY), False),
        (x509.AuthorityKeyIdentifier(KEY, [x509.DirectoryName(name((NameOID.COMMON_NAME, "root")))], 5), False),
        (subtrees, True),
        (x509.CRLDistributionPoints([x509.DistributionPoint([uri("http://a.example/crl")], None, None, None)]), False),
        (x509.CertificatePolicies([policy]), False),
        (
            x509.AuthorityInformationAccess(
                [
                    x509.AccessDescription(Access.OCSP, uri("http://ocsp.example")),
                    x509.AccessDescription(Access.CA_ISSUERS, uri("http://a.example/ca")),
                ]
            ),
            False,
        ),
        (x509.PolicyConstraints(1, 2), True),
        (x509.InhibitAnyPolicy(3), True),
        (x509.TLSFeature([x509.TLSFeatureType.status_request]), False),
        (x509.OCSPNoCheck(), False),
        (x509.UnrecognizedExtension(ObjectIdentifier("1.2.3.4.6"), b"\x04\x02hi"), False),
    ]
    for value, critical in extensions:
        builder = builder.add_extension(value, critical)
    return builder.sign(key, hashes.SHA256())


def der_of(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.DER)


def fields(der: bytes, start: int = 0) -> dict[str, Node]:
    return {path.removeprefix("Certificate."): node for path, node in walk(certificate_tree(der, start))}


def held(path: str) -> bytes:
    """Cut a field of the plain certificate out of its bytes."""
    start, end = fields(DER)[path].span
    return DER[start:end]


def test_validity_is_found_to_the_byte():
    assert held("tbsCertificate.validity.notAfter") == PLAIN.not_valid_after_utc.strftime("%y%m%d%H%M%SZ").encode()
    assert held("tbsCertificate.validity.notBefore") == PLAIN.not_valid_before_utc.strftime("%y%m%d%H%M%SZ").encode()


def test_names_are_found_whole():
    assert held("tbsCertificate.subject") == PLAIN.subject.public_bytes()
    assert held("tbsCertificate.issuer") == PLAIN.issuer.public_bytes()


def test_number_key_and_signature_are_found():
    assert int.from_bytes(held("tbsCertificate.serialNumber"), "big") == PLAIN.serial_number
    key = PLAIN.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert held("tbsCertificate.subjectPublicKeyInfo") == key
    assert held("signature") == PLAIN.signature
    assert held("tbsCertificate") == PLAIN.tbs_certificate_bytes
    assert held("signatureAlgorithm") == held("tbsCertificate.signature")


@pytest.mark.parametrize("certificate", [PLAIN, rich()], ids=["plain", "rich"])
def test_every_extension_is_found_by_what_it_holds(certificate: x509.Certificate):
    der = der_of(certificate)
    said = fields(der)
    for extension in certificate.extensions:
        kind = OIDS.get(said_oid(extension.oid), "unknown")
        start, end = said[f"tbsCertificate.extensions.{kind}.extnValue"].span
        assert der[start:end] == extension.value.public_bytes()
        critical = said.get(f"tbsCertificate.extensions.{kind}.critical")
        assert (critical is not None and critical.meaning == "TRUE") == extension.critical


def said_oid(oid: ObjectIdentifier) -> bytes:
    return next((content for content in OIDS if oid_text(content) == oid.dotted_string), b"")


_EXTENSIONS = "tbsCertificate.extensions"
_SAN = f"{_EXTENSIONS}.subjectAltName.extnValue"


@pytest.mark.parametrize(
    ("path", "value", "meaning"),
    [
        ("tbsCertificate.version", 2, "v3"),
        ("tbsCertificate.serialNumber", SERIAL.to_bytes(20, "big"), ""),
        ("tbsCertificate.subject", None, "C=NL, O=Ex\u00e4mple, CN=leaf"),
        ("tbsCertificate.subject.RelativeDistinguishedName[1].organizationName.value", "Ex\u00e4mple", ""),
        ("tbsCertificate.validity.notBefore", "260102030405Z", "2026-01-02 03:04:05Z"),
        ("tbsCertificate.validity.notAfter", "20550607080910Z", "2055-06-07 08:09:10Z"),
        ("tbsCertificate.subjectPublicKeyInfo", None, "secp256r1"),
        ("signatureAlgorithm.algorithm", "1.2.840.10045.4.3.2", "ecdsa-with-SHA256"),
        (f"{_SAN}.dNSName", "a.example", ""),
        (f"{_SAN}.iPAddress[0]", b"\xc0\0\2\1", "192.0.2.1"),
        (f"{_SAN}.iPAddress[1]", bytes.fromhex("20010db8000000000000000000000001"), "2001:db8::1"),
        (f"{_SAN}.rfc822Name", "me@a.example", ""),
        (f"{_SAN}.uniformResourceIdentifier", "https://a.example/", ""),
        (f"{_SAN}.directoryName", None, "CN=inner"),
        (f"{_SAN}.registeredID", "1.2.3.4", ""),
        (f"{_SAN}.otherName.type-id", "1.3.6.1.4.1.311.20.2.3", "userPrincipalName"),
        (f"{_SAN}.otherName.value", "me", ""),
        (f"{_EXTENSIONS}.keyUsage.extnValue", None, "digitalSignature, keyAgreement, decipherOnly"),
        (f"{_EXTENSIONS}.extendedKeyUsage.extnValue.KeyPurposeId[0]", "1.3.6.1.5.5.7.3.1", "serverAuth"),
        (f"{_EXTENSIONS}.extendedKeyUsage.extnValue.KeyPurposeId[1]", "1.2.3.4.5", ""),
        (f"{_EXTENSIONS}.basicConstraints.extnValue", None, "a CA"),
        (f"{_EXTENSIONS}.basicConstraints.extnValue.pathLenConstraint", 2, ""),
        (f"{_EXTENSIONS}.subjectKeyIdentifier.extnValue.KeyIdentifier", KEY, ""),
        (f"{_EXTENSIONS}.authorityKeyIdentifier.extnValue.keyIdentifier", KEY, ""),
        (f"{_EXTENSIONS}.authorityKeyIdentifier.extnValue.authorityCertSerialNumber", 5, ""),
        (f"{_EXTENSIONS}.nameConstraints.extnValue.permittedSubtrees.GeneralSubtree.dNSName", "a.example", ""),
        (
            f"{_EXTENSIONS}.nameConstraints.extnValue.excludedSubtrees.GeneralSubtree.iPAddress",
            bytes([10, 0, 0, 0, 255, 0, 0, 0]),
            "10.0.0.0/255.0.0.0",
        ),
        (
            f"{_EXTENSIONS}.cRLDistributionPoints.extnValue.DistributionPoint.fullName.uniformResourceIdentifier",
            "http://a.example/crl",
            "",
        ),
        (f"{_EXTENSIONS}.certificatePolicies.extnValue", None, "domain-validated"),
        (
            f"{_EXTENSIONS}.certificatePolicies.extnValue.PolicyInformation.policyQualifiers.PolicyQualifierInfo[0].qualifier",
            "https://cps.example",
            "",
        ),
        (
            f"{_EXTENSIONS}.authorityInfoAccess.extnValue.AccessDescription[1].accessMethod",
            "1.3.6.1.5.5.7.48.2",
            "caIssuers",
        ),
        (
            f"{_EXTENSIONS}.authorityInfoAccess.extnValue.AccessDescription[0].uniformResourceIdentifier",
            "http://ocsp.example",
            "",
        ),
        (f"{_EXTENSIONS}.policyConstraints.extnValue.inhibitPolicyMapping", 2, ""),
        (f"{_EXTENSIONS}.inhibitAnyPolicy.extnValue.SkipCerts", 3, ""),
        (f"{_EXTENSIONS}.tlsFeature.extnValue", None, "status_request"),
        (f"{_EXTENSIONS}.unknown.extnID", "1.2.3.4.6", ""),
        (f"{_EXTENSIONS}.unknown.extnValue", b"\x04\x02hi", ""),
    ],
)
def test_a_field_says_what_was_put_in(path: str, value: object, meaning: str):
    node = fields(der_of(rich()))[path]
    assert (node.value, node.meaning, node.note) == (value, meaning, "")


def test_a_whole_certificate_has_no_notes_and_sound_spans():
    for der in (DER, der_of(rich())):
        tree = certificate_tree(der)
        assert [node.note for _, node in walk(tree) if node.note] == []
        assert tree.span == (0, len(der))
        assert_sound(tree, size=len(der))


def test_spans_are_shifted_as_asked():
    for path, node in fields(DER).items():
        moved = fields(DER, 1000)[path]
        assert moved._replace(children=()) == node._replace(
            span=(node.span[0] + 1000, node.span[1] + 1000), children=()
        )


def builder_for(public_key: ed25519.Ed25519PublicKey | rsa.RSAPublicKey) -> x509.CertificateBuilder:
    """Begin a certificate without extensions."""
    return (
        x509.CertificateBuilder()
        .subject_name(name((NameOID.COMMON_NAME, "k")))
        .issuer_name(name((NameOID.COMMON_NAME, "k")))
        .public_key(public_key)
        .serial_number(1)
        .not_valid_before(dt.datetime(2026, 1, 1, tzinfo=dt.UTC))
        .not_valid_after(dt.datetime(2026, 2, 1, tzinfo=dt.UTC))
    )


def test_keys_say_their_kind_and_size():
    signer = ed25519.Ed25519PrivateKey.generate()
    kinds = []
    for key in (signer, rsa.generate_private_key(65537, 2048)):
        der = der_of(builder_for(key.public_key()).sign(signer, None))
        kinds.append(fields(der)["tbsCertificate.subjectPublicKeyInfo"].meaning)
    assert kinds == ["id-Ed25519", "RSA, 2048 bits"]


def test_a_pss_signature_shows_its_parameters():
    key = rsa.generate_private_key(65537, 2048)
    pss = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
    said = fields(der_of(builder_for(key.public_key()).sign(key, hashes.SHA256(), rsa_padding=pss)))
    assert said["signatureAlgorithm"].meaning == "id-RSASSA-PSS"
    below = [node.meaning for path, node in said.items() if path.startswith("signatureAlgorithm.parameters")]
    assert "id-sha256" in below


def element(tag: int, *contents: bytes) -> bytes:
    content = b"".join(contents)
    size = len(content)
    length = bytes([size]) if size < 128 else b"\x84" + size.to_bytes(4, "big")
    return bytes([tag]) + length + content


def with_extension(oid: bytes, value: bytes) -> bytes:
    """Make a certificate's DER by hand, with one extension and no signature worth the name."""
    algorithm = element(0x30, element(6, b"\x2a\x03"))
    empty = element(0x30)
    extension = element(0x30, element(6, oid), element(4, value))
    validity = element(0x30, element(0x17, b"260101000000Z"), element(0x17, b"270101000000Z"))
    key = element(0x30, algorithm, element(3, b"\0key"))
    extensions = element(0xA3, element(0x30, extension))
    signed = element(
        0x30, element(0xA0, element(2, b"\2")), element(2, b"\1"), algorithm, empty, validity, empty, key, extensions
    )
    return element(0x30, signed, algorithm, element(3, b"\0sig"))


def test_of_thousands_of_names_twenty_are_shown_and_the_rest_counted():
    names = element(0x30, *(element(0x82, f"{number}.example".encode()) for number in range(5000)))
    said = fields(with_extension(b"\x55\x1d\x11", names))
    node = said[f"{_SAN}"]
    assert (len(node.children), node.note) == (MAX_NAMES, "4980 more are not shown")
    assert node.children[-1].value == "19.example"


def test_what_is_not_shaped_as_its_kind_asks_says_so():
    said = fields(with_extension(b"\x55\x1d\x13", element(0x30, element(6, b"\x2a\x03"))))
    node = said[f"{_EXTENSIONS}.basicConstraints.extnValue"]
    assert "left over" in node.note
    assert said["signature"].value == b"sig"


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"\x55\x1d\x11", "2.5.29.17"),
        (b"\x2a", "1.2"),
        (b"\x88\x37", "2.999"),
        (b"", ""),
        (b"\x81", ""),
        (b"\1" * 65, ""),
    ],
)
def test_an_identifier_is_written_with_dots(content: bytes, text: str):
    assert oid_text(content) == text


def test_names_with_control_characters_stay_what_they_are():
    attribute = element(0x30, element(0x31, element(0x30, element(6, b"\x55\x04\x03"), element(0x0C, b"\x1b[2J\xff"))))
    der = with_extension(b"\x55\x1d\x11", element(0x30, element(0xA4, attribute)))
    assert fields(der)[f"{_SAN}.directoryName"].meaning == "CN=\x1b[2J\\xff"


def test_every_prefix_of_a_certificate_has_a_sound_tree():
    for der in (DER, der_of(rich())):
        for size in range(len(der)):
            assert_sound(certificate_tree(der[:size]), size=size)


def test_a_certificate_that_is_cut_short_says_how_much_of_it_is_missing():
    note = certificate_tree(DER[:200]).note
    assert note == f"its length says {len(DER) - 4} bytes, 196 remain"
    assert certificate_tree(b"\x30\x05\x01").note == "its length says 5 bytes, 1 remain"
    for der in (b"", b"\x30", b"\x30\x80\0\0", b"\x3f\x05\0", b"\x30\x82\1", b"\x30\x85\1\1\1\1\1"):
        assert certificate_tree(der).note == "no DER element stands at 0"


@given(st.data())
def test_a_tampered_certificate_has_a_sound_tree(data: st.DataObject):
    der = bytearray(der_of(rich()))
    for _ in range(data.draw(st.integers(1, 4))):
        der[data.draw(st.integers(0, len(der) - 1))] = data.draw(st.integers(0, 255))
    assert_sound(certificate_tree(bytes(der)), size=len(der))


@given(
    oid=st.sampled_from(sorted(content for content in OIDS if content.startswith((b"\x55\x1d", b"\x2b\x06")))),
    value=st.recursive(
        st.binary(max_size=20),
        lambda inner: st.builds(
            element, st.sampled_from([0x30, 0x31, 0xA0, 0xA1, 0xA4, 0x80, 0x82, 2, 3, 4, 6, 0x0C, 0x1E]), inner, inner
        ),
    ),
)
def test_any_extension_of_a_certificate_has_a_sound_tree(oid: bytes, value: bytes):
    der = with_extension(oid, value)
    assert_sound(certificate_tree(der, 7), size=len(der) + 7)


def nested(levels: int) -> bytes:
    bomb = b""
    for _ in range(levels):
        bomb = element(0x30, bomb)
    return bomb


@pytest.mark.parametrize(
    "der",
    [
        with_extension(b"\x2b\x06", nested(5000)),
        nested(5000),
        with_extension(
            b"\x55\x1d\x20",
            element(
                0x30,
                element(
                    0x30,
                    element(6, b"\x2a\x03"),
                    element(0x30, *[element(0x30, element(6, b"\x2a"), nested(300))] * 200),
                ),
            ),
        ),
        element(0x30, element(0x30, element(0x30, *[element(2, b"\1")] * 300_000))),
        element(0x30, element(0x30, element(2, b"\1" * 500_000))),
    ],
    ids=["nested unknown", "nested", "nested qualifiers", "wide", "long number"],
)
def test_hostile_certificates_cost_little(der: bytes):
    began = time.process_time()
    tree = certificate_tree(der)
    assert time.process_time() - began < 1.0
    assert assert_sound(tree, size=len(der)) < 80_000


def test_a_boolean_of_several_bytes_stays_bytes():
    said = fields(with_extension(b"\x55\x1d\x13", element(0x30, element(1, b"\xff\xff"))))
    node = said[f"{_EXTENSIONS}.basicConstraints.extnValue.cA"]
    assert (node.value, node.meaning) == (b"\xff\xff", "")
