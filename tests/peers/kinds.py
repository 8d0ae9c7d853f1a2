"""The catalogue of captures: every kind of handshake that the product can run, and what only outside programs do.

The rule guarded here: a kind says what must be true of its handshake, so that the comparison is about it and not about
a handshake that went another way.
"""

from __future__ import annotations

from typing import NamedTuple

from sspicli.packages.openssl_names import CIPHER_SUITES, GROUPS, CipherSuite
from sspicli.sspi.status import SecurityStatus
from tests.peers.foreign import PSK, Foreign, Step

S = SecurityStatus
Statuses = tuple[SecurityStatus, SecurityStatus]  # the client's, the server's
VERSIONS = ("1.2", "1.3")
SETTLED = (S.SEC_E_OK, S.SEC_E_OK)


class Kind(NamedTuple):
    """A handshake of the product: settings, and what it must be for the comparison to be about it.

    `has` names a message of our reading. `{folder}` in a setting is where the certificate files stand.
    """

    tls: str
    client: tuple[str, ...] = ()
    server: tuple[str, ...] = ()
    messages: int = 0
    resumes: bool = False
    statuses: Statuses = SETTLED
    has: str = "Finished"


# A certificate file, because a preset's RSA key would be made anew for each.
_RSA = ("cert={folder}/rsa.pem", "key={folder}/rsa.key")
_TRUSTS_RSA = ("trust={folder}/rsa.pem",)


def _by_suite() -> dict[str, Kind]:
    """Make one for every suite that the engine has at its security level, with a record each way."""
    return {
        one.iana_name: Kind(one.versions[0], *_settings_for(one), messages=1)
        for one in CIPHER_SUITES
        if one.mode != "CCM_8"
    }


