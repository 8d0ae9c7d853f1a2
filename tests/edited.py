"""Recordings edited by hand, every checksum right: lines taken out, doubled, swapped and changed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any
from zlib import crc32

from hypothesis import strategies as st

from sspicli.journal.codec import Encoder
from sspicli.journal.journal import Record

Line = dict[str, Any]


def lines_of(records: Sequence[Record]) -> list[Line]:
    """Write records as a recording does, each line as plain data without its checksum; bytes are written out."""
    lines = []
    for record in records:
        line = json.loads(Encoder().line(record))  # an encoder of its own: no line refers to another
        del line["crc"]
        lines.append(line)
    return lines


def sealed(lines: Sequence[Line], *, has_secrets: bool = True) -> bytes:
    """Write lines back as a recording, numbered anew, every checksum right."""
    text = Encoder().header(has_secrets=has_secrets)
    for number, line in enumerate(lines, start=1):
        body = json.dumps({**line, "n": number}, separators=(",", ":"))[:-1]
        text += f'{body},"crc":"{crc32(body.encode()):08x}"}}\n'
    return text.encode("ascii")


HOSTILE = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 70000),
    st.sampled_from([-(1 << 63), (1 << 63) - 1, 1 << 64, -(1 << 200), 0x80000000, 0xFFFFFFFF]),
    st.sampled_from(["", "client", "server", "wire", "\x1b[31mred", "a.b", "client.ac1.callback", "\u202ex", "*/ x"]),
    st.sampled_from(["client.ac1", "server.ac1", "client.call1", "server.call2", "client.cred1", "client.ctxt1"]),
    st.sampled_from(["client.call99", "nobody.ac7", "server.ctxt2", "SEC_E_OK", "SEC_E_ILLEGAL_MESSAGE", "SERVER"]),
    st.sampled_from(["SspiCreateAsyncContext", "SspiDeleteSecurityContextAsync", "SspiAcceptSecurityContextAsync"]),
    st.sampled_from([[], {}, {"hex": ""}, {"hex": "16030300"}, [[2, 5, None]], [[2, -1, {"hex": "00"}]], [1, 2]]),
)


@st.composite
def edits(draw: st.DrawFn, lines: Sequence[Line]) -> list[Line]:
    """Edit lines by hand, one to four times."""
    edited = [dict(line) for line in lines]
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(edited) - 1))
        match draw(st.sampled_from(["delete", "double", "swap", "cut", "change", "change", "change", "deep"])):
            case "delete" if len(edited) > 1:
                del edited[at]
            case "double":
                edited.insert(draw(st.integers(0, len(edited))), dict(edited[at]))
            case "swap":
                other = draw(st.integers(0, len(edited) - 1))
                edited[at], edited[other] = edited[other], edited[at]
            case "cut" if at:
                del edited[at:]
            case "deep":
                _change_below(draw, edited[at])
            case _:
                name = draw(st.sampled_from(sorted(set(edited[at]) - {"n"})))
                edited[at][name] = draw(HOSTILE)
    return edited


def _change_below(draw: st.DrawFn, line: Line) -> None:
    """Change something inside a member that holds others: an option, a buffer, a part of the evidence."""
    names = sorted(name for name, value in line.items() if isinstance(value, (list, dict)) and value)
    if not names:
        return
    name = draw(st.sampled_from(names))
    value = json.loads(json.dumps(line[name]))
    key = draw(st.sampled_from(sorted(value))) if isinstance(value, dict) else draw(st.integers(0, len(value) - 1))
    value[key] = draw(HOSTILE)
    line[name] = value
