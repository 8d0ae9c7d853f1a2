"""A client and a server in one process: the two async SSPIs, their programs, the wire and the choices, put together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sspicli.journal.events import RunStarted
from sspicli.journal.journal import Journal
from sspicli.runtime.api import AsyncSspi, Describe, Find
from sspicli.runtime.chooser import Chooser, Completion, First, Order, Policy, Replay, Seeded
from sspicli.runtime.dispatch import Dispatcher, SteppedDispatcher
from sspicli.session.actions import Driver
from sspicli.session.drivers import Plan, Style, endpoint_program
from sspicli.session.endpoint import Endpoint
from sspicli.session.session import Session

if TYPE_CHECKING:
    from sspicli.runtime.call_names import CallBook, CallPattern
    from sspicli.runtime.holds import HoldingDispatcher
    from sspicli.session.fault_words import AnyFault
    from sspicli.session.misfortune import Misfortune
    from sspicli.session.wire_faults import Locate


@dataclass(frozen=True, slots=True)
class Choices:
    """How the next transition is chosen; `schedule`, where given, decides alone.

    `calls` says of some calls when they complete; `sequence` names calls that complete in this order (see `Policy`).
    """

    completion: Completion = Completion.PENDING
    order: Order = Order.FIFO
    seed: int = 0
    schedule: tuple[int, ...] | None = None
    calls: tuple[tuple[CallPattern, Completion], ...] = ()
    sequence: tuple[CallPattern, ...] = ()

    @property
    def names_calls(self) -> bool:
        """Say whether calls must be counted for these words."""
        return self.schedule is None and bool(self.calls or self.sequence)

    def chooser(self, book: CallBook | None = None) -> Chooser:
        """Make the chooser that these words describe; `book` counts the calls where they are named."""
        if self.schedule is not None:
            return Replay(self.schedule)
        if self.names_calls:
            return Policy(self.completion, self.order, self.seed, calls=self.calls, sequence=self.sequence, book=book)
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
    faults: tuple[AnyFault, ...] = ()
    locate: Locate | None = None
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
    others: Mapping[str, Mapping[str, Driver]] | None = None,
    faults: Sequence[AnyFault] = (),
    locate: Locate | None = None,
    holds: bool = False,
    misfortune: Misfortune | None = None,
    ask: Callable[[Chooser], Chooser] | None = None,
    timeout: float = 30.0,
) -> Session:
    """Put a client and a server on an in-memory wire; stepped, unless another dispatcher is given.

    `program` makes each endpoint's program, and `others` are programs beside it, by endpoint and name (see `Endpoint`).
    `misfortune` is a whole fault plan of the caller's own, which may be open, instead of `faults` and `locate`.
    `ask` makes of the chooser that these choices give another one, such as one that asks its user.
    `locate` finds the fields that faults of the wire name; see `analysis/places.py`. With `holds` programs may hold
    calls; that, and choices that name calls, costs a little on each call.
    """
    dispatcher = dispatcher or SteppedDispatcher()
    holding = _holding(dispatcher, journal) if holds else None
    dispatcher = holding or dispatcher
    misfortune = _misfortune(faults, journal, locate) if faults else misfortune
    if misfortune is not None:
        dispatcher = misfortune.around(dispatcher)
    dispatcher, book = counted(dispatcher) if holds or choices.names_calls else (dispatcher, None)
    endpoints = []
    for name, plan in (("client", client), ("server", server)):
        api = AsyncSspi(name, find=find, describe=describe, journal=journal, dispatcher=dispatcher)
        own = (program or _program_of(plan.style))(plan, name)
        endpoints.append(Endpoint(api, own, (others or {}).get(name)))
    session = Session(
        endpoints,
        journal=journal,
        dispatcher=dispatcher,
        chooser=choices.chooser(book) if ask is None else ask(choices.chooser(book)),
        holds=holding,
        wire=None if misfortune is None else misfortune.wire,
        timeout=timeout,
    )
    if misfortune is not None:
        misfortune.attach(session)
    return session


def counted(dispatcher: Dispatcher) -> tuple[Dispatcher, CallBook]:
    """Let the calls that pass through a dispatcher have names."""
    from sspicli.runtime.call_names import CallBook, NumberingDispatcher

    book = CallBook()
    return NumberingDispatcher(dispatcher, book), book


def _holding(dispatcher: Dispatcher, journal: Journal) -> HoldingDispatcher:
    from sspicli.runtime.holds import HoldingDispatcher

    return HoldingDispatcher(dispatcher, journal)


def _misfortune(faults: Sequence[AnyFault], journal: Journal, locate: Locate | None) -> Misfortune:
    from sspicli.session.misfortune import Misfortune

    return Misfortune(faults, journal, locate)


def _program_of(style: Style) -> Callable[[Plan, str], Driver]:
    """Choose the program of a style; the documentation's sample is seldom wanted."""
    if style is not Style.SAMPLE:
        return endpoint_program
    from sspicli.session.sample import documented_sample

    return documented_sample
