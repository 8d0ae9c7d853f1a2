"""The completion scripts: a shell takes them, and what they complete."""

import os
import shutil
import subprocess
import sys

import pytest

from sspicli.cli.completion import INSTALL
from sspicli.cli.main import COMMANDS
from sspicli.sspi.status import SecurityStatus
from tests.processes import environment, sspi


def words(*typed):
    """Give what is offered for the last of the words typed."""
    line = " ".join(typed)
    variables = {
        "COMP_WORDS": f"sspi-async {line}",
        "COMP_CWORD": str(len(typed)),
        "_SSPI_ASYNC_COMPLETE": "bash_complete",
    }
    ended = sspi(**variables)
    assert (ended.returncode, ended.stderr) == (0, "")
    return [one.partition(",")[2] for one in ended.stdout.splitlines()]


@pytest.mark.parametrize("shell", INSTALL)
def test_stdout_is_the_script_alone_and_a_pipe_hears_nothing_else(shell):
    ended = sspi("completion", shell)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "_SSPI_ASYNC_COMPLETE" in ended.stdout


@pytest.mark.parametrize("shell", INSTALL)
def test_how_to_install_it_is_said_where_it_goes_to_a_file(shell, tmp_path):
    with (tmp_path / "script").open("wb") as file:
        ended = subprocess.run(
            [sys.executable, "-m", "sspicli", "completion", shell],
            stdout=file,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            env=environment(),
            timeout=60,
            check=False,
        )
    assert ended.returncode == 0
    assert ended.stderr == f"to install it, {INSTALL[shell]}\n"


@pytest.mark.parametrize("shell", INSTALL)
def test_the_shell_takes_the_script(shell, tmp_path):
    program = shutil.which(shell)
    if program is None:
        pytest.skip(f"{shell} is not here")
    file = tmp_path / "script"
    file.write_text(sspi("completion", shell).stdout, encoding="utf-8")
    assert subprocess.run([program, "-n", str(file)], capture_output=True, check=False).returncode == 0


def test_bash_completes_with_the_script(tmp_path):
    bash = shutil.which("bash")
    if bash is None or os.name != "posix":
        pytest.skip("bash is not here")
    here = tmp_path / "sspi-async"
    here.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m sspicli "$@"\n', encoding="utf-8")
    here.chmod(0o755)
    program = """
source <(sspi-async completion bash)
complete -p sspi-async
COMP_WORDS=(sspi-async hand) COMP_CWORD=1
_sspi_async_completion sspi-async
echo "${COMPREPLY[@]}"
"""
    ended = subprocess.run(
        [bash, "--norc", "-c", program],
        capture_output=True,
        encoding="utf-8",
        env=environment(PATH=f"{tmp_path}:{os.environ['PATH']}"),
        timeout=60,
        check=False,
    )
    assert ended.stderr == ""
    assert ended.stdout.splitlines() == ["complete -o nosort -F _sspi_async_completion sspi-async", "handshake"]


def test_commands_are_completed_out_of_the_table():
    assert words("") == list(COMMANDS)
    assert words("e") == ["explain"]


def test_no_sentence_of_a_command_has_a_comma_at_which_fish_would_cut_it():
    assert not [sentence for _, sentence in COMMANDS.values() if "," in sentence]


def test_options_and_their_values_are_completed():
    assert words("handshake", "--sche") == ["--schedule"]
    assert words("handshake", "--tls", "") == ["1.2", "1.3"]
    assert words("explain", "--form") == ["--format"]


def test_codes_shells_and_pages_are_completed():
    assert words("explain", "sec_e_cert_") == [
        name for name in SecurityStatus.__members__ if name.startswith("SEC_E_CERT_")
    ]
    assert words("completion", "") == ["bash", "zsh", "fish"]
    assert words("man", "hand") == ["handshake"]
