"""Make the stored corpus from real runs: `python -m tests.fuzz.make_corpus`.

Few and small inputs, one for each thing that a reader tells apart: the fuzzer adds the rest by itself.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

from tests.handshakes import records_of

CORPUS = Path(__file__).parent / "corpus"
KINDS: dict[str, dict[str, Any]] = {
    "tls13": {"client": ("cert=valid", "alpn=h2"), "server": ("request-cert=yes", "alpn=h2")},
    "tls12": {"tls": "1.2", "messages": 1},
    "expired": {"server": ("cert=expired",)},
    "stuck": {"fault": ("server.accept#2=hang",)},
    "refused": {"fault": ("client.init#1=refuse",)},
    "sample": {"mode": "sample", "completion": "inline"},
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
    write("keylog", "odd", b"\xef\xbb\xbf# comment\r\n\r\nCLIENT_RANDOM 00 11\rjunk \xff\n")


def by_kind(lines: list[bytes]) -> None:
    """Store the smallest line of each kind of record as the first of its recording, and a recording as it is."""
    write("recording", "raw", b"\0" + b"\n".join(lines[:4]))
    for line in lines[1:]:
        body = json.loads(line)
        path = CORPUS / "recording" / body["is"]
        if "same" not in str(body) and len(line) < (path.stat().st_size if path.exists() else 4000):
            write("recording", body["is"], json.dumps({**body, "n": 1}, separators=(",", ":")).encode())


def write(target: str, name: str, data: bytes) -> None:
    """Store one input."""
    path = CORPUS / target / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


if __name__ == "__main__":
    main()
