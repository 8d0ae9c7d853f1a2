"""The pytest plugin: `*.sspi.yaml` files are test files, and each of their cases is a test.

The rule guarded here: a case means in pytest what it means in `replay`, and a failure reads the same. A run without
such files pays for this file alone: everything else is imported when the first one is collected. Only what pytest
documents is used, so that -k, -m, --lf, JUnit files and pytest-xdist do with scenarios what they do with tests.

It stands in a room of its own because it is a door beside the command line: it may know who runs scenarios and who
draws what came of them, and nobody else may import pytest.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from sspicli.analysis.cases import CaseResult
    from sspicli.scenario.load import Case
    from sspicli.views.look import Look
    from sspicli.views.text import Line

SUFFIX = ".sspi.yaml"
_OWN = frozenset({"skip", "skipif", "xfail", "usefixtures", "parametrize", "filterwarnings"})
"""The marks by which pytest acts: a tag of that name is a keyword only."""


class ScenarioFailure(Exception):  # noqa: N818  # it is no error of the program
    """A case that did not come to what its scenario expects."""

    def __init__(self, result: CaseResult) -> None:
        super().__init__(result.reason or result.outcome.value)
        self.result = result


class ScenarioError(ScenarioFailure):
    """A case that could not be run, which nobody can have expected."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the options."""
    group = parser.getgroup("sspi", "scenarios of sspi-async")
    group.addoption(
        "--sspi-strict", action="store_true", help="let warnings of misuse rules count, and xfail scenarios that pass"
    )
    group.addoption(
        "--sspi-artifacts", metavar="DIR", help="keep a recording of each scenario that fails in this folder"
    )
    group.addoption(
        "--sspi-allow-path",
        metavar="DIR",
        action="append",
        default=[],
        help="let scenarios name certificate and key files in this folder too, not in their own alone",
    )


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Take the scenarios among the files."""
    return ScenarioFile.from_parent(parent, path=file_path) if file_path.name.endswith(SUFFIX) else None


class ScenarioFile(pytest.File):
    """A file of scenarios; one with problems is an error of collection that tells all of them."""

    def collect(self) -> Iterable[pytest.Item]:
        """Make a test of each case."""
        from sspicli.scenario.load import load
        from sspicli.sspi.errors import InputError

        start = self.config.invocation_params.dir
        allowed = [start / one for one in self.config.getoption("--sspi-allow-path")]
        try:
            cases = load(self.path, _named(self.path, self.config), allowed=allowed).cases
        except InputError as error:
            raise self.CollectError(_problems_text(error)) from None
        for case in cases:
            for tag in case.tags:
                self._declare(tag)
            yield ScenarioItem.from_parent(
                self, name=_shown(case.name + (f"[{case.label}]" if case.parameters else "")), case=case
            )

    def _declare(self, tag: str) -> None:
        """Declare a tag as a mark, so that --strict-markers lets it pass."""
        if tag not in _OWN and not any(one.partition(":")[0] == tag for one in self.config.getini("markers")):
            self.config.addinivalue_line("markers", f"{tag}: a tag of scenarios")


class ScenarioItem(pytest.Item):
    """One case."""

    def __init__(self, *, case: Case, **given: object) -> None:
        super().__init__(**given)  # type: ignore[arg-type]  # pytest's own: name and parent
        self.case = case
        self.extra_keyword_matches.update(case.tags)
        for tag in case.tags:
            if tag not in _OWN:
                self.add_marker(getattr(pytest.mark, tag))
        if case.scenario.skip is not None:
            self.add_marker(pytest.mark.skip(reason=_shown(case.scenario.skip)))
        if case.scenario.xfail is not None:
            reason, strict = _shown(case.scenario.xfail), bool(self.config.getoption("--sspi-strict"))
            self.add_marker(pytest.mark.xfail(reason=reason, strict=strict, raises=_Expected))

    def runtest(self) -> None:
        """Run the case."""
        from sspicli.analysis.cases import Outcome
        from sspicli.scenario.attempts import guarded

        result = guarded(self.case, self._run, 1)
        self.user_properties += [("sspi_seed", result.seed), ("sspi_schedule", result.schedule)]
        if result.recording:
            self.user_properties.append(("sspi_recording", result.recording))
        match result.outcome:
            case Outcome.SKIP:
                pytest.skip(_shown(result.reason))
            case Outcome.XFAIL:
                raise _Expected(result)
            case Outcome.ERROR:
                raise ScenarioError(result)
            case Outcome.FAILED | Outcome.STUCK:
                raise ScenarioFailure(result)

    def _run(self, case: Case, _attempt: int) -> CaseResult:
        from sspicli.scenario.run import RunOptions, run_case

        folder = self.config.getoption("--sspi-artifacts")
        artifacts = None if folder is None else self.config.invocation_params.dir / folder
        if artifacts is not None:
            artifacts.mkdir(parents=True, exist_ok=True)
        return run_case(case, RunOptions(artifacts=artifacts, strict=bool(self.config.getoption("--sspi-strict"))))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException]) -> str:  # type: ignore[override]
        """Explain a failure as `replay` does."""
        if not isinstance(excinfo.value, ScenarioFailure):
            return str(super().repr_failure(excinfo))
        from sspicli.views.replay import case_lines

        lines = case_lines(excinfo.value.result, _look(), is_strict=bool(self.config.getoption("--sspi-strict")))
        return _text(lines)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Say where the case stands: pytest counts lines from 0."""
        return self.path, self.case.place.line - 1, self.name


class _Expected(ScenarioFailure):
    """A failure that the scenario says is to be expected."""


def _named(path: Path, config: pytest.Config) -> str:
    """Name a file as seen from where pytest was started."""
    try:
        return Path(os.path.relpath(path, config.invocation_params.dir)).as_posix()
    except ValueError:  # another drive
        return path.as_posix()


def _problems_text(error: Exception) -> str:
    """Tell all problems of a file, as `scenario check` does."""
    from sspicli.views.replay import problem_lines

    problems = getattr(error, "problems", ())
    return _text(problem_lines(problems, _look())) if problems else _shown(str(error))


def _look() -> Look:
    """Draw without colour, as wide as pytest's own terminal has it."""
    import shutil

    from sspicli.views.look import Look
    from sspicli.views.text import ASCII

    return Look(ASCII, max(40, shutil.get_terminal_size().columns), timing=False, verbosity=0)


def _text(lines: Iterable[Line]) -> str:
    return "\n".join("".join(part.text for part in one) for one in lines).rstrip()


def _shown(text: str) -> str:
    from sspicli.views.text import visible

    return visible(text, 1000)
