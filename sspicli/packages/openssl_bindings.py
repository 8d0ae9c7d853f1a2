"""The few OpenSSL functions that are needed and that pyOpenSSL does not offer, or offers at too high a price.

The rule guarded here: what is private to pyOpenSSL is used in this file and in no other, and `require_bindings` says
what is missing before anything is built on it. No exception leaves a callback that OpenSSL calls: each only passes
what it learns to the `Wire` that is at work on its connection.

Why these are needed: a name check inside a Python verify callback sends alert 80 instead of 42; pyOpenSSL keeps an
exception of its ALPN callback on the *context*, where another thread's connection can pick it up; bytes that OpenSSL
left unread can be counted and taken back only through the BIO, which saves feeding a handshake record by record. And
why a `Wire` steps OpenSSL itself: pyOpenSSL raises an exception wherever a flight ends and wraps every certificate of
a good chain for its verify callback, which is most of what it adds to a handshake.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import Enum
from ipaddress import IPv4Address, IPv6Address

import OpenSSL
from OpenSSL import SSL, crypto
from OpenSSL._util import ffi, lib

from sspicli.sspi.errors import UnavailableError

_BINDINGS = {
    "SSL_CTX_set1_curves_list": "groups of a credential",
    "SSL_CTX_set1_sigalgs_list": "signature algorithms of a credential",
    "SSL_CTX_set_alpn_select_cb": "application protocols at a server",
    "SSL_CTX_set_cert_cb": "SEC_I_INCOMPLETE_CREDENTIALS",
    "SSL_CTX_set_keylog_callback": "the secrets of a handshake",
    "SSL_CTX_set_verify": "the judgement of a peer's certificate",
    "SSL_set_verify": "the judgement of a client's certificate",
    "X509_STORE_CTX_get_ex_data": "the judgement of a peer's certificate",
    "X509_STORE_CTX_set_error": "the judgement of a peer's certificate",
    "SSL_set_info_callback": "the numbers of encrypted alerts",
    "SSL_get0_param": "the check of the target name",
    "SSL_CTX_get0_param": "the check of the target name",
    "X509_VERIFY_PARAM_set1_host": "the check of the target name",
    "X509_VERIFY_PARAM_set1_ip": "the check of a target address",
    "X509_VERIFY_PARAM_set_hostflags": "the check of the target name",
    "SSL_session_reused": "telling a resumed handshake from a full one",
    "BIO_get_mem_data": "SECBUFFER_EXTRA",
    "BIO_read": "tokens, and SECBUFFER_EXTRA",
    "BIO_write": "tokens",
    "SSL_do_handshake": "every leg",
    "SSL_get_error": "every leg",
    "SSL_read": "DecryptMessage",
    "SSL_peek": "tickets after the handshake",
    "SSL_write": "EncryptMessage",
    "SSL_set_shutdown": "leaving sessions resumable",
    "SSL_version": "telling TLS 1.3 from its elders",
}

_NO_PARTIAL_WILDCARDS = 0x4  # X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS: `w*.example` matches nothing, as at most verifiers
_ALERT, _WRITTEN = 0x4000, 0x0008  # SSL_CB_ALERT, SSL_CB_WRITE

# What the callbacks answer: SSL_TLSEXT_ERR_*, and the values SSL_set_cert_cb documents.
_TAKEN, _FATAL, _NOT_ANSWERED = 0, 2, 3
_GO_ON, _SUSPEND = 1, -1
_GOOD, _REFUSED = 1, 0
_CLOSED_BOTH_WAYS = SSL.SENT_SHUTDOWN | SSL.RECEIVED_SHUTDOWN

_TOKEN_ROOM = 0x8000
_TLS_1_3 = 0x0304
_WANT_READ: int = lib.SSL_ERROR_WANT_READ


def missing_bindings() -> tuple[str, ...]:
    """List the functions this pyOpenSSL does not give, with what each is needed for."""
    absent = [f"{name} ({purpose})" for name, purpose in _BINDINGS.items() if not hasattr(lib, name)]
    known = SSL.Connection.__init__.__code__.co_names
    inward = [name for name in ("_into_ssl", "_from_ssl", "_ssl") if name not in known]
    if not hasattr(SSL.Connection, "_raise_ssl_error"):
        inward.append("_raise_ssl_error")
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
    words = SSL.OpenSSL_version(SSL.OPENSSL_VERSION).decode("ascii", "replace").split()
    return OpenSSL.__version__, words[1] if len(words) > 1 else "unknown"


SSL_VERSION, OPENSSL_VERSION = _versions()


class Outcome(Enum):
    """How far the engine got."""

    DONE = "done"
    WANTS_INPUT = "wants input"
    WANTS_CERTIFICATE = "wants a client certificate"
    CLOSED = "closed by the peer"
    FAILED = "failed"


_DONE, _WANTS_INPUT = Outcome.DONE, Outcome.WANTS_INPUT


class Wire:
    """One connection on memory BIOs: bytes in, steps, bytes out, and what its callbacks ask.

    The callbacks find it by its connection while it is at work, and nowhere else: they come on the thread that steps.
    """

    words = ""
    has_certificate_answer = True

    def __init__(self, context: SSL.Context) -> None:
        self.connection = connection = SSL.Connection(context)
        self.secrets: list[bytes] = []
        self._ssl = connection._ssl
        self._incoming = connection._into_ssl
        self._outgoing = connection._from_ssl

    # -- bytes ------------------------------------------------------

    def feed(self, data: bytes) -> None:
        """Hand the engine whole records."""
        if data and lib.BIO_write(self._incoming, data, len(data)) != len(data):
            raise MemoryError("the engine has no room for these bytes")

    def drain(self) -> bytes:
        """Take everything the engine has to send."""
        room = _new_room("char[]", _TOKEN_ROOM)
        held: int = lib.BIO_read(self._outgoing, room, _TOKEN_ROOM)
        token: bytes = ffi.unpack(room, held) if held > 0 else b""
        while held == _TOKEN_ROOM:
            held = lib.BIO_read(self._outgoing, room, _TOKEN_ROOM)
            token += ffi.unpack(room, held) if held > 0 else b""
        return token

    def take_back(self) -> bytes:
        """Take back what was fed and not looked at: OpenSSL reads record by record, no further."""
        size: int = lib.BIO_get_mem_data(self._incoming, ffi.NULL)
        if size <= 0:
            return b""
        room = _new_room("char[]", size)
        held: int = lib.BIO_read(self._incoming, room, size)
        return bytes(ffi.unpack(room, held)) if held > 0 else b""

    # -- steps ------------------------------------------------------

    def shake(self) -> Outcome:
        """Go on with the handshake as far as the bytes reach."""
        ssl = self._ssl
        _at_work[ssl] = self
        try:
            result = lib.SSL_do_handshake(ssl)
        finally:
            del _at_work[ssl]
        return _DONE if result == 1 else self._stopped(result)

    def read(self, size: int) -> tuple[Outcome, bytes]:
        """Read application data; an empty DONE does not occur, records without data give WANTS_INPUT."""
        room = _new_room("char[]", size)
        outcome, count = self._work(lib.SSL_read, room, size)
        return outcome, ffi.unpack(room, count) if outcome is _DONE else b""

    def peek(self) -> Outcome:
        """Process what was fed, and say DONE when application data is now ready to be read."""
        return self._work(lib.SSL_peek, _new_room("char[]", 1), 1)[0]

    def write(self, data: bytes) -> Outcome:
        """Protect application data, at most one record's worth."""
        return self._work(lib.SSL_write, data, len(data))[0]

    def send_close_notify(self) -> None:
        """Make this side's close_notify."""
        _at_work[self._ssl] = self
        try:
            self.connection.shutdown()
        except SSL.Error as error:
            self.words = _words_of(error)
        finally:
            del _at_work[self._ssl]

    def _work(self, function: Callable[[object, object, int], int], room: object, size: int) -> tuple[Outcome, int]:
        ssl = self._ssl
        _at_work[ssl] = self
        try:
            result = function(ssl, room, size)
        finally:
            del _at_work[ssl]
        return (_DONE if result > 0 else self._stopped(result)), result

    def _stopped(self, result: int) -> Outcome:
        """Say why a step ended early; waiting for more bytes is the common reason, pyOpenSSL reads the others."""
        if lib.SSL_get_error(self._ssl, result) == _WANT_READ:
            return _WANTS_INPUT
        try:
            self.connection._raise_ssl_error(self._ssl, result)
        except SSL.WantX509LookupError:
            return Outcome.WANTS_CERTIFICATE
        except SSL.ZeroReturnError:
            return Outcome.CLOSED
        except SSL.Error as error:
            self.words = _words_of(error)
        return Outcome.FAILED

    # -- settings and facts of one connection ------------------------------------------------------

    def expect_target(self, target: bytes | IPv4Address | IPv6Address) -> bool:
        """Verify that the peer's certificate names `target`; else no name is checked. False for no such name."""
        parameters = lib.SSL_get0_param(self._ssl)
        if isinstance(target, bytes):
            accepted = lib.X509_VERIFY_PARAM_set1_host(parameters, target, len(target))
        else:
            accepted = lib.X509_VERIFY_PARAM_set1_ip(parameters, target.packed, len(target.packed))
        return bool(accepted)

    def judge_peer(self, mode: int) -> None:
        """Ask for the peer's certificate, by the SSL.VERIFY_* bits of `mode`, and judge it."""
        lib.SSL_set_verify(self._ssl, mode, _on_certificate)

    def report_alerts(self) -> None:
        """Note alerts from now on, encrypted ones too; costs a call per state change."""
        lib.SSL_set_info_callback(self._ssl, _on_info)

    def is_resumed(self) -> bool:
        """Tell a resumed handshake from a full one."""
        return bool(lib.SSL_session_reused(self._ssl))

    def is_tls13(self) -> bool:
        """Tell whether TLS 1.3 was agreed on."""
        return bool(lib.SSL_version(self._ssl) == _TLS_1_3)

    def close(self) -> None:
        """Leave the session resumable (OpenSSL voids it when a connection is freed without both shutdown flags)."""
        lib.SSL_set_shutdown(self._ssl, _CLOSED_BOTH_WAYS)

    # -- what the callbacks ask; a plain wire has no opinion, and what derives from it may have one -------------------

    def choose_protocol(self, offered: bytes) -> int | None:
        """Give where the chosen protocol stands in the client's list; -1 for none in common, None for no answer."""
        return None

    def note_alert(self, alert: tuple[int, int], *, is_sent: bool) -> None:
        """Take note of an alert's level and number, or leave it."""

    def judge(self, certificate: crypto.X509 | None, code: int, depth: int) -> bool:
        """Say whether a certificate that OpenSSL refuses may pass: not unless someone says so."""
        return False


