"""How TLS extensions lie in their bytes: one table for each kind of message they come in.

The rule guarded here: the same extension says different things in different messages, so none is read without its
message. One that has no row in a message's table is shown as bytes, never guessed at.

Source: RFC 8446 section 4.2 and, for each row, the document in its comment; names as the documents have them.
"""

from __future__ import annotations

from sspicli.tokens.grammar import Choice, Number, Opaque, Sized, Struct, Tagged, Text, Varint, Vector
from sspicli.tokens.tls_names import (
    CERTIFICATE_STATUS_TYPES,
    CERTIFICATE_TYPES,
    COMPRESSION_ALGORITHMS,
    EC_POINT_FORMATS,
    HEARTBEAT_MODES,
    HPKE_AEADS,
    HPKE_KDFS,
    HPKE_KEMS,
    MAX_FRAGMENT_LENGTHS,
    PSK_MODES,
    QUIC_PARAMETERS,
    SRTP_PROFILES,
    extension_field_name,
    extension_name,
    group_name,
    lookup,
    scheme_name,
    version_name,
)
from sspicli.tokens.x509 import SCTS, DerName, DerOid

BYTE, SHORT, LONG = Number(1), Number(2), Number(4)
NOTHING = Struct(())
SCHEME = Number(2, scheme_name)
GROUP = Number(2, group_name)
VERSION = Number(2, version_name)
NAMES = Vector(2, "DistinguishedName", Sized(2, DerName()))
SCHEMES = Vector(2, "SignatureScheme", SCHEME)
_PROTOCOL = Sized(1, Text())

# A hybrid share is its parts put together (draft-ietf-tls-ecdhe-mlkem): (group, from the client) by parts and sizes.
_HYBRIDS: dict[int, tuple[tuple[str, int, int], ...]] = {
    0x11EB: (("secp256r1", 65, 65), ("mlkem768", 1184, 1088)),
    0x11EC: (("mlkem768", 1184, 1088), ("x25519", 32, 32)),
    0x11ED: (("secp384r1", 97, 97), ("mlkem1024", 1568, 1568)),
    0x6399: (("x25519", 32, 32), ("kyber768", 1184, 1088)),
}


def _share(sender: int) -> Struct:
    """Lay out a KeyShareEntry of the client (0) or the server (1)."""
    parts = {
        group: Sized(2, Struct(tuple((name, Opaque(sizes[sender])) for name, *sizes in hybrid)))
        for group, hybrid in _HYBRIDS.items()
    }
    return Struct((("group", GROUP), ("key_exchange", Choice(parts, Sized(2, Opaque())))))


_STATUS_REQUEST = Struct(
    (
        ("responder_id_list", Vector(2, "ResponderID", Sized(2, Opaque()))),
        ("request_extensions", Sized(2, Opaque())),
    )
)
_STATUS_TYPE = Number(1, lookup(CERTIFICATE_STATUS_TYPES, "status type"))
_CERTIFICATE_TYPE = Number(1, lookup(CERTIFICATE_TYPES, "certificate type"))
_TRUSTED_AUTHORITY = Struct(
    (
        ("identifier_type", BYTE),
        ("identifier", Choice({0: NOTHING, 1: Opaque(20), 2: Sized(2, DerName()), 3: Opaque(20)}, Opaque())),
    )
)
_SCTS = Struct((("sct_list", SCTS),))
_HPKE_SUITE = Struct(
    (("kdf_id", Number(2, lookup(HPKE_KDFS, "KDF"))), ("aead_id", Number(2, lookup(HPKE_AEADS, "AEAD"))))
)
_ECH_OUTER = Struct(
    (
        ("cipher_suite", _HPKE_SUITE),
        ("config_id", BYTE),
        ("enc", Sized(2, Opaque())),
        ("payload", Sized(2, Opaque())),
    )
)
_ECH_CONFIG = Struct(
    (
        ("config_id", BYTE),
        ("kem_id", Number(2, lookup(HPKE_KEMS, "KEM"))),
        ("public_key", Sized(2, Opaque())),
        ("cipher_suites", Vector(2, "HpkeSymmetricCipherSuite", _HPKE_SUITE)),
        ("maximum_name_length", BYTE),
        ("public_name", Sized(1, Text())),
        ("extensions", Sized(2, Opaque())),
    )
)
_ECH_CONFIGS = Vector(
    2,
    "ECHConfig",
    Struct((("version", SHORT), ("contents", Choice({0xFE0D: Sized(2, _ECH_CONFIG)}, Sized(2, Opaque()))))),
)
_QUIC_NUMBERS = (0x01, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0A, 0x0B, 0x0E, 0x20)
_QUIC = Tagged(
    "parameter_id",
    Varint(),
    Varint(),
    name_of=lookup(QUIC_PARAMETERS, "parameter"),
    bodies={number: Struct((("value", Varint()),)) for number in _QUIC_NUMBERS},
    otherwise=Struct((("value", Opaque()),)),
)
_BYTES = Struct((("extension_data", Opaque()),))

