"""What a user asks of the debugger, verb by verb, by lines alone."""

from __future__ import annotations

import pytest

from sspicli.debugger.expression import parse
from sspicli.debugger.verbs import VERBS
from sspicli.journal import events as ev
from sspicli.sspi.status import SecurityStatus
from tests.debugger.consoles import debugger, do, of_text, refused, shown, stop_of

FINISHED = "the run is over: ok"


# -- stepping ----------------------------------------------------------------------------------------------------------
def test_a_fresh_session_goes_on_to_its_end_and_holds():
    one = debugger()

    response = do(one, "continue")

    assert response.stop is not None
    assert stop_of(response).reason == FINISHED
    assert response.stop.verdict == "ok"
    assert one.exit_code() == 0


def test_a_step_is_one_transition_and_a_count_is_so_many():
    one, other = debugger(), debugger()
    for _ in range(7):
        do(one, "step")

    do(other, "step 7")

    assert one.bench.place == other.bench.place
    assert one.bench.fired() == 7


def test_an_empty_line_repeats_what_may_be_repeated_and_nothing_else():
    one = debugger()
    do(one, "step", "", "")
    assert one.bench.fired() == 3

    do(one, "checkpoint here")
    response = one.execute("")

    assert response == type(response)()


def test_next_goes_over_the_callback_of_a_call():
    one = debugger()

    do(one, "next")

    assert one.bench.view.records[-1].event._fields == ("call", "async_context")
    assert do(one, "p client.callbacks").lines
    assert one.bench.view.value("client.callbacks") == 1
    assert one.bench.view.value("client.status") == 0


def test_finish_goes_on_until_a_token_has_arrived():
    one = debugger()

    stop = stop_of(do(one, "finish"))

    assert "leg 1" in stop.where
    assert one.bench.view.value("event") == "TokenDelivered"


def test_until_goes_on_until_an_expression_holds():
    one = debugger()

    stop = stop_of(do(one, "until client.security_context != none and leg == 1"))

    assert stop.reason == "client.security_context != none and leg == 1 holds"
    assert one.bench.view.value("leg") == 1


def test_choose_takes_another_transition_than_the_default_one():
    one = debugger()
    do(one, "step 4")
    texts = do(one, "choose 3")

    assert texts.stop is not None
    assert one.bench.view.value("event") in ("CallCompleted", "CredentialAcquired")
    assert do(one, "info schedule").lines[0][0].text.strip().startswith("v1:")
    assert "2" in shown(do(one, "info schedule")).splitlines()[0]


def test_what_may_happen_next_is_numbered_and_the_default_is_marked():
    one = debugger()

    lines = shown(do(one, "enabled")).splitlines()

    assert lines == [" *1  client goes on with its program", "  2  server goes on with its program"]


def test_stepping_on_after_the_end_is_refused_with_what_is_possible():
    one = debugger()
    do(one, "continue")

    response = refused(one, "step")

    assert "nothing can happen" in response.error
    assert "undo" in response.help


def test_a_run_that_never_ends_by_itself_stops_at_the_limit():
    one = debugger()
    do(one, "set limit 10")

    response = do(one, "continue")

    assert response.stop is not None
    assert "limit of 10" in stop_of(response).reason


# -- stops -------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("what", "expression"),
    [
        ("client.init#2", "function == 'init' and side == 'client' and number == 2"),
        ("accept", "function == 'accept' and number == 1"),
        ("SspiReinitAsyncContext if side == 'server'", "event == 'AsyncContextReinitialized' and side == 'server'"),
        ("server", "side == 'server'"),
        ("leg 2", "leg == 2 and event == 'TokenSent'"),
        ("delivery 2", "leg == 2 and event == 'TokenDelivered'"),
        ("ServerHello", "'ServerHello' in messages"),
        ("SEC_I_CONTINUE_NEEDED", "status == SEC_I_CONTINUE_NEEDED"),
        ("server SEC_E_OK", "status == SEC_E_OK and side == 'server'"),
        ("STATUS_SUCCESS", "status == STATUS_SUCCESS"),
        ("callback", "event == 'CallbackEntered'"),
        ("server pending", "side == 'server' and pending > 0"),
        ("completion", "event == 'CallCompleted'"),
    ],
)
def test_a_breakpoint_stops_where_it_says(what, expression):
    one = debugger()
    do(one, f"break {what}")

    stop = stop_of(do(one, "continue"))

    assert stop.reason.startswith("breakpoint 1")
    records = one.bench.view.records
    values = [type(one.bench.view)(records[:end]).value for end in range(len(records) - 4, len(records) + 1)]
    assert any(parse(expression).holds(value) for value in values)


