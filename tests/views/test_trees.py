"""Field trees on the screen: spans in the first column, nothing left out silently, nothing wider than the screen."""

import unicodedata

import pytest

from sspicli.tokens.tree import Node
from sspicli.views.text import ASCII, UNICODE, plain
from sspicli.views.trees import span_text, tree_lines

TREE = Node(
    "ClientHello",
    (0, 0x120),
    children=(
        Node("legacy_version", (4, 6), 0x303, "TLS 1.2"),
        Node("random", (6, 38), bytes(range(32))),
        Node("suites", (38, 46), children=tuple(Node("suite", (at, at + 2), 0x1301, "AES") for at in (40, 42, 44))),
        Node(
            "extensions",
            (46, 0x120),
            children=(
                Node("server_name", (48, 60), children=(Node("host_name", (52, 60), "example"),)),
                Node("rest", (60, 60), b"", note="the bytes end at 60, 4 of 4 are missing"),
            ),
        ),
        Node("padding", (60, 61), 7),
    ),
)


def texts(lines):
    return [plain(one) for one in lines]


def test_a_tree_is_shown_with_spans_guides_values_and_meanings():
    assert texts(tree_lines(TREE, UNICODE, width=80)) == [
        "0x000-0x11f  ClientHello",
        "0x004-0x005  ├─ legacy_version  0x0303  TLS 1.2",
        "0x006-0x025  ├─ random  000102030405060708090a0b0c0d0e0f… 32 B",
        "0x026-0x02d  ├─ suites",
        "0x028-0x029  │  ├─ suite  0x1301  AES",
        "0x02a-0x02b  │  ├─ suite  0x1301  AES",
        "0x02c-0x02d  │  └─ suite  0x1301  AES",
        "0x02e-0x11f  ├─ extensions",
        "0x030-0x03b  │  ├─ server_name",
        '0x034-0x03b  │  │  └─ host_name  "example"',
        "0x03c empty  │  └─ rest  empty",
        "             │     stopped: the bytes end at 60, 4 of 4 are missing",
        "0x03c-0x03c  └─ padding  7",
    ]


def test_folded_a_vector_is_one_line_with_its_count_and_what_is_deeper_is_counted():
    assert texts(tree_lines(TREE, ASCII, width=80, depth=1, folded=True)) == [
        "0x000-0x11f  ClientHello",
        "0x004-0x005  |- legacy_version  0x0303  TLS 1.2",
        "0x006-0x025  |- random  000102030405060708090a0b0c0d0e0f… 32 B",
        "0x026-0x02d  |- suites  3: AES, AES, AES",
        "0x02e-0x11f  |- extensions  … 3 fields below",
        "             |  stopped: the bytes end at 60, 4 of 4 are missing",
        "0x03c-0x03c  `- padding  7",
    ]


def test_a_span_is_as_wide_as_the_highest_offset_needs_and_an_empty_one_is_too():
    assert span_text((0xF3, 0x100), 0x100) == "0x0f3-0x0ff"
    assert span_text((0xF3, 0x100), 0x12345) == "0x000f3-0x000ff"
    assert len(span_text((5, 5), 0x12345)) == len(span_text((5, 6), 0x12345))


def test_a_vector_too_long_for_the_line_is_cut_and_says_so():
    vector = Node("suites", (0, 200), children=tuple(Node("suite", (at, at + 2), at, "A" * 12) for at in range(100)))
    for width in (48, 80, 120):
        first, *more = texts(tree_lines(vector, UNICODE, width=width, folded=True))
        assert first == "0x000-0x0c7  suites  100:"
        assert len(more) == 4
        assert max(map(len, more)) <= width
        assert more[-1].endswith("…")


@pytest.mark.parametrize("field", [
    Node("evil\x1b[2J", (0, 1), 1),
    Node("x", (0, 1), "e\x1b]52;c;\x07\u202e\u2066\n\x9b"),
    Node("x", (0, 1), 1, "mean\x1b[31ming\u200f"),
    Node("x", (0, 1), 1, note="why\r\x1b[A"),
    Node("x", (0, 1), children=(Node("y", (0, 1), "\x1b[2J"), Node("y", (0, 1), "\u202e"))),
])  # fmt: skip
@pytest.mark.parametrize("folded", [True, False])
def test_whatever_stands_in_a_field_never_reaches_a_terminal_as_it_is(field, folded):
    for one in texts(tree_lines(field, UNICODE, width=100, folded=folded)):
        assert not [mark for mark in one if unicodedata.category(mark) in ("Cc", "Cf")]


def test_folded_a_field_of_one_part_is_a_path_and_what_its_name_says_is_left_out():
    extension = Node(
        "server_name",
        (0, 20),
        children=(
            Node("extension_type", (0, 2), 0, "server_name"),
            Node("length", (2, 4), 16),
            Node("list", (4, 20), children=(Node("host", (6, 20), "x"),)),
        ),
    )
    issuer = Node("issuer", (20, 30), meaning="CN=x", children=(Node("rdn", (20, 30), "x"),))
    root = Node("root", (0, 30), children=(extension, issuer))
    assert texts(tree_lines(root, UNICODE, width=80, folded=True)) == [
        "0x000-0x01d  root",
        '0x006-0x013  ├─ server_name.list.host  "x"',
        "0x014-0x01d  └─ issuer  CN=x",
    ]
    assert len(tree_lines(root, UNICODE, width=80)) == 8


def test_folded_nothing_hides_where_reading_stopped():
    issuer = Node("issuer", (0, 9), meaning="CN=x", children=(Node("rdn", (0, 9), "x", note="cut"),))
    assert "stopped: cut" in "\n".join(texts(tree_lines(issuer, UNICODE, width=80, folded=True)))


@pytest.mark.parametrize("width", [48, 80, 120])
@pytest.mark.parametrize("folded", [True, False])
def test_no_line_is_wider_than_the_screen(width, folded):
    text = Node("text", (0, 300), "x" * 300, "m" * 300, note="because " * 40)
    tree = Node("root", (0, 300), children=(text, Node("bytes", (0, 300), bytes(300), "m" * 300), TREE))
    assert max(map(len, texts(tree_lines(tree, UNICODE, width=width, folded=folded)))) <= width
