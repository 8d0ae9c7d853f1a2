"""The closed union of events: everything that can have happened, each a small fact in the past tense.

Events carry handles, never objects; bytes stand in them by reference. They are NamedTuples because a run makes dozens
per handshake (about 0.3 µs each). Findings and decoded tokens are not here: they are derived from these, so that an old
recording is judged by new rules.
"""

from __future__ import annotations

from typing import NamedTuple

from sspicli.sspi.buffers import BufferImage
from sspicli.sspi.functions import Function
from sspicli.sspi.handles import Handle
from sspicli.sspi.lifecycle import Phase, Verb
from sspicli.sspi.package import Evidence, Role, Source
from sspicli.sspi.status import NtStatus, SecurityStatus

Images = tuple[BufferImage, ...]


# -- run ---------------------------------------------------------------------------------------------------------------
class RunStarted(NamedTuple):
    """A run began: who made the journal, with what engine, and every option, so that a recording is self-contained.

    `started` is UTC in ISO 8601; `clock` the Unix seconds that certificates are judged by; `options` the options by
    their command-line names. `has_secrets` says that key-log lines and plaintext are in the clear in what follows.
    """

    tool: str
    package: str
    engine: str
    platform: str
    started: str
    clock: int
    seed: int
    has_secrets: bool
    options: dict[str, object]


class HandshakeBegan(NamedTuple):
    """The acting endpoint set out on handshake `number` (from 1); a resumption has two in one run."""

    number: int


class RunEnded(NamedTuple):
    """The run ended, and who waits for what (for a stuck run).

    `finished`, `broken` (a contract was), `stuck`, `limit`, `interrupted` (Ctrl-C) or `terminated` (SIGTERM).
    """

    reason: str
    waits: tuple[str, ...]


FROM_OUTSIDE = frozenset({"interrupted", "terminated"})
"""The reasons of a run that was ended while its programs could have gone on."""


class NoteMade(NamedTuple):
    """Something a driver wanted on the record, in a sentence."""

    text: str


class ActionTaken(NamedTuple):
    """A step was taken, in the grammar's own words: the head of a causal chain.

    `step` is its id, such as `server.3` for the third step of the server's program.
    """

    step: str
    words: str


# -- async contexts ----------------------------------------------------------------------------------------------------
class AsyncContextCreated(NamedTuple):
    """SspiCreateAsyncContext returned; `async_context` is None for NULL (out of memory)."""

    async_context: Handle | None


class NotifyCallbackSet(NamedTuple):
    """SspiSetAsyncNotifyCallback returned; `is_null` for the opt-out."""

    async_context: Handle | None
    is_null: bool
    status: SecurityStatus


class NotifyRequirementQueried(NamedTuple):
    """SspiAsyncContextRequiresNotify returned."""

    async_context: Handle | None
    requires_notify: bool


class CallStatusQueried(NamedTuple):
    """SspiGetAsyncCallStatus returned; `call` is the call tracked, None when there was none."""

    async_context: Handle | None
    call: Handle | None
    status: SecurityStatus


class AsyncContextReinitialized(NamedTuple):
    """SspiReinitAsyncContext returned, with its NTSTATUS (not a SECURITY_STATUS)."""

    async_context: Handle | None
    status: NtStatus


class AsyncContextFreed(NamedTuple):
    """SspiFreeAsyncContext returned; `async_context` is None when NULL was passed."""

    async_context: Handle | None


# -- calls -------------------------------------------------------------------------------------------------------------
class CallQueued(NamedTuple):
    """One of the five queueing functions accepted a call.

    `input` and `output` are the descriptors as they were passed (None for NULL). `auth_data` describes the
    credential structure for an acquire, without its private keys. `is_silent` says that no callback is registered.
    """

    call: Handle
    function: Function
    async_context: Handle
    credential: Handle | None
    security_context: Handle | None
    target_name: str | None
    requirements: int
    input: Images | None
    output: Images | None
    is_silent: bool
    auth_data: dict[str, object] | None


class QueueingReturned(NamedTuple):
    """The queueing function of `call` returned to its caller; the call may have completed before."""

    call: Handle
    queue_status: SecurityStatus


class CallRefused(NamedTuple):
    """A queueing function refused: nothing was queued, and no callback will come."""

    function: Function
    async_context: Handle | None
    queue_status: SecurityStatus


