"""What SEC_I_RENEGOTIATE demands, and the control tokens of user mode, on connections of the real engine."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from sspicli.packages.schannel_messages import SECQOP_WRAP_OOB_DATA
from sspicli.sspi.buffers import BufferImage, BufferType
from tests.schannel_pair import (
    EMPTY,
    INBOUND,
    OUTBOUND,
    TLS13_ONLY,
    End,
    Pair,
    acquire,
    certificate,
    credentials,
    established,
    opened,
    pair,
    plain_buffers,
    sealed,
    shape,
    token_buffers,
)

OK, RENEGOTIATE, EXPIRED = "SEC_E_OK", "SEC_I_RENEGOTIATE", "SEC_E_CONTEXT_EXPIRED"
INVALID_TOKEN = "SEC_E_INVALID_TOKEN"

# -- after the handshake ------------------------------------------------------


def test_a_ticket_blocks_both_directions_until_the_leftover_was_passed():
    both = established(with_tickets=False)
    tickets = both.undelivered

    first = opened(both.client, tickets)

    assert first.status.name == RENEGOTIATE
    kinds = shape(first)
    assert (kinds[1], kinds[3]) == (("DATA", 0), ("EXTRA", len(tickets) // 2))
    assert opened(both.client, tickets).status.name == EXPIRED
    assert both.client.context.encrypt(plain_buffers(b"x"), 0).status.name == EXPIRED
    leg = both.client.call(token_buffers(tickets[-kinds[3][1] :]))
    assert (leg.status.name, leg.token, leg.extra) == (OK, b"", 0)
    assert opened(both.server, sealed(both.client, b"x")).status.name == OK


def test_two_tickets_as_separate_reads_are_two_rounds():
    both = established(with_tickets=False)
    half = len(both.undelivered) // 2

    for ticket in (both.undelivered[:half], both.undelivered[half:]):
        result = opened(both.client, ticket)
        assert (result.status.name, shape(result)[3]) == (RENEGOTIATE, ("EMPTY", 0))
        leg = both.client.call(token_buffers(ticket))
        assert (leg.status.name, leg.extra) == (OK, 0)

    assert opened(both.client, sealed(both.server, b"data")).status.name == OK


@pytest.mark.parametrize("input", [None, token_buffers(b"")], ids=["null", "no bytes"])
def test_the_demanded_call_may_pass_nothing(input):
    both = established(with_tickets=False)
    half = len(both.undelivered) // 2
    opened(both.client, both.undelivered[:half])

    assert both.client.call(input).status.name == OK


def test_data_behind_tickets_is_extra_of_the_call_and_not_lost():
    both = established(with_tickets=False)
    tickets, data = both.undelivered, sealed(both.server, b"first") + sealed(both.server, b"second")
    first = opened(both.client, tickets + data)
    left = (tickets + data)[-shape(first)[3][1] :]

    leg = both.client.call(token_buffers(left))

    assert (leg.status.name, leg.extra) == (OK, len(data))
    one = opened(both.client, data)
    assert (one.status.name, one.writes[1].data) == (OK, b"first")
    assert opened(both.client, data[-shape(one)[3][1] :]).writes[1].data == b"second"


def test_a_record_the_engine_has_eaten_already_must_be_the_one_that_comes_back():
    both = established(with_tickets=False)
    data, other = sealed(both.server, b"first"), sealed(both.server, b"other")
    both.client.call(token_buffers(both.undelivered + data))

    assert opened(both.client, other).status.name == INVALID_TOKEN
    assert opened(both.client, data).writes[1].data == b"first"
    assert opened(both.client, other).writes[1].data == b"other"


def test_tickets_and_a_partial_record_leave_the_partial_one():
    both = established(with_tickets=False)
    data = sealed(both.server, b"first")

    leg = both.client.call(token_buffers(both.undelivered + data[:7]))

    assert (leg.status.name, leg.extra) == (OK, 7)
    assert opened(both.client, data).writes[1].data == b"first"


def test_a_later_call_with_no_bytes_or_a_partial_record_is_incomplete():
    both = established()

    assert both.client.call(None).status.name == "SEC_E_INCOMPLETE_MESSAGE"
    assert both.client.call(token_buffers(b"\x17\x03\x03\x00")).missing == 1


def test_tickets_read_by_decrypting_make_the_session_resumable():
    client = acquire(credentials(**TLS13_ONLY), OUTBOUND)
    server = acquire(credentials(certificates=(certificate(),)), INBOUND)
    first = pair(client=client, server=server).run()
    opened(first.client, first.undelivered)
    first.close()

    both = pair(client=client, server=server).run()

    assert both.client.ask(0x5D)["dwFlags"] == 1


def protected(secret: str, plain: bytes) -> bytes:
    """Protect a TLS 1.3 record of AES-128-GCM, number 0, as its owner would."""
    key = bytes.fromhex(secret)

    def expand(label: bytes, size: int) -> bytes:
        info = size.to_bytes(2, "big") + bytes([6 + len(label)]) + b"tls13 " + label + b"\x00"
        return HKDFExpand(hashes.SHA256(), size, info).derive(key)

    header = b"\x17\x03\x03" + (len(plain) + 16).to_bytes(2, "big")
    return header + AESGCM(expand(b"key", 16)).encrypt(expand(b"iv", 12), plain, header)


def from_the_client(both: Pair, plain: bytes) -> bytes:
    secret = next(line.split()[2] for line in both.client.secrets if line.startswith("CLIENT_TRAFFIC_SECRET_0"))
    return protected(secret, plain)


AES128 = {"cipher_suites": ("TLS_AES_128_GCM_SHA256",)}


@pytest.mark.parametrize(("asked", "answers"), [(1, True), (0, False)], ids=["requested", "not requested"])
def test_a_key_update_is_a_renegotiation_whose_call_has_a_token_if_one_is_asked_for(asked, answers):
    both = established(AES128)
    update = from_the_client(both, bytes([24, 0, 0, 1, asked, 22]))

    result = opened(both.server, update)

    assert result.status.name == RENEGOTIATE
    leg = both.server.call(token_buffers(update))
    assert (leg.status.name, bool(leg.token)) == (OK, answers)


def test_an_empty_record_is_data_of_no_bytes():
    both = established(AES128)

    result = opened(both.server, from_the_client(both, bytes([23])))

    assert (result.status.name, shape(result)[1]) == (OK, ("DATA", 0))


def test_a_fatal_alert_in_tls13_shows_as_the_status_of_the_demanded_call():
    both = established(AES128)
    alert = from_the_client(both, bytes([2, 49, 21]))

    assert opened(both.server, alert).status.name == RENEGOTIATE
    leg = both.server.call(token_buffers(alert))
    assert (leg.status.name, leg.evidence.row) == ("SEC_E_LOGON_DENIED", "received-access-denied")
    assert both.server.call(None).status.name == "SEC_E_OUT_OF_SEQUENCE"


def test_a_fatal_alert_passed_to_the_call_directly_has_its_status_at_once():
    both = established(AES128)

    leg = both.server.call(token_buffers(from_the_client(both, bytes([2, 40, 21]))))

    assert leg.status.name == "SEC_E_ILLEGAL_MESSAGE"


def test_close_notify_passed_to_the_call_directly_expires_the_context():
    both = established()

    leg = both.server.call(token_buffers(sealed(both.client, b"\x01\x00", SECQOP_WRAP_OOB_DATA)))

    assert leg.status.name == "SEC_I_CONTEXT_EXPIRED"


# -- ApplyControlToken ------------------------------------------------------

SHUTDOWN, ALERT = (1).to_bytes(4, "little"), b"".join(part.to_bytes(4, "little") for part in (2, 2, 42))


def control(end: End, *buffers: BufferImage) -> str:
    return end.context.control(buffers).status.name


def token(data: bytes) -> BufferImage:
    return BufferImage(BufferType.TOKEN, len(data), data)


def in_user_mode() -> Pair:
    return pair(client=acquire(credentials(), OUTBOUND, kernel_mode=False))


def test_in_kernel_mode_there_is_no_control_token():
    assert control(pair().client, token(SHUTDOWN)) == "SEC_E_UNSUPPORTED_FUNCTION"


@pytest.mark.parametrize(
    ("buffers", "status"),
    [
        ((token(SHUTDOWN), EMPTY), INVALID_TOKEN),
        ((BufferImage(BufferType.ALERT, 4, SHUTDOWN),), INVALID_TOKEN),
        ((BufferImage(BufferType.DATA, 4, SHUTDOWN),), INVALID_TOKEN),
        ((token(SHUTDOWN[:2]),), "SEC_E_UNSUPPORTED_FUNCTION"),
        ((token(SHUTDOWN + b"\x00"),), OK),
        ((token(bytes(4)),), "SEC_E_UNSUPPORTED_FUNCTION"),
        ((token(b"\x09\x00\x00\x00"),), "SEC_E_UNSUPPORTED_FUNCTION"),
        ((token(SHUTDOWN),), OK),
        ((token(ALERT),), OK),
        ((token(b"\x03\x00\x00\x00\x02\x00\x00\x00"),), OK),
    ],
    ids=["two", "alert type", "data type", "short", "long", "renegotiate", "unknown", "shutdown", "alert", "session"],
)
def test_in_user_mode_control_tokens_are_judged_by_shape(buffers, status):
    assert control(in_user_mode().client, *buffers) == status


def test_a_null_descriptor_is_an_internal_error():
    assert in_user_mode().client.context.control(None).status.name == "SEC_E_INTERNAL_ERROR"


@pytest.mark.parametrize(("given", "record"), [(SHUTDOWN, "15030100020100"), (ALERT, "1503010002022a")])
def test_a_control_token_makes_the_next_call_give_one_alert_record(given, record):
    client = in_user_mode().client
    client.begin()
    assert control(client, token(given)) == control(client, token(given)) == OK

    leg = client.call(None)

    assert (leg.status.name, leg.token.hex()) == (OK, record)
    assert client.call(None).status.name == "SEC_E_INCOMPLETE_MESSAGE"


def test_a_shutdown_of_an_established_connection_is_a_close_notify_the_peer_understands():
    both = in_user_mode().run()
    control(both.client, token(SHUTDOWN))

    leg = both.client.call(None)

    assert leg.status.name == OK
    assert opened(both.server, leg.token).status.name == "SEC_I_CONTEXT_EXPIRED"
