"""What the debugger shows on a terminal of two sizes: in colour, without it, and where the terminal is dumb.

The rule guarded here: a tour is made once for each size and look, and every test reads its screens. What is said in
colour is said without it, word for word.
"""

from __future__ import annotations

import os
from functools import cache
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import pytest

if os.name != "posix":
    pytest.skip("a terminal is made by a pty, on POSIX only", allow_module_level=True)

from tests.handshakes import CLOCK
from tests.terminals import OnTerminal, parameters

SIZES = [(80, 24), (120, 40)]
LOOKS: dict[str, dict[str, Any]] = {"colour": {}, "no colour": {"NO_COLOR": "1"}, "dumb": {"TERM": "dumb"}}
EDITED = ("colour", "no colour")
NO_COLOR = {"0", "1", "4", "7"}  # all off, bold, underlined, reverse
LINES = {"stop": "step 9", "end": "continue", "help": "help", "long": "timeline 50", "error": "nonsense"}


class Tour(NamedTuple):
    """What was seen: the screen after each line by its name, and what that line added; and every byte that was sent."""

    screens: dict[str, list[str]]
    answers: dict[str, list[str]]
    overlong: list[str]
    raw: str


@cache
def tour(size: tuple[int, int], look: str) -> Tour:
    """Go through the debugger once."""
    with TemporaryDirectory() as home:
        where: dict[str, Any] = {f"XDG_{name}_HOME": home for name in ("STATE", "CONFIG")}
        words = ("--seed", "3", "--clock", CLOCK, "--no-timing")
        run = OnTerminal("repl", *words, size=size, **where, **LOOKS[look])
        try:
            return _seen(run, is_edited=look in EDITED)
        finally:
            run.close()


def _seen(run: OnTerminal, *, is_edited: bool) -> Tour:
    screens: dict[str, list[str]] = {}
    answers: dict[str, list[str]] = {}
    _await_prompt(run, 1)
    if is_edited:
        run.until("F1 help")
    screens["greeting"] = run.screen.shown()
    answers["greeting"] = _answer(run)
    for number, (name, line) in enumerate(LINES.items(), 2):
        run.type(f"{line}\r")
        _await_prompt(run, number)
        if is_edited:
            run.reads(lambda: "F1 help" in run.screen.shown()[-1])
        screens[name], answers[name] = run.screen.shown(), _answer(run)
    if is_edited:
        run.type("st")
        run.until("Let the next transition happen")
        screens["menu"] = run.screen.shown()
        run.type("\x03")
        _await_prompt(run, len(LINES) + 2)
    run.type("\x04")
    assert run.ended() == 0
    return Tour(screens, answers, run.screen.overlong, run.raw)


def _prompts(run: OnTerminal) -> list[int]:
    return [at for at, row in enumerate(run.screen.rows()) if row.startswith("(sspi ")]


def _await_prompt(run: OnTerminal, number: int) -> None:
    run.reads(lambda: len(_prompts(run)) >= number, f"no prompt {number}")


def _answer(run: OnTerminal) -> list[str]:
    """Give what stands between the last two prompts."""
    first, last = [-1, *_prompts(run)][-2:]
    return run.screen.rows()[first + 1 : last]


@pytest.fixture(params=LOOKS)
def look(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=SIZES, ids=str)
def size(request: pytest.FixtureRequest) -> tuple[int, int]:
    width, height = request.param
    return width, height


def test_the_first_lines_say_what_this_is_who_moves_next_and_how_to_get_help(size: tuple[int, int], look: str):
    said = " ".join(tour(size, look).answers["greeting"])
    assert "sspi-async" in said
    assert "Schannel" in said
    assert "client moves next" in said
    assert "help lists the commands, Ctrl-D leaves" in said


@pytest.mark.parametrize("look", EDITED)
def test_the_toolbar_is_one_row_at_the_bottom_and_says_where_the_session_stands(size: tuple[int, int], look: str):
    screens = tour(size, look).screens
    bars = {name: rows[-1] for name, rows in screens.items()}
    assert [name for name, bar in bars.items() if not bar.endswith("F1 help")] == []
    assert "client pending" in bars["stop"]
    assert "server pending" in bars["stop"]
    assert "leg 4" in bars["end"]
    assert max(map(len, bars.values())) <= size[0]


@pytest.mark.parametrize("look", EDITED)
def test_the_menu_of_completions_has_a_meaning_beside_each_word(size: tuple[int, int], look: str):
    screen = tour(size, look).screens["menu"]
    at = next(at for at, row in enumerate(screen) if row.startswith("(sspi") and "> st" in row)
    offered = [row.strip() for row in screen[at + 1 : -1] if row.strip()]
    assert len(offered) >= 4
    assert [row for row in offered if len(row.split()) < 3] == []
    assert offered[0].split(maxsplit=1) == ["step", "Let the next transition happen."]


def test_a_stop_shows_its_panes_and_the_prompt_below_them(size: tuple[int, int], look: str):
    seen = tour(size, look)
    stop = seen.answers["stop"]
    titles = [row.split(" ─")[0].strip("─ ") for row in stop if row.startswith("──")]
    assert titles == ["what happened", "state", "changed", "may happen next"]
    assert any(row.startswith(" client  PENDING ") for row in stop)
    assert any(row.startswith(" *1  server goes on") for row in stop)
    assert any(row.startswith("(sspi start, server next)>") for row in seen.screens["stop"])


def test_a_long_answer_ends_in_sight_of_the_prompt(size: tuple[int, int], look: str):
    seen = tour(size, look)
    answer, screen = seen.answers["long"], seen.screens["long"]
    assert len(answer) > size[1]
    assert answer[-1] in screen
    assert any(row.startswith("(sspi leg 4") for row in screen)


def test_help_lists_the_verbs_and_the_keys(size: tuple[int, int], look: str):
    said = " ".join(tour(size, look).answers["help"])
    assert [word for word in ("step(s)", "checkpoint", "tamper", "Ctrl-C", "Enter") if word not in said] == []


def test_nothing_is_broken_where_the_terminal_happens_to_end(size: tuple[int, int], look: str):
    assert tour(size, look).overlong == []


@pytest.mark.parametrize("name", ["greeting", *LINES])
def test_what_is_said_in_colour_is_said_without_it_and_on_a_dumb_terminal(size: tuple[int, int], name: str):
    colored, plain, dumb = (tour(size, look).answers[name] for look in LOOKS)
    assert colored == plain == dumb


def test_colour_is_sent_only_where_it_is_wanted(size: tuple[int, int]):
    assert parameters(tour(size, "colour").raw) - NO_COLOR
    assert parameters(tour(size, "no colour").raw) <= NO_COLOR


def test_a_dumb_terminal_is_sent_lines_of_text_and_nothing_else(size: tuple[int, int]):
    raw = tour(size, "dumb").raw
    assert {one for one in raw if not one.isprintable()} <= {"\r", "\n"}
