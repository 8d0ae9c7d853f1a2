"""Where the reports of a replay go: the result, the files beside it, events as they come, and what GitHub shows.

The rule guarded here: stdout carries one document and nothing else. A report file is named to be made anew by every
run, so it replaces what stands there, whole or not at all; `-o` never does. What cannot be written is refused before
anything is run, as far as that can be known.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TextIO

from sspicli import __version__
from sspicli.analysis.cases import CaseResult, SuiteResult
from sspicli.cli.screen_options import STDOUT, Detail, Screen
from sspicli.files.replace import check_place, replace_file
from sspicli.sspi.errors import UsageError, WriteError

if TYPE_CHECKING:
    from sspicli.cli.console import Console

FORMATS = ("text", "json", "junit", "tap", "sarif", "github", "markdown")
BESIDE = ("json", "junit", "tap", "sarif", "markdown")
"""The formats that can be written to a file beside the result."""


class Files(NamedTuple):
    """The report files that were asked for, by their format, and where events go."""

    reports: dict[str, Path]
    events: Path | None

    @property
    def streams_events(self) -> bool:
        """Say whether stdout carries the events."""
        return self.events is not None and str(self.events) == STDOUT

    def check(self, screen: Screen) -> None:
        """Refuse what cannot be, before anything is run."""
        places = {f"--{name}": path for name, path in self.reports.items()}
        if self.events is not None and not self.streams_events:
            places["--events"] = self.events
        if screen.file is not None:
            places["--output"] = screen.file
        seen: dict[str, str] = {}
        for name, path in places.items():
            if str(path) == STDOUT:
                raise UsageError("it takes the name of a file", where=name, help=f"for stdout there is -f {name[2:]}")
            if (other := seen.setdefault(os.path.realpath(path), name)) != name:
                raise UsageError(f"{path} is named for {other} too", where=name)
            check_place(path)
        if self.streams_events and screen.file is None and screen.format != "text":
            raise UsageError(
                "stdout carries the events",
                where="--format",
                help="write the result to a file, with -o",
            )


@dataclass(frozen=True, slots=True)
class Reporter:
    """Writes what a suite came to, in every way that was asked for."""

    screen: Screen
    detail: Detail
    files: Files
    warn: Callable[[str], None]

    def write(self, suite: SuiteResult) -> None:
        """Write the result, then the files, then what GitHub Actions shows; all of them, whichever fails."""
        failures: list[WriteError] = []
        for work in (self._write_files, self._write_for_github, self._write_result):
            try:
                work(suite)
            except WriteError as error:
                failures.append(error)
        if failures:
            raise failures[0]

    def _write_result(self, suite: SuiteResult) -> None:
        if self.files.streams_events and self.screen.file is None:
            return
        console = self.screen.destination(self.screen.console())
        if self.screen.format == "text":
            self._show(suite, console)
        else:
            console.stream.write(text_of(self.screen.format, suite, timing=self.detail.timing))
        console.stream.flush()
        if console.stream is not sys.stdout:
            console.stream.close()

    def _show(self, suite: SuiteResult, console: Console) -> None:
        from sspicli.views.look import Look
        from sspicli.views.replay import replay_lines

        look = Look(console.glyphs, console.width, self.detail.timing, self.detail.verbosity)
        console.show(replay_lines(suite, look))

    def _write_files(self, suite: SuiteResult) -> None:
        for name, path in self.files.reports.items():
            replace_file(path, text_of(name, suite, timing=self.detail.timing))

    def _write_for_github(self, suite: SuiteResult) -> None:
        """Annotate and summarise where GitHub Actions runs us; stdout keeps to its format."""
        if os.environ.get("GITHUB_ACTIONS") != "true":
            return
        if self.screen.format != "github" or self.screen.file is not None:
            sys.stderr.write(text_of("github", suite, timing=self.detail.timing))
        summary = os.environ.get("GITHUB_STEP_SUMMARY")
        if not summary:
            return
        try:
            with Path(summary).open("a", encoding="utf-8", newline="\n") as file:
                file.write(text_of("markdown", suite, timing=self.detail.timing))
        except OSError as error:
            self.warn(f"the step summary could not be written: {error.strerror}")


def text_of(format: str, suite: SuiteResult, *, timing: bool) -> str:
    """Write a suite's result in one of the formats; only that one is imported."""
    match format:
        case "json":
            from sspicli.reports.replay import document_text

            return document_text(suite, timing=timing)
        case "junit":
            from sspicli.reports.junit import junit_text

            return junit_text(suite, timing=timing, places=os.environ.get("GITLAB_CI") == "true")
        case "tap":
            from sspicli.reports.tap import tap_text

            return tap_text(suite, timing=timing)
        case "sarif":
            from sspicli.reports.sarif import sarif_text

            return sarif_text(suite)
        case "github":
            from sspicli.reports.github import annotations_text

            return annotations_text(suite)
        case "markdown":
            from sspicli.reports.markdown import markdown_text

            return markdown_text(suite, timing=timing)
    raise AssertionError(f"{format} is no format of a report")


class Events:
    """Writes events as they come, each line at once; a reader that is gone ends it as it ends any output."""

    def __init__(self, path: Path | None, *, timing: bool) -> None:
        self._timing = timing
        self._path = path
        self._file: TextIO | None = None

    def begin(self, suite: SuiteResult, cases: int) -> None:
        """Open the file, and say that the suite begins."""
        if self._path is None:
            return
        from sspicli.reports.replay_events import suite_started

        if str(self._path) == STDOUT:
            self._file = sys.stdout
        else:
            try:
                self._file = self._path.open("w", encoding="utf-8", newline="\n")
            except OSError as error:
                raise WriteError(f"the file cannot be written: {error.strerror}", where=str(self._path)) from None
        self._write(suite_started(suite, cases=cases, tool=f"sspi-async {__version__}"))

    def case_ended(self, number: int, case: CaseResult) -> None:
        """Say what a case came to; `number` counts from 0."""
        if self._file is not None:
            from sspicli.reports.replay_events import case_ended

            self._write(case_ended(case, number=number + 1, timing=self._timing))

    def end(self, suite: SuiteResult) -> None:
        """Say what the suite came to, and close the file."""
        if self._file is None:
            return
        from sspicli.reports.replay_events import suite_ended

        self._write(suite_ended(suite, timing=self._timing))
        if self._file is not sys.stdout:
            self._file.close()

    def _write(self, text: str) -> None:
        assert self._file is not None, "nothing is written before the beginning"
        try:
            self._file.write(text)
            self._file.flush()
        except OSError as error:
            if self._file is sys.stdout:
                raise
            raise WriteError(f"the file cannot be written: {error.strerror}", where=str(self._path)) from None
