"""The debugger on a terminal: the prompt, keys, signals, and terminals that change their size or go away."""

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

from sspicli.journal import events as ev
from sspicli.journal.recording import read_recording
from tests.terminals import OnTerminal

Start = Callable[..., OnTerminal]
PROMPT = "(sspi"
UP, RIGHT, ESCAPE, CTRL_C, CTRL_D, CTRL_R = "\x1b[A", "\x1b[C", "\x1b", "\x03", "\x04", "\x12"
HISTORY = ("checkpoint before", "step 7", "print client.phase")


@pytest.fixture
def repl(tmp_path: Path) -> Iterator[Start]:
    """Give what starts the debugger on a terminal, in a home of its own; nothing is left of it afterwards."""
    runs: list[OnTerminal] = []

    def start(*arguments: str, **options: Any) -> OnTerminal:
        home: dict[str, Any] = {f"XDG_{name}_HOME": str(tmp_path / name.lower()) for name in ("STATE", "CONFIG")}
        runs.append(OnTerminal("repl", *arguments, **home, **options))
        runs[-1].until(PROMPT)
        return runs[-1]

    yield start
    for run in runs:
        run.close()


@pytest.fixture
def typed_before(tmp_path: Path) -> None:
    """Let an earlier session have left its history."""
    (tmp_path / "state" / "sspi-async").mkdir(parents=True)
    (tmp_path / "state" / "sspi-async" / "repl-history").write_text("\n".join(HISTORY) + "\n")


def rows(run: OnTerminal) -> list[str]:
    return run.screen.rows()


def prompts(run: OnTerminal) -> int:
    return sum(row.startswith(PROMPT) for row in rows(run))


def press(run: OnTerminal, keys: str, until: str = "") -> None:
    """Press keys that end a line, and wait for what comes of it and for the next prompt."""
    before = prompts(run)
    run.type(keys)
    run.reads(lambda: prompts(run) > before and any(until in row for row in rows(run)), f"after {keys!r}: {until!r}")


def type_line(run: OnTerminal, text: str, until: str = "") -> None:
    press(run, f"{text}\r", until)


def leave(run: OnTerminal) -> None:
    run.type(CTRL_D)
    assert run.ended() == 0


def ended_whole(path: Path) -> bool:
    """Say whether a recording has its end."""
    return isinstance(read_recording(path).records[-1].event, ev.RunEnded)


# -- keys --------------------------------------------------------------------------------------------------------------
def test_completions_come_with_their_meanings_while_one_types_and_tab_takes_one(repl: Start):
    run = repl(size=(120, 40))
    run.type("chkp")
    run.until("checkpoint ")
    run.type("\t")
    run.until("next)> checkpoint")


def test_enter_repeats_a_step_and_says_so(repl: Start):
    run = repl()
    type_line(run, "step", "record 2")
    type_line(run, "", "record 3")


def test_ctrl_c_on_a_half_typed_line_cancels_it_ctrl_d_leaves_and_the_recording_is_whole(repl: Start, tmp_path: Path):
    run = repl("--record", str(tmp_path / "run.sspirec"))
    run.type("nonsense")
    run.until("next)> nonsense")
    press(run, CTRL_C)
    type_line(run, "step", "record 2")
    assert not any("error" in row for row in rows(run))
    leave(run)
    assert ended_whole(tmp_path / "run.sspirec")


def test_ctrl_c_during_a_run_stops_it_the_session_goes_on_and_the_recording_is_whole(repl: Start, tmp_path: Path):
    path = tmp_path / "run.sspirec"
    run = repl("--messages", "9000", "--no-rc", "--record", str(path), size=(120, 40))
    type_line(run, "set limit 1000000", "limit      1000000")
    type_line(run, "set panes none", "none")
    run.type("continue\r")
    while path.stat().st_size < 200_000:
        assert run.is_running()
    press(run, CTRL_C, "interrupted")
    type_line(run, "step", "stepped")
    leave(run)
    assert ended_whole(path)


