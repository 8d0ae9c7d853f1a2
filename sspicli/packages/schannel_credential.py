"""What a Schannel credential holds for its security contexts: the engine's frozen settings and the sessions to resume.

The rule guarded here: a session is resumed only under the conditions it was made under. The engine does not validate
again on resumption, so the key is the target *and* the kind of validation; trust and own certificate are the
credential's, and each credential has a cache of its own, as Windows ties the cache to the credential handle.

Source: "Restarting connections" and ISC remarks on Schannel's session cache (documented); that a TLS 1.3 ticket is used
once is inferred from the flag that permits more.
"""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address
from threading import Lock

from OpenSSL import SSL

from sspicli.packages.schannel_engine import Engine
from sspicli.sspi.package import Role
from sspicli.sspi.schannel import (
    SCH_CRED_DISABLE_RECONNECTS,
    SCH_CRED_IGNORE_NO_REVOCATION_CHECK,
    SCH_CRED_IGNORE_REVOCATION_OFFLINE,
    SCH_CRED_MANUAL_CRED_VALIDATION,
    SCH_CRED_NO_SERVERNAME_CHECK,
    SchCredentials,
)

_NO_LIST, _LIST_TOO_EARLY, _LIST_ENDED = 3, 11, 12  # X509_V_ERR_UNABLE_TO_GET_CRL, _CRL_NOT_YET_VALID, _CRL_HAS_EXPIRED
_LONGEST_NAME = 255
_KEPT_SESSIONS = 1000


class SessionKey(tuple[str, bool, bool]):
    """Target name, whether the package validates, whether it checks the name."""

    __slots__ = ()


class Backing:
    """A credential's engine settings, shared by the contexts made with it; contexts keep it alive.

    `client` and `server` are None for a side the credential is not for. `expiry` is Unix seconds, 0 without a
    certificate. `local_chain` is DER, leaf first.
    """

    def __init__(
        self,
        auth: SchCredentials,
        *,
        client: SSL.Context | None,
        server: SSL.Context | None,
        expiry: int = 0,
    ) -> None:
        self.auth = auth
        self.client = client
        self.server = server
        self.expiry = expiry
        self.local_chain = next((one.chain for one in auth.certificates if one.chain), ())
        self.has_certificate = bool(self.local_chain)
        self._resumes = auth.session_lifespan_ms != -1 and not auth.flags & SCH_CRED_DISABLE_RECONNECTS
        self._tolerated = _tolerated(auth.flags)
        self._sessions: dict[SessionKey, SSL.Session] = {}
        self._lock = Lock()

    def context_for(self, role: Role) -> SSL.Context | None:
        """Give the settings of a side, None when the credential is not for it."""
        return self.client if role is Role.CLIENT else self.server

    def open_client(
        self, target: str | None, protocols: tuple[bytes, ...], *, is_manual: bool, answers_requests: bool
    ) -> Engine | None:
        """Begin a client's connection; None for a target that can be no host name.

        `answers_requests` says that a request for a certificate is answered although there is none.
        """
        assert self.client is not None, "the credential is not for clients"
        host = None if target is None else _host(target)
        if target and host is None:
            return None
        engine = Engine(self.client)
        connection = engine.connection
        connection.set_connect_state()
        engine.tolerated = self._tolerated
        engine.verifies = not is_manual and not self.auth.flags & SCH_CRED_MANUAL_CRED_VALIDATION
        checks_name = engine.verifies and host is not None and not self.auth.flags & SCH_CRED_NO_SERVERNAME_CHECK
        if isinstance(host, bytes):
            connection.set_tlsext_host_name(host)
        if checks_name and host is not None and not engine.expect_target(host):
            engine.close()
            return None
        if protocols:
            connection.set_alpn_protos(list(protocols))
        engine.has_certificate_answer = self.has_certificate or answers_requests
        if self._resumes:
            self._resume(engine, SessionKey((target or "", engine.verifies, checks_name)))
        return engine

    def open_server(self, protocols: tuple[bytes, ...] | None, *, asks_for_certificate: bool) -> Engine:
        """Begin a server's connection, asking for a client certificate if the call or the credential says so."""
        assert self.server is not None, "the credential is not for servers"
        engine = Engine(self.server)
        engine.connection.set_accept_state()
        engine.protocols = protocols
        demands = self.auth.requires_client_certificate
        if demands or asks_for_certificate:
            engine.asks_for_certificate = True
            engine.tolerated = self._tolerated
            engine.verifies = not self.auth.flags & SCH_CRED_MANUAL_CRED_VALIDATION
            mode = SSL.VERIFY_PEER | (SSL.VERIFY_FAIL_IF_NO_PEER_CERT if demands else 0)
            engine.judge_peer(mode)
        return engine

    def keep_session(self, engine: Engine) -> None:
        """Keep a client's session for the next context with the same target and validation."""
        key = engine.session_key
        session = engine.connection.get_session() if isinstance(key, SessionKey) else None
        if session is None or not isinstance(key, SessionKey):
            return
        with self._lock:
            self._sessions.pop(key, None)
            self._sessions[key] = session
            while len(self._sessions) > _KEPT_SESSIONS:
                del self._sessions[next(iter(self._sessions))]

    def _resume(self, engine: Engine, key: SessionKey) -> None:
        """Offer the kept session, once: a TLS 1.3 ticket is not used twice, and TLS 1.2 keeps its session anew."""
        engine.session_key = key
        with self._lock:
            session = self._sessions.pop(key, None)
        if session is not None:
            engine.connection.set_session(session)


def _tolerated(flags: int) -> frozenset[int]:
    """Say which verify codes the SCH_CRED_IGNORE_* flags let pass."""
    codes: set[int] = set()
    if flags & SCH_CRED_IGNORE_NO_REVOCATION_CHECK:
        codes.add(_NO_LIST)
    if flags & SCH_CRED_IGNORE_REVOCATION_OFFLINE:
        codes |= {_LIST_TOO_EARLY, _LIST_ENDED}
    return frozenset(codes)


@lru_cache(maxsize=256)
def _host(target: str) -> bytes | IPv4Address | IPv6Address | None:
    """Read a target name as an address or an ASCII host name; None for what is neither. Kept: the hot path asks."""
    try:
        return ip_address(target)
    except ValueError:
        pass
    try:
        host = target.removesuffix(".").encode("ascii" if target.isascii() else "idna")
    except UnicodeError:
        return None
    return host if 0 < len(host) <= _LONGEST_NAME and min(host) > 0x20 and max(host) < 0x7F else None
