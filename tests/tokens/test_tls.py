"""TLS tokens: any bytes have a reading, however they are cut, and it stays within them."""

import subprocess
import sys
import time

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st
from OpenSSL import SSL

from sspicli.sspi.records import frame
from sspicli.tokens.tls import MAX_HANDSHAKE, MAX_MESSAGES, MAX_TOKEN, TlsMessage, TlsReader, short_names
from tests.tls_pairs import TLS12, Ends, Recipe, Sent, names, read, session

KINDS = {
    "full": (None, False),
    "retried": (Recipe(server_curve=ec.SECP384R1()), False),
    "resumed": (None, True),
    "mutual": (Recipe(is_mutual=True), False),
    "tls 1.2": (Recipe(TLS12), False),
    "tls 1.2 cbc": (Recipe(TLS12, b"ECDHE-ECDSA-AES128-SHA256"), False),
    "tls 1.2 resumed": (Recipe(TLS12), True),
}
CHUNKS = st.lists(st.integers(1, 400), min_size=1, max_size=20)


def made(kind):
    recipe, resumed = KINDS[kind]
    return session(recipe, resumed=resumed).sent


def record(body, *, content_type=22):
    return bytes([content_type, 3, 3]) + len(body).to_bytes(2, "big") + body


def handshake(kind, size):
    return bytes([kind]) + size.to_bytes(3, "big") + bytes(size)


def said(readings):
    """What was read, without what depends on where tokens end."""
    flat = [one for reading in readings for one in reading if one.name != "Partial"]
    return [(one.name, one.encrypted, one.body, one.content_type, one.note) for one in flat]


def recut(sent, sizes, *, at_records):
    """Cut tokens into smaller ones, between records or anywhere; secrets stay ahead of what they open."""
    for sender, token, secrets in sent:
        ends = [one.end for one in frame(token).records] if at_records else []
        position, index = 0, 0
        while position < len(token):
            size = sizes[index % len(sizes)]
            end = next((one for one in ends if one >= position + size), len(token)) if ends else position + size
            yield Sent(sender, token[position:end], secrets if position == 0 else ())
            position, index = end, index + 1


def assert_within(reading, token):
    for one in reading:
        assert 0 <= one.span[0] <= one.span[1] <= len(token)
        assert len(one.body) <= max(len(token), MAX_HANDSHAKE)


@pytest.mark.parametrize("kind", KINDS)
def test_spans_of_a_session_are_whole_records(kind):
    for one, reading in zip(made(kind), read(made(kind)), strict=True):
        records = {(record.start, record.end) for record in frame(one.token).records}
        assert {message.span for message in reading} == records


@pytest.mark.parametrize("kind", KINDS)
@given(sizes=CHUNKS)
@settings(max_examples=15, deadline=None)
def test_cutting_tokens_between_records_changes_no_message(kind, sizes):
    assert said(read(recut(made(kind), sizes, at_records=True))) == said(read(made(kind)))


@pytest.mark.parametrize("kind", KINDS)
@given(sizes=CHUNKS)
@settings(max_examples=15, deadline=None)
def test_cutting_tokens_anywhere_changes_no_message(kind, sizes):
    cut = list(recut(made(kind), sizes, at_records=False))
    readings = read(cut)
    assert said(readings) == said(read(made(kind)))
    for one, reading in zip(cut, readings, strict=True):
        assert_within(reading, one.token)


@given(st.lists(st.integers(1, 60), min_size=1, max_size=8))
def test_cutting_a_hello_into_records_changes_only_its_span(sizes):
    hello = read(made("full"))[0][0].body
    parts, pieces, position, index = [], [], 0, 0
    while position < len(hello):
        size = min(sizes[index % len(sizes)], len(hello) - position)
        parts.append(record(hello[position : position + size]))
        pieces.append((position, sum(map(len, parts)) - size, size))
        position, index = position + size, index + 1
    token = b"".join(parts)
    (message,) = TlsReader().read("client", token)
    assert message == TlsMessage("ClientHello", False, (0, len(token)), hello, 22, pieces=tuple(pieces))


@given(st.binary(max_size=300), st.sampled_from(["client", "server"]))
def test_any_bytes_have_a_reading_within_them(token, sender):
    assert_within(TlsReader().read(sender, token), token)


@given(st.lists(st.tuples(st.integers(20, 24), st.binary(max_size=80)), max_size=8), st.integers(0, 3))
def test_any_records_have_a_reading_at_any_time(contents, after):
    reader = TlsReader()
    read(made("full")[:after], reader=reader)
    token = b"".join(record(body, content_type=kind) for kind, body in contents)
    for sender in ("client", "server"):
        assert_within(reader.read(sender, token), token)


