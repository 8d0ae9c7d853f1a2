"""Reads a key-log file: the secrets of TLS sessions, one a line, as browsers, OpenSSL and Wireshark write them.

The rule guarded here: a key log may hold anything, and what it holds is secret. Lines that are no key-log lines are
counted and skipped, whatever bytes they are made of; an error names the file and never quotes from it.

Source: the SSLKEYLOGFILE format (RFC 9850, before it draft-ietf-tls-keylogfile).
"""

from __future__ import annotations

import os
from typing import NamedTuple

from sspicli.files.regular import read_regular_file
from sspicli.sspi.errors import InputError

LARGEST = 64 << 20  # bytes; some 350,000 lines
LONGEST_LINE = 16 << 10  # bytes; an ECH configuration is the longest thing a line may carry

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_RANDOM_SIZE = 32
_LABEL = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")


class KeyLog(NamedTuple):
    """What a key-log file held: its lines without their ends, and how many lines were something else."""

    lines: tuple[str, ...]
    junk_lines: int


def read_keylog(path: str | os.PathLike[str]) -> KeyLog:
    """Read a key-log file; what is no regular file, too large, or holds nothing but junk is an InputError."""
    data = read_regular_file(path, largest=LARGEST, too_large=f"the key log is larger than {LARGEST:,} bytes")
    keylog = parse_keylog(data)
    if keylog.junk_lines and not keylog.lines:
        raise InputError(
            "this is no key log: none of its lines is a label, a client random and a secret",
            where=os.fspath(path),
            help="write one with --keylog FILE, or with the SSLKEYLOGFILE of another program",
        )
    return keylog


def parse_keylog(data: bytes) -> KeyLog:
    """Divide any bytes into key-log lines and junk; empty lines and comments are neither."""
    lines: list[str] = []
    junk = 0
    for raw in data.removeprefix(_BYTE_ORDER_MARK).splitlines():
        text = raw.strip()
        if not text or text.startswith(b"#"):
            continue
        line = _line(text)
        if line:
            lines.append(line)
        else:
            junk += 1
    return KeyLog(tuple(lines), junk)


def _line(text: bytes) -> str:
    """Give a label, a client random and a secret, divided by blanks; "" when the text is not that.

    Whether the label is known is for the reader of tokens to say.
    """
    words = text.split() if len(text) <= LONGEST_LINE else []
    if len(words) != 3 or not _LABEL.issuperset(words[0]):
        return ""
    try:
        client_random, secret = (bytes.fromhex(word.decode("ascii")) for word in words[1:])
    except ValueError:
        return ""
    return b" ".join(words).decode("ascii") if len(client_random) == _RANDOM_SIZE and secret else ""
