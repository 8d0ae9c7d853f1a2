"""What the process says of its own memory."""

from __future__ import annotations

import sys

import pytest

from sspicli.cli.memory import peak_bytes, resident_bytes
from tests.processes import python


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


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux tells it in /proc")
def test_the_peak_is_our_own_and_not_that_of_who_started_us():
    block = bytearray(b"x" * (200 << 20))
    ended = python("from sspicli.cli.memory import peak_bytes; print(peak_bytes())")
    assert peak_bytes() > len(block)
    assert 0 < int(ended.stdout) < 100 << 20
