"""The house: which room may import which, what a room's own file may hold, and no way round in a circle.

Every import counts: inside functions, inside `if TYPE_CHECKING`, inside `try`. The plan stands in pyproject.toml.
"""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1]
HOUSE = ROOT / "sspicli"
PLAN: dict[str, dict[str, list[str]]] = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["sspicli"]["rooms"]
FILES = sorted(HOUSE.rglob("*.py"))
MODULE = re.compile(r"sspicli(\.[a-z_]+)+")
OUTSIDE = {"__init__.py", "__main__.py"}  # of the root: the version, and the door


class Import(NamedTuple):
    """One imported module, and where it stands."""

    module: str
    line: int


def room_of(path: Path) -> str:
    """Name the room a file stands in, "" for the root's own files."""
    parts = path.relative_to(HOUSE).parts
    return parts[0] if len(parts) > 1 else ""


def imports(source: str) -> Iterator[Import]:
    """List every import of a file, wherever it stands."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (Import(alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            is_package = module in ("sspicli", "")
            yield from (Import(f"{module}.{alias.name}" if is_package else module, node.lineno) for alias in node.names)
        elif isinstance(node, ast.Call) and _is_dynamic(node.func):
            name = node.args[0] if node.args else None
            known = [name.value] if isinstance(name, ast.Constant) else _names_in(source)
            yield from (Import(str(module), node.lineno) for module in known or ["?"])


def _names_in(source: str) -> list[str]:
    """List what a computed import can name: the modules that stand in the file as text."""
    texts = [node.value for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Constant)]
    return [text for text in texts if isinstance(text, str) and MODULE.fullmatch(text)]


def _is_dynamic(called: ast.expr) -> bool:
    name = called.attr if isinstance(called, ast.Attribute) else called.id if isinstance(called, ast.Name) else ""
    return name in ("__import__", "import_module")


def faults(room: str, source: str, plan: dict[str, dict[str, list[str]]]) -> list[str]:
    """List the imports of a file in a room that the plan does not allow."""
    allowed = plan[room]
    found = []
    for module, line in imports(source):
        top, *below = module.split(".")
        if not top:
            found.append(f"line {line}: relative import {module}")
        elif top == "sspicli":
            if below and below[0] != room and below[0] not in allowed["rooms"] and below[0] != "__version__":
                found.append(f"line {line}: room {below[0]}")
        elif top not in sys.stdlib_module_names and top not in allowed["third_party"]:
            found.append(f"line {line}: library {top}")
    return found


@pytest.mark.parametrize(
    "path", [path for path in FILES if room_of(path)], ids=lambda path: str(path.relative_to(HOUSE))
)
def test_a_file_imports_what_its_room_may(path):
    assert faults(room_of(path), path.read_text(), PLAN) == []


def test_the_roots_own_files_are_the_version_and_the_door():
    assert {path.name for path in FILES if not room_of(path)} == OUTSIDE


def test_every_room_is_listed_and_every_listed_room_is_there():
    assert {room_of(path) for path in FILES} - {""} == set(PLAN)
    for name, room in PLAN.items():
        assert set(room) == {"rooms", "third_party"}, name
        assert set(room["rooms"]) <= set(PLAN) - {name}, name


def circle(graph: dict[str, set[str]]) -> list[str]:
    """Find a way round in a circle, [] for none."""
    done: set[str] = set()

    def walk(node: str, way: tuple[str, ...]) -> list[str]:
        if node in way:
            return [*way[way.index(node) :], node]
        if node in done:
            return []
        for following in sorted(graph.get(node, ())):
            if found := walk(following, (*way, node)):
                return found
        done.add(node)
        return []

    return next((found for node in sorted(graph) if (found := walk(node, ()))), [])


def test_the_plan_has_no_circle():
    assert circle({name: set(room["rooms"]) for name, room in PLAN.items()}) == []


def test_the_rooms_as_built_have_no_circle():
    graph: dict[str, set[str]] = {room: set() for room in PLAN}
    for path in FILES:
        if room := room_of(path):
            parts = [one.module.split(".") for one in imports(path.read_text()) if one.module.startswith("sspicli.")]
            graph[room] |= {part[1] for part in parts if part[1] != room}
    assert circle(graph) == []


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


def test_modules_import_each_other_in_no_circle_at_run_time():
    graph: dict[str, set[str]] = {}
    for path in FILES:
        tree = ast.parse(path.read_text())
        at_start = [one for one in tree.body if isinstance(one, ast.Import | ast.ImportFrom)]
        source = "\n".join(ast.unparse(one) for one in at_start)
        graph[module_of(path)] = {one.module for one in imports(source) if one.module.startswith("sspicli.")}
    assert circle(graph) == []


@pytest.mark.parametrize(
    "path", [path for path in FILES if path.name == "__init__.py"], ids=lambda path: path.parent.name
)
def test_a_rooms_own_file_holds_its_docstring_and_nothing_else(path):
    tree = ast.parse(path.read_text())
    docstring, *rest = tree.body
    assert ast.get_docstring(tree)
    assert isinstance(docstring, ast.Expr)
    names = [ast.unparse(one.targets[0]) for one in rest if isinstance(one, ast.Assign)]
    assert names == (["__version__"] if not room_of(path) else [])
    assert len(names) == len(rest)


def test_every_room_has_its_own_file():
    assert {room for room in PLAN if not (HOUSE / room / "__init__.py").is_file()} == set()


def test_every_file_opens_with_a_docstring():
    assert [str(path) for path in FILES if not ast.get_docstring(ast.parse(path.read_text()))] == []


# -- this test can fail ------------------------------------------------------------------------------------------------
SMALL: dict[str, dict[str, list[str]]] = {
    "upper": {"rooms": ["lower"], "third_party": ["rich"]},
    "lower": {"rooms": [], "third_party": []},
}


@pytest.mark.parametrize(
    ("room", "source", "found"),
    [
        ("lower", "import json\nfrom sspicli.lower.one import x", []),
        ("upper", "import rich.table\nfrom sspicli.lower import x", []),
        ("lower", "from sspicli.upper.one import x", ["line 1: room upper"]),
        ("lower", "import sspicli.upper.one", ["line 1: room upper"]),
        ("lower", "from sspicli import upper", ["line 1: room upper"]),
        ("lower", "def f():\n    import rich", ["line 2: library rich"]),
        (
            "lower",
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from sspicli.upper import x",
            ["line 3: room upper"],
        ),
        ("lower", "import importlib\nimportlib.import_module('rich')", ["line 2: library rich"]),
        ("lower", "import importlib\nimportlib.import_module(x)", ["line 2: library ?"]),
        ("lower", "TABLE = {'a': 'sspicli.upper.one'}\n__import__(TABLE[x])", ["line 2: room upper"]),
        ("upper", "TABLE = {'a': 'sspicli.lower.one'}\n__import__(TABLE[x])", []),
        ("lower", "from .one import x", ["line 1: relative import .one"]),
        ("lower", "from .. import x", ["line 1: relative import .."]),
    ],
)
def test_an_import_that_is_not_in_the_plan_is_found(room, source, found):
    assert faults(room, source, SMALL) == found


def test_a_circle_is_found():
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == ["b", "c", "b"]
