"""QueryContextAttributes: each attribute's fields on real connections, and the statuses of what cannot be asked."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from sspicli.packages.openssl_names import find_suite
from sspicli.packages.schannel_messages import stream_sizes
from sspicli.sspi.attributes import ContextAttribute as Attribute
from tests.schannel_pair import TLS12_ONLY, TLS13_ONLY, Pair, acquire, certificate, credentials, pair

P256 = ("x25519", "secp256r1")
ECDSA = {"certificates": (certificate("valid", "p256"),), "groups": P256}
AES256_TLS12 = {"cipher_suites": ("TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",), "groups": ("secp384r1", "secp256r1")}


def done(version=TLS13_ONLY, **changes) -> Pair:
    return pair(client=credentials(**{**version, **changes})).run()


def fields(both: Pair, attribute: int) -> list[dict[str, Any]]:
    return [end.ask(attribute) for end in both.ends]


def tls12_ecdsa() -> Pair:
    return pair(client=credentials(**AES256_TLS12), server=credentials(**{**ECDSA, "groups": ("secp384r1",)})).run()


def test_cipher_info_of_a_tls12_connection_is_as_windows_was_seen_to_give_it():
    for found in fields(tls12_ecdsa(), Attribute.CIPHER_INFO):
        assert found == {
            "dwVersion": 1, "dwProtocol": 0x303, "dwCipherSuite": 0xC02C, "dwBaseCipherSuite": 0xC02C,
            "szCipherSuite": "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", "szCipher": "AES", "dwCipherLen": 256,
            "dwCipherBlockLen": 16, "szHash": "", "dwHashLen": 0, "szExchange": "ECDH", "dwMinExchangeLen": 0,
            "dwMaxExchangeLen": 65536, "szCertificate": "ECDSA", "dwKeyType": 0x18,
        }  # fmt: skip


def test_cipher_info_gives_the_wire_version_and_the_group_in_tls13():
    for found in fields(done(), Attribute.CIPHER_INFO):
        assert (found["dwProtocol"], found["dwCipherSuite"], found["dwKeyType"]) == (0x304, 0x1302, 0x1D)


def test_connection_info_gives_the_protocol_bit_of_each_side():
    client, server = fields(done(), Attribute.CONNECTION_INFO)

    assert (client["dwProtocol"], server["dwProtocol"]) == (0x2000, 0x1000)
    assert (client["aiCipher"], client["dwCipherStrength"], client["dwHashStrength"]) == (0x6610, 256, 0)
    assert (client["aiExch"], client["dwExchStrength"]) == (0xAE06, 255)


def test_connection_info_of_cbc_names_the_mac():
    suite = "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256"
    both = pair(client=credentials(cipher_suites=(suite,), groups=P256), server=credentials(**ECDSA)).run()

    client, _ = fields(both, Attribute.CONNECTION_INFO)
    named, _ = fields(both, Attribute.CONNECTION_INFO_EX)

    assert (client["dwProtocol"], client["aiCipher"], client["aiHash"], client["dwHashStrength"]) == (
        0x800,
        0x660E,
        0x800C,
        256,
    )
    assert (named["szCipher"], named["szHash"], named["szExchange"]) == ("AES", "SHA256", "ECDH")


def test_a_plain_rsa_exchange_has_the_bits_of_the_servers_key():
    only = {"cipher_suites": ("TLS_RSA_WITH_AES_128_GCM_SHA256",)}
    server = credentials(certificates=(certificate("valid", "rsa2048"),), **only)
    both = pair(client=credentials(**only), server=server).run()

    for found in fields(both, Attribute.CONNECTION_INFO):
        assert (found["aiExch"], found["dwExchStrength"]) == (0xA400, 2048)
    assert fields(both, Attribute.CIPHER_INFO)[0]["dwKeyType"] == 0


@pytest.mark.parametrize(
    ("version", "suite", "expected"),
    [
        (0x303, "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", (13, 16, 16384, 4, 16)),
        (0x301, "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", (5, 36, 16384, 4, 16)),
        (0x303, "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", (21, 36, 16384, 4, 16)),
        (0x303, "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256", (21, 48, 16384, 4, 16)),
        (0x303, "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", (5, 16, 16384, 4, 1)),
        (0x303, "TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8", (13, 8, 16384, 4, 16)),
        (0x304, "TLS_AES_128_GCM_SHA256", (5, 17, 16384, 4, 16)),
        (0x304, "TLS_AES_128_CCM_8_SHA256", (5, 9, 16384, 4, 16)),
    ],
)
def test_stream_sizes_follow_version_and_suite(version, suite, expected):
    assert stream_sizes(version, find_suite(suite)) == expected


def test_stream_sizes_are_given_by_their_member_names():
    assert fields(done(), Attribute.STREAM_SIZES)[0] == {
        "cbHeader": 5, "cbTrailer": 17, "cbMaximumMessage": 16384, "cBuffers": 4, "cbBlockSize": 16,
    }  # fmt: skip


@pytest.mark.parametrize("version", [TLS12_ONLY, TLS13_ONLY], ids=["1.2", "1.3"])
def test_the_session_id_is_the_one_of_the_server_hello(version):
    client, server = fields(done(version), Attribute.SESSION_INFO)

    assert client == server
    assert client["dwFlags"] == 0
    assert client["cbSessionId"] == len(client["rgbSessionId"]) in (0, 32)
    if version is TLS13_ONLY:
        assert client["cbSessionId"] == 32


def test_unique_bindings_are_the_same_at_both_ends_full_and_resumed():
    client, server = acquire(credentials(**TLS12_ONLY), 2), acquire(credentials(certificates=(certificate(),)), 1)
    first, second = pair(client=client, server=server).run(), pair(client=client, server=server).run()

    for both in (first, second):
        mine, theirs = fields(both, Attribute.UNIQUE_BINDINGS)
        assert mine == theirs
        assert mine["BindingsLength"] == len(mine["Bindings"]) == 32 + 11 + 12
        assert mine["Bindings"][:32] == bytes(24) + (23).to_bytes(4, "little") + (32).to_bytes(4, "little")
        assert mine["Bindings"][32:43] == b"tls-unique:"
    assert fields(second, Attribute.SESSION_INFO)[0]["dwFlags"] == 1
    assert fields(first, Attribute.UNIQUE_BINDINGS) != fields(second, Attribute.UNIQUE_BINDINGS)


def test_unique_bindings_do_not_exist_in_tls13():
    assert done().client.context.query(Attribute.UNIQUE_BINDINGS).status.name == "SEC_E_UNSUPPORTED_FUNCTION"


def test_endpoint_bindings_are_the_hash_of_the_servers_certificate_at_both_ends():
    mine, theirs = fields(done(), Attribute.ENDPOINT_BINDINGS)

    assert mine == theirs
    assert mine["Bindings"][32:] == b"tls-server-end-point:" + hashlib.sha512(certificate().chain[0]).digest()


def test_endpoint_bindings_take_the_hash_of_the_certificates_signature():
    server = credentials(certificates=(certificate("self-signed", "p256"),), groups=P256)
    both = pair(client_flags=0x80000, server=server).run()

    bindings = fields(both, Attribute.ENDPOINT_BINDINGS)[0]

    assert bindings["BindingsLength"] == 32 + 21 + 32
    assert bindings["Bindings"][53:] == hashlib.sha256(certificate("self-signed", "p256").chain[0]).digest()


def test_certificates_are_given_with_their_chain():
    both = pair(server=credentials(certificates=(certificate("long-chain"),))).run()
    chain = certificate("long-chain").chain

    mine = both.server.ask(Attribute.LOCAL_CERT_CONTEXT)
    seen = both.client.ask(Attribute.REMOTE_CERT_CONTEXT)

    assert mine == seen == {
        "dwCertEncodingType": 1, "pbCertEncoded": chain[0], "cbCertEncoded": len(chain[0]), "hCertStore": chain,
    }  # fmt: skip
    assert both.client.ask(Attribute.REMOTE_CERT_CHAIN) == {"rgpChain": chain}
    assert both.client.ask(Attribute.REMOTE_CERTIFICATES)["cCertificates"] == 4
    assert both.client.context.query(Attribute.LOCAL_CERT_CONTEXT).status.name == "SEC_E_NO_CREDENTIALS"
    assert both.server.context.query(Attribute.REMOTE_CERT_CONTEXT).status.name == "SEC_E_NO_CREDENTIALS"


def test_the_root_is_not_sent_with_the_chain():
    assert done().client.ask(Attribute.REMOTE_CERT_CHAIN)["rgpChain"] == certificate().chain


def test_a_server_sees_the_clients_chain_with_its_leaf_first():
    client = credentials(certificates=(certificate("long-chain", name="client", usage="client"),))
    both = pair(client=client, server_flags=2).run()

    seen = both.server.ask(Attribute.REMOTE_CERT_CHAIN)["rgpChain"]

    assert seen == certificate("long-chain", name="client", usage="client").chain


def test_key_info_names_algorithms():
    both = tls12_ecdsa()

    assert fields(both, Attribute.KEY_INFO)[0] == {
        "sSignatureAlgorithmName": "ECDSA", "sEncryptAlgorithmName": "AES", "KeySize": 256,
        "SignatureAlgorithm": 0x2203, "EncryptAlgorithm": 0x6610,
    }  # fmt: skip


@pytest.mark.parametrize("version", [TLS12_ONLY, TLS13_ONLY], ids=["1.2", "1.3"])
def test_keying_material_is_the_same_at_both_ends(version):
    both = done(version)
    asked = {"pszLabel": "EXPERIMENTAL test", "cbKeyingMaterial": 40, "pbContextValue": b"context"}

    for end in both.ends:
        assert end.context.query(Attribute.KEYING_MATERIAL).status.name == "SEC_E_INVALID_PARAMETER"
        assert end.context.set_attribute(Attribute.KEYING_MATERIAL_INFO, asked).name == "SEC_E_OK"

    mine, theirs = fields(both, Attribute.KEYING_MATERIAL)
    assert mine == theirs
    assert len(mine["pbKeyingMaterial"]) == 40
    assert fields(both, Attribute.KEYING_MATERIAL_INPROC) == [mine, theirs]


@pytest.mark.parametrize(
    "change", [{"pszLabel": ""}, {"cbKeyingMaterial": 0}, {"pbContextValue": "text"}, {"pszLabel": "ä"}]
)
def test_a_wrong_request_for_keying_material_is_an_invalid_parameter(change):
    asked = {"pszLabel": "label", "cbKeyingMaterial": 40, **change}

    assert done().client.context.set_attribute(Attribute.KEYING_MATERIAL_INFO, asked).name == "SEC_E_INVALID_PARAMETER"


def test_other_attributes_cannot_be_set():
    assert done().client.context.set_attribute(Attribute.APP_DATA, {}).name == "SEC_E_UNSUPPORTED_FUNCTION"


@pytest.mark.parametrize("attribute", [Attribute.NEGOTIATION_INFO, Attribute.SIZES, Attribute.DTLS_MTU, 9999])
def test_what_schannel_lacks_is_an_unsupported_function(attribute):
    assert done().client.context.query(attribute).status.name == "SEC_E_UNSUPPORTED_FUNCTION"


def test_flags_are_the_returned_word():
    both = done()

    assert fields(both, Attribute.FLAGS) == [{"Flags": end.legs[-1].result.attributes} for end in both.ends]


def test_package_info_is_known_at_any_time():
    both = pair()
    both.client.begin()

    assert both.client.ask(Attribute.PACKAGE_INFO)["wRPCID"] == 14


def test_queries_before_their_time_have_no_context_and_on_a_dead_handle_none_is_valid():
    both = pair()
    assert both.client.context.query(Attribute.STREAM_SIZES).status.name == "SEC_E_NO_CONTEXT"
    both.client.begin()
    for attribute in (Attribute.CIPHER_INFO, Attribute.SESSION_INFO, Attribute.UNIQUE_BINDINGS):
        assert both.client.context.query(attribute).status.name == "SEC_E_NO_CONTEXT"
    assert both.client.context.query(Attribute.REMOTE_CERT_CONTEXT).status.name == "SEC_E_NO_CREDENTIALS"

    both.client.context.delete()

    assert both.client.context.query(Attribute.STREAM_SIZES).status.name == "SEC_E_INVALID_HANDLE"
    assert both.client.context.set_attribute(Attribute.KEYING_MATERIAL_INFO, {}).name == "SEC_E_INVALID_HANDLE"


def test_a_certificate_that_was_refused_can_still_be_looked_at():
    both = pair(server=credentials(certificates=(certificate("expired"),))).run()

    assert both.client.ask(Attribute.REMOTE_CERT_CONTEXT)["pbCertEncoded"] == certificate("expired").chain[0]


def test_every_attribute_of_every_phase_answers_without_raising():
    fresh, waiting, failed = pair(), pair(), pair(client=credentials(clock=0)).run()
    waiting.client.begin()

    for both in (fresh, waiting, failed, done(), done(TLS12_ONLY)):
        for end in both.ends:
            for attribute in (*Attribute, -1, 1 << 40):
                result = end.context.query(attribute)
                assert (result.status.name == "SEC_E_OK") == bool(result.fields)
                assert result.status.name != "SEC_E_INTERNAL_ERROR"
