"""The debugger on a terminal: the prompt, completion, the toolbar, Ctrl-C and Ctrl-D, and terminals that are dumb."""

from __future__ import annotations

import os
import signal
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

if os.name != "posix":
    pytest.skip("a terminal is made by a pty, on POSIX only", allow_module_level=True)

from tests.terminals import OnTerminal

Start = Callable[..., OnTerminal]
SIZES = [(80, 24), (120, 40)]
PROMPT = "(sspi"


@pytest.fixture
def repl(tmp_path: Path) -> Iterator[Start]:
    """Give what starts the debugger on a terminal, in a home of its own; nothing is left of it afterwards."""
    runs: list[OnTerminal] = []

    def start(*arguments: str, **options: Any) -> OnTerminal:
        home: dict[str, Any] = {f"XDG_{name}_HOME": str(tmp_path / name.lower()) for name in ("STATE", "CONFIG")}
        runs.append(OnTerminal("repl", *arguments, is_edited=True, **home, **options))
        runs[-1].until(PROMPT)
        return runs[-1]

    yield start
    for run in runs:
        run.close()


def rows(run: OnTerminal) -> list[str]:
    return run.screen.lines()


def type_line(run: OnTerminal, text: str, until: str) -> None:
    """Type a line, and wait for what comes of it and for the next prompt."""
    prompts = sum(row.startswith(PROMPT) for row in rows(run))
    run.type(text + "\r")
    run.until(until)
    next_prompt(run, prompts)


def next_prompt(run: OnTerminal, prompts: int) -> None:
    """Wait until there is another prompt than so many."""
    while sum(row.startswith(PROMPT) for row in rows(run)) <= prompts:
        assert run.read()


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_the_first_lines_say_what_this_is_who_moves_next_and_how_to_get_help(repl: Start, size: tuple[int, int]):
    run = repl(size=size)
    first = " ".join(rows(run)[:4])
    assert "sspi-async" in first
    assert "Schannel" in first
    assert "client moves next" in first
    assert "help" in first
    assert "Ctrl-D" in first
    run.type("\x04")
    assert run.ended() == 0


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_the_toolbar_says_where_the_session_stands(repl: Start, size: tuple[int, int]):
    run = repl(size=size)
    run.until("F1 help")
    bar = next(row for row in rows(run) if "F1 help" in row)
    assert "client" in bar
    assert "server" in bar
    assert len(bar) <= size[0]


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_a_stop_fits_the_terminal(repl: Start, size: tuple[int, int]):
    run = repl(size=size)
    type_line(run, "step 4", "record ")
    assert max(map(len, rows(run))) <= size[0]


def test_completions_come_with_their_meanings_while_one_types_and_tab_takes_one(repl: Start):
    run = repl(size=(120, 40))
    run.type("chkp")
    run.until("checkpoint ")
    run.type("\t")
    run.until("next)> checkpoint")


def test_enter_repeats_a_step_and_says_so(repl: Start):
    run = repl()
    type_line(run, "step", "record ")
    before = sum("record " in row for row in rows(run))
    run.type("\r")
    while sum("record " in row for row in rows(run)) == before:
        assert run.read()


def test_ctrl_c_cancels_a_line_and_ctrl_d_leaves(repl: Start):
    run = repl()
    run.type("nonsense\x03")
    next_prompt(run, 1)
    type_line(run, "step", "record ")
    assert not any("error" in row for row in rows(run))
    run.type("\x04")
    assert run.ended() == 0


def test_what_was_typed_is_kept_for_its_owner_but_no_password(repl: Start, tmp_path: Path):
    run = repl()
    type_line(run, "step", "record ")
    type_line(run, "nonsense password=1234", "error")
    type_line(run, "step 2", "record ")
    run.type("\x04")
    assert run.ended() == 0
    (kept,) = (tmp_path / "state").rglob("repl-history")
    assert kept.read_text() == "step\nstep 2\n"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600


def test_no_color_is_obeyed_at_the_prompt_and_in_answers(repl: Start):
    run = repl(NO_COLOR="1")
    type_line(run, "step 3", "record ")
    run.type("st")
    run.until("Let the")
    assert not set(_parameters(run.raw)) - {"0", "1", "7", "4"}


def test_colour_carries_no_meaning_alone(repl: Start):
    run = repl("--color", "always")
    type_line(run, "nonsense", "error: ")
    assert set(_parameters(run.raw)) - {"0", "1", "7", "4"}


def _parameters(raw: str) -> list[str]:
    import re

    return [one for found in re.findall(r"\x1b\[([0-9;]*)m", raw) for one in found.split(";") if one]


def test_a_dumb_terminal_has_a_prompt_and_is_sent_no_sequence(repl: Start):
    run = repl(TERM="dumb")
    type_line(run, "step", "record ")
    type_line(run, "nonsense", "error")
    run.type("\x04")
    assert run.ended() == 0
    assert "\x1b" not in run.raw


def test_ctrl_c_on_a_dumb_terminal_cancels_the_line(repl: Start):
    run = repl(TERM="dumb")
    run.send(signal.SIGINT)
    next_prompt(run, 1)
    type_line(run, "step", "record ")
    run.type("\x04")
    assert run.ended() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_to_end_gives_the_terminal_back(repl: Start, number: signal.Signals):
    run = repl()
    run.until("F1 help")
    assert run.ended(number) == 143
    assert run.raw.rstrip().endswith("terminated")
    assert run.raw.rindex("\x1b[?2004l") > run.raw.rindex("\x1b[?2004h")


def test_a_terminal_that_goes_away_ends_the_debugger(repl: Start):
    run = repl()
    run.until("F1 help")
    run.hang_up()
    assert run.process.wait(30) in (0, 74, 141, 143)


def test_answers_go_to_standard_output_and_the_prompt_does_not(repl: Start, tmp_path: Path):
    run = repl(out=tmp_path / "answers")
    run.until(PROMPT)
    run.type("help step\r")
    run.type("\x04")
    assert run.ended() == 0
    said = (tmp_path / "answers").read_text()
    assert "step" in said
    assert PROMPT not in said
    assert "\x1b" not in said


@pytest.mark.parametrize("keys", ["--vi", "--emacs"])
def test_lines_are_edited_with_the_keys_that_were_chosen(repl: Start, keys: str):
    run = repl(keys)
    run.type("help stepx" + ("\x1b" if keys == "--vi" else "\x02\x04"))
    run.until("stepx" if keys == "--vi" else "step")
    type_line(run, "x" if keys == "--vi" else "", "does it again")


def test_ctrl_c_during_a_run_stops_it_and_the_session_goes_on(repl: Start, tmp_path: Path):
    path = tmp_path / "run.sspirec"
    run = repl("--messages", "9000", "--no-rc", "--record", str(path), size=(120, 40))
    type_line(run, "set limit 10000000", "limit ")
    type_line(run, "set panes none", "none")
    run.type("continue\r")
    while path.stat().st_size < 200_000:
        assert run.process.poll() is None
    run.send(signal.SIGINT)
    run.until("interrupted")
    next_prompt(run, 3)
    type_line(run, "step", "stepped")
    run.type("\x04")
    assert run.ended() == 0
