"""The codec: every event there and back, nothing taken that the schema does not know, and every byte of it guarded."""

from __future__ import annotations

import json
from collections.abc import Callable
from enum import Enum
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints
from zlib import crc32

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sspicli.journal import events as ev
from sspicli.journal.codec import EVENT_TYPES, SCHEMA, SHORTEST_REFERENCE, CodecError, Decoder, Encoder
from sspicli.journal.events import Event
from sspicli.journal.journal import Record
from sspicli.sspi.buffers import READONLY, BufferImage, BufferType
from sspicli.sspi.flags import IscReq
from sspicli.sspi.functions import Function
from sspicli.sspi.handles import Handle, HandleKind
from sspicli.sspi.status import SecurityStatus
from tests.pairs import IS_DEEP, finished_pair

# -- a value of every type a record can hold ---------------------------------------------------------------------------
HANDLES = st.builds(
    Handle,
    st.sampled_from(["client", "server", "a.b"]),
    st.sampled_from([kind.value for kind in HandleKind]),
    st.integers(0, 999),
)
TEXTS = st.text(max_size=20)
BYTES = st.binary(max_size=80)
PLAIN = st.none() | st.booleans() | st.integers() | TEXTS | BYTES
OPEN = st.dictionaries(TEXTS, PLAIN | st.lists(PLAIN, max_size=3).map(tuple), max_size=4)
# Buffer types and flags are put into int fields as the enumerations' members by everything that makes them.
INTS = st.integers() | st.sampled_from(BufferType) | st.just(BufferType.TOKEN | READONLY) | st.sampled_from(IscReq)
INTS |= st.just(IscReq.ALLOCATE_MEMORY | IscReq.STREAM)


def values(hint: Any) -> st.SearchStrategy[Any]:
    """Build values of an annotated type."""
    origin = get_origin(hint)
    if origin in (Union, UnionType):
        (inner,) = (one for one in get_args(hint) if one is not type(None))
        return st.none() | values(inner)
    if hint is Handle:
        return HANDLES
    if origin is tuple:
        return st.lists(values(get_args(hint)[0]), max_size=3).map(tuple)
    if origin is dict:
        return OPEN
    if isinstance(hint, type) and issubclass(hint, Enum):
        return st.sampled_from(hint)
    if hasattr(hint, "_fields"):
        return builds(hint)
    by_type: dict[Any, st.SearchStrategy[Any]] = {
        bool: st.booleans(), int: INTS, str: TEXTS, bytes: BYTES, type(None): st.none()
    }  # fmt: skip
    return by_type[hint]


def builds(kind: type) -> st.SearchStrategy[Any]:
    """Build a named tuple of any kind from its annotations."""
    return st.builds(kind, **{name: values(hint) for name, hint in get_type_hints(kind).items()})


def records(kind: type) -> st.SearchStrategy[Record]:
    whole = st.integers(0, 2**63)
    return st.builds(Record, whole, whole, whole, TEXTS, whole, builds(kind))


@pytest.mark.parametrize("kind", EVENT_TYPES.values(), ids=EVENT_TYPES)
@settings(deadline=None, max_examples=2000 if IS_DEEP else 40)
@given(data=st.data())
def test_every_event_reads_back_as_it_was(kind, data):
    written = data.draw(st.lists(records(kind), min_size=1, max_size=3))
    encoder, decoder = Encoder(), Decoder()
    assert [decoder.record(encoder.line(record)) for record in written] == written


def test_every_event_of_the_union_has_its_name_in_the_schema():
    assert set(EVENT_TYPES.values()) == set(get_args(Event))
    assert len(EVENT_TYPES) == len(get_args(Event))


@pytest.mark.parametrize("seed", range(3))
def test_a_whole_run_reads_back_as_it_was(seed):
    written = finished_pair(handshakes=2)
    encoder, decoder = Encoder(), Decoder()
    assert [decoder.record(encoder.line(record)) for record in written] == written


def test_what_reads_back_has_its_types_too():
    written = Record(
        1, 0, 0, "client", 0, ev.CallRefused(Function.SspiDeleteSecurityContextAsync, None, SecurityStatus.SEC_E_OK)
    )
    event = Decoder().record(Encoder().line(written)).event
    assert isinstance(event, ev.CallRefused)
    assert event.function is Function.SspiDeleteSecurityContextAsync
    assert event.queue_status is SecurityStatus.SEC_E_OK


