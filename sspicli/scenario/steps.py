"""The steps of a program: every act of an endpoint's own driver, each declared once.

A step's class is the declaration: its first member is the verb, its docstring the sentence of the manual page, its
members the arguments; the schema that editors use and the words on record are made from it. Variables have names. An
async context, a credential and a security context that are named for the first time come to life with the step that
makes them; the usual names are `ac`, `cred` and `ctxt`, so that a plain flow needs none. `null` is a NULL pointer, and
`foreign` an async context that SspiCreateAsyncContext never gave. `driver-ac1`, `driver-cred1` and `driver-ctxt1` are
the first that this endpoint made, whichever of its programs did: so a program may meddle with the shipped driver.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, reduce
from operator import or_
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag
from pydantic.fields import FieldInfo

from sspicli.scenario.shapes import (
    AC,
    CRED,
    CTXT,
    RECEIVED,
    AsyncContextName,
    Buffers,
    BytesFrom,
    CallExpected,
    CredentialName,
    QueryExpected,
    SecurityContextName,
)
from sspicli.scenario.words import (
    Calls,
    Flag,
    FlagName,
    Int,
    Name,
    NtStatusWord,
    Part,
    Status,
    Text,
    Ticks,
)


# -- steps -------------------------------------------------------------------------------------------------------------
class Step(Part):
    """What every step may have besides its verb."""

    title: Text | None = None
    """A word on what this step is for; it stands in reports."""
    yields: Flag = False
    """Before this step, let all else that may happen go first, timers too; a schedule may choose otherwise."""
    deliberate: Flag = False
    """What would be a slip is meant: a name that nothing makes, no connection, or a call that is not there."""

    @property
    def verb(self) -> str:
        """The step's verb, as it is written."""
        return verb_of(type(self))


def _null_word(value: object) -> object:
    """Take `expect: null` for what it says, and not for an expectation left out."""
    return "null" if value is None else value


class Create(Step):
    """SspiCreateAsyncContext: make an async context and keep its handle under a name."""

    create: Name
    expect: Annotated[Literal["handle", "null"] | None, BeforeValidator(_null_word)] = None
    """Whether there was memory for it: a handle, or null."""


class SetCallback(Step):
    """SspiSetAsyncNotifyCallback: register what is done on completion, or NULL."""

    class Arguments(Part):
        """The arguments."""

        async_context: AsyncContextName = AC
        do: list[ProgramStep] | None = []
        """The callback's body; an empty list only takes note; null registers NULL (documented for delete alone)."""
        data: Name | None = None
        """A name for the callback data, which `end-life` may end."""

    set_callback: Name | Arguments
    expect: Status | None = None
    """What it returned."""


class RequiresNotify(Step):
    """SspiAsyncContextRequiresNotify: ask whether a callback is registered."""

    requires_notify: AsyncContextName
    expect: Flag | None = None
    """What it returned."""


class GetStatus(Step):
    """SspiGetAsyncCallStatus: ask for the call status."""

    get_status: AsyncContextName
    expect: Status | None = None
    """What it returned."""


class Reinit(Step):
    """SspiReinitAsyncContext: make the async context ready for its next call."""

    reinit: AsyncContextName
    expect: NtStatusWord | None = None
    """The NTSTATUS it returned."""


class FreeAsync(Step):
    """SspiFreeAsyncContext: end the async context."""

    free_async_context: AsyncContextName


class Acquire(Step):
    """SspiAcquireCredentialsHandleAsync: queue the making of a credential from this endpoint's settings."""

    class Arguments(Part):
        """The arguments."""

        async_context: AsyncContextName = AC
        credential: Name = CRED
        """The variable that is to hold the credential."""
        use: Literal["inbound", "outbound", "both", "default"] | None = None
        """fCredentialUse; that of the endpoint's role when left out."""
        package: Text | None = None
        """pszPackage; the session's when left out."""
        principal: Text | None = None
        """pszPrincipal."""
        auth_data: Literal["settings", "null"] = "settings"
        """pvAuthData: SCH_CREDENTIALS of the endpoint's settings, or NULL."""
        strings: Literal["unicode", "narrow"] = "unicode"
        """What the strings are made of; a kernel-mode caller has Unicode."""
        memory: Literal["process", "pool"] = "process"
        """What memory they stand in; a kernel-mode caller uses process memory."""

    acquire: Arguments
    expect: CallExpected | None = None


