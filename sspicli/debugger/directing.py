"""Verbs that direct what happens next: this delivery, this callback; and when calls complete.

The rule guarded here: nothing happens that the session itself does not offer. `deliver` and `notify` take one of the
enabled transitions, and say why where there is none; `inline` and `pending` change which of them is taken by default.
"""

from __future__ import annotations

from sspicli.analysis.calls import Call
from sspicli.debugger.bench import Bench
from sspicli.debugger.changing import refuse_without_session
from sspicli.debugger.course import Next
from sspicli.debugger.inputs import Timed
from sspicli.debugger.moving import present_notes, take
from sspicli.debugger.panes import SIDES, call_name, transition_text
from sspicli.debugger.reply import Do, Reply, noted
from sspicli.journal import events as ev
from sspicli.runtime.call_names import CallPattern, call_pattern
from sspicli.runtime.chooser import Completion, Kind
from sspicli.sspi.errors import UsageError
from sspicli.sspi.handles import Handle
from sspicli.views.text import Line


# -- one transition ----------------------------------------------------------------------------------------------------
def deliver(bench: Bench, text: str) -> Reply:
    """Let what is under way to a side arrive now."""
    side = text.strip()
    if side and side not in SIDES:
        raise UsageError(f"{side[:40]!r} is no side", help="deliver client, or deliver server")
    notes, is_again = _at_the_end(bench)
    found = [(at, one) for at, one in enumerate(bench.enabled()) if one.kind is Kind.DELIVER]
    mine = [(at, one) for at, one in found if side in ("", one.receiver)]
    if not mine:
        raise _not_deliverable(bench, side)
    if len(mine) > 1:
        raise UsageError("to whom? something is under way to both", help="deliver client, or deliver server")
    return _taken(bench, mine[0][0], "delivered", notes, is_again=is_again)


def _not_deliverable(bench: Bench, side: str) -> UsageError:
    """Say why nothing can arrive."""
    coming = [one for one in bench.view.state.under_way.values() if side in ("", one.receiver)]
    to = f" to the {side}" if side else ""
    if not coming:
        return UsageError(f"nothing is under way{to}", help="info wire lists what is; step lets its sender go on")
    named = " and ".join(f"leg {one.leg}" if one.leg else "data" for one in coming)
    assert bench.live is not None, "it was made sure of"
    waits = "; ".join(bench.live.wire_waits())
    return UsageError(f"{named} cannot arrive yet: {waits or _first(bench)}", help="enabled lists what may happen")


def _first(bench: Bench) -> str:
    """Say what a program has made the only thing that may happen."""
    options = bench.enabled()
    return f"first {transition_text(options[0], bench)}" if options else "nothing can happen any more"


def notify(bench: Bench, text: str) -> Reply:
    """Enter the notify callback that is due."""
    pattern = _pattern(text.strip(), "notify")
    notes, is_again = _at_the_end(bench)
    due = [(at, one) for at, one in enumerate(bench.enabled()) if one.kind is Kind.NOTIFY]
    mine = [(at, one) for at, one in due if pattern is None or _is_of(one, pattern)]
    if not mine:
        raise _not_due(bench, pattern)
    if len(mine) > 1 and pattern is None:
        names = ", ".join(transition_text(one, bench) for _, one in mine)
        raise UsageError("whose? several callbacks are due", help=f"{names}; such as notify client")
    return _taken(bench, mine[0][0], "notified", notes, is_again=is_again)


def _is_of(one: Next, pattern: CallPattern) -> bool:
    return one.call is not None and pattern.matches(one.call)


