"""How the debugger's answers leave the process: lines for a person, or one JSON object for each answer.

The rule guarded here: stdout carries answers and nothing else. An error stands among them where somebody types, and on
stderr, with its place, where nobody does. With JSON an error is an answer like any other, so that a program that reads
has one stream to follow.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import NamedTuple, Protocol, TextIO

from sspicli.cli.console import Console
from sspicli.cli.main import show_error
from sspicli.debugger.debugger import Status, Stop
from sspicli.sspi.errors import SspiCliError
from sspicli.views.text import Line, Segment, line, plain, visible

SCHEMA = "sspi-async/repl/1"
_LONGEST = 2000


class Answer(NamedTuple):
    """What came of a line: `where` is its place in a file, "" for one that was typed; `state` is for machines."""

    command: str
    where: str
    lines: tuple[Line, ...]
    error: SspiCliError | None
    stop: Stop | None
    state: Status


class Output(Protocol):
    """Where answers go."""

    def show(self, answer: Answer) -> None:
        """Show one answer, at once."""


class TypedOutput:
    """Answers for a person at a prompt."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def show(self, answer: Answer) -> None:
        """Show the lines; of an error what is wrong, and what is possible."""
        self._console.show(answer.lines)
        if answer.error is not None:
            self._console.show(error_lines(answer.error, self._console.glyphs.bad))
        self._console.stream.flush()


class ScriptOutput:
    """Answers to lines that nobody types: errors go to stderr with their place."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def show(self, answer: Answer) -> None:
        """Show the lines, and an error on stderr."""
        self._console.show(answer.lines)
        self._console.stream.flush()
        if answer.error is not None:
            show_error(placed(answer.error, answer.where))


class JsonOutput:
    """One object a line for each answer, in ASCII, so that no name in it can reach a terminal as a sequence."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def show(self, answer: Answer) -> None:
        """Write the answer as one line; members without a value are left out."""
        document: dict[str, object] = {"schema": SCHEMA, "command": answer.command, "where": answer.where}
        document["ok"] = answer.error is None
        if answer.error is not None:
            document |= {"error": answer.error.message, "cause": answer.error.cause, "help": answer.error.help}
            document["exit_code"] = int(answer.error.exit_code)
        document["lines"] = [plain(one) for one in answer.lines]
        if answer.stop is not None:
            document["stop"] = answer.stop.to_json()
        document["state"] = asdict(answer.state)
        kept = {name: value for name, value in document.items() if value not in ("", [])}
        self._stream.write(json.dumps(kept, ensure_ascii=True) + "\n")
        self._stream.flush()


def error_lines(error: SspiCliError, glyph: str) -> list[Line]:
    """Say what is wrong in one line, and what is possible in another."""
    lines = [line(Segment(f"{glyph} error: ", "bad"), visible(error.message, _LONGEST))]
    for name, said in (("-->", error.where), ("cause:", error.cause), ("help:", error.help)):
        if said:
            lines.append(line(f"  {name} {visible(said, _LONGEST)}"))
    return lines


def placed(error: SspiCliError, where: str) -> SspiCliError:
    """Give an error its place in a file of commands; one that names a place of its own keeps it as the cause."""
    if not where or error.where == where:
        return error
    causes = [one for one in (error.where, error.cause) if one]
    same = SspiCliError(error.message, where=where, cause=": ".join(causes), help=error.help)
    same.exit_code = error.exit_code
    return same
