"""A text is edited at its values' places: they are read back as written, and nothing else changes."""

from __future__ import annotations

import math

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from sspicli.scenario.edit import diff, replaced, written
from sspicli.scenario.yaml import Node, Scalar, Sequence, parse, plain, resolved
from tests.pairs import IS_DEEP


def scalars(node: Node) -> list[Scalar]:
    if isinstance(node, Scalar):
        return [node]
    below = node.items if isinstance(node, Sequence) else tuple(entry.value for entry in node.entries)
    return [found for one in below for found in scalars(one)]


def found(text: str) -> list[Scalar]:
    return [one for root in parse(text, "f")[1] for one in scalars(root)]


def like(text: str) -> Scalar:
    (one,) = found(f"a: {text}")
    return one


@pytest.mark.parametrize(
    ("value", "before", "after"),
    [
        ("SEC_E_OK", "x", "SEC_E_OK"),
        ("1.2", "x", '"1.2"'),
        ("1.2", "'1.3'", "'1.2'"),
        ("it's", "'x'", "'it''s'"),
        ("x", '"y"', '"x"'),
        ("x", "|\n  y\n", "x"),
        ("two\nlines", "'x'", r'"two\nlines"'),
        ("true", "x", '"true"'),
        ("on", "x", "on"),
        ("12:30:45", "x", "12:30:45"),
        ("2026-11-22T12:00:00Z", "x", "2026-11-22T12:00:00Z"),
        ("200..1500", "x", "200..1500"),
        ("a: b", "x", '"a: b"'),
        ("a #b", "x", '"a #b"'),
        ("server.accept#2", "x", "server.accept#2"),
        ("", "x", '""'),
        ("-1", "x", '"-1"'),
        ("-x", "x", "-x"),
        (":x", "x", '":x"'),
        ("a:?", "x", '"a:?"'),
        ("a:b", "x", "a:b"),
        ("- x", "x", '"- x"'),
        ("a, b", "x", '"a, b"'),
        ("9" * 2000, "x", '"' + "9" * 2000 + '"'),
        ("\x1b[2J\u202e\ufeff\u2028\x85", "x", '"\\e[2J\\u202e\\ufeff\\u2028\\x85"'),
        ("\U000e0041", "'x'", r'"\U000e0041"'),
        (7, "x", "7"),
        (7, "0x10", "0x7"),
        (-7, "0x10", "-7"),
        (True, "x", "true"),
        (None, "x", "null"),
        (None, "~", "~"),
        (1.5, "x", "1.5"),
        (1e22, "x", "1e+22"),
        (-math.inf, "x", "-.inf"),
        (math.nan, "x", ".nan"),
    ],
)
def test_a_value_is_written_in_the_style_that_was_there_if_that_can_be(value: object, before: str, after: str):
    assert written(value, like=like(before)) == after


@pytest.mark.parametrize("value", [[], {}, b"x", "\ud800", 10**1000])
def test_what_no_scalar_can_hold_is_not_written(value: object):
    with pytest.raises(ValueError):
        written(value)


def test_only_the_values_change():
    text = (
        "# one\r\na:   'x'   # two\r\nb: [1,2 , {c: 3}]\r\nd: |\r\n  text\r\n\r\n# three\r\ne:\r\nf: {g, h: }\r\n-x: 1"
    )
    a, one, _, three, d, e, g, h, last = found(text)
    edits = [(last.span, "2"), (a.span, "'y'"), (one.span, "10"), (three.span, "true"), (d.span, "line")]
    edits += [(e.span, "new"), (g.span, "7"), (h.span, "8")]

    after = replaced(text, edits)

    assert after == (
        "# one\r\na:   'y'   # two\r\nb: [10,2 , {c: true}]\r\nd: line\r\n\r\n# three\r\ne: new\r\n"
        "f: {g: 7, h: 8 }\r\n-x: 2"
    )


def test_an_empty_item_of_a_list_gets_its_blank():
    text = "-\n- -\n- a:\n-"
    after = replaced(text, [(one.span, "x") for one in found(text)])

    assert after == "- x\n- - x\n- a: x\n- x"


TEXTS = st.text(max_size=12) | st.text(st.sampled_from("ab1.:#-,?[]{}!&*'\" \t\n\r~<=%@`|>$\\é\ufeff"), max_size=8)
VALUES = TEXTS | st.integers() | st.floats(allow_nan=False) | st.booleans() | st.none()
STYLES = st.sampled_from(["x", "'x'", '"x"', "0x1", "~", "|-\n    x\n", "1", "multi\n    line"]).map(like)
PLACES = ["{}", "a: {}", "- {}", "- - {}", "a: [{}]", "[{}, b]", "[a, {} , b]", "{{a: {}, b: 1}}", "{{a: {}}}"]
PLACES += ["a: {} # c", "- a: {}\n  b: 1", "--- {}\n---\nb"]


@settings(deadline=None, max_examples=100_000 if IS_DEEP else 500)
@given(VALUES, STYLES, st.sampled_from(PLACES))
def test_a_written_value_is_read_back_as_the_same_wherever_it_stands(value: object, style: Scalar, place: str):
    assume(not isinstance(value, str) or value.isascii() or not any("\ud800" <= one <= "\udfff" for one in value))

    text = place.format(written(value, like=style))

    again = found(text)[1 if place.startswith("[a") else 0].value
    assert (type(again), again) == (type(value), value)


@settings(deadline=None, max_examples=100_000 if IS_DEEP else 200)
@given(st.lists(st.tuples(VALUES, VALUES), min_size=1, max_size=4))
def test_editing_a_value_leaves_the_others(pairs: list[tuple[object, object]]):
    for value in (one for pair in pairs for one in pair):
        assume(not isinstance(value, str) or not any("\ud800" <= one <= "\udfff" for one in value))
    text = "\n".join(f"- {written(old)} # {number}" for number, (old, _) in enumerate(pairs))

    nodes = found(text)
    after = replaced(text, [(node.span, written(new, like=node)) for node, (_, new) in zip(nodes, pairs, strict=True)])

    assert [plain(one) for one in found(after)] == [new for _, new in pairs]
    assert [one.rpartition(" # ")[2] for one in after.split("\n")] == [str(n) for n in range(len(pairs))]


@settings(deadline=None, max_examples=100_000 if IS_DEEP else 300)
@given(TEXTS)
def test_what_is_written_without_quotes_means_itself(text: str):
    assume(not any("\ud800" <= one <= "\udfff" for one in text))

    assert written(text)[0] == '"' or resolved(text) == text


def test_a_diff_shows_what_changes_and_nothing_else():
    old = "a: 1\nb: 2\u2028\nc: 3"

    assert diff(old, old.replace("3", "4"), "x.sspi.yaml") == (
        "--- a/x.sspi.yaml\n+++ b/x.sspi.yaml\n@@ -1,3 +1,3 @@\n a: 1\n b: 2\u2028\n-c: 3\n"
        "\\ No newline at end of file\n+c: 4\n\\ No newline at end of file\n"
    )
    assert diff(old, old, "f") == ""
