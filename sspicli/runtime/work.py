"""What each of the five queued calls does: its work, and what its completion changes.

`compute` is the work; it may run on any thread, and of the tables it only reads what is alive, or takes out what dies
(one act, so that of two deletions under way at once one finds nothing). `settle` runs on the session's thread at
completion: it mints handles and fills the caller's variables. The variables of a leg are read when it is computed:
until then they are the caller's to spoil. Delete and free hold the handle they were queued with.
"""

from __future__ import annotations

from sspicli.journal import events as ev
from sspicli.runtime.calls import CallResult, HandleVariable, OutputSlot, PendingCall, Settled
from sspicli.sspi.buffers import SecBufferDesc
from sspicli.sspi.flags import AscReq, IscReq
from sspicli.sspi.handles import Handle, HandleKind
from sspicli.sspi.package import AcquireRequest, Credential, LegRequest, Role, SecurityContext, SecurityPackage
from sspicli.sspi.status import SecurityStatus

OK = SecurityStatus.SEC_E_OK
INVALID_HANDLE = SecurityStatus.SEC_E_INVALID_HANDLE
TO_COMPARE = {Role.CLIENT: int(IscReq.STREAM) | 0x1E, Role.SERVER: int(AscReq.STREAM) | 0x1E}
"""What a caller is to compare with what it was granted: STREAM, and by the same bits at both sides MUTUAL_AUTH,
REPLAY_DETECT, SEQUENCE_DETECT and CONFIDENTIALITY."""

FIRST_ERROR = 0x80000000  # a status is a signed number on Windows; here it is unsigned, and errors begin here

# A handle's kind is plain text in the hot path: an enum member's `value` is looked up by Python code.
ASYNC_CONTEXT, CREDENTIAL, SECURITY_CONTEXT, CALL = [kind.value for kind in HandleKind]


class Tables:
    """The handles of one endpoint: those minted, and what the live ones stand for."""

    __slots__ = ("_actor", "_minted", "credentials", "security_contexts")

    def __init__(self, actor: str) -> None:
        self.credentials: dict[Handle, Credential] = {}
        self.security_contexts: dict[Handle, SecurityContext] = {}
        self._actor = actor
        self._minted: dict[str, int] = {}

    def mint(self, kind: str) -> Handle:
        """Make the next handle of a kind."""
        number = self._minted[kind] = self._minted.get(kind, 0) + 1
        return Handle(self._actor, kind, number)

    def adopt(self, handle: Handle, credential: Credential) -> None:
        """Take in a credential that other tables of this actor minted; its number is not minted here again."""
        self.credentials[handle] = credential
        self._minted[CREDENTIAL] = max(self._minted.get(CREDENTIAL, 0), handle.number)


class AcquireWork:
    """Make a credential."""

    __slots__ = ("_credential", "_expiry", "_package", "_request", "_tables")

    def __init__(
        self,
        tables: Tables,
        package: SecurityPackage | None,
        request: AcquireRequest,
        *,
        credential: HandleVariable,
        expiry: OutputSlot[int],
    ) -> None:
        self._tables = tables
        self._package = package
        self._request = request
        self._credential = credential
        self._expiry = expiry

    def compute(self) -> CallResult:
        """Let the package acquire; a package that nobody knows is a status of its own (documented)."""
        if self._package is None:
            return CallResult(SecurityStatus.SEC_E_SECPKG_NOT_FOUND)
        made = self._package.acquire(self._request)
        return CallResult(made.status, expiry=made.expiry, evidence=made.evidence, new_credential=made.credential)

    def settle(self, call: PendingCall, result: CallResult) -> Settled:
        """Fill phCredential and ptsExpiry; a failure leaves them as they were."""
        if result.new_credential is None:
            return Settled(None)
        handle = self._tables.mint(CREDENTIAL)
        self._tables.credentials[handle] = result.new_credential
        self._credential.held = handle
        self._expiry.held = result.expiry
        return Settled(handle, ev.CredentialAcquired(handle, call.handle))


