"""RFC 8448: every record of its five traces opens with its secrets, and every message says what the RFC prints."""

from __future__ import annotations

import hashlib
import hmac
from pathlib import Path
from typing import NamedTuple

import pytest

from sspicli.tokens.tls import TlsMessage, TlsReader
from sspicli.tokens.tls13 import expand_label
from sspicli.tokens.tls_fields import message_tree, token_tree
from sspicli.tokens.tree import walk


class Trace(NamedTuple):
    """One section: its secrets by label, and its records in the order of the wire."""

    secrets: dict[str, bytes]
    records: list[tuple[str, bytes]]


class Read(NamedTuple):
    """One message, and who sent it."""

    sender: str
    message: TlsMessage


def load() -> dict[str, Trace]:
    """Read the file of traces."""
    traces: dict[str, Trace] = {}
    text = (Path(__file__).parent / "rfc8448.txt").read_text().replace("\n    ", "")
    for line in text.splitlines():
        word, _, rest = line.partition(" ")
        if word == "=":
            trace = traces[rest[0]] = Trace({}, [])
        elif word in ("client", "server"):
            trace.records.append((word, bytes.fromhex(rest)))
        elif word.isupper():
            trace.secrets[word] = bytes.fromhex(rest)
    return traces


TRACES = load()
SECTIONS = sorted(TRACES)


def read(section: str) -> list[Read]:
    """Read a trace record by record, all secrets given before."""
    trace, reader = TRACES[section], TlsReader()
    client_random = next(data for _, data in trace.records)[11:43]
    for label, secret in trace.secrets.items():
        reader.add_secret(f"{label} {client_random.hex()} {secret.hex()}")
    assert reader.junk_lines == 0
    return [Read(sender, message) for sender, data in trace.records for message in reader.read(sender, data)]


def value(section: str, path: str, *, nth: int = 0) -> object:
    """Find a field by its path in the nth message that has it: its meaning, or its value when it has none."""
    trees = [dict(walk(message_tree(one.message))) for one in read(section)]
    node = [tree[path] for tree in trees if path in tree][nth]
    return node.meaning or node.value


def names(section: str) -> list[str]:
    return [f"{one.sender} {one.message.name}" for one in read(section)]


_FLIGHT = ["server EncryptedExtensions", "server Certificate", "server CertificateVerify", "server Finished"]
_DATA = ["client ApplicationData", "server ApplicationData"]
_CLOSE = ["client Alert warning close_notify", "server Alert warning close_notify"]


@pytest.mark.parametrize(
    ("section", "said"),
    [
        (
            "3",
            [
                "client ClientHello",
                "server ServerHello",
                *_FLIGHT,
                "client Finished",
                "server NewSessionTicket",
                *_DATA,
                *_CLOSE,
            ],
        ),
        (
            "4",
            [
                "client ClientHello",
                "client ApplicationData",
                "server ServerHello",
                "server EncryptedExtensions",
                "server Finished",
                "client EndOfEarlyData",
                "client Finished",
                *_DATA,
                *_CLOSE,
            ],
        ),
        (
            "5",
            [
                "client ClientHello",
                "server HelloRetryRequest",
                "client ClientHello",
                "server ServerHello",
                *_FLIGHT,
                "client Finished",
                *_CLOSE,
            ],
        ),
        (
            "6",
            [
                "client ClientHello",
                "server ServerHello",
                _FLIGHT[0],
                "server CertificateRequest",
                *_FLIGHT[1:],
                "client Certificate",
                "client CertificateVerify",
                "client Finished",
                *_CLOSE,
            ],
        ),
        (
            "7",
            [
                "client ClientHello",
                "server ServerHello",
                "server ChangeCipherSpec",
                *_FLIGHT,
                "client ChangeCipherSpec",
                "client Finished",
                *_CLOSE,
            ],
        ),
    ],
)
def test_every_record_opens_and_carries_the_messages_of_the_trace(section: str, said: list[str]):
    assert names(section) == said
    assert [one.message.note for one in read(section)] == [""] * len(said)


def transcripts(section: str) -> list[tuple[str, bytes, bytes]]:
    """Give for each Finished its sender, the hash of what stands before it, and what it says."""
    messages = [one for one in read(section) if one.message.content_type == 22]
    before, out = b"", []
    for sender, message in messages:
        if message.name == "Finished":
            out.append((sender, hashlib.sha256(before).digest(), message.body[4:]))
        if message.name == "HelloRetryRequest":
            before = b"\xfe\0\0\x20" + hashlib.sha256(before).digest()
        before += message.body
    return out


