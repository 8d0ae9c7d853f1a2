"""Calls under way, and the out-parameters that belong to them until they complete.

On Windows the memory of a queued call's out-parameters belongs to the call until it completes. An `OutputSlot` is such
a variable of the caller: reading or writing it while a call owns it is possible, as it is there, and goes on record.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from time import perf_counter_ns
from typing import Generic, NamedTuple, Protocol, TypeVar

from sspicli.journal.events import Event
from sspicli.sspi.buffers import BufferImage, BufferWrite, SecBufferDesc
from sspicli.sspi.functions import Function
from sspicli.sspi.handles import Handle
from sspicli.sspi.lifecycle import Phase
from sspicli.sspi.package import Credential, Evidence, SecurityContext, Source
from sspicli.sspi.status import SecurityStatus

T = TypeVar("T")
Images = tuple[BufferImage, ...]

NotifyCallback = Callable[[Handle, object], "Generator[object, object, None] | None"]
"""SspiAsyncNotifyCallback: takes the async context and the callback data. Its body may be a generator of actions."""


class OutputSlot(Generic[T]):
    """One out-parameter variable, such as phNewContext; `initial` is what it holds before any call.

    A caller uses `value`. `held` and `owner` are the runtime's: what the variable holds, off the record, and the call
    that owns it from queueing to completion.
    """

    __slots__ = ("held", "name", "owner")

    def __init__(self, name: str, initial: T) -> None:
        self.name = name
        self.held = initial
        self.owner: PendingCall | None = None

    @property
    def value(self) -> T:
        """What the variable holds; reading it while a call owns it is recorded."""
        if self.owner is not None:
            self._use_early(self.owner, is_write=False)
        return self.held

    @value.setter
    def value(self, value: T) -> None:
        if self.owner is not None:
            self._use_early(self.owner, is_write=True)
        self.held = value

    def _use_early(self, owner: PendingCall, *, is_write: bool) -> None:
        assert owner.on_early_use is not None, "a call that owns a variable is under way"
        owner.on_early_use(owner, self.name, is_write=is_write)


HandleVariable = OutputSlot[Handle | None]
"""A CredHandle or CtxtHandle variable of the caller."""


class AsyncContext:
    """What an async context's handle stands for: its phase, its registration, and the one call it tracks."""

    __slots__ = ("call", "callback", "callback_actor", "callback_data", "handle", "phase")

    def __init__(self, handle: Handle) -> None:
        self.handle = handle
        self.callback_actor = f"{handle}.callback"
        self.phase = Phase.IDLE
        self.callback: NotifyCallback | None = None
        self.callback_data: object = None
        self.call: PendingCall | None = None


class CallResult(NamedTuple):
    """What a call's work came to, before anything was written to its caller."""

    status: SecurityStatus
    input_writes: tuple[BufferWrite, ...] = ()
    output_writes: tuple[BufferWrite, ...] = ()
    attributes: int = 0
    expiry: int = 0
    evidence: Evidence | None = None
    secrets: tuple[str, ...] = ()
    new_credential: Credential | None = None
    new_security_context: SecurityContext | None = None


class Settled(NamedTuple):
    """What a completion changed: the handle the call was about, and the birth or death of one, if any."""

    handle: Handle | None
    event: Event | None = None


class Work(Protocol):
    """What a queued call does (see `work.py`)."""

    def compute(self) -> CallResult:
        """Do it, on whatever thread."""

    def settle(self, call: PendingCall, result: CallResult) -> Settled:
        """Change what its completion changes, on the session's thread."""


class EarlyUse(Protocol):
    """What to do when a caller uses an out-parameter that a call still owns."""

    def __call__(self, call: PendingCall, parameter: str, *, is_write: bool) -> None:
        """Put it on record."""


class PendingCall:
    """One queued call, from queueing to settlement.

    `work` computes it, on whatever thread, and settles it at completion (see `work.py`).
    """

    __slots__ = (
        "async_context",
        "callback",
        "callback_data",
        "engine_nanoseconds",
        "function",
        "handle",
        "has_returned",
        "input",
        "input_images",
        "number",
        "on_early_use",
        "output",
        "output_images",
        "queued",
        "result",
        "slots",
        "status",
        "work",
    )

    def __init__(
        self,
        handle: Handle,
        function: Function,
        async_context: AsyncContext,
        work: Work,
        on_early_use: EarlyUse,
    ) -> None:
        self.on_early_use: EarlyUse | None = on_early_use  # None once it has completed: then nothing is early
        self.handle = handle
        self.function = function
        self.async_context = async_context
        self.callback = async_context.callback
        self.callback_data = async_context.callback_data
        self.work = work
        self.input: SecBufferDesc | None = None
        self.output: SecBufferDesc | None = None
        self.input_images: Images | None = None
        self.output_images: Images | None = None
        self.slots: tuple[OutputSlot[Handle | None] | OutputSlot[int], ...] = ()
        self.queued = 0
        self.number = 0  # of its function, by its actor; 0 where nobody counts (see `call_names.py`)
        self.has_returned = False
        self.status = SecurityStatus.SEC_I_ASYNC_CALL_PENDING
        self.result: CallResult | None = None
        self.engine_nanoseconds = 0

    def compute(self) -> CallResult:
        """Do the work once, on whatever thread, and keep the result; an engine's own bug is a status, not a crash."""
        began = perf_counter_ns()
        try:
            result = self.work.compute()
        except Exception as error:
            words = f"{type(error).__name__}: {error}"
            evidence = Evidence("", Source.INFERRED, words, detail="the engine let an exception out")
            result = CallResult(SecurityStatus.SEC_E_INTERNAL_ERROR, evidence=evidence)
        self.engine_nanoseconds = perf_counter_ns() - began
        self.result = result
        return result
