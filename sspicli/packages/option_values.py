"""What the settings of one endpoint may be, and how each value is read: the words, the checked result, the readers.

The rule guarded here: a value is checked completely at the door, and every refusal says what is understood instead.
Which settings there are stands in `options.py`; here is how their values are understood. No engine is imported.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

from sspicli.packages.descriptions import CertificateDescription, ascii_name
from sspicli.packages.openssl_names import (
    CIPHER_SUITES,
    GROUPS,
    SIGNATURE_ALGORITHMS,
    CipherSuite,
    Group,
    SignatureAlgorithm,
    find_group,
    find_signature_algorithm,
    find_suite,
)
from sspicli.sspi.errors import InputError, UsageError
from sspicli.sspi.flags import AscReq, IscReq, parse_flags

CLIENT = "client"
SERVER = "server"
SIDES = (CLIENT, SERVER)
BOTH = "both"

CERT_PRESETS: Mapping[str, str] = MappingProxyType(
    {
        "valid": "A good certificate, issued directly by the trusted throw-away root.",
        "expired": "Its validity ended three days before the clock.",
        "not-yet-valid": "Its validity begins three days after the clock.",
        "wrong-name": "It names another host than the target.",
        "untrusted": "Its root is not in the peer's store.",
        "self-signed": "It is its own issuer, and not in the peer's store.",
        "wrong-usage": "Its extended key usage is that of the other side (clientAuth at a server).",
        "weak-key": "Its key is RSA with 1024 bits, whatever key kind is asked for.",
        "revoked": "Its issuer's revocation list, which the peer is given, names it.",
        "long-chain": "A good certificate below three intermediates.",
        "large": "A good certificate with 1500 further names, 57 kB: many records, many splits.",
        "none": "No certificate at all.",
    }
)

KEY_KINDS: Mapping[str, str] = MappingProxyType(
    {
        "ed25519": "Ed25519: small, quick, tokens of constant length.",
        "p256": "ECDSA on P-256, as most servers have; signatures vary by a few bytes.",
        "rsa2048": "RSA with 2048 bits; made anew in each process, so no two runs are alike.",
    }
)

TRUST = {"throw-away": "The root made for this run.", "system": "The trust anchors of this machine."}
VALIDATE = {
    "auto": "Schannel validates the server's certificate.",
    "manual": "Nobody does: the caller said he would (ISC_REQ_MANUAL_CRED_VALIDATION).",
}
REQUEST_CERT = {
    "no": "Ask for no certificate.",
    "yes": "Ask for one (ASC_REQ_MUTUAL_AUTH); the client may have none.",
    "require": "Ask for one and end the handshake without it (emulated: Windows leaves that to the application).",
}
RESUME = {"off": "Full handshakes only.", "ticket": "Resume with a session ticket where there is one."}
_TLS: Mapping[str, tuple[str, ...]] = {"1.2": ("1.2",), "1.3": ("1.3",), "1.2-1.3": ("1.2", "1.3")}
_LONGEST_SHOWN = 64
_MOST_SHOWN = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointSettings:
    """What a user asked of one endpoint, checked.

    `cert` is a preset, empty when `cert_file` names a file or `cert_description` says what to issue; `key` is a kind of
    key for a preset, empty when `key_file` names a file. `key_password_file` is a file or `-`. `suites`, `groups` and
    `sigalgs` are IANA names, empty for the engine's defaults. `target` is ASCII; None for no name at all, and at a
    server. `trust` is `throw-away` or `system`, empty when `trust_file` names a file. `flags` is added to the defaults
    of fContextReq.
    """

    side: str
    cert: str = "none"
    cert_file: str | None = None
    cert_description: CertificateDescription | None = None
    key: str = "ed25519"
    key_file: str | None = None
    key_password_file: str | None = None
    tls: tuple[str, ...] = ("1.2", "1.3")
    suites: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    sigalgs: tuple[str, ...] = ()
    alpn: tuple[str, ...] = ()
    target: str | None = None
    trust: str = "throw-away"
    trust_file: str | None = None
    validate: str = "auto"
    request_cert: str = "no"
    resume: bool = False
    flags: int = 0


def suggestion(word: str, known: Iterable[str]) -> str:
    """Find what may have been meant, as `did you mean "valid"?`; empty when nothing is near."""
    if not any(map(str.isalpha, word)):
        return ""  # one number is not a misspelling of another
    import difflib  # only ever needed for an error

    spellings = {one.lower(): one for one in known}
    near = difflib.get_close_matches(word.lower()[:_LONGEST_SHOWN], spellings, n=1, cutoff=0.6)
    return f'did you mean "{spellings[near[0]]}"?' if near else ""


def read_cert(settings: EndpointSettings, value: str) -> EndpointSettings:
    """Read a preset or a certificate file."""
    preset, file = _word_or_file(settings.side, "cert", value, what="preset", words=CERT_PRESETS)
    return replace(settings, cert=preset, cert_file=file)


def read_key(settings: EndpointSettings, value: str) -> EndpointSettings:
    """Read a kind of key or a key file."""
    kind, file = _word_or_file(settings.side, "key", value, what="kind of key", words=KEY_KINDS)
    return replace(settings, key=kind, key_file=file)


def read_key_password_file(settings: EndpointSettings, value: str) -> EndpointSettings:
    """Read the name of a password file, or `-`."""
    if not value:
        raise UsageError("it takes a file's name or -", where=f"--{settings.side} key-password-file")
    return replace(settings, key_password_file=_expanded(value))


def read_tls(settings: EndpointSettings, value: str) -> EndpointSettings:
    """Read the protocol versions."""
    return replace(settings, tls=_TLS[_choice(settings.side, "tls", value, what="TLS version", words=_TLS)])


def read_suites(settings: EndpointSettings, value: str) -> EndpointSettings:
    """Read cipher suites, by IANA or OpenSSL names."""
    known = [name for one in CIPHER_SUITES for name in (one.iana_name, one.openssl_name)]
    names = _iana_names(settings.side, "suites", value, what="cipher suite", find=find_suite, known=known)
    return replace(settings, suites=names)


def read_groups(settings: EndpointSettings, value: str) -> EndpointSettings:
    """Read groups, by IANA or OpenSSL names."""
    known = [name for one in GROUPS for name in (one.iana_name, one.openssl_name, *one.aliases)]
    names = _iana_names(settings.side, "groups", value, what="group", find=find_group, known=known)
    return replace(settings, groups=names)


def read_sigalgs(settings: EndpointSettings, value: str) -> EndpointSettings:
    """Read signature algorithms, by IANA or OpenSSL names."""
    known = [name for one in SIGNATURE_ALGORITHMS for name in (one.iana_name, one.openssl_name)]
    find = find_signature_algorithm
    names = _iana_names(settings.side, "sigalgs", value, what="signature algorithm", find=find, known=known)
    return replace(settings, sigalgs=names)


def read_alpn(settings: EndpointSettings, value: str) -> EndpointSettings:
    """Read application protocols."""
    protocols = _items(settings.side, "alpn", value)
    for one in protocols:
        try:
            size = len(one.encode("latin-1"))
        except UnicodeError:
            size = 0
        if not 1 <= size <= 255:
            where = f"--{settings.side} alpn={shown(value)}"
            raise UsageError("an ALPN protocol id has 1 to 255 bytes, each written as one character", where=where)
    return replace(settings, alpn=_distinct(settings.side, "alpn", protocols))


def read_target(settings: EndpointSettings, value: str) -> EndpointSettings:
    """Read the target name; an empty one means none. IP literals are names like others."""
    if not value:
        return replace(settings, target=None)
    where = f"--{settings.side} target={shown(value)}"
    if any(one.isspace() or not one.isprintable() for one in value):
        raise UsageError("a target name has no spaces and no control characters", where=where)
    try:
        return replace(settings, target=_ip_literal(value) or ascii_name(value))
    except UsageError as error:
        error.where = where
        raise


def read_trust(settings: EndpointSettings, value: str) -> EndpointSettings:
    """Read where trust comes from: a word or a file."""
    word, file = _word_or_file(settings.side, "trust", value, what="trust", words=TRUST)
    return replace(settings, trust=word, trust_file=file)


def read_validate(settings: EndpointSettings, value: str) -> EndpointSettings:
    """Read who validates the server's certificate."""
    return replace(settings, validate=_choice(settings.side, "validate", value, what="validation", words=VALIDATE))


