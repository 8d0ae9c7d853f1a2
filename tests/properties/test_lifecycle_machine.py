"""Any sequence of acts on several async contexts, inside and outside callbacks, against a small model of the facts.

The model knows no table: it is the pages' sentences as branches. After each run the analysis, which sees the records
alone, must agree with the runtime, and find exactly the misuse that the model saw.
"""

from __future__ import annotations

from collections import Counter

import hypothesis.strategies as st
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from sspicli.runtime.api import ContractError
from sspicli.runtime.calls import NotifyCallback, PendingCall
from sspicli.sspi.handles import Handle
from sspicli.sspi.lifecycle import LAW
from sspicli.sspi.status import NtStatus, SecurityStatus
from tests.pairs import IS_DEEP, UNWRITTEN, Bench, Outputs, judged, monitored, outputs, quiet, variable

OK, PENDING = SecurityStatus.SEC_E_OK, SecurityStatus.SEC_I_ASYNC_CALL_PENDING
BAD = SecurityStatus.SEC_E_INVALID_HANDLE
CONTINUE = SecurityStatus.SEC_I_CONTINUE_NEEDED
NOWHERE = Handle("client", "ac", 999)
DELETE = "delete"
VERBS = ["set", "requires", "status", "reinit", "free", "acquire", "initialize", "accept", DELETE, "free credential"]
VERBS += ["status of nothing", "free null"]

MODELLED = {row.rule for row in LAW.values()} | {"A008", "A016", "B006", "C001", "D004", "D008"}
"""The rules that the model below knows; the other rules have tests of their own."""


class Life:
    """One async context as the pages describe it."""

    def __init__(self) -> None:
        self.is_freed = False
        self.has_callback = False
        self.call: Queued | None = None  # the call it tracks

    def refusal_to_set(self) -> str:
        if self.is_freed:
            return "A006"
        return "B002" if self.call is not None and self.call.status is None else ""

    def freeing(self, *, inside: bool) -> str:
        """Say which rule freeing breaks, "" for none."""
        call = self.call
        if self.is_freed:
            return "A007"
        if call is None or call.is_silent or call.was_left:
            return ""
        if call.status is None:
            return "A004"
        return "" if call.was_entered and inside else "A005"

    def reinitialising(self, *, inside: bool) -> tuple[str, bool]:
        """Say which rule it breaks, and whether it is refused rather than undefined."""
        call = self.call
        if self.is_freed:
            return "A006", False
        if call is None or call.was_left or (call.is_silent and call.status is not None):
            return "", False
        if call.status is None:
            return "A001", True
        return ("", False) if call.was_entered and inside else ("A001", False)

    def queueing(self) -> str:
        if self.is_freed:
            return "A006"
        if self.call is None:
            return ""
        return "A003" if self.call.status is None else "A002"


class Queued:
    """One call: what it will come to is known when it completes."""

    def __init__(self, number: int, life: Life, verb: str, target: Handle | None, into: Outputs) -> None:
        self.handle = Handle("client", "call", number)
        self.life = life
        self.verb = verb
        self.target = target
        self.into = into
        self.is_silent = not life.has_callback
        self.status: SecurityStatus | None = None
        self.was_entered = False
        self.was_left = False


