"""What a scenario expects, held against the records of its run; each thing that does not hold, with its evidence.

The rule guarded here: nothing is looked at but records and what is folded from them. So an expectation means the same
for a run that has just ended and for its recording. A path leads from every expected value to where the file has it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from sspicli.analysis.calls import Call, Leg, Refusal
from sspicli.analysis.cases import Unmet
from sspicli.analysis.report import Report
from sspicli.analysis.report import report as report_of
from sspicli.journal import events as ev
from sspicli.journal.journal import Record
from sspicli.runtime.chooser import schedule_text
from sspicli.scenario import steps as st
from sspicli.scenario import yaml
from sspicli.scenario.checks import attribute_number, granted, walk
from sspicli.scenario.edit import written
from sspicli.scenario.load import Case
from sspicli.scenario.model import AttributeCheck, CallCheck, LegCheck, LegExpected, RunExpected, TokenExpected
from sspicli.scenario.problems import Loc, node_at
from sspicli.scenario.shapes import BufferExpected, CallExpected, QueryExpected
from sspicli.scenario.story import Execution, Story
from sspicli.scenario.words import Range, kebab, near
from sspicli.session.faults import FUNCTIONS
from sspicli.sspi.alerts import alert_name
from sspicli.sspi.attributes import ContextAttribute
from sspicli.sspi.buffers import BufferImage, buffer_type_name
from sspicli.sspi.handles import Handle
from sspicli.sspi.package import AlertSeen, Evidence
from sspicli.sspi.status import NtStatus, SecurityStatus
from sspicli.tokens.paths import matching, names, parse_path
from sspicli.tokens.tls_fields import message_trees

FIRST_ERROR = 0x80000000
NOTHING = "nothing"


class Checker:
    """Holds what is expected against what was got, and keeps what does not agree."""

    def __init__(self, case: Case, report: Report, records: Sequence[Record]) -> None:
        self.case = case
        self.report = report
        self.records = records
        self.count = 0
        self.tested: Counter[str] = Counter()
        self.unmet: list[Unmet] = []
        self._story: Story | None = None
        self._others: dict[int, Report] = {}

    @property
    def story(self) -> Story:
        """What each step led to."""
        if self._story is None:
            self._story = Story(self.records)
        return self._story

    def hold(
        self,
        step: str,
        path: Loc,
        expected: object,
        got: object,
        *,
        holds: bool | None = None,
        records: Iterable[int] = (),
        seen: Iterable[str] = (),
    ) -> None:
        """Count one expectation; where it does not hold, keep it with what explains it."""
        self.count += 1
        self.tested[step] += 1
        if expected == got if holds is None else holds:
            return
        self.unmet.append(
            Unmet(
                step=step,
                key=_key(path),
                place=self.case.place_of(path),
                expected=said(expected),
                got=said(got),
                evidence=_wire(self.report),
                seen=tuple(seen),
                cause=_cause(self.report),
                records=tuple(records),
                rewrite=self._rewrite(path, expected, got),
                path=path,
            )
        )

    def _rewrite(self, path: Loc, expected: object, got: object) -> str | None:
        """Give what the file would have to say; None where what was got is no value of that key."""
        node = node_at(self.case.root, path)
        span = node.span
        was = self.case.source.text[span.start : span.end]
        is_own = was and "$" not in was and span.line == span.end_line
        if not is_own or not _is_value(path, expected, got):
            return None
        if isinstance(node, yaml.Scalar):
            plain = got if isinstance(got, bool) or type(got) is int else said(got)
            return written(plain, like=node)
        if isinstance(node, yaml.Sequence) and node.is_flow and isinstance(got, list):
            return f"[{', '.join(written(one) for one in got)}]"
        return None

    # -- connections ---------------------------------------------------------------------------------------------------
    def _of(self, connection: int) -> Report:
        """Give the report of a connection; there is nothing in that of one which was never begun."""
        if connection == self.report.handshake:
            return self.report
        if connection not in self._others:
            is_begun = connection <= self.report.handshakes
            records, shown = (self.records, connection) if is_begun else ((), 0)
            self._others[connection] = report_of(records, handshake=shown)
        return self._others[connection]

    def _calls(self) -> list[Call | Refusal]:
        """List the calls of the whole run; a report is of one connection, and of what came before the first."""
        shown = [self._of(number) for number in range(1, self.report.handshakes + 1)] or [self.report]
        found: dict[int, Call | Refusal] = {}
        for each in shown:
            found |= {one.sequence: one for one in each.calls} | {one.sequence: one for one in each.refusals}
        return list(found.values())

    # -- steps on the way ----------------------------------------------------------------------------------------------
    def steps(self) -> None:
        """Hold the steps on the way."""
        for number, step in enumerate(self.case.scenario.steps):
            path: Loc = ("steps", number)
            if isinstance(step, LegCheck):
                self._leg(step, path)
            elif isinstance(step, CallCheck):
                self._call_check(step, path)
            else:
                self._attribute(step, path)

    def _leg(self, step: LegCheck, path: Loc) -> None:
        name = f"leg {step.leg}"
        shown = self._of(step.connection or self.report.handshake)
        leg = next((one for one in shown.legs if one.number == step.leg), None)
        if leg is None:
            self.hold(name, (*path, "leg"), name, f"{len(shown.legs)} legs", holds=False)
            return
        expected, path = step.expect, (*path, "expect")
        self._sides(name, path, expected, leg, shown)
        if expected.sender is not None:
            self.hold(name, (*path, "sender"), expected.sender, leg.sender, records=(leg.sequence,))
        if expected.alert is not None:
            alerts = _alerts(leg)
            got = alerts[0] if alerts else "none"
            self.hold(name, (*path, "alert"), expected.alert, got, records=(leg.sequence,))
        if expected.token is not None:
            self._token(name, (*path, "token"), expected.token, leg)

    def _sides(self, name: str, path: Loc, expected: LegExpected, leg: Leg, shown: Report) -> None:
        for side in ("client", "server"):
            status = getattr(expected, side)
            if status is not None:
                call = call_around(shown, self.records, leg, side)
                got: object = NOTHING if call is None else call.status
                self.hold(name, (*path, side), status, got, records=_records_of(call))

    def _token(self, name: str, path: Loc, expected: TokenExpected, leg: Leg) -> None:
        messages = [message.name for message in leg.messages]
        at = (leg.sequence,)
        if expected.size is not None:
            size = len(leg.data)
            self.hold(name, (*path, "size"), expected.size, size, holds=size in expected.size, records=at)
        if expected.messages is not None:
            self.hold(name, (*path, "messages"), expected.messages, messages, records=at)
        for key, wanted in (("contains", True), ("lacks", False)):
            for number, one in enumerate(getattr(expected, key) or []):
                self.hold(name, (*path, key, number), one, messages, holds=(one in messages) is wanted, records=at)
        for field, value in (expected.fields or {}).items():
            self._field(name, (*path, "fields", field), field, value, leg)

    def _field(self, name: str, path: Loc, field: str, value: object, leg: Leg) -> None:
        pattern = parse_path(field)
        trees = list(message_trees(leg.messages))
        found = [node for tree in trees for _, node in (matching(tree, pattern) if pattern else ())]
        got = [spelled(node.value) for node in found]
        holds = any(_same(value, node.value) or _same(value, node.meaning) for node in found)
        suggestion = "" if found else near(field.rpartition(".")[2], names(trees))
        hint = [f"there is no such field; {suggestion}"] if suggestion else []
        self.hold(name, path, value, got[0] if got else NOTHING, holds=holds, records=(leg.sequence,), seen=hint)

    def _call_check(self, step: CallCheck, path: Loc) -> None:
        pattern = step.call
        function = FUNCTIONS[pattern.word]
        calls = [one for one in self._calls() if one.function is function and one.endpoint == pattern.side]
        if step.connection is not None:
            calls = [one for one in calls if one.handshake == step.connection]
        calls.sort(key=lambda one: one.sequence)
        if len(calls) < pattern.nth:
            self.hold(str(pattern), (*path, "call"), str(pattern), f"{len(calls)} such calls", holds=False)
            return
        self.call(str(pattern), (*path, "expect"), step.expect, calls[pattern.nth - 1])

    def _attribute(self, step: AttributeCheck, path: Loc) -> None:
        end = self.report.endpoints.get(step.side)
        number = attribute_number(step.attribute)
        status, fields = (None, {}) if end is None or number is None else end.queries.get(number, (None, {}))
        if status is None and not step.expect:
            name = f"{step.side} {step.attribute}"
            self.hold(name, (*path, "attribute"), "a query", "the side never asked for it", holds=False)
        for key, value in step.expect.items():
            got = (NOTHING if status is None else status.name) if key == "status" else fields.get(key, NOTHING)
            holds = _same(value, got)
            self.hold(f"{step.side} {step.attribute}", (*path, "expect", key), value, spelled(got), holds=holds)

    # -- calls ---------------------------------------------------------------------------------------------------------
    def call(self, name: str, path: Loc, expected: CallExpected, call: Call | Refusal) -> None:
        """Hold what is expected of a queued call."""
        at = _records_of(call)
        refused = isinstance(call, Refusal)
        queue: object = (call.queue_status or NOTHING) if isinstance(call, Refusal) else call.queue_status
        done = call.completed if isinstance(call, Call) else None
        if expected.queue is not None:
            self.hold(name, (*path, "queue"), expected.queue, queue, records=at)
        if expected.status is not None:
            got = f"refused with {said(queue)}" if refused else call.status
            self.hold(name, (*path, "status"), expected.status, got, records=at)
        plain: tuple[tuple[str, object, object], ...] = (
            ("pending", expected.pending, isinstance(call, Call) and call.was_pending),
            ("completes", expected.completes, done is not None),
            ("callbacks", expected.callbacks, 0 if isinstance(call, Refusal) else call.notifications),
            ("handle", expected.handle, "new" if self._made_handle(call) else "untouched"),
        )
        for key, wanted, got_plain in plain:
            if wanted is not None:
                self.hold(name, (*path, key), wanted, got_plain, records=at)
        if expected.alert is not None:
            self.hold(name, (*path, "alert"), expected.alert, _alert_of(call.evidence), records=at)
        for key, images in (("input", done and done.input), ("output", done and done.output)):
            self.buffers(name, (*path, key), getattr(expected, key), images or (), at)
        self._attributes_of(name, path, expected, call)

    def _made_handle(self, call: Call | Refusal) -> bool:
        """Say whether a completion brought a credential or a security context to life."""
        born = (ev.CredentialAcquired, ev.SecurityContextOpened)
        return isinstance(call, Call) and any(
            isinstance(record.event, born) and record.event.call == call.handle for record in self.records
        )

    def _attributes_of(self, name: str, path: Loc, expected: CallExpected, call: Call | Refusal) -> None:
        word = call.completed.attributes if isinstance(call, Call) and call.completed else 0
        for key, wanted in (("granted", True), ("denied", False)):
            for number, flag in enumerate(getattr(expected, key) or []):
                has = granted(word, flag, call.endpoint)
                got = "no such flag" if has is None else f"{flag} is {'' if has else 'not '}granted (0x{word:08X})"
                self.hold(name, (*path, key, number), flag, got, holds=has is wanted, records=_records_of(call))

    def buffers(
        self,
        name: str,
        path: Loc,
        expected: Sequence[BufferExpected] | None,
        images: Sequence[BufferImage],
        records: tuple[int, ...],
    ) -> None:
        """Hold buffers against what is expected of them, by position."""
        for number, one in enumerate(expected or ()):
            here = (*path, number)
            if number >= len(images):
                self.hold(name, here, f"buffer {number}", f"{len(images)} buffers", holds=False, records=records)
                continue
            image = images[number]
            kind = buffer_type_name(image.buffer_type)
            if one.type is not None:
                self.hold(name, (*here, "type"), one.type.name, kind, records=records)
            if one.size is not None:
                holds = image.size in one.size
                self.hold(name, (*here, "size"), one.size, image.size, holds=holds, records=records)
            if one.hex is not None:
                self.hold(name, (*here, "hex"), one.hex.hex(), (image.data or b"").hex(), records=records)

    # -- programs ------------------------------------------------------------------------------------------------------
    def programs(self) -> None:
        """Hold what the steps of programs expect, each time that they were taken."""
        calls = {call.handle: call for call in self._calls() if isinstance(call, Call)}
        for program, steps in self.case.scenario.programs.items():
            for path, step in walk(steps, ("programs", program)):
                name = step_id(path)
                taken = self.story.executions.get(name, [])
                if not taken and _expects(step):
                    self.hold(name, path, "this step", "it was never reached", holds=False)
                    break
                for execution in taken:
                    self._step(step, path, name, execution, calls)

    def _step(self, step: st.Step, path: Loc, name: str, execution: Execution, calls: dict[Handle, Call]) -> None:
        if isinstance(step, st.Check):
            self._check(step, path, name, execution)
            return
        self._found_its_object(step, path, name, execution)
        expected = getattr(step, "expect", None)
        if expected is None:
            return
        here = (*path, "expect")
        if isinstance(expected, CallExpected):
            self._queued(name, here, expected, execution, calls)
        elif isinstance(expected, QueryExpected):
            self._synchronous(name, here, expected, execution.find(_SYNCHRONOUS[type(step)]))
        else:
            got, at = _result(step, execution)
            self.hold(name, here, expected, got, records=at)

    def _found_its_object(self, step: st.Step, path: Loc, name: str, execution: Execution) -> None:
        """Hold that a step which acts on calls, buffers or legs found what it names: it is there to do something."""
        missed = self._missed(step, execution)
        missed = "" if missed and self._is_meant(path) else missed
        if missed or isinstance(step, st.Hold | st.Release | st.Complete | st.Touch):
            at = (execution.sequence,)
            self.hold(name, (*path, step.verb), "something to do", missed, holds=not missed, records=at)

    def _is_meant(self, path: Loc) -> bool:
        """Say whether a step, or the one whose callback it stands in, is deliberate."""
        steps = self.case.scenario.programs[str(path[1])]
        return any(step.deliberate for at, step in walk(steps, path[:2]) if path[: len(at)] == at)

    def _missed(self, step: st.Step, execution: Execution) -> str:
        """Say what a step looked for in vain; its note begins with its verb, and no other step's does."""
        if isinstance(step, st.Hold):
            pattern = step.hold.text
            events = [one.event for one in self.records if one.sequence > execution.sequence]
            came = any(isinstance(one, ev.CallHeld) and one.pattern == pattern for one in events)
            is_one = step.hold.nth > 0  # all there may be can also be none
            return f"hold {pattern}: no such call came" if is_one and not came else ""
        if isinstance(step, st.Release | st.Complete) and not getattr(step, step.verb).nth:
            return ""  # all there are can also be none
        texts = [one.event.text for one in execution.led_to if isinstance(one.event, ev.NoteMade)]
        return next((one for one in texts if one.startswith((f"{step.verb} ", f"{step.verb}: "))), "")

    def _queued(
        self, name: str, path: Loc, expected: CallExpected, execution: Execution, calls: dict[Handle, Call]
    ) -> None:
        record = execution.find(ev.CallQueued, ev.CallRefused)
        event = None if record is None else record.event
        if isinstance(event, ev.CallQueued) and event.call in calls:
            self.call(name, path, expected, calls[event.call])
        elif isinstance(event, ev.CallRefused) and record is not None:
            side = record.actor.partition(".")[0]
            self.call(name, path, expected, Refusal(side, event.function, event.queue_status, record.sequence, 0))
        else:
            broken = execution.find(ev.ContractBroken)
            got = "it broke the contract" if broken else NOTHING
            self.hold(name, path, "a call", got, holds=False, records=() if broken is None else (broken.sequence,))

    def _synchronous(self, name: str, path: Loc, expected: QueryExpected, record: Record | None) -> None:
        if record is None:
            self.hold(name, path, "a call", NOTHING, holds=False)
            return
        event, at = record.event, (record.sequence,)
        if expected.status is not None:
            self.hold(name, (*path, "status"), expected.status, event.status, records=at)  # type: ignore[union-attr]
        fields = event.fields if isinstance(event, ev.AttributeQueried) else {}
        for key, value in (expected.fields or {}).items():
            got = fields.get(key, NOTHING)
            self.hold(name, (*path, "fields", key), value, spelled(got), holds=_same(value, got), records=at)
        after = () if isinstance(event, ev.AttributeQueried) else event.after  # type: ignore[union-attr]
        self.buffers(name, (*path, "buffers"), expected.buffers, after, at)

    def _check(self, step: st.Check, path: Loc, name: str, execution: Execution) -> None:
        here, side, at = (*path, "check"), execution.actor.partition(".")[0], (execution.sequence,)
        for variable, phase in step.check.phase.items():
            handle = self._handle_of(side, variable, execution.sequence)
            got = NOTHING if handle is None else self.story.phase(handle, execution.sequence)
            holds = got.partition(",")[0] == phase.partition(",")[0]
            self.hold(name, (*here, "phase", variable), phase, got, holds=holds, records=at)
        before = [one for one in self.story.before(execution.sequence) if one.actor.partition(".")[0] == side]
        entered = sum(isinstance(one.event, ev.CallbackEntered) for one in before)
        queued = sum(isinstance(one.event, ev.CallQueued) for one in before)
        done = sum(isinstance(one.event, ev.CallCompleted) for one in before)
        for key, got_count in (("callbacks", entered), ("pending", queued - done)):
            wanted = getattr(step.check, key)
            if wanted is not None:
                self.hold(name, (*here, key), wanted, got_count, records=at)

    def _handle_of(self, side: str, variable: str, sequence: int) -> Handle | None:
        """Find the async context that a variable held: the last that a step had made into it."""
        found = None
        for program, steps in self.case.scenario.programs.items():
            if program.partition(".")[0] != side:
                continue
            for path, step in walk(steps, ("programs", program)):
                if isinstance(step, st.Create) and step.create == variable:
                    for execution in self.story.executions.get(step_id(path), []):
                        record = execution.find(ev.AsyncContextCreated)
                        if record is not None and record.sequence < sequence:
                            found = record.event.async_context  # type: ignore[union-attr]
        return found

    # -- the whole -----------------------------------------------------------------------------------------------------
    def run(self) -> None:
        """Hold what is expected of the whole run, but for its verdict and findings."""
        expected = self.case.scenario.expect
        for key, give in seen_of(self.report).items():
            wanted = getattr(expected, key)
            if wanted is not None:
                value = give()
                holds = value in wanted if key in ("legs", "calls", "callbacks") else None
                self.hold("expect", ("expect", kebab(key)), wanted, value, holds=holds)
        self._granted(expected)
        self._waits(expected)
        self._document(expected)

    def _granted(self, expected: RunExpected) -> None:
        for side, flags in (expected.granted or {}).items():
            end = self.report.endpoints.get(side)
            word = 0 if end is None else end.attributes or 0
            for number, flag in enumerate(flags):
                has = granted(word, flag, side)
                got = f"{'' if has else 'not '}granted (0x{word:08X})"
                self.hold("expect", ("expect", "granted", side, number), flag, got, holds=has is True)

    def _waits(self, expected: RunExpected) -> None:
        for number, part in enumerate(expected.waits or ()):
            holds = any(part in one for one in self.report.waits)
            self.hold("expect", ("expect", "waits", number), part, "; ".join(self.report.waits) or NOTHING, holds=holds)

    def _document(self, expected: RunExpected) -> None:
        if not expected.document:
            return
        from sspicli.reports.document import document  # few scenarios look at it

        whole = document(self.report, timing=False, schedule=schedule_text(self.report.schedule))
        for path, value in expected.document.items():
            got = _member(whole, path)
            self.hold("expect", ("expect", "document", path), value, spelled(got), holds=_same(value, got))


