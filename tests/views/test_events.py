"""One line for each event: every kind has its sentence, and none of them tells a secret."""

from __future__ import annotations

from typing import get_args

import pytest

from sspicli.analysis.state import State
from sspicli.journal import events as ev
from sspicli.journal.journal import Record
from sspicli.sspi.buffers import BufferImage, BufferType
from sspicli.sspi.functions import Function
from sspicli.sspi.handles import Handle
from sspicli.sspi.lifecycle import Phase, Verb
from sspicli.sspi.package import Role, Source
from sspicli.sspi.status import NtStatus, SecurityStatus
from sspicli.views.events import Words
from sspicli.views.text import UNICODE, plain
from tests.handshakes import records_of

OK = SecurityStatus.SEC_E_OK
AC, CRED, CTXT, CALL = (Handle("client", kind, 1) for kind in ("ac", "cred", "ctxt", "call"))
DATA = (BufferImage(BufferType.DATA, 6, b"canary"), BufferImage(BufferType.EMPTY, 0, None))
TOKEN = (BufferImage(BufferType.TOKEN, 3, b"abc"),)

SENTENCES: list[tuple[ev.Event, str]] = [
    (ev.RunStarted("t", "Schannel", "engine 1", "", "", 0, 0, False, {}), "run started: Schannel, engine 1"),
    (ev.HandshakeBegan(2), "handshake 2 begins"),
    (ev.RunEnded("stuck", ("client waits for bytes",)), "run ended: stuck; client waits for bytes"),
    (ev.NoteMade("a\x1b[2Jnote"), r"a\x1b[2Jnote"),
    (ev.ActionTaken("server.1", "hold server"), "hold server"),
    (ev.AsyncContextCreated(None), "SspiCreateAsyncContext → NULL"),
    (ev.NotifyCallbackSet(AC, True, OK), "SspiSetAsyncNotifyCallback ac1 to NULL → SEC_E_OK"),
    (ev.NotifyRequirementQueried(AC, True), "SspiAsyncContextRequiresNotify ac1 → TRUE"),
    (ev.CallStatusQueried(AC, CALL, OK), "SspiGetAsyncCallStatus ac1 → SEC_E_OK"),
    (
        ev.AsyncContextReinitialized(AC, NtStatus.STATUS_INVALID_DEVICE_STATE),
        "SspiReinitAsyncContext ac1 → STATUS_INVALID_DEVICE_STATE",
    ),
    (ev.AsyncContextFreed(AC), "SspiFreeAsyncContext ac1"),
    (ev.QueueingReturned(CALL, OK), "SspiInitializeSecurityContextAsync #1 → queue status SEC_E_OK"),
    (
        ev.CallRefused(Function.SspiAcceptSecurityContextAsync, AC, SecurityStatus.SEC_E_INVALID_HANDLE),
        "SspiAcceptSecurityContextAsync → refused, SEC_E_INVALID_HANDLE",
    ),
    (
        ev.CallCompleted(CALL, SecurityStatus.SEC_I_CONTINUE_NEEDED, CTXT, None, TOKEN, 0, 0, None, 0),
        "SspiInitializeSecurityContextAsync #1 completed: SEC_I_CONTINUE_NEEDED, out TOKEN 3 B",
    ),
    (
        ev.OutputReadEarly(CALL, "pfContextAttr", False),
        "pfContextAttr read while SspiInitializeSecurityContextAsync #1 is pending",
    ),
    (
        ev.BufferTouched(CALL, "pInput", 0, "write"),
        "buffer 0 of pInput written while SspiInitializeSecurityContextAsync #1 is pending",
    ),
    (
        ev.BufferShared(CALL, CALL, "pOutput", 0),
        (
            "pOutput of SspiInitializeSecurityContextAsync #1 belongs to SspiInitializeSecurityContextAsync #1, "
            "which is pending"
        ),
    ),
    (
        ev.HandleUsedEarly(CALL, CALL, "phCredential"),
        (
            "phCredential of SspiInitializeSecurityContextAsync #1 is still to be written by "
            "SspiInitializeSecurityContextAsync #1"
        ),
    ),
    (
        ev.AttributesRead(CALL),
        "pfContextAttr of SspiInitializeSecurityContextAsync #1 read: less was granted than requested",
    ),
    (ev.ArgumentsDeviate(CALL, {"Reserved1": 7}), "SspiInitializeSecurityContextAsync #1 was given Reserved1 7"),
    (ev.CallbackEntered(CALL, AC), "notify callback of SspiInitializeSecurityContextAsync #1 entered"),
    (ev.CallbackReturned(CALL, AC), "notify callback of SspiInitializeSecurityContextAsync #1 returned"),
    (
        ev.CallbackRaised(CALL, AC, "ValueError: no\x1b"),
        "exception leaves the notify callback of SspiInitializeSecurityContextAsync #1: ValueError: no\\x1b",
    ),
    (
        ev.CallbackWaited(CALL, AC, "signal"),
        "notify callback of SspiInitializeSecurityContextAsync #1 waits for a signal",
    ),
    (ev.WaitUnanswered("the signal done"), "waits for ever for the signal done"),
    (ev.CallbackDataDied(AC, "block\x1b"), "callback data block\\x1b of ac1 dies"),
    (ev.LockTaken("list\x1b"), "lock list\\x1b taken"),
    (ev.LockReleased("list"), "lock list released"),
    (ev.CredentialAcquired(CRED, CALL), "credential cred1 acquired"),
    (ev.CredentialFreed(CRED), "credential cred1 freed"),
    (ev.SecurityContextOpened(CTXT, Role.CLIENT, CALL), "security context ctxt1 opened"),
    (ev.SecurityContextDeleted(CTXT), "security context ctxt1 deleted"),
    (ev.MessageEncrypted(CTXT, OK, DATA, DATA), "EncryptMessage → SEC_E_OK, DATA 6 B, protected 6 B"),
    (ev.MessageDecrypted(CTXT, OK, DATA, DATA, None), "DecryptMessage → SEC_E_OK, DATA 6 B"),
    (ev.AttributeQueried(CTXT, 4, OK, {}), "QueryContextAttributes STREAM_SIZES → SEC_E_OK"),
    (ev.AttributeSet(CTXT, 4, OK, {}), "SetContextAttributes STREAM_SIZES → SEC_E_OK"),
    (ev.ControlTokenApplied(CTXT, OK), "ApplyControlToken → SEC_E_OK"),
    (ev.ContextBuffersFreed(2), "FreeContextBuffer, 2 released"),
    (ev.AllocationMisfreed("ExFreePool", 1), "ExFreePool, 1 released that only FreeContextBuffer may"),
    (ev.TokenSent(9, 1, "server", b"abc"), "leg 1, 3 B, sent to the server"),
    (ev.TokenDelivered(9, "server"), "protected data reached the server"),
    (ev.FaultInjected("hang", "client.call1", "never", "client.init=hang"), "fault client.init=hang: never"),
    (ev.TokenForwarded(10, 2, "client", b"abc", (9,)), "leg 2 goes on to the client as 3 B"),
    (
        ev.FaultMissed("leg 2", "it has 3 bytes", "leg2=truncate:9"),
        "fault leg2=truncate:9 missed leg 2: it has 3 bytes",
    ),
    (ev.CallHeld(CALL, "client.init#1"), "client.call1 is held (client.init#1)"),
    (ev.CallReleased(CALL, "client.init#1"), "client.call1 is released (client.init#1)"),
    (ev.ChoiceMade(12, 1, 3), "choice 12: option 2 of 3"),
    (ev.KeyLogged(CTXT, "CLIENT_RANDOM aa canary"), "key log: CLIENT_RANDOM"),
    (
        ev.ContractBroken(AC, Phase.PENDING, Verb.FREE, False, "it is pending", Source.DOCUMENTED, "A004"),
        "A004 ac1: free, while pending: it is pending",
    ),
]


