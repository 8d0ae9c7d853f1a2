"""What decided a failure, in sentences: the row applied, the values that decided, further defects.

The rule guarded here: the status comes from `schannel_failures` alone; this file adds the reasons. What is said of
certificates comes from a second look at them, in `schannel_chains`.
"""

from __future__ import annotations

from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESCCM, AESGCM, ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from sspicli.packages.openssl_bindings import Outcome
from sspicli.packages.openssl_names import CipherSuite, find_suite
from sspicli.packages.schannel_chains import Situation, second_look
from sspicli.packages.schannel_engine import Engine
from sspicli.packages.schannel_failures import CLEAR_ALERT, Clues, FailureRow, Knowledge, find_row
from sspicli.sspi.alerts import FATAL, alert_name
from sspicli.sspi.package import AlertSeen, Evidence, Role
from sspicli.sspi.records import ALERT, HEADER_SIZE, frame
from sspicli.sspi.schannel import SchCredentials
from sspicli.sspi.status import SecurityStatus

_ALERT_BODY = 2
_CERTIFICATE_MISSED = (40, 116)  # the alerts of TLS 1.2 and 1.3 for a required certificate that did not come
_NOTHING_TO_SERVE = (40, 70)  # and for having no suite, or no version, to serve a client with
_USER_CANCELED = 90  # a warning in TLS 1.3, and still the end


_SENTENCES = {
    Knowledge.CLIENT_CERTIFICATE_ABSENT: "the client's Certificate message is empty",
    Knowledge.NO_OWN_CERTIFICATE: "no suite can be served without a certificate",
    Knowledge.CLOSE_NOTIFY: "the peer sent close_notify before the handshake was done",
}


class Failure(NamedTuple):
    """A failed call: its status, the alert made for the peer (level, number), and why."""

    status: SecurityStatus
    alert: tuple[int, int] | None
    evidence: Evidence


def known_failure(knowledge: Knowledge, situation: Situation, *, detail: str = "") -> Failure:
    """Explain a failure the engine was not asked about."""
    row = find_row(Clues(situation.role, knowledge=knowledge))
    evidence = Evidence(row.id, row.source, field=row.field, detail=detail, difference=row.difference)
    return Failure(row.status, None, evidence)


def engine_failed(engine: Engine, situation: Situation, *, outcome: Outcome, fed: bytes, token: bytes) -> Failure:
    """Explain why the engine stopped, given the records it was fed and the token it made."""
    sent = alert_sent(token, engine)
    received = alert_received(fed, engine.alert_received)
    if received is None and sent is None:
        received = _clear_alert(fed)
    refusal = engine.refusal if engine.verifies else None
    knowledge = Knowledge.CLOSE_NOTIFY if outcome is Outcome.CLOSED else _known(engine, situation, sent)
    if knowledge is None and sent is None and received is None and engine.was_ended_by_peer():
        knowledge = Knowledge.UNREADABLE_ALERT
    clues = Clues(
        situation.role, None if refusal is None else refusal.code, knowledge,
        None if received is None else received.number, None if sent is None else sent.number,
    )  # fmt: skip
    row = find_row(clues)
    evidence = Evidence(row.id, row.source, engine.words, alert_sent=sent, alert_received=received, field=row.field)
    evidence = evidence._replace(
        detail=_detail(row, engine, situation, received),
        difference=_difference(row, sent, engine if fed and situation.role is Role.CLIENT else None),
    )
    if refusal is not None:
        evidence = _with_certificate(evidence, engine, situation)
    return Failure(row.status, None if sent is None else (sent.level, sent.number), evidence)


def _known(engine: Engine, situation: Situation, sent: AlertSeen | None) -> Knowledge | None:
    """Say what a server knows without asking: about protocols, a client's missing certificate, its own."""
    if engine.has_no_common_protocol:
        return Knowledge.NO_COMMON_PROTOCOL
    if situation.role is Role.CLIENT or engine.refusal is not None or sent is None:
        return None
    auth = situation.auth
    if situation.flights:
        is_absent = auth.requires_client_certificate and sent.number in _CERTIFICATE_MISSED and not engine.peer_leaf()
        return Knowledge.CLIENT_CERTIFICATE_ABSENT if is_absent else None
    has_none = not any(one.chain for one in auth.certificates)
    return Knowledge.NO_OWN_CERTIFICATE if has_none and sent.number in _NOTHING_TO_SERVE else None


def alert_sent(token: bytes, engine: Engine) -> AlertSeen | None:
    """Find the alert a token ends with: by its bytes if clear, else as the engine noted it, else by opening it."""
    records = frame(token).records
    if not records:
        return None
    last = records[-1]
    size = last.end - last.start
    if last.content_type == ALERT and size == HEADER_SIZE + _ALERT_BODY:
        return AlertSeen(token[last.body_start], token[last.body_start + 1], False, size)
    noted = engine.alert_sent or _opened(token[last.start : last.end], engine)
    return None if noted is None else AlertSeen(*noted, True, size)