_LEGS = (FUNCTIONS["init"], FUNCTIONS["accept"])
_SYNCHRONOUS: dict[type[st.Step], type] = {  # encrypt asks for the stream sizes first
    st.Query: ev.AttributeQueried,
    st.Encrypt: ev.MessageEncrypted,
    st.Decrypt: ev.MessageDecrypted,
}


def call_around(report: Report, records: Sequence[Record], leg: Leg, side: str) -> Call | None:
    """Find a side's call around a leg: the one that made it, or the first after it that did not merely want bytes."""
    if side == leg.sender:
        return next((call for call in report.calls if call.handle == leg.call), None)
    arrived = next(
        (one.sequence for one in records if isinstance(one.event, ev.TokenDelivered) and one.sequence > leg.sequence),
        None,
    )
    calls = [call for call in report.calls if call.endpoint == side and call.function in _LEGS]
    after = [call for call in calls if arrived is not None and call.sequence > arrived]
    return next((call for call in after if call.status != SecurityStatus.SEC_E_INCOMPLETE_MESSAGE), None)


def step_id(path: Loc) -> str:
    """Write a step's id from its path: `server.3`, and `server.2.do.1` in a callback; as it stands on record."""
    words = [str(one + 1) if isinstance(one, int) else one for one in path[1:] if one != "set-callback"]
    return ".".join(words)


