"""`sspi-async doctor`: what is installed here; `--fidelity`: where this program and Windows part, or might.

The rule guarded here: what is named is looked at, not assumed. Two OpenSSLs can be in play, the engine's and Python's
own, so both are named. An engine that cannot be used ends with exit code 4 and the command that installs it.
"""

from __future__ import annotations

import os
import platform
import sys
from typing import TYPE_CHECKING, NamedTuple

import click

from sspicli import __version__
from sspicli.cli.screen_options import Screen, screen_options
from sspicli.sspi.errors import ExitCode, SspiCliError, UnavailableError

if TYPE_CHECKING:
    from sspicli.cli.console import Console
    from sspicli.cli.fidelity import Claim
    from sspicli.views.text import Line

DOCTOR_SCHEMA = "sspi-async/doctor/1"
FIDELITY_SCHEMA = "sspi-async/fidelity/1"

_LIBRARIES = ("click", "rich", "prompt_toolkit", "platformdirs")
_VARIABLES = ("NO_COLOR", "FORCE_COLOR", "TERM", "COLUMNS")
_LABEL_WIDTH = 18

_KERBEROS = ("pyspnego",) if sys.platform == "win32" else ("pyspnego", "gssapi", "krb5")

# What could compute the packages that are not built yet: extra, its distributions, and which packages they are for.
_EXTRAS = (
    ("native", ("sspilib",), "real SSPI on Windows, sspi-rs elsewhere"),
    ("kerberos", _KERBEROS, "NTLM, Negotiate and Kerberos"),
)


class Fact(NamedTuple):
    """Something found here: its key in JSON, its label for people, what was found; `is_bad` where it is in the way."""

    key: str
    label: str
    value: str
    is_bad: bool = False


class Group(NamedTuple):
    """Facts that belong together."""

    key: str
    facts: tuple[Fact, ...]


@click.command("doctor", short_help="Show what is installed here and where it departs from Windows.")
@click.option("--fidelity", is_flag=True, help="List every engine difference and every assumption instead.")
@screen_options
def command(*, fidelity: bool, **shared: object) -> int:
    """Show what is installed here: program, Python, engine, optional engines, terminal.

    With --fidelity, list instead where the engine is known to differ from Windows, and what is assumed of Windows
    because no page says it. Each line comes out of a table that the program runs by.

    Ends with 4 when the engine of Schannel cannot be used, and then says how to install it.

    \b
    Examples:
      sspi-async doctor
      sspi-async doctor --fidelity
      sspi-async doctor --fidelity -f json
    """  # noqa: D301 (click reads the \b)
    screen = Screen(**shared)  # type: ignore[arg-type]
    engine, failure = _engine()
    if fidelity:
        _show_fidelity(screen, has_engine=failure is None)
    else:
        _show_facts(screen, facts(screen.console(), engine, failure), is_usable=failure is None)
    if failure is not None:
        raise failure
    return ExitCode.OK


# -- what is here ------------------------------------------------------------------------------------------------------


def _engine() -> tuple[str, SspiCliError | None]:
    """Make the Schannel package to learn its engine, or why it cannot be made."""
    try:
        from sspicli.packages.catalog import create_package

        return create_package("schannel").engine, None
    except SspiCliError as error:
        return "", error
    except (ImportError, AttributeError) as error:  # a library that is half installed fails in either way
        way_out = "pip install 'pyOpenSSL>=26.4' cryptography"
        return "", UnavailableError(f"the engine of Schannel cannot be used: {error}", help=way_out)


def facts(console: Console, engine: str, failure: SspiCliError | None) -> tuple[Group, ...]:
    """Look at everything."""
    return (
        Group("program", _program_facts()),
        Group("engine", _engine_facts(engine, failure)),
        Group("extras", tuple(_extra(*one) for one in _EXTRAS)),
        Group("libraries", tuple(Fact(name, name, _version(name) or "not here") for name in _LIBRARIES)),
        Group("terminal", _terminal_facts(console)),
        Group("system", _system_facts()),
    )


def _program_facts() -> tuple[Fact, ...]:
    return (
        Fact("tool", "sspi-async", __version__),
        Fact("python", "Python", f"{platform.python_version()} ({platform.python_implementation()})"),
        Fact("platform", "system", platform.platform()),
    )


def _engine_facts(engine: str, failure: SspiCliError | None) -> tuple[Fact, ...]:
    found = [
        Fact("schannel", "Schannel", engine or (failure.message if failure else ""), is_bad=failure is not None),
        Fact("pyopenssl", "pyOpenSSL", _version("pyOpenSSL") or "not here"),
        Fact("cryptography", "cryptography", _version("cryptography") or "not here"),
        Fact("openssl", "OpenSSL", _openssl()),
        Fact("stdlib_openssl", "OpenSSL of Python", _stdlib_openssl()),
    ]
    bindings = _bindings()
    return (*found, *([bindings] if bindings else []))


def _openssl() -> str:
    """Name the OpenSSL that cryptography carries, which computes the handshakes."""
    try:
        from sspicli.packages.openssl_bindings import OPENSSL_VERSION
    except (ImportError, AttributeError):
        return "not here"
    return f"OpenSSL {OPENSSL_VERSION}, in cryptography: computes the handshakes"


def _stdlib_openssl() -> str:
    try:
        import ssl
    except ImportError:
        return "not here"
    return f"{ssl.OPENSSL_VERSION}, in the ssl module: not used"


