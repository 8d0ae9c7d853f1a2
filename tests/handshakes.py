"""Handshakes through the product's own door: command-line settings in, a report out, no process."""

from __future__ import annotations

from dataclasses import replace

from sspicli.analysis.report import Report, report
from sspicli.cli.session_options import SessionOptions
from sspicli.cli.start import Started, start
from sspicli.journal.journal import Record

CLOCK = "2026-11-22T12:00:00Z"
DEFAULTS = SessionOptions(
    package="schannel",
    tls=None,
    client=(),
    server=(),
    mode="callback",
    completion="pending",
    order="fifo",
    schedule=None,
    workers=0,
    seed=7,
    timeout=30.0,
    messages=0,
    fault=(),
    clock=CLOCK,
    record=None,
    keylog=None,
    include_secrets=False,
)


def begun(**changes: object) -> Started:
    """Make a session ready to run; `client` and `server` are lists of KEY=VALUE."""
    return start(replace(DEFAULTS, **changes))  # type: ignore[arg-type]


def records_of(**changes: object) -> list[Record]:
    """Run a handshake; its records."""
    return begun(**changes).run()


def handshake(**changes: object) -> Report:
    """Run a handshake; its report."""
    return report(records_of(**changes))


def statuses(result: Report) -> dict[str, tuple[str, str | None]]:
    """Name each end's handshake status and what came after it."""
    return {
        name: (
            end.status.name if end.status is not None else "none",
            None if end.post_handshake_status is None else end.post_handshake_status.name,
        )
        for name, end in result.endpoints.items()
    }
