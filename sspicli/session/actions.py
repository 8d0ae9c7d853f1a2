"""The closed union of everything an actor can do: each action declared once, with the documented names.

A driver yields actions and is sent their outcomes; it never sees who runs it. Calls of the API carry their own
`perform`; what only a session can do (wait, receive, send, sleep, signal) is performed there. Each action is one
transition.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeVar

from sspicli.journal import events as ev
from sspicli.runtime.api import AsyncSspi
from sspicli.runtime.calls import HandleVariable, OutputSlot
from sspicli.runtime.oddities import NO_WORDS, PROCESS_MEMORY, UNICODE, Words
from sspicli.sspi.buffers import SecBuffer, SecBufferDesc
from sspicli.sspi.handles import Handle
from sspicli.sspi.package import QueryResult
from sspicli.sspi.status import NtStatus, SecurityStatus

if TYPE_CHECKING:
    from sspicli.runtime.call_names import CallPattern

T_co = TypeVar("T_co", covariant=True)


class ApiAction(Protocol[T_co]):
    """A call of the API: performed at once, with an outcome."""

    def perform(self, api: AsyncSspi) -> T_co:
        """Make the call."""


# -- calls of the API --------------------------------------------------------------------------------------------------
class CreateAsyncContext(NamedTuple):
    """SspiCreateAsyncContext."""

    def perform(self, api: AsyncSspi) -> Handle | None:
        """Make the call."""
        return api.create_async_context()


class FreeAsyncContext(NamedTuple):
    """SspiFreeAsyncContext."""

    handle: Handle | None

    def perform(self, api: AsyncSspi) -> None:
        """Make the call."""
        api.free_async_context(self.handle)


class ReinitAsyncContext(NamedTuple):
    """SspiReinitAsyncContext."""

    handle: Handle | None

    def perform(self, api: AsyncSspi) -> NtStatus:
        """Make the call."""
        return api.reinit_async_context(self.handle)


class SetAsyncNotifyCallback(NamedTuple):
    """SspiSetAsyncNotifyCallback; the callback is a driver over (async context, callback data), or None for NULL."""

    context: Handle | None
    callback: Callable[[Handle, object], Driver] | None
    callback_data: object = None

    def perform(self, api: AsyncSspi) -> SecurityStatus:
        """Make the call."""
        return api.set_async_notify_callback(self.context, self.callback, self.callback_data)


class AsyncContextRequiresNotify(NamedTuple):
    """SspiAsyncContextRequiresNotify."""

    async_context: Handle | None

    def perform(self, api: AsyncSspi) -> bool:
        """Make the call."""
        return api.async_context_requires_notify(self.async_context)


class GetAsyncCallStatus(NamedTuple):
    """SspiGetAsyncCallStatus."""

    handle: Handle | None

    def perform(self, api: AsyncSspi) -> SecurityStatus:
        """Make the call."""
        return api.get_async_call_status(self.handle)


class AcquireCredentialsHandle(NamedTuple):
    """SspiAcquireCredentialsHandleAsync."""

    async_context: Handle | None
    principal: str | None
    package: str
    credential_use: int
    auth_data: object | None
    credential: HandleVariable
    expiry: OutputSlot[int]
    strings: str = UNICODE
    memory: str = PROCESS_MEMORY

    def perform(self, api: AsyncSspi) -> SecurityStatus:
        """Make the call."""
        return api.acquire_credentials_handle_async(
            self.async_context,
            principal=self.principal,
            package=self.package,
            credential_use=self.credential_use,
            auth_data=self.auth_data,
            credential=self.credential,
            expiry=self.expiry,
            strings=self.strings,
            memory=self.memory,
        )


class InitializeSecurityContext(NamedTuple):
    """SspiInitializeSecurityContextAsync."""

    async_context: Handle | None
    credential: HandleVariable | None
    security_context: HandleVariable | None
    target_name: str | None
    context_requirements: int
    input: SecBufferDesc | None
    new_security_context: HandleVariable | None
    output: SecBufferDesc | None
    attributes: OutputSlot[int]
    expiry: OutputSlot[int]
    words: Words = NO_WORDS

    def perform(self, api: AsyncSspi) -> SecurityStatus:
        """Make the call."""
        return api.initialize_security_context_async(
            self.async_context,
            credential=self.credential,
            security_context=self.security_context,
            target_name=self.target_name,
            context_requirements=self.context_requirements,
            input=self.input,
            new_security_context=self.new_security_context,
            output=self.output,
            attributes=self.attributes,
            expiry=self.expiry,
            words=self.words,
        )


class AcceptSecurityContext(NamedTuple):
    """SspiAcceptSecurityContextAsync."""

    async_context: Handle | None
    credential: HandleVariable | None
    security_context: HandleVariable | None
    input: SecBufferDesc | None
    context_requirements: int
    new_security_context: HandleVariable | None
    output: SecBufferDesc | None
    attributes: OutputSlot[int]
    expiry: OutputSlot[int]
    words: Words = NO_WORDS

    def perform(self, api: AsyncSspi) -> SecurityStatus:
        """Make the call."""
        return api.accept_security_context_async(
            self.async_context,
            credential=self.credential,
            security_context=self.security_context,
            input=self.input,
            context_requirements=self.context_requirements,
            new_security_context=self.new_security_context,
            output=self.output,
            attributes=self.attributes,
            expiry=self.expiry,
            words=self.words,
        )


class DeleteSecurityContext(NamedTuple):
    """SspiDeleteSecurityContextAsync."""

    async_context: Handle | None
    security_context: HandleVariable

    def perform(self, api: AsyncSspi) -> SecurityStatus:
        """Make the call."""
        return api.delete_security_context_async(self.async_context, security_context=self.security_context)


class FreeCredentialsHandle(NamedTuple):
    """SspiFreeCredentialsHandleAsync."""

    async_context: Handle | None
    credential: HandleVariable

    def perform(self, api: AsyncSspi) -> SecurityStatus:
        """Make the call."""
        return api.free_credentials_handle_async(self.async_context, credential=self.credential)


class EncryptMessage(NamedTuple):
    """EncryptMessage, synchronous."""

    security_context: Handle | None
    message: SecBufferDesc
    qop: int = 0

    def perform(self, api: AsyncSspi) -> SecurityStatus:
        """Make the call."""
        return api.encrypt_message(self.security_context, qop=self.qop, message=self.message)


class DecryptMessage(NamedTuple):
    """DecryptMessage, synchronous."""

    security_context: Handle | None
    message: SecBufferDesc

    def perform(self, api: AsyncSspi) -> SecurityStatus:
        """Make the call."""
        return api.decrypt_message(self.security_context, message=self.message)


class ApplyControlToken(NamedTuple):
    """ApplyControlToken, synchronous; not available in kernel mode."""

    security_context: Handle | None
    input: SecBufferDesc | None

    def perform(self, api: AsyncSspi) -> SecurityStatus:
        """Make the call."""
        return api.apply_control_token(self.security_context, input=self.input)


class QueryContextAttributes(NamedTuple):
    """QueryContextAttributes, synchronous."""

    security_context: Handle | None
    attribute: int

    def perform(self, api: AsyncSspi) -> QueryResult:
        """Make the call."""
        return api.query_context_attributes(self.security_context, attribute=self.attribute)


class SetContextAttributes(NamedTuple):
    """SetContextAttributes, synchronous."""

    security_context: Handle | None
    attribute: int
    fields: Mapping[str, object]

    def perform(self, api: AsyncSspi) -> SecurityStatus:
        """Make the call."""
        return api.set_context_attributes(self.security_context, attribute=self.attribute, fields=self.fields)


class FreeContextBuffer(NamedTuple):
    """FreeContextBuffer, synchronous: release what the package allocated for this descriptor's buffers."""

    buffers: SecBufferDesc

    def perform(self, api: AsyncSspi) -> int:
        """Make the call."""
        return api.free_context_buffers(self.buffers)


