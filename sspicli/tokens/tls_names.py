"""IANA names of what TLS tokens carry: content types, handshake types, versions, extensions, suites, groups, schemes.

The rule guarded here: a number without a name prints as a number, never as an error, and a GREASE value (RFC 8701) says
that it is one.

Source: the IANA registries "TLS Parameters" and "TLS ExtensionType Values", names as registered; handshake types in the
CamelCase of the RFCs' prose.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sspicli.tokens.tls_suites import CIPHER_SUITES


def version_name(number: int) -> str:
    """Name a ProtocolVersion, such as `TLS 1.3`."""
    return _named(VERSIONS, number, "version")


def suite_name(number: int) -> str:
    """Name a cipher suite, such as `TLS_AES_256_GCM_SHA384`."""
    return _named(CIPHER_SUITES, number, "suite")


def group_name(number: int) -> str:
    """Name a key-exchange group, such as `X25519MLKEM768`."""
    return _named(GROUPS, number, "group")


def scheme_name(number: int) -> str:
    """Name a signature scheme, such as `ecdsa_secp256r1_sha256`."""
    return _named(SIGNATURE_SCHEMES, number, "scheme")


def extension_name(number: int) -> str:
    """Name an extension, such as `key_share`."""
    return _named(EXTENSIONS, number, "extension")


def content_type_name(number: int) -> str:
    """Name a record's content type, such as `handshake`."""
    return CONTENT_TYPES.get(number, f"content type {number}")


def handshake_name(number: int) -> str:
    """Name a handshake message by its type, such as `ClientHello`; a HelloRetryRequest is a ServerHello here."""
    return HANDSHAKE_TYPES.get(number, f"handshake type {number}")


def extension_field_name(number: int) -> str:
    """Name an extension as a field: one without a registered name is `GREASE` or `unknown`."""
    return EXTENSIONS.get(number) or ("GREASE" if is_grease(number) else "unknown")


def lookup(names: Mapping[int, str], kind: str) -> Callable[[int], str]:
    """Make a function that names the values of a small registry, and says a value without a name by its number."""

    def name(number: int) -> str:
        return names.get(number) or f"{kind} {number}"

    return name


def is_grease(number: int) -> bool:
    """Tell one of the sixteen values that peers must ignore (RFC 8701)."""
    return number & 0x0F0F == 0x0A0A and number >> 8 == number & 0xFF


def _named(names: dict[int, str], number: int, kind: str) -> str:
    name = names.get(number)
    if name is not None:
        return name
    return f"GREASE 0x{number:04X}" if is_grease(number) else f"{kind} 0x{number:04X}"


CONTENT_TYPES = {
    20: "change_cipher_spec",
    21: "alert",
    22: "handshake",
    23: "application_data",
    24: "heartbeat",
}

HANDSHAKE_TYPES = {
    0: "HelloRequest",
    1: "ClientHello",
    2: "ServerHello",
    3: "HelloVerifyRequest",
    4: "NewSessionTicket",
    5: "EndOfEarlyData",
    6: "HelloRetryRequest",
    8: "EncryptedExtensions",
    11: "Certificate",
    12: "ServerKeyExchange",
    13: "CertificateRequest",
    14: "ServerHelloDone",
    15: "CertificateVerify",
    16: "ClientKeyExchange",
    20: "Finished",
    21: "CertificateURL",
    22: "CertificateStatus",
    23: "SupplementalData",
    24: "KeyUpdate",
    25: "CompressedCertificate",
    67: "NextProtocol",
    254: "MessageHash",
}

VERSIONS = {
    0x0002: "SSL 2.0",
    0x0300: "SSL 3.0",
    0x0301: "TLS 1.0",
    0x0302: "TLS 1.1",
    0x0303: "TLS 1.2",
    0x0304: "TLS 1.3",
}

