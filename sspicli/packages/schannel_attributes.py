"""QueryContextAttributes for Schannel: each attribute's fields under their documented member names.

The rule guarded here: nothing is computed until it is asked for, and an answer is never invented: what this engine
cannot know is SEC_E_UNSUPPORTED_FUNCTION, the same status Windows has for attributes Schannel lacks.

Sources: QueryContextAttributes (Schannel) reference page and the structures' pages (documented), ids and ALG_IDs
(header); CIPHER_INFO, channel bindings and the refusal of NEGOTIATION_INFO as Wine's tests assert them (observed). That
a query before its time is SEC_E_NO_CONTEXT is inferred. Certificates are given as DER, a store as a tuple of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from OpenSSL import SSL

from sspicli.packages.openssl_names import CipherSuite, find_group, find_suite
from sspicli.packages.schannel_engine import Engine
from sspicli.packages.schannel_messages import TLS_1_3, stream_sizes
from sspicli.sspi.attributes import ContextAttribute
from sspicli.sspi.package import QueryResult, Role
from sspicli.sspi.status import SecurityStatus

_X509_ASN_ENCODING = 1
_SSL_SESSION_RECONNECT = 1
_BINDINGS_HEADER = 32  # SEC_CHANNEL_BINDINGS: eight u32
_SESSION_ID_AT = 5 + 4 + 2 + 32  # in a ServerHello record: header, handshake header, version, random
_S = SecurityStatus

_CIPHER_IDS = {("AES", 128): 0x660E, ("AES", 256): 0x6610}
_HASH_IDS = {"SHA1": 0x8004, "SHA256": 0x800C, "SHA384": 0x800D, "SHA512": 0x800E}
_EXCHANGE_IDS = {"ECDHE": 0xAE06, "DHE": 0xAA02, "RSA": 0xA400}
_SIGNATURE_IDS = {"RSA": 0x2400, "ECDSA": 0x2203}
_EXCHANGE_NAMES = {"ECDHE": "ECDH", "DHE": "DH", "RSA": "RSA"}  # as Windows prints them (observed for ECDH)
_HASH_BITS = {"SHA1": 160, "SHA256": 256, "SHA384": 384}
_GROUP_BITS = {0x1D: 255, 0x1E: 448, 0x17: 256, 0x18: 384, 0x19: 521, 0x11EC: 255, 0x11EB: 256, 0x11ED: 384}
Fields = dict[str, object]


class View(NamedTuple):
    """What a query may look at: the beginning of the ServerHello, and what KEYING_MATERIAL_INFO set, among others."""

    engine: Engine
    role: Role
    is_open: bool
    server_hello: bytes
    local_chain: tuple[bytes, ...]
    word: int
    exporter: Mapping[str, object] | None


def query(view: View, attribute: int) -> QueryResult:
    """Answer for one attribute."""
    if attribute in _ANY_TIME:
        answer = _ANY_TIME[attribute](view)
    elif attribute not in _WHEN_OPEN:
        return QueryResult(_S.SEC_E_UNSUPPORTED_FUNCTION)
    elif not view.is_open:
        return QueryResult(_S.SEC_E_NO_CONTEXT)
    else:
        answer = _WHEN_OPEN[attribute](view)
    return QueryResult(answer) if isinstance(answer, SecurityStatus) else QueryResult(_S.SEC_E_OK, answer)


def read_exporter(fields: Mapping[str, object]) -> Mapping[str, object] | None:
    """Take KEYING_MATERIAL_INFO: pszLabel, cbKeyingMaterial, and pbContextValue or none; None if it is not that."""
    label, size, context = fields.get("pszLabel"), fields.get("cbKeyingMaterial"), fields.get("pbContextValue")
    is_right = isinstance(label, str) and label.isascii() and label and isinstance(size, int) and 0 < size <= 0xFFFF
    if not is_right or not isinstance(context, bytes | None):
        return None
    return MappingProxyType({"pszLabel": label, "cbKeyingMaterial": size, "pbContextValue": context})


# -- any time ------------------------------------------------------


def _package_info(_: View) -> Fields:
    return {"wVersion": 1, "wRPCID": 14, "Name": "Microsoft Unified Security Protocol Provider"}


def _remote_cert_context(view: View) -> Fields | SecurityStatus:
    chain = _remote_chain(view)
    return _cert_fields(chain) if chain else _S.SEC_E_NO_CREDENTIALS


def _remote_cert_chain(view: View) -> Fields | SecurityStatus:
    chain = _remote_chain(view)
    return {"rgpChain": chain} if chain else _S.SEC_E_NO_CREDENTIALS


def _remote_certificates(view: View) -> Fields | SecurityStatus:
    chain = _remote_chain(view)
    if not chain:
        return _S.SEC_E_NO_CREDENTIALS
    return {
        "cCertificates": len(chain),
        "cbCertificateChain": sum(map(len, chain)),
        "pbCertificateChain": b"".join(chain),
    }


def _local_cert_context(view: View) -> Fields | SecurityStatus:
    return _cert_fields(view.local_chain) if view.local_chain else _S.SEC_E_NO_CREDENTIALS


def _issuer_list(view: View) -> Fields | SecurityStatus:
    if view.role is Role.SERVER:
        return _S.SEC_E_UNSUPPORTED_FUNCTION
    names = view.engine.connection.get_client_ca_list(as_cryptography=True)
    return {"cIssuers": len(names), "aIssuers": tuple(name.public_bytes() for name in names)}


def _flags(view: View) -> Fields:
    return {"Flags": view.word}


def _cert_fields(chain: tuple[bytes, ...]) -> Fields:
    return {
        "dwCertEncodingType": _X509_ASN_ENCODING,
        "pbCertEncoded": chain[0],
        "cbCertEncoded": len(chain[0]),
        "hCertStore": chain,
    }


def _remote_chain(view: View) -> tuple[bytes, ...]:
    """Give the peer's certificates, leaf first: a server's engine keeps the leaf apart from what came behind it."""
    chain = view.engine.peer_chain()
    leaf = view.engine.peer_leaf()
    return chain if not leaf or chain[:1] == (leaf,) else (leaf, *chain)


# -- when the handshake is done ------------------------------------------------------


def _version(view: View) -> int:
    return view.engine.connection.get_protocol_version()


def _protocol_bit(view: View) -> int:
    """Give the SP_PROT_* bit: TLS 1.0 at a server is 0x40, each version is two bits on, a client's beside it."""
    bit = 0x40 << 2 * (_version(view) - 0x0301)
    return bit << 1 if view.role is Role.CLIENT else bit


