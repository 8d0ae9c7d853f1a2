"""A field that decided a failure is found in the peer's message, byte for byte."""

from __future__ import annotations

import pytest

from sspicli.analysis.report import Report
from sspicli.analysis.whereabouts import whereabouts
from tests.handshakes import handshake


def bytes_of(result: Report, field: str) -> bytes | None:
    place = whereabouts(field, "client", result.legs)
    if place is None:
        return None
    leg = next(one for one in result.legs if one.number == place.leg)
    message = next(one for one in leg.messages if one.name == "Certificate")
    return message.body[place.start : place.end]


@pytest.mark.parametrize("tls", ["1.2", "1.3"])
def test_the_date_that_ended_a_certificate_stands_where_it_is_said_to(tls: str):
    result = handshake(tls=tls, server=("cert=expired",))
    assert result.failure is not None
    assert result.failure.place is not None
    assert bytes_of(result, "Certificate[0].validity.notAfter") == b"261119120000Z"
    assert result.failure.place.is_decrypted == (tls == "1.3")


@pytest.mark.parametrize(
    "field", ["", "ClientHello.cipher_suites", "Certificate[9].validity.notAfter", "Certificate[0].x"]
)
def test_what_is_no_field_of_a_certificate_that_was_sent_has_no_place(field: str):
    assert bytes_of(handshake(), field) is None


def test_the_clients_own_certificate_is_not_taken_for_the_servers():
    result = handshake(client=("cert=valid",), server=("request-cert=yes",))
    place = whereabouts("Certificate[0].subject", "server", result.legs)
    assert place is not None
    assert place.leg == 3


def test_a_field_of_a_hello_is_found_in_the_first_one_the_peer_sent():
    result = handshake(client=("groups=x25519",), server=("groups=secp256r1",))
    assert result.failure is not None
    assert result.failure.field == "ClientHello.extensions.supported_groups"
    place = result.failure.place
    assert place is not None
    assert (place.leg, place.is_decrypted) == (1, False)
    body = result.legs[0].messages[0].body
    assert body[place.start : place.end] == bytes.fromhex("000a 0004 0002 001d")


def test_an_extension_of_a_certificate_is_found_by_its_value():
    result = handshake(server=("cert=wrong-name",))
    place = whereabouts("Certificate[0].extensions.subjectAltName", "client", result.legs)
    assert place is not None
    body = next(one.body for one in result.legs[1].messages if one.name == "Certificate")
    assert body[place.start : place.start + 1] == b"\x30"
    assert b"wrong-name.invalid" in body[place.start : place.end]


def test_a_field_of_any_message_is_found_by_its_path_in_the_tree():
    result = handshake(client=("tls=1.3",))
    place = whereabouts("ClientHello.extensions.supported_versions", "server", result.legs)
    assert place is not None
    hello = result.legs[0].messages[0].body
    assert (place.leg, hello[place.start : place.start + 2], place.is_decrypted) == (1, b"\x00\x2b", False)
    assert whereabouts("ClientHello.extensions.nothing", "server", result.legs) is None
    assert whereabouts("ClientHello", "server", result.legs) is None
