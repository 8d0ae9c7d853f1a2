"""A session in an editor, by a scripted client; every message that is sent is held to the protocol's schema."""

import base64
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sspicli.adapter.adapter import CAPABILITIES
from sspicli.journal.events import KeyLogged
from sspicli.journal.recording import RecordingWriter
from tests.adapter.clients import Client, RefusedError, is_known
from tests.handshakes import records_of

PROGRAM = """\
schema: sspi-async/scenario/1
name: a server step by step
session: { tls: "1.3" }
programs:
  server:
    - create: ac
    - set-callback:
        async-context: ac
        do:
          - get-status: this
          - note: it was read
    - acquire: {}
      expect: { status: SEC_E_OK }
    - wait: ac
    - reinit: ac
    - connect: 1
    - handshake: {}
    - receive: received
    - close: wire
    - delete: {}
    - wait: ac
    - reinit: ac
    - free-credential: {}
    - wait: ac
    - free-async-context: ac
expect: { client: SEC_E_OK, server: SEC_E_OK }
"""
CREATE, SET, STATUS, NOTE, ACQUIRE, WAIT, DELETE, LAST = 6, 7, 10, 11, 12, 14, 20, 25

LEGS = """\
schema: sspi-async/scenario/1
name: a refused certificate
session: { server: { cert: expired } }
steps:
  - leg: 2
    expect: { token: { contains: [ServerHello] } }
  - call: client.init#2
    expect: { status: SEC_E_CERT_EXPIRED }
faults:
  - { leg: 1, delay: 100 }
expect: { verdict: failed, client: SEC_E_OK }
"""


@pytest.fixture
def program(tmp_path):
    path = tmp_path / "server.sspi.yaml"
    path.write_text(PROGRAM, encoding="utf-8")
    return path


@pytest.fixture
def legs(tmp_path):
    path = tmp_path / "expired.sspi.yaml"
    path.write_text(LEGS, encoding="utf-8")
    return path


@pytest.fixture
def recording(tmp_path):
    path = tmp_path / "run.sspirec"
    writer = RecordingWriter(path, include_secrets=True, warn=print)
    for record in records_of():
        writer(record)
    writer.close()
    return path


def lines_of(client, thread="server"):
    return [one["line"] for one in client.stack(thread)]


# -- the life of a session ---------------------------------------------------------------------------------------------
def test_all_that_is_promised_is_a_capability_of_the_protocol_and_is_answered():
    client = Client()
    client.ask("initialize", adapterID="sspi-async")
    answered = {"reverseContinue" if one == "stepBack" else one for one in client.adapter._commands}
    promised = [one.removeprefix("supports").removesuffix("Request") for one in CAPABILITIES if one.endswith("Request")]
    assert {f"{one[0].lower()}{one[1:]}" for one in promised} <= answered
    assert all(is_known(f"{one[0].upper()}{one[1:]}Request") for one in client.adapter._commands)


def test_a_session_without_breakpoints_runs_to_its_end_and_ends_with_the_verdict_of_replay(program):
    client = Client().launched(program=str(program))
    assert client.started() is None
    assert client.exit_code() == 0
    assert "pass: a server step by step, the run came to ok" in client.console()


def test_an_expectation_that_does_not_hold_is_told_with_its_line(legs):
    client = Client().launched(program=str(legs))
    client.started()
    told = next(one["body"] for one in client.events if "expectation not met" in str(one))
    assert (told["line"], told["source"]["path"], client.exit_code()) == (11, str(legs), 1)
    assert "expected SEC_E_OK, got SEC_E_CERT_EXPIRED" in told["output"]


def test_stop_on_entry_stops_before_anything_has_happened(program):
    client = Client().launched(program=str(program), stopOnEntry=True)
    assert client.started()["reason"] == "entry"
    assert client.scope("server", "Run")["record"]["value"] == "1"


def test_stop_on_end_stops_where_nothing_can_happen_any_more_and_going_back_is_possible(program):
    client = Client().launched(program=str(program), stopOnEnd=True)
    assert client.started()["reason"] == "pause"
    client.move("stepBack", client.threads()["server"])
    assert lines_of(client) == [LAST]
    client.move("continue")
    client.move("continue")
    assert client.events[-1]["event"] == "terminated"


