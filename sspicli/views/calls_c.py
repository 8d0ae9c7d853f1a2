"""The calls of a run as C: what a driver in kernel mode writes, argument by argument, in the order of the records.

The rule guarded here: nothing is invented. An argument that is not on record is written as this tool's drivers pass it
and named as such at the head; bytes and keys that are left out are said to be; what the records say came of a call
stands beside it as a comment. The text compiles against declarations made of the functions' cards.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sspicli.analysis.calls import LEG_FUNCTIONS, Call
from sspicli.analysis.report import Report
from sspicli.journal import events as ev
from sspicli.journal.journal import Record
from sspicli.sspi.buffers import BufferImage, BufferType, buffer_type_name
from sspicli.sspi.flags import AscRet, IscRet, flag_text
from sspicli.sspi.functions import Function
from sspicli.sspi.handles import Handle, HandleKind
from sspicli.views.c_auth import auth_declarations
from sspicli.views.c_words import (
    INDENT,
    attribute_constant,
    buffer_constant,
    byte_rows,
    comment,
    hex_head,
    identifier,
    joined,
    requirements,
    structure,
    wide_string,
)
from sspicli.views.look import Look
from sspicli.views.text import Line, Segment, line

_HEAD = """\
#define SECURITY_KERNEL
#define SCHANNEL_USE_BLACKLISTS /* for SCH_CREDENTIALS */
#include <ntifs.h>
#include <sspi.h>
#include <schannel.h>

