"""Verbs that say where to stop, and what to show and do there."""

from __future__ import annotations

from sspicli.debugger.bench import Bench
from sspicli.debugger.informing import TOPICS
from sspicli.debugger.moving import number
from sspicli.debugger.panes import display_lines
from sspicli.debugger.reply import Do, Reply, lines_of, noted, said
from sspicli.debugger.stops import Breakpoint, expression_of, read_stop, read_watch
from sspicli.sspi.errors import UsageError

_CATCHES = "status, alert, pending, finding, fail, leg, or a name of one of them"


def set_break(bench: Bench, text: str) -> Reply:
    """Stop at something."""
    if not text.strip():
        raise UsageError("break at what?", help="such as break client.init, break leg 2, break alert; help break")
    return _added(bench, read_stop(bench.numbers + 1, text))


def set_once(bench: Bench, text: str) -> Reply:
    """Stop at something, once."""
    if not text.strip():
        raise UsageError("break at what?", help="such as tbreak callback")
    return _added(bench, read_stop(bench.numbers + 1, text, is_temporary=True))


def catch(bench: Bench, text: str) -> Reply:
    """Stop at a status, alert, pending call, finding, failure or leg."""
    words = text.split(maxsplit=1)
    if not words:
        raise UsageError("catch what?", help=_CATCHES)
    if words[0] == "status":
        if len(words) == 1:
            raise UsageError("catch which status?", help="such as catch status SEC_E_CERT_EXPIRED")
        text = words[1]
    return _added(bench, read_stop(bench.numbers + 1, text))


def watch(bench: Bench, text: str) -> Reply:
    """Stop when a value changes."""
    return _added(bench, read_watch(bench.numbers + 1, text, bench.view))


def _added(bench: Bench, one: Breakpoint) -> Reply:
    bench.numbers += 1
    bench.stops[one.number] = one
    kind = "watch" if one.kind == "watch" else "breakpoint"
    words = one.described().removeprefix("watch ")
    return said(f"{kind} {one.number} at {words}{', once' if one.is_temporary else ''}")


def _stop(bench: Bench, text: str) -> tuple[Breakpoint, str]:
    """Take a breakpoint's number off the words."""
    word, _, rest = text.strip().partition(" ")
    one = bench.stops.get(int(word)) if word.isdecimal() and len(word) < 9 else None
    if one is None:
        numbers = ", ".join(map(str, bench.stops)) or "none is set"
        raise UsageError(f"there is no breakpoint {word[:40] or '...'}", help=f"there are: {numbers}")
    return one, rest.strip()


def condition(bench: Bench, text: str) -> Reply:
    """Give a breakpoint a condition, or take it away."""
    one, rest = _stop(bench, text)
    if one.kind == "watch":
        raise UsageError("a watch has no condition", help="break any if EXPRESSION stops where an expression holds")
    one.condition = expression_of(rest.removeprefix("if ")) if rest else None
    return said(f"breakpoint {one.number} at {one.described()}")


def commands(bench: Bench, text: str) -> Reply:
    """Give a breakpoint commands, or take them away."""
    one, rest = _stop(bench, text)
    one.commands = [part.strip() for part in rest.split(";") if part.strip()]
    return said(f"breakpoint {one.number} does {'; '.join(one.commands) or 'nothing'}")


def ignore(bench: Bench, text: str) -> Reply:
    """Pass a breakpoint so many times."""
    one, rest = _stop(bench, text)
    if not rest:
        raise UsageError("ignore it how often?", help=f"ignore {one.number} 2")
    one.ignore = number(rest, 0, what="count", least=0)
    return said(f"breakpoint {one.number} is passed {one.ignore} times")


def _chosen(bench: Bench, text: str) -> list[Breakpoint]:
    """Find breakpoints by their numbers; all, when none is named."""
    if not bench.stops:
        raise UsageError("no breakpoint is set", help="break sets one")
    return [_stop(bench, word)[0] for word in text.split()] or list(bench.stops.values())


def enable(bench: Bench, text: str) -> Reply:
    """Let breakpoints stop again."""
    for one in _chosen(bench, text):
        one.is_enabled = True
    return lines_of(TOPICS["breakpoints"](bench))


def disable(bench: Bench, text: str) -> Reply:
    """Let breakpoints not stop."""
    for one in _chosen(bench, text):
        one.is_enabled = False
    return lines_of(TOPICS["breakpoints"](bench))


def delete(bench: Bench, text: str) -> Reply:
    """Take breakpoints away."""
    gone = _chosen(bench, text)
    for one in gone:
        bench.stops.pop(one.number, None)
    return said(f"gone: {', '.join(str(one.number) for one in gone)}")


def display(bench: Bench, text: str) -> Reply:
    """Show a value at every stop."""
    if text.strip():
        expression = expression_of(text)
        bench.displays[max(bench.displays, default=0) + 1] = expression
    return lines_of(display_lines(bench) or [noted("nothing is displayed")])


def undisplay(bench: Bench, text: str) -> Reply:
    """Show a value no more."""
    if not text.strip():
        bench.displays.clear()
        return said("nothing is displayed")
    which = number(text, 0, what="display")
    if which not in bench.displays:
        raise UsageError(
            f"there is no display {which}", help=f"there are: {', '.join(map(str, bench.displays)) or 'none'}"
        )
    del bench.displays[which]
    return said(f"display {which} is gone")


DO: dict[str, Do] = {
    "break": set_break,
    "tbreak": set_once,
    "catch": catch,
    "watch": watch,
    "condition": condition,
    "commands": commands,
    "ignore": ignore,
    "enable": enable,
    "disable": disable,
    "delete-breakpoint": delete,
    "display": display,
    "undisplay": undisplay,
}
