"""From options to a session that is ready to run, with its journal, recording and key log."""

from __future__ import annotations

import platform
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

import click

from sspicli import __version__
from sspicli.cli.session_options import SessionOptions
from sspicli.journal import events as ev
from sspicli.journal.journal import Journal, Record
from sspicli.journal.recording import RecordingWriter, create_secret_file
from sspicli.packages.catalog import create_package
from sspicli.packages.options import parse_settings
from sspicli.packages.setup import EndpointSetup, build
from sspicli.runtime.chooser import Completion, Order, schedule_choices
from sspicli.session.drivers import Plan, Style
from sspicli.session.pair import Choices, pair
from sspicli.session.session import Session
from sspicli.sspi.errors import UsageError
from sspicli.sspi.package import Role, SecurityPackage
from sspicli.sspi.schannel import describe

# What a handshake asks its security context afterwards: protocol, cipher, session, ALPN, sizes.
QUERIES = (0x5A, 0x64, 0x5D, 35, 4)


@dataclass(slots=True)
class Started:
    """A session ready to run, and the files it writes."""

    session: Session
    journal: Journal
    recording: RecordingWriter | None
    keylog: TextIO | None

    def close(self) -> None:
        """Close the files."""
        if self.recording is not None:
            self.recording.close()
        if self.keylog is not None:
            self.keylog.close()


def start(options: SessionOptions) -> Started:
    """Check the options, make certificates and endpoints, and open the files: everything but running."""
    clock = int(time.time())
    package = create_package(options.package)
    choices = _choices(options)
    client = parse_settings("client", _with_tls(options.client, options.tls))
    server = parse_settings("server", _with_tls(options.server, options.tls))
    setup = build(client=client, server=server, seed=options.seed, clock=clock)
    journal = Journal()
    recording = None
    if options.record is not None:
        recording = RecordingWriter(options.record, include_secrets=options.include_secrets, warn=_warn)
        journal.subscribe(recording)
    keylog = _open_keylog(options.keylog, journal)
    journal.append("user", _run_started(options, package, clock, setup.client, setup.server), 0)
    handshakes = 2 if setup.client.resume and setup.server.resume else 1
    session = pair(
        _plan(Role.CLIENT, setup.client, package, options, handshakes),
        _plan(Role.SERVER, setup.server, package, options, handshakes),
        find=lambda name: package if name.lower() == package.name.lower() else None,
        describe=describe,
        journal=journal,
        choices=choices,
        timeout=options.timeout,
    )
    return Started(session, journal, recording, keylog)


def _choices(options: SessionOptions) -> Choices:
    schedule = None if options.schedule is None else tuple(schedule_choices(options.schedule))
    return Choices(Completion(options.completion), Order(options.order), options.seed, schedule)


def _with_tls(pairs: tuple[str, ...], tls: str | None) -> tuple[str, ...]:
    """Let `--tls` set the version of a side that has not set its own."""
    has_own = any(one.partition("=")[0] == "tls" for one in pairs)
    return pairs if tls is None or has_own else (*pairs, f"tls={tls}")


def _plan(role: Role, setup: EndpointSetup, package: SecurityPackage, options: SessionOptions, handshakes: int) -> Plan:
    return Plan(
        role=role,
        package=package.name,
        auth_data=setup.auth_data,
        credential_use=setup.credential_use,
        requirements=setup.requirements,
        target_name=setup.target_name,
        application_protocols=setup.application_protocols,
        style=Style(options.mode),
        handshakes=handshakes,
        messages=options.messages,
        queries=QUERIES,
    )


def _run_started(
    options: SessionOptions, package: SecurityPackage, clock: int, client: EndpointSetup, server: EndpointSetup
) -> ev.RunStarted:
    said = {name: str(value) if isinstance(value, Path) else value for name, value in asdict(options).items()}
    said |= {"client.note": client.cert_note, "server.note": server.cert_note}
    return ev.RunStarted(
        tool=f"sspi-async {__version__}",
        package=package.name,
        engine=package.engine,
        platform=f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
        started=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        clock=clock,
        seed=options.seed,
        has_secrets=options.include_secrets,
        options=said,
    )


def _open_keylog(path: Path | None, journal: Journal) -> TextIO | None:
    """Write each key-log line to a new file of its own as it comes."""
    if path is None:
        return None
    file = create_secret_file(path)

    def write(record: Record) -> None:
        if isinstance(record.event, ev.KeyLogged):
            file.write(f"{record.event.line}\n")
            file.flush()

    journal.subscribe(write)
    return file


def _warn(text: str) -> None:
    click.echo(f"warning: {text}", err=True)


__all__ = ["Started", "UsageError", "start"]
