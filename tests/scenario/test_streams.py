"""EXTRA and MISSING wherever a leg is cut: held call by call against a model of ten lines.

The rule guarded here: every byte of a leg is passed until it is taken, and taken once; what is missing and what is left
over is said to the byte. The cuts are a scenario's matrix: all offsets with SSPICLI_DEEP=1, else those at both ends,
those around the edges of records, and some between.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from typing import NamedTuple

import pytest

from sspicli.analysis.calls import LEG_FUNCTIONS, Call
from sspicli.analysis.report import Report, Verdict
from sspicli.scenario.run import run
from sspicli.sspi.buffers import BufferType
from sspicli.sspi.status import SecurityStatus
from tests.pairs import IS_DEEP
from tests.play import cases, ran, scenario

HEADER = 5
INCOMPLETE = SecurityStatus.SEC_E_INCOMPLETE_MESSAGE
CONTINUE = SecurityStatus.SEC_I_CONTINUE_NEEDED
LEGS = [("1.2", 1), ("1.2", 2), ("1.2", 3), ("1.2", 4), ("1.3", 1), ("1.3", 2), ("1.3", 3)]


class Seen(NamedTuple):
    """What a leg's call was given, and what it said: the input TOKEN's size, its status, and the second buffer."""

    given: int
    status: SecurityStatus
    second: BufferType
    said: int


@cache
def plain(tls: str) -> Report:
    """Make the handshake that nothing befalls."""
    (case,) = cases(scenario(f'session: {{ tls: "{tls}", client: {{ groups: x25519 }} }}\n'))
    return run(case).report


def edges(data: bytes) -> list[int]:
    """List where each record ends."""
    ends, start = [], 0
    while start < len(data):
        start += HEADER + int.from_bytes(data[start + 3 : start + HEADER])
        ends.append(start)
    return ends


def cuts(data: bytes) -> list[int]:
    """Choose the offsets at which a leg is cut."""
    every = range(1, len(data))
    if IS_DEEP:
        return list(every)
    around = {end + by for end in (0, *edges(data)) for by in (-1, 0, 1, HEADER - 1, HEADER, HEADER + 1)}
    return sorted((around | {*every[::37]}) & {*every})


def missing(data: bytes, start: int, end: int) -> int:
    """Say what the record that begins at `start` lacks when there are bytes up to `end`."""
    held = end - start
    whole = HEADER if held < HEADER else HEADER + int.from_bytes(data[start + 3 : start + HEADER])
    return whole - held


def model(data: bytes, cut: int, last: Seen) -> Iterator[Seen]:
    """Say which calls take a leg that arrives in two pieces; `last` is the one that takes it whole."""
    whole = max((end for end in edges(data) if end <= cut), default=0)
    if whole:
        left = cut - whole
        yield Seen(cut, CONTINUE, BufferType.EXTRA if left else BufferType.EMPTY, left)
    if whole < cut:
        yield Seen(cut - whole, INCOMPLETE, BufferType.MISSING, missing(data, whole, cut))
    yield last._replace(given=len(data) - whole)


def seen(call: Call) -> Seen:
    """Read off a call what it was given and what it said."""
    assert call.completed is not None, "every call of these handshakes completes"
    token, second = call.completed.input or ()
    return Seen(token.size, call.completed.status, BufferType(second.buffer_type), second.size)


def taking(report: Report, side: str, *, before: int, after: int) -> list[Call]:
    """List the calls of a side that were given bytes, without its first and last ones."""
    calls = [call for call in report.calls if call.endpoint == side and call.function in LEG_FUNCTIONS]
    calls = [call for call in calls if call.completed is not None and call.completed.input]
    return calls[before : len(calls) - after]


def around(report: Report, number: int) -> tuple[str, int, int]:
    """Say who takes a leg, and how many of its calls come before and after those that do, where nothing is cut."""
    leg = report.legs[number - 1]
    taker = "server" if leg.sender == "client" else "client"
    legs = [one.number for one in report.legs if one.sender == leg.sender]
    place = legs.index(number)
    return taker, place, len(taking(report, taker, before=0, after=0)) - place - 1


def matrix(tls: str, leg: int, offsets: Sequence[int]) -> str:
    """Write a scenario that cuts a leg at each of these offsets."""
    return scenario(f"""
        matrix: {{ cut: {list(offsets)} }}
        session: {{ tls: "{tls}", client: {{ groups: x25519 }} }}
        faults: [{{ leg: {leg}, split: [$cut] }}]
        expect: {{ client: SEC_E_OK, server: SEC_E_OK, findings: [] }}
        """)


@pytest.mark.parametrize(("tls", "leg"), LEGS)
def test_wherever_a_leg_is_cut_its_bytes_are_counted_right_and_taken_once(tls: str, leg: int):
    whole = plain(tls)
    data = whole.legs[leg - 1].data
    side, before, after = around(whole, leg)
    (usual,) = taking(whole, side, before=before, after=after)

    for case in cases(matrix(tls, leg, cuts(data))):
        cut = int(dict(case.parameters)["cut"])
        report = run(case).report
        calls = [seen(call) for call in taking(report, side, before=before, after=after)]
        assert calls == list(model(data, cut, seen(usual))), f"cut at {cut}"
        assert report.verdict is Verdict.OK, f"cut at {cut}"
        assert report.findings == (), f"cut at {cut}"


@pytest.mark.parametrize("tls", ["1.2", "1.3"])
@pytest.mark.parametrize("size", [1, 2, 3, 4])
def test_what_is_behind_a_leg_is_left_over_to_the_byte_and_begins_the_next(tls: str, size: int):
    result = ran(
        scenario(f"""
        session: {{ tls: "{tls}" }}
        faults: [{{ leg: 1, extend: "{"16" * size}" }}]
        """)
    )
    first, second, *_ = [seen(call) for call in taking(result.report, "server", before=0, after=0)]
    assert first == Seen(first.given, CONTINUE, BufferType.EXTRA, size)
    assert second == Seen(size, INCOMPLETE, BufferType.MISSING, HEADER - size)
