"""TLS alerts by number, and the status a call completes with when one arrives during a handshake.

The rule guarded here: the mapping is many to one, and the status alone cannot be turned back into the alert. Whoever
knows the number keeps it. Received alerts only: which alert a *local* failure sends is the package's business.

Source: the page that lists Schannel's status for each alert (documented); names and numbers as registered with IANA, of
which schannel.h has a TLS1_ALERT_ constant for most.
"""

from __future__ import annotations

from typing import NamedTuple

from sspicli.sspi.package import Source
from sspicli.sspi.status import SecurityStatus

WARNING = 1
FATAL = 2

DEFAULT_STATUS = SecurityStatus.SEC_E_ILLEGAL_MESSAGE
"""What the table gives for every alert it does not list."""


class Alert(NamedTuple):
    """One registered alert.

    `status` is what an initialize or accept call completes with on receiving it during a handshake, and `source` says
    how that is known. `note` is "" unless there is something to beware of; `meaning` says why a peer sends it.
    """

    number: int
    name: str
    status: SecurityStatus
    meaning: str
    source: Source = Source.DOCUMENTED
    note: str = ""

    @property
    def is_listed(self) -> bool:
        """Say whether the table speaks of it, and not merely of "all other alerts"."""
        return self.note != _NO_CONSTANT


_NO_CONSTANT = "schannel.h has no constant for it; the status is the table's row for all other alerts"
_S = SecurityStatus


def _unlisted(number: int, name: str, meaning: str) -> Alert:
    """State an alert the table does not list."""
    return Alert(number, name, DEFAULT_STATUS, meaning, note=_NO_CONSTANT)


_ROWS = (
    Alert(
        0,
        "close_notify",
        _S.SEC_I_CONTEXT_EXPIRED,
        "the peer closes the session",
        Source.INFERRED,
        "documented after the handshake only, from DecryptMessage; no page says what it gives during one",
    ),
    Alert(10, "unexpected_message", _S.SEC_E_ILLEGAL_MESSAGE, "a message came out of turn: a side is out of step"),
    Alert(20, "bad_record_mac", _S.SEC_E_MESSAGE_ALTERED, "a record could not be authenticated"),
    Alert(21, "decryption_failed", _S.SEC_E_DECRYPT_FAILURE, "a record could not be decrypted", note="SSL and TLS 1.0"),
    Alert(22, "record_overflow", _S.SEC_E_ILLEGAL_MESSAGE, "a record is longer than allowed"),
    Alert(30, "decompression_failure", _S.SEC_E_MESSAGE_ALTERED, "a record could not be decompressed"),
    Alert(40, "handshake_failure", _S.SEC_E_ILLEGAL_MESSAGE, "no common version, suite, group or signature algorithm"),
    _unlisted(41, "no_certificate", "the client has no certificate to send (SSL 3.0)"),
    Alert(42, "bad_certificate", _S.SEC_E_CERT_UNKNOWN, "a certificate is corrupt or wrongly signed"),
    Alert(43, "unsupported_certificate", _S.SEC_E_CERT_UNKNOWN, "a certificate is of a type the peer does not take"),
    Alert(44, "certificate_revoked", _S.CRYPT_E_REVOKED, "a certificate was revoked by its issuer"),
    Alert(45, "certificate_expired", _S.SEC_E_CERT_EXPIRED, "a certificate is outside its validity"),
    Alert(46, "certificate_unknown", _S.SEC_E_CERT_UNKNOWN, "a certificate was refused for another reason"),
    Alert(47, "illegal_parameter", _S.SEC_E_ILLEGAL_MESSAGE, "a field contradicts the protocol or another field"),
    Alert(48, "unknown_ca", _S.SEC_E_UNTRUSTED_ROOT, "the peer does not trust the chain's authority"),
    Alert(49, "access_denied", _S.SEC_E_LOGON_DENIED, "the owner of a valid certificate has no access"),
    Alert(50, "decode_error", _S.SEC_E_ILLEGAL_MESSAGE, "a message could not be decoded"),
    Alert(51, "decrypt_error", _S.SEC_E_DECRYPT_FAILURE, "a signature, key exchange or Finished check failed"),
    _unlisted(52, "too_many_cids_requested", "the peer was asked for too many connection ids (DTLS 1.3)"),
    Alert(60, "export_restriction", _S.SEC_E_ILLEGAL_MESSAGE, "export rules were not met", note="TLS 1.0"),
    Alert(70, "protocol_version", _S.SEC_E_UNSUPPORTED_FUNCTION, "the peer refuses the protocol version"),
    Alert(
        71,
        "insufficient_security",
        _S.SEC_E_ALGORITHM_MISMATCH,
        "the peer demands stronger algorithms",
        note="the constant in schannel.h is spelt TLS1_ALERT_INSUFFIENT_SECURITY",
    ),
    Alert(80, "internal_error", _S.SEC_E_INTERNAL_ERROR, "the peer failed for reasons of its own"),
    _unlisted(86, "inappropriate_fallback", "the client retried with a lower version than the server knows"),
    Alert(90, "user_canceled", _S.SEC_E_UNFINISHED_CONTEXT_DELETED, "the peer gave the handshake up"),
    Alert(
        100,
        "no_renegotiation",
        _S.SEC_E_ILLEGAL_MESSAGE,
        "the peer declines to renegotiate",
        note="as the answer to a renegotiation of this side's own it gives SEC_I_NO_RENEGOTIATION, as .NET knows",
    ),
    _unlisted(109, "missing_extension", "an extension the protocol demands was not sent"),
    Alert(110, "unsupported_extension", _S.SEC_E_ILLEGAL_MESSAGE, "an extension was sent that may not stand there"),
    _unlisted(111, "certificate_unobtainable", "a certificate could not be fetched from the URL given"),
    _unlisted(112, "unrecognized_name", "the server does not know the host name asked for"),
    _unlisted(113, "bad_certificate_status_response", "the stapled OCSP response is missing or invalid"),
    _unlisted(114, "bad_certificate_hash_value", "a fetched certificate does not match its hash"),
    Alert(115, "unknown_psk_identity", _S.SEC_E_ILLEGAL_MESSAGE, "the pre-shared key's name is not known"),
    _unlisted(116, "certificate_required", "the server demands a client certificate and got none (TLS 1.3)"),
    _unlisted(117, "general_error", "the peer failed and says no more"),
    Alert(
        120,
        "no_application_protocol",
        _S.SEC_E_APPLICATION_PROTOCOL_MISMATCH,
        "no common application protocol (ALPN)",
        note="the documented row prints the name SEC_E_ILLEGAL_MESSAGE beside the value 0x80090367; the value counts",
    ),
    _unlisted(121, "ech_required", "the server demands Encrypted Client Hello"),
)

ALERTS: dict[int, Alert] = {row.number: row for row in _ROWS}


def alert_name(number: int) -> str:
    """Name an alert as it is registered; an unknown one prints as `alert 77`."""
    row = ALERTS.get(number)
    return row.name if row else f"alert {number}"


def status_for_received_alert(number: int) -> tuple[SecurityStatus, Source]:
    """Say what a call completes with on receiving this alert during a handshake, and how that is known."""
    row = ALERTS.get(number)
    return (row.status, row.source) if row else (DEFAULT_STATUS, Source.DOCUMENTED)


def alerts_for_status(status: SecurityStatus) -> tuple[Alert, ...]:
    """List every registered alert that arrives as this status, by number: the mapping undone as far as it can be."""
    return tuple(row for row in _ROWS if row.status is status)
