"""Faults of the wire: what was sent and what was delivered, on record, and nothing that hangs or contradicts itself."""

from __future__ import annotations

from functools import cache
from itertools import groupby

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sspicli.analysis.calls import LEG_FUNCTIONS
from sspicli.analysis.report import Report, Verdict, report
from sspicli.journal import events as ev
from sspicli.journal.journal import Record
from sspicli.session.fault_words import fault_text
from sspicli.session.wire_faults import WireFault, WireFaultKind
from sspicli.sspi.errors import UsageError
from sspicli.sspi.status import SecurityStatus
from tests.everything_shown import shown
from tests.handshakes import records_of
from tests.pairs import IS_DEEP, events, placed, timeless

INCOMPLETE = SecurityStatus.SEC_E_INCOMPLETE_MESSAGE
CONTINUE = SecurityStatus.SEC_I_CONTINUE_NEEDED


@cache
def plain_report(tls: str) -> Report:
    return report(records_of(tls=tls))


def call_statuses(result: Report) -> dict[str, list[str]]:
    """Name the statuses of each end's leg calls, without those that only wanted more of the peer's flight.

    Those are SEC_E_INCOMPLETE_MESSAGE within a record, and behind a whole one SEC_I_CONTINUE_NEEDED with no token.
    """
    out: dict[str, list[str]] = {"client": [], "server": []}
    for call in result.calls:
        wants_more = call.status == INCOMPLETE or (call.status == CONTINUE and not call.leg)
        if call.function in LEG_FUNCTIONS and not wants_more:
            out[call.endpoint].append(call.status.name)
    # Tickets that arrive apart after the handshake are taken by a call each, which is the same status again.
    return {name: [status for status, _ in groupby(statuses)] for name, statuses in out.items()}


def delivered(records: list[Record]) -> list[bytes]:
    """List the bytes that arrived, in their order."""
    data = {event.number: event.data for event in events(records, ev.TokenSent)}
    data |= {event.number: event.data for event in events(records, ev.TokenForwarded)}
    return [data[event.number] for event in events(records, ev.TokenDelivered)]


def sent(records: list[Record]) -> list[bytes]:
    return [event.data for event in events(records, ev.TokenSent)]


# -- each fault by itself ----------------------------------------------------------------------------------------------
def test_a_tampered_byte_arrives_changed_and_what_was_sent_stays_on_record():
    records = records_of(fault=("leg1=tamper:40:01",))
    (hello, *_), (arrived, *_) = sent(records), delivered(records)
    assert [at for at in range(len(hello)) if hello[at] != arrived[at]] == [40]
    assert arrived[40] == hello[40] ^ 1


def test_an_offset_below_zero_counts_from_the_end():
    records = records_of(fault=("leg1=tamper:-1:=7f",))
    assert delivered(records)[0] == sent(records)[0][:-1] + b"\x7f"


def test_a_field_is_tampered_with_where_it_stands():
    records = records_of(fault=("leg2=tamper:ServerHello.random:=0001",))
    hello, arrived = sent(records)[1], delivered(records)[1]
    assert arrived == hello[:11] + b"\0\1" + hello[13:]  # behind two headers and the version


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        ("leg1=tamper:4000:01", "bytes, and 1 at 4000"),
        ("leg1=tamper:-4000:01", "bytes, and 1 at -4000"),
        ("leg2=tamper:Certificate.certificate_list:01", "what is encrypted cannot be changed by field"),
        ("leg1=tamper:ClientHelo.random:01", "is ClientHello meant?"),
        ("leg1=tamper:ClientHello.extension_type:01", "names"),
        ("leg1=tamper:ClientHello.legacy_version:010101", "ClientHello.legacy_version has 2 bytes"),
        ("leg1=tamper:..:01", "is no path"),
        ("leg1=truncate:9000", "nothing to cut off"),
        ("leg1=split:9000", "nothing to cut there"),
    ],
)
def test_a_fault_that_cannot_happen_says_why_and_changes_nothing(fault: str, why: str):
    result = shown(records_of(fault=(fault,)))
    (missed,) = result.missed_faults
    assert why in missed.why
    assert (missed.text, result.faults, result.verdict) == (fault, (), Verdict.OK)


