"""What is wrong with a text before it is a scenario: bytes, characters, and YAML's own grammar, in plain words.

The rule guarded here: what the parser says about itself ("expected <block end>, but found '?'") is never what a user
reads. Each of its errors becomes one sentence about the text, with a place and a way out.
"""

from __future__ import annotations

import re
from typing import Final, NoReturn

import yaml

from sspicli.analysis.cases import Problem
from sspicli.scenario.source import BOM, ScenarioError, Source, Span

LONGEST_KEY = 1024  # characters, YAML 1.2.2, 7.4.2
MOST_PROBLEMS = 50  # of one file: nobody mends more at a time


class Enough(Exception):  # noqa: N818  # no error of its own: it ends the looking
    """There are as many problems as are told, or there is more text than is looked at."""


class Mistakes:
    """The problems of one text, as they are found."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.found: list[Problem] = []

    def add(self, span: Span, message: str, help: str = "") -> None:
        """Note a problem; raise Enough when there are enough."""
        self.found.append(Problem(self.source.place(span), message, help))
        if len(self.found) >= MOST_PROBLEMS:
            raise Enough

    def end(self, span: Span, message: str, help: str = "") -> NoReturn:
        """Note a problem behind which nothing is looked at."""
        self.add(span, message, help)
        raise Enough

    def raise_if_any(self) -> None:
        """Raise what was found, in the order of the text."""
        if self.found:
            raise ScenarioError(tuple(sorted(self.found, key=lambda one: one.place[1:3])))


def shortened(text: str) -> str:
    """Quote no text without end."""
    return text if len(text) <= 60 else text[:59] + "…"


def decoded(data: bytes, file: str) -> str:
    """Return a file's text, which is UTF-8; a byte order mark may stand in front."""
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        mistakes = Mistakes(Source(file, data.decode(errors="replace")))
        place = mistakes.source.spot(len(data[: error.start].decode()))
        mistakes.add(place, *_not_utf8(data, error.start))
        mistakes.raise_if_any()
        raise AssertionError("a byte that is no UTF-8 is a problem") from None


def _not_utf8(data: bytes, at: int) -> tuple[str, str]:
    for mark, name in ((b"\xff\xfe\0\0", "UTF-32"), (b"\xff\xfe", "UTF-16"), (b"\xfe\xff", "UTF-16")):
        if data.startswith(mark):
            return f"this file is {name}; a scenario is UTF-8", f"iconv -f {name.lower()} -t utf-8"
    help = "save the file as UTF-8; from Latin-1 it is: iconv -f latin1 -t utf-8"
    return f"the byte 0x{data[at]:02X} is not UTF-8 here (offset {at})", help


# YAML 1.2.2, 5.1, without the line ends of YAML 1.1 and without what would hide: a mark inside, a lone carriage return
_REFUSED: Final = re.compile(
    "[^\t\n\r\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]|\r(?!\n)"
    r"|(?:^|(?<=\ufeff))%(?!YAML 1\.2[ \t\r]*$)[^\r\n]*",
    re.MULTILINE,
)


def check_characters(mistakes: Mistakes) -> None:
    """Note what YAML forbids in a text, and what the parser would take for something else than an editor does."""
    text = mistakes.source.text
    for one in _REFUSED.finditer(text, int(text.startswith(BOM))):
        mistakes.add(mistakes.source.spot(one.start(), len(one[0])), *_refused(one[0]))


def _refused(text: str) -> tuple[str, str]:
    if text.startswith("%"):
        return f"the directive {shortened(text)} is not used in scenarios", "remove the line; YAML 1.2 needs none"
    code = ord(text)
    if text == "\r":
        return "a carriage return without a line feed", "end lines with a line feed"
    if 0xD800 <= code < 0xE000:
        return f"half a character (surrogate U+{code:04X})", "remove it"
    escape = f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
    what = "a byte order mark inside the text" if text == BOM else f"the character U+{code:04X}, which is not shown"
    return what, f'remove it, or write "{escape}" in double quotes'


