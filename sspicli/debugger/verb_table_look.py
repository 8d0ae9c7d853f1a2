"""Verbs that look; nothing changes by them."""

from __future__ import annotations

from sspicli.debugger.verb import Verb, argument

_EXPRESSION = argument("EXPRESSION", "expression", "such as leg == 3 and client.status == SEC_E_OK")

LOOKING: tuple[Verb, ...] = (
    # -- look
    Verb(
        "where",
        ("w", "context"),
        "look",
        (),
        "Show where the session is: the state, what may happen next, which calls are legal.",
        is_repeatable=False,
        example="where",
    ),
    Verb("enabled", (), "look", (), "List what may happen next, numbered for choose.", example="enabled"),
    Verb(
        "legal",
        (),
        "look",
        (argument("SIDE", "side", "one end only", optional=True),),
        "Say which API calls are legal now, and why the others are not.",
        example="legal server",
    ),
    Verb(
        "info",
        ("i",),
        "look",
        (
            argument(
                "TOPIC",
                "topic",
                "handles, contexts, credentials, buffers, flags, timers, schedule, breakpoints, rules, calls, keylog, "
                "faults, wire, findings, display",
            ),
        ),
        "Show what there is of something.",
        example="info calls",
    ),
    Verb(
        "print",
        ("p",),
        "look",
        (_EXPRESSION,),
        "Show a value, or a field of a leg by its path.",
        example="p leg2.ServerHello.random",
    ),
    Verb(
        "display",
        (),
        "look",
        (argument("EXPRESSION", "expression", "lists them when left out", optional=True),),
        "Show a value at every stop.",
        example="display server.phase",
    ),
    Verb(
        "undisplay",
        (),
        "look",
        (argument("NUMBER", "number", "of the display; all when left out", optional=True),),
        "Show it no more.",
        example="undisplay 1",
    ),
    Verb(
        "x",
        (),
        "look",
        (argument("WHAT", "bytes", "leg2, leg2.ServerHello.random, received of a side; x/32 for so many bytes"),),
        "Show bytes in hex, with their fields.",
        example="x leg2",
    ),
    Verb(
        "decode",
        (),
        "look",
        (argument("LEG", "leg", "the last one when left out", optional=True),),
        "Show the fields of a token, what is encrypted opened.",
        example="decode leg2",
    ),
    Verb(
        "bt",
        ("backtrace",),
        "look",
        (),
        "Show who is inside what: callbacks entered, calls not returned, calls pending, what each end waits for.",
        "Frames stand in the order in which they were entered; which thread a callback runs on is not promised.",
        example="bt",
    ),
    Verb(
        "why",
        (),
        "look",
        (argument("RECORD", "record", "else the last one; of a run that is over, its failure", optional=True),),
        "Show what led to a record, back to its beginning.",
        example="why",
    ),
    Verb(
        "list",
        ("l",),
        "look",
        (argument("RECORD", "record", "around this one; the last when left out", optional=True),),
        "List the records around a place.",
        is_repeatable=False,
        example="list 12",
    ),
    Verb("ladder", (), "look", (), "Show the ladder so far.", example="ladder"),
    Verb(
        "timeline",
        (),
        "look",
        (argument("N", "number", "the last N records; all when left out", optional=True),),
        "List the records: when, who, what, and which led to it.",
        example="timeline 20",
    ),
    Verb(
        "diff",
        (),
        "look",
        (argument("A", "leg", "leg2, branch:leg2, or a branch"), argument("B", "leg", "likewise")),
        "Compare two tokens or two branches; what is random is masked.",
        example="diff leg1 main:leg1",
    ),
    Verb(
        "explain",
        (),
        "look",
        (
            argument(
                "CODE...",
                "code",
                "a status, an alert, a rule code, or words; the last failure when left out",
                optional=True,
            ),
        ),
        "Say what a code means.",
        example="explain SEC_E_CERT_EXPIRED",
    ),
    Verb(
        "api",
        (),
        "look",
        (argument("FUNCTION", "function", "all of them when left out", optional=True),),
        "Show the reference card of a function.",
        example="api SspiReinitAsyncContext",
    ),
    Verb(
        "verify",
        (),
        "look",
        (),
        "Hold the misuse rules against the records so far, as if the run ended now.",
        example="verify",
    ),
)
