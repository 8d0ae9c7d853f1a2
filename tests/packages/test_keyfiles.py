"""Files with certificates, keys, anchors and passwords: every way in, and every way to be wrong."""

import base64
import io
import os
import re
import time
from contextlib import suppress
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ed448, rsa, x25519
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import pkcs12
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sspicli.packages.certificates import Authority
from sspicli.packages.keyfiles import elide, load_certificate, load_trust, read_password
from sspicli.sspi.errors import ExitCode, InputError

CLOCK = 1_795_332_600
PASSWORD = b"correct horse 4711"
AUTHORITY = Authority.create(seed=3, clock=CLOCK)

PKCS8 = serialization.PrivateFormat.PKCS8
TRADITIONAL = serialization.PrivateFormat.TraditionalOpenSSL
OPENSSH = serialization.PrivateFormat.OpenSSH
PLAIN = serialization.NoEncryption()
ENCRYPTED = serialization.BestAvailableEncryption(PASSWORD)


def pem(*certificates):
    loaded = [x509.load_der_x509_certificate(one) for one in certificates]
    return b"".join(one.public_bytes(serialization.Encoding.PEM) for one in loaded)


def private_key(context):
    return serialization.load_der_private_key(context.private_key, None)


def key_pem(context, *, form=PKCS8, encryption=PLAIN):
    return private_key(context).private_bytes(serialization.Encoding.PEM, form, encryption)


def bag(context, *, chain=(), encryption=PLAIN, has_key=True):
    return pkcs12.serialize_key_and_certificates(
        b"name",
        private_key(context) if has_key else None,
        x509.load_der_x509_certificate(context.chain[0]),
        [x509.load_der_x509_certificate(one) for one in chain],
        encryption,
    )


@pytest.fixture(scope="module")
def good():
    return AUTHORITY.issue("long-chain", "ed25519", name="localhost", usage="server")


@pytest.fixture(scope="module")
def other():
    return AUTHORITY.issue("valid", "p256", name="localhost", usage="server")


@pytest.fixture
def write(tmp_path):
    def write(data, name="file.pem"):
        path = tmp_path / name
        path.write_bytes(data)
        return str(path)

    return write


def refused(path, **arguments):
    with pytest.raises(InputError) as caught:
        load_certificate(path, **arguments)
    assert caught.value.exit_code == ExitCode.INPUT
    return caught.value


def words_of(error):
    return " ".join((error.message, error.help, error.where, error.cause, str(error), repr(error)))


def test_a_pem_file_gives_leaf_chain_and_key(write, good):
    context = load_certificate(write(pem(*good.chain) + key_pem(good)))
    assert (context.chain, context.private_key) == (good.chain, good.private_key)
    assert context.label == "file file.pem"


def test_the_key_may_come_before_the_certificate(write, good):
    assert load_certificate(write(key_pem(good) + pem(*good.chain))).chain == good.chain


def test_text_around_the_blocks_is_passed_over(write, good):
    data = b"subject=x\r\n" + (pem(*good.chain) + b"\n# and the key\n" + key_pem(good)).replace(b"\n", b"\r\n")
    assert load_certificate(write(data)).chain == good.chain


def test_the_key_may_stand_in_a_file_of_its_own(write, good):
    key = write(key_pem(good), "key.pem")
    assert load_certificate(write(pem(*good.chain)), key_path=key).private_key == good.private_key


def test_certificate_and_key_may_be_der(write, good):
    key = write(good.private_key, "key.der")
    assert load_certificate(write(good.chain[0], "cert.der"), key_path=key).chain == good.chain[:1]


def test_a_root_after_the_leaf_is_left_out(write, good):
    data = pem(*good.chain, AUTHORITY.root_der) + key_pem(good)
    assert load_certificate(write(data)).chain == good.chain


def test_a_self_signed_leaf_stays(write):
    alone = AUTHORITY.issue("self-signed", "p256", name="localhost", usage="server")
    assert load_certificate(write(pem(*alone.chain) + key_pem(alone))).chain == alone.chain


@pytest.mark.parametrize("kind", ["p256", "rsa2048"])
@pytest.mark.parametrize("encryption", [PLAIN, ENCRYPTED], ids=["plain", "encrypted"])
@pytest.mark.parametrize("form", [PKCS8, TRADITIONAL], ids=["pkcs8", "traditional"])
def test_every_pem_form_of_a_key_is_read(write, kind, form, encryption):
    context = AUTHORITY.issue("valid", kind, name="localhost", usage="server")
    path = write(pem(*context.chain) + key_pem(context, form=form, encryption=encryption))
    password = PASSWORD if encryption is ENCRYPTED else None
    assert load_certificate(path, password=password).private_key == context.private_key


