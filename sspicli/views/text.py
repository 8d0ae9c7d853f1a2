"""Lines of styled text, the glyphs they are drawn with, and the one sanitiser for data that is shown.

A view is a function from a report to lines; what prints them decides on colour. Colour never carries meaning alone:
every state has a word and a glyph. Names from certificates, tokens and files are data: `visible` shows their control
characters, escape sequences and direction overrides instead of sending them to a terminal.
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
    """Count the cells a line takes; all our glyphs are one cell wide."""
    return sum(len(segment.text) for segment in one)


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


UNICODE = Glyphs()
ASCII = Glyphs(
    "<->", "~", "+", "x", ">>", "-", ">", "<", "|", "|", ".", "x", "|", "`", "->", "~", "++++", "++"
)  # fmt: skip

_LONGEST = 256


def visible(text: str, longest: int = _LONGEST) -> str:
    r"""Show data safely: control and format characters as `\x1b` or `\u202e`, everything long cut with a count."""
    shown = "".join(
        [
            one if one == " " or (one.isprintable() and unicodedata.category(one) != "Cf") else _escaped(one)
            for one in text
        ]
    )
    return shown if len(shown) <= longest else f"{shown[:longest]}… ({len(text)} characters)"


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
