"""When client and server have nothing in common, both offers are shown, and what they lack."""

from __future__ import annotations

import pytest

from tests.handshakes import handshake


@pytest.mark.parametrize(
    ("changes", "lacks", "offered", "taken"),
    [
        ({"client": ("tls=1.2",), "server": ("tls=1.3",)}, "versions", "TLS 1.2", "TLS 1.3"),
        ({"client": ("tls=1.3",), "server": ("tls=1.2",)}, "versions", "TLS 1.3", "TLS 1.2"),
        (
            {"tls": "1.3", "client": ("suites=TLS_AES_128_GCM_SHA256",), "server": ("suites=TLS_AES_256_GCM_SHA384",)},
            "suites",
            "TLS_AES_128_GCM_SHA256",
            "TLS_AES_256_GCM_SHA384",
        ),
        ({"client": ("groups=X25519",), "server": ("groups=P-256",)}, "groups", "x25519", "secp256r1"),
    ],
)
def test_what_was_offered_and_what_would_be_taken_stand_side_by_side(changes, lacks, offered, taken):
    failure = handshake(**changes).failure
    assert failure is not None
    assert failure.offers is not None
    assert failure.offers.lacks == (lacks,)
    assert offered in failure.offers.client
    assert taken in failure.offers.server


def test_a_failure_over_something_else_shows_no_offers():
    failure = handshake(server=("cert=expired",)).failure
    assert failure is not None
    assert failure.offers is None
