"""Verbs that look: where we are, values by name, bytes, trees, what led to what, and what a code means."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sspicli.analysis import api_card
from sspicli.analysis.calls import CLOSED_TO_RECEIVER, Call
from sspicli.analysis.exchange import Opened
from sspicli.analysis.explain import explain, rule_texts, suggestions
from sspicli.analysis.timeline import timeline
from sspicli.debugger.bench import Bench
from sspicli.debugger.expression import Name
from sspicli.debugger.moving import nothing, number
from sspicli.debugger.panes import (
    SIDES,
    call_name,
    enabled_lines,
    failure,
    ladder_lines,
    legal_lines,
    panes,
    where_text,
)
from sspicli.debugger.reply import Do, Reply, lines_of, noted, said
from sspicli.debugger.stops import expression_of, shown
from sspicli.journal.journal import Record
from sspicli.sspi.errors import UsageError
from sspicli.tokens.tree import Node
from sspicli.views import api as api_view
from sspicli.views import explain as explain_view
from sspicli.views.decode import field_lines
from sspicli.views.decode import token_lines as decoded_lines
from sspicli.views.events import Words
from sspicli.views.hexdump import hex_lines
from sspicli.views.tables import one_call_buffers
from sspicli.views.text import Line, Segment, line, visible
from sspicli.views.timeline import timeline_lines
from sspicli.views.trees import value_text

_LEG = re.compile(r"(?:leg)?\s*(\d{1,6})")
_AROUND = 5
_MOST_CAUSES = 100


def where(bench: Bench, text: str) -> Reply:
    """Show the state, what may happen next, and which calls are legal."""
    nothing(text, "where")
    head = line(Segment(where_text(bench), "head"))
    return lines_of([head, *panes(bench, ("state", "token", "enabled", "legal"))])


def enabled(bench: Bench, text: str) -> Reply:
    """List what may happen next."""
    nothing(text, "enabled")
    return lines_of(enabled_lines(bench) or [noted("a recording is looked at: its records come in their order")])


def legal(bench: Bench, text: str) -> Reply:
    """Say which calls are legal now."""
    side = text.strip()
    if side and side not in SIDES:
        raise UsageError(f"{side[:40]!r} is no side", help="client, or server")
    return lines_of(legal_lines(bench, side))


# -- values ------------------------------------------------------------------------------------------------------------
def print_value(bench: Bench, text: str) -> Reply:
    """Show a value, or a field of a leg."""
    expression = expression_of(text)
    root = expression.root
    if isinstance(root, Name):
        field = re.fullmatch(r"leg(\d{1,6})\.(.+)", root.path)
        if field is not None and bench.view.leg(int(field[1])) is None:
            raise UsageError(f"leg {field[1]} was not sent yet", help=_legs_so_far(bench))
        if field is not None and field[2] not in _PLAIN_LEG:
            return lines_of(_field(bench, int(field[1]), field[2], with_hex=False))
        leg = re.fullmatch(r"leg(\d{1,6})", root.path)
        if leg is not None:
            return lines_of(_leg_summary(bench, int(leg[1])))
        call = re.fullmatch(r"(client|server)\.([a-z-]+#\d+|call\d+)", root.path)
        if call is not None:
            found = bench.view.call_named(call[1], call[2])
            if found is None:
                raise UsageError(f"there is no call {root.path} yet", help="info calls lists them")
            return lines_of(_call_lines(bench, found))
    return lines_of(
        [line(f"{expression.text} = ", Segment(visible(shown(expression.value(bench.view.value)), 4096), "head"))]
    )


_PLAIN_LEG = frozenset({"size", "sender", "messages", "record", "data"})


def _leg_summary(bench: Bench, leg: int) -> list[Line]:
    found = bench.view.leg(leg)
    if found is None:
        raise UsageError(f"leg {leg} was not sent yet", help=_legs_so_far(bench))
    names = f" {bench.look.glyphs.dot} ".join(visible(one.name) for one in found.messages)
    head = f"leg {leg}  {len(found.data)} B  from the {found.sender}, record {found.sequence}"
    befell = [noted(f"  {one.kind}: {one.detail}") for one in found.faults]
    befell += [noted(f"  {CLOSED_TO_RECEIVER}")] if found.is_closed_to_receiver else []
    return [line(Segment(head, "head")), line("  ", Segment(names, "leg")), *befell]


def _legs_so_far(bench: Bench) -> str:
    count = len(bench.view.state.legs)
    return f"there {'is one leg' if count == 1 else f'are {count} legs'} so far"


def _field(bench: Bench, leg: int, path: str, *, with_hex: bool) -> list[Line]:
    """Show the fields of a leg that a path names."""
    opened = bench.view.opened_leg(leg)
    found = bench.view.fields(leg, path)
    assert opened is not None, "the leg is there"
    of_part = [(opened, part, name, node) for name, node in found for part in opened.parts if _holds(part.tree, node)]
    look = bench.look
    if of_part:
        return field_lines(of_part, look.glyphs, width=look.width, with_titles=False, with_hex=with_hex)
    return [line(Segment(visible(name), "head"), f"  {node.meaning or value_text(node)}") for name, node in found]


def _holds(tree: Node, wanted: Node) -> bool:
    return tree is wanted or any(_holds(child, wanted) for child in tree.children)


def examine(bench: Bench, text: str) -> Reply:
    """Show bytes in hex."""
    found = re.fullmatch(r"(?:/(\d{1,6})\s+)?(\S+)", text.strip())
    if found is None:
        raise UsageError("x what?", help="x leg2, x/32 leg2, x leg2.ServerHello.random, x client.received")
    count, what = int(found[1] or 0), found[2]
    leg = re.fullmatch(r"leg(\d{1,6})(?:\.(.+))?", what)
    look = bench.look
    if leg is not None:
        number_ = int(leg[1])
        if bench.view.leg(number_) is None:
            raise UsageError(f"leg {number_} was not sent yet", help=_legs_so_far(bench))
        if leg[2]:
            return lines_of(_field(bench, number_, leg[2], with_hex=True))
        opened = bench.view.opened_leg(number_)
        assert opened is not None, "the leg is there"
        data = opened.token.data[: count or None]
        return lines_of(hex_lines(data, opened.tree, look.glyphs, width=look.width))
    kept = re.fullmatch(r"(client|server)\.([A-Za-z_][\w-]*)", what)
    if kept is None:
        raise UsageError(
            f"{what[:80]!r} has no bytes", help="a leg (leg2), a field of one, or what a side keeps (client.received)"
        )
    memory = {} if bench.live is None or bench.is_past else bench.live.memory(kept[1])
    if kept[2] not in memory:
        help = f"it keeps {', '.join(memory)}" if memory else "nothing was kept by hand"
        raise UsageError(f"the {kept[1]} keeps nothing called {kept[2][:40]!r}", help=help)
    return lines_of(hex_lines(memory[kept[2]][: count or None], None, look.glyphs, width=look.width))


def leg_number(bench: Bench, text: str) -> int:
    """Read the number of a leg that was sent; the last one when nothing is said."""
    last = len(bench.view.state.legs)
    if not text.strip():
        if not last:
            raise UsageError("no leg was sent yet", help="finish goes on until the first has arrived")
        return last
    found = _LEG.fullmatch(text.strip())
    if found is None:
        raise UsageError(f"{text.strip()[:40]!r} is no leg", help="such as leg2")
    if not 1 <= int(found[1]) <= last:
        raise UsageError(f"leg {found[1]} was not sent yet", help=_legs_so_far(bench))
    return int(found[1])


def decode(bench: Bench, text: str) -> Reply:
    """Show the fields of a token."""
    opened = bench.view.opened_leg(leg_number(bench, text))
    assert opened is not None, "the leg is there"
    return lines_of(_decoded(opened, bench))


def _decoded(opened: Opened, bench: Bench) -> list[Line]:
    look = bench.look
    verbosity = max(bench.settings.verbosity, 0)
    return decoded_lines(opened, look.glyphs, width=look.width, verbosity=verbosity, with_hex=verbosity > 1)


# -- records -----------------------------------------------------------------------------------------------------------
def record_number(bench: Bench, text: str) -> int:
    """Read the number of a record that we see; the last one when nothing is said."""
    last = len(bench.view.records)
    found = number(text, last, what="record")
    if found > last:
        raise UsageError(f"there is no record {found} here", help=f"from 1 to {last}")
    return found


def why(bench: Bench, text: str) -> Reply:
    """Show what led to a record."""
    failed = failure(bench) if not text.strip() and bench.is_over else None
    at = failed.sequence if failed is not None else record_number(bench, text)
    words = Words(bench.view.state, bench.look.glyphs, is_short=False)
    chain: list[Record] = []
    while at and len(chain) < _MOST_CAUSES:
        chain.append(bench.view.records[at - 1])
        at = chain[-1].cause
    lines = [line(f"#{depth:<3} {one.sequence:>5} ", *words.line(one)) for depth, one in enumerate(chain)]
    evidence = _evidence(chain[0]) if chain else []
    return lines_of([*lines, *evidence])


def _evidence(record: Record) -> list[Line]:
    """Say what a package said about the record's status."""
    evidence = getattr(record.event, "evidence", None)
    if evidence is None:
        return []
    said = [text for text in (evidence.detail, evidence.field and f"field {evidence.field}", *evidence.others) if text]
    return [noted(f"     {text}") for text in said]


