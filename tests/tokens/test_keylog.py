"""A key log may hold anything: its lines are found, the rest is counted, and no error gives a secret away."""

from __future__ import annotations

import os
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sspicli.sspi.errors import InputError
from sspicli.tokens import keylog
from sspicli.tokens.keylog import KeyLog, parse_keylog, read_keylog
from tests.handshakes import records_of

LINE = f"CLIENT_RANDOM {'ab' * 32} {'cd' * 48}"
OTHER = f"EXPORTER_SECRET {'00' * 32} {'11' * 32}"


@pytest.mark.parametrize("tls", ["1.2", "1.3"])
def test_the_key_log_of_a_handshake_is_read_back_whole(tmp_path: Path, tls: str):
    records_of(keylog=tmp_path / "keys", tls=tls)
    keys = read_keylog(tmp_path / "keys")
    assert keys.lines == tuple((tmp_path / "keys").read_text().splitlines())
    assert keys.junk_lines == 0
    assert keys.lines


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_kind_of_line_end_is_one(end: str):
    assert parse_keylog(end.join([LINE, "", OTHER, ""]).encode()) == KeyLog((LINE, OTHER), 0)


@pytest.mark.parametrize(
    "junk",
    [
        b"hello",
        b"CLIENT_RANDOM",
        f"CLIENT_RANDOM {'ab' * 31} {'cd' * 48}".encode(),
        f"CLIENT_RANDOM {'ab' * 32}".encode(),
        f"CLIENT_RANDOM {'ab' * 32} {'cd' * 48} more".encode(),
        f"CLIENT_RANDOM {'xy' * 32} {'cd' * 48}".encode(),
        f"client-random {'ab' * 32} {'cd' * 48}".encode(),
        f"CLIENT\x1b[2J {'ab' * 32} {'cd' * 48}".encode(),
        f"CLIENT_RANDOM {'١١' * 32} {'cd' * 48}".encode(),
        f"CLIENT_RANDOM {'ab' * 32} {'cd' * 9000}".encode(),
        b"\xff\xfe\x00\x80",
        b"\x00" * 100,
        b"RSA " + b"00" * 8 + b" " + b"11" * 48,
    ],
)
def test_what_is_no_line_is_counted_and_skipped(junk: bytes):
    assert parse_keylog(LINE.encode() + b"\n" + junk + b"\n" + OTHER.encode()) == KeyLog((LINE, OTHER), 1)


def test_a_line_is_given_with_single_blanks_whatever_divides_its_words():
    assert parse_keylog(b"  " + LINE.encode().replace(b" ", b"\t\x0b ") + b"\x0c") == KeyLog((LINE,), 0)


def test_comments_empty_lines_and_a_byte_order_mark_are_neither_lines_nor_junk():
    data = b"\xef\xbb\xbf# by a browser\n\n   \n" + LINE.encode()
    assert parse_keylog(data) == KeyLog((LINE,), 0)


def test_an_empty_key_log_is_one_without_lines(tmp_path: Path):
    (tmp_path / "keys").write_bytes(b"")
    assert read_keylog(tmp_path / "keys") == KeyLog((), 0)


def test_a_file_of_nothing_but_junk_is_an_error_that_quotes_none_of_it(tmp_path: Path):
    (tmp_path / "keys").write_text("-----BEGIN PRIVATE KEY-----\nhunter2\n")
    with pytest.raises(InputError, match="this is no key log") as error:
        read_keylog(tmp_path / "keys")
    said = f"{error.value.message} {error.value.where} {error.value.cause} {error.value.help}"
    assert error.value.where == str(tmp_path / "keys")
    assert "hunter2" not in said
    assert "BEGIN" not in said


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs FIFOs")
def test_a_fifo_is_refused_and_not_waited_for(tmp_path: Path):
    os.mkfifo(tmp_path / "keys")
    with pytest.raises(InputError, match="a regular file is needed"):
        read_keylog(tmp_path / "keys")


def test_a_file_above_the_limit_is_refused_without_being_read_to_its_end(tmp_path: Path):
    with (tmp_path / "keys").open("wb") as file:
        file.truncate(keylog.LARGEST * 64)
    tracemalloc.start()
    try:
        with pytest.raises(InputError, match="larger than"):
            read_keylog(tmp_path / "keys")
        assert tracemalloc.get_traced_memory()[1] < 3 * keylog.LARGEST
    finally:
        tracemalloc.stop()


@given(st.lists(st.one_of(st.binary(max_size=200), st.sampled_from([LINE.encode(), OTHER.encode(), b"# x", b""]))))
def test_any_bytes_have_a_reading_and_every_line_is_accounted_for(parts: list[bytes]):
    data = b"\n".join(parts)
    keys = parse_keylog(data)
    bare = [one.strip() for one in data.removeprefix(b"\xef\xbb\xbf").splitlines()]
    assert len(keys.lines) + keys.junk_lines == len([one for one in bare if one and not one.startswith(b"#")])
    assert len(keys.lines) >= parts.count(LINE.encode()) + parts.count(OTHER.encode())
    assert parse_keylog("\n".join(keys.lines).encode()) == KeyLog(keys.lines, 0)
