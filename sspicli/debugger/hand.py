"""Calls made by hand: a program of an endpoint that waits for its user, and the words a user types.

The rule guarded here: what is typed is a step of a scenario, by the one declaration of steps (`scenario/steps.py`), and
it is performed by the same code. So everything a scenario can do can be typed, and what was typed can be kept.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sspicli.debugger.beginning import FILE, SIDES, Beginning, flow
from sspicli.scenario import steps as st
from sspicli.scenario.load import loads
from sspicli.scenario.memory import Memory, Scope
from sspicli.scenario.program import take
from sspicli.scenario.source import ScenarioError
from sspicli.scenario.step import Step, verb_field
from sspicli.scenario.words import Part, kebab, near
from sspicli.session.actions import Driver, Signal, Wait
from sspicli.sspi.errors import UsageError

THREAD = "user"  # a user's steps beside an endpoint's own program are those of client.user


class Typed(NamedTuple):
    """A step as it was typed: whose, the step itself, and its text in YAML."""

    side: str
    step: Step
    yaml: str


class Hand:
    """The user's own program of one endpoint: it performs what is typed, in its order, and waits for more.

    With no `thread` the endpoint has no other program. `is_idle` says that all that was typed is done.
    """

    def __init__(self, memory: Memory, *, thread: str = "") -> None:
        self.name = f"{memory.side}.{thread}" if thread else memory.side
        self.signal = Signal("the user")
        self.typed: list[Typed] = []
        self.is_idle = False
        self.is_over = False
        self._scope = Scope(memory)
        self._waiting: deque[Step] = deque()

    def give(self, typed: Typed) -> None:
        """Take a step to be performed when those before it are done."""
        self.typed.append(typed)
        self._waiting.append(typed.step)

    def driver(self) -> Driver:
        """Perform what is typed until the session ends."""
        number = 0
        while not self.is_over:
            while self._waiting:
                self.is_idle = False
                number += 1
                yield from take(self._waiting.popleft(), self._scope, f"{self.name}.{number}")
            self.is_idle = True
            yield Wait(self.signal)


def hand_name(beginning: Beginning, side: str) -> str:
    """Say what the program of a side's hand is called, whether it has begun or not."""
    case = beginning.case
    assert case is not None, "a session has a case"
    return side if side in beginning.by_hand else f"{side}.{_thread_of(side, case.scenario.programs)}"


def _thread_of(side: str, programs: Iterable[str]) -> str:
    """Name the thread of a user's steps: `user`, or the first of user2, user3 ... that no program has."""
    names = (THREAD, *(f"{THREAD}{number}" for number in range(2, 1000)))
    return next(one for one in names if f"{side}.{one}" not in set(programs))


# -- words to a step ---------------------------------------------------------------------------------------------------
HIDDEN = frozenset({"check", "note"})  # what only a file has use for
BY_HAND = tuple(verb for verb in st.VERBS if verb not in HIDDEN)
"""The verbs of steps that can be typed."""
CLIENT_ONLY, SERVER_ONLY = "init", "accept"
_OF_CALLS = frozenset({"hold", "release", "complete"})
_USUAL = {
    "create": "ac", "set-callback": "ac", "requires-notify": "ac", "get-status": "ac", "reinit": "ac", "wait": "ac",
    "free-async-context": "ac", "poll": "ac", "free-buffers": "ac", "receive": "received", "keep-extra": "received",
    "close": "wire", "send": "output",
}  # fmt: skip
_MADE = re.compile(r"(client|server)\.(ac|cred|ctxt)(\d{1,6})")  # a handle, as it is shown
_PLAIN = re.compile(r"-?[0-9]+|0x[0-9a-fA-F]+|true|false|null|[A-Za-z_][A-Za-z0-9_.#*-]*")


def step_of(verb: str, words: Sequence[str]) -> Typed:
    """Read a step from its verb and its words; UsageError says what it would be."""
    words = list(words)
    side = _side(verb, words)
    text = _yaml(verb, words, side)
    return Typed(side, _read(side, text, verb), text)


def _side(verb: str, words: list[str]) -> str:
    """Take the side off the words, or know it by the verb."""
    if verb in _OF_CALLS:
        if not words:
            raise UsageError(f"{verb} what?", help=f"{verb} server, or {verb} server.accept#2")
        if words[0] in SIDES:
            words[0] = f"{words[0]}.*"
        return words[0].partition(".")[0] if words[0].partition(".")[0] in SIDES else "client"
    if words and words[0] in SIDES:
        return words.pop(0)
    made = _MADE.fullmatch(words[0].rpartition("=")[2]) if words else None
    if made is not None:
        return made[1]
    if verb in (CLIENT_ONLY, SERVER_ONLY):
        return "client" if verb == CLIENT_ONLY else "server"
    raise UsageError(f"{verb}: whose is it?", help=f"{verb} client ..., or {verb} server ...")


def _read(side: str, yaml: str, verb: str) -> Step:
    """Let the one declaration judge a step."""
    text = f"schema: sspi-async/scenario/1\nname: typed\nprograms:\n  {side}:\n    - {yaml}\n"
    try:
        return loads(text, FILE, is_whole=False).cases[0].scenario.programs[side][0]
    except ScenarioError as error:
        first = error.problems[0]
        raise UsageError(f"{verb}: {first.message}", help=first.help or usage(verb)) from None


