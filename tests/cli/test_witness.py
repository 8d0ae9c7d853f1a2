"""`sspi-async explain CODE --in RECORDING`: the one alert it was, who sent it, why, and what was there instead."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from sspicli.cli.explain import command
from sspicli.journal.events import TokenSent
from sspicli.journal.recording import read_recording
from sspicli.sspi.errors import UsageError
from tests.handshakes import records_of

KINDS: dict[str, dict[str, Any]] = {
    "ok": {},
    "suites": {
        "tls": "1.3",
        "client": ("suites=TLS_AES_128_GCM_SHA256",),
        "server": ("suites=TLS_AES_256_GCM_SHA384",),
    },
    "versions": {"client": ("tls=1.2",), "server": ("tls=1.3",)},
    "alpn": {"client": ("alpn=h2",), "server": ("alpn=http/1.1",)},
    "mutual": {"client": ("cert=expired",), "server": ("request-cert=require",)},
    "required": {"server": ("request-cert=require",)},
    "expired": {"server": ("cert=expired",), "tls": "1.2"},
    "stuck": {"fault": ("server.accept#2=hang",)},
    "sample": {"mode": "sample", "completion": "inline"},
    "refused": {"fault": ("client.init#1=refuse",)},
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    where = tmp_path_factory.mktemp("witness")
    for kind, changes in KINDS.items():
        records_of(record=where / kind, keylog=where / f"{kind}.keys", **changes)
    return where


def explain(*words: object) -> Result:
    return CliRunner().invoke(command, [str(word) for word in words], standalone_mode=False)


def told(*words: object) -> str:
    return " ".join(explain(*words).stdout.split())


def document(*words: object) -> dict[str, Any]:
    return dict(json.loads(explain("-f", "json", *words).stdout))


def test_a_status_of_many_alerts_is_told_to_be_the_one_it_was(folder: Path):
    shown = told("SEC_E_ILLEGAL_MESSAGE", "--in", folder / "suites")
    assert "9 alerts, and 11 that its table does not list, arrive as SEC_E_ILLEGAL_MESSAGE" in shown
    assert "Here it was 40 handshake_failure, which means in general: " in shown
    assert "fatal 40 handshake_failure, 7 B in clear: 15 03 03 00 02 02 28; from the server in leg 2" in shown
    assert "sent by server SspiAcceptSecurityContextAsync #1 (server.call2)" in shown
    assert "arrived client SspiInitializeSecurityContextAsync #2 (client.call3)" in shown


def test_the_same_status_in_another_run_was_another_alert(folder: Path):
    shown = told("SEC_E_ILLEGAL_MESSAGE", "--in", folder / "required")
    assert "Here it was 116 certificate_required" in shown


def test_the_alert_itself_can_be_asked_for(folder: Path):
    for code in (["40"], ["handshake_failure"], ["alert", "40"]):
        assert "from the server in leg 2" in told(*code, "--in", folder / "suites")


def test_the_deciding_field_is_told_with_its_bytes(folder: Path):
    (answer,) = document("SEC_E_ALGORITHM_MISMATCH", "--in", folder / "suites")["answers"]
    failure = answer["testimonies"][0]["failure"]
    assert (failure["field"], failure["field_leg"]) == ("ClientHello.cipher_suites", 1)
    sent = [one.event for one in read_recording(folder / "suites").records if isinstance(one.event, TokenSent)]
    start, end = failure["field_span"]
    assert sent[0].data[5:][start:end] == bytes.fromhex("0002 1301")  # the length, then TLS_AES_128_GCM_SHA256


@pytest.mark.parametrize(
    ("kind", "field"),
    [
        ("versions", "ClientHello.legacy_version"),
        ("alpn", "ClientHello.extensions.application_layer_protocol_negotiation"),
        ("expired", "Certificate[0].validity.notAfter"),
    ],
)
def test_every_kind_of_field_is_found(folder: Path, kind: str, field: str):
    failure = document("--in", folder / kind)["testimony"]["failure"]
    assert failure["field"] == field
    assert failure["field_span"] is not None


def test_a_field_in_a_message_that_stayed_closed_is_named_and_found_with_the_key_log(folder: Path):
    assert "(its message may be one that stayed closed)" in told("--in", folder / "mutual")
    opened = told("--in", folder / "mutual", "--keylog", folder / "mutual.keys")
    assert re.search(r"leg 3, Certificate\[0\]\.validity\.notAfter, bytes 0x\w+-0x\w+ of the decrypted message", opened)
    assert "24 B encrypted; from the server in leg 4" in opened


def test_both_ends_offers_stand_side_by_side_and_what_is_lacking_is_marked(folder: Path):
    (answer,) = document("SEC_E_ALGORITHM_MISMATCH", "--in", folder / "versions")["answers"]
    rows = {row["what"]: row for row in answer["testimonies"][0]["offers"]}
    assert (rows["versions"]["client"], rows["versions"]["server"]) == (["TLS 1.2"], ["TLS 1.3"])
    assert [name for name, row in rows.items() if row["is_lacking"]] == ["versions"]
    shown = told("--in", folder / "versions", "--width", "140")
    assert "✗ versions TLS 1.2 TLS 1.3 nothing in common" in shown
    assert (rows["groups"]["server"], rows["groups"]["common"]) == (None, None)
    alpn = document("--in", folder / "alpn")["testimony"]["offers"][-1]
    assert (alpn["client"], alpn["server"], alpn["is_lacking"]) == (["h2"], ["http/1.1"], True)


def test_without_a_code_it_tells_what_the_run_failed_with(folder: Path):
    shown = told("--in", folder / "mutual")
    assert shown.startswith("SEC_E_CERT_EXPIRED 0x80090328 in")
    assert 'cause client=cert preset "expired" (you asked for it)' in shown
    assert "SEC_E_CERT_EXPIRED is documented for Windows" in shown
    assert "this run was not on Windows" in shown


@pytest.mark.parametrize("kind", KINDS)
def test_without_a_code_every_run_has_an_answer(folder: Path, kind: str):
    ended = explain("--in", folder / kind)
    assert ended.return_value == 0
    assert len(ended.stdout) > 40
    assert document("--in", folder / kind)["verdict"] in ("ok", "failed", "stuck")


def test_a_run_that_did_not_fail_says_so(folder: Path):
    assert told("--in", folder / "ok").startswith("ok Schannel TLS 1.3")
    assert told("--in", folder / "stuck").startswith("STUCK")


def test_a_code_that_is_not_in_the_recording_ends_with_1_and_what_was_there(folder: Path):
    ended = explain("SEC_E_ILLEGAL_MESSAGE", "--in", folder / "mutual")
    assert ended.return_value == 1
    shown = " ".join(ended.stdout.split())
    assert shown.startswith("SEC_E_ILLEGAL_MESSAGE is not in this recording")
    assert "instead SEC_I_CONTINUE_NEEDED, SEC_E_CERT_EXPIRED, SEC_I_RENEGOTIATE" in shown
    (answer,) = document("SEC_E_ILLEGAL_MESSAGE", "--in", folder / "mutual")["answers"]
    assert (answer["is_in_recording"], answer["testimonies"]) == (False, [])


def test_an_unknown_word_ends_with_2(folder: Path):
    error = explain("SEC_E_ILEGAL_MESSAGE", "--in", folder / "mutual").exception
    assert isinstance(error, UsageError)
    assert "SEC_E_ILLEGAL_MESSAGE" in error.help


def test_a_rule_is_told_by_its_findings(folder: Path):
    assert "seen server.ac1: server.call3 had not completed" in told("A016", "--in", folder / "stuck")
    assert explain("A004", "--in", folder / "stuck").return_value == 1


def test_an_ntstatus_is_told_apart_from_the_status_of_the_same_number(folder: Path):
    assert "SspiReinitAsyncContext of client.ac1" in told("STATUS_SUCCESS", "--in", folder / "ok")
    assert "SspiReinitAsyncContext" not in told("SEC_E_OK", "--in", folder / "ok")


def test_a_refusal_at_queueing_is_seen(folder: Path):
    shown = told("--in", folder / "refused")
    assert "refused at queueing" in shown
    assert "--fault client.init#1=refuse (you asked for it)" in shown


def test_pending_names_the_calls_that_never_completed(folder: Path):
    shown = told("SEC_I_ASYNC_CALL_PENDING", "--in", folder / "stuck")
    assert "seen server SspiAcceptSecurityContextAsync #2 (server.call3), still pending where the records end" in shown


def test_a_key_log_without_a_recording_is_refused(folder: Path):
    error = explain("40", "--keylog", folder / "ok.keys").exception
    assert isinstance(error, UsageError)
    assert error.where == "--keylog"
