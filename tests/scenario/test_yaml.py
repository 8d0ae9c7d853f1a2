"""Text to nodes: values of YAML 1.2's core schema, places, and a refusal for everything else."""

from __future__ import annotations

import math
import os
import pickle
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sspicli.analysis.cases import Problem
from sspicli.scenario.yaml import (
    HAS_LIBYAML,
    Mapping,
    Node,
    Scalar,
    ScenarioError,
    Sequence,
    Source,
    parse,
    plain,
    read,
    resolved,
)
from sspicli.sspi.errors import ExitCode, InputError
from tests.pairs import IS_DEEP

PARSERS = [False, True] if HAS_LIBYAML else [True]
both_parsers = pytest.mark.parametrize("in_python", PARSERS, ids=lambda one: "python" if one else "libyaml")


def value(text: str) -> object:
    (node,) = parse(text, "f")[1]
    return plain(node)


def problems(text: str, *, in_python: bool) -> list[tuple[int, int, str]]:
    with pytest.raises(ScenarioError) as caught:
        parse(text, "f", in_python=in_python)
    return [(one.place.line, one.place.column, one.message) for one in caught.value.problems]


def walk(node: Node) -> list[Node]:
    below: tuple[Node, ...] = ()
    if isinstance(node, Sequence):
        below = node.items
    elif isinstance(node, Mapping):
        below = tuple(one for entry in node.entries for one in entry)
    return [node, *(found for one in below for found in walk(one))]


# YAML 1.2.2, 10.3.2, the table and example 10.9, and what YAML 1.1 would have made of texts
CORE: list[tuple[object, list[str]]] = [
    (None, ["", "~", "null", "Null", "NULL"]),
    (True, ["true", "True", "TRUE"]),
    (False, ["false", "False", "FALSE"]),
    (7, ["7", "+7", "0o7", "007", "0x7"]),
    (-19, ["-19"]),
    (58, ["0x3A", "0x3a"]),
    (0.5, ["0.5", ".5", "5e-1", "+.5E0"]),
    (12e3, ["12e03", "12e+3"]),
    (-2e5, ["-2E+05", "-2e5"]),
    (0.0, ["0.", "-0.0"]),
    (math.inf, [".inf", ".Inf", ".INF", "+.inf"]),
    (-math.inf, ["-.inf", "-.Inf", "-.INF"]),
]
TEXTS = """yes no on off y n Yes NO nULL tRUE nil 12:30:45 1:20 2026-11-22 2026-11-22T12:00:00Z 1_000 0b1 0b11 +0x1 -0o7
0o8 0xg 1.2.3 1e 1e+ e1 . + - .e1 +.nan -.nan inf nan .iNF = 0o 0x 1,000 ² ٣ $host $$x 200..1500""".split()  # noqa: SIM905


@pytest.mark.parametrize(("meant", "text"), [(meant, text) for meant, texts in CORE for text in texts])
def test_a_plain_scalar_means_what_the_core_schema_says(meant: object, text: str):
    found = resolved(text)

    assert (type(found), found) == (type(meant), meant)


@pytest.mark.parametrize("text", [".nan", ".NaN", ".NAN"])
def test_what_is_no_number_is_a_float(text: str):
    found = resolved(text)

    assert isinstance(found, float)
    assert math.isnan(found)


@pytest.mark.parametrize("text", TEXTS)
def test_every_other_plain_scalar_is_a_text(text: str):
    assert resolved(text) == text
    if text not in "-=":
        assert value(f"a: {text}") == {"a": text}


def test_what_is_quoted_or_a_block_is_a_text():
    assert value("a: '1'\nb: \"true\"\nc: |\n  2\nd: >-\n  3\n") == {"a": "1", "b": "true", "c": "2\n", "d": "3"}


def test_a_file_may_hold_several_documents_or_none():
    assert [plain(one) for one in parse("a: 1\n---\n- b\n---\n", "f")[1]] == [{"a": 1}, ["b"], None]
    assert parse("# nothing\n", "f")[1] == ()


@both_parsers
def test_every_node_says_where_it_stands(in_python: bool):
    text = "\ufeffname: x\nlist:\n  - {a: 'é', b}\n  -\ntext: |+\n  one\n\n# comment\nlast: [1,\n  2]\nnone: # why\n"
    (root,) = parse(text, "f", in_python=in_python)[1]
    assert isinstance(root, Mapping)

    spans = {entry.key.value: (entry.key.span, entry.value.span) for entry in root.entries}

    shown = {key: (text[one.start : one.end], text[two.start : two.end]) for key, (one, two) in spans.items()}
    assert shown == {
        "name": ("name", "x"),
        "list": ("list", "- {a: 'é', b}\n  -"),
        "text": ("text", "|+\n  one"),
        "last": ("last", "[1,\n  2]"),
        "none": ("none", ""),
    }
    assert spans["name"][0] == (1, 1, 1, 5, 1, 5)
    assert spans["list"][1][:4] == (3, 3, 4, 4)
    assert spans["text"][1][:4] == (5, 7, 6, 6)
    assert spans["last"][1][:4] == (9, 7, 10, 5)
    assert spans["none"][1][:4] == (11, 6, 11, 6)
    assert root.span[:4] == (1, 1, 11, 6)


