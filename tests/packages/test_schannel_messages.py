"""EncryptMessage, DecryptMessage, and what SEC_I_RENEGOTIATE demands, on established connections of the real engine."""

from __future__ import annotations

import pytest

from sspicli.packages.openssl_names import find_suite
from sspicli.packages.schannel_messages import SECQOP_WRAP_OOB_DATA, stream_sizes
from sspicli.sspi.buffers import BufferImage, BufferType
from tests.schannel_pair import (
    EMPTY,
    TLS12_ONLY,
    TLS13_ONLY,
    certificate,
    credentials,
    established,
    opened,
    pair,
    plain_buffers,
    sealed,
    shape,
)

OK, RENEGOTIATE, EXPIRED = "SEC_E_OK", "SEC_I_RENEGOTIATE", "SEC_E_CONTEXT_EXPIRED"
INVALID_TOKEN = "SEC_E_INVALID_TOKEN"
VERSIONS = pytest.mark.parametrize("version", [TLS12_ONLY, TLS13_ONLY], ids=["1.2", "1.3"])
P256 = ("x25519", "secp256r1")


# -- EncryptMessage ------------------------------------------------------


@VERSIONS
@pytest.mark.parametrize("size", [1, 100, 16_384])
def test_what_one_side_encrypts_the_other_decrypts(version, size):
    both = established(version)
    data = bytes(range(256)) * 64

    for sender, receiver in (both.ends, both.ends[::-1]):
        result = opened(receiver, sealed(sender, data[:size]))
        assert result.status.name == OK
        assert result.writes[1].data == data[:size]


@pytest.mark.parametrize(
    ("version", "header", "trailer"), [(TLS12_ONLY, 13, 16), (TLS13_ONLY, 5, 17)], ids=["1.2", "1.3"]
)
def test_encrypting_parts_a_record_into_header_data_and_trailer(version, header, trailer):
    both = established(version)

    result = both.client.context.encrypt(plain_buffers(b"x" * 100), 0)

    assert shape(result) == [("STREAM_HEADER", header), ("DATA", 100), ("STREAM_TRAILER", trailer)]
    assert [write.slot for write in result.writes] == [0, 1, 2]
    assert result.writes[1].data != b"x" * 100


@pytest.mark.parametrize(
    "suite",
    [
        "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
        "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
        "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA",
        "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384",
        "TLS_ECDHE_ECDSA_WITH_AES_128_CCM",
        "TLS_CHACHA20_POLY1305_SHA256",
    ],
)
def test_a_record_keeps_within_the_stream_sizes_of_its_suite(suite):
    only = {"cipher_suites": (suite,), "groups": P256}
    server = credentials(certificates=(certificate("valid", "p256"),), **only)
    both = pair(client=credentials(**only), server=server).run()
    sizes = stream_sizes(both.client.ask(0x64)["dwProtocol"], find_suite(suite))

    result = both.client.context.encrypt(plain_buffers(b"x" * 100, header=sizes.header, trailer=sizes.trailer), 0)

    (_, header), (_, data), (_, trailer) = shape(result)
    assert (header, data) == (sizes.header, 100)
    assert trailer <= sizes.trailer
    assert opened(both.server, b"".join(write.data or b"" for write in result.writes)).writes[1].data == b"x" * 100


def test_too_long_a_message_is_an_encrypt_failure_and_the_next_one_works():
    both = established()

    assert both.client.context.encrypt(plain_buffers(bytes(16_385)), 0).status.name == "SEC_E_ENCRYPT_FAILURE"
    assert opened(both.server, sealed(both.client, b"next")).status.name == OK


def test_a_message_of_no_bytes_makes_no_record():
    result = established().client.context.encrypt(plain_buffers(b""), 0)

    assert (result.status.name, [write.size for write in result.writes]) == (OK, [0, 0, 0])


@pytest.mark.parametrize("missing", [0, 1, 2])
def test_encrypting_without_one_of_its_buffers_is_an_invalid_token(missing):
    buffers = plain_buffers(b"data")

    result = established().client.context.encrypt(buffers[:missing] + buffers[missing + 1 :], 0)

    assert (result.status.name, result.writes) == (INVALID_TOKEN, ())


@pytest.mark.parametrize("rooms", [{"header": 4}, {"trailer": 16}])
def test_too_small_a_room_for_header_or_trailer_is_buffer_too_small(rooms):
    assert established().client.context.encrypt(plain_buffers(b"x", **rooms), 0).status.name == "SEC_E_BUFFER_TOO_SMALL"


def test_an_unknown_quality_of_protection_is_not_supported():
    assert established().client.context.encrypt(plain_buffers(b"x"), 1).status.name == "SEC_E_QOP_NOT_SUPPORTED"


