"""The options of every command that prints for a person or, on demand, a JSON document; declared once."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import click

from sspicli.cli.session_options import Choice

if TYPE_CHECKING:
    from sspicli.cli.console import Console


class Screen(NamedTuple):
    """What the options say about how a result is shown."""

    format: str
    color: str
    is_ascii: bool
    width: int | None

    def console(self) -> Console:
        """Make the console they ask for."""
        from sspicli.cli.console import make_console

        return make_console(color=self.color, ascii=self.is_ascii, width=self.width)

    def write_document(self, document: dict[str, object]) -> None:
        """Write a JSON document in ASCII, so that no name in it can reach a terminal as a control sequence."""
        import json

        click.echo(json.dumps(document, indent=2, ensure_ascii=True))


F = TypeVar("F", bound=Callable[..., object])

_OPTIONS = (
    click.option(
        "-f",
        "--format",
        "format",
        type=Choice(["text", "json"]),
        default="text",
        show_default=True,
        help="Output format.",
    ),
    click.option("--color", type=Choice(["auto", "always", "never"]), default="auto", help="When to use colour."),
    click.option("--ascii", "is_ascii", is_flag=True, help="Draw in ASCII."),
    click.option("--width", type=click.IntRange(40, 1000), help="Columns to draw for."),
)


def screen_options(function: F) -> F:
    """Add the options to a command; `Screen(**them)` reads them."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function
