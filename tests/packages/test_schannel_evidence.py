"""What evidence says of a refused certificate: the field, the values that decided, and what else is wrong."""

from __future__ import annotations

from typing import Any

import pytest

from sspicli.sspi.package import Evidence
from tests.schannel_pair import CLOCK, TARGET, TLS12_ONLY, TLS13_ONLY, certificate, credentials, pair

DAY = 86_400


def refused(preset: str, settings: dict[str, Any] | None = None, *, target: str = TARGET) -> Evidence:
    """Let a client refuse a server's certificate."""
    server = credentials(certificates=(certificate(preset),))
    return pair(client=credentials(**(settings or {})), server=server, target=target).run().client.last.evidence


def test_evidence_names_the_field_and_the_values_that_decided():
    evidence = refused("expired")

    assert (evidence.verify_code, evidence.verify_depth) == (10, 0)
    assert evidence.field == "Certificate[0].validity.notAfter"
    assert evidence.detail == "certificate ended 2026-09-18 14:13:20Z, clock says 2026-09-21 14:13:20Z"


@pytest.mark.parametrize(
    ("preset", "field", "words"),
    [
        ("wrong-name", "Certificate[0].extensions.subjectAltName", "wrong-name.invalid, the target is server.example"),
        (
            "wrong-usage",
            "Certificate[0].extensions.extendedKeyUsage",
            "extendedKeyUsage says clientAuth, serverAuth is",
        ),
        ("untrusted", "Certificate[0].issuer", "nobody trusts, which is not among the 1 trust anchors"),
        ("self-signed", "Certificate[0].issuer", "is its own issuer"),
        ("weak-key", "Certificate[0].subjectPublicKeyInfo", "1024 bits"),
        ("not-yet-valid", "Certificate[0].validity.notBefore", "certificate begins 2026-09-24"),
    ],
)
def test_evidence_of_each_kind_of_defect(preset, field, words):
    evidence = refused(preset)

    assert evidence.field == field
    assert words in evidence.detail


def test_further_defects_are_listed_by_a_second_look():
    evidence = refused("expired", target="other.example")

    assert evidence.row == "wrong-name", "the engine checks the name before the date"
    assert evidence.others == ("certificate ended 2026-09-18 14:13:20Z, clock says 2026-09-21 14:13:20Z",)


def test_an_expired_intermediate_is_named_by_its_depth():
    clock = CLOCK + 400 * DAY
    evidence = refused("long-chain", {"clock": clock})

    assert evidence.field == f"Certificate[{evidence.verify_depth}].validity.notAfter"


def test_a_clear_alert_in_tls13_is_said_to_differ():
    assert "in clear" in refused("expired", TLS13_ONLY).difference
    assert refused("expired", TLS12_ONLY).difference == ""
