"""The Schannel security package, emulated on pyOpenSSL: AcquireCredentialsHandle and the credential it makes.

The rule guarded here: everything a credential decides is decided at acquire. The engine's settings are built once,
frozen, and shared by all security contexts of the credential, which is also where the time goes: a context with
settings of its own would take more than twice as long.

Sources: AcquireCredentialsHandle (Schannel) reference page, SCH_CREDENTIALS, SCHANNEL_CRED, TLS_PARAMETERS
(documented); the statuses of wrong credentials as Wine's tests assert them on current Windows (observed; each says so
below).
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import NamedTuple

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from OpenSSL import SSL, crypto

from sspicli.packages.openssl_bindings import (
    OPENSSL_VERSION,
    SSL_VERSION,
    forbid_partial_wildcards,
    judge_servers,
    log_secrets,
    require_bindings,
    select_protocols,
    set_groups,
    set_signature_algorithms,
    suspend_at_certificate_requests,
)
from sspicli.packages.openssl_names import CipherSuite, find_group, find_signature_algorithm, find_suite
from sspicli.packages.schannel_context import SchannelContext
from sspicli.packages.schannel_credential import Backing
from sspicli.sspi.flags import CredentialUse
from sspicli.sspi.package import AcquireRequest, AcquireResult, Evidence, Role, Source
from sspicli.sspi.schannel import (
    SCH_CRED_DISABLE_RECONNECTS,
    SCH_CRED_REVOCATION_CHECK_CHAIN,
    SCH_CRED_REVOCATION_CHECK_END_CERT,
    SCH_CREDENTIALS_VERSION,
    SCHANNEL_CRED_VERSION,
    SP_PROT_CLIENTS,
    SP_PROT_DTLS,
    SP_PROT_SERVERS,
    CertContext,
    SchCredentials,
)
from sspicli.sspi.status import SecurityStatus

_S = SecurityStatus
_OUTBOUND, _INBOUND = int(CredentialUse.OUTBOUND), int(CredentialUse.INBOUND)
_DEFAULT_LIFESPAN_SECONDS = 36_000  # dwSessionLifespan 0 is ten hours (header)
_SESSION_ID_CONTEXT = b"sspicli"  # without one, resuming a handshake that asked for a certificate fails
_MOST_OF_EACH = 16  # cTlsParameters and its like are at most 16; here the number of certificates
_VERSIONS = {  # wire version: server bit, client bit
    SSL.TLS1_VERSION: (0x40, 0x80),
    SSL.TLS1_1_VERSION: (0x100, 0x200),
    SSL.TLS1_2_VERSION: (0x400, 0x800),
    SSL.TLS1_3_VERSION: (0x1000, 0x2000),
}
_MODERN = (SSL.TLS1_2_VERSION, SSL.TLS1_3_VERSION)
_WEAK_RSA_BITS = 2048
_MODE_NO_AUTO_CHAIN = 0x8  # SSL_MODE_NO_AUTO_CHAIN: the root is not sent with the chain (no SCH_SEND_ROOT_CERT)


class AcquireRow(NamedTuple):
    """One way in which acquiring a credential fails."""

    id: str
    when: str
    status: SecurityStatus
    source: Source


ACQUIRE_ROWS: tuple[AcquireRow, ...] = (
    AcquireRow("no-auth-data", "no auth data, and not for a client alone", _S.SEC_E_NO_CREDENTIALS, Source.OBSERVED),
    AcquireRow("foreign-auth-data", "auth data of another package", _S.SEC_E_UNKNOWN_CREDENTIALS, Source.INFERRED),
    AcquireRow("version", "dwVersion 0, 1 or 2", _S.SEC_E_UNKNOWN_CREDENTIALS, Source.OBSERVED),
    AcquireRow("version-3", "dwVersion 3", _S.SEC_E_INSUFFICIENT_MEMORY, Source.OBSERVED),
    AcquireRow("version-unknown", "dwVersion above 5", _S.SEC_E_UNKNOWN_CREDENTIALS, Source.INFERRED),
    AcquireRow("use", "fCredentialUse is neither INBOUND nor OUTBOUND", _S.SEC_E_NO_CREDENTIALS, Source.INFERRED),
    AcquireRow("certificate-malformed", "a certificate is malformed", _S.SEC_E_UNKNOWN_CREDENTIALS, Source.OBSERVED),
    AcquireRow("certificate-without-key", "a certificate without key", _S.SEC_E_NO_CREDENTIALS, Source.OBSERVED),
    AcquireRow("key-unusable", "a key is missing or another's", _S.SEC_E_UNKNOWN_CREDENTIALS, Source.OBSERVED),
    AcquireRow("wrong-side", "only protocol bits of the other side", _S.SEC_E_ALGORITHM_MISMATCH, Source.OBSERVED),
    AcquireRow("datagrams-and-streams", "DTLS and TLS bits together", _S.SEC_E_ALGORITHM_MISMATCH, Source.OBSERVED),
    AcquireRow("no-protocol", "no protocol is left", _S.SEC_E_ALGORITHM_MISMATCH, Source.INFERRED),
    AcquireRow("algorithm", "an algorithm's name is unknown", _S.SEC_E_ALGORITHM_MISMATCH, Source.INFERRED),
    AcquireRow("store", "an anchor, list or name is malformed", _S.SEC_E_UNKNOWN_CREDENTIALS, Source.INFERRED),
    AcquireRow("engine", "the engine refuses for another reason", _S.SEC_E_INTERNAL_ERROR, Source.INFERRED),
)  # fmt: skip

_ROWS = {row.id: row for row in ACQUIRE_ROWS}


class _RefusedError(Exception):
    """Stops the making of a credential at a row of the table."""

    def __init__(self, row: str, detail: str = "") -> None:
        super().__init__(row)
        self.row = _ROWS[row]
        self.detail = detail


class SchannelCredential:
    """What AcquireCredentialsHandle made; security contexts hold its backing and outlive it."""

    def __init__(self, backing: Backing, *, is_kernel: bool) -> None:
        self.backing = backing
        self._is_kernel = is_kernel

    def open(self, role: Role) -> SchannelContext:
        """Begin a security context for the first leg of a handshake."""
        return SchannelContext(self.backing, role, is_kernel=self._is_kernel)

    def free(self) -> None:
        """Release the caller's reference; nothing else, because contexts made with it live on (observed)."""


