"""Replay against what it is made of: bare handshakes, parsing, and pytest making the same handshakes (goal 10).

The anchors make the same handshakes with a credential of its own for each, as every case does. What a case costs
beyond its session is taken from the same cases run as sessions alone, without a scenario around them.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from sspicli.analysis.cases import Outcome
from sspicli.analysis.report import report
from sspicli.journal.journal import Journal
from sspicli.packages.certificates import Authority
from sspicli.scenario.load import load, loads
from sspicli.scenario.run import RunOptions, run_case, session_of
from tests.benchmarks.bare import BareLoop
from tests.benchmarks.contest import Ratio, contest, contest_of_processes, show, show_cost

CASES = 20
COUNT = 100  # cases of a file, tests of a module

SCENARIO = """\
schema: sspi-async/scenario/1
name: a handshake
session: { tls: "1.3" }
steps:
  - leg: 1
    expect: { client: SEC_I_CONTINUE_NEEDED, token: { contains: [ClientHello], size: 100..2000 } }
  - leg: 2
    expect: { server: SEC_I_CONTINUE_NEEDED, token: { contains: [ServerHello] } }
  - call: client.init#2
    expect: { status: SEC_E_OK, callbacks: 1 }
expect: { client: SEC_E_OK, server: SEC_E_OK, protocol: TLS 1.3, findings: [] }
"""

_PYTEST = """
import time
import pytest
from sspicli.packages.certificates import Authority
from tests.benchmarks.bare import BareLoop

authority = Authority.create(seed=1, clock=int(time.time()))
leaf = authority.issue("valid", "ed25519", name="localhost", usage="server")

@pytest.mark.parametrize("number", range({count}))
def test_handshake(number):
    BareLoop(leaf, authority.root_der).handshake()
"""


def replaying() -> None:
    """Print what a case costs: beside a bare handshake, beyond its session, with parsing, and as a process."""
    (case,) = loads(SCENARIO, "benchmark.sspi.yaml").cases
    authority = Authority.create(seed=1, clock=int(time.time()))
    leaf = authority.issue("valid", "ed25519", name="localhost", usage="server")

    def cases() -> int:
        for _ in range(CASES):
            assert run_case(case, RunOptions()).outcome is Outcome.PASSED
        return CASES

    def bare(*, is_cached: bool) -> int:
        loop = BareLoop(leaf, authority.root_der)
        for _ in range(CASES):
            (loop if is_cached else BareLoop(leaf, authority.root_der)).handshake()
        return CASES

    def sessions() -> int:
        for _ in range(CASES):
            journal = Journal()
            session_of(case, RunOptions(), journal).run()
            report(journal.records)
        return CASES

    show("a case, parsed / bare handshake, contexts kept", contest(cases, partial(bare, is_cached=True)), 1.5)
    show("a case, parsed / bare handshake, its own contexts", contest(cases, partial(bare, is_cached=False)), 1.5)
    beyond = contest(cases, sessions)
    show("a case, parsed / its session and report alone", beyond, 1.1)
    show_cost("a case beyond its session, parsed", beyond.ours - beyond.anchor, 500)
    with tempfile.TemporaryDirectory() as folder:
        _parsing(Path(folder), sessions, beyond)
        _processes(Path(folder))


def _parsing(folder: Path, sessions: Callable[[], int], beyond: Ratio) -> None:
    path = folder / "one.sspi.yaml"
    path.write_text(SCENARIO)

    def parsed() -> int:
        for _ in range(CASES):
            (case,) = load(path, str(path)).cases
            run_case(case, RunOptions())
        return CASES

    both = contest(parsed, sessions)
    show_cost("a case beyond its session, with reading and parsing", both.ours - both.anchor, 5000)


def _processes(folder: Path) -> None:
    """Let `replay` and pytest make the same handshakes, each in a process of its own."""
    many = folder / "many.sspi.yaml"
    matrix = f"matrix: {{ number: [{', '.join(map(str, range(COUNT)))}] }}\n"
    many.write_text(SCENARIO.replace("session:", matrix + "session:", 1))
    module = folder / "test_many.py"
    module.write_text(_PYTEST.format(count=COUNT))
    replay = [sys.executable, "-m", "sspicli", "replay", str(many), "-q", "--jobs", "1"]
    pytest = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", str(module)]
    show(f"replay of {COUNT} cases / pytest, bare handshakes", contest_of_processes(replay, pytest, slices=6), 1.0)
    one = folder / "one.sspi.yaml"
    module.write_text(_PYTEST.format(count=1))
    replay = [*replay[:4], str(one), *replay[5:]]
    show("replay of one case / pytest, one handshake", contest_of_processes(replay, pytest, slices=8), 1.0)
