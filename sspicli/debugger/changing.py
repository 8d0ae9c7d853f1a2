"""Verbs that change the future: calls made by hand, holds, and faults of what is still to come."""

from __future__ import annotations

from sspicli.debugger.bench import Bench
from sspicli.debugger.hand import BY_HAND, split_words, step_of
from sspicli.debugger.moving import present_notes, seen
from sspicli.debugger.naming import as_meant
from sspicli.debugger.reply import Do, Reply, noted
from sspicli.journal import events as ev
from sspicli.runtime.call_names import CallPattern, call_pattern
from sspicli.session.fault_words import parse_fault
from sspicli.sspi.errors import UsageError
from sspicli.views.text import Line

SIDES = ("client", "server")


# -- by hand -----------------------------------------------------------------------------------------------------------
def by_hand(bench: Bench, verb: str, text: str) -> Reply:
    """Perform a step now; what is impossible is refused before anything changes."""
    typed = step_of(verb, as_meant(bench, verb, split_words(text)))
    refuse_without_session(bench)
    if verb == "complete":
        _check_completable(bench, typed.step.complete)  # type: ignore[attr-defined]
    if verb == "release":
        _check_held(bench, typed.step.release)  # type: ignore[attr-defined]
    bench.remember()
    notes = present_notes(bench)
    live = bench.live
    assert live is not None, "it is here now"
    is_done = live.type(typed)
    reason, commands = seen(bench, lambda view, record: False)
    if verb in _OF_A_HANDSHAKE and not _has_begun(bench, typed.side):
        notes = [*notes, noted(f"the {typed.side} has begun no handshake: connect {typed.side} 1 makes its legs count")]
    if not is_done:
        waits = ", ".join(f"{name} waits for {what}" for name, what in live.hand_waits().items())
        notes = [*notes, noted(f"not done yet: {waits or 'it waits'}; step or continue lets the others go on")]
    return Reply(tuple(notes), reason or f"{verb} by hand", commands=commands)


_OF_A_HANDSHAKE = frozenset({"init", "accept", "handshake", "send"})


def _has_begun(bench: Bench, side: str) -> bool:
    return any(
        isinstance(one.event, ev.HandshakeBegan) and one.actor.partition(".")[0] == side for one in bench.view.records
    )


def refuse_without_session(bench: Bench) -> None:
    """Refuse what a recording, or a session at its limit, cannot do."""
    if bench.live is None:
        bench.present()
    elif bench.live.reason:
        raise UsageError("a limit was reached: nothing more happens here", help="undo, or restart")


def _check_completable(bench: Bench, pattern: CallPattern) -> None:
    """Refuse to complete what is not pending; in the past that is found out when the session was made again."""
    if bench.is_past:
        return
    pending = bench.view.state.pending
    assert bench.live is not None, "a session is there"
    if not any(pattern.matches(one) for one in bench.live.completable()):
        names = ", ".join(str(handle) for handle in pending)
        raise UsageError(f"no {pattern.text} could complete", help=f"pending: {names or 'nothing'}")


def _check_held(bench: Bench, pattern: CallPattern) -> None:
    """Refuse to release where nothing is held and no such hold was made."""
    if bench.is_past:
        return
    held = bench.view.state.held
    assert bench.live is not None, "a session is there"
    if bench.live.holds_by(pattern):
        return
    if not any(pattern.matches(one) and one.handle in held for one in bench.live.completable()):
        names = ", ".join(str(handle) for handle in held)
        raise UsageError(f"no {pattern.text} is held", help=f"held: {names or 'nothing'}")


def order(bench: Bench, text: str) -> Reply:
    """Complete pending calls in an order."""
    words = text.split()
    if not words:
        raise UsageError("order which calls?", help="order server.accept client.init")
    patterns = [call_pattern(word) for word in words]
    refuse_without_session(bench)
    for pattern in patterns:
        _check_completable(bench, pattern)
    first, *others = patterns
    reply = by_hand(bench, "complete", first.text)
    for pattern in others:
        try:
            reply = _after(reply, by_hand(bench, "complete", pattern.text))
        except UsageError as error:  # what came before has happened
            return _after(reply, Reply((noted(f"{error.message}: the order ends here"),), reply.reason))
    return reply


def _after(first: Reply, second: Reply) -> Reply:
    return second._replace(lines=(*first.lines, *second.lines), commands=(*first.commands, *second.commands))


