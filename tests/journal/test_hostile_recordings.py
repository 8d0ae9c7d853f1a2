"""A recording that somebody made to hurt: refused in a few words, at once, and in little memory."""

from __future__ import annotations

import json
import os
import time
import tracemalloc
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest

from sspicli.journal import recording as reader
from sspicli.journal.codec import SCHEMA, CodecError, Decoder, Encoder
from sspicli.journal.events import NoteMade, RunStarted
from sspicli.journal.journal import Record
from sspicli.journal.recording import read_recording
from sspicli.sspi.errors import InputError
from tests.handshakes import records_of

HEADER = Encoder().header(has_secrets=False)
NOTE = {"n": 1, "t": 0, "ns": 0, "by": "user", "of": 0, "is": "NoteMade", "text": "x"}


def sealed(text: str) -> str:
    """Give a line's text, without its last brace, the right checksum."""
    return f'{text},"crc":"{crc32(text.encode()):08x}"}}\n'


def line(**changes: Any) -> str:
    return sealed(json.dumps({**NOTE, **changes}, separators=(",", ":"))[:-1])


def started(**options: Any) -> str:
    encoded = Encoder().line(
        Record(1, 0, 0, "user", 0, RunStarted("t", "p", "e", "x", "2026-01-01T00:00:00Z", 0, 0, False, {}))
    )
    body = json.loads(encoded)
    del body["crc"]
    return sealed(json.dumps({**body, "options": options}, separators=(",", ":"))[:-1])


# -- every byte of a real one ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, list[Record]]:
    """Record a handshake with everything in it: secrets, protected messages, a resumed second handshake."""
    path = tmp_path_factory.mktemp("real") / "run"
    records = records_of(record=path, include_secrets=True, messages=1, client=("resume=ticket", "cert=valid"))
    return path.read_bytes(), records


def test_a_changed_byte_anywhere_in_a_real_recording_is_found(real: tuple[bytes, list[Record]]):
    """Each line is looked at by itself, changed at each of its bytes; nothing else of the file depends on it."""
    data, _ = real
    looked_at = 0
    for number, text in enumerate(data.decode().splitlines(keepends=True)):
        read = Decoder().header if number == 0 else Decoder().record
        for at in range(len(text) - 1):
            changed = text[:at] + chr(ord(text[at]) ^ 1 << at % 7) + text[at + 1 :]
            with pytest.raises(CodecError):
                read(changed)
            looked_at += 1
    assert looked_at == len(data) - data.count(b"\n")


def test_a_changed_line_end_of_a_real_recording_is_found_or_harmless(real: tuple[bytes, list[Record]], tmp_path: Path):
    data, records = real
    ends = [at for at, value in enumerate(data) if value == 10]
    for at in ends:
        changed = data[:at] + b"\x0b" + data[at + 1 :]
        (tmp_path / "run").write_bytes(changed)
        found = read_recording(tmp_path / "run") if at != ends[0] else None
        assert found is None or (found.note and found.records == records[: len(found.records)])


def test_a_truncation_anywhere_in_a_real_recording_is_found(real: tuple[bytes, list[Record]], tmp_path: Path):
    data, records = real
    first = data.index(b"\n") + 1
    for length in range(first, len(data) - 1, 97):
        (tmp_path / "run").write_bytes(data[:length])
        found = read_recording(tmp_path / "run")
        assert found.note
        assert found.records == records[: len(found.records)]
        assert len(found.records) >= data[:length].count(b"\n") - 1


# -- what JSON can carry -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        line(text="x").replace('"text"', '"text":"first","text"'),
        line(n=10**30),
        line(n=-1),
        line(ns=-1),
        line(t=1 << 64),
        started(deep=json.loads("[" * 200 + "]" * 200)),
        started(number=10**100),
        started(number=float("nan")),
        started(number=float("inf")),
        started(number=0).replace('"number":0', '"number":1e999'),
        line(**{"is": "x" * 10_000}),
        line(text=["x" * 10_000]),
        line(**{f"unknown{number}": 1 for number in range(10_000)}),
        line(by={"hex": "00"}),
        line(text=1.5),
    ],
)
def test_what_no_run_says_is_refused_in_a_few_words(text: str):
    head, mark, _ = text.rpartition(',"crc":"')
    with pytest.raises(CodecError) as error:
        Decoder().record(sealed(head) if mark else text)
    assert len(str(error.value)) < 300


def test_a_number_of_more_digits_than_python_reads_is_refused():
    text = line(n=1).replace('"n":1,', f'"n":{"9" * 5000},')
    with pytest.raises(CodecError, match="not JSON"):
        Decoder().record(sealed(text.rpartition(',"crc":"')[0]))


