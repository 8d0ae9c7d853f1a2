"""`sspi-async replay RECORDING`: the session of a recording, made again from the options it holds.

The rule guarded here: a recording is a file from outside, and its options are held to what a command line may say: they
go through the same parser. What cannot be made again says why: worker threads make no choices, and a file that an
option names may be gone. Nothing but those files is read, and nothing is written.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from time import perf_counter_ns

import click

from sspicli import __version__
from sspicli.analysis.cases import CaseResult, Outcome, Place, Unmet
from sspicli.analysis.report import report
from sspicli.analysis.soundness import check_recording
from sspicli.cli.session_options import SessionOptions, session_options
from sspicli.cli.start import blueprint
from sspicli.journal import events as ev
from sspicli.journal.journal import Journal, Record
from sspicli.journal.recording import read_recording
from sspicli.runtime.chooser import schedule_text
from sspicli.scenario.rerun import first_difference
from sspicli.session.fleet import Credentials, Flight
from sspicli.session.pair import Blueprint, pair
from sspicli.sspi.attributes import ContextAttribute
from sspicli.sspi.errors import InputError, UsageError

_LONGEST_EXCERPT = 240
_MOST_SESSIONS = 10_000_000
NONDETERMINISM = "nondeterminism: the same options and the same choices did not give the same run again"


@dataclass(frozen=True, slots=True)
class Recorded:
    """A recording to be run again."""

    file: str
    records: tuple[Record, ...]
    note: str
    excerpts: tuple[str, ...] = ()
    name: str = "recording"
    tags: tuple[str, ...] = ()
    parameters: tuple[tuple[str, str], ...] = ()
    allowed: tuple[Path, ...] = ()

    @property
    def id(self) -> str:
        """The case's stable id."""
        return f"{self.file}::{self.name}"

    @property
    def place(self) -> Place:
        """Where it says how it was made."""
        return self.at(1)

    @property
    def started(self) -> ev.RunStarted:
        """How it was made."""
        event = self.records[0].event
        assert isinstance(event, ev.RunStarted), "one that does not begin so is not read"
        return event

    def at(self, sequence: int) -> Place:
        """Give the line of a record; the first line of a file is not one."""
        excerpt = described_line(self.records, sequence)
        return Place(self.file, min(sequence, len(self.records)) + 1, 1, len(excerpt) + 1, excerpt)


def described_line(records: tuple[Record, ...], sequence: int) -> str:
    """Give the beginning of a record's line, as the file has it."""
    if not 1 <= sequence <= len(records):
        return ""
    record = records[sequence - 1]
    start = f'{{"n":{record.sequence},"t":{record.ticks},"ns":{record.nanoseconds},"by":"{record.actor}",'
    return f'{start}"of":{record.cause},"is":"{type(record.event).__name__}"'[:_LONGEST_EXCERPT]


def read_recorded(path: Path, name: str, *, allowed: Sequence[Path] = ()) -> Recorded:
    """Read a recording that is to be run again; what cannot be is an InputError."""
    recording = read_recording(path)
    check_recording(recording.records, name)
    if recording.has_gap:
        line = len(recording.records) + 2
        raise InputError(
            f"records are missing: record {line - 1} is not in its place",
            where=f"{name}:{line}",
            help="it was edited; record the run again",
        )
    records = tuple(recording.records)
    if not records or not isinstance(records[0].event, ev.RunStarted):
        raise InputError("the recording does not say how its run was made", where=name, help="record the run again")
    recorded = Recorded(name, records, recording.note, allowed=tuple(allowed))
    if recorded.started.options.get("workers") and "session" not in recorded.started.options:
        raise InputError(
            "the run went over worker threads, which make no choices: it cannot be made again",
            where=name,
            help="record a stepped run: leave out --workers",
        )
    return recorded


def rerun(recorded: Recorded, _attempt: int = 1) -> CaseResult:
    """Make the run again and compare; a difference is reported at the first record that differs."""
    began = perf_counter_ns()
    before = report(recorded.records)
    unmet = _compared(recorded, before.schedule)
    return CaseResult(
        file=recorded.file,
        scenario=recorded.name,
        place=recorded.place,
        outcome=Outcome.PASSED if unmet is None else Outcome.FAILED,
        reason=recorded.note if unmet is None else NONDETERMINISM,
        verdict=before.verdict.value,
        expectations=len(recorded.records),
        unmet=() if unmet is None else (unmet,),
        seed=recorded.started.seed,
        nanoseconds=perf_counter_ns() - began,
        at=unmet.records[0] if unmet is not None and unmet.records else 0,
    )


def _compared(recorded: Recorded, schedule: tuple[int, ...]) -> Unmet | None:
    """Make the run again and find where it differs."""
    last = recorded.records[-1].event
    is_ended = isinstance(last, ev.RunEnded) and last.reason not in ev.FROM_OUTSIDE
    wanted = recorded.records if is_ended or not isinstance(last, ev.RunEnded) else recorded.records[:-1]
    try:
        again = _made_again(recorded, schedule)
    except UsageError as error:
        return Unmet(
            step="schedule", key="choices", place=recorded.place, expected=schedule_text(schedule), got=error.message
        )
    difference = first_difference(wanted, again, is_whole=is_ended and not recorded.note)
    if difference is None:
        return None
    engine = next(one.event.engine for one in again if isinstance(one.event, ev.RunStarted))
    return Unmet(
        step=f"record {difference.sequence}",
        key=difference.member or "record",
        place=recorded.at(difference.sequence),
        expected=difference.expected,
        got=difference.got,
        cause=_cause(recorded.started, engine),
        records=(difference.sequence,),
    )


