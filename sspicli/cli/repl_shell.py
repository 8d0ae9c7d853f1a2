"""Lines in, answers out: what the prompt, a file, standard input and -c have in common.

The rule guarded here: a line never ends the debugger unless it says so, and never loses the session. Whatever is wrong
with it is an answer. The first line that fails decides how the process ends where nobody types. Ctrl-C stops a run at
its next transition, as often as it is pressed, and ends a file of commands. A terminal may change its width at any
time, so each answer asks for it.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Protocol

from sspicli.cli.interrupts import TerminatedError
from sspicli.cli.repl_history import HistoryFile
from sspicli.cli.repl_lines import LONGEST, Source, without_comment
from sspicli.cli.repl_output import Answer, Output
from sspicli.cli.repl_state import key_lines
from sspicli.debugger.debugger import Response, Status
from sspicli.debugger.history import is_kept
from sspicli.sspi.errors import ExitCode, SspiCliError, UsageError


class Reader(Protocol):
    """Where lines are typed."""

    def read(self) -> str:
        """Wait for a line; KeyboardInterrupt when it was cancelled, EOFError at the end."""


class Debugged(Protocol):
    """What carries lines out: the debugger, or a double of it."""

    @property
    def state(self) -> Status:
        """Say where the session stands."""

    def execute(self, line: str, /) -> Response:
        """Carry a line out, and never raise for what is wrong with it; an empty one repeats what may be repeated."""

    def interrupt(self) -> None:
        """Stop the run at its next transition."""

    def fit(self, width: int) -> None:
        """Lay out what is shown from now on for so many columns."""


class LineError(SspiCliError):
    """A line that could not be carried out."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.error, help=response.help)
        self.exit_code = response.exit_code


class Shell:
    """Carries lines out one by one."""

    def __init__(
        self, debugger: Debugged, output: Output, *, columns: Callable[[], int], history: HistoryFile | None = None
    ) -> None:
        self.is_over = self.was_interrupted = False
        self.code = ExitCode.OK
        self._debugger = debugger
        self._output = output
        self._columns = columns
        self._history = history or HistoryFile(None)

    def converse(self, reader: Reader) -> None:
        """Take typed lines until one of them, or Ctrl-D, is the end."""
        while not self.is_over:
            try:
                self._typed(reader.read())
            except TerminatedError:
                raise
            except KeyboardInterrupt:  # at the prompt, or in the moment before a run begins
                continue
            except EOFError:
                return

    def run(self, lines: Iterable[Source]) -> None:
        """Carry out lines that nobody types, until one of them is the end; an empty one says nothing."""
        for one in lines:
            if self.is_over or self.was_interrupted:
                return
            if without_comment(one.text):
                self.take(one)

    def _typed(self, text: str) -> None:
        """Carry out what was typed; an empty line stands for the last one that may be repeated."""
        if is_kept(text):
            self._history.append(text)
        if text.strip() and not without_comment(text):
            return
        self.take(Source(text, ""))

    def take(self, source: Source) -> None:
        """Carry out one line and show what came of it."""
        text = without_comment(source.text)
        self.was_interrupted = False
        width = self._columns()
        self._debugger.fit(width)
        with _interrupting(self._interrupt):
            response, error = self._carried_out(text)
            if error is not None and self.code is ExitCode.OK:
                self.code = error.exit_code
            self.is_over = self.is_over or response.is_over
            lines = response.lines
            if text in ("help", "h") and not source.where:
                lines = (*lines, *key_lines(width))
            self._output.show(Answer(text, source.where, lines, error, response.stop, self._debugger.state))

    def _carried_out(self, text: str) -> tuple[Response, SspiCliError | None]:
        if len(text) > LONGEST:
            return Response(), UsageError(f"a command has at most {LONGEST:,} characters")
        response = self._debugger.execute(_panes_meant(text))
        return response, LineError(response) if response.error else None

    def _interrupt(self) -> None:
        self.was_interrupted = True
        self._debugger.interrupt()


def _panes_meant(text: str) -> str:
    """Let `context state,token` choose the panes, as debuggers of machine code have it."""
    word, _, rest = text.partition(" ")
    return f"set panes {rest.strip()}" if word == "context" and rest.strip() else text


@contextmanager
def _interrupting(interrupt: Callable[[], None]) -> Iterator[None]:
    """Let Ctrl-C interrupt, as often as it is pressed; the session stays whole."""
    if threading.current_thread() is not threading.main_thread() or signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        yield
        return

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        interrupt()

    before = signal.signal(signal.SIGINT, on_signal)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
