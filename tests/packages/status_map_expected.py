"""What each failure of a TLS handshake must come to, written from the documentation a second time, as plain numbers.

Statuses are winerror.h's values, so that a slip in a name cannot repeat itself here; alerts are IANA's numbers. `wrong`
lists where a lookup departs from this, and the mutation check runs it against every changed row.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sspicli.packages.schannel_failures import Clues, Knowledge
from sspicli.sspi.package import Role

INVALID_TOKEN, ILLEGAL, INTERNAL = 0x80090308, 0x80090326, 0x80090304
UNTRUSTED, UNKNOWN, EXPIRED, WRONG_USAGE = 0x80090325, 0x80090327, 0x80090328, 0x80090349
WRONG_NAME, MISMATCH, ALTERED, UNDECRYPTED = 0x80090322, 0x80090331, 0x8009030F, 0x80090330
REVOKED, NO_CHECK, OFFLINE = 0x80092010, 0x80092012, 0x80092013
UNSUPPORTED, DENIED, UNFINISHED, NO_PROTOCOL = 0x80090302, 0x8009030C, 0x80090333, 0x80090367
CONTEXT_EXPIRED, INCOMPLETE_CREDENTIALS = 0x00090317, 0x00090320

# X509_V_ERR_* (x509_vfy.h): the status Windows gives, and the alert OpenSSL sends for it (ssl_x509err2alert).
BY_VERIFY_CODE: dict[int, tuple[int, int | None]] = {
    10: (EXPIRED, 45),  # CERT_HAS_EXPIRED
    9: (EXPIRED, 42),  # CERT_NOT_YET_VALID
    2: (UNTRUSTED, 48),  # UNABLE_TO_GET_ISSUER_CERT
    18: (UNTRUSTED, 48),  # DEPTH_ZERO_SELF_SIGNED_CERT
    19: (UNTRUSTED, 48),  # SELF_SIGNED_CERT_IN_CHAIN
    20: (UNTRUSTED, 48),  # UNABLE_TO_GET_ISSUER_CERT_LOCALLY
    21: (UNTRUSTED, 48),  # UNABLE_TO_VERIFY_LEAF_SIGNATURE
    62: (WRONG_NAME, 42),  # HOSTNAME_MISMATCH
    64: (WRONG_NAME, 42),  # IP_ADDRESS_MISMATCH
    23: (REVOKED, 44),  # CERT_REVOKED
    3: (NO_CHECK, 48),  # UNABLE_TO_GET_CRL
    11: (OFFLINE, 45),  # CRL_NOT_YET_VALID (sends 42; one row with 12)
    12: (OFFLINE, 45),  # CRL_HAS_EXPIRED
    26: (WRONG_USAGE, 43),  # INVALID_PURPOSE
    7: (UNKNOWN, 51),  # CERT_SIGNATURE_FAILURE
    66: (UNKNOWN, 42),  # EE_KEY_TOO_SMALL
    67: (UNKNOWN, 42),  # CA_KEY_TOO_SMALL
    68: (UNKNOWN, 42),  # CA_MD_TOO_WEAK
    1: (UNKNOWN, None),  # UNSPECIFIED
    24: (UNKNOWN, None),  # INVALID_CA
    25: (UNKNOWN, None),  # PATH_LENGTH_EXCEEDED
    99: (UNKNOWN, None),
}

BY_KNOWLEDGE: dict[Knowledge, tuple[int, int | None]] = {
    Knowledge.GARBAGE_HEADER: (INVALID_TOKEN, None),
    Knowledge.NO_COMMON_PROTOCOL: (NO_PROTOCOL, 120),
    Knowledge.CLOSE_NOTIFY: (CONTEXT_EXPIRED, None),
    Knowledge.CLIENT_CERTIFICATE_ABSENT: (INCOMPLETE_CREDENTIALS, 116),
    Knowledge.NO_OWN_CERTIFICATE: (MISMATCH, 40),
    Knowledge.UNREADABLE_ALERT: (ILLEGAL, None),
}

# The alert this side sent, where nothing better is known: the status it fails with.
BY_ALERT_SENT: dict[int | None, tuple[int, int | None]] = {
    70: (MISMATCH, 70),
    40: (MISMATCH, 40),
    10: (ILLEGAL, 10),
    20: (ALTERED, 20),
    22: (ILLEGAL, 22),
    47: (ILLEGAL, 47),
    50: (ILLEGAL, 50),
    51: (UNDECRYPTED, 51),
    80: (INTERNAL, 80),
    109: (ILLEGAL, 109),
    110: (ILLEGAL, 110),
    42: (UNKNOWN, 42),
    112: (ILLEGAL, 112),
    None: (INTERNAL, None),
    200: (INTERNAL, None),
}

# The alert that came, from Schannel's page of statuses for alerts; what it does not list is its row for all others.
BY_ALERT_RECEIVED: dict[int, int] = {
    **dict.fromkeys((10, 22, 40, 47, 50, 60, 100, 110, 115), ILLEGAL),
    **dict.fromkeys((41, 52, 86, 109, 111, 112, 113, 114, 116, 117, 121), ILLEGAL),  # not listed
    **dict.fromkeys((20, 30), ALTERED),
    **dict.fromkeys((21, 51), UNDECRYPTED),
    **dict.fromkeys((42, 43, 46), UNKNOWN),
    44: REVOKED,
    45: EXPIRED,
    48: UNTRUSTED,
    49: DENIED,
    70: UNSUPPORTED,
    71: MISMATCH,
    80: INTERNAL,
    90: UNFINISHED,
    120: NO_PROTOCOL,  # the value; the page prints another name beside it
}
UNREGISTERED = (1, 99, 250)


def expectations() -> list[tuple[Clues, int, int | None]]:
    """List clues with the status and the alert they must lead to."""
    known: list[tuple[Clues, int, int | None]] = []
    for role in Role:
        known += [(Clues(role, verify_code=code), *expected) for code, expected in BY_VERIFY_CODE.items()]
        known += [(Clues(role, knowledge=one), *expected) for one, expected in BY_KNOWLEDGE.items()]
        known += [(Clues(role, alert_sent=number), *expected) for number, expected in BY_ALERT_SENT.items()]
        known += [(Clues(role, alert_received=number), status, number) for number, status in BY_ALERT_RECEIVED.items()]
        known += [(Clues(role, alert_received=number), ILLEGAL, None) for number in UNREGISTERED]
        # What is known better goes first: the verifier, own knowledge, what came, what was sent.
        known.append((Clues(role, 10, Knowledge.CLOSE_NOTIFY, 70, 40), EXPIRED, 45))
        known.append((Clues(role, None, Knowledge.NO_COMMON_PROTOCOL, 70, 40), NO_PROTOCOL, 120))
        known.append((Clues(role, None, None, 70, 40), UNSUPPORTED, 70))
    return known


EXPECTATIONS = expectations()


def wrong(find_row: Callable[[Clues], Any]) -> list[tuple[Clues, int, int | None]]:
    """List the expectations that a lookup does not meet."""
    return [
        (clues, status, alert)
        for clues, status, alert in EXPECTATIONS
        if (row := find_row(clues)).status != status or row.alert != alert
    ]
