"""Breakpoints as a client sets them: on lines, functions, kinds of trouble, and values.

The rule guarded here: each becomes a breakpoint of the debugger, by words that could have been typed, and what cannot
be one is answered as not verified, with why. A client's list takes the place of the one before, as the protocol says.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from sspicli.adapter.desk import Desk, Wanted
from sspicli.adapter.lines import Stoppable
from sspicli.adapter.messages import Answer, Arguments, Json
from sspicli.debugger.expression import parse
from sspicli.debugger.stops import expression_of, quiet, shown
from sspicli.sspi.errors import SspiCliError, UsageError

FILTERS = {
    "fail": ("Failing calls", "a call that is refused or completes with an error", True),
    "finding": ("Findings", "a misuse rule is broken", True),
    "alert": ("Alerts", "a call is decided by an alert", False),
    "fault": ("Faults", "a fault of the plan happens", False),
    "pending": ("Calls queued", "a call begins to be pending", False),
    "completion": ("Completions", "a call completes", False),
    "callback": ("Callbacks", "a notify callback is entered", False),
    "delivery": ("Deliveries", "a token arrives", False),
}
"""What can be stopped at without a place: label, meaning, and whether it is on when nobody says."""
_HITS = re.compile(r"\s*(?:==|>=)?\s*(\d{1,6})\s*")
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


def set_breakpoints(desk: Desk, arguments: Arguments) -> Answer:
    """Stop at lines of the text."""
    source = arguments.part("source")
    path, reference = source.text("path", ""), source.number("sourceReference", 0)
    is_ours = desk.is_source(path or source.text("name", ""), reference)
    kind = "line" if is_ours else f"line of {path}"
    asked = arguments.parts("breakpoints")
    return _listed(desk, kind, [lambda one=one: _line(desk, one, is_ours=is_ours) for one in asked])  # type: ignore[misc]


def _line(desk: Desk, asked: Arguments, *, is_ours: bool) -> Wanted:
    if not is_ours:
        raise UsageError(f"this session is of {desk.session.text.name}: another file has no part in it")
    line = asked.number("line") + 1 - desk.first_line
    found = desk.session.text.at(line)
    if desk.session.text.is_elsewhere(line):
        raise UsageError("this line is of another case of the file", help="case of the launch says which is run")
    if found is None:
        raise UsageError("nothing that can be stopped at stands here or below", help="a step, a leg, a call, a fault")
    wanted = _wanted(desk, f"break {found.command(_condition(asked))}", asked)
    return wanted._replace(shown=_lines(desk, found))


def _lines(desk: Desk, found: Stoppable) -> Json:
    lines = found.lines
    shown: Json = {"source": desk.source(), "line": desk.line(lines.line), "column": desk.column(lines.column)}
    if lines.end_column:
        shown |= {"endLine": desk.line(lines.end), "endColumn": desk.column(lines.end_column)}
    return shown


def set_function_breakpoints(desk: Desk, arguments: Arguments) -> Answer:
    """Stop at functions, or anything else that `break` knows by a name."""

    def made(asked: Arguments) -> Wanted:
        condition = _condition(asked)
        name = asked.text("name").strip()
        return _wanted(desk, f"break {name} if {condition}" if condition else f"break {name}", asked)

    return _listed(desk, "function", [lambda one=one: made(one) for one in arguments.parts("breakpoints")])  # type: ignore[misc]


def set_exception_breakpoints(desk: Desk, arguments: Arguments) -> Answer:
    """Stop at kinds of trouble."""
    asked = [Arguments({"filterId": one}) for one in arguments.texts("filters")] + arguments.parts("filterOptions")
    return _listed(desk, "filter", [lambda one=one: _filter(desk, one) for one in asked])  # type: ignore[misc]


def _filter(desk: Desk, asked: Arguments) -> Wanted:
    name = asked.text("filterId")
    if name not in FILTERS:
        raise UsageError(f"there is no filter {name[:40]!r}", help=", ".join(FILTERS))
    condition = _condition(asked)
    return _wanted(desk, f"break {name} if {condition}" if condition else f"break {name}", Arguments({}))


def data_breakpoint_info(desk: Desk, arguments: Arguments) -> Answer:
    """Say by which name a variable can be watched; its name is an expression where it is in no group of variables."""
    name = arguments.text("name")
    reference = arguments.number("variablesReference", 0)
    if reference:
        name = next((one.path for one in desk.opened(reference) if one.name == name), "")
    try:
        expression_of(name)
    except SspiCliError as error:
        return Answer({"dataId": None, "description": error.message})
    return Answer({"dataId": name, "description": name, "accessTypes": ["write"], "canPersist": True})


def set_data_breakpoints(desk: Desk, arguments: Arguments) -> Answer:
    """Stop when values change."""

    def made(asked: Arguments) -> Wanted:
        if _condition(asked):
            raise UsageError("a watched value has no condition", help="a condition stands at a line or a function")
        return _wanted(desk, f"watch {asked.text('dataId')}", asked)

    return _listed(desk, "data", [lambda one=one: made(one) for one in arguments.parts("breakpoints")])  # type: ignore[misc]


def breakpoint_locations(desk: Desk, arguments: Arguments) -> Answer:
    """List what can be stopped at between two lines."""
    source = arguments.part("source")
    first = arguments.number("line") + 1 - desk.first_line
    last = arguments.number("endLine", arguments.number("line")) + 1 - desk.first_line
    is_ours = desk.is_source(source.text("path", "") or source.text("name", ""), source.number("sourceReference", 0))
    found = desk.session.text.between(first, last) if is_ours else []
    places = [{key: value for key, value in _lines(desk, one).items() if key != "source"} for one in found]
    return Answer({"breakpoints": places})


# -- what a client asked for, and what became of it --------------------------------------------------------------------
def _condition(asked: Arguments) -> str:
    condition = asked.text("condition", "").strip()
    if condition:
        expression_of(condition)
    return condition


def _wanted(desk: Desk, command: str, asked: Arguments) -> Wanted:
    log = asked.text("logMessage", "")
    for inner in _PLACEHOLDER.findall(log):
        parse(inner)
    return Wanted(0, "", command, _ignored(asked.text("hitCondition", "")), log)


def _ignored(hits: str) -> int:
    """Read how often it is passed before it stops."""
    if not hits.strip():
        return 0
    found = _HITS.fullmatch(hits)
    if found is None or int(found[1]) < 1:
        raise UsageError(f"{hits[:40]!r} is no count of hits", help="3 or >= 3: from the third on")
    return int(found[1]) - 1


def _listed(desk: Desk, kind: str, makers: list[Callable[[], Wanted]]) -> Answer:
    """Let a list of the client's take the place of the one before."""
    for old in [one for one in desk.wanted if one.kind == kind]:
        _remove(desk, old)
    return Answer({"breakpoints": [_added(desk, kind, made) for made in makers]})


