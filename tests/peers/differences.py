"""Where tshark 4.0 and our reader do not say the same, and why: the whole list, each entry with its reason.

The rule guarded here: no comparison leaves anything out by itself. An entry that no capture needs any more fails a
test, so the list is never longer than the truth.
"""

from __future__ import annotations

from typing import NamedTuple


class Closed(NamedTuple):
    """A capture of which one reader (`ours` or `tshark`) cannot open everything."""

    capture: str
    reader: str
    reason: str


CLOSED = (
    Closed("openssl null", "ours", "suites without encryption are not opened here"),
    Closed("openssl 1.1", "ours", "records of TLS 1.1 and older are not opened here"),
    Closed(
        "openssl authenticates later", "tshark", "it starts new keys at the Finished that ends a later authentication"
    ),
)

# What tshark's experts say of some captures, and why it is no fault of the bytes.
COMPLAINTS = {
    "Expert Info (Note/Sequence): This session reuses previously negotiated keys (Session resumption)": "it does",
    "Expert Info (Warning/Protocol): 7 trailing bytes were unprocessed": "use_srtp is not read by tshark",
    "Expert Info (Warning/Protocol): 5 trailing bytes were unprocessed": "use_srtp is not read by tshark",
    "Expert Info (Warning/Undecoded): BER: Dissector for OID not implemented."
    " Contact Wireshark developers if you want this supported": "organizationIdentifier and the like",
}
