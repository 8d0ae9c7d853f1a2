"""Whether a run made again is the run on record: the same calls, statuses, buffers and messages, in the same order.

The rule guarded here: what must be random may differ, and nothing else. Keys, nonces and signatures are made anew, so
of bytes only their length counts, and that within the few bytes by which a signature's encoding varies. Measured times
and expiries are no part of it. Everything else in every record must be equal, in the order of the records; where it is
not, the run is not determined by its options and its schedule, and the first record that differs says where.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from sspicli.analysis.report import report
from sspicli.journal import events as ev
from sspicli.journal.codec import Decoder, Encoder
from sspicli.journal.journal import Record
from sspicli.journal.redact import redacted
from sspicli.sspi.buffers import BufferImage
from sspicli.sspi.handles import Handle

SLACK = 16  # bytes; an ECDSA signature takes up to 3 more or fewer, and a flight holds several
_MEASURED = frozenset({"engine_nanoseconds", "expiry", "evidence"})
_LONGEST = 400


class Length(NamedTuple):
    """A number of bytes, which may vary by a little."""

    size: int


Leaf = str | int | None | Length
Shape = list[tuple[str, Leaf]]


class Difference(NamedTuple):
    """The first record that differs: its sequence number, where in it, and what stands there on either side."""

    sequence: int
    member: str
    expected: str
    got: str


def first_difference(recorded: Sequence[Record], again: Sequence[Record], *, is_whole: bool) -> Difference | None:
    """Find the first record that differs; None when all that was recorded happened again.

    Of a recording that is not whole what it holds is compared, and what happened after that is not.
    """
    again = as_read(again)
    recorded = [one._replace(event=redacted(one.event)) for one in recorded]
    for ours, theirs in zip(recorded, again, strict=False):
        found = _compare(ours, theirs)
        if found is not None:
            return found
    if len(recorded) > len(again):
        missing = recorded[len(again)]
        return Difference(missing.sequence, "", described(missing), "the end of the run")
    if is_whole and len(again) > len(recorded):
        more = again[len(recorded)]
        return Difference(more.sequence, "", "the end of the run", described(more))
    return _compare_messages(recorded, again)


def as_read(records: Sequence[Record]) -> list[Record]:
    """Give records as they would be read from a file: without secrets, and every value of the type it has there."""
    encoder, decoder = Encoder(), Decoder()
    return [decoder.record(encoder.line(one._replace(event=redacted(one.event)))) for one in records]


def _compare(recorded: Record, again: Record) -> Difference | None:
    """Compare two records with the same number."""
    if isinstance(recorded.event, ev.RunStarted) and isinstance(again.event, ev.RunStarted):
        return None  # tool, engine and moment are what they are
    if (type(recorded.event), recorded.actor) != (type(again.event), again.actor):
        return Difference(recorded.sequence, "", described(recorded), described(again))
    ours, theirs = shape(recorded), shape(again)
    for (name, value), (other_name, other) in zip(ours, theirs, strict=False):
        if name != other_name or not _is_same(value, other):
            said = (described(recorded, name, value), described(again, other_name, other))
            return Difference(recorded.sequence, name, *said)
    if len(ours) != len(theirs):
        return Difference(recorded.sequence, "", described(recorded), described(again))
    return None


def _compare_messages(recorded: Sequence[Record], again: Sequence[Record]) -> Difference | None:
    """Compare what the tokens of both runs hold, message by message."""
    for ours, theirs in zip(report(recorded).legs, report(again[: len(recorded)]).legs, strict=False):
        expected, got = ([one.name for one in leg.messages] for leg in (ours, theirs))
        if expected != got:
            said = [f"leg {ours.number}: {' · '.join(names) or 'nothing'}"[:_LONGEST] for names in (expected, got)]
            return Difference(ours.sequence, "messages", *said)
    return None


def _is_same(one: Leaf, other: Leaf) -> bool:
    if isinstance(one, Length) and isinstance(other, Length):
        return abs(one.size - other.size) <= (SLACK if one.size and other.size else 0)
    return type(one) is type(other) and one == other


def shape(record: Record) -> Shape:
    """Give what of a record does not depend on chance or on the clock, by name."""
    members = zip(record.event._fields, record.event, strict=True)
    found: Shape = [("cause", record.cause)]
    for name, value in members:
        if name not in _MEASURED:
            found += _leaves(name, value)
    return found


def _leaves(name: str, value: object) -> Iterator[tuple[str, Leaf]]:
    """Take a value apart into what can be compared."""
    if isinstance(value, BufferImage):
        yield f"{name}.type", value.buffer_type
        yield f"{name}.size", Length(value.size)
        yield f"{name}.data", None if value.data is None else Length(len(value.data))
    elif isinstance(value, bytes):
        yield name, Length(len(value))
    elif isinstance(value, Handle):
        yield name, str(value)
    elif isinstance(value, dict):
        for key in value:
            yield from _leaves(f"{name}.{key}", value[key])
    elif isinstance(value, (tuple, list)):
        yield f"{name}.count", len(value)
        for number, one in enumerate(value):
            yield from _leaves(f"{name}[{number}]", one)
    elif isinstance(value, int) and _counts_bytes(name):
        yield name, Length(value)
    elif value is None or isinstance(value, (str, int)):
        yield name, value
    else:
        yield name, str(value)


def _counts_bytes(name: str) -> bool:
    """Say whether a member's number is a length: `cbCertEncoded`, `BindingsLength`."""
    last = name.rpartition(".")[2]
    return name.startswith("fields.") and (last.startswith("cb") or last.endswith("Length"))


_TELLING = ("call", "function", "status", "queue_status", "async_context", "reason", "number", "step", "taken")


def described(record: Record, name: str = "", value: Leaf = None) -> str:
    """Say in a line what a record is, and what stands at one member of it."""
    words = [record.actor, type(record.event).__name__]
    for member in _TELLING:
        found = getattr(record.event, member, None)
        if found is not None and member != name:
            words.append(f"{member}={_worded(found)}")
    if name:
        words.append(f"{name}={_worded(value)}")
    return " ".join(words)[:_LONGEST]


def _worded(value: object) -> str:
    if isinstance(value, Length):
        return f"{value.size} B"
    return str(getattr(value, "name", value))
