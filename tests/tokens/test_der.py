"""DER spans: fields of real certificates are found where they stand, and hostile bytes end a walk."""

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from sspicli.tokens.der import MAX_DEPTH, certificate_field_span, certificate_fields, read_element, walk
from tests.tls_pairs import identity

CERTIFICATE = identity().certificate
DER = identity().der


def field(path):
    span = certificate_field_span(DER, path)
    assert span is not None
    return DER[span[0] : span[1]]


def test_validity_is_found_to_the_byte():
    assert field("validity.notAfter") == CERTIFICATE.not_valid_after_utc.strftime("%y%m%d%H%M%SZ").encode()
    assert field("validity.notBefore") == CERTIFICATE.not_valid_before_utc.strftime("%y%m%d%H%M%SZ").encode()


def test_names_are_found_whole():
    assert field("subject") == CERTIFICATE.subject.public_bytes()
    assert field("issuer") == CERTIFICATE.issuer.public_bytes()
    assert certificate_field_span(DER, "subject") != certificate_field_span(DER, "issuer")


def test_number_key_and_signature_are_found():
    assert int.from_bytes(field("serialNumber"), "big") == CERTIFICATE.serial_number
    key = CERTIFICATE.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert field("subjectPublicKeyInfo") == key
    assert field("signature") == b"\0" + CERTIFICATE.signature
    assert field("tbsCertificate") == CERTIFICATE.tbs_certificate_bytes
    assert field("signatureAlgorithm") == field("tbsCertificate.signature")


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("extensions.subjectAltName", x509.SubjectAlternativeName),
        ("extensions.extendedKeyUsage", x509.ExtendedKeyUsage),
        ("extensions.basicConstraints", x509.BasicConstraints),
    ],
)
def test_extensions_are_found_by_what_they_hold(path, kind):
    assert field(path) == CERTIFICATE.extensions.get_extension_for_class(kind).value.public_bytes()


@pytest.mark.parametrize("path", ["", "validity.", "extensions.keyUsage", "nothing"])
def test_a_field_that_is_not_there_has_no_span(path):
    assert certificate_field_span(DER, path) is None


def test_every_prefix_of_a_certificate_is_refused():
    assert all(certificate_field_span(DER[:size], "validity") is None for size in range(len(DER)))


@pytest.mark.parametrize(
    "hostile", ["", "30", "3080", "30847fffffff", "3085010000000000", "1f8101", "30ff", "30030201"]
)
def test_lengths_that_cannot_be_are_no_elements(hostile):
    assert read_element(bytes.fromhex(hostile)) is None


def test_nesting_stops_at_the_cap():
    bomb = b""
    for _ in range(1000):
        bomb = b"\x30\x82" + len(bomb).to_bytes(2, "big") + bomb
    assert [depth for depth, _ in walk(bomb)] == list(range(MAX_DEPTH))


@given(st.binary(max_size=200))
def test_a_walk_over_any_bytes_stays_within_them(data):
    for depth, element in walk(data):
        assert 0 <= depth < MAX_DEPTH
        assert 0 <= element.start < element.value_start <= element.end <= len(data)


@given(st.integers(0, len(DER) - 1), st.integers(0, 255))
def test_fields_of_a_tampered_certificate_stay_within_it(position, value):
    tampered = DER[:position] + bytes([value]) + DER[position + 1 :]
    for path in certificate_fields(tampered):
        span = certificate_field_span(tampered, path)
        assert span is not None
        assert 0 <= span[0] <= span[1] <= len(tampered)