def test_a_place_quotes_the_first_line_of_what_it_shows():
    source, (root,) = parse("a: 1\r\nb: [x,\r\n  y]\r\n", "dir/f")
    assert isinstance(root, Mapping)

    place = source.place(root.entries[1].value.span)

    assert place == ("dir/f", 2, 4, 7, "b: [x,")


def test_a_place_quotes_no_line_without_end():
    source, (root,) = parse("{a: " + "x" * 5000 + ", b: 1}", "f")
    assert isinstance(root, Mapping)

    one, two = (source.place(entry.value.span) for entry in root.entries)

    assert (one.column, one.end_column, len(one.excerpt)) == (5, 1001, 1000)
    assert (two.column, two.excerpt) == (5010, "")


def test_a_mapping_finds_what_stands_under_a_key():
    (root,) = parse("a: 1\n'b': 2", "f")[1]
    assert isinstance(root, Mapping)

    found = root.get("b")

    assert isinstance(found, Scalar)
    assert (found.value, found.text, found.is_plain) == (2, "2", True)
    assert root.get("c") is None


@both_parsers
def test_all_that_is_refused_is_said_at_once_and_in_the_order_of_the_text(in_python: bool):
    text = 'a: &x 1\nb: *x\n<<: {a: 1}\nc: !!str &q 1\n"a": 2\n1: 2\n{a: b}: 2\nd: 1e999\ne: !t [\n]\n? &k f\n: 1\n'

    found = problems(text, in_python=in_python)

    assert found == [
        (1, 4, "anchors (&x) are not used in scenarios"),
        (2, 4, "aliases (*x) are not used in scenarios"),
        (3, 1, "merge keys are not used in scenarios"),
        (4, 4, "tags (!!str) are not used in scenarios"),
        (4, 10, "anchors (&q) are not used in scenarios"),
        (5, 1, 'the key "a" stands twice: in line 1 and in line 5'),
        (6, 1, "a key is a text; this is a number"),
        (7, 1, "a key is a text; this is a list or a mapping"),
        (8, 4, "this number is larger than a float can hold"),
        (9, 4, "tags (!t) are not used in scenarios"),
        (11, 3, "anchors (&k) are not used in scenarios"),
    ]


@both_parsers
@pytest.mark.parametrize(
    ("text", "line", "column", "message"),
    [
        ("a: b: c", 1, 5, 'a ":" where no key can stand'),
        ("a\nb: c", 2, 2, 'a ":" where no key can stand'),
        ("k" * 1025 + ": 1", 1, 1026, "a key of more than 1,024 characters"),
        ("a: 1\nb\nc: 2", 3, 1, "a line that is no `key: value`"),
        ("a: [1, 2\nb: 1", 2, 2, 'a "[" (line 1) that is not closed where it should be'),
        ("a: {b: 1", 1, 9, 'a "{" (line 1) that is not closed where it should be'),
        ("x: 1\na: 'x\n\n", 2, 4, "a quote that is never closed"),
        ('a: "x\n---\ny"', 1, 4, "a quote that is open where a document ends"),
        ("a:\n\tb: 1", 2, 1, "a tab where the line is indented"),
        ("a: b\n\tc: d", 2, 1, "a tab where the line is indented"),
        ("a: @x", 1, 4, "a value cannot begin with @"),
        ("a: %x", 1, 4, "a value cannot begin with %"),
        ("  a: 1\n b: 2", 2, 2, "a line that does not belong to what is above it"),
        ("a: - b", 1, 4, 'a "- " where no list can begin'),
        ("a: 1\n- b", 2, 1, "this does not belong to the block above it (line 1)"),
        ("a: [1]]", 1, 7, "this does not belong to the block above it (line 1)"),
        ("a: |x\n  y", 1, 5, "a text behind | or > on its line"),
        ("a: *", 1, 5, "a * or & without a name"),
        ("a: }", 1, 4, "a value is missing here"),
        ('a: "\\xq"', 1, 7, "an escape without its hexadecimal digits"),
        ("a:\n  b:\n  |-\n  c: d", 3, 3, "this is not indented"),
        ("a: |0\n  x", 1, 5, "| and > take an indentation of 1 to 9"),
        ("%YAML 1.1\n---\na: 1", 1, 1, "the directive %YAML 1.1 is not used in scenarios"),
        ("\ufeff%YAML  1.2\n---\na: 1", 1, 1, "the directive %YAML  1.2 is not used in scenarios"),
        ("%TAG ! x\n---\na: 1", 1, 1, "the directive %TAG ! x is not used in scenarios"),
        ("a: 1\rb: 2", 1, 5, "a carriage return without a line feed"),
        ("a: \ud800", 1, 4, "half a character (surrogate U+D800)"),
        ("a: x\ufeff", 1, 5, "a byte order mark inside the text"),
        ("a: \u2028", 1, 4, "the character U+2028, which is not shown"),
        ("a: 1\nb: " + "7" * 1001, 2, 4, "a number of 1001 characters; 1000 are the most"),
        ("é: 'é' b", 1, 8, "this does not belong to the block above it (line 1)"),
    ],
)
def test_what_is_not_yaml_is_said_in_plain_words_at_its_place(
    text: str, line: int, column: int, message: str, in_python: bool
):
    ((*place, said),) = problems(text, in_python=in_python)

    assert place == [line, column]
    assert said.startswith(message)
    assert len(said) < 200


