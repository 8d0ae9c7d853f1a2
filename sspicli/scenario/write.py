"""From a recording to a scenario: what was asked for, and as expectations what came of it.

The rule guarded here: the scenario that is written passes. It expects what a run in the same words shows again: who
sent which messages, with which statuses, what the whole came to, which rules were broken. Sizes and bytes are left out,
since signatures and times vary. Where a recording keeps its secrets to itself, encrypted messages have no names in it,
and none are expected.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime

from sspicli.analysis.calls import Leg
from sspicli.analysis.report import Report, Verdict, report
from sspicli.journal import events as ev
from sspicli.journal.journal import Record
from sspicli.packages.options import settings_of
from sspicli.runtime.chooser import Completion, Order
from sspicli.scenario import yaml
from sspicli.scenario.edit import written
from sspicli.scenario.expect_run import seen_of
from sspicli.scenario.expect_steps import call_around
from sspicli.scenario.layout import formatted
from sspicli.scenario.model import SCHEMA
from sspicli.scenario.paths import leaves_folder, named_files
from sspicli.scenario.values import NOTHING, said
from sspicli.session.drivers import Style
from sspicli.session.fault_words import fault_text, parse_fault, taken_apart
from sspicli.sspi.errors import InputError
from sspicli.sspi.status import SecurityStatus

ENCRYPTED = "Encrypted"
_ALWAYS = ("client", "server", "protocol", "cipher_suite", "group", "alpn")
_OF_FAILURES = ("failed", "at_leg", "alert", "field")

_MARK = re.compile(r"---(\s|$)")  # nothing but the mark between two documents begins a line so

Value = str | int | float | bool | None | Sequence["Value"] | Mapping[str, "Value"]


def scenario_text(records: Sequence[Record], *, where: str) -> str:
    """Write the scenario of a recording: the one it was made by, or one made of it; `where` names it in errors."""
    first = records[0].event if records else None
    if not isinstance(first, ev.RunStarted):
        raise InputError("the recording does not say how its run was made", where=where, help="record the run again")
    given = first.options.get("scenario")
    if isinstance(given, str):
        return _document(given, first.options.get("scenario.number"), where)
    result = report(list(records))
    if not isinstance(records[-1].event, ev.RunEnded) or result.reason in ev.FROM_OUTSIDE:
        raise InputError(
            "the run did not come to its end, so that there is nothing to expect of it",
            where=where,
            help="record the run again",
        )
    parts = {**_asked(first, where), **_expected(result, records)}
    return formatted("".join(_part(key, value) for key, value in parts.items()))


def _document(text: str, number: object, where: str) -> str:
    """Give the document of a text that a run was made from, with the comments in it, and no other."""
    _, documents = yaml.parse(text, where)
    if len(documents) < 2 or not isinstance(number, int) or not 1 <= number <= len(documents):
        return text
    lines = text.splitlines(keepends=True)
    marks = [at for at, one in enumerate(lines) if _MARK.match(one)]
    first = documents[number - 1].span.line - 1
    begin = max((at for at in marks if at <= first), default=0)
    end = min((at for at in marks if at > first), default=len(lines))
    return "".join(lines[begin + (lines[begin].strip() == "---") : end])


def files_outside(records: Sequence[Record]) -> list[str]:
    """List the settings of a recorded run that name a file which a scenario may not, as `key=path`."""
    first = records[0].event if records else None
    if not isinstance(first, ev.RunStarted) or "scenario" in first.options:
        return []
    sides = [_settings(side, first.options.get(side)) for side in ("client", "server")]
    return [f"{key}={one[key]}" for one in sides for key in named_files(one) if leaves_folder(str(one[key]))]


# -- what was asked for ------------------------------------------------------------------------------------------------
def _asked(started: ev.RunStarted, where: str) -> dict[str, Value]:
    """Write the options of a run as a scenario has them."""
    options = started.options
    _check(options, where)
    session: dict[str, Value] = {
        "package": str(options.get("package", "schannel")),
        "tls": _text_or_none(options.get("tls")),
        "mode": _text_or_none(options.get("mode")),
        "messages": _number(options.get("messages")),
        "client": _settings("client", options.get("client")),
        "server": _settings("server", options.get("server")),
    }
    defaults: dict[str, Value] = {"package": "schannel", "mode": Style.CALLBACK.value, "messages": 0}
    schedule: dict[str, Value] = {
        "completion": _text_or_none(options.get("completion")),
        "order": _text_or_none(options.get("order")),
        "seed": started.seed,
        "workers": _number(options.get("workers")),
        "choices": _text_or_none(options.get("schedule")),
    }
    usual: dict[str, Value] = {
        "completion": Completion.PENDING.value,
        "order": Order.FIFO.value,
        "seed": 0,
        "workers": 0,
    }
    timeout = options.get("timeout")
    return {
        "schema": SCHEMA,
        "name": "",
        "timeout": timeout if isinstance(timeout, int | float) and timeout != 30.0 else None,
        "clock": datetime.fromtimestamp(started.clock, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "session": _without(session, defaults),
        "schedule": _without(schedule, usual),
        "faults": [_fault(word) for word in _words(options.get("fault"))],
    }


def _check(options: Mapping[str, object], where: str) -> None:
    """Refuse one of many sessions whose choices came from a seed that its certificates did not come from."""
    number = options.get("session", 1)
    if number != 1 and "seed" in (options.get("order"), options.get("completion")):
        raise InputError(
            "it is one of many sessions, which chose by a seed of its own",
            where=where,
            help="record the session by itself, without --count",
        )


def _without(part: dict[str, Value], usual: Mapping[str, Value]) -> dict[str, Value]:
    """Leave out what says what silence says."""
    return {key: value for key, value in part.items() if value not in (None, {}) and usual.get(key) != value}


def _settings(side: str, given: object) -> dict[str, Value]:
    """Write one side's settings, those that are lists as lists."""
    lists = {one.key for one in settings_of(side) if one.is_list}
    out: dict[str, Value] = {}
    for pair in _words(given):
        key, _, value = pair.partition("=")
        key = key.strip().lower()
        out[key] = [one.strip() for one in value.split(",")] if key in lists else value
    return out


