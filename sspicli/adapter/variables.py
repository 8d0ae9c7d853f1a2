"""What an editor shows as variables: endpoints, handles, calls, buffers, legs and fields, as trees that open on demand.

The rule guarded here: everything is the debugger's own reading of the records up to where it looks, by the same names
that are typed at its prompt; a variable says by which name it is found there. Nothing is computed until it is opened.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from sspicli.analysis.calls import LEG_FUNCTIONS, Call, Leg
from sspicli.analysis.state import AsyncContext
from sspicli.debugger.bench import Bench
from sspicli.debugger.expression import Value
from sspicli.debugger.legal import Legal
from sspicli.debugger.panes import call_name, enabled_texts, legal_now
from sspicli.debugger.stops import shown
from sspicli.debugger.view import CALL_NAMES, RUN_NAMES, SIDE_NAMES
from sspicli.journal.events import FaultInjected
from sspicli.sspi.buffers import BufferImage, buffer_type_name
from sspicli.sspi.flags import AscReq, AscRet, IscReq, IscRet, flag_names
from sspicli.tokens.tree import Node
from sspicli.views.text import visible
from sspicli.views.trees import value_text

LONGEST = 400  # characters of a value; the bytes are there to be read whole


class Item(NamedTuple):
    """A variable: `path` is its name at the debugger's prompt, `data` bytes that can be read, `parts` what is in it."""

    name: str
    value: str
    kind: str = ""
    path: str = ""
    data: bytes | None = None
    parts: Callable[[], Iterable[Item]] | None = None


class Scope(NamedTuple):
    """A group of variables."""

    name: str
    parts: Callable[[], Iterable[Item]]


def scopes(bench: Bench, side: str) -> tuple[Scope, ...]:
    """List what is to be seen from where an endpoint stands; "" for what belongs to none."""
    of_side = (
        (
            Scope(side, lambda: _endpoint(bench, side)),
            Scope(f"{side}'s calls", lambda: _calls(bench, side)),
            Scope("Legal now", lambda: _legal(bench, side)),
        )
        if side
        else ()
    )
    return (
        *of_side,
        Scope("Legs", lambda: _legs(bench)),
        Scope("May happen next", lambda: _enabled(bench)),
        Scope("Run", lambda: _run(bench)),
    )


def item_of(name: str, value: Value, path: str = "") -> Item:
    """Make the variable of a plain value."""
    kind = "bytes" if isinstance(value, bytes) else "" if value is None else type(value).__name__
    data = value if isinstance(value, bytes) else None
    return Item(name, visible(shown(value), LONGEST), kind, path, data)


# -- an endpoint -------------------------------------------------------------------------------------------------------
def _endpoint(bench: Bench, side: str) -> Iterator[Item]:
    for name in SIDE_NAMES:
        path = f"{side}.{name}"
        if name in ("asked", "granted"):
            yield _flags(name, bench.view.value(path), side, path)
        elif name not in ("async_context", "credential", "security_context"):
            yield item_of(name, bench.view.value(path), path)
    state = bench.view.state.sides[side]
    yield item_of("credential", bench.view.value(f"{side}.credential"), f"{side}.credential")
    yield item_of("security_context", bench.view.value(f"{side}.security_context"), f"{side}.security_context")
    contexts = list(state.async_contexts.values())
    latest = visible(str(state.shown.handle)) if state.shown is not None else "none"
    yield Item(
        "async contexts",
        f"{len(contexts)}, in use {latest}",
        "list",
        f"{side}.async_context",
        None,
        lambda: (_async_context(bench, one) for one in contexts),
    )
    kept = {} if bench.live is None or bench.is_past else bench.live.memory(side)
    if kept:
        yield Item("kept bytes", f"{len(kept)}", "list", "", None, lambda: (_bytes(name, kept[name]) for name in kept))


def _async_context(bench: Bench, one: AsyncContext) -> Item:
    def parts() -> Iterator[Item]:
        yield Item("phase", one.phase.value)
        yield Item("callback", "set" if one.has_callback else "none")
        yield Item("notification due", "true" if one.is_notification_due else "false")
        if one.call is not None:
            yield _call(bench, one.call, "call")

    return Item(visible(str(one.handle)), one.phase.value, "async context", "", None, parts)


def _flags(name: str, word: Value, side: str, path: str) -> Item:
    if not isinstance(word, int):
        return item_of(name, word, path)
    asked, granted = (IscReq, IscRet) if side == "client" else (AscReq, AscRet)
    names = flag_names((asked if name in ("asked", "requirements") else granted)(word))
    return Item(name, f"0x{word:08X}", "flags", path, None, lambda: (Item(one, "set") for one in names))


def _bytes(name: str, data: bytes, path: str = "") -> Item:
    return Item(name, visible(shown(data), LONGEST), "bytes", path, data)


# -- calls and their buffers -------------------------------------------------------------------------------------------
def _calls(bench: Bench, side: str) -> Iterator[Item]:
    for one in bench.view.state.every_call():
        if one.endpoint == side:
            yield _call(bench, one)


def _call(bench: Bench, call: Call, name: str = "") -> Item:
    side, _, rest = call_name(bench.view, call).partition(".")
    path = f"{side}.{rest}"

    def parts() -> Iterator[Item]:
        yield Item("function", call.function.documented_name)
        for member in CALL_NAMES:
            value = bench.view.value(f"{path}.{member}")
            is_leg = call.function in LEG_FUNCTIONS
            if member in ("requirements", "attributes"):
                if is_leg:
                    yield _flags(member, value, side, f"{path}.{member}")
            else:
                yield item_of(member, value, f"{path}.{member}")
        yield from _buffers(call)
        yield from _evidence(call)

    held = " (held)" if call.handle in bench.view.state.held else ""
    said = f"PENDING{held}" if call.completed is None else call.status.name
    return Item(name or rest, f"{path} {said}" if name else said, "call", path, None, parts)


