"""Lines in, answers out: repeating, aliases, files, failures, Ctrl-C."""

from __future__ import annotations

import os
import signal

import pytest

from sspicli.cli.interrupts import TerminatedError
from sspicli.cli.repl_history import HistoryFile
from sspicli.cli.repl_lines import Source
from sspicli.cli.repl_shell import Shell
from sspicli.sspi.errors import ExitCode
from sspicli.views.text import plain
from tests.debugged import Double, Kept, Typist


def shell_of(double, columns=lambda: 80, **options):
    output = Kept()
    return Shell(double, output, columns=columns, **options), output


def typed(double, *lines):
    shell, output = shell_of(double)
    shell.converse(Typist(*lines))
    return shell, output.answers


def texts(answer):
    return [plain(one) for one in answer.lines]


def test_an_empty_line_that_was_typed_reaches_the_debugger_which_repeats():
    double = Double()
    typed(double, "step 2", "", "   ", "# nothing")
    assert double.lines == ["step 2", "", ""]


def test_an_empty_line_of_a_file_repeats_nothing():
    double = Double()
    shell, _ = shell_of(double)
    shell.run([Source("step", "f:1"), Source("", "f:2"), Source("# so", "f:3")])
    assert double.lines == ["step"]


def test_what_is_refused_is_an_answer_and_the_next_line_is_carried_out():
    double = Double("tamper")
    _, answers = typed(double, "tamper leg1", "step")
    assert [answer.error is None for answer in answers] == [False, True]
    assert answers[0].error is not None
    assert answers[0].error.help == "step is"


def test_a_comment_behind_a_command_does_not_reach_the_debugger():
    double = Double()
    typed(double, "hold server.accept#1  # it waits for me")
    assert double.lines == ["hold server.accept#1"]


def test_context_with_names_chooses_the_panes():
    double = Double()
    typed(double, "context state,token", "context")
    assert double.lines == ["set panes state,token", "context"]


def test_help_that_was_typed_says_what_the_keys_do():
    _, answers = typed(Double(), "help")
    assert any(row.startswith("Ctrl-D") for row in texts(answers[0]))


def test_the_first_line_that_fails_decides_and_those_behind_it_are_carried_out():
    double = Double("tamper")
    shell, _ = shell_of(double)
    shell.run([Source("step", ""), Source("tamper x", ""), Source("nonsense", ""), Source("step", "")])
    assert shell.code is ExitCode.FAILED
    assert double.lines == ["step", "tamper x", "nonsense", "step"]


def test_nothing_is_carried_out_behind_quit():
    double = Double()
    shell, _ = shell_of(double)
    shell.run([Source("quit", ""), Source("step", "")])
    assert (double.lines, shell.is_over) == (["quit"], True)


def test_a_line_that_is_too_long_is_an_answer():
    double = Double()
    _, answers = typed(double, "step" * 9_999, "step")
    assert [answer.error is None for answer in answers] == [False, True]
    assert double.lines == ["step"]


def test_an_answer_is_laid_out_for_the_terminal_as_wide_as_it_is_then():
    widths = iter((120, 60))
    double = Double()
    shell, output = shell_of(double, columns=lambda: next(widths))
    shell.run([Source("step", "")])
    assert double.width == 120
    shell.take(Source("help", ""))
    assert double.width == 60
    assert max(map(len, texts(output.answers[-1]))) <= 60


def test_what_was_typed_is_kept(tmp_path):
    shell, _ = shell_of(Double(), history=HistoryFile(tmp_path / "h"))
    shell.converse(Typist("step", "", "set password=1", "continue"))
    assert HistoryFile(tmp_path / "h").load() == ["step", "continue"]


def test_ctrl_c_at_the_prompt_cancels_the_line_and_ctrl_d_leaves():
    double = Double()
    typed(double, KeyboardInterrupt(), "step", EOFError(), "step")
    assert double.lines == ["step"]


def test_ctrl_c_during_a_run_stops_the_run_however_often_and_the_session_goes_on():
    def press():
        for _ in range(3):
            os.kill(os.getpid(), signal.SIGINT)

    double = Double(during=press)
    _, answers = typed(double, "continue", "step")
    assert double.interrupts == 6
    assert double.lines == ["continue", "step"]
    assert all(answer.error is None for answer in answers)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_ctrl_c_ends_a_file_of_commands():
    double = Double(during=lambda: os.kill(os.getpid(), signal.SIGINT))
    shell, _ = shell_of(double)
    shell.run([Source("continue", "f:1"), Source("step", "f:2")])
    assert double.lines == ["continue"]
    assert shell.was_interrupted


def test_a_signal_to_end_is_no_ctrl_c():
    with pytest.raises(TerminatedError):
        typed(Double(), TerminatedError())
