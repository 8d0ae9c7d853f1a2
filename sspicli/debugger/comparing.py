"""`diff`: two tokens field by field, or two branches record by record; what must be random is masked."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sspicli.analysis.exchange import Opened
from sspicli.debugger.bench import Bench
from sspicli.debugger.reply import Do, Reply, lines_of, noted, said
from sspicli.debugger.travelling import place_named
from sspicli.debugger.view import View
from sspicli.scenario.rerun import as_read, first_difference
from sspicli.sspi.errors import UsageError
from sspicli.tokens.tree import Node, walk
from sspicli.views.text import Line, Segment, line, visible
from sspicli.views.trees import value_text

_REF = re.compile(r"(?:([A-Za-z][\w.-]*):)?leg(\d{1,6})")
_RANDOM = frozenset(
    {"random", "key_exchange", "legacy_session_id", "session_id", "signature", "verify_data", "ticket", "ticket_nonce",
     "ticket_age_add", "public", "encrypted_record", "signatureValue", "dh_Ys", "dh_p", "pre_shared_key", "binder"}
)  # fmt: skip
"""Fields that are drawn anew in every handshake, or computed from such."""

Field = tuple[str, str, int]
"""A field's path, its value in words, and its size."""


def diff(bench: Bench, text: str) -> Reply:
    """Compare two tokens or two branches."""
    words = text.split()
    if len(words) != 2:
        raise UsageError("diff wants two tokens, or two branches", help="diff leg1 main:leg1, or diff main branch2")
    found = [_REF.fullmatch(word) for word in words]
    if all(found):
        first, second = (_opened(bench, one[1] or "", int(one[2])) for one in found if one is not None)
        return lines_of(_token_diff(first, second, words))
    if any(found):
        raise UsageError("a token and a branch cannot be compared", help="diff leg1 main:leg1, or diff main branch2")
    return lines_of(_branch_diff(bench, words[0], words[1]))


def _opened(bench: Bench, branch: str, leg: int) -> Opened:
    view = View(bench.branches[place_named(bench, branch).branch].records) if branch else bench.view
    opened = view.opened_leg(leg)
    if opened is None:
        where = f" in {branch}" if branch else ""
        raise UsageError(f"leg {leg} was not sent{where}", help=f"there are {len(view.state.legs)} legs there")
    return opened


def _token_diff(first: Opened, second: Opened, names: list[str]) -> list[Line]:
    """Show the fields that differ; where nothing does, say what was compared."""
    ours, theirs = dict(_fields(first)), dict(_fields(second))
    masked = _count_random(first)
    lines = [noted(f"- {names[0]}  {len(first.token.data)} B"), noted(f"+ {names[1]}  {len(second.token.data)} B")]
    paths = [*ours, *(path for path in theirs if path not in ours)]
    differing = [path for path in paths if ours.get(path) != theirs.get(path)]
    for path in differing:
        for sign, side in (("-", ours), ("+", theirs)):
            words = visible(side[path]) if path in side else "absent"
            lines.append(line(Segment(f"{sign} ", "bad" if sign == "-" else "good"), f"{visible(path)}  {words}"))
    if not differing:
        lines.append(line(f"no difference in {len(paths)} fields"))
    return [*lines, noted(f"{masked} random fields are compared by their length only")]


def _fields(opened: Opened) -> Iterator[tuple[str, str]]:
    trees = [part.tree for part in opened.parts] or ([opened.tree] if opened.tree is not None else [])
    for tree in trees:
        for path, node in walk(tree):
            if not node.children:
                yield path, _words(node, is_random=_is_random(path))
    if not trees:
        yield "bytes", opened.token.data.hex()


def _is_random(path: str) -> bool:
    return any(step.partition("[")[0] in _RANDOM for step in path.split("."))


def _words(node: Node, *, is_random: bool) -> str:
    if is_random:
        return f"random, {node.span[1] - node.span[0]} B"
    return " ".join(part for part in (value_text(node), node.meaning) if part)


def _count_random(opened: Opened) -> int:
    return sum(not node.children and _is_random(path) for part in opened.parts for path, node in walk(part.tree))


def _branch_diff(bench: Bench, first: str, second: str) -> list[Line]:
    """Show where two branches part, and what each came to."""
    views = [View(bench.branches[place_named(bench, name).branch].records) for name in (first, second)]
    ours, theirs = (view.records for view in views)
    difference = first_difference(as_read(ours), theirs, is_whole=True)
    if difference is None:
        return list(said(f"{first} and {second} are the same in {len(ours)} records").lines)
    lines = [
        line(Segment(f"the first difference is at record {difference.sequence}", "head")),
        line(Segment("- ", "bad"), visible(difference.expected, 400)),
        line(Segment("+ ", "good"), visible(difference.got, 400)),
    ]
    for path in ("legs", "calls", "client.leg_status", "server.leg_status", "client.alert", "server.alert", "findings"):
        old, new = (view.value(path) for view in views)
        if old != new:
            lines.append(line(f"  {path}: {_told(old)}", f" in {first}, {_told(new)} in {second}"))
    return lines


def _told(value: object) -> str:
    from sspicli.debugger.stops import shown

    return visible(shown(value))  # type: ignore[arg-type]


DO: dict[str, Do] = {"diff": diff}
