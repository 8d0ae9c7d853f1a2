"""Hellos: what was offered and chosen, as far as the bytes go."""

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from sspicli.tokens.tls_hello import hello_facts
from sspicli.tokens.tls_names import extension_name, group_name, is_grease, scheme_name, suite_name, version_name
from sspicli.tokens.tls_suites import CIPHER_SUITES
from tests.tls_pairs import TLS12, Recipe, read, session


def bodies(recipe=None):
    return {one.name: one.body for reading in read(session(recipe).sent) for one in reading}


def facts(body):
    found = hello_facts(body)
    assert found is not None
    return found


def test_a_client_hello_says_what_it_offers():
    hello = facts(bodies()["ClientHello"])
    assert (hello.name, hello.server_name, hello.alpn) == ("ClientHello", "localhost", ("h2", "http/1.1"))
    assert [version_name(one) for one in hello.versions] == ["TLS 1.3"]
    assert [suite_name(one) for one in hello.suites][:3] == [
        "TLS_AES_256_GCM_SHA384",
        "TLS_CHACHA20_POLY1305_SHA256",
        "TLS_AES_128_GCM_SHA256",
    ]
    assert [group_name(one) for one in hello.key_shares] == ["X25519MLKEM768", "x25519"]
    assert set(hello.key_shares) < set(hello.groups)
    assert "ecdsa_secp256r1_sha256" in [scheme_name(one) for one in hello.signature_algorithms]
    assert "supported_versions" in [extension_name(one) for one in hello.extensions]
    assert (len(hello.random), hello.note) == (32, "")


def test_a_server_hello_says_what_it_chose():
    made = session()
    hello = facts(bodies()["ServerHello"])
    assert (hello.name, hello.legacy_version, hello.versions) == ("ServerHello", 0x0303, (0x0304,))
    assert [suite_name(one) for one in hello.suites] == [made.client.get_cipher_name()]
    assert [group_name(one) for one in hello.key_shares] == ["X25519MLKEM768"]
    assert hello.random == made.client.server_random()
    assert hello.session_id == facts(bodies()["ClientHello"]).session_id


def test_a_retry_names_the_group_it_asks_for():
    hello = facts(bodies(Recipe(server_curve=ec.SECP384R1()))["HelloRetryRequest"])
    assert (hello.name, hello.versions, hello.key_shares) == ("HelloRetryRequest", (0x0304,), (24,))


def test_a_tls12_hello_has_its_legacy_version_alone():
    found = bodies(Recipe(TLS12, b"ECDHE-ECDSA-AES128-SHA256"))
    assert facts(found["ServerHello"]).versions == (0x0303,)
    assert facts(found["ServerHello"]).encrypts_then_macs
    assert facts(found["ServerHello"]).alpn == ("h2",)


def test_other_messages_are_no_hellos():
    assert hello_facts(b"") is None
    assert hello_facts(bodies()["Certificate"]) is None


@pytest.mark.parametrize("name", ["ClientHello", "ServerHello"])
def test_every_prefix_of_a_hello_says_what_stands_in_it(name):
    body = bodies()[name]
    whole = facts(body)
    for size in range(1, len(body)):
        part = facts(body[:size])
        assert part.note
        assert part.suites in (whole.suites[: len(part.suites)], (0,))


@given(st.binary(max_size=200), st.sampled_from([1, 2, 11]))
def test_any_bytes_have_facts(body, kind):
    hello_facts(bytes([kind]) + body)


def test_names_are_the_registered_ones():
    assert suite_name(0x1301) == "TLS_AES_128_GCM_SHA256"
    assert suite_name(0xC02F) == "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"
    assert group_name(0x11EC) == "X25519MLKEM768"
    assert scheme_name(0x0804) == "rsa_pss_rsae_sha256"
    assert extension_name(0xFF01) == "renegotiation_info"


def test_numbers_without_a_name_print_as_numbers():
    assert suite_name(0xABCD) == "suite 0xABCD"
    assert group_name(0x0A0A) == "GREASE 0x0A0A"
    assert version_name(0x7F17) == "version 0x7F17"


def test_sixteen_values_are_grease():
    assert sum(map(is_grease, range(0x10000))) == 16


def test_no_two_suites_share_a_name():
    assert len(set(CIPHER_SUITES.values())) == len(CIPHER_SUITES)
