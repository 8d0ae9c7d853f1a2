"""What both endpoints are given, for each setting that changes it."""

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import ExtendedKeyUsageOID

from sspicli.packages.certificates import Authority
from sspicli.packages.option_values import CERT_PRESETS
from sspicli.packages.options import parse_settings
from sspicli.packages.setup import build
from sspicli.sspi import schannel
from sspicli.sspi.errors import InputError, UsageError
from sspicli.sspi.flags import AscReq, IscReq

CLOCK = 1_795_332_600
AUTHORITY = Authority.create(seed=5, clock=CLOCK)

ISC_DEFAULT = 0x0000C11C  # SEQUENCE, REPLAY, CONFIDENTIALITY, ALLOCATE_MEMORY, EXTENDED_ERROR 0x4000, STREAM 0x8000
ASC_DEFAULT = 0x0001811C  # the same with EXTENDED_ERROR 0x8000, STREAM 0x10000


def setup(client=(), server=(), *, seed=5, clock=CLOCK):
    return build(
        client=parse_settings("client", client), server=parse_settings("server", server), seed=seed, clock=clock
    )


def leaf_of(endpoint):
    return x509.load_der_x509_certificate(endpoint.auth_data.certificates[0].chain[0])


def common_name(endpoint):
    return leaf_of(endpoint).subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)[0].value


@pytest.fixture
def files(tmp_path):
    """A certificate, its encrypted key, the password and a root, as a user keeps them."""
    context = AUTHORITY.issue("valid", "ed25519", name="localhost", usage="server")
    key = serialization.load_der_private_key(context.private_key or b"", None)
    encryption = serialization.BestAvailableEncryption(b"pw")
    pem, pkcs8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    (tmp_path / "cert.pem").write_bytes(x509.load_der_x509_certificate(context.chain[0]).public_bytes(pem))
    (tmp_path / "key.pem").write_bytes(key.private_bytes(pem, pkcs8, encryption))
    (tmp_path / "password").write_bytes(b"pw\n")
    (tmp_path / "root.der").write_bytes(AUTHORITY.root_der)
    return tmp_path


def from_files(files, password="password"):
    return [f"cert={files}/cert.pem", f"key={files}/key.pem", f"key-password-file={files / password}"]


def test_by_default_only_the_server_has_a_certificate_and_the_client_trusts_its_root():
    made = setup()
    assert made.client.auth_data.certificates == ()
    assert made.client.auth_data.root_store == (AUTHORITY.root_der,)
    leaf_of(made.server).verify_directly_issued_by(x509.load_der_x509_certificate(AUTHORITY.root_der))
    assert common_name(made.server) == "localhost"
    assert made.client.target_name == "localhost"
    assert made.server.target_name is None


def test_each_side_uses_its_credential_in_its_direction():
    made = setup()
    assert (made.client.credential_use, made.server.credential_use) == (2, 1)


def test_the_default_requirements_are_written_in_two_numberings():
    made = setup()
    assert (made.client.requirements, made.server.requirements) == (ISC_DEFAULT, ASC_DEFAULT)


def test_flags_are_added_to_the_defaults():
    made = setup(["flags=IDENTIFY"], ["flags=IDENTIFY"])
    assert made.client.requirements == ISC_DEFAULT | 0x00020000
    assert made.server.requirements == ASC_DEFAULT | 0x00080000


def test_manual_validation_is_said_in_the_credential_and_in_the_call():
    made = setup(["validate=manual"])
    assert made.client.requirements == ISC_DEFAULT | IscReq.MANUAL_CRED_VALIDATION
    assert made.client.auth_data.flags & schannel.SCH_CRED_MANUAL_CRED_VALIDATION
    assert not made.client.auth_data.flags & schannel.SCH_CRED_AUTO_CRED_VALIDATION


def test_automatic_validation_is_the_default_and_no_certificate_is_looked_for():
    flags = setup().client.auth_data.flags
    assert flags == schannel.SCH_CRED_AUTO_CRED_VALIDATION | schannel.SCH_CRED_NO_DEFAULT_CREDS


@pytest.mark.parametrize(
    ("word", "requests", "requires"), [("no", False, False), ("yes", True, False), ("require", True, True)]
)
def test_a_server_asks_for_a_certificate_and_names_its_issuers_when_told_to(word, requests, requires):
    server = setup([], [f"request-cert={word}"]).server
    assert bool(server.requirements & AscReq.MUTUAL_AUTH) is requests
    assert server.auth_data.requires_client_certificate is requires
    assert server.auth_data.client_ca_names == ((AUTHORITY.name_der,) if requests else ())


def test_a_client_certificate_is_issued_for_a_client():
    made = setup(["cert=valid", "key=p256"])
    usage = leaf_of(made.client).extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.CLIENT_AUTH]
    assert made.server.auth_data.root_store == (AUTHORITY.root_der,)


@pytest.mark.parametrize(
    ("target", "name"), [("host.example", "host.example"), ("127.0.0.1", "127.0.0.1"), ("", "localhost")]
)
def test_the_servers_certificate_names_the_clients_target(target, name):
    made = setup([f"target={target}"])
    assert common_name(made.server) == name
    assert made.client.target_name == (target or None)


