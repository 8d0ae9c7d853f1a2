"""Times, subjects and names as they are written, and what a description says is bad about itself."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sspicli.packages.descriptions import (
    DAY,
    CertificateDescription,
    IssuerDescription,
    defects_of,
    read_duration,
    read_name,
    read_subject,
)
from sspicli.packages.options import parse_settings
from sspicli.packages.setup import build
from sspicli.sspi import schannel
from sspicli.sspi.errors import UsageError

CLOCK = 1_795_332_600
GOOD = CertificateDescription()
ISSUER = IssuerDescription()


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("-1d", -DAY), ("30d", 30 * DAY), ("+12h", 43_200), ("5m", 300), ("90s", 90), ("2w", 14 * DAY), ("0", 0)],
)
def test_a_time_is_a_number_with_its_unit(text, seconds):
    assert read_duration(text) == seconds


@given(st.text(max_size=20) | st.from_regex(r"-?\d{1,15}[smhdw]?", fullmatch=True))
def test_any_text_is_a_time_or_a_usage_error(text):
    try:
        seconds = read_duration(text)
    except UsageError:
        return
    assert isinstance(seconds, int)


def test_a_subject_keeps_the_order_that_it_is_written_in():
    assert read_subject(r"CN=Jo Doe, O=A\, B , c=DE") == (("CN", "Jo Doe"), ("O", "A, B"), ("C", "DE"))


@pytest.mark.parametrize(
    "text", ["CN", "CN=", "=x", "CN=a,,O=b", "Q=a", "C=DEU", "CN=" + "x" * 65, "CN=a\nb", "CN=a\\b"]
)
def test_what_is_no_subject_is_refused(text):
    with pytest.raises(UsageError):
        read_subject(text)


@given(st.text(max_size=30) | st.text(alphabet="CNO=,\\ a", max_size=30))
def test_any_text_is_a_subject_or_a_usage_error(text):
    try:
        parts = read_subject(text)
    except UsageError:
        return
    assert all(key and value for key, value in parts)


@pytest.mark.parametrize("text", ["", "a b", "a\x00b", "x" * 254])
def test_what_is_no_name_is_refused(text):
    with pytest.raises(UsageError):
        read_name(text)


@pytest.mark.parametrize(
    ("description", "said"),
    [
        (GOOD, ()),
        (replace(GOOD, chain=(ISSUER, ISSUER), usage=("server", "client"), names=("*.example.test",)), ()),
        (replace(GOOD, names=()), ()),
        (replace(GOOD, not_after=-1), ("expired",)),
        (replace(GOOD, not_before=1), ("not yet valid",)),
        (replace(GOOD, names=("*.test",)), ("wrong name",)),
        (replace(GOOD, names=(), subject="CN=other"), ("wrong name",)),
        (replace(GOOD, usage=("client",)), ("wrong usage",)),
        (replace(GOOD, key="rsa1024", is_revoked=True), ("weak key", "revoked")),
        (replace(GOOD, issuer="self", has_bad_signature=True), ("bad signature", "self-signed")),
        (replace(GOOD, chain=(ISSUER,), sent="leaf", lists="none"), ("intermediates left out", "no revocation list")),
        (replace(GOOD, chain=(ISSUER, replace(ISSUER, path_length=0))), ("issuer 2 path too long",)),
        (replace(GOOD, chain=(replace(ISSUER, ca=None),)), ("issuer 1 no authority",)),
        (replace(GOOD, chain=(replace(ISSUER, key_usage=("crl-sign",)),)), ("issuer 1 may not sign",)),
    ],
)
def test_a_description_says_what_is_bad_about_it(description, said):
    assert defects_of(description, side="server", name="www.example.test") == said


def described(side, description):
    made = {one: parse_settings(one, ()) for one in ("client", "server")}
    made[side] = replace(made[side], cert="", cert_description=description)
    return build(**made, seed=5, clock=CLOCK)


def test_the_note_of_a_run_names_the_defects_and_is_empty_for_a_good_certificate():
    bad = described("server", replace(GOOD, not_after=-1, not_before=-9, is_revoked=True))
    assert (bad.server.cert_note, bad.client.cert_note) == ("server=cert described: expired, revoked", "")
    assert described("server", GOOD).server.cert_note == ""


@pytest.mark.parametrize(
    ("description", "flags", "lists"),
    [
        (GOOD, 0, 0),
        (replace(GOOD, chain=(ISSUER,)), 0, 0),
        (replace(GOOD, is_revoked=True), schannel.SCH_CRED_REVOCATION_CHECK_END_CERT, 1),
        (replace(GOOD, lists="none"), schannel.SCH_CRED_REVOCATION_CHECK_END_CERT, 0),
        (replace(GOOD, chain=(replace(ISSUER, is_revoked=True),)), schannel.SCH_CRED_REVOCATION_CHECK_CHAIN, 2),
    ],
)
def test_the_peer_of_what_can_be_revoked_holds_the_lists_and_checks(description, flags, lists):
    made = described("client", description)
    both = schannel.SCH_CRED_REVOCATION_CHECK_END_CERT | schannel.SCH_CRED_REVOCATION_CHECK_CHAIN
    assert made.server.auth_data.flags & both == flags
    assert len(made.server.auth_data.crls) == lists
    assert made.client.auth_data.crls == ()
