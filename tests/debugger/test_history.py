"""The history that the debugger lists: this session's lines by number, those of earlier ones apart."""

from __future__ import annotations

import pytest

from sspicli.debugger.history import history_lines
from sspicli.views.text import plain

EARLIER = [f"step {number}" for number in range(1, 31)]
NOW = ["where", "undo"]


@pytest.mark.parametrize(
    ("count", "shown"),
    [
        (1, ["   2  undo"]),
        (2, ["   1  where", "   2  undo"]),
        (3, ["earlier sessions", "      step 30", "this session", "   1  where", "   2  undo"]),
    ],
)
def test_the_last_lines_are_this_sessions_first(count, shown):
    assert [plain(one) for one in history_lines(EARLIER, NOW, count)] == shown


def test_without_a_count_some_of_earlier_sessions_stand_before_all_of_this_one():
    lines = [plain(one).strip() for one in history_lines(EARLIER, NOW, None)]
    assert lines == ["earlier sessions", *EARLIER[-20:], "this session", "1  where", "2  undo"]


def test_without_earlier_sessions_there_is_no_heading():
    assert [plain(one) for one in history_lines([], NOW, None)] == ["   1  where", "   2  undo"]


def test_where_nothing_was_typed_yet_only_earlier_sessions_are_listed():
    assert [plain(one).strip() for one in history_lines(["step"], [], None)] == ["earlier sessions", "step"]
