"""Two Schannel endpoints driven directly on the package: no runtime, no journal, and a byte string for a wire."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from sspicli.packages.certificates import Authority
from sspicli.packages.schannel import SchannelCredential, SchannelPackage
from sspicli.sspi.buffers import BufferImage, BufferType, BufferWrite
from sspicli.sspi.flags import AscReq, IscReq
from sspicli.sspi.package import AcquireRequest, AlertSeen, Evidence, LegRequest, LegResult, MessageResult, Role
from sspicli.sspi.schannel import CertContext, SchCredentials, alpn_buffer
from sspicli.sspi.status import SecurityStatus

CLOCK = 1_790_000_000
TARGET = "server.example"
AUTHORITY = Authority.create(seed=7, clock=CLOCK)
OUTBOUND, INBOUND = 2, 1
TLS12_ONLY = {"disabled_protocols": 0x3000}
TLS13_ONLY = {"disabled_protocols": 0x0C00}

CLIENT_FLAGS = int(IscReq.EXTENDED_ERROR | IscReq.ALLOCATE_MEMORY)
SERVER_FLAGS = int(AscReq.EXTENDED_ERROR | AscReq.ALLOCATE_MEMORY)

EMPTY = BufferImage(BufferType.EMPTY, 0, None)
TOKEN_AND_ALERT = (BufferImage(BufferType.TOKEN, 0, None), BufferImage(BufferType.ALERT, 0, None))


@lru_cache
def certificate(
    preset: str = "valid", key: str = "ed25519", *, name: str = TARGET, usage: str = "server"
) -> CertContext:
    return AUTHORITY.issue(preset, key, name=name, usage=usage)


def credentials(**changes: object) -> SchCredentials:
    """A credential structure that trusts the test authority, at the test clock."""
    settings: dict[str, object] = {
        "root_store": (AUTHORITY.root_der,),
        "clock": CLOCK,
        "groups": ("x25519",),
        **changes,
    }
    return SchCredentials(**settings)  # type: ignore[arg-type]


def acquire(auth: SchCredentials | None, use: int, *, kernel_mode: bool = True) -> SchannelCredential:
    result = SchannelPackage(kernel_mode=kernel_mode).acquire(AcquireRequest(None, use, auth))
    assert result.status is SecurityStatus.SEC_E_OK, result
    assert isinstance(result.credential, SchannelCredential)
    return result.credential


def token_buffers(data: bytes) -> tuple[BufferImage, ...]:
    return (BufferImage(BufferType.TOKEN, len(data), data), EMPTY)


def written(writes: tuple[BufferWrite, ...], kind: int) -> BufferWrite | None:
    return next((one for one in writes if one.buffer_type == kind), None)


@dataclass
class Leg:
    """One call: who made it, and what came of it."""

    role: Role
    result: LegResult
    given: int

    @property
    def status(self) -> SecurityStatus:
        return self.result.status

    @property
    def token(self) -> bytes:
        write = written(self.result.output_writes, BufferType.TOKEN)
        return b"" if write is None or write.data is None else write.data

    @property
    def alert(self) -> bytes:
        write = written(self.result.output_writes, BufferType.ALERT)
        return b"" if write is None or write.data is None else write.data

    @property
    def extra(self) -> int:
        write = written(self.result.input_writes, BufferType.EXTRA)
        return 0 if write is None else write.size

    @property
    def missing(self) -> int | None:
        write = written(self.result.input_writes, BufferType.MISSING)
        return None if write is None else write.size

    @property
    def sent(self) -> AlertSeen:
        """The alert that the evidence says was made."""
        assert self.evidence.alert_sent is not None
        return self.evidence.alert_sent

    @property
    def received(self) -> AlertSeen:
        """The alert that the evidence says came."""
        assert self.evidence.alert_received is not None
        return self.evidence.alert_received

    @property
    def evidence(self) -> Evidence:
        assert self.result.evidence is not None, f"{self.status} carries no evidence"
        return self.result.evidence


@dataclass
class End:
    """One side: its handles, its flags, and the bytes that arrived and were not consumed."""

    role: Role
    credential: SchannelCredential
    flags: int
    target: str | None = None
    protocols: tuple[str, ...] = ()
    inbox: bytes = b""
    legs: list[Leg] = field(default_factory=list)
    secrets: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.context = self.credential.open(self.role)

    @property
    def status(self) -> SecurityStatus | None:
        return self.legs[-1].status if self.legs else None

    @property
    def statuses(self) -> list[str]:
        return [leg.status.name for leg in self.legs]

    @property
    def last(self) -> Leg:
        return self.legs[-1]

    @property
    def is_done(self) -> bool:
        return self.status is SecurityStatus.SEC_E_OK

    @property
    def has_ended(self) -> bool:
        return self.status not in (None, *_GOING_ON)

    def ask(self, attribute: int) -> dict[str, Any]:
        """The fields of an attribute that is answered."""
        result = self.context.query(attribute)
        assert result.status is SecurityStatus.SEC_E_OK, result
        return result.fields

    def call(
        self,
        input: tuple[BufferImage, ...] | None,
        *,
        output: tuple[BufferImage, ...] | None = TOKEN_AND_ALERT,
        flags: int | None = None,
        credential: SchannelCredential | None = None,
    ) -> Leg:
        """Make one call with whatever shape is given."""
        request = LegRequest(
            input, output, self.flags if flags is None else flags, self.target, credential or self.credential
        )
        given = sum(one.size for one in input or () if one.buffer_type == BufferType.TOKEN)
        leg = Leg(self.role, self.context.step(request), given)
        self.legs.append(leg)
        self.secrets += leg.result.secrets
        return leg

    def begin(self) -> Leg:
        """Make a client's first call."""
        return self.call(self._protocol_buffers() or None)

    def take(self, data: bytes, *, flags: int | None = None) -> Leg:
        """Pass everything that arrived and was not consumed, and keep what this call leaves."""
        self.inbox += data
        buffers = token_buffers(self.inbox)
        if self.role is Role.SERVER and not any(leg.status in _MADE_CONTEXT for leg in self.legs):
            buffers += self._protocol_buffers()
        leg = self.call(buffers, flags=flags)
        if leg.status in (SecurityStatus.SEC_E_OK, SecurityStatus.SEC_I_CONTINUE_NEEDED):
            self.inbox = self.inbox[len(self.inbox) - leg.extra :]
        return leg

    def _protocol_buffers(self) -> tuple[BufferImage, ...]:
        if not self.protocols:
            return ()
        data = alpn_buffer(self.protocols)
        return (BufferImage(BufferType.APPLICATION_PROTOCOLS, len(data), data),)


