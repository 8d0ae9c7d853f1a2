"""The reference card of one of the twelve names: when it may be called, what may follow, which rules watch it.

The rule guarded here: a card is computed from the law, the rules and the facts, and says nothing of its own. So it can
never differ from what the runtime enforces and the verifier finds.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import get_close_matches
from itertools import groupby
from types import MappingProxyType
from typing import NamedTuple

from sspicli.analysis.rules import RULES, Rule
from sspicli.sspi.functions import Function
from sspicli.sspi.lifecycle import LAW, Allowed, Phase, Refused, Row, Verb
from sspicli.sspi.package import Source

F = Function
QUEUEING = tuple(function for function in Function if function.queues)

IN_ORDER_OF_USE = (
    F.SspiCreateAsyncContext,
    F.SspiSetAsyncNotifyCallback,
    F.SspiAsyncContextRequiresNotify,
    F.SspiAcquireCredentialsHandleAsync,
    F.SspiInitializeSecurityContextAsync,
    F.SspiAcceptSecurityContextAsync,
    F.SspiAsyncNotifyCallback,
    F.SspiGetAsyncCallStatus,
    F.SspiReinitAsyncContext,
    F.SspiDeleteSecurityContextAsync,
    F.SspiFreeCredentialsHandleAsync,
    F.SspiFreeAsyncContext,
)

VERBS = MappingProxyType(
    {
        F.SspiSetAsyncNotifyCallback: ((Verb.SET_CALLBACK, ""),),
        F.SspiAsyncContextRequiresNotify: ((Verb.REQUIRES_NOTIFY, ""),),
        F.SspiGetAsyncCallStatus: ((Verb.GET_STATUS, ""),),
        F.SspiReinitAsyncContext: ((Verb.REINIT, ""),),
        F.SspiFreeAsyncContext: ((Verb.FREE, ""),),
        **dict.fromkeys(
            QUEUEING, ((Verb.QUEUE, "with a notify callback"), (Verb.QUEUE_SILENT_OTHER, "with no callback"))
        ),
        F.SspiDeleteSecurityContextAsync: (
            (Verb.QUEUE, "with a notify callback"),
            (Verb.QUEUE_SILENT_DELETE, "with no callback"),
        ),
    }
)
"""What a call of each function is to the law: one verb, or one for each way in which it can be queued."""

# Rules that watch more than one act, and so stand in no cell of the law.
_LEGS = (F.SspiInitializeSecurityContextAsync, F.SspiAcceptSecurityContextAsync)
_CREDENTIALS = (F.SspiAcquireCredentialsHandleAsync, F.SspiFreeCredentialsHandleAsync)
_CALLBACK = (F.SspiAsyncNotifyCallback,)
_WATCHED = MappingProxyType(
    {
        "A008": (F.SspiCreateAsyncContext, F.SspiFreeAsyncContext),
        "A010": (F.SspiCreateAsyncContext,),
        "A012": (*_LEGS, F.SspiAcquireCredentialsHandleAsync, F.SspiGetAsyncCallStatus),
        "A013": (F.SspiReinitAsyncContext, F.SspiGetAsyncCallStatus),
        "A014": (F.SspiGetAsyncCallStatus,),
        "A015": (F.SspiSetAsyncNotifyCallback, F.SspiAsyncContextRequiresNotify),
        "A016": QUEUEING,
        "B003": (F.SspiDeleteSecurityContextAsync, F.SspiFreeAsyncContext),
        "B004": (F.SspiSetAsyncNotifyCallback, *_CALLBACK),
        "B005": _CALLBACK,
        "B006": _CALLBACK,
        "B007": _CALLBACK,
        "B008": (*QUEUEING, *_CALLBACK),
        "B009": _CALLBACK,
        "B010": (*QUEUEING, *_CALLBACK),
        "B012": (F.SspiGetAsyncCallStatus, *_CALLBACK),
        "B013": _CALLBACK,
        "C001": QUEUEING,
        "C002": _LEGS,
        "C003": _LEGS,
        "C004": _LEGS,
        "C005": _LEGS,
        "C006": _LEGS,
        "C007": _LEGS,
        "C008": _LEGS,
        "C009": _LEGS,
        "C010": _LEGS,
        "C011": (F.SspiAcquireCredentialsHandleAsync,),
        "C012": _LEGS,
        "C013": _LEGS,
        "D001": (F.SspiDeleteSecurityContextAsync,),
        "D002": (F.SspiDeleteSecurityContextAsync,),
        "D003": (*_LEGS, F.SspiDeleteSecurityContextAsync),
        "D004": (*_LEGS, F.SspiDeleteSecurityContextAsync),
        "D005": (F.SspiFreeCredentialsHandleAsync,),
        "D006": (F.SspiAcquireCredentialsHandleAsync, *_LEGS),
        "D007": (F.SspiAcquireCredentialsHandleAsync, *_LEGS),
        "D008": _CREDENTIALS,
        "D009": (F.SspiAcquireCredentialsHandleAsync,),
        "D010": (F.SspiInitializeSecurityContextAsync,),
        "D011": (F.SspiInitializeSecurityContextAsync,),
        "D012": _LEGS,
        "D013": _LEGS,
        "D014": (F.SspiInitializeSecurityContextAsync,),
        "D016": _LEGS,
        "D017": (*_LEGS, F.SspiDeleteSecurityContextAsync),
        "D018": _LEGS,
        "D019": _LEGS,
    }
)

LIFE_OF_A_CALL = (Phase.PENDING, Phase.COMPLETE, Phase.NOTIFYING, Phase.SETTLED)


class Judged(NamedTuple):
    """What the law says of some acts: `subjects` are phases, or, on the callback's card, functions.

    `where` is "" when it is the same inside the async context's own notify callback and elsewhere. `verdict` is
    "allowed", "refused" or "undefined"; `outcome` the phase that follows ("" for the same), the status, or the reason.
    """

    subjects: tuple[str, ...]
    where: str
    face: str
    verdict: str
    outcome: str
    source: Source
    reference: str
    assumed: str
    rule: str


class Following(NamedTuple):
    """In a phase that the function brings about, the functions that may be called on the async context."""

    phase: str
    functions: tuple[str, ...]


class Card(NamedTuple):
    """What is computed about one function."""

    function: Function
    judged: tuple[Judged, ...]
    following: tuple[Following, ...]
    rules: tuple[Rule, ...]


def card(function: Function) -> Card:
    """Compute the card of a function."""
    judged = _inside_the_callback() if function is F.SspiAsyncNotifyCallback else _in_each_phase(function)
    return Card(function, tuple(judged), tuple(_following(function)), tuple(_rules(function)))


def find(name: str) -> list[Function]:
    """Find what a name means: one function when it is clear, several when it is not, none when it names nothing.

    The documented name, with or without Sspi, W or A, in any case and with or without underscores; else an unambiguous
    beginning or part of one.
    """
    wanted = _plain(name)
    if not wanted:
        return []
    spelt = {function: {_plain(function.documented_name), *map(_plain, function.forms)} for function in Function}
    for fits in (str.__eq__, str.startswith, str.__contains__):
        found = [function for function, names in spelt.items() if any(fits(one, wanted) for one in names)]
        if found:
            return found
    return []


def near(name: str) -> list[Function]:
    """List the functions whose names, or the beginnings of them, resemble one that `find` does not know."""
    wanted = _plain(name)
    whole = {_plain(function.documented_name): function for function in Function}
    spelt = {one[: len(wanted) + 1]: function for one, function in whole.items()} | whole
    return list(dict.fromkeys(spelt[one] for one in get_close_matches(wanted, spelt, n=2, cutoff=0.7)))


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower()).removeprefix("sspi")


def _in_each_phase(function: Function) -> Iterator[Judged]:
    """List the law's cells of a function, those alike together."""
    cells = [cell for phase in Phase for cell in _cells(function, phase)]
    for (where, face, row), group in groupby(cells, key=lambda cell: cell[1:]):
        judged = _judged(tuple(str(phase) for phase, *_ in group), where, face, row)
        is_status = function.returns != "BOOLEAN" or judged.verdict != "refused"
        yield judged if is_status else judged._replace(outcome="FALSE")


