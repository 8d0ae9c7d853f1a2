"""Where in the peer's messages a field stands: from a path such as `Certificate[0].validity.notAfter` to bytes.

Only fields of certificates are found; the whole path of anything else is its name.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from sspicli.analysis.calls import Leg
from sspicli.tokens.der import certificate_field_span
from sspicli.tokens.tls_hello import certificates

_CERTIFICATE_FIELD = re.compile(r"Certificate\[(\d{1,3})\]\.([A-Za-z.]+)")


class Whereabouts(NamedTuple):
    """A field's place: the leg, and the bytes `start` to `end` (exclusive) of its message, after decryption."""

    leg: int
    start: int
    end: int
    is_decrypted: bool


def whereabouts(field: str, reader: str, legs: tuple[Leg, ...]) -> Whereabouts | None:
    """Find a certificate's field in what the peer of `reader` sent; None for no such field, or one not opened."""
    named = _CERTIFICATE_FIELD.fullmatch(field)
    if named is None:
        return None
    for leg in legs:
        for message in leg.messages:
            if leg.sender != reader and message.name == "Certificate":
                entries = certificates(message.body)
                index = int(named[1])
                if index >= len(entries):
                    return None
                entry = entries[index]
                span = certificate_field_span(entry.der, named[2])
                if span is None:
                    return None
                at = entry.span[0]
                return Whereabouts(leg.number, at + span[0], at + span[1], message.encrypted)
    return None
