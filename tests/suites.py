"""Results of replays as the tests of their reports want them: one of each outcome."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

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


NASTY = (
    *("\x1b]52;c;x\x07", "\x9b2J", "\u202eabc", "]]>", "<![CDATA[", "&<>\"'", "a\r\nb", "a\nnot ok 9 - b", "%0A", "%"),
    *(
        "::error::x",
        "a\n::set-output name=x::y",
        "|`|",
        "```\n# x",
        "x # SKIP",
        "\\#",
        "\0",
        "\ud800",
        "\udcff",
        "\ufffe",
    ),
    *(
        "a\n...\n---\nb: c",
        "{",
        "'",
        '"',
        "\u2028",
        "</testcase>",
        "<script>",
        "[a](b)",
        "@x",
        "../../x",
        "/etc/x",
        "C:\\x",
    ),
)
HOSTILE = st.sampled_from(NASTY) | st.text(st.characters(codec=None), max_size=12)
"""What a name, a value or a line of a file may hold at worst; no member of a result is safe from it."""


@st.composite
def hostile_suites(draw: st.DrawFn) -> SuiteResult:
    """Make suites with hostile text in every member that is text."""
    text = lambda: draw(HOSTILE)  # noqa: E731 (one draw for each member)

    def place() -> Place:
        column = draw(st.integers(1, 20))
        return Place(text(), draw(st.integers(1, 9999)), column, column + draw(st.integers(0, 9)), text())

    def finding() -> Finding:
        return Finding(RULES[draw(st.sampled_from(sorted(RULES)))], text(), text(), (1, 2))

    def unmet() -> Unmet:
        return Unmet(
            step=text(),
            key=text(),
            place=place(),
            expected=text(),
            got=text(),
            evidence=(text(), text()),
            seen=(text(),),
            cause=text(),
            records=(3,),
        )

    def one_case(outcome: Outcome) -> CaseResult:
        words: dict[str, Any] = {
            name: text() for name in ("file", "scenario", "reason", "verdict", "schedule", "recording")
        }
        lists: dict[str, Any] = {name: (text(),) for name in ("tags", "waits", "output")}
        return CaseResult(
            place=place(),
            outcome=outcome,
            parameters=((text(), text()),),
            unmet=(unmet(),),
            findings=(finding(),),
            warnings=(finding(),),
            steps=(StepSeen(text(), text()),),
            expectations=3,
            nanoseconds=draw(st.integers(0, 10**12)),
            attempt=draw(st.integers(1, 3)),
            **words,
            **lists,
        )

    return SuiteResult(
        cases=[one_case(outcome) for outcome in draw(st.lists(st.sampled_from(Outcome), max_size=3))],
        problems=[Problem(place(), text(), text()) for _ in range(draw(st.integers(0, 1)))],
        left=[text() for _ in range(draw(st.integers(0, 1)))],
        nanoseconds=draw(st.integers(0, 10**12)),
        is_strict=draw(st.booleans()),
        is_interrupted=draw(st.booleans()),
    )