def test_an_encrypted_der_key_is_read(write, good):
    key = write(private_key(good).private_bytes(serialization.Encoding.DER, PKCS8, ENCRYPTED), "key.der")
    path = write(pem(*good.chain))
    assert load_certificate(path, key_path=key, password=PASSWORD).private_key == good.private_key
    assert "needs its password" in refused(path, key_path=key).message


@pytest.mark.parametrize("encryption", [PLAIN, ENCRYPTED], ids=["plain", "encrypted"])
def test_a_pkcs12_file_gives_leaf_chain_and_key(write, good, encryption):
    path = write(bag(good, chain=good.chain[1:], encryption=encryption), "file.p12")
    context = load_certificate(path, password=PASSWORD if encryption is ENCRYPTED else None)
    assert (context.chain, context.private_key) == (good.chain, good.private_key)


@pytest.mark.parametrize("order", [(3, 2, 1), (2, 3, 1), (1, 3, 2)])
def test_the_chain_of_a_pkcs12_file_is_put_in_order_whatever_the_order_of_its_bags(write, good, order):
    chain = (AUTHORITY.root_der, *(good.chain[number] for number in order))
    assert load_certificate(write(bag(good, chain=chain))).chain == good.chain


def test_a_password_that_nothing_needs_does_no_harm(write, good):
    assert load_certificate(write(pem(*good.chain) + key_pem(good)), password=PASSWORD).chain == good.chain


def test_an_ed448_key_is_read(write):
    key = ed448.Ed448PrivateKey.generate()
    path = write(self_signed(key) + key.private_bytes(serialization.Encoding.PEM, PKCS8, PLAIN))
    assert load_certificate(path).private_key == key.private_bytes(serialization.Encoding.DER, PKCS8, PLAIN)


def test_a_file_that_is_not_there_is_named(tmp_path):
    error = refused(str(tmp_path / "absent.pem"))
    assert error.message == "there is no such file"
    assert error.where == str(tmp_path / "absent.pem")


@pytest.mark.parametrize("path", ["", "a\x00b", "x" * 5000, "\ud800"])
def test_an_impossible_file_name_is_an_input_error(path):
    assert refused(path).where == path


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root reads everything")
def test_an_unreadable_file_is_refused(write, good):
    path = write(pem(*good.chain))
    Path(path).chmod(0)
    assert refused(path).cause


def test_a_path_below_a_file_is_refused_with_the_systems_words(write, good):
    assert refused(write(pem(*good.chain)) + "/x").cause


def test_a_directory_is_refused(tmp_path):
    assert "a directory" in words_of(refused(str(tmp_path)))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no FIFOs here")
def test_a_fifo_is_refused_without_waiting_for_a_writer(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    assert "a FIFO" in refused(str(tmp_path / "pipe")).message


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="no devices here")
def test_a_device_is_refused():
    assert "a device" in refused("/dev/zero").message


def test_a_file_over_one_mebibyte_is_refused(write, good):
    data = pem(*good.chain) + key_pem(good)
    assert load_certificate(write(data.ljust((1 << 20), b"\n"))).chain == good.chain
    assert "larger than 1 MiB" in refused(write(data.ljust((1 << 20) + 1, b"\n"))).message


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "as a DER certificate"),
        (b"hello", "as a DER certificate"),
        (b"\x30", "as a DER certificate"),
        (b"\x30\x84\xff\xff\xff\xff", "as a DER certificate"),
        (b"-----BEGIN CERTIFICATE-----\n", "does not end"),
        (b"-----BEGIN CERTIFICATE-----\n-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n", "does not end"),
        (b"-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n", "cannot be read"),
        (b"-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n", "cannot be read"),
        (b"-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n", "cannot be read"),
        (b"x -----BEGIN nothing", "no certificate"),
    ],
)
def test_malformed_content_is_refused(write, data, message):
    path = write(data)
    error = refused(path)
    assert message in error.message
    assert error.where == path