def test_a_session_of_options_has_a_text_of_its_own():
    client = Client().launched(server=["cert=expired"], tls="1.3", stopOnEntry=True)
    client.started()
    reference = client.stack("client")[0]["source"]["sourceReference"]
    assert "cert" in client.ask("source", sourceReference=reference)["content"]


def test_a_session_of_options_ends_with_the_code_of_its_verdict():
    client = Client().launched(server=["cert=expired"])
    client.started()
    assert client.exit_code() == 1


def test_a_side_by_hand_is_driven_from_the_console(program):
    client = Client().launched(byHand=["server"])
    client.started()
    client.ask("evaluate", expression="create server ac", context="repl")
    assert client.scope("server", "server")["phase"]["value"] == "idle"
    assert client.stack("server")[0]["name"] == "create ac"


def test_restart_begins_again_with_the_file_as_it_is_now_and_with_the_breakpoints(program):
    client = Client().launched(program=str(program))
    client.break_at(program, ACQUIRE)
    client.started()
    program.write_text(PROGRAM.replace("a server step", "another server step"), encoding="utf-8")
    client.ask("restart")
    assert client.stop()["reason"] == "breakpoint"
    assert lines_of(client) == [ACQUIRE]
    client.move("continue")
    assert "pass: another server step" in client.console()


def test_restart_of_a_file_that_is_broken_now_leaves_the_session_as_it_is(program):
    client = Client().launched(program=str(program), stopOnEntry=True)
    client.started()
    program.write_text("schema: [", encoding="utf-8")
    with pytest.raises(RefusedError):
        client.ask("restart")
    assert client.move("next", client.threads()["server"])["reason"] == "step"


def test_without_debugging_breakpoints_are_passed(program):
    client = Client().launched(program=str(program), noDebug=True)
    client.break_at(program, ACQUIRE)
    assert client.started() is None


def test_the_recording_that_a_launch_asks_for_is_whole_when_the_client_leaves(program, tmp_path):
    client = Client().launched(program=str(program), record=str(tmp_path / "run.sspirec"))
    client.started()
    client.ask("disconnect")
    read = Client().launched(program=str(tmp_path / "run.sspirec"))
    read.started()
    assert "the recording ends here" in read.console()


# -- breakpoints -------------------------------------------------------------------------------------------------------
def test_a_breakpoint_on_a_line_stops_before_its_step_is_done(program):
    client = Client().launched(program=str(program))
    (found,) = client.break_at(program, ACQUIRE)
    stop = client.started()
    assert (stop["reason"], stop["hitBreakpointIds"]) == ("breakpoint", [found["id"]])
    assert lines_of(client) == [ACQUIRE]
    assert client.scope("server", "server's calls") == {}


def test_a_breakpoint_between_steps_moves_down_to_the_next(program):
    client = Client().launched(program=str(program))
    (found,) = client.break_at(program, 4)
    assert (found["verified"], found["line"]) == (True, CREATE)


def test_a_line_inside_a_step_belongs_to_it(program):
    client = Client().launched(program=str(program))
    (found,) = client.break_at(program, ACQUIRE + 1)
    assert (found["line"], found["endLine"]) == (ACQUIRE, ACQUIRE + 1)


def test_a_breakpoint_in_a_callback_stops_in_it_and_stepping_out_leaves_it(program):
    client = Client().launched(program=str(program))
    client.break_at(program, NOTE)
    client.started()
    inner, *outer = client.stack("server")
    assert (inner["name"], inner["line"]) == ("notify callback of server.acquire#1", NOTE)
    assert outer[0]["line"] == WAIT
    client.move("stepOut", client.threads()["server"])
    assert client.stack("server")[0]["line"] == WAIT


RAISED = """\
schema: sspi-async/scenario/1
name: a callback that raises, and one that does not
programs:
  server:
    - create: ac
    - set-callback: { async-context: ac, do: [{ throw: oops }] }
    - acquire: { credential: a }
    - poll: ac
    - reinit: ac
    - set-callback:
        async-context: ac
        do:
          - get-status: this
    - acquire: { credential: b }
    - wait: ac
"""


