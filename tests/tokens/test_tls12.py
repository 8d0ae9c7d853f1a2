"""TLS 1.2 tokens of real sessions open with the master secret, in every mode AES and ChaCha20 have there."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sspicli.tokens.tls import TlsReader
from sspicli.tokens.tls12 import CbcKeys, Layout, Negotiated, layout, record_keys
from sspicli.tokens.tls_suites import CIPHER_SUITES
from tests.tls_pairs import NO_ENCRYPT_THEN_MAC, TLS12, Ends, Recipe, identity, names, read, session

EC_SUITES = [
    b"ECDHE-ECDSA-AES128-GCM-SHA256",
    b"ECDHE-ECDSA-AES256-GCM-SHA384",
    b"ECDHE-ECDSA-CHACHA20-POLY1305",
    b"ECDHE-ECDSA-AES128-CCM",
    b"ECDHE-ECDSA-AES256-CCM8",
    b"ECDHE-ECDSA-AES128-SHA",
    b"ECDHE-ECDSA-AES256-SHA",
    b"ECDHE-ECDSA-AES128-SHA256",
    b"ECDHE-ECDSA-AES256-SHA384",
]
CBC_SUITES = EC_SUITES[5:]

END = ["{ApplicationData}", "{ApplicationData}", "{Alert warning close_notify}", "{Alert warning close_notify}"]
FULL = [
    "ClientHello",
    "ServerHello Certificate ServerKeyExchange ServerHelloDone",
    "ClientKeyExchange ChangeCipherSpec {Finished}",
    "NewSessionTicket ChangeCipherSpec {Finished}",
    *END,
]


def opened(recipe):
    made = session(recipe)
    readings = read(made.sent)
    assert readings[4][0].body == b"ping"
    assert [len(one.body) for reading in readings for one in reading if one.name == "Finished"] == [16, 16]
    return names(made.sent)


@pytest.mark.parametrize("suite", EC_SUITES)
def test_a_full_handshake_opens_with_every_suite(suite):
    assert opened(Recipe(TLS12, suite)) == FULL


@pytest.mark.parametrize("suite", CBC_SUITES)
def test_mac_then_encrypt_opens_too(suite):
    assert opened(Recipe(TLS12, suite, options=NO_ENCRYPT_THEN_MAC)) == FULL


@pytest.mark.parametrize("suite", [b"AES128-GCM-SHA256", b"AES256-SHA256", b"AES128-SHA"])
def test_rsa_key_exchange_opens(suite):
    expected = list(FULL)
    expected[1] = "ServerHello Certificate ServerHelloDone"
    assert opened(Recipe(TLS12, suite, key_kind="rsa")) == expected


@pytest.mark.parametrize("suite", [EC_SUITES[0], EC_SUITES[2], EC_SUITES[7]])
def test_a_resumed_handshake_opens(suite):
    found = names(session(Recipe(TLS12, suite), resumed=True).sent)
    assert found == ["ClientHello", "ServerHello ChangeCipherSpec {Finished}", "ChangeCipherSpec {Finished}", *END]


def test_a_mutual_handshake_shows_both_certificates():
    found = opened(Recipe(TLS12, is_mutual=True))
    assert found[1] == "ServerHello Certificate ServerKeyExchange CertificateRequest ServerHelloDone"
    assert found[2] == "Certificate ClientKeyExchange CertificateVerify ChangeCipherSpec {Finished}"


def test_a_clear_alert_before_the_keys_is_read():
    refused = session(Recipe(TLS12, valid_days=-1))
    assert names(refused.sent)[2] == "Alert fatal certificate_expired"


def test_a_clear_alert_after_the_keys_is_read():
    reader = TlsReader()
    read(session(Recipe(TLS12)).sent[:4], reader=reader)
    (alert,) = reader.read("client", bytes.fromhex("1503030002022a"))
    assert (alert.name, alert.encrypted) == ("Alert fatal bad_certificate", False)


def test_a_certificate_over_several_records_is_one_message():
    reading = read(Ends(Recipe(TLS12, chain_length=60)).connect().sent)[1]
    certificate = reading[1]
    assert certificate.name == "Certificate"
    assert certificate.body.count(identity().der) == 60


def test_without_the_master_secret_protected_messages_say_what_lacks():
    bare = [one._replace(secrets=()) for one in session(Recipe(TLS12)).sent]
    protected = [one for reading in read(bare) for one in reading if one.encrypted]
    assert {(one.name, one.note) for one in protected} == {("Encrypted", "the key log has no CLIENT_RANDOM")}


@pytest.mark.parametrize("suite", [EC_SUITES[1], EC_SUITES[2], EC_SUITES[6], EC_SUITES[7]])
def test_a_tampered_record_closes_only_itself(suite):
    whole = session(Recipe(TLS12, suite))
    token = bytearray(whole.sent[3].token)
    token[-20] ^= 1
    tampered = [*whole.sent[:3], whole.sent[3]._replace(token=bytes(token)), *whole.sent[4:]]
    expected = list(FULL)
    expected[3] = "NewSessionTicket ChangeCipherSpec {Encrypted}"
    assert names(tampered) == expected


def test_a_suite_is_read_off_its_name():
    assert layout(0xC02C) == Layout("GCM", 32, "sha384", "", 4)
    assert layout(0xCCA9) == Layout("POLY1305", 32, "sha256", "", 12)
    assert layout(0xC0AE) == Layout("CCM_8", 16, "sha256", "", 4)
    assert layout(0x002F) == Layout("CBC", 16, "sha256", "sha1", 0)
    assert layout(0xC028) == Layout("CBC", 32, "sha384", "sha384", 0)


def test_every_aes_and_chacha20_suite_has_a_layout():
    protected = {number for number, name in CIPHER_SUITES.items() if "_WITH_AES" in name or "_WITH_CHACHA20" in name}
    assert {number for number in CIPHER_SUITES if layout(number)} == protected


def test_other_suites_are_left_closed():
    assert record_keys(Negotiated(0x000A, bytes(32), bytes(32), False), bytes(48), sender="client") is None


@pytest.mark.parametrize("suite", [0xC02B, 0xC0AE, 0xCCA9, 0xC009])
def test_no_suite_opens_too_short_a_record(suite):
    keys = record_keys(Negotiated(suite, bytes(32), bytes(32), False), bytes(48), sender="server")
    assert keys is not None
    assert all(keys.open(b"\x17\x03\x03\0\0", bytes(size), 0) is None for size in range(70))


@given(st.binary(max_size=200), st.booleans())
def test_no_bytes_make_cbc_raise(body, encrypt_then_mac):
    keys = CbcKeys(bytes(16), bytes(20), mac_hash="sha1", encrypt_then_mac=encrypt_then_mac)
    assert keys.open(b"\x17\x03\x03\0\0", body, 0) is None
