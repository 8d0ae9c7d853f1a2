"""`sspi-async replay`: scenarios as tests, and recordings run again.

The rule guarded here: the same files and the same command line give the same answer, on however many cores. Everything
that can be wrong with the command line or with a file is known before the first case is run.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from sspicli.analysis.cases import CaseResult, Place, Problem, SuiteResult
from sspicli.cli.interrupts import ENDED_BY, interruptible
from sspicli.cli.last_failed import last_failed, remember
from sspicli.cli.main import show_error
from sspicli.cli.progress import Drawn
from sspicli.cli.replay_cases import Runner, cases_of
from sspicli.cli.replay_reports import BESIDE, FORMATS, Events, Files, Reporter
from sspicli.cli.screen_options import Detail, Screen, allow_path_option, report_options
from sspicli.cli.start import warn
from sspicli.runtime.chooser import schedule_choices
from sspicli.scenario.attempts import Attempts, Runnable
from sspicli.scenario.select import Selection, parse_shard, why_nothing
from sspicli.scenario.suite import Policy, Suite
from sspicli.sspi.errors import ExitCode, InputError, NothingToRunError, UsageError, WriteError
from sspicli.views.load import progress_bar
from sspicli.views.replay import list_lines
from sspicli.views.text import visible

_LONGEST = 10_000  # characters of a line that is shown
_FILE = click.Path(dir_okay=False, path_type=Path)
_EVENTS = click.Path(dir_okay=False, allow_dash=True, path_type=Path)


@click.command("replay", short_help="Run scenarios as tests, and recordings again.")
@click.argument("paths", metavar="PATH...", nargs=-1, required=True)
@click.option("-k", "words", metavar="EXPR", default="", help="Run the cases whose id has this in it; and, or, not.")
@click.option("--tag", "tags", multiple=True, metavar="[!]TAG", help="Run what has this tag, or with ! has it not.")
@click.option("--from", "first", metavar="ID", default="", help="Begin with this case, or with this file.")
@click.option("--to", "last", metavar="ID", default="", help="End with this case, or with this file.")
@click.option("--last-failed", is_flag=True, help="Run what failed when last run in this folder; all, if nothing did.")
@click.option("--shard", metavar="I/N", help="Run every N-th of the selected cases, beginning with the I-th.")
@click.option("--list", "lists", is_flag=True, help="List the selected cases, and run none.")
@click.option("--fail-fast", is_flag=True, help="Stop at the first case that fails.")
@click.option("--repeat", type=click.IntRange(1, 1_000_000), default=1, metavar="N", help="Run each case N times.")
@click.option("--retry", type=click.IntRange(0, 100), default=0, metavar="N", help="Run what fails up to N times more.")
@click.option(
    "--jobs", type=click.IntRange(1, 256), metavar="N", help="Run on N processes  [default: up to the cores]."
)
@click.option("--schedule", metavar="v1:...", help="Make exactly these choices; for one case.")
@click.option("--seed", type=click.IntRange(0), metavar="N", help="Seed of keys and choices, above the scenarios' own.")
@click.option("--strict", is_flag=True, help="Let warnings count, and cases that pass although they were to fail.")
@click.option("--update", is_flag=True, help="Rewrite the expectations that did not hold, and run again.")
@click.option(
    "--artifacts",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Keep a recording of each case that fails in this folder.",
)
@allow_path_option
@click.option("--junit", type=_FILE, metavar="FILE", help="Write JUnit XML to a file too, over what stands there.")
@click.option("--json", type=_FILE, metavar="FILE", help="Write the JSON document to a file too.")
@click.option("--sarif", type=_FILE, metavar="FILE", help="Write SARIF to a file too.")
@click.option("--tap", type=_FILE, metavar="FILE", help="Write TAP to a file too.")
@click.option("--markdown", type=_FILE, metavar="FILE", help="Write Markdown to a file too.")
@click.option(
    "--events", type=_EVENTS, metavar="FILE", help="Write JSON lines as cases end; - is stdout, for them alone."
)
@report_options(*FORMATS, verbose="Add each case, what was seen at each step of a bad one, and warnings.")
def command(paths: tuple[str, ...], **given: object) -> int:
    """Run scenarios as tests: files, and folders with everything below them. Recordings that are named are run again.

    A path may be a case's id, as --list shows it: FILE::SCENARIO[PARAMETERS]. Words of -k that are a part of some id
    are taken as they are; else they are an expression. A run that went as recorded passes; another is nondeterminism.

    In GitHub Actions annotations and a step summary are written as well.

    \b
    Examples:
      sspi-async replay run.sspirec
      sspi-async replay run.sspirec -f junit
      sspi-async replay run.sspirec --junit report.xml -q
      sspi-async replay . -k "tls and not expired"   # exit 5
    """  # noqa: D301 (click marks a block that is not to be filled with a real \b)
    screen, detail = Screen.taken_from(given), Detail.taken_from(given)
    asked = Asked(paths=paths, **given)  # type: ignore[arg-type]
    screen.check_file()
    asked.files.check(screen)
    cases, problems, left = cases_of(asked.paths, asked.allowed)
    chosen = asked.selection.of(cases)
    _check(asked, chosen)
    if asked.lists:
        return _listed(chosen, problems, screen, detail)
    for note in filter(None, (getattr(one, "note", "") for one in chosen)):
        click.echo(f"note: {visible(note, _LONGEST)}", err=True)
    reporter = Reporter(screen, detail, asked.files, warn)
    code = _replayed(asked, chosen, (problems, left), reporter)
    if code == ExitCode.NOTHING_TO_RUN:
        raise NothingToRunError("nothing to run", help=why_nothing(asked.selection, cases))
    return code


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the options say, but for how the result is shown."""

    paths: tuple[str, ...]
    allowed: tuple[Path, ...]
    words: str
    tags: tuple[str, ...]
    first: str
    last: str
    last_failed: bool
    shard: str | None
    lists: bool
    fail_fast: bool
    repeat: int
    retry: int
    jobs: int | None
    schedule: str | None
    seed: int | None
    strict: bool
    update: bool
    artifacts: Path | None
    junit: Path | None
    json: Path | None
    sarif: Path | None
    tap: Path | None
    markdown: Path | None
    events: Path | None

    @property
    def files(self) -> Files:
        """The report files that are wanted."""
        named = {name: getattr(self, name) for name in BESIDE}
        return Files({name: path for name, path in named.items() if path is not None}, self.events)

    @property
    def selection(self) -> Selection:
        """Which cases are wanted; all of them where the last failures are, and there are none."""
        return Selection(
            words=self.words,
            tags=self.tags,
            first=self.first,
            last=self.last,
            failed=(last_failed(Path.cwd()) or None) if self.last_failed else None,
            shard=parse_shard(self.shard) if self.shard else None,
        )

    @property
    def policy(self) -> Policy:
        """How the cases are run."""
        return Policy(attempts=Attempts(self.repeat, self.retry), jobs=self.jobs, fail_fast=self.fail_fast)

    @property
    def runner(self) -> Runner:
        """What runs each."""
        return Runner(self.schedule, self.seed, self.artifacts, self.strict)


