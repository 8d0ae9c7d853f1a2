"""The timeline's legend: only what its columns hold is explained."""

from __future__ import annotations

import pytest

from sspicli.analysis.report import report
from sspicli.analysis.timeline import timeline
from sspicli.views.look import Look
from sspicli.views.text import UNICODE, plain
from sspicli.views.timeline import timeline_lines
from tests.handshakes import records_of


@pytest.mark.parametrize(("workers", "is_said"), [(0, True), (2, False)])
def test_virtual_time_is_explained_where_there_is_one_to_whichever_end(workers: int, is_said: bool):
    records = records_of(workers=workers)
    told = timeline([one for one in records if one.actor.startswith("server")])
    lines = timeline_lines(told, Look(UNICODE, 200, timing=False), is_stepped=report(records).is_stepped)
    assert ("virtual µs" in plain(lines[-1])) is is_said
