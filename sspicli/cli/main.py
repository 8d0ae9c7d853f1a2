"""The command group, and the way every failure leaves the process.

The rule guarded here: an expected failure is a sentence with a way out on stderr and an exit code from the published
table, whoever noticed it, click included; a bug is one line, and a traceback only with `--debug`. A reader that closed
stdout ends us silently. Asking for help imports click and nothing else that is heavy, so the commands are a table of
module names.
"""

from __future__ import annotations

import errno
import importlib
import os
import shlex
import signal
import sys
import traceback
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

import click

from sspicli import __version__
from sspicli.sspi.errors import (
    ExitCode,
    InputError,
    LimitError,
    SspiCliError,
    UnavailableError,
    UsageError,
    WriteError,
)

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

PROGRAM = "sspi-async"
COMPLETION_VARIABLE = "_SSPI_ASYNC_COMPLETE"
"""What a shell's completion script asks with."""

# Each command lives in its own module, imported when it is asked for; the sentence is what `--help` shows, and the
# completion too: no commas, at which fish would cut it.
COMMANDS: dict[str, tuple[str, str]] = {
    "handshake": ("sspicli.cli.handshake", "Run one handshake between two local endpoints and say what came of it."),
    "repl": ("sspicli.cli.repl", "Step a session or a scenario or a recording interactively."),
    "dap": ("sspicli.cli.dap", "Let an editor debug a scenario or a recording or a session."),
    "replay": ("sspicli.cli.replay", "Run scenarios as tests and recordings again."),
    "scenario": ("sspicli.cli.scenario", "Write and check and list and lay out scenarios."),
    "show": ("sspicli.cli.show", "Show what a recording holds."),
    "decode": ("sspicli.cli.decode", "Open tokens and certificates and recordings field by field."),
    "verify": ("sspicli.cli.verify", "Run the misuse rules over recordings."),
    "explain": ("sspicli.cli.explain", "Say what a status or an alert or a rule code means."),
    "api": ("sspicli.cli.api", "Show the reference card of an asynchronous function."),
    "packages": ("sspicli.cli.packages", "List the security packages and what computes them here."),
    "doctor": ("sspicli.cli.doctor", "Show what is installed here and where it departs from Windows."),
    "completion": ("sspicli.cli.completion", "Print the completion script of a shell."),
    "man": ("sspicli.cli.man", "Show a manual page."),
}

EXIT_CODES: Mapping[ExitCode, str] = MappingProxyType(
    {
        ExitCode.OK: "everything asked for held",
        ExitCode.FAILED: "the handshake, an expectation or a verifier rule failed",
        ExitCode.USAGE: "wrong command line",
        ExitCode.INPUT: "an input file is unreadable or malformed",
        ExitCode.UNAVAILABLE: "the package or engine needed is not available here",
        ExitCode.NOTHING_TO_RUN: "nothing to run",
        ExitCode.STUCK: "stuck: a call stayed pending, or a limit was hit",
        ExitCode.BUG: f"a bug in {PROGRAM}",
        ExitCode.WRITE: "what was to be written could not be",
        ExitCode.INTERRUPTED: "interrupted",
        ExitCode.CLOSED: "stdout was closed by its reader (silent)",
        ExitCode.TERMINATED: "terminated by SIGTERM or SIGHUP",
    }
)

ENVIRONMENT: Mapping[str, str] = MappingProxyType(
    {
        "NO_COLOR": "when not empty, no colour, unless --color says otherwise",
        "FORCE_COLOR": "when not empty, colour off a terminal too; NO_COLOR wins",
        "TERM": "when it is dumb, no colour on a terminal",
        "COLUMNS": "how many columns to draw for, unless --width says it",
        "SSPI_ASYNC_DEBUG": "when not empty, as --debug",
        "SSLKEYLOGFILE": "ignored; secrets are written to --keylog FILE only",
    }
)

_MEANT = " Did you mean "
_LONGEST_SHOWN = 2000
_MORE = "let this process have more (ulimit -a shows its limits), or ask it for less"
_LIMITS = {errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN}
_WRITE_ERRORS = {errno.ENOSPC, errno.EIO, errno.EFBIG, errno.EROFS, errno.EBADF, getattr(errno, "EDQUOT", errno.ENOSPC)}


