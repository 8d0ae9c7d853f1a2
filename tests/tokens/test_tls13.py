"""TLS 1.3 tokens of real sessions open with the session's secrets, and only with them."""

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from sspicli.tokens.tls import TlsReader
from sspicli.tokens.tls13 import SUITES, TrafficKeys, expand_label
from tests.tls_pairs import Ends, Recipe, Sent, identity, names, read, session

SUITE_NAMES = [
    b"TLS_AES_128_GCM_SHA256",
    b"TLS_AES_256_GCM_SHA384",
    b"TLS_CHACHA20_POLY1305_SHA256",
    b"TLS_AES_128_CCM_SHA256",
    b"TLS_AES_128_CCM_8_SHA256",
]

FULL = [
    "ClientHello",
    "ServerHello ChangeCipherSpec {EncryptedExtensions} {Certificate} {CertificateVerify} {Finished}",
    "ChangeCipherSpec {Finished}",
    "{NewSessionTicket} {NewSessionTicket}",
    "{ApplicationData}",
    "{ApplicationData}",
    "{Alert warning close_notify}",
    "{Alert warning close_notify}",
]


def reference_expand(secret, label, size):
    info = size.to_bytes(2, "big") + bytes([len(label) + 6]) + b"tls13 " + label + b"\0"
    return HKDFExpand(hashes.SHA256(), size, info).derive(secret)


def sealed(secret, sequence, inner):
    """Protect a record as a peer with TLS_AES_128_GCM_SHA256 would, with none of the code under test."""
    header = b"\x17\x03\x03" + (len(inner) + 16).to_bytes(2, "big")
    iv = int.from_bytes(reference_expand(secret, b"iv", 12), "big") ^ sequence
    return header + AESGCM(reference_expand(secret, b"key", 16)).encrypt(iv.to_bytes(12, "big"), inner, header)


def secret_of(lines, label):
    return next(bytes.fromhex(line.split()[2]) for line in lines if line.startswith(label))


@pytest.mark.parametrize("suite", SUITE_NAMES)
def test_a_full_handshake_opens_with_every_suite(suite):
    assert names(session(Recipe(suite=suite)).sent) == FULL


def test_opened_messages_are_what_was_said():
    readings = read(session().sent)
    certificate = next(one for one in readings[1] if one.name == "Certificate")
    assert identity().der in certificate.body
    assert readings[4][0].body == b"ping"
    assert readings[6][0].body == b"\x01\x00"


def test_a_retried_hello_is_told_from_an_answered_one():
    found = names(session(Recipe(server_curve=ec.SECP384R1())).sent)
    assert found[:5] == [
        "ClientHello",
        "HelloRetryRequest ChangeCipherSpec",
        "ChangeCipherSpec ClientHello",
        "ServerHello {EncryptedExtensions} {Certificate} {CertificateVerify} {Finished}",
        "{Finished}",
    ]


def test_a_resumed_handshake_shows_no_certificate():
    resumed = session(resumed=True)
    assert names(resumed.sent)[1] == "ServerHello ChangeCipherSpec {EncryptedExtensions} {Finished}"


def test_a_mutual_handshake_shows_both_certificates():
    found = names(session(Recipe(is_mutual=True)).sent)
    assert "{CertificateRequest} {Certificate} {CertificateVerify} {Finished}" in found[1]
    assert found[2] == "ChangeCipherSpec {Certificate} {CertificateVerify} {Finished}"


def test_a_clear_alert_after_the_hellos_is_read():
    refused = session(Recipe(valid_days=-1))
    alert = read(refused.sent)[2]
    assert refused.error
    assert [(one.name, one.encrypted, one.span) for one in alert] == [
        ("Alert fatal certificate_expired", False, (0, 7))
    ]


def test_a_certificate_over_several_records_is_one_message():
    long = Ends(Recipe(chain_length=60)).connect()
    reading = read(long.sent)[1]
    certificate = next(one for one in reading if one.name == "Certificate")
    assert len(certificate.body) > 16384
    assert certificate.span[1] - certificate.span[0] == len(certificate.body) + 2 * 22


def test_a_long_payload_is_several_messages():
    reading = read(Ends().connect(payload=bytes(40000)).sent)[4]
    assert [len(one.body) for one in reading] == [16384, 16384, 7232]


def test_without_secrets_protected_messages_say_what_lacks():
    bare = [one._replace(secrets=()) for one in session().sent]
    protected = [one for reading in read(bare) for one in reading if one.encrypted]
    assert {one.name for one in protected} == {"Encrypted"}
    assert protected[0].note == "the key log has no SERVER_HANDSHAKE_TRAFFIC_SECRET"


