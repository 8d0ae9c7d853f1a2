"""Flags: four numberings that must not be mixed."""

import pytest

from sspicli.sspi.flags import (
    SECURITY_NATIVE_DREP,
    SECURITY_NETWORK_DREP,
    AscReq,
    AscRet,
    CredentialUse,
    IscReq,
    IscRet,
    flag_names,
    flag_text,
    parse_flags,
)

SETS = (IscReq, IscRet, AscReq, AscRet)


@pytest.mark.parametrize(
    ("name", "isc", "asc"),
    [
        ("EXTENDED_ERROR", 0x4000, 0x8000),
        ("STREAM", 0x8000, 0x10000),
        ("INTEGRITY", 0x10000, 0x20000),
        ("IDENTIFY", 0x20000, 0x80000),
    ],
)
def test_client_and_server_number_these_flags_differently(name, isc, asc):
    assert (int(IscReq[name]), int(IscRet[name])) == (isc, isc)
    assert (int(AscReq[name]), int(AscRet[name])) == (asc, asc)


def test_a_flag_asked_for_and_the_flag_granted_may_have_different_numbers():
    assert (IscReq.CALL_LEVEL, IscRet.CALL_LEVEL) == (0x1000, 0x2000)
    assert (AscReq.CALL_LEVEL, AscRet.CALL_LEVEL) == (0x1000, 0x2000)
    assert (IscReq.FRAGMENT_TO_FIT, IscRet.FRAGMENT_ONLY) == (0x200000, 0x200000)
    assert (AscReq.FRAGMENT_TO_FIT, AscRet.FRAGMENT_ONLY) == (0x800000, 0x800000)
    assert (AscReq.ALLOW_NULL_SESSION, AscRet.NULL_SESSION) == (0x100000, 0x100000)


@pytest.mark.parametrize(
    ("flag_set", "count", "total"),
    [
        (IscReq, 32, 0x1F61FFFFFF),
        (IscRet, 32, 0x1F4B7FFFFF),
        (AscReq, 27, 0x1115FFBF7F),
        (AscRet, 27, 0x1903FFEF7F),
    ],
)
def test_a_set_covers_these_bits_and_no_other(flag_set, count, total):
    assert len(flag_set.__members__) == count
    assert sum(flag_set) == total


@pytest.mark.parametrize("flag_set", SETS)
def test_every_flag_is_one_bit_of_its_own(flag_set):
    assert all(int(flag).bit_count() == 1 for flag in flag_set)
    assert len(flag_set.__members__) == len(list(flag_set))


@pytest.mark.parametrize("flag_set", SETS)
def test_the_low_bits_agree_in_all_sets(flag_set):
    assert flag_set.CONFIDENTIALITY == 0x10
    assert flag_set.MUTUAL_AUTH == 0x02
    assert flag_set.CONNECTION == 0x0800
    assert flag_set.MESSAGES == 0x1_0000_0000


def test_schannels_usual_words_print_by_name():
    assert flag_text(IscRet(0x809C)) == (
        "ISC_RET_REPLAY_DETECT | ISC_RET_SEQUENCE_DETECT | ISC_RET_CONFIDENTIALITY | "
        "ISC_RET_USED_SUPPLIED_CREDS | ISC_RET_STREAM"
    )
    assert flag_names(AscRet(0x1001C))[-1] == "ASC_RET_STREAM"


def test_unknown_bits_print_in_hex_and_none_are_lost():
    assert flag_text(IscReq(0x80008000)) == "ISC_REQ_STREAM | 0x80000000"
    assert int(IscReq(0x80008000)) == 0x80008000


def test_an_empty_word_prints_as_zero():
    assert flag_text(AscReq(0)) == "0"


@pytest.mark.parametrize(
    "text", ["stream,CONFIDENTIALITY", "ISC_REQ_STREAM , isc_req_confidentiality", " Stream,Confidentiality,"]
)
def test_names_are_read_in_any_case_with_or_without_prefix(text):
    assert parse_flags(IscReq, text) == IscReq.STREAM | IscReq.CONFIDENTIALITY


@pytest.mark.parametrize("flag_set", [*SETS, CredentialUse])
def test_what_is_printed_can_be_read(flag_set):
    word = flag_set(sum(flag_set))
    assert parse_flags(flag_set, flag_text(word)) == word


def test_no_names_make_an_empty_word():
    assert parse_flags(IscReq, "") == IscReq(0)


@pytest.mark.parametrize("text", ["ASC_REQ_STREAM", "STREM", "0x10", "USED_SUPPLIED_CREDS"])
def test_a_name_of_no_or_another_set_is_refused_with_the_names_there_are(text):
    with pytest.raises(ValueError, match=r"is not one of ISC_REQ_\*: DELEGATE, MUTUAL_AUTH, .*STREAM"):
        parse_flags(IscReq, text)


def test_the_credential_use_and_the_data_representations_are_those_of_the_header():
    assert [int(use) for use in (CredentialUse.INBOUND, CredentialUse.OUTBOUND, CredentialUse.BOTH)] == [1, 2, 3]
    assert flag_text(CredentialUse.OUTBOUND) == "SECPKG_CRED_OUTBOUND"
    assert parse_flags(CredentialUse, "both") == CredentialUse.INBOUND | CredentialUse.OUTBOUND
    assert (SECURITY_NATIVE_DREP, SECURITY_NETWORK_DREP) == (0x10, 0)
