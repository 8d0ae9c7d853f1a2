"""How the command line fails: the layout of errors, their exit codes, closed and full outputs, hostile arguments."""

import os
import subprocess
import sys
import unicodedata
from pathlib import Path

import click
import pytest

from sspicli.cli.main import COMMANDS, ENVIRONMENT, EXIT_CODES, did_you_mean, group, house_error
from sspicli.sspi.errors import ExitCode, InputError, UsageError
from tests.processes import environment, python, sspi

posix = pytest.mark.skipif(os.name != "posix", reason="pipes and devices of a POSIX system")


# -- the layout of errors ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["hanshake"], ["error: there is no command 'hanshake'", "  help: did you mean 'handshake'?"]),
        (["xyz"], ["error: there is no command 'xyz'", "  help: sspi-async --help says what it takes"]),
        (["handshake", "--tsl", "1.2"], ["error: there is no option --tsl", "  help: did you mean --tls?"]),
        (
            ["handshake", "-f", "jsn"],
            ["error: 'jsn' is not one of text, json, jsonl", "  --> --format", "  help: did you mean 'json'?"],
        ),
        (
            ["handshake", "--tls", "1.4"],
            [
                "error: '1.4' is not one of 1.2, 1.3",
                "  --> --tls",
                "  help: sspi-async handshake --help says what it takes",
            ],
        ),
        (
            ["handshake", "--workers", "99"],
            [
                "error: 99 is not in the range 0<=x<=64",
                "  --> --workers",
                "  help: sspi-async handshake --help says what it takes",
            ],
        ),
        (
            ["handshake", "--tls"],
            ["error: option '--tls' requires an argument", "  help: sspi-async handshake --help says what it takes"],
        ),
        (
            ["completion"],
            ["error: SHELL is missing", "  help: write sspi-async completion [OPTIONS] {bash|zsh|fish}"],
        ),
        (
            ["doctor", "now"],
            [
                "error: got unexpected extra argument (now)",
                "  help: sspi-async doctor --help says what it takes",
            ],
        ),
        (
            ["handshake", "--debug"],
            [
                "error: there is no option --debug",
                "  help: write it before the command: sspi-async --debug handshake",
            ],
        ),
    ],
)
def test_a_wrong_command_line_is_a_sentence_with_a_way_out(arguments, said):
    ended = sspi(*arguments)
    assert (ended.returncode, ended.stdout, ended.stderr.splitlines()) == (2, "", said)


def test_without_arguments_the_help_goes_to_stderr():
    ended = sspi()
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "Commands:" in ended.stderr


def test_a_suggestion_is_made_of_words_and_never_of_numbers():
    assert did_you_mean("fif", ["fifo", "lifo"]) == " Did you mean 'fifo'?"
    assert did_you_mean("1.4", ["1.2", "1.3"]) == ""
    assert did_you_mean("zzz", ["fifo"]) == ""


def test_a_file_that_click_cannot_open_is_an_input_error():
    error = house_error(click.FileError("x.yaml", "Permission denied"))
    assert isinstance(error, InputError)
    assert (error.where, error.cause) == ("x.yaml", "Permission denied")


def test_an_error_of_click_without_context_still_has_a_way_out():
    error = house_error(click.BadParameter("It is wrong."))
    assert isinstance(error, UsageError)
    assert error.message == "it is wrong"
    assert "--help" in error.help


# -- help --------------------------------------------------------------------------------------------------------------


def test_the_exit_codes_of_the_table_are_all_explained():
    assert list(EXIT_CODES) == list(ExitCode)


@pytest.mark.parametrize("name", ["", *COMMANDS])
def test_every_help_says_exit_codes_and_environment(name):
    shown = sspi(*([name] if name else []), "-h")
    assert (shown.returncode, shown.stderr) == (0, "")
    for code, meaning in EXIT_CODES.items():
        assert f"{code:>3}  {meaning}\n" in shown.stdout
    for variable, meaning in ENVIRONMENT.items():
        assert f"{variable:<16}  {meaning}\n" in shown.stdout
    assert "\n  Examples:\n    sspi-async" in shown.stdout
    assert max(map(len, shown.stdout.splitlines())) <= 100