_IN_BOTH = {
    1: Struct((("max_fragment_length", Number(1, lookup(MAX_FRAGMENT_LENGTHS, "code"))),)),  # RFC 6066, 4
    2: NOTHING,  # RFC 6066, 5
    4: NOTHING,  # RFC 6066, 7
    10: Struct((("named_group_list", Vector(2, "NamedGroup", GROUP)),)),  # RFC 8446, 4.2.7
    11: Struct((("ec_point_format_list", Vector(1, "ECPointFormat", Number(1, lookup(EC_POINT_FORMATS, "format")))),)),
    14: Struct(  # RFC 5764, 4.1.1
        (
            ("SRTPProtectionProfiles", Vector(2, "SRTPProtectionProfile", Number(2, lookup(SRTP_PROFILES, "profile")))),
            ("srtp_mki", Sized(1, Opaque())),
        )
    ),
    15: Struct((("mode", Number(1, lookup(HEARTBEAT_MODES, "mode"))),)),  # RFC 6520, 2
    16: Struct((("protocol_name_list", Vector(2, "ProtocolName", _PROTOCOL)),)),  # RFC 7301, 3.1
    22: NOTHING,  # RFC 7366
    23: NOTHING,  # RFC 7627
    24: Struct(  # RFC 8472, 2
        (
            ("token_binding_version_major", BYTE),
            ("token_binding_version_minor", BYTE),
            ("key_parameters_list", Vector(1, "TokenBindingKeyParameters", BYTE)),
        )
    ),
    28: Struct((("record_size_limit", SHORT),)),  # RFC 8449, 4
    35: Struct((("ticket", Opaque()),)),  # RFC 5077, 3.2
    42: NOTHING,  # RFC 8446, 4.2.10
    44: Struct((("cookie", Sized(2, Opaque())),)),  # RFC 8446, 4.2.2
    54: Struct((("cid", Sized(1, Opaque())),)),  # RFC 9146, 3
    57: Struct((("parameters", Vector(0, "TransportParameter", _QUIC)),)),  # RFC 9000, 18
    0xFF01: Struct((("renegotiated_connection", Sized(1, Opaque())),)),  # RFC 5746, 3.2
}

CLIENT_HELLO = _IN_BOTH | {
    0: Struct(  # RFC 6066, 3
        (
            (
                "server_name_list",
                Vector(
                    2,
                    "ServerName",
                    Struct(
                        (
                            ("name_type", Number(1, lookup({0: "host_name"}, "name type"))),
                            ("host_name", Choice({0: Sized(2, Text())}, Sized(2, Opaque()))),
                        )
                    ),
                ),
            ),
        )
    ),
    3: Struct((("trusted_authorities_list", Vector(2, "TrustedAuthority", _TRUSTED_AUTHORITY)),)),  # RFC 6066, 6
    5: Struct((("status_type", _STATUS_TYPE), ("request", Choice({1: _STATUS_REQUEST}, Opaque())))),  # RFC 6066, 8
    9: Struct((("certificate_types", Vector(1, "CertificateType", _CERTIFICATE_TYPE)),)),  # RFC 6091, 3.1
    12: Struct((("srp_I", _PROTOCOL),)),  # RFC 5054, 2.8.1
    13: Struct((("supported_signature_algorithms", SCHEMES),)),  # RFC 8446, 4.2.3
    17: Struct(  # RFC 6961, 2.2
        (
            (
                "certificate_status_req_list",
                Vector(
                    2,
                    "CertificateStatusRequestItemV2",
                    Struct((("status_type", _STATUS_TYPE), ("request", Sized(2, _STATUS_REQUEST)))),
                ),
            ),
        )
    ),
    18: NOTHING,  # RFC 6962, 3.3.1
    19: Struct((("client_certificate_types", Vector(1, "CertificateType", _CERTIFICATE_TYPE)),)),  # RFC 7250, 3
    20: Struct((("server_certificate_types", Vector(1, "CertificateType", _CERTIFICATE_TYPE)),)),  # RFC 7250, 3
    21: Struct((("padding", Opaque()),)),  # RFC 7685, 3
    25: Struct(  # RFC 7924, 3
        (("cached_info", Vector(2, "CachedObject", Struct((("type", BYTE), ("hash_value", Sized(1, Opaque())))))),)
    ),
    27: Struct(  # RFC 8879, 3
        (
            (
                "algorithms",
                Vector(1, "CertificateCompressionAlgorithm", Number(2, lookup(COMPRESSION_ALGORITHMS, "algorithm"))),
            ),
        )
    ),
    34: Struct((("supported_signature_algorithms", SCHEMES),)),  # RFC 9345, 4.1.1
    41: Struct(  # RFC 8446, 4.2.11
        (
            (
                "identities",
                Vector(2, "PskIdentity", Struct((("identity", Sized(2, Opaque())), ("obfuscated_ticket_age", LONG)))),
            ),
            ("binders", Vector(2, "PskBinderEntry", Sized(1, Opaque()))),
        )
    ),
    43: Struct((("versions", Vector(1, "ProtocolVersion", VERSION)),)),  # RFC 8446, 4.2.1
    45: Struct(  # RFC 8446, 4.2.9
        (("ke_modes", Vector(1, "PskKeyExchangeMode", Number(1, lookup(PSK_MODES, "mode")))),)
    ),
    47: Struct((("authorities", NAMES),)),  # RFC 8446, 4.2.4
    49: NOTHING,  # RFC 8446, 4.2.6
    50: Struct((("supported_signature_algorithms", SCHEMES),)),  # RFC 8446, 4.2.3
    51: Struct((("client_shares", Vector(2, "KeyShareEntry", _share(0))),)),  # RFC 8446, 4.2.8
    58: Struct((("new_session_count", BYTE), ("resumption_count", BYTE))),  # RFC 9149, 3
    13172: NOTHING,  # draft-agl-tls-nextprotoneg, 3
    17513: Struct((("supported_protocols", Vector(2, "ProtocolName", _PROTOCOL)),)),  # draft-vvv-tls-alps
    17613: Struct((("supported_protocols", Vector(2, "ProtocolName", _PROTOCOL)),)),  # draft-vvv-tls-alps
    0xFE0D: Struct((("type", BYTE), ("outer", Choice({0: _ECH_OUTER, 1: NOTHING}, Opaque())))),  # RFC 9849, 5
}

