"""The synchronous functions that are there in kernel mode too: messages, attributes, control tokens, buffers.

`SyncSspi` is one endpoint as the functions see it: who acts, what led to it, and which handles are alive. Each call is
one record. Source: EncryptMessage, DecryptMessage, QueryContextAttributes and ApplyControlToken (Schannel) pages.
"""

from __future__ import annotations

from collections.abc import Mapping

from sspicli.journal import events as ev
from sspicli.journal.events import Event
from sspicli.journal.journal import Journal
from sspicli.runtime.work import INVALID_HANDLE, Tables
from sspicli.sspi.buffers import SecBufferDesc
from sspicli.sspi.handles import Handle
from sspicli.sspi.package import QueryResult, SecurityContext
from sspicli.sspi.status import SecurityStatus


class SyncSspi:
    """One endpoint at its calls.

    The session sets `actor`, `inside` (the async context whose callback is acting, else None) and `cause` (the record
    that led here) before it lets an actor act.
    """

    def __init__(self, name: str, journal: Journal) -> None:
        self.name = name
        self.actor = name
        self.inside: Handle | None = None
        self.cause = 0
        self._package_actor = f"{name}.package"
        self._journal = journal
        self._tables = Tables(name)

    def encrypt_message(self, security_context: Handle | None, *, qop: int, message: SecBufferDesc) -> SecurityStatus:
        """Protect data in place. Source: EncryptMessage (Schannel)."""
        found = self._live(security_context)
        before = message.images()
        if found is None:
            self._record(ev.MessageEncrypted(security_context, INVALID_HANDLE, before, before))
            return INVALID_HANDLE
        result = found.encrypt(before, qop)
        message.apply(result.writes)
        self._log_secrets(security_context, result.secrets)
        self._record(ev.MessageEncrypted(security_context, result.status, before, message.images()))
        return result.status

    def decrypt_message(self, security_context: Handle | None, *, message: SecBufferDesc) -> SecurityStatus:
        """Open protected data; look for the results by buffer type. Source: DecryptMessage (Schannel)."""
        found = self._live(security_context)
        before = message.images()
        if found is None:
            self._record(ev.MessageDecrypted(security_context, INVALID_HANDLE, before, before, None))
            return INVALID_HANDLE
        result = found.decrypt(before)
        message.apply(result.writes)
        self._log_secrets(security_context, result.secrets)
        self._record(ev.MessageDecrypted(security_context, result.status, before, message.images(), result.evidence))
        return result.status

    def apply_control_token(self, security_context: Handle | None, *, input: SecBufferDesc | None) -> SecurityStatus:
        """Apply a control token; in kernel mode SEC_E_UNSUPPORTED_FUNCTION. Source: ApplyControlToken."""
        found = self._live(security_context)
        status = INVALID_HANDLE
        if found is not None:
            status = found.control(None if input is None else input.images()).status
        self._record(ev.ControlTokenApplied(security_context, status))
        return status

    def query_context_attributes(self, security_context: Handle | None, *, attribute: int) -> QueryResult:
        """Ask for one attribute of a security context. Source: QueryContextAttributes (Schannel)."""
        found = self._live(security_context)
        result = QueryResult(INVALID_HANDLE) if found is None else found.query(attribute)
        self._record(ev.AttributeQueried(security_context, attribute, result.status, result.fields))
        return result

    def set_context_attributes(
        self, security_context: Handle | None, *, attribute: int, fields: Mapping[str, object]
    ) -> SecurityStatus:
        """Set an attribute, such as what KEYING_MATERIAL is made from. Source: SetContextAttributes (Schannel)."""
        found = self._live(security_context)
        status = INVALID_HANDLE if found is None else found.set_attribute(attribute, fields)
        self._record(ev.AttributeSet(security_context, attribute, status, dict(fields)))
        return status

    def free_context_buffers(self, buffers: SecBufferDesc) -> int:
        """Release what the package allocated for these buffers; how many there were. Source: FreeContextBuffer."""
        released = [one for one in buffers.buffers if one.allocated]
        for buffer in released:
            buffer.image, buffer.allocated = buffer.image._replace(data=None), False
        self._record(ev.ContextBuffersFreed(len(released)))
        return len(released)

    def free_memory(self, buffers: SecBufferDesc, *, function: str) -> int:
        """Release buffers with another function than FreeContextBuffer; how many of them the package had allocated.

        On Windows that corrupts the heap or the pool it belongs to; here the memory is gone, and it is on record.
        """
        released = [one for one in buffers.buffers if one.allocated]
        for buffer in released:
            buffer.image, buffer.allocated = buffer.image._replace(data=None), False
        if released:
            self._record(ev.AllocationMisfreed(function, len(released)))
        return len(released)

    def delete_what_is_left(self) -> None:
        """Delete every security context that is alive; for a run that was ended from outside, with no call under way.

        Source: DeleteSecurityContext, which Windows has in kernel mode too.
        """
        alive = self._tables.security_contexts
        while alive:
            handle = next(iter(alive))
            alive.pop(handle).delete()
            self._record(ev.SecurityContextDeleted(handle))

    def _record(self, event: Event) -> int:
        self.cause = self._journal.append(self.actor, event, self.cause)
        return self.cause

    def _log_secrets(self, security_context: Handle | None, lines: tuple[str, ...]) -> None:
        for line in lines:
            self._journal.append(self._package_actor, ev.KeyLogged(security_context, line), self.cause)

    def _live(self, handle: Handle | None) -> SecurityContext | None:
        return None if handle is None else self._tables.security_contexts.get(handle)
