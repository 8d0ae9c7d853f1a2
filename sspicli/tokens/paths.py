"""Paths to fields, as people shorten them: `Certificate.validity.notAfter` for what lies much deeper.

The rule guarded here: a pattern's steps stand in a path in their order, with any steps between them, and the last step
is the field itself. `[n]` picks among fields of one name, from 0; without it all of them are meant. Capitals do not
count.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from sspicli.tokens.tree import Node, walk

_STEP = re.compile(r"([^.\[\]]{1,64})(?:\[(\d{1,6})\])?")
_ENTRY = "CertificateEntry"


class Step(NamedTuple):
    """One step of a pattern or a path: a name in small letters, and a number where there is one."""

    name: str
    number: int | None


def parse_path(text: str) -> tuple[Step, ...] | None:
    """Read a pattern; None for what is none."""
    steps = []
    for part in text.strip().split("."):
        found = _STEP.fullmatch(part.strip())
        if found is None:
            return None
        steps.append(Step(found[1].strip().lower(), None if found[2] is None else int(found[2])))
    return tuple(steps)


def matching(tree: Node, pattern: tuple[Step, ...]) -> Iterator[tuple[str, Node]]:
    """Give the fields of a tree that a pattern names, in their order, each with its whole path."""
    pattern = _with_entries(tree, pattern)
    for path, node in walk(tree):
        steps = parse_path(path) or ()
        if steps and _is(steps[-1], pattern[-1]) and _are_among(pattern[:-1], steps[:-1]):
            yield path, node


def names(trees: Iterable[Node]) -> list[str]:
    """List the names of all fields, each once."""
    return list(dict.fromkeys(node.name for tree in trees for _, node in walk(tree)))


def _are_among(wanted: tuple[Step, ...], steps: tuple[Step, ...]) -> bool:
    left = iter(steps)
    return all(any(_is(step, one) for step in left) for one in wanted)


def _is(step: Step, wanted: Step) -> bool:
    return step.name == wanted.name and wanted.number in (None, step.number or 0)


def _with_entries(tree: Node, pattern: tuple[Step, ...]) -> tuple[Step, ...]:
    """Let `Certificate[1]`, as failures write it, mean the entry of that number where a message has entries."""
    if not any(node.name == _ENTRY for _, node in walk(tree)):
        return pattern
    return tuple(
        Step(_ENTRY.lower(), step.number) if step.name == "certificate" and step.number is not None else step
        for step in pattern
    )
