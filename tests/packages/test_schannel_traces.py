"""Whole handshakes at both ends on the real engine: who says what, in which order, and who is done first."""

from __future__ import annotations

import pytest

from sspicli.sspi.attributes import ContextAttribute
from sspicli.sspi.buffers import BufferImage, BufferType
from sspicli.sspi.schannel import SCH_CRED_REVOCATION_CHECK_END_CERT
from tests.schannel_pair import (
    AUTHORITY,
    EMPTY,
    INBOUND,
    OUTBOUND,
    TARGET,
    TLS12_ONLY,
    TLS13_ONLY,
    Pair,
    acquire,
    certificate,
    credentials,
    pair,
    token_buffers,
)

C, S = "client", "server"
CONTINUE, OK = "SEC_I_CONTINUE_NEEDED", "SEC_E_OK"
MUTUAL_AUTH, USE_SUPPLIED_CREDS, MANUAL = 0x2, 0x80, 0x80000
REQUESTED = "SEC_I_INCOMPLETE_CREDENTIALS"


def server_of(preset="valid", **changes):
    return credentials(certificates=(certificate(preset),), **changes)


def client_with_certificate(**changes):
    return credentials(certificates=(certificate(name="client", usage="client"),), **changes)


def is_resumed(both: Pair) -> list[int]:
    return [end.ask(ContextAttribute.SESSION_INFO)["dwFlags"] for end in both.ends]


def test_a_full_tls13_handshake_ends_at_the_client_first():
    both = pair(client=credentials(**TLS13_ONLY)).run()

    assert both.legs == [(C, CONTINUE), (S, CONTINUE), (C, OK), (S, OK)]
    assert all(leg.token for end in both.ends for leg in end.legs), (
        "each leg has a token, the server's last one tickets"
    )
    hello, flight, finished, tickets = (
        both.client.legs[0],
        both.server.legs[0],
        both.client.legs[1],
        both.server.legs[1],
    )
    assert len(finished.token) < len(hello.token) < len(flight.token)
    assert hello.token[0] == flight.token[0] == 22
    assert len(finished.token) == 80  # ChangeCipherSpec and a Finished of SHA-384
    assert 2 * 200 < len(tickets.token) < 2 * 400
    assert not any(leg.alert for end in both.ends for leg in end.legs)


def test_tickets_passed_straight_to_the_client_give_ok_and_no_token():
    both = pair(client=credentials(**TLS13_ONLY)).run()

    leg = both.client.legs[-1]

    assert (both.undelivered, len(both.client.legs)) == (both.server.legs[-1].token, 2)
    leg = both.client.take(both.undelivered)
    assert (leg.status.name, leg.token, leg.extra) == (OK, b"", 0)


def test_a_full_tls12_handshake_ends_at_the_server_first():
    both = pair(client=credentials(**TLS12_ONLY)).run()

    assert both.legs == [(C, CONTINUE), (S, CONTINUE), (C, CONTINUE), (S, OK), (C, OK)]
    assert [bool(leg.token) for leg in both.client.legs] == [True, True, False]
    assert all(leg.token for leg in both.server.legs)


def test_a_resumed_tls12_handshake_ends_at_the_client_first_with_a_token():
    client, server = acquire(credentials(**TLS12_ONLY), OUTBOUND), acquire(server_of(), INBOUND)
    first = pair(client=client, server=server).run()
    first.close()

    both = pair(client=client, server=server).run()

    assert is_resumed(both) == [1, 1]
    assert both.legs == [(C, CONTINUE), (S, CONTINUE), (C, OK), (S, OK)]
    assert both.client.legs[1].token, "the token on OK must be sent"
    assert not both.server.legs[1].token
    assert len(both.server.legs[0].token) < len(first.server.legs[0].token) / 2


def test_a_resumed_tls13_handshake_has_no_certificate_in_its_flight():
    client, server = acquire(credentials(**TLS13_ONLY), OUTBOUND), acquire(server_of(), INBOUND)
    first = pair(client=client, server=server).run()
    first.client.take(first.undelivered)
    first.close()

    both = pair(client=client, server=server).run()

    assert is_resumed(both) == [1, 1]
    assert both.legs == [(C, CONTINUE), (S, CONTINUE), (C, OK), (S, OK)]
    assert len(both.client.legs[0].token) > len(first.client.legs[0].token)
    assert len(both.server.legs[0].token) < len(first.server.legs[0].token) / 2
    assert both.client.ask(ContextAttribute.REMOTE_CERT_CONTEXT)["pbCertEncoded"] == certificate().chain[0]


def test_without_reading_the_ticket_nothing_is_resumed_in_tls13():
    client, server = acquire(credentials(**TLS13_ONLY), OUTBOUND), acquire(server_of(), INBOUND)
    pair(client=client, server=server).run().close()

    both = pair(client=client, server=server).run()

    assert is_resumed(both) == [0, 0]


