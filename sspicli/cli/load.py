"""`sspi-async handshake --count N`: many sessions over one pair of credentials, and what they came to.

The rule guarded here: what is dropped is counted, and what failed is kept. A session's journal lives until the session
is over; then only its outcome is left, unless it failed and there is a recording to write. What holds for one session
holds for each: the faults, the messages, the expectations.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import click

from sspicli.analysis.load import LoadReport, Measures, Outcome, Summary, outcome
from sspicli.analysis.report import Report, Verdict, report
from sspicli.cli.collector import Collector
from sspicli.cli.console import Console
from sspicli.cli.expect import Expectation, unmet, unmet_by_success
from sspicli.cli.interrupts import ENDED_BY, INTERRUPTED, interruptible
from sspicli.cli.memory import peak_bytes, resident_bytes
from sspicli.cli.progress import Progress, watched
from sspicli.cli.session_options import SessionOptions
from sspicli.cli.start import blueprint, check_files, unwatched, warn
from sspicli.cli.watching import Watching, is_screen
from sspicli.journal.journal import Journal
from sspicli.journal.recording import KeyLogWriter, RecordingWriter
from sspicli.reports.load import load_text
from sspicli.runtime.chooser import schedule_text
from sspicli.session.fleet import Credentials, Fleet
from sspicli.session.pair import Blueprint
from sspicli.sspi.attributes import ContextAttribute
from sspicli.sspi.errors import ExitCode, UsageError, WriteError
from sspicli.views.load import load_lines, load_verdict_line, progress_bar, progress_text, sample_lines
from sspicli.views.tables import buffer_lines, call_lines
from sspicli.views.text import Line, visible


class LoadOptions(NamedTuple):
    """What the options say that only many sessions have, and how the result is shown."""

    sessions: int
    in_flight: int | None
    judge: str
    keep: int | None
    format: str
    verbosity: int
    timing: bool


def run_many(
    options: SessionOptions,
    load: LoadOptions,
    expectations: list[Expectation],
    opened: Callable[[], Console],
    watching: Watching,
) -> ExitCode:
    """Run many sessions and show what they came to; the first Ctrl-C ends them between two turns, the second at once.

    `opened` gives where the result goes, once nothing is left that could be wrong with the command line. With `--live`
    on a terminal, the view is of the session that began last, in place of the progress bar.
    """
    _check(load, options)
    if watching.pace:
        raise UsageError("a pace is for one session", where="--pace", help="leave out --count, or --pace")
    plan = plan_of_many(options)
    keeper = _Keeper(options, load.keep or 1)
    console = opened()
    judge = _Judge(expectations, keeper, judges_all=load.judge == "all")
    result = _run(plan, load, _Run(load, options.workers, judge, watching), keeper)
    _show(console, result, load)
    missed = [f"{text}; first in session {number}" for text, number in judge.missed.items()]
    missed += _missed_by_all(result, expectations, options.fault)
    for text in [] if result.ended_by else missed:
        click.echo(f"expectation not met: {visible(text)}", err=True)
    if options.record is not None and not keeper.paths and keeper.error is None:
        click.echo(f"no session failed: {visible(str(options.record))} was not written", err=True)
    if keeper.error is not None:
        raise keeper.error
    return _exit_code(result, missed, has_expectations=bool(expectations))


def _check(load: LoadOptions, options: SessionOptions) -> None:
    """Refuse what makes no sense for many sessions."""
    check_files(options)
    if load.format == "jsonl":
        raise UsageError(
            "many sessions have many journals", where="--format", help="take json, or --record for what fails"
        )
    if options.schedule is not None:
        raise UsageError("a schedule is the order of one session", where="--schedule", help="leave out --count")
    if (options.completion, options.order) != ("pending", "fifo") and (load.in_flight or 1) > 1:
        raise UsageError(
            "sessions take turns between calls, which leaves each its default order alone",
            where="--in-flight",
            help="leave out --completion and --order, or --in-flight",
        )
    if options.record is None:
        for name, value in (("--keylog", options.keylog), ("--keep", load.keep)):
            if value is not None:
                raise UsageError(
                    "with --count it goes with the recordings of what fails", where=name, help="add --record FILE"
                )


def _run(plan: Blueprint, load: LoadOptions, flown: _Run, keeper: _Keeper) -> LoadReport:
    """Acquire the credentials, run the sessions, free the credentials."""
    journal = Journal()
    assert plan.started is not None, "a blueprint from options says who made it"
    journal.append("user", plan.started, 0)
    credentials = Credentials(plan, journal)
    try:
        if credentials.acquire():
            flown.fly(plan, credentials, is_quiet=load.verbosity < 0)
    finally:
        credentials.free()
        keeper.close()
    return flown.report(report(journal.records), keeper)


def _exit_code(load: LoadReport, missed: list[str], *, has_expectations: bool) -> ExitCode:
    """Choose how the process ends: by the worst of all sessions, as one session's is chosen."""
    if load.ended_by:
        return ENDED_BY[load.ended_by]
    if load.verdict is Verdict.STUCK:
        return ExitCode.STUCK
    holds = load.verdict is Verdict.OK
    if has_expectations:  # where no session began, they were of the credentials
        holds = not load.breaks_rules and (load.credentials.failure is None or not load.summary.sessions)
    return ExitCode.OK if holds and not missed else ExitCode.FAILED


