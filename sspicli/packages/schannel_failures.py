"""Why a leg failed: the one map from what the engine shows to the status Windows would give, and what decided.

The rule guarded here: a status is looked up, never guessed and never read out of an error's text, because texts change
with every OpenSSL. The verifier's code comes first, then what this program knows for itself, then the number of the
alert received or sent. What is in no row is SEC_E_INTERNAL_ERROR with the engine's words. Each row says how we know it,
and where the engine is known to behave otherwise than Windows.

Sources: Schannel's page of statuses for alerts and the status-code page (documented); alerts as .NET's and msquic's
sources choose them, statuses as Wine's tests assert them (observed); the rest is inferred and says so.
"""

from __future__ import annotations

from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

from sspicli.sspi.alerts import ALERTS, DEFAULT_STATUS
from sspicli.sspi.package import Role, Source
from sspicli.sspi.status import SecurityStatus

_S = SecurityStatus
_D, _O, _I = Source.DOCUMENTED, Source.OBSERVED, Source.INFERRED


class Knowledge(StrEnum):
    """What the package knows without asking the engine."""

    GARBAGE_HEADER = "bytes that begin no TLS record"
    NO_COMMON_PROTOCOL = "the ALPN callback found no common protocol"
    CLOSE_NOTIFY = "the peer closed during the handshake"
    CLIENT_CERTIFICATE_ABSENT = "a client certificate is required and none came"
    NO_OWN_CERTIFICATE = "the server's credential holds no certificate"
    UNREADABLE_ALERT = "a fatal alert whose number could not be seen"


class Clues(NamedTuple):
    """What is known about a failure; `verify_code` only when the refusal is what failed it."""

    role: Role
    verify_code: int | None = None
    knowledge: Knowledge | None = None
    alert_received: int | None = None
    alert_sent: int | None = None


class FailureRow(NamedTuple):
    """One row of the map.

    `side` is who fails with it: `client`, `server` or `either`. `alert` is the number this engine sends (for a row of
    a received alert: the number that came), None for none. `difference` is "" unless the engine departs from Windows.
    """

    id: str
    side: str
    when: str
    status: SecurityStatus
    alert: int | None
    source: Source
    verify_codes: tuple[int, ...] = ()
    knowledge: Knowledge | None = None
    field: str = ""
    note: str = ""
    difference: str = ""
    is_received: bool = False


_VALIDITY = "Certificate[{depth}].validity."
CLEAR_ALERT = (
    "a TLS 1.3 client that refuses the server's flight sends its alert in clear here; Windows is expected to encrypt it"
)

CERTIFICATE_ROWS: tuple[FailureRow, ...] = (
    FailureRow(
        "certificate-expired", "either", "a certificate of the peer has ended", _S.SEC_E_CERT_EXPIRED, 45, _D, (10,),
        field=_VALIDITY + "notAfter",
    ),
    FailureRow(
        "certificate-not-yet-valid", "either", "a certificate of the peer has not begun", _S.SEC_E_CERT_EXPIRED, 42, _D,
        (9,), field=_VALIDITY + "notBefore",
        difference="OpenSSL sends alert 42 (bad_certificate); .NET picks 45 (certificate_expired)",
    ),
    FailureRow(
        "untrusted-root", "either", "the chain does not end in a trusted root", _S.SEC_E_UNTRUSTED_ROOT, 48, _D,
        (2, 18, 19, 20, 21), field="Certificate[{depth}].issuer",
    ),
    FailureRow(
        "wrong-name", "client", "the certificate does not name the target", _S.SEC_E_WRONG_PRINCIPAL, 42, _D, (62, 64),
        field="Certificate[0].extensions.subjectAltName",
    ),
    FailureRow(
        "revoked", "either", "the issuer's revocation list names the certificate", _S.CRYPT_E_REVOKED, 44, _D, (23,),
        field="Certificate[{depth}].serialNumber",
    ),
    FailureRow(
        "no-revocation-list", "either", "revocation is to be checked and no list is there",
        _S.CRYPT_E_NO_REVOCATION_CHECK, 48, _O, (3,), field="Certificate[{depth}].extensions.cRLDistributionPoints",
        difference="OpenSSL sends alert 48 (unknown_ca) for a missing list; .NET picks 46 (certificate_unknown)",
    ),
    FailureRow(
        "stale-revocation-list", "either", "the revocation list is not of today", _S.CRYPT_E_REVOCATION_OFFLINE, 45, _I,
        (11, 12), note="a list that cannot be renewed is what an unreachable server leaves; the status is inferred",
        difference="OpenSSL sends alert 45 (42 before the list's time); .NET picks 44 when revocation is offline",
    ),
    FailureRow(
        "wrong-usage", "either", "the certificate's key usage is for something else", _S.SEC_E_CERT_WRONG_USAGE, 43, _D,
        (26,), field="Certificate[{depth}].extensions.extendedKeyUsage",
        note="the status is documented; Windows may send 42 or 46 instead",
    ),
    FailureRow(
        "bad-certificate-signature", "either", "a certificate's signature is bad", _S.SEC_E_CERT_UNKNOWN, 51, _I, (7,),
        field="Certificate[{depth}].signatureValue",
        difference="OpenSSL sends alert 51 (decrypt_error); .NET picks 42 (bad_certificate)",
    ),
    FailureRow(
        "weak-key", "either", "a certificate's key or digest is too weak", _S.SEC_E_CERT_UNKNOWN, 42, _I, (66, 67, 68),
        field="Certificate[{depth}].subjectPublicKeyInfo",
        difference="OpenSSL refuses by its security level; on Windows policy decides, and .NET picks alert 46",
    ),
    FailureRow(
        "other-chain-error", "either", "the chain is refused for another reason", _S.SEC_E_CERT_UNKNOWN, None, _O,
        note="any other code of the verifier; .NET sends 46, OpenSSL what it deems fit",
    ),
)  # fmt: skip

