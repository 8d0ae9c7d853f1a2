"""Record framing: whole, partial and malformed are three answers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sspicli.sspi.records import (
    HANDSHAKE,
    MAX_PROTECTED,
    MAX_PROTECTED_TLS13,
    Framing,
    Record,
    RecordHeader,
    frame,
    is_malformed,
    read_header,
)

ALERT = bytes.fromhex("15030300020230")
CHANGE = bytes.fromhex("140303000101")


def record(size, *, content_type=HANDSHAKE, version=0x0303):
    return bytes([content_type]) + version.to_bytes(2, "big") + size.to_bytes(2, "big") + bytes(size)


def test_whole_records_are_given_with_their_spans():
    framing = frame(ALERT + CHANGE)
    assert framing == Framing((Record(21, 0x0303, 0, 7), Record(20, 0x0303, 7, 13)), 13, 0, None)
    assert framing.records[1].body_start == 12


def test_framing_may_begin_at_an_offset():
    framing = frame(b"junk" + ALERT, 4)
    assert framing.records == (Record(21, 0x0303, 4, 11),)
    assert framing.complete == 7


def test_framing_behind_the_end_finds_nothing():
    assert frame(ALERT, 7) == Framing((), 0, 5, None)
    assert frame(ALERT, 100) == Framing((), 0, 5, None)


def test_nothing_held_lacks_a_header():
    assert frame(b"").missing == 5


def test_nothing_lacks_after_whole_records():
    assert frame(ALERT).missing == 0


@pytest.mark.parametrize("held", [1, 2, 3, 4])
def test_a_part_of_a_header_lacks_the_rest_of_it(held):
    assert frame(record(100)[:held]).missing == 5 - held
    assert frame(ALERT + record(100)[:held]).missing == 5 - held


@pytest.mark.parametrize("held", [5, 6, 104])
def test_a_header_lacks_the_rest_of_its_body(held):
    framing = frame(ALERT + record(100)[:held])
    assert (framing.complete, framing.missing) == (len(ALERT), 105 - held)


def test_a_body_may_be_empty():
    assert frame(record(0)).records == (Record(HANDSHAKE, 0x0303, 0, 5),)


def test_eight_kib_of_fa_are_malformed_at_the_first_header():
    assert frame(b"\xfa" * 8192) == Framing((), 0, 0, 0)


def test_a_part_of_a_header_is_not_judged_yet():
    assert frame(b"\xfa" * 4) == Framing((), 0, 1, None)


def test_an_sslv2_hello_is_malformed():
    assert frame(bytes.fromhex("802e0100020015000000100100800200800300800400800500800600")).malformed_at == 0


@pytest.mark.parametrize("text", [b"GET / HTTP/1.1\r\n", b"SSH-2.0-OpenSSH", bytes.fromhex("302e0201010c")])
def test_other_protocols_are_malformed(text):
    assert frame(text).malformed_at == 0


def test_garbage_behind_whole_records_is_pointed_at():
    framing = frame(ALERT + b"\xfa" * 9)
    assert (len(framing.records), framing.complete, framing.missing, framing.malformed_at) == (1, 7, 0, 7)


@pytest.mark.parametrize("content_type", [0, 19, 25, 0x80, 255])
def test_an_unknown_content_type_is_malformed(content_type):
    assert frame(record(1, content_type=content_type)).malformed_at == 0


@pytest.mark.parametrize("version", [0x0002, 0x0200, 0x0403, 0xFEFD])
def test_another_major_version_is_malformed(version):
    assert frame(record(1, version=version)).malformed_at == 0


def test_the_longest_record_is_no_longer_than_the_rfc_says():
    assert frame(record(MAX_PROTECTED)).malformed_at is None
    assert frame(record(MAX_PROTECTED + 1)).malformed_at == 0
    assert frame(record(MAX_PROTECTED_TLS13), limit=MAX_PROTECTED_TLS13).malformed_at is None
    assert frame(record(MAX_PROTECTED_TLS13 + 1), limit=MAX_PROTECTED_TLS13).malformed_at == 0


def test_too_long_a_body_is_malformed_before_it_has_come():
    assert frame(record(MAX_PROTECTED + 1)[:5]).malformed_at == 0


def test_no_more_records_are_looked_at_than_wanted():
    assert frame(ALERT * 3, most=2) == Framing((Record(21, 0x0303, 0, 7), Record(21, 0x0303, 7, 14)), 14, 0, None)
    assert frame(ALERT + b"\xfa" * 9, most=1).malformed_at is None


def test_a_header_reads_as_its_three_fields():
    assert read_header(ALERT) == RecordHeader(21, 0x0303, 2)
    assert read_header(ALERT[:4]) is None
    assert read_header(ALERT, 3) is None


@given(st.binary(max_size=64), st.integers(0, 70))
def test_spans_tile_the_bytes_from_the_offset_on(data, offset):
    framing = frame(data, offset)
    position = offset
    for one in framing.records:
        assert one.start == position
        assert one.body_start <= one.end <= len(data)
        position = one.end
    assert framing.complete == position - offset
    assert framing.malformed_at in (None, position)


@given(st.binary(min_size=5, max_size=5))
def test_framing_and_the_header_test_agree(header):
    parsed = read_header(header)
    assert parsed is not None
    assert is_malformed(parsed) is (frame(header).malformed_at == 0)


@given(st.lists(st.integers(0, 50), min_size=1, max_size=4), st.data())
def test_what_is_missing_is_never_more_than_what_comes(sizes, draw):
    data = b"".join(map(record, sizes))
    held = draw.draw(st.integers(0, len(data)))
    framing = frame(data[:held])
    assert framing.malformed_at is None
    assert framing.complete + 5 * (framing.missing > 0) <= held + framing.missing <= len(data) + 5 * (held == 0)
    if held == len(data):
        assert framing.missing == 0
