"""The debugger without a person: -c, -x and standard input, JSON, exit codes, options, the user's own files."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import pytest

from sspicli.journal.recording import read_recording
from tests.edited import lines_of, sealed
from tests.handshakes import CLOCK
from tests.processes import environment, sspi

FIXED = ("--seed", "3", "--clock", CLOCK, "--no-timing")


@pytest.fixture(scope="module")
def recording(tmp_path_factory):
    path = tmp_path_factory.mktemp("repl") / "run.sspirec"
    assert sspi("handshake", *FIXED, "--server", "cert=expired", "--record", str(path)).returncode == 1
    return path


def repl(*arguments, home=None, **options):
    """Run the debugger; with files of the user's own only where `home` has some."""
    where = {} if home is None else {f"XDG_{name}_HOME": str(home) for name in ("CONFIG", "STATE")}
    return sspi("repl", *arguments, *(() if home else ("--no-rc",)), **options, **where)


def test_commands_mean_the_same_behind_c_in_a_file_and_on_standard_input(tmp_path):
    (tmp_path / "f").write_text("# a comment\nstep 4   # four\n\nprint client.phase\n")
    by_c = repl(*FIXED, "-c", "step 4", "-c", "print client.phase")
    by_file = repl(*FIXED, "-x", str(tmp_path / "f"))
    by_stdin = repl(*FIXED, stdin=(tmp_path / "f").read_text())
    assert by_c.stdout == by_file.stdout == by_stdin.stdout
    assert "client.phase = " in by_c.stdout
    assert (by_c.returncode, by_file.returncode, by_stdin.returncode) == (0, 0, 0)


def test_files_come_before_commands(tmp_path):
    (tmp_path / "f").write_text("checkpoint here\n")
    ended = repl(*FIXED, "-c", "goto here", "-x", str(tmp_path / "f"))
    assert ended.returncode == 0, ended.stderr


@pytest.mark.parametrize(
    ("commands", "code"),
    [
        (["continue"], 0),
        (["nonsense", "continue"], 2),
        (["goto 99999", "nonsense"], 1),
        (["step", "goto 99999", "step"], 1),
        (["hang server.accept#1", "continue"], 6),
        (["quit", "nonsense"], 0),
        (["complete client.init#1"], 1),
        (["explain nonsense"], 1),
        (["print nonsense"], 1),
        (["nonsense step"], 2),
        (["alias a step", "a 2", "aa"], 2),
        (["record ."], 74),
        (["save nowhere/s.sspi.yaml"], 74),
        (["export ."], 74),
        (["source nowhere"], 3),
    ],
)
def test_the_first_command_that_fails_decides_the_exit_code_and_else_the_session(commands, code):
    ended = repl(*FIXED, *(word for one in commands for word in ("-c", one)))
    assert ended.returncode == code, ended.stderr


def test_a_session_that_failed_ends_with_1():
    assert repl(*FIXED, "--server", "cert=expired", "-c", "continue").returncode == 1


def test_an_error_says_which_line_of_the_file_and_what_is_possible(tmp_path):
    (tmp_path / "f").write_text("step\n\ncontniue\n")
    ended = repl(*FIXED, "-x", str(tmp_path / "f"))
    assert f"--> {tmp_path / 'f'}:3" in ended.stderr
    assert "continue" in ended.stderr
    assert "contniue" not in ended.stdout


def test_json_is_one_object_for_each_answer_with_the_stop_and_the_state():
    ended = repl(*FIXED, "-f", "json", "-c", "step 3", "-c", "nonsense", "-c", "help step")
    stop, failure, help_ = map(json.loads, ended.stdout.splitlines())
    assert {one["schema"] for one in (stop, failure, help_)} == {"sspi-async/repl/1"}
    assert stop["command"] == "step 3"
    assert stop["stop"]["enabled"]
    assert stop["stop"]["record"] == stop["state"]["record"]
    assert (failure["ok"], failure["exit_code"]) == (False, 2)
    assert "stop" not in help_
    assert help_["lines"]
    assert ended.returncode == 2
    assert ended.stderr == ""


