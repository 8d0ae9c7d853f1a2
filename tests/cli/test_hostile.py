"""Names from certificates and command lines are data: nothing in them reaches the terminal as a control sequence."""

from __future__ import annotations

import datetime as dt
import json
import os
import re
import ssl
import subprocess
import sys
import time
import unicodedata
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes, PrivateKeyTypes
from cryptography.x509.oid import NameOID

HOSTILE = "evil\x1b]52;c;ZWNobyBwd25lZA==\x07\x9b2J\u202egpj.exe\n[link=http://x]"

ACTING = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def self_signed(key: CertificateIssuerPrivateKeyTypes, name: str, *extensions: x509.ExtensionType) -> bytes:
    """Make a self-signed certificate in PEM; its name is also its DNS name, unless extensions are given."""
    subject = x509.Name([x509.NameAttribute(one, name) for one in (NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME)])
    now = dt.datetime.now(dt.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    )
    for one in extensions or (x509.SubjectAlternativeName([x509.DNSName(name)]),):
        builder = builder.add_extension(one, critical=False)
    algorithm = None if isinstance(key, Ed25519PrivateKey) else hashes.SHA256()
    return builder.sign(key, algorithm).public_bytes(serialization.Encoding.PEM)


def hostile_certificate(path: Path) -> Path:
    """Write a self-signed certificate whose every name tries to be a command to a terminal, with its key."""
    key = Ed25519PrivateKey.generate()
    certificate = self_signed(key, HOSTILE, x509.SubjectAlternativeName([x509.DNSName("e\x1b[2J\x07vil")]))
    path.write_bytes(certificate + key_pem(key))
    return path


def key_pem(key: PrivateKeyTypes) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def clean(text: str) -> bool:
    """Say whether nothing in it could act on a terminal, but for the colours that are ours."""
    plain = re.sub(r"\x1b\[[0-9;]*m", "", text)
    return not [one for one in plain if one != "\n" and unicodedata.category(one) in ACTING]


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([sys.executable, "-m", "sspicli", *words], capture_output=True, cwd=folder, timeout=60)


@pytest.mark.parametrize("extra", [[], ["-vv"], ["-f", "json"], ["-f", "jsonl"]])
@pytest.mark.parametrize("trust", [True, False])
def test_a_hostile_certificate_is_shown_and_never_obeyed(tmp_path: Path, extra: list[str], trust: bool):
    path = hostile_certificate(tmp_path / "evil.pem")
    words = ["handshake", "--server", f"cert={path}", *(["--client", f"trust={path}"] if trust else []), *extra]
    done = run(tmp_path, *words)
    assert done.returncode == 1
    assert clean(done.stdout.decode())
    assert clean(done.stderr.decode())


@pytest.mark.parametrize("words", [
    ["handshake", "--client", f"target={HOSTILE}"],
    ["handshake", "--client", f"alpn={HOSTILE}"],
    ["handshake", "--client", f"{HOSTILE}=1"],
    ["handshake", "--server", f"cert=/nowhere/{HOSTILE}"],
    ["handshake", "--expect", HOSTILE],
    ["handshake", "--fault", HOSTILE],
    ["handshake", "--schedule", HOSTILE],
    ["handshake", "--package", HOSTILE],
    ["handshake", "--clock", HOSTILE],
    ["handshake", "--record", f"/nowhere/{HOSTILE}"],
    ["handshake", f"--{HOSTILE}"],
    ["handshake", "--mode", HOSTILE],
    ["handshake", "--keylog", f"/nowhere/{HOSTILE}"],
    ["handshake", "-o", f"/nowhere/{HOSTILE}"],
    ["handshake", "--count", HOSTILE],
    ["handshake", "--width", HOSTILE],
    ["handshake", "--server", f"suites={HOSTILE}"],
    ["handshake", "--server", f"groups={HOSTILE}"],
    ["handshake", "--server", f"sigalgs={HOSTILE}"],
    ["handshake", "--server", f"flags={HOSTILE}"],
    ["handshake", "--server", f"key={HOSTILE}"],
    ["handshake", "--server", f"key-password-file={HOSTILE}"],
    ["handshake", "--client", f"trust={HOSTILE}"],
    ["show", HOSTILE],
    ["show", "/dev/null", "--view", HOSTILE],
    ["show", "/dev/null", "--as", HOSTILE],
    ["decode", HOSTILE],
    ["api", HOSTILE],
    ["explain", "--in", HOSTILE],
    ["decode", "16", "--as", HOSTILE],
    ["decode", "15030300020228", "--field", HOSTILE],
    ["decode", "15030300020228", "--keylog", HOSTILE],
    ["explain", HOSTILE],
    ["explain", "SEC_E_OK", "-f", HOSTILE],
    ["doctor", HOSTILE],
    ["packages", f"--{HOSTILE}"],
    ["man", HOSTILE],
    ["man", "--write", f"/dev/null/{HOSTILE}"],
    ["completion", HOSTILE],
    [HOSTILE],
    ["--debug", "handshake", "--client", f"{HOSTILE}=1"],
])  # fmt: skip
def test_hostile_words_on_the_command_line_are_answered_in_clean_text(tmp_path: Path, words: list[str]):
    done = run(tmp_path, *words)
    assert done.returncode in (1, 2, 3, 4, 74)
    assert clean(done.stderr.decode())
    assert b"Traceback" not in done.stderr
    assert done.stderr.strip() or done.returncode == 1