def _remove(desk: Desk, old: Wanted) -> None:
    desk.wanted.remove(old)
    desk.bench.stops.pop(desk.numbers.pop(old.id, 0), None)


def _added(desk: Desk, kind: str, make: Callable[[], Wanted]) -> Json:
    number = desk.new_id()
    try:
        wanted = make()._replace(id=number, kind=kind)
        arm(desk, wanted)
    except SspiCliError as error:
        return {
            "id": number,
            "verified": False,
            "message": f"{error.message}{f' ({error.help})' if error.help else ''}",
        }
    desk.wanted.append(wanted)
    return {"id": number, "verified": True, **(wanted.shown or {})}


def arm(desk: Desk, wanted: Wanted) -> None:
    """Set a breakpoint in the session; UsageError where the debugger refuses it."""
    if desk.session.launch.no_debug:
        return
    before = set(desk.bench.stops)
    response = desk.session.debugger.execute(wanted.command)
    if response.error:
        raise UsageError(response.error, help=response.help)
    (number,) = set(desk.bench.stops) - before
    desk.bench.stops[number].ignore = wanted.ignore
    desk.numbers[wanted.id] = number


def logged(desk: Desk, text: str) -> str:
    """Fill a log point's text: what stands in braces is an expression."""

    def value(found: re.Match[str]) -> str:
        try:
            return shown(quiet(expression_of(found[1]), desk.bench.view))
        except UsageError as error:
            return f"{{{error.message}}}"

    return _PLACEHOLDER.sub(value, text)


DO = {
    "setBreakpoints": set_breakpoints,
    "setFunctionBreakpoints": set_function_breakpoints,
    "setExceptionBreakpoints": set_exception_breakpoints,
    "dataBreakpointInfo": data_breakpoint_info,
    "setDataBreakpoints": set_data_breakpoints,
    "breakpointLocations": breakpoint_locations,
}
