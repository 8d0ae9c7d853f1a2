"""What the model cannot say of a scenario: settings, clocks, flags, names of programs, faults that cannot happen.

Each check gives the path of the value, what is wrong, and what to write instead.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from sspicli.analysis.rule_table import RULES
from sspicli.packages.catalog import find_package
from sspicli.packages.descriptions import CertificateDescription
from sspicli.packages.option_values import EndpointSettings
from sspicli.packages.options import parse_settings, settings_of
from sspicli.runtime.chooser import schedule_choices
from sspicli.scenario.call_steps import Accept, Handshake, Initialize
from sspicli.scenario.certificate import CertificatePart, check_certificate, description_of
from sspicli.scenario.data_steps import Close, Connect, Query, Receive, Send
from sspicli.scenario.model import AttributeCheck, CallCheck, FaultPart, LegCheck, RunExpected, Scenario
from sspicli.scenario.names import unresolved
from sspicli.scenario.order_steps import Check, Throw
from sspicli.scenario.problems import Loc
from sspicli.scenario.shapes import CallExpected
from sspicli.scenario.step import Step
from sspicli.scenario.steps import SetCallback
from sspicli.scenario.words import near
from sspicli.session.endpoint import check_program_name
from sspicli.session.fault_words import fault_from
from sspicli.sspi.attributes import ContextAttribute
from sspicli.sspi.errors import SspiCliError, UsageError
from sspicli.sspi.flags import AscReq, AscRet, IscReq, IscRet
from sspicli.tokens.tls_names import GROUPS, HANDSHAKE_TYPES
from sspicli.tokens.tls_suites import CIPHER_SUITES

Wrong = tuple[Loc, str, str]
MESSAGE_NAMES = frozenset(
    {
        *HANDSHAKE_TYPES.values(),
        "HelloRetryRequest",
        "ChangeCipherSpec",
        "ApplicationData",
        "Heartbeat",
        "Encrypted",
        "Partial",
        "Alert",
    }
)
"""How the messages of a token are called; an alert's name goes on with its level and description."""
PHASES = ("idle", "pending", "complete", "in its callback", "settled", "freed")


def check(scenario: Scenario, *, is_whole: bool = True) -> Iterator[Wrong]:
    """List what is wrong with a scenario whose every value has the right type.

    Of programs that are not whole, such as a step typed at a prompt, it is not said what they lack.
    """
    for side in ("client", "server"):
        yield from check_settings(side, getattr(scenario.session, side))
    yield from _session(scenario)
    yield from _reasons(scenario)
    for number, fault in enumerate(scenario.faults):
        yield from _fault(fault, ("faults", number))
    for name, steps in scenario.programs.items():
        yield from _program_name(name)
        for path, step in walk(steps, ("programs", name)):
            yield from _step(step, path, name.partition(".")[0])
    for side in ("client", "server") if is_whole else ():
        yield from _slips(scenario.programs, side)
    yield from _codes(scenario)
    yield from _negotiated(scenario.expect)
    for number, one in enumerate(scenario.steps):
        if isinstance(one, LegCheck):
            yield from _messages(one, ("steps", number))
        if isinstance(one, CallCheck):
            yield from _granted(one.expect, one.call.side, ("steps", number, "expect"))
        if isinstance(one, AttributeCheck) and attribute_number(one.attribute) is None:
            yield (("steps", number, "attribute"), *_no_attribute(one.attribute))


def slips(programs: Mapping[str, list[Step]]) -> Iterator[Loc]:
    """List the paths of what in programs is a slip where its step is not deliberate."""
    for side in ("client", "server"):
        walked = _walked(programs, side)
        yield from (path for path, *_ in unresolved(walked))
        yield from (path for path, *_ in _unconnected(walked, side, programs))


def _walked(programs: Mapping[str, list[Step]], side: str) -> list[tuple[Loc, Step]]:
    own = {name: steps for name, steps in programs.items() if name.partition(".")[0] == side}
    return [pair for name, steps in own.items() for pair in walk(steps, ("programs", name))]


def _slips(programs: Mapping[str, list[Step]], side: str) -> Iterator[Wrong]:
    """Say what one endpoint's programs lack; what is deliberate, with the steps of its callback, is no slip."""
    walked = _walked(programs, side)
    meant = [path for path, step in walked if step.deliberate]

    def is_slip(wrong: Wrong) -> bool:
        return not any(wrong[0][: len(path)] == path for path in meant)

    yield from filter(is_slip, unresolved(walked))
    yield from list(filter(is_slip, _unconnected(walked, side, programs)))[:1]  # once is enough


def _unconnected(walked: list[tuple[Loc, Step]], side: str, programs: Mapping[str, list[Step]]) -> Iterator[Wrong]:
    """Say of programs that use the wire without having begun a connection: they would wait for ever."""
    if side not in programs or any(isinstance(step, Connect) for _, step in walked):
        return  # the shipped driver connects
    for path, step in walked:
        if isinstance(step, Send | Receive | Close | Handshake):
            yield path, f"the {side} uses the wire and has begun no connection", "write - connect: 1 before it"


