"""From what is wrong with a value to where it stands in the file, in a sentence, with what to write instead."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic_core import ErrorDetails

from sspicli.analysis.cases import Problem
from sspicli.scenario import yaml
from sspicli.scenario.steps import VERBS
from sspicli.scenario.words import Part, near

Loc = tuple[int | str, ...]

_SENTENCES = {
    "missing": "{key!r} is missing",
    "string_type": "a text is wanted here",
    "int_type": "a whole number is wanted here",
    "float_type": "a number is wanted here",
    "float_parsing": "a number is wanted here",
    "bool_type": "true or false is wanted here",
    "list_type": "a list is wanted here",
    "dict_type": "a mapping is wanted here",
    "model_type": "a mapping is wanted here",
    "model_attributes_type": "a mapping is wanted here",
    "literal_error": "{value} is none of {expected}",
    "greater_than_equal": "{value} is too small: it begins at {ge}",
    "less_than_equal": "{value} is too large: it ends at {le}",
    "greater_than": "{value} is too small: it is to be above {gt}",
    "string_pattern_mismatch": "{value} is not written as {pattern}",
    "string_too_long": "the text has more than {max_length} characters",
    "string_too_short": "the text is empty",
    "too_long": "there are more than {max_length} here",
    "too_short": "there are fewer than {min_length} here",
}
_WRITTEN = {
    r"^(client|server)(\.[a-z][a-z0-9-]{0,31})?$": "a program is called client, server, client.NAME or server.NAME",
    r"^[A-DP]\d{3}$": "the code of a rule, such as A001, is wanted here",
    r"^[A-Za-z0-9][\w.-]{0,63}$": "a tag is a word of letters, digits, _ . and -",
    r"^[^\x00-\x1f\x7f]*$": "no control characters stand in a name",
}
"""What is wanted where a pattern is not met, in words."""
KEY = "[key]"  # what the path of an error ends with that is about a key
_OF_KEYS = frozenset({"missing", "extra_forbidden"})
_TYPES = frozenset(
    {"string_type", "list_type", "dict_type", "model_type", "literal_error", "string_pattern_mismatch", "none_required"}
)


def problems(
    errors: Iterable[ErrorDetails], root: yaml.Node, source: yaml.Source, kinds: Mapping[int, type[Part]], data: object
) -> list[Problem]:
    """Say each error once, in the file's order; of a choice that fits nowhere, what came nearest."""
    found = [(loc_of(error["loc"], data, names_key=error["type"] in _OF_KEYS), error) for error in errors]
    kept = [(loc, error) for loc, error in found if not _is_shadowed(loc, error, found)]
    kept.sort(key=lambda one: one[1]["type"] in _TYPES and one[1]["type"] != "literal_error")
    said: dict[tuple[int, int], Problem] = {}
    for loc, error in kept:
        problem = _problem(loc, error, root, source, kinds, data)
        said.setdefault(problem.place[1:3], problem)
    return list(said.values())


def loc_of(loc: Loc, data: object, *, names_key: bool) -> Loc:
    """Leave out of an error's path what names a branch of a choice and no key; the last may be a key not there."""
    path: list[int | str] = []
    for at, step in enumerate(loc):
        is_missing = names_key and at == len(loc) - 1
        if at and isinstance(loc[at - 1], int) and _is_told_apart(path):
            continue  # the verb by which a step was told apart
        is_element = isinstance(step, int) and isinstance(data, list) and step < len(data)
        if is_element or (isinstance(data, Mapping) and step in data):
            data = data[step]  # type: ignore[index]  # one or the other
        elif not (is_missing and isinstance(data, Mapping)):
            continue  # a branch of a choice
        path.append(step)
    return tuple(path)


def _is_told_apart(path: list[int | str]) -> bool:
    """Say whether a path leads to an element of a list whose elements are told apart by their keys."""
    is_check = len(path) == 2 and path[0] == "steps"
    return is_check or (len(path) == 3 and path[0] == "programs") or path[-2:-1] == ["do"]


def _is_shadowed(loc: Loc, error: ErrorDetails, others: list[tuple[Loc, ErrorDetails]]) -> bool:
    """Say whether another branch of the same choice came further, so that this one was not meant."""
    return error["type"] in _TYPES and any(len(other) > len(loc) and other[: len(loc)] == loc for other, _ in others)


