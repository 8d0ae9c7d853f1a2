"""What a replay came to, as a person reads it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sspicli.analysis.cases import Outcome, Place, SuiteResult
from sspicli.views.excerpt import excerpt_lines
from sspicli.views.look import Look
from sspicli.views.replay import list_lines, problem_lines, replay_lines
from sspicli.views.text import ASCII, UNICODE, Glyphs, Segment, plain, visible, width_of
from tests.suites import FAILED, FILE, HOSTILE, LEAK, PROBLEM, STUCK, UNMET, case, hostile_suites, one_of_each


def look(width: int = 100, *, verbosity: int = 0, timing: bool = True, glyphs: Glyphs = UNICODE) -> Look:
    return Look(glyphs, width, timing, verbosity)


def shown(suite: SuiteResult, **changes: Any) -> list[str]:
    return [plain(one) for one in replay_lines(suite, look(**changes))]


def suite(*cases, **changes: Any) -> SuiteResult:
    return SuiteResult(cases=list(cases), nanoseconds=62_000_000, **changes)


def test_a_good_suite_is_a_line_for_each_file_and_the_counts():
    assert shown(suite(case(), case(), case(file="a.sspi.yaml"))) == [
        " ✓ pass   scenarios/tls-expired.sspi.yaml  2/2 cases  36 ms",
        " ✓ pass   a.sspi.yaml                      4/4 expectations  18 ms",
        "",
        "TOTAL 3  PASS 3  FAIL 0  XFAIL 0  XPASS 0  SKIP 0  STUCK 0   62 ms   exit 0",
    ]


def test_an_unmet_expectation_shows_its_place_the_evidence_the_cause_and_the_commands_to_go_on():
    lines = shown(suite(replace(FAILED, findings=())))
    assert lines[2:] == [
        "error[E0201]: expectation not met                         tls-expired[pending-lifo] leg 3",
        "  --> scenarios/tls-expired.sspi.yaml:17:23",
        "   |",
        "17 |     expect: { status: SEC_E_CERT_EXPIRED, alert: certificate_expired }",
        "   |                       ^^^^^^^^^^^^^^^^^^ got SEC_E_UNTRUSTED_ROOT (0x80090325)",
        "   |",
        "   = wire:  alert 48 unknown_ca, leg 3",
        "   = cause: the trust check ran before the date check",
        "   = see:   sspi-async explain SEC_E_UNTRUSTED_ROOT",
        "   = debug: sspi-async repl .sspi-artifacts/tls-expired.sspirec",
        f"   = again: sspi-async replay '{FILE}::tls-expired[pending-lifo]' --schedule v1:abc",
        "",
        "TOTAL 1  PASS 0  FAIL 1  XFAIL 0  XPASS 0  SKIP 0  STUCK 0   62 ms   exit 1",
    ]


def test_a_broken_rule_shows_its_code_its_subject_its_records_how_it_is_known_and_the_way_out():
    lines = shown(suite(replace(FAILED, unmet=())))
    assert "error[E0202]: misuse rule A008 broken: server.ac1 async context never freed" in lines
    assert f"  = rule:  {LEAK.rule.documented}"[:90] in "\n".join(lines)
    assert "  = seen:  server.ac1: it was settled at the end, records #41 #47" in lines
    assert f"  = help:  {LEAK.rule.fix}"[:90] in "\n".join(lines)
    assert f"  = page:  {LEAK.rule.reference.url}" in lines
    assert "  = see:   sspi-async explain A008" in lines


def test_a_stuck_case_shows_its_wait_chain_in_its_order_and_ends_with_6():
    lines = shown(suite(STUCK))
    assert lines[2].startswith("error[E0203]: stuck: a call stayed pending")
    assert [one for one in lines if "waits:" in one] == [f"  = waits: {wait}" for wait in STUCK.waits]
    assert lines[-1].endswith("STUCK 1   62 ms   exit 6")


def test_what_was_got_stands_alone_only_where_the_file_itself_shows_what_was_expected():
    unmet = replace(UNMET, place=Place(FILE, 5, 15, 22, "    expect: { $status }"), got="SEC_E_OK")
    lines = shown(suite(replace(FAILED, unmet=(unmet,))))
    assert any(one.endswith("expected SEC_E_CERT_EXPIRED, got SEC_E_OK") for one in lines)


def test_the_verdict_alone_is_one_line():
    assert len(shown(one_of_each(), verbosity=-1)) == 1


def test_verbose_shows_every_case_its_steps_its_warnings_and_what_an_xfail_fell_short_of():
    lines = shown(one_of_each(), verbosity=1)
    assert sum("not reached  leg 4" in one for one in lines) == 5
    assert any(one.startswith("warning[E0202]: misuse rule A011") for one in lines)
    assert any(one.startswith("info[E0201]") and "known[" in one for one in lines)
    assert not any(one.startswith(("warning", "info")) for one in shown(one_of_each()))


@pytest.mark.parametrize("is_strict", [False, True])
def test_a_case_that_passes_unexpectedly_is_a_failure_only_when_that_is_asked_for(is_strict):
    lines = shown(suite(case(Outcome.XPASS, reason="issue 13"), is_strict=is_strict))
    assert any(one.startswith("error[E0204]: did not fail as expected: issue 13") for one in lines) is is_strict
    assert lines[-1].endswith(f"exit {int(is_strict)}")


def test_without_timing_nothing_measured_is_shown():
    assert not [one for one in shown(one_of_each(), timing=False) if " ms" in one]


def test_an_interrupted_suite_says_so_and_counts_what_was_not_run():
    last = " ".join(shown(suite(case(), is_interrupted=True, left=["a", "b"]))[-2:])
    assert "NOT RUN 2" in last
    assert last.endswith("interrupted, exit 130")


def test_past_fifty_explanations_the_others_are_counted_and_verbose_shows_them():
    many = suite(*[replace(FAILED, scenario=f"case {number}") for number in range(60)])
    assert "and 10 more, which -v explains as well" in shown(many)
    assert sum("E0201" in one for one in shown(many)) == 50
    assert sum("E0201" in one for one in shown(many, verbosity=1)) == 60


def test_a_name_that_cannot_be_typed_gives_no_command_to_copy():
    lines = shown(suite(replace(FAILED, scenario="a\x1b[2Jb")))
    assert not [one for one in lines if "again:" in one]
    assert any("a\\x1b[2Jb" in one for one in lines)


def test_a_command_to_copy_is_never_folded_or_cut():
    lines = shown(suite(replace(FAILED, schedule="v1:" + "z" * 3000)), width=48)
    assert any(one.endswith("z" * 3000) for one in lines)


def test_problems_of_files_are_shown_by_position_with_their_way_out():
    first = PROBLEM._replace(place=PROBLEM.place._replace(line=2), message="first", help="")
    lines = [plain(one) for one in problem_lines([PROBLEM, first], look())]
    assert lines[0] == "error[E0301]: first"
    assert lines[7:12] == [
        'error[E0301]: "acept" is no step',
        "  --> scenarios/tls-expired.sspi.yaml:14:7",
        "   |",
        "14 |     - acept: {endpoint: server}",
        "   |       ^^^^^",
    ]
    assert lines[13] == '   = help:  did you mean "accept"?'


def test_a_file_that_is_no_scenario_has_its_line_and_the_suite_ends_with_3():
    problem = PROBLEM._replace(place=PROBLEM.place._replace(file="x.yaml"))
    lines = shown(suite(case(Outcome.FAILED), problems=[problem]))
    assert lines[1].split() == ["✗", "error", "x.yaml", "1", "problem"]
    assert lines[-1].endswith("NO SCENARIO 1   62 ms   exit 3")


def test_a_list_shows_ids_and_tags():
    lines = list_lines([("a::b[c]", ("tls", "slow")), ("d\n::e", ())])
    assert [plain(one) for one in lines] == ["a::b[c]  tls  slow", "d\\x0a::e"]


def carets(place: Place, *, width: int = 80) -> tuple[str, str]:
    """Give the text that stands above the carets, and the whole line, by cells."""
    _, text, marks, *_ = [plain(one) for one in excerpt_lines(place, "", UNICODE, width=width)]
    start, end = marks.index("^"), marks.rindex("^") + 1
    cells: list[str] = []
    for char in text:
        width_of_it = width_of([Segment(char)])
        if width_of_it:
            cells += [char, *[""] * (width_of_it - 1)]
        else:
            cells[-1] += char
    return "".join(cells[start:end]), text


@pytest.mark.parametrize(
    ("excerpt", "begin", "end", "above"),
    [
        ("name: value", 7, 12, "value"),
        ("名前: 値です # x", 5, 8, "値です"),
        ("\tname: v", 8, 9, "v"),
        ("\x1b[2J: v", 7, 8, "v"),
        ("name: \u202ev", 7, 8, "\\u202e"),
        ("name:", 6, 6, ""),
    ],
)
def test_the_carets_stand_under_what_they_mark(excerpt, begin, end, above):
    assert carets(Place("f", 1, begin, end, excerpt))[0] == above


def test_a_long_line_is_cut_around_what_is_marked():
    excerpt = "a" * 500 + "MARK" + "b" * 500
    above, text = carets(Place("f", 1, 501, 505, excerpt))
    assert above == "MARK"
    assert text.startswith("1 | …a")
    assert text.endswith("b…")
    assert len(text) <= 80


@pytest.mark.parametrize("begin", [1, 5_000, 50_000, 99_990])
def test_a_line_as_long_as_a_file_is_shown_around_what_is_marked(begin):
    excerpt = "a" * (begin - 1) + "MARK" + "b" * (100_000 - begin)
    above, text = carets(Place("f", 1, begin, begin + 4, excerpt))
    assert above == "MARK"
    assert len(text) <= 80
    assert "characters" not in text


@given(st.lists(HOSTILE, min_size=3, max_size=3), st.integers(48, 120))
def test_the_carets_stand_under_what_they_mark_whatever_stands_beside_it(parts, width):
    before, marked, after = parts
    place = Place("f", 7, len(before) + 1, len(before) + len(marked) + 1, before + marked + after)
    expected = "    ".join(visible(part, 9999) for part in marked.split("\t"))
    if width_of([Segment(expected)]) in range(1, width - 40):
        assert carets(place, width=width)[0] == expected


@given(HOSTILE, HOSTILE, st.integers(40, 120), st.sampled_from([0, 1]))
def test_whatever_the_names_are_no_line_is_too_wide_and_none_holds_what_acts(one, two, width, verbosity):
    unmet = replace(UNMET, got=two, evidence=(one,), cause=two, place=Place(one, 9, 3, 7, two))
    bad = replace(FAILED, file=one, scenario=two, unmet=(unmet,), reason=one, recording="")
    drawn = replay_lines(suite(bad, replace(STUCK, reason=two, waits=(one,))), look(width, verbosity=verbosity))
    text = [plain(each) for each in drawn]
    assert all(each.isprintable() for each in text)
    whole = ("again:", "-->", "page:", "see:")
    wide = [plain(each) for each in drawn if width_of(each) > width and not any(mark in plain(each) for mark in whole)]
    assert wide == []


@pytest.mark.parametrize("width", [40, 48, 80, 120])
def test_in_ascii_nothing_else_is_drawn(width):
    assert all(one.isascii() for one in shown(one_of_each(), width=width, glyphs=ASCII, verbosity=1))


@given(hostile_suites(), st.sampled_from([0, 1]))
def test_no_line_is_a_command_to_the_runner_of_a_ci(suite, verbosity):
    lines = shown(suite, width=40, verbosity=verbosity)
    assert not [one for one in lines if one.strip().startswith("::") or "##[" in one]


def test_a_fact_that_is_folded_before_a_command_does_not_give_it():
    evidence = ("x" * 50 + " ::stop-commands::y", "##[error]z")
    lines = shown(suite(replace(FAILED, unmet=(replace(UNMET, evidence=evidence),))), width=70)
    assert "            \\x3a:stop-commands::y" in lines
    assert "   = wire:  #\\x23[error]z" in lines


def test_a_reason_beside_a_file_gives_no_command_to_a_runner():
    (line, *_) = shown(suite(case(Outcome.SKIP, reason="##[error]z", expectations=0)))
    assert line.endswith("#\\x23[error]z")
