"""Tokens opened one after the other: spans that are true, senders, secrets, and where reading stopped."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sspicli.analysis.exchange import Token, leg_tree, open_recording, open_tokens
from sspicli.analysis.report import report
from sspicli.journal import events as ev
from sspicli.tokens.sniff import Kind, Told
from sspicli.tokens.tree import walk
from tests.handshakes import records_of

AS_TLS = Told(Kind.TLS, "TLS records")


@pytest.fixture(scope="module")
def mutual():
    return records_of(client=["cert=valid"], server=["request-cert=require"], messages=1)


@pytest.fixture(scope="module")
def tls12():
    return records_of(tls="1.2")


def tokens_of(records):
    return [
        (record.actor.partition(".")[0], record.event.data)
        for record in records
        if isinstance(record.event, ev.TokenSent)
    ]


def secrets_of(records):
    return [record.event.line for record in records if isinstance(record.event, ev.KeyLogged)]


def named(opened):
    return [[part.message.name for part in one.parts] for one in opened]


def test_a_recording_is_opened_whole_with_its_own_secrets(mutual):
    opened = open_recording(mutual)
    assert not [stop for one in opened for stop in one.stops]
    legs = [(one.token.title, one.sender) for one in opened if one.token.leg]
    assert legs == [("leg 1", "client"), ("leg 2", "server"), ("leg 3", "client"), ("leg 4", "server")]
    assert "CertificateRequest" in named(opened)[1]
    assert [named([one]) for one in opened if not one.token.leg] == [[["ApplicationData"]]] * 2


def test_each_handshake_of_a_recording_is_opened_for_itself():
    opened = open_recording(records_of(client=["resume=ticket"], server=["resume=ticket"]))
    assert not [stop for one in opened for stop in one.stops]
    assert {one.token.handshake for one in opened} == {1, 2}
    assert [one.token.title for one in opened if one.token.leg == 1] == ["handshake 1 leg 1", "handshake 2 leg 1"]


def test_without_secrets_protected_records_stay_closed_and_are_stops(mutual):
    opened = open_tokens([Token(data, "") for _, data in tokens_of(mutual)])
    assert opened[0].stops == ()
    assert {stop.path for stop in opened[1].stops} == {"Encrypted"}
    assert all("SERVER_HANDSHAKE_TRAFFIC_SECRET" in stop.why for stop in opened[1].stops)


def test_senders_are_found_by_the_messages_and_by_turns(mutual, tls12):
    for records in (mutual, tls12):
        sent = tokens_of(records)[:3]
        opened = open_tokens([Token(data, "") for _, data in sent], secrets_of(records))
        assert [one.sender for one in opened] == [sender for sender, _ in sent]
        assert not opened[0].is_sender_assumed


def test_whoever_is_said_to_have_sent_the_first_token_has():
    (one,) = open_tokens([Token(bytes.fromhex("15030300020228"), "")], first_sender="server")
    assert (one.sender, one.is_sender_assumed) == ("server", False)


def test_every_span_counts_the_bytes_it_says_it_counts(mutual, tls12):
    for one in (*open_recording(mutual), *open_recording(tls12)):
        for part in one.parts:
            held = one.token.data if part.is_in_token else part.body
            for path, node in walk(part.tree):
                start, end = node.span
                if isinstance(node.value, int) and not node.children and end - start <= 4:
                    assert int.from_bytes(held[start:end], "big") == node.value, path
                elif isinstance(node.value, bytes):
                    assert held[start:end] == node.value or node.meaning, path
            assert part.is_in_token or part.is_encrypted


def test_a_message_in_several_clear_records_has_its_own_offsets_and_is_whole(tls12):
    hello = tokens_of(tls12)[0][1][5:]
    split = b"".join(b"\x16\x03\x01" + len(part).to_bytes(2, "big") + part for part in (hello[:50], hello[50:]))
    (one,) = open_tokens([Token(split, "")])
    (part,) = one.parts
    assert (part.tree.name, part.is_in_token, one.stops) == ("ClientHello", False, ())
    assert part.body == hello


@pytest.mark.parametrize("cut", [3, 9, 60])
def test_a_token_split_in_two_is_carried_on_by_the_same_sender_and_its_beginning_is_no_stop(tls12, cut):
    hello = tokens_of(tls12)[0][1]
    first, second = open_tokens([Token(hello[:cut], ""), Token(hello[cut:], "")])
    assert (first.sender, second.sender) == ("client", "client")
    assert (first.stops, second.stops) == ((), ())
    assert named([second]) == [["ClientHello"]]


def test_what_has_only_begun_at_the_end_is_a_stop(tls12):
    (one,) = open_tokens([Token(tokens_of(tls12)[0][1][:-1], "")])
    assert any("short" in stop.why for stop in one.stops)


@pytest.mark.parametrize("size", [0, 1, 4, 0x4000, 0x4001, 0x9000])
def test_messages_without_records_have_the_offsets_of_the_token(size):
    data = b"\x0e\0\0\0" + b"\x10" + size.to_bytes(3, "big") + bytes(size) + b"\x14\0\0\x0c" + bytes(12)
    (one,) = open_tokens([Token(data, "")])
    assert (one.told.kind, one.layout) == (Kind.HANDSHAKE, None)
    assert [part.tree.span for part in one.parts] == [(0, 4), (4, 8 + size), (8 + size, 24 + size)]
    assert [data[slice(*part.tree.span)] for part in one.parts] == [part.body for part in one.parts]
    assert all(part.records is None for part in one.parts)


def test_the_tokens_tree_holds_its_records_and_in_them_what_stands_in_clear(tls12):
    one = open_recording(tls12)[1]
    assert one.tree is not None
    paths = [path for path, _ in walk(one.tree)]
    assert one.tree.span == (0, len(one.token.data))
    assert any(path.endswith("fragment.ServerHello") for path in paths)
    assert any("notAfter" in path for path in paths)


@pytest.mark.parametrize("data", [b"NTLMSSP\0\1\0\0\0", b"\x60\x0a\x06\x06\x2b\x06\x01\x05\x05\x02\xa0\0", b"hello"])
def test_another_packages_token_is_named_and_not_opened(data):
    (one,) = open_tokens([Token(data, "")])
    assert (one.parts, one.layout) == ((), None)
    assert "this version opens TLS tokens and certificates only" in one.stops[0].why


def test_a_token_without_bytes_says_why():
    (one,) = open_tokens([Token(b"", "", note="a secret")])
    assert [stop.why for stop in one.stops] == ["a secret"]


@given(
    data=st.binary(max_size=200),
    prefix=st.sampled_from([b"", b"\x16\x03\x03\0\x40\1\0\0\x3c", b"\x01\0\0\x10\3\3", b"\x30\x82"]),
)
def test_any_bytes_are_opened_as_anything(data, prefix):
    for told in (None, AS_TLS, Told(Kind.HANDSHAKE, ""), Told(Kind.CERTIFICATE, "")):
        (one,) = open_tokens([Token(prefix + data, "", told=told)])
        for part in one.parts:
            size = len(prefix + data) if part.is_in_token else len(part.body)
            assert all(0 <= node.span[0] <= node.span[1] <= size for _, node in walk(part.tree))


@pytest.mark.parametrize("kind", [None, Kind.TLS, Kind.HANDSHAKE, Kind.CERTIFICATE])
def test_a_mebibyte_of_noise_is_answered_at_once(kind):
    import random

    noise = random.Random(7).randbytes(1 << 20)
    begun = time.process_time()
    (one,) = open_tokens([Token(noise, "", told=Told(kind, "") if kind else None)])
    assert time.process_time() - begun < 0.2
    assert one.stops


def test_a_legs_tree_lies_over_its_bytes_as_that_of_the_opened_token_does(mutual, tls12):
    for records in (mutual, tls12):
        opened = {one.token.data: one.tree for one in open_recording(records)}
        for leg in report(records).legs:
            names = [(path, node.span) for path, node in walk(leg_tree(leg)) if "encrypted_record" not in path]
            expected = opened[leg.data]
            assert expected is not None
            assert names == [(path, node.span) for path, node in walk(expected) if "encrypted_record" not in path]
