"""How a scenario describes a certificate: its keys, each declared once, and what they are turned into.

The rule guarded here: a description that was checked can be issued. What is left out is as in the preset `valid`, so
that a scenario names its defect and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any, Literal, TypedDict

from pydantic import BeforeValidator, Discriminator, Field, GetJsonSchemaHandler, Tag, WithJsonSchema
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema
from typing_extensions import TypeAliasType

from sspicli.packages.descriptions import (
    DAY,
    MOST_ISSUERS,
    MOST_NAMES,
    MOST_PADDING,
    CertificateDescription,
    CertKey,
    Issuer,
    IssuerDescription,
    KeyUsage,
    Lists,
    Sent,
    Usage,
    check_serial,
    read_duration,
    read_name,
    read_subject,
)
from sspicli.scenario.problems import Loc
from sspicli.scenario.words import Flag, Int, Part, Text, wrong
from sspicli.sspi.errors import UsageError


class _Written:
    """How a value is written, for the schema."""

    def __init__(self, **schema: object) -> None:
        self._schema = schema

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Say how it is written."""
        return dict(self._schema)


class _OneOrMany:
    """A list of words, one of them alone, or none, for the schema."""

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Say that a word may stand for a list of it."""
        words = handler(schema)
        return {"anyOf": [{"type": "string", "enum": [*words["items"]["enum"], "none"]}, words]}


def _reader(read: Callable[[str], object]) -> Callable[[object], object]:
    """Make a validator of a function that refuses with UsageError."""

    def validate(value: object) -> object:
        text = getattr(value, "text", value)
        if not isinstance(text, str):
            raise wrong("a text is wanted here")
        try:
            return read(text)
        except UsageError as error:
            raise wrong(error.message, error.help) from None

    return validate


def _subject(text: str) -> str:
    if not read_subject(text):
        raise UsageError("the subject is empty", help="leave it out, or write CN=localhost, O=Example")
    return text


def _dns_name(text: str) -> str:
    """Read a DNS name without a wildcard, as nameConstraints has it."""
    name = read_name(text)
    if "*" in name or ":" in name:
        raise UsageError(f"{text[:80]!r} is no DNS name", help="write example.test, which permits what ends in it")
    return name


def _serial(text: str) -> int:
    try:
        number = int(text, 0)
    except ValueError:
        raise UsageError(f"{text[:80]!r} is no serial number", help="write 4711 or 0x1267") from None
    check_serial(number)
    return number


def _words(value: object) -> object:
    """Take one word for a list of it, and `none` for an empty list."""
    word = getattr(value, "text", value)
    return ([] if word == "none" else [word]) if isinstance(word, str) else value


def _authority(value: object) -> object:
    """Read whether there is a basicConstraints extension, and what it says."""
    if isinstance(value, bool) or value == "none":
        return value
    raise wrong("true, false or none is wanted here", "none leaves basicConstraints out")


Duration = TypeAliasType(
    "Duration",
    Annotated[
        int,
        BeforeValidator(_reader(read_duration)),
        _Written(type="string", pattern=r"^([+-]?\d{1,12}[smhdw]|0)$", examples=["-1d", "30d", "12h", "90s"]),
    ],
)
"""A time from the clock on: `-1d`, `30d`, `12h`, `5m`, `90s`."""

Subject = Annotated[str, BeforeValidator(_reader(_subject)), _Written(type="string", examples=["CN=localhost, O=A"])]
HostName = Annotated[str, BeforeValidator(_reader(read_name)), _Written(type="string")]
PlainName = Annotated[str, BeforeValidator(_reader(_dns_name)), _Written(type="string")]
Serial = Annotated[int, BeforeValidator(_reader(_serial)), _Written(type=["integer", "string"])]
Usages = Annotated[list[Usage], BeforeValidator(_words), _OneOrMany()]
KeyUsages = Annotated[list[KeyUsage], BeforeValidator(_words), _OneOrMany()]
Constraints = Annotated[bool | Literal["none"], BeforeValidator(_authority), _Written(enum=[True, False, "none"])]


class DescribedPart(Part):
    """What any certificate is described by."""

    subject: Subject | None = None
    """Its subject, most special part first: CN, OU, O, L, ST and C."""
    not_before: Duration
    """When it begins, from the clock on."""
    not_after: Duration
    """When it ends, from the clock on."""
    key: CertKey = "ed25519"
    """Its key; rsa1024 is too weak for today's policies."""
    usage: Usages | None = None
    """Its extended key usage, a word or several; none leaves the extension out."""
    key_usage: KeyUsages | None = None
    """Its key usage; none leaves the extension out."""
    ca: Constraints
    """Whether basicConstraints calls it an authority; none leaves the extension out."""
    path_length: Annotated[Int, Field(ge=0, le=100)] | None = None
    """How many authorities may stand below it."""
    serial: Serial | None = None
    """Its serial number; one made from the seed when left out."""
    signature: Literal["good", "broken"] = "good"
    """broken: its issuer's signature does not check."""
    unknown_critical: Flag = False
    """Give it a critical extension that nobody knows."""
    revoked: Flag = False
    """Let its issuer's revocation list name it; the peer has the list, and checks."""
    padding: Annotated[Int, Field(ge=0, le=MOST_PADDING)] = 0
    """Bytes of an extension that nobody looks at, to make it large."""


class IssuerPart(DescribedPart):
    """A certificate between the root and the leaf: a good authority where it does not say otherwise."""

    not_before: Duration = Field(default=-90 * DAY, json_schema_extra={"default": "-90d"})
    """When it begins, from the clock on."""
    not_after: Duration = Field(default=365 * DAY, json_schema_extra={"default": "365d"})
    """When it ends, from the clock on."""
    ca: Constraints = True
    """Whether basicConstraints calls it an authority; none leaves the extension out."""
    permitted_names: Annotated[list[PlainName], Field(max_length=100)] = Field(default_factory=list)
    """The DNS names that may stand below it (nameConstraints)."""


