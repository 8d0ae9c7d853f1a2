"""The async SSPI itself, for one endpoint: eleven functions that hold the law.

Each queueing function returns its *queue status*; the *call status* comes from `get_async_call_status` once the call
has completed. Out-parameters are written at completion, before the final status shows and before the callback; the
callback is called exactly once for a queued call and never for a refused one. Everything that happens is one journal
record; every verdict is looked up in `sspi/lifecycle.py`. What the law leaves undefined goes on record and ends its
actor (`ContractError`).

Names are the documented ones without `Sspi`, in snake_case; arguments are the documented ones in the documented order,
given by keyword. NULL is None. Source: sspi.h reference pages of the functions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sspicli.journal import events as ev
from sspicli.journal.events import Images
from sspicli.journal.journal import Journal
from sspicli.runtime.calls import AsyncContext, HandleVariable, NotifyCallback, OutputSlot, PendingCall, Work
from sspicli.runtime.dispatch import Dispatcher
from sspicli.runtime.oddities import (
    NO_WORDS,
    PROCESS_MEMORY,
    SCHANNEL_NAMES,
    UNICODE,
    Words,
    deviations,
    shared,
    spoil,
    touched,
)
from sspicli.runtime.synchronous import SyncSspi
from sspicli.runtime.work import (
    ASYNC_CONTEXT,
    CALL,
    OK,
    AcquireWork,
    DeleteWork,
    FreeWork,
    LegWork,
)
from sspicli.sspi.buffers import DESCRIPTOR_VERSION, BufferWrite, SecBuffer, SecBufferDesc
from sspicli.sspi.functions import Function
from sspicli.sspi.handles import Handle
from sspicli.sspi.lifecycle import LAW, PROGRESS, Allowed, Phase, Progress, Refused, Row, Undefined, Verb
from sspicli.sspi.package import AcquireRequest, Role, SecurityPackage
from sspicli.sspi.status import NtStatus, SecurityStatus

Describe = Callable[[object], "dict[str, object]"]
Find = Callable[[str], "SecurityPackage | None"]


class ContractError(Exception):
    """The caller did what the law leaves undefined; it is on record, and the actor stops here."""


class AsyncSspi(SyncSspi):
    """One endpoint's async SSPI, with the synchronous functions beside it (see `synchronous.py`).

    `find` gives the security package of a name, None when there is none. `describe` turns a credential structure into
    what may stand on record, without private keys. `pending` are the calls that were queued and have not completed.
    """

    def __init__(self, name: str, *, find: Find, describe: Describe, journal: Journal, dispatcher: Dispatcher) -> None:
        super().__init__(name, journal)
        self.queued: PendingCall | None = None
        self.pending: dict[Handle, PendingCall] = {}
        self._find = find
        self._describe = describe
        self._dispatcher = dispatcher
        self._async_contexts: dict[Handle, AsyncContext] = {}

    # -- async contexts ------------------------------------------------------------------------------------------------

    def create_async_context(self) -> Handle | None:
        """Make an async context, or return NULL when memory is out. Source: SspiCreateAsyncContext."""
        if self._dispatcher.admit(Function.SspiCreateAsyncContext, self.name) is not None:
            self._record(ev.AsyncContextCreated(None))
            return None
        handle = self._tables.mint(ASYNC_CONTEXT)
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
        status = OK
        if async_context is None or not isinstance(row.verdict, Allowed):
            status = self._security_status(row)
        else:
            async_context.callback, async_context.callback_data = callback, callback_data
        self._record(ev.NotifyCallbackSet(context, callback is None, status))
        return status

    def async_context_requires_notify(self, async_context: Handle | None) -> bool:
        """Say whether a callback is registered. Declared, but not exported by the kernel's import library.

        Source: SspiAsyncContextRequiresNotify (the reading "a callback is registered" is inferred).
        """
        found, row = self._judge(async_context, Verb.REQUIRES_NOTIFY)
        requires = found is not None and isinstance(row.verdict, Allowed) and found.callback is not None
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

    # -- the five queueing functions -----------------------------------------------------------------------------------

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
        strings: str = UNICODE,
        memory: str = PROCESS_MEMORY,
    ) -> SecurityStatus:
        """Queue the making of a credential; pvLogonId, pGetKeyFn and pvGetKeyArgument are always NULL here.

        `strings` and `memory` say what no call shows here: of which characters the strings are, and in which memory
        they stand. Source: SspiAcquireCredentialsHandleAsyncW.
        """
        request = AcquireRequest(principal, credential_use, auth_data)
        work = AcquireWork(self._tables, self._find(package), request, credential=credential, expiry=expiry)
        call = self._admit(async_context, Function.SspiAcquireCredentialsHandleAsync, work)
        if isinstance(call, SecurityStatus):
            return call
        call.slots = (credential, expiry)
        described = None if auth_data is None else self._describe(auth_data)
        status = self._submit(call, target_name=principal, requirements=credential_use, auth_data=described)
        others = {"strings": strings} if strings != UNICODE else {}
        others |= {"memory": memory} if memory != PROCESS_MEMORY else {}
        others |= {"pszPackage": package} if package.lower() not in SCHANNEL_NAMES else {}
        if others:
            self._record(ev.ArgumentsDeviate(call.handle, {**others}))
        return status

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
        words: Words = NO_WORDS,
    ) -> SecurityStatus:
        """Queue one client leg; `words` are Reserved1, TargetDataRep and Reserved2.

        The first leg passes no `security_context`. `new_security_context` is left untouched by a failure.
        Source: SspiInitializeSecurityContextAsyncW.
        """
        work = LegWork(
            self._tables,
            Role.CLIENT,
            credential=credential,
            security_context=security_context,
            target_name=target_name,
            requirements=context_requirements,
            input=input,
            new_security_context=new_security_context,
            output=output,
            attributes=attributes,
            expiry=expiry,
        )
        return self._queue_leg(async_context, Function.SspiInitializeSecurityContextAsync, work, words)

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
        words: Words = NO_WORDS,
    ) -> SecurityStatus:
        """Queue one server leg; a server has no Reserved1 and Reserved2, and needs its credential on every leg.

        Else as `initialize_security_context_async`. Source: SspiAcceptSecurityContextAsync.
        """
        work = LegWork(
            self._tables,
            Role.SERVER,
            credential=credential,
            security_context=security_context,
            target_name=None,
            requirements=context_requirements,
            input=input,
            new_security_context=new_security_context,
            output=output,
            attributes=attributes,
            expiry=expiry,
        )
        return self._queue_leg(async_context, Function.SspiAcceptSecurityContextAsync, work, words)

    def delete_security_context_async(
        self, async_context: Handle | None, *, security_context: HandleVariable
    ) -> SecurityStatus:
        """Queue the deletion of a security context; the variable is read now and may be overwritten at once.

        A handle that is not one is a *completion* error. Source: SspiDeleteSecurityContextAsync.
        """
        target, owner = security_context.held, security_context.owner
        call = self._admit(async_context, Function.SspiDeleteSecurityContextAsync, DeleteWork(self._tables, target))
        if isinstance(call, SecurityStatus):
            return call
        status = self._submit(call, security_context=target)
        if owner is not None:
            self._record(ev.HandleUsedEarly(call.handle, owner.handle, "phContext"))
        return status

    def free_credentials_handle_async(
        self, async_context: Handle | None, *, credential: HandleVariable
    ) -> SecurityStatus:
        """Queue the freeing of a credential; the variable is read now (inferred, as for delete).

        Source: SspiFreeCredentialsHandleAsync.
        """
        target, owner = credential.held, credential.owner
        call = self._admit(async_context, Function.SspiFreeCredentialsHandleAsync, FreeWork(self._tables, target))
        if isinstance(call, SecurityStatus):
            return call
        status = self._submit(call, credential=target)
        if owner is not None:
            self._record(ev.HandleUsedEarly(call.handle, owner.handle, "phCredential"))
        return status

    # -- what the session does -----------------------------------------------------------------------------------------

    def lend_credential(self, handle: Handle, borrower: AsyncSspi) -> None:
        """Let another async SSPI of this endpoint use a credential, as all of a process may; freeing it stays ours."""
        borrower._tables.adopt(handle, self._tables.credentials[handle])

    def return_from_queueing(self, call: PendingCall, actor: str) -> int:
        """Let the queueing function return to the actor that called it; the record's sequence."""
        call.has_returned = True
        return self._journal.append(actor, ev.QueueingReturned(call.handle, OK), call.queued)

    def complete(self, call: PendingCall) -> bool:
        """Complete a call: write its results, then show its status. Return whether a notification is owed."""
        result = call.result or call.compute()
        del self.pending[call.handle]
        handle, event = call.work.settle(call, result)
        input_images = _written(call.input, call.input_images, result.input_writes)
        output_images = _written(call.output, call.output_images, result.output_writes)
        for slot in call.slots:
            slot.owner = None
        work = call.work
        if type(work) is LegWork and work.is_granted_less:
            work.attributes.owner, call.on_early_use = call, self.looked_at
        else:
            call.on_early_use = None
        # else the last call and its async SSPI keep each other, and the journal, alive
        async_context = call.async_context
        async_context.phase = PROGRESS[async_context.phase, Progress.COMPLETES]
        call.status = result.status
        append, actor = self._journal.append, self._package_actor
        for line in result.secrets:
            append(actor, ev.KeyLogged(handle, line), call.queued)
        completed = ev.CallCompleted(
            call.handle,
            result.status,
            handle,
            input_images,
            output_images,
            result.attributes,
            result.expiry,
            result.evidence,
            call.engine_nanoseconds,
        )
        self.cause = append(actor, completed, call.queued)
        if event is not None:
            append(actor, event, self.cause)
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

    def looked_at(self, call: PendingCall, parameter: str, *, is_write: bool) -> None:
        """Record that a caller looked at what it was granted, which is less than it requested."""
        for slot in call.slots:
            if slot.owner is call:
                slot.owner = None
        call.on_early_use = None
        if not is_write:
            self._record(ev.AttributesRead(call.handle))

    def touch_buffer(self, target: SecBuffer | SecBufferDesc, *, act: str, data: bytes | None) -> None:
        """Read, write or free a caller's buffers, and record it of those that belong to a pending call.

        A write without `data` inverts every byte; what was freed is filled with 0xDD.
        """
        buffers = [target] if isinstance(target, SecBuffer) else target.buffers
        for call in list(self.pending.values()):
            for event in touched(call, buffers, act):
                self._record(event)
        for buffer in buffers:
            spoil(buffer, act, data)

    # -- the law -------------------------------------------------------------------------------------------------------

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
        work: Work,
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
        call = PendingCall(self._tables.mint(CALL), function, found, work, self.touched_early)
        found.phase = row.verdict.next
        found.call = call
        return call

    def _queue_leg(
        self, async_context: Handle | None, function: Function, work: LegWork, words: Words
    ) -> SecurityStatus:
        call = self._admit(async_context, function, work)
        if isinstance(call, SecurityStatus):
            return call
        call.input, call.output = work.input, work.output
        new = work.new_security_context
        call.slots = (work.attributes, work.expiry) if new is None else (new, work.attributes, work.expiry)
        oddities = shared(call, work, self.pending.values()) if self.pending else []
        if words is not NO_WORDS or _has_version(work.input) or _has_version(work.output):
            oddities += deviations(call, work, words)
        status = self._submit(
            call,
            credential=None if work.credential is None else work.credential.held,
            security_context=None if work.security_context is None else work.security_context.held,
            target_name=work.target_name,
            requirements=work.requirements,
        )
        for event in oddities:
            self._record(event)
        return status

    def _submit(
        self,
        call: PendingCall,
        *,
        credential: Handle | None = None,
        security_context: Handle | None = None,
        target_name: str | None = None,
        requirements: int = 0,
        auth_data: dict[str, object] | None = None,
    ) -> SecurityStatus:
        """Lend the call its caller's variables, put it on record and hand it to the dispatcher."""
        for slot in call.slots:
            slot.owner = call
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


def _has_version(descriptor: SecBufferDesc | None) -> bool:
    return descriptor is not None and descriptor.version != DESCRIPTOR_VERSION


def _written(descriptor: SecBufferDesc | None, images: Images | None, writes: tuple[BufferWrite, ...]) -> Images | None:
    """Make a call's writes to a descriptor; how it is afterwards."""
    if descriptor is None or not writes:
        return images
    descriptor.apply(writes)
    return descriptor.images()


def no_description(auth_data: object) -> dict[str, object]:
    """Describe a credential structure by its type alone."""
    return {"type": type(auth_data).__name__}


def packages_by_name(packages: Mapping[str, SecurityPackage]) -> Find:
    """Find packages in a mapping by their lower-case names."""
    return lambda name: packages.get(name.lower())