class LegArguments(Part):
    """The arguments of SspiInitializeSecurityContextAsync and SspiAcceptSecurityContextAsync."""

    async_context: AsyncContextName = AC
    credential: CredentialName = CRED
    security_context: SecurityContextName = CTXT
    """phContext; NULL is passed while the variable holds no handle."""
    new_security_context: SecurityContextName = CTXT
    """phNewContext."""
    flags: list[FlagName] | None = None
    """fContextReq: exactly these; the endpoint's own when left out."""
    add_flags: list[FlagName] = []
    """These besides."""
    drop_flags: list[FlagName] = []
    """Without these."""
    input: Buffers = "default"
    """pInput. The documented layout is TOKEN with what was received and EMPTY, and the ALPN list on a first leg."""
    output: Buffers = "default"
    """pOutput. The documented layout is TOKEN and ALERT, for the package to allocate where that was asked for."""
    same_input: Name | None = None
    """Pass the input descriptor of the last call on this async context again, the object itself."""
    same_output: Name | None = None
    """Pass its output descriptor again."""
    reserved1: Int = 0
    """Reserved1; it is to be 0."""
    reserved2: Int = 0
    """Reserved2; it is to be 0."""
    data_representation: Int = 0
    """TargetDataRep; Schannel wants 0."""
    version: Int = 0
    """ulVersion of both descriptors; it is to be 0."""


class Initialize(Step):
    """SspiInitializeSecurityContextAsync: queue one client leg."""

    class Arguments(LegArguments):
        """The arguments."""

        target: Text | None = "default"
        """pszTargetName; null for NULL; the endpoint's own when left out."""

    init: Arguments
    expect: CallExpected | None = None


class Accept(Step):
    """SspiAcceptSecurityContextAsync: queue one server leg."""

    accept: LegArguments
    expect: CallExpected | None = None


class Delete(Step):
    """SspiDeleteSecurityContextAsync: queue the deletion of a security context."""

    class Arguments(Part):
        """The arguments."""

        async_context: AsyncContextName = AC
        security_context: Name = CTXT

    delete: Arguments
    expect: CallExpected | None = None


class FreeCredential(Step):
    """SspiFreeCredentialsHandleAsync: queue the freeing of a credential."""

    class Arguments(Part):
        """The arguments."""

        async_context: AsyncContextName = AC
        credential: Name = CRED

    free_credential: Arguments
    expect: CallExpected | None = None


class Wait(Step):
    """Wait until the notify callback of an async context has run."""

    wait: Name


class Poll(Step):
    """Ask for the call status, less and less often, until it is final."""

    class Arguments(Part):
        """The arguments."""

        async_context: AsyncContextName = AC
        pause: Annotated[Ticks, Field(ge=1)] | None = None
        """Wait so many ticks each time, as a careless driver may; twice as long each time when left out."""

    poll: Name | Arguments
    expect: Status | None = None
    """The final status."""


class Handshake(Step):
    """Make every further leg as the shipped drivers do, until the handshake has ended; the callback only notifies."""

    class Arguments(LegArguments):
        """The arguments of each leg."""

        target: Text | None = "default"
        legs: Annotated[Int, Field(ge=1, le=1000)] | None = None
        """At most so many calls."""

    handshake: Arguments
    expect: Status | None = None
    """The last call status."""


class Connect(Step):
    """Begin connection N on the wire, or go back to it."""

    connect: Annotated[Int, Field(ge=1, le=1000)]


class Send(Step):
    """Put bytes on the wire, as a token."""

    send: BytesFrom
    protected: Flag = False
    """They are protected data and make no leg."""


class Receive(Step):
    """Wait for bytes from the peer and keep them in a variable."""

    class Arguments(Part):
        """The arguments."""

        into: Name = RECEIVED
        append: Flag = False
        """Add them to what the variable holds."""

    receive: Name | Arguments


class KeepExtra(Step):
    """Keep of a variable's bytes what the last call's SECBUFFER_EXTRA says is left over."""

    keep_extra: Name


class Keep(Step):
    """Keep bytes in a variable."""

    class Arguments(Part):
        """The arguments."""

        name: Name
        bytes: BytesFrom

    keep: Arguments


class Close(Step):
    """Close the sending side of the wire."""

    close: Literal["wire"]


class FreeBuffers(Step):
    """FreeContextBuffer: release what the package allocated for the last call's output on this async context."""

    class Arguments(Part):
        """The arguments."""

        async_context: Name = AC
        with_: Text = "FreeContextBuffer"
        """The function that releases it; another one, such as ExFreePool, is a mistake to be shown."""

    free_buffers: Name | Arguments


class Touch(Step):
    """Read, write or free the memory of a buffer that was passed to the last call on an async context."""

    class Arguments(Part):
        """The arguments."""

        async_context: Name = AC
        what: Literal["input", "output"]
        buffer: Annotated[Int, Field(ge=0, le=100)] | None = None
        """Its position; all of the descriptor's buffers when left out."""
        act: Literal["read", "write", "free"]
        bytes: BytesFrom | None = None
        """What is written; every byte is inverted when left out."""

    touch: Arguments


