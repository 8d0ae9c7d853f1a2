"""The one place that decides how output looks: width, colour, glyphs.

`--color` beats NO_COLOR beats FORCE_COLOR beats TERM=dumb beats whether stdout is a terminal. Without colour nothing
but the text is written, and rich is not imported.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TextIO

from sspicli.views.text import ASCII, UNICODE, Glyphs, Line, plain, visible

THEME = {
    "good": "green",
    "bad": "bold red",
    "warn": "yellow",
    "head": "bold",
    "leg": "cyan",
    "call": "bold",
    "muted": "dim",
    "field0": "cyan",
    "field1": "magenta",
    "field2": "green",
    "field3": "yellow",
    "field4": "blue",
}
_LONGEST = 1_000_000  # no line is as long
NARROWEST, WIDEST, OFF_TERMINAL = 48, 120, 100


@dataclass(frozen=True, slots=True)
class Console:
    """Where output goes and what it may look like."""

    stream: TextIO
    width: int
    has_color: bool
    glyphs: Glyphs

    def show(self, lines: Iterable[Line]) -> None:
        """Write lines, in colour where that is wanted."""
        if self.has_color:
            self._show_in_color(lines)
            return
        text = "".join(f"{_harmless(plain(one))}\n" for one in lines)
        self.stream.write(text if self.glyphs is UNICODE else _in_ascii(text))

    def _show_in_color(self, lines: Iterable[Line]) -> None:
        from rich.console import Console as RichConsole
        from rich.text import Text

        rich = RichConsole(
            file=self.stream, force_terminal=True, color_system="standard", highlight=False, soft_wrap=True
        )
        for one in lines:
            text = Text()
            for segment in one:
                harmless = _harmless(segment.text)
                shown = harmless if self.glyphs is UNICODE else _in_ascii(harmless)
                text.append(shown, style=THEME.get(segment.style, ""))
            text.rstrip()
            rich.print(text)


def _harmless(text: str) -> str:
    """Let nothing through that could act on a terminal, should a view have forgotten to say so itself."""
    return text if text.isprintable() else visible(text, _LONGEST)


def _in_ascii(text: str) -> str:
    r"""Replace what ASCII cannot carry: an ellipsis by dots, the rest by `\u` escapes."""
    return text.replace("…", "...").encode("ascii", "backslashreplace").decode("ascii")


def make_console(
    *, color: str = "auto", ascii: bool = False, width: int | None = None, stream: TextIO | None = None
) -> Console:
    """Make the console that the options, the environment and the stream ask for."""
    stream = stream or sys.stdout
    is_terminal = stream.isatty()
    return Console(
        stream=stream,
        width=max(NARROWEST, width or min(_columns(stream), WIDEST)),
        has_color=_has_color(color, os.environ, is_terminal=is_terminal),
        glyphs=ASCII if ascii or not _carries(stream) else UNICODE,
    )


def _columns(stream: TextIO) -> int:
    """Count the columns: as COLUMNS says, else the terminal's, else what suits a file."""
    said = os.environ.get("COLUMNS", "")
    if said.isdecimal() and len(said) < 6:
        return int(said)
    if not stream.isatty():
        return OFF_TERMINAL
    try:
        return os.get_terminal_size(stream.fileno()).columns or OFF_TERMINAL
    except OSError:
        return OFF_TERMINAL


def _has_color(color: str, environment: Mapping[str, str], *, is_terminal: bool) -> bool:
    if color != "auto":
        return color == "always"
    if environment.get("NO_COLOR"):
        return False
    if environment.get("FORCE_COLOR"):
        return True
    return is_terminal and environment.get("TERM") != "dumb"


def _carries(stream: TextIO) -> bool:
    """Say whether the stream's encoding has our glyphs."""
    try:
        "".join(UNICODE).encode(stream.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