def test_the_error_is_that_of_a_bad_input_file_and_names_the_first_place():
    with pytest.raises(InputError) as caught:
        parse("a: 1\nb: 'x", "dir/f")

    error = caught.value
    assert error.exit_code is ExitCode.INPUT
    assert (str(error), error.where, error.help) == ("a quote that is never closed", "dir/f:2:4", "close it")


def test_the_error_comes_back_whole_from_another_process():
    with pytest.raises(ScenarioError) as caught:
        parse("a: &x 1\nb: 'x", "f")

    again = pickle.loads(pickle.dumps(caught.value))

    assert again.problems == caught.value.problems
    assert len(again.problems) == 2
    assert str(again) == str(caught.value)


HOSTILE = {
    "flow depth": "[" * 100_000,
    "flow depth of mappings": "{a: " * 100_000,
    "explicit keys": "? " * 100_000,
    "block depth": "- " * 100_000,
    "block mappings": "\n".join(" " * n + "a:" for n in range(1400)),
    "many values": "- a\n" * 250_000,
    "many keys": "".join(f"k{n}: 1\n" for n in range(60_000)),
    "many documents": "---\n" * 260_000,
    "ends of documents": "...\n" * 260_000,
    "a long plain text": "a: " + "x" * 1_000_000,
    "a long text in quotes": "a: '" + "x" * 1_000_000 + "'",
    "a long text in lines": "a: |\n" + "  x\n" * 250_000,
    "many escapes": 'a: "' + "\\u0041" * 170_000 + '"',
    "a quote without end": 'a: "' + "x " * 500_000,
    "a long comment": "#" * 1_000_000,
    "many comments": "# x\n" * 250_000,
    "empty lines": "a:\n" + "\n" * 1_000_000,
    "blanks": "a:" + " " * 1_000_000,
    "tags": "- !!str x\n" * 100_000,
    "tag directives": "".join(f"%TAG !{n}! x\n" for n in range(60_000)) + "---\na: 1",
    "yaml directives": "%YAML 1.2\n" * 100_000,
    "an alias bomb": "a: &a [x,x,x,x,x,x,x,x,x]\n"
    + "".join(f"{b}: &{b} [{','.join(['*' + a] * 9)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)),
    "aliases": "- *a\n" * 200_000,
    "digits": "a: " + "1" * 1_000_000,
    "hexadecimal digits": "a: 0x" + "f" * 1_000_000,
    "an exponent": "a: 1e" + "9" * 100_000,
    "an exponent that is small": "a: 1e999999999",
    "nul": "\0" * 1_000_000,
    "control characters": "a: \x1b[2J\x07\x08\x7f\x9b\n" * 100_000,
    "carriage returns": "\r" * 1_000_000,
    "too much": "a" * 1_048_577,
    "tabs": "\t" * 1_000_000,
    "colons": ":" * 1_000_000,
    "dashes": "-" * 1_000_000,
    "empty keys": ": \n" * 300_000,
    "question marks": "?\n" * 500_000,
    "flow pairs": "[" + "a: b, " * 160_000 + "]",
    "flow keys without values": "{" + "".join(f"k{n}, " for n in range(9_000)) + "b: " + "x" * 250_000 + "}",
    "explicit keys without values": "#" * 800_000 + "\n" + "".join(f"? k{n}\n" for n in range(9_000)),
    "commas": "[" + "," * 1_000_000,
}


@both_parsers
@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_text_is_read_or_refused_in_bounded_time_and_few_words(text: str, in_python: bool):
    began = time.thread_time()
    found = attempt(text, in_python=in_python)
    taken = time.thread_time() - began

    assert taken < (5 if in_python else 1.0)  # half of that, where nobody else wants the machine
    assert len(found) <= 50
    assert all(len(one.message) + len(one.help) < 300 and len(one.place.excerpt) <= 1000 for one in found)


def attempt(text: str, *, in_python: bool) -> tuple[Problem, ...]:
    try:
        parse(text, "f", in_python=in_python)
    except ScenarioError as error:
        return error.problems
    return ()


def test_a_file_is_read_with_its_name_as_the_user_gave_it(tmp_path: Path):
    path = tmp_path / "a.sspi.yaml"
    path.write_bytes(b"\xef\xbb\xbfa: \xc3\xa9\r\n")

    source, (root,) = read(path, "a.sspi.yaml")

    assert source == ("a.sspi.yaml", "\ufeffa: é\r\n")
    assert plain(root) == {"a": "é"}


@pytest.mark.parametrize(
    ("data", "line", "column", "message"),
    [
        (b"a: 1\nb: \xc3\xa9 \xe9\n", 2, 6, "the byte 0xE9 is not UTF-8 here (offset 11)"),
        (b"\xef\xbb\xbfa: \xff", 1, 4, "the byte 0xFF is not UTF-8 here (offset 6)"),
        (b"\xed\xa0\x80", 1, 1, "the byte 0xED is not UTF-8 here (offset 0)"),
        (b"\xff\xfea\0", 1, 1, "this file is UTF-16; a scenario is UTF-8"),
        ("a".encode("utf-32"), 1, 1, "this file is UTF-32; a scenario is UTF-8"),
        (b"a\0:\0", 1, 2, "the character U+0000, which is not shown"),
    ],
)
def test_a_file_in_another_encoding_is_refused_at_its_first_bad_byte(
    tmp_path: Path, data: bytes, line: int, column: int, message: str
):
    path = tmp_path / "f"
    path.write_bytes(data)

    with pytest.raises(ScenarioError) as caught:
        read(path, "f")

    first = caught.value.problems[0]
    assert (first.place.line, first.place.column, first.message) == (line, column, message)


def test_a_file_that_is_too_large_is_refused_without_reading_it_all(tmp_path: Path):
    path = tmp_path / "f"
    with path.open("wb") as file:
        file.truncate(100_000_000)

    began = time.thread_time()
    with pytest.raises(InputError, match="larger than 1 MiB") as caught:
        read(path, "f")

    assert caught.value.exit_code is ExitCode.INPUT
    assert time.thread_time() - began < 1.0


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no FIFOs here")
def test_what_is_no_regular_file_is_not_waited_for(tmp_path: Path):
    os.mkfifo(tmp_path / "fifo")

    with pytest.raises(InputError, match="a regular file is needed"):
        read(tmp_path / "fifo", "fifo")


def checked(text: str) -> None:
    """Make sure that a text comes to nodes whose places are right, or to problems that have places."""
    for in_python in PARSERS:
        found = attempt(text, in_python=in_python)
        lines = text.removeprefix("\ufeff").split("\n")
        assert list(found) == sorted(found, key=lambda one: one.place[1:3])
        for place in (one.place for one in found):
            assert 1 <= place.line <= len(lines)
            assert 1 <= place.column <= place.end_column <= len(lines[place.line - 1]) + 1
            assert place.excerpt == lines[place.line - 1].rstrip("\r")
        if not found:
            source, nodes = parse(text, "f", in_python=in_python)
            stands(source, nodes)


def stands(source: Source, nodes: tuple[Node, ...]) -> None:
    """Make sure that every node stands where it says."""
    for node in (one for root in nodes for one in walk(root)):
        span = node.span
        assert 0 <= span.start <= span.end <= len(source.text)
        assert source.spot(span.start)[:2] == span[:2]
        assert source.spot(span.end)[:2] == span[2:4]
        if isinstance(node, Scalar):
            assert node.text == source.text[span.start : span.end]
            assert node.is_plain or isinstance(node.value, str)
            if node.is_plain and "\n" not in node.text:
                assert str(resolved(node.text)) == str(node.value)


@pytest.mark.parametrize(
    "text", ["---\n#\n  ", "{h: }", "{a\n : }", "{a\n}", "? a\n# b\nc:\n", "? a # b\n", "\ufeff? a"]
)
def test_what_is_empty_stands_where_it_could_be_written(text: str):
    checked(text)


@settings(deadline=None, max_examples=100_000 if IS_DEEP else 150)
@given(st.text(st.sampled_from("ab1 \n\n-:?,[]{}#&*!|>'\"%@`\t\\~<x.\r\ufeffé\x00"), max_size=60))
def test_any_text_comes_to_nodes_that_stand_where_they_say_or_to_problems(text: str):
    checked(text)


@settings(deadline=None, max_examples=100_000 if IS_DEEP else 100)
@given(st.text(max_size=40))
def test_any_characters_do_too(text: str):
    checked(text)
