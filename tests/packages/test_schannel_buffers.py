"""Every rule about the shape of a leg's buffers, on the real engine; a shape mistake never kills the context."""

from __future__ import annotations

import pytest

from sspicli.packages.schannel_buffers import read_protocols
from sspicli.sspi.buffers import READONLY, BufferImage, BufferType
from sspicli.sspi.package import LegResult
from sspicli.sspi.schannel import alpn_buffer
from tests.schannel_pair import EMPTY, TLS12_ONLY, TOKEN_AND_ALERT, credentials, pair, token_buffers, written

CONTINUE, OK, INCOMPLETE = "SEC_I_CONTINUE_NEEDED", "SEC_E_OK", "SEC_E_INCOMPLETE_MESSAGE"
INVALID_TOKEN, NO_MEMORY = "SEC_E_INVALID_TOKEN", "SEC_E_INSUFFICIENT_MEMORY"
OWN_MEMORY = 0x4000  # EXTENDED_ERROR without ALLOCATE_MEMORY


def image(kind: int, size: int = 0, data: bytes | None = None) -> BufferImage:
    return BufferImage(kind, size, data)


def room(size: int = 0x4000, alert: int | None = 2) -> tuple[BufferImage, ...]:
    token = (image(BufferType.TOKEN, size, b""),)
    return token if alert is None else (*token, image(BufferType.ALERT, alert, b""))


def at_the_clients_second_leg():
    """A pair whose client waits for the server's flight, and that flight."""
    both = pair()
    return both, both.server.take(both.client.begin().token).token


def alpn(*protocols: str) -> BufferImage:
    data = alpn_buffer(protocols)
    return image(BufferType.APPLICATION_PROTOCOLS, len(data), data)


# -- the first client leg ------------------------------------------------------


@pytest.mark.parametrize(
    "input",
    [
        None,
        (EMPTY,),
        (),
        (alpn("h2"),),
        (image(BufferType.TOKEN), EMPTY),
        (image(BufferType.TOKEN, 0, b""), EMPTY, alpn("h2")),
    ],
    ids=["null", "empty", "no buffers", "alpn alone", "token of 0 bytes", "as .NET"],
)
def test_every_shape_of_a_first_input_begins_a_handshake(input):
    leg = pair().client.call(input)

    assert leg.status.name == CONTINUE
    assert leg.token


def test_a_first_client_leg_with_bytes_in_its_token_is_refused_and_survives():
    end = pair().client

    assert end.call(token_buffers(b"\x16\x03\x01\x00\x00")).status.name == INVALID_TOKEN
    assert end.begin().status.name == CONTINUE


def test_a_first_call_with_null_output_is_an_invalid_token_and_survives():
    end = pair().client

    leg = end.call(None, output=None)

    assert (leg.status.name, leg.result.output_writes) == (INVALID_TOKEN, ())
    assert end.begin().status.name == CONTINUE


# -- input of later legs ------------------------------------------------------


def test_an_empty_buffer_with_a_size_is_an_invalid_token_and_the_right_shape_works_after_it():
    both, flight = at_the_clients_second_leg()

    leg = both.client.call((image(BufferType.TOKEN, len(flight), flight), image(BufferType.EMPTY, 4, None)))

    assert leg.status.name == INVALID_TOKEN
    assert (leg.token, leg.result.output_writes[0].size) == (b"", 0)
    assert both.client.take(flight).status.name == OK


def test_input_without_a_token_is_an_invalid_token_and_survives():
    both, flight = at_the_clients_second_leg()

    assert both.client.call((EMPTY,)).status.name == INVALID_TOKEN
    assert both.client.call((image(BufferType.DATA, len(flight), flight), EMPTY)).status.name == INVALID_TOKEN
    assert both.client.take(flight).status.name == OK


@pytest.mark.parametrize("token", [image(BufferType.TOKEN, 9, None), image(BufferType.TOKEN, 9, b"\x16\x03\x03")])
def test_a_token_without_its_memory_is_an_invalid_token_and_survives(token):
    both, flight = at_the_clients_second_leg()

    assert both.client.call((token, EMPTY)).status.name == INVALID_TOKEN
    assert both.client.take(flight).status.name == OK


