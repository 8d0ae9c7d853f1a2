"""The rules of the lives of security contexts and credentials (D001 to D006, D008, D012, D016, D017), from records.

A handle is dead from the moment that its end was queued: on Windows it may be gone any time after. An end that failed
or was refused leaves it alive, and its owner is not blamed for what the system did.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from sspicli.analysis.calls import LEG_FUNCTIONS
from sspicli.analysis.finding import FINISHED, Finding, found
from sspicli.journal import events as ev
from sspicli.journal.journal import Record
from sspicli.sspi.functions import Function
from sspicli.sspi.handles import Handle, HandleKind
from sspicli.sspi.status import SecurityStatus

OK = SecurityStatus.SEC_E_OK
_CREDENTIAL, _SECURITY_CONTEXT = HandleKind.CREDENTIAL.value, HandleKind.SECURITY_CONTEXT.value
_ENDS = {
    Function.SspiDeleteSecurityContextAsync: _SECURITY_CONTEXT,
    Function.SspiFreeCredentialsHandleAsync: _CREDENTIAL,
}


class HandleMonitor:
    """Report each use of a handle before its birth or after its end, two uses at once, and a life without an end."""

    def __init__(self) -> None:
        self.findings: list[Finding] = []
        self._born: dict[Handle, int] = {}
        self._known: set[Handle] = set()
        self._dead: dict[Handle, int] = {}
        self._pending: dict[Handle, tuple[ev.CallQueued, int]] = {}
        self._excused: set[Handle] = set()
        self._refused: dict[tuple[str, str], int] = {}

    def see(self, record: Record) -> None:
        """Take the next record."""
        self.WATCH[type(record.event)](self, record)

    def end(self, last: int, reason: str) -> None:
        """Report what was never ended, where the run came to its end."""
        if reason != FINISHED:
            return
        refused = dict(self._refused)
        for handle, sequence in self._born.items():
            refusals = refused.get((handle.actor, handle.kind), 0)
            if refusals:
                refused[handle.actor, handle.kind] = refusals - 1
            elif handle not in self._excused:
                code = "D008" if handle.kind == _CREDENTIAL else "D004"
                self.findings.append(found(code, handle, "it was alive at the end", sequence))

    # -- births and deaths ---------------------------------------------------------------------------------------------

    def _acquired(self, record: Record) -> None:
        event = record.event
        assert isinstance(event, ev.CredentialAcquired), "dispatched by type"
        self._born[event.credential] = record.sequence

    def _opened(self, record: Record) -> None:
        event = record.event
        assert isinstance(event, ev.SecurityContextOpened), "dispatched by type"
        self._born[event.security_context] = record.sequence
        self._known.add(event.security_context)

    def _ended(self, record: Record) -> None:
        event = record.event
        assert isinstance(event, ev.CredentialFreed | ev.SecurityContextDeleted), "dispatched by type"
        handle = event.credential if isinstance(event, ev.CredentialFreed) else event.security_context
        self._born.pop(handle, None)
        self._dead.setdefault(handle, record.sequence)

    # -- calls ---------------------------------------------------------------------------------------------------------

    def _queued(self, record: Record) -> None:
        event = record.event
        assert isinstance(event, ev.CallQueued), "dispatched by type"
        if event.function in LEG_FUNCTIONS:
            if event.security_context is not None:
                self._leg_on(event.security_context, event, record.sequence)
            if event.credential in self._dead:
                dead = self._dead[event.credential]
                self._report(
                    "D005", event.credential, f"{event.call} uses it after it was freed", dead, record.sequence
                )
        elif event.function is Function.SspiDeleteSecurityContextAsync and event.security_context is not None:
            self._end_of(event.security_context, event, record.sequence, in_use="D001", again="D002")
        elif event.function is Function.SspiFreeCredentialsHandleAsync and event.credential is not None:
            self._end_of(event.credential, event, record.sequence, in_use="D005", again="D008")
        self._pending[event.call] = event, record.sequence

    def _leg_on(self, handle: Handle, event: ev.CallQueued, sequence: int) -> None:
        """Judge a leg on a security context."""
        user = self._user(handle)
        if handle in self._dead:
            self._report("D003", handle, f"{event.call} uses it after its delete", self._dead[handle], sequence)
        elif user is not None:
            self._report("D012", handle, f"{event.call} was queued while {user[0].call} was pending", user[1], sequence)
        elif handle not in self._known:
            self._report("D016", event.call, f"no leg had returned {handle}, which it was given", sequence)

    def _end_of(self, handle: Handle, event: ev.CallQueued, sequence: int, *, in_use: str, again: str) -> None:
        """Judge a delete or a free, and hold the handle for dead from now on."""
        user = self._user(handle)
        if handle in self._dead:
            self._report(again, handle, f"{event.call} ends it once more", self._dead[handle], sequence)
        elif user is not None:
            self._report(in_use, handle, f"{event.call} ends it while {user[0].call} is pending", user[1], sequence)
        self._dead.setdefault(handle, sequence)

    def _user(self, handle: Handle) -> tuple[ev.CallQueued, int] | None:
        """Find a pending leg that uses a handle."""
        for event, sequence in self._pending.values():
            if handle in (event.security_context, event.credential) and event.function in LEG_FUNCTIONS:
                return event, sequence
        return None

    def _completed(self, record: Record) -> None:
        event = record.event
        assert isinstance(event, ev.CallCompleted), "dispatched by type"
        queued, sequence = self._pending.pop(event.call)
        if event.status == OK or queued.function not in _ENDS:
            return
        handle = queued.security_context or queued.credential
        if handle is not None and self._dead.get(handle) == sequence:
            del self._dead[handle]
            self._excused.add(handle)

    def _refusal(self, record: Record) -> None:
        """Excuse one life without an end for each end that was refused, except for a bad async context."""
        event = record.event
        assert isinstance(event, ev.CallRefused), "dispatched by type"
        if event.function in _ENDS and event.queue_status != SecurityStatus.SEC_E_INVALID_HANDLE:
            key = record.actor.partition(".")[0], _ENDS[event.function]
            self._refused[key] = self._refused.get(key, 0) + 1

    def _used_early(self, record: Record) -> None:
        """Judge a call that was given a variable which another call was still to write."""
        event = record.event
        assert isinstance(event, ev.HandleUsedEarly), "dispatched by type"
        user = self._pending.get(event.call)
        owner = self._pending.get(event.owner)
        if user is None or owner is None:
            return  # the call was computed already: nothing to say
        code = "D006"
        if event.parameter != "phCredential":
            code = "D012" if user[0].function in LEG_FUNCTIONS else "D001"
        handle = user[0].security_context or user[0].credential
        if not any(one.rule.code == code and one.records[-1] == user[1] for one in self.findings):
            words = f"{event.call} was given {event.parameter}, which {event.owner} was still to write"
            self._report(code, handle or event.call, words, owner[1], user[1])

    # -- synchronous calls ---------------------------------------------------------------------------------------------

    def _synchronous(self, record: Record) -> None:
        handle: Handle | None = record.event.security_context  # type: ignore[union-attr]
        if handle is None:
            return
        name = _NAMES[type(record.event)]
        if handle in self._dead:
            self._report("D003", handle, f"{name} uses it after its delete", self._dead[handle], record.sequence)
        elif self._pending and (user := self._user(handle)) is not None:
            words = f"{name} was called while {user[0].call} was pending"
            self._report("D017", handle, words, user[1], record.sequence)

    def _report(self, code: str, subject: Handle, detail: str, *records: int) -> None:
        self.findings.append(found(code, subject, detail, *records))

    # A table of the class: a monitor that held its own methods would be a cycle, and live until the next collection.
    WATCH: ClassVar[dict[type, Callable[[HandleMonitor, Record], None]]] = {
        ev.CredentialAcquired: _acquired,
        ev.SecurityContextOpened: _opened,
        ev.CredentialFreed: _ended,
        ev.SecurityContextDeleted: _ended,
        ev.CallQueued: _queued,
        ev.CallCompleted: _completed,
        ev.CallRefused: _refusal,
        ev.HandleUsedEarly: _used_early,
        ev.MessageEncrypted: _synchronous,
        ev.MessageDecrypted: _synchronous,
        ev.AttributeQueried: _synchronous,
        ev.AttributeSet: _synchronous,
        ev.ControlTokenApplied: _synchronous,
    }
    WATCHED: ClassVar[frozenset[type]] = frozenset(WATCH)


_NAMES = {
    ev.MessageEncrypted: "EncryptMessage",
    ev.MessageDecrypted: "DecryptMessage",
    ev.AttributeQueried: "QueryContextAttributes",
    ev.AttributeSet: "SetContextAttributes",
    ev.ControlTokenApplied: "ApplyControlToken",
}
