"""A mebibyte of noise is read in the time of a few plain loops over it, whatever the noise is made to look like.

A plain loop takes 10 ms where this was written, the worst noise 42 ms; twenty loops are the bound, 0.2 s there. Text
that really is hex or a dump takes more than noise, 250 ms: it is taken apart word by word.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable

import pytest

from sspicli.tokens.keylog import parse_keylog
from sspicli.tokens.notation import NotationError, read_notation
from sspicli.tokens.sniff import tell
from sspicli.tokens.tls import TlsReader
from sspicli.tokens.tls_fields import message_trees, token_tree
from sspicli.tokens.x509 import certificate_tree

SIZE = 1 << 20
LOOPS = {"notation": 80}
FEW = 20
RANDOM = random.Random(1).randbytes(SIZE)


def filled(piece: bytes) -> bytes:
    return piece * (SIZE // len(piece))


NOISE = {
    "random": RANDOM,
    "zeros": bytes(SIZE),
    "one content type": b"\x16" * SIZE,
    "handshake records": b"".join(b"\x16\x03\x03\x04\0" + RANDOM[at : at + 1024] for at in range(0, SIZE, 1024)),
    "records of a byte": filled(b"\x16\x03\x03\0\x01\x01"),
    "protected records": filled(b"\x17\x03\x03\0\x20" + RANDOM[:32]),
    "tiny messages": filled(b"\x16\x03\x03\x3f\xfc" + b"\x0e\0\0\0" * 4095),
    "alerts": filled(b"\x15\x03\x03\0\x02\x02\x28"),
    "a hello of extensions": b"\x16\x03\x03\x40\0\x01\x01\xff\xf0\x03\x03" + bytes(32) + filled(b"\0\0\0\0"),
    "nested DER": b"\x30\x84\0\x0f\xff\xf0" + filled(b"\x30\x80"),
    "long DER": filled(b"\x30\x84\x7f\xff\xff\xff"),
    "empty DER": b"\x30\x84\0\x0f\xff\xf0" + filled(b"\x05\0"),
    "hex": filled(b"16 03 03 "),
    "base64": filled(b"FgMD"),
    "lines": filled(b"CLIENT_RANDOM 00 11\n"),
    "newlines": b"\n" * SIZE,
    "PEM": filled(b"-----BEGIN X-----\n"),
    "a header": b"Authorization: " + filled(b" a"),
    "a dump": filled(b"00000000  16 03 03\n"),
}


def read_tls(data: bytes) -> None:
    reading = TlsReader().read_token("client", data)
    list(message_trees(reading.messages))
    token_tree(reading)


def read_written(data: bytes) -> None:
    try:
        read_notation(data)
    except NotationError:
        return


READERS: dict[str, Callable[[bytes], object]] = {
    "tls": read_tls,
    "x509": certificate_tree,
    "keylog": parse_keylog,
    "notation": read_written,
    "kind": tell,
}


def seconds(act: Callable[[bytes], object], data: bytes) -> float:
    """Measure this thread's own work, the quicker of two times."""
    taken = []
    for _ in range(2):
        began = time.thread_time()
        act(data)
        taken.append(time.thread_time() - began)
    return min(taken)


def plain_loop(data: bytes) -> int:
    total = 0
    for byte in data:
        total ^= byte
    return total


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("noise", NOISE)
def test_noise_is_read_in_linear_time(noise: str, reader: str):
    data = NOISE[noise]
    assert seconds(READERS[reader], data) < LOOPS.get(reader, FEW) * seconds(plain_loop, RANDOM)
