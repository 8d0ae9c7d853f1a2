"""What is no regular file is refused at once, and what is too large is not read to its end."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sspicli.files.regular import read_regular_file
from sspicli.sspi.errors import InputError


def read(path: str | Path) -> bytes:
    return read_regular_file(path, largest=100, too_large="it is too large")


@pytest.mark.parametrize("size", [0, 1, 100])
def test_a_file_up_to_the_limit_is_read_whole(tmp_path: Path, size: int):
    (tmp_path / "file").write_bytes(b"x" * size)
    assert read(tmp_path / "file") == b"x" * size


def test_a_byte_more_than_the_limit_is_refused(tmp_path: Path):
    (tmp_path / "file").write_bytes(b"x" * 101)
    with pytest.raises(InputError, match="it is too large"):
        read(tmp_path / "file")


def test_a_link_to_a_regular_file_is_followed(tmp_path: Path):
    (tmp_path / "file").write_bytes(b"here")
    (tmp_path / "link").symlink_to(tmp_path / "file")
    assert read(tmp_path / "link") == b"here"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs FIFOs")
def test_a_fifo_without_a_writer_is_refused_and_not_waited_for(tmp_path: Path):
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(InputError, match="a FIFO, a device or a socket; a regular file is needed"):
        read(tmp_path / "fifo")


@pytest.mark.parametrize("path", ["/dev/zero", "/dev/null", "/dev/tty", "/dev/stdin"])
def test_a_device_is_refused(path: str):
    if not Path(path).exists():
        pytest.skip(f"there is no {path} here")
    with pytest.raises(InputError):
        read(path)


@pytest.mark.skipif(os.name != "posix", reason="another system says it in other words")
@pytest.mark.parametrize(
    ("path", "said"),
    [(".", "this is a directory"), ("missing", "no such file"), ("a\0b", "cannot be read"), ("x" * 5000, "cannot be")],
)
def test_what_cannot_be_read_is_named_with_its_reason(path: str, said: str):
    with pytest.raises(InputError, match=said) as error:
        read(path)
    assert error.value.where == path


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="needs /proc")
def test_a_file_that_says_it_is_empty_and_is_not_is_bounded_all_the_same():
    with pytest.raises(InputError, match="it is too large"):
        read("/proc/self/maps")
