"""When client and server have nothing in common, both offers are shown, and what they lack."""

from __future__ import annotations

import pytest

from sspicli.analysis.offers import Row, compare, protocols
from sspicli.analysis.report import Verdict
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


@pytest.mark.parametrize(
    "changes",
    [
        {"client": ("tls=1.2",), "server": ("tls=1.3",)},
        {"tls": "1.3", "client": ("suites=TLS_AES_128_GCM_SHA256",), "server": ("suites=TLS_AES_256_GCM_SHA384",)},
        {"client": ("groups=X25519",), "server": ("groups=P-256",)},
    ],
)
def test_the_change_that_is_advised_makes_it_pass(changes):
    failure = handshake(**changes).failure
    assert failure is not None
    side, option = failure.help.split(",")[0].removeprefix("--").split(" ")
    assert side == "client"
    assert "(you asked for it)" in failure.cause
    assert handshake(**{**changes, "client": (option,)}).verdict is Verdict.OK


def test_offers_are_compared_row_by_row():
    result = handshake(client=("tls=1.2", "alpn=h2"), server=("tls=1.3", "alpn=http/1.1"))
    versions, *others = compare(result.calls, result.legs)
    assert versions == Row("versions", ("TLS 1.2",), ("TLS 1.3",))
    assert versions.is_lacking
    assert not any(row.is_lacking for row in others)
    assert protocols(result.calls, result.legs) == Row("application protocols", ("h2",), ("http/1.1",))


def test_what_is_not_on_record_is_not_compared():
    result = handshake()
    assert compare((), result.legs) == compare(result.calls, ()) == ()
    assert protocols(result.calls, result.legs) is None
