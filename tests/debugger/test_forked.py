"""Checkpoints that are processes: what a branch shares with its parent, and that nothing of it is left behind.

Each test is a program of its own: a process with threads, as a test runner's worker is, cannot be forked.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.debugger.consoles import debugger, do, shown
from tests.processes import environment

if os.name != "posix":
    pytest.skip("a process is forked, on POSIX only", allow_module_level=True)

HOUSE = Path(__file__).parents[2]
HEAD = """
import os, signal, sys
from tests.debugger.consoles import debugger, do, refused, shown, stop_of
from sspicli.debugger.forked import Forked, Held
from sspicli.journal import events as ev

def random_of(one, leg):
    return one.bench.view.value(f"leg{leg}.random")

def processes_left():
    try:
        return os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:
        return None

"""


def alone(source, **how):
    """Do a program in a process without threads; what it says, and nothing on standard error."""
    variables = environment(PYTHONPATH=str(HOUSE))
    done = subprocess.run(
        [sys.executable, "-c", HEAD + source],
        capture_output=True, encoding="utf-8", env=variables, timeout=120, check=False, **how,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, ""), done.stderr[-3000:]
    return done.stdout


def test_a_branch_shares_what_was_drawn_before_the_checkpoint_and_draws_the_rest_itself():
    alone("""
one = debugger()
assert "the engine is kept" in shown(do(one, "until leg == 1", "checkpoint here"))
do(one, "continue")
hello, answer, before = random_of(one, 1), random_of(one, 2), list(one.bench.branch.records)
said = shown(do(one, "restart here"))
at = len(one.bench.branch.records)
assert isinstance(one.bench.live, Forked)
assert "what was drawn before is the same" in one.bench.branch.note
assert one.bench.branch.records == before[:at]
do(one, "continue")
assert random_of(one, 1) == hello
assert random_of(one, 2) != answer
assert stop_of(do(one, "goto end")).verdict == "ok"
one.close()
""")


def test_a_checkpoint_can_be_begun_again_from_as_often_as_one_likes():
    alone("""
one = debugger()
do(one, "until leg == 1", "checkpoint here")
answers = set()
for _ in range(4):
    do(one, "restart here", "continue")
    answers.add(random_of(one, 2))
assert len(answers) == 4
one.close()
""")


def test_a_branch_of_a_branch_and_stepping_on_from_the_past_begin_at_the_nearest_checkpoint():
    alone("""
one = debugger()
do(one, "until leg == 1", "checkpoint first", "restart first", "until leg == 2", "checkpoint second", "continue")
answer = random_of(one, 2)
do(one, "restart second")
assert random_of(one, 2) == answer
do(one, "continue", "goto second", "rs 2", "step")
assert "forked from the engine at record" in one.bench.branch.note and "inputs again" in one.bench.branch.note
assert one.bench.branch.parent == one.bench.checkpoints["first"]
do(one, "switch main", "step", "continue", "goto end", "rs 5", "step")
assert one.bench.branch.parent == one.bench.checkpoints["first"]
one.close()
""")


def test_a_place_before_every_checkpoint_is_made_again_from_the_start():
    alone("""
one = debugger()
do(one, "step 5", "checkpoint here", "rs 2", "step")
assert "made again from" in one.bench.branch.note
one.close()
""")


def test_all_that_can_be_done_with_a_session_can_be_done_with_a_branch(tmp_path):
    alone(
        """
one = debugger(by_hand=["client"], mode="poll")
do(one, "checkpoint here", "restart here")
for text in ("create client ac", "set-callback client ac", "hold client", "acquire client", "info timers",
             "info schedule", "enabled", "legal", "complete client.acquire", "inline client.init", "tamper leg1 40 01",
             "break before accept", "get-status client", "info wire", "where", "checkpoint there", "restart there",
             "step 3"):
    do(one, text)
refused(one, "complete client.acquire#7")
refused(one, "choose 99")
assert isinstance(one.bench.live, Forked)
one.close()
""",
        cwd=tmp_path,
    )


def test_a_branch_is_kept_as_a_scenario_and_recorded_in_a_file_of_its_own(tmp_path):
    alone(
        """