class FreeMemory(NamedTuple):
    """Release a descriptor's buffers with `function`, such as ExFreePool, whoever allocated them."""

    buffers: SecBufferDesc
    function: str

    def perform(self, api: AsyncSspi) -> int:
        """Make the call."""
        return api.free_memory(self.buffers, function=self.function)


class TouchBuffer(NamedTuple):
    """Read, write or free a buffer, or all of a descriptor: what a careless caller does while a call is pending.

    A write without `data` inverts every byte.
    """

    target: SecBuffer | SecBufferDesc
    act: str
    data: bytes | None = None

    def perform(self, api: AsyncSspi) -> None:
        """Do it."""
        api.touch_buffer(self.target, act=self.act, data=self.data)


# -- what a session does -----------------------------------------------------------------------------------------------
class Connect(NamedTuple):
    """Begin connection `number` on the wire, or go back to it: what is sent and received from now on belongs to it.

    This moves the endpoint with all its programs; its legs go on counting where they were.
    """

    number: int


class Send(NamedTuple):
    """Put bytes on the wire: a token, which makes it a leg, or protected data."""

    data: bytes
    is_token: bool


class Receive(NamedTuple):
    """Wait for bytes from the peer; b"" once it has closed and nothing is left."""


class Close(NamedTuple):
    """Close the sending side of the wire."""


