"""Notations: the same bytes out of every way in which people write them, and a reason for what is none."""

import base64
import string
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sspicli.tokens.notation import MAX_BYTES, Block, Notation, NotationError, WrongFileError, read_notation

TOKEN = bytes.fromhex("160301000a0100000603033c3c3c3c") + bytes(range(256))


def dumped(data, *, columns=16, form="{offset:08x}: {hex}  {text}", group=1):
    """Write a dump as the tools do: `group` bytes together, text in line below text."""
    lines = []
    for offset in range(0, len(data), columns):
        part = data[offset : offset + columns]
        words = " ".join(part[at : at + group].hex() for at in range(0, len(part), group))
        width = columns * 2 + -(-columns // group) - 1
        text = "".join(chr(one) if 0x20 <= one < 0x7F else "." for one in part)
        lines.append(form.format(offset=offset, hex=words.ljust(width), text=text))
    return "\n".join(lines) + "\n"


WAYS = {
    "plain": (Notation.HEX, lambda data: data.hex()),
    "capitals": (Notation.HEX, lambda data: data.hex().upper()),
    "0x": (Notation.HEX, lambda data: f"0x{data.hex()}"),
    "blanks": (Notation.HEX, lambda data: data.hex(" ")),
    "words": (Notation.HEX, lambda data: data.hex(" ", -2)),
    "colons": (Notation.HEX, lambda data: data.hex(":")),
    "dashes": (Notation.HEX, lambda data: data.hex("-").upper()),
    "lines": (Notation.HEX, lambda data: "\n".join(data.hex()[at : at + 64] for at in range(0, 2 * len(data), 64))),
    "list": (Notation.HEX, lambda data: ", ".join(f"0x{one:02x}" for one in data)),
    "short list": (Notation.HEX, lambda data: "{" + ",".join(f"0x{one:x}" for one in data) + "}"),
    "array": (Notation.HEX, lambda data: f"char a[] = {{ {', '.join(f'0x{one:02X}' for one in data)} }};\nint n = 3;"),
    "comments": (Notation.HEX, lambda data: "{" + "\n".join(f"0x{one:02x}, /* . */" for one in data) + "}"),
    "escapes": (Notation.HEX, lambda data: "".join(f"\\x{one:02x}" for one in data)),
    "strings": (Notation.HEX, lambda data: '"' + '"\n  "'.join(f"\\x{one:02x}" for one in data) + '"'),
    "bytes": (Notation.HEX, lambda data: "b'" + "".join(f"\\x{one:02x}" for one in data) + "'"),
    "xxd": (Notation.DUMP, lambda data: dumped(data, group=2)),
    "xxd -g1": (Notation.DUMP, dumped),
    "xxd -c8": (Notation.DUMP, lambda data: dumped(data, columns=8, group=2)),
    "hexdump -C": (
        Notation.DUMP,
        lambda data: dumped(data, form="{offset:08x}  {hex}  |{text}|") + f"{len(data):08x}\n",
    ),
    "Wireshark": (Notation.DUMP, lambda data: dumped(data, form="{offset:04x}   {hex}   {text}")),
    "pem": (
        Notation.PEM,
        lambda data: f"x\n-----BEGIN X-----\n{base64.encodebytes(data).decode()}-----END X-----\n",
    ),
    "header": (Notation.HEADER, lambda data: f"Authorization: Negotiate {base64.b64encode(data).decode()}"),
}


@pytest.mark.parametrize("way", WAYS)
@given(data=st.binary(min_size=1, max_size=200))
@example(data=b"-----BEGIN ")
def test_every_notation_gives_the_bytes_that_were_written(way, data):
    notation, write = WAYS[way]
    found = read_notation(write(data).encode())
    assert (found.notation, [block.data for block in found.blocks]) == (notation, [data])


@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode, base64.encodebytes])
@given(data=st.binary(min_size=1, max_size=200))
@example(data=b"\x01w")  # AXc, in which the X is no prefix of hex
def test_base64_is_read_in_both_alphabets_padded_or_not_unless_it_is_hex(encode, data):
    text = encode(data)
    for one in (text, text.rstrip(b"=\n")):
        assert read_notation(one, Notation.BASE64).blocks[0].data == data
        if set(one.decode()) - set(string.hexdigits + "-\n"):
            assert read_notation(one) == (Notation.BASE64, (Block(data),))


