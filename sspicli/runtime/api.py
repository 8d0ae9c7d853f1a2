"""The async SSPI itself, for one endpoint: eleven functions that hold the law, and the synchronous ones beside them.

Each queueing function returns its *queue status*; the *call status* comes from `get_async_call_status` once the call has
completed. Out-parameters are written at completion, before the final status shows and before the callback; the callback is
called exactly once for a queued call and never for a refused one. Everything that happens is one journal record; every verdict
is looked up in `sspi/lifecycle.py`. What the law leaves undefined goes on record and ends its actor (`ContractError`).

Names are the documented ones without `Sspi`, in snake_case; arguments are the documented ones in the documented order, given
by keyword. NULL is None. Source: sspi.h reference pages of the functions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from sspicli.journal import events as ev
from sspicli.journal.events import Event, Images
from sspicli.journal.journal import Journal
from sspicli.runtime.calls import (
    AsyncContext,
    CallResult,
    HandleVariable,
    NotifyCallback,
    OutputSlot,
    PendingCall,
)
from sspicli.runtime.dispatch import Dispatcher
from sspicli.sspi.buffers import BufferWrite, SecBufferDesc
from sspicli.sspi.functions import Function
from sspicli.sspi.handles import Handle, HandleKind
from sspicli.sspi.lifecycle import LAW, PROGRESS, Allowed, Phase, Progress, Refused, Row, Undefined, Verb
from sspicli.sspi.package import (
    AcquireRequest,
    Credential,
    LegRequest,
    QueryResult,
    Role,
    SecurityContext,
    SecurityPackage,
)
from sspicli.sspi.status import NtStatus, SecurityStatus

OK = SecurityStatus.SEC_E_OK
PENDING = SecurityStatus.SEC_I_ASYNC_CALL_PENDING
INVALID_HANDLE = SecurityStatus.SEC_E_INVALID_HANDLE

ASYNC_CONTEXT, CREDENTIAL, SECURITY_CONTEXT, CALL = [kind.value for kind in HandleKind]

Describe = Callable[[object], "dict[str, object]"]
Find = Callable[[str], "SecurityPackage | None"]


class ContractError(Exception):
    """The caller did what the law leaves undefined; it is on record, and the actor stops here."""


class AsyncSspi:
    """One endpoint's async SSPI; `pending` are the calls that were queued and have not completed.

    `find` gives the security package of a name, None when there is none. `describe` turns a credential structure into what may
    stand on record, without private keys. The session sets `actor`, `inside` (the async context whose callback is acting,
    else None) and `cause` (the record that led here) before it lets an actor act.
    """

    def __init__(self, name: str, *, find: Find, describe: Describe, journal: Journal, dispatcher: Dispatcher) -> None:
        self.name = name
        self.actor = name
        self.inside: Handle | None = None
        self.cause = 0
        self.queued: PendingCall | None = None
        self.pending: dict[Handle, PendingCall] = {}
        self._package_actor = f"{name}.package"
        self._find = find
        self._describe = describe
        self._journal = journal
        self._dispatcher = dispatcher
        self._minted: dict[str, int] = {}
        self._async_contexts: dict[Handle, AsyncContext] = {}
        self._credentials: dict[Handle, Credential] = {}
        self._security_contexts: dict[Handle, SecurityContext] = {}

    # -- async contexts --------------------------------------------------------------------------------------------------------

    def create_async_context(self) -> Handle | None:
        """Make an async context, or return NULL when memory is out. Source: SspiCreateAsyncContext."""
        if self._dispatcher.admit(Function.SspiCreateAsyncContext, self.name) is not None:
            self._record(ev.AsyncContextCreated(None))
            return None
        handle = self._mint(ASYNC_CONTEXT)
        self._async_contexts[handle] = AsyncContext(handle)
        self._record(ev.AsyncContextCreated(handle))
        return handle

    def free_async_context(self, handle: Handle | None) -> None:
        """End an async context; NULL is no-op. Legal in its callback, and for a silent delete while pending.

        Source: SspiFreeAsyncContext; SspiDeleteSecurityContextAsync.
        """
        async_context, _ = self._judge(handle, Verb.FREE)
        if async_context is not None:
            async_context.phase = Phase.FREED
        self._record(ev.AsyncContextFreed(handle))

    def reinit_async_context(self, handle: Handle | None) -> NtStatus:
        """Make a settled async context ready for its next call; the callback stays registered.

        Returns an NTSTATUS, not a SECURITY_STATUS: a failure while in use is documented, its code is not.
        Source: SspiReinitAsyncContext.
        """
        async_context, row = self._judge(handle, Verb.REINIT)
        if isinstance(row.verdict, Refused):
            assert isinstance(row.verdict.status, NtStatus), "reinit refuses with an NTSTATUS"
            status = row.verdict.status
        else:
            status = NtStatus.STATUS_SUCCESS
            assert async_context is not None, "the law allows reinit only where there is an async context"
            async_context.phase = Phase.IDLE
            async_context.call = None
        self._record(ev.AsyncContextReinitialized(handle, status))
        return status

    def set_async_notify_callback(
        self, context: Handle | None, callback: NotifyCallback | None, callback_data: object
    ) -> SecurityStatus:
        """Register the callback for calls queued from now on; NULL opts out (documented for delete alone).

        Source: SspiSetAsyncNotifyCallback.
        """
        async_context, row = self._judge(context, Verb.SET_CALLBACK)
        if async_context is None or context is None or not isinstance(row.verdict, Allowed):
            return self._security_status(row)
        async_context.callback, async_context.callback_data = callback, callback_data
        self._record(ev.NotifyCallbackSet(context, callback is None, OK))
        return OK

    def async_context_requires_notify(self, async_context: Handle | None) -> bool:
        """Say whether a callback is registered. Declared, but not exported by the kernel's import library.

        Source: SspiAsyncContextRequiresNotify (the reading "a callback is registered" is inferred).
        """
        found, row = self._judge(async_context, Verb.REQUIRES_NOTIFY)
        if found is None or async_context is None or not isinstance(row.verdict, Allowed):
            return False
        requires = found.callback is not None
        self._record(ev.NotifyRequirementQueried(async_context, requires))
        return requires

    def get_async_call_status(self, handle: Handle | None) -> SecurityStatus:
        """Give the call status: SEC_I_ASYNC_CALL_PENDING until the call has completed, then its final status.

        Source: SspiGetAsyncCallStatus.
        """
        async_context, row = self._judge(handle, Verb.GET_STATUS)
        call = None if async_context is None else async_context.call
        status = call.status if call is not None and isinstance(row.verdict, Allowed) else self._security_status(row)
        self._record(ev.CallStatusQueried(handle, None if call is None else call.handle, status))
        return status

    # -- the five queueing functions ---------------------------------------------------------------------------------------------

    def acquire_credentials_handle_async(
        self,
        async_context: Handle | None,
        *,
        principal: str | None,
        package: str,
        credential_use: int,
        auth_data: object | None,
        credential: HandleVariable,
        expiry: OutputSlot[int],
    ) -> SecurityStatus:
        """Queue the making of a credential; pvLogonId, pGetKeyFn and pvGetKeyArgument are always NULL here.

        Source: SspiAcquireCredentialsHandleAsyncW.
        """
        work = partial(self._acquire, package, AcquireRequest(principal, credential_use, auth_data))
        call = self._admit(async_context, Function.SspiAcquireCredentialsHandleAsync, work, self._settle_acquire)
        if isinstance(call, SecurityStatus):
            return call
        call.slots = (credential, expiry)
        described = None if auth_data is None else self._describe(auth_data)
        return self._submit(call, None, None, principal, credential_use, described)

    def initialize_security_context_async(
        self,
        async_context: Handle | None,
        *,
        credential: HandleVariable | None,
        security_context: HandleVariable | None,
        target_name: str | None,
        context_requirements: int,
        input: SecBufferDesc | None,
        new_security_context: HandleVariable | None,
        output: SecBufferDesc | None,
        attributes: OutputSlot[int],
        expiry: OutputSlot[int],
    ) -> SecurityStatus:
        """Queue one client leg; Reserved1, Reserved2 and TargetDataRep are always 0 here (Schannel ignores the last).

        The first leg passes no `security_context`. `new_security_context` is left untouched by a failure.
        Source: SspiInitializeSecurityContextAsyncW.
        """
        work = partial(
            self._leg, Role.CLIENT, credential, security_context, target_name, context_requirements, input, output
        )
        settle = partial(self._settle_leg, Role.CLIENT, credential, security_context)
        call = self._admit(async_context, Function.SspiInitializeSecurityContextAsync, work, settle)
        if isinstance(call, SecurityStatus):
            return call
        return self._submit_leg(
            call, credential, security_context, target_name, context_requirements, input, output,
            new_security_context, attributes, expiry,
        )  # fmt: skip

    def accept_security_context_async(
        self,
        async_context: Handle | None,
        *,
        credential: HandleVariable | None,
        security_context: HandleVariable | None,
        input: SecBufferDesc | None,
        context_requirements: int,
        new_security_context: HandleVariable | None,
        output: SecBufferDesc | None,
        attributes: OutputSlot[int],
        expiry: OutputSlot[int],
    ) -> SecurityStatus:
        """Queue one server leg; as `initialize_security_context_async`, and the credential is needed on every leg.

        Source: SspiAcceptSecurityContextAsync.
        """
        work = partial(self._leg, Role.SERVER, credential, security_context, None, context_requirements, input, output)
        settle = partial(self._settle_leg, Role.SERVER, credential, security_context)
        call = self._admit(async_context, Function.SspiAcceptSecurityContextAsync, work, settle)
        if isinstance(call, SecurityStatus):
            return call
        return self._submit_leg(
            call, credential, security_context, None, context_requirements, input, output,
            new_security_context, attributes, expiry,
        )  # fmt: skip

    def delete_security_context_async(
        self, async_context: Handle | None, *, security_context: HandleVariable
    ) -> SecurityStatus:
        """Queue the deletion of a security context; the variable is read now and may be overwritten at once.

        A handle that is not one is a *completion* error. Source: SspiDeleteSecurityContextAsync.
        """
        target = security_context.value
        work = partial(self._delete, target)
        settle = partial(self._settle_delete, target)
        call = self._admit(async_context, Function.SspiDeleteSecurityContextAsync, work, settle)
        if isinstance(call, SecurityStatus):
            return call
        return self._submit(call, None, target, None, 0, None)

    def free_credentials_handle_async(
        self, async_context: Handle | None, *, credential: HandleVariable
    ) -> SecurityStatus:
        """Queue the freeing of a credential; the variable is read now (inferred, as for delete).

        Source: SspiFreeCredentialsHandleAsync.
        """
        target = credential.value
        work = partial(self._free, target)
        settle = partial(self._settle_free, target)
        call = self._admit(async_context, Function.SspiFreeCredentialsHandleAsync, work, settle)
        if isinstance(call, SecurityStatus):
            return call
        return self._submit(call, target, None, None, 0, None)

    # -- synchronous functions, in kernel mode too ---------------------------------------------------------------------------------

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

    def free_context_buffers(self, buffers: SecBufferDesc) -> int:
        """Release what the package allocated for these buffers; how many there were. Source: FreeContextBuffer."""
        released = [one for one in buffers.buffers if one.allocated]
        for buffer in released:
            buffer.data, buffer.allocated = None, False
        self._record(ev.ContextBuffersFreed(len(released)))
        return len(released)

    # -- what the session does ---------------------------------------------------------------------------------------------------

    def return_from_queueing(self, call: PendingCall) -> int:
        """Let the queueing function return; the record's sequence."""
        call.has_returned = True
        return self._journal.append(self.name, ev.QueueingReturned(call.handle, OK), call.queued)

    def complete(self, call: PendingCall) -> bool:
        """Complete a call: write its results, then show its status. Return whether a notification is owed."""
        result = call.result or call.compute()
        del self.pending[call.handle]
        handle = call.settle(call, result)
        input_images = _written(call.input, call.input_images, result.input_writes)
        output_images = _written(call.output, call.output_images, result.output_writes)
        for slot in call.slots:
            slot.give_back()
        async_context = call.async_context
        async_context.phase = PROGRESS[async_context.phase, Progress.COMPLETES]
        call.status = result.status
        self.cause = call.queued
        for line in result.secrets:
            self._journal.append(self._package_actor, ev.KeyLogged(handle, line), call.queued)
        self._journal.append(
            self._package_actor,
            ev.CallCompleted(
                call.handle,
                result.status,
                handle,
                input_images,
                output_images,
                result.attributes,
                result.expiry,
                result.evidence,
                call.engine_nanoseconds,
            ),
            call.queued,
        )
        self._announce(call, result, handle)
        return call.callback is not None

    def enter_callback(self, call: PendingCall) -> int:
        """Move into the notify callback; the record's sequence."""
        async_context = call.async_context
        async_context.phase = PROGRESS[async_context.phase, Progress.ENTERS]
        event = ev.CallbackEntered(call.handle, async_context.handle)
        return self._journal.append(async_context.callback_actor, event, self.cause)

    def return_from_callback(self, call: PendingCall, cause: int) -> int:
        """Move out of the notify callback; what it did with its async context meanwhile stands."""
        async_context = call.async_context
        if async_context.call is call and async_context.phase is Phase.NOTIFYING:
            async_context.phase = PROGRESS[Phase.NOTIFYING, Progress.RETURNS]
        event = ev.CallbackReturned(call.handle, async_context.handle)
        return self._journal.append(async_context.callback_actor, event, cause)

    def touched_early(self, call: PendingCall, parameter: str, *, is_write: bool) -> None:
        """Record that an out-parameter was used while `call` owned it."""
        self._record(ev.OutputReadEarly(call.handle, parameter, is_write))

    # -- the law ---------------------------------------------------------------------------------------------------------------

    def _judge(self, handle: Handle | None, verb: Verb) -> tuple[AsyncContext | None, Row]:
        """Look a cell up; record and raise what the law leaves undefined."""
        found = None if handle is None else self._async_contexts.get(handle)
        phase = found.phase if found is not None else Phase.NULL if handle is None else Phase.FOREIGN
        inside = handle is not None and self.inside == handle
        row = LAW[phase, verb, inside]
        if isinstance(row.verdict, Undefined):
            self._record(ev.ContractBroken(handle, phase, verb, inside, row.verdict.why, row.source, row.rule))
            raise ContractError(row.verdict.why)
        return found, row

    @staticmethod
    def _security_status(row: Row) -> SecurityStatus:
        assert isinstance(row.verdict, Refused), "asked for the status of a row that does not refuse"
        assert isinstance(row.verdict.status, SecurityStatus), "only reinit refuses with an NTSTATUS"
        return row.verdict.status

    def _admit(
        self,
        handle: Handle | None,
        function: Function,
        work: Callable[[], CallResult],
        settle: Callable[[PendingCall, CallResult], Handle | None],
    ) -> PendingCall | SecurityStatus:
        """Take a call, or refuse it: by the law, or because the dispatcher will not have it."""
        self.queued = None
        found = None if handle is None else self._async_contexts.get(handle)
        if found is None or found.callback is not None:
            verb = Verb.QUEUE
        elif function is Function.SspiDeleteSecurityContextAsync:
            verb = Verb.QUEUE_SILENT_DELETE
        else:
            verb = Verb.QUEUE_SILENT_OTHER
        found, row = self._judge(handle, verb)
        refusal = None
        if found is None or not isinstance(row.verdict, Allowed):
            refusal = self._security_status(row)
        else:
            refusal = self._dispatcher.admit(function, self.name)
        if refusal is not None or found is None:
            assert refusal is not None, "a missing async context is refused by the law"
            self._record(ev.CallRefused(function, handle, refusal))
            return refusal
        assert isinstance(row.verdict, Allowed), "what was not refused is allowed"
        call = PendingCall(self, self._mint(CALL), function, found, work, settle)
        found.phase = row.verdict.next
        found.call = call
        return call

    def _submit(
        self,
        call: PendingCall,
        credential: Handle | None,
        security_context: Handle | None,
        target_name: str | None,
        requirements: int,
        auth_data: dict[str, object] | None,
    ) -> SecurityStatus:
        """Lend the call its caller's variables, put it on record and hand it to the dispatcher."""
        for slot in call.slots:
            slot.lend(call)
        if call.input is not None:
            call.input_images = call.input.images()
        if call.output is not None:
            call.output_images = call.output.images()
        call.queued = self._record(
            ev.CallQueued(
                call.handle,
                call.function,
                call.async_context.handle,
                credential,
                security_context,
                target_name,
                requirements,
                call.input_images,
                call.output_images,
                call.callback is None,
                auth_data,
            )
        )
        self.queued = self.pending[call.handle] = call
        self._dispatcher.submit(call)
        return OK

    def _submit_leg(
        self,
        call: PendingCall,
        credential: HandleVariable | None,
        security_context: HandleVariable | None,
        target_name: str | None,
        requirements: int,
        input: SecBufferDesc | None,
        output: SecBufferDesc | None,
        new_security_context: HandleVariable | None,
        attributes: OutputSlot[int],
        expiry: OutputSlot[int],
    ) -> SecurityStatus:
        call.input, call.output = input, output
        new = () if new_security_context is None else (new_security_context,)
        call.slots = (*new, attributes, expiry)
        return self._submit(call, _peek(credential), _peek(security_context), target_name, requirements, None)

    # -- the work of each call: pure computing, on whatever thread ------------------------------------------------------------------

    def _acquire(self, package: str, request: AcquireRequest) -> CallResult:
        found = self._find(package)
        if found is None:
            return CallResult(SecurityStatus.SEC_E_SECPKG_NOT_FOUND)
        result = found.acquire(request)
        return CallResult(
            result.status, expiry=result.expiry, evidence=result.evidence, new_credential=result.credential
        )

    def _leg(
        self,
        role: Role,
        credential: HandleVariable | None,
        security_context: HandleVariable | None,
        target_name: str | None,
        requirements: int,
        input: SecBufferDesc | None,
        output: SecBufferDesc | None,
    ) -> CallResult:
        """Compute one leg. The variables are read here, not at queueing: until then they are the caller's to spoil."""
        given = self._credentials.get(handle) if (handle := _peek(credential)) is not None else None
        partial_handle = _peek(security_context)
        new = None
        if partial_handle is not None:
            found = self._security_contexts.get(partial_handle)
            if found is None or (given is None and (role is Role.SERVER or handle is not None)):
                return CallResult(INVALID_HANDLE)
        elif given is None:
            return CallResult(INVALID_HANDLE)
        else:
            found = new = given.open(role)
        result = found.step(
            LegRequest(
                None if input is None else input.images(),
                None if output is None else output.images(),
                requirements,
                target_name,
                given,
            )
        )
        if new is not None and result.status >= 0x80000000:
            new.delete()
            new = None
        return CallResult(
            result.status, result.input_writes, result.output_writes, result.attributes, result.expiry, result.evidence,
            result.secrets, None, new,
        )  # fmt: skip

    def _delete(self, target: Handle | None) -> CallResult:
        if target is None or target not in self._security_contexts:
            return CallResult(INVALID_HANDLE)
        self._security_contexts[target].delete()
        return CallResult(OK)

    def _free(self, target: Handle | None) -> CallResult:
        if target is None or target not in self._credentials:
            return CallResult(INVALID_HANDLE)
        self._credentials[target].free()
        return CallResult(OK)

    # -- what a completion changes, on the session's thread -------------------------------------------------------------------------

    def _settle_acquire(self, call: PendingCall, result: CallResult) -> Handle | None:
        if result.new_credential is None:
            return None
        handle = self._mint(CREDENTIAL)
        self._credentials[handle] = result.new_credential
        variable, expiry = call.slots
        variable.fill(handle)  # type: ignore[arg-type]
        expiry.fill(result.expiry)  # type: ignore[arg-type]
        return handle

    def _settle_leg(
        self,
        role: Role,
        credential: HandleVariable | None,
        security_context: HandleVariable | None,
        call: PendingCall,
        result: CallResult,
    ) -> Handle | None:
        handle = _peek(security_context)
        if result.new_security_context is not None:
            handle = self._mint(SECURITY_CONTEXT)
            self._security_contexts[handle] = result.new_security_context
        if result.status < 0x80000000 and len(call.slots) == 3:
            call.slots[0].fill(handle)  # type: ignore[arg-type]
        call.slots[-2].fill(result.attributes)  # type: ignore[arg-type]
        call.slots[-1].fill(result.expiry)  # type: ignore[arg-type]
        return handle

    def _settle_delete(self, target: Handle | None, call: PendingCall, result: CallResult) -> Handle | None:
        if target is not None and result.status == OK:
            del self._security_contexts[target]
        return target

    def _settle_free(self, target: Handle | None, call: PendingCall, result: CallResult) -> Handle | None:
        if target is not None and result.status == OK:
            del self._credentials[target]
        return target

    def _announce(self, call: PendingCall, result: CallResult, handle: Handle | None) -> None:
        """Record the handles that a completion brought to life or ended."""
        cause = len(self._journal)
        event: Event | None = None
        if handle is None or result.status >= 0x80000000:
            pass
        elif result.new_credential is not None:
            event = ev.CredentialAcquired(handle, call.handle)
        elif result.new_security_context is not None:
            is_client = call.function is Function.SspiInitializeSecurityContextAsync
            event = ev.SecurityContextOpened(handle, Role.CLIENT if is_client else Role.SERVER, call.handle)
        elif call.function is Function.SspiDeleteSecurityContextAsync:
            event = ev.SecurityContextDeleted(handle)
        elif call.function is Function.SspiFreeCredentialsHandleAsync:
            event = ev.CredentialFreed(handle)
        if event is not None:
            self._journal.append(self._package_actor, event, cause)
        self.cause = cause

    # -- small things --------------------------------------------------------------------------------------------------------------

    def _record(self, event: Event) -> int:
        self.cause = self._journal.append(self.actor, event, self.cause)
        return self.cause

    def _log_secrets(self, security_context: Handle | None, lines: tuple[str, ...]) -> None:
        for line in lines:
            self._journal.append(self._package_actor, ev.KeyLogged(security_context, line), self.cause)

    def _mint(self, kind: str) -> Handle:
        number = self._minted.get(kind, 0) + 1
        self._minted[kind] = number
        return Handle(self.name, kind, number)

    def _live(self, handle: Handle | None) -> SecurityContext | None:
        return None if handle is None else self._security_contexts.get(handle)


def _written(descriptor: SecBufferDesc | None, images: Images | None, writes: tuple[BufferWrite, ...]) -> Images | None:
    """Make a call's writes to a descriptor; how it is afterwards."""
    if descriptor is None or not writes:
        return images
    descriptor.apply(writes)
    return descriptor.images()


def _peek(variable: HandleVariable | None) -> Handle | None:
    return None if variable is None else variable.peek()


def no_description(auth_data: object) -> dict[str, object]:
    """Describe a credential structure by its type alone."""
    return {"type": type(auth_data).__name__}


def packages_by_name(packages: Mapping[str, SecurityPackage]) -> Find:
    """Find packages in a mapping by their lower-case names."""
    return lambda name: packages.get(name.lower())
