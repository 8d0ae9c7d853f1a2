"""Ctrl-C and SIGTERM while a session runs: the first ends it between two transitions, the second at once.

Python raises KeyboardInterrupt wherever the main thread happens to be, also between a record and its line in a file,
and SIGTERM ends a process where it stands. So while a session runs, the first of them only asks it to stop. A closed
terminal (SIGHUP) is a SIGTERM. A signal that whoever started us wants ignored, as nohup does, stays ignored.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from sspicli.sspi.errors import ExitCode

INTERRUPTED, TERMINATED = "interrupted", "terminated"
ENDED_BY = {INTERRUPTED: ExitCode.INTERRUPTED, TERMINATED: ExitCode.TERMINATED}
"""What the process ends with, by the reason that a run ended early."""

_REASONS = {"SIGINT": INTERRUPTED, "SIGTERM": TERMINATED, "SIGHUP": TERMINATED, "SIGBREAK": INTERRUPTED}


class TerminatedError(KeyboardInterrupt):
    """A second signal while the first is obeyed, and it was not Ctrl-C."""


@contextmanager
def interruptible(halt: Callable[[str], None]) -> Iterator[None]:
    """Let the first signal call `halt` with the reason for the end, and the second raise KeyboardInterrupt.

    Off the main thread, where no handler can be set, nothing changes.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    times = 0

    def on_signal(number: int, _frame: FrameType | None) -> None:
        nonlocal times
        times += 1
        reason = _REASONS[signal.Signals(number).name]
        if times > 1:
            raise KeyboardInterrupt if reason == INTERRUPTED else TerminatedError
        halt(reason)

    numbers = [getattr(signal, name) for name in _REASONS if hasattr(signal, name)]  # no system has all of them
    heard = [number for number in numbers if signal.getsignal(number) is not signal.SIG_IGN]
    before = [(number, signal.signal(number, on_signal)) for number in heard]
    try:
        yield
    finally:
        for number, handler in before:
            signal.signal(number, handler)