def _fault(word: str) -> Mapping[str, Value]:
    """Write a fault of the command line as a mapping: its status spelled out, no key that is YAML's own null."""
    given = taken_apart(fault_text(parse_fault(word)))
    kept = {key: value for key, value in given.items() if (key, value) != ("handshake", 1)}
    return {"is-null" if key == "null" else key: value for key, value in kept.items()}


def _words(value: object) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list | tuple) else []


def _text_or_none(value: object) -> str | None:
    return None if value is None else str(value)


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0


# -- what came of it ---------------------------------------------------------------------------------------------------
def _expected(result: Report, records: Sequence[Record]) -> dict[str, Value]:
    """Write what a run showed as what is expected of it."""
    seen = {key: give() for key, give in seen_of(result).items()}
    has_failed = result.failure is not None
    wanted = [*_ALWAYS, *(_OF_FAILURES if has_failed else ()), *(["resumed"] if result.is_resumed else [])]
    whole: dict[str, Value] = {} if result.verdict is Verdict.OK else {"verdict": result.verdict.value}
    whole |= {key.replace("_", "-"): _said(seen[key]) for key in wanted if seen[key] not in (NOTHING, "none", None)}
    whole["legs"] = len(result.legs)
    codes = sorted({finding.rule.code for finding in result.findings})
    whole |= {"findings": codes} if codes else {}
    whole |= {"waits": list(result.waits)} if result.verdict is Verdict.STUCK else {}
    steps = [step for leg in result.legs for step in _leg(leg, result, records)]
    return {"name": _name(result), "steps": steps, "expect": whole}


def _leg(leg: Leg, result: Report, records: Sequence[Record]) -> Iterator[dict[str, Value]]:
    """Write what is expected of a leg: its sender, the statuses of both ends around it, its messages."""
    expected: dict[str, Value] = {"sender": leg.sender}
    for side in ("client", "server"):
        call = call_around(result, records, leg, side)
        if call is not None and isinstance(call.status, SecurityStatus):
            expected[side] = call.status.name
    names = [message.name for message in leg.messages]
    known = [name for name in dict.fromkeys(names) if name != ENCRYPTED]
    if known:
        expected["token"] = {"messages": names} if ENCRYPTED not in names else {"contains": known}
    yield {"leg": leg.number, "expect": expected}


def _said(value: object) -> Value:
    return value if isinstance(value, bool | int) and not isinstance(value, SecurityStatus) else said(value)


def _name(result: Report) -> str:
    """Name the scenario by what its run came to."""
    failure = result.failure
    if result.verdict is Verdict.STUCK:
        return "a run that is stuck"
    if failure is not None and failure.status is not None:
        return f"the {failure.side} fails with {failure.status.name}"
    package = "" if result.run is None else result.run.package
    return f"a {result.protocol or package} handshake" + (" that resumes another" if result.is_resumed else "")


# -- as text -----------------------------------------------------------------------------------------------------------
def _part(key: str, value: Value) -> str:
    """Write a key of the top level: what is large as a block whose lines are short."""
    if value is None or value in ({}, []):
        return ""
    if isinstance(value, Mapping):
        return f"{key}:\n" + "".join(f"  {name}: {_flow(one)}\n" for name, one in value.items())
    if isinstance(value, Sequence) and not isinstance(value, str):
        return f"{key}:\n" + "".join(_item(one) for one in value)
    return f"{key}: {_flow(value)}\n"


def _item(value: Value) -> str:
    if not isinstance(value, Mapping):
        return f"  - {_flow(value)}\n"
    lines = [line for name, one in value.items() for line in _lines(name, one)]
    return "".join(("  - " if number == 0 else "    ") + one for number, one in enumerate(lines))


def _lines(name: str, value: Value) -> list[str]:
    """Write a key of an item: what is large below it."""
    if not isinstance(value, Mapping) or len(value) < 3:
        return [f"{written(name)}: {_flow(value)}\n"]
    return [f"{name}:\n", *(f"  {key}: {_flow(one)}\n" for key, one in value.items())]


def _flow(value: Value) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{written(key)}: {_flow(one)}" for key, one in value.items()) + " }"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + ", ".join(map(_flow, value)) + "]"
    return written(f"${value}" if isinstance(value, str) and value.startswith("$") else value)