def _buffers(call: Call) -> Iterator[Item]:
    done = call.completed
    for name, before, after in (
        ("input", call.queued.input, None if done is None else done.input),
        ("output", call.queued.output, None if done is None else done.output),
    ):
        if before is None:
            if call.function in LEG_FUNCTIONS:
                yield Item(name, "NULL", "SecBufferDesc")
            continue
        images = [(at, image, after[at] if after is not None else None) for at, image in enumerate(before)]
        yield Item(
            name,
            f"{len(images)} buffers",
            "SecBufferDesc",
            "",
            None,
            lambda images=images: [_buffer(*one) for one in images],  # type: ignore[misc]
        )


def _buffer(at: int, before: BufferImage, after: BufferImage | None) -> Item:
    later = "" if after is None or after == before else f", became {_image(after)}"
    parts = [_image_item("before", before), *([] if after is None else [_image_item("after", after)])]
    return Item(f"[{at}]", f"{_image(before)}{later}", "SecBuffer", "", None, lambda: parts)


def _image(image: BufferImage) -> str:
    memory = ", NULL" if image.data is None else ", room" if not image.data and image.size else ""
    return f"{buffer_type_name(image.buffer_type)} {image.size} B{memory}"


def _image_item(name: str, image: BufferImage) -> Item:
    def parts() -> Iterator[Item]:
        yield Item("BufferType", f"{buffer_type_name(image.buffer_type)} (0x{image.buffer_type:08X})")
        yield Item("cbBuffer", str(image.size))
        yield Item("pvBuffer", "NULL") if image.data is None else _bytes("pvBuffer", image.data)

    return Item(name, _image(image), "SecBuffer", "", image.data, parts)


def _evidence(call: Call) -> Iterator[Item]:
    evidence = call.evidence
    if evidence is None:
        return
    if evidence.detail:
        yield Item("why", visible(evidence.detail, LONGEST))
    if evidence.field:
        yield Item("field", visible(evidence.field, LONGEST))


# -- legs and their fields ---------------------------------------------------------------------------------------------
def _legs(bench: Bench) -> Iterator[Item]:
    for leg in bench.view.state.legs:
        names = ", ".join(visible(one.name) for one in leg.messages)
        said = f"{len(leg.data)} B from the {leg.sender}{': ' + names if names else ''}"
        yield Item(f"leg{leg.number}", said, "token", f"leg{leg.number}", leg.data, lambda leg=leg: _leg(bench, leg))  # type: ignore[misc]


def _leg(bench: Bench, leg: Leg) -> Iterator[Item]:
    opened = bench.view.opened_leg(leg.number)
    if opened is None:
        return
    trees = [(part.tree, part.body if not part.is_in_token else leg.data) for part in opened.parts]
    if not trees and opened.tree is not None:
        trees = [(opened.tree, leg.data)]
    yield from fields_of([tree for tree, _ in trees], f"leg{leg.number}", [data for _, data in trees])


def fields_of(nodes: Sequence[Node], path: str, data: Sequence[bytes]) -> Iterator[Item]:
    """Make the variables of fields that are siblings; a name that stands more than once is numbered from 0."""
    names = [node.name for node in nodes]
    seen: dict[str, int] = {}
    for node, body in zip(nodes, data, strict=True):
        at = seen[node.name] = seen.get(node.name, -1) + 1
        name = node.name if names.count(node.name) == 1 else f"{node.name}[{at}]"
        yield _field(node, name, f"{path}.{name}", body)


def _field(node: Node, name: str, path: str, body: bytes) -> Item:
    said = " ".join(part for part in (value_text(node), node.meaning, node.note) if part)
    parts = (lambda: fields_of(node.children, path, [body] * len(node.children))) if node.children else None
    span = f"{node.span[1] - node.span[0]} B"
    return Item(
        visible(name), visible(said or span, LONGEST), f"field, {span}", path, body[node.span[0] : node.span[1]], parts
    )


# -- the run -----------------------------------------------------------------------------------------------------------
def _enabled(bench: Bench) -> Iterator[Item]:
    preferred = bench.live.preferred() if bench.live is not None and bench.enabled() else -1
    for at, text in enumerate(enabled_texts(bench)):
        yield Item(str(at + 1), visible(text) + ("  (by default)" if at == preferred else ""), "transition")


def _legal(bench: Bench, side: str) -> Iterator[Item]:
    one: Legal = legal_now(bench)[("client", "server").index(side)]
    yield Item("async context", f"{visible(one.subject)} is {one.phase}")
    yield Item("works", ", ".join(one.works))
    for verb, verdict, why in one.refused:
        yield Item(visible(verb), visible(f"{verdict}: {why}", LONGEST))


def _run(bench: Bench) -> Iterator[Item]:
    for name in RUN_NAMES:
        if name != "findings":
            yield item_of(name, bench.view.value(name), name)
    found = bench.view.findings
    yield Item(
        "findings",
        visible(shown(bench.view.value("findings"))),
        "list",
        "findings",
        None,
        (lambda: [Item(one.rule.code, visible(f"{one.subject}: {one.detail}", LONGEST)) for one in found])
        if found
        else None,
    )
    yield Item("branch", visible(bench.branch.name))
    yield Item("faults", str(len(_faults(bench))), "list", "", None, lambda: _faults(bench))


def _faults(bench: Bench) -> list[Item]:
    happened = [one.event for one in bench.view.records if isinstance(one.event, FaultInjected)]
    return [Item(visible(one.text), visible(f"{one.subject}: {one.detail}", LONGEST)) for one in happened]
