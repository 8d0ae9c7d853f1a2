"""What is issued for a description, and what the engine at either end says of each defect."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import ExtendedKeyUsageOID
from hypothesis import given, settings
from hypothesis import strategies as st

from sspicli.packages.certificates import Authority
from sspicli.packages.described import issue
from sspicli.packages.descriptions import DAY, CertificateDescription, IssuerDescription
from sspicli.packages.options import parse_settings
from sspicli.packages.setup import build
from sspicli.sspi.errors import UsageError
from tests.schannel_pair import pair

CLOCK = 1_795_332_600  # 2026-11-22 07:30:00Z
NOW = datetime.fromtimestamp(CLOCK, tz=UTC)
AUTHORITY = Authority.create(seed=7, clock=CLOCK)
GOOD = CertificateDescription()
ISSUER = IssuerDescription()


def issued(description, *, name="localhost", usage="server", authority=AUTHORITY):
    return issue(authority, description, name=name, usage=usage)


def chain_of(description, **changes):
    return [x509.load_der_x509_certificate(der) for der in issued(description, **changes).certificate.chain]


def shake(side, version, *, description=None, preset=None):
    """Let one side show a certificate, and give both ends after the handshake."""
    words = {"client": [f"tls={version}"], "server": [f"tls={version}"]}
    if side == "client":
        words["server"].append("request-cert=require")
    if preset is not None:
        words[side].append(f"cert={preset}")
    made = {one: parse_settings(one, words[one]) for one in words}
    if description is not None:
        made[side] = replace(made[side], cert="", cert_description=description)
    both = build(client=made["client"], server=made["server"], seed=7, clock=CLOCK)
    return pair(
        client=both.client.auth_data,
        server=both.server.auth_data,
        server_flags=both.server.requirements,
        client_flags=both.client.requirements,
        target="localhost",
    ).run()


def refusal(side, version, **given):
    """Give row, verify code and depth of the refusal by the side that sees the certificate; None when it takes it."""
    both = shake(side, version, **given)
    last = (both.server if side == "client" else both.client).last
    if last.status == 0:
        return None
    return last.evidence.row, last.evidence.verify_code, last.evidence.verify_depth


def above(*links):
    return CertificateDescription(chain=links)


OTHER_CHAIN_ERROR = "other-chain-error"
DEFECTS = {
    "expired leaf": (replace(GOOD, not_before=-30 * DAY, not_after=-1), ("certificate-expired", 10, 0)),
    "early leaf": (replace(GOOD, not_before=1), ("certificate-not-yet-valid", 9, 0)),
    "foreign usage": (replace(GOOD, usage=("code-signing",)), ("wrong-usage", 26, 0)),
    "foreign key usage": (replace(GOOD, key_usage=("cert-sign",)), ("wrong-usage", 26, 0)),
    "weak key": (replace(GOOD, key="rsa1024"), ("weak-key", 66, 0)),
    "other root": (replace(GOOD, issuer="other"), ("untrusted-root", 20, 0)),
    "other root, sent": (replace(GOOD, issuer="other", sent="with-root"), ("untrusted-root", 19, 1)),
    "self-signed": (replace(GOOD, issuer="self"), ("untrusted-root", 18, 0)),
    "broken signature": (replace(GOOD, has_bad_signature=True), ("bad-certificate-signature", 7, 0)),
    "unknown critical": (replace(GOOD, has_unknown_critical=True), (OTHER_CHAIN_ERROR, 34, 0)),
    "revoked": (replace(GOOD, is_revoked=True), ("revoked", 23, 0)),
    "stale list": (replace(GOOD, lists="stale"), ("stale-revocation-list", 12, 0)),
    "no list": (replace(GOOD, lists="none"), ("no-revocation-list", 3, 0)),
    "expired issuer": (above(replace(ISSUER, not_after=-1)), ("certificate-expired", 10, 1)),
    "early issuer": (above(ISSUER, replace(ISSUER, not_before=1)), ("certificate-not-yet-valid", 9, 2)),
    "issuer is no authority": (above(replace(ISSUER, ca=False)), (OTHER_CHAIN_ERROR, 79, 1)),
    "issuer without basicConstraints": (above(replace(ISSUER, ca=None)), (OTHER_CHAIN_ERROR, 79, 1)),
    "issuer may not sign": (above(replace(ISSUER, key_usage=("digital-signature",))), (OTHER_CHAIN_ERROR, 79, 1)),
    "path too long": (above(ISSUER, replace(ISSUER, path_length=0)), (OTHER_CHAIN_ERROR, 25, 2)),
    "missing issuer": (replace(above(ISSUER), sent="leaf"), ("untrusted-root", 20, 0)),
    "revoked issuer": (above(replace(ISSUER, is_revoked=True)), ("revoked", 23, 1)),
    "issuer's broken signature": (above(replace(ISSUER, has_bad_signature=True)), ("bad-certificate-signature", 7, 1)),
    "issuer's unknown critical": (above(replace(ISSUER, has_unknown_critical=True)), (OTHER_CHAIN_ERROR, 34, 1)),
    "issuer's weak key": (above(replace(ISSUER, key="rsa1024")), ("weak-key", 67, 1)),
    "issuer's foreign usage": (above(replace(ISSUER, usage=("code-signing",))), ("wrong-usage", 26, 1)),
    "name not permitted": (above(replace(ISSUER, permitted_names=("example.test",))), (OTHER_CHAIN_ERROR, 47, 0)),
}
CONSTRAINTS = "extensions.basicConstraints"
DECIDED = {
    "foreign usage": ("Certificate[0].extensions.extendedKeyUsage", "codeSigning, serverAuth is needed"),
    "foreign key usage": ("Certificate[0].extensions.keyUsage", "permits no digitalSignature"),
    "unknown critical": ("Certificate[0].extensions.2.999.1", "extension 2.999.1 is critical"),
    "broken signature": ("Certificate[0].signatureValue", "does not check with the key of CN=sspicli throw-away root"),
    "stale list": ("", "counts from 2026-10-23 07:30:00Z to 2026-11-19"),
    "issuer is no authority": (f"Certificate[1].{CONSTRAINTS}", "is no authority by its basicConstraints"),
    "issuer without basicConstraints": (f"Certificate[1].{CONSTRAINTS}", "has no basicConstraints"),
    "issuer may not sign": ("Certificate[1].extensions.keyUsage", "keyUsage lacks keyCertSign"),
    "path too long": (f"Certificate[2].{CONSTRAINTS}.pathLenConstraint", "allows 0 authorities below it"),
    "issuer's foreign usage": ("Certificate[1].extensions.extendedKeyUsage", "says codeSigning"),
    "issuer's weak key": ("Certificate[1].subjectPublicKeyInfo", "has 1024 bits"),
    "name not permitted": ("", "a name of CN=localhost is not among those"),
}
GOOD_ONES = {
    "as the preset": GOOD,
    "three issuers": above(ISSUER, ISSUER, ISSUER),
    "wrong order": replace(above(ISSUER, ISSUER, ISSUER), sent="reversed"),
    "root sent": replace(above(ISSUER), sent="with-root"),
    "no usages": replace(GOOD, usage=(), key_usage=()),
    "both usages": replace(GOOD, usage=("client", "server")),
    "current list": replace(above(ISSUER), lists="current"),
    "long enough a path": above(ISSUER, replace(ISSUER, path_length=1)),
    "an authority as leaf": replace(GOOD, ca=True, path_length=0),
    "no basicConstraints": replace(GOOD, ca=None),
    "large": replace(GOOD, padding=60_000),
    "p384 below p256": replace(above(replace(ISSUER, key="p256")), key="p384"),
    "rsa2048 below rsa2048": replace(above(replace(ISSUER, key="rsa2048")), key="rsa2048"),
}


@pytest.mark.parametrize("version", ["1.2", "1.3"])
@pytest.mark.parametrize("side", ["server", "client"])
@pytest.mark.parametrize("name", DEFECTS)
def test_each_defect_is_refused_for_what_it_is(name, side, version):
    description, expected = DEFECTS[name]
    assert refusal(side, version, description=description) == expected


@pytest.mark.parametrize("version", ["1.2", "1.3"])
@pytest.mark.parametrize("side", ["server", "client"])
@pytest.mark.parametrize("name", GOOD_ONES)
def test_what_is_no_defect_is_taken(name, side, version):
    assert refusal(side, version, description=GOOD_ONES[name]) is None


@pytest.mark.parametrize("name", DECIDED)
def test_the_evidence_names_the_field_and_the_values_that_decided(name):
    evidence = shake("server", "1.3", description=DEFECTS[name][0]).client.last.evidence
    field, words = DECIDED[name]
    assert evidence.field == field
    assert words in evidence.detail


def test_the_field_is_where_the_certificate_stands_in_the_message_though_the_path_is_another():
    chain = (ISSUER, ISSUER, replace(ISSUER, not_after=-1))
    evidence = shake("server", "1.3", description=replace(above(*chain), sent="reversed")).client.last.evidence
    assert (evidence.verify_depth, evidence.field) == (3, "Certificate[1].validity.notAfter")


EQUIVALENTS = {
    "valid": GOOD,
    "expired": replace(GOOD, not_before=-30 * DAY, not_after=-3 * DAY),
    "not-yet-valid": replace(GOOD, not_before=3 * DAY),
    "wrong-name": replace(GOOD, names=("wrong-name.invalid",)),
    "untrusted": replace(GOOD, issuer="other"),
    "self-signed": replace(GOOD, issuer="self"),
    "weak-key": replace(GOOD, key="rsa1024"),
    "revoked": replace(GOOD, is_revoked=True),
    "long-chain": above(ISSUER, ISSUER, ISSUER),
}
FOR_THE_OTHER_SIDE = {"server": replace(GOOD, usage=("client",)), "client": replace(GOOD, usage=("server",))}


@pytest.mark.parametrize("version", ["1.2", "1.3"])
@pytest.mark.parametrize("side", ["server", "client"])
@pytest.mark.parametrize("preset", [*EQUIVALENTS, "wrong-usage"])
def test_a_description_of_what_a_preset_is_makes_every_call_end_alike(preset, side, version):
    description = EQUIVALENTS.get(preset, FOR_THE_OTHER_SIDE[side])

    described, made = shake(side, version, description=description), shake(side, version, preset=preset)

    assert described.legs == made.legs
    assert [end.last.alert for end in described.ends] == [end.last.alert for end in made.ends]


def test_a_wrong_name_is_the_clients_concern_only():
    wrong = replace(GOOD, names=("other.invalid",))
    assert refusal("server", "1.3", description=wrong) == ("wrong-name", 62, 0)
    assert refusal("client", "1.3", description=wrong) is None


def test_without_names_the_common_name_counts():
    assert refusal("server", "1.3", description=replace(GOOD, names=())) is None
    assert refusal("server", "1.3", description=replace(GOOD, names=(), subject="CN=other")) == ("wrong-name", 62, 0)


def test_a_certificate_for_any_purpose_is_refused_by_this_engine():
    assert refusal("server", "1.3", description=replace(GOOD, usage=("any",))) == ("wrong-usage", 26, 0)


def test_every_part_of_a_description_stands_in_the_certificate():
    description = CertificateDescription(
        subject=r"CN=Jo, OU=R\, D, O=Example, C=DE",
        names=("a.example", "*.b.example", "10.0.0.1", "::1"),
        not_before=-90,
        not_after=2 * DAY,
        usage=("client", "any"),
        key_usage=("digital-signature", "key-agreement"),
        ca=True,
        path_length=3,
        serial=4711,
        padding=10,
    )
    leaf = chain_of(description)[0]
    of = lambda kind: leaf.extensions.get_extension_for_class(kind).value  # noqa: E731
    names = of(x509.SubjectAlternativeName)
    assert leaf.subject.rfc4514_string() == r"CN=Jo,OU=R\, D,O=Example,C=DE"
    assert names.get_values_for_type(x509.DNSName) == ["a.example", "*.b.example"]
    assert [str(one) for one in names.get_values_for_type(x509.IPAddress)] == ["10.0.0.1", "::1"]
    assert (leaf.not_valid_before_utc, leaf.not_valid_after_utc) == (
        NOW - timedelta(seconds=90),
        NOW + timedelta(days=2),
    )
    assert list(of(x509.ExtendedKeyUsage)) == [
        ExtendedKeyUsageOID.CLIENT_AUTH,
        ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,
    ]
    assert (of(x509.KeyUsage).digital_signature, of(x509.KeyUsage).key_agreement) == (True, True)
    assert not of(x509.KeyUsage).key_cert_sign
    assert (of(x509.BasicConstraints).ca, of(x509.BasicConstraints).path_length) == (True, 3)
    assert leaf.serial_number == 4711
    assert [len(one.value.value) for one in leaf.extensions if isinstance(one.value, x509.UnrecognizedExtension)] == [
        10
    ]


def test_each_certificate_is_signed_by_the_next_and_the_last_by_the_root():
    chain = chain_of(above(replace(ISSUER, key="p256"), replace(ISSUER, key="rsa2048"), ISSUER))
    root = x509.load_der_x509_certificate(AUTHORITY.root_der)
    for below, signer in zip(chain, [*chain[1:], root], strict=True):
        below.verify_directly_issued_by(signer)


def test_the_revoked_serial_stands_in_its_own_issuers_list_only():
    made = issued(above(replace(ISSUER, is_revoked=True)))
    lists = [x509.load_der_x509_crl(der) for der in made.lists]
    revoked = {one.issuer.rfc4514_string(): [entry.serial_number for entry in one] for one in lists}
    leaf, issuer = [x509.load_der_x509_certificate(der) for der in made.certificate.chain]
    assert revoked == {issuer.issuer.rfc4514_string(): [issuer.serial_number], leaf.issuer.rfc4514_string(): []}


@pytest.mark.parametrize(
    "description",
    [
        replace(GOOD, not_after=-2 * DAY),
        replace(GOOD, not_before=-(10**12)),
        replace(GOOD, not_after=10**12),
        replace(GOOD, path_length=1),
        replace(GOOD, serial=0),
        replace(GOOD, serial=1 << 160),
        replace(GOOD, names=("a b",)),
        replace(GOOD, names=("",)),
        replace(GOOD, names=("\ud800",)),
        replace(GOOD, subject="Q=a"),
        replace(GOOD, subject="C=Germany"),
    ],
)
def test_what_cannot_be_issued_is_a_usage_error(description):
    with pytest.raises(UsageError):
        issued(description)


# -- whatever is described ------------------------------------------------------

KEYS = st.sampled_from(["ed25519", "p256", "p384"])
TIMES = st.integers(-(10**12), 10**12) | st.integers(-400 * DAY, 400 * DAY)
COMMON = {
    "subject": st.text(max_size=8) | st.sampled_from(["", "CN=a", "CN=a, O=b", "C=DE", "CN=ä", r"CN=a\,b", "CN=,"]),
    "not_before": TIMES,
    "not_after": TIMES,
    "key": KEYS,
    "usage": st.none() | st.lists(st.sampled_from(["server", "client", "any"]), max_size=3).map(tuple),
    "key_usage": st.none() | st.lists(st.sampled_from(["digital-signature", "cert-sign"]), max_size=2).map(tuple),
    "ca": st.sampled_from([True, False, None]),
    "path_length": st.none() | st.integers(-1, 300),
    "serial": st.none() | st.integers(-1, 1 << 161),
    "has_bad_signature": st.booleans(),
    "has_unknown_critical": st.booleans(),
    "is_revoked": st.booleans(),
    "padding": st.integers(0, 300),
}
NAMES = st.text(max_size=12) | st.sampled_from(["a.example", "*.example", "10.0.0.1", "::1", "x" * 254])
MODERATE = {"not_before": st.integers(-90 * DAY, -1), "not_after": st.integers(0, 90 * DAY), "ca": st.just(True)}
ISSUERS = st.builds(IssuerDescription, **{**COMMON, **MODERATE}, permitted_names=st.lists(NAMES, max_size=2).map(tuple))
DESCRIPTIONS = st.builds(
    CertificateDescription,
    **COMMON,
    names=st.none() | st.lists(NAMES, max_size=3).map(tuple),
    chain=st.lists(ISSUERS, max_size=2).map(tuple),
    issuer=st.sampled_from(["throw-away", "other", "self"]),
    sent=st.sampled_from(["chain", "leaf", "reversed", "with-root"]),
    lists=st.sampled_from([None, "current", "stale", "none"]),
)
LIKELY = st.builds(
    CertificateDescription,
    **{**COMMON, **MODERATE, "subject": st.sampled_from(["", "CN=a, O=b"]), "serial": st.integers(1, 1 << 158)},
    names=st.none() | st.just(("a.example", "::1")),
    issuer=st.sampled_from(["throw-away", "other", "self"]),
)


@given(DESCRIPTIONS | LIKELY, st.sampled_from(["server", "client"]), st.integers(0, 3))
@settings(max_examples=150, deadline=None)
def test_a_description_gives_a_certificate_that_can_be_read_and_always_the_same_or_a_usage_error(
    description, usage, seed
):
    authority = Authority.create(seed=seed, clock=CLOCK)
    try:
        made = issued(description, usage=usage, authority=authority)
    except UsageError:
        return
    for der in made.certificate.chain:
        assert list(x509.load_der_x509_certificate(der).extensions) is not None
    for der in made.lists:
        assert x509.load_der_x509_crl(der).next_update_utc is not None
    key = serialization.load_der_private_key(made.certificate.private_key, None)
    assert key.public_key() == x509.load_der_x509_certificate(made.certificate.chain[0]).public_key()
    assert issued(description, usage=usage, authority=Authority.create(seed=seed, clock=CLOCK)) == made