@settings(deadline=None)
@given(records(ev.NoteMade) | records(ev.RunStarted) | records(ev.TokenSent))
def test_a_record_is_one_line_of_printable_ascii(record):
    line = Encoder().line(record)
    assert line.endswith("\n")
    assert line[:-1].isascii()
    assert line[:-1].isprintable()
    assert json.loads(line)["crc"] == f"{crc32(line[: line.rindex(',')].encode()):08x}"


# -- bytes stand once --------------------------------------------------------------------------------------------------
def sent(data: bytes, number: int = 1) -> Record:
    return Record(number, 0, 0, "client", 0, ev.TokenSent(number, 1, "server", data))


def test_bytes_stand_once_and_later_lines_refer_to_them():
    token = bytes(range(SHORTEST_REFERENCE))
    encoder, decoder = Encoder(), Decoder()
    lines = [encoder.line(sent(token, number)) for number in (1, 2)]
    assert [token.hex() in line for line in lines] == [True, False]
    assert [decoder.record(line).event for line in lines] == [sent(token, number).event for number in (1, 2)]


def test_bytes_stand_once_within_a_line_too():
    token = bytes(SHORTEST_REFERENCE)
    images = (BufferImage(2, 32, token), BufferImage(2, 32, token))
    record = Record(1, 0, 0, "client", 0, ev.MessageEncrypted(None, SecurityStatus.SEC_E_OK, images, images))
    line = Encoder().line(record)
    assert line.count(token.hex()) == 1
    assert Decoder().record(line) == record


def test_short_bytes_are_written_out_again():
    token = bytes(SHORTEST_REFERENCE - 1)
    encoder = Encoder()
    assert all(token.hex() in encoder.line(sent(token, number)) for number in (1, 2))


def test_the_tokens_of_a_run_stand_once():
    script_token = bytes(range(200))
    encoder = Encoder()
    text = "".join(encoder.line(sent(script_token, number)) for number in range(1, 9))
    assert text.count(script_token.hex()) == 1


def test_a_reference_to_what_no_line_before_has_is_refused():
    with pytest.raises(CodecError, match="no line before has"):
        Decoder().record(resealed(Encoder().line(sent(b"x")), lambda body: body.update(data={"same": 0})))


# -- strictness --------------------------------------------------------------------------------------------------------
def resealed(line: str, change: Callable[[dict[str, Any]], object]) -> str:
    """Change a line's members and give it the right checksum again."""
    body = json.loads(line)
    del body["crc"]
    change(body)
    text = json.dumps(body, separators=(",", ":"))[:-1]
    return f'{text},"crc":"{crc32(text.encode()):08x}"}}\n'


NOTE = Record(1, 0, 0, "user", 0, ev.NoteMade("text"))
QUEUED = Record(
    1, 0, 0, "client", 0,
    ev.CallQueued(
        Handle("client", "call", 1), Function.SspiInitializeSecurityContextAsync, Handle("client", "ac", 1), None,
        None, "name",
        0, (BufferImage(2, 1, b"a"),), None, False, {"a": 1},
    ),
)  # fmt: skip


def test_a_resealed_line_without_change_reads_back():
    assert Decoder().record(resealed(Encoder().line(QUEUED), lambda _body: None)) == QUEUED


@pytest.mark.parametrize("member", ["n", "t", "ns", "by", "of", "is", "text"])
def test_a_missing_member_is_refused(member):
    with pytest.raises(CodecError):
        Decoder().record(resealed(Encoder().line(NOTE), lambda body: body.pop(member)))


@pytest.mark.parametrize("member", ["extra", "", "Text"])
def test_an_unknown_member_is_refused_by_name(member):
    with pytest.raises(CodecError, match="not just its own members"):
        Decoder().record(resealed(Encoder().line(NOTE), lambda body: body.update({member: 1})))


