"""What a misuse rule reports, and what every monitor of records has in common.

Monitors see and never influence: they are folds over records, and have no other source.
"""

from __future__ import annotations

from typing import ClassVar, NamedTuple, Protocol

from sspicli.analysis.rule_table import RULES, Rule
from sspicli.journal.journal import Record

FINISHED = "finished"
RAN_OUT = frozenset({FINISHED, "stuck", "limit"})  # nothing more could happen; `interrupted` and `broken` say otherwise


class Disagreement(NamedTuple):
    """A record that says something else than the law: of a live run it is a bug of ours."""

    record: int
    text: str


class Finding(NamedTuple):
    """A rule's opinion about records: what it befell, what was seen, and the records that show it."""

    rule: Rule
    subject: str
    detail: str
    records: tuple[int, ...]


def found(code: str, subject: object, detail: str, *records: int) -> Finding:
    """Make a finding of the rule with this code."""
    return Finding(RULES[code], str(subject), detail, records)


class Monitor(Protocol):
    """A watcher of records: it is shown those whose events it watches, in order, and then the end.

    `WATCHED` are the types of those events; `see` is given no other. `end` says the last record's number and the reason
    that the run gave for its end, "" where the records break off.
    """

    WATCHED: ClassVar[frozenset[type]]
    findings: list[Finding]

    def see(self, record: Record) -> None:
        """Take the next record."""

    def end(self, last: int, reason: str) -> None:
        """Report what can be told only now; nothing but `findings` changes, and the records may go on afterwards."""
