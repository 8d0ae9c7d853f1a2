"""`sspi-async decode` as a user meets it: every way to give a token, what it says of it, and how it ends."""

import base64
import json
import os
import stat
import subprocess
import sys
import time
import unicodedata

import pytest

from sspicli.cli.decode import KINDS, NOTATIONS
from sspicli.journal import events as ev
from sspicli.tokens.notation import Notation
from sspicli.tokens.sniff import Kind
from tests.cli.test_hostile import hostile_certificate
from tests.handshakes import records_of
from tests.processes import environment, sspi

ALERT = bytes.fromhex("15030300020228")
CLEAN = ("\n",)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Make a recording of a refused mutual handshake without secrets, one with them, and its key log."""
    path = tmp_path_factory.mktemp("decode")
    words = ["handshake", "--client", "cert=expired", "--server", "request-cert=require", "-q"]
    for name, more in (("masked", []), ("open", ["--include-secrets"])):
        ended = sspi(*words, "--record", f"{name}.sspirec", "--keylog", f"{name}.keys", *more, cwd=path)
        assert ended.returncode == 1, ended.stderr
    return path


def decode(*words, **options):
    ended = sspi("decode", *words, **options)
    assert "Traceback" not in ended.stderr
    return ended


def is_clean(text):
    return not [one for one in text if one != "\n" and unicodedata.category(one) in ("Cc", "Cf")]


def test_the_words_of_as_are_those_that_the_readers_know():
    assert set(NOTATIONS) == set(Notation)
    assert {Kind(one) for one in KINDS} == {Kind.TLS, Kind.HANDSHAKE, Kind.CERTIFICATE}


@pytest.mark.parametrize(("words", "says"), [
    ([ALERT.hex()], "argument: hex "),
    ([ALERT.hex(" ")], "argument: hex "),
    ([base64.b64encode(ALERT).decode()], "argument: base64 "),
    (["0000  15 03 03 00 02 02 28"], "argument: a hex dump "),
    ([f"Authorization: Negotiate {base64.b64encode(ALERT).decode()}"], "argument: an HTTP header, Negotiate "),
    (["--as", "hex", "15 0303 000202 28"], "argument: hex "),
])  # fmt: skip
def test_a_token_is_opened_however_it_is_written_and_the_first_line_says_how(words, says):
    ended = decode(*words)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.splitlines()[0].startswith(says)
    assert "description  0x28  handshake_failure" in ended.stdout


def test_a_file_of_bytes_stdin_and_an_exchange_of_several_tokens_are_opened(tmp_path):
    (tmp_path / "alert.bin").write_bytes(ALERT)
    (tmp_path / "1503").write_bytes(ALERT)
    assert decode("alert.bin", cwd=tmp_path).stdout.startswith("alert.bin: bytes  client ")
    assert decode("1503", cwd=tmp_path).stdout.startswith("1503: bytes  ")
    assert decode("-", stdin=ALERT.hex()).stdout.startswith("stdin: hex  ")
    both = decode("010000060303ffffffff", ALERT.hex(), "--from", "server").stdout.splitlines()
    heads = [line for line in both if line.startswith("argument")]
    assert heads[0].startswith("argument: hex  server ─▶ client  10 B  TLS handshake messages without record headers")
    assert heads[1].startswith("argument 2: hex  client ─▶ server (assumed)  7 B")


def test_each_block_of_a_pem_file_is_a_token_and_a_private_key_is_never_shown(tmp_path):
    text = hostile_certificate(tmp_path / "evil.pem").read_text()
    key = text.partition("-----BEGIN PRIVATE KEY-----\n")[2].partition("\n")[0]
    for more in ([], ["--hex", "-v"], ["-f", "json"]):
        ended = decode("evil.pem", *more, cwd=tmp_path)
        assert ended.returncode == 1
        assert "neither decoded nor shown" in ended.stdout
        assert key not in ended.stdout
        assert base64.b64decode(key).hex()[20:] not in ended.stdout
        assert is_clean(ended.stdout)


def test_the_password_of_a_basic_header_is_never_shown():
    header = f"Authorization: Basic {base64.b64encode(b'me:s3cret').decode()}"
    for more in ([], ["--hex", "-v"], ["-f", "json"]):
        ended = decode(header, *more)
        assert ended.returncode == 1
        assert "user me" in ended.stdout
        assert "s3cret" not in ended.stdout + ended.stderr
        assert header.split()[-1] not in ended.stdout + ended.stderr


def test_a_recording_is_opened_with_its_own_secrets_or_with_a_key_log(folder):
    for words in (["open.sspirec"], ["masked.sspirec", "--keylog", "masked.keys"]):
        ended = decode(*words, cwd=folder)
        assert (ended.returncode, ended.stderr) == (0, "")
        assert "leg 1  client ─▶ server" in ended.stdout
        assert "CertificateRequest  encrypted, opened; bytes of the message" in ended.stdout
    closed = decode("masked.sspirec", cwd=folder)
    assert closed.returncode == 1
    assert "encrypted, not opened" in closed.stdout


def test_a_recording_is_read_from_stdin_too(folder):
    ended = decode("-", "--leg", "1", "--field", "host_name", stdin=(folder / "open.sspirec").read_text())
    assert (ended.returncode, ended.stdout.splitlines()[1]) == (0, '  "localhost"')


def test_a_recording_that_was_cut_short_is_opened_as_far_as_it_goes_and_that_is_said(folder, tmp_path):
    lines = (folder / "open.sspirec").read_text().splitlines(keepends=True)
    (tmp_path / "cut").write_text("".join(lines[:60]) + lines[60][:20])
    ended = decode("cut", cwd=tmp_path)
    assert ended.stderr.startswith("note: cut:61:")
    assert "leg 1" in ended.stdout


def test_one_leg_of_a_recording_is_shown_alone(folder):
    ended = decode("open.sspirec", "--leg", "2", cwd=folder)
    assert next(line for line in ended.stdout.splitlines() if line.startswith("leg")).startswith("leg 2  server")
    assert "leg 1" not in ended.stdout
    missing = decode("open.sspirec", "--leg", "99", cwd=folder)
    assert (missing.returncode, "legs 1 to" in missing.stderr) == (2, True)
    assert decode(ALERT.hex(), "--leg", "1").returncode == 2


def test_the_field_that_a_failure_names_is_found_by_that_name(folder):
    path = "Certificate[0].validity.notAfter"
    ended = decode("open.sspirec", "--leg", "3", "--field", path, cwd=folder)
    assert ended.returncode == 0
    head, value = ended.stdout.splitlines()
    assert head.startswith("Certificate.certificate_list.CertificateEntry")
    assert head.endswith(" of the message")
    document = json.loads(decode("open.sspirec", "--leg", "3", "--field", path, "-f", "json", cwd=folder).stdout)
    (field,) = document["fields"]
    assert (field["space"], f'"{field["value"]}"  {field["meaning"]}') == ("message", value.strip())


def test_the_bytes_of_a_field_are_shown_on_demand():
    assert "0000 |28" in decode(ALERT.hex(), "--field", "description", "--hex", "--ascii").stdout
    assert "0000" not in decode(ALERT.hex(), "--field", "description").stdout


def test_a_field_that_is_not_there_ends_with_one_and_the_nearest_name():
    ended = decode(ALERT.hex(), "--field", "alert.descripton")
    assert (ended.returncode, ended.stdout) == (1, "")
    assert "help: did you mean description?" in ended.stderr
    assert decode(ALERT.hex(), "--field", "..").returncode == 2


def test_key_log_lines_are_never_echoed_and_junk_is_counted(folder, tmp_path):
    lines = (folder / "masked.keys").read_text()
    (tmp_path / "keys").write_text(f"s3cret junk\n{lines}\n# comment\nCLIENT_RANDOM zz s3cret\n\xff\n", "latin-1")
    for more in ([], ["--hex", "-v"], ["-f", "json"]):
        ended = decode(str(folder / "masked.sspirec"), "--keylog", "keys", *more, cwd=tmp_path)
        assert (ended.returncode, "3 of " in ended.stderr) == (0, True)
        assert "s3cret" not in ended.stdout + ended.stderr
        for line in filter(None, lines.splitlines()):
            assert line.split()[-1] not in ended.stdout


@pytest.mark.parametrize(("words", "code", "says"), [
    ([""], 3, "there are no bytes"),
    (["  "], 3, "nothing in it but blanks"),
    (["no-such-file.bin"], 3, "neither a file nor a token"),
    (["nofile"], 3, "there is no file nofile"),
    (["."], 3, "cannot be read"),
    (["1603010"], 3, "odd number of hex digits"),
    (["--as", "base64", "!!"], 3, "no base64"),
    (["--as", "recording", "x"], 3, "not a recording"),
    (["--as", "hexx", "00"], 2, "'hexx' is not one of"),
    (["--as", "hex", "--as", "raw", "00"], 2, "written in one way"),
    (["00", "--keylog", "nowhere"], 3, "cannot be read"),
    (["-f", "json"], 2, "nothing to decode"),
    (["x" * 5000], 3, "there is no file xxx"),
])  # fmt: skip
def test_what_cannot_be_taken_ends_with_a_sentence_and_a_way_out(words, code, says, tmp_path):
    ended = decode(*words, cwd=tmp_path)
    assert (ended.returncode, ended.stdout) == (code, "")
    assert says in ended.stderr
    assert "help: " in ended.stderr or "cannot be read" in ended.stderr or "not a recording" in ended.stderr


def test_a_file_that_holds_no_token_is_named_and_no_secret_of_it_is_shown(folder, tmp_path):
    (tmp_path / "a.pcap").write_bytes(bytes.fromhex("d4c3b2a1") + bytes(20))
    ended = decode("a.pcap", cwd=tmp_path)
    assert (ended.returncode, ended.stdout) == (3, "")
    assert "it is a pcap capture" in ended.stderr
    assert "help: export the bytes" in ended.stderr
    secrets = [line.split()[-1] for line in (folder / "open.keys").read_text().splitlines() if line[:1] != "#"]
    for more in ([], ["--as", "raw", "--hex"]):
        ended = decode("open.keys", *more, cwd=folder)
        assert (ended.returncode, ended.stdout) == (3, "")
        assert "help: give it as --keylog FILE" in ended.stderr
        assert not [one for one in secrets if one[:16] in ended.stderr]


def test_an_empty_file_and_empty_stdin_are_said_to_be_empty(tmp_path):
    (tmp_path / "empty").touch()
    for words in (["empty"], ["-"]):
        ended = decode(*words, cwd=tmp_path)
        assert (ended.returncode, "there are no bytes" in ended.stderr) == (3, True)


def test_without_a_token_it_says_what_it_takes():
    ended = decode()
    assert (ended.returncode, ended.stdout.startswith("Usage: sspi-async decode")) == (0, True)


def test_another_packages_token_is_named_and_ends_with_one():
    ended = decode("WWW-Authenticate: Negotiate YAoGBisGAQUFAqAA")
    assert ended.returncode == 1
    assert "a SPNEGO NegTokenInit" in ended.stdout
    assert "this version opens TLS tokens and certificates only" in ended.stdout


def test_the_result_goes_to_a_new_file_that_only_its_owner_reads(tmp_path):
    assert decode(ALERT.hex(), "-o", "out", cwd=tmp_path).stdout == ""
    assert "handshake_failure" in (tmp_path / "out").read_text()
    assert os.name == "nt" or stat.S_IMODE((tmp_path / "out").stat().st_mode) == 0o600
    again = decode(ALERT.hex(), "-o", "out", cwd=tmp_path)
    assert (again.returncode, "not overwritten" in again.stderr) == (74, True)


def test_in_ascii_and_without_colour_nothing_else_is_written(folder):
    ended = decode("open.sspirec", "--hex", "--ascii", cwd=folder)
    assert ended.stdout.isascii()
    assert is_clean(ended.stdout)
    colored = decode("open.sspirec", "--hex", "--color", "always", cwd=folder)
    assert "\x1b[36m" in colored.stdout


def hello(server_name, protocol):
    """Make a ClientHello with these names."""

    def sized(data, size):
        return len(data).to_bytes(size, "big") + data

    names = b"\0\0" + sized(sized(b"\0" + sized(server_name, 2), 2), 2)
    protocols = b"\0\x10" + sized(sized(sized(protocol, 1), 2), 2)
    body = b"\3\3" + bytes(32) + b"\0" + sized(b"\x13\1", 2) + sized(b"\0", 1) + sized(names + protocols, 2)
    return b"\1" + sized(body, 3)


@pytest.mark.parametrize("more", [[], ["-v"], ["--hex", "-v"], ["-f", "json"], ["--field", "host_name"], ["--ascii"]])
def test_names_in_a_token_are_shown_and_never_obeyed(more):
    evil = "evil\x1b]52;c;aGk=\x07\x9b2J\u202egpj\u2066\r\n\x00[link=http://x]"
    ended = decode(hello(evil.encode(), b"h2\x1b[2J\x9b").hex(), *more)
    assert ended.returncode == 0, ended.stderr
    assert "evil\\" in ended.stdout
    assert is_clean(ended.stdout)
    assert is_clean(ended.stderr)


@pytest.mark.parametrize("argument", ["evil\x1b[2J\u202e.bin", "\x9bab", "16\u202e03"])
def test_an_argument_that_is_no_token_is_quoted_in_clean_text(argument):
    ended = decode(argument)
    assert ended.returncode == 3
    assert is_clean(ended.stderr)


def test_the_name_of_a_file_is_data_too(tmp_path):
    (tmp_path / "e\x1b[2Jvil").write_bytes(ALERT)
    ended = decode("e\x1b[2Jvil", cwd=tmp_path)
    assert ended.stdout.startswith("e\\x1b[2Jvil: bytes")


@pytest.mark.parametrize(
    "words", [["noise"], ["noise", "--as", "tls"], ["noise", "--as", "certificate"], ["noise", "--as", "handshake"]]
)
def test_a_mebibyte_of_noise_is_answered_soon_whatever_it_is_taken_as(words, tmp_path):
    (tmp_path / "noise").write_bytes(os.urandom(1 << 20))
    begun = time.monotonic()
    ended = decode(*words, cwd=tmp_path)
    assert ended.returncode == 1
    assert len(ended.stdout) < 20_000
    assert time.monotonic() - begun < 10


def test_a_file_larger_than_any_token_is_refused_and_not_read_to_its_end(tmp_path):
    with (tmp_path / "huge").open("wb") as file:
        file.truncate(1 << 33)
    ended = decode("huge", cwd=tmp_path)
    assert (ended.returncode, "more than the" in ended.stderr) == (3, True)


def test_stdin_that_is_closed_is_no_traceback():
    ended = subprocess.run(
        [sys.executable, "-m", "sspicli", "decode", "-"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        env=environment(),
        timeout=60,
        check=False,
    )
    assert (ended.returncode, "there are no bytes" in ended.stderr) == (3, True)


def test_the_live_run_and_the_recording_read_again_show_the_same(tmp_path):
    from sspicli.analysis.exchange import open_recording
    from sspicli.reports.tokens import document_text

    records = records_of(record=tmp_path / "r", include_secrets=True)
    assert any(isinstance(record.event, ev.KeyLogged) for record in records)
    ended = decode("r", "-f", "json", cwd=tmp_path)
    assert ended.stdout == document_text(open_recording(records), None, exit_code=0)
