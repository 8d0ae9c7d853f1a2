"""Timeline, lives, numbers and passages: what each fold makes of records."""

from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sspicli.analysis.calls import Call
from sspicli.analysis.lives import Life, lives
from sspicli.analysis.passage import Opening, passage
from sspicli.analysis.report import report
from sspicli.analysis.stats import spread, stats
from sspicli.analysis.timeline import timeline, told
from sspicli.journal import events as ev
from sspicli.sspi.functions import Function
from sspicli.sspi.handles import Handle
from sspicli.sspi.status import SecurityStatus
from tests.handshakes import records_of
from tests.journal.test_codec import builds
from tests.pairs import finished_pair

MUTUAL = {"client": ("cert=expired",), "server": ("request-cert=require",)}


# -- the timeline ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("kind", get_args(ev.Event))
@given(data=st.data())
def test_every_event_has_a_sentence(kind, data):
    assert told(data.draw(builds(kind)))


def test_every_record_is_told_in_its_order():
    records = finished_pair()
    assert [entry.record for entry in timeline(records)] == records


def test_a_key_log_line_is_told_by_its_label():
    assert told(ev.KeyLogged(None, "CLIENT_RANDOM aa bb")) == "key log of NULL: CLIENT_RANDOM"


def test_a_record_that_shows_a_finding_says_so():
    records = records_of(mode="sample", completion="inline")
    findings = report(records).findings
    (entry,) = [one for one in timeline(records, findings) if one.findings]
    assert (entry.kind, entry.findings, entry.is_bad) == ("ContractBroken", ("A006",), True)


def test_what_failed_is_bad_and_a_want_of_bytes_is_not():
    bad = [entry for entry in timeline(records_of(**MUTUAL)) if entry.is_bad]
    statuses = {getattr(entry.record.event, "status", None) for entry in bad}
    assert SecurityStatus.SEC_E_CERT_EXPIRED in statuses
    assert not statuses & {SecurityStatus.SEC_E_OK, SecurityStatus.SEC_E_INCOMPLETE_MESSAGE}


# -- lives -------------------------------------------------------------------------------------------------------------
def life_of(name: str, told: tuple[Life, ...]) -> Life:
    return next(life for life in told if str(life.handle) == name)


def test_a_life_names_who_made_used_and_ended_a_handle():
    told = lives(records_of())
    credential = life_of("client.cred1", told)
    assert (credential.maker, credential.ender) == ("client.call1", "client.call6")
    assert [str(user) for user in credential.users] == ["client.call2", "client.call3", "client.call4", "client.call6"]
    context = life_of("server.ctxt1", told)
    assert (context.maker, context.ender) == ("server.call2", "server.call4")


def test_each_reinit_begins_a_generation_and_a_call_belongs_to_one():
    told = lives(records_of())
    assert life_of("client.ac1", told).generation == 7
    assert [life_of(f"client.call{number}", told).generation for number in range(1, 7)] == [1, 2, 3, 4, 5, 6]


def test_every_handle_of_a_good_run_is_ended_and_none_is_left_over():
    assert all(life.ended and not life.finding for life in lives(records_of(), report(records_of()).findings))


def test_what_is_left_over_carries_the_code_of_its_finding():
    records = records_of(fault=("server.accept#2=hang",))
    told = lives(records, report(records).findings)
    assert life_of("server.ac1", told).finding == "A016"
    assert life_of("server.call3", told).completed == 0


def test_a_call_without_a_callback_was_never_notified():
    records = [one for one in records_of() if not isinstance(one.event, ev.CallbackEntered)]
    assert {life.notified for life in lives(records) if life.function} == {0}


# -- numbers -----------------------------------------------------------------------------------------------------------
def test_calls_are_counted_by_function_and_status():
    counted = {one.function: one for one in stats(records_of(**MUTUAL)).functions}
    init = counted[Function.SspiInitializeSecurityContextAsync]
    assert init.queued == 3
    assert init.statuses == {
        SecurityStatus.SEC_I_CONTINUE_NEEDED: 1, SecurityStatus.SEC_E_OK: 1, SecurityStatus.SEC_E_CERT_EXPIRED: 1,
    }  # fmt: skip
    assert len(init.pending_nanoseconds) == 3


def test_bytes_callbacks_polls_and_messages_are_counted_by_end():
    records = records_of(mode="poll", messages=2)
    ends = {end.name: end for end in stats(records).ends}
    sent = [one.event for one in records if isinstance(one.event, ev.TokenSent)]
    for name, end in ends.items():
        mine = [one for one in sent if one.receiver != name]
        assert end.token_bytes == sum(len(one.data) for one in mine if one.leg)
        assert (end.data, end.data_bytes) == (2, sum(len(one.data) for one in mine if not one.leg))
        assert end.messages["EncryptMessage SEC_E_OK"] == end.messages["DecryptMessage SEC_E_OK"] == 2
        assert end.callbacks == sum(
            one.actor.startswith(name) for one in records if isinstance(one.event, ev.CallbackEntered)
        )
        assert end.pending_answers > 0


def test_what_completed_before_its_function_returned_is_inline():
    assert {one.inline for one in stats(records_of(completion="pending")).functions} == {0}
    inline = stats(records_of(completion="inline")).functions
    assert all(one.inline == one.queued for one in inline)


def test_what_never_completes_is_counted():
    counted = {one.function: one for one in stats(records_of(fault=("server.accept#2=hang",))).functions}
    assert counted[Function.SspiAcceptSecurityContextAsync].never_completed == 1


@given(st.lists(st.integers(0, 10**12), min_size=1, max_size=50))
def test_a_spread_is_of_times_that_were_measured(times):
    found = spread(times)
    assert found is not None
    assert set(found) <= set(times)
    assert found.least == min(times)
    assert found.most == max(times)
    assert found.least <= found.median <= found.p95 <= found.most


def test_the_median_of_two_is_the_lower_and_no_times_have_no_spread():
    assert spread([1, 9]) == (1, 1, 9, 9)
    assert spread([]) is None


# -- passages ----------------------------------------------------------------------------------------------------------
def test_a_leg_is_followed_from_its_call_to_those_that_took_it():
    records = records_of(**MUTUAL)
    found = passage(report(records), records, 3)
    assert found is not None
    assert found.maker is not None
    assert str(found.maker.handle) == "client.call3"
    (taker,) = found.takers
    assert isinstance(taker, Call)
    assert taker.handle == Handle("server", "call", 3)
    assert records[found.delivered - 1].event == ev.TokenDelivered(3, "server")


def test_a_token_after_the_handshake_is_taken_by_decrypt_message_first():
    records = records_of(**MUTUAL)
    found = passage(report(records), records, 4)
    assert found is not None
    assert [type(one) for one in found.takers] == [Opening, Call]


def test_a_leg_that_never_arrived_was_taken_by_nobody():
    records = [one for one in records_of() if not isinstance(one.event, ev.TokenDelivered)]
    found = passage(report(records), records, 1)
    assert found is not None
    assert (found.delivered, found.takers) == (0, ())


def test_there_is_no_passage_of_a_leg_that_was_not():
    records = finished_pair()
    assert passage(report(records), records, 99) is None
