"""What the debugger's prompt keeps of what was typed, and what it never keeps."""

from __future__ import annotations

import os
import stat

import pytest

from sspicli.cli.repl_history import MOST, HistoryFile, history_path, rc_path
from sspicli.debugger.history import is_kept


def test_a_line_that_was_kept_is_there_in_the_next_session(tmp_path):
    HistoryFile(tmp_path / "state" / "history").append("step 3")
    assert HistoryFile(tmp_path / "state" / "history").load() == ["step 3"]


@pytest.mark.parametrize(
    "line",
    [
        "set client password=x",
        "set client key-PASSWORD-file=x",
        "set client passphrase=x",
        "include-secrets",
        " step",
        "",
        "# what I think",
        "p \x1b[2J",
        "p \u202eleg1",
        "x" * 5_000,
    ],
)
def test_a_line_with_a_secret_a_blank_in_front_or_a_sequence_is_not_kept(line):
    assert not is_kept(line)


def test_what_somebody_else_wrote_into_the_history_cannot_act_on_the_terminal(tmp_path):
    (tmp_path / "history").write_bytes(b"step\n\x1b[2Jx\n\xff\xfe\nnext\n")
    assert HistoryFile(tmp_path / "history").load() == ["step", "\ufffd\ufffd", "next"]


@pytest.mark.skipif(os.name != "posix", reason="modes of POSIX")
@pytest.mark.parametrize("mode", [None, 0o644])
def test_the_history_is_its_owners_alone_whatever_its_mode_was(tmp_path, mode):
    path = tmp_path / "history"
    if mode is not None:
        path.touch(mode)
    HistoryFile(path).append("step")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.skipif(os.name != "posix", reason="FIFOs of POSIX")
@pytest.mark.parametrize("make", [os.mkdir, os.mkfifo, lambda path: path.symlink_to("/dev/zero")])
def test_a_history_that_is_no_file_is_an_empty_one_and_stays_as_it_is(tmp_path, make):
    make(tmp_path / "history")
    history = HistoryFile(tmp_path / "history")
    history.append("step")
    assert history.load() == []


def test_a_history_that_has_grown_is_cut_to_its_last_lines(tmp_path):
    path = tmp_path / "history"
    path.write_text("".join(f"step {n}\n" for n in range(3 * MOST)))
    lines = HistoryFile(path).load()
    assert (len(lines), lines[-1]) == (MOST, f"step {3 * MOST - 1}")
    assert path.read_text().count("\n") == MOST


def test_history_and_commands_to_begin_with_stand_in_the_users_own_directories(tmp_path, monkeypatch):
    if os.name != "posix" or os.uname().sysname == "Darwin":
        pytest.skip("the directories of XDG")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    assert history_path() == tmp_path / "state" / "sspi-async" / "repl-history"
    assert rc_path() == tmp_path / "config" / "sspi-async" / "replrc"