_WORDS = frozenset(
    {"sender", "handle", "alert", "protocol", "cipher-suite", "group", "alpn", "failed", "field", "verdict", "type"}
)
_LISTS = frozenset({"findings", "messages"})


def _is_value(path: Loc, expected: object, got: object) -> bool:
    """Say whether what was got could stand where something else was expected: a value of the same kind."""
    key = path[-1]
    if got == NOTHING or isinstance(key, int):
        return False
    if isinstance(got, list):
        return key in _LISTS
    if isinstance(got, SecurityStatus | NtStatus):
        return isinstance(expected, SecurityStatus | NtStatus)
    if isinstance(got, bool) or isinstance(expected, bool):
        return isinstance(got, bool) and isinstance(expected, bool)
    if isinstance(got, int):
        return key != "leg" and isinstance(expected, int | Range)
    return key in _WORDS and isinstance(got, str)


def _key(path: Loc) -> str:
    """Say which expectation of a step a path leads to."""
    words = list(map(str, path))
    return ".".join(words[words.index("expect") + 1 :] if "expect" in words else words[-1:]) or "expect"


def said(value: object) -> str:
    """Write a value as a scenario has it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, SecurityStatus):
        return value.name
    if isinstance(value, list | tuple) and not hasattr(value, "_fields"):
        return "[" + ", ".join(map(said, value)) + "]"
    name = getattr(value, "name", None)
    return name if isinstance(name, str) else str(value)


def spelled(value: object) -> str:
    """Write a field's value as `decode` does: bytes in hex."""
    return value.hex() if isinstance(value, bytes) else said(value)