def test_every_command_says_the_same_of_itself_in_both_places():
    ctx = group.make_context("sspi-async", [], resilient_parsing=True)
    for name in group.list_commands(ctx):
        command = group.get_command(ctx, name)
        assert command is not None
        assert command.name == name


@pytest.mark.parametrize(
    "arguments", [["-h"], ["explain", "0x80090326"], ["doctor"], ["doctor", "--fidelity"], ["packages"]]
)
def test_an_ascii_terminal_gets_ascii(arguments):
    ended = sspi(*arguments, PYTHONUTF8="0", PYTHONIOENCODING="ascii", LC_ALL="C")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.isascii()


def test_both_spellings_of_version_agree():
    assert sspi("--version").stdout == sspi("-V").stdout == sspi("--debug", "--version").stdout


# -- what is not expected ----------------------------------------------------------------------------------------------

WITH_A_COMMAND = """
import sys, types, click
import sspicli.cli.main as main

def act(): {act}

module = types.ModuleType("made_up")
module.command = click.Command("made-up", callback=act)
sys.modules["made_up"] = module
main.COMMANDS["made-up"] = ("made_up", "A command of a test.")
main.run()
"""


def made_up(act, *options, **variables):
    return python(WITH_A_COMMAND.format(act=act), *options, "made-up", **variables)


def test_a_bug_is_one_line_and_a_way_to_its_traceback():
    ended = made_up("raise ValueError('odd \\x1b[31m value')")
    assert ended.returncode == 70
    first, second = ended.stderr.splitlines()
    assert first.startswith("error: this is a bug in sspi-async ")
    assert first.endswith(r": ValueError: odd \x1b[31m value")
    assert second == "  help: for the traceback: sspi-async --debug made-up"


@pytest.mark.parametrize(("options", "variables"), [(["--debug"], {}), ([], {"SSPI_ASYNC_DEBUG": "1"})])
def test_debug_shows_the_traceback_of_a_bug(options, variables):
    ended = made_up("raise ValueError('odd')", *options, **variables)
    assert ended.returncode == 70
    assert "Traceback (most recent call last)" in ended.stderr
    assert ended.stderr.endswith("  help: report it with the lines above\n")


def test_debug_shows_no_traceback_of_an_expected_failure():
    ended = sspi("--debug", "explain", "SEC_E_NOTHING_LIKE_IT")
    assert ended.returncode == 2
    assert "Traceback" not in ended.stderr


def test_an_interrupt_ends_with_130():
    ended = made_up("raise KeyboardInterrupt")
    assert (ended.returncode, ended.stderr.strip()) == (130, "interrupted")


def test_an_interrupt_that_an_error_was_made_from_is_no_bug():
    ended = made_up("raise RuntimeError('Error calling __set_name__') from KeyboardInterrupt()")
    assert (ended.returncode, ended.stderr.strip()) == (130, "interrupted")


def test_a_library_that_is_not_installed_is_not_a_bug():
    source = """
import sspicli.cli.main as main
main.COMMANDS["made-up"] = ("not_here_at_all.command", "A command of a test.")
main.run()
"""
    ended = python(source, "made-up")
    assert ended.returncode == 4
    assert ended.stderr.startswith(
        "error: made-up needs the Python package not_here_at_all, which is not here\n  help: "
    )


def test_a_module_of_ours_that_is_not_there_is_a_bug():
    source = """
import sspicli.cli.main as main
main.COMMANDS["made-up"] = ("sspicli.cli.not_here_at_all", "A command of a test.")
main.run()
"""
    assert python(source, "made-up").returncode == 70


def test_an_error_of_the_system_that_nobody_expected_is_a_bug():
    assert made_up("raise FileNotFoundError(2, 'No such file or directory', 'x')").returncode == 70


def test_an_exit_code_that_a_command_gives_is_the_process_s():
    assert made_up("return 6").returncode == 6


def test_what_was_printed_before_a_failure_still_arrives():
    ended = made_up("print('first'); raise ValueError('then')")
    assert (ended.returncode, ended.stdout) == (70, "first\n")


# -- outputs that are closed or full -----------------------------------------------------------------------------------

