"""Recordings run again: the same run gives no difference, and an edited one gives it where it was edited."""

import json
from pathlib import Path

import pytest

from sspicli.analysis.cases import Outcome
from sspicli.cli.rerun import NONDETERMINISM, read_recorded, rerun
from sspicli.journal import events as ev
from sspicli.journal.recording import RecordingWriter
from sspicli.sspi.errors import InputError
from tests.edited import Line, lines_of, sealed
from tests.handshakes import records_of
from tests.processes import sspi


def again(path: Path):
    return rerun(read_recorded(path, path.name))


def recorded(path: Path, **changes) -> Path:
    """Record a run as `handshake --record` does."""
    records_of(record=path, **changes)
    return path


RUNS = {
    "1.3": {"tls": "1.3", "messages": 2},
    "1.2": {"tls": "1.2", "messages": 2},
    "a fixed seed": {"seed": 12345},
    "refused": {"server": ("cert=expired",)},
    "polling": {"mode": "poll"},
    "the sample": {"mode": "sample"},
    "any order": {"completion": "random", "order": "seed", "seed": 3},
    "last first": {"completion": "inline", "order": "lifo"},
    "resumed": {"client": ("resume=ticket",), "server": ("resume=ticket",)},
    "stuck": {"fault": ("client.init#1=hang",)},
    "late": {"fault": ("server.accept#1=delay:500",)},
    "secrets": {"include_secrets": True, "client": ("alpn=h2",), "server": ("alpn=h2",)},
}


@pytest.mark.parametrize("changes", RUNS.values(), ids=RUNS)
def test_a_run_made_again_is_the_same(tmp_path, changes):
    path = recorded(tmp_path / "run", **changes)
    for _ in range(5):
        result = again(path)
        assert (result.outcome, result.unmet) == (Outcome.PASSED, ())
    assert result.expectations == len(path.read_text().splitlines()) - 1


@pytest.mark.parametrize("size", [400, 3000, 9000])
def test_a_recording_cut_short_is_compared_as_far_as_it_goes(tmp_path, size):
    path = recorded(tmp_path / "run")
    path.write_bytes(path.read_bytes()[: size + 500])
    result = again(path)
    assert result.outcome is Outcome.PASSED
    assert "records before it are used" in result.reason or "ends before the run did" in result.reason


def plain_lines(records) -> list[Line]:
    """Write records as lines of which none refers to bytes that stand elsewhere, be it in the same line."""
    lines = lines_of(records)
    for line in lines:
        if "hCertStore" in line.get("fields", ()):
            line["fields"]["hCertStore"] = [line["fields"]["pbCertEncoded"]]
    return lines


def changed(path: Path, **edits) -> Path:
    """Edit the first record of each kind named: `CallCompleted={"status": ...}`."""
    lines = plain_lines(records_of())
    for kind, members in edits.items():
        next(line for line in lines if line["is"] == kind).update(members)
    path.write_bytes(sealed(lines))
    return path


@pytest.mark.parametrize(
    ("kind", "members", "member"),
    [
        ("CallCompleted", {"status": "SEC_E_INTERNAL_ERROR"}, "status"),
        ("CallQueued", {"requirements": 1}, "requirements"),
        ("AttributeQueried", {"fields": {"dwProtocol": 1}}, "fields.dwProtocol"),
        ("QueueingReturned", {"queue_status": "SEC_E_INSUFFICIENT_MEMORY"}, "queue_status"),
    ],
)
def test_a_record_that_differs_is_named_with_both_sides(tmp_path, kind, members, member):
    path = changed(tmp_path / "run", **{kind: members})
    result = again(path)
    (unmet,) = result.unmet
    assert (result.outcome, result.reason) == (Outcome.FAILED, NONDETERMINISM)
    assert unmet.key == member
    line = path.read_text().splitlines()[unmet.place.line - 1]
    assert json.loads(line)["is"] == kind
    assert json.loads(line)["n"] == result.at
    assert line.startswith(unmet.place.excerpt)
    assert kind in unmet.expected
    assert unmet.expected != unmet.got


def test_a_token_of_another_length_is_a_difference_and_other_bytes_are_none(tmp_path):
    lines = plain_lines(records_of())
    sent = next(line for line in lines if line["is"] == "TokenSent")
    data = bytes.fromhex(sent["data"]["hex"])
    sent["data"] = {"hex": (data[:11] + bytes(32) + data[43:]).hex()}
    (tmp_path / "other").write_bytes(sealed(lines))
    assert again(tmp_path / "other").outcome is Outcome.PASSED
    sent["data"] = {"hex": (data + bytes(100)).hex()}
    (tmp_path / "longer").write_bytes(sealed(lines))
    assert again(tmp_path / "longer").unmet[0].key == "data"


def test_a_record_that_is_missing_is_a_difference(tmp_path):
    lines = plain_lines(records_of())
    at = max(number for number, line in enumerate(lines) if line["is"] == "AttributeQueried")
    del lines[at]
    for line in lines[at:]:
        line["of"] -= line["of"] > at
    (tmp_path / "run").write_bytes(sealed(lines))
    assert again(tmp_path / "run").outcome is Outcome.FAILED


def test_another_engine_is_named_as_the_likely_cause(tmp_path):
    path = changed(tmp_path / "run", RunStarted={"engine": "pyOpenSSL 1.0"}, AttributeQueried={"attribute": 4})
    assert again(path).unmet[0].cause.startswith("it was recorded with pyOpenSSL 1.0, and run again with pyOpenSSL")


def test_a_run_over_workers_cannot_be_made_again(tmp_path):
    path = recorded(tmp_path / "run", workers=2)
    with pytest.raises(InputError, match="worker threads"):
        read_recorded(path, "run")


def test_one_of_many_sessions_can_be_made_again(tmp_path):
    words = ["--count", "6", "--in-flight", "3", "--workers", "2", "--server", "cert=expired", "--keep", "2"]
    assert sspi("handshake", *words, "--record", "run", cwd=tmp_path).returncode == 1
    paths = sorted(tmp_path.iterdir())
    assert [again(path).outcome for path in paths] == [Outcome.PASSED] * 2


def test_a_session_that_resumed_one_before_it_cannot(tmp_path):
    words = ["--count", "3", "--client", "resume=ticket", "--server", "resume=ticket"]
    sspi("handshake", *words, "--expect", "SEC_E_INTERNAL_ERROR", "--record", "run", cwd=tmp_path)
    with pytest.raises(InputError, match="resumed one before it"):
        again(tmp_path / "run")


@pytest.mark.parametrize(
    "options",
    [
        {"mode": "nonsense"},
        {"messages": 10**9},
        {"seed": "x"},
        {"fault": ["x" * 100]},
        {"client": ["nonsense"]},
        {"client": ["cert=gone.pem"]},
        {"server": {"a": 1}},
        {"timeout": -1},
        {"package": "--help"},
        {"session": -1},
        {"session": "one"},
    ],
    ids=str,
)
def test_options_that_are_none_are_refused(tmp_path, options):
    started = records_of()[0].event
    assert isinstance(started, ev.RunStarted)
    path = changed(tmp_path / "run", RunStarted={"options": {**started.options, **options}})
    with pytest.raises(InputError) as refused:
        again(path)
    assert refused.value.message


def test_a_recording_without_a_beginning_is_refused(tmp_path):
    RecordingWriter(tmp_path / "run", include_secrets=False, warn=print).close()
    with pytest.raises(InputError, match="does not say how"):
        read_recorded(tmp_path / "run", "run")
