"""`sspi-async man [PAGE]`: manual pages, made of the declarations that the program runs by.

The rule guarded here: a page is computed. Options come from click's declarations, the keys of --client and --server
from SETTINGS, examples from the help texts, exit codes and environment from their tables. The pages of the source tree
are written by `python -m sspicli.cli.man --write man`, and a test holds them to what is computed.

An example may say what it ends with: `sspi-async handshake --server cert=expired   # exit 1`; without it that is 0.
"""

from __future__ import annotations

import inspect
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from sspicli import __version__
from sspicli.cli.main import COMMANDS, ENVIRONMENT, EXIT_CODES, PROGRAM, did_you_mean, group
from sspicli.cli.roff import Block, Item, Lines, Page, Paragraph, Section, plain_text, roff
from sspicli.sspi.errors import ExitCode, UsageError, WriteError

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from sspicli.packages.options import Setting

DATE = "2026-11-22"
"""The day the pages' own words last changed; no page carries the day it was made."""

FORMAT = "scenario-format"
"""The one page that is of no command."""

_EXIT = re.compile(r"\s+# exit (\d+)$")
_EXAMPLES = "Examples:"

_RUNS = (
    "runs handshakes over the asynchronous SSPI functions of Windows, emulated, between two endpoints that live in one "
    "process and talk over a wire in memory. It shows who called what, when each call completed and which token went "
    "where, says why a handshake failed and at which side, and reports misuse of the functions. The order in which "
    "calls complete is an input, so every run can be repeated."
)

_FUNCTIONS = (
    "The eleven asynchronous functions and the notify callback, which Windows offers in kernel mode only, are emulated "
    "in user mode: async contexts, calls that stay pending, notification, and the rules of what may be done when. The "
    "statuses, flags and buffers have their documented names, values and roles."
)
_ENGINES = (
    "The security package Schannel is computed by OpenSSL on memory buffers. Its tokens are real TLS 1.2 and 1.3 "
    "records; which status Windows gives for a failure is looked up in a table whose rows say whether they are "
    "documented, observed or inferred. What computes which package here is listed by sspi-async packages."
)
_FIDELITY = (
    "Where the engine is known to differ from Windows, and what is assumed of Windows because no page says it, is "
    "listed by sspi-async doctor --fidelity."
)

_RECORDING = (
    "A recording: one JSON object a line, readable up to its last whole line whatever stopped the writer. Secrets are "
    "masked unless --include-secrets is given."
)
_KEYLOG = "The secrets of the session in the NSS key log format, with which its records can be decrypted."
_OWN_FILES = (
    "Recordings and key logs are created readable by their owner only, and a file that exists is never overwritten. No "
    "file is read or written that the command line does not ask for."
)

_THROW_AWAY = (
    "The certificates and keys of the presets are made from the seed: whoever knows it knows every key. They protect "
    "nothing and belong in no other store."
)
_SECRETS = (
    "Passwords are never taken from the command line, where other users can read them; name a file with "
    "key-password-file=FILE. The variable SSLKEYLOGFILE is ignored, so that no secret is written unasked."
)
_HOSTILE = (
    "Names out of certificates, tokens and files are data: control characters in them are shown as escapes and never "
    "sent to the terminal."
)


class Example(NamedTuple):
    """A command line out of a help text, and the exit code it declares."""

    text: str
    exit_code: int

    @property
    def arguments(self) -> tuple[str, ...]:
        """The words after the program's name."""
        return tuple(shlex.split(self.text)[1:])