class SchannelPackage:
    """Schannel, emulated.

    With `kernel_mode`, as the asynchronous functions live in the kernel, ApplyControlToken is not supported; without it
    the user-mode function is emulated as an extra.
    """

    name = "Schannel"

    def __init__(self, *, kernel_mode: bool = True) -> None:
        require_bindings()
        self._is_kernel = kernel_mode

    @property
    def engine(self) -> str:
        """The engine and its version."""
        return f"pyOpenSSL {SSL_VERSION}, OpenSSL {OPENSSL_VERSION}"

    def acquire(self, request: AcquireRequest) -> AcquireResult:
        """Compute AcquireCredentialsHandle."""
        try:
            backing = _back(request)
        except _RefusedError as refused:
            row = refused.row
            return AcquireResult(row.status, evidence=Evidence(row.id, row.source, detail=refused.detail or row.when))
        except Exception as error:  # whatever the engine refuses, a call has a status
            row = _ROWS["engine"]
            words = f"{type(error).__name__}: {error}"
            return AcquireResult(row.status, evidence=Evidence(row.id, row.source, words, detail=row.when))
        return AcquireResult(_S.SEC_E_OK, SchannelCredential(backing, is_kernel=self._is_kernel), backing.expiry)


def _back(request: AcquireRequest) -> Backing:
    """Check the arguments in the order of the table, and build the settings of the sides asked for."""
    auth, use = request.auth_data, request.credential_use
    if auth is None:
        if use != _OUTBOUND:
            raise _RefusedError("no-auth-data")
        auth = SchCredentials()
    if not isinstance(auth, SchCredentials):
        raise _RefusedError("foreign-auth-data")
    _check_version(auth.version)
    if not use & (_OUTBOUND | _INBOUND):
        raise _RefusedError("use")
    identities = _identities(auth.certificates)
    client = _settings(auth, identities, Role.CLIENT) if use & _OUTBOUND else None
    server = _settings(auth, identities, Role.SERVER) if use & _INBOUND else None
    expiry = int(identities[0].chain[0].not_valid_after_utc.timestamp()) if identities else 0
    return Backing(auth, client=client, server=server, expiry=expiry)


def _check_version(version: int) -> None:
    match version:
        case 4 | 5:
            return
        case 3:
            raise _RefusedError("version-3", "dwVersion is 3: SCHANNEL_CRED has 4, SCH_CREDENTIALS 5")
        case 0 | 1 | 2:
            raise _RefusedError("version", f"dwVersion is {version}: SCHANNEL_CRED has 4, SCH_CREDENTIALS 5")
    raise _RefusedError("version-unknown", f"dwVersion is {version}")


class _Identity(NamedTuple):
    """A certificate chain that can be read, leaf first, with its key, as the engine takes them."""

    chain: tuple[x509.Certificate, ...]
    key: crypto.PKey


def _identities(certificates: tuple[CertContext, ...]) -> tuple[_Identity, ...]:
    """Read every certificate before judging keys: one malformed among good ones spoils them all (observed)."""
    given = [(one, _chain(one)) for one in certificates[:_MOST_OF_EACH] if one.chain]
    return tuple(_Identity(chain, _key(one, chain[0])) for one, chain in given)