_at_work: dict[object, Wire] = {}
_new_room = ffi.new_allocator(should_clear_after_alloc=False)


def log_secrets(context: SSL.Context) -> None:
    """Let every connection of a context keep its key-log lines."""
    lib.SSL_CTX_set_keylog_callback(context._context, _on_secret)


def judge_servers(context: SSL.Context) -> None:
    """Let every connection of a client's context judge what OpenSSL refuses in the server's chain."""
    lib.SSL_CTX_set_verify(context._context, SSL.VERIFY_PEER, _on_certificate)


def set_groups(context: SSL.Context, names: Iterable[str]) -> bool:
    """Allow these groups, in order of preference, under OpenSSL's names; False when it does not know one."""
    return _set_list(lib.SSL_CTX_set1_curves_list, context, names)


def set_signature_algorithms(context: SSL.Context, names: Iterable[str]) -> bool:
    """Allow these signature algorithms, in order of preference, under OpenSSL's names."""
    return _set_list(lib.SSL_CTX_set1_sigalgs_list, context, names)


def select_protocols(context: SSL.Context) -> None:
    """Let every connection of a server's context choose its application protocol by its owner."""
    lib.SSL_CTX_set_alpn_select_cb(context._context, _on_protocols_offered, ffi.NULL)


def forbid_partial_wildcards(context: SSL.Context) -> None:
    """Let `w*.example` in a certificate match nothing."""
    lib.X509_VERIFY_PARAM_set_hostflags(lib.SSL_CTX_get0_param(context._context), _NO_PARTIAL_WILDCARDS)


