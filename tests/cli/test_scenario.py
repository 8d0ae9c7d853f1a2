"""The scenario command: new, check, list, schema and fmt, from outside."""

import json

import jsonschema
import pytest

from sspicli.cli.scenario import SCHEMA_FILE, TEMPLATES
from sspicli.cli.scenario_new import template_text
from sspicli.scenario.layout import formatted
from tests.processes import sspi
from tests.scenario.test_paths import PEM

GOOD = (
    "schema: sspi-async/scenario/1\nname: fine\ntags: [one, two]\n"
    "matrix: { tls: ['1.2', '1.3'] }\nsession: { tls: $tls }\n"
)
BAD = "schema: sspi-async/scenario/1\nname: not fine\nsesion: {}\nexpect: { client: SEC_E_OKK, serer: SEC_E_OK }\n"
HOSTILE = "\x1b]0;gone\x07"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "good.sspi.yaml").write_text(GOOD)
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "bad.sspi.yaml").write_text(BAD)
    return tmp_path


# -- new ---------------------------------------------------------------------------------------------------------------


def test_every_template_passes_as_it_is_written_and_is_laid_out(tmp_path):
    for name in TEMPLATES:
        assert sspi("scenario", "new", f"{name}.sspi.yaml", "--template", name, cwd=tmp_path).returncode == 0
        assert formatted(template_text(name)) == template_text(name)
    ended = sspi("replay", ".", "--strict", cwd=tmp_path)
    assert ended.returncode == 0, ended.stdout


def test_the_list_names_every_template():
    ended = sspi("scenario", "new", "--list")
    assert [line.split()[0] for line in ended.stdout.splitlines()] == list(TEMPLATES)


def test_the_first_line_names_a_schema_that_stands_beside_the_scenario_and_accepts_it(tmp_path):
    (tmp_path / "deep").mkdir()
    assert sspi("scenario", "new", "deep/a.sspi.yaml", cwd=tmp_path).returncode == 0
    first = (tmp_path / "deep" / "a.sspi.yaml").read_text().splitlines()[0]
    assert first == f"# yaml-language-server: $schema={SCHEMA_FILE}"
    jsonschema.Draft202012Validator.check_schema(json.loads((tmp_path / "deep" / SCHEMA_FILE).read_text()))


def test_a_schema_that_is_there_is_left_alone_and_its_path_counts_from_the_scenario(tmp_path):
    (tmp_path / "deep").mkdir()
    (tmp_path / "mine.json").write_text("{}")
    ended = sspi("scenario", "new", "deep/a.sspi.yaml", "--schema", "../mine.json", cwd=tmp_path)
    assert ended.returncode == 0
    assert (tmp_path / "mine.json").read_text() == "{}"
    assert "$schema=../mine.json\n" in (tmp_path / "deep" / "a.sspi.yaml").read_text()


def test_without_a_schema_there_is_no_line_and_no_file(tmp_path):
    assert sspi("scenario", "new", "a.sspi.yaml", "--no-schema", cwd=tmp_path).returncode == 0
    assert [path.name for path in tmp_path.iterdir()] == ["a.sspi.yaml"]
    assert (tmp_path / "a.sspi.yaml").read_text() == template_text("handshake")


def test_stdout_is_the_scenario_alone(tmp_path):
    ended = sspi("scenario", "new", "-", cwd=tmp_path)
    assert ended.stdout.endswith(template_text("handshake"))
    assert (ended.stderr, list(tmp_path.iterdir())) == ("", [])


def test_nothing_is_written_over(tmp_path):
    (tmp_path / "a.sspi.yaml").write_text("mine")
    ended = sspi("scenario", "new", "a.sspi.yaml", cwd=tmp_path)
    assert (ended.returncode, (tmp_path / "a.sspi.yaml").read_text()) == (74, "mine")
    assert "exists, and is not overwritten" in ended.stderr
    assert sspi("scenario", "schema", "-o", "a.sspi.yaml", cwd=tmp_path).returncode == 74
    assert sspi("scenario", "new", "no/such/a.sspi.yaml", cwd=tmp_path).returncode == 74


@pytest.mark.parametrize(
    "options",
    [
        ["--template", "handshke"],
        ["--template", "failure", "--from", "x"],
        ["--schema", "x", "--no-schema"],
        ["--schema", "a\nb"],
    ],
)
def test_what_cannot_be_asked_for_is_refused(options, tmp_path):
    ended = sspi("scenario", "new", "a.sspi.yaml", *options, cwd=tmp_path)
    assert (ended.returncode, list(tmp_path.iterdir())) == (2, [])


