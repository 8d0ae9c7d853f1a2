"""Canary: what is secret stands in no byte that the program writes, unless --include-secrets or --keylog asked for it.

Secrets of every kind are made unique, every command is run in every format, and all that comes out is searched: for the
bytes, for their hex however it is divided, for base64 at each of its alignments, for what Python's repr makes of them.
A test that finds them where they were asked for shows that the search works.
"""

from __future__ import annotations

import base64
import os
import re
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key

from sspicli.cli.main import COMMANDS
from sspicli.tokens.keylog import read_keylog
from tests.cli.test_hostile import self_signed
from tests.processes import environment

PASSWORD = b"zQ7-xV3k9Tt1~Lw8mPc5Rj0Hd"
WINDOW = 8  # bytes: as few of a secret give it away, and as many never come about by chance
WORDS = 20  # of plaintext, whose words stand elsewhere too


class Secrets(NamedTuple):
    """What must not be found, by its kind."""

    password: bytes
    private_key: bytes
    pem: bytes
    traffic: tuple[bytes, ...]
    plaintext: bytes


# -- searching ---------------------------------------------------------------------------------------------------------


def forms(secret: bytes) -> Iterator[bytes]:
    """Give the forms in which any part of a secret may stand in squeezed or plain output."""
    window = WORDS if secret in PLAINTEXT else WINDOW
    for at in range(max(1, len(secret) - window + 1)):
        part = secret[at : at + window]
        yield part
        yield part.hex().encode()
        yield repr(part)[2:-1].encode()
    for offset in range(3):
        coded = base64.b64encode(secret[offset:]).rstrip(b"=")[:-1]
        size = window * 3 // 2
        for at in range(0, max(1, len(coded) - size), 4):
            yield coded[at : at + size]


def squeezed(data: bytes) -> bytes:
    """Take out what divides hex digits, and the columns of a hex dump with them."""
    without_columns = re.sub(rb"(?m)^\s*[0-9a-f]{4,8}\s\s|\s\s\S{1,17}$", b"", data)
    return re.sub(rb"[\s:,]|\\n", b"", without_columns).lower()


def found(secret: bytes, data: bytes) -> bool:
    """Say whether any part of a secret stands in the data, in whatever form."""
    places = (data, squeezed(data))
    return any(form in place for form in set(forms(secret)) for place in places)


@pytest.mark.parametrize(
    "data",
    [
        b"x" + PASSWORD + b"y",
        PASSWORD[5:20],
        PASSWORD.hex().encode(),
        PASSWORD.hex(" ").encode(),
        PASSWORD.hex(":").upper().encode(),
        b"0000  "
        + PASSWORD[:4].hex(" ").encode()
        + b"  abcd\n0004  "
        + PASSWORD[4:12].hex(" ").encode()
        + b"  abcdefgh",
        base64.b64encode(PASSWORD),
        base64.b64encode(b"a" + PASSWORD),
        base64.b64encode(b"ab" + PASSWORD),
        repr({"x": PASSWORD}).encode(),
    ],
)
def test_the_search_finds_a_secret_in_every_form(data: bytes):
    assert found(PASSWORD, data)


def test_the_search_finds_nothing_where_nothing_is():
    assert not found(PASSWORD, bytes(range(256)) * 10)


# -- everything that is written ----------------------------------------------------------------------------------------


class Written(NamedTuple):
    """What a run wrote: its streams, and its files by name."""

    code: int
    streams: bytes
    files: dict[str, bytes]

    @property
    def everything(self) -> bytes:
        """All of it."""
        return self.streams + b"".join(self.files.values())


@pytest.fixture
def place(tmp_path: Path) -> tuple[Path, Secrets]:
    """Make a folder with an encrypted key and its password, and two recordings of a run with all kinds of secrets."""
    key = generate_private_key(SECP256R1())
    certificate = self_signed(key, "canary.example")
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(PASSWORD),
    )
    (tmp_path / "cert.pem").write_bytes(certificate)
    (tmp_path / "key.pem").write_bytes(pem)
    (tmp_path / "password").write_bytes(PASSWORD + b"\n")
    (tmp_path / "wrong").write_bytes(b"not-" + PASSWORD)
    secrets = Secrets(PASSWORD, number_of(key), pem, (), b"")
    return tmp_path, secrets


def number_of(key: EllipticCurvePrivateKey) -> bytes:
    return key.private_numbers().private_value.to_bytes(32, "big")


