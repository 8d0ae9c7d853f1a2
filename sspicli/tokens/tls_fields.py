"""The field trees of TLS: what stands in a message, and which records a token consists of.

The rule guarded here: any bytes have a tree, and a field is never read by another message's layout: where version or
suite decide the layout, what the hellos had settled decides, and where they are not known the bytes are shown as bytes.

A layout is a row in a table of `grammar`; the rows of extensions are in `tls_extensions`.

Source: RFC 8446 sections 4 to 6, RFC 5246 sections 6 and 7, RFC 8422 section 5.4, RFC 4279, RFC 6066 section 8.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

from sspicli.sspi.alerts import alert_name
from sspicli.sspi.records import ALERT, APPLICATION_DATA, CHANGE_CIPHER_SPEC, HANDSHAKE, HEADER_SIZE, HEARTBEAT
from sspicli.tokens import tls_extensions as by_message
from sspicli.tokens.grammar import MAX_NODES, Choice, Layout, Number, Opaque, Sized, Source, Struct, Text, Vector, whole
from sspicli.tokens.tls import TlsMessage, TlsRecord, TlsToken
from sspicli.tokens.tls_extensions import GROUP, LONG, NAMES, NOTHING, SCHEME, SCHEMES, VERSION, extensions
from sspicli.tokens.tls_hello import RETRY_RANDOM, TLS12, TLS13
from sspicli.tokens.tls_names import (
    CERTIFICATE_STATUS_TYPES,
    CLIENT_CERTIFICATE_TYPES,
    COMPRESSION_ALGORITHMS,
    COMPRESSION_METHODS,
    CURVE_TYPES,
    HEARTBEAT_TYPES,
    content_type_name,
    handshake_name,
    lookup,
    suite_name,
    version_name,
)
from sspicli.tokens.tree import Node, node_of
from sspicli.tokens.x509 import DerCertificate

_SUITE = Number(2, suite_name)
_COMPRESSION = Number(1, lookup(COMPRESSION_METHODS, "method"))
_LEVELS = {1: "warning", 2: "fatal"}
_DOWNGRADES = {b"DOWNGRD\x01": "says that TLS 1.3 was possible", b"DOWNGRD\x00": "says that TLS 1.2 was possible"}


def _random_meaning(random: bytes) -> str:
    if random == RETRY_RANDOM:
        return "HelloRetryRequest"
    return _DOWNGRADES.get(random[-8:], "")


def _hello(after: tuple[tuple[str, Layout], ...], bodies: dict[int, Struct]) -> Struct:
    """Lay out a hello: version, random and session id, what is its own, and extensions, which may be absent."""
    fields: tuple[tuple[str, Layout], ...] = (
        ("legacy_version", VERSION),
        ("random", Opaque(32, _random_meaning)),
        ("legacy_session_id", Sized(1, Opaque())),
        *after,
        ("extensions", extensions(bodies)),
    )
    return Struct(fields, needed=len(fields) - 1)


_CHOSEN = (("cipher_suite", _SUITE), ("legacy_compression_method", _COMPRESSION))
_SIGNED = (("algorithm", SCHEME), ("signature", Sized(2, Opaque())))
_CERTIFICATE = Sized(3, DerCertificate())
_RETRY = _hello(_CHOSEN, by_message.RETRY_REQUEST)
_UNKNOWN = Struct((("body", Opaque()),))

_ALWAYS = {
    0: NOTHING,
    1: _hello(
        (
            ("cipher_suites", Vector(2, "CipherSuite", _SUITE)),
            ("legacy_compression_methods", Vector(1, "CompressionMethod", _COMPRESSION)),
        ),
        by_message.CLIENT_HELLO,
    ),
    2: _hello(_CHOSEN, by_message.SERVER_HELLO),
    3: Struct((("server_version", VERSION), ("cookie", Sized(1, Opaque())))),  # RFC 6347, 4.2.1
    5: NOTHING,
    8: Struct((("extensions", extensions(by_message.ENCRYPTED_EXTENSIONS)),)),
    14: NOTHING,
    15: Struct(_SIGNED),
    20: Struct((("verify_data", Opaque()),)),
    22: Struct(  # RFC 6066, 8 and RFC 6961, 2.2
        (
            ("status_type", Number(1, lookup(CERTIFICATE_STATUS_TYPES, "status type"))),
            (
                "response",
                Choice({1: Sized(3, Opaque()), 2: Vector(3, "OCSPResponse", Sized(3, Opaque()))}, Opaque()),
            ),
        )
    ),
    24: Struct((("request_update", Number(1, lookup({0: "update_not_requested", 1: "update_requested"}, "value"))),)),
    25: Struct(  # RFC 8879, 4
        (
            ("algorithm", Number(2, lookup(COMPRESSION_ALGORITHMS, "algorithm"))),
            ("uncompressed_length", Number(3)),
            ("compressed_certificate_message", Sized(3, Opaque())),
        )
    ),
    67: Struct((("selected_protocol", Sized(1, Text())), ("padding", Sized(1, Opaque())))),
    254: Struct((("hash", Opaque()),)),
}

_TLS13 = {
    4: Struct(
        (
            ("ticket_lifetime", LONG),
            ("ticket_age_add", LONG),
            ("ticket_nonce", Sized(1, Opaque())),
            ("ticket", Sized(2, Opaque())),
            ("extensions", extensions(by_message.NEW_SESSION_TICKET)),
        )
    ),
    11: Struct(
        (
            ("certificate_request_context", Sized(1, Opaque())),
            (
                "certificate_list",
                Vector(
                    3,
                    "CertificateEntry",
                    Struct((("cert_data", _CERTIFICATE), ("extensions", extensions(by_message.CERTIFICATE)))),
                ),
            ),
        )
    ),
    13: Struct(
        (
            ("certificate_request_context", Sized(1, Opaque())),
            ("extensions", extensions(by_message.CERTIFICATE_REQUEST)),
        )
    ),
}

_CERTIFICATE_TYPES = (
    "certificate_types",
    Vector(1, "ClientCertificateType", Number(1, lookup(CLIENT_CERTIFICATE_TYPES, "certificate type"))),
)
_AUTHORITIES = ("certificate_authorities", NAMES)
_TLS12 = {
    4: Struct((("ticket_lifetime_hint", LONG), ("ticket", Sized(2, Opaque())))),  # RFC 5077, 3.3
    11: Struct((("certificate_list", Vector(3, "Certificate", _CERTIFICATE)),)),
    13: Struct((_CERTIFICATE_TYPES, ("supported_signature_algorithms", SCHEMES), _AUTHORITIES)),
}
_BEFORE_TLS12 = {13: Struct((_CERTIFICATE_TYPES, _AUTHORITIES)), 15: Struct(_SIGNED[1:])}

_HINT = ("psk_identity_hint", Sized(2, Opaque()))
_IDENTITY = ("psk_identity", Sized(2, Opaque()))
_EC_PARAMS = (
    "params",
    Struct(
        (
            ("curve_type", Number(1, lookup(CURVE_TYPES, "curve type"))),
            ("namedcurve", GROUP),
            ("public", Sized(1, Opaque())),
        )
    ),
)
_DH_PARAMS = (
    "params",
    Struct((("dh_p", Sized(2, Opaque())), ("dh_g", Sized(2, Opaque())), ("dh_Ys", Sized(2, Opaque())))),
)
_SIGNATURE = ("signed_params", Struct(_SIGNED))
_OLD_SIGNATURE = ("signed_params", Struct(_SIGNED[1:]))

# By key exchange: ServerKeyExchange, ClientKeyExchange.
_EXCHANGES = {
    "ECDHE": (Struct((_EC_PARAMS, _SIGNATURE)), Struct((("ecdh_Yc", Sized(1, Opaque())),))),
    "ECDH_anon": (Struct((_EC_PARAMS,)), Struct((("ecdh_Yc", Sized(1, Opaque())),))),
    "ECDHE_PSK": (Struct((_HINT, _EC_PARAMS)), Struct((_IDENTITY, ("ecdh_Yc", Sized(1, Opaque()))))),
    "DHE": (Struct((_DH_PARAMS, _SIGNATURE)), Struct((("dh_Yc", Sized(2, Opaque())),))),
    "DH_anon": (Struct((_DH_PARAMS,)), Struct((("dh_Yc", Sized(2, Opaque())),))),
    "DHE_PSK": (Struct((_HINT, _DH_PARAMS)), Struct((_IDENTITY, ("dh_Yc", Sized(2, Opaque()))))),
    "PSK": (Struct((_HINT,)), Struct((_IDENTITY,))),
    "RSA_PSK": (
        Struct((_HINT,)),
        Struct((_IDENTITY, ("encrypted_pre_master_secret", Sized(2, Opaque())))),
    ),
    "RSA": (_UNKNOWN, Struct((("encrypted_pre_master_secret", Sized(2, Opaque())),))),
}
_EXCHANGE = re.compile(r"TLS_(?:(ECDHE_PSK|DHE_PSK|RSA_PSK|PSK|ECDH_anon|DH_anon|RSA)|(ECDHE|DHE)_[A-Z]+)_WITH_")

_RECORDS: dict[int, Struct] = {
    CHANGE_CIPHER_SPEC: Struct((("type", Number(1, lookup({1: "change_cipher_spec"}, "type"))),)),
    ALERT: Struct((("level", Number(1, lookup(_LEVELS, "level"))), ("description", Number(1, alert_name)))),
    HEARTBEAT: Struct(
        (
            ("type", Number(1, lookup(HEARTBEAT_TYPES, "type"))),
            ("payload", Sized(2, Opaque())),
            ("padding", Opaque()),
        )
    ),
}
_DATA = Struct((("data", Opaque()),))
_HEADER = Struct((("msg_type", Number(1, handshake_name)), ("length", Number(3))))
_RECORD_HEADER = Struct(
    (
        ("type", Number(1, content_type_name)),
        ("legacy_record_version", VERSION),
        ("length", Number(2)),
        ("fragment", Opaque()),
    )
)


def message_tree(message: TlsMessage) -> Node:
    """Read a message's fields; the spans are offsets into its `body`."""
    return _message_tree(message, Source(message.body))


