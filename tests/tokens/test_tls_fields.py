"""Field trees: every field of every message has its place, whatever the bytes are."""

from __future__ import annotations

import time

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st

from sspicli.tokens.grammar import MAX_NODES
from sspicli.tokens.tls import MAX_MESSAGES, TlsMessage, TlsReader, TlsToken
from sspicli.tokens.tls_fields import message_tree, message_trees, token_tree
from sspicli.tokens.tree import Node, walk
from tests.tls_pairs import TLS12, Ends, Recipe, identity, read, session

RECIPES = {
    "full 1.3": Recipe(),
    "retry 1.3": Recipe(server_curve=ec.SECP384R1()),
    "full 1.2": Recipe(TLS12),
    "cbc 1.2": Recipe(TLS12, b"ECDHE-ECDSA-AES128-SHA256"),
}
KINDS = sorted(RECIPES)


def readings(kind: str) -> list[tuple[bytes, TlsToken]]:
    """Read a session's tokens with its secrets."""
    reader, out = TlsReader(), []
    for one in session(RECIPES[kind]).sent:
        for line in one.secrets:
            reader.add_secret(line)
        out.append((one.token, reader.read_token(one.sender, one.token)))
    return out


def messages(kind: str) -> list[TlsMessage]:
    return [message for _, reading in readings(kind) for message in reading.messages]


def fields(node: Node) -> dict[str, Node]:
    return dict(walk(node))


def handshake(kind: int, body: bytes, *, version: int = 0, suite: int = 0) -> TlsMessage:
    whole = bytes([kind]) + len(body).to_bytes(3, "big") + body
    return TlsMessage("Message", False, (0, 0), whole, 22, version=version, suite=suite)


def vector(size: int, *items: bytes) -> bytes:
    joined = b"".join(items)
    return len(joined).to_bytes(size, "big") + joined


def extension(number: int, body: bytes) -> bytes:
    return number.to_bytes(2, "big") + vector(2, body)


def client_hello(*extensions: bytes) -> TlsMessage:
    body = b"\3\3" + bytes(32) + vector(1) + vector(2, b"\x13\x01") + vector(1, b"\0") + vector(2, *extensions)
    return handshake(1, body)


def server_hello(*extensions: bytes, random: bytes = bytes(32)) -> TlsMessage:
    return handshake(2, b"\3\3" + random + vector(1) + b"\x13\x01\0" + vector(2, *extensions))


def encrypted_extensions(*extensions: bytes) -> TlsMessage:
    return handshake(8, vector(2, *extensions), version=0x304)


def certificate_request(*extensions: bytes) -> TlsMessage:
    return handshake(13, vector(1) + vector(2, *extensions), version=0x304)


def certificate(*extensions: bytes) -> TlsMessage:
    return handshake(11, vector(1) + vector(3, vector(3, identity().der) + vector(2, *extensions)), version=0x304)


def assert_sound(node: Node, *, size: int) -> int:
    """Check that all spans lie in their parent's, in order and without overlap; count the nodes."""
    assert 0 <= node.span[0] <= node.span[1] <= size, node
    count, at = 1, node.span[0]
    for child in node.children:
        assert at <= child.span[0] <= child.span[1] <= node.span[1], (node.name, node.span, child)
        at = child.span[1]
        count += assert_sound(child, size=size)
    return count


def assert_says_its_bytes(node: Node, body: bytes) -> None:
    """Check that a field's value is what its span holds; numbers of QUIC and texts of ASN.1 are coded otherwise."""
    for path, one in walk(node):
        held = body[one.span[0] : one.span[1]]
        if isinstance(one.value, bytes):
            assert one.value == held, path
        elif isinstance(one.value, int) and "quic_transport_parameters.parameters" not in path:
            assert one.value in (int.from_bytes(held, "big"), int.from_bytes(held, "big", signed=True)), path


def notes(node: Node) -> list[str]:
    return [one.note for _, one in walk(node) if one.note]


@pytest.mark.parametrize("kind", KINDS)
def test_every_message_of_a_session_is_read_to_its_last_byte(kind: str):
    for message in messages(kind):
        tree = message_tree(message)
        assert_sound(tree, size=len(message.body))
        assert_says_its_bytes(tree, message.body)
        assert (tree.span, notes(tree)) == ((0, len(message.body)), [])
        assert not [path for path in fields(tree) if "left_over" in path or "unknown" in path]


