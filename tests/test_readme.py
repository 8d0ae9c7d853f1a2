"""The README says what the program does: its ladder is the program's, and its examples run."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

README = Path(__file__).parent.parent / "README.md"
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", README.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
CONSOLE = [text.strip().splitlines() for language, text in BLOCKS if language == "console"]
SHOWN = next(text for language, text in BLOCKS if language == "text")
TEXTS = [text for language, text in BLOCKS if language == "text"]
SCENARIO, *PIPELINES = [text for language, text in BLOCKS if language == "yaml"]
FAILING = CONSOLE[2]
ASKED = re.findall(r"^\| [^|]+ \| (`[^|]+) \|$", README.read_text(encoding="utf-8"), re.MULTILINE)
SAID = [words for row in ASKED for words in re.findall(r"`(-[^`]+)`", row)]
COMMANDS = [words for row in ASKED for words in re.findall(r"`sspi-async ([^`]+)`", row) if "…" not in words]
OPTIONS = [words for words in SAID if "KEY=" not in words and "…" not in words]


def timeless(text: str) -> str:
    return re.sub(r"\d+\.\d(?= )", "N.N", text)


def run(words: str, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "sspicli", *shlex.split(words)]
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", cwd=folder, timeout=60)


def test_the_first_screen_has_exactly_two_commands_for_a_fresh_machine():
    first_screen = README.read_text(encoding="utf-8").split("```text")[0]
    assert first_screen.count("```console") == 2
    assert [len(block) for block in CONSOLE[:2]] == [1, 1]
    assert CONSOLE[0][0].endswith("sspi-async handshake")
    assert "pytest" in CONSOLE[1][0]


def test_the_ladder_shown_is_what_the_program_prints(tmp_path: Path):
    assert timeless(run("handshake --width 80", tmp_path).stdout) == timeless(SHOWN)


@pytest.mark.parametrize("line", FAILING)
def test_each_failure_in_the_examples_fails_and_explains_itself(line: str, tmp_path: Path):
    done = run(line.removeprefix("sspi-async "), tmp_path)
    assert done.returncode == 1
    assert re.search(r"^  help ", done.stdout, re.MULTILINE)
    assert done.stderr == ""


@pytest.mark.parametrize("words", OPTIONS)
def test_each_option_in_the_table_is_understood(words: str, tmp_path: Path):
    filled = words.replace("--seed N", "--seed 3").replace("FILE", "file")
    done = run(f"handshake {filled}", tmp_path)
    assert done.returncode in (0, 1, 6), done.stderr
    assert "error:" not in done.stderr


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("recorded")
    run("handshake --server cert=expired --record run.sspirec", folder)
    (folder / "scenarios").symlink_to(README.parent / "scenarios")
    return folder


@pytest.mark.parametrize("words", COMMANDS)
def test_each_command_in_the_table_does_what_it_is_there_for(words: str, recorded: Path):
    done = run(words, recorded)
    assert done.returncode == 0, done.stderr
    assert done.stdout if not done.stderr else done.stderr.startswith("wrote ")


def test_the_scenario_shown_fails_as_shown(tmp_path: Path):
    (tmp_path / "expired.sspi.yaml").write_text(SCENARIO, encoding="utf-8")

    done = run("replay expired.sspi.yaml --no-timing --width 100", tmp_path)

    assert done.stdout == TEXTS[1]
    assert done.returncode == 1


@pytest.mark.parametrize("pipeline", PIPELINES, ids=["github", "gitlab"])
def test_the_pipelines_replay_as_they_are_written(pipeline: str, recorded: Path):
    parsed = yaml.safe_load(pipeline)
    steps = parsed["jobs"]["replay"]["steps"] if "jobs" in parsed else []
    lines = [step["run"] for step in steps if "run" in step] or parsed["replay"]["script"]

    done = run(lines[1].removeprefix("sspi-async "), recorded)

    assert lines[0] == "pip install ."
    assert done.returncode == 0, done.stdout
    assert (recorded / "report.xml").is_file()
