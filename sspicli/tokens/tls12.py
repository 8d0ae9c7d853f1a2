"""TLS 1.2 record protection, opened with the master secret from a key log: AES-GCM, AES-CCM, ChaCha20 and AES-CBC.

The rule guarded here: a record opens only if it is authentic. CBC's MAC is checked too, although nothing but the truth
depends on it: a tampered record must not read as if it had been sent so. As in TLS 1.3 there is no state here; the
reader knows which record of the sequence it has.

Source: RFC 5246 sections 5 and 6.2.3, RFC 5288 (GCM), 6655 (CCM), 7905 (ChaCha20), 7366 (encrypt-then-MAC).
"""

from __future__ import annotations

import hmac
import re
from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import AESCCM, AESGCM, ChaCha20Poly1305
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC

from sspicli.tokens.tls_names import suite_name

_BLOCK = 16
_MAC_SIZES = {"sha1": 20, "sha256": 32, "sha384": 48}
_PROTECTED_PART = re.compile(r"WITH_(AES_128|AES_256|CHACHA20)_(GCM|CCM_8|CCM|CBC|POLY1305)(?:_(SHA\d*))?$")


class Layout(NamedTuple):
    """What a cipher suite's name says: mode, key size, PRF hash, CBC's MAC hash ("" otherwise), fixed IV size."""

    mode: str
    key_size: int
    prf_hash: str
    mac_hash: str
    iv_size: int


class Negotiated(NamedTuple):
    """What both hellos settled, as far as keys depend on it."""

    suite: int
    client_random: bytes
    server_random: bytes
    encrypt_then_mac: bool


def layout(suite: int) -> Layout | None:
    """Read a suite's name; None for one that cannot be opened here (RC4, 3DES, NULL, ARIA, Camellia)."""
    match = _PROTECTED_PART.search(suite_name(suite))
    if match is None:
        return None
    cipher, mode, digest = match.groups(default="SHA256")
    key_size = 16 if cipher == "AES_128" else 32
    prf_hash = "sha384" if digest == "SHA384" else "sha256"
    if mode == "CBC":
        return Layout(mode, key_size, prf_hash, "sha1" if digest == "SHA" else digest.lower(), 0)
    return Layout(mode, key_size, prf_hash, "", 12 if mode == "POLY1305" else 4)


def record_keys(
    negotiated: Negotiated, master_secret: bytes, *, sender: str
) -> ExplicitNonceKeys | ChaChaKeys | CbcKeys | None:
    """Derive one sender's keys from the key block; None when the suite cannot be opened here."""
    plan = layout(negotiated.suite)
    if plan is None:
        return None
    sizes = (_MAC_SIZES.get(plan.mac_hash, 0), plan.key_size, plan.iv_size)
    seed = b"key expansion" + negotiated.server_random + negotiated.client_random
    mac_key, key, iv = _cut(_prf(plan.prf_hash, master_secret, seed=seed, size=2 * sum(sizes)), sizes, sender=sender)
    if plan.mode == "POLY1305":
        return ChaChaKeys(key, iv)
    if plan.mode == "CBC":
        return CbcKeys(key, mac_key, mac_hash=plan.mac_hash, encrypt_then_mac=negotiated.encrypt_then_mac)
    return ExplicitNonceKeys(plan.mode, key, iv=iv)


class ExplicitNonceKeys:
    """AES-GCM and AES-CCM: four fixed bytes of nonce, eight in the record."""

    __slots__ = ("_aead", "_iv", "_tag_size")

    def __init__(self, mode: str, key: bytes, *, iv: bytes) -> None:
        self._iv = iv
        self._tag_size = 8 if mode == "CCM_8" else 16
        self._aead = AESGCM(key) if mode == "GCM" else AESCCM(key, tag_length=self._tag_size)

    def open(self, header: bytes, body: bytes, sequence: int) -> tuple[int, bytes, int] | None:
        """Give the content type, the plaintext and 0; None when the record does not open."""
        size = len(body) - 8 - self._tag_size
        if size < 0:
            return None
        associated = _pseudo_header(header, size, sequence=sequence)
        try:
            return header[0], self._aead.decrypt(self._iv + body[:8], body[8:], associated), 0
        except InvalidTag:
            return None


