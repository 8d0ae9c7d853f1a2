"""One layout for all scenarios, as `scenario fmt` writes it.

Blocks are indented by two blanks, `:` and `-` are followed by one, the top level's keys stand in one order, lines end
where their text ends. Comments stay with what they stand beside or above, blank lines stay.

The rule guarded here: the layout changes no value and loses no comment. What comes out is read again and compared; if
it is not the same, or if something stands where it is not expected, the text stays as it is.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from sspicli.scenario.source import BOM, ScenarioError
from sspicli.scenario.yaml import Mapping, Node, Scalar, Sequence, parse

TOP_LEVEL: Final = (
    *("schema", "name", "description", "tags", "matrix", "variables", "skip", "xfail", "timeout", "clock", "session"),
    *("schedule", "faults", "programs", "steps", "expect", "verify"),
)
STEP = 2


def formatted(text: str, file: str = "") -> str:
    """Lay a text out; a ScenarioError when it is no YAML, the same text when it cannot be done safely.

    `file` is what an error calls it.
    """
    body = text.removeprefix(BOM).replace("\r\n", "\n")
    documents = parse(body, file)[1]
    for is_ordered in (True, False):
        try:
            after = _Layout(body, is_ordered=is_ordered).laid_out(documents)
        except _UnsafeError:
            continue
        if _is_same(body, documents, after):
            return text[: text.startswith(BOM)] + (after.replace("\n", "\r\n") if "\r\n" in text else after)
    return text


def _is_same(before: str, documents: tuple[Node, ...], after: str) -> bool:
    """Say whether two texts hold the same values and the same comments."""
    try:
        again = parse(after, "")[1]
    except ScenarioError:
        return False
    values = [_value(one) for one in documents] == [_value(one) for one in again]
    return values and comments(before, documents) == comments(after, again)


def _value(node: Node) -> object:
    if isinstance(node, Scalar):
        return type(node.value), repr(node.value)  # .nan is no equal of itself
    if isinstance(node, Sequence):
        return [_value(item) for item in node.items]
    return {entry.key.value: _value(entry.value) for entry in node.entries}


def comments(text: str, documents: tuple[Node, ...]) -> list[str]:
    """List a text's comments, sorted: what begins with # outside of every scalar, and in the head of a block's text."""
    between: list[str] = []
    at = 0
    for span in (one.span for root in documents for one in _scalars(root)):
        between.append(text[at : span.start])
        at = span.end
        if text[span.start : span.start + 1] in ("|", ">"):
            between.append(text[span.start : span.end].partition("\n")[0])
    between.append(text[at:])
    return sorted(found.rstrip() for one in between for found in re.findall(r"#.*", one))


def _scalars(node: Node) -> list[Scalar]:
    if isinstance(node, Scalar):
        return [node]
    if isinstance(node, Sequence):
        return [found for item in node.items for found in _scalars(item)]
    return [found for entry in node.entries for found in (entry.key, *_scalars(entry.value))]


class _UnsafeError(Exception):
    """Something stands where the layout does not expect it."""


class _Line(NamedTuple):
    """A line between two values: the signs on it, its comment with the blanks before it, and the comment's column."""

    signs: str
    comment: str
    column: int


class _Block(NamedTuple):
    """A block collection: the column at which its keys or dashes stood, and the one they get."""

    before: int
    after: int


_OUTERMOST: Final = _Block(0, 0)