def read_request_cert(settings: EndpointSettings, value: str) -> EndpointSettings:
    """Read whether a client certificate is asked for."""
    word = _choice(settings.side, "request-cert", value, what="answer", words=REQUEST_CERT)
    return replace(settings, request_cert=word)


def read_resume(settings: EndpointSettings, value: str) -> EndpointSettings:
    """Read whether sessions are resumed."""
    return replace(
        settings, resume=_choice(settings.side, "resume", value, what="resumption", words=RESUME) == "ticket"
    )


def read_flags(settings: EndpointSettings, value: str) -> EndpointSettings:
    """Read names of flags to add to fContextReq."""
    word = 0
    for one in _items(settings.side, "flags", value):
        flag = _flag(settings.side, one)
        if flag > 0xFFFFFFFF:
            where = f"--{settings.side} flags={shown(value)}"
            raise UsageError(f"{shown(one)} does not fit fContextReq: it travels in SECBUFFER_FLAGS", where=where)
        word |= flag
    return replace(settings, flags=word)


def _flag(side: str, name: str) -> int:
    """Read one flag name; a name of the other side is told from one that nobody knows."""
    is_client = side == CLIENT
    try:
        return int(parse_flags(IscReq, name)) if is_client else int(parse_flags(AscReq, name))
    except ValueError:
        own, prefix, wrong = (IscReq, "ISC_REQ_", "ASC_REQ_") if is_client else (AscReq, "ASC_REQ_", "ISC_REQ_")
    if name.upper().startswith(wrong):
        way_out = f"the {side}'s flags are {prefix}*, which is another numbering"
        raise UsageError(f"{shown(name)} is a flag of the other side", where=f"--{side} flags", help=way_out)
    raise _unknown(side, "flags", name, what=f"{prefix}* flag", known=own.__members__)


