"""What stands around the line: the prompt, which says who moves next, the toolbar below it, and the keys.

The rule guarded here: both are functions of the state alone, in one line each; what in it came out of a file is shown
as text.
"""

from __future__ import annotations

from sspicli import __version__
from sspicli.debugger.debugger import Status
from sspicli.views.text import Glyphs, Line, Segment, folded, line, visible

KEYS: tuple[tuple[str, str], ...] = (
    ("Enter", "on an empty line repeats the last command, if it is one that may be repeated"),
    ("Tab", "completes; what is typed may be any letters of the word, in their order"),
    ("Right", "takes the suggestion from the history; Ctrl-R searches in it, F1 is help"),
    ("Ctrl-C", "cancels the line, or stops the run at its next transition"),
    ("Ctrl-D", "leaves, on an empty line"),
)
"""What works at the prompt, whatever the verb."""


def greeting(state: Status, origin: str, width: int) -> list[Line]:
    """Say what this is, who moves next, and how to get help."""
    what = f"{state.package or 'no package'}, {origin}"
    head = folded(Segment(f"sspi-async {__version__}  ", "head"), visible(what, 400), width=width, indent=2)
    return [*head, line(f"{_turn(state)}; ", Segment("help", "call"), " lists the commands, Ctrl-D leaves")]


def _turn(state: Status) -> str:
    if state.is_past:
        return f"at record {state.record} of {state.records}"
    return f"{visible(state.mover, 40)} moves next" if state.mover else "nothing can happen any more"


def prompt_text(state: Status) -> str:
    """Write the prompt: where the session stands, and who moves next."""
    where = f"leg {state.leg}" if state.leg else "start"
    if state.is_past:
        return f"(sspi {where}, record {state.record} of {state.records})> "
    if state.is_over:
        return f"(sspi {where}, {f'{state.pending} pending' if state.pending else 'at the end'})> "
    return f"(sspi {where}, {visible(state.mover, 40)} next)> " if state.mover else f"(sspi {where})> "


def toolbar_text(state: Status, glyphs: Glyphs, columns: int) -> str:
    """Write the toolbar; a narrow screen loses what says least."""
    sides = [f"client {_short(state.client)}", f"server {_short(state.server)}"]
    parts = [visible(state.package, 20), *sides, f"leg {state.leg}"]
    parts += [f"{state.pending} pending", *(["rec"] if state.is_recording else [])]
    parts += [] if state.branch == "main" else [visible(state.branch, 30)]
    parts += [f"t {state.ticks} us", f"seed {state.seed}", *([visible(state.mode, 20)] if state.mode else [])]
    while len(parts) > 1 and len(_joined(parts, glyphs)) > columns:
        parts.pop()
    return _joined(parts, glyphs)


def _short(phase: str) -> str:
    """Write a phase in a word or two: "none" where there is no async context yet."""
    return "none" if phase == "no async context" else phase.partition(",")[0]


def _joined(parts: list[str], glyphs: Glyphs) -> str:
    return " " + f" {glyphs.pipe} ".join([*parts, "F1 help"])


def key_lines(width: int) -> list[Line]:
    """List what works at the prompt."""
    rows = [row for key, said in KEYS for row in folded(Segment(f"{key:<10} ", "head"), said, width=width, indent=11)]
    return [line(), *rows]
