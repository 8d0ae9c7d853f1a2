"""What was done in the debugger, kept as a scenario, comes to the same verdict when it is replayed."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings, strategies

from sspicli.analysis.cases import Outcome
from sspicli.journal import events as ev
from sspicli.journal.recording import read_recording
from sspicli.runtime.chooser import schedule_text
from sspicli.scenario.load import load
from sspicli.scenario.run import RunOptions, run_case
from tests.debugger.consoles import debugger, do, of_text, refused, shown

HANDS = [
    "hold client",
    "hold server",
    "hold server.accept",
    "release client",
    "release server",
    "complete client.init",
    "complete server.accept",
    "create client other",
    "reinit client",
    "get-status server",
    "create server more",
    "requires-notify client ac",
    "free-async-context client other",
    "query client attribute=STREAM_SIZES",
    "lock client m",
    'set-callback client other do="get-status this; reinit this"',
    "inject client 15030300020228",
    "receive client mine",
]
FAULTS = [
    "tamper leg2 ServerHello.random 01",
    "drop leg3",
    "dup leg1",
    "split leg2 5 100",
    "join leg3",
    "truncate leg2 90",
    "fail server.accept",
    "hang client.init",
    "refuse client.delete#1",
    "null server",
    "delay leg2 200",
]
MOVES = ["step", "step 5", "next", "finish", "choose 2", "choose 3", "until leg == 2", "rs", "undo", "goto 30"]
WALK = strategies.lists(strategies.sampled_from([*HANDS, *FAULTS, *MOVES, *MOVES]), max_size=12)
BEGINNINGS = strategies.sampled_from([{}, {"by_hand": ("client",)}, {"server": ("cert=expired",)}])


def replayed(path: Path) -> tuple[Outcome, str]:
    result = run_case(load(path, path.name).cases[0], RunOptions())
    return result.outcome, result.verdict


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(BEGINNINGS, WALK)
def test_what_is_kept_of_a_random_walk_replays_to_the_verdict_it_says(beginning, walk):
    one = debugger(**beginning)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "kept.sspi.yaml"
        for text in walk:
            one.execute(text)
        response = one.execute(f"save {path}")
        one.close()

        if "nothing here makes" in response.error or "begun no connection" in response.error:
            return  # what was typed named nothing, or went nowhere: a scenario of that is refused, and says why
        assert not response.error
        assert replayed(path)[0] is Outcome.PASSED
        assert f"verdict: {shown(response).split(': ')[1].split(',')[0]}" in path.read_text()


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
    assert "client.user:\n    - {create: other}" in text
    assert '- {"leg": 3, "drop": true}' in text


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


def test_a_session_that_a_scenario_cannot_order_is_not_kept_and_says_why(tmp_path):
    one = debugger(mode="poll")
    do(one, "until leg == 2", "inject client 15030300020228")

    response = refused(one, f"save {tmp_path / 'kept.sspi.yaml'}")

    assert "a timer had passed before something was typed" in response.error
    assert not (tmp_path / "kept.sspi.yaml").exists()