def _check(asked: Asked, chosen: Sequence[Runnable]) -> None:
    """Refuse what makes no sense for these cases, and make the folder that recordings go to."""
    if asked.schedule is not None:
        schedule_choices(asked.schedule)
        if len(chosen) != 1 and not asked.lists:
            way_out = "name one by its id, FILE::SCENARIO[PARAMETERS]; --list shows them"
            raise UsageError(
                f"a schedule is of one case, and {len(chosen)} are selected", where="--schedule", help=way_out
            )
    if asked.artifacts is not None and not asked.lists:
        try:
            asked.artifacts.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise WriteError(f"the folder cannot be made: {error.strerror}", where=str(asked.artifacts)) from None


# -- listing -----------------------------------------------------------------------------------------------------------


def _listed(chosen: Sequence[Runnable], problems: Sequence[Problem], screen: Screen, detail: Detail) -> int:
    """List cases instead of running them; what is wrong with files is told on stderr."""
    console = screen.destination(screen.console())
    if screen.format == "json":
        screen.write_document(_list_document(chosen))
    elif screen.format == "text":
        console.show(list_lines([(one.id, one.tags if detail.verbosity > 0 else ()) for one in chosen]))
    else:
        raise UsageError("a list is text or json", where="--format", help="leave out --list, or --format")
    for problem in problems:
        show_error(InputError(problem.message, where=_where(problem.place), help=problem.help))
    if problems:
        return ExitCode.INPUT
    return ExitCode.OK if chosen else ExitCode.NOTHING_TO_RUN