def _problem(
    loc: Loc, error: ErrorDetails, root: yaml.Node, source: yaml.Source, kinds: Mapping[int, type[Part]], data: object
) -> Problem:
    kind, context = error["type"], error.get("ctx", {})
    if kind == "extra_forbidden":
        return _unknown_key(loc, root, source, kinds, data)
    is_of_key = KEY in error["loc"] and bool(loc)
    place = source.place(key_span(root, loc) if is_of_key else span_at(root, loc))
    if kind in ("no_step", "no_check"):
        return Problem(place, *_no_choice(error, is_step=kind == "no_step"))
    if kind == "scenario":
        return Problem(place, context["message"], context["help"])
    value = _shown(error.get("input"))
    words = {"value": value, "key": str(loc[-1]) if loc else "", **context}
    sentence = _SENTENCES.get(kind)
    if kind == "string_pattern_mismatch" and context.get("pattern") in _WRITTEN:
        return Problem(place, f"{value} is not written as it should be", _WRITTEN[context["pattern"]])
    message = sentence.format(**words) if sentence else error["msg"]
    known = re.findall(r"'([^']+)'", str(context.get("expected", "")))
    return Problem(place, message, near(str(error.get("input")), known) if known else "")


def _unknown_key(
    loc: Loc, root: yaml.Node, source: yaml.Source, kinds: Mapping[int, type[Part]], data: object
) -> Problem:
    for step in loc[:-1]:
        data = data[step]  # type: ignore[index]  # an error's path leads through the data
    known = kinds[id(data)].keys() if id(data) in kinds else []
    key = str(loc[-1])
    help = near(key, known) or (f"known here: {', '.join(known)}" if known else "")
    return Problem(source.place(key_span(root, loc)), f"unknown key {_shown(key)}", help)


def _no_choice(error: ErrorDetails, *, is_step: bool) -> tuple[str, str]:
    value = error.get("input")
    known = list(VERBS) if is_step else ["leg", "call", "attribute"]
    if not isinstance(value, Mapping):
        return "a step is a mapping, its verb the key", f"such as {known[0]}: ..."
    found = [key for key in value if key in known]
    if len(found) > 1:
        return f"one step has several verbs: {', '.join(found)}", "make a step of each"
    first = str(next(iter(value), ""))
    return f"{_shown(first)} is no step", near(first, known) or f"there are {', '.join(known)}"


def _shown(value: object) -> str:
    """Quote a value, no longer than a line can bear."""
    text = value if isinstance(value, str) else getattr(value, "text", str(value))
    return repr(text if len(text) <= 80 else text[:77] + "...")


def span_at(root: yaml.Node, path: Loc) -> yaml.Span:
    """Find where a value stands; as near as the file has it."""
    return node_at(root, path).span


def node_at(root: yaml.Node, path: Loc) -> yaml.Node:
    """Find the value at a path, or what the file has nearest to it."""
    node = root
    for step in path:
        child = _child(node, step)
        if child is None:
            break
        node = child
    return node


def key_span(root: yaml.Node, path: Loc) -> yaml.Span:
    """Find where a key stands."""
    node = root
    for step in path[:-1]:
        node = _child(node, step) or node
    if isinstance(node, yaml.Mapping):
        for entry in node.entries:
            if str(entry.key.value) == path[-1]:
                return entry.key.span
    return node.span


def _child(node: yaml.Node, step: int | str) -> yaml.Node | None:
    if isinstance(node, yaml.Mapping):
        return node.get(str(step))
    if isinstance(node, yaml.Sequence) and isinstance(step, int) and step < len(node.items):
        return node.items[step]
    return None


class PlainInt(int):
    """A whole number that remembers how it was written."""

    text: str


class PlainFloat(float):
    """A number that remembers how it was written."""

    text: str


def data_of(node: yaml.Node) -> object:
    """Turn a node into what the model takes: mappings, lists and scalars."""
    if isinstance(node, yaml.Mapping):
        return {str(entry.key.value): data_of(entry.value) for entry in node.entries}
    if isinstance(node, yaml.Sequence):
        return [data_of(one) for one in node.items]
    return _scalar(node)


def _scalar(node: yaml.Scalar) -> object:
    value: Any = node.value
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    made: Any = (PlainInt if isinstance(value, int) else PlainFloat)(value)
    made.text = node.text
    return made
