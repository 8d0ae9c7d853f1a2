"""The text of a session that is kept: the parts of the scenario it began with, what was typed, and what it came to.

The rule guarded here: what the scenario itself had stays as it stood, value by value. What is left out is named by its
path in the draft, so that it can be told with the line of the file that it came from.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from sspicli.debugger.beginning import FILE, SIDES, flow
from sspicli.scenario import yaml
from sspicli.scenario.edit import written
from sspicli.scenario.layout import formatted
from sspicli.scenario.load import Case
from sspicli.scenario.paths import named_files
from sspicli.scenario.problems import Loc, node_at
from sspicli.views.text import visible

_BASE = ("description", "tags", "session", "timeout", "clock")  # what is taken over as it stands
OWN = ("verdict", "findings")  # what of `expect` is always what the session came to
_LONGEST_NAME = 150
_WIDEST = 110  # characters of a comment's line


class Draft(NamedTuple):
    """A scenario before it is text.

    `folder` is where it is to be, and the files that it names count from there. `programs` are the steps of each;
    `found` are the rules that the session broke. `dropped` are values that are left out, `deliberate` steps that are
    marked so, `unreached` steps that only checked and were never come to.
    """

    case: Case
    folder: Path
    programs: Mapping[str, Sequence[yaml.Node]]
    faults: Sequence[str]
    comments: Sequence[str] = ()
    schedule: str = ""
    verdict: str = ""
    found: Sequence[str] = ()
    dropped: frozenset[Loc] = frozenset()
    deliberate: frozenset[Loc] = frozenset()
    unreached: frozenset[Loc] = frozenset()

    @property
    def findings(self) -> list[str]:
        """List the rules that are broken, but for those that the scenario itself lets pass."""
        return [one for one in self.found if one not in self._ignored()]

    def _ignored(self) -> list[str]:
        codes = self.case.scenario.verify.ignore
        return [one for one in codes if ("verify", "ignore", one) not in self.dropped]

    def node_at(self, path: Loc) -> yaml.Node:
        """Find a step of a program, or what stands in one."""
        _, name, number, *rest = path
        return node_at(self.programs[str(name)][int(number)], tuple(rest))

    def text(self) -> str:
        """Write it, laid out as every scenario is; what is expected only once its verdict is known."""
        lines = [
            *(f"# {line}" for one in self.comments for line in _wrapped(visible(one, 2000))),
            "schema: sspi-async/scenario/1",
            f"name: {flow(_name(self.case))}",
            *(f"{key}: {emit(value)}" for key in _BASE if (value := self._base(key)) is not None),
            self._schedule(),
            *_listed("faults:", self.faults),
            *self._programs(),
            *(self._expectations() if self.verdict else ()),
        ]
        return formatted("\n".join(lines) + "\n")

    def origin(self, path: Loc) -> Loc:
        """Give the path, in the draft, of what stands at a path of its text, where what was dropped is missing."""
        found: Loc = ()
        for step in path:
            found = (*found, self._number(found, step) if isinstance(step, int) else step)
        return found

    def _number(self, above: Loc, number: int) -> int:
        at = -1
        for _ in range(number + 1):
            at += 1
            while (*above, at) in self.dropped:
                at += 1
        return at

    def _base(self, key: str) -> yaml.Node | None:
        node = part(self.case, key)
        if key != "session" or not isinstance(node, yaml.Mapping):
            return node
        return _with_values(node, {side: self._settings(side, value) for side in SIDES if (value := node.get(side))})

    def _settings(self, side: str, node: yaml.Node) -> yaml.Node:
        """Let the files that the settings of a side name count from the scenario's own folder."""
        settings = getattr(self.case.scenario.session, side)
        names = named_files(settings) if isinstance(node, yaml.Mapping) else []
        texts = {name: os.path.relpath(settings[name], self.folder) for name in names}
        values = {name: yaml.Scalar(text, text, False, node.span) for name, text in texts.items()}
        return _with_values(node, values) if isinstance(node, yaml.Mapping) else node

    def _schedule(self) -> str:
        choices = f", choices: {flow(self.schedule)}" if self.schedule else ""
        return f"schedule: {{seed: {self.case.scenario.schedule.seed}{choices}}}"

    def _programs(self) -> Iterator[str]:
        yield from ["programs:"] if self.programs else []
        for name, steps in self.programs.items():
            lines = [self._emit(node, ("programs", name, number)) for number, node in enumerate(steps)]
            yield from _listed(f"  {name}:", lines, "    ") or [f"  {name}: []"]

    def _expectations(self) -> Iterator[str]:
        """Write what is looked at on the way, what is expected of the whole, and which rules may be broken."""
        steps, verify, own = (part(self.case, key) for key in ("steps", "verify", "expect"))
        if steps is not None:
            yield f"steps: {self._emit(steps, ('steps',))}"
        if isinstance(verify, yaml.Mapping) and self._ignored():
            yield f"verify: {self._emit(_only(verify, 'ignore'), ('verify',))}"
        entries = self._entries(own, ("expect",)) if isinstance(own, yaml.Mapping) else []
        kept = [text for key, text in entries if key not in OWN]
        yield f"expect: {{{', '.join([f'verdict: {self.verdict}', f'findings: {flow(self.findings)}', *kept])}}}"

    def _emit(self, node: yaml.Node, path: Loc) -> str:
        """Write a node on one line, without what is dropped."""
        if path in self.unreached:
            return '{note: "a check stood here, which was never come to"}'
        if isinstance(node, yaml.Scalar):
            return emit(node)
        if isinstance(node, yaml.Sequence):
            items = ((*path, number) for number in range(len(node.items)))
            kept = [self._emit(one, at) for one, at in zip(node.items, items, strict=True) if at not in self.dropped]
            return f"[{', '.join(kept)}]"
        entries = [text for _, text in self._entries(node, path)]
        if path in self.deliberate and node.get("deliberate") is None:
            entries.append("deliberate: true")
        return f"{{{', '.join(entries)}}}"

    def _entries(self, node: yaml.Mapping, path: Loc) -> list[tuple[str, str]]:
        return [
            (key, f"{emit(entry.key)}: {self._emit(entry.value, (*path, key))}")
            for entry in node.entries
            if (*path, key := str(entry.key.value)) not in self.dropped
        ]


