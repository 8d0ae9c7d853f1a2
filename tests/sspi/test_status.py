"""Statuses: the numbers of the headers, and the traps those numbers set."""

import pickle

import pytest

from sspicli.sspi.package import Source
from sspicli.sspi.status import STATUS_ALIASES, NtStatus, SecurityStatus
from sspicli.sspi.status_facts import NT_STATUS_FACTS, STATUS_FACTS

# Read off winerror.h a second time, as signed decimals, so that a slip in the enumeration cannot repeat itself here.
SIGNED = {
    "SEC_E_OK": 0,
    "SEC_I_CONTINUE_NEEDED": 590610,
    "SEC_I_COMPLETE_NEEDED": 590611,
    "SEC_I_COMPLETE_AND_CONTINUE": 590612,
    "SEC_I_CONTEXT_EXPIRED": 590615,
    "SEC_I_INCOMPLETE_CREDENTIALS": 590624,
    "SEC_I_RENEGOTIATE": 590625,
    "SEC_I_ASYNC_CALL_PENDING": 590696,
    "SEC_E_INSUFFICIENT_MEMORY": -2146893056,
    "SEC_E_INVALID_HANDLE": -2146893055,
    "SEC_E_UNSUPPORTED_FUNCTION": -2146893054,
    "SEC_E_INTERNAL_ERROR": -2146893052,
    "SEC_E_SECPKG_NOT_FOUND": -2146893051,
    "SEC_E_INVALID_TOKEN": -2146893048,
    "SEC_E_LOGON_DENIED": -2146893044,
    "SEC_E_NO_CREDENTIALS": -2146893042,
    "SEC_E_MESSAGE_ALTERED": -2146893041,
    "SEC_E_CONTEXT_EXPIRED": -2146893033,
    "SEC_E_INCOMPLETE_MESSAGE": -2146893032,
    "SEC_E_BUFFER_TOO_SMALL": -2146893023,
    "SEC_E_WRONG_PRINCIPAL": -2146893022,
    "SEC_E_UNTRUSTED_ROOT": -2146893019,
    "SEC_E_ILLEGAL_MESSAGE": -2146893018,
    "SEC_E_CERT_EXPIRED": -2146893016,
    "SEC_E_DECRYPT_FAILURE": -2146893008,
    "SEC_E_ALGORITHM_MISMATCH": -2146893007,
    "SEC_E_INVALID_PARAMETER": -2146892963,
    "SEC_E_APPLICATION_PROTOCOL_MISMATCH": -2146892953,
    "CRYPT_E_REVOKED": -2146885616,
    "CERT_E_UNTRUSTEDROOT": -2146762487,
    "TRUST_E_CERT_SIGNATURE": -2146869244,
    "NTE_BAD_SIGNATURE": -2146893818,
}


@pytest.mark.parametrize(("name", "signed"), SIGNED.items())
def test_a_status_has_the_number_of_the_header(name, signed):
    assert SecurityStatus[name].signed == signed
    assert SecurityStatus(signed & 0xFFFFFFFF).name == name


def test_the_enumerations_hold_every_code_and_no_number_twice():
    assert len(SecurityStatus.__members__) == len(list(SecurityStatus)) == 130
    assert len(NtStatus.__members__) == len(list(NtStatus)) == 10


@pytest.mark.parametrize("status", [*SecurityStatus, *NtStatus])
def test_a_status_is_an_unsigned_32_bit_number_and_prints_as_one(status):
    assert 0 <= status <= 0xFFFFFFFF
    assert int(status.hex, 16) == status == status.signed % 2**32
    assert len(status.hex) == 10
    assert str(status) == f"{status}" == f"{status.name} ({status.hex})"
    assert status.succeeded is (status.signed >= 0)
    assert pickle.loads(pickle.dumps(status)) is status


def test_only_one_status_means_that_a_call_is_pending():
    assert [status for status in SecurityStatus if status.is_pending] == [SecurityStatus.SEC_I_ASYNC_CALL_PENDING]
    assert SecurityStatus(0x00090368).is_pending


@pytest.mark.parametrize("status", [status for status in SecurityStatus if "_I_" in status.name])
def test_every_informational_status_counts_as_succeeded_and_is_not_ok(status):
    assert status.succeeded
    assert status is not SecurityStatus.SEC_E_OK