@pytest.mark.parametrize("kind", KINDS)
def test_the_records_of_a_token_tile_it(kind: str):
    for token, reading in readings(kind):
        tree = token_tree(reading)
        assert_sound(tree, size=len(token))
        assert [child.span[0] for child in tree.children] == [0, *(child.span[1] for child in tree.children[:-1])]
        assert tree.span == (0, len(token))


@pytest.mark.parametrize("kind", KINDS)
def test_pieces_are_where_the_body_stands_in_the_token(kind: str):
    for token, reading in readings(kind):
        for message in reading.messages:
            held = b"".join(token[at : at + size] for _, at, size in message.pieces)
            assert held == (b"" if message.encrypted else message.body)


@given(cuts=st.lists(st.integers(1, 80), min_size=1, max_size=6))
def test_a_piece_is_what_stands_in_this_token_of_a_message_split_over_several(cuts: list[int]):
    token = session(Recipe()).sent[0].token
    reader, at, number = TlsReader(), 0, 0
    seen = bytearray(len(token) - 5)
    while at < len(token):
        part = token[at : at + cuts[number % len(cuts)]]
        for message in reader.read_token("client", part).messages:
            for offset, place, size in message.pieces if message.name == "ClientHello" else ():
                assert message.body[offset : offset + size] == part[place : place + size]
                assert at + place == offset + 5
                seen[offset : offset + size] = b"\1" * size
        at, number = at + len(part), number + 1
    assert any(seen)
    assert seen[-1]


def test_a_client_hello_is_named_to_its_last_number():
    said = fields(message_tree(messages("full 1.3")[0]))
    assert said["ClientHello.extensions.server_name.server_name_list.ServerName.host_name"].value == "localhost"
    suites = said["ClientHello.cipher_suites"].children
    assert suites[0].meaning == "TLS_AES_256_GCM_SHA384"
    share = "ClientHello.extensions.key_share.client_shares.KeyShareEntry[0]"
    assert said[f"{share}.group"].meaning == "X25519MLKEM768"
    parts = [len(said[f"{share}.key_exchange.{name}"].value or b"") for name in ("mlkem768", "x25519")]  # type: ignore[arg-type]
    assert parts == [1184, 32]


@pytest.mark.parametrize(
    ("kind", "name", "path", "meaning"),
    [
        ("retry 1.3", "HelloRetryRequest", "random", "HelloRetryRequest"),
        ("retry 1.3", "HelloRetryRequest", "extensions.key_share.selected_group", "secp384r1"),
        ("full 1.3", "ServerHello", "extensions.supported_versions.selected_version", "TLS 1.3"),
        ("full 1.3", "CertificateVerify", "algorithm", "ecdsa_secp256r1_sha256"),
        ("full 1.2", "ServerKeyExchange", "params.namedcurve", "x25519"),
        ("full 1.2", "ServerKeyExchange", "signed_params.algorithm", "ecdsa_secp256r1_sha256"),
        (
            "full 1.3",
            "Certificate",
            "certificate_list.CertificateEntry.cert_data.tbsCertificate.subject",
            "CN=localhost",
        ),
        ("full 1.2", "Certificate", "certificate_list.Certificate.tbsCertificate.subject", "CN=localhost"),
    ],
)
def test_a_field_means_what_its_registry_says(kind: str, name: str, path: str, meaning: str):
    message = next(one for one in messages(kind) if one.name == name)
    assert fields(message_tree(message))[f"{name}.{path}"].meaning == meaning


@pytest.mark.parametrize("version", [TLS12, Recipe().version])
def test_the_certificates_of_a_chain_stand_where_they_are_said_to(version: int):
    made = Ends(Recipe(version, chain_length=3)).connect()
    (message,) = (one for reading in read(made.sent) for one in reading if one.name == "Certificate")
    said = fields(message_tree(message))
    entry = "CertificateEntry[{}].cert_data" if version != TLS12 else "Certificate[{}]"
    spans = [said[f"Certificate.certificate_list.{entry.format(number)}"].span for number in range(3)]
    assert [message.body[slice(*span)] for span in spans] == [identity().der] * 3