def part(case: Case, key: str) -> yaml.Node | None:
    """Give a part of a case's scenario, its variables put in; None where it has none."""
    return case.root.get(key) if isinstance(case.root, yaml.Mapping) else None


def _with_values(node: yaml.Mapping, values: Mapping[str, yaml.Node]) -> yaml.Mapping:
    """Put other values under keys that are there."""
    entries = tuple(one._replace(value=values.get(str(one.key.value), one.value)) for one in node.entries)
    return yaml.Mapping(entries, node.is_flow, node.span)


def _only(node: yaml.Mapping, key: str) -> yaml.Mapping:
    entries = tuple(entry for entry in node.entries if entry.key.value == key)
    return yaml.Mapping(entries, node.is_flow, node.span)


def _name(case: Case) -> str:
    return "a session of the debugger" if case.file == FILE else f"{case.name[:_LONGEST_NAME]}, changed in the debugger"


def _listed(head: str, items: Sequence[str], indent: str = "  ") -> list[str]:
    return [head, *(f"{indent}- {one}" for one in items)] if items else []


def _wrapped(text: str) -> list[str]:
    """Cut a comment into lines."""
    lines = [""]
    for word in text.split():
        if lines[-1] and len(lines[-1]) + len(word) >= _WIDEST:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return lines


def emit(node: yaml.Node) -> str:
    """Write a node on one line."""
    if isinstance(node, yaml.Scalar):
        if isinstance(node.value, str):
            return written(f"${node.value}" if node.value.startswith("$") else node.value)
        return node.text or "null"
    if isinstance(node, yaml.Sequence):
        return f"[{', '.join(map(emit, node.items))}]"
    return f"{{{', '.join(f'{emit(entry.key)}: {emit(entry.value)}' for entry in node.entries)}}}"
