"""AcquireCredentialsHandle: each row of its status table, and what a credential holds."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sspicli.packages.catalog import PACKAGES, available_packages, create_package, find_package
from sspicli.packages.schannel import ACQUIRE_ROWS, SchannelPackage
from sspicli.sspi.errors import UnavailableError, UsageError
from sspicli.sspi.package import AcquireRequest, AcquireResult
from sspicli.sspi.schannel import CertContext, SchCredentials
from tests.schannel_pair import AUTHORITY, CLOCK, INBOUND, OUTBOUND, acquire, certificate, credentials, pair

BOTH = 3
OK = "SEC_E_OK"
GOOD = certificate()
MALFORMED = CertContext((b"not a certificate",), GOOD.private_key)
KEYLESS = CertContext(GOOD.chain)
WRONG_KEY = CertContext(GOOD.chain, certificate(name="client", usage="client").private_key)
SPOILT_KEY = CertContext(GOOD.chain, b"not a key")


def acquired(auth: object, use: int = OUTBOUND) -> AcquireResult:
    return SchannelPackage().acquire(AcquireRequest(None, use, auth))


def with_certificates(*given: CertContext) -> AcquireResult:
    return acquired(credentials(certificates=given), INBOUND)


def version_4(enabled: int, use: int = OUTBOUND) -> AcquireResult:
    return acquired(credentials(version=4, enabled_protocols=enabled), use)


CASES: dict[str, Callable[[], AcquireResult]] = {
    "no-auth-data": lambda: acquired(None, INBOUND),
    "foreign-auth-data": lambda: acquired({"user": "somebody"}),
    "version": lambda: acquired(credentials(version=2)),
    "version-3": lambda: acquired(credentials(version=3)),
    "version-unknown": lambda: acquired(credentials(version=6)),
    "use": lambda: acquired(credentials(), 0),
    "certificate-malformed": lambda: with_certificates(MALFORMED),
    "certificate-without-key": lambda: with_certificates(KEYLESS),
    "key-unusable": lambda: with_certificates(WRONG_KEY),
    "wrong-side": lambda: version_4(0x400),
    "datagrams-and-streams": lambda: version_4(0x80000 | 0x800),
    "no-protocol": lambda: acquired(credentials(disabled_protocols=0xFFFFFFFF)),
    "algorithm": lambda: acquired(credentials(cipher_suites=("TLS_NOT_A_SUITE",))),
    "store": lambda: acquired(credentials(root_store=(b"not a root",))),
    "engine": lambda: acquired(credentials(clock=1 << 62)),
}


@pytest.mark.parametrize("row", ACQUIRE_ROWS, ids=lambda row: row.id)
def test_each_row_of_the_table_is_what_acquiring_gives(row):
    result = CASES[row.id]()

    assert result.evidence is not None
    assert (result.evidence.row, result.status, result.credential) == (row.id, row.status, None)
    assert result.evidence.source is row.source
    assert result.evidence.detail


@pytest.mark.parametrize("use", [0, INBOUND, BOTH])
def test_without_auth_data_only_a_client_is_acquired(use):
    assert acquired(None, use).status.name == "SEC_E_NO_CREDENTIALS"
    assert acquired(None, OUTBOUND).status.name == OK


@pytest.mark.parametrize("use", [OUTBOUND, INBOUND])
def test_a_version_4_structure_without_certificate_is_acquired_and_fails_at_accept_later(use):
    assert acquired(SchCredentials(version=4, root_store=()), use).status.name == OK


@pytest.mark.parametrize("version", [0, 1, 2])
def test_old_versions_are_unknown_credentials(version):
    assert acquired(credentials(version=version)).status.name == "SEC_E_UNKNOWN_CREDENTIALS"


def test_a_zero_filled_version_5_structure_is_acquired():
    assert acquired(SchCredentials()).status.name == OK


@pytest.mark.parametrize("given", [(GOOD, MALFORMED), (MALFORMED, GOOD), (KEYLESS, MALFORMED)])
def test_one_malformed_certificate_spoils_the_others(given):
    assert with_certificates(*given).status.name == "SEC_E_UNKNOWN_CREDENTIALS"


@pytest.mark.parametrize("given", [WRONG_KEY, SPOILT_KEY], ids=["another's", "unreadable"])
def test_an_unusable_key_is_unknown_credentials(given):
    assert with_certificates(given).status.name == "SEC_E_UNKNOWN_CREDENTIALS"


@pytest.mark.parametrize(
    ("enabled", "use"), [(0x1000, OUTBOUND), (0x800, INBOUND), (0x400 | 0x40, OUTBOUND), (0x40000 | 0x400, INBOUND)]
)
def test_protocol_bits_that_cannot_serve_are_an_algorithm_mismatch(enabled, use):
    assert version_4(enabled, use).status.name == "SEC_E_ALGORITHM_MISMATCH"


def test_a_version_4_structure_never_negotiates_tls13():
    old = credentials(version=4, enabled_protocols=0x2800)

    both = pair(client=old).run()

    assert both.client.ask(0x64)["dwProtocol"] == 0x303
    assert version_4(0x2000).status.name == "SEC_E_ALGORITHM_MISMATCH"


def test_a_version_4_structure_can_ask_for_tls10():
    old = {"version": 4, "enabled_protocols": 0xC0}
    both = pair(
        client=credentials(**old), server=credentials(certificates=(certificate("valid", "rsa2048"),), **old)
    ).run()

    assert both.client.ask(0x64)["dwProtocol"] == 0x301
    assert both.client.ask(4)["cbTrailer"] == 36


def test_suites_of_one_version_narrow_the_protocols():
    both = pair(
        client=credentials(cipher_suites=("TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",), groups=("x25519", "secp256r1"))
    ).run()

    assert both.client.ask(0x64)["dwCipherSuite"] == 0xC02B


def test_suites_with_a_short_tag_alone_are_refused():
    assert acquired(credentials(cipher_suites=("TLS_AES_128_CCM_8_SHA256",))).status.name == "SEC_E_ALGORITHM_MISMATCH"


@pytest.mark.parametrize("change", [{"groups": ("nope",)}, {"signature_algorithms": ("nope",)}])
def test_an_unknown_algorithm_is_named_in_the_evidence(change):
    evidence = acquired(credentials(**change)).evidence

    assert evidence is not None
    assert "nope" in evidence.detail


def test_expiry_is_the_end_of_the_own_certificate():
    assert with_certificates(GOOD).expiry == CLOCK + 30 * 86_400
    assert acquired(credentials()).expiry == 0


def test_a_credential_for_both_sides_opens_both():
    both_sides = acquire(credentials(certificates=(GOOD,)), BOTH)

    assert pair(client=both_sides, server=both_sides).run().server.is_done


def test_a_weak_key_of_ones_own_can_be_loaded():
    assert with_certificates(certificate("weak-key")).status.name == OK


def test_a_certificate_entry_without_a_chain_counts_as_none():
    assert with_certificates(certificate("none")).status.name == OK


def test_a_client_ca_name_without_its_certificate_is_sent_all_the_same():
    stranger = certificate("self-signed").chain[0]
    name = AUTHORITY.name_der
    server = credentials(certificates=(GOOD,), root_store=(stranger,), client_ca_names=(name,))

    both = pair(server=server, server_flags=2).run()

    assert both.client.ask(0x59) == {"cIssuers": 1, "aIssuers": (name,)}


def test_a_malformed_client_ca_name_is_refused():
    evidence = acquired(credentials(client_ca_names=(b"\x30\x05x",)), INBOUND).evidence

    assert evidence is not None
    assert evidence.row == "store"


def test_the_systems_trust_anchors_do_not_trust_the_throw_away_root():
    both = pair(client=credentials(root_store=None)).run()

    assert both.client.statuses[-1] == "SEC_E_UNTRUSTED_ROOT"
    assert "system's trust anchors" in both.client.legs[-1].evidence.detail


def test_the_package_names_itself_and_its_engine():
    package = SchannelPackage()

    assert package.name == "Schannel"
    assert package.engine.startswith("pyOpenSSL ")
    assert ", OpenSSL " in package.engine


# -- the catalog ------------------------------------------------------


@pytest.mark.parametrize("name", ["Schannel", "schannel", "TLS", "microsoft unified security protocol provider"])
def test_schannel_is_found_by_every_name(name):
    assert create_package(name).name == "Schannel"


@pytest.mark.parametrize("name", ["NTLM", "negotiate", "Kerberos"])
def test_a_package_that_is_not_built_yet_is_known_and_not_offered(name):
    entry = find_package(name)

    assert entry in PACKAGES
    assert entry not in available_packages()
    with pytest.raises(UnavailableError, match="not built yet"):
        create_package(name)


def test_a_misspelt_name_gets_a_suggestion():
    with pytest.raises(UsageError) as caught:
        create_package("schanel")

    assert caught.value.help == "did you mean Schannel?"


def test_an_unknown_name_gets_the_list():
    with pytest.raises(UsageError) as caught:
        create_package("zzz")

    assert caught.value.help == "packages: Schannel"
