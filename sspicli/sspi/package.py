"""What a security package must be able to do, for the runtime to drive it.

This is the seam between the runtime and the engines: pure protocols and the values that cross it. A handshake that
fails is a value here (`LegResult.status`), never an exception; `step` never blocks on I/O and never raises for bad
input. A package never touches the caller's buffers: it returns the writes it wants, and the runtime makes them at
completion.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple, Protocol

from sspicli.sspi.buffers import BufferImage, BufferWrite
from sspicli.sspi.status import SecurityStatus


class Role(StrEnum):
    """Which side of a handshake a security context is."""

    CLIENT = "client"
    SERVER = "server"


class Source(StrEnum):
    """How we know a fact about Windows."""

    DOCUMENTED = "documented"
    OBSERVED = "observed"
    INFERRED = "inferred"


class AlertSeen(NamedTuple):
    """A TLS alert as it crossed the wire.

    `level` 1 warning, 2 fatal; `number` as registered; `encrypted` says whether the record was protected here;
    `size` is the whole record in bytes.
    """

    level: int
    number: int
    encrypted: bool
    size: int


class Evidence(NamedTuple):
    """Why a call ended with the status it has, in the engine's and in our words.

    `row` names the row of the package's status map that was applied, "" when none was; `source` says how we know that
    Windows would give this status. `words` are the engine's own. `field` is a path into the peer's message, such as
    `Certificate[0].validity.notAfter`; `detail` a sentence with the values that decided; `others` further defects that
    a second, offline look found; `difference` a sentence where the engine behaves otherwise than Windows is known to.
    """

    row: str
    source: Source
    words: str = ""
    verify_code: int | None = None
    verify_depth: int | None = None
    alert_sent: AlertSeen | None = None
    alert_received: AlertSeen | None = None
    field: str = ""
    detail: str = ""
    others: tuple[str, ...] = ()
    difference: str = ""


class LegRequest(NamedTuple):
    """The arguments of one ISC or ASC call that a package acts on.

    `input` and `output` are None for a NULL descriptor. `target_name` is given to ISC only.
    """

    input: tuple[BufferImage, ...] | None
    output: tuple[BufferImage, ...] | None
    requirements: int
    target_name: str | None
    credential: Credential | None


class LegResult(NamedTuple):
    """What one ISC or ASC call gives: written to the caller by the runtime, at completion.

    `attributes` is the word for pfContextAttr. `expiry` is Unix seconds, 0 when not known. `secrets` are NSS key-log
    lines that the leg produced, without newline. `evidence` stands with failures and with engine differences.
    """

    status: SecurityStatus
    input_writes: tuple[BufferWrite, ...] = ()
    output_writes: tuple[BufferWrite, ...] = ()
    attributes: int = 0
    expiry: int = 0
    evidence: Evidence | None = None
    secrets: tuple[str, ...] = ()


class MessageResult(NamedTuple):
    """What EncryptMessage, DecryptMessage or ApplyControlToken gives, with the writes to its one descriptor."""

    status: SecurityStatus
    writes: tuple[BufferWrite, ...] = ()
    evidence: Evidence | None = None
    secrets: tuple[str, ...] = ()


_NO_FIELDS: dict[str, object] = {}


class QueryResult(NamedTuple):
    """What QueryContextAttributes gives: a status, and the fields of the structure by their documented names.

    Values are str, int, bool, bytes or tuples of them, so that a record can carry them.
    """

    status: SecurityStatus
    fields: dict[str, object] = _NO_FIELDS


class AcquireRequest(NamedTuple):
    """The arguments of AcquireCredentialsHandle that a package acts on.

    `auth_data` is the package's own structure (for Schannel `SchCredentials`), None for NULL.
    """

    principal: str | None
    credential_use: int
    auth_data: object | None


class AcquireResult(NamedTuple):
    """What AcquireCredentialsHandle gives; `credential` is None unless the status is SEC_E_OK."""

    status: SecurityStatus
    credential: Credential | None = None
    expiry: int = 0
    evidence: Evidence | None = None


class SecurityContext(Protocol):
    """One side of one handshake, inside a package."""

    def step(self, request: LegRequest) -> LegResult:
        """Compute one ISC or ASC call."""

    def encrypt(self, buffers: tuple[BufferImage, ...], qop: int) -> MessageResult:
        """Compute EncryptMessage."""

    def decrypt(self, buffers: tuple[BufferImage, ...]) -> MessageResult:
        """Compute DecryptMessage."""

    def control(self, buffers: tuple[BufferImage, ...] | None) -> MessageResult:
        """Compute ApplyControlToken."""

    def query(self, attribute: int) -> QueryResult:
        """Compute QueryContextAttributes for the attribute with this id."""

    def set_attribute(self, attribute: int, fields: Mapping[str, object]) -> SecurityStatus:
        """Compute SetContextAttributes, with the structure's members by their documented names."""

    def delete(self) -> None:
        """Release what the engine holds; called once."""


class Credential(Protocol):
    """What AcquireCredentialsHandle made, inside a package."""

    def open(self, role: Role) -> SecurityContext:
        """Begin a security context for the first leg of a handshake."""

    def free(self) -> None:
        """Release the caller's reference; security contexts made with it live on."""


class SecurityPackage(Protocol):
    """A security package as SSPI names it, computed by an engine."""

    @property
    def name(self) -> str:
        """The name SSPI knows it by, such as `Schannel`."""

    @property
    def engine(self) -> str:
        """The engine and its version, such as `pyOpenSSL 26.4.0, OpenSSL 4.0.3`."""

    def acquire(self, request: AcquireRequest) -> AcquireResult:
        """Compute AcquireCredentialsHandle."""
