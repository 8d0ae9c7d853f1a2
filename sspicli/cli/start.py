"""From options to a session that is ready to run, with its journal, recording and key log.

What only some options need (files, workers, faults, a pace) is imported with them: a plain handshake starts sooner.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from sspicli.cli.interrupts import interruptible
from sspicli.cli.session_options import SessionOptions
from sspicli.cli.watching import Watch
from sspicli.journal.journal import Journal, Record
from sspicli.packages.catalog import create_package, names_of
from sspicli.packages.options import parse_settings
from sspicli.packages.setup import build
from sspicli.runtime.chooser import Completion, First, Order, schedule_choices
from sspicli.scenario.plans import handshakes_of, plan_of, read_clock, run_started, with_tls
from sspicli.session.pair import Blueprint, Choices, pair
from sspicli.session.session import Session
from sspicli.sspi.errors import UsageError, WriteError
from sspicli.sspi.package import Role
from sspicli.sspi.schannel import describe

if TYPE_CHECKING:
    from sspicli.journal.recording import KeyLogWriter, RecordingWriter
    from sspicli.runtime.pool import PoolDispatcher, Workers
    from sspicli.session.fault_words import AnyFault
    from sspicli.session.wire_faults import Locate


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
        locate=plan.locate,
        timeout=plan.timeout,
    )
    return Started(session, journal, recording, keylog, pool, plan.timeout, len(choices.schedule or ()), pace)


def blueprint(options: SessionOptions) -> Blueprint:
    """Check the options, and make certificates and plans: what one session needs, and each of many."""
    clock = read_clock(options.clock, where="--clock")
    faults = _faults(options.fault)
    choices = _choices(options)
    client = parse_settings("client", with_tls(options.client, options.tls))
    server = parse_settings("server", with_tls(options.server, options.tls))
    package = create_package(options.package)
    setup = build(client=client, server=server, seed=options.seed, clock=clock)
    _check_sample(options, resumes=setup.client.resume)
    handshakes = handshakes_of(setup)
    said = {name: str(value) if isinstance(value, Path) else value for name, value in asdict(options).items()}
    started = run_started(
        package, setup, clock=clock, seed=options.seed, has_secrets=options.include_secrets, options=said
    )
    plans = [
        plan_of(role, side, package, mode=options.mode, messages=options.messages, handshakes=handshakes)
        for role, side in ((Role.CLIENT, setup.client), (Role.SERVER, setup.server))
    ]
    names = names_of(package)
    return Blueprint(
        client=plans[0],
        server=plans[1],
        find=lambda name: package if name.lower() in names else None,
        describe=describe,
        started=started,
        choices=choices,
        faults=faults,
        locate=_locate(faults),
        timeout=options.timeout,
    )


def _faults(given: tuple[str, ...]) -> tuple[AnyFault, ...]:
    if not given:
        return ()
    from sspicli.session.fault_words import parse_fault
    from sspicli.session.wire_faults import WireFault, check_plan

    faults = tuple(parse_fault(one) for one in given)
    check_plan([one for one in faults if isinstance(one, WireFault)])
    return faults


def _locate(faults: tuple[AnyFault, ...]) -> Locate | None:
    """Give what finds fields in tokens, where a fault names one."""
    if not any(getattr(one, "field", "") for one in faults):
        return None
    from sspicli.analysis.places import place_of

    return place_of


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