def test_the_keys_of_vi_move_through_the_history_and_a_line(repl: Start, typed_before: None):
    run = repl("--vi")
    run.type(ESCAPE)
    run.type("kk")
    run.until("next)> step 7")
    run.type("0dwi")
    run.until("next)> 7")
    type_line(run, "step ", "record 7")


def test_the_keys_of_emacs_search_in_the_history(repl: Start, typed_before: None):
    run = repl("--emacs")
    run.type(CTRL_R + "bef")
    run.until("bef': checkpoint before")
    run.type("\r")
    run.until("next)> checkpoint before")
    type_line(run, "", "checkpoint before: main")


def test_what_was_typed_in_an_earlier_session_is_suggested_and_found_again(repl: Start):
    first = repl()
    type_line(first, "step 7", "record 7")
    leave(first)
    run = repl()
    run.type("ste")
    run.until("next)> step 7")
    press(run, RIGHT + "\r", "record 7")
    run.type(UP)
    run.until("> step 7")


def test_history_lists_this_session_and_earlier_ones_apart_and_no_secret(repl: Start, typed_before: None):
    run = repl()
    type_line(run, "step", "record 2")
    type_line(run, "nonsense password=1234", "error")
    type_line(run, "history", "this session")
    at = rows(run).index("earlier sessions")
    assert rows(run)[at : at + 6] == [
        "earlier sessions",
        *(f"      {one}" for one in HISTORY),
        "this session",
        "   1  step",
    ]
    assert rows(run)[at + 6].startswith(PROMPT)


def test_what_was_typed_is_kept_for_its_owner_but_no_password(repl: Start, tmp_path: Path):
    run = repl()
    type_line(run, "step", "record ")
    type_line(run, "nonsense password=1234", "error")
    type_line(run, "step 2", "record ")
    leave(run)
    (kept,) = (tmp_path / "state").rglob("repl-history")
    assert kept.read_text() == "step\nstep 2\n"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600


# -- terminals ---------------------------------------------------------------------------------------------------------
def test_a_change_of_size_is_followed_by_the_toolbar_and_by_answers(repl: Start):
    run = repl("--no-timing", size=(120, 40))
    type_line(run, "step 9", "record 9")
    assert any("#1 → queue status SEC_E_OK" in row for row in rows(run))
    run.type("st")
    run.until("Let the next")
    run.resize((80, 24))
    run.reads(lambda: run.screen.shown()[-1].endswith("F1 help"), "no toolbar at the bottom")
    press(run, CTRL_C)
    run.screen.overlong.clear()
    type_line(run, "help", "Ctrl-D ")
    assert run.screen.overlong == []


def test_ctrl_c_on_a_dumb_terminal_cancels_the_line(repl: Start):
    run = repl(TERM="dumb")
    press(run, f"nonsense{CTRL_C}")
    type_line(run, "step", "record 2")
    assert not any("error" in row for row in rows(run))
    leave(run)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_to_end_gives_the_terminal_back(repl: Start, number: signal.Signals):
    run = repl()
    run.until("F1 help")
    assert run.ended(number) == 143
    assert run.raw.rstrip().endswith("terminated")
    assert run.raw.rindex("\x1b[?2004l") > run.raw.rindex("\x1b[?2004h")


def test_a_terminal_that_goes_away_ends_the_debugger_and_the_recording_is_whole(repl: Start, tmp_path: Path):
    run = repl("--record", str(tmp_path / "run.sspirec"))
    run.until("F1 help")
    run.hang_up()
    assert run.waited() in (0, 74, 141, 143)
    assert ended_whole(tmp_path / "run.sspirec")


def test_answers_go_to_standard_output_and_the_prompt_does_not(repl: Start, tmp_path: Path):
    run = repl(out=tmp_path / "answers")
    type_line(run, "help step")
    leave(run)
    said = (tmp_path / "answers").read_text()
    assert "step" in said
    assert PROMPT not in said
    assert "\x1b" not in said
