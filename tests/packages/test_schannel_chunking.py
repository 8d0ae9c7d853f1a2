"""However the bytes are split on the way, a handshake gives the same statuses and tokens of the same lengths."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sspicli.sspi.buffers import BufferImage, BufferType
from sspicli.sspi.status import SecurityStatus
from tests.schannel_pair import (
    EMPTY,
    TLS12_ONLY,
    TLS13_ONLY,
    End,
    Leg,
    Pair,
    certificate,
    credentials,
    pair,
    token_buffers,
)

INCOMPLETE, CONTINUE = SecurityStatus.SEC_E_INCOMPLETE_MESSAGE, SecurityStatus.SEC_I_CONTINUE_NEEDED
MUTUAL_AUTH = 2


def handshakes() -> dict[str, Callable[[], Pair]]:
    client_certificate = {"certificates": (certificate(name="client", usage="client"),)}
    return {
        "tls13": lambda: pair(client=credentials(**TLS13_ONLY)),
        "tls12": lambda: pair(client=credentials(**TLS12_ONLY)),
        "hello retry": lambda: pair(
            client=credentials(groups=("x25519", "secp256r1")),
            server=credentials(certificates=(certificate(),), groups=("secp256r1",)),
        ),
        "mutual": lambda: pair(client=credentials(**client_certificate), server_flags=MUTUAL_AUTH),
        "mutual12": lambda: pair(client=credentials(**client_certificate, **TLS12_ONLY), server_flags=MUTUAL_AUTH),
        "large": lambda: pair(server=credentials(certificates=(certificate("large"),))),
        "expired": lambda: pair(server=credentials(certificates=(certificate("expired"),))),
        "expired client": lambda: pair(
            client=credentials(certificates=(certificate("expired", name="client", usage="client"),)),
            server_flags=MUTUAL_AUTH,
        ),
        "protocols": lambda: pair(client_protocols=("h2",), server_protocols=("h3",)),
    }


def counts(leg: Leg) -> bool:
    """Leave out what only a split brings about."""
    return leg.status is not INCOMPLETE and (leg.status is not CONTINUE or bool(leg.token))


def take_in_pieces(end: End, data: bytes, pieces: Iterator[int]) -> bytes:
    """Deliver bytes piece by piece, as a reader would that loops on status and EXTRA; give what is to be sent."""
    sent = b""
    while data and not end.has_ended:
        size = next(pieces)
        piece, data = data[:size], data[size:]
        held = len(end.inbox) + len(piece)
        leg = end.take(piece)
        check_ledger(leg, held, end)
        sent += leg.token
        while leg.status is CONTINUE and leg.extra and not leg.missing:
            leg = end.take(b"")
            sent += leg.token
    end.inbox += data
    return sent


def check_ledger(leg: Leg, held: int, end: End) -> None:
    """Bytes in are bytes consumed plus EXTRA; MISSING is never nothing."""
    if leg.status is INCOMPLETE:
        assert leg.missing
        assert len(end.inbox) == held
    else:
        assert 0 <= leg.extra < max(held, 1)


def shaken(both: Pair, sizes: Iterator[int]) -> tuple[list[tuple[str, int]], ...]:
    """Shake hands over a wire that cuts; give each side's statuses with the lengths of its tokens."""
    token = both.client.begin().token
    receiver, sender = both.server, both.client
    while token and not receiver.has_ended:
        token = take_in_pieces(receiver, token, sizes)
        receiver, sender = sender, receiver
    return tuple([(leg.status.name, len(leg.token)) for leg in end.legs if counts(leg)] for end in both.ends)


def forever(sizes: list[int]) -> Iterator[int]:
    while True:
        yield from sizes


WHOLE = {name: shaken(make(), forever([1 << 20])) for name, make in handshakes().items()}


@pytest.mark.parametrize("name", list(handshakes()))
@given(sizes=st.lists(st.integers(1, 900), min_size=1, max_size=12))
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_split_gives_the_same_statuses_and_token_lengths(name, sizes):
    if name == "large":
        sizes = [size * 60 for size in sizes]
    elif min(sizes) < 3 and name != "tls13":
        sizes = [size + 2 for size in sizes]

    assert shaken(handshakes()[name](), forever(sizes)) == WHOLE[name]


def test_byte_by_byte_is_a_split_like_any_other():
    assert shaken(handshakes()["tls13"](), forever([1])) == WHOLE["tls13"]
    assert shaken(handshakes()["tls12"](), forever([1])) == WHOLE["tls12"]