from pathlib import Path
from sspicli.journal.recording import read_recording
one = debugger()
do(one, "record run.sspirec", "until leg == 1", "checkpoint here", "continue", "restart here", "hold server.accept",
   "continue", "complete server.accept", "release server.accept", "continue", "save kept.sspi.yaml")
one.close()
for name in ("run.sspirec", "run-2.sspirec"):
    read = read_recording(Path(name))
    assert not read.note and not read.has_gap, (name, read.note)
    assert isinstance(read.records[-1].event, ev.RunEnded)
""",
        cwd=tmp_path,
    )
    assert (tmp_path / "kept.sspi.yaml").exists()


def test_no_process_is_left_when_the_debugger_is_closed():
    alone("""
one = debugger()
do(one, "step 5", "checkpoint a", "step 5", "checkpoint b", "restart a", "step", "checkpoint c", "restart c", "step")
one.close()
assert processes_left() is None
""")


def test_no_process_is_left_when_the_debugger_is_killed():
    read, write = os.pipe()
    source = """
one = debugger()
do(one, "step 5", "checkpoint a", "restart a", "checkpoint b", "restart b", "step")
print("ready", flush=True)
signal.pause()
"""
    variables = environment(PYTHONPATH=str(HOUSE))
    command = [sys.executable, "-c", HEAD + source]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, env=variables, pass_fds=[write])
    os.close(write)
    with process, os.fdopen(read, "rb") as held_by_all:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        process.kill()
        assert held_by_all.read() == b""


def test_a_checkpoint_whose_process_is_gone_gives_way_to_making_the_session_again():
    alone("""
one = debugger()
do(one, "step 9", "checkpoint here")
os.kill(one.bench.held["here"].pid, signal.SIGKILL)
said = shown(do(one, "restart here"))
assert "is gone" in said and "made again from 9 inputs" in one.bench.branch.note, said
do(one, "continue")
one.close()
""")


def test_a_branch_whose_process_is_gone_keeps_its_records_and_goes_on_in_another():
    alone("""
one = debugger()
do(one, "step 9", "checkpoint here", "restart here", "step")
count = len(one.bench.branch.records)
one.bench.live._end.close()
assert "is gone" in one.execute("step").error
assert len(one.bench.branch.records) == count
assert "forked from the engine" in shown(do(one, "step"))
assert len(one.bench.branches["branch2"].records) == count
do(one, "continue")
one.close()
""")


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_to_the_whole_group_is_the_debuggers_affair_alone(name):
    alone(f"""
signal.signal(signal.{name}, lambda *_: None)
os.setpgid(0, 0)
one = debugger()
do(one, "step 9", "checkpoint here", "restart here")
os.killpg(0, signal.{name})
do(one, "continue", "restart here")
assert isinstance(one.bench.live, Forked)
one.close()
assert processes_left() is None
""")


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="the process of a branch is found by its parent")
def test_a_signal_that_ends_the_debugger_waits_for_the_answer_and_the_recording_is_whole(tmp_path):
    alone(
        """
from pathlib import Path
from sspicli.journal.recording import read_recording

class Ended(BaseException):
    pass

def end(*_):
    raise Ended

def meanwhile(*_):
    os.kill(branch, signal.SIGCONT)
    os.kill(os.getpid(), signal.SIGTERM)

