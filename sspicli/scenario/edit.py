"""Edit a scenario's text at the places of its values, and leave everything else byte for byte.

The rule guarded here: what is written is read back as the same value, in a block and in `[...]` or `{...}` alike. A
value is quoted only where it must be, or where what stood there was quoted; what would hide in the text is an escape.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Iterable
from typing import Final

from sspicli.scenario.source import Span
from sspicli.scenario.yaml import Scalar, resolved


def replaced(text: str, edits: Iterable[tuple[Span, str]]) -> str:
    """Put new texts where the spans stand; they must not overlap. What is empty gets the blank or colon it needs.

    Parse the result before it is kept: a line that is empty but for a tab may stand in a text of several lines, and
    libyaml does not take it behind a text of one line.
    """
    parts: list[str] = []
    at = 0
    for span, new in sorted(edits, key=lambda edit: edit[0].start):
        assert at <= span.start <= span.end <= len(text), "edits lie in the text, one behind the other"
        parts += text[at : span.start], _lead(text, span) if new else "", new
        at = span.end
    return "".join((*parts, text[at:]))


_EMPTY_VALUE: Final = re.compile(r"(?:^|[\s\[{,:])-$|[:?]$")


def _lead(text: str, span: Span) -> str:
    """Return what an empty value needs in front: `key:` and `-` a blank, the key in `{key}` its colon too."""
    if span.start < span.end:
        return ""
    before = text[text.rfind("\n", 0, span.start) + 1 : span.start]
    if not before.strip("\ufeff") or before[-1] in " \t[{,":
        return ""
    return " " if _EMPTY_VALUE.search(before) else ": "


def written(value: object, *, like: Scalar | None = None) -> str:
    r"""Write a scalar so that it is read back as the same; in the style of what stood there, if that is possible.

    ValueError for what no scalar can hold: a list, half a character, a number of more than 1,000 characters.
    """
    if isinstance(value, str):
        return _written_text(value, like)
    if value is None:
        return like.text if like is not None and like.value is None and like.text else "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        text = f"0x{value:x}" if like is not None and like.text.startswith("0x") and value >= 0 else str(value)
    elif isinstance(value, float):
        text = repr(value) if math.isfinite(value) else repr(value).replace("inf", ".inf").replace("nan", ".nan")
    else:
        raise ValueError("only a text, a number, a truth value or nothing is a scalar")
    resolved(text)
    return text


# what can stand without quotes: it begins with no sign of YAML's and holds none, in a block or in [...] and {...}
_PLAIN: Final = re.compile(
    r"(?!---|\.\.\.|<<$)(?:[^\s\-?:,\[\]{}#&*!|>'\"%@`]|-(?=[^\s,\[\]{}]))"
    r"(?:[^\s,\[\]{}:#]|:(?![\s?]|$)|(?<!\s)#| (?! *$))*"
)
_ESCAPES: Final = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t", "\0": "\\0", "\x1b": "\\e"}


def _written_text(value: str, like: Scalar | None) -> str:
    quote = like.text[:1] if like is not None and not like.is_plain else ""
    is_printed = value.isprintable()
    if is_printed and quote == "'":
        return "'" + value.replace("'", "''") + "'"
    if is_printed and quote != '"' and _PLAIN.fullmatch(value) and _is_text(value):
        return value
    return '"' + "".join(_escaped(one) for one in value) + '"'


def _is_text(value: str) -> bool:
    try:
        return isinstance(resolved(value), str)
    except ValueError:
        return False


def _escaped(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    if character.isprintable():
        return character
    code = ord(character)
    if 0xD800 <= code < 0xE000:
        raise ValueError("half a character (a surrogate) cannot be written")
    if code < 0x10000:
        return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
    return f"\\U{code:08x}"


def diff(old: str, new: str, file: str) -> str:
    """Show what changes in a file, as `diff -u` and `git diff` do; "" for nothing."""
    lines = difflib.unified_diff(_lines(old), _lines(new), f"a/{file}", f"b/{file}")
    return "".join(one if one.endswith("\n") else one + "\n\\ No newline at end of file\n" for one in lines)


def _lines(text: str) -> list[str]:
    """Split at line feeds and nowhere else."""
    return [one for one in re.split(r"(?<=\n)", text) if one]