def _codes(scenario: Scenario) -> Iterator[Wrong]:
    """Say which codes are no rule's."""
    for number, code in enumerate(scenario.expect.findings or []):
        if code not in RULES:
            yield (
                ("expect", "findings", number),
                f"{code!r} is no misuse rule",
                "sspi-async verify --list-rules lists them",
            )
    for code in scenario.verify.ignore:
        if code not in RULES:
            yield ("verify", "ignore", code), f"{code!r} is no misuse rule", "sspi-async verify --list-rules lists them"


def _negotiated(expected: RunExpected) -> Iterator[Wrong]:
    """Say which names of what was negotiated are nothing's."""
    for key, value, known in (
        ("cipher-suite", expected.cipher_suite, CIPHER_SUITES),
        ("group", expected.group, GROUPS),
    ):
        if value is not None and value not in known.values():
            help = near(value, known.values()) or "its IANA name"
            yield ("expect", key), f"{value[:80]!r} is no {key.replace('-', ' ')}", help
    for side, flags in (expected.granted or {}).items():
        yield from _flags(flags, side, ("expect", "granted", side))


def _granted(expected: CallExpected, side: str, path: Loc) -> Iterator[Wrong]:
    for key in ("granted", "denied"):
        yield from _flags(getattr(expected, key) or [], side, (*path, key))


def _flags(names: list[str], side: str, path: Loc) -> Iterator[Wrong]:
    """Say which names are no flag of pfContextAttr."""
    known = (IscRet if side == "client" else AscRet).__members__
    for number, name in enumerate(names):
        if flag_word(name) not in known:
            help = near(flag_word(name), known) or f"there are {', '.join(known)}"
            yield (*path, number), f"{name[:80]!r} is no flag that the {side} is granted", help


def _messages(step: LegCheck, path: Loc) -> Iterator[Wrong]:
    """Say which names are no message's."""
    token = step.expect.token
    for key in ("messages", "contains", "lacks"):
        for number, name in enumerate(getattr(token, key, None) or []):
            if name not in MESSAGE_NAMES and not name.startswith("Alert "):
                help = near(name, MESSAGE_NAMES) or f"there are {', '.join(sorted(MESSAGE_NAMES))}"
                yield (*path, "expect", "token", key, number), f"{name[:80]!r} is no TLS message", help


def _program_name(name: str) -> Iterator[Wrong]:
    side, dot, thread = name.partition(".")
    if dot:
        try:
            check_program_name(thread)
        except UsageError as error:
            yield ("programs", name), error.message, error.help or f"such as {side}.worker"


def walk(steps: list[Step], path: Loc) -> Iterator[tuple[Loc, Step]]:
    """List steps with their paths, those in callbacks too."""
    for number, step in enumerate(steps):
        here = (*path, number)
        yield here, step
        if isinstance(step, SetCallback) and isinstance(step.set_callback, SetCallback.Arguments):
            yield from walk(step.set_callback.do or [], (*here, "set-callback", "do"))


def attribute_number(name: str) -> int | None:
    """Find a context attribute by its documented name."""
    word = name.upper().removeprefix("SECPKG_ATTR_")
    return int(ContextAttribute[word]) if word in ContextAttribute.__members__ else None


def _no_attribute(name: str) -> tuple[str, str]:
    known = ContextAttribute.__members__
    return f"{name[:80]!r} is no context attribute", near(name.removeprefix("SECPKG_ATTR_"), known) or ", ".join(known)


def pairs(settings: dict[str, Any]) -> list[str]:
    """Write settings as the command line has them."""
    plain = {key: value for key, value in settings.items() if not isinstance(value, dict | CertificatePart)}
    return [f"{key}={_nothing(key) if value is None else _value(value)}" for key, value in plain.items()]


def _nothing(key: str) -> str:
    """Write null as the setting has it: none where that is one of its words, else nothing at all."""
    choices = {one.key: one.choices for side in ("client", "server") for one in settings_of(side)}
    return "none" if "none" in choices.get(key, ()) else ""


def described(settings: dict[str, Any]) -> CertificateDescription | None:
    """Give the certificate that settings describe; None where they name one or have none."""
    part = settings.get("cert")
    return description_of(part) if isinstance(part, CertificatePart) else None


def _value(value: object) -> str:
    if isinstance(value, list):
        return ",".join(map(_value, value))
    return str(getattr(value, "text", value))


def check_settings(side: str, settings: dict[str, Any]) -> Iterator[Wrong]:
    """List what is wrong with one side's settings."""
    known = {one.key: one for one in settings_of(side)}
    are_good = True
    for key, value in settings.items():
        path: Loc = ("session", side, key)
        if key not in known:
            are_good = False
            yield path, f"{key[:80]!r} is no setting of the {side}", near(key, known) or f"there are {', '.join(known)}"
        elif key == "cert" and isinstance(value, dict):
            are_good = False  # what is wrong with it, the model has said
        elif isinstance(value, CertificatePart):
            yield from check_certificate(value, path)
            yield from _beside_description(settings, ("session", side))
        elif isinstance(value, dict):
            are_good = False
            yield path, "a mapping is no value here", "write a word, a number or a list"
        else:
            try:
                known[key].read(EndpointSettings(side=side), _value(value))
            except SspiCliError as error:
                are_good = False
                yield path, error.message, error.help
    if are_good and not isinstance(settings.get("cert"), CertificatePart):
        try:
            parse_settings(side, pairs(settings))
        except SspiCliError as error:
            yield ("session", side), error.message, error.help


