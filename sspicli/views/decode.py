"""Opened tokens on the screen: what each was taken as, its messages field by field, and where reading stopped.

The rule guarded here: the first line of a token says what it was taken as and why, and each message says which bytes
its spans count. What was not read is said at the end again, in words, so that nobody has to find it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sspicli.analysis.calls import CLOSED_TO_RECEIVER
from sspicli.analysis.exchange import Opened, Part, Stop, shifted
from sspicli.tokens.tree import Node
from sspicli.views.hexdump import hex_lines
from sspicli.views.text import Glyphs, Line, Segment, line, visible
from sspicli.views.trees import EVERYTHING, span_text, tree_lines, value_text

_READABLE_DEPTH = 8
_LONGEST_VALUE = 1 << 20


def token_lines(one: Opened, glyphs: Glyphs, *, width: int, verbosity: int, with_hex: bool) -> list[Line]:
    """Show a token: heading, messages, bytes on demand, and where reading stopped."""
    lines = [heading(one, glyphs)]
    if one.is_closed_to_receiver:
        lines.append(line(Segment(f"  {CLOSED_TO_RECEIVER}", "warn")))
    if verbosity > 0 and one.layout is not None:
        lines += [(), line(Segment("records, bytes of the token", "muted"))]
        lines += tree_lines(one.layout, glyphs, width=width)
    for part in one.parts:
        root, *below = tree_lines(part.tree, glyphs, width=width, depth=_depth(verbosity), folded=verbosity < 1)
        lines += [(), (*root, _protection(part)), *below]
        if with_hex and not part.is_in_token:
            lines += [(), *hex_lines(part.body, part.tree, glyphs, width=width, folded=verbosity < 1)]
    if with_hex and one.token.data:
        lines += [(), line(Segment("the token's bytes", "muted"))]
        lines += hex_lines(one.token.data, one.tree, glyphs, width=width, folded=verbosity < 1)
    if one.stops:
        lines += [(), *_stop_lines(one.stops, glyphs)]
    return lines


def heading(one: Opened, glyphs: Glyphs) -> Line:
    """Say which token this is, who sent it, its size and what it was taken as."""
    token = one.token
    parts: list[str | Segment] = [Segment(visible(token.title), "head")]
    if one.layout is not None or one.parts:
        parts.append(_way(one, glyphs))
    if token.data:
        parts.append(f"  {len(token.data)} B")
        parts.append(f"  {one.told.words}")
        if one.told.mark:
            parts.append(Segment(f": {one.told.mark}", "muted"))
    return line(*parts)


def _way(one: Opened, glyphs: Glyphs) -> Segment:
    if one.layout is None and one.parts and one.parts[0].message is None:
        return Segment("")
    peer = "server" if one.sender == "client" else "client"
    assumed = " (assumed)" if one.is_sender_assumed else ""
    return Segment(f"  {one.sender} {glyphs.dash}{glyphs.right} {peer}{assumed}", "leg")


def _protection(part: Part) -> Segment:
    """Say how a message was protected and which bytes its spans count."""
    where = "bytes of the token" if part.is_in_token else "bytes of the message"
    how = ""
    if part.message is not None:
        closed = part.message.name == "Encrypted"
        how = "encrypted, not opened; " if closed else "encrypted, opened; " if part.is_encrypted else "in clear; "
    return Segment(f"  {how}{where}", "muted")


def _depth(verbosity: int) -> int:
    return EVERYTHING if verbosity > 0 else _READABLE_DEPTH


def _stop_lines(stops: Sequence[Stop], glyphs: Glyphs) -> Iterator[Line]:
    """Say where reading stopped; what stopped several times for one reason is one line."""
    alike: dict[tuple[str, str], list[Stop]] = {}
    for stop in stops:
        alike.setdefault((stop.path, stop.why), []).append(stop)
    for (path, why), group in alike.items():
        span = span_text(group[0].span, group[0].span[1])
        where = f" {span}" if len(group) == 1 else f" {glyphs.times}{len(group)}"
        yield line(
            Segment("stopped", "warn"), f"  {visible(path)}{where}: {visible(why)}" if path else f"  {visible(why)}"
        )


def field_lines(
    found: Sequence[tuple[Opened, Part, str, Node]],
    glyphs: Glyphs,
    *,
    width: int,
    with_titles: bool,
    with_hex: bool = False,
) -> list[Line]:
    """Show the fields that a path named: each with its whole value, its span, which bytes that counts, and those."""
    lines: list[Line] = []
    for one, part, path, node in found:
        title = f"{visible(one.token.title)}  " if with_titles else ""
        where = "token" if part.is_in_token else "message"
        value = value_text(node, _LONGEST_VALUE)
        head: list[str | Segment] = [title, Segment(visible(path), "head")]
        head.append(Segment(f"  {span_text(node.span, node.span[1])} of the {where}", "muted"))
        lines.append(line(*head))
        if node.children:
            lines += [line("  ", *shown) for shown in tree_lines(node, glyphs, width=width - 2)]
        elif value or node.meaning:
            meaning = Segment(f"  {visible(node.meaning)}" if node.meaning else "", "leg")
            lines.append(line(f"  {value}", meaning))
        if with_hex:
            lines += _field_bytes(one, part, node, glyphs, width=width)
    return lines


def _field_bytes(one: Opened, part: Part, node: Node, glyphs: Glyphs, *, width: int) -> Iterator[Line]:
    """Dump the bytes of one field, counted from its first."""
    start, end = node.span
    data = (one.token.data if part.is_in_token else part.body)[start:end]
    if data:
        yield line("  ", Segment("the field's bytes", "muted"))
        yield from hex_lines(data, shifted(node, -start), glyphs, width=width, indent="  ")
