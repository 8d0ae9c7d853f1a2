"""Results of replays as the tests of their reports want them: one of each outcome."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sspicli.analysis.cases import CaseResult, Outcome, Place, Problem, StepSeen, SuiteResult, Unmet
from sspicli.analysis.rules import RULES, Finding

FILE = "scenarios/tls-expired.sspi.yaml"
EXCERPT = "    expect: { status: SEC_E_CERT_EXPIRED, alert: certificate_expired }"
HERE = Place(FILE, 17, 23, 41, EXCERPT)
TOP = Place(FILE, 3, 7, 10, "name: tls-expired")
LEAK = Finding(RULES["A008"], "server.ac1", "it was settled at the end", (41, 47))
ODD = Finding(RULES["A011"], "client.ac1", "asked at once", (2,))
UNMET = Unmet(
    step="leg 3",
    key="status",
    place=HERE,
    expected="SEC_E_CERT_EXPIRED",
    got="SEC_E_UNTRUSTED_ROOT (0x80090325)",
    evidence=("alert 48 unknown_ca, leg 3",),
    cause="the trust check ran before the date check",
    records=(30,),
)


def case(outcome: Outcome = Outcome.PASSED, **changes: Any) -> CaseResult:
    """Make a case that came to this, with whatever is to be different."""
    made = CaseResult(
        file=FILE,
        scenario="tls-expired",
        parameters=(("completion", "pending"), ("order", "lifo")),
        tags=("tls",),
        place=TOP,
        outcome=outcome,
        verdict="ok",
        expectations=4,
        seed=7,
        schedule="v1:abc",
        nanoseconds=18_000_000,
        steps=(StepSeen("leg 1", "517 B", 2), StepSeen("leg 3", "", 2, 1), StepSeen("leg 4", is_reached=False)),
    )
    return replace(made, **changes)


def unrun(outcome: Outcome, **changes: Any) -> CaseResult:
    """Make a case that was not run."""
    return case(outcome, steps=(), expectations=0, verdict="", **changes)


FAILED = case(Outcome.FAILED, unmet=(UNMET,), findings=(LEAK,), recording=".sspi-artifacts/tls-expired.sspirec")
STUCK = case(
    Outcome.STUCK,
    scenario="held",
    reason="a call stayed pending",
    waits=("client waits for leg 2", "server.call3 is held, and nothing completes it"),
)
PROBLEM = Problem(
    Place(FILE, 14, 7, 12, "    - acept: {endpoint: server}"), '"acept" is no step', 'did you mean "accept"?'
)


def one_of_each() -> SuiteResult:
    """Make a suite with a case of every outcome."""
    other = "scenarios/other.sspi.yaml"
    return SuiteResult(
        cases=[
            case(warnings=(ODD,)),
            FAILED,
            STUCK,
            case(Outcome.XFAIL, scenario="known", reason="issue 12", unmet=(UNMET,)),
            case(Outcome.XPASS, scenario="mended", reason="issue 13"),
            case(
                Outcome.SKIP, file=other, scenario="later", reason="needs a peer", steps=(), schedule="", expectations=0
            ),
            case(
                Outcome.ERROR, file=other, scenario="broken", reason="the engine is not here", steps=(), expectations=0
            ),
        ],
        nanoseconds=62_000_000,
    )