def _iana_names(
    side: str,
    key: str,
    value: str,
    *,
    what: str,
    find: Callable[[str], CipherSuite | Group | SignatureAlgorithm | None],
    known: Sequence[str],
) -> tuple[str, ...]:
    """Read a list of names that a table knows, under any of their spellings, as IANA's."""
    names = []
    for one in _items(side, key, value):
        row = find(one)
        if row is None:
            raise _unknown(side, key, one, what=what, known=known)
        names.append(row.iana_name)
    return _distinct(side, key, names)


def _items(side: str, key: str, value: str) -> tuple[str, ...]:
    """Divide a comma-separated value; none of its parts may be empty."""
    items = tuple([one.strip() for one in value.split(",")])
    if not all(items):
        way_out = "write names with commas between them; leave the setting out for the default"
        raise UsageError("a name in the list is empty", where=f"--{side} {key}={shown(value)}", help=way_out)
    return items


def _distinct(side: str, key: str, names: Sequence[str]) -> tuple[str, ...]:
    for number, one in enumerate(names):
        if one in names[:number]:
            raise UsageError(f'"{shown(one)}" is in the list twice', where=f"--{side} {key}")
    return tuple(names)


def _choice(side: str, key: str, value: str, *, what: str, words: Iterable[str]) -> str:
    """Read one of a few words, in any case."""
    for one in words:
        if value.lower() == one:
            return one
    raise _unknown(side, key, value, what=what, known=words)


def _word_or_file(
    side: str, key: str, value: str, *, what: str, words: Iterable[str]
) -> tuple[str, None] | tuple[str, str]:
    """Read a word or a file's name: a word we know wins (write ./valid for a file of that name)."""
    if value.lower() in words:
        return value.lower(), None
    path = _expanded(value)
    if value and _exists(path):
        return "", path
    if _looks_like_path(value):
        raise InputError(
            "there is no such file", where=path, help=f"--{side} {key} takes a file or one of {', '.join(words)}"
        )
    raise _unknown(side, key, value, what=what, known=words)


def _expanded(path: str) -> str:
    """Expand a leading ~, which a shell leaves alone after KEY=."""
    if not path.startswith("~"):
        return path
    try:
        return str(Path(path).expanduser())
    except (RuntimeError, ValueError):
        return path


def _exists(path: str) -> bool:
    try:
        Path(path).stat()
    except (OSError, ValueError):
        return False
    return True


def _looks_like_path(value: str) -> bool:
    return "/" in value or "\\" in value or bool(Path(value).suffix)


def _unknown(side: str, key: str, value: str, *, what: str, known: Iterable[str]) -> UsageError:
    """Make the error for an unknown value, with the nearest known one, or all of them when they are few."""
    words = list(known)
    near = suggestion(value, words)
    few, many = f"it takes {', '.join(words)}", "sspi-async man handshake lists them"
    all_words = few if len(words) <= _MOST_SHOWN else many
    way_out = "  ".join(filter(None, (near, all_words)))
    return UsageError(f'unknown {what} "{shown(value)}"', where=f"--{side} {key}={shown(value)}", help=way_out)


def shown(text: str) -> str:
    """Cut a long word for an error."""
    return text if len(text) <= _LONGEST_SHOWN else f"{text[: _LONGEST_SHOWN - 1]}…"


def _ip_literal(name: str) -> str:
    """Give an IP literal in its usual spelling, and an empty string for everything else."""
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return ""
    return "" if "%" in name else str(address)