# -- faults ------------------------------------------------------------------------------------------------------------
def fault(bench: Bench, text: str) -> Reply:
    """Add a fault, as the command line writes it, to what is still to come."""
    parse_fault(text)
    refuse_without_session(bench)
    if bench.is_added(text) and not bench.is_past:
        raise UsageError(f"{text} is in the plan already", help="info faults lists it")
    before = bench.place
    notes: list[Line] = []
    if bench.is_past:
        bench.remember()
        notes = present_notes(bench)
    assert bench.live is not None, "a session is there"
    bench.live.add(text)
    if not notes:
        bench.past.append(before)
    bench.place = bench.place._replace(inputs=len(bench.branch.inputs))
    return Reply((*notes, noted(f"{text}: still to come")))


def _leg_word(words: list[str], verb: str) -> str:
    """Take a leg off the words."""
    if not words:
        raise UsageError(f"{verb} which leg?", help=f"such as {verb} leg2")
    word = words.pop(0)
    if word.isdecimal():
        return f"leg{word}"
    if "." in word and not word.startswith("handshake"):
        word, _, path = word.partition(".")
        words.insert(0, path)
    return word


def tamper(bench: Bench, text: str) -> Reply:
    """Change bytes of a leg."""
    words = text.split()
    leg = _leg_word(words, "tamper")
    if not words:
        raise UsageError("tamper with what of it?", help=f"tamper {leg} 40 01, or tamper {leg} ServerHello.random 01")
    place, *data = words
    return fault(bench, f"{leg}=tamper:{place}:{''.join(data) or '01'}")


def _leg_fault(kind: str, text: str, bench: Bench) -> Reply:
    words = text.split()
    leg = _leg_word(words, kind)
    arguments = "".join(f":{word}" for word in words)
    return fault(bench, f"{leg}={kind}{arguments}")


def _call_fault(kind: str, text: str, bench: Bench) -> Reply:
    words = text.split()
    if not words:
        raise UsageError(f"{kind} which call?", help=f"such as {kind} server.accept#2")
    call, *rest = words
    argument = f":{rest[0]}" if rest else ""
    if len(rest) > 1:
        raise UsageError(f"{kind} takes a call and one word more", help=f"{kind} server.accept#2 SEC_E_INTERNAL_ERROR")
    return fault(bench, f"{_numbered(bench, call)}={kind}{argument}")


def _numbered(bench: Bench, call: str) -> str:
    """Let a call without a number be the next of its function."""
    if "#" in call or bench.live is None:
        return call
    probe = parse_fault(f"{call}=delay:0") if not call.endswith(".create") else parse_fault(f"{call}=null")
    return f"{call}#{bench.live.uses(probe) + 1}"


def delay(bench: Bench, text: str) -> Reply:
    """Let a call complete, or a leg arrive, later."""
    what = text.split(maxsplit=1)[:1]
    is_leg = bool(what) and (what[0].startswith(("leg", "handshake")) or what[0].isdecimal())
    return _leg_fault("delay", text, bench) if is_leg else _call_fault("delay", text, bench)


def null(bench: Bench, text: str) -> Reply:
    """Let SspiCreateAsyncContext return NULL."""
    word = text.strip()
    return _call_fault("null", f"{word}.create" if word in SIDES else word, bench)


def inject(bench: Bench, text: str) -> Reply:
    """Put bytes on the wire as if a side had sent them."""
    side, _, data = text.strip().partition(" ")
    digits = "".join(data.split())
    if side not in SIDES or not digits:
        raise UsageError("inject what, from whom?", help="inject client 1503030002022a")
    return by_hand(bench, "send", f'{side} hex="{digits}"')


DO: dict[str, Do] = {
    "order": order,
    "tamper": tamper,
    "drop": lambda bench, text: _leg_fault("drop", text, bench),
    "dup": lambda bench, text: _leg_fault("duplicate", text, bench),
    "swap": lambda bench, text: _leg_fault("swap", text, bench),
    "split": lambda bench, text: _leg_fault("split", text, bench),
    "join": lambda bench, text: _leg_fault("join", text, bench),
    "truncate": lambda bench, text: _leg_fault("truncate", text, bench),
    "extend": lambda bench, text: _leg_fault("extend", text, bench),
    "fail": lambda bench, text: _call_fault("fail", text, bench),
    "refuse": lambda bench, text: _call_fault("refuse", text, bench),
    "hang": lambda bench, text: _call_fault("hang", text, bench),
    "null": null,
    "delay": delay,
    "inject": inject,
}


def _typing(verb: str) -> Do:
    return lambda bench, text: by_hand(bench, verb, text)


DO |= {verb: _typing(verb) for verb in BY_HAND}