def test_a_protected_record_says_what_was_in_it_and_where():
    _, reading = readings("full 1.3")[1]
    said = fields(token_tree(reading))
    inner = said["token.application_data[0].encrypted_record"]
    assert [(child.name, child.meaning) for child in inner.children][:2] == [("content", ""), ("type", "handshake")]
    assert inner.children[-1].span[1] - inner.children[-1].span[0] == 16
    assert inner.children[0].value == next(one.body for one in reading.messages if one.encrypted)


def test_a_closed_record_says_why():
    whole = session(Recipe()).sent
    reader = TlsReader()
    reader.read_token("client", whole[0].token)
    said = fields(token_tree(reader.read_token("server", whole[1].token)))
    assert "no SERVER_HANDSHAKE_TRAFFIC_SECRET" in said["token.application_data[0].encrypted_record"].note


# (message, extension, its body, what its last fields say); the bodies are laid out by hand from each RFC.
HAND_MADE = [
    (client_hello, 1, "02", [("max_fragment_length", 2, "2^10")]),
    (client_hello, 5, "01 0000 0000", [("status_type", 1, "ocsp"), ("request_extensions", b"", "")]),
    (client_hello, 11, "02 00 01", [("ECPointFormat[1]", 1, "ansiX962_compressed_prime")]),
    (client_hello, 14, "0002 0001 00", [("SRTPProtectionProfile", 1, "SRTP_AES128_CM_HMAC_SHA1_80")]),
    (client_hello, 15, "01", [("mode", 1, "peer_allowed_to_send")]),
    (client_hello, 16, "0003 02 6832", [("ProtocolName", "h2", "")]),
    (client_hello, 19, "02 02 00", [("CertificateType[0]", 2, "RawPublicKey")]),
    (server_hello, 19, "02", [("client_certificate_type", 2, "RawPublicKey")]),
    (client_hello, 27, "04 0002 0003", [("CertificateCompressionAlgorithm[1]", 3, "zstd")]),
    (client_hello, 28, "4001", [("record_size_limit", 0x4001, "")]),
    (
        client_hello,
        41,
        "0007 0001aa 00000005 0003 02bbcc",
        [("obfuscated_ticket_age", 5, ""), ("PskBinderEntry", b"\xbb\xcc", "")],
    ),
    (server_hello, 41, "0001", [("selected_identity", 1, "")]),
    (client_hello, 43, "04 0304 0303", [("ProtocolVersion[1]", 0x303, "TLS 1.2")]),
    (client_hello, 44, "0002 abcd", [("cookie", b"\xab\xcd", "")]),
    (client_hello, 45, "02 01 00", [("PskKeyExchangeMode[1]", 0, "psk_ke")]),
    (client_hello, 57, "0f 00 04 04 80000400", [("value", 1024, "")]),
    (client_hello, 0xFF01, "00", [("renegotiated_connection", b"", "")]),
    (client_hello, 0x0A0A, "00", [("extension_type", 0x0A0A, "GREASE 0x0A0A"), ("extension_data", b"\0", "")]),
    (client_hello, 0xFE0D, "00 0001 0001 07 0002 aaaa 0001 bb", [("config_id", 7, ""), ("payload", b"\xbb", "")]),
    (
        client_hello,
        0xFEFE,
        "1234",
        [("extension_type", 0xFEFE, "extension 0xFEFE"), ("extension_data", b"\x12\x34", "")],
    ),
    (server_hello, 51, "001d 0002 abcd", [("group", 29, "x25519"), ("key_exchange", b"\xab\xcd", "")]),
    (client_hello, 3, "0015 01" + "aa" * 20, [("identifier", b"\xaa" * 20, "")]),
    (client_hello, 17, "0007 01 0004 0000 0000", [("request_extensions", b"", "")]),
    (client_hello, 18, "", [("extension_type", 18, "signed_certificate_timestamp")]),
    (client_hello, 21, "0000", [("padding", b"\0\0", "")]),
    (client_hello, 34, "0002 0807", [("SignatureScheme", 0x0807, "ed25519")]),
    (client_hello, 47, "0010 000e 300c310a300806035504030c0161", [("DistinguishedName", None, "CN=a")]),
    (client_hello, 50, "0002 0403", [("SignatureScheme", 0x0403, "ecdsa_secp256r1_sha256")]),
    (encrypted_extensions, 0, "", [("extension_type", 0, "server_name")]),
    (encrypted_extensions, 16, "0003 02 6832", [("ProtocolName", "h2", "")]),
    (
        encrypted_extensions,
        0xFE0D,
        "0019 fe0d 0015 07 0020 0001 aa 0004 0001 0003 20 05 612e636f6d 0000",
        [("public_name", "a.com", ""), ("kem_id", 0x20, "DHKEM(X25519, HKDF-SHA256)")],
    ),
    (certificate_request, 48, "000a 05 0603551d25 0002 3000", [("value", "2.5.29.37", "extendedKeyUsage")]),
    (certificate, 5, "01 000002 3000", [("status_type", 1, "ocsp"), ("response", b"0\0", "")]),
    (
        certificate,
        18,
        "0035 0033 00" + "ab" * 32 + "000001900000000f 0000 0403 0004 deadbeef",
        [("timestamp", 0x1900000000F, ""), ("signature", b"\xde\xad\xbe\xef", "")],
    ),
    (certificate, 34, "00000e10 0807 000002 3000 0403 0001 aa", [("valid_time", 3600, ""), ("signature", b"\xaa", "")]),
    (server_hello, 13172, "02 6832", [("ProtocolName", "h2", "")]),
]


