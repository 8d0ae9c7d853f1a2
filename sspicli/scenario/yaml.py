"""Text to nodes that know where they stand: YAML 1.2's core schema, without what makes YAML dangerous or surprising.

PyYAML's parser (libyaml's where it is there) gives events; they are composed and resolved here. `on`, `no`, `12:30:45`
and `2026-11-22` are therefore texts, as YAML 1.2 has it, and a key that stands twice is an error. Anchors, aliases,
merge keys and tags are refused: a scenario says what it does where it says it, and no few bytes stand for many.

The rule guarded here: every text comes to nodes or to a ScenarioError with places, within bounded time and memory. The
limits are numbers, not a clock, so that a file is good or bad on every machine alike.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

import yaml
from yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    CollectionStartEvent,
    DocumentStartEvent,
    Event,
    ScalarEvent,
    SequenceStartEvent,
)

from sspicli.files.regular import read_regular_file
from sspicli.scenario.mistakes import (
    Enough,
    Mistakes,
    check_characters,
    decoded,
    in_plain_words,
    shortened,
)
from sspicli.scenario.source import BOM, ScenarioError, Source, Span

__all__ = [
    "Entry",
    "Mapping",
    "Node",
    "Scalar",
    "ScenarioError",
    "Sequence",
    "Source",
    "Span",
    "parse",
    "plain",
    "read",
    "resolved",
]

HAS_LIBYAML: Final[bool] = yaml.__with_libyaml__
LARGEST = 1 << 20  # bytes of a file, and characters of a text
LARGEST_SCALAR = 1 << 18  # characters
DEEPEST = 32
MOST_NODES = 20_000
LONGEST_NUMBER = 1000  # characters: a number that is shorter can always be printed


@dataclass(frozen=True, slots=True)
class Scalar:
    """One value. `text` is as it is written, quotes and all; only what is plain can be other than a str."""

    value: str | int | float | bool | None
    text: str
    is_plain: bool
    span: Span


@dataclass(frozen=True, slots=True)
class Sequence:
    """Values in order: `[a, b]` if it is flow."""

    items: tuple[Node, ...]
    is_flow: bool
    span: Span


@dataclass(frozen=True, slots=True)
class Mapping:
    """Values under keys, each key once: `{a: b}` if it is flow."""

    entries: tuple[Entry, ...]
    is_flow: bool
    span: Span

    def get(self, key: str) -> Node | None:
        """Find what stands under a key; None for a key that is not there."""
        return next((entry.value for entry in self.entries if entry.key.value == key), None)


class Entry(NamedTuple):
    """A key, which is always a text, and what stands under it."""

    key: Scalar
    value: Node


Node = Scalar | Sequence | Mapping


def read(path: Path, file: str) -> tuple[Source, tuple[Node, ...]]:
    """Read a file's documents; `file` is its name as the user gave it."""
    too_large = f"the file is larger than {LARGEST >> 20} MiB; no scenario is"
    return parse(decoded(read_regular_file(path, largest=LARGEST, too_large=too_large), file), file)


def parse(text: str, file: str, *, in_python: bool = not HAS_LIBYAML) -> tuple[Source, tuple[Node, ...]]:
    """Read a text's documents, a node for each; a ScenarioError holds everything that is wrong with it.

    `in_python` reads it with the parser that is written in Python: the same nodes, six times slower.
    """
    source = Source(file, text)
    mistakes = Mistakes(source)
    documents: tuple[Node, ...] = ()
    try:
        if len(text) > LARGEST:
            mistakes.end(source.spot(0), f"the text is longer than {LARGEST >> 20} MiB; no scenario is")
        check_characters(mistakes)
        if not mistakes.found:
            documents = _Composer(mistakes, in_python=in_python).compose()
    except yaml.YAMLError as error:
        in_plain_words(error, mistakes)
    except Enough:
        pass
    mistakes.raise_if_any()
    return source, documents


def plain(node: Node) -> object:
    """Return what a node holds as dicts, lists and scalars."""
    if isinstance(node, Scalar):
        return node.value
    if isinstance(node, Sequence):
        return [plain(item) for item in node.items]
    return {entry.key.value: plain(entry.value) for entry in node.entries}


# YAML 1.2.2, 10.3.2: the core schema's tag resolution
_WORDS: Final[dict[str, bool | float | None]] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **{sign + word: float("inf") for sign in ("", "+") for word in (".inf", ".Inf", ".INF")},
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), float("-inf")),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
}
_NUMBER: Final = re.compile(
    r"(?P<decimal>[-+]?[0-9]+)|0o(?P<octal>[0-7]+)|0x(?P<hex>[0-9a-fA-F]+)"
    r"|(?P<float>[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?)"
)
_BASES: Final = {"decimal": 10, "octal": 8, "hex": 16}
_FIRST_OF_NUMBERS: Final = frozenset("+-.0123456789")