# -- arguments that are no text ----------------------------------------------------------------------------------------

NO_TEXT = b"x\xff\xfey"
posix = pytest.mark.skipif(os.name != "posix", reason="arguments are bytes on POSIX only")


def run_bytes(folder: Path, *words: str | bytes, locale: str) -> subprocess.CompletedProcess[bytes]:
    env = {**os.environ, "LC_ALL": locale}
    return subprocess.run([sys.executable, "-m", "sspicli", *words], capture_output=True, cwd=folder, env=env)


@posix
@pytest.mark.parametrize("locale", ["C", "C.UTF-8"])
@pytest.mark.parametrize("words", [
    ["handshake", "--tls"],
    ["handshake", "--expect"],
    ["handshake", "--fault"],
    ["handshake", "--client"],
    ["handshake", "--schedule"],
    ["show"],
    ["explain"],
    ["explain", "--in"],
    ["api"],
    ["man"],
    ["completion"],
    [],
])  # fmt: skip
def test_an_argument_that_is_no_text_is_named_in_escapes(tmp_path: Path, words: list[str], locale: str):
    done = run_bytes(tmp_path, *words, NO_TEXT, locale=locale)
    assert done.returncode in (2, 3)
    assert done.stderr.startswith(b"error: ")
    assert rb"x\udcff\udcfey" in done.stderr
    assert clean(done.stderr.decode())


@posix
@pytest.mark.parametrize("locale", ["C", "C.UTF-8"])
def test_a_file_whose_name_is_no_text_is_written_and_read(tmp_path: Path, locale: str):
    names = {name: name.encode() + NO_TEXT for name in ("record", "keylog", "output")}
    words = [word for name, path in names.items() for word in (f"--{name}", path)]
    done = run_bytes(tmp_path, "handshake", *words, locale=locale)
    assert (done.returncode, done.stderr) == (0, b"")
    assert {os.fsencode(one.name) for one in tmp_path.iterdir()} == set(names.values())
    shown = run_bytes(tmp_path, "show", names["record"], "--keylog", names["keylog"], "--view", "all", locale=locale)
    assert (shown.returncode, shown.stderr) == (0, b"")
    assert clean(shown.stdout.decode("utf-8"))


# -- what a recording can say ------------------------------------------------------------------------------------------

FREE = {"tool", "package", "engine", "platform", "started", "target_name", "text", "words", "detail"}


def spoiled(text: str) -> str:
    """Put hostile text wherever a record has room for text, and give the line its right checksum again."""
    body = json.loads(text)
    body.pop("crc")
    for name, value in body.items():
        if name in FREE and isinstance(value, str):
            body[name] = HOSTILE
        elif name in ("options", "fields", "auth_data") and isinstance(value, dict):
            body[name] = {f"{key}{HOSTILE}": with_hostile_texts(one) for key, one in value.items()} | value
        elif name == "evidence" and isinstance(value, list):
            body[name] = [HOSTILE if one and isinstance(one, str) and " " in one else one for one in value]
        elif name == "waits":
            body[name] = [HOSTILE]
    head = json.dumps(body, separators=(",", ":"))[:-1]
    return f'{head},"crc":"{crc32(head.encode()):08x}"}}\n'


