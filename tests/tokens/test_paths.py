"""Paths to fields as people shorten them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sspicli.tokens.paths import matching, names, parse_path
from sspicli.tokens.tree import Node, walk


def entry(start):
    validity = Node("validity", (start, start + 2), children=(Node("notAfter", (start + 1, start + 2), "z"),))
    return Node(
        "CertificateEntry", (start, start + 2), children=(Node("cert_data", (start, start + 2), children=(validity,)),)
    )


TREE = Node(
    "Certificate",
    (0, 9),
    children=(
        Node("certificate_list", (0, 8), children=(entry(1), entry(3))),
        Node("notAfter", (8, 9), "other"),
    ),
)


def found_in(tree, text):
    pattern = parse_path(text)
    assert pattern is not None
    return list(matching(tree, pattern))


def spans(text):
    return [node.span for _, node in found_in(TREE, text)]


@pytest.mark.parametrize(("pattern", "found"), [
    ("notAfter", [(2, 3), (4, 5), (8, 9)]),
    ("validity.notAfter", [(2, 3), (4, 5)]),
    ("VALIDITY.notafter", [(2, 3), (4, 5)]),
    ("Certificate.notAfter", [(2, 3), (4, 5), (8, 9)]),
    ("certificateentry[1].notAfter", [(4, 5)]),
    ("CertificateEntry[1]", [(3, 5)]),
    ("Certificate[0].validity.notAfter", [(2, 3)]),
    ("Certificate[1].validity.notAfter", [(4, 5)]),
    ("Certificate[2].validity.notAfter", []),
    ("notAfter.validity", []),
    ("notAfter[0]", [(2, 3), (4, 5), (8, 9)]),
    ("Certificate.certificate_list.CertificateEntry[0].cert_data.validity.notAfter", [(2, 3)]),
    ("Certificate.Certificate.notAfter", []),
])  # fmt: skip
def test_a_pattern_names_the_fields_whose_path_has_its_steps_in_order(pattern, found):
    assert spans(pattern) == found


def test_the_first_certificate_of_a_lone_certificate_is_itself():
    alone = Node("Certificate", (0, 2), children=(Node("validity", (0, 2), 1),))
    assert [node.span for _, node in found_in(alone, "Certificate[0].validity")] == [(0, 2)]


@pytest.mark.parametrize("text", ["", ".", "a..b", "a[", "a[x]", "[1]", "a[1][2]", "a[1]b", "a[9999999]"])
def test_what_is_no_path_is_none(text):
    assert parse_path(text) is None


def test_the_whole_path_of_every_field_finds_it():
    for path, node in walk(TREE):
        assert (path, node) in found_in(TREE, path)


def test_names_are_listed_once():
    assert names([TREE, TREE]) == [
        "Certificate",
        "certificate_list",
        "CertificateEntry",
        "cert_data",
        "validity",
        "notAfter",
    ]


@given(text=st.text(max_size=30))
def test_any_text_is_a_path_or_none(text):
    pattern = parse_path(text)
    assert pattern is None or all(step.name for step in pattern)
