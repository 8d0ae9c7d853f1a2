"""SCH_CREDENTIALS and the Schannel constants a caller writes: pure data, with the documented names.

Fields marked *emulated* have no counterpart in SCH_CREDENTIALS: Windows is told the same thing elsewhere (policy, a
deny list, the certificate store), or not at all.

Source: schannel.h, SCH_CREDENTIALS, TLS_PARAMETERS, SP_PROT_* and SCH_CRED_* (documented, header).
"""

from __future__ import annotations

from dataclasses import dataclass, field

SCH_CREDENTIALS_VERSION = 5
SCHANNEL_CRED_VERSION = 4

SP_PROT_TLS1_2_SERVER = 0x00000400
SP_PROT_TLS1_2_CLIENT = 0x00000800
SP_PROT_TLS1_3_SERVER = 0x00001000
SP_PROT_TLS1_3_CLIENT = 0x00002000
SP_PROT_TLS1_2 = SP_PROT_TLS1_2_SERVER | SP_PROT_TLS1_2_CLIENT
SP_PROT_TLS1_3 = SP_PROT_TLS1_3_SERVER | SP_PROT_TLS1_3_CLIENT
SP_PROT_SERVERS = 0x40051555
SP_PROT_CLIENTS = 0x800A2AAA
SP_PROT_DTLS = 0x000F0000

SCH_CRED_NO_SYSTEM_MAPPER = 0x00000002
SCH_CRED_NO_SERVERNAME_CHECK = 0x00000004
SCH_CRED_MANUAL_CRED_VALIDATION = 0x00000008
SCH_CRED_NO_DEFAULT_CREDS = 0x00000010
SCH_CRED_AUTO_CRED_VALIDATION = 0x00000020
SCH_CRED_USE_DEFAULT_CREDS = 0x00000040
SCH_CRED_DISABLE_RECONNECTS = 0x00000080
SCH_CRED_REVOCATION_CHECK_END_CERT = 0x00000100
SCH_CRED_REVOCATION_CHECK_CHAIN = 0x00000200
SCH_CRED_IGNORE_NO_REVOCATION_CHECK = 0x00000800
SCH_CRED_IGNORE_REVOCATION_OFFLINE = 0x00001000
SCH_CRED_SNI_CREDENTIAL = 0x00080000


@dataclass(frozen=True, slots=True)
class CertContext:
    """A certificate with its chain and private key, as paCred holds one.

    `chain` is DER, leaf first, without the root. `private_key` is PKCS#8 DER, None for a certificate without a key; it
    never shows in a repr. `label` says where it came from, such as `preset expired` or a file's name.
    """

    chain: tuple[bytes, ...]
    private_key: bytes | None = field(repr=False, default=None)
    label: str = ""


@dataclass(frozen=True, slots=True)
class SchCredentials:
    """SCH_CREDENTIALS with its TLS_PARAMETERS, for one endpoint.

    `version` is dwVersion; other values than 5 exist so that a careless caller can be played. `disabled_protocols` is
    grbitDisabledProtocols, a deny mask of SP_PROT_* bits; `enabled_protocols` is read with version 4 only
    (SCHANNEL_CRED, which never negotiates TLS 1.3). `root_store` is hRootStore, DER certificates; None means the
    system's trust anchors. `session_lifespan_ms` is dwSessionLifespan; 0 means 10 hours, -1 no resumption at a client.

    Emulated: `cipher_suites`, `groups` and `signature_algorithms` are allow lists in order of preference under IANA
    names, empty for the engine's defaults (Windows has deny lists in CRYPTO_SETTINGS, and policy); `crls` are DER;
    `clock` is Unix seconds for validity checks, None for now; `requires_client_certificate` makes a server refuse a
    client without one in the handshake itself (Windows only requests, and the application decides); `client_ca_names`
    are DER names for the CertificateRequest.
    """

    version: int = SCH_CREDENTIALS_VERSION
    certificates: tuple[CertContext, ...] = ()
    flags: int = 0
    disabled_protocols: int = 0
    enabled_protocols: int = 0
    root_store: tuple[bytes, ...] | None = None
    session_lifespan_ms: int = 0
    cipher_suites: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    signature_algorithms: tuple[str, ...] = ()
    crls: tuple[bytes, ...] = ()
    clock: int | None = None
    requires_client_certificate: bool = False
    client_ca_names: tuple[bytes, ...] = ()


def alpn_buffer(protocols: tuple[str, ...]) -> bytes:
    """Lay out SECBUFFER_APPLICATION_PROTOCOLS: u32 size, u32 kind (ALPN 2), u16 list size, then length-prefixed ids.

    Source: schannel.h, SEC_APPLICATION_PROTOCOLS (header); layout observed in Wine's tests.
    """
    names = b"".join(bytes([len(one)]) + one.encode("latin-1") for one in protocols)
    body = (2).to_bytes(4, "little") + len(names).to_bytes(2, "little") + names
    return len(body).to_bytes(4, "little") + body


def describe(auth_data: object) -> dict[str, object]:
    """Say what a credential structure holds, as it may stand on record: everything but private keys."""
    if not isinstance(auth_data, SchCredentials):
        return {"type": type(auth_data).__name__}
    return {
        "dwVersion": auth_data.version,
        "dwFlags": auth_data.flags,
        "grbitDisabledProtocols": auth_data.disabled_protocols,
        "grbitEnabledProtocols": auth_data.enabled_protocols,
        "dwSessionLifespan": auth_data.session_lifespan_ms,
        "certificates": tuple(one.chain for one in auth_data.certificates),
        "labels": tuple(one.label for one in auth_data.certificates),
        "hRootStore": auth_data.root_store,
        "suites": auth_data.cipher_suites,
        "groups": auth_data.groups,
        "sigalgs": auth_data.signature_algorithms,
        "crls": auth_data.crls,
        "clock": auth_data.clock,
        "requires_client_certificate": auth_data.requires_client_certificate,
    }
