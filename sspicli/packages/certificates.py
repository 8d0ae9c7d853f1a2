"""A throw-away certification authority and its leaves, good and deliberately bad.

The rule guarded here: a certificate is a function of (seed, clock, preset, key kind, usage, name) and of nothing else,
so that two runs with one seed put the same bytes on the wire. Keys and serial numbers are hashed out of the seed, dates
count from the injected clock, serial numbers have one length. The exception is RSA: such a key cannot be derived from a
seed (it is made once per process), so its certificates differ from process to process.

The authority itself always signs with Ed25519: its signatures are deterministic and its certificates small. Nothing
made here protects anything: whoever knows the seed knows every key.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from sspicli.packages.descriptions import ascii_name
from sspicli.packages.material import PrivateKey, der_of, ed25519, general_name, leaf_key, pkcs8, rsa_key, serial_number
from sspicli.packages.option_values import CERT_PRESETS as CERT_PRESETS
from sspicli.packages.option_values import KEY_KINDS as KEY_KINDS
from sspicli.sspi.errors import UsageError
from sspicli.sspi.schannel import CertContext

USAGES = ("server", "client")

DAY = 86_400
_WEAK_BITS = 1024
_LARGE_NAMES = 1500
_INTERMEDIATES = 3
_LONGEST_COMMON_NAME = 64  # ub-common-name, RFC 5280 appendix A.1
_EARLIEST_CLOCK = -599_616_000  # 1951-01-01: X.509 dates begin in 1950
_LATEST_CLOCK = 253_339_228_800  # 9998-01-01: and end with year 9999

_SERVER_AUTH, _CLIENT_AUTH = ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH


@dataclass(frozen=True, slots=True)
class Signer:
    """Who signs: a distinguished name with its Ed25519 key."""

    name: x509.Name
    key: Ed25519PrivateKey


@dataclass(frozen=True, slots=True, kw_only=True)
class _Leaf:
    """What a preset says about a leaf: names, days of validity counted from the clock, usage."""

    name: str
    first_day: int = -1
    last_day: int = 30
    usage: x509.ObjectIdentifier
    further_names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Authority:
    """A throw-away root, and what it issues, for one seed and one clock (Unix seconds)."""

    seed: int
    clock: int
    root: Signer = field(repr=False)

    @classmethod
    def create(cls, *, seed: int, clock: int) -> Authority:
        """Make the authority of a seed; raise UsageError for a clock that X.509 dates cannot hold."""
        if not _EARLIEST_CLOCK <= clock <= _LATEST_CLOCK:
            raise UsageError("certificates can be made for a clock between the years 1951 and 9998 only")
        return cls(seed, clock, Signer(_name("sspicli throw-away root"), ed25519(seed, "root")))

    @cached_property
    def untrusted(self) -> Signer:
        """A root that is in nobody's store."""
        return Signer(_name("sspicli root that nobody trusts"), ed25519(self.seed, "untrusted root"))

    @cached_property
    def root_der(self) -> bytes:
        """The root certificate, for the peer's store."""
        return der_of(self._authority_certificate(self.root, self.root, "root"))

    @cached_property
    def untrusted_der(self) -> bytes:
        """The certificate of the root that is in nobody's store."""
        return der_of(self._authority_certificate(self.untrusted, self.untrusted, "untrusted root"))

    @cached_property
    def crl_der(self) -> bytes:
        """The root's revocation list: it names the `revoked` leaf of either side, with any key."""
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self.root.name)
            .last_update(self._day(-1))
            .next_update(self._day(30))
        )
        for usage in USAGES:
            for kind in KEY_KINDS:
                number = serial_number(self.seed, f"revoked {kind} {usage}")
                entry = x509.RevokedCertificateBuilder().serial_number(number).revocation_date(self._day(-1))
                builder = builder.add_revoked_certificate(entry.build())
        return builder.sign(self.root.key, None).public_bytes(serialization.Encoding.DER)

    @cached_property
    def name_der(self) -> bytes:
        """The root's subject, as a CertificateRequest names acceptable issuers."""
        return self.root.name.public_bytes()

    def issue(self, preset: str, key: str, *, name: str, usage: str) -> CertContext:
        """Issue the leaf of a preset, with its intermediates and its private key.

        Args:
            preset: One of `CERT_PRESETS`; `none` gives a CertContext with an empty chain.
            key: One of `KEY_KINDS`; `weak-key` ignores it.
            name: The host (or client) that a good certificate names, a DNS name or an IP address.
            usage: `server` or `client`, for the extended key usage.

        Raises:
            UsageError: `name` cannot stand in a certificate.
        """
        assert preset in CERT_PRESETS, f"{preset!r} is no preset"
        assert key in KEY_KINDS, f"{key!r} is no kind of key"
        assert usage in USAGES, f"{usage!r} is neither server nor client"
        if preset == "none":
            return CertContext((), label="preset none")
        label = f"preset {preset}, {'rsa1024' if preset == 'weak-key' else key}"
        role = f"{preset} {key} {usage}"
        private_key = rsa_key(_WEAK_BITS) if preset == "weak-key" else leaf_key(key, self.seed, role)
        leaf = _preset_leaf(preset, name, usage)
        signer, above = self._signer(preset)
        if preset == "self-signed":
            own = self._self_signed(leaf, private_key, role)
            return CertContext((own,), pkcs8(private_key), label)
        certificate = self._leaf_builder(leaf, private_key, role).issuer_name(signer.name)
        certificate = certificate.add_extension(_authority_key_id(signer.key), critical=False)
        return CertContext((der_of(certificate.sign(signer.key, None)), *above), pkcs8(private_key), label)

    def _signer(self, preset: str) -> tuple[Signer, tuple[bytes, ...]]:
        """Choose who signs a preset's leaf, with the intermediates to send, nearest first."""
        if preset == "untrusted":
            return self.untrusted, ()
        if preset != "long-chain":
            return self.root, ()
        signer = self.root
        above: tuple[bytes, ...] = ()
        for number in range(1, _INTERMEDIATES + 1):
            role = f"intermediate {number}"
            below = Signer(_name(f"sspicli throw-away {role}"), ed25519(self.seed, role))
            above = (der_of(self._authority_certificate(below, signer, role)), *above)
            signer = below
        return signer, above

    def _authority_certificate(self, subject: Signer, issuer: Signer, role: str) -> x509.Certificate:
        """Sign a certificate that may itself sign certificates."""
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject.name)
            .issuer_name(issuer.name)
            .public_key(subject.key.public_key())
            .serial_number(serial_number(self.seed, role))
            .not_valid_before(self._day(-90))
            .not_valid_after(self._day(365))
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(_key_usage(signs_certificates=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(subject.key.public_key()), critical=False)
        )
        if subject is not issuer:
            builder = builder.add_extension(_authority_key_id(issuer.key), critical=False)
        return builder.sign(issuer.key, None)

    def _leaf_builder(self, leaf: _Leaf, private_key: PrivateKey, role: str) -> x509.CertificateBuilder:
        """Lay out a leaf; its issuer and the signature are still missing."""
        alternatives = [general_name(one) for one in (leaf.name, *leaf.further_names)]
        return (
            x509.CertificateBuilder()
            .subject_name(_name(leaf.name[:_LONGEST_COMMON_NAME]))
            .public_key(private_key.public_key())
            .serial_number(serial_number(self.seed, role))
            .not_valid_before(self._day(leaf.first_day))
            .not_valid_after(self._day(leaf.last_day))
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_key_usage(has_rsa_key=isinstance(private_key, rsa.RSAPrivateKey)), critical=True)
            .add_extension(x509.ExtendedKeyUsage([leaf.usage]), critical=False)
            .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        )

    def _self_signed(self, leaf: _Leaf, private_key: PrivateKey, role: str) -> bytes:
        """Sign a leaf with its own key, ECDSA deterministically."""
        builder = self._leaf_builder(leaf, private_key, role).issuer_name(_name(leaf.name[:_LONGEST_COMMON_NAME]))
        if isinstance(private_key, ec.EllipticCurvePrivateKey):
            return der_of(builder.sign(private_key, hashes.SHA256(), ecdsa_deterministic=True))
        digest = None if isinstance(private_key, Ed25519PrivateKey) else hashes.SHA256()
        return der_of(builder.sign(private_key, digest))

    def _day(self, days: int) -> datetime:
        return datetime.fromtimestamp(self.clock + days * DAY, tz=UTC)