def attempt(data, notation=None):
    """Read a notation; what was found, or the sentence that says why not."""
    try:
        return read_notation(data, notation)
    except NotationError as error:
        return str(error)


def test_each_array_of_wiresharks_is_a_block_with_its_sender():
    text = """char peer0_0[] = { /* Packet 4 */
0x16, 0x03, 0x01 };
char peer1_0[] = { /* Packet 6 */
0x15, 0x03 };
char other[] = { 0x14 };
"""
    assert read_notation(text.encode()) == (
        Notation.HEX,
        (Block(b"\x16\3\1", sender="client"), Block(b"\x15\3", sender="server"), Block(b"\x14")),
    )
    assert [one.data for one in read_notation(b"{ {0x15, 3}, {0x16} }").blocks] == [b"\x15\3", b"\x16"]


@pytest.mark.parametrize("text", [
    "{ 0x15, 0x03, 3, 0, 2, 2, 40 }",
    "{21, 3, 3, 0, 2, 2, 40}",
    "{21, 03, 03, 00, 02, 2, 40,};",
    "0x15, 0x03, 3, 0, 2, 2, 40",
    "15, 3, 3, 0, 2, 2, 28",
    "15,03,03,00,02,02,28",
])  # fmt: skip
def test_a_number_without_0x_in_an_array_of_c_is_decimal_and_a_list_without_any_is_hex(text):
    assert read_notation(text.encode()).blocks == (Block(bytes.fromhex("15030300020228")),)


@pytest.mark.parametrize(("text", "says"), [
    ("{15, 03, 0a}", "'0a' is no decimal number.*write 0x0a"),
    ("0x15, 0a", "write 0x0a"),
    ("{0x15, 010}", "write 0x010"),
    ("{256}", "'256' is more than a byte"),
    ("{0x15, 0x0303}", "'0x0303' is more than a byte"),
    ("{" + "9" * 9000 + "}", "more than a byte"),
    ("{22, -1}", "'-1' is no decimal number"),
    ("{'1', 0x02}", "is no decimal number"),
    ("{15 03 03}", "no comma"),
    ("{0x15, {0x03}}", "side by side"),
    ('{"a": 1}', "no comma"),
])  # fmt: skip
def test_what_is_no_byte_of_a_c_array_is_refused_and_never_taken_as_hex(text, says):
    with pytest.raises(NotationError, match=says):
        read_notation(text.encode())


@pytest.mark.parametrize("text", [
    "16 03 01 // type and version",
    "// a hello\n16 03\n01",
    "0x16, // the type /* of it\n0x03, 0x01 //version",
    "{0x16, //\n 3, /* // */ 1}; // }",
    "16:03:01 //x",
])  # fmt: skip
def test_comments_of_either_kind_are_no_part_of_hex(text):
    assert read_notation(text.encode()) == (Notation.HEX, (Block(b"\x16\3\1"),))


@pytest.mark.parametrize("text", ["AAAA//8=", "AAAA\n//8=", "AAAA //8="])
def test_two_slashes_of_base64_begin_no_comment(text):
    assert read_notation(text.encode()) == (Notation.BASE64, (Block(b"\0\0\0\xff\xff"),))


@given(data=st.binary(max_size=300) | st.text(max_size=100).map(str.encode))
def test_any_bytes_are_read_or_refused_in_a_sentence(data):
    for notation in (None, *Notation):
        found = attempt(data, notation)
        assert found
        if not isinstance(found, str):
            assert found.notation is Notation.RECORDING or any(block.data or block.note for block in found.blocks)


