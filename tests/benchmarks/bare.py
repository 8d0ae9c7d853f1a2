"""The anchor: TLS 1.3 handshakes by a bare pyOpenSSL loop, with the same callbacks as the product sets."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_der_private_key
from OpenSSL import SSL, crypto

from sspicli.sspi.schannel import CertContext


class BareLoop:
    """Two contexts made once, and connections between them."""

    def __init__(self, certificate: CertContext, root: bytes) -> None:
        self.lines: list[bytes] = []
        self._client = SSL.Context(SSL.TLS_METHOD)
        self._server = SSL.Context(SSL.TLS_METHOD)
        for context in (self._client, self._server):
            context.set_min_proto_version(SSL.TLS1_3_VERSION)
            context.set_keylog_callback(lambda connection, line: self.lines.append(line))
        self._client.set_verify(SSL.VERIFY_PEER, lambda connection, cert, error, depth, ok: bool(ok))
        store = self._client.get_cert_store()
        assert store is not None
        store.add_cert(crypto.X509.from_cryptography(x509.load_der_x509_certificate(root)))
        self._server.use_certificate(x509.load_der_x509_certificate(certificate.chain[0]))
        assert certificate.private_key is not None
        self._server.use_privatekey(load_der_private_key(certificate.private_key, None))  # type: ignore[arg-type]
        self._server.set_session_cache_mode(SSL.SESS_CACHE_OFF)

    def handshake(self) -> None:
        """Make one full handshake, tickets read, and drop both connections."""
        for _ in self.steps():
            pass

    def steps(self) -> Iterator[None]:
        """Make the handshake step by step, so that others may be in flight at the same time."""
        self.lines.clear()
        client, server = SSL.Connection(self._client, None), SSL.Connection(self._server, None)
        client.set_connect_state()
        client.set_tlsext_host_name(b"localhost")
        server.set_accept_state()
        _step(client)
        _pass(client, server)
        yield
        _step(server)
        _pass(server, client)
        yield
        _step(client)
        _pass(client, server)
        yield
        _step(server)
        _pass(server, client)
        yield
        with suppress(SSL.WantReadError):
            client.recv(1)
        for connection in (client, server):
            connection.set_shutdown(SSL.SENT_SHUTDOWN | SSL.RECEIVED_SHUTDOWN)


def _step(connection: SSL.Connection) -> None:
    with suppress(SSL.WantReadError):
        connection.do_handshake()


def _pass(source: SSL.Connection, sink: SSL.Connection) -> None:
    sink.bio_write(source.bio_read(65536))