def _preset_leaf(preset: str, name: str, usage: str) -> _Leaf:
    """Say how a preset's leaf differs from a good one."""
    host = ascii_name(name)
    own, other = (_SERVER_AUTH, _CLIENT_AUTH) if usage == "server" else (_CLIENT_AUTH, _SERVER_AUTH)
    match preset:
        case "expired":
            return _Leaf(name=host, usage=own, first_day=-30, last_day=-3)
        case "not-yet-valid":
            return _Leaf(name=host, usage=own, first_day=3, last_day=30)
        case "wrong-name":
            return _Leaf(name=_other_name(host), usage=own)
        case "wrong-usage":
            return _Leaf(name=host, usage=other)
        case "large":
            further = tuple([f"host-{number:04}.a-rather-long-name.invalid" for number in range(_LARGE_NAMES)])
            return _Leaf(name=host, usage=own, further_names=further)
    return _Leaf(name=host, usage=own)


def _other_name(host: str) -> str:
    return "wrong-name.invalid" if host.lower() != "wrong-name.invalid" else "other-name.invalid"


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _key_usage(*, signs_certificates: bool = False, has_rsa_key: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=has_rsa_key,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _authority_key_id(key: Ed25519PrivateKey) -> x509.AuthorityKeyIdentifier:
    return x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key())