def message_trees(messages: Iterable[TlsMessage]) -> Iterator[Node]:
    """Read all messages of a token, with one bound for all their nodes."""
    left = MAX_NODES
    for message in messages:
        if left <= 0:
            yield Node(message.name, (0, len(message.body)), note="no more fields of this token are shown")
            continue
        source = Source(message.body, left)
        yield _message_tree(message, source)
        left = source.left


def token_tree(reading: TlsToken) -> Node:
    """Lay out a token's records and what is none; the spans are offsets into the token."""
    children = [_record_node(record) for record in reading.records]
    end = children[-1].span[1] if children else 0
    for message in reading.messages:
        if message.name in _NO_RECORDS and message.span[0] >= end:
            children.append(Node(message.name, message.span, message.body or None, "", (), message.note))
            end = message.span[1]
    return Node("token", (0, end), None, "", tuple(children))


_RECORD_STARTS = frozenset(bytes([kind]) for kind in range(CHANGE_CIPHER_SPEC, HEARTBEAT + 1))
_NO_RECORDS = frozenset({"Malformed", "Partial", "Unread"})
_MOST_REMEMBERED = 15  # bytes of a message; from 16 on most hold something random
_UNREAD = frozenset({"Encrypted", "Malformed", "Unread"})


def _message_tree(message: TlsMessage, source: Source) -> Node:
    name, _, _, body, content_type, note, _, version, suite = message
    if len(body) <= _MOST_REMEMBERED:
        return _short_tree(name, body, content_type, note, version, suite)
    return _long_tree(message, source)


