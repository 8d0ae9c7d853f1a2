"""Suites: results in the order of the cases, whoever ran them, and whatever befell those."""

import os
import subprocess
import sys
import threading
import time
from multiprocessing import resource_tracker
from pathlib import Path

import pytest

from sspicli.analysis.cases import Outcome
from sspicli.scenario.attempts import Attempts
from sspicli.scenario.parallel import Processes
from sspicli.scenario.suite import Policy, Suite
from sspicli.sspi.errors import UsageError
from tests.processes import environment
from tests.scenario.suites import made, outcomes, run

ROOT = Path(__file__).parent.parent.parent
jobs = pytest.mark.parametrize("jobs", [1, 2, 3])
forks = pytest.mark.skipif(sys.platform != "linux", reason="it looks into /proc")


def children():
    """List the processes that this one started and that are there, if only as zombies."""
    tracker = getattr(resource_tracker, "_resource_tracker")._pid  # noqa: B009 (starting anew needs it, and keeps it)
    found = Path(f"/proc/self/task/{threading.get_native_id()}/children").read_text().split()
    return [one for one in found if int(one) != tracker]


def played(cases, **policy):
    return Suite(cases, run, Policy(**policy)).run()


@jobs
def test_results_stand_in_the_order_of_the_cases(jobs):
    cases = made(*(f"{'fails' if number % 7 == 3 else 'holds'} {number}" for number in range(50)))
    result = played(cases, jobs=jobs)
    assert [one.scenario for one in result.cases] == [one.name for one in cases]
    assert result.count(Outcome.FAILED) == 7
    assert (result.left, result.is_interrupted) == ([], False)


def test_cases_run_on_as_many_processes_as_were_asked_for(tmp_path):
    result = played(made(*(f"leaves {number}" for number in range(60)), folder=tmp_path), jobs=2)
    pids = {one.read_text() for one in tmp_path.iterdir()}
    assert result.jobs == 2
    assert str(os.getpid()) not in pids
    assert len(pids) == 2


def test_a_few_cases_start_no_process(tmp_path):
    result = played(made(*(f"leaves {number}" for number in range(20)), folder=tmp_path))
    assert {one.read_text() for one in tmp_path.iterdir()} == {str(os.getpid())}
    assert result.jobs == 1


@forks
def test_a_process_that_dies_makes_its_case_an_error_and_no_other():
    names = [f"holds {number}" for number in range(12)]
    names[2], names[3], names[11] = "dies 2", "dies 3", "dies 11"
    result = played(made(*names), jobs=2)
    assert outcomes(result.cases) == [f"{name}: {'error' if name[0] == 'd' else 'pass'}" for name in names]
    assert result.cases[2].reason == "the process that ran it was ended by SIGKILL"


def test_where_nothing_is_forked_processes_are_sent_their_cases():
    cases = made("holds", "fails", "holds 3")
    with Processes(cases, run, Attempts(), jobs=2, start_method="spawn") as processes:
        results = dict(processes.results(range(3), lambda: False))
    assert outcomes(results[number] for number in range(3)) == ["holds: pass", "fails: fail", "holds 3: pass"]


@forks
def test_no_process_is_left_behind():
    played(made("holds", "dies", *(f"holds {number}" for number in range(20))), jobs=3)
    assert children() == []


@jobs
def test_what_a_case_raises_is_told_as_its_result_and_the_others_are_run(jobs):
    result = played(made("raises", "misses", "lacks", "holds"), jobs=jobs)
    assert outcomes(result.cases) == ["raises: error", "misses: error", "lacks: skip", "holds: pass"]
    reasons = [one.reason for one in result.cases]
    assert reasons[0] == "this is a bug in sspi-async: ZeroDivisionError: division by zero"
    assert "ZeroDivisionError" in "".join(result.cases[0].output)
    assert reasons[1:3] == [
        "the certificate is not here (cert.pem)",
        "Kerberos is not here - pip install 'sspicli[kerberos]'",
    ]


