"""Alerts: the registered numbers, and the status each one arrives as."""

import pytest

from sspicli.sspi.alerts import ALERTS, alert_name, alerts_for_status, status_for_received_alert
from sspicli.sspi.package import Source
from sspicli.sspi.status import SecurityStatus

# The table read a second time, by status value.
ARRIVES_AS = {
    0x80090326: {10, 22, 40, 47, 50, 60, 100, 110, 115},
    0x8009030F: {20, 30},
    0x80090330: {21, 51},
    0x80090327: {42, 43, 46},
    0x80092010: {44},
    0x80090328: {45},
    0x80090325: {48},
    0x8009030C: {49},
    0x80090302: {70},
    0x80090331: {71},
    0x80090304: {80},
    0x80090333: {90},
    0x80090367: {120},
}
NO_CONSTANT = {41, 52, 86, 109, 111, 112, 113, 114, 116, 117, 121}


@pytest.mark.parametrize(("number", "status"), [(n, status) for status, all_n in ARRIVES_AS.items() for n in all_n])
def test_a_listed_alert_arrives_as_the_documented_status(number, status):
    assert status_for_received_alert(number) == (status, Source.DOCUMENTED)
    assert "no constant" not in ALERTS[number].note


@pytest.mark.parametrize("number", sorted(NO_CONSTANT))
def test_an_alert_without_a_header_constant_arrives_as_the_default_and_says_so(number):
    assert status_for_received_alert(number) == (SecurityStatus.SEC_E_ILLEGAL_MESSAGE, Source.DOCUMENTED)
    assert "no constant" in ALERTS[number].note


def test_close_notify_in_a_handshake_is_an_inference():
    assert status_for_received_alert(0) == (SecurityStatus.SEC_I_CONTEXT_EXPIRED, Source.INFERRED)


def test_only_close_notify_is_inferred():
    assert [number for number, alert in ALERTS.items() if alert.source is not Source.DOCUMENTED] == [0]


def test_the_value_and_not_the_printed_name_decides_for_no_application_protocol():
    assert ALERTS[120].status is SecurityStatus.SEC_E_APPLICATION_PROTOCOL_MISMATCH
    assert "value" in ALERTS[120].note


def test_the_table_holds_these_alerts_and_no_other():
    assert set(ALERTS) == {0} | set().union(*ARRIVES_AS.values()) | NO_CONSTANT
    assert list(ALERTS) == sorted(ALERTS)
    assert all(number == alert.number for number, alert in ALERTS.items())
    assert len({alert.name for alert in ALERTS.values()}) == len(ALERTS)


def test_an_unknown_alert_has_a_number_for_a_name_and_the_default_status():
    assert alert_name(77) == "alert 77"
    assert status_for_received_alert(77) == (SecurityStatus.SEC_E_ILLEGAL_MESSAGE, Source.DOCUMENTED)


def test_alerts_are_spelt_as_registered():
    assert alert_name(0) == "close_notify"
    assert alert_name(45) == "certificate_expired"
    assert alert_name(90) == "user_canceled"
    assert alert_name(48) == "unknown_ca"
    assert alert_name(121) == "ech_required"


def test_the_mapping_can_be_undone_as_far_as_it_goes():
    undone = [alert.number for alert in alerts_for_status(SecurityStatus.SEC_E_CERT_UNKNOWN)]
    assert undone == [42, 43, 46]
    assert alerts_for_status(SecurityStatus.SEC_E_OK) == ()
    assert sum(len(alerts_for_status(status)) for status in SecurityStatus) == len(ALERTS)
