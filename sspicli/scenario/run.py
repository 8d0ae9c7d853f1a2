"""Run a case and judge it: from a checked scenario to what it came to, with everything that explains it.

The rule guarded here: the run only makes records, the judging only reads them. A case that is run again with the same
seed and schedule makes the same calls with the same statuses; certificates are made for a fixed clock unless the
scenario names one, so that it means the same on every day.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path
from time import perf_counter_ns

from sspicli.analysis.calls import Call
from sspicli.analysis.cases import CaseResult, Outcome, Place, Unmet
from sspicli.analysis.places import place_of
from sspicli.analysis.report import Report, Verdict, report, verdict_of
from sspicli.analysis.rules import Finding
from sspicli.journal import events as ev
from sspicli.journal.journal import Journal, Record
from sspicli.packages.catalog import create_package, names_of
from sspicli.packages.descriptions import CertificateDescription
from sspicli.packages.option_values import EndpointSettings
from sspicli.packages.options import parse_settings
from sspicli.packages.setup import Setup, build
from sspicli.runtime.chooser import Completion, DivergedError, Order, schedule_choices, schedule_text
from sspicli.runtime.pool import PoolDispatcher, Workers
from sspicli.scenario import order_steps
from sspicli.scenario.artifacts import keep
from sspicli.scenario.checks import described, pairs, walk
from sspicli.scenario.expect import Checker
from sspicli.scenario.expect_programs import hold_programs
from sspicli.scenario.expect_run import hold_run
from sspicli.scenario.expect_steps import hold_steps
from sspicli.scenario.load import Case
from sspicli.scenario.memory import Memory
from sspicli.scenario.model import CallCheck, LegCheck, Scenario
from sspicli.scenario.plans import handshakes_of, plan_of, read_clock, run_started, with_tls
from sspicli.scenario.program import program
from sspicli.scenario.seen import steps_seen
from sspicli.scenario.shapes import CallExpected
from sspicli.scenario.step import Step
from sspicli.session.actions import Driver
from sspicli.session.drivers import Plan, Style, endpoint_program
from sspicli.session.fault_words import AnyFault, fault_from
from sspicli.session.pair import Choices, pair
from sspicli.session.pooled import PooledRun
from sspicli.session.sample import documented_sample
from sspicli.session.session import Session
from sspicli.sspi.errors import UnavailableError, UsageError
from sspicli.sspi.functions import Function
from sspicli.sspi.package import Role, SecurityPackage
from sspicli.sspi.schannel import describe
from sspicli.sspi.status import SecurityStatus

CLOCK = "2026-01-01T00:00:00Z"  # where a scenario names none
FIRST_ERROR = 0x80000000
_SIDES = ("client", "server")
_STUCK = ("A015", "A016")  # what being stuck means, where it is expected


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """What is asked of a run beside its scenario.

    `schedule` and `seed` stand above the scenario's own; `artifacts` is the folder for a recording of each case that
    fails; `strict` lets warnings count, and a case that passes although it is expected to fail.
    """

    schedule: str | None = None
    seed: int | None = None
    artifacts: Path | None = None
    strict: bool = False
    attempt: int = 1


@dataclass(frozen=True, slots=True)
class Ran:
    """A run that has ended: its records, what they came to, and what of the schedule did not come about."""

    records: tuple[Record, ...]
    report: Report
    schedule: str
    unmet_choices: tuple[str, ...] = ()


def run_case(case: Case, options: RunOptions) -> CaseResult:
    """Run one case and say what it came to; a case that is skipped, or cannot be run, is a result too."""
    began = perf_counter_ns()
    base = CaseResult(
        file=case.file,
        scenario=case.name,
        parameters=case.parameters,
        tags=case.tags,
        place=case.place,
        outcome=Outcome.SKIP,
        attempt=options.attempt,
    )
    if case.scenario.skip is not None:
        return replace(base, reason=case.scenario.skip)
    try:
        ran = run(case, options)
    except UnavailableError as error:
        return replace(base, reason=error.message)
    except UsageError as error:
        return replace(base, outcome=Outcome.ERROR, reason=error.message, place=_place_of(error, case, options))
    judged = judge(case, ran, options, base)
    kept = keep(case.id, ran.records, options.artifacts) if judged.is_bad and options.artifacts is not None else ""
    return replace(judged, recording=kept, nanoseconds=perf_counter_ns() - began)


def _place_of(error: UsageError, case: Case, options: RunOptions) -> Place:
    """Find what of the file a run cannot be made with: its own schedule, or the workers where a schedule was asked."""
    schedule = case.scenario.schedule
    if isinstance(error, DivergedError) and options.schedule is None and schedule.choices is not None:
        return case.place_of(("schedule", "choices"))
    if options.schedule is not None and schedule.workers:
        return case.place_of(("schedule", "workers"))
    return case.place


def run(case: Case, options: RunOptions = RunOptions()) -> Ran:
    """Make a case's session and run it to its end."""
    journal = Journal()
    count = case.scenario.schedule.workers
    if count:
        workers = Workers(count)
        dispatcher = PoolDispatcher(workers)
        session = session_of(case, options, journal, dispatcher)
        PooledRun(session, dispatcher, workers).result(case.scenario.timeout)
    else:
        session = session_of(case, options, journal)
        session.run()
    unused = len(_schedule(case.scenario, options) or ()) - len(session.choices)
    if unused > 0:
        raise DivergedError(f"the schedule diverged: the run ended with {unused} of its choices unmade")
    records = tuple(journal.records)
    return Ran(records, report(records), schedule_text(session.choices), tuple(session.unmet_choices()))