def test_stepping_out_leaves_the_callback_also_after_one_that_raised(tmp_path):
    path = tmp_path / "raised.sspi.yaml"
    path.write_text(RAISED, encoding="utf-8")
    client = Client().launched(program=str(path))
    client.break_at(path, 13)
    client.started()
    assert client.stack("server")[0]["name"] == "notify callback of server.acquire#2"
    client.move("stepOut", client.threads()["server"])
    assert client.stop() is not None
    assert not client.stack("server")[0]["name"].startswith("notify callback")


def test_a_breakpoint_below_everything_is_not_verified(program):
    client = Client().launched(program=str(program))
    (found,) = client.break_at(program, 99)
    assert not found["verified"]
    assert "nothing that can be stopped at" in found["message"]


def test_a_breakpoint_in_another_case_of_the_file_is_not_verified(tmp_path):
    path = tmp_path / "two.sspi.yaml"
    path.write_text(f"{PROGRAM}---\n{PROGRAM.replace('a server', 'another server')}", encoding="utf-8")
    client = Client().launched(program=str(path), case=2)
    first, second = client.break_at(path, ACQUIRE, PROGRAM.count("\n") + 1 + ACQUIRE)
    assert (first["verified"], second["verified"]) == (False, True)
    assert "another case" in first["message"]
    client.started()
    assert lines_of(client) == [second["line"]]


def test_breakpoints_of_another_file_are_not_verified_and_leave_those_of_ours(program, legs):
    client = Client().launched(program=str(program))
    client.break_at(program, ACQUIRE)
    (other,) = client.break_at(legs, 5)
    assert not other["verified"]
    assert client.started()["reason"] == "breakpoint"


def test_a_list_of_breakpoints_takes_the_place_of_the_one_before(program):
    client = Client().launched(program=str(program))
    client.break_at(program, CREATE, SET)
    client.break_at(program, ACQUIRE)
    client.started()
    assert lines_of(client) == [ACQUIRE]


def test_a_leg_a_call_and_a_fault_have_lines(legs):
    client = Client().launched(program=str(legs))
    client.break_at(legs, 5, 7, 10)
    client.started()
    found = [client.stop()["hitBreakpointIds"]]
    for _ in range(2):
        client.move("continue")
        found.append(client.stop()["hitBreakpointIds"])
    assert found == [[3], [1], [2]]
    assert lines_of(client, "client") == [7]


def test_a_condition_holds_a_breakpoint_back(program):
    client = Client().launched(program=str(program))
    client.break_at(program, WAIT, DELETE, LAST, condition="calls >= 3 and leg >= 2")
    client.started()
    assert lines_of(client)[0] == DELETE


def test_a_condition_that_is_none_is_said_at_the_breakpoint(program):
    client = Client().launched(program=str(program))
    (found,) = client.break_at(program, WAIT, condition="leg ==")
    assert not found["verified"]


def test_a_count_of_hits_passes_the_first_ones(program):
    client = Client().launched(program=str(program))
    client.break_at(program, STATUS, hitCondition=">= 3")
    client.started()
    assert client.scope("server", "server")["callbacks"]["value"] == "3"


def test_a_count_that_is_none_is_said_at_the_breakpoint(program):
    client = Client().launched(program=str(program))
    (found,) = client.break_at(program, STATUS, hitCondition="often")
    assert "count of hits" in found["message"]


def test_a_log_point_writes_and_does_not_stop(program):
    client = Client().launched(program=str(program))
    client.break_at(program, STATUS, logMessage="leg {leg}, {server.status}")
    assert client.started() is None
    assert "leg 0, SEC_E_OK" in client.console()
    assert client.exit_code() == 0


def test_a_step_that_passes_a_log_point_still_ends_at_its_line(program):
    client = Client().launched(program=str(program))
    client.break_at(program, WAIT)
    client.started()
    client.ask(
        "setBreakpoints",
        source={"path": str(program)},
        breakpoints=[{"line": STATUS, "logMessage": "read {server.status}"}, {"line": LAST}],
    )
    client.move("next", client.threads()["server"])
    assert "read SEC_E_OK" in client.console()
    assert client.stack("server")[0]["line"] == WAIT + 1


def test_functions_are_stopped_at_by_their_names():
    client = Client().launched()
    found = client.ask("setFunctionBreakpoints", breakpoints=[{"name": "client.init#2"}, {"name": "nothing"}])
    assert [one["verified"] for one in found["breakpoints"]] == [True, False]
    assert client.started()["reason"] == "function breakpoint"


