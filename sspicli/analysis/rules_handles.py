"""The rules of security contexts and credentials (D): their lives, from records alone."""

from __future__ import annotations

from typing import ClassVar

from sspicli.analysis.finding import FINISHED, Finding, found
from sspicli.journal import events as ev
from sspicli.journal.journal import Record
from sspicli.sspi.handles import Handle


class HandleMonitor:
    """Report early use of out-parameters, and the credentials and security contexts that nobody ended."""

    WATCHED: ClassVar[frozenset[type]] = frozenset(
        {
            ev.CredentialAcquired,
            ev.CredentialFreed,
            ev.SecurityContextOpened,
            ev.SecurityContextDeleted,
            ev.OutputReadEarly,
        }
    )

    def __init__(self) -> None:
        self.findings: list[Finding] = []
        self._born: dict[Handle, int] = {}

    def see(self, record: Record) -> None:
        """Take the next record."""
        event = record.event
        if isinstance(event, ev.CredentialAcquired):
            self._born[event.credential] = record.sequence
        elif isinstance(event, ev.SecurityContextOpened):
            self._born[event.security_context] = record.sequence
        elif isinstance(event, ev.CredentialFreed):
            self._born.pop(event.credential, None)
        elif isinstance(event, ev.SecurityContextDeleted):
            self._born.pop(event.security_context, None)
        elif isinstance(event, ev.OutputReadEarly):
            verb = "written" if event.is_write else "read"
            detail = f"{event.parameter} was {verb} while {event.call} was pending"
            self.findings.append(found("C001", event.call, detail, record.sequence))

    def end(self, last: int, reason: str) -> None:
        """Report what was never ended, where the run came to its end."""
        if reason != FINISHED:
            return
        for handle, sequence in self._born.items():
            code = "D008" if handle.kind == "cred" else "D004"
            self.findings.append(found(code, handle, "it was alive at the end", sequence))
