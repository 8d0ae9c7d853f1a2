"""Which calls of the API are legal now, and why the others are not: read from the law, for the phase we are in."""

from __future__ import annotations

from typing import NamedTuple

from sspicli.analysis.state import AsyncContext, Side
from sspicli.sspi.lifecycle import LAW, Allowed, Phase, Refused, Row, Undefined, Verb

_WORDS = {
    Verb.SET_CALLBACK: "set-callback",
    Verb.REQUIRES_NOTIFY: "requires-notify",
    Verb.GET_STATUS: "get-status",
    Verb.REINIT: "reinit",
    Verb.FREE: "free-async-context",
}
_QUEUEING = "acquire, init, accept, delete, free-credential"


class Legal(NamedTuple):
    """What may be done with an async context: verbs that work, and for each other one why not."""

    subject: str
    phase: str
    works: tuple[str, ...]
    refused: tuple[tuple[str, str, str], ...]

    def as_dict(self) -> dict[str, object]:
        """Give it as plain data."""
        refused = [{"verb": verb, "verdict": verdict, "why": why} for verb, verdict, why in self.refused]
        return {"subject": self.subject, "phase": self.phase, "works": list(self.works), "not": refused}


def legal(side: Side) -> Legal:
    """Say what an endpoint may do with the async context that it uses; only `create` where it has none."""
    shown = side.shown
    if shown is None or shown.phase is Phase.FREED:
        phase = "none yet" if shown is None else "freed"
        gone = () if shown is None else (("everything else", "undefined", "it was freed; this uses freed memory"),)
        return Legal(side.name if shown is None else str(shown.handle), phase, ("create",), gone)
    works, refused = ["create"], []
    for verb, word in [*_WORDS.items(), (_queueing(shown), _queue_words(side, shown))]:
        row = LAW[shown.phase, verb, shown.phase is Phase.NOTIFYING]
        if isinstance(row.verdict, Allowed):
            works.append(word + (f" (rule {row.rule})" if row.rule else ""))
        else:
            refused.append((word, *_why(row)))
    return Legal(str(shown.handle), shown.phase.value, tuple(works), tuple(refused))


def _queueing(shown: AsyncContext) -> Verb:
    return Verb.QUEUE if shown.has_callback else Verb.QUEUE_SILENT_DELETE


def _queue_words(side: Side, shown: AsyncContext) -> str:
    """Name the calls that may be queued, as far as their handles are there."""
    if shown.phase is not Phase.IDLE:
        return _QUEUEING
    if not shown.has_callback:
        return "delete (silent; the others want a callback)"
    leg = "init" if side.name == "client" else "accept"
    if side.credential is None:
        return "acquire"
    ends = ["delete"] if side.security_context is not None else []
    return ", ".join(["acquire", leg, *ends, "free-credential"])


def _why(row: Row) -> tuple[str, str]:
    verdict = row.verdict
    rule = f" (rule {row.rule})" if row.rule else ""
    if isinstance(verdict, Refused):
        return "refused", f"{verdict.status.name}: {row.reference}{rule}"
    assert isinstance(verdict, Undefined), "what works is not asked here"
    return "undefined", f"{verdict.why}{rule}"
