"""The scenario's own judgement of a session that has ended: what replay would say of the same records.

The rule guarded here: it is the runner's judge that speaks, over the records of this branch. What was changed on the
way is in those records, so an expectation may well not hold; that is what the change came to.
"""

from __future__ import annotations

from sspicli.analysis.cases import CaseResult, Outcome
from sspicli.analysis.report import report
from sspicli.debugger.beginning import FILE
from sspicli.debugger.bench import Bench
from sspicli.journal.journal import Record
from sspicli.runtime.chooser import schedule_text
from sspicli.scenario.run import Ran, RunOptions, judge


def judged(bench: Bench) -> CaseResult | None:
    """Hold a session that has ended against its scenario; None for one that has not, or that has none."""
    live, ended = bench.live, bench.ended()
    case = None if live is None else live.beginning.case
    if live is None or case is None or ended is None or case.file == FILE:
        return None
    last = live.records[-1]
    records = (*live.records, Record(last.sequence + 1, last.ticks, last.nanoseconds, "session", 0, ended))
    ran = Ran(records, report(records), schedule_text(live.choices()), live.unmet_choices())
    base = CaseResult(
        file=case.file,
        scenario=case.name,
        parameters=case.parameters,
        tags=case.tags,
        place=case.place,
        outcome=Outcome.SKIP,
    )
    return judge(case, ran, RunOptions(), base)
