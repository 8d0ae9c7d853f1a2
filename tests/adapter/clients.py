"""A scripted client of the debug adapter: it asks, and keeps what it is told; every message is held to the schema.

The schema is the protocol's own, as a debug adapter that many editors use carries it.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files

from jsonschema import Draft4Validator

from sspicli.adapter.adapter import Adapter
from sspicli.adapter.framing import framed
from sspicli.adapter.messages import Arguments, Request

_WHERE = "_vendored/pydevd/_pydevd_bundle/_debug_adapter/debugProtocol.json"
_NAMES = {"goto": "Goto", "launch": "Launch"}


@cache
def _definitions():
    return json.loads(files("debugpy").joinpath(_WHERE).read_text(encoding="utf-8"))


@cache
def _validator(name):
    schema = _definitions()
    return Draft4Validator({"$ref": f"#/definitions/{name}", "definitions": schema["definitions"]})


def is_known(name):
    """Say whether the protocol has a definition of that name."""
    return name in _definitions()["definitions"]


def held_to_the_protocol(message):
    """Give a message that is as the protocol has it; a failure says where it is not."""
    framed(message)
    kind = message["type"]
    word = message["event" if kind == "event" else "command"]
    name = f"{word[0].upper()}{word[1:]}{kind.capitalize()}"
    if kind == "response" and not message["success"]:
        name = "ErrorResponse"
    assert is_known(name), name
    problems = [
        f"{'.'.join(map(str, one.absolute_path))}: {one.message}" for one in _validator(name).iter_errors(message)
    ]
    assert not problems, (message, problems)
    return message


class RefusedError(Exception):
    """A request that was refused, with its message."""


class Client:
    """A client in this process."""

    def __init__(self):
        self.adapter = Adapter()
        self.events = []
        self._seq = 0
        self._last = 0

    def ask(self, command, **arguments):
        """Ask, keep the events, and give the response's body."""
        self._seq += 1
        messages = list(self.adapter.handle(Request(self._seq, command, Arguments(arguments))))
        for one in messages:
            assert one["seq"] == self._last + 1, "messages are numbered in the order in which they are sent"
            self._last = one["seq"]
            held_to_the_protocol(one)
        answer, *events = messages
        assert answer["type"] == "response"
        assert answer["request_seq"] == self._seq
        assert all(one["type"] == "event" for one in events)
        self.events += events
        if not answer["success"]:
            raise RefusedError(answer["message"])
        return answer.get("body") or {}

    def launched(self, **arguments):
        """Begin a session, and give itself; nothing runs until the configuration is done."""
        self.ask("initialize", adapterID="sspi-async", linesStartAt1=True, columnsStartAt1=True, pathFormat="path")
        self.ask("launch", **arguments)
        assert self.events[-1]["event"] == "initialized"
        return self

    def started(self):
        """Say that the configuration is done, and give where it came to."""
        self.ask("configurationDone")
        return self.stop()

    def move(self, command, thread=1, **arguments):
        """Let the session move, and give where it came to."""
        self.ask(command, threadId=thread, **arguments)
        return self.stop()

    def stop(self):
        """Give the last stop, or None when the session is over."""
        found = [one for one in self.events if one["event"] in ("stopped", "terminated")]
        return found[-1].get("body") if found and found[-1]["event"] == "stopped" else None

    def console(self):
        """Give what was written to the console."""
        return "".join(one["body"]["output"] for one in self.events if one["event"] == "output")

    def break_at(self, path, *lines, **more):
        """Set breakpoints on lines, and give what came of them."""
        asked = [{"line": line, **more} for line in lines]
        return self.ask("setBreakpoints", source={"path": str(path)}, breakpoints=asked)["breakpoints"]

    def threads(self):
        """Give the numbers of the threads by their names."""
        return {one["name"]: one["id"] for one in self.ask("threads")["threads"]}

    def stack(self, thread):
        """Give the frames of a thread."""
        return self.ask("stackTrace", threadId=self.threads()[thread])["stackFrames"]

    def scope(self, thread, name):
        """Open a group of variables of a thread's first frame, by name."""
        found = self.ask("scopes", frameId=self.stack(thread)[0]["id"])["scopes"]
        reference = next(one["variablesReference"] for one in found if one["name"] == name)
        return self.open(reference)

    def open(self, reference):
        """Open variables by their number."""
        return {one["name"]: one for one in self.ask("variables", variablesReference=reference)["variables"]}

    def exit_code(self):
        """Give what the session ended with."""
        return next(one["body"]["exitCode"] for one in self.events if one["event"] == "exited")
