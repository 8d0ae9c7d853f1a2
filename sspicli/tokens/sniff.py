"""What bytes are: TLS records, TLS handshake messages without them, a certificate, or another package's token.

The rule guarded here: a kind is told by marks that its specification fixes, never by what is likely. What has none is
unknown, and said to be. Whether a kind can be opened here is its reader's business.

Source: RFC 8446 sections 4 and 5.1, RFC 5280 section 4.1, MS-NLMP section 2.2.1 (the NTLMSSP signature), RFC 2743
section 3.1 and RFC 4178 section 4.2 (SPNEGO), RFC 4121 section 4.1 (Kerberos).
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import NamedTuple

from sspicli.sspi.records import is_malformed, read_header
from sspicli.tokens.der import read_element
from sspicli.tokens.tls_hello import CLIENT_HELLO, SERVER_HELLO
from sspicli.tokens.tls_names import HANDSHAKE_TYPES
from sspicli.tokens.x509 import certificate_tree


class Kind(StrEnum):
    """What bytes are."""

    TLS = "tls"
    HANDSHAKE = "handshake"
    CERTIFICATE = "certificate"
    NTLM = "ntlm"
    SPNEGO = "spnego"
    KERBEROS = "kerberos"
    UNKNOWN = "unknown"


class Told(NamedTuple):
    """A kind, what it is in words, and the mark by which it was told ("" when there was none)."""

    kind: Kind
    words: str
    mark: str = ""


def tell(data: bytes) -> Told:
    """Tell what bytes are by how they begin."""
    for look in (_tls, _certificate, _other_packages, _handshake):
        told = look(data)
        if told is not None:
            return told
    return Told(Kind.UNKNOWN, "bytes that begin no token known here")


def _tls(data: bytes) -> Told | None:
    header = read_header(data.ljust(5, b"\0")) if len(data) > 1 else None  # a record that has only begun is one too
    if header is None or is_malformed(header):
        return None
    return Told(Kind.TLS, "TLS records", f"they begin with {data[:5].hex(' ')}")


def _certificate(data: bytes) -> Told | None:
    outer = read_element(data)
    if outer is None and _BEGUN_CERTIFICATE.match(data):
        return Told(Kind.CERTIFICATE, "an X.509 certificate in DER, cut short", "two SEQUENCEs and a version in [0]")
    if outer is None or outer.tag != _SEQUENCE:
        return None
    signed = certificate_tree(data[: outer.end]).children[:1]
    if not any(field.name == "validity" for part in signed for field in part.children):
        return None
    return Told(Kind.CERTIFICATE, "an X.509 certificate in DER", "a SEQUENCE with a validity")


def _other_packages(data: bytes) -> Told | None:
    """Tell the tokens of NTLM, SPNEGO and Kerberos."""
    if data.startswith(b"NTLMSSP\0"):
        name = _NTLM_TYPES.get(int.from_bytes(data[8:12], "little"), "message")
        return Told(Kind.NTLM, f"an NTLM {name}", "the signature NTLMSSP")
    outer = read_element(data)
    if outer is None:
        return None
    inside = data[outer.value_start : outer.value_start + 16]
    if outer.tag == _APPLICATION_0:
        for oid, kind, words in _MECHANISMS:
            if inside.startswith(oid):
                return Told(kind, words, f"the mechanism {_dotted(oid[2:])}")
    if outer.tag == _NEG_TOKEN_RESP and inside.startswith(b"\x30"):
        return Told(Kind.SPNEGO, "a SPNEGO NegTokenResp", "the tag a1 around a SEQUENCE")
    return None


def _handshake(data: bytes) -> Told | None:
    """Tell handshake messages that stand without their records, as some logs and QUIC carry them."""
    if len(data) < _HEADER or data[0] not in HANDSHAKE_TYPES:
        return None
    if data[0] == 0 and len(data) > _HEADER:
        return None  # zeros are no row of HelloRequests
    is_hello = data[0] in (CLIENT_HELLO, SERVER_HELLO) and data[4:5] == b"\x03"
    if not is_hello and handshake_end(data) != len(data):
        return None
    return Told(Kind.HANDSHAKE, "TLS handshake messages without record headers", f"they begin with {data[:4].hex(' ')}")


def handshake_end(data: bytes, start: int = 0) -> int:
    """Say where the whole handshake messages from `start` on end; each has a type and a length of three bytes."""
    while start + _HEADER <= len(data) and data[start] in HANDSHAKE_TYPES:
        end = start + _HEADER + int.from_bytes(data[start + 1 : start + _HEADER], "big")
        if end > len(data):
            break
        start = end
    return start


def _dotted(oid: bytes) -> str:
    """Write an object identifier of at least one byte as people do."""
    first = min(oid[0] // 40, 2)
    arcs, arc = [first, oid[0] - 40 * first], 0
    for one in oid[1:]:
        arc = arc << 7 | one & 0x7F
        if not one & 0x80:
            arcs.append(arc)
            arc = 0
    return ".".join(map(str, arcs))


_HEADER = 4
_BEGUN_CERTIFICATE = re.compile(  # Certificate, TBSCertificate, version; a request and a list have no [0] there
    rb"\x30(?:\x81.|\x82..|\x83...)\x30(?:\x81.|\x82..|\x83...)\xa0\x03\x02\x01[\x01\x02]", re.DOTALL
)
_SEQUENCE, _APPLICATION_0, _NEG_TOKEN_RESP = 0x30, 0x60, 0xA1
_NTLM_TYPES = {1: "NEGOTIATE_MESSAGE", 2: "CHALLENGE_MESSAGE", 3: "AUTHENTICATE_MESSAGE"}
_MECHANISMS = (
    (b"\x06\x06\x2b\x06\x01\x05\x05\x02", Kind.SPNEGO, "a SPNEGO NegTokenInit"),
    (b"\x06\x09\x2a\x86\x48\x86\xf7\x12\x01\x02\x02", Kind.KERBEROS, "a Kerberos token in its GSS-API frame"),
)
