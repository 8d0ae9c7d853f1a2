"""The steps of a program: every act of an endpoint's own driver, each declared once.

Here are those of async contexts, for a callback has steps again, and the list of all; the others are declared in
`call_steps.py`, `data_steps.py` and `order_steps.py`.

A step's class is the declaration: its first member is the verb, its docstring the sentence of the manual page, its
members the arguments; the schema that editors use and the words on record are made from it. Variables have names. An
async context, a credential and a security context that are named for the first time come to life with the step that
makes them; the usual names are `ac`, `cred` and `ctxt`, so that a plain flow needs none. `null` is a NULL pointer, and
`foreign` an async context that SspiCreateAsyncContext never gave. `driver-ac1`, `driver-cred1` and `driver-ctxt1` are
the first that this endpoint made, whichever of its programs did: so a program may meddle with the shipped driver.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BeforeValidator, Discriminator, Tag

from sspicli.scenario import call_steps, data_steps, order_steps
from sspicli.scenario.shapes import AC, AsyncContextName
from sspicli.scenario.step import Step, verb_of
from sspicli.scenario.words import Flag, Name, NtStatusWord, Part, Status


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


STEPS: tuple[type[Step], ...] = (
    Create,
    SetCallback,
    RequiresNotify,
    GetStatus,
    Reinit,
    FreeAsync,
    call_steps.Acquire,
    call_steps.Initialize,
    call_steps.Accept,
    call_steps.Delete,
    call_steps.FreeCredential,
    call_steps.Wait,
    call_steps.Poll,
    call_steps.Handshake,
    data_steps.Connect,
    data_steps.Send,
    data_steps.Receive,
    data_steps.KeepExtra,
    data_steps.Keep,
    data_steps.Close,
    data_steps.FreeBuffers,
    data_steps.Assign,
    data_steps.Read,
    data_steps.Touch,
    order_steps.EndData,
    order_steps.Lock,
    order_steps.Unlock,
    data_steps.Query,
    data_steps.Encrypt,
    data_steps.Decrypt,
    order_steps.Hold,
    order_steps.Release,
    order_steps.Complete,
    order_steps.Sleep,
    order_steps.Signal,
    order_steps.Await,
    order_steps.Throw,
    order_steps.Note,
    order_steps.Check,
)
"""Every step, in the order of the manual page."""

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
