"""Explanations as text: what stands where, and that it stays inside the width."""

import pytest

from sspicli.analysis.explain import RuleText, explain
from sspicli.sspi.alerts import ALERTS
from sspicli.sspi.status import NtStatus, SecurityStatus
from sspicli.views.explain import lines, listing

CODES = [
    *(status.name for status in SecurityStatus),
    *(status.name for status in NtStatus),
    *(f"alert {n}" for n in ALERTS),
]


def text(query, width=100):
    return "\n".join(lines(explain(query)[0], width))


def test_a_status_with_several_alerts_prints_in_full():
    assert text("SEC_E_CERT_UNKNOWN") == (
        "SEC_E_CERT_UNKNOWN   0x80090327   -2146893017   2148074279   SECURITY_STATUS\n"
        "The certificate has a defect without a code of its own; alerts 42, 43 and 46 are reported this way\n"
        "too.\n"
        "\n"
        "3 alerts arrive as this status. Which one came decides what to do:\n"
        "   42 bad_certificate          a certificate is corrupt or wrongly signed\n"
        "   43 unsupported_certificate  a certificate is of a type the peer does not take\n"
        "   46 certificate_unknown      a certificate was refused for another reason\n"
        "\n"
        "Usual cause      a wrong signature on the certificate\n"
        "                 a key or extension the other side does not take\n"
        "What to do       Look at the chain, certificate by certificate.\n"
        "Returned by      SspiInitializeSecurityContextAsync, SspiAcceptSecurityContextAsync: call status,\n"
        "                 when the alert is received\n"
        "Known from       documented: winerror.h; SSPI status codes page"
    )


def test_an_alert_prints_what_it_arrives_as():
    assert "Arrives as       SEC_E_UNTRUSTED_ROOT (0x80090325)\n" in text("alert 48")
    assert "As do" not in text("alert 48")
    assert "As do            42 bad_certificate, 46 certificate_unknown\n" in text("alert 43")


def test_alerts_of_the_default_row_stand_together_behind_the_listed_ones():
    shown = text("SEC_E_ILLEGAL_MESSAGE")
    assert shown.index("115 unknown_psk_identity   ") < shown.index("all others: 41 no_certificate, 52 too_many")


def test_what_is_not_documented_says_so():
    assert "(inferred)" in text("alert 0")
    assert "(observed)" in text("SEC_E_ALGORITHM_MISMATCH")
    assert "Known from       inferred: ntstatus.h" in text("STATUS_DEVICE_BUSY")


def test_a_second_name_is_shown():
    assert "Also called      SEC_E_NO_SPM\n" in text("SEC_E_INTERNAL_ERROR")


def test_a_rule_prints_its_title_severity_and_fix():
    rules = {
        "A001": RuleText("A001", "A pending async context was freed.", "error", "documented", "Wait for the callback.")
    }
    (rule,) = explain("a001", rules)
    assert lines(rule, 80) == [
        "A001   error   misuse rule",
        "A pending async context was freed.",
        "What to do       Wait for the callback.",
        "Known from       documented",
    ]


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("width", [60, 80, 120])
def test_no_line_is_wider_than_asked_unless_a_name_is(code, width):
    for one in explain(code):
        for row in lines(one, width):
            assert len(row) <= width or len(row.split()) <= 3
            assert row == row.rstrip()
            assert row.isascii()


def test_a_tiny_width_is_taken_as_forty():
    (one,) = explain("SEC_E_CERT_EXPIRED")
    assert lines(one, 1) == lines(one, 40)


def test_a_listing_has_one_aligned_line_for_each_and_cuts_what_does_not_fit():
    rows = listing(explain("certificate expired"), 72)
    assert len(rows) == len(explain("certificate expired"))
    assert all(len(row) <= 72 for row in rows)
    assert len({row.index("0x") for row in rows if "0x" in row}) == 1
    assert rows[0].endswith("...")
    assert listing([], 80) == []
