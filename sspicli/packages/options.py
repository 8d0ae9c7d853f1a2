"""The settings of one endpoint, `--client KEY=VALUE` and `--server KEY=VALUE`: declared once, read once.

The rule guarded here: `SETTINGS` is the only place that knows a setting. The parser, the suggestions, the help text,
the completion and the manual page all read its rows. A value is checked completely at the door: what `parse_settings`
returns needs no second look, except that files are opened later. No secret is ever a value, and no value whose key is
not known is repeated in an error, because it may be one.

This module is read for help and completion, so it imports no engine.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType

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

_TLS: Mapping[str, tuple[str, ...]] = {"1.2": ("1.2",), "1.3": ("1.3",), "1.2-1.3": ("1.2", "1.3")}
_LONGEST_NAME = 253
_LONGEST_SHOWN = 64
_MOST_SHOWN = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointSettings:
    """What a user asked of one endpoint, checked.

    `cert` is a preset, empty when `cert_file` names a file; `key` is a kind of key for a preset, empty when `key_file`
    names a file. `key_password_file` is a file or `-`. `suites`, `groups` and `sigalgs` are IANA names, empty for the
    engine's defaults. `target` is ASCII; None for no name at all, and at a server. `trust` is `throw-away` or `system`,
    empty when `trust_file` names a file. `flags` is added to the defaults of fContextReq.
    """

    side: str
    cert: str = "none"
    cert_file: str | None = None
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One row: how a setting is written, what it means, and how its value is read.

    `side` is client, server or both. `value` is what stands after `=` in a synopsis. `choices` maps each word that is
    understood to its meaning; other values may be good too (a file, a name). `default` is as a user would write it.
    """

    key: str
    side: str
    value: str
    help: str
    default: str
    read: Callable[[EndpointSettings, str], EndpointSettings]
    choices: Mapping[str, str] = field(default_factory=dict)
    is_list: bool = False

    @property
    def synopsis(self) -> str:
        """The setting as help writes it, such as `tls=1.2|1.3|1.2-1.3`."""
        return f"{self.key}={self.value}"

    @property
    def text(self) -> str:
        """The help sentence, with the default where there is one."""
        return f"{self.help} Default: {self.default}." if self.default else self.help


def settings_of(side: str) -> tuple[Setting, ...]:
    """List the settings that one side has, in the order of help and manual page."""
    return tuple([one for one in SETTINGS if one.side in (side, BOTH)])


def parse_settings(side: str, pairs: Sequence[str]) -> EndpointSettings:
    """Read the KEY=VALUE pairs given for one side.

    Args:
        side: `client` or `server`.
        pairs: What stood after each `--client` or `--server`.

    Raises:
        UsageError: An unknown key or value, a key given twice, a password on the command line.
        InputError: A file that does not exist.
    """
    assert side in SIDES, f"{side!r} is neither client nor server"
    rows = {one.key: one for one in settings_of(side)}
    settings = _defaults(side, rows.values())
    given: set[str] = set()
    for pair in pairs:
        key, equals, value = pair.partition("=")
        row = rows.get(key.strip().lower())
        if row is None:
            raise _unknown_key(side, key, rows)
        if not equals:
            raise UsageError(f'"{row.key}" needs a value', where=f"--{side} {row.key}", help=f"write {row.synopsis}")
        if row.key in given:
            raise UsageError(f'"{row.key}" is given twice', where=f"--{side} {row.key}", help="give it once")
        given.add(row.key)
        settings = row.read(settings, value)
    _check_together(settings, given)
    return settings


def suggestion(word: str, known: Iterable[str]) -> str:
    """Find what may have been meant, as `did you mean "valid"?`; empty when nothing is near."""
    if not any(map(str.isalpha, word)):
        return ""  # one number is not a misspelling of another
    import difflib  # only ever needed for an error

    spellings = {one.lower(): one for one in known}
    near = difflib.get_close_matches(word.lower()[:_LONGEST_SHOWN], spellings, n=1, cutoff=0.6)
    return f'did you mean "{spellings[near[0]]}"?' if near else ""


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


def _defaults(side: str, rows: Iterable[Setting]) -> EndpointSettings:
    """Read every row's own default, so that help cannot promise another one."""
    settings = EndpointSettings(side=side)
    for one in rows:
        if one.default:
            settings = one.read(settings, one.default)
    return settings


