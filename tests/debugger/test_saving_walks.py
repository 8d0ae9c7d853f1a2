"""Random walks in every mode: each session can be kept, and what is kept goes the same way when it is replayed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings, strategies

from sspicli.analysis.cases import Outcome
from sspicli.analysis.report import report
from sspicli.debugger.beginning import Options, of_case, of_options
from sspicli.debugger.debugger import Debugger
from sspicli.debugger.inputs import redo
from sspicli.debugger.live import Live
from sspicli.journal import events as ev
from sspicli.journal.journal import Record
from sspicli.scenario.layout import formatted
from sspicli.scenario.load import load, loads
from sspicli.scenario.run import RunOptions, run, run_case
from tests.debugger.consoles import CLOCK, LOOK, shown
from tests.pairs import IS_DEEP

LIBRARY = Path(__file__).parents[2] / "scenarios"
WALKS = 3000 if IS_DEEP else 120

PROGRAM = """schema: sspi-async/scenario/1
name: programs of its own
session: { mode: poll }
schedule: { completion: random, order: seed, seed: 5 }
faults: [{ call: server.accept#2, delay: 300 }]
programs:
  client:
  - create: ac
  - set-callback: { async-context: ac, do: [{ get-status: this }] }
  - acquire: {}
    expect: { status: SEC_E_OK }
  - wait: ac
  - reinit: ac
    expect: STATUS_SUCCESS
  - connect: 1
  - handshake: {}
    expect: SEC_E_OK
  - sleep: 100
  - delete: {}
    expect: { status: SEC_E_OK }
  - poll: ac
  - check: { pending: 0 }
  client.other:
  - create: two
    expect: handle
  - sleep: 50
  - { set-callback: { async-context: two, do: null }, yields: true }
  - free-async-context: two
  server.user:
  - sleep: 3
  - create: mine
  - { get-status: mine, yields: true }
steps:
- leg: 1
  expect: { sender: client }
- call: client.init#1
  expect: { status: SEC_I_CONTINUE_NEEDED }
expect: { legs: 3..5, protocol: TLS 1.3 }
verify: { ignore: { A008: mine is never freed } }
"""


def fresh(*by_hand: str, **words: object) -> Callable[[], Debugger]:
    options = Options(clock=CLOCK, **words)  # type: ignore[arg-type]  # of several kinds
    return lambda: Debugger(of_options(options, by_hand=by_hand), LOOK)


def programs(*by_hand: str) -> Callable[[], Debugger]:
    return lambda: Debugger(of_case(loads(PROGRAM, "case.sspi.yaml").cases[0], by_hand=by_hand), LOOK)


BEGINNINGS = {
    "callbacks": fresh(),
    "polling": fresh(mode="poll", messages=1),
    "the documented sample": fresh(mode="sample"),
    "a client by hand": fresh("client"),
    "both by hand": fresh("client", "server"),
    "a client by hand beside a polling server": fresh("client", mode="poll"),
    "a handshake that fails": fresh(server=("cert=expired",)),
    "another order": fresh(completion="inline", order="lifo", messages=2),
    "a random order": fresh(completion="random", order="seed", seed=3, mode="poll", tls="1.2"),
    "faults from the start": fresh(fault=("client.init#2=delay:500", "leg2=split:5:100", "leg9=drop")),
    "programs": programs(),
    "programs and a hand": programs("server"),
}
SIDES = ("client", "server")
HANDS = [
    "hold SIDE", "hold server.accept", "hold client.init#2", "release SIDE", "release server.accept", "complete SIDE",
    "complete client.init", "order server.accept client.init", "create SIDE other", "create SIDE ac", "reinit SIDE ac1",
    "reinit SIDE", "get-status SIDE", "get-status SIDE typo", "requires-notify SIDE ac", "free-async-context SIDE.ac1",
    "query SIDE attribute=STREAM_SIZES", "lock SIDE m", "unlock SIDE m", "set-callback SIDE ac do=null",
    'set-callback SIDE other do="get-status this; reinit this"', 'set-callback SIDE ac do="get-status typo; sleep 20"',
    "inject SIDE 15030300020228", "send SIDE output", "send SIDE {leg=1}", "receive SIDE mine", "connect SIDE 1",
    "connect SIDE 2", "acquire SIDE", "acquire SIDE async-context=other", "wait SIDE", "poll SIDE",
    "poll SIDE async-context=driver-ac1", "sleep SIDE 5", "sleep SIDE 500", "init client", "accept server",
    "handshake SIDE", "handshake SIDE legs=1", "delete SIDE", "delete SIDE security-context=driver-ctxt1",
    "free-credential SIDE", "signal SIDE s", "await SIDE s", "close SIDE", "free-buffers SIDE", "read SIDE expiry",
    "touch SIDE async-context=ac what=output act=read", "end-data SIDE name=d", "assign SIDE variable=x to=y",
    "keep SIDE name=b bytes=received", "keep-extra SIDE", "encrypt SIDE bytes={text=hi}", "decrypt SIDE",
]  # fmt: skip
FAULTS = [
    "tamper leg2 ServerHello.random 01", "drop leg3", "dup leg1", "split leg2 5 100", "join leg3", "truncate leg2 90",
    "swap leg2", "delay leg2 200", "fail server.accept", "hang client.init", "hang server.accept#2", "null server",
    "refuse client.delete#1", "delay client.init#2 400", "delay server.acquire 50",
]  # fmt: skip
MOVES = [
    "step", "step 5", "step 12", "step 30", "next", "finish", "choose 2", "choose 3", "until leg == 2", "continue",
    "rs", "undo", "goto 30", "checkpoint here", "restart here", "break client.init", "break server.accept", "inline",
    "inline server", "pending client.init", "deliver client", "deliver server", "notify client", "notify server",
]  # fmt: skip
TYPED = strategies.builds(
    lambda text, side: text.replace("SIDE", side), strategies.sampled_from(HANDS), strategies.sampled_from(SIDES)
)
LINES = strategies.one_of(
    TYPED, strategies.sampled_from(FAULTS), strategies.sampled_from(MOVES), strategies.sampled_from(MOVES)
)


@settings(max_examples=WALKS, deadline=None, suppress_health_check=list(HealthCheck))
@given(strategies.sampled_from(sorted(BEGINNINGS)), strategies.lists(LINES, max_size=16))
def test_every_session_can_be_kept_and_goes_the_same_way_when_it_is_replayed(beginning, walk):
    one = BEGINNINGS[beginning]()
    for text in walk:
        one.execute(text)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "kept.sspi.yaml"
        response = one.execute(f"save {path}")
        assert not response.error, response.error
        text = path.read_text()
        case = load(path, path.name).cases[0]
    session = played_out(one)
    one.close()

    assert formatted(text) == text
    result = run_case(case, RunOptions())
    assert result.outcome is Outcome.PASSED, result.unmet
    assert f": {case.scenario.expect.verdict}, " in " ".join(shown(response).split())
    again = run(case).records
    assert happened(again) == happened(session)
    assert codes(again) == codes(session)
    assert report(again).reason == report(session).reason


SHIPPED = [case for path in sorted(LIBRARY.rglob("*.sspi.yaml")) for case in load(path, path.name).cases]
STEPPED = [case for case in SHIPPED if not case.scenario.schedule.workers]


@pytest.mark.parametrize("case", STEPPED if IS_DEEP else STEPPED[::12], ids=lambda case: case.id)
def test_a_scenario_that_is_only_stepped_is_kept_with_all_that_it_expects(case, tmp_path):
    one = Debugger(of_case(case), LOOK)
    one.execute("step 7")

    response = one.execute(f"save {tmp_path / 'kept.sspi.yaml'}")
    one.close()

    assert not response.error, response.error
    again = run_case(load(tmp_path / "kept.sspi.yaml", "kept").cases[0], RunOptions())
    assert again.outcome is Outcome.PASSED, again.unmet
    assert again.expectations >= run_case(case, RunOptions()).expectations
    assert "left out" not in shown(response)


def played_out(one: Debugger) -> Sequence[Record]:
    """Make the session again as far as it was looked at, and let it go on in its own order."""
    bench = one.bench
    assert bench.live is not None, "a session is under way"
    live = Live(bench.live.beginning)
    redo(live, bench.live.inputs[: bench.place.inputs])
    while live.fire():
        pass
    live.close()
    return live.records


def happened(records: Sequence[Record]) -> dict[str, list[tuple[str, ...]]]:
    """List for each endpoint which calls were queued, refused and completed, and with which status."""
    found: dict[str, list[tuple[str, ...]]] = {}
    for record in records:
        event, side = record.event, record.actor.partition(".")[0]
        if isinstance(event, ev.CallQueued):
            found.setdefault(event.call.actor, []).append((str(event.call), event.function.name))
        elif isinstance(event, ev.CallCompleted):
            found.setdefault(event.call.actor, []).append((str(event.call), event.status.name))
        elif isinstance(event, ev.CallRefused):
            found.setdefault(side, []).append((event.function.name, event.queue_status.name))
        elif isinstance(event, ev.CallStatusQueried):
            found.setdefault(side, []).append(("SspiGetAsyncCallStatus", event.status.name))
    return found


def codes(records: Sequence[Record]) -> list[str]:
    """List the rules that were broken, each as often as it was."""
    return sorted(one.rule.code for one in report(records).findings)
