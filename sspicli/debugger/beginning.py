"""What a session of the debugger begins with: options, a scenario's case or a recording, and always made again alike.

The rule guarded here: whatever it begins with is a scenario. Options are written as one, so that a session can be made
again from the same words, and kept as a file. A recording is looked at as it is, or made again from the options that it
holds; then it is a scenario too.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sspicli.analysis.report import report
from sspicli.analysis.soundness import check_recording
from sspicli.journal import events as ev
from sspicli.journal.journal import Record
from sspicli.journal.recording import read_recording
from sspicli.runtime.chooser import schedule_text
from sspicli.scenario.load import SUFFIX, Case, load, loads
from sspicli.scenario.source import ScenarioError
from sspicli.session.fault_words import Value, fault_text, parse_fault, taken_apart
from sspicli.sspi.errors import InputError, UsageError

FILE = "<session>"  # the name of a scenario that was written from options
SIDES = ("client", "server")


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """A session as the command line describes it; `client` and `server` are KEY=VALUE words."""

    package: str = "schannel"
    tls: str | None = None
    client: tuple[str, ...] = ()
    server: tuple[str, ...] = ()
    mode: str = "callback"
    completion: str = "pending"
    order: str = "fifo"
    schedule: str | None = None
    seed: int = 0
    timeout: float = 30.0
    messages: int = 0
    fault: tuple[str, ...] = ()
    clock: str | None = None


@dataclass(frozen=True, slots=True)
class Beginning:
    """Where a session begins: a case that can be run, or records that can only be looked at, or both.

    `by_hand` are the sides that do nothing by themselves. `at` is the record to look at first, 0 for the start.
    `origin` says in a few words where it came from; `schedule` are choices that stand above the case's own. `note`
    says what is not whole about it.
    """

    case: Case | None
    records: tuple[Record, ...] = ()
    by_hand: tuple[str, ...] = ()
    at: int = 0
    origin: str = "a fresh session"
    schedule: str | None = None
    note: str = ""


def of_options(options: Options, *, by_hand: Sequence[str] = ()) -> Beginning:
    """Begin with a session as the command line describes it; UsageError for what it cannot say."""
    for side in by_hand:
        if side not in SIDES:
            raise UsageError(f"{side!r} is neither client nor server", where="--by-hand")
    return Beginning(_case_of(scenario_text(options)), by_hand=tuple(by_hand))


def of_case(case: Case, *, by_hand: Sequence[str] = ()) -> Beginning:
    """Begin with a scenario's case; UsageError for one that goes over worker threads."""
    if case.scenario.schedule.workers:
        raise UsageError(
            "worker threads go at their own pace: there is nothing to step",
            where=case.file,
            help="leave out schedule: workers",
        )
    return Beginning(case, by_hand=tuple(by_hand), origin=case.id)


def of_recording(path: Path, *, at: int = 0, again: bool = False) -> Beginning:
    """Begin with a recording: to be looked at, or with `again` to be made again from the options that it holds."""
    read = read_recording(path)
    records = tuple(read.records)
    if not records:
        raise InputError("the recording is empty", where=str(path), help="record the run again")
    check_recording(records, str(path))
    if not 0 <= at <= len(records):
        raise UsageError(f"the recording has {len(records)} records", where="--at", help=f"from 1 to {len(records)}")
    if not again:
        return Beginning(None, records, at=at, origin=f"the recording {path}", note=read.note)
    schedule = schedule_text(report(records).schedule)
    case = case_of_records(records, str(path))
    return Beginning(case, records, at=at, origin=f"{path}", schedule=schedule, note=read.note)


def of_file(path: Path, *, at: int = 0, again: bool = False, number: int = 1) -> Beginning:
    """Begin with a file: case `number` of a scenario, or a recording."""
    if path.name.endswith((SUFFIX, ".yaml", ".yml")):
        cases = load(path, str(path)).cases
        if not 1 <= number <= len(cases):
            raise UsageError(f"there are {len(cases)} cases in it", where=str(path), help=f"from 1 to {len(cases)}")
        return of_case(cases[number - 1])
    return of_recording(path, at=at, again=again)