@pytest.mark.parametrize(("made", "number", "body", "said"), HAND_MADE)
def test_an_extension_is_read_by_its_message(made, number: int, body: str, said: list[tuple[str, object, str]]):
    message = made(extension(number, bytes.fromhex(body)))
    tree = message_tree(message)
    assert notes(tree) == []
    found = {path.rpartition(".")[2]: (one.value, one.meaning) for path, one in walk(tree)}
    assert {name: found[name] for name, _, _ in said} == {name: (value, meaning) for name, value, meaning in said}


def test_an_extension_of_another_message_is_bytes():
    tree = message_tree(server_hello(extension(45, b"\1\1")))
    assert fields(tree)["Message.extensions.psk_key_exchange_modes.extension_data"].value == b"\1\1"


@pytest.mark.parametrize(
    ("kind", "body", "version", "suite", "said"),
    [
        (0, "", 0x303, 0, {}),
        (4, "00000e10 0002 abcd", 0x303, 0, {"ticket_lifetime_hint": 3600, "ticket": b"\xab\xcd"}),
        (4, "00001c20 00000007 01 00 0001 aa 0008 002a 0004 00004000", 0x304, 0, {"max_early_data_size": 0x4000}),
        (11, "000000", 0x303, 0, {}),
        (12, "03 001d 01 aa 0403 0001 bb", 0x303, 0xC02B, {"public": b"\xaa", "algorithm": 0x403}),
        (12, "0001 17 0001 05 0001 08 0804 0001 bb", 0x303, 0x009E, {"dh_g": b"\5", "dh_Ys": b"\x08"}),
        (12, "0002 6869", 0x303, 0x00A8, {"psk_identity_hint": b"hi"}),
        (13, "02 40 01 0002 0403 0000", 0x303, 0, {"ClientCertificateType[0]": 64, "SignatureScheme": 0x403}),
        (12, "03 001d 01 aa 0001 bb", 0x302, 0xC013, {"public": b"\xaa", "signature": b"\xbb"}),
        (12, "0001 17 0001 05 0001 08 0001 bb", 0x301, 0x0033, {"dh_Ys": b"\x08", "signature": b"\xbb"}),
        (13, "02 40 01 0000", 0x302, 0, {"ClientCertificateType[0]": 64}),
        (15, "0001 bb", 0x302, 0, {"signature": b"\xbb"}),
        (13, "00 0008 000d 0004 0002 0403", 0x304, 0, {"SignatureScheme": 0x403}),
        (16, "01 aa", 0x303, 0xC02B, {"ecdh_Yc": b"\xaa"}),
        (16, "0001 aa", 0x303, 0x009C, {"encrypted_pre_master_secret": b"\xaa"}),
        (16, "0001 aa", 0x303, 0x009E, {"dh_Yc": b"\xaa"}),
        (16, "0002 6869", 0x303, 0x00A8, {"psk_identity": b"hi"}),
        (16, "0001 aa", 0x303, 0, {"body": b"\0\1\xaa"}),
        (20, "00112233", 0x303, 0, {"verify_data": b"\0\x11\x22\x33"}),
        (22, "01 000001 aa", 0x303, 0, {"status_type": 1, "response": b"\xaa"}),
        (24, "01", 0x304, 0, {"request_update": 1}),
        (25, "0002 000400 000001 aa", 0x304, 0, {"uncompressed_length": 1024}),
        (254, "0011", 0x304, 0, {"hash": b"\0\x11"}),
        (99, "0011", 0x304, 0, {"body": b"\0\x11"}),
    ],
)
def test_a_message_is_laid_out_by_what_was_negotiated(kind, body, version, suite, said):
    tree = message_tree(handshake(kind, bytes.fromhex(body), version=version, suite=suite))
    assert notes(tree) == []
    found = {path.rpartition(".")[2]: one.value for path, one in walk(tree)}
    assert {name: found[name] for name in said} == said