def _suite(view: View) -> CipherSuite:
    name = view.engine.connection.get_cipher_name() or ""
    return find_suite(name) or CipherSuite(name, name, 0, (), view.engine.connection.get_cipher_bits() or 0, *[""] * 5)


def _group(view: View) -> int:
    found = find_group(view.engine.connection.get_group_name() or "")
    return 0 if found is None else found.code_point


def _exchange(view: View) -> str:
    """Name the key exchange; TLS 1.3 suites do not, but without a group it is a plain pre-shared key or RSA."""
    return _suite(view).exchange or ("ECDHE" if _group(view) else "")


def _exchange_bits(view: View) -> int:
    """Count the bits of the key exchange: of the group, or of the server's RSA key."""
    code = _group(view)
    if code or _suite(view).exchange != "RSA":
        return _GROUP_BITS.get(code, 2048 if code == 0x100 else 0)
    key = _server_key(view)
    return key.key_size if isinstance(key, rsa.RSAPublicKey) else 0


def _stream_sizes(view: View) -> Fields:
    header, trailer, maximum, buffers, block = stream_sizes(_version(view), _suite(view))
    return {
        "cbHeader": header,
        "cbTrailer": trailer,
        "cbMaximumMessage": maximum,
        "cBuffers": buffers,
        "cbBlockSize": block,
    }


