"""The JSON document of reference cards (`sspi-async/api/1`): what the card on the screen says, as data.

Absent values are null. Members may be added in later versions and are never taken away.
"""

from __future__ import annotations

from collections.abc import Iterable

from sspicli.analysis.api_card import Card, Judged
from sspicli.sspi.function_facts import AVAILABILITY, FUNCTION_FACTS, NOT_EXPORTED, Fact, page_address
from sspicli.sspi.functions import Function
from sspicli.sspi.package import Source
from sspicli.sspi.status import SecurityStatus
from sspicli.sspi.status_facts import STATUS_FACTS

SCHEMA = "sspi-async/api/1"

Member = dict[str, object]


def document(cards: Iterable[Card]) -> Member:
    """Build the document of some cards."""
    return {
        "schema": SCHEMA,
        "emulated": True,
        "availability": [_fact(fact) for fact in AVAILABILITY],
        "functions": [_card(card) for card in cards],
    }


def _card(card: Card) -> Member:
    function, facts = card.function, FUNCTION_FACTS[card.function]
    return {
        "name": function.documented_name,
        "kind": "callback" if function is Function.SspiAsyncNotifyCallback else "function",
        "forms": list(function.forms),
        "not_exported": [_fact(NOT_EXPORTED[form]) for form in function.forms if form in NOT_EXPORTED],
        "summary": function.summary,
        "returns": function.returns,
        "queues": function.queues,
        "synchronous_form": function.counterpart or None,
        "parameters": _parameters(function),
        "returned": [_fact(fact) for fact in facts.returned],
        "statuses_at_queueing": _at_queueing(card) if function.queues else [],
        "statuses_at_completion": _at_completion(function),
        "law": [_judged(one) for one in card.judged],
        "after_it": [{"phase": one.phase, "functions": list(one.functions)} for one in card.following],
        "rules": [{**rule._asdict(), "source": rule.source.value} for rule in card.rules],
        "notes": [_fact(fact) for fact in facts.notes],
        "irql": [_fact(fact) for fact in facts.irql],
        "page": page_address(function),
    }


def _fact(fact: Fact) -> Member:
    return {"text": fact.text, "source": fact.source.value, "reference": fact.reference}


def _parameters(function: Function) -> list[Member]:
    lifetimes = FUNCTION_FACTS[function].lifetimes
    return [
        {
            "name": one.name,
            "type": one.type,
            "direction": one.direction.value,
            "optional": one.is_optional,
            "note": one.note or None,
            "needed": _fact(lifetimes[one.name]) if one.name in lifetimes else None,
        }
        for one in function.arguments
    ]


def _at_queueing(card: Card) -> list[Member]:
    """Give the queue statuses that the law knows: queued, and each refusal once."""
    queued: Member = {**_status(SecurityStatus.SEC_E_OK), "source": Source.DOCUMENTED.value, "when": ["idle"]}
    refused: list[Member] = [
        {"status": one.outcome, "meaning": None, "source": one.source.value, "when": list(one.subjects)}
        for one in card.judged
        if one.verdict == "refused"
    ]
    return [queued, *refused]


def _at_completion(function: Function) -> list[Member]:
    listed = [{**_status(one), "source": Source.DOCUMENTED.value, "reference": None} for one in function.final_statuses]
    further = [
        {**_status(one.status), "source": one.source.value, "reference": one.reference}
        for one in FUNCTION_FACTS[function].further
    ]
    return [*listed, *further]


def _status(status: SecurityStatus) -> Member:
    return {"status": f"{status.name} ({status.hex})", "meaning": STATUS_FACTS[status].meaning}


def _judged(one: Judged) -> Member:
    return {
        "subjects": list(one.subjects),
        "inside_its_callback": {"": None, "inside it": True, "elsewhere": False}[one.where],
        "queued": one.face or None,
        "verdict": one.verdict,
        "outcome": one.outcome or None,
        "source": one.source.value,
        "reference": one.reference,
        "assumed": one.assumed or None,
        "rule": one.rule or None,
    }