# -- making ------------------------------------------------------------------------------------------------------------
def session_of(case: Case, options: RunOptions, journal: Journal, pool: PoolDispatcher | None = None) -> Session:
    """Put a case's session together; its journal begins with who made it, and the scenario itself."""
    parts = parts_of(case, options, journal)
    client, server = parts.plans
    return pair(
        client,
        server,
        find=parts.find,
        describe=describe,
        journal=journal,
        choices=parts.choices,
        program=parts.program,
        others=parts.others,
        faults=parts.faults,
        locate=place_of,
        holds=_uses(case.scenario, order_steps.Hold, order_steps.Release, order_steps.Complete),
        dispatcher=pool,
        timeout=case.scenario.timeout,
    )


@dataclass(frozen=True, slots=True)
class Parts:
    """What a case's session is put together from; `memories` are the variables of each endpoint's programs."""

    plans: tuple[Plan, Plan]
    find: Callable[[str], SecurityPackage | None]
    choices: Choices
    program: Callable[[Plan, str], Driver]
    others: dict[str, dict[str, Driver]]
    faults: tuple[AnyFault, ...]
    memories: dict[str, Memory]


def parts_of(case: Case, options: RunOptions, journal: Journal, *, keeps_legs: bool = False) -> Parts:
    """Make a case's parts, and begin its journal; with `keeps_legs` programs to come may use what legs carried."""
    scenario = case.scenario
    seed = scenario.schedule.seed if options.seed is None else options.seed
    clock = read_clock(scenario.clock or CLOCK, where="clock")
    package = _package(scenario.session.package)
    settings = {side: _settings(scenario, side) for side in ("client", "server")}
    setup = _setup(_asked(scenario, "client"), _asked(scenario, "server"), seed, clock)
    journal.append("user", _started(case, package, setup, clock, seed, settings), 0)
    client, server = [
        plan_of(
            role,
            getattr(setup, role.value),
            package,
            mode=scenario.session.mode,
            messages=scenario.session.messages,
            handshakes=handshakes_of(setup),
        )
        for role in (Role.CLIENT, Role.SERVER)
    ]
    names = names_of(package)
    tape = _tape(scenario, journal, is_wanted=keeps_legs)
    memories = {side: Memory(side, plan, tape) for side, plan in zip(_SIDES, (client, server), strict=True)}
    return Parts(
        (client, server),
        lambda name: package if name.lower() in names else None,
        _choices(scenario, options, seed),
        partial(_program_of, scenario, memories),
        _others(scenario, memories),
        tuple(fault_from(one.mapping()) for one in scenario.faults),
        memories,
    )


