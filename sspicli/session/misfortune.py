"""A whole fault plan around one session: faults of calls wrap its dispatcher, faults of legs its wire."""

from __future__ import annotations

from collections.abc import Sequence

from sspicli.journal.journal import Journal
from sspicli.runtime.dispatch import Dispatcher
from sspicli.session.fault_words import AnyFault
from sspicli.session.faults import Fault, FaultyDispatcher
from sspicli.session.session import Session
from sspicli.session.wire import MemoryWire
from sspicli.session.wire_faults import FaultyWire, Locate, WireFault


class Misfortune:
    """What the faults of a plan wrap: `around` a dispatcher, `wire`, and `attach` once there is a session."""

    def __init__(
        self,
        faults: Sequence[AnyFault],
        journal: Journal,
        locate: Locate | None = None,
        *,
        endpoints: tuple[str, str] = ("client", "server"),
    ) -> None:
        self._calls = [one for one in faults if isinstance(one, Fault)]
        legs = [one for one in faults if isinstance(one, WireFault)]
        self._journal = journal
        self._dispatcher: FaultyDispatcher | None = None
        self.wire = FaultyWire(MemoryWire(endpoints), legs, journal, locate) if legs else None

    def around(self, dispatcher: Dispatcher) -> Dispatcher:
        """Wrap a dispatcher where the plan has faults of calls."""
        if not self._calls:
            return dispatcher
        self._dispatcher = FaultyDispatcher(dispatcher, self._calls, self._journal)
        return self._dispatcher

    def attach(self, session: Session) -> None:
        """Join what was wrapped to its session."""
        if self._dispatcher is not None:
            self._dispatcher.later = session.later
        if self.wire is not None:
            self.wire.attach(session)