def test_a_condition_lets_a_breakpoint_stop_only_where_it_holds():
    one = debugger()
    do(one, 'break init if leg == 2 and side == "client"')

    do(one, "continue")

    assert one.bench.view.value("leg") == 2
    assert one.bench.view.value("event") == "CallQueued"


def test_a_temporary_breakpoint_is_gone_after_its_stop():
    one = debugger()
    do(one, "tbreak callback")

    do(one, "continue")

    assert not one.bench.stops
    assert stop_of(do(one, "continue")).reason == FINISHED


def test_a_breakpoint_is_passed_as_often_as_it_is_ignored():
    one = debugger()
    do(one, "break callback", "ignore 1 2")

    do(one, "continue")

    assert one.bench.view.value("callbacks") == 3
    assert one.bench.stops[1].hits == 3


def test_a_disabled_breakpoint_does_not_stop_and_an_enabled_one_does_again():
    one = debugger()
    do(one, "break callback", "disable 1")
    assert stop_of(do(one, "continue")).reason == FINISHED

    do(one, "enable 1", "run")

    assert one.bench.view.value("callbacks") == 1


def test_commands_of_a_breakpoint_are_done_at_its_stop():
    one = debugger()
    do(one, "break client.init#2", "commands 1 p client.phase; info wire")

    text = shown(do(one, "continue"))

    assert "client.phase = pending" in text


def test_commands_of_a_breakpoint_may_go_on_and_so_trace_a_whole_run():
    one = debugger()
    do(one, "break callback", "commands 1 p client.phase; continue")

    response = do(one, "continue")

    assert stop_of(response).reason == FINISHED
    assert shown(response).count("client.phase = ") == one.bench.view.value("callbacks")


def test_commands_that_go_on_for_ever_come_to_an_end():
    one = debugger()
    do(one, "break create", "commands 1 run")

    assert "no more" in shown(do(one, "step"))


def test_a_watch_stops_where_a_value_changes_and_says_from_what_to_what():
    one = debugger()
    do(one, "watch server.status")

    stop = stop_of(do(one, "continue"))

    assert stop.reason == "watch 1, server.status: none -> SEC_E_OK"


def test_catch_fail_stops_at_the_call_that_failed():
    one = debugger(server=["cert=expired"])
    do(one, "catch fail")

    do(one, "continue")

    assert one.bench.view.value("client.status") == 0x80090328
    assert one.bench.view.value("client.alert") == "certificate_expired"


def test_catch_alert_and_status_stop_there_too():
    for what in ("catch alert certificate_expired", "catch status SEC_E_CERT_EXPIRED", "catch SEC_E_CERT_EXPIRED"):
        one = debugger(server=["cert=expired"])
        do(one, what, "continue")
        assert one.bench.view.value("status") == 0x80090328


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("break inti", "init"),
        ("break", "break at what?"),
        ("break init if leg ==", "a value is missing"),
        ("break init if legg == 1", "there is nothing called 'legg'"),
        ("break finding Z999", "is no misuse rule"),
        ("catch", "catch what?"),
        ("watch nothing.at.all", "there is nothing called"),
        ("condition 7 leg == 1", "there is no breakpoint 7"),
        ("ignore 1", "there is no breakpoint 1"),
        ("delete 3", "no breakpoint is set"),
        ("enable", "no breakpoint is set"),
    ],
)
def test_what_can_never_stop_is_refused_when_it_is_set(line, says):
    response = refused(debugger(), line)

    assert says in response.error + response.help


# -- looking -----------------------------------------------------------------------------------------------------------
def test_a_field_is_printed_by_its_path_with_its_bytes():
    one = debugger()
    do(one, "until leg == 2")
    leg = one.bench.view.leg(2)

    text = shown(do(one, "p leg2.ServerHello.random"))

    assert leg is not None
    assert leg.data[11:43].hex() in text
    assert "0x00b-0x02a of the token" in text