@pytest.mark.parametrize("version", [TLS12_ONLY, TLS13_ONLY], ids=["1.2", "1.3"])
@pytest.mark.parametrize("change", ["target", "validation", "client", "server", "lifespan", "reconnects"])
def test_a_session_is_not_resumed_under_other_conditions(version, change):
    client, server = acquire(credentials(**version), OUTBOUND), acquire(server_of(), INBOUND)
    first = pair(client=client, server=server, client_flags=MANUAL if change == "validation" else 0).run()
    first.client.take(first.undelivered)
    first.close()
    match change:
        case "client":
            client = acquire(credentials(**version), OUTBOUND)
        case "lifespan":
            client = acquire(credentials(session_lifespan_ms=-1, **version), OUTBOUND)
        case "server":
            server = acquire(server_of(), INBOUND)
        case "reconnects":
            server = acquire(server_of(flags=0x80), INBOUND)

    both = pair(client=client, server=server, target=None if change == "target" else TARGET).run()

    assert is_resumed(both) == [0, 0]


def test_a_session_made_under_manual_validation_does_not_get_an_expired_server_past_automatic_validation():
    client, server = acquire(credentials(), OUTBOUND), acquire(server_of("expired"), INBOUND)
    first = pair(client=client, server=server, client_flags=MANUAL).run()
    assert first.client.is_done
    first.client.take(first.undelivered)
    first.close()

    both = pair(client=client, server=server).run()

    assert both.client.last.status.name == "SEC_E_CERT_EXPIRED"


# -- mutual authentication ------------------------------------------------------


def test_a_client_certificate_goes_out_with_the_tls13_finished():
    both = pair(client=client_with_certificate(**TLS13_ONLY), server=server_of(), server_flags=MUTUAL_AUTH).run()

    assert both.legs == [(C, CONTINUE), (S, CONTINUE), (C, OK), (S, OK)]
    assert len(both.client.legs[1].token) > 500
    theirs = both.server.context.query(ContextAttribute.REMOTE_CERT_CONTEXT)
    assert theirs.fields["pbCertEncoded"] == certificate(name="client", usage="client").chain[0]


def test_a_client_certificate_takes_no_further_leg_in_tls12():
    both = pair(client=client_with_certificate(**TLS12_ONLY), server=server_of(), server_flags=MUTUAL_AUTH).run()

    assert both.legs == [(C, CONTINUE), (S, CONTINUE), (C, CONTINUE), (S, OK), (C, OK)]


def test_the_mutual_auth_bit_appears_in_the_last_accept_call_only():
    both = pair(client=client_with_certificate(), server=server_of(), server_flags=MUTUAL_AUTH).run()

    assert [leg.result.attributes & MUTUAL_AUTH for leg in both.server.legs] == [0, MUTUAL_AUTH]


@pytest.mark.parametrize("version", [TLS12_ONLY, TLS13_ONLY], ids=["1.2", "1.3"])
def test_a_request_without_a_certificate_is_incomplete_credentials_and_consumes_nothing(version):
    server = server_of(client_ca_names=(AUTHORITY.name_der,), **version)
    both = pair(server=server, server_flags=MUTUAL_AUTH).run()

    leg = both.client.legs[-1]

    assert (leg.status.name, leg.token, leg.extra) == (REQUESTED, b"", 0)
    issuers = both.client.ask(ContextAttribute.ISSUER_LIST_EX)
    assert issuers == {"cIssuers": 1, "aIssuers": (AUTHORITY.name_der,)}
    assert both.client.call(token_buffers(both.client.inbox)).status.name == REQUESTED, "repeated unchanged: the same"


@pytest.mark.parametrize("version", [TLS12_ONLY, TLS13_ONLY], ids=["1.2", "1.3"])
def test_the_same_input_with_use_supplied_creds_goes_on_anonymously(version):
    both = pair(server=server_of(**version), server_flags=MUTUAL_AUTH).run()

    leg = both.client.take(b"", flags=both.client.flags | USE_SUPPLIED_CREDS)

    assert leg.status.name in (CONTINUE, OK)
    assert both.server.take(leg.token).status.name == OK
    assert both.server.context.query(ContextAttribute.REMOTE_CERT_CONTEXT).status.name == "SEC_E_NO_CREDENTIALS"


@pytest.mark.parametrize("version", [TLS12_ONLY, TLS13_ONLY], ids=["1.2", "1.3"])
def test_the_same_input_with_a_new_credential_goes_on_with_its_certificate(version):
    both = pair(server=server_of(**version), server_flags=MUTUAL_AUTH).run()

    leg = both.client.call(token_buffers(both.client.inbox), credential=acquire(client_with_certificate(), OUTBOUND))

    assert leg.status.name in (CONTINUE, OK)
    assert both.server.take(leg.token).status.name == OK
    theirs = both.server.ask(ContextAttribute.REMOTE_CERT_CONTEXT)["pbCertEncoded"]
    assert theirs == certificate(name="client", usage="client").chain[0]