def test_a_certificate_of_a_version_that_does_not_exist_is_refused(write, good):
    version_2 = good.chain[0].replace(b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x01", 1)
    assert "cannot be read" in refused(write(version_2)).message


def test_a_file_without_a_certificate_says_what_it_holds_instead(write, good):
    assert "key=FILE" in refused(write(key_pem(good))).help
    request = (
        x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).sign(Ed25519PrivateKey.generate(), None)
    ).public_bytes(serialization.Encoding.PEM)
    assert "certificate request" in refused(write(request)).help
    trusted = pem(good.chain[0]).replace(b" CERTIFICATE", b" TRUSTED CERTIFICATE")
    assert "openssl x509" in refused(write(trusted)).help


@pytest.mark.parametrize("data", ["pem", "der", "p12"])
def test_a_certificate_without_its_key_is_refused(write, good, data):
    content = {"pem": pem(*good.chain), "der": good.chain[0], "p12": bag(good, has_key=False)}[data]
    error = refused(write(content))
    assert "no private key" in error.message
    assert "key=FILE" in error.help


def test_a_key_file_without_a_key_is_refused(write, good):
    error = refused(write(pem(*good.chain)), key_path=write(pem(*good.chain), "key.pem"))
    assert "no private key" in error.message
    assert error.where.endswith("key.pem")


def test_two_keys_in_one_file_are_refused(write, good, other):
    assert "2 private keys" in refused(write(pem(*good.chain) + key_pem(good) + key_pem(other))).message


def test_a_key_of_another_certificate_is_refused(write, good, other):
    error = refused(write(pem(*good.chain)), key_path=write(key_pem(other), "key.pem"))
    assert "does not belong" in error.message
    assert error.where.endswith("key.pem")


def test_a_chain_whose_leaf_is_not_first_is_refused(write, good):
    error = refused(write(pem(good.chain[1], good.chain[0]) + key_pem(good)))
    assert "certificate 2" in error.message
    assert "leaf first" in error.help


def test_a_second_certificate_that_cannot_be_read_is_refused(write, good):
    broken = b"-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n"
    assert "cannot be read" in refused(write(pem(good.chain[0]) + broken + key_pem(good))).message


@pytest.mark.parametrize("kind", ["pem", "p12"])
@pytest.mark.parametrize("password", [None, b"wrong secret 0815", b"", b"\xff" * 2000])
def test_the_wrong_password_is_told_from_a_missing_one(write, good, kind, password):
    data = pem(*good.chain) + key_pem(good, encryption=ENCRYPTED) if kind == "pem" else bag(good, encryption=ENCRYPTED)
    error = refused(write(data), password=password)
    if password is None:
        assert "needs its password" in error.message
        assert "key-password-file" in error.help
    else:
        assert "the password does not open" in error.message


def test_no_error_ever_shows_a_password_or_a_key(write, good, other):
    secret = b"UNIQUE-hunter2-UNIQUE"
    body = re.sub(rb"-----[^-]+-----|\n", b"", key_pem(good))
    encrypted = pem(*good.chain) + key_pem(good, encryption=ENCRYPTED)
    errors = [
        refused(write(encrypted), password=secret),
        refused(write(bag(good, encryption=ENCRYPTED)), password=secret),
        refused(write(pem(*other.chain) + key_pem(good)), password=secret),
        refused(write(pem(*good.chain) + key_pem(good)[:90]), password=secret),
        refused(write(secret)),
    ]
    for error in errors:
        shown = words_of(error).encode()
        assert secret not in shown
        assert body[:20] not in shown
        assert error.__cause__ is None


def test_a_damaged_key_is_refused(write, good):
    damaged = key_pem(good).replace(b"\nM", b"\nN", 1)
    assert "cannot be read" in refused(write(pem(*good.chain) + damaged)).message


def test_an_openssh_key_is_refused_with_the_way_to_convert_it(write, good):
    assert "ssh-keygen" in refused(write(pem(*good.chain) + key_pem(good, form=OPENSSH))).help


@pytest.mark.parametrize("make", [x25519.X25519PrivateKey.generate, lambda: dsa.generate_private_key(1024)])
def test_a_key_that_cannot_sign_for_tls_is_refused(write, good, make):
    key = make().private_bytes(serialization.Encoding.PEM, PKCS8, PLAIN)
    assert "cannot sign" in refused(write(pem(*good.chain)), key_path=write(key, "key.pem")).message


