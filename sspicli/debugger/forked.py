"""A checkpoint of the engine itself: a process forked where a session stood, and branches forked from that.

OpenSSL, with the keys it has drawn, cannot be copied, but a process can. The forked one keeps still; when somebody
begins again from the checkpoint it forks once more, so that it can be used as often as one likes, and that process
carries the session on and tells what came of it. The rule guarded here: a forked process touches nothing but its own
engine and its channel: no terminal, no file, no signal of ours; when the other end is gone it ends.

Observed with OpenSSL 3 and later: what was drawn before the fork is the same in both; afterwards its generator seeds
itself anew in each process, so that what is drawn later differs.
"""

from __future__ import annotations

import builtins
import os
import signal
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import NamedTuple, NoReturn, TypeVar, cast

from sspicli.debugger.beginning import Beginning
from sspicli.debugger.channel import Channel, GoneError, channel, close_others
from sspicli.debugger.course import CallSeen, Next
from sspicli.debugger.hand import Typed
from sspicli.debugger.inputs import Input, Timed
from sspicli.debugger.live import Live
from sspicli.journal import events as ev
from sspicli.journal.journal import Record
from sspicli.runtime.call_names import CallPattern
from sspicli.session.fault_words import AnyFault
from sspicli.sspi.errors import LimitError, SspiCliError, UsageError

_BRANCH, _HOLD = "branch", "hold"
_PATIENCE = 500  # hundredths of a second
MOST = 32  # checkpoints that are processes
T = TypeVar("T")
type_ = type  # the class below has a method of that name


class Told(NamedTuple):
    """What a forked session answers: a result or why not, what is new, and what may happen next."""

    result: object
    error: SspiCliError | None
    bug: str
    records: list[Record]
    inputs: list[Input]
    marks: list[int]
    enabled: list[Next]
    preferred: int
    reason: str


class Held(NamedTuple):
    """A process that waits where a session stood; `pid` is 0 where another process must see to its end."""

    channel: Channel
    pid: int = 0

    def branch(self) -> Channel:
        """Let it fork, and give the channel to who carries the session on; GoneError where it is not there any more."""
        ours, theirs = channel()
        try:
            self.channel.send(_BRANCH, theirs)
        except GoneError:
            ours.close()
            raise
        return ours

    def close(self) -> None:
        """Let it end, and wait for that where it is a child of this process."""
        self.channel.close()
        if self.pid:
            _reap(self.pid)


def why_not() -> str:
    """Say why this process cannot be forked; "" where it can."""
    if not hasattr(os, "fork"):
        return "this system cannot fork a process"
    if threading.active_count() > 1 or _system_threads() > 1:
        return "threads are running, which a forked process would lack"
    return ""


def _system_threads() -> int:
    """Count the threads that the system knows of, a library's own too; 1 where it does not say."""
    try:
        return len(os.listdir("/proc/self/task"))  # noqa: PTH208 (names are enough)
    except OSError:
        return 1


def hold(live: Live) -> Held:
    """Fork a process that keeps a session as it stands; LimitError where the system gives none."""
    ours, theirs = channel()
    pid = _forked(ours)
    if not pid:
        _ends_here(lambda: _keep(live, theirs), theirs)
    theirs.close()
    return Held(ours, pid)


def _forked(ours: Channel) -> int:
    try:
        return os.fork()
    except OSError as error:
        ours.close()
        raise LimitError(f"no process for a checkpoint: {error.strerror}") from None


def _reap(pid: int) -> None:
    """Wait for a child that has been told to end; kill it where it does not."""
    with suppress(OSError):  # somebody else has waited for it
        for _ in range(_PATIENCE):
            if os.waitpid(pid, os.WNOHANG)[0]:
                return
            time.sleep(0.01)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


# -- in the forked process ---------------------------------------------------------------------------------------------
def _ends_here(do: Callable[[], None], kept: Channel) -> NoReturn:
    """Do it, and end: nothing that the first process left open is written, and nothing of it is undone."""
    code = 1
    try:
        _be_alone(kept)
        do()
        code = 0
    except GoneError:
        code = 0
    finally:
        os._exit(code)


