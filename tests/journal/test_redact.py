"""Secrets: in no byte of a recording unless asked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from sspicli.journal import events as ev
from sspicli.journal.journal import Journal, Record
from sspicli.journal.recording import RecordingWriter, read_recording
from sspicli.journal.redact import MASKED, redacted
from sspicli.packages.scripted import ScriptedContext, ScriptedCredential, ScriptedPackage
from sspicli.sspi.buffers import READONLY, READONLY_WITH_CHECKSUM, BufferImage, BufferType, SecBufferDesc, given, room
from sspicli.sspi.handles import Handle
from sspicli.sspi.package import AcquireRequest, AcquireResult, LegRequest, LegResult, MessageResult, Role
from sspicli.sspi.status import SecurityStatus
from tests.pairs import PACKAGE, Bench, finished_pair

OK = SecurityStatus.SEC_E_OK
CANARY = b"canary-d41d8cd98f00b204-of-this-test"
KEY_LINE = "CLIENT_TRAFFIC_SECRET_0 " + "ab" * 32 + " " + CANARY.hex()


def recorded(path: Path, records: list[Record], *, include_secrets: bool) -> bytes:
    """Write records to a file; the file's bytes."""
    journal = Journal()
    writer = RecordingWriter(path, include_secrets=include_secrets, warn=pytest.fail)
    journal.subscribe(writer)
    for record in records:
        journal.append(record.actor, record.event, record.cause)
    writer.close()
    return path.read_bytes()


def holds_canary(data: bytes) -> bool:
    return CANARY in data or CANARY.hex().encode() in data


class SecretivePackage(ScriptedPackage):
    """Logs a key at its first leg, and protects by turning data around; `status` is what the messages come to."""

    def __init__(self, status: SecurityStatus = OK) -> None:
        super().__init__(name=PACKAGE)
        self._status = status

    def acquire(self, request: AcquireRequest) -> AcquireResult:
        return AcquireResult(OK, SecretiveCredential(self._status))


class SecretiveCredential(ScriptedCredential):
    def __init__(self, status: SecurityStatus) -> None:
        super().__init__({})
        self._status = status

    def open(self, role: Role) -> ScriptedContext:
        return SecretiveContext(self._status)


class SecretiveContext(ScriptedContext):
    def __init__(self, status: SecurityStatus) -> None:
        super().__init__(())
        self._status = status

    def step(self, request: LegRequest) -> LegResult:
        return LegResult(OK, secrets=(KEY_LINE,))

    def encrypt(self, buffers: tuple[BufferImage, ...], qop: int) -> MessageResult:
        return self._turned(buffers)

    def decrypt(self, buffers: tuple[BufferImage, ...]) -> MessageResult:
        return self._turned(buffers)

    def _turned(self, buffers: tuple[BufferImage, ...]) -> MessageResult:
        if self._status != OK:
            return MessageResult(self._status)
        writes = []
        for index, one in enumerate(buffers):
            if one.buffer_type & 0xF == BufferType.DATA:
                writes.append((index, one.buffer_type, one.size, (one.data or b"")[::-1], False))
        return MessageResult(OK, tuple(writes))  # type: ignore[arg-type]


def turned_records(status: SecurityStatus = OK, *, flags: int = 0, is_live: bool = True) -> list[Record]:
    """Encrypt and decrypt a canary."""
    bench = Bench(package=SecretivePackage(status))
    _, context = bench.security_context()
    target = context.value if is_live else None
    plain = SecBufferDesc(room(BufferType.STREAM_HEADER, 5), given(BufferType.DATA | flags, CANARY))
    bench.api.encrypt_message(target, qop=0, message=plain)
    sealed = SecBufferDesc(given(BufferType.DATA | flags, CANARY[::-1]))
    bench.api.decrypt_message(target, message=sealed)
    return bench.journal.records


def test_secrets_are_in_the_recording_when_they_are_asked_for(tmp_path):
    data = recorded(tmp_path / "run", turned_records(), include_secrets=True)
    assert holds_canary(data)
    assert KEY_LINE.encode() in data
    assert read_recording(tmp_path / "run").has_secrets


def test_no_secret_is_in_the_recording_when_none_was_asked_for(tmp_path):
    data = recorded(tmp_path / "run", turned_records(), include_secrets=False)
    assert not holds_canary(data)
    assert not read_recording(tmp_path / "run").has_secrets


@pytest.mark.parametrize("flags", [READONLY, READONLY_WITH_CHECKSUM], ids=["readonly", "readonly with checksum"])
def test_attribute_flags_do_not_let_plaintext_through(tmp_path, flags):
    assert not holds_canary(recorded(tmp_path / "run", turned_records(flags=flags), include_secrets=False))


def test_encrypting_on_no_security_context_does_not_let_plaintext_through(tmp_path):
    assert not holds_canary(recorded(tmp_path / "run", turned_records(is_live=False), include_secrets=False))


@pytest.mark.parametrize("status", [SecurityStatus.SEC_E_BUFFER_TOO_SMALL, SecurityStatus.SEC_E_INVALID_HANDLE])
def test_an_encryption_that_fails_does_not_let_plaintext_through(tmp_path, status):
    assert not holds_canary(recorded(tmp_path / "run", turned_records(status), include_secrets=False))


def test_what_is_left_of_a_key_line_is_its_label():
    event = redacted(ev.KeyLogged(None, KEY_LINE))
    assert event == ev.KeyLogged(None, f"CLIENT_TRAFFIC_SECRET_0 {MASKED}")


def test_what_is_left_of_an_exception_is_its_type():
    raised = ev.CallbackRaised(Handle("client", "call", 1), Handle("client", "ac", 1), "ValueError: x is y: z")
    assert redacted(raised) == raised._replace(error="ValueError: ***")
    assert redacted(raised._replace(error="ValueError")) == raised._replace(error="ValueError")


def test_what_is_left_of_plaintext_is_its_size():
    images = (BufferImage(BufferType.STREAM_HEADER, 5, b""), BufferImage(BufferType.DATA, len(CANARY), CANARY))
    event = redacted(ev.MessageEncrypted(None, OK, images, images[:1]))
    assert isinstance(event, ev.MessageEncrypted)
    assert event.before == (images[0], BufferImage(BufferType.DATA, len(CANARY), None))


def test_ciphertext_and_tokens_stay():
    images = (BufferImage(BufferType.DATA, 3, b"abc"),)
    decrypted = redacted(ev.MessageDecrypted(None, OK, images, images, None))
    assert isinstance(decrypted, ev.MessageDecrypted)
    assert (decrypted.before, decrypted.after) == (images, (BufferImage(BufferType.DATA, 3, None),))
    sent = ev.TokenSent(1, 1, "server", CANARY)
    assert redacted(sent) is sent


def test_what_holds_no_secret_is_left_as_it_is():
    records = finished_pair()
    assert [redacted(record.event) for record in records] == [record.event for record in records]


def test_redacting_changes_nothing_of_what_is_kept_in_memory():
    records = turned_records()
    for record in records:
        redacted(record.event)
    assert any(isinstance(record.event, ev.KeyLogged) and record.event.line == KEY_LINE for record in records)


def test_exported_keying_material_is_a_secret(tmp_path):
    fields: dict[str, object] = {"cbKeyingMaterial": len(CANARY), "pbKeyingMaterial": CANARY}
    record = Record(1, 0, 0, "client", 0, ev.AttributeQueried(None, 0x6B, OK, fields))  # SECPKG_ATTR_KEYING_MATERIAL
    assert not holds_canary(recorded(tmp_path / "run", [record], include_secrets=False))