def test_a_recording_becomes_a_scenario_that_passes(tmp_path):
    sspi("handshake", "--server", "cert=expired", "--record", "run.sspirec", cwd=tmp_path)
    assert sspi("scenario", "new", "run.sspi.yaml", "--from", "run.sspirec", cwd=tmp_path).returncode == 0
    assert sspi("replay", "run.sspi.yaml", "--strict", cwd=tmp_path).returncode == 0
    ended = sspi("scenario", "new", "--from", "run.sspi.yaml", cwd=tmp_path)
    assert ended.returncode == 3


# -- check -------------------------------------------------------------------------------------------------------------


def test_all_problems_of_all_files_are_told_with_their_places(folder):
    ended = sspi("scenario", "check", ".", cwd=folder)
    assert ended.returncode == 3
    assert ended.stdout.startswith("FAILED  3 problems in 1 of 2 files\n")
    assert "below/bad.sspi.yaml:3:1" in ended.stdout
    assert 'did you mean "session"?' in ended.stdout
    assert "^^^^^^^^^" in ended.stdout


def test_scenarios_without_a_problem_are_counted(folder):
    ended = sspi("scenario", "check", "good.sspi.yaml", cwd=folder)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "ok  1 scenario, 2 cases in 1 file\n", "")


def test_nothing_to_check_is_said(tmp_path):
    assert sspi("scenario", "check", ".", cwd=tmp_path).returncode == 5
    assert sspi("scenario", "check", "missing", cwd=tmp_path).returncode == 3


def test_the_document_of_a_check_counts_files_and_holds_the_problems(folder):
    document = json.loads(sspi("scenario", "check", ".", "-f", "json", cwd=folder).stdout)
    assert (document["schema"], document["exit_code"], document["scenarios"]) == ("sspi-async/check/1", 3, 1)
    assert document["files"][0] == {"file": "good.sspi.yaml", "scenarios": 1, "cases": 2}
    assert [(one["line"], one["code"]) for one in document["problems"]] == [(3, "E0301"), (4, "E0301"), (4, "E0301")]


def test_problems_are_annotations_and_sarif_too(folder):
    sarif = json.loads(sspi("scenario", "check", ".", "-f", "sarif", cwd=folder).stdout)
    assert len(sarif["runs"][0]["results"]) == 3
    lines = sspi("scenario", "check", ".", "-f", "github", cwd=folder).stdout.splitlines()
    assert [line.partition(",line")[0] for line in lines] == ["::error file=below/bad.sspi.yaml"] * 3


def test_nothing_in_a_file_reaches_the_terminal_as_a_command(tmp_path):
    text = json.dumps({"schema": "sspi-async/scenario/1", "name": "x", HOSTILE: HOSTILE})
    (tmp_path / "a.sspi.yaml").write_text(text)
    for words in (["check"], ["check", "-f", "github"], ["list"], ["fmt", "--diff"]):
        ended = sspi("scenario", *words, "a.sspi.yaml", cwd=tmp_path)
        assert "\x1b" not in ended.stdout + ended.stderr


# -- list --------------------------------------------------------------------------------------------------------------


def test_scenarios_are_listed_with_cases_and_tags(folder):
    ended = sspi("scenario", "list", "good.sspi.yaml", cwd=folder)
    assert (ended.returncode, ended.stdout) == (0, "good.sspi.yaml::fine  2 cases  one  two\n")
    document = json.loads(sspi("scenario", "list", "good.sspi.yaml", "-f", "json", cwd=folder).stdout)
    assert document["scenarios"][0]["matrix"] == {"tls": ["1.2", "1.3"]}
    assert document["scenarios"][0]["cases"] == ["good.sspi.yaml::fine[1.2]", "good.sspi.yaml::fine[1.3]"]


def test_a_list_can_be_narrowed(folder):
    ended = sspi("scenario", "list", "good.sspi.yaml", "-k", "1.3", "--tag", "one", "-v", cwd=folder)
    assert ended.stdout.splitlines() == ["good.sspi.yaml::fine  1 case  one  two", "  good.sspi.yaml::fine[1.3]"]
    assert sspi("scenario", "list", "good.sspi.yaml", "--tag", "ones", cwd=folder).returncode == 5


def test_a_file_that_is_no_scenario_is_told_beside_the_list(folder):
    ended = sspi("scenario", "list", ".", cwd=folder)
    assert (ended.returncode, ended.stdout.count("\n")) == (3, 1)
    assert "below/bad.sspi.yaml:3:1" in ended.stderr


# -- fmt ---------------------------------------------------------------------------------------------------------------

UGLY = "name:   x   # why\nschema: sspi-async/scenario/1\n"
PRETTY = "schema: sspi-async/scenario/1\nname: x   # why\n"


