"""Where a field stands in a token on the wire, for who wants to change its bytes there.

The rule guarded here: only bytes that can be read off the wire as they are have a place. What was protected, or is
spread over records, has none, and the answer says so; it is a sentence, not an error, because a run finds out late.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches

from sspicli.analysis.exchange import Exchange, Opened, Token
from sspicli.tokens.paths import matching, names, parse_path
from sspicli.tokens.tree import Node

_MOST_NAMED = 3


def place_of(tokens: Sequence[tuple[str, bytes]], path: str) -> tuple[int, int] | str:
    """Find a field in the last of a connection's tokens, each with its sender; or say why it has no place there."""
    pattern = parse_path(path)
    if pattern is None:
        return f"{path} is no path of a field: write names with dots between them, such as ServerHello.random"
    opened = _last_opened(tokens)
    if opened.tree is None:
        return f"the token is not of a kind whose fields are known here ({opened.told.words})"
    found = list(matching(opened.tree, pattern))
    if len(found) > 1:
        named = ", ".join(one for one, _ in found[:_MOST_NAMED]) + (", ..." if len(found) > _MOST_NAMED else "")
        return f"{path} names {len(found)} fields: {named}"
    if not found:
        return _why_not(opened, path)
    start, end = found[0][1].span
    return (start, end) if start < end else f"{path} has no bytes here"


def _last_opened(tokens: Sequence[tuple[str, bytes]]) -> Opened:
    exchange = Exchange()
    return [exchange.open(Token(data, "", sender)) for sender, data in tokens][-1]


def _why_not(opened: Opened, path: str) -> str:
    """Tell a field that is not there from one whose bytes are not in clear."""
    closed = [part.tree for part in opened.parts if not part.is_in_token]
    pattern = parse_path(path) or ()
    if any(True for tree in closed for _ in matching(tree, pattern)):
        return f"{path} does not stand in the token as it is: it is protected, or spread over records"
    note = "; what is encrypted cannot be changed by field" if any(part.is_encrypted for part in opened.parts) else ""
    return f"no field {path} stands in clear in it{_near(path, _trees(opened))}{note}"


def _trees(opened: Opened) -> Iterable[Node]:
    return () if opened.tree is None else (opened.tree,)


def _near(path: str, trees: Iterable[Node]) -> str:
    wanted, known = path.split("."), names(trees)
    folded = {name.lower(): name for name in known}
    unknown = next((one for one in wanted if one.partition("[")[0].lower() not in folded), "")
    near = get_close_matches(unknown.partition("[")[0].lower(), folded, n=1) if unknown else []
    return f" (is {folded[near[0]]} meant?)" if near else ""
