"""From settings to arguments: what each endpoint gives to AcquireCredentialsHandle and to its ISC or ASC calls.

The rule guarded here: nothing is decided later. Certificates are issued or loaded, trust is settled and every word of
flags is put together before the first call, from the settings, the seed and the clock alone; the endpoints only pass on
what they find. The two sides are built together because each one's trust depends on the other's certificate: who is to
see that a certificate is revoked must hold its issuer's list.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from sspicli.packages.certificates import Authority
from sspicli.packages.descriptions import CertificateDescription, defects_of
from sspicli.packages.option_values import CLIENT, SERVER, EndpointSettings
from sspicli.sspi.errors import UsageError
from sspicli.sspi.flags import AscReq, CredentialUse, IscReq
from sspicli.sspi.schannel import (
    SCH_CRED_AUTO_CRED_VALIDATION,
    SCH_CRED_DISABLE_RECONNECTS,
    SCH_CRED_MANUAL_CRED_VALIDATION,
    SCH_CRED_NO_DEFAULT_CREDS,
    SCH_CRED_REVOCATION_CHECK_CHAIN,
    SCH_CRED_REVOCATION_CHECK_END_CERT,
    SP_PROT_TLS1_2_CLIENT,
    SP_PROT_TLS1_2_SERVER,
    SP_PROT_TLS1_3_CLIENT,
    SP_PROT_TLS1_3_SERVER,
    CertContext,
    SchCredentials,
)

CLIENT_REQUIREMENTS = (
    IscReq.SEQUENCE_DETECT
    | IscReq.REPLAY_DETECT
    | IscReq.CONFIDENTIALITY
    | IscReq.STREAM
    | IscReq.EXTENDED_ERROR
    | IscReq.ALLOCATE_MEMORY
)
SERVER_REQUIREMENTS = (
    AscReq.SEQUENCE_DETECT
    | AscReq.REPLAY_DETECT
    | AscReq.CONFIDENTIALITY
    | AscReq.STREAM
    | AscReq.EXTENDED_ERROR
    | AscReq.ALLOCATE_MEMORY
)

CLIENT_NAME = "client"  # what a throw-away client certificate names
SERVER_NAME = "localhost"  # and a server's, when the client has no target name

_PROTOCOLS = {
    CLIENT: {"1.2": SP_PROT_TLS1_2_CLIENT, "1.3": SP_PROT_TLS1_3_CLIENT},
    SERVER: {"1.2": SP_PROT_TLS1_2_SERVER, "1.3": SP_PROT_TLS1_3_SERVER},
}
_GOOD_PRESETS = ("", "valid", "long-chain")
_NO_RESUMPTION = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointSetup:
    """What one endpoint needs for its calls.

    `credential_use` is fCredentialUse, `requirements` fContextReq; `target_name` is None for no name, and at a server.
    `resume` says whether an earlier handshake's session may be used again. `cert_note` says that this side's
    certificate was asked to be bad, such as `server=cert preset "expired"` or `server=cert described: expired`; it is
    empty for a good one, for a file, and for none at a client.
    """

    auth_data: SchCredentials
    credential_use: int
    requirements: int
    target_name: str | None = None
    application_protocols: tuple[str, ...] = ()
    resume: bool = False
    cert_note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """Both endpoints of a run."""

    client: EndpointSetup
    server: EndpointSetup


def build(*, client: EndpointSettings, server: EndpointSettings, seed: int, clock: int) -> Setup:
    """Make everything that two endpoints need.

    Args:
        client: The client's settings.
        server: The server's settings.
        seed: What throw-away keys and serial numbers are derived from.
        clock: The time certificates are made for and judged at, Unix seconds.

    Raises:
        UsageError: Both sides want their password from standard input, or the clock cannot stand in a certificate.
        InputError: A certificate, key, trust or password file is not what it should be.
    """
    if (client.key_password_file, server.key_password_file) == ("-", "-"):
        raise UsageError(
            "both sides cannot read their password from standard input",
            where="key-password-file",
            help="name a file for one of them",
        )
    authority = Authority.create(seed=seed, clock=clock)
    server_name = (client.target or SERVER_NAME).removesuffix(".") or SERVER_NAME
    of_client = _shown(client, authority, name=CLIENT_NAME)
    of_server = _shown(server, authority, name=server_name)
    return Setup(
        client=_client(client, authority, shows=of_client, sees=of_server),
        server=_server(server, authority, shows=of_server, sees=of_client),
    )


@dataclass(frozen=True, slots=True)
class _Shown:
    """What one side shows, and what that means for its peer: flags of SCH_CREDENTIALS, and revocation lists."""

    certificate: CertContext
    flags: int = 0
    lists: tuple[bytes, ...] = ()
    note: str = ""


def _shown(own: EndpointSettings, authority: Authority, *, name: str) -> _Shown:
    """Make or load a certificate; `name` is what a throw-away one names."""
    if own.cert_description is not None:
        return _described(own, own.cert_description, authority, name)
    if own.cert_file is None:
        note = _cert_note(own)
        certificate = authority.issue(own.cert, own.key, name=name, usage=own.side)
        if own.cert != "revoked":
            return _Shown(certificate, note=note)
        return _Shown(certificate, SCH_CRED_REVOCATION_CHECK_END_CERT, (authority.crl_der,), note)
    from sspicli.packages import keyfiles  # a run with throw-away certificates does not pay for it

    password = keyfiles.read_password(own.key_password_file) if own.key_password_file else None
    return _Shown(keyfiles.load_certificate(own.cert_file, key_path=own.key_file, password=password))


def _described(own: EndpointSettings, description: CertificateDescription, authority: Authority, name: str) -> _Shown:
    """Issue a described certificate; its peer checks the whole chain's revocation if it has revoked issuers."""
    from sspicli.packages.described import issue  # as above

    issued = issue(authority, description, name=name, usage=own.side)
    of_chain, of_leaf = SCH_CRED_REVOCATION_CHECK_CHAIN, SCH_CRED_REVOCATION_CHECK_END_CERT
    flags = of_chain if description.has_revoked_issuer else of_leaf if description.checks_revocation else 0
    defects = defects_of(description, side=own.side, name=name)
    note = f"{own.side}=cert described: {', '.join(defects)}" if defects else ""
    return _Shown(issued.certificate, flags, issued.lists, note)