class EndData(Step):
    """End the life of what was registered as callback data under this name."""

    class Arguments(Part):
        """The arguments."""

        async_context: AsyncContextName = AC
        name: Name

    end_data: Arguments


class Lock(Step):
    """Take a lock of the program; two holders at once are what the verifier looks for, nobody waits here."""

    lock: Name


class Unlock(Step):
    """Release a lock of the program."""

    unlock: Name


class Assign(Step):
    """Overwrite a variable: a credential's or a security context's, with another's value or with no handle."""

    class Arguments(Part):
        """The arguments."""

        variable: Name
        to: Name | None = None

    assign: Arguments


class Read(Step):
    """Read a variable that a pending call may own: credential, security context, `attributes` or `expiry`."""

    read: Name


class Query(Step):
    """QueryContextAttributes."""

    class Arguments(Part):
        """The arguments."""

        security_context: SecurityContextName = CTXT
        attribute: Text
        """SECPKG_ATTR_*, with or without its prefix."""

    query: Arguments
    expect: QueryExpected | None = None


class Encrypt(Step):
    """EncryptMessage: protect bytes; `output` holds them afterwards."""

    class Arguments(Part):
        """The arguments."""

        security_context: SecurityContextName = CTXT
        bytes: BytesFrom

    encrypt: Arguments
    expect: QueryExpected | None = None


class Decrypt(Step):
    """DecryptMessage: open what a variable holds; `plaintext` holds it afterwards, `received` what was left over."""

    class Arguments(Part):
        """The arguments."""

        security_context: SecurityContextName = CTXT
        bytes: BytesFrom = RECEIVED

    decrypt: Arguments
    expect: QueryExpected | None = None


class Hold(Step):
    """From now on let calls stay pending, whoever queues them, until `release` or `complete`."""

    hold: Calls


class Release(Step):
    """Let held calls complete when their turn comes."""

    release: Calls


class Complete(Step):
    """Let the first such call complete now, held or not, before anything else happens."""

    complete: Calls


class Sleep(Step):
    """Let virtual time pass."""

    sleep: Ticks


class Signal(Step):
    """Raise a signal of this endpoint, which `await` waits for."""

    signal: Name


class Await(Step):
    """Wait for a signal of this endpoint."""

    await_: Name


class Throw(Step):
    """Let an exception leave the notify callback; the callback ends there, and tells nobody that it ran."""

    throw: Text
    """What the exception says."""


class Note(Step):
    """Put a sentence on record."""

    note: Text


class Check(Step):
    """Hold what the records say so far against what is expected; nothing is called."""

    class Arguments(Part):
        """What is expected."""

        phase: dict[Name, Text] = {}
        """The phase of each async context: idle, pending, complete, in its callback, settled, freed."""
        callbacks: Annotated[Int, Field(ge=0)] | None = None
        """How many notify callbacks of this endpoint have been entered."""
        pending: Annotated[Int, Field(ge=0)] | None = None
        """How many calls of this endpoint are pending."""

    check: Arguments


STEPS: tuple[type[Step], ...] = (
    Create, SetCallback, RequiresNotify, GetStatus, Reinit, FreeAsync,
    Acquire, Initialize, Accept, Delete, FreeCredential,
    Wait, Poll, Handshake, Connect, Send, Receive, KeepExtra, Keep, Close,
    FreeBuffers, Assign, Read, Touch, EndData, Lock, Unlock,
    Query, Encrypt, Decrypt, Hold, Release, Complete, Sleep, Signal, Await, Throw, Note, Check,
)  # fmt: skip
"""Every step, in the order of the manual page."""


@cache
def verb_field(step: type[Step]) -> tuple[str, FieldInfo]:
    """Give a step's verb: its member's name and declaration."""
    name = next(name for name in step.__annotations__)
    return name, step.model_fields[name]


def verb_of(step: type[Step]) -> str:
    """Write a step's verb."""
    return verb_field(step)[0].rstrip("_").replace("_", "-")


VERBS: dict[str, type[Step]] = {verb_of(step): step for step in STEPS}


def _which(value: object) -> str | None:
    """Tell by its verb which step a mapping is; the others' verbs are told apart from mere arguments here."""
    if isinstance(value, Step):
        return value.verb
    found = [key for key in value if key in VERBS] if isinstance(value, Mapping) else []
    return found[0] if len(found) == 1 else None


if TYPE_CHECKING:
    ProgramStep = Step
else:
    # A union that is told apart by the verb, so that an error is about the step that was meant.
    ProgramStep = Annotated[
        reduce(or_, [Annotated[step, Tag(verb)] for verb, step in VERBS.items()]),
        Discriminator(_which, custom_error_type="no_step", custom_error_message="this is no step"),
    ]

SetCallback.Arguments.model_rebuild()
SetCallback.model_rebuild()
