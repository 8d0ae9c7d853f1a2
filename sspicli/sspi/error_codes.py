"""The tool's own error codes: what each stands for and what to do about it, as data.

Findings have the codes of their rules and statuses their names in winerror.h; an `E` code says that something of the
user's did not hold or could not be read. E02.. is what a run came to, E03.. what is wrong with a scenario's file, E04..
with a recording. The rule guarded here: a code keeps its meaning for ever, and one that nothing prints has no line.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple


class ErrorCode(NamedTuple):
    """A code, the sentence it stands for, and what to do about it."""

    code: str
    title: str
    remedy: str


UNMET, RULE_BROKEN, STUCK, NOT_FAILED, NOT_RUN = "E0201", "E0202", "E0203", "E0204", "E0205"
NO_SCENARIO, UNREADABLE = "E0301", "E0302"
NO_RECORDING = "E0401"

ERROR_CODES: Mapping[str, ErrorCode] = MappingProxyType(
    {
        one.code: one
        for one in (
            ErrorCode(
                UNMET,
                "expectation not met",
                "Compare what was expected with what was got and the evidence below it; change the file, or the code "
                "that it tests.",
            ),
            ErrorCode(
                RULE_BROKEN,
                "misuse rule broken",
                "Explain the rule's own code, mend the calls in the records it names, or say in the scenario's verify "
                "key why it may stand.",
            ),
            ErrorCode(
                STUCK,
                "stuck",
                "Read the wait chain from its end: complete the call that is held, remove the fault that hangs it, or "
                "expect it.",
            ),
            ErrorCode(
                NOT_FAILED,
                "did not fail as expected",
                "Take the xfail key out of the scenario: what it waited for is mended.",
            ),
            ErrorCode(
                NOT_RUN,
                "could not be run",
                "The reason beside it says what is lacking here, or at which choice a schedule no longer fits.",
            ),
            ErrorCode(
                NO_SCENARIO,
                "the file is no scenario",
                "Put right what the caret points at; every problem of a file is listed in one run.",
            ),
            ErrorCode(
                UNREADABLE,
                "the file could not be read",
                "See that it is there, that you may read it, and that it is a regular file.",
            ),
            ErrorCode(
                NO_RECORDING,
                "the file is no recording",
                "Name a file that sspi-async handshake --record wrote, whole and unedited, or record the run again.",
            ),
        )
    }
)


def title_of(code: str) -> str:
    """Give the sentence a code stands for, "" for one that is not ours."""
    return ERROR_CODES[code].title if code in ERROR_CODES else ""
