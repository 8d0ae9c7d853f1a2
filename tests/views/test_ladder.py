"""The ladder: what a call came to, and what is drawn of calls that never completed."""

from __future__ import annotations

from typing import Any

import pytest

from sspicli.analysis.report import Report, report
from sspicli.reports.document import document
from sspicli.views.ladder import ladder, legend_lines, negotiated_lines
from sspicli.views.tables import call_lines
from sspicli.views.text import UNICODE, plain
from tests.handshakes import records_of


def report_of(**changes: Any) -> Report:
    return report(records_of(**changes))


def table_of(**changes: Any) -> str:
    lines = call_lines(report_of(**changes), UNICODE, width=100, timing=False)
    return "\n".join(plain(one) for one in lines)


def test_a_call_that_never_completed_is_told_to_be_still_pending():
    (row,) = [one for one in table_of(fault=("server.accept#2=hang",)).splitlines() if "accept #2" in one]
    assert row.endswith("SEC_E_OK      ◷ still pending")


def test_the_document_gives_a_call_that_never_completed_no_time():
    calls = document(report_of(fault=("server.accept#2=hang",)), timing=True, schedule="")["calls"]
    assert isinstance(calls, list)
    (hung,) = [one for one in calls if one["pending_microseconds"] is None]
    assert (hung["id"], hung["call_status"]) == ("server.call3", "SEC_I_ASYNC_CALL_PENDING")


@pytest.mark.parametrize(("number", "is_said"), [(1, False), (2, True)])
def test_only_a_handshake_after_the_first_is_told_not_to_be_resumed(number: int, is_said: bool):
    seen = report(records_of(client=("resume=ticket",)), handshake=number)
    seen.is_resumed = False
    shown = "\n".join(plain(one) for one in negotiated_lines(seen, UNICODE, width=100))
    assert ("not resumed" in shown) is is_said


def drawn(**changes: Any) -> list[str]:
    return [plain(one) for one in ladder(report_of(**changes), UNICODE, width=100, timing=False)]


def test_a_pending_call_stands_in_the_ladder_where_it_was_queued():
    rows = drawn(fault=("server.accept#2=hang",))
    (at,) = [index for index, row in enumerate(rows) if "leg 3" in row]
    assert f"{'accept #2 queued ◷ still pending':>100}" in rows[at + 1 :]


def test_a_refused_call_stands_on_its_side():
    assert drawn(fault=("client.init#1=refuse",))[1:] == ["  init #1 refused ✗ SEC_E_INSUFFICIENT_MEMORY"]
    rows = drawn(fault=("server.accept#2=refuse",))
    assert rows[-1] == f"{'accept #2 refused ✗ SEC_E_INSUFFICIENT_MEMORY':>100}"


def test_refused_calls_stand_in_the_table_of_calls():
    row = "  client        init #1     SEC_E_INSUFFICIENT_MEMORY refused"
    assert row in table_of(fault=("client.init#1=refuse",)).splitlines()
    assert "  client        create      NULL          refused" in table_of(fault=("client.create#1=null",)).splitlines()


@pytest.mark.parametrize(
    ("changes", "signs"),
    [
        ({}, ["◷ pending", "{ } encrypted"]),
        ({"completion": "inline"}, ["» completed before the queueing function returned", "{ } encrypted"]),
        ({"fault": ("client.init#1=hang",)}, ["◷ pending"]),
        ({"fault": ("client.init#1=refuse",)}, []),
    ],
)
def test_the_legend_explains_the_signs_that_are_drawn(changes: dict[str, Any], signs: list[str]):
    (row,) = legend_lines(report_of(**changes), UNICODE, width=120, timing=False)
    assert plain(row) == "  " + "   ".join([*signs, "emulated: kernel mode only on Windows"])
    narrow = legend_lines(report_of(**changes), UNICODE, width=60, timing=False)
    assert all(len(plain(one)) <= 60 for one in narrow)
