"""The library of scenarios: what ships passes, under any seed, and says what it is for.

The rules guarded here: no scenario is shipped that the program does not hold to, and no misuse rule is claimed to be
shown that no scenario shows, with a near miss beside it that it must leave alone.
"""

from __future__ import annotations

from collections import Counter
from functools import cache
from itertools import takewhile
from pathlib import Path

import pytest

from sspicli.analysis.cases import Outcome
from sspicli.analysis.rules import RULES, Reach
from sspicli.scenario.load import Case, load
from sspicli.scenario.model import VerifyPart
from sspicli.scenario.run import RunOptions, run_case

ROOT = Path(__file__).parent.parent
LIBRARY = ROOT / "scenarios"
FILES = [str(path.relative_to(LIBRARY)) for path in sorted(LIBRARY.rglob("*.sspi.yaml"))]
SEEDS = (1, 2, 20_261_122)
SHOWN = sorted(code for code, rule in RULES.items() if rule.reach in (Reach.SCHANNEL, Reach.ANNOTATION))
MODELINE = "# yaml-language-server:"


@cache
def cases(file: str) -> tuple[Case, ...]:
    """Read a file of the library."""
    return load(LIBRARY / file, f"scenarios/{file}").cases


@pytest.mark.parametrize("file", FILES)
def test_a_shipped_scenario_passes_under_any_seed_and_with_warnings_counting(file):
    results = [run_case(case, RunOptions(seed=seed, strict=True)) for case in cases(file) for seed in SEEDS]

    wrong = [one for one in results if one.outcome not in (Outcome.PASSED, Outcome.XFAIL)]
    assert not wrong, [(one.scenario, one.seed, one.reason, one.unmet, one.findings) for one in wrong]


@pytest.mark.parametrize("file", FILES)
def test_a_shipped_scenario_begins_with_what_it_shows_and_can_be_chosen_by_a_tag(file):
    lines = takewhile(lambda line: line.startswith("# "), (LIBRARY / file).read_text("utf-8").splitlines())
    comment = " ".join(line.removeprefix("# ") for line in lines if not line.startswith(MODELINE))

    assert len(comment) > 30
    assert comment.rstrip(")").endswith(".")
    assert all(case.tags for case in cases(file))


def test_every_shipped_scenario_has_a_name_of_its_own():
    named = {(file, case.number): case.name for file in FILES for case in cases(file)}

    assert [name for name, count in Counter(named.values()).items() if count > 1] == []


def test_the_library_is_large_enough_to_learn_from():
    assert len(FILES) >= 60


@pytest.mark.parametrize("code", SHOWN)
def test_a_rule_that_can_be_shown_has_a_scenario_that_breaks_it_alone_and_a_near_miss(code):
    (file,) = [one for one in FILES if one.startswith(f"misuse/{code}-")]
    broken, kept = {case.number: case.scenario for case in cases(file)}.values()

    assert broken.expect.findings == [code]
    assert kept.expect.findings == []
    assert "near-miss" in kept.tags
    assert "near-miss" not in broken.tags
    assert broken.verify == kept.verify == VerifyPart()


def test_no_scenario_is_named_after_a_rule_that_cannot_be_shown():
    assert {Path(one).name[:4] for one in FILES if one.startswith("misuse/")} <= set(SHOWN)