def _chain(certificate: CertContext) -> tuple[x509.Certificate, ...]:
    try:
        chain = tuple(x509.load_der_x509_certificate(der) for der in certificate.chain)
        chain[0].public_key()
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise _RefusedError("certificate-malformed", f"{certificate.label or 'a certificate'}: {error}") from None
    return chain


def _key(certificate: CertContext, leaf: x509.Certificate) -> crypto.PKey:
    if certificate.private_key is None:
        raise _RefusedError("certificate-without-key", f"{certificate.label or 'the certificate'} has no private key")
    try:
        key = serialization.load_der_private_key(certificate.private_key, None)
        public = key.public_key()
        is_right = public == leaf.public_key()
        loaded = crypto.PKey.from_cryptography_key(key)  # type: ignore[arg-type]
    except Exception as error:
        raise _RefusedError("key-unusable", f"{type(error).__name__} while reading the key") from None
    if not is_right:
        raise _RefusedError("key-unusable", "the private key is not the certificate's")
    return loaded


# -- the engine's settings ------------------------------------------------------


def _settings(auth: SchCredentials, identities: tuple[_Identity, ...], role: Role) -> SSL.Context:
    """Build one side's settings, complete: after the first connection they are frozen."""
    context = SSL.Context(SSL.TLS_CLIENT_METHOD if role is Role.CLIENT else SSL.TLS_SERVER_METHOD)
    log_secrets(context)
    context.set_mode(_MODE_NO_AUTO_CHAIN | SSL.MODE_RELEASE_BUFFERS)
    suites = _suites(auth)
    _set_versions(context, _versions(auth, role, suites))
    _set_algorithms(context, auth, suites, is_weak=any(map(_is_weak, identities)))
    for identity in identities:
        _add_identity(context, identity)
    _set_trust(context, auth)
    if role is Role.CLIENT:
        judge_servers(context)
        forbid_partial_wildcards(context)
        if not identities:
            suspend_at_certificate_requests(context)
    else:
        _set_server(context, auth)
    return context


def _set_server(context: SSL.Context, auth: SchCredentials) -> None:
    select_protocols(context)
    context.set_options(SSL.OP_CIPHER_SERVER_PREFERENCE)
    context.set_session_id(_SESSION_ID_CONTEXT)
    lifespan = auth.session_lifespan_ms // 1000 if auth.session_lifespan_ms > 0 else _DEFAULT_LIFESPAN_SECONDS
    context.set_timeout(lifespan)
    if auth.flags & SCH_CRED_DISABLE_RECONNECTS:
        context.set_options(SSL.OP_NO_TICKET)
        context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
    for name in auth.client_ca_names:
        context.add_client_ca(_named(name, auth.root_store or ()))


def _named(name: bytes, roots: tuple[bytes, ...]) -> x509.Certificate:
    """Give a certificate with this subject, whose name the engine takes: a trust anchor, or one made for it."""
    for der in roots:
        root = x509.load_der_x509_certificate(der)
        if root.subject.public_bytes() == name:
            return root
    try:
        subject = x509.Name.from_bytes(name)
    except ValueError as error:
        raise _RefusedError("store", f"a client CA name is malformed: {error}") from None
    key = ec.generate_private_key(ec.SECP256R1())
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
    dated = builder.not_valid_before(datetime(2000, 1, 1, tzinfo=UTC)).not_valid_after(datetime(2049, 1, 1, tzinfo=UTC))
    return dated.serial_number(1).sign(key, hashes.SHA256())


def _add_identity(context: SSL.Context, identity: _Identity) -> None:
    context.use_certificate(identity.chain[0])
    key = identity.key.to_cryptography_key()
    context.use_privatekey(key)  # type: ignore[arg-type]
    for one in identity.chain[1:]:
        context.add_extra_chain_cert(one)


def _is_weak(identity: _Identity) -> bool:
    """Say whether the engine would refuse to show a chain because of a key in it, the issuers' too."""
    return any(map(_has_weak_key, identity.chain))


def _has_weak_key(certificate: x509.Certificate) -> bool:
    try:
        key = certificate.public_key()
    except (ValueError, UnsupportedAlgorithm):  # an issuer's; it is for the peer to refuse
        return False
    return isinstance(key, rsa.RSAPublicKey) and key.key_size < _WEAK_RSA_BITS


