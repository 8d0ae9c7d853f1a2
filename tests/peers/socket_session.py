"""One endpoint of ours on a TCP socket: the async SSPI, its driver and a session, with an outside program as the peer.

The session takes any number of endpoints and any wire, so a peer of another make needs no more than a wire whose other
end is a socket. Its `receive` waits for the socket, at most `PATIENCE` seconds; a peer that stays silent for longer
leaves the session with nothing to do, which ends as `stuck`. What the peer does goes into the journal as its own
`HandshakeBegan` and `TokenSent`, so that the report reads its messages.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_der_private_key

from sspicli.analysis.calls import LEG_FUNCTIONS
from sspicli.analysis.report import EndpointReport, Report, report
from sspicli.journal import events as ev
from sspicli.journal.journal import Journal
from sspicli.packages.catalog import create_package
from sspicli.packages.certificates import Authority
from sspicli.packages.options import parse_settings
from sspicli.packages.setup import Setup, build
from sspicli.runtime.api import AsyncSspi
from sspicli.runtime.dispatch import SteppedDispatcher
from sspicli.session.actions import Driver, EncryptMessage
from sspicli.session.drivers import Plan, Style, endpoint_program
from sspicli.session.endpoint import Endpoint
from sspicli.session.session import Session
from sspicli.session.wire import Parcel
from sspicli.sspi.buffers import BufferType
from sspicli.sspi.package import Role
from sspicli.sspi.schannel import CertContext, describe
from sspicli.sspi.status import SecurityStatus
from tests.peers.programs import PATIENCE

LOOPBACK = "127.0.0.1"
SEED = 11
CLOCK = int(time.time())  # outside programs have no clock of ours
AUTHORITY = Authority.create(seed=SEED, clock=CLOCK)
APPLICATION_PROTOCOL = 35  # SECPKG_ATTR_APPLICATION_PROTOCOL
QUERIES = (0x5A, 0x64, 0x5D, APPLICATION_PROTOCOL)  # connection, cipher and session info first

MOST = 1 << 16


class Wiring(NamedTuple):
    """How the socket is made and used.

    An endpoint that closes ends its sending side at once, unless `stays_open`: then when its peer has ended the
    connection, for programs that hang up as soon as there is no more to read.
    """

    open_connection: Callable[[], socket.socket]
    most: int = MOST
    stays_open: bool = False


class Run(NamedTuple):
    """What became of our endpoint."""

    reason: str
    report: Report
    journal: Journal
    mine: EndpointReport

    @property
    def status(self) -> SecurityStatus | None:
        """What its handshake came to."""
        return self.mine.status

    @property
    def alert_sent(self) -> int | None:
        """The number of the alert it sent."""
        return None if self.mine.alert_sent is None else self.mine.alert_sent.number

    @property
    def alert_received(self) -> int | None:
        """The number of the alert it received."""
        return None if self.mine.alert_received is None else self.mine.alert_received.number

    @property
    def protocol_negotiated(self) -> object:
        """What SecPkgContext_ApplicationProtocol names; empty for none."""
        return self.mine.queries[APPLICATION_PROTOCOL][1]["ProtocolId"]

    @property
    def secrets(self) -> set[str]:
        """The key-log lines of all its handshakes."""
        return {record.event.line for record in self.journal.records if isinstance(record.event, ev.KeyLogged)}

    @property
    def leg_statuses(self) -> list[SecurityStatus]:
        """What each ISC or ASC call came to, in order."""
        return [
            call.completed.status for call in self.report.calls if call.function in LEG_FUNCTIONS and call.completed
        ]

    @property
    def opened(self) -> bytes:
        """All that it decrypted."""
        return b"".join(
            buffer.data or b""
            for record in self.journal.records
            if isinstance(record.event, ev.MessageDecrypted) and record.event.status == SecurityStatus.SEC_E_OK
            for buffer in record.event.after
            if buffer.buffer_type == BufferType.DATA
        )


def make_setup(*, client: Sequence[str] = (), server: Sequence[str] = ()) -> Setup:
    """Settle both sides from settings as the command line takes them; the outside program plays one of them."""
    return build(
        client=parse_settings("client", client), server=parse_settings("server", server), seed=SEED, clock=CLOCK
    )


def make_plan(
    role: Role, setup: Setup, *, handshakes: int = 1, messages: int = 0, style: Style = Style.CALLBACK
) -> Plan:
    """Say what our endpoint is to do, as the command line's plan does."""
    mine = setup.client if role is Role.CLIENT else setup.server
    return Plan(
        role=role,
        package="Schannel",
        auth_data=mine.auth_data,
        credential_use=mine.credential_use,
        requirements=mine.requirements,
        target_name=mine.target_name,
        application_protocols=mine.application_protocols,
        style=style,
        handshakes=handshakes,
        messages=messages,
        queries=QUERIES,
    )


def run_client(plan: Plan, port: int, *, text: bytes | None = None, most: int = MOST) -> Run:
    """Be a client of the program that listens on `port`.

    Args:
        plan: What to do.
        port: Where the program listens.
        text: What each message says, for peers that wait for the end of a line; None for the driver's own words.
        most: How many bytes are read from the socket at once.
    """
    wire = Wiring(lambda: socket.create_connection((LOOPBACK, port), PATIENCE), most=most)
    return _run(plan, wire, text)


def run_server(plan: Plan, listener: socket.socket, *, most: int = MOST, stays_open: bool = True) -> Run:
    """Be the server of the program that connects to `listener`; `stays_open` as in `Wiring`."""
    return _run(plan, Wiring(lambda: listener.accept()[0], most=most, stays_open=stays_open), None)