class Wait(NamedTuple):
    """Wait until a signal was raised, and take what it was raised with."""

    signal: Signal


class Raise(NamedTuple):
    """Raise a signal with a status."""

    signal: Signal
    status: SecurityStatus


class Sleep(NamedTuple):
    """Let virtual time pass: `ticks` microseconds of the stepped clock."""

    ticks: int


class StandBy(NamedTuple):
    """Let all else that may happen go first, timers too, unless the chooser says otherwise; it takes no time."""


class Hold(NamedTuple):
    """Let no such call complete until it is released; the outcome is how many that could complete are held now."""

    pattern: CallPattern


class Release(NamedTuple):
    """Let such held calls complete, when the chooser says; the outcome is how many, None with a note for no hold."""

    pattern: CallPattern


class Complete(NamedTuple):
    """Let the first such call complete as the very next transition, held or not; the outcome is whether there is one.

    What follows its completion, its callback too, is the chooser's to order again.
    """

    pattern: CallPattern


class Note(NamedTuple):
    """Put a sentence on record."""

    text: str

    def event(self) -> ev.Event:
        """Give what goes on record."""
        return ev.NoteMade(self.text)


# What no call shows: a program says so, and nothing but the record comes of it.
class EndCallbackData(NamedTuple):
    """End the life of what was registered as callback data of an async context; `name` is the program's own for it."""

    async_context: Handle | None
    name: str

    def event(self) -> ev.Event:
        """Give what goes on record."""
        return ev.CallbackDataDied(self.async_context, self.name)


class TakeLock(NamedTuple):
    """Take a lock of the program; nobody is made to wait for it here: that two would is what the verifier derives."""

    name: str

    def event(self) -> ev.Event:
        """Give what goes on record."""
        return ev.LockTaken(self.name)


class ReleaseLock(NamedTuple):
    """Release a lock of the program."""

    name: str

    def event(self) -> ev.Event:
        """Give what goes on record."""
        return ev.LockReleased(self.name)


class TakeStep(NamedTuple):
    """Put on record that a step is taken now: its id, and its own words; what it leads to has that record as cause."""

    step: str
    words: str

    def event(self) -> ev.Event:
        """Give what goes on record."""
        return ev.ActionTaken(self.step, self.words)


Action = (
    CreateAsyncContext
    | FreeAsyncContext
    | ReinitAsyncContext
    | SetAsyncNotifyCallback
    | AsyncContextRequiresNotify
    | GetAsyncCallStatus
    | AcquireCredentialsHandle
    | InitializeSecurityContext
    | AcceptSecurityContext
    | DeleteSecurityContext
    | FreeCredentialsHandle
    | EncryptMessage
    | DecryptMessage
    | ApplyControlToken
    | QueryContextAttributes
    | SetContextAttributes
    | FreeContextBuffer
    | FreeMemory
    | TouchBuffer
    | Connect
    | Send
    | Receive
    | Close
    | Wait
    | Raise
    | Sleep
    | StandBy
    | Hold
    | Release
    | Complete
    | Note
    | TakeStep
    | EndCallbackData
    | TakeLock
    | ReleaseLock
)

Driver = Generator[Action, object, None]
"""A program over actions: a one-shot handshake, a callback's body, a scenario's steps."""

T = TypeVar("T")
Doing = Generator[Action, object, T]


class Signal:
    """A synchronisation event of one endpoint: raised by a callback, awaited by its programs, which take turns.

    One that a step of a program raises, and no callback, is not `of_callback`.
    """

    __slots__ = ("name", "of_callback", "raised", "waiters")

    def __init__(self, name: str, *, of_callback: bool = True) -> None:
        self.name = name
        self.of_callback = of_callback
        self.raised: list[tuple[SecurityStatus, int]] = []
        self.waiters: list[object] = []


def do(action: ApiAction[T]) -> Doing[T]:
    """Perform a call of the API, with its outcome's type."""
    return (yield action)  # type: ignore[return-value, misc]


def receive() -> Doing[bytes]:
    """Wait for bytes from the peer."""
    return (yield Receive())  # type: ignore[return-value]


def wait(signal: Signal) -> Doing[SecurityStatus]:
    """Wait for a signal."""
    return (yield Wait(signal))  # type: ignore[return-value]