@lru_cache(maxsize=8)
def _package(name: str) -> SecurityPackage:
    return create_package(name)


def _settings(scenario: Scenario, side: str) -> tuple[str, ...]:
    return with_tls(tuple(pairs(getattr(scenario.session, side))), scenario.session.tls)


Asked = tuple[tuple[str, ...], CertificateDescription | None]


def _asked(scenario: Scenario, side: str) -> Asked:
    """Give what is asked of a side, as a key to what is made of it: its settings, and its certificate if described."""
    return _settings(scenario, side), described(getattr(scenario.session, side))


def _endpoint(side: str, asked: Asked) -> EndpointSettings:
    words, description = asked
    settings = parse_settings(side, words)
    return settings if description is None else replace(settings, cert="", cert_description=description)


@lru_cache(maxsize=64)
def _setup(client: Asked, server: Asked, seed: int, clock: int) -> Setup:
    """Make certificates and arguments; the same words give the same bytes, so that cases may share them."""
    return build(client=_endpoint("client", client), server=_endpoint("server", server), seed=seed, clock=clock)


def _started(
    case: Case, package: SecurityPackage, setup: Setup, clock: int, seed: int, settings: dict[str, tuple[str, ...]]
) -> ev.RunStarted:
    scenario = case.scenario
    options: dict[str, object] = {
        "package": scenario.session.package,
        "tls": scenario.session.tls,
        "client": settings["client"],
        "server": settings["server"],
        "mode": scenario.session.mode,
        "messages": scenario.session.messages,
        "workers": scenario.schedule.workers,
        "seed": seed,
        "timeout": scenario.timeout,
        "scenario": case.source.text,
        "scenario.file": case.file,
        "scenario.number": case.number,
        "scenario.id": case.id,
        "scenario.parameters": tuple(f"{name}={value}" for name, value in case.parameters),
    }
    return run_started(package, setup, clock=clock, seed=seed, has_secrets=False, options=options)


def _schedule(scenario: Scenario, options: RunOptions) -> tuple[int, ...] | None:
    text = scenario.schedule.choices if options.schedule is None else options.schedule
    if text is not None and scenario.schedule.workers:
        raise UsageError("worker threads complete calls as they finish them: a schedule has no say")
    return None if text is None else tuple(schedule_choices(text))


def _choices(scenario: Scenario, options: RunOptions, seed: int) -> Choices:
    asked, schedule = scenario.schedule, _schedule(scenario, options)
    if schedule is not None:
        return Choices(seed=seed, schedule=schedule)
    order, sequence = (asked.order, ()) if isinstance(asked.order, str) else ("fifo", tuple(asked.order))
    calls = tuple((pattern, Completion(word)) for pattern, word in asked.calls.items())
    return Choices(Completion(asked.completion), Order(order), seed, None, calls, sequence)


Tape = Callable[[int], bytes]


def _tape(scenario: Scenario, journal: Journal, *, is_wanted: bool = False) -> Tape:
    """Keep what each leg carried, for the programs that use it again; others do not pay for it."""
    legs: dict[int, bytes] = {}

    def keep(record: Record) -> None:
        if isinstance(record.event, ev.TokenSent) and record.event.leg:
            legs[record.event.leg] = record.event.data

    if is_wanted or any(re.search(r"\bleg=\d", repr(step)) for step in _steps_of(scenario)):
        journal.subscribe(keep)
    return lambda number: legs.get(number, b"")


def _steps_of(scenario: Scenario) -> Iterator[Step]:
    return (step for steps in scenario.programs.values() for _, step in walk(steps, ()))


def _uses(scenario: Scenario, *kinds: type[Step]) -> bool:
    return any(isinstance(step, kinds) for step in _steps_of(scenario))


def _program_of(scenario: Scenario, memories: dict[str, Memory], plan: Plan, name: str) -> Driver:
    """Give an endpoint its own program where the scenario has one, else the shipped driver."""
    steps = scenario.programs.get(name)
    if steps is not None:
        return program(steps, memories[name], name)
    return documented_sample(plan, name) if plan.style is Style.SAMPLE else endpoint_program(plan, name)


