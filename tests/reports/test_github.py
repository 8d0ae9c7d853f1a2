"""Workflow commands and Markdown: what a runner and a page make of them, whatever the names are."""

from __future__ import annotations

import re

from hypothesis import given

from sspicli.analysis.cases import SuiteResult
from sspicli.reports.escapes import code_block, markdown, without_commands, xml_text
from sspicli.reports.github import annotations_text
from sspicli.reports.markdown import markdown_text
from tests.suites import FAILED, FILE, HOSTILE, ODD, PROBLEM, case, hostile_suites, one_of_each

COMMAND = re.compile(r"::(error|warning|notice) ([^\n]*?)::([^\n]*)")


def commands(text: str) -> list[tuple[str, dict[str, str], str]]:
    """Read commands as the runner does: properties end at the first `::`, are divided by `,` and unescaped."""
    out = []
    for one in text.removesuffix("\n").split("\n") if text else []:
        match = COMMAND.fullmatch(one)
        assert match, one
        properties = dict(pair.split("=", 1) for pair in match[2].split(","))
        out.append((match[1], {key: unescaped(value) for key, value in properties.items()}, unescaped(match[3])))
    return out


def unescaped(text: str) -> str:
    for token, char in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
        text = text.replace(token, char)
    return text


def test_an_annotation_stands_on_the_expected_value_and_says_all_there_is_to_say():
    first, second, third = commands(annotations_text(SuiteResult(cases=[FAILED, case(warnings=(ODD,))])))
    level, properties, message = first
    assert level == "error"
    assert [properties[name] for name in ("file", "line", "col", "endColumn")] == [FILE, "17", "23", "40"]
    assert properties["title"] == "E0201 expectation not met: tls-expired[pending-lifo] leg 3"
    assert message.startswith("expectation not met: got SEC_E_UNTRUSTED_ROOT (0x80090325)\nwire: alert 48")
    assert "again: sspi-async replay" in message
    assert second[1]["title"].startswith("E0202 misuse rule A008 broken")
    assert third[0] == "warning"


def test_a_good_suite_has_no_annotation_and_a_file_that_is_no_scenario_has_one_for_each_problem():
    assert annotations_text(SuiteResult(cases=[case()])) == ""
    ((_, properties, message),) = commands(annotations_text(SuiteResult(problems=[PROBLEM])))
    assert properties["line"] == "14"
    assert message == '"acept" is no step\nhelp: did you mean "accept"?'


@given(hostile_suites())
def test_whatever_the_names_are_there_is_one_command_a_line_and_each_has_its_own_properties(suite):
    text = annotations_text(suite)
    text.encode()
    for _, properties, message in commands(text):
        assert set(properties) == {"file", "line", "col", "endColumn", "title"}
        assert properties["line"].isdecimal()
        assert all(one == "\n" or one.isprintable() for one in message)


@given(HOSTILE)
def test_text_in_markdown_has_no_mark_that_is_not_escaped(text):
    assert not re.search(r"(?<!\\)(?:\\\\)*[`|<>&*_\[\]#@!~()]", re.sub(r"\\[^\w\s]", "", markdown(text)))
    assert "\n" not in markdown(text)


@given(HOSTILE)
def test_nothing_in_a_fence_ends_it(text):
    first, *inside, last = code_block(text).removesuffix("\n").split("\n")
    fence = first.removesuffix("text")
    assert last == fence
    assert not [one for one in inside if one.strip().startswith(fence)]


@given(hostile_suites())
def test_whatever_the_names_are_the_summary_can_be_written_and_its_tables_keep_their_columns(suite):
    text = markdown_text(suite, timing=True)
    text.encode()
    tables = re.sub(r"^(`{3,})text\n.*?^\1$", "", text, flags=re.DOTALL | re.MULTILINE)
    rows = [one for one in tables.split("\n") if one.startswith("| ")]
    bars = [len(re.findall(r"(?<!\\)\|", re.sub(r"\\\\", "", one))) for one in rows]
    assert len(set(bars)) <= 2
    assert not re.search(r"(?<!\\)<(?!/?details>|/?summary>)", re.sub(r"\\\\", "", tables))


def test_the_summary_says_the_verdict_the_counts_what_is_wrong_and_how_to_run_it_again():
    text = markdown_text(one_of_each(), timing=False)
    assert text.startswith("## ❌ sspi-async replay: failed\n\n| TOTAL | PASS | FAIL |")
    assert "### E0201 expectation not met: tls\\-expired\\[pending\\-lifo\\] leg 3" in text
    assert "\nsspi-async replay 'scenarios/tls-expired.sspi.yaml::tls-expired[pending-lifo]'" in text
    assert " ms" not in text


def test_a_summary_past_the_limit_is_cut_and_says_what_is_left_out():
    text = markdown_text(SuiteResult(cases=[FAILED] * 2000), timing=True)
    assert len(text.encode()) < 1 << 20
    assert re.search(r"and \d+ more parts, which do not fit here\n$", text)


@given(HOSTILE, HOSTILE)
def test_no_line_of_a_text_is_a_command_to_a_runner(one, two):
    for shown in (without_commands(f"{one}\n  {two}"), xml_text(f"{one}\n{two}"), code_block(f"{one}\n{two}")):
        assert not [each for each in shown.split("\n") if each.strip().startswith("::")]
    assert without_commands("a ##[error]b ##vso[x]y # ##z") == "a #\\x23[error]b #\\x23vso[x]y # ##z"


def test_a_percent_sign_comes_back_as_it_was():
    problem = PROBLEM._replace(message="100%0A ::x", help="", place=PROBLEM.place._replace(file="a%2Cb,c:d.yaml"))
    ((_, properties, message),) = commands(annotations_text(SuiteResult(problems=[problem])))
    assert message == "100%0A ::x"
    assert properties["file"] == "a%2Cb,c:d.yaml"
    assert properties["title"] == "E0301 100%0A ::x"
