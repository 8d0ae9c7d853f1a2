"""`--live` and `--pace`: whether a run is watched, where, and from when on.

The rule guarded here: nobody waits for a view that was not wanted. A run that is over within `PATIENCE` seconds shows
its result and nothing else, and nothing that draws is imported for it; off a terminal, and on one that cannot move its
cursor, only `--live` makes lines. The run itself is on a thread of its own while it is watched, so that the main thread
is free to draw and to hear Ctrl-C.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from typing import NamedTuple, TypeVar

import click

from sspicli.journal.journal import Journal

Watch = Callable[[Callable[[], object]], None]
"""Does the work it is given, and shows it to someone meanwhile."""

PATIENCE = 0.3  # seconds that a run may take before it is shown to someone who did not ask


class Watching(NamedTuple):
    """What the options say: `live` is None when neither form was given; `pace` is in seconds, 0 for none."""

    live: bool | None
    pace: float
    color: str
    is_ascii: bool
    leaves_ladder: bool

    @property
    def is_asked_for(self) -> bool:
        """Say whether the run was slowed down or shown on purpose."""
        return self.live is True or (self.live is None and self.pace > 0)

    @property
    def is_wanted(self) -> bool:
        """Say whether someone may want to watch."""
        return is_screen() if self.live is None else self.live

    def watch(self, source: Callable[[], Journal], note: Callable[[], str] | None = None) -> Watch:
        """Give what does some work and shows it on the way, as the journals of `source` tell it.

        `note` is what stands beside the state; without one, the pace.
        """
        return lambda work: self._follow(work, source, note or self._note)

    def _note(self) -> str:
        return f"{self.pace:g} s a step" if self.pace else ""

    def _follow(self, work: Callable[[], object], source: Callable[[], Journal], note: Callable[[], str]) -> None:
        if self.is_asked_for:
            import sspicli.cli.live  # noqa: F401 (before the run begins, whose times it would disturb)
        job = Job(work)
        if self.is_asked_for or not job.wait(PATIENCE):
            from sspicli.cli.live import follow

            follow(job.wait, source, note, self)
        job.finish()


def is_screen() -> bool:
    """Say whether standard error is a terminal whose cursor can be moved."""
    if sys.platform == "win32" and "WT_SESSION" not in os.environ:
        return False  # older consoles show escape sequences instead of obeying them
    return sys.stderr is not None and sys.stderr.isatty() and os.environ.get("TERM", "") not in ("", "dumb")


class Job:
    """Some work on a thread of its own, begun at once; the process does not wait for it when it ends."""

    def __init__(self, work: Callable[[], object]) -> None:
        self._work = work
        self._error: BaseException | None = None
        self._is_done = threading.Event()
        threading.Thread(target=self._do, name="sspi-async run", daemon=True).start()

    def wait(self, seconds: float) -> bool:
        """Wait for the end, at most so long; say whether it has come."""
        return self._is_done.wait(seconds)

    def finish(self) -> None:
        """Raise what the work raised, if it did; only after its end."""
        if self._error is not None:
            raise self._error

    def _do(self) -> None:
        try:
            self._work()
        except BaseException as error:
            self._error = error
        finally:
            self._is_done.set()


F = TypeVar("F", bound=Callable[..., object])

_OPTIONS = (
    click.option(
        "--live/--no-live",
        default=None,
        help="Watch the run, on stderr: a screen of both ends on a terminal, a line for each event elsewhere. With "
        "neither, a run that takes longer than a moment is shown on a terminal.",
    ),
    click.option(
        "--pace",
        type=click.FloatRange(0, 60),
        default=0.0,
        metavar="SECONDS",
        help="Wait so long after each transition, so that it can be watched; for stepped runs.",
    ),
)


def live_options(function: F) -> F:
    """Add the options to a command."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function
