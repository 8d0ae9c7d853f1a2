"""Requests as clients make them, right and wrong."""

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sspicli.adapter.messages import Arguments, read_request
from sspicli.sspi.errors import InputError, UsageError


def test_a_request_has_its_number_its_command_and_its_arguments():
    request = read_request(b'{"seq": 3, "type": "request", "command": "next", "arguments": {"threadId": 2}}')
    assert request is not None
    assert (request.seq, request.command, request.arguments.number("threadId")) == (3, "next", 2)


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"[]", b"1", b"{}", b'{"type": 1}', b'{"type": "request"}', b"\xff", b"[" * 100_000,
        b'{"type": "request", "seq": true, "command": "next"}', b'{"type": "request", "seq": 1, "command": 2}',
    ],
)  # fmt: skip
def test_what_is_no_message_of_the_protocol_is_refused_in_a_sentence(body):
    with pytest.raises(InputError, match=r"message|request"):
        read_request(body)


def test_a_response_asks_nothing():
    assert read_request(b'{"seq": 1, "type": "response", "request_seq": 1, "success": true, "command": "x"}') is None


@pytest.mark.parametrize(
    ("method", "value", "said"),
    [
        ("text", 1, "must be a text"),
        ("number", "1", "must be a whole number"),
        ("number", True, "must be a whole number"),
        ("flag", "yes", "must be true or false"),
        ("part", [], "must be an object"),
        ("parts", [1], "must be a list of objects"),
        ("texts", "x", "must be a list of texts"),
        ("text", None, "is missing"),
    ],
)
def test_a_member_of_the_wrong_kind_is_named(method, value, said):
    with pytest.raises(UsageError, match=f"line {said}"):
        getattr(Arguments({"line": value}), method)("line")


def test_a_member_of_a_member_is_named_with_both():
    with pytest.raises(UsageError, match=r"source\.path must be a text"):
        Arguments({"source": {"path": 1}}).part("source").text("path")


@given(st.dictionaries(st.text(), st.none() | st.integers() | st.text() | st.lists(st.integers())))
def test_any_object_is_a_request_or_is_refused(message):
    with suppress(InputError):
        read_request(json.dumps(message).encode())