def _where(place: Place) -> str:
    return f"{place.file}:{place.line}:{place.column}"


def _list_document(chosen: Sequence[Runnable]) -> dict[str, object]:
    cases = [
        {"id": one.id, "file": one.file, "line": one.place.line, "scenario": one.name, "tags": list(one.tags)}
        | ({"parameters": dict(one.parameters)} if one.parameters else {})
        for one in chosen
    ]
    return {"schema": "sspi-async/replay-list/1", "cases": cases}


# -- running -----------------------------------------------------------------------------------------------------------


_Unread = tuple[list[Problem], list[str]]
"""What is wrong with files that are no scenarios, and the cases of theirs that are not run because of that."""


def _replayed(asked: Asked, chosen: Sequence[Runnable], unread: _Unread, reporter: Reporter) -> int:
    """Run the cases and report them; the exit code is that of the worst."""
    suite, reason = _run(asked, chosen, unread, reporter)
    if asked.update and not reason and _rewrites(suite.cases):
        cases, problems, left = cases_of(asked.paths, asked.allowed)
        wanted = {one.id for one in chosen}
        suite, reason = _run(asked, [one for one in cases if one.id in wanted], (problems, left), reporter)
    remember(Path.cwd(), suite.cases)
    reporter.write(suite)
    return ENDED_BY[reason] if reason else suite.exit_code


def _run(asked: Asked, chosen: Sequence[Runnable], unread: _Unread, reporter: Reporter) -> tuple[SuiteResult, str]:
    """Run the cases, with progress and events; what they came to, and who ended them early."""
    events = Events(asked.events, timing=reporter.detail.timing)
    done, failed = 0, 0

    def heard(number: int, case: CaseResult) -> None:
        nonlocal done, failed
        done, failed = done + 1, failed + case.is_bad
        drawn.wipe()
        events.case_ended(number, case)

    def bar(width: int) -> str:
        text = f"{done} of {len(chosen)} cases" + (f"  {failed} failed" if failed else "")
        return progress_bar(done, len(chosen), text, width=width)

    drawn = Drawn(bar, is_quiet=reporter.detail.quiet)
    suite = Suite(chosen, asked.runner, asked.policy, heard=heard, idle=drawn.tick)
    (suite.result.problems, left), suite.result.is_strict = unread, asked.strict
    try:
        with interruptible(suite.halt):
            events.begin(suite.result, len(chosen))
            suite.run()
            suite.result.left += left
    finally:
        drawn.wipe()
    events.end(suite.result)
    return suite.result, suite.halted


def _rewrites(results: Sequence[CaseResult]) -> bool:
    """Rewrite expectations that did not hold, and say on stderr what changed; say whether anything did."""
    from sspicli.scenario.update import update

    done = update(results)
    for file in done.files:
        for text in file.diff.splitlines():
            click.echo(visible(text, _LONGEST), err=True)
    for text in done.left:
        click.echo(visible(text, _LONGEST), err=True)
    count = sum(file.values for file in done.files)
    many = "1 expectation" if count == 1 else f"{count} expectations"
    click.echo(f"{many} rewritten" + (", the cases are run again" if count else ""), err=True)
    return bool(done.files)
