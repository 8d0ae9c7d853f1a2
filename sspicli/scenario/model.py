"""The format of a scenario, `sspi-async/scenario/1`: its parts, each key declared once.

The checker, the JSON schema that editors use, the template of `scenario new` and the manual page are made from these
classes; the steps of programs stand in `steps.py`, the types of values in `words.py`. Where a scenario is silent it
means what the command line means: `session` is the options of `handshake`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag, model_validator

from sspicli.scenario.certificate import Settings
from sspicli.scenario.shapes import BufferExpected, CallExpected
from sspicli.scenario.steps import ProgramStep
from sspicli.scenario.words import (
    AlertName,
    AsText,
    CallName,
    CallPattern,
    Calls,
    Flag,
    Hex,
    Int,
    Part,
    Size,
    Status,
    Text,
    kebab,
    wrong,
)
from sspicli.sspi.status import SecurityStatus

SCHEMA = "sspi-async/scenario/1"

TagWord = Annotated[Text, Field(pattern=r"^[A-Za-z0-9][\w.-]{0,63}$")]
Code = Annotated[Text, Field(pattern=r"^[A-DP]\d{3}$", description="The code of a misuse rule.")]
Scalar = str | int | float | bool | None
Reason = Annotated[Text, Field(json_schema_extra={"minLength": 1})]
Side = Literal["client", "server"]


# -- what is run -------------------------------------------------------------------------------------------------------
class SessionPart(Part):
    """The session between the two endpoints: what the options of `handshake` say."""

    package: Text = "schannel"
    """Security package, by its SSPI name."""
    tls: Annotated[Literal["1.2", "1.3"], AsText] | None = None
    """TLS version of both sides; both versions are on when it is left out."""
    mode: Literal["callback", "poll", "sample"] = "callback"
    """How the shipped drivers learn of completion."""
    messages: Annotated[Int, Field(ge=0, le=10_000)] = 0
    """Messages that each side protects and sends after the handshake."""
    client: Settings = {}
    """Settings of the client: those of --client; cert may be a description."""
    server: Settings = {}
    """Settings of the server: those of --server; cert may be a description."""


class SchedulePart(Part):
    """Which of the things that may happen next does."""

    completion: Literal["inline", "pending", "random"] = "pending"
    """When calls complete: before the queueing function returns, after it, or by the seed."""
    order: Literal["fifo", "lifo", "seed"] | list[Calls] = "fifo"
    """In what order pending calls complete; a list is that order, call by call."""
    calls: dict[Calls, Literal["inline", "pending"]] = {}
    """When single calls complete, whatever `completion` says."""
    seed: Annotated[Int, Field(ge=0)] = 0
    """Seed of keys and of choices."""
    workers: Annotated[Int, Field(ge=0, le=64)] = 0
    """Worker threads that complete calls; 0 is stepped, in virtual time."""
    choices: Text | None = None
    """Exactly these choices: the schedule that an earlier run printed."""


class TamperPart(Part):
    """Change bytes of a leg, by offset or by the path of a field."""

    at: Int | None = None
    """Offset of the first byte; a negative one counts from the end."""
    field: Text | None = None
    """Path of a field, such as ServerHello.random."""
    xor: Hex | None = None
    """Flip these bits."""
    bytes: Hex | None = None
    """Put these bytes there instead."""


class FaultPart(Part):
    """One fault: which call or which leg, and what befalls it."""

    call: CallName | None = None
    """The call that it befalls."""
    leg: Annotated[Int, Field(ge=1)] | None = None
    """The leg that it befalls."""
    handshake: Annotated[Int, Field(ge=1)] | None = None
    """The leg's connection; the first when left out."""
    is_null: Flag = False
    """create: return NULL."""
    refuse: Status | None = None
    """Refuse the call at queueing, with this status."""
    fail: Status | None = None
    """Let the call complete with this status."""
    hang: Flag = False
    """Let the call never complete."""
    delay: Annotated[Int, Field(ge=0, le=10**12)] | None = None
    """Let it complete, or arrive, so many ticks later."""
    tamper: TamperPart | None = None
    """Change bytes of the leg."""
    truncate: Annotated[Int, Field(ge=0)] | None = None
    """Keep only so many bytes of the leg."""
    extend: Hex | None = None
    """Add these bytes to the leg."""
    split: Annotated[list[Annotated[Int, Field(ge=1)]], Field(min_length=1)] | None = None
    """Deliver the leg in pieces, cut at these offsets."""
    join: Flag = False
    """Deliver the leg together with what its sender sends next."""
    drop: Flag = False
    """Lose the leg."""
    duplicate: Flag = False
    """Deliver the leg twice."""
    swap: Flag = False
    """Deliver the leg after what its sender sends next."""

    @model_validator(mode="after")
    def _one_act(self) -> FaultPart:
        if (self.call is None) == (self.leg is None):
            raise wrong("a fault befalls a call or a leg", "give it one of call: and leg:")
        if len(self.acts()) != 1:
            raise wrong("a fault does one thing", f"give it one of {', '.join(map(kebab, _ACTS))}")
        return self

    def mapping(self) -> dict[str, Any]:
        """Give the fault as `session/fault_words.py` takes it: plain words and numbers."""
        act = self.acts()[0]
        value = getattr(self, act)
        if isinstance(value, TamperPart):
            value = {key: _plain(one) for key, one in value.model_dump(exclude_none=True).items()}
        subject: dict[str, Any] = {"call": str(self.call)} if self.call else {"leg": self.leg}
        also = {} if self.handshake is None else {"handshake": self.handshake}
        return {**subject, **also, act.removeprefix("is_"): _plain(value)}

    def acts(self) -> list[str]:
        """List what it does; one thing, in a scenario that was checked."""
        return [name for name in _ACTS if getattr(self, name) is not None and getattr(self, name) is not False]