def test_a_failing_call_stops_as_an_exception_that_says_why(legs):
    client = Client().launched(program=str(legs))
    client.ask("setExceptionBreakpoints", filters=["fail"])
    assert client.started()["reason"] == "exception"
    told = client.ask("exceptionInfo", threadId=1)
    assert told["exceptionId"] == "SEC_E_CERT_EXPIRED"
    assert "notAfter" in told["details"]["stackTrace"]


def test_a_finding_stops_as_an_exception():
    client = Client().launched(byHand=["client"])
    client.ask("setExceptionBreakpoints", filters=[], filterOptions=[{"filterId": "finding"}])
    client.started()
    for text in ("create client ac", "set-callback client ac", "hold client", "acquire client", "reinit client ac"):
        client.ask("evaluate", expression=text, context="repl")
    assert client.ask("exceptionInfo", threadId=1)["exceptionId"] == "A001"


def test_an_unknown_filter_is_not_verified():
    client = Client().launched()
    (found,) = client.ask("setExceptionBreakpoints", filters=["raised"])["breakpoints"]
    assert not found["verified"]


def test_a_value_can_be_watched_by_the_name_its_variable_has():
    client = Client().launched(stopOnEntry=True)
    client.started()
    frame = client.stack("server")[0]["id"]
    (scope, *_) = client.ask("scopes", frameId=frame)["scopes"]
    info = client.ask("dataBreakpointInfo", name="phase", variablesReference=scope["variablesReference"])
    client.ask("setDataBreakpoints", breakpoints=[{"dataId": info["dataId"]}])
    stop = client.move("continue")
    assert (stop["reason"], stop["description"]) == ("data breakpoint", "server.phase: none -> idle")


def test_what_has_no_name_cannot_be_watched():
    client = Client().launched(stopOnEntry=True)
    client.started()
    assert client.ask("dataBreakpointInfo", name="nothing of ours")["dataId"] is None


def test_the_lines_that_can_be_stopped_at_are_listed(program):
    client = Client().launched(program=str(program))
    found = client.ask("breakpointLocations", source={"path": str(program)}, line=1, endLine=12)["breakpoints"]
    assert [one["line"] for one in found] == [CREATE, SET, STATUS, NOTE, ACQUIRE]


# -- moving ------------------------------------------------------------------------------------------------------------
def test_next_goes_to_the_next_line_of_the_thread_over_its_callbacks(program):
    client = Client().launched(program=str(program))
    client.break_at(program, ACQUIRE)
    client.started()
    server = client.threads()["server"]
    found = [lines_of(client) and client.move("next", server) and client.stack("server")[0]["line"] for _ in range(2)]
    assert found == [WAIT, WAIT + 1]


def test_step_in_goes_into_a_callback(program):
    client = Client().launched(program=str(program))
    client.break_at(program, WAIT)
    client.started()
    client.move("stepIn", client.threads()["server"])
    assert client.stack("server")[0]["name"].startswith("notify callback")


def test_stepping_by_instructions_is_one_transition(program):
    client = Client().launched(program=str(program), stopOnEntry=True)
    client.started()
    client.move("next", client.threads()["server"], granularity="instruction")
    assert client.scope("server", "Run")["record"]["value"] == "2"


def test_stepping_into_a_target_lets_that_transition_happen():
    client = Client().launched(stopOnEntry=True)
    client.started()
    targets = client.ask("stepInTargets", frameId=client.stack("client")[0]["id"])["targets"]
    wanted = next(one["id"] for one in targets if one["label"].startswith("server"))
    client.move("stepIn", targetId=wanted)
    assert client.scope("server", "server")["phase"]["value"] == "idle"


def test_the_shipped_driver_is_stepped_by_calls_and_legs():
    client = Client().launched(stopOnEntry=True)
    client.started()
    client.move("next")
    client.move("stepOut")
    assert client.scope("client", "Run")["leg"]["value"] == "1"


def test_going_back_and_on_makes_the_session_again_and_says_so(program):
    client = Client().launched(program=str(program))
    client.break_at(program, ACQUIRE)
    client.started()
    client.move("stepBack", client.threads()["server"])
    assert lines_of(client) == [SET]
    client.move("continue")
    assert lines_of(client) == [ACQUIRE]
    assert "made again" in client.console()


