"""The only free choice of a run: which enabled transition fires next.

Options come in canonical order: what may move at once, an actor that need not wait before those that were woken, these
in the order in which they were; then the completions of pending calls, in the order of queueing; last who stands by.
Index 0 is the default. A run is its choices: a schedule string holds them, so that the same choices give the same calls
and statuses again.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from enum import StrEnum
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from sspicli.runtime.calls import PendingCall
from sspicli.sspi.errors import UsageError
from sspicli.sspi.handles import Handle

if TYPE_CHECKING:
    from sspicli.runtime.call_names import CallBook, CallPattern


class Kind(StrEnum):
    """What kind of transition an option is."""

    STEP = "step"
    RETURN = "return"
    COMPLETE = "complete"
    NOTIFY = "notify"
    DELIVER = "deliver"
    TIMER = "timer"
    TURN = "turn"


Fire = Callable[[Any], None]
"""What happens when a transition fires; it takes the transition's subject, whatever that is."""


class Transition(NamedTuple):
    """Something that could happen next: firing it calls `fire(subject)`; `call` is the call it concerns, if any."""

    kind: Kind
    actor: str
    fire: Fire
    subject: object
    call: PendingCall | None = None


class Chooser(Protocol):
    """Picks the next transition among those enabled."""

    def choose(self, options: Sequence[Transition]) -> int:
        """Return the index of the option to fire; called only where there is more than one."""


class First:
    """The default order: index 0, always."""

    def choose(self, options: Sequence[Transition]) -> int:
        """Pick the first option."""
        return 0


class Completion(StrEnum):
    """When calls complete: before their queueing function returned, after it, or one or the other by the seed."""

    INLINE = "inline"
    PENDING = "pending"
    RANDOM = "random"


class Order(StrEnum):
    """In what order pending calls complete."""

    FIFO = "fifo"
    LIFO = "lifo"
    SEED = "seed"


class Policy:
    """Choose by a rule: `completion` says when calls complete, `order` which pending call goes first.

    `calls` are exceptions for some calls, of which the first that matches holds. `sequence` names calls that complete
    in this order: while another can complete, none of them does before those named earlier; then `order` decides. Both
    need the `book` of a `NumberingDispatcher`.
    """

    def __init__(
        self,
        completion: Completion,
        order: Order,
        seed: int,
        *,
        calls: Sequence[tuple[CallPattern, Completion]] = (),
        sequence: Sequence[CallPattern] = (),
        book: CallBook | None = None,
    ) -> None:
        assert book is not None or not (calls or sequence), "calls have names only where they are counted"
        self._completion = completion
        self._order = order
        self._calls = calls
        self._sequence = tuple(sequence)
        self._book = book
        self._random = random.Random(seed)
        self._inline: dict[object, bool] = {}

    def choose(self, options: Sequence[Transition]) -> int:
        """Pick what the rule puts first; between equals the canonical order decides."""
        ranks = [self._rank(option) for option in options]
        best = min(ranks)
        candidates = [index for index, rank in enumerate(ranks) if rank == best]
        if self._sequence and options[candidates[0]].kind is Kind.COMPLETE:
            candidates = self._next_named(options, candidates)
        if options[candidates[0]].kind is not Kind.COMPLETE or self._order is Order.FIFO:
            return candidates[0]
        return candidates[-1] if self._order is Order.LIFO else self._random.choice(candidates)

    def _rank(self, option: Transition) -> int:
        call = option.call
        if option.kind is Kind.TURN:
            return 5
        if call is None:
            return 2
        wants_inline = self._wants_inline(call)
        if option.kind is Kind.RETURN:
            return 3 if wants_inline else 1
        if option.kind is Kind.COMPLETE:
            return 0 if wants_inline and not call.has_returned else 4
        return 0 if wants_inline and not call.has_returned else 2

    def unmet(self, completed: Sequence[Handle]) -> tuple[str, ...]:
        """Say what of the sequence did not come about, given the calls in the order of their completion."""
        if self._book is None:
            return ()
        found = [at for one in completed if (at := self._book.pattern_of(one, self._sequence)) is not None]
        words = [one.text for one in self._sequence]
        missing = [f"{word} never completed" for at, word in enumerate(words) if at not in found]
        swapped = [f"{words[b]} completed after {words[a]}" for a, b in pairwise(found) if b < a]
        return (*missing, *swapped)

    def _next_named(self, options: Sequence[Transition], candidates: list[int]) -> list[int]:
        """Keep the completion whose turn it is by the sequence; else those it does not name; else its earliest."""
        assert self._book is not None, "a sequence has a book"
        book = self._book
        turn = next((at for at, one in enumerate(self._sequence) if not book.has_completed(one)), None)
        places = {index: self._place(options[index].call) for index in candidates}
        due = [index for index in candidates if turn is not None and places[index] == turn]
        return (
            due
            or [index for index in candidates if places[index] is None]
            or [min(candidates, key=lambda index: places[index] or 0)]
        )

    def _place(self, call: PendingCall | None) -> int | None:
        assert call is not None, "a completion is that of a call"
        return next((at for at, one in enumerate(self._sequence) if one.matches(call)), None)

    def _wants_inline(self, call: PendingCall) -> bool:
        completion = self._completion
        for pattern, exception in self._calls:
            if pattern.matches(call):
                completion = exception
                break
        if completion is not Completion.RANDOM:
            return completion is Completion.INLINE
        return self._inline.setdefault(call.handle, self._random.random() < 0.5)


