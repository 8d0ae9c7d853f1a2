"""A file is overwritten whole or not at all."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from sspicli.files.atomic import overwrite
from sspicli.sspi.errors import ExitCode, WriteError


def names(folder: Path) -> list[str]:
    return sorted(one.name for one in folder.iterdir())


def test_a_file_gets_its_new_bytes_and_keeps_its_mode(tmp_path: Path):
    path = tmp_path / "f"
    path.write_bytes(b"old")
    path.chmod(0o640)

    overwrite(path, b"new\r\n")

    assert path.read_bytes() == b"new\r\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert names(tmp_path) == ["f"]


def test_a_link_keeps_pointing_to_the_file(tmp_path: Path):
    (tmp_path / "folder").mkdir()
    path, link = tmp_path / "folder" / "f", tmp_path / "link"
    path.write_bytes(b"old")
    link.symlink_to(Path("folder", "f"))

    overwrite(link, b"new")

    assert link.is_symlink()
    assert path.read_bytes() == b"new"


def test_whoever_has_the_old_file_open_reads_it_whole(tmp_path: Path):
    path = tmp_path / "f"
    path.write_bytes(b"old")

    with path.open("rb") as reader:
        overwrite(path, b"new")

        assert reader.read() == b"old"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("missing", "the file cannot be written: No such file"),
        ("folder", "this is no regular file, and is not overwritten"),
        ("a\0b", "the file cannot be written: not a possible file name"),
        ("loop", "the file cannot be written"),
    ],
)
def test_what_is_no_file_is_a_failure_to_write_that_names_it(tmp_path: Path, name: str, message: str):
    (tmp_path / "folder").mkdir()
    (tmp_path / "loop").symlink_to("loop")

    with pytest.raises(WriteError, match=message) as caught:
        overwrite(tmp_path / name, b"new")

    assert caught.value.where == str(tmp_path / name)
    assert caught.value.exit_code is ExitCode.WRITE
    assert names(tmp_path) == ["folder", "loop"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_device_is_not_overwritten():
    with pytest.raises(WriteError, match="no regular file"):
        overwrite(Path("/dev/full"), b"new")


@pytest.mark.skipif(os.name != "posix", reason="limits are POSIX")
def test_a_disk_that_takes_no_more_leaves_the_old_file_and_nothing_beside_it(tmp_path: Path):
    resource = pytest.importorskip("resource")
    signal = pytest.importorskip("signal")
    path = tmp_path / "f"
    path.write_bytes(b"old")
    before, handler = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        with pytest.raises(WriteError, match="File too large"):
            overwrite(path, b"x" * 100_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)

    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["f"]


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="nothing is read-only for the superuser")
def test_what_was_made_read_only_stays_as_it_is(tmp_path: Path):
    path = tmp_path / "f"
    path.write_bytes(b"old")
    path.chmod(0o444)

    with pytest.raises(WriteError, match="read-only"):
        overwrite(path, b"new")

    assert path.read_bytes() == b"old"