def _bindings() -> Fact | None:
    """Say whether this pyOpenSSL gives the private functions that are needed; None without pyOpenSSL."""
    try:
        from sspicli.packages.openssl_bindings import missing_bindings
    except (ImportError, AttributeError):
        return None
    missing = missing_bindings()
    said = f"missing: {', '.join(missing)}" if missing else "all there"
    return Fact("bindings", "private bindings", said, is_bad=bool(missing))


def _extra(extra: str, distributions: tuple[str, ...], purpose: str) -> Fact:
    versions = {name: _version(name) for name in distributions}
    here = ", ".join(f"{name} {version}" for name, version in versions.items() if version)
    missing = ", ".join(name for name, version in versions.items() if not version)
    parts = (here, missing and f"{missing} not installed: pip install 'sspicli[{extra}]'")
    return Fact(extra, extra, "; ".join((*filter(None, parts), f"for {purpose}, which this version does not use")))


def _version(distribution: str) -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(distribution)
    except PackageNotFoundError:
        return ""


def _terminal_facts(console: Console) -> tuple[Fact, ...]:
    from sspicli.views.text import UNICODE

    stream = console.stream
    kind = "a terminal" if stream.isatty() else "not a terminal"
    given = [f"{name}={os.environ[name]}" for name in _VARIABLES if name in os.environ]
    return (
        Fact("stdout", "stdout", f"{kind}, {stream.encoding or 'no encoding'}"),
        Fact("color", "colour", "on" if console.has_color else "off"),
        Fact("glyphs", "glyphs", "Unicode" if console.glyphs is UNICODE else "ASCII"),
        Fact("width", "width", str(console.width)),
        Fact("environment", "environment", ", ".join(given) or "nothing set that changes this"),
    )


def _system_facts() -> tuple[Fact, ...]:
    is_set = bool(os.environ.get("SSLKEYLOGFILE"))
    keylog = "set, and ignored: write --keylog FILE" if is_set else "not set (it would be ignored)"
    return (
        Fact("fork", "fork", "available" if hasattr(os, "fork") else "not available"),
        Fact("sslkeylogfile", "SSLKEYLOGFILE", keylog),
    )


def _show_facts(screen: Screen, groups: tuple[Group, ...], *, is_usable: bool) -> None:
    if screen.format == "json":
        screen.write_document(
            {
                "schema": DOCTOR_SCHEMA,
                "usable": is_usable,
                **{group.key: {one.key: one.value for one in group.facts} for group in groups},
            }
        )
        return
    screen.console().show(_fact_lines(groups, screen.console(), is_usable=is_usable))


def _fact_lines(groups: tuple[Group, ...], console: Console, *, is_usable: bool) -> list[Line]:
    from sspicli.views.text import Segment, line, visible

    verdict = Segment("ok", "good") if is_usable else Segment("FAILED", "bad")
    said = "Schannel can be used here" if is_usable else "Schannel cannot be used here"
    lines: list[Line] = [line(verdict, f"  {said}")]
    for group in groups:
        lines += [(), line(Segment(group.key, "head"))]
        for fact in group.facts:
            style = "bad" if fact.is_bad else ""
            rows = _rows(visible(fact.value, 1000), console.width - _LABEL_WIDTH - 2)
            lines += [
                line(f"  {'' if number else fact.label:<{_LABEL_WIDTH}}", Segment(row, style))
                for number, row in enumerate(rows)
            ]
    return lines


# -- fidelity ----------------------------------------------------------------------------------------------------------


def _show_fidelity(screen: Screen, *, has_engine: bool) -> None:
    from sspicli.cli.fidelity import ASSUMPTION, DIFFERENCE, claims, words_claims

    found = claims() if has_engine else words_claims()
    if screen.format == "json":
        screen.write_document(
            {
                "schema": FIDELITY_SCHEMA,
                "differences": [_claim_document(one) for one in found if one.kind == DIFFERENCE],
                "assumptions": [_claim_document(one) for one in found if one.kind == ASSUMPTION],
            }
        )
        return
    console = screen.console()
    console.show(_claim_lines(found, console.width))


def _claim_document(one: Claim) -> dict[str, object]:
    return {"table": one.table, "id": one.id, "here": one.here, "note": one.note or None, "source": one.source.value}


def _claim_lines(found: tuple[Claim, ...], width: int) -> list[Line]:
    from sspicli.cli.fidelity import DIFFERENCE
    from sspicli.views.text import Segment, line

    differences = sum(one.kind == DIFFERENCE for one in found)
    lines: list[Line] = [line(f"{differences} engine differences and {len(found) - differences} assumptions")]
    for table in dict.fromkeys(one.table for one in found):
        lines += [(), line(Segment(table, "head"))]
        for one in found:
            if one.table == table:
                lines += [line(f"  {row}") for row in _rows(f"{one.id}  ({one.source})", width - 2)]
                lines += _said("here", one.here, width)
                lines += _said(one.note_is, one.note, width)
    return lines


def _said(label: str, text: str, width: int) -> list[Line]:
    from sspicli.views.text import Segment, line

    rows = _rows(text, width - 13) if text else []
    return [line(Segment(f"    {'' if number else label:<9}", "muted"), row) for number, row in enumerate(rows)]


def _rows(text: str, width: int) -> list[str]:
    import textwrap

    return textwrap.wrap(text, max(width, 20), break_on_hyphens=False) or [""]
