"""The user's certificates, keys, trust anchors and passwords: read from files, checked, never shown.

The rule guarded here: a file is judged completely before anything is done with it. It must be a regular file of at most
1 MiB, what is inside must parse, neither an RSA key nor the derivation of a key from a password may be so large that it
takes more than a moment, and the key must belong to the certificate. Every refusal is an InputError that names the
file, and none of them quotes what was in it: neither the file's content nor the password nor the engine's own words.
"""

from __future__ import annotations

import binascii
import os
import sys
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization import pkcs12

from sspicli.files.regular import read_regular_file
from sspicli.sspi.errors import InputError
from sspicli.sspi.schannel import CertContext

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

SigningKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey

MAX_FILE_BYTES = 1 << 20
MAX_PASSWORD_BYTES = 1023  # what OpenSSL's password callback can hand over
MAX_RSA_BITS = 8192

MAX_DERIVATION_ROUNDS = 2_000_000  # half a second; writers of such files use thousands, careful ones a million

_MAX_KEY_BAG_BYTES = 6_000  # RSA with 8192 bits and its encryption take less than 5,000
_MAX_DEPTH = 16
_KEY_BAGS = tuple([bytes.fromhex(f"2A864886F70D010C0A01{kind}") for kind in ("01", "02")])  # RFC 7292, 4.2
_DER_INTEGER, _DER_OCTET_STRING, _DER_OBJECT_ID, _DER_CONSTRUCTED = 0x02, 0x04, 0x06, 0x20
_CERTIFICATE_LABELS = (b"CERTIFICATE", b"X509 CERTIFICATE")
_UNREADABLE = (ValueError, TypeError, OverflowError, UnsupportedAlgorithm, x509.InvalidVersion)
_PASSWORD_HELP = "put the password into a file and name it with key-password-file=FILE (or - for standard input)"  # noqa: S105


class _Block(NamedTuple):
    """One PEM block: the label after BEGIN, and the whole text with both lines."""

    label: bytes
    text: bytes


def load_certificate(path: str, *, key_path: str | None = None, password: bytes | None = None) -> CertContext:
    """Load a certificate with its chain and private key from a PEM, DER or PKCS#12 file.

    Args:
        path: The file with the certificate, leaf first; certificates after it are the chain. A self-signed one
            among those is a root and is left out, as Schannel does not send it.
        key_path: The file with the private key (PEM or DER); None when it stands in the same file.
        password: What opens an encrypted key or a PKCS#12 file; None when nothing was given. It is not an error
            to give one that nothing needs.

    Raises:
        InputError: A file cannot be read, or is not what it should be.
    """
    data = read_file(path)
    if _is_pkcs12(data):
        found, own_key = _open_pkcs12(path, data, password)
    else:
        found = _certificates(path, data)
        own_key = None if key_path else _key_in(path, data, password)
    chain = [found[0], *(one for one in found[1:] if one.issuer != one.subject)]
    key = _key_in(key_path, read_file(key_path), password) if key_path else own_key
    if key is None:
        raise InputError("there is no private key in it", where=key_path or path, help="name the key's file: key=FILE")
    _check_pair(chain, key, where=key_path or path)
    return CertContext(tuple([_der(one) for one in chain]), _pkcs8(key), f"file {elide(os.path.basename(path))}")  # noqa: PTH119


def load_trust(path: str) -> tuple[bytes, ...]:
    """Load trust anchors, DER, from a PEM file with one or more certificates or from a DER file with one."""
    data = read_file(path)
    if _is_pkcs12(data):
        raise InputError("trust anchors cannot be read from PKCS#12", where=path, help="convert it to PEM")
    return tuple([_der(one) for one in _certificates(path, data)])


