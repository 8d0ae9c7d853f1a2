"""No finding on generated correct programs, by seeds: 200 here, 10,000 with SSPICLI_DEEP set."""

from __future__ import annotations

import os
from collections import Counter

from sspicli.analysis.rules import judge
from sspicli.journal.events import CallQueued, RunEnded
from sspicli.runtime.chooser import Chooser, Completion, First, Order, Policy, Seeded
from sspicli.runtime.dispatch import SteppedDispatcher
from tests.correct_programs import Program, script
from tests.pairs import events, lone_session

COUNT = 10_000 if os.environ.get("SSPICLI_DEEP") else 200
COMPLETIONS, ORDERS = list(Completion), list(Order)


def chooser(seed: int) -> Chooser:
    """Give each seed an order: the default one, any, or one of the policies."""
    if seed % 4 == 0:
        return First()
    if seed % 4 == 1:
        return Seeded(seed)
    return Policy(COMPLETIONS[seed % len(COMPLETIONS)], ORDERS[seed // 3 % len(ORDERS)], seed)


def test_no_correct_program_has_a_finding_under_any_order():
    seen: Counter[str] = Counter()
    for seed in range(COUNT):
        journal, session = lone_session(
            Program(seed).run(), SteppedDispatcher(), script=script(seed), chooser=chooser(seed)
        )
        assert session.run() == "finished", f"seed {seed}: {journal.records[-1].event}"
        assert [f"{one.rule.code} {one.subject}: {one.detail}" for one in judge(journal.records)] == [], f"seed {seed}"
        seen.update(event.function.name for event in events(journal.records, CallQueued))
        assert isinstance(journal.records[-1].event, RunEnded)
    assert len(seen) == 5, "each of the five queueing functions was called"