def test_encrypted_messages_are_decoded_with_the_sessions_own_secrets():
    one = debugger()
    do(one, "until leg == 2")

    text = shown(do(one, "decode leg2"))

    assert "EncryptedExtensions" in text
    assert "CertificateVerify" in text


def test_x_shows_bytes_with_their_fields_and_a_count_fewer():
    one = debugger()
    do(one, "finish")

    assert len(do(one, "x/32 leg1").lines) < len(do(one, "x leg1").lines)
    assert "random" in shown(do(one, "x leg1.ClientHello.random"))


def test_why_goes_back_from_a_record_to_its_beginning():
    one = debugger(server=["cert=expired"])
    do(one, "catch fail", "continue")

    lines = shown(do(one, "why")).splitlines()

    assert "SEC_E_CERT_EXPIRED" in lines[0]
    assert any("leg 2" in text for text in lines)
    assert any("SspiCreateAsyncContext" in text for text in lines)


def test_the_law_says_what_is_legal_and_why_the_rest_is_not():
    one = debugger()
    do(one, "step 4")

    text = shown(do(one, "legal client"))

    assert "client.ac1 is pending" in text
    assert "reinit: refused, STATUS_INVALID_DEVICE_STATE" in text
    assert "free-async-context: undefined" in text


@pytest.mark.parametrize(
    "topic",
    [
        "handles", "contexts", "credentials", "buffers", "flags", "timers", "schedule", "rules", "calls", "keylog",
        "breakpoints", "faults", "wire", "findings", "display",
    ],
)  # fmt: skip
def test_info_tells_of_every_topic(topic):
    one = debugger(fault=["leg9=drop"])
    do(one, "break leg 9", "display leg", "until leg == 2")

    assert shown(do(one, f"info {topic}"))


def test_ladder_timeline_list_explain_api_and_verify_answer():
    one = debugger(server=["cert=expired"])
    do(one, "continue")

    assert "ClientHello" in shown(do(one, "ladder"))
    assert len(do(one, "timeline 5").lines) < len(do(one, "timeline").lines)
    assert "12" in shown(do(one, "list 12"))
    assert "SEC_E_CERT_EXPIRED" in shown(do(one, "explain"))
    assert "SEC_E_ALGORITHM_MISMATCH" in shown(do(one, "explain SEC_E_ALGORITHM_MISMATCH"))
    assert "SspiReinitAsyncContext" in shown(do(one, "api reinit"))
    assert "no misuse rule" in shown(do(one, "verify"))


def test_a_display_is_shown_at_every_stop():
    one = debugger()
    do(one, "display client.phase")

    assert "1: client.phase = idle" in shown(do(one, "step"))
    do(one, "undisplay 1")
    assert "1: client.phase" not in shown(do(one, "step"))


def test_changed_values_are_shown_old_and_new():
    one = debugger()

    stop = stop_of(do(one, "next"))

    assert ("client.credential", "none", "client.cred1") in stop.changed
    assert stop.to_json()["schema"] == "sspi-async/stop/1"


def test_panes_are_chosen_by_the_user():
    one = debugger()
    do(one, "set panes ladder")

    assert "may happen next" not in shown(do(one, "step"))
    assert "may happen next" in shown(do(one, "where"))


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("p leg2.ServerHello.random", "leg 2 was not sent yet"),
        ("p leg7", "leg 7 was not sent yet"),
        ("p client.nothing", "the client has no 'nothing'"),
        ("p client.init#9", "there is no call client.init#9"),
        ("p", "missing"),
        ("p leg1.ClientHello.randon", "random"),
        ("x leg4", "leg 4 was not sent yet"),
        ("x nonsense", "has no bytes"),
        ("decode leg9", "leg 9 was not sent yet"),
        ("why 99999", "there is no record"),
        ("explain frobnicate", "is no status"),
        ("api Frobnicate", "is no function"),
        ("info nonsense", "nothing that info knows"),
        ("legal both", "is no side"),
    ],
)
def test_what_is_not_there_is_one_line_that_says_so(line, says):
    one = debugger()
    do(one, "until leg == 1")

    response = refused(one, line)

    assert says in response.error + response.help


