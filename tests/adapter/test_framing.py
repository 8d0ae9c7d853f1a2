"""The wire of the protocol: bytes in, messages out, however they were cut."""

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sspicli.adapter.framing import LARGEST_MESSAGE, LONGEST_HEADER, Framing, framed
from sspicli.sspi.errors import InputError

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
objects = st.dictionaries(st.text(), json_values)


@given(messages=st.lists(objects, max_size=5), cuts=st.lists(st.integers(1, 40)))
def test_messages_come_out_whole_wherever_the_stream_was_cut(messages, cuts):
    stream = b"".join(framed(one) for one in messages)
    framing = Framing()
    found: list[bytes] = []
    for cut in [*cuts, len(stream) + 1]:
        found += framing.feed(stream[:cut])
        stream = stream[cut:]
    assert [json.loads(one) for one in found] == messages
    assert not framing.is_within


@given(data=st.binary(max_size=300), cut=st.integers(0, 300))
def test_bytes_that_are_no_messages_end_in_one_sentence_or_in_bodies(data, cut):
    framing = Framing()
    with suppress(InputError):
        assert all(isinstance(one, bytes) for part in (data[:cut], data[cut:]) for one in framing.feed(part))


def test_a_text_that_no_encoding_has_is_sent_as_an_escape():
    assert b'"\\udc80"' in framed({"name": "\udc80"})


@pytest.mark.parametrize(
    ("header", "said"),
    [
        (b"Content-Type: x\r\n\r\n", "no Content-Length"),
        (b"Content-Length: many\r\n\r\n", "no Content-Length"),
        (b"Content-Length: -1\r\n\r\n", "no Content-Length"),
        (b"Content-Length: %d\r\n\r\n" % (LARGEST_MESSAGE + 1), "at most"),
        (b"x" * LONGEST_HEADER, "no header"),
    ],
)
def test_a_header_without_end_or_length_is_refused(header, said):
    with pytest.raises(InputError, match=said):
        list(Framing().feed(header))


def test_header_fields_of_other_names_are_left_alone():
    assert list(Framing().feed(b"X: y\r\ncontent-length: 2 \r\n\r\n{}")) == [b"{}"]


def test_what_comes_before_the_error_is_given():
    found = Framing().feed(framed({}) + b"\r\n\r\n")
    assert next(found) == b"{}"
    with pytest.raises(InputError, match="no Content-Length"):
        next(found)