def test_the_same_seed_and_commands_give_the_same_bytes():
    words = (*FIXED, "-f", "json", "-c", "continue", "-c", "legal")
    assert repl(*words).stdout == repl(*words).stdout


def test_a_recording_is_looked_at_from_the_record_that_was_named(recording):
    ended = repl(str(recording), "--at", "20", "-f", "json", "-c", "where")
    state = json.loads(ended.stdout)["state"]
    assert (state["record"], state["is_past"]) == (20, True)


@pytest.mark.parametrize("again", [[], ["--again"]], ids=["looked at", "made again"])
def test_a_recording_that_is_not_whole_is_used_with_a_note(recording, tmp_path, again):
    lines = recording.read_bytes().splitlines(keepends=True)
    (tmp_path / "cut").write_bytes(b"".join(lines[:30]) + lines[30][:40])
    ended = repl(str(tmp_path / "cut"), *again, "-c", "where")
    assert ended.returncode == 0
    assert ended.stderr.startswith(f"note: {tmp_path / 'cut'}:31: the line is cut short")


def test_a_recording_that_contradicts_itself_is_refused_with_the_record(recording, tmp_path):
    lines = lines_of(read_recording(recording).records)
    number = next(line["n"] for line in lines if line["is"] == "CallQueued")
    (tmp_path / "edited").write_bytes(sealed([line for line in lines if line["n"] != number]))
    ended = repl(str(tmp_path / "edited"), "-c", "where")
    assert ended.returncode == 3
    assert f"contradicts itself at record {number}" in ended.stderr


def test_a_recording_is_only_looked_at_unless_it_is_made_again(recording):
    looked = repl(str(recording), "-c", "tamper leg1 0 01")
    again = repl(str(recording), "--again", "-c", "step 5", "-c", "tamper leg1 0 01", "-c", "continue")
    assert looked.returncode == 1
    assert "--again" in looked.stderr
    assert again.returncode == 1, again.stderr
    assert again.stderr == ""


def test_a_scenario_is_debugged(tmp_path):
    (tmp_path / "s.sspi.yaml").write_text(
        'schema: sspi-async/scenario/1\nname: a\nsession: { tls: "1.3" }\n'
        "---\nschema: sspi-async/scenario/1\nname: b\nsession: { server: { cert: expired } }\n"
    )
    assert repl(str(tmp_path / "s.sspi.yaml"), "-c", "continue").returncode == 0
    assert repl(str(tmp_path / "s.sspi.yaml"), "--case", "2", "-c", "continue").returncode == 1
    assert repl(str(tmp_path / "s.sspi.yaml"), "--case", "3", "-c", "continue").returncode == 2


def test_a_side_by_hand_does_nothing_by_itself():
    ended = repl(*FIXED, "--by-hand", "client", "-f", "json", "-c", "continue")
    assert json.loads(ended.stdout)["state"]["client"] == "no async context"


@pytest.mark.parametrize(
    "words",
    [
        ["--at", "3"],
        ["--again"],
        ["--case", "2"],
        ["RECORDING", "--seed", "3"],
        ["RECORDING", "--case", "1"],
        ["RECORDING", "--by-hand", "client"],
        ["RECORDING", "--at", "99999"],
        ["s.sspi.yaml", "--at", "3"],
        ["--workers", "2"],
        ["--server", "cert=nonsense"],
        ["--fault", "nonsense"],
        ["--schedule", "v1:?"],
        ["--schedule", "v1:0", "--order", "lifo"],
    ],
    ids=" ".join,
)
def test_no_option_is_ignored(words, recording):
    ended = repl(*(str(recording) if word == "RECORDING" else word for word in words), "-c", "step")
    assert ended.returncode == 2, ended.stdout
    assert ended.stderr.startswith("error: ")


@pytest.mark.parametrize("name", ["nowhere", "/", "nowhere.sspi.yaml"])
def test_a_file_that_cannot_be_read_ends_with_3(name):
    ended = repl(name, "-c", "step")
    assert ended.returncode in (2, 3)
    assert ended.stderr.startswith("error: ")


