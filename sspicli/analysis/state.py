"""The present state of a run: a fold over the records so far, which the live view is drawn from.

The rule guarded here: nothing but records comes in, so a run that is watched and a recording that is read again have
the same states. Calls, legs and handshakes are the report's own fold, looked at before its end; the phases of the
async contexts are what the misuse monitor derives from the law. So there is one reading of the records, not two.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from sspicli.analysis.calls import LEG_FUNCTIONS, Call, Leg, Refusal, failing
from sspicli.analysis.report import Fold, Report, report_of
from sspicli.analysis.rules import Finding, LifecycleMonitor
from sspicli.journal import events as ev
from sspicli.journal.journal import Record
from sspicli.sspi.handles import Handle
from sspicli.sspi.lifecycle import Phase
from sspicli.sspi.status import SecurityStatus
from sspicli.tokens.tls import TlsToken

KEPT = 200  # records that the log can show
_UNFINISHED = frozenset({SecurityStatus.SEC_I_CONTINUE_NEEDED, SecurityStatus.SEC_E_INCOMPLETE_MESSAGE})


@dataclass(slots=True)
class AsyncContext:
    """One async context that was created; `call` is the one it tracks, until it is reinitialised."""

    handle: Handle
    phase: Phase = Phase.IDLE
    has_callback: bool = False
    call: Call | None = None

    @property
    def is_notification_due(self) -> bool:
        """Say whether a callback will be called for its call, or is owed already."""
        return self.has_callback and self.phase in (Phase.PENDING, Phase.COMPLETE)


@dataclass(slots=True)
class Side:
    """One endpoint: its async contexts in the order of creation, and what it owns."""

    name: str
    async_contexts: dict[Handle, AsyncContext] = field(default_factory=dict)
    credential: Handle | None = None
    security_context: Handle | None = None

    @property
    def shown(self) -> AsyncContext | None:
        """Give the async context to look at: the youngest that lives, else the youngest."""
        every = list(self.async_contexts.values())
        living = [one for one in every if one.phase is not Phase.FREED] or every
        return living[-1] if living else None

    @property
    def living(self) -> int:
        """Count the async contexts that were not freed."""
        return sum(one.phase is not Phase.FREED for one in self.async_contexts.values())


class State:
    """What is going on, by the records seen so far."""

    def __init__(self) -> None:
        self.ticks = 0
        self.nanoseconds = 0
        self.sequence = 0
        self.sides: dict[str, Side] = {name: Side(name) for name in ("client", "server")}
        self.under_way: dict[int, ev.TokenSent | ev.TokenForwarded] = {}
        self.log: deque[Record] = deque(maxlen=KEPT)
        self.pending: dict[Handle, Call] = {}
        self.call_faults: dict[str, ev.FaultInjected] = {}
        self.held: dict[Handle, str] = {}
        self.leg_call: Call | None = None
        self.messages = 0
        self._fold = Fold()
        self._monitor = LifecycleMonitor()
        self._sent: dict[int, int] = {}
        self._numbers: dict[int, int] = {}

    # -- what it comes to ----------------------------------------------------------------------------------------------

    def report(self, findings: tuple[Finding, ...], ended: ev.RunEnded | None = None) -> Report:
        """Say what the records so far come to, with what the rules have found; `ended` is an end that is to come."""
        return report_of(self._fold, findings, nanoseconds=self.nanoseconds, ended=ended)

    def reading(self, leg: Leg) -> tuple[TlsToken, bool]:
        """Give what a leg of the handshake shown was read as, and whether its sender has sent nothing after it."""
        shown = self._fold.rounds[self.handshake]
        shown.decode()
        return shown.readings[leg.sequence], shown.is_last(leg)

    def read_ahead(self) -> None:
        """Read all that was sent in the handshake shown: what is asked for later then takes no longer in a long run."""
        self._fold.rounds[self.handshake].read_ahead()

    # -- what was said -------------------------------------------------------------------------------------------------

    @property
    def run(self) -> ev.RunStarted | None:
        """Give the record that began the run."""
        return self._fold.run

    @property
    def reason(self) -> str:
        """Say why the run ended; "" while it goes on."""
        return self._fold.reason

    @property
    def waits(self) -> tuple[str, ...]:
        """Say who waited for what when the run ended."""
        return self._fold.waits

    @property
    def handshake(self) -> int:
        """Number the handshake that is shown: the last that began; 0 before the first."""
        return max(self._fold.rounds)

    @property
    def calls(self) -> tuple[Call, ...]:
        """List the calls of the handshake shown, and of what comes before and after handshakes."""
        shown = (0, self.handshake)
        return tuple(call for call in self._fold.calls.values() if call.handshake in shown)

    @property
    def legs(self) -> tuple[Leg, ...]:
        """List the legs of the handshake shown, their messages read as far as the secrets so far allow."""
        shown = self._fold.rounds[self.handshake]
        shown.decode()
        return tuple(shown.legs)

    @property
    def refusals(self) -> tuple[Refusal, ...]:
        """List the calls of the handshake shown that were refused."""
        return tuple(one for one in self._fold.refusals if one.handshake in (0, self.handshake))

    @property
    def findings(self) -> tuple[Finding, ...]:
        """List what the lifecycle rules have found so far."""
        return tuple(self._monitor.findings)

    @property
    def failure(self) -> Call | None:
        """Give the first call of the handshake shown that failed."""
        return next((call for call in self.calls if failing(call)), None)

    @property
    def workers(self) -> int:
        """Count the worker threads that complete the calls; 0 for a stepped run, in virtual time."""
        said = self.run.options.get("workers", 0) if self.run is not None else 0
        return said if isinstance(said, int) else 0

    def seconds_at(self, record: Record) -> float:
        """Say when a record was made: in virtual time, or as measured where worker threads complete the calls."""
        return record.nanoseconds / 1e9 if self.workers else record.ticks / 1e6

    def call(self, handle: Handle) -> Call:
        """Give a call that was queued."""
        return self._fold.calls[handle]

    def every_call(self) -> tuple[Call, ...]:
        """List all calls of the run, in the order of queueing."""
        return tuple(self._fold.calls.values())

    def leg_of(self, number: int) -> int:
        """Say which leg what was sent as `number` makes; 0 for protected data."""
        return self._sent.get(number, 0)

    def awaited(self, side: str) -> str:
        """Say what an endpoint with no pending call waits for, as far as the handshake tells; "" for nothing.

        When the run is over it is what the run's end says.
        """
        if any(call.endpoint == side for call in self.pending.values()):
            return ""
        if self.reason:
            said = (wait.partition(" ") for wait in self.waits)
            return next((rest for name, _, rest in said if name == side and rest.startswith("waits")), "")
        coming = next((one for one in self.under_way.values() if one.receiver == side), None)
        if coming is not None:
            return f"leg {coming.leg} is on its way" if coming.leg else "data is on its way"
        now = self._fold.rounds[self.handshake]
        last = now.last_call.get(side)
        expects = side == "server" if last is None else last.status in _UNFINISHED
        is_its_turn = not now.legs or now.legs[-1].sender == side
        begun = side in now.endpoints and self.handshake > 0
        return f"waits for leg {len(now.legs) + 1}" if begun and expects and is_its_turn else ""

    # -- folding -------------------------------------------------------------------------------------------------------

    def see(self, record: Record) -> None:
        """Take the next record."""
        self.sequence, self.ticks, self.nanoseconds = record.sequence, record.ticks, record.nanoseconds
        self.log.append(record)
        self._fold.see(record)
        self._monitor.see(record)
        event = record.event
        match event:
            case ev.CallQueued():
                self._queued(event)
            case ev.CallCompleted():
                self.pending.pop(event.call, None)
                self._moved(self.call(event.call).queued.async_context)
            case ev.CallbackEntered() | ev.CallbackReturned():
                self._moved(event.async_context)
            case ev.TokenSent():
                self._numbers[record.sequence] = event.number
                self._under_way(event)
            case ev.TokenDelivered():
                self.under_way.pop(event.number, None)
            case ev.MessageDecrypted():
                self.messages += event.status == SecurityStatus.SEC_E_OK
            case _:
                self._see_rarer(record)

    def _see_rarer(self, record: Record) -> None:
        event = record.event
        match event:
            case ev.AsyncContextCreated(async_context=Handle() as handle):
                self._side(handle).async_contexts[handle] = AsyncContext(handle)
            case ev.NotifyCallbackSet(async_context=Handle() as handle):
                found = self._moved(handle)
                if found is not None and event.status == SecurityStatus.SEC_E_OK:
                    found.has_callback = not event.is_null
            case ev.AsyncContextReinitialized(async_context=Handle() as handle):
                found = self._moved(handle)
                if found is not None and found.phase is Phase.IDLE:
                    found.call = None
            case ev.AsyncContextFreed(async_context=Handle() as handle):
                self._moved(handle)
            case ev.CredentialAcquired():
                self._side(event.credential).credential = event.credential
            case ev.CredentialFreed():
                self._side(event.credential).credential = None
            case ev.SecurityContextOpened():
                self._side(event.security_context).security_context = event.security_context
            case ev.SecurityContextDeleted():
                self._side(event.security_context).security_context = None
            case ev.FaultInjected():
                self.call_faults[event.subject] = event
                if event.kind == "drop":
                    self.under_way.pop(self._numbers.get(record.cause, 0), None)
            case ev.TokenForwarded():
                for number in event.replaces:
                    self.under_way.pop(number, None)
                self._under_way(event)
            case ev.CallHeld():
                self.held[event.call] = event.pattern
            case ev.CallReleased():
                self.held.pop(event.call, None)
            case _:
                pass

    def _under_way(self, event: ev.TokenSent | ev.TokenForwarded) -> None:
        self.under_way[event.number] = event
        if event.leg:
            self._sent[event.number] = event.leg

    def _queued(self, event: ev.CallQueued) -> None:
        call = self.pending[event.call] = self.call(event.call)
        found = self._moved(event.async_context)
        if found is not None:
            found.call = call
        if event.function in LEG_FUNCTIONS:
            self.leg_call = call

    def _side(self, handle: Handle) -> Side:
        return self.sides.setdefault(handle.actor, Side(handle.actor))

    def _moved(self, handle: Handle) -> AsyncContext | None:
        """Bring an async context's phase up to date."""
        found = self._side(handle).async_contexts.get(handle)
        if found is not None:
            found.phase = self._monitor.phase_of(handle)
        return found
