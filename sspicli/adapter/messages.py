"""Requests as they come, and what is answered: the protocol's shapes, checked where somebody else made them.

The rule guarded here: a request that is not what the protocol says is one sentence with the name of what is wrong; the
connection lives on. Members that we do not know are left alone, as the protocol asks.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from sspicli.sspi.errors import InputError, UsageError

Json = dict[str, object]


class Arguments:
    """What a request carries: members by name, each of the kind that is asked for."""

    def __init__(self, members: Mapping[str, object], where: str = "") -> None:
        self.members = members
        self._where = where

    def text(self, name: str, usual: str | None = None) -> str:
        """Give a text."""
        value = self._of(name, usual, str, "a text")
        assert isinstance(value, str), "it was looked at"
        return value

    def number(self, name: str, usual: int | None = None) -> int:
        """Give a whole number."""
        value = self._of(name, usual, int, "a whole number")
        if isinstance(value, bool):
            raise self._wrong(name, "a whole number")
        assert isinstance(value, int), "it was looked at"
        return value

    def flag(self, name: str) -> bool:
        """Give true or false; false where it is left out."""
        value = self._of(name, False, bool, "true or false")
        return value is True

    def part(self, name: str) -> Arguments:
        """Give an object; an empty one where it is left out."""
        value = self._of(name, {}, dict, "an object")
        assert isinstance(value, dict), "it was looked at"
        return Arguments(value, self._name(name))

    def parts(self, name: str) -> list[Arguments]:
        """Give a list of objects; an empty one where it is left out."""
        return [Arguments(one, self._name(name)) for one in self._items(name, dict, "a list of objects")]

    def texts(self, name: str) -> list[str]:
        """Give a list of texts; an empty one where it is left out."""
        return [str(one) for one in self._items(name, str, "a list of texts")]

    def _items(self, name: str, kind: type, what: str) -> list[dict[str, object]]:
        items = self._of(name, [], list, what)
        assert isinstance(items, list), "it was looked at"
        if not all(isinstance(one, kind) for one in items):
            raise self._wrong(name, what)
        return items

    def _of(self, name: str, usual: object, kind: type, what: str) -> object:
        value = self.members.get(name)
        value = usual if value is None else value
        if not isinstance(value, kind):
            raise self._wrong(name, what)
        return value

    def _name(self, name: str) -> str:
        return f"{self._where}.{name}" if self._where else name

    def _wrong(self, name: str, what: str) -> UsageError:
        said = "is missing" if self.members.get(name) is None else f"must be {what}"
        return UsageError(f"{self._name(name)} {said}", help=f"{name} is {what}")


class Request(NamedTuple):
    """What the client asks: `seq` is the number that the response names."""

    seq: int
    command: str
    arguments: Arguments


class Answer(NamedTuple):
    """What a request is answered with, and what is done when the response is sent; it makes events."""

    body: Json | None = None
    then: Callable[[], Iterable[Json]] | None = None


def read_request(body: bytes) -> Request | None:
    """Read a request; None for a response, which asks nothing. InputError for what is no message of the protocol."""
    try:
        message = json.loads(body)
    except (ValueError, RecursionError):
        raise InputError("a message is no JSON") from None
    if not isinstance(message, dict) or not isinstance(message.get("type"), str):
        raise InputError("a message is no object with a type")
    if message["type"] != "request":
        return None
    seq, command, arguments = message.get("seq"), message.get("command"), message.get("arguments")
    if not isinstance(seq, int) or isinstance(seq, bool) or not isinstance(command, str):
        raise InputError("a request has no seq or no command")
    return Request(seq, command, Arguments(arguments if isinstance(arguments, dict) else {}))


def response(request: Request, body: Json | None) -> Json:
    """Answer a request with what was asked for."""
    said = {} if body is None else {"body": body}
    return {"type": "response", "request_seq": request.seq, "success": True, "command": request.command, **said}


def refusal(request: Request, message: str, help: str) -> Json:
    """Answer a request with why it cannot be done."""
    text = f"{message} ({help})" if help else message
    error = {"id": 1, "format": "{text}", "variables": {"text": text}, "showUser": True}
    return {
        "type": "response",
        "request_seq": request.seq,
        "success": False,
        "command": request.command,
        "message": message,
        "body": {"error": error},
    }


def event(name: str, /, **body: object) -> Json:
    """Make an event."""
    return {"type": "event", "event": name, **({"body": body} if body else {})}


def output(text: str, category: str = "console", **more: object) -> Json:
    """Make the event that writes to the client's console."""
    return event("output", category=category, output=text if text.endswith("\n") else f"{text}\n", **more)
