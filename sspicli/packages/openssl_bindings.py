"""The engine: one TLS connection on memory BIOs, and the few OpenSSL functions that pyOpenSSL does not offer.

The rule guarded here: whatever is private to pyOpenSSL is used in this file and in no other, and `require_bindings` says what
is missing before anything is built on it. No exception leaves a callback that OpenSSL calls: what a callback learns it
writes down in its connection's `Engine`, which is the connection's app data.

Why these are needed: a name check inside a Python verify callback sends alert 80 instead of 42; pyOpenSSL keeps an
exception of its ALPN callback on the *context*, where another thread's connection can pick it up; bytes that OpenSSL left
unread can be counted and taken back only through the BIO, which saves feeding a handshake record by record.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import Enum
from ipaddress import IPv4Address, IPv6Address
from typing import NamedTuple

from OpenSSL import SSL, crypto
from OpenSSL._util import ffi, lib

from sspicli.sspi.errors import UnavailableError

_BINDINGS = {
    "SSL_CTX_set1_curves_list": "groups of a credential",
    "SSL_CTX_set1_sigalgs_list": "signature algorithms of a credential",
    "SSL_CTX_set_alpn_select_cb": "application protocols at a server",
    "SSL_CTX_set_cert_cb": "SEC_I_INCOMPLETE_CREDENTIALS",
    "SSL_set_info_callback": "the numbers of encrypted alerts",
    "SSL_get0_param": "the check of the target name",
    "SSL_CTX_get0_param": "the check of the target name",
    "X509_VERIFY_PARAM_set1_host": "the check of the target name",
    "X509_VERIFY_PARAM_set1_ip": "the check of a target address",
    "X509_VERIFY_PARAM_set_hostflags": "the check of the target name",
    "SSL_session_reused": "telling a resumed handshake from a full one",
    "BIO_get_mem_data": "SECBUFFER_EXTRA",
    "BIO_read": "SECBUFFER_EXTRA",
}

_NO_PARTIAL_WILDCARDS = 0x4  # X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS: `w*.example` matches nothing, as at most verifiers
_TOKEN_ROOM = 0x8000
_TLS_1_3 = 0x0304
_USER_CANCELED = 90
_ALERT_READ, _ALERT_WRITTEN = 0x4004, 0x4008  # SSL_CB_READ_ALERT, SSL_CB_WRITE_ALERT

# What the callbacks answer: SSL_TLSEXT_ERR_*, and the values SSL_set_cert_cb documents.
_TAKEN, _FATAL, _NOT_ANSWERED = 0, 2, 3
_GO_ON, _SUSPEND = 1, -1


def missing_bindings() -> tuple[str, ...]:
    """List the functions this pyOpenSSL does not give, with what each is needed for."""
    absent = [f"{name} ({purpose})" for name, purpose in _BINDINGS.items() if not hasattr(lib, name)]
    inward = [name for name in ("_into_ssl", "_ssl") if name not in SSL.Connection.__init__.__code__.co_names]
    return (*absent, *(f"Connection.{name}" for name in inward))


def require_bindings() -> None:
    """Raise UnavailableError when this pyOpenSSL lacks a function that is needed."""
    absent = missing_bindings()
    if absent:
        raise UnavailableError(
            f"the installed pyOpenSSL {SSL_VERSION} does not give {absent[0]}",
            help="install pyOpenSSL 26.4 or a later 26.x: pip install 'pyOpenSSL>=26.4,<27'",
            cause=", ".join(absent),
        )


def _versions() -> tuple[str, str]:
    from importlib.metadata import version

    words = SSL.OpenSSL_version(SSL.OPENSSL_VERSION).decode("ascii", "replace").split()
    return version("pyOpenSSL"), words[1] if len(words) > 1 else "unknown"


SSL_VERSION, OPENSSL_VERSION = _versions()


class Outcome(Enum):
    """How far the engine got."""

    DONE = "done"
    WANTS_INPUT = "wants input"
    WANTS_CERTIFICATE = "wants a client certificate"
    CLOSED = "closed by the peer"
    FAILED = "failed"


class Refusal(NamedTuple):
    """Why the engine's verifier refused a certificate: its code, the depth, and the certificate (DER, b"" if unreadable)."""

    code: int
    depth: int
    certificate: bytes