def _be_alone(kept: Channel) -> None:
    close_others([kept])
    for name, handler in (
        ("SIGINT", signal.SIG_IGN),
        ("SIGCHLD", signal.SIG_IGN),
        ("SIGTERM", signal.SIG_IGN),  # as with Ctrl-C: the first process heeds it, and ends this one when it has
        ("SIGHUP", signal.SIG_IGN),  # asked for the last records
        ("SIGWINCH", signal.SIG_IGN),
        ("SIGTSTP", signal.SIG_IGN),
    ):
        signal.signal(getattr(signal, name), handler)
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nothing, number)


def _keep(live: Live, kept: Channel) -> None:
    """Wait, and fork whenever a branch is wanted."""
    live.be_alone()
    while True:
        _, end = kept.receive()
        if end is None:
            continue
        _fork_to(lambda end=end: _carry_on(live, end), end)  # type: ignore[misc]


def _carry_on(live: Live, end: Channel) -> None:
    """Do what is asked of the session, one thing after the other."""
    live.be_alone()
    seen = len(live.records), len(live.inputs)
    end.send(_told(live, seen, None, None, ""))
    while True:
        message, given = end.receive()
        name, arguments = cast("tuple[str, tuple[object, ...]]", message)
        result, error, bug = None, None, ""
        seen = len(live.records), len(live.inputs)
        try:
            if name == _HOLD and given is not None:
                _hold_another(live, given)
            else:
                result = getattr(live, name)(*arguments)
        except SspiCliError as reason:
            error = reason
        except Exception:
            bug = traceback.format_exc()
        end.send(_told(live, seen, result, error, bug))


def _hold_another(live: Live, end: Channel) -> None:
    _fork_to(lambda: _keep(live, end), end)


def _fork_to(do: Callable[[], None], end: Channel) -> None:
    """Let a process of its own do it; where the system gives none, who waits at the other end is told by its end."""
    with suppress(OSError):
        if os.fork() == 0:
            _ends_here(do, end)
    end.close()


def _told(live: Live, seen: tuple[int, int], result: object, error: SspiCliError | None, bug: str) -> Told:
    records, inputs = seen
    return Told(
        result,
        error,
        bug,
        live.records[records:],
        live.inputs[inputs:],
        live.marks[inputs:],
        live.enabled(),
        live.preferred() if live.enabled() else 0,
        live.reason,
    )


