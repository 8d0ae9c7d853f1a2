"""What is written about the program equals what it does: manual pages, and every example of every help text."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from sspicli.cli.main import COMMANDS, group
from sspicli.cli.man import examples
from sspicli.cli.scenario_new import template_text
from tests.processes import environment, sspi

ROOT = Path(__file__).parent.parent
MAN = ROOT / "man"
REWRITE = "rewrite the pages: python -m sspicli.cli.man --write man"


@pytest.fixture(scope="module")
def generated(tmp_path_factory):
    """Write the pages as a user does, in a process of its own."""
    directory = tmp_path_factory.mktemp("man")
    subprocess.run(
        [sys.executable, "-m", "sspicli.cli.man", "--write", str(directory)],
        check=True,
        capture_output=True,
        env=environment(),
        timeout=60,
    )
    return {path.name: path.read_text(encoding="ascii") for path in directory.iterdir()}


def test_every_command_has_its_page_and_no_page_is_left_over():
    expected = {"sspi-async.1", "sspi-async-scenario-format.7", *(f"sspi-async-{name}.1" for name in COMMANDS)}
    assert {path.name for path in MAN.iterdir()} == expected, REWRITE


PAGES = ["sspi-async.1", "sspi-async-scenario-format.7", *(f"sspi-async-{name}.1" for name in COMMANDS)]


@pytest.mark.parametrize("name", PAGES)
def test_a_page_equals_what_the_generator_prints(name, generated):
    assert (MAN / name).read_text(encoding="ascii") == generated[name], REWRITE


def test_no_page_depends_on_where_or_when_it_is_made(generated, tmp_path):
    ended = sspi("man", "--write", str(tmp_path), TZ="Pacific/Auckland", COLUMNS="40", NO_COLOR="1", LC_ALL="C")
    assert ended.returncode == 0
    assert {path.name: path.read_text(encoding="ascii") for path in tmp_path.iterdir()} == generated


def test_mandoc_has_nothing_to_say_against_the_pages():
    mandoc = shutil.which("mandoc")
    if mandoc is None:
        if os.environ.get("CI") == "true":
            pytest.fail("mandoc is needed: apt-get install mandoc")
        pytest.skip("mandoc is not here")
    ended = subprocess.run(
        [mandoc, "-Tlint", "-Wwarning", *sorted(map(str, MAN.iterdir()))],
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert (ended.returncode, ended.stdout) == (0, "")


def documented():
    """List every example: of the group's help, and of each command's."""
    ctx = group.make_context("sspi-async", [], resilient_parsing=True)
    commands = {name: group.get_command(ctx, name) for name in COMMANDS}
    texts = {"sspi-async": group.help, **{name: one.help for name, one in commands.items() if one}}
    for name, one in commands.items():
        texts |= {f"{name}: {sub}": inner.help for sub, inner in getattr(one, "commands", {}).items()}
    return [pytest.param(one, id=f"{name}: {one.text}") for name, text in texts.items() for one in examples(text)]


def test_every_command_has_examples():
    for name in COMMANDS:
        assert any(str(one.id).startswith(f"{name}: ") for one in documented())


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """Record what the examples look at: a mutual-TLS handshake that fails."""
    folder = tmp_path_factory.mktemp("recorded")
    settings = ["--server", "request-cert=require", "--client", "cert=expired"]
    ended = sspi("handshake", *settings, "--record", "run.sspirec", cwd=folder)
    assert ended.returncode == 1, ended.stderr
    return folder / "run.sspirec"


@pytest.mark.parametrize("example", documented())
def test_an_example_ends_with_the_exit_code_that_it_declares(example, recorded, tmp_path):
    shutil.copy(recorded, tmp_path)
    (tmp_path / "orders.sspi.yaml").write_text(template_text("matrix"), encoding="utf-8")
    ended = sspi(*example.arguments, cwd=tmp_path)
    assert example.text.split()[0] == "sspi-async"
    assert ended.returncode == example.exit_code, ended.stderr
    notes = [line for line in ended.stderr.splitlines() if not line.startswith("wrote ")]  # a file, as it was asked to
    assert not notes or example.exit_code != 0
