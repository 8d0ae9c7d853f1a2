"""What a launch asks for: a file, or a session as the command line describes it.

The rule guarded here: a member of a launch that is ours and wrong is refused, with the nearest that exists; members
that editors add for themselves are left alone. A session beside a file is refused, as it is on the command line.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

from sspicli.adapter.messages import Arguments
from sspicli.debugger.beginning import Beginning, Options, of_file, of_options
from sspicli.scenario.words import near
from sspicli.sspi.errors import UsageError

OF_FILE = {
    "program": "the scenario or the recording, by its path",
    "case": "the N-th case of a scenario, from 1",
    "at": "begin at this record of a recording",
    "again": "make the session of a recording again, to go on from",
}
OF_SESSION = {
    "package": "the security package, by its SSPI name",
    "tls": "the TLS version of both sides",
    "client": "settings of the client, a list of KEY=VALUE",
    "server": "settings of the server, a list of KEY=VALUE",
    "mode": "callback or polling",
    "completion": "pending or inline",
    "order": "fifo, lifo or seed",
    "seed": "the seed of every choice",
    "messages": "protected messages after the handshake",
    "fault": "what misbehaves, a list",
    "clock": "the time that certificates are judged at",
    "byHand": "the sides that do nothing by themselves, a list",
}
OF_BOTH = {
    "stopOnEntry": "stop before anything happens",
    "stopOnEnd": "stop when nothing can happen any more, to look at it and to go back",
    "noDebug": "run to the end, past every breakpoint",
    "record": "write the recording of the run to this file",
}
MEMBERS = {**OF_FILE, **OF_SESSION, **OF_BOTH}
"""All members of a launch, each with what it means."""
_LISTS = ("client", "server", "fault")
_NUMBERS = ("seed", "messages")
_OF_EDITORS = frozenset({
    "name", "type", "request", "cwd", "console", "internalConsoleOptions", "preLaunchTask", "postDebugTask",
    "presentation", "debugServer", "serverReadyAction", "suppressMultipleSessionWarning",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Launch:
    """A launch as it was understood; `arguments` are what it was asked with, to begin again."""

    beginning: Beginning
    path: Path | None
    stop_on_entry: bool
    stop_on_end: bool
    no_debug: bool
    record: str
    unknown: tuple[str, ...]
    arguments: Arguments

    @property
    def is_by_hand(self) -> bool:
        """Say whether a side does nothing by itself: then the end of what happens by itself is no end."""
        return bool(self.beginning.by_hand)


def launch_of(arguments: Arguments) -> Launch:
    """Read a launch, and make what the session begins with; errors as the command line has them."""
    program = arguments.text("program", "")
    unknown = tuple(
        _unknown(name)
        for name in arguments.members
        if name not in MEMBERS and name not in _OF_EDITORS and not name.startswith("__")
    )
    wrong = [name for name in (OF_SESSION if program else OF_FILE) if arguments.members.get(name) not in (None, "")]
    if wrong and program:
        raise UsageError(f"{wrong[0]}: the file says itself how its session is made", help="leave it out")
    if wrong:
        raise UsageError(f"{wrong[0]} is for a file, and no program is named", help="program is the file's path")
    path = Path(program).expanduser() if program else None
    return Launch(
        _of_file(path, arguments) if path is not None else _of_session(arguments),
        path,
        arguments.flag("stopOnEntry"),
        arguments.flag("stopOnEnd"),
        arguments.flag("noDebug"),
        arguments.text("record", ""),
        unknown,
        arguments,
    )


def _unknown(name: str) -> str:
    suggestion = near(name, MEMBERS)
    return f"launch has no {name[:80]!r}: it was left alone{f' ({suggestion})' if suggestion else ''}"


def _of_file(path: Path, arguments: Arguments) -> Beginning:
    at, number = arguments.number("at", 0), arguments.number("case", 1)
    is_scenario = path.name.endswith((".yaml", ".yml"))
    for name in ("at", "again") if is_scenario else ("case",):
        if arguments.members.get(name) not in (None, False, 0):
            raise UsageError(f"{name} is for a {'recording' if is_scenario else 'scenario'}", help="leave it out")
    return of_file(path, at=at, again=arguments.flag("again"), number=number)


def _of_session(arguments: Arguments) -> Beginning:
    given: dict[str, object] = {}
    for name in (one.name for one in fields(Options)):
        if arguments.members.get(name) is None or name not in OF_SESSION:
            continue
        if name in _LISTS:
            given[name] = tuple(arguments.texts(name))
        else:
            given[name] = arguments.number(name) if name in _NUMBERS else arguments.text(name)
    return of_options(Options(**given), by_hand=arguments.texts("byHand"))  # type: ignore[arg-type]
