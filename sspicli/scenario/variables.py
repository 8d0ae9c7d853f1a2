"""What a document's matrix and variables declare, and what is wrong with them before any case is made.

The rule guarded here: each variable has one meaning, stands for a value and is used. A value of a variable is a value
and no variable again; the text $name is written $$name there as anywhere.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import product
from math import prod

from sspicli.scenario import yaml

RAW = ("schema", "name", "matrix", "variables")  # no variable stands in these

Choice = tuple[tuple[str, yaml.Scalar], ...]
Wrong = tuple[yaml.Span, str, str]


def fixed(document: yaml.Mapping) -> dict[str, yaml.Scalar]:
    """Give the variables that have one value."""
    return {
        str(key.value): _meant(value)
        for key, value in _entries(document, "variables")
        if isinstance(value, yaml.Scalar)
    }


def matrix(document: yaml.Mapping) -> dict[str, list[yaml.Scalar]]:
    """Give the values of each variable of the matrix, each once; what is no list of values, the model tells."""
    return {
        str(key.value): list({shown(one): _meant(one) for one in _scalars(value)}.values())
        for key, value in _entries(document, "matrix")
        if isinstance(value, yaml.Sequence)
    }


def count(document: yaml.Mapping) -> int:
    """Count the cases without making them."""
    return prod(map(len, matrix(document).values()))


def choices(document: yaml.Mapping) -> Iterator[Choice]:
    """Give each choice of the matrix."""
    values = matrix(document)
    for one in product(*values.values()):
        yield tuple(zip(values, one, strict=True))


def shown(value: yaml.Scalar) -> str:
    """Write a parameter as an id holds it."""
    value = _meant(value)
    return value.value if isinstance(value.value, str) else value.text


def unusable(document: yaml.Mapping) -> Iterator[Wrong]:
    """List what no case can be made of: a variable without values, and one that stands for another."""
    for key, value in _entries(document, "matrix"):
        if isinstance(value, yaml.Sequence) and not value.items:
            yield value.span, f"the matrix gives {str(key.value)[:80]!r} no value", "write its values, or leave it out"
    for section in ("matrix", "variables"):
        for _, value in _entries(document, section):
            for one in _scalars(value):
                text = one.value
                if isinstance(text, str) and text.startswith("$") and not text.startswith("$$"):
                    help = "write the value; the text itself is $" + text[:80]
                    yield one.span, f"variables do not nest: {text[:80]!r} is no value of one", help


def needless(document: yaml.Mapping) -> Iterator[Wrong]:
    """List what is said twice or for nothing: values, names, variables that nothing uses."""
    in_matrix = {key.value for key, _ in _entries(document, "matrix")}
    for key, _ in _entries(document, "variables"):
        if key.value in in_matrix:
            yield key.span, f"{str(key.value)[:80]!r} stands in matrix: already", "give one of them another name"
    for key, value in _entries(document, "matrix"):
        yield from _repeated(str(key.value), _scalars(value))
    used = Counter[str]()
    for entry in document.entries:
        if entry.key.value not in RAW:
            used.update(_texts(entry.value))
    for section in ("matrix", "variables"):
        for key, _ in _entries(document, section):
            if f"${key.value}" not in used:
                name = f"${key.value}"[:80]
                yield key.span, f"nothing uses {name}", f"write {name} for a whole value below, or leave it out"


def _repeated(name: str, values: list[yaml.Scalar]) -> Iterator[Wrong]:
    seen: set[str] = set()
    for one in values:
        text = shown(one)
        if text in seen:
            yield one.span, f"the matrix gives {name[:80]!r} the value {text[:80]!r} twice", "leave it out here"
        seen.add(text)


def _entries(document: yaml.Mapping, section: str) -> tuple[yaml.Entry, ...]:
    found = document.get(section)
    return found.entries if isinstance(found, yaml.Mapping) else ()


def _scalars(node: yaml.Node) -> list[yaml.Scalar]:
    """List the values of a variable, be it one or several."""
    items = node.items if isinstance(node, yaml.Sequence) else (node,)
    return [one for one in items if isinstance(one, yaml.Scalar)]


def _texts(node: yaml.Node) -> Iterator[str]:
    """List every text that stands as a value below a node."""
    if isinstance(node, yaml.Mapping):
        for entry in node.entries:
            yield from _texts(entry.value)
    elif isinstance(node, yaml.Sequence):
        for one in node.items:
            yield from _texts(one)
    elif isinstance(node.value, str):
        yield node.value


def _meant(value: yaml.Scalar) -> yaml.Scalar:
    """Read the $$ of a variable's value as the $ that it stands for."""
    if isinstance(value.value, str) and value.value.startswith("$$"):
        return yaml.Scalar(value.value[1:], value.value[1:], False, value.span)
    return value
