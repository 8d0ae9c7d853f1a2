"""Opened tokens on the screen: what each was taken as, what its spans count, and where reading stopped."""

import pytest

from sspicli.analysis.exchange import Token, open_recording, open_tokens
from sspicli.tokens.paths import matching, parse_path
from sspicli.views.decode import field_lines, token_lines
from sspicli.views.text import ASCII, UNICODE, plain
from tests.handshakes import records_of

ALERT = bytes.fromhex("15030300020228")


@pytest.fixture(scope="module")
def legs():
    return open_recording(records_of())


def text(one, *, verbosity=0, with_hex=False, width=100, glyphs=UNICODE):
    lines = token_lines(one, glyphs, width=width, verbosity=verbosity, with_hex=with_hex)
    return "\n".join(plain(line) for line in lines)


def test_an_alert_is_shown_with_what_it_was_taken_as():
    (one,) = open_tokens([Token(ALERT, "argument: hex", "server")])
    assert text(one) == (
        "argument: hex  server ─▶ client  7 B  TLS records: they begin with 15 03 03 00 02\n"
        "\n"
        "0x005-0x006  Alert  in clear; bytes of the token\n"
        "0x005-0x005  ├─ level  0x02  fatal\n"
        "0x006-0x006  └─ description  0x28  handshake_failure"
    )


def test_with_hex_the_tokens_bytes_follow_with_the_fields_that_begin_in_each_row():
    (one,) = open_tokens([Token(ALERT, "x", "server")])
    assert text(one, with_hex=True, width=130, glyphs=ASCII).endswith(
        "\n\nthe token's bytes\n"
        "0000 |15|03 03|00 02|02|28                             ......("
        "           type  legacy_record_version  length  level  description"
    )


def test_a_protected_message_counts_its_own_bytes_and_shows_them(legs):
    shown = text(legs[1], with_hex=True)
    assert "0x000-0x005  EncryptedExtensions  encrypted, opened; bytes of the message\n" in shown
    assert "ServerHello  in clear; bytes of the token\n" in shown
    assert shown.count("\n0000 │") == 1 + sum(not part.is_in_token for part in legs[1].parts)


def test_verbose_adds_the_records_and_every_element(legs):
    short, full = text(legs[0]), text(legs[0], verbosity=1)
    assert "CipherSuite  0x1301" not in short
    assert "CipherSuite  0x1301  TLS_AES_128_GCM_SHA256" in full
    assert "records, bytes of the token\n0x000-" in full
    assert len(full.splitlines()) > 2 * len(short.splitlines())


def test_what_stopped_several_times_for_one_reason_is_one_line(legs):
    closed = open_tokens([Token(one.token.data, one.token.title) for one in legs])[1]
    last = text(closed).splitlines()[-1]
    assert last == "stopped  Encrypted ×4: the key log has no SERVER_HANDSHAKE_TRAFFIC_SECRET"


def test_a_field_is_shown_with_its_whole_value(legs):
    parts = [(one, part) for one in legs for part in one.parts]
    pattern = parse_path("client_shares.key_exchange.mlkem768")
    assert pattern is not None
    found = [(one, part, *match) for one, part in parts for match in matching(part.tree, pattern)]
    head, value = [plain(line) for line in field_lines(found, UNICODE, width=80, with_titles=True)]
    assert head.startswith("leg 1  ClientHello.extensions.key_share.client_shares.KeyShareEntry[0]")
    assert head.endswith(" of the token")
    shown = found[0][3].value
    assert isinstance(shown, bytes)
    assert value.strip() == shown.hex()


@pytest.mark.parametrize(("field", "rows"), [
    ("description", ["  0x28  handshake_failure", "  the field's bytes", "  0000 |28"]),
    ("Alert", ["  0x005-0x005  |- level", "  the field's bytes", "  0000 |02|28"]),
])  # fmt: skip
def test_with_hex_a_field_is_followed_by_its_own_bytes(field, rows):
    (one,) = open_tokens([Token(ALERT, "x", "server")])
    pattern = parse_path(field)
    assert pattern is not None
    found = [(one, part, *match) for part in one.parts for match in matching(part.tree, pattern)]
    lines = [plain(line) for line in field_lines(found, ASCII, width=80, with_titles=False, with_hex=True)]
    for row in rows:
        assert any(line.startswith(row) for line in lines), lines


def test_with_hex_a_field_of_a_protected_message_shows_the_bytes_of_the_message(legs):
    part = next(part for part in legs[1].parts if not part.is_in_token)
    found = [(legs[1], part, part.tree.name, part.tree)]
    lines = [plain(line) for line in field_lines(found, ASCII, width=80, with_titles=False, with_hex=True)]
    assert any(line.startswith(f"  0000 |{part.body[:1].hex()}") for line in lines), lines


@pytest.mark.parametrize("width", [48, 80, 120])
@pytest.mark.parametrize("verbosity", [0, 1])
def test_trees_and_dumps_stay_inside_the_screen(legs, width, verbosity):
    lines = [line for one in legs for line in text(one, verbosity=verbosity, with_hex=True, width=width).splitlines()]
    within = [line for line in lines if line.startswith("0x") and "bytes of the" not in line]
    assert max(map(len, within)) <= max(width, 76)
