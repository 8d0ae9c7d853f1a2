"""The debugger: a line in, an answer out. It never raises for what a user types, and a refused request changes nothing.

Who draws and who reads keys stand elsewhere; a line from a prompt, a file, a breakpoint's commands or a test comes the
same way. An empty line repeats the last command that may be repeated.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from sspicli.analysis.cases import SuiteResult
from sspicli.debugger import (
    backtrace,
    changing,
    comparing,
    directing,
    informing,
    keeping,
    looking,
    managing,
    moving,
    travelling,
)
from sspicli.debugger.beginning import Beginning
from sspicli.debugger.bench import Bench
from sspicli.debugger.completing import Candidate, candidates
from sspicli.debugger.history import is_kept
from sspicli.debugger.judging import judged
from sspicli.debugger.panes import (
    SIDES,
    call_name,
    changed,
    display_lines,
    enabled_texts,
    legal_now,
    panes,
    where_text,
)
from sspicli.debugger.reply import Do, Reply, fitted, noted
from sspicli.debugger.verbs import Verb, find
from sspicli.sspi.errors import ExitCode, SspiCliError, UsageError
from sspicli.views.look import Look
from sspicli.views.text import Line, Segment, line, visible

SCHEMA = "sspi-async/stop/1"
_DEEPEST = 8  # files that source files
_MOST_COMMANDS = 500  # that breakpoints do after one line
_NOT_KEPT = frozenset({"history"})

DO: dict[str, Do] = {
    **moving.DO,
    **travelling.DO,
    **managing.DO,
    **looking.DO,
    **informing.DO,
    **comparing.DO,
    **backtrace.DO,
    **changing.DO,
    **directing.DO,
    **keeping.DO,
}
"""What each verb does; a test holds it against the declarations."""


@dataclass(frozen=True, slots=True)
class Stop:
    """Where the session stands after a command that moved it: why, where, what may happen next, what is legal."""

    reason: str
    record: int
    records: int
    branch: str
    where: str
    enabled: tuple[str, ...]
    legal: tuple[dict[str, object], ...]
    changed: tuple[tuple[str, str, str], ...]
    sides: dict[str, dict[str, object]] = field(default_factory=dict)
    verdict: str = ""

    def to_json(self) -> dict[str, object]:
        """Give it as plain data."""
        return {
            "schema": SCHEMA,
            "reason": self.reason,
            "branch": self.branch,
            "record": self.record,
            "records": self.records,
            "where": self.where,
            "enabled": list(self.enabled),
            "legal": list(self.legal),
            "changed": [{"name": name, "old": old, "new": new} for name, old, new in self.changed],
            "sides": self.sides,
            **({"verdict": self.verdict} if self.verdict else {}),
        }


class Response(NamedTuple):
    """What came of a line: lines laid out for the look's width; `error` and `help` where it could not be done.

    `exit_code` is what a process ends with for which this line was the first to fail.
    """

    lines: tuple[Line, ...] = ()
    error: str = ""
    help: str = ""
    stop: Stop | None = None
    is_over: bool = False
    exit_code: ExitCode = ExitCode.OK


@dataclass(frozen=True, slots=True)
class Status:
    """What a prompt and a toolbar show."""

    package: str
    mover: str
    client: str
    server: str
    leg: int
    pending: int
    ticks: int
    seed: int
    mode: str
    branch: str
    record: int
    records: int
    is_past: bool
    is_recording: bool
    is_over: bool


class _LineError(SspiCliError):
    """A line of a file that could not be done: it fails as the line alone would."""

    def __init__(self, message: str, response: Response) -> None:
        super().__init__(message, help=response.help)
        self.exit_code = response.exit_code


def _code_of(error: SspiCliError, *, is_verb: bool) -> ExitCode:
    """Say what a line's failure ends with: a word that is no verb is a wrong command line, a refused command is not."""
    return ExitCode.FAILED if is_verb and isinstance(error, UsageError) else error.exit_code