def _same(wanted: object, got: object) -> bool:
    """Compare a scalar of a file with a value: bytes as hex, numbers as numbers, all else as text."""
    if isinstance(wanted, list):
        return isinstance(got, list | tuple) and len(wanted) == len(got) and all(map(_same, wanted, got))
    if isinstance(got, bytes):
        return str(getattr(wanted, "text", wanted)).replace(" ", "").replace(":", "").lower() == got.hex()
    if isinstance(wanted, bool) or isinstance(got, bool) or wanted is None or got is None:
        return wanted is got
    if isinstance(wanted, int | float) and isinstance(got, int | float):
        return wanted == got
    return said(wanted) == said(got) or getattr(wanted, "text", None) == got


def _member(whole: object, path: str) -> object:
    """Find a member of a document by its path; `nothing` where it leads nowhere."""
    for step in path.split("."):
        if isinstance(whole, dict) and step in whole:
            whole = whole[step]
        elif isinstance(whole, list) and step.isdecimal() and int(step) < len(whole):
            whole = whole[int(step)]
        else:
            return NOTHING
    return whole


def _records_of(call: Call | Refusal | None) -> tuple[int, ...]:
    if call is None:
        return ()
    done = call.completed_sequence if isinstance(call, Call) else 0
    return (call.sequence, done) if done else (call.sequence,)


