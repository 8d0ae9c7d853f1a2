"""One failure for each row of the status map, on the real engine; a row without a case fails the suite."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from sspicli.packages.certificates import Authority
from sspicli.packages.schannel_failures import (
    ASSUMPTIONS,
    CERTIFICATE_ROWS,
    ENGINE_DIFFERENCES,
    NOT_IN_THE_TABLE,
    RECEIVED_ROWS,
    ROWS,
    Clues,
    find_row,
)
from sspicli.sspi.alerts import ALERTS
from sspicli.sspi.package import Role, Source
from sspicli.sspi.schannel import SCH_CRED_REVOCATION_CHECK_END_CERT, CertContext
from sspicli.sspi.status import SecurityStatus
from tests.schannel_pair import (
    AUTHORITY,
    CLOCK,
    TARGET,
    TLS12_ONLY,
    TLS13_ONLY,
    Leg,
    Pair,
    certificate,
    credentials,
    pair,
)

DAY = 86_400
AES128 = {"cipher_suites": ("TLS_AES_128_GCM_SHA256",), **TLS13_ONLY}
CHECKS_REVOCATION = {"flags": SCH_CRED_REVOCATION_CHECK_END_CERT}


def server_of(given: str | CertContext, **changes):
    chosen = certificate(given) if isinstance(given, str) else given
    return credentials(certificates=(chosen,), **changes)


def last_of_client(both: Pair) -> Leg:
    return both.run().client.legs[-1]


def last_of_server(both: Pair) -> Leg:
    return both.run().server.legs[-1]


def refused(given: str | CertContext, **changes) -> Leg:
    """Let a client refuse a server's certificate."""
    return last_of_client(pair(client=credentials(**changes), server=server_of(given)))


# -- how to get each row ------------------------------------------------------


def issued(*extensions: tuple[x509.ExtensionType, bool]) -> CertContext:
    """Issue a good leaf of the test authority, with more extensions."""
    key, root = Ed25519PrivateKey.generate(), AUTHORITY.root
    now = datetime.fromtimestamp(CLOCK, tz=UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, TARGET)]))
        .issuer_name(root.name)
        .public_key(key.public_key())
        .serial_number(5)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(TARGET)]), critical=False)
    )
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical=critical)
    encoding = serialization.Encoding.DER
    pkcs8 = key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return CertContext((builder.sign(root.key, None).public_bytes(encoding),), pkcs8)


def with_a_spoilt_signature() -> CertContext:
    good = certificate()
    leaf = good.chain[0]
    return CertContext((leaf[:-1] + bytes([leaf[-1] ^ 1]),), good.private_key)


