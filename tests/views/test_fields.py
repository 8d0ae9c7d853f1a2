"""The fields of a token in few rows: what decides comes first, and what is left out is counted."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sspicli.analysis.report import report
from sspicli.tokens.tls import TlsReader
from sspicli.views.fields import token_rows
from sspicli.views.text import UNICODE, plain
from tests.handshakes import records_of


@pytest.fixture(scope="module")
def legs():
    return report(records_of(client=("alpn=h2",), server=("alpn=h2",))).legs


def shown(messages, rows: int, width: int = 100) -> list[str]:
    return [plain(one) for one in token_rows(messages, UNICODE, width=width, rows=rows)]


def test_a_client_hello_shows_first_what_decides(legs):
    rows = shown(legs[0].messages, 7)
    assert [row.split()[0] for row in rows] == [
        "ClientHello",
        "cipher_suites",
        "supported_groups",
        "supported_versions",
        "key_share",
        "server_name",
        "application_layer_protocol_negotiation",
    ]
    assert rows[0].endswith("9 more fields")
    assert "TLS_AES_256_GCM_SHA384 TLS_CHACHA20_POLY1305_SHA256" in rows[1]
    assert rows[-2].split() == ["server_name", "localhost"]
    assert rows[-1].split() == ["application_layer_protocol_negotiation", "h2"]


def test_with_room_for_all_nothing_is_left_out(legs):
    rows = shown(legs[0].messages, 40)
    assert "more fields" not in rows[0]
    assert any(row.split() == ["legacy_version", "TLS", "1.2"] for row in rows)
    assert any("signature_algorithms" in row for row in rows)


def test_a_message_with_no_row_for_its_fields_says_what_decides_beside_its_name(legs):
    rows = shown(legs[1].messages, len(legs[1].messages))
    assert rows[0].startswith("ServerHello  1210 B  TLS_AES_256_GCM_SHA384 · TLS 1.3 · X25519MLKEM768")
    assert rows[3].startswith("{Certificate}  369 B  ")
    assert "CN=localhost" in rows[3]


def test_messages_without_a_row_are_counted(legs):
    assert shown(legs[1].messages, 3)[2] == "… and 4 more"


def test_what_could_not_be_opened_says_why():
    messages = TlsReader().read("server", bytes.fromhex("1703030003aabbcc"))
    (row,) = shown(messages, 1)
    assert row.startswith("{Encrypted}  3 B  ")
    assert messages[0].note in row


@settings(deadline=None)
@given(st.binary(max_size=300), st.integers(1, 20), st.integers(1, 120))
def test_any_bytes_have_as_many_rows_as_there_are_at_most(data: bytes, rows: int, width: int):
    messages = TlsReader().read("client", b"\x16\x03\x01" + len(data).to_bytes(2, "big") + data)
    lines = shown(messages, rows, width)
    assert len(lines) <= rows
    assert all(one.isprintable() for one in lines)
