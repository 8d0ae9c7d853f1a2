"""What was done in the debugger, kept as a scenario, comes to the same verdict when it is replayed."""

from __future__ import annotations

from pathlib import Path

import pytest

from sspicli.analysis.cases import Outcome
from sspicli.debugger.beginning import of_case, of_file
from sspicli.debugger.debugger import Debugger
from sspicli.journal import events as ev
from sspicli.journal.recording import read_recording
from sspicli.runtime.chooser import schedule_text
from sspicli.scenario.layout import formatted
from sspicli.scenario.load import load, loads
from sspicli.scenario.run import RunOptions, run, run_case
from tests.debugger.consoles import LOOK, debugger, do, of_text, refused, shown
from tests.processes import sspi
from tests.scenario.test_paths import PEM


def replayed(path: Path) -> tuple[Outcome, str]:
    result = run_case(load(path, path.name).cases[0], RunOptions())
    return result.outcome, result.verdict


@pytest.mark.parametrize(
    ("lines", "verdict"),
    [
        (("continue",), "ok"),
        (("tamper leg2 ServerHello.random 01", "continue"), "failed"),
        (("until leg == 1", "hang server.accept#1", "continue"), "stuck"),
        (("step 4", "choose 3", "choose 2", "continue"), "ok"),
        (("hold server.accept", "continue", "complete server.accept", "release server.accept", "continue"), "ok"),
        (("break client.init#1", "continue", "reinit client.ac1"), "ok, finding A001"),
    ],
)
def test_a_kept_session_says_what_it_came_to(tmp_path, lines, verdict):
    one = debugger()
    do(one, *lines)
    path = tmp_path / "kept.sspi.yaml"

    text = shown(do(one, f"save {path}"))

    assert f": {verdict}, " in " ".join(text.split())
    assert replayed(path)[0] is Outcome.PASSED


def test_choices_are_kept_as_a_schedule(tmp_path):
    one = debugger()
    do(one, "step 4", "choose 3", "continue")

    do(one, f"save {tmp_path / 'kept.sspi.yaml'}")

    schedule = load(tmp_path / "kept.sspi.yaml", "kept").cases[0].scenario.schedule.choices
    assert one.bench.live is not None
    assert schedule == schedule_text(one.bench.live.choices())
    assert "2" in schedule


def test_what_was_typed_is_kept_as_a_program_with_its_faults(tmp_path):
    one = debugger()
    do(one, "create client other", "drop leg3", "continue")

    do(one, f"save {tmp_path / 'kept.sspi.yaml'}")

    text = (tmp_path / "kept.sspi.yaml").read_text()
    assert "client.user:\n    - { create: other }" in text
    assert '- { "leg": 3, "drop": true }' in text


def test_a_scenario_that_was_changed_keeps_its_own_parts(tmp_path):
    one = of_text(
        "schema: sspi-async/scenario/1\nname: expired\nsession:\n  tls: '1.2'\n  server: { cert: { not-after: -1d } }\n"
        "faults:\n  - { leg: 1, split: [5] }\nexpect: { client: SEC_E_CERT_EXPIRED }\n"
    )
    do(one, "tamper leg2 7 01")

    do(one, f"save {tmp_path / 'kept.sspi.yaml'}")

    case = load(tmp_path / "kept.sspi.yaml", "kept").cases[0]
    assert case.scenario.session.tls == "1.2"
    assert len(case.scenario.faults) == 2
    assert replayed(tmp_path / "kept.sspi.yaml")[0] is Outcome.PASSED


def test_no_file_is_written_over(tmp_path):
    path = tmp_path / "kept.sspi.yaml"
    path.write_text("mine")
    one = debugger()

    for verb in ("save", "record", "export"):
        assert "is there already" in refused(one, f"{verb} {path}").error
    assert path.read_text() == "mine"
    assert "no name of a scenario" in refused(one, f"save {tmp_path / 'kept.txt'}").error


def test_a_recording_holds_the_session_from_its_start_and_a_branch_has_a_file_of_its_own(tmp_path):
    one = debugger()
    do(one, "until leg == 1", f"record {tmp_path / 'run.sspirec'}", "continue", "goto 20", "continue")
    one.close()

    first, second = (read_recording(tmp_path / name).records for name in ("run.sspirec", "run-2.sspirec"))

    assert isinstance(first[0].event, ev.RunStarted)
    assert isinstance(first[-1].event, ev.RunEnded)
    assert len(second) == len(first)


def test_a_session_left_early_is_recorded_as_interrupted(tmp_path):
    one = debugger()
    do(one, f"record {tmp_path / 'run.sspirec'}", "step 5")
    one.close()

    records = read_recording(tmp_path / "run.sspirec").records

    ended = records[-1].event
    assert isinstance(ended, ev.RunEnded)
    assert ended.reason == "interrupted"