def read_password(path: str, *, stdin: BinaryIO | None = None) -> bytes:
    """Read a password from a file, or from standard input for `-`; one newline at its end is not part of it.

    A path that does not exist is not shown: it may be the password itself, put in the wrong place.
    """
    from_stdin = path == "-"
    data = _read_stdin(stdin) if from_stdin else _read_password_file(path)
    password = data.removesuffix(b"\n").removesuffix(b"\r") if data.endswith(b"\n") else data
    shown = "standard input" if from_stdin else path
    if not password:
        raise InputError("there is no password in it", where=shown)
    if len(password) > MAX_PASSWORD_BYTES:
        raise InputError(f"a password has at most {MAX_PASSWORD_BYTES} bytes, this one has more", where=shown)
    return password


def read_file(path: str) -> bytes:
    """Read a regular file of at most 1 MiB; never wait for a FIFO, a device or a terminal."""
    too_large = "the file is larger than 1 MiB, which no certificate or key file is"
    return read_regular_file(path, largest=MAX_FILE_BYTES, too_large=too_large)


def elide(text: str, limit: int = 64) -> str:
    """Shorten a text from outside, so that an error stays readable."""
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def _read_stdin(stdin: BinaryIO | None) -> bytes:
    """Read no more than a password can have, with its newline and one byte to see that it is too long."""
    if stdin is None and sys.stdin is None:
        raise InputError("standard input is closed", where="standard input")
    return (stdin or sys.stdin.buffer).read(MAX_PASSWORD_BYTES + 3)


def _read_password_file(path: str) -> bytes:
    try:
        exists = os.path.lexists(path)
    except ValueError:
        exists = False
    if not exists:
        raise InputError(
            "the password file does not exist", where="key-password-file", help="it takes a file's name or -"
        )
    return read_file(path)


def _certificates(path: str, data: bytes) -> list[x509.Certificate]:
    """Parse every certificate of a PEM or DER file; at least one."""
    if not _is_pem(data):
        return [_certificate(path, data)]
    blocks = _pem_blocks(path, data)
    found = [_certificate(path, one.text) for one in blocks if one.label in _CERTIFICATE_LABELS]
    if not found:
        raise InputError("there is no certificate in it", where=path, help=_instead(blocks))
    return found


def _certificate(path: str, data: bytes) -> x509.Certificate:
    load = x509.load_pem_x509_certificate if _is_pem(data) else x509.load_der_x509_certificate
    try:
        with _quiet():
            certificate = load(data)
            key = certificate.public_key()
            _ = certificate.subject, certificate.issuer
    except _UNREADABLE:
        what = "a certificate in it" if _is_pem(data) else "it is neither PEM nor PKCS#12, and as a DER certificate it"
        raise InputError(f"{what} cannot be read", where=path) from None
    if isinstance(key, rsa.RSAPublicKey):
        _check_rsa_size(key.key_size, path)
    return certificate


def _key_in(path: str, data: bytes, password: bytes | None) -> SigningKey | None:
    """Find the private key of a PEM or DER file; None when a PEM file holds none."""
    if not _is_pem(data):
        return None if _is_der_certificate(data) else _private_key(path, data, password)
    blocks = _pem_blocks(path, data)
    keys = [one for one in blocks if one.label.endswith(b"PRIVATE KEY")]
    if len(keys) > 1:
        raise InputError(f"there are {len(keys)} private keys in it, and one is wanted", where=path)
    if not keys:
        return None
    if keys[0].label == b"OPENSSH PRIVATE KEY":
        raise InputError(
            "the key is in OpenSSH's own format", where=path, help="convert it: ssh-keygen -p -m PKCS8 -f FILE"
        )
    return _private_key(path, keys[0].text, password)


def _private_key(path: str, data: bytes, password: bytes | None) -> SigningKey:
    """Load one private key: its size is judged before OpenSSL verifies that it is prime."""
    key = _signing_key(path, _parse_key(path, data, password, skips_check=True))
    if isinstance(key, rsa.RSAPrivateKey):
        _check_rsa_size(key.key_size, path)
        return _signing_key(path, _parse_key(path, data, password, skips_check=False))
    return key