def usage(verb: str) -> str:
    """Say how a step is typed."""
    step = st.VERBS[verb]
    side = "" if verb in (*_OF_CALLS, CLIENT_ONLY, SERVER_ONLY) else " SIDE"
    keys = [f"[{key}=...]" for key in keys_of(step)]
    return f"{verb}{side} {' '.join(keys) if keys else '[' + verb_field(step)[0].rstrip('_').upper() + ']'}"


def arguments_of(step: type[Step]) -> type[Part] | None:
    """Give the class of a step's arguments; None where it has one plain value."""
    kind = verb_field(step)[1].annotation
    kinds = [kind, *getattr(kind, "__args__", ())]
    return next((one for one in kinds if isinstance(one, type) and issubclass(one, Part)), None)


def keys_of(step: type[Step]) -> list[str]:
    """List the keys that a step's arguments can have."""
    arguments = arguments_of(step)
    return [] if arguments is None else [kebab(name) for name in arguments.model_fields]


def _yaml(verb: str, words: Sequence[str], side: str) -> str:
    """Write the words of a step as a scenario has it."""
    step = st.VERBS[verb]
    keys = keys_of(step)
    given = [word for word in words if not _key_of(word)]
    named = {_key_of(word): word.partition("=")[2] for word in words if _key_of(word)}
    for key in named:
        if key not in keys:
            raise UsageError(f"{verb} has no {key}", help=near(key, keys) or usage(verb))
    takes_name = _takes_name(step)
    if not keys or (takes_name and not named):
        if len(given) > 1:
            raise UsageError(f"{verb} takes one word, not {len(given)}", help=usage(verb))
        if not given and verb not in _USUAL:
            raise UsageError(f"{verb} what?", help=usage(verb))
        return f"{{{verb}: {_value(given[0] if given else _USUAL[verb])}}}"
    if len(given) > len(keys):
        raise UsageError(f"{verb} takes no more than {len(keys)} words", help=usage(verb))
    named = {**dict(zip(keys, given, strict=False)), **named}
    lists = _lists_of(step)
    inner = ", ".join(f"{key}: {_member(key, _as_list(value, key in lists), side)}" for key, value in named.items())
    return f"{{{verb}: {{{inner}}}}}"


def _lists_of(step: type[Step]) -> set[str]:
    """List the arguments that want a list: one word alone is a list of it."""
    arguments = arguments_of(step)
    fields = {} if arguments is None else arguments.model_fields
    return {kebab(name) for name, one in fields.items() if "list[" in str(one.annotation) and name != "do"}


def _as_list(value: str, is_list: bool) -> str:
    is_whole = not is_list or value in ("default", "null") or value.startswith("[") or "," in value
    return value if is_whole else f"[{value}]"


def _takes_name(step: type[Step]) -> bool:
    kind = verb_field(step)[1].annotation
    return any(not (isinstance(one, type) and issubclass(one, Part)) for one in getattr(kind, "__args__", ()))


def _key_of(word: str) -> str:
    found = re.match(r"([a-z][a-z0-9-]*)=", word)
    return found[1] if found else ""


def _member(key: str, value: str, side: str) -> str:
    """Write an argument: a callback's body is commands, everything else a value."""
    if key != "do" or value == "null":
        return _value(value)
    commands = [one.strip() for one in _unquoted(value).split(";") if one.strip()]
    return f"[{', '.join(_command(one, side) for one in commands)}]"


def _command(text: str, side: str) -> str:
    """Write one command of a callback's body."""
    verb, *words = split_words(text)
    if verb not in BY_HAND:
        raise UsageError(f"{verb!r} is nothing that a callback does", help=near(verb, BY_HAND) or ", ".join(BY_HAND))
    if words and words[0] in SIDES and verb not in _OF_CALLS:
        words.pop(0)
    return _yaml(verb, words, side)


def _value(text: str) -> str:
    """Write a value: a list in [], a mapping in {}, a handle by its name, plain words as they are, else in quotes."""
    made = _MADE.fullmatch(text)
    if made is not None:
        return f"driver-{made[2]}{made[3]}"
    if len(text) > 1 and text[0] == text[-1] == '"':
        return flow(_unquoted(text))
    if text.startswith("[") and text.endswith("]"):
        return f"[{', '.join(_value(one) for one in _items(text[1:-1]))}]"
    if text.startswith("{") and text.endswith("}"):
        pairs = [one.partition("=") for one in _items(text[1:-1])]
        return f"{{{', '.join(f'{flow(key.strip())}: {_value(value.strip())}' for key, _, value in pairs)}}}"
    if "," in text:
        return f"[{', '.join(_value(one) for one in _items(text))}]"
    return text if _PLAIN.fullmatch(text) else flow(text)


def _unquoted(text: str) -> str:
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'" else text


def _items(text: str) -> list[str]:
    """Cut at the commas and blanks that stand in no brackets and no quotes."""
    items, depth, quote, current = [], 0, "", ""
    for one in text:
        if quote:
            quote = "" if one == quote else quote
        elif one in "\"'":
            quote = one
        depth += (one in "[{") - (one in "]}") if not quote else 0
        if one in ", " and not depth and not quote:
            items.append(current)
            current = ""
        else:
            current += one
    return [one for one in (*items, current) if one]


def split_words(text: str) -> list[str]:
    """Cut a command at the blanks that stand in no brackets and no quotes; the quotes stay."""
    return [one for one in re.findall(r"""(?:"[^"]*"|'[^']*'|\{[^}]*\}|\[[^\]]*\]|\S)+""", text) if one]