class Seeded:
    """Pick any option, by the seed: every interleaving can come up."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def choose(self, options: Sequence[Transition]) -> int:
        """Pick at random."""
        return self._random.randrange(len(options))


class DivergedError(UsageError):
    """A run that left the schedule which it was to follow."""


class Replay:
    """Make the choices of a schedule again; where it ends, the default."""

    def __init__(self, choices: Sequence[int]) -> None:
        self._choices = choices
        self._at = 0

    def choose(self, options: Sequence[Transition]) -> int:
        """Pick what the schedule says, or say where this run has left it."""
        at, self._at = self._at, self._at + 1
        if at >= len(self._choices):
            return 0
        index = self._choices[at]
        if index >= len(options):
            found = ", ".join(f"{option.kind} {option.actor}" for option in options)
            raise DivergedError(
                f"the schedule diverged at choice {at + 1}: it takes option {index} of {len(options)} ({found})",
                help="the schedule belongs to another command line or another version",
            )
        return index


_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


def schedule_text(choices: Sequence[int]) -> str:
    """Write choices as `v1:` and base-36 digits, runs as `(digit x count)`, trailing defaults dropped."""
    last = max((at for at, index in enumerate(choices) if index), default=-1)
    out, at = [], 0
    while at <= last:
        end = at
        while end <= last and choices[end] == choices[at]:
            end += 1
        out.append(_run(choices[at], end - at))
        at = end
    return "v1:" + "".join(out)


def _run(index: int, length: int) -> str:
    digit = _DIGITS[index] if index < len(_DIGITS) else f"[{index}]"
    return digit * length if length < 4 else f"{digit}*{length}."


def schedule_choices(text: str) -> list[int]:
    """Read what `schedule_text` wrote; raise UsageError for anything else."""
    version, colon, body = text.partition(":")
    if version != "v1" or not colon:
        raise UsageError(f"{text!r} is not a schedule: it begins with v1:", help="copy it whole from a run's output")
    choices: list[int] = []
    at = 0
    while at < len(body):
        at = _read_run(text, body, at, choices)
    return choices


_MOST_CHOICES = 1_000_000


def _read_run(text: str, body: str, at: int, choices: list[int]) -> int:
    """Read one digit, or one run of it; return where the next begins."""
    if body[at] == "[":
        end = body.find("]", at)
        number = body[at + 1 : end] if end > 0 else ""
        at = end + 1
    else:
        number = str(_DIGITS.find(body[at]))
        at += 1
    count = "1"
    if at < len(body) and body[at] == "*":
        end = body.find(".", at)
        count = body[at + 1 : end] if end > 0 else ""
        at = end + 1
    if not (number.isdecimal() and count.isdecimal() and len(number) < 8 and len(count) < 8):
        raise UsageError(f"{text!r} is not a schedule: unreadable near {body[max(0, at - 3) : at + 3]!r}")
    if len(choices) + int(count) > _MOST_CHOICES:
        raise UsageError(f"the schedule has more than {_MOST_CHOICES:,} choices")
    choices.extend([int(number)] * int(count))
    return at