def suspend_at_certificate_requests(context: SSL.Context) -> None:
    """Let a client's connections stop with WANTS_CERTIFICATE while their owner has no answer to a request."""
    lib.SSL_CTX_set_cert_cb(context._context, _on_certificate_wanted, ffi.NULL)


def _set_list(function: Callable[[object, bytes], int], context: SSL.Context, names: Iterable[str]) -> bool:
    accepted = function(context._context, ":".join(names).encode("ascii", "replace")) == 1
    if not accepted:
        lib.ERR_clear_error()
    return accepted


def _words_of(error: SSL.Error) -> str:
    """Print an engine's error as it words it; for people only, never decided on."""
    if isinstance(error, SSL.SysCallError):
        return str(error.args[-1]) if error.args else "system call failed"
    queue = error.args[0] if error.args and isinstance(error.args[0], list) else []
    return "; ".join(" ".join(str(part) for part in entry if part) for entry in queue)


def _swallow(*_: object) -> None:
    """Keep an exception of a callback from being printed; the callback's `error` value stands."""


@ffi.callback(
    "int (*)(SSL *, unsigned char **, unsigned char *, const unsigned char *, unsigned int, void *)",
    error=_FATAL,
    onerror=_swallow,
)
def _on_protocols_offered(ssl, out, out_size, offered, size, _):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    owner = _at_work.get(ssl)
    if owner is None:
        return _NOT_ANSWERED
    position = owner.choose_protocol(bytes(ffi.buffer(offered, size)))
    if position is None or position < 0:
        return _NOT_ANSWERED if position is None else _FATAL
    out[0] = ffi.cast("unsigned char *", offered) + position + 1
    out_size[0] = offered[position]
    return _TAKEN