@contextmanager
def listening() -> Iterator[tuple[socket.socket, int]]:
    """Listen on a port that the system picks."""
    with socket.create_server((LOOPBACK, 0)) as listener:
        listener.settimeout(PATIENCE)
        yield listener, listener.getsockname()[1]


def _run(plan: Plan, wiring: Wiring, text: bytes | None) -> Run:
    package = create_package(plan.package)
    journal, dispatcher = Journal(), SteppedDispatcher()
    name = str(plan.role)
    api = AsyncSspi(name, find=lambda _: package, describe=describe, journal=journal, dispatcher=dispatcher)
    program = endpoint_program(plan, name)
    endpoint = Endpoint(api, program if text is None else _saying(text, program))
    wire = SocketWire(name, wiring, journal)
    try:
        reason = Session([endpoint], journal=journal, dispatcher=dispatcher, wire=wire).run()
    finally:
        wire.end()
    outcome = report(journal.records)
    return Run(reason, outcome, journal, outcome.endpoints[name])


def _saying(text: bytes, program: Driver) -> Driver:
    """Be another program, except for what its messages say."""
    try:
        action = next(program)
        while True:
            if isinstance(action, EncryptMessage):
                data = action.message.first(BufferType.DATA)
                assert data is not None, "a message has data"
                data.image = data.image._replace(data=text, size=len(text))
            action = program.send((yield action))
    except StopIteration:
        return
    finally:
        program.close()


class SocketWire:
    """A wire with our endpoint at one end and a TCP connection at the other; connections follow each other."""

    def __init__(self, name: str, wiring: Wiring, journal: Journal) -> None:
        self.sent_records: dict[int, int] = {}
        self._name = name
        self._peer = "server" if name == "client" else "client"
        self._wiring = wiring
        self._journal = journal
        self._socket: socket.socket | None = None
        self._number = self._legs = 0
        self._is_established = False

    def connect(self, endpoint: str, number: int) -> None:
        """Connect, or wait for who connects."""
        assert endpoint == self._name, "the other end is a socket"
        self.end()
        self._socket, self._legs, self._is_established = self._wiring.open_connection(), 0, False
        self._socket.settimeout(PATIENCE)
        self._journal.append(self._peer, ev.HandshakeBegan(number), 0)

    def send(self, sender: str, data: bytes, *, is_token: bool) -> Sequence[Parcel]:
        """Write everything to the socket; a peer that has gone is noticed when it is read from."""
        assert sender == self._name, "the other end is a socket"
        assert self._socket is not None, "an endpoint connects before it sends"
        self._is_established |= not is_token
        parcel = self._parcel(self._peer, data, is_token=is_token)
        try:
            self._socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            return ()
        return (parcel,)

    def arrive(self, number: int, receiver: str, cause: int) -> None:
        """Nothing is left to do: the socket has it."""

    def receive(self, receiver: str) -> tuple[bytes, int] | None:
        """Wait for bytes; b"" at the end of the stream, None when patience is."""
        assert receiver == self._name, "the other end is a socket"
        if self._socket is None:
            return b"", 0
        try:
            data = self._socket.recv(self._wiring.most)
        except TimeoutError:
            return None
        except ConnectionResetError:
            data = b""
        if not data:
            return b"", 0
        number, leg, _, _ = self._parcel(self._name, data, is_token=not self._is_established)
        sent = self._journal.append(self._peer, ev.TokenSent(number, leg, self._name, data), 0)
        return data, self._journal.append("wire", ev.TokenDelivered(number, self._name), sent)

    def close(self, sender: str) -> None:
        """End our sending side."""
        assert sender == self._name, "the other end is a socket"
        if self._socket is not None and not self._wiring.stays_open:
            self._shut()

    def end(self) -> None:
        """End the connection: our side first, then what the peer still says is read and dropped."""
        if self._socket is None:
            return
        self._shut()
        self._socket.settimeout(1.0)
        with suppress(TimeoutError, ConnectionResetError):
            while self._socket.recv(MOST):
                pass
        self._socket.close()
        self._socket = None

    def _shut(self) -> None:
        assert self._socket is not None, "there is a connection"
        with suppress(OSError):  # the peer was faster
            self._socket.shutdown(socket.SHUT_WR)

    def _parcel(self, receiver: str, data: bytes, *, is_token: bool) -> Parcel:
        self._number += 1
        self._legs += is_token
        return Parcel(self._number, self._legs if is_token else 0, receiver, data)


class Files(NamedTuple):
    """Where a certificate stands as PEM: alone, the intermediates (None without), all together, and its key."""

    leaf: Path
    intermediates: Path | None
    chain: Path
    key: Path


def write_identity(folder: Path, certificate: CertContext, name: str) -> Files:
    """Write a certificate with its chain and key for an outside program."""
    assert certificate.private_key is not None, "an identity has a key"
    pem = [as_pem(one) for one in certificate.chain]
    files = Files(
        folder / f"{name}.pem",
        folder / f"{name}-intermediates.pem" if pem[1:] else None,
        folder / f"{name}-chain.pem",
        folder / f"{name}-key.pem",
    )
    files.leaf.write_bytes(pem[0])
    if files.intermediates is not None:
        files.intermediates.write_bytes(b"".join(pem[1:]))
    files.chain.write_bytes(b"".join(pem))
    key = load_der_private_key(certificate.private_key, None)
    files.key.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return files


def write_root(folder: Path) -> Path:
    """Write the throw-away root for an outside program's trust."""
    path = folder / "root.pem"
    path.write_bytes(as_pem(AUTHORITY.root_der))
    return path


def as_pem(der: bytes) -> bytes:
    """Write a DER certificate as PEM."""
    return x509.load_der_x509_certificate(der).public_bytes(Encoding.PEM)
