"""The JSON document of a recording (`sspi-async/show/1`): the handshake's own document, and the views asked for.

Every member of `sspi-async/handshake/1` stands here under the same name, so what reads the one reads the other. Members
may be added in later versions and are never taken away.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from sspicli.analysis.calls import LEG_FUNCTIONS, Call
from sspicli.analysis.lives import Life
from sspicli.analysis.passage import Opening, Passage
from sspicli.analysis.report import Report
from sspicli.analysis.stats import EndStats, FunctionStats, Stats
from sspicli.analysis.timeline import Entry
from sspicli.journal.events import Images
from sspicli.reports.document import Member, attributes_of, document
from sspicli.reports.tokens import node_of
from sspicli.sspi.buffers import BufferImage, buffer_type_name
from sspicli.sspi.flags import AscReq, AscRet, IscReq, IscRet, flag_names
from sspicli.sspi.functions import Function
from sspicli.tokens.tls_fields import message_trees

SCHEMA = "sspi-async/show/1"


def show_document(report: Report, *, timing: bool, schedule: str, recording: Member) -> Member:
    """Build the document without views; `recording` says what the file itself is like."""
    run = report.run
    told = document(report, timing=timing, schedule=schedule) | {"schema": SCHEMA, "recording": recording}
    told["handshakes"] = report.handshakes
    if run is not None:
        told["run"] = {"tool": run.tool, "platform": run.platform, "clock": run.clock, "options": _plain(run.options)}
    return told


def as_text(told: Member) -> str:
    """Write a document in ASCII, with a newline at its end."""
    return json.dumps(told, indent=2, ensure_ascii=True) + "\n"


def attributes(report: Report) -> Member:
    """Say what each end's security context answered."""
    return {name: attributes_of(end) for name, end in report.endpoints.items()}


def timeline(entries: Iterable[Entry], *, timing: bool) -> list[Member]:
    """List every record, told."""
    return [
        {
            "record": entry.record.sequence,
            "ticks": entry.record.ticks,
            **({"nanoseconds": entry.record.nanoseconds} if timing else {}),
            "cause": entry.record.cause or None,
            "actor": entry.record.actor,
            "event": entry.kind,
            "text": entry.text,
            "failed": entry.is_bad,
            "findings": list(entry.findings),
        }
        for entry in entries
    ]


def handles(lives: Iterable[Life]) -> list[Member]:
    """List every handle with its life; records by number, null for what is not on record."""
    return [_life(life) for life in lives]


def _life(life: Life) -> Member:
    told: Member = {
        "handle": str(life.handle),
        "kind": life.kind,
        "made_by": life.maker,
        "made": life.born,
        "used_by": [str(user) for user in life.users],
        "ended": life.ended or None,
        "ended_by": life.ender or None,
        "generation": life.generation or None,
        "finding": life.finding or None,
    }
    if life.function is not None:
        told |= {
            "function": life.function.documented_name,
            "async_context": str(life.async_context),
            "call_status": None if life.status is None else life.status.name,
            "notified": life.notified or None,
        }
    return told


def stats(counted: Stats, *, timing: bool) -> Member:
    """Give the numbers of a run."""
    told: Member = {
        "records": counted.records,
        "ticks": counted.ticks,
        "handshakes": counted.handshakes,
        "choices": counted.choices,
        "functions": {one.function.documented_name: _function(one, timing=timing) for one in counted.functions},
        "ends": {end.name: _end(end) for end in counted.ends},
    }
    return told | ({"nanoseconds": counted.nanoseconds} if timing else {})


def _function(one: FunctionStats, *, timing: bool) -> Member:
    told: Member = {
        "queued": one.queued,
        "inline": one.inline,
        "never_completed": one.never_completed,
        "refused": {status.name: count for status, count in sorted(one.refused.items())},
        "statuses": {status.name: count for status, count in sorted(one.statuses.items())},
    }
    if timing:
        told["pending_nanoseconds"] = None if one.pending is None else one.pending._asdict()
        told["engine_nanoseconds"] = sum(one.engine_nanoseconds)
    return told


def _end(end: EndStats) -> Member:
    return {
        "callbacks": end.callbacks,
        "status_queries": end.status_queries,
        "pending_answers": end.pending_answers,
        "tokens": end.tokens,
        "token_bytes": end.token_bytes,
        "data_parcels": end.data,
        "data_bytes": end.data_bytes,
        "messages": dict(sorted(end.messages.items())),
        "attribute_queries": end.attributes,
    }


def buffers(calls: Iterable[Call], *, with_hex: bool) -> list[Member]:
    """List the descriptors of the leg calls, as passed and as left, with the flags asked for and granted."""
    return [_call_buffers(call, with_hex=with_hex) for call in calls if call.function in LEG_FUNCTIONS]


def _call_buffers(call: Call, *, with_hex: bool) -> Member:
    done, asked = call.completed, call.queued.requirements
    granted = 0 if done is None else done.attributes
    is_client = call.function is Function.SspiInitializeSecurityContextAsync
    return {
        "id": str(call.handle),
        "asked": list(flag_names(IscReq(asked) if is_client else AscReq(asked))),
        "granted": list(flag_names(IscRet(granted) if is_client else AscRet(granted))),
        "input": _images(call.queued.input, with_hex=with_hex),
        "input_after": None if done is None else _images(done.input, with_hex=with_hex),
        "output": _images(call.queued.output, with_hex=with_hex),
        "output_after": None if done is None else _images(done.output, with_hex=with_hex),
    }


def _images(images: Images | None, *, with_hex: bool) -> list[Member] | None:
    return None if images is None else [_image(one, with_hex=with_hex) for one in images]


def _image(image: BufferImage, *, with_hex: bool) -> Member:
    told: Member = {"type": buffer_type_name(image.buffer_type), "bytes": image.size, "null": image.data is None}
    return told | {"hex": image.data.hex()} if with_hex and image.data else told


def leg(found: Passage, *, with_hex: bool) -> Member:
    """Tell one leg from end to end."""
    calls = [one for one in (found.maker, *found.takers) if isinstance(one, Call)]
    told: Member = {
        "number": found.leg.number,
        "from": found.leg.sender,
        "bytes": len(found.leg.data),
        "sent": found.leg.sequence,
        "delivered": found.delivered or None,
        "made_by": None if found.maker is None else str(found.maker.handle),
        "taken_by": [_taker(one) for one in found.takers],
        "messages": [
            {
                "name": message.name,
                "encrypted": message.encrypted,
                "span": list(message.span),
                "bytes": len(message.body),
                "note": message.note or None,
                "fields": node_of(tree),
            }
            for message, tree in zip(found.leg.messages, message_trees(found.leg.messages), strict=True)
        ],
        "buffers": buffers(calls, with_hex=with_hex),
    }
    if found.leg.is_closed_to_receiver:
        told["closed_to_receiver"] = True
    return told | {"hex": found.leg.data.hex()} if with_hex else told


def _taker(taker: Call | Opening) -> Member:
    if isinstance(taker, Opening):
        return {"function": "DecryptMessage", "record": taker.sequence, "status": taker.status.name}
    name = taker.function.documented_name
    return {"function": name, "call": str(taker.handle), "record": taker.sequence, "status": taker.status.name}


def _plain(value: object) -> object:
    """Make a value fit for JSON: bytes as hex, tuples as lists."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, Sequence) and not isinstance(value, str) else value
