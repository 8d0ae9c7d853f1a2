"""What a session came to, for the client's console: the verdict, and of a scenario each expectation that did not hold.

The rule guarded here: a scenario is judged as replay judges it, over the same records, and what did not hold points to
its line in the text.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from sspicli.adapter.desk import Desk
from sspicli.adapter.lines import RecordingText
from sspicli.adapter.messages import Json, output
from sspicli.analysis.cases import CaseResult, SuiteResult
from sspicli.debugger.judging import judged
from sspicli.debugger.panes import unmet_words
from sspicli.views.text import visible


class Said(NamedTuple):
    """What is written to the console, and the exit code."""

    outputs: tuple[Json, ...]
    exit_code: int


def verdict(desk: Desk) -> Said:
    """Say what the session came to."""
    if isinstance(desk.session.text, RecordingText):
        return Said((output("the recording ends here"),), 0)
    result = judged(desk.bench)
    if result is None:
        ended = desk.bench.ended()
        words = "unfinished" if ended is None else desk.bench.view.report(ended).verdict.value
        return Said((output(f"the run is over: {words}"),), desk.session.debugger.exit_code())
    return Said(tuple(_judged(desk, result)), SuiteResult(cases=[result]).exit_code)


def _judged(desk: Desk, result: CaseResult) -> Iterator[Json]:
    held = result.expectations - len(result.unmet)
    head = f"{result.outcome.value}: {visible(result.name)}, the run came to {result.verdict or 'nothing'}"
    counted = f", {held} of {result.expectations} expectations hold" if result.expectations else ""
    reason = f" ({visible(result.reason, 400)})" if result.reason else ""
    yield output(head + counted + reason, "stderr" if result.is_bad else "console")
    for one in result.unmet:
        yield output(
            f"expectation not met: {unmet_words(one)}",
            "stderr",
            source=desk.source(),
            line=desk.line(one.place.line),
            column=desk.column(one.place.column),
        )
    for finding in result.findings:
        text = f"{finding.rule.code} {finding.rule.title}: {visible(finding.subject)}: {visible(finding.detail)}"
        yield output(f"{text} (records {', '.join(map(str, finding.records))})", "stderr")
    for wait in result.waits:
        yield output(f"stuck: {visible(wait, 400)}", "stderr")