class LifecycleMachine(RuleBasedStateMachine):
    """The runtime and the model, side by side."""

    def __init__(self) -> None:
        super().__init__()
        self.bench = Bench()
        self.lives: dict[Handle, Life] = {}
        self.calls: dict[Handle, Queued] = {}
        self.owed: list[PendingCall] = []
        self.running: list[tuple[PendingCall, int]] = []
        self.alive: set[Handle] = set()
        self.minted: Counter[str] = Counter()
        self.found: Counter[tuple[str, str]] = Counter()
        self.inside: Handle | None = None

    # -- helpers
    def mint(self, kind: str) -> Handle:
        self.minted[kind] += 1
        return Handle("client", kind, self.minted[kind])

    def note(self, code: str, subject: object) -> None:
        if code:
            self.found[code, str(subject)] += 1

    def pick(self, data: st.DataObject) -> Handle:
        return data.draw(st.sampled_from(sorted(self.lives)), label="async context")

    @initialize(stages=st.lists(st.tuples(st.booleans(), st.integers(0, 5)), min_size=2, max_size=4))
    def begin(self, stages: list[tuple[bool, int]]) -> None:
        """Bring some async contexts to various points of their life, so that every phase is met in short runs too."""
        for silent, stage in stages:
            handle = self.create(silent=silent)
            if stage == 0:
                continue
            self.queue_on(handle, "acquire", None)
            if stage > 1:
                self.complete_at(-1)
            if stage > 2 and not silent:
                self.enter_at(-1)
                if stage > 3:
                    self.leave_at(-1)
            if stage > 4:
                self.free_one(handle)

    # -- the caller, or a running callback
    @precondition(lambda self: len(self.lives) < 4)
    @rule(silent=st.booleans())
    def create_another(self, silent: bool) -> None:
        self.create(silent=silent)

    def create(self, *, silent: bool) -> Handle:
        handle = self.bench.context(None if silent else quiet)
        assert handle == self.mint("ac")
        self.lives[handle] = Life()
        self.lives[handle].has_callback = not silent
        return handle

    @rule(data=st.data(), verb=st.sampled_from(VERBS))
    def act(self, data: st.DataObject, verb: str) -> None:
        """Let the program, or any running callback, do something with any async context."""
        places = [None, *[call.async_context.handle for call, _ in self.running]]
        self.act_inside(data, verb, data.draw(st.sampled_from(places), label="inside the callback of"), self.pick(data))

    @precondition(lambda self: self.running)
    @rule(data=st.data(), verb=st.sampled_from(VERBS))
    def act_in_its_own_callback(self, data: st.DataObject, verb: str) -> None:
        """Let a running callback do something with its own async context."""
        own = data.draw(st.sampled_from([call.async_context.handle for call, _ in self.running]), label="own")
        self.act_inside(data, verb, own, own)

    def act_inside(self, data: st.DataObject, verb: str, inside: Handle | None, handle: Handle) -> None:
        self.inside = inside
        self.bench.act_as(inside)
        match verb:
            case "set":
                self.set_callback(handle, data.draw(st.sampled_from([quiet, None]), label="callback"))
            case "requires":
                self.requires_notify(handle)
            case "status":
                self.get_status(handle)
            case "status of nothing":
                self.get_status(data.draw(st.sampled_from([None, NOWHERE])))
            case "reinit":
                self.reinit(handle)
            case "free":
                self.free_one(handle)
            case "free null":
                self.bench.api.free_async_context(None)
            case _:
                self.queue(data, handle, verb)

    def set_callback(self, handle: Handle, callback: NotifyCallback | None) -> None:
        code = self.lives[handle].refusal_to_set()
        self.note(code, handle)
        try:
            assert self.bench.api.set_async_notify_callback(handle, callback, None) == OK
            assert not code
            self.lives[handle].has_callback = callback is not None
        except ContractError:
            assert code

    def requires_notify(self, handle: Handle) -> None:
        life = self.lives[handle]
        try:
            assert self.bench.api.async_context_requires_notify(handle) is life.has_callback
            assert not life.is_freed
        except ContractError:
            assert life.is_freed
            self.note("A006", handle)

    def get_status(self, handle: Handle | None) -> None:
        life = self.lives.get(handle) if handle else None
        try:
            status = self.bench.api.get_async_call_status(handle)
        except ContractError:
            assert life is not None
            assert life.is_freed
            self.note("A006", handle)
            return
        if life is None:
            assert status == BAD
            self.note("A009", handle or "NULL")
        elif life.call is None:
            assert status == BAD
            self.note("A011", handle)
        else:
            assert status == (PENDING if life.call.status is None else life.call.status)

    def queue(self, data: st.DataObject, handle: Handle, verb: str) -> None:
        kind = "ctxt" if verb == DELETE else "cred"
        targets = [None, UNWRITTEN, *[one for one in sorted(self.alive) if one.kind == kind]]
        self.queue_on(handle, verb, data.draw(st.sampled_from(targets), label="on"))

    def queue_on(self, handle: Handle, verb: str, target: Handle | None) -> None:
        life, into = self.lives[handle], outputs()
        code = life.queueing()
        self.note(code, handle)
        try:
            status = self.call(handle, verb, target, into)
        except ContractError:
            assert code == "A006"
            return
        assert status == (BAD if code else OK)
        if code:
            return
        if not life.has_callback and verb != DELETE:
            self.note("B001", handle)
        life.call = Queued(self.mint("call").number, life, verb, target, into)
        self.calls[life.call.handle] = life.call

    def call(self, handle: Handle, verb: str, target: Handle | None, into: Outputs) -> SecurityStatus:
        match verb:
            case "acquire":
                return self.bench.acquire(handle, into)
            case "initialize":
                return self.bench.initialize(handle, variable(target), into)
            case "accept":
                return self.bench.accept(handle, variable(target), into)
            case "delete":
                return self.bench.delete(handle, target)
        return self.bench.free_credential(handle, target)

    def reinit(self, handle: Handle) -> None:
        life = self.lives[handle]
        code, is_refused = life.reinitialising(inside=self.inside == handle)
        self.note(code, handle)
        try:
            status = self.bench.api.reinit_async_context(handle)
        except ContractError:
            assert code
            assert not is_refused
            return
        assert (status == NtStatus.STATUS_SUCCESS) is (not code)
        assert bool(code) is is_refused
        if not code:
            life.call = None

    def free_one(self, handle: Handle) -> None:
        life = self.lives[handle]
        code = life.freeing(inside=self.inside == handle)
        self.note(code, handle)
        try:
            self.bench.api.free_async_context(handle)
        except ContractError:
            assert code
            return
        assert not code
        life.is_freed = True

    @precondition(lambda self: self.calls)
    @rule(data=st.data())
    def look_at_an_out_parameter(self, data: st.DataObject) -> None:
        call = self.calls[data.draw(st.sampled_from(sorted(self.calls)), label="of call")]
        if call.verb in (DELETE, "free credential"):
            return
        before = call.into.handle.value
        if call.status is None:
            assert before == UNWRITTEN
            self.note("C001", call.handle)

    # -- what completes calls and enters callbacks
    @precondition(lambda self: self.bench.dispatcher.completions)
    @rule(data=st.data())
    def complete(self, data: st.DataObject) -> None:
        self.complete_at(data.draw(st.integers(0, len(self.bench.dispatcher.completions) - 1), label="completes"))

    def complete_at(self, at: int) -> None:
        pending = self.bench.dispatcher.completions.pop(at)
        queued = self.calls[pending.handle]
        new = self.outcome(queued)
        is_owed = self.bench.api.complete(pending)
        assert is_owed is (not queued.is_silent)
        assert pending.status == queued.status
        if queued.verb not in (DELETE, "free credential"):
            assert queued.into.handle.held == (UNWRITTEN if new is None else new)
        if is_owed:
            self.owed.append(pending)

    def outcome(self, call: Queued) -> Handle | None:
        """Say what a call comes to now; the handle it brought to life, if any."""
        if call.verb == "acquire":
            call.status = OK
            return self.bring_to_life("cred")
        if call.target not in self.alive:
            call.status = BAD
        elif call.verb == "initialize":
            call.status = CONTINUE  # the scripted client's first leg
            return self.bring_to_life("ctxt")
        elif call.verb == "accept":
            call.status = SecurityStatus.SEC_E_INCOMPLETE_MESSAGE  # the scripted server wants input
        else:
            call.status = OK
            self.alive.discard(call.target)
        return None

    def bring_to_life(self, kind: str) -> Handle:
        handle = self.mint(kind)
        self.alive.add(handle)
        return handle

    @precondition(lambda self: self.owed)
    @rule(data=st.data())
    def enter_a_callback(self, data: st.DataObject) -> None:
        self.enter_at(data.draw(st.integers(0, len(self.owed) - 1), label="enters"))

    def enter_at(self, at: int) -> None:
        call = self.owed.pop(at)
        self.running.append((call, self.bench.api.enter_callback(call)))
        self.calls[call.handle].was_entered = True

    @precondition(lambda self: self.running)
    @rule(data=st.data())
    def return_from_a_callback(self, data: st.DataObject) -> None:
        self.leave_at(data.draw(st.integers(0, len(self.running) - 1), label="returns"))

    def leave_at(self, at: int) -> None:
        call, entered = self.running.pop(at)
        self.bench.api.return_from_callback(call, entered)
        self.calls[call.handle].was_left = True

    # -- the judges
    def teardown(self) -> None:
        records = self.bench.journal.records
        assert monitored(records).disagreements == []
        expected = Counter(self.found)
        for handle, life in self.lives.items():
            if not life.is_freed:
                expected["A008", str(handle)] += 1
                if life.call is not None and life.call.status is None:
                    expected["A016", str(handle)] += 1
        for handle, queued in self.calls.items():
            is_owed = queued.status is not None and not queued.is_silent and not queued.was_entered
            if is_owed and any(one.call is queued and not one.is_freed for one in self.lives.values()):
                expected["B006", str(handle)] += 1  # this bench ended where no run of ours would
        for handle in self.alive:
            expected["D008" if handle.kind == "cred" else "D004", str(handle)] += 1
        found = [(one.rule.code, one.subject) for one in judged(records) if one.rule.code in MODELLED]
        assert Counter(found) == expected
        assert all(record.cause < record.sequence for record in records)


FAST = settings(max_examples=25, stateful_step_count=60, deadline=None)
DEEP = settings(max_examples=20_000, stateful_step_count=80, deadline=None, suppress_health_check=list(HealthCheck))

TestLifecycle = LifecycleMachine.TestCase
TestLifecycle.settings = DEEP if IS_DEEP else FAST