@given(text=st.text(alphabet="0123456789abcdefx\\ :*|{},/-=\n", max_size=200))
def test_a_text_of_the_characters_of_notations_is_read_or_refused(text):
    assert attempt(text.encode())


@pytest.mark.parametrize("rows", [3, 200])
def test_a_star_in_a_dump_stands_for_the_rows_left_out(rows):
    text = "00000000  00 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00  |................|\n*\n"
    found = read_notation(f"{text}{16 * rows:08x}  16 03 |..|\n{16 * rows + 2:08x}\n".encode())
    assert found.blocks[0].data == bytes(16 * rows) + b"\x16\x03"


def test_a_dump_may_begin_anywhere_as_one_cut_out_of_a_packet_does():
    found = read_notation(b"0036   16 03 01 02 00 01 00 01   ........\n003e   fc 03   ..\n")
    assert found.blocks[0].data == bytes.fromhex("1603010200010001fc03")


@pytest.mark.parametrize(("text", "says"), [
    ("", "no bytes"),
    (" \n\t", "blanks"),
    ("160", "odd number"),
    ("16 3 01", "odd number"),
    ("hello, world!", "no notation"),
    ("\\x16\\x03A\\x01", "'A'"),
    ("0000000 0316 0001 fc00 0303\n0000008 0316\n", "byte order"),
    ("0000  16 03 01\n0010  02 00\n", "line 2: the offset is 0x10, expected 0x3"),
    ("0000  16 03 01\nhello\n", "line 2 has no offset"),
    ("00000000  00  |.|\n*\nffffffff  01 |.|\n", "beyond any token"),
    ("-----BEGIN CERTIFICATE-----\nAAAA\n", "no end"),
    ("-----BEGIN X-----\n!!\n-----END X-----", "no base64"),
    ("Authorization: NTLM TlRMTVNTU", "no whole number of bytes"),
    ("ab+/-_cd", "two alphabets"),
    ("gggg=gg=", "="),
])  # fmt: skip
def test_what_is_no_notation_is_refused_with_the_reason(text, says):
    with pytest.raises(NotationError, match=says):
        read_notation(text.encode())


def test_bytes_that_are_no_text_are_raw_and_a_given_notation_is_kept_to():
    assert read_notation(TOKEN).notation is Notation.RAW
    assert read_notation(b"1603", Notation.RAW).blocks[0].data == b"1603"
    assert read_notation(b"abcd", Notation.BASE64).blocks[0].data == base64.b64decode(b"abcd")
    with pytest.raises(NotationError, match="which is text"):
        read_notation(TOKEN, Notation.HEX)


def test_a_text_in_utf_16_as_windows_shells_write_it_is_read():
    assert read_notation("160301".encode("utf-16")).blocks[0].data == b"\x16\x03\x01"


def test_the_first_line_of_a_recording_tells_it():
    assert read_notation(b'{"schema":"sspi-async/recording/1"}\n') == (Notation.RECORDING, ())


def test_a_private_key_is_named_and_none_of_its_bytes_are_given():
    text = "-----BEGIN EC PRIVATE KEY-----\nc2VjcmV0\n-----END EC PRIVATE KEY-----\n"
    (block,) = read_notation(text.encode()).blocks
    assert (block.data, block.label) == (b"", "EC PRIVATE KEY")
    assert "neither decoded nor shown" in block.note


@pytest.mark.parametrize(("magic", "name"), [
    ("d4c3b2a1", "pcap"),
    ("a1b2c3d4", "pcap"),
    ("4d3cb2a1", "pcap"),
    ("a1b23c4d", "pcap"),
    ("0a0d0d0a", "pcapng"),
])  # fmt: skip
def test_a_capture_is_named_with_what_to_do(magic, name):
    data = bytes.fromhex(magic) + bytes(20)
    with pytest.raises(WrongFileError, match=f"a {name} capture") as caught:
        read_notation(data)
    assert "as hex" in caught.value.way_out
    assert read_notation(data, Notation.RAW).blocks == (Block(data),)