def test_running_backwards_stops_at_a_breakpoint_that_was_passed(program):
    client = Client().launched(program=str(program), stopOnEnd=True)
    client.started()
    client.break_at(program, ACQUIRE)
    client.move("reverseContinue")
    assert client.stack("server")[-1]["line"] == ACQUIRE


def test_a_line_that_was_come_to_can_be_gone_back_to(program):
    client = Client().launched(program=str(program), stopOnEnd=True)
    client.started()
    targets = client.ask("gotoTargets", source={"path": str(program)}, line=STATUS)["targets"]
    client.move("goto", targetId=targets[0]["id"])
    assert client.stack("server")[0]["line"] == STATUS
    assert client.scope("server", "server")["callbacks"]["value"] == "1"


def test_what_cannot_be_done_leaves_the_session_where_it_is():
    client = Client().launched(stopOnEntry=True)
    client.started()
    assert client.move("stepBack")["reason"] == "step"
    assert "this is the start" in client.console()


# -- looking -----------------------------------------------------------------------------------------------------------
def test_a_pending_call_lies_under_what_its_thread_is_at():
    client = Client().launched()
    client.ask("setFunctionBreakpoints", breakpoints=[{"name": "server.accept#1"}])
    client.started()
    name, hint = [(one["name"], one.get("presentationHint")) for one in client.stack("server")][-1]
    assert (name, hint) == ("pending: server.accept#1", "label")


def test_buffers_show_type_size_and_bytes_before_and_after():
    client = Client().launched()
    client.ask("setFunctionBreakpoints", breakpoints=[{"name": "client.init#2"}])
    client.started()
    call = client.scope("client", "client's calls")["init#1"]
    parts = client.open(call["variablesReference"])
    buffers = client.open(parts["output"]["variablesReference"])
    images = client.open(buffers["[0]"]["variablesReference"])
    after = client.open(images["after"]["variablesReference"])
    leg = client.scope("client", "Legs")["leg1"]
    assert after["BufferType"]["value"] == "TOKEN (0x00000002)"
    assert f"{after['cbBuffer']['value']} B" in leg["value"]


def test_every_field_says_by_which_name_it_is_found_and_is_found_by_it():
    client = Client().launched()
    client.ask("setFunctionBreakpoints", breakpoints=[{"name": "client.init#2"}])
    client.started()
    waiting = list(client.scope("client", "Legs").values())
    found = 0
    while waiting and found < 150:
        one = waiting.pop()
        client.ask("evaluate", expression=one["evaluateName"], context="watch")
        found += 1
        if one["variablesReference"]:
            waiting += client.open(one["variablesReference"]).values()
    assert found > 50


def test_every_variable_that_has_a_name_can_be_evaluated_by_it():
    client = Client().launched()
    client.ask("setFunctionBreakpoints", breakpoints=[{"name": "client.init#2"}])
    client.started()
    for scope in ("client", "client's calls", "Run"):
        for one in client.scope("client", scope).values():
            if "evaluateName" in one:
                client.ask("evaluate", expression=one["evaluateName"], context="hover")


def test_bytes_are_read_as_memory():
    client = Client().launched()
    client.ask("setFunctionBreakpoints", breakpoints=[{"name": "client.init#2"}])
    client.started()
    leg = client.scope("client", "Legs")["leg1"]
    read = client.ask("readMemory", memoryReference=leg["memoryReference"], offset=0, count=5)
    assert base64.b64decode(read["data"])[:3] == bytes.fromhex("160301")


def test_bytes_behind_the_end_are_said_to_be_unreadable():
    client = Client().launched()
    client.ask("setFunctionBreakpoints", breakpoints=[{"name": "client.init#2"}])
    client.started()
    leg = client.scope("client", "Legs")["leg1"]
    read = client.ask("readMemory", memoryReference=leg["memoryReference"], offset=1 << 20, count=5)
    assert (read["data"], read["unreadableBytes"]) == ("", 5)


def test_the_console_does_what_the_debugger_does_and_tells_of_a_stop():
    client = Client().launched(stopOnEntry=True)
    client.started()
    count = len(client.events)
    assert "stepped" in client.ask("evaluate", expression="step 3", context="repl")["result"]
    assert [one["event"] for one in client.events[count:]] == ["stopped"]


