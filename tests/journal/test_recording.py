"""Recordings: readable whatever stopped the writer, closed to others, and never taken for whole when they are not."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from sspicli.journal import events as ev
from sspicli.journal.codec import Encoder
from sspicli.journal.journal import Journal, Record
from sspicli.journal.recording import Recording, RecordingWriter, read_recording
from sspicli.journal.secret_file import create_secret_file
from sspicli.runtime.chooser import Seeded
from sspicli.sspi.errors import ExitCode, InputError, WriteError
from sspicli.sspi.handles import Handle
from sspicli.sspi.status import SecurityStatus
from tests.pairs import IS_DEEP, scripted_pair

ROOT = Path(__file__).parents[2]


def recorded_pair(path: Path, **options: object) -> list[Record]:
    """Record a run of a pair; its records."""
    journal, session = scripted_pair(chooser=Seeded(3), **options)  # type: ignore[arg-type]
    writer = RecordingWriter(path, include_secrets=True, warn=pytest.fail)
    journal.subscribe(writer)
    session.run()
    writer.close()
    return journal.records


def small(path: Path) -> list[Record]:
    """Record a few events of different shapes by hand; their records."""
    token = bytes(range(40))
    journal = Journal()
    writer = RecordingWriter(path, include_secrets=True, warn=pytest.fail)
    journal.subscribe(writer)
    context, call = Handle("client", "ac", 1), Handle("client", "call", 1)
    for event in (
        ev.RunStarted("0", "Scripted", "scripted", "any", "2026-01-01T00:00:00Z", 0, 0, True, {"note": "é", "n": 1}),
        ev.AsyncContextCreated(context),
        ev.TokenSent(1, 1, "server", token),
        ev.TokenSent(2, 2, "client", token),
        ev.CallCompleted(call, SecurityStatus.SEC_E_OK, None, ((2, 40, token),), None, 0, 0, None, 0),  # type: ignore[arg-type]
        ev.NoteMade("a\nb"),
        ev.RunEnded("finished", ()),
    ):
        journal.append("client", event, len(journal.records))
    writer.close()
    return journal.records


def plain(records: list[Record]) -> list[Record]:
    """Compare by value: what is read back has its named tuples again."""
    return [record._replace(event=type(record.event)(*record.event)) for record in records]


# -- there and back ----------------------------------------------------------------------------------------------------
def test_a_run_reads_back_as_it_was(tmp_path):
    records = recorded_pair(tmp_path / "run", handshakes=2)
    assert read_recording(tmp_path / "run") == Recording(records, has_secrets=True, note="")


def test_every_line_has_its_newline_and_the_last_its_end(tmp_path):
    small(tmp_path / "run")
    data = (tmp_path / "run").read_bytes()
    assert data.endswith(b"}\n")
    assert data.count(b"\n") == 1 + 7


def test_records_stand_in_the_file_at_every_settled_call(tmp_path):
    path = tmp_path / "run"
    journal, session = scripted_pair()
    writer = RecordingWriter(path, include_secrets=True, warn=pytest.fail)
    journal.subscribe(writer)
    seen = []

    def look(record: Record) -> None:
        if isinstance(record.event, (ev.CallCompleted, ev.CallbackReturned)):
            seen.append(len(read_recording(path).records) == record.sequence)

    journal.subscribe(look)
    session.run()
    writer.close()
    assert len(seen) > 10
    assert all(seen)


def test_records_that_no_call_settles_reach_the_file_all_the_same(tmp_path):
    journal = Journal()
    writer = RecordingWriter(tmp_path / "run", include_secrets=True, warn=pytest.fail)
    journal.subscribe(writer)
    for number in range(1000):
        journal.append("user", ev.NoteMade(str(number)), 0)
        if number % 100 == 0:
            assert len(read_recording(tmp_path / "run").records) >= number - 100
    writer.close()


# -- what is not whole -------------------------------------------------------------------------------------------------
def test_a_recording_that_ends_before_the_run_did_says_so_and_after_what(tmp_path):
    records = recorded_pair(tmp_path / "run")
    lines = (tmp_path / "run").read_bytes().splitlines(keepends=True)
    (tmp_path / "cut").write_bytes(b"".join(lines[:-1]))
    recording = read_recording(tmp_path / "cut")
    last = next(record.event.call for record in reversed(records) if isinstance(record.event, ev.CallCompleted))
    assert recording.records == records[:-1]
    assert "ends before the run did" in recording.note
    assert str(last) in recording.note


def test_a_torn_last_line_costs_that_line_alone(tmp_path):
    records = small(tmp_path / "run")
    data = (tmp_path / "run").read_bytes()
    (tmp_path / "cut").write_bytes(data[:-10])
    recording = read_recording(tmp_path / "cut")
    assert plain(recording.records) == plain(records[:-1])
    assert ":8:" in recording.note


def check_damaged(path: Path, data: bytes, records: list[Record], what: str) -> bool:
    """Read damaged bytes: detected, or harmless. Return whether it was detected."""
    path.write_bytes(data)
    try:
        recording = read_recording(path)
    except InputError:
        return True
    got = plain(recording.records)
    assert got == records[: len(got)], what
    assert recording.note or len(got) == len(records), what
    return bool(recording.note)


def test_every_changed_byte_is_found_or_harmless(tmp_path):
    records = plain(small(tmp_path / "run"))
    data = (tmp_path / "run").read_bytes()
    detected = 0
    for at in range(len(data)):
        for bit in range(8) if IS_DEEP else (at * 3 % 8,):
            changed = data[:at] + bytes([data[at] ^ 1 << bit]) + data[at + 1 :]
            detected += check_damaged(tmp_path / "damaged", changed, records, f"bit {bit} of byte {at}")
    assert detected >= len(data) * (8 if IS_DEEP else 1) - 20


@pytest.mark.parametrize("value", [0x00, 0x0A, 0x0D, 0x22, 0x85, 0xFF])
def test_every_byte_replaced_by_one_of_the_awkward_is_found_or_harmless(tmp_path, value):
    records = plain(small(tmp_path / "run"))
    data = (tmp_path / "run").read_bytes()
    for at in range(0, len(data), 1 if IS_DEEP else 3):
        check_damaged(tmp_path / "damaged", data[:at] + bytes([value]) + data[at + 1 :], records, f"byte {at}")


def test_every_truncation_is_found_or_harmless(tmp_path):
    records = plain(small(tmp_path / "run"))
    data = (tmp_path / "run").read_bytes()
    detected = sum(
        check_damaged(tmp_path / "cut", data[:length], records, f"{length} bytes") for length in range(len(data))
    )
    assert detected == len(data) - 1  # all but the one that lost the last newline


def test_a_lost_or_doubled_or_moved_line_is_found(tmp_path):
    records = plain(small(tmp_path / "run"))
    head, *lines = (tmp_path / "run").read_bytes().splitlines(keepends=True)
    for at in range(len(lines)):
        lost, doubled = lines[:at] + lines[at + 1 :], lines[: at + 1] + lines[at:]
        moved = [*lines[:at], *reversed(lines[at : at + 2]), *lines[at + 2 :]]
        for changed in (lost, doubled, moved):
            if changed != lines:
                assert check_damaged(tmp_path / "changed", head + b"".join(changed), records, f"line {at}")


# -- what is no recording ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "data", [b"", b"\n", b"{}\n", b"\xff\xfe", b"\x00" * 100, b'{"schema":"sspi-async/recording/1"}\n']
)
def test_what_is_no_recording_is_an_input_error_that_names_the_file(tmp_path, data):
    (tmp_path / "run").write_bytes(data)
    with pytest.raises(InputError) as error:
        read_recording(tmp_path / "run")
    assert str(tmp_path / "run") in error.value.where
    assert error.value.exit_code is ExitCode.INPUT


@pytest.mark.parametrize(("name", "said"), [("missing", "no such file"), (".", "a regular file is needed")])
def test_what_cannot_be_read_is_an_input_error(tmp_path, name, said):
    with pytest.raises(InputError, match=said) as error:
        read_recording(tmp_path / name)
    assert error.value.where == str(tmp_path / name)


def test_a_recording_of_nothing_but_its_first_line_is_not_whole(tmp_path):
    (tmp_path / "run").write_text(Encoder().header(has_secrets=False))
    recording = read_recording(tmp_path / "run")
    assert recording.records == []
    assert "after no call" in recording.note


# -- whose it is -------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077, 0o177])
def test_only_its_owner_may_read_it_whatever_the_umask(tmp_path, umask):
    before = os.umask(umask)
    try:
        small(tmp_path / "run")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "run").stat().st_mode) == 0o600


def test_an_existing_file_is_not_overwritten(tmp_path):
    (tmp_path / "run").write_text("mine")
    with pytest.raises(WriteError, match="not overwritten"):
        RecordingWriter(tmp_path / "run", include_secrets=False, warn=pytest.fail)
    assert (tmp_path / "run").read_text() == "mine"


def test_a_link_is_not_followed(tmp_path):
    (tmp_path / "run").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(WriteError):
        create_secret_file(tmp_path / "run")
    assert not (tmp_path / "elsewhere").exists()


def test_a_file_that_cannot_be_created_is_a_write_error_with_its_reason(tmp_path):
    with pytest.raises(WriteError, match="cannot be created: No such file or directory"):
        create_secret_file(tmp_path / "nowhere" / "run")


# -- what stops the writer ---------------------------------------------------------------------------------------------
CHILD = """
import os, resource, signal, sys
from pathlib import Path
from sspicli.journal import events as ev
from sspicli.journal.recording import RecordingWriter
from tests.pairs import scripted_pair