def _unknown_key(side: str, key: str, rows: Mapping[str, Setting]) -> UsageError:
    """Say what is wrong with a key; its value is not looked at."""
    shown = _shown(key)
    lowered = key.strip().lower()
    if lowered != "key-password-file" and any(one in lowered for one in ("pass", "secret", "pwd")):
        return UsageError(
            "a password is never taken from the command line, where others can read it",
            where=f"--{side} {shown}",
            help="put it into a file and write key-password-file=FILE, or - for standard input",
        )
    if any(one.key == lowered for one in SETTINGS):
        other = SERVER if side == CLIENT else CLIENT
        return UsageError(f'"{lowered}" is a setting of the {other} only', where=f"--{side} {lowered}")
    way_out = suggestion(lowered.replace("_", "-"), rows) or f"settings of the {side}: {', '.join(rows)}"
    return UsageError(f'there is no setting "{shown}"', where=f"--{side} {shown}", help=way_out)


def _check_together(settings: EndpointSettings, given: set[str]) -> None:
    """Refuse what would have no effect, or two effects."""
    where = f"--{settings.side}"
    has_cert_file = settings.cert_file is not None
    if settings.key_file is not None and not has_cert_file:
        raise UsageError("a key file goes with a certificate file", where=f"{where} key", help="add cert=FILE")
    if "key" in given and settings.key_file is None and has_cert_file:
        way_out = "name the file with its key: key=FILE; or leave it out when the certificate's file holds it"
        raise UsageError(
            f'"{settings.key}" chooses the key of a preset, not of a file', where=f"{where} key", help=way_out
        )
    if "key" in given and settings.cert == "none":
        raise UsageError("a key has no effect without a certificate", where=f"{where} key", help="add cert=valid")
    if settings.key_password_file is not None and not has_cert_file:
        way_out = "add cert=FILE; the keys of presets are not encrypted"
        raise UsageError("a password goes with a certificate file", where=f"{where} key-password-file", help=way_out)


def _read_cert(settings: EndpointSettings, value: str) -> EndpointSettings:
    preset, file = _word_or_file(settings.side, "cert", value, what="preset", words=CERT_PRESETS)
    return replace(settings, cert=preset, cert_file=file)


def _read_key(settings: EndpointSettings, value: str) -> EndpointSettings:
    kind, file = _word_or_file(settings.side, "key", value, what="kind of key", words=KEY_KINDS)
    return replace(settings, key=kind, key_file=file)


def _read_key_password_file(settings: EndpointSettings, value: str) -> EndpointSettings:
    if not value:
        raise UsageError("it takes a file's name or -", where=f"--{settings.side} key-password-file")
    return replace(settings, key_password_file=_expanded(value))


def _read_tls(settings: EndpointSettings, value: str) -> EndpointSettings:
    return replace(settings, tls=_TLS[_choice(settings.side, "tls", value, what="TLS version", words=_TLS)])


def _read_suites(settings: EndpointSettings, value: str) -> EndpointSettings:
    known = [name for one in CIPHER_SUITES for name in (one.iana_name, one.openssl_name)]
    names = _iana_names(settings.side, "suites", value, what="cipher suite", find=find_suite, known=known)
    return replace(settings, suites=names)


def _read_groups(settings: EndpointSettings, value: str) -> EndpointSettings:
    known = [name for one in GROUPS for name in (one.iana_name, one.openssl_name, *one.aliases)]
    names = _iana_names(settings.side, "groups", value, what="group", find=find_group, known=known)
    return replace(settings, groups=names)


def _read_sigalgs(settings: EndpointSettings, value: str) -> EndpointSettings:
    known = [name for one in SIGNATURE_ALGORITHMS for name in (one.iana_name, one.openssl_name)]
    find = find_signature_algorithm
    names = _iana_names(settings.side, "sigalgs", value, what="signature algorithm", find=find, known=known)
    return replace(settings, sigalgs=names)


def _read_alpn(settings: EndpointSettings, value: str) -> EndpointSettings:
    protocols = _items(settings.side, "alpn", value)
    for one in protocols:
        try:
            size = len(one.encode("latin-1"))
        except UnicodeError:
            size = 0
        if not 1 <= size <= 255:
            where = f"--{settings.side} alpn={_shown(value)}"
            raise UsageError("an ALPN protocol id has 1 to 255 bytes, each written as one character", where=where)
    return replace(settings, alpn=_distinct(settings.side, "alpn", protocols))


def _read_target(settings: EndpointSettings, value: str) -> EndpointSettings:
    """Read the target name; an empty one means none. IP literals are names like others."""
    if not value:
        return replace(settings, target=None)
    where = f"--{settings.side} target={_shown(value)}"
    if any(one.isspace() or not one.isprintable() for one in value):
        raise UsageError("a target name has no spaces and no control characters", where=where)
    try:
        return replace(settings, target=_ip_literal(value) or ascii_name(value))
    except UsageError as error:
        error.where = where
        raise