def queued() -> tuple[State, Record]:
    """Make a state in which one call was queued, and that record."""
    function = Function.SspiInitializeSecurityContextAsync
    event = ev.CallQueued(CALL, function, AC, CRED, None, "peer.test", 0, TOKEN, None, False, None)
    records = [
        Record(1, 0, 0, "client", 0, ev.AsyncContextCreated(AC)),
        Record(2, 1, 0, "client", 1, ev.NotifyCallbackSet(AC, False, OK)),
        Record(3, 1_500_000, 0, "client", 2, event),
    ]
    state = State()
    for record in records:
        state.see(record)
    return state, records[-1]


def test_a_queued_call_is_told_with_time_actor_and_what_was_passed():
    state, record = queued()
    said = plain(Words(state, UNICODE, is_short=False).line(record))
    name = "SspiInitializeSecurityContextAsync"
    assert said == f"1.500000 client     {name} #1 queued on ac1 for peer.test, in TOKEN 3 B"


@pytest.mark.parametrize(("event", "sentence"), SENTENCES, ids=[type(event).__name__ for event, _ in SENTENCES])
def test_an_event_is_told_in_its_sentence(event: ev.Event, sentence: str):
    state, _ = queued()
    said = plain(Words(state, UNICODE, is_short=False).line(Record(4, 7, 0, "client.ac1.callback", 3, event)))
    assert said == f"0.000007 client cb  {sentence}"
    assert "canary" not in said


def test_every_kind_of_event_has_its_sentence_here():
    assert {type(event) for event, _ in SENTENCES} | {ev.CallQueued} == set(get_args(ev.Event))


def test_a_burst_of_minor_events_is_one_row_with_its_count():
    records = records_of()
    last = max(record.sequence for record in records if isinstance(record.event, ev.KeyLogged))
    state = State()
    for record in records[:last]:
        state.see(record)
    rows = [plain(one) for one in Words(state, UNICODE, is_short=True).lines(state.log, 3)]
    assert [row[20:] for row in rows] == [
        "accept #2 queued on ac1, in TOKEN 80 B",
        "accept #2 → queue status SEC_E_OK",
        "key log: CLIENT_TRAFFIC_SECRET_0",
    ]
    burst = [plain(one) for one in Words(state, UNICODE, is_short=True).lines(state.log, 30)]
    assert any(row.endswith("×9") and "QueryContextAttributes" in row for row in burst)


def test_a_failure_is_marked_and_what_happens_all_the_time_is_muted():
    records = records_of(server=("cert=expired",))
    state = State()
    for record in records:
        state.see(record)
    words = Words(state, UNICODE, is_short=False)
    styles = {plain(words.line(record))[20:]: words.line(record)[-1].style for record in records}
    assert (
        styles["SspiInitializeSecurityContextAsync #2 completed: SEC_E_CERT_EXPIRED, out TOKEN 7 B ALERT 2 B"] == "bad"
    )
    assert styles["SspiInitializeSecurityContextAsync #1 completed: SEC_I_CONTINUE_NEEDED, out TOKEN 1548 B"] == ""
    assert styles["key log: EXPORTER_SECRET"] == "muted"
