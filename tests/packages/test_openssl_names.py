"""The tables of names: consistent in themselves, and known to the engine under OpenSSL's spelling."""

import pytest
from OpenSSL import SSL

from sspicli.packages.openssl_names import (
    CIPHER_SUITES,
    GROUPS,
    SIGNATURE_ALGORITHMS,
    find_group,
    find_signature_algorithm,
    find_suite,
)

TABLES = pytest.mark.parametrize("table", [CIPHER_SUITES, GROUPS, SIGNATURE_ALGORITHMS])


@TABLES
def test_no_name_and_no_code_point_stands_twice(table):
    for column in ("iana_name", "openssl_name", "code_point"):
        values = [str(getattr(row, column)).lower() for row in table]
        assert len(values) == len(set(values))


@pytest.mark.parametrize("suite", [one for one in CIPHER_SUITES if one.versions == ("1.2",)])
def test_the_engine_knows_each_tls_1_2_suite_by_its_openssl_name(suite):
    context = SSL.Context(SSL.TLS_METHOD)
    context.set_cipher_list(f"{suite.openssl_name}:@SECLEVEL=0".encode())
    assert suite.openssl_name in SSL.Connection(context, None).get_cipher_list()


@pytest.mark.parametrize("suite", [one for one in CIPHER_SUITES if one.versions == ("1.3",)])
def test_the_engine_knows_each_tls_1_3_suite_by_its_openssl_name(suite):
    context = SSL.Context(SSL.TLS_METHOD)
    context.set_tls13_ciphersuites(suite.openssl_name.encode())
    assert suite.openssl_name in SSL.Connection(context, None).get_cipher_list()


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("TLS_AES_256_GCM_SHA384", (0x1302, ("1.3",), 256, "AES", "GCM", "SHA384", "", "")),
        ("TLS_CHACHA20_POLY1305_SHA256", (0x1303, ("1.3",), 256, "CHACHA20_POLY1305", "", "SHA256", "", "")),
        ("TLS_AES_128_CCM_8_SHA256", (0x1305, ("1.3",), 128, "AES", "CCM_8", "SHA256", "", "")),
        ("ECDHE-ECDSA-AES256-GCM-SHA384", (0xC02C, ("1.2",), 256, "AES", "GCM", "SHA384", "ECDHE", "ECDSA")),
        ("ECDHE-RSA-AES128-SHA", (0xC013, ("1.2",), 128, "AES", "CBC", "SHA1", "ECDHE", "RSA")),
        ("AES128-CCM8", (0xC0A0, ("1.2",), 128, "AES", "CCM_8", "SHA256", "RSA", "RSA")),
        ("DHE-RSA-CHACHA20-POLY1305", (0xCCAA, ("1.2",), 256, "CHACHA20_POLY1305", "", "SHA256", "DHE", "RSA")),
    ],
)
def test_a_suites_parts_are_those_its_name_says(name, parts):
    suite = find_suite(name)
    assert suite is not None
    assert suite[2:] == parts


@pytest.mark.parametrize("find", [find_suite, find_group, find_signature_algorithm])
@pytest.mark.parametrize("name", ["", "nothing", "TLS_NULL_WITH_NULL_NULL", "\x00"])
def test_a_name_that_is_not_there_is_not_found(find, name):
    assert find(name) is None
