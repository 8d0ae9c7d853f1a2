"""`sspi-async handshake`: one session between two local endpoints, its verdict and its ladder."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import click

from sspicli.analysis.report import Report, Verdict, report
from sspicli.cli.console import Console, make_console
from sspicli.cli.expect import parse_expectation, unmet
from sspicli.cli.interrupts import ENDED_BY
from sspicli.cli.session_options import Choice, SessionOptions, session_options
from sspicli.cli.start import start
from sspicli.cli.watching import Watching, live_options
from sspicli.journal.journal import Record
from sspicli.journal.secret_file import create_secret_file
from sspicli.reports.document import document_text, lines_text
from sspicli.runtime.chooser import schedule_text
from sspicli.sspi.errors import ExitCode, UsageError, WriteError
from sspicli.views.look import Look
from sspicli.views.screen import screen
from sspicli.views.text import visible


class Show(NamedTuple):
    """How a result is shown."""

    format: str
    verbosity: int
    timing: bool
    include_secrets: bool


@click.command("handshake", short_help="Run one handshake and say what came of it.")
@session_options
@live_options
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
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the result to a new file; - is stdout.",
)
@click.option("-v", "verbose", count=True, help="Add calls, context attributes and buffers; twice, their bytes too.")
@click.option("-q", "quiet", is_flag=True, help="The verdict only.")
@click.option(
    "--count",
    type=click.IntRange(1, 10_000_000),
    metavar="N",
    help="Make N sessions over one credential a side, and say what they came to. --workers take them off one queue; "
    "each keeps its own virtual time, and session n chooses by the seed plus n - 1.",
)
@click.option(
    "--in-flight",
    type=click.IntRange(1, 100_000),
    metavar="M",
    help="With --count: at most M sessions under way at once  [default: 2 for each worker, else 1].",
)
@click.option(
    "--judge",
    type=Choice(["all", "failed"]),
    help="With --count: run the misuse rules over all sessions, or over those that are not ok  [default: all].",
)
@click.option(
    "--keep",
    type=click.IntRange(1, 1000),
    metavar="N",
    help="With --count: let --record keep the first N sessions that fail, in FILE and FILE-SESSION  [default: 1].",
)
@click.option("--timing/--no-timing", default=True, help="Show measured times, or leave them out.")
@click.option("--color", type=Choice(["auto", "always", "never"]), default="auto", help="When to use colour.")
@click.option("--ascii", "ascii_", is_flag=True, help="Draw in ASCII.")
@click.option("--width", type=click.IntRange(48, 1000), help="Columns to draw for.")
def command(
    live: bool | None,
    pace: float,
    expected: tuple[str, ...],
    format_: str,
    output: Path | None,
    verbose: int,
    quiet: bool,
    count: int | None,
    in_flight: int | None,
    judge: str | None,
    keep: int | None,
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
      sspi-async handshake --count 40 --workers 2 --in-flight 16
      sspi-async handshake --pace 0.01
    """  # noqa: D301 (click marks a block that is not to be filled with a real \b)
    expectations = [parse_expectation(one) for one in expected]
    options = SessionOptions(**shared)  # type: ignore[arg-type]
    console = make_console(color=color, ascii=ascii_, width=width)
    to_file = output is not None and str(output) != "-"
    if output is not None and to_file and output.exists():
        raise WriteError("the file exists, and is not overwritten", where=str(output), help="choose another name")
    verbosity = -1 if quiet else verbose

    def opened() -> Console:
        """Make the file only once nothing is left that could be wrong with the command line."""
        if output is None or not to_file:
            return console
        return replace(console, stream=create_secret_file(output), has_color=False)

    shows_ladder = format_ == "text" and not quiet and not to_file and sys.stdout.isatty()
    watching = Watching(live, pace, color, ascii_, leaves_ladder=count is None and not shows_ladder)
    if count is not None:
        from sspicli.cli.load import LoadOptions, run_many  # one handshake does not pay for it

        asked = LoadOptions(count, in_flight, judge or "all", keep, format_, verbosity, timing)
        return run_many(options, asked, expectations, opened, watching)
    _refuse_without_count({"--in-flight": in_flight, "--judge": judge, "--keep": keep})
    started = start(options, pace=pace)
    console = opened()
    records = started.run(watching.watch(lambda: started.journal)) if watching.is_wanted else started.run()
    result = report(records)
    show = Show(format_, verbosity, timing, options.include_secrets)
    _show(console, result, records, show)
    if result.reason in ENDED_BY:
        return ENDED_BY[result.reason]  # what a whole run was expected to come to was not put to the test
    missed = [text for one in expectations if (text := unmet(one, result)) is not None]
    missed += [f"the fault {one} never happened" for one in options.fault if one not in result.faults]
    for text in missed:
        click.echo(f"expectation not met: {visible(text)}", err=True)
    return _exit_code(result, missed, has_expectations=bool(expectations))


def _refuse_without_count(given: dict[str, object]) -> None:
    """Refuse the options that are for many sessions."""
    for name, value in given.items():
        if value is not None:
            raise UsageError("it is for many sessions", where=name, help="say how many: --count 1000")


def _exit_code(result: Report, missed: list[str], *, has_expectations: bool) -> ExitCode:
    """Choose how the process ends: what was expected decides, and a broken rule is never expected."""
    if result.verdict is Verdict.STUCK:
        return ExitCode.STUCK
    breaks_rules = any(finding.rule.severity == "error" for finding in result.findings)
    holds = not breaks_rules if has_expectations else result.verdict is Verdict.OK
    return ExitCode.OK if holds and not missed else ExitCode.FAILED


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
        schedule = schedule_text(result.schedule)
        look = Look(console.glyphs, console.width, show.timing, show.verbosity)
        console.show(screen(result, look, schedule=schedule))
    console.stream.flush()
    if console.stream is not sys.stdout:
        console.stream.close()