def self_signed(key, public_key=None):
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "x")])
    first = x509.load_der_x509_certificate(AUTHORITY.root_der)
    builder = x509.CertificateBuilder(
        issuer_name=name,
        subject_name=name,
        public_key=public_key or key.public_key(),
        serial_number=1,
        not_valid_before=first.not_valid_before_utc,
        not_valid_after=first.not_valid_after_utc,
    )
    return builder.sign(key, None).public_bytes(serialization.Encoding.PEM)


def huge_rsa_key():
    """An RSA key of 14,112 bits from two Mersenne primes: no time is spent on finding them."""
    p, q, e = 2**4423 - 1, 2**9689 - 1, 65537
    d = pow(e, -1, (p - 1) * (q - 1))
    numbers = rsa.RSAPrivateNumbers(p, q, d, d % (p - 1), d % (q - 1), pow(q, -1, p), rsa.RSAPublicNumbers(e, p * q))
    return numbers.private_key(unsafe_skip_rsa_key_validation=True)


def test_a_huge_rsa_certificate_or_key_is_refused_before_it_is_verified(write, good):
    huge = huge_rsa_key()
    path = write(self_signed(Ed25519PrivateKey.generate(), huge.public_key()))
    key = write(huge.private_bytes(serialization.Encoding.PEM, PKCS8, PLAIN), "key.pem")
    started = time.perf_counter()
    assert "14112 bits" in refused(path).message
    assert "14112 bits" in refused(write(pem(*good.chain), "leaf.pem"), key_path=key).message
    with pytest.raises(InputError, match="14112 bits"):
        load_trust(path)
    assert time.perf_counter() - started < 2


def test_a_huge_key_in_pkcs12_is_refused_before_it_is_verified(write):
    huge = huge_rsa_key()
    certificate = x509.load_pem_x509_certificate(self_signed(Ed25519PrivateKey.generate(), huge.public_key()))
    for encryption in (PLAIN, ENCRYPTED):
        data = pkcs12.serialize_key_and_certificates(b"x", huge, certificate, None, encryption)
        started = time.perf_counter()
        assert "larger than RSA with 8192 bits" in refused(write(data), password=PASSWORD).message
        assert time.perf_counter() - started < 1


def element(tag, *contents):
    content = b"".join(contents)
    return bytes([tag, 0x82]) + len(content).to_bytes(2) + content


def encrypted_key(rounds):
    """EncryptedPrivateKeyInfo under PBES2 with PBKDF2 (RFC 8018, A.2 and A.4), whose content is nothing."""
    pbkdf2 = element(0x30, element(0x04, b"saltsalt"), element(0x02, rounds.to_bytes(8)))
    derivation = element(0x30, bytes.fromhex("06092A864886F70D01050C"), pbkdf2)
    scheme = element(0x30, bytes.fromhex("060960864801650304012A"), element(0x04, b"0" * 16))
    algorithm = element(0x30, bytes.fromhex("06092A864886F70D01050D"), element(0x30, derivation, scheme))
    return element(0x30, algorithm, element(0x04, b"x" * 16))


def bag_with_mac(rounds):
    """PFX with MacData that wants its rounds (RFC 7292, 4 and appendix A), whose content is nothing."""
    content = element(0x30, bytes.fromhex("06092A864886F70D010701"), element(0xA0, element(0x04, element(0x30))))
    digest = element(0x30, element(0x30, bytes.fromhex("06096086480165030402010500")), element(0x04, b"0" * 32))
    mac = element(0x30, digest, element(0x04, b"saltsalt"), element(0x02, rounds.to_bytes(8)))
    return element(0x30, b"\x02\x01\x03", content, mac)


def as_pem(label, der):
    lines = base64.encodebytes(der).decode()
    return f"-----BEGIN {label}-----\n{lines}-----END {label}-----\n".encode()


@pytest.mark.parametrize("rounds", [2_000_001, 2**31 - 1, 2**60])
def test_a_derivation_with_too_many_rounds_is_refused_before_it_begins(write, good, rounds):
    leaf, key = pem(*good.chain), encrypted_key(rounds)
    started = time.perf_counter()
    errors = [
        refused(write(leaf + as_pem("ENCRYPTED PRIVATE KEY", key)), password=PASSWORD),
        refused(write(leaf), key_path=write(key, "key.der"), password=PASSWORD),
        refused(write(bag_with_mac(rounds)), password=PASSWORD),
    ]
    assert ["2,000,000 rounds" in one.message for one in errors] == [True] * 3
    assert time.perf_counter() - started < 1