class ChaChaKeys:
    """ChaCha20-Poly1305: the nonce is the IV exclusive-or the sequence, as in TLS 1.3."""

    __slots__ = ("_aead", "_iv")

    def __init__(self, key: bytes, iv: bytes) -> None:
        self._aead = ChaCha20Poly1305(key)
        self._iv = int.from_bytes(iv, "big")

    def open(self, header: bytes, body: bytes, sequence: int) -> tuple[int, bytes, int] | None:
        """Give the content type, the plaintext and 0; None when the record does not open."""
        if len(body) < 16:
            return None
        nonce = (self._iv ^ sequence).to_bytes(12, "big")
        try:
            associated = _pseudo_header(header, len(body) - 16, sequence=sequence)
            return header[0], self._aead.decrypt(nonce, body, associated), 0
        except InvalidTag:
            return None


class CbcKeys:
    """AES-CBC with an HMAC, over the plaintext or, with encrypt-then-MAC, over the ciphertext and its IV."""

    __slots__ = ("_encrypt_then_mac", "_key", "_mac_hash", "_mac_key", "_mac_size")

    def __init__(self, key: bytes, mac_key: bytes, *, mac_hash: str, encrypt_then_mac: bool) -> None:
        self._key = AES(key)
        self._mac_key = mac_key
        self._mac_hash = mac_hash
        self._mac_size = _MAC_SIZES[mac_hash]
        self._encrypt_then_mac = encrypt_then_mac

    def open(self, header: bytes, body: bytes, sequence: int) -> tuple[int, bytes, int] | None:
        """Give the content type, the plaintext and 0; None when padding or MAC are wrong."""
        if self._encrypt_then_mac:
            body, mac = body[: -self._mac_size], body[-self._mac_size :]
            plaintext = self._decrypt(body) if self._is_authentic(header, body, mac=mac, sequence=sequence) else None
        else:
            padded = self._decrypt(body) or b""
            plaintext, mac = padded[: -self._mac_size], padded[-self._mac_size :]
            if not self._is_authentic(header, plaintext, mac=mac, sequence=sequence):
                plaintext = None
        return None if plaintext is None else (header[0], plaintext, 0)

    def _is_authentic(self, header: bytes, covered: bytes, *, mac: bytes, sequence: int) -> bool:
        authenticated = _pseudo_header(header, len(covered), sequence=sequence) + covered
        return hmac.digest(self._mac_key, authenticated, self._mac_hash) == mac

    def _decrypt(self, body: bytes) -> bytes | None:
        """Decrypt and take the padding off; None when that cannot be."""
        if len(body) < 2 * _BLOCK or len(body) % _BLOCK:
            return None
        decryptor = Cipher(self._key, CBC(body[:_BLOCK])).decryptor()
        padded = decryptor.update(body[_BLOCK:]) + decryptor.finalize()
        padding = padded[-1] + 1
        if padding > len(padded) or padded[-padding:] != bytes([padding - 1]) * padding:
            return None
        return padded[:-padding]


def _pseudo_header(header: bytes, size: int, *, sequence: int) -> bytes:
    """Lay out what is authenticated besides the content: sequence, type, version, length."""
    return sequence.to_bytes(8, "big") + header[:3] + size.to_bytes(2, "big")


def _prf(hash_name: str, secret: bytes, *, seed: bytes, size: int) -> bytes:
    """Compute P_hash; `seed` begins with the label."""
    block, output = seed, b""
    while len(output) < size:
        block = hmac.digest(secret, block, hash_name)
        output += hmac.digest(secret, block + seed, hash_name)
    return output[:size]


def _cut(key_block: bytes, sizes: tuple[int, ...], *, sender: str) -> list[bytes]:
    """Take one sender's MAC key, key and IV: in each pair the client's comes first."""
    parts, position = [], 0
    for size in sizes:
        start = position + (0 if sender == "client" else size)
        parts.append(key_block[start : start + size])
        position += 2 * size
    return parts