@pytest.mark.parametrize(
    ("content_type", "body", "said"),
    [
        (21, "022d", {"level": "fatal", "description": "certificate_expired"}),
        (20, "01", {"type": "change_cipher_spec"}),
        (24, "01 0001 aa 0000", {"type": "heartbeat_request"}),
    ],
)
def test_what_is_no_handshake_message_has_fields_too(content_type: int, body: str, said: dict[str, str]):
    data = bytes.fromhex(body)
    token = bytes([content_type, 3, 3]) + vector(2, data)
    (message,) = TlsReader().read("client", token)
    found = {one.name: one.meaning for one in message_tree(message).children}
    assert {name: found[name] for name in said} == said


def test_a_vector_that_reaches_too_far_says_so_and_keeps_what_is_there():
    tree = message_tree(handshake(1, b"\3\3" + bytes(32) + b"\0" + b"\0\x08\x13\x01\x13\x02"))
    assert [one.value for one in fields(tree)["Message.cipher_suites"].children] == [0x1301, 0x1302]
    assert notes(tree) == ["its length says 8 bytes, 4 remain"]


def test_nonsense_in_an_extension_spoils_only_that():
    tree = message_tree(client_hello(extension(43, b"\5\3\4\3"), extension(45, b"\1\1")))
    said = fields(tree)
    assert said["Message.extensions.supported_versions.versions"].note == "its length says 5 bytes, 3 remain"
    assert said["Message.extensions.psk_key_exchange_modes.ke_modes.PskKeyExchangeMode"].meaning == "psk_dhe_ke"


def test_bytes_behind_a_layout_are_kept_and_said():
    tree = message_tree(client_hello(extension(28, b"\x40\1\xee\xff")))
    node = fields(tree)["Message.extensions.record_size_limit"]
    assert (node.children[-1].value, "2 bytes" in node.note) == (b"\xee\xff", True)


