"""Comments and files of commands."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sspicli.cli.repl_lines import LONGEST, lines_of_bytes, lines_of_file, without_comment
from sspicli.sspi.errors import InputError


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("# all of it", ""),
        ("  step   # once", "step"),
        ("break client.init#2", "break client.init#2"),
        ("complete server.accept#1 # now", "complete server.accept#1"),
        ('break init if side == " # " # why', 'break init if side == " # "'),
        ("", ""),
        ("\t", ""),
    ],
)
def test_a_comment_begins_a_line_or_stands_behind_a_blank(text, left):
    assert without_comment(text) == left


@given(st.text())
def test_taking_out_comments_twice_changes_nothing_more(text):
    assert without_comment(without_comment(text)) == without_comment(text)


def test_lines_come_with_their_places():
    assert list(lines_of_bytes([b"\xef\xbb\xbfstep\r\n", b"next"], "f")) == [("step", "f:1"), ("next", "f:2")]


def test_what_stands_before_a_bad_line_is_read():
    lines = lines_of_bytes([b"step\n", b"\xff\n"], "f")
    assert next(lines).text == "step"
    with pytest.raises(InputError) as failure:
        next(lines)
    assert failure.value.where == "f:2"


@pytest.mark.parametrize("data", [b"\xff\xfe", b"x" * (LONGEST + 1), b"x" * (2 << 20)])
def test_a_file_of_commands_is_utf_8_text_of_bounded_size(tmp_path, data):
    (tmp_path / "f").write_bytes(data)
    with pytest.raises(InputError):
        lines_of_file(tmp_path / "f", "f")