class LegWork:
    """Make one ISC or ASC leg."""

    __slots__ = (
        "attributes",
        "credential",
        "expiry",
        "input",
        "is_granted_less",
        "new_security_context",
        "output",
        "requirements",
        "role",
        "security_context",
        "tables",
        "target_name",
    )

    def __init__(
        self,
        tables: Tables,
        role: Role,
        *,
        credential: HandleVariable | None,
        security_context: HandleVariable | None,
        target_name: str | None,
        requirements: int,
        input: SecBufferDesc | None,
        new_security_context: HandleVariable | None,
        output: SecBufferDesc | None,
        attributes: OutputSlot[int],
        expiry: OutputSlot[int],
    ) -> None:
        self.tables = tables
        self.role = role
        self.credential = credential
        self.security_context = security_context
        self.target_name = target_name
        self.requirements = requirements
        self.input = input
        self.new_security_context = new_security_context
        self.output = output
        self.attributes = attributes
        self.expiry = expiry
        self.is_granted_less = False

    def compute(self) -> CallResult:
        """Let the package step. A new security context that fails its first leg never gets a handle."""
        credential_handle = None if self.credential is None else self.credential.held
        partial = None if self.security_context is None else self.security_context.held
        credential = None if credential_handle is None else self.tables.credentials.get(credential_handle)
        found = self._find(partial, credential_handle, credential)
        if found is None:
            return CallResult(INVALID_HANDLE)
        result = found.step(
            LegRequest(
                None if self.input is None else self.input.images(),
                None if self.output is None else self.output.images(),
                self.requirements,
                self.target_name,
                credential,
            )
        )
        new = found if partial is None else None
        if new is not None and result.status >= FIRST_ERROR:
            new.delete()
            new = None
        return CallResult(*result, None, new)

    def _find(
        self, partial: Handle | None, credential_handle: Handle | None, credential: Credential | None
    ) -> SecurityContext | None:
        """Find the security context of a later leg, or open one for the first; None when a handle is not good.

        A later client leg may leave the credential out (documented for Schannel); a server needs it on each leg
        (observed: Wine).
        """
        if partial is None:
            return None if credential is None else credential.open(self.role)
        if credential is None and (self.role is Role.SERVER or credential_handle is not None):
            return None
        return self.tables.security_contexts.get(partial)

    def settle(self, call: PendingCall, result: CallResult) -> Settled:
        """Fill the variables; phNewContext stays untouched by an error, INCOMPLETE_MESSAGE too (observed: Wine)."""
        handle = None if self.security_context is None else self.security_context.held
        event = None
        if result.new_security_context is not None:
            handle = self.tables.mint(SECURITY_CONTEXT)
            self.tables.security_contexts[handle] = result.new_security_context
            event = ev.SecurityContextOpened(handle, self.role, call.handle)
        if result.status < FIRST_ERROR and self.new_security_context is not None:
            self.new_security_context.held = handle
        self.attributes.held = result.attributes
        if result.status == OK and self.requirements & ~result.attributes & TO_COMPARE[self.role]:
            self.is_granted_less = True
        self.expiry.held = result.expiry
        return Settled(handle, event)


class DeleteWork:
    """Delete a security context; a bad handle is a completion error (documented)."""

    __slots__ = ("_tables", "_target")

    def __init__(self, tables: Tables, target: Handle | None) -> None:
        self._tables = tables
        self._target = target

    def compute(self) -> CallResult:
        """Let the package release what it holds."""
        found = None if self._target is None else self._tables.security_contexts.pop(self._target, None)
        if found is None:
            return CallResult(INVALID_HANDLE)
        found.delete()
        return CallResult(OK)

    def settle(self, call: PendingCall, result: CallResult) -> Settled:
        """Record the death of the handle."""
        if self._target is None or result.status != OK:
            return Settled(self._target)
        return Settled(self._target, ev.SecurityContextDeleted(self._target))


class FreeWork:
    """Free a credential; security contexts made with it live on (observed: Wine)."""

    __slots__ = ("_tables", "_target")

    def __init__(self, tables: Tables, target: Handle | None) -> None:
        self._tables = tables
        self._target = target

    def compute(self) -> CallResult:
        """Let the package release the caller's reference."""
        found = None if self._target is None else self._tables.credentials.pop(self._target, None)
        if found is None:
            return CallResult(INVALID_HANDLE)
        found.free()
        return CallResult(OK)

    def settle(self, call: PendingCall, result: CallResult) -> Settled:
        """Record the death of the handle."""
        if self._target is None or result.status != OK:
            return Settled(self._target)
        return Settled(self._target, ev.CredentialFreed(self._target))
