"""`sspi-async handshake`: one session between two local endpoints, its verdict and its ladder."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import NamedTuple

import click

from sspicli.analysis.report import Report, Verdict, report
from sspicli.cli.console import Console, make_console
from sspicli.cli.expect import parse_expectation, unmet
from sspicli.cli.session_options import Choice, SessionOptions, session_options
from sspicli.cli.start import start
from sspicli.journal.journal import Record
from sspicli.reports.document import document_text, lines_text
from sspicli.runtime.chooser import schedule_text
from sspicli.sspi.errors import ExitCode, WriteError
from sspicli.views.failure import failure_lines, finding_lines
from sspicli.views.ladder import ladder, legend_line, negotiated_line, verdict_line
from sspicli.views.tables import attribute_lines, buffer_lines, call_lines
from sspicli.views.text import Line, Segment, line


class Show(NamedTuple):
    """How a result is shown."""

    format: str
    verbosity: int
    timing: bool
    include_secrets: bool


@click.command("handshake", short_help="Run one handshake and say what came of it.")
@session_options
@click.option(
    "--expect", "expected", multiple=True, metavar="[SIDE=]STATUS", help="What the run must come to; repeatable."
)
@click.option(
    "-f",
    "--format",
    "format_",
    type=Choice(["text", "json", "jsonl"]),
    default="text",
    show_default=True,
    help="Output format.",
)
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Write the result to a new file.")
@click.option("-v", "verbose", count=True, help="Add calls, context attributes and buffers; twice, their bytes too.")
@click.option("-q", "quiet", is_flag=True, help="The verdict only.")
@click.option("--timing/--no-timing", default=True, help="Show measured times, or leave them out.")
@click.option("--color", type=Choice(["auto", "always", "never"]), default="auto", help="When to use colour.")
@click.option("--ascii", "ascii_", is_flag=True, help="Draw in ASCII.")
@click.option("--width", type=click.IntRange(40, 1000), help="Columns to draw for.")
def command(
    expected: tuple[str, ...],
    format_: str,
    output: Path | None,
    verbose: int,
    quiet: bool,
    timing: bool,
    color: str,
    ascii_: bool,
    width: int | None,
    **shared: object,
) -> int:
    """Run one handshake between two local endpoints: verdict and ladder, or why it failed.

    \b
    Examples:
      sspi-async handshake
      sspi-async handshake --tls 1.2 --mode poll
      sspi-async handshake --server cert=expired   # exit 1
      sspi-async handshake --client alpn=h2,http/1.1 --server alpn=http/1.1
      sspi-async handshake --server cert=expired --expect client=SEC_E_CERT_EXPIRED
    """  # noqa: D301 (click marks a block that is not to be filled with a real \b)
    expectations = [parse_expectation(one) for one in expected]
    options = SessionOptions(**shared)  # type: ignore[arg-type]
    console = make_console(color=color, ascii=ascii_, width=width)
    if output is not None:
        console = _into_file(console, output)
    records = start(options).run()
    result = report(records)
    show = Show(format_, -1 if quiet else verbose, timing, options.include_secrets)
    _show(console, result, records, show)
    missed = [text for one in expectations if (text := unmet(one, result)) is not None]
    for text in missed:
        click.echo(f"expectation not met: {text}", err=True)
    if result.reason == "interrupted":
        return ExitCode.INTERRUPTED
    if result.verdict is Verdict.STUCK:
        return ExitCode.STUCK
    if expectations:
        return ExitCode.FAILED if missed else ExitCode.OK
    return ExitCode.OK if result.verdict is Verdict.OK else ExitCode.FAILED


def _into_file(console: Console, path: Path) -> Console:
    try:
        stream = path.open("x", encoding="utf-8")
    except FileExistsError:
        raise WriteError(
            "the file exists, and is not overwritten", where=str(path), help="choose another name"
        ) from None
    except OSError as error:
        raise WriteError(f"the file cannot be created: {error.strerror}", where=str(path)) from None
    return Console(stream, console.width, has_color=False, glyphs=console.glyphs)


def _show(console: Console, result: Report, records: list[Record], show: Show) -> None:
    if show.format == "json":
        console.stream.write(
            document_text(
                result,
                timing=show.timing,
                schedule=schedule_text(result.schedule),
                attributes=show.verbosity > 0,
            )
        )
    elif show.format == "jsonl":
        for text in lines_text(records, include_secrets=show.include_secrets, timing=show.timing):
            console.stream.write(text)
    else:
        console.show(screen(result, console, show))
    console.stream.flush()
    if console.stream is not sys.stdout:
        console.stream.close()


def screen(result: Report, console: Console, show: Show) -> list[Line]:
    """Compose what a person reads: verdict, reason, ladder, what was agreed, and more on demand."""
    glyphs, timing = console.glyphs, show.timing
    lines = [verdict_line(result, glyphs, timing=timing)]
    if show.verbosity < 0:
        return lines
    if result.verdict is not Verdict.OK:
        lines += [(), *failure_lines(result, width=console.width, timing=timing)]
    lines += finding_lines(result, width=console.width)
    lines += [(), *ladder(result, glyphs, width=console.width, timing=timing), ()]
    agreed = negotiated_line(result, glyphs)
    lines += [one for one in (agreed,) if any(segment.text.strip() for segment in one)]
    lines.append(legend_line(glyphs, timing=timing))
    if show.verbosity > 0:
        lines += [(), *call_lines(result, glyphs, timing=timing)]
        lines += [(), *attribute_lines(result, width=console.width)]
        lines += [(), *buffer_lines(result, width=console.width, with_hex=show.verbosity > 1)]
    if result.verdict is not Verdict.OK:
        lines.append(line(Segment(f"  schedule {schedule_text(result.schedule)}", "muted")))
    return lines