path, how, number = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
journal, session = scripted_pair(handshakes=3)
if how == "full":
    resource.setrlimit(resource.RLIMIT_FSIZE, (number, number))
writer = RecordingWriter(path, include_secrets=True, warn=lambda text: print("warned:", text, file=sys.stderr))
journal.subscribe(writer)
settled = 0

def watch(record):
    global settled
    if isinstance(record.event, (ev.CallCompleted, ev.CallbackReturned)):
        settled = record.sequence
    if how == "kill" and record.sequence == number:
        os.write(1, str(settled).encode())
        os.kill(os.getpid(), signal.SIGKILL)

journal.subscribe(watch)
reason = session.run()
whole = writer.is_whole
writer.close()
print(reason, whole)
"""


def child(path: Path, how: str, number: int) -> subprocess.CompletedProcess[str]:
    """Record a run in another process, which dies or runs out of room on the way."""
    command = [sys.executable, "-W", "error", "-X", "dev", "-c", CHILD, str(path), how, str(number)]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False, timeout=60)


@pytest.mark.parametrize("sequence", [1, 9, 30, 61, 100])
def test_a_killed_writer_leaves_what_had_settled(tmp_path, sequence):
    done = child(tmp_path / "run", "kill", sequence)
    assert done.returncode == -9, done.stderr
    recording = read_recording(tmp_path / "run") if int(done.stdout) else None
    count = len(recording.records) if recording else 0
    assert count >= int(done.stdout)
    if recording:
        assert [record.sequence for record in recording.records] == list(range(1, count + 1))
        assert "ends before the run did" in recording.note or "checksum" in recording.note


@pytest.mark.parametrize("room", [0, 10, 700, 5000])
def test_a_full_disk_stops_the_recording_with_one_line_and_the_run_goes_on(tmp_path, room):
    done = child(tmp_path / "run", "full", room)
    assert done.stdout == "finished False\n", done.stderr
    warnings = done.stderr.splitlines()
    assert len(warnings) == 1, done.stderr
    assert warnings[0].startswith("warned: the recording ")
    assert str(tmp_path / "run") in warnings[0]
    assert (tmp_path / "run").stat().st_size <= room
    if room > 100:
        recording = read_recording(tmp_path / "run")
        assert recording.note
        assert recording.records


def test_a_disk_that_is_full_at_the_end_is_told_of_once(tmp_path):
    child(tmp_path / "first", "full", 1 << 20)
    size = (tmp_path / "first").stat().st_size
    done = child(tmp_path / "run", "full", size - 3000)
    assert done.returncode == 0
    assert done.stdout.startswith("finished")
    assert len(done.stderr.splitlines()) == 1, done.stderr


def test_a_closed_writer_takes_no_more_and_says_nothing(tmp_path):
    journal = Journal()
    writer = RecordingWriter(tmp_path / "run", include_secrets=True, warn=pytest.fail)
    journal.subscribe(writer)
    journal.append("user", ev.NoteMade("kept"), 0)
    writer.close()
    journal.append("user", ev.NoteMade("not kept"), 0)
    writer.close()
    assert not writer.is_whole
    assert [record.event for record in read_recording(tmp_path / "run").records] == [ev.NoteMade("kept")]