KNOWN_ROWS: tuple[FailureRow, ...] = (
    FailureRow(
        "garbage-header", "either", "the bytes begin no TLS record", _S.SEC_E_INVALID_TOKEN, None, _O,
        knowledge=Knowledge.GARBAGE_HEADER, field="TLSPlaintext.header",
        note="seen before anything is fed to the engine, so no alert is made",
    ),
    FailureRow(
        "no-common-application-protocol", "server", "the ALPN lists do not overlap",
        _S.SEC_E_APPLICATION_PROTOCOL_MISMATCH, 120, _D, knowledge=Knowledge.NO_COMMON_PROTOCOL,
        field="ClientHello.extensions.application_layer_protocol_negotiation",
    ),
    FailureRow(
        "closed-in-handshake", "either", "close_notify came during the handshake", _S.SEC_I_CONTEXT_EXPIRED, None, _I,
        knowledge=Knowledge.CLOSE_NOTIFY, note="documented after the handshake only; during one no page says",
    ),
    FailureRow(
        "client-certificate-required", "server", "a client certificate is required and none came",
        _S.SEC_I_INCOMPLETE_CREDENTIALS, 116, _O, knowledge=Knowledge.CLIENT_CERTIFICATE_ABSENT,
        field="Certificate.certificate_list",
        note="msquic meets this positive status at the end of a handshake; alert 116 in TLS 1.3, 40 in TLS 1.2",
        difference="Windows only requests a client certificate; here a credential can demand it in the handshake",
    ),
    FailureRow(
        "no-server-certificate", "server", "the server's credential holds no certificate",
        _S.SEC_E_ALGORITHM_MISMATCH, 40, _I, knowledge=Knowledge.NO_OWN_CERTIFICATE, field="ClientHello.cipher_suites",
        note="that it is acquired and fails at the first accept call is observed, the status inferred; "
        "OpenSSL sends 40 for TLS 1.2, and 70 where TLS 1.3 alone was on offer",
    ),
    FailureRow(
        "unreadable-alert", "either", "a fatal alert came whose number could not be seen", DEFAULT_STATUS, None, _I,
        knowledge=Knowledge.UNREADABLE_ALERT, note="the status is that of the table's row for all other alerts",
    ),
)  # fmt: skip

