"""A debugger session from its beginning to its exit code: what begins it, where commands come from, what ends it.

The rule guarded here: whatever ends it, the debugger is closed, and with it its files. The user's replrc is carried out
first; what fails in it is said and decides nothing.
"""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import NamedTuple

import click

from sspicli.cli.console import Console
from sspicli.cli.repl_history import HistoryFile, history_path, rc_path
from sspicli.cli.repl_lines import Source, lines_of_file
from sspicli.cli.repl_output import JsonOutput, Output, ScriptOutput, TypedOutput
from sspicli.cli.repl_shell import Reader, Shell
from sspicli.cli.repl_state import greeting, prompt_text, toolbar_text
from sspicli.cli.repl_terminal import PlainReader, can_edit, ended_by_signals, is_typed, lines_of_stdin
from sspicli.cli.screen_options import Screen
from sspicli.debugger.beginning import Beginning, Options, of_file, of_options
from sspicli.debugger.debugger import Debugger
from sspicli.sspi.errors import ExitCode
from sspicli.views.look import Look
from sspicli.views.text import visible

_LONGEST_NOTE = 1000


class Begin(NamedTuple):
    """Which session is debugged, where it is not made from options alone."""

    file: Path | None
    at: int
    again: bool
    case: int
    by_hand: tuple[str, ...]
    options: dict[str, object]


class Asked(NamedTuple):
    """Where commands come from, and how answers look."""

    commands: tuple[str, ...]
    scripts: tuple[Path, ...]
    is_vi: bool
    reads_rc: bool
    timing: bool
    record: Path | None
    screen: Screen

    @property
    def is_typed(self) -> bool:
        """Say whether somebody types commands."""
        return not self.commands and not self.scripts and is_typed()


def debug(begin: Begin, asked: Asked) -> ExitCode:
    """Begin, carry out commands until they end, and say how."""
    scripts = [one for path in asked.scripts for one in lines_of_file(path, str(path))]
    scripts += [Source(text, f"-c {number}") for number, text in enumerate(asked.commands, 1)]
    console = asked.screen.console()
    beginning = _beginning(begin)
    if beginning.note:
        click.echo(f"note: {visible(beginning.note, _LONGEST_NOTE)}", err=True)
    debugger = Debugger(beginning, Look(console.glyphs, console.width, asked.timing))
    history = HistoryFile(history_path() if asked.is_typed else None)
    debugger.remember(history.load())
    shell = Shell(debugger, _output(asked, console), columns=lambda: asked.screen.console().width, history=history)
    with ended_by_signals():
        try:
            _begun(shell, asked)
            if shell.code is not ExitCode.OK:
                return shell.code
            if asked.is_typed:
                if asked.screen.format == "text":
                    console.show(greeting(debugger.state, beginning.origin, console.width))
                shell.converse(_reader(debugger, asked, console, history))
                return ExitCode.OK
            shell.run(scripts or lines_of_stdin())
            came_to = ExitCode(debugger.exit_code())
        finally:
            debugger.close()
    return ExitCode.INTERRUPTED if shell.was_interrupted else shell.code or came_to


def _beginning(begin: Begin) -> Beginning:
    if begin.file is not None:
        return of_file(begin.file, at=begin.at, again=begin.again, number=begin.case)
    return of_options(Options(**begin.options), by_hand=begin.by_hand)  # type: ignore[arg-type]


def _output(asked: Asked, console: Console) -> Output:
    if asked.screen.format == "json":
        return JsonOutput(console.stream)
    return TypedOutput(console) if asked.is_typed else ScriptOutput(console)


def _begun(shell: Shell, asked: Asked) -> None:
    """Do what comes before the first command: the file that --record names, and the user's replrc."""
    if asked.record is not None:
        shell.take(Source(f"record {shlex.quote(str(asked.record))}", "--record"))
    path = rc_path()
    if asked.reads_rc and shell.code is ExitCode.OK and path.is_file():
        shell.run(lines_of_file(path, str(path)))
        shell.code = ExitCode.OK


def _reader(debugger: Debugger, asked: Asked, console: Console, history: HistoryFile) -> Reader:
    """Choose how lines are read."""

    def prompt() -> str:
        return prompt_text(debugger.state)

    if not can_edit():
        return PlainReader(prompt)
    from prompt_toolkit.output import create_output

    from sspicli.cli.repl_prompt import Keys, Prompt, Texts

    screen = create_output(stdout=sys.stderr)
    texts = Texts(prompt, lambda: toolbar_text(debugger.state, console.glyphs, screen.get_size().columns))
    keys = Keys(asked.is_vi, console.has_color)
    return Prompt(texts, debugger.complete, history, keys, output=screen)
