"""The debugger's own time between a key and its answer: `python -m tests.benchmarks.run repl`.

The anchor is prompt-toolkit's own empty prompt: a session that reads one empty line from a pipe, and draws nowhere. A
stop is measured with its default panes at 100 and at 10,000 records, from the line to the text that a terminal would
be sent; completion with every candidate drawn up; undo in a session of 1,000 transitions. The stop at which a session
of 15,000 records is over says what it came to; the completion behind it is the first there to open a token.
"""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from functools import partial

from prompt_toolkit import PromptSession
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput

from sspicli.cli.console import Console
from sspicli.cli.repl_lines import Source
from sspicli.cli.repl_output import TypedOutput
from sspicli.cli.repl_shell import Shell
from sspicli.debugger.beginning import Options, of_options
from sspicli.debugger.debugger import Debugger
from sspicli.sspi.errors import ExitCode
from sspicli.views.look import Look
from sspicli.views.text import UNICODE
from tests.benchmarks.contest import Ratio, contest

WIDTH = 120
STOP, COMPLETION, UNDO = 0.050, 0.030, 0.100  # seconds, the goals
COMPLETED = ("", "st", "break cl", "print leg2.", "p client.", "info ", "explain SEC_E_C", "kpt")


def empty_prompts(count: int = 5) -> int:
    """Let prompt-toolkit read empty lines."""
    with create_pipe_input() as keyboard:
        session: PromptSession[str] = PromptSession(input=keyboard, output=DummyOutput())
        for _ in range(count):
            keyboard.send_text("\r")
            session.prompt("> ")
    return count


class Session:
    """A session with at least so many records, and a screen that goes nowhere."""

    def __init__(self, records: int) -> None:
        options = Options(seed=1, clock="2026-01-01T00:00:00Z", messages=records // 8 + 150)
        self.debugger = Debugger(of_options(options), Look(UNICODE, WIDTH, True))
        self._stream = io.StringIO()
        console = Console(self._stream, WIDTH, has_color=True, glyphs=UNICODE)
        self.shell = Shell(self.debugger, TypedOutput(console), columns=lambda: WIDTH)
        self.do(f"until record >= {records}")

    def do(self, *lines: str) -> int:
        """Carry lines out, and draw what comes of them."""
        for line in lines:
            self.shell.take(Source(line, ""))
            assert self._stream.tell(), f"{line} said nothing"
            assert self.shell.code is ExitCode.OK, self._stream.getvalue()
            self._stream.seek(0)
            self._stream.truncate()
        return len(lines)

    def complete(self) -> int:
        """Complete each of the lines."""
        for line in COMPLETED:
            self.debugger.complete(line, len(line))
        return len(COMPLETED)


def _show(name: str, result: Ratio, goal: float) -> None:
    met = "met" if result.ours <= goal else "missed"
    print(f"{name:<50} {result.ratio:5.2f}   goal {goal * 1e3:.0f} ms {met:<6}  ({result.ours * 1e3:.1f} ms)")


def _undo_seconds(session: Session, times: int = 15) -> float:
    """Measure undo alone: the steps before it are not its own."""
    taken = []
    for _ in range(times):
        session.do("step")
        began = time.process_time()
        session.do("undo")
        taken.append(time.process_time() - began)
    return sorted(taken)[len(taken) // 4]


def debugging() -> None:
    """Print what a stop, a completion and an undo take, beside an empty prompt."""
    for records in (100, 10_000):
        session = Session(records)
        _show(f"a stop at {records:,} records / an empty prompt", _contest(partial(session.do, *["step"] * 5)), STOP)
        _show(f"completion at {records:,} records / an empty prompt", _contest(session.complete), COMPLETION)
    anchor = contest(empty_prompts, empty_prompts, slices=4).anchor
    stop, completion = _ends()
    _show("the last stop of 15,000 records / an empty prompt", Ratio(stop, anchor), STOP)
    _show("the first completion there / an empty prompt", Ratio(completion, anchor), COMPLETION)
    _show("undo in 1,000 transitions / an empty prompt", Ratio(_undo_seconds(_long()), anchor), UNDO)


def _ends() -> tuple[float, float]:
    """Measure the stop at which a long session is over, and the first completion of a field there."""
    session = Session(15_000)
    session.do("set limit 1000000", "continue", "rs")
    began = time.process_time()
    session.do("goto end")
    stopped = time.process_time()
    session.debugger.complete("print leg4.", 11)
    return stopped - began, time.process_time() - stopped


def _long() -> Session:
    """Make a session of 1,000 transitions."""
    session = Session(1)
    session.do("step 1000")
    return session


def _contest(work: Callable[[], int]) -> Ratio:
    return contest(work, empty_prompts, slices=12)