EXTENSIONS = {
    0: "server_name",
    1: "max_fragment_length",
    2: "client_certificate_url",
    3: "trusted_ca_keys",
    4: "truncated_hmac",
    5: "status_request",
    6: "user_mapping",
    7: "client_authz",
    8: "server_authz",
    9: "cert_type",
    10: "supported_groups",
    11: "ec_point_formats",
    12: "srp",
    13: "signature_algorithms",
    14: "use_srtp",
    15: "heartbeat",
    16: "application_layer_protocol_negotiation",
    17: "status_request_v2",
    18: "signed_certificate_timestamp",
    19: "client_certificate_type",
    20: "server_certificate_type",
    21: "padding",
    22: "encrypt_then_mac",
    23: "extended_main_secret",
    24: "token_binding",
    25: "cached_info",
    26: "tls_lts",
    27: "compress_certificate",
    28: "record_size_limit",
    29: "pwd_protect",
    30: "pwd_clear",
    31: "password_salt",
    32: "ticket_pinning",
    33: "tls_cert_with_extern_psk",
    34: "delegated_credential",
    35: "session_ticket",
    41: "pre_shared_key",
    42: "early_data",
    43: "supported_versions",
    44: "cookie",
    45: "psk_key_exchange_modes",
    47: "certificate_authorities",
    48: "oid_filters",
    49: "post_handshake_auth",
    50: "signature_algorithms_cert",
    51: "key_share",
    52: "transparency_info",
    54: "connection_id",
    55: "external_id_hash",
    56: "external_session_id",
    57: "quic_transport_parameters",
    58: "ticket_request",
    59: "dnssec_chain",
    60: "sequence_number_encryption_algorithms",
    61: "rrc",
    62: "tls_flags",
    13172: "next_protocol_negotiation",
    17513: "application_settings_old",
    17613: "application_settings",
    0xFD00: "ech_outer_extensions",
    0xFE0D: "encrypted_client_hello",
    0xFF01: "renegotiation_info",
}

GROUPS = {
    1: "sect163k1",
    2: "sect163r1",
    3: "sect163r2",
    4: "sect193r1",
    5: "sect193r2",
    6: "sect233k1",
    7: "sect233r1",
    8: "sect239k1",
    9: "sect283k1",
    10: "sect283r1",
    11: "sect409k1",
    12: "sect409r1",
    13: "sect571k1",
    14: "sect571r1",
    15: "secp160k1",
    16: "secp160r1",
    17: "secp160r2",
    18: "secp192k1",
    19: "secp192r1",
    20: "secp224k1",
    21: "secp224r1",
    22: "secp256k1",
    23: "secp256r1",
    24: "secp384r1",
    25: "secp521r1",
    26: "brainpoolP256r1",
    27: "brainpoolP384r1",
    28: "brainpoolP512r1",
    29: "x25519",
    30: "x448",
    31: "brainpoolP256r1tls13",
    32: "brainpoolP384r1tls13",
    33: "brainpoolP512r1tls13",
    41: "curveSM2",
    0x0100: "ffdhe2048",
    0x0101: "ffdhe3072",
    0x0102: "ffdhe4096",
    0x0103: "ffdhe6144",
    0x0104: "ffdhe8192",
    0x0200: "MLKEM512",
    0x0201: "MLKEM768",
    0x0202: "MLKEM1024",
    0x11EB: "SecP256r1MLKEM768",
    0x11EC: "X25519MLKEM768",
    0x11ED: "SecP384r1MLKEM1024",
    0x11EE: "curveSM2MLKEM768",
    0x6399: "X25519Kyber768Draft00",
    0xFF01: "arbitrary_explicit_prime_curves",
    0xFF02: "arbitrary_explicit_char2_curves",
}

SIGNATURE_SCHEMES = {
    0x0201: "rsa_pkcs1_sha1",
    0x0202: "dsa_sha1",
    0x0203: "ecdsa_sha1",
    0x0301: "rsa_pkcs1_sha224",
    0x0302: "dsa_sha224",
    0x0303: "ecdsa_sha224",
    0x0401: "rsa_pkcs1_sha256",
    0x0402: "dsa_sha256",
    0x0403: "ecdsa_secp256r1_sha256",
    0x0420: "rsa_pkcs1_sha256_legacy",
    0x0501: "rsa_pkcs1_sha384",
    0x0502: "dsa_sha384",
    0x0503: "ecdsa_secp384r1_sha384",
    0x0520: "rsa_pkcs1_sha384_legacy",
    0x0601: "rsa_pkcs1_sha512",
    0x0602: "dsa_sha512",
    0x0603: "ecdsa_secp521r1_sha512",
    0x0620: "rsa_pkcs1_sha512_legacy",
    0x0708: "sm2sig_sm3",
    0x0804: "rsa_pss_rsae_sha256",
    0x0805: "rsa_pss_rsae_sha384",
    0x0806: "rsa_pss_rsae_sha512",
    0x0807: "ed25519",
    0x0808: "ed448",
    0x0809: "rsa_pss_pss_sha256",
    0x080A: "rsa_pss_pss_sha384",
    0x080B: "rsa_pss_pss_sha512",
    0x081A: "ecdsa_brainpoolP256r1tls13_sha256",
    0x081B: "ecdsa_brainpoolP384r1tls13_sha384",
    0x081C: "ecdsa_brainpoolP512r1tls13_sha512",
    0x0904: "mldsa44",
    0x0905: "mldsa65",
    0x0906: "mldsa87",
}


