"""A manual page as data, and its two faces: man(7) source, and plain text for where there is no man.

The rule guarded here: a page says the same in both. Text is data, never source: a backslash, a hyphen that is meant, a
line that begins with a dot and anything that is not ASCII are escaped here and nowhere else.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator
from typing import NamedTuple


class Paragraph(NamedTuple):
    """Text that is filled."""

    text: str


class Item(NamedTuple):
    """A term, such as an option with its value, what it means, and what belongs below it."""

    term: str
    text: str
    below: tuple[Item, ...] = ()


class Lines(NamedTuple):
    """Lines that are kept as they are."""

    lines: tuple[str, ...]


Block = Paragraph | Item | Lines


class Section(NamedTuple):
    """A heading and its blocks."""

    title: str
    blocks: tuple[Block, ...]


class Page(NamedTuple):
    """One page, of section 1 (commands) or 7 (all else); `date` and `version` stand in its footer."""

    name: str
    summary: str
    date: str
    version: str
    sections: tuple[Section, ...]
    number: int = 1


_MANUALS = {1: "User Commands", 7: "Miscellaneous Information"}

# -- man(7) ------------------------------------------------------------------------------------------------------------

_ESCAPES = {"\\": "\\e", "-": "\\-", "'": "\\(aq", "`": "\\(ga", "^": "\\(ha", "~": "\\(ti", '"': "\\(dq"}


def roff(page: Page) -> str:
    """Write a page as man(7) source, in ASCII."""
    name = page.name.upper().replace("-", "\\-")
    lines = [
        '.\\" Made by: python -m sspicli.cli.man --write man',
        f'.TH {name} {page.number} "{page.date}" "{_escaped(page.version)}" "{_MANUALS[page.number]}"',
        ".ad l",
        ".SH NAME",
        f"{_escaped(page.name)} \\- {_escaped(page.summary)}",
    ]
    for section in page.sections:
        lines.append(f".SH {_argument(section.title)}")
        lines += _body(section.blocks)
    return "\n".join(lines) + "\n"


def _body(blocks: tuple[Block, ...]) -> Iterator[str]:
    for number, block in enumerate(blocks):
        match block:
            case Paragraph(text=text):
                yield from ([".PP"] if number else [])
                yield from _text_lines(text)
            case Lines(lines=kept):
                yield from ([".PP"] if number else [])
                yield from (".RS 4", ".nf", *map(_line, kept), ".fi", ".RE")
            case Item():
                yield from _item(block)


def _item(item: Item) -> Iterator[str]:
    """Write a tagged paragraph; what is below it is indented once more."""
    yield ".TP"
    yield _term(item.term)
    yield from _text_lines(item.text)
    if item.below:
        yield ".RS"
        for one in item.below:
            yield from _item(one)
        yield ".RE"


def _term(term: str) -> str:
    """Set names in bold and what stands for a value in italics."""
    if term.startswith("-"):
        return re.sub(r"[^\s,]+", _option_word, term)
    key, colon, value = term.partition(": ")
    if colon:
        return f"\\fB{_escaped(key)}\\fR: \\fI{_escaped(value)}\\fR"
    key, equals, value = term.partition("=")
    if equals:
        return f"\\fB{_escaped(key)}\\fR=\\fI{_escaped(value)}\\fR"
    return f"\\fB{_escaped(term)}\\fR"


def _option_word(word: re.Match[str]) -> str:
    text = word[0]
    style = "B" if text.startswith("-") else "R" if text == "/" else "I"
    return f"\\f{style}{_escaped(text)}\\fR"


def _text_lines(text: str) -> list[str]:
    """Break text for the source's sake; the formatter fills it anew."""
    return [_line(one) for one in textwrap.wrap(text, 76, break_long_words=False, break_on_hyphens=False) or [""]]


def _line(text: str) -> str:
    return _protected(_escaped(text))


def _protected(text: str) -> str:
    """Keep a line that begins with a control character from being read as a request."""
    return f"\\&{text}" if text.startswith((".", "'")) or not text else text


def _argument(text: str) -> str:
    return f'"{_escaped(text)}"' if " " in text else _escaped(text)


def _escaped(text: str) -> str:
    return "".join(_ESCAPES.get(one) or (one if " " <= one <= "~" else f"\\[u{ord(one):04X}]") for one in text)


# -- plain text --------------------------------------------------------------------------------------------------------

_INDENT = 4


def plain_text(page: Page, width: int) -> str:
    """Write a page as text that is at most `width` wide, except for lines that are kept."""
    head = Section("NAME", (Paragraph(f"{page.name} - {page.summary}"),))
    parts = [f"{section.title}\n" + "\n".join(_text(section.blocks, width)) for section in (head, *page.sections)]
    return "\n\n".join(parts) + "\n"


def _text(blocks: Iterable[Block], width: int) -> Iterator[str]:
    for number, block in enumerate(blocks):
        match block:
            case Paragraph(text=text):
                yield from ([""] if number else [])
                yield from _filled(text, width, _INDENT)
            case Lines(lines=kept):
                yield from ([""] if number else [])
                yield from (" " * 2 * _INDENT + one for one in kept)
            case Item():
                yield from _item_text(block, width, _INDENT)


def _item_text(item: Item, width: int, indent: int) -> Iterator[str]:
    yield from _filled(item.term, width, indent)
    if item.text:
        yield from _filled(item.text, width, indent + _INDENT)
    for one in item.below:
        yield from _item_text(one, width, indent + _INDENT)


def _filled(text: str, width: int, indent: int) -> list[str]:
    margin = " " * indent
    return textwrap.wrap(
        text, width, initial_indent=margin, subsequent_indent=margin, break_long_words=False, break_on_hyphens=False
    )
