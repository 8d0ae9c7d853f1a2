"""Many sessions over one pair of credentials: one after another, many in flight, on this thread or on workers.

The credentials are acquired once, by an async context of their own and on a journal of their own, lent to every
session, and freed when the last session is over. Each session has its journal, its wire and its async SSPIs; nothing
else is shared, so nothing needs a lock. A session in flight moves by turns: in a turn its pending calls are computed
and completed, and its programs go on until they wait again. Sessions with a turn to come stand in one queue, and who
takes one off owns it until it is back: that is the same code on one thread and on many. Turns do not change the order
within a session: its records are those of a stepped run alone.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import count
from typing import Generic, NamedTuple, TypeVar

from sspicli.journal.events import RunStarted
from sspicli.journal.journal import Journal
from sspicli.runtime.api import AsyncSspi
from sspicli.runtime.calls import OutputSlot, PendingCall
from sspicli.runtime.chooser import First
from sspicli.runtime.dispatch import Dispatcher, SteppedDispatcher
from sspicli.runtime.pool import Workers
from sspicli.session.actions import AcquireCredentialsHandle, Driver, FreeCredentialsHandle
from sspicli.session.drivers import Caller, Style, endpoint_program
from sspicli.session.endpoint import Endpoint
from sspicli.session.fault_words import AnyFault
from sspicli.session.faults import Fault
from sspicli.session.misfortune import Misfortune
from sspicli.session.pair import Blueprint, counted
from sspicli.session.sample import documented_sample
from sspicli.session.session import Session
from sspicli.sspi.functions import Function
from sspicli.sspi.handles import Handle
from sspicli.sspi.status import SecurityStatus

T = TypeVar("T")

OF_CREDENTIALS = frozenset({Function.SspiAcquireCredentialsHandleAsync, Function.SspiFreeCredentialsHandleAsync})
WAKE_SECONDS = 0.05


class Loan(NamedTuple):
    """What one side's sessions are lent: a credential's handle, and the async SSPI that owns it."""

    handle: Handle
    owner: AsyncSspi


class Credentials:
    """One credential for each side, acquired and freed by queued calls that are on record in `journal`."""

    def __init__(self, blueprint: Blueprint, journal: Journal) -> None:
        self.journal = journal
        self.loans: dict[str, Loan] = {}
        self._misfortune = Misfortune(_faults_of(blueprint.faults, is_owner=True), journal)
        self._dispatcher = self._misfortune.around(SteppedDispatcher())
        self._timeout = blueprint.timeout
        self._plans = {"client": blueprint.client, "server": blueprint.server}
        self._variables = {name: OutputSlot[Handle | None]("phCredential", None) for name in self._plans}
        self._apis = {
            name: AsyncSspi(
                name, find=blueprint.find, describe=blueprint.describe, journal=journal, dispatcher=self._dispatcher
            )
            for name in self._plans
        }

    def acquire(self) -> bool:
        """Acquire both; say whether both are there. If not, `free` still is to be called."""
        self._session(self._acquiring).advance()
        held = {name: variable.value for name, variable in self._variables.items()}
        self.loans = {name: Loan(handle, self._apis[name]) for name, handle in held.items() if handle is not None}
        return len(self.loans) == len(self._plans)

    def free(self) -> str:
        """Free what was acquired; record and return how it ended, as `Session.run` does."""
        return self._session(self._freeing).run()

    def _session(self, program: Callable[[str], Driver]) -> Session:
        endpoints = [Endpoint(api, program(name)) for name, api in self._apis.items()]
        session = Session(endpoints, journal=self.journal, dispatcher=self._dispatcher, timeout=self._timeout)
        self._misfortune.attach(session)
        return session

    def _acquiring(self, name: str) -> Driver:
        plan, caller = self._plans[name], Caller(Style.CALLBACK, name)
        if not (yield from caller.open()):
            return
        expiry = OutputSlot("ptsExpiry", 0)
        yield from caller.call(
            AcquireCredentialsHandle(
                caller.async_context,
                None,
                plan.package,
                plan.credential_use,
                plan.auth_data,
                self._variables[name],
                expiry,
            )
        )
        yield from caller.close()

    def _freeing(self, name: str) -> Driver:
        caller = Caller(Style.CALLBACK, name)
        if name not in self.loans or not (yield from caller.open()):
            return
        yield from caller.call(FreeCredentialsHandle(caller.async_context, self._variables[name]))
        yield from caller.close()


class TurnDispatcher:
    """Makes completions possible at the session's next turn, in the order of queueing."""

    __slots__ = ("_held", "completions")

    def __init__(self) -> None:
        self.completions: list[PendingCall] = []
        self._held: list[PendingCall] = []

    @property
    def outstanding(self) -> int:
        """Count the calls that wait for the next turn."""
        return len(self._held)

    def admit(self, function: Function, actor: str) -> SecurityStatus | None:
        """Admit everything."""
        return None

    def submit(self, call: PendingCall) -> None:
        """Keep the call for the next turn."""
        self._held.append(call)

    def release(self) -> None:
        """Begin a turn: what is held may complete."""
        self.completions += self._held
        self._held.clear()