def test_a_truncated_leg_leaves_both_ends_waiting_and_the_run_says_for_what():
    result = shown(records_of(fault=("leg1=truncate:100",)))
    assert result.verdict is Verdict.STUCK
    assert {"client waits for bytes from its peer", "server waits for bytes from its peer"} <= set(result.waits)


def test_an_extended_leg_carries_its_lengths_unchanged():
    records = records_of(fault=("leg1=extend:1603",))
    assert delivered(records)[0] == sent(records)[0] + b"\x16\x03"


def test_pieces_of_a_leg_are_no_legs_of_their_own():
    records = records_of(fault=("leg1=split:5:100",))
    result = shown(records)
    assert [leg.number for leg in result.legs] == [leg.number for leg in plain_report("1.3").legs]
    assert [len(one.data) for one in result.legs[0].forwarded] == [5, 95, len(result.legs[0].data) - 100]


def test_a_dropped_leg_is_a_stuck_run_whose_wait_chain_names_the_fault():
    result = shown(records_of(fault=("leg2=drop",)))
    assert (result.verdict, result.reason) == (Verdict.STUCK, "stuck")
    assert "leg 2 never arrives (leg2=drop)" in result.waits


def test_a_leg_that_waits_for_a_next_one_that_never_comes_says_so():
    result = shown(records_of(fault=("leg1=join",)))
    assert result.verdict is Verdict.STUCK
    assert "leg 1 waits on the wire (leg1=join)" in result.waits


def test_a_joined_leg_goes_on_with_the_next_parcel_of_its_sender():
    records = records_of(fault=("leg3=join",), messages=1)
    result = shown(records)
    (joined,) = events(records, ev.TokenForwarded)
    parts = [event.data for event in events(records, ev.TokenSent) if event.number in joined.replaces]
    assert (len(parts), joined.data) == (2, b"".join(parts))
    assert result.verdict is Verdict.OK


def test_a_swapped_leg_arrives_behind_the_next_parcel_of_its_sender():
    records = records_of(fault=("leg3=swap",), messages=1, tls="1.3")
    finished = next(event for event in events(records, ev.TokenSent) if event.leg == 3)
    order = [event.number for event in events(records, ev.TokenDelivered) if event.receiver == "server"]
    assert order.index(finished.number) == 2  # behind the ClientHello and the client's message
    assert shown(records).verdict is not Verdict.OK


def test_what_waits_for_more_goes_on_when_its_sender_closes():
    result = shown(records_of(fault=("leg4=join",)))
    assert (result.verdict, result.faults) == (Verdict.OK, ("leg4=join",))


def test_a_doubled_leg_arrives_twice():
    records = records_of(fault=("leg1=duplicate",))
    assert delivered(records)[0] == sent(records)[0]
    assert sent(records)[0] in delivered(records)[1:]
    assert shown(records).verdict is Verdict.FAILED


def test_a_delayed_leg_holds_up_what_is_sent_behind_it_and_nothing_else_changes():
    records = records_of(fault=("leg3=delay:5000",), messages=2)
    (plan,) = placed(records, ev.FaultInjected)
    finished = next(event.number for event in events(records, ev.TokenSent) if event.leg == 3)
    to_server = [(record, event) for record, event in placed(records, ev.TokenDelivered) if event.receiver == "server"]
    behind = [record for record, event in to_server if event.number >= finished]
    assert all(record.ticks >= plan[0].ticks + 5000 for record in behind)
    assert [event.number for _, event in to_server] == sorted(event.number for _, event in to_server)
    assert shown(records).verdict is Verdict.OK


def test_a_fault_of_the_second_handshake_leaves_the_first_alone():
    result = shown(records_of(client=("resume=ticket",), fault=("handshake2.leg1=truncate:50",)))
    assert (result.handshake, result.handshakes, result.verdict) == (2, 2, Verdict.STUCK)


def test_a_leg_can_have_only_one_fate():
    with pytest.raises(UsageError, match="exclude each other"):
        records_of(fault=("leg1=drop", "leg1=delay:5"))


def test_a_failure_after_a_tampered_leg_is_put_down_to_the_fault():
    result = shown(records_of(fault=("leg2=tamper:-1:01",)))
    assert result.failure is not None
    assert result.failure.was_injected
    assert result.failure.help == "leave out --fault leg2=tamper:-1:01"


def test_faults_of_one_leg_act_in_the_order_of_their_kinds():
    records = records_of(fault=("leg1=split:3", "leg1=truncate:9", "leg1=tamper:0:=ff"))
    hello = sent(records)[0]
    assert delivered(records)[:2] == [b"\xff" + hello[1:3], hello[3:9]]