def _connection_info(view: View) -> Fields:
    suite = _suite(view)
    is_aead = suite.mode != "CBC"
    return {
        "dwProtocol": _protocol_bit(view),
        "aiCipher": _CIPHER_IDS.get((suite.cipher, suite.key_bits), 0),
        "dwCipherStrength": suite.key_bits,
        "aiHash": _HASH_IDS.get(suite.hash, 0),
        "dwHashStrength": 0 if is_aead else _HASH_BITS[suite.hash],
        "aiExch": _EXCHANGE_IDS.get(_exchange(view), 0),
        "dwExchStrength": _exchange_bits(view),
    }


def _connection_info_ex(view: View) -> Fields:
    suite = _suite(view)
    plain = _connection_info(view)
    return {
        "dwVersion": 1,
        "dwProtocol": plain["dwProtocol"],
        "szCipher": suite.cipher,
        "dwCipherStrength": suite.key_bits,
        "szHash": suite.hash if suite.mode == "CBC" else "",
        "dwHashStrength": plain["dwHashStrength"],
        "szExchange": _EXCHANGE_NAMES.get(_exchange(view), ""),
        "dwExchStrength": plain["dwExchStrength"],
    }


def _cipher_info(view: View) -> Fields:
    """Give the suite; dwProtocol is the wire version here, unlike in CONNECTION_INFO."""
    suite = _suite(view)
    is_aead = suite.mode != "CBC"
    return {
        "dwVersion": 1,
        "dwProtocol": _version(view),
        "dwCipherSuite": suite.code_point,
        "dwBaseCipherSuite": suite.code_point,
        "szCipherSuite": suite.iana_name,
        "szCipher": suite.cipher,
        "dwCipherLen": suite.key_bits,
        "dwCipherBlockLen": 16 if suite.cipher == "AES" else 1,
        "szHash": "" if is_aead else suite.hash,
        "dwHashLen": 0 if is_aead else _HASH_BITS[suite.hash],
        "szExchange": _EXCHANGE_NAMES.get(_exchange(view), ""),
        "dwMinExchangeLen": 0,
        "dwMaxExchangeLen": 65536,
        "szCertificate": suite.certificate,
        "dwKeyType": _group(view),
    }


def _key_info(view: View) -> Fields:
    suite = _suite(view)
    key = _server_key(view)
    kind = "RSA" if isinstance(key, rsa.RSAPublicKey) else "ECDSA" if isinstance(key, ec.EllipticCurvePublicKey) else ""
    return {
        "sSignatureAlgorithmName": kind,
        "sEncryptAlgorithmName": suite.cipher,
        "KeySize": suite.key_bits,
        "SignatureAlgorithm": _SIGNATURE_IDS.get(kind, 0),
        "EncryptAlgorithm": _CIPHER_IDS.get((suite.cipher, suite.key_bits), 0),
    }


def _application_protocol(view: View) -> Fields:
    """Give the protocol agreed on; all zero without ALPN."""
    protocol = view.engine.connection.get_alpn_proto_negotiated()
    is_negotiated = bool(protocol)
    return {
        "ProtoNegoStatus": int(is_negotiated),
        "ProtoNegoExt": 2 if is_negotiated else 0,
        "ProtocolIdSize": len(protocol),
        "ProtocolId": protocol,
    }


def _session_info(view: View) -> Fields:
    hello = view.server_hello
    size = hello[_SESSION_ID_AT] if len(hello) > _SESSION_ID_AT else 0
    session_id = hello[_SESSION_ID_AT + 1 : _SESSION_ID_AT + 1 + size]
    return {
        "dwFlags": _SSL_SESSION_RECONNECT if view.engine.is_resumed() else 0,
        "cbSessionId": len(session_id),
        "rgbSessionId": session_id,
    }


def _unique_bindings(view: View) -> Fields | SecurityStatus:
    """Bind to the handshake's first Finished: the client's in a full handshake, the server's in a resumed one."""
    if _version(view) >= TLS_1_3:
        return _S.SEC_E_UNSUPPORTED_FUNCTION
    is_first_ours = (view.role is Role.CLIENT) != view.engine.is_resumed()
    connection = view.engine.connection
    finished = connection.get_finished() if is_first_ours else connection.get_peer_finished()
    return _bindings(b"tls-unique:" + (finished or b""))


