"""Names from certificates and command lines are data: nothing in them reaches the terminal as a control sequence."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes, PrivateKeyTypes
from cryptography.x509.oid import NameOID

HOSTILE = "evil\x1b]52;c;ZWNobyBwd25lZA==\x07\x9b2J\u202egpj.exe\n[link=http://x]"


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
    return not [one for one in text if one != "\n" and unicodedata.category(one) in ("Cc", "Cf")]


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
    [HOSTILE],
])  # fmt: skip
def test_hostile_words_on_the_command_line_are_answered_in_clean_text(tmp_path: Path, words: list[str]):
    done = run(tmp_path, *words)
    assert done.returncode in (1, 2, 3, 4, 74)
    assert clean(done.stderr.decode())
    assert b"Traceback" not in done.stderr
    assert done.stderr.strip() or done.returncode == 1