_GOING_ON = (SecurityStatus.SEC_I_CONTINUE_NEEDED, SecurityStatus.SEC_E_INCOMPLETE_MESSAGE)
_MADE_CONTEXT = (SecurityStatus.SEC_I_CONTINUE_NEEDED, SecurityStatus.SEC_E_OK)


@dataclass
class Pair:
    """A client and a server."""

    client: End
    server: End
    undelivered: bytes = b""
    legs: list[tuple[str, str]] = field(default_factory=list)

    @property
    def ends(self) -> tuple[End, End]:
        return self.client, self.server

    def run(self) -> Pair:
        """Shake hands until nobody has anything to send; each side gets what the other made."""
        token = self._note(self.client.begin())
        receiver, sender = self.server, self.client
        while token and not receiver.has_ended:
            leg = receiver.take(token)
            token = self._note(leg)
            while leg.status is SecurityStatus.SEC_I_CONTINUE_NEEDED and leg.extra:
                leg = receiver.take(b"")
                token += self._note(leg)
            receiver, sender = sender, receiver
        self.undelivered = token
        return self

    def _note(self, leg: Leg) -> bytes:
        self.legs.append((leg.role.value, leg.status.name))
        return leg.token

    def close(self) -> None:
        for end in self.ends:
            end.context.delete()


def pair(
    *,
    client: SchCredentials | SchannelCredential | None = None,
    server: SchCredentials | SchannelCredential | None = None,
    client_flags: int = 0,
    server_flags: int = 0,
    target: str | None = TARGET,
    client_protocols: tuple[str, ...] = (),
    server_protocols: tuple[str, ...] = (),
) -> Pair:
    """Make both ends; flags are added to EXTENDED_ERROR and ALLOCATE_MEMORY."""
    return Pair(
        End(Role.CLIENT, _credential(client, OUTBOUND), CLIENT_FLAGS | client_flags, target, client_protocols),
        End(Role.SERVER, _credential(server, INBOUND), SERVER_FLAGS | server_flags, None, server_protocols),
    )


def _credential(given: SchCredentials | SchannelCredential | None, use: int) -> SchannelCredential:
    if isinstance(given, SchannelCredential):
        return given
    return acquire(given or credentials(certificates=() if use == OUTBOUND else (certificate(),)), use)


def established(version: dict[str, Any] = TLS13_ONLY, *, with_tickets: bool = True) -> Pair:
    """A pair that is done, with the tickets read or still to be read."""
    both = pair(client=credentials(**version)).run()
    assert both.server.is_done
    if with_tickets and both.undelivered:
        both.client.take(both.undelivered)
    return both


def plain_buffers(data: bytes, *, header: int = 13, trailer: int = 64) -> tuple[BufferImage, ...]:
    return (
        BufferImage(BufferType.STREAM_HEADER, header, b""),
        BufferImage(BufferType.DATA, len(data), data),
        BufferImage(BufferType.STREAM_TRAILER, trailer, b""),
        EMPTY,
    )


def cipher_buffers(data: bytes) -> tuple[BufferImage, ...]:
    return (BufferImage(BufferType.DATA, len(data), data), EMPTY, EMPTY, EMPTY)


def sealed(end: End, data: bytes, qop: int = 0) -> bytes:
    """Encrypt, and give the record whole."""
    result = end.context.encrypt(plain_buffers(data, header=32), qop)
    assert result.status is SecurityStatus.SEC_E_OK, result
    return b"".join(write.data or b"" for write in result.writes)


def opened(end: End, data: bytes) -> MessageResult:
    return end.context.decrypt(cipher_buffers(data))


def shape(result: MessageResult) -> list[tuple[str, int]]:
    """The buffer types and sizes that a message call writes."""
    return [(BufferType(write.buffer_type).name, write.size) for write in result.writes]