# -- by hand -----------------------------------------------------------------------------------------------------------
BY_HAND = (
    "create client",
    "set-callback client",
    "acquire client",
    "complete client.acquire",
    "continue",
)


def test_every_call_can_be_made_by_hand():
    one = debugger(by_hand=["client"])

    do(
        one,
        *BY_HAND,
        "wait client",
        "get-status client",
        "reinit client",
        "connect client 1",
        "init",
        "complete client.init",
    )
    do(one, "until client.callbacks == 2", "get-status client", "send client output", "finish")

    assert one.bench.view.value("client.status") == 0x00090312
    assert one.bench.view.value("leg") == 1
    assert not one.bench.view.findings


def test_a_leg_by_hand_that_no_handshake_holds_is_pointed_out():
    one = debugger(by_hand=["client"])

    text = shown(do(one, "create client", "set-callback client", "init"))

    assert "connect client 1 makes its legs count" in text


def test_a_whole_handshake_by_hand_comes_to_the_same_as_the_shipped_driver():
    one = debugger(by_hand=["client"])
    do(one, "create client", "set-callback client", "acquire client", "continue", "wait client", "reinit client")
    do(one, "connect client 1", "handshake client", "continue")

    assert one.bench.view.value("client.init#2.status") == 0


def test_reinit_while_a_call_is_pending_is_a_finding():
    one = debugger(by_hand=["client"])
    do(one, "create client", "set-callback client", "acquire client", "break finding")
    response = do(one, "reinit client")
    assert "A001" in shown(response)


def test_what_the_shipped_driver_made_can_be_named_too():
    one = debugger()
    do(one, "break client.init#1", "break finding A001", "continue")

    response = do(one, "reinit client.ac1")

    assert stop_of(response).reason.startswith("breakpoint 2")
    assert "STATUS_INVALID_DEVICE_STATE" in shown(response)


def test_a_held_call_stays_pending_until_it_is_completed_by_hand():
    one = debugger()
    do(one, "hold server.accept", "continue")
    assert "server.accept#1" in str(one.state.pending) or one.state.pending == 1

    do(one, "complete server.accept")
    assert one.bench.view.value("server.status") == 0x00090312
    do(one, "release server.accept")

    assert stop_of(do(one, "continue")).verdict == "ok"


def test_a_stuck_session_says_what_holds_it():
    one = debugger()
    do(one, "hold server.accept")

    response = do(one, "continue")

    assert "stuck" in stop_of(response).reason
    assert "server.call2 is held by server.accept" in shown(response)
    assert one.exit_code() == 6


def test_a_callback_is_a_list_of_commands():
    one = debugger(by_hand=["client"])

    do(one, "create client", 'set-callback client ac do="get-status this; reinit this"', "acquire client")
    do(one, "complete client.acquire", "until event == 'CallbackReturned'")

    assert one.bench.view.value("client.phase") == "idle"


def test_an_order_completes_pending_calls_one_after_the_other():
    one = debugger()
    do(one, "hold client", "hold server", "continue")
    assert one.state.pending == 2

    do(one, "order server.acquire client.acquire")

    completed = [
        record.event.call.actor for record in one.bench.view.records if isinstance(record.event, ev.CallCompleted)
    ]
    assert completed == ["server", "client"]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("complete server.accept", "could complete"),
        ("release client.init", "is held"),
        ("accept foo=1", "accept has no foo"),
        ("init async-context=[", "init"),
        ("create", "whose is it?"),
        ("init ac cred ctxt ctxt a b c d e f g h i j k l m n", "no more than"),
        ("query client attribute=NOPE", "is no context attribute"),
        ("init add-flags=NOPE", "is no flag here"),
        ("hold nobody", "names no call"),
        ("set-callback client do=frobnicate", "callback"),
        ("send client hex=zz", "hex"),
        ("sleep client", "what?"),
        ("order", "order which calls?"),
    ],
)
def test_an_impossible_call_is_refused_and_changes_nothing(line, says):
    response = refused(debugger(), line)

    assert says in response.error + response.help


