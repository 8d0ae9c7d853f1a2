"""Cipher suites, groups and signature algorithms: IANA's names beside OpenSSL's.

The rule guarded here: IANA's spelling is the one the program keeps and shows; OpenSSL's is accepted on input and given
to the engine. Names are compared without regard to case. The tables list what the engine can be told to do and Schannel
has or could have; suites without encryption, without a certificate or with a national cipher are left out.

Source: IANA's TLS registries (names, code points); OpenSSL's own lists (its names).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, TypeVar


class CipherSuite(NamedTuple):
    """One cipher suite.

    `versions` are those it belongs to, `1.2` or `1.3`. `cipher` is `AES` or `CHACHA20_POLY1305`; `mode` is GCM, CCM,
    CCM_8 or CBC, empty where the cipher has none. `hash` is the one in the name: of the key schedule, or with CBC of
    the MAC (`SHA1` where IANA writes SHA). `exchange` (ECDHE, DHE, RSA) and `certificate` (ECDSA, RSA) are empty in
    TLS 1.3, whose suites say nothing about either.
    """

    iana_name: str
    openssl_name: str
    code_point: int
    versions: tuple[str, ...]
    key_bits: int
    cipher: str
    mode: str
    hash: str
    exchange: str
    certificate: str


class Group(NamedTuple):
    """One group for the key exchange; `aliases` are further spellings that are understood, such as `P-256`."""

    iana_name: str
    openssl_name: str
    code_point: int
    aliases: tuple[str, ...] = ()


class SignatureAlgorithm(NamedTuple):
    """One signature scheme."""

    iana_name: str
    openssl_name: str
    code_point: int


_Row = TypeVar("_Row", CipherSuite, SignatureAlgorithm)


def _suite(iana_name: str, openssl_name: str, code_point: int) -> CipherSuite:
    """Read a suite's parts out of its IANA name: TLS, exchange, certificate, WITH, cipher, bits, mode, hash."""
    agreement, with_, protection = iana_name.removeprefix("TLS_").rpartition("WITH_")
    exchange, _, certificate = agreement.rstrip("_").partition("_")
    body, _, last = protection.rpartition("_")
    is_hash = last.startswith("SHA")
    words = (body if is_hash else protection).split("_")
    digest = {"SHA": "SHA1"}.get(last, last) if is_hash else "SHA256"  # RFC 6655: CCM in TLS 1.2 goes with SHA-256
    versions = ("1.2",) if with_ else ("1.3",)
    if words[0] == "CHACHA20":
        cipher, bits, mode = "CHACHA20_POLY1305", 256, ""
    else:
        cipher, bits, mode = words[0], int(words[1]), "_".join(words[2:])
    certificate = certificate or exchange
    return CipherSuite(iana_name, openssl_name, code_point, versions, bits, cipher, mode, digest, exchange, certificate)