@pytest.mark.parametrize("kind", KINDS)
@given(
    which=st.integers(0, 7),
    edits=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=4),
    keep=st.floats(0.3, 1),
)
@settings(max_examples=40, deadline=None)
def test_a_tampered_session_is_read_to_its_end(kind, which, edits, keep):
    sent = list(made(kind))
    index = which % len(sent)
    token = bytearray(sent[index].token)
    for place, value in edits:
        token[int(place * len(token))] = value
    sent[index] = sent[index]._replace(token=bytes(token[: int(keep * len(token))]))
    for one, reading in zip(sent, read(sent), strict=True):
        assert_within(reading, one.token)
    assert read(sent) == read(sent)


@given(st.text(max_size=120))
def test_any_line_may_be_given_as_a_secret(line):
    TlsReader().add_secret(line)


@pytest.mark.parametrize(
    "line",
    [
        "hello",
        "CLIENT_RANDOM",
        f"CLIENT_RANDOM {'00' * 32} {'00' * 47}",
        f"CLIENT_RANDOM {'00' * 31} {'00' * 48}",
        f"CLIENT_TRAFFIC_SECRET_0 {'0g' * 32} {'00' * 32}",
        f"CLIENT_TRAFFIC_SECRET_0 {'00' * 32} {'00' * 32} more",
        f"SOMETHING_ELSE {'00' * 32} {'00' * 32}",
    ],
)
def test_junk_lines_are_counted_and_skipped(line):
    reader = TlsReader()
    reader.add_secret(line)
    assert reader.junk_lines == 1


def test_comments_and_secrets_not_needed_here_are_no_junk():
    reader = TlsReader()
    for line in ("", "# comment", f"EXPORTER_SECRET {'00' * 32} {'00' * 32}", f"CLIENT_RANDOM {'aB' * 32} {'00' * 48}"):
        reader.add_secret(line)
    assert reader.junk_lines == 0


def test_secrets_do_not_show_in_a_repr():
    reader = TlsReader()
    reader.add_secret(f"CLIENT_RANDOM {'00' * 32} {'ab' * 48}")
    assert "abab" not in repr(reader)


def test_garbage_is_malformed_from_its_first_byte():
    (only,) = TlsReader().read("client", b"\xfa" * 8192)
    assert (only.name, only.span) == ("Malformed", (0, 8192))
    assert only.note == "no TLS record begins with fa fa fa fa fa"


def test_a_token_after_garbage_is_read_afresh():
    reader = TlsReader()
    reader.read("client", b"\xfa" * 10)
    assert [one.name for one in reader.read("client", made("full")[0].token)] == ["ClientHello"]


def test_a_cut_token_says_what_is_missing():
    token = made("tls 1.2")[0].token
    (only,) = TlsReader().read("client", token[:100])
    assert (only.name, only.span, only.note) == (
        "Partial",
        (0, 100),
        f"the record is {len(token) - 100} bytes short",
    )


def test_a_message_that_has_begun_is_partial_and_then_whole():
    reader = TlsReader()
    first = record(handshake(1, 100)[:60])
    (begun,) = reader.read("client", first)
    assert (begun.name, begun.span, begun.note) == (
        "Partial",
        (0, 65),
        "ClientHello: 60 of 104 bytes so far",
    )
    (whole,) = reader.read("client", record(handshake(1, 100)[60:]))
    assert (whole.name, whole.span, len(whole.body)) == ("ClientHello", (0, 49), 104)


def test_a_message_that_begins_behind_a_split_one_stands_in_the_later_record():
    first, second = record(handshake(11, 100)[:50]), record(handshake(11, 100)[50:] + handshake(14, 0))
    reading = TlsReader().read("server", first + second)
    size = len(first + second)
    assert [(one.name, one.span) for one in reading] == [
        ("Certificate", (0, size)),
        ("ServerHelloDone", (len(first), size)),
    ]


def test_an_empty_token_has_no_messages():
    assert TlsReader().read("client", b"") == ()


def test_several_messages_in_a_record_share_its_span():
    token = record(handshake(0, 0) + handshake(14, 0) + handshake(99, 3))
    reading = TlsReader().read("server", token)
    assert [one.name for one in reading] == ["HelloRequest", "ServerHelloDone", "handshake type 99"]
    assert {one.span for one in reading} == {(0, len(token))}