def list_records(bench: Bench, text: str) -> Reply:
    """List the records around a place."""
    at = record_number(bench, text)
    words = Words(bench.view.state, bench.look.glyphs, is_short=False)
    first = max(0, at - _AROUND - 1)
    shown_ = bench.branch.records[first : at + _AROUND]
    mark = bench.look.glyphs.right
    return lines_of([
        line(f"{mark if one.sequence == at else ' '}{one.sequence:>5} ", *words.line(one))
        for one in shown_
        if one.sequence <= len(bench.view.records)
    ])  # fmt: skip


def show_timeline(bench: Bench, text: str) -> Reply:
    """List the records with their causes."""
    count = number(text, len(bench.view.records), what="count")
    entries = timeline(bench.view.records, bench.view.findings)
    return lines_of(timeline_lines(entries[-count:], bench.look, is_stepped=not bench.view.state.workers))


def show_ladder(bench: Bench, text: str) -> Reply:
    """Draw the ladder so far."""
    nothing(text, "ladder")
    return lines_of(ladder_lines(bench) or [noted("no call has been queued yet")])


def _call_lines(bench: Bench, call: Call) -> list[Line]:
    head = line(
        Segment(call_name(bench.view, call), "head"),
        f"  {call.handle}, {call.queued.async_context}, record {call.sequence}",
    )
    return [head, *one_call_buffers(call, bench.look.glyphs, width=bench.look.width, fields=None)]


