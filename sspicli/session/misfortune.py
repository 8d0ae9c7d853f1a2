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
from sspicli.sspi.errors import UsageError


class Misfortune:
    """What the faults of a plan wrap: `around` a dispatcher, `wire`, and `attach` once there is a session.

    To a plan that `is_open` faults may be added while the session runs; it wraps both, whatever the plan begins with.
    """

    def __init__(
        self,
        faults: Sequence[AnyFault],
        journal: Journal,
        locate: Locate | None = None,
        *,
        endpoints: tuple[str, str] = ("client", "server"),
        is_open: bool = False,
    ) -> None:
        self._calls = [one for one in faults if isinstance(one, Fault)]
        legs = [one for one in faults if isinstance(one, WireFault)]
        self._is_open = is_open
        self._journal = journal
        self._dispatcher: FaultyDispatcher | None = None
        self.wire = FaultyWire(MemoryWire(endpoints), legs, journal, locate) if legs or is_open else None

    def around(self, dispatcher: Dispatcher) -> Dispatcher:
        """Wrap a dispatcher where the plan has faults of calls."""
        if not (self._calls or self._is_open):
            return dispatcher
        self._dispatcher = FaultyDispatcher(dispatcher, self._calls, self._journal)
        return self._dispatcher

    def add(self, fault: AnyFault) -> None:
        """Put one more fault into an open plan; UsageError where it excludes another, or comes too late."""
        if isinstance(fault, WireFault):
            assert self.wire is not None, "an open plan wraps the wire"
            self.wire.add(fault)
            return
        assert self._dispatcher is not None, "an open plan wraps the dispatcher"
        made = self._dispatcher.uses(fault)
        if made >= fault.nth:
            raise UsageError(
                f"{fault.text}: the {fault.actor} has made {made} such call{'s' if made != 1 else ''} already",
                help=f"number {made + 1} and later are still to come; or go back",
            )
        self._dispatcher.add(fault)

    def uses(self, fault: AnyFault) -> int:
        """Count how often the function that a fault of a call names has been used so far."""
        return self._dispatcher.uses(fault) if isinstance(fault, Fault) and self._dispatcher is not None else 0

    def attach(self, session: Session) -> None:
        """Join what was wrapped to its session."""
        if self._dispatcher is not None:
            self._dispatcher.later = session.later
        if self.wire is not None:
            self.wire.attach(session)
