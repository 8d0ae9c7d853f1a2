"""The engine: one TLS connection on memory BIOs, what its callbacks saw, and outcomes instead of exceptions.

The rule guarded here: nothing above this file catches an exception of pyOpenSSL, and nothing decides by an error's
words, which are kept for people only.
"""

from __future__ import annotations

from typing import NamedTuple

from OpenSSL import SSL, crypto

from sspicli.packages.openssl_bindings import Wire

_USER_CANCELED = 90


class Refusal(NamedTuple):
    """Why the engine's verifier refused: its code, the depth, and the certificate (DER, b"" if unreadable)."""

    code: int
    depth: int
    certificate: bytes


class Engine(Wire):
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
    has_no_common_protocol = False
    is_watched = False
    _secrets_given: tuple[str, ...] = ()

    # -- secrets ------------------------------------------------------

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

    # -- steps and settings of one connection ------------------------------------------------------

    def answer_key_update(self) -> None:
        """Make the KeyUpdate that the peer asked for; OpenSSL puts it off to the next write, so write nothing."""
        words = self.words
        self.write(b"")  # nothing was written, which the engine reports as an end of file
        self.words = words

    def watch_alerts(self) -> None:
        """Note the level and number of alerts from now on, encrypted ones too; costs a call per state change."""
        if not self.is_watched:
            self.is_watched = True
            self.report_alerts()

    def was_ended_by_peer(self) -> bool:
        """Tell that a fatal alert came, whatever its number."""
        return bool(self.connection.get_shutdown() & SSL.RECEIVED_SHUTDOWN)

    def was_canceled(self) -> bool:
        """Tell that user_canceled came; OpenSSL passes over it in TLS 1.3 and waits on."""
        return self.alert_received is not None and self.alert_received[1] == _USER_CANCELED

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

    def judge(self, certificate: crypto.X509 | None, code: int, depth: int) -> bool:
        """Note the first refusal; let a tolerated one pass, and all of them where the application validates."""
        if code in self.tolerated:
            return True
        if self.refusal is None:
            self.refusal = Refusal(code, depth, b"" if certificate is None else _der(certificate))
        return not self.verifies


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