@pytest.mark.parametrize("name", ["NoteMade ", "notemade", "Record", "", None, 3, [], "__class__"])
def test_an_unknown_event_is_refused(name):
    with pytest.raises(CodecError):
        Decoder().record(resealed(Encoder().line(NOTE), lambda body: body.update({"is": name})))


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("n", "1"), ("n", 1.0), ("n", True), ("t", None), ("ns", []), ("of", "0"), ("by", 1), ("by", None),
        ("call", "call1"), ("call", 1), ("call", None), ("call", []), ("function", "Nonesuch"), ("function", 3),
        ("function", None),
        ("async_context", {}), ("target_name", 1), ("target_name", ["x"]),
        ("requirements", "0"),
        ("requirements", 0.0), ("requirements", None), ("requirements", True), ("input", {}), ("input", "x"),
        ("input", [[2, 1]]),
        ("input", [[2, 1, "61"]]), ("input", [[2, 1, {"hex": "6"}]]), ("input", [[2, 1, {"hex": "zz"}]]),
        ("input", [[2, 1, {"hex": "61", "same": 0}]]), ("input", [[2, 1, {"same": -1}]]),
        ("input", [[2, 1, {"same": True}]]),
        ("input", [["2", 1, None]]), ("input", [[2, 1, None, None]]), ("is_silent", 0), ("is_silent", "false"),
        ("is_silent", None),
        ("auth_data", []), ("auth_data", "x"), ("auth_data", {"a": {"same": 3}}),
    ],
)  # fmt: skip
def test_a_member_of_the_wrong_type_is_refused(member, value):
    with pytest.raises(CodecError):
        Decoder().record(resealed(Encoder().line(QUEUED), lambda body: body.update({member: value})))


@settings(deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(TEXTS | st.sampled_from(["hex", "same"]), inner, max_size=3)
        ),
        max_leaves=8,
    ),
    st.sampled_from(sorted(json.loads(Encoder().line(QUEUED)))),
)
def test_any_value_of_any_member_is_read_or_is_a_codec_error(value, member):
    line = resealed(Encoder().line(QUEUED), lambda body: body.update({member: value}))
    try:
        record = Decoder().record(line)
    except CodecError:
        return
    assert isinstance(record.event, ev.CallQueued)


@pytest.mark.parametrize(
    "text", ["", "\n", "{}", "null\n", "[]", '{"crc":"00000000"}', "x" * 99, '{"a":1,"crc":"0"}', "\x00"]
)
def test_what_is_no_line_is_a_codec_error(text):
    with pytest.raises(CodecError):
        Decoder().record(text)
    with pytest.raises(CodecError):
        Decoder().header(text)


def test_deep_nesting_is_a_codec_error_and_no_crash():
    head = '{"a":' + "[" * 100_000
    with pytest.raises(CodecError):
        Decoder().record(f'{head},"crc":"{crc32(head.encode()):08x}"}}\n')


@settings(deadline=None)
@given(st.text(max_size=200))
def test_any_text_is_a_record_or_a_codec_error(text):
    with pytest.raises(CodecError):
        Decoder().record(text)


def test_a_changed_line_does_not_pass_its_checksum():
    line = Encoder().line(NOTE)
    for at in range(len(line) - 1):
        for bit in range(7):
            changed = line[:at] + chr(ord(line[at]) ^ 1 << bit) + line[at + 1 :]
            with pytest.raises(CodecError):
                Decoder().record(changed)


# -- the first line ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("has_secrets", [True, False])
def test_the_first_line_says_the_schema_and_whether_secrets_follow(has_secrets):
    line = Encoder().header(has_secrets=has_secrets)
    assert json.loads(line)["schema"] == SCHEMA
    assert Decoder().header(line) is has_secrets


@pytest.mark.parametrize("schema", ["sspi-async/recording/2", "sspi-async/recording/0", "", None, 1])
def test_a_recording_of_another_version_is_refused_by_name(schema):
    with pytest.raises(CodecError, match="this version reads"):
        Decoder().header(resealed(Encoder().header(has_secrets=False), lambda body: body.update(schema=schema)))


@pytest.mark.parametrize("change", [{"extra": 1}, {"secrets": "yes"}, {"secrets": None}], ids=str)
def test_a_first_line_with_something_unknown_is_refused(change):
    with pytest.raises(CodecError):
        Decoder().header(resealed(Encoder().header(has_secrets=True), lambda body: body.update(change)))