OWN_KEY = ["--server", "cert=cert.pem", "--server", "key=key.pem", "--client", "trust=cert.pem"]
OPENED = [*OWN_KEY, "--server", "key-password-file=password", "--client", "target=canary.example"]
INPUTS = {"cert.pem", "key.pem", "password", "wrong"}


def run(folder: Path, *words: str, umask: int = 0o022) -> Written:
    """Run the program; what it wrote, but for what was there before."""
    before = {one.name for one in folder.iterdir()}
    ended = subprocess.run(
        [sys.executable, "-m", "sspicli", *words],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        cwd=folder,
        env=environment(),
        umask=umask if os.name == "posix" else -1,
        timeout=60,
        check=False,
    )
    files = {one.name: one.read_bytes() for one in folder.iterdir() if one.name not in before}
    return Written(ended.returncode, ended.stdout + ended.stderr, files)


def secrets_of(folder: Path, known: Secrets) -> list[bytes]:
    """List every secret of the last run with --keylog; a private key's PEM by its lines."""
    lines = read_keylog(folder / "keys").lines
    traffic = [bytes.fromhex(line.split()[2]) for line in lines]
    pem = [base64.b64decode(line) for line in known.pem.splitlines()[1:-1]]
    return [known.password, known.private_key, *pem, *traffic]


PLAINTEXT = [b"message 1 from the client", b"message 2 from the server"]

FORMATS = [
    [],
    ["-v"],
    ["-vv"],
    ["-q"],
    ["-f", "json"],
    ["-f", "json", "-v"],
    ["-f", "jsonl"],
    ["-vv", "-o", "result"],
    ["-f", "jsonl", "-o", "result"],
    ["--record", "run"],
    ["--workers", "2", "-vv"],
    ["--mode", "poll", "-vv", "--color", "always"],
    ["--no-live", "-vv", "--record", "run"],
]


@pytest.mark.parametrize("words", FORMATS, ids=" ".join)
@pytest.mark.parametrize("tls", ["1.2", "1.3"])
def test_no_handshake_shows_a_secret(place: tuple[Path, Secrets], words: list[str], tls: str):
    folder, known = place
    written = run(folder, "handshake", *OPENED, "--messages", "2", "--tls", tls, "--keylog", "keys", *words)
    assert written.code == 0, written.streams
    del written.files["keys"]
    for secret in [*secrets_of(folder, known), *PLAINTEXT]:
        assert not found(secret, written.everything)


FAILING = [
    ["--server", "key-password-file=wrong"],
    ["--server", "key-password-file=password", "--server", "key-password-file=wrong"],
    [],
    ["--server", "key-password-file=password", "--server", "nonsense=1"],
    ["--server", "key-password-file=key.pem"],
    ["--server", "key-password-file=password", "--client", "trust=password"],
    ["--server", "key-password-file=password", "--client", "trust=key.pem"],
    ["--server", "key-password-file=password", "--client", "cert=password"],
    ["--server", "key-password-file=password", "--record", "password"],
]


@pytest.mark.parametrize("debug", [[], ["--debug"]], ids=["", "debug"])
@pytest.mark.parametrize("words", FAILING, ids=" ".join)
def test_no_error_shows_a_secret(place: tuple[Path, Secrets], words: list[str], debug: list[str]):
    folder, known = place
    written = run(folder, *debug, "handshake", *OWN_KEY, *words)
    assert written.code in (2, 3, 74), written.streams
    assert b"error: " in written.streams
    for secret in [known.password, known.private_key, *known.pem.splitlines()[1:-1]]:
        assert not found(secret, written.everything)


