"""From options to a session that is ready to run, with its journal, recording and key log.

What only some options need (files, workers, faults, a pace) is imported with them: a plain handshake starts sooner.
"""

from __future__ import annotations

import platform
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from sspicli import __version__
from sspicli.cli.interrupts import interruptible
from sspicli.cli.session_options import SessionOptions
from sspicli.cli.watching import Watch
from sspicli.journal import events as ev
from sspicli.journal.journal import Journal, Record
from sspicli.packages.catalog import create_package
from sspicli.packages.options import parse_settings
from sspicli.packages.setup import EndpointSetup, Setup, build
from sspicli.runtime.chooser import Completion, First, Order, schedule_choices
from sspicli.session.drivers import Plan, Style
from sspicli.session.pair import Blueprint, Choices, pair
from sspicli.session.session import Session
from sspicli.sspi.attributes import ContextAttribute
from sspicli.sspi.errors import UsageError, WriteError
from sspicli.sspi.package import Role, SecurityPackage
from sspicli.sspi.schannel import describe

if TYPE_CHECKING:
    from sspicli.journal.recording import KeyLogWriter, RecordingWriter
    from sspicli.runtime.pool import PoolDispatcher, Workers
    from sspicli.session.faults import Fault

# What a handshake asks its security contexts afterwards.
QUERIES = (
    ContextAttribute.CONNECTION_INFO,
    ContextAttribute.CIPHER_INFO,
    ContextAttribute.SESSION_INFO,
    ContextAttribute.APPLICATION_PROTOCOL,
    ContextAttribute.STREAM_SIZES,
    ContextAttribute.REMOTE_CERT_CONTEXT,
    ContextAttribute.REMOTE_CERT_CHAIN,
    ContextAttribute.ENDPOINT_BINDINGS,
    ContextAttribute.UNIQUE_BINDINGS,
)


def unwatched(work: Callable[[], object]) -> None:
    """Do the work, with nobody looking."""
    work()


@dataclass(slots=True)
class Started:
    """A session ready to run, and the files it writes; `pace` is the seconds to wait after each transition."""

    session: Session
    journal: Journal
    recording: RecordingWriter | None
    keylog: KeyLogWriter | None
    pool: Pool | None
    timeout: float
    scheduled: int
    pace: float = 0.0

    def run(self, watch: Watch = unwatched) -> list[Record]:
        """Run to the end and close the files; Ctrl-C ends the run between two transitions, so nothing is lost."""
        try:
            if self.pool is not None:
                self._run_on(self.pool, watch)
            elif self.pace:
                from sspicli.session.paced import PacedRun

                paced = PacedRun(self.session, self.journal, self.pace)
                with interruptible(paced.halt):
                    watch(paced.run)
            else:
                with interruptible(self.session.halt):
                    watch(self.session.run)
        finally:
            self._close()
        unused = self.scheduled - len(self.session.choices)
        if unused > 0:
            raise UsageError(
                f"the schedule diverged: the run ended with {unused} of its choices unmade",
                where="--schedule",
                help="the schedule belongs to another command line or another version",
            )
        return self.journal.records

    def _run_on(self, pool: Pool, watch: Watch) -> None:
        """Run on workers; a signal that comes while they are being set to work counts too."""
        from sspicli.session.pooled import PooledRun

        with interruptible(self.session.halt):
            under_way = PooledRun(self.session, pool.dispatcher, pool.workers)
            with interruptible(under_way.halt):
                watch(partial(under_way.result, self.timeout))

    def _close(self) -> None:
        if self.recording is not None:
            self.recording.close()
        if self.keylog is not None:
            self.keylog.close()


class Pool(NamedTuple):
    """The workers of a run, and its side of them; the workers are daemons and end with the process."""

    workers: Workers
    dispatcher: PoolDispatcher


def start(options: SessionOptions, *, pace: float = 0.0) -> Started:
    """Check the options, make certificates and endpoints, and open the files: everything but running."""
    plan = blueprint(options)
    choices = _one_at_a_time(plan.choices, options) if pace else plan.choices
    pool = _pool(options.workers)
    journal = Journal()
    recording, keylog = _open_files(options, journal)
    assert plan.started is not None, "a blueprint from options says who made it"
    journal.append("user", plan.started, 0)
    session = pair(
        plan.client,
        plan.server,
        find=plan.find,
        describe=plan.describe,
        journal=journal,
        choices=choices,
        dispatcher=None if pool is None else pool.dispatcher,
        faults=plan.faults,
        timeout=plan.timeout,
    )
    return Started(session, journal, recording, keylog, pool, plan.timeout, len(choices.schedule or ()), pace)


def blueprint(options: SessionOptions) -> Blueprint:
    """Check the options, and make certificates and plans: what one session needs, and each of many."""
    clock = _clock(options.clock)
    faults = _faults(options.fault)
    choices = _choices(options)
    client = parse_settings("client", _with_tls(options.client, options.tls))
    server = parse_settings("server", _with_tls(options.server, options.tls))
    package = create_package(options.package)
    setup = build(client=client, server=server, seed=options.seed, clock=clock)
    _check_sample(options, resumes=setup.client.resume)
    handshakes = 2 if setup.client.resume and setup.server.resume else 1
    return Blueprint(
        client=_plan(Role.CLIENT, setup.client, package, options, handshakes),
        server=_plan(Role.SERVER, setup.server, package, options, handshakes),
        find=lambda name: package if name.lower() == package.name.lower() else None,
        describe=describe,
        started=_run_started(options, package, clock, setup),
        choices=choices,
        faults=faults,
        timeout=options.timeout,
    )


