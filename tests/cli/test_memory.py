"""What the process says of its own memory."""

from __future__ import annotations

import sys

import pytest

from sspicli.cli.memory import peak_bytes, resident_bytes


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux tells it in /proc")
def test_memory_that_is_touched_is_resident():
    before = resident_bytes()
    block = bytearray(b"x" * (32 << 20))
    assert resident_bytes() - before > 24 << 20
    assert peak_bytes() >= before + (24 << 20)
    assert len(block) == 32 << 20


@pytest.mark.skipif(sys.platform == "win32", reason="there is no getrusage")
def test_the_peak_is_told_in_bytes():
    assert 8 << 20 < peak_bytes() < 1 << 40