@given(cut=st.integers(0, 10_000), filler=st.binary(max_size=40))
@settings(max_examples=60, deadline=None)
def test_the_peer_may_vanish_after_any_byte_and_the_context_can_still_be_deleted(cut, filler):
    both = pair()
    flight = both.server.take(both.client.begin().token).token
    end = cut % (len(flight) + 1)

    leg = both.client.take(flight[:end])

    assert leg.status is (SecurityStatus.SEC_E_OK if end == len(flight) else leg.status)
    assert leg.status in (SecurityStatus.SEC_E_OK, CONTINUE, INCOMPLETE)
    both.close()
    assert both.client.take(filler).status is SecurityStatus.SEC_E_INVALID_HANDLE


@given(position=st.integers(0, 5000), bit=st.integers(0, 7), data=st.data())
@settings(max_examples=120, deadline=None)
def test_a_flipped_bit_anywhere_gives_a_status_and_never_an_exception(position, bit, data):
    both = pair(client=credentials(**data.draw(st.sampled_from([TLS12_ONLY, TLS13_ONLY]))))
    which = data.draw(st.integers(0, 4))
    token, receiver, sender, number = both.client.begin().token, both.server, both.client, 0

    while token and not receiver.has_ended and number < 8:
        if number == which:
            at = position % len(token)
            token = token[:at] + bytes([token[at] ^ (1 << bit)]) + token[at + 1 :]
        token = receiver.take(token).token
        receiver, sender, number = sender, receiver, number + 1

    for end in both.ends:
        for leg in end.legs:
            failed = leg.status not in (SecurityStatus.SEC_E_OK, CONTINUE, INCOMPLETE)
            assert (leg.result.evidence is not None) == failed
            if failed and leg.evidence.row == "not-in-the-table":
                assert leg.evidence.words.startswith("SSL routines"), leg.evidence
                assert leg.status is SecurityStatus.SEC_E_INTERNAL_ERROR


@given(
    records=st.lists(st.tuples(st.integers(20, 24), st.binary(max_size=60)), min_size=1, max_size=4),
    role=st.integers(0, 1),
)
@settings(max_examples=120, deadline=None)
def test_hostile_records_never_raise(records, role):
    both = pair()
    flight = both.server.take(both.client.begin().token).token
    end = both.ends[role]
    data = b"".join(bytes([kind, 3, 3]) + len(body).to_bytes(2, "big") + body for kind, body in records)

    end.take(data)
    end.take(flight[:-5])
    end.context.decrypt((BufferImage(BufferType.DATA, len(data), data), EMPTY, EMPTY, EMPTY))

    assert all(isinstance(status, str) for status in end.statuses)


@given(data=st.binary(max_size=300))
@settings(max_examples=80, deadline=None)
def test_hostile_bytes_after_the_handshake_never_raise(data):
    both = pair().run()

    both.client.context.decrypt((BufferImage(BufferType.DATA, len(data), data), EMPTY, EMPTY, EMPTY))
    both.client.call(token_buffers(data))
    both.client.context.decrypt((BufferImage(BufferType.DATA, len(data), data), EMPTY, EMPTY, EMPTY))
    both.server.call(token_buffers(b"\x17\x03\x03" + len(data).to_bytes(2, "big") + data))


def test_contexts_of_one_credential_may_run_on_many_threads():
    shared = pair()

    def shake(number: int) -> tuple[str, str, str]:
        protocols = ("h2",) if number % 3 else ("h3",)
        both = pair(
            client=shared.client.credential,
            server=shared.server.credential,
            client_protocols=protocols,
            server_protocols=("h2",),
            target="other.example" if number % 5 == 0 else "server.example",
        ).run()
        ends = both.client.statuses[-1], both.server.statuses[-1]
        both.close()
        return (*ends, "ok" if number % 3 and number % 5 else "protocol" if number % 3 == 0 else "name")

    expected = {
        "ok": ("SEC_E_OK", "SEC_E_OK"),
        "protocol": ("SEC_E_APPLICATION_PROTOCOL_MISMATCH",) * 2,
        "name": ("SEC_E_WRONG_PRINCIPAL", "SEC_E_CERT_UNKNOWN"),
    }
    with ThreadPoolExecutor(4) as pool:
        for client, server, case in pool.map(shake, range(200)):
            assert (client, server) == expected[case]
