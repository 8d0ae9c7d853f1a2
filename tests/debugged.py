"""A double of the debugger: it notes the lines that it is given, and answers as it is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from sspicli.cli.repl_output import Answer
from sspicli.debugger.completing import Candidate
from sspicli.debugger.debugger import Response, Status
from sspicli.debugger.verbs import VERBS
from sspicli.sspi.errors import ExitCode
from sspicli.views.text import line

NOWHERE = Status("Schannel", "client", "idle", "idle", 0, 0, 0, 0, "callback", "main", 1, 1, False, False, False)


class Double:
    """It answers every line with the line; one that begins with a word of `fails` is refused."""

    def __init__(self, *fails: str, during: Callable[[], None] | None = None) -> None:
        self.lines: list[str] = []
        self.interrupts = 0
        self.width = 0
        self._fails = fails
        self._during = during

    @property
    def state(self) -> Status:
        """Say that nothing has happened."""
        return NOWHERE

    def execute(self, text: str, /) -> Response:
        """Note the line."""
        self.lines.append(text)
        if self._during is not None:
            self._during()
        if text.startswith(self._fails) and self._fails:
            return Response((), error=f"{text} is not possible", help="step is", exit_code=ExitCode.FAILED)
        return Response((line(f"did {text}"),), is_over=text == "quit")

    def complete(self, text: str, cursor: int) -> list[Candidate]:
        """Offer the verbs."""
        start = text.rfind(" ", 0, cursor) + 1
        word = text[start:cursor]
        return [Candidate(one.name, start, one.sentence) for one in VERBS if one.name.startswith(word) and not start]

    def fit(self, width: int) -> None:
        """Note the width."""
        self.width = width

    def interrupt(self) -> None:
        """Count."""
        self.interrupts += 1

    def close(self) -> None:
        """Do nothing."""


class Kept:
    """An output that keeps answers."""

    def __init__(self) -> None:
        self.answers: list[Answer] = []

    def show(self, answer: Answer) -> None:
        """Keep the answer."""
        self.answers.append(answer)


class Typist:
    """A reader that types these; an exception stands for a key that raises it."""

    def __init__(self, *typed: str | BaseException) -> None:
        self._typed: Iterator[str | BaseException] = iter(typed)

    def read(self) -> str:
        """Type the next."""
        one = next(self._typed, EOFError())
        if isinstance(one, BaseException):
            raise one
        return one
