"""The default order has a short cut in the loop: it is index 0 at every choice, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from sspicli.journal.journal import Record
from tests.handshakes import records_of


def shape(records: list[Record]) -> list[tuple[int, int, str, int, str]]:
    return [
        (record.sequence, record.ticks, record.actor, record.cause, type(record.event).__name__)
        for record in records
        if type(record.event).__name__ != "RunStarted"
    ]


@pytest.mark.parametrize("mode", ["callback", "poll"])
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"tls": "1.2", "messages": 2},
        {"client": ("resume=ticket",)},
        {"server": ("cert=expired",)},
        {"fault": ("server.accept=delay:500", "client.init#2=hang"), "timeout": 0.01},
    ],
    ids=str,
)
def test_the_short_cut_makes_the_same_records_at_the_same_ticks_as_choosing_the_first_option(
    mode: str, changes: dict[str, Any]
):
    assert shape(records_of(mode=mode, **changes)) == shape(records_of(mode=mode, schedule="v1:", **changes))


def test_the_short_cut_holds_for_the_documented_sample_too():
    assert shape(records_of(mode="sample")) == shape(records_of(mode="sample", schedule="v1:"))
