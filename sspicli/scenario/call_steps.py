"""The steps that queue calls, those that wait for them, and the one that makes a whole handshake of them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from sspicli.scenario.shapes import (
    AC,
    CRED,
    CTXT,
    AsyncContextName,
    Buffers,
    CallExpected,
    CredentialName,
    SecurityContextName,
)
from sspicli.scenario.step import Step
from sspicli.scenario.words import FlagName, Int, Name, Part, Status, Text, Ticks


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
