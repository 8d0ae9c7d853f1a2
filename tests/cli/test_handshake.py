"""`sspi-async handshake`: its document, its screens, its options and its exit codes."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from sspicli.cli.handshake import command
from sspicli.journal.events import RunStarted
from sspicli.journal.recording import read_recording
from sspicli.sspi.errors import SspiCliError
from sspicli.sspi.status import SecurityStatus
from tests.handshakes import CLOCK, handshake, statuses
from tests.processes import sspi

FIXED = ["--clock", CLOCK, "--seed", "7"]


def run(*words: str) -> Result:
    return CliRunner().invoke(command, [*FIXED, *words], standalone_mode=False)


def document(*words: str) -> dict[str, Any]:
    return dict(json.loads(run("-f", "json", *words).stdout))


# -- the document ----------------------------------------------------------------------------------------------------
def test_the_document_of_a_good_handshake_names_what_both_ends_agreed_on():
    said = document("--client", "alpn=h2,http/1.1", "--server", "alpn=http/1.1,h2")
    assert said["schema"] == "sspi-async/handshake/1"
    assert (said["verdict"], said["package"], said["emulated"]) == ("ok", "Schannel", True)
    assert (said["protocol"], said["cipher_suite"]) == ("TLS 1.3", "TLS_AES_256_GCM_SHA384")
    assert said["group"] == "X25519MLKEM768"
    assert said["client"]["status"] == said["server"]["status"] == "SEC_E_OK"
    assert said["client"]["status_hex"] == "0x00000000"
    assert said["client"]["post_handshake_status"] == "SEC_E_OK"  # the tickets
    assert said["failure"] is None
    assert said["findings"] == []


def test_the_document_lists_the_legs_with_their_decrypted_messages():
    legs = document()["legs"]
    assert [leg["number"] for leg in legs] == [1, 2, 3, 4]
    assert [leg["from"] for leg in legs] == ["client", "server", "client", "server"]
    assert legs[0]["messages"] == ["ClientHello"]
    assert legs[1]["messages"] == [
        "ServerHello", "ChangeCipherSpec", "EncryptedExtensions", "Certificate", "CertificateVerify", "Finished",
    ]  # fmt: skip
    assert legs[2]["messages"] == ["ChangeCipherSpec", "Finished"]
    assert legs[3]["messages"] == ["NewSessionTicket", "NewSessionTicket"]
    assert all(leg["bytes"] > 0 for leg in legs)


def test_the_document_lists_the_queued_calls_and_counts_the_callbacks():
    said = document()
    kinds = [(call["endpoint"], call["function"].removeprefix("Sspi")) for call in said["calls"]]
    assert kinds.count(("client", "InitializeSecurityContextAsync")) == 3
    assert kinds.count(("server", "AcceptSecurityContextAsync")) == 2
    for side in ("client", "server"):
        assert kinds.count((side, "AcquireCredentialsHandleAsync")) == 1
        assert kinds.count((side, "DeleteSecurityContextAsync")) == 1
        assert kinds.count((side, "FreeCredentialsHandleAsync")) == 1
        assert said["callbacks"][side] == sum(call["endpoint"] == side for call in said["calls"])
    assert {call["queue_status"] for call in said["calls"]} == {"SEC_E_OK"}
    assert all(call["was_pending"] for call in said["calls"])


def test_the_document_of_a_failure_names_side_leg_call_alert_field_and_the_way_out():
    said = document("--server", "cert=expired")
    failure = said["failure"]
    assert said["verdict"] == "failed"
    assert (failure["side"], failure["leg"], failure["status"]) == ("client", 3, "SEC_E_CERT_EXPIRED")
    assert failure["status_hex"] == "0x80090328"
    assert failure["call"] == "client.call3"
    assert {key: failure["alert"][key] for key in ("level", "number", "name", "encrypted", "bytes")} == {
        "level": "fatal", "number": 45, "name": "certificate_expired", "encrypted": False, "bytes": 7,
    }  # fmt: skip
    assert failure["field"] == "Certificate[0].validity.notAfter"
    assert "expired" in failure["cause"]
    assert "cert=valid" in failure["help"]
    assert said["client"]["alert_sent"]["number"] == said["server"]["alert_received"]["number"] == 45


def test_the_document_says_where_in_a_token_each_message_stands():
    leg = document()["legs"][1]
    ends = [end for _, end in leg["message_spans"]]
    assert leg["message_spans"][0][0] == 0
    assert [start for start, _ in leg["message_spans"][1:]] == ends[:-1]
    assert ends[-1] == leg["bytes"]
    sizes = [end - start for start, end in leg["message_spans"]]
    assert leg["message_bytes"] == [
        size - (22 if is_encrypted else 5) for size, is_encrypted in zip(sizes, leg["encrypted"], strict=True)
    ]
    assert set(leg["message_notes"]) == {None}


def test_a_client_that_is_ok_while_the_server_fails_later_is_a_failed_handshake():
    said = document("--server", "request-cert=require")
    assert said["verdict"] == "failed"
    assert said["client"]["status"] == "SEC_E_OK"
    assert said["client"]["post_handshake_status"] == "SEC_E_ILLEGAL_MESSAGE"
    assert said["failure"]["side"] == "server"
    assert said["failure"]["alert"]["number"] == 116
    assert said["failure"]["alert"]["encrypted"] is True


def test_the_same_seed_and_clock_give_the_same_document_apart_from_random_fields():
    first, second = (run("-f", "json", "--no-timing").stdout for _ in range(2))
    assert first == second


def test_jsonl_is_the_journal_and_holds_no_secret_unless_asked():
    lines = run("-f", "jsonl").stdout.splitlines()
    keylog = [json.loads(line)["line"] for line in lines if '"KeyLogged"' in line]
    assert keylog
    assert all(line.endswith(" ***") for line in keylog)
    asked = run("-f", "jsonl", "--include-secrets").stdout
    assert any(len(json.loads(line)["line"]) > 100 for line in asked.splitlines() if '"KeyLogged"' in line)


# -- every option has an effect --------------------------------------------------------------------------------------
def test_tls_sets_the_version_of_both_sides():
    assert handshake(tls="1.2").protocol == "TLS 1.2"
    assert handshake(tls="1.3").protocol == "TLS 1.3"


def test_a_sides_own_tls_beats_the_shared_one():
    assert handshake(tls="1.3", client=("tls=1.2-1.3",), server=("tls=1.2",)).protocol == "TLS 1.2"


def test_poll_mode_asks_and_is_told_pending():
    polled = handshake(mode="poll")
    assert polled.verdict == "ok"
    assert all(call.pending_answers > 0 for call in polled.calls)
    assert not any(call.pending_answers for call in handshake(mode="callback").calls)


def test_inline_completion_leaves_no_call_pending():
    assert not any(call.was_pending for call in handshake(completion="inline").calls)


def test_random_completion_mixes_by_the_seed():
    waited = [call.was_pending for call in handshake(completion="random", seed=3).calls]
    assert {True, False} == set(waited)
    assert waited == [call.was_pending for call in handshake(completion="random", seed=3).calls]


def test_lifo_completes_the_last_call_first():
    first = {order: handshake(order=order).calls for order in ("fifo", "lifo")}
    ends = {order: min(calls, key=lambda call: call.completed_sequence).endpoint for order, calls in first.items()}
    assert ends == {"fifo": "client", "lifo": "server"}


@pytest.mark.parametrize("choice", [("inline", "fifo"), ("pending", "lifo"), ("random", "seed")])
def test_a_printed_schedule_makes_the_same_choices_again(choice: tuple[str, str]):
    completion, order = choice
    first = document("--completion", completion, "--order", order)
    again = document("--schedule", first["schedule"])
    assert again["schedule"] == first["schedule"]
    assert [(call["id"], call["call_status"], call["was_pending"]) for call in again["calls"]] == [
        (call["id"], call["call_status"], call["was_pending"]) for call in first["calls"]
    ]


def test_workers_complete_calls_on_threads():
    assert handshake(workers=2).verdict == "ok"


def test_workers_with_an_order_are_refused_since_nothing_is_chosen():
    with pytest.raises(SspiCliError, match="nothing to choose"):
        handshake(workers=1, order="lifo")


def test_messages_are_protected_sent_and_opened_both_ways():
    result = handshake(messages=3)
    assert {name: (end.messages_sent, end.messages_opened) for name, end in result.endpoints.items()} == {
        "client": (3, 3),
        "server": (3, 3),
    }


@pytest.mark.parametrize("tls", ["1.2", "1.3"])
def test_resume_runs_a_second_handshake_that_is_resumed_at_both_ends(tls: str):
    result = handshake(tls=tls, client=("resume=ticket",))
    assert (result.verdict, result.is_resumed, result.handshakes) == ("ok", True, 2)
    assert not any(message.name == "Certificate" for leg in result.legs for message in leg.messages)


def test_without_resume_each_handshake_is_full():
    assert not handshake().is_resumed


@pytest.mark.parametrize(("words", "code"), [
    (["--expect", "client=SEC_E_CERT_EXPIRED"], 0),
    (["--expect", "0x80090328"], 0),
    (["--expect", "client=SEC_E_CERT_EXPIRED", "--expect", "server=SEC_E_OK"], 1),
    (["--expect", "SEC_E_OK"], 1),
])  # fmt: skip
def test_an_expectation_met_is_success_even_of_a_failed_handshake(words: list[str], code: int):
    assert run("--server", "cert=expired", *words).return_value == code


def test_exit_codes_follow_the_verdict():
    assert run().return_value == 0
    assert run("--server", "cert=untrusted").return_value == 1
    assert run("--fault", "server.accept#2=hang").return_value == 6


def test_output_goes_to_a_new_file_and_never_over_an_old_one(tmp_path: Path):
    path = tmp_path / "out.json"
    assert run("-f", "json", "-o", str(path)).stdout == ""
    assert json.loads(path.read_text())["verdict"] == "ok"
    with pytest.raises(SspiCliError, match="not overwritten"):
        raise run("-o", str(path)).exception or AssertionError("it was overwritten")


# -- files -----------------------------------------------------------------------------------------------------------
def test_a_recording_is_private_and_self_contained(tmp_path: Path):
    path = tmp_path / "s.sspirec"
    assert run("--record", str(path), "--server", "cert=expired", "--client", "alpn=h2").return_value == 1
    recording = read_recording(path)
    started = recording.records[0].event
    assert recording.note == ""
    assert not recording.has_secrets
    assert isinstance(started, RunStarted)
    assert started.options["server"] == ("cert=expired",)
    assert started.engine.startswith("pyOpenSSL")
    if os.name == "posix":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_key_log_has_the_five_lines_of_tls_1_3_from_each_end(tmp_path: Path):
    path = tmp_path / "keys"
    run("--keylog", str(path), "--tls", "1.3")
    labels = [line.split()[0] for line in path.read_text().splitlines()]
    assert set(labels) == {
        "CLIENT_HANDSHAKE_TRAFFIC_SECRET", "SERVER_HANDSHAKE_TRAFFIC_SECRET", "CLIENT_TRAFFIC_SECRET_0",
        "SERVER_TRAFFIC_SECRET_0", "EXPORTER_SECRET",
    }  # fmt: skip
    assert all(labels.count(label) == 2 for label in labels)


def test_no_secret_reaches_any_output_that_was_not_asked_to_hold_it(tmp_path: Path):
    keys, record = tmp_path / "keys", tmp_path / "rec"
    shown = run("-vv", "--keylog", str(keys), "--record", str(record), "--messages", "1").stdout
    secrets = {line.split()[2] for line in keys.read_text().splitlines()}
    assert len(secrets) == 5
    written = shown + record.read_text()
    assert not any(secret in written for secret in secrets)
    assert b"message 1 from the client".hex() not in written


# -- screens ---------------------------------------------------------------------------------------------------------
def test_the_first_line_is_the_verdict_and_quiet_shows_nothing_else():
    assert run("-q").stdout.startswith("ok  Schannel TLS 1.3")
    assert len(run("-q").stdout.splitlines()) == 1
    assert run("--server", "cert=expired", "-q").stdout.startswith("FAILED  Schannel")


@pytest.mark.parametrize("width", [48, 80, 120, 200])
def test_the_ladder_keeps_to_its_width(width: int):
    shown = run("--width", str(width)).stdout.splitlines()
    ladder = shown[2 : shown.index("", 2)]
    assert max(map(len, ladder)) <= width


@pytest.mark.parametrize("server", ["cert=expired", "request-cert=require", "cert=untrusted"])
def test_an_explanation_keeps_to_80_columns(server: str):
    shown = run("--width", "80", "--server", server).stdout.splitlines()
    assert max(map(len, shown)) <= 80


def test_a_plain_success_is_at_most_a_screen():
    assert len(run("--width", "80").stdout.splitlines()) <= 24


def test_ascii_output_is_ascii():
    assert run("--ascii", "-vv", "--server", "cert=expired").stdout.isascii()


def test_verbose_adds_calls_and_buffers_and_twice_their_bytes():
    once, twice = run("-v").stdout, run("-vv").stdout
    assert "client.call2 init #1" in once
    assert "in  [1]  EMPTY 0 B NULL" in once
    assert "0000 │16" not in once
    assert "0000 │16│03 01│" in twice


def test_colour_is_written_only_when_wanted(monkeypatch: pytest.MonkeyPatch):
    assert "\x1b[" not in run().stdout
    assert "\x1b[" in run("--color", "always").stdout
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b[" not in run().stdout
    monkeypatch.delenv("NO_COLOR")
    assert "\x1b[" in run().stdout


# -- faults ----------------------------------------------------------------------------------------------------------
def test_out_of_memory_at_create_is_told_and_hurts_nobody_else():
    result = handshake(fault=("client.create=null",))
    assert result.verdict == "failed"
    assert "out of memory" in result.endpoints["client"].notes[0]
    assert result.failure is not None
    assert result.failure.status is None  # a NULL is no status, and none is made up for it
    assert "returned NULL" in run("--fault", "client.create=null").stdout
    assert result.findings == ()


def test_a_refused_queueing_makes_no_call_and_no_callback():
    result = handshake(fault=("client.init#2=refuse:SEC_E_INSUFFICIENT_MEMORY",))
    (refused,) = result.refusals
    assert refused.endpoint == "client"
    assert refused.queue_status == SecurityStatus.SEC_E_INSUFFICIENT_MEMORY
    assert len(result.calls) == sum(one.callbacks for one in result.endpoints.values())


def test_a_completion_that_never_comes_is_stuck_with_who_waits_for_what():
    result = handshake(fault=("server.accept#2=hang",))
    assert result.verdict == "stuck"
    assert any("server" in wait and "callback" in wait for wait in result.waits)
    assert any(wait == "server.call3 never completes" for wait in result.waits)


def test_a_call_that_came_late_failed_for_reasons_of_its_own():
    result = handshake(client=("cert=expired",), server=("request-cert=require",), fault=("server.accept#2=delay:5",))
    assert result.failure is not None
    assert (result.failure.was_injected, result.failure.help) == (False, "--client cert=valid")
    assert result.faults == ("server.accept#2=delay:5",)


def test_a_delayed_completion_only_takes_longer():
    late = handshake(fault=("server.accept=delay:500",))
    accept = next(call for call in late.calls if call.leg == 2)
    assert late.verdict == "ok"
    assert accept.pending_ticks >= 500


def test_a_call_that_outlives_the_time_limit_is_not_said_never_to_complete():
    result = handshake(fault=("server.accept#2=delay:5000",), timeout=0.001)
    assert (result.verdict, result.reason) == ("stuck", "limit")
    assert result.waits[0] == "the time limit of 0.001 s was reached"
    assert result.waits[-1] == "server.call3 is still pending"


def test_a_failed_completion_is_the_calls_status():
    result = handshake(fault=("server.accept=fail:SEC_E_INTERNAL_ERROR",))
    assert statuses(result)["server"][0] == "SEC_E_INTERNAL_ERROR"


def test_a_poller_of_a_call_that_never_completes_ends_at_the_time_out():
    result = handshake(mode="poll", fault=("server.accept=hang",), timeout=1.0)
    assert (result.verdict, result.reason) == ("stuck", "limit")


@pytest.mark.parametrize(
    "text",
    [
        "x", "client.init", "client.init=", "client.init=hang:1", "server.create=hang", "a.b=c", "client.init#0x1=hang",
        "client.init=delay", "client.init=fail:NOPE",
    ],
)  # fmt: skip
def test_a_wrong_fault_is_a_usage_error(text: str):
    with pytest.raises(SspiCliError) as caught:
        handshake(fault=(text,))
    assert caught.value.exit_code == 2
    assert caught.value.help


# -- the documentation's own sample ----------------------------------------------------------------------------------
def test_the_documented_sample_works_while_its_calls_stay_pending():
    assert handshake(mode="sample").verdict == "ok"


def test_the_documented_sample_uses_a_freed_async_context_when_its_call_completes_inline():
    result = handshake(mode="sample", completion="inline")
    assert [finding.rule.code for finding in result.findings] == ["A006"]
    assert result.findings[0].subject == "server.ac2"


def test_verbose_shows_what_both_ends_were_told_about_the_connection():
    shown = run("-v", "--tls", "1.2").stdout
    assert "dwProtocol=0x800" in shown  # SP_PROT_TLS1_2_CLIENT
    assert "dwProtocol=0x400" in shown  # SP_PROT_TLS1_2_SERVER
    told = document("-v")["context_attributes"]
    assert told["client"]["CIPHER_INFO"]["szCipherSuite"] == "TLS_AES_256_GCM_SHA384"
    assert told["client"]["UNIQUE_BINDINGS"]["status"] == "SEC_E_UNSUPPORTED_FUNCTION"  # undefined in TLS 1.3
    assert told["server"]["REMOTE_CERT_CONTEXT"]["status"] == "SEC_E_NO_CREDENTIALS"


# -- what a review found ---------------------------------------------------------------------------------------------
def test_a_first_handshake_that_fails_is_not_hidden_by_a_second_that_holds():
    result = handshake(client=("resume=ticket",), fault=("client.init#1=fail",))
    assert result.verdict == "failed"
    assert result.handshake == 1
    assert result.failure is not None
    assert result.failure.side == "client"


def test_a_refused_call_is_the_failure_of_its_run():
    failure = document("--fault", "client.acquire=refuse")["failure"]
    assert (failure["side"], failure["status"]) == ("client", "SEC_E_INSUFFICIENT_MEMORY")
    assert failure["function"] == "SspiAcquireCredentialsHandleAsync"
    assert failure["call"] is None
    assert failure["cause"] == "--fault client.acquire=refuse (you asked for it)"


def test_a_certificate_that_was_asked_to_be_bad_is_no_cause_of_another_status():
    failure = document("--server", "cert=expired", "--client", "trust=system")["failure"]
    assert failure["status"] == "SEC_E_UNTRUSTED_ROOT"
    assert "you asked for it" not in failure["cause"]
    assert "trust=throw-away" in failure["help"]


def test_a_server_without_a_certificate_is_told_to_take_one():
    failure = document("--server", "cert=none")["failure"]
    assert failure["help"] == "--server cert=valid"


@pytest.mark.skipif(os.name != "posix", reason="file modes are POSIX's")
def test_a_result_with_secrets_is_readable_by_its_owner_alone(tmp_path: Path):
    path = tmp_path / "out"
    run("-f", "jsonl", "--include-secrets", "-o", str(path))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_fault_that_never_happens_is_an_expectation_not_met():
    done = run("--fault", "server.accept#9=hang")
    assert done.return_value == 1
    assert "server.accept#9=hang never happened" in done.stderr


@pytest.mark.parametrize("fault", ["client.init=refuse:SEC_E_OK", "client.init=fail:SEC_I_ASYNC_CALL_PENDING"])
def test_a_fault_that_is_no_error_is_refused(fault: str):
    with pytest.raises(SspiCliError, match="is no error"):
        handshake(fault=(fault,))


def test_a_schedule_that_goes_on_after_the_run_has_diverged():
    with pytest.raises(SspiCliError, match="choices unmade"):
        handshake(schedule="v1:" + "0*900.1")


@pytest.mark.parametrize("changes", [{"completion": "inline"}, {"order": "lifo"}])
def test_a_schedule_leaves_nothing_to_choose(changes: dict[str, str]):
    with pytest.raises(SspiCliError, match="nothing left to choose"):
        handshake(schedule="v1:", **changes)


def test_a_failed_start_leaves_no_file_behind(tmp_path: Path):
    keys, record, out = tmp_path / "keys", tmp_path / "rec", tmp_path / "out"
    keys.write_text("mine")
    for words in (["--record", str(record), "--keylog", str(keys)], ["-o", str(out), "--server", "cert=nope.pem"]):
        assert isinstance(CliRunner().invoke(command, words, standalone_mode=True).exception, SspiCliError)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["keys"]
    assert keys.read_text() == "mine"


def test_a_broken_rule_is_never_expected():
    words = ["--mode", "sample", "--completion", "inline", "--expect", "client=SEC_I_CONTINUE_NEEDED"]
    assert run(*words).return_value == 1


@pytest.mark.parametrize("changes", [{"messages": 1}, {"client": ("resume=ticket",)}])
def test_the_sample_does_one_handshake_and_nothing_after_it(changes: dict[str, Any]):
    with pytest.raises(SspiCliError, match="sample ends"):
        handshake(mode="sample", **changes)


def test_the_key_of_a_setting_may_be_written_in_any_case():
    assert handshake(tls="1.3", client=("TLS=1.2-1.3",), server=("tls=1.2",)).protocol == "TLS 1.2"


def test_the_field_is_the_one_in_which_nothing_is_in_common():
    failure = document("--client", "groups=P-384", "--server", "groups=X25519")["failure"]
    assert failure["field"] == "ClientHello.extensions.supported_groups"
    assert failure["offers"]["lacks"] == ["groups"]


def test_a_warning_fails_a_run_only_when_it_is_asked_to():
    assert sspi("handshake", "--client", "target=").returncode == 0
    assert sspi("handshake", "--client", "target=", "--strict").returncode == 1
    assert sspi("handshake", "--strict").returncode == 0
