"""The status map holds against expectations that stand apart from it; `tests/mutation.py` flips its rows."""

from __future__ import annotations

from sspicli.packages.schannel_failures import find_row
from tests.packages.status_map_expected import wrong


def test_every_row_of_the_status_map_is_what_the_sources_say():
    assert wrong(find_row) == []
