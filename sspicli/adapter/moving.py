"""The session goes on or back, as a client asks: by line, by transition, by leg, until something stops it.

The rule guarded here: a movement is a line typed at the debugger, and what the client is told came of it is the
debugger's own stop. Where a program has steps a line is a step; where the shipped driver runs, a line is a call. What
cannot be done leaves everything where it is, and the client hears why.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from sspicli.adapter.breaking import FILTERS, logged
from sspicli.adapter.desk import Desk, Wanted
from sspicli.adapter.frames import callbacks, frames, thread_of
from sspicli.adapter.lines import RecordingText
from sspicli.adapter.messages import Answer, Arguments, Json, event, output
from sspicli.adapter.verdict import verdict
from sspicli.debugger.bench import Bench, Position
from sspicli.debugger.panes import enabled_texts
from sspicli.journal import events as ev
from sspicli.journal.journal import Record
from sspicli.sspi.errors import UsageError
from sspicli.views.events import Words
from sspicli.views.text import Line, plain, visible

_MOST_LOG = 40  # records that are written to the console for one movement
_LONG = frozenset({"continue", "until", "next", "finish"})
_DONE = (" holds", "a call has settled", "a token has arrived")  # how the debugger says that a movement is at its end
_REASONS = {"line": "breakpoint", "function": "function breakpoint", "filter": "exception", "data": "data breakpoint"}


def go(desk: Desk, command: str, reason: str = "step") -> Iterator[Json]:
    """Let the debugger do a line that moves the session, log points passed on the way, and tell what came of it."""
    while not desk.asked_to_stop.is_set():
        hits = {number: one.hits for number, one in desk.bench.stops.items()}
        first = desk.bench.place
        response = desk.session.debugger.execute(command)
        desk.forget()
        if response.error:
            yield output(f"{response.error}{f' ({response.help})' if response.help else ''}", "stderr")
            yield from _arrived(desk, reason, response.error, [])
            return
        yield from _happened(desk, first)
        hit = [number for number, one in desk.bench.stops.items() if one.hits > hits.get(number, 0)]
        logs = _logs(desk, hit)
        yield from (output(text) for text in logs)
        words = response.stop.reason if response.stop else ""
        if hit and len(logs) == len(hit) and not _is_over(desk) and _goes_on(command, words):
            continue
        yield from _arrived(desk, reason, words, hit)
        return
    yield stopped(desk, "pause")


def _goes_on(command: str, words: str) -> bool:
    """Say whether a movement that a log point has stopped is not at its own end."""
    return command.partition(" ")[0] in _LONG and not words.endswith(_DONE)


def _logs(desk: Desk, hit: list[int]) -> list[str]:
    texts = {desk.numbers.get(one.id): one.log for one in desk.wanted if one.log}
    return [logged(desk, texts[number]) for number in hit if number in texts]


def _happened(desk: Desk, before: Position) -> Iterator[Json]:
    """Write what happened to the console, and where a session was made again to go on from the past."""
    bench = desk.bench
    if bench.place.branch != before.branch:
        yield output(f"{bench.branch.name}: {bench.branch.note}", "important")
    new = bench.view.records[before.records :]
    if len(new) > _MOST_LOG:
        yield output(f"{len(new) - _MOST_LOG} records before these: timeline lists all")
    if new:
        yield output("".join(f"{one.sequence:>4} {plain(told(one, bench))}\n" for one in new[-_MOST_LOG:]))


def told(record: Record | None, bench: Bench) -> Line:
    """Write a record as a line."""
    return Words(bench.view.state, bench.look.glyphs, is_short=False).line(record) if record is not None else ()


def _is_over(desk: Desk) -> bool:
    bench = desk.bench
    if bench.live is None:
        return not bench.is_past
    return bench.ended() is not None and not desk.session.launch.is_by_hand


def _arrived(desk: Desk, reason: str, words: str, hit: list[int]) -> Iterator[Json]:
    """Tell where the session stands: at a stop, or at its end."""
    kinds = {desk.numbers.get(one.id): one for one in desk.wanted}
    ours = [kinds[number] for number in hit if number in kinds]
    desk.is_over &= _is_over(desk)
    if _is_over(desk) and not ours and not desk.is_over:
        desk.is_over = True
        yield from _ended(desk)
        if not desk.session.launch.stop_on_end:
            yield from leave(desk)
            return
        reason, words = "pause", words or "nothing can happen any more"
    elif desk.is_over and reason == "continue":
        yield from leave(desk)
        return
    if ours:
        reason, words = _REASONS[ours[0].kind], _described(desk, ours[0], words)
    elif reason == "continue":
        reason = "pause"
    elif reason == "step":
        words = ""
    yield stopped(desk, reason, words, [one.id for one in ours])


def _described(desk: Desk, one: Wanted, words: str) -> str:
    """Say in a few words what a breakpoint stopped at."""
    if one.kind == "line":
        thread = thread_of(desk.bench, desk.bench.view.last)
        return f"breakpoint: {frames(desk.bench, desk.session.text, thread)[0].name}"
    if one.kind == "filter":
        return f"{FILTERS[one.command.split()[1]][0]}: {plain(told(desk.bench.view.last, desk.bench))}"
    return words.partition(", ")[2] or words


def stopped(desk: Desk, reason: str, words: str = "", ids: list[int] | None = None) -> Json:
    """Make the event that says where the session stands and why; without words a client uses its own."""
    bench = desk.bench
    thread = desk.thread_number(thread_of(bench, bench.view.last))
    said = visible(words, 1000)
    more: Json = {"hitBreakpointIds": ids} if ids else {}
    return event(
        "stopped",
        reason=reason,
        threadId=thread,
        allThreadsStopped=True,
        **({"description": said, "text": said} if said else {}),
        **more,
    )


def _ended(desk: Desk) -> Iterator[Json]:
    said = verdict(desk)
    desk.exit_code = said.exit_code
    yield from said.outputs


def leave(desk: Desk) -> Iterator[Json]:
    """Tell that the session is over, once."""
    if desk.has_left:
        return
    desk.has_left = True
    yield event("exited", exitCode=int(desk.exit_code))
    yield event("terminated")


# -- requests ----------------------------------------------------------------------------------------------------------
Moves = Callable[[Desk, Arguments], str]


def _is_stepped(desk: Desk, thread: str) -> bool:
    """Say whether a thread has steps that stand in the text."""
    case = None if desk.bench.live is None else desk.bench.live.beginning.case
    return case is not None and thread in case.scenario.programs


def _is_fine(arguments: Arguments) -> bool:
    return arguments.text("granularity", "") == "instruction"


def _next(desk: Desk, arguments: Arguments) -> str:
    """Go on to the thread's next line."""
    thread = desk.thread(arguments.number("threadId"))
    if _is_fine(arguments):
        return "step"
    return f'until step and actor == "{thread}"' if _is_stepped(desk, thread) else "next"