def _missed_by_all(load: LoadReport, expectations: list[Expectation], faults: tuple[str, ...]) -> list[str]:
    """List what no session was there to miss: expectations where none began, and faults that never happened."""
    missed = missed_by(expectations, load.credentials) if load.credentials.failure and not load.summary.sessions else []
    happened = load.summary.faults | set(load.credentials.faults)
    return missed + [f"the fault {one} never happened" for one in faults if one not in happened]


def _show(console: Console, load: LoadReport, asked: LoadOptions) -> None:
    """Write the result as a document or as a screen."""
    if asked.format == "json":
        console.stream.write(load_text(load, timing=asked.timing, schedule=schedule_text))
    else:
        console.show(screen(load, console, verbosity=asked.verbosity, timing=asked.timing))
    console.stream.flush()
    if console.stream is not sys.stdout:
        console.stream.close()


def screen(load: LoadReport, console: Console, *, verbosity: int, timing: bool) -> list[Line]:
    """Compose what a person reads; on demand with the calls and buffers of one session, a failed one before a good."""
    glyphs, width = console.glyphs, console.width
    if verbosity < 0:
        return [load_verdict_line(load, timing=timing)]
    lines = load_lines(load, glyphs, width=width, timing=timing)
    ways = load.ways()
    sample = ways[0][1].report if ways else load.summary.first
    if verbosity > 0 and sample is not None:
        lines += [] if ways else sample_lines(sample, glyphs, width=width, timing=timing)
        lines += [(), *call_lines(sample, glyphs, width=width, timing=timing)]
        lines += [(), *buffer_lines(sample, glyphs, width=width, with_hex=verbosity > 1)]
    return lines


def plan_of_many(options: SessionOptions) -> Blueprint:
    """Plan each session: one handshake, and of the attributes only whether it was resumed, where it may be."""
    plan = blueprint(options)
    queries = (int(ContextAttribute.SESSION_INFO),) if plan.client.handshakes > 1 else ()
    return replace(
        plan,
        client=replace(plan.client, handshakes=1, queries=queries),
        server=replace(plan.server, handshakes=1, queries=queries),
    )


class _Keeper:
    """The recordings of what failed: the first to end in FILE, later ones in FILE-<session>, at most `most`.

    Called by any thread. `error` is what kept a recording from being written.
    """

    def __init__(self, options: SessionOptions, most: int) -> None:
        for path in (options.record, options.keylog):
            if path is not None and path.exists():
                raise WriteError("the file exists, and is not overwritten", where=str(path), help="choose another name")
            if path is not None and not path.parent.is_dir():
                raise WriteError("the file cannot be created: there is no such folder", where=str(path))
        self.paths: dict[int, str] = {}
        self.error: WriteError | None = None
        self._options = options
        self._most = most
        self._keylog: KeyLogWriter | None = None
        self._lock = threading.Lock()

    def keep(self, number: int, journal: Journal) -> None:
        """Write a session's journal, if there is room for one more."""
        first = self._options.record
        with self._lock:
            if first is None or self.error is not None or len(self.paths) >= self._most:
                return
            path = first.with_name(f"{first.name}-{number}") if self.paths else first
            try:
                self._write(path, journal)
            except WriteError as error:
                self.error = error
                return
            self.paths[number] = str(path)

    def close(self) -> None:
        """Close the key log."""
        if self._keylog is not None:
            self._keylog.close()

    def _write(self, path: Path, journal: Journal) -> None:
        recording = RecordingWriter(path, include_secrets=self._options.include_secrets, warn=warn)
        if self._options.keylog is not None and self._keylog is None:
            self._keylog = KeyLogWriter(self._options.keylog, warn=warn)
        for record in journal.records:
            recording(record)
            if self._keylog is not None:
                self._keylog(record)
        recording.close()