def test_a_real_pkcs12_file_with_too_many_rounds_is_refused_and_a_million_are_not(write, good):
    builder = serialization.PrivateFormat.PKCS12.encryption_builder()
    path = write(bag(good, encryption=builder.kdf_rounds(2_100_000).build(PASSWORD)))
    assert "2,000,000 rounds" in refused(path, password=PASSWORD).message
    path = write(bag(good, encryption=builder.kdf_rounds(1_000_000).build(PASSWORD)))
    assert load_certificate(path, password=PASSWORD).private_key == good.private_key


@pytest.mark.parametrize("unit", [b"\x00\x00", b"\x30\x80", b"\x04\x02", b"\x30\x84\xff\xff\xff\xff"])
def test_a_mebibyte_of_nesting_is_refused_soon(write, unit):
    data = b"\x30\x80\x02\x01\x03" + unit * ((1 << 20) // len(unit) - 4)
    started = time.perf_counter()
    refused(write(data), password=PASSWORD)
    assert time.perf_counter() - started < 2


def test_a_file_of_begin_lines_is_refused_in_linear_time(write):
    started = time.perf_counter()
    refused(write(b"-----BEGIN A-----\n" * 50_000))
    refused(write(b"-----BEGIN A-----\n-----END A-----\n" * 30_000))
    assert time.perf_counter() - started < 2


def test_trust_is_every_certificate_of_a_pem_file(write, good):
    assert load_trust(write(pem(AUTHORITY.root_der, good.chain[1]))) == (AUTHORITY.root_der, good.chain[1])


def test_trust_may_be_one_der_certificate(write):
    assert load_trust(write(AUTHORITY.root_der, "root.der")) == (AUTHORITY.root_der,)


def test_trust_without_a_certificate_is_refused(write, good):
    for data in (key_pem(good), b"", bag(good)):
        with pytest.raises(InputError):
            load_trust(write(data))


@pytest.mark.parametrize(
    ("data", "password"),
    [
        (b"secret", b"secret"),
        (b"secret\n", b"secret"),
        (b"secret\r\n", b"secret"),
        (b"secret\n\n", b"secret\n"),
        (b" secret ", b" secret "),
        (b"secret\r", b"secret\r"),
        ("pässwort\n".encode(), "pässwort".encode()),
        (b"x" * 1023 + b"\r\n", b"x" * 1023),
    ],
)
def test_one_newline_at_the_end_is_not_part_of_a_password(write, data, password):
    assert read_password(write(data)) == password
    assert read_password("-", stdin=io.BytesIO(data)) == password


@pytest.mark.parametrize("data", [b"", b"\n", b"\r\n", b"x" * 1024, b"x" * 1024 + b"\n"])
def test_an_empty_or_endless_password_is_refused(write, data):
    path = write(data)
    with pytest.raises(InputError) as caught:
        read_password(path)
    assert caught.value.where == path
    with pytest.raises(InputError) as caught:
        read_password("-", stdin=io.BytesIO(data))
    assert caught.value.where == "standard input"


def test_a_password_from_closed_standard_input_is_refused(monkeypatch):
    monkeypatch.setattr("sys.stdin", None)
    with pytest.raises(InputError, match="closed"):
        read_password("-")


@pytest.mark.parametrize("path", ["hunter2-the-password-itself", "hunter2\x00", "hunter2" * 1000])
def test_a_password_file_that_does_not_exist_is_not_shown_because_it_may_be_the_password(path):
    with pytest.raises(InputError) as caught:
        read_password(path)
    assert "hunter2" not in words_of(caught.value)


def test_a_long_text_is_elided():
    assert elide("a" * 64) == "a" * 64
    assert elide("a" * 65) == "a" * 63 + "…"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    data=st.binary(max_size=300),
    prefix=st.sampled_from([b"", b"\x30\x80\x02\x01\x03", b"-----BEGIN CERTIFICATE-----\n"]),
)
def test_any_content_is_either_read_or_refused(write, data, prefix):
    path = write(prefix + data)
    for load in (load_certificate, load_trust):
        with pytest.raises(InputError):
            load(path)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(position=st.integers(0, 10_000), value=st.integers(0, 255))
def test_a_flipped_byte_is_either_read_or_refused(write, good, position, value):
    for whole in (bag(good), pem(*good.chain) + key_pem(good), good.chain[0]):
        data = bytearray(whole)
        data[position % len(data)] = value
        path = write(bytes(data))
        with suppress(InputError):
            assert load_certificate(path).private_key
