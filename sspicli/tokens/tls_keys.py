"""Which key opens which record: key-log secrets, what the hellos settled, and the place of each record in its sequence.

The rule guarded here: a record that does not open costs only itself. Keys may come late, records may be lost, doubled
or tampered with; so the next record is tried at every place its predecessors' failures leave open, within a bound, and
its authentication decides. The decrypting files are imported when the first record needs them, not before.

Source: the NSS key log format (draft-ietf-tls-keylogfile), RFC 8446 sections 5.3 and 7.2, RFC 5246 section 6.1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from copy import copy
from functools import partial
from typing import Protocol

from sspicli.tokens.tls_hello import TLS12, TLS13, hello_facts
from sspicli.tokens.tls_names import suite_name, version_name

MAX_SECRETS = 1 << 19  # more than a key log of the size that is read can hold
MAX_LOST = 32
MAX_ATTEMPTS = 256
MOST_ALIKE = 4  # secrets of one name and client random that are tried: two ends have at most two

_EARLY, _HANDSHAKE, _APPLICATION = 0, 1, 2
_EARLY_LABEL = "CLIENT_EARLY_TRAFFIC_SECRET"
_TLS13_LABELS = {
    "client": (_EARLY_LABEL, "CLIENT_HANDSHAKE_TRAFFIC_SECRET", "CLIENT_TRAFFIC_SECRET_0"),
    "server": ("", "SERVER_HANDSHAKE_TRAFFIC_SECRET", "SERVER_TRAFFIC_SECRET_0"),
}
_PEER = {"client": "server", "server": "client"}
_SECRET_SIZES = {
    "CLIENT_RANDOM": (48,),
    **{label: (32, 48) for labels in _TLS13_LABELS.values() for label in labels if label},
}
_ALWAYS_CLEAR = ((21, 2), (20, 1))
_OTHER_LABELS = {"EARLY_EXPORTER_SECRET", "EXPORTER_SECRET", "ECH_SECRET", "ECH_CONFIG"}


Opened = tuple[int, bytes, int]
"""What was in a protected record: content type, plaintext, and how many zeros padded it (TLS 1.3)."""


_Key = tuple[bytes, "RecordKeys"]
"""A secret, and the keys derived from it."""


class RecordKeys(Protocol):
    """One direction's keys at one time."""

    def open(self, header: bytes, body: bytes, sequence: int) -> Opened | None:
        """Give what is in the record; None when it does not open at this place."""


