"""The sentences of the model: the docstring below each member, for schemas and manual pages.

Reading them from the sources takes longer than a scenario runs, so only who shows them pays for it.
"""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Iterator
from functools import cache
from itertools import pairwise

from sspicli.scenario.words import Part


@cache
def sentences_of(kind: type[Part]) -> dict[str, str]:
    """Give the sentence of each member of a part, inherited ones too."""
    found: dict[str, str] = {}
    for one in reversed(kind.__mro__):
        if issubclass(one, Part):
            found |= _sentences(one.__module__).get(one.__qualname__, {})
    return found


@cache
def _sentences(module: str) -> dict[str, dict[str, str]]:
    """Read the sentences of a module's classes: by qualified name and member."""
    tree = ast.parse(inspect.getsource(sys.modules[module]))
    return dict(_of_classes(tree.body, ""))


def _of_classes(body: list[ast.stmt], prefix: str) -> Iterator[tuple[str, dict[str, str]]]:
    for node in body:
        if isinstance(node, ast.ClassDef):
            yield prefix + node.name, dict(_of_members(node.body))
            yield from _of_classes(node.body, f"{prefix}{node.name}.")


def _of_members(body: list[ast.stmt]) -> Iterator[tuple[str, str]]:
    """Pair each member with the docstring below it."""
    for member, text in pairwise(body):
        if isinstance(member, ast.AnnAssign) and isinstance(member.target, ast.Name) and isinstance(text, ast.Expr):
            value = text.value
            if isinstance(value, ast.Constant) and isinstance(value.value, str):
                yield member.target.id, inspect.cleandoc(value.value)