def _complete_page(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    from click.shell_completion import CompletionItem

    known = {name: said for name, (_, said) in COMMANDS.items()} | {FORMAT: "The format of scenarios."}
    return [CompletionItem(name, help=said) for name, said in known.items() if name.startswith(incomplete)]


@click.command("man", short_help="Show a manual page.")
@click.argument("page", default=PROGRAM, shell_complete=_complete_page)
@click.option(
    "--write",
    "directory",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write all pages into a directory instead, over what is there under their names.",
)
def command(page: str, directory: Path | None) -> int:
    """Show the manual page of a command, or the overview.

    On a terminal the page is shown by man(1) where there is one, else as plain text. Off a terminal its source is
    printed, in man(7).

    \b
    Examples:
      sspi-async man
      sspi-async man handshake
    """  # noqa: D301 (click reads the \b)
    name = page.removeprefix(f"{PROGRAM}-")
    if name not in (PROGRAM, FORMAT, *COMMANDS):
        near = did_you_mean(name, COMMANDS).strip()
        known = ", ".join(COMMANDS)
        raise UsageError(f'there is no page "{page}"', help=near[:1].lower() + near[1:] or f"pages: {known}")
    if directory is not None:
        write_pages(directory)
    elif sys.stdout.isatty():
        _show(build_page(name))
    else:
        click.echo(man_page(name), nl=False)
    return ExitCode.OK


def man_page(name: str) -> str:
    """Write the page of a command, or the overview under the program's name, as man(7) source."""
    return roff(build_page(name))


def pages() -> dict[str, str]:
    """Write every page, by file name."""
    return {_file_name(name): man_page(name) for name in (PROGRAM, *COMMANDS, FORMAT)}


def write_pages(directory: Path) -> None:
    """Write every page into a directory, and say so."""
    made = pages()
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for name, text in made.items():
            (directory / name).write_text(text, encoding="ascii", newline="\n")
    except OSError as error:
        raise WriteError(f"the pages cannot be written: {error.strerror}", where=str(directory)) from None
    click.echo(f"wrote {len(made)} pages to {directory}", err=True)


def examples(text: str | None) -> tuple[Example, ...]:
    """Read the examples out of a help text."""
    found = []
    for block in _paragraphs(text or ""):
        if block and block[0] == _EXAMPLES:
            for line in block[1:]:
                declared = _EXIT.search(line)
                found.append(Example(_EXIT.sub("", line).strip(), int(declared[1]) if declared else 0))
    return tuple(found)


def _show(page: Page) -> None:
    """Let man show a page; where there is none, or it cannot, print it."""
    viewer = shutil.which("man")
    if viewer is not None:
        shown = subprocess.run([viewer, "-l", "-"], input=roff(page).encode("ascii"), check=False)  # noqa: S603
        if shown.returncode == 0:
            return
    click.echo(plain_text(page, min(shutil.get_terminal_size().columns, 80)), nl=False)


# -- what a page says --------------------------------------------------------------------------------------------------


def build_page(name: str) -> Page:
    """Compose a page as data."""
    ctx = group.make_context(PROGRAM, [], resilient_parsing=True)
    if name == PROGRAM:
        summary = "run, watch and test asynchronous SSPI handshakes"
        return Page(PROGRAM, summary, DATE, _version(), tuple(_overview(group, ctx)))
    if name == FORMAT:
        from sspicli.cli.man_format import SUMMARY, format_sections

        others = _others("replay", "scenario", "handshake")
        return Page(f"{PROGRAM}-{FORMAT}", SUMMARY, DATE, _version(), (*format_sections(), others), number=7)
    found = group.get_command(ctx, name)
    assert found is not None, f"{name} is in the table of commands"
    sentence = COMMANDS[name][1]
    summary = sentence[:1].lower() + sentence[1:].removesuffix(".")
    with found.make_context(name, [], parent=ctx, resilient_parsing=True) as inner:
        return Page(f"{PROGRAM}-{name}", summary, DATE, _version(), tuple(_command_sections(found, inner)))


def _version() -> str:
    return f"{PROGRAM} {__version__}"


def _file_name(name: str) -> str:
    return f"{PROGRAM}.1" if name == PROGRAM else f"{PROGRAM}-{name}.{7 if name == FORMAT else 1}"


def _overview(top: click.Command, ctx: click.Context) -> Iterator[Section]:
    yield _synopsis(ctx)
    yield Section("DESCRIPTION", (Paragraph(f"{PROGRAM} {_RUNS}"), Paragraph("Each command has a page of its own.")))
    yield _options(top, ctx)
    yield Section("COMMANDS", tuple(Item(f"{PROGRAM}-{name}(1)", said) for name, (_, said) in COMMANDS.items()))
    yield Section("WHAT IS EMULATED", tuple(map(Paragraph, (_FUNCTIONS, _ENGINES, _FIDELITY))))
    files = (Item("--record FILE", _RECORDING), Item("--keylog FILE", _KEYLOG))
    yield Section("FILES", (*files, Paragraph(_OWN_FILES)))
    yield from _closing(top, PROGRAM)


def _command_sections(one: click.Command, ctx: click.Context) -> Iterator[Section]:
    yield _synopsis(ctx)
    yield Section("DESCRIPTION", tuple(_description(one.help or "")))
    yield _options(one, ctx)
    if isinstance(one, click.Group):
        yield from _subcommands(one, ctx)
    if one.name != "repl" and {"client", "server"} <= {param.name for param in one.params}:
        yield _settings()
    if one.name == "repl":
        from sspicli.cli.repl_page import sections  # the debugger's verbs, which other pages do not pay for

        yield from sections()
    if one.name == "dap":
        from sspicli.cli.dap_page import sections as of_adapter

        yield from of_adapter()
    yield from _closing(one, one.name or "")


def _subcommands(one: click.Group, ctx: click.Context) -> Iterator[Section]:
    """Give each command of a group its section."""
    for name, inner in one.commands.items():
        with inner.make_context(name, [], parent=ctx, resilient_parsing=True) as below:
            (usage,) = _synopsis(below).blocks
            shown = Lines(
                tuple(
                    one.text + (f"   # exit {one.exit_code}" if one.exit_code else "") for one in examples(inner.help)
                )
            )
            options = _options(inner, below).blocks
            yield Section(below.command_path.upper(), (usage, *_description(inner.help or ""), *options, shown))


def _synopsis(ctx: click.Context) -> Section:
    return Section("SYNOPSIS", (Paragraph(" ".join([ctx.command_path, *ctx.command.collect_usage_pieces(ctx)])),))


def _description(text: str) -> Iterator[Block]:
    for block in _paragraphs(text):
        if block[0] == _EXAMPLES:
            continue
        yield Lines(tuple(block)) if "  " in block[0].strip() else Paragraph(" ".join(block))


def _paragraphs(text: str) -> list[list[str]]:
    r"""Divide a help text at empty lines; click's `\b`, which keeps lines, is dropped."""
    blocks = [block.split("\n") for block in inspect.cleandoc(text).split("\n\n")]
    kept = [[line for line in lines if line.strip() not in ("", "\b")] for lines in blocks]
    return [lines for lines in kept if lines]


def _options(one: click.Command, ctx: click.Context) -> Section:
    options = [param for param in one.get_params(ctx) if isinstance(param, click.Option)]
    records = [option.get_help_record(ctx) for option in options]
    return Section("OPTIONS", tuple([_option(*record) for record in records if record is not None]))


def _option(names: str, said: str) -> Item:
    """Make an item of what help prints, in which click names the types of numbers as Python does."""
    return Item(re.sub(r"(INTEGER|FLOAT)( RANGE)?$", "N", names), re.sub(r"\s{2,}", " ", said))


def _closing(one: click.Command, name: str) -> Iterator[Section]:
    yield Section("EXIT STATUS", tuple(Item(str(int(code)), _full(said)) for code, said in EXIT_CODES.items()))
    yield Section("ENVIRONMENT", tuple(Item(variable, _full(said)) for variable, said in ENVIRONMENT.items()))
    shown = [f"{each.text}   # exit {each.exit_code}" if each.exit_code else each.text for each in examples(one.help)]
    if shown:
        yield Section("EXAMPLES", (Lines(tuple(shown)),))
    if name in (PROGRAM, "handshake"):
        yield Section("SECURITY", tuple(map(Paragraph, (_THROW_AWAY, _SECRETS, _HOSTILE))))
    format = (FORMAT,) if name in ("scenario", "replay") else ()
    yield _others(*format, "", *COMMANDS, without=name)


def _others(*names: str, without: str = "") -> Section:
    """Name other pages."""
    pages = [_file_name(name or PROGRAM).rpartition(".") for name in names if (name or PROGRAM) != without]
    return Section("SEE ALSO", (Paragraph(", ".join(f"{page}({number})" for page, _, number in pages)),))


def _full(sentence: str) -> str:
    return f"{sentence[:1].upper()}{sentence[1:]}."


# -- the settings of --client and --server -----------------------------------------------------------------------------


def _settings() -> Section:
    """List every setting; values that a row above has explained are not explained again."""
    from sspicli.packages.options import SETTINGS

    intro = "Each of --client and --server takes one setting and may be given once for each key."
    items = []
    explained: list[object] = []
    for one in SETTINGS:
        items.append(_setting(one, is_explained=one.choices in explained))
        explained.append(one.choices)
    return Section("SETTINGS", (Paragraph(intro), *items))


def _setting(one: Setting, *, is_explained: bool) -> Item:
    side = "" if one.side == "both" else f"({one.side} only) "
    if is_explained or not one.choices:
        return Item(one.synopsis, f"{side}{one.text}")
    if one.is_list:
        return Item(one.synopsis, f"{side}{one.text} Known names: {', '.join(one.choices)}.")
    return Item(one.synopsis, f"{side}{one.text}", tuple(Item(value, said) for value, said in one.choices.items()))


if __name__ == "__main__":
    command()
