"""The live view's frames: they fit every size, and say what the state says."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sspicli.analysis.state import State
from sspicli.journal import events as ev
from sspicli.journal.journal import Record
from sspicli.sspi.handles import Handle
from sspicli.views.live import SMALLEST, Look, frame
from sspicli.views.text import ASCII, UNICODE, Glyphs, Line, plain, width_of
from tests.handshakes import records_of

RUNS: list[dict[str, Any]] = [
    {},
    {"tls": "1.2", "messages": 2},
    {"server": ("cert=expired",)},
    {"fault": ("server.accept=hang", "client.init=delay:500")},
    {"completion": "inline"},
    {"client": ("resume=ticket",)},
    {"workers": 1},
]
SECOND = 1_000_000_000


@cache
def recorded(number: int) -> list[Record]:
    return records_of(**RUNS[number])


def state_of(records: list[Record]) -> State:
    state = State()
    for record in records:
        state.see(record)
    return state


def until(records: list[Record], kind: type, nth: int = 1) -> list[Record]:
    found = [record.sequence for record in records if isinstance(record.event, kind)]
    return records[: found[nth - 1]]


def drawn(records: list[Record], size: tuple[int, int], glyphs: Glyphs = UNICODE, later: int = 0) -> list[Line]:
    """Draw the state that these records make, `later` nanoseconds after the last of them."""
    now = (records[-1].nanoseconds if records else 0) + later
    return frame(state_of(records), Look(*size, glyphs, now, "0.1 s a step"))


def text(records: list[Record], size: tuple[int, int], later: int = 0) -> str:
    return "\n".join(map(plain, drawn(records, size, later=later)))


@settings(max_examples=300, deadline=None)
@given(
    st.integers(0, len(RUNS) - 1),
    st.floats(0, 1),
    st.integers(1, 200),
    st.integers(1, 60),
    st.sampled_from([UNICODE, ASCII]),
)
def test_a_frame_fits_every_size_at_every_moment(run: int, part: float, width: int, height: int, glyphs: Glyphs):
    records = recorded(run)
    lines = drawn(records[: int(part * len(records))], (width, height), glyphs)
    assert len(lines) <= height
    assert max(map(width_of, lines)) <= width
    assert glyphs is UNICODE or all(plain(one).isascii() for one in lines)


@pytest.mark.parametrize("size", [(80, 24), (120, 40), SMALLEST, (64, 24), (110, 12), (200, 60)])
@pytest.mark.parametrize("run", range(len(RUNS)))
def test_from_the_smallest_size_on_a_frame_is_a_whole_box(run: int, size: tuple[int, int]):
    lines = drawn(recorded(run), size)
    assert [width_of(one) for one in lines] == [size[0]] * size[1]
    rows = [plain(one) for one in lines]
    assert (rows[0][0], rows[0][-1], rows[-1][0], rows[-1][-1]) == tuple("┌┐└┘")
    assert all(row[0] in "│├" and row[-1] in "│┤" for row in rows[1:-1])


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
def test_no_row_moves_while_a_run_goes_on(size: tuple[int, int]):
    records = recorded(0)
    edges = {
        tuple(at for at, one in enumerate(drawn(records[:end], size)) if plain(one)[0] == "├")
        for end in range(len(records))
    }
    assert len(edges) == 1


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
def test_a_pending_call_is_shown_with_its_age_its_phase_and_its_buffers(size: tuple[int, int]):
    shown = text(until(recorded(0), ev.QueueingReturned, 5), size, later=1_400_000)
    client = next(row for row in shown.splitlines() if row.startswith("│ client"))
    assert "ac1 PENDING" in client
    assert "init #2 ◷" in client
    assert "notify: set, due" in client
    assert "1 client init #2  ◷ 1.4 ms" in shown
    assert "buffers of client init #2" in shown
    assert "in  [0] TOKEN 1808 B  [1] EMPTY NULL" in shown
    assert "out [0] TOKEN NULL  [1] ALERT NULL" in shown
    assert "waits for leg 3" in shown
    assert re.search(r"RUNNING \d+\.\d s · 0.1 s a step", shown)


@pytest.mark.parametrize(("later", "age"), [(0, "0.0 ms"), (2 * SECOND, "2.0 s"), (125 * SECOND, "2 min 5 s")])
def test_an_age_is_told_in_what_suits_it(later: int, age: str):
    records = until(recorded(0), ev.CallQueued, 1)
    assert f"acquire  ◷ {age}" in text(records, (80, 24), later=later)


def test_a_completed_call_shows_what_became_of_its_buffers():
    shown = text(until(recorded(0), ev.CallCompleted, 4), (120, 40))
    assert "out [0] TOKEN NULL → TOKEN 1808 B  [1] ALERT NULL" in shown
    assert "belongs to the call" not in shown


def test_a_failed_call_is_named_with_its_status_and_a_sign():
    assert "init #2 ✗ SEC_E_CERT_EXPIRED" in text(recorded(2), (120, 40))
    assert "alert 45" not in text(recorded(0), (120, 40))


def test_a_failed_call_stays_in_sight_when_others_have_followed_it():
    rows = text(recorded(2), (80, 24)).splitlines()
    assert "…  init #2 ✗ SEC_E_CERT_EXPIRED" in rows[1]
    assert rows[1].startswith("│ client")
    assert "accept #2 ✗ SEC_E_CERT_EXPIRED" in rows[2]


def test_a_call_that_a_fault_holds_says_so():
    shown = text(recorded(3), (120, 40))
    assert "never: fault" in shown
    assert "STUCK" in shown
    assert "waits for bytes from its peer" in shown
    assert "accept #1 ◷" in text(recorded(3), (80, 24)).splitlines()[2]
    delayed = text(until(recorded(3), ev.FaultInjected), (120, 40))
    assert "client init #1" in delayed
    assert "due 0.0005" in delayed


def test_when_the_run_is_over_ages_stand_still():
    assert text(recorded(3), (120, 40)) == text(recorded(3), (120, 40), later=90 * SECOND)


def test_the_small_screen_drops_the_token_and_keeps_both_ends():
    rows = text(recorded(0), SMALLEST).splitlines()
    assert rows[1].startswith("│ client")
    assert rows[2].startswith("│ server")
    assert [row[2:9].strip("─ ") for row in rows if row.startswith("├")] == ["ladder", "log"]


def test_a_target_name_is_shown_and_not_sent_to_the_terminal():
    records = until(recorded(0), ev.CallQueued, 3)
    event = records[-1].event
    assert isinstance(event, ev.CallQueued)
    hostile = event._replace(target_name="\x1b[2J\u202e\u4e2d\u0301")
    shown = text([*records[:-1], records[-1]._replace(event=hostile)], (120, 40))
    assert r"\x1b[2J\u202e\u4e2d\u0301" in shown
    assert all(character.isprintable() or character == "\n" for character in shown)


def test_no_secret_is_in_any_frame():
    records = recorded(1)
    secrets = [record.event.line.split()[-1] for record in records if isinstance(record.event, ev.KeyLogged)]
    frames = [text(records[:end], (200, 60)) for end in range(len(records))]
    assert secrets
    assert not [secret for secret in secrets for one in frames if secret[:16] in one]


def test_findings_stand_in_the_title_of_the_log():
    async_context = Handle("client", "ac", 1)
    broken = [*until(recorded(0), ev.CallQueued), Record(5, 0, 0, "client", 0, ev.AsyncContextFreed(async_context))]
    assert "log · 1 finding: A004" in text(broken, (80, 24))
