"""Make the stored corpus from real runs: `python -m tests.fuzz.make_corpus`.

Few and small inputs, one for each thing that a reader tells apart: the fuzzer adds the rest by itself.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from itertools import zip_longest
from pathlib import Path
from typing import Any

from sspicli.adapter.framing import framed
from sspicli.journal.events import TokenSent
from sspicli.journal.recording import read_recording
from sspicli.sspi.records import HANDSHAKE
from sspicli.tokens.tls import TlsMessage, TlsReader
from sspicli.tokens.tls_fields import message_tree
from sspicli.tokens.tls_hello import TLS12, TLS13
from sspicli.tokens.tree import walk
from tests.fuzz.targets import SEPARATOR
from tests.handshakes import records_of

CORPUS = Path(__file__).parent / "corpus"
KINDS: dict[str, dict[str, Any]] = {
    "tls13": {"client": ("cert=valid", "alpn=h2"), "server": ("request-cert=yes", "alpn=h2")},
    "tls12": {"tls": "1.2", "messages": 1},
    "expired": {"server": ("cert=expired",)},
    "stuck": {"fault": ("server.accept#2=hang",)},
    "refused": {"fault": ("client.init#1=refuse",)},
    "sample": {"mode": "sample", "completion": "inline"},
    "p256": {"server": ("key=p256", "cert=self-signed")},
    "rsa": {"server": ("key=rsa2048", "cert=wrong-name")},
}


NOTATIONS = {
    "hex": b"16 03 01 00:05:01,00 0x00 01 00",
    "base64": b"FgMBAAUBAAABAA==",
    "pem": b"-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n",
    "header": b"Authorization: Negotiate YIIB\r\n",
    "dump": b"00000000  16 03 01 00 05 01 00 00  01 00                    |..........|\n",
    "raw": bytes.fromhex("16030100050100000100"),
}


SCENARIOS = {
    "blocks": b"""# head

steps:
- leg: 1  # one
  expect: {token: [ClientHello, 'x'], size: 200..1500}

# two
name: x
""",
    "scalars": b"""a: 0x1F
b: .5e-3
c: ~
d: True
e: "\\x41\\u2028"
f: it's
g: 'it''s'
h: 2026-11-22
i: -.inf
""",
    "texts": b"""a: |
  one # no
   two

b: >-
   x
c: |2+
   z

d: one
  two
e: 'x

  y'
""",
    "documents": b"\xef\xbb\xbf%YAML 1.2\n---\na:\n- - 1\n  -\n- b:\n...\n--- # two\n[a,b: c,{d: ,e},\n  f]\n",
    "refused": b"a: &x 1\nb: *x\n<<: {a: 1}\nc: !!str 1\na: 2\n1: 2\n[x]: 1\n",
    "ends": b"programs:\r\n  server:\r\n    - create: ac\r\n    - wait: ac # \xc3\xa9\r\n",
}


CLIENTS = {
    "initialize": framed({"seq": 1, "type": "request", "command": "initialize", "arguments": {"adapterID": "x"}}),
    "two": framed({"seq": 1, "type": "request", "command": "threads"}) * 2,
    "odd": b"X: y\r\ncontent-length: 2\r\n\r\n{}Content-Length: 4\r\n\r\nnull",
}


def main() -> None:
    """Write every target's corpus anew."""
    shutil.rmtree(CORPUS, ignore_errors=True)
    with tempfile.TemporaryDirectory() as folder:
        for name, options in KINDS.items():
            record, keys = Path(folder, f"{name}.rec"), Path(folder, f"{name}.keys")
            records_of(record=record, keylog=keys, include_secrets=True, **options)
            write("keylog", name, keys.read_bytes())
            by_kind(record.read_bytes().splitlines())
            tokens(name, record, keys.read_bytes())
    for name, text in NOTATIONS.items():
        write("notation", name, text)
    for name, text in SCENARIOS.items():
        write("scenario", name, text)
    for name, text in CLIENTS.items():
        write("client", name, text)
    write("keylog", "odd", b"\xef\xbb\xbf# comment\r\n\r\nCLIENT_RANDOM 00 11\rjunk \xff\n")


def by_kind(lines: list[bytes]) -> None:
    """Store the smallest line of each kind of record as the first of its recording, and a recording as it is."""
    write("recording", "raw", b"\0" + b"\n".join(lines[:4]))
    for line in lines[1:]:
        body = json.loads(line)
        path = CORPUS / "recording" / body["is"]
        if "same" not in str(body) and len(line) < (path.stat().st_size if path.exists() else 4000):
            write("recording", body["is"], json.dumps({**body, "n": 1}, separators=(",", ":")).encode())


def tokens(name: str, path: Path, keys: bytes) -> None:
    """Store a session's tokens behind its key log, and every kind of message and certificate in it by itself."""
    reader = TlsReader()
    for text in keys.decode().splitlines():
        reader.add_secret(text)
    parts = {"client": [b""], "server": [b""]}
    for record in read_recording(path).records:
        event = record.event
        if not isinstance(event, TokenSent):
            continue
        sender = "server" if event.receiver == "client" else "client"
        parts[sender].append(event.data)
        for message in reader.read(sender, event.data):
            store(message)
    turns = [one for pair in zip_longest(parts["client"][1:], parts["server"][1:], fillvalue=b"") for one in pair]
    if turns and sum(map(len, turns)) < 4000:
        write("tls", name, SEPARATOR.join([keys, *turns]))


def store(message: TlsMessage) -> None:
    """Store a handshake message as the fuzz target takes one, and the first certificate in it."""
    if message.content_type != HANDSHAKE or message.name in ("Encrypted", "Partial"):
        return
    number = {TLS12: 1, TLS13: 2}.get(message.version, 0)
    write("message", f"{message.name}-{number}", bytes([number]) + message.suite.to_bytes(2, "big") + message.body)
    for _, node in walk(message_tree(message)):
        if node.children and node.children[0].name == "tbsCertificate":
            write("x509", f"{len(list((CORPUS / 'x509').glob('*')))}", message.body[node.span[0] : node.span[1]])


def write(target: str, name: str, data: bytes) -> None:
    """Store one input."""
    path = CORPUS / target / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


if __name__ == "__main__":
    main()