@pytest.mark.parametrize(
    ("body", "name"),
    [
        (b"\x02\x2d", "Alert fatal certificate_expired"),
        (b"\x01\x00", "Alert warning close_notify"),
        (b"\x07\xfe", "Alert level 7 alert 254"),
        (b"\x02", "Alert"),
        (b"", "Alert"),
    ],
)
def test_alerts_are_named_by_level_and_description(body, name):
    (alert,) = TlsReader().read("client", record(body, content_type=21))
    assert alert.name == name


def test_bytes_behind_an_alert_are_noted():
    (alert,) = TlsReader().read("client", record(b"\x02\x2d\x00", content_type=21))
    assert alert.note == "the record goes on behind the alert, 3 bytes in all"


def test_application_data_before_any_hello_stays_closed():
    (only,) = TlsReader().read("client", record(bytes(40), content_type=23))
    assert (only.name, only.note) == ("Encrypted", "no ServerHello was read before it")


def test_a_message_too_long_to_keep_is_noted_and_passed_over():
    reader = TlsReader()
    size = MAX_HANDSHAKE
    body = b"\x0b" + size.to_bytes(3, "big") + bytes(size) + handshake(14, 0)
    found: list[TlsMessage] = []
    for start in range(0, len(body), 16384):
        found += reader.read("server", record(body[start : start + 16384]))
    assert [(one.name, len(one.body)) for one in found] == [("Certificate", 4), ("ServerHelloDone", 4)]
    assert found[0].note == "131072 bytes are more than are kept of a handshake message"


def test_the_longest_message_claimed_takes_no_memory():
    reader = TlsReader()
    for _ in range(100):
        reader.read("client", record(b"\x01\xff\xff\xff" + bytes(16000)))
    assert len(reader._streams["client"]._begun) == 0


def test_what_has_begun_in_clear_is_dropped_when_protection_begins():
    sent = list(made("full"))
    reader = TlsReader()
    read(sent[:2], reader=reader)
    begun = record(handshake(11, 100)[:50])
    reading = reader.read("server", begun + sent[3].token)
    assert [one.name for one in reading] == ["Partial", "NewSessionTicket", "NewSessionTicket"]
    assert (reading[0].span, reading[0].note) == (
        (0, len(begun)),
        "Certificate: 50 of 104 bytes, then protection changed",
    )


def test_more_than_a_mebibyte_is_not_read():
    token = record(bytes(16000), content_type=24) * 70
    reading = TlsReader().read("client", token)
    assert reading[-1].name == "Unread"
    assert reading[-1].span == (65 * 16005, len(token))
    assert len(reading) == 66


@pytest.mark.parametrize("token", [record(handshake(0, 0)) * 100_000, record(handshake(0, 0) * 4000) * 60])
def test_more_messages_than_a_screen_needs_are_not_read(token):
    reading = TlsReader().read("client", token)
    assert len(reading) < 3 * MAX_MESSAGES
    assert "Unread" in [one.name for one in reading]


@pytest.mark.parametrize("body", [b"", bytes(17), bytes(1000), bytes(16000)])
def test_a_token_that_does_not_open_is_given_up_in_time(body):
    reader = TlsReader()
    read(made("full")[:2], reader=reader)
    one = record(body, content_type=23)
    begin = time.process_time()
    reading = reader.read("server", one * (MAX_TOKEN // len(one)))
    assert {message.name for message in reading} <= {"Encrypted", "Unread"}
    assert reading[-2].note == "not tried, too many records of this token did not open"
    assert time.process_time() - begin < 1.0  # 5 to 30 ms of processor time; the limit allows for a busy machine


def test_names_are_short_on_a_ladder():
    reading = read(made("full"))[1]
    assert short_names(reading) == [
        "ServerHello",
        "CCS",
        "EncryptedExtensions",
        "Certificate",
        "CertVerify",
        "Finished",
    ]


def test_reading_clear_tokens_imports_no_cryptography():
    program = (
        "import sys\n"
        "from sspicli.tokens.tls import TlsReader\n"
        "TlsReader().read('client', bytes.fromhex('15030300020228'))\n"
        "sys.exit('cryptography' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_the_hellos_of_a_renegotiation_change_no_keys_before_the_cipher_changes():
    ends = Ends(Recipe(TLS12, options=SSL.OP_NO_TICKET))
    ends.server.set_session_cache_mode(SSL.SESS_CACHE_OFF)  # so that the second handshake is a full one
    assert names(ends.renegotiate().sent)[-4:] == [
        "{ClientHello}",
        "{ServerHello} {Certificate} {ServerKeyExchange} {ServerHelloDone}",
        "{ClientKeyExchange} {ChangeCipherSpec} {Finished}",
        "{ChangeCipherSpec} {Finished}",
    ]