def test_the_console_completes_with_meanings():
    client = Client().launched(stopOnEntry=True)
    client.started()
    targets = client.ask("completions", text="chec", column=5)["targets"]
    assert targets[0]["label"] == "checkpoint"
    assert targets[0]["detail"]


def test_lines_count_from_where_the_client_counts(program):
    client = Client()
    client.ask("initialize", adapterID="x", linesStartAt1=False, columnsStartAt1=False)
    client.ask("launch", program=str(program))
    (found,) = client.break_at(program, ACQUIRE - 1)
    assert (found["line"], found["column"]) == (ACQUIRE - 1, 6)


# -- recordings --------------------------------------------------------------------------------------------------------
def test_each_line_of_a_recording_is_a_record_and_its_stack_are_its_causes(recording):
    client = Client().launched(program=str(recording))
    client.break_at(recording, 21)
    client.started()
    assert client.scope("client", "Run")["record"]["value"] == "20"
    line = client.stack(next(one for one, id in client.threads().items() if id == client.stop()["threadId"]))
    assert line[0]["line"] == 21
    assert len(line) > 1


def test_a_recording_is_gone_through_backwards_too(recording):
    client = Client().launched(program=str(recording), at=10)
    client.ask("setFunctionBreakpoints", breakpoints=[{"name": "client.init#2"}])
    client.started()
    there = client.scope("client", "Run")["record"]["value"]
    client.move("stepBack")
    assert int(client.scope("client", "Run")["record"]["value"]) == int(there) - 1


def test_a_recording_ends_with_code_0_whatever_it_holds(recording):
    client = Client().launched(program=str(recording))
    assert client.started() is None
    assert client.exit_code() == 0


# -- bad input ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"program": "missing.sspi.yaml"}, "missing.sspi.yaml"),
        ({"program": 7}, "program must be a text"),
        ({"program": "x.sspi.yaml", "server": ["cert=expired"]}, "says itself"),
        ({"at": 3}, "no program is named"),
        ({"server": ["cert=expird"]}, "expird"),
        ({"mode": "loud"}, "loud"),
        ({"seed": "1"}, "seed must be a whole number"),
        ({"byHand": ["nobody"]}, "nobody"),
    ],
)
def test_a_launch_that_cannot_be_is_refused_with_why(arguments, said):
    client = Client()
    client.ask("initialize", adapterID="x")
    with pytest.raises(RefusedError, match=said):
        client.ask("launch", **arguments)


def test_a_file_that_is_no_scenario_is_refused_with_its_place(tmp_path):
    path = tmp_path / "x.sspi.yaml"
    path.write_text("schema: sspi-async/scenario/1\nname: x\nsesion: {}\n", encoding="utf-8")
    client = Client()
    client.ask("initialize", adapterID="x")
    with pytest.raises(RefusedError, match=r"x\.sspi\.yaml:3:1"):
        client.ask("launch", program=str(path))


def test_an_unknown_member_of_a_launch_is_told_with_the_nearest():
    client = Client().launched(stopOnEntri=True)
    assert "stopOnEntry" in client.console()


@pytest.mark.parametrize(
    ("command", "arguments", "said"),
    [
        ("stackTrace", {"threadId": 9}, "no thread 9"),
        ("stackTrace", {}, "threadId is missing"),
        ("scopes", {"frameId": 77}, "another stop"),
        ("variables", {"variablesReference": 77}, "another stop"),
        ("readMemory", {"memoryReference": "x", "count": 1}, "another stop"),
        ("evaluate", {"expression": "leg =="}, "expression"),
        ("evaluate", {"expression": "nonsense", "context": "repl"}, "no verb"),
        ("goto", {"threadId": 1, "targetId": 5}, "another stop"),
        ("source", {"sourceReference": 9}, "no such text"),
        ("attach", {}, "nothing to attach to"),
        ("launch", {}, "under way already"),
        ("nxt", {}, "no request"),
        ("exceptionInfo", {"threadId": 1}, "nothing has failed"),
    ],
)
def test_a_request_that_cannot_be_done_is_refused_and_the_connection_lives_on(command, arguments, said):
    client = Client().launched(stopOnEntry=True)
    client.started()
    with pytest.raises(RefusedError, match=said):
        client.ask(command, **arguments)
    assert client.move("next")["reason"] == "step"