def test_export_writes_the_records_seen_without_secrets(tmp_path):
    one = debugger()
    do(one, "until leg == 2", f"export {tmp_path / 'run.jsonl'}")

    text = (tmp_path / "run.jsonl").read_text()

    assert len(text.splitlines()) == 1 + len(one.bench.view.records)
    secret = next(record.event.line for record in one.bench.view.records if isinstance(record.event, ev.KeyLogged))
    assert secret.split()[-1] not in text


def kept(one: Debugger, folder: Path, *lines: str) -> tuple[str, str]:
    """Do lines and keep the session; what was said, and the text, which passes as it stands."""
    do(one, *lines)
    path = folder / "kept.sspi.yaml"
    said = " ".join(shown(do(one, f"save {path}")).split())
    text = path.read_text()
    assert replayed(path)[0] is Outcome.PASSED
    assert formatted(text) == text
    return said, text


def test_a_step_that_was_typed_after_a_timer_yields_until_the_schedule_chooses_it(tmp_path):
    one = debugger(mode="poll")

    _, text = kept(one, tmp_path, "until leg == 2", "inject client 15030300020228", "get-status client driver-ac1")

    assert '- { send: { hex: "15030300020228" }, yields: true }' in text
    assert "- { get-status: driver-ac1 }" in text


def test_the_end_of_a_program_of_a_hand_keeps_no_timer_from_firing(tmp_path):
    one = debugger(by_hand=["client"], mode="poll")

    said, text = kept(one, tmp_path, "continue")

    assert ": stuck," in said
    assert "client: []" in text


@pytest.mark.parametrize(
    ("typed", "step"),
    [
        ("get-status client typo", "{ get-status: typo, deliberate: true }"),
        ("unlock client m", "{ unlock: m, deliberate: true }"),
        ("await client s", "{ await: s, deliberate: true }"),
        ("send client typo", "{ send: typo, deliberate: true }"),
        ("hold client.init#9", "{ hold: client.init#9, deliberate: true }"),
        ("touch client what=input act=read", "{ touch: { what: input, act: read }, deliberate: true }"),
    ],
)
def test_what_a_checker_takes_for_a_slip_is_marked_deliberate(tmp_path, typed, step):
    _, text = kept(debugger(), tmp_path, typed)

    assert step in text


def test_a_hand_that_used_the_wire_without_a_connection_is_kept(tmp_path):
    one = debugger(by_hand=["client"])

    _, text = kept(one, tmp_path, 'send client {text="hello"}', "receive client", "continue")

    assert text.count("deliberate: true") == 2
    assert "connect" not in text


def test_what_a_callback_lacks_is_marked_at_the_step_that_registers_it(tmp_path):
    one = debugger(by_hand=["client"])
    register = 'set-callback client ac do="get-status typo; complete server.init#7"'

    _, text = kept(one, tmp_path, "create client ac", register, "acquire client", "continue")

    assert text.count("deliberate: true") == 1


PROGRAM = """
schema: sspi-async/scenario/1
name: a program
programs:
  client:
  - create: ac
    expect: handle
  - set-callback: ac
  - note: "a, b: { c }"
  - acquire: {}
    expect: { status: SEC_E_OK }
  - wait: ac
  - reinit: ac
    expect: STATUS_SUCCESS
  - connect: 1
  - handshake: {}
    expect: SEC_E_OK
  - check: { callbacks: 3, phase: { ac: idle } }
  - free-async-context: ac
steps:
- leg: 1
  expect: { sender: client, token: { messages: [ClientHello], contains: [ClientHello] } }
- leg: 4
  expect: { sender: server }
expect: { verdict: ok, legs: 3..5, client: SEC_E_OK, protocol: TLS 1.3 }
"""


def test_what_a_scenario_expects_is_kept_where_it_still_holds(tmp_path):
    said, text = kept(of_text(PROGRAM), tmp_path, "step 5")

    assert "left out" not in said
    assert "{ create: ac, expect: handle }" in text
    assert "expect: { sender: client, token: { messages: [ClientHello], contains: [ClientHello] } }" in text
    assert "check: { callbacks: 3, phase: { ac: idle } }" in text
    assert "protocol: TLS 1.3" in text
    assert 'note: "a, b: { c }"' in text


def test_what_no_longer_holds_is_left_out_and_said_with_its_place(tmp_path):
    said, text = kept(of_text(PROGRAM), tmp_path, "tamper leg2 ServerHello.random 01")

    assert "case.sspi.yaml:17: client.8 expect: expected SEC_E_OK, got" in said
    assert "case.sspi.yaml:25: expect verdict: expected ok, got failed: written anew" in said
    assert "{ create: ac, expect: handle }" in text
    assert "{ handshake: {} }" in text
    assert "case.sspi.yaml:23: leg 4 leg: expected leg 4, got 3 legs: left out" in said
    assert "legs: 3..5, protocol: TLS 1.3 }" in text


