"""Buffers: the header's numbers, images that stay, and writes that only completions make."""

import pytest

from sspicli.sspi.buffers import (
    ATTRIBUTE_MASK,
    READONLY,
    READONLY_WITH_CHECKSUM,
    BufferImage,
    BufferType,
    BufferWrite,
    SecBuffer,
    SecBufferDesc,
    buffer_type_name,
    empty,
    given,
    room,
    to_allocate,
)

# sspi.h, SECBUFFER_*: read off a second time.
NUMBERS = {
    "EMPTY": 0, "DATA": 1, "TOKEN": 2, "PKG_PARAMS": 3, "MISSING": 4, "EXTRA": 5, "STREAM_TRAILER": 6,
    "STREAM_HEADER": 7,
    "NEGOTIATION_INFO": 8, "PADDING": 9, "STREAM": 10, "MECHLIST": 11, "MECHLIST_SIGNATURE": 12, "TARGET": 13,
    "CHANNEL_BINDINGS": 14, "CHANGE_PASS_RESPONSE": 15, "TARGET_HOST": 16, "ALERT": 17, "APPLICATION_PROTOCOLS": 18,
    "SRTP_PROTECTION_PROFILES": 19, "SRTP_MASTER_KEY_IDENTIFIER": 20, "TOKEN_BINDING": 21, "PRESHARED_KEY": 22,
    "PRESHARED_KEY_IDENTITY": 23, "DTLS_MTU": 24,
}  # fmt: skip


@pytest.mark.parametrize(("name", "number"), NUMBERS.items())
def test_a_buffer_type_has_the_number_of_the_header(name, number):
    assert BufferType[name] == number


def test_attribute_flags_do_not_change_what_a_buffer_is_called():
    assert (ATTRIBUTE_MASK, READONLY, READONLY_WITH_CHECKSUM) == (0xF0000000, 0x80000000, 0x10000000)
    assert buffer_type_name(BufferType.TOKEN | READONLY) == "TOKEN"
    assert buffer_type_name(77) == "type 77"


def test_each_way_of_making_a_buffer_says_what_its_memory_is():
    assert given(BufferType.TOKEN, b"abc").image == (2, 3, b"abc")
    assert empty().image == (0, 0, None)
    assert room(BufferType.ALERT, 2).image == (17, 2, b"")
    assert to_allocate(BufferType.TOKEN).image == (2, 0, None)


def test_an_image_stays_when_the_buffer_is_written():
    descriptor = SecBufferDesc(given(BufferType.TOKEN, b"abc"), empty())
    before = descriptor.images()
    descriptor.apply((BufferWrite(1, BufferType.EXTRA, 2, b"bc"),))
    assert before == ((2, 3, b"abc"), (0, 0, None))
    assert descriptor.images() == ((2, 3, b"abc"), (5, 2, b"bc"))


def test_writes_touch_the_buffers_they_name_alone():
    descriptor = SecBufferDesc(to_allocate(BufferType.TOKEN), room(BufferType.ALERT, 2))
    descriptor.apply((BufferWrite(0, BufferType.TOKEN, 5, b"hello", allocated=True),))
    token, alert = descriptor.buffers
    assert (token.size, token.data, token.allocated) == (5, b"hello", True)
    assert (alert.size, alert.data, alert.allocated) == (2, b"", False)


def test_a_later_write_without_allocation_takes_the_mark_away():
    descriptor = SecBufferDesc(to_allocate(BufferType.TOKEN))
    descriptor.apply((BufferWrite(0, BufferType.TOKEN, 5, b"hello", allocated=True),))
    descriptor.apply((BufferWrite(0, BufferType.TOKEN, 0, None),))
    assert not descriptor.buffers[0].allocated


def test_a_buffer_is_found_by_type_whatever_its_place_and_flags():
    marked = SecBuffer(BufferImage(BufferType.DATA | READONLY, 1, b"x"))
    descriptor = SecBufferDesc(empty(), given(BufferType.TOKEN, b"a"), marked, given(BufferType.TOKEN, b"b"))
    assert descriptor.first(BufferType.DATA) is marked
    assert descriptor.first(BufferType.TOKEN) is descriptor.buffers[1]
    assert descriptor.first(BufferType.EXTRA) is None


def test_a_descriptor_has_version_zero():
    assert SecBufferDesc().version == 0