@pytest.mark.parametrize(
    ("tls", "client", "server"),
    [
        ("1.2", schannel.SP_PROT_TLS1_3_CLIENT, schannel.SP_PROT_TLS1_3_SERVER),
        ("1.3", schannel.SP_PROT_TLS1_2_CLIENT, schannel.SP_PROT_TLS1_2_SERVER),
        ("1.2-1.3", 0, 0),
    ],
)
def test_versions_not_asked_for_are_disabled_each_side_with_its_own_bits(tls, client, server):
    made = setup([f"tls={tls}"], [f"tls={tls}"])
    assert made.client.auth_data.disabled_protocols == client
    assert made.server.auth_data.disabled_protocols == server


def test_only_the_peer_of_a_revoked_certificate_is_given_the_list_and_told_to_look():
    made = setup([], ["cert=revoked"])
    assert made.client.auth_data.crls == (AUTHORITY.crl_der,)
    assert made.client.auth_data.flags & schannel.SCH_CRED_REVOCATION_CHECK_END_CERT
    assert made.server.auth_data.crls == ()
    made = setup(["cert=revoked"], ["request-cert=yes"])
    assert made.server.auth_data.crls == (AUTHORITY.crl_der,)
    assert made.client.auth_data.crls == ()


def test_lists_are_passed_on_in_order():
    pairs = ["suites=TLS_AES_128_GCM_SHA256", "groups=P-256,x25519", "sigalgs=ed25519", "alpn=h2,http/1.1"]
    for endpoint in (setup(pairs).client, setup([], pairs).server):
        assert endpoint.auth_data.cipher_suites == ("TLS_AES_128_GCM_SHA256",)
        assert endpoint.auth_data.groups == ("secp256r1", "x25519")
        assert endpoint.auth_data.signature_algorithms == ("ed25519",)
        assert endpoint.application_protocols == ("h2", "http/1.1")


def test_resumption_is_off_at_a_client_and_on_at_a_server_until_told_otherwise():
    made = setup()
    assert (made.client.resume, made.client.auth_data.session_lifespan_ms) == (False, -1)
    assert (made.server.resume, made.server.auth_data.flags) == (True, 0)
    made = setup(["resume=ticket"], ["resume=off"])
    assert (made.client.resume, made.client.auth_data.session_lifespan_ms) == (True, 0)
    assert (made.server.resume, made.server.auth_data.flags) == (False, schannel.SCH_CRED_DISABLE_RECONNECTS)


@pytest.mark.parametrize("preset", CERT_PRESETS)
def test_a_note_says_that_a_bad_certificate_was_asked_for(preset):
    note = setup([], [f"cert={preset}"]).server.cert_note
    assert note == ("" if preset in ("valid", "long-chain") else f'server=cert preset "{preset}"')


def test_a_client_without_a_certificate_is_worth_no_note():
    assert setup(["cert=none"]).client.cert_note == ""
    assert setup(["cert=expired"]).client.cert_note == 'client=cert preset "expired"'


def test_a_server_without_a_certificate_has_none():
    assert setup([], ["cert=none"]).server.auth_data.certificates == ()


def test_validity_is_judged_at_the_clock():
    made = setup(clock=77)
    assert (made.client.auth_data.clock, made.server.auth_data.clock) == (77, 77)


def test_trust_may_be_the_systems_or_a_files(files):
    assert setup(["trust=system"]).client.auth_data.root_store is None
    assert setup([f"trust={files}/root.der"], seed=6).client.auth_data.root_store == (AUTHORITY.root_der,)


def test_a_server_with_trust_of_its_own_names_those_issuers(files):
    server = setup([], [f"trust={files}/root.der", "request-cert=yes"], seed=6).server
    assert server.auth_data.client_ca_names == (AUTHORITY.name_der,)
    assert setup([], ["trust=system", "request-cert=yes"]).server.auth_data.client_ca_names == ()


def test_a_certificate_may_come_from_files(files):
    server = setup([], from_files(files)).server
    assert leaf_of(server).public_bytes(serialization.Encoding.PEM) == (files / "cert.pem").read_bytes()
    assert server.auth_data.certificates[0].label == "file cert.pem"
    assert server.cert_note == ""


def test_a_file_that_is_not_what_it_should_be_is_an_input_error(files):
    with pytest.raises(InputError):
        setup([], from_files(files, password="root.der"))
    with pytest.raises(InputError):
        setup([f"trust={files}"])


def test_standard_input_can_serve_only_one_side(files):
    pairs = [f"cert={files}/cert.pem", f"key={files}/key.pem", "key-password-file=-"]
    with pytest.raises(UsageError, match="standard input"):
        setup(pairs, pairs)


def test_one_seed_and_clock_give_the_same_setup():
    assert setup(["cert=valid"]) == setup(["cert=valid"])
    assert setup(["cert=valid"]) != setup(["cert=valid"], seed=6)


def test_neither_keys_nor_passwords_show_in_a_repr(files):
    made = setup(["cert=valid"], from_files(files))
    assert "private_key" not in repr(made)
    assert "pw" not in repr(made).replace("key-password", "")