def _cells(function: Function, phase: Phase) -> Iterator[tuple[Phase, str, str, Row]]:
    """Give the law's rows of a function in a phase; ways to queue that are judged alike are one."""
    faces = VERBS.get(function, ())
    rows = {face: _places(phase, verb) for verb, face in faces}
    is_one = len({tuple(places) for places in rows.values()}) == 1
    for face, places in list(rows.items())[: 1 if is_one else None]:
        for where, row in places:
            yield phase, where, "" if is_one else face, _normal(phase, row)


def _inside_the_callback() -> Iterator[Judged]:
    """List what the law says of each function inside the notify callback."""
    for function, verbs in VERBS.items():
        verb, _ = verbs[0]
        row = LAW[Phase.NOTIFYING, verb, True]
        if function not in QUEUEING:
            yield _judged((function.documented_name,), "", "", _normal(Phase.NOTIFYING, row))
    queue = LAW[Phase.NOTIFYING, Verb.QUEUE, True]
    yield _judged(tuple(function.documented_name for function in QUEUEING), "", "", queue)


def _places(phase: Phase, verb: Verb) -> list[tuple[str, Row]]:
    inside, elsewhere = LAW[phase, verb, True], LAW[phase, verb, False]
    return [("", inside)] if inside == elsewhere else [("inside it", inside), ("elsewhere", elsewhere)]


