"""What start-up costs: the modules that each way in imports, seen from outside."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.processes import environment

HEAVY = {"OpenSSL", "cryptography", "rich", "prompt_toolkit", "cffi", "pydantic", "yaml"}


def imported(*arguments, **variables):
    """Run the command line and give the modules it imported, by `-X importtime`."""
    ended = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "sspicli", *arguments],
        capture_output=True,
        encoding="utf-8",
        env=environment(**variables),
        timeout=60,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return {line.rsplit("|", 1)[1].strip() for line in ended.stderr.splitlines() if line.startswith("import time:")}


def packages_of(modules):
    return {name.partition(".")[0] for name in modules}


def rooms_of(modules):
    return {".".join(name.split(".")[:2]) for name in modules if name.startswith("sspicli.")}


@pytest.mark.parametrize("option", ["--version", "-V"])
def test_the_version_is_answered_before_click_is_imported(option):
    modules = imported(option)
    assert "sspicli" in modules
    assert not packages_of(modules) & {"click", *HEAVY}
    assert rooms_of(modules) == set()


def test_help_imports_click_and_nothing_heavy():
    modules = imported("--help")
    assert "click" in packages_of(modules)
    assert not packages_of(modules) & HEAVY
    assert rooms_of(modules) == {"sspicli.cli", "sspicli.sspi"}
    assert not [name for name in modules if name.startswith("sspicli.cli.") and name != "sspicli.cli.main"]


@pytest.mark.parametrize(
    "name", ["repl", "dap", "show", "decode", "verify", "explain", "api", "packages", "doctor", "completion", "man"]
)
def test_the_help_of_a_command_without_a_session_imports_click_and_nothing_heavy(name):
    modules = imported(name, "--help")
    assert not packages_of(modules) & HEAVY
    assert rooms_of(modules) == {"sspicli.cli", "sspicli.sspi"}


def test_completing_a_command_imports_click_and_nothing_heavy():
    asking = {"_SSPI_ASYNC_COMPLETE": "bash_complete", "COMP_WORDS": "sspi-async ", "COMP_CWORD": "1"}
    modules = imported(**asking)
    assert not packages_of(modules) & HEAVY
    assert rooms_of(modules) == {"sspicli.cli", "sspicli.sspi"}


@pytest.mark.parametrize("arguments", [["SEC_E_CERT_EXPIRED"], ["-f", "json", "alert 45"], ["certificate", "expired"]])
def test_explain_imports_no_engine(arguments):
    assert not packages_of(imported("explain", *arguments)) & HEAVY


@pytest.mark.parametrize(
    "arguments",
    [
        ["handshake"],
        ["handshake", "-f", "json"],
        ["repl", "-c", "step"],
        ["decode", "15030300020228", "--hex"],
        ["doctor"],
        ["packages"],
    ],
)
def test_off_a_terminal_nothing_imports_what_draws_on_one(arguments):
    assert not packages_of(imported(*arguments)) & {"rich", "prompt_toolkit"}


def test_replaying_a_recording_imports_nothing_that_reads_scenarios(tmp_path):
    imported("handshake", "--record", str(tmp_path / "run.sspirec"))
    modules = imported("replay", str(tmp_path / "run.sspirec"))
    assert not packages_of(modules) & {"yaml", "pydantic", "rich", "multiprocessing"}
    assert "sspicli.scenario.parallel" not in modules


def test_replaying_scenarios_off_a_terminal_imports_nothing_that_draws():
    scenario = Path(__file__).parent.parent / "scenarios" / "flow" / "callback-style.sspi.yaml"
    assert not packages_of(imported("replay", str(scenario))) & {"rich", "prompt_toolkit", "multiprocessing"}


def test_nothing_of_the_live_view_is_imported_for_a_run_that_nobody_watches():
    drawing = {"sspicli.cli.live", "sspicli.cli.terminal", "sspicli.views.live", "sspicli.analysis.state"}
    assert not imported("handshake") & drawing
    assert imported("handshake", "--live") >= drawing


def test_importing_the_program_writes_nothing_and_starts_nothing():
    source = "import sspicli.__main__, sspicli.cli.main, threading; print(threading.active_count())"
    ended = subprocess.run(
        [sys.executable, "-W", "error", "-c", source],
        capture_output=True,
        encoding="utf-8",
        env=environment(),
        timeout=60,
        check=False,
        cwd=Path(__file__).parent,
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "1\n", "")
