"""The JSON document of opened tokens (`sspi-async/decode/1`).

Bytes are hex, `space` says what a span counts (`token` or `message`), and absent values are null. Members may be added
in later versions and are never taken away. Non-ASCII is written as escapes, so that no name can reach a terminal as a
control sequence.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from sspicli.analysis.exchange import Opened, Part, Stop
from sspicli.tokens.tree import Node

SCHEMA = "sspi-async/decode/1"

Member = dict[str, object]


def document_text(
    opened: Sequence[Opened], fields: Sequence[tuple[Opened, Part, str, Node]] | None, *, exit_code: int
) -> str:
    """Write the document, with a newline at its end."""
    return json.dumps(document(opened, fields, exit_code=exit_code), indent=2, ensure_ascii=True) + "\n"


def document(
    opened: Sequence[Opened], fields: Sequence[tuple[Opened, Part, str, Node]] | None, *, exit_code: int
) -> Member:
    """Build the document as plain data; `fields` are what a path named, None when none was asked for."""
    out: Member = {
        "schema": SCHEMA,
        "whole": not any(one.stops for one in opened),
        "exit_code": exit_code,
        "tokens": [_token(one) for one in opened],
    }
    if fields is not None:
        out["fields"] = [
            {"token": one.token.title, "path": path, "space": _space(part), **node_of(node)}
            for one, part, path, node in fields
        ]
    return out


def _token(one: Opened) -> Member:
    token = one.token
    return {
        "title": token.title,
        "handshake": token.handshake or None,
        "leg": token.leg or None,
        "sender": one.sender if one.layout is not None or one.parts else None,
        "sender_is_assumed": one.is_sender_assumed,
        "kind": one.told.kind.value,
        "taken_as": one.told.words,
        "told_by": one.told.mark or None,
        "size": len(token.data),
        "records": None if one.layout is None else node_of(one.layout),
        "messages": [_part(part) for part in one.parts],
        "stopped": [_stop(stop) for stop in one.stops],
        "closed_to_receiver": one.is_closed_to_receiver,
    }


def _part(part: Part) -> Member:
    message = part.message
    return {
        "name": part.tree.name if message is None else message.name,
        "encrypted": part.is_encrypted,
        "opened": message is None or message.name != "Encrypted",
        "records": None if part.records is None else list(part.records),
        "space": _space(part),
        "tree": node_of(part.tree),
    }


def _stop(stop: Stop) -> Member:
    return {
        "path": stop.path or None,
        "span": list(stop.span),
        "space": "token" if stop.is_in_token else "message",
        "why": stop.why,
    }


def node_of(node: Node) -> Member:
    """Write a field with all below it."""
    value = node.value
    kind = {int: "number", str: "text", bytes: "bytes"}.get(type(value))
    return {
        "name": node.name,
        "span": list(node.span),
        "value": value.hex() if isinstance(value, bytes) else value,
        "type": kind,
        "meaning": node.meaning or None,
        "note": node.note or None,
        "children": [node_of(child) for child in node.children],
    }


def _space(part: Part) -> str:
    return "token" if part.is_in_token else "message"
