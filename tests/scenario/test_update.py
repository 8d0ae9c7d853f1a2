"""`--update`: what was got is written where another thing was expected, and nothing else changes."""

import pytest

from sspicli.analysis.cases import CaseResult, Outcome, Place, Unmet
from sspicli.scenario.update import update

TEXT = "# a comment\nexpect: {client: SEC_E_OK}   # kept\nskip: 'x'\nschema: sspi-async/scenario/1\nname: x\n"


@pytest.fixture
def file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.sspi.yaml").write_bytes(TEXT.encode())
    return tmp_path / "a.sspi.yaml"


def place(line=2, column=18, end=26, excerpt=None):
    return Place("a.sspi.yaml", line, column, end, TEXT.splitlines()[line - 1] if excerpt is None else excerpt)


def unmet(rewrite="SEC_E_CERT_EXPIRED", where=None):
    return Unmet(step="expect", key="client", place=where or place(), expected="SEC_E_OK", got="other", rewrite=rewrite)


def result(*unmets, label="", outcome=None):
    outcome = outcome or (Outcome.FAILED if unmets else Outcome.PASSED)
    parameters = (("tls", label),) if label else ()
    return CaseResult(
        file="a.sspi.yaml", scenario="s", parameters=parameters, place=place(), outcome=outcome, unmet=unmets
    )


def test_a_value_is_rewritten_and_everything_else_stays(file):
    done = update([result(unmet())])
    assert file.read_text() == TEXT.replace("SEC_E_OK", "SEC_E_CERT_EXPIRED")
    assert [(one.file, one.values) for one in done.files] == [("a.sspi.yaml", 1)]
    assert "-expect: {client: SEC_E_OK}   # kept" in done.files[0].diff
    assert done.left == ()


def test_two_values_of_a_file_are_rewritten_at_once(file):
    update([result(unmet(), unmet("'yy'", place(3, 7, 10)))])
    assert file.read_text() == TEXT.replace("SEC_E_OK", "SEC_E_CERT_EXPIRED").replace("'x'", "'yy'")


def test_cases_that_agree_are_one_value(file):
    assert update([result(unmet(), label="1.2"), result(unmet(), label="1.3")]).files[0].values == 1


@pytest.mark.parametrize(
    ("results", "why"),
    [
        ([result(unmet(), label="1.2"), result(unmet("SEC_E_NO_CREDENTIALS"), label="1.3")], "got different things"),
        ([result(unmet(), label="1.2"), result(label="1.3")], "it holds in 1 of 2 cases"),
        ([result(unmet(None))], "not a plain value"),
        ([result(unmet(where=place(excerpt="another line")))], "the file has changed"),
        ([result(unmet(where=place(column=18, end=18)))], "the file has changed"),
        ([result(unmet(where=Place("a.sspi.yaml", 99, 1, 3, "abc")))], "the file has changed"),
    ],
)
def test_what_is_not_sure_is_left_and_told(file, results, why):
    done = update(results)
    assert (file.read_text(), done.files) == (TEXT, ())
    assert why in done.left[0]


@pytest.mark.parametrize("outcome", [Outcome.XFAIL, Outcome.SKIP, Outcome.ERROR])
def test_cases_that_are_not_failures_rewrite_nothing(file, outcome):
    assert update([result(unmet(), outcome=outcome)]) == ((), ())


@pytest.mark.parametrize("before", ["\ufeff", "\r\n", "\n\n"])
def test_a_place_is_found_whatever_ends_the_lines_before_it(file, before):
    text = before + TEXT.replace("\n", "\r\n")
    file.write_bytes(text.encode())
    moved = Place("a.sspi.yaml", 2 + before.count("\n"), 18, 26, "expect: {client: SEC_E_OK}   # kept")
    update([result(unmet(where=moved))])
    assert file.read_bytes().decode() == text.replace("SEC_E_OK", "SEC_E_CERT_EXPIRED")


def test_a_text_that_would_be_no_scenario_any_more_is_not_written(file):
    done = update([result(unmet(rewrite="[SEC_E_OK"))])

    assert (file.read_text(), done.files) == (TEXT, ())
    assert "no scenario any more" in done.left[0]
