"""The hex dump: which field each byte belongs to, with colour and without, inside any width."""

import itertools
import time
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sspicli.tokens.notation import Notation, read_notation
from sspicli.tokens.tree import Node
from sspicli.views.hexdump import field_pieces, hex_lines
from sspicli.views.text import ASCII, UNICODE, plain

DATA = bytes(range(0x28, 0x28 + 40))
TREE = Node(
    "hello",
    (0, 40),
    children=(
        Node("kind", (0, 1), 1),
        Node("suites", (1, 9), children=tuple(Node("suite", (at, at + 2), at) for at in (3, 5, 7))),
        Node("key", (9, 37), b"key"),
    ),
)


def texts(lines):
    return [plain(one) for one in lines]


def test_each_field_begins_at_a_bar_and_its_name_stands_in_the_row_where_it_begins():
    assert texts(hex_lines(DATA, TREE, UNICODE, width=110)) == [
        "0000 │28│29 2a│2b 2c│2d 2e│2f 30│31 32 33 34 35 36 37  ()*+,-./01234567  kind  suites  suite ×3  key",
        "0010  38 39 3a 3b 3c 3d 3e 3f 40 41 42 43 44 45 46 47  89:;<=>?@ABCDEFG",
        "0020  48 49 4a 4b 4c│4d 4e 4f                          HIJKLMNO          hello",
    ]


def test_a_narrow_screen_has_eight_bytes_to_a_row_and_names_that_find_no_room_stand_below():
    assert texts(hex_lines(DATA[:16], TREE, ASCII, width=64)) == [
        "0000 |28|29 2a|2b 2c|2d 2e|2f  ()*+,-./  kind  suites  suite x3",
        "0008  30|31 32 33 34 35 36 37  01234567  key",
    ]
    names = Node("", (0, 8), children=tuple(Node(f"field_number_{at}", (at, at + 1), at) for at in range(8)))
    shown = texts(hex_lines(DATA[:8], names, ASCII, width=72))
    assert all(len(one) <= 72 for one in shown)
    assert " ".join(shown).split()[-8:] == [f"field_number_{at}" for at in range(8)]


def test_bytes_without_fields_fill_an_eighty_column_screen():
    (first,) = hex_lines(b"GET /\x1b[2J\x00\xff\x9b~", None, UNICODE, width=80)
    assert plain(first) == "0000  47 45 54 20 2f 1b 5b 32 4a 00 ff 9b 7e           GET /.[2J...~"
    assert hex_lines(b"", None, UNICODE, width=80) == []


def test_bytes_and_name_of_a_field_have_one_style_and_neighbours_have_others():
    (first, *_) = hex_lines(DATA, TREE, UNICODE, width=110)
    styles = {segment.text: segment.style for segment in first}
    assert styles["28"] == styles["kind"]
    assert styles["2b 2c"] == styles["2f 30"] == styles["suite ×3"]
    assert len({styles["kind"], styles["suites"], styles["suite ×3"], styles["key"]}) == 4


def test_the_inside_of_a_long_field_is_left_out_with_its_count_when_asked():
    tree = Node("hello", (0, 400), children=(Node("kind", (0, 1), 1), Node("key", (1, 384), b"")))
    shown = texts(hex_lines(bytes(400), tree, UNICODE, width=100, folded=True))
    assert len(shown) == 3
    assert shown[1] == "      … 368 B more of key"
    assert shown[2].startswith("0180 │00")
    assert len(hex_lines(bytes(400), tree, UNICODE, width=100)) == 25


def test_names_are_data_and_never_reach_a_terminal_as_they_are():
    tree = Node("evil\x1b[2J\u202e\n", (0, 16))
    for one in hex_lines(bytes(range(16)), tree, UNICODE, width=100):
        assert not [mark for mark in plain(one) if unicodedata.category(mark) in ("Cc", "Cf")]


@st.composite
def trees(draw, low=0, high=60, depth=3):
    """Make a node with children anywhere, inside it or not, as a bug or a hostile token might have them."""
    span = (draw(st.integers(low, high)), draw(st.integers(low, high)))
    children = draw(st.lists(trees(low, high, depth - 1), max_size=3)) if depth else []
    return Node(draw(st.sampled_from("ab")), span, children=tuple(children))


@given(tree=trees(), size=st.integers(0, 50))
def test_every_byte_belongs_to_at_most_one_piece_whatever_the_spans_say(tree, size):
    pieces = list(field_pieces(tree, size))
    assert all(0 <= piece.start < piece.end <= size for piece in pieces)
    assert all(before.end <= after.start for before, after in itertools.pairwise(pieces))
    inside = range(max(tree.span[0], 0), min(tree.span[1], size))
    assert [at for piece in pieces for at in range(piece.start, piece.end)] == list(inside)


@pytest.mark.parametrize("glyphs", [UNICODE, ASCII])
@given(data=st.binary(min_size=1, max_size=70), tree=trees(), width=st.integers(40, 130))
@example(data=b"|", tree=Node("a", (0, 1)), width=40)
@example(data=b"\x00|", tree=Node("a", (0, 1)), width=40)
def test_a_dump_is_read_back_as_the_bytes_it_shows(glyphs, data, tree, width):
    text = "\n".join(texts(hex_lines(data, tree, glyphs, width=width)))
    assert read_notation(text.encode(), Notation.DUMP).blocks[0].data == data


def test_a_mebibyte_is_dumped_in_a_moment():
    tree = Node("record", (0, 1 << 20), children=(Node("type", (0, 1), 1), Node("data", (5, 1 << 20), b"")))
    begun = time.process_time()
    lines = hex_lines(bytes(1 << 20), tree, UNICODE, width=110)
    assert time.process_time() - begun < 3
    assert len(lines) == 1 << 16
