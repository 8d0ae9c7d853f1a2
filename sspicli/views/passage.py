"""One leg from end to end: the call that made its token, what the token says, and who took it."""

from __future__ import annotations

from sspicli.analysis.calls import CLOSED_TO_RECEIVER, Call, Leg
from sspicli.analysis.exchange import leg_tree
from sspicli.analysis.passage import Opening, Passage
from sspicli.analysis.report import Report
from sspicli.tokens.tls import TlsMessage
from sspicli.tokens.tls_fields import message_trees
from sspicli.tokens.tree import Node
from sspicli.views.failure import field_words
from sspicli.views.hexdump import hex_lines
from sspicli.views.ladder import SHORT_FUNCTIONS, call_outcome, message_words
from sspicli.views.look import Look
from sspicli.views.tables import one_call_buffers
from sspicli.views.text import Line, Segment, folded, line, visible
from sspicli.views.trees import EVERYTHING, tree_lines

_DEPTH = 3  # of fields shown without -v


def passage_lines(report: Report, passage: Passage, look: Look) -> list[Line]:
    """Tell one leg: its token and messages, its maker and takers, their buffers, and its bytes when asked for."""
    leg = passage.leg
    receiver = "server" if leg.sender == "client" else "client"
    words = " ".join(message_words(leg.messages, look.glyphs))
    head = Segment(f"  leg {leg.number}  {leg.sender} to {receiver}  {len(leg.data)} B  ", "leg")
    lines = folded(head, words, width=look.width, indent=4)
    if leg.is_closed_to_receiver:
        lines.append(line("  ", Segment(CLOSED_TO_RECEIVER, "warn")))
    if report.failure is not None and report.failure.leg == leg.number:
        lines.append(line("  ", Segment(f"the run failed at this leg: {report.failure.side}", "bad")))
    lines += _ends(passage, look)
    lines += _deciding_field(report, leg, look)
    lines += [(), *message_lines(leg, look)]
    for message, tree in zip(leg.messages, message_trees(leg.messages), strict=True):
        lines += [(), *_fields(message, tree, look)]
    for one in (passage.maker, *passage.takers):
        if isinstance(one, Call):
            lines += [(), *one_call_buffers(one, look.glyphs, width=look.width, fields=None)]
    if look.verbosity > 1:
        lines += [(), line(Segment(f"  the token of leg {leg.number} as it was sent", "head"))]
        lines += hex_lines(leg.data, leg_tree(leg), look.glyphs, width=look.width, indent="  ")
    return lines


def _deciding_field(report: Report, leg: Leg, look: Look) -> list[Line]:
    """Point at the field that decided the run's failure, where it stands in this leg."""
    failure = report.failure
    if failure is None or failure.place is None or failure.place.leg != leg.number:
        return []
    status = "NULL" if failure.status is None else failure.status.name
    words = f"{field_words(failure, is_closed=False)}: {failure.side}, {status}"
    return folded(Segment("  decided  ", "bad"), words, width=look.width, indent=11)


def _fields(message: TlsMessage, tree: Node, look: Look) -> list[Line]:
    """Show a message's fields, and with -vv its bytes by field; spans count in the message, after decryption."""
    depth = _DEPTH if look.verbosity < 1 else EVERYTHING
    lines = tree_lines(tree, look.glyphs, width=look.width, depth=depth, folded=look.verbosity < 1)
    if look.verbosity > 1:
        lines += hex_lines(message.body, tree, look.glyphs, width=look.width, indent="  ")
    return lines


def _ends(passage: Passage, look: Look) -> list[Line]:
    """Say who made the token and who took it, each with its outcome."""
    made = line("no call on record")
    if passage.maker is not None:
        made = _call_words(passage.maker, look)
    lines = [
        line(Segment("  made by  ", "head"), *made),
        line(Segment("  sent     ", "head"), f"record #{passage.leg.sequence}"),
    ]
    if not passage.delivered:
        return [*lines, line(Segment("  arrived  ", "head"), "never")]
    lines.append(line(Segment("  arrived  ", "head"), f"record #{passage.delivered}"))
    takers = [_taker_words(taker, look) for taker in passage.takers] or [line("nobody")]
    return [*lines, *(line(Segment("  taken by ", "head"), *words) for words in takers)]


def _taker_words(taker: Call | Opening, look: Look) -> Line:
    if isinstance(taker, Opening):
        return line(f"{taker.endpoint} DecryptMessage, record #{taker.sequence}, {taker.status.name}")
    return _call_words(taker, look)


def _call_words(call: Call, look: Look) -> Line:
    name = f"{call.handle} {SHORT_FUNCTIONS[call.function.documented_name]} #{call.number} "
    return line(Segment(name, "call"), *call_outcome(call, look.glyphs, timing=look.timing))


def message_lines(leg: Leg, look: Look) -> list[Line]:
    """List the messages of a token, where their records stand in it, and why one could not be read."""
    width = max((len(message.name) for message in leg.messages), default=7)
    lines = [line(Segment(f"  {'message':<{width}}  {'records':<13}  {'bytes':>6}", "head"))]
    for message in leg.messages:
        lines += _message(message, look, min(width, 40))
    return lines


def _message(message: TlsMessage, look: Look, width: int) -> list[Line]:
    start, end = message.span
    head = f"  {visible(message.name):<{width}}  0x{start:04x}-0x{max(end - 1, start):04x}  {len(message.body):>6}  "
    notes = ["encrypted" if message.encrypted else "in clear", *([visible(message.note)] if message.note else [])]
    return folded(Segment(head), "; ".join(notes), width=look.width, indent=6)
