"""The explain command: what it takes, what it divides into queries, and how it refuses."""

import json
import re

import pytest
from click.testing import CliRunner

from sspicli.analysis.rules import RULES
from sspicli.cli.explain import queries
from sspicli.cli.main import group
from sspicli.sspi.alerts import ALERTS
from sspicli.sspi.error_codes import ERROR_CODES
from sspicli.sspi.status import NtStatus, SecurityStatus
from tests.processes import sspi


def explain(*arguments):
    return CliRunner().invoke(group, ["explain", *arguments], prog_name="sspi-async", standalone_mode=False)


def names(*arguments):
    """Give the names that JSON finds, a list for each query."""
    found = json.loads(explain("-f", "json", *arguments).output)
    return [[one["name"] for one in answer["explanations"]] for answer in found["answers"]]


@pytest.mark.parametrize(
    "code", ["SEC_E_CERT_EXPIRED", "sec_e_cert_expired", "CERT_EXPIRED", "0x80090328", "80090328", "2148074280"]
)
def test_every_spelling_of_a_status_names_it(code):
    assert names(code) == [["SEC_E_CERT_EXPIRED"]]


def test_a_negative_number_is_a_code_and_not_an_option():
    assert names("-2146893018") == [["SEC_E_ILLEGAL_MESSAGE"]]
    assert names("-2146893018", "-2146893016") == [["SEC_E_ILLEGAL_MESSAGE"], ["SEC_E_CERT_EXPIRED"]]
    assert explain("-2146893018", "--width", "60").exit_code == 0


@pytest.mark.parametrize("code", [*SecurityStatus.__members__, *NtStatus.__members__, *RULES, *ERROR_CODES])
def test_every_code_of_the_tables_is_explained_by_its_name(code):
    assert names(code) == [[code]]


def test_every_alert_is_explained_by_its_number_and_its_name():
    for number, alert in ALERTS.items():
        assert names("alert", str(number)) == [[alert.name]]
        assert alert.name in names(alert.name)[0]


@pytest.mark.parametrize(
    ("codes", "divided"),
    [
        (("SEC_E_OK", "A004", "45"), ["SEC_E_OK", "A004", "45"]),
        (("certificate", "expired"), ["certificate expired"]),
        (("alert", "45"), ["alert 45"]),
        (("failed", "with", "SEC_E_CERT_EXPIRED"), ["failed with SEC_E_CERT_EXPIRED"]),
        ((" SEC_E_OK ", ""), ["SEC_E_OK"]),
    ],
)
def test_codes_are_queries_of_their_own_and_words_make_one(codes, divided):
    assert queries(codes) == divided


def test_one_find_is_printed_in_full():
    shown = explain("A004").output.splitlines()
    assert shown[0].split() == ["A004", "error", "misuse", "rule"]
    assert any(line.startswith("What to do") for line in shown)


def test_the_finds_of_a_search_are_printed_in_a_line_each():
    shown = explain("certificate", "expired").output.splitlines()
    assert shown[0].startswith("SEC_E_CERT_EXPIRED")
    assert shown[-1] == "sspi-async explain NAME says more"
    assert all(len(line) <= 100 for line in shown)


def test_a_number_with_several_meanings_gives_them_all_in_full():
    shown = explain("0").output
    assert [line.split()[0] for line in shown.split("\n\n") if line] == ["SEC_E_OK", "STATUS_SUCCESS", "close_notify"]


def test_without_a_code_it_says_what_it_takes():
    ended = sspi("explain")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.startswith("Usage: sspi-async explain CODE...\n")
    assert len(ended.stdout.splitlines()) < 15


def test_every_form_that_the_usage_names_is_understood():
    shown = explain().output
    rows = [re.split(r"\s{2,}", line.strip()) for line in shown.splitlines()]
    forms = [row[1].replace(", or", ",") for row in rows if len(row) == 2]
    codes = [one.strip().strip('"') for form in forms for one in form.split(",")]
    assert len(codes) >= 9
    for code in codes:
        assert explain(*code.split()).exit_code == 0, code


def test_json_without_a_code_is_a_wrong_command_line():
    ended = sspi("explain", "-f", "json")
    assert (ended.returncode, ended.stdout) == (2, "")


def test_an_unknown_code_ends_with_2_and_what_was_meant():
    ended = sspi("explain", "SEC_E_CERT_EXPIRD")
    assert (ended.returncode, ended.stdout) == (2, "")
    first, second = ended.stderr.splitlines()
    assert first == 'error: no status, alert or rule is known as "SEC_E_CERT_EXPIRD"'
    assert second.startswith("  help: did you mean SEC_E_CERT_EXPIRED")


def test_what_is_known_is_explained_even_if_another_code_is_not():
    ended = sspi("explain", "A004", "Q123")
    assert ended.returncode == 2
    assert ended.stdout.startswith("A004 ")
    assert '"Q123"' in ended.stderr
    assert "A004" not in ended.stderr


def test_json_holds_queries_that_name_nothing_with_their_suggestions():
    ended = sspi("explain", "-f", "json", "SEC_E_CERT_EXPIRD")
    document = json.loads(ended.stdout)
    assert ended.returncode == 2
    assert document["schema"] == "sspi-async/explain/1"
    assert document["answers"][0]["explanations"] == []
    assert "SEC_E_CERT_EXPIRED" in document["answers"][0]["suggestions"]


@pytest.mark.parametrize(
    ("option", "help"), [("--fromat", "did you mean --format?"), ("-x", "sspi-async explain --help says what it takes")]
)
def test_an_unknown_option_is_not_taken_for_a_code(option, help):
    ended = sspi("explain", option, "A004")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr == f"error: there is no option {option}\n  help: {help}\n"


def test_a_hyphen_alone_is_a_word_of_a_log_line():
    line = "schannel - SEC_E_UNTRUSTED_ROOT (0x80090325) - next"
    assert names(*line.split()) == [["SEC_E_UNTRUSTED_ROOT"]]


@pytest.mark.parametrize("width", [60, 100])
def test_lines_stay_inside_the_width(width):
    shown = explain("--width", str(width), "SEC_E_CERT_UNKNOWN").output.splitlines()[1:]
    assert all(len(line) <= width for line in shown)


def test_an_error_code_of_the_program_says_what_it_stands_for_and_what_to_do():
    answer = explain("E0201").output
    assert answer.startswith("E0201   error   error code of sspi-async\nExpectation not met.")
    assert "What to do" in answer


def test_an_error_code_misspelt_is_met_with_near_ones():
    assert "E0201" in sspi("explain", "E0021").stderr