READING = [
    ["show", "plain"],
    ["show", "plain", "--view", "all", "-vv"],
    ["show", "plain", "-f", "json", "--view", "all"],
    ["show", "plain", "-f", "jsonl"],
    ["show", "plain", "--as", "c"],
    ["show", "whole"],
    ["show", "whole", "--view", "all", "-vv"],
    ["show", "whole", "-f", "json", "--view", "all"],
    ["show", "whole", "-f", "jsonl"],
    ["show", "whole", "-f", "jsonl", "-o", "result"],
    ["show", "whole", "--as", "c"],
    ["replay", "plain"],
    ["scenario", "new", "--from", "plain"],
    ["scenario", "new", "--from", "whole"],
    ["replay", "plain", "-v", "-f", "json"],
    ["replay", "whole", "-v"],
    ["replay", "whole", "-f", "junit", "--sarif", "result"],
    ["replay", "whole", "--events", "-"],
    ["decode", "plain", "--keylog", "keys"],
    ["decode", "whole"],
    ["decode", "whole", "--hex", "-v"],
    ["decode", "keys"],
    ["show", "keys"],
    ["decode", "whole", "--keylog", "password"],
    ["decode", "password", "--as", "hex"],
    ["verify", "plain"],
    ["verify", "whole", "-f", "json"],
    ["verify", "whole", "-f", "sarif", "-o", "result.sarif"],
    ["verify", "--list-rules"],
    ["explain", "SEC_E_CERT_EXPIRED"],
    ["explain", "--in", "plain"],
    ["explain", "--in", "whole", "-f", "json"],
    ["api"],
    ["doctor", "--fidelity"],
    ["repl", "plain", "-c", "goto end", "-c", "info keylog", "-c", "info buffers", "-c", "timeline", "-c", "ladder"],
    ["repl", "whole", "-c", "goto end", "-c", "info keylog", "-c", "info buffers", "-c", "timeline", "-c", "x leg2"],
    ["repl", "whole", "-f", "json", "-c", "goto end", "-c", "decode leg2", "-c", "info contexts", "-c", "info calls"],
    [
        "repl",
        "whole",
        "--again",
        "-c",
        "continue",
        "-c",
        "export out.jsonl",
        "-c",
        "record out.rec",
        "-c",
        "save s.sspi.yaml",
    ],
    ["dap"],
    ["packages"],
    ["man"],
    ["completion", "bash"],
]


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Record one run without its secrets, and one with them; with both runs' secrets in `keys`."""
    folder = tmp_path_factory.mktemp("recorded")
    (folder / "password").write_bytes(PASSWORD)
    for name, extra in (("plain", []), ("whole", ["--include-secrets"])):
        made = run(folder, "handshake", "--messages", "2", "--record", name, "--keylog", f"{name}.keys", *extra)
        assert made.code == 0
    (folder / "keys").write_bytes((folder / "plain.keys").read_bytes() + (folder / "whole.keys").read_bytes())
    return folder


def test_every_command_is_searched():
    assert {words[0] for words in READING} | {"handshake"} >= set(COMMANDS)


@pytest.mark.parametrize("words", READING, ids=" ".join)
def test_no_reader_of_recordings_shows_a_secret(recorded: Path, words: list[str]):
    """What protects a record may be opened where a secret is known; the secret itself is never shown."""
    written = run(recorded, *words)
    for name in written.files:
        (recorded / name).unlink()
    assert b"Traceback" not in written.streams
    for line in read_keylog(recorded / "keys").lines:
        assert not found(bytes.fromhex(line.split()[2]), written.everything)
    assert not found(PASSWORD, written.everything)


@pytest.mark.parametrize("words", [one for one in READING if one[1:2] in (["plain"], ["whole"])], ids=" ".join)
def test_no_plaintext_is_shown_of_a_recording_unless_asked_for(recorded: Path, words: list[str]):
    if "--keylog" in words:
        pytest.skip("it was asked for")
    written = run(recorded, *words)
    for name in written.files:
        (recorded / name).unlink()
    for secret in PLAINTEXT:
        assert not found(secret, written.everything)


# -- where it was asked for --------------------------------------------------------------------------------------------


def test_what_was_asked_for_is_there(place: tuple[Path, Secrets]):
    """Show that the searches above could find something."""
    folder, known = place
    words = [
        "--keylog",
        "keys",
        "--record",
        "run",
        "--include-secrets",
        "--messages",
        "2",
        "-f",
        "jsonl",
        "-o",
        "result",
    ]
    written = run(folder, "handshake", *OPENED, *words)
    traffic = secrets_of(folder, known)[-4:]
    for secret in [*traffic, *PLAINTEXT]:
        assert found(secret, written.files["run"])
        assert found(secret, written.files["result"])
        assert not found(secret, written.streams)
    assert not found(known.password, written.everything)
    assert not found(known.private_key, written.everything)


@pytest.mark.skipif(os.name != "posix", reason="modes of POSIX")
@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077, 0o277])
def test_files_that_may_hold_secrets_are_their_owners_alone_whatever_the_umask(tmp_path: Path, umask: int):
    for extra in ([], ["--include-secrets"]):
        name = str(len(extra))
        words = ["--record", f"run{name}", "--keylog", f"keys{name}", "-o", f"result{name}", "-f", "jsonl"]
        assert run(tmp_path, "handshake", *words, *extra, umask=umask).code == 0
    modes = {one.name: stat.S_IMODE(one.stat().st_mode) for one in tmp_path.iterdir()}
    assert len(modes) == 6
    assert set(modes.values()) <= {0o600 & ~umask}