def _plain(value: Any) -> Any:
    """Write bytes in hex and a status by its name."""
    return value.hex() if isinstance(value, bytes) else value.name if isinstance(value, SecurityStatus) else value


_ACTS = (
    "is_null", "refuse", "fail", "hang", "delay", "tamper", "truncate", "extend", "split", "join", "drop", "duplicate",
    "swap",
)  # fmt: skip


# -- what is expected --------------------------------------------------------------------------------------------------
class TokenExpected(Part):
    """What is expected of a leg's token."""

    size: Size | None = None
    """Its bytes."""
    messages: list[Text] | None = None
    """The names of its messages: exactly these, in their order."""
    contains: list[Text] | None = None
    """Messages that are among them."""
    lacks: list[Text] | None = None
    """Messages that are not."""
    fields: dict[Text, Any] | None = None
    """Fields by their paths: the value as `decode` writes it."""


class LegExpected(Part):
    """What is expected of a leg: its token, and the statuses of both ends around it."""

    client: Status | None = None
    """The client's call: the one that made the token, or the one that took it."""
    server: Status | None = None
    """The server's call."""
    sender: Side | None = None
    """Who sent it."""
    token: TokenExpected | None = None
    alert: AlertName | Literal["none"] | None = None
    """The TLS alert in it."""


class LegCheck(Part):
    """Look at one leg."""

    leg: Annotated[Int, Field(ge=1)]
    """The leg, from 1."""
    connection: Annotated[Int, Field(ge=1)] | None = None
    """Its connection; the last when left out."""
    expect: LegExpected


class CallCheck(Part):
    """Look at one call, and at what came of it."""

    call: CallName
    connection: Annotated[Int, Field(ge=1)] | None = None
    """Count the calls of this connection; of the whole run when left out."""
    expect: CallExpected


class AttributeCheck(Part):
    """Look at what QueryContextAttributes told a side."""

    attribute: Text
    """SECPKG_ATTR_*, with or without its prefix."""
    side: Side
    expect: dict[Text, Any]
    """Members of the structure, by their documented names; `status` is its status."""


_CHECKS = {"leg": LegCheck, "call": CallCheck, "attribute": AttributeCheck}


def _which(value: object) -> str | None:
    """Tell by its key which check a mapping is."""
    if isinstance(value, Part):
        return next((key for key, kind in _CHECKS.items() if isinstance(value, kind)), None)
    found = [key for key in _CHECKS if isinstance(value, Mapping) and key in value]
    return found[0] if len(found) == 1 else None