# -- what things mean --------------------------------------------------------------------------------------------------
def show_explain(bench: Bench, text: str) -> Reply:
    """Say what a code means; without one, what the session failed with."""
    query = text.strip() or _failure(bench)
    found = explain(query, rule_texts())
    if not found:
        near_ = suggestions(query, rule_texts())
        raise UsageError(
            f"{query[:80]!r} is no status, alert, rule or known word", help=", ".join(near_) or "such as SEC_E_OK"
        )
    width = bench.look.width
    texts = explain_view.lines(found[0], width) if len(found) == 1 else explain_view.listing(found, width)
    return Reply(tuple(line(visible(one, 4096)) for one in texts))


def _failure(bench: Bench) -> str:
    failed = bench.view.state.failure
    if failed is not None:
        return failed.status.name
    findings = bench.view.findings
    if findings:
        return findings[-1].rule.code
    last = bench.view.completed.get("server") or bench.view.completed.get("client")
    if last is None:
        raise UsageError("nothing has failed", help="explain SEC_E_CERT_EXPIRED, or any other code")
    return last.status.name


def show_api(bench: Bench, text: str) -> Reply:
    """Show the card of a function, or all of them."""
    name = text.strip()
    if not name:
        return lines_of(api_view.listing(bench.look.width))
    found = api_card.find(name)
    if len(found) != 1:
        known = [one.documented_name for one in found or api_card.near(name)]
        what = "names several functions" if found else "is no function of the API"
        raise UsageError(f"{name[:80]!r} {what}", help=", ".join(known) or "api lists them")
    return lines_of(api_view.card_lines(api_card.card(found[0]), bench.look.width))


def verify(bench: Bench, text: str) -> Reply:
    """Hold the misuse rules against the records so far."""
    nothing(text, "verify")
    found = bench.view.final_findings()
    if not found:
        return said("no misuse rule is broken so far")
    return lines_of(
        [
            finding
            for one in found
            for finding in finding_lines(
                one.rule.code, one.rule.title, one.subject, one.detail, one.records, one.rule.severity
            )
        ]
    )


def finding_lines(
    code: str, name: str, subject: str, detail: str, records: tuple[int, ...], severity: str
) -> Iterator[Line]:
    """Show one finding."""
    yield line(Segment(f"{code} {name}", "bad" if severity == "error" else "warn"), f"  {severity}  {visible(subject)}")
    yield noted(f"     {detail}  (records {', '.join(map(str, records))})")


DO: dict[str, Do] = {
    "where": where,
    "enabled": enabled,
    "legal": legal,
    "print": print_value,
    "x": examine,
    "decode": decode,
    "why": why,
    "list": list_records,
    "ladder": show_ladder,
    "timeline": show_timeline,
    "explain": show_explain,
    "api": show_api,
    "verify": verify,
}