@pytest.mark.parametrize("section", SECTIONS)
def test_every_finished_is_the_one_of_these_bytes(section: str):
    found = transcripts(section)
    assert [sender for sender, _, _ in found] == ["server", "client"]
    for sender, transcript, said in found:
        secret = TRACES[section].secrets[f"{sender.upper()}_HANDSHAKE_TRAFFIC_SECRET"]
        key = expand_label("sha256", secret, label=b"finished", size=32)
        assert hmac.digest(key, transcript, "sha256") == said


@pytest.mark.parametrize("section", SECTIONS)
def test_every_message_is_read_to_its_last_field(section: str):
    for one in read(section):
        nodes = dict(walk(message_tree(one.message)))
        assert [node.note for node in nodes.values() if node.note] == []
        assert not [path for path in nodes if "left_over" in path or "unknown" in path]


@pytest.mark.parametrize("section", SECTIONS)
def test_every_protected_record_says_what_was_in_it(section: str):
    trace, reader = TRACES[section], TlsReader()
    for label, secret in trace.secrets.items():
        reader.add_secret(f"{label} {trace.records[0][1][11:43].hex()} {secret.hex()}")
    for sender, data in trace.records:
        (node,) = token_tree(reader.read_token(sender, data)).children
        inside = [child.name for child in node.children[-1].children]
        assert inside == (["content", "type", "zeros", "tag"] if data[0] == 23 else [])


# What the RFC prints, in words or as the value whose bytes it shows.
PRINTED = [
    ("3", "ClientHello.extensions.server_name.server_name_list.ServerName.host_name", "server"),
    ("3", "ClientHello.cipher_suites.CipherSuite[1]", "TLS_CHACHA20_POLY1305_SHA256"),
    ("3", "ClientHello.extensions.supported_groups.named_group_list.NamedGroup[8]", "ffdhe8192"),
    ("3", "ClientHello.extensions.session_ticket.ticket", b""),
    ("3", "ClientHello.extensions.renegotiation_info.renegotiated_connection", b""),
    ("3", "ClientHello.extensions.key_share.client_shares.KeyShareEntry.group", "x25519"),
    (
        "3",
        "ClientHello.extensions.key_share.client_shares.KeyShareEntry.key_exchange",
        bytes.fromhex("99381de560e4bd43d23d8e435a7dbafeb3c06e51c13cae4d5413691e529aaf2c"),
    ),
    ("3", "ClientHello.extensions.signature_algorithms.supported_signature_algorithms.SignatureScheme[14]", "dsa_sha1"),
    ("3", "ClientHello.extensions.record_size_limit.record_size_limit", 0x4001),
    ("3", "ServerHello.cipher_suite", "TLS_AES_128_GCM_SHA256"),
    (
        "3",
        "ServerHello.extensions.key_share.server_share.key_exchange",
        bytes.fromhex("c9828876112095fe66762bdbf7c672e156d6cc253b833df1dd69b1b04e751f0f"),
    ),
    ("3", "EncryptedExtensions.extensions.server_name.extension_type", "server_name"),
    ("3", "Certificate.certificate_list.CertificateEntry.cert_data.tbsCertificate.issuer", "CN=rsa"),
    (
        "3",
        "Certificate.certificate_list.CertificateEntry.cert_data.tbsCertificate.validity.notAfter",
        "2026-07-30 01:23:59Z",
    ),
    (
        "3",
        "Certificate.certificate_list.CertificateEntry.cert_data.tbsCertificate.subjectPublicKeyInfo",
        "RSA, 1024 bits",
    ),
    (
        "3",
        "Certificate.certificate_list.CertificateEntry.cert_data.tbsCertificate.extensions.keyUsage.extnValue",
        "digitalSignature, keyEncipherment",
    ),
    ("3", "CertificateVerify.algorithm", "rsa_pss_rsae_sha256"),
    (
        "3",
        "Finished.verify_data",
        bytes.fromhex("9b9b141d906337fbd2cbdce71df4deda4ab42c309572cb7fffee5454b78f0718"),
    ),
    ("3", "NewSessionTicket.ticket_lifetime", 30),
    ("3", "NewSessionTicket.ticket_nonce", b"\0\0"),
    ("3", "NewSessionTicket.extensions.early_data.max_early_data_size", 1024),
    ("3", "ApplicationData.data", bytes(range(50))),
    ("4", "ClientHello.extensions.early_data.extension_type", "early_data"),
    (
        "4",
        "ClientHello.extensions.pre_shared_key.binders.PskBinderEntry",
        bytes.fromhex("3add4fb2d8fdf822a0ca3cf7678ef5e88dae990141c5924d57bb6fa31b9e5f9d"),
    ),
    ("4", "ClientHello.extensions.padding.padding", bytes(87)),
    ("4", "ApplicationData.data", b"ABCDEF"),
    ("4", "ServerHello.extensions.pre_shared_key.selected_identity", 0),
    ("4", "EncryptedExtensions.extensions.early_data.extension_type", "early_data"),
    ("5", "HelloRetryRequest.random", "HelloRetryRequest"),
    ("5", "HelloRetryRequest.extensions.key_share.selected_group", "secp256r1"),
    ("5", "ServerHello.extensions.key_share.server_share.group", "secp256r1"),
    ("6", "CertificateRequest.certificate_request_context", b""),
    (
        "6",
        "CertificateRequest.extensions.signature_algorithms.supported_signature_algorithms.SignatureScheme[0]",
        "ecdsa_secp256r1_sha256",
    ),
    ("6", "Certificate.certificate_list.CertificateEntry.cert_data.tbsCertificate.subject", "CN=ecdsa256"),
    ("6", "CertificateVerify.algorithm", "ecdsa_secp256r1_sha256"),
    ("7", "ChangeCipherSpec.type", "change_cipher_spec"),
]


