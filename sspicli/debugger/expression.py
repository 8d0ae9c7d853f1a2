"""A small language for conditions and values: `leg == 3 and client.status == SEC_E_OK`.

Names, numbers, texts, comparisons, `and`, `or`, `not`, `in`, parentheses; no calls, no assignment, nothing of Python.
The rule guarded here: an expression can only look. Its names are looked up by who evaluates it, and a text that is none
is one sentence that says where and why. What is not there is `none`: it equals itself only, and orders with nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from sspicli.sspi.errors import UsageError

Value = int | str | bytes | bool | None | tuple[str, ...]
LookUp = Callable[[str], Value]

LONGEST = 500
_DEEPEST = 40

_TOKEN = re.compile(
    r"""\s*(?:(?P<number>0[xX][0-9a-fA-F]+|\d+(?![\w.]))
    |(?P<text>"[^"]*"|'[^']*')
    |(?P<name>[A-Za-z_][\w-]*(?:\[\d{1,6}\]|\#\d{1,6})?(?:\.[A-Za-z_*][\w-]*(?:\[\d{1,6}\]|\#\d{1,6})?)*)
    |(?P<sign>==|!=|<=|>=|<|>|=|\(|\)|&&|\|\||!|-))""",
    re.VERBOSE,
)
_WORDS = {"&&": "and", "||": "or", "!": "not", "=": "=="}
_COMPARISONS = ("==", "!=", "<", "<=", ">", ">=", "in")


class _Token(NamedTuple):
    kind: str
    text: str
    at: int


class Literal(NamedTuple):
    """A value that stands for itself."""

    value: Value


class Name(NamedTuple):
    """A value that is looked up."""

    path: str


class Not(NamedTuple):
    """The opposite."""

    inner: Node


class Pair(NamedTuple):
    """Two parts with a sign or a word between them."""

    sign: str
    left: Node
    right: Node


Node = Literal | Name | Not | Pair


class Expression(NamedTuple):
    """A parsed expression, with its text."""

    text: str
    root: Node

    def names(self) -> tuple[str, ...]:
        """List the names in it."""
        return tuple(dict.fromkeys(_names(self.root)))

    def value(self, look_up: LookUp) -> Value:
        """Evaluate it; UsageError where two values cannot be compared."""
        return _value(self.root, look_up)

    def holds(self, look_up: LookUp) -> bool:
        """Say whether it holds."""
        return bool(self.value(look_up))


def parse(text: str) -> Expression:
    """Read an expression; UsageError says where it is none."""
    if len(text) > LONGEST:
        raise UsageError(f"an expression has at most {LONGEST} characters, this one {len(text)}")
    parser = _Parser(text)
    root = parser.whole()
    return Expression(text.strip(), root)


class _Parser:
    """Recursive descent over the tokens, lowest precedence first."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = _tokens(text)
        self._at = 0
        self._depth = 0

    def whole(self) -> Node:
        """Read all of the text."""
        if not self._tokens:
            raise UsageError("an expression is missing", help="such as leg == 3 and client.status == SEC_E_OK")
        root = self._or()
        if self._at < len(self._tokens):
            raise self._wrong(f"{self._tokens[self._at].text!r} does not belong here")
        return root

    def _or(self) -> Node:
        left = self._and()
        while self._take("or"):
            left = Pair("or", left, self._and())
        return left

    def _and(self) -> Node:
        left = self._not()
        while self._take("and"):
            left = Pair("and", left, self._not())
        return left

    def _not(self) -> Node:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise self._wrong("it is nested too deeply")
        try:
            return Not(self._not()) if self._take("not") else self._comparison()
        finally:
            self._depth -= 1

    def _comparison(self) -> Node:
        left = self._atom()
        for sign in _COMPARISONS:
            if self._take(sign):
                return Pair(sign, left, self._atom())
        return left

    def _atom(self) -> Node:
        if self._take("("):
            inner = self._or()
            if not self._take(")"):
                raise self._wrong("a ) is missing")
            return inner
        is_negative = self._take("-")
        if self._at >= len(self._tokens):
            raise self._wrong("a value is missing")
        token = self._tokens[self._at]
        self._at += 1
        if token.kind == "number":
            return Literal(int(token.text, 0) * (-1 if is_negative else 1))
        if is_negative or token.kind == "sign" or token.text in ("and", "or", "not", "in"):
            self._at -= 1
            raise self._wrong(f"a value is missing before {token.text!r}")
        return Literal(token.text[1:-1]) if token.kind == "text" else _named(token.text)

    def _take(self, text: str) -> bool:
        """Go on if the next token is this one."""
        if self._at >= len(self._tokens):
            return False
        token = self._tokens[self._at]
        if token.kind == "text" or _WORDS.get(token.text, token.text) != text:
            return False
        self._at += 1
        return True

    def _wrong(self, why: str) -> UsageError:
        at = self._tokens[self._at].at if self._at < len(self._tokens) else len(self._text)
        return UsageError(f"{why} (character {at + 1} of the expression)", help="such as leg == 3 and pending > 0")


def _named(text: str) -> Node:
    words: dict[str, Value] = {"true": True, "false": False, "none": None, "null": None}
    return Literal(words[text]) if text in words else Name(text)


def _tokens(text: str) -> list[_Token]:
    tokens: list[_Token] = []
    at = 0
    end = len(text.rstrip())
    while at < end:
        found = _TOKEN.match(text, at)
        if found is None:
            here = len(text[at:]) - len(text[at:].lstrip()) + at
            raise UsageError(
                f"{text[here : here + 8]!r} is nothing an expression can hold (character {here + 1})",
                help="names, numbers, texts in quotes, == != < <= > >= in and or not ( )",
            )
        kind = found.lastgroup or ""
        tokens.append(_Token(kind, found[kind], found.start(kind)))
        at = found.end()
    return tokens


def _names(node: Node) -> list[str]:
    if isinstance(node, Name):
        return [node.path]
    if isinstance(node, Not):
        return _names(node.inner)
    return [*_names(node.left), *_names(node.right)] if isinstance(node, Pair) else []


def _value(node: Node, look_up: LookUp) -> Value:
    if isinstance(node, Literal):
        return node.value
    if isinstance(node, Name):
        return look_up(node.path)
    if isinstance(node, Not):
        return not _value(node.inner, look_up)
    left = _value(node.left, look_up)
    if node.sign == "and":
        return bool(left) and bool(_value(node.right, look_up))
    if node.sign == "or":
        return bool(left) or bool(_value(node.right, look_up))
    return _compare(node.sign, left, _value(node.right, look_up))


def _compare(sign: str, left: Value, right: Value) -> bool:
    if sign in ("==", "!="):
        return _are_equal(left, right) == (sign == "==")
    if sign == "in":
        if isinstance(left, str) and isinstance(right, str | tuple):
            return left in right
        if left is None or right is None:
            return False
        raise UsageError("in wants a text on its left, and a text or a list on its right")
    if left is None or right is None:
        return False
    if isinstance(left, int) and isinstance(right, int):
        return {"<": left < right, "<=": left <= right, ">": left > right, ">=": left >= right}[sign]
    raise UsageError(f"{_kind(left)} and {_kind(right)} have no order: {sign} is for numbers")


def _are_equal(left: Value, right: Value) -> bool:
    """Compare; bytes may be written in hex."""
    if isinstance(left, bytes) and isinstance(right, str):
        return left.hex() == right.replace(" ", "").replace(":", "").lower()
    if isinstance(right, bytes) and isinstance(left, str):
        return _are_equal(right, left)
    return left == right


def _kind(value: Value) -> str:
    if isinstance(value, bool):
        return "a truth value"
    return {int: "a number", str: "a text", bytes: "bytes", tuple: "a list"}.get(type(value), "a number")