def _parse_key(path: str, data: bytes, password: bytes | None, *, skips_check: bool) -> PrivateKeyTypes:
    load = serialization.load_pem_private_key if _is_pem(data) else serialization.load_der_private_key
    _check_effort(path, _pem_body(data) if _is_pem(data) else data)
    try:
        with _quiet():
            return load(data, None, unsafe_skip_rsa_key_validation=skips_check)
    except TypeError:
        pass  # it is encrypted
    except (ValueError, UnsupportedAlgorithm):
        raise InputError("the private key cannot be read", where=path) from None
    if password is None:
        raise InputError("the private key is encrypted and needs its password", where=path, help=_PASSWORD_HELP)
    try:
        with _quiet():
            return load(data, password, unsafe_skip_rsa_key_validation=skips_check)
    except _UNREADABLE:
        raise InputError("the password does not open the private key, or the key is damaged", where=path) from None


def _open_pkcs12(path: str, data: bytes, password: bytes | None) -> tuple[list[x509.Certificate], SigningKey | None]:
    """Open a PKCS#12 file: the certificates, the one with the key first, and the key if there is one."""
    _check_effort(path, data)
    for attempt in (None, b"") if password is None else (password,):
        try:
            with _quiet():
                bag = pkcs12.load_pkcs12(data, attempt)
            break
        except _UNREADABLE:
            continue
    else:
        if password is None:
            raise InputError("PKCS#12 needs its password, or the file is damaged", where=path, help=_PASSWORD_HELP)
        raise InputError("the password does not open the PKCS#12 file, or the file is damaged", where=path)
    further = [one.certificate for one in bag.additional_certs]
    found = [bag.cert.certificate, *further] if bag.cert else further
    if not found:
        raise InputError("there is no certificate in it", where=path)
    checked = [_certificate(path, _der(one)) for one in found]
    return _in_order(checked), None if bag.key is None else _signing_key(path, bag.key)


def _in_order(found: list[x509.Certificate]) -> list[x509.Certificate]:
    """Put a bag's certificates, which have no order, behind the first one: its issuer, and so on, then the rest."""
    ordered, rest = found[:1], found[1:]
    while rest:
        following = next((one for one in rest if one.subject == ordered[-1].issuer), rest[0])
        rest.remove(following)
        ordered.append(following)
    return ordered


def _signing_key(path: str, key: PrivateKeyTypes) -> SigningKey:
    if isinstance(key, SigningKey):
        return key
    raise InputError("the private key cannot sign for TLS; RSA, ECDSA and EdDSA keys can", where=path)


def _check_effort(path: str, der: bytes) -> None:
    """Refuse what would keep OpenSSL busy before it can say whether the password is right.

    Rounds are the INTEGERs after a salt: in PBKDF2, in the PKCS#12 schemes and in a PKCS#12 file's MAC alike. The key
    in such a file is verified while it is opened, so its size is judged by the bag it comes in.
    """
    waiting = [(der, 0)]
    while waiting:
        content, depth = waiting.pop()
        has_salt = is_key_bag = False
        for tag, body in _elements(content):
            if has_salt and tag == _DER_INTEGER and int.from_bytes(body[:16]) > MAX_DERIVATION_ROUNDS:
                asked = f"more than {MAX_DERIVATION_ROUNDS:,} rounds to derive a key from the password are refused"
                raise InputError(asked, where=path, cause="the file asks for them")
            if is_key_bag and len(body) > _MAX_KEY_BAG_BYTES:
                raise InputError(f"the private key is larger than RSA with {MAX_RSA_BITS} bits", where=path)
            has_salt = has_salt or tag == _DER_OCTET_STRING
            is_key_bag = tag == _DER_OBJECT_ID and body in _KEY_BAGS
            if depth < _MAX_DEPTH and (tag & _DER_CONSTRUCTED or body[:1] == b"\x30"):
                waiting.append((body, depth + 1))