def _read_trust(settings: EndpointSettings, value: str) -> EndpointSettings:
    word, file = _word_or_file(settings.side, "trust", value, what="trust", words=_TRUST)
    return replace(settings, trust=word, trust_file=file)


def _read_validate(settings: EndpointSettings, value: str) -> EndpointSettings:
    return replace(settings, validate=_choice(settings.side, "validate", value, what="validation", words=_VALIDATE))


def _read_request_cert(settings: EndpointSettings, value: str) -> EndpointSettings:
    word = _choice(settings.side, "request-cert", value, what="answer", words=_REQUEST_CERT)
    return replace(settings, request_cert=word)


def _read_resume(settings: EndpointSettings, value: str) -> EndpointSettings:
    return replace(
        settings, resume=_choice(settings.side, "resume", value, what="resumption", words=_RESUME) == "ticket"
    )


def _read_flags(settings: EndpointSettings, value: str) -> EndpointSettings:
    word = 0
    for one in _items(settings.side, "flags", value):
        flag = _flag(settings.side, one)
        if flag > 0xFFFFFFFF:
            where = f"--{settings.side} flags={_shown(value)}"
            raise UsageError(f"{_shown(one)} does not fit fContextReq: it travels in SECBUFFER_FLAGS", where=where)
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
        raise UsageError(f"{_shown(name)} is a flag of the other side", where=f"--{side} flags", help=way_out)
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
        raise UsageError("a name in the list is empty", where=f"--{side} {key}={_shown(value)}", help=way_out)
    return items


def _distinct(side: str, key: str, names: Sequence[str]) -> tuple[str, ...]:
    for number, one in enumerate(names):
        if one in names[:number]:
            raise UsageError(f'"{_shown(one)}" is in the list twice', where=f"--{side} {key}")
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
        raise InputError("there is no such file", where=path, help=f"--{side} {key} takes {_value_of(side, key)}")
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


def _value_of(side: str, key: str) -> str:
    return next(one.value for one in settings_of(side) if one.key == key)


def _unknown(side: str, key: str, value: str, *, what: str, known: Iterable[str]) -> UsageError:
    """Make the error for an unknown value, with the nearest known one, or all of them when they are few."""
    words = list(known)
    near = suggestion(value, words)
    all_words = f"it takes {', '.join(words)}" if len(words) <= _MOST_SHOWN else ""
    way_out = "  ".join(filter(None, (near, all_words)))
    return UsageError(f'unknown {what} "{_shown(value)}"', where=f"--{side} {key}={_shown(value)}", help=way_out)


def _shown(text: str) -> str:
    return text if len(text) <= _LONGEST_SHOWN else f"{text[: _LONGEST_SHOWN - 1]}…"


def _ip_literal(name: str) -> str:
    """Give an IP literal in its usual spelling, and an empty string for everything else."""
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return ""
    return "" if "%" in name else str(address)


_TLS_CHOICES = {"1.2": "TLS 1.2 only.", "1.3": "TLS 1.3 only.", "1.2-1.3": "Either, the newer one preferred."}
_TRUST = {"throw-away": "The root made for this run.", "system": "The trust anchors of this machine."}
_VALIDATE = {
    "auto": "Schannel validates the server's certificate.",
    "manual": "Nobody does: the caller said he would (ISC_REQ_MANUAL_CRED_VALIDATION).",
}
_REQUEST_CERT = {
    "no": "Ask for no certificate.",
    "yes": "Ask for one (ASC_REQ_MUTUAL_AUTH); the client may have none.",
    "require": "Ask for one and end the handshake without it (emulated: Windows leaves that to the application).",
}
_RESUME = {"off": "Full handshakes only.", "ticket": "Resume with a session ticket where there is one."}
_SUITE_CHOICES = {one.iana_name: f"TLS {one.versions[0]}, OpenSSL's {one.openssl_name}." for one in CIPHER_SUITES}
_GROUP_CHOICES = {one.iana_name: f"Group 0x{one.code_point:04X}, OpenSSL's {one.openssl_name}." for one in GROUPS}
_SIGALG_CHOICES = {one.iana_name: f"Scheme 0x{one.code_point:04X}." for one in SIGNATURE_ALGORITHMS}
_ISC_CHOICES = {f"ISC_REQ_{one.name}": f"0x{one:08X}" for one in IscReq if one <= 0xFFFFFFFF}
_ASC_CHOICES = {f"ASC_REQ_{one.name}": f"0x{one:08X}" for one in AscReq if one <= 0xFFFFFFFF}

