"""Every fold and every view of some records at once, for tests that ask only whether all of them hold."""

from __future__ import annotations

from sspicli.analysis.exchange import leg_tree, open_recording
from sspicli.analysis.lives import lives
from sspicli.analysis.passage import passage
from sspicli.analysis.report import Report, report
from sspicli.analysis.rules import judge
from sspicli.analysis.state import State
from sspicli.analysis.stats import stats
from sspicli.analysis.timeline import timeline
from sspicli.journal.codec import Decoder, Encoder
from sspicli.journal.journal import Record
from sspicli.reports.document import document
from sspicli.views.calls_c import call_source
from sspicli.views.live import Look as LiveLook
from sspicli.views.live import frame
from sspicli.views.look import Look
from sspicli.views.screen import screen
from sspicli.views.text import UNICODE, plain, width_of
from sspicli.views.timeline import timeline_lines

WIDTH = 100


def shown(records: list[Record]) -> Report:
    """Fold and draw the records in every way there is; their report."""
    judge(records)
    result = report(records)
    look = Look(UNICODE, WIDTH, False, 2)
    lines = screen(result, look, schedule="v1:")
    assert lines
    assert all(width_of(line) <= WIDTH for line in lines), max(map(plain, lines), key=len)
    assert timeline_lines(timeline(records, result.findings), look, is_stepped=True)
    assert document(result, timing=False, schedule="v1:")
    assert list(lives(records))
    assert stats(records)
    assert call_source(result, records, look)
    for leg in result.legs:
        assert passage(result, records, leg.number) is not None
        leg_tree(leg)
    open_recording(records)
    state = State()
    for record in records:
        state.see(record)
        if record.sequence % 16 == 0 or record is records[-1]:
            assert frame(state, LiveLook(120, 40, UNICODE, record.nanoseconds, ""))
    assert reread(records) == records
    return result


def reread(records: list[Record]) -> list[Record]:
    """Write the records as lines and read them again."""
    encoder, decoder = Encoder(), Decoder()
    decoder.header(encoder.header(has_secrets=True))
    return [decoder.record(encoder.line(record)) for record in records]