# -- for all -----------------------------------------------------------------------------------------------------------
def offsets(size: int) -> list[int]:
    """Every offset of a token when there is time, else those at its ends and some between."""
    every = range(1, size)
    return list(every) if IS_DEEP else sorted({*every[:7], *every[7:-7:211], *every[-7:]})


@pytest.mark.parametrize("tls", ["1.2", "1.3"])
def test_a_split_at_any_offset_gives_the_same_statuses(tls: str):
    wanted = plain_report(tls)
    for leg in wanted.legs:
        for offset in offsets(len(leg.data)):
            fault = f"leg{leg.number}=split:{offset}"
            result = report(records_of(tls=tls, fault=(fault,)))
            assert call_statuses(result) == call_statuses(wanted), fault
            assert result.verdict is Verdict.OK, fault


@pytest.mark.parametrize("kind", ["drop", "duplicate", "swap", "join"])
@pytest.mark.parametrize("tls", ["1.2", "1.3"])
@pytest.mark.parametrize("mode", ["callback", "poll"])
def test_whatever_leg_it_befalls_a_session_comes_to_an_end(kind: str, tls: str, mode: str):
    for leg in plain_report(tls).legs:
        result = shown(records_of(tls=tls, mode=mode, fault=(f"leg{leg.number}={kind}",), timeout=1.0))
        assert result.reason in ("finished", "stuck", "limit")
        assert result.waits or result.reason == "finished"


def plans() -> st.SearchStrategy[tuple[WireFault, ...]]:
    leg, number = st.integers(1, 5), st.integers(1, 2000)
    data = st.binary(min_size=1, max_size=4)
    altering = st.one_of(
        st.builds(WireFault, st.just(WireFaultKind.TRUNCATE), leg, size=number),
        st.builds(WireFault, st.just(WireFaultKind.EXTEND), leg, data=data),
        st.builds(
            WireFault, st.just(WireFaultKind.TAMPER), leg, at=st.integers(-2000, 2000), data=data, is_xor=st.booleans()
        ),
        st.builds(
            WireFault,
            st.just(WireFaultKind.TAMPER),
            leg,
            field=st.sampled_from(["ClientHello.random", "ServerHello.cipher_suite", "TLSPlaintext[0].length", "x"]),
            data=data,
        ),
        st.builds(
            WireFault,
            st.just(WireFaultKind.SPLIT),
            leg,
            offsets=st.sets(number, min_size=1, max_size=3).map(lambda some: tuple(sorted(some))),
        ),
        st.builds(WireFault, st.just(WireFaultKind.DUPLICATE), leg),
    )
    fate = st.one_of(
        st.builds(WireFault, st.sampled_from([WireFaultKind.DROP, WireFaultKind.JOIN, WireFaultKind.SWAP]), leg),
        st.builds(WireFault, st.just(WireFaultKind.DELAY), leg, ticks=st.integers(0, 10_000)),
    )
    fates = st.lists(fate, max_size=2, unique_by=lambda one: one.leg)
    return st.tuples(st.lists(altering, max_size=3), fates).map(lambda both: (*both[0], *both[1]))


@settings(max_examples=2000 if IS_DEEP else 60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    plans(), st.sampled_from(["1.2", "1.3"]), st.sampled_from(["fifo", "seed"]), st.integers(0, 9), st.integers(0, 1)
)
def test_any_plan_comes_to_an_end_that_every_view_can_show(
    plan: tuple[WireFault, ...], tls: str, order: str, seed: int, messages: int
):
    texts = tuple(fault_text(one) for one in plan if any(one.data) or one.kind is not WireFaultKind.TAMPER)
    records = records_of(
        fault=texts, tls=tls, order=order, completion="random", seed=seed, messages=messages, timeout=1.0
    )
    result = shown(records)
    assert set(result.faults) | {one.text for one in result.missed_faults} <= set(texts)


def test_a_plan_gives_the_same_records_again():
    plan = ("leg1=split:7:9", "leg2=delay:40", "leg3=swap", "leg2=tamper:-3:01")
    first, second = (timeless(records_of(fault=plan, seed=3)) for _ in range(2))
    assert [type(one.event) for one in first] == [type(one.event) for one in second]
