"""`scenario new` and `scenario schema`: what is written for a user to begin with.

The rule guarded here: nothing is written over. All that is wrong is known before the first file is made, except that
the disk is full. The modeline names the schema as editors look for it, relative to the scenario's own folder.
"""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

import click

from sspicli.cli.scenario import SCHEMA_FILE, TEMPLATES
from sspicli.cli.screen_options import STDOUT
from sspicli.files.create import create_file
from sspicli.files.replace import check_place
from sspicli.sspi.errors import ExitCode, UsageError, WriteError
from sspicli.views.text import visible

MODELINE = "# yaml-language-server: $schema="
SUFFIX = ".sspi.yaml"


class Wanted(NamedTuple):
    """What `scenario new` is asked for."""

    file: Path
    template: str | None
    recording: Path | None
    schema: str | None
    has_schema: bool

    @property
    def is_stdout(self) -> bool:
        """Say whether it goes to stdout."""
        return str(self.file) == STDOUT

    @property
    def schema_path(self) -> Path:
        """Name the schema's file, as it is seen from here."""
        return self.file.parent / (self.schema or SCHEMA_FILE)


def write_new(wanted: Wanted) -> int:
    """Write a scenario, and the schema beside it if there is none yet."""
    _check(wanted)
    text = _with_modeline(_text(wanted), wanted)
    if wanted.is_stdout:
        click.echo(text, nl=False)
        return ExitCode.OK
    create_file(wanted.file, text)
    _say(f"wrote {wanted.file}")
    if wanted.has_schema and "://" not in (wanted.schema or "") and not wanted.schema_path.exists():
        create_file(wanted.schema_path, schema_text())
        _say(f"wrote {wanted.schema_path}, by which editors complete and check it")
    if not wanted.file.name.endswith(SUFFIX):
        _say(f"note: in a folder, replay finds only files named *{SUFFIX}")
    return ExitCode.OK


def write_schema(output: Path) -> int:
    """Write the schema, to stdout or to a new file."""
    if str(output) == STDOUT:
        click.echo(schema_text(), nl=False)
    else:
        create_file(output, schema_text())
    return ExitCode.OK


def schema_text() -> str:
    """Write the schema as JSON in ASCII."""
    from sspicli.scenario.schema import schema

    return json.dumps(schema(), indent=1, ensure_ascii=True) + "\n"


def list_templates() -> int:
    """List the templates, each with the names of its scenarios."""
    from sspicli.scenario.load import loads

    for name in TEMPLATES:
        names = dict.fromkeys(case.name for case in loads(template_text(name), name).cases)
        click.echo(f"{name:<10}  {'; '.join(names)}")
    return ExitCode.OK


def template_text(name: str) -> str:
    """Read a template."""
    return files("sspicli.scenario").joinpath("templates", f"{name}{SUFFIX}").read_text(encoding="utf-8")


def _check(wanted: Wanted) -> None:
    if wanted.template is not None and wanted.recording is not None:
        raise UsageError("a scenario begins with a template or with a recording", where="--from", help="leave out one")
    if wanted.schema is not None and (not wanted.has_schema or not wanted.schema.strip().isprintable()):
        why = "it contradicts --no-schema" if not wanted.has_schema else "this is no path that a line can hold"
        raise UsageError(
            why, where="--schema", help="leave out one" if not wanted.has_schema else f"such as {SCHEMA_FILE}"
        )
    if not wanted.is_stdout:
        check_place(wanted.file)
        if wanted.file.exists():
            raise WriteError(
                "the file exists, and is not overwritten", where=str(wanted.file), help="choose another name"
            )


def _text(wanted: Wanted) -> str:
    if wanted.recording is None:
        return template_text(wanted.template or TEMPLATES[0])
    from sspicli.cli.recordings import open_recording
    from sspicli.scenario.write import files_outside, scenario_text

    opened = open_recording(wanted.recording)
    text = scenario_text(opened.records, where=opened.name)
    for one in files_outside(opened.records):
        _say(f"note: {one} is outside the scenario's folder; replay takes it with --allow-path DIR only")
    return text


def _with_modeline(text: str, wanted: Wanted) -> str:
    has_own = MODELINE.partition("$")[0] in text.partition("\n")[0]
    return text if has_own or not wanted.has_schema else f"{MODELINE}{wanted.schema or SCHEMA_FILE}\n{text}"


def _say(text: str) -> None:
    click.echo(visible(text, 1000), err=True)
