"""What may stand at the cursor: verbs, and for each argument what there is of its kind, with a meaning beside it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import NamedTuple

from sspicli.analysis.rule_table import RULES
from sspicli.debugger.bench import PANES as PANE_NAMES
from sspicli.debugger.bench import Bench
from sspicli.debugger.hand import BY_HAND, keys_of
from sspicli.debugger.informing import ABOUT
from sspicli.debugger.panes import SIDES
from sspicli.debugger.stops import FUNCTION_WORDS, KINDS, MESSAGE_NAMES
from sspicli.debugger.verbs import VERBS, Argument, Verb, find
from sspicli.debugger.view import EVENT_NAMES, LEG_NAMES, RUN_NAMES, SIDE_NAMES
from sspicli.runtime.call_names import QUEUEING_WORDS
from sspicli.scenario import steps as st
from sspicli.sspi.alerts import ALERTS
from sspicli.sspi.errors import UsageError
from sspicli.sspi.functions import Function
from sspicli.sspi.status_facts import STATUS_FACTS
from sspicli.tokens.tree import walk

MOST = 200
_SENTENCES = {verb.name: verb.sentence for verb in VERBS}
_WORD = re.compile(r"[^\s]*$")


class Candidate(NamedTuple):
    """A word that may stand from `start` on, and what it means."""

    text: str
    start: int
    meaning: str


Words = Iterable[tuple[str, str]]


def candidates(bench: Bench, text: str) -> list[Candidate]:
    """List what may stand at the end of a text: what begins with the word there first, then what has its letters."""
    found = _WORD.search(text)
    assert found is not None, "the pattern matches nothing too"
    word, start = found[0], found.start()
    offered = dict(_offered(bench, text[:start], word))
    return [
        Candidate(one, start, meaning)
        for rank in (0, 1)
        for one, meaning in offered.items()
        if _rank(word, one) == rank
    ][:MOST]


def _rank(word: str, offered: str) -> int:
    """Say how well a word fits: 0 as a beginning, 1 by its letters in order, 2 not."""
    small, large = word.lower(), offered.lower()
    if large.startswith(small):
        return 0
    letters = iter(large)
    return 1 if len(small) > 1 and all(letter in letters for letter in small) else 2


def _offered(bench: Bench, before: str, word: str) -> Words:
    words = before.split()
    if not words:
        yield from ((verb.name, verb.sentence) for verb in VERBS)
        yield from ((alias, verb.sentence) for verb in VERBS for alias in verb.aliases)
        yield from bench.aliases.items()
        return
    try:
        verb = find("x" if words[0].startswith("x/") else words[0])
    except UsageError:
        return
    if not verb.arguments:
        return
    if "if" in words[1:]:
        yield from _expressions(bench, word)
        return
    argument = verb.arguments[min(len(words) - 1, len(verb.arguments) - 1)]
    yield from _of_kind(bench, verb, argument, word)


def _of_kind(bench: Bench, verb: Verb, argument: Argument, word: str) -> Words:
    tell = _KINDS.get(argument.kind)
    if argument.kind == "key=value":
        yield from ((f"{key}=", "") for key in keys_of(st.VERBS[verb.name])) if verb.name in BY_HAND else ()
        yield from ((side, "a side") for side in SIDES if verb.arguments[0].kind != "side")
    elif tell is not None:
        yield from tell(bench, word)


def _legs(bench: Bench, word: str) -> Words:
    for leg in bench.view.state.legs:
        yield f"leg{leg.number}", f"{len(leg.data)} B from the {leg.sender}"
    yield f"leg{len(bench.view.state.legs) + 1}", "the next one"


def _fields(bench: Bench, word: str) -> Words:
    """List the fields of the leg that a word begins with, by whole paths."""
    found = re.match(r"leg(\d{1,6})\.", word)
    opened = bench.view.opened_leg(int(found[1])) if found else None
    if found is None or opened is None:
        return
    yield from ((f"{found[0]}{name}", meaning) for name, meaning in LEG_NAMES.items())
    for part in opened.parts:
        for path, node in walk(part.tree):
            yield f"{found[0]}{path}", node.meaning[:60]


def _expressions(bench: Bench, word: str) -> Words:
    yield from RUN_NAMES.items()
    yield from EVENT_NAMES.items()
    for side in SIDES:
        yield from ((f"{side}.{name}", meaning) for name, meaning in SIDE_NAMES.items())
        yield from _calls_of(bench, side)
    yield from _legs(bench, word)
    yield from _fields(bench, word)
    if word.startswith(("SEC_", "sec_")):
        yield from _statuses(bench, word)


def _calls_of(bench: Bench, side: str) -> Words:
    counts: dict[str, int] = {}
    words = {function: name for name, function in reversed(QUEUEING_WORDS.items())}
    for call in bench.view.state.every_call():
        if call.endpoint == side:
            name = words[call.function]
            counts[name] = counts.get(name, 0) + 1
            yield f"{side}.{name}#{counts[name]}", call.status.name


def _statuses(bench: Bench, word: str) -> Words:
    return ((status.name, facts.meaning) for status, facts in STATUS_FACTS.items())


def _stops(bench: Bench, word: str) -> Words:
    yield from ((name, _function(name)) for name in FUNCTION_WORDS)
    yield from ((name, "what happens") for name in KINDS)
    yield "before", "a call that is about to be made"
    yield from ((f"{side}.{name}", f"{_function(name)} of the {side}") for side in SIDES for name in QUEUEING_WORDS)
    yield from ((name, "a message") for name in MESSAGE_NAMES)
    yield from ((str(number), one.described()) for number, one in bench.stops.items())
    yield from _statuses(bench, word)


def _function(word: str) -> str:
    """Say which function a word stands for."""
    known = QUEUEING_WORDS.get(word)
    return known.documented_name if known is not None else _SENTENCES.get(word, "a function")


def _calls(bench: Bench, word: str) -> Words:
    yield from ((f"{side}.{name}", f"calls of the {side}") for side in SIDES for name in (*QUEUEING_WORDS, "*"))
    for side in SIDES:
        yield from _calls_of(bench, side)
    yield from ((side, "all of its calls") for side in SIDES)


def _codes(bench: Bench, word: str) -> Words:
    yield from _statuses(bench, word)
    yield from ((code, rule.title) for code, rule in RULES.items())
    yield from ((alert.name, "a TLS alert") for alert in ALERTS.values())


def _places(bench: Bench, word: str) -> Words:
    yield from (("start", "the first record"), ("end", "the last record"))
    yield from ((name, f"record {place.records}") for name, place in bench.checkpoints.items())


_KINDS: dict[str, Callable[[Bench, str], Words]] = {
    "side": lambda bench, word: ((side, "a side") for side in SIDES),
    "verb": lambda bench, word: ((verb.name, verb.sentence) for verb in VERBS),
    "topic": lambda bench, word: ABOUT.items(),
    "expression": _expressions,
    "breakpoint": _stops,
    "leg": lambda bench, word: (*_legs(bench, word), *((f"{name}:leg1", "a branch's") for name in bench.branches)),
    "field": lambda bench, word: _fields(bench, word),
    "bytes": lambda bench, word: (*_legs(bench, word), *_fields(bench, word)),
    "call": _calls,
    "status": _statuses,
    "code": _codes,
    "record": _places,
    "checkpoint": lambda bench, word: ((name, f"record {one.records}") for name, one in bench.checkpoints.items()),
    "branch": lambda bench, word: ((name, one.note) for name, one in bench.branches.items()),
    "function": lambda bench, word: ((one.documented_name, one.summary) for one in Function),
    "setting": lambda bench, word: (
        ("panes", ", ".join(PANE_NAMES)),
        ("verbosity", "0 to 2"),
        ("limit", "transitions"),
    ),
}