def test_secrets_of_another_session_open_nothing():
    other = Ends().connect().secrets
    mixed = [one._replace(secrets=other if index == 0 else ()) for index, one in enumerate(session().sent)]
    protected = [one for reading in read(mixed) for one in reading if one.encrypted]
    assert {one.name for one in protected} == {"Encrypted"}
    assert protected[0].note == "the key log's keys do not open this record"


def test_the_right_secrets_take_over_from_another_sessions():
    whole, other = session(), Ends().connect().secrets
    lines = {0: other, 2: whole.secrets}
    mixed = [one._replace(secrets=lines.get(index, ())) for index, one in enumerate(whole.sent)]
    assert names(mixed)[1].endswith("{Encrypted} {Encrypted} {Encrypted} {Encrypted}")
    assert names(mixed)[2:] == FULL[2:]


def test_a_stray_change_cipher_spec_changes_no_keys():
    whole = session()
    reader = TlsReader()
    read(whole.sent[:5], reader=reader)
    stray = bytes.fromhex("140303000101") + whole.sent[6].token
    assert [one.name for one in reader.read("client", stray)] == ["ChangeCipherSpec", "Alert warning close_notify"]


def test_secrets_may_come_before_everything():
    whole = session()
    early = [Sent("client", b"", whole.secrets), *(one._replace(secrets=()) for one in whole.sent)]
    assert names(early)[1:] == FULL


def test_secrets_that_come_late_open_what_follows():
    whole = session()
    late = [one._replace(secrets=whole.secrets if index == 2 else ()) for index, one in enumerate(whole.sent)]
    found = names(late)
    assert found[1] == "ServerHello ChangeCipherSpec {Encrypted} {Encrypted} {Encrypted} {Encrypted}"
    assert found[2:] == FULL[2:]


def test_a_tampered_record_closes_only_itself():
    whole = session()
    reading = read(whole.sent)[1]
    start = next(one for one in reading if one.name == "EncryptedExtensions").span[0]
    token = bytearray(whole.sent[1].token)
    token[start + 8] ^= 1
    tampered = (whole.sent[0], whole.sent[1]._replace(token=bytes(token)), *whole.sent[2:])
    expected = list(FULL)
    expected[1] = expected[1].replace("EncryptedExtensions", "Encrypted")
    assert names(tampered) == expected


def test_application_keys_alone_open_application_data():
    whole = session()
    only = [
        one._replace(secrets=tuple(line for line in one.secrets if "_TRAFFIC_SECRET_0" in line)) for one in whole.sent
    ]
    assert names(only)[3:] == FULL[3:]


def test_keys_follow_a_key_update():
    whole = session(Recipe(suite=b"TLS_AES_128_GCM_SHA256"))
    reader = TlsReader()
    read(whole.sent[:4], reader=reader)
    secret = secret_of(whole.secrets, "CLIENT_TRAFFIC_SECRET_0")
    for sequence in (0, 1):  # the second generation has sent one record
        following = reference_expand(secret, b"traffic upd", 32)
        update = sealed(secret, sequence, b"\x18\x00\x00\x01\x01\x16")
        first = sealed(following, 0, b"after\x17\0\0\0")
        reading = reader.read("client", update + first)
        assert [(one.name, one.body) for one in reading] == [
            ("KeyUpdate", b"\x18\x00\x00\x01\x01"),
            ("ApplicationData", b"after"),
        ]
        secret = following


def test_padding_alone_is_no_message():
    whole = session(Recipe(suite=b"TLS_AES_128_GCM_SHA256"))
    reader = TlsReader()
    read(whole.sent[:4], reader=reader)
    secret = secret_of(whole.secrets, "CLIENT_TRAFFIC_SECRET_0")
    assert [one.name for one in reader.read("client", sealed(secret, 0, b"\0\0\0"))] == ["Encrypted"]


def test_labels_expand_as_hkdf_says():
    secret = bytes(range(32))
    for label, size in ((b"key", 16), (b"key", 32), (b"iv", 12), (b"traffic upd", 32)):
        assert expand_label("sha256", secret, label=label, size=size) == reference_expand(secret, label, size)


@pytest.mark.parametrize("suite", SUITES)
def test_no_suite_opens_too_short_a_record(suite):
    keys = TrafficKeys(SUITES[suite], bytes(32))
    assert all(keys.open(b"\x17\x03\x03\0\0", bytes(size), 0) is None for size in range(20))