Checkpoint = Annotated[
    Annotated[LegCheck, Tag("leg")] | Annotated[CallCheck, Tag("call")] | Annotated[AttributeCheck, Tag("attribute")],
    Discriminator(_which, custom_error_type="no_check", custom_error_message="this looks at nothing"),
]


class RunExpected(Part):
    """What is expected of the whole run."""

    verdict: Literal["ok", "failed", "stuck"] | None = None
    """What it comes to; ok, where nothing that is expected names a failure."""
    client: Status | None = None
    """The status that the client's handshake ends with."""
    server: Status | None = None
    """The status that the server's handshake ends with."""
    failed: Side | None = None
    """The side that failed first."""
    at_leg: Annotated[Int, Field(ge=0)] | None = None
    """The leg at which it failed."""
    alert: AlertName | Literal["none"] | None = None
    """The alert that decided it."""
    field: Text | None = None
    """The field that decided it."""
    protocol: Text | None = None
    """Such as TLS 1.3."""
    cipher_suite: Text | None = None
    """The IANA name."""
    group: Text | None = None
    """The key exchange group."""
    alpn: Text | None = None
    """The application protocol, as the client was told."""
    resumed: Flag | None = None
    """Whether the last handshake was a resumption."""
    legs: Size | None = None
    """How many legs."""
    calls: Size | None = None
    """How many calls were queued."""
    callbacks: Size | None = None
    """How many notify callbacks were called."""
    granted: dict[Side, list[Text]] | None = None
    """Context attributes that are among those granted."""
    findings: list[Code] | None = None
    """The misuse rules that are broken: exactly these."""
    waits: list[Text] | None = None
    """Parts of the wait chain of a stuck run."""
    document: dict[Text, Any] | None = None
    """Members of the document of `handshake -f json`, by path, such as legs.0.bytes."""


class VerifyPart(Part):
    """How the misuse rules are held against the run."""

    ignore: dict[Code, Text] = {}
    """Rules that may be broken, each with the reason; one that is not broken is an error."""
    strict: Flag = False
    """Let warnings count too."""
    off: Flag = False
    """Do not hold them against the run at all."""


# -- the whole ---------------------------------------------------------------------------------------------------------
class Scenario(Part):
    """A handshake, or any sequence of calls, and what is to be seen of it."""

    schema_: Literal["sspi-async/scenario/1"]
    """The version of the format."""
    name: Annotated[Text, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]
    """What it shows, in a sentence."""
    description: Text = ""
    """More about it."""
    tags: list[TagWord] = []
    """Words to choose it by."""
    matrix: dict[Text, Annotated[list[Scalar], Field(min_length=1)]] = {}
    """Variables with several values: a case for each choice of them."""
    variables: dict[Text, Scalar] = {}
    """Variables: $name stands for a whole value anywhere below; $$name is the text $name."""
    skip: Reason | None = None
    """Why it is not run."""
    xfail: Reason | None = None
    """Why it is expected to fail."""
    timeout: Annotated[float, Field(strict=True, gt=0, le=86_400)] = 30.0
    """Seconds of virtual time until it counts as stuck."""
    clock: Text | None = None
    """The UTC time that certificates are made for and judged at, such as 2026-11-22T12:00:00Z."""
    session: SessionPart = SessionPart()
    schedule: SchedulePart = SchedulePart()
    faults: list[FaultPart] = []
    """What misbehaves."""
    programs: dict[
        Annotated[Text, Field(pattern=r"^(client|server)(\.[a-z][a-z0-9-]{0,31})?$")], list[ProgramStep]
    ] = {}
    """What an endpoint does, step by step, instead of the shipped driver; client.NAME is another thread of it."""
    steps: list[Checkpoint] = []
    """What is to be seen on the way."""
    expect: RunExpected = RunExpected()
    """What is to be seen of the whole."""
    verify: VerifyPart = VerifyPart()


__all__ = ["SCHEMA", "BufferExpected", "CallPattern", "Scenario"]