def test_other_bytes_than_those_already_eaten_are_an_invalid_token_and_the_right_ones_still_work():
    both = pair(server=server_of(), server_flags=MUTUAL_AUTH).run()

    other = token_buffers(b"\x16\x03\x03\x00\x01x" + both.client.inbox)
    wrong = both.client.call(other, flags=both.client.flags | USE_SUPPLIED_CREDS)

    assert wrong.status.name == "SEC_E_INVALID_TOKEN"
    assert both.client.take(b"", flags=both.client.flags | USE_SUPPLIED_CREDS).status.name == OK


def test_a_bad_server_certificate_wins_over_the_request_for_a_client_certificate():
    both = pair(server=server_of("expired"), server_flags=MUTUAL_AUTH).run()

    assert both.client.statuses == [CONTINUE, "SEC_E_CERT_EXPIRED"]


def test_a_required_certificate_that_is_absent_shows_after_the_tls13_client_is_done():
    server = server_of(requires_client_certificate=True)
    both = pair(client=credentials(**TLS13_ONLY), server=server, client_flags=USE_SUPPLIED_CREDS).run()

    assert both.legs == [(C, CONTINUE), (S, CONTINUE), (C, OK), (S, REQUESTED)]
    assert both.server.legs[-1].alert == b"\x02\x74"
    later = both.client.context.decrypt((BufferImage(BufferType.DATA, 24, both.undelivered), EMPTY, EMPTY, EMPTY))
    assert later.status.name == "SEC_I_RENEGOTIATE"
    told = both.client.take(both.undelivered)
    assert told.status.name == "SEC_E_ILLEGAL_MESSAGE"
    assert told.evidence.row == "received-certificate-required"


def test_a_required_certificate_that_is_absent_fails_both_in_tls12():
    server = server_of(requires_client_certificate=True)
    both = pair(client=credentials(**TLS12_ONLY), server=server, client_flags=USE_SUPPLIED_CREDS).run()

    assert both.legs[-2:] == [(S, REQUESTED), (C, "SEC_E_ILLEGAL_MESSAGE")]
    assert both.server.legs[-1].alert == b"\x02\x28"


# -- HelloRetryRequest, groups, names ------------------------------------------------------


def test_a_hello_retry_request_takes_six_legs_on_the_same_contexts():
    both = pair(client=credentials(groups=("x25519", "secp256r1")), server=server_of(groups=("secp256r1",))).run()

    assert both.legs == [(C, CONTINUE), (S, CONTINUE), (C, CONTINUE), (S, CONTINUE), (C, OK), (S, OK)]
    assert len(both.server.legs[0].token) < 120


def test_a_hybrid_group_is_negotiated_by_name():
    group = ("X25519MLKEM768",)
    both = pair(client=credentials(groups=group), server=server_of(groups=group)).run()

    assert both.client.ask(ContextAttribute.CIPHER_INFO)["dwKeyType"] == 0x11EC
    assert len(both.client.legs[0].token) > 1200


def test_the_servers_own_order_decides_the_application_protocol():
    both = pair(client_protocols=("h2", "http/1.1"), server_protocols=("http/1.1", "h2")).run()

    for end in both.ends:
        assert end.ask(ContextAttribute.APPLICATION_PROTOCOL) == {
            "ProtoNegoStatus": 1, "ProtoNegoExt": 2, "ProtocolIdSize": 8, "ProtocolId": b"http/1.1",
        }  # fmt: skip


@pytest.mark.parametrize("protocols", [{"client_protocols": ("h2",)}, {"server_protocols": ("h2",)}])
def test_application_protocols_of_one_side_alone_are_not_negotiated(protocols):
    both = pair(**protocols).run()

    assert both.client.is_done
    assert both.client.ask(ContextAttribute.APPLICATION_PROTOCOL)["ProtoNegoStatus"] == 0


@pytest.mark.parametrize("target", ["127.0.0.1", "::1"])
def test_an_address_is_verified_and_not_sent_as_server_name(target):
    server = credentials(certificates=(certificate(name=target),))
    both = pair(target=target, server=server).run()

    assert both.client.is_done
    assert target.encode() not in both.client.legs[0].token


def test_a_host_name_is_sent_as_server_name():
    assert b"server.example" in pair().client.begin().token


@pytest.mark.parametrize("target", ["two words", "x" * 300, "tab\tbed", "\udcff"])
def test_a_target_that_is_no_host_name_is_target_unknown(target):
    assert pair(target=target).client.begin().status.name == "SEC_E_TARGET_UNKNOWN"


