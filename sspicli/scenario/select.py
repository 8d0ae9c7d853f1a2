"""Which cases of those collected are run: by words of their ids, by tags, by a range, by a share of the whole.

The rule guarded here: the same command line over the same files selects the same cases in the same order. A selection
is worked out from ids and tags alone; expressions are parsed here, never evaluated.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import NamedTuple, Protocol, TypeVar

from sspicli.sspi.errors import UsageError

Holds = Callable[[str], bool]
_TOKEN = re.compile(r"""\s*(?:([()])|"([^"]*)"|'([^']*)'|([^\s()"']+))""")
_LONGEST, _DEEPEST = 10_000, 50
_OPERATORS = ("and", "or", "not")


class Selectable(Protocol):
    """What a case must tell to be selected."""

    @property
    def id(self) -> str:
        """The case's stable id."""

    @property
    def file(self) -> str:
        """The file it is from."""

    @property
    def tags(self) -> tuple[str, ...]:
        """Its tags."""


C = TypeVar("C", bound=Selectable)


class Shard(NamedTuple):
    """The share `number` (from 1) of `total`."""

    number: int
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What a command line wants of the cases: each member narrows what the ones before it left.

    `tags` without a mark are wanted, any of them; those that begin with `!` are not. `first` and `last` are ids, or
    files, in the order of collection. `failed` are the ids of the last failures, None where they were not asked for.
    """

    words: str = ""
    tags: tuple[str, ...] = ()
    first: str = ""
    last: str = ""
    failed: frozenset[str] | None = None
    shard: Shard | None = None

    def of(self, cases: Sequence[C]) -> list[C]:
        """Select, in the order of collection."""
        holds = _words_for(self.words, cases) if self.words else _always
        kept = [one for one in cases if holds(one.id) and _has_wanted(one.tags, self.tags)]
        kept = _between(kept, cases, self.first, self.last)
        if self.failed is not None:
            kept = [one for one in kept if one.id in self.failed]
        return kept if self.shard is None else kept[self.shard.number - 1 :: self.shard.total]


def _always(_: str) -> bool:
    return True


def _words_for(words: str, cases: Iterable[Selectable]) -> Holds:
    """Take words as they are where they are a part of an id, so that any name can be copied; else as an expression."""
    part = words.casefold()
    is_part = any(part in one.id.casefold() for one in cases)
    return (lambda name: part in name.casefold()) if is_part else parse_words(words)


# -- words -------------------------------------------------------------------------------------------------------------


def parse_words(text: str) -> Holds:
    """Read `-k`: parts of ids, joined by and, or, not and brackets; words in a row are one part, blanks and all.

    Case does not matter. A part in quotes may hold brackets and the words and, or, not.
    """
    if len(text) > _LONGEST:
        raise UsageError(f"the expression is longer than {_LONGEST:,} characters", where="-k")
    parser = _Parser(_tokens(text), text)
    holds = parser.alternative(0)
    if not parser.is_at_end:
        raise parser.error("an operator is missing before it")
    return holds


class _Token(NamedTuple):
    text: str
    is_part: bool
    at: int


def _tokens(text: str) -> list[_Token]:
    found: list[_Token] = []
    at = 0
    while text[at:].strip():
        match = _TOKEN.match(text, at)
        if match is None:
            raise UsageError(f"a quote is not closed in {text!r}", where="-k", help=_HOW)
        bracket, double, single, word = match.groups()
        quoted = double if double is not None else single
        is_part = quoted is not None or (word is not None and word.lower() not in _OPERATORS)
        found.append(_Token(quoted if quoted is not None else bracket or word, is_part, at))
        at = match.end()
    return found


_HOW = "write parts of ids, such as: -k 'tls and not (expired or revoked)'"


class _Parser:
    """Reads tokens from left to right; `or` binds weakest, then `and`, then `not`."""

    def __init__(self, tokens: list[_Token], text: str) -> None:
        self._tokens = tokens
        self._text = text
        self._at = 0

    @property
    def is_at_end(self) -> bool:
        return self._at >= len(self._tokens)

    def alternative(self, depth: int) -> Holds:
        found = [self._conjunction(depth)]
        while self._takes("or"):
            found.append(self._conjunction(depth))
        return found[0] if len(found) == 1 else lambda name: any(one(name) for one in found)

    def _conjunction(self, depth: int) -> Holds:
        found = [self._term(depth)]
        while self._takes("and"):
            found.append(self._term(depth))
        return found[0] if len(found) == 1 else lambda name: all(one(name) for one in found)

    def _term(self, depth: int) -> Holds:
        is_wanted = True
        while self._takes("not"):
            is_wanted = not is_wanted
        inner = self._bracket(depth) if self._takes("(") else self._part()
        return inner if is_wanted else lambda name: not inner(name)

    def _bracket(self, depth: int) -> Holds:
        if depth >= _DEEPEST:
            raise UsageError(f"brackets are nested deeper than {_DEEPEST}", where="-k")
        inner = self.alternative(depth + 1)
        if not self._takes(")"):
            raise self.error("a closing bracket is missing")
        return inner

    def _part(self) -> Holds:
        words = []
        while not self.is_at_end and self._tokens[self._at].is_part:
            words.append(self._tokens[self._at].text)
            self._at += 1
        if not words:
            raise self.error("a part of an id is missing")
        wanted = " ".join(words).casefold()
        return lambda name: wanted in name.casefold()

    def _takes(self, text: str) -> bool:
        if self.is_at_end or self._tokens[self._at].is_part or self._tokens[self._at].text.lower() != text:
            return False
        self._at += 1
        return True

    def error(self, what: str) -> UsageError:
        where = "at the end" if self.is_at_end else f"at {self._tokens[self._at].text!r}"
        return UsageError(f"{what}, {where} of {self._text!r}", where="-k", help=_HOW)


# -- tags, ranges, shares ----------------------------------------------------------------------------------------------


def _has_wanted(tags: Iterable[str], wanted: tuple[str, ...]) -> bool:
    own = set(tags)
    refused = {one[1:] for one in wanted if one.startswith("!")}
    asked = {one for one in wanted if not one.startswith("!")}
    return not own & refused and (not asked or bool(own & asked))


def _between(kept: list[C], cases: Sequence[C], first: str, last: str) -> list[C]:
    """Keep what stands from the first to the last, both of them included."""
    if not first and not last:
        return kept
    begin = _position(cases, first, "--from") if first else 0
    end = _position(cases, last, "--to", is_end=True) if last else len(cases) - 1
    if begin > end:
        raise UsageError(f"{first!r} stands after {last!r}", where="--from", help="--list shows the order")
    within = {one.id for one in cases[begin : end + 1]}
    return [one for one in kept if one.id in within]


def _position(cases: Sequence[C], wanted: str, option: str, *, is_end: bool = False) -> int:
    """Find a case by its id or by its file: the first of them, or the last for the end of a range."""
    places = [at for at, one in enumerate(cases) if wanted in (one.id, one.file)]
    if places:
        return places[-1] if is_end else places[0]
    near = get_close_matches(wanted, [one.id for one in cases], n=1)
    way_out = f"did you mean {near[0]!r}?" if near else "--list shows the ids"
    raise UsageError(f"no case has the id {wanted!r}", where=option, help=way_out)


def parse_shard(text: str) -> Shard:
    """Read `--shard`: i/n, the share i of n, from 1."""
    number, slash, total = text.partition("/")
    if not (slash and number.isascii() and number.isdigit() and total.isascii() and total.isdigit()):
        raise UsageError(f"{text!r} is no share", where="--shard", help="write 1/4 for the first of four")
    if len(text) > 12 or not 1 <= int(number) <= int(total):
        raise UsageError(f"{text!r} is no share: the first is 1, the last {total[:6]}", where="--shard")
    return Shard(int(number), int(total))


def why_nothing(selection: Selection, cases: Sequence[C]) -> str:
    """Say what to look at when none of these cases was selected; "" when there is nothing to say."""
    known = sorted({tag for one in cases for tag in one.tags})
    for tag in selection.tags:
        word = tag.removeprefix("!")
        if word not in known:
            near = get_close_matches(word, known, n=1)
            return f"no case has the tag {word!r}" + (f"; did you mean {near[0]!r}?" if near else "")
    return "--list without a selection shows what there is" if cases else ""
