"""SECPKG_ATTR_*: what QueryContextAttributes may be asked for, by its documented ids.

Source: sspi.h and schannel.h (header). The documentation page prints 13 for ACCESS_TOKEN; the header says 18.
"""

from __future__ import annotations

from enum import IntEnum


class ContextAttribute(IntEnum):
    """SECPKG_ATTR_*, as far as Schannel may be asked for them."""

    SIZES = 0
    NAMES = 1
    LIFESPAN = 2
    STREAM_SIZES = 4
    KEY_INFO = 5
    SESSION_KEY = 9
    PACKAGE_INFO = 10
    NEGOTIATION_INFO = 12
    FLAGS = 14
    ACCESS_TOKEN = 18
    UNIQUE_BINDINGS = 25
    ENDPOINT_BINDINGS = 26
    DTLS_MTU = 34
    APPLICATION_PROTOCOL = 35
    NEGOTIATED_TLS_EXTENSIONS = 36
    IS_LOOPBACK = 37
    REMOTE_CERT_CONTEXT = 0x53
    LOCAL_CERT_CONTEXT = 0x54
    ROOT_STORE = 0x55
    ISSUER_LIST_EX = 0x59
    CONNECTION_INFO = 0x5A
    EAP_KEY_BLOCK = 0x5B
    SESSION_INFO = 0x5D
    APP_DATA = 0x5E
    REMOTE_CERTIFICATES = 0x5F
    LOCAL_CERT_INFO = 0x63
    CIPHER_INFO = 0x64
    SUPPORTED_SIGNATURES = 0x66
    REMOTE_CERT_CHAIN = 0x67
    KEYING_MATERIAL_INFO = 0x6A
    KEYING_MATERIAL = 0x6B
    CONNECTION_INFO_EX = 0x6E
    KEYING_MATERIAL_INPROC = 0x70
    CERT_CHECK_RESULT = 0x71
    CERT_CHECK_RESULT_INPROC = 0x72


def attribute_name(value: int) -> str:
    """Print an attribute without its SECPKG_ATTR_ prefix; an unknown one as a number."""
    try:
        return ContextAttribute(value).name
    except ValueError:
        return f"attribute {value}"
