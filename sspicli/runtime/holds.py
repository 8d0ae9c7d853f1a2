"""Calls that are held: queued and pending, and not to complete before somebody releases them.

The rule guarded here: holding changes when a call may complete, and nothing else. A held call is pending like any
other, its out-parameters are its own, and a release only makes its completion possible: when it happens is the
chooser's to say, unless it is completed at once. Each hold and release is on record.
"""

from __future__ import annotations

from sspicli.journal import events as ev
from sspicli.journal.journal import Journal
from sspicli.runtime.call_names import CallPattern
from sspicli.runtime.calls import PendingCall
from sspicli.runtime.dispatch import Dispatcher
from sspicli.sspi.functions import Function
from sspicli.sspi.handles import Handle
from sspicli.sspi.status import SecurityStatus


class HoldingDispatcher:
    """A dispatcher that keeps the calls that match a hold; they must have been numbered (`NumberingDispatcher`)."""

    def __init__(self, inner: Dispatcher, journal: Journal, patterns: tuple[CallPattern, ...] = ()) -> None:
        self.completions = inner.completions
        self.held: dict[Handle, tuple[PendingCall, CallPattern]] = {}
        self._inner = inner
        self._journal = journal
        self._patterns = list(patterns)

    @property
    def outstanding(self) -> int:
        """Count what the wrapped dispatcher is working on; what is held is not worked on."""
        return self._inner.outstanding

    def admit(self, function: Function, actor: str) -> SecurityStatus | None:
        """Let the wrapped dispatcher decide."""
        return self._inner.admit(function, actor)

    def submit(self, call: PendingCall) -> None:
        """Keep a call that is to be held, and hand on any other."""
        pattern = next((one for one in self._patterns if one.matches(call)), None)
        if pattern is None:
            self._inner.submit(call)
        else:
            self._keep(call, pattern)

    def hold(self, pattern: CallPattern) -> int:
        """Hold such calls from now on, and those that could complete now; say how many these are."""
        self._patterns.append(pattern)
        found = [call for call in self.completions if pattern.matches(call)]
        for call in found:
            self.completions.remove(call)
            self._keep(call, pattern)
        return len(found)

    def release(self, pattern: CallPattern) -> int | None:
        """Let such calls complete, and hold no more by this very pattern; how many, None where none was held by it."""
        is_known = self.is_known(pattern)
        self._patterns = [one for one in self._patterns if one.text != pattern.text]
        found = [call for call, _ in self.held.values() if pattern.matches(call)]
        for call in found:
            self._give_up(call, pattern)
            self._inner.submit(call)
        return len(found) if found or is_known else None

    def is_known(self, pattern: CallPattern) -> bool:
        """Say whether calls are being held by this very pattern."""
        return any(one.text == pattern.text for one in self._patterns)

    def take(self, pattern: CallPattern) -> PendingCall | None:
        """Give the first such call that is held, else that may complete, to who completes it now; None for none."""
        held = next((call for call, _ in self.held.values() if pattern.matches(call)), None)
        if held is not None:
            self._give_up(held, pattern)
            return held
        ready = next((call for call in self.completions if pattern.matches(call)), None)
        if ready is not None:
            self.completions.remove(ready)
        return ready

    def _keep(self, call: PendingCall, pattern: CallPattern) -> None:
        self.held[call.handle] = call, pattern
        self._journal.append("session", ev.CallHeld(call.handle, pattern.text), call.queued)

    def _give_up(self, call: PendingCall, pattern: CallPattern) -> None:
        del self.held[call.handle]
        self._journal.append("session", ev.CallReleased(call.handle, pattern.text), call.queued)
