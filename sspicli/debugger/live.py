"""A session under the debugger: one transition at a time, chosen from outside, and written down to be redone.

The rule guarded here: what moves a session is its inputs and nothing else: which enabled transition was fired, what was
typed, which fault was added. They are kept in their order, each with the length of the journal before it. The same
beginning and the same inputs give the same calls and statuses again; keys and nonces are drawn anew.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from sspicli.analysis.places import place_of
from sspicli.debugger.beginning import Beginning
from sspicli.debugger.course import CallSeen, Key, Next
from sspicli.debugger.hand import Hand, Typed, hand_name
from sspicli.debugger.inputs import Added, Fired, Input, Reached, Timed
from sspicli.debugger.picker import Picker
from sspicli.journal import events as ev
from sspicli.journal.journal import Journal, Record
from sspicli.runtime.call_names import CallPattern
from sspicli.runtime.calls import PendingCall
from sspicli.runtime.chooser import Chooser, Kind, Transition
from sspicli.scenario.run import RunOptions, parts_of
from sspicli.session.actions import Driver
from sspicli.session.activity import Activity
from sspicli.session.drivers import Plan
from sspicli.session.fault_words import AnyFault, parse_fault
from sspicli.session.misfortune import Misfortune
from sspicli.session.pair import pair
from sspicli.session.session import Session
from sspicli.session.wire_faults import WireFault
from sspicli.sspi.errors import UsageError
from sspicli.sspi.schannel import describe

type_ = type  # the class below has a method of that name


class _CameUp(NamedTuple):
    """An actor has come up to its next action, and nothing has been fired since; `before` is the journal's length."""

    reached: Reached
    before: int