@VERSIONS
def test_close_notify_given_out_of_band_ends_the_connection_at_both_ends(version):
    both = established(version)

    record = sealed(both.client, b"\x01\x00", SECQOP_WRAP_OOB_DATA)

    assert opened(both.server, record).status.name == "SEC_I_CONTEXT_EXPIRED"
    assert both.client.context.encrypt(plain_buffers(b"x"), 0).status.name == EXPIRED
    assert opened(both.server, record).status.name == EXPIRED


def test_another_alert_out_of_band_is_not_supported():
    result = established().client.context.encrypt(plain_buffers(b"\x02\x2a"), SECQOP_WRAP_OOB_DATA)

    assert result.status.name == "SEC_E_QOP_NOT_SUPPORTED"


# -- DecryptMessage ------------------------------------------------------


def test_decrypting_says_header_data_trailer_and_extra():
    both = established()
    first, second = sealed(both.client, b"first"), sealed(both.client, b"second")

    result = opened(both.server, first + second)

    assert shape(result) == [("STREAM_HEADER", 5), ("DATA", 5), ("STREAM_TRAILER", 17), ("EXTRA", len(second))]
    assert shape(opened(both.server, second))[3] == ("EMPTY", 0)


@pytest.mark.parametrize(("held", "missing"), [(0, 5), (3, 2), (5, 22)])
def test_an_incomplete_record_turns_the_first_two_buffers_into_missing(held, missing):
    both = established()
    record = sealed(both.client, b"x" * 5)

    result = opened(both.server, record[:held])

    assert (result.status.name, shape(result)) == (
        "SEC_E_INCOMPLETE_MESSAGE",
        [("MISSING", missing), ("MISSING", missing)],
    )
    assert opened(both.server, record).writes[1].data == b"x" * 5


@pytest.mark.parametrize(
    "buffers",
    [
        (BufferImage(BufferType.DATA, 3, b"abc"), EMPTY, EMPTY),
        (EMPTY, EMPTY, EMPTY, EMPTY),
        (BufferImage(BufferType.DATA, 3, b"abc"), BufferImage(BufferType.DATA, 3, b"abc"), EMPTY, EMPTY, EMPTY),
        (BufferImage(BufferType.DATA, 3, b"abc"), EMPTY, EMPTY, BufferImage(BufferType.TOKEN, 0, b"")),
    ],
    ids=["three", "no data", "two data", "two empty"],
)
def test_wrong_buffers_are_an_invalid_token_and_change_nothing(buffers):
    both = established()

    assert both.server.context.decrypt(buffers).status.name == INVALID_TOKEN
    assert opened(both.server, sealed(both.client, b"x")).status.name == OK


def test_the_data_buffer_may_stand_anywhere():
    both = established()
    record = sealed(both.client, b"x")

    result = both.server.context.decrypt((EMPTY, EMPTY, BufferImage(BufferType.DATA, len(record), record), EMPTY))

    assert [name for name, _ in shape(result)] == ["STREAM_HEADER", "DATA", "STREAM_TRAILER", "EMPTY"]


@pytest.mark.parametrize(
    ("version", "status", "alert_size"),
    [(TLS12_ONLY, "SEC_E_MESSAGE_ALTERED", 31), (TLS13_ONLY, "SEC_E_DECRYPT_FAILURE", 24)],
    ids=["1.2", "1.3"],
)
def test_an_altered_record_is_fatal(version, status, alert_size):
    both = established(version)
    record = sealed(both.client, b"data")

    result = opened(both.server, record[:-1] + bytes([record[-1] ^ 1]))

    assert result.status.name == status
    assert result.evidence is not None
    assert result.evidence.alert_sent == (2, 20, True, alert_size)
    assert opened(both.server, record).status.name == EXPIRED


@VERSIONS
def test_garbage_is_a_decrypt_failure(version):
    assert opened(established(version).client, b"\xfa" * 64).status.name == "SEC_E_DECRYPT_FAILURE"


# -- before and after ------------------------------------------------------


def test_messages_before_the_handshake_is_done_have_no_context():
    both = pair()
    both.client.begin()

    assert both.client.context.encrypt(plain_buffers(b"x"), 0).status.name == "SEC_E_NO_CONTEXT"
    assert opened(both.client, b"x").status.name == "SEC_E_NO_CONTEXT"


def test_messages_on_a_deleted_or_failed_context_are_refused():
    both = established()
    both.client.context.delete()
    failed = pair(client=credentials(clock=0)).run()

    assert both.client.context.encrypt(plain_buffers(b"x"), 0).status.name == "SEC_E_INVALID_HANDLE"
    assert opened(failed.client, b"x").status.name == EXPIRED
