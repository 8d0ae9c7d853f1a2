"""The one sanitiser: nothing that acts on a terminal or hides from its reader comes through, and letters do."""

from __future__ import annotations

import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sspicli.views.text import Segment, visible, width_of

ACTING = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def acting(text: str) -> list[str]:
    return [one for one in text if unicodedata.category(one) in ACTING or (one.isspace() and one != " ")]


def test_no_code_point_at_all_comes_through_that_could_act():
    everything = "".join(f"a{chr(code)}" for code in range(sys.maxunicode + 1))
    assert acting(visible(everything, longest=len(everything) * 12)) == []


@given(st.text(st.characters(exclude_categories=[])), st.integers(0, 300))
def test_no_text_comes_through_that_could_act(text: str, longest: int):
    shown = visible(text, longest)
    assert acting(shown) == []
    assert len(shown) <= longest + 25


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[2J", r"\x1b[2J"),
        ("\x07\x7f\x00\n\r\t", r"\x07\x7f\x00\x0a\x0d\x09"),
        ("\x9b2J\x85", r"\x9b2J\x85"),
        ("\u202egpj.exe\u2066\u200f", r"\u202egpj.exe\u2066\u200f"),
        ("a\u200bb\u200dc\u2060d\ufeff", r"a\u200bb\u200dc\u2060d\ufeff"),
        ("\u2028\u2029\xa0\u3000", r"\u2028\u2029\xa0\u3000"),
        ("\ud800", r"\ud800"),
        ("\ue000\U000f0000", r"\ue000\U000f0000"),
        ("\u0378\uffff", r"\u0378\uffff"),
        ("\U000e0041\U000e0001", r"\U000e0041\U000e0001"),
        ("a\ufe0f\U000e0100", r"a\ufe0f\U000e0100"),
        ("\u3164\u115f\u2800\uffa0", r"\u3164\u115f\u2800\uffa0"),
        ("\u0301a", r"\u0301a"),
        ("a" + "\u0301" * 5, "a\u0301\u0301" + r"\u0301" * 3),
    ],
)
def test_what_acts_or_hides_is_shown_as_an_escape(text: str, shown: str):
    assert visible(text) == shown


@pytest.mark.parametrize(
    "text", ["example.com", "Grüße, 世界", "שלום", "नमस्ते", "สวัสดีที่นี่", "Việt Nam e\u0302\u0301", "😀"]
)
def test_letters_of_every_script_stay_as_they_are(text: str):
    assert visible(text) == text


def test_what_is_long_is_cut_with_a_count():
    assert visible("x" * 1000, 10) == "xxxxxxxxxx… (1000 characters)"
    assert visible("\x1b" * 1000, 10) == r"\x1b\x1b\x… (1000 characters)"
    assert visible("x" * 10, 10) == "x" * 10


@pytest.mark.parametrize(
    ("text", "cells"), [("abc", 3), ("世界", 4), ("e\u0301", 1), ("⇄◷✓", 3), ("", 0), ("a世\u0301", 3)]
)
def test_the_width_is_counted_in_cells(text: str, cells: int):
    assert width_of([Segment(text)]) == cells
