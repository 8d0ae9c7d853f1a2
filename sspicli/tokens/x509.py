"""Certificates down to their fields, each with its byte span and its name in RFC 5280.

The rule guarded here: any bytes have a tree. What an extension of an unknown kind holds is shown as bytes, what is not
shaped as its kind asks for says so, and of a hostile number of names the first 20 are shown, the others counted.
Nothing is verified: whether a certificate may be believed is its validator's business.

Source: RFC 5280 sections 4.1 and 4.2, RFC 6962 section 3.3, RFC 7633, RFC 8017 appendix A.1.1.
"""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address
from typing import NamedTuple

from sspicli.tokens.asn1 import (
    ANYTHING,
    BIT_STRING,
    BOOLEAN,
    FLAG,
    IA5,
    IDENTIFIER,
    INTEGER,
    NUMBER,
    OCTET_STRING,
    OCTETS,
    OID,
    SEQUENCE,
    Bits,
    Explicit,
    Field,
    Many,
    OneOf,
    Primitive,
    Sequence,
    Shape,
    integer,
    raw,
    why_none,
)
from sspicli.tokens.der import Element, read_element
from sspicli.tokens.grammar import MAX_NODES, Number, Opaque, Sized, Source, Struct, Vector
from sspicli.tokens.tls_names import extension_name, scheme_name
from sspicli.tokens.tree import Node
from sspicli.tokens.x509_names import ATTRIBUTES, EXTENSIONS, SHORT_ATTRIBUTES

MAX_NAMES = 20
_MOST_REMEMBERED = 4096

SCTS = Vector(  # RFC 6962, 3.3
    2,
    "SerializedSCT",
    Sized(
        2,
        Struct(
            (
                ("sct_version", Number(1)),
                ("id", Opaque(32)),
                ("timestamp", Number(8)),
                ("extensions", Sized(2, Opaque())),
                ("algorithm", Number(2, scheme_name)),
                ("signature", Sized(2, Opaque())),
            )
        ),
    ),
)


def certificate_tree(der: bytes, start: int = 0) -> Node:
    """Read a certificate's fields; the spans are shifted by `start`."""
    if len(der) <= _MOST_REMEMBERED:
        return _remembered(der, start)[0]
    return _shifted(_certificate(Source(der), 0, len(der)), start)


class DerCertificate(NamedTuple):
    """A certificate that takes all bytes, as a layout of `grammar`."""

    def read(self, source: Source, name: str, start: int, end: int) -> Node:
        """Read it."""
        if end - start > _MOST_REMEMBERED or source.left < _MOST_REMEMBERED:
            return _certificate(source, start, end)._replace(name=name)
        node, left = _remembered(source.data[start:end], start)
        source.left -= MAX_NODES - left
        return node._replace(name=name)


class DerName(NamedTuple):
    """A distinguished name that takes all bytes, as a layout of `grammar`."""

    def read(self, source: Source, name: str, start: int, end: int) -> Node:
        """Read it."""
        return _whole(source, _NAME, name, start=start, end=end)


class DerOid(NamedTuple):
    """An object identifier that takes all bytes, as a layout of `grammar`."""

    def read(self, source: Source, name: str, start: int, end: int) -> Node:
        """Read it."""
        return _whole(source, IDENTIFIER, name, start=start, end=end)


def _whole(source: Source, shape: Shape, name: str, *, start: int, end: int) -> Node:
    element = read_element(source.data, start, end=end)
    if element is None:
        return Node(name, (start, end), source.data[start:end], note=why_none(source.data, start, end))
    node = shape.read(source, name, element)
    if node.value is None or node.span == (element.start, element.end):
        return node
    return Node(name, (element.start, element.end), None, node.meaning, (node._replace(name="value"),))


@lru_cache(maxsize=16)
def _remembered(der: bytes, start: int) -> tuple[Node, int]:
    """Remember the last few small ones (an owner shows the same in every handshake), and what nodes they left."""
    source = Source(der)
    return _shifted(_certificate(source, 0, len(der)), start), source.left


def _shifted(node: Node, by: int) -> Node:
    if not by:
        return node
    name, (start, end), value, meaning, children, note = node
    inner = tuple([_shifted(child, by) for child in children])
    return Node(name, (start + by, end + by), value, meaning, inner, note)