class Flight:
    """One session under way; it is owned by one thread at a time."""

    __slots__ = ("_session", "_turns", "journal", "number")

    def __init__(self, number: int, blueprint: Blueprint, loans: dict[str, Loan], *, by_turns: bool) -> None:
        self.number = number
        self.journal = journal = Journal()
        seed = blueprint.choices.seed + number - 1
        if blueprint.started is not None:
            journal.append("user", _started(blueprint.started, number, seed), 0)
        self._turns = TurnDispatcher() if by_turns else None
        faults = _faults_of(blueprint.faults, is_owner=False)
        misfortune = Misfortune(faults, journal, blueprint.locate) if faults else None
        dispatcher: Dispatcher = self._turns or SteppedDispatcher()
        if misfortune is not None:
            dispatcher = misfortune.around(dispatcher)
        dispatcher, book = counted(dispatcher) if blueprint.choices.names_calls else (dispatcher, None)
        endpoints = []
        for plan in (blueprint.client, blueprint.server):
            name = plan.role.value
            loan = loans[name]
            api = AsyncSspi(
                name, find=blueprint.find, describe=blueprint.describe, journal=journal, dispatcher=dispatcher
            )
            loan.owner.lend_credential(loan.handle, api)
            program = documented_sample if plan.style is Style.SAMPLE else endpoint_program
            endpoints.append(Endpoint(api, program(plan, name)))
        choices = replace(blueprint.choices, seed=seed)
        chooser = First() if by_turns else choices.chooser(book)
        self._session = Session(
            endpoints,
            journal=journal,
            dispatcher=dispatcher,
            chooser=chooser,
            wire=None if misfortune is None else misfortune.wire,
            timeout=blueprint.timeout,
        )
        if misfortune is not None:
            misfortune.attach(self._session)

    def turn(self) -> bool:
        """Do what there is to do in one turn; say whether another is to come. Without one the run has ended."""
        turns = self._turns
        if turns is not None:
            turns.release()
        self._session.advance()
        if turns is not None and turns.outstanding:
            return True
        self._session.end()
        return False


