"""Ctrl-C while a session runs: the first ends it between two transitions, the second at once.

Python raises KeyboardInterrupt wherever the main thread happens to be, also between a record and its line in a file. So
while a session runs, the first SIGINT only asks it to stop.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def interruptible(halt: Callable[[str], None]) -> Iterator[None]:
    """Let the first SIGINT call `halt("interrupted")`, and the second raise KeyboardInterrupt.

    Off the main thread, where no handler can be set, nothing changes.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    times = 0

    def on_interrupt(_number: int, _frame: FrameType | None) -> None:
        nonlocal times
        times += 1
        if times > 1:
            raise KeyboardInterrupt
        halt("interrupted")

    before = signal.signal(signal.SIGINT, on_interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