@pytest.mark.parametrize(("section", "path", "said"), PRINTED)
def test_a_field_is_what_the_rfc_prints(section: str, path: str, said: object):
    assert value(section, path) == said


def test_the_retried_hello_carries_the_cookie_it_was_given():
    given = value("5", "HelloRetryRequest.extensions.cookie.cookie")
    assert value("5", "ClientHello.extensions.cookie.cookie") == given
    assert isinstance(given, bytes)
    assert len(given) == 0x72


def test_both_ends_of_the_mutual_handshake_show_a_certificate():
    path = "Certificate.certificate_list.CertificateEntry.cert_data.tbsCertificate.subject"
    assert [value("6", path, nth=nth) for nth in (0, 1)] == ["CN=ecdsa256", "CN=client"]
    assert value("6", "CertificateVerify.algorithm", nth=1) == "rsa_pss_rsae_sha256"


def test_early_data_opens_before_any_server_hello():
    trace, reader = TRACES["4"], TlsReader()
    secret = trace.secrets["CLIENT_EARLY_TRAFFIC_SECRET"]
    reader.add_secret(f"CLIENT_EARLY_TRAFFIC_SECRET {trace.records[0][1][11:43].hex()} {secret.hex()}")
    reader.read("client", trace.records[0][1])
    (message,) = reader.read("client", trace.records[1][1])
    assert (message.name, message.body) == ("ApplicationData", b"ABCDEF")


def test_a_secret_of_another_session_does_not_keep_early_data_closed():
    trace, reader = TRACES["4"], TlsReader()
    secret = trace.secrets["CLIENT_EARLY_TRAFFIC_SECRET"]
    reader.read("client", trace.records[0][1])
    reader.add_secret(f"CLIENT_EARLY_TRAFFIC_SECRET {bytes(32).hex()} {bytes(32).hex()}")
    assert [one.name for one in reader.read("client", trace.records[1][1])] == ["Encrypted"]
    reader.add_secret(f"CLIENT_EARLY_TRAFFIC_SECRET {trace.records[0][1][11:43].hex()} {secret.hex()}")
    assert [one.name for one in reader.read("client", trace.records[1][1])] == ["ApplicationData"]


def test_without_its_secret_early_data_stays_closed_and_spoils_nothing():
    trace, reader = TRACES["4"], TlsReader()
    for label, secret in trace.secrets.items():
        if "EARLY" not in label:
            reader.add_secret(f"{label} {trace.records[0][1][11:43].hex()} {secret.hex()}")
    said = [message.name for sender, data in trace.records for message in reader.read(sender, data)]
    assert said.count("Encrypted") == 2
    assert said[-6:] == [
        "Encrypted",
        "Finished",
        "ApplicationData",
        "ApplicationData",
        "Alert warning close_notify",
        "Alert warning close_notify",
    ]
