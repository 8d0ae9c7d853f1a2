"""The settings of one endpoint, `--client KEY=VALUE` and `--server KEY=VALUE`: declared once, read once.

The rule guarded here: `SETTINGS` is the only place that knows a setting. The parser, the suggestions, the help text,
the completion and the manual page all read its rows. A value is checked completely at the door: what `parse_settings`
returns needs no second look, except that files are opened later. No secret is ever a value, and no value whose key is
not known is repeated in an error, because it may be one.

This module is read for help and completion, so it imports no engine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from sspicli.packages import option_values as values
from sspicli.packages.openssl_names import CIPHER_SUITES, GROUPS, SIGNATURE_ALGORITHMS
from sspicli.packages.option_values import (
    BOTH,
    CERT_PRESETS,
    CLIENT,
    KEY_KINDS,
    REQUEST_CERT,
    RESUME,
    SERVER,
    SIDES,
    TRUST,
    VALIDATE,
    EndpointSettings,
    shown,
    suggestion,
)
from sspicli.sspi.errors import UsageError
from sspicli.sspi.flags import AscReq, IscReq


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


def _defaults(side: str, rows: Iterable[Setting]) -> EndpointSettings:
    """Read every row's own default, so that help cannot promise another one."""
    settings = EndpointSettings(side=side)
    for one in rows:
        if one.default:
            settings = one.read(settings, one.default)
    return settings


def _unknown_key(side: str, key: str, rows: Mapping[str, Setting]) -> UsageError:
    """Say what is wrong with a key; its value is not looked at."""
    named = shown(key)
    lowered = key.strip().lower()
    if lowered != "key-password-file" and any(one in lowered for one in ("pass", "secret", "pwd")):
        return UsageError(
            "a password is never taken from the command line, where others can read it",
            where=f"--{side} {named}",
            help="put it into a file and write key-password-file=FILE, or - for standard input",
        )
    if any(one.key == lowered for one in SETTINGS):
        other = SERVER if side == CLIENT else CLIENT
        return UsageError(f'"{lowered}" is a setting of the {other} only', where=f"--{side} {lowered}")
    way_out = suggestion(lowered.replace("_", "-"), rows) or f"settings of the {side}: {', '.join(rows)}"
    return UsageError(f'there is no setting "{named}"', where=f"--{side} {named}", help=way_out)


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


_TLS_CHOICES = {"1.2": "TLS 1.2 only.", "1.3": "TLS 1.3 only.", "1.2-1.3": "Either, the newer one preferred."}
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
        read=values.read_cert,
        choices=CERT_PRESETS,
    ),
    Setting(
        key="cert",
        side=CLIENT,
        value="PRESET|FILE",
        help="The certificate to show when the server asks for one: a throw-away one, or a PEM, DER or PKCS#12 file.",
        default="none",
        read=values.read_cert,
        choices=CERT_PRESETS,
    ),
    Setting(
        key="key",
        side=BOTH,
        value="ed25519|p256|rsa2048|FILE",
        help="The kind of key for a throw-away certificate, or the file with the private key for cert=FILE.",
        default="ed25519",
        read=values.read_key,
        choices=KEY_KINDS,
    ),
    Setting(
        key="key-password-file",
        side=BOTH,
        value="FILE|-",
        help="Where the password of an encrypted key or of a PKCS#12 file stands; - is standard input.",
        default="",
        read=values.read_key_password_file,
        choices={"-": "Standard input."},
    ),
    Setting(
        key="tls",
        side=BOTH,
        value="1.2|1.3|1.2-1.3",
        help="The TLS versions that are not disabled.",
        default="1.2-1.3",
        read=values.read_tls,
        choices=_TLS_CHOICES,
    ),
    Setting(
        key="suites",
        side=BOTH,
        value="NAME,...",
        help="The cipher suites allowed, by preference, under their IANA or OpenSSL names (emulated).",
        default="",
        read=values.read_suites,
        choices=_SUITE_CHOICES,
        is_list=True,
    ),
    Setting(
        key="groups",
        side=BOTH,
        value="NAME,...",
        help="The groups allowed for the key exchange, by preference, such as x25519,P-256 (emulated).",
        default="",
        read=values.read_groups,
        choices=_GROUP_CHOICES,
        is_list=True,
    ),
    Setting(
        key="sigalgs",
        side=BOTH,
        value="NAME,...",
        help="The signature algorithms allowed, by preference, such as ecdsa_secp256r1_sha256 (emulated).",
        default="",
        read=values.read_sigalgs,
        choices=_SIGALG_CHOICES,
        is_list=True,
    ),
    Setting(
        key="alpn",
        side=BOTH,
        value="ID,...",
        help="The application protocols to offer or to choose from, such as h2,http/1.1.",
        default="",
        read=values.read_alpn,
        is_list=True,
    ),
    Setting(
        key="target",
        side=CLIENT,
        value="NAME",
        help="The name for SNI and for the name check; empty for none.",
        default="localhost",
        read=values.read_target,
    ),
    Setting(
        key="trust",
        side=BOTH,
        value="throw-away|system|FILE",
        help="The roots that the peer's certificate must lead to: this run's, the machine's, or a PEM or DER file's.",
        default="throw-away",
        read=values.read_trust,
        choices=TRUST,
    ),
    Setting(
        key="validate",
        side=CLIENT,
        value="auto|manual",
        help="Who validates the server's certificate: Schannel, or the caller.",
        default="auto",
        read=values.read_validate,
        choices=VALIDATE,
    ),
    Setting(
        key="request-cert",
        side=SERVER,
        value="no|yes|require",
        help="Whether to ask the client for a certificate.",
        default="no",
        read=values.read_request_cert,
        choices=REQUEST_CERT,
    ),
    Setting(
        key="resume",
        side=CLIENT,
        value="off|ticket",
        help="Whether to resume an earlier handshake of this run.",
        default="off",
        read=values.read_resume,
        choices=RESUME,
    ),
    Setting(
        key="resume",
        side=SERVER,
        value="off|ticket",
        help="Whether to give the client session tickets.",
        default="ticket",
        read=values.read_resume,
        choices=RESUME,
    ),
    Setting(
        key="flags",
        side=CLIENT,
        value="ISC_REQ_NAME,...",
        help="Context requirements to add to the defaults of fContextReq; the prefix may be left out.",
        default="",
        read=values.read_flags,
        choices=_ISC_CHOICES,
        is_list=True,
    ),
    Setting(
        key="flags",
        side=SERVER,
        value="ASC_REQ_NAME,...",
        help="Context requirements to add to the defaults of fContextReq; the prefix may be left out.",
        default="",
        read=values.read_flags,
        choices=_ASC_CHOICES,
        is_list=True,
    ),
)