class _Judge:
    """Makes each session's outcome on the thread that ended it, and has what does not hold kept."""

    def __init__(self, expectations: list[Expectation], keeper: _Keeper, *, judges_all: bool) -> None:
        self.missed: dict[str, int] = {}
        self._expectations = expectations
        self._keeper = keeper
        self._judges_all = judges_all
        self._lock = threading.Lock()

    def __call__(self, number: int, journal: Journal) -> Outcome:
        one = outcome(number, journal.records, judges=self._judges_all, in_full=number == 1)
        missed = missed_by(self._expectations, one.report)
        if missed:
            with self._lock:
                for text in missed:
                    self.missed[text] = min(number, self.missed.get(text, number))
        if missed or not _holds(one, has_expectations=bool(self._expectations)):
            self._keeper.keep(number, journal)
        return one


def missed_by(expectations: list[Expectation], result: Report | None) -> list[str]:
    """List what a session missed; None is the report of one that is plainly ok."""
    missed = [unmet_by_success(one) if result is None else unmet(one, result) for one in expectations]
    return [text for text in missed if text is not None]


def _holds(one: Outcome, *, has_expectations: bool) -> bool:
    """Say whether a session is as it should be: ok, or, where something was expected, without a broken rule."""
    if one.report is None or not has_expectations:
        return one.verdict is Verdict.OK
    return not any(finding.rule.severity == "error" for finding in one.report.findings)


class _Run:
    """The sessions under way: what they came to so far, and what is measured around them."""

    def __init__(self, load: LoadOptions, workers: int, judge: _Judge, watching: Watching) -> None:
        self.summary = Summary()
        self._watching = watching
        self._total = load.sessions
        self._workers = workers
        self._in_flight = min(load.in_flight or max(1, 2 * workers), load.sessions)
        self._judge = judge
        self._has_flown = False
        self._ended_by = INTERRUPTED
        self._seconds = 0.0
        self._before = self._most = 0

    def fly(self, plan: Blueprint, credentials: Credentials, *, is_quiet: bool) -> None:
        """Run all sessions, or as many as there are until Ctrl-C."""
        self._has_flown = True
        fleet = Fleet(
            plan,
            credentials.loans,
            self._judge,
            total=self._total,
            in_flight=self._in_flight,
            workers=self._workers,
        )
        self._before = resident_bytes()
        began = time.perf_counter()

        def text() -> str:
            ended = self.summary.sessions
            return progress_text(
                ended,
                self._total,
                in_flight=self._in_flight,
                failed=ended - self.summary.ok,
                seconds=time.perf_counter() - began,
            )

        def bar(width: int) -> str:
            return progress_bar(self.summary.sessions, self._total, text(), width=width)

        def halt(reason: str) -> None:
            self._ended_by = reason
            fleet.halt()

        has_view = self._watching.live is True and is_screen()
        watch = self._watching.watch(lambda: fleet.latest, text) if has_view else unwatched
        progress = None if is_quiet or has_view else Progress(bar, text)
        with watched(self._sample, progress), interruptible(halt):
            watch(lambda: self._collect(fleet))
        self._seconds = time.perf_counter() - began
        self._sample()

    def _collect(self, fleet: Fleet[Outcome]) -> None:
        """Sum up the outcomes as they come."""
        with Collector() as collector:
            for one in fleet.run():
                self.summary.add(one)
                if one.report is not None:
                    collector.ended_otherwise()

    def report(self, credentials: Report, keeper: _Keeper) -> LoadReport:
        """Put together what it came to."""
        return LoadReport(
            summary=self.summary,
            credentials=credentials,
            total=self._total,
            in_flight=self._in_flight,
            workers=self._workers,
            measures=Measures(self._seconds, self._before, self._most, peak_bytes()),
            ended_by=self._ended_by if self._has_flown and self.summary.sessions < self._total else "",
            recordings=dict(keeper.paths),
        )

    def _sample(self) -> None:
        self._most = max(self._most, resident_bytes())
