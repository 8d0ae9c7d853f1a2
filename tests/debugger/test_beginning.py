"""What a session begins with: options, scenarios, recordings that are looked at, and recordings that are made again."""

from __future__ import annotations

from pathlib import Path

import pytest

from sspicli.debugger.beginning import Options, of_case, of_file, of_options, of_recording, scenario_text
from sspicli.debugger.debugger import Debugger
from sspicli.scenario.load import loads
from sspicli.sspi.errors import InputError, SspiCliError, UsageError
from sspicli.views.text import plain
from tests.debugger.consoles import CLOCK, LOOK, debugger, do, refused, shown, stop_of

SCENARIOS = Path(__file__).parents[2] / "scenarios"


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    one = debugger(server=["cert=expired"])
    path = tmp_path / "run.sspirec"
    do(one, f"record {path}", "step 4", "choose 3", "continue")
    one.close()
    return path


def test_a_recording_is_looked_at_step_by_step_from_any_record(recording):
    one = Debugger(of_recording(recording, at=40), LOOK)
    assert one.bench.place.records == 40

    do(one, "step")
    assert one.bench.place.records == 41
    do(one, "break SEC_E_CERT_EXPIRED", "continue")

    assert one.bench.view.value("client.status") == 0x80090328
    do(one, "rs", "rn", "goto 5", "undo", "why", "ladder", "info calls", "p leg1.ClientHello.random")


def test_a_recording_that_is_looked_at_cannot_be_changed_and_says_how_it_could(recording):
    one = Debugger(of_recording(recording), LOOK)

    for text in ("create client", "drop leg3", "run", "save x.sspi.yaml", "hold client", "choose 1"):
        response = refused(one, text)
        assert response.help


def test_a_recording_is_made_again_with_its_choices(recording):
    one = Debugger(of_recording(recording, again=True), LOOK)

    stop = stop_of(do(one, "continue"))

    assert stop.verdict == "failed"
    assert "2" in shown(do(one, "info schedule")).splitlines()[0]


def test_a_recording_made_again_is_the_same_as_the_one_on_file(recording):
    looked, again = Debugger(of_recording(recording), LOOK), Debugger(of_recording(recording, again=True), LOOK)
    do(again, "continue")

    kinds = [[type(one.event).__name__ for one in each.bench.branch.records] for each in (looked, again)]

    assert kinds[0][: len(kinds[1])] == kinds[1]


@pytest.mark.parametrize("path", sorted(SCENARIOS.rglob("*.sspi.yaml"))[::4], ids=lambda path: path.name)
def test_every_shipped_scenario_can_be_stepped_to_its_end(path):
    if "workers:" in path.read_text():
        pytest.skip("worker threads go at their own pace")
    one = Debugger(of_file(path), LOOK)

    do(one, "step 3", "where", "continue")

    assert one.bench.ended() is not None
    assert plain(one.greeting()[0])


def test_options_are_written_as_a_scenario_and_mean_the_same():
    options = Options(
        client=("target=localhost",), server=("cert=expired", "alpn=$h2"), seed=7, fault=("leg2=drop",), tls="1.2",
        mode="poll", completion="inline", clock=CLOCK,
    )  # fmt: skip

    scenario = loads(scenario_text(options), "written").cases[0].scenario

    assert scenario.session.server == {"cert": "expired", "alpn": "$h2"}
    assert (scenario.session.tls, scenario.session.mode, scenario.schedule.seed) == ("1.2", "poll", 7)
    assert scenario.schedule.completion == "inline"
    assert scenario.faults[0].drop


@pytest.mark.parametrize(
    "options",
    [
        Options(server=("cert=nope",)),
        Options(server=("nope=1",)),
        Options(package="nope"),
        Options(fault=("leg2=frobnicate",)),
        Options(schedule="v9:"),
        Options(clock="yesterday"),
    ],
)
def test_options_that_mean_nothing_are_refused_with_help(options):
    with pytest.raises(SspiCliError) as error:
        Debugger(of_options(options), LOOK)
    assert error.value.message


def test_a_side_that_does_not_exist_cannot_be_worked_by_hand():
    with pytest.raises(UsageError):
        of_options(Options(), by_hand=["both"])


def test_a_record_beyond_the_end_is_refused(recording):
    with pytest.raises(UsageError, match="records"):
        of_recording(recording, at=100_000)


def test_what_is_no_recording_is_an_input_error(tmp_path):
    path = tmp_path / "x"
    path.write_text("nothing\n")
    with pytest.raises(InputError):
        of_file(path)


def test_a_scenario_over_worker_threads_is_refused():
    text = "schema: sspi-async/scenario/1\nname: w\nschedule: { workers: 2 }\n"
    with pytest.raises(UsageError, match="worker threads"):
        of_case(loads(text, "w.sspi.yaml").cases[0])


def test_an_interrupt_stops_at_the_next_transition_and_loses_nothing():
    one = debugger()

    class Interrupting:
        def __call__(self, record: object) -> None:
            one.interrupt()

    assert one.bench.live is not None
    one.bench.live.subscribe(Interrupting())
    stop = stop_of(do(one, "continue"))

    assert stop.reason == "interrupted"
    assert one.bench.fired() == 1
    assert stop_of(do(one, "step")).reason == "stepped"


def test_the_first_lines_say_what_this_is_and_how_to_get_help():
    text = "\n".join(plain(line) for line in debugger().greeting())

    assert "Schannel" in text
    assert "help" in text
