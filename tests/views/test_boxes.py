"""Boxes: every cell counted, whatever the text is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sspicli.views.boxes import Band, Box, Panel, bands_of, fit
from sspicli.views.text import ASCII, UNICODE, Glyphs, line, plain, width_of


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[2J", r"\x1b[2J"),
        ("a\tb\n", r"a\x09b\x0a"),
        ("\u4e2d", r"\u4e2d"),
        ("e\u0301", r"e\u0301"),
        ("\u202e", r"\u202e"),
        ("caf\u00e9 ✓", "caf\u00e9 ✓"),
    ],
)
def test_what_is_not_one_cell_is_shown_as_an_escape(text: str, shown: str):
    assert plain(fit(line(text), 40, UNICODE)) == shown


def test_in_ascii_all_is_ascii():
    assert plain(fit(line("caf\u00e9…"), 40, ASCII)) == r"caf\xe9~"


@given(st.text(), st.integers(0, 60), st.sampled_from([UNICODE, ASCII]))
def test_a_line_is_exactly_as_wide_as_asked(text: str, width: int, glyphs: Glyphs):
    shown = fit(line(text, "b"), width, glyphs)
    assert width_of(shown) == width
    assert "".join(part.text for part in shown).isprintable()


def test_bars_begin_and_end_where_panels_stand_beside_each_other():
    one, two, three = (Panel(line(title), [line(title * 2)]) for title in "abc")
    rows = [plain(row) for row in bands_of([Band((one, two), 1, 8), Band((three,), 1)], Box(20, UNICODE))]
    assert rows == [
        "├ a ────┬ b ───────┤",
        "│ aa    │ bb       │",
        "├ c ────┴──────────┤",
        "│ cc               │",
    ]


def test_panels_with_one_column_follow_each_other():
    one, two = (Panel(line(title), [line(title * 2)]) for title in "ab")
    rows = [plain(row) for row in bands_of([Band((one, two), 3)], Box(10, ASCII))]
    assert rows == ["| a -----|", "| aa     |", "| bb     |", "|        |"]