@lru_cache(maxsize=256)
def _short_tree(name: str, body: bytes, content_type: int, note: str, version: int, suite: int) -> Node:
    """Remember what is said in every session: alerts, ChangeCipherSpec, an EncryptedExtensions without any."""
    message = TlsMessage(name, False, (0, 0), body, content_type, note, (), version, suite)
    return _long_tree(message, Source(body))


def _long_tree(message: TlsMessage, source: Source) -> Node:
    name, _, _, body, content_type, note, *_ = message
    if name in _UNREAD:
        return Node(name, (0, len(body)), body, note=note)
    if name == "Partial" and _is_record(body):
        return _body_tree(source, name, _RECORD_HEADER, note=note)
    if content_type == HANDSHAKE:
        return _handshake_tree(message, source)
    layout = _RECORDS.get(content_type, _DATA)
    return _body_tree(source, "Alert" if content_type == ALERT else name, layout, note=note)


def _is_record(body: bytes) -> bool:
    """Tell a record that has begun from a handshake message that has: none of type 22 is as long as 0x03.... bytes."""
    return body[:1] in _RECORD_STARTS and body[1:2] == b"\x03"


def _body_tree(source: Source, name: str, layout: Struct, *, note: str) -> Node:
    """Read all bytes by one layout."""
    size = len(source.data)
    node = layout.read(source, name, 0, size)
    if node.span == (0, size) and not note:
        return node
    node = whole(source, node, size)
    return node._replace(span=(0, size), note=note or node.note)


