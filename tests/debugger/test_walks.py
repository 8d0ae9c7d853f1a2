"""Random walks through all verbs, with good arguments and bad: what must hold whatever is typed."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings, strategies

from sspicli.debugger.hand import BY_HAND
from sspicli.debugger.verbs import VERBS
from sspicli.views.text import width_of
from tests.debugger.consoles import LOOK, debugger, footprint

FILES = frozenset({"record", "save", "export", "source", "quit"})  # these have tests of their own
VERB_NAMES = [verb.name for verb in VERBS if verb.name not in FILES]
MOVES = [
    "step",
    "step 3",
    "next",
    "finish",
    "choose 1",
    "choose 2",
    "continue",
    "until leg == 2",
    "rs",
    "rn",
    "rc",
    "undo",
]
WORDS = [
    "",
    "1",
    "2",
    "0",
    "-1",
    "999999999999",
    "x",
    "client",
    "server",
    "client.init",
    "client.init#2",
    "server.*",
    "leg1",
    "leg2",
    "leg 2",
    "leg3",
    "leg2.ServerHello.random",
    "leg9.x",
    "ServerHello",
    "SEC_E_OK",
    "alert",
    "pending",
    "finding A001",
    "before init",
    "before client.init#2",
    "callback",
    "if leg == 2",
    "leg == 2 and",
    "client.status",
    "server.phase",
    "nonsense",
    "ac",
    "cred",
    "start",
    "end",
    "main",
    "here",
    "main:leg1",
    "40 01",
    "ServerHello.random 01",
    "5 9",
    "00ff",
    "SEC_E_INTERNAL_ERROR",
    "client ac",
    "server ac",
    "client.foo",
    "panes state",
    "panes nonsense",
    "[{type=TOKEN bytes=received}]",
    '"',
    "{",
    "(",
    'do="get-status this; reinit this"',
    "async-context=null",
    "async-context=foreign",
    "\x1b[2J",
    "\u202e",
    "é" * 50,
]
COMMANDS = strategies.one_of(
    strategies.sampled_from(MOVES),
    strategies.builds(
        lambda verb, words: " ".join([verb, *words]),
        strategies.sampled_from(VERB_NAMES),
        strategies.lists(strategies.sampled_from(WORDS), max_size=3),
    ),
    strategies.builds(
        lambda verb, side: f"{verb} {side}",
        strategies.sampled_from(BY_HAND),
        strategies.sampled_from(["client", "server"]),
    ),
    strategies.text(max_size=20),
)
WALKS = strategies.lists(COMMANDS, min_size=1, max_size=25)
BEGINNINGS = strategies.sampled_from([{}, {"by_hand": ("client",)}, {"server": ("cert=expired",)}, {"mode": "poll"}])


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(BEGINNINGS, WALKS)
def test_no_line_raises_and_no_journal_is_ever_shortened_or_lost(beginning, walk):
    one = debugger(**beginning)
    one.execute("set limit 500")
    lengths: dict[str, int] = {}
    try:
        for text in walk:
            before = footprint(one)
            response = one.execute(text)
            now = {name: len(branch.records) for name, branch in one.bench.branches.items()}
            assert all(now[name] >= length for name, length in lengths.items()), text
            lengths = now
            assert one.bench.place.records == len(one.bench.view.records) <= len(one.bench.branch.records)
            if response.error:
                assert "\n" not in response.error + response.help, text
                assert footprint(one) == before, text
            assert one.state.record == one.bench.place.records
            assert all(width_of(line) <= LOOK.width for line in response.lines), text
    finally:
        one.close()


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(BEGINNINGS, WALKS, strategies.sampled_from(MOVES))
def test_undo_gives_a_state_equal_to_the_one_before(beginning, walk, move):
    one = debugger(**beginning)
    one.execute("set limit 500")
    try:
        for text in walk:
            one.execute(text)
        place = one.bench.place
        shape = [(record.actor, record.event) for record in one.bench.view.records]
        phases = one.state
        if one.execute(move).error or move == "undo":
            return
        assert not one.execute("undo").error

        assert one.bench.place == place
        assert [(record.actor, record.event) for record in one.bench.view.records] == shape
        assert (one.state.client, one.state.server, one.state.leg, one.state.pending) == (
            phases.client,
            phases.server,
            phases.leg,
            phases.pending,
        )
    finally:
        one.close()
