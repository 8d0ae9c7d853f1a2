"""A client and a server in one process: the two async SSPIs, their programs, the wire and the choices, put together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sspicli.journal.events import RunStarted
from sspicli.journal.journal import Journal
from sspicli.runtime.api import AsyncSspi, Describe, Find
from sspicli.runtime.chooser import Chooser, Completion, First, Order, Policy, Replay, Seeded
from sspicli.runtime.dispatch import Dispatcher, SteppedDispatcher
from sspicli.session.actions import Driver
from sspicli.session.drivers import Plan, Style, endpoint_program
from sspicli.session.session import Endpoint, Session

if TYPE_CHECKING:
    from sspicli.session.faults import Fault, FaultyDispatcher


@dataclass(frozen=True, slots=True)
class Choices:
    """How the next transition is chosen; `schedule`, where given, decides alone."""

    completion: Completion = Completion.PENDING
    order: Order = Order.FIFO
    seed: int = 0
    schedule: tuple[int, ...] | None = None

    def chooser(self) -> Chooser:
        """Make the chooser that these words describe."""
        if self.schedule is not None:
            return Replay(self.schedule)
        if self.completion is Completion.PENDING and self.order is Order.FIFO:
            return First()
        if self.completion is Completion.RANDOM and self.order is Order.SEED:
            return Seeded(self.seed)
        return Policy(self.completion, self.order, self.seed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Blueprint:
    """What a session is made from, and each of many; `started`, where given, is to head its journal."""

    client: Plan
    server: Plan
    find: Find
    describe: Describe
    started: RunStarted | None = None
    choices: Choices = field(default_factory=Choices)
    faults: tuple[Fault, ...] = ()
    timeout: float = 30.0


def pair(
    client: Plan,
    server: Plan,
    *,
    find: Find,
    describe: Describe,
    journal: Journal,
    choices: Choices = Choices(),
    dispatcher: Dispatcher | None = None,
    program: Callable[[Plan, str], Driver] | None = None,
    faults: Sequence[Fault] = (),
    timeout: float = 30.0,
) -> Session:
    """Put a client and a server on an in-memory wire; stepped, unless another dispatcher is given."""
    dispatcher = dispatcher or SteppedDispatcher()
    faulty = _faulty(dispatcher, faults, journal) if faults else None
    dispatcher = faulty or dispatcher
    endpoints = []
    for name, plan in (("client", client), ("server", server)):
        api = AsyncSspi(name, find=find, describe=describe, journal=journal, dispatcher=dispatcher)
        endpoints.append(Endpoint(api, (program or _program_of(plan.style))(plan, name)))
    session = Session(endpoints, journal=journal, dispatcher=dispatcher, chooser=choices.chooser(), timeout=timeout)
    if faulty is not None:
        faulty.later = session.later
    return session


def _faulty(dispatcher: Dispatcher, faults: Sequence[Fault], journal: Journal) -> FaultyDispatcher:
    from sspicli.session.faults import FaultyDispatcher

    return FaultyDispatcher(dispatcher, faults, journal)


def _program_of(style: Style) -> Callable[[Plan, str], Driver]:
    """Choose the program of a style; the documentation's sample is seldom wanted."""
    if style is not Style.SAMPLE:
        return endpoint_program
    from sspicli.session.sample import documented_sample

    return documented_sample
