"""What bytes are, by the marks that their specifications fix."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sspicli.tokens.sniff import Kind, handshake_end, tell
from tests.handshakes import handshake
from tests.tls_pairs import identity


@pytest.mark.parametrize(("data", "kind"), [
    ("1603010005 0100000103", Kind.TLS),
    ("1603", Kind.TLS),
    ("1503030002 0228", Kind.TLS),
    ("0100000603033c3c3c3c", Kind.HANDSHAKE),
    ("010001fc0303ff", Kind.HANDSHAKE),
    ("0e000000", Kind.HANDSHAKE),
    ("0e000000 0e000000", Kind.HANDSHAKE),
    ("00000000", Kind.HANDSHAKE),
    ("00000000 00000000", Kind.UNKNOWN),
    ("4e544c4d53535000 01000000", Kind.NTLM),
    ("6018 06062b0601050502 a00e300c", Kind.UNKNOWN),
    ("600a 06062b0601050502 a000", Kind.SPNEGO),
    ("600d 06092a864886f712010202 0100", Kind.KERBEROS),
    ("a104 3002a000", Kind.SPNEGO),
    ("3003 020101", Kind.UNKNOWN),
    ("ff", Kind.UNKNOWN),
    ("", Kind.UNKNOWN),
])  # fmt: skip
def test_a_token_is_told_by_how_it_begins(data, kind):
    assert tell(bytes.fromhex(data)).kind is kind


def test_the_mark_that_told_is_part_of_the_answer():
    assert tell(bytes.fromhex("600a06062b0601050502a000")).mark == "the mechanism 1.3.6.1.5.5.2"
    assert tell(bytes.fromhex("600d06092a864886f7120102020100")).mark == "the mechanism 1.2.840.113554.1.2.2"
    assert tell(b"NTLMSSP\0\2\0\0\0").words == "an NTLM CHALLENGE_MESSAGE"


def test_every_leg_of_a_handshake_is_tls_and_its_certificate_is_one():
    result = handshake(tls="1.2")
    assert {tell(leg.data).kind for leg in result.legs} == {Kind.TLS}
    messages = [one for leg in result.legs for one in leg.messages if one.content_type == 22]
    assert messages
    assert {tell(one.body).kind for one in messages} == {Kind.HANDSHAKE}


def test_a_certificate_that_is_cut_short_is_told_by_its_beginning():
    der = identity().der
    assert tell(der).words == "an X.509 certificate in DER"
    for size in (13, 200, len(der) - 1):
        assert tell(der[:size]).words == "an X.509 certificate in DER, cut short"
    request = bytes.fromhex("30820200 308201e8 020100 3010")
    assert tell(request).kind is Kind.UNKNOWN


@given(data=st.binary(max_size=200))
def test_any_bytes_are_told_something(data):
    told = tell(data)
    assert told.words
    assert (told.kind is Kind.UNKNOWN) == (told.mark == "")
    assert 0 <= handshake_end(data) <= len(data)