def _settings_for(suite: CipherSuite) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Give both sides the suite, and a key that goes with it."""
    name = f"suites={suite.iana_name}"
    return ((name, *_TRUSTS_RSA), (name, *_RSA)) if suite.certificate == "RSA" else ((name,), (name, "key=p256"))


def _by_group() -> dict[str, Kind]:
    """Make one for every group: all of TLS 1.3, and the curves of TLS 1.2."""
    both = {}
    for one in GROUPS:
        groups = (f"groups={one.iana_name}",)
        both[f"{one.iana_name} 1.3"] = Kind("1.3", groups, groups)
    curves = [one.iana_name for one in GROUPS if one.code_point <= 0x1E]
    # The key is of RSA, because an ECDSA key's curve would have to be among the groups.
    return both | {f"{one} 1.2": Kind("1.2", (f"groups={one}", *_TRUSTS_RSA), _RSA) for one in curves}


def _by_key() -> dict[str, Kind]:
    """Make one for every kind of key that a certificate file may hold, and for every scheme of an RSA key."""
    kinds = {}
    for key in ("p256", "p384", "p521", "ed448", "rsa"):
        files = (f"cert={{folder}}/{key}.pem", f"key={{folder}}/{key}.key")
        for tls in VERSIONS:
            kinds[f"{key} file {tls}"] = Kind(tls, (f"trust={{folder}}/{key}.pem",), files)
    for scheme in ("rsa_pss_rsae_sha256", "rsa_pss_rsae_sha384", "rsa_pss_rsae_sha512"):
        for tls in VERSIONS:
            kinds[f"{scheme} {tls}"] = Kind(tls, (f"sigalgs={scheme},ed25519", *_TRUSTS_RSA), _RSA)
    for scheme in ("rsa_pkcs1_sha256", "rsa_pkcs1_sha384", "rsa_pkcs1_sha512"):
        kinds[f"{scheme} 1.2"] = Kind("1.2", (f"sigalgs={scheme},ed25519", *_TRUSTS_RSA), _RSA)
    rich = ("cert={folder}/rich.pem", "key={folder}/rich.key")
    return kinds | {f"rich {tls}": Kind(tls, ("validate=manual",), rich) for tls in VERSIONS}


def _by_certificate() -> dict[str, Kind]:
    """Make one for every bad certificate at either side, in both versions."""
    unknown = S.SEC_E_CERT_UNKNOWN
    refused: dict[str, tuple[str, SecurityStatus, SecurityStatus]] = {
        "expired": ("certificate_expired", S.SEC_E_CERT_EXPIRED, S.SEC_E_CERT_EXPIRED),
        "not-yet-valid": ("bad_certificate", S.SEC_E_CERT_EXPIRED, unknown),
        "wrong-name": ("bad_certificate", S.SEC_E_WRONG_PRINCIPAL, unknown),
        "untrusted": ("unknown_ca", S.SEC_E_UNTRUSTED_ROOT, S.SEC_E_UNTRUSTED_ROOT),
        "self-signed": ("unknown_ca", S.SEC_E_UNTRUSTED_ROOT, S.SEC_E_UNTRUSTED_ROOT),
        "wrong-usage": ("unsupported_certificate", S.SEC_E_CERT_WRONG_USAGE, unknown),
        "weak-key": ("bad_certificate", unknown, unknown),
        "revoked": ("certificate_revoked", S.CRYPT_E_REVOKED, S.CRYPT_E_REVOKED),
    }
    kinds = {}
    for preset, (alert, judged, told) in refused.items():
        has = f"Alert fatal {alert}"
        for tls in VERSIONS:
            kinds[f"{preset} server {tls}"] = Kind(tls, (), (f"cert={preset}",), statuses=(judged, told), has=has)
            if preset != "wrong-name":  # nobody checks a client's name
                client, server = (f"cert={preset}",), ("request-cert=require",)
                statuses = (told if tls == "1.2" else S.SEC_E_OK, judged)
                kinds[f"{preset} client {tls}"] = Kind(tls, client, server, statuses=statuses, has=has)
    return kinds


def _by_client_certificate() -> dict[str, Kind]:
    """Make those with no, one and four certificates of the client, and with large ones."""
    kinds = {}
    for tls in VERSIONS:
        for preset in ("valid", "long-chain", "large"):
            kinds[f"{preset} client {tls}"] = Kind(
                tls, (f"cert={preset}",), ("request-cert=require",), has="CertificateRequest"
            )
            kinds[f"{preset} server {tls}"] = Kind(tls, (), (f"cert={preset}",))
        kinds[f"anonymous client {tls}"] = Kind(tls, (), ("request-cert=yes",), has="CertificateRequest")
    return kinds | {
        "refused anonymous client 1.2": Kind(
            "1.2",
            (),
            ("request-cert=require",),
            statuses=(S.SEC_E_ILLEGAL_MESSAGE, S.SEC_I_INCOMPLETE_CREDENTIALS),
            has="Alert fatal handshake_failure",
        ),
        "refused anonymous client 1.3": Kind(
            "1.3",
            (),
            ("request-cert=require",),
            statuses=(S.SEC_E_OK, S.SEC_I_INCOMPLETE_CREDENTIALS),
            has="Alert fatal certificate_required",
        ),
    }


def _in_both_versions() -> dict[str, Kind]:
    """Make those that are about neither suite nor certificate."""
    kinds: dict[str, Kind] = {}
    for tls in VERSIONS:
        kinds |= {
            f"full {tls}": Kind(tls),
            f"resumed {tls}": Kind(tls, ("resume=ticket",), messages=1, resumes=True),
            f"without tickets {tls}": Kind(tls, (), ("resume=off",)),
            f"alpn {tls}": Kind(tls, ("alpn=h2,http/1.1",), ("alpn=http/1.1",)),
            f"rsa2048 {tls}": Kind(tls, (), ("key=rsa2048",)),
            f"data {tls}": Kind(tls, messages=3),
            f"nameless {tls}": Kind(tls, ("target=",)),
            f"address {tls}": Kind(tls, ("target=127.0.0.1",)),
            f"manual {tls}": Kind(tls, ("validate=manual",), ("cert=expired",)),
        }
    return kinds


_NO_COMMON = (S.SEC_E_ILLEGAL_MESSAGE, S.SEC_E_ALGORITHM_MISMATCH)
_OTHER_VERSION = (S.SEC_E_UNSUPPORTED_FUNCTION, S.SEC_E_ALGORITHM_MISMATCH)
_PROTOCOLS = (S.SEC_E_APPLICATION_PROTOCOL_MISMATCH, S.SEC_E_APPLICATION_PROTOCOL_MISMATCH)
_AES = ("suites=TLS_AES_128_GCM_SHA256", "suites=TLS_AES_256_GCM_SHA384")
_ECDHE = tuple(f"suites=TLS_ECDHE_ECDSA_WITH_{one}" for one in ("AES_128_GCM_SHA256", "AES_256_GCM_SHA384"))
_MISMATCHED = {
    "no common suite 1.3": Kind("1.3", _AES[:1], _AES[1:], statuses=_NO_COMMON, has="Alert fatal handshake_failure"),
    "no common suite 1.2": Kind(
        "1.2", _ECDHE[:1], _ECDHE[1:], statuses=_NO_COMMON, has="Alert fatal handshake_failure"
    ),
    "no common group": Kind(
        "1.3", ("groups=x25519",), ("groups=secp256r1",), statuses=_NO_COMMON, has="Alert fatal handshake_failure"
    ),
    "no common version up": Kind("1.2", (), ("tls=1.3",), statuses=_OTHER_VERSION, has="Alert fatal protocol_version"),
    "no common version down": Kind(
        "1.3", (), ("tls=1.2",), statuses=_OTHER_VERSION, has="Alert fatal protocol_version"
    ),
} | {
    f"no common protocol {tls}": Kind(
        tls, ("alpn=h2",), ("alpn=http/1.1",), statuses=_PROTOCOLS, has="Alert fatal no_application_protocol"
    )
    for tls in VERSIONS
}
_RETRIED = {
    "retried": Kind("1.3", ("groups=x25519,secp256r1",), ("groups=secp256r1",), has="HelloRetryRequest"),
    "retried to ffdhe": Kind("1.3", ("groups=x25519,ffdhe3072",), ("groups=ffdhe3072",), has="HelloRetryRequest"),
    "retried to hybrid": Kind(
        "1.3", ("groups=x25519,X25519MLKEM768",), ("groups=X25519MLKEM768",), has="HelloRetryRequest"
    ),
    "retried mutual": Kind(
        "1.3",
        ("groups=x25519,secp384r1", "cert=valid", "alpn=h2"),
        ("groups=secp384r1", "request-cert=require", "alpn=h2"),
        has="HelloRetryRequest",
    ),
    "either version": Kind("1.2-1.3"),
    "older version": Kind("1.2-1.3", (), ("tls=1.2",)),
}

KINDS: dict[str, Kind] = (
    _in_both_versions()
    | _RETRIED
    | _by_suite()
    | _by_group()
    | _by_key()
    | _by_client_certificate()
    | _by_certificate()
    | _MISMATCHED
)


# -- between outside programs ------------------------------------------------------------------------------------------
def _settled(times: int) -> str:
    """Describe what `s_client -state` has printed when it has settled so many times."""
    return rf"(?s)(SSL negotiation finished successfully.*){{{times}}}"


_12, _13 = ("-tls1_2",), ("-tls1_3",)
_GNUTLS = ("gnutls-serv", "gnutls-cli")
_MORE = Step("client", "more\n", "more")
_AGAIN = Step("server", "again\n", "again")
_SESSION_OUT = ("-sess_out", "{folder}/session")
_SESSION_IN = ("-sess_in", "{folder}/session")
_ANONYMOUS = ("-cipher", "ADH-AES128-GCM-SHA256:AECDH-AES128-SHA@SECLEVEL=0")

FOREIGN: dict[str, Foreign] = {
    "openssl 1.3": Foreign(server=_13),
    "openssl 1.2": Foreign(server=_12),
    "openssl renegotiates": Foreign(
        server=(*_12, "-client_renegotiation"),
        steps=(Step("client", "R\n", "RENEGOTIATING", "client"), _MORE),  # it does so before it sends more
        has=("ClientHello", "ClientHello", "Finished", "Finished", "Finished", "Finished"),
    ),
    "openssl asks to renegotiate": Foreign(
        server=_12,
        client=("-state",),
        steps=(Step("server", "r\n", _settled(2)), _MORE, _AGAIN),
        has=("HelloRequest", "ClientHello", "ClientHello", "Finished", "Finished", "Finished", "Finished"),
    ),
    "openssl updates keys": Foreign(
        server=_13,
        steps=(
            Step("client", "K\n", "KEYUPDATE", "client"),
            Step("client", "one\n", "one"),
            Step("server", "two\n", "two"),
            Step("server", "k\n", ""),
            Step("client", "three\n", "three"),
            Step("server", "four\n", "four"),
        ),
        has=("KeyUpdate", "KeyUpdate", "KeyUpdate"),
    ),
    "openssl authenticates later": Foreign(
        server=(*_13, "-verify", "2"),
        client=("-enable_pha", "-state"),
        client_key="p384",
        steps=(Step("server", "c\n", _settled(4)), _MORE, _AGAIN),  # two tickets settle it again
        has=("CertificateRequest", "CertificateRequest"),
    ),
    "openssl early data": Foreign(
        server=(*_13, "-early_data"),
        first=_SESSION_OUT,
        client=(*_SESSION_IN, "-early_data", "{folder}/early"),
        has=("EndOfEarlyData",),
    ),
    "openssl session id": Foreign(server=(*_12, "-no_ticket"), first=_SESSION_OUT, client=_SESSION_IN),
    "openssl psk 1.3": Foreign(server=(*_13, "-psk", PSK), client=("-psk", PSK), key=None),
    "openssl psk without a group": Foreign(
        server=(*_13, "-psk", PSK, "-allow_no_dhe_kex"),
        client=("-psk", PSK, "-allow_no_dhe_kex"),
        key=None,
    ),
    "openssl dhe psk": Foreign(
        server=(*_12, "-psk", PSK, "-psk_hint", "tests"),
        client=("-psk", PSK, "-cipher", "DHE-PSK-AES256-GCM-SHA384"),
        key=None,
    ),
    "openssl rsa psk": Foreign(
        server=(*_12, "-psk", PSK, "-psk_hint", "tests"),
        client=("-psk", PSK, "-cipher", "RSA-PSK-AES256-GCM-SHA384"),
        key="rsa",
    ),
    "openssl plain psk": Foreign(
        server=(*_12, "-psk", PSK, "-psk_hint", "tests"),
        client=("-psk", PSK, "-cipher", "PSK-AES256-CBC-SHA"),
        key=None,
    ),
    "openssl ecdhe psk": Foreign(
        server=(*_12, "-psk", PSK), client=("-psk", PSK, "-cipher", "ECDHE-PSK-CHACHA20-POLY1305"), key=None
    ),
    "openssl anonymous": Foreign(server=(*_12, *_ANONYMOUS), client=_ANONYMOUS, key=None),
    "openssl next protocol": Foreign(
        server=(*_12, "-nextprotoneg", "h2,spdy/1"), client=("-nextprotoneg", "spdy/1"), has=("NextProtocol",)
    ),
    "openssl staples 1.2": Foreign(
        server=(*_12, "-status_file", "{folder}/server/ocsp.der"),
        client=("-status",),
        is_rich=True,
        has=("CertificateStatus",),
    ),
    "openssl staples 1.3": Foreign(
        server=(*_13, "-status_file", "{folder}/server/ocsp.der"), client=("-status",), is_rich=True
    ),
    "openssl offers much": Foreign(
        server=_12, client=("-maxfraglen", "1024", "-serverinfo", "18,1234", "-status", "-servername", "example.org")
    ),
    "openssl breaks the rules": Foreign(
        server=_12,
        client=("-use_srtp", "SRTP_AES128_CM_SHA1_80:SRTP_AEAD_AES_256_GCM"),
        fails=True,
        has=("Alert fatal illegal_parameter",),
    ),
    "openssl rsa-pss 1.2": Foreign(server=_12, key="rsa-pss"),
    "openssl rsa-pss 1.3": Foreign(server=_13, key="rsa-pss"),
    "openssl without etm": Foreign(server=(*_12, "-no_etm", "-cipher", "ECDHE-ECDSA-AES128-SHA"), client=("-no_etm",)),
    "openssl small records": Foreign(server=(*_13, "-max_send_frag", "512", "-record_padding", "64"), key="rsa"),
    "openssl small records 1.2": Foreign(server=(*_12, "-max_send_frag", "512"), key="rsa"),
    "openssl ccm8": Foreign(
        server=(*_12, "-cipher", "ECDHE-ECDSA-AES256-CCM8@SECLEVEL=0"),
        client=("-cipher", "ECDHE-ECDSA-AES256-CCM8@SECLEVEL=0"),
    ),
    "openssl ccm8 1.3": Foreign(
        server=(*_13, "-ciphersuites", "TLS_AES_128_CCM_8_SHA256"),
        client=("-ciphersuites", "TLS_AES_128_CCM_8_SHA256"),
    ),
    "openssl 1.1": Foreign(
        server=("-tls1_1", "-cipher", "ALL@SECLEVEL=0", "-verify", "2"),
        client=("-tls1_1", "-cipher", "ALL@SECLEVEL=0"),
        client_key="p256",
        has=("CertificateRequest", "CertificateVerify", "Encrypted"),
    ),
    "openssl without a middlebox": Foreign(server=(*_13, "-no_middlebox"), client=("-no_middlebox",)),
    "openssl falls back": Foreign(
        client=("-tls1_2", "-fallback_scsv"), fails=True, has=("Alert fatal inappropriate_fallback",)
    ),
    "openssl stateless": Foreign(
        server=(*_13, "-stateless"), fails=True, has=("HelloRetryRequest", "ClientHello", "ClientHello")
    ),
    "openssl pads": Foreign(server=_12, client=("-bugs", "-alpn", "h2,http/1.1,spdy/1", "-servername", "a" * 60)),
    "openssl serverinfo 1.3": Foreign(  # the client of this make does not want them here
        server=(*_13, "-serverinfo", "{folder}/serverinfo.pem"),
        client=("-serverinfo", "18,1234"),
        fails=True,
        has=("Alert fatal illegal_parameter",),
    ),
    "openssl serverinfo 1.2": Foreign(
        server=(*_12, "-serverinfo", "{folder}/serverinfo.pem"), client=("-serverinfo", "18,1234")
    ),
    "openssl srp": Foreign(server=_12, client=("-srpuser", "me", "-srppass", "pass:x", "-cipher", "ALL")),
    "openssl null": Foreign(
        server=(*_12, "-cipher", "eNULL@SECLEVEL=0"),
        client=("-cipher", "eNULL@SECLEVEL=0"),
        key="rsa",
        has=("Encrypted",),
    ),
    "gnutls rehandshakes": Foreign(
        by=_GNUTLS,
        client=("--rehandshake", "--priority=NORMAL:-VERS-ALL:+VERS-TLS1.2"),
        has=("ClientHello", "ClientHello"),
    ),
    "gnutls 1.3": Foreign(by=_GNUTLS, client=("--post-handshake-auth",), client_key="p384"),
    "gnutls 1.2": Foreign(by=_GNUTLS, client=("--priority=NORMAL:-VERS-ALL:+VERS-TLS1.2", "--heartbeat")),
    "gnutls heartbeats": Foreign(
        by=_GNUTLS,
        client=("--priority=NORMAL:-VERS-ALL:+VERS-TLS1.2", "--heartbeat", "--recordsize=1024"),
        server=("--heartbeat",),
    ),
    "gnutls finite fields": Foreign(
        by=_GNUTLS, client=("--priority=NORMAL:-GROUP-ALL:+GROUP-FFDHE2048:+GROUP-FFDHE3072",)
    ),
    "gnutls srtp": Foreign(
        by=_GNUTLS,
        client=("--srtp-profiles=SRTP_AES128_CM_HMAC_SHA1_80:SRTP_NULL_SHA1_32",),
        server=("--srtp-profiles=SRTP_AES128_CM_HMAC_SHA1_80",),
    ),
    "gnutls raw keys": Foreign(by=_GNUTLS, client=("--priority=NORMAL:+CTYPE-CLI-RAWPK:+CTYPE-SRV-RAWPK",)),
    "gnutls meets openssl": Foreign(by=("gnutls-serv", "openssl"), client_key="ed25519"),
    "openssl meets gnutls": Foreign(by=("openssl", "gnutls-cli"), client=("--alpn=h2", "--alpn=spdy/1")),
}