def _step_in(desk: Desk, arguments: Arguments) -> str:
    """Go on to the endpoint's next line, also in a callback; or let one of the enabled transitions happen."""
    thread = desk.thread(arguments.number("threadId"))
    target = arguments.number("targetId", 0)
    if target:
        return f"choose {target}"
    if _is_fine(arguments) or not _is_stepped(desk, thread):
        return "step"
    return f'until (step or event == "CallbackEntered") and side == "{thread.partition(".")[0]}"'


def _step_out(desk: Desk, arguments: Arguments) -> str:
    """Leave the callback that the thread is in, else go on until a token has arrived."""
    thread = desk.thread(arguments.number("threadId"))
    is_inside = bool(callbacks(desk.bench.view, thread))
    return f'until event == "CallbackReturned" and side == "{thread}"' if is_inside else "finish"


def _step_back(desk: Desk, arguments: Arguments) -> str:
    """Go back to the thread's line before, or by a transition."""
    thread = desk.thread(arguments.number("threadId"))
    if _is_fine(arguments) or not _is_stepped(desk, thread):
        return "rs"
    steps = [
        one.sequence
        for one in desk.bench.view.records[:-1]
        if one.actor == thread and isinstance(one.event, ev.ActionTaken)
    ]
    return f"goto {steps[-1]}" if steps else "goto start"


def _moving(command: Moves, reason: str) -> Callable[[Desk, Arguments], Answer]:
    def do(desk: Desk, arguments: Arguments) -> Answer:
        if desk.has_left:
            raise UsageError("the session is over", help="restart begins it again")
        text = command(desk, arguments)
        body: Json | None = {"allThreadsContinued": True} if reason == "continue" else None
        return Answer(body, lambda: go(desk, text, reason))

    return do


def step_in_targets(desk: Desk, arguments: Arguments) -> Answer:
    """List the enabled transitions: each can be chosen to be the next."""
    desk.thread_of_frame(arguments.number("frameId"))
    texts = enumerate(enabled_texts(desk.bench), 1)
    return Answer({"targets": [{"id": at, "label": visible(text)} for at, text in texts]})


def goto_targets(desk: Desk, arguments: Arguments) -> Answer:
    """List the times that a line was come to so far: to go back to it is to look at one of them."""
    source = arguments.part("source")
    if not desk.is_source(source.text("path", "") or source.text("name", ""), source.number("sourceReference", 0)):
        raise UsageError(f"this session is of {desk.session.text.name}: another file has no part in it")
    text = desk.session.text
    found = text.at(arguments.number("line") + 1 - desk.first_line)
    if found is None:
        return Answer({"targets": []})
    records = _times(desk, found.condition, is_recording=isinstance(text, RecordingText))
    targets = []
    for record in records:
        desk.goals.append(record)
        label = f"record {record}"
        targets.append({"id": len(desk.goals), "label": label, "line": desk.line(found.lines.line)})
    return Answer({"targets": targets})


def _times(desk: Desk, condition: str, *, is_recording: bool) -> list[int]:
    """List the records at which a step was come to; of a recording the line is the record."""
    if is_recording:
        return [int(condition.rpartition(" ")[2])]
    return [
        one.sequence
        for one in desk.bench.branch.records
        if isinstance(one.event, ev.ActionTaken) and condition == f'step == "{one.event.step}"'
    ]


def _goto(desk: Desk, arguments: Arguments) -> str:
    target = arguments.number("targetId")
    if not 1 <= target <= len(desk.goals):
        raise UsageError("this target was shown at another stop", help="ask for the targets again")
    return f"goto {desk.goals[target - 1]}"


def pause(desk: Desk, arguments: Arguments) -> Answer:
    """Stop a run: who read the request has done it already, so that nothing runs when it is answered."""
    return Answer(None)


DO = {
    "continue": _moving(lambda desk, arguments: "continue", "continue"),
    "reverseContinue": _moving(lambda desk, arguments: "rc", "step"),
    "next": _moving(_next, "step"),
    "stepIn": _moving(_step_in, "step"),
    "stepOut": _moving(_step_out, "step"),
    "stepBack": _moving(_step_back, "step"),
    "goto": _moving(_goto, "goto"),
    "stepInTargets": step_in_targets,
    "gotoTargets": goto_targets,
    "pause": pause,
}