def with_hostile_texts(value: Any) -> Any:
    if isinstance(value, list):
        return [with_hostile_texts(one) for one in value]
    return HOSTILE if isinstance(value, str) else value


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Record a handshake that a hostile certificate ends, and make everything in it that is text hostile too."""
    folder = tmp_path_factory.mktemp("hostile")
    certificate = hostile_certificate(folder / "evil.pem")
    words = ["--server", f"cert={certificate}", "--client", f"trust={certificate}", "--include-secrets"]
    assert run(folder, "handshake", *words, "--record", "good", "--keylog", "keys").returncode == 1
    header, *lines = (folder / "good").read_text().splitlines(keepends=True)
    note = json.loads(lines[-1]) | {"is": "NoteMade", "text": "x", "by": "client"}
    for name in ("reason", "waits"):
        note.pop(name)
    lines[-1:] = [json.dumps(note), lines[-1].replace(f'"n":{len(lines)},', f'"n":{len(lines) + 1},')]
    (folder / "run").write_text(header + "".join(map(spoiled, lines)))
    return folder


@pytest.mark.parametrize("words", [
    ["show", "run"],
    ["show", "run", "--view", "all", "-vv"],
    ["show", "run", "--view", "all", "-vv", "--color", "always"],
    ["show", "run", "--view", "all", "-vv", "--ascii", "--width", "48"],
    ["show", "run", "--as", "c"],
    ["show", "run", "-f", "json", "--view", "all"],
    ["show", "run", "-f", "jsonl"],
    ["decode", "run"],
    ["decode", "run", "--keylog", "keys", "--hex", "-v"],
    ["decode", "run", "--keylog", "keys", "--hex", "-v", "--color", "always"],
    ["decode", "run", "--keylog", "keys", "-f", "json"],
    ["decode", "evil.pem", "-v"],
    ["explain", "--in", "run"],
    ["explain", "--in", "run", "-f", "json"],
    ["explain", "SEC_E_CERT_UNKNOWN", "--in", "run"],
])  # fmt: skip
def test_a_recording_whose_every_text_is_hostile_is_shown_and_never_obeyed(recording: Path, words: list[str]):
    done = run(recording, *words)
    assert done.returncode in (0, 1, 3), done.stderr
    assert b"Traceback" not in done.stderr
    assert b"this is a bug" not in done.stderr
    assert clean(done.stdout.decode())
    assert clean(done.stderr.decode())
    assert done.stdout or done.returncode == 3


def test_the_hostile_recording_is_whole_and_hostile(recording: Path):
    """Show that the test above looks at what it says it does."""
    done = run(recording, "show", "run", "--view", "timeline")
    assert done.returncode == 0, done.stderr
    assert rb"\x1b" in done.stdout
    assert done.stderr == b""


@pytest.mark.parametrize("name", ["NO_COLOR", "FORCE_COLOR", "TERM", "COLUMNS", "SSLKEYLOGFILE", "LANG", "PAGER"])
def test_hostile_environment_variables_are_not_obeyed(tmp_path: Path, name: str):
    env = {**os.environ, name: HOSTILE}
    for words in (["handshake", "-vv"], ["doctor"], ["man"], ["handshake", "--tsl"]):
        done = subprocess.run([sys.executable, "-m", "sspicli", *words], capture_output=True, cwd=tmp_path, env=env)
        assert done.returncode in (0, 2)
        assert clean(done.stdout.decode())
        assert clean(done.stderr.decode())
    assert list(tmp_path.iterdir()) == []


# -- certificates that are large or odd --------------------------------------------------------------------------------


def server_with(
    folder: Path, certificate: bytes, key: PrivateKeyTypes, *words: str
) -> subprocess.CompletedProcess[bytes]:
    """Run a handshake whose server shows a certificate that its client trusts."""
    (folder / "odd.pem").write_bytes(certificate + key_pem(key))
    return run(folder, "handshake", "--server", "cert=odd.pem", "--client", "trust=odd.pem", *words)


def assert_answered(done: subprocess.CompletedProcess[bytes], *codes: int) -> None:
    assert done.returncode in codes, done.stderr
    assert b"Traceback" not in done.stderr
    assert b"this is a bug" not in done.stderr
    assert clean(done.stdout.decode())
    assert clean(done.stderr.decode())


@pytest.mark.parametrize("words", [[], ["-vv"], ["-f", "json", "-v"]], ids=" ".join)
@pytest.mark.parametrize(
    "extensions",
    [
        [x509.SubjectAlternativeName([x509.DNSName(f"host{number}.example") for number in range(3000)])],
        [x509.SubjectAlternativeName([x509.DNSName("a" * 60_000)])],
        [x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.RFC822Name("e\x1b[2J@x"), x509.DNSName("\x00")])],
        [x509.SubjectAlternativeName([x509.UniformResourceIdentifier("\x1b]0;x\x07")])],
        [x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x1b[2J" * 1000)],
        [x509.UnrecognizedExtension(x509.ObjectIdentifier("2.5.29.17"), b"\xff" * 20)],
    ],
    ids=["many names", "long name", "control characters", "hostile address", "unknown extension", "damaged names"],
)  # fmt: skip
def test_an_odd_certificate_is_answered_in_clean_text(tmp_path: Path, extensions: list[Any], words: list[str]):
    key = Ed25519PrivateKey.generate()
    done = server_with(tmp_path, self_signed(key, "localhost", *extensions), key, *words)
    assert_answered(done, 0, 1, 3)
    assert_answered(run(tmp_path, "decode", "odd.pem"), 0, 1, 3)


def spliced(certificate: bytes, old: bytes, new: bytes) -> bytes:
    """Change bytes of a PEM certificate, of the same length; its signature is not right any more."""
    der = x509.load_pem_x509_certificate(certificate).public_bytes(serialization.Encoding.DER)
    assert old in der
    assert len(old) == len(new)
    return x509_pem(der.replace(old, new, 1))


def x509_pem(der: bytes) -> bytes:
    return ssl.DER_cert_to_PEM_cert(der).encode()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"\xa0\x03\x02\x01\x02\x02\x01\x07", b"\xa0\x03\x02\x01\x02\x02\x01\x87"),
        (b"\xa0\x03\x02\x01\x02\x02\x01\x07", b"\xa0\x03\x02\x01\x02\x02\x01\x00"),
        (b"\xa0\x03\x02\x01\x02\x02\x01\x07", b"\xa0\x03\x02\x01\x09\x02\x01\x07"),
        (b"\x06\x03\x55\x1d\x11", b"\x06\x03\x55\x1d\x13"),
        (b"\x06\x03\x55\x04\x03", b"\x06\x03\x55\x04\x7f"),
        (b"localhost", b"lo\x00al\nost"),
        (b"localhost", b"\x1b[2Jhost\x9b"),
    ],
    ids=[
        "a negative serial number",
        "serial number 0",
        "version 10",
        "an extension twice",
        "an unknown attribute",
        "NUL and newline in a name",
        "escape sequences in a name",
    ],
)  # fmt: skip
def test_a_certificate_that_no_library_would_make_is_answered_in_clean_text(tmp_path: Path, old: bytes, new: bytes):
    key = Ed25519PrivateKey.generate()
    done = server_with(tmp_path, spliced(self_signed(key, "localhost"), old, new), key, "-vv")
    assert_answered(done, 0, 1, 3)
    assert_answered(run(tmp_path, "decode", "odd.pem", "-v"), 0, 1, 3)


def test_an_rsa_key_of_16384_bits_is_refused_before_anything_is_verified_with_it(tmp_path: Path):
    """Made of one number instead of two primes: making a real one takes minutes, and nobody is to look that far."""
    key = Ed25519PrivateKey.generate()
    numbers = rsa.RSAPublicNumbers(65537, (1 << 16383) + 1)
    public = numbers.public_key()
    now = dt.datetime.now(dt.UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(public).serial_number(7)
    builder = builder.not_valid_before(now).not_valid_after(now + dt.timedelta(days=1))
    certificate = builder.sign(key, None).public_bytes(serialization.Encoding.PEM)
    began = time.monotonic()
    done = server_with(tmp_path, certificate, key)
    assert_answered(done, 3)
    assert b"16384 bits" in done.stderr
    assert time.monotonic() - began < 20
    assert_answered(run(tmp_path, "handshake", "--client", "trust=odd.pem"), 3)
    assert_answered(run(tmp_path, "decode", "odd.pem"), 0, 1)
