"""Calls by the names people give them: `client.init#2` is the second SspiInitializeSecurityContextAsync of the client.

They count what was queued in the whole run, from 1, refusals not included. Counting costs a little on every call, so
it is done only where somebody names calls: a `NumberingDispatcher` around the others does it, and fills a `CallBook`.
"""

from __future__ import annotations

import re
from typing import NamedTuple, Protocol

from sspicli.runtime.calls import PendingCall
from sspicli.runtime.dispatch import Dispatcher
from sspicli.sspi.errors import UsageError
from sspicli.sspi.functions import Function
from sspicli.sspi.handles import Handle
from sspicli.sspi.status import SecurityStatus

QUEUEING_WORDS = {
    "acquire": Function.SspiAcquireCredentialsHandleAsync,
    "init": Function.SspiInitializeSecurityContextAsync,
    "accept": Function.SspiAcceptSecurityContextAsync,
    "delete": Function.SspiDeleteSecurityContextAsync,
    "free": Function.SspiFreeCredentialsHandleAsync,
    "free-credential": Function.SspiFreeCredentialsHandleAsync,
}
"""What the five queueing functions are called in short."""

_PATTERN = re.compile(r"(client|server)\.([a-z-]{1,32}|\*)(?:#(\d{1,6}))?")
FORM = "SIDE.FUNCTION[#N], such as server.accept#1, or client.* for all of the client's calls"


class NamedCall(Protocol):
    """A call as a pattern sees it: whose, of which function, and which of them."""

    @property
    def handle(self) -> Handle:
        """Its handle, with the endpoint."""

    @property
    def function(self) -> Function:
        """The function that queued it."""

    @property
    def number(self) -> int:
        """Which of its function at its endpoint, from 1."""


class CallPattern(NamedTuple):
    """Some calls of one endpoint: of a function, None for any, and of these number `nth`, 0 for all."""

    actor: str
    function: Function | None
    nth: int
    text: str

    def matches(self, call: NamedCall) -> bool:
        """Say whether a call that was counted is one of these."""
        return (
            call.handle.actor == self.actor and self.function in (None, call.function) and self.nth in (0, call.number)
        )


def call_pattern(text: str, *, where: str = "call") -> CallPattern:
    """Read a name of calls; UsageError's `where` is what the caller says."""
    found = _PATTERN.fullmatch(text)
    if found is None:
        raise UsageError(f"{text[:80]!r} names no call", where=where, help=f"write {FORM}")
    actor, word, nth = found.groups()
    if word != "*" and word not in QUEUEING_WORDS:
        raise UsageError(f"{word!r} is no function that queues a call", where=where, help=", ".join(QUEUEING_WORDS))
    if nth is not None and (word == "*" or int(nth) < 1):
        raise UsageError("calls of one function count from 1", where=where, help=f"{actor}.init#1")
    return CallPattern(actor, QUEUEING_WORDS.get(word), int(nth or 0), text)


class CallBook:
    """The calls of a run in the order of queueing, each with its number."""

    def __init__(self) -> None:
        self.calls: list[PendingCall] = []
        self._counts: dict[tuple[str, Function], int] = {}

    def add(self, call: PendingCall) -> None:
        """Number a call."""
        key = call.handle.actor, call.function
        call.number = self._counts[key] = self._counts.get(key, 0) + 1
        self.calls.append(call)

    def find(self, pattern: CallPattern) -> PendingCall | None:
        """Give the first call that a pattern matches."""
        return next((call for call in self.calls if pattern.matches(call)), None)

    def has_completed(self, pattern: CallPattern) -> bool:
        """Say whether the first call that a pattern matches has completed."""
        call = self.find(pattern)
        return call is not None and call.status != SecurityStatus.SEC_I_ASYNC_CALL_PENDING

    def pattern_of(self, handle: Handle, patterns: tuple[CallPattern, ...]) -> int | None:
        """Say at which place among patterns the first stands that matches the call of a handle."""
        call = next((one for one in self.calls if one.handle == handle), None)
        if call is None:
            return None
        return next((at for at, pattern in enumerate(patterns) if pattern.matches(call)), None)


class NumberingDispatcher:
    """A dispatcher around the others that numbers what is queued."""

    def __init__(self, inner: Dispatcher, book: CallBook) -> None:
        self.completions = inner.completions
        self._inner = inner
        self._book = book

    @property
    def outstanding(self) -> int:
        """Count what the wrapped dispatcher is working on."""
        return self._inner.outstanding

    def admit(self, function: Function, actor: str) -> SecurityStatus | None:
        """Let the wrapped dispatcher decide."""
        return self._inner.admit(function, actor)

    def submit(self, call: PendingCall) -> None:
        """Number a call, and hand it on."""
        self._book.add(call)
        self._inner.submit(call)
