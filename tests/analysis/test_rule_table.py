"""The table of the rules: 66, each with all that is known of it, and none that claims a monitor it has not."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sspicli import analysis
from sspicli.analysis.rule_table import HOW_SHOWN, RULES, SEVERITIES, Reach
from sspicli.sspi.lifecycle import LAW
from sspicli.sspi.package import Source

ROOM = Path(analysis.__file__).parent


def reported_by_monitors() -> set[str]:
    """List the codes that stand in the monitors' own files, and those that the law reports through them."""
    source = "".join(path.read_text(encoding="utf-8") for path in sorted(ROOM.glob("rules_*.py")))
    return set(re.findall(r'"([A-DP]\d{3})"', source)) | {row.rule for row in LAW.values() if row.rule}


def test_there_are_as_many_rules_as_the_design_has():
    counts = {letter: sum(code.startswith(letter) for code in RULES) for letter in "ABCDP"}
    assert counts == {"A": 16, "B": 13, "C": 13, "D": 19, "P": 5}


def test_a_rule_claims_a_monitor_exactly_if_one_reports_it():
    assert {code for code, rule in RULES.items() if rule.has_monitor} == reported_by_monitors()


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES.keys())
def test_a_rule_says_what_how_bad_how_known_and_where_to_read(rule):
    assert rule.severity in SEVERITIES
    assert rule.reference.title
    assert rule.reference.url.startswith(("https://learn.microsoft.com/windows", "https://github.com/"))
    assert rule.documented.endswith(".")
    assert rule.documented.count(". ") <= 1
    assert HOW_SHOWN[rule.reach]
    assert rule.title[0].islower() or rule.title.split()[0].isupper() or rule.title.startswith(("TLS", "SEC", "ISC"))


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES.keys())
def test_what_is_inferred_says_that_nothing_is_documented(rule):
    says_so = rule.documented.startswith("Nothing is documented; inferred")
    assert says_so is (rule.source is Source.INFERRED)
    assert rule.evidence == ("E" if rule.reach is Reach.INVARIANT else "I" if says_so else "D")