def _certificate(source: Source, start: int, end: int) -> Node:
    node = _whole(source, _CERTIFICATE, "Certificate", start=start, end=end)
    at = node.span[1]
    if node.value is not None or at == end:
        return node
    rest = Node("left_over", (at, end), source.data[at:end])
    note = node.note or f"{end - at} bytes from {at} on are left over"
    return node._replace(span=(start, end), children=(*node.children, rest), note=note)


def _name_meaning(rdns: tuple[Node, ...]) -> str:
    """Write a name in one line, as it stands: `CN=localhost, O=Example`."""
    parts = []
    for rdn in rdns[:MAX_NAMES]:
        for attribute in rdn.children[:MAX_NAMES]:
            value = attribute.children[-1].value if attribute.children else ""
            said = value if isinstance(value, str) else "?"
            parts.append(f"{SHORT_ATTRIBUTES.get(attribute.name, attribute.name)}={said}")
    return ", ".join(parts)


class _Attribute(NamedTuple):
    """An AttributeTypeAndValue, called by its type."""

    def read(self, source: Source, name: str, element: Element) -> Node:
        """Read type and value."""
        node = _ATTRIBUTE.read(source, name, element)
        kind = node.children[0] if node.children else None
        if kind is None or kind.name != "type":
            return node
        return node._replace(name=ATTRIBUTES.get(source.data[slice(*kind.span)], name))


class _Extension(NamedTuple):
    """An Extension, called by its identifier, with what its value holds."""

    def read(self, source: Source, name: str, element: Element) -> Node:
        """Read the three components, and the value by its kind."""
        node = _EXTENSION.read(source, name, element)
        if not node.children or node.children[0].name != "extnID":
            return node
        kind = EXTENSIONS.get(source.data[slice(*node.children[0].span)], "unknown")
        *before, last = node.children
        if kind in _VALUES and last.name == "extnValue":
            last = _opened(source, last, *_VALUES[kind])
        return node._replace(name=kind, children=(*before, last))


def _opened(source: Source, part: Node, name: str, shape: Shape) -> Node:
    """Open an extension's value: a structure's fields become its children, a plain value its child."""
    start, end = part.span
    element = read_element(source.data, start, end=end)
    if element is None:
        return part._replace(note=why_none(source.data, start, end))
    inner = shape.read(source, name, element)
    note = inner.note
    if element.end < end:
        note = note or f"{end - element.end} bytes from {element.end} on are left over"
    if inner.value is not None:
        return Node("extnValue", part.span, None, inner.meaning, (inner,), note)
    return Node("extnValue", part.span, None, inner.meaning, inner.children, note)


class _SubjectPublicKeyInfo(NamedTuple):
    """An algorithm and a key; of RSA, whose key is DER in the bits, the two numbers too."""

    def read(self, source: Source, name: str, element: Element) -> Node:
        """Read both."""
        node = _KEY_INFO.read(source, name, element)
        if len(node.children) != 2 or not node.children[0].children:
            return node
        algorithm, key = node.children
        said = algorithm.children[0].meaning
        if said != "rsaEncryption":
            return node._replace(meaning=_parameters(algorithm) or said)
        opened = _whole(source, _RSA_KEY, key.name, start=key.span[0], end=key.span[1])
        if opened.value is not None or len(opened.children) != 2:
            return node
        first, end = opened.children[0].span
        bits = int.from_bytes(source.data[first:end], "big").bit_length()
        return node._replace(meaning=f"RSA, {bits} bits", children=(algorithm, opened))


def _parameters(algorithm: Node) -> str:
    return algorithm.children[1].meaning if len(algorithm.children) > 1 else ""


class _Scts(NamedTuple):
    """The list of SerializedSCTs, in TLS's own language, inside an OCTET STRING."""

    def read(self, source: Source, name: str, element: Element) -> Node:
        """Read the list."""
        node = SCTS.read(source, name, element.value_start, element.end)
        source.is_short = False
        return node


_USAGES = (
    "digitalSignature",
    "nonRepudiation",
    "keyEncipherment",
    "dataEncipherment",
    "keyAgreement",
    "keyCertSign",
    "cRLSign",
    "encipherOnly",
    "decipherOnly",
)


