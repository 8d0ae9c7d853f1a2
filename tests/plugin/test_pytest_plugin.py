"""Scenarios as pytest's tests: what is collected, what fails and how it reads, marks, words, other plugins."""

import subprocess
import sys
from xml.etree import ElementTree as ET

import pytest

from tests.processes import environment

GOOD = (
    "schema: sspi-async/scenario/1\nname: fine\ntags: [one, two-words]\n"
    "matrix: { tls: ['1.2', '1.3'] }\nsession: { tls: $tls }\n"
)
FAILING = (
    "schema: sspi-async/scenario/1\nname: refused\nsession: { server: { cert: expired } }\n"
    "expect: { client: SEC_E_UNTRUSTED_ROOT }\n"
)
XFAIL = FAILING.replace("name: refused", "name: known\nxfail: it is not trusted first")
XPASS = "schema: sspi-async/scenario/1\nname: mended\nxfail: it was broken\n"
SKIP = "schema: sspi-async/scenario/1\nname: later\nskip: not yet\ntags: [skip]\n"
BAD = "schema: sspi-async/scenario/1\nname: bad\nsesion: {}\nexpect: { client: SEC_E_OKK }\n"


@pytest.fixture
def run(tmp_path):
    """Run pytest in a folder of its own, as a user does."""

    def run_with(files, *options):
        for name, text in files.items():
            (tmp_path / name).write_text(text)
        return subprocess.run(
            [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-W", "error", "--strict-markers", *options],
            capture_output=True,
            encoding="utf-8",
            env=environment(COLUMNS="100"),
            cwd=tmp_path,
            timeout=120,
            check=False,
        )

    return run_with


def test_each_case_is_a_test(run):
    ended = run({"a.sspi.yaml": GOOD}, "--collect-only", "-q")
    assert ended.stdout.splitlines()[:2] == ["a.sspi.yaml::fine[1.2]", "a.sspi.yaml::fine[1.3]"]


def test_cases_pass_beside_other_tests(run):
    ended = run({"a.sspi.yaml": GOOD, "test_b.py": "def test_b(): pass\n"})
    assert (ended.returncode, "3 passed" in ended.stdout) == (0, True), ended.stdout


def test_a_failure_reads_as_in_replay(run, tmp_path):
    ended = run({"a.sspi.yaml": FAILING})
    assert (ended.returncode, "1 failed" in ended.stdout) == (1, True)
    replay = subprocess.run(
        [sys.executable, "-m", "sspicli", "replay", "a.sspi.yaml", "--ascii", "--width", "100"],
        capture_output=True, encoding="utf-8", env=environment(), cwd=tmp_path, check=False,
    ).stdout  # fmt: skip
    lines = replay[replay.index("error[") :].partition("\n\nTOTAL")[0].splitlines()
    assert "^" * len("SEC_E_UNTRUSTED_ROOT") in ended.stdout
    assert [line for line in lines if line not in ended.stdout] == []
    assert "Traceback" not in ended.stdout


def test_tags_are_marks_and_words(run):
    files = {"a.sspi.yaml": GOOD, "b.sspi.yaml": XPASS}
    assert "2 passed, 1 deselected" in run(files, "-m", "two-words").stdout
    assert "2 passed, 1 deselected" in run(files, "-k", "one").stdout
    assert "1 passed, 2 deselected" in run(files, "-k", "1.3").stdout
    assert "1 passed" in run(files, "a.sspi.yaml::fine[1.2]").stdout


def test_what_is_expected_to_fail_and_what_is_skipped_is_reported_so(run):
    files = {"a.sspi.yaml": XFAIL, "b.sspi.yaml": XPASS, "c.sspi.yaml": SKIP}
    ended = run(files, "-rxXs")
    assert (ended.returncode, "1 skipped, 1 xfailed, 1 xpassed" in ended.stdout) == (0, True), ended.stdout
    assert all(words in ended.stdout for words in ("it is not trusted first", "it was broken", "not yet"))
    assert run(files, "--sspi-strict").returncode == 1


def test_a_file_with_problems_is_an_error_that_tells_them_all(run):
    ended = run({"a.sspi.yaml": BAD})
    assert ended.returncode == 2
    assert all(words in ended.stdout for words in ("a.sspi.yaml:3:1", 'did you mean "session"?', "a.sspi.yaml:4:19"))
    assert "Traceback" not in ended.stdout


def test_a_failure_leaves_a_recording_where_it_is_asked_for(run, tmp_path):
    run({"a.sspi.yaml": FAILING}, "--sspi-artifacts", "kept", "--junit-xml", "junit.xml")
    (kept,) = (tmp_path / "kept").iterdir()
    properties = ET.parse(tmp_path / "junit.xml").iter("property")
    found = {one.attrib["name"]: one.attrib["value"] for one in properties}
    assert found["sspi_recording"].endswith(kept.name)
    assert found["sspi_schedule"].startswith("v1:")


@pytest.mark.parametrize("options", [["-n", "2"], ["--import-mode=importlib"], ["-p", "no:terminalreporter"]])
def test_it_goes_with_the_ways_in_which_pytest_is_run(options, run):
    ended = run({"a.sspi.yaml": GOOD, "b.sspi.yaml": FAILING}, *options)
    assert ended.returncode == 1
    assert "2 passed" in ended.stdout or "terminalreporter" in options[-1]


def test_a_run_without_scenarios_imports_nothing_of_the_program(run):
    source = (
        "import sys\n\ndef test_x():\n"
        "    ours = {n for n in sys.modules if n.startswith('sspicli.')}\n"
        "    assert ours == {'sspicli.plugin', 'sspicli.plugin.pytest_plugin'}\n"
        "    assert not {'pydantic', 'yaml', 'OpenSSL', 'rich', 'click'} & set(sys.modules)\n"
    )
    ended = run({"test_x.py": source}, "-p", "no:hypothesispytest")
    assert ended.returncode == 0, ended.stdout


def test_a_tag_that_is_a_mark_of_pytests_own_does_nothing_by_itself(run):
    ended = run({"a.sspi.yaml": GOOD.replace("[one, two-words]", "[skip, xfail, usefixtures]")})
    assert "2 passed" in ended.stdout


def test_no_name_reaches_the_terminal_as_a_command(run):
    ended = run({"a.sspi.yaml": FAILING.replace("name: refused", 'name: "\\u009b31m \\u202e x"')}, "-v")
    assert not {"\x9b", "\u202e", "\x1b"} & set(ended.stdout)
