"""What the adapter knows between two requests: the session, its text, what the client wants, and what it was shown.

The rule guarded here: what was shown at a stop is good until the session moves; then its numbers are worth nothing, and
a client that still uses one is told so.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from threading import Event
from typing import NamedTuple

from sspicli.adapter.frames import threads
from sspicli.adapter.launch import Launch
from sspicli.adapter.lines import RecordingText, ScenarioText
from sspicli.adapter.messages import Json
from sspicli.adapter.variables import Item
from sspicli.debugger.bench import Bench
from sspicli.debugger.debugger import Debugger
from sspicli.sspi.errors import UsageError

TEXT_REFERENCE = 1  # of the only text that is no file: the session made from options


class Wanted(NamedTuple):
    """A breakpoint that the client asked for: `command` sets it, "" where it cannot be; `log` is a log point's text.

    `kind` is which of the client's lists it is in, `id` what the client calls it, `shown` what it was answered.
    """

    id: int
    kind: str
    command: str
    ignore: int = 0
    log: str = ""
    shown: Json | None = None


class Session(NamedTuple):
    """A session under way: its debugger, its text, and how it was asked for."""

    debugger: Debugger
    text: ScenarioText | RecordingText
    launch: Launch

    @property
    def bench(self) -> Bench:
        """What the debugger's verbs work on."""
        return self.debugger.bench


@dataclass(slots=True)
class Desk:
    """The adapter's memory."""

    session_: Session | None = None
    wanted: list[Wanted] = field(default_factory=list)
    numbers: dict[int, int] = field(default_factory=dict)
    """The debugger's number of each breakpoint that the client asked for, by its id."""
    items: list[Callable[[], Iterable[Item]]] = field(default_factory=list)
    memory: dict[str, bytes] = field(default_factory=dict)
    frames: list[str] = field(default_factory=list)
    """The thread of each frame that was shown."""
    goals: list[int] = field(default_factory=list)
    """The record of each target of a jump that was shown."""
    ids: int = 0
    first_line: int = 1
    first_column: int = 1
    asked_to_stop: Event = field(default_factory=Event)
    """Set by who reads the requests, from when one is read that ends a run until it is answered."""
    is_over: bool = False
    has_left: bool = False
    exit_code: int = 0

    @property
    def session(self) -> Session:
        """Give the session; UsageError before there is one."""
        if self.session_ is None:
            raise UsageError("no session was launched yet", help="send launch first")
        return self.session_

    @property
    def bench(self) -> Bench:
        """What the debugger's verbs work on."""
        return self.session.bench

    def forget(self) -> None:
        """Let what was shown be worth nothing: the session has moved."""
        self.items.clear()
        self.memory.clear()
        self.frames.clear()
        self.goals.clear()

    def new_id(self) -> int:
        """Number what the client is told of."""
        self.ids += 1
        return self.ids

    # -- numbers that the client knows ---------------------------------------------------------------------------------
    def reference(self, parts: Callable[[], Iterable[Item]] | None) -> int:
        """Give the number by which variables can be opened; 0 where there are none."""
        if parts is None:
            return 0
        self.items.append(parts)
        return len(self.items)

    def opened(self, reference: int) -> list[Item]:
        """Open variables by their number."""
        if not 1 <= reference <= len(self.items):
            raise UsageError("these variables were shown at another stop", help="ask for the scopes again")
        return list(self.items[reference - 1]())

    def thread_number(self, name: str) -> int:
        """Give the number of a thread."""
        return threads(self.bench).index(name) + 1

    def thread(self, number: int) -> str:
        """Find a thread."""
        names = threads(self.bench)
        if not 1 <= number <= len(names):
            raise UsageError(f"there is no thread {number}", help=f"there are {len(names)}")
        return names[number - 1]

    def frame(self, thread: str) -> int:
        """Give the number of a frame."""
        self.frames.append(thread)
        return len(self.frames)

    def thread_of_frame(self, number: int) -> str:
        """Find the thread of a frame."""
        if not 1 <= number <= len(self.frames):
            raise UsageError("this frame was shown at another stop", help="ask for the stack trace again")
        return self.frames[number - 1]

    # -- the text as the client knows it -------------------------------------------------------------------------------
    def source(self) -> Json:
        """Name the text, as the client finds it."""
        text = self.session.text
        where: Json = {"path": text.path} if text.path else {"sourceReference": TEXT_REFERENCE}
        return {"name": text.name, **where}

    def is_source(self, path: str, reference: int) -> bool:
        """Say whether a client means the text of the session."""
        text = self.session.text
        if reference:
            return reference == TEXT_REFERENCE and not text.path
        if not text.path:
            return path == text.name
        return os.path.normcase(os.path.realpath(path)) == os.path.normcase(os.path.realpath(text.path))

    def line(self, line: int) -> int:
        """Count a line as the client does."""
        return line - 1 + self.first_line

    def column(self, column: int) -> int:
        """Count a column as the client does."""
        return column - 1 + self.first_column
