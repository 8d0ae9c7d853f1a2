from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given, strategies

from sspicli.debugger.expression import Value, parse
from sspicli.sspi.errors import UsageError

VALUES: dict[str, Value] = {
    "leg": 3,
    "side": "client",
    "client.status": 0,
    "x": None,
    "random": b"\x01\x02",
    "names": ("A001", "B002"),
}


def holds(text: str) -> bool:
    return parse(text).holds(VALUES.__getitem__)


@pytest.mark.parametrize(
    "text",
    [
        "leg == 3",
        "leg = 3",
        "leg >= 0x3 and side == 'client'",
        "not leg == 4",
        "leg == 4 or leg == 3 and client.status == 0",
        '(leg == 4 or leg == 3) && !(side == "server")',
        "'A001' in names",
        "'lie' in side",
        "random == '01 02'",
        "'0102' == random",
        "x == none",
        "x != 3",
        "leg > -1",
    ],
)
def test_what_is_true_holds(text):
    assert holds(text)


@pytest.mark.parametrize("text", ["leg == 4", "x > 1", "x < 1", "'C001' in names", "not leg", "'a' in x", "false"])
def test_what_is_not_true_does_not_hold(text):
    assert not holds(text)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "missing"),
        ("leg ==", "a value is missing"),
        ("(leg == 3", "a ) is missing"),
        ("leg 3", "'3' does not belong here (character 5"),
        ("leg == $", "(character 8)"),
        ("leg == __import__('os')", "does not belong"),
        ("(" * 100 + "1" + ")" * 100, "nested too deeply"),
        ("not " * 100 + "1", "nested too deeply"),
        ("1" * 501, "at most 500"),
    ],
)
def test_what_is_no_expression_is_refused_with_its_place(text, says):
    with pytest.raises(UsageError, match=says.replace("(", r"\(").replace(")", r"\)")):
        parse(text)


def test_values_that_have_no_order_are_refused():
    with pytest.raises(UsageError, match="no order"):
        holds("side > 3")


@given(strategies.text(max_size=60))
def test_any_text_is_an_expression_or_a_usage_error(text):
    with suppress(UsageError):
        assert parse(text).text == text.strip()
