"""The buffers of each call: with their bytes on demand, each byte in its field."""

import pytest

from sspicli.views.tables import buffer_lines
from sspicli.views.text import ASCII, UNICODE, plain
from tests.handshakes import handshake


@pytest.fixture(scope="module")
def run():
    return handshake(tls="1.2")


def texts(run, *, with_hex, glyphs=UNICODE, width=120):
    return [plain(line) for line in buffer_lines(run, glyphs, width=width, with_hex=with_hex)]


def test_a_buffer_that_holds_a_token_is_dumped_with_the_names_of_its_fields(run):
    shown = "\n".join(texts(run, with_hex=True))
    hello = run.legs[0].data
    assert f"0000 │{hello[0]:02x}│{hello[1]:02x} {hello[2]:02x}│" in shown
    assert "cipher_suites  CipherSuite" in shown
    assert "notAfter" in shown
    assert "cipher_suites" not in "\n".join(texts(run, with_hex=False))


@pytest.mark.parametrize("width", [60, 80, 120])
def test_the_dump_stays_inside_the_width_and_in_ascii(run, width):
    lines = texts(run, with_hex=True, glyphs=ASCII, width=width)
    assert all(line.isascii() for line in lines)
    assert max(len(line) for line in lines if line.startswith("      0")) <= width