SENT_ROWS: tuple[FailureRow, ...] = (
    FailureRow(
        "no-common-version", "either", "no protocol version in common", _S.SEC_E_ALGORITHM_MISMATCH, 70, _O,
        field="ClientHello.extensions.supported_versions", note="older texts name SEC_E_UNSUPPORTED_FUNCTION",
    ),
    FailureRow(
        "no-common-algorithm", "server", "no suite, group or signature algorithm in common",
        _S.SEC_E_ALGORITHM_MISMATCH, 40, _D, field="ClientHello.cipher_suites", note="Windows may send 71 instead",
    ),
    FailureRow("unexpected-message", "either", "a message came out of turn", _S.SEC_E_ILLEGAL_MESSAGE, 10, _D),
    FailureRow(
        "record-altered", "either", "a record cannot be authenticated", _S.SEC_E_MESSAGE_ALTERED, 20, _D,
        field="TLSCiphertext.encrypted_record", note="SEC_E_DECRYPT_FAILURE is named for it too",
    ),
    FailureRow("record-overflow", "either", "a record is longer than allowed", _S.SEC_E_ILLEGAL_MESSAGE, 22, _D),
    FailureRow(
        "illegal-parameter", "either", "a field contradicts the protocol", _S.SEC_E_ILLEGAL_MESSAGE, 47, _D,
    ),
    FailureRow("decode-error", "either", "a message cannot be decoded", _S.SEC_E_ILLEGAL_MESSAGE, 50, _D),
    FailureRow(
        "malformed-certificate", "either", "a certificate cannot be read", _S.SEC_E_CERT_UNKNOWN, 42, _I,
        field="Certificate[0]", note="the code page's meaning of the status; SEC_E_ILLEGAL_MESSAGE is as likely",
    ),
    FailureRow(
        "verify-data-wrong", "either", "a Finished or CertificateVerify does not check", _S.SEC_E_DECRYPT_FAILURE, 51,
        _I, note="SEC_E_MESSAGE_ALTERED is as likely",
    ),
    FailureRow("engine-internal", "either", "the engine failed inside", _S.SEC_E_INTERNAL_ERROR, 80, _I),
    FailureRow(
        "missing-extension", "either", "an extension it takes is missing", _S.SEC_E_ILLEGAL_MESSAGE, 109, _I,
    ),
    FailureRow(
        "bad-server-name", "server", "the server_name extension cannot be read", _S.SEC_E_ILLEGAL_MESSAGE, 112, _I,
        field="ClientHello.extensions.server_name",
    ),
    FailureRow(
        "unsupported-extension", "client", "an extension came unasked for", _S.SEC_E_ILLEGAL_MESSAGE, 110, _I,
    ),
)  # fmt: skip

RECEIVED_ROWS: tuple[FailureRow, ...] = tuple(
    FailureRow(
        f"received-{row.name.replace('_', '-')}", "either", f"the peer sent {row.name}", row.status, row.number,
        row.source, note=row.note, is_received=True,
    )
    for row in ALERTS.values()
    if row.number
)  # fmt: skip

RECEIVED_OTHER = FailureRow(
    "received-unregistered-alert", "either", "the peer sent an alert nobody registered", DEFAULT_STATUS, None, _D,
    is_received=True,
)  # fmt: skip

NOT_IN_THE_TABLE = FailureRow(
    "not-in-the-table", "either", "none of the above", _S.SEC_E_INTERNAL_ERROR, None, _I,
    note="the words are the engine's; no Windows status is claimed for it",
)  # fmt: skip

ROWS: tuple[FailureRow, ...] = (
    *CERTIFICATE_ROWS, *KNOWN_ROWS, *SENT_ROWS, *RECEIVED_ROWS, RECEIVED_OTHER, NOT_IN_THE_TABLE,
)  # fmt: skip

_OTHER_CHAIN_ERROR = CERTIFICATE_ROWS[-1]
_BY_VERIFY = MappingProxyType({code: row for row in CERTIFICATE_ROWS for code in row.verify_codes})
_BY_KNOWLEDGE = MappingProxyType({row.knowledge: row for row in KNOWN_ROWS})
_BY_SENT = MappingProxyType({row.alert: row for row in SENT_ROWS})
_BY_RECEIVED = MappingProxyType({row.alert: row for row in RECEIVED_ROWS})


def find_row(clues: Clues) -> FailureRow:
    """Look a failure up: by verify code, then own knowledge, then the alert received, then the alert sent."""
    if clues.verify_code is not None:
        return _BY_VERIFY.get(clues.verify_code, _OTHER_CHAIN_ERROR)
    if clues.knowledge is not None:
        return _BY_KNOWLEDGE[clues.knowledge]
    if clues.alert_received is not None:
        return _BY_RECEIVED.get(clues.alert_received, RECEIVED_OTHER)
    return _BY_SENT.get(clues.alert_sent, NOT_IN_THE_TABLE)