# -- failures of section h.9 ------------------------------------------------------


@pytest.mark.parametrize(
    ("client", "server", "expected", "alert"),
    [
        (TLS12_ONLY, {"valid": TLS13_ONLY}, ("SEC_E_UNSUPPORTED_FUNCTION", "SEC_E_ALGORITHM_MISMATCH"), 70),
        (
            {"cipher_suites": ("TLS_AES_128_GCM_SHA256",)},
            {"valid": {"cipher_suites": ("TLS_AES_256_GCM_SHA384",)}},
            ("SEC_E_ILLEGAL_MESSAGE", "SEC_E_ALGORITHM_MISMATCH"),
            40,
        ),
        ({}, {"expired": {}}, ("SEC_E_CERT_EXPIRED", "SEC_E_CERT_EXPIRED"), 45),
        ({}, {"wrong-name": {}}, ("SEC_E_WRONG_PRINCIPAL", "SEC_E_CERT_UNKNOWN"), 42),
        ({}, {"untrusted": {}}, ("SEC_E_UNTRUSTED_ROOT", "SEC_E_UNTRUSTED_ROOT"), 48),
        (
            {"flags": SCH_CRED_REVOCATION_CHECK_END_CERT, "crls": (AUTHORITY.crl_der,)},
            {"revoked": {}},
            ("CRYPT_E_REVOKED", "CRYPT_E_REVOKED"),
            44,
        ),
    ],
    ids=["version", "suite", "expired", "name", "root", "revoked"],
)
def test_a_failure_shows_at_both_ends_by_its_alert(client, server, expected, alert):
    ((preset, changes),) = server.items()
    both = pair(client=credentials(**client), server=server_of(preset, **changes)).run()

    assert (both.client.last.status.name, both.server.last.status.name) == expected
    assert [leg.alert for end in both.ends for leg in end.legs if leg.alert] == [bytes([2, alert])]


@pytest.mark.parametrize("preset", ["expired", "wrong-name", "untrusted"])
def test_manual_validation_lets_every_bad_certificate_pass_and_shows_it(preset):
    both = pair(server=server_of(preset), client_flags=MANUAL).run()

    assert both.client.is_done
    assert both.server.is_done
    shown = both.client.ask(ContextAttribute.REMOTE_CERT_CONTEXT)["pbCertEncoded"]
    assert shown == certificate(preset).chain[0]


def test_without_extended_error_no_alert_goes_to_the_peer_and_the_alert_buffer_still_tells():
    both = pair(server=server_of("expired"))
    flight = both.server.take(both.client.begin().token).token

    leg = both.client.take(flight, flags=0x100)

    assert (leg.status.name, leg.token, leg.alert) == ("SEC_E_CERT_EXPIRED", b"", b"\x02\x2d")
    assert "EXTENDED_ERROR was not requested" in leg.evidence.detail


def test_a_failed_context_answers_out_of_sequence_until_it_is_deleted():
    both = pair(server=server_of("expired")).run()

    for end in both.ends:
        assert end.take(b"").status.name == "SEC_E_OUT_OF_SEQUENCE"
        end.context.delete()
        assert end.take(b"").status.name == "SEC_E_INVALID_HANDLE"


def test_key_log_lines_come_with_the_leg_that_made_them():
    both = pair(client=credentials(**TLS13_ONLY)).run()

    assert [[line.split()[0] for line in leg.result.secrets] for leg in both.server.legs] == [
        [
            "SERVER_HANDSHAKE_TRAFFIC_SECRET",
            "CLIENT_HANDSHAKE_TRAFFIC_SECRET",
            "EXPORTER_SECRET",
            "SERVER_TRAFFIC_SECRET_0",
        ],
        ["CLIENT_TRAFFIC_SECRET_0"],
    ]
    assert both.client.legs[0].result.secrets == ()
    assert sorted(both.client.secrets) == sorted(both.server.secrets)


def test_the_credential_may_be_freed_while_its_contexts_live():
    both = pair()
    both.client.credential.free()
    both.server.credential.free()

    assert both.run().server.is_done


def test_returned_words_are_the_fixed_base_with_echoes_of_the_latest_request():
    both = pair(client_flags=USE_SUPPLIED_CREDS).run()

    assert {leg.result.attributes for leg in both.client.legs} == {0x801C | 0x4000 | 0x100 | 0x80}
    assert {leg.result.attributes for leg in both.server.legs} == {0x1001C | 0x8000 | 0x100}
    plain = pair()
    leg = plain.client.call(None, flags=0x80, output=(BufferImage(BufferType.TOKEN, 4000, b""),))
    assert leg.result.attributes == 0x809C