class Fleet(Generic[T]):
    """`total` sessions, at most `in_flight` of them under way; `judge` makes what is kept of each.

    `judge` takes a session's number and its journal as soon as it has ended, on the thread that ended it. After `halt`
    no turn begins, and what was in flight is dropped as it is. `latest` is the journal of the session that began last,
    for someone who looks on.
    """

    def __init__(
        self,
        blueprint: Blueprint,
        loans: dict[str, Loan],
        judge: Callable[[int, Journal], T],
        *,
        total: int,
        in_flight: int = 1,
        workers: int = 0,
    ) -> None:
        is_in_order = not blueprint.choices.names_calls and isinstance(blueprint.choices.chooser(), First)
        assert is_in_order or in_flight == 1, "turns keep the default order of a session, and know no other"
        self.total = total
        self._blueprint = replace(
            blueprint,
            client=replace(blueprint.client, credential=loans["client"].handle),
            server=replace(blueprint.server, credential=loans["server"].handle),
        )
        self._loans = loans
        self._judge = judge
        self._in_flight = min(in_flight, total)
        self._workers = workers
        self._numbers = count(1)
        self.is_halted = False
        self.latest = Journal()

    def halt(self) -> None:
        """Begin no further turn; may be called from any thread, and from a signal handler."""
        self.is_halted = True

    def run(self) -> Iterator[T]:
        """Run all sessions and give what was judged of each, in the order in which they end."""
        return self._run_on_workers() if self._workers else self._run_here()

    def step(self, flight: Flight) -> tuple[Flight | None, list[T]]:
        """Give a session its turn: who is to be next in its place, and what was judged if it has ended."""
        if self.is_halted:
            return None, []
        if flight.turn():
            return flight, []
        return self._next(), [self._judge(flight.number, flight.journal)]

    def _run_here(self) -> Iterator[T]:
        queue = deque(self._first())
        while queue:
            following, judged = self.step(queue.popleft())
            if following is not None:
                queue.append(following)
            yield from judged

    def _run_on_workers(self) -> Iterator[T]:
        shift = _Shift(self, Workers(self._workers))
        try:
            yield from shift.run(self._first())
        finally:
            self.halt()
            shift.close()

    def _first(self) -> Iterator[Flight]:
        for _ in range(self._in_flight):
            flight = self._next()
            if flight is not None:
                yield flight

    def _next(self) -> Flight | None:
        """Begin the next session, if there is one; may be called from any thread."""
        number = next(self._numbers)
        if number > self.total:
            return None
        flight = Flight(number, self._blueprint, self._loans, by_turns=self._in_flight > 1)
        self.latest = flight.journal
        return flight


class _Shift(Generic[T]):
    """A fleet's run on workers, which take turns off one queue; the thread that runs it waits for what they judge."""

    def __init__(self, fleet: Fleet[T], workers: Workers) -> None:
        self._fleet = fleet
        self._workers = workers
        self._judged: deque[T] = deque()
        self._ends = count(1)
        self._is_over = threading.Event()
        self._error: Exception | None = None

    def run(self, flights: Iterator[Flight]) -> Iterator[T]:
        """Let the workers fly; give what is judged as it comes, until all is or the fleet is halted."""
        for flight in flights:
            self._workers.submit(partial(self._turn, flight))
        is_over = False
        while not is_over:
            is_over = self._is_over.wait(WAKE_SECONDS)
            while self._judged:
                yield self._judged.popleft()
        if self._error is not None:
            raise self._error

    def close(self) -> None:
        """Let the workers drop what is queued, and end."""
        self._workers.close()

    def _turn(self, flight: Flight) -> None:
        try:
            following, judged = self._fleet.step(flight)
        except Exception as error:
            self._error = error
            self._is_over.set()
            return
        self._judged.extend(judged)
        is_last = bool(judged) and next(self._ends) == self._fleet.total
        if following is not None:
            self._workers.submit(partial(self._turn, following))
        if is_last or self._fleet.is_halted:
            self._is_over.set()


def _faults_of(faults: Sequence[AnyFault], *, is_owner: bool) -> list[AnyFault]:
    """Let the faults of acquiring and freeing befall who owns the credentials, and the others every session."""
    return [one for one in faults if (isinstance(one, Fault) and one.function in OF_CREDENTIALS) == is_owner]


def _started(started: RunStarted, number: int, seed: int) -> RunStarted:
    return started._replace(seed=seed, options={**started.options, "session": number})