class CallCompleted(NamedTuple):
    """A call completed: its out-parameters were written, then its final status became visible.

    `handle` is the credential or security context the call was about (the new one where it made one). `input` and
    `output` are the descriptors afterwards. `expiry` is Unix seconds, 0 when not known; `engine_nanoseconds` what the
    package took.
    """

    call: Handle
    status: SecurityStatus
    handle: Handle | None
    input: Images | None
    output: Images | None
    attributes: int
    expiry: int
    evidence: Evidence | None
    engine_nanoseconds: int


class CallHeld(NamedTuple):
    """A queued call is not to complete until it is released; `pattern` is what it was held by."""

    call: Handle
    pattern: str


class CallReleased(NamedTuple):
    """A held call may complete from now on; `pattern` is what it was released by."""

    call: Handle
    pattern: str


class OutputReadEarly(NamedTuple):
    """A caller read (`is_write` False) or wrote an out-parameter while it still belonged to a pending call."""

    call: Handle
    parameter: str
    is_write: bool


class BufferTouched(NamedTuple):
    """A caller touched a buffer that belongs to a pending call: `act` is `read`, `write` or `free`.

    `parameter` is pInput or pOutput, `place` the buffer's in it. What was done to the buffer is done: the call
    computes with what it holds now.
    """

    call: Handle
    parameter: str
    place: int
    act: str


class BufferShared(NamedTuple):
    """`call` was queued with a buffer, a descriptor or a variable that belongs to `other`, which is pending.

    `parameter` is the documented name at `call`; `place` the buffer's in its descriptor, 0 for a variable.
    """

    call: Handle
    other: Handle
    parameter: str
    place: int


class HandleUsedEarly(NamedTuple):
    """`call` was queued with a handle variable that the pending call `owner` is still to write."""

    call: Handle
    owner: Handle
    parameter: str


class ArgumentsDeviate(NamedTuple):
    """`call` was queued with arguments that are nearly always alike, and are not here.

    `arguments` holds those that are not: Reserved1, Reserved2 and TargetDataRep when not 0, `pInput.ulVersion` and
    `pOutput.ulVersion` when not 0; of an acquire pszPackage when it is not Schannel, `strings` when not `unicode`,
    and `memory` when not `process`.
    """

    call: Handle
    arguments: dict[str, object]


class AttributesRead(NamedTuple):
    """A caller read pfContextAttr of a completed `call` that was granted less than it requested.

    Where everything was granted there is nothing to find, and reading leaves no record.
    """

    call: Handle


# -- notification ------------------------------------------------------------------------------------------------------
class CallbackEntered(NamedTuple):
    """The notify callback was called for `call`."""

    call: Handle
    async_context: Handle


class CallbackReturned(NamedTuple):
    """The notify callback for `call` returned."""

    call: Handle
    async_context: Handle


class CallbackRaised(NamedTuple):
    """An exception left the notify callback for `call`; on Windows nothing above it would have handled it."""

    call: Handle
    async_context: Handle
    error: str


class CallbackWaited(NamedTuple):
    """The notify callback for `call` could not go on at once: it waits for a "signal", for "bytes" or a "timer"."""

    call: Handle
    async_context: Handle
    awaited: str


class WaitUnanswered(NamedTuple):
    """The run is stuck, and this actor still waits for a signal; `awaited` says which, in words."""

    awaited: str


# -- what no call shows: a program says so -----------------------------------------------------------------------------
class CallbackDataDied(NamedTuple):
    """A program ended the life of what it had registered as callback data of this async context; `name` is its own."""

    async_context: Handle | None
    name: str


class LockTaken(NamedTuple):
    """The actor took a lock of its program."""

    name: str


class LockReleased(NamedTuple):
    """The actor released a lock of its program."""

    name: str


# -- handles -----------------------------------------------------------------------------------------------------------
class CredentialAcquired(NamedTuple):
    """A credential handle came to life at the completion of `call`."""

    credential: Handle
    call: Handle


class CredentialFreed(NamedTuple):
    """A credential handle ended."""

    credential: Handle


class SecurityContextOpened(NamedTuple):
    """A security context came to life at the completion of `call`."""

    security_context: Handle
    role: Role
    call: Handle


class SecurityContextDeleted(NamedTuple):
    """A security context ended."""

    security_context: Handle


# -- messages and attributes, synchronous ------------------------------------------------------------------------------
class MessageEncrypted(NamedTuple):
    """EncryptMessage returned; `before` holds plaintext and counts as secret."""

    security_context: Handle | None
    status: SecurityStatus
    before: Images
    after: Images