def _faults(given: tuple[str, ...]) -> tuple[Fault, ...]:
    if not given:
        return ()
    from sspicli.session.faults import parse_fault

    return tuple(parse_fault(one) for one in given)


def _pool(count: int) -> Pool | None:
    if not count:
        return None
    from sspicli.runtime.pool import PoolDispatcher, Workers

    workers = Workers(count)
    return Pool(workers, PoolDispatcher(workers))


def _check_sample(options: SessionOptions, *, resumes: bool) -> None:
    """Refuse what the documentation's sample cannot do: it accepts one handshake, and nothing after it."""
    if options.mode == "sample" and (options.messages or resumes):
        what = "--messages" if options.messages else "--client resume=ticket"
        raise UsageError("the documentation's sample ends with its handshake", where=what, help="leave it out")


def _open_files(options: SessionOptions, journal: Journal) -> tuple[RecordingWriter | None, KeyLogWriter | None]:
    """Open the recording and the key log; when one cannot be opened, neither is left behind."""
    check_files(options)
    recording = _open_recording(options, journal)
    try:
        return recording, _open_keylog(options.keylog, journal)
    except WriteError:
        if recording is not None and options.record is not None:
            recording.close()
            options.record.unlink(missing_ok=True)
        raise


def check_files(options: SessionOptions) -> None:
    """Refuse what is no name of a file."""
    for name, path in (("--record", options.record), ("--keylog", options.keylog)):
        if path is not None and str(path) in ("-", "."):
            raise UsageError("it takes the name of a new file", where=name, help="for stdout there is -f jsonl")


def _open_recording(options: SessionOptions, journal: Journal) -> RecordingWriter | None:
    if options.record is None:
        return None
    from sspicli.journal.recording import RecordingWriter

    recording = RecordingWriter(options.record, include_secrets=options.include_secrets, warn=warn)
    journal.subscribe(recording)
    return recording


def _choices(options: SessionOptions) -> Choices:
    has_order = (options.completion, options.order) != ("pending", "fifo")
    if options.workers and (has_order or options.schedule is not None):
        raise UsageError(
            "worker threads complete calls as they finish them: there is nothing to choose",
            where="--workers",
            help="leave out --completion, --order and --schedule, or --workers",
        )
    if options.schedule is not None and has_order:
        raise UsageError(
            "a schedule holds every choice: there is nothing left to choose",
            where="--schedule",
            help="leave out --completion and --order, or --schedule",
        )
    schedule = None if options.schedule is None else tuple(schedule_choices(options.schedule))
    return Choices(Completion(options.completion), Order(options.order), options.seed, schedule)


def _one_at_a_time(choices: Choices, options: SessionOptions) -> Choices:
    """Let transitions be fired one by one: the default order as an empty schedule, which takes no short cut."""
    if options.workers:
        raise UsageError(
            "worker threads go at their own pace", where="--pace", help="leave out --workers, or leave out --pace"
        )
    is_default = choices.schedule is None and isinstance(choices.chooser(), First)
    return replace(choices, schedule=()) if is_default else choices


def _with_tls(pairs: tuple[str, ...], tls: str | None) -> tuple[str, ...]:
    """Let `--tls` set the version of a side that has not set its own."""
    has_own = any(one.partition("=")[0].strip().lower() == "tls" for one in pairs)
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
        style=_style(options.mode, role),
        handshakes=handshakes,
        messages=options.messages,
        queries=QUERIES,
    )


def _style(mode: str, role: Role) -> Style:
    """Give the side its style; the documentation's sample is a server, and its client uses callbacks."""
    return Style.CALLBACK if mode == "sample" and role is Role.CLIENT else Style(mode)


def _clock(text: str | None) -> int:
    """Read `--clock`: Unix seconds, or a UTC time in ISO 8601; now, when it is not given."""
    if text is None:
        return int(time.time())
    if text.isdecimal() and len(text) < 12:
        return int(text)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(
            f"{text!r} is no time", where="--clock", help="write 2026-11-22T12:00:00Z, or Unix seconds"
        ) from None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


def _run_started(options: SessionOptions, package: SecurityPackage, clock: int, setup: Setup) -> ev.RunStarted:
    said = {name: str(value) if isinstance(value, Path) else value for name, value in asdict(options).items()}
    said |= {"client.note": setup.client.cert_note, "server.note": setup.server.cert_note}
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


def _open_keylog(path: Path | None, journal: Journal) -> KeyLogWriter | None:
    if path is None:
        return None
    from sspicli.journal.recording import KeyLogWriter

    keylog = KeyLogWriter(path, warn=warn)
    journal.subscribe(keylog)
    return keylog


def warn(text: str) -> None:
    """Say on stderr what does not end the run."""
    click.echo(f"warning: {text}", err=True)
