"""The engine: one TLS connection on memory BIOs, what its callbacks saw, and outcomes instead of exceptions.

The rule guarded here: nothing above this file catches an exception of pyOpenSSL, and nothing decides by an error's
words, which are kept for people only.
"""

from __future__ import annotations

from enum import Enum
from ipaddress import IPv4Address, IPv6Address
from typing import NamedTuple

from OpenSSL import SSL, crypto

from sspicli.packages.openssl_bindings import expect_host, is_resumed, take_unread, watch_alerts

_TOKEN_ROOM = 0x8000
_MSG_PEEK = 2  # socket.MSG_PEEK, which pyOpenSSL tests for
_TLS_1_3 = 0x0304
_USER_CANCELED = 90


class Outcome(Enum):
    """How far the engine got."""

    DONE = "done"
    WANTS_INPUT = "wants input"
    WANTS_CERTIFICATE = "wants a client certificate"
    CLOSED = "closed by the peer"
    FAILED = "failed"


class Refusal(NamedTuple):
    """Why the engine's verifier refused: its code, the depth, and the certificate (DER, b"" if unreadable)."""

    code: int
    depth: int
    certificate: bytes


class Engine:
    """One connection, and what its callbacks saw.

    `verifies` says that a refusal fails the handshake; without it the refusal is only noted. `tolerated` holds verify
    codes to be let pass. `protocols` are a server's own, None when it has none. `has_certificate_answer` lets a client
    go on when it is asked for a certificate. Alerts are (level, number), and noted only while watched.
    """

    # Defaults stand on the class: a good handshake changes few of them, and making an engine is on the hot path.
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

    # -- bytes ------------------------------------------------------

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
        """Take back what was fed and not looked at: whole records."""
        return take_unread(self.connection)

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

    # -- steps ------------------------------------------------------

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

    # -- settings of one connection ------------------------------------------------------

    def expect_target(self, target: bytes | IPv4Address | IPv6Address) -> None:
        """Verify that the peer's certificate names `target`; without this no name is checked."""
        expect_host(self.connection, target)

    def watch_alerts(self) -> None:
        """Note the level and number of alerts from now on, encrypted ones too; costs a call per state change."""
        if not self.is_watched:
            self.is_watched = True
            watch_alerts(self.connection)

    def send_close_notify(self) -> None:
        """Make this side's close_notify."""
        try:
            self.connection.shutdown()
        except SSL.Error as error:
            self.words = _words_of(error)

    def is_resumed(self) -> bool:
        """Tell a resumed handshake from a full one."""
        return is_resumed(self.connection)

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

    # -- what the callbacks ask ------------------------------------------------------

    def choose_protocol(self, offered: bytes) -> int | None:
        """Choose an application protocol in the server's own order, by its position in the client's list."""
        if self.protocols is None:
            return None
        positions = _protocol_positions(offered)
        for wanted in self.protocols:
            if wanted in positions:
                return positions[wanted]
        self.has_no_common_protocol = True
        self.offered = offered
        return -1

    def note_alert(self, alert: tuple[int, int], *, is_sent: bool) -> None:
        """Keep the latest alert of each direction."""
        if is_sent:
            self.alert_sent = alert
        else:
            self.alert_received = alert

    def judge(self, certificate: crypto.X509, code: int, depth: int) -> bool:
        """Note the first refusal; let a tolerated one pass, and all of them where the application validates."""
        if code in self.tolerated:
            return True
        if self.refusal is None:
            self.refusal = Refusal(code, depth, _der(certificate))
        return not self.verifies


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