def _normal(phase: Phase, row: Row) -> Row:
    """Let rows be alike that leave the phase as it is."""
    return row._replace(verdict=Allowed(Phase.NULL)) if row.verdict == Allowed(phase) else row


def _judged(subjects: tuple[str, ...], where: str, face: str, row: Row) -> Judged:
    match row.verdict:
        case Allowed(next=phase):
            verdict, outcome = "allowed", "" if phase is Phase.NULL else str(phase)
        case Refused(status=status):
            verdict, outcome = "refused", f"{status.name} ({status.hex})"
        case undefined:
            verdict, outcome = "undefined", undefined.why
    return Judged(subjects, where, face, verdict, outcome, row.source, row.reference, row.assumed, row.rule)


def _following(function: Function) -> Iterator[Following]:
    """List what may be called once the function has done its work."""
    if function is F.SspiCreateAsyncContext:
        phases = [Phase.IDLE]
    elif function is F.SspiAsyncNotifyCallback:
        phases = [Phase.NOTIFYING, Phase.SETTLED]
    elif function.queues:
        silent = [Phase.PENDING_SILENT] if function is F.SspiDeleteSecurityContextAsync else []
        phases = [*LIFE_OF_A_CALL[:1], *silent, *LIFE_OF_A_CALL[1:]]
    else:
        phases = list(dict.fromkeys(_reached(function)))
    for phase in phases:
        yield Following(str(phase), tuple(_allowed(phase)))


def _reached(function: Function) -> Iterator[Phase]:
    """Give the phases that a function leads to from another one."""
    for verb, _ in VERBS[function]:
        for phase in Phase:
            verdict = LAW[phase, verb, True].verdict
            if isinstance(verdict, Allowed) and verdict.next is not phase:
                yield verdict.next


def _allowed(phase: Phase) -> Iterator[str]:
    """List the functions that the law allows in a phase, without those whose call breaks a rule all the same."""
    for function, verbs in VERBS.items():
        rows = [LAW[phase, verb, phase is Phase.NOTIFYING] for verb, _ in verbs]
        if any(isinstance(row.verdict, Allowed) and not row.rule for row in rows):
            yield function.documented_name


def _rules(function: Function) -> Iterator[Rule]:
    verbs = {verb for verb, _ in VERBS.get(function, ())}
    in_law = {row.rule for (_, verb, _), row in LAW.items() if verb in verbs}
    for code, rule in RULES.items():
        if rule.has_monitor and (code in in_law or function in _WATCHED.get(code, ())):
            yield rule
