"""Lines of styled text, the glyphs they are drawn with, and the one sanitiser for data that is shown.

A view is a function from a report to lines; what prints them decides on colour. Colour never carries meaning alone:
every state has a word and a glyph. Names from certificates, tokens and files are data: `visible` shows as escapes, and
never sends to a terminal, whatever could act on it or hide from its reader. That is control characters and with them
escape sequences (C0, DEL, C1), format characters (direction overrides and isolates, zero-width, tags, byte order mark),
line and paragraph separators, blanks other than the blank, lone surrogates, private and unassigned code points, what is
drawn as nothing (fillers, variation selectors), and marks that nothing carries or that are piled up. Letters of every
script stay, those written from right to left too.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from typing import NamedTuple


class Segment(NamedTuple):
    """A run of text in one style (a name of `cli/console.py`'s theme, "" for plain)."""

    text: str
    style: str = ""


Line = tuple[Segment, ...]


def line(*parts: str | Segment) -> Line:
    """Make a line from plain strings and styled segments."""
    return tuple(part if isinstance(part, Segment) else Segment(part) for part in parts)


def plain(one: Line) -> str:
    """Return a line's text without its styles, and without trailing blanks."""
    return "".join(segment.text for segment in one).rstrip()


def width_of(one: Iterable[Segment]) -> int:
    """Count the cells a line takes; all our glyphs are one cell wide, and what is data may be none or two."""
    return sum(len(segment.text) if segment.text.isascii() else _cells(segment.text) for segment in one)


def _cells(text: str) -> int:
    marks = sum(unicodedata.category(one) in _MARKS for one in text)
    return len(text) - marks + sum(unicodedata.east_asian_width(one) in "WF" for one in text)


class Glyphs(NamedTuple):
    """What is drawn with: one set for terminals that carry it, one in ASCII."""

    both: str = "⇄"
    clock: str = "◷"
    good: str = "✓"
    bad: str = "✗"
    inline: str = "»"
    dash: str = "─"
    right: str = "▶"
    left: str = "◀"
    stem_left: str = "├"
    stem_right: str = "┤"
    dot: str = "·"
    times: str = "×"
    pipe: str = "│"
    corner: str = "└"
    to: str = "→"
    more: str = "…"
    corners: str = "┌┐└┘"
    tees: str = "┬┴"
    skip: str = "↷"


UNICODE = Glyphs()
ASCII = Glyphs(
    "<->", "~", "+", "x", ">>", "-", ">", "<", "|", "|", ".", "x", "|", "`", "->", "~", "++++", "++", "/"
)  # fmt: skip

_LONGEST = 256


_MOST_MARKS = 2  # on one letter; Thai and Vietnamese need as many
_MARKS = frozenset({"Mn", "Me"})
# Drawn as nothing or a blank, though they count as letters, marks or symbols (Default_Ignorable_Code_Point, Braille).
_INVISIBLE = frozenset(
    map(chr, (0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0, *range(0x180B, 0x1810)))
) | frozenset(map(chr, (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))))


def visible(text: str, longest: int = _LONGEST) -> str:
    r"""Show data safely: what acts or hides as `\x1b` or `\u202e`, everything long cut with a count."""
    cut = text[: longest + 1]  # every character is shown by one or more
    shown = cut if cut.isascii() and cut.isprintable() else _shown(cut)
    return shown if len(shown) <= longest else f"{shown[:longest]}… ({len(text)} characters)"


def _shown(text: str) -> str:
    parts, marks = [], _MOST_MARKS  # a mark in front would be carried by what we write there
    for one in text:
        category = unicodedata.category(one)
        marks = marks + 1 if category in _MARKS else 0
        is_safe = one.isprintable() and category != "Cf" and one not in _INVISIBLE and marks <= _MOST_MARKS
        parts.append(one if is_safe else _escaped(one))
    return "".join(parts)


def _escaped(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def wrapped(words: Iterable[str], width: int) -> list[str]:
    """Fill lines of at most `width` cells with words; a word longer than that has a line of its own."""
    lines: list[str] = []
    for word in words:
        if lines and len(lines[-1]) + 1 + len(word) <= width:
            lines[-1] += " " + word
        else:
            lines.append(word)
    return lines or [""]


def folded(head: Segment, text: str, *, width: int, indent: int) -> list[Line]:
    """Put text behind a head, and what does not fit below it; runs of blanks in the first line stay."""
    room = width - len(head.text)
    if len(text) <= room:
        return [line(head, text)]
    cut = text.rfind(" ", 0, room + 1)
    cut = cut if cut > 0 else room
    rest = wrapped(text[cut:].split(), width - indent)
    return [line(head, text[:cut]), *(line(" " * indent, part) for part in rest)]
