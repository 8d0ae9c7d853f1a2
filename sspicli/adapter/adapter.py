"""The adapter: a request in, a response and events out. The life of a session, and who answers what.

The rule guarded here: every request is answered exactly once, the events that come of it stand behind its response, and
no request ends the connection but a disconnect. A request that cannot be done is answered with why.

Source: Debug Adapter Protocol, "Specification".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from sspicli.adapter import breaking, moving, showing
from sspicli.adapter.desk import Desk, Session
from sspicli.adapter.launch import Launch, launch_of
from sspicli.adapter.lines import text_of
from sspicli.adapter.messages import Answer, Arguments, Json, Request, event, output, refusal, response
from sspicli.adapter.moving import go, leave, stopped
from sspicli.debugger.debugger import Debugger
from sspicli.scenario.words import near
from sspicli.sspi.errors import SspiCliError, UsageError
from sspicli.views.look import Look
from sspicli.views.text import UNICODE, visible

WIDTH = 100  # columns of what is written to the client's console
Do = Callable[[Desk, Arguments], Answer]
INTERRUPTING = frozenset({"pause", "terminate", "disconnect", "restart"})
"""What is meant for a run under way, and stops it."""
_BEFORE_LAUNCH = frozenset({"initialize", "launch", "attach", "disconnect", "terminate"})

CAPABILITIES: Mapping[str, object] = {
    "supportsConfigurationDoneRequest": True,
    "supportsFunctionBreakpoints": True,
    "supportsConditionalBreakpoints": True,
    "supportsHitConditionalBreakpoints": True,
    "supportsLogPoints": True,
    "supportsDataBreakpoints": True,
    "supportsBreakpointLocationsRequest": True,
    "supportsExceptionFilterOptions": True,
    "supportsExceptionInfoRequest": True,
    "supportsEvaluateForHovers": True,
    "supportsCompletionsRequest": True,
    "supportsStepBack": True,
    "supportsSteppingGranularity": True,
    "supportsStepInTargetsRequest": True,
    "supportsGotoTargetsRequest": True,
    "supportsReadMemoryRequest": True,
    "supportsRestartRequest": True,
    "supportsTerminateRequest": True,
    "exceptionBreakpointFilters": [
        {"filter": name, "label": label, "description": meaning, "default": is_on, "supportsCondition": True}
        for name, (label, meaning, is_on) in breaking.FILTERS.items()
    ],
}
"""What a client may ask for; nothing is here that is not answered."""


class Adapter:
    """One connection to a client."""

    def __init__(self) -> None:
        self.desk = Desk()
        self.is_done = False
        self._numbers = 0
        self._commands: dict[str, Do] = {
            "initialize": self._initialize,
            "launch": self._launch,
            "attach": _attach,
            "configurationDone": self._configured,
            "restart": self._restart,
            "terminate": self._terminate,
            "disconnect": self._disconnect,
            **breaking.DO,
            **moving.DO,
            **showing.DO,
        }

    def handle(self, request: Request) -> Iterator[Json]:
        """Answer a request; what comes is in the order in which it is to be sent, each with its number."""
        if request.command in INTERRUPTING:
            self.desk.asked_to_stop.clear()
        try:
            answer = self._done(request)
        except SspiCliError as error:
            where = f"{error.where}: " if error.where else ""
            yield self.numbered(refusal(request, visible(f"{where}{error.message}", 2000), visible(error.help, 1000)))
            return
        yield self.numbered(response(request, answer.body))
        if answer.then is not None:
            yield from map(self.numbered, answer.then())

    def numbered(self, message: Json) -> Json:
        """Give a message its number in this connection."""
        self._numbers += 1
        return {"seq": self._numbers, **message}

    def interrupt(self) -> None:
        """Let a run stop at its next transition, or before it begins; may be called from another thread."""
        self.desk.asked_to_stop.set()
        if self.desk.session_ is not None:
            self.desk.session_.debugger.interrupt()

    def close(self) -> None:
        """End the session, and its recording with it."""
        if self.desk.session_ is not None:
            self.desk.session_.debugger.close()

    def _done(self, request: Request) -> Answer:
        do = self._commands.get(request.command)
        if do is None:
            help = near(request.command, self._commands)
            raise UsageError(f"there is no request {request.command[:80]!r} here", help=help)
        if request.command not in _BEFORE_LAUNCH:
            _ = self.desk.session
        return do(self.desk, request.arguments)

    # -- the life of a session -----------------------------------------------------------------------------------------
    def _initialize(self, desk: Desk, arguments: Arguments) -> Answer:
        desk.first_line = 1 if arguments.members.get("linesStartAt1") is not False else 0
        desk.first_column = 1 if arguments.members.get("columnsStartAt1") is not False else 0
        if arguments.text("pathFormat", "path") != "path":
            raise UsageError("paths are given as paths here, not as URIs", help="pathFormat: path")
        return Answer(dict(CAPABILITIES))

    def _launch(self, desk: Desk, arguments: Arguments) -> Answer:
        if desk.session_ is not None:
            raise UsageError("a session is under way already", help="restart begins it again")
        self._begin(launch_of(arguments))
        return Answer(None, lambda: self._launched(desk))

    def _launched(self, desk: Desk) -> Iterable[Json]:
        yield from (output(text, "important") for text in desk.session.launch.unknown)
        text = desk.session.text
        yield event("process", name=text.name, isLocalProcess=True, startMethod="launch")
        yield event("initialized")

    def _begin(self, launch: Launch) -> None:
        """Make the session; what was there is closed when the new one stands."""
        text = text_of(launch.beginning, launch.path)
        debugger = Debugger(launch.beginning, Look(UNICODE, WIDTH, timing=False))
        if launch.record:
            said = debugger.execute(f'record "{Path(launch.record).expanduser()}"')
            if said.error:
                debugger.close()
                raise UsageError(said.error, help=said.help, where="record")
        self.close()
        desk = self.desk
        desk.session_ = Session(debugger, text, launch)
        desk.forget()
        desk.numbers.clear()
        desk.is_over, desk.has_left, desk.exit_code = False, False, 0

    def _configured(self, desk: Desk, arguments: Arguments) -> Answer:
        return Answer(None, lambda: self._start(desk))

    def _start(self, desk: Desk) -> Iterator[Json]:
        """Stop at the entry, or go on to the first stop."""
        if desk.session.launch.stop_on_entry or desk.session.launch.is_by_hand:
            yield stopped(desk, "entry", "nothing has happened yet" if desk.bench.live is not None else "")
        else:
            yield from go(desk, "continue", "continue")

    def _restart(self, desk: Desk, arguments: Arguments) -> Answer:
        """Begin again, with the file as it is now; breakpoints are set anew."""
        given = arguments.part("arguments")
        self._begin(launch_of(given if given.members else desk.session.launch.arguments))
        return Answer(None, lambda: [*self._armed(desk), *self._start(desk)])

    def _armed(self, desk: Desk) -> Iterator[Json]:
        for wanted in list(desk.wanted):
            try:
                breaking.arm(desk, wanted)
            except SspiCliError as error:
                desk.wanted.remove(wanted)
                gone = {"id": wanted.id, "verified": False, "message": error.message}
                yield event("breakpoint", reason="changed", breakpoint=gone)

    def _terminate(self, desk: Desk, arguments: Arguments) -> Answer:
        return Answer(None, lambda: leave(desk))

    def _disconnect(self, desk: Desk, arguments: Arguments) -> Answer:
        self.close()
        self.is_done = True
        return Answer(None)


def _attach(desk: Desk, arguments: Arguments) -> Answer:
    raise UsageError(
        "there is nothing to attach to: the endpoints live in this process", help="launch, with a program or a session"
    )