def _usages(bits: bytes) -> str:
    """Name the bits that are set, the first being the highest of the first byte."""
    are_set = int.from_bytes(bits[:2].ljust(2, b"\0"), "big")
    return ", ".join(name for at, name in enumerate(_USAGES) if are_set << at & 0x8000)


def _address(content: bytes) -> str:
    """Write an address, or, in name constraints, an address and its mask."""
    if len(content) in (4, 8):
        return "/".join(str(IPv4Address(content[at : at + 4])) for at in range(0, len(content), 4))
    if len(content) in (16, 32):
        return "/".join(str(IPv6Address(content[at : at + 16])) for at in range(0, len(content), 16))
    return ""


def _values(nodes: tuple[Node, ...]) -> str:
    """Say the meanings or texts of plain fields one after the other."""
    said = (node.meaning or (node.value if isinstance(node.value, str) else "") for node in nodes)
    return ", ".join(text for text in said if text)


def _feature(content: bytes) -> str:
    return extension_name(int.from_bytes(content, "big"))


def _constraints(nodes: tuple[Node, ...]) -> str:
    return "a CA" if any(node.name == "cA" and node.value for node in nodes) else "no CA"


_ATTRIBUTE = Sequence((Field("type", IDENTIFIER, OID), Field("value", ANYTHING)))
_NAME = Many("RelativeDistinguishedName", Many("AttributeTypeAndValue", _Attribute()), summary=_name_meaning)
_GENERAL_NAME = OneOf(
    {
        0xA0: ("otherName", Sequence((Field("type-id", IDENTIFIER, OID), Field("value", Explicit(ANYTHING), 0xA0)))),
        0x81: ("rfc822Name", IA5),
        0x82: ("dNSName", IA5),
        0xA3: ("x400Address", ANYTHING),
        0xA4: ("directoryName", Explicit(_NAME)),
        0xA5: ("ediPartyName", ANYTHING),
        0x86: ("uniformResourceIdentifier", IA5),
        0x87: ("iPAddress", Primitive(raw, _address)),
        0x88: ("registeredID", IDENTIFIER),
    }
)
_GENERAL_NAMES = Many("GeneralName", _GENERAL_NAME, MAX_NAMES, _values)
_ALGORITHM = Sequence(
    (Field("algorithm", IDENTIFIER, OID), Field("parameters", ANYTHING, is_optional=True)),
    lambda nodes: nodes[0].meaning if nodes else "",
)
_KEY_INFO = Sequence((Field("algorithm", _ALGORITHM, SEQUENCE), Field("subjectPublicKey", Bits(), BIT_STRING)))
_RSA_KEY = Sequence((Field("modulus", NUMBER, INTEGER), Field("publicExponent", NUMBER, INTEGER)))
_EXTENSION = Sequence(
    (
        Field("extnID", IDENTIFIER, OID),
        Field("critical", FLAG, BOOLEAN, is_optional=True),
        Field("extnValue", OCTETS, OCTET_STRING),
    )
)
_VERSION = Primitive(integer, lambda content: f"v{content[0] + 1}" if len(content) == 1 else "")
_SIGNED = Sequence(
    (
        Field("version", Explicit(_VERSION), 0xA0, is_optional=True),
        Field("serialNumber", NUMBER, INTEGER),
        Field("signature", _ALGORITHM, SEQUENCE),
        Field("issuer", _NAME, SEQUENCE),
        Field("validity", Sequence((Field("notBefore", ANYTHING), Field("notAfter", ANYTHING))), SEQUENCE),
        Field("subject", _NAME, SEQUENCE),
        Field("subjectPublicKeyInfo", _SubjectPublicKeyInfo(), SEQUENCE),
        Field("issuerUniqueID", Bits(), 0x81, is_optional=True),
        Field("subjectUniqueID", Bits(), 0x82, is_optional=True),
        Field("extensions", Explicit(Many("Extension", _Extension(), 256)), 0xA3, is_optional=True),
    )
)
_CERTIFICATE = Sequence(
    (
        Field("tbsCertificate", _SIGNED, SEQUENCE),
        Field("signatureAlgorithm", _ALGORITHM, SEQUENCE),
        Field("signature", Bits(), BIT_STRING),
    )
)