def _expects(step: st.Step) -> bool:
    return isinstance(step, st.Check) or getattr(step, "expect", None) is not None


def _result(step: st.Step, execution: Execution) -> tuple[object, tuple[int, ...]]:
    """Give what a step's one function returned, and the records that show it."""
    kinds: dict[type, tuple[type, str]] = {
        st.GetStatus: (ev.CallStatusQueried, "status"),
        st.Reinit: (ev.AsyncContextReinitialized, "status"),
        st.SetCallback: (ev.NotifyCallbackSet, "status"),
        st.RequiresNotify: (ev.NotifyRequirementQueried, "requires_notify"),
        st.Create: (ev.AsyncContextCreated, "async_context"),
        st.Poll: (ev.CallStatusQueried, "status"),
        st.Handshake: (ev.CallCompleted, "status"),
    }
    kind, member = kinds[type(step)]
    found = [record for record in execution.led_to if isinstance(record.event, kind)]
    if not found:
        broken = execution.find(ev.ContractBroken)
        return ("it broke the contract", (broken.sequence,)) if broken else (NOTHING, ())
    last = found[-1]
    got = getattr(last.event, member)
    if isinstance(step, st.Create):
        got = "null" if got is None else "handle"
    return got, (last.sequence,)


def seen_of(report: Report) -> dict[str, Callable[[], object]]:
    """Give what there is to be expected of a whole run, each worked out when it is asked for."""
    failure = report.failure
    return {
        "client": lambda: _end_status(report, "client"),
        "server": lambda: _end_status(report, "server"),
        "failed": lambda: NOTHING if failure is None else failure.side,
        "at_leg": lambda: NOTHING if failure is None else failure.leg,
        "alert": lambda: _alert_name(None if failure is None else failure.alert),
        "field": lambda: NOTHING if failure is None else failure.field or NOTHING,
        "protocol": lambda: report.protocol or NOTHING,
        "cipher_suite": lambda: report.cipher_suite or NOTHING,
        "group": lambda: report.group or NOTHING,
        "alpn": lambda: _alpn(report),
        "resumed": lambda: report.is_resumed,
        "legs": lambda: len(report.legs),
        "calls": lambda: len(report.calls),
        "callbacks": lambda: sum(end.callbacks for end in report.endpoints.values()),
    }