_WORDS: Final = (  # what the two parsers say, what it means, the way out
    (
        "mapping values are not allowed",
        'a ":" where no key can stand',
        'quote the text if the ":" belongs to it, or mend the indentation',
    ),
    ("found unexpected ':'", 'a ":" where no key can stand', "write a blank behind it, or quote the text"),
    ("could not find expected ':'", "a line that is no `key: value`", 'write a ":" and a blank behind the key'),
    (
        "sequence entries are not allowed",
        'a "- " where no list can begin',
        "begin the list on a line of its own, or quote the text",
    ),
    ("unexpected end of stream", "a quote that is never closed", "close it"),
    ("unexpected document", "a quote that is open where a document ends", "close it"),
    ("unknown escape character", "a backslash with a letter that means nothing", "use single quotes, or write \\\\"),
    ("escape sequence of", "an escape without its hexadecimal digits", "\\x takes 2 digits, \\u 4 and \\U 8"),
    (
        "hexdecimal",
        "an escape without its hexadecimal digits",
        "\\x takes 2 digits, \\u 4 and \\U 8",
    ),  # libyaml spells so
    ("invalid Unicode character", "an escape of a character that does not exist", "write another one"),
    (
        "',' or ']'",
        'a "["{opened} that is not closed where it should be',
        'write "," between its values and "]" at its end',
    ),
    (
        "',' or '}'",
        'a "{"{opened} that is not closed where it should be',
        'write "," between its entries and "}" at its end',
    ),
    (
        "'-' indicator",
        "a line that does not belong to the list above it",
        'begin it with "- ", or mend the indentation',
    ),
    (
        "document start",
        "a line that does not belong to what is above it",
        "mend the indentation, or separate documents by ---",
    ),
    ("comment or line break", "a text behind | or > on its line", "begin the text on the next line, indented"),
    ("chomping or indentation", "a text behind | or > on its line", "begin the text on the next line, indented"),
    ("indentation indicator", "| and > take an indentation of 1 to 9", "write no number"),
    ("alphabetic or numeric", "a * or & without a name", "quote the text"),
    ("node content", "a value is missing here", "write it, or quote the sign if it is the text"),
    ("tab character", "a tab where the line is indented", "indent with blanks"),
)
_UNITED: Final = ("did not find expected key", "expected <block end>")


def in_plain_words(error: yaml.YAMLError, mistakes: Mistakes) -> None:
    """Note the parser's one error as a sentence about the text."""
    said = getattr(error, "problem", None) or str(error)
    mark = getattr(error, "problem_mark", None)
    if "unexpected end of stream" in said or "unexpected document" in said:
        mark = getattr(error, "context_mark", None) or mark
    source = mistakes.source
    shift = int(source.text.startswith(BOM))
    at = min(mark.index + shift, len(source.text)) if mark is not None else 0
    if "mapping values" in said and mark is not None and mark.column > LONGEST_KEY:
        mistakes.add(source.spot(at), f"a key of more than {LONGEST_KEY:,} characters", "shorten it")
        return
    mistakes.add(source.spot(at), *_explained(said, getattr(error, "context_mark", None), source.text[at : at + 1]))


def _explained(said: str, context: yaml.Mark | None, character: str) -> tuple[str, str]:
    opened = f" (line {context.line + 1})" if context is not None else ""
    if "cannot start any token" in said:
        if character == "\t":
            return "a tab where the line is indented", "indent with blanks"
        return f"a value cannot begin with {character}", f"quote it: '{character}...'"
    for words, message, help in _WORDS:
        if words in said:
            return message.replace("{opened}", opened), help
    if any(one in said for one in _UNITED):
        return (
            f"this does not belong to the block above it{opened}",
            "mend the indentation, or quote the text before it",
        )
    return f"this is not YAML: {shortened(said)}", ""