@ffi.callback("int (*)(SSL *, void *)", error=_GO_ON, onerror=_swallow)
def _on_certificate_wanted(ssl, _):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    owner = _at_work.get(ssl)
    return _GO_ON if owner is None or owner.has_certificate_answer else _SUSPEND


@ffi.callback("void (*)(const SSL *, int, int)", onerror=_swallow)
def _on_info(ssl, where, value):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    if not where & _ALERT:
        return
    owner = _at_work.get(ssl)
    if owner is None:
        return
    owner.note_alert((value >> 8 & 0xFF, value & 0xFF), is_sent=bool(where & _WRITTEN))


@ffi.callback("void (*)(const SSL *, const char *)", onerror=_swallow)
def _on_secret(ssl, line):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    owner = _at_work.get(ssl)
    if owner is not None:
        owner.secrets.append(ffi.string(line))


@ffi.callback("int (*)(int, X509_STORE_CTX *)", error=_REFUSED, onerror=_swallow)
def _on_certificate(ok, store):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    return ok or _judged(store)


def _judged(store: object) -> int:
    """Ask the connection at work about a refused certificate; one let pass leaves no error behind."""
    owner = _at_work.get(lib.X509_STORE_CTX_get_ex_data(store, lib.SSL_get_ex_data_X509_STORE_CTX_idx()))
    if owner is None:
        return _REFUSED
    code, depth = lib.X509_STORE_CTX_get_error(store), lib.X509_STORE_CTX_get_error_depth(store)
    certificate = None
    pointer = lib.X509_STORE_CTX_get_current_cert(store)
    if pointer != ffi.NULL:
        lib.X509_up_ref(pointer)
        certificate = crypto.X509._from_raw_x509_ptr(pointer)
    if not owner.judge(certificate, code, depth):
        return _REFUSED
    lib.X509_STORE_CTX_set_error(store, lib.X509_V_OK)
    return _GOOD