def test_a_program_that_a_hand_stands_in_for_is_said_to_be_left_out(tmp_path):
    one = Debugger(of_case(loads(PROGRAM, "case.sspi.yaml").cases[0], by_hand=["client"]), LOOK)

    said, text = kept(one, tmp_path, "create client mine", "continue")

    assert "the program of the client: it was driven by hand: left out" in said
    assert "client:\n    - { create: mine }" in text


def test_a_hand_beside_a_program_that_was_kept_of_a_hand_has_a_name_of_its_own(tmp_path):
    one = debugger()
    do(one, "create client first", f"save {tmp_path / 'first.sspi.yaml'}")
    again = Debugger(of_file(tmp_path / "first.sspi.yaml"), LOOK)

    _, text = kept(again, tmp_path, "step 3", "create client second")

    assert "client.user:\n    - { create: first }" in text
    assert "client.user2:\n    - { create: second }" in text


def test_a_branch_says_how_it_came_about_in_a_comment(tmp_path):
    one = debugger()

    _, text = kept(one, tmp_path, "continue", "goto 20", "step", "fail server.accept#2")

    assert "# It is branch2: from main at record 20, made again from" in text


def test_a_fault_that_never_happened_is_left_out_and_named_in_a_comment(tmp_path):
    _, text = kept(debugger(fault=["leg9=drop"]), tmp_path)

    assert "# Left out, as it never happened: leg9=drop." in text
    assert "faults:" not in text


def test_a_session_goes_on_in_its_own_order_behind_what_is_kept(tmp_path):
    one = of_text(
        "schema: sspi-async/scenario/1\nname: lifo\nsession: { messages: 2 }\n"
        "schedule: { completion: random, order: seed, seed: 4 }\n"
    )
    do(one, "step 3", f"save {tmp_path / 'kept.sspi.yaml'}", "continue")
    assert one.bench.live is not None

    ran = run(load(tmp_path / "kept.sspi.yaml", "kept").cases[0])

    assert ran.schedule == schedule_text(one.bench.live.choices())


def test_a_session_that_goes_on_for_ever_is_not_kept_and_says_why(tmp_path):
    one = debugger(fault=["server.accept#1=hang"])
    do(one, "continue", "poll server async-context=driver-ac1 pause=1", "step 20")

    response = refused(one, f"save {tmp_path / 'kept.sspi.yaml'}")

    assert "goes on after 100,000 transitions" in response.error
    assert not (tmp_path / "kept.sspi.yaml").exists()


def test_a_kept_step_that_yields_is_named_among_what_may_happen_and_can_be_kept_again(tmp_path):
    one = debugger(mode="poll")
    do(one, "until leg == 2", "inject client 15030300020228", f"save {tmp_path / 'first.sspi.yaml'}")
    again = Debugger(of_file(tmp_path / "first.sspi.yaml"), LOOK)

    stop = shown(do(again, "step 20"))
    _, text = kept(again, tmp_path, "until leg == 2", "create server more")

    assert "client.user, which stands by, goes on" in stop
    assert text.count("yields: true") == 2
    assert "server.user:" in text


def test_what_is_kept_passes_the_checker_and_the_layout_from_outside(tmp_path):
    do(debugger(mode="poll"), "until leg == 2", "get-status client typo", f"save {tmp_path / 'kept.sspi.yaml'}")

    checked, laid_out, replay = (
        sspi(*words, "kept.sspi.yaml", cwd=tmp_path)
        for words in (("scenario", "check"), ("scenario", "fmt", "--check"), ("replay", "--strict"))
    )

    assert (checked.returncode, laid_out.returncode, replay.returncode) == (0, 0, 0), replay.stdout


# -- files that the session names --------------------------------------------------------------------------------------
def with_file(folder: Path) -> Debugger:
    """Begin with a scenario of a folder, whose server has a certificate there."""
    folder.mkdir()
    (folder / "site.pem").write_bytes(PEM)
    text = "schema: sspi-async/scenario/1\nname: a file\nsession: { server: { cert: site.pem } }\n"
    (folder / "first.sspi.yaml").write_text(text)
    return Debugger(of_file(folder / "first.sspi.yaml"), LOOK)


def test_a_file_that_the_session_names_counts_from_the_folder_of_what_is_kept(tmp_path):
    one = with_file(tmp_path / "suite")

    _, text = kept(one, tmp_path / "suite", "create client mine", "continue")

    assert "server: { cert: site.pem }" in text


def test_a_file_below_the_folder_of_what_is_kept_is_found_there(tmp_path):
    one = with_file(tmp_path / "suite")

    _, text = kept(one, tmp_path, "step 3")

    assert "server: { cert: suite/site.pem }" in text


def test_a_session_with_a_file_outside_the_folder_is_not_kept_there_and_says_why(tmp_path):
    one = with_file(tmp_path / "suite")
    (tmp_path / "other").mkdir()

    response = refused(one, f"save {tmp_path / 'other' / 'kept.sspi.yaml'}")

    assert "the file is outside the scenario's folder" in response.error