class Engine:
    """One connection, and what its callbacks saw.

    `verifies` says that a refusal fails the handshake; without it the refusal is only noted. `tolerated` holds verify
    codes to be let pass. `protocols` are a server's own, None when it has none. `has_certificate_answer` lets a client
    go on when it is asked for a certificate. Alerts are (level, number), and noted only while watched.
    """

    # Defaults stand on the class: a handshake that goes well changes few of them, and making an engine is on the hot path.
    refusal: Refusal | None = None
    alert_sent: tuple[int, int] | None = None
    alert_received: tuple[int, int] | None = None
    protocols: tuple[bytes, ...] | None = None
    offered = b""
    session_key: object = None
    tolerated: frozenset[int] = frozenset()
    verifies = False
    asks_for_certificate = False
    has_certificate_answer = True
    has_no_common_protocol = False
    is_watched = False
    words = ""
    _secrets_given: tuple[str, ...] = ()

    def __init__(self, context: SSL.Context) -> None:
        self.connection = SSL.Connection(context)
        self.connection.set_app_data(self)
        self.secrets: list[bytes] = []

    # -- bytes ---------------------------------------------------------------------------------------------------------

    def feed(self, data: bytes) -> None:
        """Hand the engine whole records."""
        if data:
            self.connection.bio_write(data)

    def drain(self) -> bytes:
        """Take everything the engine has to send."""
        read = self.connection.bio_read
        try:
            token = read(_TOKEN_ROOM)
            if len(token) < _TOKEN_ROOM:
                return token
            parts = [token]
            while len(parts[-1]) == _TOKEN_ROOM:
                parts.append(read(_TOKEN_ROOM))
        except SSL.Error:
            return b"".join(parts) if "parts" in locals() else b""
        return b"".join(parts)

    def take_back(self) -> bytes:
        """Take back what was fed and not looked at: whole records, because OpenSSL reads no further than it must."""
        incoming = self.connection._into_ssl
        size: int = lib.BIO_get_mem_data(incoming, ffi.NULL)
        if size <= 0:
            return b""
        room = ffi.new("char[]", size)
        held: int = lib.BIO_read(incoming, room, size)
        return bytes(ffi.buffer(room, held)) if held > 0 else b""

    def take_secrets(self) -> tuple[str, ...]:
        """Take the key-log lines that came since the last time."""
        if not self.secrets:
            return ()
        self._secrets_given = secrets = tuple([line.decode("ascii", "replace") for line in self.secrets])
        self.secrets.clear()
        return secrets

    def secret(self, label: str) -> bytes:
        """Find a traffic secret among the last key-log lines; b"" when it is not there."""
        lines = (*self._secrets_given, *[line.decode("ascii", "replace") for line in self.secrets])
        return next((bytes.fromhex(line.split()[2]) for line in lines if line.startswith(label + " ")), b"")

    # -- steps ---------------------------------------------------------------------------------------------------------

    def shake(self) -> Outcome:
        """Go on with the handshake as far as the bytes reach."""
        try:
            self.connection.do_handshake()
        except SSL.WantReadError:
            return Outcome.WANTS_INPUT
        except SSL.WantX509LookupError:
            return Outcome.WANTS_CERTIFICATE
        except SSL.Error as error:
            return self._stopped(error)
        return Outcome.DONE

    def read(self, size: int) -> tuple[Outcome, bytes]:
        """Read application data; an empty DONE does not occur, records without data give WANTS_INPUT."""
        return self._receive(size, None)

    def peek(self) -> Outcome:
        """Process what was fed, and say DONE when application data is now ready to be read."""
        return self._receive(1, _MSG_PEEK)[0]

    def write(self, data: bytes) -> Outcome:
        """Protect application data, at most one record's worth."""
        try:
            self.connection.send(data)
        except SSL.WantReadError:
            return Outcome.WANTS_INPUT
        except SSL.Error as error:
            return self._stopped(error)
        return Outcome.DONE

    def answer_key_update(self) -> None:
        """Make the KeyUpdate that the peer asked for; OpenSSL puts it off to the next write, so write nothing."""
        try:
            self.connection.send(b"")
        except SSL.Error:  # nothing was written, which the engine reports as an end of file
            return

    def _receive(self, size: int, flags: int | None) -> tuple[Outcome, bytes]:
        try:
            return Outcome.DONE, self.connection.recv(size, flags)
        except SSL.WantReadError:
            return Outcome.WANTS_INPUT, b""
        except SSL.Error as error:
            return self._stopped(error), b""

    def _stopped(self, error: SSL.Error) -> Outcome:
        if isinstance(error, SSL.ZeroReturnError):
            return Outcome.CLOSED
        self.words = _words_of(error)
        return Outcome.FAILED

    # -- settings of one connection ------------------------------------------------------------------------------------

    def expect_target(self, target: bytes | IPv4Address | IPv6Address) -> None:
        """Verify that the peer's certificate names `target`; without this no name is checked."""
        parameters = lib.SSL_get0_param(self.connection._ssl)
        if isinstance(target, bytes):
            accepted = lib.X509_VERIFY_PARAM_set1_host(parameters, target, len(target))
        else:
            accepted = lib.X509_VERIFY_PARAM_set1_ip(parameters, target.packed, len(target.packed))
        if not accepted:
            raise ValueError("OpenSSL does not take this name")

    def watch_alerts(self) -> None:
        """Note the level and number of alerts from now on, encrypted ones too; costs a call per state change."""
        if not self.is_watched:
            self.is_watched = True
            lib.SSL_set_info_callback(self.connection._ssl, _on_info)

    def send_close_notify(self) -> None:
        """Make this side's close_notify."""
        try:
            self.connection.shutdown()
        except SSL.Error as error:
            self.words = _words_of(error)

    def is_resumed(self) -> bool:
        """Tell a resumed handshake from a full one."""
        return bool(lib.SSL_session_reused(self.connection._ssl))

    def was_ended_by_peer(self) -> bool:
        """Tell that a fatal alert came, whatever its number."""
        return bool(self.connection.get_shutdown() & SSL.RECEIVED_SHUTDOWN)

    def was_canceled(self) -> bool:
        """Tell that user_canceled came; OpenSSL passes over it in TLS 1.3 and waits on."""
        return self.alert_received is not None and self.alert_received[1] == _USER_CANCELED

    def is_tls13(self) -> bool:
        """Tell whether TLS 1.3 was agreed on."""
        return self.connection.get_protocol_version() == _TLS_1_3

    def peer_chain(self) -> tuple[bytes, ...]:
        """Give the certificates the peer sent (DER), leaf first; empty where the engine has not kept them."""
        try:
            chain = self.connection.get_peer_cert_chain() or ()
            return tuple(crypto.dump_certificate(crypto.FILETYPE_ASN1, one) for one in chain)
        except crypto.Error:
            return ()

    def peer_leaf(self) -> bytes:
        """Give the peer's own certificate (DER), b"" without one."""
        leaf = self.connection.get_peer_certificate()
        return b"" if leaf is None else _der(leaf)

    def protocols_offered(self) -> tuple[bytes, ...]:
        """List the client's application protocols, known where none of them was taken."""
        return tuple(_protocol_positions(self.offered))

    def close(self) -> None:
        """Leave the session resumable (OpenSSL voids it when a connection is freed without both shutdown flags)."""
        self.connection.set_shutdown(SSL.SENT_SHUTDOWN | SSL.RECEIVED_SHUTDOWN)
        self.connection.set_app_data(None)

    # -- what the callbacks ask ----------------------------------------------------------------------------------------

    def choose_protocol(self, offered: bytes) -> tuple[int, int]:
        """Choose an application protocol in the server's own order: answer and position in the client's list."""
        if self.protocols is None:
            return _NOT_ANSWERED, 0
        positions = _protocol_positions(offered)
        for wanted in self.protocols:
            if wanted in positions:
                return _TAKEN, positions[wanted]
        self.has_no_common_protocol = True
        self.offered = offered
        return _FATAL, 0

    def judge(self, certificate: crypto.X509, code: int, depth: int) -> bool:
        """Note the first refusal; let a tolerated one pass, and all of them where the application validates."""
        if code in self.tolerated:
            return True
        if self.refusal is None:
            self.refusal = Refusal(code, depth, _der(certificate))
        return not self.verifies


