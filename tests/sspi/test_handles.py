"""Handles: minted names, and the way back from how they print."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sspicli.sspi.handles import Handle, HandleKind, parse_handle
from tests.pairs import Bench

ACTORS = st.from_regex(r"[a-z][a-z0-9_.]{0,12}", fullmatch=True).filter(lambda name: not name.endswith("."))


@settings(deadline=None)
@given(ACTORS, st.sampled_from(HandleKind), st.integers(0, 10**9))
def test_a_handle_reads_back_from_what_it_prints(actor, kind, number):
    handle = Handle(actor, kind.value, number)
    assert parse_handle(str(handle)) == handle


@pytest.mark.parametrize(
    "text", ["", "call1", ".call1", "server.", "server.call", "server.calls1", "server.1", "server.call1 "]
)
def test_what_is_no_handle_is_refused_with_its_text(text):
    with pytest.raises(ValueError, match="is not a handle"):
        parse_handle(text)


@settings(deadline=None)
@given(st.text(max_size=40))
def test_any_text_is_a_handle_or_a_value_error(text):
    try:
        handle = parse_handle(text)
    except ValueError:
        return
    assert handle.kind in set(HandleKind)
    assert handle.actor


def test_numbers_count_per_actor_and_kind_from_one():
    bench, other = Bench(), Bench()
    first, second = bench.context(), bench.context()
    bench.acquire(first)
    assert (str(first), str(second)) == ("client.ac1", "client.ac2")
    assert str(bench.complete().handle) == "client.call1"
    assert str(other.context()) == "client.ac1"


def test_a_number_is_never_given_twice():
    bench = Bench()
    first = bench.context()
    bench.api.free_async_context(first)
    assert bench.context() != first