_POINT = Sequence(
    (
        Field(
            "distributionPoint",
            Explicit(OneOf({0xA0: ("fullName", _GENERAL_NAMES), 0xA1: ("nameRelativeToCRLIssuer", ANYTHING)})),
            0xA0,
            is_optional=True,
        ),
        Field("reasons", Bits(), 0x81, is_optional=True),
        Field("cRLIssuer", _GENERAL_NAMES, 0xA2, is_optional=True),
    )
)
_POINTS = Many("DistributionPoint", _POINT, MAX_NAMES)
_SUBTREES = Many(
    "GeneralSubtree",
    Sequence(
        (
            Field("base", _GENERAL_NAME),
            Field("minimum", NUMBER, 0x80, is_optional=True),
            Field("maximum", NUMBER, 0x81, is_optional=True),
        )
    ),
    MAX_NAMES,
)
_QUALIFIER = Sequence((Field("policyQualifierId", IDENTIFIER, OID), Field("qualifier", ANYTHING)))
_POLICY = Sequence(
    (
        Field("policyIdentifier", IDENTIFIER, OID),
        Field("policyQualifiers", Many("PolicyQualifierInfo", _QUALIFIER, MAX_NAMES), SEQUENCE, is_optional=True),
    ),
    lambda nodes: nodes[0].meaning if nodes else "",
)
_ACCESSES = Many(
    "AccessDescription",
    Sequence((Field("accessMethod", IDENTIFIER, OID), Field("accessLocation", _GENERAL_NAME))),
    MAX_NAMES,
)

# By the extension's name: what its value is called when it is a plain one, and its shape.
_VALUES: dict[str, tuple[str, Shape]] = {
    "subjectKeyIdentifier": ("KeyIdentifier", OCTETS),
    "keyUsage": ("KeyUsage", Bits(_usages)),
    "subjectAltName": ("GeneralNames", _GENERAL_NAMES),
    "issuerAltName": ("GeneralNames", _GENERAL_NAMES),
    "basicConstraints": (
        "BasicConstraints",
        Sequence(
            (
                Field("cA", FLAG, BOOLEAN, is_optional=True),
                Field("pathLenConstraint", NUMBER, INTEGER, is_optional=True),
            ),
            _constraints,
        ),
    ),
    "nameConstraints": (
        "NameConstraints",
        Sequence(
            (
                Field("permittedSubtrees", _SUBTREES, 0xA0, is_optional=True),
                Field("excludedSubtrees", _SUBTREES, 0xA1, is_optional=True),
            )
        ),
    ),
    "cRLDistributionPoints": ("CRLDistributionPoints", _POINTS),
    "freshestCRL": ("FreshestCRL", _POINTS),
    "certificatePolicies": ("CertificatePolicies", Many("PolicyInformation", _POLICY, MAX_NAMES, _values)),
    "policyMappings": (
        "PolicyMappings",
        Many(
            "PolicyMapping",
            Sequence((Field("issuerDomainPolicy", IDENTIFIER, OID), Field("subjectDomainPolicy", IDENTIFIER, OID))),
            MAX_NAMES,
        ),
    ),
    "authorityKeyIdentifier": (
        "AuthorityKeyIdentifier",
        Sequence(
            (
                Field("keyIdentifier", OCTETS, 0x80, is_optional=True),
                Field("authorityCertIssuer", _GENERAL_NAMES, 0xA1, is_optional=True),
                Field("authorityCertSerialNumber", NUMBER, 0x82, is_optional=True),
            )
        ),
    ),
    "policyConstraints": (
        "PolicyConstraints",
        Sequence(
            (
                Field("requireExplicitPolicy", NUMBER, 0x80, is_optional=True),
                Field("inhibitPolicyMapping", NUMBER, 0x81, is_optional=True),
            )
        ),
    ),
    "extendedKeyUsage": ("ExtKeyUsageSyntax", Many("KeyPurposeId", IDENTIFIER, MAX_NAMES, _values)),
    "inhibitAnyPolicy": ("SkipCerts", NUMBER),
    "authorityInfoAccess": ("AuthorityInfoAccessSyntax", _ACCESSES),
    "subjectInfoAccess": ("SubjectInfoAccessSyntax", _ACCESSES),
    "tlsFeature": ("Features", Many("INTEGER", Primitive(integer, _feature), MAX_NAMES, _values)),
    "signedCertificateTimestampList": ("SignedCertificateTimestampList", _Scts()),
    "ocspNoCheck": ("NULL", ANYTHING),
}