def test_a_null_input_on_a_later_leg_is_an_incomplete_message():
    both, flight = at_the_clients_second_leg()

    assert both.client.call(None).status.name == INCOMPLETE
    assert both.client.take(flight).status.name == OK


@pytest.mark.parametrize(("held", "missing"), [(0, 5), (1, 4), (4, 1)])
def test_missing_counts_up_to_a_records_header_first(held, missing):
    both, flight = at_the_clients_second_leg()

    leg = both.client.call(token_buffers(flight[:held]))

    assert (leg.status.name, leg.missing) == (INCOMPLETE, missing)


def test_missing_counts_the_rest_of_the_body_once_the_header_is_there():
    both, flight = at_the_clients_second_leg()
    body = int.from_bytes(flight[3:5], "big")

    assert both.client.call(token_buffers(flight[:5])).missing == body
    assert both.client.call(token_buffers(flight[:7])).missing == body - 2


def test_an_incomplete_message_consumes_nothing_and_leaves_the_output_untouched():
    both, flight = at_the_clients_second_leg()

    leg = both.client.call(token_buffers(flight[:20]))

    assert (leg.result.output_writes, leg.extra, leg.result.evidence) == ((), 0, None)
    assert both.client.take(flight).status.name == OK


def test_an_incomplete_first_message_of_a_server_makes_nothing():
    both = pair()
    hello = both.client.begin().token

    assert both.server.call(token_buffers(hello[:50])).status.name == INCOMPLETE
    assert both.server.take(hello).status.name == CONTINUE


def test_whole_records_are_consumed_though_a_partial_one_follows():
    both, flight = at_the_clients_second_leg()

    leg = both.client.take(flight[:-1])

    assert (leg.status.name, leg.token) == (CONTINUE, b"")
    assert 0 < leg.extra < len(flight)
    assert both.client.take(b"").status.name == INCOMPLETE
    assert both.client.take(flight[-1:]).status.name == OK


def test_what_follows_the_handshake_is_extra():
    both, flight = at_the_clients_second_leg()

    leg = both.client.take(flight + b"\x17\x03\x03\x00\x20" + bytes(32) + b"\x17\x03")

    assert (leg.status.name, leg.extra) == (OK, 37 + 2)


def test_a_lone_token_is_accepted_and_its_leftover_cannot_be_reported():
    both, flight = at_the_clients_second_leg()
    data = flight + b"\x17\x03\x03"

    leg = both.client.call((image(BufferType.TOKEN, len(data), data),))

    assert (leg.status.name, leg.result.input_writes) == (OK, ())


def test_extra_and_missing_want_the_empty_buffer_right_behind_the_token():
    both, flight = at_the_clients_second_leg()
    extra = flight + b"\x17"

    far = both.client.call((image(BufferType.TOKEN, 3, flight[:3]), alpn("h2"), EMPTY))
    near = both.client.call((alpn("h2"), image(BufferType.TOKEN, len(extra), extra), EMPTY))

    assert (far.status.name, far.result.input_writes) == (INCOMPLETE, ())
    assert (near.status.name, near.result.input_writes[0].slot) == (OK, 2)


def test_attribute_bits_of_a_buffer_type_are_masked():
    both, flight = at_the_clients_second_leg()

    assert both.client.call((image(BufferType.TOKEN | READONLY, len(flight), flight), EMPTY)).status.name == OK


def test_cb_buffer_limits_what_is_read_of_a_token():
    both, flight = at_the_clients_second_leg()

    assert both.client.call((image(BufferType.TOKEN, len(flight), flight + b"behind"), EMPTY)).extra == 0


# -- output ------------------------------------------------------


def writes_of(result: LegResult, kind: int):
    write = written(result.output_writes, kind)
    assert write is not None
    return write


