"""Each preset, judged by what cryptography reads back out of it."""

import ipaddress
from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from sspicli.packages.certificates import CERT_PRESETS, KEY_KINDS, Authority
from sspicli.sspi.errors import UsageError

CLOCK = 1_795_332_600  # 2026-11-22 07:30:00Z
NOW = datetime.fromtimestamp(CLOCK, tz=UTC)
WITH_CERTIFICATE = [preset for preset in CERT_PRESETS if preset != "none"]
ON_TIME = [preset for preset in WITH_CERTIFICATE if preset not in ("expired", "not-yet-valid")]
USAGES = {"server": ExtendedKeyUsageOID.SERVER_AUTH, "client": ExtendedKeyUsageOID.CLIENT_AUTH}


@pytest.fixture(scope="module")
def authority():
    return Authority.create(seed=7, clock=CLOCK)


def issue(authority, preset, *, key="ed25519", name="localhost", usage="server"):
    return authority.issue(preset, key, name=name, usage=usage)


def leaf_of(context):
    return x509.load_der_x509_certificate(context.chain[0])


def root_of(authority):
    return x509.load_der_x509_certificate(authority.root_der)


def dns_names(certificate):
    extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    return extension.value.get_values_for_type(x509.DNSName)


def usages(certificate):
    return list(certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)


def common_name(certificate):
    return certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value


def test_the_root_is_a_self_signed_authority_valid_now(authority):
    root = root_of(authority)
    root.verify_directly_issued_by(root)
    assert root.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert root.not_valid_before_utc < NOW < root.not_valid_after_utc


def test_the_name_for_a_certificate_request_is_the_roots_subject(authority):
    assert authority.name_der == root_of(authority).subject.public_bytes()


@pytest.mark.parametrize("preset", WITH_CERTIFICATE)
@pytest.mark.parametrize("key", KEY_KINDS)
def test_the_private_key_belongs_to_the_leaf(authority, preset, key):
    context = issue(authority, preset, key=key)
    private_key = serialization.load_der_private_key(context.private_key, None)
    assert private_key.public_key() == leaf_of(context).public_key()


@pytest.mark.parametrize(("key", "kind"), [("ed25519", Ed25519PrivateKey), ("p256", ec.EllipticCurvePrivateKey)])
def test_a_leaf_has_the_kind_of_key_that_was_asked_for(authority, key, kind):
    private_key = serialization.load_der_private_key(issue(authority, "valid", key=key).private_key, None)
    assert isinstance(private_key, kind)


def test_rsa2048_has_2048_bits(authority):
    assert leaf_of(issue(authority, "valid", key="rsa2048")).public_key().key_size == 2048


@pytest.mark.parametrize("preset", ON_TIME)
def test_other_presets_than_the_two_of_time_are_valid_at_the_clock(authority, preset):
    leaf = leaf_of(issue(authority, preset))
    assert leaf.not_valid_before_utc < NOW < leaf.not_valid_after_utc


def test_expired_ended_before_the_clock(authority):
    leaf = leaf_of(issue(authority, "expired"))
    assert leaf.not_valid_before_utc < leaf.not_valid_after_utc < NOW


def test_not_yet_valid_begins_after_the_clock(authority):
    leaf = leaf_of(issue(authority, "not-yet-valid"))
    assert NOW < leaf.not_valid_before_utc < leaf.not_valid_after_utc


@pytest.mark.parametrize("preset", [preset for preset in WITH_CERTIFICATE if preset not in ("wrong-name", "large")])
def test_a_leaf_names_its_host_in_san_and_common_name(authority, preset):
    leaf = leaf_of(issue(authority, preset, name="host.example"))
    assert dns_names(leaf) == ["host.example"]
    assert common_name(leaf) == "host.example"


@pytest.mark.parametrize("name", ["localhost", "wrong-name.invalid", "WRONG-NAME.invalid", "127.0.0.1"])
def test_wrong_name_never_names_the_host(authority, name):
    leaf = leaf_of(issue(authority, "wrong-name", name=name))
    assert name.lower() not in [one.lower() for one in (*dns_names(leaf), common_name(leaf))]