class _Layout:
    """The lines as they are laid out. The text is walked through once, from value to value."""

    def __init__(self, text: str, *, is_ordered: bool) -> None:
        self._text = text
        self._is_ordered = is_ordered
        self._lines: list[str] = []
        self._at = 0
        self._closed: list[_Block] = []  # the blocks that ended with the last value: a comment may belong to them
        self._starts: list[tuple[str, int]] = []  # the keys of this document's top level, and the lines they begin with

    def laid_out(self, documents: tuple[Node, ...]) -> str:
        """Return the whole text."""
        for number, root in enumerate(documents):
            self._root(root, is_first=number == 0)
        self._outside(self._gap(len(self._text)), is_behind=bool(documents))
        while self._lines and not self._lines[-1]:
            self._lines.pop()
        return "".join(one + "\n" for one in self._lines)

    # a document

    def _root(self, root: Node, *, is_first: bool) -> None:
        *lines, last = self._gap(root.span.start)
        is_block = _is_block(root)
        is_strange = last.signs not in ("", "---") or (last.signs and is_block) or not (lines or is_first)
        if root.span.start == root.span.end or is_strange:
            raise _UnsafeError
        self._outside(lines, is_behind=not is_first)
        if is_block and isinstance(root, Mapping):
            self._begin(root.entries[0].key, 0)
        self._lines.append(last.signs)
        if is_block:
            self._block(root, _Block(root.span.column - 1, 0))
        else:
            self._lines[-1] += (" " if last.signs else "") + self._leaf(root, _OUTERMOST)

    def _outside(self, lines: list[_Line], *, is_behind: bool) -> None:
        """Write what stands before, between and behind documents; `is_behind` says that the first is a line's rest."""
        if is_behind:
            self._beside(lines[0])
        end = len(self._lines)
        for line in lines[is_behind:]:
            if line.signs.startswith(("---", "...", "%")):
                self._closed.clear()
                self._lines.append(line.signs + line.comment)
            else:
                self._own_line(line, _OUTERMOST)
            if line.comment and self._lines[-1].startswith(" "):
                end = len(self._lines)
        self._order(end)

    def _order(self, end: int) -> None:
        """Put a document's top level in order: every key with the comments above it and all that is below it."""
        begins = [start for _, start in self._starts]
        parts = [self._lines[one:other] for one, other in zip(begins, [*begins[1:], end], strict=False)]
        ranks = [TOP_LEVEL.index(key) if key in TOP_LEVEL else len(TOP_LEVEL) for key, _ in self._starts]
        self._starts = []
        if not self._is_ordered or ranks == sorted(ranks):
            return
        ordered = [parts[number] for number in sorted(range(len(parts)), key=ranks.__getitem__)]
        lines = [line for part in ordered for line in part]
        is_above_blank = begins[0] == 0 or not self._lines[begins[0] - 1]
        while is_above_blank and not lines[0]:
            del lines[0]
        self._lines[begins[0] : end] = lines

    def _begin(self, key: Scalar, first: int) -> None:
        """Note where a top-level key's part begins: with the comments and blank lines above it, from `first` on."""
        start = len(self._lines)
        while start > first and (not self._lines[start - 1] or self._lines[start - 1].startswith("#")):
            start -= 1
        if not self._starts:  # what is above the first key belongs to the file, down to its last blank line
            head = [n for n in range(start, len(self._lines)) if not self._lines[n] or _MODELINE in self._lines[n]]
            start = head[-1] + 1 if head else start
        self._starts.append((str(key.value), start))

    # blocks: whoever calls has begun the line on which the first key or dash is to stand

    def _block(self, node: Node, block: _Block) -> None:
        if isinstance(node, Mapping):
            self._mapping(node, block)
        elif isinstance(node, Sequence):
            self._sequence(node, block)
        self._closed.append(block)

    def _mapping(self, node: Mapping, block: _Block) -> None:
        for number, (key, value) in enumerate(node.entries):
            if number:
                first = len(self._lines)
                self._between(self._gap(key.span.start), block)
                if block.after == 0:
                    self._begin(key, first)
                self._lines.append(" " * block.after)
            self._closed.clear()
            self._at = key.span.end
            head, *rest = self._gap(value.span.start)
            if head.signs != ":":
                raise _UnsafeError
            self._lines[-1] += key.text + ":"
            self._value([head._replace(signs=""), *rest], value, block, is_item=False)

    def _sequence(self, node: Sequence, block: _Block) -> None:
        for number, item in enumerate(node.items):
            lines = self._gap(item.span.start)
            dash = next((n for n, one in enumerate(lines) if one.signs), 0)
            if lines[dash].signs != "-" or (dash == 0) != (number == 0):
                raise _UnsafeError
            if number:
                self._between([*lines[:dash], _Line("", "", 0)], block)
                self._lines.append(" " * block.after)
            self._closed.clear()
            self._lines[-1] += "-"
            self._value([lines[dash]._replace(signs=""), *lines[dash + 1 :]], item, block, is_item=True)

    def _value(self, lines: list[_Line], value: Node, block: _Block, *, is_item: bool) -> None:
        """Write a value behind its key or dash; `lines` stand between them."""
        inner = _Block(value.span.column - 1, block.after + STEP)
        is_apart = len(lines) > 2 or bool(lines[0].comment)  # a comment or a blank line stands between them
        if is_apart or (_is_block(value) and not is_item):
            self._between(lines, inner)
            self._lines.append(" " * inner.after)
        elif any(one.signs for one in lines):
            raise _UnsafeError
        elif value.span.start < value.span.end:
            self._lines[-1] += " "
        self._at = value.span.start
        if _is_block(value):
            self._block(value, inner)
        else:
            self._lines[-1] += self._leaf(value, block)

    # comments and blank lines

    def _gap(self, end: int) -> list[_Line]:
        """Return the lines from here up to where the next value begins: the rest of this one first."""
        text = self._text[self._at : end]
        self._at = end
        return [_line(one) for one in text.split("\n")]

    def _between(self, lines: list[_Line], block: _Block) -> None:
        """Write the rest of a line, and the lines before the one on which the block goes on."""
        first, *own = lines
        self._beside(first)
        for line in own[:-1]:
            self._own_line(line, block)
        if own and (own[-1].signs or own[-1].comment):
            raise _UnsafeError

    def _beside(self, line: _Line) -> None:
        if line.signs:
            raise _UnsafeError
        self._lines[-1] += line.comment

    def _own_line(self, line: _Line, block: _Block) -> None:
        """Write a comment by itself: indented as the innermost block is to which its column lets it belong."""
        if line.signs:
            raise _UnsafeError
        fits = [one for one in (*self._closed, block) if one.before <= line.column]
        column = min(fits, key=lambda one: (-one.before, one.after), default=block).after
        self._lines.append(" " * column + line.comment.lstrip() if line.comment else "")

    # values that are written as they are

    def _leaf(self, node: Node, block: _Block) -> str:
        """Return a scalar or a flow collection; further lines are indented below the block's key or dash."""
        start, end = node.span.start, node.span.end
        if self._text[start : start + 1] in ("|", ">"):
            line_end = self._text.find("\n", end)
            end = line_end if line_end >= 0 else len(self._text)
        self._at = end
        first, *more = self._text[start:end].split("\n")
        if not more:
            return self._flow(node)
        if isinstance(node, Scalar) and first[0] in "|>":
            return "\n".join((first.rstrip(), *_shifted(first, more, block)))
        lines = [_stripped(one) for one in more]
        if isinstance(node, Scalar):
            lines = [one and " " * (block.after + STEP) + one.lstrip() for one in lines]
        else:
            lines = [one and _below(one, block) for one in lines]
        return "\n".join((_stripped(first), *lines))

    def _flow(self, node: Node) -> str:
        """Return what stands on one line, with one blank behind each comma and colon, and inside braces."""
        if isinstance(node, Scalar):
            return self._text[node.span.start : self._at] if node.text[:1] in ("|", ">") else node.text
        if isinstance(node, Sequence):
            return "[" + ", ".join(map(self._flow, node.items)) + "]"
        pairs = ", ".join(self._pair(key, value) for key, value in node.entries)
        if self._text[node.span.start] != "{":
            return pairs
        return f"{{ {pairs.strip()} }}" if pairs else "{}"

    def _pair(self, key: Scalar, value: Node) -> str:
        if value.span.start < value.span.end:
            return f"{key.text}: {self._flow(value)}"
        return key.text + (":" if value.span.start > key.span.end else "")  # a blank follows: libyaml takes no {key:}