_MSG_PEEK = 2  # socket.MSG_PEEK, which pyOpenSSL tests for


def note_secret(connection: SSL.Connection, line: bytes) -> None:
    """Keep a key-log line with its connection (a callback of the context)."""
    engine = connection.get_app_data()
    if engine is not None:
        engine.secrets.append(line)


def judge_certificate(connection: SSL.Connection, certificate: crypto.X509, code: int, depth: int, ok: int) -> bool:
    """Judge one certificate of a chain (a callback of the context)."""
    if ok:
        return True
    engine = connection.get_app_data()
    return isinstance(engine, Engine) and engine.judge(certificate, code, depth)


def set_groups(context: SSL.Context, names: Iterable[str]) -> bool:
    """Allow these groups, in order of preference, under OpenSSL's names; False when it does not know one."""
    return _set_list(lib.SSL_CTX_set1_curves_list, context, names)


def set_signature_algorithms(context: SSL.Context, names: Iterable[str]) -> bool:
    """Allow these signature algorithms, in order of preference, under OpenSSL's names."""
    return _set_list(lib.SSL_CTX_set1_sigalgs_list, context, names)


def select_protocols(context: SSL.Context) -> None:
    """Let every connection of a server's context choose its application protocol by its `Engine`."""
    lib.SSL_CTX_set_alpn_select_cb(context._context, _on_protocols_offered, ffi.NULL)