@jobs
def test_a_wrong_command_line_ends_the_suite(jobs):
    with pytest.raises(UsageError, match="diverged"):
        played(made("holds", "misuses", "holds"), jobs=jobs)


@jobs
def test_failing_fast_gives_the_cases_up_to_the_first_that_failed(jobs):
    result = played(made("holds", "holds 2", "fails 3", "holds 4", "fails 5"), jobs=jobs, fail_fast=True)
    assert outcomes(result.cases) == ["holds: pass", "holds 2: pass", "fails 3: fail"]
    assert result.left == ["a.sspi.yaml::holds 4", "a.sspi.yaml::fails 5"]
    assert not result.is_interrupted


def test_where_it_is_strict_a_case_that_passes_although_it_was_to_fail_stops_a_suite_too():
    suite = Suite(made("xpasses", "holds"), run, Policy(fail_fast=True))
    suite.result.is_strict = True
    assert outcomes(suite.run().cases) == ["xpasses: xpass"]


def test_a_case_that_holds_when_tried_again_says_that_it_is_flaky(tmp_path):
    (result,) = played(made("recovers", folder=tmp_path), attempts=Attempts(retry=2)).cases
    assert (result.outcome, result.attempt) == (Outcome.PASSED, 2)
    assert result.reason == "flaky: it held at attempt 2"
    assert result.output == ("attempt 1: FAILED",)


def test_a_case_that_never_holds_is_tried_as_often_as_was_asked():
    (result,) = played(made("fails"), attempts=Attempts(retry=2)).cases
    assert (result.outcome, result.attempt, len(result.output)) == (Outcome.FAILED, 3, 2)


def test_a_case_that_is_repeated_must_hold_every_time(tmp_path):
    ran = []

    def runs(case, attempt):
        ran.append(case)
        return run(made("fails" if len(ran) == 3 else "holds")[0])

    result = Suite(made("any"), runs, Policy(attempts=Attempts(repeat=5))).run()
    assert (result.cases[0].outcome, len(ran)) == (Outcome.FAILED, 3)
    assert result.cases[0].output == ("run 3 of 5",)


@jobs
def test_a_halted_suite_gives_what_was_done_and_says_what_was_not(jobs):
    told = []

    def heard(number, _result):
        told.append(number)
        if len(told) == 2:
            suite.halt("interrupted")

    names = ["holds", "holds 2", "sleeps 3" if jobs > 1 else "holds 3"]
    suite = Suite(made(*names), run, Policy(jobs=jobs), heard=heard)
    result = suite.run()
    assert outcomes(result.cases)[:2] == ["holds: pass", "holds 2: pass"]
    assert result.is_interrupted
    assert len(result.cases) + len(result.left) == 3


@forks
def test_a_case_without_end_is_ended_with_its_suite():
    idle: list[None] = []

    def look():
        idle.append(None)
        if len(idle) > 2:
            suite.halt("interrupted")

    suite = Suite(made("sleeps", "sleeps 2"), run, Policy(jobs=2), idle=look)
    result = suite.run()
    assert (result.cases, len(result.left)) == ([], 2)
    assert children() == []


@forks
def test_processes_end_with_the_one_that_started_them():
    source = (
        "import os, signal, sys\n"
        "from sspicli.scenario.suite import Policy, Suite\n"
        "from tests.scenario.suites import made, run\n"
        "def heard(number, result):\n"
        "    import multiprocessing\n"
        "    print(*[one.pid for one in multiprocessing.active_children()], flush=True)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "Suite(made(*map(str, range(9))), run, Policy(jobs=2), heard=heard).run()\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", source], capture_output=True, text=True, env=environment(), cwd=ROOT, check=False
    )
    pids = [int(word) for word in ended.stdout.split()]
    assert len(pids) == 2
    until = time.monotonic() + 10
    while any(_lives(pid) for pid in pids) and time.monotonic() < until:
        threading.Event().wait(0.01)
    assert not any(_lives(pid) for pid in pids)


def _lives(pid):
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
