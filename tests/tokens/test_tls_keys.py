"""The key ring: whose secret opens what, and how many are tried."""

from __future__ import annotations

from sspicli.tokens.tls_hello import TLS13
from sspicli.tokens.tls_keys import MOST_ALIKE, KeyRing

LABEL = "SERVER_HANDSHAKE_TRAFFIC_SECRET"
RANDOM = bytes(32)


def line(secret: int, *, random: bytes = RANDOM, label: str = LABEL) -> str:
    return f"{label} {random.hex()} {bytes([secret] * 48).hex()}"


def ring_of(*given: tuple[str, str]) -> KeyRing:
    ring = KeyRing()
    ring.version, ring.client_random = TLS13, RANDOM
    for owner, text in given:
        ring.add(text, owner)
    return ring


def firsts(secrets: list[bytes]) -> list[int]:
    return [one[0] for one in secrets]


def test_a_senders_own_secret_stands_before_what_nobody_owns_and_that_before_its_peers():
    peers = ("client", line(3))
    outside = ("", line(2))
    own = ("server", line(1))

    assert firsts(ring_of(peers, outside, own).secrets(LABEL, "server")) == [1]
    assert firsts(ring_of(peers, outside).secrets(LABEL, "server")) == [2]
    assert firsts(ring_of(peers).secrets(LABEL, "server")) == [3]
    assert ring_of().secrets(LABEL, "server") == []


def test_a_secret_logged_under_another_client_random_is_still_its_owners():
    ring = ring_of(("server", line(1, random=bytes([9] * 32))), ("client", line(2)))

    assert firsts(ring.secrets(LABEL, "server")) == [1]
    assert ring.differs("server")


def test_the_newest_of_what_nobody_owns_come_first_and_they_are_few():
    ring = ring_of(*[("", line(at)) for at in range(10)], ("", line(9)))

    assert firsts(ring.secrets(LABEL, "server")) == [9, 8, 7, 6][:MOST_ALIKE]
    assert ring.junk_lines == 0


def test_ends_differ_where_both_are_known_and_have_other_secrets():
    same = ring_of(("server", line(1)), ("client", line(1)))
    other = ring_of(("server", line(1)), ("client", line(2)))
    one_end = ring_of(("server", line(1)))
    given = ring_of(("", line(1)), ("", line(2)))

    assert [ring.differs("server") for ring in (same, other, one_end, given)] == [False, True, False, True]
    assert not other.differs("client")


def test_a_secret_that_one_end_alone_has_yet_after_a_renegotiation_is_no_difference():
    ring = ring_of(("server", line(1)), ("client", line(1)), ("client", line(2, random=bytes([9] * 32))))

    assert not ring.differs("server")