def resolved(text: str) -> str | int | float | bool | None:
    """Say what a plain scalar means in YAML 1.2's core schema; ValueError for a number that is too large."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _FIRST_OF_NUMBERS or (found := _NUMBER.fullmatch(text)) is None:
        return text
    if len(text) > LONGEST_NUMBER:
        raise ValueError(f"a number of {len(text)} characters; {LONGEST_NUMBER} are the most")
    kind = found.lastgroup or ""
    if kind != "float":
        return int(found[kind], _BASES[kind])
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise ValueError("this number is larger than a float can hold")
    return number


_PLAIN_STYLES: Final = (None, "")  # the two parsers differ
_BLOCK_STYLES: Final = ("|", ">")


class _Composer:
    """Nodes of events. Mistakes are noted and composing goes on, so that one reading finds them all."""

    def __init__(self, mistakes: Mistakes, *, in_python: bool) -> None:
        self._mistakes = mistakes
        self._text = mistakes.source.text
        self._shift = int(self._text.startswith(BOM))
        loader = yaml.SafeLoader if in_python else yaml.CSafeLoader
        self._events: Iterator[Event] = yaml.parse(self._text[self._shift :], Loader=loader)
        self._nodes = 0

    def compose(self) -> tuple[Node, ...]:
        """Return every document's node."""
        return tuple(self._node(next(self._events), 1) for one in self._events if isinstance(one, DocumentStartEvent))

    def _node(self, event: Event, depth: int) -> Node:
        self._nodes += 1
        if self._nodes > MOST_NODES:
            self._mistakes.end(self._span(event), f"more than {MOST_NODES:,} values", "split the file")
        if isinstance(event, ScalarEvent):
            return self._scalar(event)
        if isinstance(event, AliasEvent):
            return self._alias(event)
        assert isinstance(event, CollectionStartEvent), "where a node is due the parser gives one"
        if depth > DEEPEST:
            self._mistakes.end(self._span(event), f"nested more than {DEEPEST} deep", "no scenario needs as much")
        if event.anchor is not None or event.tag is not None:
            self._refuse_properties(event)
        return self._sequence(event, depth) if isinstance(event, SequenceStartEvent) else self._mapping(event, depth)

    def _scalar(self, event: ScalarEvent) -> Scalar:
        span = self._span(event)
        if event.style in _BLOCK_STYLES:
            span = self._trimmed(span)
        elif span.start == len(self._text):  # libyaml counts a line more at the end
            line, column, *_ = self._mistakes.source.spot(span.start)
            span = span._replace(line=line, column=column, end_line=line, end_column=column)
        if event.anchor is not None or event.tag is not None:
            self._refuse_properties(event)
            return Scalar(event.value, "", False, span)
        value: str | float | None = event.value
        is_plain = event.style in _PLAIN_STYLES
        if len(event.value) > LARGEST_SCALAR:
            self._mistakes.add(span, f"a text of more than {LARGEST_SCALAR >> 10} KiB", "shorten it")
        elif is_plain:
            try:
                value = resolved(event.value)
            except ValueError as error:
                self._mistakes.add(span, str(error), "quote it if it is a text")
        return Scalar(value, self._text[span.start : span.end], is_plain, span)

    def _sequence(self, event: SequenceStartEvent, depth: int) -> Sequence:
        items: list[Node] = []
        column = 0 if event.flow_style else self._span(event).column
        for one in self._events:
            if isinstance(one, CollectionEndEvent):
                break
            items.append(self._node(one, depth + 1))
            self._check_indentation(items[-1], column)
        span = self._span(event, one) if event.flow_style else self._upto(event, items[-1].span)
        return Sequence(tuple(items), bool(event.flow_style), span)

    def _mapping(self, event: CollectionStartEvent, depth: int) -> Mapping:
        entries: dict[str, Entry] = {}
        value: Node | None = None
        column = 0 if event.flow_style else self._span(event).column
        for one in self._events:
            if isinstance(one, CollectionEndEvent):
                break
            key = self._node(one, depth + 1)
            value = self._node(next(self._events), depth + 1)
            if value.span.start == value.span.end:
                value = self._nothing(key, value)
            self._check_indentation(value, column)
            self._enter(entries, key, value)
        span = self._span(event, one) if event.flow_style or value is None else self._upto(event, value.span)
        return Mapping(tuple(entries.values()), bool(event.flow_style), span)

    def _check_indentation(self, value: Node, column: int) -> None:
        """Refuse a scalar or a flow collection that is not indented below its key or dash: libyaml takes some."""
        is_block = not isinstance(value, Scalar) and not value.is_flow
        if value.span.column <= column and not is_block and value.span.start < value.span.end:
            self._mistakes.add(value.span, "this is not indented", "indent it below the key or dash it belongs to")

    def _enter(self, entries: dict[str, Entry], key: Node, value: Node) -> None:
        if not isinstance(key, Scalar):
            self._mistakes.add(key.span, "a key is a text; this is a list or a mapping", "write `key: value`")
        elif not isinstance(key.value, str):
            what = _KINDS[type(key.value)]
            self._mistakes.add(key.span, f"a key is a text; this is {what}", f"quote it: {_quoted(key.text)}")
        elif key.value == "<<" and key.is_plain:
            self._mistakes.add(key.span, "merge keys are not used in scenarios", "write the keys out")
        elif key.value in entries:
            first = entries[key.value].key.span.line
            message = f'the key "{shortened(key.value)}" stands twice: in line {first} and in line {key.span.line}'
            self._mistakes.add(key.span, message, "keep one of them")
        else:
            entries[key.value] = Entry(key, value)

    def _alias(self, event: AliasEvent) -> Scalar:
        span = self._span(event)
        name = shortened(self._text[span.start : span.end])
        self._mistakes.add(span, f"aliases ({name}) are not used in scenarios", "write the value out, or use variables")
        return Scalar(None, "", False, span)

    def _refuse_properties(self, event: ScalarEvent | CollectionStartEvent) -> None:
        """Note an anchor and a tag: the parser gives one place for both, in front of the value."""
        found = _PROPERTIES.match(self._text, self._span(event).start)
        assert found is not None, "an anchor or a tag begins where the parser says"
        for one in (group for group in (1, 2) if found[group]):
            span = self._mistakes.source.spot(found.start(one), len(found[one]))
            self._mistakes.add(span, *_refused_property(shortened(found[one])))

    def _nothing(self, key: Node, value: Node) -> Node:
        """Let an empty value stand behind its colon, or behind its key where there is no colon.

        The parser may let it stand where the next thing begins.
        """
        if value.span.start and self._text[value.span.start - 1] == ":":
            return value
        end = key.span
        colon = _COLON.match(self._text, end.end)
        behind = colon[0] if colon else ""
        breaks = behind.count("\n")
        line, at = end.end_line + breaks, end.end + len(behind)
        column = len(behind) - behind.rfind("\n") if breaks else end.end_column + len(behind)
        return Scalar(None, "", True, Span(line, column, line, column, at, at))

    def _span(self, event: Event, last: Event | None = None) -> Span:
        """Return where an event stands, or where something stands that ends with another event."""
        start, end = event.start_mark, (last or event).end_mark
        assert start is not None and end is not None, "the parser says where it is"  # noqa: PT018
        shift = self._shift
        return Span(
            start.line + 1, start.column + 1, end.line + 1, end.column + 1, start.index + shift, end.index + shift
        )

    def _upto(self, event: Event, last: Span) -> Span:
        """Return the span of a block collection: the parser would let it end where the next thing begins."""
        start = self._span(event)
        return Span(start.line, start.column, last.end_line, last.end_column, start.start, last.end)

    def _trimmed(self, span: Span) -> Span:
        """Let a block scalar end with its last character; the parser goes on to what follows. A tab is text."""
        text = self._text[span.start : span.end].rstrip(" \r\n")
        breaks = text.count("\n")
        column = len(text) - text.rfind("\n") if breaks else span.column + len(text)
        return Span(span.line, span.column, span.line + breaks, column, span.start, span.start + len(text))


_KINDS: Final = {type(None): "nothing", bool: "a truth value", int: "a number", float: "a number"}
_COLON: Final = re.compile(r"\s*:")
_PROPERTIES: Final = re.compile(r"([&!][^\s,\[\]{}]*)(?:\s+([&!][^\s,\[\]{}]*))?")


def _refused_property(text: str) -> tuple[str, str]:
    if text.startswith("&"):
        return f"anchors ({text}) are not used in scenarios", "remove it, and write the value out where it is used"
    return f"tags ({text}) are not used in scenarios", "remove it; quote a value that is to be a text"


def _quoted(text: str) -> str:
    return f'"{shortened(text)}"'
