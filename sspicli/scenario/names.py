"""Names in programs: what is used must have been made somewhere by the same endpoint, so no step misses its object.

The rule guarded here: a misspelt variable is an error of the file and not a NULL at run time. What a driver does wrong
on purpose has words of its own: `null`, and `foreign` for an async context that never was.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from sspicli.scenario import call_steps, data_steps, order_steps
from sspicli.scenario import steps as st
from sspicli.scenario.problems import Loc
from sspicli.scenario.shapes import FOREIGN, OUTPUT, RECEIVED, Bytes
from sspicli.scenario.step import Step, verb_field
from sspicli.scenario.words import near

THIS = "this"
_MADE_BY_DRIVER = re.compile(r"driver-(ac|cred|ctxt)\d{1,6}")  # what the shipped driver of the endpoint makes

# What each kind of name is called, and how one comes to be.
_KINDS = {
    "async context": "create: makes one",
    "credential": "acquire: makes one",
    "security context": "new-security-context: of accept: or init: makes one",
    "bytes": "receive: and keep: make them; received, output, plaintext and protected are there",
    "signal": "signal: raises one",
    "lock": "lock: takes one",
    "callback data": "data: of set-callback: registers it",
}


class Use(NamedTuple):
    """A name where it stands: what it names, whether it makes it, and its path."""

    kind: str
    name: str
    makes: bool
    path: Loc


def unresolved(steps: Iterable[tuple[Loc, Step]]) -> Iterator[tuple[Loc, str, str]]:
    """List the names that one endpoint's programs use and nothing makes: path, message, help."""
    uses = [use for path, step in steps for use in _uses(step, path)]
    made: dict[str, set[str]] = {kind: set() for kind in _KINDS}
    made["async context"] = {THIS, FOREIGN}
    made["bytes"] = {RECEIVED, OUTPUT, "plaintext", "protected"}
    for use in uses:
        if use.makes:
            made[use.kind].add(use.name)
    for use in uses:
        if use.name not in made[use.kind] and not _MADE_BY_DRIVER.fullmatch(use.name):
            help = near(use.name, made[use.kind]) or _KINDS[use.kind]
            yield use.path, f"nothing here makes the {use.kind} {use.name!r}", help


def _uses(step: Step, path: Loc) -> Iterator[Use]:
    """List the names in one step."""
    here = (*path, step.verb)
    value = getattr(step, verb_field(type(step))[0])
    yield from _async_contexts(step, value, here)
    yield from _handles(step, value, here)
    yield from _bytes(step, value, here)
    match step:
        case order_steps.Signal() | order_steps.Await():
            yield Use("signal", value, isinstance(step, order_steps.Signal), here)
        case order_steps.Lock() | order_steps.Unlock():
            yield Use("lock", value, isinstance(step, order_steps.Lock), here)
        case order_steps.EndData():
            yield Use("callback data", value.name, False, (*here, "name"))
        case st.SetCallback() if not isinstance(value, str) and value.data is not None:
            yield Use("callback data", value.data, True, (*here, "data"))
        case order_steps.Check():
            for name in value.phase:
                yield Use("async context", name, False, (*here, "phase", name))
        case _:
            pass


_NAMED_ALONE = (
    st.SetCallback,
    st.RequiresNotify,
    st.GetStatus,
    st.Reinit,
    st.FreeAsync,
    call_steps.Wait,
    call_steps.Poll,
    data_steps.FreeBuffers,
)


def _async_contexts(step: Step, value: Any, here: Loc) -> Iterator[Use]:
    if isinstance(step, st.Create):
        yield Use("async context", value, True, here)
    elif isinstance(value, str) and isinstance(step, _NAMED_ALONE):
        yield Use("async context", value, False, here)
    for key in ("async_context", "same_input", "same_output"):
        name = getattr(value, key, None)
        if isinstance(name, str):
            yield Use("async context", name, False, (*here, key.replace("_", "-")))


def _handles(step: Step, value: Any, here: Loc) -> Iterator[Use]:
    """List credentials and security contexts; a leg's own phContext is NULL until phNewContext was written."""
    credential = getattr(value, "credential", None)
    if isinstance(credential, str):
        yield Use("credential", credential, isinstance(step, call_steps.Acquire), (*here, "credential"))
    new = getattr(value, "new_security_context", None)
    if isinstance(new, str):
        yield Use("security context", new, True, (*here, "new-security-context"))
    name = getattr(value, "security_context", None)
    if isinstance(name, str):
        yield Use("security context", name, False, (*here, "security-context"))


def _bytes(step: Step, value: Any, here: Loc) -> Iterator[Use]:
    match step:
        case data_steps.Receive():
            name, at = (value, here) if isinstance(value, str) else (value.into, (*here, "into"))
            yield Use("bytes", name, True, at)
        case data_steps.Keep():
            yield Use("bytes", value.name, True, (*here, "name"))
        case data_steps.KeepExtra():
            yield Use("bytes", value, False, here)
        case data_steps.Send():
            yield from _source(value, here)
        case _:
            pass
    yield from _source(getattr(value, "bytes", None), (*here, "bytes"))
    for key in ("input", "output"):
        buffers = getattr(value, key, None)
        for number, one in enumerate(buffers if isinstance(buffers, list) else ()):
            yield from _source(one.bytes, (*here, key, number, "bytes"))


def _source(source: object, path: Loc) -> Iterator[Use]:
    if isinstance(source, str):
        yield Use("bytes", source, False, path)
    elif isinstance(source, Bytes) and source.from_ is not None:
        yield Use("bytes", source.from_, False, (*path, "from"))