def _others(scenario: Scenario, memories: dict[str, Memory]) -> dict[str, dict[str, Driver]]:
    """Give the programs that run beside an endpoint's own, as threads of one process do."""
    others: dict[str, dict[str, Driver]] = {}
    for name, steps in scenario.programs.items():
        side, dot, thread = name.partition(".")
        if dot:
            others.setdefault(side, {})[thread] = program(steps, memories[side], name)
    return others


# -- judging -----------------------------------------------------------------------------------------------------------
def judge(case: Case, ran: Ran, options: RunOptions, base: CaseResult) -> CaseResult:
    """Hold a run against its scenario."""
    checker = Checker(case, ran.report, ran.records)
    hold_steps(checker)
    hold_programs(checker)
    hold_run(checker)
    for text in ran.unmet_choices:
        checker.hold("schedule", ("schedule", "order"), "the order of the scenario", text, holds=False)
    for pattern in _calls_that_never_came(case, ran.report):
        path = ("schedule", "calls", pattern)
        checker.hold("schedule", path, pattern, "no such call was queued", holds=False)
    for text in _missed_faults(case, ran.records):
        checker.hold("faults", ("faults",), "each fault", text, holds=False)
    counting, warnings = _findings(case, ran.report, options, checker)
    is_stuck = _verdict(case, ran.report, counting, checker)
    is_bad = bool(checker.unmet or counting)
    outcome = Outcome.STUCK if is_stuck else Outcome.FAILED if is_bad else Outcome.PASSED
    reason = ""
    if case.scenario.xfail is not None:
        reason = f"{case.scenario.xfail} (it is stuck)" if is_stuck else case.scenario.xfail
        outcome = Outcome.XPASS if outcome is Outcome.PASSED else Outcome.XFAIL
    unmet = tuple(sorted(checker.unmet, key=lambda one: (one.place.line, one.place.column)))
    return replace(
        base,
        outcome=outcome,
        reason=reason,
        verdict=ran.report.verdict.value,
        expectations=checker.count,
        unmet=unmet,
        findings=counting,
        warnings=warnings,
        waits=ran.report.waits if ran.report.verdict is Verdict.STUCK else (),
        seed=0 if ran.report.run is None else ran.report.run.seed,
        schedule=ran.schedule,
        at=_first_record(unmet, counting, ran.report),
        steps=steps_seen(checker) if is_bad or is_stuck else (),
    )


def _calls_that_never_came(case: Case, report: Report) -> list[str]:
    """Name the calls that the schedule speaks of and that nobody queued."""
    queued: dict[tuple[str, Function], int] = {}
    for call in report.calls:
        queued[call.endpoint, call.function] = queued.get((call.endpoint, call.function), 0) + 1
    return [
        one.text
        for one in case.scenario.schedule.calls
        if one.function is not None and queued.get((one.actor, one.function), 0) < max(one.nth, 1)
    ]


def _missed_faults(case: Case, records: Sequence[Record]) -> list[str]:
    """Say which faults never happened, and why where that is on record."""
    happened = {one.event.text for one in records if isinstance(one.event, ev.FaultInjected)}
    reasons = {one.event.text: one.event.why for one in records if isinstance(one.event, ev.FaultMissed)}
    texts = [fault_from(one.mapping()).text for one in case.scenario.faults]
    return [
        f"{text} never happened: {reasons.get(text, 'nothing of its kind came')}"
        for text in texts
        if text not in happened
    ]


def _first_record(unmet: Sequence[Unmet], findings: Sequence[Finding], report: Report) -> int:
    """Choose the record to look at first."""
    shown = [number for one in unmet for number in one.records] + [
        one for finding in findings for one in finding.records
    ]
    if shown:
        return shown[0]
    culprit = None if report.failure is None else report.failure.culprit
    done = culprit.completed_sequence if isinstance(culprit, Call) else 0
    return 0 if culprit is None else done or culprit.sequence


