"""Whole processes: what a person waits for before anything happens (goals 1, 2 and 3).

The anchors are installed the way the product is: as console scripts that pip's own tools would write, run by the same
interpreter, with compiled modules in place.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.benchmarks.contest import Ratio, contest_of_processes, show

_SCRIPT = "#!{python}\nimport sys\nfrom {module} import main\nif __name__ == '__main__':\n    sys.exit(main())\n"
_EMPTY = "def main():\n    return 0\n"
_GROUP = """
import click

@click.group()
@click.version_option("1")
def main():
    "A group."
""" + "".join(f"\n@main.command()\ndef c{number}():\n    'Do {number}.'\n" for number in range(8))
_MINIMAL = """
import datetime
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from OpenSSL import SSL, crypto


def certificate():
    key, now = Ed25519PrivateKey.generate(), datetime.datetime.now(datetime.UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(7).not_valid_before(now).not_valid_after(now + datetime.timedelta(days=1))
    names = x509.SubjectAlternativeName([x509.DNSName("localhost")])
    return key, builder.add_extension(names, critical=False).sign(key, None)


def step(connection):
    try:
        connection.do_handshake()
    except SSL.WantReadError:
        pass


def main():
    key, leaf = certificate()
    client, server = SSL.Context(SSL.TLS_METHOD), SSL.Context(SSL.TLS_METHOD)
    server.use_certificate(leaf)
    server.use_privatekey(key)
    client.get_cert_store().add_cert(crypto.X509.from_cryptography(leaf))
    client.set_verify(SSL.VERIFY_PEER, lambda *seen: bool(seen[-1]))
    ends = SSL.Connection(client), SSL.Connection(server)
    ends[0].set_connect_state()
    ends[1].set_accept_state()
    for source, sink in (ends, ends[::-1]) * 2:
        step(source)
        sink.bio_write(source.bio_read(65536))
    print("ok", ends[0].get_protocol_version_name())
"""


def start_up() -> None:
    """Compare `--version`, `--help` and a one-shot handshake with scripts that do as little as can be done."""
    ours = str(Path(sys.executable).with_name("sspi-async"))
    with tempfile.TemporaryDirectory() as folder:
        anchor = _installer(Path(folder))
        for name, arguments, text, goal in (
            ("--version / an empty console script", ["--version"], _EMPTY, 1.15),
            ("--help / a bare click group of 8", ["--help"], _GROUP, 1.15),
            ("one-shot handshake / minimal pyOpenSSL script", ["handshake"], _MINIMAL, 1.15),
        ):
            theirs = [anchor(text), *arguments[: 1 if text == _GROUP else 0]]
            show(name, _processes([ours, *arguments], theirs), goal)


def _installer(folder: Path) -> Callable[[str], str]:
    """Give a function that installs an anchor's text as a module and a console script."""
    numbers: Iterator[int] = iter(range(1, 100))

    def install(text: str) -> str:
        module = f"sspicli_anchor_{next(numbers)}"
        (folder / f"{module}.py").write_text(text, encoding="utf-8")
        script = folder / f"{module}_script"
        script.write_text(_SCRIPT.format(python=sys.executable, module=module), encoding="utf-8")
        script.chmod(0o755)
        return str(script)

    return install


def _processes(ours: list[str], anchor: list[str]) -> Ratio:
    for command in (ours, anchor):
        assert shutil.which(command[0]), f"{command[0]} is not installed"
        subprocess.run(command, check=True, capture_output=True)
    return contest_of_processes(ours, anchor)
