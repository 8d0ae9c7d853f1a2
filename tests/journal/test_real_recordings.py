"""Recordings of real handshakes: what was written is what is read, record by record, and gives the same report."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sspicli.analysis.report import report
from sspicli.journal.recording import read_recording
from sspicli.reports.document import document
from tests.handshakes import records_of

KINDS: dict[str, dict[str, Any]] = {
    "tls13": {},
    "tls12": {"tls": "1.2", "messages": 2},
    "mutual": {"client": ("cert=valid", "alpn=h2"), "server": ("request-cert=yes", "alpn=h2")},
    "anonymous": {"server": ("request-cert=yes",), "mode": "poll"},
    "resumed": {"client": ("resume=ticket",)},
    "expired": {"server": ("cert=expired",)},
    "required": {"server": ("request-cert=require",)},
    "stuck": {"fault": ("server.accept#2=hang",)},
    "sample": {"mode": "sample", "completion": "inline"},
    "threads": {"workers": 2},
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_recording_with_secrets_holds_every_record_as_it_was(kind: str, tmp_path: Path):
    path = tmp_path / "run"
    made = records_of(record=path, include_secrets=True, **KINDS[kind])
    recording = read_recording(path)
    assert recording.note == ""
    assert recording.records == made
    assert document(report(recording.records), timing=True, schedule="") == document(
        report(made), timing=True, schedule=""
    )


@pytest.mark.parametrize("kind", KINDS)
def test_a_recording_without_secrets_tells_the_same_but_for_what_is_encrypted(kind: str, tmp_path: Path):
    path = tmp_path / "run"
    made = report(records_of(record=path, **KINDS[kind]))
    told = report(read_recording(path).records)
    assert (told.verdict, told.findings) == (made.verdict, made.findings)
    assert [(call.handle, call.status, call.was_pending) for call in told.calls] == [
        (call.handle, call.status, call.was_pending) for call in made.calls
    ]
    assert [(leg.number, leg.sender, leg.data) for leg in told.legs] == [
        (leg.number, leg.sender, leg.data) for leg in made.legs
    ]


def test_a_recording_whose_line_ends_another_system_changed_is_read_all_the_same(tmp_path: Path):
    path = tmp_path / "run"
    made = records_of(record=path, include_secrets=True)
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    recording = read_recording(path)
    assert recording.note == ""
    assert recording.records == made