static SspiAsyncNotifyCallback OnCompletion;
static SECURITY_STATUS status;
static NTSTATUS nt_status;
static BOOLEAN requires_notify;
"""
_EMULATED = (
    "Emulated: Windows offers these functions in kernel mode only, and this run was not on Windows. All variables are "
    "static because out-parameters and buffers belong to a call until it has completed."
)
_ASSUMED = (
    "Not on record, and written as the drivers of this tool pass them: phNewContext, pfContextAttr, ptsExpiry, the "
    "callback's data, and the zeros for Reserved1, Reserved2 and TargetDataRep."
)
_VARIABLE_TYPES = {
    HandleKind.ASYNC_CONTEXT: "SspiAsyncContext *",
    HandleKind.CREDENTIAL: "CredHandle ",
    HandleKind.SECURITY_CONTEXT: "CtxtHandle ",
}


def call_source(
    report: Report, records: Sequence[Record], look: Look, *, only: frozenset[Handle] | None = None, side: str = ""
) -> list[Line]:
    """Write the calls as one C file: declarations, the callback, and a function that does what the records say.

    `only` narrows it to some calls and what was done with them, `side` to one end.
    """
    source = _Source(report, look)
    for record in records:
        if _is_wanted(record, only, side):
            source.see(record)
    return [line(Segment(row, "muted") if _is_comment(row) else row) for row in source.rows()]


def _is_comment(row: str) -> bool:
    return row.lstrip().startswith(("/*", "* ", "*/"))


def _is_wanted(record: Record, only: frozenset[Handle] | None, side: str) -> bool:
    if side and record.actor.partition(".")[0] != side:
        return False
    return only is None or getattr(record.event, "call", None) in only


class _Output(NamedTuple):
    """What a completed call left in its output buffers, by the expressions that name their memory."""

    token: bytes
    token_text: str
    allocated: tuple[str, ...]


class _Source:
    """The text as it grows: declarations apart from statements."""

    def __init__(self, report: Report, look: Look) -> None:
        self._report = report
        self._look = look
        self._calls = {call.handle: call for call in report.calls}
        self._queued: dict[Handle, ev.CallQueued] = {}
        acquiring = (one for one in report.calls if one.function is Function.SspiAcquireCredentialsHandleAsync)
        self._acquired = {call.completed.handle for call in acquiring if call.completed is not None}
        self._variables: dict[str, str] = {}
        self._foreign: dict[str, str] = {}
        self._strings: list[str] = []
        self._rows: list[str] = []
        self._actor = ""
        self._output: dict[str, _Output] = {}
        self._messages = 0

    # -- the whole ---------------------------------------------------------------------------------------------------
    def rows(self) -> list[str]:
        """Give the lines of the file."""
        width = self._look.width
        run = self._report.run
        name = "" if run is None else f" by {run.package}, computed by {run.engine}"
        elided = "" if self._look.verbosity > 0 else " The bytes of tokens are left out; -v writes them."
        about = [
            f"The calls of one run{name}, in the order in which they were made.",
            _EMULATED,
            _ASSUMED,
            f"Certificates and keys are left out.{elided}",
        ]
        rows = [row for text in about for row in comment(text, width=width)]
        package = "Schannel" if run is None else run.package
        rows += ["", *_HEAD.splitlines()]
        rows.append(f"static SECURITY_STRING package_name = RTL_CONSTANT_STRING({wide_string(package)});")
        rows += [f"static {kind}{name};{self._foreign.get(name, '')}" for name, kind in self._variables.items()]
        rows += self._strings
        rows += ["", *comment("What callbacks did stands in Run, where it was done.", width=width)]
        rows += ["static void OnCompletion(SspiAsyncContext *Handle, void *CallbackData)", "{"]
        rows += [f"{INDENT}UNREFERENCED_PARAMETER(Handle);", f"{INDENT}UNREFERENCED_PARAMETER(CallbackData);", "}"]
        return [*rows, "", "void Run(void)", "{", *self._rows, "}"]

    def _say(self, text: str) -> None:
        self._rows += comment(text, indent=INDENT, width=self._look.width)

    def _do(self, statement: str, came_of_it: str = "") -> None:
        """Write a statement, and behind it what it returned."""
        shown = f" /* {came_of_it} */" if came_of_it else ""
        row = f"{INDENT}{statement}{shown}"
        if len(row) > self._look.width:
            called, arguments = statement.split("(", 1)
            self._rows.append(f"{INDENT}{called}(")
            row = f"{INDENT * 2}{arguments}{shown}"
        self._rows.append(row)

    def _variable(self, handle: Handle | None) -> str:
        """Name the variable of a handle, and see that it is declared; NULL for none."""
        if handle is None:
            return "NULL"
        name = identifier(handle)
        self._variables.setdefault(name, _VARIABLE_TYPES.get(HandleKind(handle.kind), "void *"))
        if handle.kind == HandleKind.CREDENTIAL and handle not in self._acquired:
            self._foreign[name] = " /* acquired before this session, not on record */"
        return name

    def _address(self, handle: Handle | None) -> str:
        return "NULL" if handle is None else f"&{self._variable(handle)}"

    # -- record by record --------------------------------------------------------------------------------------------
    def see(self, record: Record) -> None:
        """Take the next record."""
        if not isinstance(record.event, _SILENT):
            self._change_actor(record.actor)
        event = record.event
        match event:
            case ev.CallQueued():
                self._queue(record, event)
            case ev.CallCompleted():
                self._complete(record, event)
            case ev.CallRefused():
                handle = self._variable(event.async_context)
                status = event.queue_status.name
                text = f"refused with {status}: {event.function.documented_name} on {handle}; "
                self._say(f"{text}its other arguments are not on record")
            case ev.TokenSent():
                self._sent(record, event)
            case ev.ContextBuffersFreed():
                self._free_buffers(record, event)
            case ev.MessageEncrypted() | ev.MessageDecrypted():
                self._message(record, event)
            case ev.AttributeQueried():
                self._query(record, event)
            case ev.AttributeSet():
                name = attribute_constant(event.attribute)
                self._say(f"SetContextAttributesW({event.security_context}, {name}) gave {event.status.name}")
            case ev.ControlTokenApplied():
                self._say(f"ApplyControlToken({event.security_context}) gave {event.status.name}")
            case _:
                self._see_async_context(event)

    def _see_async_context(self, event: ev.Event) -> None:
        match event:
            case ev.AsyncContextCreated(async_context=None):
                self._do("(void)SspiCreateAsyncContext();", "NULL: out of memory")
            case ev.AsyncContextCreated():
                self._do(f"{self._variable(event.async_context)} = SspiCreateAsyncContext();")
            case ev.NotifyCallbackSet():
                callback = "NULL" if event.is_null else "OnCompletion"
                arguments = f"{self._variable(event.async_context)}, {callback}, NULL"
                self._do(f"status = SspiSetAsyncNotifyCallback({arguments});", event.status.name)
            case ev.NotifyRequirementQueried():
                answer = "TRUE" if event.requires_notify else "FALSE"
                name = self._variable(event.async_context)
                self._do(f"requires_notify = SspiAsyncContextRequiresNotify({name});", answer)
            case ev.CallStatusQueried():
                name = self._variable(event.async_context)
                self._do(f"status = SspiGetAsyncCallStatus({name});", event.status.name)
            case ev.AsyncContextReinitialized():
                name = self._variable(event.async_context)
                self._do(f"nt_status = SspiReinitAsyncContext({name});", event.status.name)
            case ev.AsyncContextFreed():
                self._do(f"SspiFreeAsyncContext({self._variable(event.async_context)});")
            case ev.ContractBroken():
                self._say(f"{event.rule} broken here: {event.verb} {event.async_context}, {event.phase}: {event.why}")
            case ev.OutputReadEarly():
                verb = "written" if event.is_write else "read"
                self._say(f"C001: {event.parameter} of {event.call} is {verb} here, while it is pending")
            case ev.NoteMade():
                self._say(event.text)
            case _:
                pass

    def _change_actor(self, actor: str) -> None:
        """Say who acts from here on, the callback or the end itself."""
        if actor == self._actor or actor.endswith(".package"):
            return
        self._actor = actor
        name, _, callback = actor.partition(".")
        where = (
            f"{name}, in the notify callback of {callback.partition('.')[0]}" if actor.endswith(".callback") else actor
        )
        self._rows.append("")
        self._say(f"---- {where} ----")

    # -- the queueing functions --------------------------------------------------------------------------------------
    def _queue(self, record: Record, event: ev.CallQueued) -> None:
        self._queued[event.call] = event
        name = identifier(event.call)
        call = self._calls.get(event.call)
        silent = ", with no callback" if event.is_silent else ""
        leg = f", makes leg {call.leg}" if call is not None and call.leg else ""
        self._rows.append("")
        self._say(f"{event.call}, record {record.sequence}{leg}{silent}")
        for images, suffix in ((event.input, "in"), (event.output, "out")):
            if images is not None:
                self._declare_descriptor(f"{name}_{suffix}", images)
        if event.auth_data is not None:
            declared = auth_declarations(f"{name}_auth", event.auth_data, width=self._look.width - len(INDENT))
            self._rows += [f"{INDENT}{row}" for row in declared]
        self._rows.append(f"{INDENT}status = {event.function.forms[0]}(")
        arguments = self._arguments(event, call)
        last = len(event.function.arguments) - 1
        for index, argument in enumerate(event.function.arguments):
            *above, value = arguments[argument.name]
            self._rows += [f"{INDENT * 2}{row}" for row in above]
            ending = ");" if index == last else ","
            self._rows.append(f"{f'{INDENT * 2}{value}{ending}':<52} /* {argument.name} */")
        status = "SEC_E_OK" if call is None else call.queue_status.name
        self._say(f"queue status {status}")

    def _arguments(self, event: ev.CallQueued, call: Call | None) -> dict[str, list[str]]:
        """Give each argument's text by its documented name, flags over several rows."""
        name, side = identifier(event.call), identifier(event.call.actor)
        made = call.completed.handle if call is not None and call.completed is not None else None
        flags = joined(requirements(event.function, event.requirements), indent=INDENT * 2, width=self._look.width)
        known = {
            "AsyncContext": [self._variable(event.async_context)],
            "phCredential": [self._address(event.credential)],
            "phContext": [self._address(event.security_context)],
            "pszTargetName": [self._string(f"{side}_target", event.target_name)],
            "fContextReq": flags,
            "Reserved1": ["0"],
            "TargetDataRep": ["SECURITY_NETWORK_DREP"],
            "pInput": ["NULL" if event.input is None else f"&{name}_in"],
            "Reserved2": ["0"],
            "phNewContext": [self._new_handle(event.security_context or made, f"{name}_context", "CtxtHandle ")],
            "pOutput": ["NULL" if event.output is None else f"&{name}_out"],
            "pfContextAttr": [f"&{self._static(f'{side}_attributes', 'unsigned long ')}"],
            "ptsExpiry": [f"&{self._static(f'{side}_expiry', 'TimeStamp ')}"],
        }
        if event.function is Function.SspiAcquireCredentialsHandleAsync:
            known |= {
                "pszPrincipal": [self._string(f"{side}_principal", event.target_name)],
                "pszPackage": ["&package_name"],
                "fCredentialUse": flags,
                "pvLogonId": ["NULL"],
                "pAuthData": ["NULL" if event.auth_data is None else f"&{name}_auth"],
                "pGetKeyFn": ["NULL"],
                "pvGetKeyArgument": ["NULL"],
                "phCredential": [self._new_handle(made, f"{name}_credential", "CredHandle ")],
            }
        elif event.function not in LEG_FUNCTIONS:
            known["ptsExpiry"] = known["pfContextAttr"] = ["NULL"]
        return known

    def _static(self, name: str, kind: str) -> str:
        self._variables.setdefault(name, kind)
        return name

    def _new_handle(self, handle: Handle | None, otherwise: str, kind: str) -> str:
        """Give the address of the variable that a call writes a handle to; one of its own when it never did."""
        return f"&{self._static(otherwise, kind)}" if handle is None else self._address(handle)

    def _string(self, name: str, text: str | None) -> str:
        if text is None:
            return "NULL"
        declaration = f"static SECURITY_STRING {name} = RTL_CONSTANT_STRING({wide_string(text)});"
        if declaration not in self._strings:
            if any(one.startswith(f"static SECURITY_STRING {name} ") for one in self._strings):
                return self._string(f"{name}_", text)
            self._strings.append(declaration)
        return f"&{name}"

    def _declare_descriptor(self, name: str, images: Iterable[BufferImage]) -> None:
        """Declare the memory of each buffer, the buffers and their descriptor, before the call that takes them."""
        listed = list(images)
        rows, buffers = [], []
        for index, image in enumerate(listed):
            memory = "NULL" if image.data is None else f"{name}_{index}"
            rows += self._memory(memory, image)
            buffers.append(f"{INDENT}{{ {image.size}, {buffer_constant(image.buffer_type)}, {memory} }},")
        pointer = "NULL"
        if listed:
            pointer = f"{name}_buffers"
            rows += [f"static SecBuffer {pointer}[{len(listed)}] = {{", *buffers, "};"]
        rows.append(f"static SecBufferDesc {name} = {{ SECBUFFER_VERSION, {len(listed)}, {pointer} }};")
        self._rows += [f"{INDENT}{row}" for row in rows]

    def _memory(self, name: str, image: BufferImage) -> list[str]:
        """Declare what a buffer points at, its bytes written out or left out; nothing for NULL."""
        if image.data is None:
            return []
        size = max(image.size, len(image.data), 1)
        if image.data and self._look.verbosity > 0:
            return [f"static unsigned char {name}[{size}] = {{", *byte_rows(image.data), "};"]
        shown = f" /* {hex_head(image.data)} */" if image.data else ""
        return [f"static unsigned char {name}[{size}];{shown}"]

    # -- what came of it ---------------------------------------------------------------------------------------------
    def _complete(self, record: Record, event: ev.CallCompleted) -> None:
        name = identifier(event.call)
        queued = self._queued.get(event.call)
        words = [f"{event.call} completes, record {record.sequence}: call status {event.status.name}"]
        if queued is not None and queued.function in LEG_FUNCTIONS and event.attributes:
            is_client = queued.function is Function.SspiInitializeSecurityContextAsync
            granted = IscRet(event.attributes) if is_client else AscRet(event.attributes)
            words.append(f"*pfContextAttr = {flag_text(granted)}")
        if queued is not None:
            words += _changes(f"{name}_in", queued.input, event.input)
            words += _changes(f"{name}_out", queued.output, event.output)
            self._keep_output(record, name, queued, event)
        self._rows.append("")
        self._say("; ".join(words))

    def _keep_output(self, record: Record, name: str, queued: ev.CallQueued, event: ev.CallCompleted) -> None:
        token, text, allocated = b"", "", []
        for index, (before, after) in enumerate(zip(queued.output or (), event.output or (), strict=True)):
            memory = f"{name}_out_buffers[{index}].pvBuffer"
            if before.data is None and after.data is not None:
                allocated.append(memory)
            if after.buffer_type == BufferType.TOKEN and after.data:
                token, text = after.data, memory
        self._output[record.actor.partition(".")[0]] = _Output(token, text, tuple(allocated))

    def _sent(self, record: Record, event: ev.TokenSent) -> None:
        output = self._output.get(record.actor.partition(".")[0])
        what = f"leg {event.leg}" if event.leg else "protected data"
        known = output is not None and output.token == event.data and output.token_text
        source = f", from {output.token_text}" if known and output is not None else ""
        self._say(f"send {len(event.data)} bytes to the {event.receiver}{source}: {what}")

    def _free_buffers(self, record: Record, event: ev.ContextBuffersFreed) -> None:
        output = self._output.get(record.actor.partition(".")[0])
        if output is None or len(output.allocated) != event.released:
            self._say(f"FreeContextBuffer, {event.released} times")
            return
        for memory in output.allocated:
            self._do(f"status = FreeContextBuffer({memory});")

    def _message(self, record: Record, event: ev.MessageEncrypted | ev.MessageDecrypted) -> None:
        self._messages += 1
        name = f"{identifier(record.actor.partition('.')[0])}_message{self._messages}"
        hidden = [one._replace(data=b"" if one.data is not None else None) for one in event.before]
        self._declare_descriptor(name, hidden)
        context = self._address(event.security_context)
        if isinstance(event, ev.MessageEncrypted):
            statement = f"status = EncryptMessage({context}, 0, &{name}, 0);"
        else:
            statement = f"status = DecryptMessage({context}, &{name}, 0, NULL);"
        self._do(statement, event.status.name)
        changes = _changes(name, event.before, event.after)
        if changes:
            self._say("; ".join(changes))

    def _query(self, record: Record, event: ev.AttributeQueried) -> None:
        side = identifier(record.actor.partition(".")[0])
        constant = attribute_constant(event.attribute)
        variable = identifier(constant.removeprefix("SECPKG_ATTR_")).lower()
        name = self._static(f"{side}_{variable}", f"{structure(event.attribute)} ")
        context = self._address(event.security_context)
        self._do(f"status = QueryContextAttributesW({context}, {constant}, &{name});", event.status.name)


_SILENT = (
    ev.RunStarted,
    ev.RunEnded,
    ev.HandshakeBegan,
    ev.TokenDelivered,
    ev.KeyLogged,
    ev.ChoiceMade,
    ev.FaultInjected,
    ev.FaultMissed,
    ev.TokenForwarded,
    ev.CallHeld,
    ev.CallReleased,
    ev.QueueingReturned,
    ev.CallCompleted,
    ev.CredentialAcquired,
    ev.CredentialFreed,
    ev.SecurityContextOpened,
    ev.SecurityContextDeleted,
    ev.CallbackEntered,
    ev.CallbackReturned,
)


def _changes(name: str, before: Sequence[BufferImage] | None, after: Sequence[BufferImage] | None) -> list[str]:
    """Say what became of each buffer that changed."""
    said = []
    for index, (first, then) in enumerate(zip(before or (), after or (), strict=False)):
        if first != then:
            said.append(f"{name}_buffers[{index}] = {buffer_type_name(then.buffer_type)}, {then.size} B")
    return said
