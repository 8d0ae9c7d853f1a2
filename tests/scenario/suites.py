"""Cases for the tests of suites: what each comes to is written in its name."""

import os
import signal
from dataclasses import dataclass
from pathlib import Path

from sspicli.analysis.cases import CaseResult, Outcome, Place
from sspicli.scenario.attempts import ended
from sspicli.sspi.errors import InputError, UnavailableError, UsageError


@dataclass(frozen=True, slots=True)
class Made:
    """A case that does what its name says."""

    name: str
    file: str = "a.sspi.yaml"
    tags: tuple[str, ...] = ()
    parameters: tuple[tuple[str, str], ...] = ()
    folder: Path = Path()

    @property
    def id(self) -> str:
        return f"{self.file}::{self.name}"

    @property
    def place(self) -> Place:
        return Place(self.file, 1, 1, 2, "name")


def made(*names: str, folder: Path = Path()) -> list[Made]:
    return [Made(name, folder=folder) for name in names]


def run(case: Made, attempt: int = 1) -> CaseResult:
    """Do what a case's name begins with."""
    match case.name.split()[0]:
        case "fails":
            return ended(case, Outcome.FAILED, "")
        case "xpasses":
            return ended(case, Outcome.XPASS, "")
        case "dies":
            os.kill(os.getpid(), signal.SIGKILL)
        case "sleeps":
            signal.pause()
        case "raises":
            raise ZeroDivisionError("division by zero")
        case "misses":
            raise InputError("the certificate is not here", where="cert.pem")
        case "lacks":
            raise UnavailableError("Kerberos is not here", help="pip install 'sspicli[kerberos]'")
        case "misuses":
            raise UsageError("the schedule diverged")
        case "recovers":
            return _second_time(case)
        case "leaves":
            (case.folder / case.name.split()[1]).write_text(str(os.getpid()))
    return ended(case, Outcome.PASSED, "")


def _second_time(case: Made) -> CaseResult:
    """Fail, and leave a mark by which the next time is known."""
    mark = case.folder / "mark"
    outcome = Outcome.PASSED if mark.exists() else Outcome.FAILED
    mark.touch()
    return ended(case, outcome, "")


def outcomes(results) -> list[str]:
    return [f"{one.scenario}: {one.outcome.value}" for one in results]
