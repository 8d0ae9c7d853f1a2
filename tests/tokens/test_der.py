"""DER, element by element: lengths that cannot be are refused, and hostile bytes end a walk."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sspicli.tokens.der import MAX_DEPTH, read_element, walk


@pytest.mark.parametrize(
    "hostile", ["", "30", "3080", "30847fffffff", "3085010000000000", "1f8101", "30ff", "30030201"]
)
def test_lengths_that_cannot_be_are_no_elements(hostile):
    assert read_element(bytes.fromhex(hostile)) is None


def test_nesting_stops_at_the_cap():
    bomb = b""
    for _ in range(1000):
        bomb = b"\x30\x82" + len(bomb).to_bytes(2, "big") + bomb
    assert [depth for depth, _ in walk(bomb)] == list(range(MAX_DEPTH))


@given(st.binary(max_size=200))
def test_a_walk_over_any_bytes_stays_within_them(data):
    for depth, element in walk(data):
        assert 0 <= depth < MAX_DEPTH
        assert 0 <= element.start < element.value_start <= element.end <= len(data)
