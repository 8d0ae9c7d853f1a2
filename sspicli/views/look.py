"""How things are drawn: what every view takes besides what it shows."""

from __future__ import annotations

from typing import NamedTuple

from sspicli.views.text import Glyphs


class Look(NamedTuple):
    """With which glyphs, how wide, with measured times or without.

    `verbosity` is -1 for the verdict only, 0 for the ladder, 1 with calls, attributes and buffers, 2 with their bytes.
    """

    glyphs: Glyphs
    width: int
    timing: bool
    verbosity: int = 0