# -- changing what is ahead --------------------------------------------------------------------------------------------
def test_a_tampered_byte_of_server_hello_is_seen_at_both_ends():
    one = debugger()
    do(one, "tamper leg2 ServerHello.random 01", "continue")

    assert one.bench.view.value("client.leg_status") == SecurityStatus.SEC_E_MESSAGE_ALTERED
    assert one.exit_code() == 1


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("drop leg2", "drop"),
        ("dup leg1", "duplicate"),
        ("split leg2 5 100", "split"),
        ("truncate leg1 100", "truncate"),
        ("extend leg2 00ff", "extend"),
        ("delay leg2 500", "delay"),
        ("tamper leg1 -1 ff", "tamper"),
        ("tamper leg2.ServerHello.random 01", "tamper"),
        ("fail server.accept SEC_E_INTERNAL_ERROR", "fail"),
        ("refuse client.init#1", "refuse"),
        ("hang server.accept#1", "hang"),
        ("delay client.init 20", "delay"),
        ("null client", "null"),
    ],
)
def test_a_fault_added_to_what_is_ahead_happens(line, kind):
    one = debugger()

    do(one, line, "continue")

    assert kind in [
        record.event.kind for record in one.bench.view.records if isinstance(record.event, ev.FaultInjected)
    ]


def test_bytes_are_injected_as_if_a_side_had_sent_them():
    one = debugger()
    do(one, "until leg == 1")

    do(one, "inject client 15030300020228")

    assert one.bench.view.value("leg2.data") == bytes.fromhex("15030300020228")


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("tamper leg1 5 01", "was sent already"),
        ("drop leg1", "goto"),
        ("fail client.init#1", "already"),
        ("null client.create#1", "already"),
        ("tamper leg3", "tamper with what"),
        ("tamper leg3 5 zz", "hex"),
        ("drop nothing", "is not a fault"),
        ("split leg3", "split"),
        ("fail client.init#2 SEC_E_OK", "is no error"),
        ("inject client", "inject what"),
    ],
)
def test_what_was_delivered_can_no_longer_be_changed(line, says):
    one = debugger()
    do(one, "until leg == 1")

    response = refused(one, line)

    assert says in response.error + response.help


# -- time --------------------------------------------------------------------------------------------------------------
def test_going_back_moves_the_view_and_undo_brings_it_forth_again():
    one = debugger()
    do(one, "until leg == 2")
    place, phase = one.bench.place, one.state.client

    do(one, "rs")
    assert one.bench.place.records < place.records
    do(one, "rs 3", "undo", "undo")

    assert one.bench.place == place
    assert one.state.client == phase


def test_the_past_is_shown_as_it_was():
    one = debugger()
    do(one, "step 9")
    then, records = one.state, one.bench.place.records
    do(one, "continue")

    do(one, f"goto {records}")

    now = one.state
    assert (now.client, now.server, now.leg, now.pending, now.ticks) == (
        then.client,
        then.server,
        then.leg,
        then.pending,
        then.ticks,
    )
    assert now.is_past


def test_rn_goes_back_by_calls_and_rc_to_a_breakpoint_or_the_start():
    one = debugger()
    do(one, "continue", "rn", "rn")
    assert one.bench.view.value("event") == "CallbackReturned"

    do(one, "break leg 1", "rc")
    assert one.bench.view.value("leg") == 1
    assert one.bench.view.value("event") == "TokenSent"

    do(one, "rc")
    assert one.bench.place.records == 1
    assert "start" in refused(one, "rs").error


def test_stepping_on_from_the_past_makes_the_session_again_as_a_branch():
    one = debugger()
    do(one, "continue")
    whole = len(one.bench.branches["main"].records)
    do(one, "goto 40")

    text = shown(do(one, "continue"))

    assert "branch2" in text
    assert "drawn anew" in text
    assert "differs" not in text
    assert len(one.bench.branches["main"].records) == whole
    assert "the same in" in shown(do(one, "diff main branch2"))


