"""TLS 1.3 record protection, opened with a traffic secret from a key log.

The rule guarded here: a record opens only if it is authentic. There is no state here: the reader knows which record of
the sequence it has, so that one that did not open does not spoil those after it.

Source: RFC 8446 sections 5.2, 5.3, 7.1, 7.2 and 7.3.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from typing import NamedTuple, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESCCM, AESGCM, ChaCha20Poly1305


class Aead(Protocol):
    """What cryptography's authenticated ciphers have in common here."""

    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None, /) -> bytes:
        """Open one record's fragment, or raise InvalidTag."""


class Suite(NamedTuple):
    """How a TLS 1.3 cipher suite protects: hash, key size and tag size in bytes, cipher."""

    hash_name: str
    key_size: int
    tag_size: int
    cipher: Callable[[bytes], Aead]


def _ccm(key: bytes) -> Aead:
    return AESCCM(key, tag_length=16)


def _ccm_8(key: bytes) -> Aead:
    return AESCCM(key, tag_length=8)


SUITES = {
    0x1301: Suite("sha256", 16, 16, AESGCM),
    0x1302: Suite("sha384", 32, 16, AESGCM),
    0x1303: Suite("sha256", 32, 16, ChaCha20Poly1305),
    0x1304: Suite("sha256", 16, 16, _ccm),
    0x1305: Suite("sha256", 16, 8, _ccm_8),
}


class TrafficKeys:
    """The key and IV of one traffic secret."""

    __slots__ = ("_aead", "_iv", "_secret", "_suite")

    def __init__(self, suite: Suite, secret: bytes) -> None:
        self._suite = suite
        self._secret = secret
        key = expand_label(suite.hash_name, secret, label=b"key", size=suite.key_size)
        self._aead = suite.cipher(key)
        self._iv = int.from_bytes(expand_label(suite.hash_name, secret, label=b"iv", size=12), "big")

    def open(self, header: bytes, body: bytes, sequence: int) -> tuple[int, bytes, int] | None:
        """Give the inner content type, the plaintext, the size of its padding; None when it does not open."""
        if len(body) <= self._suite.tag_size:
            return None
        try:
            padded = self._aead.decrypt((self._iv ^ sequence).to_bytes(12, "big"), body, header)
        except InvalidTag:
            return None
        inner = padded.rstrip(b"\0")
        return (inner[-1], inner[:-1], len(padded) - len(inner)) if inner else None

    def renewed(self) -> TrafficKeys:
        """Give the keys after a KeyUpdate."""
        suite, size = self._suite, len(self._secret)
        return TrafficKeys(suite, expand_label(suite.hash_name, self._secret, label=b"traffic upd", size=size))


class EarlyKeys:
    """The keys of early data: its suite is the resumed session's, so those of the secret's hash are tried."""

    __slots__ = ("_candidates",)

    def __init__(self, secret: bytes) -> None:
        hash_name = "sha384" if len(secret) == 48 else "sha256"
        self._candidates = [TrafficKeys(suite, secret) for suite in SUITES.values() if suite.hash_name == hash_name]

    def open(self, header: bytes, body: bytes, sequence: int) -> tuple[int, bytes, int] | None:
        """Give what is in the record, and keep to the suite that opened it; None when none does."""
        for keys in self._candidates:
            opened = keys.open(header, body, sequence)
            if opened is not None:
                self._candidates = [keys]
                return opened
        return None


def expand_label(hash_name: str, secret: bytes, *, label: bytes, size: int) -> bytes:
    """Compute HKDF-Expand-Label with an empty context, for at most one block of the hash."""
    info = size.to_bytes(2, "big") + bytes([6 + len(label)]) + b"tls13 " + label + b"\0"
    return hmac.digest(secret, info + b"\x01", hash_name)[:size]
