"""`sspi-async packages`: the security packages known here, which can be used, and what computes them.

The rule guarded here: available means tried. A package is made to learn its engine; one that cannot be made says why
and what installs it, and one that is not built yet says so instead of being left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import click

from sspicli.cli.screen_options import Screen, screen_options
from sspicli.sspi.errors import ExitCode, UnavailableError

if TYPE_CHECKING:
    from sspicli.packages.catalog import PackageEntry
    from sspicli.views.text import Line

SCHEMA = "sspi-async/packages/1"

EMULATED = (
    "All of SSPI is emulated: the eleven asynchronous functions and the notify callback, which Windows offers in "
    "kernel mode only, their async contexts, handles and statuses. The tokens are real: a real TLS library makes them."
)


class Found(NamedTuple):
    """One security package and what came of making it; `engine` is "" unless it is available."""

    entry: PackageEntry
    state: str
    engine: str = ""
    help: str = ""


@click.command("packages", short_help="List the security packages and what computes them here.")
@screen_options
def command(**shared: object) -> int:
    """List the security packages that SSPI knows, which of them can be used here, and what computes them.

    \b
    Examples:
      sspi-async packages
      sspi-async packages -f json
    """  # noqa: D301 (click reads the \b)
    from sspicli.packages.catalog import PACKAGES

    screen = Screen(**shared)  # type: ignore[arg-type]
    found = [_found(entry) for entry in PACKAGES]
    if screen.format == "json":
        screen.write_document({"schema": SCHEMA, "emulated": EMULATED, "packages": [_document(one) for one in found]})
    else:
        console = screen.console()
        console.show(_lines(found, console.width))
    return ExitCode.OK


def _found(entry: PackageEntry) -> Found:
    if entry.create is None:
        return Found(entry, "not built yet")
    try:
        return Found(entry, "available", entry.create().engine)
    except UnavailableError as error:
        return Found(entry, f"unavailable: {error.message}", help=error.help)


def _document(one: Found) -> dict[str, object]:
    return {
        "name": one.entry.name,
        "aliases": list(one.entry.aliases),
        "summary": one.entry.summary,
        "available": bool(one.engine),
        "state": one.state,
        "engine": one.engine or None,
        "help": one.help or None,
    }


def _lines(found: list[Found], width: int) -> list[Line]:
    from sspicli.views.text import Segment, line, visible, wrapped

    lines: list[Line] = []
    for one in found:
        style = "good" if one.engine else "muted"
        lines.append(line(Segment(f"{one.entry.name:<12}", "head"), Segment(visible(one.state, 1000), style)))
        details = {
            "": one.entry.summary,
            "engine": one.engine,
            "also": ", ".join(one.entry.aliases),
            "help": one.help,
        }
        for label, text in details.items():
            rows = wrapped(text.split(" "), width - 21) if text else []
            lines += [line(f"            {'' if number else label:<9}", row) for number, row in enumerate(rows)]
    lines.append(())
    lines += [line(row) for row in wrapped(EMULATED.split(" "), width)]
    lines.append(line("Where the engine and Windows part: sspi-async doctor --fidelity"))
    return lines