# What a server answers with, in a TLS 1.2 ServerHello or in EncryptedExtensions.
_ANSWERS = _IN_BOTH | {
    0: NOTHING,
    5: NOTHING,
    9: Struct((("certificate_type", _CERTIFICATE_TYPE),)),
    17: NOTHING,
    18: _SCTS,
    19: Struct((("client_certificate_type", _CERTIFICATE_TYPE),)),
    20: Struct((("server_certificate_type", _CERTIFICATE_TYPE),)),
    25: Struct((("cached_info", Vector(2, "CachedInformationType", BYTE)),)),
}

SERVER_HELLO = _ANSWERS | {
    35: NOTHING,
    41: Struct((("selected_identity", SHORT),)),
    43: Struct((("selected_version", VERSION),)),
    51: Struct((("server_share", _share(1)),)),
    13172: Struct((("protocol_name_list", Vector(0, "ProtocolName", _PROTOCOL)),)),
}

RETRY_REQUEST = {
    43: Struct((("selected_version", VERSION),)),
    44: Struct((("cookie", Sized(2, Opaque())),)),
    51: Struct((("selected_group", GROUP),)),
    0xFE0D: Struct((("confirmation", Opaque(8)),)),
}

ENCRYPTED_EXTENSIONS = _ANSWERS | {
    58: Struct((("expected_count", BYTE),)),
    0xFE0D: Struct((("retry_configs", _ECH_CONFIGS),)),
}

CERTIFICATE_REQUEST = {
    5: NOTHING,  # RFC 8446, 4.4.2.1
    13: Struct((("supported_signature_algorithms", SCHEMES),)),
    18: NOTHING,
    27: CLIENT_HELLO[27],
    34: CLIENT_HELLO[34],
    47: Struct((("authorities", NAMES),)),
    48: Struct(  # RFC 8446, 4.2.5
        (
            (
                "filters",
                Vector(
                    2,
                    "OIDFilter",
                    Struct(
                        (
                            ("certificate_extension_oid", Sized(1, DerOid())),
                            ("certificate_extension_values", Sized(2, Opaque())),
                        )
                    ),
                ),
            ),
        )
    ),
    50: Struct((("supported_signature_algorithms", SCHEMES),)),
}

CERTIFICATE = {
    5: Struct((("status_type", _STATUS_TYPE), ("response", Sized(3, Opaque())))),  # RFC 8446, 4.4.2.1
    18: _SCTS,
    34: Struct(  # RFC 9345, 4
        (
            ("valid_time", LONG),
            ("dc_cert_verify_algorithm", SCHEME),
            ("ASN1_subjectPublicKeyInfo", Sized(3, Opaque())),
            ("algorithm", SCHEME),
            ("signature", Sized(2, Opaque())),
        )
    ),
}

NEW_SESSION_TICKET = {42: Struct((("max_early_data_size", LONG),))}  # RFC 8446, 4.6.1


def extensions(bodies: dict[int, Struct]) -> Vector:
    """Lay out the extensions of a message by its table."""
    kind = Number(2, extension_name)
    layout = Tagged("extension_type", kind, 2, name_of=extension_field_name, bodies=bodies, otherwise=_BYTES)
    return Vector(2, "extension", layout)
