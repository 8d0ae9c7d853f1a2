"""The call table and the buffers of each call, before and after, with their bytes when asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sspicli.analysis.calls import LEG_FUNCTIONS, Call, Refusal
from sspicli.analysis.exchange import leg_tree
from sspicli.analysis.report import Report
from sspicli.journal.events import Images
from sspicli.sspi.attributes import attribute_name
from sspicli.sspi.buffers import BufferImage, buffer_type_name
from sspicli.sspi.flags import AscReq, AscRet, IscReq, IscRet, flag_names
from sspicli.tokens.tree import Node
from sspicli.views.hexdump import hex_lines
from sspicli.views.ladder import SHORT_FUNCTIONS, call_outcome, refused_name, refused_status
from sspicli.views.text import Glyphs, Line, Segment, line, visible, width_of, wrapped


def call_lines(report: Report, glyphs: Glyphs, *, width: int, timing: bool) -> list[Line]:
    """List all calls, queued or refused: id, function, queue status, how long pending, call status, callback."""
    lines = [line(Segment(f"  {'call':<14}{'function':<12}{'queue status':<14}call status", "head"))]
    steps: list[Call | Refusal] = [*report.calls, *report.refusals]
    for step in sorted(steps, key=lambda one: one.sequence):
        if isinstance(step, Call):
            lines += _call_row(step, glyphs, width=width, timing=timing)
        else:
            lines.append(_refusal_row(report, step))
    return lines


def _call_row(call: Call, glyphs: Glyphs, *, width: int, timing: bool) -> list[Line]:
    name = f"{SHORT_FUNCTIONS[call.function.documented_name]} #{call.number}"
    head = f"  {call.handle!s:<14}{name:<12}{call.queue_status.name:<14}"
    row = line(head, *call_outcome(call, glyphs, timing=timing))
    more = Segment("".join(_asides(call, glyphs)), "muted")
    if width_of(row) + len(more.text) <= width:
        return [line(*row, more)]
    return [row, line(" " * (len(head) - 2), more)]


def _refusal_row(report: Report, one: Refusal) -> Line:
    status = Segment(f"{refused_status(one):<13} ", "bad")
    return line(f"  {one.endpoint:<14}{refused_name(report.calls, one):<12}", status, Segment("refused", "muted"))


def _asides(call: Call, glyphs: Glyphs) -> Iterator[str]:
    """Say what is out of the ordinary: that a poller was told to wait, that no callback came."""
    if call.pending_answers:
        yield f"  polled pending {glyphs.times}{call.pending_answers}"
    if call.completed is not None and not call.was_notified:
        yield "  no callback"


Fields = Mapping[bytes, Node]
"""The field trees of tokens, by their bytes."""


def buffer_lines(report: Report, glyphs: Glyphs, *, width: int, with_hex: bool) -> list[Line]:
    """List the descriptors of every leg call, as passed and as left, and what was asked for and granted."""
    lines: list[Line] = []
    fields = leg_fields(report) if with_hex else None
    for call in report.calls:
        if call.function in LEG_FUNCTIONS:
            lines.extend(one_call_buffers(call, glyphs, width=width, fields=fields))
    return lines


def leg_fields(report: Report) -> Fields:
    """Read the fields of every leg's token, for the dumps of the buffers that held it."""
    return {leg.data: leg_tree(leg) for leg in report.legs}


def one_call_buffers(call: Call, glyphs: Glyphs, *, width: int, fields: Fields | None) -> list[Line]:
    """List the descriptors of one leg call; given the fields of tokens, with the bytes of each buffer."""
    title = f"{SHORT_FUNCTIONS[call.function.documented_name]} #{call.number}"
    lines = [line(Segment(f"  {call.handle} {title}", "call"), f"  {call.status.name}")]
    done = call.completed
    asked, granted = call.queued.requirements, 0 if done is None else done.attributes
    is_client = call.endpoint == "client"
    lines += _flags("asked", asked, IscReq(asked) if is_client else AscReq(asked), width=width)
    if granted:
        lines += _flags("granted", granted, IscRet(granted) if is_client else AscRet(granted), width=width)
    given = (("in ", call.queued.input, done and done.input), ("out", call.queued.output, done and done.output))
    for name, before, after in given:
        for shown, data in _descriptor(name, before, after):
            lines.append(shown)
            if fields is not None and data:
                lines += hex_lines(data, fields.get(data), glyphs, width=width, indent=_HEX_INDENT)
    return lines


def _flags(name: str, word: int, flags: IscReq | IscRet | AscReq | AscRet, *, width: int) -> list[Line]:
    """Show a word of flags by their names, without the prefix they share."""
    head = f"    {name:<8} 0x{word:08X}  "
    names = [one.split("_", 2)[-1] for one in flag_names(flags)]
    first, *more = wrapped(names, width - len(head))
    return [line(head, first), *(line(" " * len(head), part) for part in more)]


def _descriptor(name: str, before: Images | None, after: Images | None) -> Iterator[tuple[Line, bytes]]:
    """Show each buffer of a descriptor, and give the bytes that it held or came to hold."""
    if before is None:
        yield line(f"    {name}      NULL"), b""
    for index, image in enumerate(before or ()):
        later = after[index] if after is not None else None
        changed = "" if later is None or later == image else f"  became {_shown(later)}"
        yield line(f"    {name} [{index}]  {_shown(image)}{changed}"), image.data or (later and later.data) or b""


def _shown(image: BufferImage) -> str:
    memory = " NULL" if image.data is None else " room" if not image.data and image.size else ""
    return f"{buffer_type_name(image.buffer_type)} {image.size} B{memory}"


def attribute_lines(report: Report, *, width: int) -> list[Line]:
    """List what QueryContextAttributes answered, by end: the members of each structure, or the status of a refusal."""
    lines: list[Line] = []
    for end in report.endpoints.values():
        for attribute, (status, fields) in end.queries.items():
            head = f"  {end.name:<7} {attribute_name(attribute):<22} "
            words = [f"{name}={_value(name, value)}" for name, value in fields.items()] or [status.name]
            if max(map(len, words)) > width - len(head):
                lines += [line(Segment(head, "call")), *(line("      ", part) for part in wrapped(words, width - 6))]
                continue
            first, *more = wrapped(words, width - len(head))
            lines += [line(Segment(head, "call"), first), *(line(" " * len(head), part) for part in more)]
    return lines


_HEX_INDENT = "      "
_LONGEST_VALUE = 40  # characters of a value shown in the table of attributes


# Members that are code points or bits: what people look them up by is hex.
_IN_HEX = frozenset({"dwProtocol", "aiCipher", "aiHash", "aiExch", "dwCipherSuite", "dwBaseCipherSuite", "dwKeyType"})


def _value(name: str, value: object) -> str:
    """Show a member of a structure: code points in hex, bytes in hex with their count, long things cut."""
    if isinstance(value, int) and name in _IN_HEX:
        return f"0x{value:X}"
    if isinstance(value, bytes):
        return f"{value[:8].hex()}..({len(value)} B)" if len(value) > 8 else value.hex() or "empty"
    if isinstance(value, tuple):
        return "[" + ",".join(_value(name, one) for one in value) + "]"
    return visible(str(value), _LONGEST_VALUE).replace(" ", "_")
