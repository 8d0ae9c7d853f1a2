"""A secret file that the disk takes no more of stops with one warning, and the run goes on."""

from __future__ import annotations

from pathlib import Path

import pytest

from sspicli.journal.events import KeyLogged
from sspicli.journal.journal import Journal
from sspicli.journal.recording import KeyLogWriter
from sspicli.journal.secret_file import SecretFile


def test_a_full_disk_is_told_once_and_named(tmp_path: Path):
    resource = pytest.importorskip("resource", reason="a file's size is limited on POSIX only")
    signal = pytest.importorskip("signal")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    told: list[str] = []
    journal = Journal()
    keylog = KeyLogWriter(tmp_path / "keys", warn=told.append)
    journal.subscribe(keylog)
    resource.setrlimit(resource.RLIMIT_FSIZE, (64, before[1]))
    try:
        for _ in range(5):
            journal.append("client.package", KeyLogged(None, "LABEL " + "0" * 40), 0)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
        keylog.close()
    assert told == [f"the key log {tmp_path / 'keys'} stops here: File too large"]
    assert len(journal.records) == 5


def test_a_closed_file_takes_nothing_and_says_nothing(tmp_path: Path):
    told: list[str] = []
    file = SecretFile(tmp_path / "file", "it", told.append)
    file.write("first")
    file.close()
    file.write("second")
    assert (tmp_path / "file").read_text() == "first"
    assert told == []
