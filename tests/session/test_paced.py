"""A paced run waits in real time, changes nothing in virtual time, and hears of its end while it waits."""

from __future__ import annotations

import threading
import time

from sspicli.journal.events import RunEnded
from sspicli.runtime.chooser import Replay
from sspicli.session.paced import PacedRun
from tests.pairs import finished_pair, only, scripted_pair, timeless


def test_a_paced_run_records_what_an_unpaced_one_does():
    journal, session = scripted_pair(chooser=Replay(()))
    assert PacedRun(session, journal, 1e-6).run() == "finished"
    assert timeless(journal.records) == timeless(finished_pair())


def test_a_halt_ends_the_wait_and_the_run():
    journal, session = scripted_pair(chooser=Replay(()))
    paced = PacedRun(session, journal, 3600.0)
    began = time.monotonic()
    timer = threading.Timer(0.1, lambda: paced.halt("interrupted"))
    timer.start()
    assert paced.run() == "interrupted"
    timer.join()
    assert time.monotonic() - began < 5
    assert only(journal.records, RunEnded).reason == "interrupted"
    assert len(journal.records) < 5


def test_a_step_fires_one_transition_and_says_when_there_is_none():
    journal, session = scripted_pair(chooser=Replay(()))
    ticks = []
    while session.step():
        ticks.append(journal.ticks)
    assert ticks == list(range(1, len(ticks) + 1))
    assert session.end() == "finished"
