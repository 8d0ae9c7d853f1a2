"""The screen of many sessions, and the line that says how far they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sspicli.analysis.load import LoadReport, Measures, Summary, outcome
from sspicli.analysis.report import report
from sspicli.journal import events as ev
from sspicli.views.load import load_lines, progress_bar, progress_text
from sspicli.views.text import ASCII, UNICODE, plain
from tests.handshakes import records_of

EXPIRED: dict[str, Any] = {"server": ("cert=expired",)}
UNTRUSTED: dict[str, Any] = {"server": ("cert=untrusted",)}
RACE: dict[str, Any] = {"mode": "sample", "completion": "inline"}
STUCK: dict[str, Any] = {"fault": ("server.accept#2=hang",)}


def load(*runs: dict[str, Any], **changes: object) -> LoadReport:
    summary = Summary()
    for number, run in enumerate(runs, start=1):
        summary.add(outcome(number, records_of(**run), judges=True, in_full=number == 1))
    made = LoadReport(
        summary=summary,
        credentials=report([one for one in records_of() if not isinstance(one.event, ev.HandshakeBegan)]),
        total=summary.sessions,
        in_flight=1,
        workers=0,
        measures=Measures(2.0, 10 << 20, 15 << 20, 40 << 20),
        ended_by="",
        recordings={},
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def shown(made: LoadReport, *, width: int = 100, timing: bool = True) -> list[str]:
    return [plain(one) for one in load_lines(made, UNICODE, width=width, timing=timing)]


def starting(lines: Sequence[str], words: str) -> str:
    (found,) = [one for one in lines if one.startswith(words)]
    return found


def test_the_first_line_is_the_verdict_with_how_many_and_how_fast():
    assert shown(load({}, {}))[0] == "ok  Schannel TLS 1.3  2 sessions  1 a second  2.0 s"
    assert shown(load({}, EXPIRED, STUCK))[0].startswith("STUCK  Schannel TLS 1.3  3 sessions  1 ok  1 failed  1 stuck")


def test_a_good_run_says_what_was_measured_judged_and_agreed_and_is_short():
    lines = shown(load({}, {}, {}))
    assert "p50 " in starting(lines, "  latency ")
    assert "each of 33 calls" in starting(lines, "  pending ")
    assert starting(lines, "  memory ") == "  memory    peak 40.0 MiB, 5.0 MiB more than before the sessions"
    assert starting(lines, "  judged ") == "  judged    3 of 3 by the misuse rules"
    assert "TLS_AES_256_GCM_SHA384" in starting(lines, "  agreed ")
    assert len(lines) < 12


def test_memory_is_told_for_each_session_where_many_were_in_flight():
    lines = shown(load({}, in_flight=512, workers=2))
    assert starting(lines, "  memory ").endswith("10.0 KiB for each in flight")
    assert starting(lines, "  in flight ") == "  in flight 512 on 2 workers"


def test_without_timing_nothing_measured_is_shown():
    lines = shown(load({}, EXPIRED), timing=False)
    for word in ("latency", "pending", "memory", "a second", " ms"):
        assert not [one for one in lines if word in one]


def test_each_way_to_fail_has_its_count_and_the_commonest_is_explained_with_its_ladder():
    lines = shown(load({}, EXPIRED, UNTRUSTED, EXPIRED, recordings={2: "kept"}))
    text = "\n".join(lines)
    words = " ".join(text.split())
    way = (
        "2 × client SEC_E_CERT_EXPIRED (0x80090328), alert 45 certificate_expired, first in session 2 (seed 8), in kept"
    )
    assert way in words
    assert "1 × client SEC_E_UNTRUSTED_ROOT" in words
    assert text.count("error[") == 1
    assert "error[SEC_E_CERT_EXPIRED" in text
    assert "leg 3  7 B  Alert fatal certificate_expired" in text


def test_broken_rules_and_waits_are_told():
    lines = "\n".join(shown(load(RACE, RACE)))
    assert "A006 error: used after it was freed, 2 times, first in session 1" in lines
    assert "2 ×  rules broken: A006" in lines
    assert "server.call3 never completes" in "\n".join(shown(load(STUCK)))


def test_an_interrupted_run_says_how_many_came_to_their_end_and_how_many_were_cut_off():
    lines = shown(load({}, {}, total=1000, in_flight=16, ended_by="interrupted"))
    assert lines[0].startswith("UNFINISHED  Schannel TLS 1.3  2 of 1,000 sessions  2 ok")
    assert starting(lines, "  ended ") == "  ended     interrupted, 16 sessions cut off in flight"


def test_credentials_that_failed_are_explained():
    records = records_of(fault=("client.acquire=fail:SEC_E_NO_CREDENTIALS",))
    lines = shown(load(total=5, credentials=report(records)))
    assert lines[0].startswith("FAILED  Schannel  0 of 5 sessions")
    assert "  The sessions share one credential a side, and that failed:" in lines
    assert any(one.startswith("error[SEC_E_NO_CREDENTIALS") for one in lines)


@pytest.mark.parametrize("width", [48, 60, 80, 120])
@pytest.mark.parametrize("glyphs", [UNICODE, ASCII], ids=["unicode", "ascii"])
def test_no_line_is_wider_than_the_screen(width: int, glyphs: Any):
    made = load({}, EXPIRED, RACE, STUCK, in_flight=100, ended_by="interrupted", total=9)
    figures = load_lines(made, glyphs, width=width, timing=True)[1:]
    ladder = next(at for at, one in enumerate(figures) if plain(one).startswith("  client   "))
    for one in figures[:ladder]:
        assert len(plain(one)) <= width


# -- how far it is -----------------------------------------------------------------------------------------------------


def test_progress_counts_and_says_how_long_it_still_takes():
    text = progress_text(250, 1000, in_flight=8, failed=3, seconds=0.5)
    assert text == "250 of 1,000 sessions, 8 in flight, 3 not ok, 500 a second, 2 s left"
    assert progress_bar(250, 1000, text, width=120) == f"[{'#' * 10}{' ' * 30}] {text}"


def test_progress_before_the_first_end_says_for_how_long_it_has_gone_on():
    text = progress_text(0, 10, in_flight=20, failed=0, seconds=3.2)
    assert text == "0 of 10 sessions, 10 in flight, 3 s so far"


def test_progress_does_without_its_bar_where_there_is_no_room():
    assert progress_bar(1, 10, "1 of 10 sessions, 1 a second, 9 s left", width=50).startswith("1 of 10 sessions")


@given(st.integers(0, 10**7), st.integers(1, 10**7), st.integers(0, 10**7), st.floats(0, 10**6), st.integers(1, 300))
def test_progress_is_never_wider_than_its_room(done: int, total: int, failed: int, seconds: float, width: int):
    done = min(done, total)
    text = progress_text(done, total, in_flight=7, failed=failed, seconds=seconds)
    assert len(progress_bar(done, total, text, width=width)) <= width
