"""The debugger's workbench: the branches, where in them it looks, and what a user has set.

The rule guarded here: a journal is never shortened and never lost. Going back moves the view. Stepping on from the past
makes the session again from its inputs, as a branch of its own, and the branch that was stays as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from sspicli.debugger.beginning import Beginning
from sspicli.debugger.channel import GoneError
from sspicli.debugger.course import Course, Next
from sspicli.debugger.expression import Expression
from sspicli.debugger.forked import MOST, Forked, Held, hold, why_not
from sspicli.debugger.inputs import Added, Fired, Input, redo
from sspicli.debugger.live import Live
from sspicli.debugger.stops import Breakpoint
from sspicli.debugger.view import Snapshot, View
from sspicli.journal import events as ev
from sspicli.journal.journal import Record
from sspicli.journal.recording import RecordingWriter
from sspicli.scenario.rerun import Difference, as_read, first_difference
from sspicli.sspi.errors import LimitError, SspiCliError, UsageError
from sspicli.views.look import Look

PANES = ("log", "state", "token", "enabled", "legal", "changed", "calls", "ladder", "findings", "cause", "expected")
DEFAULT_PANES = ("log", "state", "changed", "findings", "enabled", "cause", "expected")


@dataclass(slots=True)
class Branch:
    """One course of events: a session under way, or a recording's records; `note` says how it came about.

    `parent` is where it was forked from: up to there the records are the very same.
    """

    name: str
    live: Course | None
    recorded: tuple[Record, ...] = ()
    note: str = ""
    parent: Position | None = None

    @property
    def records(self) -> Sequence[Record]:
        """All of its records so far."""
        return self.recorded if self.live is None else self.live.records

    @property
    def inputs(self) -> list[Input]:
        """What moved it."""
        return [] if self.live is None else self.live.inputs


class Position(NamedTuple):
    """A place in a branch: after so many inputs, and after so many records."""

    branch: str
    inputs: int
    records: int


class Mark(NamedTuple):
    """Where everything stood before a request."""

    place: Position
    past: list[Position]
    branches: tuple[str, ...]
    kept: Kept | None


@dataclass(slots=True)
class Settings:
    """What `set` changes."""

    panes: tuple[str, ...] = DEFAULT_PANES
    verbosity: int = 0
    limit: int = 100_000


@dataclass(frozen=True, slots=True)
class Kept:
    """A recording that is being written: one file for each branch since it was asked for."""

    path: Path
    writers: tuple[RecordingWriter, ...]

    def close(self) -> None:
        """Write what is left, and close every file."""
        for one in self.writers:
            one.close()


@dataclass(slots=True)
class Bench:
    """What the verbs work on."""

    beginning: Beginning
    look: Look
    branches: dict[str, Branch] = field(default_factory=dict)
    branch: Branch = field(init=False)
    place: Position = field(init=False)
    view: View = field(init=False)
    before: Snapshot = field(init=False)
    checkpoints: dict[str, Position] = field(default_factory=dict)
    held: dict[str, Held] = field(default_factory=dict)
    """The checkpoints that are processes."""
    past: list[Position] = field(default_factory=list)
    stops: dict[int, Breakpoint] = field(default_factory=dict)
    displays: dict[int, Expression] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)
    history: list[str] = field(default_factory=list)
    earlier: tuple[str, ...] = ()
    settings: Settings = field(default_factory=Settings)
    kept: Kept | None = None
    numbers: int = 0
    is_interrupted: bool = False
    warn: Callable[[str], None] = lambda _: None

    def __post_init__(self) -> None:
        """Begin."""
        live = Live(self.beginning) if self.beginning.case is not None else None
        self.branch = Branch("main", live, self.beginning.records, "the beginning")
        self.branches["main"] = self.branch
        self.view = View()
        self.place = Position("main", 0, 0)
        self.show(self.beginning.at if live is None else None)
        if live is None and not self.beginning.at:
            self.show(min(1, len(self.branch.records)))
        self.before = self.view.snapshot()

    # -- where we look -------------------------------------------------------------------------------------------------

    @property
    def live(self) -> Course | None:
        """The session under way, None where there are only records."""
        return self.branch.live

    @property
    def is_past(self) -> bool:
        """Say whether a session cannot go on from here as it is: not its end is looked at, or its process is gone."""
        if self.live is not None and self.live.is_gone:
            return True
        return (self.place.inputs, self.place.records) < (len(self.branch.inputs), len(self.branch.records))

    @property
    def is_over(self) -> bool:
        """Say whether nothing can happen any more."""
        if self.live is None:
            return not self.is_past
        return not self.is_past and not self.enabled()

    def enabled(self) -> Sequence[Next]:
        """List what may happen next; nothing is known of that in the past."""
        return [] if self.live is None or self.is_past or self.live.reason else self.live.enabled()

    def show(self, records: int | None = None, inputs: int | None = None) -> None:
        """Look at the state after so many records of this branch, None for its end."""
        every = self.branch.records
        count = len(every) if records is None else records
        if (
            count < len(self.view.records)
            or self.view.records[:1] != list(every[:1])
            or self.place.branch != self.branch.name
        ):
            self.view = View()
        for record in every[len(self.view.records) : count]:
            self.view.see(record)
        if inputs is None:
            inputs = len(self.branch.inputs) if records is None else self.inputs_at(count)
        self.place = Position(self.branch.name, inputs, count)

    def inputs_at(self, count: int) -> int:
        """Say how many inputs had been given when there were so many records."""
        if self.live is None:
            return 0
        ends = [*self.live.marks[1:], len(self.live.records)]
        return sum(1 for end in ends[: len(self.live.marks)] if end <= count)

    def boundaries(self) -> list[int]:
        """List the numbers of records after which the view can stand, ascending."""
        if self.live is None:
            return list(range(len(self.branch.records) + 1))
        return sorted({*self.live.marks, len(self.live.records)})

    def remember(self) -> None:
        """Keep this place for undo."""
        if not self.past or self.past[-1] != self.place:
            self.past.append(self.place)

    def go(self, place: Position) -> None:
        """Look at a place, in whatever branch it is."""
        self.branch = self.branches[place.branch]
        self.show(place.records, place.inputs)

    # -- branches ------------------------------------------------------------------------------------------------------

    def present(self) -> Difference | None:
        """Make sure that the session can go on from where we look; give the first difference if it was made again."""
        if self.live is None:
            raise UsageError(
                "a recording can only be looked at",
                help="start the debugger with the recording and --again, to make its run again",
            )
        if not self.is_past:
            return None
        return self.again(self.place, f"from {self.place.branch} at record {self.place.records}")

    def again(self, place: Position, origin: str) -> Difference | None:
        """Make the session again up to a place, as a branch of its own; give the first difference, None for none.

        It begins at the nearest checkpoint that is a process, and from the start where there is none.
        """
        old = self.branches[place.branch]
        assert old.live is not None, "only a session can be made again"
        live, parent = self._forked(place, old) or (Live(old.live.beginning), None)
        count = 0 if parent is None else parent.inputs
        redo(live, old.live.inputs[count : place.inputs])
        name = self._new_name()
        note = f"{origin}, {_made(parent, place)}"
        self.branch = self.branches[name] = Branch(name, live, note=note, parent=parent)
        self.view = View()
        self.show()
        self._keep_on()
        common = min(len(live.records), len(old.records))
        return first_difference(as_read(old.records[:common]), live.records[:common], is_whole=False)

    # -- checkpoints ---------------------------------------------------------------------------------------------------

    def hold(self, name: str) -> str:
        """Keep a checkpoint here, as a process where that can be; say why it is none, "" where it is one."""
        self.let_go(name)
        self.checkpoints[name] = self.place
        live = self.live
        if self.is_past:
            return "it lies in the past"
        if not isinstance(live, Live | Forked):
            return "a recording has no engine"
        why = why_not() or (f"{MOST} checkpoints are processes already" if len(self.held) >= MOST else "")
        if why:
            return why
        try:
            self.held[name] = hold(live) if isinstance(live, Live) else live.hold()
        except LimitError as error:
            return error.message
        return ""

    def let_go(self, name: str) -> None:
        """Let the process of a checkpoint end, if it is one."""
        held = self.held.pop(name, None)
        if held is not None:
            held.close()

    def _forked(self, place: Position, old: Branch) -> tuple[Course, Position] | None:
        """Begin at the nearest checkpoint before a place that is a process; None where there is none."""
        if sum(isinstance(one.live, Forked) and not one.live.is_gone for one in self.branches.values()) >= MOST:
            self.warn(f"{MOST} branches are processes already: this one is made again from its inputs")
            return None
        while (found := self._nearest(place)) is not None:
            at = self.checkpoints[found]
            live = old.live
            assert live is not None, "only a session has checkpoints"
            before = (old.records[: at.records], live.inputs[: at.inputs], live.marks[: at.inputs])
            try:
                return Forked(self.held[found].branch(), live.beginning, before), at
            except (GoneError, UsageError):
                self.let_go(found)
                self.warn(f"the process of checkpoint {found} is gone: the session is made again without it")
        return None

    def _nearest(self, place: Position) -> str | None:
        """Find the last checkpoint in what led to a place, whichever branch it was made in."""
        branch, most = place.branch, place.inputs
        while True:
            mine = [(at.inputs, name) for name, at in self.checkpoints.items() if name in self.held]
            mine = [(inputs, name) for inputs, name in mine if self.checkpoints[name].branch == branch]
            found = max((one for one in mine if one[0] <= most), default=None)
            parent = self.branches[branch].parent
            if found is not None or parent is None:
                return None if found is None else found[1]
            branch, most = parent.branch, min(most, parent.inputs)

    def _new_name(self) -> str:
        number = len(self.branches) + 1
        while f"branch{number}" in self.branches:
            number += 1
        return f"branch{number}"

    def is_added(self, text: str) -> bool:
        """Say whether a fault was added to this branch."""
        return any(isinstance(one, Added) and one.fault.text == text for one in self.branch.inputs)

    def fired(self) -> int:
        """Count the transitions so far, as far as we look."""
        return sum(isinstance(one, Fired) and not one.is_idle for one in self.branch.inputs[: self.place.inputs])

    # -- refusals ------------------------------------------------------------------------------------------------------

    def mark(self) -> Mark:
        """Keep what a refused request must leave as it was."""
        return Mark(self.place, list(self.past), tuple(self.branches), self.kept)

    def take_back(self, mark: Mark) -> None:
        """Go back to a mark: what a refused request had begun to make is dropped."""
        for name in [one for one in self.branches if one not in mark.branches]:
            dropped = self.branches.pop(name)
            if dropped.live is not None:
                dropped.live.close()
        for name in [one for one, at in self.checkpoints.items() if at.branch not in self.branches]:
            self.let_go(name)
            del self.checkpoints[name]
        if self.kept is not mark.kept:
            for one in () if self.kept is None or mark.kept is None else self.kept.writers[len(mark.kept.writers) :]:
                one.close()
            self.kept = mark.kept
        self.past = mark.past
        if self.place != mark.place:
            self.go(mark.place)

    # -- recording -----------------------------------------------------------------------------------------------------

    def keep(self, path: Path) -> None:
        """Write this branch's journal to a file from now on, with what it holds already."""
        live = self.live
        if live is None:
            raise UsageError("a recording is there already", help="copy the file")
        self.kept = Kept(path, (self._writer(path, live),))

    def _writer(self, path: Path, live: Course) -> RecordingWriter:
        writer = RecordingWriter(path, include_secrets=False, warn=self.warn)
        for record in live.records:
            writer(record)
        live.subscribe(writer)
        return writer

    def _keep_on(self) -> None:
        """Let a new branch have a file of its own beside the first."""
        if self.kept is None or self.live is None:
            return
        number = len(self.kept.writers) + 1
        path = self.kept.path.with_name(f"{self.kept.path.stem}-{number}{self.kept.path.suffix}")
        try:
            self.kept = Kept(self.kept.path, (*self.kept.writers, self._writer(path, self.live)))
        except SspiCliError as error:
            self.warn(f"no recording of this branch: {error.message}")

    def ended(self) -> ev.RunEnded | None:
        """Say how the run ends if nothing more happens; None where something may."""
        if self.live is None or self.is_past or (self.live.enabled() and not self.live.reason):
            return None
        ended = self.live.ending()
        return None if self.live.is_gone else ended

    def close(self) -> None:
        """End every branch."""
        for branch in self.branches.values():
            if branch.live is not None:
                branch.live.close()
        for name in list(self.held):
            self.let_go(name)
        if self.kept is not None:
            self.kept.close()
            self.kept = None


def _made(parent: Position | None, place: Position) -> str:
    """Say how a branch was made, and what of it is the same as before."""
    if parent is None:
        return f"made again from {place.inputs} inputs; keys and nonces are drawn anew"
    left = place.inputs - parent.inputs
    more = f" and {left} inputs again" if left else ""
    shared = "what was drawn before is the same, what is drawn later differs"
    return f"forked from the engine at record {parent.records}{more}: {shared}"
