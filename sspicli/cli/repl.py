"""`sspi-async repl [FILE]`: the interactive debugger, for a fresh session, a scenario or a recording.

The rule guarded here: what the command line says is complete. A file says itself how its session is made, so options of
a session beside one are refused, not ignored. What the debugger needs is imported when it begins.
"""

from __future__ import annotations

from pathlib import Path

import click
from click.core import ParameterSource

from sspicli.cli.screen_options import Screen, screen_options
from sspicli.cli.session_options import Choice, session_options
from sspicli.sspi.errors import UsageError

_SCENARIOS = (".yaml", ".yml")
_NOT_HERE = frozenset({"workers", "keylog", "include_secrets"})
"""Options of a session that is not stepped, or whose secrets leave it."""


@click.command("repl", short_help="Step a session or a scenario or a recording interactively.")
@click.argument("file", required=False, type=click.Path(dir_okay=False, path_type=Path))
@click.option("--at", type=click.IntRange(1), metavar="N", help="Begin at this record of a recording.")
@click.option("--again", is_flag=True, help="Make the session of a recording again, with its choices, to go on from.")
@click.option("--case", type=click.IntRange(1), metavar="N", help="The N-th case of a scenario file  [default: 1].")
@click.option(
    "--by-hand",
    multiple=True,
    type=Choice(["client", "server"]),
    help="Let this side do nothing by itself: every call of it is yours; repeatable.",
)
@click.option("-c", "commands", multiple=True, metavar="CMD", help="Carry out a command, and end; repeatable.")
@click.option(
    "-x",
    "scripts",
    multiple=True,
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Carry out the commands of a file, and end; before any -c; repeatable.",
)
@click.option("--vi/--emacs", "is_vi", default=False, help="Edit lines with the keys of vi, or of emacs.")
@click.option("--no-rc", is_flag=True, help="Do not begin with the commands of the user's replrc.")
@click.option("--timing/--no-timing", default=True, help="Show measured times, or leave them out.")
@session_options
@screen_options
@click.pass_context
def command(
    ctx: click.Context,
    /,
    file: Path | None,
    at: int | None,
    again: bool,
    case: int | None,
    by_hand: tuple[str, ...],
    commands: tuple[str, ...],
    scripts: tuple[Path, ...],
    is_vi: bool,
    no_rc: bool,
    timing: bool,
    **given: object,
) -> int:
    """Stop a session anywhere, also inside a call; look at anything, change what comes, go back, and branch.

    FILE is a scenario or a recording; without one a session is made from the options, as handshake makes it. On a
    terminal commands are typed at a prompt: help lists them, Ctrl-D leaves. With -c or -x, and when standard input is
    no terminal, commands are taken from there, and # begins a comment. The first command that fails decides the exit
    code; when none does, the session does as it stands at the end: 1 when it failed, 6 when it is stuck. A scenario
    that has ended does as replay does, by what it expects.

    The file replrc in the user's configuration directory (on Linux ~/.config/sspi-async) holds commands to begin with.
    What was typed is kept in the state directory (~/.local/state/sspi-async), but no line that speaks of a password or
    a secret, or that begins with a blank. With -f json each answer is one JSON object in a line.

    \b
    Examples:
      sspi-async repl -c continue
      sspi-async repl --server cert=expired -c continue -c why   # exit 1
      sspi-async repl run.sspirec --at 20 -c "info contexts"
      sspi-async repl run.sspirec --again -c "step 5" -c undo
      sspi-async repl -c "step 5" -f json
      sspi-async repl -c "help tamper"
      sspi-async repl -c nonsense   # exit 2
    """  # noqa: D301 (click reads the \b)
    screen = Screen.taken_from(given)
    record = given.pop("record")
    _check(ctx, file, given)
    from sspicli.cli.repl_run import Asked, Begin, debug

    begin = Begin(file, at or 0, again, case or 1, by_hand, given)
    assert record is None or isinstance(record, Path), "click has made a path of it"
    return debug(begin, Asked(commands, scripts, is_vi, not no_rc, timing, record, screen))


command.params = [one for one in command.params if one.name not in _NOT_HERE]


def _check(ctx: click.Context, file: Path | None, given: dict[str, object]) -> None:
    """Refuse what the session could not obey."""
    said = {name for name in ctx.params if ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE}
    if file is None:
        for name in sorted(said & {"at", "again", "case"}):
            raise UsageError("it is for a file, and none is named", where=f"--{name}", help="name the file")
        if "schedule" in said:
            _check_schedule(said, str(given["schedule"]))
        return
    for name in sorted(said & set(given)):
        raise UsageError("the file says itself how its session is made", where=f"--{name}", help="leave it out")
    is_scenario = file.name.endswith(_SCENARIOS)
    wrong = {"by_hand", *(("at", "again") if is_scenario else ("case",))}
    for name in sorted(said & wrong):
        others = {"case": "a scenario", "by_hand": "a fresh session"}
        option = f"--{name.replace('_', '-')}"
        raise UsageError(f"it is for {others.get(name, 'a recording')}", where=option, help="leave it out")


def _check_schedule(said: set[str], schedule: str) -> None:
    """Refuse a schedule that is none, and one beside what it makes needless."""
    from sspicli.runtime.chooser import schedule_choices

    for name in sorted(said & {"completion", "order"}):
        raise UsageError(
            "a schedule holds every choice", where=f"--{name}", help="leave it out, or leave out --schedule"
        )
    schedule_choices(schedule)