def _end_status(report: Report, side: str) -> object:
    end = report.endpoints.get(side)
    return NOTHING if end is None or end.status is None else end.status


def _alert_name(alert: AlertSeen | None) -> str:
    return "none" if alert is None else alert_name(alert.number)


def _alert_of(evidence: Evidence | None) -> str:
    return _alert_name(None if evidence is None else evidence.alert_sent or evidence.alert_received)


def _alerts(leg: Leg) -> list[str]:
    """Name the alerts that a leg carries."""
    return [one.name.rpartition(" ")[2] for one in leg.messages if one.name.startswith("Alert ")]


def _alpn(report: Report) -> str:
    end = report.endpoints.get("client")
    _, fields = (None, {}) if end is None else end.queries.get(ContextAttribute.APPLICATION_PROTOCOL, (None, {}))
    name = fields.get("ProtocolId", b"")
    return name.decode("latin-1") if isinstance(name, bytes) and name else NOTHING


def _wire(report: Report) -> tuple[str, ...]:
    """Say what the wire showed of a failure: the alert, and the leg that carried it."""
    failure = report.failure
    if failure is None or failure.alert is None:
        return ()
    return (f"alert {failure.alert.number} {alert_name(failure.alert.number)}, leg {failure.leg}",)


def _cause(report: Report) -> str:
    failure = report.failure
    if failure is None:
        return ""
    detail = failure.evidence.detail if failure.evidence else ""
    status = NOTHING if failure.status is None else failure.status.name
    first = f"the {failure.side} failed first, with {status}"
    return "; ".join(one for one in (first, failure.cause or detail) if one)