def _set_trust(context: SSL.Context, auth: SchCredentials) -> None:
    """Install trust anchors, clock and revocation lists; lists count only if a flag asks for revocation checks."""
    store = context.get_cert_store()
    assert store is not None, "an SSL context has a certificate store"
    if auth.root_store is None:
        context.set_default_verify_paths()
    try:
        for der in auth.root_store or ():
            store.add_cert(crypto.X509.from_cryptography(x509.load_der_x509_certificate(der)))
        for der in auth.crls:
            store.add_crl(x509.load_der_x509_crl(der))
    except (ValueError, crypto.Error) as error:
        raise _RefusedError("store", f"a trust anchor or revocation list is malformed: {error}") from None
    if auth.clock is not None:
        store.set_time(datetime.fromtimestamp(auth.clock, tz=UTC))
    if auth.flags & SCH_CRED_REVOCATION_CHECK_CHAIN:
        store.set_flags(crypto.X509StoreFlags.CRL_CHECK | crypto.X509StoreFlags.CRL_CHECK_ALL)
    elif auth.flags & SCH_CRED_REVOCATION_CHECK_END_CERT:
        store.set_flags(crypto.X509StoreFlags.CRL_CHECK)


def _versions(auth: SchCredentials, role: Role, suites: tuple[CipherSuite, ...]) -> tuple[int, ...]:
    """List the wire versions a side may use: what the structure leaves, and what its suites can serve."""
    side = 1 if role is Role.CLIENT else 0
    if auth.version == SCH_CREDENTIALS_VERSION:
        allowed = [version for version in _MODERN if not auth.disabled_protocols & _VERSIONS[version][side]]
    else:
        allowed = _versions_of_schannel_cred(auth.enabled_protocols, role, side)
    if suites:
        served = {version for one in suites for version in one.versions}
        allowed = [one for one in allowed if ("1.3" if one == SSL.TLS1_3_VERSION else "1.2") in served]
    if not allowed:
        raise _RefusedError("no-protocol")
    return tuple(allowed)


def _versions_of_schannel_cred(enabled: int, role: Role, side: int) -> list[int]:
    """Read grbitEnabledProtocols; SCHANNEL_CRED never negotiates TLS 1.3 (observed: curl)."""
    own, other = (SP_PROT_CLIENTS, SP_PROT_SERVERS) if role is Role.CLIENT else (SP_PROT_SERVERS, SP_PROT_CLIENTS)
    if enabled & SP_PROT_DTLS and enabled & ~SP_PROT_DTLS:
        raise _RefusedError("datagrams-and-streams")
    if enabled & other and not enabled & own:
        raise _RefusedError("wrong-side")
    if not enabled:
        return [SSL.TLS1_2_VERSION]
    return [version for version, bits in _VERSIONS.items() if enabled & bits[side] and version != SSL.TLS1_3_VERSION]


def _set_versions(context: SSL.Context, versions: tuple[int, ...]) -> None:
    context.set_min_proto_version(min(versions))
    context.set_max_proto_version(max(versions))
    if SSL.TLS1_1_VERSION not in versions and min(versions) < SSL.TLS1_1_VERSION < max(versions):
        context.set_options(SSL.OP_NO_TLSv1_1)


def _suites(auth: SchCredentials) -> tuple[CipherSuite, ...]:
    """Look the allowed cipher suites up."""
    found = [(name, find_suite(name)) for name in auth.cipher_suites]
    for name, suite in found:
        if suite is None:
            raise _RefusedError("algorithm", f"cipher suite {name} is not known here")
    suites = tuple(suite for _, suite in found if suite is not None)
    if suites and all(one.mode == "CCM_8" for one in suites):
        raise _RefusedError("algorithm", "the engine's security level refuses suites with a tag of 8 bytes")
    return suites


def _set_algorithms(
    context: SSL.Context, auth: SchCredentials, suites: tuple[CipherSuite, ...], *, is_weak: bool
) -> None:
    """Install suites, groups and signature algorithms; a weak key of one's own needs the lowest security level."""
    modern = [one.openssl_name for one in suites if "1.3" in one.versions]
    older = [one.openssl_name for one in suites if "1.3" not in one.versions]
    is_old = auth.version == SCHANNEL_CRED_VERSION and bool(auth.enabled_protocols & 0x3C0)
    level = "@SECLEVEL=0" if is_weak or is_old else ""
    if older or level:
        context.set_cipher_list((":".join(older or ["DEFAULT"]) + level).encode("ascii"))
    if modern:
        context.set_tls13_ciphersuites(":".join(modern).encode("ascii"))
    groups = [(name, find_group(name)) for name in auth.groups]
    schemes = [(name, find_signature_algorithm(name)) for name in auth.signature_algorithms]
    for name, found in (*groups, *schemes):
        if found is None:
            raise _RefusedError("algorithm", f"{name} is not known here")
    if groups and not set_groups(context, [one.openssl_name for _, one in groups if one is not None]):
        raise _RefusedError("algorithm", f"the engine does not take the groups {', '.join(auth.groups)}")
    if schemes and not set_signature_algorithms(context, [one.openssl_name for _, one in schemes if one is not None]):
        raise _RefusedError("algorithm", f"the engine does not take {', '.join(auth.signature_algorithms)}")