def _endpoint_bindings(view: View) -> Fields | SecurityStatus:
    """Bind to the server's certificate by its signature's hash (RFC 5929); for Ed25519 SHA-512, as OpenSSL does."""
    try:
        certificate = x509.load_der_x509_certificate(_server_chain(view)[0])
        algorithm = certificate.signature_hash_algorithm
    except (IndexError, ValueError, TypeError):
        return _S.SEC_E_NO_CREDENTIALS
    if algorithm is None:
        algorithm = hashes.SHA512()
    elif isinstance(algorithm, hashes.MD5 | hashes.SHA1):
        algorithm = hashes.SHA256()
    return _bindings(b"tls-server-end-point:" + certificate.fingerprint(algorithm))


def _bindings(data: bytes) -> Fields:
    """Lay out SEC_CHANNEL_BINDINGS: six zeros, length and offset of the application data, the data."""
    header = bytes(24) + len(data).to_bytes(4, "little") + _BINDINGS_HEADER.to_bytes(4, "little")
    return {"BindingsLength": len(header) + len(data), "Bindings": header + data}


def _keying_material(view: View) -> Fields | SecurityStatus:
    """Export by RFC 5705 what KEYING_MATERIAL_INFO asked for; without it SEC_E_INVALID_PARAMETER (inferred)."""
    asked = view.exporter
    if asked is None:
        return _S.SEC_E_INVALID_PARAMETER
    label, size, context = asked["pszLabel"], asked["cbKeyingMaterial"], asked["pbContextValue"]
    assert isinstance(label, str), "read_exporter checks"
    assert isinstance(size, int), "read_exporter checks"
    assert isinstance(context, bytes | None), "read_exporter checks"
    try:
        material = view.engine.connection.export_keying_material(label.encode("ascii"), size, context)
    except SSL.Error:
        return _S.SEC_E_INTERNAL_ERROR
    return {"cbKeyingMaterial": size, "pbKeyingMaterial": material}


def _server_chain(view: View) -> tuple[bytes, ...]:
    return view.local_chain if view.role is Role.SERVER else _remote_chain(view)


def _server_key(view: View) -> object:
    try:
        return x509.load_der_x509_certificate(_server_chain(view)[0]).public_key()
    except (IndexError, ValueError):
        return None


_Answer = Callable[[View], "Fields | SecurityStatus"]

_ANY_TIME: dict[int, _Answer] = {
    ContextAttribute.PACKAGE_INFO: _package_info,
    ContextAttribute.FLAGS: _flags,
    ContextAttribute.REMOTE_CERT_CONTEXT: _remote_cert_context,
    ContextAttribute.REMOTE_CERT_CHAIN: _remote_cert_chain,
    ContextAttribute.REMOTE_CERTIFICATES: _remote_certificates,
    ContextAttribute.LOCAL_CERT_CONTEXT: _local_cert_context,
    ContextAttribute.ISSUER_LIST_EX: _issuer_list,
}

_WHEN_OPEN: dict[int, _Answer] = {
    ContextAttribute.STREAM_SIZES: _stream_sizes,
    ContextAttribute.KEY_INFO: _key_info,
    ContextAttribute.UNIQUE_BINDINGS: _unique_bindings,
    ContextAttribute.ENDPOINT_BINDINGS: _endpoint_bindings,
    ContextAttribute.APPLICATION_PROTOCOL: _application_protocol,
    ContextAttribute.CONNECTION_INFO: _connection_info,
    ContextAttribute.CONNECTION_INFO_EX: _connection_info_ex,
    ContextAttribute.SESSION_INFO: _session_info,
    ContextAttribute.CIPHER_INFO: _cipher_info,
    ContextAttribute.KEYING_MATERIAL: _keying_material,
    ContextAttribute.KEYING_MATERIAL_INPROC: _keying_material,
}