class Departure(NamedTuple):
    """Where this program and Windows part, or might: `here`, what is known of `windows`, and how."""

    id: str
    here: str
    windows: str
    source: Source


ENGINE_DIFFERENCES: tuple[Departure, ...] = (
    Departure("clear-client-alert", CLEAR_ALERT, "alerts after ServerHello are encrypted in TLS 1.3 (RFC 8446)", _I),
    *(
        Departure(row.id, row.difference, row.when, _O)
        for row in (*CERTIFICATE_ROWS, *KNOWN_ROWS)
        if row.difference
    ),
    Departure(
        "two-tickets", "a TLS 1.3 server always sends two NewSessionTickets, even without reconnects",
        "a traced Windows server sends one flight of about 100 bytes", _O,
    ),
    Departure(
        "user-canceled", "OpenSSL passes over alert 90 in TLS 1.3; this program ends the handshake itself",
        "the table of alerts lists SEC_E_UNFINISHED_CONTEXT_DELETED for it", _D,
    ),
    Departure(
        "defects-in-order",
        "of several defects of one certificate OpenSSL reports chain, usage, name, date in this order; the others are "
        "found by a second look",
        "no page says which of several defects decides the status", _I,
    ),
    Departure(
        "any-usage", "an extended key usage of anyExtendedKeyUsage alone is refused for clients and servers",
        "RFC 5280 lets it stand for every purpose; CryptoAPI is expected to take it", _I,
    ),
    Departure(
        "no-datagrams", "DTLS is refused with SEC_E_UNSUPPORTED_FUNCTION", "Schannel speaks DTLS 1.0 and 1.2", _D,
    ),
    Departure(
        "empty-message", "EncryptMessage of no bytes makes no record: OK with three sizes of 0",
        "TLS allows an empty record", _I,
    ),
    Departure(
        "no-quic", "the 64-bit flags MESSAGES, REUSE_SESSION_TICKETS and EXPLICIT_SESSION are refused",
        "the flags exist since Windows 11", _D,
    ),
    Departure(
        "no-renegotiation", "this side never begins a renegotiation or asks for a certificate after the handshake",
        "an accept call with an empty TOKEN on an established context does", _O,
    ),
)  # fmt: skip

ASSUMPTIONS: tuple[Departure, ...] = (
    Departure(
        "dead-context", "a leg on a failed security context is SEC_E_OUT_OF_SEQUENCE", "observed for NTLM only", _I,
    ),
    Departure(
        "partial-after-complete",
        "whole records are consumed although a partial one follows: SEC_I_CONTINUE_NEEDED, no token, EXTRA",
        "allowed by the documentation, not promised", _I,
    ),
    Departure(
        "server-validates",
        "a server validates a client's certificate unless its credential says SCH_CRED_MANUAL_CRED_VALIDATION",
        "the flag is documented for clients; no page says what a server validates", _I,
    ),
    Departure(
        "no-alert-71",
        "the engine was never seen to send alert 71 (insufficient_security), so no row claims a status for it",
        "the status page's meaning of SEC_E_ALGORITHM_MISMATCH fits", _I,
    ),
    Departure(
        "resumed-without-request",
        "a session made without a request for a client certificate is resumed by a call that asks for one, and the "
        "request does not happen",
        "no page says whether ASC_REQ_MUTUAL_AUTH keeps such a session from being resumed", _I,
    ),
    Departure(
        "ticket-used-once", "a TLS 1.3 session is offered once", "REUSE_SESSION_TICKETS exists to permit more", _I,
    ),
    Departure(
        "credential-use", "a leg with a credential made for the other side is SEC_E_INVALID_HANDLE",
        "Wine's implementation answers so", _I,
    ),
    Departure(
        "encrypt-too-early", "EncryptMessage and DecryptMessage before the handshake is done are SEC_E_NO_CONTEXT",
        "no page names a status", _I,
    ),
    Departure(
        "expiry", "ptsExpiry is the end of the own certificate, 0 without one", "0 on the first leg is observed", _I,
    ),
    Departure(
        "attributes-on-failure", "a leg that fails in the handshake returns the same word as one that goes on",
        "security bits count on the final success only", _I,
    ),
)  # fmt: skip