def case_of_records(records: Sequence[Record], name: str) -> Case:
    """Make the case that a recording's run can be made again from, with the choices that were made."""
    started = records[0].event
    if not isinstance(started, ev.RunStarted):
        raise InputError("the recording does not say how its run was made", where=name, help="record the run again")
    said = started.options
    if said.get("workers"):
        raise InputError("the run went over worker threads: it cannot be made again", where=name)
    if isinstance(said.get("scenario"), str):
        return _recorded_case(said, name)
    options = Options(
        package=str(said.get("package", "schannel")),
        tls=None if said.get("tls") is None else str(said["tls"]),
        client=_words(said.get("client")),
        server=_words(said.get("server")),
        mode=str(said.get("mode", "callback")),
        schedule="v1:",
        seed=started.seed,
        timeout=_number(said.get("timeout"), 30.0),
        messages=int(_number(said.get("messages"), 0)),
        fault=_words(said.get("fault")),
        clock=str(started.clock),
    )
    return _case_of(scenario_text(options))


def _recorded_case(said: Mapping[str, object], name: str) -> Case:
    """Find the case in the scenario that a recording holds."""
    try:
        cases = loads(str(said["scenario"]), str(said.get("scenario.file", name))).cases
    except ScenarioError as error:
        raise InputError(f"the scenario that the recording holds is none: {error}", where=name) from None
    found = next((case for case in cases if case.id == said.get("scenario.id")), None)
    if found is None:
        raise InputError("the scenario that the recording holds has no such case", where=name)
    return found


def _words(value: object) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, list | tuple) else ()


def _number(value: object, usual: float) -> float:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else usual


# -- options as a scenario ---------------------------------------------------------------------------------------------
def scenario_text(options: Options) -> str:
    """Write options as a scenario; UsageError for settings that are none."""
    session: dict[str, object] = {"package": options.package, "mode": options.mode, "messages": options.messages}
    if options.tls is not None:
        session["tls"] = options.tls
    for side in SIDES:
        session[side] = _settings(side, getattr(options, side))
    schedule: dict[str, object] = {"seed": options.seed}
    if options.schedule is not None:
        schedule["choices"] = options.schedule
    else:
        schedule |= {"completion": options.completion, "order": options.order}
    lines = [
        "schema: sspi-async/scenario/1",
        "name: a session of the debugger",
        f"session: {flow(session)}",
        f"schedule: {flow(schedule)}",
        f"timeout: {options.timeout:g}",
    ]
    clock = str(int(time.time())) if options.clock is None else options.clock
    lines.append(f"clock: {flow(clock)}")
    if options.fault:
        lines += ["faults:", *(f"  - {fault_line(fault_text(parse_fault(one)))}" for one in options.fault)]
    return "\n".join(lines) + "\n"


def fault_line(text: str) -> str:
    """Write a fault, given as the command line has it, as a scenario has it."""
    mapping: dict[str, Value] = dict(taken_apart(text))
    if "null" in mapping:
        mapping["is-null"] = mapping.pop("null")
    if mapping.get("handshake") == 1:
        del mapping["handshake"]
    return flow(mapping)


def flow(value: object) -> str:
    """Write a value on one line, as YAML reads it back."""
    return json.dumps(value, ensure_ascii=False)


def _settings(side: str, words: Sequence[str]) -> dict[str, str]:
    from sspicli.packages.options import parse_settings

    parse_settings(side, words)
    parts = (word.partition("=") for word in words)
    return {key.strip().lower(): f"${value}" if value.startswith("$") else value for key, _, value in parts}


def _case_of(text: str) -> Case:
    try:
        return loads(text, FILE).cases[0]
    except ScenarioError as error:
        first = error.problems[0]
        raise UsageError(first.message, help=first.help) from None


__all__ = ["FILE", "SIDES", "Beginning", "Options", "of_case", "of_file", "of_options", "of_recording"]
