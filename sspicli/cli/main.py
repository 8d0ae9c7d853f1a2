"""The command group, and the way every failure leaves the process.

An expected failure is a sentence with a way out on stderr and an exit code from the published table; a bug is one line, and a
traceback only with `--debug`. A reader that closed stdout ends us silently.
"""

from __future__ import annotations

import importlib
import os
import sys

import click

from sspicli import __version__
from sspicli.sspi.errors import ExitCode, SspiCliError

# Each command lives in its own module, imported when it is asked for; the sentence is what `--help` shows.
COMMANDS: dict[str, tuple[str, str]] = {
    "handshake": ("sspicli.cli.handshake", "Run one handshake between two local endpoints and say what came of it."),
}


class LazyGroup(click.Group):
    """A group that imports a command's module only to run it."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """List the commands in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command's module and give its command."""
        if cmd_name not in COMMANDS:
            return None
        command = importlib.import_module(COMMANDS[cmd_name][0]).command
        assert isinstance(command, click.Command), f"{COMMANDS[cmd_name][0]} has no command"
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Suggest the nearest command for an unknown one."""
        name = args[0]
        if name not in COMMANDS and not name.startswith("-"):
            raise click.UsageError(f"No such command {name!r}.{did_you_mean(name, COMMANDS)}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands from the table, importing none."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, sentence) for name, (_, sentence) in COMMANDS.items()])


def did_you_mean(word: str, known: object) -> str:
    """Give ` Did you mean ...?` when a known word is near, else nothing."""
    from difflib import get_close_matches

    near = get_close_matches(word, list(known), n=1)  # type: ignore[call-overload]
    return f" Did you mean {near[0]!r}?" if near else ""


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 held, 1 failed, 2 wrong command line, 3 bad input file, 4 package not here, 6 stuck, 70 our bug, "
    "74 could not write, 130 interrupted.",
)
@click.version_option(__version__, "-V", "--version", prog_name="sspi-async", message="%(prog)s %(version)s")
def group() -> None:
    """Run, watch and test asynchronous SSPI security contexts between local endpoints.

    \b
    Examples:
      sspi-async handshake
      sspi-async handshake --tls 1.2 --mode poll
      sspi-async handshake --server cert=expired
    """


def run() -> None:
    """Run the command line and leave with its exit code."""
    sys.exit(_guarded())


def _guarded() -> int:
    try:
        code = group.main(prog_name="sspi-async", standalone_mode=False)
        sys.stdout.flush()
    except SspiCliError as error:
        show_error(error)
        return error.exit_code
    except click.ClickException as error:
        return _show_click_error(error)
    except (click.Abort, KeyboardInterrupt):
        sys.stderr.write("interrupted\n")
        return ExitCode.INTERRUPTED
    except BrokenPipeError:
        _drop_stdout()
        return ExitCode.CLOSED
    except OSError as error:
        sys.stderr.write(f"error: output could not be written: {error.strerror}\n")
        _drop_stdout()
        return ExitCode.WRITE
    except Exception as error:
        if os.environ.get("SSPI_ASYNC_DEBUG"):
            raise
        sys.stderr.write(
            f"sspi-async: this is a bug in sspi-async: {type(error).__name__}: {error}\n"
            "  help: run it again with SSPI_ASYNC_DEBUG=1 for the traceback, and report both\n"
        )
        return ExitCode.BUG
    return code if isinstance(code, int) else ExitCode.OK


def _show_click_error(error: click.ClickException) -> int:
    if isinstance(error, click.NoSuchOption) and error.possibilities:
        pass
    error.show(sys.stderr)
    return ExitCode.USAGE if isinstance(error, click.UsageError) else error.exit_code


def show_error(error: SspiCliError) -> None:
    """Print an expected failure: what, where, cause, help."""
    from sspicli.views.text import visible

    lines = [f"error: {visible(error.message, 2000)}"]
    if error.where:
        lines.append(f"  --> {visible(error.where, 2000)}")
    if error.cause:
        lines.append(f"  cause: {visible(error.cause, 2000)}")
    if error.help:
        lines.append(f"  help: {visible(error.help, 2000)}")
    text = "\n".join(lines) + "\n"
    encoding = sys.stderr.encoding or "ascii"
    sys.stderr.write(text.encode(encoding, "backslashreplace").decode(encoding))


def _drop_stdout() -> None:
    """Point stdout away, so that the interpreter's last flush does not complain."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