def test_allocated_memory_replaces_whatever_pv_buffer_held():
    garbage = (image(BufferType.TOKEN, 3, b"???"), image(BufferType.ALERT, 1, b"!"))

    leg = pair().client.call(None, output=garbage)

    token, alert = writes_of(leg.result, BufferType.TOKEN), writes_of(leg.result, BufferType.ALERT)
    assert token.allocated
    assert token.size == len(token.data) > 200
    assert (alert.size, alert.data, alert.allocated) == (0, None, False)


def test_a_null_pv_buffer_with_a_size_is_allocated_without_being_asked_to():
    leg = pair().client.call(None, output=(image(BufferType.TOKEN, 4000, None),), flags=OWN_MEMORY)

    assert (leg.status.name, writes_of(leg.result, BufferType.TOKEN).allocated) == (CONTINUE, True)


def test_the_callers_memory_is_filled_and_not_allocated():
    leg = pair().client.call(None, output=room(), flags=OWN_MEMORY)

    assert (leg.status.name, writes_of(leg.result, BufferType.TOKEN).allocated) == (CONTINUE, False)
    assert writes_of(leg.result, BufferType.ALERT).size == 0


def test_an_empty_output_buffer_becomes_the_token_as_curl_passes_it():
    leg = pair().client.call(None, output=(EMPTY,))

    assert writes_of(leg.result, BufferType.TOKEN).slot == 0
    assert leg.token


def test_an_output_without_a_token_is_an_invalid_token():
    assert pair().client.call(None, output=(EMPTY,), flags=OWN_MEMORY).status.name == INVALID_TOKEN
    assert pair().client.call(None, output=(image(BufferType.ALERT),)).status.name == INVALID_TOKEN


@pytest.mark.parametrize("output", [room(0), room(0, None), room(alert=0)], ids=["token", "token alone", "alert"])
def test_a_room_of_no_size_is_insufficient_memory_and_writes_nothing(output):
    end = pair().client

    leg = end.call(None, output=output, flags=OWN_MEMORY)

    assert (leg.status.name, leg.result.output_writes, leg.result.attributes) == (NO_MEMORY, (), 0x1C)
    assert end.call(None, output=room(), flags=OWN_MEMORY).status.name == CONTINUE


def test_a_token_without_room_is_kept_and_handed_out_on_the_repeated_call():
    both, flight = at_the_clients_second_leg()
    small = both.client.call(token_buffers(flight), output=room(10), flags=OWN_MEMORY)

    again = both.client.call(token_buffers(flight), output=room(), flags=OWN_MEMORY)

    assert (small.status.name, small.result.output_writes) == (NO_MEMORY, ())
    assert (again.status.name, len(again.token)) == (OK, 80)
    assert both.server.take(again.token).status.name == OK


def test_a_kept_token_wants_the_same_input_again():
    both, flight = at_the_clients_second_leg()
    both.client.call(token_buffers(flight), output=room(10), flags=OWN_MEMORY)

    assert both.client.call(token_buffers(flight[:-9]), output=room(), flags=OWN_MEMORY).status.name == INVALID_TOKEN
    assert both.client.call(token_buffers(flight + b"\x17"), output=room(), flags=OWN_MEMORY).extra == 1


@pytest.mark.parametrize("input", [None, (alpn("h2"),)], ids=["null", "alpn"])
def test_a_first_token_without_room_is_kept_as_well(input):
    end = pair().client

    assert end.call(input, output=room(100), flags=OWN_MEMORY).status.name == NO_MEMORY
    assert end.call(input, output=room(200), flags=OWN_MEMORY).status.name == NO_MEMORY
    assert end.call(input, output=room(), flags=OWN_MEMORY).status.name == CONTINUE


def test_an_alert_is_written_into_the_callers_memory_on_failure():
    both = pair(client=credentials(clock=0))
    flight = both.server.take(both.client.begin().token).token

    leg = both.client.call(token_buffers(flight), output=room(alert=1), flags=OWN_MEMORY)

    assert (leg.token[:3], leg.alert) == (b"\x15\x03\x03", b"\x02")


