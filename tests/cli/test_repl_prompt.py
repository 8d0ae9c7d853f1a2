"""The prompt that edits lines: completion, history, keys; driven through prompt-toolkit's pipe input."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from prompt_toolkit.input import PipeInput, create_pipe_input
from prompt_toolkit.output import DummyOutput

from sspicli.cli.repl_history import HistoryFile
from sspicli.cli.repl_prompt import Keys, Prompt, Texts
from tests.debugged import Double

ENTER, CTRL_C, CTRL_D, CTRL_R, ESCAPE = "\r", "\x03", "\x04", "\x12", "\x1b"
RIGHT, UP, F1 = "\x1b[C", "\x1b[A", "\x1bOP"
TEXTS = Texts(lambda: "(sspi start)> ", lambda: " toolbar")


@pytest.fixture
def keyboard() -> Iterator[PipeInput]:
    with create_pipe_input() as pipe:
        yield pipe


def prompt(keyboard, history=None, *, is_vi=False):
    file = HistoryFile(history)
    return Prompt(TEXTS, Double().complete, file, Keys(is_vi, False), input=keyboard, output=DummyOutput())


def test_a_line_is_what_was_typed(keyboard):
    keyboard.send_text("step 3" + ENTER)
    assert prompt(keyboard).read() == "step 3"


def test_ctrl_c_cancels_the_line(keyboard):
    keyboard.send_text("step" + CTRL_C)
    with pytest.raises(KeyboardInterrupt):
        prompt(keyboard).read()


def test_ctrl_d_on_an_empty_line_is_the_end(keyboard):
    keyboard.send_text(CTRL_D)
    with pytest.raises(EOFError):
        prompt(keyboard).read()


def test_f1_asks_for_help(keyboard):
    keyboard.send_text(F1)
    assert prompt(keyboard).read() == "help"


@pytest.fixture
def history(tmp_path):
    path = tmp_path / "history"
    for line in ("checkpoint before", "step 7", "continue"):
        HistoryFile(path).append(line)
    return path


def test_up_goes_back_through_lines_of_earlier_sessions(keyboard, history):
    keyboard.send_text(UP + UP + ENTER)
    assert prompt(keyboard, history).read() == "step 7"


def test_ctrl_r_searches_the_history(keyboard, history):
    keyboard.send_text(CTRL_R + "bef" + ENTER + ENTER)
    assert prompt(keyboard, history).read() == "checkpoint before"


def test_the_keys_of_vi_move_by_words(keyboard):
    keyboard.send_text("step one two" + ESCAPE)
    keyboard.send_text("bdw" + ENTER)
    assert prompt(keyboard, is_vi=True).read().strip() == "step one"


def test_the_keys_of_emacs_kill_a_word(keyboard):
    keyboard.send_text("step one two\x17" + ENTER)
    assert prompt(keyboard).read().strip() == "step one"
