"""What is expected of a queued call and of the buffers that it was given, held against what the records say of it."""

from __future__ import annotations

from collections.abc import Sequence

from sspicli.analysis.calls import Call, Refusal
from sspicli.journal import events as ev
from sspicli.scenario.checks import granted
from sspicli.scenario.expect import Checker
from sspicli.scenario.problems import Loc
from sspicli.scenario.shapes import BufferExpected, CallExpected
from sspicli.scenario.values import NOTHING, alert_word, said
from sspicli.sspi.buffers import BufferImage, buffer_type_name
from sspicli.sspi.package import Evidence


def hold_call(checker: Checker, name: str, path: Loc, expected: CallExpected, call: Call | Refusal) -> None:
    """Hold what is expected of a queued call."""
    at = records_of(call)
    refused = isinstance(call, Refusal)
    queue: object = (call.queue_status or NOTHING) if isinstance(call, Refusal) else call.queue_status
    done = call.completed if isinstance(call, Call) else None
    if expected.queue is not None:
        checker.hold(name, (*path, "queue"), expected.queue, queue, records=at)
    if expected.status is not None:
        got = f"refused with {said(queue)}" if refused else call.status
        checker.hold(name, (*path, "status"), expected.status, got, records=at)
    plain: tuple[tuple[str, object, object], ...] = (
        ("pending", expected.pending, isinstance(call, Call) and call.was_pending),
        ("completes", expected.completes, done is not None),
        ("callbacks", expected.callbacks, 0 if isinstance(call, Refusal) else call.notifications),
        ("handle", expected.handle, "new" if _made_handle(checker, call) else "untouched"),
    )
    for key, wanted, got_plain in plain:
        if wanted is not None:
            checker.hold(name, (*path, key), wanted, got_plain, records=at)
    if expected.alert is not None:
        checker.hold(name, (*path, "alert"), expected.alert, _alert_of(call.evidence), records=at)
    for key, images in (("input", done and done.input), ("output", done and done.output)):
        hold_buffers(checker, name, (*path, key), getattr(expected, key), images or (), at)
    _attributes_of(checker, name, path, expected, call)


def _made_handle(checker: Checker, call: Call | Refusal) -> bool:
    """Say whether a completion brought a credential or a security context to life."""
    born = (ev.CredentialAcquired, ev.SecurityContextOpened)
    return isinstance(call, Call) and any(
        isinstance(record.event, born) and record.event.call == call.handle for record in checker.records
    )


def _attributes_of(checker: Checker, name: str, path: Loc, expected: CallExpected, call: Call | Refusal) -> None:
    word = call.completed.attributes if isinstance(call, Call) and call.completed else 0
    for key, wanted in (("granted", True), ("denied", False)):
        for number, flag in enumerate(getattr(expected, key) or []):
            has = granted(word, flag, call.endpoint)
            got = "no such flag" if has is None else f"{flag} is {'' if has else 'not '}granted (0x{word:08X})"
            checker.hold(name, (*path, key, number), flag, got, holds=has is wanted, records=records_of(call))


def hold_buffers(
    checker: Checker,
    name: str,
    path: Loc,
    expected: Sequence[BufferExpected] | None,
    images: Sequence[BufferImage],
    records: tuple[int, ...],
) -> None:
    """Hold buffers against what is expected of them, by position."""
    for number, one in enumerate(expected or ()):
        here = (*path, number)
        if number >= len(images):
            checker.hold(name, here, f"buffer {number}", f"{len(images)} buffers", holds=False, records=records)
            continue
        image = images[number]
        kind = buffer_type_name(image.buffer_type)
        if one.type is not None:
            checker.hold(name, (*here, "type"), one.type.name, kind, records=records)
        if one.size is not None:
            holds = image.size in one.size
            checker.hold(name, (*here, "size"), one.size, image.size, holds=holds, records=records)
        if one.hex is not None:
            checker.hold(name, (*here, "hex"), one.hex.hex(), (image.data or b"").hex(), records=records)


def records_of(call: Call | Refusal | None) -> tuple[int, ...]:
    """Give the records that show a call: that it was queued, and that it completed."""
    if call is None:
        return ()
    done = call.completed_sequence if isinstance(call, Call) else 0
    return (call.sequence, done) if done else (call.sequence,)


def _alert_of(evidence: Evidence | None) -> str:
    return alert_word(None if evidence is None else evidence.alert_sent or evidence.alert_received)