@pytest.mark.parametrize("depth", [200, 900, 5_000, 100_000])
@pytest.mark.parametrize("opening", ["[", '{"a":'])
def test_nesting_of_any_depth_is_refused(depth: int, opening: str):
    text = started(x=0).rpartition(',"crc":"')[0].replace('"x":0', '"x":' + opening * depth)
    closing = ("]" if opening == "[" else "}") * depth
    with pytest.raises(CodecError):
        Decoder().record(sealed(text.removesuffix("}") + ("0" if opening != "[" else "") + closing + "}"))


@pytest.mark.parametrize("text", ["\ud800", "\x00", "\x1b[2J", "\u202e", "a\u2028b", "\x85", "\U000e0041"])
def test_a_text_of_odd_characters_is_a_text(text: str):
    event = Decoder().record(line(text=text)).event
    assert event == NoteMade(text)


def test_what_is_secret_in_a_refused_line_is_not_quoted():
    body = {**NOTE, "is": "KeyLogged", "line": ["hunter2"], "security_context": None}
    del body["text"]
    with pytest.raises(CodecError) as error:
        Decoder().record(sealed(json.dumps(body, separators=(",", ":"))[:-1]))
    assert "hunter2" not in str(error.value)


# -- what a path can lead to -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/dev/zero", "/dev/tty", "/dev/full", "."])
def test_what_is_no_regular_file_is_refused(path: str):
    if not Path(path).exists():
        pytest.skip(f"there is no {path} here")
    with pytest.raises(InputError):
        read_recording(Path(path))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs FIFOs")
def test_a_fifo_is_refused_and_not_waited_for(tmp_path: Path):
    os.mkfifo(tmp_path / "run")
    with pytest.raises(InputError, match="a regular file is needed"):
        read_recording(tmp_path / "run")


def test_a_header_of_the_future_says_which_version_reads_what(tmp_path: Path):
    (tmp_path / "run").write_text(sealed('{"schema":"sspi-async/recording/2","secrets":false'))
    with pytest.raises(InputError, match=r"recording/2.*this version reads.*recording/1"):
        read_recording(tmp_path / "run")


@pytest.mark.parametrize("first", [b"x", b"\0", b"[", b'"', b"\n"])
def test_a_hundred_megabytes_are_refused_soon_and_in_bounded_memory(tmp_path: Path, first: bytes):
    with (tmp_path / "run").open("wb") as file:
        file.write(first)
        file.truncate(100_000_000)
    began = time.thread_time()
    tracemalloc.start()
    try:
        with pytest.raises(InputError, match="not a recording"):
            read_recording(tmp_path / "run")
        assert tracemalloc.get_traced_memory()[1] < 6 * reader.LONGEST_LINE
    finally:
        tracemalloc.stop()
    assert time.thread_time() - began < 20


def test_a_long_line_after_good_ones_costs_that_line_and_what_follows(tmp_path: Path):
    (tmp_path / "run").write_text(HEADER + line() + '{"n":2,"text":"' + "x" * (reader.LONGEST_LINE + 100))
    found = read_recording(tmp_path / "run")
    assert len(found.records) == 1
    assert ":3:" in found.note
    assert len(found.note) < 300


def test_more_than_the_limit_is_refused(tmp_path: Path):
    lines = [HEADER, *(line(n=number) for number in range(1, 40))]
    (tmp_path / "run").write_text("".join(lines))
    with pytest.raises(InputError, match="larger than 1,000 bytes"):
        read_recording(tmp_path / "run", largest=1000)


def test_a_reference_repeated_for_ever_takes_no_more_memory_than_one(tmp_path: Path):
    token = {"hex": "00" * 500_000}
    many = {"n": 1, "t": 0, "ns": 0, "by": "x", "of": 0, "is": "RunStarted", "tool": "", "package": "", "engine": ""}
    many |= {"platform": "", "started": "", "clock": 0, "seed": 0, "has_secrets": True}
    options = {"first": token, "again": [{"same": 0}] * 20_000}
    text = HEADER + sealed(json.dumps({**many, "options": options}, separators=(",", ":"))[:-1])
    (tmp_path / "run").write_text(text)
    tracemalloc.start()
    try:
        found = read_recording(tmp_path / "run")
        assert tracemalloc.get_traced_memory()[1] < 20 * len(text)
    finally:
        tracemalloc.stop()
    assert len(found.records) == 1


def test_the_schema_is_the_one_that_is_documented():
    assert json.loads(HEADER)["schema"] == SCHEMA