_MODELINE: Final = "yaml-language-server:"


def _is_block(node: Node) -> bool:
    return not isinstance(node, Scalar) and not node.is_flow


def _line(text: str) -> _Line:
    sharp = text.find("#")
    signs = text if sharp < 0 else text[:sharp]
    blanks = signs[len(signs.rstrip()) :]
    return _Line(signs.strip(), "" if sharp < 0 else blanks + text[sharp:].rstrip(), max(sharp, 0))


def _stripped(line: str) -> str:
    """Drop the blanks at a line's end, but not one that is written as an escape."""
    stripped = line.rstrip(" \t")
    return line if stripped.endswith("\\") else stripped


def _shifted(head: str, lines: list[str], block: _Block) -> list[str]:
    """Indent a block scalar's lines; what goes beyond their own indentation is part of the text."""
    before = next((len(one) - len(one.lstrip(" ")) for one in lines if one.strip(" ")), 0)
    after = block.after + STEP
    if re.match(r"[|>][-+]?[1-9]", head):  # the text itself begins with blanks
        before, after = block.before, block.after
    return [" " * after + one[before:] if len(one) > before else "" for one in lines]


def _below(line: str, block: _Block) -> str:
    """Move a line of a flow collection with its block, and never out of it."""
    text = line.lstrip(" \t")
    column = len(line) - len(text) + block.after - block.before
    return " " * max(column, block.after + (0 if text[0] in "]}" else STEP)) + text
