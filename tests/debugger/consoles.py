"""A debugger on a session, driven by lines."""

from __future__ import annotations

from collections.abc import Sequence

from sspicli.debugger.beginning import Options, of_case, of_options
from sspicli.debugger.debugger import Debugger, Response, Stop
from sspicli.scenario.load import loads
from sspicli.views.look import Look
from sspicli.views.text import ASCII, plain

CLOCK = "2026-01-01T00:00:00Z"
LOOK = Look(ASCII, 100, timing=False)


def debugger(
    *,
    by_hand: Sequence[str] = (),
    client: Sequence[str] = (),
    server: Sequence[str] = (),
    mode: str = "callback",
    fault: Sequence[str] = (),
) -> Debugger:
    """Begin a fresh Schannel session."""
    options = Options(client=tuple(client), server=tuple(server), mode=mode, fault=tuple(fault), clock=CLOCK)
    return _kept(Debugger(of_options(options, by_hand=by_hand), LOOK))


def of_text(text: str) -> Debugger:
    """Begin with a scenario's text."""
    return _kept(Debugger(of_case(loads(text, "case.sspi.yaml").cases[0]), LOOK))


_BEGUN: list[Debugger] = []


def _kept(one: Debugger) -> Debugger:
    _BEGUN.append(one)
    return one


def close_all() -> None:
    """Close what a test has begun: a checkpoint may be a process."""
    while _BEGUN:
        _BEGUN.pop().close()


def do(one: Debugger, *lines: str) -> Response:
    """Do lines that must not fail; the last answer."""
    response = Response()
    for text in lines:
        response = one.execute(text)
        assert not response.error, f"{text}: {response.error} ({response.help})"
    return response


def refused(one: Debugger, text: str) -> Response:
    """Do a line that must fail in one line, and change nothing."""
    before = footprint(one)
    response = one.execute(text)
    assert response.error, f"{text} was to be refused: {shown(response)}"
    assert "\n" not in response.error
    assert response.stop is None
    assert footprint(one) == before
    return response


def footprint(one: Debugger) -> tuple[object, ...]:
    """Give what a refused request must not change."""
    bench = one.bench
    records = {name: len(branch.records) for name, branch in bench.branches.items()}
    inputs = {name: len(branch.inputs) for name, branch in bench.branches.items()}
    stops = [(number, stop.described(), stop.is_enabled, stop.ignore) for number, stop in bench.stops.items()]
    return bench.place, records, inputs, stops, dict(bench.checkpoints), dict(bench.aliases), list(bench.past)


def shown(response: Response) -> str:
    """Give the lines of an answer as text."""
    return "\n".join(plain(line) for line in response.lines)


def stop_of(response: Response) -> Stop:
    """Give the stop that an answer comes with."""
    assert response.stop is not None, shown(response)
    return response.stop
