"""What a user means by ac, ac1 or nothing at all, where the shipped driver made the handles: those that are shown.

The rule guarded here: a name that a user's own steps gave, or a scenario's program, is that variable. Only where there
is none does `reinit server` mean the async context in use, and `ac1` the handle that is shown as server.ac1.
"""

from __future__ import annotations

from collections.abc import Sequence

from sspicli.debugger.beginning import SIDES
from sspicli.debugger.bench import Bench
from sspicli.debugger.hand import Typed
from sspicli.scenario import call_steps
from sspicli.scenario import steps as st

_OF_ASYNC_CONTEXT = frozenset({"reinit", "get-status", "requires-notify", "set-callback", "free-async-context", "poll"})
_NEEDS = {"delete": ("async-context", "security-context"), "free-credential": ("async-context", "credential")}
_KINDS = {"async-context": "ac", "security-context": "ctxt", "credential": "cred"}


def as_meant(bench: Bench, verb: str, words: Sequence[str]) -> list[str]:
    """Write the handles that are shown for what a user leaves out, or names without its side."""
    words = list(words)
    if not words or words[0] not in SIDES or (verb not in _OF_ASYNC_CONTEXT and verb not in _NEEDS):
        return words
    side, rest = words[0], words[1:]
    own = _own_names(bench, side)
    shown = {} if own is None else {name: one for name, one in _shown(bench, side).items() if name not in own}
    rest = [_meant(word, shown) for word in rest]
    if verb in _OF_ASYNC_CONTEXT and "ac" in shown:
        if not rest:
            rest = [shown["ac"]]
        elif all("=" in word for word in rest) and not _has(rest, "async-context"):
            rest.append(f"async-context={shown['ac']}")
    for key in _NEEDS.get(verb, ()):
        if _KINDS[key] in shown and not _has(rest, key) and all("=" in word for word in rest):
            rest.append(f"{key}={shown[_KINDS[key]]}")
    return [side, *rest]


def _meant(word: str, shown: dict[str, str]) -> str:
    key, sign, value = word.rpartition("=")
    return f"{key}{sign}{shown.get(value, value)}"


def _has(words: Sequence[str], key: str) -> bool:
    return any(word.startswith(f"{key}=") for word in words)


def _shown(bench: Bench, side: str) -> dict[str, str]:
    """Name what a side has: by kind what is in use, by kind and number each of its handles."""
    state = bench.view.state.sides[side]
    used = [state.shown.handle] if state.shown is not None else []
    used += [one for one in (state.credential, state.security_context) if one is not None]
    every = [*state.async_contexts, *used]
    return {one.kind: str(one) for one in used} | {f"{one.kind}{one.number}": str(one) for one in every}


def _own_names(bench: Bench, side: str) -> set[str] | None:
    """List the names that a user's steps gave; None where a program gives names of its own."""
    case = None if bench.live is None else bench.live.beginning.case
    if case is not None and any(name.partition(".")[0] == side for name in case.scenario.programs):
        return None
    steps = [one.step for one in bench.branch.inputs[: bench.place.inputs] if isinstance(one, Typed)]
    names: set[str] = set()
    for step in steps:
        match step:
            case st.Create():
                names.add(step.create)
            case call_steps.Acquire():
                names.add(step.acquire.credential)
            case call_steps.Initialize():
                names.add(str(step.init.new_security_context))
            case call_steps.Accept():
                names.add(str(step.accept.new_security_context))
            case _:
                pass
    return names