def _cause(started: ev.RunStarted, engine: str) -> str:
    """Name what is not the same as it was, if that is known."""
    if started.engine != engine:
        return f"it was recorded with {started.engine}, and run again with {engine}"
    if started.tool != _tool():
        return f"it was recorded by {started.tool}, and run again by {_tool()}"
    return ""


def _tool() -> str:
    return f"sspi-async {__version__}"


# -- making it again ---------------------------------------------------------------------------------------------------


def _made_again(recorded: Recorded, schedule: tuple[int, ...]) -> list[Record]:
    """Run the session of a recording, with the choices that were made then."""
    started = recorded.started
    if "scenario" in started.options:
        return _run_scenario(recorded, schedule)
    options = _options(started, recorded.file)
    number = started.options.get("session")
    try:
        plan = blueprint(options) if number is None else _plan_of_many(options, recorded.file)
    except UsageError as error:
        raise _no_options(error.message, recorded.file) from None
    plan = replace(plan, choices=replace(plan.choices, schedule=schedule))
    if number is None:
        return _run_pair(plan)
    if not isinstance(number, int) or not 1 <= number <= _MOST_SESSIONS:
        raise _no_options("the number of its session is none", recorded.file)
    return _run_one_of_many(plan, number, recorded.file)


def _no_options(why: str, file: str) -> InputError:
    return InputError("the options of the recording are none of this version's", where=f"{file}:2", cause=why)


def _run_scenario(recorded: Recorded, schedule: tuple[int, ...]) -> list[Record]:
    """Run the case that was recorded, from the text that the recording holds."""
    from sspicli.scenario.load import loads  # which reads YAML
    from sspicli.scenario.run import RunOptions, run

    started = recorded.started
    text, folder = str(started.options["scenario"]), Path(str(started.options.get("scenario.file", ""))).parent
    cases = loads(text, recorded.file, folder=folder, allowed=recorded.allowed).cases
    wanted = started.options.get("scenario.number"), _parameters(started.options.get("scenario.parameters"))
    for case in cases:
        if (case.number, [f"{name}={value}" for name, value in case.parameters]) == wanted:
            return list(run(case, RunOptions(schedule=schedule_text(schedule), seed=started.seed)).records)
    raise _no_options("the scenario in it has no such case", recorded.file)


def _parameters(value: object) -> list[object]:
    return list(value) if isinstance(value, (list, tuple)) else []


def _run_pair(plan: Blueprint) -> list[Record]:
    journal = Journal()
    assert plan.started is not None, "a blueprint from options says who made it"
    journal.append("user", plan.started, 0)
    session = pair(
        plan.client,
        plan.server,
        find=plan.find,
        describe=plan.describe,
        journal=journal,
        choices=plan.choices,
        faults=plan.faults,
        timeout=plan.timeout,
    )
    session.run()
    return journal.records


def _plan_of_many(options: SessionOptions, file: str) -> Blueprint:
    """Plan one of many sessions; one that resumes what another began cannot be made again alone."""
    from sspicli.cli.load import plan_of_many  # which few recordings need

    plan = plan_of_many(options)
    if ContextAttribute.SESSION_INFO in plan.client.queries:
        raise InputError(
            "the session resumed one before it, which is not on record: it cannot be made again", where=file
        )
    return plan


def _run_one_of_many(plan: Blueprint, number: int, file: str) -> list[Record]:
    """Run one session over credentials that were acquired before it, as each of many is run."""
    credentials = Credentials(plan, Journal())
    try:
        if not credentials.acquire():
            raise InputError("its credentials cannot be acquired again", where=file)
        lent = replace(
            plan,
            client=replace(plan.client, credential=credentials.loans["client"].handle),
            server=replace(plan.server, credential=credentials.loans["server"].handle),
        )
        flight = Flight(number, lent, credentials.loans, by_turns=False)
        flight.turn()
        return flight.journal.records
    finally:
        credentials.free()


def _options(started: ev.RunStarted, file: str) -> SessionOptions:
    """Read the options of a recording, by the parser of the command line."""
    words = [word for name, value in started.options.items() for word in _words(name, value)]
    command = _parser()
    try:
        with command.make_context("recording", [*words, f"--clock={started.clock}"], resilient_parsing=False) as ctx:
            return SessionOptions(**ctx.params)
    except (click.ClickException, UsageError) as error:
        said = error.format_message() if isinstance(error, click.ClickException) else error.message
        raise _no_options(said, file) from None


@cache
def _parser() -> click.Command:
    return session_options(click.Command("recording"))


_TAKEN = ("package", "tls", "client", "server", "mode", "completion", "order", "seed", "timeout", "messages", "fault")


def _words(name: str, value: object) -> list[str]:
    """Write an option as on a command line; where a run was written to, and its choices, are not part of it."""
    if name not in _TAKEN or value is None:
        return []
    values = value if isinstance(value, (list, tuple)) else [value]
    return [f"--{name}={one}" for one in values]