PRINTING = [
    ["--help"],
    ["explain", "0x80090326"],
    ["doctor"],
    ["packages"],
    ["man"],
    ["completion", "zsh"],
    ["handshake"],
]


@posix
@pytest.mark.parametrize("arguments", PRINTING, ids=" ".join)
def test_a_reader_that_closed_stdout_ends_us_silently(arguments):
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as pipe:
        ended = subprocess.run(
            [sys.executable, "-m", "sspicli", *arguments],
            stdout=pipe,
            stderr=subprocess.PIPE,
            env=environment(),
            timeout=60,
            check=False,
        )
    assert (ended.returncode, ended.stderr) == (141, b"")


@posix
def test_a_reader_that_closed_stdout_ends_coloured_output_silently_too():
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as pipe:
        ended = subprocess.run(
            [sys.executable, "-m", "sspicli", "doctor", "--color", "always"],
            stdout=pipe,
            stderr=subprocess.PIPE,
            env=environment(),
            timeout=60,
            check=False,
        )
    assert (ended.returncode, ended.stderr) == (141, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("arguments", PRINTING, ids=" ".join)
def test_a_full_disk_ends_with_74_and_says_so(arguments):
    with Path("/dev/full").open("wb") as full:
        ended = subprocess.run(
            [sys.executable, "-m", "sspicli", *arguments],
            stdout=full,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            env=environment(),
            timeout=60,
            check=False,
        )
    assert ended.returncode == 74
    assert ended.stderr == "error: output could not be written: No space left on device\n  --> standard output\n"


@posix
@pytest.mark.parametrize(("redirection", "code"), [(">&-", 74), ("2>&-", 0), (">&- 2>&-", 74)])
def test_streams_that_were_closed_before_the_start_are_survived(redirection, code):
    ended = subprocess.run(
        ["sh", "-c", f'"$0" -m sspicli explain SEC_E_OK {redirection}', sys.executable],
        capture_output=True,
        encoding="utf-8",
        env=environment(),
        timeout=60,
        check=False,
    )
    assert ended.returncode == code
    assert "Traceback" not in ended.stderr


# -- hostile arguments -------------------------------------------------------------------------------------------------

HOSTILE = "\x1b]0;owned\x07\x1b[2J\x9b31m\u202ertl\r\u200b\nnew line"

PLACES = [
    [HOSTILE],
    [f"--{HOSTILE}"],
    ["handshake", f"--{HOSTILE}"],
    ["handshake", HOSTILE],
    ["handshake", "--tls", HOSTILE],
    ["handshake", "--workers", HOSTILE],
    ["handshake", "-p", HOSTILE],
    ["handshake", "--client", HOSTILE],
    ["handshake", "--client", f"target={HOSTILE}"],
    ["handshake", "--server", f"cert={HOSTILE}"],
    ["handshake", "--expect", HOSTILE],
    ["handshake", "--schedule", HOSTILE],
    ["handshake", "--record", f"/nowhere/{HOSTILE}"],
    ["explain", HOSTILE],
    ["explain", f"-{HOSTILE}"],
    ["explain", "-f", HOSTILE],
    ["completion", HOSTILE],
    ["man", HOSTILE],
    ["man", "--write", f"/dev/null/{HOSTILE}"],
    ["doctor", HOSTILE],
]


@pytest.mark.parametrize("arguments", PLACES, ids=lambda arguments: " ".join(arguments).split("\x1b")[0])
def test_hostile_arguments_never_reach_the_terminal_raw(arguments):
    ended = sspi(*arguments)
    assert ended.returncode not in (0, 70)
    assert r"\x1b" in ended.stderr
    for one in ended.stderr.replace("\n", "") + ended.stdout:
        assert unicodedata.category(one) not in ("Cc", "Cf"), f"{one!r} was sent"
    assert "\nnew line" not in ended.stderr


@posix
def test_an_argument_that_is_no_text_is_shown_escaped():
    ended = subprocess.run(
        [sys.executable, "-m", "sspicli", "explain", b"\xff\xfe"],
        capture_output=True,
        env=environment(),
        timeout=60,
        check=False,
    )
    assert ended.returncode == 2
    assert rb"\udcff" in ended.stderr