def test_an_incomplete_message_is_negative_and_its_facts_say_that_it_is_no_failure():
    assert not SecurityStatus.SEC_E_INCOMPLETE_MESSAGE.succeeded
    assert "no failure" in STATUS_FACTS[SecurityStatus.SEC_E_INCOMPLETE_MESSAGE].meaning


@pytest.mark.parametrize(
    ("error", "informational"),
    [
        ("SEC_E_CONTEXT_EXPIRED", "SEC_I_CONTEXT_EXPIRED"),
        ("SEC_E_INCOMPLETE_CREDENTIALS", "SEC_I_INCOMPLETE_CREDENTIALS"),
        ("SEC_E_BUFFER_TOO_SMALL", "SEC_I_RENEGOTIATE"),
        ("SEC_E_BAD_PKGID", "SEC_I_GENERIC_EXTENSION_RECEIVED"),
    ],
)
def test_an_equal_low_word_does_not_make_two_statuses_one(error, informational):
    left, right = SecurityStatus[error], SecurityStatus[informational]
    assert left & 0xFFFF == right & 0xFFFF
    assert left != right
    assert left.succeeded is not right.succeeded


def test_a_second_name_is_an_alias_and_never_the_name():
    assert {alias: status.name for alias, status in STATUS_ALIASES.items()} == {
        "SEC_E_NO_SPM": "SEC_E_INTERNAL_ERROR",
        "SEC_E_NOT_SUPPORTED": "SEC_E_UNSUPPORTED_FUNCTION",
    }
    assert not STATUS_ALIASES.keys() & SecurityStatus.__members__.keys()


def test_an_invalid_handle_is_not_the_smart_card_number_some_pages_print():
    assert SecurityStatus(0x80090301) is SecurityStatus.SEC_E_INVALID_HANDLE
    assert 0x80100003 not in {int(status) for status in SecurityStatus}


def test_the_gaps_of_the_header_stay_gaps():
    unassigned = {0x80090344, *range(0x8009034A, 0x80090350)}
    assert not unassigned & {int(status) for status in SecurityStatus}


def test_the_newest_codes_are_there():
    newest = {"SEC_E_EXT_BUFFER_TOO_SMALL": 0x8009036A, "SEC_E_INSUFFICIENT_BUFFERS": 0x8009036B}
    assert {name: int(SecurityStatus[name]) for name in newest} == newest
    assert SecurityStatus(0x80090369) is SecurityStatus.SEC_E_INVALID_UPN_NAME


def test_an_nt_status_has_the_number_of_the_header():
    assert {status.name: int(status) for status in NtStatus} == {
        "STATUS_SUCCESS": 0,
        "STATUS_PENDING": 259,
        "STATUS_DEVICE_BUSY": 2147483665,
        "STATUS_INVALID_HANDLE": 3221225480,
        "STATUS_INVALID_PARAMETER": 3221225485,
        "STATUS_LOGON_FAILURE": 3221225581,
        "STATUS_INSUFFICIENT_RESOURCES": 3221225626,
        "STATUS_NOT_SUPPORTED": 3221225659,
        "STATUS_CANCELLED": 3221225760,
        "STATUS_INVALID_DEVICE_STATE": 3221225860,
    }


def test_no_status_lacks_its_facts():
    assert set(STATUS_FACTS) == set(SecurityStatus)
    assert set(NT_STATUS_FACTS) == set(NtStatus)


@pytest.mark.parametrize("facts", [*STATUS_FACTS.values(), *NT_STATUS_FACTS.values()])
def test_facts_are_sentences_with_a_source(facts):
    assert facts.meaning.endswith(".")
    assert facts.remedy.endswith(".")
    assert not facts.cause.endswith(".")
    assert facts.source in Source
    assert ".h" in facts.reference


def test_a_refused_reinit_admits_that_no_page_names_its_code():
    refusals = [facts for facts in NT_STATUS_FACTS.values() if facts.meaning.startswith("Reinit was refused")]
    assert len(refusals) == 4
    assert {facts.source for facts in refusals} == {Source.INFERRED}