class KeyRing:
    """The secrets of key logs, each with whose it is, and the facts of the hellos by which one is chosen.

    After a tampered hello the two ends have different secrets under the same name: what one of them sent opens with its
    own. Of a key log that came from outside nobody knows whose a line is.
    """

    __slots__ = (
        "_count",
        "_secrets",
        "client_random",
        "encrypt_then_mac",
        "junk_lines",
        "server_random",
        "suite",
        "version",
    )

    def __init__(self) -> None:
        self._secrets: dict[tuple[str, str], dict[bytes, list[bytes]]] = {}
        self._count = 0
        self.junk_lines = 0
        self.client_random = b""
        self.server_random = b""
        self.version = 0
        self.suite = 0
        self.encrypt_then_mac = False

    def add(self, line: str, owner: str = "") -> None:
        """Take one key-log line of a side, "" for nobody knows; what is no such line is counted and skipped."""
        words = line.split()
        if not words or words[0].startswith("#") or words[0] in _OTHER_LABELS:
            return
        secret = _parse(words)
        if secret is None or self._count >= MAX_SECRETS:
            self.junk_lines += 1
            return
        known = self._secrets.setdefault((words[0], owner), {}).setdefault(secret[0], [])
        if secret[1] not in known[-MOST_ALIKE:]:
            known.append(secret[1])
            self._count += 1

    def settle(self, body: bytes) -> str:
        """Take what a ServerHello or HelloRetryRequest chose, and give its name."""
        facts = hello_facts(body)
        assert facts is not None, "only a ServerHello settles anything"
        self.version = facts.versions[0]
        self.suite = facts.suites[0]
        self.server_random = facts.random
        self.encrypt_then_mac = facts.encrypts_then_macs
        return facts.name

    def label(self, sender: str, level: int) -> str:
        """Name the key-log line that a sender's records need at a level."""
        return "CLIENT_RANDOM" if self.version == TLS12 else _TLS13_LABELS[sender][level]

    def secrets(self, label: str, sender: str) -> list[bytes]:
        """List the secrets that may open what a side sent, the newest first: its own, else those that nobody owns.

        They are those for this client random, else the label's newest: the ClientHello may be tampered with. The peer's
        are taken where there are no others, as in a recording of one end.
        """
        for owner in (sender, "", _PEER[sender]):
            known = self._secrets.get((label, owner))
            if known:
                found = known.get(self.client_random) or known[next(reversed(known))]
                return found[: -MOST_ALIKE - 1 : -1]
        return []

    def differs(self, sender: str) -> bool:
        """Say whether what a side sent opens with other secrets than those its receiver has."""
        labels = ("CLIENT_RANDOM",) if self.version == TLS12 else tuple(filter(None, _TLS13_LABELS[sender]))
        return any(self._differ(label) for label in labels)

    def _differ(self, label: str) -> bool:
        """Say whether the ends have different secrets under one name, as far as they are known.

        A renegotiation gives one end its new secret before the other: so what counts is what both have logged.
        """
        client, server = (self._secrets.get((label, owner), {}) for owner in _PEER)
        given = self._secrets.get((label, ""), {}).get(self.client_random, ())
        if not client or not server:
            return not client and not server and len(given) > 1
        shared = client.keys() & server.keys()
        return not shared or any(client[one][-1] != server[one][-1] for one in shared)

    def keys(self, sender: str, secret: bytes) -> RecordKeys | None:
        """Derive one sender's keys; None when the negotiated suite cannot be opened here."""
        if self.version == TLS13:
            from sspicli.tokens import tls13

            suite = tls13.SUITES.get(self.suite)
            return None if suite is None else tls13.TrafficKeys(suite, secret)
        from sspicli.tokens import tls12

        hellos = tls12.Negotiated(self.suite, self.client_random, self.server_random, self.encrypt_then_mac)
        return tls12.record_keys(hellos, secret, sender=sender)


