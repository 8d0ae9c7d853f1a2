"""The fields of a token in as many rows as there are: what decides a handshake first, the rest as room allows.

The rule guarded here: every message of the token is named while there is a row for it, and what is not shown is
counted. Values are data and pass `visible`; they are what the field trees of the tokens say, and nothing else.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from sspicli.tokens.tls import TlsMessage
from sspicli.tokens.tls_fields import message_trees
from sspicli.tokens.tree import Node
from sspicli.views.text import Glyphs, Line, Segment, line, visible
from sspicli.views.trees import bytes_text

_LONGEST = 200
_HEADERS = frozenset({"msg_type", "length", "type", "extension_type", "name_type", "extnID", "critical"})
_CONTAINERS = frozenset({"extensions", "certificate_list", "CertificateEntry", "cert_data", "tbsCertificate"})
_DECIDING = frozenset(
    {
        *("server_name", "cipher_suites", "cipher_suite", "supported_versions", "key_share", "supported_groups"),
        *("pre_shared_key", "application_layer_protocol_negotiation", "subject", "validity", "subjectAltName"),
        *("level", "description"),
    }
)
_MINOR = frozenset(
    {
        *("legacy_version", "random", "legacy_session_id", "legacy_compression_methods", "legacy_compression_method"),
        *("renegotiation_info", "ec_point_formats", "session_ticket", "encrypt_then_mac", "extended_main_secret"),
        *("psk_key_exchange_modes", "version", "serialNumber", "certificate_request_context", "signatureAlgorithm"),
        *("basicConstraints", "authorityKeyIdentifier", "ticket_nonce", "ticket_age_add", "signature", "verify_data"),
    }
)


class _Field(NamedTuple):
    """One row's worth: how early it is to be shown (0 first), the message and the place it stands in, and its words."""

    rank: int
    message: int
    place: int
    name: str
    said: str


def token_rows(messages: tuple[TlsMessage, ...], glyphs: Glyphs, *, width: int, rows: int) -> list[Line]:
    """Show the messages of a token, and of their fields as many as have room; the rest of each on its own row."""
    fields = _fields(messages)
    if len(messages) > rows:
        shown = [_head(at, messages[at], (), fields, glyphs) for at in range(max(0, rows - 1))]
        return [*shown, line(Segment(f"{glyphs.more} and {len(messages) - len(shown)} more", "muted"))]
    chosen = set(sorted(fields)[: rows - len(messages)])
    names = max(0, min(max((len(field.name) for field in chosen), default=0), width // 2))
    out: list[Line] = []
    for at, message in enumerate(messages):
        own = tuple(field for field in fields if field.message == at and field in chosen)
        out.append(_head(at, message, own, fields, glyphs))
        out += [_row(field, names) for field in own]
    return out


@lru_cache(maxsize=8)
def _fields(messages: tuple[TlsMessage, ...]) -> tuple[_Field, ...]:
    """List the fields of a token's messages in order; kept, because a token is drawn again in every frame."""
    found: list[_Field] = []
    for at, tree in enumerate(message_trees(messages)):
        for place, node in enumerate(_flat(tree)):
            rank = 0 if node.name in _DECIDING else 2 if node.name in _MINOR else 1
            said = _said(node) or ("there" if rank < 2 else "")
            if said:
                found.append(_Field(rank, at, place, visible(node.name, 60), said[:_LONGEST]))
    return tuple(found)


def _flat(node: Node) -> list[Node]:
    """List a message's fields, those of its extensions and of its certificates among them."""
    out: list[Node] = []
    for child in node.children:
        if child.name in _CONTAINERS:
            out += _flat(child)
        elif child.name not in _HEADERS:
            out.append(child)
    return out


def _said(node: Node) -> str:
    """Say a field in a few words: its meaning, else its value, else what its parts say."""
    if node.meaning:
        return visible(node.meaning)
    if node.value is not None:
        return bytes_text(node.value, 24) if isinstance(node.value, bytes) else visible(str(node.value))
    said: list[str] = []
    for child in node.children:
        if child.name not in _HEADERS and sum(map(len, said)) < _LONGEST:
            said.append(_said(child))
    return " ".join(part for part in said if part)


def _head(at: int, message: TlsMessage, shown: tuple[_Field, ...], fields: tuple[_Field, ...], glyphs: Glyphs) -> Line:
    """Name a message; when none of its fields has a row of its own, with what decides in it."""
    name = f"{{{message.name}}}" if message.encrypted else message.name
    parts = [Segment(visible(name, 60), "leg"), Segment(f"  {len(message.body)} B", "muted")]
    own = [field for field in fields if field.message == at]
    if message.note:
        parts.append(Segment(f"  {visible(message.note, 60)}", "warn"))
    elif shown and len(own) > len(shown):
        parts.append(Segment(f"  {len(own) - len(shown)} more fields", "muted"))
    elif not shown:
        said = [field.said for field in sorted(own) if field.rank < 2]
        parts.append(Segment("  " + f" {glyphs.dot} ".join(said[:4])))
    return tuple(parts)


def _row(field: _Field, names: int) -> Line:
    return line(Segment(f"  {field.name:<{names}}  ", "muted"), field.said)
