"""The law of an async context's life, cell by cell, against a second list of the same facts."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product

import pytest

from sspicli.analysis.rules import RULES
from sspicli.sspi.lifecycle import LAW, PROGRESS, Allowed, Cell, Phase, Progress, Refused, Row, Undefined, Verb
from sspicli.sspi.package import Source
from sspicli.sspi.status import NtStatus, SecurityStatus

# Written from the pages of the twelve names and from what their callers do, not from the code. One line per phase, one
# column per verb. `=` works and changes nothing, `> phase` works and leads there; `bad` is refused with
# SEC_E_INVALID_HANDLE, `no such` with STATUS_INVALID_HANDLE, `in use` with STATUS_INVALID_DEVICE_STATE; `?` is promised
# by nobody. After it the rule, if any. Where two answers stand, the first is for callers elsewhere, the second for the
# async context's own callback. "complete" is the time between completion and the callback's entry.
FACTS = """
         | set      | asks     | status   | queue     | silent delete | silent other | reinit         | free
null     | bad A009 | bad A009 | bad A009 | bad A009  | bad A009      | bad A009     | no such A009   | =
foreign  | bad A009 | bad A009 | bad A009 | bad A009  | bad A009      | bad A009     | no such A009   | ? A009
idle     | =        | =        | bad A011 | > PENDING | > SILENT      | > SILENT B001 | =             | > FREED
pending  | ? B002   | =        | =        | bad A003  | bad A003      | bad A003     | in use A001    | ? A004
silent   | ? B002   | =        | =        | bad A003  | bad A003      | bad A003     | in use A001    | > FREED
complete | =        | =        | =        | bad A002  | bad A002      | bad A002     | ? A001         | ? A005
notifying | =       | =        | =        | bad A002  | bad A002      | bad A002     | ? A001, > IDLE | ? A005, > FREED
settled  | =        | =        | =        | bad A002  | bad A002      | bad A002     | > IDLE         | > FREED
freed    | ? A006   | ? A006   | ? A006   | ? A006    | ? A006        | ? A006       | ? A006         | ? A007
"""
_VERBS = (
    Verb.SET_CALLBACK,
    Verb.REQUIRES_NOTIFY,
    Verb.GET_STATUS,
    Verb.QUEUE,
    Verb.QUEUE_SILENT_DELETE,
    Verb.QUEUE_SILENT_OTHER,
    Verb.REINIT,
    Verb.FREE,
)

Expected = tuple[str, str]
"""An answer of the table above, and the rule it belongs to ("" for none)."""


def _read(table: str) -> dict[Cell, Expected]:
    cells: dict[Cell, Expected] = {}
    for line in table.strip().splitlines()[1:]:
        name, *columns = (part.strip() for part in line.split("|"))
        phase = _phase(name)
        for verb, column in zip(_VERBS, columns, strict=True):
            answers = column.split(", ")
            for inside in (False, True):
                whole = answers[-1 if inside else 0]
                words, _, rule = whole.rpartition(" ")
                cells[phase, verb, inside] = (words, rule) if rule in RULES else (whole, "")
    return cells


def _phase(word: str) -> Phase:
    return Phase.PENDING_SILENT if word.upper() == "SILENT" else Phase[word.upper()]


EXPECTED = _read(FACTS)
CELLS = sorted(EXPECTED, key=str)


def answer(phase: Phase, row: Row) -> Expected:
    """Say a row in the words of the table."""
    match row.verdict:
        case Allowed(next):
            return ("=" if next is phase else f"> {next.name.removeprefix('PENDING_')}"), row.rule
        case Refused(SecurityStatus.SEC_E_INVALID_HANDLE) if isinstance(row.verdict.status, SecurityStatus):
            return "bad", row.rule
        case Refused(NtStatus.STATUS_INVALID_HANDLE):
            return "no such", row.rule
        case Refused(NtStatus.STATUS_INVALID_DEVICE_STATE):
            return "in use", row.rule
        case Undefined():
            return "?", row.rule
    return f"{row.verdict}", row.rule


def disagreements(law: Mapping[Cell, Row]) -> list[Cell]:
    """List the cells where a law is not what the facts say; mutation checks use it too."""
    return [cell for cell in CELLS if cell not in law or answer(cell[0], law[cell]) != EXPECTED[cell]]


def test_the_law_is_what_the_facts_say():
    assert disagreements(LAW) == []


def test_no_cell_is_missing_and_none_is_over():
    assert set(LAW) == set(product(Phase, Verb, (False, True))) == set(EXPECTED)
    assert len(LAW) == 144


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: f"{cell[0].name}-{cell[1].name}-{'in' if cell[2] else 'out'}")
def test_every_row_says_how_it_is_known(cell):
    row = LAW[cell]
    assert isinstance(row.source, Source)
    assert row.reference
    if not isinstance(row.verdict, Allowed):
        assert row.rule or isinstance(row.verdict, Undefined)
    if isinstance(row.verdict, Undefined):
        assert len(row.verdict.why.split()) > 3
    assert not row.rule or row.rule in RULES


def test_an_unused_async_context_never_says_pending():
    for inside in (False, True):
        verdict = LAW[Phase.IDLE, Verb.GET_STATUS, inside].verdict
        assert isinstance(verdict, Refused)
        assert verdict.status != SecurityStatus.SEC_I_ASYNC_CALL_PENDING


def test_only_reinit_refuses_with_an_nt_status():
    for (_, verb, _), row in LAW.items():
        if isinstance(row.verdict, Refused):
            assert type(row.verdict.status) is (NtStatus if verb is Verb.REINIT else SecurityStatus)
            assert not row.verdict.status.succeeded


def test_where_the_caller_stands_matters_in_a_running_callback_alone():
    different = {
        (phase, verb)
        for phase, verb in product(Phase, Verb)
        if LAW[phase, verb, False].verdict != LAW[phase, verb, True].verdict
    }
    assert different == {(Phase.NOTIFYING, Verb.REINIT), (Phase.NOTIFYING, Verb.FREE)}


def test_what_is_documented_is_marked_so():
    documented = [
        (Phase.PENDING, Verb.GET_STATUS),
        (Phase.PENDING, Verb.REINIT),
        (Phase.PENDING, Verb.FREE),
        (Phase.COMPLETE, Verb.FREE),
        (Phase.PENDING_SILENT, Verb.FREE),
        (Phase.SETTLED, Verb.REINIT),
        (Phase.SETTLED, Verb.FREE),
        (Phase.IDLE, Verb.QUEUE),
        (Phase.IDLE, Verb.QUEUE_SILENT_DELETE),
    ]
    assert {LAW[phase, verb, False].source for phase, verb in documented} == {Source.DOCUMENTED}


def test_no_page_is_claimed_for_what_is_inferred():
    inferred = [
        (Phase.IDLE, Verb.GET_STATUS),
        (Phase.IDLE, Verb.REINIT),
        (Phase.PENDING, Verb.SET_CALLBACK),
        (Phase.PENDING, Verb.QUEUE),
        (Phase.SETTLED, Verb.QUEUE),
        (Phase.SETTLED, Verb.GET_STATUS),
        (Phase.NULL, Verb.FREE),
        (Phase.FREED, Verb.FREE),
        (Phase.IDLE, Verb.QUEUE_SILENT_OTHER),
    ]
    assert {LAW[phase, verb, False].source for phase, verb in inferred} == {Source.INFERRED}
    assert LAW[Phase.NOTIFYING, Verb.REINIT, True].source is Source.INFERRED


def test_the_runtime_moves_an_async_context_in_just_these_ways():
    assert PROGRESS == {
        (Phase.PENDING, Progress.COMPLETES): Phase.COMPLETE,
        (Phase.PENDING_SILENT, Progress.COMPLETES): Phase.SETTLED,
        (Phase.FREED, Progress.COMPLETES): Phase.FREED,
        (Phase.COMPLETE, Progress.ENTERS): Phase.NOTIFYING,
        (Phase.NOTIFYING, Progress.RETURNS): Phase.SETTLED,
    }


def test_every_phase_but_the_end_can_be_left_and_every_phase_reached():
    moves = {(phase, row.verdict.next) for (phase, _, _), row in LAW.items() if isinstance(row.verdict, Allowed)}
    moves |= {(before, after) for (before, _), after in PROGRESS.items()}
    moves = {(before, after) for before, after in moves if before is not after}
    lives = set(Phase) - {Phase.NULL, Phase.FOREIGN}
    assert {before for before, _ in moves} == lives - {Phase.FREED}
    assert {after for _, after in moves} == lives