@pytest.mark.parametrize(
    "preset", [one for one in WITH_CERTIFICATE if one not in ("untrusted", "self-signed", "long-chain")]
)
def test_a_leaf_is_issued_directly_by_the_root(authority, preset):
    context = issue(authority, preset)
    assert len(context.chain) == 1
    leaf_of(context).verify_directly_issued_by(root_of(authority))


def test_untrusted_is_issued_by_somebody_else(authority):
    context = issue(authority, "untrusted")
    leaf = leaf_of(context)
    assert len(context.chain) == 1
    assert leaf.issuer not in (leaf.subject, root_of(authority).subject)
    with pytest.raises((InvalidSignature, ValueError)):
        leaf.verify_directly_issued_by(root_of(authority))


@pytest.mark.parametrize("key", KEY_KINDS)
def test_self_signed_is_its_own_issuer(authority, key):
    leaf = leaf_of(issue(authority, "self-signed", key=key))
    leaf.verify_directly_issued_by(leaf)
    assert leaf.issuer != root_of(authority).subject


@pytest.mark.parametrize("usage", USAGES)
@pytest.mark.parametrize("preset", [preset for preset in WITH_CERTIFICATE if preset != "wrong-usage"])
def test_a_leaf_is_for_the_side_that_shows_it(authority, preset, usage):
    assert usages(leaf_of(issue(authority, preset, usage=usage))) == [USAGES[usage]]


@pytest.mark.parametrize(("usage", "other"), [("server", "client"), ("client", "server")])
def test_wrong_usage_is_for_the_other_side(authority, usage, other):
    assert usages(leaf_of(issue(authority, "wrong-usage", usage=usage))) == [USAGES[other]]


@pytest.mark.parametrize("key", KEY_KINDS)
def test_weak_key_is_rsa_1024_whatever_the_kind_asked_for(authority, key):
    public_key = leaf_of(issue(authority, "weak-key", key=key)).public_key()
    assert isinstance(public_key, rsa.RSAPublicKey)
    assert public_key.key_size == 1024


@pytest.mark.parametrize("usage", USAGES)
@pytest.mark.parametrize("key", KEY_KINDS)
def test_the_roots_revocation_list_names_the_revoked_leaf_and_no_good_one(authority, key, usage):
    crl = x509.load_der_x509_crl(authority.crl_der)
    assert crl.is_signature_valid(root_of(authority).public_key())
    assert crl.issuer == root_of(authority).subject
    assert crl.next_update_utc is not None
    assert crl.last_update_utc < NOW < crl.next_update_utc
    revoked, valid = (leaf_of(issue(authority, preset, key=key, usage=usage)) for preset in ("revoked", "valid"))
    assert crl.get_revoked_certificate_by_serial_number(revoked.serial_number) is not None
    assert crl.get_revoked_certificate_by_serial_number(valid.serial_number) is None


def test_long_chain_leads_over_three_intermediates_to_the_root(authority):
    chain = [x509.load_der_x509_certificate(one) for one in issue(authority, "long-chain").chain]
    assert len(chain) == 4
    for subject, issuer in zip(chain, [*chain[1:], root_of(authority)], strict=True):
        subject.verify_directly_issued_by(issuer)
    assert all(one.extensions.get_extension_for_class(x509.BasicConstraints).value.ca for one in chain[1:])


@pytest.mark.parametrize("key", KEY_KINDS)
def test_large_is_large_and_below_the_engines_limit(authority, key):
    context = issue(authority, "large", key=key)
    assert 48_000 < sum(map(len, context.chain)) < 90_000
    assert dns_names(leaf_of(context))[0] == "localhost"


def test_none_is_an_empty_chain_without_a_key(authority):
    context = issue(authority, "none")
    assert (context.chain, context.private_key) == ((), None)


@pytest.mark.parametrize("preset", CERT_PRESETS)
def test_a_label_says_which_preset_it_was(authority, preset):
    assert issue(authority, preset).label.split(", ")[0] == f"preset {preset}"