def forbid_partial_wildcards(context: SSL.Context) -> None:
    """Let `w*.example` in a certificate match nothing."""
    lib.X509_VERIFY_PARAM_set_hostflags(lib.SSL_CTX_get0_param(context._context), _NO_PARTIAL_WILDCARDS)


def suspend_at_certificate_requests(context: SSL.Context) -> None:
    """Let a client's connections stop with WANTS_CERTIFICATE while their `Engine` has no answer to a CertificateRequest."""
    lib.SSL_CTX_set_cert_cb(context._context, _on_certificate_wanted, ffi.NULL)


def _set_list(function: Callable[[object, bytes], int], context: SSL.Context, names: Iterable[str]) -> bool:
    accepted = function(context._context, ":".join(names).encode("ascii", "replace")) == 1
    if not accepted:
        lib.ERR_clear_error()
    return accepted


def _protocol_positions(offered: bytes) -> dict[bytes, int]:
    """Find where each protocol of a length-prefixed list stands."""
    positions: dict[bytes, int] = {}
    start = 0
    while start < len(offered):
        end = start + 1 + offered[start]
        positions.setdefault(offered[start + 1 : end], start)
        start = end
    return positions


def _der(certificate: crypto.X509) -> bytes:
    try:
        return crypto.dump_certificate(crypto.FILETYPE_ASN1, certificate)
    except crypto.Error:
        return b""


def _words_of(error: SSL.Error) -> str:
    """Print an engine's error as it words it; for people only, never decided on."""
    if isinstance(error, SSL.SysCallError):
        return str(error.args[-1]) if error.args else "system call failed"
    queue = error.args[0] if error.args and isinstance(error.args[0], list) else []
    return "; ".join(" ".join(str(part) for part in entry if part) for entry in queue)


def _engine_of(ssl: object) -> Engine | None:
    connection = SSL.Connection._reverse_mapping.get(ssl)
    engine = None if connection is None else connection.get_app_data()
    return engine if isinstance(engine, Engine) else None


def _swallow(*_: object) -> None:
    """Keep an exception of a callback from being printed; the callback's `error` value stands."""


@ffi.callback(
    "int (*)(SSL *, unsigned char **, unsigned char *, const unsigned char *, unsigned int, void *)",
    error=_FATAL,
    onerror=_swallow,
)
def _on_protocols_offered(ssl, out, out_size, offered, size, _):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    engine = _engine_of(ssl)
    if engine is None:
        return _NOT_ANSWERED
    answer, position = engine.choose_protocol(bytes(ffi.buffer(offered, size)))
    if answer == _TAKEN:
        out[0] = ffi.cast("unsigned char *", offered) + position + 1
        out_size[0] = offered[position]
    return answer


@ffi.callback("int (*)(SSL *, void *)", error=_GO_ON, onerror=_swallow)
def _on_certificate_wanted(ssl, _):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    engine = _engine_of(ssl)
    return _GO_ON if engine is None or engine.has_certificate_answer else _SUSPEND


@ffi.callback("void (*)(const SSL *, int, int)", onerror=_swallow)
def _on_info(ssl, where, value):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    if where != _ALERT_READ and where != _ALERT_WRITTEN:
        return
    engine = _engine_of(ssl)
    if engine is None:
        return
    alert = (value >> 8 & 0xFF, value & 0xFF)
    if where == _ALERT_READ:
        engine.alert_received = alert
    else:
        engine.alert_sent = alert
