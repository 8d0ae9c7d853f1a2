"""What a client asks to see: threads, stacks, variables, bytes, texts, and what may be typed.

The rule guarded here: asking changes nothing. What a client types in its console is the exception, and the same line as
at the debugger's prompt; where it moves the session the client is told.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable

from sspicli.adapter.desk import TEXT_REFERENCE, Desk
from sspicli.adapter.frames import Frame, frames, side_of, threads
from sspicli.adapter.messages import Answer, Arguments, Json
from sspicli.adapter.moving import leave, stopped
from sspicli.adapter.variables import Item, item_of, scopes
from sspicli.debugger.stops import expression_of
from sspicli.sspi.errors import UsageError
from sspicli.views.text import plain, visible

_MOST_BYTES = 1 << 20


def list_threads(desk: Desk, arguments: Arguments) -> Answer:
    """List the threads."""
    names = threads(desk.bench)
    return Answer({"threads": [{"id": at, "name": name} for at, name in enumerate(names, 1)]})


def stack_trace(desk: Desk, arguments: Arguments) -> Answer:
    """Give the stack of a thread."""
    thread = desk.thread(arguments.number("threadId"))
    every = frames(desk.bench, desk.session.text, thread)
    first, count = arguments.number("startFrame", 0), arguments.number("levels", 0)
    wanted = every[first : first + count] if count > 0 else every[first:]
    return Answer({"stackFrames": [_frame(desk, thread, one) for one in wanted], "totalFrames": len(every)})


def _frame(desk: Desk, thread: str, one: Frame) -> Json:
    shown: Json = {
        "id": desk.frame(thread),
        "name": one.name,
        "source": desk.source(),
        "line": desk.line(one.lines.line),
        "column": desk.column(one.lines.column),
    }
    if one.lines.end_column:
        shown |= {"endLine": desk.line(one.lines.end), "endColumn": desk.column(one.lines.end_column)}
    return shown | ({"presentationHint": one.hint} if one.hint else {})


def list_scopes(desk: Desk, arguments: Arguments) -> Answer:
    """List the groups of variables that are seen from a frame."""
    side = side_of(desk.thread_of_frame(arguments.number("frameId")))
    shown = [
        {"name": one.name, "variablesReference": desk.reference(one.parts), "expensive": False}
        for one in scopes(desk.bench, side)
    ]
    return Answer({"scopes": shown})


def variables(desk: Desk, arguments: Arguments) -> Answer:
    """Open a group of variables."""
    if arguments.text("filter", "named") == "indexed":
        return Answer({"variables": []})
    found = desk.opened(arguments.number("variablesReference"))
    first, count = arguments.number("start", 0), arguments.number("count", 0)
    wanted = found[first : first + count] if count > 0 else found[first:]
    return Answer({"variables": [_variable(desk, one) for one in wanted]})


def _variable(desk: Desk, one: Item) -> Json:
    shown: Json = {"name": one.name, "value": one.value, "variablesReference": desk.reference(one.parts)}
    if one.kind:
        shown["type"] = one.kind
    if one.path:
        shown["evaluateName"] = one.path
    if one.data:
        shown["memoryReference"] = _remembered(desk, one)
    return shown


def _remembered(desk: Desk, one: Item) -> str:
    name = f"{len(desk.memory) + 1}:{one.path or one.name}"
    desk.memory[name] = one.data or b""
    return name


def read_memory(desk: Desk, arguments: Arguments) -> Answer:
    """Give bytes of a variable."""
    name = arguments.text("memoryReference")
    if name not in desk.memory:
        raise UsageError("these bytes were shown at another stop", help="ask for the variables again")
    data = desk.memory[name]
    count, offset = arguments.number("count"), arguments.number("offset", 0)
    first = max(offset, 0)
    found = data[first : first + min(max(count, 0), _MOST_BYTES)] if offset >= 0 else b""
    missing = {"unreadableBytes": count - len(found)} if count > len(found) else {}
    return Answer({"address": f"0x{first:x}", "data": base64.b64encode(found).decode("ascii"), **missing})


def evaluate(desk: Desk, arguments: Arguments) -> Answer:
    """Give the value of an expression; in the console, do a command of the debugger."""
    text = arguments.text("expression")
    if arguments.text("context", "") == "repl":
        return _typed(desk, text)
    expression = expression_of(text)
    one = item_of(text, expression.value(desk.bench.view.value), text)
    shown: Json = {"result": one.value, "variablesReference": 0}
    if one.kind:
        shown["type"] = one.kind
    if one.data:
        shown["memoryReference"] = _remembered(desk, one)
    return Answer(shown)


def _typed(desk: Desk, text: str) -> Answer:
    """Do a command; a stop that it comes to is told as any other."""
    if desk.has_left:
        raise UsageError("the session is over", help="restart begins it again")
    response = desk.session.debugger.execute(text)
    if response.error:
        raise UsageError(response.error, help=response.help)
    stop = response.stop

    def told() -> Iterable[Json]:
        if stop is not None:
            desk.forget()
            yield stopped(desk, "step", stop.reason)
        if response.is_over:
            yield from leave(desk)

    return Answer({"result": "\n".join(plain(one) for one in response.lines), "variablesReference": 0}, told)


def completions(desk: Desk, arguments: Arguments) -> Answer:
    """List what may stand at the cursor of the console."""
    text = arguments.text("text").split("\n")[-1]
    cursor = min(max(arguments.number("column") - desk.first_column, 0), len(text))
    found = desk.session.debugger.complete(text, cursor)
    targets = [
        {
            "label": one.text,
            "detail": visible(one.meaning),
            "start": one.start,
            "length": cursor - one.start,
            "sortText": f"{at:04}",
        }
        for at, one in enumerate(found)
    ]
    return Answer({"targets": targets})


def exception_info(desk: Desk, arguments: Arguments) -> Answer:
    """Say what it was that stopped the session: the failure with its evidence, or the finding."""
    view = desk.bench.view
    failed, findings = view.state.failure, view.findings
    last = view.last
    if findings and last is not None and findings[-1].records and findings[-1].records[-1] == last.sequence:
        one = findings[-1]
        return _exception(one.rule.code, one.rule.title, f"{one.subject}: {one.detail}", one.rule.fix)
    if failed is None:
        raise UsageError("nothing has failed so far")
    evidence = failed.evidence
    detail = evidence.detail if evidence is not None else ""
    field = f"field {evidence.field}" if evidence is not None and evidence.field else ""
    return _exception(failed.status.name, str(failed.handle), detail, field)


def _exception(name: str, subject: str, detail: str, more: str) -> Answer:
    words = "\n".join(visible(one, 1000) for one in (detail, more) if one)
    described = visible(f"{subject}: {detail}" if detail else subject, 1000)
    return Answer({
        "exceptionId": name,
        "description": described,
        "breakMode": "always",
        "details": {"message": described, "typeName": name, "stackTrace": words},
    })  # fmt: skip


def source(desk: Desk, arguments: Arguments) -> Answer:
    """Give the text of a session that has no file."""
    reference = arguments.part("source").number("sourceReference", 0) or arguments.number("sourceReference", 0)
    text = desk.session.text
    if reference != TEXT_REFERENCE or text.path:
        raise UsageError("there is no such text", help="files are read by their path")
    return Answer({"content": text.text, "mimeType": "application/yaml"})


DO = {
    "threads": list_threads,
    "stackTrace": stack_trace,
    "scopes": list_scopes,
    "variables": variables,
    "readMemory": read_memory,
    "evaluate": evaluate,
    "completions": completions,
    "exceptionInfo": exception_info,
    "source": source,
}