@pytest.mark.parametrize("kind", KINDS)
def test_every_prefix_of_every_message_has_a_sound_tree(kind: str):
    for message in messages(kind):
        step = max(len(message.body) // 150, 1)
        for size in range(0, len(message.body), step):
            part = message._replace(body=message.body[:size])
            tree = message_tree(part)
            assert_sound(tree, size=size)
            assert_says_its_bytes(tree, part.body)


@given(
    kind=st.integers(0, 26) | st.just(254),
    body=st.binary(max_size=200),
    version=st.sampled_from([0, 0x301, 0x303, 0x304]),
    suite=st.sampled_from([0, 0x1301, 0xC02B, 0x009E, 0x00A8, 0xC035]),
    length=st.none() | st.integers(0, 1 << 24),
)
def test_any_bytes_have_a_sound_tree(kind: int, body: bytes, version: int, suite: int, length: int | None):
    message = handshake(kind, body, version=version, suite=suite)
    if length is not None:
        message = message._replace(body=message.body[:1] + (length & 0xFFFFFF).to_bytes(3, "big") + body)
    tree = message_tree(message)
    assert_sound(tree, size=len(message.body))
    assert_says_its_bytes(tree, message.body)


@given(
    number=st.sampled_from([0, 1, 5, 10, 14, 16, 17, 18, 34, 41, 43, 47, 48, 51, 57, 0xFE0D, 0xFF01]),
    body=st.binary(max_size=80),
)
def test_any_extension_has_a_sound_tree_in_any_message(number: int, body: bytes):
    one = extension(number, body)
    made = [client_hello(one), server_hello(one), handshake(8, vector(2, one))]
    made.append(handshake(13, vector(1) + vector(2, one), version=0x304))
    made.append(handshake(11, vector(1) + vector(3, vector(3, b"\x30\0") + vector(2, one)), version=0x304))
    for message in made:
        tree = message_tree(message)
        assert_sound(tree, size=len(message.body))
        assert_says_its_bytes(tree, message.body)


@pytest.mark.parametrize("kind", KINDS)
@given(
    which=st.integers(0, 50),
    edits=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=4),
    keep=st.floats(0.3, 1),
)
@settings(max_examples=60, deadline=None)
def test_tampered_messages_have_sound_trees(kind, which, edits, keep):
    found = messages(kind)
    message = found[which % len(found)]
    body = bytearray(message.body)
    for place, value in edits:
        body[int(place * len(body))] = value
    tampered = message._replace(body=bytes(body[: int(keep * len(body))]))
    assert_sound(message_tree(tampered), size=len(tampered.body))


@given(st.binary(max_size=300), st.sampled_from(["client", "server"]))
def test_any_token_has_a_sound_tree(token: bytes, sender: str):
    reading = TlsReader().read_token(sender, token)
    assert_sound(token_tree(reading), size=len(token))
    for message in reading.messages:
        assert_sound(message_tree(message), size=len(message.body))


@given(cut=st.integers(1, 1480))
@settings(deadline=None)
def test_a_record_begun_in_an_earlier_token_says_so(cut: int):
    token = session(Recipe()).sent[0].token
    reader = TlsReader()
    first, second = token[:cut], token[cut:]
    assert_sound(token_tree(reader.read_token("client", first)), size=len(first))
    tree = token_tree(reader.read_token("client", second))
    assert_sound(tree, size=len(second))
    assert tree.children[0].note == f"{cut} of its bytes stand in an earlier token"


def record(content: bytes) -> bytes:
    return b"\x16\3\3" + vector(2, content)


def flood(body: bytes) -> bytes:
    """Make a token of 1 MiB that carries a message again and again."""
    chunks = [record((body * 64)[at : at + 0x4000]) for at in range(0, 64 * len(body), 0x4000)]
    return b"".join(chunks)[: 1 << 20]


HOSTILE = {
    "zeros": bytes(1 << 20),
    "noise": bytes((at * at * 31 + at // 7) & 0xFF for at in range(1 << 20)),
    "empty records": b"\x16\3\3\0\0" * (1 << 17),
    "small messages": flood(b"\0\0\0\0" * 4096),
    "suites": flood(handshake(1, b"\3\3" + bytes(33) + vector(2, b"\x13\x01" * 32000)).body),
    "extensions": flood(client_hello(*[extension(at & 63, b"") for at in range(16000)]).body),
    "certificates": flood(handshake(11, vector(1) + vector(3, b"\0\0\2\x30\0\0\0" * 9000)).body),
    "names": flood(handshake(13, vector(1) + vector(2, extension(47, vector(2, b"\0\2\x30\0" * 16000)))).body),
}


def test_what_is_beyond_the_bound_says_so():
    reading = TlsReader().read_token("client", HOSTILE["suites"])
    first, *rest = message_trees(reading.messages)
    assert "no more fields of this token are shown" in notes(first)
    assert all(tree.note for tree in rest)


@pytest.mark.parametrize("kind", sorted(HOSTILE))
def test_hostile_tokens_cost_little_and_make_few_nodes(kind: str):
    token = HOSTILE[kind]
    began = time.process_time()
    reading = TlsReader().read_token("server", token)
    trees = [token_tree(reading), *message_trees(reading.messages)]
    spent = time.process_time() - began
    assert sum(assert_sound(tree, size=1 << 21) for tree in trees) < MAX_NODES + 8 * MAX_MESSAGES
    assert spent < 1.0, "far below what anything worse than linear would take"