@pytest.mark.parametrize("label", ["CLIENT_RANDOM", "SERVER_HANDSHAKE_TRAFFIC_SECRET", "EXPORTER_SECRET"])
@pytest.mark.parametrize("notation", [None, Notation.RAW, Notation.BASE64, Notation.HEX])
@pytest.mark.parametrize("encoding", ["ascii", "utf-16"])
def test_a_key_log_is_no_token_and_nothing_of_it_is_given(label, notation, encoding):
    text = f"# a comment\r\n{label} {'ab' * 32} {'5e' * 48}\r\n"
    with pytest.raises(WrongFileError, match="it is a key log") as caught:
        read_notation(text.encode(encoding), notation)
    assert "--keylog FILE" in caught.value.way_out
    assert "5e5e" not in str(caught.value)


def test_a_key_log_within_other_bytes_is_not_given_and_words_of_hex_are_none():
    line = f"CLIENT_RANDOM {'ab' * 32} {'5e' * 48}\n"
    with pytest.raises(WrongFileError, match="it is a key log"):
        read_notation(b"\0\n" + line.encode())
    words = f"CAFE {'AB' * 32} {'5E' * 48}"
    assert read_notation(words.encode()).blocks == (Block(bytes.fromhex(words)),)


def test_a_certificate_request_is_named():
    for label in ("CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST"):
        text = f"-----BEGIN {label}-----\nMAMCAQE=\n-----END {label}-----\n"
        (block,) = read_notation(text.encode()).blocks
        assert (block.data, block.label) == (b"", label)
        assert block.note == "a certificate request, which is not opened here"


@pytest.mark.parametrize(("header", "note"), [
    (f"Authorization: Basic {base64.b64encode(b'me:s3cret').decode()}", "user me; the password is not shown"),
    ("authorization: basic s3cret?", "user and password, not as they should be; the password is not shown"),
    ("Authorization: Bearer s3cret", "Bearer carries no security package's token; its value is not shown"),
    ('Authorization: Digest username="x", response="s3cret"', "its value is not shown"),
])  # fmt: skip
def test_of_a_header_with_a_secret_only_words_are_given(header, note):
    (block,) = read_notation(header.encode()).blocks
    assert block.data == b""
    assert note in block.note
    assert "s3cret" not in repr(block)


def test_headers_of_a_log_are_an_exchange_with_their_senders():
    text = "> Authorization: NTLM TlRM\n< WWW-Authenticate: NTLM AAAA\n< WWW-Authenticate: Negotiate\nDate: x\n"
    blocks = read_notation(text.encode()).blocks
    assert [(block.sender, block.data, bool(block.note)) for block in blocks] == [
        ("client", b"NTL", False),
        ("server", bytes(3), False),
        ("server", b"", True),
    ]


@pytest.mark.parametrize("text", [
    "/*" * 500_000,
    "16 //" * 200_000,
    "//\n" * 300_000,
    "RSA\n" + " " * 1_000_000,
    ("A" * 64 + " ") * 16_000,
    "A" * 1_000_000 + "_",
    "-----BEGIN " * 90_000,
    "0000  " + "16 " * 300_000,
    "0000  16\n" * 100_000,
    "Authorization: " * 60_000,
    "{" * 1_000_000,
    "{1, 2}" * 150_000,
    "\\x16" * 250_000 + "\\",
    "=" * 1_000_000,
    "1" * 1_000_001,
])  # fmt: skip
def test_a_mebibyte_of_anything_is_answered_in_linear_time(text):
    started = time.process_time()
    found = attempt(text.encode())
    assert time.process_time() - started < 2
    assert not isinstance(found, str) or len(found) < 200


def test_more_than_a_token_may_have_is_refused_before_it_is_read():
    with pytest.raises(NotationError, match="more than"):
        read_notation(bytes(MAX_BYTES + 1))
