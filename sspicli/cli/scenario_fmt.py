"""`scenario fmt`: the one layout, written back, compared or shown.

The rule guarded here: a file is changed whole or not at all, and only by its layout. A file that is no YAML is told,
and keeps no other from being laid out. Whether it is a scenario is not asked.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from sspicli.analysis.cases import Problem
from sspicli.cli.console import make_console
from sspicli.cli.replay_cases import problems_of
from sspicli.cli.screen_options import STDOUT
from sspicli.files.atomic import overwrite
from sspicli.files.regular import read_regular_file
from sspicli.scenario.collect import Found, collect
from sspicli.scenario.edit import diff
from sspicli.scenario.layout import formatted
from sspicli.scenario.mistakes import decoded
from sspicli.scenario.yaml import LARGEST
from sspicli.sspi.errors import ExitCode, InputError, NothingToRunError, UsageError
from sspicli.views.look import Look
from sspicli.views.replay import problem_lines
from sspicli.views.text import visible

_LONGEST = 10_000
_TOO_LARGE = f"the file is larger than {LARGEST >> 20} MiB; no scenario is"


def lay_out(paths: Sequence[str], *, is_checking: bool, is_showing: bool) -> int:
    """Lay files out, or say which are not, and how they would change."""
    if STDOUT in paths:
        return _stdin(paths, is_checking=is_checking, is_showing=is_showing)
    collected = collect(paths)
    if not collected.files and not collected.problems:
        raise NothingToRunError("there are no scenarios here", help="a scenario's file ends in .sspi.yaml")
    problems, changed = list(collected.problems), 0
    for found in collected.files:
        try:
            changed += _one(found, is_checking=is_checking, is_showing=is_showing)
        except InputError as error:
            problems += problems_of(error, found)
    _tell(len(collected.files), changed, problems, would=is_checking or is_showing)
    if problems:
        return ExitCode.INPUT
    return ExitCode.FAILED if changed and is_checking else ExitCode.OK


def _one(found: Found, *, is_checking: bool, is_showing: bool) -> bool:
    """Lay one file out; say whether it was, or is to be, changed."""
    if found.is_recording:
        raise InputError("this is a recording, and no scenario", where=f"{found.name}:1")
    text = decoded(read_regular_file(found.path, largest=LARGEST, too_large=_TOO_LARGE), found.name)
    after = formatted(text, found.name)
    if after == text:
        return False
    if is_showing:
        _show_diff(text, after, found.name)
    elif is_checking:
        click.echo(visible(found.name, _LONGEST))
    if not (is_checking or is_showing):
        overwrite(found.path, after.encode())
        click.echo(visible(found.name, _LONGEST))
    return True


def _stdin(paths: Sequence[str], *, is_checking: bool, is_showing: bool) -> int:
    """Lay out what stdin holds, on stdout."""
    if len(paths) > 1:
        raise UsageError("stdin is laid out by itself", where=STDOUT, help="leave out the other paths")
    if sys.stdin is None or sys.stdin.isatty():
        raise UsageError("standard input is a terminal", where=STDOUT, help="name a file, or pipe one in")
    data = sys.stdin.buffer.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise InputError(_TOO_LARGE, where="standard input")
    text = decoded(data, "standard input")
    after = formatted(text, "standard input")
    if is_showing:
        _show_diff(text, after, "stdin")
    elif not is_checking:
        sys.stdout.buffer.write(after.encode())
    return ExitCode.FAILED if is_checking and after != text else ExitCode.OK


def _show_diff(before: str, after: str, name: str) -> None:
    for one in diff(before, after, name).splitlines():
        click.echo(visible(one, _LONGEST))


def _tell(files: int, changed: int, problems: Sequence[Problem], *, would: bool) -> None:
    """Count on stderr what changes, and explain there what could not be laid out."""
    if problems:
        console = make_console(color="auto", ascii=False, width=None)
        look = Look(console.glyphs, console.width, timing=False, verbosity=0)
        for one in problem_lines(problems, look):
            click.echo("".join(part.text for part in one), err=True)
    if not changed and not problems:
        return
    verb = "would be" if would else "was" if changed == 1 else "were"
    click.echo(f"{changed} of {files} file{'' if files == 1 else 's'} {verb} changed", err=True)