# -- in the first process ----------------------------------------------------------------------------------------------
class Forked:
    """A session that lives in a forked process; what it was before the fork is this process' own."""

    def __init__(
        self, end: Channel, beginning: Beginning, before: tuple[Sequence[Record], Sequence[Input], Sequence[int]]
    ) -> None:
        self.beginning = beginning
        records, inputs, marks = before
        self.records: list[Record] = list(records)
        self.inputs: list[Input] = list(inputs)
        self.marks: list[int] = list(marks)
        self.is_gone = False
        self.has_diverged = False
        self._end = end
        self._subscribers: list[Callable[[Record], None]] = []
        self._told = self._receive()

    def subscribe(self, subscriber: Callable[[Record], None]) -> None:
        """Let somebody see every record from now on."""
        self._subscribers.append(subscriber)

    def hold(self) -> Held:
        """Let a process be forked that keeps this session as it stands."""
        ours, theirs = channel()
        self._ask(_HOLD, end=theirs)
        return Held(ours)

    @property
    def reason(self) -> str:
        """Why nothing more happens though something could; "" for no reason."""
        return self._told.reason

    def enabled(self) -> list[Next]:
        """List what may happen next, in canonical order."""
        return [] if self.is_gone else self._told.enabled

    def preferred(self) -> int:
        """Say which of them happens when nobody chooses."""
        return self._told.preferred

    def fire(self, index: int | None = None) -> bool:
        """Fire a transition, by its place or by default; False when there is none, or a limit was hit."""
        return self._given(bool, "fire", index)

    def reach(self, index: int) -> type_ | None:
        """Let the actor whose step this is come up to its next action; None for another transition, or if it did."""
        return cast("type_ | None", self._ask("reach", index))

    def type(self, typed: Typed) -> bool:
        """Perform a step by hand; False where it, or one before it, waits for something else to happen."""
        return self._given(bool, "type", typed)

    def give(self, typed: Typed) -> None:
        """Let a step be the next that a hand performs, when its turn comes."""
        self._ask("give", typed)

    def add(self, text: str) -> AnyFault:
        """Add a fault to what is still to come; UsageError where it comes too late."""
        return cast("AnyFault", self._ask("add", text))

    def time(self, one: Timed) -> None:
        """Say when calls complete from now on, where nobody chooses."""
        self._ask("time", one)

    def uses(self, fault: AnyFault) -> int:
        """Count how often the function that a fault names has been used so far."""
        return self._given(int, "uses", fault)

    def choices(self) -> list[int]:
        """List the choices that were made."""
        return cast("list[int]", self._ask("choices"))

    def diverged(self) -> str:
        """Say, once, that the session left its schedule, or ended before it; "" where its user led it elsewhere."""
        if self.is_gone or self.has_diverged or not self._has_schedule:
            return ""
        said = self._given(str, "diverged")
        self.has_diverged = bool(said)
        return said

    @property
    def _has_schedule(self) -> bool:
        case = self.beginning.case
        return self.beginning.schedule is not None or (case is not None and case.scenario.schedule.choices is not None)

    def unmet_choices(self) -> tuple[str, ...]:
        """Say what of a wanted order of completions did not come about."""
        return cast("tuple[str, ...]", self._ask("unmet_choices"))

    def completable(self) -> list[CallSeen]:
        """List the pending calls that could complete."""
        return cast("list[CallSeen]", self._ask("completable"))

    def holds_by(self, pattern: CallPattern) -> bool:
        """Say whether calls are held by this name."""
        return self._given(bool, "holds_by", pattern)

    def waiting(self) -> list[tuple[str, str]]:
        """List the programs that cannot go on, each with what it waits for."""
        return cast("list[tuple[str, str]]", self._ask("waiting"))

    def wire_waits(self) -> list[str]:
        """Say why what is under way does not arrive."""
        return cast("list[str]", self._ask("wire_waits"))

    def hand_waits(self) -> dict[str, str]:
        """Say of each hand that is not done what it waits for."""
        return cast("dict[str, str]", self._ask("hand_waits"))

    def memory(self, side: str) -> dict[str, bytes]:
        """Give the bytes that a side's steps have kept."""
        return cast("dict[str, bytes]", self._ask("memory", side))

    def ending(self) -> ev.RunEnded:
        """Say what the run comes to if nothing more happens; it is over where the process is gone.

        This is asked to show a stop, when nobody refuses a request any more.
        """
        try:
            return self._given(ev.RunEnded, "ending")
        except UsageError:
            return ev.RunEnded("interrupted", ("the process of this branch is gone",))

    def close(self) -> None:
        """End the session, with the records of its end, and the process with it."""
        if not self.is_gone:
            try:
                self._ask("close")
            except UsageError:
                return
            self._leave()

    # -- asking --------------------------------------------------------------------------------------------------------
    def _given(self, kind: builtins.type[T], name: str, *arguments: object) -> T:
        result = self._ask(name, *arguments)
        assert isinstance(result, kind), f"{name} gives {kind.__name__}"
        return result

    def _ask(self, name: str, *arguments: object, end: Channel | None = None) -> object:
        if self.is_gone:
            raise _gone()
        with _whole():
            told = self._exchanged((name, arguments), end)
        if told.bug:
            raise RuntimeError(f"in the process of a branch:\n{told.bug}")
        if told.error is not None:
            raise told.error
        return told.result

    def _exchanged(self, message: tuple[str, tuple[object, ...]], end: Channel | None) -> Told:
        """Ask, and take in what is new."""
        try:
            self._end.send(message, end)
        except GoneError:
            self._leave()
            raise _gone() from None
        self._told = told = self._receive()
        self.inputs += told.inputs
        self.marks += told.marks
        for record in told.records:
            self.records.append(record)
            for subscriber in self._subscribers:
                subscriber(record)
        return told

    def _receive(self) -> Told:
        try:
            message, _ = self._end.receive()
        except GoneError:
            self._leave()
            raise _gone() from None
        assert isinstance(message, Told), "a forked session answers so"
        return message

    def _leave(self) -> None:
        self.is_gone = True
        self._end.close()


@contextmanager
def _whole() -> Iterator[None]:
    """Let what would end this process wait: after half an exchange the next answer would be to another question."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM, signal.SIGHUP))
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _gone() -> UsageError:
    return UsageError(
        "the process of this branch is gone", help="its records are kept; going on makes the session again"
    )