CIPHER_SUITES: tuple[CipherSuite, ...] = (
    _suite("TLS_AES_256_GCM_SHA384", "TLS_AES_256_GCM_SHA384", 0x1302),
    _suite("TLS_CHACHA20_POLY1305_SHA256", "TLS_CHACHA20_POLY1305_SHA256", 0x1303),
    _suite("TLS_AES_128_GCM_SHA256", "TLS_AES_128_GCM_SHA256", 0x1301),
    _suite("TLS_AES_128_CCM_SHA256", "TLS_AES_128_CCM_SHA256", 0x1304),
    _suite("TLS_AES_128_CCM_8_SHA256", "TLS_AES_128_CCM_8_SHA256", 0x1305),
    _suite("TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", "ECDHE-ECDSA-AES256-GCM-SHA384", 0xC02C),
    _suite("TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", "ECDHE-RSA-AES256-GCM-SHA384", 0xC030),
    _suite("TLS_DHE_RSA_WITH_AES_256_GCM_SHA384", "DHE-RSA-AES256-GCM-SHA384", 0x009F),
    _suite("TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", "ECDHE-ECDSA-CHACHA20-POLY1305", 0xCCA9),
    _suite("TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", "ECDHE-RSA-CHACHA20-POLY1305", 0xCCA8),
    _suite("TLS_DHE_RSA_WITH_CHACHA20_POLY1305_SHA256", "DHE-RSA-CHACHA20-POLY1305", 0xCCAA),
    _suite("TLS_ECDHE_ECDSA_WITH_AES_256_CCM_8", "ECDHE-ECDSA-AES256-CCM8", 0xC0AF),
    _suite("TLS_ECDHE_ECDSA_WITH_AES_256_CCM", "ECDHE-ECDSA-AES256-CCM", 0xC0AD),
    _suite("TLS_DHE_RSA_WITH_AES_256_CCM_8", "DHE-RSA-AES256-CCM8", 0xC0A3),
    _suite("TLS_DHE_RSA_WITH_AES_256_CCM", "DHE-RSA-AES256-CCM", 0xC09F),
    _suite("TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "ECDHE-ECDSA-AES128-GCM-SHA256", 0xC02B),
    _suite("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "ECDHE-RSA-AES128-GCM-SHA256", 0xC02F),
    _suite("TLS_DHE_RSA_WITH_AES_128_GCM_SHA256", "DHE-RSA-AES128-GCM-SHA256", 0x009E),
    _suite("TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8", "ECDHE-ECDSA-AES128-CCM8", 0xC0AE),
    _suite("TLS_ECDHE_ECDSA_WITH_AES_128_CCM", "ECDHE-ECDSA-AES128-CCM", 0xC0AC),
    _suite("TLS_DHE_RSA_WITH_AES_128_CCM_8", "DHE-RSA-AES128-CCM8", 0xC0A2),
    _suite("TLS_DHE_RSA_WITH_AES_128_CCM", "DHE-RSA-AES128-CCM", 0xC09E),
    _suite("TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384", "ECDHE-ECDSA-AES256-SHA384", 0xC024),
    _suite("TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384", "ECDHE-RSA-AES256-SHA384", 0xC028),
    _suite("TLS_DHE_RSA_WITH_AES_256_CBC_SHA256", "DHE-RSA-AES256-SHA256", 0x006B),
    _suite("TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256", "ECDHE-ECDSA-AES128-SHA256", 0xC023),
    _suite("TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256", "ECDHE-RSA-AES128-SHA256", 0xC027),
    _suite("TLS_DHE_RSA_WITH_AES_128_CBC_SHA256", "DHE-RSA-AES128-SHA256", 0x0067),
    _suite("TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA", "ECDHE-ECDSA-AES256-SHA", 0xC00A),
    _suite("TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA", "ECDHE-RSA-AES256-SHA", 0xC014),
    _suite("TLS_DHE_RSA_WITH_AES_256_CBC_SHA", "DHE-RSA-AES256-SHA", 0x0039),
    _suite("TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA", "ECDHE-ECDSA-AES128-SHA", 0xC009),
    _suite("TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", "ECDHE-RSA-AES128-SHA", 0xC013),
    _suite("TLS_DHE_RSA_WITH_AES_128_CBC_SHA", "DHE-RSA-AES128-SHA", 0x0033),
    _suite("TLS_RSA_WITH_AES_256_GCM_SHA384", "AES256-GCM-SHA384", 0x009D),
    _suite("TLS_RSA_WITH_AES_256_CCM_8", "AES256-CCM8", 0xC0A1),
    _suite("TLS_RSA_WITH_AES_256_CCM", "AES256-CCM", 0xC09D),
    _suite("TLS_RSA_WITH_AES_128_GCM_SHA256", "AES128-GCM-SHA256", 0x009C),
    _suite("TLS_RSA_WITH_AES_128_CCM_8", "AES128-CCM8", 0xC0A0),
    _suite("TLS_RSA_WITH_AES_128_CCM", "AES128-CCM", 0xC09C),
    _suite("TLS_RSA_WITH_AES_256_CBC_SHA256", "AES256-SHA256", 0x003D),
    _suite("TLS_RSA_WITH_AES_128_CBC_SHA256", "AES128-SHA256", 0x003C),
    _suite("TLS_RSA_WITH_AES_256_CBC_SHA", "AES256-SHA", 0x0035),
    _suite("TLS_RSA_WITH_AES_128_CBC_SHA", "AES128-SHA", 0x002F),
)

GROUPS: tuple[Group, ...] = (
    Group("x25519", "X25519", 0x001D, ("Curve25519",)),
    Group("secp256r1", "P-256", 0x0017, ("prime256v1", "NistP256")),
    Group("secp384r1", "P-384", 0x0018, ("NistP384",)),
    Group("secp521r1", "P-521", 0x0019, ("NistP521",)),
    Group("x448", "X448", 0x001E),
    Group("X25519MLKEM768", "X25519MLKEM768", 0x11EC),
    Group("SecP256r1MLKEM768", "SecP256r1MLKEM768", 0x11EB),
    Group("SecP384r1MLKEM1024", "SecP384r1MLKEM1024", 0x11ED),
    Group("MLKEM512", "MLKEM512", 0x0200),
    Group("MLKEM768", "MLKEM768", 0x0201),
    Group("MLKEM1024", "MLKEM1024", 0x0202),
    Group("ffdhe2048", "ffdhe2048", 0x0100),
    Group("ffdhe3072", "ffdhe3072", 0x0101),
    Group("ffdhe4096", "ffdhe4096", 0x0102),
    Group("ffdhe6144", "ffdhe6144", 0x0103),
    Group("ffdhe8192", "ffdhe8192", 0x0104),
)

SIGNATURE_ALGORITHMS: tuple[SignatureAlgorithm, ...] = (
    SignatureAlgorithm("ecdsa_secp256r1_sha256", "ECDSA+SHA256", 0x0403),
    SignatureAlgorithm("ecdsa_secp384r1_sha384", "ECDSA+SHA384", 0x0503),
    SignatureAlgorithm("ecdsa_secp521r1_sha512", "ECDSA+SHA512", 0x0603),
    SignatureAlgorithm("ed25519", "ed25519", 0x0807),
    SignatureAlgorithm("ed448", "ed448", 0x0808),
    SignatureAlgorithm("rsa_pss_rsae_sha256", "rsa_pss_rsae_sha256", 0x0804),
    SignatureAlgorithm("rsa_pss_rsae_sha384", "rsa_pss_rsae_sha384", 0x0805),
    SignatureAlgorithm("rsa_pss_rsae_sha512", "rsa_pss_rsae_sha512", 0x0806),
    SignatureAlgorithm("rsa_pss_pss_sha256", "rsa_pss_pss_sha256", 0x0809),
    SignatureAlgorithm("rsa_pss_pss_sha384", "rsa_pss_pss_sha384", 0x080A),
    SignatureAlgorithm("rsa_pss_pss_sha512", "rsa_pss_pss_sha512", 0x080B),
    SignatureAlgorithm("rsa_pkcs1_sha256", "RSA+SHA256", 0x0401),
    SignatureAlgorithm("rsa_pkcs1_sha384", "RSA+SHA384", 0x0501),
    SignatureAlgorithm("rsa_pkcs1_sha512", "RSA+SHA512", 0x0601),
    SignatureAlgorithm("rsa_pkcs1_sha1", "RSA+SHA1", 0x0201),
    SignatureAlgorithm("ecdsa_sha1", "ECDSA+SHA1", 0x0203),
    SignatureAlgorithm("mldsa44", "mldsa44", 0x0904),
    SignatureAlgorithm("mldsa65", "mldsa65", 0x0905),
    SignatureAlgorithm("mldsa87", "mldsa87", 0x0906),
)


def find_suite(name: str) -> CipherSuite | None:
    """Find a cipher suite by either of its names; None when the table has no such name."""
    return _find(name, CIPHER_SUITES)


def find_group(name: str) -> Group | None:
    """Find a group by a name or an alias; None when the table has no such name."""
    wanted = name.lower()
    for one in GROUPS:
        if wanted in (one.iana_name.lower(), one.openssl_name.lower(), *map(str.lower, one.aliases)):
            return one
    return None


def find_signature_algorithm(name: str) -> SignatureAlgorithm | None:
    """Find a signature scheme by either of its names; None when the table has no such name."""
    return _find(name, SIGNATURE_ALGORITHMS)


def _find(name: str, rows: Iterable[_Row]) -> _Row | None:
    wanted = name.lower()
    for one in rows:
        if wanted in (one.iana_name.lower(), one.openssl_name.lower()):
            return one
    return None
