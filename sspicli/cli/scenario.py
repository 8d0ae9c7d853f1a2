"""`sspi-async scenario`: write scenarios, check them, list them, lay them out, and the schema that editors use.

The rule guarded here: nothing is run, and no file is written over but by `fmt`, whose layout changes no value. What
only one of the commands needs is imported by that one.
"""

from __future__ import annotations

from pathlib import Path

import click

from sspicli.cli.main import CLOSING_HELP, did_you_mean
from sspicli.cli.screen_options import STDOUT, Screen, allow_path_option, brief_options
from sspicli.cli.session_options import Choice

TEMPLATES = ("handshake", "failure", "server", "misuse", "faults", "matrix")
SCHEMA_FILE = "sspi-async-scenario.schema.json"
_PATH = click.Path(path_type=str, allow_dash=True)
_NEW = click.Path(dir_okay=False, allow_dash=True, path_type=Path)
_RECORDING = click.Path(dir_okay=False, allow_dash=True, path_type=Path)


class Commands(click.Group):
    """A group whose commands end their help as all others do, and that suggests the nearest for an unknown one."""

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Give a command with the closing help."""
        command = super().get_command(ctx, cmd_name)
        if command is not None:
            command.epilog = CLOSING_HELP
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Suggest the nearest command for an unknown one."""
        name = args[0]
        if name not in self.commands and not name.startswith("-"):
            raise click.UsageError(f"There is no command {name!r}.{did_you_mean(name, self.commands)}", ctx)
        return super().resolve_command(ctx, args)


@click.group("scenario", cls=Commands, short_help="Write and check and lay out scenarios.")
def command() -> None:
    """Write scenarios, check them, list them and lay them out. `replay` runs them.

    A scenario is a file in YAML, *.sspi.yaml; its format is described by sspi-async-scenario-format(7).

    \b
    Examples:
      sspi-async scenario new first.sspi.yaml
      sspi-async scenario new --template failure
      sspi-async scenario schema
    """  # noqa: D301 (click reads the \b)


@command.command("new", short_help="Write a scenario to begin with.")
@click.argument("file", type=_NEW, default=STDOUT)
@click.option("--template", type=Choice(TEMPLATES), help="The scenario to begin with  [default: handshake].")
@click.option(
    "--from",
    "recording",
    type=_RECORDING,
    metavar="RECORDING",
    help="Write the scenario of a recorded run: in the same words, expecting what came of it.",
)
@click.option("--list", "lists", is_flag=True, help="List the templates, and write none.")
@click.option(
    "--schema",
    metavar="PATH",
    help="Where editors find the schema, from the scenario's folder; it is written there too, unless there is one  "
    f"[default: {SCHEMA_FILE}].",
)
@click.option("--no-schema", is_flag=True, help="Leave out the line for editors, and write no schema.")
def new(
    file: Path, template: str | None, recording: Path | None, lists: bool, schema: str | None, no_schema: bool
) -> int:
    """Write a scenario to a new file, or to stdout: a commented template, or what a recording shows.

    The first line names the schema for editors, and the schema is written beside the scenario. In VS Code it takes the
    extension "YAML" (redhat.vscode-yaml) and nothing else: keys and values are completed, explained and checked.

    A scenario --from a recording passes: it has the run's settings, clock, seed and schedule, and expects its statuses,
    messages, verdict and findings. A recording of a scenario gives that scenario.

    \b
    Examples:
      sspi-async scenario new --list
      sspi-async scenario new
      sspi-async scenario new expired.sspi.yaml --template failure
      sspi-async scenario new run.sspi.yaml --from run.sspirec
    """  # noqa: D301 (click reads the \b)
    from sspicli.cli.scenario_new import Wanted, list_templates, write_new

    if lists:
        return list_templates()
    return write_new(Wanted(file, template, recording, schema, not no_schema))


@command.command("check", short_help="Say what is wrong with scenarios.")
@click.argument("paths", metavar="PATH...", nargs=-1, required=True, type=_PATH)
@click.option("-q", "quiet", is_flag=True, help="The verdict only.")
@allow_path_option
@brief_options("text", "json", "sarif", "github")
def check(paths: tuple[str, ...], quiet: bool, allowed: tuple[Path, ...], **given: object) -> int:
    """Check scenarios without running them: files, and folders with everything below them.

    All problems of all files are told at once, each with its place.

    \b
    Examples:
      sspi-async scenario check orders.sspi.yaml
      sspi-async scenario check . -f sarif
      sspi-async scenario check run.sspirec   # exit 3
    """  # noqa: D301 (click reads the \b)
    from sspicli.cli.scenario_files import check_files

    return check_files(paths, Screen.taken_from(given), is_quiet=quiet, allowed=allowed)


@command.command("list", short_help="List scenarios with their cases and tags.")
@click.argument("paths", metavar="PATH...", nargs=-1, required=True, type=_PATH)
@click.option("-k", "words", metavar="EXPR", default="", help="List the cases whose id has this in it; and, or, not.")
@click.option("--tag", "tags", multiple=True, metavar="[!]TAG", help="List what has this tag, or with ! has it not.")
@click.option("-v", "verbose", is_flag=True, help="List each case too.")
@brief_options("text", "json")
def list_(paths: tuple[str, ...], words: str, tags: tuple[str, ...], verbose: bool, **given: object) -> int:
    """List scenarios: where each stands, its name, how many cases its matrix has, its tags.

    \b
    Examples:
      sspi-async scenario list .
      sspi-async scenario list . -k "1.3 and not inline" -v
      sspi-async scenario list . --tag nothing-has-this   # exit 5
    """  # noqa: D301 (click reads the \b)
    from sspicli.cli.scenario_files import list_scenarios

    return list_scenarios(paths, words, tags, screen=Screen.taken_from(given), has_cases=verbose)


@command.command("schema", short_help="Print the JSON Schema of scenarios.")
@click.option("-o", "--output", type=_NEW, default=STDOUT, metavar="FILE", help="Write it to a new file.")
def schema(output: Path) -> int:
    """Print the JSON Schema (2020-12) of a scenario, which editors complete and check by.

    An editor finds it by the first line of a scenario, which `scenario new` writes; the path in it counts from the
    scenario's folder.

    \b
    Examples:
      sspi-async scenario schema
      sspi-async scenario schema -o sspi-async-scenario.schema.json
    """  # noqa: D301 (click reads the \b)
    from sspicli.cli.scenario_new import write_schema

    return write_schema(output)


@command.command("fmt", short_help="Lay scenarios out in one way.")
@click.argument("paths", metavar="PATH...", nargs=-1, required=True, type=_PATH)
@click.option("--check", "checks", is_flag=True, help="Write nothing; exit 1 if a file is not laid out so.")
@click.option("--diff", "shows", is_flag=True, help="Show the changes instead of making them.")
def fmt(paths: tuple[str, ...], checks: bool, shows: bool) -> int:
    """Lay scenarios out in one way: indentation, blanks, the order of the top level's keys.

    No value changes and no comment is lost. With - for a path stdin is laid out on stdout.

    \b
    Examples:
      sspi-async scenario fmt orders.sspi.yaml
      sspi-async scenario fmt --check --diff .
    """  # noqa: D301 (click reads the \b)
    from sspicli.cli.scenario_fmt import lay_out

    return lay_out(paths, is_checking=checks, is_showing=shows)
