"""Every mutant of the correct drivers is caught, and by a finding that names what it does wrong."""

from __future__ import annotations

import pytest

from sspicli.analysis.report import Verdict, report
from sspicli.analysis.rules import judge
from sspicli.journal.events import RunEnded
from tests.mutant_table import MUTANTS
from tests.mutants import Mutant
from tests.tls_runs import tls_run


def test_there_are_as_many_mutants_as_were_asked_for():
    assert len(MUTANTS) >= 40
    assert len({one.name for one in MUTANTS}) == len(MUTANTS)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda one: one.name)
def test_a_mutant_is_caught_by_the_rule_that_it_breaks(mutant: Mutant):
    wire = None if mutant.wire is None else mutant.wire()
    records = tls_run(programs={mutant.side: mutant.program}, wire=wire, **mutant.settings)
    assert isinstance(records[-1].event, RunEnded)
    findings = judge(records)
    found = {one.rule.code for one in findings}
    assert found & set(mutant.codes.split()), f"found {sorted(found)}, and the run is {records[-1].event.reason}"
    is_error = any(one.rule.severity == "error" for one in findings)
    assert is_error or report(records).verdict is not Verdict.OK