def came_to(case: Case, report: Report, findings: tuple[Finding, ...]) -> str:
    """Say what a run came to, were these the only findings.

    Where an endpoint has a program of its own, it need not have made a handshake.
    """
    if report.verdict is Verdict.STUCK or not case.scenario.programs:
        return verdict_of(report.reason, report.endpoints, report.failure, findings).value
    is_clean = not any(finding.rule.severity == "error" for finding in findings)
    holds = report.failure is None and is_clean and report.reason == "finished"
    return Verdict.OK.value if holds else Verdict.FAILED.value


def _verdict(case: Case, report: Report, findings: tuple[Finding, ...], checker: Checker) -> bool:
    """Hold the verdict; whether the run is stuck and nobody expected it.

    A failure that some expectation names is expected; so is one that comes of a rule that was to be broken.
    """
    wanted, got = case.scenario.expect.verdict, came_to(case, report, findings)
    if wanted is not None:
        checker.hold("expect", ("expect", "verdict"), wanted, got, seen=_why(report))
        return False
    if got == Verdict.STUCK:
        checker.count += 1  # that the run ends; the outcome itself says that it did not
        return True
    if got != Verdict.OK and not _expects_failure(case.scenario):
        checker.hold("expect", ("name",), "a handshake that holds", got, seen=_why(report))
    return False


def _why(report: Report) -> tuple[str, ...]:
    failure = report.failure
    words = [f"ended: {report.reason}"] if report.reason not in ("finished", "") else []
    if failure is not None and failure.status is not None:
        words.append(f"{failure.side}: {failure.status.name}")
    return tuple(words)


def _expects_failure(scenario: Scenario) -> bool:
    """Say whether something that is expected names a failure."""
    expected = scenario.expect
    named = [expected.client, expected.server]
    for one in scenario.steps:
        if isinstance(one, LegCheck):
            named += [one.expect.client, one.expect.server]
        elif isinstance(one, CallCheck):
            named += [one.expect.status, one.expect.queue]
    for step in _steps_of(scenario):
        given = getattr(step, "expect", None)
        named += [given.status, given.queue] if isinstance(given, CallExpected) else [_status(given)]
    is_named = any(_is_failure(one) for one in named)
    return is_named or bool(expected.findings or expected.failed or expected.alert not in (None, "none"))


def _status(value: object) -> SecurityStatus | None:
    return value if isinstance(value, SecurityStatus) else None


def _is_failure(status: SecurityStatus | None) -> bool:
    milder = (SecurityStatus.SEC_E_INCOMPLETE_MESSAGE,)
    at_server = SecurityStatus.SEC_I_INCOMPLETE_CREDENTIALS  # the end of a handshake there
    return status is not None and (status >= FIRST_ERROR or status == at_server) and status not in milder


def _findings(
    case: Case, report: Report, options: RunOptions, checker: Checker
) -> tuple[tuple[Finding, ...], tuple[Finding, ...]]:
    """Part the findings into those that count and the others; hold those expected and those let pass."""
    verify, expected = case.scenario.verify, case.scenario.expect.findings
    if verify.off:
        return (), report.findings
    codes = list(dict.fromkeys(finding.rule.code for finding in report.findings))
    for code in verify.ignore:
        checker.hold("verify", ("verify", "ignore", code), f"a finding {code}", "none", holds=code in codes)
    passed = {*verify.ignore, *(_STUCK if case.scenario.expect.verdict == "stuck" and expected is None else ())}
    left = [finding for finding in report.findings if finding.rule.code not in passed]
    if expected is not None:
        got = sorted({finding.rule.code for finding in left})
        seen = [f"{one.rule.code} {one.rule.title}: {one.subject}: {one.detail}" for one in left]
        holds = got == sorted(set(expected))
        checker.hold("expect", ("expect", "findings"), expected, got, holds=holds, seen=seen)
        return (), () if holds else tuple(left)
    counts: Callable[[Finding], bool] = lambda one: (  # noqa: E731
        one.rule.severity == "error" or ((verify.strict or options.strict) and one.rule.severity == "warning")
    )
    return tuple(filter(counts, left)), tuple(one for one in left if not counts(one))