class MessageDecrypted(NamedTuple):
    """DecryptMessage returned; `after` holds plaintext and counts as secret."""

    security_context: Handle | None
    status: SecurityStatus
    before: Images
    after: Images
    evidence: Evidence | None


class AttributeQueried(NamedTuple):
    """QueryContextAttributes returned; `fields` are the structure's members by their documented names."""

    security_context: Handle | None
    attribute: int
    status: SecurityStatus
    fields: dict[str, object]


class AttributeSet(NamedTuple):
    """SetContextAttributes returned; `fields` are the structure's members by their documented names."""

    security_context: Handle | None
    attribute: int
    status: SecurityStatus
    fields: dict[str, object]


class ControlTokenApplied(NamedTuple):
    """ApplyControlToken returned."""

    security_context: Handle | None
    status: SecurityStatus


class ContextBuffersFreed(NamedTuple):
    """FreeContextBuffer released as many buffers that the package had allocated."""

    released: int


class AllocationMisfreed(NamedTuple):
    """Buffers that the package had allocated were released, but by `function`, which is not FreeContextBuffer."""

    function: str
    released: int


# -- wire --------------------------------------------------------------------------------------------------------------
class TokenSent(NamedTuple):
    """Bytes were put on the wire: a token, which makes it leg `leg` (from 1), or protected data, with `leg` 0."""

    number: int
    leg: int
    receiver: str
    data: bytes


class TokenDelivered(NamedTuple):
    """What TokenSent `number` put on the wire reached its receiver."""

    number: int
    receiver: str


class FaultInjected(NamedTuple):
    """The fault plan acted: `kind` names the fault, `subject` what it befell, `text` how the fault was written."""

    kind: str
    subject: str
    detail: str
    text: str


class TokenForwarded(NamedTuple):
    """The fault plan put bytes on the wire for a TokenSent: what is delivered, where TokenSent is what was sent.

    `number` counts with those of TokenSent, and `leg` is the leg the bytes come from. `replaces` are the numbers that
    go no further, because these bytes go in their place; empty for what came besides. The cause is the TokenSent.
    """

    number: int
    leg: int
    receiver: str
    data: bytes
    replaces: tuple[int, ...]


class FaultMissed(NamedTuple):
    """What a fault was to befall was there, and the fault could not happen to it; `text` how the fault was written."""

    subject: str
    why: str
    text: str


# -- scheduling, secrets, contract -------------------------------------------------------------------------------------
class ChoiceMade(NamedTuple):
    """At transition `step` the chooser took option `taken` of `options`; a default choice (0) leaves no record."""

    step: int
    taken: int
    options: int


class KeyLogged(NamedTuple):
    """A key-log line of the session, NSS format: a secret."""

    security_context: Handle | None
    line: str


class ContractBroken(NamedTuple):
    """Someone did what the law leaves undefined; the actor stops here."""

    async_context: Handle | None
    phase: Phase
    verb: Verb
    inside: bool
    why: str
    source: Source
    rule: str


Event = (
    RunStarted
    | HandshakeBegan
    | RunEnded
    | NoteMade
    | ActionTaken
    | AsyncContextCreated
    | NotifyCallbackSet
    | NotifyRequirementQueried
    | CallStatusQueried
    | AsyncContextReinitialized
    | AsyncContextFreed
    | CallQueued
    | QueueingReturned
    | CallRefused
    | CallCompleted
    | CallHeld
    | CallReleased
    | OutputReadEarly
    | BufferTouched
    | BufferShared
    | HandleUsedEarly
    | ArgumentsDeviate
    | AttributesRead
    | CallbackEntered
    | CallbackReturned
    | CallbackRaised
    | CallbackWaited
    | WaitUnanswered
    | CallbackDataDied
    | LockTaken
    | LockReleased
    | CredentialAcquired
    | CredentialFreed
    | SecurityContextOpened
    | SecurityContextDeleted
    | MessageEncrypted
    | MessageDecrypted
    | AttributeQueried
    | AttributeSet
    | ControlTokenApplied
    | ContextBuffersFreed
    | AllocationMisfreed
    | TokenSent
    | TokenDelivered
    | FaultInjected
    | TokenForwarded
    | FaultMissed
    | ChoiceMade
    | KeyLogged
    | ContractBroken
)