@dataclass(slots=True)
class Invocation:
    """What the global options say; it outlives click's context, because failures are reported after it."""

    has_traceback: bool = False


class LazyGroup(click.Group):
    """A group that imports a command's module only to run it."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """List the commands in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command's module and give its command; every command's help ends alike."""
        if cmd_name not in COMMANDS:
            return None
        command = _imported(cmd_name)
        command.epilog = command.epilog or CLOSING_HELP
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Suggest the nearest command for an unknown one."""
        name = args[0]
        if name not in COMMANDS and not name.startswith("-"):
            raise click.UsageError(f"There is no command {name!r}.{did_you_mean(name, COMMANDS)}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands from the table, importing none."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, sentence) for name, (_, sentence) in COMMANDS.items()])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Complete commands from the table, importing none, and then options."""
        from click.shell_completion import CompletionItem

        names = [one for one in COMMANDS.items() if one[0].startswith(incomplete)]
        found = [CompletionItem(name, help=sentence) for name, (_, sentence) in names]
        return [*found, *click.Command.shell_complete(self, ctx, incomplete)]


def _imported(name: str) -> click.Command:
    """Import a command; what is not installed is told from a mistake of ours."""
    module = COMMANDS[name][0]
    try:
        command = importlib.import_module(module).command
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing in ("", "sspicli"):
            raise
        way_out = "install sspicli again, with what it depends on: pip install sspicli"
        raise UnavailableError(f"{name} needs the Python package {missing}, which is not here", help=way_out) from error
    except ImportError as error:
        if (error.name or "sspicli").partition(".")[0] == "sspicli":
            raise
        raise UnavailableError(f"{name} needs {error.name}, which does not load here", cause=str(error)) from error
    assert isinstance(command, click.Command), f"{module} has no command"
    return command


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Give ` Did you mean ...?` when a known word is near, else nothing; an error shows it as its `help:`."""
    if not any(map(str.isalpha, word)):
        return ""  # one number is not a misspelling of another
    from difflib import get_close_matches

    near = get_close_matches(word, list(known), n=1)
    return f"{_MEANT}{near[0]!r}?" if near else ""


def _closing_help() -> str:
    r"""Write the end of every help text: exit codes and environment, each behind click's `\b` to keep its lines."""
    codes = "\n".join(f"  {code:>3}  {meaning}" for code, meaning in EXIT_CODES.items())
    names = "\n".join(f"  {name:<16}  {meaning}" for name, meaning in ENVIRONMENT.items())
    return f"\b\nExit codes:\n{codes}\n\n\b\nEnvironment:\n{names}"


CLOSING_HELP = _closing_help()


def _want_traceback(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    if value:
        ctx.ensure_object(Invocation).has_traceback = True


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=CLOSING_HELP,
)
@click.option(
    "--debug",
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=_want_traceback,
    help="Show the traceback when a bug ends the run.",
)
@click.version_option(__version__, "-V", "--version", prog_name=PROGRAM, message="%(prog)s %(version)s")
def group() -> None:
    """Run, watch and test asynchronous SSPI security contexts between local endpoints.

    \b
    Examples:
      sspi-async handshake
      sspi-async handshake --tls 1.2 --mode poll
      sspi-async handshake --server cert=expired   # exit 1
      sspi-async explain SEC_E_CERT_EXPIRED
    """  # noqa: D301 (click reads the \b)


# -- leaving the process -----------------------------------------------------------------------------------------------


def run() -> None:
    """Run the command line and leave with its exit code."""
    code = _guarded(Invocation(bool(os.environ.get("SSPI_ASYNC_DEBUG"))))
    _flush_or_drop_stdout()
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # nothing of ours is left to interrupt, and Python would show where
    sys.exit(code)


def end_of_output(error: OSError) -> int:
    """Give the exit code for an error met while writing to stdout before there was a command."""
    return _ended_by_system(error, Invocation())