def _is_list(value: object) -> str:
    return "issuers" if isinstance(value, list | tuple) else "number"


Chain = Annotated[
    Annotated[Annotated[Int, Field(ge=0, le=MOST_ISSUERS)], Tag("number")]
    | Annotated[Annotated[list[IssuerPart], Field(max_length=MOST_ISSUERS)], Tag("issuers")],
    Discriminator(_is_list),
]


class CertificatePart(DescribedPart):
    """A certificate that is described: what is left out is as in the preset `valid`."""

    not_before: Duration = Field(default=-DAY, json_schema_extra={"default": "-1d"})
    """When it begins, from the clock on."""
    not_after: Duration = Field(default=30 * DAY, json_schema_extra={"default": "30d"})
    """When it ends, from the clock on."""
    usage: Usages | None = None
    """Its extended key usage, a word or several; that of its side when left out, and none leaves the extension out."""
    ca: Constraints = False
    """Whether basicConstraints calls it an authority; none leaves the extension out."""
    names: Annotated[list[HostName], Field(max_length=MOST_NAMES)] | None = None
    """The hosts that it names, DNS names and IP addresses; the client's target when left out."""
    chain: Chain = 0
    """The certificates between it and the root: how many good ones, or each of them, its own issuer first."""
    issuer: Issuer = "throw-away"
    """The root: the one that the peer trusts, another that nobody trusts, or the certificate itself."""
    send: Sent = "chain"
    """What is sent: it and its chain, it alone, the chain in the wrong order, or the root too."""
    revocation_lists: Lists | None = None
    """The revocation lists that the peer has; it checks revocation when this is given, or something is revoked."""


def _which(value: object) -> str:
    return "described" if isinstance(value, Mapping | CertificatePart) and not isinstance(value, _Stray) else "plain"


class _Stray(dict[str, object]):
    """A mapping where none may be: let through here, and refused with its place by the table of settings."""


def _strays(settings: object) -> object:
    """Tell a certificate's mapping from others."""
    if not isinstance(settings, Mapping):
        return settings
    return {
        key: _Stray(value) if isinstance(value, Mapping) and key != "cert" else value for key, value in settings.items()
    }


Setting = Annotated[
    Annotated[CertificatePart, Tag("described")]
    | Annotated[Any, Tag("plain"), WithJsonSchema({"type": ["string", "number", "boolean", "null", "array"]})],
    Discriminator(_which),
]
"""A word, a number, a list, or for `cert` a description; held against the table of settings."""

Settings = Annotated[dict[Text, Setting], BeforeValidator(_strays)]


def description_of(part: CertificatePart) -> CertificateDescription:
    """Turn a checked part into what is issued."""
    chain = part.chain
    links = (IssuerDescription(),) * chain if isinstance(chain, int) else tuple(map(_issuer_of, chain))
    return CertificateDescription(
        **_common(part),
        names=None if part.names is None else tuple(part.names),
        chain=links,
        issuer=part.issuer,
        sent=part.send,
        lists=part.revocation_lists,
    )


def _issuer_of(part: IssuerPart) -> IssuerDescription:
    return IssuerDescription(**_common(part), permitted_names=tuple(part.permitted_names))


class _Common(TypedDict):
    """What any certificate is described by, as the descriptions name it."""

    subject: str
    not_before: int
    not_after: int
    key: CertKey
    usage: tuple[Usage, ...] | None
    key_usage: tuple[KeyUsage, ...] | None
    ca: bool | None
    path_length: int | None
    serial: int | None
    has_bad_signature: bool
    has_unknown_critical: bool
    is_revoked: bool
    padding: int


def _common(part: DescribedPart) -> _Common:
    return _Common(
        subject=part.subject or "",
        not_before=part.not_before,
        not_after=part.not_after,
        key=part.key,
        usage=None if part.usage is None else tuple(part.usage),
        key_usage=None if part.key_usage is None else tuple(part.key_usage),
        ca=part.ca if isinstance(part.ca, bool) else None,
        path_length=part.path_length,
        serial=part.serial,
        has_bad_signature=part.signature == "broken",
        has_unknown_critical=part.unknown_critical,
        is_revoked=part.revoked,
        padding=part.padding,
    )


def check_certificate(part: CertificatePart, path: Loc) -> Iterator[tuple[Loc, str, str]]:
    """List what contradicts itself in a description."""
    yield from _check_one(part, path)
    links = part.chain if isinstance(part.chain, list) else []
    for number, one in enumerate(links):
        yield from _check_one(one, (*path, "chain", number))
    if part.issuer == "self" and part.chain:
        yield (*path, "chain"), "a certificate that signs itself has no chain", "leave it out, or write issuer: other"
    if part.send in ("leaf", "reversed") and (len(links) or part.chain) in (0, []):
        yield (*path, "send"), f"there is no chain, so {part.send} has no effect", "write chain: 1 or more"
    if part.send == "with-root" and part.issuer == "self":
        yield (*path, "send"), "a certificate that signs itself has no root to send", "leave it out"


def _check_one(part: DescribedPart, path: Loc) -> Iterator[tuple[Loc, str, str]]:
    if part.not_after < part.not_before:
        yield (*path, "not-after"), "it ends before it begins", "set not-before: too"
    if part.path_length is not None and part.ca is not True:
        yield (*path, "path-length"), "only an authority has a path length", "write ca: true, or leave it out"
