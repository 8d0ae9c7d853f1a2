"""The manual page of the scenario format, computed from its JSON Schema, which is computed from the model.

The rule guarded here: nothing is said here that the schema does not say, but for how the page is read. Parts stand in
the order in which they are met, steps in the order of their table, words that several keys take at the end.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from sspicli.cli.roff import Block, Item, Lines, Paragraph, Section
from sspicli.scenario.schema import schema
from sspicli.scenario.step import Step
from sspicli.scenario.steps import VERBS

SUMMARY = "scenarios of asynchronous SSPI handshakes, in YAML"
_MOST_WORDS = 12

Node = dict[str, Any]

_ABOUT = """
A scenario is one document of a file named *.sspi.yaml; a file may hold several, parted by lines of three hyphens. It
says what two endpoints are given, what they do where that is not left to the shipped drivers, what misbehaves, in which
order things happen, and what is to be seen. sspi-async replay runs it, sspi-async scenario check says what is wrong
with it.

The file is UTF-8 and YAML 1.2: yes, no, on, off and times are texts. Anchors, aliases, tags and merge keys are refused,
a key that stands twice is an error. Where a text is meant a plain number is taken as it is written.

A value that is $name stands for the variable of that name, which matrix or variables declares; nothing else is put
together. The text $name itself is written $$name.

Each key is given below with what it takes and, where there is one, the default. A key without the word required may be
left out; most say by being absent that nothing is expected.
"""
_PROGRAM = """
A step is a mapping with one verb. Its argument is a name, or a mapping of the keys given below it; {} takes all
defaults.
"""


def format_sections() -> Iterator[Section]:
    """Give the sections of the page."""
    whole = schema()
    defs: Node = whole["$defs"]
    steps = {step.__name__: verb for verb, step in VERBS.items()}
    found = _parts(whole, defs)
    yield Section("DESCRIPTION", _paragraphs(_ABOUT))
    yield Section("THE WHOLE", _keys(whole, defs))
    for name in found:
        if name not in steps and not name.endswith("Arguments"):
            said = Paragraph(defs[name]["description"])
            yield Section(_heading(name), (said, *_keys(defs[name], defs)))
    every = [_step(verb, defs[step.__name__], defs) for verb, step in VERBS.items()]
    common = {key: defs[VERBS["create"].__name__]["properties"][key] for key in Step.model_fields}
    of_all = _keys({"properties": common}, defs)
    yield Section("STEPS", (*_paragraphs(_PROGRAM), *of_all, *every))
    yield Section("WORDS", tuple(_word(name, one) for name, one in defs.items() if _is_word(one)))
    yield Section("EXAMPLE", (Lines(_example()),))


def _paragraphs(text: str) -> tuple[Paragraph, ...]:
    return tuple(Paragraph(" ".join(one.split())) for one in text.split("\n\n"))


def _example() -> tuple[str, ...]:
    from sspicli.cli.scenario_new import template_text

    return tuple(template_text("failure").splitlines())


def _parts(whole: Node, defs: Node) -> list[str]:
    """List the parts in the order in which they are met."""
    found: list[str] = []
    queue = [whole]
    while queue:
        names = [name for name in _references(queue.pop(0)) if name not in found]
        kept = [name for name in dict.fromkeys(names) if "properties" in defs[name]]
        found += kept
        queue += [defs[name] for name in kept]
    return found


def _references(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        for key, one in node.items():
            if key == "$ref":
                yield one.removeprefix("#/$defs/")
            elif key != "$defs":
                yield from _references(one)
    elif isinstance(node, list):
        for one in node:
            yield from _references(one)


def _keys(part: Node, defs: Node) -> tuple[Block, ...]:
    required = part.get("required", ())
    return tuple(_key(key, one, defs, is_required=key in required) for key, one in part["properties"].items())


def _key(key: str, node: Node, defs: Node, *, is_required: bool) -> Item:
    said = [node["description"]]
    if is_required:
        said.append("Required.")
    default = node.get("default")
    if default is not None and default is not False and default != "":
        said.append(f"Default: {_spelled(default)}.")
    below = tuple(_setting(name, one) for name, one in node.get("properties", {}).items())
    return Item(f"{key}: {_type(node, defs)}", " ".join(said), below)


def _setting(name: str, node: Node) -> Item:
    return Item(name, node["description"])


def _spelled(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _step(verb: str, node: Node, defs: Node) -> Item:
    """Give a step: its verb with what it takes, its sentence, its arguments, what can be expected of it."""
    properties = {key: one for key, one in node["properties"].items() if key not in Step.model_fields}
    taken = properties.pop(verb)
    arguments = next((name for name in _references(taken) if name.endswith("Arguments")), None)
    keys = _keys(defs[arguments], defs) if arguments else ()
    rest = _keys({"properties": properties, "required": node.get("required", ())}, defs)
    below = tuple(one for one in (*keys, *rest) if isinstance(one, Item))
    return Item(f"{verb}: {_type(taken, defs)}", node["description"], below)


# -- what a key takes --------------------------------------------------------------------------------------------------
def _type(node: Node, defs: Node) -> str:
    """Say what a value is, in a few words."""
    if "$ref" in node:
        return _named(node["$ref"].removeprefix("#/$defs/"), defs)
    if "anyOf" in node:
        kinds = [_type(one, defs) for one in node["anyOf"] if one.get("$ref") != "#/$defs/Variable"]
        named = list(dict.fromkeys(kind for kind in kinds if kind != "null"))
        if len(named) > _MOST_WORDS:
            return "STEP"
        return " or ".join([*named, *(["null"] if "null" in kinds and _means_null(node) else [])])
    if "const" in node:
        return str(node["const"])
    if "enum" in node:
        words = list(dict.fromkeys(map(str, node["enum"])))
        return " | ".join(words) if len(words) <= _MOST_WORDS else "WORD"
    return _plain(node, defs)


def _plain(node: Node, defs: Node) -> str:
    match node.get("type"):
        case "object" if isinstance(node.get("additionalProperties"), dict):
            return f"mapping of {_type(node['additionalProperties'], defs)}"
        case "object":
            return "mapping"
        case "array":
            return f"list of {_type(node['items'], defs)}"
        case "integer" | "number":
            return "NUMBER" + _range(node)
        case "boolean":
            return "true | false"
        case "null":
            return "null"
        case _:
            return "TEXT"


def _range(node: Node) -> str:
    if "exclusiveMinimum" in node:
        return f" above {node['exclusiveMinimum']}, to {node['maximum']}"
    low, high = node.get("minimum"), node.get("maximum")
    if low is None or (high is None and low == 0):
        return ""
    return f" from {low}" if high is None else f" from {low} to {high}"


def _means_null(node: Node) -> bool:
    """Say whether null is more than silence: where the sentence speaks of it."""
    return "null" in node.get("description", "").lower()


def _named(name: str, defs: Node) -> str:
    if name.endswith("Arguments"):
        return "mapping"
    return _heading(name) if "properties" in defs[name] else _heading(name).removesuffix(" NAME").removesuffix(" WORD")


def _heading(name: str) -> str:
    """Write a part's name as its section's heading."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name.removesuffix("Part")).upper()


def _is_word(node: Node) -> bool:
    return "properties" not in node


def _word(name: str, node: Node) -> Item:
    """Give a kind of word that several keys take, and all there are."""
    kinds = node.get("anyOf", [node])
    known = [word for kind in kinds for word in kind.get("enum", ())]
    said = node.get("description", "")
    return Item(_named(name, {name: node}), f"{said} Known: {', '.join(known)}." if known else said)