class Direction:
    """One sender's protection: the keys in force, the number of its next record, and how many did not open."""

    __slots__ = ("_attempts", "_epochs", "_level", "_lost", "_ring", "_ring_at_change", "_sender", "is_changed")

    def __init__(self, ring: KeyRing, sender: str) -> None:
        self._ring = self._ring_at_change = ring
        self._sender = sender
        self._attempts = MAX_ATTEMPTS
        self.is_changed = False
        self._start()

    def start_token(self) -> None:
        """Allow a token's worth of failing attempts."""
        self._attempts = MAX_ATTEMPTS

    def protects(self, content_type: int, size: int) -> bool:
        """Say whether a record is protected; an alert of 2 bytes and a ChangeCipherSpec of 1 never are."""
        if content_type == 23:
            return True
        return self.is_changed and self._ring.version != TLS13 and (content_type, size) not in _ALWAYS_CLEAR

    def change_cipher(self) -> None:
        """Start new keys at a ChangeCipherSpec; in TLS 1.3 that message means nothing.

        The hellos of a renegotiation stand under the old keys, and so does what follows them up to the next
        ChangeCipherSpec: so what the hellos had settled by now is what counts until then.
        """
        if self._ring.version != TLS13:
            self.is_changed = True
            self._ring_at_change = copy(self._ring) if self._ring.version else self._ring
            self._start()

    def finish(self) -> None:
        """Go on with the application keys, after this sender's TLS 1.3 Finished."""
        if self._ring.version == TLS13:
            self._level, self._lost = _APPLICATION, 0

    def end_early_data(self) -> None:
        """Go on with the handshake keys, after the client's EndOfEarlyData."""
        self._level, self._lost = _HANDSHAKE, 0

    def update(self) -> None:
        """Go on with the next generation of keys, after this sender's TLS 1.3 KeyUpdate."""
        from sspicli.tokens.tls13 import TrafficKeys

        epoch = self._epochs[self._level]
        if isinstance(epoch.keys, TrafficKeys):
            epoch.keys, epoch.sequence, self._lost = epoch.keys.renewed(), 0, 0

    def open(self, header: bytes, body: bytes) -> Opened | str:
        """Give what is in the record, or say why it stays closed."""
        why = ""
        for level in self._levels():
            outcome = self._open_at(level, header, body=body)
            if not isinstance(outcome, str):
                self._level, self._lost = level, 0
                return outcome
            why = why or outcome
        self._lost = min(self._lost + 1, MAX_LOST)
        return why

    def _start(self) -> None:
        self._epochs = (_Epoch(), _Epoch(), _Epoch())
        self._level = _EARLY if self._sender == "client" else _HANDSHAKE
        self._lost = 0

    def _levels(self) -> Iterable[int]:
        """Say at which levels the next record may be protected, the likeliest first."""
        version = self._ring.version
        if version == TLS13:
            return range(self._level, _APPLICATION + 1)
        return (_EARLY, _HANDSHAKE) if not version and self._level == _EARLY else (_HANDSHAKE,)

    def _open_at(self, level: int, header: bytes, *, body: bytes) -> Opened | str:
        """Try one level's keys at every place that records which did not open leave possible."""
        epoch = self._epochs[level]
        found = self._early(epoch) if level == _EARLY else self._keys(level, epoch)
        if isinstance(found, str):
            return found
        for secret, keys in found:
            for sequence in range(epoch.sequence, epoch.sequence + self._lost + 1):
                if self._attempts <= 0:
                    return "not tried, too many records of this token did not open"
                opened = keys.open(header, body, sequence)
                if opened is not None:
                    epoch.secret, epoch.keys, epoch.sequence = secret, keys, sequence + 1
                    return opened
                self._attempts -= 1
        return "the key log's keys do not open this record"

    def _early(self, epoch: _Epoch) -> list[_Key] | str:
        """Derive the early keys, which no ServerHello need precede.

        Without their secret nothing is said, for most clients send no early data.
        """
        secrets = self._ring.secrets(_EARLY_LABEL, self._sender)
        if not secrets:
            return ""
        from sspicli.tokens.tls13 import EarlyKeys

        found = ((secret, epoch.keys_of(secret, EarlyKeys)) for secret in secrets)
        return [(secret, keys) for secret, keys in found if keys is not None]

    def _keys(self, level: int, epoch: _Epoch) -> list[_Key] | str:
        """Derive the keys of each secret that may be the one; or say what lacks."""
        ring = self._ring if self._ring.version == TLS13 else self._ring_at_change
        if ring.version not in (TLS12, TLS13):
            name = version_name(ring.version)
            return f"{name} records are not opened here" if ring.version else "no ServerHello was read before it"
        label = ring.label(self._sender, level)
        secrets = ring.secrets(label, self._sender)
        if not secrets:
            return f"the key log has no {label}"
        found = [(secret, epoch.keys_of(secret, partial(ring.keys, self._sender))) for secret in secrets]
        keys = [(secret, one) for secret, one in found if one is not None]
        return keys or f"{suite_name(ring.suite)} cannot be opened here"


class _Epoch:
    """The keys between two key changes, and the number of the next record under them."""

    __slots__ = ("_derived", "keys", "secret", "sequence")

    def __init__(self) -> None:
        self._derived: dict[bytes, RecordKeys | None] = {}
        self.keys: RecordKeys | None = None
        self.secret = b""
        self.sequence = 0

    def keys_of(self, secret: bytes, derive: Callable[[bytes], RecordKeys | None]) -> RecordKeys | None:
        """Give a secret's keys: those in force, or as they were derived; None for a suite that is not opened here."""
        if self.secret is secret:
            return self.keys
        if secret not in self._derived:
            if len(self._derived) >= MOST_ALIKE:
                self._derived.clear()
            self._derived[secret] = derive(secret)
        return self._derived[secret]


def _parse(words: list[str]) -> tuple[bytes, bytes] | None:
    """Read client random and secret from a line's words; None when they are not that."""
    try:
        label, client_random, secret = words[0], bytes.fromhex(words[1]), bytes.fromhex(words[2])
    except (ValueError, IndexError):
        return None
    is_sound = len(words) == 3 and len(client_random) == 32 and len(secret) in _SECRET_SIZES.get(label, ())
    return (client_random, secret) if is_sound else None