def parent(pid):
    try:
        return int((Path("/proc") / pid / "stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0

one = debugger()
do(one, "record run.sspirec", "step 9", "checkpoint here", "restart here")
held = one.bench.held["here"].pid
(branch,) = [int(at.name) for at in Path("/proc").iterdir() if at.name.isdecimal() and parent(at.name) == held]
signal.signal(signal.SIGTERM, end)
signal.signal(signal.SIGALRM, meanwhile)
os.kill(branch, signal.SIGSTOP)
signal.setitimer(signal.ITIMER_REAL, 0.2)
try:
    one.execute("step")
except Ended:
    one.close()
assert isinstance(read_recording(Path("run-2.sspirec")).records[-1].event, ev.RunEnded)
""",
        cwd=tmp_path,
    )


def test_a_branch_whose_process_goes_at_its_end_is_shown_still_and_can_be_gone_on_from():
    alone("""
one = debugger()
do(one, "until leg == 1", "checkpoint here", "restart here", "continue")
one.bench.live._end.close()
do(one, "goto end")
assert "its process is gone" in " ".join(shown(do(one, "branches")).split())
assert one.exit_code() == 0
assert "forked from the engine" in shown(do(one, "rs 5")) + shown(do(one, "step"))
one.close()
""")


def test_there_is_a_limit_to_processes_and_the_next_checkpoint_says_so():
    alone("""
from sspicli.debugger.forked import MOST
one = debugger()
do(one, "step")
for _ in range(MOST):
    do(one, "checkpoint")
assert f"{MOST} checkpoints are processes already" in " ".join(shown(do(one, "checkpoint")).split())
one.close()
assert processes_left() is None
""")


def test_there_is_a_limit_to_branches_that_are_processes_and_the_next_one_says_so():
    alone("""
from sspicli.debugger.forked import MOST
one = debugger()
do(one, "step", "checkpoint here")
for _ in range(MOST):
    do(one, "restart here")
    assert isinstance(one.bench.live, Forked)
said = " ".join(shown(do(one, "restart here")).split())
assert f"{MOST} branches are processes already" in said, said
assert "made again from 1 inputs" in said, said
do(one, "continue")
one.close()
assert processes_left() is None
""")


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="the system does not say which threads there are")
def test_where_a_library_runs_threads_nothing_is_forked():
    alone("""
import _thread, threading
lock = _thread.allocate_lock()
lock.acquire()
_thread.start_new_thread(lock.acquire, ())
one = debugger()
assert threading.active_count() == 1
assert "threads are running" in shown(do(one, "checkpoint here"))
one.close()
os._exit(0)
""")


def test_where_threads_run_a_checkpoint_is_a_place_and_says_so():
    done = threading.Event()
    thread = threading.Thread(target=done.wait)
    thread.start()
    one = debugger()
    try:
        said = shown(do(one, "step 5", "checkpoint here"))
        do(one, "restart here")
    finally:
        done.set()
        thread.join()
        one.close()
    assert "threads are running" in said
    assert "made again from 5 inputs" in one.bench.branch.note


def test_random_walks_with_forks_lose_nothing_and_end_every_process():
    said = alone("""
from hypothesis import HealthCheck, given, settings, strategies
from tests.debugger.consoles import footprint
FORKS = ["checkpoint a", "checkpoint b", "restart a", "restart b"]
LINES = [
    "step", "step 7", "next", "finish", "choose 2", "continue", "rs", "rc", "undo", "goto start", "goto end", "goto 20",
    "switch main", "switch branch2", "branches", "hold server", "complete server", "release server", "drop leg2",
    "tamper leg2 ServerHello.random 01", "reinit client ac1", "break leg 2", "diff leg1 main:leg1", "info contexts",
    "save x", "inline client", "deliver", "notify",
]
WALKS = strategies.lists(strategies.sampled_from(FORKS) | strategies.sampled_from(LINES), min_size=6, max_size=20)
forks = 0

@settings(max_examples=60, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
@given(WALKS)
def walk(lines):
    global forks
    one = debugger()
    one.execute("set limit 300")
    lengths = {}
    for text in lines:
        before = footprint(one)
        response = one.execute(text)
        now = {name: len(branch.records) for name, branch in one.bench.branches.items()}
        assert all(now[name] >= length for name, length in lengths.items()), text
        lengths = now
        assert not response.error or footprint(one) == before, (text, response.error)
        parent, records = one.bench.branch.parent, one.bench.branch.records
        if parent is not None:
            assert records[:parent.records] == one.bench.branches[parent.branch].records[:parent.records]
    forks += sum(isinstance(one_.live, Forked) for one_ in one.bench.branches.values())
    one.close()
    assert processes_left() is None

walk()
print(forks)
""")
    assert int(said) > 20