class Debugger:
    """One session of the debugger."""

    def __init__(self, beginning: Beginning, look: Look) -> None:
        self.bench = Bench(beginning, look)
        self._warnings: list[str] = []
        self.bench.warn = self._warnings.append
        self._last = ""
        self._depth = 0
        self._waiting: list[str] = []
        self._is_doing = False
        self._is_closed = False

    def greeting(self) -> tuple[Line, ...]:
        """Say what this is, who moves next, and how to get help."""
        started = self.bench.view.state.run
        what = "a recording" if started is None else f"{started.package} ({started.engine})"
        kind = "to be looked at" if self.bench.live is None else "under way"
        head = f"sspi-async {visible(what)} {self.bench.look.glyphs.dot} {visible(self.bench.beginning.origin)}, {kind}"
        return (line(Segment(head, "head")), line(Segment(where_text(self.bench), "muted"), "  help, quit to leave"))

    def execute(self, line_: str) -> Response:
        """Do what a line says."""
        text = line_.strip()
        if text.startswith("#"):
            return Response()
        if not text:
            if not self._last:
                return Response()
            text = self._last
        response = self._done(text)
        width = self.bench.look.width
        return response._replace(lines=tuple(part for one in response.lines for part in fitted(one, width)))

    def _done(self, text: str) -> Response:
        bench = self.bench
        mark = bench.mark()
        is_verb = False
        try:
            verb, rest = self._verb(text)
            is_verb = True
            if self._depth > _DEEPEST:
                raise UsageError("commands that do commands go too deep", help="look at alias, source and commands")
            if verb.name not in _NOT_KEPT and not self._depth:
                bench.history += [text] if is_kept(text) else []
            reply = self._performed(verb, rest)
        except SspiCliError as error:
            self._last = ""
            bench.take_back(mark)
            lines = tuple(noted(one) for one in self._warnings)
            self._warnings.clear()
            said = visible(error.message, 1000), visible(error.help, 1000)
            return Response(lines, *said, exit_code=_code_of(error, is_verb=is_verb))
        self._last = text if verb.is_repeatable else ""
        return self._response(reply)

    def _performed(self, verb: Verb, rest: str) -> Reply:
        self._depth += 1
        try:
            if verb.name == "source":
                return self._sourced(rest)
            return DO[verb.name](self.bench, rest)
        finally:
            self._depth -= 1

    def _verb(self, text: str) -> tuple[Verb, str]:
        """Find the verb of a line: an alias of the user's, x/32, delete with a breakpoint's number."""
        word, _, rest = text.partition(" ")
        if word in self.bench.aliases:
            word, _, more = self.bench.aliases[word].partition(" ")
            rest = f"{more} {rest}".strip()
        if word.startswith("x/"):
            return find("x"), f"{word[1:]} {rest}"
        verb = find(word)
        first = rest.split()[:1]
        if verb.name == "delete" and first and first[0].isdecimal():
            verb = find("delete-breakpoint")
        return verb, rest

    def _sourced(self, rest: str) -> Reply:
        """Do the commands of a file; the first that fails ends it."""
        lines: list[Line] = []
        reason = ""
        for number, one in enumerate(keeping.commands_of(rest), 1):
            if not one.strip() or one.strip().startswith("#"):
                continue
            response = self._done(one.strip())
            lines += response.lines
            if response.error:
                raise _LineError(f"line {number}, {one.strip()[:60]}: {response.error}", response)
            if response.is_over:
                return Reply(tuple(lines), is_over=True)
        return Reply(tuple(lines), reason)

    def _response(self, reply: Reply) -> Response:
        lines = [*(noted(one) for one in self._warnings), *reply.lines]
        self._warnings.clear()
        if not reply.reason:
            return Response(tuple(lines), is_over=reply.is_over)
        stop = self.stop(reply.reason)
        lines += self._stop_lines(reply.reason)
        self._settle()
        self._waiting += reply.commands
        if not self._is_doing:
            last, more = self._do_waiting()
            lines += more
            stop = last or stop
        return Response(tuple(lines), stop=stop, is_over=reply.is_over)

    def _do_waiting(self) -> tuple[Stop | None, list[Line]]:
        """Do the commands of the breakpoints that were hit, and of those that are hit by these; give the last stop."""
        lines: list[Line] = []
        last: Stop | None = None
        self._is_doing = True
        self._depth += 1
        try:
            for _ in range(_MOST_COMMANDS):
                if not self._waiting or self.bench.is_interrupted:
                    self._waiting.clear()
                    return last, lines
                command = self._waiting.pop(0)
                response = self._done(command)
                lines += response.lines
                last = response.stop or last
                if response.error:
                    lines.append(line(Segment(f"{visible(command)}: {response.error}", "bad")))
            self._waiting.clear()
            return last, [*lines, noted(f"{_MOST_COMMANDS} commands of breakpoints were done: no more")]
        finally:
            self._depth -= 1
            self._is_doing = False

    def _settle(self) -> None:
        """Let what is shown next be compared with this stop."""
        self.bench.before = self.bench.view.snapshot()

    def _stop_lines(self, reason: str) -> list[Line]:
        head = line(
            Segment(f"{visible(reason, 1000)}", "head"), Segment(f"  {visible(where_text(self.bench), 400)}", "muted")
        )
        return [head, *panes(self.bench, self.bench.settings.panes), *display_lines(self.bench)]

    def stop(self, reason: str) -> Stop:
        """Say where the session stands."""
        bench = self.bench
        ended = bench.ended()
        return Stop(
            reason=reason,
            record=bench.place.records,
            records=len(bench.branch.records),
            branch=bench.branch.name,
            where=where_text(bench),
            enabled=enabled_texts(bench),
            legal=tuple(one.as_dict() for one in legal_now(bench)),
            changed=tuple(changed(bench)),
            sides={side: self._side(side) for side in SIDES},
            verdict="" if ended is None else bench.view.report(ended).verdict.value,
        )

    def _side(self, name: str) -> dict[str, object]:
        view = self.bench.view
        shown = view.state.sides[name].shown
        call = None if shown is None else shown.call
        return {
            "async_context": None if shown is None else str(shown.handle),
            "phase": None if shown is None else shown.phase.value,
            "call": None if call is None else call_name(view, call),
            "status": None if call is None else call.status.name,
            "waits": view.state.awaited(name),
        }

    @property
    def state(self) -> Status:
        """Say what a prompt and a toolbar show."""
        bench = self.bench
        state = bench.view.state
        run = state.run
        enabled = bench.enabled()
        mover = enabled[bench.live.preferred()].actor if enabled and bench.live is not None else ""
        phases = dict.fromkeys(SIDES, "no async context")
        for side in SIDES:
            shown = state.sides[side].shown
            if shown is not None:
                phases[side] = shown.phase.value
        return Status(
            package="" if run is None else run.package,
            mover=mover,
            client=phases["client"],
            server=phases["server"],
            leg=len(state.legs),
            pending=len(state.pending),
            ticks=state.ticks,
            seed=0 if run is None else run.seed,
            mode="" if run is None else str(run.options.get("mode", "")),
            branch=bench.branch.name,
            record=bench.place.records,
            records=len(bench.branch.records),
            is_past=bench.is_past,
            is_recording=bench.kept is not None,
            is_over=not enabled and not bench.is_past,
        )

    def complete(self, line_: str, cursor: int) -> list[Candidate]:
        """List what may stand at the cursor."""
        return candidates(self.bench, line_[:cursor])

    def remember(self, lines: Sequence[str]) -> None:
        """Take the lines of earlier sessions, for `history` to list."""
        self.bench.earlier = tuple(one for one in lines if is_kept(one))

    def fit(self, width: int) -> None:
        """Lay out what is shown from now on for so many columns."""
        self.bench.look = self.bench.look._replace(width=width)

    def interrupt(self) -> None:
        """Let a run stop at the next transition; may be called from a signal handler."""
        self.bench.is_interrupted = True

    def exit_code(self) -> int:
        """Say what the session as it stands comes to: 0 where it holds, 1 where it failed, 6 where it is stuck.

        A scenario holds when what it expects came about, be it a failure.
        2 stands for a schedule that belongs to another session: nothing it came to is what was asked for.
        """
        if self.bench.live is not None and self.bench.live.has_diverged:
            return ExitCode.USAGE
        ended = self.bench.ended()
        if ended is None:
            return 0
        result = judged(self.bench)
        if result is not None:
            return SuiteResult(cases=[result]).exit_code
        return {"failed": 1, "stuck": 6}.get(self.bench.view.report(ended).verdict.value, 0)

    def close(self) -> None:
        """End every branch, and the recording with it."""
        if not self._is_closed:
            self._is_closed = True
            self.bench.close()
