"""The table of the tool's own error codes: whole, and in step with what is printed."""

from __future__ import annotations

import re
from pathlib import Path

from sspicli.sspi.error_codes import ERROR_CODES, title_of

HOUSE = Path(__file__).parents[2] / "sspicli"
CODE = re.compile(r"\bE0[0-9]{3}\b")


def test_every_code_that_the_program_names_is_in_the_table():
    named = {code for file in HOUSE.rglob("*.py") for code in CODE.findall(file.read_text(encoding="utf-8"))}
    assert named == set(ERROR_CODES)


def test_every_code_has_a_title_in_plain_words_and_says_what_to_do():
    for code, one in ERROR_CODES.items():
        assert one.code == code
        assert title_of(code) == one.title
        assert one.title[0].islower()
        assert one.remedy.endswith(".")


def test_a_code_of_another_family_has_no_title_here():
    assert title_of("A004") == ""