def unknown_critical_extension() -> CertContext:
    return issued((x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00"), True))


def stale_list(days: int) -> Leg:
    crl = Authority.create(seed=AUTHORITY.seed, clock=CLOCK + days * DAY).crl_der
    return refused("valid", crls=(crl,), **CHECKS_REVOCATION)


def to_client(data: bytes, **changes) -> Leg:
    """Give a client these bytes instead of the server's flight."""
    both = pair(client=credentials(**changes))
    both.client.begin()
    return both.client.take(data)


def hello_changed(change: Callable[[bytes], bytes], **changes) -> Leg:
    """Give a server a ClientHello changed on the way."""
    both = pair(client=credentials(**changes))
    return both.server.take(change(both.client.begin().token))


def flight_changed(change: Callable[[bytes], bytes], **changes) -> Leg:
    """Give a client a server flight changed on the way."""
    both = pair(client=credentials(**changes))
    return both.client.take(change(both.server.take(both.client.begin().token).token))


def flip(position: int) -> Callable[[bytes], bytes]:
    return lambda data: data[:position] + bytes([data[position] ^ 1]) + data[position:][1:]


def replaced(old: bytes, new: bytes) -> Callable[[bytes], bytes]:
    def change(data: bytes) -> bytes:
        assert data.count(old) == 1, f"{old.hex()} stands {data.count(old)} times in the message"
        return data.replace(old, new)

    return change


def with_compression(hello: bytes) -> bytes:
    """Offer another compression method than null, which TLS 1.3 forbids."""
    suites_at = 44 + hello[43]
    method_at = suites_at + 2 + int.from_bytes(hello[suites_at : suites_at + 2], "big") + 1
    return hello[:method_at] + b"\x01" + hello[method_at + 1 :]


def random_changed() -> Leg:
    """Change the client's random on the way: what the server signs is not what the client said."""
    both = pair(client=credentials(**TLS12_ONLY))
    hello = both.client.begin().token
    return both.client.take(both.server.take(flip(20)(hello)).token)


def protected_alert(secret: str, *, padding: int) -> bytes:
    """Protect a fatal bad_certificate under a traffic secret of a key-log line, as AES-128-GCM record number 0."""
    key = bytes.fromhex(secret)

    def expand(label: str, size: int) -> bytes:
        name = b"tls13 " + label.encode()
        info = size.to_bytes(2, "big") + bytes([len(name)]) + name + b"\x00"
        return HKDFExpand(hashes.SHA256(), size, info).derive(key)

    plain = bytes([2, 42, 21]) + bytes(padding)
    header = b"\x17\x03\x03" + (len(plain) + 16).to_bytes(2, "big")
    return header + AESGCM(expand("key", 16)).encrypt(expand("iv", 12), plain, header)


def encrypted_alert_at_client(padding: int) -> Leg:
    """Let a server's hello be followed by an encrypted alert."""
    both = pair(client=credentials(**AES128))
    made = both.server.take(both.client.begin().token)
    secret = next(line.split()[2] for line in made.result.secrets if line.startswith("SERVER_HANDSHAKE"))
    hello_size = 5 + int.from_bytes(made.token[3:5], "big")
    return both.client.take(made.token[:hello_size] + protected_alert(secret, padding=padding))


CLOSE_NOTIFY = bytes.fromhex("15030300020100")


def absent(version) -> Leg:
    server = server_of("valid", requires_client_certificate=True, **version)
    return last_of_server(pair(server=server, client_flags=0x80))


CASES: dict[str, Callable[[], Leg]] = {
    "certificate-expired": lambda: refused("expired"),
    "certificate-not-yet-valid": lambda: refused("not-yet-valid"),
    "untrusted-root": lambda: refused("untrusted"),
    "wrong-name": lambda: refused("wrong-name"),
    "revoked": lambda: refused("revoked", crls=(AUTHORITY.crl_der,), **CHECKS_REVOCATION),
    "no-revocation-list": lambda: refused("valid", **CHECKS_REVOCATION),
    "stale-revocation-list": lambda: stale_list(-60),
    "wrong-usage": lambda: refused("wrong-usage"),
    "bad-certificate-signature": lambda: refused(with_a_spoilt_signature()),
    "weak-key": lambda: refused("weak-key"),
    "other-chain-error": lambda: refused(unknown_critical_extension()),
    "garbage-header": lambda: to_client(b"\xfa" * 64),
    "no-common-application-protocol": lambda: last_of_server(pair(client_protocols=("h2",), server_protocols=("h3",))),
    "closed-in-handshake": lambda: to_client(CLOSE_NOTIFY),
    "client-certificate-required": lambda: absent(TLS13_ONLY),
    "no-server-certificate": lambda: last_of_server(pair(server=credentials())),
    "unreadable-alert": lambda: encrypted_alert_at_client(10),
    "no-common-version": lambda: last_of_server(
        pair(client=credentials(**TLS12_ONLY), server=server_of("valid", **TLS13_ONLY))
    ),
    "no-common-algorithm": lambda: last_of_server(pair(server=server_of("valid", groups=("secp256r1",)))),
    "unexpected-message": lambda: hello_changed(lambda hello: hello[:5] + b"\x02" + hello[6:]),
    "record-altered": lambda: flight_changed(flip(-1), **TLS13_ONLY),
    "record-overflow": lambda: hello_changed(lambda _: b"\x16\x03\x01\x41\x00" + bytes(0x4100)),
    "illegal-parameter": lambda: hello_changed(with_compression, **TLS13_ONLY),
    "decode-error": lambda: hello_changed(lambda hello: hello[:43] + b"\xff" + hello[44:]),
    "verify-data-wrong": random_changed,
    "missing-extension": lambda: hello_changed(replaced(b"\x00\x0d\x00", b"\x5a\x5a\x00"), **TLS13_ONLY),
    "unsupported-extension": lambda: flight_changed(replaced(b"\x00\x17\x00\x00", b"\x00\x12\x00\x00"), **TLS12_ONLY),
    "bad-server-name": lambda: hello_changed(replaced(b"\x0eserver", b"\x0eserv\x00r")),
    "malformed-certificate": lambda: flight_changed(
        replaced(bytes.fromhex("a0030201020210"), bytes.fromhex("a003020102027f")), **TLS12_ONLY
    ),
    "engine-internal": lambda: pair(client=credentials(signature_algorithms=("ecdsa_sha1",))).client.begin(),
    "received-unregistered-alert": lambda: to_client(bytes([21, 3, 3, 0, 2, 2, 77])),
    **{row.id: partial(to_client, bytes([21, 3, 3, 0, 2, 2, row.alert or 0])) for row in RECEIVED_ROWS},
}

# What no row covers; a failure that brought the engine here would be worth a row.
NOT_REACHED = {"not-in-the-table"}


def test_every_row_has_a_case_and_every_case_a_row():
    assert {row.id for row in ROWS} == set(CASES) | NOT_REACHED
    assert len({row.id for row in ROWS}) == len(ROWS)


@pytest.mark.parametrize("row", [row for row in ROWS if row.id not in NOT_REACHED], ids=lambda row: row.id)
def test_the_engine_fails_as_the_row_says(row):
    leg = CASES[row.id]()

    assert (leg.evidence.row, leg.status) == (row.id, row.status)
    assert leg.evidence.source is row.source
    if row.is_received:
        assert leg.token == leg.alert == b""
        assert leg.received.number == (row.alert or 77)
    elif row.alert is None:
        assert leg.evidence.alert_sent is None or row.id == "other-chain-error"
    else:
        assert leg.sent.number == row.alert
        assert leg.alert == bytes([2, row.alert])


@pytest.mark.parametrize("number", [number for number in ALERTS if number])
@pytest.mark.parametrize("version", [TLS12_ONLY, TLS13_ONLY], ids=["1.2", "1.3"])
def test_a_server_maps_received_alerts_as_a_client_does(number, version):
    both = pair(client=credentials(**version))
    both.server.take(both.client.begin().token)

    leg = both.server.take(bytes([21, 3, 3, 0, 2, 2, number]))

    assert (leg.status, leg.received.number) == (ALERTS[number].status, number)


@pytest.mark.parametrize(
    ("preset", "row"),
    [
        ("expired", "certificate-expired"),
        ("not-yet-valid", "certificate-not-yet-valid"),
        ("untrusted", "untrusted-root"),
        ("self-signed", "untrusted-root"),
        ("wrong-usage", "wrong-usage"),
        ("weak-key", "weak-key"),
    ],
)
@pytest.mark.parametrize("version", [TLS12_ONLY, TLS13_ONLY], ids=["1.2", "1.3"])
def test_a_server_refuses_a_bad_client_certificate_with_an_alert_of_the_same_number(preset, row, version):
    client = credentials(certificates=(certificate(preset, name="client", usage="client"),), **version)
    wanted = next(one for one in CERTIFICATE_ROWS if one.id == row)

    both = pair(client=client, server_flags=2).run()
    leg = both.server.legs[-1]

    assert (leg.evidence.row, leg.status) == (row, wanted.status)
    assert (leg.alert, leg.sent.number) == (bytes([2, leg.sent.number]), wanted.alert)
    assert leg.sent.encrypted == (version is TLS13_ONLY)
    assert leg.evidence.verify_depth == 0


@pytest.mark.parametrize("suite", ["AES_128_GCM", "AES_256_GCM", "CHACHA20_POLY1305", "AES_128_CCM"])
def test_the_number_of_an_encrypted_alert_is_known_with_every_suite(suite):
    names = (f"TLS_{suite}_SHA384" if "256_GCM" in suite else f"TLS_{suite}_SHA256",)
    client = credentials(cipher_suites=names, certificates=(certificate("expired", name="client", usage="client"),))

    leg = pair(client=client, server=server_of("valid", cipher_suites=names), server_flags=2).run().server.legs[-1]

    assert leg.evidence.alert_sent == (2, 45, True, 24)


@pytest.mark.parametrize(
    ("name", "matches"),
    [("*.server.example", True), ("*.example", False), ("w*.server.example", False), ("WWW.server.example", True)],
)
def test_a_wildcard_stands_for_one_whole_label_with_two_behind_it(name, matches):
    both = pair(target="www.server.example", server=server_of(certificate("valid", name=name))).run()

    assert both.client.is_done == matches
    if not matches:
        leg = both.client.legs[-1]
        assert leg.status.name == "SEC_E_WRONG_PRINCIPAL"
        assert leg.evidence.detail == f"certificate names {name}, the target is www.server.example"


def test_a_server_that_validates_manually_takes_any_client_certificate():
    client = credentials(certificates=(certificate("untrusted", name="client", usage="client"),))
    server = server_of("valid", flags=0x8, requires_client_certificate=True)

    assert pair(client=client, server=server).run().server.is_done


@pytest.mark.parametrize("version", [TLS12_ONLY, TLS13_ONLY], ids=["1.2", "1.3"])
def test_a_record_altered_on_the_way_to_the_server_is_told_by_the_alert_it_makes(version):
    both = pair(client=credentials(**version))
    answer = both.client.take(both.server.take(both.client.begin().token).token)

    leg = both.server.take(flip(-1)(answer.token))

    assert (leg.evidence.row, leg.alert) == ("record-altered", b"\x02\x14")


@pytest.mark.parametrize("level", [1, 2])
def test_user_canceled_ends_a_handshake_though_the_engine_would_wait(level):
    both = pair(client=credentials(**TLS13_ONLY))
    both.server.take(both.client.begin().token)

    leg = both.server.take(bytes([21, 3, 3, 0, 2, level, 90]))

    assert leg.status.name == "SEC_E_UNFINISHED_CONTEXT_DELETED"
    assert leg.evidence.alert_received == (level, 90, False, 7)


def test_an_alert_marked_as_tls10_is_read_though_the_engine_refuses_the_record():
    both = pair(client=credentials(**TLS12_ONLY))
    both.server.take(both.client.begin().token)

    leg = both.server.take(bytes([21, 3, 1, 0, 2, 2, 40]))

    assert (leg.status.name, leg.evidence.row) == ("SEC_E_ILLEGAL_MESSAGE", "received-handshake-failure")


def test_a_warning_alert_is_passed_over():
    both = pair()
    flight = both.server.take(both.client.begin().token).token

    assert both.client.take(bytes([21, 3, 3, 0, 2, 1, 112]) + flight).status.name == "SEC_E_OK"


def test_the_tls12_row_of_an_absent_certificate_sends_alert_40():
    assert absent(TLS12_ONLY).alert == b"\x02\x28"


def test_a_tls13_server_without_a_certificate_is_explained_although_the_alert_speaks_of_versions():
    leg = last_of_server(pair(server=credentials(**TLS13_ONLY)))

    assert (leg.evidence.row, leg.alert) == ("no-server-certificate", b"\x02\x46")


@pytest.mark.parametrize(
    ("client", "server"),
    [
        ({"cipher_suites": ("TLS_AES_128_GCM_SHA256",)}, {"cipher_suites": ("TLS_AES_256_GCM_SHA384",)}),
        ({"signature_algorithms": ("ecdsa_secp256r1_sha256",)}, {}),
        (TLS13_ONLY, {"groups": ("secp256r1",)}),
    ],
    ids=["suite", "signature", "group"],
)
def test_no_common_algorithm_of_any_kind_is_one_row(client, server):
    leg = last_of_server(pair(client=credentials(**client), server=server_of("valid", **server)))

    assert (leg.evidence.row, leg.alert) == ("no-common-algorithm", b"\x02\x28")
    assert leg.evidence.detail.startswith("the server allows ")


def test_an_encrypted_alert_to_a_client_is_read_by_its_number():
    leg = encrypted_alert_at_client(0)

    assert (leg.status.name, leg.evidence.row) == ("SEC_E_CERT_UNKNOWN", "received-bad-certificate")
    assert leg.evidence.alert_received == (2, 42, True, 24)


def test_an_early_list_is_as_stale_as_a_late_one():
    assert stale_list(60).evidence.verify_code == 11


@pytest.mark.parametrize(("flag", "days"), [(0x800, None), (0x1000, -60)], ids=["no list", "stale list"])
def test_flags_tolerate_revocation_that_cannot_be_checked(flag, days):
    crls = () if days is None else (Authority.create(seed=AUTHORITY.seed, clock=CLOCK + days * DAY).crl_der,)
    client = credentials(crls=crls, flags=SCH_CRED_REVOCATION_CHECK_END_CERT | flag)

    assert pair(client=client).run().client.is_done


def test_without_a_flag_nobody_looks_at_revocation_lists():
    assert pair(client=credentials(crls=(AUTHORITY.crl_der,)), server=server_of("revoked")).run().client.is_done


def test_the_name_check_can_be_switched_off():
    assert pair(client=credentials(flags=0x4), server=server_of("wrong-name")).run().client.is_done


# -- the table ------------------------------------------------------


def test_the_verify_code_comes_before_the_alert():
    assert (
        find_row(Clues(Role.CLIENT, verify_code=3, alert_sent=48)).status is SecurityStatus.CRYPT_E_NO_REVOCATION_CHECK
    )


def test_what_is_in_no_row_is_an_internal_error():
    assert find_row(Clues(Role.CLIENT)) is find_row(Clues(Role.SERVER, alert_sent=86)) is NOT_IN_THE_TABLE
    assert NOT_IN_THE_TABLE.status is SecurityStatus.SEC_E_INTERNAL_ERROR


def test_every_row_and_departure_has_a_source_and_a_sentence():
    assert all(isinstance(row.source, Source) and row.when for row in ROWS)
    departures = (*ENGINE_DIFFERENCES, *ASSUMPTIONS)
    assert len({one.id for one in departures}) == len(departures)
    assert all(one.here and one.windows for one in departures)