def test_two_futures_of_one_state_stand_side_by_side():
    one = debugger()
    do(one, "until leg == 1", "checkpoint before", "tamper leg2 ServerHello.random 01", "continue")
    assert one.exit_code() == 1

    do(one, "restart before", "continue")
    assert one.exit_code() == 0

    text = shown(do(one, "branches"))
    assert "main" in text
    assert "failed" in text
    assert "ok" in text
    assert "client.leg_status" in shown(do(one, "diff main branch2"))
    for leg in ("leg1", "leg2"):
        assert "no difference" in shown(do(one, f"diff main:{leg} {leg}"))


def test_undo_of_a_fault_takes_it_out_of_the_future():
    one = debugger()
    do(one, "until leg == 1", "tamper leg2 ServerHello.random 01", "undo")

    do(one, "continue")

    assert one.exit_code() == 0
    assert one.bench.branch.name == "branch2"


@pytest.mark.parametrize(
    "line", ["goto 9999", "goto nowhere", "goto", "undo", "rs", "rc", "rn", "restart here", "switch x"]
)
def test_there_is_no_going_to_what_is_not_there(line):
    response = refused(debugger(), line)

    assert response.help


# -- the debugger itself -----------------------------------------------------------------------------------------------
def test_help_lists_every_verb_and_says_what_each_does():
    one = debugger()
    text = shown(do(one, "help"))
    for verb in VERBS:
        assert verb.name in text
        assert verb.example in shown(do(one, f"help {verb.name}"))
    assert "set-callback" in shown(do(one, "apropos callback"))


def test_an_unknown_word_changes_nothing_and_suggests():
    response = refused(debugger(), "contniue")

    assert response.help == 'did you mean "continue"?'


def test_aliases_stand_for_commands():
    one = debugger()
    do(one, "alias ss step 2", "ss")

    assert one.bench.fired() == 2
    assert refused(one, "alias step next").error


def test_commands_of_a_file_are_done_until_one_fails(tmp_path):
    one = debugger()
    good, bad = tmp_path / "good", tmp_path / "bad"
    good.write_text("# two steps\nstep\n\nstep\n")
    bad.write_text("step\nfrobnicate\nstep\n")

    do(one, f"source {good}")
    assert one.bench.fired() == 2

    response = one.execute(f"source {bad}")
    assert "line 2, frobnicate" in response.error


def test_a_checkpoint_in_a_branch_that_a_refused_file_had_made_goes_with_the_branch(tmp_path):
    path = tmp_path / "commands"
    path.write_text("checkpoint first\nrestart first\nstep\ncheckpoint second\nnonsense\n")
    one = debugger()
    do(one, "step 5")
    assert one.execute(f"source {path}").error

    assert list(one.bench.checkpoints) == ["first"]
    assert one.execute("restart second").error
    do(one, "restart first", "step")


def test_a_file_that_sources_itself_comes_to_an_end(tmp_path):
    path = tmp_path / "loop"
    path.write_text(f"source {path}\n")

    assert "too deep" in debugger().execute(f"source {path}").error


def test_what_a_scenario_says_is_stepped_too():
    one = of_text(
        "schema: sspi-async/scenario/1\nname: by program\nprograms:\n  client:\n    - {create: ac}\n"
        "    - {reinit: ac}\n    - {free-async-context: ac}\n  server: []\n"
    )

    do(one, "break reinit", "continue")

    assert one.bench.view.value("event") == "AsyncContextReinitialized"
    assert do(one, "continue").stop is not None


def test_completion_knows_verbs_fields_and_statuses():
    one = debugger()
    do(one, "until leg == 2")

    assert "continue" in [c.text for c in one.complete("cont", 4)]
    assert "leg2.ServerHello.random" in [c.text for c in one.complete("p leg2.ServerHello.r", 20)]
    assert "SEC_E_CERT_EXPIRED" in [c.text for c in one.complete("explain SEC_E_CERT", 18)]
    assert "server.accept#1" in [c.text for c in one.complete("p server.acc", 12)]
    assert all(c.start == 2 for c in one.complete("i han", 5))


@pytest.mark.parametrize("text", ["p leg9.ServerHello.random", "p leg9.size", "p leg9"])
def test_what_is_in_a_leg_that_was_not_sent_is_refused_with_how_many_there_are(text):
    one = debugger()
    do(one, "finish")
    assert (refused(one, text).error, refused(one, text).help) == ("leg 9 was not sent yet", "there is one leg so far")