def test_a_label_says_which_kind_of_key_it_has(authority):
    assert issue(authority, "valid", key="p256").label == "preset valid, p256"
    assert issue(authority, "weak-key", key="p256").label == "preset weak-key, rsa1024"


@pytest.mark.parametrize("literal", ["127.0.0.1", "::1", "2001:db8::7"])
def test_an_ip_literal_becomes_an_ip_address_and_no_dns_name(authority, literal):
    extension = leaf_of(issue(authority, "valid", name=literal)).extensions.get_extension_for_class(
        x509.SubjectAlternativeName
    )
    assert extension.value.get_values_for_type(x509.IPAddress) == [ipaddress.ip_address(literal)]
    assert extension.value.get_values_for_type(x509.DNSName) == []


def test_a_name_outside_ascii_stands_as_its_a_labels(authority):
    assert dns_names(leaf_of(issue(authority, "valid", name="bücher.example"))) == ["xn--bcher-kva.example"]


@pytest.mark.parametrize(
    "name",
    ["a\x1b[2Jb", "a\x00b", "a\nb", "[link=x]", "a" * 253, "*.example.com", "a..b", " ", "%s{}", "-", "fe80::1%eth0"],
)
def test_a_hostile_name_in_ascii_is_carried_as_it_is(authority, name):
    leaf = leaf_of(issue(authority, "valid", name=name))
    assert common_name(leaf) == name[:64]


@pytest.mark.parametrize("name", ["", "a" * 254, "é" * 300, "\udcff", "a\u202eb..é", "ü" * 64])
def test_a_name_no_certificate_can_carry_is_refused(authority, name):
    with pytest.raises(UsageError):
        issue(authority, "valid", name=name)


@pytest.mark.parametrize("clock", [-(10**18), -599_616_001, 253_339_228_801, 10**18])
def test_a_clock_outside_x509_dates_is_refused(clock):
    with pytest.raises(UsageError):
        Authority.create(seed=1, clock=clock)


@pytest.mark.parametrize("clock", [-599_616_000, 0, 2_524_608_000, 253_339_228_800])
@pytest.mark.parametrize("preset", WITH_CERTIFICATE)
def test_any_other_clock_will_do(clock, preset):
    authority = Authority.create(seed=1, clock=clock)
    assert authority.root_der
    assert authority.crl_der
    assert issue(authority, preset).chain


@pytest.mark.parametrize("preset", [preset for preset in CERT_PRESETS if preset != "weak-key"])
@pytest.mark.parametrize("key", ["ed25519", "p256"])
def test_one_seed_and_clock_give_the_same_bytes(preset, key):
    first, second = (issue(Authority.create(seed=-3, clock=CLOCK), preset, key=key) for _ in range(2))
    assert first == second


def test_one_seed_and_clock_give_the_same_root_and_list():
    first, second = (Authority.create(seed=2**70, clock=CLOCK) for _ in range(2))
    assert (first.root_der, first.crl_der) == (second.root_der, second.crl_der)


def test_another_seed_gives_other_keys_of_the_same_length():
    first, second = (Authority.create(seed=seed, clock=CLOCK) for seed in (1, 2))
    assert first.root_der != second.root_der
    assert [len(issue(one, "valid").chain[0]) for one in (first, second)] == [len(issue(first, "valid").chain[0])] * 2
    assert issue(first, "valid").private_key != issue(second, "valid").private_key


def test_serial_numbers_are_positive_distinct_and_of_one_length(authority):
    serials = [
        leaf_of(issue(authority, preset, key=key, usage=usage)).serial_number
        for preset in WITH_CERTIFICATE
        for key in KEY_KINDS
        for usage in USAGES
    ]
    assert len(set(serials)) == len(serials)
    assert {one.bit_length() for one in serials} == {127}


def test_a_private_key_never_shows_in_a_repr(authority):
    context = issue(authority, "valid")
    assert "private_key" not in repr(context)
    assert "Ed25519" not in repr(authority)