@pytest.mark.parametrize("data", ["step\n\0\n", "step\n" + "x" * 50_000 + "\n", "\x1b[2J\n"])
def test_hostile_lines_are_errors_and_nothing_of_them_reaches_the_terminal(data):
    ended = repl(*FIXED, stdin=data)
    assert ended.returncode in (1, 2, 3)
    assert "\x1b" not in ended.stdout + ended.stderr
    assert "Traceback" not in ended.stderr


def test_the_run_is_recorded_and_no_file_is_written_over(tmp_path):
    path = tmp_path / "run.sspirec"
    assert repl(*FIXED, "--record", str(path), "-c", "continue").returncode == 0
    assert sspi("verify", str(path)).returncode == 0
    again = repl(*FIXED, "--record", str(path), "-c", "continue")
    assert again.returncode == sspi("handshake", "--record", str(path)).returncode == 74
    assert again.stdout == ""


@pytest.mark.parametrize(("line", "code"), [("nonsense", 2), ("goto 99999", 1), ("record .", 74), ("source g", 3)])
def test_a_line_of_a_file_fails_as_it_does_alone(line, code, tmp_path):
    (tmp_path / "f").write_text(f"step\n{line}\n")
    alone = repl(*FIXED, "-c", line, cwd=tmp_path)
    sourced = repl(*FIXED, "-c", f"source {tmp_path / 'f'}", cwd=tmp_path)
    carried_out = repl(*FIXED, "-x", str(tmp_path / "f"), cwd=tmp_path)
    assert (alone.returncode, sourced.returncode, carried_out.returncode) == (code, code, code)


def test_a_file_of_commands_that_is_not_there_ends_with_3():
    assert repl(*FIXED, "-x", "nowhere").returncode == 3


@pytest.mark.parametrize("schedule", ["v1:[99]", "v1:" + "0" * 500])
def test_a_schedule_that_diverges_is_told_and_ends_with_2_as_elsewhere(schedule):
    ended = repl(*FIXED, "--schedule", schedule, "-c", "continue")
    assert ended.returncode == sspi("handshake", *FIXED, "--schedule", schedule).returncode == 2
    assert "the schedule diverged" in ended.stdout


def test_who_leaves_the_schedule_by_a_choice_of_their_own_is_not_told():
    ended = repl(*FIXED, "--schedule", "v1:", "-c", "choose 2", "-c", "continue")
    assert ended.returncode == 0
    assert "diverged" not in ended.stdout


@pytest.mark.skipif(sys.platform != "linux", reason="the directories of XDG")
def test_the_users_own_commands_come_first_and_decide_nothing(tmp_path):
    (tmp_path / "sspi-async").mkdir()
    (tmp_path / "sspi-async" / "replrc").write_text("alias ss step 2\nnonsense\n")
    ended = repl(*FIXED, "-c", "ss", home=tmp_path)
    assert ended.returncode == 0
    assert "replrc:2" in ended.stderr
    without = repl(*FIXED, "-c", "ss", "--no-rc", home=tmp_path)
    assert without.returncode == 2


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_ctrl_c_ends_a_file_of_commands_with_130_and_the_recording_is_whole(tmp_path):
    path = tmp_path / "run.sspirec"
    command = [sys.executable, "-m", "sspicli", "repl", *FIXED, "--messages", "9000", "--record", str(path), "--no-rc"]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment()
    )
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(b"step\nset limit 1000000\ncontinue\nstep\n")
    process.stdin.flush()
    process.stdout.readline()
    while path.stat().st_size < 200_000:
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert b"Traceback" not in said
    assert sspi("show", str(path)).returncode in (0, 1)


def test_the_panes_of_a_stop_are_chosen_and_changed_values_stand_old_before_new():
    words = ("-c", "step 30", "-c", "context changed", "-c", "step 9")
    last = repl(*FIXED, "--ascii", *words).stdout.partition("panes ")[2]
    assert " legs                     0 -> 1\n" in last
    assert "-- changed" in last
    assert "-- state" not in last


def test_a_fault_may_leave_its_status_to_the_default():
    ended = sspi("repl", "--no-rc", "--fault", "client.init#2=refuse", "-c", "continue")
    assert ended.returncode == 1, ended.stderr
    assert "SEC_E_INSUFFICIENT_MEMORY" in ended.stdout