class Live:
    """A session that is under way; `inputs` made it what it is, `marks` say where in the journal each began."""

    is_gone = False

    def __init__(self, beginning: Beginning) -> None:
        assert beginning.case is not None, "a beginning without a case can only be looked at"
        self.beginning = beginning
        self.journal = Journal()
        self.inputs: list[Input] = []
        self.marks: list[int] = []
        self.is_closed = False
        self.reason = ""
        self.added: list[str] = []
        self.has_diverged = False
        self._is_steered = bool(beginning.by_hand)
        self._next: int | None = None
        self._came_up: _CameUp | None = None
        self._hands: dict[str, Hand] = {}
        self._subscribers: list[Callable[[Record], None]] = []
        options = RunOptions(schedule=beginning.schedule)
        self._parts = parts_of(beginning.case, options, self.journal, keeps_legs=True)
        self._misfortune = Misfortune(self._parts.faults, self.journal, place_of, is_open=True)
        self._picker: Picker
        self.session = self._session(beginning)
        self._settle()

    def _session(self, beginning: Beginning) -> Session:
        """Put the session together: whatever may be asked of it later is wrapped around it now."""
        parts, case = self._parts, beginning.case
        assert case is not None, "it was looked at above"
        client, server = parts.plans
        return pair(
            client,
            server,
            find=parts.find,
            describe=describe,
            journal=self.journal,
            choices=parts.choices,
            program=self._program,
            others=parts.others,
            misfortune=self._misfortune,
            holds=True,
            ask=self._asking,
            timeout=case.scenario.timeout,
        )

    def _asking(self, own: Chooser) -> Chooser:
        self._picker = Picker(own)
        return self._picker

    def _program(self, plan: Plan, name: str) -> Driver:
        """Give an endpoint its program, or its user's hand."""
        if name not in self.beginning.by_hand:
            return self._parts.program(plan, name)
        hand = self._hands[name] = Hand(self._parts.memories[name])
        return hand.driver()

    # -- what may happen -----------------------------------------------------------------------------------------------

    @property
    def records(self) -> list[Record]:
        """All records so far."""
        return self.journal.records

    def subscribe(self, subscriber: Callable[[Record], None]) -> None:
        """Let somebody see every record from now on."""
        self.journal.subscribe(subscriber)
        self._subscribers.append(subscriber)

    def be_alone(self) -> None:
        """Let nobody see the records any more: they belong to the process that this one was forked from."""
        for one in self._subscribers:
            self.journal.unsubscribe(one)

    def enabled(self) -> list[Next]:
        """List what may happen next, in canonical order."""
        return [next_of(one) for one in self._options()]

    def _options(self) -> list[Transition]:
        return [] if self.is_closed else self.session.enabled()

    def preferred(self) -> int:
        """Say which of them happens when nobody chooses."""
        options = self._options()
        if self._next is None:
            self._next = self._picker.preferred(options)
        return self._next if self._next < len(options) else 0

    def fire(self, index: int | None = None) -> bool:
        """Fire a transition, by its place or by default; False when there is none, or a limit was hit."""
        options = self._options()
        if not options:
            return False
        preferred = self.preferred()
        index = preferred if index is None else index
        self._is_steered |= index != preferred
        if not 0 <= index < len(options):
            raise UsageError(f"there is no transition {index + 1}", help=f"there are {len(options)}")
        before, ticks = len(self.journal), self.journal.ticks
        key = key_of(options[index])
        if self._came_up is not None and self._came_up.reached == (index, key):
            before = self._came_up.before
            self._came_up = None
        self._note_reached()
        self._picker.wanted, self._next = index, None
        if not self.session.step():
            self.reason = "limit"
            return False
        is_idle = len(self.journal) == before and self._came_to_rest(key)
        if is_idle:
            self.journal.ticks = ticks  # nothing happened: a hand has nothing more to do
        self._note(Fired(index, key, is_idle), before)
        return True

    def reach(self, index: int) -> type_ | None:
        """Let the actor whose step this is come up to its next action; None for another transition, or if it did."""
        options, before = self._options(), len(self.journal)
        action = self.session.come_up(options[index])
        if action is not None:
            self._note_reached()
            self._came_up = _CameUp(Reached(index, key_of(options[index])), before)
        return None if action is None else action.__class__

    def _note_reached(self) -> None:
        """Keep that an actor has come up to its action where something else goes on first: it may read other values."""
        if self._came_up is not None:
            self._note(self._came_up.reached, self._came_up.before)
            self._came_up = None

    def diverged(self) -> str:
        """Say, once, that the session left its schedule, or ended before it; "" where its user led it elsewhere."""
        schedule = self._parts.choices.schedule
        if schedule is None or self._is_steered or self.has_diverged:
            return ""
        self.preferred()
        said, unmade = self._picker.left_schedule, len(schedule) - len(self.session.choices)
        if not said and unmade > 0 and not self.enabled():
            said = f"the schedule diverged: the run ended with {unmade} of its choices unmade"
        self.has_diverged = bool(said)
        return said

    def _came_to_rest(self, key: Key) -> bool:
        return any(hand.name == key[1] and hand.is_idle for hand in self._hands.values())

    def _settle(self) -> None:
        """Let hands that have nothing to do come to rest, so that nothing that may happen is nothing."""
        for hand in self._hands.values():
            if not hand.is_idle:
                self._drive(hand)
        self.inputs.clear()
        self.marks.clear()

    def _note(self, one: Input, before: int) -> None:
        self.inputs.append(one)
        self.marks.append(before)

    # -- what a user does ----------------------------------------------------------------------------------------------

    def type(self, typed: Typed) -> bool:
        """Perform a step by hand; False where it, or one before it, waits for something else to happen."""
        return self._drive(self._give(typed))

    def give(self, typed: Typed) -> None:
        """Let a step be the next that a hand performs, when its turn comes."""
        self._give(typed)

    def _give(self, typed: Typed) -> Hand:
        self._is_steered = True
        self._note(typed, len(self.journal))
        hand = self._hands.get(typed.side)
        if hand is None:
            thread = hand_name(self.beginning, typed.side).partition(".")[2]
            hand = self._hands[typed.side] = Hand(self._parts.memories[typed.side], thread=thread)
            hand.give(typed)
            self.session.join(typed.side, thread, hand.driver())
            return hand
        hand.give(typed)
        if hand.is_idle:
            hand.is_idle = False
            self.session.rouse(hand.signal)
        self._next = None
        return hand

    def is_at_rest(self, side: str) -> bool:
        """Say whether a side's hand has nothing to do: what is typed is the next that it does."""
        hand = self._hands.get(side)
        return hand is None or hand.is_idle

    def _drive(self, hand: Hand) -> bool:
        """Let a hand go on until it has nothing to do or must wait."""
        while not hand.is_idle:
            index = next((at for at, one in enumerate(self._options()) if self._is_of(one, hand)), None)
            if index is None or not self.fire(self._picker.in_time(self._options(), index)):
                return False
        return True

    def _is_of(self, one: Transition, hand: Hand) -> bool:
        if one.kind in (Kind.STEP, Kind.RETURN):
            return one.actor == hand.name
        return self.session.is_forced

    def add(self, text: str) -> AnyFault:
        """Add a fault to what is still to come; UsageError where it comes too late."""
        fault = parse_fault(text)
        if isinstance(fault, WireFault):
            self._check_ahead(fault)
        self._misfortune.add(fault)
        self._is_steered = True
        self._note(Added(fault), len(self.journal))
        self.added.append(text)
        return fault

    def time(self, one: Timed) -> None:
        """Say when calls complete from now on, where nobody chooses."""
        self._note(one, len(self.journal))
        self._picker.timed.append(one)
        self._next = None

    def uses(self, fault: AnyFault) -> int:
        """Count how often the function that a fault names has been used so far."""
        return self._misfortune.uses(fault)

    def _check_ahead(self, fault: WireFault) -> None:
        """Refuse a fault of a leg that was sent."""
        connections = {"client": 1, "server": 1}
        for record in self.records:
            event = record.event
            if isinstance(event, ev.HandshakeBegan):
                connections[record.actor.partition(".")[0]] = event.number
            if not isinstance(event, ev.TokenSent) or event.leg != fault.leg:
                continue
            if connections[record.actor.partition(".")[0]] == fault.handshake:
                raise UsageError(
                    f"{fault.subject} was sent already (record {record.sequence})",
                    help=f"goto {record.sequence - 1} and say it there, or choose a leg that is still to come",
                )

    def choices(self) -> list[int]:
        """List the choices that were made."""
        return list(self.session.choices)

    def unmet_choices(self) -> tuple[str, ...]:
        """Say what of a wanted order of completions did not come about."""
        return self.session.unmet_choices()

    def completable(self) -> list[CallSeen]:
        """List the pending calls that could complete."""
        return [seen_call(one) for one in self.session.completable()]

    def holds_by(self, pattern: CallPattern) -> bool:
        """Say whether calls are held by this name."""
        return self.session.holds_by(pattern)

    def waiting(self) -> list[tuple[str, str]]:
        """List the programs that cannot go on, each with what it waits for."""
        return self.session.waiting()

    def wire_waits(self) -> list[str]:
        """Say why what is under way does not arrive."""
        return list(self.session.wire_waits())

    def hand_waits(self) -> dict[str, str]:
        """Say of each hand that is not done what it waits for."""
        waits = dict(self.session.waiting())
        return {hand.name: waits.get(hand.name, "its turn") for hand in self._hands.values() if not hand.is_idle}

    def typed(self) -> dict[str, list[Typed]]:
        """Give what was typed, by the name of the program it makes."""
        return {hand.name: list(hand.typed) for hand in self._hands.values()}

    def memory(self, side: str) -> dict[str, bytes]:
        """Give the bytes that a side's steps have kept."""
        return dict(self._parts.memories[side].data)

    def ending(self) -> ev.RunEnded:
        """Say what the run comes to if nothing more happens; a hand that waits for its user waits for nothing."""
        return self.session.ending(resting=[hand.name for hand in self._hands.values() if hand.is_idle])

    # -- its end -------------------------------------------------------------------------------------------------------

    def close(self, *, reason: str = "interrupted") -> None:
        """End the session: by itself where nothing can happen any more, else for a reason from outside."""
        if self.is_closed:
            return
        for hand in self._hands.values():
            hand.is_over = True
            if hand.is_idle:
                hand.is_idle = False
                self.session.rouse(hand.signal)
                self._finish(hand)
        can_go_on = bool(self.enabled()) and not self.reason
        self.is_closed = True
        if can_go_on:
            self.session.abandon(reason)
        else:
            self.session.end()

    def _finish(self, hand: Hand) -> None:
        """Let a hand that waited for its user come to its end; no record comes of it."""
        index = next((at for at, one in enumerate(self._options()) if self._is_of(one, hand)), None)
        if index is not None:
            self._picker.wanted = index
            self.session.step()


def seen_call(call: PendingCall) -> CallSeen:
    """Give what is to be known of a pending call."""
    return CallSeen(call.handle, call.function, call.number, call.has_returned)


def next_of(one: Transition) -> Next:
    """Give what is to be known of a transition."""
    ahead = one.subject.ahead if isinstance(one.subject, Activity) else None
    return Next(
        one.kind,
        one.actor,
        key_of(one),
        str(one.subject) if one.kind is Kind.DELIVER else "",
        None if one.call is None else seen_call(one.call),
        None if ahead is None else type(ahead[0]),
    )


def key_of(one: Transition) -> Key:
    """Name a transition so that it is found again in another run of the same session."""
    subject = str(one.call.handle) if one.call is not None else ""
    if one.kind is Kind.DELIVER:
        subject = str(one.subject)
    return one.kind.value, one.actor, subject