def _not_due(bench: Bench, pattern: CallPattern | None) -> UsageError:
    """Say why no callback can be entered."""
    view = bench.view
    alike = [one for one in view.state.every_call() if pattern is not None and _is_named(one, pattern, bench)]
    if pattern is None or not alike:
        pending = ", ".join(call_name(view, one) for one in view.state.pending.values())
        said = "no notify callback is due" if pattern is None else f"no {pattern.text} has been queued yet"
        return UsageError(said, help=f"a call must complete first; pending: {pending or 'nothing'}")
    call = alike[-1]
    name = call_name(view, call)
    if call.completed is None:
        return UsageError(f"{name} is pending: its callback is due when it has completed", help=f"complete {name}")
    if call.was_notified:
        return UsageError(f"the callback for {name} was entered already", help="legal says what it may do")
    return UsageError(f"no callback for {name} can be entered now", help="info calls, enabled")


def _is_named(one: Call, pattern: CallPattern, bench: Bench) -> bool:
    """Say whether a call on record is one of a pattern's."""
    is_function = pattern.function in (None, one.function)
    is_number = not pattern.nth or call_name(bench.view, one).endswith(f"#{pattern.nth}")
    return one.endpoint == pattern.actor and is_function and is_number


def _pattern(word: str, verb: str) -> CallPattern | None:
    """Read a call or a side; None where nothing is said."""
    if not word:
        return None
    return call_pattern(f"{word}.*" if word in SIDES else word, where=verb)


def _at_the_end(bench: Bench) -> tuple[list[Line], bool]:
    """Make sure that something can happen: in the past the session is made again; what was said of it, and whether."""
    refuse_without_session(bench)
    is_again = bench.is_past
    if is_again:
        bench.remember()
    return present_notes(bench), is_again


def _taken(bench: Bench, index: int, done: str, notes: list[Line], *, is_again: bool) -> Reply:
    reply = take(bench, index, done=done, remembers=not is_again)
    return reply._replace(lines=(*notes, *reply.lines))


# -- when calls complete -----------------------------------------------------------------------------------------------
_MEANS = {
    Completion.INLINE: "completes before its queueing function returns",
    Completion.PENDING: "completes after its queueing function has returned",
}


def timed(bench: Bench, text: str, completion: Completion) -> Reply:
    """Say when a call, or all of them, complete: within the queueing function or later."""
    pattern = _pattern(text.strip(), completion.value)
    refuse_without_session(bench)
    one = Timed(pattern, completion)
    _refuse_too_late(bench, one)
    said = [other for other in bench.branch.inputs[: bench.place.inputs] if isinstance(other, Timed)]
    if said and said[-1] == one:
        raise UsageError(f"{one.text} was said already", help="info schedule lists it")
    before, is_again = bench.place, bench.is_past
    if is_again:
        bench.remember()
    notes = present_notes(bench)
    assert bench.live is not None, "a session is there"
    bench.live.time(one)
    if not is_again:
        bench.past.append(before)
    bench.place = bench.place._replace(inputs=len(bench.branch.inputs))
    what = "every call" if pattern is None else pattern.text
    return Reply((*notes, noted(f"{what} {_MEANS[completion]}, from now on")))


def _refuse_too_late(bench: Bench, one: Timed) -> None:
    """Refuse what is said of a single call whose time is past."""
    if one.pattern is None or not one.pattern.nth:
        return
    call = next((call for call in bench.view.state.every_call() if _is_named(call, one.pattern, bench)), None)
    if call is None:
        return
    if _has_returned(bench, call.handle):
        raise UsageError(
            f"the queueing function of {one.pattern.text} has returned: it can no longer be {one.completion}",
            help=f"goto {call.sequence} and say it there, or name a call that is still to come",
        )
    if one.completion is Completion.PENDING and call.completed is not None:
        raise UsageError(
            f"{one.pattern.text} has completed before its queueing function returned",
            help=f"goto {call.sequence} and say it there, or name a call that is still to come",
        )


def _has_returned(bench: Bench, call: Handle) -> bool:
    return any(isinstance(one.event, ev.QueueingReturned) and one.event.call == call for one in bench.view.records)


DO: dict[str, Do] = {
    "deliver": deliver,
    "notify": notify,
    "inline": lambda bench, text: timed(bench, text, Completion.INLINE),
    "pending": lambda bench, text: timed(bench, text, Completion.PENDING),
}
