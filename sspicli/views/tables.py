"""The call table and the buffers of each call, before and after, with their bytes when asked for."""

from __future__ import annotations

from collections.abc import Iterator

from sspicli.analysis.calls import LEG_FUNCTIONS, Call
from sspicli.analysis.report import Report
from sspicli.journal.events import Images
from sspicli.sspi.attributes import attribute_name
from sspicli.sspi.buffers import BufferImage, buffer_type_name
from sspicli.sspi.flags import AscReq, AscRet, IscReq, IscRet, flag_names
from sspicli.views.ladder import SHORT_FUNCTIONS, call_outcome
from sspicli.views.text import Glyphs, Line, Segment, line, visible, width_of, wrapped


def call_lines(report: Report, glyphs: Glyphs, *, width: int, timing: bool) -> list[Line]:
    """List all queued calls: id, function, queue status, how long pending, call status, callback."""
    lines = [line(Segment(f"  {'call':<14}{'function':<12}{'queue status':<14}call status", "head"))]
    for call in report.calls:
        name = f"{SHORT_FUNCTIONS[call.function.documented_name]} #{call.number}"
        head = f"  {call.handle!s:<14}{name:<12}{call.queue_status.name:<14}"
        row = line(head, *call_outcome(call, glyphs, timing=timing))
        more = Segment("".join(_asides(call, glyphs)), "muted")
        if width_of(row) + len(more.text) <= width:
            lines.append(line(*row, more))
        else:
            lines += [row, line(" " * (len(head) - 2), more)]
    return lines


def _asides(call: Call, glyphs: Glyphs) -> Iterator[str]:
    """Say what is out of the ordinary: that a poller was told to wait, that no callback came."""
    if call.pending_answers:
        yield f"  polled pending {glyphs.times}{call.pending_answers}"
    if not call.was_notified:
        yield "  no callback"


def buffer_lines(report: Report, *, width: int, with_hex: bool) -> list[Line]:
    """List the descriptors of every leg call, as passed and as left, and what was asked for and granted."""
    lines: list[Line] = []
    for call in report.calls:
        if call.function in LEG_FUNCTIONS:
            lines.extend(one_call_buffers(call, width=width, with_hex=with_hex))
    return lines


def one_call_buffers(call: Call, *, width: int, with_hex: bool) -> list[Line]:
    """List the descriptors of one leg call."""
    name = f"{SHORT_FUNCTIONS[call.function.documented_name]} #{call.number}"
    lines = [line(Segment(f"  {call.handle} {name}", "call"), f"  {call.status.name}")]
    done = call.completed
    asked, granted = call.queued.requirements, 0 if done is None else done.attributes
    is_client = call.endpoint == "client"
    lines += _flags("asked", asked, IscReq(asked) if is_client else AscReq(asked), width=width)
    if granted:
        lines += _flags("granted", granted, IscRet(granted) if is_client else AscRet(granted), width=width)
    lines += _descriptor("in ", call.queued.input, None if done is None else done.input, with_hex=with_hex)
    lines += _descriptor("out", call.queued.output, None if done is None else done.output, with_hex=with_hex)
    return lines


def _flags(name: str, word: int, flags: IscReq | IscRet | AscReq | AscRet, *, width: int) -> list[Line]:
    """Show a word of flags by their names, without the prefix they share."""
    head = f"    {name:<8} 0x{word:08X}  "
    names = [one.split("_", 2)[-1] for one in flag_names(flags)]
    first, *more = wrapped(names, width - len(head))
    return [line(head, first), *(line(" " * len(head), part) for part in more)]


def _descriptor(name: str, before: Images | None, after: Images | None, *, with_hex: bool) -> list[Line]:
    if before is None:
        return [line(f"    {name}      NULL")]
    lines: list[Line] = []
    for index, image in enumerate(before):
        later = after[index] if after is not None else None
        changed = "" if later is None or later == image else f"  became {_shown(later)}"
        lines.append(line(f"    {name} [{index}]  {_shown(image)}{changed}"))
        if with_hex:
            data = image.data or (later.data if later else None)
            lines.extend(line(Segment(f"             {row}", "muted")) for row in hex_rows(data or b""))
    return lines


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


def hex_rows(data: bytes) -> list[str]:
    """Dump bytes, sixteen to a row: offset, hex, and printable ASCII."""
    rows = []
    for offset in range(0, len(data), 16):
        part = data[offset : offset + 16]
        text = "".join(chr(one) if 0x20 <= one < 0x7F else "." for one in part)
        rows.append(f"{offset:04x}  {part[:8].hex(' '):<23}  {part[8:].hex(' '):<23}  {text}")
    return rows
