"""Explain: what a query names, what is said about it, and what is offered when it names nothing."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sspicli.analysis.explain import SEARCH_LIMIT, Kind, RuleText, explain, suggestions
from sspicli.sspi.alerts import ALERTS
from sspicli.sspi.status import NtStatus, SecurityStatus

RULES = {
    "A004": RuleText(
        "A004", "A call was queued before its async context was reinitialised.", "error", "documented", "Reinit."
    ),
}


def named(query, rules=RULES):
    return [(one.kind.value, one.name) for one in explain(query, rules)]


def only(query):
    (explanation,) = explain(query, RULES)
    return explanation


@pytest.mark.parametrize(
    "query",
    [
        "SEC_E_ILLEGAL_MESSAGE",
        "sec_e_illegal_message",
        " SEC_E_Illegal_Message ",
        "0x80090326",
        "0X80090326L",
        "80090326",
        "0xFFFFFFFF80090326",
        "-2146893018",
        "2148074278",
        "illegal_message",
        "AcceptSecurityContext failed with SEC_E_ILLEGAL_MESSAGE (0x80090326).",
        "schannel: next InitializeSecurityContext failed: Unknown error (0x80090326)",
        "The exit code was -2146893018",
    ],
)
def test_a_status_is_found_however_it_is_written(query):
    assert named(query) == [("status", "SEC_E_ILLEGAL_MESSAGE")]


@pytest.mark.parametrize("status", SecurityStatus)
def test_every_status_is_found_by_its_name_and_its_three_numbers(status):
    for query in (status.name, status.hex, str(status.signed), str(int(status))):
        assert ("status", status.name) in named(query)


@pytest.mark.parametrize("status", NtStatus)
def test_every_nt_status_is_found_by_its_name_and_its_three_numbers(status):
    for query in (status.name, status.hex, str(status.signed), str(int(status))):
        assert ("NTSTATUS", status.name) in named(query)


@pytest.mark.parametrize("number", ALERTS)
def test_every_alert_is_found_by_number_and_name(number):
    name = ALERTS[number].name
    assert named(f"alert {number}") == named(name) == named(f"alert {name}") == [("alert", name)]


@pytest.mark.parametrize(
    "query",
    [
        "alert 48",
        "Alert(48)",
        "alert: fatal 48",
        "48",
        "0x30",
        "error:0A000418:SSL routines::tlsv1 alert unknown ca",
        "received fatal alert (level 2, description 48)",
    ],
)
def test_an_alert_is_found_however_it_is_written(query):
    assert named(query) == [("alert", "unknown_ca")]


def test_an_alias_leads_to_the_one_name():
    assert only("sec_e_not_supported").name == "SEC_E_UNSUPPORTED_FUNCTION"
    assert only("SEC_E_UNSUPPORTED_FUNCTION").aliases == ("SEC_E_NOT_SUPPORTED",)


def test_an_ambiguous_number_gives_every_meaning():
    assert named("0") == [("status", "SEC_E_OK"), ("NTSTATUS", "STATUS_SUCCESS"), ("alert", "close_notify")]


def test_a_name_without_its_prefix_gives_both_severities():
    assert named("context_expired") == [("status", "SEC_I_CONTEXT_EXPIRED"), ("status", "SEC_E_CONTEXT_EXPIRED")]


def test_equal_numbers_of_two_families_do_not_lend_each_other_their_facts():
    success, ok = only("STATUS_SUCCESS"), only("SEC_E_OK")
    assert [row.functions for row in success.returned_by] == [("SspiReinitAsyncContext",)]
    assert success.traps == ()
    assert "SspiReinitAsyncContext" not in {name for row in ok.returned_by for name in row.functions}


def test_several_codes_in_one_sentence_come_in_their_order_and_once():
    query = "SEC_E_CERT_EXPIRED then alert 45, A004, again SEC_E_CERT_EXPIRED (0x80090328)"
    assert named(query) == [("status", "SEC_E_CERT_EXPIRED"), ("alert", "certificate_expired"), ("rule", "A004")]


def test_a_rule_is_found_in_any_case_and_only_if_it_is_known():
    assert only("a004").remedy == "Reinit."
    assert only("A004").values == ("error",)
    assert explain("A004") == []


def test_a_misprinted_number_leads_to_the_status_that_was_meant():
    explanation = only("0x80100003")
    assert explanation.name == "SEC_E_INVALID_HANDLE"
    assert any("SCARD_E_INVALID_HANDLE" in trap for trap in explanation.traps)


def test_the_many_to_one_mapping_of_alerts_is_undone():
    alerts = only("SEC_E_CERT_UNKNOWN").alerts
    assert [(alert.number, alert.name) for alert in alerts] == [
        (42, "bad_certificate"),
        (43, "unsupported_certificate"),
        (46, "certificate_unknown"),
    ]
    listed = [alert.number for alert in only("SEC_E_ILLEGAL_MESSAGE").alerts if alert.is_listed]
    assert listed == [10, 22, 40, 47, 50, 60, 100, 110, 115]


def test_an_alert_says_what_it_arrives_as_and_which_others_arrive_alike():
    explanation = only("alert 43")
    assert (explanation.status, explanation.status_hex) == ("SEC_E_CERT_UNKNOWN", "0x80090327")
    assert [alert.number for alert in explanation.alerts] == [42, 46]


def test_an_unregistered_alert_arrives_as_the_default():
    explanation = only("alert 77")
    assert explanation.name == "alert 77"
    assert explanation.status == "SEC_E_ILLEGAL_MESSAGE"
    assert "no alert is registered" in explanation.meaning.lower()


@pytest.mark.parametrize(
    ("name", "neighbour"),
    [
        ("SEC_E_BUFFER_TOO_SMALL", "SEC_I_RENEGOTIATE"),
        ("SEC_I_RENEGOTIATE", "SEC_E_BUFFER_TOO_SMALL"),
        ("SEC_E_BAD_PKGID", "SEC_I_GENERIC_EXTENSION_RECEIVED"),
        ("SEC_E_CONTEXT_EXPIRED", "SEC_I_CONTEXT_EXPIRED"),
        ("SEC_I_INCOMPLETE_CREDENTIALS", "SEC_E_INCOMPLETE_CREDENTIALS"),
    ],
)
def test_a_status_warns_of_the_one_with_the_same_low_word(name, neighbour):
    assert any(trap.startswith(f"{neighbour} (0x") for trap in only(name).traps)


def test_statuses_whose_sign_misleads_say_so():
    assert "takes it for success" in only("SEC_I_INCOMPLETE_CREDENTIALS").traps[0]
    assert "takes it for a failure" in only("SEC_E_INCOMPLETE_MESSAGE").traps[0]


def test_a_status_tells_which_functions_return_it_and_when():
    rows = {(row.moment, row.source.value): row.functions for row in only("SEC_E_INVALID_HANDLE").returned_by}
    assert rows["call status", "documented"] == (
        "SspiInitializeSecurityContextAsync",
        "SspiAcceptSecurityContextAsync",
        "SspiDeleteSecurityContextAsync",
    )
    assert len(rows["queue status", "inferred"]) == 5


def test_pending_is_what_the_status_query_returns_and_nothing_else_does():
    assert [row.functions for row in only("SEC_I_ASYNC_CALL_PENDING").returned_by] == [("SspiGetAsyncCallStatus",)]


def test_a_refused_reinit_is_an_inference():
    explanation = only("STATUS_INVALID_DEVICE_STATE")
    assert [row.source.value for row in explanation.returned_by] == ["inferred"]
    assert "Test for failure" in explanation.traps[0]


def test_words_search_names_first_and_then_meanings_and_causes():
    assert named("certificate expired")[0] == ("status", "SEC_E_CERT_EXPIRED")
    assert ("alert", "certificate_expired") in named("certificate expired")
    assert named("wrong password")[0] == ("status", "SEC_E_LOGON_DENIED")
    assert ("rule", "A004") in named("reinitialised")


def test_a_search_keeps_only_the_best_and_not_too_many():
    assert 0 < len(explain("certificate")) <= SEARCH_LIMIT


@pytest.mark.parametrize(
    "query", ["", "  ", "SEC_E_FOO", "77", "0x12345678", "-1", "xyzzy", "0x" + "f" * 40, "9" * 5000]
)
def test_what_nobody_knows_has_no_explanation(query):
    assert explain(query, RULES) == []


@pytest.mark.parametrize(
    ("query", "meant"),
    [
        ("SEC_E_ILEGAL_MESSAGE", "SEC_E_ILLEGAL_MESSAGE"),
        ("sec_i_continue_neded", "SEC_I_CONTINUE_NEEDED"),
        ("SEC_E_NO_SPN", "SEC_E_NO_SPM"),
        ("certficate expired", "certificate_expired"),
        ("A04", "A004"),
    ],
)
def test_a_near_miss_is_answered_with_what_was_meant(query, meant):
    assert suggestions(query, RULES)[0] == meant


def test_nonsense_has_no_suggestions():
    assert suggestions("") == suggestions("qqqqqqqqqq") == []


def test_an_explanation_can_be_written_as_json_and_always_has_the_same_keys():
    documents = [explain(query, RULES)[0].as_dict() for query in ("SEC_E_ILLEGAL_MESSAGE", "alert 0", "A004", "259")]
    assert len({tuple(document) for document in documents}) == 1
    first = json.loads(json.dumps(documents[0]))
    assert first == documents[0]
    assert first["kind"] == "status"
    assert first["values"] == ["0x80090326", "-2146893018", "2148074278"]
    assert first["alerts"][0]["name"] == "unexpected_message"
    assert first["returned_by"][0]["source"] == "documented"


@given(st.text(max_size=60))
def test_any_text_is_answered_without_an_error(query):
    assert all(isinstance(one.kind, Kind) for one in explain(query, RULES))
    suggestions(query, RULES)