def _elements(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Divide BER into tags and contents; what has no definite length goes on to the end."""
    at = 0
    while at + 2 <= len(data):
        tag, length = data[at], data[at + 1]
        at += 2
        if length == 0x80:
            length = len(data)
        elif length & 0x80:
            width = length & 0x7F
            length = int.from_bytes(data[at : at + width])
            at += width
        yield tag, data[at : at + length]
        at += length


def _check_rsa_size(bits: int, path: str) -> None:
    if bits > MAX_RSA_BITS:
        raise InputError(
            f"the RSA key has {bits} bits; more than {MAX_RSA_BITS} are refused, verifying would take too long",
            where=path,
        )


def _check_pair(chain: list[x509.Certificate], key: SigningKey, *, where: str) -> None:
    """Make sure that the key belongs to the first certificate; say so if it belongs to a later one."""
    public_key = key.public_key()
    owners = [number for number, one in enumerate(chain, 1) if one.public_key() == public_key]
    if not owners:
        raise InputError("the private key does not belong to the certificate", where=where)
    if owners[0] != 1:
        raise InputError(
            f"the private key belongs to certificate {owners[0]} of the file, not to the first",
            where=where,
            help="put the leaf first, then its issuer, and so on",
        )


def _is_pem(data: bytes) -> bool:
    return b"-----BEGIN " in data


def _pem_blocks(path: str, data: bytes) -> list[_Block]:
    """Divide PEM into blocks, line by line: linear in the size whatever the content."""
    blocks: list[_Block] = []
    label, lines = b"", list[bytes]()
    for line in data.splitlines():
        text = line.strip()
        if text.startswith(b"-----BEGIN ") and text.endswith(b"-----"):
            if label:
                break
            label, lines = text[11:-5], []
        if label:
            lines.append(text)
        if label and text == b"-----END " + label + b"-----":
            blocks.append(_Block(label, b"\n".join(lines) + b"\n"))
            label = b""
    if label:
        raise InputError("malformed PEM: a block begins and does not end", where=path)
    return blocks


def _pem_body(block: bytes) -> bytes:
    """Decode a block; one with headers (OpenSSL's old encryption, one round of MD5) has nothing to be judged by."""
    if b"Proc-Type:" in block:
        return b""
    lines = block.splitlines()[1:-1]
    try:
        return binascii.a2b_base64(b"".join(lines))
    except binascii.Error:
        return b""


def _instead(blocks: list[_Block]) -> str:
    """Say what a PEM file holds where a certificate was wanted, in our words and not in its."""
    labels = {one.label for one in blocks}
    if any(one.endswith(b"PRIVATE KEY") for one in labels):
        return "it holds a private key: that goes with key=FILE"
    if labels & {b"CERTIFICATE REQUEST", b"NEW CERTIFICATE REQUEST"}:
        return "it holds a certificate request, which an authority has yet to sign"
    if b"TRUSTED CERTIFICATE" in labels:
        return "it holds OpenSSL's TRUSTED CERTIFICATE: convert it with openssl x509"
    return ""


def _is_pkcs12(data: bytes) -> bool:
    """Recognise PFX: a SEQUENCE (of definite or indefinite length) that begins with the INTEGER 3."""
    return data[:1] == b"\x30" and data[_content_start(data) :][:3] == b"\x02\x01\x03"


def _is_der_certificate(data: bytes) -> bool:
    """Tell a certificate from a key, when neither says what it is."""
    try:
        with _quiet():
            x509.load_der_x509_certificate(data)
    except _UNREADABLE:
        return False
    return True


def _content_start(data: bytes) -> int:
    """Find where the content of the first DER element begins."""
    length = data[1] if len(data) > 1 else 0
    return 2 + (length & 0x7F if length & 0x80 else 0)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the library's warnings about odd certificates (such as a negative serial number) off the screen."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.DER)


def _pkcs8(key: SigningKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
