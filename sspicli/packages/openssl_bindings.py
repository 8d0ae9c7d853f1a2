"""The few OpenSSL functions that are needed and that pyOpenSSL does not offer.

The rule guarded here: what is private to pyOpenSSL is used in this file and in no other, and `require_bindings` says
what is missing before anything is built on it. No exception leaves a callback that OpenSSL calls: each only passes
what it learns to its connection's app data, which is a `CallbackOwner`.

Why these are needed: a name check inside a Python verify callback sends alert 80 instead of 42; pyOpenSSL keeps an
exception of its ALPN callback on the *context*, where another thread's connection can pick it up; bytes that OpenSSL
left unread can be counted and taken back only through the BIO, which saves feeding a handshake record by record.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from ipaddress import IPv4Address, IPv6Address
from typing import Protocol

from OpenSSL import SSL
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


class CallbackOwner(Protocol):
    """What a connection's app data must answer to its callbacks."""

    has_certificate_answer: bool

    def choose_protocol(self, offered: bytes) -> int | None:
        """Give where the chosen protocol stands in the client's list; -1 for none in common, None for no answer."""

    def note_alert(self, alert: tuple[int, int], *, is_sent: bool) -> None:
        """Take note of an alert's level and number."""


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


def expect_host(connection: SSL.Connection, target: bytes | IPv4Address | IPv6Address) -> None:
    """Verify that the peer's certificate names `target`; without this no name is checked."""
    parameters = lib.SSL_get0_param(connection._ssl)
    if isinstance(target, bytes):
        accepted = lib.X509_VERIFY_PARAM_set1_host(parameters, target, len(target))
    else:
        accepted = lib.X509_VERIFY_PARAM_set1_ip(parameters, target.packed, len(target.packed))
    if not accepted:
        raise ValueError("OpenSSL does not take this name")


def watch_alerts(connection: SSL.Connection) -> None:
    """Let a connection's owner note alerts from now on, encrypted ones too; costs a call per state change."""
    lib.SSL_set_info_callback(connection._ssl, _on_info)


def is_resumed(connection: SSL.Connection) -> bool:
    """Tell a resumed handshake from a full one."""
    return bool(lib.SSL_session_reused(connection._ssl))


def take_unread(connection: SSL.Connection) -> bytes:
    """Take back what was written to a connection and not looked at: OpenSSL reads record by record, no further."""
    incoming = connection._into_ssl
    size: int = lib.BIO_get_mem_data(incoming, ffi.NULL)
    if size <= 0:
        return b""
    room = ffi.new("char[]", size)
    held: int = lib.BIO_read(incoming, room, size)
    return bytes(ffi.buffer(room, held)) if held > 0 else b""


def _owner_of(ssl: object) -> CallbackOwner | None:
    connection = SSL.Connection._reverse_mapping.get(ssl)
    owner: CallbackOwner | None = None if connection is None else connection.get_app_data()
    return owner


def _swallow(*_: object) -> None:
    """Keep an exception of a callback from being printed; the callback's `error` value stands."""


@ffi.callback(
    "int (*)(SSL *, unsigned char **, unsigned char *, const unsigned char *, unsigned int, void *)",
    error=_FATAL,
    onerror=_swallow,
)
def _on_protocols_offered(ssl, out, out_size, offered, size, _):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    owner = _owner_of(ssl)
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
    owner = _owner_of(ssl)
    return _GO_ON if owner is None or owner.has_certificate_answer else _SUSPEND


@ffi.callback("void (*)(const SSL *, int, int)", onerror=_swallow)
def _on_info(ssl, where, value):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    if where != _ALERT_READ and where != _ALERT_WRITTEN:
        return
    owner = _owner_of(ssl)
    if owner is None:
        return
    owner.note_alert((value >> 8 & 0xFF, value & 0xFF), is_sent=where == _ALERT_WRITTEN)
