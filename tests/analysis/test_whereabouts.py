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
