"""What every test of the debugger leaves behind: nothing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.debugger.consoles import close_all


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    close_all()