def _beside_description(settings: dict[str, Any], path: Loc) -> Iterator[Wrong]:
    """List settings that go with a preset or a file only."""
    for key in ("key", "key-password-file"):
        if key in settings:
            help = "write key: in the description" if key == "key" else "leave it out"
            yield (*path, key), f"{key} has no effect beside a described certificate", help


def _reasons(scenario: Scenario) -> Iterator[Wrong]:
    """Say which reasons are none, and that what is not run cannot fail."""
    for key in ("skip", "xfail"):
        reason = getattr(scenario, key)
        if reason is not None and not reason.strip():
            yield (key,), f"{key} is without a reason", "write it, in a sentence"
    if scenario.skip is not None and scenario.xfail is not None:
        yield ("xfail",), "a scenario that is skipped is not expected to fail", "leave out skip or xfail"


def _session(scenario: Scenario) -> Iterator[Wrong]:
    if find_package(scenario.session.package) is None:
        yield ("session", "package"), f"{scenario.session.package[:80]!r} is no security package", "write schannel"
    if scenario.clock is not None and not _is_time(scenario.clock):
        yield ("clock",), f"{scenario.clock[:80]!r} is no time", "write 2026-11-22T12:00:00Z, or Unix seconds"
    schedule = scenario.schedule
    if schedule.choices is not None:
        try:
            schedule_choices(schedule.choices)
        except SspiCliError as error:
            yield ("schedule", "choices"), error.message, error.help
    has_order = schedule.completion != "pending" or schedule.order != "fifo" or bool(schedule.calls)
    if schedule.workers and (has_order or schedule.choices is not None):
        yield ("schedule", "workers"), "worker threads complete calls as they finish them", "leave out what chooses"
    if schedule.choices is not None and has_order:
        yield ("schedule", "choices"), "a schedule holds every choice", "leave out completion, order and calls"
    if scenario.session.mode == "sample" and scenario.session.messages:
        yield ("session", "messages"), "the documentation's sample ends with its handshake", "leave it out"


def _is_time(text: str) -> bool:
    if text.isdecimal() and len(text) < 12:
        return True
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def _fault(fault: FaultPart, path: Loc) -> Iterator[Wrong]:
    try:
        fault_from(fault.mapping())
    except UsageError as error:
        where = "is-null" if error.where == "null" else error.where
        yield (*path, *where.split(".")) if where else path, error.message, error.help


def _step(step: Step, path: Loc, side: str) -> Iterator[Wrong]:
    if isinstance(step, Initialize) and side == "server":
        yield (*path, "init"), "a server calls SspiAcceptSecurityContextAsync", "write accept:"
    if isinstance(step, Accept) and side == "client":
        yield (*path, "accept"), "a client calls SspiInitializeSecurityContextAsync", "write init:"
    if isinstance(step, Throw) and "do" not in path:
        yield (*path, "throw"), "an exception leaves a notify callback, and this is none", "put it under do:"
    if isinstance(step, Check):
        for name, phase in step.check.phase.items():
            if phase not in PHASES:
                help = near(phase, PHASES) or f"there are {', '.join(PHASES)}"
                yield (*path, "check", "phase", name), f"{phase[:80]!r} is no phase", help
    expected = getattr(step, "expect", None)
    if isinstance(expected, CallExpected):
        yield from _granted(expected, side, (*path, "expect"))
    if isinstance(step, Query) and attribute_number(step.query.attribute) is None:
        yield ((*path, "query", "attribute"), *_no_attribute(step.query.attribute))
    if isinstance(step, Initialize | Accept | Handshake):
        arguments = getattr(step, step.verb)
        known = (IscReq if side == "client" else AscReq).__members__
        for key in ("flags", "add_flags", "drop_flags"):
            for number, name in enumerate(getattr(arguments, key) or []):
                if flag_word(name) not in known:
                    help = near(flag_word(name), known) or f"there are {', '.join(known)}"
                    yield (*path, step.verb, key.replace("_", "-"), number), f"{name[:80]!r} is no flag here", help


def flag_word(name: str) -> str:
    """Leave out a flag's prefix."""
    word = name.upper()
    for prefix in ("ISC_REQ_", "ASC_REQ_", "ISC_RET_", "ASC_RET_"):
        word = word.removeprefix(prefix)
    return word


def granted(word: int, name: str, side: str) -> bool | None:
    """Say whether a flag of pfContextAttr is set; None for a name that is none."""
    known = (IscRet if side == "client" else AscRet).__members__
    flag = known.get(flag_word(name))
    return None if flag is None else bool(word & int(flag))


__all__ = [
    "PHASES",
    "Wrong",
    "attribute_number",
    "check",
    "described",
    "flag_word",
    "granted",
    "pairs",
    "slips",
    "walk",
]
