"""Change the law and the status map, one cell or row at a time, and see that what the tests check notices each change.

Run as `python tests/mutation.py`; everything happens in this process, so it takes seconds. All changes of a cell or row
must be noticed: each other verdict, another phase to go to, another rule; a row's status and alert. Exit code 1 when
one is not.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType, ModuleType

sys.path.insert(0, str(Path(__file__).parents[1]))

from sspicli.analysis.coherence import IncoherentError
from sspicli.packages import schannel_failures
from sspicli.packages.schannel_failures import ROWS, FailureRow
from sspicli.runtime.api import ContractError
from sspicli.sspi.lifecycle import LAW, Allowed, Cell, Phase, Refused, Row, Undefined
from sspicli.sspi.status import NtStatus, SecurityStatus
from tests.packages.status_map_expected import wrong
from tests.runtime.test_api import in_force, is_reachable
from tests.sspi.test_lifecycle import EXPECTED, disagreements

# -- the law -----------------------------------------------------------------------------------------------------------
OTHER_PHASES = dict(zip(Phase, [*list(Phase)[1:], Phase.NULL], strict=True))


def other_kinds(phase: Phase, row: Row) -> list[Row]:
    """Make rows with the verdicts of the other two kinds."""
    verdicts = (
        Allowed(phase),
        Refused(SecurityStatus.SEC_E_INVALID_HANDLE),
        Refused(NtStatus.STATUS_INVALID_DEVICE_STATE),
        Undefined("a mutant says that nothing is promised"),
    )
    return [row._replace(verdict=verdict) for verdict in verdicts if type(verdict) is not type(row.verdict)]


def same_kind(row: Row) -> list[Row]:
    """Make rows whose verdict is of the same kind and says something else, and one of another rule."""
    changed = [row._replace(rule="" if row.rule else "A001")]
    match row.verdict:
        case Allowed(next):
            changed.append(row._replace(verdict=Allowed(OTHER_PHASES[next])))
        case Refused(status):
            other = SecurityStatus.SEC_E_OK if isinstance(status, SecurityStatus) else NtStatus.STATUS_SUCCESS
            changed += [
                row._replace(verdict=Refused(other)),
                row._replace(verdict=Refused(SecurityStatus.SEC_E_INTERNAL_ERROR)),
            ]
    return changed


@contextmanager
def changed_cell(cell: Cell, row: Row) -> Iterator[None]:
    """Put another row into the law for a while."""
    kept = LAW[cell]
    LAW[cell] = row
    try:
        yield
    finally:
        LAW[cell] = kept


def is_noticed_in_force(cell: Cell) -> bool:
    """Say whether the runtime, or the analysis of its records, does something else than the facts say."""
    try:
        return in_force(cell) != EXPECTED[cell]
    except (AssertionError, ContractError, IncoherentError):
        return True  # an invariant or a judge says so, or the async context could not even be brought into its phase


def check_law() -> bool:
    """Change each cell in every way; say whether each change was noticed."""
    assert not disagreements(LAW), "the law is not what the facts say, before any change"
    caught, in_runtime, reachable = 0, 0, [cell for cell in LAW if is_reachable(cell)]
    for cell in list(LAW):
        row, survived, unnoticed = LAW[cell], [], []
        kinds = other_kinds(cell[0], row)
        for mutant in kinds + same_kind(row):
            with changed_cell(cell, mutant):
                if disagreements(LAW) != [cell]:
                    survived.append(mutant)
                if cell in reachable and mutant in kinds and not is_noticed_in_force(cell):
                    unnoticed.append(mutant)
        caught += not survived
        in_runtime += cell in reachable and not unnoticed
        for mutant in survived:
            print(f"survived: {cell} with {mutant}")
    print(f"{caught} of {len(LAW)} cells caught")
    print(f"{in_runtime} of the {len(reachable)} cells a caller can reach caught by what the runtime does")
    return caught == len(LAW)


# -- the status map ----------------------------------------------------------------------------------------------------
@contextmanager
def changed_row(module: ModuleType, old: FailureRow, new: FailureRow) -> Iterator[None]:
    """Put another row into every table of the module that has this one, for a while."""
    kept = {name: value for name, value in vars(module).items() if _has(value, old)}
    for name, value in kept.items():
        setattr(module, name, _replaced(value, old, new))
    try:
        yield
    finally:
        for name, value in kept.items():
            setattr(module, name, value)


def _has(value: object, row: FailureRow) -> bool:
    if isinstance(value, FailureRow):
        return value is row
    return isinstance(value, MappingProxyType) and any(one is row for one in value.values())


def _replaced(value: object, old: FailureRow, new: FailureRow) -> object:
    if isinstance(value, MappingProxyType):
        return MappingProxyType({key: new if one is old else one for key, one in value.items()})
    return new


def check_status_map() -> bool:
    """Change each row's status and alert; say whether each change was noticed."""
    missed = wrong(schannel_failures.find_row)
    for clues, status, alert in missed:
        print(f"before any change: {clues} should come to 0x{status:08X}, alert {alert}")
    caught = 0
    for row in ROWS:
        other = SecurityStatus.SEC_E_TIME_SKEW
        mutants = [row._replace(status=other), row._replace(alert=255 if row.alert is None else row.alert + 1)]
        mutants.append(row._replace(alert=None if row.alert is not None else 0))
        survived = []
        for mutant in mutants:
            with changed_row(schannel_failures, row, mutant):
                if not wrong(schannel_failures.find_row):
                    survived.append(mutant)
        caught += not survived
        for mutant in survived:
            print(f"survived: {row.id} with {mutant.status!s}, alert {mutant.alert}")
    print(f"{caught} of {len(ROWS)} rows of the status map caught")
    return caught == len(ROWS) and not missed


def main() -> int:
    """Run both checks."""
    return 0 if all([check_law(), check_status_map()]) else 1


if __name__ == "__main__":
    sys.exit(main())