def _guarded(invocation: Invocation) -> int:
    """Run the command line; whatever happens, give an exit code."""
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")  # noqa: PTH123, SIM115 (it lives as long as the process)
    try:
        if sys.stdout is None:
            raise WriteError("standard output is closed", help="send it to a file, or to /dev/null")
        code = _carried_out(invocation)
        sys.stdout.flush()
    except SspiCliError as error:
        return _shown(error)
    except click.exceptions.NoArgsIsHelpError as error:
        _say(f"{error.format_message()}\n")
        return ExitCode.USAGE
    except click.ClickException as error:
        return _shown(house_error(error))
    except (click.Abort, KeyboardInterrupt) as ending:
        return _ended_by_signal(ending)
    except OSError as error:
        return _ended_by_system(error, invocation)
    except MemoryError:
        code = None  # what held the memory lives until this block is left; only then is there room to say so
    except ImportError as error:  # of what a command imports when it needs it
        if (error.name or "sspicli").partition(".")[0] == "sspicli":
            return _bug(error, invocation)
        return _shown(UnavailableError(f"this needs {error.name}, which does not load here", cause=str(error)))
    except SystemExit as ending:  # rich answers a closed pipe with an exit code of its own
        if not isinstance(ending.__context__, BrokenPipeError):
            raise
        _drop_stdout()
        return ExitCode.CLOSED
    except Exception as error:
        signalled = _signal_behind(error)
        return _bug(error, invocation) if signalled is None else _ended_by_signal(signalled)
    else:
        return code if isinstance(code, int) else ExitCode.OK
    return _shown(LimitError("the memory that this process may have is used up", help=_MORE))


def _carried_out(invocation: Invocation) -> object:
    """Do what the command line says; click's `main` would answer a closed pipe with an exit code of its own."""
    if COMPLETION_VARIABLE in os.environ:
        return group.main(prog_name=PROGRAM, standalone_mode=False, complete_var=COMPLETION_VARIABLE)
    try:
        with group.make_context(PROGRAM, sys.argv[1:], obj=invocation) as ctx:
            return group.invoke(ctx)
    except click.exceptions.Exit as ending:
        return ending.exit_code


def _ended_by_signal(ending: BaseException) -> int:
    """Say that somebody ended us; a command whose run is interrupted says so itself, with what there is to show."""
    from sspicli.cli.interrupts import INTERRUPTED, TERMINATED, TerminatedError

    is_terminated = isinstance(ending, TerminatedError)
    _say(f"{TERMINATED if is_terminated else INTERRUPTED}\n")
    return ExitCode.TERMINATED if is_terminated else ExitCode.INTERRUPTED


def _signal_behind(error: BaseException) -> BaseException | None:
    """Find the Ctrl-C that an error was made from: Python 3.11 wraps whatever ends the making of a class."""
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, KeyboardInterrupt):
        cause = cause.__cause__
    return cause


def _ended_by_system(error: OSError, invocation: Invocation) -> int:
    """Tell a closed pipe, a full disk and a limit of the system from an error nobody expected."""
    is_closed = isinstance(error, BrokenPipeError) or (sys.platform == "win32" and error.errno == errno.EINVAL)
    if is_closed:
        _drop_stdout()
        return ExitCode.CLOSED
    if error.errno in _LIMITS:
        return _shown(LimitError(f"the system gives no more: {error.strerror}", help=_MORE))
    if error.errno not in _WRITE_ERRORS:
        return _bug(error, invocation)
    _drop_stdout()
    where = os.fsdecode(error.filename) if isinstance(error.filename, str | bytes) else "standard output"
    return _shown(WriteError(f"output could not be written: {error.strerror}", where=where))


def _bug(error: Exception, invocation: Invocation) -> int:
    """Say in one line that this is our mistake, and how to see more of it."""
    from sspicli.views.text import visible

    if invocation.has_traceback:
        _say("".join(traceback.format_exception(error)))
    words = visible(f"{type(error).__name__}: {error}", _LONGEST_SHOWN)
    again = visible(shlex.join([PROGRAM, "--debug", *sys.argv[1:]]), _LONGEST_SHOWN)
    way_out = "report it with the lines above" if invocation.has_traceback else f"for the traceback: {again}"
    _say(f"error: this is a bug in {PROGRAM} {__version__}: {words}\n  help: {way_out}\n")
    return ExitCode.BUG