COMPRESSION_METHODS = {0: "null", 1: "DEFLATE", 64: "LZS"}

EC_POINT_FORMATS = {0: "uncompressed", 1: "ansiX962_compressed_prime", 2: "ansiX962_compressed_char2"}

CURVE_TYPES = {1: "explicit_prime", 2: "explicit_char2", 3: "named_curve"}

PSK_MODES = {0: "psk_ke", 1: "psk_dhe_ke"}

MAX_FRAGMENT_LENGTHS = {1: "2^9", 2: "2^10", 3: "2^11", 4: "2^12"}

CERTIFICATE_STATUS_TYPES = {1: "ocsp", 2: "ocsp_multi"}

CERTIFICATE_TYPES = {0: "X509", 1: "OpenPGP", 2: "RawPublicKey", 3: "1609Dot2"}

CLIENT_CERTIFICATE_TYPES = {
    1: "rsa_sign",
    2: "dss_sign",
    3: "rsa_fixed_dh",
    4: "dss_fixed_dh",
    5: "rsa_ephemeral_dh_RESERVED",
    6: "dss_ephemeral_dh_RESERVED",
    20: "fortezza_dms_RESERVED",
    64: "ecdsa_sign",
    65: "rsa_fixed_ecdh",
    66: "ecdsa_fixed_ecdh",
    67: "gost_sign256",
    68: "gost_sign512",
}

COMPRESSION_ALGORITHMS = {1: "zlib", 2: "brotli", 3: "zstd"}

HEARTBEAT_MODES = {1: "peer_allowed_to_send", 2: "peer_not_allowed_to_send"}

HEARTBEAT_TYPES = {1: "heartbeat_request", 2: "heartbeat_response"}

SRTP_PROFILES = {
    1: "SRTP_AES128_CM_HMAC_SHA1_80",
    2: "SRTP_AES128_CM_HMAC_SHA1_32",
    5: "SRTP_NULL_HMAC_SHA1_80",
    6: "SRTP_NULL_HMAC_SHA1_32",
    7: "SRTP_AEAD_AES_128_GCM",
    8: "SRTP_AEAD_AES_256_GCM",
}

HPKE_KEMS = {
    0x0010: "DHKEM(P-256, HKDF-SHA256)",
    0x0011: "DHKEM(P-384, HKDF-SHA384)",
    0x0012: "DHKEM(P-521, HKDF-SHA512)",
    0x0020: "DHKEM(X25519, HKDF-SHA256)",
    0x0021: "DHKEM(X448, HKDF-SHA512)",
}

HPKE_KDFS = {1: "HKDF-SHA256", 2: "HKDF-SHA384", 3: "HKDF-SHA512"}

HPKE_AEADS = {1: "AES-128-GCM", 2: "AES-256-GCM", 3: "ChaCha20Poly1305", 0xFFFF: "Export-only"}

QUIC_PARAMETERS = {
    0x00: "original_destination_connection_id",
    0x01: "max_idle_timeout",
    0x02: "stateless_reset_token",
    0x03: "max_udp_payload_size",
    0x04: "initial_max_data",
    0x05: "initial_max_stream_data_bidi_local",
    0x06: "initial_max_stream_data_bidi_remote",
    0x07: "initial_max_stream_data_uni",
    0x08: "initial_max_streams_bidi",
    0x09: "initial_max_streams_uni",
    0x0A: "ack_delay_exponent",
    0x0B: "max_ack_delay",
    0x0C: "disable_active_migration",
    0x0D: "preferred_address",
    0x0E: "active_connection_id_limit",
    0x0F: "initial_source_connection_id",
    0x10: "retry_source_connection_id",
    0x11: "version_information",
    0x20: "max_datagram_frame_size",
    0x2AB2: "grease_quic_bit",
}
