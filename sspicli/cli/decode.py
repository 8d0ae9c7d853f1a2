"""`sspi-async decode [TOKEN|FILE|-]...`: tokens, certificates and recordings, field by field with byte spans.

The rule guarded here: nothing is guessed silently. What an argument was taken as stands in the first line of its
answer, `--as` overrules it, and what was not read ends the command with exit code 1 and a sentence that says where. A
key log's lines, passwords and private keys are never shown.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sspicli.cli.screen_options import Screen, file_option, screen_options
from sspicli.cli.session_options import Choice
from sspicli.sspi.errors import ExitCode, SspiCliError, UsageError

if TYPE_CHECKING:
    from sspicli.analysis.exchange import Opened, Part
    from sspicli.cli.console import Console
    from sspicli.tokens.tree import Node
    from sspicli.views.text import Line

    Found = tuple[Opened, Part, str, Node]

# Words of `--as`: the members of Notation and Kind, which are imported when a token is.
NOTATIONS = ("hex", "hexdump", "base64", "pem", "header", "raw", "recording")
KINDS = ("tls", "handshake", "certificate")

_USAGE = """\
Usage: sspi-async decode [TOKEN|FILE|-]...

A TOKEN, or what a FILE holds, is one of
  hex                160301..., 0x1603, 16 03 01, 16:03:01, {0x16, 0x03}, "\\x16\\x03"
  a hex dump         of xxd, hexdump -C, Wireshark or sspi-async itself
  base64             in either alphabet
  PEM                -----BEGIN CERTIFICATE-----
  an HTTP header     Authorization: Negotiate ..., WWW-Authenticate: NTLM ...
  bytes as they are  in a file, or on stdin
  a recording        of sspi-async handshake --record FILE
"""


@click.command("decode", short_help="Open tokens and certificates and recordings field by field.")
@click.argument("tokens", nargs=-1, metavar="[TOKEN|FILE|-]...", type=click.UNPROCESSED)
@click.option(
    "--as",
    "forced",
    multiple=True,
    type=Choice([*NOTATIONS, *KINDS]),
    metavar="FORM",
    help="Take the input as this instead of telling by its marks: hex, hexdump, base64, pem, header, raw or recording; "
    "and, given again, as tls, handshake or certificate.",
)
@click.option("--from", "sender", type=Choice(["client", "server"]), help="Who sent the first token.")
@click.option(
    "--keylog",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Open protected records with the secrets of this NSS key log.",
)
@click.option("--leg", type=click.IntRange(1), help="Of a recording, only this leg.")
@click.option("--field", metavar="PATH", help="Only the fields of this path, such as Certificate[0].validity.notAfter.")
@click.option("--hex", "with_hex", is_flag=True, help="Add the bytes, each in the colour of its field.")
@click.option("-v", "verbose", count=True, help="Records too, and every field on a line of its own.")
@file_option
@screen_options
def command(
    tokens: tuple[str, ...],
    forced: tuple[str, ...],
    sender: str | None,
    keylog: Path | None,
    leg: int | None,
    field: str | None,
    with_hex: bool,
    verbose: int,
    **shared: object,
) -> int:
    """Open tokens, certificates and recordings field by field, with byte spans.

    A TOKEN is hex, base64, PEM, a hex dump or an HTTP header; a FILE holds one, or bytes, or a recording; - is stdin.
    Several are one exchange, in the order in which they were sent. Exit code 1 says that something was not read, such
    as a protected record whose secret is not there.

    \b
    Examples:
      sspi-async decode 15030300020228
      sspi-async decode "16 03 03 00 04 0e 00 00 00" --hex
      sspi-async decode FQMDAAICKA== --field description
      sspi-async decode 0e000000 -f json
      sspi-async decode "Authorization: NTLM TlRMTVNTUAABAAAA"   # exit 1
      sspi-async decode 160303   # exit 1
    """  # noqa: D301 (click reads the \b)
    screen = Screen(**shared)  # type: ignore[arg-type]
    if not tokens:
        return _say_usage(screen)
    screen.check_file()
    from sspicli.cli.decode_input import forced_by, open_all, secrets_in

    secrets = [] if keylog is None else secrets_in(keylog)
    opened = open_all(tokens, forced_by(forced), sender=sender or "", leg=leg, secrets=secrets)
    found = None if field is None else _found(opened, field)
    code = ExitCode.FAILED if _stopped(opened, found) else ExitCode.OK
    console = screen.destination(screen.console())
    if screen.format == "json":
        from sspicli.reports.tokens import document_text

        console.stream.write(document_text(opened, found, exit_code=code))
    else:
        console.show(_lines(opened, found, console, verbosity=verbose, with_hex=with_hex))
    console.stream.flush()
    if console.stream is not sys.stdout:
        console.stream.close()
    return code


def _say_usage(screen: Screen) -> int:
    if screen.format == "json":
        raise UsageError("there is nothing to decode", help="write sspi-async decode -f json TOKEN")
    click.echo(_USAGE, nl=False)
    return ExitCode.OK


def _stopped(opened: list[Opened], found: list[Found] | None) -> bool:
    """Say whether something was not read: of the fields asked for, or of anything."""
    if found is None:
        return any(one.stops for one in opened)
    from sspicli.tokens.tree import walk

    return any(node.note for *_, top in found for _, node in walk(top))


def _found(opened: list[Opened], field: str) -> list[Found]:
    """Find the fields of a path; that there is none is an error with the nearest name."""
    from difflib import get_close_matches

    from sspicli.tokens.paths import matching, names, parse_path

    pattern = parse_path(field)
    if pattern is None:
        raise UsageError(
            f"{field!r} is no path", where="--field", help="write names with dots, such as ClientHello.random"
        )
    parts = [(one, part) for one in opened for part in one.parts]
    found = [(one, part, path, node) for one, part in parts for path, node in matching(part.tree, pattern)]
    if not found:
        known = {name.lower(): name for name in names(part.tree for _, part in parts)}
        near = get_close_matches(pattern[-1].name, known, n=3)
        meant = f"did you mean {' or '.join(known[name] for name in near)}?" if near else ""
        raise SspiCliError(f"no field here is called {field}", help=meant or "without --field every field is shown")
    return found


def _lines(
    opened: list[Opened], found: list[Found] | None, console: Console, *, verbosity: int, with_hex: bool
) -> list[Line]:
    """Compose what a person reads: the fields asked for, or the tokens one after the other."""
    from sspicli.views.decode import field_lines, token_lines

    if found is not None:
        has_others = len(opened) > 1
        return field_lines(found, console.glyphs, width=console.width, with_titles=has_others, with_hex=with_hex)
    lines: list[Line] = []
    for one in opened:
        shown = token_lines(one, console.glyphs, width=console.width, verbosity=verbosity, with_hex=with_hex)
        lines += [(), *shown] if lines else shown
    return lines