def _handshake_tree(message: TlsMessage, source: Source) -> Node:
    """Read type, length and body of a handshake message, whole or begun."""
    name, _, _, body, _, note, *_ = message
    size = len(body)
    header, at = _HEADER.read_fields(source, 0, size)
    if body and name == "Partial":
        name = handshake_name(body[0])
    if source.is_short or size == at:
        return Node(name, (0, size), None, "", header, note)
    children, end = _layout(message).read_fields(source, at, size)
    if end < size and not source.is_short:
        children += (Node("left_over", (end, size), body[end:size]),)
        note = note or f"{size - end} bytes from {end} on are left over"
    return node_of((name, (0, size), None, "", header + children, note))


def _layout(message: TlsMessage) -> Struct:
    """Choose the layout of a handshake message's body."""
    kind, body = message.body[0], message.body
    if kind == 2 and body[6:38] == RETRY_RANDOM:
        return _RETRY
    if kind in _BEFORE_TLS12 and _is_before_tls12(message):
        return _BEFORE_TLS12[kind]
    if kind in (12, 16):
        return _key_exchange(message)
    layout = _ALWAYS.get(kind)
    if layout is None:
        layout = (_TLS13 if _is_tls13(message) else _TLS12).get(kind)
    return layout or _UNKNOWN


def _is_tls13(message: TlsMessage) -> bool:
    """Tell by what was negotiated or, when no ServerHello was read, by how a Certificate's lengths add up."""
    body = message.body
    if message.version or body[0] != 11:
        return message.version == TLS13 or (not message.version and body[0] == 13)
    return int.from_bytes(body[4:7], "big") != len(body) - 7


def _key_exchange(message: TlsMessage) -> Struct:
    """Choose the layout of a ServerKeyExchange or ClientKeyExchange by the suite that was negotiated."""
    found = _EXCHANGE.match(suite_name(message.suite))
    if found is None:
        return _UNKNOWN
    layout = _EXCHANGES[found[1] or found[2]][message.body[0] == 16]
    if not _is_before_tls12(message):
        return layout
    return Struct(tuple([_OLD_SIGNATURE if field is _SIGNATURE else field for field in layout.fields]))


def _is_before_tls12(message: TlsMessage) -> bool:
    """Say whether signatures are without their algorithms (RFC 4346 sections 7.4.3, 7.4.4 and 7.4.8)."""
    return bool(message.version) and message.version < TLS12


def _record_node(record: TlsRecord) -> Node:
    """Lay out one record: header fields as far as they stand in this token, and what it carries."""
    content_type, version, (start, end), encrypted, *_, size = record
    name = content_type_name(content_type)
    at = end - size  # where it begins, below `start` when it began in an earlier token
    children: tuple[Node, ...] = (
        node_of(("type", (at, at + 1), content_type, name, (), "")),
        node_of(("legacy_record_version", (at + 1, at + 3), version, version_name(version), (), "")),
        node_of(("length", (at + 3, at + 5), size - HEADER_SIZE, "", (), "")),
    )
    note = ""
    if at < start:
        children = tuple(node for node in children if node.span[0] >= start)
        note = f"{start - at} of its bytes stand in an earlier token"
    content = (max(at + HEADER_SIZE, start), end)
    fragment = _encrypted_node(record, content) if encrypted else node_of(("fragment", content, None, "", (), ""))
    return node_of((name, (start, end), None, "", (*children, fragment), note))


def _encrypted_node(record: TlsRecord, span: tuple[int, int]) -> Node:
    """Lay out a protected record's body; of TLS 1.3 the places of what was in it are those of its ciphertext."""
    content_type, _, (start, end), _, inner_type, inner, padding, note, size = record
    if not inner_type:
        return Node("encrypted_record", span, note=note)
    kind = content_type_name(inner_type)
    if content_type != APPLICATION_DATA or size - HEADER_SIZE <= len(inner) + padding:
        return Node("encrypted_record", span, None, kind)
    at = end - size + HEADER_SIZE
    type_at = at + len(inner)
    tag_at = type_at + 1 + padding
    parts: tuple[Node, ...] = (
        node_of(("content", (at, type_at), inner, "", (), "")),
        node_of(("type", (type_at, type_at + 1), inner_type, kind, (), "")),
        node_of(("zeros", (type_at + 1, tag_at), None, "", (), "")),
        node_of(("tag", (tag_at, end), None, "", (), "")),
    )
    if at < start:
        parts = tuple(part for part in parts if part.span[0] >= start)
    return node_of(("encrypted_record", span, None, kind, parts, ""))
