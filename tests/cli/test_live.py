"""The live view on a terminal: what it shows, what it leaves behind, and where there is none."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.processes import sspi

if os.name != "posix":
    pytest.skip("a terminal is made by a pty, on POSIX only", allow_module_level=True)

from tests.terminals import OnTerminal, Screen

Start = Callable[..., OnTerminal]

SIZES = [(80, 24), (120, 40)]


@pytest.fixture
def on_terminal() -> Iterator[Start]:
    """Give what runs the command line on a terminal; nothing is left of it afterwards."""
    runs: list[OnTerminal] = []

    def start(*arguments: str, **options: Any) -> OnTerminal:
        runs.append(OnTerminal(*arguments, **options))
        return runs[-1]

    yield start
    for run in runs:
        run.close()


def assert_restored(screen: Screen) -> None:
    assert not screen.is_other
    assert screen.has_cursor
    assert screen.wraps


def is_drawn_on(screen: Screen) -> bool:
    return screen.is_other


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_the_last_frame_is_a_whole_screen_and_the_result_stays(on_terminal: Start, size: tuple[int, int]):
    run = on_terminal("handshake", "--live", "--pace", "0.002", size=size)
    assert run.ended() == 0
    frame, left = run.screen.last_frame, run.screen.rows()
    assert [len(row) for row in frame] == [size[0]] * size[1]
    assert "FINISHED" in frame[0]
    assert "0.002 s a step" in frame[0]
    assert "ac1 freed" in frame[1]
    assert [word for word in ("ladder", "token of leg 4", "log") if not any(word in row for row in frame)] == []
    assert "run ended: finished" in frame[-2]
    assert_restored(run.screen)
    assert left[0].startswith("ok  Schannel TLS 1.3")
    assert sum("leg 1 " in row for row in left) == 1


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_a_pending_call_is_on_the_screen_while_it_hangs(on_terminal: Start, size: tuple[int, int]):
    run = on_terminal("handshake", "--pace", "0.03", "--fault", "server.accept=hang", size=size)
    run.until("never: fault")
    frame = run.screen.rows()
    assert "PENDING" in frame[2]
    assert "accept #1 ◷" in frame[2]
    assert run.ended() == 6
    assert "STUCK" in run.screen.last_frame[0]
    assert_restored(run.screen)
    assert run.screen.rows()[0].startswith("STUCK")


def test_ctrl_c_gives_the_screen_back_and_shows_how_far_it_came(on_terminal: Start):
    run = on_terminal("handshake", "--pace", "0.03")
    run.until("ClientHello")
    assert run.ended(signal.SIGINT) == 130
    assert_restored(run.screen)
    left = run.screen.rows()
    assert "interrupted" in " ".join(left)
    assert any("leg 1" in row for row in left)


def test_a_second_ctrl_c_gives_the_screen_back_too(on_terminal: Start):
    run = on_terminal("handshake", "--workers", "1", "--live", "--messages", "10000", "--timeout", "60")
    run.until("ClientHello")
    run.send(signal.SIGINT)
    assert run.ended(signal.SIGINT) == 130
    assert_restored(run.screen)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_to_end_gives_the_screen_back_and_shows_how_far_it_came(on_terminal: Start, number: signal.Signals):
    run = on_terminal("handshake", "--pace", "0.1")
    run.until("ClientHello")
    assert run.ended(number) == 143
    assert_restored(run.screen)
    assert "terminated" in " ".join(run.screen.rows())


def test_a_terminal_that_goes_away_does_not_end_the_run(on_terminal: Start, tmp_path: Path):
    run = on_terminal("handshake", "--pace", "0.02", out=tmp_path / "result", heeds_hang_up=False)
    run.until("ClientHello")
    run.hang_up()
    assert run.waited() == 0
    assert (tmp_path / "result").read_text().startswith("ok  Schannel")


def test_ctrl_z_gives_the_screen_back_until_the_run_goes_on(on_terminal: Start):
    run = on_terminal("handshake", "--pace", "0.03", in_shell=True)
    run.until("ClientHello")
    run.type("\x1a")
    run.until("Stopped")
    assert_restored(run.screen)
    run.type("fg\r")
    run.until("ServerHello")
    assert is_drawn_on(run.screen)
    run.until("ok  Schannel")
    run.type("exit\r")
    assert run.ended() == 0
    assert_restored(run.screen)


def test_an_exception_gives_the_screen_back_and_leaves_the_ladder(on_terminal: Start):
    run = on_terminal("handshake", "--live", "--schedule", "v1:[99]", "--pace", "0.01")
    assert run.ended() == 2
    assert_restored(run.screen)
    left = " ".join(run.screen.rows())
    assert "diverged" in left
    assert "client" in left


@pytest.mark.parametrize("size", [(120, 40), (60, 16), (30, 5), (1, 1)], ids=str)
def test_a_change_of_size_is_followed(on_terminal: Start, size: tuple[int, int]):
    run = on_terminal("handshake", "--pace", "0.02", size=(100, 30))
    run.until("ClientHello")
    run.resize(size)
    assert run.ended() == 0
    frame = run.screen.last_frame
    assert size[1] - 1 <= len(frame) <= size[1]
    assert max(map(len, frame)) == size[0]
    assert_restored(run.screen)


def test_only_changed_rows_are_written(on_terminal: Start):
    run = on_terminal("handshake", "--pace", "0.02")
    assert run.ended() == 0
    rows = len(re.findall(r"\x1b\[\d+;1H", run.raw))
    assert run.screen.frames > 10
    assert rows / run.screen.frames < 24 * 0.6


def test_frames_are_capped(on_terminal: Start):
    run = on_terminal("handshake", "--live", "--messages", "300", "--pace", "0.0001")
    assert run.ended() == 0
    assert run.screen.frames < 200


def test_a_run_that_is_over_at_once_shows_its_result_only(on_terminal: Start):
    run = on_terminal("handshake")
    assert run.ended() == 0
    assert run.screen.frames == 0
    assert "?1049h" not in run.raw


def test_a_run_that_lasts_appears_by_itself_and_not_with_no_live(on_terminal: Start):
    lasting = ("handshake", "--messages", "10000", "--timeout", "60")
    shown, hidden = on_terminal(*lasting), on_terminal(*lasting, "--no-live")
    assert (shown.ended(), hidden.ended()) == (0, 0)
    assert shown.screen.frames > 0
    assert_restored(shown.screen)
    assert hidden.screen.frames == 0


def test_without_colour_there_is_none(on_terminal: Start):
    plain, colored = (on_terminal("handshake", "--pace", "0.002", **names) for names in ({"NO_COLOR": "1"}, {}))
    assert (plain.ended(), colored.ended()) == (0, 0)
    assert plain.screen.colored == 0
    assert plain.screen.frames > 0
    assert colored.screen.colored > 0


def test_ascii_is_ascii_in_every_byte(on_terminal: Start):
    run = on_terminal("handshake", "--pace", "0.002", "--ascii")
    assert run.ended() == 0
    assert run.screen.frames > 0
    assert run.raw.isascii()


@pytest.mark.parametrize("names", [{"TERM": "dumb"}, {"TERM": ""}], ids=str)
def test_a_dumb_terminal_gets_a_line_for_each_event(on_terminal: Start, names: dict[str, str]):
    run = on_terminal("handshake", "--live", size=(120, 40), NO_COLOR="1", **names)
    assert run.ended() == 0
    assert run.screen.frames == 0
    assert "\x1b" not in run.raw
    assert "SspiInitializeSecurityContextAsync #1 queued on ac1 for localhost" in run.raw
    assert run.raw.index("run ended: finished") < run.raw.index("ok  Schannel")


@pytest.mark.parametrize("size", [(39, 24), (80, 9), (1, 24)], ids=str)
def test_a_terminal_too_small_for_a_frame_gets_lines_when_asked(on_terminal: Start, size: tuple[int, int]):
    asked, unasked = (
        on_terminal("handshake", *words, size=size, out=Path(os.devnull))
        for words in (["--live", "--pace", "0.001"], ["--pace", "0.001"])
    )
    assert (asked.ended(), unasked.ended()) == (0, 0)
    assert asked.screen.frames == 0
    assert "\x1b[?" not in asked.raw
    assert "run ended: finished" in asked.raw
    assert unasked.raw == ""


def test_the_ladder_stays_on_the_terminal_when_the_result_goes_to_a_file(on_terminal: Start, tmp_path: Path):
    path = tmp_path / "result.json"
    run = on_terminal("handshake", "--pace", "0.002", "-f", "json", out=path)
    assert run.ended() == 0
    left = run.screen.rows()
    assert left[0].split() == ["client", "server"]
    assert any("leg 4" in row for row in left)
    assert path.read_text().startswith("{")


def test_what_others_say_meanwhile_is_said_afterwards(on_terminal: Start, tmp_path: Path):
    """A recording that stops, because its file may not grow, is warned of: not in the middle of a frame."""
    import resource

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (4000, 4000))

    run = on_terminal("handshake", "--pace", "0.002", "--record", str(tmp_path / "run"), before=limited)
    assert run.ended() == 0
    assert any("warning: the recording" in row for row in run.screen.rows())
    assert not any("warning" in row for row in run.screen.last_frame)


def test_off_a_terminal_there_are_lines_on_stderr_and_the_result_alone_on_stdout():
    ended, silent = sspi("handshake", "--live"), sspi("handshake")
    assert (ended.returncode, silent.stderr) == (0, "")
    assert "\x1b" not in ended.stderr + ended.stdout
    assert ended.stdout.startswith("ok  Schannel")
    lines = ended.stderr.splitlines()
    assert lines[0].startswith("0.000000 user       run started: Schannel")
    assert lines[-1].endswith("session    run ended: finished")
    assert len(lines) > 100


def test_lines_in_ascii_are_ascii():
    ended = sspi("handshake", "--live", "--ascii")
    assert (ended.returncode, ended.stderr.isascii(), ended.stdout.isascii()) == (0, True, True)
    assert "->" in ended.stderr


def test_a_pace_is_for_stepped_runs_only():
    ended = sspi("handshake", "--pace", "0.1", "--workers", "2")
    assert ended.returncode == 2
    assert "--pace" in ended.stderr


@pytest.mark.parametrize("words", [[], ["--order", "lifo"], ["--schedule", "v1:0001"]], ids=str)
def test_a_pace_changes_nothing_in_what_is_recorded(words: list[str]):
    fast, slow = (sspi("handshake", "--live", "--seed", "3", *words, *pace) for pace in ([], ["--pace", "0.0001"]))
    assert (fast.returncode, slow.returncode) == (0, 0)
    assert slow.stderr == fast.stderr


def test_a_watched_run_says_the_same_as_one_that_is_not():
    watched, alone = (sspi("handshake", "--no-timing", "--seed", "3", *words) for words in (["--live"], []))
    assert watched.stdout == alone.stdout


def test_of_many_sessions_one_is_watched_and_how_far_they_are_stands_above(on_terminal: Start):
    run = on_terminal("handshake", "--live", "--count", "300", "--in-flight", "4", "--workers", "2", size=(120, 40))
    assert run.ended() == 0
    assert "of 300 sessions" in run.screen.last_frame[0]
    assert "init #1" in run.screen.last_frame[1]
    assert any("leg 1  " in row for row in run.screen.last_frame)
    assert_restored(run.screen)
    assert run.screen.rows()[0].startswith("ok  Schannel")


def test_many_sessions_have_no_pace():
    ended = sspi("handshake", "--count", "3", "--pace", "0.1")
    assert ended.returncode == 2
    assert "--pace" in ended.stderr