def test_nothing_is_answered_before_there_is_a_session():
    client = Client()
    client.ask("initialize", adapterID="x")
    with pytest.raises(RefusedError, match="launched"):
        client.ask("threads")


COMMANDS = [
    "next",
    "stepIn",
    "stepOut",
    "stepBack",
    "continue",
    "reverseContinue",
    "threads",
    "stackTrace",
    "scopes",
    "variables",
    "evaluate",
    "completions",
    "setBreakpoints",
    "setFunctionBreakpoints",
    "setExceptionBreakpoints",
    "setDataBreakpoints",
    "dataBreakpointInfo",
    "pause",
    "breakpointLocations",
    "gotoTargets",
    "goto",
    "stepInTargets",
    "exceptionInfo",
    "readMemory",
    "source",
    "restart",
]
NAMES = [
    "threadId",
    "frameId",
    "variablesReference",
    "line",
    "column",
    "text",
    "expression",
    "name",
    "context",
    "source",
    "breakpoints",
    "filters",
    "targetId",
    "memoryReference",
    "count",
    "dataId",
]
SMALL = st.dictionaries(st.sampled_from(["line", "name", "condition"]), st.integers(1, 9) | st.text(max_size=5))
WORDS = st.sampled_from(["repl", "leg", "client.phase", "step 2", "rs", "fail"])
VALUES = st.integers(-2, 60) | st.text(max_size=12) | WORDS | st.just({"path": "x"}) | st.lists(SMALL, max_size=2)
MEMBERS = st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=4)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(asked=st.lists(st.tuples(st.sampled_from(COMMANDS), MEMBERS), max_size=12))
def test_whatever_is_asked_is_answered_as_the_protocol_has_it(asked):
    client = Client().launched(stopOnEntry=True, stopOnEnd=True)
    client.started()
    for command, arguments in asked:
        with suppress(RefusedError):
            client.ask(command, **{"threadId": 1, **arguments})
    client.ask("disconnect")


def test_no_variable_shows_a_secret_of_the_key_log():
    client = Client().launched(messages=2, stopOnEnd=True)
    client.started()
    records = client.adapter.desk.bench.view.records
    secrets = [one.event.line.split()[2] for one in records if isinstance(one.event, KeyLogged)]
    shown = repr(all_variables(client, "client") + all_variables(client, "server") + [client.console()])
    assert secrets
    assert not [one for one in secrets if one[:24] in shown.replace(" ", "")]


def all_variables(client, thread):
    """Open everything that is seen from a thread."""
    waiting = list(client.ask("scopes", frameId=client.stack(thread)[0]["id"])["scopes"])
    found: list[tuple[str, str | None]] = []
    while waiting and len(found) < 3000:
        one = waiting.pop()
        found.append((one["name"], one.get("value")))
        if one["variablesReference"]:
            waiting += client.open(one["variablesReference"]).values()
    return found


@pytest.mark.parametrize("command", ["continue", "next", "stepIn", "stepBack", "reverseContinue"])
def test_a_session_ends_once_and_moves_no_more(command):
    client = Client().launched()
    client.started()
    with pytest.raises(RefusedError, match="the session is over"):
        client.ask(command, threadId=1)
    assert [one["event"] for one in client.events].count("terminated") == 1


def test_after_its_end_a_session_can_be_begun_again():
    client = Client().launched()
    client.started()
    client.ask("restart")
    assert [one["event"] for one in client.events].count("terminated") == 2


REFUSED = """\
schema: sspi-async/scenario/1
name: a refused call
session: {}
steps:
  - call: client.init#2
    expect: { queue: SEC_E_INTERNAL_ERROR }
faults:
  - { call: client.init#2, refuse: SEC_E_INTERNAL_ERROR }
expect: { verdict: failed }
"""


def test_a_look_at_a_call_that_is_refused_stops_too(tmp_path):
    path = tmp_path / "refused.sspi.yaml"
    path.write_text(REFUSED, encoding="utf-8")
    client = Client().launched(program=str(path))
    (found,) = client.break_at(path, 5)
    assert client.started()["hitBreakpointIds"] == [found["id"]]