def _client(own: EndpointSettings, authority: Authority, *, shows: _Shown, sees: _Shown) -> EndpointSetup:
    is_manual = own.validate == "manual"
    validation = SCH_CRED_MANUAL_CRED_VALIDATION if is_manual else SCH_CRED_AUTO_CRED_VALIDATION
    credentials = _credentials(own, authority, shows=shows, sees=sees)
    return EndpointSetup(
        auth_data=replace(
            credentials,
            flags=credentials.flags | validation | SCH_CRED_NO_DEFAULT_CREDS,
            session_lifespan_ms=0 if own.resume else _NO_RESUMPTION,
        ),
        credential_use=int(CredentialUse.OUTBOUND),
        requirements=int(CLIENT_REQUIREMENTS) | own.flags | (int(IscReq.MANUAL_CRED_VALIDATION) if is_manual else 0),
        target_name=own.target,
        application_protocols=own.alpn,
        resume=own.resume,
        cert_note=shows.note,
    )


def _server(own: EndpointSettings, authority: Authority, *, shows: _Shown, sees: _Shown) -> EndpointSetup:
    requests_certificate = own.request_cert != "no"
    credentials = _credentials(own, authority, shows=shows, sees=sees)
    return EndpointSetup(
        auth_data=replace(
            credentials,
            flags=credentials.flags | (0 if own.resume else SCH_CRED_DISABLE_RECONNECTS),
            requires_client_certificate=own.request_cert == "require",
            client_ca_names=_issuer_names(credentials.root_store) if requests_certificate else (),
        ),
        credential_use=int(CredentialUse.INBOUND),
        requirements=int(SERVER_REQUIREMENTS) | own.flags | (int(AscReq.MUTUAL_AUTH) if requests_certificate else 0),
        application_protocols=own.alpn,
        resume=own.resume,
        cert_note=shows.note,
    )


def _credentials(own: EndpointSettings, authority: Authority, *, shows: _Shown, sees: _Shown) -> SchCredentials:
    """Fill in what both sides have alike: what a side shows, and how it looks at what it sees."""
    return SchCredentials(
        certificates=(shows.certificate,) if shows.certificate.chain else (),
        flags=sees.flags,
        disabled_protocols=sum(bit for version, bit in _PROTOCOLS[own.side].items() if version not in own.tls),
        root_store=_root_store(own, authority),
        cipher_suites=own.suites,
        groups=own.groups,
        signature_algorithms=own.sigalgs,
        crls=sees.lists,
        clock=authority.clock,
    )


def _root_store(own: EndpointSettings, authority: Authority) -> tuple[bytes, ...] | None:
    """Settle whom this side trusts; None means the system's anchors."""
    if own.trust == "system":
        return None
    if own.trust_file is None:
        return (authority.root_der,)
    from sspicli.packages import keyfiles

    return keyfiles.load_trust(own.trust_file)


def _issuer_names(root_store: tuple[bytes, ...] | None) -> tuple[bytes, ...]:
    """List the subjects of the anchors for the CertificateRequest; the system's are too many to send."""
    from cryptography import x509

    return tuple([x509.load_der_x509_certificate(one).subject.public_bytes() for one in root_store or ()])


def _cert_note(own: EndpointSettings) -> str:
    is_good = own.cert in _GOOD_PRESETS or (own.cert == "none" and own.side == CLIENT)
    return "" if is_good else f'{own.side}=cert preset "{own.cert}"'
