r"""Data made harmless for the formats that reports are written in.

The rule guarded here: no name out of a file, a certificate or a token can end an element, a line, a field or a code
block it stands in, nor reach a terminal as a control sequence. What cannot be printed is shown as an escape (`\x1b`,
`\u202e`), a lone surrogate too, so that every text can be written as UTF-8 and as XML 1.0. Runners of CI read commands
out of what a step prints, whatever it prints: no line is one of them that was not meant to be.
"""

from __future__ import annotations

import html
import json
import os
import re
import string
from urllib.parse import quote

_PUNCTUATION = re.compile(f"([{re.escape(string.punctuation)}])")
_SURROGATE = re.compile("[\ud800-\udfff]")
_LINE_COMMAND = re.compile(r"^(\s*):(?=:)", re.MULTILINE)
_BRACKET_COMMAND = re.compile(r"##(?=\w*\[)")
_BACKTICKS = re.compile("`+")


def printable(text: str) -> str:
    """Show what cannot be printed as an escape; line feeds stay."""
    if text.isprintable():
        return text
    return "".join(one if one == "\n" or one.isprintable() else _escaped(one) for one in text)


def one_line(text: str) -> str:
    """Show what cannot be printed as an escape, line feeds too."""
    return printable(text).replace("\n", "\\n")


def _escaped(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def without_commands(text: str) -> str:
    r"""Break what a CI's runner takes for a command when it reads it in a log: `::x` that begins a line, `##[x]`."""
    return _BRACKET_COMMAND.sub(r"#\\x23", _LINE_COMMAND.sub(r"\1\\x3a", text))


def whole(value: object) -> object:
    """Show lone surrogates as escapes in every text of a document, names of members too; all else stays as it is."""
    if isinstance(value, str):
        return value if value.isascii() else _SURROGATE.sub(lambda found: _escaped(found[0]), value)
    if isinstance(value, dict):
        return {whole(name): whole(one) for name, one in value.items()}
    return [whole(one) for one in value] if isinstance(value, list) else value


def xml_text(text: str) -> str:
    """Write text between tags; `>` is escaped as well, so nothing ends a section."""
    return html.escape(without_commands(printable(text)), quote=False)


def xml_attribute(text: str) -> str:
    """Write an attribute's value with its quotes; line feeds survive the reader's normalisation."""
    return '"' + html.escape(printable(text)).replace("\n", "&#10;") + '"'


def yaml_scalar(text: str) -> str:
    """Write a double-quoted scalar on one line; a JSON string is one."""
    return json.dumps(printable(text), ensure_ascii=False)


def markdown(text: str) -> str:
    """Write text that means nothing to Markdown: every punctuation mark escaped, so there is no markup and no link."""
    return _PUNCTUATION.sub(r"\\\1", one_line(text))


def code_block(text: str) -> str:
    """Write a fenced block that nothing in it can end."""
    shown = without_commands(printable(text))
    fence = "`" * max(3, 1 + max((len(found[0]) for found in _BACKTICKS.finditer(shown)), default=0))
    return f"{fence}text\n{shown}\n{fence}\n"


def file_uri(name: str) -> str:
    """Write a file's name as a relative URI reference, an absolute one as a `file` URI; odd bytes are kept."""
    path = name.replace(os.sep, "/")
    quoted = quote(path.encode("utf-8", "surrogatepass" if _has_odd_surrogate(path) else "surrogateescape"), safe="/")
    if path.startswith("/"):
        return f"file://{quoted}"
    return f"./{quoted}" if quoted.startswith("/") or not quoted else quoted


def _has_odd_surrogate(text: str) -> bool:
    """Find surrogates that stand for no byte of a file's name."""
    return any("\ud800" <= one <= "\udfff" and not "\udc80" <= one <= "\udcff" for one in text)