def test_a_file_is_laid_out_once(tmp_path):
    path = tmp_path / "a.sspi.yaml"
    path.write_text(UGLY)
    first, second = (sspi("scenario", "fmt", "a.sspi.yaml", cwd=tmp_path) for _ in range(2))
    assert (first.returncode, first.stdout, path.read_text()) == (0, "a.sspi.yaml\n", PRETTY)
    assert (second.returncode, second.stdout) == (0, "")


@pytest.mark.parametrize(
    ("options", "code", "shows"),
    [(["--check"], 1, False), (["--diff"], 0, True), (["--check", "--diff"], 1, True)],
)
def test_a_file_can_be_compared_with_the_layout(options, code, shows, tmp_path):
    path = tmp_path / "a.sspi.yaml"
    path.write_text(UGLY)
    ended = sspi("scenario", "fmt", "a.sspi.yaml", *options, cwd=tmp_path)
    assert (ended.returncode, path.read_text(), "+name: x" in ended.stdout) == (code, UGLY, shows)


def test_stdin_is_laid_out_on_stdout(tmp_path):
    ended = sspi("scenario", "fmt", "-", stdin=UGLY)
    assert (ended.returncode, ended.stdout) == (0, PRETTY)


def test_a_file_that_is_no_yaml_keeps_no_other_from_being_laid_out(tmp_path):
    (tmp_path / "a.sspi.yaml").write_text("a: [")
    (tmp_path / "b.sspi.yaml").write_text(UGLY)
    ended = sspi("scenario", "fmt", ".", cwd=tmp_path)
    assert (ended.returncode, (tmp_path / "b.sspi.yaml").read_text()) == (3, PRETTY)
    assert "a.sspi.yaml:1" in ended.stderr


# -- the group ---------------------------------------------------------------------------------------------------------


def test_an_unknown_command_is_answered_with_the_nearest():
    ended = sspi("scenario", "chek", "x")
    assert (ended.returncode, "did you mean 'check'?" in ended.stderr) == (2, True)


@pytest.mark.parametrize("name", ["new", "check", "list", "schema", "fmt"])
def test_the_help_of_each_ends_as_all_help_does(name):
    ended = sspi("scenario", name, "--help")
    assert "Exit codes:" in ended.stdout
    assert "Examples:" in ended.stdout


def test_files_outside_the_scenarios_folder_are_refused_by_check_and_replay_alike(tmp_path):
    (tmp_path / "suite").mkdir()
    (tmp_path / "roots.pem").write_text("no certificate")
    text = "schema: sspi-async/scenario/1\nname: a\nsession: { client: { trust: ../roots.pem } }\n"
    (tmp_path / "suite" / "a.sspi.yaml").write_text(text)
    for command in (("scenario", "check"), ("replay",)):
        ended = sspi(*command, "suite", cwd=tmp_path)
        assert ended.returncode == 3
        assert "suite/a.sspi.yaml:3:29" in ended.stdout
        assert "outside the scenario's folder" in ended.stdout
        allowed = sspi(*command, "suite", "--allow-path", ".", cwd=tmp_path)
        assert allowed.returncode == 3
        assert "outside" not in allowed.stdout
        assert "neither PEM nor PKCS#12" in allowed.stdout


def test_a_scenario_from_a_recording_says_which_files_it_may_not_name(tmp_path):
    (tmp_path / "site.pem").write_bytes(PEM)
    (tmp_path / "below").mkdir()
    sspi("handshake", "--server", "cert=../site.pem", "--record", "run.sspirec", cwd=tmp_path / "below")
    made = sspi("scenario", "new", "a.sspi.yaml", "--from", "run.sspirec", cwd=tmp_path / "below")
    assert made.returncode == 0
    assert "note: cert=../site.pem is outside the scenario's folder" in made.stderr
    assert "cert: ../site.pem" in (tmp_path / "below" / "a.sspi.yaml").read_text()


def test_a_recording_of_one_of_several_documents_gives_that_document(tmp_path):
    one = "schema: sspi-async/scenario/1\nname: one\n"
    two = "schema: sspi-async/scenario/1\nname: two  # the second\nsession: { server: { cert: expired } }\n"
    three = "schema: sspi-async/scenario/1\nname: three\n"
    (tmp_path / "a.sspi.yaml").write_text(f"{one}---\n{two}---\n{three}")
    sspi("replay", "a.sspi.yaml", "--artifacts", "kept", cwd=tmp_path)
    (kept,) = (tmp_path / "kept").iterdir()
    made = sspi("scenario", "new", "--no-schema", "--from", f"kept/{kept.name}", cwd=tmp_path)
    assert made.stdout == two
