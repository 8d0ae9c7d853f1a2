"""What a described certificate is: plain words, checked when it is issued.

The rule guarded here: one member says one thing, and each defect is one member set otherwise than a good certificate
has it. What is left out is as in the preset `valid`. Times are seconds from the clock. No engine is imported.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from sspicli.sspi.errors import UsageError

DAY = 86_400
CertKey = Literal["ed25519", "p256", "p384", "rsa2048", "rsa1024"]
Usage = Literal["server", "client", "code-signing", "any"]
KeyUsage = Literal["digital-signature", "key-encipherment", "key-agreement", "cert-sign", "crl-sign"]
Issuer = Literal["throw-away", "other", "self"]
Sent = Literal["chain", "leaf", "reversed", "with-root"]
Lists = Literal["current", "stale", "none"]

MOST_ISSUERS = 8
MOST_NAMES = 5_000
MOST_PADDING = 1_000_000
LONGEST_DURATION = 4_000 * 366 * DAY
_LONGEST_NAME = 253
_MOST_SERIAL_BITS = 159  # RFC 5280, 4.1.2.2: 20 bytes, positive
_LONGEST_ATTRIBUTE = 64  # ub-common-name and its like, RFC 5280 appendix A.1
_UNITS = MappingProxyType({"s": 1, "m": 60, "h": 3_600, "d": DAY, "w": 7 * DAY})
_ATTRIBUTES = ("CN", "O", "OU", "L", "ST", "C")
_PART = re.compile(r"\s*([A-Za-z]+)\s*=\s*((?:[^,\\]|\\[,\\])+?)\s*(?:,|\Z)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """What any certificate is described by.

    `subject` is empty for a name of its own. `usage` and `key_usage` are None for what a certificate of its place has,
    empty for no such extension; `ca` is None for no basicConstraints. `serial` is None for one made from the seed.
    `padding` is the size of an extension that nobody looks at.
    """

    subject: str = ""
    not_before: int
    not_after: int
    key: CertKey = "ed25519"
    usage: tuple[Usage, ...] | None = None
    key_usage: tuple[KeyUsage, ...] | None = None
    ca: bool | None
    path_length: int | None = None
    serial: int | None = None
    has_bad_signature: bool = False
    has_unknown_critical: bool = False
    is_revoked: bool = False
    padding: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuerDescription(Described):
    """A certificate between the root and the leaf; `permitted_names` are the dNSNames of its nameConstraints."""

    not_before: int = -90 * DAY
    not_after: int = 365 * DAY
    ca: bool | None = True
    permitted_names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateDescription(Described):
    """The certificate of an endpoint, and the chain above it.

    `names` is None for the name that a good certificate has. `chain` is from the leaf's issuer upwards, without the
    root. `issuer` is the root at its end: the one that the peer trusts, another, or the certificate itself. `sent` is
    what the endpoint sends. `lists` is which revocation lists the peer has: None when it does not check revocation,
    unless something is revoked.
    """

    not_before: int = -DAY
    not_after: int = 30 * DAY
    ca: bool | None = False
    names: tuple[str, ...] | None = None
    chain: tuple[IssuerDescription, ...] = ()
    issuer: Issuer = "throw-away"
    sent: Sent = "chain"
    lists: Lists | None = None

    @property
    def has_revoked_issuer(self) -> bool:
        """Whether a certificate above the leaf is revoked."""
        return any(one.is_revoked for one in self.chain)

    @property
    def checks_revocation(self) -> bool:
        """Whether the peer is to check revocation."""
        return self.lists is not None or self.is_revoked or self.has_revoked_issuer


def ascii_name(name: str) -> str:
    """Turn a host name into the form that certificates and SNI carry: ASCII, A-labels, 1 to 253 characters.

    Raises:
        UsageError: It has no such form.
    """
    try:
        host = name if name.isascii() else name.encode("idna").decode("ascii")
    except UnicodeError:
        raise UsageError("the name has no ASCII form (IDNA), so neither certificate nor SNI can carry it") from None
    if not 1 <= len(host) <= _LONGEST_NAME:
        raise UsageError(f"a name has 1 to {_LONGEST_NAME} characters, this one has {len(host)}")
    return host


def read_duration(text: str) -> int:
    """Read a time from the clock on, such as `-1d`, `30d`, `12h`, `90s`, as seconds.

    Raises:
        UsageError: It is none.
    """
    found = re.fullmatch(r"([+-]?\d{1,12})([smhdw])", text) or re.fullmatch(r"(0)()", text)
    if found is None:
        raise UsageError(f"{text[:80]!r} is no time from the clock on", help="write -1d, 30d, 12h, 5m or 90s")
    seconds = int(found[1]) * _UNITS.get(found[2], 1)
    if abs(seconds) > LONGEST_DURATION:
        raise UsageError(f"{text[:80]!r} leads out of the years that a certificate can name", help="such as 3650d")
    return seconds


def read_subject(text: str) -> tuple[tuple[str, str], ...]:
    r"""Read a subject such as `CN=localhost, O=Example`, most special part first; `\,` is a comma in a value.

    Raises:
        UsageError: It is none.
    """
    parts: list[tuple[str, str]] = []
    at = 0
    while at < len(text):
        found = _PART.match(text, at)
        if found is None:
            raise UsageError(f"{text[at : at + 40]!r} is no part of a subject", help="write CN=localhost, O=Example")
        parts.append((found[1].upper(), re.sub(r"\\(.)", r"\1", found[2])))
        at = found.end()
    for key, value in parts:
        _check_attribute(key, value)
    return tuple(parts)


def _check_attribute(key: str, value: str) -> None:
    if key not in _ATTRIBUTES:
        raise UsageError(f"{key[:40]!r} is no attribute of a subject here", help=f"there are {', '.join(_ATTRIBUTES)}")
    if not value.isprintable() or len(value) > _LONGEST_ATTRIBUTE:
        raise UsageError(f"{key} has up to {_LONGEST_ATTRIBUTE} characters that can be printed")
    if key == "C" and not re.fullmatch(r"[A-Za-z]{2}", value):
        raise UsageError("C is a country's two letters", help="such as C=DE")


def read_name(text: str) -> str:
    """Read a name of a certificate: a host name, one with a wildcard, or an IP address.

    Raises:
        UsageError: It cannot stand in a certificate.
    """
    name = ascii_name(text)
    if not name.isprintable() or " " in name:
        raise UsageError(f"{text[:80]!r} is no host name and no IP address")
    return name


def check_serial(number: int) -> None:
    """Refuse a serial number that no certificate has.

    Raises:
        UsageError: It is not positive, or has more than 159 bits.
    """
    if number < 1 or number.bit_length() > _MOST_SERIAL_BITS:
        raise UsageError("a serial number is positive and has 20 bytes at most")


def defects_of(description: CertificateDescription, *, side: str, name: str) -> tuple[str, ...]:
    """Say what is bad about a described certificate, as far as its words tell; `name` is what it is to name."""
    found = list(_defects(description))
    if description.usage and not {side, "any"} & set(description.usage):
        found.append("wrong usage")
    if side == "server" and not _is_named(_names_of(description, name), name):
        found.append("wrong name")
    if description.issuer != "throw-away":
        found.append("untrusted issuer" if description.issuer == "other" else "self-signed")
    if description.sent == "leaf" and description.chain:
        found.append("intermediates left out")
    if description.lists in ("stale", "none"):
        found.append("stale revocation list" if description.lists == "stale" else "no revocation list")
    for below, one in enumerate(description.chain):
        found += [f"issuer {below + 1} {what}" for what in (*_defects(one), *_issuer_defects(one, below))]
    return tuple(found)


def _defects(one: Described) -> Iterator[str]:
    """List what is bad about a certificate wherever it stands."""
    if one.not_after < 0:
        yield "expired"
    if one.not_before > 0:
        yield "not yet valid"
    if one.key == "rsa1024":
        yield "weak key"
    if one.has_bad_signature:
        yield "bad signature"
    if one.has_unknown_critical:
        yield "unknown critical extension"
    if one.is_revoked:
        yield "revoked"


def _issuer_defects(one: IssuerDescription, below: int) -> Iterator[str]:
    """List what keeps a certificate from signing those below it; `below` counts the authorities among them."""
    if not one.ca:
        yield "no authority"
    elif one.path_length is not None and below > one.path_length:
        yield "path too long"
    if one.key_usage and "cert-sign" not in one.key_usage:
        yield "may not sign"


def _names_of(description: CertificateDescription, name: str) -> tuple[str, ...]:
    """List the names that count: the common name where there are no others."""
    if description.names is None:
        return (name,)
    common = (
        [value for key, value in read_subject(description.subject) if key == "CN"] if description.subject else [name]
    )
    return description.names or tuple(common)


def _is_named(names: tuple[str, ...], target: str) -> bool:
    wanted = target.lower().removesuffix(".")
    _, _, parent = wanted.partition(".")
    return any(one.lower() == wanted or ("." in parent and one.lower() == f"*.{parent}") for one in names)