def test_nothing_to_send_is_a_token_of_no_bytes():
    both = pair(client=credentials(**TLS12_ONLY)).run()

    assert writes_of(both.client.legs[-1].result, BufferType.TOKEN).size == 0


# -- application protocols and flags ------------------------------------------------------


def test_a_protocol_list_reads_back_as_it_was_written():
    assert read_protocols(alpn_buffer(("h2", "http/1.1"))) == (b"h2", b"http/1.1")
    assert read_protocols(alpn_buffer(())) == ()


def test_a_list_of_another_kind_names_no_application_protocols():
    data = bytearray(alpn_buffer(("h2",)))
    data[4] = 1

    assert read_protocols(bytes(data)) == ()


@pytest.mark.parametrize(
    "data", [b"", alpn_buffer(("h2",))[:-1], alpn_buffer(("h2",))[:8] + b"\x03\x00\x09h2", alpn_buffer(("",))]
)
def test_an_unreadable_protocol_list_is_an_invalid_token(data):
    end = pair().client

    assert end.call((image(BufferType.APPLICATION_PROTOCOLS, len(data), data),)).status.name == INVALID_TOKEN
    assert end.begin().status.name == CONTINUE


def test_a_servers_protocol_list_may_stand_in_any_slot_behind_the_token():
    both = pair(client_protocols=("h2",))
    hello = both.client.begin().token

    leg = both.server.call((*token_buffers(hello), EMPTY, alpn("x"), EMPTY))

    assert leg.status.name == "SEC_E_APPLICATION_PROTOCOL_MISMATCH"


@pytest.mark.parametrize("flag", [0x1, 0x40, 0x400], ids=["DELEGATE", "PROMPT_FOR_CREDS", "DATAGRAM"])
def test_requirements_schannel_does_not_meet_are_an_unsupported_function(flag):
    end = pair().client

    assert end.call(None, flags=0x100 | flag).status.name == "SEC_E_UNSUPPORTED_FUNCTION"
    assert end.begin().status.name == CONTINUE


@pytest.mark.parametrize(
    ("word", "status"),
    [
        (0x1_0000_0000, "SEC_E_UNSUPPORTED_FUNCTION"),
        (0x8_0000_0000, "SEC_E_UNSUPPORTED_FUNCTION"),
        (0x4_0000_0000, CONTINUE),
        (0x1, "SEC_E_INVALID_PARAMETER"),
    ],
)
def test_64_bit_flags_are_read_from_their_buffer(word, status):
    flags = image(BufferType.FLAGS, 8, word.to_bytes(8, "little"))

    assert pair().client.call((flags,)).status.name == status


def test_deferred_validation_never_fails_the_handshake():
    both = pair(client=credentials(clock=0))
    hello = both.client.call((image(BufferType.FLAGS, 8, (0x2_0000_0000).to_bytes(8, "little")),)).token

    assert both.client.take(both.server.take(hello).token).status.name == OK


@pytest.mark.parametrize(
    "data", [b"\xfa" * 8192, b"GET / HTTP/1.1\r\n", b"\x16\x03\x01\xff\xff"], ids=["fa", "http", "length"]
)
def test_garbage_is_an_invalid_token_without_output_at_either_end(data):
    both, _ = at_the_clients_second_leg()
    fresh = pair()

    for leg in (both.client.take(data), both.server.take(data), fresh.server.take(data)):
        assert (leg.status.name, leg.token, leg.alert) == (INVALID_TOKEN, b"", b"")
        assert leg.evidence.row == "garbage-header"


def test_a_credential_for_the_other_side_is_an_invalid_handle():
    both = pair()
    server_of_client = both.client.credential.open(both.server.role)

    both.server.context = server_of_client

    assert both.server.take(both.client.begin().token).status.name == "SEC_E_INVALID_HANDLE"


def test_no_call_touches_the_images_it_was_given():
    both, flight = at_the_clients_second_leg()
    given = token_buffers(flight)

    both.client.call(given, output=TOKEN_AND_ALERT)

    assert given == token_buffers(flight)
