"""Real TLS sessions between two memory BIOs, with the tokens each side sent and the key log: the readers' oracle."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from OpenSSL import SSL, crypto

from sspicli.tokens.tls import TlsMessage, TlsReader

TLS12 = SSL.TLS1_2_VERSION
TLS13 = SSL.TLS1_3_VERSION
NO_ENCRYPT_THEN_MAC = 0x00080000  # SSL_OP_NO_ENCRYPT_THEN_MAC

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


class Identity(NamedTuple):
    """A certificate with its key."""

    certificate: x509.Certificate
    key: PrivateKey

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)


class Sent(NamedTuple):
    """One token, and the key-log lines written since the one before."""

    sender: str
    token: bytes
    secrets: tuple[str, ...] = ()


class Session(NamedTuple):
    """What a session put on the wire, both ends as it left them, and the error it ended with."""

    sent: tuple[Sent, ...]
    client: SSL.Connection
    server: SSL.Connection
    error: str = ""

    @property
    def secrets(self) -> tuple[str, ...]:
        return tuple(line for one in self.sent for line in one.secrets)


class Recipe(NamedTuple):
    """How sessions are to go; a suite has OpenSSL's name for TLS 1.2 and IANA's for 1.3."""

    version: int = TLS13
    suite: bytes = b""
    key_kind: str = "ec"
    server_curve: ec.EllipticCurve | None = None
    is_mutual: bool = False
    options: int = 0
    valid_days: int = 30
    chain_length: int = 1


class Ends:
    """Two contexts made from a recipe; what they connect can be resumed."""

    def __init__(self, recipe: Recipe | None = None) -> None:
        self.recipe = recipe or Recipe()
        self._lines: list[str] = []
        mine = identity(self.recipe.key_kind, days=self.recipe.valid_days)
        self.client = self._context(SSL.TLS_CLIENT_METHOD, mine)
        self.server = self._context(SSL.TLS_SERVER_METHOD, mine)
        self.server.set_session_id(b"tests")
        self.server.set_alpn_select_callback(lambda _, offered: offered[0])
        if self.recipe.server_curve is not None:
            self.server.set_tmp_ecdh(self.recipe.server_curve)

    def connect(self, *, resume: Session | None = None, payload: bytes = b"ping") -> Session:
        """Shake hands, send `payload` both ways, close, and tell what was sent."""
        client, server = SSL.Connection(self.client, None), SSL.Connection(self.server, None)
        client.set_connect_state()
        server.set_accept_state()
        client.set_tlsext_host_name(b"localhost")
        client.set_alpn_protos([b"h2", b"http/1.1"])
        if resume is not None:
            session = resume.client.get_session()
            assert session is not None, "the session to resume has one"
            client.set_session(session)
        sent: list[Sent] = []
        error = self._shake(client, server, sent=sent)
        if not error:
            self._talk(client, server, sent=sent, payload=payload)
        for one in (client, server):
            one.set_shutdown(SSL.SENT_SHUTDOWN | SSL.RECEIVED_SHUTDOWN)
        return Session(tuple(sent), client, server, error)

    def renegotiate(self) -> Session:
        """Shake hands, and then once more under the keys of the first time; tell what was sent."""
        client, server = SSL.Connection(self.client, None), SSL.Connection(self.server, None)
        client.set_connect_state()
        server.set_accept_state()
        sent: list[Sent] = []
        error = self._shake(client, server, sent=sent)
        assert server.renegotiate(), "the server may ask for it"
        server.do_handshake()
        self._carry("server", server, client, sent=sent)
        for _ in range(3):
            for sender, mine, peer in (("client", client, server), ("server", server, client)):
                with suppress(SSL.WantReadError):
                    mine.recv(1)
                self._carry(sender, mine, peer, sent=sent)
        return Session(tuple(sent), client, server, error)

    def _context(self, method: int, mine: Identity) -> SSL.Context:
        recipe = self.recipe
        context = SSL.Context(method)
        context.set_min_proto_version(recipe.version)
        context.set_max_proto_version(recipe.version)
        context.set_options(recipe.options)
        context.set_keylog_callback(lambda _, line: self._lines.append(line.decode("ascii")))
        if recipe.suite.startswith(b"TLS_"):
            context.set_tls13_ciphersuites(recipe.suite)
        context.set_cipher_list((b"ALL" if recipe.version == TLS13 else recipe.suite or b"ALL") + b":@SECLEVEL=0")
        context.use_certificate(mine.certificate)
        context.use_privatekey(mine.key)
        for _ in range(recipe.chain_length - 1):
            context.add_extra_chain_cert(mine.certificate)
        store = context.get_cert_store()
        assert store is not None, "a new context has a store"
        store.add_cert(crypto.X509.from_cryptography(mine.certificate))
        if recipe.is_mutual or method == SSL.TLS_CLIENT_METHOD:
            context.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT)
        return context

    def _shake(self, client: SSL.Connection, server: SSL.Connection, *, sent: list[Sent]) -> str:
        error = ""
        while True:
            before = len(sent)
            for sender, mine, peer in (("client", client, server), ("server", server, client)):
                try:
                    mine.do_handshake()
                except SSL.WantReadError:
                    pass
                except SSL.Error as failed:
                    error = error or str(failed)
                self._carry(sender, mine, peer, sent=sent)
            if len(sent) == before:
                return error

    def _talk(self, client: SSL.Connection, server: SSL.Connection, *, sent: list[Sent], payload: bytes) -> None:
        ends = (("client", client, server), ("server", server, client))
        for sender, mine, peer in ends:
            mine.sendall(payload)
            self._carry(sender, mine, peer, sent=sent)
            assert peer.recv(1 << 20) == payload[: 1 << 14], "the peer reads the first record"
        for sender, mine, peer in ends:
            mine.shutdown()
            self._carry(sender, mine, peer, sent=sent)

    def _carry(self, sender: str, mine: SSL.Connection, peer: SSL.Connection, *, sent: list[Sent]) -> None:
        try:
            token = mine.bio_read(1 << 20)
        except SSL.WantReadError:
            return
        peer.bio_write(token)
        sent.append(Sent(sender, token, tuple(self._lines)))
        self._lines.clear()


def identity(kind: str = "ec", *, days: int = 30) -> Identity:
    """Make a self-signed certificate, once for each kind; with negative `days` it has expired."""
    return _identity(kind, days)


@functools.cache
def _identity(kind: str, days: int) -> Identity:
    key: PrivateKey = ec.generate_private_key(ec.SECP256R1())
    if kind == "rsa":
        key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC).replace(microsecond=0)
    names = x509.SubjectAlternativeName([x509.DNSName("localhost")])
    usages = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH])
    builder = (
        x509.CertificateBuilder(name, name, key.public_key(), 0x1122334455)
        .not_valid_before(now - timedelta(days=60))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(names, critical=False)
        .add_extension(usages, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    )
    return Identity(builder.sign(key, hashes.SHA256()), key)


def session(recipe: Recipe | None = None, *, resumed: bool = False) -> Session:
    """Make a session, once for each recipe; with `resumed`, the second of two, which resumes the first."""
    return _session(recipe or Recipe(), resumed)


@functools.cache
def _session(recipe: Recipe, resumed: bool) -> Session:
    ends = Ends(recipe)
    first = ends.connect()
    return ends.connect(resume=first) if resumed else first


def read(sent: Iterable[Sent], *, reader: TlsReader | None = None) -> list[tuple[TlsMessage, ...]]:
    """Read tokens in order, each after the secrets known by then."""
    reader = reader or TlsReader()
    readings = []
    for sender, token, secrets in sent:
        for line in secrets:
            reader.add_secret(line)
        readings.append(reader.read(sender, token))
    return readings


def names(sent: Iterable[Sent]) -> list[str]:
    """Read tokens and name their messages, one string a token; protected ones stand in braces."""
    return [" ".join(f"{{{one.name}}}" if one.encrypted else one.name for one in reading) for reading in read(sent)]
