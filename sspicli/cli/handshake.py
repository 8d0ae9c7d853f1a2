"""`sspi-async handshake`: one session between two local endpoints, its verdict and its ladder."""

from __future__ import annotations

import sys
from typing import NamedTuple

import click

from sspicli.analysis.report import Report, Verdict, report
from sspicli.cli.console import Console
from sspicli.cli.expect import Expectation, parse_expectation, unmet
from sspicli.cli.interrupts import ENDED_BY
from sspicli.cli.screen_options import Detail, Screen, run_options
from sspicli.cli.session_options import Choice, SessionOptions, session_options
from sspicli.cli.start import start
from sspicli.cli.watching import Watching, live_options
from sspicli.journal.journal import Record
from sspicli.runtime.chooser import schedule_text
from sspicli.sspi.errors import ExitCode, UsageError
from sspicli.views.look import Look
from sspicli.views.screen import screen as composed
from sspicli.views.text import visible


class Show(NamedTuple):
    """How a result is shown."""

    format: str
    detail: Detail
    include_secrets: bool


class Wanted(NamedTuple):
    """What a run is to come to: the statuses expected of it, and whether warnings count."""

    expectations: list[Expectation]
    is_strict: bool


@click.command("handshake", short_help="Run one handshake and say what came of it.")
@session_options
@live_options
@click.option(
    "--expect", "expected", multiple=True, metavar="[SIDE=]STATUS", help="What the run must come to; repeatable."
)
@click.option("--strict", is_flag=True, help="Let warnings of the misuse rules fail the run too.")
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
@run_options
def command(
    live: bool | None,
    pace: float,
    expected: tuple[str, ...],
    strict: bool,
    count: int | None,
    in_flight: int | None,
    judge: str | None,
    keep: int | None,
    **given: object,
) -> int:
    """Run one handshake between two local endpoints: verdict and ladder, or why it failed.

    \b
    Examples:
      sspi-async handshake
      sspi-async handshake --tls 1.2 --mode poll
      sspi-async handshake --server cert=expired   # exit 1
      sspi-async handshake --client alpn=h2,http/1.1 --server alpn=http/1.1
      sspi-async handshake --server cert=expired --expect client=SEC_E_CERT_EXPIRED
      sspi-async handshake --fault leg2=tamper:ServerHello.random:01   # exit 1
      sspi-async handshake --fault leg1=split:5:100
      sspi-async handshake --count 40 --workers 2 --in-flight 16
      sspi-async handshake --pace 0.01
    """  # noqa: D301 (click marks a block that is not to be filled with a real \b)
    expectations = [parse_expectation(one) for one in expected]
    screen, detail = Screen.taken_from(given), Detail.taken_from(given)
    options = SessionOptions(**given)  # type: ignore[arg-type]
    screen.check_file()
    shows_ladder = screen.format == "text" and not detail.quiet and screen.file is None and sys.stdout.isatty()
    leaves_ladder = count is None and not shows_ladder
    watching = Watching(live, pace, screen.color, screen.is_ascii, leaves_ladder)
    if count is None:
        _refuse_without_count({"--in-flight": in_flight, "--judge": judge, "--keep": keep})
        return _run_one(options, screen, detail, watching, Wanted(expectations, strict))
    if strict:
        raise UsageError(
            "it is for one session", where="--strict", help="record the sessions, and sspi-async verify them"
        )
    from sspicli.cli.load import LoadOptions, run_many  # one handshake does not pay for it

    asked = LoadOptions(count, in_flight, judge or "all", keep, screen.format, detail.verbosity, detail.timing)
    return run_many(options, asked, expectations, lambda: screen.destination(screen.console()), watching)


def _run_one(options: SessionOptions, screen: Screen, detail: Detail, watching: Watching, wanted: Wanted) -> ExitCode:
    """Run one session and show it; what was expected of it decides how the process ends."""
    started = start(options, pace=watching.pace)
    console = screen.destination(screen.console())
    records = started.run(watching.watch(lambda: started.journal)) if watching.is_wanted else started.run()
    result = report(records)
    _show(console, result, records, Show(screen.format, detail, options.include_secrets))
    if result.reason in ENDED_BY:
        return ENDED_BY[result.reason]  # what a whole run was expected to come to was not put to the test
    missed = [text for one in wanted.expectations if (text := unmet(one, result)) is not None]
    reasons = {one.text: f": {one.subject}, {one.why}" for one in result.missed_faults}
    missed += [
        f"the fault {one} never happened{reasons.get(one, '')}" for one in options.fault if one not in result.faults
    ]
    for text in missed:
        click.echo(f"expectation not met: {visible(text)}", err=True)
    return _exit_code(result, missed, wanted)


def _refuse_without_count(given: dict[str, object]) -> None:
    """Refuse the options that are for many sessions."""
    for name, value in given.items():
        if value is not None:
            raise UsageError("it is for many sessions", where=name, help="say how many: --count 1000")


def _exit_code(result: Report, missed: list[str], wanted: Wanted) -> ExitCode:
    """Choose how the process ends: what was expected decides, and a broken rule is never expected."""
    if result.verdict is Verdict.STUCK:
        return ExitCode.STUCK
    counting = ("error", "warning") if wanted.is_strict else ("error",)
    breaks_rules = any(finding.rule.severity in counting for finding in result.findings)
    holds = not breaks_rules and (bool(wanted.expectations) or result.verdict is Verdict.OK)
    return ExitCode.OK if holds and not missed else ExitCode.FAILED


def _show(console: Console, result: Report, records: list[Record], show: Show) -> None:
    if show.format == "json":
        from sspicli.reports.document import document_text

        console.stream.write(
            document_text(
                result,
                timing=show.detail.timing,
                schedule=schedule_text(result.schedule),
                attributes=show.detail.verbosity > 0,
            )
        )
    elif show.format == "jsonl":
        from sspicli.reports.document import lines_text

        for text in lines_text(records, include_secrets=show.include_secrets, timing=show.detail.timing):
            console.stream.write(text)
    else:
        schedule = schedule_text(result.schedule)
        look = Look(console.glyphs, console.width, show.detail.timing, show.detail.verbosity)
        console.show(composed(result, look, schedule=schedule))
    console.stream.flush()
    if console.stream is not sys.stdout:
        console.stream.close()
