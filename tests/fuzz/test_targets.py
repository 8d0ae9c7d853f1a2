"""The readers of foreign bytes keep their promises for what hypothesis thinks of, and for what once broke them."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz.targets import TARGETS, bounded
from tests.pairs import IS_DEEP

HERE = Path(__file__).parent
KNOWN = sorted(one for folder in ("corpus", "crashes") for one in (HERE / folder).glob("*/*"))


def known(target: str) -> list[bytes]:
    return [one.read_bytes() for one in KNOWN if one.parent.name == target]


def changed(target: str) -> st.SearchStrategy[bytes]:
    """Build what is nearly right: a part of something known gives way to a part of something else."""
    pieces = st.binary(max_size=40) | st.sampled_from(known(target))

    def spliced(base: bytes, at: int, upto: int, piece: bytes) -> bytes:
        start, end = sorted((at % (len(base) + 1), upto % (len(base) + 1)))
        return base[:start] + piece + base[end:]

    places = st.integers(0, 5000)
    return st.builds(spliced, st.sampled_from(known(target)), places, places, pieces)


def test_every_target_has_something_to_start_from():
    assert {target for target in TARGETS if known(target)} == set(TARGETS)


@pytest.mark.parametrize("path", KNOWN, ids=lambda path: f"{path.parent.parent.name}-{path.parent.name}-{path.name}")
def test_what_is_stored_keeps_every_promise(path: Path):
    TARGETS[path.parent.name](path.read_bytes())


@pytest.mark.parametrize("target", TARGETS)
@settings(deadline=None, max_examples=100_000 if IS_DEEP else 200)
@given(data=st.data())
def test_anything_at_all_keeps_every_promise(target: str, data: st.DataObject):
    TARGETS[target](data.draw(st.binary(max_size=300) | changed(target)))


def test_work_without_end_is_noticed():
    with pytest.raises(AssertionError, match="it took"), bounded(seconds=0.01):
        sum(range(2_000_000))
