"""`sspi-async verify PATH...`: the misuse rules over recordings, in any number of files and folders.

The rule guarded here: nothing is passed over in silence. Every file that was named or found is judged or stands among
the problems; a suppression has a reason, and one that set nothing aside is reported. What is judged is the records
alone, so an old recording is judged by the rules of today.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sspicli.cli.recordings import STDIN
from sspicli.cli.screen_options import Screen, verify_options
from sspicli.sspi.errors import ExitCode, InputError, SspiCliError, UsageError

if TYPE_CHECKING:
    from sspicli.analysis.cases import Problem
    from sspicli.analysis.verification import Judged, Judgement, Verification
    from sspicli.views.text import Line

SUFFIX = ".sspirec"
"""What a folder is searched for."""


class NothingError(SspiCliError):
    """There is nothing to verify."""

    exit_code = ExitCode.NOTHING_TO_RUN


@click.command("verify", short_help="Run the misuse rules over recordings.")
@click.argument("paths", nargs=-1, metavar="PATH...", type=click.Path(allow_dash=True, path_type=Path))
@click.option("--list-rules", is_flag=True, help="List all rules: how bad, how known, and how each is shown.")
@click.option("--strict", is_flag=True, help="Let warnings fail too, and an --ignore that set nothing aside.")
@click.option("--ignore", multiple=True, metavar="CODE=REASON", help="Set findings of a rule aside, for this reason.")
@click.option(
    "--severity", multiple=True, metavar="CODE=LEVEL", help="Take a rule's findings as error, warning or info."
)
@verify_options
def command(
    paths: tuple[Path, ...],
    list_rules: bool,
    strict: bool,
    ignore: tuple[str, ...],
    severity: tuple[str, ...],
    **shared: object,
) -> int:
    """Run the misuse rules over recordings: files, folders (searched for *.sspirec), or - for standard input.

    A finding of severity error ends with 1. Each names the records that show it, how to put it right, and whether
    Windows documents the rule or it is inferred; explain CODE says more, with a page to read.

    \b
    Examples:
      sspi-async verify run.sspirec
      sspi-async verify . --strict
      sspi-async verify run.sspirec --ignore A014="the driver under test spins"
      sspi-async verify run.sspirec --severity C008=error -f json
      sspi-async verify run.sspirec -f sarif -o verify.sarif
      sspi-async verify --list-rules
      sspi-async verify nowhere.sspirec   # exit 3
    """  # noqa: D301 (click reads the \b)
    screen = Screen(**shared)  # type: ignore[arg-type]
    if list_rules:
        return _list_rules(screen, paths)
    judgement = _judgement(ignore, severity)
    screen.check_file()
    if not paths:
        raise UsageError("there is nothing to verify", help="name recordings, or folders that hold some")
    result = _verified(_files(paths), judgement, is_strict=strict)
    _write(screen, _told(result, screen), lambda width: _lines(result, width))
    return result.exit_code


# -- what is to be verified --------------------------------------------------------------------------------------------


def _files(paths: Sequence[Path]) -> list[Path]:
    """List the files named, and those found in the folders named, in order and each once."""
    found = [file for path in paths for file in _found(path)]
    if not found:
        folders = ", ".join(str(path) for path in paths)
        raise NothingError(f"no *{SUFFIX} in {folders}", help="record a run: sspi-async handshake --record run.sspirec")
    return list(dict.fromkeys(found))


def _found(path: Path) -> Iterator[Path]:
    """Give a file as it is named, and of a folder the recordings below it, sorted."""
    if str(path) == STDIN or not path.is_dir():
        yield path
        return
    for folder, folders, names in os.walk(path, onerror=_refuse):
        folders.sort()
        yield from (Path(folder, name) for name in sorted(names) if name.endswith(SUFFIX))


def _refuse(reason: OSError) -> None:
    raise InputError("the folder cannot be read", where=str(reason.filename), cause=reason.strerror or "")


def _verified(files: Iterable[Path], judgement: Judgement, *, is_strict: bool) -> Verification:
    """Judge every file; one that cannot be read is a problem, and the others are judged all the same."""
    from sspicli.analysis.verification import Verification

    judged: list[Judged] = []
    problems: list[Problem] = []
    for file in files:
        try:
            judged.append(_judged(file, judgement))
        except InputError as error:
            problems.append(_problem(file, error))
    used = {one.finding.rule.code for file in judged for one in file.suppressed}
    unused = {code: reason for code, reason in judgement.ignored.items() if code not in used}
    return Verification(files=tuple(judged), problems=tuple(problems), unused=unused, is_strict=is_strict)


def _judged(file: Path, judgement: Judgement) -> Judged:
    """Read a recording and judge it. Another kind of file that has records is read here too, once there is one."""
    from sspicli.analysis.rules import watch
    from sspicli.analysis.verification import Judged
    from sspicli.cli.recordings import open_recording
    from sspicli.journal.events import RunEnded

    opened = open_recording(file)
    findings, suppressed = judgement.of(watch(opened.records))
    return Judged(
        name=opened.name,
        findings=findings,
        suppressed=suppressed,
        records=len(opened.records),
        note=opened.note,
        is_whole=bool(opened.records) and isinstance(opened.records[-1].event, RunEnded),
    )


def _problem(file: Path, error: InputError) -> Problem:
    """Say on stderr why a file was not judged, and keep it for the documents."""
    from sspicli.analysis.cases import Place, Problem
    from sspicli.sspi.error_codes import NO_RECORDING
    from sspicli.views.text import visible

    where, _, line = error.where.rpartition(":")
    name, number = (where, int(line)) if where and line.isascii() and line.isdecimal() else (error.where, 1)
    message = f"{error.message} ({error.cause})" if error.cause else error.message
    click.echo(f"error: {visible(error.where or str(file), 1000)}: {visible(message, 1000)}", err=True)
    if error.help:
        click.echo(f"help: {visible(error.help, 1000)}", err=True)
    return Problem(Place(name or str(file), number, 1, 1, ""), message, error.help, NO_RECORDING)


# -- how it is to be taken ---------------------------------------------------------------------------------------------


def _judgement(ignore: Sequence[str], severity: Sequence[str]) -> Judgement:
    """Read what the options say of rules; an unknown code, a missing reason and an unknown level are refused."""
    from sspicli.analysis.rule_table import SEVERITIES
    from sspicli.analysis.verification import Judgement

    ignored = _by_code("--ignore", ignore, "REASON")
    severities = _by_code("--severity", severity, "LEVEL")
    for code, level in severities.items():
        if level not in SEVERITIES:
            near = get_close_matches(level, SEVERITIES, n=1)
            way_out = f"did you mean {near[0]}?" if near else f"write one of: {', '.join(SEVERITIES)}"
            raise UsageError(f"{level!r}, for {code}, is no severity", where="--severity", help=way_out)
    return Judgement(ignored=ignored, severities=severities)


def _by_code(option: str, given: Sequence[str], what: str) -> Mapping[str, str]:
    from sspicli.analysis.rule_table import RULES

    said: dict[str, str] = {}
    for text in given:
        name, _, value = text.partition("=")
        code = name.strip().upper()
        if code not in RULES:
            near = get_close_matches(code, RULES, n=3)
            way_out = f"did you mean {' or '.join(near)}?" if near else "sspi-async verify --list-rules lists them all"
            raise UsageError(f"{name!r} is no rule", where=option, help=way_out)
        if not value.strip():
            raise UsageError(f"{code} lacks its {what}", where=option, help=f"write {option} {code}={what}")
        if code in said:
            raise UsageError(f"{code} is given twice", where=option, help="give each rule once")
        said[code] = value.strip()
    return said


# -- what is said ------------------------------------------------------------------------------------------------------


def _list_rules(screen: Screen, paths: Sequence[Path]) -> int:
    if paths:
        raise UsageError("--list-rules judges nothing", where=str(paths[0]), help="leave the path out")
    if screen.format == "sarif":
        raise UsageError("a list of rules is no SARIF log", where="--format", help="write -f json")
    from sspicli.analysis.rule_table import RULES

    screen.check_file()
    told = ""
    if screen.format == "json":
        import json

        from sspicli.reports.verify import rules_document

        told = json.dumps(rules_document(RULES.values()), indent=2, ensure_ascii=True) + "\n"
    _write(screen, told, _rule_table)
    return ExitCode.OK


def _rule_table(width: int) -> list[Line]:
    from sspicli.analysis.rule_table import RULES
    from sspicli.views.verify import rule_lines

    return rule_lines(RULES.values(), width=width)


def _told(result: Verification, screen: Screen) -> str:
    """Write the document of a machine format; "" for text."""
    if screen.format == "text":
        return ""
    if screen.format == "sarif":
        from sspicli.reports.sarif import findings_sarif_text

        by_file = {one.name: one.findings for one in result.files}
        return findings_sarif_text(by_file, exit_code=result.exit_code, problems=result.problems)
    import json

    from sspicli.reports.verify import verification_document

    return json.dumps(verification_document(result), indent=2, ensure_ascii=True) + "\n"


def _lines(result: Verification, width: int) -> list[Line]:
    from sspicli.views.verify import verification_lines

    return verification_lines(result, width=width)


def _write(screen: Screen, told: str, lines: Callable[[int], list[Line]]) -> None:
    """Write a document, or the lines for a person, where it was asked for."""
    console = screen.destination(screen.console())
    if told:
        console.stream.write(told)
    else:
        console.show(lines(console.width))
    console.stream.flush()
    if console.stream is not sys.stdout:
        console.stream.close()
