"""`sspi-async api [NAME]`: reference cards of the eleven asynchronous functions and the callback type, offline.

The rule guarded here: a name is taken when it can mean one function only; else the ones it could mean are listed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from sspicli.cli.screen_options import Screen, screen_options
from sspicli.sspi.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from sspicli.sspi.functions import Function
    from sspicli.views.text import Line


def _complete_name(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    from click.shell_completion import CompletionItem

    from sspicli.sspi.functions import Function

    names = [(function.documented_name, function.summary.rstrip(".").replace(",", "")) for function in Function]
    return [CompletionItem(name, help=text) for name, text in names if name.lower().startswith(incomplete.lower())]


@click.command("api", short_help="Show the reference card of an asynchronous function.")
@click.argument("name", required=False, shell_complete=_complete_name)
@screen_options
def command(name: str | None, **shared: object) -> int:
    """Show what is known of an asynchronous SSPI function: the list, or one reference card.

    A NAME is the documented one or part of it, in any case: SspiFreeAsyncContext, free_async_context, acquire. A card
    has the declaration, until when each parameter is needed, the statuses at queueing and at completion, in which phase
    the function may be called, what may follow, the misuse rules that watch it, and how each of these is known.

    \b
    Examples:
      sspi-async api
      sspi-async api SspiInitializeSecurityContextAsync
      sspi-async api free_async_context
      sspi-async api accept -f json
      sspi-async api SspiFreeAsyncContxt   # exit 2
    """  # noqa: D301 (click reads the \b)
    screen = Screen(**shared)  # type: ignore[arg-type]
    from sspicli.analysis.api_card import IN_ORDER_OF_USE, card

    function = None if name is None else _function(name)
    if screen.format == "json":
        from sspicli.reports.api import document

        screen.write_document(document(card(one) for one in ([function] if function else IN_ORDER_OF_USE)))
        return ExitCode.OK
    console = screen.console()
    console.show(_lines(function, console.width))
    return ExitCode.OK


def _lines(function: Function | None, width: int) -> list[Line]:
    from sspicli.analysis.api_card import card
    from sspicli.views.api import card_lines, listing
    from sspicli.views.text import Segment, line

    if function is None:
        return [*listing(width), (), line(Segment("sspi-async api NAME shows one", "muted"))]
    return card_lines(card(function), width)


def _function(name: str) -> Function:
    """Find the one function that a name means."""
    from sspicli.analysis.api_card import find, near

    found = find(name)
    if len(found) == 1:
        return found[0]
    if found:
        names = " or ".join(function.documented_name for function in found[:4])
        raise UsageError(f"{name} means several functions", where="NAME", help=f"write {names}")
    meant = " or ".join(function.documented_name for function in near(name))
    way_out = f"did you mean {meant}?" if meant else "sspi-async api lists them"
    raise UsageError(f"no function is called {name}", where="NAME", help=way_out)
