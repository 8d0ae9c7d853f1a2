"""The options of every command that prints: how it looks, how much it says, and where it goes; declared once.

The rule guarded here: a file is made only when nothing is left that could be wrong with the command line, and never
over another.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import click

from sspicli.cli.session_options import Choice
from sspicli.sspi.errors import WriteError

if TYPE_CHECKING:
    from sspicli.cli.console import Console

STDOUT = "-"


class Screen(NamedTuple):
    """What the options say about how a result is shown, and the file it goes to instead of stdout."""

    format: str
    color: str
    is_ascii: bool
    width: int | None
    output: Path | None = None

    @classmethod
    def taken_from(cls, given: dict[str, object]) -> Screen:
        """Take one's own among the options of a command."""
        return cls(**{name: given.pop(name) for name in cls._fields if name in given})  # type: ignore[arg-type]

    @property
    def file(self) -> Path | None:
        """Name the file, None for stdout."""
        return None if self.output is None or str(self.output) == STDOUT else self.output

    def check_file(self) -> None:
        """Refuse to write over a file before any work is done for it."""
        file = self.file
        if file is not None and file.exists():
            raise WriteError("the file exists, and is not overwritten", where=str(file), help="choose another name")

    def console(self) -> Console:
        """Make the console they ask for, on stdout."""
        from sspicli.cli.console import make_console

        return make_console(color=self.color, ascii=self.is_ascii, width=self.width)

    def destination(self, console: Console) -> Console:
        """Give the console of where the result goes: the same, or one on the file, which is made now."""
        if self.file is None:
            return console
        from sspicli.journal.secret_file import create_secret_file

        return replace(console, stream=create_secret_file(self.file), has_color=self.color == "always")

    def write_document(self, document: dict[str, object]) -> None:
        """Write a JSON document in ASCII, so that no name in it can reach a terminal as a control sequence."""
        import json

        click.echo(json.dumps(document, indent=2, ensure_ascii=True))


class Detail(NamedTuple):
    """How much of a run is shown."""

    verbose: int
    quiet: bool
    timing: bool

    @classmethod
    def taken_from(cls, given: dict[str, object]) -> Detail:
        """Take one's own among the options of a command."""
        return cls(**{name: given.pop(name) for name in cls._fields})  # type: ignore[arg-type]

    @property
    def verbosity(self) -> int:
        """Say how much: -1 for the verdict only, 0 for the ladder, then what each -v adds."""
        return -1 if self.quiet else self.verbose


F = TypeVar("F", bound=Callable[..., object])
Option = Callable[[F], F]


def screen_options(function: F) -> F:
    """Add what a card or a table needs: text or JSON, colour, glyphs, width; `Screen(**them)` reads them."""
    return _with(function, _format("text", "json"), *_LOOK)


def file_option(function: F) -> F:
    """Add `-o`; it joins what `Screen` reads."""
    return _with(function, _OUTPUT)


def run_options(function: F) -> F:
    """Add what a command needs that shows a run: lines too, a file, and how much; for `Screen` and `Detail`."""
    return _with(function, _format("text", "json", "jsonl"), _OUTPUT, *_DETAIL, *_LOOK)


def report_options(*formats: str, verbose: str) -> Callable[[F], F]:
    """Add what a command needs that reports in formats of its own; for `Screen` and `Detail`.

    `verbose` says what -v adds.
    """
    more = click.option("-v", "verbose", count=True, help=verbose)
    return lambda function: _with(function, _format(*formats), _OUTPUT, more, *_DETAIL[1:], *_LOOK)


def brief_options(*formats: str) -> Callable[[F], F]:
    """Add what a command needs that reports in formats of its own, without times and details; for `Screen`."""
    return lambda function: _with(function, _format(*formats), _OUTPUT, *_LOOK)


def verify_options(function: F) -> F:
    """Add what the verifier needs: SARIF too, and a file; for `Screen`."""
    return _with(function, _format("text", "json", "sarif"), _OUTPUT, *_LOOK)


def _with(function: F, *options: Callable[[F], F]) -> F:
    for option in reversed(options):
        function = option(function)
    return function


def _format(*names: str) -> Callable[[F], F]:
    return click.option(
        "-f", "--format", "format", type=Choice(names), default=names[0], show_default=True, help="Output format."
    )


allow_path_option = click.option(
    "--allow-path",
    "allowed",
    type=click.Path(file_okay=False, path_type=Path),
    multiple=True,
    metavar="DIR",
    help="Let scenarios name certificate and key files in this folder too, not in their own alone; repeatable.",
)
_OUTPUT = click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help=f"Write the result to a new file; {STDOUT} is stdout.",
)
_DETAIL = (
    click.option("-v", "verbose", count=True, help="Add calls, attributes and buffers; twice, their bytes too."),
    click.option("-q", "quiet", is_flag=True, help="The verdict only."),
    click.option("--timing/--no-timing", default=True, help="Show measured times, or leave them out."),
)
_LOOK = (
    click.option("--color", type=Choice(["auto", "always", "never"]), default="auto", help="When to use colour."),
    click.option("--ascii", "is_ascii", is_flag=True, help="Draw in ASCII."),
    click.option("--width", type=click.IntRange(40, 1000), help="Columns to draw for."),
)
