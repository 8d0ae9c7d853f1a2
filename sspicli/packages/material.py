"""What throw-away certificates are made of: keys and serial numbers, hashed out of a seed for one purpose each.

The rule guarded here: one seed and one purpose give the same bytes, on every machine and in every process. RSA is the
exception: such a key cannot be derived from a seed, so it is made once per process.
"""

from __future__ import annotations

import hashlib
import ipaddress
from functools import lru_cache

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

PrivateKey = Ed25519PrivateKey | ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

# FIPS 186-4, D.1.2.3 and D.1.2.4: the order of each curve's base point
_P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_P384_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFC7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973


def serial_number(seed: int, role: str) -> int:
    """Give a positive serial number of exactly 16 bytes, so that certificates keep their length."""
    number = int.from_bytes(_material(seed, f"serial {role}")[:16])
    return (number & ~(0xC0 << 120)) | (0x40 << 120)


def ed25519(seed: int, role: str) -> Ed25519PrivateKey:
    """Derive an Ed25519 key."""
    return Ed25519PrivateKey.from_private_bytes(_material(seed, f"key {role}"))


def leaf_key(kind: str, seed: int, role: str) -> PrivateKey:
    """Derive a key of a kind; RSA keys are this process's own."""
    match kind:
        case "ed25519":
            return ed25519(seed, role)
        case "p256":
            secret = int.from_bytes(_material(seed, f"key {role}")) % (_P256_ORDER - 1) + 1
            return ec.derive_private_key(secret, ec.SECP256R1())
        case "p384":
            wide = _material(seed, f"key {role}") + _material(seed, f"more key {role}")
            return ec.derive_private_key(int.from_bytes(wide) % (_P384_ORDER - 1) + 1, ec.SECP384R1())
        case "rsa1024":
            return rsa_key(1024)
    return rsa_key(2048)


@lru_cache(maxsize=4)
def rsa_key(bits: int) -> rsa.RSAPrivateKey:
    """Make an RSA key, once per process and size: it takes tens of milliseconds."""
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


def der_of(certificate: x509.Certificate) -> bytes:
    """Write a certificate."""
    return certificate.public_bytes(serialization.Encoding.DER)


def pkcs8(key: PrivateKey) -> bytes:
    """Write a private key, not encrypted."""
    return key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def general_name(name: str) -> x509.GeneralName:
    """Write an IP literal as iPAddress, everything else as dNSName."""
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _material(seed: int, role: str) -> bytes:
    """Hash 32 bytes out of the seed for one purpose."""
    return hashlib.sha256(f"sspicli/certificates/1 {seed} {role}".encode()).digest()
