"""`sspi-async completion SHELL`: the script that makes a shell complete our commands, options and values.

The rule guarded here: stdout is the script and nothing else, because a shell reads it. How to install it is said on
stderr, and not at all where stdout is a pipe, which is a shell reading it at each start.
"""

from __future__ import annotations

import os
import stat
import sys

import click

from sspicli.cli.main import COMPLETION_VARIABLE, PROGRAM, group
from sspicli.cli.session_options import Choice
from sspicli.sspi.errors import ExitCode

INSTALL = {
    "bash": "add this line to ~/.bashrc:  source <(sspi-async completion bash)",
    "zsh": "write it to a directory of your $fpath:  sspi-async completion zsh > ~/.zfunc/_sspi-async",
    "fish": "write it to fish's directory:  sspi-async completion fish > ~/.config/fish/completions/sspi-async.fish",
}


@click.command("completion", short_help="Print the completion script of a shell.")
@click.argument("shell", type=Choice(list(INSTALL)))
def command(shell: str) -> int:
    """Print the script that makes SHELL complete commands, options and values.

    \b
    bash   add to ~/.bashrc:  source <(sspi-async completion bash)
    zsh    sspi-async completion zsh > ~/.zfunc/_sspi-async   (a directory of $fpath)
    fish   sspi-async completion fish > ~/.config/fish/completions/sspi-async.fish

    \b
    Examples:
      sspi-async completion bash
      sspi-async completion zsh
      sspi-async completion fish
    """  # noqa: D301 (click reads the \b)
    click.echo(script(shell), nl=False)
    if not _is_read_by_a_shell():
        click.echo(f"to install it, {INSTALL[shell]}", err=True)
    return ExitCode.OK


def script(shell: str) -> str:
    """Write the script of a shell, by click's own completion."""
    from click.shell_completion import get_completion_class

    completion = get_completion_class(shell)
    assert completion is not None, f"click completes for {shell}"
    return completion(group, {}, PROGRAM, COMPLETION_VARIABLE).source()


def _is_read_by_a_shell() -> bool:
    """Say whether stdout is a pipe."""
    try:
        return stat.S_ISFIFO(os.fstat(sys.stdout.fileno()).st_mode)
    except (OSError, ValueError):
        return False