def _opened(record: bytes, engine: Engine) -> tuple[int, int] | None:
    """Open a TLS 1.3 server's first record under its traffic secret (RFC 8446, 5.2 and 7.3), which an alert is here."""
    suite = find_suite(engine.connection.get_cipher_name() or "")
    secret = engine.secret("SERVER_TRAFFIC_SECRET_0")
    if suite is None or not secret or not engine.is_tls13():
        return None
    digest = hashes.SHA384() if suite.hash == "SHA384" else hashes.SHA256()
    key, nonce = (_expand(secret, label, size, digest) for label, size in ((b"key", suite.key_bits // 8), (b"iv", 12)))
    try:
        plain = _aead(suite, key).decrypt(nonce, record[HEADER_SIZE:], record[:HEADER_SIZE])
    except (InvalidTag, ValueError):
        return None
    return (plain[0], plain[1]) if len(plain) == _ALERT_BODY + 1 and plain[2] == ALERT else None


def _expand(secret: bytes, label: bytes, size: int, digest: hashes.HashAlgorithm) -> bytes:
    """Compute HKDF-Expand-Label with an empty context."""
    name = b"tls13 " + label
    return HKDFExpand(digest, size, size.to_bytes(2, "big") + bytes([len(name)]) + name + b"\x00").derive(secret)


def _aead(suite: CipherSuite, key: bytes) -> AESGCM | AESCCM | ChaCha20Poly1305:
    if suite.cipher != "AES":
        return ChaCha20Poly1305(key)
    return AESGCM(key) if suite.mode == "GCM" else AESCCM(key, tag_length=8 if suite.mode == "CCM_8" else 16)


def alert_received(fed: bytes, noted: tuple[int, int] | None) -> AlertSeen | None:
    """Find the alert that ended the handshake among the records the engine was fed."""
    if noted is None or (noted[0] != FATAL and noted[1] != _USER_CANCELED):
        return None
    records = frame(fed).records
    for record in records:
        size = record.end - record.start
        if record.content_type == ALERT:
            return AlertSeen(*noted, size > HEADER_SIZE + _ALERT_BODY, size)
    return AlertSeen(*noted, True, records[-1].end - records[-1].start if records else 0)


def _clear_alert(fed: bytes) -> AlertSeen | None:
    """Read a fatal alert that the engine would not: a client that knows no version yet marks its record as TLS 1.0."""
    for record in frame(fed).records:
        size = record.end - record.start
        if record.content_type == ALERT and size == HEADER_SIZE + _ALERT_BODY and fed[record.body_start] == FATAL:
            return AlertSeen(FATAL, fed[record.body_start + 1], False, size)
    return None


def _detail(row: FailureRow, engine: Engine, situation: Situation, received: AlertSeen | None) -> str:
    """Say which values decided, where no certificate did."""
    if received is not None:
        return f"the peer sent alert {received.number} ({alert_name(received.number)})"
    if row.knowledge is Knowledge.NO_COMMON_PROTOCOL:
        offered, taken = _names(engine.protocols_offered()), _names(situation.protocols or ())
        return f"the client offers {offered}; the server takes {taken}"
    if row.knowledge in _SENTENCES:
        return _SENTENCES[row.knowledge]
    return _allowed(situation.auth) if row.id == "no-common-algorithm" else ""


def _allowed(auth: SchCredentials) -> str:
    """Say what a server's credential leaves to choose from."""
    lists = {"suites": auth.cipher_suites, "groups": auth.groups, "signatures": auth.signature_algorithms}
    said = [f"{kind} {', '.join(names)}" for kind, names in lists.items() if names]
    return f"the server allows {'; '.join(said) or 'what the engine does by default'}"


def _names(protocols: tuple[bytes, ...]) -> str:
    return ", ".join(one.decode("ascii", "backslashreplace") for one in protocols) or "nothing"


def _difference(row: FailureRow, sent: AlertSeen | None, client: Engine | None) -> str:
    """Join what differs by the row with what differs by the way a client's alert went."""
    is_clear = client is not None and sent is not None and not sent.encrypted and client.is_tls13()
    return "; ".join(part for part in (row.difference, CLEAR_ALERT if is_clear else "") if part)


def _with_certificate(evidence: Evidence, engine: Engine, situation: Situation) -> Evidence:
    """Add the values that decided and the further defects, from a second look at the certificates that came."""
    refusal = engine.refusal
    assert refusal is not None, "asked to explain a refusal that is not there"
    look = second_look(refusal, engine.peer_chain(), situation)
    return evidence._replace(
        verify_code=refusal.code,
        verify_depth=refusal.depth,
        field=look.field or evidence.field.format(depth=look.position),
        detail=look.sentence,
        others=look.others,
    )