def _shown(error: SspiCliError) -> int:
    """Print an expected failure, and give its exit code."""
    show_error(error)
    return error.exit_code


def show_error(error: SspiCliError) -> None:
    """Print an expected failure: what, where, cause, help."""
    from sspicli.views.text import visible

    lines = [f"error: {visible(error.message, _LONGEST_SHOWN)}"]
    if error.where:
        lines.append(f"  --> {visible(error.where, _LONGEST_SHOWN)}")
    if error.cause:
        lines.append(f"  cause: {visible(error.cause, _LONGEST_SHOWN)}")
    if error.help:
        lines.append(f"  help: {visible(error.help, _LONGEST_SHOWN)}")
    _say("\n".join(lines) + "\n")


def _say(text: str) -> None:
    """Write to stderr, in whatever encoding it has; a stderr that is gone hears nothing."""
    encoding = sys.stderr.encoding or "ascii"
    try:
        sys.stderr.write(text.encode(encoding, "backslashreplace").decode(encoding))
        sys.stderr.flush()
    except OSError:
        return


def _flush_or_drop_stdout() -> None:
    """Let what was printed before a failure reach its reader; the exit code is decided already."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError:
        _drop_stdout()


def _drop_stdout() -> None:
    """Point stdout away, so that the interpreter's last flush does not complain."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


# -- click's errors in our layout --------------------------------------------------------------------------------------


def house_error(error: click.ClickException) -> SspiCliError:
    """Say a failure that click noticed as we say our own: a sentence, where, and a way out."""
    if isinstance(error, click.FileError):
        return InputError("the file cannot be read", where=error.ui_filename, cause=error.message)
    ctx = error.ctx if isinstance(error, click.UsageError) else None
    match error:
        case click.NoSuchOption():
            return UsageError(f"there is no option {error.option_name}", help=_other_option(error, ctx))
        case click.MissingParameter():
            return UsageError(f"{_where(error)} is missing", help=_usage(ctx))
        case click.BadParameter():
            message, meant = _divided(error.message)
            return UsageError(message, where=_where(error), help=meant or _see_help(ctx))
        case click.BadOptionUsage():
            return UsageError(_sentence(error.message), help=_see_help(ctx))
    message, meant = _divided(error.format_message())
    return UsageError(message, help=meant or _see_help(ctx))


def _other_option(error: click.NoSuchOption, ctx: click.Context | None) -> str:
    """Name the option that was meant, or the place where this one belongs."""
    if ctx is None:
        return _see_help(None)
    if ctx.parent is not None and any(error.option_name in one.opts for one in ctx.find_root().command.params):
        return f"write it before the command: {PROGRAM} {error.option_name} {ctx.info_name}"
    from difflib import get_close_matches

    near = get_close_matches(error.option_name, error.possibilities or ())  # older clicks offer every option
    return f"did you mean {' or '.join(near)}?" if near else _see_help(ctx)


def _where(error: click.BadParameter) -> str:
    """Name the parameter: an option by its long form, an argument by its metavar."""
    if isinstance(error.param, click.Option):
        return max(error.param.opts, key=len)
    if error.param is not None and error.ctx is not None:
        return (error.param.metavar or error.param.human_readable_name).strip("[].…")
    return error.param_hint if isinstance(error.param_hint, str) else "a parameter"


def _divided(message: str) -> tuple[str, str]:
    """Divide a message from the suggestion at its end."""
    said, marker, meant = message.partition(_MEANT)
    return _sentence(said), f"did you mean {meant.strip()}" if marker else ""


def _sentence(text: str) -> str:
    """Write click's sentences as ours: a small letter first, no full stop."""
    text = text.strip().removesuffix(".")
    return text[:1].lower() + text[1:] if text[1:2].islower() or text[1:2] == " " else text


def _usage(ctx: click.Context | None) -> str:
    return "" if ctx is None else f"write {' '.join(ctx.get_usage().split()[1:])}"


def _see_help(ctx: click.Context | None) -> str:
    """Name the help text to read; click does not say which command an option without its value belongs to."""
    named = next((one for one in sys.argv[1:] if one in COMMANDS), "")
    path = " ".join(filter(None, (PROGRAM, named))) if ctx is None else ctx.command_path
    return f"{path} --help says what it takes"