SETTINGS: tuple[Setting, ...] = (
    Setting(
        key="cert",
        side=SERVER,
        value="PRESET|FILE",
        help="The certificate to show: a throw-away one, good or deliberately bad, or a PEM, DER or PKCS#12 file.",
        default="valid",
        read=_read_cert,
        choices=CERT_PRESETS,
    ),
    Setting(
        key="cert",
        side=CLIENT,
        value="PRESET|FILE",
        help="The certificate to show when the server asks for one: a throw-away one, or a PEM, DER or PKCS#12 file.",
        default="none",
        read=_read_cert,
        choices=CERT_PRESETS,
    ),
    Setting(
        key="key",
        side=BOTH,
        value="ed25519|p256|rsa2048|FILE",
        help="The kind of key for a throw-away certificate, or the file with the private key for cert=FILE.",
        default="ed25519",
        read=_read_key,
        choices=KEY_KINDS,
    ),
    Setting(
        key="key-password-file",
        side=BOTH,
        value="FILE|-",
        help="Where the password of an encrypted key or of a PKCS#12 file stands; - is standard input.",
        default="",
        read=_read_key_password_file,
        choices={"-": "Standard input."},
    ),
    Setting(
        key="tls",
        side=BOTH,
        value="1.2|1.3|1.2-1.3",
        help="The TLS versions that are not disabled.",
        default="1.2-1.3",
        read=_read_tls,
        choices=_TLS_CHOICES,
    ),
    Setting(
        key="suites",
        side=BOTH,
        value="NAME,...",
        help="The cipher suites allowed, by preference, under their IANA or OpenSSL names (emulated).",
        default="",
        read=_read_suites,
        choices=_SUITE_CHOICES,
        is_list=True,
    ),
    Setting(
        key="groups",
        side=BOTH,
        value="NAME,...",
        help="The groups allowed for the key exchange, by preference, such as x25519,P-256 (emulated).",
        default="",
        read=_read_groups,
        choices=_GROUP_CHOICES,
        is_list=True,
    ),
    Setting(
        key="sigalgs",
        side=BOTH,
        value="NAME,...",
        help="The signature algorithms allowed, by preference, such as ecdsa_secp256r1_sha256 (emulated).",
        default="",
        read=_read_sigalgs,
        choices=_SIGALG_CHOICES,
        is_list=True,
    ),
    Setting(
        key="alpn",
        side=BOTH,
        value="ID,...",
        help="The application protocols to offer or to choose from, such as h2,http/1.1.",
        default="",
        read=_read_alpn,
        is_list=True,
    ),
    Setting(
        key="target",
        side=CLIENT,
        value="NAME",
        help="The name for SNI and for the name check; empty for none.",
        default="localhost",
        read=_read_target,
    ),
    Setting(
        key="trust",
        side=BOTH,
        value="throw-away|system|FILE",
        help="The roots that the peer's certificate must lead to: this run's, the machine's, or a PEM or DER file's.",
        default="throw-away",
        read=_read_trust,
        choices=_TRUST,
    ),
    Setting(
        key="validate",
        side=CLIENT,
        value="auto|manual",
        help="Who validates the server's certificate: Schannel, or the caller.",
        default="auto",
        read=_read_validate,
        choices=_VALIDATE,
    ),
    Setting(
        key="request-cert",
        side=SERVER,
        value="no|yes|require",
        help="Whether to ask the client for a certificate.",
        default="no",
        read=_read_request_cert,
        choices=_REQUEST_CERT,
    ),
    Setting(
        key="resume",
        side=CLIENT,
        value="off|ticket",
        help="Whether to resume an earlier handshake of this run.",
        default="off",
        read=_read_resume,
        choices=_RESUME,
    ),
    Setting(
        key="resume",
        side=SERVER,
        value="off|ticket",
        help="Whether to give the client session tickets.",
        default="ticket",
        read=_read_resume,
        choices=_RESUME,
    ),
    Setting(
        key="flags",
        side=CLIENT,
        value="ISC_REQ_NAME,...",
        help="Context requirements to add to the defaults of fContextReq; the prefix may be left out.",
        default="",
        read=_read_flags,
        choices=_ISC_CHOICES,
        is_list=True,
    ),
    Setting(
        key="flags",
        side=SERVER,
        value="ASC_REQ_NAME,...",
        help="Context requirements to add to the defaults of fContextReq; the prefix may be left out.",
        default="",
        read=_read_flags,
        choices=_ASC_CHOICES,
        is_list=True,
    ),
)
